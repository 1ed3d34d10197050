//! Positions: none is told to readers that nobody was given, and none is given before the lock is held.

use std::time::{Duration, Instant};

use gesta::App;
use gesta::store::connect;
use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use tokio::task::JoinHandle;

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

/// Takes positions without end, in steps of a few.
fn taking(mut connection: PgConnection) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let taken = connection.execute("select count(nextval('gesta_positions')) from generate_series(1, 20000)").await;
            taken.expect("positions are given");
        }
    })
}

/// How often a look was ahead of a look behind it: at the table that a sequence is, and by the census.
async fn ahead(connection: &mut PgConnection, looks: i32) -> (i64, i64) {
    sqlx::query_as("select * from ahead($1)").bind(looks).fetch_one(connection).await.expect("looks can be compared")
}

/// While `nextval` writes its log, what stands in a sequence is 32 more than it has given. Whoever selects from it as from a table is
/// told that, and takes for settled what is still to be given. The census must not be.
#[tokio::test(flavor = "multi_thread")]
async fn a_census_is_never_told_a_position_that_was_not_given() {
    let database = Database::new().await;
    connect(&database.url("")).await.unwrap().log.close().await.unwrap();
    let mut looking = database.connect().await;
    // The census itself takes so long that the positions would be given by its end.
    let census: String =
        sqlx::query_scalar("select prosrc from pg_proc where proname = 'gesta_census'").fetch_one(&mut looking).await.unwrap();
    let asks = census.split(';').find(|statement| statement.contains("into settled")).expect("it asks for the position");
    let compare = format!(
        "create function ahead(looks int, out direct bigint, out census bigint) language plpgsql as $$
            declare settled bigint;
            begin
                direct := 0; census := 0;
                for i in 1..looks loop
                    select last_value into settled from gesta_positions;
                    if settled > pg_sequence_last_value('gesta_positions') then direct := direct + 1; end if;
                    {asks};
                    if settled > pg_sequence_last_value('gesta_positions') then census := census + 1; end if;
                end loop;
            end $$"
    );
    looking.execute(AssertSqlSafe(compare)).await.unwrap();
    let takers = [taking(database.connect().await), taking(database.connect().await)];
    let (until, mut direct) = (Instant::now() + Duration::from_mins(1), 0);
    // Until it is shown that it can go wrong.
    while direct < 10 && Instant::now() < until {
        let (more, census) = ahead(&mut looking, 50_000).await;
        assert_eq!(census, 0, "a census was ahead of the sequence");
        direct += more;
    }
    takers.iter().for_each(JoinHandle::abort);
    println!("select from the sequence: {direct} times ahead of it; the census: never");
    assert!(direct > 0, "nobody was ever told too much: does this test see anything?");
}

/// Whoever inserts is stopped before the trigger that holds the lock.
const STOP: &str =
    "create function stop() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(4711); return null; end';
    create trigger a_stop before insert on gesta_events for each statement execute function stop()";
const STOPPED: &str = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and not granted";
/// The position that was given last, and how many hold the lock.
const GIVEN: &str =
    "select coalesce(pg_sequence_last_value('gesta_positions'), 0), (select count(*) from pg_locks l, gesta_store s
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid::int8 = s.lock_key >> 32 & 4294967295
        and l.objid::int8 = s.lock_key & 4294967295
        and l.database = (select oid from pg_database where datname = current_database()))";

/// Stops an append in the middle, and looks whether it has been given a position without the lock.
async fn stopped(admin: &mut PgConnection, what: &str, work: JoinHandle<()>) {
    let until = Instant::now() + Duration::from_secs(20);
    let (before, _): (i64, i64) = sqlx::query_as(GIVEN).fetch_one(&mut *admin).await.unwrap();
    while sqlx::query_scalar::<_, i64>(STOPPED).fetch_one(&mut *admin).await.unwrap() == 0 {
        assert!(Instant::now() < until && !work.is_finished(), "{what}: it was not stopped");
    }
    let (given, holders): (i64, i64) = sqlx::query_as(GIVEN).fetch_one(&mut *admin).await.unwrap();
    assert!(given == before || holders > 0, "{what}: it was given position {given} without the lock");
    admin.execute("select pg_advisory_unlock(4711)").await.unwrap();
    work.await.unwrap();
    admin.execute("select pg_advisory_lock(4711)").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_position_is_given_before_the_lock_is_held() {
    for appends in ["shared", "exclusive"] {
        let database = Database::new().await;
        let app = lending(App::connect(&database.url(&format!("?appends={appends}"))).await.unwrap()).start().await.unwrap();
        app.execute(&account("A"), Open { owner: "Ann".into() }).await.unwrap();
        app.execute(&account("A"), Deposit { amount: 1 }).await.unwrap();
        let pool = PgPoolOptions::new().connect(&database.url("")).await.unwrap();
        let mut admin = database.connect().await;
        sqlx::raw_sql(STOP).execute(&mut admin).await.unwrap();
        // Those who wait for it do so for longer than an append would.
        admin.execute(AssertSqlSafe(format!("alter database {} set lock_timeout = 0", database.name()))).await.unwrap();
        admin.execute("select pg_advisory_lock(4711)").await.unwrap();

        let a = account("A");
        let run = |work: &'static str| {
            let (app, a, pool) = (app.clone(), a.clone(), pool.clone());
            let hand = "insert into gesta_events (stream, version, name, schema_version, event_id, recorded_at, payload)
                values ('Account-hand', 1, 'Opened', 1, gen_random_uuid(), 0, '{}')";
            tokio::spawn(async move {
                match work {
                    "one event" => drop(app.execute(&a, Deposit { amount: 1 }).await.unwrap()),
                    "several events" => drop(app.execute(&a, Drip { times: 3 }).await.unwrap()),
                    "a key" => drop(app.execute(&a, Deposit { amount: 1 }).idempotency_key("k").await.unwrap()),
                    "a kind that is new" => drop(app.execute(&a, Withdraw { amount: 1 }).await.unwrap()),
                    "a transaction" | "a transaction that holds a key" => {
                        let joint = app.join(pool.begin().await.unwrap()).await.unwrap();
                        if work != "a transaction" {
                            joint.execute(&a, Audit).idempotency_key("audit").await.unwrap();
                        }
                        joint.execute(&a, Deposit { amount: 1 }).await.unwrap();
                        joint.execute(&a, Drip { times: 2 }).await.unwrap();
                        joint.commit().await.unwrap();
                    }
                    _ => drop(pool.execute(hand).await.unwrap()),
                }
            })
        };
        for what in [
            "one event",
            "several events",
            "a key",
            "a kind that is new",
            "a transaction",
            "a transaction that holds a key",
            "by hand",
        ] {
            stopped(&mut admin, &format!("{appends}, {what}"), run(what)).await;
        }
        app.shutdown().await.unwrap();
    }
}
