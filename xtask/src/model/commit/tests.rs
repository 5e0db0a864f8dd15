//! Messages as the world writes them, and what they announce.

use proptest::prelude::*;

use super::*;

fn announced(message: &str) -> Vec<String> {
    let Reading::Changes(changes) = read(message, false) else { return Vec::new() };
    changes
        .iter()
        .map(|change| {
            let scope = change.scope.as_ref().map(|scope| format!("({scope})")).unwrap_or_default();
            let breaking = change.breaking.as_ref().map(|text| format!(" !! {text}")).unwrap_or_default();
            format!("{}{scope}: {}{breaking}", change.kind, change.description)
        })
        .collect()
}

fn commit(message: &str) -> Commit {
    let someone = Identity { name: "Ada".into(), email: "ada@example.com".into() };
    Commit {
        id: CommitId::from_bytes([0xab; 20]),
        parents: 1,
        author: someone.clone(),
        committer: someone,
        time: "2026-01-23T12:00:00Z".parse().unwrap(),
        message: message.into(),
    }
}

#[test]
fn reads_headers() {
    for (message, expected) in [
        ("feat: a", "feat: a"),
        ("FEAT(Api): a", "feat(Api): a"),
        ("\n\n  Fix: a\r\n\r\nbody\r\n", "fix: a"),
        ("\u{feff}feat: a", "feat: a"),
        ("feat!: a", "feat: a !! a"),
        ("chore(deps)!: a", "chore(deps): a !! a"),
        ("feat: a\nno blank line", "feat: a"),
        ("revert: feat: a", "revert: feat: a"),
        ("Revert \"feat!: a\"\n\nThis reverts commit 0.", "revert: Revert \"feat!: a\""),
        ("Reapply \"feat: a\"", "revert: Reapply \"feat: a\""),
        ("wip: a", "wip: a"),
        ("fix: ünï → ✓", "fix: ünï → ✓"),
        ("feat: a\n\nBREAKING CHANGE: b", "feat: a !! b"),
        ("fix: a\n\nBREAKING-CHANGE #12", "fix: a !! 12"),
        ("fix: a\n\nbody\nBREAKING CHANGE: b\nmore\nRefs: #1\nnot more", "fix: a !! b more"),
        ("fix!: a\n\nBREAKING CHANGE: b\n\nprose", "fix: a !! b"),
        ("fix: a\n\nBREAKING CHANGE: b\n\nBREAKING CHANGE: c", "fix: a !! b; c"),
        ("Drop the old API\n\nBREAKING CHANGE: b", ": Drop the old API !! b"),
    ] {
        assert_eq!(announced(message), [expected], "{message:?}");
    }
}

#[test]
fn hears_nothing_where_nothing_is_said() {
    for (message, merge, expected) in [
        ("", false, Reading::Unconventional),
        (" \r\n\n", false, Reading::Unconventional),
        ("Update README", false, Reading::Unconventional),
        ("feat:", false, Reading::Unconventional),
        ("feat: \n\nbody", false, Reading::Unconventional),
        ("feat : a", false, Reading::Unconventional),
        ("feat(: a", false, Reading::Unconventional),
        ("Revert it", false, Reading::Unconventional),
        ("fixup! feat: a", false, Reading::Fixup),
        ("squash! fix: a\n\nBREAKING CHANGE: b", false, Reading::Fixup),
        ("amend! feat!: a\n\nfeat!: a", false, Reading::Fixup),
        ("Merge branch 'x'", true, Reading::Merge),
        ("Merge branch 'x'\n\nfeat: of the pull request", false, Reading::Merge),
        ("Merge pull request #1 from a/b\n\nfeat: of the pull request", true, Reading::Merge),
        ("Bring things together\n\n* feat: a", true, Reading::Merge),
    ] {
        assert_eq!(read(message, merge), expected, "{message:?}");
    }
    assert_eq!(announced("docs: a\n\nbreaking change: b"), ["docs: a"]);
    assert_eq!(announced("docs: a\n\nBREAKING CHANGES: b"), ["docs: a"]);
    assert!(matches!(read("feat: by the forge\n\nSee merge request a/b!1", true), Reading::Changes(_)));
}

#[test]
fn reads_squash_bodies() {
    let github = "Prices (#12)\n\n* feat(api): one\n\nWords of one.\n\nBREAKING CHANGE: v1 is gone\n\n* fix: two\n\n\
                  * fixed the tests\n\n---------\n\nCo-authored-by: B <b@example.com>\n";
    assert_eq!(announced(github), ["feat(api): one !! v1 is gone", "fix: two"]);
    let gitlab = "docs: prices\n\n- feat: one\n- perf(db): two\n- note: three\n\nSee merge request a/b!1";
    assert_eq!(announced(gitlab), ["docs: prices", "feat: one", "perf(db): two"]);
    let bare = "chore: prices\r\n\r\nfeat: one\r\n\r\nfix: two\r\nfix: three\r\n\r\nnote: four\r\n";
    assert_eq!(announced(bare), ["chore: prices", "feat: one", "fix: two", "fix: three"]);
    let git = "Squashed commit of the following:\n\ncommit 0123\nAuthor: A <a@b>\nDate:   now\n\n    feat: one\n\n    \
               Words.\n\ncommit 0124\nAuthor: A <a@b>\nDate:   now\n\n    fix!: two\n";
    assert_eq!(announced(git), ["feat: one", "fix: two !! two"]);
    let own_header = format!("docs: mine\n\n    feat: code\n\n{}", git.replace("fix!", "perf"));
    assert_eq!(announced(&own_header), ["docs: mine", "feat: one", "perf: two"]);
    let azure = "Merged PR 12: Prices\n\n- feat: one";
    assert_eq!(announced(azure), ["feat: one"]);
    let once = "feat: one (#3)\n\n* feat: one\n* feat: one (#4)";
    assert_eq!(announced(once), ["feat: one (#3)"]);
}

#[test]
fn is_not_fooled_by_prose() {
    for body in [
        "The old code did\nfix: nothing\nat all.",
        "note: something",
        "```\nfeat: in code\n* feat: in code\n\nBREAKING CHANGE: in code\n```",
        "~~~ text\n```\nfeat!: in code\n~~~",
        "    feat: indented code",
        "    * feat: indented code",
        "> feat: quoted",
        "See https://example.com/feat: x",
        "Explained:\nfeat: one\nfix: two",
        "* a bullet that goes on\nfeat: on its second line",
        "prefeat: x\n\nfeature: y",
        "the BREAKING CHANGE: in a sentence",
    ] {
        assert_eq!(announced(&format!("docs: a\n\n{body}\n")), ["docs: a"], "{body:?}");
    }
}

#[test]
fn finds_everyone_who_wrote_it() {
    let message = "feat: a\n\nCo-authored-by: B <b@example.com>\nCO-AUTHORED-BY:C <c@example.com>, D <D@example.com>\r\n\
                   * Co-authored-by: d <d@example.com>\nCo-authored-by: e@example.com\nCo-authored-by: nobody\nAuthor: G <g@example.com>\n\
                   Signed-off-by: F <f@example.com>";
    let emails: Vec<_> = commit(message).authors().into_iter().map(|person| person.email).collect();
    assert_eq!(
        emails,
        ["ada@example.com", "b@example.com", "c@example.com", "D@example.com", "e@example.com", "g@example.com"]
    );
}

#[test]
fn subject_fits_a_terminal() {
    assert_eq!(commit("\n\u{1b}[31mfeat: a\nb").subject(), " [31mfeat: a");
    assert_eq!(commit("").subject(), "");
    assert_eq!(commit(&"é".repeat(500)).subject().chars().count(), 120);
}

#[test]
fn id_reads_only_its_own_form() {
    let id = CommitId::from_bytes([0xab; 20]);
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(id.short(), "ababababab");
    for wrong in ["", "abab", &id.to_string().to_uppercase(), &format!("{id}0"), "é"] {
        assert!(wrong.parse::<CommitId>().is_err(), "{wrong}");
    }
}

#[test]
fn a_huge_message_is_read_quickly() {
    let huge = format!("feat: a\n\n{}", "* fix: b\nBREAKING CHANGE: c\nprose `code` (#1)\n".repeat(40_000));
    assert_eq!(announced(&huge).len(), 40_001);
    let footers = format!("feat: a\n\n{}", "BREAKING CHANGE: c\nd\n".repeat(100_000));
    assert_eq!(announced(&footers).len(), 1);
    let one_line = "feat: ".to_owned() + &"x(".repeat(1_000_000);
    assert_eq!(announced(&one_line).len(), 1);
}

proptest! {
    #[test]
    fn any_text_is_read(message in "\\PC{0,60}(\r?\n[ *`!:a-z()A-Z#-]{0,30}){0,8}", merge: bool) {
        if let Reading::Changes(changes) = read(&message, merge) {
            prop_assert!(!changes.is_empty());
        }
    }

    #[test]
    fn line_endings_make_no_difference(lines in proptest::collection::vec("(\\* |- |)(feat|fix|note|BREAKING CHANGE)!?: [a-z ]{0,9}|", 0..9)) {
        prop_assert_eq!(read(&lines.join("\n"), false), read(&lines.join("\r\n"), false));
    }

    #[test]
    fn a_body_takes_nothing_away(body in "[ *\n:a-z!-]{0,80}") {
        let message = format!("feat(api)!: a\n\n{body}");
        let Reading::Changes(changes) = read(&message, false) else { panic!("{message}") };
        prop_assert_eq!(&changes[0].kind, &Kind::Feature);
        prop_assert!(changes[0].breaking.is_some());
    }
}
