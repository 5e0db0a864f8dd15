//! The fleet in Lambda: on MiniStack, and in front of a stricter one.

use std::{collections::BTreeMap, fs, num::NonZeroU32, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::{primitives::ByteStream, types::ChecksumAlgorithm};
use camino::Utf8Path;
use tempfile::TempDir;
use xtask::{
    adapters::{
        aws::{Budget, Clients, LambdaFleet, Place},
        local::{
            clock::SystemClock,
            fleet::{LocalFleet, Setup},
            places::Places,
        },
    },
    config::aws::Create,
    model::{digest::Digest, names::FleetName},
    ports::{
        clock::Clock,
        fleet::{CodeSource, Fleet, LastUpdate, State},
    },
};

use super::{ACCOUNT, OPEN, configured, make_bucket, s3, sdk, twin::Twin};
use crate::{
    fleet::conformance::{World, configuration},
    support::{ministack::MiniStack, world::Hand},
};

/// The role of every function that is made here. The emulator looks for it only where it asks who may do what.
pub(crate) const FUNCTION_ROLE: &str = "arn:aws:iam::000000000000:role/functions";

/// An empty fleet, and a bucket for its code.
pub(crate) struct Functions {
    fleet: LambdaFleet,
    client: aws_sdk_s3::Client,
    bucket: String,
    _stack: Arc<MiniStack>,
}

impl Functions {
    pub(crate) async fn new() -> Self {
        let stack = OPEN.join();
        let config = sdk(&stack.endpoint());
        let client = s3(&config);
        let bucket = make_bucket(&client, None).await;
        let create = Some(Create { role: FUNCTION_ROLE.parse().unwrap(), handler: None });
        Self { fleet: fleet(&config, &bucket, create), client, bucket, _stack: stack }
    }
}

/// A fleet behind the SDK's configuration, whose budget no test has to wait for.
pub(super) fn fleet(config: &SdkConfig, bucket: &str, create: Option<Create>) -> LambdaFleet {
    within(config, bucket, create, Arc::new(SystemClock))
}

fn within(config: &SdkConfig, bucket: &str, create: Option<Create>, clock: Arc<dyn Clock>) -> LambdaFleet {
    let budget = Arc::new(Budget::new(NonZeroU32::new(10_000).unwrap(), clock.clone()));
    let (bucket, owner) = (bucket.to_owned(), ACCOUNT.to_owned());
    let place = Place { environment: "dev".parse().unwrap(), bucket, owner, create };
    LambdaFleet::new(clients(config), place, budget, clock)
}

/// The clients of a fleet.
pub(super) fn clients(config: &SdkConfig) -> Clients {
    Clients {
        lambda: aws_sdk_lambda::Client::new(config),
        logs: aws_sdk_cloudwatchlogs::Client::new(config),
        s3: s3(config),
    }
}

/// The adapter in front of the strict fleet of this machine, which answers in Lambda's wire format.
pub(crate) struct Strict {
    fleet: LambdaFleet,
    home: TempDir,
    settle: Duration,
    clock: Arc<Hand>,
}

impl Strict {
    pub(crate) fn new(settle: Duration) -> Self {
        let (home, clock) = (tempfile::tempdir().unwrap(), Hand::new());
        let root = Utf8Path::from_path(home.path()).unwrap();
        let local = LocalFleet::new(Setup {
            root: root.join("fleet"),
            vault: root.join("vault"),
            places: Places { local: root.to_owned(), ..Places::default() },
            variables: BTreeMap::new(),
            settle,
            quota: None,
            clock: clock.clone(),
        });
        let twin = Twin::new(local, root.join("vault"), clock.clone());
        let create = Some(Create { role: FUNCTION_ROLE.parse().unwrap(), handler: None });
        let fleet = within(&configured(twin, "http://twin"), "vault", create, clock.clone());
        Self { fleet, home, settle, clock }
    }
}

#[async_trait]
impl World for Strict {
    fn fleet(&self) -> &dyn Fleet {
        &self.fleet
    }

    async fn put(&self, object: &[u8]) -> CodeSource {
        let digest = Digest::of(object);
        let key = format!("v1.0.0/{}.zip", digest.short());
        let file = self.home.path().join("vault").join(&key);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, object).unwrap();
        let architecture = configuration().architecture;
        CodeSource { key: key.parse().unwrap(), object_version: None, digest, architecture }
    }

    fn name(&self) -> FleetName {
        format!("f-{}", uuid::Uuid::now_v7().simple()).parse().unwrap()
    }

    async fn settle(&self, _name: &FleetName) {
        self.clock.sleep(self.settle).await;
    }
}

#[async_trait]
impl World for Functions {
    fn fleet(&self) -> &dyn Fleet {
        &self.fleet
    }

    async fn put(&self, object: &[u8]) -> CodeSource {
        let digest = Digest::of(object);
        let key = format!("v1.0.0/{}.zip", digest.short());
        let put = self.client.put_object().bucket(&self.bucket).key(&key).body(ByteStream::from(object.to_vec()));
        let put = put.checksum_algorithm(ChecksumAlgorithm::Sha256).checksum_sha256(digest.base64());
        let object_version = put.send().await.unwrap().version_id().map(str::to_owned);
        let architecture = configuration().architecture;
        CodeSource { key: key.parse().unwrap(), object_version, digest, architecture }
    }

    fn name(&self) -> FleetName {
        format!("f-{}", uuid::Uuid::now_v7().simple()).parse().unwrap()
    }

    async fn settle(&self, name: &FleetName) {
        // It takes half a second of real time, which nobody here can turn.
        while let Some(state) = self.fleet.function(name).await.unwrap() {
            if state.last_update != LastUpdate::InProgress && state.state != State::Pending {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
