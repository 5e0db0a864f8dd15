//! Oracle: a pool that is made when it is first needed, once per process, and anew after a failure.
//!
//! The client library blocks, so it runs on threads of its own; whoever waits for it waits for a bounded time. It is only read
//! from: audit items never go here.

mod driver;
mod fault;
mod login;

use std::sync::{Arc, Mutex, PoisonError};

use driver::{Call, Driver, Odpi};
pub use fault::{FaultKind, OracleFault};
use login::Login;

use crate::clients::{OPERATION_TIMEOUT, SecretError};
use crate::types::{Clock, Credentials, Invocation, OracleAccess, Query, Row, SqlStore, StoreError};

/// One database, as one user, for one function.
pub struct OracleClient<D: Driver = Odpi> {
    store: &'static str,
    module: &'static str,
    clock: Arc<dyn Clock>,
    login: Arc<Login>,
    line: Arc<Line<D>>,
}

/// Why the database gave no rows. It holds no value that was read, written or logged in with.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// The database or its client library says why.
    #[error(transparent)]
    Fault(#[from] OracleFault),
    /// There is no password to log in with.
    #[error("{}: there is nothing to log in with", FaultKind::Credentials.code())]
    Secret(#[from] SecretError),
    /// The same would be refused again.
    #[error("{}: the database refused this login less than a minute ago: correct the secret", FaultKind::Credentials.code())]
    Refused,
    /// There was no answer in time.
    #[error("{}: Oracle does not answer in time", FaultKind::TimedOut.code())]
    Late,
    /// The function would end before the lookup could be recorded.
    #[error("{}: the invocation has no time left for a lookup: give the function more", FaultKind::TimedOut.code())]
    NoTime,
    /// The thread that waited for Oracle is gone.
    #[error("{}: the call of Oracle was broken off", FaultKind::Disconnected.code())]
    Gone(#[source] tokio::task::JoinError),
}

impl OracleClient {
    /// A client for the function `module`; `store` names in errors what it holds. Touches nothing yet.
    ///
    /// # Errors
    /// If the machine's certificates cannot be read; they are only where a secret is asked for.
    pub fn new(
        (store, module): (&'static str, &'static str),
        access: OracleAccess,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let OracleAccess { address, login, library } = access;
        let login = Arc::new(Login::new(login, Arc::clone(&clock))?);
        let line = Arc::new(Line { driver: Odpi::new(address, library), open: Mutex::default() });
        Ok(Self { store, module, clock, login, line })
    }
}

impl<D: Driver> SqlStore for OracleClient<D> {
    async fn rows(&self, invocation: &Invocation, action: &'static str, query: Query) -> Result<Vec<Row>, StoreError> {
        let rows = self.in_time(invocation, action, query).await;
        rows.map_err(|error| StoreError::Unavailable { action, store: self.store, source: error.into() })
    }
}

impl<D: Driver> OracleClient<D> {
    /// The audit item follows, and has the same time again.
    async fn in_time(
        &self,
        invocation: &Invocation,
        action: &'static str,
        query: Query,
    ) -> Result<Vec<Row>, OracleError> {
        let limit = invocation.budget(self.clock.now(), OPERATION_TIMEOUT, OPERATION_TIMEOUT);
        let limit = limit.ok_or(OracleError::NoTime)?;
        let request_id = invocation.request_id.clone();
        let call = Arc::new(Call { query, module: self.module, action, request_id, limit });
        tokio::time::timeout(limit, self.attempts(&call)).await.unwrap_or(Err(OracleError::Late))
    }

    /// A lost connection is made anew, and a password that was rotated is read anew, once each way: reading twice does no harm.
    async fn attempts(&self, call: &Arc<Call>) -> Result<Vec<Row>, OracleError> {
        let credentials = self.login.credentials().await?;
        let fault = match self.attempt(&credentials, call).await {
            Err(OracleError::Fault(fault)) => fault,
            answer => return answer,
        };
        match fault.kind {
            FaultKind::NotFound => Ok(Vec::new()),
            FaultKind::Disconnected => self.attempt(&credentials, call).await,
            FaultKind::Credentials => match self.login.other_than(&credentials).await? {
                Some(fresh) => self.attempt(&fresh, call).await,
                None => Err(fault.into()),
            },
            FaultKind::Busy | FaultKind::TimedOut | FaultKind::ClientLibrary | FaultKind::Refused => Err(fault.into()),
        }
    }

    async fn attempt(&self, credentials: &Credentials, call: &Arc<Call>) -> Result<Vec<Row>, OracleError> {
        let (line, login) = (Arc::clone(&self.line), Arc::clone(&self.login));
        let (credentials, call) = (credentials.clone(), Arc::clone(call));
        let work = move || {
            let rows = line.rows(&credentials, &call);
            if let Err(OracleFault { kind: FaultKind::Credentials, .. }) = rows {
                // Here and not where the answer is awaited: the database lets whoever failed before wait for its refusal, and by
                // then nobody may be there any more.
                login.note_refused(credentials);
            }
            rows
        };
        Ok(tokio::task::spawn_blocking(work).await.map_err(OracleError::Gone)??)
    }
}

/// The driver and the pool that it made last.
struct Line<D: Driver> {
    driver: D,
    open: Mutex<Option<Arc<Open<D>>>>,
}

struct Open<D: Driver> {
    credentials: Credentials,
    pool: D::Pool,
}

impl<D: Driver> Line<D> {
    fn rows(&self, credentials: &Credentials, call: &Call) -> Result<Vec<Row>, OracleFault> {
        let open = self.opened(credentials, call)?;
        let rows = self.driver.rows(&open.pool, call);
        if let Err(OracleFault {
            kind: FaultKind::Disconnected | FaultKind::TimedOut | FaultKind::Credentials, ..
        }) = rows
        {
            self.forget(&open);
        }
        rows
    }

    /// The pool of this user. It is kept by the thread that made it, even if nobody waits for that any more: the next lookup
    /// then finds it made.
    fn opened(&self, credentials: &Credentials, call: &Call) -> Result<Arc<Open<D>>, OracleFault> {
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.as_ref().filter(|open| open.credentials == *credentials) {
            Some(open) => Ok(Arc::clone(open)),
            None => {
                let pool = self.driver.open(credentials, call.limit)?;
                Ok(Arc::clone(slot.insert(Arc::new(Open { credentials: credentials.clone(), pool }))))
            }
        }
    }

    /// Unless somebody made another one meanwhile.
    fn forget(&self, spoilt: &Arc<Open<D>>) {
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|open| Arc::ptr_eq(open, spoilt)) {
            *slot = None;
        }
    }
}

#[cfg(test)]
mod tests;
