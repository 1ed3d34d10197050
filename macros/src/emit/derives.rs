//! `Clone`, `Debug` and `PartialEq`, which std's derives would give with three errors for one type that lacks them: here
//! each field is asked through the runtime's `Probe`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Member, Type};

use super::head::Head;
use crate::paths::Root;

/// A type to implement them for.
pub(super) struct Target<'a> {
    pub(crate) root: &'a Root,
    pub(crate) head: Head<'a>,
    /// The name of each variant and its fields; a struct is one without a name.
    pub(crate) variants: Vec<Variant<'a>>,
}

/// A struct, or a variant.
pub(crate) struct Variant<'a> {
    /// `None` for a struct.
    pub(crate) ident: Option<&'a Ident>,
    pub(crate) named: bool,
    pub(crate) fields: Vec<Field<'a>>,
}

/// One field.
pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    /// Whether the type may lack the trait, which is then reported elsewhere.
    pub(crate) probed: bool,
}

impl Target<'_> {
    /// Those of the three that are asked for.
    pub(crate) fn implement(&self, traits: &[&str]) -> TokenStream {
        traits
            .iter()
            .map(|name| match *name {
                "Clone" => self.clone(),
                "Debug" => self.debug(),
                "PartialEq" => self.partial_eq(),
                _ => TokenStream::new(),
            })
            .collect()
    }

    fn clone(&self) -> TokenStream {
        let (root, none) = (self.root, self.none());
        let arms = self.variants.iter().map(|variant| {
            let (path, members, bound) = (variant.path(), variant.members(), variant.bound("a"));
            let copies = variant.fields.iter().zip(&bound).map(|(field, bound)| {
                let ty = field.ty;
                if field.probed {
                    quote!(#root::Probe::<#ty>::clone(#bound))
                } else {
                    quote!(<#ty as #root::core::clone::Clone>::clone(#bound))
                }
            });
            quote!(#path { #(#members: #bound),* } => #path { #(#members: #copies),* },)
        });
        self.head_of(
            &quote!(#root::core::clone::Clone),
            &quote! {
                fn clone(&self) -> Self {
                    #[allow(unused_imports)]
                    use #root::Lacks as _;
                    match self { #(#arms)* #none }
                }
            },
        )
    }

    fn debug(&self) -> TokenStream {
        let (root, ident, none) = (self.root, self.head.ident, self.none());
        let arms = self.variants.iter().map(|variant| {
            let (path, members, bound) = (variant.path(), variant.members(), variant.bound("a"));
            let name = crate::names::plain(variant.ident.unwrap_or(ident));
            let (start, named) = if variant.named { (quote!(debug_struct), true) } else { (quote!(debug_tuple), false) };
            let fields = variant.fields.iter().zip(&bound).map(|(field, bound)| {
                let ty = field.ty;
                let shown = if field.probed { quote!(#root::Probe::<#ty>::debug(#bound)) } else { quote!(#bound) };
                let label = match &field.member {
                    Member::Named(ident) => crate::names::plain(ident),
                    Member::Unnamed(_) => String::new(),
                };
                if named { quote!(.field(#label, #shown)) } else { quote!(.field(#shown)) }
            });
            quote!(#path { #(#members: #bound),* } => __f.#start(#name)#(#fields)*.finish(),)
        });
        self.head_of(
            &quote!(#root::core::fmt::Debug),
            &quote! {
                fn fmt(&self, __f: &mut #root::core::fmt::Formatter<'_>) -> #root::core::fmt::Result {
                    #[allow(unused_imports)]
                    use #root::Lacks as _;
                    match self { #(#arms)* #none }
                }
            },
        )
    }

    fn partial_eq(&self) -> TokenStream {
        let (root, none) = (self.root, self.none());
        let arms = self.variants.iter().map(|variant| {
            let (path, members, a, b) = (variant.path(), variant.members(), variant.bound("a"), variant.bound("b"));
            let equal = variant.fields.iter().zip(a.iter().zip(&b)).map(|(field, (a, b))| {
                let ty = field.ty;
                if field.probed {
                    quote!(#root::Probe::<#ty>::eq(#a, #b))
                } else {
                    quote!(<#ty as #root::core::cmp::PartialEq>::eq(#a, #b))
                }
            });
            let equal = if variant.fields.is_empty() { quote!(true) } else { quote!(#(#equal)&&*) };
            quote!((#path { #(#members: #a),* }, #path { #(#members: #b),* }) => #equal,)
        });
        let otherwise = (self.variants.len() > 1).then(|| quote!(_ => false,));
        self.head_of(
            &quote!(#root::core::cmp::PartialEq),
            &quote! {
                fn eq(&self, __other: &Self) -> #root::core::primitive::bool {
                    #[allow(unused_imports)]
                    use #root::Lacks as _;
                    match (self, __other) { #(#arms)* #otherwise #none }
                }
            },
        )
    }
}

impl Target<'_> {
    /// The impl of a trait that a generic type has where its parameters have it.
    fn head_of(&self, of: &TokenStream, items: &TokenStream) -> TokenStream {
        self.head.implement(of, Some(of), None, items)
    }
    /// Where there are no variants: which has been reported.
    fn none(&self) -> Option<TokenStream> {
        let root = self.root;
        self.variants.is_empty().then(|| quote!(_ => #root::core::unreachable!(),))
    }
}

impl Variant<'_> {
    fn path(&self) -> TokenStream {
        self.ident.map_or(quote!(Self), |ident| quote!(Self::#ident))
    }
    fn members(&self) -> Vec<&Member> {
        self.fields.iter().map(|field| &field.member).collect()
    }
    fn bound(&self, side: &str) -> Vec<Ident> {
        (0..self.fields.len()).map(|i| format_ident!("__{side}{i}")).collect()
    }
}
