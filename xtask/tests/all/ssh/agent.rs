//! Keys in an agent: what stands between a person and a signature is said with its remedy.

use std::collections::BTreeMap;

use xtask::{adapters::ssh, failure};

use super::tools::{NAMESPACES, Workshop, socket};

/// The exit code and the text of an error.
fn told(error: &anyhow::Error) -> (Option<u8>, String) {
    (failure::find(error).map(failure::Failure::code), format!("{error:#}"))
}

#[test]
fn an_agent_that_is_not_there_or_does_not_hold_the_key_is_named() {
    let workshop = Workshop::new();
    workshop.make_key("held", &["ed25519"]);
    workshop.make_key("absent", &["ed25519"]);
    let agent = workshop.agent(&["held"], false);
    let open = |name: &str, environment: &BTreeMap<_, _>| ssh::open(&workshop.path(name), environment);
    let refusal = |name: &str, environment: &BTreeMap<_, _>| told(&open(name, environment).err().unwrap());
    let here = agent.environment();
    assert!(open("held.pub", &here).is_ok());

    let (code, text) = refusal("absent.pub", &here);
    assert_eq!(code, Some(2));
    assert!(text.contains("does not hold the key") && text.contains("`ssh-add`"), "{text}");

    let (code, text) = refusal("held.pub", &socket("".into()));
    assert_eq!(code, Some(2));
    assert!(text.contains("SSH_AUTH_SOCK is not set"), "{text}");

    assert!(workshop.ssh_add(&agent, &["-x"]).status.success(), "ssh-add locks the agent");
    let (code, text) = refusal("held.pub", &here);
    assert_eq!(code, Some(2));
    assert!(text.contains("`ssh-add -X` unlocks it"), "{text}");

    // A killed agent leaves its socket behind.
    drop(agent);
    for gone in [here, socket(&workshop.path("nothing.sock"))] {
        let (code, text) = refusal("held.pub", &gone);
        assert_eq!(code, Some(2));
        assert!(text.contains("no ssh-agent listens at") && text.contains("`eval \"$(ssh-agent)\"`"), "{text}");
    }
}

#[tokio::test]
async fn an_agent_whose_person_says_no_is_unfinished_business() {
    let workshop = Workshop::new();
    workshop.make_key("key", &["ed25519"]);
    let agent = workshop.agent(&["key"], true);
    let key = ssh::open(&workshop.path("key.pub"), &agent.environment()).unwrap();
    let (code, text) = told(&key.sign(NAMESPACES[0], b"approved").await.unwrap_err());
    assert_eq!(code, Some(8));
    assert!(text.contains("whoever it asked said no"), "{text}");

    drop(agent);
    let (_, text) = told(&key.sign(NAMESPACES[0], b"approved").await.unwrap_err());
    assert!(text.contains("no ssh-agent listens at"), "{text}");
}

/// Certificates beside the key, one of them without an end, which the library cannot read, and a key of a kind that
/// does not count.
#[tokio::test]
async fn whatever_else_the_agent_holds_is_no_hindrance() {
    let workshop = Workshop::new();
    for name in ["key", "ended", "endless"] {
        workshop.make_key(name, &["ed25519"]);
    }
    workshop.make_key("dsa", &["dsa"]);
    workshop.keygen(&["-q", "-s", "key", "-I", "me", "-n", "me", "-V", "-1w:+1w", "ended.pub"]);
    workshop.keygen(&["-q", "-s", "key", "-I", "me", "-n", "me", "endless.pub"]);
    for beside in ["dsa", "ended", "endless"] {
        let agent = workshop.agent(&[beside, "key"], false);
        let key = ssh::open(&workshop.path("key.pub"), &agent.environment()).unwrap();
        key.sign(NAMESPACES[0], b"approved").await.unwrap();
        assert!(workshop.ssh_add(&agent, &["-q", "-D"]).status.success());
        let (code, text) = told(&key.sign(NAMESPACES[0], b"approved").await.unwrap_err());
        assert_eq!(code, Some(8));
        assert!(text.contains("it does not hold the key"), "{text}");
    }
}
