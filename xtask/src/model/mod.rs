//! Newtypes and records: what a version, a digest, a manifest or an entry is. No I/O here, so nothing here can fail
//! for a reason outside its own input.

pub mod commit;
pub mod configuration;
pub mod digest;
pub mod key;
pub mod names;
pub mod time;
pub mod version;
