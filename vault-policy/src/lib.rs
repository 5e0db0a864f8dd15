//! Who may write where in the vault (`ownership`), the policies that make the cloud enforce it (`policies/*.json`,
//! reviewed as they stand), and the code that fills them in (`render`) and finds holes in them (`check`).
//!
//! Everything here is pure: nothing reads a file or calls a service. Whoever applies a policy does that elsewhere.

pub mod check;
mod evaluate;
pub mod ownership;
pub mod render;

/// The vault's bucket policy, before its variables are filled in.
pub const BUCKET: &str = include_str!("../policies/bucket.json");
/// What the releaser's role may do.
pub const RELEASER: &str = include_str!("../policies/roles/releaser.json");
/// What an environment's deployer may do; rendered with that environment's deployer alone.
pub const DEPLOYER: &str = include_str!("../policies/roles/deployer.json");
/// What an auditor's role may do: read.
pub const AUDITOR: &str = include_str!("../policies/roles/auditor.json");
