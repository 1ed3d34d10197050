//! What was written before a change is read after it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

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
