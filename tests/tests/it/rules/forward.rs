//! What is written after a change is read by the build before it.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn field_added_with_default(a: i64, b: i64) {
        use changes::field_added_with_default::*;
        let before: before::Happened = reread(&after::Happened { a, b });
        assert_eq!(before.a, a);
    }

    #[test]
    fn field_added_optional(a: i64, b in proptest::option::of(text())) {
        use changes::field_added_optional::*;
        let before: before::Happened = reread(&after::Happened { a, b });
        assert_eq!(before.a, a);
    }

    #[test]
    fn field_added_without_default(a: i64, b: i64) {
        use changes::field_added_without_default::*;
        let before: before::Happened = reread(&after::Happened { a, b });
        assert_eq!(before.a, a);
    }

    #[test]
    fn optional_field_removed(a: i64) {
        use changes::optional_field_removed::*;
        let before: before::Happened = reread(&after::Happened { a });
        assert_eq!((before.a, before.b), (a, None));
    }

    #[test]
    fn fields_reordered(a: i64, b in text()) {
        use changes::fields_reordered::*;
        let before: before::Happened = reread(&after::Happened { b: b.clone(), a });
        assert_eq!((before.a, before.b), (a, b));
    }

    #[test]
    fn field_made_required(a in text()) {
        use changes::field_made_required::*;
        let before: before::Happened = reread(&after::Happened { a: a.clone() });
        assert_eq!(before.a, Some(a));
    }

    #[test]
    fn default_removed(a: i64) {
        use changes::default_removed::*;
        let before: before::Happened = reread(&after::Happened { a });
        assert_eq!(before.a, a);
    }

    #[test]
    fn integer_narrowed(a: i8, b: i16, c: i32, d: i64, e: u8, f: u16, g: u32, h: u64, i: u8, j: u32) {
        use changes::integer_narrowed::*;
        let after = after::Happened { a, b, c, d, e, f, g, h, i, j };
        let before: before::Happened = reread(&after);
        same(&before, &after);
    }

    #[test]
    fn newtype_and_inner(a: i64, b in text()) {
        use changes::newtype_and_inner::*;
        let before: before::Happened = reread(&after::Happened { a, b: after::Name(b.clone()) });
        assert_eq!((before.a.0, before.b), (a, b));
    }

    #[test]
    fn text_to_id(a in "[^\\p{Cc}]{1,60}") {
        use changes::text_to_id::*;
        let before: before::Happened = reread(&after::Happened { a: after::Name::new(a.clone()).unwrap() });
        assert_eq!(before.a, a);
    }

    #[test]
    fn list_to_set(a in proptest::collection::btree_set(text(), 0..5)) {
        use changes::list_to_set::*;
        let before: before::Happened = reread(&after::Happened { a: a.clone() });
        assert_eq!(before.a, a.into_iter().collect::<Vec<_>>());
    }

    // The values that are left are few; that both builds call them the same is what there is to see.
    #[test]
    fn variant_removed(a in Just(changes::variant_removed::after::Channel::Branch)) {
        use changes::variant_removed::*;
        let after = after::Happened { a };
        let before: before::Happened = reread(&after);
        same(&before, &after);
    }

    #[test]
    fn event_removed(a: i64) {
        use changes::event_removed::*;
        let before: before::Happened = reread(&after::Happened { a });
        assert_eq!(before.a, a);
    }

    #[test]
    fn version_removed(a: i64) {
        use changes::version_removed::*;
        let before: before::Happened = reread(&after::Happened { a });
        assert_eq!((before.a, before.b), (a, 0));
    }
}
