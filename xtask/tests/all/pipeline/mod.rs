//! The pipeline of the local profile, by the real binary, in projects of its own.

mod abandoned;
mod build;
mod busy;
mod death;
mod kept;
mod kill;
mod race;
mod release;
mod resume;
mod stale;
mod verify;
mod versions;
