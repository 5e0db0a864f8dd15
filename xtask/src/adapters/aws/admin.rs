//! The settings of the vault's buckets, asked and changed with a role of their own. Every question is asked for itself, so
//! that one which may not be asked leaves the answers to the others; what they mean is decided in `vault-policy`.

mod answers;
mod steps;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use vault_policy::{
    apply::Step,
    state::{Asked, BucketState, Contents},
    vault::Side,
};

use crate::{
    adapters::aws::{
        bucket::{Bucket, Kept, Versions},
        session::Session,
    },
    config::aws,
    failure::Failure,
    model::cloud::RoleArn,
    ports::{buckets::Buckets, clock::Clock},
};

/// How many versions S3 lists at once.
const PAGE: i32 = 1000;

/// Both buckets, as somebody who may look at their settings.
struct Administration {
    session: Session,
    role: RoleArn,
    clock: Arc<dyn Clock>,
}

impl Session {
    /// The vault's buckets, asked and changed with this role.
    #[must_use]
    pub fn buckets(&self, role: &RoleArn, clock: &Arc<dyn Clock>) -> Arc<dyn Buckets> {
        Arc::new(Administration { session: self.clone(), role: role.clone(), clock: Arc::clone(clock) })
    }
}

impl Administration {
    fn bucket(&self, side: Side) -> &aws::Bucket {
        match side {
            Side::Vault => &self.session.aws.primary,
            Side::Mirror => &self.session.aws.recovery,
        }
    }

    fn client(&self, region: &str) -> Client {
        self.session.s3_as(region, &self.role)
    }

    /// What was written twice or deleted, page by page: only that is kept in memory.
    async fn contents(&self, client: Client, of: &aws::Bucket) -> Asked<Contents> {
        let retention = self.session.aws.retention;
        let kept = Kept { bucket: of.bucket.to_string(), account: of.account.to_string(), retention };
        let bucket = Bucket::new(kept, client, std::collections::BTreeMap::new(), Arc::clone(&self.clock));
        let (mut contents, mut before, mut page) = (Contents::default(), None, Versions::default());
        loop {
            page = match bucket.versions("", PAGE, &page).await {
                Ok(page) => page,
                Err(error) => return Asked::Unreachable(format!("{:#}", anyhow::Error::from(error))),
            };
            for (name, _, is_marker) in &page.found {
                let again = before.as_ref() == Some(name);
                if (again || *is_marker) && contents.shadowed.last() != Some(name) {
                    contents.shadowed.push(name.clone());
                }
                before = Some(name.clone());
            }
            if page.is_last() {
                return if before.is_some() { Asked::Found(contents) } else { Asked::Absent };
            }
        }
    }
}

#[async_trait]
impl Buckets for Administration {
    async fn state(&self, side: Side) -> BucketState {
        let of = self.bucket(side);
        let region = answers::region(&self.client(of.region.as_str()), of).await;
        // A bucket of another region answers there only.
        let Asked::Found(place) = &region else { return answers::nothing(region) };
        let client = self.client(place);
        let (versioning, lock, policy, lifecycle) = tokio::join!(
            answers::versioning(&client, of),
            answers::lock(&client, of),
            answers::policy(&client, of),
            answers::lifecycle(&client, of)
        );
        let (replication, public_access, ownership, grants) = tokio::join!(
            answers::replication(&client, of),
            answers::public_access(&client, of),
            answers::ownership(&client, of),
            answers::grants(&client, of)
        );
        let (encryption, log, contents) = tokio::join!(
            answers::encryption(&client, of),
            answers::log(&client, of),
            self.contents(client.clone(), of)
        );
        BucketState {
            region,
            versioning,
            lock,
            policy,
            lifecycle,
            replication,
            public_access,
            ownership,
            grants,
            encryption,
            log,
            contents,
        }
    }

    async fn take(&self, side: Side, step: &Step) -> Result<(), Failure> {
        let of = self.bucket(side);
        steps::take(&self.client(of.region.as_str()), of, step).await
    }
}
