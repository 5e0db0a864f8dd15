//! Every rule of the number once, and what must hold for any history.

use proptest::prelude::*;

use super::*;
use crate::model::commit::Identity;

fn id(n: u8) -> CommitId {
    CommitId::from_bytes([n; 20])
}

fn commits(messages: &[&str]) -> Vec<Commit> {
    let someone = Identity { name: "Ada".into(), email: "ada@example.com".into() };
    let time = "2026-01-23T12:00:00Z".parse().unwrap();
    let commit = |(n, message): (u8, &&str)| Commit {
        id: id(n),
        parents: 1,
        author: someone.clone(),
        committer: someone.clone(),
        time,
        message: (*message).into(),
    };
    (100..).zip(messages).map(commit).collect()
}

fn since(highest: &[&str], counted: &[&str]) -> Since {
    Since { highest: commits(highest), counted: commits(counted) }
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

const LIVING: u8 = 1;
const HIGHEST: u8 = 2;
const HEAD: u8 = 3;

/// v1.0.0 lives unless `highest` is it; `highest` has the fate.
fn state(highest: &str, fate: Fate) -> LastState {
    let highest = Highest { version: version(highest), commit: id(HIGHEST), fate };
    let living = match fate {
        Fate::Living => Some(Used { version: highest.version, commit: highest.commit }),
        _ => Some(Used { version: version("v1.0.0"), commit: id(LIVING) }),
    };
    LastState { living, highest: Some(highest), first: version("v1.0.0") }
}

fn answer(last: &LastState, head: u8, since: &Since) -> String {
    match next_version(last, id(head), since).unwrap() {
        NextVersion::Release { version, .. } => version.to_string(),
        NextVersion::Nothing { reason, .. } => format!("{reason:?}"),
    }
}

#[test]
fn counts_up_by_the_weightiest_commit() {
    for (base, messages, expected) in [
        ("v1.2.3", vec!["fix: a"], "v1.2.4"),
        ("v1.2.3", vec!["perf: a", "docs: b"], "v1.2.4"),
        ("v1.2.3", vec!["Revert \"feat: a\""], "v1.2.4"),
        ("v1.2.3", vec!["fix: a", "feat: b", "fix: c"], "v1.3.0"),
        ("v1.2.3", vec!["chore!: a", "feat: b"], "v2.0.0"),
        ("v1.2.3", vec!["docs: a\n\nBREAKING CHANGE: b"], "v2.0.0"),
        ("v1.2.3", vec!["docs: a", "Update", "fixup! feat: a"], "NoChange"),
        ("v1.2.3", vec![], "AlreadyReleased"),
        ("v0.2.3", vec!["feat!: a"], "v0.3.0"),
        ("v0.2.3", vec!["feat: a"], "v0.3.0"),
        ("v0.2.3", vec!["fix: a"], "v0.2.4"),
    ] {
        assert_eq!(answer(&state(base, Fate::Living), HEAD, &since(&messages, &[])), expected, "{base} {messages:?}");
    }
}

#[test]
fn a_death_or_a_burned_number_is_followed_by_at_least_a_patch() {
    for (fate, head, new, counted, expected) in [
        (Fate::Dead, HEAD, vec!["docs: a"], vec!["feat: b"], "v1.1.1"),
        (Fate::Dead, HEAD, vec!["fix: a"], vec!["feat: b"], "v1.1.1"),
        (Fate::Dead, HEAD, vec!["feat: a"], vec!["feat: b"], "v1.2.0"),
        (Fate::Dead, HEAD, vec!["a!: a"], vec![], "v2.0.0"),
        (Fate::Dead, HIGHEST, vec![], vec!["feat: b"], "Dead"),
        (Fate::Dead, HEAD, vec![], vec!["feat: b"], "Dead"),
        (Fate::Dead, LIVING, vec![], vec![], "AlreadyReleased"),
        (Fate::Burned, HIGHEST, vec![], vec!["feat: b"], "v1.1.1"),
        (Fate::Burned, HEAD, vec!["Update"], vec!["feat: b"], "v1.1.1"),
        (Fate::Burned, HEAD, vec!["feat: a"], vec!["feat: b"], "v1.2.0"),
        (Fate::Burned, LIVING, vec![], vec![], "AlreadyReleased"),
    ] {
        let answer = answer(&state("v1.1.0", fate), head, &since(&new, &counted));
        assert_eq!(answer, expected, "{fate:?} {head} {new:?} {counted:?}");
    }
}

#[test]
fn the_first_release_has_a_number_of_its_own() {
    let fresh = LastState { living: None, highest: None, first: version("v1.0.0") };
    assert_eq!(answer(&fresh, HEAD, &since(&["docs: a", "feat!: b"], &[])), "v1.0.0");
    assert_eq!(answer(&LastState { first: version("v0.1.0"), ..fresh }, HEAD, &since(&["a"], &[])), "v0.1.0");
    let died = LastState { living: None, ..state("v1.0.0", Fate::Dead) };
    assert_eq!(answer(&died, HEAD, &since(&["fix: a"], &["feat: b"])), "v1.0.1");
    assert_eq!(answer(&died, HIGHEST, &since(&[], &["feat: b"])), "Dead");
    let burned = LastState { living: None, ..state("v1.0.0", Fate::Burned) };
    assert_eq!(answer(&burned, HIGHEST, &since(&[], &["feat: b"])), "v1.0.1");
}

#[test]
fn numbers_carry_over_and_end() {
    const MAX: u64 = u64::MAX;
    let at = |major, minor, patch| Version { major, minor, patch };
    assert_eq!(above(at(1, 2, MAX), Bump::Patch), Ok(at(1, 3, 0)));
    assert_eq!(above(at(1, MAX, MAX), Bump::Patch), Ok(at(2, 0, 0)));
    assert_eq!(above(at(1, MAX, 0), Bump::Minor), Ok(at(2, 0, 0)));
    assert_eq!(above(at(MAX, MAX, MAX), Bump::Patch), Err(VersionsExhausted(at(MAX, MAX, MAX))));
    assert_eq!(above(at(MAX, 0, 0), Bump::Major), Err(VersionsExhausted(at(MAX, 0, 0))));
}

#[test]
fn explains_every_commit_and_marks_the_deciding_ones() {
    let last = state("v1.0.0", Fate::Living);
    let commits = since(&["feat(api): a", "docs: b", "Update", "feat: c"], &[]);
    insta::assert_snapshot!(serde_json::to_string(&next_version(&last, id(HEAD), &commits).unwrap()).unwrap().replace("},{", "},\n{"), @r#"
        {"next":"release","version":"v1.1.0","base":"v1.0.0","previous":"v1.0.0","bump":"minor","explanation":{"decided_by":"commits","commits":[{"commit":"6464646464646464646464646464646464646464","subject":"feat(api): a","changes":[{"kind":"feat","scope":"api","description":"a","breaking":null}],"bump":"minor","rule":"feature","decides":true},
        {"commit":"6565656565656565656565656565656565656565","subject":"docs: b","changes":[{"kind":"docs","scope":null,"description":"b","breaking":null}],"bump":null,"rule":"other_type","decides":false},
        {"commit":"6666666666666666666666666666666666666666","subject":"Update","changes":[],"bump":null,"rule":"unconventional","decides":false},
        {"commit":"6767676767676767676767676767676767676767","subject":"feat: c","changes":[{"kind":"feat","scope":null,"description":"c","breaking":null}],"bump":"minor","rule":"feature","decides":true}]}}
        "#);
}

fn message() -> impl Strategy<Value = String> {
    let shown = "(feat|fix|perf|docs|chore|Revert \"x\"|fixup! fix|note)(\\([a-z]{1,4}\\))?!?: [a-z]{1,5}";
    let body =
        prop_oneof![Just(""), Just("\n\nBREAKING CHANGE: b"), Just("\n\n* feat: b\n* fix: c"), Just("\n\nprose")];
    (shown, body).prop_map(|(header, body)| header + body)
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Living), Just(Fate::Dead), Just(Fate::Burned)]
}

fn number(last: &LastState, since: &Since) -> Option<Version> {
    match next_version(last, id(HEAD), since).unwrap() {
        NextVersion::Release { version, .. } => Some(version),
        NextVersion::Nothing { .. } => None,
    }
}

proptest! {
    #[test]
    fn one_more_commit_never_lowers_the_version(
        messages in proptest::collection::vec(message(), 1..8), fate in fate(), base in "v[0-3]\\.[0-9]\\.[0-9]",
    ) {
        let all: Vec<_> = messages.iter().map(String::as_str).collect();
        let last = state(&base, fate);
        prop_assert!(number(&last, &since(&all, &[])) >= number(&last, &since(&all[1..], &[])));
    }

    #[test]
    fn order_makes_no_difference(messages in proptest::collection::vec(message(), 1..8), fate in fate()) {
        let mut all: Vec<_> = messages.iter().map(String::as_str).collect();
        let last = state("v1.1.0", fate);
        let there = number(&last, &since(&all, &[]));
        all.reverse();
        prop_assert_eq!(there, number(&last, &since(&all, &[])));
    }

    #[test]
    fn every_number_lies_above_the_highest_used_and_someone_decided_it(
        new in proptest::collection::vec(message(), 0..5), counted in proptest::collection::vec(message(), 1..5),
        fate in fate(), major: u64, minor: u64, patch: u64,
    ) {
        let base = Version { major: major.min(u64::MAX - 1), minor, patch };
        let last = state(&base.to_string(), fate);
        let borrowed = |list: &[String]| commits(&list.iter().map(String::as_str).collect::<Vec<_>>());
        let counted = if fate == Fate::Living { Vec::new() } else { borrowed(&counted) };
        match next_version(&last, id(HEAD), &Since { highest: borrowed(&new), counted }).unwrap() {
            NextVersion::Release { version, explanation, .. } => {
                prop_assert!(version > base);
                prop_assert!(explanation.commits.iter().any(|commit| commit.decides));
            }
            NextVersion::Nothing { explanation, .. } => prop_assert!(!explanation.commits.iter().any(|commit| commit.decides)),
        }
    }
}
