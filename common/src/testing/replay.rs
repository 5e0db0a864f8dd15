//! A service of AWS that answers what a test tells it to, over real HTTP on the loopback: what no emulator does on demand.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::types::{AwsAccess, Secret};

/// What is answered.
pub enum Reply {
    /// This, with status 200.
    Json(Value),
    /// An error of this status and name, with words that must go nowhere.
    Refuse(u16, &'static str),
    /// That the key is taken, by this item.
    Taken(Value),
    /// This, which need be no JSON, with status 200.
    Text(&'static str),
    /// This status and this body, of whatever stands between.
    Says(u16, &'static str),
    /// Half of an answer, and the connection ends.
    Half,
    /// Nothing, and the connection stays.
    Hang,
    /// Nothing, and the connection ends.
    Close,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Such as `PutItem`.
    pub operation: String,
    /// The head, in lower case.
    pub head: String,
    /// The input.
    pub input: Value,
}

/// It answers for as long as it is held.
pub struct Replay {
    port: u16,
    closed: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Replay {
    /// Answers every operation by `reply`, which is told its name and how often it was asked before.
    pub fn new(reply: impl Fn(&str, usize) -> Reply + Send + 'static) -> Self {
        Self::with(move |operation, before, _| reply(operation, before))
    }

    /// A table of DynamoDB with these items, whose attributes are all texts: `GetItem` by its key, `Query` by `:pk`.
    pub fn of_items(items: Vec<Value>) -> Self {
        Self::with(move |operation, _, input| {
            let typed = |item: &Value| {
                let texts = item.as_object().unwrap().iter().map(|(name, text)| (name.clone(), json!({ "S": text })));
                Value::Object(texts.collect())
            };
            let found = |pk: &Value, sk: Option<&Value>| {
                let own = items.iter().filter(|item| item["pk"] == *pk && sk.is_none_or(|sk| item["sk"] == *sk));
                own.map(typed).collect::<Vec<_>>()
            };
            let (key, partition) = (&input["Key"], &input["ExpressionAttributeValues"][":pk"]["S"]);
            Reply::Json(match operation {
                "GetItem" => match found(&key["pk"]["S"], Some(&key["sk"]["S"])).pop() {
                    Some(item) => json!({ "Item": item }),
                    None => json!({}),
                },
                _ => json!({ "Items": found(partition, None) }),
            })
        })
    }

    /// Answers every operation by `reply`, which is told its input as well.
    pub fn with(reply: impl Fn(&str, usize, &Value) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (closed, asked) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<Asked>>>::default());
        let (over, noted) = (Arc::clone(&closed), Arc::clone(&asked));
        thread::spawn(move || {
            let mut hanging = Vec::new();
            for client in listener.incoming().take_while(|_| !over.load(Ordering::SeqCst)).flatten() {
                // A client that goes away ends its own connection only.
                hanging.extend(serve(client, &reply, &noted).ok().flatten());
            }
        });
        Self { port, closed, asked }
    }

    /// How it is called.
    pub fn access(&self) -> AwsAccess {
        AwsAccess {
            endpoint: format!("http://127.0.0.1:{}", self.port),
            region: "eu-central-1".into(),
            key_id: "AKID".into(),
            secret: Secret::new("hush".into()),
            session_token: Some(Secret::new("token".into())),
        }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

/// One request per connection; the connection, if nothing is answered.
fn serve(
    mut client: TcpStream,
    reply: &impl Fn(&str, usize, &Value) -> Reply,
    noted: &Mutex<Vec<Asked>>,
) -> io::Result<Option<TcpStream>> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let field =
        |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    let mut body = vec![0; field("content-length:").parse().unwrap_or_default()];
    client.read_exact(&mut body)?;
    let operation = match field("x-amz-target:").as_str() {
        "dynamodb_20120810.getitem" => "GetItem",
        "dynamodb_20120810.putitem" => "PutItem",
        "dynamodb_20120810.query" => "Query",
        "secretsmanager.getsecretvalue" => "GetSecretValue",
        other => return Err(std::io::Error::other(format!("nobody asks for `{other}` here"))),
    };
    let mut noted = noted.lock().unwrap();
    let before = noted.iter().filter(|asked| asked.operation == operation).count();
    let input: Value = serde_json::from_slice(&body).unwrap();
    noted.push(Asked { operation: operation.to_owned(), head, input: input.clone() });
    drop(noted);
    let (status, body) = match reply(operation, before, &input) {
        Reply::Json(body) => (200, body.to_string()),
        Reply::Text(text) => (200, text.to_owned()),
        Reply::Says(status, text) => (status, text.to_owned()),
        Reply::Half => {
            write!(client, "HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n{{\"Item\":")?;
            return Ok(None);
        }
        Reply::Taken(item) => {
            let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
            (400, json!({ "__type": kind, "message": "secret words", "Item": item }).to_string())
        }
        Reply::Refuse(status, name) => {
            let kind = format!("com.amazonaws.dynamodb.v20120810#{name}");
            (status, json!({ "__type": kind, "message": "secret words" }).to_string())
        }
        Reply::Hang => return Ok(Some(client)),
        Reply::Close => return Ok(None),
    };
    let (length, kind) = (body.len(), "application/x-amz-json-1.0");
    write!(
        client,
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    Ok(None)
}
