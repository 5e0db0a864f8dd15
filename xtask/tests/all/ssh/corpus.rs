//! Good signatures of every kind of key, over every kind of message: made here and accepted by OpenSSH, and the other
//! way round, by key file and by agent.

use std::collections::BTreeMap;

use xtask::{adapters::ssh, ports::person_key::PersonKey};

use super::tools::{Claim, KINDS, NAMESPACES, Workshop};

fn messages() -> [Vec<u8>; 4] {
    let binary = (0..=255).cycle().take(1000).collect();
    let large = (0..1 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    [vec![], vec![b'x'], binary, large]
}

/// Both verdicts on one signature.
fn judge(workshop: &Workshop, kind: &str, namespace: &str, message: &[u8], armour: &str) {
    let claim = Claim { namespace: namespace.to_owned(), ..Claim::new(armour, message, &workshop.public(kind)) };
    let what = format!("{kind}, {namespace}, {} bytes", message.len());
    assert!(claim.is_accepted(), "not accepted here: {what}");
    assert!(workshop.openssh_accepts(&claim), "not accepted by OpenSSH: {what}");
}

#[tokio::test]
async fn what_one_side_signs_the_other_accepts() {
    let workshop = Workshop::new();
    for (name, kind) in KINDS {
        workshop.make_key(name, kind);
    }
    let agent = workshop.agent(&KINDS.map(|(name, _)| name), false);
    for (name, _) in KINDS {
        let file = ssh::open(&workshop.path(name), &BTreeMap::new()).unwrap();
        let held = ssh::open(&workshop.path(&format!("{name}.pub")), &agent.environment()).unwrap();
        for namespace in NAMESPACES {
            for message in messages() {
                for key in [&file, &held] {
                    let armour = sign(key.as_ref(), namespace, &message).await;
                    judge(&workshop, name, namespace, &message, &armour);
                }
                let armour = workshop.sign(name, namespace, &message);
                judge(&workshop, name, namespace, &message, &armour);
            }
        }
        let armour = workshop.sign_with(name, NAMESPACES[0], b"approved", "sha256");
        judge(&workshop, name, NAMESPACES[0], b"approved", &armour);
    }
}

async fn sign(key: &dyn PersonKey, namespace: &str, message: &[u8]) -> String {
    key.sign(namespace, message).await.unwrap()
}
