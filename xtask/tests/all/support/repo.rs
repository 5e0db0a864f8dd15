//! A throwaway repository made with the real `git`, in the words of a developer. Nothing of the user's configuration
//! reaches it, and dates count up from a fixed day, so that the same steps give the same commit ids.

use std::{
    cell::Cell,
    io::Write as _,
    process::{Command, Stdio},
};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;
use xtask::{adapters::git::LocalGit, model::commit::CommitId, ports::git::Git as _};

/// 2026-01-01T00:00:00Z
const FIRST_DAY: u64 = 1_767_225_600;

/// A repository in a folder of its own, removed with it.
pub(crate) struct Repo {
    folder: TempDir,
    root: Utf8PathBuf,
    steps: Cell<u64>,
}

impl Repo {
    /// With the branch `main` and no commit.
    pub(crate) fn new() -> Self {
        Self::init(&["init", "--quiet", "--initial-branch=main", "work"])
    }

    /// Made by other words of git, run in an empty folder; they must put the repository into `work`.
    pub(crate) fn init(args: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let outer = Utf8PathBuf::try_from(folder.path().canonicalize().unwrap()).unwrap();
        let repo = Self { folder, root: outer.join("work"), steps: Cell::new(0) };
        repo.git_in(&outer, args, b"");
        // libgit2 reads the configuration of whoever runs the tests: what could matter is set here.
        for (key, value) in [
            ("user.name", "Ada"),
            ("user.email", "ada@example.com"),
            ("core.autocrlf", "false"),
            ("core.excludesFile", "none"),
            ("commit.gpgSign", "false"),
        ] {
            repo.git(&["config", key, value]);
        }
        repo
    }

    /// The root of the work tree.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// A folder beside the work tree, for clones and linked work trees; not made.
    pub(crate) fn beside(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::try_from(self.folder.path().canonicalize().unwrap()).unwrap().join(name)
    }

    /// Opens it as the toolchain does.
    pub(crate) fn open(&self) -> LocalGit {
        LocalGit::open(&self.root).unwrap()
    }

    /// Runs git in the work tree; what it printed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.root, args, b"")
    }

    /// Runs git in a folder with this input; it must succeed.
    pub(crate) fn git_in(&self, folder: &Utf8Path, args: &[&str], input: &[u8]) -> String {
        let date = format!("{} +0000", FIRST_DAY + 60 * self.steps.replace(self.steps.get() + 1));
        let mut child = Command::new("git")
            .args(args)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("these tests need the `git` command: install git");
        // git may end without reading all of it.
        let _broken_pipe = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Writes a file of the work tree.
    pub(crate) fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Commits all changes and one new file, with exactly this message.
    pub(crate) fn commit(&self, message: &str) -> CommitId {
        self.commit_bytes(message.as_bytes())
    }

    /// The same with a message that need not be UTF-8.
    pub(crate) fn commit_bytes(&self, message: &[u8]) -> CommitId {
        self.write(&format!("file-{}.txt", self.steps.get()), "content\n");
        self.git(&["add", "--all"]);
        let args = ["commit", "--quiet", "--allow-empty-message", "--cleanup=verbatim", "--file=-"];
        self.git_in(&self.root, &args, message);
        self.head()
    }

    /// Makes a branch here and goes there.
    pub(crate) fn branch(&self, name: &str) -> &Self {
        self.git(&["checkout", "--quiet", "-b", name]);
        self
    }

    /// Goes to a branch, tag or commit.
    pub(crate) fn checkout(&self, what: &str) -> &Self {
        self.git(&["checkout", "--quiet", what]);
        self
    }

    /// Merges with git's own message, always with a merge commit.
    pub(crate) fn merge(&self, branches: &[&str]) -> CommitId {
        self.git(&[&["merge", "--quiet", "--no-ff", "--no-edit"], branches].concat());
        self.head()
    }

    /// Merges with a message of one's own.
    pub(crate) fn merge_as(&self, branch: &str, message: &str) -> CommitId {
        self.git(&["merge", "--quiet", "--no-ff", "-m", message, branch]);
        self.head()
    }

    /// Reverts with git's own message.
    pub(crate) fn revert(&self, commit: CommitId) -> CommitId {
        self.git(&["revert", "--no-edit", &commit.to_string()]);
        self.head()
    }

    /// A lightweight tag.
    pub(crate) fn tag(&self, name: &str) -> &Self {
        self.git(&["tag", name]);
        self
    }

    /// What `git rev-parse HEAD` says.
    pub(crate) fn head(&self) -> CommitId {
        self.git(&["rev-parse", "HEAD"]).parse().unwrap()
    }

    /// What the toolchain finds dirty, with the local state left out.
    pub(crate) fn dirty(&self) -> Vec<String> {
        let dirty = self.open().dirty(Some(".local".into())).unwrap();
        dirty.into_iter().map(Utf8PathBuf::into_string).collect()
    }
}
