//! Rules of an event's history: a rule looks at the versions together, what one mark says wrongly is said when it is read.

use proc_macro2::Span;

use super::stored;
use crate::diag::Errors;
use crate::model::history::{Event, Life};
use crate::names::plain;
use crate::parse::history::{Change, Mark};

/// The rules of `#[event]`.
pub(crate) fn event(model: &Event, errors: &mut Errors) {
    stored::event(&model.stored, errors);
    one_explicit_struct(model, errors);
    let before = errors.len();
    for mark in &model.converted {
        in_range(model, mark.version, mark.number, errors);
    }
    for life in &model.lives {
        if life.removed.is_none_or(|(version, number)| numbered(model, version, number, errors)) {
            for (i, mark) in life.marks.iter().enumerate() {
                let _ = numbered(model, mark.version, mark.number, errors)
                    && once(life, mark, &life.marks[..i], errors)
                    && after_its_birth(life, mark, errors)
                    && before_its_end(life, mark, errors)
                    && another_name(life, mark, errors);
            }
        }
    }
    if errors.len() == before {
        no_gap(model, errors);
        distinct_names(model, errors);
    }
    default_of_fields(model, errors);
}

/// Whether a version can have a mark; else says why not.
fn numbered(model: &Event, version: u32, number: Span, errors: &mut Errors) -> bool {
    in_range(model, version, number, errors) && above_the_explicit_struct(model, version, number, errors)
}

/// `#[event(version = 2)] struct Paid { #[added(1, default = 0)] a: i64, #[added(3, default = 0)] b: i64 }`
fn in_range(model: &Event, version: u32, number: Span, errors: &mut Errors) -> bool {
    let (name, current) = (plain(&model.stored.ident), model.version);
    if version < 2 {
        errors.at(number, "version 1 is the first, so nothing changed in it: the first change makes version 2");
    } else if version > current {
        let earlier = if current > 1 { ", or here the version in which this changed" } else { "" };
        errors.at(number, format!("`{name}` is at version {current}: write `#[event(version = {version})]`{earlier}"));
    } else {
        return true;
    }
    false
}

/// `#[converted(3, from = PaidV2)] struct Paid { #[added(2, default = 0)] a: i64 }`
fn above_the_explicit_struct(model: &Event, version: u32, number: Span, errors: &mut Errors) -> bool {
    let in_range = 2..=model.version;
    let Some(base) = model.base().filter(|base| version <= base.version && in_range.contains(&base.version)) else { return true };
    let (made, event) = (base.version, plain(&model.stored.ident));
    errors.at(
        number,
        format!(
            "version {made} of `{event}` is made of a struct as a whole, so marks begin at version {}: what changed earlier is said on that struct",
            made + 1
        ),
    );
    false
}

/// `#[converted(2, from = PaidV1)] #[converted(3, from = PaidV2)] struct Paid { .. }`
fn one_explicit_struct(model: &Event, errors: &mut Errors) {
    for mark in model.converted.iter().skip(1) {
        errors.at(
            mark.number,
            "a later version is made of another struct as a whole: this belongs on that struct, which is an event too",
        );
    }
}

/// `#[added(2, default = 0)] #[added(3, default = 0)] a: i64`, `#[renamed(2, from = "b")] #[renamed(2, from = "c")] a: i64`
fn once(life: &Life, mark: &Mark, before: &[Mark], errors: &mut Errors) -> bool {
    let (field, what) = (plain(&life.ident), mark.change.name());
    let same = before.iter().filter(|other| other.change.name() == what);
    let again = match &mark.change {
        Change::Added(_) => same.count() > 0,
        _ => same.filter(|other| other.version == mark.version).count() > 0,
    };
    if again {
        errors.at(mark.number, format!("`{field}` was `{what}` twice: keep one"));
    }
    !again
}

/// `#[added(3, default = 0)] #[renamed(2, from = "b")] a: i64`
fn after_its_birth(life: &Life, mark: &Mark, errors: &mut Errors) -> bool {
    let (field, born) = (plain(&life.ident), life.born());
    if matches!(mark.change, Change::Added(_)) || mark.version > born {
        return true;
    }
    errors.at(
        mark.number,
        format!("`{field}` was added in version {born}: write a later version here, or an earlier one in `added`"),
    );
    false
}

/// `#[removed(2, #[renamed(2, from = "b")] a: i64)]`
fn before_its_end(life: &Life, mark: &Mark, errors: &mut Errors) -> bool {
    let Some((gone, _)) = life.removed.filter(|(gone, _)| mark.version >= *gone) else { return true };
    let field = plain(&life.ident);
    errors.at(
        mark.number,
        format!("`{field}` was removed in version {gone}: write an earlier version here, or a later one in `removed`"),
    );
    false
}

/// `#[renamed(2, from = "a")] a: i64`
fn another_name(life: &Life, mark: &Mark, errors: &mut Errors) -> bool {
    let Change::Renamed(from) = &mark.change else { return true };
    let now = life.name_in(mark.version);
    if plain(from) != plain(now) {
        return true;
    }
    errors.at(from.span(), format!("`{}` is its name still: write the name it had before version {}", plain(now), mark.version));
    false
}

/// `#[event(version = 2)] struct Paid { amount: i64 }`
fn no_gap(model: &Event, errors: &mut Errors) {
    if model.unread.unknown {
        return;
    }
    let told = model.told();
    let next = told.iter().skip(1).copied().chain([model.version.saturating_add(1)]);
    let name = plain(&model.stored.ident);
    for (from, next) in told.iter().zip(next).filter(|(from, next)| next - *from > 1) {
        let version = from + 1;
        let all = if next - version > 1 { format!(", and so on up to version {}", next - 1) } else { String::new() };
        errors.at(
            model.number,
            format!(
                "nothing says how version {from} of `{name}` becomes version {version}{all}: mark what changed with \
                 `#[added({version}, default = ..)]`, `#[renamed({version}, from = \"..\")]`, `#[converted({version}, from = ..)]` or \
                 `#[removed({version}, ..)]`"
            ),
        );
    }
}

/// `#[removed(2, b: i64)] struct Paid { #[renamed(2, from = "b")] a: i64 }`
fn distinct_names(model: &Event, errors: &mut Errors) {
    for (i, life) in model.lives.iter().enumerate() {
        for other in &model.lives[..i] {
            let versions = std::iter::once(model.version).chain(model.past.iter().rev().map(|past| past.version));
            let clash = versions.into_iter().find(|version| {
                let both = life.is_in(*version) && other.is_in(*version);
                let (name, stored) = (life.name_in(*version), model.stored_as(life, *version));
                both && (plain(name) == plain(other.name_in(*version)) || stored == model.stored_as(other, *version))
            });
            // Of the current version others speak.
            let clash = clash.filter(|version| *version != model.version);
            if let Some(version) = clash {
                let (event, name) = (plain(&model.stored.ident), life.name_in(version));
                errors.at(
                    name.span(),
                    format!("version {version} of `{event}` would have two fields named `{}`: say of one of them that it came later, was gone by then, or had another name", model.stored_as(life, version)),
                );
            }
        }
    }
}

/// `#[event(version = 2)] #[serde(default)] struct Paid { .. }`
fn default_of_fields(model: &Event, errors: &mut Errors) {
    if let Some(span) = model.whole_default.filter(|_| model.version > model.first()) {
        errors.at(
            span,
            "this takes what is missing from a whole event of today, which says nothing of earlier versions: write `#[serde(default)]` on the fields that may be missing",
        );
    }
}
