//! Positions as they are remembered outside of the store.

use std::ops::ControlFlow;

use uuid::Uuid;

use super::App;
use crate::error::StoreError;
use crate::{Position, Recorded};

/// An event as somebody remembers it outside of the store: a client that got it with an answer, a broker, another database.
///
/// A position alone is not enough for that. Where a server was restored, or failed over without its last events, their positions are
/// given again, to others. [`App::position_of`] looks whether the event that is remembered is the one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Bookmark {
    /// Where it stands among all events.
    pub position: Position,
    /// Its id.
    pub event_id: Uuid,
}

/// Why a bookmark leads nowhere.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BookmarkError {
    /// There is no such position yet.
    #[error(
        "there is no event at position {asked} yet, the last one stands at {head}: it is another store's, or this one has lost its last \
         events; begin anew, from a position that both know"
    )]
    PositionUnknown {
        /// The one asked for.
        asked: Position,
        /// The last one there is.
        head: Position,
    },
    /// The event there is another one, or none.
    #[error(
        "at position {position} there is not the event {event_id}: it is another store's, or this one has lost its last events; begin \
         anew, from a position that both know"
    )]
    AnotherEvent {
        /// The position.
        position: Position,
        /// The event that was remembered.
        event_id: Uuid,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E> Recorded<E> {
    /// The event as it can be remembered outside of the store.
    pub fn bookmark(&self) -> Bookmark {
        Bookmark { position: self.position, event_id: self.metadata.event_id }
    }
}

impl App {
    /// The position of an event that was remembered outside of the store, once it is sure that it is still there.
    ///
    /// Where another process has only just stored it, this waits as a reader would until every event before it is settled.
    ///
    /// # Examples
    /// ```
    /// # async fn example(app: gesta::App, remembered: gesta::Bookmark) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut events = app.subscribe(app.position_of(remembered).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`BookmarkError`] where the event is not there, or the store failed.
    pub async fn position_of(&self, bookmark: Bookmark) -> Result<Position, BookmarkError> {
        let (log, Bookmark { position, event_id }) = (&self.inner.store.log, bookmark);
        let head = log.head().await?;
        if head < position {
            return Err(BookmarkError::PositionUnknown { asked: position, head });
        }
        let Some(before) = position.get().checked_sub(1).map(Position::new) else {
            return Err(BookmarkError::AnotherEvent { position, event_id });
        };
        let mut there = None;
        // It is committed, or nothing is there; in either case something behind `before` comes to be settled.
        log.wait_beyond(before).await?;
        log.read_all(before, 1, &mut |event| {
            there = Some((event.position, event.id));
            ControlFlow::Break(())
        })
        .await?;
        if there == Some((position, event_id)) { Ok(position) } else { Err(BookmarkError::AnotherEvent { position, event_id }) }
    }
}
