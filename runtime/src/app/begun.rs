//! Folds that end their process, such as by an endless recursion: each is found, and is not met again by the same build.
//!
//! Always true here: an event is passed over only if processes of this very build have died twice after they had noted that its
//! fold begins, and before they noted the end of it. A process that is killed from outside leaves at most one such note, at the
//! event that it folded just then.
//!
//! Nothing is noted while all is well. An owner notes in the store that it feeds the model, and takes that back when it ends. The
//! next one that finds such a note goes carefully: it folds one event after another, until it is past all that the dead owner can
//! have read. It notes each event before the user's code sees it, and takes that back before the rows are stored. So of the deaths by one event the first leads to notes, and two more name it. Its
//! stream is parked then, or the model stops there. An owner that lost the model and lives takes its note back.
//!
//! A process may die of something else while an event is noted: of another model's fold, or of a fault that ends it at each start.
//! So an event that a death has named is suspect: it is noted again only after a pause, at a moment of chance, and while no
//! other suspect of the process is folded. Then one death can't name two events twice.

use std::fs::File;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Mutex, MutexGuard};

use super::batch::{BATCH_EVENTS, Copied, Place};
use super::runner::Runner;
use crate::error::{ProjectionError, StoreError};
use crate::read::{FoldError, Projection, Row, Value};
use crate::store::{BegunEvent, EarlierOwner, StoredEvent};
use crate::{Position, StreamName};

/// An event is passed over once as many processes have died after they noted it.
const DEATHS_MAX: u32 = 2;
/// A process that dies of its start has died after this time, to which chance adds up to as much again.
const SUSPECT_PAUSE: Duration = Duration::from_secs(2);
/// A runner waits no longer than this for the suspects of others.
const SUSPECTS_WAIT_MAX: Duration = Duration::from_mins(2);
/// Rows are read within this time, or the note of the fold that needs them is taken back meanwhile.
const ROWS_WAIT: Duration = Duration::from_millis(100);
/// Held while a suspect is folded, by one model of the process.
static SUSPECT: Mutex<()> = Mutex::const_new(());

/// As many events are looked through at a time for one that the model folds.
const LOOK_EVENTS: usize = 64;

/// What a runner knows of folds that have begun and were not heard of again.
#[derive(Default)]
pub(crate) struct Begun {
    /// The owner that has noted itself.
    epoch: Option<u64>,
    /// As many events are still folded one by one.
    careful: usize,
    /// What is noted in the store.
    noted: Vec<BegunEvent>,
    /// The event that this process has noted last, and whose end it has not noted.
    current: Option<BegunEvent>,
    build: u64,
    /// Held while `current` is suspect.
    alone: Option<MutexGuard<'static, ()>>,
}

/// The next event that the user's code is to see.
struct Next {
    stream: StreamName,
    /// How many events stand before it, and it.
    count: usize,
    event: Copied,
}

impl Begun {
    /// As many processes of this build have died in the fold of the event at this position.
    fn deaths(&self, position: Position) -> u32 {
        let noted = self.noted.iter().find(|noted| noted.position == position && noted.build == self.build);
        noted.map_or(0, |noted| noted.times)
    }

    fn is_careful(&self, after: Position) -> bool {
        self.careful > 0 || self.noted.iter().any(|noted| noted.position > after)
    }

    /// Whether events of this stream are folded one by one.
    pub(super) fn is_careful_of(&self, stream: &StreamName) -> bool {
        self.careful > 0 || self.noted.iter().any(|noted| noted.stream == *stream)
    }

    /// Whether this build passes over an event of the stream, without another try.
    pub(super) fn passes_over(&self, stream: &StreamName) -> bool {
        let mut noted = self.noted.iter();
        noted.any(|noted| noted.stream == *stream && noted.build == self.build && noted.times >= DEATHS_MAX)
    }
}

impl<M: Projection> Runner<M> {
    /// Notes that this process feeds the model, and finds how the one before has ended.
    pub(super) async fn start_feeding(&mut self) -> Result<(), ProjectionError> {
        // Where several processes write, any of them catches up an inline model, and their notes can't be told apart.
        let nobodys = self.model.inline && self.leases.is_some();
        if nobodys || self.begun.epoch == Some(self.checkpoint.epoch) {
            return Ok(());
        }
        let earlier = match self.rows.start_feeding(self.model.place, self.checkpoint.epoch).await {
            Ok(earlier) => earlier,
            Err(why) if why.is_retryable() || matches!(why, StoreError::Closed) => return Err(why.into()),
            // Such as a right that is missing on the new table. The model works all the same.
            Err(why) => {
                tracing::warn!(model = self.model.name, %why, "a fold that ends its process can't be found");
                EarlierOwner::default()
            }
        };
        let (position, parked) = (self.checkpoint.position, &self.parked);
        // The others were outlived: the checkpoint has passed them.
        let noted = earlier.begun.into_iter().filter(|noted| noted.position > position || parked.contains_key(&noted.stream));
        let noted: Vec<_> = noted.collect();
        let careful = if earlier.died { BATCH_EVENTS } else { 0 };
        let build =
            if earlier.died || !noted.is_empty() { tokio::task::spawn_blocking(build).await.unwrap_or_default() } else { 0 };
        if earlier.died {
            tracing::info!(
                model = self.model.name,
                %position,
                "the process that fed the read model has not ended in order: the next events are folded one by one"
            );
        }
        self.begun = Begun { epoch: Some(self.checkpoint.epoch), careful, noted, current: None, build, alone: None };
        Ok(())
    }

    /// Notes that this process ends, or gives the model back. If that fails, the next one goes carefully without need.
    pub(super) async fn stop_feeding(&mut self) {
        if let Some(epoch) = self.begun.epoch.take() {
            let _ = self.outlived().await;
            let _ = self.rows.stop_feeding(self.model.place, epoch).await;
        }
    }

    /// The process lives on after the fold that it has noted last.
    pub(super) async fn outlived(&mut self) -> Result<(), StoreError> {
        if let Some(begun) = &self.begun.current {
            let position = begun.position;
            self.rows.clear_begun(self.model.place, position).await?;
            self.begun.current = None;
            self.begun.noted.retain(|noted| noted.position != position);
        }
        self.begun.alone = None;
        Ok(())
    }

    /// Reads rows. The note of a fold is to stand while the user's code runs, so it is taken back if the store lets the process wait.
    pub(super) async fn read_rows(&mut self, keys: &[Value]) -> Result<Vec<Option<Row>>, StoreError> {
        let (rows, place) = (Arc::clone(&self.rows), self.model.place);
        let mut reading = rows.rows(place, keys);
        let Some(begun) = self.begun.current.clone() else { return reading.await };
        if let Ok(read) = tokio::time::timeout(ROWS_WAIT, &mut reading).await {
            return read;
        }
        let alone = self.begun.alone.take();
        self.outlived().await?;
        let read = reading.await?;
        self.begun.alone = alone;
        self.note(begun).await?;
        Ok(read)
    }

    async fn note(&mut self, begun: BegunEvent) -> Result<(), StoreError> {
        let before = self.begun.current.as_ref().map(|before| before.position);
        self.rows.mark_begun(self.model.place, &begun, before).await?;
        self.begun.noted.retain(|noted| Some(noted.position) != before && noted.position != begun.position);
        self.begun.noted.push(begun.clone());
        self.begun.current = Some(begun);
        Ok(())
    }

    /// How many events the next batch may read: as many as it likes, or up to the next event that is noted. An error for an event
    /// that has ended processes.
    pub(super) async fn step_max(&mut self, max: usize) -> Result<Result<usize, ProjectionError>, ProjectionError> {
        let careful = self.begun.is_careful(self.position);
        if !careful || self.begun.alone.is_some() {
            self.outlived().await?;
        }
        if !careful {
            return Ok(Ok(max));
        }
        let mut looked = 0;
        let mut next = None;
        let (feeder, parked, after) = (&self.feeder, &*self.parked, self.position);
        self.log
            .read_all(after, LOOK_EVENTS, &mut |event: StoredEvent<'_>| {
                looked += 1;
                if parked.contains_key(event.stream) || !feeder.wants(&event) {
                    return ControlFlow::Continue(());
                }
                // A name that is none is said by the batch.
                if let Ok(stream) = StreamName::parse(event.stream) {
                    next = Some(Next { stream, count: looked, event: Copied::of(&event) });
                }
                ControlFlow::Break(())
            })
            .await?;
        let Some(next) = next else {
            if looked == 0 {
                self.begun.careful = 0;
                self.outlived().await?;
            }
            return Ok(Ok(LOOK_EVENTS));
        };
        self.begun.careful = self.begun.careful.saturating_sub(1);
        if let Err(why) = self.begin_fold(&next.stream, &next.event.event(), false).await? {
            return Ok(Err(why));
        }
        Ok(Ok(next.count))
    }

    /// Notes that an event is about to be decoded and folded; an error for one that has ended processes, unless it is asked for.
    pub(super) async fn begin_fold(
        &mut self,
        stream: &StreamName,
        event: &StoredEvent<'_>,
        asked: bool,
    ) -> Result<Result<(), ProjectionError>, ProjectionError> {
        let (position, deaths) = (event.position, self.begun.deaths(event.position));
        self.pace.moved.fetch_add(1, Ordering::Relaxed);
        if deaths >= DEATHS_MAX && !asked {
            self.outlived().await?;
            return Ok(Err(Place::error_of(event, FoldError::EndsProcess { times: deaths })));
        }
        if deaths > 0 {
            self.outlived().await?;
            tracing::warn!(model = self.model.name, %position, %stream, "a process has died while it folded this event: it is tried again, alone");
            self.begun.alone = self.suspect().await;
        }
        let begun = BegunEvent { position, stream: stream.clone(), times: deaths + 1, build: self.begun.build };
        self.note(begun).await?;
        Ok(Ok(()))
    }
}

impl<M: Projection> Runner<M> {
    /// Waits until no other suspect is folded, and for a pause.
    async fn suspect(&self) -> Option<MutexGuard<'static, ()>> {
        let until = Instant::now() + SUSPECTS_WAIT_MAX;
        let mut alone = None;
        while alone.is_none() && Instant::now() < until {
            // It waits, and is not stuck.
            self.pace.moved.fetch_add(1, Ordering::Relaxed);
            alone = tokio::time::timeout(SUSPECT_PAUSE / 20, SUSPECT.lock()).await.ok();
        }
        let chance = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_micros() % 1_000);
        let until = Instant::now() + SUSPECT_PAUSE + SUSPECT_PAUSE * chance / 1_000;
        while Instant::now() < until {
            self.pace.moved.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(SUSPECT_PAUSE / 20).await;
        }
        alone
    }
}

/// A hash of the program, so that another build is told from this one. Read once, and only where a fold may have ended a process.
fn build() -> u64 {
    static BUILD: OnceLock<u64> = OnceLock::new();
    *BUILD.get_or_init(|| std::env::current_exe().and_then(File::open).and_then(hash).unwrap_or_default())
}

/// Word by word, since a program is large.
fn hash(mut file: File) -> std::io::Result<u64> {
    const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
    let (mut hash, mut buffer) = (PRIME, vec![0; 1 << 20]);
    loop {
        let mut read = 0;
        while read < buffer.len() {
            match file.read(&mut buffer[read..])? {
                0 => break,
                more => read += more,
            }
        }
        for word in buffer[..read].chunks(8) {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            hash = (hash.rotate_left(5) ^ u64::from_le_bytes(bytes)).wrapping_mul(PRIME);
        }
        if read < buffer.len() {
            return Ok(hash);
        }
    }
}
