//! The rules and the hashes they rely on, over schemas that nobody has thought of.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::*;
use crate::schema::lines::{self, LINES_BYTES_MAX};
use crate::schema::{NAMED, Tag};

/// The integers, each with its least and its greatest value.
macro_rules! integers {
    ($($t:ident)*) => {
        [$((stringify!($t), Node::Int { signed: $t::MIN != 0, bits: u8::try_from($t::BITS).unwrap() }, i128::try_from($t::MIN).unwrap(), u128::try_from($t::MAX).unwrap())),*]
    };
}

#[test]
fn an_integer_is_read_by_those_that_hold_all_of_its_values_and_by_no_others() {
    let integers = integers!(i8 i16 i32 i64 i128 u8 u16 u32 u64 u128);
    for (stored, _, min, max) in integers {
        for (reader, node, least, greatest) in integers {
            let Node::Int { signed, bits } = node else { panic!("{node:?}") };
            let holds = least <= min && max <= greatest;
            assert_eq!(fits(stored.as_bytes(), signed, bits), holds, "{stored} read as {reader}");
            let root = Node::Record(vec![Field { name: "a", doc: "", default: false, node: leak(node) }].leak());
            for mode in [Mode::Backward, Mode::Forward] {
                let said = report(mode, &format!("  a {stored}\n"), &root, true);
                assert_eq!(said.is_none(), holds, "{stored} read as {reader}: {said:?}");
            }
        }
    }
    for other in ["", "i", "f32", "text", "i032", "i32 default", "x32"] {
        assert!(!fits(other.as_bytes(), true, 128), "{other}");
    }
}

fn leak(value: Node) -> &'static Node {
    Box::leak(Box::new(value))
}

/// Names that stand in a path as they are, and names that don't.
const NAMES: [&str; 14] = ["a", "b", "ab", "kind", "key", "set", "A-1", "0", "", "a.b", "c d", "straße", "q\"\\", "x|y?[]"];

fn names(most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(NAMES.to_vec(), 0..=most).prop_shuffle()
}

fn tag() -> impl Strategy<Value = Tag> {
    let name = || select(NAMES.to_vec());
    prop_oneof![
        2 => Just(Tag::External),
        1 => name().prop_map(Tag::Internal),
        1 => (name(), name()).prop_map(|(tag, content)| Tag::Adjacent { tag, content }),
    ]
}

fn fields(item: impl Strategy<Value = &'static Node> + Clone + 'static, most: usize) -> impl Strategy<Value = Vec<Field>> {
    names(most).prop_flat_map(move |names| {
        let nodes = vec((item.clone(), any::<bool>()), names.len());
        nodes.prop_map(move |nodes| {
            let fields = names.iter().zip(nodes);
            fields.map(|(&name, (node, default))| Field { name, doc: "", default, node }).collect()
        })
    })
}

/// Any schema, sound or not.
fn node() -> impl Strategy<Value = &'static Node> + Clone {
    let leaf = prop_oneof![
        Just(Node::Bool),
        Just(Node::Text),
        (any::<bool>(), select(vec![8, 16, 32, 64, 128])).prop_map(|(signed, bits)| Node::Int { signed, bits }),
        select(vec![32, 64]).prop_map(|bits| Node::Float { bits }),
        select(NAMED.iter().map(|named| named.name).collect::<Vec<_>>()).prop_map(Node::Named),
        select(NAMES.to_vec()).prop_map(Node::Opaque),
    ];
    leaf.prop_map(leak).prop_recursive(3, 24, 4, |inner| {
        let variants = names(3).prop_flat_map({
            let inner = inner.clone();
            move |names| (Just(names.clone()), vec(proptest::option::of(inner.clone()), names.len()))
        });
        prop_oneof![
            inner.clone().prop_map(Node::Optional),
            inner.clone().prop_map(Node::List),
            inner.clone().prop_map(Node::Set),
            (0usize..40, inner.clone()).prop_map(|(len, item)| Node::Array { len, item }),
            (inner.clone(), inner.clone()).prop_map(|(key, value)| Node::Map { key, value }),
            vec(inner.clone(), 0..4).prop_map(|items| Node::Tuple(items.leak())),
            fields(inner, 4).prop_map(|fields| Node::Record(fields.leak())),
            (tag(), variants).prop_map(|(tag, (names, nodes))| {
                let variants = names.into_iter().zip(nodes).map(|(name, node)| Variant { name, doc: "", node });
                Node::Enum { tag, variants: variants.collect::<Vec<_>>().leak() }
            }),
        ]
        .prop_map(leak)
    })
}

/// What becomes of a field, or of something within it.
#[derive(Debug, Clone)]
enum Edit {
    Remove,
    Add(Field),
    Default,
    Move(Index),
    Retype(&'static Node),
    /// In what it holds.
    Within(Index, Box<Edit>),
}

fn edit() -> impl Strategy<Value = Edit> {
    let field = (select(NAMES.to_vec()), any::<bool>(), node());
    let edit = prop_oneof![
        Just(Edit::Remove),
        field.prop_map(|(name, default, node)| Edit::Add(Field { name, doc: "", default, node })),
        Just(Edit::Default),
        any::<Index>().prop_map(Edit::Move),
        node().prop_map(Edit::Retype),
    ];
    edit.prop_recursive(3, 4, 1, |inner| (any::<Index>(), inner).prop_map(|(at, edit)| Edit::Within(at, Box::new(edit))))
}

fn edited_fields(fields: &'static [Field], at: Index, edit: &Edit) -> Vec<Field> {
    let mut fields = fields.to_vec();
    if let Edit::Add(field) = edit
        && fields.iter().all(|other| other.name != field.name)
    {
        fields.push(*field);
    }
    if fields.is_empty() {
        return fields;
    }
    let at = at.index(fields.len());
    match edit {
        Edit::Remove => drop(fields.remove(at)),
        Edit::Add(_) => {}
        Edit::Default => fields[at].default ^= true,
        Edit::Move(to) => {
            let field = fields.remove(at);
            fields.insert(to.index(fields.len() + 1), field);
        }
        Edit::Retype(node) => fields[at].node = node,
        Edit::Within(at_next, edit) => fields[at].node = edited(fields[at].node, *at_next, edit),
    }
    fields
}

fn edited(node: &'static Node, at: Index, edit: &Edit) -> &'static Node {
    leak(match *node {
        Node::Record(fields) => Node::Record(edited_fields(fields, at, edit).leak()),
        Node::Optional(inner) => Node::Optional(edited(inner, at, edit)),
        Node::List(item) => Node::Set(edited(item, at, edit)),
        Node::Set(item) => Node::List(edited(item, at, edit)),
        Node::Array { len, item } => Node::Array { len, item: edited(item, at, edit) },
        Node::Map { key, value } => Node::Map { key, value: edited(value, at, edit) },
        Node::Tuple(items) if !items.is_empty() => {
            let mut items = items.to_vec();
            let i = at.index(items.len());
            items[i] = edited(items[i], at, edit);
            Node::Tuple(items.leak())
        }
        Node::Enum { tag, variants } if !variants.is_empty() => {
            let mut variants = variants.to_vec();
            let i = at.index(variants.len());
            match (edit, variants[i].node) {
                (Edit::Remove, _) => drop(variants.remove(i)),
                (edit, Some(node)) => variants[i].node = Some(edited(node, at, edit)),
                (_, None) => {}
            }
            Node::Enum { tag, variants: variants.leak() }
        }
        _ => Node::Optional(node),
    })
}

fn text(node: &Node, head: &str) -> String {
    let mut text = Text::<LINES_BYTES_MAX>::new();
    lines::write(node, head, &mut text);
    text.as_str().to_owned()
}

fn hash(line: &str) -> u64 {
    let Line { path, kind } = Line::of(line.as_bytes());
    line_hash(path, kind)
}

/// What is said, with the ways out; what is unchanged is passed over, or looked at like all else.
fn report(mode: Mode, lines: &str, node: &Node, pass_over: bool) -> Option<String> {
    let mut report = Report::new();
    let whose = Whose { name: b"Happened", version: 1, next: 2 };
    compare_all(&mut report, mode, whose, lines.as_bytes(), node, pass_over);
    report.finish(&["problems"]).map(|message| message.as_str().to_owned())
}

/// What may become of a line in a file.
#[derive(Debug, Clone)]
enum Hand {
    Leaves,
    Drafts,
    Doubles,
    Loses,
    MovesDown,
}

fn by_hand(lines: &str, hands: &[Hand], crlf: bool) -> String {
    let mut lines: Vec<_> = lines.lines().map(str::to_owned).collect();
    let count = lines.len();
    for (i, hand) in hands.iter().enumerate().take(count).rev() {
        match hand {
            Hand::Leaves => {}
            Hand::Drafts => lines[i].replace_range(..1, "+"),
            Hand::Doubles => lines.insert(i, lines[i].clone()),
            Hand::Loses => drop(lines.remove(i)),
            Hand::MovesDown => lines[i..].rotate_left(1),
        }
    }
    let end = if crlf { "\r\n" } else { "\n" };
    lines.into_iter().map(|line| line + end).collect()
}

fn hands() -> impl Strategy<Value = Vec<Hand>> {
    let hand = prop_oneof![
        20 => Just(Hand::Leaves),
        1 => Just(Hand::Drafts),
        1 => Just(Hand::Doubles),
        1 => Just(Hand::Loses),
        1 => Just(Hand::MovesDown),
    ];
    vec(hand, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schema_s_hash_is_the_sum_of_the_hashes_of_its_lines(fields in fields(node(), 6), version in 1u32..9) {
        let root = Node::Record(fields.leak());
        let text = text(&root, "");
        let lines = text.lines().map(hash);
        let sum = lines.fold(lines::title_hash(b"Happened", version), u64::wrapping_add);
        prop_assert_eq!(lines::fingerprint("Happened", version, &root), sum, "{}", text);
    }

    #[test]
    fn the_hash_of_what_a_field_holds_is_that_of_its_lines_without_its_name(node in node(), default: bool) {
        let root = Node::Record(vec![Field { name: "held", doc: "", default, node }].leak());
        let text = text(&root, "");
        let inside = text.lines().map(|line| line.strip_prefix("held").unwrap()).map(|line| line.strip_prefix('.').unwrap_or(line));
        let sum = inside.map(hash).fold(0, u64::wrapping_add);
        prop_assert_eq!(content_hash(node, default), sum, "{}", text);
    }

    #[test]
    fn a_schema_is_read_by_itself(fields in fields(node(), 6)) {
        let root = Node::Record(fields.leak());
        for mode in [Mode::Backward, Mode::Forward] {
            for pass_over in [true, false] {
                prop_assert_eq!(report(mode, &text(&root, "  "), &root, pass_over), None);
            }
        }
    }

    #[test]
    fn to_pass_over_what_is_unchanged_changes_no_report(
        fields in fields(node(), 6),
        edits in vec((any::<Index>(), edit()), 0..4),
        hands in hands(),
        crlf: bool,
    ) {
        let stored = Node::Record(fields.leak());
        let mut reader = &stored;
        for (at, edit) in &edits {
            let Node::Record(fields) = reader else { unreachable!("it stays a record") };
            reader = leak(Node::Record(edited_fields(fields, *at, edit).leak()));
        }
        let lines = by_hand(&text(&stored, "  "), &hands, crlf);
        for mode in [Mode::Backward, Mode::Forward] {
            prop_assert_eq!(report(mode, &lines, reader, true), report(mode, &lines, reader, false), "{}", lines);
        }
    }
}
