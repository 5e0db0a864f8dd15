//! The narrow doors to the world. An error here tells "not there" from "could not ask": a caller decides on it.

pub mod advisories;
pub mod alarms;
pub mod buckets;
pub mod cargo;
pub mod clock;
pub mod fleet;
pub mod git;
pub mod identity;
pub mod lock;
pub mod notifier;
pub mod person_key;
pub mod reviews;
pub mod signer;
pub mod story;
pub mod trail;
pub mod vault;
pub mod witness;
