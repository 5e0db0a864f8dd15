//! The environment that a function runs in, and what follows from it.

use std::fmt;
use std::str::FromStr;

use garde::Validate;
use serde::Serialize;

use super::shape::{Shape, kept};
use crate::constants::{AUDIT_DAYS, AUDIT_DAYS_PRODUCTION};

/// An environment's name, such as `dev` or `prod`: 1 to 32 lower-case letters, digits and dashes, a letter first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Validate)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
#[serde(transparent)]
#[garde(transparent)]
pub struct Environment(#[garde(length(min = 1, max = 32), pattern(SHAPE))] String);

/// The text is not the name of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an environment such as dev, qa, uat, prod or dr: 1 to 32 lower-case letters, digits and dashes")]
pub struct InvalidEnvironment;

pub(super) const SHAPE: Shape = Shape {
    pattern: "^[a-z][a-z0-9-]*$",
    holds: |text| {
        text.first().is_some_and(u8::is_ascii_lowercase)
            && text.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
    },
};

impl Environment {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many days an audit item of this environment is kept.
    pub fn audit_days(&self) -> i64 {
        match self.as_str() {
            "prod" | "dr" => AUDIT_DAYS_PRODUCTION,
            _ => AUDIT_DAYS,
        }
    }
}

impl FromStr for Environment {
    type Err = InvalidEnvironment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        kept(Self(text.to_owned()), InvalidEnvironment)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for bad in ["", "Prod", "1dev", "de v", &"a".repeat(33)] {
            assert_eq!(bad.parse::<Environment>(), Err(InvalidEnvironment), "{bad:?}");
        }
    }

    #[test]
    fn production_and_its_recovery_keep_six_years_the_others_ninety_days() {
        let days = |name: &str| name.parse::<Environment>().unwrap().audit_days();
        assert_eq!((days("dev"), days("qa"), days("uat")), (90, 90, 90));
        assert_eq!((days("prod"), days("dr")), (2192, 2192));
    }
}
