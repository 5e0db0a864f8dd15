//! What holds for every page, without a browser: nothing is loaded, nothing of what people wrote becomes markup.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use xtask::output::html;

use crate::report::tale::{self, NASTY, Tale};

fn page(tale: &Tale) -> String {
    html::board(&tale.board(), "xtask 0.0.0").unwrap()
}

/// What stands between two marks.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    page.split_once(from).unwrap().1.split_once(to).unwrap().0
}

#[test]
fn nothing_is_loaded() {
    let page = page(&tale::of(30));
    // `src=` appears in what somebody wrote in a commit, escaped.
    let own = page.replace("&#60;img src=x&#62;", "");
    for loads in
        ["http:", "https:", "src=", "url(", "@import", "<link", "<iframe", "<object", "<form action", "onclick="]
    {
        assert!(!own.contains(loads), "it has `{loads}`");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn only_its_own_style_and_script_are_allowed() {
    let page = page(&tale::of(3));
    for (from, to) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let digest = STANDARD.encode(Sha256::digest(between(&page, from, to).as_bytes()));
        assert!(page.contains(&format!("'sha256-{digest}'")), "{from} is not the one that the page allows");
    }
    assert_eq!((page.matches("<style").count(), page.matches("<script>").count()), (1, 1));
    assert!(!page.contains(" style="), "a style of a single element is not allowed, so it would not show");
}

#[test]
fn what_people_wrote_stays_text() {
    let page = page(&tale::of(30));
    assert!(!page.contains(NASTY) && !page.contains("<b>USD") && !page.contains("<em>call"));
    assert!(page.contains("&#60;script&#62;document.title"), "it is shown as it was written");
    assert!(!page.contains('\u{202e}'), "what turns the direction of writing is left out");
}

/// Everything is in the page itself; only the filter, which is nothing without a script, is hidden until there is one.
#[test]
fn it_is_whole_without_a_script() {
    let page = page(&tale::of(30));
    assert_eq!(page.matches("<li id=\"v1.").count(), 30);
    let hidden: Vec<&str> = page.match_indices(" hidden>").map(|(at, _)| &page[..at]).collect();
    assert_eq!(hidden.len(), 1);
    assert!(hidden[0].ends_with("aria-label=\"Filter releases\""));
}

#[test]
fn the_same_story_gives_the_same_bytes() {
    assert_eq!(page(&tale::of(30)), page(&tale::of(30)));
}

#[test]
fn the_empty_vault_has_a_page() {
    let page = page(&tale::of(0));
    assert!(page.contains("Nothing is released yet") && page.contains("The graveyard is empty"));
}
