//! Newtypes and records: what a version, a digest, a manifest or an entry is. No I/O here, so nothing here can fail
//! for a reason outside its own input.

pub mod allowed_signers;
pub mod canonical;
pub mod commit;
pub mod configuration;
pub mod digest;
pub mod entry;
pub mod environment;
pub mod key;
pub mod manifest;
pub mod names;
pub mod releases;
pub mod smoke;
pub mod sshsig;
pub mod time;
pub mod verdict;
pub mod version;
