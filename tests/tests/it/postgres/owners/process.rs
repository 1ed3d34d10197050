//! A process of its own that feeds read models, as long as nobody else does.
//!
//! It takes a URL, says `started`, and then a line for each that it is given: for an amount, which it deposits on the account `A`,
//! the row that this has made; for `feeds`, of each of its models, whether it is the one that feeds it. It ends once it is given
//! nothing more.

#![allow(unreachable_pub, missing_docs, reason = "the domain is written as any other")]
#![allow(dead_code, reason = "it is not all of the domain")]

#[path = "../../domain.rs"]
mod domain;

use std::sync::Arc;

use gesta::{App, ProjectionError, ReadError, Uuid};

use self::domain::{Account, Amounts, Deposit, Lender, Summary, account};

struct Nobody;
impl Lender for Nobody {
    fn lend(&self, _: Uuid, _: i64) -> bool {
        false
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let url = std::env::args().nth(1).expect("write: models-owner URL");
    let builder = App::connect(&url).await.expect("the store opens");
    let builder = builder.shared_service::<dyn Lender>(Arc::new(Nobody)).aggregate::<Account>();
    let app = builder.projection::<Summary>().projection::<Amounts>().start().await.expect("the app starts");
    println!("started");
    for line in std::io::stdin().lines() {
        match &*line.expect("it is told in UTF-8") {
            "feeds" => println!("{}", feeds(&app).await),
            amount => println!("{}", deposit(&app, amount.parse().expect("an amount")).await),
        }
    }
    app.shutdown().await.expect("the app shuts down");
}

async fn deposit(app: &App, amount: i64) -> String {
    let done = app.execute(&account("A"), Deposit { amount }).await.expect("it is stored");
    let row = app.read::<Summary>().after(&done).get(&account("A")).await.expect("it can be read, whoever feeds it");
    row.map_or_else(|| "no row".to_owned(), |row| format!("{} at {}", row.balance, row.version))
}

async fn feeds(app: &App) -> String {
    let tried = [app.retry_parked::<Summary>().await, app.retry_parked::<Amounts>().await];
    let said = tried.map(|tried| match tried {
        Ok(_) => "yes".to_owned(),
        Err(ReadError::Stopped { why: ProjectionError::Superseded, .. }) => "superseded".to_owned(),
        Err(why) => why.to_string(),
    });
    said.join(" ")
}
