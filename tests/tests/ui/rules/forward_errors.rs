//! What the previous build can't read of what today's writes.

mod changes;

use changes::*;
use gesta::schema::assert_forward;

const _: () = assert_forward::<field_removed::before::Thing, field_removed::after::Thing>();
const _: () = assert_forward::<field_renamed::before::Thing, field_renamed::after::Thing>();
const _: () = assert_forward::<field_made_optional::before::Thing, field_made_optional::after::Thing>();
const _: () = assert_forward::<default_added::before::Thing, default_added::after::Thing>();
const _: () = assert_forward::<integer_widened::before::Thing, integer_widened::after::Thing>();
const _: () = assert_forward::<integer_sign_changed::before::Thing, integer_sign_changed::after::Thing>();
const _: () = assert_forward::<integer_to_float::before::Thing, integer_to_float::after::Thing>();
const _: () = assert_forward::<float_to_integer::before::Thing, float_to_integer::after::Thing>();
const _: () = assert_forward::<float_widened::before::Thing, float_widened::after::Thing>();
const _: () = assert_forward::<float_narrowed::before::Thing, float_narrowed::after::Thing>();
const _: () = assert_forward::<nested_retyped::before::Thing, nested_retyped::after::Thing>();
const _: () = assert_forward::<id_to_text::before::Thing, id_to_text::after::Thing>();
const _: () = assert_forward::<set_to_list::before::Thing, set_to_list::after::Thing>();
const _: () = assert_forward::<tuple_length::before::Thing, tuple_length::after::Thing>();
const _: () = assert_forward::<array_length::before::Thing, array_length::after::Thing>();
const _: () = assert_forward::<map_key_kind::before::Thing, map_key_kind::after::Thing>();
const _: () = assert_forward::<map_key_widened::before::Thing, map_key_widened::after::Thing>();
const _: () = assert_forward::<map_key_variant_added::before::Thing, map_key_variant_added::after::Thing>();
const _: () = assert_forward::<variant_added::before::Thing, variant_added::after::Thing>();
const _: () = assert_forward::<variant_renamed::before::Thing, variant_renamed::after::Thing>();
const _: () = assert_forward::<variant_given_data::before::Thing, variant_given_data::after::Thing>();
const _: () = assert_forward::<tag_style::before::Thing, tag_style::after::Thing>();
const _: () = assert_forward::<opaque_changed::before::Thing, opaque_changed::after::Thing>();
const _: () = assert_forward::<event_added::before::Thing, event_added::after::Thing>();
const _: () = assert_forward::<event_renamed::before::Thing, event_renamed::after::Thing>();
const _: () = assert_forward::<version_added::before::Thing, version_added::after::Thing>();
const _: () = assert_forward::<aggregate_renamed::before::Thing, aggregate_renamed::after::Thing>();
const _: () = assert_forward::<id_changed::before::Thing, id_changed::after::Thing>();

fn main() {}
