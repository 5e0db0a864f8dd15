//! Carries plans out through the ports: appends to the ledger, releases, promotes, verifies, audits.

pub mod audit;
pub mod dr;
pub mod facts;
pub mod graveyard;
pub mod ledger;
pub mod mirror;
pub mod promote;
pub mod release;
pub mod status;
pub mod verify;
