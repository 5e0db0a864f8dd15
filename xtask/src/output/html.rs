//! The release board as one page: HTML, style and script in one file that loads nothing. Text goes in through a template that
//! escapes it; only this project's own style and script go in as they are, and the page allows no others, by their digests.

mod picture;
mod words;

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use self::{
    picture::{Chart, Picture},
    words::{asks, class, day, figures, kind, long, moment, phase, places, sign, standing_here, token, whole, word},
};
use crate::{
    model::version::Version,
    plan::board::{Board, Cell, Grave, Line, Place},
};

/// The page. The same board and tool give the same bytes.
///
/// # Errors
/// If a value cannot be written, which none here cannot.
pub fn board(board: &Board, tool: &str) -> anyhow::Result<String> {
    let style = Part::new(include_str!("../../templates/board.css"));
    let script = Part::new(include_str!("../../templates/board.js"));
    let (picture, chart, figures) = (Picture::of(board), Chart::of(board), figures(&board.figures));
    Ok(Page { board, tool, style, script, picture, chart, figures }.render()?)
}

#[derive(Template)]
#[template(path = "board.html")]
struct Page<'a> {
    board: &'a Board,
    tool: &'a str,
    style: Part,
    script: Part,
    picture: Picture,
    chart: Chart,
    figures: Vec<words::Figure>,
}

/// What stands inline, and the digest by which the page allows it.
struct Part {
    text: &'static str,
    sha256: String,
}

impl Part {
    fn new(text: &'static str) -> Self {
        Self { text, sha256: STANDARD.encode(Sha256::digest(text.as_bytes())) }
    }
}

/// The newest decisions at a gate.
struct Decisions<'a> {
    newest: Vec<(Version, &'a Line)>,
    more: usize,
}

/// How many decisions a gate shows; the others stand with their releases.
const DECISIONS: usize = 12;

fn decisions<'a>(board: &'a Board, place: &Place) -> Option<Decisions<'a>> {
    let of = |line: &&Line| line.decision && line.environment.as_ref() == Some(&place.environment);
    let all = board.releases.iter().flat_map(|story| story.lines.iter().filter(of).map(|line| (story.release, line)));
    let mut newest: Vec<(Version, &Line)> = all.collect();
    newest.sort_by_key(|(_, line)| std::cmp::Reverse(line.time));
    let more = newest.len().saturating_sub(DECISIONS);
    newest.truncate(DECISIONS);
    (!newest.is_empty()).then_some(Decisions { newest, more })
}

fn journey<'a>(board: &'a Board, grave: &Grave) -> Option<&'a Vec<Cell>> {
    // The newest comes first.
    let at = board.releases.binary_search_by(|story| grave.release.cmp(&story.release)).ok()?;
    board.releases.get(at).map(|story| &story.journey)
}
