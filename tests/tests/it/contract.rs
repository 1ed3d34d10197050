//! The contract suite on every store.

use std::path::PathBuf;

use async_trait::async_trait;
use gesta::store::contract::{self, Offers, Outcome, Subject};
use gesta::store::sqlite::{self, SqliteOptions, Synchronous};
use gesta::store::{Store, memory};
use tempfile::TempDir;

pub(crate) struct Memory;

#[async_trait]
impl Subject for Memory {
    fn offers(&self) -> Offers {
        Offers { durable: false, leases: false, ..Offers::ALL }
    }
    async fn fresh(&self, _place: &str) -> Store {
        memory::open()
    }
    async fn reopen(&self, _place: &str) -> Option<Store> {
        None
    }
}

struct Sqlite {
    directory: TempDir,
    synchronous: Synchronous,
}

impl Sqlite {
    fn new(synchronous: Synchronous) -> Self {
        Sqlite { directory: TempDir::new().expect("a directory for the files"), synchronous }
    }
    fn path(&self, place: &str) -> PathBuf {
        self.directory.path().join(place).join("store.db")
    }
    fn open(&self, place: &str) -> Store {
        let options = SqliteOptions::new(self.path(place)).synchronous(self.synchronous);
        sqlite::open(&options).expect("a file of the suite's own")
    }
}

#[async_trait]
impl Subject for Sqlite {
    fn offers(&self) -> Offers {
        Offers { leases: false, ..Offers::ALL }
    }
    async fn fresh(&self, place: &str) -> Store {
        let directory = self.directory.path().join(place);
        if directory.exists() {
            std::fs::remove_dir_all(&directory).expect("the place can be emptied");
        }
        std::fs::create_dir(&directory).expect("the place can be made");
        self.open(place)
    }
    async fn reopen(&self, place: &str) -> Option<Store> {
        Some(self.open(place))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_keeps_the_contract() {
    let report = contract::run(&Memory).await;
    report.assert();
    let left_out = report.cases.iter().filter(|(_, outcome)| *outcome != Outcome::Kept);
    let left_out: Vec<_> = left_out.map(|(name, _)| *name).collect();
    let by_one_process = |name: &str| name.ends_with("after_reopening") || name.contains("owner") || name.contains("nobody_s");
    assert!(left_out.iter().all(|name| by_one_process(name)), "{left_out:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_the_contract() {
    let report = contract::run(&Sqlite::new(Synchronous::Full)).await;
    report.assert();
    let kept = |outcome: &Outcome| match outcome {
        Outcome::NotOffered(lacks) => *lacks == ["leases"],
        outcome => *outcome == Outcome::Kept,
    };
    assert!(report.cases.iter().all(|(_, outcome)| kept(outcome)), "something is not offered:\n{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_with_synchronous_normal_keeps_the_contract() {
    contract::run(&Sqlite::new(Synchronous::Normal)).await.assert();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_offers_less_than_it_says_is_found_out() {
    struct Boastful;
    #[async_trait]
    impl Subject for Boastful {
        fn offers(&self) -> Offers {
            Offers { durable: false, leases: false, ..Offers::ALL }
        }
        async fn fresh(&self, _place: &str) -> Store {
            Store { keys: None, ..memory::open() }
        }
        async fn reopen(&self, _place: &str) -> Option<Store> {
            None
        }
    }
    let broken = contract::run(&Boastful).await.broken();
    assert!(broken.contains(&"a_store_offers_what_it_says"), "{broken:?}");
}
