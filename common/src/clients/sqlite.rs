//! A SQLite database that somebody else made: opened on first use, and again after any failure.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;
use rusqlite::{Connection, OpenFlags, ToSql};

use crate::types::{Invocation, Query, Row, SqlStore, StoreError};

/// How long a statement waits for another process that writes to the same database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// One database file and the connection to it. Never creates the file.
pub struct SqliteClient {
    store: &'static str,
    path: Utf8PathBuf,
    access: Access,
    open: Mutex<Option<Open>>,
}

/// What a client may do with its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only read.
    Read,
    /// Read and write.
    Write,
}

struct Open {
    connection: Connection,
    file: FileId,
}

/// Device and inode: which file it is, whatever its name.
type FileId = (u64, u64);

impl SqliteClient {
    /// A client for the database at `path`, named `store` in its errors. Touches nothing yet.
    pub fn new(store: &'static str, path: Utf8PathBuf, access: Access) -> Self {
        Self { store, path, access, open: Mutex::new(None) }
    }

    /// Runs `work` on the connection; `action` says in errors what it does ("read the price").
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file is not there, is locked for two seconds, or refuses the statement;
    /// [`StoreError::Malformed`] if a column holds something of another type than `work` asks for.
    pub fn run<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let unavailable = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Unavailable {
            action,
            store: self.store,
            source,
        };
        // A panic elsewhere cannot leave the slot half written: it holds a connection or none.
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.file().map_err(|error| unavailable(error.into()))?;
        // A developer who makes the databases anew leaves us with a deleted file in hand; an audit item written there
        // would be lost in silence, so the connection is good only as long as the name still means the same file.
        let open = match slot.take().filter(|open| open.file == file) {
            Some(open) => open,
            None => Open { connection: self.connect().map_err(|error| unavailable(error.into()))?, file },
        };
        use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};
        match work(&open.connection) {
            Ok(result) => {
                *slot = Some(open);
                Ok(result)
            }
            // The words name a column and a type, and no value.
            Err(error @ (InvalidColumnType(..) | FromSqlConversionFailure(..) | Utf8Error(..))) => {
                *slot = Some(open);
                Err(StoreError::Malformed { what: "row", store: self.store, source: error.into() })
            }
            Err(error) => Err(unavailable(error.into())),
        }
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let mode = match self.access {
            Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        // The mutex around the slot already serialises, so SQLite's own is not needed.
        let connection = Connection::open_with_flags(&self.path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // An audit item counts as written when it would survive a power cut; in WAL mode only FULL promises that.
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    }

    fn file(&self) -> io::Result<FileId> {
        let metadata = std::fs::metadata(&self.path)?;
        Ok((metadata.dev(), metadata.ino()))
    }
}

impl SqlStore for SqliteClient {
    async fn rows(&self, _: &Invocation, action: &'static str, query: Query) -> Result<Vec<Row>, StoreError> {
        self.run(action, |connection| {
            let mut statement = connection.prepare_cached(query.text())?;
            // SQLite takes a value that is not given for NULL; Oracle refuses the statement (ORA-01008).
            let (given, needed) = (query.binds().len(), statement.parameter_count());
            if given != needed {
                return Err(rusqlite::Error::InvalidParameterCount(given, needed));
            }
            let names: Vec<String> = query.binds().iter().map(|(name, _)| format!(":{name}")).collect();
            let values = query.binds().iter().map(|(_, value)| value as &dyn ToSql);
            let binds: Vec<_> = names.iter().map(String::as_str).zip(values).collect();
            let columns = statement.column_count();
            // A number of SQLite's own, which may be a float, is no text, and refused.
            statement.query_map(&*binds, |row| (0..columns).map(|at| row.get(at)).collect())?.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Folder, block_on, folder, invocation};

    fn count(client: &SqliteClient) -> Result<i64, StoreError> {
        client.run("count", |connection| connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)))
    }

    fn make(folder: &Folder, name: &str, rows: u32) -> Utf8PathBuf {
        let path = folder.path.join(name);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE t (x INTEGER)").unwrap();
        for row in 0..rows {
            connection.execute("INSERT INTO t VALUES (:row)", [row]).unwrap();
        }
        path
    }

    #[test]
    fn a_missing_file_is_an_error_until_it_is_there_and_is_never_created() {
        let folder = folder();
        let path = folder.path.join("later.db");
        let client = SqliteClient::new("price", path.clone(), Access::Write);
        let error = count(&client).unwrap_err();
        assert_eq!(error.to_string(), "cannot count in the price store");
        assert!(!path.exists());
        make(&folder, "later.db", 1);
        assert_eq!(count(&client).unwrap(), 1);
    }

    #[test]
    fn a_replaced_file_is_opened_anew() {
        let folder = folder();
        let path = make(&folder, "live.db", 1);
        let client = SqliteClient::new("price", path.clone(), Access::Write);
        assert_eq!(count(&client).unwrap(), 1);
        std::fs::rename(make(&folder, "new.db", 3), &path).unwrap();
        assert_eq!(count(&client).unwrap(), 3);
    }

    #[test]
    fn rows_are_texts_and_every_bind_is_given() {
        let folder = folder();
        let connection = Connection::open(folder.path.join("t.db")).unwrap();
        connection.execute_batch("CREATE TABLE t (a, b); INSERT INTO t VALUES ('1', NULL), ('2', 2.5)").unwrap();
        let client = SqliteClient::new("price", folder.path.join("t.db"), Access::Read);
        let rows = |query: Query| block_on(client.rows(&invocation(), "read", query));
        let by_a = |a: &str| rows(Query::new("SELECT a, b FROM t WHERE a = :a").bind("a", a));
        assert_eq!(by_a("1").unwrap(), [[Some("1".to_owned()), None]]);
        assert_eq!(by_a("' OR 1 = 1 --").unwrap(), [[None; 0]; 0]);
        assert!(by_a("2").is_err(), "a float is no text");
        assert!(rows(Query::new("SELECT a FROM t WHERE a = :a")).is_err());
        assert!(rows(Query::new("SELECT a FROM t WHERE a = :a").bind("b", "1")).is_err());
    }

    #[test]
    fn a_reader_cannot_write() {
        let folder = folder();
        let client = SqliteClient::new("price", make(&folder, "live.db", 0), Access::Read);
        assert!(client.run("write", |connection| connection.execute("INSERT INTO t VALUES (1)", [])).is_err());
        assert_eq!(count(&client).unwrap(), 0);
    }
}
