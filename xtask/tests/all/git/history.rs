//! HEAD and ranges, against `git rev-list`.

use std::collections::HashMap;

use xtask::{
    adapters::git::LocalGit,
    model::commit::CommitId,
    ports::git::{Git as _, GitError},
};

use crate::support::repo::Repo;

#[test]
fn head_tells_branch_commit_and_tree() {
    let repo = Repo::new();
    assert!(matches!(repo.open().head(), Err(GitError::Unborn(what)) if what.contains("`main`")));
    let commit = repo.commit("feat: first");
    repo.branch("feature/ünï");
    let head = repo.open().head().unwrap();
    assert_eq!((head.commit, head.branch.as_deref()), (commit, Some("feature/ünï")));
    assert_eq!(head.tree, repo.git(&["rev-parse", "HEAD^{tree}"]));
    repo.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(repo.open().head().unwrap().branch, None);
}

#[test]
fn a_range_holds_what_rev_list_lists_children_first() {
    let repo = Repo::new();
    let mut commits = vec![repo.commit("feat: root")];
    for round in 0..4 {
        let side = format!("side-{round}");
        repo.branch(&side);
        commits.push(repo.commit("feat: on the side"));
        repo.checkout("main");
        commits.push(repo.commit("fix: on main"));
        commits.push(repo.merge(&[&side]));
    }
    let git = repo.open();
    let head = repo.head();
    for base in &commits {
        let listed = git.commits_since(head, &[*base]).unwrap();
        let mut ids: Vec<String> = listed.iter().map(|commit| commit.id.to_string()).collect();
        let place: HashMap<CommitId, usize> = listed.iter().enumerate().map(|(at, commit)| (commit.id, at)).collect();
        for (child, at) in &place {
            for parent in repo.git(&["rev-parse", &format!("{child}^@")]).lines() {
                assert!(place.get(&parent.parse().unwrap()).is_none_or(|below| below > at));
            }
        }
        let range = format!("{base}..HEAD");
        let mut expected: Vec<String> = repo.git(&["rev-list", &range]).lines().map(str::to_owned).collect();
        ids.sort();
        expected.sort();
        assert_eq!(ids, expected);
        assert!(git.descends(head, *base).unwrap());
        assert_eq!(git.descends(*base, head).unwrap(), *base == head);
    }
    let merges = git.commits_since(head, &[]).unwrap().iter().filter(|commit| commit.is_merge()).count();
    assert_eq!(merges, 4);
}

#[test]
fn a_commit_is_read_as_it_was_written() {
    let repo = Repo::new();
    repo.write("a", "a").git(&["add", "a"]);
    repo.git(&[
        "-c",
        "user.name=Björn <b",
        "-c",
        "user.email=b@example.com",
        "commit",
        "--quiet",
        "--author=Zoë <zoe@example.com>",
        "-m",
        "feat: a",
    ]);
    let commit = repo.open().commits_since(repo.head(), &[]).unwrap().remove(0);
    assert_eq!((commit.author.name.as_str(), commit.author.email.as_str()), ("Zoë", "zoe@example.com"));
    assert_eq!(commit.committer.email, "b@example.com");
    assert_eq!((commit.message.as_str(), commit.parents), ("feat: a\n", 0));
    assert_eq!(commit.time.timestamp().as_second().to_string(), repo.git(&["log", "-1", "--format=%ct"]));
}

#[test]
fn a_shallow_clone_has_no_history() {
    let repo = Repo::new();
    let base = repo.commit("feat: a");
    let head = repo.commit("feat: b");
    let clone = repo.beside("clone");
    repo.git(&["clone", "--quiet", "--depth=1", &format!("file://{}", repo.root()), clone.as_str()]);
    let git = LocalGit::open(&clone).unwrap();
    assert!(git.is_shallow().unwrap());
    assert!(!repo.open().is_shallow().unwrap());
    assert!(matches!(git.commits_since(head, &[]), Err(GitError::Shallow)));
    assert!(matches!(git.descends(head, base), Err(GitError::Shallow)));
}

#[test]
fn a_clone_that_borrows_its_objects_is_read() {
    let repo = Repo::new();
    let base = repo.commit("feat: a");
    let head = repo.commit("feat: b");
    let clone = repo.beside("clone");
    repo.git(&["clone", "--quiet", "--shared", repo.root().as_str(), clone.as_str()]);
    let git = LocalGit::open(&clone).unwrap();
    assert_eq!(git.commits_since(head, &[base]).unwrap().len(), 1);
    assert!(git.dirty(None).unwrap().is_empty());
}

#[test]
fn a_partial_clone_is_read_or_says_what_is_missing() {
    let repo = Repo::new();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let base = repo.commit("feat: a");
    let head = repo.commit("feat: b");
    let url = format!("file://{}", repo.root());
    let clone = repo.beside("clone");
    repo.git(&["clone", "--quiet", "--filter=tree:0", "--no-checkout", &url, clone.as_str()]);
    let git = LocalGit::open(&clone).unwrap();
    assert_eq!(git.commits_since(head, &[base]).unwrap().len(), 1);
    let error = git.dirty(None).unwrap_err();
    assert!(matches!(error, GitError::MissingObject { .. }), "{error:?}");
    repo.git_in(&clone, &["config", "core.repositoryFormatVersion", "1"], b"");
    repo.git_in(&clone, &["config", "extensions.partialClone", "origin"], b"");
    assert!(matches!(LocalGit::open(&clone), Err(GitError::Unsupported { .. })));
}

#[test]
fn only_commits_are_bases() {
    let repo = Repo::new();
    let head = repo.commit("feat: a");
    let tree: CommitId = repo.git(&["rev-parse", "HEAD^{tree}"]).parse().unwrap();
    let git = repo.open();
    assert!(matches!(git.commits_since(head, &[tree]), Err(GitError::MissingCommit(id)) if id == tree));
    assert!(matches!(git.descends(head, tree), Err(GitError::MissingCommit(id)) if id == tree));
}

#[test]
fn commits_of_the_same_second_and_of_wrong_clocks_are_told_apart() {
    let repo = Repo::new();
    // Each commit is older than its parent.
    let mut stream = String::new();
    for n in 1..=300 {
        let from = if n == 1 { String::new() } else { format!("from :{}\n", n - 1) };
        let text = format!("feat: {n}");
        let time = if n % 3 == 0 { 0 } else { 1_700_000_000 - n * 1000 };
        stream += &format!(
            "commit refs/heads/main\nmark :{n}\ncommitter A <a@b> {time} +0000\ndata {}\n{text}\n{from}\n",
            text.len()
        );
    }
    repo.git_in(repo.root(), &["fast-import", "--quiet"], stream.as_bytes());
    let base: CommitId = repo.git(&["rev-parse", "HEAD~100"]).parse().unwrap();
    let listed = repo.open().commits_since(repo.head(), &[base]).unwrap();
    assert_eq!(listed.len(), 100);
    assert_eq!(listed.first().map(|commit| commit.message.as_str()), Some("feat: 300"));
}
