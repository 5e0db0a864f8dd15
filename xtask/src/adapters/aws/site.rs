//! What the pipeline gets of AWS: both vaults, their witnesses, and the writers' keys.

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;

use crate::{
    adapters::aws::{
        bucket::{Bucket, Kept},
        keys::{KmsKeys, WriterKey},
        session::Session,
        vault::S3Vault,
        witness::BucketWitness,
    },
    config::aws,
    context::Site,
    model::entry::Writer,
    ports::{clock::Clock, signer::Signer},
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
