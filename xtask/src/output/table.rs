//! Plain tables: columns as wide as their widest cell, two spaces between them, no frame. A cell is one line, whatever
//! stands in it.

use crate::model::plain;

/// What stands between two columns.
const GAP: &str = "  ";

/// Lays out rows under a header; rows may be shorter than the header.
#[must_use]
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows = &plain(rows);
    let widths: Vec<usize> = (0..header.len()).map(|column| width(header, rows, column)).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width));
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let lines = std::iter::once(line(&header)).chain(rows.iter().map(|row| line(row)));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// The same on a terminal so many columns wide. What does not fit beside the first column goes on below, under the
/// first column again; a cell that does not fit even then is cut, and ends with `…`. Without a width nothing is cut.
#[must_use]
pub fn fitted(header: &[&str], rows: &[Vec<String>], columns: Option<usize>) -> String {
    let rows = &plain(rows);
    let whole = table(header, rows);
    let Some(columns) = columns.filter(|columns| whole.lines().any(|line| line.chars().count() > *columns)) else {
        return whole;
    };
    // The first column names the row: it may take half of the space, and the others get what it leaves.
    let first = width(header, rows, 0).min(columns / 2);
    let room = columns.saturating_sub(first + GAP.len()).max(1);
    let mut parts = vec![Vec::new()];
    let mut left = room + GAP.len();
    for column in 1..header.len() {
        let needs = width(header, rows, column).min(room) + GAP.len();
        match parts.last_mut().filter(|_| needs <= left) {
            Some(part) => {
                part.push(column);
                left -= needs;
            }
            None => {
                parts.push(vec![column]);
                left = room + GAP.len() - needs;
            }
        }
    }
    let part = |others: &Vec<usize>| {
        let pick = |cell: &dyn Fn(usize) -> String| -> Vec<String> {
            let others = others.iter().map(|column| cut(&cell(*column), room));
            std::iter::once(cut(&cell(0), first)).chain(others).collect()
        };
        let header = pick(&|column| header.get(column).copied().unwrap_or_default().to_owned());
        let rows = rows.iter().map(|row| pick(&|column| row.get(column).cloned().unwrap_or_default()));
        table(&header.iter().map(String::as_str).collect::<Vec<_>>(), &rows.collect::<Vec<_>>())
    };
    parts.iter().map(part).collect::<Vec<_>>().join("\n")
}

fn plain(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(|cell| plain::line(cell)).collect()).collect()
}

fn width(header: &[&str], rows: &[Vec<String>], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
    cells.chain([header.get(column).map_or(0, |name| name.chars().count())]).max().unwrap_or(0)
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        vec![row(["v1.0.1", "live", "under way", "-"]), row(["v1.0.0", "verified", "live, dead", "synced"])]
    }

    fn fitted(columns: usize) -> String {
        super::fitted(&["release", "dev", "staging", "dr"], &rows(), Some(columns))
    }

    #[test]
    fn a_wide_table_goes_on_below() {
        insta::assert_snapshot!(fitted(30), @"
        release  dev       staging
        v1.0.1   live      under way
        v1.0.0   verified  live, dead

        release  dr
        v1.0.1   -
        v1.0.0   synced
        ");
    }

    #[test]
    fn what_is_cut_says_so() {
        insta::assert_snapshot!(fitted(14), @"
        release  dev
        v1.0.1   live
        v1.0.0   veri…

        release  stag…
        v1.0.1   unde…
        v1.0.0   live…

        release  dr
        v1.0.1   -
        v1.0.0   sync…
        ");
    }

    #[test]
    fn a_cell_is_one_line() {
        let rows = [vec!["ada\n--\u{1b}[2K".to_owned(), "x".to_owned()]];
        assert_eq!(super::table(&["who", "what"], &rows), "who               what\nada\\n--\\u{1b}[2K  x\n");
    }

    #[test]
    fn what_fits_stays_whole() {
        let whole = super::table(&["release", "dev", "staging", "dr"], &rows());
        let columns = whole.lines().map(str::len).max().unwrap();
        assert_eq!(fitted(columns), whole);
        assert_ne!(fitted(columns - 1), whole);
        assert_eq!(super::fitted(&["release", "dev", "staging", "dr"], &rows(), None), whole);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_and_no_column_is_lost(
            columns in 1_usize..80,
            header in prop::collection::vec("[a-z]{1,20}", 1..8),
            cells in prop::collection::vec(prop::collection::vec("[a-zé]{0,20}", 0..8), 0..4),
        ) {
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            let text = super::fitted(&header, &cells, Some(columns));
            // Below this not even two cut cells fit beside each other.
            let columns = columns.max(5);
            prop_assert!(text.lines().all(|line| line.chars().count() <= columns), "{text}");
            let begins = |name: &str| name.chars().take((columns / 4).saturating_sub(1)).collect::<String>();
            prop_assert!(header.iter().all(|name| text.contains(&begins(name))), "{text}");
        }
    }

    #[test]
    fn columns_align() {
        let rows = [vec!["dev".to_owned(), "v1.0.0".to_owned()], vec!["long-name".to_owned()]];
        insta::assert_snapshot!(super::table(&["environment", "live"], &rows), @"
        environment  live
        dev          v1.0.0
        long-name
        ");
    }
}
