//! The id of a person who looks something up: personal data, so the type shows itself to nobody.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::constants::SMOKE_USER_ID;
use crate::models::Purpose;

/// A user's id, a hyphenated UUID. `Debug` and `Display` redact it and it is not `Serialize`, so that no log line and
/// no error can carry it; only [`UserId::expose`] gives it out, to the audit item.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(Uuid);

/// The text is not a user id. It does not repeat the text, which may be personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID, 32 hexadecimal digits with dashes: 8-4-4-4-12")]
pub struct InvalidUserId;

impl UserId {
    /// The id in clear, lower case. For the audit item only; never for a log line or an answer.
    pub fn expose(&self) -> String {
        self.0.hyphenated().to_string()
    }

    /// Why this user asks: [`Purpose::Smoke`] for the reserved smoke user, else [`Purpose::User`].
    pub fn purpose(&self) -> Purpose {
        if self.expose() == SMOKE_USER_ID { Purpose::Smoke } else { Purpose::User }
    }
}

impl FromStr for UserId {
    type Err = InvalidUserId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `Uuid` also reads the braced, the URN and the bare form; one person must not have four spellings.
        const HYPHENATED: usize = uuid::fmt::Hyphenated::LENGTH;
        if text.len() != HYPHENATED {
            return Err(InvalidUserId);
        }
        Uuid::try_parse(text).map(Self).or(Err(InvalidUserId))
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserId(redacted)")
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("redacted")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALICE: &str = "550e8400-e29b-41d4-a716-446655440000";

    #[test]
    fn only_the_hyphenated_form_is_an_id_and_case_does_not_matter() {
        assert_eq!(ALICE.to_uppercase().parse::<UserId>().unwrap().expose(), ALICE);
        for bad in ["", "x", "550e8400e29b41d4a716446655440000", "{550e8400-e29b-41d4-a716-446655440000}", "Alice-UUID"]
        {
            assert_eq!(bad.parse::<UserId>(), Err(InvalidUserId), "{bad:?}");
        }
        assert_eq!(format!("urn:uuid:{ALICE}").parse::<UserId>(), Err(InvalidUserId));
    }

    #[test]
    fn shows_itself_neither_in_debug_nor_in_display() {
        let user: UserId = ALICE.parse().unwrap();
        for shown in [format!("{user:?}"), format!("{user:#?}"), user.to_string()] {
            assert!(shown.contains("redacted"), "{shown}");
            assert!(!shown.contains("550e"), "{shown}");
        }
    }

    #[test]
    fn the_smoke_user_is_told_apart() {
        assert_eq!(SMOKE_USER_ID.parse::<UserId>().unwrap().purpose(), Purpose::Smoke);
        assert_eq!(ALICE.parse::<UserId>().unwrap().purpose(), Purpose::User);
    }

    proptest! {
        #[test]
        fn never_panics_and_never_takes_another_length(text in "\\PC{0,50}|[0-9a-f-]{36}") {
            if let Ok(user) = text.parse::<UserId>() {
                prop_assert_eq!(user.expose(), text.to_lowercase());
            }
        }
    }
}
