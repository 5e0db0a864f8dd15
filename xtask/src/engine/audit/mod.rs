//! Verifies the whole vault offline: every chain, every link and signature, every sealed object, and that nothing is
//! there that nobody wrote. Every finding names its object.

mod boxes;
mod chains;
mod decisions;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    context::Context,
    engine::{evidence, ledger},
    failure::Failure,
    model::{
        approval::ApprovalEvent,
        entry::{ChainName, Record, Writer},
        environment::EnvironmentEvent,
        evidence::Evidence,
        key::VaultKey,
        manifest::Manifest,
        names::EnvName,
        policy::PolicyEvent,
        releases::ReleaseEvent,
        verdict::Verdict,
        version::Version,
    },
    ports::{
        vault::VaultError,
        witness::{Head, Heads},
    },
};

/// What `audit verify` found.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Objects looked at.
    pub objects: usize,
    /// Ledger entries verified.
    pub entries: u64,
    /// Sealed releases verified.
    pub releases: usize,
    /// Everything that is not as it must be.
    pub findings: Vec<AuditFinding>,
    /// What limits this audit's word, and what is not sealed yet.
    pub notices: Vec<String>,
}

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditFinding {
    /// Its name in the vault.
    pub object: String,
    /// The result.
    pub verdict: Verdict,
    /// What must be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Audit {
    /// The failure that this audit ends with.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let first = self.findings.iter().find(|f| f.verdict != Verdict::Unreachable).or(self.findings.first())?;
        let more = match self.findings.len() {
            1 => String::new(),
            n => format!(" (and {} more findings)", n - 1),
        };
        let what =
            format!("{} is {}: expected {}, found {}{more}", first.object, first.verdict, first.expected, first.found);
        Some(if first.verdict == Verdict::Unreachable {
            Failure::Unfinished { what, source: None }
        } else {
            Failure::Integrity(format!("{what}; restore the vault from a copy and find out who wrote to it"))
        })
    }

    pub(super) fn find(
        &mut self,
        object: impl ToString,
        verdict: Verdict,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        let (object, expected, found) = (object.to_string(), expected.into(), found.into());
        self.findings.push(AuditFinding { object, verdict, expected, found });
    }

    /// An object that could not be read: because it is not sound, or because the vault is out of reach.
    fn unread(&mut self, key: &VaultKey, expected: String, error: VaultError) {
        let verdict = match error {
            VaultError::NotPlain(_) | VaultError::TooLarge(_) | VaultError::Unsound { .. } => Verdict::Incorrect,
            _ => Verdict::Unreachable,
        };
        self.find(key, verdict, expected, format!("{:#}", anyhow::Error::from(error)));
    }
}

/// What lies in the vault, by what it is.
#[derive(Debug, Default)]
struct Inventory {
    chains: BTreeMap<ChainName, BTreeMap<u64, VaultKey>>,
    evidence: Vec<VaultKey>,
    boxes: BTreeMap<Version, BTreeMap<String, VaultKey>>,
}

/// What the chains say happened, for the cross-checks.
#[derive(Debug, Default)]
struct Story {
    releases: Vec<Record<ReleaseEvent>>,
    environments: BTreeMap<EnvName, Vec<Record<EnvironmentEvent>>>,
    policy: Vec<Record<PolicyEvent>>,
    approvals: Vec<Record<ApprovalEvent>>,
    evidence: Vec<(VaultKey, Evidence)>,
}

/// Verifies the vault.
///
/// # Errors
/// Unfinished, if the vault cannot be listed; what single objects hold is a finding, not an error.
pub async fn run(context: &Context) -> anyhow::Result<Audit> {
    let mut audit = Audit::default();
    let phase = context.story.phase("verifying the vault");
    // The witness first: whoever appends meanwhile must not look like someone who removed a tail.
    let heads = ledger::heads(context).await?;
    let listed = context.vault.list(None).await.map_err(|e| e.failed("failed to list the vault"))?;
    audit.objects = listed.len();
    let mut inventory = Inventory::default();
    let mut faults = BTreeMap::new();
    for item in listed {
        if let Some(fault) = item.fault {
            faults.insert(item.name.clone(), fault);
        }
        if item.key.is_none_or(|key| !inventory.take(key)) {
            audit.find(item.name, Verdict::Unexpected, "nothing", "an object that no writer of this vault makes");
        }
    }
    if heads.is_none() && !inventory.chains.is_empty() {
        audit.notices.push("tail unwitnessed: there is no witness, so removed last entries would not show".to_owned());
    }
    for chain in heads.iter().flat_map(Heads::keys) {
        inventory.chains.entry(chain.clone()).or_default();
    }
    let mut story = Story::default();
    for (chain, entries) in &inventory.chains {
        phase.now(&format!("{chain}: {} entries", entries.len()));
        let noted = heads.as_ref().and_then(|heads| heads.get(chain)).copied();
        match chain {
            ChainName::Releases => {
                story.releases = chains::verify(context, &mut audit, chain, entries, noted).await?;
            }
            ChainName::Environment(env) => {
                let records = chains::verify(context, &mut audit, chain, entries, noted).await?;
                story.environments.insert(env.clone(), records);
            }
            ChainName::Policy => {
                story.policy = chains::verify(context, &mut audit, chain, entries, noted).await?;
            }
            ChainName::Evidence { .. } => evidence_noted(context, &mut audit, chain, noted).await?,
            ChainName::Approvals { .. } => {
                story.approvals.extend(chains::verify(context, &mut audit, chain, entries, noted).await?);
            }
        }
    }
    for key in &inventory.evidence {
        phase.now(key.as_str());
        match evidence::one(context, key).await {
            Ok(evidence) => story.evidence.push((key.clone(), evidence)),
            Err(error) => chains::report(&mut audit, key, error)?,
        }
    }
    let manifests = boxes::verify(context, &mut audit, &inventory, &story, &|text| phase.now(text)).await?;
    chains::cross_check(&mut audit, &story, &manifests);
    // What reading an object found already is not told twice.
    faults.retain(|name, _| audit.findings.iter().all(|finding| finding.object != *name));
    for (name, fault) in faults {
        audit.find(name, Verdict::Incorrect, "an object that was written once", fault);
    }
    decisions::verify(&mut audit, &story, &chains::sealed(&story.releases), &manifests)?;
    phase.done(&format!("{} objects, {} findings", audit.objects, audit.findings.len()));
    Ok(audit)
}

/// Evidence that the witness saw must be there, and be the same.
async fn evidence_noted(
    context: &Context,
    audit: &mut Audit,
    chain: &ChainName,
    noted: Option<Head>,
) -> anyhow::Result<()> {
    let Some(noted) = noted else { return Ok(()) };
    let key = chain.key(1)?;
    match context.vault.fetch(&key, None).await {
        Ok(Some((found, _))) if found == noted.sha256 => {}
        Ok(Some((found, _))) => {
            audit.find(&key, Verdict::Incorrect, format!("{}, as the witness saw it", noted.sha256), found.to_string());
        }
        Ok(None) => audit.find(&key, Verdict::Missing, "evidence that the witness saw", "nothing"),
        Err(error) => audit.unread(&key, noted.sha256.to_string(), error),
    }
    Ok(())
}

/// The manifests of all sealed releases that could be read.
type Manifests = BTreeMap<Version, Manifest>;

impl Inventory {
    /// Files an object where it belongs; `false` if it belongs nowhere.
    fn take(&mut self, key: VaultKey) -> bool {
        let Some((folder, name)) = key.as_str().rsplit_once('/') else { return false };
        if let Ok(chain) = folder.parse::<ChainName>() {
            let number = name.strip_suffix(".json").and_then(|digits| digits.parse::<u64>().ok());
            // `00000001.json` and nothing that merely reads as the same number; a chain begins at 1.
            let number = number.filter(|number| *number > 0 && chain.key(*number).is_ok_and(|own| own == key));
            return number.is_some_and(|number| self.chains.entry(chain).or_default().insert(number, key).is_none());
        }
        if folder.strip_prefix("evidence/").is_some_and(|version| version.parse::<Version>().is_ok()) {
            self.evidence.push(key);
            return true;
        }
        let (own, name) = key.as_str().split_once('/').unwrap_or((key.as_str(), ""));
        match own.parse::<Version>() {
            Ok(version) if version.to_string() == own && Writer::of(&key).is_some() => {
                self.boxes.entry(version).or_default().insert(name.to_owned(), key.clone()).is_none()
            }
            _ => false,
        }
    }
}
