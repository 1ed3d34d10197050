//! What every stored type gets: serde, a schema, and the traits that values need.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Item, LitStr, parse_quote};

use super::derives::{self, Target};
use super::head::Head;
use super::stubs;
use crate::model::stored::{Field, Fields, Shape, Stored, Tag};
use crate::parse::serde::FieldDefault;

const VALUE_TRAITS: [&str; 3] = ["Clone", "Debug", "PartialEq"];

/// The item with what makes it storable; or, where something is wrong, with stubs of it. `extra` are further traits of
/// std to derive, for types that hold no data.
pub(crate) fn stored(model: &Stored, sound: bool, extra: &[&str]) -> TokenStream {
    if !sound {
        let bare = &model.bare;
        if model.root.is_missing {
            return bare.clone();
        }
        let stubs = stubs::stored(model);
        return quote!(#bare #stubs);
    }
    let (root, item) = (&model.root, bounded_item(model));
    let traits = model.derives.missing(&VALUE_TRAITS);
    // Without fields nothing can lack a trait, and std's derives say all.
    let derive = model.is_fieldless().then(|| {
        let all = traits.iter().copied().chain(model.derives.missing(extra));
        let paths: Vec<_> = all.map(|name| std_derive(model, name)).collect();
        (!paths.is_empty()).then(|| quote!(#[#root::core::prelude::v1::derive(#(#paths),*)]))
    });
    let derive = derive.flatten();
    let impls = if model.is_fieldless() { TokenStream::new() } else { target(model).implement(&traits) };
    let (serde, serde_impls) = serde(model);
    let schema = schema(model);
    let check = check(model);
    quote!(#derive #serde #item #impls #serde_impls #schema #check)
}

pub(super) fn head(model: &Stored) -> Head<'_> {
    Head { ident: &model.ident, generics: &model.generics }
}

fn std_derive(model: &Stored, name: &str) -> TokenStream {
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

fn target(model: &Stored) -> Target<'_> {
    let variants = match &model.shape {
        Shape::Struct(fields) => vec![variant(None, Some(fields))],
        Shape::Enum(variants) => variants.iter().map(|v| variant(Some(&v.ident), v.fields.as_ref())).collect(),
        Shape::Unit | Shape::Union => Vec::new(),
    };
    Target { root: &model.root, head: head(model), variants }
}

fn variant<'a>(ident: Option<&'a Ident>, fields: Option<&'a Fields>) -> derives::Variant<'a> {
    let list = fields.map_or(&[][..], |fields| &fields.list);
    let field = |field: &'a Field| derives::Field {
        member: field.member.clone(),
        ty: &field.ty,
        probed: field.opaque.is_none() && !field.skipped,
    };
    derives::Variant { ident, named: fields.is_some_and(|fields| fields.named), fields: list.iter().map(field).collect() }
}

/// The attributes for serde, and impls where serde's derive is not used.
fn serde(model: &Stored) -> (TokenStream, TokenStream) {
    let root = &model.root;
    if matches!(model.shape, Shape::Unit) {
        return (TokenStream::new(), unit_serde(model));
    }
    let missing = model.derives.missing(&["Serialize", "Deserialize"]);
    let derives = missing.iter().map(|name| {
        let name = format_ident!("{name}");
        quote!(#root::serde::#name)
    });
    let derive = (!missing.is_empty()).then(|| quote!(#[#root::core::prelude::v1::derive(#(#derives),*)]));
    let serde = format!("{}::serde", root.text());
    // A newtype is read as what is in it, so that one of an `Option` may be missing as an `Option` may.
    let transparent = (model.newtype().is_some() && model.transparent.is_none()).then(|| quote!(, transparent));
    let bound = generic_bound(model);
    (quote!(#derive #[serde(crate = #serde #transparent #bound)]), TokenStream::new())
}

/// The clauses of a generic type, written out: those that serde would find are of its parameters, not of its fields.
fn generic_bound(model: &Stored) -> Option<TokenStream> {
    if model.generics.params.is_empty() {
        return None;
    }
    let (head, root) = (head(model), model.root.text());
    let (mut write, mut read) = (Vec::new(), Vec::new());
    for field in model.fields() {
        let ty = field.ty.to_token_stream();
        let text = ty.to_string();
        let open = head.mentions_param(&ty);
        if !field.skipped && !field.with && (open || field.opaque.is_none()) && !text.contains('$') {
            write.push(format!("for<'__any> {text}: {root}::serde::Serialize"));
            read.push(format!("for<'__any> {text}: {root}::serde::de::DeserializeOwned"));
        }
        if field.default == Some(FieldDefault::OfType) && open {
            read.push(format!("{text}: {root}::core::default::Default"));
        }
    }
    let (write, read) = (write.join(", "), read.join(", "));
    Some(quote!(, bound(serialize = #write, deserialize = #read)))
}

/// The item with clauses for serde on its fields: the derived impls hold only where every field's type can be written and
/// read. Asked for with a lifetime that nothing uses, such a clause is no error where it fails; the one error is that of
/// the schema.
fn bounded_item(model: &Stored) -> TokenStream {
    let mut item = model.item.clone();
    if !model.generics.params.is_empty() {
        return item.into_token_stream();
    }
    if let Item::Struct(item) = &mut item
        && !matches!(item.fields, syn::Fields::Unit)
    {
        bound_fields(model, &mut item.fields, &mut model.fields());
    }
    if let Item::Enum(item) = &mut item {
        let mut known = model.fields();
        item.variants.iter_mut().for_each(|variant| bound_fields(model, &mut variant.fields, &mut known));
    }
    item.into_token_stream()
}

/// Types that serde reads and writes, which are most of all.
const WRITABLE: [&str; 14] =
    ["bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "String", "Uuid", "Timestamp"];

fn bound_fields(model: &Stored, fields: &mut syn::Fields, known: &mut dyn Iterator<Item = &Field>) {
    let serde = format!("{}::serde", model.root.text());
    for (field, known) in fields.iter_mut().zip(known) {
        let ty = &field.ty;
        let text = quote!(#ty).to_string();
        let foreign = model.fields().any(|known| known.opaque.is_some() && known.ty.to_token_stream().to_string() == text);
        // What `$crate` means can't be written as text; and what every type of this name can, is not asked.
        if known.skipped || foreign || text.contains('$') || WRITABLE.contains(&&*text) {
            continue;
        }
        let write = LitStr::new(&format!("for<'__any> {text}: {serde}::Serialize"), ty.span());
        let read = LitStr::new(&format!("for<'__any> {text}: {serde}::de::DeserializeOwned"), ty.span());
        field.attrs.push(parse_quote!(#[serde(bound(serialize = #write, deserialize = #read))]));
    }
}

fn unit_serde(model: &Stored) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let write = (!model.derives.has("Serialize")).then(|| {
        quote! {
            #[automatically_derived]
            impl #root::serde::Serialize for #ident {
                fn serialize<__S: #root::serde::Serializer>(
                    &self,
                    __serializer: __S,
                ) -> #root::core::result::Result<__S::Ok, __S::Error> {
                    #root::write_unit(__serializer)
                }
            }
        }
    });
    let read = (!model.derives.has("Deserialize")).then(|| {
        quote! {
            #[automatically_derived]
            impl<'de> #root::serde::Deserialize<'de> for #ident {
                fn deserialize<__D: #root::serde::Deserializer<'de>>(
                    __deserializer: __D,
                ) -> #root::core::result::Result<Self, __D::Error> {
                    #root::core::result::Result::map(#root::read_unit(__deserializer), |()| #ident)
                }
            }
        }
    });
    quote!(#write #read)
}

fn schema(model: &Stored) -> TokenStream {
    let root = &model.root;
    let node = match &model.shape {
        Shape::Unit | Shape::Union => quote!(#root::Node::Record(&[])),
        Shape::Struct(fields) => fields_node(model, fields, false),
        Shape::Enum(variants) => {
            let variants = variants.iter().map(|variant| {
                let (name, doc) = (&variant.name, &variant.doc);
                let node = match &variant.fields {
                    None => quote!(#root::core::option::Option::None),
                    Some(fields) => {
                        let node = fields_node(model, fields, true);
                        quote!(#root::core::option::Option::Some(&#node))
                    }
                };
                quote!(#root::Variant { name: #name, doc: #doc, node: #node })
            });
            let tag = match &model.tag {
                Tag::External => quote!(#root::Tag::External),
                Tag::Internal(tag) => quote!(#root::Tag::Internal(#tag)),
                Tag::Adjacent { tag, content } => quote!(#root::Tag::Adjacent { tag: #tag, content: #content }),
            };
            quote!(#root::Node::Enum { tag: #tag, variants: &[#(#variants),*] })
        }
    };
    let of = quote!(#root::Schema);
    head(model).implement(&of, Some(&of), None, &quote!(const NODE: #root::Node = #node;))
}

fn fields_node(model: &Stored, fields: &Fields, variant: bool) -> TokenStream {
    let root = &model.root;
    let stored: Vec<_> = fields.stored().collect();
    let nodes: Vec<_> = stored.iter().map(|field| field_node(model, field, fields.named)).collect();
    match &nodes[..] {
        [inner] if !variant && (!fields.named || model.transparent.is_some()) => inner.clone(),
        [inner] if !fields.named => inner.clone(),
        nodes if !fields.named => quote!(#root::Node::Tuple(&[#(&#nodes),*])),
        nodes => {
            let fields = stored.iter().zip(nodes).map(|(field, node)| {
                let (name, doc, default) = (&field.name, &field.doc, field.default.is_some());
                quote!(#root::Field { name: #name, doc: #doc, default: #default, node: &#node })
            });
            quote!(#root::Node::Record(&[#(#fields),*]))
        }
    }
}

/// The schema of a field, with the question whether its values come back as they went.
fn field_node(model: &Stored, field: &Field, named: bool) -> TokenStream {
    let ty = &field.ty;
    let (root, span) = (model.root.at(ty.span()), ty.span());
    let node = field.opaque.as_ref().map_or_else(
        || quote_spanned!(span=> <#ty as #root::Schema>::NODE),
        |description| quote_spanned!(span=> #root::Node::Opaque(#description)),
    );
    match &model.tag {
        Tag::Internal(tag) if !named => {
            let tag = tag.value();
            quote_spanned!(span=> #root::tagged_content_node(#node, #tag))
        }
        _ if field.opaque.is_some() || WRITABLE.contains(&&*ty.to_token_stream().to_string()) => node,
        Tag::Internal(_) => quote_spanned!(span=> #root::tagged_field_node(#node)),
        Tag::External | Tag::Adjacent { .. } => quote_spanned!(span=> #root::field_node(#node)),
    }
}

/// That what has a schema can also be written and read. A generic type is looked at where it is used.
fn check(model: &Stored) -> TokenStream {
    if model.is_fieldless() || !model.generics.params.is_empty() {
        return TokenStream::new();
    }
    let (root, ident) = (&model.root, &model.ident);
    let here = root.at(ident.span());
    let check = quote_spanned! {ident.span()=>
        #here::stored(&<#ident as #here::Schema>::NODE, #here::Probe::<#ident>::STORED)
    };
    quote! {
        const _: () = {
            #[allow(unused_imports)]
            use #root::Lacks as _;
            #check
        };
    }
}
