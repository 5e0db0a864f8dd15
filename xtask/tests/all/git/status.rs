//! Dirtiness, against what `git status` calls so.

use camino::Utf8Path;
use xtask::ports::git::Git as _;

use crate::support::repo::Repo;

fn committed() -> Repo {
    let repo = Repo::new();
    repo.write("a.txt", "a\n").write("dir/b.txt", "b\n").write(".gitignore", "*.log\n");
    repo.commit("feat: first");
    repo
}

#[test]
fn names_everything_that_differs() {
    let repo = committed();
    assert!(repo.dirty().is_empty());
    repo.write("a.txt", "changed\n").write("new/c.txt", "c\n").write("x.log", "ignored\n").write("ünï.txt", "u\n");
    repo.write("staged.txt", "s\n").git(&["add", "staged.txt"]);
    std::fs::remove_file(repo.root().join("dir/b.txt")).unwrap();
    assert_eq!(repo.dirty(), ["a.txt", "dir/b.txt", "new/c.txt", "staged.txt", "ünï.txt"]);
}

#[test]
fn a_change_taken_back_is_none() {
    let repo = committed();
    repo.write("a.txt", "changed\n").git(&["add", "a.txt"]);
    assert_eq!(repo.dirty(), ["a.txt"]);
    repo.write("a.txt", "a\n");
    // Staged still differs from HEAD, though the file does not.
    assert_eq!(repo.dirty(), ["a.txt"]);
    repo.git(&["add", "a.txt"]);
    assert!(repo.dirty().is_empty());
}

#[test]
fn leaves_out_the_local_state_and_nothing_that_looks_like_it() {
    let repo = committed();
    repo.write(".local/vault/v1.0.0/manifest.json", "{}").write(".locale", "x").write("dir/.local/x", "x");
    assert_eq!(repo.dirty(), [".locale", "dir/.local/x"]);
    let deep = repo.open().dirty(Some(Utf8Path::new("dir/.local"))).unwrap();
    assert_eq!(deep, [".local/vault/v1.0.0/manifest.json", ".locale"]);
    assert_eq!(repo.open().dirty(None).unwrap().len(), 3);
}

#[test]
fn names_conflicts() {
    let repo = committed();
    repo.branch("topic").write("a.txt", "theirs\n").commit("fix: theirs");
    repo.checkout("main").write("a.txt", "ours\n").commit("fix: ours");
    // An unfinished merge makes git end with 1, which the builder takes for a failure: an alias swallows it.
    repo.git(&["-c", "alias.try=!git merge topic || true", "try"]);
    assert!(repo.dirty().contains(&"a.txt".to_owned()), "{:?}", repo.dirty());
}

#[test]
fn line_endings_that_git_converts_are_no_change() {
    let repo = Repo::new();
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.write("a.txt", "one\r\ntwo\r\n").commit("feat: first");
    assert_eq!(repo.git(&["cat-file", "-p", "HEAD:a.txt"]), "one\ntwo");
    repo.write("a.txt", "one\r\ntwo\r\n");
    assert!(repo.dirty().is_empty(), "{:?}", repo.dirty());
    repo.write("a.txt", "one\r\nthree\r\n");
    assert_eq!(repo.dirty(), ["a.txt"]);
}

#[test]
fn a_mode_change_is_a_change() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = committed();
    std::fs::set_permissions(repo.root().join("a.txt"), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(repo.dirty(), ["a.txt"]);
}

#[test]
fn submodules_must_be_clean_and_at_their_commit() {
    let library = committed();
    let repo = committed();
    let url = format!("file://{}", library.root());
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "lib"]);
    assert_eq!(repo.dirty(), [".gitmodules", "lib"]);
    // What `.gitmodules` asks to ignore counts all the same.
    repo.git(&["config", "-f", ".gitmodules", "submodule.lib.ignore", "all"]);
    repo.git(&["add", "--all", "--force"]);
    repo.commit("feat: add lib");
    assert!(repo.dirty().is_empty(), "{:?}", repo.dirty());

    repo.write("lib/a.txt", "changed\n");
    assert_eq!(repo.dirty(), ["lib"]);
    repo.write("lib/a.txt", "a\n");
    assert!(repo.dirty().is_empty());
    repo.write("lib/new.txt", "new\n");
    assert_eq!(repo.dirty(), ["lib"]);
    std::fs::remove_file(repo.root().join("lib/new.txt")).unwrap();

    let inside = repo.root().join("lib");
    let who = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    repo.git_in(&inside, &[&who[..], &["commit", "--quiet", "--allow-empty", "-m", "elsewhere"]].concat(), b"");
    assert_eq!(repo.dirty(), ["lib"]);
    repo.git_in(&inside, &["checkout", "--quiet", "HEAD~1"], b"");
    assert!(repo.dirty().is_empty());
    assert_eq!(xtask::adapters::git::LocalGit::open(&inside).unwrap().root(), inside);
}

#[test]
fn a_clone_without_its_submodules_is_clean() {
    let library = committed();
    let repo = committed();
    let url = format!("file://{}", library.root());
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "lib"]);
    repo.commit("feat: add lib");
    let clone = repo.beside("clone");
    repo.git(&["clone", "--quiet", repo.root().as_str(), clone.as_str()]);
    assert!(xtask::adapters::git::LocalGit::open(&clone).unwrap().dirty(None).unwrap().is_empty());
}
