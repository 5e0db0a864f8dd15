//! Tells people what was just recorded. Nothing here can fail a command: what does not get through is a warning, and it is
//! given up within seconds, so that a dead address does not hold up a deployment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use crate::{
    context::Context,
    engine::{facts, gate},
    model::{
        entry::{Entry, Event},
        notice::{Notice, Occasion},
    },
    ports::{clock::Clock, notifier::Notifier},
};

/// How often one notice is tried, and the first wait in between; each further one is twice as long.
const ATTEMPTS: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Everyone who is told.
#[derive(Default)]
pub struct Channels(Vec<Channel>);

struct Channel {
    notifier: Arc<dyn Notifier>,
    /// It gave up on the last notice: the next one gets one attempt, until one gets through.
    down: Arc<AtomicBool>,
}

/// How one channel did.
#[derive(Debug)]
pub struct Delivery {
    /// Its name.
    pub channel: &'static str,
    /// Why the notice was not taken, if it was not.
    pub error: Option<anyhow::Error>,
}

impl Channels {
    /// These ways, all of them.
    #[must_use]
    pub fn new(notifiers: Vec<Arc<dyn Notifier>>) -> Self {
        Self(notifiers.into_iter().map(|notifier| Channel { notifier, down: Arc::default() }).collect())
    }

    /// Whether nobody is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Tells what an entry says that is in the ledger now.
pub(super) async fn appended<E: Event>(context: &Context, entry: &Entry<E>) {
    if context.channels.is_empty() {
        return;
    }
    for notice in E::notices(entry) {
        warn(context, &notice, tell(context, &notice).await);
        if let Some(waits) = next_gate(context, &notice).await {
            warn(context, &waits, tell(context, &waits).await);
        }
    }
}

/// Tells everyone at the same time, and waits for all.
pub async fn tell(context: &Context, notice: &Notice) -> Vec<Delivery> {
    let mut under_way = JoinSet::new();
    for Channel { notifier, down } in &context.channels.0 {
        let (notifier, down, clock) = (Arc::clone(notifier), Arc::clone(down), Arc::clone(&context.clock));
        let notice = notice.clone();
        under_way.spawn(async move {
            let channel = notifier.name();
            Delivery { channel, error: deliver(&*notifier, &down, &*clock, &notice).await.err() }
        });
    }
    let mut deliveries = under_way.join_all().await;
    deliveries.sort_by_key(|delivery| delivery.channel);
    deliveries
}

async fn deliver(notifier: &dyn Notifier, down: &AtomicBool, clock: &dyn Clock, notice: &Notice) -> anyhow::Result<()> {
    let attempts = if down.load(Ordering::Relaxed) { 1 } else { ATTEMPTS };
    let mut wait = FIRST_WAIT;
    for attempt in 1.. {
        let told = notifier.deliver(notice).await;
        if told.is_ok() || attempt >= attempts {
            down.store(told.is_err(), Ordering::Relaxed);
            return told;
        }
        clock.sleep(wait).await;
        wait *= 2;
    }
    Ok(())
}

fn warn(context: &Context, notice: &Notice, deliveries: Vec<Delivery>) {
    for delivery in deliveries {
        if let Some(error) = delivery.error {
            let what = serde_json::to_value(notice.occasion).ok();
            let what = what.as_ref().and_then(serde_json::Value::as_str).unwrap_or("notice");
            let release = notice.release.map(|release| format!(" {release}")).unwrap_or_default();
            context.story.warn(&format!(
                "{} was not told of `{what}`{release}: {error:#}; nothing else is affected, \
                 try it with `cargo xtask notify --test`",
                delivery.channel
            ));
        }
    }
}

/// The gate behind an environment that was just entered, if it waits for people.
async fn next_gate(context: &Context, entered: &Notice) -> Option<Notice> {
    let (release, environment) = (entered.release?, entered.environment.as_ref()?);
    if entered.occasion != Occasion::Entered {
        return None;
    }
    let at = context.config.path.iter().position(|stop| &stop.environment == environment)?;
    let next = context.config.path.get(at + 1)?;
    let judged = async {
        let (manifest, _) = facts::manifest(context, release).await?;
        gate::judge(context, &next.environment, &manifest).await
    };
    let gate = match judged.await {
        Ok(gate) => gate,
        Err(error) => {
            context.story.warn(&format!("nobody is told whether the gate of {} waits: {error:#}", next.environment));
            return None;
        }
    };
    let missing: Vec<String> = gate
        .rules
        .iter()
        .filter(|rule| rule.rule == "approval" && !rule.holds)
        .map(|rule| rule.found.clone())
        .collect();
    // What has no way in waits for nobody. A freeze or a soak ends by itself, and people may decide meanwhile.
    let way = ["alive", "order", "forward", "path"];
    let barred = gate.rules.iter().any(|rule| way.contains(&rule.rule.as_str()) && !rule.holds);
    (!missing.is_empty() && !barred).then(|| Notice {
        occasion: Occasion::Waits,
        environment: Some(next.environment.clone()),
        detail: Some(missing.join("; ")),
        ..entered.clone()
    })
}
