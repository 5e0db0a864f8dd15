//! The laptop: a vault in a folder, a Lambda host on this machine.

pub mod fleet;
pub mod host;
