//! A whole module around one mistake: two errors at the command's only use.

use gesta::prelude::*;

#[id]
pub struct AccountId(String);

#[event]
pub struct Opened {
    pub owner: String,
}
#[event]
pub struct Paid {
    pub cents: i64,
}
#[command]
pub struct Open {
    pub owner: String,
}
#[command]
pub struct Pay {
    pub cents: i64,
}

pub struct Account {
    owner: String,
    cents: i64,
}

#[aggregate(id = AccountId)]
impl Account {
    fn opened(e: Opened) -> Self {
        Account { owner: e.owner, cents: 0 }
    }
    fn paid(&mut self, e: Paid) {
        self.cents += e.cents;
    }
}

#[command_handler]
impl Account {
    fn open(cmd: Open) -> Opened {
        Opened { owner: cmd.owner }
    }
}

#[derive(ReadModel, Debug, Clone)]
pub struct Balance {
    #[key]
    pub id: AccountId,
    #[index]
    pub owner: String,
    pub cents: i64,
}

#[projection(of = Account)]
impl Balance {
    fn opened(e: &Recorded<Opened>) -> Self {
        Balance { id: e.aggregate_id(), owner: e.event.owner.clone(), cents: 0 }
    }
    fn paid(&mut self, e: &Paid) {
        self.cents += e.cents;
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::connect("memory:").await?.aggregate::<Account>().projection::<Balance>().start().await?;
    let id = AccountId::new("A")?;
    app.execute(&id, Open { owner: "Ann".into() }).await?;
    let done = app.execute(&id, Pay { cents: 5 }).actor("me").await?;
    let row = app.read::<Balance>().after(&done).get(&id).await?;
    println!("{:?}", row.map(|row| row.cents));
    let rich = app.read::<Balance>().filter(Balance::OWNER.is(&"Ann".to_owned())).all().await?;
    println!("{}", rich.len());
    let loaded = app.load::<Account>(&id).await?;
    println!("{:?}", loaded.state().map(|account| account.cents));
    Ok(())
}

fn main() {
    drop(run());
}
