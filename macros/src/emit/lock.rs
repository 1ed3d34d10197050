//! The schema lock of an aggregate: the file in the code, the check of it, the test of it.
//!
//! An exception from "macros are pure", as are `source`, `rings` and `manifest`: whether the file exists, and whether it is about
//! to be written, is looked up here, since a file that is not there can't be included. `option_env!` in what is emitted makes
//! cargo ask again.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::LitStr;

use crate::model::aggregate::Aggregate;
use crate::names::{local, lock_test};

/// What is known of the file while the macro runs.
enum Found {
    /// It is there, or nobody can tell.
    File,
    /// It is about to be written.
    Written,
    /// It is not there, and nobody writes it; why, and what to write.
    Nothing(String),
}

fn look(file: &LitStr) -> Found {
    // Outside of a compiler, as in tests of the macros, there are no files.
    if !proc_macro::is_available() {
        return Found::File;
    }
    let is_written = std::env::var("GESTA_SCHEMA").is_ok_and(|value| value == "write" || value == "release");
    let source = file.span().unwrap().local_file();
    let path = source.map(|source| source.with_file_name(file.value()));
    match path.as_deref() {
        Some(path) => at(path, &file.value(), is_written),
        None if is_written => Found::Written,
        None => Found::File,
    }
}

fn at(path: &Path, name: &str, is_written: bool) -> Found {
    let (folder, shown) = (path.parent().filter(|folder| *folder != Path::new("")), path.display());
    if path.is_dir() {
        return Found::Nothing(format!("`{shown}` is a folder: name a file in it, `schema = \"{name}/account.events\"`"));
    }
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let last = name.rsplit('/').next().unwrap_or(name);
        let folder = folder.display();
        return Found::Nothing(format!(
            "there is no folder `{folder}`: the path begins in the folder of this source file, so write `schema = \"{last}\"` \
             or make the folder"
        ));
    }
    match (is_written, path.exists()) {
        (true, _) => Found::Written,
        (false, true) => Found::File,
        (false, false) => {
            Found::Nothing(format!("`{shown}` does not exist yet: `GESTA_SCHEMA=write cargo test gesta_schema` writes it"))
        }
    }
}

/// The value of `Aggregate::LOCK`.
pub(super) fn value(model: &Aggregate) -> TokenStream {
    let root = &model.root;
    let Some(file) = &model.schema else { return quote!(#root::core::option::Option::None) };
    let text = match look(file) {
        Found::File => {
            let (root, span) = (root.at(file.span()), file.span());
            quote_spanned!(span=> #root::core::include_bytes!(#file))
        }
        Found::Written | Found::Nothing(_) => quote!(b""),
    };
    quote!(#root::core::option::Option::Some(#root::Lock { file: #file, text: #text }))
}

/// What holds the file against the types, and the test that writes it.
pub(super) fn items(model: &Aggregate) -> TokenStream {
    let root = &model.root;
    let Some(file) = &model.schema else { return TokenStream::new() };
    let check = match look(file) {
        Found::File => check(model, file),
        Found::Written => TokenStream::new(),
        Found::Nothing(why) => syn::Error::new(file.span(), why).to_compile_error(),
    };
    let (of, title, test) = (&model.block.ty, model.ident.to_string(), lock_test(&model.ident));
    quote! {
        const _: #root::core::option::Option<&'static #root::core::primitive::str> = #root::core::option_env!("GESTA_SCHEMA");
        #check
        #[cfg(test)]
        #[#root::core::prelude::v1::test]
        fn #test() {
            #root::lock_test::<#of>(#root::LockTest {
                title: #title,
                file: #file,
                package: #root::core::env!("CARGO_MANIFEST_DIR"),
                source: #root::core::file!(),
            });
        }
    }
}

/// All of it stands at the file's name, so that the error does.
fn check(model: &Aggregate, file: &LitStr) -> TokenStream {
    let (root, of, title, found) = (model.root.at(file.span()), &model.block.ty, model.ident.to_string(), local("found"));
    let (of, found) = (crate::paths::at(file.span(), quote!(#of)), crate::paths::at(file.span(), quote!(#found)));
    let check = quote_spanned! {file.span()=>
        if let #root::core::option::Option::Some(#found) =
            #root::check_lock(&#root::Declared::of::<#of>(#title), &<#of as #root::Aggregate>::LOCK)
        {
            #root::lock_fails(&#found)
        }
    };
    quote! {
        // Only what differs takes time; the lint would say so in place of the difference.
        #[allow(long_running_const_eval)]
        const _: () = { #check };
    }
}
