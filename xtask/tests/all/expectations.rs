//! Both functions of this repository, as `serve` builds and hosts them, asked by a real HTTP client through both kinds of
//! gateway: the same expectations that the functions' own tests hold them to.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use camino::Utf8Path;
use common::testing::expectations::expectations;
use reqwest::Client;

/// The binary while it serves; it ends with this.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_answer_through_both_gateways_as_they_must() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for api in ["http", "rest"] {
        let local = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["serve", "--port", "0", "--api", api]).current_dir(root).env("XTASK_LOCAL", local.path());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut story = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let _serving = Serving(child);
        let told = story.find(|line| line.contains("serving http://")).expect("it says where it serves");
        let address = told.split_once("http://").unwrap().1.split(',').next().unwrap().to_owned();
        // Whoever does not listen would in the end stop it.
        std::thread::spawn(move || story.for_each(drop));
        for expected in expectations() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&expected.query).finish();
            let request = Client::new().get(format!("http://{address}{}?{query}", expected.path));
            let answer = request.header("X-Correlation-Id", "01ARZ3NDEKTSV4RRFFQ69G5FAV").send().await.unwrap();
            assert_eq!(answer.headers()["x-correlation-id"], "01ARZ3NDEKTSV4RRFFQ69G5FAV");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let status = answer.status().as_u16();
            expected.is_met(api, status, &answer.text().await.unwrap());
        }
    }
}
