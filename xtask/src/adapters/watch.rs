//! Watches the files of a workspace: says when somebody wrote one.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// A watched workspace.
pub struct Watch {
    root: Utf8PathBuf,
    changes: mpsc::UnboundedReceiver<Utf8PathBuf>,
    // Watches until it is dropped.
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches everything below a workspace's root, except what is hidden, what cargo and npm make, and `except`.
    ///
    /// # Errors
    /// If the system watches no more.
    pub fn open(root: &Utf8Path, except: &Utf8Path) -> anyhow::Result<Self> {
        let (sender, changes) = mpsc::unbounded_channel();
        let told = move |event: notify::Result<Event>| {
            let wrote = |kind: EventKind| !matches!(kind, EventKind::Access(_) | EventKind::Other);
            let Ok(event) = event else { return };
            for path in event.paths.into_iter().filter(|_| wrote(event.kind)) {
                // Nobody listens any more when the command ends.
                let _gone = Utf8PathBuf::from_path_buf(path).ok().map(|path| sender.send(path));
            }
        };
        let mut watcher = notify::recommended_watcher(told).context("failed to watch files")?;
        let mut watch = |path: &Utf8Path, how| {
            watcher.watch(path.as_std_path(), how).with_context(|| format!("failed to watch {path}"))
        };
        watch(root, RecursiveMode::NonRecursive)?;
        for entry in root.read_dir_utf8().with_context(|| format!("failed to read {root}"))? {
            let path = entry.with_context(|| format!("failed to read {root}"))?.into_path();
            let name = path.file_name().unwrap_or_default();
            let left_out =
                name.starts_with('.') || ["target", "node_modules"].contains(&name) || except.starts_with(&path);
            if path.is_dir() && !left_out {
                watch(&path, RecursiveMode::Recursive)?;
            }
        }
        Ok(Self { root: root.to_owned(), changes, _watcher: watcher })
    }

    /// The next file that somebody wrote. What editors write beside it is none, nor is what tools write at the root beside
    /// the workspace's own manifest and lock file.
    pub async fn changed(&mut self) -> Option<Utf8PathBuf> {
        loop {
            let path = self.changes.recv().await?;
            let name = path.file_name().unwrap_or_default();
            let draft = name.starts_with('.') || name.ends_with('~') || name.bytes().all(|b| b.is_ascii_digit());
            let foreign = path.parent() == Some(&self.root) && !matches!(path.extension(), Some("toml" | "lock"));
            if !draft && !foreign {
                return Some(path);
            }
        }
    }

    /// Forgets what was written until now.
    pub fn forget(&mut self) {
        while self.changes.try_recv().is_ok() {}
    }
}
