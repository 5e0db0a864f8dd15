//! The laptop: a vault in a folder, keys and locks beside it, a Lambda host on this machine.

pub mod alarms;
pub mod clock;
pub mod files;
pub mod fleet;
pub mod gateway;
pub mod host;
pub mod keys;
pub mod locks;
pub mod places;
pub mod seed;
pub mod served;
pub mod throwaway;
pub mod trail;
pub mod vault;
pub mod witness;
