//! A pooler in transaction mode, in front of a server for tests.

/// The variable that names a pooler in front of the tests' server.
pub const VARIABLE: &str = "GESTA_TEST_POOLER";
