//! Who may write where in the vault (`ownership`), the policies that make the cloud enforce it (`policies/*.json`,
//! reviewed as they stand), and the code that fills them in (`render`), evaluates them (`policy`, `evaluate`), finds
//! every hole in a live bucket (`doctor`) and plans how to set one up (`apply`).
//!
//! Everything here is pure: nothing reads a file or calls a service. Whoever asks a bucket about itself, or carries
//! out a step, does that elsewhere.

pub mod apply;
mod consistent;
pub mod doctor;
pub mod emulator;
pub mod evaluate;
pub mod names;
pub mod ownership;
pub mod policy;
pub mod probe;
pub mod render;
pub mod state;
pub mod trust;
pub mod vault;

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod sample;

pub use consistent::VaultError;
