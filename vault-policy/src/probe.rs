//! The requests that show whether a bucket's policy holds: each must be refused, or must be allowed, and the statement
//! of the reviewed policy that answers for it is its rule. A policy is judged by its answers and not by its words, so
//! that one which says the same otherwise passes, and one which only looks alike does not.

use crate::{
    evaluate::{Guard, Principal, Request, allowed},
    names::account_of,
    ownership::{self, Kind, Writer},
    policy::{Form, Policy, stranger},
    render::{Document, RenderError, identifier, render},
    vault::{Actor, Side, Vault},
};

mod requests;

pub(crate) const PUT: &str = "s3:PutObject";

/// What must happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Must {
    /// An explicit refusal: no policy of a role can make up for its absence.
    Refuse,
    /// No permission by the bucket, which alone would let in whoever is not of its account.
    NotPermit,
    /// Permission, by the bucket's policy and the rendered policy of the role together.
    Allow,
}

/// A request and what must happen to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probe {
    /// The `Sid` of the reviewed statement that answers for it, or `ClosedToStrangers`.
    pub(crate) rule: String,
    /// The request.
    pub(crate) request: Request,
    /// What about it matters beyond its action and resource, as ` over plain HTTP`; may be empty.
    pub(crate) how: &'static str,
    /// What must happen.
    pub(crate) must: Must,
}

/// A request that got the wrong answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hole {
    /// The `Sid` of the reviewed statement that closes it, or `ClosedToStrangers`.
    pub rule: String,
    /// The request, and what is wrong with the answer.
    pub what: String,
}

/// The rules that a bucket's policy is asked about, and what it answered wrongly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Every rule, with the number of requests that asked about it, in order.
    pub rules: Vec<(String, usize)>,
    /// The wrong answers.
    pub holes: Vec<Hole>,
}

/// Asks a bucket's policy about every actor, prefix and action.
///
/// # Errors
/// If the reviewed policies of the roles cannot be rendered for this vault.
pub fn judge(vault: &Vault, side: Side, policy: &Policy) -> Result<Judgement, RenderError> {
    let account = vault.roles.vault_administrator.account();
    let guard = Guard::Bucket { policy, account };
    let mut identities = Vec::new();
    for (actor, role) in vault.actors() {
        identities.push((role.as_str(), identity(vault, actor)?));
    }
    let mut judgement = Judgement { rules: Vec::new(), holes: Vec::new() };
    for probe in asker(vault, side, policy)?.all() {
        match judgement.rules.iter_mut().find(|(rule, _)| *rule == probe.rule) {
            Some((_, count)) => *count += 1,
            None => judgement.rules.push((probe.rule.clone(), 1)),
        }
        let request = &probe.request;
        let wrong = match probe.must {
            Must::Refuse => policy.refusal(request).is_none().then(|| "is not refused".to_owned()),
            Must::NotPermit => {
                let sid = policy.refusal(request).is_none().then(|| policy.permission(request)).flatten();
                sid.map(|sid| format!("is permitted by the statement `{sid}`"))
            }
            Must::Allow => {
                let own = identities.iter().find(|(role, _)| request.principal == Principal::Role((*role).to_owned()));
                let own = own.map_or(&[][..], |(_, policy)| std::slice::from_ref(policy));
                let why = || {
                    policy
                        .refusal(request)
                        .map_or("permits it nowhere".to_owned(), |sid| format!("refuses it in `{sid}`"))
                };
                (!allowed(guard, own, request)).then(|| format!("must be allowed, and the policy {}", why()))
            }
        };
        let what = |wrong| {
            format!("`{}` on {}{} by {} {wrong}", request.action, request.resource, probe.how, request.principal)
        };
        judgement.holes.extend(wrong.map(|wrong| Hole { rule: probe.rule.clone(), what: what(wrong) }));
    }
    Ok(judgement)
}

fn identity(vault: &Vault, actor: Actor) -> Result<Policy, RenderError> {
    parsed(&render(vault, &Document::Role(actor))?, Form::Identity)
}

fn parsed(rendered: &str, form: Form) -> Result<Policy, RenderError> {
    Policy::parse(rendered, form).map_err(|error| RenderError::Template(error.to_string()))
}

/// Every request that a bucket's policy is asked about. Besides the vault's own roles and prefixes these are the roles
/// and resources that the policy itself makes a difference for: an exception for one back door is asked about, too.
fn asker<'a>(vault: &'a Vault, side: Side, policy: &Policy) -> Result<requests::Asker<'a>, RenderError> {
    let store = vault.bucket(side);
    let bucket = format!("arn:aws:s3:::{}", store.bucket);
    let (roles, resources) = policy.mentions();
    let account = vault.roles.vault_administrator.account();
    let actors: Vec<(Option<Actor>, String)> =
        vault.actors().into_iter().map(|(actor, role)| (Some(actor), role.to_string())).collect();
    let mut strangers = vec![stranger(account)];
    strangers.extend(roles.into_iter().filter(|role| actors.iter().all(|(_, actor)| actor != role)));
    strangers.sort();
    strangers.dedup();
    let own = |resource: &String| resource.strip_prefix(&format!("{bucket}/")).map(str::to_owned);
    // What the reviewed policy speaks of has its samples already.
    let (_, reviewed) = parsed(&render(vault, &Document::Bucket(side))?, Form::Resource)?.mentions();
    let mut keys = keys(vault);
    let resources = resources.iter().filter(|resource| !reviewed.contains(resource));
    keys.extend(resources.filter_map(own).filter(|key| !key.is_empty()));
    keys.sort();
    keys.dedup();
    let everyone = actors.into_iter().chain(strangers.into_iter().map(|role| (None, role))).collect();
    Ok(requests::Asker { vault, side, bucket, account: account.to_owned(), everyone, keys })
}

/// A key under every prefix of every writer, and keys under none.
pub(crate) fn keys(vault: &Vault) -> Vec<String> {
    let fixed = ["v1.0.0/manifest.json", "releases/00000001.json", "policy/00000001.json", "evidence/v1.0.0/0.json"];
    let nowhere = ["other/x", "environments/any-other/00000001.json"];
    let mut keys: Vec<_> = fixed.into_iter().chain(nowhere).map(str::to_owned).collect();
    for environment in vault.environments.keys() {
        keys.push(format!("environments/{environment}/00000001.json"));
        keys.push(format!("approvals/v1.0.0/{environment}/00000001.json"));
    }
    let notes = |site: &str| keys.iter().map(|key| format!("{site}{key}")).collect::<Vec<_>>();
    let notes = [notes(ownership::WITNESS_OF_PRIMARY), notes(ownership::WITNESS_OF_RECOVERY)].concat();
    keys.extend(notes);
    keys
}

/// The statements that keep a key to its writer and that let that one write it; `None` for a key of nobody.
fn rules_of(vault: &Vault, side: Side, key: &str) -> Option<(String, String)> {
    let owner = vault.owner(side, key)?;
    let may = match (&owner, side) {
        (_, Side::Vault) => format!("{}Writes{}", name_of(&owner)?, environment_of(vault, &owner)?),
        (_, Side::Mirror) if ownership::witness(key).is_some() => {
            format!("{}Witnesses{}", name_of(&owner)?, environment_of(vault, &owner)?)
        }
        (_, Side::Mirror) => "MirrorWriterWrites".to_owned(),
    };
    Some((format!("Only{may}"), may))
}

/// The statements that keep the retention of a key to those who may lengthen it, and that let this actor do so; none for
/// whoever may not, and none at all for a key of nobody.
fn rules_of_retention(vault: &Vault, side: Side, key: &str, actor: Option<&Actor>) -> Option<(String, Option<String>)> {
    let owner = vault.owner(side, key)?;
    let owns = (actor == Some(&owner)).then(|| rules_of(vault, side, key).map(|(_, may)| may)).flatten();
    if side == Side::Mirror {
        return Some((rules_of(vault, side, key)?.0, owns));
    }
    let deploys = matches!(actor, Some(Actor::Writer(Writer::Deployer(_)))).then(|| "DeployersLengthen".to_owned());
    let only = match owner {
        Actor::Writer(Writer::Deployer(_)) => "OnlyDeployersLengthen".to_owned(),
        owner => format!("Only{}Locks", name_of(&owner)?),
    };
    Some((only, deploys.or(owns)))
}

fn name_of(owner: &Actor) -> Option<&'static str> {
    Some(match owner {
        Actor::Writer(Writer::Of(Kind::Releaser)) => "Releaser",
        Actor::Writer(Writer::Of(Kind::Approver)) => "Approver",
        Actor::Writer(Writer::Of(Kind::PolicyAdministrator)) => "PolicyAdministrator",
        Actor::Writer(Writer::Of(Kind::Evidence)) => "Evidence",
        Actor::Writer(Writer::Deployer(_)) => "Deployer",
        Actor::Writer(Writer::Of(Kind::Deployer)) | Actor::Auditor | Actor::VaultAdministrator => return None,
    })
}

/// How a deployer's environment stands in the identifier of a statement; nothing for whoever is no deployer, and `None` for
/// an environment that the vault does not have.
fn environment_of(vault: &Vault, owner: &Actor) -> Option<String> {
    let Actor::Writer(Writer::Deployer(environment)) = owner else { return Some(String::new()) };
    vault.environments.keys().find(|name| name.as_str() == environment).map(identifier)
}

/// Whether a role is of another account than the bucket.
fn is_foreign(role: &str, account: &str) -> bool {
    account_of(role) != account
}

#[cfg(test)]
mod tests;
