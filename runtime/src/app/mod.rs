//! The app: what executes commands, keeps read models and answers questions.

mod batch;
mod begun;
mod bookmark;
mod builder;
mod cache;
mod canonical;
mod execute;
mod failing;
mod gate;
mod held;
mod hook;
mod inline;
#[cfg(feature = "postgres")]
mod join;
mod lease;
mod load;
mod many;
mod model;
mod options;
mod parking;
mod read;
mod repeat;
mod replay;
mod runner;
mod subscribe;
mod unit;

use std::any::TypeId;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

pub use bookmark::{Bookmark, BookmarkError};
pub use builder::Builder;
pub use execute::{Done, Execute, Executed};
pub use hook::{BeforeCommand, Proposed};
#[cfg(feature = "postgres")]
pub use join::{Joint, JointConnection};
pub use load::{History, Loaded};
pub use many::{Envelope, ExecuteMany};
pub use options::{Limits, caused_by};
pub use read::{Read, Rows};
pub use subscribe::{RawEvent, Subscription};
pub use unit::{Unit, UnitDone, UnitOfWork};

use crate::command::Services;
use crate::error::StoreError;
use crate::event::IdSource;
use crate::store::{InlineFold, Store, StoredType};
use crate::time::Clock;

/// An event-sourced application: commands in, events stored, read models kept.
///
/// Made by [`App::connect`] and [`Builder::start`]. Cloning it is cheap, and all clones are one app.
///
/// What was acknowledged is durable at any moment, so an app may be dropped or killed; [`shutdown`](App::shutdown) ends it
/// in order. When the last clone and the last command are gone, the store is free for the next app:
/// a SQLite file can be opened again at once.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let models: Vec<_> = self.inner.models.iter().map(|model| model.name).collect();
        f.debug_struct("App").field("models", &models).finish_non_exhaustive()
    }
}

struct Inner {
    store: Store,
    /// No other app or process appends, so a state in the cache is always current.
    sole_writer: bool,
    /// The store goes when the app does.
    owns_store: bool,
    /// It executes commands and feeds its read models; where not, another app does.
    writable: bool,
    aggregates: HashSet<TypeId>,
    models: Vec<Arc<model::Model>>,
    inline: Option<Arc<dyn InlineFold>>,
    catch_ups: Vec<inline::CatchUp>,
    services: Arc<Services>,
    hooks: Vec<Arc<dyn BeforeCommand>>,
    cache: Arc<cache::StateCache>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    limits: Limits,
    gate: gate::Gate,
    /// Commands that are about to come in.
    announced: AtomicUsize,
    shutdown: watch::Sender<bool>,
    runners: Mutex<JoinSet<()>>,
    unknown: Vec<StoredType>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The tasks that feed read models end a moment later, and hold the store until then.
        if self.owns_store {
            self.store.log.release();
        }
    }
}

/// A command that is about to come in.
struct Announced(Arc<Inner>);

impl Announced {
    fn new(app: &Arc<Inner>) -> Self {
        app.announced.fetch_add(1, Ordering::Relaxed);
        Announced(app.clone())
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        self.0.announced.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inner {
    /// Whether other commands are about to append too.
    fn is_crowded(&self) -> bool {
        self.gate.running() + self.announced.load(Ordering::Relaxed) > 1
    }
}

impl App {
    /// The kinds of events in the store that this build could not read when it started: those of a newer build, and those that
    /// were renamed or removed in this one. A renamed event keeps its stored name by `#[event(name = "..")]`, a removed one stays
    /// as the parameter of an `#[upcast]` function.
    pub fn unknown_events(&self) -> &[StoredType] {
        &self.inner.unknown
    }

    /// The store, for what this type does not offer.
    ///
    /// An app that was begun by [`connect`](App::connect) relies on being the only one that appends to it. To share a store,
    /// open it by [`store::connect`](crate::store::connect), and begin each app by [`on`](App::on).
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Ends the app in order: commands that came in are finished and later ones refused, read models store how far they
    /// have come, the store is closed. Nothing that was acknowledged needs this.
    ///
    /// # Errors
    /// [`StoreError`] where the store could not finish.
    pub async fn shutdown(&self) -> Result<(), StoreError> {
        self.inner.gate.close().await;
        self.inner.shutdown.send_replace(true);
        let mut runners = self.inner.runners.lock().await;
        // Each has said how it ended to whoever waits for its model.
        let moved = || self.inner.models.iter().map(|model| model.moved.load(Ordering::Relaxed)).sum::<u64>();
        let mut before = moved();
        loop {
            match tokio::time::timeout(read::STANDSTILL_MAX, runners.join_next()).await {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) if moved() != before => before = moved(),
                Err(_) => {
                    tracing::warn!("a read model does nothing and does not end: the app is shut down without it");
                    runners.abort_all();
                    break;
                }
            }
        }
        if self.inner.owns_store {
            self.inner.store.log.close().await?;
        }
        tracing::info!("shut down");
        Ok(())
    }
}
