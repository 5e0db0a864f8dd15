//! The Lambda Runtime API (2018-06-01): where a `bootstrap` fetches events and leaves answers.
//!
//! It owns the socket and the state of the one request in flight. It must not judge answers or watch time.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
    task::JoinSet,
};
use uuid::Uuid;

use super::LARGEST_ANSWER;

/// More than any answer that Lambda passes on, so that one that is too large can be read, counted and refused
/// politely; beyond it the connection is cut.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// The host's side of the Runtime API.
pub(super) struct Desk {
    address: SocketAddr,
    shared: Arc<Shared>,
    signals: mpsc::UnboundedReceiver<Signal>,
    // Serves until the desk is dropped.
    _server: JoinSet<()>,
}

/// One event and what goes with it.
pub(super) struct Work {
    pub(super) id: Uuid,
    pub(super) event: Vec<u8>,
    pub(super) limit: Duration,
    pub(super) arn: String,
}

/// What the process did.
#[derive(Debug)]
pub(super) enum Signal {
    /// Asked for its first event.
    Ready,
    /// Answered.
    Answered(Vec<u8>),
    /// Answered with this many bytes: too many.
    TooLarge(usize),
    /// Posted an error document.
    Failed(Vec<u8>),
}

struct Shared {
    seat: Mutex<Seat>,
    work: Notify,
    signals: mpsc::UnboundedSender<Signal>,
}

#[derive(Default)]
struct Seat {
    started: bool,
    waiting: Option<Work>,
    current: Option<Uuid>,
}

impl Desk {
    /// Serves on a free port of the loop-back interface.
    pub(super) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, signals) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { seat: Mutex::default(), work: Notify::new(), signals: sender });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move {
            // Only ends when it is dropped: it waits out failed accepts by itself.
            let _never: io::Result<()> = axum::serve(listener, routes).await;
        });
        Ok(Self { address, shared, signals, _server: server })
    }

    /// What goes into `AWS_LAMBDA_RUNTIME_API`.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next thing that the process does; waits as long as that takes, and can be dropped without loss.
    pub(super) async fn signal(&mut self) -> Signal {
        match self.signals.recv().await {
            Some(signal) => signal,
            // `shared` holds a sender for as long as this desk lives.
            None => std::future::pending().await,
        }
    }

    /// Lays an event out for the process to fetch; `false` if it is still busy with one that its caller gave up.
    pub(super) fn hand_over(&mut self, work: Work) -> bool {
        let mut seat = self.shared.seat();
        if seat.current.is_some() {
            return false;
        }
        // An answer that came after its caller had given up is nobody's.
        while self.signals.try_recv().is_ok() {}
        seat.waiting = Some(work);
        drop(seat);
        self.shared.work.notify_one();
        true
    }

    /// Takes an event back that the process has not fetched; whether there was one.
    pub(super) fn take_back(&self) -> bool {
        self.shared.seat().waiting.take().is_some()
    }
}

impl Shared {
    fn seat(&self) -> MutexGuard<'_, Seat> {
        // Every change of a seat is one assignment: a panic elsewhere cannot leave it half done.
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, signal: Signal) {
        // Nobody listens only when the host is being dropped, and then nobody wants to know.
        self.signals.send(signal).unwrap_or_default();
    }

    fn fetch(&self) -> Option<Work> {
        let mut seat = self.seat();
        let work = seat.waiting.take()?;
        seat.current = Some(work.id);
        Some(work)
    }

    /// Ends the request in flight, if `id` is its id, and tells how.
    fn finish(&self, id: &str, signal: Signal) -> bool {
        let mut seat = self.seat();
        let right = seat.current.is_some_and(|current| id == current.to_string());
        if right {
            seat.current = None;
            // Within the lock: nobody may see the request gone and its end not yet told.
            self.tell(signal);
        }
        right
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    if !std::mem::replace(&mut shared.seat().started, true) {
        shared.tell(Signal::Ready);
    }
    loop {
        let notified = shared.work.notified();
        if let Some(work) = shared.fetch() {
            return hand(work);
        }
        notified.await;
    }
}

fn hand(work: Work) -> Response {
    let now = machine_time();
    let deadline = now.saturating_add(work.limit);
    // X-Ray's form; the root starts with the time in seconds.
    let trace = Uuid::new_v4().simple().to_string();
    let parent = &Uuid::new_v4().simple().to_string()[..16];
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", work.id.to_string()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", work.arn),
        ("lambda-runtime-trace-id", format!("Root=1-{:08x}-{};Parent={parent};Sampled=0", now.as_secs(), &trace[..24])),
    ];
    (headers, work.event).into_response()
}

/// Since 1970, by the machine.
fn machine_time() -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "the process compares its deadline with this machine's clock, whatever the toolchain's own clock says"
    )]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Body) -> Response {
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return settle(&shared, &id, Signal::TooLarge(LARGEST_BODY));
    };
    let signal = if body.len() > LARGEST_ANSWER { Signal::TooLarge(body.len()) } else { Signal::Answered(body.into()) };
    settle(&shared, &id, signal)
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Response {
    match to_bytes(body, LARGEST_ANSWER).await {
        Ok(body) => settle(&shared, &id, Signal::Failed(error_document(&headers, body))),
        Err(_too_large) => settle(&shared, &id, Signal::TooLarge(LARGEST_ANSWER)),
    }
}

async fn init_error(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Body) -> Response {
    if shared.seat().started {
        return refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", "the function has started already");
    }
    let body = to_bytes(body, LARGEST_ANSWER).await.unwrap_or_default();
    shared.tell(Signal::Failed(error_document(&headers, body)));
    accepted()
}

fn settle(shared: &Shared, id: &str, signal: Signal) -> Response {
    let too_large = matches!(signal, Signal::TooLarge(_));
    if !shared.finish(id, signal) {
        return refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID");
    }
    if too_large {
        let message = format!("Exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes).");
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message);
    }
    accepted()
}

/// What the runtime posted; where that is no JSON object, one with the type that its header names.
fn error_document(headers: &HeaderMap, body: Bytes) -> Vec<u8> {
    if serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&body).is_ok() {
        return body.into();
    }
    let kind = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
    let message = String::from_utf8_lossy(&body);
    json!({ "errorType": kind.unwrap_or("Runtime.Unknown"), "errorMessage": message }).to_string().into_bytes()
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, [("content-type", "application/json")], r#"{"status":"OK"}"#).into_response()
}

fn refuse(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({ "errorType": kind, "errorMessage": message }).to_string();
    (status, [("content-type", "application/json")], body).into_response()
}
