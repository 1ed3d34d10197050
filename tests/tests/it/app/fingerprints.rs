//! What a stored state is found by, and what a read model's rows are taken for: the definitions they were made by.

use gesta::prelude::*;
use gesta::{Aggregate as _, Projection as _};

use super::kept::Kept;

#[id]
pub struct ThingId(String);
#[event]
pub struct Made {
    pub n: u32,
}

/// One definition of a state and what becomes of it.
macro_rules! thing {
    ($module:ident { $($state:tt)* } { $($block:tt)* }) => {
        mod $module {
            use super::*;

            $($state)*
            #[aggregate(id = ThingId)]
            impl Thing {
                $($block)*
            }
            #[command]
            pub struct Make;
            #[command_handler]
            impl Thing {
                fn make(_: Make) -> Made {
                    Made { n: 1 }
                }
            }

            /// What its snapshots are kept under.
            pub async fn key() -> u64 {
                let mut store = gesta::store::connect("memory:").await.unwrap();
                let kept = Kept::beneath(&mut store);
                let app = App::on(store).aggregate::<Thing>().start().await.unwrap();
                app.execute(&ThingId::new("a").unwrap(), Make).await.unwrap();
                app.shutdown().await.unwrap();
                let seen: Vec<_> = kept.taken().into_iter().collect();
                let [(false, _, key)] = seen[..] else { panic!("{seen:?}") };
                key
            }
        }
    };
}

thing! { one {
    #[state(snapshot_every = 1)]
    pub struct Thing {
        pub n: u64,
    }
} {
    fn made(e: &Made) -> Self {
        Thing { n: e.n.into() }
    }
} }
thing! { with_docs {
    /// What it is.
    #[state( snapshot_every=1 )]
    pub struct Thing { /** How many. */ pub n : u64 }
} {
    /// With docs, and laid out in another way.
    fn made( e : & Made ) -> Self { /* why */ Thing {
        n : e . n . into()
    } }
} }
thing! { other_schema {
    #[state(snapshot_every = 1)]
    pub struct Thing {
        pub n: i64,
    }
} {
    fn made(e: &Made) -> Self {
        Thing { n: e.n.into() }
    }
} }
thing! { other_logic {
    #[state(snapshot_every = 1, logic_version = 1)]
    pub struct Thing {
        pub n: u64,
    }
} {
    fn made(e: &Made) -> Self {
        Thing { n: e.n.into() }
    }
} }
thing! { other_tokens {
    #[state(snapshot_every = 1)]
    pub struct Thing {
        pub n: u64,
    }
} {
    fn made(e: &Made) -> Self {
        Thing { n: (e.n + 1).into() }
    }
} }

#[tokio::test]
async fn a_snapshot_is_found_by_the_schema_the_logic_version_and_the_handlers_that_made_it_and_by_no_more() {
    let one = one::key().await;
    assert_eq!(with_docs::key().await, one);
    let others = [other_schema::key().await, other_logic::key().await, other_tokens::key().await];
    let mut keys = vec![one];
    keys.extend(others);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 4, "{others:x?}, and not {one:x}");
    // It is one thing each time.
    let fold = one::Thing::FINGERPRINT;
    assert_eq!([other_schema::Thing::FINGERPRINT, other_logic::Thing::FINGERPRINT], [fold; 2]);
    assert_ne!(other_tokens::Thing::FINGERPRINT, fold);
    let state = one::Thing::SNAPSHOTS.unwrap().fingerprint;
    assert_eq!(other_tokens::Thing::SNAPSHOTS.unwrap().fingerprint, state);
    assert_ne!(other_schema::Thing::SNAPSHOTS.unwrap().fingerprint, state);
    assert_ne!(other_logic::Thing::SNAPSHOTS.unwrap().fingerprint, state);
}

#[derive(Debug, PartialEq, ReadModel)]
#[read_model(table = "things")]
pub struct Row {
    #[key]
    pub thing: ThingId,
    pub n: i64,
}
#[projection(of = one::Thing)]
impl Row {
    fn made(e: &Recorded<Made>) -> Self {
        Row { thing: e.aggregate_id(), n: e.n.into() }
    }
}

/// Each may change with a release that says so in its notes, and with no other, no compiler and no machine: with them, every
/// read model in every database is rebuilt, and every snapshot is made anew.
#[tokio::test]
async fn fingerprints_are_those_of_the_last_release() {
    let found = [one::Thing::FINGERPRINT, Row::FINGERPRINT, one::key().await];
    let released = [0x7fef_4ca1_7926_47e4, 0x96c2_94b1_2fdd_49fa, 0xe1c0_f5ae_4395_034e];
    assert_eq!(found, released, "{found:x?}");
}
