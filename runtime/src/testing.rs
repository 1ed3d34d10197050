//! Given-when-then tests.
