//! Why Lambda did not do what it was asked, in the port's words.

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::{
    adapters::aws::errors::{CallError, status, why},
    ports::fleet::FleetError,
};

/// What was asked, and of what.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// What must exist for it: `function `f``.
    pub(super) of: String,
    /// What was tried: `read function `f``.
    pub(super) what: String,
}

impl Asked {
    /// The error that a call ended with.
    pub(super) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> FleetError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let service = error.as_service_error();
        let code = service.and_then(|service| service.code()).unwrap_or_default();
        let text = service.and_then(|service| service.message()).unwrap_or("no reason given");
        match code {
            "ResourceNotFoundException" => FleetError::NotFound(self.of.clone()),
            "PreconditionFailedException" => FleetError::Guarded(self.of.clone()),
            "ResourceConflictException" => FleetError::Conflict(format!("failed to {}: {text}", self.what)),
            _ if is_busy(code) || status(error) == Some(429) => FleetError::Throttled(why(error)),
            _ if is_about_the_request(code, text) => {
                FleetError::Invalid(format!("failed to {}: Lambda refuses it: {text}", self.what))
            }
            _ => self.unreachable(why(error)),
        }
    }

    /// The answer did not come, or cannot be understood.
    pub(super) fn unreachable(&self, why: impl Into<String>) -> FleetError {
        FleetError::Unreachable { what: self.what.clone(), source: Box::new(CallError::new(why)) }
    }
}

fn is_busy(code: &str) -> bool {
    matches!(
        code,
        "TooManyRequestsException"
            | "ThrottlingException"
            | "Throttling"
            | "RequestLimitExceeded"
            | "EC2ThrottledException"
    )
}

/// Whether the request itself is wrong, which is the release's fault and kills it. Lambda uses the same code for what is
/// wrong around it: a role that it cannot take, a bucket or a key that it may not read. That kills nothing.
fn is_about_the_request(code: &str, text: &str) -> bool {
    let about = matches!(
        code,
        "InvalidParameterValueException"
            | "ValidationException"
            | "InvalidRequestContentException"
            | "RequestTooLargeException"
            | "UnsupportedMediaTypeException"
            | "InvalidZipFileException"
            | "InvalidRuntimeException"
            | "CodeVerificationFailedException"
    );
    let text = text.to_lowercase();
    let around = ["role", "kms", "s3 error code: accessdenied", "permanentredirect", "s3 error code: slowdown"];
    about && !around.iter().any(|part| text.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_release_got_wrong_is_about_it() {
        let invalid = "InvalidParameterValueException";
        assert!(is_about_the_request(invalid, "Could not unzip uploaded file."));
        assert!(is_about_the_request(invalid, "Layer version arn:aws:lambda:x does not exist."));
        for around in [
            "The role defined for the function cannot be assumed by Lambda.",
            "The provided execution role does not have permissions to call CreateNetworkInterface",
            "Your access has been denied by S3. S3 Error Code: AccessDenied. S3 Error Message: Access Denied",
            "Error occurred while GetObject. S3 Error Code: PermanentRedirect.",
            "Lambda was unable to configure access to your environment variables because the KMS key is invalid.",
        ] {
            assert!(!is_about_the_request(invalid, around), "{around}");
        }
        assert!(!is_about_the_request("ServiceException", "internal"));
    }
}
