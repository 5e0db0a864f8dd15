//! Tagging, against what `git` then reads.

use xtask::{
    model::time::Time,
    ports::git::{Git as _, GitError, Tagged},
};

use crate::support::repo::Repo;

fn noon() -> Time {
    "2026-01-23T12:00:00Z".parse().unwrap()
}

#[test]
fn is_annotated_dated_and_made_once() {
    let repo = Repo::new();
    let commit = repo.commit("feat: first");
    let git = repo.open();
    assert_eq!(git.tag("local/v1.0.0", commit, "Release v1.0.0\n\nsha256:…\n", noon()).unwrap(), Tagged::Created);
    let shown = repo.git(&[
        "for-each-ref",
        "--format=%(objecttype) %(taggername) %(taggeremail) %(taggerdate:format:%FT%TZ) %(contents:subject)",
    ]);
    assert!(shown.contains("tag Ada <ada@example.com> 2026-01-23T12:00:00Z Release v1.0.0"), "{shown}");
    assert_eq!(repo.git(&["rev-parse", "local/v1.0.0^{commit}"]), commit.to_string());
    assert_eq!(git.tag("local/v1.0.0", commit, "again", noon()).unwrap(), Tagged::AlreadyThere);
    repo.git(&["fsck", "--strict"]);
}

#[test]
fn never_moves_a_tag() {
    let repo = Repo::new();
    let first = repo.commit("feat: first");
    repo.tag("v1.0.0").git(&["tag", "v1.0.1", "HEAD^{tree}"]);
    repo.write(".git/refs/tags/v1.0.2", "00000000000000000000000000000000000000aa\n");
    let second = repo.commit("feat: second");
    let git = repo.open();
    assert_eq!(git.tag("v1.0.0", first, "m", noon()).unwrap(), Tagged::AlreadyThere);
    assert_eq!(git.tag("v1.0.0", second, "m", noon()).unwrap(), Tagged::Elsewhere(Some(first)));
    assert_eq!(git.tag("v1.0.1", second, "m", noon()).unwrap(), Tagged::Elsewhere(None));
    assert_eq!(git.tag("v1.0.2", second, "m", noon()).unwrap(), Tagged::Elsewhere(None));
    assert_eq!(repo.git(&["rev-parse", "v1.0.0"]), first.to_string());
}

#[test]
fn signs_as_the_toolchain_where_nobody_is_named() {
    let repo = Repo::new();
    let commit = repo.commit("feat: first");
    repo.git(&["config", "user.name", ""]);
    repo.git(&["config", "user.email", ""]);
    assert_eq!(repo.open().tag("v1.0.0", commit, "m", noon()).unwrap(), Tagged::Created);
    let tagger = repo.git(&["for-each-ref", "--format=%(taggername) %(taggeremail)", "refs/tags"]);
    assert_eq!(tagger, "cargo xtask <xtask@localhost>");
}

#[test]
fn refuses_what_cannot_be_tagged() {
    let repo = Repo::new();
    let commit = repo.commit("feat: first");
    let git = repo.open();
    let missing = "00000000000000000000000000000000000000aa".parse().unwrap();
    assert!(matches!(git.tag("v1.0.0", missing, "m", noon()), Err(GitError::MissingCommit(_))));
    assert!(matches!(git.tag("../../HEAD", commit, "m", noon()), Err(GitError::Other { .. })));
    repo.tag("local");
    assert!(matches!(git.tag("local/v1.0.0", commit, "m", noon()), Err(GitError::Other { .. })));
}
