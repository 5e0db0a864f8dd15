//! Carries plans out through the ports: appends to the ledger, releases, promotes, verifies, audits.

pub mod advisories;
pub mod audit;
pub mod buckets;
pub mod decide;
pub mod dr;
pub mod evidence;
pub mod facts;
pub mod gate;
pub mod graveyard;
pub mod ledger;
pub mod mirror;
pub mod notify;
pub mod pack;
pub mod patience;
pub mod policy;
pub mod promote;
pub mod provenance;
pub mod release;
pub mod report;
pub mod reproduce;
pub mod status;
mod together;
pub mod trail_archive;
pub mod verify;
pub mod who;
