//! What is asserted while the user's crate compiles, and the hashes that are made there.

use super::same;
use crate::event::EventInfo;
use crate::read::Column;
use crate::schema::Fingerprint;
use crate::schema::text::Text;

/// Fails to compile where two things of one kind are stored under one name. Each is its type's name and its stored one.
#[track_caller]
pub const fn distinct_names(owner: &str, kind: &str, attribute: &str, names: &[(&str, &str)]) {
    let mut i = 0;
    while i < names.len() {
        let mut j = 0;
        while j < i {
            if same(names[i].1, names[j].1) && !same(names[i].1, "") {
                let mut text = Text::<512>::new();
                text.push_all(&[
                    "`",
                    owner,
                    "` has two ",
                    kind,
                    " named `",
                    names[i].1,
                    "`: `",
                    names[j].0,
                    "` and `",
                    names[i].0,
                    "`; give one of them another name: `#[",
                    attribute,
                    "(name = \"..\")]`",
                ]);
                panic!("{}", text.as_str());
            }
            j += 1;
        }
        i += 1;
    }
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

    #[test]
    fn a_read_model_s_fingerprint_changes_with_the_number_its_user_gives() {
        assert_ne!(model_fingerprint(&[], &[], &[], 0), model_fingerprint(&[], &[], &[], 1));
    }
}
