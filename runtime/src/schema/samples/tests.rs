//! An account's life in releases: what is written, what is frozen, and what is said when history changes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Locked, check};
use crate::Aggregate;

/// The domain as it was in one release.
macro_rules! release {
    ($name:ident { $($event:item)* } { $($handler:item)* }) => {
        mod $name {
            #![allow(dead_code, unreachable_pub, missing_docs)]
            use crate::prelude::*;
            $($event)*
            #[event]
            pub struct Opened;
            pub struct Account;
            #[aggregate(id = u64)]
            impl Account {
                fn opened(_: Opened) -> Self { Account }
                $($handler)*
            }
        }
    };
}

release!(first {
    #[event]
    pub struct Paid { pub amt: u32, pub by: Option<String> }
} {
    fn paid(&mut self, _: Paid) {}
});

release!(second {
    #[event(version = 2)]
    pub struct Paid {
        #[renamed(2, from = "amt")]
        pub amount: u32,
        #[added(2, default = 7)]
        pub till: u32,
        pub by: Option<String>,
    }
} {
    fn paid(&mut self, _: Paid) {}
});

// The default of `till` is another one, which changes what version 1 has meant.
release!(another_past {
    #[event(version = 2)]
    pub struct Paid {
        #[renamed(2, from = "amt")]
        pub amount: u32,
        #[added(2, default = 8)]
        pub till: u32,
        pub by: Option<String>,
    }
} {
    fn paid(&mut self, _: Paid) {}
});

release!(third {
    #[event(version = 2)]
    pub struct Paid {
        #[renamed(2, from = "amt")]
        pub amount: u32,
        #[added(2, default = 7)]
        pub till: u32,
        pub by: Option<String>,
    }
    #[event(version = 2)]
    pub struct Noted {
        pub what: String,
        #[added(2, default = 0)]
        pub amount: u32,
    }
    #[event]
    pub struct Counted { pub amount: u32 }
} {
    fn noted(&mut self, _: Noted) {}
    fn counted(&mut self, _: Counted) {}
    #[upcast]
    fn split(e: Paid) -> (Counted, Option<Noted>) {
        (Counted { amount: e.amount }, e.by.map(|what| Noted { what, amount: e.till }))
    }
});

fn strict(cents: u32) -> Result<u8, String> {
    if cents == 250 { Ok(25) } else { Err(format!("{cents} is not 250")) }
}

release!(careful {
    #[event(version = 2)]
    pub struct Paid {
        #[converted(2, try_from = u32, with = super::strict)]
        pub amount: u8,
        #[schema(opaque = "seconds")]
        pub took: std::time::Duration,
    }
} {
    fn paid(&mut self, _: Paid) {}
});

/// A file of its own.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("gesta-samples-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let file = File(folder.join("account.samples"));
        if !text.is_empty() {
            std::fs::write(&file.0, text).unwrap();
        }
        file
    }
    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap()
    }
    fn put(&self, text: &str) {
        std::fs::write(&self.0, text).unwrap();
    }
    /// Fills in what is missing.
    fn write<A: Aggregate>(&self, locked: &[Locked]) -> Result<String, String> {
        check::<A>(&self.0, true, locked).map(|_| self.text())
    }
    fn verify<A: Aggregate>(&self, locked: &[Locked]) -> Result<(), String> {
        check::<A>(&self.0, false, locked).map(|said| assert_eq!(said, None))
    }
}
impl Drop for File {
    fn drop(&mut self) {
        // What is left is in the folder for what is left.
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap_or(&self.0));
    }
}

fn draft(name: &str, version: u32) -> Locked {
    Locked { name: name.to_owned(), version, released: false }
}
fn released(name: &str, version: u32) -> Locked {
    Locked { name: name.to_owned(), version, released: true }
}

const OPENED: &str = "{\"event\":\"Opened\",\"version\":1,\"payload\":{}}\n\n";

#[test]
fn a_life_in_releases() {
    let file = File::new("");
    let missing = file.verify::<first::Account>(&[draft("Opened", 1), draft("Paid", 1)]).unwrap_err();
    assert!(missing.contains("`GESTA_SCHEMA=write cargo test gesta_schema` writes it"), "{missing}");

    // The first draft, made up; by the next one nothing is left of it.
    let one = file.write::<first::Account>(&[draft("Opened", 1), draft("Paid", 1)]).unwrap();
    let paid = |rest: [&str; 2]| {
        format!(
            "{OPENED}{{\"event\":\"Paid\",\"version\":1,\"payload\":{{\"amt\":1,\"by\":null}}{}}}\n{{\"event\":\"Paid\",\"version\":1,\"payload\":{{\"amt\":1,\"by\":\"by\"}}{}}}\n",
            rest[0], rest[1]
        )
    };
    assert_eq!(one, paid(["", ""]));
    file.put(&one.replace("\"amt\":1", "\"amt\":3"));
    file.verify::<first::Account>(&[draft("Opened", 1), draft("Paid", 1)]).unwrap();
    assert_eq!(file.write::<first::Account>(&[draft("Opened", 1), draft("Paid", 1)]).unwrap(), one);

    // Once released it stays as it is, and what the next version makes of it is filled in.
    let kept = one.replace("\"amt\":1", "\"amt\":3");
    file.put(&kept);
    assert_eq!(file.write::<first::Account>(&[released("Opened", 1), released("Paid", 1)]).unwrap(), kept);
    let drafted = [released("Opened", 1), released("Paid", 1), draft("Paid", 2)];
    let lacking = file.verify::<second::Account>(&drafted).unwrap_err();
    assert!(lacking.contains("Paid v2 has no sample: `GESTA_SCHEMA=write cargo test gesta_schema` writes one"), "{lacking}");
    assert!(lacking.contains("line 3, Paid v1: what version 2 makes of it is missing"), "{lacking}");
    let two = file.write::<second::Account>(&drafted).unwrap();
    let next = [",\"next\":{\"amount\":3,\"till\":7,\"by\":null}", ",\"next\":{\"amount\":3,\"till\":7,\"by\":\"by\"}"];
    let newest = "{\"event\":\"Paid\",\"version\":2,\"payload\":{\"amount\":1,\"till\":2,\"by\":null}}\n{\"event\":\"Paid\",\"version\":2,\"payload\":{\"amount\":1,\"till\":2,\"by\":\"by\"}}\n";
    assert_eq!(two, paid(next).replace("\"amt\":1", "\"amt\":3") + newest);
    file.verify::<second::Account>(&drafted).unwrap();

    // While the next version is a draft, its default may change; once it is released, that is history.
    let eight = file.write::<another_past::Account>(&drafted).unwrap();
    assert_eq!(eight, two.replace("\"till\":7", "\"till\":8"));
    file.put(&two);
    let all = [released("Opened", 1), released("Paid", 1), released("Paid", 2)];
    file.verify::<second::Account>(&all).unwrap();
    let changed = "account.samples and the code do not agree:
  - line 3, Paid v1: `till`: expected 7, found 8
    what is stored means something else than it did: undo that, or declare a new version for it
  - line 4, Paid v1: `till`: expected 7, found 8
    what is stored means something else than it did: undo that, or declare a new version for it";
    assert_eq!(file.verify::<another_past::Account>(&all).unwrap_err(), changed);
    assert_eq!(file.write::<another_past::Account>(&all).unwrap_err(), changed);
    assert_eq!(file.text(), two);

    // A retired event says what it becomes, for every version before as for the newest.
    let more = [draft("Counted", 1), draft("Noted", 1), draft("Noted", 2)];
    let retired: Vec<_> = more.into_iter().chain(all).collect();
    let three = file.write::<third::Account>(&retired).unwrap();
    let became = r#"{"event":"Paid","version":2,"payload":{"amount":1,"till":2,"by":"by"},"becomes":[{"event":"Counted","version":1,"payload":{"amount":1}},{"event":"Noted","version":2,"payload":{"what":"by","amount":2}}]}"#;
    assert!(three.contains(became), "{three}");
    assert!(
        three.contains("\"by\":null},\"becomes\":[{\"event\":\"Counted\",\"version\":1,\"payload\":{\"amount\":1}}]}"),
        "{three}"
    );
    file.verify::<third::Account>(&retired).unwrap();
    let frozen: Vec<_> = retired.iter().map(|locked| Locked { released: true, ..locked.clone() }).collect();
    assert_eq!(file.write::<third::Account>(&frozen).unwrap(), three);

    // What it becomes may be written in an older version of that event, which reads as today's.
    let older = three
        .replace(r#""Noted","version":2,"payload":{"what":"by","amount":2}}"#, r#""Noted","version":1,"payload":{"what":"by"}}"#);
    file.put(&older);
    let why = file.verify::<third::Account>(&frozen).unwrap_err();
    assert!(why.contains("Paid v2: Noted, `amount`: expected 0, found 2\n"), "{why}");
    file.put(&three.replace(r#"{"event":"Counted","version":1,"payload":{"amount":1}}]}"#, "]}"));
    let why = file.verify::<third::Account>(&frozen).unwrap_err();
    assert!(why.contains("it was to become nothing, and becomes Counted\n"), "{why}");
}

#[test]
fn lines_by_hand_stay_and_are_filled_in() {
    let drafts = [draft("Opened", 1), draft("Paid", 1)];
    let noted = r#"{"event":"Paid","version":1,"payload":{"amt":4000000000,"by":"Ann"},"note":"the largest there was"}"#;
    let file = File::new(&format!("\r\n{noted}\r\n"));
    let text = file.write::<first::Account>(&drafts).unwrap();
    assert!(text.contains(noted), "{text}");
    assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 4);

    // Of a released version, any line is somebody's.
    let mine = r#"{"event":"Paid","version":1,"payload":{"by":"Bo","amt":5}}"#;
    file.put(&format!("{mine}\n{OPENED}"));
    let all = [released("Opened", 1), released("Paid", 1), released("Paid", 2)];
    let text = file.write::<second::Account>(&all).unwrap();
    let filled = r#"{"event":"Paid","version":1,"payload":{"by":"Bo","amt":5},"next":{"amount":5,"till":7,"by":"Bo"}}"#;
    assert!(text.starts_with(&format!("{OPENED}{filled}\n")), "{text}");
    assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 4, "a version without a line gets what is made up: {text}");
}

release!(with_channels {
    #[value]
    pub enum Channel { Branch, App { version: u32 } }
    #[event]
    pub struct Paid { pub amt: u32, pub channels: Vec<Option<Channel>> }
} {
    fn paid(&mut self, _: Paid) {}
});

#[test]
fn a_variant_that_comes_after_the_release_gets_a_sample() {
    let locked = [released("Opened", 1), released("Paid", 1)];
    let paid =
        |channels: &str| format!("{{\"event\":\"Paid\",\"version\":1,\"payload\":{{\"amt\":3,\"channels\":[{channels}]}}}}\n");
    let file = File::new(&(OPENED.to_owned() + &paid("\"Branch\"")));
    let text = file.write::<with_channels::Account>(&locked).unwrap();
    let made = r#"{"event":"Paid","version":1,"payload":{"amt":1,"channels":["Branch",{"App":{"version":2}}]}}"#;
    assert_eq!(text, format!("{OPENED}{}{made}\n", paid("\"Branch\"")));
    let both = OPENED.to_owned() + &paid("null,\"Branch\"") + &paid(r#"{"App":{"version":9}}"#);
    file.put(&both);
    assert_eq!(file.write::<with_channels::Account>(&locked).unwrap(), both);
}

#[test]
fn what_cannot_be_made_up_is_asked_for() {
    let locked = [released("Opened", 1), released("Paid", 1), draft("Paid", 2)];
    let file = File::new(OPENED);
    assert_eq!(
        file.write::<careful::Account>(&locked).unwrap_err(),
        r#"account.samples and the code do not agree:
  - Paid v1 has no sample, and none could be made: no value of `took` can be made up: it is foreign (seconds)
    add one that a store may hold: {"event":"Paid","version":1,"payload":{ .. }}
  - Paid v2 has no sample, and none could be made: no value of `took` can be made up: it is foreign (seconds)
    add one that a store may hold: {"event":"Paid","version":2,"payload":{ .. }}"#
    );
    let took = r#""took":{"secs":1,"nanos":0}"#;
    let line =
        |version, amount| format!("{{\"event\":\"Paid\",\"version\":{version},\"payload\":{{\"amount\":{amount},{took}}}}}\n");
    file.put(&(OPENED.to_owned() + &line(1, 251) + &line(2, 25)));
    assert_eq!(
        file.write::<careful::Account>(&locked).unwrap_err(),
        "account.samples and the code do not agree:
  - line 3, Paid v1: version 1 of `Paid` can't become the next one: `amount`: 251 is not 250
    if a store may hold such an event, mend the code: an app that meets one can't read it; only if none can, correct the line"
    );
    file.put(&(OPENED.to_owned() + &line(1, 250) + &line(2, 25)));
    let text = file.write::<careful::Account>(&locked).unwrap();
    assert!(text.contains(&format!("\"next\":{{\"amount\":25,{took}}}")), "{text}");
    // By hand, and of a draft; but nothing that is made up could take its place.
    assert!(text.contains(line(2, 25).trim_end()), "{text}");
}

#[test]
fn what_is_no_sample_is_said_by_line() {
    let locked = [released("Opened", 1), released("Paid", 1)];
    let wrong = |lines: &str| {
        let file = File::new(&format!("{OPENED}{{\"event\":\"Paid\",\"version\":1,\"payload\":{{\"amt\":1}}}}\n{lines}\n"));
        let why = file.verify::<first::Account>(&locked).unwrap_err();
        why.strip_prefix("account.samples and the code do not agree:\n  - ").unwrap().to_owned()
    };
    assert!(wrong("<<<<<<< ours").starts_with("line 4: a merge was left open here"));
    assert!(wrong("{\"event\":").starts_with("line 4: this is no JSON"));
    assert_eq!(wrong("[]"), "line 4: a line is a JSON object");
    assert_eq!(wrong("{\"event\":\"Paid\",\"payload\":{}}"), "line 4: `version` is missing: a number");
    assert!(wrong("{\"events\":1}").starts_with("line 4: \"events\" means nothing: a line holds `event`"));
    let paid = |payload: &str| format!("{{\"event\":\"Paid\",\"version\":1,\"payload\":{payload}}}");
    assert_eq!(
        wrong(&paid(r#"{"amt":1,"By":"Ann"}"#)),
        "line 4, Paid v1: `By`: the type has no such field, so it is not read: correct the line"
    );
    assert!(wrong(&paid(r#"{"amt":-1}"#)).starts_with("line 4, Paid v1: `amt`: the payload can't be read: "));
    assert!(
        wrong(&paid(r#"{"amt":1},"next":{}"#)).starts_with("line 4, Paid v1: this is the newest version, so nothing follows"),
    );
    assert!(wrong("{\"event\":\"Lost\",\"version\":1,\"payload\":{}}").starts_with("line 4, Lost v1: the code declares no such"));
}
