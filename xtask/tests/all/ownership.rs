//! The ledger's writers are those of the vault's one table of owners.

use vault_policy::ownership;
use xtask::model::{
    digest::Digest,
    entry::{ChainName, Writer},
};

/// A chain of every kind. The match makes a new kind show up here.
fn every_chain() -> Vec<ChainName> {
    let environment = || "qa-east".parse().unwrap();
    let chains = [
        ChainName::Releases,
        ChainName::Environment(environment()),
        ChainName::Approvals { release: "v1.0.0".parse().unwrap(), environment: environment() },
        ChainName::Policy,
        ChainName::Evidence { release: "v1.0.0".parse().unwrap(), file: Digest::of(b"report") },
    ];
    chains.iter().for_each(|chain| match chain {
        ChainName::Releases | ChainName::Environment(_) | ChainName::Policy => {}
        ChainName::Approvals { .. } | ChainName::Evidence { .. } => {}
    });
    chains.into()
}

#[test]
fn every_chain_lies_under_a_prefix_of_its_writer() {
    for chain in every_chain() {
        let key = chain.key(1).unwrap();
        let owner = ownership::writer(key.as_str()).map(|owner| owner.to_string());
        assert_eq!(owner, Some(chain.writer().to_string()), "{key}");
    }
}

#[test]
fn every_head_is_noted_under_a_prefix_of_its_writer() {
    for chain in every_chain() {
        let note = format!("{}{chain}/99999998-0a", ownership::WITNESS_OF_PRIMARY);
        let owner = ownership::witness(&note).map(|owner| owner.to_string());
        assert_eq!(owner, Some(chain.writer().to_string()), "{note}");
    }
}

#[test]
fn boxes_are_the_releasers() {
    for key in ["v1.0.0/manifest.json", "v10.20.30/SHA256SUMS", "v1.0.0/price-fetcher.zip"] {
        let owner = ownership::writer(key).map(|owner| owner.to_string());
        assert_eq!(owner, Some(Writer::Releaser.to_string()), "{key}");
    }
}
