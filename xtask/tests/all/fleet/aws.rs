//! The fleet in Lambda: the port's rules on the emulator, but for those that it lets through, and all of them in front of a
//! stricter one.

use super::conformance;

conformance::conformance!(in_lambda, crate::aws::fleet::Functions::new().await);
conformance::conformance!(over_the_wire, crate::aws::fleet::Strict::new(std::time::Duration::from_secs(60)), strict);
