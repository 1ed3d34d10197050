//! A panic of the code that writes and reads values is the failure of one command, or of one
//! stream.

use gesta::{Envelope, ExecuteError, Failure, UnitError};

use super::*;
use crate::stores::on_every_store;

#[value]
pub struct Cell {
    #[serde(with = "fragile")]
    #[schema(opaque = "a number")]
    pub number: i64,
}
/// Its cell is what the state holds: one more than what the event says.
#[derive(Debug, ReadModel)]
pub struct Strikes {
    #[key]
    id: u64,
    cell: Cell,
}
#[projection(of = Garden, ignore(Grown, Rounded, Noted))]
impl Strikes {
    fn planted(e: &Recorded<Planted>) -> Self {
        Strikes { id: e.aggregate_id(), cell: Cell { number: 0 } }
    }
    fn struck(&mut self, e: &Struck) {
        self.cell.number = e.number + 1;
    }
}

fn strike(number: i64) -> Strike {
    Strike { given: 0, number }
}

fn boom(why: &Failure) {
    let why = why.to_string();
    assert!(why.contains("panicked: boom while writing"), "{why}");
}

/// `F16`: a panic in `Serialize` of an event, and of a command with a key, is a failure of that command.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_while_writing_is_a_failure_of_that_command() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().start().await.unwrap();
        planted(&app, 1).await;
        match app.execute(&1, strike(fragile::WRITE)).await {
            Err(ExecuteError::Failed(why)) => boom(&why),
            other => panic!("{other:?}"),
        }
        match app.execute(&1, Strike { given: fragile::WRITE, number: 1 }).idempotency_key("key").await {
            Err(ExecuteError::Failed(why)) => boom(&why),
            other => panic!("{other:?}"),
        }
        let unit = app.unit(async |unit| unit.execute(&1, strike(fragile::WRITE)).await.map(drop).map_err(|_| ()));
        match unit.await {
            Err(UnitError::Failed(why)) => boom(&why),
            other => panic!("{other:?}"),
        }
        let mut many = app.execute_many::<Garden, String>([Envelope::<Garden>::new(1, strike(fragile::WRITE))]);
        match many.next().await {
            Some((0, Err(ExecuteError::Failed(why)))) => boom(&why),
            other => panic!("{other:?}"),
        }
        // Nothing was stored, and the next command finds the aggregate as it was.
        let done = app.execute(&1, strike(1)).await.unwrap();
        assert_eq!(done.version.get(), 2);
    })
    .await;
}

/// `F16`: a state that panics when it is written has no snapshot, and every command goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_snapshot_keeps_no_command_from_its_answer() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().start().await.unwrap();
        planted(&app, 1).await;
        for version in 2..6 {
            let done = app.execute(&1, strike(fragile::WRITE - 1)).await.unwrap();
            assert_eq!(done.version.get(), version);
        }
        // One that panics when it is read is as good as none.
        for version in 6..9 {
            let done = app.execute(&1, strike(fragile::READ - 1)).await.unwrap();
            assert_eq!(done.version.get(), version);
        }
        assert_eq!(app.load::<Garden>(&1).await.unwrap().state().unwrap().struck, fragile::READ);
    })
    .await;
}

/// `F16`: a row that panics when it is written parks its stream, and the read model goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_panics_when_written_parks_its_stream() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().projection::<Strikes>().start().await.unwrap();
        for id in [1, 2] {
            planted(&app, id).await;
        }
        app.execute(&1, strike(fragile::WRITE - 1)).await.unwrap();
        let last = app.execute(&2, strike(5)).await.unwrap();
        let row = app.read::<Strikes>().after(&last).within(LONG).get(&2).await.unwrap().expect("a row");
        assert_eq!(row.cell.number, 6);
        let parked = app.parked::<Strikes>().await.unwrap();
        assert_eq!(parked.len(), 1, "{parked:?}");
        assert!(parked[0].why.contains("panicked: boom while writing"), "{parked:?}");
    })
    .await;
}

/// `F16`: an inline row that panics when it is written refuses the command.
#[tokio::test(flavor = "multi_thread")]
async fn an_inline_row_that_panics_when_written_refuses_its_command() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().inline_projection::<Strikes>().start().await.unwrap();
        planted(&app, 1).await;
        match app.execute(&1, strike(fragile::WRITE - 1)).await {
            Err(ExecuteError::Failed(why @ Failure::ReadModel { .. })) => boom(&why),
            other => panic!("{other:?}"),
        }
        app.execute(&1, strike(1)).await.unwrap();
    })
    .await;
}

/// `F16`: a row that panics when it is read, or that no one could read, is never stored: its stream is parked.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_can_not_be_read_parks_its_stream() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().projection::<Strikes>().start().await.unwrap();
        for id in 1..=3 {
            planted(&app, id).await;
        }
        app.execute(&1, strike(fragile::READ - 1)).await.unwrap();
        app.execute(&2, strike(fragile::UNREADABLE - 1)).await.unwrap();
        let last = app.execute(&3, strike(7)).await.unwrap();
        let row = app.read::<Strikes>().after(&last).within(LONG).get(&3).await.unwrap().expect("a row");
        assert_eq!(row.cell.number, 8);
        let parked = app.parked::<Strikes>().await.unwrap();
        let why: Vec<_> = parked.iter().map(|parked| parked.why.as_str()).collect();
        assert_eq!(why.len(), 2, "{why:?}");
        assert_eq!(why[0], "column `cell`: reading it panicked: boom while reading");
        assert!(why[1].starts_with("column `cell`: invalid type: string \"text\", expected i64"), "{why:?}");
        assert_eq!(app.read::<Strikes>().despite_parked().all().await.unwrap().len(), 3);
        // The same after the streams were tried again, from the first event that is not in its row.
        assert_eq!(app.retry_parked::<Strikes>().await.unwrap(), parked);
    })
    .await;
}

/// A command whose `Clone` panics, which the app calls for each attempt.
mod cloned {
    use gesta::prelude::*;

    #[event]
    pub struct Done {}
    pub struct Thing {}
    #[aggregate(id = u64)]
    impl Thing {
        fn done(_: Done) -> Self {
            Thing {}
        }
    }
    #[command]
    #[derive(Clone)]
    pub struct Do {
        pub part: Part,
    }
    #[value]
    pub struct Part {
        #[schema(opaque = "nothing")]
        pub inner: Inner,
    }
    #[derive(Debug, PartialEq)]
    pub struct Inner;
    impl Clone for Inner {
        fn clone(&self) -> Self {
            panic!("boom while copying")
        }
    }
    impl gesta::serde::Serialize for Inner {
        fn serialize<S: gesta::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit()
        }
    }
    impl<'de> gesta::serde::Deserialize<'de> for Inner {
        fn deserialize<D: gesta::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            <()>::deserialize(deserializer).map(|()| Inner)
        }
    }
    #[command_handler]
    impl Thing {
        fn act(_: Do) -> Done {
            Done {}
        }
    }
}

/// `F16`: a panic in `Clone` of a command is a failure of that command.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_while_copying_is_a_failure_of_that_command() {
    let app = App::connect("memory:").await.unwrap().aggregate::<cloned::Thing>().start().await.unwrap();
    match app.execute(&1, cloned::Do { part: cloned::Part { inner: cloned::Inner } }).await {
        Err(ExecuteError::Failed(Failure::Panicked { message, .. })) => assert_eq!(message, "boom while copying"),
        other => panic!("{other:?}"),
    }
}
