//! The integration tests: one binary.

mod fleet;
