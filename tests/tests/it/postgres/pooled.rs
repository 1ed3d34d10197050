//! Through a pooler in transaction mode: nothing is left in a session that somebody else gets next.

use gesta::App;
use gesta::store::connect;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use xtask::pooler::SESSIONS;

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

/// What a session holds that is not as the server gives it, and that the pooler does not set for each client.
async fn left(session: &mut PgConnection) -> Vec<String> {
    let sql = "select 'statement ' || name from pg_prepared_statements
        union all select 'setting ' || name from pg_settings where source = 'session' and name not in ('client_encoding', 'TimeZone', 'DateStyle')
        union all select 'channel ' || pg_listening_channels()
        union all select 'lock ' || objid from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()";
    let rows = sqlx::raw_sql(sql).fetch_all(session).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_app_leaves_nothing_in_the_sessions_it_was_given() {
    for options in ["?schema=shared", "?schema=alone&appends=exclusive"] {
        let database = Database::new().await;
        let pooler = database.pooler();
        let start = async |url: String| {
            let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>();
            let app = if options.contains("exclusive") { app.inline_projection::<Amounts>() } else { app };
            app.start().await.unwrap()
        };
        let app = start(database.url_through(&pooler, options)).await;
        let beside = start(database.url(options)).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..16 {
            let (app, beside) = (app.clone(), beside.clone());
            tasks.spawn(async move {
                let (a, b) = (account(&format!("{number}a")), account(&format!("{number}b")));
                app.execute(&a, Welcome { gift: 1 }).await.unwrap();
                beside.execute(&a, Deposit { amount: 2 }).await.unwrap();
                app.execute(&a, Deposit { amount: 3 }).idempotency_key("once").await.unwrap();
                beside.execute(&b, Open { owner: "x".into() }).await.unwrap();
                let unit = app.unit(async |unit: gesta::Unit| {
                    let _ = unit.execute(&a, Withdraw { amount: 4 }).await;
                    let _ = unit.execute(&b, Deposit { amount: 4 }).await;
                    Ok::<_, std::convert::Infallible>(())
                });
                unit.await.unwrap();
                assert_eq!(app.load::<Account>(&b).await.unwrap().into_state().unwrap().balance, 4);
                assert!(app.execute(&a, Withdraw { amount: 1_000 }).await.is_err());
                assert_eq!(app.history::<Account>(&a).unwrap().all().await.unwrap().len(), 5);
            });
        }
        tasks.join_all().await;
        app.settle().await.unwrap();
        assert_eq!(app.read::<Summary>().all().await.unwrap().len(), 32);

        // Each of these has a session of its own, and there are no others.
        let mut sessions = Vec::new();
        for _ in 0..SESSIONS {
            let mut session = database.connect_through(&pooler).await;
            sqlx::raw_sql("begin").execute(&mut session).await.unwrap();
            sessions.push(session);
        }
        for session in &mut sessions {
            assert_eq!(left(session).await, Vec::<String>::new(), "{options}");
            sqlx::raw_sql("commit").execute(session).await.unwrap();
        }
        app.shutdown().await.unwrap();
        beside.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_was_not_told_of_is_named() {
    let database = Database::new().await;
    let pooler = database.pooler();
    let url = pooler.url(database.name());
    let refused = connect(&url).await.err().expect("the store does not open").to_string();
    let place = url.rsplit_once('@').and_then(|(_, place)| place.split_once('/')).expect("it names a place").0;
    assert_eq!(
        refused,
        format!(
            "opening the database: {place}: unsupported startup parameter: extra_float_digits: a pooler in transaction mode seems to be \
             between: add `pooler=transaction` to the URL"
        )
    );
}
