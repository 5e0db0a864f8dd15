//! The board of a small story, as a file: a change of it is seen in the diff.

use xtask::output::html;

use crate::{golden::golden, report::tale};

#[test]
fn the_page_of_a_small_story() {
    let board = tale::of(12).board();
    golden("board.html", &html::board(&board, "xtask 0.0.0").unwrap());
}

#[test]
fn the_document_of_a_small_story() {
    let board = tale::of(12).board();
    golden("board.json", &format!("{}\n", serde_json::to_string_pretty(&board).unwrap()));
}
