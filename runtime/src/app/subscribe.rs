//! Following all events: first those that are there, then those that come.

use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;

use tokio::sync::watch;

use super::App;
use super::load::{PAGE_BYTES, PAGE_EVENTS, record};
use crate::error::{StoreError, Unreadable, UnreadableEvent};
use crate::store::Store;
use crate::{Aggregate, Decoded, Position, Recorded, StreamName, aggregate};

/// An event as it is stored, of whatever aggregate.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawEvent {
    /// Its name.
    pub name: String,
    /// The version of its schema.
    pub schema_version: u32,
    /// Its stored form, JSON.
    pub payload: Vec<u8>,
}

impl fmt::Debug for RawEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RawEvent { name, schema_version, payload } = self;
        write!(f, "{name} v{schema_version} {}", String::from_utf8_lossy(payload))
    }
}

impl Recorded<RawEvent> {
    /// The event of the aggregate `A`, or those that a retired one has become; `None` where it is another aggregate's.
    ///
    /// # Errors
    /// [`UnreadableEvent`] where this build can't read it; where it is a newer build's,
    /// [`is_newer_build_needed`](UnreadableEvent::is_newer_build_needed) says so, and a newer build goes on from the position
    /// before it.
    pub fn decode<A: Aggregate>(&self) -> Option<Result<Decoded<Recorded<A::Event>>, UnreadableEvent>> {
        if self.stream.aggregate() != A::NAME {
            return None;
        }
        let RawEvent { name, schema_version, payload } = &self.event;
        let decoded = aggregate::decode::<A>(name, *schema_version, payload);
        let record = |(part, event)| Recorded { part, ..self.clone() }.map(|_| event);
        Some(decoded.map(|decoded| decoded.map_parts(record)).map_err(|why| UnreadableEvent {
            stream: self.stream.clone(),
            version: self.version,
            position: self.position,
            name: name.clone(),
            schema_version: *schema_version,
            why: Unreadable::Decode(why),
        }))
    }
}

/// All events after a position, in order, and then each new one; made by [`App::subscribe`].
///
/// It never skips an event, and holds at most a page of them in memory.
pub struct Subscription {
    store: Store,
    shutdown: watch::Receiver<bool>,
    position: Position,
    page: VecDeque<Recorded<RawEvent>>,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("position", &self.position).field("page", &self.page.len()).finish_non_exhaustive()
    }
}

impl App {
    /// Follows all events after a position: [`Position::ZERO`] for all there are.
    ///
    /// Whoever keeps the position of the last event it was done with goes on from there; outside of the store it keeps a
    /// [`Bookmark`](crate::Bookmark), whose position is asked of [`position_of`](App::position_of). A subscription gives each stored event
    /// once, so this is exact; what a retired one [has become](crate::Recorded::part) comes of
    /// [`decode`](crate::Recorded::decode), several events with one position, which are done with together.
    ///
    /// # Examples
    /// ```
    /// # async fn example(app: gesta::App) -> Result<(), gesta::StoreError> {
    /// let mut events = app.subscribe(gesta::Position::ZERO);
    /// while let Some(event) = events.next().await {
    ///     let event = event?;
    ///     println!("{} {} {}", event.position, event.stream, event.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self, after: Position) -> Subscription {
        let (store, shutdown) = (self.inner.store.clone(), self.inner.shutdown.subscribe());
        Subscription { store, shutdown, position: after, page: VecDeque::new() }
    }
}

impl Subscription {
    /// The next event, once there is one; `None` when the app has shut down.
    ///
    /// Dropping the future loses nothing. After an error the next call tries the same again.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    pub async fn next(&mut self) -> Option<Result<Recorded<RawEvent>, StoreError>> {
        loop {
            if let Some(event) = self.page.pop_front() {
                return Some(Ok(event));
            }
            if *self.shutdown.borrow() {
                return None;
            }
            match self.read_page().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(StoreError::Closed) => return None,
                Err(why) => return Some(Err(why)),
            }
            tokio::select! {
                // An app that was dropped stores nothing more.
                closing = self.shutdown.changed() => if closing.is_err() { return None },
                waited = self.store.log.wait_beyond(self.position) => match waited {
                    Ok(()) => {}
                    Err(StoreError::Closed) => return None,
                    Err(why) => return Some(Err(why)),
                },
            }
        }
    }

    /// The events that are there now, without waiting for more: `None` at the end of them.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    pub async fn next_stored(&mut self) -> Option<Result<Recorded<RawEvent>, StoreError>> {
        if self.page.is_empty()
            && let Err(why) = self.read_page().await
        {
            return Some(Err(why));
        }
        self.page.pop_front().map(Ok)
    }

    async fn read_page(&mut self) -> Result<usize, StoreError> {
        let (mut page, mut bytes, mut damaged) = (VecDeque::new(), 0, None);
        self.store
            .log
            .read_all(self.position, PAGE_EVENTS, &mut |event| {
                let stream = match StreamName::parse(event.stream) {
                    Ok(stream) => stream,
                    Err(why) => {
                        damaged = Some(StoreError::Damaged(format!("the stream's name at position {}: {why}", event.position)));
                        return ControlFlow::Break(());
                    }
                };
                bytes += event.payload.len();
                let (name, payload) = (event.name.to_owned(), event.payload.to_vec());
                page.push_back(record(stream, &event, RawEvent { name, schema_version: event.schema_version, payload }));
                if bytes < PAGE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .await?;
        if let (true, Some(damaged)) = (page.is_empty(), damaged) {
            return Err(damaged);
        }
        // Nothing is awaited from here on, so a page is either whole in here or was never read.
        self.position = page.back().map_or(self.position, |event| event.position);
        self.page = page;
        Ok(self.page.len())
    }
}
