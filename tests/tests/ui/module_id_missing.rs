//! A whole module around one mistake: nothing that uses the aggregate has an error of its own.

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
#[derive(Debug)]
pub struct Closed;
impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed")
    }
}
impl std::error::Error for Closed {}

pub struct Account {
    owner: String,
    cents: i64,
}

#[aggregate]
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
    fn pay(&self, cmd: Pay) -> Result<Paid, Closed> {
        if self.owner.is_empty() { Err(Closed) } else { Ok(Paid { cents: cmd.cents }) }
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
    match app.execute(&id, Pay { cents: 5 }).await {
        Ok(done) => println!("{:?}", done.version),
        Err(ExecuteError::Rejected(Closed)) => println!("closed"),
        Err(other) => return Err(other.into()),
    }
    let loaded = app.load::<Account>(&id).await?;
    println!("{:?}", loaded.state().map(|account| account.cents));
    app.unit(async |u| {
        u.execute(&id, Pay { cents: 5 }).await?;
        Ok::<_, gesta::Refusal<Closed>>(())
    })
    .await?;
    Ok(())
}

fn main() {
    drop(run());
}
