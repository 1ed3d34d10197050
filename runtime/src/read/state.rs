//! Whether a [`Read`](crate::Read) has a filter, which the compiler minds: none is ever replaced or passed over.

/// A read without a filter.
#[derive(Debug, Clone, Copy)]
pub enum Unfiltered {}
/// A read with a filter.
#[derive(Debug, Clone, Copy)]
pub enum Filtered {}

/// A read that a filter can be given to.
#[diagnostic::on_unimplemented(
    message = "this read has a filter already",
    label = "would replace the first one",
    note = "a read has one `filter`: give it the one that leaves the fewest rows and look at the others on each row, or keep both values in one column with `#[index]`"
)]
pub trait NoFilterYet: sealed::State {}
impl NoFilterYet for Unfiltered {}

/// A read that may be for one key.
#[diagnostic::on_unimplemented(
    message = "`get` finds a row by its key alone, and this read has a filter",
    label = "would pass over the filter",
    note = "remove `filter(..)`, and look at the row: `.get(&key).await?.filter(|row| ..)`"
)]
pub trait NoFilterToLose: sealed::State {}
impl NoFilterToLose for Unfiltered {}

mod sealed {
    pub trait State {}
    impl State for super::Unfiltered {}
    impl State for super::Filtered {}
}
