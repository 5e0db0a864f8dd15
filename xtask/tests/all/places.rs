//! A secret of a function on this machine: it comes from whoever runs the tool, and stands in no file.

use crate::support::project::{Project, RELEASE, Ran};

#[test]
fn a_secret_reaches_the_function_and_no_file_and_without_it_nothing_dies() {
    let project = Project::new();
    let given = "DATA = \"{env:WHERE_DATA_IS}\"";
    let text: Vec<&str> = RELEASE.lines().map(|line| if line.starts_with("DATA") { given } else { line }).collect();
    assert!(text.contains(&given));
    project.repo().write("release.toml", &text.join("\n"));
    project.commit("feat: data of a developer's own");
    let without = project.xtask(&["release"]).expect(8);
    let without = without.says("`WHERE_DATA_IS` is not set here: export it");
    assert!(!without.stderr.contains("dead"), "{}", without.stderr);
    project.xtask(&["invoke", "alpha", "--event", "{}"]).expect(2).says("`WHERE_DATA_IS` is not set here: export it");
    let secret = project.repo().beside("whispered-once");
    let with = |words: &[&str]| {
        let mut command = project.command(project.root(), words);
        Ran::of(command.env("WHERE_DATA_IS", &secret).output().unwrap())
    };
    with(&["release"]).expect(0);
    std::fs::write(&secret, r#"{"statusCode":200,"body":"{\"from\":\"elsewhere\"}"}"#).unwrap();
    let answer = with(&["invoke", "alpha", "--env", "dev", "--event", "{}"]).expect(0);
    assert!(answer.stdout.contains("elsewhere"), "{}", answer.stdout);
    for (name, bytes) in project.lasting() {
        let found = bytes.windows(14).any(|part| part == b"whispered-once");
        assert!(!found, "{name} holds it");
    }
}
