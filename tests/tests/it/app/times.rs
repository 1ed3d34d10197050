//! Times that no calendar of everyday life holds, in `gesta_log`.

use gesta::prelude::*;

use super::commands::lending;
use crate::domain::*;
use crate::postgres::server::Database;
use crate::stores::Folder;

/// The first microsecond of 4712 BC.
const FIRST: i64 = -210_831_897_600_000_000;

/// The edges of what a timestamp holds, of the years with four digits, and of what Postgres and SQLite know of.
fn edges() -> Vec<Timestamp> {
    let year = |year: i64| (year - 1970) * 31_556_952_000_000;
    let years = [-290_000, -4_714, -4_713, -4_711, -1, 0, 1, 1969, 1970, 2101, 9999, 10_000, 100_000, 294_000].map(year);
    // The ends of what there is; the first microseconds of the years 0 and 10000; the first time that Postgres shows.
    let ends = [i64::MIN, i64::MAX, -62_167_219_200_000_000, 253_402_300_800_000_000, FIRST];
    let edges = years.into_iter().chain(ends);
    let near = edges.flat_map(|at| [at.saturating_sub(1), at, at.saturating_add(1), at.saturating_add(86_399_123_457)]);
    near.map(Timestamp::from_micros).collect()
}

async fn measure_at(app: &App, times: &[Timestamp]) {
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
    for at in times {
        app.execute(&account("a"), Measure { rate: 1.0 }).occurred_at(*at).await.unwrap();
    }
}

/// R26: SQLite's `gesta_log` shows each time as it is parsed.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_log_shows_any_time_as_it_is_parsed() {
    let folder = Folder::new();
    let app = lending(App::connect(&folder.url("test.db")).await.unwrap()).start().await.unwrap();
    measure_at(&app, &edges()).await;
    let file = rusqlite::Connection::open(folder.file("test.db")).unwrap();
    let mut query = file.prepare("SELECT occurred_at FROM gesta_log WHERE name = 'Measured' ORDER BY position").unwrap();
    let shown: Vec<Option<String>> = query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(shown.len(), edges().len());
    for (at, shown) in edges().into_iter().zip(shown) {
        let shown = shown.unwrap_or_else(|| panic!("{at} is not shown"));
        assert_eq!(shown.parse(), Ok(at), "{at} is shown as {shown}");
    }
    app.shutdown().await.unwrap();
}

/// R26: one event far away does not break Postgres' `gesta_log`, and each time is exact; what Postgres has no time for is infinite.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_log_shows_any_time_to_the_microsecond() {
    let database = Database::new().await;
    let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    measure_at(&app, &edges()).await;
    for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Niue", "Europe/Berlin"] {
        let mut connection = database.connect().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("set timezone = '{zone}'"))).execute(&mut connection).await.unwrap();
        let sql = "select occurred_at::text, isfinite(occurred_at),
                case when isfinite(occurred_at) then extract(epoch from date_trunc('second', occurred_at))::int8 * 1000000
                    + extract(microseconds from occurred_at)::int8 % 1000000 end
            from gesta_log where name = 'Measured' order by position";
        let shown: Vec<(String, bool, Option<i64>)> = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap();
        assert_eq!(shown.len(), edges().len());
        for (at, (text, finite, micros)) in edges().into_iter().zip(shown) {
            assert_eq!(
                (finite, micros.unwrap_or(at.as_micros())),
                (at.as_micros() >= FIRST, at.as_micros()),
                "{at} is shown as {text}"
            );
            assert!(finite || text == "-infinity", "{at} is shown as {text}");
        }
    }
    app.shutdown().await.unwrap();
}
