//! An aggregate, its commands and a read model, written by hand as the macros would write them.

use std::convert::Infallible;
use std::future::Future;

use serde::{Deserialize, Serialize};

use crate::command::Env;
use crate::read::{Column, ColumnRole, Effect, Fold, Row, SourceSink, Value, pending, stream_key};
use crate::schema::{Field, Node};
use crate::{
    Aggregate, Answer, ColumnError, Command, CommandData, CommandInfo, Context, DecodeError, EncodeError, Event, EventInfo,
    EventOf, Feeds, FoldError, Handle, IntoEvents, Misplaced, Need, On, Projection, ReadModel, Recorded, Refusal, RowError,
    Schema, Snapshots, Stage, Timestamp, Uuid, codec,
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Account {
    pub(super) owner: String,
    pub(super) balance: f64,
}

macro_rules! stored {
    ($(struct $name:ident { $($field:ident: $t:ty $(= $serde:literal)?),* })*) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub(super) struct $name { $($(#[serde(with = $serde)])? pub(super) $field: $t),* }
        impl Schema for $name {
            const NODE: Node = Node::Record(&[$(Field { name: stringify!($field), doc: "", node: &<$t>::NODE }),*]);
        }
    )*};
}

macro_rules! events {
    ($($event:ident: $apply:expr),*) => {
        #[derive(Debug, Clone, PartialEq)]
        pub(super) enum AccountEvent { $($event($event)),* }

        impl Aggregate for Account {
            type Id = u64;
            type Event = AccountEvent;
            const NAME: &'static str = "Account";
            const DOC: &'static str = "";
            const EVENTS: &'static [EventInfo] = &[$(EventInfo::of::<$event>()),*];
            const FINGERPRINT: u64 = 0;
            const SNAPSHOTS: Option<Snapshots<Self>> = None;

            fn apply(stage: Stage<Self>, event: AccountEvent) -> Result<Stage<Self>, Misplaced> {
                match event {
                    $(AccountEvent::$event(event) => {
                        let apply: fn(Stage<Self>, $event) -> Option<Stage<Self>> = $apply;
                        apply(stage, event).ok_or(Misplaced { event: stringify!($event), why: "can't stand here" })
                    })*
                }
            }
            fn decode(name: &str, version: u32, payload: &[u8]) -> Result<AccountEvent, DecodeError> {
                match name {
                    $(stringify!($event) => <$event as Event>::decode(version, payload).map(AccountEvent::$event),)*
                    _ => Err(DecodeError::UnknownEvent { aggregate: "Account", name: name.to_owned() }),
                }
            }
            fn info(event: &AccountEvent) -> EventInfo {
                match event {
                    $(AccountEvent::$event(_) => EventInfo::of::<$event>(),)*
                }
            }
            fn encode(event: &AccountEvent, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
                match event {
                    $(AccountEvent::$event(event) => event.encode(payload),)*
                }
            }
        }
        impl<M: ReadModel $(+ On<Account, $event>)*> Feeds<M> for Account {
            fn effect_of(event: &str) -> Option<bool> {
                match event {
                    $(stringify!($event) => Some(!matches!(<M as On<Account, $event>>::EFFECT, Effect::Ignores)),)*
                    _ => None,
                }
            }
            fn fold(event: Recorded<AccountEvent>) -> Result<Box<dyn Fold<M>>, FoldError> {
                let (event, record) = event.split();
                match event {
                    $(AccountEvent::$event(event) => pending::<Account, $event, M>(record.map(|()| event)),)*
                }
            }
        }
        $(
            impl Event for $event {
                const NAME: &'static str = stringify!($event);
                const VERSION: u32 = 1;
                const DOC: &'static str = "";
                const VERSIONS: &'static [(u32, Node)] = &[(1, Self::NODE)];
                fn decode(_: u32, payload: &[u8]) -> Result<Self, DecodeError> {
                    codec::decode(payload)
                }
                fn encode(&self, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
                    codec::encode(self, payload)
                }
            }
            impl EventOf<Account> for $event {
                fn wrap(self) -> AccountEvent {
                    AccountEvent::$event(self)
                }
                fn unwrap(event: AccountEvent) -> Result<Self, AccountEvent> {
                    match event {
                        AccountEvent::$event(event) => Ok(event),
                        other => Err(other),
                    }
                }
            }
            impl IntoEvents<Account> for $event {
                fn push_to(self, events: &mut Vec<AccountEvent>) {
                    events.push(self.wrap());
                }
            }
            impl Answer for $event {
                type Events = Self;
                type Error = Infallible;
                fn split(self) -> Result<Self, Infallible> {
                    Ok(self)
                }
            }
        )*
    };
}

stored! {
    struct Opened { owner: String }
    struct Deposited { amount: f64, at: Timestamp, by: String, id: Uuid }
    // Its `lost` is not stored: an event that is read back as something else.
    struct Renamed { owner: String, lost: u8 = "nothing" }
    struct Closed {}
}
mod nothing {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
    pub(super) fn serialize<S: serde::Serializer>(_: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(0)
    }
    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}
impl Deposited {
    /// As the handler makes it where the test says nothing of its surroundings; the `number`th id is its own.
    pub(super) fn of(amount: f64, number: u64) -> Self {
        Deposited { amount, at: super::START, by: String::new(), id: super::SequentialIds::nth(number) }
    }
}

events! {
    Opened: |stage, e| matches!(stage, Stage::Absent).then(|| Stage::Alive(Account { owner: e.owner, balance: 0.0 })),
    Deposited: |stage, e| stage.alive().map(|account| Stage::Alive(Account { balance: account.balance + e.amount, ..account })),
    Renamed: |stage, e| stage.alive().map(|account| Stage::Alive(Account { owner: e.owner, ..account })),
    Closed: |stage, _| stage.alive().map(|_| Stage::Ended)
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum AccountError {
    NotPositive,
    TooHigh { max: f64 },
}

/// Handlers are written as async functions of stage, command and surroundings.
macro_rules! commands {
    ($($command:ident needs [$($need:ty),*]: $handler:expr;)*) => {$(
        impl CommandData for $command {
            const NAME: &'static str = stringify!($command);
            const DOC: &'static str = "";
            const NODE: Node = <Self as Schema>::NODE;
            const RETRY: bool = false;
            fn encode(&self, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
                codec::encode(self, payload)
            }
            fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
                codec::decode(payload)
            }
        }
        impl Command for $command {
            type Aggregate = Account;
            const INFO: CommandInfo = CommandInfo::of::<Self>(&[$(Need::of::<$need>()),*]);
        }
        impl Handle<$command> for Account {
            type Error = AccountError;
            fn handle<'a>(
                stage: &'a Stage<Self>,
                command: $command,
                env: &'a Env,
            ) -> impl Future<Output = Result<Vec<AccountEvent>, Refusal<AccountError>>> + Send + 'a {
                ($handler)(stage, command, env)
            }
        }
    )*};
}

stored! {
    struct Open { owner: String }
    struct Deposit { amount: f64 }
    struct Lend { amount: f64 }
    struct Rename { lost: u8 }
    struct Close { twice: bool }
}

/// A service.
pub(super) trait Bank: Send + Sync {
    fn max(&self) -> f64;
}

type Decision = Result<Vec<AccountEvent>, Refusal<AccountError>>;

fn alive(stage: &Stage<Account>) -> Result<&Account, Refusal<AccountError>> {
    match stage {
        Stage::Alive(account) => Ok(account),
        Stage::Absent => Err(Refusal::NotFound),
        Stage::Ended => Err(Refusal::Ended),
    }
}
async fn open(stage: &Stage<Account>, command: Open, _: &Env) -> Decision {
    match stage {
        Stage::Absent => Ok(vec![Opened { owner: command.owner }.wrap()]),
        Stage::Alive(_) => Err(Refusal::AlreadyExists),
        Stage::Ended => Err(Refusal::Ended),
    }
}
async fn deposit(stage: &Stage<Account>, command: Deposit, env: &Env) -> Decision {
    alive(stage)?;
    let context: &Context = env.parameter();
    if command.amount <= 0.0 {
        return Err(Refusal::Rejected(AccountError::NotPositive));
    }
    let by = context.actor().unwrap_or_default().to_owned();
    let deposited = Deposited { amount: command.amount, at: context.occurred_at(), by, id: context.new_id() };
    Ok(vec![deposited.wrap()])
}
async fn lend(stage: &Stage<Account>, command: Lend, env: &Env) -> Decision {
    alive(stage)?;
    let max = env.parameter::<dyn Bank>().max();
    // A handler may wait for something of the runtime's.
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    if command.amount > max {
        return Err(Refusal::Rejected(AccountError::TooHigh { max }));
    }
    let context: &Context = env.parameter();
    Ok(vec![Deposited { by: context.id().to_owned(), ..Deposited::of(command.amount, context.version().get()) }.wrap()])
}
async fn rename(stage: &Stage<Account>, command: Rename, _: &Env) -> Decision {
    let owner = alive(stage)?.owner.clone();
    Ok(if command.lost == 0 { Vec::new() } else { vec![Renamed { owner, lost: command.lost }.wrap()] })
}
async fn close(stage: &Stage<Account>, command: Close, _: &Env) -> Decision {
    alive(stage)?;
    Ok(vec![Closed {}.wrap(); if command.twice { 2 } else { 1 }])
}
commands! {
    Open needs []: open;
    Deposit needs [Context]: deposit;
    Lend needs [dyn Bank, Context]: lend;
    Rename needs []: rename;
    Close needs []: close;
}

/// A read model: a row for each account that is open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Summary {
    pub(super) account: u64,
    pub(super) owner: String,
    pub(super) balance: f64,
    pub(super) last: Option<(u64, u64)>,
}

impl ReadModel for Summary {
    type Key = u64;
    const TABLE: &'static str = "summary";
    const COLUMNS: &'static [Column] = &[
        Column::of::<u64>("account", ColumnRole::Key),
        Column::of::<String>("owner", ColumnRole::Plain),
        Column::of::<f64>("balance", ColumnRole::Plain),
        Column::of::<Option<(u64, u64)>>("last", ColumnRole::Plain),
    ];
    fn key(&self) -> &u64 {
        &self.account
    }
    fn to_row(&self) -> Result<Row, ColumnError> {
        use crate::read::ColumnType as _;
        let column = |column| move |why| ColumnError { column, why };
        Ok(vec![
            self.account.to_value().map_err(column("account"))?,
            self.owner.to_value().map_err(column("owner"))?,
            self.balance.to_value().map_err(column("balance"))?,
            self.last.to_value().map_err(column("last"))?,
        ])
    }
    fn from_row(row: Row) -> Result<Self, ColumnError> {
        use crate::read::ColumnType as _;
        let column = |column| move |why| ColumnError { column, why };
        let [account, owner, balance, last]: [Value; 4] =
            row.try_into().map_err(|row: Row| ColumnError { column: "", why: format!("{} columns", row.len()) })?;
        Ok(Summary {
            account: u64::from_value(account).map_err(column("account"))?,
            owner: String::from_value(owner).map_err(column("owner"))?,
            balance: f64::from_value(balance).map_err(column("balance"))?,
            last: Option::from_value(last).map_err(column("last"))?,
        })
    }
}
impl Projection for Summary {
    const FINGERPRINT: u64 = 0;
    fn sources(sink: &mut SourceSink<Self>) {
        sink.source::<Account>();
    }
}

macro_rules! on {
    ($($event:ident $effect:ident: $on:expr;)*) => {$(
        impl On<Account, $event> for Summary {
            const EFFECT: Effect = Effect::$effect;
            fn row_key(event: &Recorded<$event>) -> Result<u64, String> {
                stream_key::<Account, u64>(event)
            }
            fn on(row: &mut Option<Self>, event: &Recorded<$event>) -> Result<(), RowError> {
                let on: fn(&mut Option<Self>, &Recorded<$event>) -> Result<(), RowError> = $on;
                on(row, event)
            }
        }
    )*};
}
on! {
    Opened Creates: |row, e| {
        if row.is_some() {
            return Err(RowError::Exists { event: "Opened" });
        }
        *row = Some(Summary { account: stream_key::<Account, u64>(e).unwrap(), owner: e.owner.clone(), balance: 0.0, last: None });
        Ok(())
    };
    Deposited Changes: |row, e| {
        let row = row.as_mut().ok_or(RowError::Absent { event: "Deposited" })?;
        row.balance += e.amount;
        row.last = Some((e.position.get(), e.version.get()));
        Ok(())
    };
    Renamed Ignores: |_, _| unreachable!("it is ignored");
    Closed Ends: |row, _| row.take().map(drop).ok_or(RowError::Absent { event: "Closed" });
}
