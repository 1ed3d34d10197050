//! The builds of one aggregate over time, each with versions and events of its own, on what all of them have stored.

use std::collections::BTreeSet;

use super::*;
use crate::app::kept::Kept;

/// What all of them do the same.
macro_rules! till {
    ({ $($events:item)* } { $($further:tt)* } $number:ty, |$amount:ident| $paid:expr) => {
        use super::*;

        $($events)*
        #[event]
        pub struct Placed;
        /// Every build can read it.
        #[event]
        pub struct Counted;
        #[state(snapshot_every = 3)]
        pub struct Till {
            pub sum: $number,
        }
        #[aggregate(id = AccountId)]
        impl Till {
            fn placed(_: &Placed) -> Self {
                Till { sum: 0 }
            }
            fn counted(&mut self, _: &Counted) {}
            $($further)*
        }
        #[command]
        pub struct Place;
        #[command]
        pub struct Count;
        #[command]
        pub struct Pay {
            pub amount: $number,
        }
        #[command_handler]
        impl Till {
            fn place(_: Place) -> Placed {
                Placed
            }
            fn count(&self, _: Count) -> Counted {
                Counted
            }
            fn pay(&self, cmd: Pay) -> Paid {
                let $amount = cmd.amount;
                $paid
            }
        }
        #[derive(Debug, PartialEq, ReadModel)]
        pub struct Sums {
            #[key]
            pub till: AccountId,
            pub sum: $number,
        }
    };
}

pub mod first {
    till! {
        {
            #[event]
            pub struct Paid {
                pub amt: u32,
            }
            #[event]
            pub struct Moved {
                pub amounts: Vec<u32>,
            }
        }
        {
            fn paid(&mut self, e: &Paid) {
                self.sum += e.amt;
            }
            fn moved(&mut self, e: &Moved) {
                self.sum += e.amounts.iter().sum::<u32>();
            }
        }
        u32, |amt| Paid { amt }
    }
    #[projection(of = Till, ignore(Counted))]
    impl Sums {
        fn placed(e: &Recorded<Placed>) -> Self {
            Sums { till: e.aggregate_id(), sum: 0 }
        }
        fn paid(&mut self, e: &Paid) {
            self.sum += e.amt;
        }
        fn moved(&mut self, e: &Moved) {
            self.sum += e.amounts.iter().sum::<u32>();
        }
    }
}

pub mod third {
    till! {
        {
            #[event(version = 3)]
            #[removed(3, #[added(2, default = None)] by: Option<String>)]
            pub struct Paid {
                #[renamed(2, from = "amt")]
                #[converted(3, from = u32)]
                pub amount: i64,
                #[added(2, default = "cash".to_owned())]
                pub how: String,
            }
            #[event]
            pub struct Moved {
                pub amounts: Vec<u32>,
            }
        }
        {
            // In hundredths: the state of another build would be a hundred times too small or too large.
            fn paid(&mut self, e: &Paid) {
                self.sum += e.amount * 100;
            }
            #[upcast]
            fn moved(e: Moved) -> Vec<Paid> {
                e.amounts.iter().map(|amount| Paid { amount: (*amount).into(), how: "moved".to_owned() }).collect()
            }
        }
        i64, |amount| Paid { amount, how: "card".to_owned() }
    }
    #[projection(of = Till, ignore(Counted))]
    impl Sums {
        fn placed(e: &Recorded<Placed>) -> Self {
            Sums { till: e.aggregate_id(), sum: 0 }
        }
        fn paid(&mut self, e: &Paid) {
            self.sum += e.amount;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_build_stored_is_what_the_third_one_reads_and_neither_loses_anything() {
    on_every_store(async |mut store| {
        let (mut a, mut b) = (0, 0);
        let kept = Kept::beneath(&mut store);
        let (mut by_first, mut by_third) = (BTreeSet::new(), BTreeSet::new());
        for round in 0..3 {
            for inline in [false, true] {
                let app = gesta::App::on(store.clone()).aggregate::<first::Till>();
                // Inline it would refuse what it can't fold behind newer events.
                let app = app.projection::<first::Sums>().start().await.unwrap();
                if (round, inline) == (0, false) {
                    for id in ["a", "b"] {
                        app.execute(&id_of(id), first::Place).await.unwrap();
                    }
                    put(&store, &till("b"), "Moved", 1, r#"{"amounts":[30,0,4]}"#).await;
                    b += 34;
                }
                for amount in 1..=4 {
                    app.execute(&id_of("b"), first::Pay { amount }).await.unwrap();
                    b += i64::from(amount);
                    // The third build's payments are in here from the second time on.
                    let newer = app.execute(&id_of("a"), first::Pay { amount }).await;
                    match newer {
                        Ok(_) => a += i64::from(amount),
                        Err(error) => assert!(a > 0 && error.is_newer_build_needed(), "{error}"),
                    }
                }
                let sum = app.load::<first::Till>(&id_of("b")).await.unwrap().into_state().unwrap().sum;
                assert_eq!(i64::from(sum), b);
                // It has come as far as it can, and took nothing on the way for broken.
                match app.settle().await {
                    Ok(()) => assert_eq!((round, inline), (0, false), "the third build has not written yet"),
                    Err(error) => assert!(error.is_newer_build_needed(), "{error:?}"),
                }
                assert_eq!(app.parked::<first::Sums>().await.unwrap(), []);
                app.shutdown().await.unwrap();
                by_first.extend(kept.taken());

                let app = gesta::App::on(store.clone()).aggregate::<third::Till>();
                let app = if inline { app.inline_projection::<third::Sums>() } else { app.projection::<third::Sums>() };
                let app = app.start().await.unwrap();
                assert!(app.unknown_events().is_empty());
                for amount in 1..=4 {
                    app.execute(&id_of("a"), third::Pay { amount: amount << 40 }).await.unwrap();
                    a += amount << 40;
                }
                for _ in 0..3 {
                    app.execute(&id_of("b"), third::Count).await.unwrap();
                }
                app.settle().await.unwrap();
                for (id, sum) in [("a", a), ("b", b)] {
                    // By its snapshots, by its rows, and from all of its events.
                    assert_eq!(app.load::<third::Till>(&id_of(id)).await.unwrap().into_state().unwrap().sum, sum * 100);
                    assert_eq!(app.read::<third::Sums>().get(&id_of(id)).await.unwrap().unwrap().sum, sum);
                    let history = app.history::<third::Till>(&id_of(id)).unwrap().all().await.unwrap();
                    let paid = history.iter().filter_map(|event| match &event.event {
                        third::TillEvent::Paid(paid) => Some(paid),
                        third::TillEvent::Placed(_) | third::TillEvent::Counted(_) => None,
                    });
                    assert_eq!(paid.clone().map(|paid| paid.amount).sum::<i64>(), sum);
                    let how: BTreeSet<_> = paid.map(|paid| paid.how.as_str()).collect();
                    assert_eq!(how.into_iter().collect::<Vec<_>>(), if id == "a" { ["card", "cash"] } else { ["cash", "moved"] });
                }
                app.shutdown().await.unwrap();
                by_third.extend(kept.taken());
            }
        }
        // Both builds have kept both tills, and found them again: each under a key of its own.
        let fingerprints =
            |kept: &BTreeSet<(bool, String, u64)>| -> BTreeSet<u64> { kept.iter().map(|(.., key)| *key).collect() };
        for kept in [&by_first, &by_third] {
            let keys: Vec<_> = fingerprints(kept).into_iter().collect();
            let [key] = keys[..] else { panic!("{kept:?}") };
            for (found, till) in [(false, "Till-a"), (false, "Till-b"), (true, "Till-a"), (true, "Till-b")] {
                assert!(
                    kept.contains(&(found, till.to_owned(), key)),
                    "{till} was {}: {kept:?}",
                    if found { "found" } else { "kept" }
                );
            }
        }
        assert!(fingerprints(&by_first).is_disjoint(&fingerprints(&by_third)));
    })
    .await;
}

fn id_of(text: &str) -> AccountId {
    super::id(text)
}
fn till(id: &str) -> StreamName {
    StreamName::parse(&format!("Till-{id}")).unwrap()
}

#[test]
fn a_test_is_given_earlier_versions() {
    use gesta::testing::{given, given_events};
    given::<third::Till>(third::Placed)
        .and_stored_version::<third::Paid>(1, third::PaidV1 { amt: 1 })
        .and_stored_version::<third::Paid>(2, third::PaidV2 { amount: 20, how: "card".to_owned(), by: None })
        .and_stored(third::Moved { amounts: vec![300, 4_000] })
        .when(third::Pay { amount: 50_000 })
        .then_state(|till| assert_eq!(till.sum, 5_432_100));
    given_events::<third::Till>(&id_of("a"), third::Placed)
        .and_stored_version::<third::Till, third::Paid>(&id_of("a"), 1, third::PaidV1 { amt: 5 })
        .then_row(&id_of("a"), third::Sums { till: id_of("a"), sum: 5 });
    let panic = |work: fn()| *std::panic::catch_unwind(work).unwrap_err().downcast::<String>().unwrap();
    let other = panic(|| drop(given::<third::Till>(()).and_stored_version::<third::Paid>(2, third::PaidV1 { amt: 1 })));
    assert_eq!(other, "`PaidV1` is version 1 of `Paid`, not version 2");
    let none = panic(|| drop(given::<third::Till>(()).and_stored_version::<third::Paid>(2, third::Placed)));
    assert_eq!(none, "`Placed` is no version of `Paid`");
}
