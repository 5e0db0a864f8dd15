//! What a new function does to `release.toml`, and what it must not be called.

use proptest::prelude::*;

use super::*;

const RELEASE: &str = include_str!("../../../../release.toml");

fn planned(name: &str, release: &str) -> Result<Scaffold, ScaffoldError> {
    plan(&name.parse().unwrap(), release, &BTreeSet::from(["common".to_owned(), "serde".to_owned()]))
}

/// The lines that a text has and another has not; all others must be the same, in the same order.
fn added<'t>(before: &str, after: &'t str) -> Vec<&'t str> {
    let mut old = before.lines().peekable();
    let new = after.lines().filter(|line| old.next_if_eq(line).is_none()).collect();
    assert_eq!(old.next(), None, "a line was changed or moved");
    new
}

#[test]
fn release_toml_gets_the_function_beside_the_others_and_its_route_and_loses_nothing() {
    let made = planned("made-by-a-test", RELEASE).unwrap();
    let expected = [
        "",
        "[functions.made-by-a-test.configuration]",
        "memory_mb = 256",
        "timeout_s = 5",
        "log_retention_days = 7",
        "",
        "[functions.made-by-a-test.environments.prod]",
        "tracing = \"active\"",
        "log_retention_days = 365",
        "\"GET /made-by-a-test\" = \"made-by-a-test\"",
    ];
    let mut new = added(RELEASE, &made.release);
    // Of several empty lines in a row it makes no difference which one is new.
    new.retain(|line| !line.is_empty());
    assert_eq!(new, expected.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>());
    let place = |text: &str| made.release.find(text).unwrap_or_else(|| panic!("no {text} in {}", made.release));
    assert!(place("\n\n[functions.made-by-a-test.configuration]") < place("[[environments]]"), "{}", made.release);
    assert!(place("[profile.local.routes]") < place("\"GET /made-by-a-test\""), "{}", made.release);
    assert!(place("\"GET /made-by-a-test\"") < place("[profile.local.emulator]"), "{}", made.release);
    let again = planned("made-by-a-test-too", &made.release).unwrap();
    assert_eq!(
        added(&made.release, &again.release).iter().filter(|line| line.contains("made-by-a-test-too")).count(),
        3
    );
}

#[test]
fn every_place_of_the_name_is_filled_in() {
    let made = planned("made-by-a-test", RELEASE).unwrap();
    assert!(made.files.iter().all(|(path, text)| !path.as_str().contains(NAME) && !text.contains(NAME)));
    assert_eq!(made.files.len(), FILES.len());
    assert!(
        made.files[camino::Utf8Path::new("functions/made-by-a-test/Cargo.toml")].contains("name = \"made-by-a-test\"")
    );
}

#[test]
fn a_file_without_prod_or_routes_gets_what_it_needs() {
    let small = "schema = 1\n[functions.alpha]\n[[environments]]\nname = \"dev\"\n\n\
                 # Here.\n[profile.local]\nfunction_name = \"{function}-{environment}\"\n";
    let made = planned("made-by-a-test", small).unwrap().release;
    assert!(
        made.contains("[profile.local.routes]\n\"GET /made-by-a-test\" = \"made-by-a-test\"")
            && made.contains("# Here."),
        "{made}"
    );
    assert!(!made.contains("prod") && made.contains("[functions.made-by-a-test.configuration]"), "{made}");
}

#[test]
fn whatever_form_the_tables_have_the_function_gets_in_and_nothing_is_lost() {
    let rest = "[[environments]]\nname = 'dev' # first\n[profile.local]\nfunction_name = '{function}-{environment}'\n";
    for (functions, routes) in [
        ("functions.alpha = {}\n", "[profile.local.routes]\n'GET /a' = 'alpha' # a\n# the end\n"),
        ("functions = { alpha = {} }\n", ""),
        ("[functions]\nalpha.configuration.memory_mb = 128\n", "routes = { 'GET /a' = 'alpha' }\n"),
        ("[functions.alpha] # here\n", "routes.'GET /a' = 'alpha'\n"),
    ] {
        let release = format!("schema = 1\n{functions}{rest}{routes}");
        match planned("made-by-a-test", &release) {
            // Written anew in another form it could lose a comment.
            Err(ScaffoldError::Refused { problem, .. }) => assert_eq!(problem, "`functions` is no table of its own"),
            Err(error) => panic!("{error}: {release}"),
            Ok(made) => {
                let made = made.release;
                let comments = release.lines().filter_map(|line| Some(line.split_once('#')?.1));
                comments.for_each(|comment| assert!(made.contains(comment), "`{comment}` is lost: {made}"));
                assert!(made.contains("made-by-a-test") && made.contains("alpha"), "{made}");
            }
        }
    }
}

#[test]
fn what_cannot_be_is_told_with_what_to_do() {
    let said = |name: &str, release: &str| planned(name, release).unwrap_err().to_string();
    assert!(said("price-fetcher", RELEASE).contains("there is a function `price-fetcher` already"));
    for taken in ["common", "serde", "build", "std"] {
        assert!(said(taken, RELEASE).contains("choose another name"), "{taken}");
    }
    let routed = RELEASE.replace("\"GET /price\"", "\"GET /made-by-a-test\"");
    assert!(said("made-by-a-test", &routed).contains("sends `GET /made-by-a-test` to `price-fetcher` already"));
    assert!(said("made-by-a-test", "schema = ").contains("is no TOML"));
    assert!(said("made-by-a-test", "functions = 1").contains("`functions` is no table of its own"));
    let long =
        said(&"x".repeat(48), &RELEASE.replace("{function}-{environment}", "of-our-team-{function}-{environment}"));
    assert!(long.contains("cannot take the function"), "{long}");
}

proptest! {
    #[test]
    fn whatever_it_is_called_nothing_that_was_written_is_lost(name in "[a-z][a-z0-9]{0,20}(-[a-z0-9]{1,10})?") {
        let made = planned(&name, RELEASE);
        prop_assume!(!matches!(made, Err(ScaffoldError::Taken(_) | ScaffoldError::Exists(_) | ScaffoldError::Routed { .. })));
        let made = made.unwrap();
        let new = added(RELEASE, &made.release);
        prop_assert!(!new.is_empty() && new.len() <= 11, "{new:?}");
    }
}
