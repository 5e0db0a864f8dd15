//! The developer's seeds, applied to databases of tests; and that all stores begin with the same.

use camino::Utf8Path;
use rusqlite::Connection;
use serde_json::Value;

use super::{Folder, INFRA_LOCAL, folder};

/// A folder with both databases, made by the seeds.
pub fn seeded() -> Folder {
    let folder = folder();
    apply_seeds("data", &folder.data());
    apply_seeds("audit", &folder.audit());
    folder
}

/// Applies the seeds of `group` ("data" or "audit") to `database`, in the order of their names.
pub fn apply_seeds(group: &str, database: &Utf8Path) {
    let connection = Connection::open(database).unwrap();
    for file in seed_files(group) {
        connection.execute_batch(&file).unwrap();
    }
}

/// The texts of the seeds of `group`, in the order of their names.
pub(super) fn seed_files(group: &str) -> Vec<String> {
    let entries = Utf8Path::new(INFRA_LOCAL).join("seed").join(group).read_dir_utf8().unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().into_path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// The statements of a file for SQL*Plus, each of which ends with a line that is a slash.
#[cfg(any(test, feature = "oracle-live"))]
pub(super) fn statements(file: &str) -> Vec<String> {
    let lines: Vec<&str> = file.lines().filter(|line| !line.starts_with("--")).collect();
    let parts = lines.split(|line| line.trim() == "/").map(|part| part.join("\n"));
    parts.filter(|part| !part.trim().is_empty()).collect()
}

/// The items that `infra-local/tables/<name>.json` begins with.
pub fn tables(name: &str) -> Vec<Value> {
    let table = std::fs::read_to_string(format!("{INFRA_LOCAL}/tables/{name}.json")).unwrap();
    let table: Value = serde_json::from_str(&table).unwrap();
    table["items"].as_array().unwrap().clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Price;

    #[test]
    fn dynamodb_begins_with_what_sqlite_begins_with() {
        let folder = seeded();
        let connection = Connection::open(folder.data()).unwrap();
        let rows = "SELECT json_object('pk', 'PRICE#' || product_id, 'sk', 'PRICE', 'price', price, 'currency', currency) \
                    FROM product_prices UNION ALL \
                    SELECT json_object('pk', 'CONFIGURATION#' || environment, 'sk', key, 'value', value) \
                    FROM system_configuration";
        let mut statement = connection.prepare(rows).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let sorted = |items: Vec<Value>| {
            let mut texts: Vec<_> = items.iter().map(ToString::to_string).collect();
            texts.sort();
            texts
        };
        let rows = rows.map(|row| serde_json::from_str(&row.unwrap()).unwrap()).collect();
        assert_eq!(sorted(tables("data")), sorted(rows));
    }

    /// Every row of the data seeds, with amounts as numbers.
    fn data_rows(connection: &Connection) -> Vec<(String, String, String, Option<Price>)> {
        let rows = "SELECT product_id, price, currency FROM product_prices UNION ALL \
                    SELECT environment, value, key FROM system_configuration ORDER BY 1, 3";
        let mut statement = connection.prepare(rows).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))).unwrap();
        let rows = rows.map(|row| {
            let (key, value, more): (String, String, String) = row.unwrap();
            let price = key.starts_with("PROD-").then(|| value.parse().unwrap());
            (key, if price.is_some() { String::new() } else { value }, more, price)
        });
        rows.collect()
    }

    #[test]
    fn oracle_begins_with_what_sqlite_begins_with() {
        let (folder, seeds) = (seeded(), seed_files("oracle"));
        let connection = Connection::open(folder.data()).unwrap();
        let expected = data_rows(&connection);
        connection.execute_batch("DELETE FROM product_prices; DELETE FROM system_configuration").unwrap();
        // Oracle's one row for statements that read no table.
        connection.execute_batch("CREATE TABLE dual (dummy); INSERT INTO dual VALUES ('X')").unwrap();
        // The first file is DDL, which only Oracle understands; the others are SQL that SQLite understands as well.
        for _ in 0..2 {
            for statement in seeds[1..].iter().flat_map(|file| statements(file)) {
                connection.execute_batch(&statement).unwrap();
            }
            assert_eq!(data_rows(&connection), expected);
        }
        assert_eq!(expected.len(), 25);
        let schema = statements(&seeds[0]).join("\n");
        for column in ["product_id", "price", "currency", "environment", "key", "value"] {
            assert!(schema.contains(&format!(" {column} ")), "{column}");
        }
    }

    #[test]
    fn every_seed_applies_twice_and_changes_nothing_the_second_time() {
        let folder = seeded();
        let dump = |path: &Utf8Path, sql: &str| -> Vec<String> {
            let connection = Connection::open(path).unwrap();
            let mut statement = connection.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        let state = || {
            [
                dump(&folder.data(), "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"),
                dump(&folder.data(), "SELECT product_id || price || currency FROM product_prices"),
                dump(&folder.data(), "SELECT environment || key || value FROM system_configuration"),
                dump(&folder.audit(), "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"),
                dump(&folder.audit(), "PRAGMA journal_mode"),
            ]
        };
        let first = state();
        apply_seeds("data", &folder.data());
        apply_seeds("audit", &folder.audit());
        assert_eq!(state(), first);
        assert!(first[1].contains(&"PROD-10199.99USD".to_owned()));
        for environment in ["dev", "qa", "uat", "prod", "dr"] {
            assert!(first[2].iter().any(|row| row.starts_with(environment)), "{environment}");
        }
        assert_eq!((first[3].len(), first[4].as_slice()), (4, ["wal".to_owned()].as_slice()));
    }
}
