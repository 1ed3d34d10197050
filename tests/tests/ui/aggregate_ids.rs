// `aggregate_id` gives the id of the block's aggregate, and no other type that could be parsed.
use gesta::EventOf;
use gesta::prelude::*;

#[id]
pub struct AccountId(String);
#[id]
pub struct CustomerId(String);
#[event]
pub struct Opened {}

pub struct Account;
#[aggregate(id = AccountId)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
pub struct Customer;
#[aggregate(id = CustomerId)]
impl Customer {
    fn opened(_: Opened) -> Self {
        Customer
    }
}

#[derive(ReadModel)]
#[read_model(of(Account, Customer))]
pub struct Row {
    #[key]
    name: String,
    account: Option<AccountId>,
    customer: Option<CustomerId>,
}
#[projection(of = Account)]
impl Row {
    #[key = e.stream.id().to_owned()]
    fn account_opened(e: &Recorded<Opened>) -> Self {
        let customer: CustomerId = e.aggregate_id();
        Row { name: String::new(), account: Some(e.aggregate_id()), customer: Some(customer) }
    }
}
#[projection(of = Customer)]
impl Row {
    #[key = e.stream.id().to_owned()]
    fn customer_opened(e: &Recorded<Opened>) -> Self {
        let account: AccountId = e.aggregate_id();
        Row { name: String::new(), account: Some(account), customer: Some(e.aggregate_id()) }
    }
}

// Outside of a block nothing says whose event it is.
fn helper(e: &Recorded<Opened>) -> AccountId {
    e.aggregate_id::<Account>()
}
fn of_accounts<E: EventOf<Account>>(e: &Recorded<E>) -> AccountId {
    e.aggregate_id()
}
fn of_any<E>(e: &Recorded<E>) -> AccountId {
    e.aggregate_id()
}

fn main() {}
