//! `#[value]`: beside what every stored type has, how a column of a read model holds it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::stored::stored;
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
    let (root, ident) = (&model.root, &model.ident);
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<_> = variants.iter().map(|variant| &variant.name).collect();
    let (result, string) = (quote!(#root::core::result::Result), quote!(#root::std::string::String));
    quote! {
        #[automatically_derived]
        impl #root::ColumnType for #ident {
            const KIND: #root::ColumnKind = #root::ColumnKind::Text;
            fn to_value(&self) -> #result<#root::Value, #string> {
                #root::name_to_value(match self { #(Self::#idents => #names,)* })
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #root::value_to_name(&__value, &[#((#names, Self::#idents)),*])
            }
        }
    }
}

/// `struct Cents(i64);`: as what is in it, where that can be held.
fn like_inner(model: &Stored, inner: &Field) -> TokenStream {
    let (root, ident, ty) = (&model.root, &model.ident, &inner.ty);
    let (result, string) = (quote!(#root::core::result::Result), quote!(#root::std::string::String));
    let bound = quote_spanned!(ty.span()=> for<'__any> #ty: #root::ColumnType);
    quote! {
        #[automatically_derived]
        impl #root::ColumnType for #ident where #bound {
            const KIND: #root::ColumnKind = <#ty as #root::ColumnType>::KIND;
            const NULLABLE: #root::core::primitive::bool = <#ty as #root::ColumnType>::NULLABLE;
            fn to_value(&self) -> #result<#root::Value, #string> {
                <#ty as #root::ColumnType>::to_value(&self.0)
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #result::map(<#ty as #root::ColumnType>::from_value(__value), Self)
            }
        }
    }
}

/// Anything else.
fn as_json(model: &Stored) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let (result, string) = (quote!(#root::core::result::Result), quote!(#root::std::string::String));
    quote! {
        #[automatically_derived]
        impl #root::ColumnType for #ident {
            const KIND: #root::ColumnKind = #root::ColumnKind::Json;
            fn to_value(&self) -> #result<#root::Value, #string> {
                #[allow(unused_imports)]
                use #root::Lacks as _;
                #root::Probe::<Self>::to_json(self)
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #[allow(unused_imports)]
                use #root::Lacks as _;
                #root::Probe::<Self>::from_json(__value)
            }
        }
    }
}
