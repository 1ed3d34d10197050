//! The canonical form of a command: one form for all commands that mean the same.
//!
//! Always true here: a step that the schema does not warrant is taken only where the command that is read from the new form
//! is equal to the one it was made of. So two commands with one form are equal, and a step too few is the only mistake.
//!
//! The schema warrants that records, maps and sets have no order, that a field without a value says the same as no field, and
//! that numbers count by what they are. It tells nothing of two things, which are tried out on the command itself:
//!
//! * **The default of a field**: it is left out, and what is read instead is the default. Fields that hold it are left out, so
//!   that a command of a build before the field was there has the same form.
//! * **The inside of an opaque value**: each of its lists is sorted, and each of its fields left out, and the step stays where the
//!   command that is read is the same. So a hash set has no order there, and a list keeps its own.
//!
//! The number of trials is bounded, so that no command makes them expensive. The parser bounds the depth.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::json::Json;
use crate::schema::{Field, Node, Tag, Variant};

/// The command that a form is made for, as far as the trials need it.
pub(super) trait Original {
    /// Reads a form, and answers whether the command in it is equal to the original.
    fn is_read_from(&self, form: &[u8]) -> bool;
    /// Reads a form and writes the command in it again.
    fn rewritten(&self, form: &[u8]) -> Option<Vec<u8>>;
}

/// Appends the canonical form of a command's payload; `false` where the payload nests too deeply to be read by any build.
pub(super) fn write(node: &Node, payload: &[u8], original: &dyn Original, out: &mut Vec<u8>) -> bool {
    let Ok(json) = Json::parse(payload) else { return false };
    let mut form = Form::default();
    let mut canonical = form.of(node, &json);
    if !form.met.is_empty() && original.is_read_from(canonical.to_string().as_bytes()) {
        let mut trials = Trials { node, json: &json, original, form };
        trials.find_defaults();
        trials.find_opaque();
        canonical = trials.form.of(node, &json);
    }
    flatten(&canonical, out);
    true
}

/// At most as many fields, and as many lists, of opaque values are tried.
const TRIALS_MAX: usize = 16;

/// The steps that lead from a payload to its form. Each is known by a path in which the items of a list are one.
#[derive(Default)]
struct Form {
    /// The default of a field, as it is written.
    defaults: BTreeMap<String, Json>,
    /// Lists of opaque values that have no order.
    sorted: BTreeSet<String>,
    /// Fields that are left out, to see what is read without them.
    without: BTreeSet<String>,
    met: Met,
    path: String,
}

/// The places that the schema does not know all about.
#[derive(Default)]
struct Met {
    /// Fields with a default.
    defaults: BTreeSet<String>,
    /// Fields of opaque values.
    fields: BTreeSet<String>,
    /// Lists of opaque values.
    lists: BTreeSet<String>,
    /// The values of some fields: each of those in `without` that is there again.
    values: BTreeMap<String, Vec<Json>>,
}

impl Met {
    fn is_empty(&self) -> bool {
        self.defaults.is_empty() && self.fields.is_empty() && self.lists.is_empty()
    }
}

impl Form {
    fn of(&mut self, node: &Node, json: &Json) -> Json {
        self.met = Met::default();
        self.value(Some(node), json)
    }

    fn below<T>(&mut self, step: std::fmt::Arguments<'_>, work: impl FnOnce(&mut Self) -> T) -> T {
        use std::fmt::Write as _;
        let before = self.path.len();
        // Writing to a string can't fail.
        let _ = self.path.write_fmt(step);
        let done = work(self);
        self.path.truncate(before);
        done
    }

    /// The form of a value; without a node it is opaque.
    fn value(&mut self, node: Option<&Node>, json: &Json) -> Json {
        match (node, json) {
            (Some(Node::Opaque(_)), _) => self.value(None, json),
            (Some(Node::Optional(inner)), _) if *json != Json::Null => self.value(Some(inner), json),
            (Some(Node::List(item) | Node::Array { item, .. }), Json::List(items)) => Json::List(self.items(Some(item), items)),
            (Some(Node::Set(item)), Json::List(items)) => Json::List(in_order(self.items(Some(item), items))),
            (Some(Node::Tuple(nodes)), Json::List(items)) if nodes.len() == items.len() => {
                let items = nodes.iter().zip(items).enumerate();
                Json::List(
                    items.map(|(at, (node, item))| self.below(format_args!("[{at}]"), |f| f.value(Some(node), item))).collect(),
                )
            }
            (Some(Node::Map { value: node, .. }), Json::Record(entries)) => {
                let entries = entries.iter();
                Json::record(
                    entries.map(|(key, value)| (&**key, self.below(format_args!("{{}}"), |f| f.value(Some(node), value)))),
                )
            }
            (Some(Node::Record(fields)), Json::Record(found)) => Json::Record(self.fields(Some(fields), found)),
            (Some(Node::Enum { tag, variants }), _) => self.variant(*tag, variants, json),
            (Some(Node::Named("decimal")), Json::Text(text)) => Json::Text(number(text)),
            (None, Json::List(items)) => {
                let items = self.items(None, items);
                if items.len() > 1 {
                    self.met.lists.insert(self.path.clone());
                }
                Json::List(if self.sorted.contains(&self.path) { in_order(items) } else { items })
            }
            (None, Json::Record(found)) => Json::Record(self.fields(None, found)),
            _ => json.clone(),
        }
    }

    fn items(&mut self, node: Option<&Node>, items: &[Json]) -> Vec<Json> {
        items.iter().map(|item| self.below(format_args!("[]"), |form| form.value(node, item))).collect()
    }

    /// The fields of a record; those of an opaque one are not known.
    fn fields(&mut self, known: Option<&[Field]>, found: &[(String, Json)]) -> Vec<(String, Json)> {
        let mut kept = Vec::with_capacity(found.len());
        for (name, value) in found {
            let field = known.and_then(|fields| fields.iter().find(|field| field.name == name));
            let kept_value = self.below(format_args!(".{name:?}"), |form| match (known, field) {
                // The tag of an enum.
                (Some(_), None) => Some(value.clone()),
                _ => form.field(field, value),
            });
            kept.extend(kept_value.map(|value| (name.clone(), value)));
        }
        kept
    }

    fn field(&mut self, field: Option<&Field>, value: &Json) -> Option<Json> {
        let node = field.map(|field| field.node);
        if matches!(node, Some(Node::Optional(_))) && *value == Json::Null {
            return None;
        }
        match field {
            Some(field) if field.default => self.met.defaults.insert(self.path.clone()),
            None => self.met.fields.insert(self.path.clone()),
            _ => false,
        };
        if self.without.contains(&self.path) {
            let value = self.value(node, value);
            self.met.values.entry(self.path.clone()).or_default().push(value);
            return None;
        }
        let default = self.defaults.get(&self.path).cloned();
        let kept = self.value(node, value);
        match default {
            Some(default) if flat(&kept) == flat(&self.value(node, &default)) => None,
            _ => Some(kept),
        }
    }

    fn variant(&mut self, tag: Tag, variants: &[Variant], json: &Json) -> Json {
        let of = |name: &str| variants.iter().find(|variant| variant.name == name);
        match (tag, json) {
            (Tag::External, Json::Record(found)) => match &found[..] {
                [(name, content)] => {
                    let node = of(name).and_then(|variant| variant.node);
                    Json::record([(&**name, self.below(format_args!("|{name}"), |form| form.value(node, content)))])
                }
                _ => json.clone(),
            },
            (Tag::Internal(tag), Json::Record(found)) => {
                let name = json.get(tag).and_then(Json::as_text).unwrap_or_default();
                match of(name).and_then(|variant| variant.node) {
                    Some(Node::Record(fields)) => {
                        Json::Record(self.below(format_args!("|{name}"), |form| form.fields(Some(fields), found)))
                    }
                    _ => json.clone(),
                }
            }
            (Tag::Adjacent { tag, content }, Json::Record(found)) => {
                let name = json.get(tag).and_then(Json::as_text).unwrap_or_default();
                let node = of(name).and_then(|variant| variant.node);
                Json::record(found.iter().map(|(field, value)| {
                    if field == content {
                        (&**field, self.below(format_args!("|{name}"), |form| form.value(node, value)))
                    } else {
                        (&**field, value.clone())
                    }
                }))
            }
            _ => json.clone(),
        }
    }
}

/// Finds the steps that the schema does not warrant.
struct Trials<'a> {
    node: &'a Node,
    json: &'a Json,
    original: &'a dyn Original,
    form: Form,
}

impl Trials<'_> {
    /// Learns the default of each field that has one. A field inside of another's value is there only once that one is known to
    /// hold something else, so it takes a round for each depth.
    fn find_defaults(&mut self) {
        let mut tried = BTreeSet::new();
        loop {
            self.form.of(self.node, self.json);
            let met = std::mem::take(&mut self.form.met.defaults);
            let new: BTreeSet<_> = met.difference(&tried).cloned().collect();
            // Without the outer ones first.
            let outer: BTreeSet<_> = new.iter().filter(|path| !new.iter().any(|other| is_below(path, other))).cloned().collect();
            if outer.is_empty() {
                return;
            }
            tried.extend(outer.iter().cloned());
            if !self.learn(outer.clone()) {
                for path in outer {
                    self.learn(BTreeSet::from([path]));
                }
            }
        }
    }

    /// Leaves fields out, and learns the values that are read in their place; `false` where nothing can be read.
    fn learn(&mut self, paths: BTreeSet<String>) -> bool {
        self.form.without = paths;
        let without = self.form.of(self.node, self.json).to_string();
        let read = self.original.rewritten(without.as_bytes()).and_then(|written| Json::parse(&written).ok());
        let read = read.map(|read| {
            self.form.of(self.node, &read);
            std::mem::take(&mut self.form.met.values)
        });
        self.form.without.clear();
        let Some(read) = read else { return false };
        for (path, values) in read {
            // One that depends on what stands around it is no default.
            if let [first, rest @ ..] = &values[..]
                && rest.iter().all(|value| first.same(value))
            {
                self.form.defaults.insert(path.clone(), first.clone());
                if !self.holds() {
                    self.form.defaults.remove(&path);
                }
            }
        }
        true
    }

    /// Tries what can be left out and sorted inside of opaque values.
    fn find_opaque(&mut self) {
        self.form.of(self.node, self.json);
        let Met { fields, lists, .. } = std::mem::take(&mut self.form.met);
        for path in fields.into_iter().take(TRIALS_MAX) {
            self.learn(BTreeSet::from([path]));
        }
        // Most often all of them are sets, or none.
        self.form.sorted.clone_from(&lists);
        if self.holds() {
            return;
        }
        self.form.sorted.clear();
        for path in lists.into_iter().take(TRIALS_MAX) {
            self.form.sorted.insert(path.clone());
            if !self.holds() {
                self.form.sorted.remove(&path);
            }
        }
    }

    /// Whether the form, with all steps so far, is one of an equal command.
    fn holds(&mut self) -> bool {
        let form = self.form.of(self.node, self.json).to_string();
        self.original.is_read_from(form.as_bytes())
    }
}

/// Whether a path leads through another.
fn is_below(path: &str, other: &str) -> bool {
    path.len() > other.len() && path.starts_with(other) && matches!(path.as_bytes()[other.len()], b'.' | b'[' | b'{' | b'|')
}

/// Items in the order of their forms.
fn in_order(mut items: Vec<Json>) -> Vec<Json> {
    items.sort_by_cached_key(flat);
    items
}

fn flat(json: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    flatten(json, &mut out);
    out
}

/// Appends a value as bytes that no other value has: names in order, numbers by what they are, and each length said.
fn flatten(json: &Json, out: &mut Vec<u8>) {
    let count = |out: &mut Vec<u8>, kind: u8, count: usize| {
        out.push(kind);
        out.extend((count as u64).to_le_bytes());
    };
    let text = |out: &mut Vec<u8>, kind: u8, text: &str| {
        count(out, kind, text.len());
        out.extend(text.as_bytes());
    };
    match json {
        Json::Null => out.push(b'n'),
        Json::Bool(value) => out.push(if *value { b't' } else { b'f' }),
        Json::Number(digits) => text(out, b'#', &number(digits)),
        Json::Text(value) => text(out, b'"', value),
        Json::List(items) => {
            count(out, b'[', items.len());
            for item in items {
                flatten(item, out);
            }
        }
        Json::Record(fields) => {
            count(out, b'{', fields.len());
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name);
            for (name, value) in fields {
                text(out, b'"', name);
                flatten(value, out);
            }
        }
    }
}

/// A number by what it is: `1.50`, `15e-1` and `1.5` are one, and so are `-0.0` and `0`. Exact, however long it is.
fn number(digits: &str) -> String {
    let (sign, unsigned) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() && !all.is_empty() {
        return "0".to_owned();
    }
    let zeros = all.len() - all.trim_end_matches('0').len();
    match exponent.parse::<i64>() {
        Ok(exponent) if !all.is_empty() && all.bytes().all(|digit| digit.is_ascii_digit()) => {
            let length = |digits: usize| i64::try_from(digits).unwrap_or(i64::MAX);
            let exponent = exponent.saturating_sub(length(fraction.len())).saturating_add(length(zeros));
            format!("{sign}{significant}e{exponent}")
        }
        // No number: it counts by its letters.
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Is read from nothing but what it was written as, so every trial fails.
    struct Strict;
    impl Original for Strict {
        fn is_read_from(&self, _: &[u8]) -> bool {
            false
        }
        fn rewritten(&self, _: &[u8]) -> Option<Vec<u8>> {
            None
        }
    }

    fn form(node: &Node, payload: &str) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(write(node, payload.as_bytes(), &Strict, &mut out), "{payload}");
        out
    }

    #[test]
    fn numbers_count_by_what_they_are() {
        for same in [
            &["1", "1.0", "1e0", "10e-1", "0.1e1", "0.001E+3"][..],
            &["0", "-0", "0.0", "-0.0", "0e9"],
            &["170141183460469231731687303715884105727", "170141183460469231731687303715884105727.0"],
            &["100", "1e2", "1.00e2"],
            &["-12.5", "-125e-1"],
        ] {
            for one in same {
                assert_eq!(number(one), number(same[0]), "{one}");
            }
        }
        let others = ["1", "-1", "10", "0.1", "9007199254740993", "9007199254740992", "1e308", "1e309", "1.5e-320"];
        let forms: BTreeSet<_> = others.map(number).into();
        assert_eq!(forms.len(), others.len());
        assert_eq!(
            (number("1e99999999999999999999"), number("NaN"), number("")),
            ("1e99999999999999999999".into(), "NaN".into(), String::new())
        );
    }

    #[test]
    fn what_is_nested_too_deeply_has_no_form() {
        for depth in [130, 200_000] {
            let deep = "[".repeat(depth) + &"]".repeat(depth);
            assert!(!write(&Node::Opaque("a tree"), deep.as_bytes(), &Strict, &mut Vec::new()), "{depth}");
        }
        form(&Node::Opaque("a tree"), &("[".repeat(100) + &"]".repeat(100)));
    }

    #[test]
    fn an_opaque_value_that_refuses_each_trial_is_as_it_was_written() {
        let opaque = &Node::Opaque("anything");
        assert_eq!(form(opaque, r#"{"a":[1,2],"b":null}"#), form(opaque, r#"{ "b": null, "a": [1.0, 2] }"#));
        for other in [r#"{"a":[2,1],"b":null}"#, r#"{"a":[1,2]}"#, r#"{"a":[1,2],"b":{}}"#, r#"{"a":[1,"2"],"b":null}"#] {
            assert_ne!(form(opaque, r#"{"a":[1,2],"b":null}"#), form(opaque, other), "{other}");
        }
    }

    #[test]
    fn a_decimal_counts_by_what_it_is_and_other_text_by_its_letters() {
        assert_eq!(form(&Node::Named("decimal"), "\"1.50\""), form(&Node::Named("decimal"), "\"1.5\""));
        assert_ne!(form(&Node::Text, "\"1.50\""), form(&Node::Text, "\"1.5\""));
    }
}
