//! The narrow doors to the world. An error here tells "not there" from "could not ask": a caller decides on it.

pub mod clock;
pub mod fleet;
pub mod git;
