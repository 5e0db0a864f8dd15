//! `policy apply` says at once which gate nobody can pass, and puts the policy in force all the same.

use crate::support::project::Project;

const KEYS: [&str; 3] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPXWzguCtfI2gxD5LD+MpSxhwNpfqYa4zb8K7+g1gGmy",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMeQhtpNTPLB0UY06xAMVBXujd2q4hqywizzKkLjF05N",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID3FWOLs/stFgjxHJlQgWLdQ/OwBa7rgvvlFS1CYRA2A",
];

/// A `people.toml` with these people: roles, and what else stands beside the key.
fn people(more: &str, each: &[(&[&str], &str)]) -> String {
    let person = |(n, (roles, validity)): (usize, &(&[&str], &str))| {
        let key = KEYS[n];
        format!(
            "\n[people.p{n}]\nname = \"P {n}\"\nemails = [\"p{n}@example.com\"]\nroles = {roles:?}\n\
             keys = [{{ key = \"{key}\"{validity} }}]\n"
        )
    };
    format!("schema = 1\n{more}{}", each.iter().enumerate().map(person).collect::<String>())
}

#[test]
fn a_gate_that_nobody_can_pass_is_named() {
    let [qa, owner, manager]: [&[&str]; 3] = [&["qa-lead"], &["product-owner"], &["manager"]];
    let both: &[&str] = &["product-owner", "manager"];
    let no_lead = "warning  the gate of uat asks for 1 by qa-lead, and 0 with that role can sign now; name more people";
    let no_manager = "warning  the gate of prod asks for 1 by manager, and 0 with that role can sign now; name more";
    let at_once = "warning  the gate of prod asks for product-owner, manager, where one person counts in one role: \
                   the people who can sign now fill 1 of 2 places; name more people";
    let over = ", valid_until = \"2020-01-01T00:00:00Z\"";
    let early = ", valid_from = \"2999-01-01T00:00:00Z\"";
    let revoked = ", revoked_at = \"2020-01-01T00:00:00Z\"";
    let several = "separation.several_roles = true\n";
    let cases: [(String, &[&str]); 7] = [
        (people("", &[(qa, ""), (owner, ""), (manager, "")]), &[]),
        (people("", &[]), &[no_lead, "asks for 1 by product-owner", no_manager]),
        (people("", &[(qa, over), (owner, ""), (manager, "")]), &[no_lead]),
        (people("", &[(qa, early), (owner, ""), (manager, revoked)]), &[no_lead, no_manager]),
        (people("", &[(qa, ""), (both, "")]), &[at_once]),
        (people("", &[(qa, ""), (both, ""), (manager, "")]), &[]),
        (people(several, &[(qa, ""), (both, "")]), &[]),
    ];
    let project = Project::new();
    for (text, warnings) in cases {
        project.repo().write("people.toml", &text);
        let first = project.xtask(&["policy", "apply"]).expect(0);
        assert!(first.stdout.contains("the policy is in force"), "{}", first.stdout);
        let again = project.xtask(&["policy", "apply"]).expect(0);
        assert!(again.stdout.contains("was in force already"), "{}", again.stdout);
        for ran in [first, again] {
            let told: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("warning")).collect();
            assert_eq!(told.len(), warnings.len(), "{text}\n{told:?}");
            assert!(told.iter().zip(warnings).all(|(told, wanted)| told.contains(wanted)), "{text}\n{told:?}");
        }
    }
}

#[test]
fn throwaway_people_are_made_by_the_doctor() {
    let project = Project::new();
    project.xtask(&["doctor", "--fix"]).expect(0);
    let release = project.root().join("release.toml");
    let text = std::fs::read_to_string(&release).unwrap().replace("qa-lead", "inspector");
    std::fs::write(&release, text).unwrap();
    project.xtask(&["policy", "apply"]).expect(0).says("0 with that role can sign now; run `cargo xtask doctor --fix`");
    project.commit("chore: another role");
    let mended = project.xtask(&["doctor", "--fix"]).expect(0);
    assert!(!mended.stderr.contains("warning"), "{}", mended.stderr);
}
