//! Verifies the whole vault offline: every chain, every link and signature, every sealed object, the gate of every entry
//! into an environment, and that nothing is there that nobody wrote. Every finding names its object.
//!
//! The vault alone is enough. Every object is read once; of what was read only what later objects are judged by is kept.

mod boxes;
mod chains;
mod decisions;
mod entered;
mod inventory;
mod ordered;
mod release;
mod source;
mod story;

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;

pub use self::source::{Source, Trust};
use self::{
    inventory::Inventory,
    source::{Desk, Trusted},
    story::Story,
};
use crate::{
    context::Context,
    engine::ledger,
    failure::Failure,
    model::{entry::ChainName, key::VaultKey, verdict::Verdict},
    ports::{vault::VaultError, witness::Heads},
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
    /// The chains whose last entries no witness saw: removed ones would not show.
    pub unwitnessed: Vec<ChainName>,
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

/// Verifies the vault of a command.
///
/// # Errors
/// As `verify`.
pub async fn run(context: &Context) -> anyhow::Result<Audit> {
    verify(&Source::of(context)).await
}

/// Verifies a vault.
///
/// # Errors
/// Unfinished, if the vault cannot be listed, the witness or a key cannot be asked; what single objects hold is a finding,
/// not an error.
pub async fn verify(source: &Source) -> anyhow::Result<Audit> {
    let mut audit = Audit::default();
    let phase = source.story.phase("verifying the vault");
    // The witness first: whoever appends meanwhile must not look like someone who removed a tail.
    let heads = match &source.witness {
        None => None,
        Some(witness) => {
            let heads = witness.heads().await;
            heads.map_err(|error| ledger::unfinished("failed to ask the witness".to_owned(), error))?
        }
    };
    let listed = source.vault.list(None).await.map_err(|e| e.failed("failed to list the vault"))?;
    audit.objects = listed.len();
    let mut inventory = Inventory::default();
    let mut faults = inventory.file(&mut audit, listed);
    audit.witnessed(&inventory, heads.as_ref())?;
    let heads = heads.unwrap_or_default();
    inventory.remember(&heads)?;
    let trusted = Trusted::of(source, &inventory, &mut audit.notices).await?;
    let desk = Arc::new(Desk { vault: Arc::clone(&source.vault), inventory, heads, trusted });
    let now = |text: &str| phase.now(text);
    let story = Arc::new(Story::follow(&desk, &mut audit, &now).await?);
    release::all(&desk, &mut audit, &story, &now).await?;
    // What reading an object found already is not told twice.
    let named: BTreeSet<&str> = audit.findings.iter().map(|finding| finding.object.as_str()).collect();
    faults.retain(|name, _| !named.contains(name.as_str()));
    for (name, fault) in faults {
        audit.find(name, Verdict::Incorrect, "an object that was written once", fault);
    }
    phase.done(&format!("{} objects, {} findings", audit.objects, audit.findings.len()));
    Ok(audit)
}

/// How many unwitnessed chains a notice names.
const TOLD: usize = 8;

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

    /// Takes over what a part of the work found.
    fn merge(&mut self, part: Self) {
        self.entries += part.entries;
        self.releases += part.releases;
        self.findings.extend(part.findings);
        self.notices.extend(part.notices);
    }

    /// Notes each chain whose last entry no witness saw. A witness that was removed begins anew with what comes next,
    /// so that it shows in what it did not see.
    fn witnessed(&mut self, inventory: &Inventory, heads: Option<&Heads>) -> anyhow::Result<()> {
        let head = |chain: &ChainName| heads.and_then(|heads| heads.get(chain)).map_or(0, |head| head.number);
        for (chain, numbers) in &inventory.chains {
            if numbers.last().is_some_and(|last| *last > head(chain)) {
                self.unwitnessed.push(chain.clone());
            }
        }
        for key in inventory.evidence.values().flatten() {
            let chain = key.as_str().strip_suffix(".json").and_then(|name| name.parse().ok());
            self.unwitnessed.extend(chain.filter(|chain| head(chain) == 0));
        }
        let names = self.unwitnessed.iter().take(TOLD).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = match self.unwitnessed.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        match (self.unwitnessed.is_empty(), heads) {
            (true, _) => {}
            (false, None) => self.notices.push(format!(
                "tail unwitnessed: there is no witness, so removed last entries would not show: {names}{more}"
            )),
            (false, Some(_)) => self.notices.push(format!(
                "tail unwitnessed: the witness did not see the last entries of {names}{more}, so others that were \
                 removed there would not show"
            )),
        }
        Ok(())
    }
}
