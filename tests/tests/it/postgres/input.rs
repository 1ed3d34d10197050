//! What users hand in is bound and never becomes SQL; and what no server takes is refused before anything is sent, by its limit.

use std::time::Duration;

use gesta::prelude::*;
use gesta::read::Value;
use gesta::store::{Append, AppendError, ModelSpec, NewEvent, NewKey, RowChange, RowQuery, StreamAppend, connect};
use gesta::{App, Limits, Position, StreamName, Timestamp, Uuid, Version};

use super::proxy::Proxy;
use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);
const ODD: [&str; 9] = [
    "'; drop table gesta_events; --",
    "\"; drop schema public cascade; --",
    r"\'; \x00 \\ \",
    "$1 $2 $$ $gesta$",
    "{schema} {name} {}",
    "%s %d %00",
    "/* */ -- \u{202e}\u{1f4b0} e\u{301}",
    "?=1",
    "NULL",
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_user_hands_in_is_read_as_sql() {
    for options in ["?schema=a%27b%22", "?schema=x'y", "?schema=a%20%24%24&appends=exclusive"] {
        let database = Database::new().await;
        let url = database.url(options);
        if options.contains("%22") {
            let refused = App::connect(&url).await.expect_err("a quote would end the name").to_string();
            assert!(
                refused.ends_with("can't be the name of a schema: use letters, digits and `_`, at most 63 of them"),
                "{refused}"
            );
            continue;
        }
        let builder = lending(App::connect(&url).await.unwrap()).projection::<Summary>().inline_projection::<Amounts>();
        let app = builder.start().await.unwrap();
        for odd in ODD {
            let id = account(odd);
            app.execute(&id, Open { owner: odd.into() }).actor(odd).idempotency_key(odd).await.unwrap();
            app.execute(&id, Drip { times: 12 }).actor(odd).idempotency_key(format!("{odd}2")).await.unwrap();
            assert!(app.execute(&id, Open { owner: odd.into() }).idempotency_key(odd).await.unwrap().repeated);
        }
        app.settle().await.unwrap();
        for odd in ODD {
            let id = account(odd);
            assert_eq!(app.load::<Account>(&id).await.unwrap().into_state().unwrap().owner, odd);
            let history = app.history::<Account>(&id).unwrap().all().await.unwrap();
            assert!(history.iter().all(|event| event.metadata.actor.as_deref() == Some(odd)));
            let row = app.read::<Summary>().get(&id).await.unwrap().expect("it is there");
            assert_eq!((&*row.owner, row.balance), (odd, 12));
        }
        app.shutdown().await.unwrap();
    }
}

fn append(stream: &str, name: &'static str, payload: Vec<u8>) -> Append {
    let event = NewEvent { id: Uuid::from_u128(7), name, schema_version: 1, occurred_at: None, payload };
    let stream = StreamName::parse(stream).expect("a stream can have this name");
    Append {
        streams: vec![StreamAppend { stream, expected: Version::ZERO, expected_event: None, events: vec![event], key: None }],
        recorded_at: Timestamp::from_micros(0),
        actor: None,
        correlation_id: None,
        causation_id: None,
        crowded: false,
        inline: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_server_takes_is_refused_before_it_is_sent_and_the_limit_is_named() {
    let database = Database::new().await;
    let proxy = Proxy::new(&database.url("")).await;
    let store = connect(&proxy.url(&database.url(""))).await.unwrap();
    store.log.append(append("Account-a", "Opened", b"{}".to_vec())).await.unwrap();
    proxy.asked();
    let long = "A".repeat(9_998);
    let mut keyed = append("Account-b", "Opened", b"{}".to_vec());
    keyed.streams[0].key = Some(NewKey { key: "k".repeat(10_000).into(), command_hash: 1, hash_version: 2 });
    let mut zero_key = append("Account-b", "Opened", b"{}".to_vec());
    zero_key.streams[0].key = Some(NewKey { key: "k\0".into(), command_hash: 1, hash_version: 2 });
    let acted = Append { actor: Some("a\0b".into()), ..append("Account-b", "Opened", b"{}".to_vec()) };
    let talked = Append { actor: Some("a".repeat(300 << 20).into()), ..append("Account-b", "Opened", b"{}".to_vec()) };
    for (append, why) in [
        (
            append("Account-b", "Opened", vec![b' '; 100_000_000]),
            "an event `Opened` has 100000000 bytes, and may have 67108864: keep what is large elsewhere".to_owned(),
        ),
        (
            append(&format!("{long}-b"), "Opened", b"{}".to_vec()),
            format!("`{}..` has 10000 bytes, and the name of a stream at most 1024: take a shorter id", "A".repeat(40)),
        ),
        (
            append("Account-b", "a\0b", b"{}".to_vec()),
            r#"the name of the event "a\0b" holds a zero byte: take it out"#.to_owned(),
        ),
        (
            append("Acc\0ount-b", "Opened", b"{}".to_vec()),
            "a stream's name or a key holds a zero byte, which Postgres keeps in no text: take it out".to_owned(),
        ),
        (zero_key, "a stream's name or a key holds a zero byte, which Postgres keeps in no text: take it out".to_owned()),
        (keyed, "a key on `Account-b` has 10000 bytes, and may have 1024: take a shorter one".to_owned()),
        (acted, "the actor holds a zero byte, which Postgres keeps in no text: take it out".to_owned()),
        (talked, "one append has 314572802 bytes, and may have 268435456: make several of it".to_owned()),
    ] {
        let refused = store.log.append(append).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("appending: {why}"));
        assert!(matches!(&refused, AppendError::Store(why) if !why.is_retryable()), "{refused:?}");
    }
    let mut asked = proxy.asked();
    // The store may begin to hear of others at any time.
    asked.retain(|sql| !sql.starts_with("LISTEN"));
    assert!(!asked.iter().any(|sql| sql.contains("gesta_")), "something was sent: {asked:#?}");

    // The app has limits of its own, and answers by them first.
    let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    let large = || Open { owner: "x".repeat(100_000_000) };
    let refused = app.execute(&account("big"), large()).await.unwrap_err().to_string();
    assert_eq!(refused, "`Opened` has 100000012 bytes, more than the 1048576 of `Limits::event_bytes`");
    let limits = Limits { event_bytes: usize::MAX, ..Limits::default() };
    let app = lending(App::connect(&database.url("")).await.unwrap()).limits(limits).start().await.unwrap();
    let refused = app.execute(&account("big"), large()).await.unwrap_err();
    assert!(!refused.is_retryable() && !refused.is_unknown_outcome());
    let why = "appending: an event `Opened` has 100000012 bytes, and may have 67108864: keep what is large elsewhere";
    assert_eq!(refused.to_string(), why);
    app.execute(&account("big"), Open { owner: "x".repeat(20_000_000) }).await.unwrap();
    assert!(AccountId::new("x".repeat(10_000)).is_err());
}

mod odd {
    use gesta::read::{Column, ColumnKind, ColumnRole};

    const fn column(name: &'static str, role: ColumnRole) -> Column {
        Column { name, kind: ColumnKind::Text, nullable: false, role, doc: "" }
    }
    pub const COLUMNS: &[Column] = &[
        column("$1", ColumnRole::Key),
        column("{schema}", ColumnRole::Indexed),
        column("a'; drop table gesta_events; --", ColumnRole::Plain),
        column("select", ColumnRole::Plain),
    ];
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_can_have_odd_names_and_odd_rows() {
    let database = Database::new().await;
    let store = connect(&database.url("?schema=o'dd%20$$")).await.unwrap();
    let models = store.read_models.expect("there are read models");
    let spec = |table: &'static str| ModelSpec { table, columns: odd::COLUMNS, fingerprint: 1, inline: false };
    for table in ["it's; {schema} $1 -- $$", "from"] {
        let prepared = models.prepare(vec![spec(table)]).await.unwrap().pop().unwrap();
        let at = prepared.checkpoint.unwrap();
        let text = |text: &str| Value::Text(text.to_owned());
        let changes = ODD.map(|odd| RowChange { key: text(odd), row: Some(vec![text(odd); 4]) });
        models.commit(prepared.place, changes.to_vec(), at, Position::new(1)).await.unwrap();
        for odd in ODD {
            let row = vec![text(odd); 4];
            assert_eq!(models.rows(prepared.place, &[text(odd), text("a\0b")]).await.unwrap(), [Some(row.clone()), None]);
            let query = |value: &str| {
                let value = Some(text(value));
                RowQuery { column: 1, from: value.clone(), to: value, after: None, descending: false, max: 10 }
            };
            assert_eq!(models.query(prepared.place, &query(odd)).await.unwrap(), [row]);
            let refused = models.query(prepared.place, &query("a\0b")).await.unwrap_err().to_string();
            assert_eq!(
                refused,
                format!(
                    "reading rows: `{table}` is asked for a text with a zero byte, which Postgres keeps in none: take it out"
                )
            );
        }
    }
    for table in ["a\"b", "", "a\0b", "gesta_events"] {
        let refused = models.prepare(vec![spec(table)]).await.map(drop).unwrap_err();
        assert!(!refused.is_retryable(), "{refused}");
    }
}

/// A row that can be found by what its account's owner is called.
#[derive(ReadModel)]
pub struct Holder {
    #[key]
    pub account: AccountId,
    #[index]
    pub owner: String,
}
#[projection(of = Account, ignore(Deposited, Withdrawn, Closed, Measured))]
impl Holder {
    fn opened(e: &Recorded<Opened>) -> Self {
        Holder { account: e.aggregate_id(), owner: e.owner.clone() }
    }
}

/// A text that can't be made shorter.
fn incompressible(length: usize) -> String {
    let mut state = 7_u64;
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    };
    (0..length).map(letter).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_no_table_can_hold_keeps_nothing_else_back() {
    let database = Database::new().await;
    let app = lending(App::connect(&database.url("")).await.unwrap()).projection::<Holder>().start().await.unwrap();
    let open = async |id: &str, owner: String| app.execute(&account(id), Open { owner }).await.unwrap().position;
    for number in 0..5 {
        open(&format!("before{number}"), "Ann".into()).await;
    }
    // Refused on every store, so that no read model has to hold it.
    let zero = app.execute(&account("zero"), Open { owner: "a\0b".into() }).await.unwrap_err().to_string();
    assert_eq!(zero, "`Opened` can't be stored: `owner` holds the character U+0000, which not every store can hold: remove it");
    open("between", "Ann".into()).await;
    let long = open("long", incompressible(10_000)).await;
    let last = open("behind", "Ann".into()).await;

    let holders = app.read::<Holder>().after(last).within(LONG);
    assert_eq!(holders.get(&account("behind")).await.unwrap().unwrap().owner, "Ann");
    let found = app.read::<Holder>().despite_parked().all().await.unwrap();
    assert_eq!(found.iter().filter(|holder| holder.owner == "Ann").count(), 7);
    let parked = app.parked::<Holder>().await.unwrap();
    let why: Vec<_> = parked.iter().map(|parked| (parked.position, parked.why.as_str())).collect();
    let told = "column `owner`: has 10000 bytes, and what rows are found by has at most 2596: store a shorter text, or remove `#[index]`";
    assert_eq!(why, [(long, told)]);
    assert_eq!(app.retry_parked::<Holder>().await.unwrap(), parked);
    app.shutdown().await.unwrap();
}
