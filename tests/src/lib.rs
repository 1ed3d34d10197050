//! Tests of gesta, as a consumer of it.
