//! What the pipeline gets of AWS: both vaults, their witnesses, the writers' keys, and each environment's fleet and alarms.

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;

use crate::{
    adapters::aws::{
        alarms::CloudWatchAlarms,
        bucket::{Bucket, Kept},
        budget::Budget,
        fleet::{Clients, LambdaFleet, Place},
        keys::{KmsKeys, WriterKey},
        session::Session,
        trail::DynamoTrail,
        vault::S3Vault,
        witness::BucketWitness,
    },
    config::aws,
    context::Site,
    model::{entry::Writer, manifest::Stop, names::EnvName},
    ports::{alarms::Alarms, clock::Clock, fleet::Fleet, signer::Signer, trail::AuditTrail, vault::Vault},
};

impl Session {
    /// The first region: its vault, and its witness in the second region.
    #[must_use]
    pub fn primary(&self, workshop: &Utf8Path, clock: &Arc<dyn Clock>) -> Site {
        let (own, other) = (self.bucket(&self.aws.primary, clock), self.bucket(&self.aws.recovery, clock));
        Site { vault: Arc::new(S3Vault::new(own, workshop)), witness: Arc::new(BucketWitness::of_primary(other)) }
    }

    /// The second region: its vault, and its own witness beside it.
    #[must_use]
    pub fn recovery(&self, workshop: &Utf8Path, clock: &Arc<dyn Clock>) -> Site {
        let own = self.bucket(&self.aws.recovery, clock).written_by(self.mirror_writer());
        let witness = BucketWitness::of_recovery(own.clone());
        Site { vault: Arc::new(S3Vault::new(own, workshop).beside_witness()), witness: Arc::new(witness) }
    }

    /// Who brings everything to the second region: the deployer of the environment there.
    fn mirror_writer(&self) -> Option<Writer> {
        let there = self.aws.environments.iter().find(|(_, place)| place.region == self.aws.recovery.region);
        there.map(|(name, _)| Writer::Deployer(name.clone()))
    }

    /// The writers' keys. Each signs as its writer; public halves are read with the credentials at hand.
    #[must_use]
    pub fn signer(&self) -> Arc<dyn Signer> {
        let keys = self.aws.writers.iter().map(|(writer, own)| {
            let sign = own.key.clone().map(|key| {
                let (signing, reading) = (self.kms(key.region(), Some(writer)), self.kms(key.region(), None));
                (key, signing, reading)
            });
            let mac = own.variables_key.clone().map(|key| (key.clone(), self.kms(key.region(), Some(writer))));
            (writer.clone(), WriterKey::new(sign, mac))
        });
        Arc::new(KmsKeys::new(keys.collect()))
    }

    /// The fleet of each environment. Those of one account and region share its budget.
    #[must_use]
    pub fn fleets(&self, path: &[Stop], clock: &Arc<dyn Clock>) -> BTreeMap<EnvName, Arc<dyn Fleet>> {
        let mut budgets: BTreeMap<(&str, &str), Arc<Budget>> = BTreeMap::new();
        let places = path.iter().filter_map(|stop| Some((stop, self.aws.environments.get(&stop.environment)?)));
        let fleets = places.map(|(stop, place)| {
            let (region, writer) = (place.region.as_str(), Writer::Deployer(stop.environment.clone()));
            let budget = budgets
                .entry((place.account.as_str(), region))
                .or_insert_with(|| Arc::new(Budget::new(self.aws.control_plane_per_second, Arc::clone(clock))));
            let bucket = if stop.recovery { &self.aws.recovery } else { &self.aws.primary };
            let clients = Clients {
                lambda: self.lambda(region, Some(&writer)),
                logs: self.logs(region, Some(&writer)),
                s3: self.s3(region, Some(&writer)),
            };
            let of = Place {
                environment: stop.environment.clone(),
                bucket: bucket.bucket.to_string(),
                owner: bucket.account.to_string(),
                create: place.create.clone(),
            };
            let fleet = LambdaFleet::new(clients, of, Arc::clone(budget), Arc::clone(clock));
            (stop.environment.clone(), Arc::new(fleet) as Arc<dyn Fleet>)
        });
        fleets.collect()
    }

    /// What watches each environment.
    #[must_use]
    pub fn alarms(&self, clock: &Arc<dyn Clock>) -> BTreeMap<EnvName, Arc<dyn Alarms>> {
        let alarms = self.aws.environments.iter().map(|(environment, place)| {
            let client = self.cloudwatch(place.region.as_str(), Some(&Writer::Deployer(environment.clone())));
            let alarms = CloudWatchAlarms::new(client, Arc::clone(clock));
            (environment.clone(), Arc::new(alarms) as Arc<dyn Alarms>)
        });
        alarms.collect()
    }

    /// The functions' audit trails, where release.toml says where they are.
    #[must_use]
    pub fn trails(&self) -> BTreeMap<EnvName, Arc<dyn AuditTrail>> {
        let trails = self.aws.environments.iter().filter_map(|(environment, place)| {
            let audit = place.audit.as_ref()?;
            let client = self.dynamodb(place.region.as_str(), audit.role.as_ref());
            let trail = DynamoTrail::new(client, audit.table.clone());
            Some((environment.clone(), Arc::new(trail) as Arc<dyn AuditTrail>))
        });
        trails.collect()
    }

    /// The archive of an environment's audit trail, if release.toml says where it is.
    #[must_use]
    pub fn archive(
        &self,
        environment: &EnvName,
        workshop: &Utf8Path,
        clock: &Arc<dyn Clock>,
    ) -> Option<Arc<dyn Vault>> {
        let place = self.aws.environments.get(environment)?;
        let audit = place.audit.as_ref()?;
        let kept = Kept {
            bucket: audit.archive.as_ref()?.to_string(),
            account: place.account.to_string(),
            retention: self.aws.retention,
        };
        let region = place.region.as_str();
        let client = audit.role.as_ref().map_or_else(|| self.s3(region, None), |role| self.s3_as(region, role));
        let bucket = Bucket::new(kept, client, BTreeMap::new(), Arc::clone(clock));
        Some(Arc::new(S3Vault::new(bucket, workshop)))
    }

    fn bucket(&self, of: &aws::Bucket, clock: &Arc<dyn Clock>) -> Bucket {
        let region = of.region.as_str();
        let kept =
            Kept { bucket: of.bucket.to_string(), account: of.account.to_string(), retention: self.aws.retention };
        let taken = self.aws.writers.iter().filter(|(_, own)| own.role.is_some());
        let writers: BTreeMap<_, _> =
            taken.map(|(writer, _)| (writer.clone(), self.s3(region, Some(writer)))).collect();
        Bucket::new(kept, self.s3(region, None), writers, Arc::clone(clock))
    }
}
