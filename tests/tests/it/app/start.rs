//! What is checked before an app runs.

use gesta::{App, ExecuteError, Failure, Position, StartError, Version};

use super::commands::lending;
use crate::domain::*;
use crate::stores::{Folder, on_every_store};

async fn refused(builder: gesta::Builder) -> String {
    builder.start().await.expect_err("this can't start").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_names_no_store_says_what_there_is() {
    let refused = async |url: &str| App::connect(url).await.expect_err("this is no store").to_string();
    assert_eq!(refused("oracle://x").await, "`oracle:` is no store of gesta: use one of `memory:`, `sqlite:` or `postgres:`");
    assert!(refused("bank.db").await.contains("such as `sqlite:bank.db`"));
    assert_eq!(refused("memory:x").await, "`memory:x`: a store in memory has no name: write `memory:`");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_service_is_named() {
    on_every_store(async |builder| {
        let missing = builder.aggregate::<Account>().start().await;
        let Err(StartError::MissingServices(missing)) = missing else { panic!("{missing:?}") };
        assert_eq!((missing.len(), missing[0].aggregate, missing[0].command), (1, "Account", "Borrow"));
        assert!(missing[0].service.ends_with("Lender"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_collide_and_sources_that_are_missing_are_named() {
    let connect = async || App::connect("memory:").await.unwrap();
    let twice = refused(lending(connect().await).aggregate::<Account>()).await;
    assert!(twice.contains("is registered twice: keep one"), "{twice}");
    let twice = refused(lending(connect().await).projection::<Summary>().projection::<super::reads::redefined::Owners>()).await;
    assert!(twice.contains("Summary`") && twice.contains("Owners`") && twice.contains("stored as `summary`"), "{twice}");
    let nobody = refused(connect().await.projection::<Summary>()).await;
    assert_eq!(nobody, "the read model `summary` is fed by `Account`, which is not registered: add `.aggregate::<Account>()`");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_that_is_not_registered_is_an_error_that_says_so() {
    let app = App::connect("memory:").await.unwrap().start().await.unwrap();
    let unregistered = app.execute(&account("a"), Audit).await;
    assert!(matches!(unregistered, Err(ExecuteError::Failed(Failure::Unregistered { aggregate: "Account" }))));
    assert!(app.read::<Summary>().all().await.unwrap_err().to_string().contains("add `.projection::<Summary>()`"));
}

/// The same stream as an older build knew it.
mod older {
    use gesta::prelude::*;

    use super::AccountId;

    #[event]
    pub struct Opened {
        pub owner: String,
    }
    pub struct Account;
    #[aggregate(id = AccountId)]
    impl Account {
        fn opened(_: Opened) -> Self {
            Account
        }
    }
    #[command]
    pub struct Audit;
    #[command_handler]
    impl Account {
        fn audit(&self, _: Audit) {}
    }
    #[derive(Debug, PartialEq, ReadModel)]
    pub struct Owner {
        #[key]
        account: AccountId,
    }
    #[projection(of = Account)]
    impl Owner {
        fn opened(e: &Recorded<Opened>) -> Self {
            Owner { account: e.aggregate_id() }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_this_build_does_not_know_are_listed_and_never_skipped() {
    let folder = Folder::new();
    let url = folder.url("bank.db");
    let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
    let deposited = app.execute(&account("a"), Deposit { amount: 1 }).await.unwrap();
    app.execute(&account("a"), Deposit { amount: 2 }).await.unwrap();
    app.shutdown().await.unwrap();
    drop(app);

    let builder = App::connect(&url).await.unwrap().aggregate::<older::Account>().projection::<older::Owner>();
    let app = builder.start().await.unwrap();
    let unknown = app.unknown_events();
    assert_eq!((unknown.len(), unknown[0].name.as_str(), unknown[0].first_position), (1, "Deposited", deposited.position));
    let unreadable = app.execute(&account("a"), older::Audit).await.unwrap_err().to_string();
    let expected = format!("event 2 of `Account-a` (`Deposited` version 1, at position {}): ", deposited.position);
    assert!(unreadable.starts_with(&expected), "{unreadable}");
    assert!(app.load_at::<older::Account>(&account("a"), Version::new(1)).await.is_ok());
    let stopped = app.settle().await.unwrap_err().to_string();
    assert!(stopped.contains("has no event `Deposited`"), "{stopped}");
    assert!(deposited.position > Position::ZERO);
}

/// What an app tells whoever watches it start.
mod told {
    use super::super::reads::redefined::Owners;
    use super::*;
    use crate::told::Listening;

    /// What is told while a model is made, and while it is made anew by another definition.
    async fn starts() -> [Vec<String>; 2] {
        let told = Listening::begin();
        let folder = Folder::new();
        let app = App::connect(&folder.url("bank.db")).await.unwrap();
        let app = lending(app).projection::<Summary>().inline_projection::<Amounts>().start().await.unwrap();
        app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
        app.settle().await.unwrap();
        app.shutdown().await.unwrap();
        drop(app);
        let first = told.lines();
        let app = lending(App::connect(&folder.url("bank.db")).await.unwrap()).projection::<Owners>().start().await.unwrap();
        assert_eq!(app.read::<Owners>().all().await.unwrap().len(), 1, "it answers once it was rebuilt");
        app.shutdown().await.unwrap();
        [first, told.lines()]
    }

    // On one thread, so that all of it is seen.
    #[tokio::test]
    async fn fingerprints_are_named_and_so_is_what_is_rebuilt() {
        // Another thread may come upon an event for the first time just while the subscriber is made.
        starts().await;
        let [first, second] = starts().await;
        let fingerprint = |fingerprint: u64| format!("fingerprint=\"{fingerprint:016x}\"");
        let (summary, owners) = (<Summary as gesta::Projection>::FINGERPRINT, <Owners as gesta::Projection>::FINGERPRINT);
        for part in [
            format!("aggregate=\"Account\" {} snapshots=\"", fingerprint(<Account as gesta::Aggregate>::FINGERPRINT)),
            format!("model=\"summary\" {} inline=false", fingerprint(summary)),
            "inline=true".to_owned(),
        ] {
            assert!(first.iter().any(|line| line.starts_with("INFO message=registered") && line.contains(&part)), "{first:#?}");
        }
        assert!(!first.iter().any(|line| line.contains("rebuilt")), "{first:#?}");
        let before = format!("model=\"summary\" {} before=\"{summary:016x}\"", fingerprint(owners));
        assert!(second.iter().any(|line| line.contains("it is rebuilt") && line.contains(&before)), "{second:#?}");
    }

    mod drafted {
        use gesta::prelude::*;

        #[event]
        pub struct Written {
            pub text: String,
        }
        #[command]
        pub struct Write {
            pub text: String,
        }
        pub struct Note;
        #[aggregate(id = u64, schema = "start.events")]
        impl Note {
            fn written(_: Written) -> Self {
                Note
            }
        }
        #[command_handler]
        impl Note {
            fn write(cmd: Write) -> Written {
                Written { text: cmd.text }
            }
        }
    }

    #[tokio::test]
    async fn drafts_are_named_where_what_is_stored_stays() {
        let listening = Listening::begin();
        let folder = Folder::new();
        for (url, warned) in [("memory:".to_owned(), false), (folder.url("notes.db"), true)] {
            let app = App::connect(&url).await.unwrap().aggregate::<drafted::Note>().start().await.unwrap();
            app.shutdown().await.unwrap();
            let told = listening.lines();
            let part = "aggregate=\"Note\" file=\"start.events\" drafts=\"Written v1\"";
            assert_eq!(told.iter().any(|line| line.starts_with("WARN") && line.contains(part)), warned, "{told:#?}");
        }
    }
}
