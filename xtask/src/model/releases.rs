//! The `releases/` chain: how a number is reserved, sealed or burned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    commit::CommitId,
    digest::Digest,
    entry::{About, Event},
    time::Time,
    version::Version,
};

/// What happens to a release's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReleaseEvent {
    /// The number is taken, before anything is built.
    Reserved {
        /// What will be built.
        commit: CommitId,
        /// The machine whose lock tells whether the builder still lives.
        machine: String,
        /// After this, whoever comes may burn the number.
        expires: Time,
        /// The address of whoever released, as git knows it: nobody approves what they released.
        email: Option<String>,
    },
    /// The manifest is written: the number is final.
    Sealed {
        /// The store's own name for the one version of each object in the box (S3's object version ids), where the store
        /// has such names. The box is taken from these versions ever after, in the region that it was sealed in.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        versions: BTreeMap<String, String>,
    },
    /// The number will never be a release.
    Burned {
        /// Why.
        reason: String,
        /// The objects whose second build differed from the first.
        differences: Vec<Difference>,
    },
}

/// One object of an unsealed box that a second build did not make again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Its name in the box.
    pub object: String,
    /// What lies in the vault.
    pub uploaded: Digest,
    /// What was built again.
    pub rebuilt: Digest,
}

/// How the numbers stand.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasesState {
    /// The highest number ever used, whatever became of it.
    pub highest: Option<Number>,
    /// The one reservation that is neither sealed nor burned.
    pub open: Option<Reservation>,
    /// The last sealed release, dead or not.
    pub sealed: Option<SealedRelease>,
}

/// A number that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// The number.
    pub version: Version,
    /// The commit that it was used for.
    pub commit: CommitId,
}

/// An open reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    /// The number.
    pub version: Version,
    /// What is being built.
    pub commit: CommitId,
    /// Who builds it.
    pub owner: String,
    /// The machine whose lock tells whether the builder still lives.
    pub machine: String,
    /// When it was made.
    pub since: Time,
    /// After this, whoever comes may burn the number.
    pub expires: Time,
}

/// A sealed release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedRelease {
    /// Its version.
    pub version: Version,
    /// Its identity.
    pub manifest: Digest,
    /// What it was built from.
    pub commit: CommitId,
}

impl Event for ReleaseEvent {
    type State = ReleasesState;

    fn advance(&self, before: &ReleasesState, about: &About) -> ReleasesState {
        let mut after = before.clone();
        match self {
            Self::Reserved { commit, machine, expires, .. } => {
                if let Some(version) = about.release {
                    after.highest = Some(Number { version, commit: *commit });
                    after.open = Some(Reservation {
                        version,
                        commit: *commit,
                        owner: about.actor.clone(),
                        machine: machine.clone(),
                        since: about.time,
                        expires: *expires,
                    });
                }
            }
            Self::Sealed { .. } => {
                let open = after.open.take();
                if let (Some(open), Some(manifest)) = (open, about.manifest) {
                    after.sealed = Some(SealedRelease { version: open.version, manifest, commit: open.commit });
                }
            }
            Self::Burned { .. } => after.open = None,
        }
        after
    }

    fn may_follow(&self, before: &ReleasesState, about: &About) -> bool {
        let open = before.open.as_ref().map(|open| open.version);
        match self {
            Self::Reserved { .. } => {
                open.is_none() && about.release > before.highest.as_ref().map(|number| number.version)
            }
            Self::Sealed { .. } | Self::Burned { .. } => open.is_some() && open == about.release,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Reserved { .. } => "reserved",
            Self::Sealed { .. } => "sealed",
            Self::Burned { .. } => "burned",
        }
    }
}
