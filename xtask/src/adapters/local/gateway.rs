//! An API Gateway on this machine: calls over HTTP become events, the functions' answers become replies. What they look
//! like is `plan::gateway`'s; which function a call goes to is `model::gateway`'s. No call is lost while the functions are
//! replaced by newer ones: it waits.

mod pool;

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderName, HeaderValue, Response, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    routing::get,
};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use tokio::net::TcpListener;
use uuid::Uuid;

use self::pool::Pool;
use crate::{
    adapters::local::host::{HostError, Spec},
    model::{gateway::Routes, names::FunctionName, smoke::EventForm},
    plan::gateway::{self, Call, Reply},
    ports::{clock::Clock, story::Story},
};

/// The largest call that API Gateway takes, in bytes: 10 MB.
const LARGEST_CALL: usize = 10 * 1024 * 1024;

/// A gateway with its functions.
pub struct LocalGateway {
    form: EventForm,
    routes: Routes,
    contract: Option<Utf8PathBuf>,
    pools: Mutex<BTreeMap<FunctionName, Arc<Pool>>>,
    /// Held by whoever replaces the functions; calls wait for its end.
    busy: tokio::sync::RwLock<()>,
    clock: Arc<dyn Clock>,
    story: Arc<dyn Story>,
}

impl LocalGateway {
    /// One that has no functions yet. `contract` is a file with their OpenAPI document.
    #[must_use]
    pub fn new(
        form: EventForm,
        routes: Routes,
        contract: Option<Utf8PathBuf>,
        clock: Arc<dyn Clock>,
        story: Arc<dyn Story>,
    ) -> Arc<Self> {
        let (pools, busy) = (Mutex::default(), tokio::sync::RwLock::default());
        Arc::new(Self { form, routes, contract, pools, busy, clock, story })
    }

    /// Listens on the loop-back interface; port 0 is any free one.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn listen(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    /// Answers calls until it is dropped.
    ///
    /// # Errors
    /// If the listener fails for good.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        let app = match self.contract.clone() {
            Some(file) => Router::new().route("/openapi.json", get(async move || contract(&file))),
            None => Router::new(),
        };
        let app = app.fallback(taken).with_state(self);
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
    }

    /// Replaces every function by what `make` makes. Calls that come meanwhile wait, and get the new ones; if none are
    /// made those before go on.
    ///
    /// # Errors
    /// What `make` says.
    pub async fn replace(
        &self,
        make: impl AsyncFnOnce() -> anyhow::Result<BTreeMap<FunctionName, Spec>>,
    ) -> anyhow::Result<()> {
        let _alone = self.busy.write().await;
        let pools = make().await?.into_iter().map(|(name, spec)| {
            let pool = Arc::new(Pool::new(spec, Arc::clone(&self.story)));
            (name, pool)
        });
        let pools = pools.collect();
        *self.pools.lock().unwrap_or_else(PoisonError::into_inner) = pools;
        Ok(())
    }

    /// `path` is the call's own, as it came.
    async fn answer(&self, call: Call, path: &str, domain: &str) -> Reply {
        let begun = self.clock.now();
        let id = Uuid::now_v7();
        let line = format!("{} {}", call.method, call.path);
        let (reply, by) = match self.routes.find(&call.method, path) {
            None => (gateway::unknown(self.form), "no route".to_owned()),
            Some(matched) => {
                let around = gateway::Gateway {
                    domain,
                    resource: matched.route.path(),
                    route: &matched.route.to_string(),
                    parameters: &matched.parameters,
                    request_id: &id.to_string(),
                    time: begun,
                };
                let event = gateway::event(self.form, &call, &around).to_string();
                (self.ask(matched.function, id, event.as_bytes()).await, matched.function.to_string())
            }
        };
        let took = self.clock.now().since(begun).as_millis();
        self.story.note(&format!("{line} → {} by {by} in {took} ms", reply.status));
        reply
    }

    async fn ask(&self, function: &FunctionName, id: Uuid, event: &[u8]) -> Reply {
        let _ready = self.busy.read().await;
        let pool = self.pools.lock().unwrap_or_else(PoisonError::into_inner).get(function).cloned();
        let Some(pool) = pool else { return gateway::failed(self.form) };
        let limit = Duration::from_secs(match self.form {
            EventForm::V1 => 29,
            EventForm::V2 => 30,
        });
        let answered = tokio::select! {
            answered = pool.invoke(id, event) => answered,
            () = self.clock.sleep(limit) => return gateway::timed_out(self.form),
        };
        match answered {
            Ok(answer) if answer.function_error.is_none() => gateway::answered(self.form, &answer.payload),
            Ok(answer) => {
                self.story.warn(&format!("{function} failed: {}", String::from_utf8_lossy(&answer.payload)));
                gateway::failed(self.form)
            }
            Err(HostError::Event(_)) => gateway::refused(self.form),
            Err(error) => {
                self.story.warn(&format!("{function} failed: {:#}", anyhow::Error::from(error)));
                gateway::failed(self.form)
            }
        }
    }
}

async fn taken(
    State(gateway): State<Arc<LocalGateway>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_CALL).await else { return sent(gateway::refused(gateway.form)) };
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let call = Call {
        method: head.method.to_string(),
        path: percent_encoding::percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(header).collect(),
        body: body.to_vec(),
        source_ip: from.ip().to_string(),
    };
    let domain = call.headers.iter().find(|(name, _)| name == "host").map_or("localhost", |(_, host)| host).to_owned();
    sent(gateway.answer(call, head.uri.path(), &domain).await)
}

/// The functions' contract as the file has it now. No gateway has this route; it is here for whoever tries the functions out.
fn contract(file: &Utf8Path) -> Response<Body> {
    let (status, body) = match std::fs::read_to_string(file) {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::NOT_FOUND, json!({ "message": format!("{file}: {error}") }).to_string()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Headers that HTTP does not allow are left out; the length is the body's own.
fn sent(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        let header = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes()));
        if let (Ok(name), Ok(value)) = header
            && name != CONTENT_LENGTH
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}
