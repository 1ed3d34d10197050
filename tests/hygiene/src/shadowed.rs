//! The names that generated code is most likely to use are taken, by types and constants. Those of `u8`, `u64` and
//! `str` are not: serde's own derive needs them.

#[allow(non_camel_case_types, missing_docs, unreachable_pub, clippy::upper_case_acronyms)]
mod taken {
    pub struct Option;
    pub struct Result;
    pub struct Vec;
    pub struct String;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub struct From;
    pub struct Into;
    pub struct TryFrom;
    pub struct Clone;
    pub struct Copy;
    pub struct Debug;
    pub struct PartialEq;
    pub struct Send;
    pub struct Sync;
    pub struct Default;
    pub struct Box;
    pub struct Future;
    pub struct Event;
    pub struct Command;
    pub struct Aggregate;
    pub struct Schema;
    pub struct Probe;
    pub struct Lacks;
    pub struct core;
    pub struct std;
    pub struct serde;
    pub struct evs;
    pub struct gesta;
    pub struct bool;
    pub struct u32;
    pub struct M;
    pub struct T;
    pub struct E;
    pub struct A;
    pub const ROW: i64 = 1;
    pub const STATE: i64 = 1;
    pub const EVENT: i64 = 1;
}
#[allow(unused_imports)]
use taken::*;

/// An id.
#[::evs::id(crate = ::evs)]
pub struct AccountId(::std::string::String);
/// An id.
#[::evs::id(crate = ::evs)]
pub struct OrderId(::evs::Uuid);
/// An id.
#[::evs::id(crate = ::evs)]
pub struct Line(i64);

/// Money.
#[::evs::value(crate = ::evs)]
#[derive(::std::cmp::Eq, ::std::hash::Hash)]
pub struct Cents(pub i64);

/// Where it happened.
#[::evs::value(crate = ::evs)]
pub enum Channel {
    /// At the counter.
    Branch,
    /// On the web.
    Online,
}

/// A size.
#[::evs::value(crate = ::evs)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// None.
    None,
    /// One number.
    Some(i64),
    /// Two.
    Ok(i64, Cents),
    /// By name.
    Err {
        /// The width.
        state: i64,
        /// The height.
        event: i64,
    },
}

/// An event.
#[::evs::event(crate = ::evs)]
pub struct Opened {
    /// Who.
    pub owner: ::std::string::String,
    /// How big.
    pub size: ::std::option::Option<Size>,
    /// When.
    #[schema(opaque = "seconds")]
    pub took: ::std::time::Duration,
}
/// An event.
#[::evs::event(crate = ::evs)]
pub struct Paid {
    /// How much.
    pub r#type: Cents,
}
/// An event.
#[::evs::event(name = "closed", crate = ::evs)]
pub struct Closed;

/// An event with a history.
#[::evs::event(version = 4, crate = ::evs)]
#[removed(3, /** Gone. */ #[added(2, default = Cents(1))] None: Cents)]
pub struct Changed {
    /// From another name and type.
    #[renamed(2, from = "state")]
    #[converted(3, from = ::std::string::String, with = length)]
    #[converted(4, try_from = u64)]
    pub event: i64,
    /// By a function that may fail.
    #[converted(3, try_from = OldCents, with = not_negative)]
    #[converted(2, from = i64)]
    pub r#type: Cents,
    /// Which came.
    #[added(2, default = Self::nothing())]
    pub old: ::std::option::Option<Size>,
}
impl Changed {
    fn nothing() -> ::std::option::Option<Size> {
        ::std::option::Option::None
    }
}
fn length(text: ::std::string::String) -> u64 {
    text.len() as u64
}
/// What cents were: kept for the history alone, and private.
#[::evs::value(crate = ::evs)]
struct OldCents(i64);
impl ::std::convert::From<i64> for OldCents {
    fn from(cents: i64) -> Self {
        OldCents(cents)
    }
}
fn not_negative(OldCents(cents): OldCents) -> ::std::result::Result<Cents, ::std::string::String> {
    if cents < 0 { ::std::result::Result::Err(::std::string::String::new()) } else { ::std::result::Result::Ok(Cents(cents)) }
}
/// An earlier version of it, as a struct.
#[::evs::event(name = "whole", crate = ::evs)]
pub struct WholeV1 {
    /// One.
    pub one: i64,
}
/// An event made of another.
#[::evs::event(name = "whole", version = 3, crate = ::evs)]
#[converted(2, from = WholeV1)]
pub struct Whole {
    /// Another one.
    #[renamed(3, from = "two")]
    pub three: i64,
}
impl ::std::convert::From<WholeV1> for WholeV2 {
    fn from(old: WholeV1) -> Self {
        WholeV2 { two: old.one }
    }
}
/// A retired event.
#[::evs::event(crate = ::evs)]
pub struct Retired;

/// A state.
#[::evs::state(snapshot_every = 10, crate = ::evs)]
pub struct Account {
    owner: ::std::string::String,
}
#[::evs::aggregate(id = AccountId, crate = ::evs)]
impl Account {
    fn opened(event: Opened) -> Self {
        Account { owner: event.owner }
    }
    fn paid(&mut self, state: &Paid) {
        let _ = (state, &self.owner);
    }
    fn closed(self, _: Closed) {
        let _ = self;
    }
    #[upcast]
    fn changed(event: Changed) -> (Paid, ::std::option::Option<Paid>) {
        (Paid { r#type: event.r#type }, ::std::option::Option::None)
    }
    #[upcast]
    fn whole(state: &Whole) -> ::std::vec::Vec<AccountEvent> {
        ::std::vec![::std::convert::Into::into(Paid { r#type: Cents(state.three) })]
    }
    #[upcast]
    fn retired(_: Retired) {}
}

/// A command.
#[::evs::command(crate = ::evs)]
pub struct Open {}
/// A command.
#[::evs::command(retry, crate = ::evs)]
pub struct Pay {
    /// How much.
    pub state: Cents,
}
/// A command.
#[::evs::command(crate = ::evs)]
pub struct Close;
/// A service.
pub trait Bank: ::std::marker::Send + ::std::marker::Sync {}

#[::evs::command_handler(crate = ::evs)]
impl Account {
    fn open(this: ::std::option::Option<&Self>, _: Open) -> ::std::result::Result<Opened, ()> {
        let _ = this;
        ::std::result::Result::Err(())
    }
    async fn pay(&self, _: Pay, _: &::evs::Context, _: &dyn Bank) -> ::std::option::Option<Paid> {
        ::std::option::Option::None
    }
    fn close(&self, _: &Close) -> Closed {
        Closed
    }
}

/// A row.
#[derive(::evs::ReadModel)]
#[read_model(table = "rows", crate = ::evs)]
pub struct Row {
    #[key]
    owner: ::std::string::String,
    #[index]
    r#type: Channel,
    sum: Cents,
}
#[::evs::projection(of = Account, ignore(Closed), crate = ::evs)]
impl Row {
    #[key = e.owner]
    fn opened(row: ::std::option::Option<Self>, e: &Opened) -> ::std::option::Option<Self> {
        let _ = e;
        row
    }
    #[key = &recorded.event.r#type.0.to_string_of()]
    fn paid(&mut self, recorded: &::evs::Recorded<Paid>) {
        self.sum.0 += recorded.event.r#type.0;
    }
}

/// For a key that is made of something else.
trait ToStringOf {
    /// As text.
    fn to_string_of(&self) -> ::std::string::String;
}
impl ToStringOf for i64 {
    fn to_string_of(&self) -> ::std::string::String {
        ::std::format!("{self}")
    }
}
