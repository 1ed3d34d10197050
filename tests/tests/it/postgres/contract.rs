//! The contract suite on Postgres, in both ways of keeping appends in order, and through a pooler.

use std::time::Duration;

use async_trait::async_trait;
use gesta::store::Store;
use gesta::store::contract::{self, Offers, Outcome, Subject};
use gesta::store::postgres::{self, PostgresOptions};
use sqlx::{AssertSqlSafe, Executor};

use xtask::pooler::Pooler;

use super::server::Database;

pub struct Postgres {
    pub database: Database,
    pub appends: &'static str,
    pub pooler: Option<Pooler>,
}

impl Postgres {
    async fn open(&self, place: &str) -> Store {
        let options = format!("?schema={}&appends={}", schema(place), self.appends);
        let url = match &self.pooler {
            Some(pooler) => self.database.url_through(pooler, &options),
            None => self.database.url(&options),
        };
        let options = PostgresOptions::parse(&url).expect("a right URL").lease(Duration::from_millis(500));
        postgres::open(&options).await.expect("the store opens")
    }
}

fn schema(place: &str) -> String {
    place.chars().take(63).collect()
}

#[async_trait]
impl Subject for Postgres {
    fn offers(&self) -> Offers {
        Offers { sole_writer: false, ..Offers::ALL }
    }
    async fn fresh(&self, place: &str) -> Store {
        let sql = format!("drop schema if exists {} cascade", schema(place));
        self.database.connect().await.execute(AssertSqlSafe(sql)).await.expect("a schema of the suite's own");
        self.open(place).await
    }
    async fn reopen(&self, place: &str) -> Option<Store> {
        Some(self.open(place).await)
    }
}

async fn keeps_the_contract(appends: &'static str, pooled: bool) {
    let database = Database::new().await;
    let pooler = pooled.then(|| database.pooler());
    let report = contract::run(&Postgres { database, appends, pooler }).await;
    report.assert();
    assert!(report.cases.iter().all(|(_, outcome)| *outcome == Outcome::Kept), "something is not offered:\n{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_the_contract_with_appends_beside_each_other() {
    keeps_the_contract("shared", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_the_contract_with_appends_under_one_lock() {
    keeps_the_contract("exclusive", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_the_contract_through_a_pooler_with_appends_beside_each_other() {
    keeps_the_contract("shared", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_the_contract_through_a_pooler_with_appends_under_one_lock() {
    keeps_the_contract("exclusive", true).await;
}
