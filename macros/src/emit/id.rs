//! `#[id]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Type;

use super::stubs;
use crate::model::id::{Id, Inner};
use crate::names::plain;

const TRAITS: [&str; 7] = ["Clone", "Debug", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash"];

/// An id. What it is made of is all that counts: one with a field that is not private has all its code, beside the error.
pub(crate) fn id(model: &Id, _sound: bool) -> TokenStream {
    let item = &model.item;
    if model.root.is_missing {
        return item.clone();
    }
    let Some((ty, inner)) = &model.inner else {
        let stub = stub(model);
        return quote!(#item #stub);
    };
    let derive = derive(model, *inner);
    let (inherent, text, schema) = match inner {
        Inner::Text => (text_methods(model), conversions_of_text(model), schema(model, ty)),
        Inner::Uuid | Inner::Integer => (methods(model, ty, *inner), conversion(model, ty), schema(model, ty)),
    };
    let (shared, serde, column) = (shared(model, ty, *inner), serde(model, ty, *inner), column(model, ty, *inner));
    quote!(#derive #item #inherent #text #shared #serde #schema #column)
}

fn derive(model: &Id, inner: Inner) -> Option<TokenStream> {
    let root = &model.root;
    let copy: &[&str] = if inner == Inner::Text { &[] } else { &["Copy"] };
    let wanted: Vec<&str> = TRAITS.iter().chain(copy).copied().collect();
    let paths: Vec<_> = model.derives.missing(&wanted).into_iter().map(|name| std_path(model, name)).collect();
    (!paths.is_empty()).then(|| quote!(#[#root::core::prelude::v1::derive(#(#paths),*)]))
}

fn std_path(model: &Id, name: &str) -> TokenStream {
    let (root, ident) = (&model.root, format_ident!("{name}"));
    let module = match name {
        "Clone" => quote!(clone),
        "Copy" => quote!(marker),
        "Debug" => quote!(fmt),
        "Hash" => quote!(hash),
        _ => quote!(cmp),
    };
    quote!(#root::core::#module::#ident)
}

fn text_methods(model: &Id) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let string = quote!(#root::std::string::String);
    quote! {
        #[automatically_derived]
        #[allow(dead_code, unreachable_pub)]
        impl #ident {
            /// An id of this text.
            ///
            /// # Errors
            /// Where the text is empty, has more than 255 bytes, or holds a control character.
            pub fn new(id: impl #root::core::convert::Into<#string>) -> #root::core::result::Result<Self, #root::InvalidId> {
                #root::core::result::Result::map(#root::check_id(#root::core::convert::Into::into(id)), Self)
            }
            /// The text.
            pub fn as_str(&self) -> &#root::core::primitive::str {
                &self.0
            }
        }
    }
}

fn methods(model: &Id, ty: &Type, inner: Inner) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let generate = (inner == Inner::Uuid).then(|| {
        quote! {
            /// A new id, of version 7: later ones come after earlier ones.
            pub fn generate() -> Self {
                Self(#root::Uuid::now_v7())
            }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(dead_code, unreachable_pub)]
        impl #ident {
            /// The id made of this.
            pub const fn new(id: #ty) -> Self {
                Self(id)
            }
            #generate
            /// What it is made of.
            pub const fn get(&self) -> #ty {
                self.0
            }
        }
    }
}

fn conversions_of_text(model: &Id) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let (string, str) = (quote!(#root::std::string::String), quote!(#root::core::primitive::str));
    let result = quote!(#root::core::result::Result);
    quote! {
        #[automatically_derived]
        impl #root::core::convert::TryFrom<#string> for #ident {
            type Error = #root::InvalidId;
            fn try_from(__id: #string) -> #result<Self, #root::InvalidId> {
                Self::new(__id)
            }
        }
        #[automatically_derived]
        impl<'__a> #root::core::convert::TryFrom<&'__a #str> for #ident {
            type Error = #root::InvalidId;
            fn try_from(__id: &'__a #str) -> #result<Self, #root::InvalidId> {
                Self::new(__id)
            }
        }
    }
}

fn conversion(model: &Id, ty: &Type) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    quote! {
        #[automatically_derived]
        impl #root::core::convert::From<#ty> for #ident {
            fn from(__id: #ty) -> Self {
                Self(__id)
            }
        }
    }
}

/// What every id does: shown, parsed, the name of a stream.
fn shared(model: &Id, ty: &Type, inner: Inner) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let kind = plain(ident);
    let (string, str) = (quote!(#root::std::string::String), quote!(#root::core::primitive::str));
    let result = quote!(#root::core::result::Result);
    let parse = match inner {
        Inner::Text => quote!(Self::new(__text)),
        Inner::Uuid | Inner::Integer => quote!(#result::map(#root::parse_id::<#ty>(__text, #kind), Self)),
    };
    let write = match inner {
        Inner::Text => quote!(#string::push_str(__text, &self.0)),
        Inner::Uuid | Inner::Integer => quote!(<#ty as #root::AggregateId>::write(&self.0, __text)),
    };
    quote! {
        #[automatically_derived]
        impl #root::core::fmt::Display for #ident {
            fn fmt(&self, __f: &mut #root::core::fmt::Formatter<'_>) -> #root::core::fmt::Result {
                #root::core::fmt::Display::fmt(&self.0, __f)
            }
        }
        #[automatically_derived]
        impl #root::core::str::FromStr for #ident {
            type Err = #root::InvalidId;
            fn from_str(__text: &#str) -> #result<Self, #root::InvalidId> {
                #parse
            }
        }
        #[automatically_derived]
        impl #root::AggregateId for #ident {
            fn write(&self, __text: &mut #string) {
                #write
            }
            fn parse(__text: &#str) -> #result<Self, #root::InvalidId> {
                #parse
            }
        }
    }
}

fn serde(model: &Id, ty: &Type, inner: Inner) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let result = quote!(#root::core::result::Result);
    let read = match inner {
        Inner::Text => quote!(#root::read_id(__deserializer)),
        Inner::Uuid | Inner::Integer => quote!(<#ty as #root::serde::Deserialize<'de>>::deserialize(__deserializer)),
    };
    quote! {
        #[automatically_derived]
        impl #root::serde::Serialize for #ident {
            fn serialize<__S: #root::serde::Serializer>(&self, __serializer: __S) -> #result<__S::Ok, __S::Error> {
                #root::serde::Serialize::serialize(&self.0, __serializer)
            }
        }
        #[automatically_derived]
        impl<'de> #root::serde::Deserialize<'de> for #ident {
            fn deserialize<__D: #root::serde::Deserializer<'de>>(__deserializer: __D) -> #result<Self, __D::Error> {
                #result::map(#read, Self)
            }
        }
    }
}

fn schema(model: &Id, ty: &Type) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    quote! {
        #[automatically_derived]
        impl #root::Schema for #ident {
            const NODE: #root::Node = #root::id_node(<#ty as #root::Schema>::NODE);
        }
    }
}

fn column(model: &Id, ty: &Type, inner: Inner) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let (result, string) = (quote!(#root::core::result::Result), quote!(#root::std::string::String));
    let read = match inner {
        Inner::Text => quote!(#root::id_from_value(__value)),
        Inner::Uuid | Inner::Integer => quote!(<#ty as #root::ColumnType>::from_value(__value)),
    };
    quote! {
        #[automatically_derived]
        impl #root::ColumnType for #ident {
            const KIND: #root::ColumnKind = <#ty as #root::ColumnType>::KIND;
            fn to_value(&self) -> #result<#root::Value, #string> {
                <#ty as #root::ColumnType>::to_value(&self.0)
            }
            fn from_value(__value: #root::Value) -> #result<Self, #string> {
                #result::map(#read, Self)
            }
        }
        #[automatically_derived]
        impl #root::OrderedColumnType for #ident {}
    }
}

/// After an error: what an aggregate, an event or a read model asks of an id.
fn stub(model: &Id) -> TokenStream {
    let Id { root, ident, generics, .. } = model;
    let traits = model.derives.missing(&["Clone", "Debug", "PartialEq", "Serialize", "Deserialize"]);
    let (value, column) = (stubs::value(root, ident, generics, &traits), stubs::column(root, ident, generics));
    let rest = stubs::id(root, ident, generics, &model.derives);
    quote!(#value #column #rest)
}
