//! The audit trail of a laptop: the functions' SQLite table, as `infra-local/seed/audit` makes it.

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags, Row, named_params};

use crate::{
    model::trail::{Day, Look, Product},
    ports::trail::{AuditTrail, TrailError},
};

/// The rows of one database.
#[derive(Debug)]
pub struct SqliteTrail {
    database: Utf8PathBuf,
}

const WHO: &str = "SELECT pk, sk, action, status, purpose, request_id FROM Audit_Logs_Local \
                   WHERE product = :product AND sk >= :from AND sk < :until ORDER BY sk";

impl SqliteTrail {
    /// The trail in this database. Nothing is opened yet.
    #[must_use]
    pub fn new(database: &Utf8Path) -> Self {
        Self { database: database.to_owned() }
    }

    fn read(&self, product: &Product, day: Day) -> rusqlite::Result<Vec<[String; 6]>> {
        let connection = Connection::open_with_flags(&self.database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // Functions of another process may be writing.
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        let mut statement = connection.prepare(WHO)?;
        // Times begin with the day and a `T`, behind which `U` stands.
        let (from, until) = (format!("AUDIT#{day}T"), format!("AUDIT#{day}U"));
        let columns = |row: &Row<'_>| Ok([0, 1, 2, 3, 4, 5].map(|column| row.get::<_, String>(column)));
        let asked = named_params! { ":product": product.as_str(), ":from": from, ":until": until };
        let rows = statement.query_map(asked, columns)?;
        rows.map(|row| row.and_then(all)).collect()
    }
}

#[async_trait]
impl AuditTrail for SqliteTrail {
    async fn who(&self, product: &Product, day: Day) -> Result<Vec<Look>, TrailError> {
        if !self.database.exists() {
            // Nothing was deployed there yet, so nobody can have looked at anything.
            return Ok(Vec::new());
        }
        let rows = self.read(product, day).map_err(|error| TrailError::Unreachable {
            what: format!("reading {}", self.database),
            source: error.into(),
        })?;
        rows.into_iter().map(look).collect()
    }
}

fn all(columns: [rusqlite::Result<String>; 6]) -> rusqlite::Result<[String; 6]> {
    let [pk, sk, action, status, purpose, request] = columns;
    Ok([pk?, sk?, action?, status?, purpose?, request?])
}

fn look([pk, sk, action, status, purpose, request]: [String; 6]) -> Result<Look, TrailError> {
    let at = sk.split('#').nth(1).and_then(|at| at.parse().ok());
    match (pk.strip_prefix("USER#"), at) {
        (Some(user), Some(at)) => Ok(Look { at, user: user.to_owned(), action, status, purpose, request }),
        // Its keys may hold anything, personal data too.
        _ => Err(TrailError::Strange("its keys are none of a look".to_owned())),
    }
}
