//! Many commands at the same time: in order for each aggregate, side by side across aggregates.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::execute::Done;
use super::held::AnyOf;
use super::options::{Options, said_beside};
use super::{Announced, App};
use crate::error::{ExecuteError, Failure, StoreError, panic_message};
use crate::{Aggregate, AnyCommand, Commands, Dispatch, StreamName};

/// A command with the aggregate it is for, to be executed among others.
#[derive(Debug, Clone)]
#[must_use = "a command runs when it is executed"]
pub struct Envelope<A: Commands> {
    id: A::Id,
    command: A::Command,
    options: Options,
}

impl<A: Commands> Envelope<A> {
    /// The command for the aggregate with this id.
    pub fn new(id: A::Id, command: impl Into<A::Command>) -> Self {
        Envelope { id, command: command.into(), options: Options::default() }
    }
    /// The aggregate it is for.
    pub fn id(&self) -> &A::Id {
        &self.id
    }
    /// The command.
    pub fn command(&self) -> &A::Command {
        &self.command
    }
    said_beside!(options);
}

/// The answer to one of many commands, with its number.
type Answered<A, E> = (usize, Result<Done<A>, ExecuteError<E>>);

type Ends<A, E> = (mpsc::UnboundedReceiver<Begun<A>>, mpsc::UnboundedSender<Ended<A, E>>);

/// Commands for one aggregate, with their numbers.
type Waiting<A> = VecDeque<(usize, Envelope<A>)>;

/// A command that is to run now.
struct Begun<A: Commands> {
    stream: StreamName,
    number: usize,
    envelope: Envelope<A>,
    announced: Announced,
}

/// A command that was run.
struct Ended<A: Aggregate, E> {
    stream: StreamName,
    answered: Answered<A, E>,
}

/// The answers to many commands, as they come; made by [`App::execute_many`]. New commands are begun while it is asked.
#[must_use = "commands are begun while `next` is awaited"]
pub struct ExecuteMany<'a, A: Dispatch<E>, E: Send + 'static> {
    app: &'a App,
    commands: Box<dyn Iterator<Item = Envelope<A>> + Send + 'a>,
    taken: usize,
    /// How many are running.
    running: usize,
    begun: mpsc::UnboundedSender<Begun<A>>,
    ended: mpsc::UnboundedReceiver<Ended<A, E>>,
    /// The task's ends of the two, until it is there.
    ends: Option<Ends<A, E>>,
    /// The task they run in, begun with the first. A task of its own: a command that nobody asks for its answer must not keep
    /// others from its aggregate. And one for all: they are woken together, as they are committed.
    task: JoinSet<()>,
    /// For each aggregate one of whose commands is running, the number of that one and those that come after it.
    waiting: HashMap<StreamName, (usize, Waiting<A>)>,
    /// Commands that were running when the task ended with its runtime.
    lost: VecDeque<(StreamName, usize)>,
    waiting_count: usize,
    error: PhantomData<fn() -> E>,
}

impl<A: Dispatch<E>, E: Send + 'static> fmt::Debug for ExecuteMany<'_, A, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExecuteMany { taken, running, waiting_count, .. } = self;
        f.debug_struct("ExecuteMany").field("taken", taken).field("running", running).field("waiting", waiting_count).finish()
    }
}

impl App {
    /// Runs many commands on aggregates of one type, at most [`Limits::commands_in_flight`](crate::Limits) at a time: those for
    /// one aggregate one after another in the order given, those for different ones side by side, in tasks of their own.
    ///
    /// A command that is refused does not keep later ones from running. Commands are taken from the iterator as there is room
    /// for them. `E` is one error type for all commands of the aggregate: the error of each handler must become one by
    /// `From`.
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
    /// # async fn import(app: &gesta::App, deposits: Vec<(AccountId, i64)>) {
    /// let envelopes = deposits.into_iter().map(|(id, amount)| gesta::Envelope::<Account>::new(id, Deposit { amount }));
    /// let mut answers = app.execute_many::<Account, AccountError>(envelopes);
    /// while let Some((number, answer)) = answers.next().await {
    ///     // `number` counts the envelopes from 0 on
    /// #   let _ = (number, answer);
    /// }
    /// # }
    /// ```
    pub fn execute_many<'a, A, E>(
        &'a self,
        commands: impl IntoIterator<Item = Envelope<A>, IntoIter: Send + 'a>,
    ) -> ExecuteMany<'a, A, E>
    where
        A: Dispatch<E>,
        E: Send + 'static,
    {
        let (begun, commands_begun) = mpsc::unbounded_channel();
        let (answers, ended) = mpsc::unbounded_channel();
        ExecuteMany {
            app: self,
            commands: Box::new(commands.into_iter().fuse()),
            taken: 0,
            running: 0,
            begun,
            ended,
            ends: Some((commands_begun, answers)),
            task: JoinSet::new(),
            waiting: HashMap::new(),
            lost: VecDeque::new(),
            waiting_count: 0,
            error: PhantomData,
        }
    }
}

impl<A: Dispatch<E>, E: Send + 'static> ExecuteMany<'_, A, E> {
    /// The next answer, with the number of its command, counted from 0; `None` once all were answered.
    ///
    /// Dropping the future of `next` loses nothing. Dropping the whole ends the commands that are running, each before it is
    /// stored or after, and perhaps a moment later; it does not begin others.
    ///
    /// # Panics
    /// Outside of a tokio runtime, on which the commands run.
    pub async fn next(&mut self) -> Option<(usize, Result<Done<A>, ExecuteError<E>>)> {
        let Ended { stream, answered } = loop {
            if self.ends.is_none() && self.begun.is_closed() {
                self.lose();
            }
            if let Some((stream, number)) = self.lost.pop_front() {
                break Ended { stream, answered: (number, Err(Failure::UnknownOutcome(runtime_ended()).into())) };
            }
            if let Some(refused) = self.fill() {
                return Some(refused);
            }
            if self.running == 0 {
                return None;
            }
            // Commands catch their panics, so the task ends only with its runtime.
            match self.ended.recv().await {
                Some(ended) => break ended,
                None => self.lose(),
            }
        };
        self.running -= 1;
        let next = self.waiting.get_mut(&stream).and_then(|(_, waiting)| waiting.pop_front());
        match next {
            Some((number, envelope)) => {
                self.waiting_count -= 1;
                self.start(stream, number, envelope);
            }
            None => {
                self.waiting.remove(&stream);
            }
        }
        Some(answered)
    }

    /// Takes commands while there is room; answers one that is for no aggregate at all.
    fn fill(&mut self) -> Option<Answered<A, E>> {
        let max = self.app.inner.limits.commands_in_flight.max(1);
        // Many in a row for one aggregate must not stop the others, nor fill the memory.
        while self.running < max && self.waiting_count < max * 4 {
            let envelope = self.commands.next()?;
            let number = self.taken;
            self.taken += 1;
            let stream = match StreamName::new(<A as Aggregate>::NAME, &envelope.id) {
                Ok(stream) => stream,
                Err(invalid) => return Some((number, Err(Failure::from(invalid).into()))),
            };
            if let Some((_, waiting)) = self.waiting.get_mut(&stream) {
                waiting.push_back((number, envelope));
                self.waiting_count += 1;
            } else {
                self.waiting.insert(stream.clone(), (number, VecDeque::new()));
                self.start(stream, number, envelope);
            }
        }
        None
    }

    fn start(&mut self, stream: StreamName, number: usize, mut envelope: Envelope<A>) {
        // Here, since the task has other surroundings.
        envelope.options = envelope.options.surrounded();
        self.running += 1;
        if let Some((running, _)) = self.waiting.get_mut(&stream) {
            *running = number;
        }
        if let Some((begun, ended)) = self.ends.take() {
            self.task.spawn(run(self.app.clone(), begun, ended));
        }
        let begun = Begun { stream, number, envelope, announced: Announced::new(&self.app.inner) };
        // Its other end goes with the task, and that with this.
        let _ = self.begun.send(begun);
    }

    /// The task has ended with its runtime. The outcome of what ran there is unknown; the next task runs on the caller's runtime.
    fn lose(&mut self) {
        let ((begun, commands_begun), (answers, ended)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let mut before = std::mem::replace(&mut self.ended, ended);
        (self.begun, self.ends, self.task) = (begun, Some((commands_begun, answers)), JoinSet::new());
        let mut running: HashMap<_, _> = self.waiting.iter().map(|(stream, (number, _))| (stream.clone(), *number)).collect();
        while let Ok(Ended { stream, answered }) = before.try_recv() {
            running.remove(&stream);
            if let Some((_, answers)) = &self.ends {
                let _ = answers.send(Ended { stream, answered });
            }
        }
        self.lost.extend(running);
        self.lost.make_contiguous().sort_by_key(|(_, number)| *number);
    }
}

fn runtime_ended() -> StoreError {
    let message = "the runtime on which the command ran has ended: keep it alive until `next` has answered".to_owned();
    StoreError::Driver { context: "executing many commands", message, transient: false }
}

/// Runs what is begun until nobody can begin anything more, or wants to know.
async fn run<A: Dispatch<E>, E: Send + 'static>(
    app: App,
    mut begun: mpsc::UnboundedReceiver<Begun<A>>,
    ended: mpsc::UnboundedSender<Ended<A, E>>,
) {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            next = begun.recv() => match next {
                Some(begun) => running.push(execute::<A, E>(&app, begun)),
                None => return,
            },
            Some(answer) = running.next(), if !running.is_empty() => {
                let _ = ended.send(answer);
            }
        }
    }
}

async fn execute<A: Dispatch<E>, E: Send + 'static>(app: &App, begun: Begun<A>) -> Ended<A, E> {
    let Begun { stream, number, envelope: Envelope { command, options, .. }, announced } = begun;
    drop(announced);
    let name = command.info().name;
    let decider = AnyOf { command, error: PhantomData::<fn() -> E> };
    let executed = AssertUnwindSafe(app.inner.execute::<A, _>(&stream, &decider, options)).catch_unwind().await;
    let answer = executed.unwrap_or_else(|panic| {
        let message = panic_message(&*panic);
        Err(Failure::Panicked { command: name, message }.into())
    });
    Ended { stream, answered: (number, answer) }
}
