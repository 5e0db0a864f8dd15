//! OpenSSH's tools in a folder of their own, and the two verdicts on a signature: ours and theirs.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command, Output, Stdio},
};

use camino::{Utf8Path, Utf8PathBuf};
use ssh_key::PublicKey;
use tempfile::TempDir;
use xtask::model::{
    allowed_signers::{self, AllowedSigner, Validity},
    sshsig,
    time::Time,
};

/// A folder in which the tools run; it goes with the value.
pub(crate) struct Workshop {
    _folder: TempDir,
    root: Utf8PathBuf,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().canonicalize().unwrap()).unwrap();
        Self { _folder: folder, root }
    }

    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    /// Writes a file that only its owner reads.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(crate) fn run(&self, program: &str, args: &[&str], environment: &[(&str, &str)]) -> Output {
        Command::new(program)
            .args(args)
            .current_dir(&self.root)
            .env_remove("SSH_AUTH_SOCK")
            // Times without a zone would be five hours off.
            .env("TZ", "XST5")
            .env("HOME", &self.root)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("these tests need `{program}`: install openssh-client ({error})"))
    }

    /// Runs `ssh-keygen`, which must succeed.
    pub(crate) fn keygen(&self, args: &[&str]) {
        let output = self.run("ssh-keygen", args, &[]);
        assert!(output.status.success(), "ssh-keygen {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Makes a key pair of this kind without a passphrase; where the private half is.
    pub(crate) fn make_key(&self, name: &str, kind: &[&str]) -> Utf8PathBuf {
        self.keygen(&[&["-q", "-N", "", "-C", name, "-f", name, "-t"], kind].concat());
        self.path(name)
    }

    pub(crate) fn public(&self, name: &str) -> PublicKey {
        PublicKey::from_openssh(&fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap()).unwrap()
    }

    /// What `ssh-keygen -Y sign` makes.
    pub(crate) fn sign(&self, name: &str, namespace: &str, message: &[u8]) -> String {
        self.sign_with(name, namespace, message, "sha512")
    }

    /// The same over this digest of the message.
    pub(crate) fn sign_with(&self, name: &str, namespace: &str, message: &[u8], digest: &str) -> String {
        let path = self.write("signed-by-openssh", message);
        let signature = self.path("signed-by-openssh.sig");
        if signature.exists() {
            fs::remove_file(&signature).unwrap();
        }
        let option = format!("hashalg={digest}");
        self.keygen(&["-q", "-Y", "sign", "-O", &option, "-n", namespace, "-f", name, path.as_str()]);
        fs::read_to_string(signature).unwrap()
    }

    /// An agent that holds these keys.
    pub(crate) fn agent(&self, keys: &[&str], confirm: bool) -> Agent {
        // A killed agent leaves its socket behind, and the next one does not take its place.
        let n = fs::read_dir(&self.root).unwrap().count();
        let socket = self.path(&format!("agent{n}.sock"));
        let mut child = Command::new("ssh-agent")
            .args(["-D", "-a", socket.as_str()])
            // Whoever must be asked says no.
            .env("SSH_ASKPASS", "/bin/false")
            .env("SSH_ASKPASS_REQUIRE", "force")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need `ssh-agent`: install openssh-client");
        // It tells its socket once it listens.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let agent = Agent { child, socket };
        for key in keys {
            let args: &[&str] = if confirm { &["-q", "-c", key] } else { &["-q", key] };
            assert!(self.ssh_add(&agent, args).status.success(), "ssh-add {args:?}");
        }
        agent
    }

    /// Runs `ssh-add`; it gets the passphrase "word" if it asks for one.
    pub(crate) fn ssh_add(&self, agent: &Agent, args: &[&str]) -> Output {
        let script = self.write("askpass", "#!/bin/sh\necho word\n");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        let environment = [
            ("SSH_AUTH_SOCK", agent.socket.as_str()),
            ("SSH_ASKPASS", script.as_str()),
            ("SSH_ASKPASS_REQUIRE", "force"),
        ];
        self.run("ssh-add", args, &environment)
    }

    /// What `ssh-keygen -Y verify` says.
    pub(crate) fn openssh_accepts(&self, claim: &Claim) -> bool {
        let allowed = self.write("allowed_signers", allowed_signers::render(&claim.signers).unwrap());
        let signature = self.write("claim.sig", &claim.armour);
        let message = self.write("claim", &claim.message);
        let at = format!("verify-time={}", claim.at.timestamp().strftime("%Y%m%d%H%M%SZ"));
        let (principal, namespace) = (claim.principal.as_str(), claim.namespace.as_str());
        let args = ["-Y", "verify", "-f", allowed.as_str(), "-I", principal, "-n", namespace, "-s", signature.as_str()];
        let output = Command::new("ssh-keygen")
            .args(args)
            .args(["-O", &at])
            .env("TZ", "XST5")
            .stdin(fs::File::open(message).unwrap())
            .output()
            .unwrap();
        output.status.success()
    }
}

/// A running agent; it ends with the value.
pub(crate) struct Agent {
    child: Child,
    socket: Utf8PathBuf,
}

impl Agent {
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        socket(&self.socket)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// An environment that names this socket only.
pub(crate) fn socket(path: &Utf8Path) -> BTreeMap<String, String> {
    BTreeMap::from([("SSH_AUTH_SOCK".to_owned(), path.to_string())])
}

/// That this person signed this message in this namespace with a key that was valid at this time.
#[derive(Clone)]
pub(crate) struct Claim {
    pub(crate) armour: String,
    pub(crate) message: Vec<u8>,
    pub(crate) namespace: String,
    pub(crate) principal: String,
    pub(crate) at: Time,
    pub(crate) signers: Vec<AllowedSigner>,
}

impl Claim {
    /// By alice, whose key is valid in two namespaces in January 2026.
    pub(crate) fn new(armour: &str, message: &[u8], key: &PublicKey) -> Self {
        Self {
            armour: armour.to_owned(),
            message: message.to_owned(),
            namespace: NAMESPACES[0].to_owned(),
            principal: "alice".to_owned(),
            at: time("2026-01-15T12:00:00Z"),
            signers: vec![signer("alice", key)],
        }
    }

    /// What we say.
    pub(crate) fn is_accepted(&self) -> bool {
        let keys = allowed_signers::keys_at(&self.signers, &self.principal, &self.namespace, self.at);
        sshsig::verify(&self.armour, &self.message, &self.namespace, keys).is_ok()
    }
}

/// What the signers of these tests may sign in.
pub(crate) const NAMESPACES: [&str; 2] = ["xtask-approval-prod", "xtask-approval-uat"];

/// A line of the file: a key that is valid in January 2026.
pub(crate) fn signer(principal: &str, key: &PublicKey) -> AllowedSigner {
    let validity = Validity::new(Some(time("2026-01-01T00:00:00Z")), Some(time("2026-01-31T23:59:59Z"))).unwrap();
    AllowedSigner::new(principal, &NAMESPACES, validity, key).unwrap()
}

pub(crate) fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// The kinds of key that people have, as `ssh-keygen -t` takes them.
pub(crate) const KINDS: [(&str, &[&str]); 6] = [
    ("ed25519", &["ed25519"]),
    ("p256", &["ecdsa", "-b", "256"]),
    ("p384", &["ecdsa", "-b", "384"]),
    ("p521", &["ecdsa", "-b", "521"]),
    ("rsa2048", &["rsa", "-b", "2048"]),
    ("rsa3072", &["rsa", "-b", "3072"]),
];
