//! axe-core on the page that is shown: no violation, and nothing left undecided that it could decide.

use fantoccini::Client;
use serde_json::{Value, json};

use super::driver::axe;

/// Which of its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// All that it has by default.
    All,
    /// Those that compare one part of the page with another.
    OfTheWholePage,
}

const OF_THE_WHOLE_PAGE: [&str; 12] = [
    "accesskeys",
    "bypass",
    "duplicate-id",
    "duplicate-id-aria",
    "heading-order",
    "identical-links-same-purpose",
    "landmark-no-duplicate-banner",
    "landmark-no-duplicate-contentinfo",
    "landmark-one-main",
    "landmark-unique",
    "page-has-heading-one",
    "skip-link",
];

/// Opens everything and has it drawn, seen or not: of what the browser leaves out until somebody scrolls there, axe-core
/// cannot tell the contrast.
pub(super) async fn open_all(client: &Client) {
    let script = "for (const details of document.querySelectorAll('details')) details.open = true;
        const style = document.styleSheets[0];
        style.insertRule('* { content-visibility: visible !important }', style.cssRules.length)";
    client.execute(script, vec![]).await.unwrap();
    client.execute(&axe(), vec![]).await.unwrap();
}

/// What it finds wrong by these rules: which, and where. Signs beside a word that says the same and texts in pictures are the only ones of which it need
/// not tell the contrast.
pub(super) async fn check(client: &Client, rules: Rules) -> Vec<String> {
    let run = "const [rules, done] = [arguments[0], arguments[arguments.length - 1]];
        const options = { elementRef: false, resultTypes: ['violations', 'incomplete'] };
        if (rules) options.runOnly = { type: 'rule', values: rules };
        const excused = (node) => document.querySelector(node.target.join(' ')).closest('svg, [aria-hidden]');
        axe.run(document, options).then((found) => done({
            passed: found.passes.length,
            violations: found.violations,
            undecided: found.incomplete.map((one) => ({ ...one, nodes: one.nodes.filter((node) => !excused(node)) }))
                .filter((one) => one.nodes.length),
        }), (error) => done(String(error)))";
    let (only, least) = match rules {
        Rules::All => (Value::Null, 20),
        Rules::OfTheWholePage => (json!(OF_THE_WHOLE_PAGE), 6),
    };
    let found = client.execute_async(run, vec![only]).await.unwrap();
    let passed = found["passed"].as_u64().unwrap_or_else(|| panic!("axe-core did not run: {found}"));
    assert!(passed > least, "axe-core looked at {passed} rules only");
    let tell = |one: &Value| format!("{}: {} {}", one["id"].as_str().unwrap(), one["help"], one["nodes"][0]["html"]);
    let found = ["violations", "undecided"].map(|what| found[what].as_array().unwrap().iter().map(tell));
    found.into_iter().flatten().collect()
}
