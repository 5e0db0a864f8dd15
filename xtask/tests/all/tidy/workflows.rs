//! Workflows call commands and nothing more, and name what they use by its content.

use super::{files, holds, root};

fn faults(workflow: &str) -> Vec<String> {
    let lines: Vec<&str> = workflow.lines().filter(|line| !line.trim().is_empty()).collect();
    let fault = |at: usize| {
        let (indent, key, value) = entry(lines[at])?;
        // A value goes on in the next line if that line is further in than its key.
        let goes_on = lines.get(at + 1).is_some_and(|next| next.len() - next.trim_start().len() > indent);
        match key {
            "run" if goes_on || value.is_empty() => Some(format!("`run: {value}`: one command in one line")),
            "uses" if !is_pinned(value) => Some(format!("`uses: {value}`: pin it by the 40 digits of a commit")),
            _ => None,
        }
    };
    (0..lines.len()).filter_map(fault).collect()
}

/// The column of a line's key, the key, and its value.
fn entry(line: &str) -> Option<(usize, &str, &str)> {
    let bare = line.trim_start().trim_start_matches(['-', '{', ' ']);
    let (key, value) = bare.split_once(':')?;
    Some((line.len() - bare.len(), key.trim_matches(['"', '\'']), value.trim()))
}

fn is_pinned(value: &str) -> bool {
    let action = value.split([' ', ',', '}']).next().unwrap_or_default().trim_matches(['"', '\'']);
    let commit = action.split_once('@').map_or("", |(_, commit)| commit);
    commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[test]
fn workflows_only_call_commands() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    for wrong in [
        "steps:\n  - run: |\n      cargo build\n      cargo test\n",
        "steps:\n  - name: x\n    run: cargo build\n      --release\n",
        "steps:\n  - run:\n      cargo build\n",
        "steps:\n  - uses: actions/checkout@v5\n",
        "steps:\n  - { uses: actions/checkout@v5 }\n",
        "steps:\n  - uses: ./.github/actions/own\n",
        &format!("steps:\n  - uses: actions/checkout@{}\n", &commit[1..]),
    ] {
        assert_eq!(faults(wrong).len(), 1, "{wrong}");
    }
    let right = format!("steps:\n  - uses: a/b@{commit} # v5\n    with:\n      x: 1\n  - run: cargo test\n    env:\n");
    assert_eq!(faults(&right), [""; 0]);
    let folder = root().join(".github/workflows");
    holds(&[files(&folder, "yml"), files(&folder, "yaml")].concat(), faults);
}
