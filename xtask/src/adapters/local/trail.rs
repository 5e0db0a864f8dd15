//! The audit trail of a laptop: the functions' SQLite table, as `infra-local/seed/audit` makes it.

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags, named_params, types::ValueRef};

use crate::{
    model::trail::{Day, Look, Product, Row, Shard},
    ports::trail::{AuditTrail, TrailError},
};

/// The rows of one database.
#[derive(Debug)]
pub struct SqliteTrail {
    database: Utf8PathBuf,
}

const WHO: &str = "SELECT pk, sk, action, status, purpose, request_id FROM Audit_Logs_Local \
                   WHERE product = :product AND sk >= :from AND sk < :until ORDER BY sk";

const ROWS: &str = "SELECT * FROM Audit_Logs_Local WHERE sk >= :from AND sk < :until ORDER BY sk";

impl SqliteTrail {
    /// The trail in this database. Nothing is opened yet.
    #[must_use]
    pub fn new(database: &Utf8Path) -> Self {
        Self { database: database.to_owned() }
    }

    /// Runs a query on it. Where it is not there, nobody knows whether it ever was.
    fn read<T>(&self, query: impl Fn(&Connection) -> rusqlite::Result<Vec<T>>) -> Result<Vec<T>, TrailError> {
        if !self.database.exists() {
            return Err(TrailError::Missing(format!(
                "{} is not there: nothing was deployed yet, or it is gone",
                self.database
            )));
        }
        let opened = Connection::open_with_flags(&self.database, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let rows = opened.and_then(|connection| {
            // Functions of another process may be writing.
            connection.busy_timeout(std::time::Duration::from_secs(10))?;
            query(&connection)
        });
        rows.map_err(|error| TrailError::Unreachable {
            what: format!("reading {}", self.database),
            source: error.into(),
        })
    }

    fn whole(connection: &Connection, day: Day) -> rusqlite::Result<Vec<Row>> {
        let mut statement = connection.prepare(ROWS)?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let row = |row: &rusqlite::Row<'_>| {
            let mut whole = Row::new();
            for (column, name) in names.iter().enumerate() {
                let text = match row.get_ref(column)? {
                    ValueRef::Null => continue,
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    // Bytes that are no text are none of a function's.
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => std::str::from_utf8(bytes)?.to_owned(),
                };
                whole.insert(name.clone(), text);
            }
            Ok(whole)
        };
        let (from, until) = (format!("AUDIT#{day}T"), format!("AUDIT#{day}U"));
        statement.query_map(named_params! { ":from": from, ":until": until }, row)?.collect()
    }

    fn looks(connection: &Connection, product: &Product, day: Day) -> rusqlite::Result<Vec<[String; 6]>> {
        let mut statement = connection.prepare(WHO)?;
        // Times begin with the day and a `T`, behind which `U` stands.
        let (from, until) = (format!("AUDIT#{day}T"), format!("AUDIT#{day}U"));
        let columns = |row: &rusqlite::Row<'_>| Ok([0, 1, 2, 3, 4, 5].map(|column| row.get::<_, String>(column)));
        let asked = named_params! { ":product": product.as_str(), ":from": from, ":until": until };
        let rows = statement.query_map(asked, columns)?;
        rows.map(|row| row.and_then(all)).collect()
    }
}

#[async_trait]
impl AuditTrail for SqliteTrail {
    async fn who(&self, product: &Product, day: Day) -> Result<Vec<Look>, TrailError> {
        let rows = self.read(|connection| Self::looks(connection, product, day))?;
        rows.into_iter().map(look).collect()
    }

    async fn rows(&self, day: Day, shard: Shard) -> Result<Vec<Row>, TrailError> {
        let rows = self.read(|connection| Self::whole(connection, day))?;
        // One that is in no part of the day would be in no archive either.
        let lost = |row: &Row| !Shard::all().any(|shard| row.get("sk").is_some_and(|key| shard.holds(key)));
        if rows.iter().any(lost) {
            return Err(TrailError::Strange("its key ends in no UUID".to_owned()));
        }
        Ok(rows.into_iter().filter(|row| row.get("sk").is_some_and(|key| shard.holds(key))).collect())
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
