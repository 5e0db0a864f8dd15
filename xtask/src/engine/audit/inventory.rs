//! What lies in the vault, by what it is: only names, and of a chain only numbers, so that it stays small.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{entry::ChainName, key::VaultKey, verdict::Verdict, version::Version},
    ports::{vault::Listed, witness::Heads},
};

use super::Audit;

/// What lies in the vault, by what it is.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// The numbers of each chain's entries. Whoever reads them sorts first.
    pub(super) chains: BTreeMap<ChainName, Vec<u64>>,
    /// The names in each box.
    pub(super) boxes: BTreeMap<Version, BTreeSet<String>>,
    /// The evidence about each release.
    pub(super) evidence: BTreeMap<Version, BTreeSet<VaultKey>>,
}

impl Inventory {
    /// Files everything that was listed; what belongs nowhere is a finding. Gives what the store says against single
    /// objects.
    pub(super) fn file(&mut self, audit: &mut Audit, listed: Vec<Listed>) -> BTreeMap<String, String> {
        let mut faults = BTreeMap::new();
        for item in listed {
            if let Some(fault) = item.fault {
                faults.insert(item.name.clone(), fault);
            }
            if item.key.is_none_or(|key| !self.take(key)) {
                audit.find(item.name, Verdict::Unexpected, "nothing", "an object that no writer of this vault makes");
            }
        }
        self.chains.values_mut().for_each(|numbers| numbers.sort_unstable());
        faults
    }

    /// Adds what the witness saw: a chain or a piece of evidence of which nothing is left must be looked for.
    pub(super) fn remember(&mut self, heads: &Heads) -> anyhow::Result<()> {
        for chain in heads.keys() {
            match chain {
                ChainName::Evidence { release, .. } => {
                    self.evidence.entry(*release).or_default().insert(chain.key(1)?);
                }
                _ => drop(self.chains.entry(chain.clone()).or_default()),
            }
        }
        Ok(())
    }

    /// The chains of decisions about a release.
    pub(super) fn approvals(&self, of: Version) -> impl Iterator<Item = &ChainName> {
        let first = "a".parse().ok().map(|environment| ChainName::Approvals { release: of, environment });
        let of_release =
            move |chain: &&ChainName| matches!(chain, ChainName::Approvals { release, .. } if *release == of);
        first
            .into_iter()
            .flat_map(move |first| self.chains.range(first..).map(|(chain, _)| chain).take_while(of_release))
    }

    /// Every release that something in the vault is about.
    pub(super) fn releases(&self) -> BTreeSet<Version> {
        let decided = self.chains.keys().filter_map(|chain| match chain {
            ChainName::Approvals { release, .. } => Some(*release),
            _ => None,
        });
        decided.chain(self.boxes.keys().copied()).chain(self.evidence.keys().copied()).collect()
    }

    /// Files an object where it belongs; `false` if it belongs nowhere.
    fn take(&mut self, key: VaultKey) -> bool {
        let Some((folder, name)) = key.as_str().rsplit_once('/') else { return false };
        if let Ok(chain) = folder.parse::<ChainName>() {
            let number = name.strip_suffix(".json").and_then(|digits| digits.parse::<u64>().ok());
            // `00000001.json` and nothing that merely reads as the same number; a chain begins at 1.
            let number = number.filter(|number| *number > 0 && chain.key(*number).is_ok_and(|own| own == key));
            let Some(number) = number else { return false };
            self.chains.entry(chain).or_default().push(number);
            return true;
        }
        if let Some(release) = folder.strip_prefix("evidence/").and_then(|version| version.parse::<Version>().ok()) {
            return self.evidence.entry(release).or_default().insert(key);
        }
        // A box may have folders; whether an object in one is sealed, its manifest says.
        let Some((version, name)) = key.as_str().split_once('/') else { return false };
        match version.parse::<Version>() {
            Ok(release) if release.to_string() == version => {
                self.boxes.entry(release).or_default().insert(name.to_owned())
            }
            _ => false,
        }
    }
}
