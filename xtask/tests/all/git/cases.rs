//! The table of histories: data only. Every one starts as an empty repository with the branch `main`.

use xtask::plan::next_version::Reason::{AlreadyReleased, Dead, NoChange};

use super::histories::{
    Case,
    Expected::{self, Nothing, Refused, Release},
    Refusal::{Bare, Dirty, MissingCommit, NotARepository, NotDescending, ObjectFormat, Shallow, Unborn, Unsupported},
    Vault,
};
use crate::support::repo::Repo;

const fn case(name: &'static str, expected: Expected, build: fn(&Repo) -> Vault) -> Case {
    Case { name, build, expected }
}

/// v1.0.0, and one commit since for each message.
fn since_v1(repo: &Repo, messages: &[&str]) -> Vault {
    let vault = Vault::living("v1.0.0", repo.commit("feat: first"));
    for message in messages {
        repo.commit(message);
    }
    vault
}

/// v1.0.0, and a branch `topic` with these commits, not merged; checked out is `main`.
fn topic(repo: &Repo, messages: &[&str]) -> Vault {
    let vault = since_v1(repo, &[]);
    repo.branch("topic");
    for message in messages {
        repo.commit(message);
    }
    repo.checkout("main");
    vault
}

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    // The first release.
    case("first release", Release("v1.0.0"), |repo| { repo.commit("feat: first"); Vault::empty() }),
    case("first release without a conventional commit", Release("v1.0.0"), |repo| { repo.commit("Start"); Vault::empty() }),
    case("first release of a breaking change", Release("v1.0.0"), |repo| { repo.commit("feat!: all"); Vault::empty() }),
    case("first release with a number of its own", Release("v0.1.0"), |repo| { repo.commit("fix: a"); Vault::empty().first("v0.1.0") }),
    case("tags are not releases", Release("v1.0.0"), |repo| { repo.commit("feat: a"); repo.tag("v7.0.0").tag("local/v8.0.0"); Vault::empty() }),

    // What a commit is worth.
    case("fix", Release("v1.0.1"), |repo| since_v1(repo, &["fix: a"])),
    case("perf", Release("v1.0.1"), |repo| since_v1(repo, &["perf(db): a"])),
    case("feature with a scope", Release("v1.1.0"), |repo| since_v1(repo, &["feat(api): a"])),
    case("the weightiest decides", Release("v1.1.0"), |repo| since_v1(repo, &["fix: a", "feat: b", "docs: c"])),
    case("exclamation mark on any type", Release("v2.0.0"), |repo| since_v1(repo, &["chore(deps)!: a", "feat: b"])),
    case("breaking footer", Release("v2.0.0"), |repo| since_v1(repo, &["fix: a\n\nBREAKING CHANGE: b"])),
    case("breaking footer with a dash, after a body and trailers", Release("v2.0.0"), |repo| since_v1(repo, &["docs: a\n\nwords\n\nRefs: #1\nBREAKING-CHANGE: b\nSigned-off-by: A <a@b>"])),
    case("breaking in lower case is prose", Nothing(NoChange), |repo| since_v1(repo, &["docs: a\n\nbreaking change: b"])),
    case("types in upper case", Release("v1.1.0"), |repo| since_v1(repo, &["FEAT: a"])),
    case("types that release nothing", Nothing(NoChange), |repo| since_v1(repo, &["docs: a", "chore: b", "test: c", "ci: d", "wip: e"])),
    case("no conventional commit at all", Nothing(NoChange), |repo| since_v1(repo, &["Update", "More", "feature: no such type"])),
    case("the same commit again", Nothing(AlreadyReleased), |repo| since_v1(repo, &[])),
    case("empty message", Nothing(NoChange), |repo| since_v1(repo, &[""])),
    case("fixups", Nothing(NoChange), |repo| since_v1(repo, &["fixup! feat: a", "squash! fix: a", "amend! feat!: a"])),
    case("carriage returns", Release("v2.0.0"), |repo| since_v1(repo, &["fix: a\r\n\r\nBREAKING CHANGE: b\r\n"])),
    case("leading blank lines", Release("v1.1.0"), |repo| since_v1(repo, &["\n\n  \nfeat: a"])),
    case("no blank line after the header", Release("v1.1.0"), |repo| since_v1(repo, &["feat: a\nand on it goes"])),
    case("unicode", Release("v1.1.0"), |repo| since_v1(repo, &["feat(größe): ✨ 値段 → 👩‍🚀"])),
    case("not UTF-8", Release("v1.1.0"), |repo| { let vault = since_v1(repo, &[]); repo.commit_bytes(b"feat: caf\xe9"); vault }),

    // Before 1.0.0.
    case("0.x feature", Release("v0.3.0"), |repo| { let vault = Vault::living("v0.2.3", repo.commit("a")); repo.commit("feat: b"); vault }),
    case("0.x breaking", Release("v0.3.0"), |repo| { let vault = Vault::living("v0.2.3", repo.commit("a")); repo.commit("fix!: b"); vault }),
    case("0.x fix", Release("v0.2.4"), |repo| { let vault = Vault::living("v0.2.3", repo.commit("a")); repo.commit("fix: b"); vault }),

    // Squash commits.
    case("GitHub squash with several types", Release("v1.1.0"), |repo| since_v1(repo, &["Prices (#12)\n\n* fix: a\n\n* feat(api): b\n\n* docs: c\n\n---------\n\nCo-authored-by: B <b@example.com>\n"])),
    case("squash with a breaking part", Release("v2.0.0"), |repo| since_v1(repo, &["feat: prices (#12)\n\n* fix: a\n\n* refactor(api)!: b\n"])),
    case("GitLab squash of bare headers", Release("v1.1.0"), |repo| since_v1(repo, &["chore: prices\n\nfix: a\n\nfeat: b\n\nSee merge request a/b!1"])),
    case("git's own squash", Release("v1.1.0"), |repo| {
        let vault = topic(repo, &["feat: a", "fix: b"]);
        repo.git(&["merge", "--quiet", "--squash", "topic"]);
        repo.git(&["commit", "--quiet", "--no-edit"]);
        vault
    }),
    case("prose and code in a body", Nothing(NoChange), |repo| since_v1(repo, &["docs: a\n\nWhat was a\nfix: before is\nnothing.\n\n```\nfeat!: x\n```\n\nnote: b\n"])),

    // Reverts.
    case("revert", Release("v1.0.1"), |repo| { let vault = since_v1(repo, &[]); repo.revert(repo.head()); vault }),
    case("a feature and its revert", Release("v1.1.0"), |repo| { let vault = since_v1(repo, &["feat: a"]); repo.revert(repo.head()); vault }),
    case("chained reverts", Release("v1.0.1"), |repo| {
        let vault = since_v1(repo, &[]);
        for _ in 0..3 { repo.revert(repo.head()); }
        vault
    }),
    case("conventional revert", Release("v1.0.1"), |repo| since_v1(repo, &["revert: feat: a"])),

    // Merges.
    case("merged branch", Release("v1.1.0"), |repo| { let vault = topic(repo, &["feat: a"]); repo.merge(&["topic"]); vault }),
    case("a merge alone is nothing", Nothing(NoChange), |repo| { let vault = topic(repo, &["docs: a"]); repo.merge(&["topic"]); vault }),
    case("GitHub merge with the title in its body", Nothing(NoChange), |repo| { let vault = topic(repo, &["docs: a"]); repo.merge_as("topic", "Merge pull request #1 from a/topic\n\nfeat: a"); vault }),
    case("GitLab merge with a conventional header", Release("v1.1.0"), |repo| { let vault = topic(repo, &["docs: a"]); repo.merge_as("topic", "feat: a\n\nSee merge request a/b!1"); vault }),
    case("a branch that started before the release", Release("v1.0.1"), |repo| {
        repo.commit("feat: first");
        repo.branch("topic").commit("fix: old, merged late");
        let vault = Vault::living("v1.0.0", { repo.checkout("main"); repo.commit("feat: second") });
        repo.merge(&["topic"]);
        vault
    }),
    case("octopus", Release("v2.0.0"), |repo| {
        let vault = since_v1(repo, &[]);
        for (branch, message) in [("a", "fix: a"), ("b", "feat: b"), ("c", "docs!: c")] { repo.checkout("main").branch(branch).commit(message); }
        repo.checkout("main").merge(&["a", "b", "c"]);
        vault
    }),
    case("criss-cross", Release("v1.1.0"), |repo| {
        let vault = topic(repo, &["feat: a"]);
        repo.commit("fix: b");
        repo.branch("main-before").checkout("topic").branch("topic-before").checkout("main").merge(&["topic-before"]);
        repo.checkout("topic").merge(&["main-before"]);
        repo.checkout("main").merge(&["topic"]);
        vault
    }),
    case("criss-cross with the release inside", Nothing(NoChange), |repo| {
        topic(repo, &["feat: a"]);
        repo.commit("fix: b");
        repo.branch("main-before").checkout("topic").branch("topic-before").checkout("main");
        let vault = Vault::living("v1.1.0", repo.merge(&["topic-before"]));
        repo.checkout("topic").merge(&["main-before"]);
        repo.checkout("main").merge(&["topic"]);
        vault
    }),
    case("unrelated histories joined", Release("v1.1.0"), |repo| {
        let vault = since_v1(repo, &[]);
        repo.git(&["checkout", "--quiet", "--orphan", "other"]);
        repo.commit("feat: from elsewhere");
        repo.checkout("main").git(&["merge", "--quiet", "--allow-unrelated-histories", "--no-edit", "other"]);
        vault
    }),

    // Deaths and burned numbers.
    case("dead, then a fix", Release("v1.1.1"), |repo| { let vault = since_v1(repo, &["feat: a"]).then_dead("v1.1.0", repo.head()); repo.commit("fix: b"); vault }),
    case("dead, then docs only", Release("v1.1.1"), |repo| { let vault = since_v1(repo, &["feat: a"]).then_dead("v1.1.0", repo.head()); repo.commit("docs: b"); vault }),
    case("dead, then a feature", Release("v1.2.0"), |repo| { let vault = since_v1(repo, &["feat: a"]).then_dead("v1.1.0", repo.head()); repo.commit("feat: b"); vault }),
    case("dead, and no new commit", Nothing(Dead), |repo| since_v1(repo, &["feat: a"]).then_dead("v1.1.0", repo.head())),
    case("dead, and an older commit checked out", Nothing(Dead), |repo| { let vault = since_v1(repo, &["feat: a", "feat: b"]).then_dead("v1.1.0", repo.head()); repo.checkout("HEAD~1"); vault }),
    case("dead, and back at what lives", Nothing(AlreadyReleased), |repo| { let vault = since_v1(repo, &["feat: a"]).then_dead("v1.1.0", repo.head()); repo.checkout("HEAD~1"); vault }),
    case("dead and dropped from history", Release("v1.1.1"), |repo| {
        let vault = since_v1(repo, &["feat: a"]).then_dead("v1.1.0", repo.head());
        repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        repo.commit("fix: instead");
        vault
    }),
    case("dead and gone from the repository", Release("v1.2.0"), |repo| {
        let vault = since_v1(repo, &[]).then_dead("v1.1.0", "00000000000000000000000000000000000000aa".parse().unwrap());
        repo.commit("feat: a");
        vault
    }),
    case("the first release died", Release("v1.0.1"), |repo| { let vault = Vault::empty().then_dead("v1.0.0", repo.commit("feat: a")); repo.commit("fix: b"); vault }),
    case("burned, on the same commit", Release("v1.1.1"), |repo| since_v1(repo, &["feat: a"]).then_burned("v1.1.0", repo.head())),
    case("burned, then docs only", Release("v1.1.1"), |repo| { let vault = since_v1(repo, &["feat: a"]).then_burned("v1.1.0", repo.head()); repo.commit("docs: b"); vault }),
    case("burned, then a breaking change", Release("v2.0.0"), |repo| { let vault = since_v1(repo, &["feat: a"]).then_burned("v1.1.0", repo.head()); repo.commit("feat!: b"); vault }),
    case("burned, and back at what lives", Nothing(AlreadyReleased), |repo| { let vault = since_v1(repo, &["feat: a"]).then_burned("v1.1.0", repo.head()); repo.checkout("HEAD~1"); vault }),
    case("the first number burned", Release("v1.0.1"), |repo| Vault::empty().then_burned("v1.0.0", repo.commit("feat: a"))),

    // The state of the repository.
    case("detached", Release("v1.0.1"), |repo| { let vault = since_v1(repo, &["fix: a"]); repo.git(&["checkout", "--quiet", "--detach"]); vault }),
    case("an older commit checked out", Refused(NotDescending), |repo| { repo.commit("feat: a"); let vault = Vault::living("v1.0.0", repo.commit("feat: b")); repo.checkout("HEAD~1"); vault }),
    case("rewritten history", Refused(NotDescending), |repo| {
        repo.commit("feat: a");
        let vault = Vault::living("v1.0.0", repo.commit("feat: b"));
        repo.git(&["commit", "--quiet", "--amend", "-m", "feat: rewritten"]);
        vault
    }),
    case("the release is in another repository", Refused(MissingCommit), |repo| { repo.commit("feat: a"); Vault::living("v1.0.0", "00000000000000000000000000000000000000aa".parse().unwrap()) }),
    case("a side branch that left before the release", Refused(NotDescending), |repo| {
        repo.commit("feat: a");
        repo.branch("side").commit("feat: b");
        repo.checkout("main");
        let vault = Vault::living("v1.0.0", repo.commit("feat: c"));
        repo.checkout("side");
        vault
    }),
    case("modified", Refused(Dirty), |repo| { repo.write("a.txt", "a"); repo.commit("feat: a"); repo.write("a.txt", "b"); Vault::empty() }),
    case("staged", Refused(Dirty), |repo| { repo.commit("feat: a"); repo.write("a.txt", "a").git(&["add", "a.txt"]); Vault::empty() }),
    case("untracked", Refused(Dirty), |repo| { repo.commit("feat: a"); repo.write("a.txt", "a"); Vault::empty() }),
    case("deleted", Refused(Dirty), |repo| { repo.write("a.txt", "a"); repo.commit("feat: a"); std::fs::remove_file(repo.root().join("a.txt")).unwrap(); Vault::empty() }),
    case("ignored files and local state only", Release("v1.0.0"), |repo| { repo.write(".gitignore", "target/\n"); repo.commit("feat: a"); repo.write("target/a", "a").write(".local/vault/a", "a"); Vault::empty() }),
    case("odd tags", Release("v1.0.1"), |repo| {
        let vault = since_v1(repo, &["fix: a"]);
        repo.git(&["tag", "v9.0.0", "HEAD^{tree}"]);
        repo.git(&["tag", "-a", "-m", "a tree", "v9.0.1", "HEAD^{tree}"]);
        repo.write(".git/refs/tags/v9.0.2", "broken\n").write(".git/refs/tags/v9.0.3", "00000000000000000000000000000000000000aa\n");
        vault
    }),
    case("shallow", Refused(Shallow), |repo| {
        let vault = since_v1(repo, &["fix: a"]);
        let clone = repo.beside("clone");
        repo.git(&["clone", "--quiet", "--depth=1", &format!("file://{}", repo.root()), clone.as_str()]);
        vault.asked_in(clone)
    }),
    case("a linked work tree", Release("v1.0.1"), |repo| {
        let vault = since_v1(repo, &["fix: a"]);
        let tree = repo.beside("tree");
        repo.git(&["worktree", "add", "--quiet", "--detach", tree.as_str()]);
        vault.asked_in(tree)
    }),
    case("a folder below the root", Release("v1.0.1"), |repo| { repo.write("deep/down/a.txt", "a"); let vault = since_v1(repo, &["fix: a"]); vault.asked_in(repo.root().join("deep/down")) }),
    case("unborn", Refused(Unborn), |_| Vault::empty()),
    case("HEAD at a branch that is gone", Refused(Unborn), |repo| { repo.commit("feat: a"); repo.git(&["symbolic-ref", "HEAD", "refs/heads/gone"]); Vault::empty() }),
    case("not a repository", Refused(NotARepository), |repo| { let folder = repo.beside("plain"); std::fs::create_dir(&folder).unwrap(); Vault::empty().asked_in(folder) }),
    case("bare", Refused(Bare), |repo| { let bare = repo.beside("bare"); repo.git(&["init", "--quiet", "--bare", bare.as_str()]); Vault::empty().asked_in(bare) }),
    case("SHA-256", Refused(ObjectFormat), |repo| { let other = repo.beside("sha256"); repo.git(&["init", "--quiet", "--object-format=sha256", other.as_str()]); Vault::empty().asked_in(other) }),
    case("grafts", Refused(Unsupported), |repo| { let vault = since_v1(repo, &["fix: a"]); repo.write(".git/info/grafts", &format!("{}\n", repo.head())); vault }),
    case("replaced commits are not believed", Release("v1.0.1"), |repo| {
        let vault = since_v1(repo, &["feat: not in history"]);
        let other = repo.head();
        repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        let true_head = repo.commit("fix: a");
        repo.git(&["replace", &true_head.to_string(), &other.to_string()]);
        vault
    }),
];
