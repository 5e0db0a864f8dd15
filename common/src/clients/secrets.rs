//! AWS Secrets Manager: the user and the password of a database.

use std::sync::Arc;

use serde_json::{Value, json};

use super::OPERATION_TIMEOUT;
use super::aws::{AwsClient, AwsError, Service};
use crate::types::{AwsAccess, Clock, Credentials, Secret};

const SECRETS_MANAGER: Service = Service {
    name: "Secrets Manager",
    signed_as: "secretsmanager",
    target: "secretsmanager",
    content_type: "application/x-amz-json-1.1",
    // What the SDKs try again whichever service says it (AWS SDKs and Tools Reference Guide, "Retry behavior").
    passing: &["ThrottlingException", "Throttling"],
};

/// Secrets Manager in one region, as one function's role, which needs `secretsmanager:GetSecretValue` on the secret.
pub(super) struct SecretsClient {
    aws: AwsClient,
}

/// Why a secret gave no credentials. It holds nothing of what the secret says.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("the secret that ORACLE_SECRET names cannot be read")]
    Unreadable(#[from] AwsError),
    /// It does not have what it must.
    #[error("the secret that ORACLE_SECRET names has no text {0:?} in a JSON object: correct the secret")]
    Malformed(&'static str),
}

impl SecretsClient {
    pub(super) fn new(access: AwsAccess, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        Ok(Self { aws: AwsClient::new(&SECRETS_MANAGER, access, OPERATION_TIMEOUT, clock)? })
    }

    /// What the current version of the secret `id` says: an object with `password`, and `username` unless `user` is given.
    ///
    /// These are the names of the secrets that AWS makes and rotates for databases (Secrets Manager user guide, "JSON structure
    /// of AWS Secrets Manager database credential secrets"). Rotation between two users changes the name as well, so the
    /// secret's own comes first.
    pub(super) async fn credentials(&self, id: &str, user: Option<&Secret>) -> Result<Credentials, SecretError> {
        let answer = self.aws.run("GetSecretValue", &json!({ "SecretId": id })).await?;
        // Serde's own words could quote the secret.
        let secret = answer["SecretString"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let secret = secret.unwrap_or_default();
        let text = |name: &str| secret[name].as_str().filter(|text| !text.is_empty());
        let named = text("username").map(Secret::from);
        let user = named.or_else(|| user.cloned()).ok_or(SecretError::Malformed("username"))?;
        let password = text("password").map(Secret::from).ok_or(SecretError::Malformed("password"))?;
        Ok(Credentials { user, password })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FixedClock, Replay, Reply, block_on};

    fn read(replay: &Replay, login: Option<&str>) -> Result<Credentials, SecretError> {
        let client = SecretsClient::new(replay.access(), Arc::new(FixedClock)).unwrap();
        block_on(client.credentials("prod/oracle", login.map(Secret::from).as_ref()))
    }

    fn says(text: &'static str) -> Replay {
        Replay::new(move |_, _| Reply::Json(json!({ "SecretString": text })))
    }

    #[test]
    fn a_secret_as_aws_makes_it_is_read_over_the_same_signed_protocol() {
        let replay = says(r#"{"engine":"oracle","host":"db","username":"app","password":"p","port":1521}"#);
        let read = read(&replay, Some("ignored")).unwrap();
        assert_eq!((read.user.expose(), read.password.expose()), ("app", "p"));
        let asked = replay.asked().remove(0);
        assert_eq!((asked.operation.as_str(), asked.input), ("GetSecretValue", json!({ "SecretId": "prod/oracle" })));
        assert!(asked.head.contains("/eu-central-1/secretsmanager/aws4_request"), "{}", asked.head);
        assert!(asked.head.contains("content-type: application/x-amz-json-1.1"), "{}", asked.head);
    }

    #[test]
    fn a_user_that_the_secret_does_not_name_comes_from_the_environment() {
        let user = |text, user| read(&says(text), user).map(|read| read.user.expose().to_owned());
        assert_eq!(user(r#"{"password":"p"}"#, Some("app")).unwrap(), "app");
        assert!(matches!(user(r#"{"password":"p"}"#, None), Err(SecretError::Malformed("username"))));
    }

    #[test]
    fn what_is_no_such_secret_is_named_and_not_quoted() {
        for text in ["hush", "\"hush\"", r#"{"username":"hush","password":7}"#, r#"{"username":"hush","password":""}"#]
        {
            let error = format!("{:?}", read(&says(text), Some("u")).unwrap_err());
            assert!(error.contains("password") && !error.contains("hush"), "{error}");
        }
        let gone = Replay::new(|_, _| Reply::Refuse(400, "ResourceNotFoundException"));
        let error = read(&gone, None).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "Secrets Manager answers 400 ResourceNotFoundException");
        assert_eq!(gone.asked().len(), 1);
    }

    #[test]
    fn a_busy_manager_is_asked_again() {
        let text = r#"{"username":"app","password":"p"}"#;
        let replay = Replay::new(move |_, before| match before {
            0 => Reply::Refuse(400, "ThrottlingException"),
            _ => Reply::Json(json!({ "SecretString": text })),
        });
        assert_eq!(read(&replay, None).unwrap().user.expose(), "app");
    }
}
