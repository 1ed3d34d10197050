//! A repeat by idempotency key is recognised by what a command means, not by the bytes it is written as.

use std::collections::{BTreeMap, HashMap, HashSet};

use gesta::prelude::*;
use gesta::store::{Append, NewEvent, NewKey, Store, StreamAppend};
use gesta::{CommandData, Envelope, Failure, StreamName, UnitError, Version};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::commands::lending;
use crate::domain::{Account, Deposit, Measure, Open, Withdraw, account};
use crate::stores::on_every_store;

/// What the tests put into a command: everything that has no order, at every depth, and what has one.
#[value]
#[derive(Default)]
pub struct Load {
    pub map: HashMap<String, HashSet<u32>>,
    pub set: HashSet<(u8, String)>,
    pub maybe: Option<HashMap<u16, Vec<String>>>,
    pub sorted: BTreeMap<u8, HashSet<Colour>>,
    pub list: Vec<HashSet<u8>>,
    pub flags: HashMap<String, Option<bool>>,
    pub choice: Choice,
    pub tagged: Option<Tagged>,
    #[schema(opaque = "a load of the kind above")]
    pub inner: Vec<Hidden>,
}
#[value]
#[derive(Hash, Eq)]
pub enum Colour {
    Red,
    Green,
    Blue,
}
#[value]
#[derive(Default)]
pub enum Choice {
    #[default]
    None,
    Sets(HashSet<u8>, HashSet<u8>),
    Map {
        by: HashMap<String, u8>,
    },
}
#[value]
#[serde(tag = "kind")]
pub enum Tagged {
    Some { of: HashSet<u8>, weight: f64 },
    Nothing,
}
/// Nothing is known of it but how it is read and compared.
#[value]
pub struct Hidden {
    pub set: HashSet<String>,
    pub steps: Vec<u8>,
    pub by: HashMap<String, HashSet<u8>>,
    pub note: Option<String>,
}

/// What every build of the service has; its command is a struct of its own.
macro_rules! basket {
    () => {
        #[event]
        pub struct Made;
        #[event]
        pub struct Filled;

        pub struct Basket;
        #[aggregate(id = u64)]
        impl Basket {
            fn made(_: &Made) -> Self {
                Basket
            }
            fn filled(&mut self, _: &Filled) {}
        }
        #[command_handler]
        impl Basket {
            fn fill(this: Option<&Self>, _: &Fill) -> (Option<Made>, Option<Filled>) {
                (this.is_none().then_some(Made), this.map(|_| Filled))
            }
        }
    };
}

mod full {
    use super::*;

    #[command]
    pub struct Fill {
        pub load: Load,
    }
    basket!();
}

/// The build before a deploy.
mod old {
    use super::*;

    #[value]
    pub struct Line {
        pub sku: String,
    }
    #[command]
    pub struct Fill {
        pub amount: u32,
        pub lines: Vec<Line>,
        #[schema(opaque = "a line")]
        pub gift: Line,
    }
    basket!();
}

/// The build after it.
mod new {
    use super::*;

    #[value]
    pub struct Line {
        pub note: Option<String>,
        pub sku: String,
        #[serde(default = "one")]
        pub times: u32,
    }
    #[value]
    #[derive(Default)]
    pub struct Parcel {
        pub size: u8,
        pub tags: HashSet<String>,
        #[serde(default)]
        pub fragile: bool,
    }
    #[command]
    pub struct Fill {
        pub note: Option<String>,
        #[schema(opaque = "a line")]
        pub gift: Line,
        pub lines: Vec<Line>,
        pub amount: u64,
        #[serde(default)]
        pub urgent: bool,
        #[serde(default = "one")]
        pub copies: u32,
        #[serde(default)]
        pub parcel: Parcel,
    }
    basket!();

    fn one() -> u32 {
        1
    }
}

/// The same command in another order: each hash map that is read has an order of its own.
fn rebuilt(command: &full::Fill) -> full::Fill {
    let mut written = Vec::new();
    command.encode(&mut written).unwrap();
    let again = full::Fill::decode(&written).unwrap();
    assert_eq!(again, *command);
    again
}

fn texts(n: u32) -> HashSet<String> {
    (0..n).map(|i| format!("text {i}")).collect()
}

fn bytes(n: u8) -> HashSet<u8> {
    (0..n).collect()
}

fn hidden(note: Option<&str>) -> Hidden {
    let by = (0..9).map(|i| (format!("key {i}"), bytes(i))).collect();
    Hidden { set: texts(9), steps: vec![1, 2, 3], by, note: note.map(Into::into) }
}

/// Every field of a load with something in it.
fn loads() -> Vec<Load> {
    let empty = Load::default;
    vec![
        Load { map: (0..9).map(|i| (i.to_string(), (0..i).collect())).collect(), ..empty() },
        Load { set: (0..9).map(|i| (i, i.to_string())).collect(), ..empty() },
        Load { maybe: Some((0..9).map(|i| (i, vec!["b".into(), "a".into()])).collect()), ..empty() },
        Load { sorted: BTreeMap::from([(1, HashSet::from([Colour::Red, Colour::Green, Colour::Blue]))]), ..empty() },
        Load { list: vec![bytes(9), bytes(2), bytes(9)], ..empty() },
        Load { flags: HashMap::from([("a".into(), None), ("b".into(), Some(true)), ("c".into(), None)]), ..empty() },
        Load { choice: Choice::Sets(bytes(9), bytes(3)), ..empty() },
        Load { choice: Choice::Map { by: (0..9).map(|i| (i.to_string(), i)).collect() }, ..empty() },
        Load { tagged: Some(Tagged::Some { of: bytes(9), weight: 0.5 }), ..empty() },
        Load { tagged: Some(Tagged::Nothing), ..empty() },
        Load { inner: vec![hidden(None), hidden(Some("x")), hidden(None)], ..empty() },
    ]
}

async fn fill(app: &App, id: u64, load: Load) -> Result<bool, Failure> {
    let command = full::Fill { load };
    match app.execute(&id, command).idempotency_key("k").await {
        Ok(done) => Ok(done.repeated),
        Err(ExecuteError::Failed(why)) => Err(why),
        Err(other) => panic!("{other:?}"),
    }
}

/// F11, R3: equal commands are one, in whatever order their maps and sets are written.
#[tokio::test(flavor = "multi_thread")]
async fn equal_commands_repeat_whatever_order_they_have() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<full::Basket>().start().await.unwrap();
        for (id, load) in (0..).zip(loads()) {
            let command = full::Fill { load };
            assert!(!fill(&app, id, command.load.clone()).await.unwrap());
            for _ in 0..20 {
                let again = fill(&app, id, rebuilt(&command).load).await;
                assert!(matches!(again, Ok(true)), "{command:?}: {again:?}");
            }
        }
    })
    .await;
}

/// F11, R3: the same for the commands of `execute_many`.
#[tokio::test(flavor = "multi_thread")]
async fn equal_commands_repeat_among_many() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<full::Basket>().start().await.unwrap();
        for repeated in [false, true, true] {
            let commands: Vec<_> = loads().into_iter().map(|load| rebuilt(&full::Fill { load })).collect();
            let envelopes = (0..).zip(commands).map(|(id, c)| Envelope::<full::Basket>::new(id, c).idempotency_key("k"));
            let mut answers = app.execute_many::<_, std::convert::Infallible>(envelopes);
            while let Some((number, answer)) = answers.next().await {
                assert_eq!(answer.unwrap().repeated, repeated, "the load {number}");
            }
        }
    })
    .await;
}

/// F11: a repeat is no repeat where something that has an order, or an element more, differs.
#[tokio::test(flavor = "multi_thread")]
async fn other_commands_are_refused_however_alike_they_are() {
    let steps = |steps: &[u8]| Load { inner: vec![Hidden { steps: steps.to_vec(), ..hidden(None) }], ..Load::default() };
    let flags = |flags: &[(&str, Option<bool>)]| {
        let flags = flags.iter().map(|(name, flag)| ((*name).to_owned(), *flag)).collect();
        Load { flags, ..Load::default() }
    };
    let lists = |all: &[&[u8]]| Load { list: all.iter().map(|set| set.iter().copied().collect()).collect(), ..Load::default() };
    let texts = |texts: &[&str]| {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Load { maybe: Some(HashMap::from([(1, texts)])), ..Load::default() }
    };
    let sets = |a: &[u8], b: &[u8]| {
        let set = |all: &[u8]| all.iter().copied().collect();
        Load { choice: Choice::Sets(set(a), set(b)), ..Load::default() }
    };
    let pairs = [
        (steps(&[1, 2, 3]), steps(&[3, 2, 1])),
        (steps(&[1, 2, 3]), steps(&[2, 3, 1])),
        (steps(&[1, 2]), steps(&[2, 1])),
        (steps(&[1, 2, 2]), steps(&[1, 2])),
        // In a map, a key with nothing is not a key that is not there.
        (flags(&[("a", None)]), flags(&[])),
        (flags(&[("a", None)]), flags(&[("b", None)])),
        (flags(&[("a", Some(true))]), flags(&[("a", Some(false))])),
        (lists(&[&[1, 2], &[3]]), lists(&[&[3], &[1, 2]])),
        (lists(&[&[1, 2], &[3]]), lists(&[&[1], &[2, 3]])),
        (lists(&[&[], &[1]]), lists(&[&[1]])),
        (texts(&["a", "b"]), texts(&["b", "a"])),
        (texts(&["ab", "c"]), texts(&["a", "bc"])),
        (texts(&["1"]), texts(&["\"1\""])),
        (sets(&[1], &[2]), sets(&[2], &[1])),
        (sets(&[], &[]), Load::default()),
        (Load { maybe: Some(HashMap::new()), ..Load::default() }, Load::default()),
        (Load { inner: vec![hidden(None)], ..Load::default() }, Load { inner: vec![hidden(Some(""))], ..Load::default() }),
    ];
    let pairs = &pairs;
    on_every_store(async |builder| {
        let app = builder.aggregate::<full::Basket>().start().await.unwrap();
        for (id, (one, other)) in (0..).zip(pairs) {
            assert!(!fill(&app, id, one.clone()).await.unwrap());
            let refused = fill(&app, id, other.clone()).await;
            assert!(matches!(refused, Err(Failure::KeyReused { .. })), "{one:?}, {other:?}: {refused:?}");
            assert!(fill(&app, id, one.clone()).await.unwrap());
        }
    })
    .await;
}

/// R4: a command that got fields in a deploy repeats, as long as they hold what their absence means.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_repeats_that_got_fields_in_a_deploy() {
    let folder = crate::stores::Folder::new();
    let database = crate::postgres::server::Database::new().await;
    let postgres = [database.url("?schema=shared"), database.url("?schema=alone&appends=exclusive")];
    for url in ["memory:".to_owned(), folder.url("test.db")].into_iter().chain(postgres) {
        // A store in memory ends with its last app, so the builds share it; the others are opened again.
        let memory = if url == "memory:" { Some(gesta::store::connect(&url).await.unwrap()) } else { None };
        let open = async || match &memory {
            Some(store) => App::on(store.clone()),
            None => App::connect(&url).await.unwrap(),
        };
        let line = |sku: &str| old::Line { sku: sku.into() };
        let given = old::Fill { amount: 5, lines: vec![line("a"), line("b")], gift: line("c") };
        let app = open().await.aggregate::<old::Basket>().start().await.unwrap();
        for id in 0..7 {
            assert!(!app.execute(&id, given.clone()).idempotency_key("k").await.unwrap().repeated);
        }
        app.shutdown().await.unwrap();

        let app = open().await.aggregate::<new::Basket>().start().await.unwrap();
        let line = |sku: &str| new::Line { sku: sku.into(), note: None, times: 1 };
        let same = new::Fill {
            amount: 5,
            lines: vec![line("a"), line("b")],
            gift: line("c"),
            note: None,
            urgent: false,
            copies: 1,
            parcel: new::Parcel::default(),
        };
        let mut others = vec![same.clone(); 6];
        others[0].note = Some(String::new());
        others[1].urgent = true;
        others[2].copies = 0;
        others[3].parcel.fragile = true;
        others[4].lines[1].times = 2;
        others[5].lines[0].note = Some("x".into());
        for (id, other) in (0..).zip(others) {
            assert!(app.execute(&id, same.clone()).idempotency_key("k").await.unwrap().repeated, "on {url}");
            let refused = app.execute(&id, other).idempotency_key("k").await;
            assert!(matches!(refused, Err(ExecuteError::Failed(Failure::KeyReused { .. }))), "{id}: {refused:?}");
        }
        // What the new build stores, it finds again; a default inside of a field that is none counts too.
        let mut filled = same.clone();
        filled.parcel = new::Parcel { size: 1, tags: texts(9), fragile: false };
        for repeated in [false, true] {
            let mut again = filled.clone();
            again.parcel.tags = texts(9);
            assert_eq!(app.execute(&100, again).idempotency_key("k").await.unwrap().repeated, repeated);
        }
        filled.parcel.fragile = true;
        assert!(app.execute(&100, filled).idempotency_key("k").await.is_err());
        app.shutdown().await.unwrap();
    }
}

fn load() -> impl Strategy<Value = Load> {
    use proptest::collection::{btree_map, hash_map, hash_set, vec};
    let text = || "[a-c]{0,2}";
    let colour = || prop_oneof![Just(Colour::Red), Just(Colour::Green), Just(Colour::Blue)];
    let choice = prop_oneof![
        Just(Choice::None),
        (hash_set(0..4u8, 0..4), hash_set(0..4u8, 0..4)).prop_map(|(a, b)| Choice::Sets(a, b)),
        hash_map(text(), 0..3u8, 0..3).prop_map(|by| Choice::Map { by }),
    ];
    let tagged = prop_oneof![
        Just(Tagged::Nothing),
        (hash_set(0..9u8, 0..4), prop_oneof![Just(0.0), Just(-0.0), Just(1.0), Just(1e300)])
            .prop_map(|(of, weight)| Tagged::Some { of, weight }),
    ];
    let hidden = (hash_set(text(), 0..4), vec(0..3u8, 0..4), hash_map(text(), hash_set(0..3u8, 0..3), 0..3));
    let hidden = (hidden, proptest::option::of(text())).prop_map(|((set, steps, by), note)| Hidden { set, steps, by, note });
    let unordered = (
        hash_map(text(), hash_set(0..3u32, 0..4), 0..4),
        hash_set((0..3u8, text()), 0..4),
        proptest::option::of(hash_map(0..3u16, vec(text(), 0..3), 0..3)),
        btree_map(0..3u8, hash_set(colour(), 0..3), 0..3),
        vec(hash_set(0..4u8, 0..4), 0..4),
        hash_map(text(), any::<Option<bool>>(), 0..3),
    );
    (unordered, choice, proptest::option::of(tagged), vec(hidden, 0..3)).prop_map(
        |((map, set, maybe, sorted, list, flags), choice, tagged, inner)| Load {
            map,
            set,
            maybe,
            sorted,
            list,
            flags,
            choice,
            tagged,
            inner,
        },
    )
}

/// F11, R3: over random values, the key is taken for a repeat where the commands are equal, and nowhere else.
#[test]
fn random_commands_repeat_where_they_are_equal() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(async {
        let builder = App::connect("memory:").await.unwrap();
        builder.aggregate::<full::Basket>().start().await.unwrap()
    });
    let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
    let id = std::sync::atomic::AtomicU64::new(0);
    runner
        .run(&(load(), load()), |(one, other)| {
            let id = id.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let same = rebuilt(&full::Fill { load: one.clone() });
            prop_assert!(!runtime.block_on(fill(&app, id, one.clone())).unwrap());
            prop_assert!(matches!(runtime.block_on(fill(&app, id, same.load)), Ok(true)));
            let answer = runtime.block_on(fill(&app, id, other.clone()));
            prop_assert_eq!(matches!(answer, Ok(true)), one == other, "{:?}", answer);
            Ok(())
        })
        .unwrap();
}

/// A command that an earlier build has stored by itself, with its key.
async fn stored_before(store: &Store, stream: &StreamName, events: Vec<(&'static str, &str)>, key: Option<NewKey>) {
    let (expected, mut new) = (if events.len() > 1 { 0 } else { 2 }, Vec::new());
    for (name, payload) in events {
        let payload = payload.as_bytes().to_vec();
        new.push(NewEvent { id: Uuid::now_v7(), name, schema_version: 1, occurred_at: None, payload });
    }
    let part = StreamAppend { stream: stream.clone(), expected: Version::new(expected), expected_event: None, events: new, key };
    let append = Append {
        streams: vec![part],
        recorded_at: Timestamp::now(),
        actor: None,
        correlation_id: None,
        causation_id: None,
        crowded: false,
        inline: None,
    };
    store.log.append(append).await.unwrap();
}

/// F11, F12: hashes of earlier builds are compared by their algorithm: over the bytes of the first command.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_earlier_builds_work_on() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let (id, name) = (account("a"), StreamName::new("Account", &account("a")).unwrap());
        // FNV-1a over "Deposit" and {"amount":5}, each ended by 0xff.
        let key = NewKey { key: "old".into(), command_hash: 0x0f7f_6cc5_9b02_4b4e, hash_version: 1 };
        let events = vec![("Opened", r#"{"owner":"Ann"}"#), ("Deposited", r#"{"amount":5}"#)];
        stored_before(app.store(), &name, events, Some(key)).await;
        let newer = NewKey { key: "newer".into(), command_hash: 1, hash_version: 3 };
        stored_before(app.store(), &name, vec![("Deposited", r#"{"amount":5}"#)], Some(newer)).await;

        let run = async |amount: i64, key: &str| {
            let unit = app.unit(async |u| {
                u.execute(&id, Deposit { amount }).await.map_err(drop)?;
                u.execute(&id, Withdraw { amount: 100 }).await.map(drop).map_err(drop)
            });
            unit.idempotency_key(key).await
        };
        for _ in 0..2 {
            assert!(app.execute(&id, Deposit { amount: 5 }).idempotency_key("old").await.unwrap().repeated);
            let other = app.execute(&id, Deposit { amount: 6 }).idempotency_key("old").await;
            assert!(matches!(other, Err(ExecuteError::Failed(Failure::KeyReused { .. }))), "{other:?}");
            assert!(run(5, "old").await.unwrap().repeated);
            assert!(matches!(run(6, "old").await, Err(UnitError::Failed(Failure::KeyReused { .. }))));
        }
        // What a newer build has stored can't be compared; so it is neither a repeat nor another command.
        let Err(ExecuteError::Failed(why)) = app.execute(&id, Deposit { amount: 5 }).idempotency_key("newer").await else {
            panic!("a hash of version 3 is not known")
        };
        assert!(matches!(why, Failure::NewerKey { hash_version: 3, .. }) && why.is_newer_build_needed() && !why.is_retryable());
        assert!(matches!(run(5, "newer").await, Err(UnitError::Failed(Failure::NewerKey { .. }))));
        assert_eq!(app.load::<Account>(&id).await.unwrap().version, Version::new(3));
    })
    .await;
}

/// F11: hashes are stored, so those of today's algorithm never change either. Computed by another program.
#[tokio::test(flavor = "multi_thread")]
async fn hashes_stay_as_they_are_stored() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let (a, b) = (account("a"), account("b"));
        let hash = async |key: &str| {
            let keys = app.store().keys.clone().unwrap();
            let found = keys.find_key(&StreamName::new("Account", &a).unwrap(), key).await.unwrap().unwrap();
            (found.hash_version, found.command_hash)
        };
        app.execute(&a, Open { owner: "Ann".into() }).idempotency_key("open").await.unwrap();
        assert_eq!(hash("open").await, (2, 0x0ac4_513e_c31a_0684));
        app.execute(&a, Deposit { amount: 5 }).idempotency_key("deposit").await.unwrap();
        assert_eq!(hash("deposit").await, (2, 0x57b4_c341_9637_f66c));
        app.execute(&a, Measure { rate: 0.5 }).idempotency_key("measure").await.unwrap();
        assert_eq!(hash("measure").await, (2, 0xd219_6a46_3d04_a7f6));
        app.execute(&b, Open { owner: "Bob".into() }).await.unwrap();
        let unit = app.unit(async |u| {
            u.execute(&a, Withdraw { amount: 5 }).await?;
            u.execute(&b, Deposit { amount: 5 }).await.map(drop)
        });
        unit.idempotency_key("transfer").await.unwrap();
        assert_eq!(hash("transfer").await, (2, 0x1402_955f_3aa0_a1f5));
    })
    .await;
}
