//! The table of what may change: each row has its cases, and what is said to be readable is read.

use std::fmt::Debug;

use gesta::Event;
use proptest::prelude::*;

mod backward;
mod forward;

// The types of the cases, before and after.
#[path = "../ui/rules/changes.rs"]
#[allow(clippy::pedantic, clippy::duplicated_attributes)]
#[rustfmt::skip]
mod changes;

const TABLE: &str = include_str!("../../../runtime/src/schema/rules.md");
const CHANGES: &str = include_str!("../ui/rules/changes.rs");
const BACKWARD: [&str; 2] = [include_str!("../ui/rules/backward_fine.rs"), include_str!("../ui/rules/backward_errors.rs")];
const FORWARD: [&str; 2] = [include_str!("../ui/rules/both_fine.rs"), include_str!("../ui/rules/forward_errors.rs")];
const BACKWARD_PROPERTIES: &str = include_str!("rules/backward.rs");
const FORWARD_PROPERTIES: &str = include_str!("rules/forward.rs");

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
        // What can't be read has none, so that none stays behind when an answer changes.
        let property = format!("    #[test]\n    fn {row}(");
        assert_eq!(BACKWARD_PROPERTIES.contains(&property), *backward, "a property reads what was written before `{row}`");
        assert_eq!(FORWARD_PROPERTIES.contains(&property), *forward, "a property reads before `{row}` what is written after it");
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

/// What the modules that are nested so hold, without white space.
fn module(file: &str, path: &[&str]) -> String {
    let mut text: String = file.split_whitespace().collect();
    for name in path {
        let head = format!("pubmod{name}{{");
        let (_, rest) = text.split_once(&head).unwrap_or_else(|| panic!("there is no module `{name}`"));
        let mut depth = 1;
        let end = rest.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        text = rest[..end.expect("a module ends")].to_owned();
    }
    text
}

#[test]
fn a_case_of_a_row_is_held_against_the_lock_of_its_types_before() {
    macro_rules! locks {
        ($($row:ident)*) => {
            [$((stringify!($row), gesta::__private::released_lock::<changes::$row::before::Thing>())),*]
        };
    }
    let locks = locks! {
        field_added_with_default field_added_optional field_added_without_default field_removed optional_field_removed
        field_renamed fields_reordered field_made_optional field_made_required default_added default_removed integer_widened
        integer_narrowed integer_sign_changed integer_to_float float_to_integer float_widened float_narrowed newtype_and_inner
        nested_retyped text_to_id id_to_text set_to_list list_to_set tuple_length array_length map_key_kind map_key_widened
        map_key_variant_added variant_added variant_removed variant_renamed variant_given_data tag_style opaque_changed
        event_added event_removed event_renamed version_added version_removed aggregate_renamed id_changed
    };
    let rows = rows();
    assert!(rows.iter().map(|row| row.0.as_str()).eq(locks.iter().map(|lock| lock.0)), "each row, in the table's order");
    for ((row, backward, _), (_, lock)) in rows.iter().zip(&locks) {
        let file = format!("{}/tests/ui/rules/{row}.events", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(&std::fs::read_to_string(&file).unwrap(), lock.as_ref().unwrap(), "{file}");
        // And what is held against it are the types after.
        let case = module(BACKWARD[usize::from(!backward)], &[row, "after"]);
        assert_eq!(case.replace(&format!(",schema=\"{row}.events\""), ""), module(CHANGES, &[row, "after"]), "{row}");
    }
}

/// Writes with the one type and reads with the other.
fn reread<Writer: Event, Reader: Event>(written: &Writer) -> Reader {
    assert_eq!(Writer::NAME, Reader::NAME);
    let mut payload = Vec::new();
    written.encode(&mut payload).unwrap();
    Reader::decode(Writer::VERSION, &payload).unwrap()
}

fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

/// Whether two values are shown alike, whatever their types are called.
fn same(a: &impl Debug, b: &impl Debug) {
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}
