//! `#[value]`: beside what every stored type has, how a column of a read model holds it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
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

/// `enum Channel { Branch, Online }`: the variant's name, so that rows can be found by it.
fn by_name(model: &Stored, variants: &[Variant]) -> TokenStream {
    let root = &model.root;
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<_> = variants.iter().map(|variant| &variant.name).collect();
    let (result, string) = (quote!(#root::core::result::Result), quote!(#root::std::string::String));
    head(model).implement(
        &quote!(#root::ColumnType),
        None,
        None,
        &quote! {
            const KIND: #root::ColumnKind = #root::ColumnKind::Text;
            fn to_value(&self) -> #result<#root::Value, #string> {
                #root::name_to_value(match self { #(Self::#idents => #names,)* })
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #root::value_to_name(&__value, &[#((#names, Self::#idents)),*])
            }
        },
    )
}

/// `struct Cents(i64);`: as what is in it, where that can be held.
fn like_inner(model: &Stored, inner: &Field) -> TokenStream {
    let (root, ty) = (&model.root, &inner.ty);
    let (result, string) = (quote!(#root::core::result::Result), quote!(#root::std::string::String));
    let bound = quote_spanned!(ty.span()=> for<'__any> #ty: #root::ColumnType);
    head(model).implement(
        &quote!(#root::ColumnType),
        None,
        Some(&bound),
        &quote! {
            const KIND: #root::ColumnKind = <#ty as #root::ColumnType>::KIND;
            const NULLABLE: #root::core::primitive::bool = <#ty as #root::ColumnType>::NULLABLE;
            fn to_value(&self) -> #result<#root::Value, #string> {
                <#ty as #root::ColumnType>::to_value(&self.0)
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #result::map(<#ty as #root::ColumnType>::from_value(__value), Self)
            }
        },
    )
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
    head(model).implement(
        &quote!(#root::ColumnType),
        None,
        clauses.as_ref(),
        &quote! {
            const KIND: #root::ColumnKind = #root::ColumnKind::Json;
            fn to_value(&self) -> #result<#root::Value, #string> {
                #ask
                #functions::to_json(self)
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #ask
                #functions::from_json(__value)
            }
        },
    )
}
