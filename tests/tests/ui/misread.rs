//! What can't be read is still there for the code that uses it: each mistake is one error.
use gesta::App;
use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event]
pub struct Paid {
    pub by: u32,
}
#[command]
pub struct Open {}
#[command]
pub struct Pay {
    pub by: u32,
}
pub struct Bank;
#[id]
pub struct BankId(pub u32);

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn paid(&mut self, _: Paid) -> Result<(), String> {
        Ok(())
    }
}
#[command_handler]
impl Account {
    fn open(_: Open) -> Opened {
        Opened {}
    }
    fn pay(&self, cmd: Pay, _: Bank) -> Result<Paid, String> {
        Ok(Paid { by: cmd.by })
    }
}

#[derive(ReadModel)]
#[read_model(of(Account))]
pub struct PerPayer {
    #[key]
    by: u32,
    paid: u32,
}
#[projection(of = Account, ignore(Opened))]
impl PerPayer {
    #[key(e.by)]
    fn paid(row: Option<Self>, e: &Paid) -> Option<Self> {
        Some(PerPayer { by: e.by, paid: row.map_or(1, |row| row.paid + 1) })
    }
}

#[derive(ReadModel)]
pub struct Keyless {
    account: u64,
    paid: u32,
}
#[projection(of = Account)]
impl Keyless {
    fn opened(e: &Recorded<Opened>) -> Self {
        Keyless { account: e.aggregate_id(), paid: 0 }
    }
    fn paid(&mut self, _: &Paid) {
        self.paid += 1;
    }
}

async fn used(app: &App) {
    let _ = app.execute(&1, Pay { by: 2 }).idempotency_key("1").await;
    let _ = app.read::<Keyless>().get(&1).await;
    let _ = app.read::<PerPayer>().get(&2).await;
}

fn copied(bank: BankId) -> (BankId, BankId) {
    (bank, if bank == BankId::new(1) { BankId::from(2) } else { bank })
}

async fn started() {
    let _ = App::connect("memory:").await.unwrap().aggregate::<Account>().projection::<PerPayer>().projection::<Keyless>();
}

fn main() {}
