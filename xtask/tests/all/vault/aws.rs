//! The vault in S3: the port's rules.

use super::conformance;

conformance::conformance!(in_a_bucket, crate::aws::empty_vault().await);
