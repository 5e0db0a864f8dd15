//! Vaults with a long past: what the work of the audit, of a promotion and of a status grows with. In CI the past is short;
//! `SCALE=10000 cargo test -p xtask --test all audit::scale -- --nocapture` makes it long and prints what it took.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use camino::Utf8Path;
use xtask::{
    adapters::local::vault::LocalVault,
    context::Context,
    engine::{audit, ledger, status},
    model::{
        digest::Digest,
        entry::{ChainName, Writer},
        environment::EnvironmentEvent,
        key::VaultKey,
        names::EnvName,
        version::Version,
    },
    ports::{
        vault::{Body, Listed, Vault, VaultError},
        witness::{Head, Heads, Witness},
    },
};

use crate::support::{
    past::Past,
    people::STAFF,
    project::{Project, command},
    world::{promote_to, release},
};

/// How many releases the past has, where nobody asks for more.
const SHORT: u32 = 40;

fn releases() -> u32 {
    std::env::var("SCALE").map_or(SHORT, |text| text.parse().unwrap())
}

/// A vault that counts what it is asked for.
struct Counting {
    vault: LocalVault,
    reads: Arc<AtomicU64>,
    probes: Arc<AtomicU64>,
}

#[async_trait]
impl Vault for Counting {
    async fn create(&self, key: &VaultKey, body: Body<'_>) -> Result<(), VaultError> {
        self.vault.create(key, body).await
    }

    async fn read(&self, key: &VaultKey) -> Result<Option<Vec<u8>>, VaultError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.vault.read(key).await
    }

    async fn fetch(&self, key: &VaultKey, to: Option<&Utf8Path>) -> Result<Option<(Digest, u64)>, VaultError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.vault.fetch(key, to).await
    }

    async fn exists(&self, key: &VaultKey) -> Result<bool, VaultError> {
        self.probes.fetch_add(1, Ordering::Relaxed);
        self.vault.exists(key).await
    }

    async fn size(&self, key: &VaultKey) -> Result<Option<u64>, VaultError> {
        self.vault.size(key).await
    }

    async fn keep(&self, key: &VaultKey, writer: &Writer) -> Result<(), VaultError> {
        self.vault.keep(key, writer).await
    }

    async fn object_version(&self, key: &VaultKey) -> Result<Option<String>, VaultError> {
        self.vault.object_version(key).await
    }

    async fn list(&self, folder: Option<&VaultKey>) -> Result<Vec<Listed>, VaultError> {
        self.vault.list(folder).await
    }
}

/// Sees nothing and notes nothing.
struct Blind;

#[async_trait]
impl Witness for Blind {
    async fn heads(&self) -> anyhow::Result<Option<Heads>> {
        Ok(None)
    }

    async fn head(&self, _chain: &ChainName) -> anyhow::Result<Option<Head>> {
        Ok(None)
    }

    async fn note(&self, _chain: &ChainName, _head: Head) -> anyhow::Result<()> {
        Ok(())
    }
}

/// A context whose vault counts.
struct Counted {
    context: Context,
    reads: Arc<AtomicU64>,
    probes: Arc<AtomicU64>,
}

impl Counted {
    fn new(context: Context) -> Self {
        let (reads, probes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let vault = LocalVault::new(&context.local.join("vault"), &context.local.join("tmp"));
        let vault = Arc::new(Counting { vault, reads: Arc::clone(&reads), probes: Arc::clone(&probes) });
        Self { context: Context { vault, ..context }, reads, probes }
    }

    /// What was asked for since it was asked last: objects read, names looked for.
    fn taken(&self) -> (u64, u64) {
        (self.reads.swap(0, Ordering::Relaxed), self.probes.swap(0, Ordering::Relaxed))
    }
}

/// The audit of a long past: nothing to find, every object read once, and bounded memory.
#[tokio::test(flavor = "multi_thread")]
async fn an_audit_reads_every_object_once() {
    let project = Project::new();
    project.people(&STAFF, "");
    let (releases, began) = (releases(), Instant::now());
    let past = Past::write(&project, releases).await;
    eprintln!("{releases} releases written in {:?}: {} objects", began.elapsed(), past.objects);
    if releases <= SHORT {
        let counted = Counted::new(project.context());
        let audit = audit::run(&counted.context).await.unwrap();
        assert_eq!((audit.findings, audit.unwitnessed), (vec![], vec![]));
        assert_eq!((audit.objects as u64, audit.releases), (past.objects, releases as usize));
        assert_eq!(counted.taken(), (past.objects, 0));
    }
    // The peak is the kernel's own figure for the child, the same that /proc calls VmHWM.
    let measure = "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; \
                   print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(code)";
    let audit = command(project.root(), project.local(), &["audit", "verify", "--quiet"]);
    let mut measured = crate::support::project::scrubbed("python3", project.root());
    measured.args(["-c", measure]).arg(audit.get_program()).args(audit.get_args());
    let began = Instant::now();
    let ran = crate::support::project::Ran::of(measured.output().unwrap()).expect(0);
    let peak: u64 = ran.stderr.lines().last().unwrap().parse().unwrap();
    eprintln!("audit verify: {:?}, peak {} MiB: {}", began.elapsed(), peak / 1024, ran.stdout.trim());
    assert!(ran.stdout.contains(&format!("{releases} sealed releases: 0 findings")), "{ran:?}");
    // What is kept per release is small: names, numbers, and who wrote what.
    assert!(peak / 1024 < 48 + u64::from(releases) / 100, "{peak} KiB");
}

/// What one promotion and one status take, with so many releases before.
async fn taken(releases: u32) -> [(u64, u64); 2] {
    let project = Project::new();
    project.people(&STAFF, "");
    Past::write(&project, releases).await;
    project.improve("alpha", "new");
    project.commit("feat: new");
    let counted = Counted::new(project.context());
    let version: Version = release(&counted.context).await.unwrap().release;
    project.decide("quinn", &format!("approve uat {version}"), &[]).expect(0);
    counted.taken();
    let uat: EnvName = "uat".parse().unwrap();
    promote_to(&counted.context, &uat, version).await.unwrap();
    let promotion = counted.taken();
    status::release(&counted.context, version).await.unwrap();
    [promotion, counted.taken()]
}

#[tokio::test(flavor = "multi_thread")]
async fn work_does_not_grow_with_the_number_of_releases() {
    let (few, many) = (taken(10).await, taken(releases().max(200)).await);
    eprintln!(
        "objects read and names looked for by promote and status: {few:?} with 10 releases before, {many:?} with many"
    );
    for ((few, _), (many, _)) in few.iter().zip(&many) {
        assert_eq!(few, many, "objects read");
    }
    // The witness tells where to look, so that even these are equal.
    assert_eq!(few, many);
}

/// Without a witness the head is found by looking for names: two for each doubling at most.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_found_in_few_looks() {
    let project = Project::new();
    project.people(&STAFF, "");
    Past::write(&project, releases()).await;
    let counted = Counted::new(Context { witness: Arc::new(Blind), ..project.context() });
    for environment in ["dev", "prod"] {
        let chain = ChainName::Environment(environment.parse().unwrap());
        let head = ledger::head::<EnvironmentEvent>(&counted.context, &chain).await.unwrap().unwrap();
        let (reads, probes) = counted.taken();
        let doublings = 63 - head.entry.number.leading_zeros();
        eprintln!("entry {} found in {probes} looks", head.entry.number);
        assert!(reads == 1 && probes <= u64::from(2 * doublings), "{reads} {probes} {}", head.entry.number);
    }
}
