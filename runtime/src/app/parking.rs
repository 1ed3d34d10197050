//! Streams that a read model passes over, because an event in them can't be folded.
//!
//! Always true here: a stream is parked in the transaction that moves the checkpoint past its event, and released in the one
//! that stores the row with all of its events up to the checkpoint. So each event is in its row, or stands in a parked stream
//! at or behind the event that is named; and the events of a stream are folded in order, whenever that is.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::App;
use super::batch::{Copied, Place, SLICE, damaged};
use super::load::{PAGE_BYTES, PAGE_EVENTS};
use super::model::{Feeder, Model, ParkedStreams, Pending, catch, key_value};
use super::read::{Patience, STANDSTILL_MAX};
use super::runner::Runner;
use crate::error::{ProjectionError, ReadError, StoreError};
use crate::read::{FoldError, Projection, ReadModel, Value, as_stored, from_row, to_row};
use crate::store::{CommitError, Parked, ParkingChange, RowChange, StoredEvent};
use crate::{Position, StreamName, Version};

/// As many streams are parked for a model; one that meets more stops, since not its events are at fault then.
const PARKED_MAX: usize = 1_000;

/// Some events of a stream.
struct Page<M> {
    events: VecDeque<(Place, Vec<Pending<M>>)>,
    last: Version,
    ended: bool,
    /// Why the one behind them can't be read.
    unreadable: Option<ProjectionError>,
    seen: usize,
    bytes: usize,
}

impl<M: Projection> Page<M> {
    fn take(&mut self, feeder: &Feeder<M>, event: &StoredEvent<'_>, passed: Position) -> ControlFlow<()> {
        if event.position > passed {
            self.ended = true;
            return ControlFlow::Break(());
        }
        let mut folds = Vec::new();
        let read = feeder.read(event, &mut |pending| folds.push(pending));
        match read.map_err(|why| Place::error_of(event, why)).and_then(|()| Place::of(event, 0)) {
            Ok(place) if !folds.is_empty() => self.events.push_back((place, folds)),
            Ok(_) => {}
            Err(why) => {
                self.unreadable = Some(why);
                return ControlFlow::Break(());
            }
        }
        (self.seen, self.bytes, self.last) = (self.seen + 1, self.bytes + event.payload.len(), event.version);
        if self.bytes < PAGE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// The row of a stream while its events are folded into it.
struct Folding<M> {
    /// Not known before there is an event.
    key: Option<Value>,
    row: Option<M>,
    /// The row behind the last event that was folded whole.
    change: Option<RowChange>,
}

impl<M: Projection> Folding<M> {
    /// Folds what one stored event has become, whole or not at all.
    fn fold(&mut self, place: &Place, folds: Vec<Pending<M>>) -> Result<(), ProjectionError> {
        let (row, key) = (&mut self.row, self.key.as_ref());
        let folded = catch(|| {
            for fold in folds {
                if Some(&key_value::<M>(fold.key())?) != key {
                    return Err(FoldError::Key("the events of a parked stream belong to several rows".to_owned()));
                }
                fold.apply(row)?;
                as_stored(row)?;
            }
            row.as_ref().map(to_row).transpose()
        });
        let row = folded.map_err(|why| place.error(key, why))?;
        self.change = key.cloned().map(|key| RowChange { key, row });
        Ok(())
    }
}

impl<M: Projection> Runner<M> {
    /// Takes up what is parked in the store, and tries all of it again; see [`retry_parked`](Runner::retry_parked).
    pub(super) async fn take_up_parked(&mut self, asked: bool) -> Result<(), ProjectionError> {
        let parked = self.rows.parked(self.model.place).await?;
        self.parked = Arc::new(parked.into_iter().map(|parked| (parked.stream.clone(), parked)).collect());
        // Another process may have parked and released since this one fed the model last.
        self.tell();
        self.start_feeding().await?;
        self.retry_parked(asked).await
    }

    /// Tries everything that is parked again, each from its first event on; what has ended processes of this build only if that is
    /// asked for.
    pub(super) async fn retry_parked(&mut self, asked: bool) -> Result<(), ProjectionError> {
        if self.parked.is_empty() {
            return Ok(());
        }
        // So that whatever was passed over stands at or before the checkpoint.
        self.store_position().await?;
        for parked in in_order(&self.parked) {
            if asked || !self.begun.passes_over(&parked.stream) {
                self.retry(parked, asked).await?;
            }
        }
        Ok(self.outlived().await?)
    }

    async fn retry(&mut self, parked: Parked, asked: bool) -> Result<(), ProjectionError> {
        let mut folding = Folding { key: None, row: None, change: None };
        let mut after = Version::new(parked.version.get().saturating_sub(1));
        let failed = loop {
            let page = if self.begun.is_careful_of(&parked.stream) {
                match self.read_one(&parked.stream, after, asked).await? {
                    Ok(page) => page,
                    Err(why) => break Some(why),
                }
            } else {
                self.read_page(&parked.stream, after).await?
            };
            let failed;
            (folding, failed) = self.fold_page(folding, page.events).await?;
            if let Some(why) = failed.or(page.unreadable) {
                break Some(why);
            }
            if page.ended {
                break None;
            }
            after = page.last;
        };
        self.outlived().await?;
        let again = match failed {
            None => None,
            Some(why) => match first_of(&why) {
                // An inline model has to be whole before an append may fold into it.
                Some(again) if !self.model.inline => Some(again),
                _ => return Err(why),
            },
        };
        if again.as_ref() == Some(&parked) {
            return Ok(());
        }
        let changes = folding.change.into_iter().collect();
        let change = again.clone().map_or_else(|| ParkingChange::Release(parked.stream.clone()), ParkingChange::Park);
        match self.commit(changes, vec![change]).await {
            // Its row is as it was, and so is what is parked.
            Err(CommitError::Unstorable(why)) => {
                tracing::warn!(model = self.model.name, %parked, %why, "a stream is still parked");
                return Ok(());
            }
            committed => committed?,
        }
        let all = Arc::make_mut(&mut self.parked);
        if let Some(again) = again {
            tracing::warn!(model = self.model.name, parked = %again, "a stream is still parked");
            all.insert(parked.stream, again);
        } else {
            tracing::info!(model = self.model.name, stream = %parked.stream, "a stream is parked no longer");
            all.remove(&parked.stream);
        }
        self.tell();
        Ok(())
    }

    /// The next event of a parked stream, once it is noted that its fold begins.
    async fn read_one(
        &mut self,
        stream: &StreamName,
        after: Version,
        asked: bool,
    ) -> Result<Result<Page<M>, ProjectionError>, ProjectionError> {
        let passed = self.checkpoint.position;
        let mut page = Page { events: VecDeque::new(), last: after, ended: false, unreadable: None, seen: 0, bytes: 0 };
        let mut next = None;
        self.log
            .read_stream(stream, after, 1, &mut |event| {
                next = Some(Copied::of(&event));
                ControlFlow::Break(())
            })
            .await?;
        let Some(next) = next.filter(|next| next.event().position <= passed) else {
            page.ended = true;
            return Ok(Ok(page));
        };
        if self.feeder.wants(&next.event())
            && let Err(why) = self.begin_fold(stream, &next.event(), asked).await?
        {
            return Ok(Err(why));
        }
        let _ = page.take(&self.feeder, &next.event(), passed);
        Ok(Ok(page))
    }

    /// The next events of a parked stream, as far as the checkpoint has passed them.
    async fn read_page(&self, stream: &StreamName, after: Version) -> Result<Page<M>, ProjectionError> {
        let passed = self.checkpoint.position;
        let mut page = Page { events: VecDeque::new(), last: after, ended: false, unreadable: None, seen: 0, bytes: 0 };
        if self.pace.apart {
            let (mut copies, mut bytes) = (Vec::new(), 0);
            self.log
                .read_stream(stream, after, PAGE_EVENTS, &mut |event: StoredEvent<'_>| {
                    bytes += event.payload.len();
                    copies.push(Copied::of(&event));
                    if bytes < PAGE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                })
                .await?;
            let feeder = Arc::clone(&self.feeder);
            page = self
                .on_a_thread(move |moved, cancelled| {
                    for copy in &copies {
                        moved.fetch_add(1, Ordering::Relaxed);
                        if page.take(&feeder, &copy.event(), passed).is_break() || cancelled.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                    page
                })
                .await?;
        } else {
            let feeder = &self.feeder;
            self.log.read_stream(stream, after, PAGE_EVENTS, &mut |event| page.take(feeder, &event, passed)).await?;
        }
        page.ended |= page.seen < PAGE_EVENTS && page.bytes < PAGE_BYTES;
        Ok(page)
    }

    /// Folds events of one stream into its row; answers the error of the one that can't be.
    async fn fold_page(
        &mut self,
        mut folding: Folding<M>,
        mut events: VecDeque<(Place, Vec<Pending<M>>)>,
    ) -> Result<(Folding<M>, Option<ProjectionError>), ProjectionError> {
        let first = events.front().and_then(|(place, folds)| Some((place, key_value::<M>(folds.first()?.key()))));
        if folding.key.is_none() {
            let key = match first {
                None => return Ok((folding, None)),
                Some((_, Ok(key))) => key,
                Some((place, Err(why))) => {
                    let why = place.error(None, why.into());
                    return Ok((folding, Some(why)));
                }
            };
            let stored = self.read_rows(std::slice::from_ref(&key)).await?.pop().flatten();
            folding.row = stored.map(from_row::<M>).transpose().map_err(|why| damaged::<M>(&key, &why))?;
            folding.key = Some(key);
        }
        if self.pace.apart {
            let folded = self.on_a_thread(move |moved, cancelled| {
                while let Some((place, folds)) = events.pop_front().filter(|_| !cancelled.load(Ordering::Relaxed)) {
                    if let Err(why) = folding.fold(&place, folds) {
                        return (folding, Some(why));
                    }
                    moved.fetch_add(1, Ordering::Relaxed);
                }
                (folding, None)
            });
            return folded.await;
        }
        let mut slice = Instant::now();
        while let Some((place, folds)) = events.pop_front() {
            if let Err(why) = folding.fold(&place, folds) {
                return Ok((folding, Some(why)));
            }
            self.pace.moved.fetch_add(1, Ordering::Relaxed);
            if slice.elapsed() >= SLICE {
                self.look_at_slice(slice.elapsed());
                tokio::task::yield_now().await;
                slice = Instant::now();
            }
        }
        Ok((folding, None))
    }

    /// Parks the stream of an event that can't be folded, and goes on behind the event; `why` is given back where it is not
    /// such an event, or its row is not the stream's own.
    pub(super) async fn park(&mut self, why: ProjectionError) -> Result<(), ProjectionError> {
        let may_park = !self.model.inline && self.parked.len() < PARKED_MAX;
        let Some(parked) = first_of(&why).filter(|parked| may_park && self.model.row_of(&parked.stream).is_some()) else {
            return Err(why);
        };
        self.position = parked.position;
        match self.commit(Vec::new(), vec![ParkingChange::Park(parked.clone())]).await {
            Ok(()) => {}
            Err(CommitError::Store(StoreError::Unsupported(_))) => return Err(why),
            Err(failed) => return Err(failed.into()),
        }
        tracing::error!(model = self.model.name, %parked, "a stream is parked: the read model passes over it from here on");
        Arc::make_mut(&mut self.parked).insert(parked.stream.clone(), parked);
        self.tell();
        Ok(())
    }

    /// Tells whoever reads that the model is fed here, how far it has come, and what it passes over: at once, so that nobody takes the
    /// row of a parked stream for one that has come as far.
    fn tell(&self) {
        self.model.progress.send_modify(|progress| {
            progress.stopped.take_if(|why| matches!(why, ProjectionError::Superseded));
            progress.position = progress.position.max(self.position);
            progress.incarnation = self.incarnation;
            progress.parked = Arc::clone(&self.parked);
        });
    }
}

impl Model {
    /// The key of a stream's row, where the stream can be parked.
    fn row_of(&self, stream: &StreamName) -> Option<Value> {
        self.row_of.and_then(|row_of| row_of(stream))
    }
}

/// A stream that would be parked from this event on.
fn first_of(why: &ProjectionError) -> Option<Parked> {
    let ProjectionError::Event { stream, version, position, name, schema_version, key: _, why } = why else { return None };
    Some(Parked {
        stream: stream.clone(),
        version: *version,
        position: *position,
        name: name.clone(),
        schema_version: *schema_version,
        why: why.to_string(),
    })
}

fn in_order(parked: &ParkedStreams) -> Vec<Parked> {
    let mut all: Vec<_> = parked.values().cloned().collect();
    all.sort_by_key(|parked| parked.position);
    all
}

impl App {
    /// The streams that the read model `M` passes over, by the positions of the events that could not be folded.
    ///
    /// A read model whose rows each belong to one stream does not stop at an event that it can't fold: it parks the stream. The
    /// stream's row stays as it was before the event, the stream's events stay in the log, and everything else goes on. The row
    /// is not given out as if it were right: [`Read::get`](crate::Read::get) of its key, and reads of many rows, answer
    /// [`ReadError::Parked`], unless they are asked [`despite_parked`](crate::Read::despite_parked).
    ///
    /// What is parked is tried again from that event on when an app starts, so that a fixed build mends it by itself, and by
    /// [`retry_parked`](App::retry_parked). A rebuild begins with nothing parked. Where a row is fed by several streams (there is
    /// a `#[key = ..]`, or there are several aggregates), and where the model is inline, nothing is ever parked: the model stops,
    /// or refuses the command. So does one that would park more than a thousand streams. An event of a newer build is no reason
    /// to park: the model waits for that build.
    ///
    /// # Errors
    /// [`ReadError`] where the model is not registered, or the store failed.
    pub async fn parked<M: ReadModel>(&self) -> Result<Vec<Parked>, ReadError> {
        let (model, rows) = self.model::<M>()?;
        if model.progress.borrow().outdated {
            return Err(ReadError::Outdated { model: model.name });
        }
        Ok(rows.parked(model.place).await?)
    }

    /// Tries again what is parked for the read model `M`, each stream from the first event that could not be folded; answers
    /// what still is parked.
    ///
    /// # Errors
    /// [`ReadError`] where this app does not feed the model, or the model has stopped, or has done nothing for 30 seconds.
    pub async fn retry_parked<M: ReadModel>(&self) -> Result<Vec<Parked>, ReadError> {
        let (model, _) = self.model::<M>()?;
        if !self.inner.writable {
            return Err(StoreError::ReadOnly.into());
        }
        if !model.inline {
            let mut asked = 0;
            model.retries_asked.send_modify(|retries| {
                *retries += 1;
                asked = *retries;
            });
            let mut progress = model.progress.subscribe();
            let tried = async {
                loop {
                    {
                        let now = progress.borrow_and_update();
                        match now.stopped.clone() {
                            None if now.retried >= asked => return Ok(()),
                            None => {}
                            Some(ProjectionError::Store(StoreError::Closed)) => return Err(StoreError::Closed.into()),
                            Some(why) => return Err(ReadError::stopped(model.name, why)),
                        }
                    }
                    // Whoever feeds it announces each try, and its end; the sender is the model's own.
                    let _ = progress.changed().await;
                }
            };
            let position = model.progress.borrow().position;
            self.wait_for(model, position, Patience::While(STANDSTILL_MAX), tried).await?;
        }
        self.parked::<M>().await
    }

    /// What is parked for a model, as whoever feeds it knows.
    pub(super) async fn parked_streams(&self, model: &Model) -> Result<Arc<ParkedStreams>, ReadError> {
        let fed_here = {
            let now = model.progress.borrow();
            let superseded = matches!(now.stopped, Some(ProjectionError::Superseded));
            (self.inner.writable && !superseded).then(|| Arc::clone(&now.parked))
        };
        match (fed_here, &self.inner.store.read_models) {
            (None, Some(rows)) => {
                let parked = rows.parked(model.place).await?;
                Ok(Arc::new(parked.into_iter().map(|parked| (parked.stream.clone(), parked)).collect()))
            }
            (parked, _) => Ok(parked.unwrap_or_default()),
        }
    }

    /// That nothing is parked for a model, or not the row with this key.
    pub(super) async fn check_parked(&self, model: &Model, key: Option<&Value>) -> Result<(), ReadError> {
        let parked = self.parked_streams(model).await?;
        // A stream whose row is not known may be any row's.
        let wanted = |parked: &&Parked| key.is_none_or(|key| model.row_of(&parked.stream).is_none_or(|row| row == *key));
        match parked.values().filter(wanted).min_by_key(|parked| parked.position) {
            None => Ok(()),
            Some(parked) => Err(ReadError::Parked { model: model.name, parked: parked.clone() }),
        }
    }
}
