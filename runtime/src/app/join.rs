//! Commands inside a transaction of the user's own.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use sqlx::postgres::{PgConnection, Postgres};
use tokio::sync::MappedMutexGuard;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;

use super::cache::StateCache;
use super::gate::Gate;
use super::{App, Execute, Inner, Loaded};
use crate::error::{Failure, LoadError, ProjectionError, StoreError};
use crate::store::postgres::joined::Joined;
use crate::store::{AppendError, Store};
use crate::{Aggregate, Command};

/// A transaction of yours, in which commands are executed too; made by [`App::join`].
///
/// What they append is stored when the transaction is committed, together with what you wrote in it, or not at all. Dropping it
/// rolls it back. While it is open, no reader gets what was appended after it, in any process, and other commands on its
/// aggregates wait: keep it short.
#[must_use = "dropping it rolls it back"]
pub struct Joint {
    app: App,
    joined: Arc<Joined>,
}

impl fmt::Debug for Joint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joint").finish_non_exhaustive()
    }
}

impl App {
    /// Takes the app into a transaction of yours on the store's database, for what has to be stored together with events.
    ///
    /// The transaction must be `read committed`: in others a version that is looked at may be an old one. Inline read models are
    /// folded in it too, and then it keeps the appends of everybody else out until it ends. The state cache is left out, and no
    /// snapshot is made.
    ///
    /// ```no_run
    /// # use gesta::prelude::*;
    /// # #[event] pub struct Opened {}
    /// # #[event] pub struct Deposited { pub amount: i64 }
    /// # pub struct Account { balance: i64 }
    /// # #[aggregate(id = u64)]
    /// # impl Account {
    /// #     fn opened(_: Opened) -> Self { Account { balance: 0 } }
    /// #     fn deposited(&mut self, e: Deposited) { self.balance += e.amount }
    /// # }
    /// # #[command] pub struct Deposit { pub amount: i64 }
    /// # #[command_handler]
    /// # impl Account { fn deposit(&self, cmd: Deposit) -> Deposited { Deposited { amount: cmd.amount } } }
    /// # async fn example(app: &gesta::App, pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// let joint = app.join(pool.begin().await?).await?;
    /// joint.execute(&7, Deposit { amount: 500 }).await?;
    /// sqlx::query("insert into receipts (account, amount) values (7, 500)").execute(&mut *joint.connection().await?).await?;
    /// joint.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Failure`] where the transaction can't be joined: the store is no Postgres, it is one of another database, or not `read
    /// committed`.
    pub async fn join(&self, transaction: sqlx::Transaction<'static, Postgres>) -> Result<Joint, Failure> {
        let inner = &self.inner;
        if inner.inline.is_some() {
            for model in inner.models.iter().filter(|model| model.inline) {
                inner.catch_up_inline(model.name).await.map_err(|why| match why {
                    ProjectionError::NewerBuildNeeded(event) => Failure::NewerBuildNeeded(event),
                    why => Failure::CatchUp { model: model.name, why },
                })?;
            }
        }
        let joined = Joined::new(&inner.store, transaction, inner.inline.is_some()).await?;
        let store = joined.store(&inner.store);
        Ok(Joint { app: App { inner: Arc::new(inner.beside(store)) }, joined })
    }
}

impl Inner {
    /// The same app on another store, with nothing cached.
    fn beside(&self, store: Store) -> Inner {
        Inner {
            store,
            sole_writer: false,
            owns_store: false,
            writable: true,
            aggregates: self.aggregates.clone(),
            models: self.models.clone(),
            inline: self.inline.clone(),
            catch_ups: Vec::new(),
            services: self.services.clone(),
            hooks: self.hooks.clone(),
            cache: StateCache::new(0, 0),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            limits: self.limits,
            gate: Gate::default(),
            announced: AtomicUsize::new(0),
            shutdown: self.shutdown.clone(),
            runners: Mutex::new(JoinSet::new()),
            unknown: Vec::new(),
        }
    }
}

impl Joint {
    /// Runs a command in the transaction, as [`App::execute`] does. Its events are stored by [`commit`](Joint::commit).
    ///
    /// # Errors
    /// As those of [`App::execute`]. After a refusal, and after a conflict, the transaction can go on.
    pub fn execute<'a, C: Command>(&'a self, id: &'a <C::Aggregate as Aggregate>::Id, command: C) -> Execute<'a, C> {
        self.app.execute(id, command)
    }

    /// Loads an aggregate as it is in the transaction.
    ///
    /// # Errors
    /// As those of [`App::load`].
    pub async fn load<A: Aggregate>(&self, id: &A::Id) -> Result<Loaded<A>, LoadError> {
        self.app.load::<A>(id).await
    }

    /// The connection, for statements of yours. No command runs while you have it.
    ///
    /// # Errors
    /// [`StoreError::Closed`] where the transaction has ended.
    pub async fn connection(&self) -> Result<JointConnection<'_>, StoreError> {
        let guard = MutexGuard::try_map(self.joined.lock().await, |transaction| {
            transaction.as_mut().map(|transaction| &mut **transaction)
        });
        guard.map(JointConnection).map_err(|_| StoreError::Closed)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`Failure`]; nothing was stored, except where it is [`Failure::UnknownOutcome`].
    pub async fn commit(self) -> Result<(), Failure> {
        self.joined.commit().await.map_err(|why| match why {
            AppendError::UnknownOutcome(why) => Failure::UnknownOutcome(why),
            AppendError::Store(why) => why.into(),
            other => StoreError::Damaged(other.to_string()).into(),
        })
    }
}

/// The connection of a [`Joint`].
#[derive(Debug)]
pub struct JointConnection<'a>(MappedMutexGuard<'a, PgConnection>);

impl Deref for JointConnection<'_> {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.0
    }
}
impl DerefMut for JointConnection<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}
