//! Who may do what, in one table: each actor's rendered policy together with the rendered policies of the buckets and
//! keys, by evaluation. The table is the expectation; the code only fills it in.

use crate::{
    evaluate::{Guard, Principal, Request, allowed},
    ownership::Writer,
    policy::{Form, Policy},
    render::{Document, render},
    sample::{HOME, PROD, vault},
    trust::Subject,
    vault::{Actor, Side, Vault},
};

mod buckets;
mod others;

/// A vault with all its policies read.
struct World {
    vault: Vault,
    buckets: [Policy; 2],
    actors: Vec<(Actor, String, Vec<Policy>)>,
}

impl World {
    fn new() -> Self {
        let vault = vault();
        let parse = |document, form| Policy::parse(&render(&vault, &document).unwrap(), form).unwrap();
        let actors = vault
            .actors()
            .into_iter()
            .map(|(actor, role)| (actor.clone(), role.to_string(), vec![parse(Document::Role(actor), Form::Identity)]));
        let mut actors: Vec<_> = actors.collect();
        actors.sort_by_key(|(actor, ..)| actor.clone());
        let buckets = [Side::Vault, Side::Mirror].map(|side| parse(Document::Bucket(side), Form::Resource));
        Self { buckets, actors, vault }
    }

    fn bucket(&self, side: Side) -> (&Policy, String) {
        let policy = &self.buckets[usize::from(side == Side::Mirror)];
        (policy, format!("arn:aws:s3:::{}", self.vault.bucket(side).bucket))
    }

    /// Whether a role with these policies may do this to a bucket.
    fn may(&self, side: Side, identity: &[Policy], request: &Request) -> bool {
        allowed(Guard::Bucket { policy: self.bucket(side).0, account: HOME }, identity, request)
    }
}

/// What an administrator of the account has, or somebody who gave themselves everything.
fn everything() -> Vec<Policy> {
    let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    vec![Policy::parse(all, Form::Identity).unwrap()]
}
