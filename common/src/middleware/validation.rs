//! Strict validation of a request: every fault is collected and named, and nothing that was not asked for is let in.

use std::fmt::Display;
use std::str::FromStr;

use lambda_http::http::Method;

use crate::middleware::{ApiError, ApiRequest, FieldError};

/// The most characters of an unknown parameter's name that an answer repeats.
const NAME_MAX: usize = 64;

/// The faults found so far in one request.
pub struct Validation<'a> {
    request: &'a ApiRequest,
    faults: Vec<FieldError>,
}

impl<'a> Validation<'a> {
    /// Starts with `request`, whose query may have the parameters `known` and no others.
    ///
    /// # Errors
    /// [`ApiError::MethodNotAllowed`] if it is no GET.
    pub fn of(request: &'a ApiRequest, known: &[&str]) -> Result<Self, ApiError> {
        if request.method != Method::GET {
            return Err(ApiError::MethodNotAllowed);
        }
        let unknown = request.query.keys().filter(|name| !known.contains(&name.as_str()));
        let fault = |name: &String| FieldError {
            field: name.chars().take(NAME_MAX).collect(),
            message: "is not a parameter of this request".to_owned(),
        };
        Ok(Self { request, faults: unknown.map(fault).collect() })
    }

    /// The query parameter `name`, which must be given exactly once.
    pub fn parameter<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        match self.request.query.get(name).map(Vec::as_slice) {
            Some([value]) => self.field(name, value),
            Some([_, _, ..]) => self.fault(name, "must be given once"),
            Some([]) | None => self.fault(name, "is required"),
        }
    }

    /// `value` as the field `name`.
    pub fn field<T: FromStr<Err: Display>>(&mut self, name: &'static str, value: &str) -> Option<T> {
        match value.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => self.fault(name, error),
        }
    }

    /// The error that names every fault found.
    pub fn into_error(self) -> ApiError {
        ApiError::Validation(self.faults)
    }

    /// True if no fault was found.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault<T>(&mut self, name: &'static str, message: impl Display) -> Option<T> {
        self.faults.push(FieldError { field: name.to_owned(), message: message.to_string() });
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::models::{ProductId, UserId};
    use crate::testing::{ALICE, request};

    fn faults(query: &[(&str, &str)]) -> Vec<String> {
        let request = request("GET", query);
        let mut validation = Validation::of(&request, &["id", "userId"]).unwrap_or_else(|_| panic!("GET is allowed"));
        let id = validation.parameter::<ProductId>("id");
        let user = validation.parameter::<UserId>("userId");
        assert_eq!(validation.is_clean(), id.is_some() && user.is_some() && query.len() == 2);
        validation.faults.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn every_fault_is_named() {
        assert_eq!(faults(&[("id", "PROD-101"), ("userId", ALICE)]), [""; 0]);
        assert_eq!(faults(&[]), ["id", "userId"]);
        assert_eq!(faults(&[("id", ""), ("userId", "x")]), ["id", "userId"]);
        assert_eq!(faults(&[("id", "a"), ("id", "a"), ("userId", ALICE)]), ["id"]);
        assert_eq!(faults(&[("id", "a"), ("userId", ALICE), ("debug", "1")]), ["debug"]);
        assert_eq!(faults(&[("id", &"x".repeat(100_000)), ("userId", "ü"), ("ID", "a")]), ["ID", "id", "userId"]);
        assert_eq!(faults(&[(&"n".repeat(9_999), ""), ("id", "a"), ("userId", ALICE)]), ["n".repeat(NAME_MAX)]);
    }

    #[test]
    fn other_methods_are_refused_first() {
        for method in ["POST", "HEAD", "OPTIONS", "DELETE", "get"] {
            let request = request(method, &[]);
            assert!(matches!(Validation::of(&request, &[]), Err(ApiError::MethodNotAllowed)), "{method}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_a_fault_names_a_field_and_never_repeats_the_value(
            id in "\\PC{0,80}", user in "\\PC{0,80}", name in "\\PC{1,80}"
        ) {
            let request = request("GET", &[("id", &id), ("userId", &user), (&name, "value-that-is-secret")]);
            let mut validation = Validation::of(&request, &["id", "userId"])
                .unwrap_or_else(|_| panic!("GET is allowed"));
            let parsed = validation.parameter::<ProductId>("id").is_some();
            prop_assert!(validation.parameter::<UserId>("userId").is_none());
            let named = |field: &str| validation.faults.iter().any(|fault| fault.field == field);
            prop_assert!(named("userId") && (parsed || named("id")));
            prop_assert!(validation.faults.iter().all(|fault| !fault.message.contains("secret")));
        }
    }
}
