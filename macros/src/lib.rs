//! Macros.
use proc_macro::TokenStream;
macro_rules! stubs { ($($n:ident)*) => { $(#[doc = "stub"] #[proc_macro_attribute] pub fn $n(_: TokenStream, item: TokenStream) -> TokenStream { item })* } }
stubs!(event command value id state aggregate command_handler projection);
/// stub
#[proc_macro_derive(ReadModel, attributes(key, index, read_model))]
pub fn read_model(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
