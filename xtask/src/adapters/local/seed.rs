//! The stores of a laptop: SQLite databases made and filled from the SQL files of the repository. The files may be
//! applied again at any time, so they are, before anything is deployed.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

/// How long functions of another process may take that write their audit rows meanwhile.
const BUSY: Duration = Duration::from_secs(10);

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
    connection.busy_timeout(BUSY).with_context(|| format!("failed to open {database}"))?;
    for path in sql_files(folder).with_context(|| format!("failed to read the seeds in {folder}"))? {
        let sql = fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
        connection.execute_batch(&sql).with_context(|| format!("failed to apply {path} to {database}"))?;
    }
    Ok(())
}

/// Puts back every row that a folder's SQL files bring and that is not there, or differs; then applies them, so that their
/// tables are there, too. Rows that they do not bring stay, so nothing happens to a table that they leave empty, as that of the
/// audit items. Gives the number of rows by table.
///
/// # Errors
/// As `apply`; if a table is of another form than the files make it.
pub fn restore(database: &Utf8Path, folder: &Utf8Path) -> anyhow::Result<BTreeMap<String, usize>> {
    if let Some(parent) = database.parent() {
        fs::create_dir_all(parent).with_context(|| format!("failed to make the folder {parent}"))?;
    }
    let fresh = tempfile::tempdir().context("failed to make a temporary folder")?;
    let seeds = Utf8Path::from_path(fresh.path()).context("the temporary folder's path is not UTF-8")?.join("seeds");
    apply(&seeds, folder)?;
    let remedy = || format!("failed to put back what the seeds say into {database}; remove that file to begin anew");
    let restored = put_back(database, &seeds).with_context(remedy)?;
    apply(database, folder).with_context(remedy)?;
    Ok(restored)
}

fn put_back(database: &Utf8Path, seeds: &Utf8Path) -> rusqlite::Result<BTreeMap<String, usize>> {
    let mut connection = rusqlite::Connection::open(database)?;
    connection.busy_timeout(BUSY)?;
    connection.execute("ATTACH ?1 AS seeds", [seeds.as_str()])?;
    let all = connection.transaction()?;
    let tables = "SELECT name FROM seeds.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let tables: Vec<String> = all.prepare(tables)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut restored = BTreeMap::new();
    for table in tables {
        let quoted = format!("\"{}\"", table.replace('"', "\"\""));
        let lost = format!("SELECT * FROM seeds.{quoted} EXCEPT SELECT * FROM main.{quoted}");
        let rows = if all.table_exists(Some("main"), &table)? {
            all.execute(&format!("INSERT OR REPLACE INTO main.{quoted} SELECT * FROM ({lost})"), [])?
        } else {
            // The files make it, with all its rows.
            all.query_row(&format!("SELECT count(*) FROM seeds.{quoted}"), [], |row| row.get::<_, i64>(0))?
                .try_into()
                .unwrap_or_default()
        };
        restored.insert(table, rows);
    }
    all.commit()?;
    Ok(restored)
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
