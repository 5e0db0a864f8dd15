//! The strict fleet of this machine behind Lambda's own wire format: what the SDK sends is read, and what it is answered is
//! written, as AWS documents them. So the adapter for Lambda meets the rules that MiniStack lets through: guards on publishing,
//! conflicts while an update is in progress, failed updates, missing versions, shares, request rates.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use camino::Utf8PathBuf;
use serde_json::{Value, json};
use xtask::{
    adapters::local::fleet::LocalFleet,
    model::{
        configuration::{Architecture, Configuration, Tracing},
        digest::Digest,
        names::{AliasName, FleetName},
        time::Time,
    },
    ports::{
        clock::Clock,
        fleet::{
            AliasState, AliasTarget, CodeSource, Fleet as _, FleetError, FleetVersion, FunctionState, Invocation,
            LastUpdate, Qualifier, Revision, State,
        },
    },
};

use super::{ACCOUNT, recorded::answer, session::identity};

/// An HTTP client that is answered by a fleet of this machine.
#[derive(Clone)]
pub(crate) struct Twin(Arc<Inner>);

struct Inner {
    fleet: LocalFleet,
    vault: Utf8PathBuf,
    clock: Arc<dyn Clock>,
    /// What is kept for how long, by log group.
    retention: Mutex<BTreeMap<String, u64>>,
    /// Published layers, by the ARN of their versions.
    layers: Mutex<BTreeMap<String, Digest>>,
    asked: Mutex<Vec<Asked>>,
}

/// One request to Lambda.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: Time,
    /// `GetFunction`, `UpdateAlias`, …
    pub(crate) operation: &'static str,
    pub(crate) function: String,
    /// Whether it was answered.
    pub(crate) throttled: bool,
}

impl std::fmt::Debug for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twin").finish_non_exhaustive()
    }
}

/// The local fleet wants one; what counts is the log group's.
const RETENTION: u32 = 30;

impl Twin {
    /// In front of this fleet, which fetches from this vault.
    pub(crate) fn new(fleet: LocalFleet, vault: Utf8PathBuf, clock: Arc<dyn Clock>) -> Self {
        let (retention, layers, asked) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { fleet, vault, clock, retention, layers, asked }))
    }

    /// Publishes a layer, whose zip has this digest.
    pub(crate) fn publish_layer(&self, arn: &str, zip: Digest) {
        self.0.layers.lock().unwrap().insert(arn.to_owned(), zip);
    }

    /// Takes what Lambda was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.0.asked.lock().unwrap())
    }
}

impl HttpConnector for Twin {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move { Ok(inner.serve(request).await) })
    }
}

impl HttpClient for Twin {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl Inner {
    async fn serve(&self, request: HttpRequest) -> HttpResponse {
        let (path, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
        let path = path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        let path = path.trim_start_matches('/');
        let body: Vec<u8> = request.body().bytes().unwrap_or_default().to_vec();
        if let Some(target) = request.headers().get("x-amz-target") {
            return self.logs(target, &serde_json::from_slice(&body).unwrap());
        }
        if body.starts_with(b"Action=GetCallerIdentity") {
            return identity(ACCOUNT, "user/ada");
        }
        if path == "2018-10-31/layers" {
            let arn = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "Arn").unwrap().1;
            return self.layer(&arn);
        }
        let Some(path) = path.strip_prefix("2015-03-31/functions") else { return self.head(path) };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let qualifier = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "Qualifier");
        let qualifier = qualifier.map(|(_, value)| value.into_owned());
        let call = Call { method: request.method().to_owned(), parts, qualifier, body };
        let at = self.clock.now();
        let (operation, answered) = self.lambda(&call).await;
        let json: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let function = call.parts.first().map(|name| (*name).to_owned());
        let function = function.unwrap_or_else(|| json["FunctionName"].as_str().unwrap_or_default().to_owned());
        let throttled = matches!(answered, Err(FleetError::Throttled(_)));
        self.asked.lock().unwrap().push(Asked { at, operation, function, throttled });
        answered.unwrap_or_else(|error| refusal(&error))
    }

    fn layer(&self, arn: &str) -> HttpResponse {
        let (at, function) = (self.clock.now(), String::new());
        self.asked.lock().unwrap().push(Asked { at, operation: "GetLayerVersionByArn", function, throttled: false });
        match self.layers.lock().unwrap().get(arn) {
            Some(zip) => {
                json_answer(200, &json!({ "LayerVersionArn": arn, "Content": { "CodeSha256": zip.base64() } }))
            }
            None => refusal(&FleetError::NotFound(arn.to_owned())),
        }
    }

    /// S3's `HeadObject`, of what lies in the vault.
    fn head(&self, path: &str) -> HttpResponse {
        let key = path.split_once('/').map_or("", |(_bucket, key)| key);
        match fs::read(self.vault.join(key)) {
            Ok(bytes) => answer(200, &[("x-amz-checksum-sha256", Digest::of(&bytes).base64().as_str())], ""),
            Err(_none) => answer(404, &[], ""),
        }
    }

    fn logs(&self, target: &str, body: &Value) -> HttpResponse {
        let mut kept = self.retention.lock().unwrap();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        match target.rsplit('.').next().unwrap_or_default() {
            "DescribeLogGroups" => {
                let prefix = text("logGroupNamePrefix");
                let own = kept.iter().filter(|(name, _)| name.starts_with(&prefix));
                let groups = own.map(|(name, days)| json!({ "logGroupName": name, "retentionInDays": days }));
                json_answer(200, &json!({ "logGroups": groups.collect::<Vec<_>>() }))
            }
            "PutRetentionPolicy" => {
                kept.insert(text("logGroupName"), body["retentionInDays"].as_u64().unwrap());
                json_answer(200, &json!({}))
            }
            other => panic!("{other}?"),
        }
    }

    async fn lambda(&self, call: &Call<'_>) -> (&'static str, Result<HttpResponse, FleetError>) {
        let json: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        match (call.method.as_str(), call.parts.as_slice()) {
            ("POST", []) => ("CreateFunction", self.create(&json).await),
            ("GET", [name]) => ("GetFunction", self.get(&function(name), call.qualifier.as_deref()).await),
            ("PUT", [name, "code"]) => ("UpdateFunctionCode", self.update_code(&function(name), &json).await),
            ("PUT", [name, "configuration"]) => {
                ("UpdateFunctionConfiguration", self.update_configuration(&function(name), &json).await)
            }
            ("POST", [name, "versions"]) => ("PublishVersion", self.publish(&function(name), &json).await),
            ("POST", [name, "aliases"]) => {
                let made = self.fleet.create_alias(&function(name), &alias(&json["Name"]), &target(&json)).await;
                ("CreateAlias", made.map(|state| alias_answer(201, &state)))
            }
            ("GET", [name, "aliases", alias]) => {
                let found = self.fleet.alias(&function(name), &alias.parse().unwrap()).await;
                let found = found.and_then(|found| found.ok_or_else(|| FleetError::NotFound(String::new())));
                ("GetAlias", found.map(|state| alias_answer(200, &state)))
            }
            ("PUT", [name, "aliases", alias]) => {
                let (name, alias) = (function(name), alias.parse().unwrap());
                let updated = self.fleet.update_alias(&name, &alias, &target(&json), &guard(&json)).await;
                ("UpdateAlias", updated.map(|state| alias_answer(200, &state)))
            }
            ("DELETE", [name, "aliases", alias]) => {
                let gone = self.fleet.delete_alias(&function(name), &alias.parse().unwrap()).await;
                ("DeleteAlias", gone.map(|()| answer(204, &[], "")))
            }
            ("POST", [name, "invocations"]) => ("Invoke", self.invoke(&function(name), call).await),
            other => panic!("{other:?}?"),
        }
    }

    async fn create(&self, json: &Value) -> Result<HttpResponse, FleetError> {
        assert_eq!((&json["Runtime"], &json["Handler"]), (&json!("provided.al2023"), &json!("bootstrap")));
        let name = json["FunctionName"].as_str().unwrap().parse().unwrap();
        let made = self.fleet.create(&name, &self.source(&json["Code"], json), &configuration(json)).await?;
        Ok(json_answer(201, &told(&made)))
    }

    async fn get(&self, name: &FleetName, qualifier: Option<&str>) -> Result<HttpResponse, FleetError> {
        let state = match (qualifier, qualifier.and_then(version)) {
            (None, _) => self.fleet.function(name).await?,
            (Some(_), Some(version)) => self.fleet.version(name, version).await?,
            (Some(alias), None) => self.fleet.live(name, &alias.parse().unwrap()).await?,
        };
        let state = state.ok_or_else(|| FleetError::NotFound(String::new()))?;
        Ok(json_answer(200, &json!({ "Configuration": told(&state) })))
    }

    async fn update_code(&self, name: &FleetName, json: &Value) -> Result<HttpResponse, FleetError> {
        let publish = json["Publish"].as_bool().unwrap_or_default();
        let updated = self.fleet.update_code(name, &self.source(json, json), &guard(json), publish).await?;
        Ok(json_answer(200, &told(&updated)))
    }

    async fn update_configuration(&self, name: &FleetName, json: &Value) -> Result<HttpResponse, FleetError> {
        assert!(json.get("Environment").is_none(), "variables are the infrastructure team's: {json}");
        let updated = self.fleet.update_configuration(name, &configuration(json), &guard(json)).await?;
        Ok(json_answer(200, &told(&updated)))
    }

    async fn publish(&self, name: &FleetName, json: &Value) -> Result<HttpResponse, FleetError> {
        let wanted = Digest::from_base64(json["CodeSha256"].as_str().unwrap()).unwrap();
        let description = json["Description"].as_str().unwrap_or_default();
        let published = self.fleet.publish(name, &wanted, &guard(json), description).await?;
        Ok(json_answer(201, &told(&published)))
    }

    async fn invoke(&self, name: &FleetName, call: &Call<'_>) -> Result<HttpResponse, FleetError> {
        let qualifier = call.qualifier.as_deref().expect("every call names a version or an alias");
        let qualifier = match version(qualifier) {
            Some(version) => Qualifier::Version(version),
            None => Qualifier::Alias(qualifier.parse().unwrap()),
        };
        let Invocation { executed, payload, function_error, log_tail, .. } =
            self.fleet.invoke(name, &qualifier, &call.body).await?;
        let (executed, log) = (executed.to_string(), STANDARD.encode(log_tail));
        let mut headers = vec![("x-amz-executed-version", executed.as_str()), ("x-amz-log-result", log.as_str())];
        headers.extend(function_error.as_deref().map(|error| ("x-amz-function-error", error)));
        let mut response = answer(200, &headers, "");
        *response.body_mut() = SdkBody::from(payload);
        Ok(response)
    }

    /// Lambda takes whatever lies there: it is told no digest.
    fn source(&self, place: &Value, json: &Value) -> CodeSource {
        let key = place["S3Key"].as_str().unwrap();
        let digest = Digest::of(&fs::read(self.vault.join(key)).unwrap_or_default());
        let architecture = configuration(json).architecture;
        CodeSource { key: key.parse().unwrap(), object_version: None, digest, architecture }
    }
}

struct Call<'a> {
    method: String,
    parts: Vec<&'a str>,
    qualifier: Option<String>,
    body: Vec<u8>,
}

fn function(name: &str) -> FleetName {
    name.parse().unwrap()
}

fn alias(name: &Value) -> AliasName {
    name.as_str().unwrap().parse().unwrap()
}

fn version(text: &str) -> Option<FleetVersion> {
    text.parse().ok().map(FleetVersion)
}

/// Every write of what exists must have one.
fn guard(json: &Value) -> Revision {
    Revision(json["RevisionId"].as_str().unwrap_or_else(|| panic!("a write without a guard: {json}")).to_owned())
}

fn configuration(json: &Value) -> Configuration {
    let number = |key: &str| u32::try_from(json[key].as_u64().unwrap_or(128)).unwrap();
    let layers = json["Layers"].as_array().into_iter().flatten().map(|arn| arn.as_str().unwrap().to_owned());
    Configuration {
        architecture: match json["Architectures"][0].as_str() {
            Some("arm64") => Architecture::Arm64,
            _ => Architecture::X86_64,
        },
        memory_mb: number("MemorySize"),
        timeout_s: number("Timeout"),
        layers: layers.collect(),
        tracing: if json["TracingConfig"]["Mode"] == "Active" { Tracing::Active } else { Tracing::PassThrough },
        log_retention_days: RETENTION,
    }
}

fn target(json: &Value) -> AliasTarget {
    let weights = json["RoutingConfig"]["AdditionalVersionWeights"].as_object().expect("weights are always said");
    let canary = weights.iter().next().map(|(number, share)| {
        let thousandths = (share.as_f64().unwrap() * 1000.0).round();
        (version(number).unwrap(), thousandths as u16)
    });
    AliasTarget {
        version: version(json["FunctionVersion"].as_str().unwrap()).unwrap(),
        canary,
        description: json["Description"].as_str().unwrap_or_default().to_owned(),
    }
}

fn told(state: &FunctionState) -> Value {
    let Configuration { architecture, memory_mb, timeout_s, layers, tracing, log_retention_days: _ } =
        &state.configuration;
    let (state_name, state_reason) = match &state.state {
        State::Pending => ("Pending", None),
        State::Active => ("Active", None),
        State::Inactive => ("Inactive", None),
        State::Failed(why) => ("Failed", Some(why)),
    };
    let (update, update_reason) = match &state.last_update {
        LastUpdate::Successful => ("Successful", None),
        LastUpdate::InProgress => ("InProgress", None),
        LastUpdate::Failed(why) => ("Failed", Some(why)),
    };
    json!({
        "Version": state.version.map_or_else(|| "$LATEST".to_owned(), |version| version.to_string()),
        "CodeSha256": state.code.base64(),
        "Architectures": [if *architecture == Architecture::Arm64 { "arm64" } else { "x86_64" }],
        "MemorySize": memory_mb,
        "Timeout": timeout_s,
        "Layers": layers.iter().map(|arn| json!({ "Arn": arn })).collect::<Vec<_>>(),
        "TracingConfig": { "Mode": if *tracing == Tracing::Active { "Active" } else { "PassThrough" } },
        "Environment": { "Variables": state.variables },
        "RevisionId": state.revision.0,
        "State": state_name,
        "StateReason": state_reason,
        "LastUpdateStatus": update,
        "LastUpdateStatusReason": update_reason,
    })
}

fn alias_answer(status: u16, state: &AliasState) -> HttpResponse {
    let AliasTarget { version, canary, description } = &state.target;
    let mut told =
        json!({ "FunctionVersion": version.to_string(), "Description": description, "RevisionId": state.revision.0 });
    if let Some((version, share)) = canary {
        let share = f64::from(*share) / 1000.0;
        told["RoutingConfig"] = json!({ "AdditionalVersionWeights": { (version.to_string()): share } });
    }
    json_answer(status, &told)
}

fn json_answer(status: u16, body: &Value) -> HttpResponse {
    answer(status, &[("content-type", "application/json")], &body.to_string())
}

/// An error as Lambda writes it.
fn refusal(error: &FleetError) -> HttpResponse {
    let (status, code) = match error {
        FleetError::NotFound(_) => (404, "ResourceNotFoundException"),
        FleetError::Conflict(_) => (409, "ResourceConflictException"),
        FleetError::Guarded(_) => (412, "PreconditionFailedException"),
        FleetError::Throttled(_) => (429, "TooManyRequestsException"),
        FleetError::Invalid(_) | FleetError::NotAllowed(_) => (400, "InvalidParameterValueException"),
        FleetError::Unreachable { .. } => (500, "ServiceException"),
    };
    let body = json!({ "Message": format!("{error}"), "message": format!("{error}"), "Type": "User" }).to_string();
    answer(status, &[("content-type", "application/json"), ("x-amzn-errortype", code)], &body)
}
