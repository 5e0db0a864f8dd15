//! What a box proves about itself: where it came from, what is in it, that it can be started, and that it comes out of
//! its source again. Second opinions are asked of tools that are not ours.

mod identity;
mod packaging;
mod preflight;
pub(crate) mod provenance;
pub(crate) mod python;
mod reproduce;
mod sbom;
mod twice;
mod vulnerabilities;
mod zig;
