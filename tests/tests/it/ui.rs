//! What the compiler says: one case for each message, read by a stranger.
//!
//! The texts are those of the toolchain that `rust-toolchain.toml` names, rustc 1.95; another one words its own part of
//! them in other ways. `TRYBUILD=overwrite cargo test -p gesta-tests ui` writes them anew: then read each of them.

#[test]
fn every_mistake_is_one_error_that_says_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

#[test]
fn each_rule_of_a_change_is_what_the_compiler_says() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/rules/*_fine.rs");
    cases.compile_fail("tests/ui/rules/*_errors.rs");
}

#[test]
fn a_lock_that_cannot_be_read_is_one_error_that_names_the_line_and_crlf_is_fine() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/locks/*_fine.rs");
    cases.compile_fail("tests/ui/locks/*_errors.rs");
}
