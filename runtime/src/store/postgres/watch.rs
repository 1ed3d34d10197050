//! Watches the settings that readers rely on while the store is open, see [`safety`](super::safety).
//!
//! An operator can change them while apps run. For example `alter sequence gesta_positions cache 20`: session A takes the positions 1
//! to 20 at once, session B takes 21 to 40. A stores an event at 1, B stores one at 21, and a reader that has passed 21 never sees what A
//! stores at 2.
//!
//! Always true:
//! 1. A reader uses a safe position in one statement with the settings that were trusted, and that statement returns events only if the
//!    settings are still the same. [`settings`](super::safety::settings) is another number after each committed change, also after one
//!    that was taken back. So between the moment of trust and the read nothing was changed.
//! 2. Settings are trusted once they were checked, and once every transaction has ended that then had a lock on the table to write to it:
//!    any of these may have begun under other settings. The list is taken after the check. A later transaction runs under the settings
//!    that were checked, or the number is another one.
//! 3. The statement that restores a sequence waits for all who took positions from it, and makes sessions forget those they still had in
//!    their cache. So no event appears any more at or below the last position that was given before.
//!
//! In the example: the settings are another number from the `alter sequence` on, so no reader gets event 21. Readers report what is wrong.
//! After `alter sequence .. cache 1` the settings are checked, the transaction of A is waited for, and readers get 1, 2 and 21.
//!
//! `setval` is no change of a catalogue. A census that finds the sequence before the last event reports it, and an append that finds it
//! there stores nothing. If an event is stored at or below a position that was safe, no setting explains it: the process stops.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Row as _};

use super::census::Census;
use super::connections::Connections;
use super::errors::While;
use super::safety::{self, Flaw, Sound, settings};
use super::schema::Place;
use super::session::{Ask as _, Session};
use crate::error::StoreError;
use crate::event::Position;

const CONTEXT: &str = "checking the schema";
/// How often the settings are looked at while the store is in use.
const EVERY: Duration = Duration::from_secs(1);
/// How long one call waits for transactions that may have begun under other settings, and the pause between its looks.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

pub(super) struct Watch {
    place: Place,
    current: String,
    writers: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// These settings are right, and nobody writes under others.
    trusted: Option<i64>,
    /// When they were looked at last; `None` where they are to be looked at now.
    looked: Option<Instant>,
    /// These settings are right, and these transactions may have begun under others.
    awaited: Option<(i64, Vec<String>)>,
    /// When a look began that no call waits for.
    background: Option<Instant>,
    flaw: Option<Flaw>,
}

/// The settings now, as an SQL expression, in the schema of this name in quotes.
pub(super) fn current(schema: &str) -> String {
    let named = |name: &str| format!("pg_catalog.to_regclass('{}.{name}')", schema.replace('\'', "''"));
    let namespace = format!("pg_catalog.to_regnamespace('{}')", schema.replace('\'', "''"));
    settings(&named("gesta_events"), &named("gesta_positions"), &namespace)
}

/// Whether the sequence stands at the last event or beyond it, as an SQL expression.
pub(super) fn gives_new_positions(schema: &str) -> String {
    format!(
        "(select coalesce(pg_catalog.pg_sequence_last_value('{literal}.gesta_positions'::regclass), 0)
            >= (select coalesce(max(position), 0) from {schema}.gesta_events))",
        literal = schema.replace('\'', "''")
    )
}

impl Watch {
    pub(super) fn new(place: &Place) -> Self {
        let schema = &place.schema;
        Watch {
            place: place.clone(),
            current: format!("select {}", current(schema)),
            writers: format!(
                "select distinct l.virtualtransaction from pg_catalog.pg_locks l
                 where l.locktype = 'relation' and l.granted and l.relation = pg_catalog.to_regclass('{literal}.gesta_events')
                    and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
                    and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                    and ($1::text[] is null or l.virtualtransaction = any($1))",
                literal = schema.replace('\'', "''")
            ),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings that a reader may rely on; 0, which no settings are, while there are none.
    pub(super) fn trusted(&self) -> i64 {
        self.state().trusted.unwrap_or_default()
    }

    /// A statement found other settings than those that are trusted: they are looked at again.
    pub(super) fn suspect(&self) {
        self.state().looked = None;
    }

    /// Answers that it is time to look at the settings.
    pub(super) fn is_due(&self) -> bool {
        self.state().looked.is_none_or(|looked| looked.elapsed() >= EVERY)
    }

    /// The same, once in a while: whoever is told so looks.
    pub(super) fn is_due_in_background(&self) -> bool {
        let due = self.is_due();
        let mut state = self.state();
        if !due || state.background.is_some_and(|began| began.elapsed() < EVERY) {
            return false;
        }
        state.background = Some(Instant::now());
        true
    }

    /// Refuses appends while what they store could be lost, or could contradict what others store.
    fn stops_appends(&self) -> Option<StoreError> {
        let state = self.state();
        state.flaw.as_ref().filter(|flaw| flaw.stops_appends).map(|flaw| StoreError::Misconfigured(flaw.why.clone()))
    }

    /// Looks whether the settings are those that are trusted, else whether they can be. Answers `false` while a transaction is still open
    /// that may have begun under others.
    pub(super) async fn verify(&self, session: &mut Session<'_>) -> Result<bool, StoreError> {
        let trusted = {
            let state = self.state();
            if state.trusted.is_some() && state.looked.is_some_and(|looked| looked.elapsed() < EVERY) {
                return Ok(true);
            }
            state.trusted
        };
        let now: Option<i64> = sqlx::query(AssertSqlSafe(&*self.current)).value(session).await.during(CONTEXT)?;
        if now.is_some() && now == trusted {
            self.state().looked = Some(Instant::now());
            return Ok(true);
        }
        let Sound { place, settings } = match safety::check(session, &self.place.name).await? {
            Ok(sound) => sound,
            Err(flaw) => return Err(self.distrust(flaw)),
        };
        if place.lock_key != self.place.lock_key {
            let why = "`lock_key` in `gesta_store` is another one: restart this process".to_owned();
            let why = safety::unsafe_to_read(&self.place.name, &why);
            return Err(self.distrust(Flaw { why, stops_appends: true }));
        }
        let awaited = self.state().awaited.take().filter(|(of, _)| *of == settings).map(|(_, writers)| writers);
        let writers = sqlx::query(AssertSqlSafe(&*self.writers)).bind(awaited).all(session).await.during(CONTEXT)?;
        let writers: Vec<String> = writers.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().during(CONTEXT)?;
        let mut state = self.state();
        if !writers.is_empty() {
            state.awaited = Some((settings, writers));
            return Ok(false);
        }
        state.looked = Some(Instant::now());
        state.trusted = Some(settings);
        if state.flaw.take().is_some() {
            tracing::info!(schema = self.place.name, "the settings of the schema are right again: readers go on");
        }
        Ok(true)
    }

    /// Readers stop, and say why.
    fn distrust(&self, flaw: Flaw) -> StoreError {
        let mut state = self.state();
        (state.trusted, state.looked, state.awaited) = (None, None, None);
        let why = flaw.why.clone();
        if state.flaw.as_ref() != Some(&flaw) {
            tracing::error!("{why}");
            state.flaw = Some(flaw);
        }
        StoreError::Misconfigured(why)
    }

    /// Reports a sequence that stands before the last event.
    pub(super) fn set_back(&self, last: u64, stored: u64) -> StoreError {
        let why = safety::set_back(&self.place.schema, last.cast_signed(), stored.cast_signed());
        self.distrust(Flaw { why: safety::unsafe_to_read(&self.place.name, &why), stops_appends: false })
    }
}

impl Census {
    /// Looks at the settings on a connection of its own, where it is time to.
    pub(super) async fn verify(&self, connections: &Connections) -> Result<(), StoreError> {
        if self.watch.is_due() {
            let until = Instant::now() + PATIENCE;
            loop {
                let mut connection = connections.control().await?;
                let trusted = self.watch.verify(&mut connection.session()).await?;
                connection.done().await.during(CONTEXT)?;
                if trusted || Instant::now() >= until {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    /// An error while nothing may be appended, since it could be lost, or could contradict what others store.
    pub(super) async fn check_appends(&self, connections: &Connections) -> Result<(), StoreError> {
        self.check()?;
        if self.watch.stops_appends().is_some() {
            // It may be mended by now.
            self.verify(connections).await?;
        }
        self.watch.stops_appends().map_or(Ok(()), Err)
    }

    /// Looks at where an event was stored: above everything that was safe before it was sent. If it is not, a reader may have passed it.
    pub(super) fn check_position(&self, position: Position, safe: Position) {
        if position > safe {
            return;
        }
        let why = format!(
            "an event was stored at position {position}, though readers have passed {safe}: positions were given twice or out of order; \
             restart this process, rebuild its read models, and let each subscriber begin again before {position}"
        );
        self.stop(why);
    }
}
