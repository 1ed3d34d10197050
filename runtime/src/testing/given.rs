//! Given events, when a command comes, then these events or this refusal.

use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;

use super::diff::diff;
use super::stored::{self, Stored};
use super::{START, SequentialIds, wait::wait};
use crate::command::{Cause, Services};
use crate::{
    Aggregate, AggregateId as _, Command, Context, Event, Handle, IntoEvents, Refusal, Schema, Stage, StreamName, Timestamp,
    Version,
};

/// Starts a test of the aggregate `A`: these events have happened; `()` stands for none.
///
/// # Panics
/// The test fails here where an event can't be stored, is read back as something else, or can't follow on those before it.
///
/// # Examples
/// ```
/// use gesta::prelude::*;
/// use gesta::testing::given;
///
/// #[id] pub struct AccountId(String);
/// #[event] pub struct Opened { owner: String }
/// #[event] pub struct Deposited { cents: i64 }
///
/// pub struct Account { cents: i64 }
/// #[aggregate(id = AccountId)]
/// impl Account {
///     fn opened(_: &Opened) -> Self { Account { cents: 0 } }
///     fn deposited(&mut self, e: &Deposited) { self.cents += e.cents }
/// }
///
/// #[command] pub struct Deposit { cents: i64 }
/// #[derive(Debug, PartialEq)] pub enum AccountError { NotPositive }
/// #[command_handler]
/// impl Account {
///     fn deposit(&self, cmd: Deposit) -> Result<Deposited, AccountError> {
///         if cmd.cents > 0 { Ok(Deposited { cents: cmd.cents }) } else { Err(AccountError::NotPositive) }
///     }
/// }
///
/// let opened = Opened { owner: "Ann".into() };
/// given::<Account>((opened.clone(), Deposited { cents: 100 }))
///     .when(Deposit { cents: 500 })
///     .then(Deposited { cents: 500 })
///     .then_state(|account| assert_eq!(account.cents, 600));
/// given::<Account>(opened).when(Deposit { cents: 0 }).then_err(AccountError::NotPositive);
/// given::<Account>(()).when(Deposit { cents: 1 }).then_refused(gesta::Refusal::NotFound);
/// ```
#[track_caller]
pub fn given<A: Aggregate>(events: impl IntoEvents<A>) -> Given<A> {
    let mut given = Vec::new();
    events.push_to(&mut given);
    Given {
        stage: stored::apply(Stage::Absent, &given, "what is given"),
        version: given.iter().fold(Version::ZERO, |version, _| version.next()),
        stream: StreamName::parse(&format!("{}-1", A::NAME)).expect("an aggregate's name holds no `-`"),
        now: START,
        occurred_at: None,
        actor: None,
        services: Services::default(),
    }
}

/// What went before the command of a test; made by [`given`].
///
/// A handler sees the id `1`, the time [`START`], no actor and no service, unless the test says otherwise;
/// [`Context::new_id`] gives [`SequentialIds`], and [`Context::attempt_key`] is `SequentialIds::nth(0)`.
#[must_use = "nothing is tested before `.when(command)`"]
pub struct Given<A> {
    stage: Stage<A>,
    version: Version,
    stream: StreamName,
    now: Timestamp,
    occurred_at: Option<Timestamp>,
    actor: Option<Arc<str>>,
    services: Services,
}

impl<A: Aggregate> Given<A> {
    /// It is the one with this id.
    ///
    /// # Panics
    /// Where the id can't be part of a stream's name.
    #[track_caller]
    pub fn at(mut self, id: &A::Id) -> Self {
        self.stream = stream::<A>(id);
        self
    }
    /// Then this has happened, stored as it is: an event that is retired since, or a struct that was an earlier version by itself.
    /// The aggregate gets what it is today, by the same steps and `#[upcast]` functions as in production.
    ///
    /// # Panics
    /// The test fails here where the aggregate can't read it, or where what it is today can't follow.
    ///
    /// # Examples
    /// ```
    /// use gesta::prelude::*;
    /// use gesta::testing::given;
    ///
    /// # #[id] pub struct AccountId(String);
    /// # #[event] pub struct Opened {}
    /// #[event(version = 2)]
    /// pub struct Deposited { #[renamed(2, from = "amt")] cents: i64 }
    /// /// Retired: it became a deposit of each amount.
    /// #[event]
    /// pub struct Collected { amounts: Vec<i64> }
    /// # pub struct Account { cents: i64 }
    /// # #[aggregate(id = AccountId)]
    /// # impl Account {
    /// #     fn opened(_: &Opened) -> Self { Account { cents: 0 } }
    /// #     fn deposited(&mut self, e: &Deposited) { self.cents += e.cents }
    /// #     #[upcast]
    /// #     fn collected(e: Collected) -> Vec<Deposited> { e.amounts.into_iter().map(|cents| Deposited { cents }).collect() }
    /// # }
    /// # #[command] pub struct Deposit { cents: i64 }
    /// # #[command_handler]
    /// # impl Account {
    /// #     fn deposit(&self, cmd: Deposit) -> Deposited { Deposited { cents: cmd.cents } }
    /// # }
    /// given::<Account>(Opened {})
    ///     .and_stored(Collected { amounts: vec![1, 20] })
    ///     .and_stored_version::<Deposited>(1, DepositedV1 { amt: 300 })
    ///     .and_stored_json("Deposited", 1, r#"{"amt":4000}"#)
    ///     .when(Deposit { cents: 50_000 })
    ///     .then_state(|account| assert_eq!(account.cents, 54_321));
    /// ```
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "what is given is written in place")]
    pub fn and_stored<E: Event>(self, event: E) -> Self {
        self.and_is_stored(&Stored::of(&event))
    }
    /// Then this has happened, stored as an earlier version of the event `E`: `old` is the struct of that version, such as
    /// `DepositedV1`.
    ///
    /// # Panics
    /// As [`and_stored`](Given::and_stored), and where `old` is not that version.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "what is given is written in place")]
    pub fn and_stored_version<E: Event>(self, version: u32, old: impl Serialize + Schema) -> Self {
        self.and_is_stored(&Stored::version::<E, _>(version, &old))
    }
    /// Then this has happened, stored under this name, in this version and as these bytes: for what no type of today stands for.
    ///
    /// # Panics
    /// As [`and_stored`](Given::and_stored).
    #[track_caller]
    pub fn and_stored_json(self, name: &str, version: u32, json: &str) -> Self {
        self.and_is_stored(&Stored::json(name, version, json))
    }
    #[track_caller]
    fn and_is_stored(mut self, stored: &Stored) -> Self {
        self.stage = stored::apply_stored(self.stage, stored);
        self.version = self.version.next();
        self
    }

    /// The clock says this.
    pub fn clock(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }
    /// It happens in the world at this time.
    pub fn occurred_at(mut self, time: Timestamp) -> Self {
        self.occurred_at = Some(time);
        self
    }
    /// This one gives the command.
    pub fn actor(mut self, actor: impl Into<Arc<str>>) -> Self {
        self.actor = Some(actor.into());
        self
    }
    /// A handler's parameter `&S` is this.
    pub fn service<S: ?Sized + Send + Sync + 'static>(mut self, service: Arc<S>) -> Self {
        self.services.insert(service);
        self
    }

    /// Lets the aggregate decide on a command, and applies the events it decides on.
    ///
    /// An `async` handler runs to its end, on a runtime of its own; the test itself may be `async` or not.
    ///
    /// # Panics
    /// The test fails here where the handler panics or asks for a service that is not there, and where an event it
    /// returns can't be stored or can't follow.
    #[track_caller]
    #[must_use = "say what should come of it: `.then(..)`, `.then_err(..)`, `.then_refused(..)` or `.then_nothing()`"]
    pub fn when<C: Command<Aggregate = A>>(self, command: C) -> Outcome<A, <A as Handle<C>>::Error>
    where
        A: Handle<C>,
    {
        for need in C::INFO.services() {
            assert!(
                self.services.has(need),
                "the handler of `{}` takes `&{need:?}`: add `.service::<{need:?}>(Arc::new(..))` before `.when(..)`",
                C::NAME
            );
        }
        let context = Context {
            stream: self.stream,
            version: self.version,
            now: self.now,
            occurred_at: self.occurred_at,
            command_id: SequentialIds::nth(0),
            cause: Cause { actor: self.actor, ..Cause::default() },
            ids: Arc::new(SequentialIds::default()),
        };
        let env = crate::command::Env { context: Arc::new(context), services: Arc::new(self.services) };
        let result = wait(A::handle(&self.stage, command, &env));
        let stage = match &result {
            Ok(events) => stored::apply(self.stage, events, &format!("what the handler of `{}` returned", C::NAME)),
            Err(_) => self.stage,
        };
        Outcome { command: C::NAME, result, stage }
    }
}

/// The stream of the one with this id.
#[track_caller]
pub(super) fn stream<A: Aggregate>(id: &A::Id) -> StreamName {
    match StreamName::new(A::NAME, id) {
        Ok(stream) => stream,
        Err(why) => {
            let mut text = String::new();
            id.write(&mut text);
            panic!("{text:?} can't be the id of an `{}`: {why}", A::NAME)
        }
    }
}

/// What came of the command of a test; made by [`Given::when`].
///
/// Several expectations can follow one another: `.then(..).then_state(..)`.
pub struct Outcome<A: Aggregate, E> {
    command: &'static str,
    result: Result<Vec<A::Event>, Refusal<E>>,
    stage: Stage<A>,
}

impl<A: Aggregate, E: Debug> Outcome<A, E> {
    /// It is accepted and leads to exactly these events, in this order.
    ///
    /// # Panics
    /// Where it does not; the message shows the difference.
    #[track_caller]
    pub fn then(self, events: impl IntoEvents<A>) -> Self {
        let mut expected = Vec::new();
        events.push_to(&mut expected);
        match &self.result {
            Ok(found) if *found == expected => self,
            Ok(found) => panic!("`{}` leads to other events {}", self.command, diff(&expected, found)),
            Err(refusal) => panic!("`{}` is refused {}", self.command, diff(&expected, refusal)),
        }
    }
    /// It is accepted and leads to no event.
    ///
    /// # Panics
    /// Where it does not; the message shows what it leads to.
    #[track_caller]
    pub fn then_nothing(self) -> Self {
        self.then(())
    }
    /// The domain refuses it with this error.
    ///
    /// # Panics
    /// Where it does not; the message shows the difference.
    #[track_caller]
    pub fn then_err(self, error: E) -> Self
    where
        E: PartialEq,
    {
        self.then_refused(Refusal::Rejected(error))
    }
    /// It is refused for this reason, by the domain or because the aggregate is there, is not there, or has ended.
    ///
    /// # Panics
    /// Where it is not; the message shows the difference.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "what is expected is written in place")]
    pub fn then_refused(self, refusal: Refusal<E>) -> Self
    where
        E: PartialEq,
    {
        match &self.result {
            Err(found) if *found == refusal => self,
            Err(found) => panic!("`{}` is refused for another reason {}", self.command, diff(&refusal, found)),
            Ok(events) => panic!("`{}` is accepted {}", self.command, diff(&refusal, events)),
        }
    }
    /// Hands the state after it to `check`, which makes its own assertions; after a refusal it is the state before.
    ///
    /// # Panics
    /// Where there is no state, because nothing brought it into being or an event ended it.
    #[track_caller]
    pub fn then_state(self, check: impl FnOnce(&A)) -> Self {
        match &self.stage {
            Stage::Alive(state) => check(state),
            Stage::Absent => panic!("after `{}` there is no `{}`: no event brought it into being", self.command, A::NAME),
            Stage::Ended => panic!("after `{}` there is no `{}`: an event ended it", self.command, A::NAME),
        }
        self
    }
    /// The events it leads to.
    ///
    /// # Panics
    /// Where it is refused.
    #[track_caller]
    pub fn events(&self) -> &[A::Event] {
        match &self.result {
            Ok(events) => events,
            Err(refusal) => panic!("`{}` is refused: {refusal:?}", self.command),
        }
    }
}

impl<A: Aggregate, E> Outcome<A, E> {
    /// The events it leads to, or why it is refused.
    pub fn result(&self) -> Result<&[A::Event], &Refusal<E>> {
        self.result.as_deref()
    }
    /// Where the aggregate's life stands afterwards.
    pub fn stage(&self) -> &Stage<A> {
        &self.stage
    }
}
