//! How the blocks of a read model find together: each `#[projection(of = A)]` block takes a place that the derive gives it.
//!
//! Always true here: without `of(..)` in `#[read_model]` there is one place, so a second block is an error of the
//! compiler; with it there is a place for each aggregate it lists.

use crate::read::{Projection, ReadModel, SourceSink};

/// The place of a block where `#[read_model]` lists no sources: there is one. Its name is what the compiler shows where
/// two blocks want it.
#[derive(Debug)]
#[allow(non_camel_case_types)]
pub enum SeveralBlocksNeed_read_model_of {}

/// Which place the block of the aggregate `A` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has a `#[projection(of = {A})]` block, but its `#[read_model(of(..))]` does not list `{A}`",
    label = "not listed as a source of `{Self}`",
    note = "add it: `#[read_model(of({A}, ..))]`"
)]
pub trait PlaceOf<A> {
    /// The place.
    type Place;
}

/// The block at one place.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lists `{Place}` as a source, but has no `#[projection(of = {Place})]` block",
    label = "nothing says what its events do to a row",
    note = "write a `#[projection(of = {Place})] impl {Self} {{ .. }}` block with a method for each event, or take `{Place}` off the list"
)]
pub trait ProjectionBlock<Place>: ReadModel {
    /// Changes with the handlers, and with the events they handle.
    const FINGERPRINT: u64;
    /// Names the aggregate.
    fn source(sink: &mut SourceSink<Self>);
}

/// What `#[derive(ReadModel)]` says of a model whose blocks are there.
pub trait Sourced: ReadModel {
    /// Changes with the columns, and with each block.
    const FINGERPRINT: u64;
    /// Names each source.
    fn sources(sink: &mut SourceSink<Self>);
}

// That a model has no block is said in the words of `Projection`.
#[diagnostic::do_not_recommend]
impl<M: Sourced> Projection for M {
    const FINGERPRINT: u64 = <M as Sourced>::FINGERPRINT;
    fn sources(sink: &mut SourceSink<Self>) {
        <M as Sourced>::sources(sink);
    }
}
