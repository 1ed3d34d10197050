//! Rows of an earlier build, whose columns held another form, are rebuilt.

use gesta::Position;
use gesta::read::{Column, ColumnKind, ColumnRole, Value};
use gesta::store::{ModelSpec, RowChange, Store};

use super::*;
use crate::postgres::server::Database;
use crate::stores::Folder;

async fn on_every_bare_store<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    let (folder, database) = (Folder::new(), Database::new().await);
    for url in ["memory:".to_owned(), folder.url("test.db"), database.url("")] {
        println!("on {url}");
        let store = gesta::store::connect(&url).await.unwrap();
        test(store.clone()).await;
        store.log.close().await.unwrap();
    }
}

/// One build: the levels that it knows, and the table they are in.
macro_rules! build {
    ($module:ident { $($level:ident $(= $number:literal)?),* }) => {
        mod $module {
            use super::*;

            #[value]
            pub enum Level {
                $($level $(= $number)?),*
            }
            #[derive(Debug, PartialEq, ReadModel)]
            #[read_model(table = "levels")]
            pub struct Levels {
                #[key]
                n: u32,
                #[index]
                level: Level,
            }
            #[projection(of = Thing)]
            impl Levels {
                #[key = e.n]
                fn put(e: &Put) -> Self {
                    Levels { n: e.n, level: if e.n == 0 { Level::High } else { Level::Low } }
                }
            }

            /// The numbers of the rows whose level is low or above, in the order of the levels.
            pub async fn from_low(store: &Store) -> Vec<u32> {
                let app = App::on(store.clone()).aggregate::<Thing>().projection::<Levels>().start().await.unwrap();
                for n in 0..2 {
                    // Refused where an earlier build has made it.
                    let _ = app.execute(&ThingId::new(n), Make { n }).await;
                }
                app.settle().await.unwrap();
                let rows = app.read::<Levels>().filter(Levels::LEVEL.at_least(&Level::Low)).all().await.unwrap();
                app.shutdown().await.unwrap();
                rows.iter().map(|row| row.n).collect()
            }
        }
    };
}
build! { first { Low, High } }
build! { inserted { Low, Medium, High } }
build! { turned { High, Low } }
build! { numbered { Low = 1, High = 2 } }
build! { renumbered { Low = 2, High = 1 } }

/// R6: a variant that is inserted, moved or given another number means other rows.
#[tokio::test(flavor = "multi_thread")]
async fn enum_with_another_order_rebuilds_its_rows() {
    on_every_bare_store(async |store| {
        assert_eq!(first::from_low(&store).await, [1, 0]);
        assert_eq!(inserted::from_low(&store).await, [1, 0]);
        assert_eq!(turned::from_low(&store).await, [1]);
        assert_eq!(numbered::from_low(&store).await, [1, 0]);
        assert_eq!(renumbered::from_low(&store).await, [1]);
        assert_eq!(first::from_low(&store).await, [1, 0]);
    })
    .await;
}

/// R6: a table whose index holds the names, as builds before this one made it.
#[tokio::test(flavor = "multi_thread")]
async fn enum_index_of_names_is_rebuilt() {
    const COLUMNS: &[Column] = &[
        Column { name: "n", kind: ColumnKind::Integer, nullable: false, role: ColumnRole::Key, doc: "" },
        Column { name: "level", kind: ColumnKind::Text, nullable: false, role: ColumnRole::Indexed, doc: "" },
    ];
    on_every_bare_store(async |store| {
        let models = store.read_models.clone().unwrap();
        let spec = ModelSpec { table: "levels", columns: COLUMNS, fingerprint: 7, inline: false };
        let prepared = models.prepare(vec![spec]).await.unwrap()[0];
        let from = match &store.leases {
            Some(leases) => leases.acquire(prepared.place).await.unwrap(),
            None => prepared.checkpoint,
        };
        let row = vec![Value::Integer(9), Value::Text("Low".to_owned())];
        let change = RowChange { key: row[0].clone(), row: Some(row) };
        models.commit(prepared.place, vec![change], from.unwrap(), Position::new(1)).await.unwrap();
        assert_eq!(first::from_low(&store).await, [1, 0]);
    })
    .await;
}

/// R8, R19: a model that is written by hand is refused as the macros refuse it, by every store and before anything is stored.
#[tokio::test(flavor = "multi_thread")]
async fn store_refuses_names_and_keys_that_no_table_can_have() {
    const fn column(name: &'static str, role: ColumnRole, nullable: bool) -> Column {
        Column { name, kind: ColumnKind::Integer, nullable, role, doc: "" }
    }
    const KEY: Column = column("id", ColumnRole::Key, false);
    const LONG: &str = "a234567890123456789012345678901234567890123456789012345678901234";
    const SYSTEM: &[Column] = &[KEY, column("XMin", ColumnRole::Plain, false)];
    const TOO_LONG: &[Column] = &[KEY, column(LONG, ColumnRole::Plain, false)];
    const NULLABLE: &[Column] = &[column("id", ColumnRole::Key, true)];
    on_every_bare_store(async |store| {
        for (columns, named) in [(SYSTEM, "`XMin`"), (TOO_LONG, LONG), (NULLABLE, "the key `id` of `rows`")] {
            let spec = ModelSpec { table: "rows", columns, fingerprint: 1, inline: false };
            let refused = store.read_models.as_ref().unwrap().prepare(vec![spec]).await.unwrap_err().to_string();
            assert!(refused.contains(named), "{refused}");
        }
    })
    .await;
}

/// R19: the indexes of two models never share a name, also where names are joined.
#[tokio::test(flavor = "multi_thread")]
async fn index_names_of_two_models_are_never_the_same() {
    const fn columns(name: &'static str) -> [Column; 2] {
        let key = Column { name: "n", kind: ColumnKind::Integer, nullable: false, role: ColumnRole::Key, doc: "" };
        [key, Column { name, role: ColumnRole::Indexed, ..key }]
    }
    on_every_bare_store(async |store| {
        let spec = |table, columns| ModelSpec { table, columns, fingerprint: 1, inline: false };
        let specs = vec![
            spec("a", const { &columns("b_by_c") }),
            spec("a_by_b", const { &columns("c") }),
            spec("a_by_d", const { &columns("c") }),
            spec("a_by_b_by_e", const { &columns("c") }),
            spec("a_by_b_by", const { &columns("e") }),
        ];
        let prepared = store.read_models.as_ref().unwrap().prepare(specs).await.unwrap();
        assert_eq!(prepared.len(), 5);
    })
    .await;
}
