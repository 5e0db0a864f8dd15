//! Taking a role, under a session name that says for which release and for whom: CloudTrail then tells who did what for
//! which release, also where many people and jobs share a role.

use std::{sync::Arc, time::SystemTime};

use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_sts::Client;

use crate::{
    adapters::aws::errors::{CallError, why},
    context::Subject,
    model::{cloud::RoleArn, version::Version},
};

/// The credentials of a role. The SDK keeps them until they expire.
#[derive(Debug)]
pub(super) struct RoleCredentials {
    sts: Client,
    role: RoleArn,
    actor: String,
    subject: Arc<Subject>,
}

impl RoleCredentials {
    pub(super) fn new(sts: Client, role: RoleArn, actor: &str, subject: &Arc<Subject>) -> Self {
        Self { sts, role, actor: actor.to_owned(), subject: Arc::clone(subject) }
    }

    async fn take(&self) -> provider::Result {
        let name = session_name(self.subject.release(), &self.actor);
        let taken = self.sts.assume_role().role_arn(self.role.as_str()).role_session_name(name).send().await;
        let failed = |why: String| CredentialsError::provider_error(CallError::new(format!("{}: {why}", self.role)));
        let taken = taken.map_err(|error| failed(why(&error)))?;
        let arn = taken.assumed_role_user().map_or("", |user| user.arn());
        if arn.split(':').nth(4) != Some(self.role.account()) {
            return Err(failed(format!("the answer is of another account: {arn}")));
        }
        let got = taken.credentials().ok_or_else(|| failed("the answer has no credentials".to_owned()))?;
        let expires = SystemTime::try_from(*got.expiration()).map_err(|error| failed(error.to_string()))?;
        let token = Some(got.session_token().to_owned());
        Ok(Credentials::new(got.access_key_id(), got.secret_access_key(), token, Some(expires), "AssumeRole"))
    }
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.take())
    }
}

/// Release and actor in the characters that STS allows (`[\w+=,.@-]`), at most 64 of them.
fn session_name(release: Option<Version>, actor: &str) -> String {
    let text = match release {
        Some(release) => format!("{release}={actor}"),
        None => format!("xtask={actor}"),
    };
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "+=,.@-_".contains(c) { c } else { '-' };
    text.chars().map(allowed).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_says_for_which_release_and_for_whom() {
        let release = "v1.2.3".parse().unwrap();
        assert_eq!(session_name(Some(release), "ada@laptop"), "v1.2.3=ada@laptop");
        assert_eq!(session_name(None, "Ada Löve:lace@x"), "xtask=Ada-L-ve-lace@x");
        assert_eq!(session_name(Some(release), &"x".repeat(100)).len(), 64);
    }
}
