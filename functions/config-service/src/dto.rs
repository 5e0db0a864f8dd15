//! What goes in and what comes out: the checked request and the body of the answer.

use common::middleware::{ApiError, ApiRequest, Validation};
use common::models::{Configuration, ConfigurationKey, Setting, UserId};
use common::types::Unchecked;
use serde::Serialize;

/// A valid request for the configuration.
#[derive(Debug)]
pub(crate) struct ConfigurationQuery {
    /// Which key; `None` asks for all of them.
    pub(crate) key: Option<ConfigurationKey>,
    /// Who asks.
    pub(crate) user: UserId,
}

/// The body of a 200.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ConfigurationBody {
    /// One key.
    One(Setting),
    /// Every key.
    All(Configuration),
}

impl TryFrom<&ApiRequest> for ConfigurationQuery {
    type Error = ApiError;

    fn try_from(request: &ApiRequest) -> Result<Self, ApiError> {
        let mut validation = Validation::of(request, &["userId"])?;
        let asked = asked_key(request)?;
        let key = asked.map(|text| validation.field("key", &text));
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
fn asked_key(request: &ApiRequest) -> Result<Option<Unchecked>, ApiError> {
    if let Some(key) = request.path_parameters.values("key").first() {
        return Ok(Some(key.clone()));
    }
    match request.path.after("/config") {
        None if request.path.is_empty() => Ok(None),
        Some(rest) if rest.is_empty() => Ok(None),
        Some(rest) => rest.after("/").map(Some).ok_or(ApiError::NotFound("this path")),
        None => Err(ApiError::NotFound("this path")),
    }
}

#[cfg(test)]
mod tests {
    use common::testing::{ALICE, request};

    use super::*;

    fn query(path: &str, parameter: Option<&str>) -> Result<Option<String>, ApiError> {
        let mut request = request("GET", &[("userId", ALICE)]);
        request.path = Unchecked::new(path.to_owned());
        request.path_parameters = parameter.map(|key| ("key".to_owned(), key.to_owned())).into_iter().collect();
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
        assert!(matches!(query("", Some(&"k".repeat(129))), Err(ApiError::Validation(_))));
        for path in ["/", "/configs", "/other", "config"] {
            assert!(matches!(query(path, None), Err(ApiError::NotFound(_))), "{path}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let mut request = request("GET", &[("user", ALICE)]);
        request.path = Unchecked::new("/config/a b".to_owned());
        let Err(ApiError::Validation(fields)) = ConfigurationQuery::try_from(&request) else { panic!("let in") };
        assert_eq!(fields.iter().map(|fault| fault.field).collect::<Vec<_>>(), ["*", "key", "userId"]);
    }
}
