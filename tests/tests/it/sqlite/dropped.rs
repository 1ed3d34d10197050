//! An app that was dropped lets go of its file at once.

use gesta::App;

use super::*;
use crate::app::commands::lending;
use crate::domain::{Account, Amounts, Deposit, Open, Summary, account};
use crate::stores::Folder;

async fn start(url: &str) -> App {
    let builder = App::connect(url).await.expect("the file is free");
    lending(builder).projection::<Summary>().projection::<Amounts>().start().await.expect("an app")
}

async fn open_and_drop(url: &str, rounds: u32) {
    for round in 0..rounds {
        let app = start(url).await;
        let id = account(&format!("a{round}"));
        app.execute(&id, Open { owner: "Ann".into() }).await.expect("a command");
        app.execute(&id, Deposit { amount: 5 }).await.expect("a command");
        let clone = app.clone();
        drop(app);
        // The app is there as long as a clone is.
        assert!(matches!(App::connect(url).await, Err(StartError::InUse { .. })));
        clone.execute(&id, Deposit { amount: 5 }).await.expect("a command");
        drop(clone);
    }
}

/// R13: the tasks that feed its read models end a moment later, and hold the store until then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_app_frees_its_file_at_once() {
    let folder = Folder::new();
    open_and_drop(&folder.url("test.db"), 20).await;
    let app = start(&folder.url("test.db")).await;
    app.settle().await.expect("the models catch up");
    for round in 0..20 {
        let row = app.read::<Summary>().get(&account(&format!("a{round}"))).await.expect("a read").expect("a row");
        assert_eq!((row.balance, row.version), (10, 3));
    }
    app.shutdown().await.expect("shutting down");
}

/// R13: the same where the tasks can't end, since the runtime's only thread is busy with the test.
#[tokio::test]
async fn dropped_app_frees_its_file_at_once_on_one_thread() {
    let folder = Folder::new();
    open_and_drop(&folder.url("test.db"), 20).await;
}

/// R13: a history that is still there reads on, and holds nobody up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_outlives_the_app_without_its_lock() {
    let folder = Folder::new();
    let app = start(&folder.url("test.db")).await;
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.expect("a command");
    let mut history = app.history::<Account>(&account("a")).expect("an id");
    drop(app);
    let next = start(&folder.url("test.db")).await;
    assert!(history.next().await.expect("an event").is_ok());
    assert!(history.next().await.is_none());
    next.execute(&account("a"), Deposit { amount: 5 }).await.expect("a command");
    next.shutdown().await.expect("shutting down");
}

/// R13: the runtime of the app has ended before the app.
#[test]
fn app_that_outlives_its_runtime_frees_its_file_at_once() {
    let folder = Folder::new();
    let run = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    for _ in 0..5 {
        let app = run().block_on(start(&folder.url("test.db")));
        drop(app);
        run().block_on(async {
            let app = start(&folder.url("test.db")).await;
            app.shutdown().await.expect("shutting down");
        });
    }
}

mod broken {
    use gesta::prelude::*;

    use crate::domain::*;

    /// Takes no deposit.
    #[derive(Debug, ReadModel)]
    #[read_model(table = "broken")]
    pub struct Broken {
        #[key]
        account: AccountId,
    }
    #[projection(of = Account, ignore(Withdrawn, Measured, Closed))]
    impl Broken {
        fn opened(e: &Recorded<Opened>) -> Self {
            Broken { account: e.aggregate_id() }
        }
        fn deposited(&mut self, _: &Deposited) {
            panic!("on purpose")
        }
    }
}

/// R13: an app that did not start lets go of its file as well.
#[tokio::test]
async fn app_that_fails_to_start_frees_its_file_at_once() {
    let folder = Folder::new();
    let app = start(&folder.url("test.db")).await;
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.expect("a command");
    app.execute(&account("a"), Deposit { amount: 5 }).await.expect("a command");
    app.shutdown().await.expect("shutting down");
    for _ in 0..5 {
        let builder = App::connect(&folder.url("test.db")).await.expect("the file is free");
        let builder = lending(builder).projection::<Summary>().inline_projection::<broken::Broken>();
        let error = builder.start().await.expect_err("a model that can't be brought up");
        assert!(matches!(error, StartError::CatchUp { .. }), "{error}");
    }
}

/// R13: what is in use says how it comes free.
#[tokio::test]
async fn file_in_use_says_how_to_end_the_other_app() {
    let folder = Folder::new();
    let app = start(&folder.url("test.db")).await;
    let error = App::connect(&folder.url("test.db")).await.expect_err("it is in use");
    assert!(error.to_string().contains("`shutdown()`"), "{error}");
    app.shutdown().await.expect("shutting down");
}
