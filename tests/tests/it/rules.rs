//! The table of what may change: each row has its cases, and what is said to be readable is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use gesta::Event;
use proptest::prelude::*;

// The types of the cases, before and after.
#[path = "../ui/rules/both_fine.rs"]
#[allow(clippy::pedantic, clippy::duplicated_attributes)]
mod changes;

const TABLE: &str = include_str!("../../../runtime/src/schema/rules.md");
const BACKWARD: [&str; 2] = [include_str!("../ui/rules/backward_fine.rs"), include_str!("../ui/rules/backward_errors.rs")];
const FORWARD: [&str; 2] = [include_str!("../ui/rules/both_fine.rs"), include_str!("../ui/rules/forward_errors.rs")];
const PROPERTIES: &str = include_str!("rules.rs");

/// Each row: its name as code writes it, and the two answers.
fn rows() -> Vec<(String, bool, bool)> {
    let rows = TABLE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| change"));
    let rows = rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let answer = |cell: &str| match cell {
            "yes" => true,
            "no" => false,
            other => panic!("`{other}` is no answer"),
        };
        (cells[1].replace(' ', "_"), answer(cells[2]), answer(cells[3]))
    });
    rows.collect()
}

#[test]
fn each_row_of_the_table_has_its_cases() {
    let rows = rows();
    assert!(rows.len() > 35, "the table is read");
    for (row, backward, forward) in &rows {
        let locked = format!("schema = \"{row}.events\"");
        let asked = format!("assert_forward::<{row}::before::Thing, {row}::after::Thing>()");
        for (answer, files, case) in [(backward, BACKWARD, locked), (forward, FORWARD, asked)] {
            assert_eq!([files[0].contains(&case), files[1].contains(&case)], [*answer, !answer], "`{case}` of the row `{row}`");
        }
        if *backward {
            assert!(PROPERTIES.contains(&format!("fn {row}(")), "no property reads what `{row}` wrote before");
        }
    }
    // An error of one row must not hide that of another.
    for (file, errors) in [
        ("backward_errors", rows.iter().filter(|row| !row.1).count()),
        ("forward_errors", rows.iter().filter(|row| !row.2).count()),
    ] {
        let file = format!("{}/tests/ui/rules/{file}.stderr", env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::read_to_string(file).expect("what the compiler says is written down");
        assert_eq!(file.matches("error[E0080]").count(), errors);
    }
}

/// Writes with the old type and reads with the new one.
fn reread<Old: Event, New: Event>(old: &Old) -> New {
    let mut payload = Vec::new();
    old.encode(&mut payload).unwrap();
    New::decode(Old::VERSION, &payload).unwrap()
}

fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

/// Whether two values are shown alike, whatever their types are called.
fn same(a: &impl Debug, b: &impl Debug) {
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn field_added_with_default(a: i64) {
        use changes::field_added_with_default::*;
        let after: after::Happened = reread(&before::Happened { a });
        assert_eq!((after.a, after.b), (a, 0));
    }

    #[test]
    fn field_added_optional(a: i64) {
        use changes::field_added_optional::*;
        let after: after::Happened = reread(&before::Happened { a });
        assert_eq!((after.a, after.b), (a, None));
    }

    #[test]
    fn fields_reordered(a: i64, b in text()) {
        use changes::fields_reordered::*;
        let after: after::Happened = reread(&before::Happened { a, b: b.clone() });
        assert_eq!((after.a, after.b), (a, b));
    }

    #[test]
    fn field_made_optional(a in text()) {
        use changes::field_made_optional::*;
        let after: after::Happened = reread(&before::Happened { a: a.clone() });
        assert_eq!(after.a, Some(a));
    }

    #[test]
    fn default_added(a: i64) {
        use changes::default_added::*;
        let after: after::Happened = reread(&before::Happened { a });
        assert_eq!(after.a, a);
    }

    #[test]
    fn integer_widened(a: i8, b: i16, c: i32, d: i64, e: u8, f: u16, g: u32, h: u64, i: u8, j: u32) {
        use changes::integer_widened::*;
        let before = before::Happened { a, b, c, d, e, f, g, h, i, j };
        let after: after::Happened = reread(&before);
        same(&after, &before);
    }

    #[test]
    fn newtype_and_inner(a: i64, b in text()) {
        use changes::newtype_and_inner::*;
        let after: after::Happened = reread(&before::Happened { a: before::Cents(a), b: b.clone() });
        assert_eq!((after.a, after.b.0), (a, b));
    }

    #[test]
    fn id_to_text(a in "[a-zA-Z0-9-]{1,40}") {
        use changes::id_to_text::*;
        let after: after::Happened = reread(&before::Happened { a: before::Name::new(a.clone()).unwrap() });
        assert_eq!(after.a, a);
    }

    #[test]
    fn set_to_list(a in proptest::collection::btree_set(text(), 0..5)) {
        use changes::set_to_list::*;
        let after: after::Happened = reread(&before::Happened { a: a.clone() });
        assert_eq!(after.a.into_iter().collect::<BTreeSet<_>>(), a);
    }

    #[test]
    fn map_key_widened(a in proptest::collection::btree_map(any::<u32>(), any::<i64>(), 0..5)) {
        use changes::map_key_widened::*;
        let after: after::Happened = reread(&before::Happened { a: a.clone() });
        assert_eq!(after.a, a.into_iter().map(|(key, value)| (u64::from(key), value)).collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn map_key_variant_added(value: Option<i64>) {
        use changes::map_key_variant_added::*;
        let before = before::Happened { a: value.into_iter().map(|value| (before::Channel::Branch, value)).collect() };
        let after: after::Happened = reread(&before);
        same(&after, &before);
    }

    #[test]
    fn variant_added(number in proptest::option::of(text())) {
        use changes::variant_added::*;
        let a = number.map_or(before::Channel::Branch, |number| before::Channel::Card { number });
        let before = before::Happened { a };
        let after: after::Happened = reread(&before);
        same(&after, &before);
    }

    #[test]
    fn event_added(a: i64) {
        use changes::event_added::*;
        let after: after::Happened = reread(&before::Happened { a });
        assert_eq!(after.a, a);
    }

    #[test]
    fn version_added(a: i64) {
        use changes::version_added::*;
        let after: after::Happened = reread(&before::Happened { a });
        assert_eq!((after.a, after.b), (a, 0));
    }
}
