//! `invoke` on a terminal, which `script` is: people read the answer in its parts. What goes further is one document.

use serde_json::json;

use crate::support::project::{Project, Ran, scrubbed};

#[test]
fn a_terminal_gets_the_answer_in_its_parts_and_a_pipe_the_document() {
    let project = Project::new();
    let body = "{\"price\":99.90}";
    project.behave("alpha", &json!({ "answer": { "statusCode": 404, "headers": { "a": "b" }, "body": body } }));
    let args = ["invoke", "alpha", "--event", "{}"];
    let piped = project.xtask(&args).expect(0);
    assert_eq!(piped.json()["body"], body);
    let typed =
        format!("stty cols 100 rows 40; {} {}", env!("CARGO_BIN_EXE_xtask"), "invoke alpha --event '{}' 2>/dev/null");
    let mut script = scrubbed("script", project.root());
    let script = script.args(["--quiet", "--return", "--command", &typed, "/dev/null"]);
    let shown = Ran::of(script.env("XTASK_LOCAL", project.local()).output().unwrap()).expect(0).stdout;
    assert_eq!(shown.replace('\r', ""), "404 Not Found\na: b\n\n{\n  \"price\": 99.90\n}\n");
}
