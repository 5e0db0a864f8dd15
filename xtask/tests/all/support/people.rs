//! People who decide: each has a key of their own, which lies beside the work tree, and an address `<id>@example.com`.
//! Ada is the one whom git knows, so what is committed here is hers, and so is what is released.

use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt as _};

use camino::Utf8PathBuf;
use ssh_key::{Algorithm, LineEnding, PrivateKey, rand_core::OsRng};

use crate::support::project::{Project, Ran};

/// A person: an id, the roles, and what else `people.toml` says of the key.
pub(crate) type Person<'a> = (&'a str, &'a [&'a str], &'a str);

/// One person for each role that the fixture's gates ask for.
pub(crate) const STAFF: [Person<'_>; 3] =
    [("quinn", &["qa-lead"], ""), ("pia", &["product-owner"], ""), ("max", &["manager"], "")];

impl Project {
    /// Writes `people.toml`; `more` goes to its end. It holds as soon as it is applied.
    pub(crate) fn people(&self, people: &[Person<'_>], more: &str) {
        let mut text = "schema = 1\n".to_owned();
        for (id, roles, of_key) in people {
            let key = fs::read_to_string(self.key(id).with_extension("pub")).unwrap();
            writeln!(text, "[people.{id}]\nname = \"{id}\"\nroles = {roles:?}").unwrap();
            writeln!(text, "emails = [\"{id}@example.com\"]\nkeys = [{{ key = \"{key}\"{of_key} }}]").unwrap();
        }
        self.repo().write("people.toml", &format!("{text}{more}"));
    }

    /// The same, and puts it in force.
    pub(crate) fn staff(&self, people: &[Person<'_>], more: &str) {
        self.people(people, more);
        self.xtask(&["policy", "apply"]).expect(0);
    }

    /// The private key of whoever has this name; made when it is first asked for.
    pub(crate) fn key(&self, id: &str) -> Utf8PathBuf {
        let path = self.repo().beside("people").join(id);
        if !path.exists() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
            fs::write(path.with_extension("pub"), key.public_key().to_openssh().unwrap()).unwrap();
            fs::write(&path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        path
    }

    /// Runs `approve`, `reject` or `revoke` as somebody: `decide("pia", "approve prod v1.0.0", &[])`.
    pub(crate) fn decide(&self, who: &str, what: &str, more: &[&str]) -> Ran {
        let [verdict, to, release] = what.split(' ').collect::<Vec<_>>()[..] else { panic!("{what}?") };
        let key = self.key(who);
        self.xtask(&[&[verdict, "--to", to, "--release", release, "--key", key.as_str()], more].concat())
    }
}
