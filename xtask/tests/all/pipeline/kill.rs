//! The real process, really killed, in every phase that it tells of; the same command then finishes.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use crate::support::project::Project;

/// The phases of a release, as it tells them.
const PHASES: [&str; 12] = [
    "reserving v1.0.0",
    "building",
    "uploading",
    "sealing",
    "dev: staging",
    "dev: smoke before traffic",
    "dev: shifting live",
    "dev: verifying live",
    "qa: staging",
    "qa: smoke before traffic",
    "qa: shifting live",
    "qa: verifying live",
];

#[test]
fn a_killed_process_is_finished_by_the_next() {
    let project = Project::new();
    // One release, killed again and again, each time a phase later.
    for phase in PHASES {
        let mut command = project.command(project.root(), &["release"]);
        let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(running.stderr.take().unwrap()).lines().map(|line| line.unwrap());
        let mut story = Vec::new();
        for line in told {
            let reached = line.trim_start().strip_prefix("...").is_some_and(|name| name.trim() == phase);
            story.push(line);
            if reached {
                running.kill().unwrap();
            }
        }
        let status = running.wait().unwrap();
        // A short phase may be over before the signal arrives; the compiler is never that quick.
        let by_itself = status.code();
        assert!(by_itself.is_none() || phase != "building", "{story:#?}");
        assert!(matches!(by_itself, None | Some(0 | 3)), "{phase}: it ended with {status}: {story:#?}");
        project.xtask(&["status"]).expect(0);
        project.xtask(&["audit", "verify"]).expect(0);
    }
    let last = project.xtask(&["release"]);
    assert!([0, 3].contains(&last.code), "{last:?}");
    project.xtask(&["release"]).expect(3);
    let audit = project.json(0, &["audit", "verify"]);
    assert_eq!((&audit["releases"], &audit["entries"]), (&1.into(), &12.into()), "nothing was done twice");
    project.xtask(&["verify", "--env", "dev"]).expect(0);
    project.xtask(&["verify", "--env", "qa"]).expect(0);
    assert_eq!(project.tags(), "local/v1.0.0");
}
