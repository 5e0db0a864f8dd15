//! The real binary as a gateway. No port is fixed: where it listens it says itself.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStderr, Command, Stdio},
};

use reqwest::{Client, RequestBuilder};

/// The binary while it serves; it ends with this.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) client: Client,
    story: Option<BufReader<ChildStderr>>,
}

impl Serving {
    /// Starts this command, and waits until it serves.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let story = child.stderr.take().map(BufReader::new);
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut serving = Self { child, story, address: String::new(), client: Client::new() };
        let told = serving.until("serving http://");
        serving.address = told.split_once("http://").unwrap().1.split(',').next().unwrap().to_owned();
        serving
    }

    /// The same, whatever it tells. Whoever did not listen would in the end stop it.
    pub(crate) fn unheard(mut self) -> Self {
        let story = self.story.take().unwrap();
        std::thread::spawn(move || story.lines().for_each(drop));
        self
    }

    /// The next line of the story with this in it.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> String {
        let (story, mut told) = (self.story.as_mut().unwrap(), String::new());
        loop {
            let mut line = String::new();
            assert!(story.read_line(&mut line).unwrap() > 0, "it ended without saying `{text}`: {told}");
            if line.contains(text) {
                return line;
            }
            told.push_str(&line);
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    /// The status and the body.
    pub(crate) async fn asked(&self, path: &str) -> (u16, String) {
        let answer = self.get(path).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}
