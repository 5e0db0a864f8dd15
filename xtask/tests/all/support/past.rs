//! A long past: so many releases, each of which went through every environment with its approvals, written as the toolchain
//! itself would have written them, without a build, a fleet or a wait for the disk.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use camino::Utf8PathBuf;
use p256::ecdsa::signature::Signer;
use ssh_key::{HashAlg, LineEnding, PrivateKey, Signature, private::KeypairData};
use xtask::{
    config::people,
    context::Context,
    model::{
        approval::{ApprovalEvent, Statement},
        canonical,
        commit::CommitId,
        digest::Digest,
        dsse::{self, Envelope},
        entry::{ChainName, Entry, Event, Record},
        environment::{AliasMove, Deployed, EnvironmentEvent},
        manifest::{Change, Function, MANIFEST, Manifest, Object, PreviousRelease, SUMS, Toolchain, box_key},
        policy::PolicyEvent,
        provenance::{Origin, PAYLOAD_TYPE, PROVENANCE, statement},
        releases::ReleaseEvent,
        time::Time,
        version::Version,
    },
    ports::{fleet::FleetVersion, witness::Heads},
};

use crate::support::project::{FUNCTIONS, Project};

/// What was written.
pub(crate) struct Past {
    /// Objects in the vault.
    pub(crate) objects: u64,
}

/// From one release to the next.
const PACE: Duration = Duration::from_secs(30 * 60);
/// When it begins.
const BEGIN: &str = "2020-01-01T00:00:00Z";
/// Each environment, and how many minutes after its release it is entered.
const WAY: [(&str, u64); 5] = [("dev", 2), ("qa", 6), ("uat", 11), ("prod", 18), ("dr", 24)];
/// Who approves what, and how many minutes after the release.
const APPROVALS: [(&str, &str, &str, u64); 3] =
    [("quinn", "qa-lead", "uat", 9), ("pia", "product-owner", "prod", 14), ("max", "manager", "prod", 15)];

impl Past {
    /// Writes it into the empty vault of a project whose people are known.
    pub(crate) async fn write(project: &Project, releases: u32) -> Self {
        let context = project.context();
        for chain in
            ["releases", "policy"].into_iter().map(str::to_owned).chain(WAY.map(|(e, _)| format!("environments/{e}")))
        {
            let writer = chain.parse::<ChainName>().unwrap().writer();
            context.signer.sign(&writer, "none", b"", true).await.unwrap();
        }
        let desk = Desk {
            people: APPROVALS.iter().map(|(who, ..)| (*who, person(project, who))).collect(),
            vault: context.local.join("vault"),
            commit: project.repo().head(),
            context: &context,
            objects: AtomicU64::new(0),
            heads: Mutex::new(Heads::new()),
        };
        desk.policy();
        let manifests = desk.manifests(releases);
        std::thread::scope(|scope| {
            scope.spawn(|| desk.releases(&manifests));
            for (environment, after) in WAY {
                let (desk, manifests) = (&desk, &manifests);
                scope.spawn(move || desk.environment(environment, after, manifests));
            }
            scope.spawn(|| desk.approvals(&manifests));
        });
        let heads = desk.heads.into_inner().unwrap();
        fs::write(context.local.join("witness.json"), canonical::to_vec(&heads).unwrap()).unwrap();
        Self { objects: desk.objects.into_inner() }
    }
}

fn toolchain() -> Toolchain {
    let none = || "none".to_owned();
    Toolchain { rustc: none(), cargo: none(), host: none(), target: none(), profile: none(), zig: None }
}

/// Each release, its identity, and when it was made.
type Manifests = Vec<(Version, Digest, Time)>;

struct Desk<'a> {
    people: BTreeMap<&'static str, PrivateKey>,
    vault: Utf8PathBuf,
    commit: CommitId,
    context: &'a Context,
    objects: AtomicU64,
    heads: Mutex<Heads>,
}

impl Desk<'_> {
    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.vault.join(name);
        if fs::write(&path, bytes).is_err() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
        }
        self.objects.fetch_add(1, Ordering::Relaxed);
    }

    fn key(&self, writer: &str) -> PrivateKey {
        PrivateKey::from_openssh(fs::read(self.context.local.join("keys").join(writer)).unwrap()).unwrap()
    }

    fn chain<E: Event>(&self, chain: &str) -> Chain<'_, E> {
        let chain: ChainName = chain.parse().unwrap();
        let key = match &chain {
            ChainName::Approvals { .. } => None,
            chain => Some(self.key(&chain.writer().to_string())),
        };
        Chain { desk: self, chain, key, last: None }
    }

    fn policy(&self) {
        let environments: Vec<_> = self.context.config.path.iter().map(|stop| stop.environment.clone()).collect();
        let people = people::read(&self.context.root.join("people.toml"), &environments, true).unwrap();
        let gates = self.context.config.path.iter().map(|stop| (stop.environment.clone(), stop.gate.clone()));
        let applied = PolicyEvent::Applied { people, gates: gates.collect() };
        self.chain("policy").append(begin(), None, None, None, applied);
    }

    /// Every box, written; each manifest names the one before.
    fn manifests(&self, releases: u32) -> Manifests {
        let mut manifests: Manifests = Vec::new();
        let releaser = self.key("releaser");
        for number in 0..releases {
            let release = Version { major: 1, minor: 0, patch: number.into() };
            let mut objects = BTreeMap::new();
            let mut put = |name: &str, bytes: &[u8]| {
                self.write(&format!("{release}/{name}"), bytes);
                objects.insert(name.to_owned(), Object { sha256: Digest::of(bytes), size: bytes.len() as u64 });
            };
            let artifact = |function: &str| format!("{function} of {release} ").repeat(40);
            FUNCTIONS.iter().for_each(|function| put(&format!("{function}.zip"), artifact(function).as_bytes()));
            put(PROVENANCE, self.provenance(release, &releaser, artifact).as_bytes());
            put(SUMS, format!("sums of {release}\n").as_bytes());
            let previous = manifests
                .last()
                .map(|(release, manifest, _)| PreviousRelease { release: *release, manifest: *manifest });
            let manifest = self.manifest(release, objects, previous);
            let bytes = canonical::to_vec(&manifest).unwrap();
            self.write(box_key(release, MANIFEST).unwrap().as_str(), &bytes);
            manifests.push((release, Digest::of(&bytes), begin().after(PACE * (number + 1))));
        }
        manifests
    }

    /// An envelope for each artifact, as the releaser signs them.
    fn provenance(&self, release: Version, releaser: &PrivateKey, artifact: impl Fn(&str) -> String) -> String {
        let toolchain = toolchain();
        let origin = Origin {
            release,
            commit: self.commit,
            repository: None,
            toolchain: &toolchain,
            lockfile: Digest::of(b""),
            tool: "xtask 0.0.0",
            run: None,
        };
        let KeypairData::Ed25519(pair) = releaser.key_data() else { unreachable!("the keys here are ed25519") };
        let line = |function: &&str| {
            let sha256 = Digest::of(artifact(function).as_bytes());
            let statement = statement(&origin, &function.parse().unwrap(), sha256, Digest::of(b"bill")).unwrap();
            let signature: Signature = Signer::sign(pair, &dsse::pae(PAYLOAD_TYPE, &statement));
            let envelope = Envelope::new(PAYLOAD_TYPE, &statement, signature.as_bytes(), releaser.public_key());
            String::from_utf8(canonical::to_vec(&envelope).unwrap()).unwrap() + "\n"
        };
        FUNCTIONS.iter().map(line).collect()
    }

    fn manifest(
        &self,
        release: Version,
        objects: BTreeMap<String, Object>,
        previous: Option<PreviousRelease>,
    ) -> Manifest {
        let function = |name: &&str| {
            let (configuration, smoke) = (BTreeMap::new(), BTreeMap::new());
            (name.parse().unwrap(), Function { artifact: format!("{name}.zip"), configuration, smoke })
        };
        let change = Change {
            commit: self.commit,
            subject: format!("feat: what {release} brings"),
            authors: vec!["ada@example.com".to_owned(), "grace@example.com".to_owned()],
            merge: false,
        };
        Manifest {
            schema: 1,
            release,
            commit: self.commit,
            previous,
            toolchain: toolchain(),
            lockfile: Digest::of(b""),
            dependencies: BTreeMap::new(),
            objects,
            functions: FUNCTIONS.iter().map(function).collect(),
            layers: BTreeMap::new(),
            path: self.context.config.path.clone(),
            changes: vec![change; 3],
        }
    }

    fn releases(&self, manifests: &Manifests) {
        let mut chain = self.chain("releases");
        for (release, manifest, time) in manifests {
            let (machine, commit) = (self.context.machine.clone(), self.commit);
            let email = Some("ada@example.com".to_owned());
            let reserved = ReleaseEvent::Reserved { commit, machine, expires: *time, email };
            chain.append(*time, Some(*release), None, None, reserved);
            let sealed = ReleaseEvent::Sealed { versions: BTreeMap::new() };
            chain.append(*time, Some(*release), Some(*manifest), None, sealed);
        }
        chain.end();
    }

    fn environment(&self, environment: &str, after: u64, manifests: &Manifests) {
        let mut chain = self.chain(&format!("environments/{environment}"));
        for (number, (release, manifest, time)) in (1_u64..).zip(manifests) {
            let time = time.after(Duration::from_secs(60 * after));
            for event in promotion(environment, number, &self.context.machine, time) {
                chain.append(time, Some(*release), Some(*manifest), None, event);
            }
        }
        chain.end();
    }

    fn approvals(&self, manifests: &Manifests) {
        for (release, manifest, time) in manifests {
            for to in ["uat", "prod"] {
                let mut chain = self.chain(&format!("approvals/{release}/{to}"));
                for (who, role, _, after) in APPROVALS.iter().filter(|(_, _, environment, _)| *environment == to) {
                    let (key, time) = (&self.people[who], time.after(Duration::from_secs(60 * after)));
                    let statement = Statement {
                        environment: to.parse().unwrap(),
                        person: who.parse().unwrap(),
                        role: role.parse().unwrap(),
                        expires: time.after(Duration::from_secs(24 * 3600)),
                        comment: None,
                        key: key.public_key().fingerprint(HashAlg::Sha256).to_string(),
                    };
                    let approved = ApprovalEvent::Approved { statement };
                    chain.append(time, Some(*release), Some(*manifest), Some(key), approved);
                }
                chain.end();
            }
        }
    }
}

fn person(project: &Project, who: &str) -> PrivateKey {
    PrivateKey::from_openssh(fs::read(project.key(who)).unwrap()).unwrap()
}

fn begin() -> Time {
    BEGIN.parse().unwrap()
}

/// One way into an environment.
fn promotion(environment: &str, number: u64, machine: &str, time: Time) -> Vec<EnvironmentEvent> {
    let name = |function: &str| format!("{function}-{environment}").parse().unwrap();
    let deployed = |function: &&str| {
        let (code, variables) = (Digest::of(function.as_bytes()), Digest::of(b"variables"));
        let version = FleetVersion(number);
        (function.parse().unwrap(), Deployed { name: name(function), version, code, variables, object_version: None })
    };
    let step = |function: &&str| AliasMove {
        function: function.parse().unwrap(),
        name: name(function),
        alias: "live".parse().unwrap(),
        from: (number > 1).then(|| FleetVersion(number - 1)),
        to: Some(FleetVersion(number)),
    };
    let (machine, expires) = (machine.to_owned(), time.after(PACE));
    let mut events = vec![
        EnvironmentEvent::Claimed { machine, expires, took_over: None, rollback: None },
        EnvironmentEvent::Staged { functions: FUNCTIONS.iter().map(deployed).collect() },
        EnvironmentEvent::Shifting {
            moves: FUNCTIONS.iter().map(step).collect(),
            smoke: Vec::new(),
            canary: None,
            known: None,
        },
        EnvironmentEvent::Shifted,
        EnvironmentEvent::Verified { smoke: Vec::new() },
    ];
    if environment == "dr" {
        events.push(EnvironmentEvent::Synced { lag_s: 360 });
    }
    events
}

/// A chain while it is written.
struct Chain<'a, E: Event> {
    desk: &'a Desk<'a>,
    chain: ChainName,
    key: Option<PrivateKey>,
    last: Option<Record<E>>,
}

impl<E: Event> Chain<'_, E> {
    fn append(
        &mut self,
        time: Time,
        release: Option<Version>,
        manifest: Option<Digest>,
        person: Option<&PrivateKey>,
        event: E,
    ) {
        let before = self.last.as_ref().map(|last| last.entry.state.clone()).unwrap_or_default();
        let mut entry = Entry {
            schema: 1,
            chain: self.chain.clone(),
            number: self.last.as_ref().map_or(1, |last| last.entry.number + 1),
            previous: self.last.as_ref().map(|last| last.digest),
            time,
            actor: self.desk.context.actor.clone(),
            writer: self.chain.writer(),
            tool: self.desk.context.tool.clone(),
            release,
            manifest,
            event,
            state: before.clone(),
        };
        entry.state = entry.event.advance(&before, &entry.about());
        let key = person.or(self.key.as_ref()).unwrap();
        let signed = canonical::to_vec(&entry).unwrap();
        let signature = key.sign(&self.chain.namespace(), HashAlg::Sha512, &signed).unwrap();
        let signature = signature.to_pem(LineEnding::LF).unwrap();
        let bytes = Record::encode(&entry, &signature).unwrap();
        self.desk.write(self.chain.key(entry.number).unwrap().as_str(), &bytes);
        self.last = Some(Record { entry, signature, digest: Digest::of(&bytes) });
        if matches!(self.chain, ChainName::Policy) {
            self.end();
        }
    }

    /// Has the last entry witnessed.
    fn end(&self) {
        let Some(last) = &self.last else { return };
        let head = xtask::ports::witness::Head { number: last.entry.number, sha256: last.digest };
        self.desk.heads.lock().unwrap().insert(self.chain.clone(), head);
    }
}
