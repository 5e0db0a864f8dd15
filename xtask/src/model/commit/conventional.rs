//! What a commit message announces, after Conventional Commits 1.0.0, with the squash bodies that GitHub, GitLab and
//! `git merge --squash` write. Reads only; what a change is worth is decided in `plan/next_version.rs`.

use std::{borrow::Cow, fmt};

use serde::Serialize;

/// What a message announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// These changes, the header's first; several for a squash commit. Never empty.
    Changes(Vec<Change>),
    /// Git's or a forge's own merge message: the commits that it joins speak for themselves.
    Merge,
    /// `fixup!`, `squash!` or `amend!`: part of another commit, which speaks for it.
    Fixup,
    /// Words for people, or none at all.
    Unconventional,
}

/// One change that a message announces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What kind of change.
    pub kind: Kind,
    /// The part of the system that it says it touches.
    pub scope: Option<String>,
    /// What it says, on one line.
    pub description: String,
    /// `Some` if users must act; the footer's text, or the description where only `!` says so.
    pub breaking: Option<String>,
}

/// A change's type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `feat`: users can do more.
    Feature,
    /// `fix`: something works that did not.
    Fix,
    /// `perf`: the same, faster or smaller.
    Performance,
    /// `revert`, or git's own `Revert "…"` and `Reapply "…"`.
    Revert,
    /// Any other type, in lower case; empty for a message without a type that says `BREAKING CHANGE:`.
    Other(String),
}

/// The types that a body's line must have to count. In a header any word is a type, but `note: …` in prose is not.
const WELL_KNOWN: [&str; 11] =
    ["feat", "fix", "perf", "revert", "docs", "style", "refactor", "test", "build", "ci", "chore"];

/// Reads a message; `merge` tells that its commit has two or more parents.
///
/// The header is the first line that is not blank. In the body a line counts as a further change if it has a
/// well-known type and is a bullet, or stands in a paragraph all of whose lines are such headers; code blocks do not
/// count. `BREAKING CHANGE: …` or `BREAKING-CHANGE: …` counts at the start of any line outside a code block, also
/// where the blank line before it was forgotten and where the header has no type: to miss one would be worse.
#[must_use]
pub fn read(message: &str, merge: bool) -> Reading {
    let text = message.trim_start_matches('\u{feff}').trim_start();
    let (header, body) = text.split_once('\n').unwrap_or((text, ""));
    let header = header.trim();
    if ["fixup!", "squash!", "amend!"].iter().any(|mark| header.starts_with(mark)) {
        return Reading::Fixup;
    }
    let mut changes: Vec<Change> = reverted(header).or_else(|| conventional(header)).into_iter().collect();
    if changes.is_empty() && (merge || is_merge_message(header)) {
        return Reading::Merge;
    }
    read_body(&unindented(body, header), header, &mut changes);
    if changes.is_empty() { Reading::Unconventional } else { Reading::Changes(changes) }
}

/// What `git merge --squash` proposes begins with this line; in the log that follows the messages are indented as code.
const SQUASHED: &str = "Squashed commit of the following:";

/// The body with the messages of such a log at the margin. People put a header of their own before it.
fn unindented<'a>(body: &'a str, header: &str) -> Cow<'a, str> {
    let mut in_log = header == SQUASHED;
    if !in_log && !body.lines().any(|line| line.trim_end() == SQUASHED) {
        return Cow::Borrowed(body);
    }
    let lines = body.lines().map(|line| {
        in_log |= line.trim_end() == SQUASHED;
        line.strip_prefix("    ").filter(|_| in_log).unwrap_or(line)
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

fn is_merge_message(header: &str) -> bool {
    let starts = ["branch ", "branches ", "remote-tracking branch", "pull request ", "tag ", "commit "];
    header.strip_prefix("Merge ").is_some_and(|what| starts.iter().any(|start| what.starts_with(start)))
}

/// Git's own words for a revert; since 2.43 the revert of a revert reads `Reapply "…"`.
fn reverted(header: &str) -> Option<Change> {
    let quoted = header.strip_prefix("Revert \"").or_else(|| header.strip_prefix("Reapply \""))?;
    quoted.contains('"').then(|| Change {
        kind: Kind::Revert,
        scope: None,
        description: header.to_owned(),
        breaking: None,
    })
}

/// Reads one line as a header. The body is not given to the library: it refuses a message whose second line is not
/// blank, and knows no squash bodies.
fn conventional(line: &str) -> Option<Change> {
    let parsed = git_conventional::Commit::parse(line).ok()?;
    let description = parsed.description().trim();
    if description.is_empty() {
        return None;
    }
    Some(Change {
        kind: Kind::of(&parsed.type_()),
        scope: parsed.scope().map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()),
        description: description.to_owned(),
        breaking: parsed.breaking().then(|| description.to_owned()),
    })
}

fn well_known(line: &str) -> Option<Change> {
    conventional(line).filter(|change| WELL_KNOWN.contains(&change.kind.as_str()))
}

/// Adds to `changes` what the body announces.
fn read_body(body: &str, header: &str, changes: &mut Vec<Change>) {
    let mut fence = None;
    // The lines of the paragraph being read, as headers; `None` once one of them is prose.
    let mut paragraph = Some(Vec::new());
    // Whether the lines now continue a breaking footer's text.
    let mut in_footer = false;
    for line in body.lines().map(str::trim_end) {
        if fenced(line, &mut fence) || line.is_empty() {
            settle(&mut paragraph, changes);
            in_footer = false;
        } else if let Some(text) = breaking_footer(line) {
            settle(&mut paragraph, changes);
            mark_breaking(changes, header, text);
            in_footer = true;
        } else if let Some(item) = bullet(line) {
            settle(&mut paragraph, changes);
            well_known(item).into_iter().for_each(|change| add(changes, change));
            // What follows a bullet without a blank line continues it.
            (paragraph, in_footer) = (None, false);
        } else if in_footer && !is_trailer(line) {
            continue_breaking(changes, line.trim());
        } else {
            in_footer = false;
            let change = if line.starts_with([' ', '\t']) { None } else { well_known(line) };
            paragraph = paragraph.zip(change).map(|(mut headers, change)| {
                headers.push(change);
                headers
            });
        }
    }
    settle(&mut paragraph, changes);
}

fn settle(paragraph: &mut Option<Vec<Change>>, changes: &mut Vec<Change>) {
    paragraph.replace(Vec::new()).into_iter().flatten().for_each(|change| add(changes, change));
}

/// A pull request of one commit repeats its header in the body: such a change is not announced twice.
fn add(changes: &mut Vec<Change>, change: Change) {
    match changes.first_mut() {
        Some(header)
            if header.kind == change.kind
                && header.scope == change.scope
                && unnumbered(&header.description) == unnumbered(&change.description) =>
        {
            header.breaking = header.breaking.take().or(change.breaking);
        }
        _ => changes.push(change),
    }
}

/// A description without the ` (#12)` that a forge appends.
fn unnumbered(text: &str) -> &str {
    match text.rsplit_once(" (#") {
        Some((bare, number)) if number.strip_suffix(')').is_some_and(|n| n.parse::<u64>().is_ok()) => bare,
        _ => text,
    }
}

/// Whether the line lies in a fenced code block or bounds one.
fn fenced(line: &str, fence: &mut Option<&'static str>) -> bool {
    let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
    match (*fence, mark) {
        (None, None) => return false,
        (None, Some(mark)) => *fence = Some(mark),
        (Some(open), Some(mark)) if open == mark => *fence = None,
        (Some(_), _) => {}
    }
    true
}

/// The text of a bullet that is not indented into a code block.
fn bullet(line: &str) -> Option<&str> {
    let item = line.trim_start_matches(' ');
    let indent = line.len() - item.len();
    let text = ["* ", "- ", "+ "].iter().find_map(|mark| item.strip_prefix(mark))?;
    (indent < 4).then(|| text.trim_start())
}

fn breaking_footer(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("BREAKING CHANGE").or_else(|| line.strip_prefix("BREAKING-CHANGE"))?;
    rest.strip_prefix(':').or_else(|| rest.strip_prefix(" #")).map(str::trim)
}

/// Marks the change that was announced last: in a squash body a footer follows the commit that it belongs to.
fn mark_breaking(changes: &mut Vec<Change>, header: &str, text: &str) {
    if changes.is_empty() {
        let kind = Kind::Other(String::new());
        changes.push(Change { kind, scope: None, description: header.to_owned(), breaking: None });
    }
    let Some(change) = changes.last_mut() else { return };
    let text = if text.is_empty() { &change.description } else { text };
    match change.breaking.as_mut() {
        // `!` gave the description, in whose place the footer gives the reason.
        Some(known) if *known != change.description => {
            known.push_str("; ");
            known.push_str(text);
        }
        _ => change.breaking = Some(text.to_owned()),
    }
}

fn continue_breaking(changes: &mut [Change], line: &str) {
    if let Some(text) = changes.last_mut().and_then(|change| change.breaking.as_mut()) {
        text.push(' ');
        text.push_str(line);
    }
}

/// Whether a line is a footer of its own: a word of letters and dashes, then `: ` or ` #`.
fn is_trailer(line: &str) -> bool {
    let word = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
    let rest = &line[word.len()..];
    !word.is_empty() && (rest.starts_with(": ") || rest.starts_with(" #"))
}

impl Kind {
    fn of(word: &str) -> Self {
        let word = word.to_lowercase();
        match word.as_str() {
            "feat" => Self::Feature,
            "fix" => Self::Fix,
            "perf" => Self::Performance,
            "revert" => Self::Revert,
            _ => Self::Other(word),
        }
    }

    /// The type as a header has it, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Feature => "feat",
            Self::Fix => "fix",
            Self::Performance => "perf",
            Self::Revert => "revert",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
