//! Canonical JSON: sorted keys, no insignificant space, UTF-8. One value has one form, so its digest means something,
//! and `jq -cS` prints the same form for whoever checks without this tool.

use serde::{Serialize, de::DeserializeOwned};

/// The canonical bytes of a value.
///
/// # Errors
/// If the value has no JSON form (a map with keys that are not text).
pub fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    // A `Value`'s map is sorted, whatever the order of a struct's fields; `preserve_order` would undo this.
    serde_json::to_vec(&serde_json::to_value(value)?)
}

/// Reads a value from bytes that are exactly its canonical form: no space, no second spelling, no unknown or doubled
/// key survives, so a change of any byte is seen even where no digest covers it.
///
/// # Errors
/// If the bytes are not this value's canonical JSON.
pub fn from_slice<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let value: T = serde_json::from_slice(bytes)?;
    if to_vec(&value)? == bytes { Ok(value) } else { Err(CanonicalError::Form) }
}

/// Bytes that are not the canonical JSON of the expected value.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// Not JSON, or not of this shape.
    #[error("not the expected JSON")]
    Json(#[from] serde_json::Error),
    /// The right value in another spelling.
    #[error("not in canonical form: sorted keys, no insignificant space, nothing unknown or doubled")]
    Form,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn keys_are_sorted_and_space_is_gone() {
        #[derive(Serialize)]
        struct Unsorted {
            z: u8,
            a: &'static str,
        }
        assert_eq!(to_vec(&Unsorted { z: 1, a: "é" }).unwrap(), "{\"a\":\"é\",\"z\":1}".as_bytes());
    }

    #[test]
    fn reads_only_the_one_form() {
        type Map = BTreeMap<String, u8>;
        assert!(from_slice::<Map>(br#"{"a":1,"b":2}"#).is_ok());
        for other in
            [r#"{"b":2,"a":1}"#, r#"{"a": 1,"b":2}"#, r#"{"a":1,"a":1,"b":2}"#, "{\"a\":1}\n", r#"{"\u0061":1}"#]
        {
            assert!(from_slice::<Map>(other.as_bytes()).is_err(), "{other}");
        }
    }
}
