//! The stores of a laptop: SQLite databases made and filled from the SQL files of the repository. The files may be
//! applied again at any time, so they are, before anything is deployed.

use std::fs;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

/// Applies a folder's SQL files, in the order of their names, to a database; makes the database if there is none.
/// Each file runs as it is, outside of a transaction: it may set the journal's mode.
///
/// # Errors
/// If a file cannot be read or does not run; the message names it.
pub fn apply(database: &Utf8Path, folder: &Utf8Path) -> anyhow::Result<()> {
    if let Some(parent) = database.parent() {
        fs::create_dir_all(parent).with_context(|| format!("failed to make the folder {parent}"))?;
    }
    let connection = rusqlite::Connection::open(database).with_context(|| format!("failed to open {database}"))?;
    // Functions of another process may be writing their audit rows.
    connection
        .busy_timeout(std::time::Duration::from_secs(10))
        .with_context(|| format!("failed to open {database}"))?;
    for path in sql_files(folder).with_context(|| format!("failed to read the seeds in {folder}"))? {
        let sql = fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
        connection.execute_batch(&sql).with_context(|| format!("failed to apply {path} to {database}"))?;
    }
    Ok(())
}

fn sql_files(folder: &Utf8Path) -> std::io::Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    for item in folder.read_dir_utf8()? {
        let path = item?.into_path();
        if path.extension() == Some("sql") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_in_order_and_again_and_names_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        fs::write(root.join("2.sql"), "INSERT OR IGNORE INTO t VALUES (1);").unwrap();
        fs::write(root.join("1.sql"), "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY);").unwrap();
        fs::write(root.join("notes.txt"), "not SQL").unwrap();
        let database = root.join("data/dev.sqlite");
        apply(&database, &root).unwrap();
        apply(&database, &root).unwrap();
        fs::write(root.join("3.sql"), "INSERT INTO nowhere VALUES (1);").unwrap();
        let error = apply(&database, &root).unwrap_err();
        assert!(error.to_string().contains("3.sql"), "{error}");
    }
}
