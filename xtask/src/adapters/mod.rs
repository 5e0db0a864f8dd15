//! The only code that touches the world: files, processes, sockets, git, cargo.

pub mod local;
