//! What an error of the SDK says, in words that say what to do.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::ports::vault::VaultError;

/// Why a call failed, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CallError(String);

impl CallError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The vault, or a bucket of it, did not answer as asked.
pub(super) fn unreachable(what: impl Into<String>, why: impl Into<String>) -> VaultError {
    VaultError::Unreachable { what: what.into(), source: Box::new(CallError::new(why)) }
}

/// An error of the SDK in one line: the service's own code and words, or the chain of what went wrong before it
/// answered. The SDK's own `Display` says only `service error`.
pub(super) fn why<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let Some(service) = error.as_service_error() {
        let status = status(error).map(|status| format!("{status} ")).unwrap_or_default();
        let code = service.code().unwrap_or("an error without a code");
        let text = service.message().map(|text| format!(": {text}")).unwrap_or_default();
        return format!("AWS answers {status}{code}{text}{}", remedy(code));
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = inner.source();
    }
    if text.contains("credentials") {
        text.push_str("; log in (`aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID) and run it again");
    }
    text
}

/// The HTTP status of an answer, if there was one.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn remedy(code: &str) -> &'static str {
    match code {
        "AccessDenied" | "Forbidden" | "403" => {
            "; the credentials at hand may not do this. S3 also answers so, and not that there is nothing, to whoever may \
             not list the bucket (`s3:ListBucket`, `s3:ListBucketVersions`)"
        }
        "AccessDeniedException" => {
            "; the credentials at hand may not do this: see what the role of this environment's deployer allows"
        }
        "PermanentRedirect" | "AuthorizationHeaderMalformed" => {
            "; the bucket is in another region than `[profile.aws.vault]` says"
        }
        "NoSuchBucket" => "; make the bucket (`cargo xtask vault apply`), or correct its name in `[profile.aws.vault]`",
        "MalformedPolicy" => {
            "; AWS takes a policy only if every role that it names exists: make them first, by `cargo xtask vault policies`"
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => "; log in again",
        _ => "",
    }
}
