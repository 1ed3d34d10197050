//! `#[derive(ReadModel)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use super::aggregate::lacks;
use crate::model::read_model::{Column, ReadModel};
use crate::names::column_const;
use crate::paths::at;

/// A read model.
pub(crate) fn read_model(model: &ReadModel, sound: bool) -> TokenStream {
    if !sound {
        return stub(model);
    }
    let Some(key) = model.key() else { return stub(model) };
    let (table, constants, projection, places) = (table(model, key), constants(model), projection(model), places(model));
    quote!(#table #constants #projection #places)
}

fn table(model: &ReadModel, key: &Column) -> TokenStream {
    let (root, ident, table) = (&model.root, &model.ident, model.table());
    let columns = model.columns.iter().map(|column| {
        let (name, ty) = (&column.name, &column.ty);
        let role = match column {
            Column { is_key: true, .. } => quote!(Key),
            Column { is_indexed: true, .. } => quote!(Indexed),
            _ => quote!(Plain),
        };
        let kind = at(ty.span(), quote!(<#ty as #root::ColumnType>::KIND));
        let nullable = at(ty.span(), quote!(<#ty as #root::ColumnType>::NULLABLE));
        quote!(#root::Column { name: #name, kind: #kind, nullable: #nullable, role: #root::ColumnRole::#role })
    });
    let writes = model.columns.iter().map(|Column { field, name, ty, .. }| {
        let value = at(ty.span(), quote!(<#ty as #root::ColumnType>::to_value));
        quote!(#root::put(&mut __row, #name, #value(&self.#field))?;)
    });
    let reads = model.columns.iter().map(|Column { field, name, ty, .. }| {
        let read = at(ty.span(), quote!(<#ty as #root::ColumnType>::from_value));
        quote!(#field: #root::take(&mut __row, #name, #read)?,)
    });
    let (field, ty, count) = (&key.field, &key.ty, model.columns.len());
    let result = quote!(#root::core::result::Result);
    quote! {
        #[automatically_derived]
        impl #root::ReadModel for #ident {
            type Key = #ty;
            const TABLE: &'static #root::core::primitive::str = #table;
            const COLUMNS: &'static [#root::Column] = &[#(#columns),*];
            fn key(&self) -> &#ty {
                &self.#field
            }
            fn to_row(&self) -> #result<#root::Row, #root::ColumnError> {
                let mut __row = #root::std::vec::Vec::with_capacity(#count);
                #(#writes)*
                #result::Ok(__row)
            }
            fn from_row(__row: #root::Row) -> #result<Self, #root::ColumnError> {
                let mut __row = #root::std::iter::IntoIterator::into_iter(__row);
                #result::Ok(Self { #(#reads)* })
            }
        }
    }
}

/// A constant for each column that rows can be found by.
fn constants(model: &ReadModel) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let constants =
        model.columns.iter().enumerate().filter(|(_, column)| column.is_key || column.is_indexed).map(|(i, column)| {
            let (name, ty) = (column_const(&column.field), &column.ty);
            let what = if column.is_key { "key" } else { "column" };
            let doc = format!("The {what} `{}`, to find rows by. {}", column.name, column.doc);
            let doc = doc.trim_end();
            quote! {
                #[doc = #doc]
                pub const #name: #root::IndexedColumn<Self, #ty> = #root::IndexedColumn::new(#i);
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
    let only: Type = syn::parse_quote!(#root::OnlyOneUnlessListedIn_read_model_of);
    let blocks: Vec<&Type> = if model.sources.is_empty() { vec![&only] } else { model.sources.iter().collect() };
    let fingerprints =
        blocks.iter().map(|place| at(place.span(), quote!(<#ident as #root::ProjectionBlock<#place>>::FINGERPRINT)));
    let sources = blocks.iter().map(|place| at(place.span(), quote!(<#ident as #root::ProjectionBlock<#place>>::source)));
    // Where nothing is listed, there may be no block, which is no error before the model is registered.
    let bound = model.sources.is_empty().then(|| quote!(where for<'__any> #ident: #root::ProjectionBlock<#only>));
    let types = model.columns.iter().map(|column| &column.ty);
    let lacks = lacks(root);
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #root::Projection for #ident #bound {
            const FINGERPRINT: #root::core::primitive::u64 = {
                #lacks
                #root::model_fingerprint(
                    <#ident as #root::ReadModel>::COLUMNS,
                    &[#tokens, #(#root::Probe::<#types>::SCHEMA),*],
                    &[#(#fingerprints),*],
                )
            };
            fn sources(__sink: &mut #root::SourceSink<Self>) {
                #(#sources(__sink);)*
            }
        }
    }
}

/// Which place each block takes.
fn places(model: &ReadModel) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    if model.sources.is_empty() {
        return quote! {
            #[automatically_derived]
            impl<__A> #root::PlaceOf<__A> for #ident {
                type Place = #root::OnlyOneUnlessListedIn_read_model_of;
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
    let key = model.key().map(|column| &column.ty);
    let key = key.map_or_else(|| quote!(#root::std::string::String), |ty| quote!(#ty));
    let result = quote!(#root::core::result::Result);
    let never = quote!(#root::core::unreachable!());
    quote! {
        #[automatically_derived]
        impl #root::ReadModel for #ident {
            type Key = #key;
            const TABLE: &'static #root::core::primitive::str = "";
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
        impl #root::Projection for #ident {
            const FINGERPRINT: #root::core::primitive::u64 = 0;
            fn sources(_: &mut #root::SourceSink<Self>) { #never }
        }
    }
}
