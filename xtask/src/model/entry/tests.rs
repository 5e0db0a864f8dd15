//! Entries read back as they were written, and names name one thing.

use super::*;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Tested;

impl Event for Tested {
    type State = u64;

    fn advance(&self, before: &u64, _about: &About) -> u64 {
        before + 1
    }

    fn may_follow(&self, _before: &u64, _about: &About) -> bool {
        true
    }

    fn kind(&self) -> &'static str {
        "tested"
    }
}

fn entry() -> Entry<Tested> {
    Entry {
        schema: 1,
        chain: ChainName::Environment("dev".parse().unwrap()),
        number: 1,
        previous: None,
        time: "2026-01-23T12:00:00Z".parse().unwrap(),
        actor: "alice@laptop".to_owned(),
        writer: Writer::Deployer("dev".parse().unwrap()),
        tool: "xtask 0.1.0".to_owned(),
        release: Some("v1.0.0".parse().unwrap()),
        manifest: None,
        event: Tested,
        state: 1,
    }
}

#[test]
fn encodes_canonically_and_reads_back() {
    let bytes = Record::encode(&entry(), "sig").unwrap();
    let record = Record::<Tested>::decode(&bytes).unwrap();
    assert_eq!(record.entry, entry());
    assert_eq!(record.digest, Digest::of(&bytes));
    assert!(String::from_utf8(bytes).unwrap().starts_with(r#"{"actor":"alice@laptop","chain":"environments/dev","#));
}

#[test]
fn any_changed_byte_is_no_longer_this_record() {
    let bytes = Record::encode(&entry(), "sig").unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let same = Record::<Tested>::decode(&changed).is_ok_and(|r| r.entry == entry() && r.signature == "sig");
        assert!(!same, "byte {at}");
    }
}

#[test]
fn an_approval_is_signed_for_one_environment() {
    let namespace = |chain: &str| chain.parse::<ChainName>().unwrap().namespace();
    assert_eq!(namespace("approvals/v1.0.0/uat"), "xtask-approval-uat");
    assert_eq!(namespace("approvals/v1.0.0/prod"), "xtask-approval-prod");
    assert_eq!(namespace("policy"), "xtask-ledger");
}

#[test]
fn names_read_back() {
    for chain in ["releases", "environments/dev", "policy", "approvals/v1.0.0/prod"] {
        assert_eq!(chain.parse::<ChainName>().unwrap().to_string(), chain);
    }
    for wrong in ["environments/../releases", "release", "dev", "environments", "environments/dev/", "policy/"] {
        assert!(wrong.parse::<ChainName>().is_err(), "{wrong}");
    }
    for wrong in ["approvals", "approvals/v1.0.0", "approvals/1.0.0/prod", "approvals/v1/prod", "approvals/v1.0.0/"] {
        assert!(wrong.parse::<ChainName>().is_err(), "{wrong}");
    }
    for writer in ["releaser", "approver", "policy-administrator"] {
        assert_eq!(writer.parse::<Writer>().unwrap().to_string(), writer);
    }
    assert!("deployer-".parse::<Writer>().is_err());
    assert_eq!("deployer-dev".parse::<Writer>().unwrap().to_string(), "deployer-dev");
}
