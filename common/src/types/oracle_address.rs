//! Where an Oracle database is, as its client library wants to be told.

use std::net::Ipv6Addr;
use std::time::Duration;

/// Host, port and service of a database. Nothing in it can change the connect descriptor that it is written into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleAddress {
    tls: bool,
    host: String,
    port: u16,
    service: String,
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOracleAddress {
    /// `ORACLE_HOST`.
    #[error("ORACLE_HOST must be a host's name or address, with tcps:// before it where TLS is wanted")]
    Host,
    /// `ORACLE_PORT`.
    #[error("ORACLE_PORT must be a number from 1 to 65535")]
    Port,
    /// `ORACLE_SERVICE`.
    #[error("ORACLE_SERVICE must be the name of a database service, such as FREEPDB1")]
    Service,
}

/// Oracle's own port.
const PORT: u16 = 1521;

impl OracleAddress {
    /// Checks `host` (`tcps://` before it asks for TLS), `port` (1521 if not given) and `service`.
    ///
    /// # Errors
    /// The first of them that is not one.
    pub fn new(host: &str, port: Option<&str>, service: &str) -> Result<Self, InvalidOracleAddress> {
        let (tls, host) = host.strip_prefix("tcps://").map_or((false, host), |host| (true, host));
        let host_may = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let service_may = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'$' | b'#');
        let name = !host.is_empty() && host.bytes().all(host_may);
        if !name && host.parse::<Ipv6Addr>().is_err() {
            return Err(InvalidOracleAddress::Host);
        }
        let port = port.map_or(Ok(PORT), str::parse).ok().filter(|port| *port > 0).ok_or(InvalidOracleAddress::Port)?;
        if service.is_empty() || !service.bytes().all(service_may) {
            return Err(InvalidOracleAddress::Service);
        }
        Ok(Self { tls, host: host.to_owned(), port, service: service.to_owned() })
    }

    /// The connect descriptor; whoever does not answer within `limit` (whole seconds, one at least) is given up.
    ///
    /// Oracle Net counts the way to the listener apart (`TRANSPORT_CONNECT_TIMEOUT`), waits for a minute if it is not told
    /// otherwise, and tries all of it again as often as `RETRY_COUNT` says (Database Net Services Reference, "Local Naming
    /// Parameters in the tnsnames.ora File").
    pub fn descriptor(&self, limit: Duration) -> String {
        let Self { tls, host, port, service } = self;
        let (protocol, seconds) = (if *tls { "TCPS" } else { "TCP" }, limit.as_secs().max(1));
        format!(
            "(DESCRIPTION=(CONNECT_TIMEOUT={seconds})(TRANSPORT_CONNECT_TIMEOUT={seconds})(RETRY_COUNT=0)\
             (ADDRESS=(PROTOCOL={protocol})(HOST={host})(PORT={port}))(CONNECT_DATA=(SERVICE_NAME={service})))"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_descriptor() {
        let descriptor = |host: &str, port: Option<&str>| {
            OracleAddress::new(host, port, "FREEPDB1").unwrap().descriptor(Duration::from_millis(2_900))
        };
        assert_eq!(
            descriptor("db.internal", None),
            "(DESCRIPTION=(CONNECT_TIMEOUT=2)(TRANSPORT_CONNECT_TIMEOUT=2)(RETRY_COUNT=0)\
             (ADDRESS=(PROTOCOL=TCP)(HOST=db.internal)(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=FREEPDB1)))"
        );
        assert!(descriptor("tcps://10.0.0.7", Some("2484")).contains("(PROTOCOL=TCPS)(HOST=10.0.0.7)(PORT=2484)"));
        assert!(descriptor("fd00::7", None).contains("(HOST=fd00::7)"));
        let short = OracleAddress::new("h", None, "S").unwrap().descriptor(Duration::ZERO);
        assert!(short.contains("(CONNECT_TIMEOUT=1)"), "none at all would be: wait for ever");
    }

    #[test]
    fn nothing_else_gets_into_the_descriptor() {
        for host in ["", "tcps://", "db)(HOST=evil", "db:1521", "tcp://db", "d b", "db\n"] {
            assert_eq!(OracleAddress::new(host, None, "S"), Err(InvalidOracleAddress::Host), "{host:?}");
        }
        for port in ["", "0", "65536", "-1", "x"] {
            assert_eq!(OracleAddress::new("h", Some(port), "S"), Err(InvalidOracleAddress::Port), "{port:?}");
        }
        for service in ["", "a b", "S)(SERVER=DEDICATED", "s/x"] {
            assert_eq!(OracleAddress::new("h", None, service), Err(InvalidOracleAddress::Service), "{service:?}");
        }
    }
}
