//! What is tested from outside, as users see it.

mod contract;
mod mutants;
mod sqlite;
