//! The only code that touches the world: files, processes, sockets, git, cargo.

pub mod archive;
pub mod cargo;
pub mod git;
pub mod local;
pub mod ssh;
