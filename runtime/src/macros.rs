//! The macros, with their documentation: here its examples compile.

/// A row of a read model: makes a struct with named fields the [`ReadModel`](trait@crate::ReadModel) it is named after.
///
/// * `#[key]` stands on the one field that names a row. Its type is `Clone + Eq + Hash`; a `#[value]` newtype gets the
///   last two by `#[derive(Eq, Hash)]`. It can't be an `Option`. Where several things together name a row, make one `#[value]`
///   of them.
/// * `#[index]` stands on each field by which rows are to be found or ordered.
/// * `#[read_model(table = "..")]` names the table; without it the table is named after the struct, in `snake_case`.
/// * `#[read_model(of(Account, Customer))]` lists the aggregates that feed it, where there are several: then there is one
///   [`#[projection]`](macro@crate::projection) block for each. With one block there is nothing to list.
/// * `#[read_model(logic_version = 1)]`: change it where the rows come out otherwise than the blocks' own code shows, such as
///   by a helper that changed. What the blocks, the columns and the events show is seen by itself: rows of another
///   fingerprint are made anew.
/// * `#[read_model(crate = path)]`: the path of gesta, if the package does not depend on it by that name; see
///   [the guide](crate::guide::gesta_behind_another_crate).
///
/// Each field is a column, of its own name, and holds any [`ColumnType`](crate::read::ColumnType). The key and each index
/// is also a constant of the model, which queries take: `AccountSummary::BALANCE.at_least(&500)`. Ranges are there if the type is
/// an [`OrderedColumnType`](crate::read::OrderedColumnType), and rows then come in the type's own order: an enum's variants by
/// their declaration, decimals by their value. Other types have `is`.
///
/// If the text in a column does not sort as its type does, as with decimals and enums, an index or the key is a column beside it:
/// `gesta_order_level` beside `level`. In SQL, read the field's own column and sort by the other one.
///
/// ```
/// use gesta::prelude::*;
///
/// #[derive(ReadModel)]
/// #[read_model(table = "account_summary")]
/// pub struct AccountSummary {
///     #[key]
///     account: u64,
///     owner: String,
///     #[index]
///     balance: i64,
/// }
///
/// let rich = AccountSummary::BALANCE.at_least(&1_000_000);
/// # let _ = rich;
/// ```
///
/// expands to roughly
///
/// ```text
/// impl ReadModel for AccountSummary {
///     type Key = u64;
///     const TABLE: &'static str = "account_summary";
///     const DOC: &'static str = "..";
///     const COLUMNS: &'static [Column] = &[ /* name, kind, role, docs of each field */ ];
///     fn key(&self) -> &u64 { &self.account }
///     fn to_row(&self) -> Result<Row, ColumnError> { /* each field as a `Value` */ }
///     fn from_row(row: Row) -> Result<Self, ColumnError> { /* and back */ }
/// }
/// impl AccountSummary {
///     pub const ACCOUNT: IndexedColumn<Self, u64> = IndexedColumn::new(0);
///     pub const BALANCE: IndexedColumn<Self, i64> = IndexedColumn::new(2);
/// }
/// ```
pub use gesta_macros::ReadModel;

/// How events make up the state of an aggregate: each method of the block applies one event.
///
/// The signature says what the event does:
///
/// | signature | meaning |
/// |---|---|
/// | `fn opened(e: Opened) -> Self` | brings it into being |
/// | `fn paid(&mut self, e: Paid)` | changes it |
/// | `fn closed(self, e: Closed)` | ends it: later commands are answered `Ended`, and the id is not used again |
///
/// The event comes by value or by reference. Nothing waits here, nothing fails, and nothing is looked up: the same events
/// make the same state whenever they are read again. Helpers live in ordinary `impl` blocks.
///
/// * `id = AccountId`: the type that names one of them; see [`#[id]`](macro@crate::id).
/// * `name = "Account"`: the name its streams are stored under, the type's name if it is left out. It can't change once an
///   event is stored: whoever renames the type says the old name here, or the app starts without what was there.
/// * `schema = "account.events"`: the file, beside this one, of its [schema lock](#the-schema-lock).
/// * `crate = path`: the path of gesta, if the package does not depend on it by that name; see
///   [the guide](crate::guide::gesta_behind_another_crate).
///
/// The block gives the aggregate its `AccountEvent` enum, and each event a `From` into it. An aggregate is not generic, and
/// nothing in the block stands under a `#[cfg]`: an event that is stored must be read by every build.
///
/// ```
/// use gesta::prelude::*;
///
/// #[event]
/// pub struct Opened {
///     pub owner: String,
/// }
/// #[event]
/// pub struct Deposited {
///     pub amount: i64,
/// }
///
/// pub struct Account {
///     owner: String,
///     balance: i64,
/// }
///
/// #[aggregate(id = u64)]
/// impl Account {
///     fn opened(e: Opened) -> Self {
///         Account { owner: e.owner, balance: 0 }
///     }
///     fn deposited(&mut self, e: Deposited) {
///         self.balance += e.amount;
///     }
/// }
///
/// let event: AccountEvent = Deposited { amount: 5 }.into();
/// # let _ = event;
/// ```
///
/// expands to roughly
///
/// ```text
/// pub enum AccountEvent { Opened(Opened), Deposited(Deposited) }
/// impl From<Opened> for AccountEvent { .. }               // and `IntoEvents`, for each event
/// impl Aggregate for Account {
///     type Id = u64;
///     type Event = AccountEvent;
///     const NAME: &'static str = "Account";
///     const EVENTS: &'static [EventInfo] = &[..];
///     const FINGERPRINT: u64 = ..;                         // of the block's code and the events' schemas
///     const RETIRED: &'static [EventInfo] = &[ /* what `#[upcast]` functions take */ ];
///     fn apply(stage: Stage<Self>, event: AccountEvent) -> Result<Stage<Self>, Misplaced> {
///         match event {
///             AccountEvent::Opened(e) => /* where it is absent: */ Stage::Alive(Account::opened(e)),
///             AccountEvent::Deposited(e) => /* where it is alive: */ Account::deposited(&mut state, e),
///         }
///     }
///     fn decode(name: &str, version: u32, payload: &[u8]) -> Result<AccountEvent, DecodeError> { .. }
///     fn encode(event: &AccountEvent, payload: &mut Vec<u8>) -> Result<(), EncodeError> { .. }
/// }
/// impl<M> Feeds<M> for Account where M: On<Account, Opened> + On<Account, Deposited> { .. }
/// ```
///
/// # Retired events
///
/// An event that is applied no longer, but is stored, becomes others by an `#[upcast]` function of the block: it takes the
/// retired event by value or by reference, and nothing else, and returns what a command handler may return without a
/// `Result`: an event of the aggregate, a tuple, array, `Option` or `Vec` of them, or nothing at all. Whoever reads the store
/// sees what it has become; the retired event is no part of the enum, and nothing can write it any more.
///
/// ```
/// # use gesta::prelude::*;
/// # #[event] pub struct Opened;
/// # #[event] pub struct Withdrawn { pub amount: i64 }
/// # #[event] pub struct FeeCharged { pub amount: i64 }
/// # pub struct Account { balance: i64 }
/// /// Retired: a transfer was one event until fees became one of their own.
/// #[event]
/// pub struct Transferred {
///     pub amount: i64,
///     pub fee: i64,
/// }
///
/// #[aggregate(id = u64)]
/// impl Account {
/// #   fn opened(_: Opened) -> Self { Account { balance: 0 } }
///     fn withdrawn(&mut self, e: Withdrawn) {
///         self.balance -= e.amount;
///     }
///     fn charged(&mut self, e: FeeCharged) {
///         self.balance -= e.amount;
///     }
///     #[upcast]
///     fn split(e: Transferred) -> (Withdrawn, FeeCharged) {
///         (Withdrawn { amount: e.amount }, FeeCharged { amount: e.fee })
///     }
/// }
/// ```
///
/// # The schema lock
///
/// What is stored stays, and code changes. With `schema = "account.events"` the compiler knows what is stored: a text file
/// beside the source lists each version of each event, with a line for each field.
///
/// ```text
/// gesta schema lock, format 1
/// # `GESTA_SCHEMA=write cargo test gesta_schema` writes drafts, `GESTA_SCHEMA=release cargo test gesta_schema` freezes them.
/// aggregate Account, id text_id
///
/// event AccountClosed v1 c5f8949e75a84f6c
///
/// event MoneyDeposited v1 7718b5dd3a903321
///   amount.minor i64
///   amount.currency text
///   channel enum
///   channel|Branch unit
/// + channel|App unit
///
/// draft MoneyDeposited v2 63fd533593f9e2e2
///   amount.minor i64
/// ```
///
/// A type that can no longer read what a released line says is an error of the compiler, at the file's name, with each field's
/// path and what to do; [the rules](crate::schema#what-may-change) are a table. While nothing has changed, only fingerprints
/// are compared.
///
/// **Its life.** The first time, and whenever events have been added or changed, `GESTA_SCHEMA=write cargo test gesta_schema`
/// writes what is new as *drafts*: sections that begin with `draft`, and lines with a `+` in a section that is released. Drafts
/// bind nobody, and are rewritten freely. Whoever ships runs `GESTA_SCHEMA=release cargo test gesta_schema` first: it freezes
/// them. From then on each released line holds; neither command ever weakens one. Both say what the previous release can't
/// read of what this one writes: deploy the code that reads it first. An app that is started on a store that lasts, with drafts
/// in a lock, warns and names them. Commit the file with the code.
///
/// **The test.** The block also makes a test, `gesta_schema_account`: it fails while the lock is behind the code, and where a
/// fingerprint is not that of the lines below it. So the block stands at the level of a module, and its target has tests: in a
/// target with `test = false` or `harness = false` in `Cargo.toml` the check of the compiler stays, but nobody writes the file,
/// and nothing notices that it is behind. Put the aggregate into the library then. Name the test as above, rather than run all
/// tests with `GESTA_SCHEMA` set: it is inherited by tests that compile.
///
/// **Merges.** Sections are sorted and stand apart, so two branches that add versions of different events most often merge by
/// themselves. What git can't merge is an error that says so: keep the lines of both. Where both have added version 2 of one
/// event, keep the lock and the samples of one, and declare what the other one changed as version 3 in the code. Then
/// `GESTA_SCHEMA=write` puts sections in order and writes their fingerprints anew.
///
/// **In CI**, hold the lock against that of the branch it is to be merged into. The test then fails on each released line that
/// is gone or weaker, whatever the code says:
///
/// ```console
/// $ git worktree add ../base origin/main
/// $ GESTA_SCHEMA_BASE=$PWD/../base cargo test gesta_schema
/// ```
///
/// `GESTA_SCHEMA_BASE` is an older copy of the file, or a folder that is laid out as the repository or the package is, or that
/// holds the files side by side. A lock that is not in there is new.
///
/// **A published crate** needs the file to be compiled: `cargo package` takes what is in version control, unless `include` or
/// `exclude` in `Cargo.toml` leave it out. `cargo package --list` shows it.
pub use gesta_macros::aggregate;

/// A struct that asks an aggregate for something.
///
/// Its name is imperative: `OpenAccount`, `Deposit`. It has named fields, of types with a [`Schema`](crate::Schema), or
/// none at all. What it asks for is decided in the [`#[command_handler]`](macro@crate::command_handler) block of its
/// aggregate, which lives in the same crate.
///
/// * `name = "deposit"`: the name it is known by outside, the struct's name if it is left out.
/// * `retry`: its handler may be run again after a conflict even though it takes a service. A handler without services is
///   run again by itself.
/// * `crate = path`: the path of gesta, if the package does not depend on it by that name; see
///   [the guide](crate::guide::gesta_behind_another_crate).
///
/// `Clone`, `Debug`, `PartialEq`, serde and the schema come with it.
///
/// ```
/// use gesta::prelude::*;
///
/// #[command]
/// pub struct Deposit {
///     pub amount: i64,
/// }
/// ```
///
/// expands to roughly
///
/// ```text
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// pub struct Deposit { pub amount: i64 }
/// impl Schema for Deposit { .. }
/// impl CommandData for Deposit { const NAME: &'static str = "Deposit"; .. }
/// ```
pub use gesta_macros::command;

/// How an aggregate decides on commands: each method of the block handles one, and answers with events.
///
/// The signature says when it may run:
///
/// | signature | meaning |
/// |---|---|
/// | `fn open(cmd: Open) -> ..` | only where none exists, else `AlreadyExists` |
/// | `fn pay(&self, cmd: Pay) -> ..` | only where one exists, else `NotFound` |
/// | `fn ensure(this: Option<&Self>, cmd: Ensure) -> ..` | either way |
///
/// One that has ended answers `Ended` to each of them. The command comes by value or by reference. After it come, by
/// reference and found by type, the [`Context`](crate::Context) and services, `&dyn Trait` included. A handler that waits
/// is `async`; its future is `Send`.
///
/// It returns an event, a tuple, array, `Option` or `Vec` of events, the aggregate's event enum, nothing at all, or a
/// `Result` of one of these with the domain's own error. A returned event that the aggregate does not apply is an error of
/// the compiler. The error is any type; with `Debug` and `Display`, what commands are answered with is a
/// [`std::error::Error`], which `?` into a `Box<dyn Error>` asks for.
///
/// There is one block an aggregate, in the crate of its commands.
///
/// * `crate = path`: the path of gesta, if the package does not depend on it by that name; see
///   [the guide](crate::guide::gesta_behind_another_crate).
///
/// ```
/// # use gesta::prelude::*;
/// # #[event] pub struct Opened { pub owner: String }
/// # #[event] pub struct Deposited { pub amount: i64 }
/// # pub struct Account { balance: i64 }
/// # #[aggregate(id = u64)]
/// # impl Account {
/// #     fn opened(_: Opened) -> Self { Account { balance: 0 } }
/// #     fn deposited(&mut self, e: Deposited) { self.balance += e.amount; }
/// # }
/// # #[command] pub struct Open { pub owner: String }
/// # #[command] pub struct Deposit { pub amount: i64 }
/// # #[command] pub struct Lend { pub amount: i64 }
/// pub trait Bank: Send + Sync {
///     fn agrees_to(&self, amount: i64) -> bool;
/// }
///
/// #[command_handler]
/// impl Account {
///     fn open(cmd: Open) -> Opened {
///         Opened { owner: cmd.owner }
///     }
///     fn deposit(&self, cmd: Deposit) -> Result<Deposited, &'static str> {
///         if cmd.amount > 0 { Ok(Deposited { amount: cmd.amount }) } else { Err("nothing to deposit") }
///     }
///     async fn lend(&self, cmd: Lend, bank: &dyn Bank) -> Option<Deposited> {
///         bank.agrees_to(cmd.amount).then_some(Deposited { amount: cmd.amount })
///     }
/// }
///
/// let command: AccountCommand = Deposit { amount: 5 }.into();
/// # let _ = command;
/// ```
///
/// expands to roughly
///
/// ```text
/// impl Command for Deposit { type Aggregate = Account; .. }
/// impl Handle<Deposit> for Account {
///     type Error = &'static str;
///     fn handle<'a>(stage: &'a Stage<Self>, command: Deposit, env: &'a Env)
///         -> impl Future<Output = Result<Vec<AccountEvent>, Refusal<&'static str>>> + Send + 'a { .. }
/// }
/// pub enum AccountCommand { Open(Open), Deposit(Deposit), Lend(Lend) }
/// impl Commands for Account { type Command = AccountCommand; .. }
/// impl<E> Dispatch<E> for Account where E: From<&'static str> { .. }
/// ```
pub use gesta_macros::command_handler;

/// A struct that is stored when it has happened.
///
/// Its name is in the past tense: `Opened`, `MoneyDeposited`. It has named fields, of types with a
/// [`Schema`](crate::Schema), or none at all. `#[event]` stands first, above other attributes: the compiler answers
/// `#[derive(Debug)]` above it with "conflicting implementations of trait `Debug`".
///
/// * `name = "Deposited"`: the name it is stored under, the struct's name if it is left out. It can't change once an
///   event is stored.
/// * `version = 3`: its version, 1 if it is left out; see below.
/// * `crate = path`: the path of gesta, if the package does not depend on it by that name; see
///   [the guide](crate::guide::gesta_behind_another_crate).
/// * `#[schema(opaque = "..")]` on a field of a foreign type with serde but without a schema: describes its stored form.
/// * Of serde's attributes those work of which what is written reads back, and which the schema can tell: `rename`,
///   `rename_all`, `default` (a field that may be missing), `skip` (not stored), `skip_serializing_if = "Option::is_none"`,
///   and `with` beside `#[schema(opaque = "..")]`. Each other one is refused with the reason and a way out.
///
/// [`schema`](crate::schema) lists the types that can be stored, those that can't, and why.
///
/// `Clone`, `Debug`, `PartialEq`, serde and the schema come with it; those you derive below it are left to you.
///
/// ```
/// use gesta::prelude::*;
///
/// /// Money paid in at the counter.
/// #[event]
/// pub struct MoneyDeposited {
///     pub amount: i64,
/// }
/// ```
///
/// # Versions
///
/// What is stored stays as it was written, so an event that changes says how: it gets the next version, and each field what
/// happened to it in which version. No version may be left out.
///
/// | attribute | where | meaning |
/// |---|---|---|
/// | `#[added(2, default = expr)]` | on the field | it came in version 2; an older event has this value, for which `Self` is today's event |
/// | `#[renamed(2, from = "old")]` | on the field | it was called `old` before version 2 |
/// | `#[converted(2, from = T)]` | on the field | it was of type `T` before version 2, and became what it is by `From` |
/// | `#[converted(2, from = T, with = path)]` | on the field | likewise, by a function |
/// | `#[converted(2, try_from = T)]` | on the field | likewise, by `TryFrom`, or by a function that returns a `Result`; its error has `Display` |
/// | `#[removed(2, field: T)]` | above the struct | the field was there before version 2; docs, `#[serde(..)]` and marks of its own stand before its name |
/// | `#[converted(2, from = MoneyDepositedV1)]` | above the struct | version 2 was made of that struct as a whole; `try_from` and `with` as on a field |
///
/// ```
/// use gesta::Event;
/// use gesta::prelude::*;
///
/// #[event(version = 3)]
/// #[removed(3, teller: Option<String>)]
/// pub struct MoneyDeposited {
///     #[renamed(2, from = "amt")]
///     #[converted(3, from = u32, with = i64::from)]
///     pub amount: i64,
///     #[added(2, default = "branch".to_owned())]
///     pub channel: String,
/// }
///
/// let read = MoneyDeposited::decode(1, br#"{"amt":5,"teller":null}"#)?;
/// assert_eq!(read, MoneyDeposited { amount: 5, channel: "branch".into() });
///
/// // Each earlier version is a struct, and each step a conversion.
/// let second: MoneyDepositedV2 = MoneyDepositedV1 { amt: 5, teller: None }.into();
/// assert_eq!(MoneyDeposited::from(second), read);
/// # Ok::<(), gesta::DecodeError>(())
/// ```
///
/// Before it was renamed, a field has no `#[serde(rename)]`; before it was converted, it has no attribute of serde but that,
/// and no `#[schema(opaque)]`; derives below `#[event]` and `#[serde(default)]` above the struct are about today's version
/// only, and the latter is refused. A type inside events has no versions: keep the old type under another name, and say
/// `#[converted(2, from = OldType)]` on the fields that held it. A step that may fail is a `TryFrom` with
/// [`UpcastError`](crate::UpcastError), and an event whose step has failed is one that can't be read.
///
/// Where a change is more than that of its fields one by one, the old version is a struct that you write, which is an event of
/// its own with the same stored name, and the version after it is made of the whole. Later versions may again be told field
/// by field.
///
/// ```
/// use gesta::Event;
/// use gesta::prelude::*;
///
/// #[event(name = "Moved")]
/// pub struct MovedV1 {
///     pub address: String,
/// }
///
/// #[event(version = 2)]
/// #[converted(2, from = MovedV1)]
/// pub struct Moved {
///     pub street: String,
///     pub town: String,
/// }
///
/// impl From<MovedV1> for Moved {
///     fn from(old: MovedV1) -> Self {
///         let (street, town) = old.address.split_once(", ").unwrap_or((&old.address, ""));
///         Moved { street: street.to_owned(), town: town.to_owned() }
///     }
/// }
///
/// let read = Moved::decode(1, br#"{"address":"Main Street, Springfield"}"#)?;
/// assert_eq!(read.town, "Springfield");
/// # Ok::<(), gesta::DecodeError>(())
/// ```
///
/// An event that is no longer applied, but has become others, is told by `#[upcast]` in the
/// [`#[aggregate]`](macro@crate::aggregate) block.
///
/// # The whole of it
///
/// The first of the events with versions above expands to roughly
///
/// ```text
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// pub struct MoneyDeposited { pub amount: i64, pub channel: String }
/// impl Schema for MoneyDeposited { const NODE: Node = Node::Record(&[..]); }
/// impl Event for MoneyDeposited {
///     const NAME: &'static str = "MoneyDeposited";
///     const VERSION: u32 = 3;
///     const VERSIONS: &'static [EventVersion] = &[ /* what each stores, what changed in it, its step */ ];
///     fn decode(version: u32, payload: &[u8]) -> Result<Self, DecodeError> {
///         match version {
///             3 => /* straight */,
///             1 => /* as `MoneyDepositedV1`, and its two steps */,
///             2 => /* as `MoneyDepositedV2`, and its step */,
///             _ => /* unknown */,
///         }
///     }
///     fn encode(&self, payload: &mut Vec<u8>) -> Result<(), EncodeError> { .. }
///     ..
/// }
/// /// Version 1 of [`MoneyDeposited`].
/// pub struct MoneyDepositedV1 { pub amt: u32, pub teller: Option<String> }
/// /// Version 2 of [`MoneyDeposited`].
/// pub struct MoneyDepositedV2 { pub amount: u32, pub channel: String, pub teller: Option<String> }
/// impl From<MoneyDepositedV1> for MoneyDepositedV2 { .. }
/// impl From<MoneyDepositedV2> for MoneyDeposited { .. }
/// ```
pub use gesta_macros::event;

/// A newtype that names one aggregate: around a `String`, a `Uuid`, `u32`, `u64`, `i32` or `i64`.
///
/// It is made, parsed and shown, and never holds what can't be part of a stream's name; that is why its field is private.
/// An id of text is made by `new` or `TryFrom`, which may fail; any other by `new` or `From`, and is `Copy`. One of a
/// `Uuid` also has `generate`. All are values too: in events, as columns, as the keys of maps.
///
/// * `crate = path`: the path of gesta, if the package does not depend on it by that name; see
///   [the guide](crate::guide::gesta_behind_another_crate).
///
/// ```
/// use gesta::prelude::*;
///
/// #[id]
/// pub struct AccountId(String);
/// #[id]
/// pub struct OrderId(Uuid);
///
/// let id: AccountId = "ACC-1".parse()?;
/// assert_eq!(id.as_str(), "ACC-1");
/// assert!(AccountId::new("").is_err());
/// assert_ne!(OrderId::generate(), OrderId::generate());
/// # Ok::<(), gesta::InvalidId>(())
/// ```
///
/// expands to roughly
///
/// ```text
/// #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
/// pub struct AccountId(String);
/// impl AccountId {
///     pub fn new(id: impl Into<String>) -> Result<Self, InvalidId> { .. }
///     pub fn as_str(&self) -> &str { &self.0 }
/// }
/// impl AggregateId for AccountId { .. }     // and Display, FromStr, TryFrom, serde, Schema, ColumnType
/// ```
pub use gesta_macros::id;

/// How the events of one aggregate change the rows of a read model: each method of the block handles one event.
///
/// The signature says what the event does to its row:
///
/// | signature | meaning |
/// |---|---|
/// | `fn opened(e: &Opened) -> Self` | creates it; where it is there already, the event is an error that names the row |
/// | `fn paid(&mut self, e: &Paid)` | changes it; where it is not there, likewise |
/// | `fn closed(self, e: &Closed)` | removes it; where it is not there, likewise |
/// | `fn paid(row: Option<Self>, e: &Paid) -> Option<Self>` | any of these |
///
/// The event comes by reference, by value (a copy), or as `&Recorded<Paid>` with what was recorded beside it. There
/// `e.aggregate_id()` is the id of the block's aggregate, in that aggregate's own type.
///
/// * `of = Account`: whose events. Every event of it has a method here, or is listed: `ignore(Closed)`. A new event is
///   an error of the compiler until one of the two is done.
/// * `#[key = e.channel]` on a method says which row the event belongs to, where that is not the one named by the
///   stream's id. The expression sees the method's event under its own name, by reference, and yields the value of the
///   model's key, or a reference to it. A model of one row has a key that is always the same: `#[key = 0]`; its method
///   may take the event as `_`.
/// * `crate = path`: the path of gesta, if the package does not depend on it by that name; see
///   [the guide](crate::guide::gesta_behind_another_crate).
///
/// ```
/// # use gesta::prelude::*;
/// # #[value] pub enum Channel { Branch, Online }
/// # #[event] pub struct Opened { pub channel: Channel }
/// # #[event] pub struct Closed;
/// # pub struct Account;
/// # #[aggregate(id = u64)]
/// # impl Account {
/// #     fn opened(_: Opened) -> Self { Account }
/// #     fn closed(self, _: Closed) {}
/// # }
/// #[derive(ReadModel)]
/// pub struct PerChannel {
///     #[key]
///     channel: Channel,
///     opened: u32,
/// }
///
/// #[projection(of = Account, ignore(Closed))]
/// impl PerChannel {
///     #[key = e.channel]
///     fn opened(row: Option<Self>, e: &Opened) -> Option<Self> {
///         let before = row.map_or(0, |row| row.opened);
///         Some(PerChannel { channel: e.channel, opened: before + 1 })
///     }
/// }
/// ```
///
/// expands to roughly
///
/// ```text
/// impl On<Account, Opened> for PerChannel {
///     const EFFECT: Effect = Effect::Any;
///     fn row_key(event: &Recorded<Opened>) -> Result<Channel, String> { let e = &event.event; Ok(e.channel) }
///     fn on(row: &mut Option<Self>, event: &Recorded<Opened>) -> Result<(), RowError> { .. }
/// }
/// impl On<Account, Closed> for PerChannel { const EFFECT: Effect = Effect::Ignores; .. }
/// impl Projection for PerChannel { .. }     // which asks that `Account: Feeds<PerChannel>`
/// ```
pub use gesta_macros::projection;

/// A state that is stored in snapshots, so that an aggregate with many events is read from its last snapshot on.
///
/// Stands on the struct or enum of an aggregate; all of its fields have a [`Schema`](crate::Schema). Without it the state
/// is plain Rust, and every event of a stream is read.
///
/// * `snapshot_every = 100`: a snapshot is taken when this many events have come since the last one.
/// * `logic_version = 2`: change it where the state comes out otherwise than the block's own code shows, such as by
///   a helper that changed. What the block shows is seen by itself: a snapshot of other code is not found.
/// * `crate = path`: the path of gesta, if the package does not depend on it by that name; see
///   [the guide](crate::guide::gesta_behind_another_crate).
///
/// ```
/// use gesta::prelude::*;
///
/// #[state(snapshot_every = 100)]
/// pub struct Account {
///     balance: i64,
/// }
/// ```
///
/// expands to roughly
///
/// ```text
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// pub struct Account { balance: i64 }
/// impl Schema for Account { .. }
/// impl State for Account { const DOC: &'static str = ".."; const SNAPSHOTS: Snapshots<Self> = ..; }
/// ```
pub use gesta_macros::state;

/// A type inside events, commands and states: a struct or an enum.
///
/// `Clone`, `Debug`, `PartialEq`, serde and the schema come with it, and columns of read models can hold it: a newtype as
/// what is in it, an enum without fields by its variant's name, anything else as JSON. An enum without fields is also
/// `Copy`, `Eq`, `Hash` and ordered, so that it can be a key; a newtype gets these by a derive below `#[value]`.
///
/// Fields take the same attributes as those of an [`#[event]`](macro@crate::event). An enum may also have `#[serde(tag = "..")]`,
/// with or without `content`, and a struct with one field `#[serde(transparent)]`, as a newtype is stored anyway.
///
/// A value may be generic over types: it can be stored where these can. A field in which it holds itself takes
/// `#[schema(opaque = "a tree of ..")]`, since its schema would have no end; so does one field of a ring of types that hold each
/// other.
///
/// * `crate = path`: the path of gesta, if the package does not depend on it by that name; see
///   [the guide](crate::guide::gesta_behind_another_crate).
///
/// ```
/// use gesta::prelude::*;
///
/// #[value]
/// #[derive(Copy, Eq, Hash)]
/// pub struct Cents(pub i64);
///
/// #[value]
/// pub enum Channel {
///     Branch,
///     Online,
/// }
///
/// #[value]
/// pub struct Change<T> {
///     pub from: T,
///     pub to: Option<T>,
/// }
///
/// #[event]
/// pub struct Deposited {
///     pub amount: Cents,
///     pub channel: Channel,
///     pub limit: Change<Cents>,
/// }
/// ```
///
/// expands to roughly
///
/// ```text
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// #[derive(Copy, Eq, Hash)]
/// pub struct Cents(pub i64);
/// impl Schema for Cents { const NODE: Node = <i64 as Schema>::NODE; }
/// impl ColumnType for Cents { .. }
/// ```
pub use gesta_macros::value;
