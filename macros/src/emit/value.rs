//! `#[value]`: beside what every stored type has, how a column of a read model holds it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Item;
use syn::spanned::Spanned as _;

use super::stored::{head, stored};
use crate::model::stored::{Field, Shape, Stored, Variant};

/// A value.
pub(crate) fn value(model: &Stored, sound: bool) -> TokenStream {
    let names_only = matches!(model.shape, Shape::Enum(_)) && model.is_fieldless();
    let extra: &[&str] = if names_only { &["Copy", "Eq", "Hash", "PartialOrd", "Ord"] } else { &[] };
    let stored = stored(model, sound, extra);
    if !sound {
        return stored;
    }
    let column = match (&model.shape, model.newtype()) {
        (Shape::Enum(variants), _) if names_only => by_name(model, variants),
        (_, Some(inner)) if inner.opaque.is_none() => like_inner(model, inner),
        _ => as_json(model),
    };
    quote!(#stored #column)
}

/// `enum Channel { Branch, Online }`: the variant's name; rows are found in the order of the declaration, or of the numbers that
/// the variants have.
fn by_name(model: &Stored, variants: &[Variant]) -> TokenStream {
    let root = &model.root;
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<_> = variants.iter().map(|variant| &variant.name).collect();
    let (result, string) = (quote!(#root::core::result::Result), quote!(#root::std::string::String));
    let (version, place) = order(model, variants);
    let column = head(model).implement(
        &quote!(#root::ColumnType),
        None,
        None,
        &quote! {
            const KIND: #root::ColumnKind = #root::ColumnKind::Text;
            const INDEX: #root::IndexForm = #root::IndexForm::Own { kind: #root::ColumnKind::Integer, version: #version };
            fn to_value(&self) -> #result<#root::Value, #string> {
                #root::name_to_value(match self { #(Self::#idents => #names,)* })
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #root::value_to_name(&__value, &[#((#names, Self::#idents)),*])
            }
            fn to_index(&self) -> #result<#root::Value, #string> {
                #result::Ok(#root::Value::Integer(#place))
            }
        },
    );
    let ordered = head(model).implement(&quote!(#root::OrderedColumnType), None, None, &TokenStream::new());
    quote!(#column #ordered)
}

/// A number for the order of the variants, and the place of `self` in it.
fn order(model: &Stored, variants: &[Variant]) -> (TokenStream, TokenStream) {
    let root = &model.root;
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let numbered = matches!(&model.item, Item::Enum(item) if item.variants.iter().any(|v| v.discriminant.is_some()));
    if numbered {
        let i128 = quote!(#root::core::primitive::i128);
        let numbers = quote!(&[#(Self::#idents as #i128),*]);
        let own = quote!(match self { #(Self::#idents => Self::#idents as #i128,)* });
        return (quote!(#root::ranks(#numbers)), quote!(#root::rank(#numbers, #own)));
    }
    let places = 0..i64::try_from(variants.len()).unwrap_or(i64::MAX);
    (quote!(1), quote!(match self { #(Self::#idents => #places,)* }))
}

/// `struct Cents(i64);`: as what is in it, where that can be held.
fn like_inner(model: &Stored, inner: &Field) -> TokenStream {
    let (root, ty) = (&model.root, &inner.ty);
    let (result, string) = (quote!(#root::core::result::Result), quote!(#root::std::string::String));
    let bound = quote_spanned!(ty.span()=> for<'__any> #ty: #root::ColumnType);
    let ordered = quote_spanned!(ty.span()=> for<'__any> #ty: #root::OrderedColumnType);
    let ordered = head(model).implement(&quote!(#root::OrderedColumnType), None, Some(&ordered), &TokenStream::new());
    let column = head(model).implement(
        &quote!(#root::ColumnType),
        None,
        Some(&bound),
        &quote! {
            const KIND: #root::ColumnKind = <#ty as #root::ColumnType>::KIND;
            const NULLABLE: #root::core::primitive::bool = <#ty as #root::ColumnType>::NULLABLE;
            const FLAW: #root::core::option::Option<&'static #root::core::primitive::str> = <#ty as #root::ColumnType>::FLAW;
            const INDEX: #root::IndexForm = <#ty as #root::ColumnType>::INDEX;
            fn to_value(&self) -> #result<#root::Value, #string> {
                <#ty as #root::ColumnType>::to_value(&self.0)
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #result::map(<#ty as #root::ColumnType>::from_value(__value), Self)
            }
            fn to_index(&self) -> #result<#root::Value, #string> {
                <#ty as #root::ColumnType>::to_index(&self.0)
            }
        },
    );
    quote!(#column #ordered)
}

/// Anything else.
fn as_json(model: &Stored) -> TokenStream {
    let root = &model.root;
    let (result, string) = (quote!(#root::core::result::Result), quote!(#root::std::string::String));
    // What a generic type can do is said by clauses, not asked.
    let generic = !model.generics.params.is_empty();
    let clauses = generic.then(|| quote!(Self: #root::serde::Serialize + #root::serde::de::DeserializeOwned + #root::Schema,));
    let (ask, functions) = if generic {
        (None, root.to_token_stream())
    } else {
        (Some(quote!(#[allow(unused_imports)] use #root::Lacks as _;)), quote!(#root::Probe::<Self>))
    };
    // The fields of a type that is not generic have been looked at where it is declared.
    let forms = if generic {
        quote! {
            const FLAW: #root::core::option::Option<&'static #root::core::primitive::str> = <Self as #root::Schema>::NODE.flaw();
            const INDEX: #root::IndexForm = #root::IndexForm::of_json(&<Self as #root::Schema>::NODE);
        }
    } else {
        quote!(const INDEX: #root::IndexForm = { #ask #functions::JSON_INDEX };)
    };
    head(model).implement(
        &quote!(#root::ColumnType),
        None,
        clauses.as_ref(),
        &quote! {
            const KIND: #root::ColumnKind = #root::ColumnKind::Json;
            #forms
            fn to_value(&self) -> #result<#root::Value, #string> {
                #ask
                #functions::to_json(self)
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #ask
                #functions::from_json(__value)
            }
            fn to_index(&self) -> #result<#root::Value, #string> {
                #ask
                #functions::json_to_index(self)
            }
        },
    )
}
