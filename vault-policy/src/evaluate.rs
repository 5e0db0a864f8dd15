//! Whether a request is allowed: what each policy says, and how a resource's policy and a role's work together.
//!
//! An explicit refusal wins. Within one account either side's permission is enough for a bucket; across accounts both
//! are needed; a key asks its own policy first, always.

use std::{collections::BTreeMap, fmt};

use crate::{
    names::account_of,
    policy::{Named, Policy, Statement},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A session of this role.
    Role(String),
    /// Somebody with a token of this provider of identities (its ARN).
    Federated(String),
    /// A service of AWS, in its own name: any that the policy speaks of.
    Service,
    /// Nobody who is known.
    Anonymous,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(arn) | Self::Federated(arn) => f.pad(arn),
            Self::Service => f.pad("a service of AWS"),
            Self::Anonymous => f.pad("anyone on the internet"),
        }
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// `s3:PutObject` and so on.
    pub action: String,
    /// The ARN of what it is about.
    pub resource: String,
    /// The condition keys that it carries, in lower case, each with its values.
    pub context: BTreeMap<String, Vec<String>>,
}

impl Request {
    /// A request of a role over TLS.
    #[must_use]
    pub fn of(role: &str, action: &str, resource: &str) -> Self {
        Self { principal: Principal::Role(role.to_owned()), ..Self::anonymous(action, resource) }
            .with("aws:PrincipalArn", role)
            .with("aws:PrincipalAccount", account_of(role))
    }

    /// A request without credentials, over TLS.
    #[must_use]
    pub fn anonymous(action: &str, resource: &str) -> Self {
        let (action, resource) = (action.to_owned(), resource.to_owned());
        Self { principal: Principal::Anonymous, action, resource, context: BTreeMap::new() }
            .with("aws:SecureTransport", "true")
    }

    /// The same with one condition key set.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.context.insert(key.to_ascii_lowercase(), vec![value.to_owned()]);
        self
    }

    /// The same without this condition key.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.context.remove(&key.to_ascii_lowercase());
        self
    }
}

/// Whose policy guards a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard<'a> {
    /// Nothing but the roles' own policies, as for functions and logs here.
    None,
    /// A bucket of this account.
    Bucket {
        /// Its policy.
        policy: &'a Policy,
        /// The account that owns it.
        account: &'a str,
    },
    /// A key: nobody may use it whom its policy does not name.
    Key {
        /// Its policy.
        policy: &'a Policy,
        /// The account that owns it.
        account: &'a str,
    },
}

/// Whether a request is allowed by the resource's policy and the policies of the role that asks.
#[must_use]
pub fn allowed(guard: Guard<'_>, identity: &[Policy], request: &Request) -> bool {
    let by_role = identity.iter().any(|policy| policy.allows(request) == Grant::Direct);
    if identity.iter().any(|policy| policy.refusal(request).is_some()) {
        return false;
    }
    let same = |account: &str| match &request.principal {
        Principal::Role(arn) => account_of(arn) == account,
        Principal::Federated(_) | Principal::Service | Principal::Anonymous => false,
    };
    match guard {
        Guard::None => by_role,
        Guard::Bucket { policy, .. } | Guard::Key { policy, .. } if policy.refusal(request).is_some() => false,
        Guard::Bucket { policy, account } if same(account) => by_role || policy.allows(request) == Grant::Direct,
        Guard::Key { policy, account } if same(account) => match policy.allows(request) {
            Grant::Direct => true,
            Grant::ToTheAccount => by_role,
            Grant::None => false,
        },
        Guard::Bucket { policy, .. } | Guard::Key { policy, .. } => {
            match (&request.principal, policy.allows(request)) {
                (_, Grant::None) => false,
                (Principal::Role(_), _) => by_role,
                (_, grant) => grant == Grant::Direct,
            }
        }
    }
}

/// What a policy permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// Nothing.
    None,
    /// It leaves it to the account of the one who asks.
    ToTheAccount,
    /// It permits it.
    Direct,
}

impl Policy {
    /// The `Sid` of the first statement that refuses this request.
    #[must_use]
    pub fn refusal(&self, request: &Request) -> Option<&str> {
        let action = request.action.to_ascii_lowercase();
        let refuses = |s: &&Statement| s.denies && s.applies(&action, request) != Grant::None;
        self.statements.iter().find(refuses).map(|statement| statement.sid.as_str())
    }

    /// The `Sid` of the first statement that permits this request.
    #[must_use]
    pub fn permission(&self, request: &Request) -> Option<&str> {
        let action = request.action.to_ascii_lowercase();
        let permits = |s: &&Statement| !s.denies && s.applies(&action, request) != Grant::None;
        self.statements.iter().find(permits).map(|statement| statement.sid.as_str())
    }

    /// What its permissions say, refusals aside.
    #[must_use]
    pub fn allows(&self, request: &Request) -> Grant {
        let action = request.action.to_ascii_lowercase();
        let permissions = self.statements.iter().filter(|statement| !statement.denies);
        permissions.map(|statement| statement.applies(&action, request)).max().unwrap_or(Grant::None)
    }
}

impl Statement {
    /// The action is given in lower case, as the statement has its own.
    fn applies(&self, action: &str, request: &Request) -> Grant {
        let carried = |key: &str| request.context.get(key).map_or(&[][..], Vec::as_slice);
        let meets = self.actions.meet(action)
            && self.resources.as_ref().is_none_or(|resources| resources.meet(&request.resource))
            && self.conditions.iter().all(|condition| condition.holds(carried));
        if !meets {
            return Grant::None;
        }
        let Some(principals) = &self.principals else { return Grant::Direct };
        principals.iter().map(|named| is(named, &request.principal)).max().unwrap_or(Grant::None)
    }
}

fn is(named: &Named, principal: &Principal) -> Grant {
    match (named, principal) {
        (Named::Everyone, _) => Grant::Direct,
        (Named::Arn(arn), Principal::Role(role)) if arn == role => Grant::Direct,
        (Named::Service(_), Principal::Service) => Grant::Direct,
        (Named::Federated(provider), Principal::Federated(its)) if provider == its => Grant::Direct,
        (Named::Account(account), Principal::Role(role)) if account_of(role) == account => Grant::ToTheAccount,
        _ => Grant::None,
    }
}

#[cfg(test)]
mod tests;
