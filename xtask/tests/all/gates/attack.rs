//! Steps of people who want a release in prod and lack a key for it. They run the commands like everyone else, and may
//! write to the vault's folder; what they write there, they sign with what they have.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use ssh_key::HashAlg;
use xtask::{
    adapters::{local::keys::FileKeys, ssh},
    config::Config,
    context::Context,
    engine::{
        decide::{self, Request, Verdict},
        evidence, facts, ledger, policy,
        promote::rollback,
    },
    model::{
        approval::{ApprovalEvent, Statement},
        digest::Digest,
        entry::{ChainName, Record, Writer},
        environment::EnvironmentEvent,
        evidence::Evidence,
        manifest::GateRules,
        names::{EnvName, RoleName},
        people::People,
        policy::PolicyEvent,
        version::Version,
    },
    ports::{person_key::PersonKey, signer::Signer, vault::Body},
};

use crate::support::{
    project::Project,
    world::{promote_to, release},
};

/// What is about a release for an environment.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) to: &'static str,
    pub(super) release: &'static str,
}

/// One step.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// `approve`, `reject` or `revoke`, with one's own key.
    Decide { who: &'static str, verdict: Verdict, about: Case, role: Option<&'static str> },
    /// An approval in the name of anyone, linked and signed as it must be, but by one's own key.
    Forge { signs: &'static str, names: &'static str, their_key: bool, about: Case, role: &'static str },
    /// What someone once signed, put to where it would help; `mended` so that only the signature tells.
    Replay { which: usize, about: Case, mended: bool },
    /// `promote`; by a `release.toml` without gates, if `loose`.
    Promote { about: Case, loose: bool },
    /// `rollback`.
    Rollback(&'static str),
    /// `release`; by a `release.toml` without gates and without uat, if `loose`.
    Release { loose: bool },
    /// `evidence add`.
    Prove(Case),
    /// `policy apply` with oneself in every role, without the administrator's key.
    Usurp(&'static str),
    /// `policy resume` without the administrator's key.
    Resume,
    /// A verification that never was, without the deployer's key.
    Invent(Case),
}

/// Plays a step. Most are refused; what counts is how things stand in the end.
pub(super) async fn play(project: &Project, step: &Step) -> anyhow::Result<()> {
    let context = project.context();
    match step {
        Step::Decide { who, verdict, about, role } => {
            let (environment, release) = parsed(about);
            let role = role.map(|role| role.parse().unwrap());
            let request = Request { environment, release, verdict: *verdict, role, comment: None };
            decide::run(&context, &request, &*key(project, who)).await.map(drop)
        }
        Step::Forge { signs, names, their_key, about, role } => {
            let named = key(project, if *their_key { names } else { signs });
            let statement = statement(&context, about, names, role, &*named);
            forge(&context, about, statement, &*key(project, signs)).await
        }
        Step::Replay { which, about, mended } => replay(&context, *which, about, *mended).await,
        Step::Promote { about, loose } => {
            let (environment, release) = parsed(about);
            promote_to(&loosened(context, *loose), &environment, release).await
        }
        Step::Rollback(environment) => {
            let (plan, manifest) = rollback::plan(
                &context,
                &environment.parse().unwrap(),
                rollback::Request { from: None, reason: "because" },
            )
            .await?;
            rollback::run(&context, &plan, &manifest).await.map(drop)
        }
        Step::Release { loose } => release(&loosened(context, *loose)).await.map(drop),
        Step::Prove(about) => prove(&context, about).await,
        Step::Usurp(who) => {
            let people = usurped(policy::state(&context).await?.people.unwrap(), who);
            policy::apply(&loosened(thief(context), true), &people).await.map(drop)
        }
        Step::Resume => {
            let resumed = PolicyEvent::Resumed { reason: "because".to_owned() };
            policy::append(&thief(context), &resumed).await.map(drop)
        }
        Step::Invent(about) => invent(&thief(context), about).await,
    }
}

fn parsed(about: &Case) -> (EnvName, Version) {
    (about.to.parse().unwrap(), about.release.parse().unwrap())
}

fn key(project: &Project, who: &str) -> Box<dyn PersonKey> {
    ssh::open(&project.key(who), &BTreeMap::new()).unwrap()
}

fn statement(context: &Context, about: &Case, names: &str, role: &str, key: &dyn PersonKey) -> Statement {
    Statement {
        environment: about.to.parse().unwrap(),
        person: names.parse().unwrap(),
        role: role.parse().unwrap(),
        expires: context.clock.now().after(Duration::from_secs(60 * 60)),
        comment: None,
        key: key.public().fingerprint(HashAlg::Sha256).to_string(),
    }
}

fn approvals(about: &Case) -> ChainName {
    let (environment, release) = parsed(about);
    ChainName::Approvals { release, environment }
}

async fn forge(context: &Context, about: &Case, statement: Statement, signs: &dyn PersonKey) -> anyhow::Result<()> {
    let (_, release) = parsed(about);
    let (_, manifest) = facts::manifest(context, release).await?;
    let event = ApprovalEvent::Approved { statement };
    let draft = ledger::Draft { release: Some(release), manifest: Some(manifest), event };
    ledger::append_signed(context, &approvals(about), Some(signs), |_| Ok(draft.clone())).await.map(drop)
}

/// Takes one of all approvals that lie in the vault.
async fn replay(context: &Context, which: usize, about: &Case, mended: bool) -> anyhow::Result<()> {
    let there = context.vault.list(Some(&"approvals".parse()?)).await?;
    let Some(key) = there.get(which % there.len().max(1)).and_then(|item| item.key.clone()) else { return Ok(()) };
    let chain = approvals(about);
    let (head, _) = ledger::statements::read::<ApprovalEvent>(context, &chain).await?.ending();
    let number = head.map_or(1, |head| head.number + 1);
    let mut bytes = context.vault.read(&key).await?.unwrap();
    if mended {
        let Record { mut entry, signature, .. } = Record::<ApprovalEvent>::decode(&bytes)?;
        let (environment, release) = parsed(about);
        let (_, manifest) = facts::manifest(context, release).await?;
        (entry.chain, entry.number, entry.previous) = (chain.clone(), number, head.map(|head| head.sha256));
        (entry.release, entry.manifest) = (Some(release), Some(manifest));
        let ApprovalEvent::Approved { mut statement } = entry.event else { return Ok(()) };
        statement.environment = environment;
        entry.event = ApprovalEvent::Approved { statement };
        bytes = Record::encode(&entry, &signature)?;
    }
    Ok(context.vault.create(&chain.key(number)?, Body::Bytes(&bytes)).await?)
}

async fn prove(context: &Context, about: &Case) -> anyhow::Result<()> {
    let (environment, release) = parsed(about);
    let (_, manifest) = facts::manifest(context, release).await?;
    let content = format!("all is well in {environment}");
    let evidence = Evidence {
        schema: 1,
        release,
        manifest,
        environment,
        kind: "e2e".parse()?,
        file: "proof.txt".to_owned(),
        sha256: Digest::of(content.as_bytes()),
        tests: None,
        time: context.clock.now(),
        actor: context.actor.clone(),
    };
    evidence::add(context, &evidence, content).await.map(drop)
}

/// The same world for someone whose `release.toml` asks nobody, and knows no uat.
fn loosened(context: Context, loose: bool) -> Context {
    if !loose {
        return context;
    }
    let mut config = Config::clone(&context.config);
    config.path.retain(|stop| stop.environment.as_str() != "uat");
    config.path.iter_mut().for_each(|stop| stop.gate = GateRules::default());
    Context { config: Arc::new(config), ..context }
}

/// These people, with this one in every role and without a past.
fn usurped(mut people: People, who: &str) -> People {
    for (id, person) in &mut people.persons {
        if id.as_str() == who {
            person.roles.extend(["qa-lead", "product-owner", "manager"].map(|role| role.parse::<RoleName>().unwrap()));
            person.emails = vec!["nobody@example.com".to_owned()];
        }
    }
    people.several_roles = true;
    people
}

async fn invent(context: &Context, about: &Case) -> anyhow::Result<()> {
    let (environment, release) = parsed(about);
    let (_, manifest) = facts::manifest(context, release).await?;
    let event = EnvironmentEvent::Verified { smoke: Vec::new() };
    let draft = ledger::Draft { release: Some(release), manifest: Some(manifest), event };
    ledger::append(context, &ChainName::Environment(environment), |_| Ok(draft.clone())).await.map(drop)
}

/// The same world for someone who has no writer's key and makes keys of their own.
fn thief(context: Context) -> Context {
    let own = FileKeys::new(&context.local.join("stolen"));
    Context { signer: Arc::new(Thief { own, known: Arc::clone(&context.signer) }), ..context }
}

struct Thief {
    own: FileKeys,
    known: Arc<dyn Signer>,
}

#[async_trait]
impl Signer for Thief {
    async fn sign(&self, writer: &Writer, namespace: &str, bytes: &[u8], _fresh: bool) -> anyhow::Result<String> {
        self.own.sign(writer, namespace, bytes, true).await
    }

    async fn seal(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<(Vec<u8>, ssh_key::PublicKey)> {
        self.own.seal(writer, bytes).await
    }

    async fn keyed_digest(&self, writer: &Writer, bytes: &[u8]) -> anyhow::Result<Digest> {
        self.own.keyed_digest(writer, bytes).await
    }

    async fn trusted(&self, writer: &Writer) -> anyhow::Result<Vec<ssh_key::PublicKey>> {
        // Their own tool believes them, and writes.
        Ok([self.known.trusted(writer).await?, self.own.trusted(writer).await?].concat())
    }
}
