//! GitHub's reviews as approvals: the real binary inside of a workflow run, against a server that replays GitHub's answers.

mod answers;
pub(crate) mod audit;
mod counting;
pub(crate) mod github;

use serde_json::Value;
use xtask::engine::facts;

use self::github::{GitHub, TOKEN, review};
use crate::support::{
    people::STAFF,
    project::{Project, RELEASE, Ran, tree},
    world::release,
};

const UAT_GATE: &str = r#"gate.approvals = [{ role = "qa-lead", count = 1 }]"#;
const COUNTED: &str = r#"gate = { approvals = [{ role = "qa-lead", count = 1 }], reviews = { source = "github" } }"#;

/// Rita may review and has no key; ada wrote and released everything; gus is a guest.
const REVIEWERS: &str = r#"
[people.rita]
name = "Rita"
emails = ["rita@example.com"]
github = "Rita-Hub"
roles = ["qa-lead"]

[people.ada]
name = "Ada"
emails = ["ada@example.com"]
github = "ada-hub"
roles = ["qa-lead"]

[people.gus]
name = "Gus"
emails = ["gus@example.com"]
github = "gus-hub"
roles = ["guest"]
"#;

/// v1.0.0 waits at the gate of uat, and GitHub runs a workflow about it.
struct Waiting {
    project: Project,
    github: GitHub,
    manifest: String,
}

impl Waiting {
    async fn at(gate: &str) -> Self {
        let project = Project::new();
        project.repo().write("release.toml", &RELEASE.replace(UAT_GATE, gate));
        project.staff(&STAFF, REVIEWERS);
        project.commit("chore: people");
        release(&project.context()).await.unwrap();
        let (_, manifest) = facts::manifest(&project.context(), "v1.0.0".parse().unwrap()).await.unwrap();
        let waiting = Self { project, github: GitHub::new().await, manifest: manifest.hex() };
        waiting.reviewed(&[]);
        waiting
    }

    fn name(&self) -> String {
        format!("promote v1.0.0 to uat ({})", self.manifest)
    }

    /// These reviews are known of the run, which bob dispatched.
    fn reviewed(&self, reviews: &[Value]) {
        self.github.knows(&self.name(), ("bob-hub", "bob-hub"), reviews);
    }

    /// Runs a command inside of the workflow run.
    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &[&str], more: &[(&str, &str)]) -> Ran {
        let mut command = self.project.command(self.project.root(), args);
        command.envs([("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "4711"), ("GITHUB_REPOSITORY", "example/prices")]);
        command.envs([("GITHUB_API_URL", self.github.api.as_str()), ("GITHUB_TOKEN", TOKEN)]);
        command.envs([("GITHUB_ACTOR", "bob-hub"), ("GITHUB_TRIGGERING_ACTOR", "bob-hub")]);
        let ran = Ran::of(command.envs(more.iter().copied()).output().unwrap());
        assert!(!format!("{ran:?}").contains(TOKEN), "the token came out: {ran:?}");
        ran
    }

    /// The token is nowhere in what lasts, and nothing of uat is begun.
    #[track_caller]
    fn is_left(&self, kinds: &[&str]) {
        for (name, bytes) in tree(self.project.local()) {
            let found = bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes());
            assert!(!found, "the token is in {name}");
        }
        assert_eq!(self.kinds(), kinds);
    }

    /// What happened in uat, in order.
    fn kinds(&self) -> Vec<String> {
        let history = self.project.json(0, &["history", "--env", "uat"]);
        let kinds = history.as_array().unwrap().iter().rev().map(|entry| entry["kind"].as_str().unwrap().to_owned());
        kinds.collect()
    }
}

const PROMOTE: [&str; 5] = ["promote", "--to", "uat", "--release", "v1.0.0"];
const WHOLE: [&str; 6] = ["claimed", "observed", "staged", "shifting", "shifted", "verified"];

fn approved(login: &str) -> Value {
    review(login, "approved", &["uat"], "Ship it!")
}
