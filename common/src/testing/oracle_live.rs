//! An Oracle server that is there, for the tests that need one. The variables `ORACLE_TEST_HOST`, `ORACLE_TEST_PORT` (1521),
//! `ORACLE_TEST_SERVICE`, `ORACLE_TEST_USER` and `ORACLE_TEST_PASSWORD` name it; a test without them fails.

use std::sync::Arc;
use std::time::Duration;

use oracle::Connection;

use super::seeds::{seed_files, statements};
use crate::clients::OracleClient;
use crate::types::{Credentials, OracleAccess, OracleAddress, OracleLogin, Secret, SystemClock};

#[expect(clippy::disallowed_methods, reason = "the variables of a test run, which no code that ships reads")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn needed(name: &str) -> String {
    variable(name).unwrap_or_else(|| panic!("{name} is not set: it names the Oracle server to test on"))
}

/// A client of the server, after the seeds of Oracle were applied to it twice, as they must be able to.
pub fn seeded(names: (&'static str, &'static str)) -> OracleClient {
    let access = access(needed("ORACLE_TEST_PASSWORD"));
    let OracleLogin::Given(Credentials { user, password }) = &access.login else { panic!("another login") };
    let descriptor = access.address.descriptor(Duration::from_secs(30));
    let connection = Connection::connect(user.expose(), password.expose(), descriptor).unwrap();
    for _ in 0..2 {
        for statement in seed_files("oracle").iter().flat_map(|file| statements(file)) {
            connection.execute(&statement, &[]).unwrap_or_else(|error| panic!("{error}: {statement}"));
        }
    }
    connection.commit().unwrap();
    OracleClient::new(names, access, Arc::new(SystemClock)).unwrap()
}

/// A client that logs in with this password, whatever is right.
pub fn with_password(names: (&'static str, &'static str), password: &str) -> OracleClient {
    OracleClient::new(names, access(password.to_owned()), Arc::new(SystemClock)).unwrap()
}

fn access(password: String) -> OracleAccess {
    let (host, port) = (needed("ORACLE_TEST_HOST"), variable("ORACLE_TEST_PORT"));
    let address = OracleAddress::new(&host, port.as_deref(), &needed("ORACLE_TEST_SERVICE")).unwrap();
    let login = OracleLogin::Given(Credentials {
        user: Secret::new(needed("ORACLE_TEST_USER")),
        password: Secret::new(password),
    });
    OracleAccess { address, login, library: None }
}
