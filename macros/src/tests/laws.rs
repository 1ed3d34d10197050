//! What holds for every expansion.

use proc_macro2::{TokenStream, TokenTree};

use super::{code, expand, tokens};

/// Items as they should be, whose own code names nothing of std.
const SOUND: [(&str, &str, &str); 19] = [
    ("event", "", "pub struct Paid { pub amount: Cents, pub kind: Kind }"),
    ("event", "", "pub struct Closed;"),
    (
        "event",
        "version = 3",
        "#[removed(3, note: Text)] pub struct Paid { #[added(2, default = 0)] a: Cents, #[renamed(2, from = \"c\")]
            #[converted(3, try_from = Euros)] b: Cents }",
    ),
    ("event", "version = 3", "#[converted(2, try_from = Old, with = f)] pub struct Paid { #[added(3, default = 0)] a: Cents }"),
    ("command", "", "pub struct Pay { pub amount: Cents, #[serde(skip)] seen: Cents }"),
    ("value", "", "pub enum Price { Free, Fixed(Cents), Both { a: Cents } }"),
    ("value", "", "pub struct Cents(i64);"),
    ("value", "", "pub enum Kind { A, B }"),
    ("value", "", "pub struct Span<T> { from: T, #[serde(default)] to: Vec1<T> }"),
    ("value", "", "pub struct Wrapped<T: Copy>(T);"),
    ("value", "", "#[serde(tag = \"type\")] pub enum Way<T> { Card { number: T }, Cash(Cents), Free }"),
    ("value", "", "#[serde(tag = \"type\", content = \"data\")] pub enum Way { Card { number: Cents }, Cash(Cents, Cents) }"),
    ("value", "", "#[serde(transparent)] pub struct Price { minor: Cents }"),
    ("state", "snapshot_every = 5", "pub struct Account { balance: Cents }"),
    ("id", "", "pub struct Line(i64);"),
    ("aggregate", "id = u64, schema = \"account.events\"", "impl Account { fn opened(e: Opened) -> Self {} }"),
    ("aggregate", "id = u64", "impl Account { fn opened(e: Opened) -> Self {} fn paid(&mut self, e: Paid) {} }"),
    ("command_handler", "", "impl Account { fn open(c: Open) -> Opened {} async fn pay(&self, c: Pay, b: &Bank) -> Paid {} }"),
    ("projection", "of = Account", "impl Row { fn opened(e: Opened) -> Self {} #[key = e.id] fn paid(&mut self, e: &Paid) {} }"),
];

/// Items that are wrong, of each macro.
const WRONG: [(&str, &str, &str); 24] = [
    ("event", "", "pub enum Moved { Left }"),
    ("event", "", "pub struct Paid<T> { amount: T }"),
    ("event", "version = 2", "pub struct Paid { #[added(3, default = 0)] amount: i64 }"),
    ("event", "version = 3", "pub struct Paid { #[converted(2)] amount: i64, #[renamed(3, from = \"amount\")] other: i64 }"),
    ("event", "version = 2", "#[removed(2, amount: i64)] pub struct Paid { #[renamed(2, from = \"amount\")] a: i64 }"),
    ("event", "version = 4000000000", "pub struct Paid { amount: i64 }"),
    ("value", "", "pub enum Price { #[added(2)] Free }"),
    ("event", "", "pub struct Paid { #[serde(skip_serializing)] amount: i64 }"),
    ("event", "", "#[serde(transparent)] pub struct Paid { amount: i64 }"),
    ("value", "", "#[serde(tag = \"type\")] pub enum Way<T> { Card(T, T) }"),
    ("value", "", "pub struct Line<'a> { text: &'a str }"),
    ("command", "", "pub union Pay { a: u8 }"),
    ("value", "", "pub struct Range<const N: usize> where Cells<N>: Copy { from: Cells<N> }"),
    ("state", "snapshot_every = 5", "pub struct Range<T> where T: Copy { from: T }"),
    ("value", "", "pub enum Tree { Node(Vec<Tree>) }"),
    ("state", "", "pub struct Account { balance: i64 }"),
    ("id", "", "pub struct Id(pub String);"),
    ("id", "", "pub struct Id<T>(T);"),
    ("aggregate", "", "impl Account { fn opened(e: Opened) -> Self { e. } }"),
    (
        "aggregate",
        "id = u64",
        "impl Account { fn opened() -> Self {} fn paid(&mut self, e: Paid) {} fn also(&mut self, e: Paid) {} }",
    ),
    ("aggregate", "id = u64", "impl Account {}"),
    ("command_handler", "", "impl Account { fn open(&mut self, c: Open) {} }"),
    ("projection", "", "impl Row { fn opened(e: Opened) -> Self {} }"),
    ("ReadModel", "", "pub struct Row { owner: String }"),
];

/// Names of std and of the prelude: generated code finds them by absolute paths only.
const STD: [&str; 26] = [
    "Option",
    "Some",
    "None",
    "Result",
    "Ok",
    "Err",
    "Vec",
    "String",
    "Box",
    "From",
    "Into",
    "TryFrom",
    "Clone",
    "Copy",
    "Debug",
    "PartialEq",
    "Send",
    "Sync",
    "Default",
    "Future",
    "Iterator",
    "ToString",
    "ToOwned",
    "Drop",
    "vec",
    "format",
];

#[test]
fn generated_code_names_std_by_absolute_paths() {
    for (attribute, args, item) in SOUND {
        let (expansion, errors) = expand(attribute, args, item);
        assert!(errors.is_empty(), "{attribute}: {errors:?}");
        let mut bare = Vec::new();
        bare_names(expansion, &mut bare);
        assert!(bare.is_empty(), "`{attribute}` on `{item}` names {bare:?} without a path");
    }
}

/// Names of std that are not the continuation of a path, nor those of associated types.
fn bare_names(tokens: TokenStream, bare: &mut Vec<String>) {
    let (mut after_colon, mut after_type) = (false, false);
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                bare_names(group.stream(), bare);
                after_colon = false;
            }
            TokenTree::Ident(ident) => {
                if !after_colon && !after_type && STD.iter().any(|name| ident == name) {
                    bare.push(ident.to_string());
                }
                after_colon = false;
                after_type = ident == "type";
            }
            TokenTree::Punct(punct) => after_colon = punct.as_char() == ':',
            TokenTree::Literal(_) => after_colon = false,
        }
    }
}

#[test]
fn the_user_s_item_always_comes_out() {
    for (attribute, args, item) in SOUND.into_iter().chain(WRONG).filter(|(attribute, ..)| *attribute != "ReadModel") {
        let expansion = expand(attribute, args, item).0.to_string();
        // The body or the fields, which no macro changes but for attributes of its own.
        let kept = tokens(item).into_iter().find(|token| matches!(token, TokenTree::Ident(ident) if !["pub", "struct", "enum", "union", "impl"].iter().any(|word| ident == word)));
        let kept = kept.expect("an item has a name").to_string();
        assert!(expansion.contains(&kept), "`{attribute}` drops `{item}`");
    }
}

#[test]
fn after_an_error_stubs_come_out_that_are_code() {
    for (attribute, args, item) in WRONG {
        let (expansion, errors) = expand(attribute, args, item);
        assert!(!errors.is_empty(), "`{attribute}` takes `{item}`");
        // Half-typed bodies come out as they are.
        if !item.contains("e. }") {
            code(expansion);
        }
    }
}

#[test]
fn one_mistake_is_one_error() {
    for (attribute, args, item) in WRONG {
        let errors = expand(attribute, args, item).1;
        let mistakes = match item {
            item if item.contains("converted") => 2,
            item if item.contains("also") => 2,
            _ => 1,
        };
        assert_eq!(errors.len(), mistakes, "`{attribute}` on `{item}`: {errors:?}");
    }
}
