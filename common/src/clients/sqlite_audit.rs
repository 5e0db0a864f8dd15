//! The audit table in SQLite. The database itself refuses to change or delete an item (see the seeds' triggers).

use camino::Utf8PathBuf;
use rusqlite::named_params;

use crate::clients::{Access, SqliteClient};
use crate::models::AuditItem;
use crate::types::{AuditStore, StoreError};

/// Appends audit items to the table of [`AUDIT_TABLE_LOCAL`](crate::constants::AUDIT_TABLE_LOCAL).
pub struct SqliteAuditStore {
    client: SqliteClient,
}

const APPEND: &str = "INSERT INTO Audit_Logs_Local \
    (pk, sk, action, status, purpose, product, configuration_key, request_id, ttl) \
    SELECT :pk, :sk, :action, :status, :purpose, :product, :configuration_key, :request_id, :ttl \
    WHERE NOT EXISTS (SELECT 1 FROM Audit_Logs_Local WHERE pk = :pk AND sk = :sk AND action = :action \
    AND status = :status AND purpose = :purpose AND product IS :product \
    AND configuration_key IS :configuration_key AND request_id = :request_id AND ttl = :ttl)";

impl SqliteAuditStore {
    /// The audit store in the database at `path`.
    pub fn new(path: Utf8PathBuf) -> Self {
        Self { client: SqliteClient::new("audit", path, Access::Write) }
    }
}

impl AuditStore for SqliteAuditStore {
    async fn append(&self, item: &AuditItem) -> Result<(), StoreError> {
        let lookup = &item.lookup;
        self.client.run("append an item", |connection| {
            connection.prepare_cached(APPEND)?.execute(named_params! {
                ":pk": item.expose_pk(),
                ":sk": item.sk(),
                ":action": lookup.action.as_str(),
                ":status": item.status.as_str(),
                ":purpose": lookup.user.purpose().as_str(),
                ":product": lookup.subject.product(),
                ":configuration_key": lookup.subject.configuration_key(),
                ":request_id": lookup.request_id.as_str(),
                ":ttl": item.expires,
            })?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::testing::conformance::{appends_once, item};
    use crate::testing::{ALICE, Folder, audit_rows, block_on, seeded};

    fn with_one_item() -> (Folder, AuditItem, Connection) {
        let folder = seeded();
        let item = item(ALICE);
        block_on(SqliteAuditStore::new(folder.audit()).append(&item)).unwrap();
        let connection = Connection::open(folder.audit()).unwrap();
        (folder, item, connection)
    }

    #[test]
    fn an_item_is_written_once_and_with_every_field() {
        let folder = seeded();
        let store = SqliteAuditStore::new(folder.audit());
        block_on(appends_once(&store, async || audit_rows(&folder.audit())));
    }

    #[test]
    fn no_statement_changes_or_removes_an_item() {
        let (folder, item, connection) = with_one_item();
        let before = audit_rows(&folder.audit());
        for statement in [
            "UPDATE Audit_Logs_Local SET status = 'ERROR'",
            "DELETE FROM Audit_Logs_Local",
            // REPLACE deletes without firing the delete trigger; the insert trigger has to stop it.
            "INSERT OR REPLACE INTO Audit_Logs_Local SELECT pk, sk, action, 'ERROR', purpose, product, \
             configuration_key, request_id, ttl FROM Audit_Logs_Local",
            "INSERT INTO Audit_Logs_Local SELECT * FROM Audit_Logs_Local WHERE true \
             ON CONFLICT DO UPDATE SET status = 'ERROR'",
        ] {
            let error = connection.execute(statement, []).unwrap_err().to_string();
            assert!(error.contains("append-only"), "{statement}: {error}");
        }
        let other = AuditItem { status: crate::models::Status::Error, ..item };
        assert!(block_on(SqliteAuditStore::new(folder.audit()).append(&other)).is_err());
        assert_eq!(audit_rows(&folder.audit()), before);
    }

    #[test]
    fn several_processes_can_append_at_once() {
        let folder = seeded();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let store = SqliteAuditStore::new(folder.audit());
                    for _ in 0..25 {
                        block_on(store.append(&item(ALICE))).unwrap();
                    }
                });
            }
        });
        assert_eq!(audit_rows(&folder.audit()).len(), 100);
    }

    #[test]
    fn without_its_table_it_is_unavailable() {
        let folder = seeded();
        Connection::open(folder.audit()).unwrap().execute_batch("DROP TABLE Audit_Logs_Local").unwrap();
        let error = block_on(SqliteAuditStore::new(folder.audit()).append(&item(ALICE))).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { store: "audit", .. }));
    }
}
