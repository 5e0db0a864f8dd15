//! A real HTTP server and a real SMTP server on free ports of this machine. Both keep what they got, and refuse as often
//! as they are told to.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::StatusCode, routing::post, serve::Listener};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/services/TOPSECRET", listener.local_addr().unwrap());
    (posted(listener), address)
}

/// The same over TLS.
pub(super) async fn https(acceptor: TlsAcceptor) -> (Sink, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/services/TOPSECRET", listener.local_addr().unwrap());
    (posted(Encrypted { listener, acceptor }), address)
}

fn posted<L: Listener>(listener: L) -> Sink
where
    L::Addr: std::fmt::Debug,
{
    async fn take(State(sink): State<Sink>, body: String) -> StatusCode {
        let text: serde_json::Value = serde_json::from_str(&body).expect("the body is JSON");
        let refusal = sink.take(text["text"].as_str().expect("it has `text`").to_owned());
        refusal.map_or(StatusCode::OK, |code| StatusCode::from_u16(code).unwrap())
    }
    let sink = Sink::default();
    let router = Router::new().route("/services/TOPSECRET", post(take)).with_state(sink.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    sink
}

/// Gives the connections whose handshake went well.
struct Encrypted {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Encrypted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// When a mail server's conversation is encrypted.
#[derive(Clone)]
pub(super) enum Encryption {
    Never,
    /// From when the client says STARTTLS; nothing else is answered before.
    Asked(TlsAcceptor),
    Always(TlsAcceptor),
}

/// Takes mail, and gives its port. It knows one login: `tool` with the password `sesame`.
pub(super) async fn smtp() -> (Sink, u16) {
    smtp_over(Encryption::Never).await
}

/// The same, encrypted.
pub(super) async fn smtp_over(encryption: Encryption) -> (Sink, u16) {
    let sink = Sink::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = sink.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (sink, encryption) = (kept.clone(), encryption.clone());
            tokio::spawn(async move { meet(stream, &sink, encryption).await });
        }
    });
    (sink, port)
}

/// One client, as RFC 5321 and RFC 3207 have it.
async fn meet(mut stream: TcpStream, sink: &Sink, encryption: Encryption) -> std::io::Result<()> {
    const HELLO: &[u8] = b"220 sink ESMTP\r\n";
    match encryption {
        Encryption::Never => {
            stream.write_all(HELLO).await?;
            talk(stream, sink).await
        }
        Encryption::Always(acceptor) => {
            let mut stream = acceptor.accept(stream).await?;
            stream.write_all(HELLO).await?;
            talk(stream, sink).await
        }
        Encryption::Asked(acceptor) => {
            stream.write_all(HELLO).await?;
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while !line.starts_with("STARTTLS") {
                line.clear();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                let answer = match line.split([' ', '\r']).next() {
                    Some("EHLO") => "250-sink\r\n250 STARTTLS\r\n",
                    Some("STARTTLS") => "220 go ahead\r\n",
                    _ => "530 Must issue a STARTTLS command first\r\n",
                };
                stream.write_all(answer.as_bytes()).await?;
            }
            talk(acceptor.accept(stream.into_inner()).await?, sink).await
        }
    }
}

/// One conversation.
async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, sink: &Sink) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut envelope = Vec::new();
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
