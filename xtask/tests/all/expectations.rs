//! Both functions of this repository, as `serve` builds and hosts them, asked by a real HTTP client through both kinds of
//! gateway: the same expectations that the functions' own tests hold them to, and the contract that is published.

use std::process::Command;

use camino::Utf8Path;
use common::testing::expectations::expectations;

use crate::support::{python::python, serving::Serving};

/// Both kinds of gateway.
const APIS: [&str; 2] = ["http", "rest"];

/// This repository's functions behind a gateway, with stores of their own in this folder.
fn serving(local: &Utf8Path, api: &str) -> Serving {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["serve", "--port", "0", "--api", api]).current_dir(root).env("XTASK_LOCAL", local);
    Serving::start(command).unheard()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_answer_through_both_gateways_as_they_must() {
    for api in APIS {
        let local = tempfile::tempdir().unwrap();
        let serving = serving(Utf8Path::from_path(local.path()).unwrap(), api);
        for expected in expectations() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&expected.query).finish();
            let request = serving.get(&format!("{}?{query}", expected.path));
            let answer = request.header("X-Correlation-Id", "01ARZ3NDEKTSV4RRFFQ69G5FAV").send().await.unwrap();
            assert_eq!(answer.headers()["x-correlation-id"], "01ARZ3NDEKTSV4RRFFQ69G5FAV");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let status = answer.status().as_u16();
            expected.is_met(api, status, &answer.text().await.unwrap());
        }
    }
}

/// One check is left out: it wants 405 for a method that no route has, where API Gateway answers 404 or 403.
#[test]
fn a_stranger_who_tries_the_contract_out_finds_no_server_error_and_no_undocumented_answer() {
    let python = python("schemathesis", include_str!("../requirements/schemathesis.txt"));
    for api in APIS {
        let local = tempfile::tempdir().unwrap();
        let serving = serving(Utf8Path::from_path(local.path()).unwrap(), api);
        let contract = format!("http://{}/openapi.json", serving.address);
        let mut tried = Command::new(python.with_file_name("st"));
        tried.args(["run", &contract, "--checks", "all", "--exclude-checks", "unsupported_method"]);
        tried.args(["--max-examples", "100", "--seed", "1", "--no-color"]).current_dir(local.path());
        let tried = tried.output().unwrap();
        let told = String::from_utf8_lossy(&tried.stdout);
        assert!(tried.status.success(), "{api}: {told}{}", String::from_utf8_lossy(&tried.stderr));
        assert!(told.contains("Tested: 3") && told.contains("Fuzzing"), "{told}");
    }
}
