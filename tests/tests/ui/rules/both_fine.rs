//! Changes that each build reads of the other, and those that only one of them does.

mod changes;

use changes::*;
use gesta::schema::{assert_backward, assert_forward};

const _: () = assert_backward::<field_added_with_default::before::Thing, field_added_with_default::after::Thing>();
const _: () = assert_backward::<field_added_optional::before::Thing, field_added_optional::after::Thing>();
const _: () = assert_backward::<fields_reordered::before::Thing, fields_reordered::after::Thing>();
const _: () = assert_backward::<field_made_optional::before::Thing, field_made_optional::after::Thing>();
const _: () = assert_backward::<default_added::before::Thing, default_added::after::Thing>();
const _: () = assert_backward::<integer_widened::before::Thing, integer_widened::after::Thing>();
const _: () = assert_backward::<newtype_and_inner::before::Thing, newtype_and_inner::after::Thing>();
const _: () = assert_backward::<id_to_text::before::Thing, id_to_text::after::Thing>();
const _: () = assert_backward::<set_to_list::before::Thing, set_to_list::after::Thing>();
const _: () = assert_backward::<map_key_widened::before::Thing, map_key_widened::after::Thing>();
const _: () = assert_backward::<map_key_variant_added::before::Thing, map_key_variant_added::after::Thing>();
const _: () = assert_backward::<variant_added::before::Thing, variant_added::after::Thing>();
const _: () = assert_backward::<event_added::before::Thing, event_added::after::Thing>();
const _: () = assert_backward::<version_added::before::Thing, version_added::after::Thing>();

const _: () = assert_forward::<field_added_with_default::before::Thing, field_added_with_default::after::Thing>();
const _: () = assert_forward::<field_added_optional::before::Thing, field_added_optional::after::Thing>();
const _: () = assert_forward::<field_added_without_default::before::Thing, field_added_without_default::after::Thing>();
const _: () = assert_forward::<optional_field_removed::before::Thing, optional_field_removed::after::Thing>();
const _: () = assert_forward::<text_to_id::before::Thing, text_to_id::after::Thing>();
const _: () = assert_forward::<fields_reordered::before::Thing, fields_reordered::after::Thing>();
const _: () = assert_forward::<field_made_required::before::Thing, field_made_required::after::Thing>();
const _: () = assert_forward::<default_removed::before::Thing, default_removed::after::Thing>();
const _: () = assert_forward::<integer_narrowed::before::Thing, integer_narrowed::after::Thing>();
const _: () = assert_forward::<newtype_and_inner::before::Thing, newtype_and_inner::after::Thing>();
const _: () = assert_forward::<list_to_set::before::Thing, list_to_set::after::Thing>();
const _: () = assert_forward::<variant_removed::before::Thing, variant_removed::after::Thing>();
const _: () = assert_forward::<event_removed::before::Thing, event_removed::after::Thing>();
const _: () = assert_forward::<version_removed::before::Thing, version_removed::after::Thing>();

fn main() {}
