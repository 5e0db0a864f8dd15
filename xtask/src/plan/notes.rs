//! Release notes: what a release brings, by type and scope, in Markdown. Pure and deterministic: the same commits give
//! the same text.

use std::fmt::Write as _;

use crate::model::commit::{Change, Commit, Kind, Reading};

/// The notes of a release that brings these commits (newest first); without a title, ends with a line feed. Merges'
/// own messages and fixups are left out, what is not a conventional commit stands under "Other changes".
#[must_use]
pub fn notes(commits: &[Commit]) -> String {
    let mut items: Vec<Item> = commits.iter().flat_map(Item::of).collect();
    // Stable: within a scope the order of history stays.
    items.sort_by(|a, b| (a.section, &a.change.scope).cmp(&(b.section, &b.change.scope)));
    if items.is_empty() {
        return "No changes.\n".to_owned();
    }
    let sections: Vec<String> = items
        .chunk_by(|a, b| a.section == b.section)
        .map(|items| {
            let lines: String = items.iter().map(Item::line).collect();
            let title = items.first().map_or("", |item| item.section.title());
            format!("### {title}\n\n{lines}")
        })
        .collect();
    sections.join("\n")
}

/// The sections in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Breaking,
    Features,
    Fixes,
    Performance,
    Reverts,
    Other,
}

impl Section {
    fn title(self) -> &'static str {
        match self {
            Self::Breaking => "Breaking changes",
            Self::Features => "Features",
            Self::Fixes => "Fixes",
            Self::Performance => "Performance",
            Self::Reverts => "Reverts",
            Self::Other => "Other changes",
        }
    }

    fn of(change: &Change) -> Self {
        match (&change.breaking, &change.kind) {
            (Some(_), _) => Self::Breaking,
            (None, Kind::Feature) => Self::Features,
            (None, Kind::Fix) => Self::Fixes,
            (None, Kind::Performance) => Self::Performance,
            (None, Kind::Revert) => Self::Reverts,
            (None, Kind::Other(_)) => Self::Other,
        }
    }
}

struct Item {
    section: Section,
    change: Change,
    commit: String,
}

impl Item {
    fn of(commit: &Commit) -> Vec<Self> {
        let changes = match commit.reading() {
            Reading::Changes(changes) => changes,
            Reading::Merge | Reading::Fixup => Vec::new(),
            Reading::Unconventional => {
                let subject = commit.subject();
                let description = if subject.trim().is_empty() { "(no message)".to_owned() } else { subject };
                vec![Change { kind: Kind::Other(String::new()), scope: None, description, breaking: None }]
            }
        };
        let commit = commit.id.short();
        changes
            .into_iter()
            .map(|change| Self { section: Section::of(&change), change, commit: commit.clone() })
            .collect()
    }

    fn line(&self) -> String {
        let Change { kind, scope, description, breaking } = &self.change;
        let mut line = "- ".to_owned();
        let scope = scope.as_deref().map(|scope| format!("**{}:** ", escaped(scope))).unwrap_or_default();
        line += &scope;
        if self.section == Section::Other && !kind.as_str().is_empty() {
            // Writing to a String cannot fail.
            let _infallible = write!(line, "{}: ", escaped(kind.as_str()));
        }
        line += &escaped(description);
        let _infallible = write!(line, " ({})", self.commit);
        if let Some(text) = breaking.as_ref().filter(|text| *text != description) {
            // Indented, so that it belongs to the item.
            let _infallible = write!(line, "\n  {}", escaped(text));
        }
        line + "\n"
    }
}

/// Text that Markdown shows as it is, on one line. Code spans stay code where their marks are balanced.
fn escaped(text: &str) -> String {
    let plain: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let balanced = plain.matches('`').count().is_multiple_of(2) && !plain.contains("``");
    let mut out = String::with_capacity(plain.len() + 8);
    let mut in_code = false;
    for (at, c) in plain.char_indices() {
        in_code ^= balanced && c == '`';
        let special = match c {
            '`' => !balanced,
            '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '|' | '&' => !in_code,
            // At the start they would open a heading or a list.
            '#' | '+' | '-' | '=' => at == 0,
            '.' | ')' => at > 0 && plain[..at].bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::commit::{CommitId, Identity};

    fn commits(messages: &[(&str, usize)]) -> Vec<Commit> {
        let someone = Identity { name: "Ada".into(), email: "ada@example.com".into() };
        let time = "2026-01-23T12:00:00Z".parse().unwrap();
        let commit = |(n, (message, parents)): (u8, &(&str, usize))| Commit {
            id: CommitId::from_bytes([n; 20]),
            parents: *parents,
            author: someone.clone(),
            committer: someone.clone(),
            time,
            message: (*message).into(),
        };
        (0..).zip(messages).map(commit).collect()
    }

    #[test]
    fn are_sorted_by_weight_and_scope() {
        insta::assert_snapshot!(notes(&commits(&[
            ("fix(db): keep `*` as it is", 1),
            ("fix: without a scope", 1),
            ("fix(api): first <script>alert(1)</script>", 1),
            ("fix(api): second_one", 1),
            ("feat(api)!: drop v1", 1),
            ("feat: new prices\n\nBREAKING CHANGE: ask for\nthe *new* field\n", 1),
            ("docs(readme): 1. explain", 1),
            ("Update # things", 1),
            ("", 1),
            ("perf: faster\n\n* feat: squashed", 1),
            ("Revert \"feat: x\"", 1),
            ("Merge branch 'x'", 2),
            ("fixup! feat: x", 1),
        ])), @r#"
        ### Breaking changes

        - new prices (0505050505)
          ask for the \*new\* field
        - **api:** drop v1 (0404040404)

        ### Features

        - squashed (0909090909)

        ### Fixes

        - without a scope (0101010101)
        - **api:** first \<script\>alert(1)\</script\> (0202020202)
        - **api:** second\_one (0303030303)
        - **db:** keep `*` as it is (0000000000)

        ### Performance

        - faster (0909090909)

        ### Reverts

        - Revert "feat: x" (0a0a0a0a0a)

        ### Other changes

        - Update # things (0707070707)
        - (no message) (0808080808)
        - **readme:** docs: 1\. explain (0606060606)
        "#);
        assert_eq!(notes(&commits(&[("Merge branch 'x'", 2)])), "No changes.\n");
    }

    #[test]
    fn say_what_was_written_and_nothing_more() {
        for (text, expected) in [
            ("a_b*c", "a\\_b\\*c"),
            ("# a", "\\# a"),
            ("1. a", "1\\. a"),
            ("- a - b", "\\- a - b"),
            ("see #12", "see #12"),
            ("`a_b` c_d", "`a_b` c\\_d"),
            ("`a_b", "\\`a\\_b"),
            ("``a` <b>", "\\`\\`a\\` \\<b\\>"),
            ("[x](javascript:1)", "\\[x\\](javascript:1)"),
            ("a\u{1b}[31m\nb", "a \\[31m b"),
            ("&lt;", "\\&lt;"),
        ] {
            assert_eq!(escaped(text), expected, "{text}");
        }
    }
}
