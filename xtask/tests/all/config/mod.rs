//! What a user reads after a mistake in `release.toml` or `smoke.toml`: the texts are exact, paths are shortened.

mod aws;
mod release;
mod smoke;

use camino::Utf8Path;
use xtask::config::{load, smoke as checks};

const RELEASE: &str = r#"schema = 1

[functions.greeter]

[[environments]]
name = "dev"

[[environments]]
name = "prod"
safe_smoke_only = true

[profile.local]
function_name = "{function}-{environment}"
"#;

const SMOKE: &str = r#"schema = 1

[[check]]
name = "greets"
safe = true
request = { event = "apigw-v2", path = "/" }
expect = { status = 200, json = { "/price" = { number = "99.90" } } }
"#;

/// A project with these two files; `None` leaves a file out. What loading all of it says.
fn said(release: Option<&str>, smoke: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    std::fs::create_dir_all(root.join("functions/greeter")).unwrap();
    for (path, text) in [("release.toml", release), ("functions/greeter/smoke.toml", smoke)] {
        if let Some(text) = text {
            std::fs::write(root.join(path), text).unwrap();
        }
    }
    let loaded = load::release(root, Some("release.toml".into()), None)
        .and_then(|found| checks::all(&found.root, &found.config).map(drop));
    match loaded {
        Ok(()) => "all is well".to_owned(),
        Err(failure) => {
            assert_eq!(failure.code(), 2, "a mistake in a file is one of usage");
            failure.to_string().replace(root.as_str(), "")
        }
    }
}

/// With this text in `release.toml` instead of that.
fn release(from: &str, to: &str) -> String {
    assert!(RELEASE.contains(from), "{from}");
    said(Some(&RELEASE.replace(from, to)), Some(SMOKE))
}

/// The same in `smoke.toml`.
fn smoke(from: &str, to: &str) -> String {
    assert!(SMOKE.contains(from), "{from}");
    said(Some(RELEASE), Some(&SMOKE.replace(from, to)))
}

#[test]
fn without_a_mistake_nothing_is_said() {
    assert_eq!(said(Some(RELEASE), Some(SMOKE)), "all is well");
}
