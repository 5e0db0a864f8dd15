//! Newtypes and records: what a version, a digest, a manifest or an entry is. No I/O here, so nothing here can fail
//! for a reason outside its own input.

pub mod advisories;
pub mod allowed_signers;
pub mod approval;
pub mod binary;
pub mod canary;
pub mod canonical;
pub mod cloud;
pub mod commit;
pub mod configuration;
pub mod digest;
pub mod dsse;
pub mod entry;
pub mod environment;
pub mod evidence;
pub mod freeze;
pub mod gateway;
pub mod key;
pub mod layer;
pub mod manifest;
pub mod names;
pub mod notice;
pub mod people;
pub mod plain;
pub mod policy;
pub mod provenance;
pub mod releases;
pub mod review;
pub mod sbom;
pub mod smoke;
pub mod soak;
pub mod sshsig;
pub mod time;
pub mod trail;
pub mod verdict;
pub mod version;
