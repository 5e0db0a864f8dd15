//! Locks of this machine that die with the process that holds them: they tell a dead owner from a living one.

/// This machine's locks.
pub trait Locks: Send + Sync {
    /// Takes the lock of this name, or `None` if a living process holds it. Dropping the guard, or dying, gives it back.
    ///
    /// # Errors
    /// If the lock's file cannot be made or opened.
    fn try_lock(&self, name: &str) -> anyhow::Result<Option<Guard>>;

    /// Whether a living process holds the lock of this name. Makes nothing.
    ///
    /// # Errors
    /// If the lock's file is there and cannot be asked.
    fn is_held(&self, name: &str) -> anyhow::Result<bool>;
}

/// A held lock.
pub struct Guard {
    _held: Box<dyn Send + Sync>,
}

impl Guard {
    /// Wraps whatever gives the lock back when it is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}
