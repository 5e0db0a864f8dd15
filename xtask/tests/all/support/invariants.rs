//! What must hold after any command, whatever the world did meanwhile: every invariant of the design that shows from
//! outside. And how things stand, to compare an end with another.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use xtask::{
    context::Context,
    engine::{
        audit,
        facts::{self, Standing},
        ledger,
    },
    model::{
        digest::Digest,
        entry::{ChainName, Event, Record},
        environment::{EnvironmentEvent, EnvironmentState, Phase},
        manifest::{MANIFEST, SUMS},
        names::EnvName,
        provenance::PROVENANCE,
        releases::ReleaseEvent,
        version::Version,
    },
    ports::fleet::{Fleet as _, FleetVersion},
};

use crate::support::project::tree;

/// Both vaults as they were at the last look: what was there must still be there.
pub(crate) struct Witnessed {
    vaults: BTreeMap<&'static str, BTreeMap<String, Vec<u8>>>,
}

/// The folders of the two vaults below the local state.
const VAULTS: [&str; 2] = ["vault", "dr/vault"];

impl Witnessed {
    /// As they are now.
    pub(crate) fn new(local: &Utf8Path) -> Self {
        Self { vaults: VAULTS.map(|vault| (vault, tree(&local.join(vault)))).into() }
    }

    /// Everything that does not hold now. The context must be of a healthy world.
    pub(crate) async fn broken(&mut self, context: &Context) -> Vec<String> {
        let mut broken = Vec::new();
        for (region, at) in [("", context.clone()), ("dr: ", context.at_recovery())] {
            match audit::run(&at).await {
                Ok(audit) => {
                    let findings = audit.findings.iter();
                    broken.extend(findings.map(|finding| format!("{region}audit: {finding:?}")));
                }
                Err(error) => broken.push(format!("{region}audit: {error:#}")),
            }
            match ledger::heads(&at).await {
                Ok(heads) => broken.extend(witness_ahead(&context.local, region, heads.unwrap_or_default())),
                Err(error) => broken.push(format!("{region}witness: {error:#}")),
            }
        }
        broken.extend(self.written_once(&context.local));
        broken.extend(mirror(&context.local));
        match chains(context).await {
            Ok(found) => broken.extend(found),
            Err(error) => broken.push(format!("cannot be read: {error:#}")),
        }
        broken
    }

    /// Invariant 1: nothing vanished or changed, nothing can be written to, nothing is half made.
    fn written_once(&mut self, local: &Utf8Path) -> Vec<String> {
        let mut broken = Vec::new();
        for (vault, before) in &mut self.vaults {
            let now = tree(&local.join(vault));
            let touched = before.iter().filter(|(name, bytes)| now.get(*name) != Some(bytes));
            broken.extend(touched.map(|(name, _)| format!("{vault}/{name} was changed or removed")));
            for name in now.keys().filter(|name| !before.contains_key(*name)) {
                let mode = fs::metadata(local.join(vault).join(name)).unwrap().permissions().mode();
                if mode & 0o222 != 0 {
                    broken.push(format!("{vault}/{name} can be written to: {mode:o}"));
                }
                if ![".json", ".jsonl", ".zip", "SHA256SUMS"].iter().any(|end| name.ends_with(end)) {
                    broken.push(format!("{vault}/{name} is no object of a vault"));
                }
            }
            for (name, sums) in now.iter().filter(|(name, _)| name.ends_with("/SHA256SUMS")) {
                broken.extend(
                    sums_differ(&now, name, sums).map(|object| format!("{vault}/{object} is not what {name} says")),
                );
            }
            *before = now;
        }
        broken
    }
}

/// The objects that are not what the box's own sums say. Of a box under way some are not there yet.
fn sums_differ<'a>(
    vault: &'a BTreeMap<String, Vec<u8>>,
    name: &'a str,
    sums: &'a [u8],
) -> impl Iterator<Item = String> + 'a {
    let folder = name.strip_suffix("SHA256SUMS").unwrap();
    std::str::from_utf8(sums).unwrap().lines().filter_map(move |line| {
        let (sum, object) = line.split_once("  ").unwrap();
        let object = format!("{folder}{object}");
        vault.get(&object).is_some_and(|bytes| Digest::of(bytes).hex() != sum).then_some(object)
    })
}

/// The vault may be ahead of the witness, never behind.
fn witness_ahead(local: &Utf8Path, region: &str, heads: xtask::ports::witness::Heads) -> Vec<String> {
    let vault = local.join(if region.is_empty() { "vault" } else { "dr/vault" });
    let ahead = heads.iter().filter(|(chain, head)| {
        let entry = fs::read(vault.join(chain.key(head.number).unwrap().as_str()));
        entry.map(|bytes| Digest::of(&bytes)).ok() != Some(head.sha256)
    });
    ahead
        .map(|(chain, head)| format!("{region}the witness saw entry {} of {chain}, which is not there", head.number))
        .collect()
}

/// The second vault holds nothing but what the first has, and its own chain, which the first repeats.
fn mirror(local: &Utf8Path) -> Vec<String> {
    let [here, there] = VAULTS.map(|vault| tree(&local.join(vault)));
    let own = |name: &str| name.starts_with("environments/dr/");
    let other = |a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>, mirrored: &dyn Fn(&str) -> bool| {
        let differs = a.iter().filter(|(name, bytes)| mirrored(name) && b.get(*name) != Some(bytes));
        differs.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let foreign =
        other(&there, &here, &|name| !own(name)).into_iter().map(|name| format!("only the mirror has {name}"));
    let told = other(&here, &there, &own).into_iter().map(|name| format!("the second region does not have {name}"));
    foreign.chain(told).collect()
}

async fn chains(context: &Context) -> anyhow::Result<Vec<String>> {
    let mut broken = Vec::new();
    let mut open = 0_i32;
    for record in records::<ReleaseEvent>(context, &ChainName::Releases).await? {
        open += if matches!(record.entry.event, ReleaseEvent::Reserved { .. }) { 1 } else { -1 };
        if !(0..=1).contains(&open) {
            broken.push(format!("{open} open reservations at entry {}", record.entry.number));
        }
    }
    for stop in &context.config.path {
        let at = if stop.recovery { context.at_recovery() } else { context.clone() };
        let state = ledger::head::<EnvironmentEvent>(&at, &ChainName::Environment(stop.environment.clone())).await?;
        let state = state.map(|record| record.entry.state).unwrap_or_default();
        let environment = Looked { context: &at, environment: &stop.environment, state: &state };
        broken.extend(environment.settled());
        broken.extend(environment.live().await?);
        broken.extend(environment.aliases().await?);
    }
    Ok(broken)
}

/// One environment, and what the head of its chain says.
struct Looked<'a> {
    context: &'a Context,
    environment: &'a EnvName,
    state: &'a EnvironmentState,
}

impl Looked<'_> {
    /// A promotion that is closed leaves nothing behind.
    fn settled(&self) -> Vec<String> {
        let Self { environment, state, .. } = self;
        let begun = [
            (state.holder.is_some(), "a holder"),
            (!state.staged.is_empty(), "staged versions"),
            (!state.moves.is_empty(), "moves"),
            (state.rollback.is_some(), "a rollback"),
            (state.finding.is_some(), "a finding"),
            (state.live.as_ref().is_some_and(|live| !live.verified), "a live release that was never verified"),
        ];
        let closed = state.phase == Phase::Closed;
        let left = begun.iter().filter(|(there, _)| closed && *there);
        left.map(|(_, what)| format!("{environment} is closed and has {what}")).collect()
    }

    /// What is live came by the whole way, and did not die here.
    async fn live(&self) -> anyhow::Result<Vec<String>> {
        let (Some(live), environment) = (&self.state.live, self.environment) else { return Ok(Vec::new()) };
        let mut broken = Vec::new();
        let (manifest, _) = facts::manifest(self.context, live.release).await?;
        if let Some(before) = manifest.stop_before(environment) {
            let chain = ChainName::Environment(before.environment.clone());
            let proven = records::<EnvironmentEvent>(self.context, &chain).await?.into_iter().any(|record| {
                record.entry.release == Some(live.release)
                    && matches!(record.entry.event, EnvironmentEvent::Verified { .. })
            });
            if !proven {
                broken.push(format!("{} is live in {environment} and never was verified before it", live.release));
            }
        }
        let standing = facts::standing(self.context, environment, live.release).await?;
        if self.state.phase == Phase::Closed && standing != Standing::Verified {
            broken.push(format!("{} is live in {environment}, where it is {standing:?}", live.release));
        }
        Ok(broken)
    }

    /// Every alias points to what the chain says is live; while one is open, to an end of a recorded move.
    async fn aliases(&self) -> anyhow::Result<Vec<String>> {
        let Self { context, environment, state } = self;
        let mut broken = Vec::new();
        for function in context.config.functions.keys() {
            let name = context.config.fleet_name(environment, function)?;
            let alias = context.fleet(environment)?.alias(&name, &context.config.alias).await?;
            let live = state.live.as_ref().and_then(|live| live.functions.get(function));
            let mut allowed: BTreeSet<Option<FleetVersion>> = [live.map(|deployed| deployed.version)].into();
            for step in state.moves.iter().filter(|step| &step.function == function) {
                allowed.extend([step.from, step.to]);
            }
            let found = alias.as_ref().map(|alias| alias.target.version);
            if !allowed.contains(&found) {
                broken.push(format!("live of {name} is at {found:?}, and not at one of {allowed:?}"));
            }
            if state.phase == Phase::Closed && alias.as_ref().is_some_and(|alias| alias.target.canary.is_some()) {
                broken.push(format!("a canary of {name} was left"));
            }
            let (Some(deployed), Some(found)) = (live, found) else { continue };
            let code = context.fleet(environment)?.version(&name, found).await?.map(|version| version.code);
            if found == deployed.version && code != Some(deployed.code) {
                broken.push(format!("live of {name} has {code:?}, and not {}", deployed.code));
            }
        }
        Ok(broken)
    }
}

/// All entries of a chain.
pub(crate) async fn records<E: Event>(context: &Context, chain: &ChainName) -> anyhow::Result<Vec<Record<E>>> {
    let mut records = Vec::new();
    let mut here = ledger::head::<E>(context, chain).await?;
    while let Some(record) = here {
        here = ledger::before(context, chain, &record).await?;
        records.push(record);
    }
    records.reverse();
    Ok(records)
}

/// How things stand in the end: equal to an undisturbed run's in everything but times and the fleet's version numbers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// What is live where, its code, and whether it is verified, pinned, synchronised.
    pub(crate) live: BTreeMap<String, String>,
    /// The boxes' objects in both vaults, and the decisions that are there.
    pub(crate) boxes: BTreeMap<String, Option<Digest>>,
    /// The last entry of each chain that each witness saw.
    pub(crate) seen: BTreeMap<String, u64>,
    /// What happened: each chain's events, each with its release.
    pub(crate) story: BTreeMap<String, Vec<String>>,
}

impl End {
    /// As it is now.
    pub(crate) async fn of(context: &Context) -> anyhow::Result<Self> {
        let (mut live, mut story, mut seen) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (region, at) in [("", context.clone()), ("dr: ", context.at_recovery())] {
            let kinds = kinds::<ReleaseEvent>(&at, &ChainName::Releases).await?;
            story.insert(format!("{region}releases"), kinds);
            let heads = ledger::heads(&at).await?.unwrap_or_default();
            seen.extend(heads.iter().map(|(chain, head)| (format!("{region}{chain}"), head.number)));
            for stop in &context.config.path {
                let chain = ChainName::Environment(stop.environment.clone());
                story.insert(format!("{region}{chain}"), kinds_of(records::<EnvironmentEvent>(&at, &chain).await?));
                let state = ledger::head::<EnvironmentEvent>(&at, &chain).await?.map(|record| record.entry.state);
                let Some(state) = state else { continue };
                let pin = state.pin.map(|release| release.to_string());
                let now = state.live.map(|live| (live.release.to_string(), live.verified, live.synced.is_some()));
                live.insert(format!("{region}{chain}"), format!("{now:?} {pin:?} {:?}", state.phase));
            }
        }
        for stop in &context.config.path {
            for function in context.config.functions.keys() {
                let name = context.config.fleet_name(&stop.environment, function)?;
                let fleet = context.fleet(&stop.environment)?;
                let Some(alias) = fleet.alias(&name, &context.config.alias).await? else { continue };
                let code = fleet.version(&name, alias.target.version).await?.map(|version| version.code);
                live.insert(name.to_string(), format!("{code:?} {:?}", alias.target.canary));
            }
        }
        Ok(Self { live, boxes: boxes(&context.local), seen, story })
    }

    /// The same end, and, where nothing was retaken or given up on the way, by the same steps.
    pub(crate) fn is_as(&self, undisturbed: &Self) -> bool {
        let detour = |chain: &Vec<String>| chain.iter().any(|kind| kind.starts_with("abandoned"));
        let chains = self.story.iter().all(|(name, chain)| {
            let mut once = chain.clone();
            // Whoever goes on looks for reviews again: somebody may have rejected it since.
            once.dedup_by(|one, before| one == before && one.starts_with("observed "));
            let again = (chain.len() - once.len()) as u64;
            let seen = self.seen.get(name).copied() == undisturbed.seen.get(name).map(|number| number + again);
            detour(chain) || (seen && undisturbed.story.get(name) == Some(&once))
        });
        (&self.live, &self.boxes) == (&undisturbed.live, &undisturbed.boxes) && chains
    }
}

/// Manifests tell the same commit and the same objects; nothing in them is of the hour.
fn boxes(local: &Utf8Path) -> BTreeMap<String, Option<Digest>> {
    let objects = VAULTS.iter().flat_map(|vault| {
        tree(&local.join(vault)).into_iter().map(move |(name, bytes)| (format!("{vault}/{name}"), bytes))
    });
    let kept = objects.filter_map(|(name, bytes)| {
        let decided = ["approvals", "evidence", "policy"].iter().any(|part| name.split('/').any(|own| own == *part));
        let of_box = name.split('/').any(|part| part.parse::<Version>().is_ok());
        // Decisions are of their hour: that they are there is what counts.
        if decided { Some((name, None)) } else { of_box.then(|| (name.clone(), Some(unsigned(&name, &bytes)))) }
    });
    kept.collect()
}

/// An object of a box without what depends on the releaser's key, which a first release makes: of the provenance what it
/// states, of the sums and the manifest all but its digest.
fn unsigned(name: &str, bytes: &[u8]) -> Digest {
    let file = name.rsplit('/').next().unwrap_or(name);
    // What is damaged counts as it is.
    let (Ok(text), true) = (std::str::from_utf8(bytes), [PROVENANCE, SUMS, MANIFEST].contains(&file)) else {
        return Digest::of(bytes);
    };
    let stated = match file {
        PROVENANCE => text.lines().map(|line| json(line)["payload"].to_string()).collect(),
        SUMS => text.lines().filter(|line| !line.ends_with(PROVENANCE)).collect(),
        _ => {
            let mut manifest = json(text);
            if let Some(objects) = manifest["objects"].as_object_mut() {
                objects.retain(|name, _| ![PROVENANCE, SUMS].contains(&name.as_str()));
            }
            manifest.to_string()
        }
    };
    Digest::of(stated.as_bytes())
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_default()
}

async fn kinds<E: Event>(context: &Context, chain: &ChainName) -> anyhow::Result<Vec<String>> {
    Ok(kinds_of(records::<E>(context, chain).await?))
}

fn kinds_of<E: Event>(records: Vec<Record<E>>) -> Vec<String> {
    let about = |record: &Record<E>| record.entry.release.map_or_else(String::new, |release| release.to_string());
    records.iter().map(|record| format!("{} {}", record.entry.event.kind(), about(record))).collect()
}

/// The processes that run below a folder, once those that are about to end have ended.
pub(crate) fn left_running(folder: &Utf8Path) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let running = running(folder);
        if running.is_empty() || begun.elapsed() > Duration::from_secs(3) {
            return running;
        }
        std::thread::yield_now();
    }
}

fn running(folder: &Utf8Path) -> Vec<String> {
    let processes = Utf8Path::new("/proc").read_dir_utf8().unwrap().filter_map(Result::ok);
    let below = |process: &Utf8PathBuf| {
        let at = fs::read_link(process.join("cwd")).ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
        at.is_some_and(|at| at.starts_with(folder))
    };
    processes.map(|entry| entry.path().to_owned()).filter(below).map(Utf8PathBuf::into_string).collect()
}
