//! The ids of processes: all that a log line may say about a call. None of them can hold anything else.

use std::str::FromStr;

use garde::Validate;
use serde::Serialize;

use super::shape::{Shape, kept};
use crate::constants::REQUEST_ID_MAX;

/// The id that a gateway or Lambda gave a request: 1 to 64 of the characters of base64 and UUIDs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Validate)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
#[serde(transparent)]
#[garde(transparent)]
pub struct RequestId(#[garde(length(min = 1, max = REQUEST_ID_MAX), pattern(REQUEST))] String);

/// The id under which a client follows what it started through several systems: a UUID, a ULID, or the 32 hexadecimal digits
/// of a trace. No name, address or number of a person looks like one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Validate)]
#[cfg_attr(any(test, feature = "test-support"), derive(schemars::JsonSchema))]
#[serde(transparent)]
#[garde(transparent)]
pub struct CorrelationId(#[garde(length(min = 1, max = REQUEST_ID_MAX), pattern(CORRELATION))] String);

/// X-Ray's id of a trace, such as `1-5759e988-bd862e3fe1be46a994272793`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TraceId(String);

/// The text is no such id. It does not repeat the text, which may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of a process")]
pub struct InvalidId;

pub(super) const REQUEST: Shape = Shape {
    pattern: "^[A-Za-z0-9=+/_-]*$",
    holds: |text| text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"=+/_-".contains(byte)),
};

pub(super) const CORRELATION: Shape = Shape {
    pattern: "^([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25}|[0-9a-f]{32})$",
    holds: |text| is_uuid(text) || is_ulid(text) || text.len() == 32 && text.iter().all(|byte| is_lower_hex(*byte)),
};

fn is_uuid(text: &[u8]) -> bool {
    let dashed = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.iter().enumerate().all(dashed)
}

/// Crockford's base 32: no I, L, O or U; the first digit holds three bits.
fn is_ulid(text: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() && !b"ILOU".contains(byte);
    text.len() == 26 && (b'0'..=b'7').contains(&text[0]) && text.iter().all(digit)
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

impl RequestId {
    /// The first of `candidates` that is an id, or `unknown`: a call without an id is answered like any other.
    pub fn first_of<'a>(candidates: impl IntoIterator<Item = &'a str>) -> Self {
        candidates.into_iter().find_map(|text| text.parse().ok()).unwrap_or_else(|| Self("unknown".to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        kept(Self(text.to_owned()), InvalidId)
    }
}

impl CorrelationId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CorrelationId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        kept(Self(text.to_owned()), InvalidId)
    }
}

/// Where the client gives none, the gateway's own id is the one.
impl From<&RequestId> for CorrelationId {
    fn from(id: &RequestId) -> Self {
        Self(id.0.clone())
    }
}

impl TraceId {
    /// What follows its version.
    pub fn digits(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, digits)| digits)
    }
}

impl FromStr for TraceId {
    type Err = InvalidId;

    /// From a tracing header, `Root=1-…;Parent=…;Sampled=1` in any order (X-Ray developer guide, "Tracing header"): its root.
    fn from_str(header: &str) -> Result<Self, Self::Err> {
        let root = header.split(';').find_map(|part| part.trim().strip_prefix("Root=")).ok_or(InvalidId)?;
        let hex = |part: Option<&str>, length: usize| {
            part.is_some_and(|part| part.len() == length && part.bytes().all(is_lower_hex))
        };
        let mut parts = root.split('-');
        let good = parts.next() == Some("1") && hex(parts.next(), 8) && hex(parts.next(), 24) && parts.next().is_none();
        if good { Ok(Self(root.to_owned())) } else { Err(InvalidId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_ids_are_taken_and_anything_else_is_not() {
        for good in ["c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "JKJaXmPLvHcESHA=", "local-test-id", &"x".repeat(64)] {
            assert_eq!(good.parse::<RequestId>().unwrap().as_str(), good);
        }
        for bad in ["", "alice@example.com", "Alice Smith", "a\nb", "ü", "{\"a\":1}", &"x".repeat(65)] {
            assert_eq!(bad.parse::<RequestId>(), Err(InvalidId), "{bad:?}");
        }
        assert_eq!(RequestId::first_of(["", "a b", "r-1", "r-2"]).as_str(), "r-1");
        assert_eq!(RequestId::first_of([""]).as_str(), "unknown");
    }

    #[test]
    fn a_clients_own_id_has_one_of_three_forms() {
        for good in
            ["550e8400-e29b-41d4-a716-446655440000", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "0af7651916cd43dd8448eb211c80319c"]
        {
            assert_eq!(good.parse::<CorrelationId>().unwrap().as_str(), good);
        }
        for bad in
            ["", "Alice", "078-05-1120", "+49 170 1234567", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAL"]
        {
            assert_eq!(bad.parse::<CorrelationId>(), Err(InvalidId), "{bad:?}");
        }
    }

    #[test]
    fn of_a_tracing_header_the_root_is_kept() {
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        for header in [format!("Root={root}"), format!("Self=Alice;Root={root};Parent=53995c3f42cd8ad8;Sampled=1")] {
            assert_eq!(header.parse(), Ok(TraceId(root.to_owned())));
        }
        for bad in ["", root, "Root=Alice", "Root=1-5759e988-alice", "Root=1-5759e988-bd862e3fe1be46a994272793-x"] {
            assert_eq!(bad.parse::<TraceId>(), Err(InvalidId), "{bad:?}");
        }
    }
}
