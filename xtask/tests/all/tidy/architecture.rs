//! Every invariant of the design has its line in ARCHITECTURE.md, and the tests that the line names exist.

use std::collections::BTreeSet;

use super::{files, members, read, root};

/// How many invariants the design has.
const INVARIANTS: usize = 15;

fn faults(architecture: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let rows = rows(architecture);
    let mut faults = Vec::new();
    for number in 1..=INVARIANTS {
        let mut own = rows.iter().filter(|row| row.first().is_some_and(|cell| *cell == number.to_string()));
        match (own.next(), own.next()) {
            (None, _) => faults.push(format!("invariant {number} has no row under `## Invariants`")),
            (Some(_), Some(_)) => faults.push(format!("invariant {number} has two rows")),
            (Some(row), None) => faults.extend(missing(number, row.get(2).unwrap_or(&""), tests)),
        }
    }
    faults
}

/// The cells of every row of the table under `## Invariants`.
fn rows(architecture: &str) -> Vec<Vec<&str>> {
    let section = architecture.lines().skip_while(|line| line.trim_end() != "## Invariants").skip(1);
    let section = section.take_while(|line| !line.starts_with("# ") && !line.starts_with("## "));
    let rows = section.filter_map(|line| line.trim().strip_prefix('|')?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect()).collect()
}

fn missing(number: usize, cell: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let named: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
    if named.is_empty() && !cell.contains("later:") {
        return vec![format!("invariant {number} names no test and does not say `later:`")];
    }
    let unknown = named.iter().filter(|name| !tests.contains(name.rsplit("::").next().unwrap_or_default()));
    unknown.map(|name| format!("invariant {number} names `{name}`, and there is no such test")).collect()
}

/// The names of all functions in a file.
fn functions(text: &str) -> impl Iterator<Item = String> {
    let after = text.split("fn ").skip(1);
    after.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

#[test]
fn every_invariant_names_its_tests() {
    let tests: BTreeSet<String> = functions("fn holds() {}\nasync fn waits<T>() {}").collect();
    let table = |last: &str| {
        let rows = (1..INVARIANTS).map(|n| format!("| {n} | Rule | `vault::holds`, `waits` |\n"));
        format!("# A\n## Invariants\n| | rule | tests |\n|---|---|---|\n{}{last}\n## B\n", rows.collect::<String>())
    };
    assert_eq!(faults(&table("| 15 | Rule | later: with Oracle |"), &tests), [""; 0]);
    for wrong in ["", "| 15 | Rule | `vault::holds_not` |", "| 15 | Rule | |", "| 15 | Rule | holds |", "| 15 |"] {
        assert_eq!(faults(&table(wrong), &tests).len(), 1, "{wrong}");
    }
    assert_eq!(faults(&table("| 15 | Rule | `holds` |\n| 1 | Again | `holds` |"), &tests).len(), 1);
    assert_eq!(faults("| 1 | Rule | `holds` |", &tests).len(), INVARIANTS, "only the table under the heading counts");

    let folders = members().into_iter().flat_map(|member| [member.join("src"), member.join("tests")]);
    let sources = folders.filter(|folder| folder.is_dir()).flat_map(|folder| files(&folder, "rs"));
    let tests = sources.flat_map(|path| functions(&read(&path)).collect::<Vec<_>>()).collect();
    let faults = faults(&read(&root().join("ARCHITECTURE.md")), &tests);
    assert!(faults.is_empty(), "ARCHITECTURE.md:\n  {}", faults.join("\n  "));
}
