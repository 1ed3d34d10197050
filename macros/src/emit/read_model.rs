//! `#[derive(ReadModel)]`.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use super::aggregate::lacks;
use crate::model::read_model::{Column, ReadModel};
use crate::names::{column_const, order_column};

/// A read model.
pub(crate) fn read_model(model: &ReadModel, sound: bool) -> TokenStream {
    if model.root.is_missing {
        return TokenStream::new();
    }
    if !sound {
        return stub(model);
    }
    let Some(key) = model.key() else { return stub(model) };
    let (table, constants, projection, places) = (table(model, key), constants(model), projection(model), places(model));
    let checks = checks(model);
    quote!(#table #constants #projection #places #checks)
}

fn table(model: &ReadModel, key: &Column) -> TokenStream {
    let (root, ident, doc, table) = (&model.root, &model.ident, &model.doc, model.table());
    let lacks = lacks(root);
    let columns = model.columns.iter().map(|column| {
        let (name, doc, role) = (&column.name, &column.doc, role(column));
        let (kind, nullable) = (held(model, column, "KIND"), held(model, column, "NULLABLE"));
        quote!(#root::Column { name: #name, kind: #kind, nullable: #nullable, role: #root::ColumnRole::#role, doc: #doc })
    });
    let writes = model.columns.iter().map(|column| {
        let (Column { field, name, .. }, write) = (column, held(model, column, "to_value"));
        quote!(#root::put(&mut __row, #name, #write(&self.#field))?;)
    });
    let indexes = indexes(model).map(|(i, column, name)| {
        let ty = &column.ty;
        quote!(#root::IndexColumn { field: #i, name: #name, form: #root::Probe::<#ty>::INDEX })
    });
    let index_writes = self::indexes(model).map(|(_, Column { field, name, ty, .. }, _)| {
        let probe = quote!(#root::Probe::<#ty>);
        quote!(#root::put_index(&mut __row, #name, #probe::INDEX, || #probe::to_index(&self.#field))?;)
    });
    let reads = model.columns.iter().map(|column| {
        let (Column { field, name, .. }, read) = (column, held(model, column, "from_value"));
        quote!(#field: #root::take(&mut __row, #name, #read)?,)
    });
    let types = model.columns.iter().map(|column| &column.ty);
    let (field, ty, count) = (&key.field, &key.ty, model.columns.len());
    let result = quote!(#root::core::result::Result);
    quote! {
        #[automatically_derived]
        impl #root::ReadModel for #ident {
            type Key = #ty;
            const TABLE: &'static #root::core::primitive::str = #table;
            const DOC: &'static #root::core::primitive::str = #doc;
            const COLUMNS: &'static [#root::Column] = {
                #lacks
                const __FIELDS: &[#root::Column] = &[#(#columns),*];
                const __INDEXES: &[#root::IndexColumn] = &[#(#indexes),*];
                const __ALL: [#root::Column; #count + #root::own_columns(__INDEXES)] = #root::all_columns(__FIELDS, __INDEXES);
                &__ALL
            };
            const MAY_HOLD_OPAQUE: #root::core::primitive::bool =
                { #lacks #root::any_opaque(&[#(#root::Probe::<#types>::NODE),*]) };
            fn key(&self) -> &#ty {
                &self.#field
            }
            fn to_row(&self) -> #result<#root::Row, #root::ColumnError> {
                #lacks
                let mut __row = #root::std::vec::Vec::with_capacity(#count);
                #(#writes)*
                #(#index_writes)*
                #result::Ok(__row)
            }
            fn from_row(__row: #root::Row) -> #result<Self, #root::ColumnError> {
                #lacks
                let mut __row = #root::std::iter::IntoIterator::into_iter(__row);
                #result::Ok(Self { #(#reads)* })
            }
        }
    }
}

/// Whether a field is the key, an index, or just kept.
fn role(column: &Column) -> TokenStream {
    match column {
        Column { is_key: true, .. } => quote!(Key),
        Column { is_indexed: true, .. } => quote!(Indexed),
        _ => quote!(Plain),
    }
}

/// The fields by which rows are found, each with its place and the name of the column that holds its own form, if it has one.
fn indexes(model: &ReadModel) -> impl Iterator<Item = (usize, &Column, String)> {
    let found = model.columns.iter().enumerate().filter(|(_, column)| column.is_key || column.is_indexed);
    found.map(|(i, column)| (i, column, order_column(&column.name, i)))
}

/// That values come back from each column, and that rows can be found by what they are to be found by.
fn checks(model: &ReadModel) -> TokenStream {
    let (root, lacks) = (&model.root, lacks(&model.root));
    let checks = model.columns.iter().map(|column| {
        let (ty, role) = (&column.ty, role(column));
        let here = root.at(ty.span());
        let probe = quote!(#root::Probe::<#ty>);
        let check = quote_spanned! {ty.span()=>
            #here::check_column(#root::ColumnRole::#role, #probe::NULLABLE, #probe::FLAW, #probe::INDEX)
        };
        quote!(const _: () = { #lacks #check };)
    });
    quote!(#(#checks)*)
}

/// What a column type says of a field: asked of the type itself, so that a field which can't be a column is an error there.
/// What the key lacks is said at `ReadModel::Key`.
fn held(model: &ReadModel, column: &Column, what: &str) -> TokenStream {
    let (root, ty) = (model.root.at(column.ty.span()), &column.ty);
    if column.is_key {
        let item = match what {
            "to_value" => format_ident!("to_column"),
            "from_value" => format_ident!("from_column"),
            constant => format_ident!("{constant}"),
        };
        return quote!(#root::Probe::<#ty>::#item);
    }
    let item = format_ident!("{what}", span = ty.span());
    quote_spanned!(ty.span()=> <#ty as #root::ColumnType>::#item)
}

/// A constant for each column that rows can be found by.
fn constants(model: &ReadModel) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let constants = indexes(model).map(|(i, column, own)| {
        let (name, ty) = (column_const(&column.field), &column.ty);
        let what = if column.is_key { "key" } else { "column" };
        let doc = format!("The {what} `{}`, to find rows by. {}", column.name, column.doc);
        let doc = doc.trim_end();
        quote! {
            #[doc = #doc]
            pub const #name: #root::IndexedColumn<Self, #ty> =
                #root::IndexedColumn::new(#root::place_of(<Self as #root::ReadModel>::COLUMNS, #own, #i));
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(private_interfaces, unreachable_pub, dead_code)]
        impl #ident { #(#constants)* }
    }
}

/// The model with its sources: of the listed blocks, or of the only one.
fn projection(model: &ReadModel) -> TokenStream {
    let (root, ident, tokens) = (&model.root, &model.ident, model.tokens());
    let logic_version = Literal::u64_unsuffixed(model.logic_version);
    let only: Type = syn::parse_quote!(#root::SeveralBlocksNeed_read_model_of);
    let blocks: Vec<&Type> = if model.sources.is_empty() { vec![&only] } else { model.sources.iter().collect() };
    let fingerprints = blocks.iter().map(|place| block_item(model, place, "FINGERPRINT"));
    let sources = blocks.iter().map(|place| block_item(model, place, "source"));
    // Where nothing is listed, there may be no block, which is no error before the model is registered.
    let bound = model.sources.is_empty().then(|| quote!(where for<'__any> #ident: #root::ProjectionBlock<#only>));
    let schemas = model.columns.iter().map(|column| {
        let ty = &column.ty;
        let schema = quote!(#root::Probe::<#ty>::SCHEMA);
        let found_by = column.is_key || column.is_indexed;
        if found_by { quote!(#root::index_schema(#schema, #root::Probe::<#ty>::INDEX)) } else { schema }
    });
    let lacks = lacks(root);
    quote! {
        #[automatically_derived]
        impl #root::Sourced for #ident #bound {
            const FINGERPRINT: #root::core::primitive::u64 = {
                #lacks
                #root::model_fingerprint(
                    <#ident as #root::ReadModel>::COLUMNS,
                    &[#tokens, #(#schemas),*],
                    &[#(#fingerprints),*],
                    #logic_version,
                )
            };
            fn sources(__sink: &mut #root::SourceSink<Self>) {
                #(#sources(__sink);)*
            }
        }
    }
}

/// Something of the block at one place; that it is missing is said at the place.
fn block_item(model: &ReadModel, place: &Type, item: &str) -> TokenStream {
    let here = |name: &str| format_ident!("{name}", span = place.span());
    let (root, model, item) = (model.root.at(place.span()), here(&model.ident.to_string()), here(item));
    quote_spanned!(place.span()=> <#model as #root::ProjectionBlock<#place>>::#item)
}

/// Which place each block takes.
fn places(model: &ReadModel) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    if model.sources.is_empty() {
        return quote! {
            #[automatically_derived]
            impl<__A> #root::PlaceOf<__A> for #ident {
                type Place = #root::SeveralBlocksNeed_read_model_of;
            }
        };
    }
    let places = model.sources.iter().map(|source| {
        let root = root.at(source.span());
        quote_spanned! {source.span()=>
            #[automatically_derived]
            impl #root::PlaceOf<#source> for #ident {
                type Place = #source;
            }
        }
    });
    quote!(#(#places)*)
}

/// After an error: the model is there, with one block or none.
fn stub(model: &ReadModel) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    // Where no field is the key, it is most often the first.
    let key = model.key().or(model.columns.first()).map(|column| &column.ty);
    let key = key.map_or_else(|| quote!(#root::std::string::String), |ty| quote!(#ty));
    let result = quote!(#root::core::result::Result);
    let never = quote!(#root::core::unreachable!());
    quote! {
        #[automatically_derived]
        impl #root::ReadModel for #ident {
            type Key = #key;
            const TABLE: &'static #root::core::primitive::str = "";
            const DOC: &'static #root::core::primitive::str = "";
            const COLUMNS: &'static [#root::Column] = &[];
            fn key(&self) -> &#key { #never }
            fn to_row(&self) -> #result<#root::Row, #root::ColumnError> { #never }
            fn from_row(_: #root::Row) -> #result<Self, #root::ColumnError> { #never }
        }
        #[automatically_derived]
        impl<__A> #root::PlaceOf<__A> for #ident {
            type Place = __A;
        }
        #[automatically_derived]
        impl #root::Sourced for #ident {
            const FINGERPRINT: #root::core::primitive::u64 = 0;
            fn sources(_: &mut #root::SourceSink<Self>) { #never }
        }
    }
}
