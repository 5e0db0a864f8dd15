//! `doctor`: checks this machine and this project, and says how to mend each thing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    adapters::local::throwaway::Throwaway,
    cmd::{World, policy as policy_command, tools},
    config::smoke,
    context::Context,
    engine::{policy, release::survey},
    failure::Failure,
    model::{names::RoleName, policy::PolicyState, verdict::Verdict},
    output::{Answer, table::table},
};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Mend what can be mended here: make throwaway people and keys for every role, and put them in force.
    #[arg(long)]
    fix: bool,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
pub(super) struct Examined {
    what: &'static str,
    verdict: Verdict,
    found: String,
    remedy: Option<&'static str>,
    /// Only some commands need it.
    optional: bool,
}

impl Examined {
    pub(super) fn good(what: &'static str, found: String) -> Self {
        Self { what, verdict: Verdict::Correct, found, remedy: None, optional: false }
    }

    pub(super) fn bad(what: &'static str, found: String, remedy: &'static str) -> Self {
        Self { verdict: Verdict::Incorrect, remedy: Some(remedy), ..Self::good(what, found) }
    }

    pub(super) fn missing(what: &'static str, remedy: &'static str) -> Self {
        Self { verdict: Verdict::Missing, ..Self::bad(what, "does not answer".to_owned(), remedy) }
    }

    pub(super) fn is_good(&self) -> bool {
        self.verdict == Verdict::Correct
    }

    /// The same of what only some commands need.
    pub(super) fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

pub(super) async fn run(world: &World, args: Args) -> anyhow::Result<Answer> {
    if args.fix {
        fix(&world.writing_context().await?).await?;
    }
    let mut all = tools::all()?;
    match world.context().await {
        Err(error) => all.push(Examined::bad("project", format!("{error:#}"), "see the message")),
        Ok(context) => all.extend(project(&context).await),
    }
    let rows = all.iter().map(|e| {
        let remedy = e.remedy.map(str::to_owned).unwrap_or_default();
        // What takes several lines would tear the table apart.
        let found = e.found.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        vec![e.what.to_owned(), e.verdict.to_string(), found, remedy]
    });
    let text = table(&["what", "verdict", "found", "remedy"], &rows.collect::<Vec<_>>());
    let wrong = all.iter().filter(|e| !e.is_good() && !e.optional).map(|e| e.what).collect::<Vec<_>>();
    let failure =
        (!wrong.is_empty()).then(|| Failure::usage(format!("to be mended: {}; see the remedies", wrong.join(", "))));
    Ok(Answer::new(&all, text)?.failing(failure))
}

/// Real people are the team's to write down; throwaway ones are made where there are none.
async fn fix(context: &Context) -> anyhow::Result<()> {
    if !context.root.join("people.toml").is_file() {
        let mut roles: BTreeMap<RoleName, u32> = BTreeMap::new();
        for rule in context.config.path.iter().flat_map(|stop| &stop.gate.approvals) {
            let heads = roles.entry(rule.role.clone()).or_default();
            *heads = (*heads).max(rule.count);
        }
        for glass in context.config.path.iter().filter_map(|stop| stop.gate.break_glass.as_ref()) {
            roles.entry(glass.role.clone()).or_insert(1);
        }
        Throwaway::new(&context.local).make(&roles)?;
    }
    let people = policy_command::read(context)?;
    if policy::apply(context, &people).await? {
        context.story.note(&format!("the policy is in force: {} people", people.persons.len()));
    }
    Ok(())
}

async fn project(context: &Context) -> Vec<Examined> {
    let mut all = vec![Examined::good("release.toml", format!("{} functions", context.config.functions.len()))];
    all.push(match smoke::all(&context.root, &context.config) {
        Ok(checks) => Examined::good("smoke checks", format!("for {} functions", checks.len())),
        Err(error) => Examined::bad("smoke checks", error.to_string(), "see the message"),
    });
    all.push(match survey::head(context) {
        Ok(head) => Examined::good("repository", format!("clean at {}", head.commit.short())),
        Err(error) => Examined::bad("repository", error.to_string(), "see the message"),
    });
    let state = survey::state(context).await;
    all.push(match &state {
        Ok(state) => {
            let newest =
                state.sealed.as_ref().map_or_else(|| "nothing released yet".to_owned(), |s| s.version.to_string());
            Examined::good("vault", newest)
        }
        Err(error) => Examined::bad("vault", format!("{error:#}"), "run `cargo xtask audit verify`"),
    });
    all.push(match policy::state(context).await {
        Err(error) => Examined::bad("policy", format!("{error:#}"), "run `cargo xtask audit verify`"),
        Ok(PolicyState { people: Some(people), .. }) => {
            let kind = if people.throwaway { " throwaway" } else { "" };
            Examined::good("policy", format!("{}{kind} people may decide", people.persons.len()))
        }
        Ok(_) if asks_people(context) => {
            let remedy = "run `cargo xtask doctor --fix`, or write people.toml and run `cargo xtask policy apply`";
            Examined::bad("policy", "gates ask for people, and no policy says who".to_owned(), remedy)
        }
        Ok(_) => Examined::good("policy", "no gate asks for people".to_owned()),
    });
    all
}

fn asks_people(context: &Context) -> bool {
    context.config.path.iter().any(|stop| !stop.gate.approvals.is_empty())
}
