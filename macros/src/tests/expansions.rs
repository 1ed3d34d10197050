//! One expansion for each macro, as a whole.

use expect_test::{ExpectFile, expect_file};

use super::{code, expand};

fn check(attribute: &str, args: &str, item: &str, expected: &ExpectFile) {
    let (tokens, errors) = expand(attribute, args, item);
    assert!(errors.is_empty(), "{errors:?}");
    expected.assert_eq(&code(tokens));
}

#[test]
fn event() {
    let item = "/// Money paid in.
        #[derive(Eq)] #[serde(rename_all = \"camelCase\")]
        pub struct MoneyDeposited { /** How much. */ pub amount_paid: Cents, #[schema(opaque = \"seconds\")] took: Duration }";
    check("event", "name = \"Deposited\"", item, &expect_file!["expansions/event.rs"]);
}

#[test]
fn event_without_fields() {
    check("event", "", "pub struct Closed;", &expect_file!["expansions/event_without_fields.rs"]);
}

#[test]
fn event_with_versions() {
    let item = "#[removed(3, /** Who took it. */ teller: Option<String>)]
        pub struct MoneyDeposited {
            /// How much.
            #[renamed(2, from = \"amt\")] #[converted(3, from = u32, with = i64::from)] pub amount: i64,
            #[added(2, default = Channel::Branch)] pub channel: Channel,
        }";
    check("event", "version = 3", item, &expect_file!["expansions/event_with_versions.rs"]);
}

#[test]
fn event_whose_step_may_fail() {
    let item = "pub struct Paid { #[converted(2, try_from = u32)] amount: Cents }";
    check("event", "version = 2", item, &expect_file!["expansions/event_whose_step_may_fail.rs"]);
}

#[test]
fn event_made_of_a_struct() {
    let item = "#[converted(2, from = MoneyDepositedV1)]
        pub struct MoneyDeposited { #[added(3, default = 0)] pub fee: i64 }";
    check("event", "version = 3", item, &expect_file!["expansions/event_made_of_a_struct.rs"]);
}

#[test]
fn command() {
    check("command", "retry", "pub struct Deposit { pub amount: i64 }", &expect_file!["expansions/command.rs"]);
}

#[test]
fn value() {
    let item = "pub enum Price { Free, Fixed(Cents), Range { from: Cents, to: Cents } }";
    check("value", "crate = ::evs", item, &expect_file!["expansions/value.rs"]);
}

#[test]
fn value_newtype() {
    check("value", "", "#[derive(Copy, Eq, Hash)] pub struct Cents(pub i64);", &expect_file!["expansions/value_newtype.rs"]);
}

#[test]
fn value_of_names() {
    check("value", "", "pub enum Channel { Branch, Online }", &expect_file!["expansions/value_of_names.rs"]);
}

#[test]
fn state() {
    check("state", "snapshot_every = 100", "pub struct Account { balance: i64 }", &expect_file!["expansions/state.rs"]);
}

#[test]
fn id_of_text() {
    check("id", "", "pub struct AccountId(String);", &expect_file!["expansions/id_of_text.rs"]);
}

#[test]
fn id_of_a_uuid() {
    check("id", "", "pub struct OrderId(Uuid);", &expect_file!["expansions/id_of_a_uuid.rs"]);
}

#[test]
fn aggregate() {
    let item = "/// Where money is kept.
        impl Account {
            fn opened(e: Opened) -> Self { Account { owner: e.owner } }
            fn paid(&mut self, e: &events::Paid) { self.balance += e.amount }
            fn closed(self, _: Closed) {}
        }";
    check("aggregate", "id = AccountId", item, &expect_file!["expansions/aggregate.rs"]);
}

#[test]
fn aggregate_with_upcasts() {
    let item = "impl Account {
            fn opened(e: Opened) -> Self { Account }
            #[upcast] fn split(e: Transferred) -> (Withdrawn, Option<Charged>) { todo!() }
            #[upcast] fn printed(_: &Printed) {}
        }";
    check("aggregate", "id = AccountId", item, &expect_file!["expansions/aggregate_with_upcasts.rs"]);
}

#[test]
fn aggregate_with_a_lock() {
    let item = "impl Account { fn opened(e: Opened) -> Self { Account } }";
    let args = "id = AccountId, name = \"Konto\", schema = \"account.events\"";
    check("aggregate", args, item, &expect_file!["expansions/aggregate_with_a_lock.rs"]);
}

#[test]
fn command_handler() {
    let item = "impl Account {
            fn open(cmd: Open) -> Opened { todo!() }
            async fn pay(&self, cmd: &Pay, bank: &dyn Bank, cx: &Context) -> Result<Paid, Error> { todo!() }
            fn ensure(this: Option<&Self>, cmd: Ensure) {}
        }";
    check("command_handler", "", item, &expect_file!["expansions/command_handler.rs"]);
}

#[test]
fn projection() {
    let item = "impl Row {
            #[key = e.owner] fn opened(e: &Opened) -> Self { todo!() }
            fn paid(&mut self, e: Paid) {}
            fn closed(self, _: &Recorded<Closed>) {}
            fn lent(row: Option<Self>, e: &Lent) -> Option<Self> { row }
        }";
    check("projection", "of = Account, ignore(Renamed)", item, &expect_file!["expansions/projection.rs"]);
}

#[test]
fn read_model() {
    let item = "#[read_model(table = \"rows\")]
        pub struct Row { #[key] id: AccountId, /** How much there is. */ #[index] balance: Cents, r#type: Option<Channel> }";
    check("ReadModel", "", item, &expect_file!["expansions/read_model.rs"]);
}

#[test]
fn read_model_of_several() {
    let item = "#[read_model(of(Account, Customer), logic_version = 2)] pub struct Both { #[key] id: u64 }";
    check("ReadModel", "", item, &expect_file!["expansions/read_model_of_several.rs"]);
}
