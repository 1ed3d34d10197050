//! Streams that a read model passes over, because an event in them can't be folded.
//!
//! Always true here: a stream is parked in the transaction that moves the checkpoint past its event, and released in the one
//! that stores the row with all of its events up to the checkpoint. So each event is in its row, or stands in a parked stream
//! at or behind the event that is named; and the events of a stream are folded in order, whenever that is.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::App;
use super::load::{PAGE_BYTES, PAGE_EVENTS};
use super::model::{Model, ParkedStreams, Pending, catch, key_value};
use super::runner::{Place, Runner, damaged};
use crate::error::{ProjectionError, ReadError, StoreError};
use crate::read::{FoldError, Projection, ReadModel, Value};
use crate::store::{CommitError, Parked, ParkingChange, RowChange, StoredEvent};
use crate::{StreamName, Version};

/// As many streams are parked for a model; one that meets more stops, since not its events are at fault then.
const PARKED_MAX: usize = 1_000;

/// Some events of a stream.
struct Page<M> {
    events: Vec<(Place, Vec<Pending<M>>)>,
    last: Version,
    ended: bool,
    /// Why the one behind them can't be read.
    unreadable: Option<ProjectionError>,
}

/// The row of a stream while its events are folded into it.
struct Folding<M> {
    /// Not known before there is an event.
    key: Option<Value>,
    row: Option<M>,
    /// The row behind the last event that was folded whole.
    change: Option<RowChange>,
}

impl<M: Projection> Runner<M> {
    /// Takes up what is parked in the store, and tries all of it again.
    pub(super) async fn take_up_parked(&mut self) -> Result<(), ProjectionError> {
        let parked = self.rows.parked(self.model.place).await?;
        self.parked = Arc::new(parked.into_iter().map(|parked| (parked.stream.clone(), parked)).collect());
        // Another process may have parked and released since this one fed the model last.
        self.tell();
        self.retry_parked().await
    }

    /// Tries everything that is parked again, each from its first event on.
    pub(super) async fn retry_parked(&mut self) -> Result<(), ProjectionError> {
        if self.parked.is_empty() {
            return Ok(());
        }
        // So that whatever was passed over stands at or before the checkpoint.
        self.store_position().await?;
        for parked in in_order(&self.parked) {
            self.retry(parked).await?;
        }
        Ok(())
    }

    async fn retry(&mut self, parked: Parked) -> Result<(), ProjectionError> {
        let mut folding = Folding { key: None, row: None, change: None };
        let mut after = Version::new(parked.version.get().saturating_sub(1));
        let failed = loop {
            // It may take long, and nothing is stored that would tell others of it.
            self.renew().await?;
            let page = self.read_page(&parked.stream, after).await?;
            if let Some(why) = self.fold_page(&mut folding, page.events).await?.or(page.unreadable) {
                break Some(why);
            }
            if page.ended {
                break None;
            }
            after = page.last;
        };
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

    /// The next events of a parked stream, as far as the checkpoint has passed them.
    async fn read_page(&self, stream: &StreamName, after: Version) -> Result<Page<M>, ProjectionError> {
        let mut page = Page { events: Vec::new(), last: after, ended: false, unreadable: None };
        let (mut seen, mut bytes, mut behind) = (0, 0, false);
        let (feeder, passed) = (&self.feeder, self.checkpoint.position);
        self.log
            .read_stream(stream, after, PAGE_EVENTS, &mut |event: StoredEvent<'_>| {
                behind = event.position > passed;
                if behind {
                    return ControlFlow::Break(());
                }
                let mut folds = Vec::new();
                let read = feeder.read(&event, &mut |pending| folds.push(pending));
                match read.map_err(|why| Place::error_of(&event, why)).and_then(|()| Place::of(&event, 0)) {
                    Ok(place) if !folds.is_empty() => page.events.push((place, folds)),
                    Ok(_) => {}
                    Err(why) => {
                        page.unreadable = Some(why);
                        return ControlFlow::Break(());
                    }
                }
                (seen, bytes, page.last) = (seen + 1, bytes + event.payload.len(), event.version);
                if bytes < PAGE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .await?;
        page.ended = behind || (seen < PAGE_EVENTS && bytes < PAGE_BYTES);
        Ok(page)
    }

    /// Folds events of one stream into its row; answers the one that can't be.
    async fn fold_page(
        &self,
        folding: &mut Folding<M>,
        events: Vec<(Place, Vec<Pending<M>>)>,
    ) -> Result<Option<ProjectionError>, ProjectionError> {
        let first = events.first().and_then(|(place, folds)| Some((place, key_value::<M>(folds.first()?.key()))));
        if folding.key.is_none() {
            let key = match first {
                None => return Ok(None),
                Some((_, Ok(key))) => key,
                Some((place, Err(why))) => return Ok(Some(place.error(None, why.into()))),
            };
            let stored = self.rows.rows(self.model.place, std::slice::from_ref(&key)).await?.pop().flatten();
            folding.row = stored.map(M::from_row).transpose().map_err(|why| damaged::<M>(&key, &why))?;
            folding.key = Some(key);
        }
        for (place, folds) in events {
            let row = &mut folding.row;
            let key = folding.key.as_ref();
            let folded = catch(|| {
                for fold in folds {
                    if Some(&key_value::<M>(fold.key())?) != key {
                        return Err(FoldError::Key("the events of a parked stream belong to several rows".to_owned()));
                    }
                    fold.apply(row)?;
                }
                Ok::<_, FoldError>(row.as_ref().map(M::to_row).transpose()?)
            });
            match folded {
                Ok(row) => folding.change = key.cloned().map(|key| RowChange { key, row }),
                Err(why) => return Ok(Some(place.error(key, why))),
            }
        }
        Ok(None)
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
    /// [`ReadError`] where this app does not feed the model, or the model has stopped.
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
            loop {
                {
                    let now = progress.borrow_and_update();
                    if now.retried >= asked {
                        break;
                    }
                    match now.stopped.clone() {
                        None => {}
                        Some(ProjectionError::Store(StoreError::Closed)) => return Err(StoreError::Closed.into()),
                        Some(why) => return Err(ReadError::stopped(model.name, why)),
                    }
                }
                // Whoever feeds it announces each try, and its end; the sender is the model's own.
                let _ = progress.changed().await;
            }
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
