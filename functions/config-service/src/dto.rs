//! What goes in and what comes out: the checked request and the body of the answer.

use std::collections::BTreeMap;
use std::str::FromStr;

use common::middleware::{ApiError, ApiRequest, Validation};
use common::models::{Environment, UserId};
use serde::Serialize;

/// The most characters of a configuration key.
const KEY_MAX: usize = 128;

/// A valid request for the configuration.
#[derive(Debug)]
pub(crate) struct ConfigurationQuery {
    /// Which key; `None` asks for all of them.
    pub(crate) key: Option<ConfigurationKey>,
    /// Who asks.
    pub(crate) user: UserId,
}

/// The name of a setting: 1 to 128 ASCII letters, digits, dots, dashes and underscores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct ConfigurationKey(String);

/// The text is no configuration key. It does not repeat the text, which may be anything.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {KEY_MAX} letters, digits, dots, dashes and underscores")]
pub(crate) struct InvalidConfigurationKey;

/// The body of a 200.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ConfigurationBody {
    /// One key.
    One {
        /// Whose configuration it is.
        environment: Environment,
        /// The key that was asked for.
        key: ConfigurationKey,
        /// Its value.
        value: String,
    },
    /// Every key.
    All {
        /// Whose configuration it is.
        environment: Environment,
        /// Value by key, in the order of the keys.
        configuration: BTreeMap<String, String>,
    },
}

impl TryFrom<&ApiRequest> for ConfigurationQuery {
    type Error = ApiError;

    fn try_from(request: &ApiRequest) -> Result<Self, ApiError> {
        let mut validation = Validation::of(request, &["userId"])?;
        let asked = asked_key(request)?;
        let key = asked.map(|text| validation.field("key", text));
        match (key, validation.parameter("userId")) {
            (None, Some(user)) if validation.is_clean() => Ok(Self { key: None, user }),
            (Some(Some(key)), Some(user)) if validation.is_clean() => Ok(Self { key: Some(key), user }),
            _ => Err(validation.into_error()),
        }
    }
}

/// The key as the gateway cut it out of the path, or as it stands in the path where the route has no such parameter.
///
/// An event without any path asks for everything, as the handbook's minimal form does for a price.
fn asked_key(request: &ApiRequest) -> Result<Option<&str>, ApiError> {
    if let Some(key) = request.path_parameters.get("key") {
        return Ok(Some(key));
    }
    match request.path.strip_prefix("/config") {
        None if request.path.is_empty() => Ok(None),
        Some("") => Ok(None),
        Some(rest) if rest.starts_with('/') => Ok(rest.strip_prefix('/')),
        _ => Err(ApiError::NotFound("this path".to_owned())),
    }
}

impl ConfigurationKey {
    /// The key as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConfigurationKey {
    type Err = InvalidConfigurationKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let good = (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(allowed);
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidConfigurationKey) }
    }
}

#[cfg(test)]
mod tests {
    use common::testing::{ALICE, request};

    use super::*;

    fn query(path: &str, parameter: Option<&str>) -> Result<Option<String>, ApiError> {
        let mut request = request("GET", &[("userId", ALICE)]);
        request.path = path.to_owned();
        request.path_parameters.extend(parameter.map(|key| ("key".to_owned(), key.to_owned())));
        ConfigurationQuery::try_from(&request).map(|query| query.key.map(|key| key.as_str().to_owned()))
    }

    #[test]
    fn the_key_comes_from_the_gateway_or_from_the_path() {
        assert_eq!(query("", None).unwrap(), None);
        assert_eq!(query("/config", None).unwrap(), None);
        assert_eq!(query("/config/a.b", None).unwrap().as_deref(), Some("a.b"));
        assert_eq!(query("/config/x", Some("a.b")).unwrap().as_deref(), Some("a.b"));
    }

    #[test]
    fn a_wrong_key_is_named_and_a_wrong_path_is_not_there() {
        for path in ["/config/", "/config/a/b", "/config/a%2Eb", "/config/ü", "/config/*"] {
            let Err(ApiError::Validation(fields)) = query(path, None) else { panic!("{path} was let in") };
            assert_eq!(fields[0].field, "key", "{path}");
        }
        assert!(matches!(query("", Some(&"k".repeat(KEY_MAX + 1))), Err(ApiError::Validation(_))));
        for path in ["/", "/configs", "/other", "config"] {
            assert!(matches!(query(path, None), Err(ApiError::NotFound(_))), "{path}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let mut request = request("GET", &[("user", ALICE)]);
        request.path = "/config/a b".to_owned();
        let Err(ApiError::Validation(fields)) = ConfigurationQuery::try_from(&request) else { panic!("let in") };
        assert_eq!(fields.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["user", "key", "userId"]);
    }
}
