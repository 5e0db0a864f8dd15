//! The only code that touches the world: files, processes, sockets, git, cargo.

pub mod archive;
#[cfg(feature = "aws")]
pub mod aws;
pub mod bench;
pub mod binary;
pub mod cargo;
pub mod debugger;
pub mod draft;
pub mod emulator;
pub mod git;
pub mod github;
pub mod limits;
pub mod local;
pub mod notify;
pub mod python;
pub mod scaffold;
pub mod ssh;
pub mod watch;
