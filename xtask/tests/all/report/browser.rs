//! The board in a real browser: Debian's Chromium, driven through its own driver. axe-core, the accessibility checker, is
//! taken from npm once and kept in the build folder; what is run is known by its digest.

mod checker;
mod driver;

use std::time::{Duration, Instant};

use fantoccini::{Client, Locator, key::Key};
use serde_json::json;
use xtask::output::html;

use self::{
    checker::{Rules, check, open_all},
    driver::{Browser, Theme},
};
use crate::report::tale;

async fn open(browser: &Browser, releases: u64) -> Client {
    let page = html::board(&tale::of(releases).board(), "xtask 0.0.0").unwrap();
    browser.open(&page).await
}

/// How many releases are shown.
async fn shown(client: &Client) -> u64 {
    let script = "return [...document.querySelectorAll('#releases > li')].filter((item) => !item.hidden).length";
    client.execute(script, vec![]).await.unwrap().as_u64().unwrap()
}

async fn count(client: &Client) -> String {
    client.find(Locator::Id("count")).await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn it_is_searched_and_filtered() {
    let browser = Browser::start(Theme::Light).await;
    let client = open(&browser, 120).await;
    assert_eq!((shown(&client).await, count(&client).await.as_str()), (120, "120 releases"));

    let words = client.find(Locator::Id("words")).await.unwrap();
    words.send_keys("QUINN button").await.unwrap();
    let rejected = shown(&client).await;
    assert_eq!((rejected, count(&client).await), (11, "11 of 120 releases".to_owned()));
    client.find(Locator::Css("#filter button")).await.unwrap().click().await.unwrap();
    client.wait().for_element(Locator::XPath("//output[text() = '120 releases']")).await.unwrap();

    let standing = client.find(Locator::Id("standing")).await.unwrap();
    standing.select_by_value("dead").await.unwrap();
    let dead = shown(&client).await;
    let board = tale::of(120).board();
    assert_eq!(dead, board.graveyard.len() as u64);
    let place = client.find(Locator::Id("place")).await.unwrap();
    place.select_by_label("prod").await.unwrap();
    let in_prod = board.graveyard.iter().filter(|grave| grave.environment.as_ref().unwrap().as_str() == "prod").count();
    assert_eq!(shown(&client).await, in_prod as u64);

    // A link to a release that the filter hides shows it, and its whole story.
    client.find(Locator::Css("#live ~ table a")).await.unwrap().click().await.unwrap();
    assert_eq!(shown(&client).await, 120);
    let open = client.find(Locator::Css(".release:target details[open] table")).await.unwrap();
    assert!(open.text().await.unwrap().contains("sealed"));
    client.close().await.unwrap();
}

#[tokio::test]
async fn nothing_is_run_or_loaded_that_is_not_its_own() {
    let browser = Browser::start(Theme::Light).await;
    let client = open(&browser, 40).await;
    assert!(client.title().await.unwrap().starts_with("Release board, 2026-01-"));
    let resources = client.execute("return performance.getEntriesByType('resource').length", vec![]).await.unwrap();
    assert_eq!(resources, json!(0));
    let told = r"const script = document.createElement('script');
        script.textContent = 'window.pwned = true';
        document.body.append(script);
        return [window.pwned === undefined, document.images.length]";
    assert_eq!(client.execute(told, vec![]).await.unwrap(), json!([true, 0]), "the page allows no script but its own");
    client.close().await.unwrap();
}

#[tokio::test]
async fn the_keyboard_reaches_everything() {
    let browser = Browser::start(Theme::Dark).await;
    let client = open(&browser, 12).await;
    let focused = "const e = document.activeElement; return e.id || e.className || e.textContent";
    let press = async |key: Key| {
        let text = char::from(key).to_string();
        client.active_element().await.unwrap().send_keys(&text).await.unwrap();
        client.execute(focused, vec![]).await.unwrap().as_str().unwrap().to_owned()
    };
    assert_eq!(press(Key::Tab).await, "skip");
    press(Key::Enter).await;
    let mut reached = Vec::new();
    for _ in 0..5 {
        reached.push(press(Key::Tab).await);
    }
    assert_eq!(reached, ["words", "standing", "place", "Show all", "The story of v1.1.1"]);
    press(Key::Enter).await;
    client.find(Locator::Css("#releases > li:first-child details[open]")).await.unwrap();
    client.close().await.unwrap();
}

#[tokio::test]
async fn axe_finds_no_violation_in_either_theme() {
    for theme in [Theme::Light, Theme::Dark] {
        let browser = Browser::start(theme).await;
        let client = open(&browser, 24).await;
        open_all(&client).await;
        let dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
        assert_eq!(client.execute(dark, vec![]).await.unwrap(), json!(matches!(theme, Theme::Dark)));
        assert_eq!(check(&client, Rules::All).await, [""; 0], "{theme:?}");
        // A narrow window has another layout.
        client.set_window_size(500, 900).await.unwrap();
        assert_eq!(check(&client, Rules::All).await, [""; 0], "{theme:?}, narrow");
        // Were axe blind, it would not see this either.
        client.execute("document.querySelector('#words').labels[0].remove()", vec![]).await.unwrap();
        client.execute("document.querySelector('#words').placeholder = ''", vec![]).await.unwrap();
        assert!(check(&client, Rules::All).await.iter().any(|found| found.contains("label")), "{theme:?}");
        client.close().await.unwrap();
    }
}

/// How many releases are looked at together.
const AT_ONCE: u64 = 200;

/// Every rule on all of a thousand releases. A contrast is found by asking the whole page what lies at a point, so that many
/// times more releases take many times longer than that: they are looked at in parts, each within the rest of the page. What
/// is of the whole page at once is looked at there.
#[tokio::test]
async fn axe_finds_no_violation_in_a_thousand_releases() {
    let begin = Instant::now();
    let browser = Browser::start(Theme::Light).await;
    let client = open(&browser, 1_000).await;
    open_all(&client).await;
    assert_eq!(check(&client, Rules::OfTheWholePage).await, [""; 0]);
    let whole = begin.elapsed();
    let script = "window.all = [...document.querySelectorAll('#releases > li')];
        window.keep = (from, to) => document.getElementById('releases').replaceChildren(...all.slice(from, to))";
    client.execute(script, vec![]).await.unwrap();
    let keep = async |from: u64, to: u64| {
        client.execute("keep(arguments[0], arguments[1])", vec![json!(from), json!(to)]).await.unwrap();
        assert_eq!(shown(&client).await, to - from);
    };
    for from in (0..1_000).step_by(usize::try_from(AT_ONCE).unwrap()) {
        keep(from, from + AT_ONCE).await;
        assert_eq!(check(&client, Rules::All).await, [""; 0], "releases from the {from}th on");
        // The graves are seen once.
        let graves = "for (const grave of [...document.querySelectorAll('.graves > li')].slice(1)) grave.remove()";
        client.execute(graves, vec![]).await.unwrap();
    }
    println!("axe-core: the whole page {whole:.0?}, with all its parts {:.0?}", begin.elapsed());
    // Were axe blind to what is deep in the page, it would not see this either.
    keep(770, 780).await;
    client.execute("all[777].querySelector('td').style.color = '#ddd'", vec![]).await.unwrap();
    let found = check(&client, Rules::All).await;
    assert!(matches!(&found[..], [one] if one.starts_with("color-contrast: ")), "{found:?}");
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_thousand_releases_open_and_filter_without_a_pause() {
    let page = html::board(&tale::of(1_000).board(), "xtask 0.0.0").unwrap();
    let browser = Browser::start(Theme::Light).await;
    let begin = Instant::now();
    let client = browser.open(&page).await;
    let opened = begin.elapsed();
    assert_eq!(shown(&client).await, 1_000);
    // Type, and wait for the frame after the next: then it is on the screen.
    let filter = "const [words, done] = [arguments[0], arguments[arguments.length - 1]];
        const field = document.getElementById('words');
        const begin = performance.now();
        field.value = words;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begin)))";
    // The best of three rounds: whatever else this machine does does not count.
    let words = ["v1.7", "v1.77", "button", "nothing at all", "ada", ""];
    let mut best = [f64::MAX; 6];
    for at in (0..words.len()).cycle().take(3 * words.len()) {
        let took = client.execute_async(filter, vec![json!(words[at])]).await.unwrap();
        best[at] = best[at].min(took.as_f64().unwrap());
    }
    let slowest = best.into_iter().fold(0.0, f64::max);
    assert_eq!(shown(&client).await, 1_000);
    println!("1,000 releases: {} KiB, opened in {opened:?}, slowest filter {slowest:.0} ms", page.len() / 1024);
    assert!(opened < Duration::from_secs(20) && slowest < 500.0, "{opened:?}, {slowest} ms");
    client.close().await.unwrap();
}

#[tokio::test]
async fn it_prints_whole() {
    let browser = Browser::start(Theme::Dark).await;
    let client = open(&browser, 12).await;
    let configuration = fantoccini::wd::PrintConfiguration::builder().background(true).build().unwrap();
    let pdf = client.print(configuration).await.unwrap();
    assert!(pdf.starts_with(b"%PDF"), "{:?}", &pdf[..8]);
    driver::keep("print.pdf", &pdf);
    client.close().await.unwrap();
}

/// Kept in the build folder to be looked at.
#[tokio::test]
async fn screenshots_are_kept() {
    for theme in [Theme::Light, Theme::Dark] {
        let browser = Browser::start(theme).await;
        let client = open(&browser, 34).await;
        client.set_window_size(1280, 5_000).await.unwrap();
        client.find(Locator::Css("#releases details summary")).await.unwrap().click().await.unwrap();
        client.execute("scrollTo(0, 0)", vec![]).await.unwrap();
        let picture = client.screenshot().await.unwrap();
        assert!(picture.len() > 100_000, "{theme:?}: {} bytes", picture.len());
        driver::keep(&format!("board-{theme:?}.png"), &picture);
        client.close().await.unwrap();
    }
}
