//! Reading rows of read models, and waiting until they have come far enough.

use std::any::TypeId;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::App;
use super::model::{Model, key_value};
use crate::Position;
use crate::error::{LateCause, ProjectionError, ReadError, StoreError};
use crate::read::{Filter, Filtered, NoFilterToLose, NoFilterYet, ReadModel, Row, Unfiltered, Value, check_text, from_row};
use crate::store::{ReadModelStore, RowQuery};

/// How many rows are read at a time.
const PAGE_ROWS: usize = 500;
/// How long a read waits for a model that is late, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a model may stand still while it is waited for that it has everything.
pub(super) const STANDSTILL_MAX: Duration = Duration::from_secs(30);
/// How often the checkpoint of a model that another app feeds is looked at.
const POLL: Duration = Duration::from_millis(20);

/// How long a model is waited for.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    /// So long.
    Total(Duration),
    /// As long as it moves; so long while it stands still.
    While(Duration),
}

/// A read of the rows of `M`; made by [`App::read`].
///
/// Without [`after`](Read::after) it answers from what the model holds: at least all that was stored when the app started. A
/// model that has stopped says so instead, and so does one that waits for a newer build or has [parked](App::parked) what is asked
/// for.
#[must_use = "it says what is to be read; `get`, `all` or `rows` reads it"]
pub struct Read<'a, M, F = Unfiltered> {
    app: &'a App,
    after: Option<Position>,
    patience: Duration,
    filter: Option<Filter<M>>,
    descending: bool,
    limit: usize,
    despite_parked: bool,
    state: PhantomData<fn() -> F>,
}

impl<M: ReadModel, F> fmt::Debug for Read<'_, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read").field("model", &M::TABLE).field("after", &self.after).finish_non_exhaustive()
    }
}

impl App {
    /// Reads rows of the read model `M`.
    ///
    /// # Examples
    /// ```
    /// # use gesta::prelude::*;
    /// # #[id] pub struct AccountId(String);
    /// # #[event] pub struct Opened {}
    /// # #[event] pub struct Deposited { pub amount: i64 }
    /// # #[event] pub struct Withdrawn { pub amount: i64 }
    /// # pub struct Account { balance: i64 }
    /// # #[aggregate(id = AccountId)]
    /// # impl Account {
    /// #     fn opened(_: Opened) -> Self { Account { balance: 0 } }
    /// #     fn deposited(&mut self, e: Deposited) { self.balance += e.amount }
    /// #     fn withdrawn(&mut self, e: Withdrawn) { self.balance -= e.amount }
    /// # }
    /// # #[command] pub struct Deposit { pub amount: i64 }
    /// # #[command] pub struct Withdraw { pub amount: i64 }
    /// # #[derive(Debug, Clone)] pub struct AccountError;
    /// # #[command_handler]
    /// # impl Account {
    /// #     fn deposit(&self, cmd: Deposit) -> Deposited { Deposited { amount: cmd.amount } }
    /// #     fn withdraw(&self, cmd: Withdraw) -> Result<Withdrawn, AccountError> {
    /// #         if cmd.amount > self.balance { Err(AccountError) } else { Ok(Withdrawn { amount: cmd.amount }) }
    /// #     }
    /// # }
    /// #[derive(ReadModel)]
    /// pub struct AccountSummary {
    ///     #[key]
    ///     account: AccountId,
    ///     #[index]
    ///     balance: i64,
    /// }
    /// # #[projection(of = Account)]
    /// # impl AccountSummary {
    /// #     fn opened(e: &Recorded<Opened>) -> Self { AccountSummary { account: e.aggregate_id(), balance: 0 } }
    /// #     fn deposited(&mut self, e: &Deposited) { self.balance += e.amount }
    /// #     fn withdrawn(&mut self, e: &Withdrawn) { self.balance -= e.amount }
    /// # }
    /// # async fn example(app: &gesta::App, id: AccountId) -> Result<(), Box<dyn std::error::Error>> {
    /// let done = app.execute(&id, Deposit { amount: 500 }).await?;
    /// let row = app.read::<AccountSummary>().after(&done).get(&id).await?;            // read your own write
    /// let rich = app.read::<AccountSummary>().filter(AccountSummary::BALANCE.at_least(&1_000_000)).all().await?;
    /// # let _ = (row.is_some(), rich.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn read<M: ReadModel>(&self) -> Read<'_, M> {
        Read {
            app: self,
            after: None,
            patience: PATIENCE,
            filter: None,
            descending: false,
            limit: usize::MAX,
            despite_parked: false,
            state: PhantomData,
        }
    }

    /// Waits until every read model holds everything that is stored now, as long as each one moves: a rebuild may take its time.
    ///
    /// # Errors
    /// [`ReadError::Late`] if a model has not moved for 30 seconds; it names the model, how far it has come, and the cause.
    /// Otherwise [`ReadError`] where one of them has stopped or has [parked](App::parked) a stream, or the store failed.
    pub async fn settle(&self) -> Result<(), ReadError> {
        self.settled(|| Patience::While(STANDSTILL_MAX)).await
    }

    /// The same for no longer than this.
    ///
    /// # Errors
    /// As [`settle`](App::settle); [`ReadError::Late`] if the time is up.
    pub async fn settle_within(&self, time: Duration) -> Result<(), ReadError> {
        let until = Instant::now() + time;
        self.settled(|| Patience::Total(until.saturating_duration_since(Instant::now()))).await
    }

    async fn settled(&self, patience: impl Fn() -> Patience) -> Result<(), ReadError> {
        let head = self.inner.store.log.head().await?;
        for model in &self.inner.models {
            if model.progress.borrow().outdated {
                return Err(ReadError::Outdated { model: model.name });
            }
            self.reach(model, head, patience()).await?;
            self.check_parked(model, None).await?;
        }
        Ok(())
    }

    pub(super) fn model<M: ReadModel>(&self) -> Result<(&Model, &dyn ReadModelStore), ReadError> {
        let model = self.inner.models.iter().find(|model| model.type_id == TypeId::of::<M>());
        match (model, &self.inner.store.read_models) {
            (Some(model), Some(rows)) => Ok((model, &**rows)),
            _ => Err(ReadError::Unregistered { model: short_name::<M>() }),
        }
    }

    /// Waits until a model has come to a position.
    async fn reach(&self, model: &Model, asked: Position, patience: Patience) -> Result<(), ReadError> {
        let arrived = async {
            if model.inline && self.inner.writable {
                return self.catch_up(model).await;
            }
            let mut progress = model.progress.subscribe();
            loop {
                let mut now = progress.borrow_and_update().clone();
                if now.incarnation != self.incarnation() {
                    // Another server may not have the rows that this process has stored.
                    self.poll_checkpoint(model).await?;
                    now = progress.borrow_and_update().clone();
                }
                if now.position >= asked && now.incarnation == self.incarnation() {
                    return Ok(());
                }
                let fed_here = match now.stopped {
                    None => self.inner.writable,
                    Some(ProjectionError::Superseded) => false,
                    // Shut down, or about to be.
                    Some(ProjectionError::Store(StoreError::Closed)) => return Err(StoreError::Closed.into()),
                    Some(why) => return Err(ReadError::stopped(model.name, why)),
                };
                if fed_here {
                    // Whoever feeds it announces each step, and its end; the sender is the model's own.
                    let _ = progress.changed().await;
                } else {
                    self.poll_checkpoint(model).await?;
                    if model.progress.borrow().position < asked {
                        tokio::time::sleep(POLL).await;
                    }
                }
            }
        };
        self.wait_for(model, asked, patience, arrived).await
    }

    /// Waits for something that a model is to do.
    pub(super) async fn wait_for<T>(
        &self,
        model: &Model,
        asked: Position,
        patience: Patience,
        done: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, ReadError> {
        let stands = || (model.progress.borrow().position, model.moved.load(Ordering::Relaxed));
        let (started, mut stood) = (Instant::now(), stands());
        let mut done = pin!(done);
        let (Patience::Total(time) | Patience::While(time)) = patience;
        loop {
            if let Ok(done) = tokio::time::timeout(time, &mut done).await {
                return done;
            }
            let now = stands();
            if matches!(patience, Patience::Total(_)) || now == stood {
                let progress = model.progress.borrow();
                let cause = match (&progress.failing, &progress.stopped) {
                    (_, Some(ProjectionError::Superseded)) => LateCause::FedElsewhere,
                    (Some(why), _) => LateCause::StoreFails(why.clone()),
                    _ if !self.inner.writable => LateCause::FedElsewhere,
                    _ if now == stood => LateCause::Stuck,
                    _ => LateCause::Working,
                };
                let waited_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                return Err(ReadError::Late { model: model.name, asked, reached: progress.position, waited_ms, cause });
            }
            stood = now;
        }
    }

    /// An inline model is present after each append of this app; after those of others only once it was caught up.
    async fn catch_up(&self, model: &Model) -> Result<(), ReadError> {
        if self.inner.sole_writer && model.progress.borrow().stopped.is_none() {
            return Ok(());
        }
        self.inner.catch_up_inline(model.name).await.map_err(|why| match why {
            ProjectionError::Store(why) => why.into(),
            why => ReadError::stopped(model.name, why),
        })
    }

    /// That of the store's read models.
    fn incarnation(&self) -> u64 {
        self.inner.store.read_models.as_ref().map_or(0, |rows| rows.incarnation())
    }

    /// Looks how far another app has fed a model.
    async fn poll_checkpoint(&self, model: &Model) -> Result<(), ReadError> {
        let Some(rows) = &self.inner.store.read_models else { return Ok(()) };
        let incarnation = rows.incarnation();
        let position = rows.checkpoint(model.place).await?.position;
        model.progress.send_modify(|progress| (progress.position, progress.incarnation) = (position, incarnation));
        Ok(())
    }
}

/// The name of a type without its path.
fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

impl<'a, M: ReadModel, F> Read<'a, M, F> {
    /// Only once the model holds everything up to this position: of a [`Done`](crate::Done), a
    /// [`UnitDone`](crate::UnitDone), or one that was kept.
    ///
    /// A model that has stopped answers [`ReadError::Stopped`]; what it holds is read by naming a position it has reached, such
    /// as [`Position::ZERO`]. Given several, the read waits for the last of them.
    pub fn after(mut self, position: impl Into<Position>) -> Self {
        self.after = self.after.max(Some(position.into()));
        self
    }
    /// How long to wait for that; 5 seconds unless said here. A later call counts.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
    /// Only rows whose column is this or in this range, sorted by that column and then by the key. A read has one filter.
    pub fn filter(self, filter: Filter<M>) -> Read<'a, M, Filtered>
    where
        F: NoFilterYet,
    {
        Read { filter: Some(filter), ..self.with_state() }
    }
    /// From the greatest to the least. A key that is no [`OrderedColumnType`](crate::read::OrderedColumnType) has an order of its
    /// stored form only.
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }
    /// At most this many rows. A later call counts.
    pub fn limit(mut self, rows: usize) -> Self {
        self.limit = rows;
        self
    }

    /// Also rows of streams that are [parked](App::parked), as they were before the event that can't be folded; a row that such an
    /// event would have created is missing. Without this, a read that may meet one answers [`ReadError::Parked`].
    pub fn despite_parked(mut self) -> Self {
        self.despite_parked = true;
        self
    }

    /// The row with this key, where there is one.
    ///
    /// # Errors
    /// [`ReadError::Late`] where the model has not come far enough in time, [`ReadError::Parked`] where the row's stream is
    /// parked; otherwise see [`ReadError`].
    pub fn get<'k>(self, key: &'k M::Key) -> Pin<Box<dyn Future<Output = Result<Option<M>, ReadError>> + Send + 'k>>
    where
        F: NoFilterToLose,
        'a: 'k,
    {
        // Boxed, so that a wrong state is one error: an opaque type would repeat it at each use.
        Box::pin(self.with_state::<Unfiltered>().find(key))
    }

    /// All rows that are asked for, in memory together.
    ///
    /// # Errors
    /// As [`get`](Read::get); [`ReadError::Parked`] where any stream is parked.
    pub async fn all(self) -> Result<Vec<M>, ReadError> {
        let mut rows = self.rows().await?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().await {
            all.push(row?);
        }
        Ok(all)
    }

    /// The rows that are asked for, one after another, read page by page: by key unless a filter says otherwise.
    ///
    /// Rows that are changed meanwhile are seen as they are when their page is read.
    ///
    /// # Errors
    /// As [`all`](Read::all).
    pub async fn rows(self) -> Result<Rows<'a, M>, ReadError> {
        let (model, store) = self.ready().await?;
        let incarnation = store.incarnation();
        if !self.despite_parked {
            // Which rows would be among those that are asked for, nobody can say.
            self.app.check_parked(model, None).await?;
        }
        let row_error = |column: usize| move |why| ReadError::Row { model: M::TABLE, why: column_error::<M>(column, why) };
        let column = self.filter.as_ref().map_or(model.spec.key_column(), |filter| filter.column);
        let (from, to) = self.filter.map_or((None, None), |filter| (filter.from, filter.to));
        let (from, to) = (from.transpose().map_err(row_error(column))?, to.transpose().map_err(row_error(column))?);
        // No row holds such a text, and some stores can't be asked for it.
        for (value, column) in from.iter().chain(&to).zip(M::COLUMNS.get(column).into_iter().cycle()) {
            check_text(column, value).map_err(|why| ReadError::Row { model: M::TABLE, why })?;
        }
        let query = RowQuery { column, from, to, after: None, descending: self.descending, max: PAGE_ROWS };
        let key_column = model.spec.key_column();
        Ok(Rows {
            store,
            model: model.place,
            key_column,
            query,
            incarnation,
            left: self.limit,
            page: VecDeque::new(),
            ended: false,
            of: PhantomData,
        })
    }

    async fn find(self, key: &M::Key) -> Result<Option<M>, ReadError> {
        let row_error = |why| ReadError::Row { model: M::TABLE, why };
        let key = key_value::<M>(key).map_err(row_error)?;
        let mut found = loop {
            let (model, rows) = self.ready().await?;
            let incarnation = rows.incarnation();
            if !self.despite_parked {
                self.app.check_parked(model, Some(&key)).await?;
            }
            let found = rows.rows(model.place, std::slice::from_ref(&key)).await?;
            // If another server has answered, its rows may be older than what was waited for.
            if rows.incarnation() == incarnation {
                break found;
            }
        };
        found.pop().flatten().map(from_row::<M>).transpose().map_err(row_error)
    }

    fn with_state<G>(self) -> Read<'a, M, G> {
        let Read { app, after, patience, filter, descending, limit, despite_parked, state: _ } = self;
        Read { app, after, patience, filter, descending, limit, despite_parked, state: PhantomData }
    }

    /// The model, once it may be read.
    async fn ready(&self) -> Result<(&'a Model, &'a dyn ReadModelStore), ReadError> {
        let (model, rows) = self.app.model::<M>()?;
        let now = model.progress.borrow().clone();
        if now.outdated {
            return Err(ReadError::Outdated { model: model.name });
        }
        if let Some(asked) = self.after {
            let head = self.app.inner.store.log.head().await?;
            if asked > head {
                return Err(ReadError::PositionUnknown { asked, head });
            }
            self.app.reach(model, asked, Patience::Total(self.patience)).await?;
        } else {
            let fed = |why: &ProjectionError| {
                matches!(why, ProjectionError::Superseded | ProjectionError::Store(StoreError::Closed)) || model.inline
            };
            if let Some(why) = now.stopped.filter(|why| !fed(why)) {
                // It would answer the same for ever, and nobody would notice.
                return Err(ReadError::stopped(model.name, why));
            }
            // What was there when the app started is waited for, so a restart is not seen in the answers.
            let patience = Patience::Total(self.patience);
            self.app.reach(model, now.complete_from, patience).await.map_err(|error| match error {
                ReadError::Late { cause: LateCause::StoreFails(_), .. } => error,
                ReadError::Late { model, asked, reached, .. } => ReadError::Rebuilding { model, reached, target: asked },
                other => other,
            })?;
        }
        Ok((model, rows))
    }
}

fn column_error<M: ReadModel>(column: usize, why: String) -> crate::ColumnError {
    crate::ColumnError { column: crate::read::index::field_name(M::COLUMNS, column), why }
}

/// Rows one after another; made by [`Read::rows`].
pub struct Rows<'a, M> {
    store: &'a dyn ReadModelStore,
    model: usize,
    key_column: usize,
    query: RowQuery,
    /// The store's when the model was ready.
    incarnation: u64,
    left: usize,
    page: VecDeque<Row>,
    ended: bool,
    of: PhantomData<fn() -> M>,
}

impl<M> fmt::Debug for Rows<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("query", &self.query).finish_non_exhaustive()
    }
}

impl<M: ReadModel> Rows<'_, M> {
    /// The next row; `None` after the last one.
    ///
    /// # Errors
    /// [`ReadError`] where a row can't be read, or the store failed.
    pub async fn next(&mut self) -> Option<Result<M, ReadError>> {
        if self.left == 0 {
            return None;
        }
        if self.page.is_empty() && !self.ended {
            self.query.max = PAGE_ROWS.min(self.left);
            match self.store.query(self.model, &self.query).await {
                Ok(_) if self.store.incarnation() != self.incarnation => {
                    // Its rows may be older than what was waited for.
                    let message = "another server has answered meanwhile: read again".to_owned();
                    let why = StoreError::Driver { context: "reading rows", message, transient: true };
                    return Some(Err(why.into()));
                }
                Ok(rows) => {
                    self.ended = rows.len() < self.query.max;
                    self.query.after = rows.last().map(|row| self.place(row));
                    self.page = rows.into();
                }
                Err(why) => return Some(Err(why.into())),
            }
        }
        let row = self.page.pop_front()?;
        self.left -= 1;
        Some(from_row::<M>(row).map_err(|why| ReadError::Row { model: M::TABLE, why }))
    }

    fn place(&self, row: &Row) -> (Value, Value) {
        let value = |column: usize| row.get(column).cloned().unwrap_or(Value::Null);
        (value(self.query.column), value(self.key_column))
    }
}
