//! Values that SQLite keeps otherwise than the other stores.

mod model {
    use gesta::prelude::*;

    #[event]
    pub struct Weighed {
        pub grams: f64,
    }
    pub struct Scale {}
    #[aggregate(id = u64)]
    impl Scale {
        fn weighed(_: Weighed) -> Self {
            Scale {}
        }
    }
    #[command]
    pub struct Weigh {
        pub grams: f64,
    }
    #[command_handler]
    impl Scale {
        fn weigh(cmd: Weigh) -> Weighed {
            Weighed { grams: cmd.grams }
        }
    }
    #[derive(Debug, ReadModel)]
    #[read_model(table = "weights")]
    pub struct Weights {
        #[key]
        pub scale: u64,
        #[index]
        pub grams: f64,
        pub single: f32,
        pub maybe: Option<f64>,
    }
    #[projection(of = Scale)]
    impl Weights {
        fn weighed(e: &Recorded<Weighed>) -> Self {
            #[allow(clippy::cast_possible_truncation, reason = "zero is zero")]
            Weights { scale: e.aggregate_id(), grams: e.grams, single: e.grams as f32, maybe: Some(e.grams) }
        }
    }
}

use model::{Scale, Weigh, Weights};

/// R30: SQLite keeps no sign of zero in a column, so no store does; events keep it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn negative_zero_is_the_same_on_every_store() {
    crate::stores::on_every_store(async |builder| {
        let app = builder.aggregate::<Scale>().projection::<Weights>().start().await.expect("an app");
        let done = app.execute(&1, Weigh { grams: -0.0 }).await.expect("a command");
        let row = app.read::<Weights>().after(&done).get(&1).await.expect("a read").expect("a row");
        let bits = [row.grams.to_bits(), u64::from(row.single.to_bits()), row.maybe.expect("a number").to_bits()];
        assert_eq!(bits, [0; 3], "{row:?}");
        for zero in [0.0, -0.0] {
            for filter in [Weights::GRAMS.is(&zero), Weights::GRAMS.at_least(&zero), Weights::GRAMS.at_most(&zero)] {
                assert_eq!(app.read::<Weights>().filter(filter).all().await.expect("a read").len(), 1);
            }
        }
        let mut events = app.history::<Scale>(&1).expect("an id");
        let event = events.next().await.expect("an event").expect("an event");
        let model::ScaleEvent::Weighed(weighed) = event.event;
        assert!(weighed.grams.is_sign_negative());
        app.shutdown().await.expect("shutting down");
    })
    .await;
}
