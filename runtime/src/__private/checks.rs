//! What is asserted while the user's crate compiles, and the hashes that are made there.

use super::same;
use crate::event::EventInfo;
use crate::read::Column;
use crate::schema::Fingerprint;
use crate::schema::text::Text;

/// Fails to compile where two things of one kind are stored under one name. Each is its type's name and its stored one.
///
/// An aggregate may have hundreds of events, and the compiler interprets this: names are compared only within a bucket of their
/// hashes, so the time grows with their number and not with its square.
#[track_caller]
pub const fn distinct_names<const N: usize>(owner: &str, kind: &str, attribute: &str, names: &[(&str, &str); N]) {
    const BUCKETS: usize = 256;
    // The last name of each bucket and the one before each name, both counted from 1.
    let (mut last, mut before) = ([0; BUCKETS], [0; N]);
    let mut i = 0;
    while i < N {
        let hash = Fingerprint::new().bytes(names[i].1.as_bytes()).finish();
        #[allow(clippy::cast_possible_truncation, reason = "any part of a hash will do")]
        let bucket = hash as usize % BUCKETS;
        let mut other = last[bucket];
        while other > 0 {
            if same(names[i].1, names[other - 1].1) && !same(names[i].1, "") {
                twice(owner, kind, attribute, names[other - 1], names[i]);
            }
            other = before[other - 1];
        }
        before[i] = last[bucket];
        last[bucket] = i + 1;
        i += 1;
    }
}

#[track_caller]
const fn twice(owner: &str, kind: &str, attribute: &str, first: (&str, &str), second: (&str, &str)) {
    let mut text = Text::<512>::new();
    text.push_all(&[
        "`",
        owner,
        "` has two ",
        kind,
        " named `",
        second.1,
        "`: `",
        first.0,
        "` and `",
        second.0,
        "`; give one of them another name: `#[",
        attribute,
        "(name = \"..\")]`",
    ]);
    panic!("{}", text.as_str());
}

const fn events(mut hash: Fingerprint, events: &[EventInfo]) -> Fingerprint {
    let mut i = 0;
    while i < events.len() {
        hash = hash.bytes(events[i].name.as_bytes());
        let (versions, mut v) = (events[i].versions, 0);
        while v < versions.len() {
            hash = hash.number(versions[v].version as u64).number(versions[v].logic).node(&versions[v].node);
            v += 1;
        }
        i += 1;
    }
    hash
}

/// The hash of a block of handlers: the aggregate's name, its tokens, the stored forms of the events it handles, and what
/// retired events become.
pub const fn block_fingerprint(aggregate: &str, tokens: u64, handled: &[EventInfo], upcasts: u64) -> u64 {
    events(Fingerprint::new().bytes(aggregate.as_bytes()).number(tokens), handled).number(upcasts).finish()
}

/// The hash of what retired events become: the functions' tokens, and the stored forms of the events.
pub const fn upcasts_fingerprint(tokens: u64, retired: &[EventInfo]) -> u64 {
    events(Fingerprint::new().number(tokens), retired).finish()
}

/// The hash of a read model: its columns with the schemas of their types, its blocks, and the number that its user changes
/// where code outside the blocks has changed.
pub const fn model_fingerprint(columns: &[Column], schemas: &[u64], blocks: &[u64], logic_version: u64) -> u64 {
    let (mut hash, mut i) = (Fingerprint::new().number(logic_version), 0);
    while i < columns.len() {
        let Column { name, kind, nullable, role, doc: _ } = columns[i];
        hash = hash.bytes(name.as_bytes()).bytes(&[kind as u8, nullable as u8, role as u8]);
        i += 1;
    }
    let mut i = 0;
    while i < schemas.len() {
        hash = hash.number(schemas[i]);
        i += 1;
    }
    let mut i = 0;
    while i < blocks.len() {
        hash = hash.number(blocks[i]);
        i += 1;
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventVersion;
    use crate::schema::{Field, Node};

    /// Two versions, of the second of which something is said.
    fn event(name: &'static str, doc: &'static str, node: Node, logic: u64) -> EventInfo {
        let version = |version, node, logic| EventVersion { version, node, changes: &[], logic, advance: |_| Ok(Vec::new()) };
        let versions: &'static [EventVersion] = Box::leak(Box::new([version(1, Node::Bool, 0), version(2, node, logic)]));
        EventInfo { name, version: 2, doc, versions, may_hold_opaque: false }
    }
    const fn record(name: &'static str, doc: &'static str) -> Node {
        match (name.len(), doc.len()) {
            (4, 0) => Node::Record(&[Field { name: "paid", doc: "", default: false, node: &Node::Text }]),
            (4, _) => Node::Record(&[Field { name: "paid", doc: "Docs.", default: false, node: &Node::Text }]),
            _ => Node::Record(&[Field { name: "other", doc: "", default: false, node: &Node::Text }]),
        }
    }

    #[test]
    fn a_block_s_fingerprint_changes_with_what_decides_and_not_with_docs() {
        let of = |event: EventInfo, upcasts| block_fingerprint("Account", 1, &[event], upcasts);
        let plain = of(event("Paid", "", record("paid", ""), 3), 0);
        assert_eq!(of(event("Paid", "What it means.", record("paid", "Docs."), 3), 0), plain);
        for other in [
            of(event("Lent", "", record("paid", ""), 3), 0),
            of(event("Paid", "", record("other", ""), 3), 0),
            of(event("Paid", "", record("paid", ""), 4), 0),
            of(event("Paid", "", record("paid", ""), 3), 1),
            block_fingerprint("Account", 2, &[event("Paid", "", record("paid", ""), 3)], 0),
            block_fingerprint("Account", 1, &[], 0),
        ] {
            assert_ne!(other, plain);
        }
        let retired = |event| upcasts_fingerprint(1, &[event]);
        assert_ne!(retired(event("Paid", "", record("paid", ""), 3)), retired(event("Paid", "", record("other", ""), 3)));
    }

    /// R25: the names are found also where their hashes share a bucket.
    #[test]
    fn names_are_found_twice_among_many() {
        for (first, second) in [(0, 599), (3, 4), (598, 599)] {
            let mut names: [(String, String); 600] = std::array::from_fn(|i| (format!("T{i}"), format!("Happened{i}")));
            names[second].1 = names[first].1.clone();
            let names = names.each_ref().map(|(ty, name)| (&**ty, &**name));
            let found = std::panic::catch_unwind(|| distinct_names("Account", "events", "event", &names));
            let found = *found.unwrap_err().downcast::<String>().unwrap();
            let expected = format!("`Account` has two events named `Happened{first}`: `T{first}` and `T{second}`; ");
            assert!(found.starts_with(&expected), "{found}");
        }
    }

    #[test]
    fn a_read_model_s_fingerprint_changes_with_the_number_its_user_gives() {
        assert_ne!(model_fingerprint(&[], &[], &[], 0), model_fingerprint(&[], &[], &[], 1));
    }
}
