//! What the integration tests share.

pub(crate) mod copy;
pub(crate) mod faults;
pub(crate) mod invariants;
pub(crate) mod journey;
#[cfg(feature = "aws")]
pub(crate) mod ministack;
pub(crate) mod past;
pub(crate) mod people;
pub(crate) mod project;
pub(crate) mod python;
pub(crate) mod repo;
pub(crate) mod serving;
pub(crate) mod vaults;
pub(crate) mod world;
