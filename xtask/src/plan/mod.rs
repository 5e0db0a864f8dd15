//! Pure decisions: what the next version is, what a promotion does, whether a gate holds. No I/O.

pub mod board;
pub mod canary;
pub mod diff;
pub mod freeze;
pub mod gate;
pub mod gateway;
pub mod next_version;
pub mod notes;
pub mod preflight;
pub mod promotion;
pub mod release;
pub mod samples;
pub mod scaffold;
pub mod smoke;
