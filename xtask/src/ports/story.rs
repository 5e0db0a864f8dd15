//! The story: what a person reads while a command works. It goes to stderr and is never the result.

/// Tells what is going on.
pub trait Story: Send + Sync {
    /// A phase begins; the guard's end is the phase's end.
    fn phase(&self, name: &str) -> Box<dyn Phase>;

    /// Something worth knowing that needs nobody.
    fn note(&self, text: &str);

    /// Something that somebody should look at.
    fn warn(&self, text: &str);
}

/// A phase under way.
pub trait Phase: Send + Sync {
    /// What it is doing right now, or waiting for.
    fn now(&self, detail: &str);

    /// It ended well, with this to say.
    fn done(self: Box<Self>, detail: &str);
}
