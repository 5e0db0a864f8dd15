//! The one place that speaks to Oracle's client library, through the crate `oracle` and ODPI-C. Everything here blocks.

use std::time::Duration;

use camino::Utf8PathBuf;
use oracle::InitParams;
use oracle::pool::{GetMode, Pool, PoolBuilder};
use oracle::sql_type::ToSql;

use super::fault::OracleFault;
use crate::models::RequestId;
use crate::types::{Credentials, OracleAddress, Query, Row};

/// What a call of the database needs; every operation blocks its thread.
pub trait Driver: Send + Sync + 'static {
    /// Connections of one user.
    type Pool: Send + Sync + 'static;

    /// Connects; whoever does not answer within `limit` is given up.
    ///
    /// # Errors
    /// What the database or its client library says.
    fn open(&self, credentials: &Credentials, limit: Duration) -> Result<Self::Pool, OracleFault>;

    /// Answers `call` on a connection of `pool` that was seen to live.
    ///
    /// # Errors
    /// What the database or its client library says.
    fn rows(&self, pool: &Self::Pool, call: &Call) -> Result<Vec<Row>, OracleFault>;
}

/// One query, and what its session is tagged with.
#[derive(Clone)]
pub struct Call {
    /// What is asked.
    pub query: Query,
    /// `V$SESSION.MODULE`: the function.
    pub module: &'static str,
    /// `V$SESSION.ACTION`: what the query does.
    pub action: &'static str,
    /// `V$SESSION.CLIENT_IDENTIFIER`, which Oracle's own audit trail keeps as well: the request id.
    pub request_id: RequestId,
    /// How long all of it may take.
    pub limit: Duration,
}

/// Connections that a sandbox keeps: it serves one event at a time, and the second is for when the first one hangs.
const CONNECTIONS: u32 = 2;

/// A connection that nobody used for this long is asked first whether it still lives: a sandbox that was frozen for longer finds
/// its connections closed, and nobody told it.
const PING_AFTER: Duration = Duration::from_secs(5);

/// How long that question waits.
const PING_LIMIT: Duration = Duration::from_millis(500);

/// More than the statements that a function has, so that each is parsed once per connection.
const STATEMENTS: u32 = 16;

/// The real client library.
pub struct Odpi {
    address: OracleAddress,
    library: Option<Utf8PathBuf>,
}

impl Odpi {
    pub(super) fn new(address: OracleAddress, library: Option<Utf8PathBuf>) -> Self {
        Self { address, library }
    }
}

impl Driver for Odpi {
    type Pool = Pool;

    fn open(&self, credentials: &Credentials, limit: Duration) -> Result<Pool, OracleFault> {
        // The library is loaded once per process; a failure is not kept, so a later call may find it.
        let mut library = InitParams::new();
        if let Some(folder) = &self.library {
            library.oracle_client_lib_dir(folder.as_str()).map_err(fault)?;
        }
        library.init().map_err(fault)?;
        let Credentials { user, password } = credentials;
        let mut pool = PoolBuilder::new(user.expose(), password.expose(), self.address.descriptor(limit));
        pool.min_connections(1).max_connections(CONNECTIONS).connection_increment(1);
        pool.get_mode(GetMode::TimedWait(limit)).stmt_cache_size(STATEMENTS);
        pool.ping_interval(Some(PING_AFTER)).and_then(|pool| pool.ping_timeout(PING_LIMIT)).map_err(fault)?;
        pool.build().map_err(fault)
    }

    fn rows(&self, pool: &Pool, call: &Call) -> Result<Vec<Row>, OracleFault> {
        let read = || -> oracle::Result<Vec<Row>> {
            let connection = pool.get()?;
            // A call that took too long is cleaned up after, which may take as long again.
            connection.set_call_timeout(Some(call.limit / 2))?;
            connection.set_module(call.module)?;
            connection.set_action(call.action)?;
            connection.set_client_identifier(call.request_id.as_str())?;
            let binds = call.query.binds().iter().map(|(name, value)| (*name, value as &dyn ToSql));
            let mut statement = connection.statement(call.query.text()).build()?;
            let rows = statement.query_named(&binds.collect::<Vec<_>>())?;
            // ODPI-C gives a NUMBER as text, digit by digit: it is never a float.
            rows.map(|row| row?.sql_values().iter().map(|value| value.get()).collect()).collect()
        };
        read().map_err(fault)
    }
}

/// What the crate's own errors say may repeat a value, so only what the database says is looked at.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn fault(error: oracle::Error) -> OracleFault {
    OracleFault::of(error.db_error().map_or("", oracle::DbError::message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::oracle::FaultKind;
    use crate::testing::folder;
    use crate::types::Secret;

    #[test]
    fn without_the_client_library_the_error_says_so_each_time() {
        let folder = folder();
        let odpi = Odpi::new(OracleAddress::new("127.0.0.1", None, "FREEPDB1").unwrap(), Some(folder.path.clone()));
        let credentials = Credentials { user: "app".into(), password: Secret::new("p".into()) };
        for _ in 0..2 {
            let fault = odpi.open(&credentials, Duration::from_secs(1)).err().unwrap();
            assert_eq!(fault.kind, FaultKind::ClientLibrary);
            let shown = fault.to_string();
            assert!(shown.starts_with("ORACLE_CLIENT_LIBRARY (DPI-1047): ") && shown.contains("layer"), "{shown}");
            assert!(!shown.contains(folder.path.as_str()), "{shown}");
        }
    }
}
