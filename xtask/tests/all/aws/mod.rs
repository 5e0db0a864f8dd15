//! The profile `aws`, against MiniStack, against recorded answers, and, for the fleet, against the strict fleet of this machine
//! behind Lambda's wire format (`twin`).
//!
//! What is proven where, as the emulator says yes to some things that AWS refuses:
//!
//! | behaviour | MiniStack | recorded answers |
//! | --- | --- | --- |
//! | write once (412), checksums, versions, delete markers, Object Lock within one run | yes | |
//! | 409 when writes of one name meet | never answers so | `replay` |
//! | a checksum that is missing from an answer, or is not that of the bytes | refuses to store it | `replay` |
//! | no version id, no retention in an answer | | `replay` |
//! | 403 for what is not there | answers 404 | `replay` |
//! | memory does not grow with what is stored and fetched | yes (`memory`) | |
//! | which role is taken, under which session name | does not show it | `session` |
//! | a writer writes with its role, under its own prefix only | yes, with AUTH on (`roles`) | |
//! | what each actor may not do; the pipeline with the rendered policies of roles, buckets and keys | with AUTH on (`actors`), but for what `vault_policy::emulator` lists | by evaluation, in `vault-policy` |
//! | what each actor may not do to functions, versions, aliases, logs and roles | the same, by action and function | by evaluation |
//! | which role is passed on; which alias or version is meant; which function is made; who may change alarms | lets it through | by evaluation |
//! | a write without `If-None-Match`, as a copy, or for less time, refused by policy | never looks at it | by evaluation |
//! | plain HTTP is refused | yes: behind `front` a request counts as TLS | |
//! | a bucket's settings, absent or wrong, and what `vault apply` makes of them | yes (`apply`, `doctor`) | |
//! | ECDSA signatures, HMAC, wrong kinds of key | yes | |
//! | the functions' items in DynamoDB, written once, found by product and day | yes (`stores`) | |
//! | DynamoDB that throttles, stalls, breaks off | never does | in the functions' own tests |
//! | alarms' states, requests by alias and version | as set by hand (`alarms`) | refusals |
//! | a canary's shares are given and taken back, its requests counted, its alarms heard | yes, all set by hand (`canary`) | |
//!
//! The port's conformance suite runs on MiniStack without the rules that it lets through, and whole over the wire:
//!
//! | behaviour of Lambda | MiniStack | over the wire |
//! | --- | --- | --- |
//! | pinned object version, digests, revisions of updates and aliases, creation | yes | yes |
//! | revision and digest guards of `PublishVersion` | ignores them | yes |
//! | no new version where nothing changed | not after equal bytes are written again | yes |
//! | conflicts while an update is in progress | never answers so | yes |
//! | updates and versions that end as `Failed` | never does | yes |
//! | aliases of versions that do not exist; weights | takes them; sends all calls to the first | yes |
//! | limits of memory, time-out, layers, events | takes them | refused before they are sent |
//! | request rates (429) | none | yes (`rates`) |
//! | the kind of error of a start that fails | has words of its own | yes |
//! | START and REPORT in the log's tail, what an invocation took | not in the tail | yes |
//! | variables stay, reach callers by publishing | yes (`story`) | never sent |
//! | log retention | yes (`story`) | yes |
//! | a time-out, a panic at the start, a wrong answer | yes (`story`) | yes |
//! | layers that are mounted | no | no: only told and compared |

mod actors;
mod alarms;
mod apply;
mod bench;
mod canary;
mod doctor;
mod estate;
pub(crate) mod fleet;
mod front;
mod keys;
mod layers;
mod local;
mod memory;
mod pipeline;
mod rates;
mod recorded;
mod replay;
mod roles;
mod session;
mod stores;
mod story;
mod tide;
mod twin;
mod vault;
mod witness;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_s3::{
    Client,
    config::HttpClient,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use camino::Utf8Path;
use tempfile::TempDir;
use xtask::{
    adapters::aws::{Bucket, Kept, S3Vault, behavior_version},
    config::aws::{Mode, Retention},
    model::time::Time,
    ports::{clock::Clock, vault::Vault},
};

use self::recorded::Recorded;
use crate::support::ministack::{Group, MiniStack};

/// The account that MiniStack's root belongs to.
pub(crate) const ACCOUNT: &str = "000000000000";

/// The emulator of the tests that need no rules about who may do what.
pub(crate) static OPEN: Group = Group::new();

/// The SDK's configuration for an emulator.
pub(crate) fn sdk(endpoint: &str) -> SdkConfig {
    configured(aws_smithy_http_client::Builder::new().build_http(), endpoint)
}

/// The SDK's configuration for recorded answers.
fn recorded(answers: &Recorded) -> SdkConfig {
    configured(answers.clone(), "http://recorded")
}

/// The same for a user with a key of its own.
fn sdk_as(endpoint: &str, key: &str, secret: &str) -> SdkConfig {
    let keys = Credentials::new(key, secret, None, None, "the test's own");
    sdk(endpoint).into_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build()
}

fn configured(http: impl HttpClient + 'static, endpoint: &str) -> SdkConfig {
    let keys = Credentials::new("test", "test", None, None, "the test's own");
    SdkConfig::builder()
        .behavior_version(behavior_version())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(http)
        .endpoint_url(endpoint)
        .build()
}

fn s3(config: &SdkConfig) -> Client {
    Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build())
}

/// A clock that stands still, and notes how long it was asked to wait.
#[derive(Debug)]
pub(crate) struct Hand {
    now: Time,
    waited: Mutex<Vec<Duration>>,
}

impl Hand {
    pub(crate) fn at(now: &str) -> Arc<Self> {
        Arc::new(Self { now: now.parse().unwrap(), waited: Mutex::default() })
    }
}

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Time {
        self.now
    }

    async fn sleep(&self, wait: Duration) {
        self.waited.lock().unwrap().push(wait);
    }
}

const NOW: &str = "2026-11-23T12:00:00Z";

fn bucket_of(client: Client, name: &str, clock: Arc<dyn Clock>) -> Bucket {
    let retention = Retention { mode: Mode::Governance, years: 7 };
    let kept = Kept { bucket: name.to_owned(), account: ACCOUNT.to_owned(), retention };
    Bucket::new(kept, client, BTreeMap::new(), clock)
}

/// An empty bucket with Object Lock, and a vault in it.
struct Bed {
    stack: Arc<MiniStack>,
    client: Client,
    name: String,
    home: TempDir,
}

impl Bed {
    async fn new() -> Self {
        let stack = OPEN.join();
        let client = s3(&sdk(&stack.endpoint()));
        let name = make_bucket(&client, None).await;
        Self { stack, client, name, home: tempfile::tempdir().unwrap() }
    }

    fn bucket(&self) -> Bucket {
        bucket_of(self.client.clone(), &self.name, Hand::at(NOW))
    }

    fn vault(&self) -> S3Vault {
        S3Vault::new(self.bucket(), Utf8Path::from_path(self.home.path()).unwrap())
    }
}

/// A new bucket with Object Lock, in the client's region or in another one.
pub(crate) async fn make_bucket(client: &Client, region: Option<&str>) -> String {
    let name = format!("vault-{}", uuid::Uuid::now_v7().simple());
    let place = region.map(|region| {
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
    });
    let made = client.create_bucket().bucket(&name).object_lock_enabled_for_bucket(true);
    made.set_create_bucket_configuration(place).send().await.unwrap();
    name
}

/// An empty vault, and what keeps it there.
pub(crate) async fn empty_vault() -> ((Arc<MiniStack>, TempDir), Arc<dyn Vault>) {
    let bed = Bed::new().await;
    let vault = bed.vault();
    ((bed.stack, bed.home), Arc::new(vault))
}
