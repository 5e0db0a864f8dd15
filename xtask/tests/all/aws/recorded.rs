//! Recorded answers behind the SDK's own seam for HTTP clients. The SDK's replay client cannot be used: its feature turns on
//! `preserve_order` of serde_json for the whole build, and canonical JSON would not be canonical any more.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};

/// Gives one answer after the other, and notes what was asked.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    answers: Arc<Mutex<VecDeque<HttpResponse>>>,
    asked: Arc<Mutex<Vec<HttpRequest>>>,
}

impl Recorded {
    pub(super) fn new(answers: Vec<HttpResponse>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into())), asked: Arc::default() }
    }

    /// What was asked so far.
    pub(super) fn asked<T>(&self, look: impl FnMut(&HttpRequest) -> T) -> Vec<T> {
        self.asked.lock().unwrap().iter().map(look).collect()
    }
}

/// What answers `status` with these headers and this body.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
    let mut answer = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
    for (name, value) in headers {
        answer.headers_mut().insert((*name).to_owned(), (*value).to_owned());
    }
    answer
}

impl HttpConnector for Recorded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        HttpConnectorFuture::ready(answer.ok_or_else(|| ConnectorError::user("no answer is left".into())))
    }
}

impl HttpClient for Recorded {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
