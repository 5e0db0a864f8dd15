//! Where the functions' audit trails are, and their archives, as the profile says.

use std::{collections::BTreeMap, sync::Arc};

#[cfg(feature = "aws")]
use crate::adapters::local::clock::SystemClock;
use crate::{
    adapters::local::{trail::SqliteTrail, vault::LocalVault},
    cmd::{Profile, World},
    config::load::Found,
    failure::Failure,
    model::names::EnvName,
    ports::{trail::AuditTrail, vault::Vault},
};

/// Every environment's audit trail, where release.toml says where it is.
///
/// # Errors
/// In AWS as connecting goes.
pub(super) async fn all(world: &World, found: &Found) -> Result<BTreeMap<EnvName, Arc<dyn AuditTrail>>, Failure> {
    if let Profile::Aws = world.globals.profile {
        return in_aws(world, found).await;
    }
    let local = world.local(&found.root);
    let at = |(environment, file): (&EnvName, &String)| {
        (environment.clone(), Arc::new(SqliteTrail::new(&local.join(file))) as Arc<dyn AuditTrail>)
    };
    Ok(found.config.audit.iter().map(at).collect())
}

/// The archive of an environment's audit trail, if release.toml says where it is.
///
/// # Errors
/// As `all`.
pub(super) async fn archive(
    world: &World,
    found: &Found,
    environment: &EnvName,
) -> Result<Option<Arc<dyn Vault>>, Failure> {
    if let Profile::Aws = world.globals.profile {
        return archive_in_aws(world, found, environment).await;
    }
    let local = world.local(&found.root);
    let archive = || Arc::new(LocalVault::new(&local.join("archive"), &local.join("tmp"))) as Arc<dyn Vault>;
    Ok(found.config.audit.get(environment).map(|_trail| archive()))
}

#[cfg(feature = "aws")]
async fn in_aws(world: &World, found: &Found) -> Result<BTreeMap<EnvName, Arc<dyn AuditTrail>>, Failure> {
    Ok(world.session(&found.config, false).await?.trails())
}

#[cfg(feature = "aws")]
async fn archive_in_aws(
    world: &World,
    found: &Found,
    environment: &EnvName,
) -> Result<Option<Arc<dyn Vault>>, Failure> {
    let session = world.session(&found.config, false).await?;
    let workshop = world.local(&found.root).join("tmp");
    Ok(session.archive(environment, &workshop, &(Arc::new(SystemClock) as _)))
}

#[cfg(not(feature = "aws"))]
async fn in_aws(_: &World, _: &Found) -> Result<BTreeMap<EnvName, Arc<dyn AuditTrail>>, Failure> {
    Err(without())
}

#[cfg(not(feature = "aws"))]
async fn archive_in_aws(_: &World, _: &Found, _: &EnvName) -> Result<Option<Arc<dyn Vault>>, Failure> {
    Err(without())
}

/// Such a build has started itself again before it comes here.
#[cfg(not(feature = "aws"))]
fn without() -> Failure {
    Failure::usage("this build has no `--profile aws`: build it with `--features aws`")
}
