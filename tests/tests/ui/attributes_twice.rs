use gesta::prelude::*;

#[event]
#[event]
pub struct Opened {}

// An event is a value already.
#[event]
#[value]
pub struct Paid {
    pub cents: i64,
}

#[command]
#[event]
pub struct Open {}

#[id]
#[id]
pub struct AccountId(String);

#[id]
#[value]
pub struct OrderId(u64);

pub struct Account;
#[aggregate(id = AccountId)]
#[aggregate(id = AccountId)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn paid(&mut self, _: Paid) {}
}
pub struct Order;
#[aggregate(id = OrderId)]
#[command_handler]
impl Order {
    fn opened(_: Opened) -> Self {
        Order
    }
}

#[derive(ReadModel)]
#[read_model(of(Account, Order))]
pub struct Row {
    #[key]
    id: u64,
}
#[projection(of = Account, ignore(Opened, Paid))]
#[projection(of = Order, ignore(Opened))]
impl Row {}

#[event]
pub struct Noted {
    #[schema(opaque = "text")]
    #[schema(opaque = "a number")]
    pub a: i64,
    #[schema]
    pub b: i64,
    #[schema()]
    pub c: i64,
}
#[value]
#[schema(opaque = "text")]
pub enum Kind {
    #[schema(opaque = "text")]
    One(u8),
}

fn main() {}
