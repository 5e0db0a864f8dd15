//! Events: a sample of each source goes into a function as it is printed, by file, on stdin or in the command itself.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::{Value, json};

use crate::support::project::{Project, Ran};

#[test]
fn a_sample_can_be_handed_over_in_every_way() {
    let project = Project::new();
    project.behave("alpha", &json!({ "mode": "echo" }));
    for source in ["apigw-v1", "apigw-v2", "alb", "sqs", "s3", "schedule"] {
        let made =
            project.xtask(&["event", "new", source, "--path", "/a", "--query", "id=1", "--body", "{}"]).expect(0);
        let sample: Value = serde_json::from_str(&made.stdout).unwrap();
        let file = project.repo().beside("event.json");
        fs::write(&file, &made.stdout).unwrap();
        assert_eq!(project.json(0, &["invoke", "alpha", "--event", file.as_str()]), sample, "{source}");
    }
    assert_eq!(project.json(0, &["invoke", "alpha", "--event", r#"{"n":1}"#]), json!({ "n": 1 }));
    let mut command = project.command(project.root(), &["invoke", "alpha", "--event", "-", "--json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(br#"{"n":2}"#).unwrap();
    assert_eq!(Ran::of(child.wait_with_output().unwrap()).expect(0).json(), json!({ "n": 2 }));
    project.xtask(&["invoke", "alpha", "--event", "{n}"]).expect(2).says("the event is not JSON");
    project.xtask(&["event", "new", "apigw-v2", "--path", "a"]).expect(2).says("the path `a` must begin with a slash");
    project.xtask(&["event", "new", "kafka"]).expect(2).says("apigw-v1");
}
