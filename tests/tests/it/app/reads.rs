//! Read models: inline and async, read by key, by an indexed column and whole.

use std::time::Duration;

use gesta::{App, Builder, Position, ReadError};

use super::commands::lending;
use crate::domain::*;
use crate::stores::{Folder, on_every_store};

async fn fill(app: &App) {
    for (name, amounts) in [("a", &[5, 10, 20][..]), ("b", &[5]), ("c", &[]), ("d", &[20, 20])] {
        app.execute(&account(name), Open { owner: name.to_uppercase() }).await.unwrap();
        for amount in amounts {
            app.execute(&account(name), Deposit { amount: *amount }).await.unwrap();
        }
    }
}

fn following(builder: Builder, inline: bool) -> Builder {
    let builder = lending(builder);
    if inline {
        builder.inline_projection::<Summary>().inline_projection::<Amounts>()
    } else {
        builder.projection::<Summary>().projection::<Amounts>()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_read_by_key_by_an_indexed_column_and_whole() {
    for inline in [false, true] {
        on_every_store(async |builder| {
            let app = following(builder, inline).start().await.unwrap();
            fill(&app).await;
            app.settle().await.unwrap();
            let a = app.read::<Summary>().get(&account("a")).await.unwrap().unwrap();
            assert_eq!((a.owner.as_str(), a.balance, a.version), ("A", 35, 4));
            assert_eq!(app.read::<Summary>().get(&account("nobody")).await.unwrap(), None);
            let names = |rows: Vec<Summary>| rows.iter().map(|row| row.account.as_str().to_owned()).collect::<Vec<_>>().join(" ");
            assert_eq!(names(app.read::<Summary>().all().await.unwrap()), "a b c d");
            assert_eq!(names(app.read::<Summary>().descending().limit(3).all().await.unwrap()), "d c b");
            let at_least = |amount| app.read::<Summary>().filter(Summary::BALANCE.at_least(&amount));
            assert_eq!(names(at_least(5).all().await.unwrap()), "b a d");
            assert_eq!(names(at_least(6).descending().all().await.unwrap()), "d a");
            let filtered = app.read::<Summary>().filter(Summary::BALANCE.between(&0, &5)).all().await.unwrap();
            assert_eq!(names(filtered), "c b");
            assert_eq!(names(app.read::<Summary>().filter(Summary::BALANCE.is(&40)).all().await.unwrap()), "d");
            let rolled_up = app.read::<Amounts>().all().await.unwrap();
            let rolled_up: Vec<_> =
                rolled_up.iter().map(|row| (row.amount, row.times, row.last.as_ref().unwrap().as_str())).collect();
            assert_eq!(rolled_up, [(5, 2, "b"), (10, 1, "a"), (20, 3, "d")]);

            app.execute(&account("c"), Close).await.unwrap();
            app.settle().await.unwrap();
            assert_eq!(app.read::<Summary>().get(&account("c")).await.unwrap(), None, "a row ends with its account");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn you_read_your_own_writes() {
    for inline in [false, true] {
        on_every_store(async |builder| {
            let app = following(builder, inline).start().await.unwrap();
            let id = account("a");
            app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
            for balance in 1..=200 {
                let done = app.execute(&id, Deposit { amount: 1 }).await.unwrap();
                let row = app.read::<Summary>().after(&done).get(&id).await.unwrap().unwrap();
                assert_eq!(row.balance, balance);
            }
            let unknown = app.read::<Summary>().after(Position::new(1_000_000)).get(&id).await;
            assert!(matches!(unknown, Err(ReadError::PositionUnknown { .. })), "{unknown:?}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_a_page_come_whole_and_in_order() {
    on_every_store(async |builder| {
        let app = following(builder, false).start().await.unwrap();
        let ids: Vec<AccountId> = (0..1_700).map(|n| account(&format!("{n:05}"))).collect();
        let opens = ids.iter().map(|id| gesta::Envelope::<Account>::new(id.clone(), Welcome { gift: 7 }));
        let mut answers = app.execute_many::<Account, AccountError>(opens.collect::<Vec<_>>());
        while let Some((_, answer)) = answers.next().await {
            answer.unwrap();
        }
        app.settle().await.unwrap();
        for descending in [false, true] {
            // All are equal in the column, so the key decides.
            let read = app.read::<Summary>().filter(Summary::BALANCE.is(&7));
            let read = if descending { read.descending() } else { read };
            let mut rows = read.rows().await.unwrap();
            let mut seen = Vec::new();
            while let Some(row) = rows.next().await {
                seen.push(row.unwrap().account);
            }
            if descending {
                seen.reverse();
            }
            assert_eq!(seen, ids);
        }
    })
    .await;
}

/// An inline model that can't take an event refuses its command; an async one whose rows are not one stream's each stops before it
/// and says so.
mod poison {
    use super::*;
    use gesta::prelude::*;
    use gesta::{ExecuteError, Failure};

    /// Takes no deposit of 13, and believes that accounts are opened twice. By its `#[key]` a row may be that of several streams, so
    /// none of them is parked.
    #[derive(Debug, PartialEq, ReadModel)]
    pub struct Picky {
        #[key]
        account: AccountId,
        sum: i64,
    }
    #[projection(of = Account, ignore(Opened, Measured, Closed))]
    impl Picky {
        #[key = e.aggregate_id()]
        fn deposited(row: Option<Self>, e: &Recorded<Deposited>) -> Option<Self> {
            assert_ne!(e.amount, 13, "bad luck");
            Some(Picky { account: e.aggregate_id(), sum: row.map_or(0, |row| row.sum) + e.amount })
        }
        fn withdrawn(&mut self, e: &Withdrawn) {
            self.sum -= e.amount;
        }
    }

    /// Can't be let go of at 13.
    #[derive(Debug, PartialEq, ReadModel)]
    pub struct Fragile {
        #[key]
        account: AccountId,
        sum: i64,
    }
    impl Drop for Fragile {
        fn drop(&mut self) {
            assert!(self.sum != 13 || std::thread::panicking(), "let go of at 13");
        }
    }
    #[projection(of = Account, ignore(Withdrawn, Measured, Closed))]
    impl Fragile {
        fn opened(e: &Recorded<Opened>) -> Self {
            Fragile { account: e.aggregate_id(), sum: 0 }
        }
        fn deposited(&mut self, e: &Deposited) {
            self.sum += e.amount;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_panic_outside_of_handlers_is_told_too() {
        on_every_store(async |builder| {
            let app = lending(builder).projection::<Fragile>().start().await.unwrap();
            let id = account("a");
            app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
            app.execute(&id, Deposit { amount: 13 }).await.unwrap();
            let settled = tokio::time::timeout(Duration::from_secs(30), app.settle()).await.expect("somebody says so");
            let said = settled.unwrap_err().to_string();
            assert!(said.contains("`fragile` has stopped: it panicked outside of its handlers: let go of at 13"), "{said}");
        })
        .await;
        on_every_store(async |builder| {
            let app = lending(builder).inline_projection::<Fragile>().start().await.unwrap();
            let id = account("a");
            app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
            let unlucky = app.execute(&id, Deposit { amount: 13 }).await;
            assert!(matches!(unlucky, Err(ExecuteError::Failed(Failure::ReadModel { model: "fragile", .. }))), "{unlucky:?}");
            app.execute(&id, Deposit { amount: 12 }).await.unwrap();
            assert_eq!(app.read::<Fragile>().get(&id).await.unwrap().unwrap().sum, 12);
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn inline_refuses_its_own_command_only() {
        on_every_store(async |builder| {
            let app = lending(builder).inline_projection::<Picky>().inline_projection::<Summary>().start().await.unwrap();
            let id = account("a");
            app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
            let absent = app.execute(&id, Withdraw { amount: 0 }).await.unwrap_err().to_string();
            assert_eq!(
                absent,
                "the inline read model `picky` refuses `Withdrawn`: `Withdrawn` needs a row that is not there; where that is \
                 meant, write `fn name(row: Option<Self>, e: &Withdrawn) -> Option<Self>`"
            );
            app.execute(&id, Deposit { amount: 12 }).await.unwrap();
            let unlucky = app.execute(&id, Deposit { amount: 13 }).await;
            assert!(matches!(unlucky, Err(ExecuteError::Failed(Failure::ReadModel { model: "picky", .. }))), "{unlucky:?}");
            app.execute(&id, Deposit { amount: 14 }).await.unwrap();
            assert_eq!(app.read::<Picky>().get(&id).await.unwrap().unwrap().sum, 26);
            assert_eq!(app.read::<Summary>().get(&id).await.unwrap().unwrap().balance, 26);
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_model_that_follows_stops_before_the_event_and_the_others_go_on() {
        on_every_store(async |builder| {
            let app = lending(builder).projection::<Picky>().projection::<Summary>().start().await.unwrap();
            let id = account("a");
            app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
            app.execute(&id, Deposit { amount: 12 }).await.unwrap();
            app.execute(&account("b"), Welcome { gift: 1 }).await.unwrap();
            let unlucky = app.execute(&id, Deposit { amount: 13 }).await.unwrap();
            let last = app.execute(&id, Deposit { amount: 14 }).await.unwrap();
            let settled = app.settle().await;
            let Err(ReadError::Stopped { model: "picky", why }) = settled else { panic!("{settled:?}") };
            let why = why.to_string();
            let expected = format!(
                "event 3 of `Account-a` (`Deposited` version 1, at position {}), row `a`: its handler panicked",
                unlucky.position
            );
            assert!(why.starts_with(&expected) && why.contains("bad luck"), "{why}");
            let stopped = app.read::<Picky>().after(&unlucky).get(&id).await;
            assert!(matches!(stopped, Err(ReadError::Stopped { .. })));
            // It does not go on answering as if nothing had happened.
            assert!(matches!(app.read::<Picky>().get(&id).await, Err(ReadError::Stopped { .. })));
            // What went before it is there for those who ask for it, and another model is not held up.
            let before = || app.read::<Picky>().after(Position::ZERO);
            assert_eq!(before().get(&id).await.unwrap().unwrap().sum, 12);
            assert_eq!(before().get(&account("b")).await.unwrap().unwrap().sum, 1);
            assert_eq!(app.read::<Summary>().after(&last).get(&id).await.unwrap().unwrap().balance, 39);
        })
        .await;
    }
}

/// The same table under another definition.
pub mod redefined {
    use gesta::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, ReadModel)]
    #[read_model(table = "summary")]
    pub struct Owners {
        #[key]
        pub account: AccountId,
        pub owner: Option<String>,
    }
    #[projection(of = Account, ignore(Measured, Withdrawn, Deposited))]
    impl Owners {
        fn opened(e: &Recorded<Opened>) -> Self {
            Owners { account: e.aggregate_id(), owner: Some(e.owner.clone()) }
        }
        fn closed(&mut self, _: &Closed) {
            self.owner = None;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_changed_definition_is_rebuilt_from_the_events() {
        let folder = Folder::new();
        let url = folder.url("bank.db");
        let connect = async || App::connect(&url).await.unwrap();
        for inline in [false, true] {
            let app = following(connect().await, inline).start().await.unwrap();
            if !inline {
                fill(&app).await;
            }
            app.settle().await.unwrap();
            assert_eq!(app.read::<Summary>().all().await.unwrap().len(), 4);
            app.shutdown().await.unwrap();
            drop(app);

            let builder = lending(connect().await);
            let builder = if inline { builder.inline_projection::<Owners>() } else { builder.projection::<Owners>() };
            let app = builder.start().await.unwrap();
            let owner = app.read::<Owners>().get(&account("b")).await.unwrap().unwrap().owner;
            assert_eq!(owner.as_deref(), Some("B"));
            app.shutdown().await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_only_reads_is_told_that_a_model_is_outdated() {
        let folder = Folder::new();
        let app = following(App::connect(&folder.url("bank.db")).await.unwrap(), false).start().await.unwrap();
        fill(&app).await;
        app.settle().await.unwrap();
        let read_only = format!("{}?mode=ro", folder.url("bank.db"));
        let reader = lending(App::connect(&read_only).await.unwrap()).projection::<Owners>().start().await.unwrap();
        let outdated = reader.read::<Owners>().get(&account("a")).await;
        assert!(matches!(outdated, Err(ReadError::Outdated { model: "summary" })), "{outdated:?}");
        let reader = following(App::connect(&read_only).await.unwrap(), false).start().await.unwrap();
        assert_eq!(reader.read::<Summary>().all().await.unwrap().len(), 4);
        // Another process writes on, and this one sees it.
        let done = app.execute(&account("a"), Deposit { amount: 1 }).await.unwrap();
        let row = reader.read::<Summary>().after(done.position).within(Duration::from_secs(30)).get(&account("a")).await;
        assert_eq!(row.unwrap().unwrap().balance, 36);
        let refused = reader.execute(&account("a"), Deposit { amount: 1 }).await.unwrap_err();
        assert_eq!(refused.to_string(), "the store is open for reading only");
        // Whoever only reads waits, however it registered the model.
        let reader = following(App::connect(&read_only).await.unwrap(), true).start().await.unwrap();
        for balance in 37..60 {
            let done = app.execute(&account("a"), Deposit { amount: 1 }).await.unwrap();
            let row = reader.read::<Summary>().after(&done).within(Duration::from_secs(30)).get(&account("a")).await;
            assert_eq!(row.unwrap().unwrap().balance, balance);
        }
    }
}
