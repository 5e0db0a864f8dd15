//! The policy chain: who may decide, what gates hold, freezes, and the emergency stop.

use std::collections::BTreeMap;

use crate::{
    context::Context,
    engine::ledger,
    model::{
        entry::{ChainName, Record},
        people::People,
        policy::{PolicyEvent, PolicyState},
        time::Time,
    },
    plan::gate::{self, gaps},
};

/// The policy that holds.
///
/// # Errors
/// Integrity or unfinished, as reading goes.
pub async fn state(context: &Context) -> anyhow::Result<PolicyState> {
    Ok(head(context).await?.map(|record| record.entry.state).unwrap_or_default())
}

/// The entry that put it in force, if any did.
///
/// # Errors
/// Integrity or unfinished, as reading goes.
pub async fn head(context: &Context) -> anyhow::Result<Option<Record<PolicyEvent>>> {
    ledger::head(context, &ChainName::Policy).await
}

/// The policies that held at a moment of someone's clock: clocks differ, so that one which was applied right before may
/// carry a later time.
///
/// # Errors
/// Integrity or unfinished, as reading goes.
pub async fn around(context: &Context, time: Time) -> anyhow::Result<Vec<PolicyState>> {
    let mut held = Vec::new();
    let mut here = ledger::head::<PolicyEvent>(context, &ChainName::Policy).await?;
    while let Some(record) = here {
        if record.entry.time <= time.after(gate::SKEW) {
            held.push(record.entry.state.clone());
        }
        if record.entry.time <= time {
            break;
        }
        here = ledger::before(context, &ChainName::Policy, &record).await?;
    }
    Ok(held)
}

/// Puts these people, and the gates of today's `release.toml`, in force. Nothing is written if they are already. A gate
/// that they cannot pass is a warning: who applies a policy may mean to close it.
///
/// # Errors
/// Integrity or unfinished, as reading and writing goes.
pub async fn apply(context: &Context, people: &People) -> anyhow::Result<bool> {
    let gates: BTreeMap<_, _> =
        context.config.path.iter().map(|stop| (stop.environment.clone(), stop.gate.clone())).collect();
    let now = context.clock.now();
    for gap in context.config.path.iter().flat_map(|stop| gaps(people, &stop.environment, &stop.gate, now)) {
        let remedy = match people.throwaway {
            true => "run `cargo xtask doctor --fix`",
            false => "name more people and keys in people.toml, then run `cargo xtask policy apply` again",
        };
        context.story.warn(&format!("{gap}; {remedy}"));
    }
    let before = state(context).await?;
    if before.people.as_ref() == Some(people) && before.gates == gates {
        return Ok(false);
    }
    append(context, &PolicyEvent::Applied { people: people.clone(), gates }).await?;
    Ok(true)
}

/// Appends to the policy chain.
///
/// # Errors
/// Integrity or unfinished, as reading and writing goes.
pub async fn append(context: &Context, event: &PolicyEvent) -> anyhow::Result<Record<PolicyEvent>> {
    ledger::append(context, &ChainName::Policy, |_| {
        Ok(ledger::Draft { release: None, manifest: None, event: event.clone() })
    })
    .await
}
