//! A `#[derive(ReadModel)]`.

use proc_macro2::{Ident, TokenStream};
use syn::{Field, Item, LitInt, LitStr, Meta, Type};

use super::tokens::TokenHash;
use crate::diag::Errors;
use crate::names::{plain, table};
use crate::parse::args::{self, value, values};
use crate::parse::attrs::docs;
use crate::paths::Root;

/// A row with a key.
pub(crate) struct ReadModel {
    pub(crate) root: Root,
    pub(crate) ident: Ident,
    pub(crate) doc: String,
    pub(crate) table: Table,
    /// `of(..)`: the aggregates that feed it, where there are several.
    pub(crate) sources: Vec<Type>,
    pub(crate) columns: Vec<Column>,
    /// Changed by hand, where code outside the blocks has changed.
    pub(crate) logic_version: u64,
    /// Whether the item is of a kind that can be a row; what is not has been reported.
    pub(crate) is_row: bool,
}

/// The table's name, and where it was said.
pub(crate) enum Table {
    Said(LitStr),
    Derived(String),
}

/// One field.
pub(crate) struct Column {
    pub(crate) field: Ident,
    /// The column's name.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) doc: String,
    pub(crate) is_key: bool,
    pub(crate) is_indexed: bool,
}

impl ReadModel {
    /// The table's name.
    pub(crate) fn table(&self) -> String {
        match &self.table {
            Table::Said(text) => text.value(),
            Table::Derived(name) => name.clone(),
        }
    }
    /// The key, where there is one.
    pub(crate) fn key(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.is_key)
    }
}

/// Reads a `#[derive(ReadModel)]`.
pub(crate) fn read(item: TokenStream, errors: &mut Errors) -> Option<ReadModel> {
    let row = "a row has named columns: derive `ReadModel` on a struct with named fields";
    let (attrs, ident, generics, fields) = match errors.take(syn::parse2::<Item>(item))? {
        Item::Struct(item) => {
            let named = matches!(item.fields, syn::Fields::Named(_));
            if !named {
                errors.on(&item.ident, row);
            }
            (item.attrs, item.ident, item.generics, named.then_some(item.fields))
        }
        Item::Enum(item) => {
            errors.on(&item.ident, row);
            (item.attrs, item.ident, item.generics, None)
        }
        Item::Union(item) => {
            errors.on(&item.ident, row);
            (item.attrs, item.ident, item.generics, None)
        }
        _ => return None,
    };
    if !generics.params.is_empty() {
        errors.on(&generics.params, "a read model can't be generic: each has a table of its own");
        return None;
    }
    let doc = docs(&attrs);
    let (mut said, mut sources, mut logic_version, mut arguments) = (None, Vec::new(), 0, TokenStream::new());
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("read_model")) {
        if let Some(tokens) = errors.take(attr.meta.require_list().map(|list| list.tokens.clone())) {
            if !arguments.is_empty() {
                arguments.extend(quote::quote!(,));
            }
            arguments.extend(tokens);
        }
    }
    let known = [("table", "table = \"your_rows\""), ("of", "of(OneAggregate, Another)"), ("logic_version", "logic_version = 1")];
    let root = args::read("read_model", &known, arguments, errors, |key, input, errors| {
        if key == "table" {
            said = Some(value(input)?);
        } else if key == "of" {
            sources = values(input)?;
        } else {
            logic_version = errors.take(value::<LitInt>(input)?.base10_parse()).unwrap_or(0);
        }
        Ok(())
    });
    let is_row = fields.is_some();
    let columns = fields.into_iter().flatten().filter_map(|field| column(field, errors)).collect();
    let table = said.map_or_else(|| Table::Derived(table(&ident)), Table::Said);
    Some(ReadModel { root, ident, doc, table, sources, columns, logic_version, is_row })
}

fn column(field: Field, errors: &mut Errors) -> Option<Column> {
    let mut marked = |mark: &str| {
        let mut found = field.attrs.iter().filter(|attr| attr.path().is_ident(mark));
        let first = found.next();
        if let Some(Meta::List(_) | Meta::NameValue(_)) = first.map(|attr| &attr.meta) {
            errors.on(first, format!("write `#[{mark}]` and nothing else"));
        }
        if let Some(second) = found.next() {
            errors.on(second, format!("`{mark}` stands here twice: keep one"));
        }
        first.is_some()
    };
    let (is_key, is_indexed) = (marked("key"), marked("index"));
    let ident = field.ident?;
    Some(Column { name: plain(&ident), field: ident, ty: field.ty, doc: docs(&field.attrs), is_key, is_indexed })
}

impl ReadModel {
    /// The hash of what the columns' types are called, which tells types apart that have no schema.
    pub(crate) fn tokens(&self) -> u64 {
        let mut hash = TokenHash::new();
        for column in &self.columns {
            let ty = &column.ty;
            hash.add(quote::quote!(#ty,));
        }
        hash.finish()
    }
}
