//! The fleet in Lambda: the port's rules, but for those that the emulator lets through.

use super::conformance;

conformance::conformance!(in_lambda, crate::aws::fleet::Functions::new().await);
