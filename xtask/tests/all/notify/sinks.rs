//! A real HTTP server and a real SMTP server on free ports of this machine. Both keep what they got, and refuse as often
//! as they are told to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

/// What a server got, and how it will refuse: each refusal is used up by one delivery.
#[derive(Clone, Default)]
pub(super) struct Sink {
    got: Arc<Mutex<Vec<String>>>,
    refusals: Arc<Mutex<VecDeque<u16>>>,
}

impl Sink {
    /// Everything that it took.
    pub(super) fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }

    /// It refuses the next ones with these codes.
    pub(super) fn refuse(&self, codes: &[u16]) {
        self.refusals.lock().unwrap().extend(codes);
    }

    fn take(&self, text: String) -> Option<u16> {
        let refusal = self.refusals.lock().unwrap().pop_front();
        if refusal.is_none() {
            self.got.lock().unwrap().push(text);
        }
        refusal
    }
}

/// Takes POSTs of JSON under a path that is itself a secret, and gives its address.
pub(super) async fn http() -> (Sink, String) {
    async fn take(State(sink): State<Sink>, body: String) -> StatusCode {
        let text: serde_json::Value = serde_json::from_str(&body).expect("the body is JSON");
        let refusal = sink.take(text["text"].as_str().expect("it has `text`").to_owned());
        refusal.map_or(StatusCode::OK, |code| StatusCode::from_u16(code).unwrap())
    }
    let sink = Sink::default();
    let router = Router::new().route("/services/TOPSECRET", post(take)).with_state(sink.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/services/TOPSECRET", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (sink, address)
}

/// Takes mail, and gives its port. It knows one login: `tool` with the password `sesame`.
pub(super) async fn smtp() -> (Sink, u16) {
    let sink = Sink::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = sink.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sink = kept.clone();
            tokio::spawn(async move { talk(stream, &sink).await });
        }
    });
    (sink, port)
}

/// One conversation, as RFC 5321 has it.
async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, sink: &Sink) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut envelope = Vec::new();
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let word = line.split([' ', ':', '\r']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match word.as_str() {
            "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n".to_owned(),
            // `\0tool\0sesame` in base64.
            "AUTH" if line.trim_end().ends_with("AHRvb2wAc2VzYW1l") => "235 welcome\r\n".to_owned(),
            "AUTH" => "535 unknown user or password\r\n".to_owned(),
            "MAIL" | "RCPT" => {
                envelope.push(line.trim_end().to_owned());
                "250 ok\r\n".to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let message = data(&mut stream).await?;
                match sink.take(format!("{}\n{message}", envelope.join("\n"))) {
                    None => "250 taken\r\n".to_owned(),
                    Some(code) => format!("{code} not now\r\n"),
                }
            }
            "QUIT" => {
                return stream.write_all(b"221 bye\r\n").await;
            }
            _ => "250 ok\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn data(stream: &mut BufReader<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if line == ".\r\n" {
            return Ok(message);
        }
        message.push_str(&line.replace("\r\n", "\n"));
    }
}

/// Takes connections and never says a word.
pub(super) async fn silent() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    port
}

/// A port that nobody listens on.
pub(super) async fn dead() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}
