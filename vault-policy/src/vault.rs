//! The vault as its policies see it: the buckets, who plays which role, with which key. Built by whoever reads the
//! configuration; it must not know where that stands.

use std::{collections::BTreeMap, fmt};

use crate::{
    names::{BucketName, EnvironmentName, FunctionPattern, KeyArn, Region, RoleArn},
    ownership::{self, Kind, Writer},
};

/// Everything that the policies are filled in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// The bucket that releases are made and promoted from.
    pub store: Store,
    /// The second region's vault: it mirrors the first and is its witness.
    pub mirror: Mirror,
    /// How long an object is kept at least, from its last effect on.
    pub retention: Retention,
    /// Who plays the roles that there is one of each.
    pub roles: Roles,
    /// The environments; each has its own deployer.
    pub environments: BTreeMap<EnvironmentName, Environment>,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Its name.
    pub bucket: BucketName,
    /// Its region: that of the functions which are deployed from it (fact 13).
    pub region: Region,
    /// The bucket that its access log goes to, never a vault itself (fact 12). Without one, there is no access log.
    pub log: Option<BucketName>,
}

/// The second region's vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Its bucket.
    pub store: Store,
    /// The environment whose deployer brings everything there, and is the only one to write it.
    pub environment: EnvironmentName,
}

/// The lock that a new object gets, and that a promotion renews.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Who may lift it before its time.
    pub mode: LockMode,
    /// Years from the last effect; six are asked for by 45 CFR 164.316(b)(2)(i).
    pub years: u32,
}

impl Retention {
    /// The fewest days that an object may be given: the years without their leap days, less the day that has begun.
    #[must_use]
    pub fn fewest_days(self) -> u32 {
        (self.years * 365).saturating_sub(1)
    }

    /// The most days, so that a slip of the pen does not lock an object for a century (fact 8).
    #[must_use]
    pub fn most_days(self) -> u32 {
        self.years * 366 + 1
    }
}

/// A mode of Object Lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockMode {
    /// A right can lift it; the policy gives that right to nobody. For trying a vault out.
    Governance,
    /// Nobody lifts it, the root of the account included.
    Compliance,
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        })
    }
}

/// Who plays the roles that there is one of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Builds and seals.
    pub releaser: Signing,
    /// Records people, keys, freezes and the emergency stop.
    pub policy_administrator: Signing,
    /// Records test reports and other proof.
    pub evidence: Signing,
    /// Records what people decided. It has no key: each entry is signed by the person.
    pub approver: RoleArn,
    /// Reads everything and changes nothing.
    pub auditor: RoleArn,
    /// Sets the buckets up; alone may change their policies, and writes no object. Its account is the buckets'.
    pub vault_administrator: RoleArn,
}

/// A role and the key that it signs entries with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The role.
    pub role: RoleArn,
    /// Its key, which no other role signs with.
    pub key: KeyArn,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its deployer, who lives in the account of its functions.
    pub deployer: Signing,
    /// The key that its deployer digests the functions' variables with, and nobody else: what is secret cannot be guessed.
    pub variables_key: KeyArn,
    /// The names of its functions.
    pub functions: FunctionPattern,
    /// The role that a function is made with, if the deployer may make functions.
    pub function_role: Option<RoleArn>,
}

/// Both buckets.
pub const SIDES: [Side; 2] = [Side::Vault, Side::Mirror];

/// One of the two buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The vault.
    Vault,
    /// The second region's vault.
    Mirror,
}

/// Somebody whom a policy is written for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// A writer of the table of owners.
    Writer(Writer),
    /// Reads.
    Auditor,
    /// Sets the buckets up.
    VaultAdministrator,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Writer(writer) => writer.fmt(f),
            Self::Auditor => f.pad("auditor"),
            Self::VaultAdministrator => f.pad("vault-administrator"),
        }
    }
}

impl Vault {
    /// Everybody, with their roles: the writers, the auditor and the vault administrator.
    #[must_use]
    pub fn actors(&self) -> Vec<(Actor, &RoleArn)> {
        let of = |kind| Actor::Writer(Writer::Of(kind));
        let roles = &self.roles;
        let single = [
            (of(Kind::Releaser), &roles.releaser.role),
            (of(Kind::PolicyAdministrator), &roles.policy_administrator.role),
            (of(Kind::Evidence), &roles.evidence.role),
            (of(Kind::Approver), &roles.approver),
            (Actor::Auditor, &roles.auditor),
            (Actor::VaultAdministrator, &roles.vault_administrator),
        ];
        let deployers =
            self.environments.iter().map(|(name, environment)| (deployer(name), &environment.deployer.role));
        single.into_iter().chain(deployers).collect()
    }

    /// Those who sign, each with its key.
    #[must_use]
    pub fn signers(&self) -> Vec<(Writer, &Signing)> {
        let roles = &self.roles;
        let single = [
            (Writer::Of(Kind::Releaser), &roles.releaser),
            (Writer::Of(Kind::PolicyAdministrator), &roles.policy_administrator),
            (Writer::Of(Kind::Evidence), &roles.evidence),
        ];
        let deployers = self.environments.iter().map(|(name, e)| (Writer::Deployer(name.to_string()), &e.deployer));
        single.into_iter().chain(deployers).collect()
    }

    /// The one writer of a key in that bucket, if anybody is. Everything in the mirror is brought by one deployer, but for
    /// what the first region's writers note there as it happens: that deployer must not be able to rewrite it.
    #[must_use]
    pub fn owner(&self, side: Side, key: &str) -> Option<Actor> {
        let known = |writer: &Writer| match writer {
            Writer::Deployer(environment) => self.environments.keys().any(|name| name.as_str() == environment),
            Writer::Of(_) => true,
        };
        let owner = ownership::writer(key).filter(known);
        match side {
            Side::Vault => owner.map(Actor::Writer),
            Side::Mirror => {
                let brought = owner.is_some() || ownership::notes_of_recovery(key);
                let noted = ownership::witness(key).filter(known).map(Actor::Writer);
                noted.or_else(|| brought.then(|| self.recovery()))
            }
        }
    }

    /// The deployer who brings everything to the mirror.
    #[must_use]
    pub fn recovery(&self) -> Actor {
        deployer(&self.mirror.environment)
    }

    /// One of the buckets.
    #[must_use]
    pub fn bucket(&self, side: Side) -> &Store {
        match side {
            Side::Vault => &self.store,
            Side::Mirror => &self.mirror.store,
        }
    }

    /// The region of an environment's functions: that of the bucket which they are deployed from.
    #[must_use]
    pub fn region_of(&self, environment: &EnvironmentName) -> &Region {
        let side = if self.mirror.environment == *environment { Side::Mirror } else { Side::Vault };
        &self.bucket(side).region
    }
}

fn deployer(environment: &EnvironmentName) -> Actor {
    Actor::Writer(Writer::Deployer(environment.to_string()))
}
