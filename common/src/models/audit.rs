//! The audit item: who looked at what, when, why, and what came of it.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::models::{ConfigurationKey, CorrelationId, Environment, ProductId, RequestId, UserId};

/// One immutable row of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditItem {
    /// What was looked up, by whom.
    pub lookup: Lookup,
    /// What came of it.
    pub status: Status,
    /// When, in UTC; the key keeps milliseconds.
    pub at: Timestamp,
    /// Where; what an archive of several environments needs to tell them apart.
    pub environment: Environment,
    /// When the item may be deleted, in seconds since 1970-01-01 UTC.
    pub expires: i64,
    /// Keeps two lookups of one user in one millisecond apart; a version 7 UUID.
    pub unique: Uuid,
}

/// What is the same for every audit item of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// What kind of lookup.
    pub action: Action,
    /// Who looks.
    pub user: UserId,
    /// At what.
    pub subject: Subject,
    /// The gateway's request id, which the log line carries as well.
    pub request_id: RequestId,
    /// What the client calls the request, which it gets back in a header.
    pub correlation_id: CorrelationId,
}

/// The kind of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A product's price.
    PriceFetch,
    /// The system configuration.
    ConfigFetch,
}

/// What came of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was found.
    Success,
    /// It does not exist.
    NotFound,
    /// The store failed; nothing was shown.
    Error,
}

/// Why a lookup happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody wanted to know.
    User,
    /// The toolchain's smoke check.
    Smoke,
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One product.
    Product(ProductId),
    /// One key of the configuration, or all of it.
    Configuration(Option<ConfigurationKey>),
}

impl AuditItem {
    /// The item for `lookup`, with the retention of `environment`.
    pub fn new(lookup: Lookup, status: Status, at: Timestamp, environment: &Environment) -> Self {
        let retention = SignedDuration::from_hours(24 * environment.audit_days());
        let expires = at.as_second().saturating_add(retention.as_secs());
        // A clock before 1970 is broken; the random part still keeps the key unique.
        let seconds = u64::try_from(at.as_second()).unwrap_or_default();
        let nanoseconds = u32::try_from(at.subsec_nanosecond()).unwrap_or_default();
        let unique = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds));
        Self { lookup, status, at, environment: environment.clone(), expires, unique }
    }

    /// The partition key, `USER#<id>`: the one place where the user's id is in clear.
    pub fn expose_pk(&self) -> String {
        format!("USER#{}", self.lookup.user.expose())
    }

    /// The last digit of what keeps it apart, which is random: it spreads a day's items evenly.
    pub fn shard(&self) -> char {
        char::from_digit(self.unique.as_u128() as u32 & 0xf, 16).unwrap_or('0')
    }

    /// The sort key, `AUDIT#<time>#<unique>`, in the order of time.
    pub fn sk(&self) -> String {
        format!("AUDIT#{:.3}#{}", self.at, self.unique)
    }
}

impl Action {
    /// The name in the audit table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PriceFetch => "PRICE_FETCH",
            Self::ConfigFetch => "CONFIG_FETCH",
        }
    }
}

impl Status {
    /// The name in the audit table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::NotFound => "NOT_FOUND",
            Self::Error => "ERROR",
        }
    }
}

impl Purpose {
    /// The name in the audit table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Smoke => "SMOKE",
        }
    }
}

impl Subject {
    /// The product, if it is one.
    pub fn product(&self) -> Option<&str> {
        match self {
            Self::Product(id) => Some(id.as_str()),
            Self::Configuration(_) => None,
        }
    }

    /// The configuration key, if it is one; `*` stands for the whole configuration.
    pub fn configuration_key(&self) -> Option<&str> {
        match self {
            Self::Product(_) => None,
            Self::Configuration(key) => Some(key.as_ref().map_or("*", ConfigurationKey::as_str)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ALICE, lookup};

    fn item(at: &str, environment: &str) -> AuditItem {
        let subject = Subject::Product("PROD-101".parse().unwrap());
        let lookup = lookup(Action::PriceFetch, ALICE, subject);
        AuditItem::new(lookup, Status::Success, at.parse().unwrap(), &environment.parse().unwrap())
    }

    #[test]
    fn keys_have_the_documented_shape() {
        let item = item("2026-01-23T12:00:00Z", "dev");
        assert_eq!(item.expose_pk(), format!("USER#{ALICE}"));
        let sk = item.sk();
        let unique = sk.strip_prefix("AUDIT#2026-01-23T12:00:00.000Z#").unwrap();
        assert_eq!(Uuid::try_parse(unique).unwrap().get_version_num(), 7);
    }

    #[test]
    fn two_items_of_one_instant_differ() {
        assert_ne!(item("2026-01-23T12:00:00Z", "dev").sk(), item("2026-01-23T12:00:00Z", "dev").sk());
    }

    #[test]
    fn expiry_is_in_seconds_and_follows_the_environment() {
        assert_eq!(item("1970-01-01T00:00:00.9Z", "qa").expires, 90 * 86_400);
        let kept = item("2024-02-29T00:00:00Z", "prod").expires;
        assert!(kept >= "2030-02-28T00:00:00Z".parse::<Timestamp>().unwrap().as_second());
    }

    #[test]
    fn debug_does_not_show_the_user() {
        assert!(!format!("{:?}", item("2026-01-23T12:00:00Z", "dev")).contains("550e"));
    }
}
