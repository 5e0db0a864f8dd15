//! The auditor's folder: it verifies by its own page, in an empty folder, with nothing but the tools that the page names;
//! and whatever is exchanged in it shows, though every sum was made to fit again.

use std::{fs, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, rand_core::OsRng};
use xtask::{
    engine::{ledger, pack},
    model::{
        approval::ApprovalEvent,
        canonical,
        digest::Digest,
        entry::{ChainName, Record},
    },
};

use super::Vault;
use crate::support::project::{Ran, tree};

/// All that the page may use.
const TOOLS: [&str; 6] = ["bash", "ssh-keygen", "sha256sum", "openssl", "jq", "unzip"];

/// A folder that was packed and copied to an empty place, and the auditor's own list of keys.
struct Folder {
    root: Utf8PathBuf,
    signers: Utf8PathBuf,
    tools: Utf8PathBuf,
    vault: Vault,
}

impl Folder {
    fn new(release: &str) -> Self {
        Self::of(Vault::new(), release, 0)
    }

    /// Of a vault where packing ends like this.
    fn of(vault: Vault, release: &str, code: i32) -> Self {
        let aside = |name: &str| vault.project.repo().beside(name);
        let (out, root, tools) = (aside("packed"), aside("empty"), aside("tools"));
        vault.project.xtask(&["audit", "pack", release, "--out", out.as_str()]).expect(code);
        super::copy(&out, &root);
        let signers = aside("signers");
        fs::write(&signers, vault.project.xtask(&["audit", "signers"]).expect(0).stdout).unwrap();
        fs::create_dir(&tools).unwrap();
        for tool in TOOLS {
            let path = ["/usr/bin", "/bin"].map(|folder| Utf8Path::new(folder).join(tool));
            let path = path.iter().find(|path| path.exists()).unwrap_or_else(|| panic!("this test needs `{tool}`"));
            std::os::unix::fs::symlink(path, tools.join(tool)).unwrap();
        }
        Self { root, signers, tools, vault }
    }

    /// Types what the page says, as an auditor does.
    fn verify(&self, path: &str) -> Ran {
        let page = fs::read_to_string(self.root.join("VERIFY.md")).unwrap();
        let blocks = page.split("```sh\n").skip(1).map(|block| block.split_once("```").unwrap().0);
        let mut command = Command::new("/usr/bin/env");
        command.args(["-i", &format!("PATH={path}"), &format!("ALLOWED_SIGNERS={}", self.signers)]);
        command.args(["bash", "-c", &blocks.collect::<String>()]).current_dir(&self.root);
        Ran::of(command.output().unwrap())
    }

    /// Makes every sum fit again, then it must be found.
    #[track_caller]
    fn fails(&self, what: &str, said: &str) {
        let files = tree(&self.root).into_iter().filter(|(name, _)| name != "SHA256SUMS");
        let sums: String = files.map(|(name, bytes)| format!("{}  {name}\n", Digest::of(&bytes).hex())).collect();
        fs::write(self.root.join("SHA256SUMS"), sums).unwrap();
        let ran = self.verify("/usr/bin:/bin");
        assert!(ran.code != 0 && ran.stderr.contains(said), "{what}: {ran:?}");
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.root.join(name)).unwrap()).unwrap()
    }

    /// Changes a file, tries, and puts it back.
    #[track_caller]
    fn with(&self, name: &str, bytes: &[u8], said: &str) {
        let path = self.root.join(name);
        let before = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        self.fails(name, said);
        fs::write(&path, before).unwrap();
    }

    /// An entry changed and signed anew.
    fn forged(&self, name: &str, namespace: &str, key: &PrivateKey, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut value = self.json(name);
        value.as_object_mut().unwrap().remove("signature");
        change(&mut value);
        let signature = key.sign(namespace, HashAlg::Sha512, &canonical::to_vec(&value).unwrap()).unwrap();
        value["signature"] = signature.to_pem(LineEnding::LF).unwrap().into();
        canonical::to_vec(&value).unwrap()
    }
}

#[test]
fn it_verifies_by_its_own_page_alone() {
    let folder = Folder::new("v1.1.1");
    for path in ["/usr/bin:/bin", folder.tools.as_str()] {
        let ran = folder.verify(path).expect(0);
        assert!(ran.stdout.contains("v1.1.1 (sha256:"), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(folder.root.join("VERIFY.md")).unwrap(), pack::VERIFY, "it is the same for all");
    let names = tree(&folder.root).into_keys().collect::<Vec<_>>();
    for name in
        ["box/alpha.zip", "box/manifest.json", "ledger/environments/prod/00000005.json", "ledger/policy/00000001.json"]
    {
        assert!(names.iter().any(|own| own == name), "{name} in {names:?}");
    }
    let approvals = folder.json("approvals.json");
    let meanings: Vec<_> = approvals.as_array().unwrap().iter().map(|page| &page["meaning"]).collect();
    assert_eq!(meanings, ["approved", "revoked", "approved", "approved", "approved"]);
    assert!(approvals.as_array().unwrap().iter().all(|page| page["name"].is_string() && page["time"].is_string()));
    assert_eq!(folder.json("tests.json")[0]["tests"]["tests"], 1);
    let commits = folder.json("commits.json");
    assert_eq!((&commits[0]["subject"], &commits[0]["reviews"]), (&"fix: beta".into(), &Value::Null), "{commits}");
    assert!(!folder.json("smoke.json").as_array().unwrap().is_empty());
    for clause in ["11.10(e)", "11.50", "11.70", "11.200", "164.312(b)", "164.316(b)(2)(i)"] {
        assert!(pack::CONTROLS.contains(clause), "{clause}");
    }
    // Not twice into one folder, and nothing that is not there.
    folder.vault.project.xtask(&["audit", "pack", "v1.1.1", "--out", folder.root.as_str()]).expect(2).says("not empty");
    folder.vault.project.xtask(&["audit", "pack", "v9.0.0", "--out", "elsewhere"]).expect(4);
}

/// What never got beyond the first gate, and what was rejected.
#[test]
fn the_dead_verify_too() {
    for release in ["v1.0.0", "v1.1.0"] {
        let folder = Folder::new(release);
        let ran = folder.verify("/usr/bin:/bin").expect(0);
        assert!(ran.stdout.contains(&format!("{release} (sha256:")), "{ran:?}");
    }
}

#[test]
fn an_approval_by_a_stranger_is_found() {
    let folder = Folder::new("v1.1.1");
    let stranger = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
    let (pia, namespace) = ("approvals/prod/00000001.json", "xtask-approval-prod");
    let said = "is not signed by pia, as your list of allowed signers knows them";
    folder.with(pia, &folder.forged(pia, namespace, &stranger, |_| {}), said);
    // With a key that the statement names, and in the folder's own list, too.
    let own = folder.root.join("allowed_signers");
    let list = fs::read_to_string(&own).unwrap();
    let line = format!("pia namespaces=\"{namespace}\" {}\n", stranger.public_key().to_openssh().unwrap());
    fs::write(&own, format!("{list}{line}")).unwrap();
    let fingerprint = stranger.public_key().fingerprint(HashAlg::Sha256).to_string();
    let named = |value: &mut Value| value["event"]["statement"]["key"] = fingerprint.clone().into();
    folder.with(pia, &folder.forged(pia, namespace, &stranger, named), said);
    // In the name of somebody whom nobody knows.
    let mallory = |value: &mut Value| value["event"]["statement"]["person"] = "mallory".into();
    folder.with(pia, &folder.forged(pia, namespace, &stranger, mallory), "is not signed by mallory");
    // By a person who could, about something else.
    folder.with(pia, &fs::read(folder.root.join("approvals/uat/00000001.json")).unwrap(), "is not signed by quinn");
}

#[test]
fn whatever_else_is_exchanged_is_found() {
    let folder = Folder::new("v1.1.1");
    let stranger = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
    let entry = "ledger/environments/prod/00000003.json";
    folder.with(entry, &folder.forged(entry, "xtask-ledger", &stranger, |_| {}), "is not signed by deployer-prod");
    let mut manifest = folder.json("box/manifest.json");
    manifest["changes"] = serde_json::json!([]);
    folder.with("box/manifest.json", &canonical::to_vec(&manifest).unwrap(), "is about other bytes than the box");
    folder.with(
        "box/alpha.zip",
        &fs::read(folder.root.join("box/beta.zip")).unwrap(),
        "is not what its manifest seals",
    );
    folder.with("smoke.json", b"[]", "smoke.json");
    folder.with("commits.json", b"[]", "commits.json");
    let report = tree(&folder.root.join("evidence")).into_keys().next().unwrap();
    let report = format!("evidence/{report}");
    let mut piece = folder.json(&report);
    piece["content"] = "<testsuite/>".into();
    folder.with(&report, &canonical::to_vec(&piece).unwrap(), "the report in");
    // What is left out: an approval that counted, and one that was taken back.
    let aside = folder.root.join("../aside");
    for (name, said) in [
        ("approvals/prod/00000002.json", "too few different people approved"),
        ("approvals/uat/00000002.json", "what approvals"),
        ("ledger/environments/qa/00000010.json", "it was not verified in qa"),
    ] {
        fs::rename(folder.root.join(name), &aside).unwrap();
        folder.fails(&format!("{name} left out"), if name.contains("uat") { "WRONG" } else { said });
        fs::rename(&aside, folder.root.join(name)).unwrap();
    }
}

/// What lies among the decisions and is none: in the folder it is apart and named, and the page proves that it is nothing.
#[test]
fn junk_is_in_the_folder_and_counts_for_nothing() {
    let vault = Vault::new();
    let uat = "approvals/v1.1.1/uat";
    let first = vault.read(&format!("{uat}/00000001.json"));
    let mut unsigned: Value = serde_json::from_slice(&first).unwrap();
    unsigned["signature"] = "none".into();
    unsigned["number"] = 6.into();
    let long = format!("{uat}/{}", "n".repeat(200));
    let put: [(&str, &[u8]); 8] = [
        (&format!("{uat}/00000004.json"), b"junk"),
        (&format!("{uat}/00000005.json"), &first),
        (&format!("{uat}/00000006.json"), &canonical::to_vec(&unsigned).unwrap()),
        (&format!("{uat}/00000007.json"), &vault.read("environments/uat/00000001.json")),
        (&format!("{uat}/00000099.json"), b""),
        ("approvals/v1.1.1/mars/00000001.json", &first),
        ("approvals/v1.1.1/readme.txt", b"{} {}"),
        (&long, b"[1]"),
    ];
    for (name, bytes) in put {
        vault.write(name, bytes);
    }
    // A decision after all of it links to the bytes that lie there; nobody else's key makes one.
    let key = |who: &str| xtask::adapters::ssh::open(&vault.key(who), &std::collections::BTreeMap::new()).unwrap();
    for (number, who) in [(8, "quinn"), (9, "mallory")] {
        let chain: ChainName = uat.parse().unwrap();
        let record: Record<ApprovalEvent> = Record::decode(&first).unwrap();
        let draft = ledger::Draft {
            release: record.entry.release,
            manifest: record.entry.manifest,
            event: record.entry.event.clone(),
        };
        let key = key(who);
        super::wait(ledger::append_signed(&vault.context, &chain, Some(&*key), |_| Ok(draft.clone()))).unwrap();
        assert!(vault.path(&format!("{uat}/{number:08}.json")).exists());
    }
    let ran = vault.project.xtask(&["audit", "pack", "v1.1.1", "--out", "there"]).expect(0);
    let folder = Folder::of(vault, "v1.1.1", 0);
    let ran = ran.says("is not signed by quinn: ").says("is in no chain of decisions about a sealed release");
    assert_eq!(ran.stdout.matches("\nfinding: approvals/v1.1.1/").count(), 9, "{ran:?}");
    let findings = folder.json("findings.json");
    let named: Vec<_> =
        findings.as_array().unwrap().iter().map(|finding| finding["object"].as_str().unwrap()).collect();
    let ninth = format!("{uat}/00000009.json");
    for name in put.iter().map(|(name, _)| *name).chain([&*ninth]) {
        assert!(named.contains(&name), "{name} in {named:?}");
    }
    let ran = folder.verify(&folder.tools.clone().into_string()).expect(0);
    assert_eq!(ran.stdout.matches("FINDING: ").count(), 9, "{ran:?}");
    // Whoever puts a decision apart, or another thing into its place, is found.
    let of = |name: &str| {
        let all = findings.as_array().unwrap();
        all.iter().find(|finding| finding["object"] == name).unwrap()["file"].as_str().unwrap().to_owned()
    };
    let eighth = fs::read(folder.root.join("approvals/uat/00000008.json")).unwrap();
    folder.with(&of(&format!("{uat}/00000007.json")), b"other", "what approvals/uat/00000008.json follows");
    let text = serde_json::to_string(&findings).unwrap();
    let (from, to) = (format!("\"{uat}/00000009.json\""), format!("\"{uat}/00000008.json\""));
    fs::remove_file(folder.root.join("approvals/uat/00000008.json")).unwrap();
    fs::write(folder.root.join(of(&ninth)), &eighth).unwrap();
    folder.with(
        "findings.json",
        text.replacen(&from, &to, 1).as_bytes(),
        "00000008.json is signed by quinn, but counts for nothing",
    );
    folder.with("findings.json", b"[]", "findings.json does not name uncounted/0000000");
}

/// An object that was exchanged is no junk that somebody added: the folder is made and says so, and packing fails.
#[test]
fn what_was_exchanged_is_packed_and_fails() {
    let vault = Vault::new();
    vault.write("approvals/v1.1.1/uat/00000002.json", b"junk");
    let ran = vault.project.xtask(&["audit", "pack", "v1.1.1", "--out", "there"]).expect(5);
    let ran = ran.says("approvals/v1.1.1/uat/00000003.json does not follow the object before it");
    assert!(ran.stdout.contains("finding: approvals/v1.1.1/uat/00000002.json is not a ledger entry"), "{ran:?}");
    let folder = Folder::of(vault, "v1.1.1", 5);
    assert_eq!(folder.json("findings.json")[0]["file"], "approvals/uat/00000003.json");
    folder.fails("exchanged", "what approvals/uat/00000003.json follows");
}
