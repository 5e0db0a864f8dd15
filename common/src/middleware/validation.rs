//! Strict validation of a request: every fault is collected and named, and nothing that was not asked for is let in.

use std::fmt::Display;
use std::str::FromStr;

use lambda_http::http::Method;

use crate::middleware::{ApiError, ApiRequest};
use crate::models::FieldError;
use crate::types::Unchecked;

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
        // A name is as much the client's as a value, so it is not repeated: what could be said instead is.
        let fault = || FieldError { field: "*", message: format!("must be none but {}", known.join(", ")) };
        let faults = request.query.has_others_than(known).then(fault);
        Ok(Self { request, faults: faults.into_iter().collect() })
    }

    /// The query parameter `name`, which must be given exactly once.
    pub fn parameter<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        match self.request.query.values(name) {
            [value] => self.field(name, value),
            [_, _, ..] => self.fault(name, "must be given once"),
            [] => self.fault(name, "is required"),
        }
    }

    /// `value` as the field `name`.
    pub fn field<T: FromStr<Err: Display>>(&mut self, name: &'static str, value: &Unchecked) -> Option<T> {
        match value.check() {
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
        self.faults.push(FieldError { field: name, message: message.to_string() });
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::models::{ProductId, UserId};
    use crate::testing::{ALICE, request};

    fn faults(query: &[(&str, &str)]) -> Vec<&'static str> {
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
        assert_eq!(faults(&[("id", "a"), ("userId", ALICE), ("debug", "1"), ("more", "2")]), ["*"]);
        assert_eq!(faults(&[("id", &"x".repeat(100_000)), ("userId", "ü"), ("ID", "a")]), ["*", "id", "userId"]);
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
