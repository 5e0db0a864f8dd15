//! What the entry of a release into an environment says of other chains.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{digest::Digest, entry::Head};

/// What other chains said when the gate was judged for the last time, right before the shift. Clocks differ and may be wrong;
/// that what is named here was there is certain.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The entry that verified the release in the environment before, if there is one before.
    pub verified: Option<Head>,
    /// The last entry of the policy.
    pub policy: Option<Head>,
    /// The last decision about the release for this environment.
    pub decision: Option<Head>,
    /// Every piece of evidence about the release, by the SHA-256 of its file.
    pub evidence: BTreeSet<Digest>,
}
