//! Inline read models: what the store calls inside an append's transaction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::Inner;
use super::model::{InlineModel, Model};
use super::runner::Running;
use crate::Position;
use crate::error::{ProjectionError, StoreError};
use crate::read::FoldError;
use crate::store::{Append, InlineFold, InlineRefusal, Placed, RowKey, RowSet, StoredEvent};

/// The inline models of an app.
#[derive(Default)]
pub(crate) struct InlineModels {
    pub(crate) models: Vec<(Arc<Model>, Box<dyn InlineModel>)>,
}

/// What brings an inline model to the present where others have appended without it. Apart from its fold, which appends carry
/// into the store and which must not hold the store.
pub(crate) struct CatchUp {
    pub(crate) model: Arc<Model>,
    pub(crate) runner: Mutex<Box<dyn Running>>,
}

/// How long that may take while somebody's open transaction keeps it from going on.
const CATCH_UP_MAX: Duration = Duration::from_secs(10);

impl Inner {
    /// Brings an inline model to the last event there is now.
    pub(super) async fn catch_up_inline(&self, name: &str) -> Result<(), ProjectionError> {
        let catch_up = self.catch_ups.iter().find(|catch_up| catch_up.model.name == name);
        let (Some(CatchUp { model, runner }), Some(rows)) = (catch_up, &self.store.read_models) else {
            return Err(StoreError::Unsupported("this inline read model").into());
        };
        let head = self.store.log.head().await?;
        let mut stood = (Position::ZERO, Instant::now());
        loop {
            let stands = rows.checkpoint(model.place).await?.position;
            if stands >= head {
                return Ok(());
            }
            if stands > stood.0 {
                stood = (stands, Instant::now());
            } else if stood.1.elapsed() >= CATCH_UP_MAX {
                let message = format!(
                    "`{name}` can't come to the last event, at {head}: somebody's transaction is still open that has appended; it stands at {stands}"
                );
                return Err(StoreError::Driver { context: "catching up an inline read model", message, transient: true }.into());
            }
            let left = CATCH_UP_MAX.saturating_sub(stood.1.elapsed());
            let Ok(mut runner) = tokio::time::timeout(left, runner.lock()).await else { continue };
            // Whoever had it before has perhaps done it.
            if rows.checkpoint(model.place).await?.position >= head {
                return Ok(());
            }
            match runner.catch_up().await {
                // Whoever moved it instead has brought it nearer.
                Ok(()) | Err(ProjectionError::Superseded) => {}
                Err(why) => return Err(why),
            }
        }
    }
}

impl InlineModels {
    /// Calls `each` for every event and every model its aggregate feeds.
    fn visit(
        &self,
        append: &Append,
        placed: Option<&Placed<'_>>,
        mut each: impl FnMut(&Model, &dyn InlineModel, &StoredEvent<'_>) -> Result<(), FoldError>,
    ) -> Result<(), InlineRefusal> {
        let mut number = 0;
        let first = append.streams.iter().flat_map(|part| &part.events).map(|event| event.id).next();
        for (place, part) in append.streams.iter().enumerate() {
            let recorded_at = placed.map_or(append.recorded_at, |placed| placed.recorded_at[place]);
            let mut version = part.expected;
            for event in &part.events {
                version = version.next();
                let position = placed.map_or(Position::ZERO, |placed| placed.positions[number]);
                number += 1;
                let stored = StoredEvent {
                    position,
                    stream: part.stream.as_str(),
                    version,
                    name: event.name,
                    schema_version: event.schema_version,
                    payload: &event.payload,
                    id: event.id,
                    recorded_at,
                    occurred_at: event.occurred_at.unwrap_or(recorded_at),
                    correlation_id: append.correlation_id.or(first).unwrap_or_default(),
                    causation_id: append.causation_id,
                    actor: append.actor.as_deref(),
                };
                for (model, fold) in &self.models {
                    if model.sources.contains(&part.stream.aggregate()) {
                        each(model, &**fold, &stored).map_err(|why| InlineRefusal {
                            model: model.name,
                            event: event.name.to_owned(),
                            why,
                        })?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl InlineFold for InlineModels {
    fn carries(&self, place: usize) -> bool {
        self.models.iter().any(|(model, _)| model.place == place)
    }

    fn keys(&self, append: &Append) -> Result<Vec<RowKey>, InlineRefusal> {
        let mut keys = Vec::new();
        self.visit(append, None, |model, fold, event| {
            keys.extend(fold.keys(event)?.into_iter().map(|key| RowKey { model: model.place, key }));
            Ok(())
        })?;
        Ok(keys)
    }

    fn fold(&self, append: &Append, placed: &Placed<'_>, rows: &mut RowSet) -> Result<(), InlineRefusal> {
        self.visit(append, Some(placed), |model, fold, event| fold.fold(event, model.place, rows))
    }
}
