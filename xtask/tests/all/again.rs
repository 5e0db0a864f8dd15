//! A binary without the AWS crates starts itself again with them, through cargo; one that has them does not.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::project::{Project, Ran};

/// A cargo that tells how it was called, and fails as what it would run might.
const CARGO: &str = "#!/bin/sh\necho \"again=$XTASK_STARTED_AGAIN\"\nfor a in \"$@\"; do echo \"<$a>\"; done\nexit 7\n";

#[test]
fn the_profile_aws_starts_the_same_command_with_its_crates() {
    let project = Project::new();
    let cargo = project.repo().beside("cargo");
    std::fs::write(&cargo, CARGO).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = |again: Option<&str>| {
        let mut command = project.command(project.root(), &["status", "--profile", "aws", "--release", "v1.0.0"]);
        command.env("CARGO", &cargo).envs(again.map(|value| ("XTASK_STARTED_AGAIN", value)));
        Ran::of(command.output().unwrap())
    };
    if cfg!(feature = "aws") {
        run(None).expect(2).says("release.toml has no [profile.aws]");
        return;
    }
    let ran = run(None).expect(7).says("this needs crates of AWS that are not in this build");
    let called = ["run", "--package", "xtask", "--features", "aws", "--bin", "xtask", "--"];
    let own = ["status", "--profile", "aws", "--release", "v1.0.0"];
    let expected: String = called.iter().chain(&own).map(|argument| format!("<{argument}>\n")).collect();
    assert_eq!(ran.stdout, format!("again=1\n{expected}"));
    run(Some("1")).expect(2).says("what it started lacks it");
}
