//! A signal that the process sends to itself: without unsafe code that takes another program.

use std::process::Command;

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Signal {
    /// Nobody can do anything about it.
    Kill,
    /// Ctrl-C.
    Interrupt,
}

impl Signal {
    /// Sends it to this process, which goes no further than here.
    pub(super) async fn strike(self) {
        let name = match self {
            Self::Kill => "KILL",
            Self::Interrupt => "INT",
        };
        let own = std::process::id().to_string();
        let sent = Command::new("/bin/sh").args(["-c", "kill -s $0 $1", name, &own]).status().unwrap();
        assert!(sent.success(), "{sent}");
        std::future::pending::<()>().await;
    }
}
