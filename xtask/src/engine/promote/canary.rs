//! Canaries: the calls go over step by step, every function of the release together, each step proven before the next
//! begins. Where a canary stands is in the chain, so that whoever resumes it goes on in the step that it was in.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    engine::promote::{
        Finding, Promotion, Turn,
        claim::{Claimed, HOLD},
    },
    model::{
        canary::{BegunStep, Canary, CanaryRules, CanaryStep},
        environment::{EnvironmentEvent, EnvironmentState},
        names::AlarmName,
        time::Time,
    },
    plan::canary::{self, Decision, Seen, Signal},
    ports::alarms::{Alarm, AlarmState},
};

impl Promotion<'_> {
    /// Brings a canary on to its next step; `None` when all of them are over and the rest of the calls may follow.
    pub(super) async fn canary(
        &self,
        claimed: &Claimed,
        state: &EnvironmentState,
        canary: &Canary,
    ) -> anyhow::Result<Option<Turn>> {
        let rules = &canary.rules;
        let Some(begun) = canary.step else { return self.first(claimed, state, rules).await.map(Some) };
        let Some(step) = rules.step(begun.number) else { return Ok(None) };
        // Whoever was interrupted may have begun to go on, with some of the aliases.
        self.apply_at(claimed, &state.moves, Some(step.weight)).await?;
        if let Some(back) = self.bake(claimed, state, rules, begun, step).await? {
            return Ok(Some(back));
        }
        match rules.step(begun.number + 1) {
            Some(next) => self.begin(claimed, state, rules, (begun.number + 1, next)).await.map(Some),
            None => Ok(None),
        }
    }

    /// An alarm that is raised before the first call says nothing of the release, and would hide what it does.
    async fn first(&self, claimed: &Claimed, state: &EnvironmentState, rules: &CanaryRules) -> anyhow::Result<Turn> {
        let alarms = self.signals(rules).await?;
        let before = Seen { elapsed: Duration::ZERO, requests: BTreeMap::new(), alarms };
        if let Some(raised) = canary::raised(&before) {
            return Ok(Turn::Unproven(format!("before the canary began: {raised}")));
        }
        match rules.step(1) {
            Some(step) => self.begin(claimed, state, rules, (1, step)).await,
            None => Ok(Turn::Unproven("the canary has no steps".to_owned())),
        }
    }

    /// Gives the new versions their share. The shift's intent lists it; what is recorded is that it is done, since the
    /// bake time begins only when every alias has it.
    async fn begin(
        &self,
        claimed: &Claimed,
        state: &EnvironmentState,
        rules: &CanaryRules,
        (number, step): (u32, CanaryStep),
    ) -> anyhow::Result<Turn> {
        self.apply_at(claimed, &state.moves, Some(step.weight)).await?;
        let expires = self.context.clock.now().after(rules.longest(step)).after(HOLD);
        Ok(Turn::Event(Box::new(EnvironmentEvent::Weighted { step: number, weight: step.weight, expires })))
    }

    /// Waits until a step is over, `None` if it went well. A gate that closes meanwhile, by a freeze or an emergency stop,
    /// takes back the calls that came through it.
    async fn bake(
        &self,
        claimed: &Claimed,
        state: &EnvironmentState,
        rules: &CanaryRules,
        begun: BegunStep,
        step: CanaryStep,
    ) -> anyhow::Result<Option<Turn>> {
        let (number, of, weight) = (begun.number, rules.steps.len(), step.weight);
        let name = format!("{}: canary step {number} of {of}, {weight}% of the calls", self.environment);
        let phase = self.context.story.phase(&name);
        let fleet = self.fenced(claimed)?;
        loop {
            fleet.held().await?;
            let seen = self.look(state, rules, begun.since).await?;
            let waiting = match canary::judge(rules, step, &seen) {
                Decision::Finding(text) => {
                    let text = format!("canary {text}");
                    return Ok(Some(Turn::Finding(Finding { text, smoke: Vec::new(), log: None })));
                }
                Decision::Unproven(text) => return Ok(Some(Turn::Unproven(format!("canary {text}")))),
                Decision::Next => None,
                Decision::Wait(what) => Some(what),
            };
            if let Err(refusals) = self.gate_still_holds().await? {
                let text = format!("canary at {weight}% of the calls: the gate did not hold any more:\n{refusals}");
                return Ok(Some(Turn::Unproven(text)));
            }
            let Some(what) = waiting else {
                phase.done(&summary(&seen));
                return Ok(None);
            };
            phase.now(&format!("waiting: {what}"));
            self.context.clock.sleep(canary::pause(rules, step, seen.elapsed)).await;
        }
    }

    async fn look(&self, state: &EnvironmentState, rules: &CanaryRules, since: Time) -> anyhow::Result<Seen> {
        let watch = self.context.alarms(self.environment)?;
        let mut requests = BTreeMap::new();
        for step in &state.moves {
            let Some((_, new)) = canary::both(step) else { continue };
            let got = watch.requests(&step.name, &step.alias, new, since).await;
            requests.insert(step.function.clone(), got.ok());
        }
        let alarms = self.signals(rules).await?;
        Ok(Seen { elapsed: self.context.clock.now().since(since), requests, alarms })
    }

    /// What every alarm says; one that cannot be asked is asked again, and kills nothing.
    async fn signals(&self, rules: &CanaryRules) -> anyhow::Result<BTreeMap<AlarmName, Signal>> {
        let watch = self.context.alarms(self.environment)?;
        let mut signals = BTreeMap::new();
        for alarm in &rules.alarms {
            let signal = match watch.alarm(alarm).await {
                Ok(Alarm { state: AlarmState::Ok, .. }) => Signal::Clear,
                Ok(Alarm { state: AlarmState::Alarm, reason }) => Signal::Raised(reason),
                Ok(Alarm { state: AlarmState::InsufficientData, reason }) => Signal::Silent(reason),
                Err(error) => Signal::Silent(format!("{:#}", anyhow::Error::from(error))),
            };
            signals.insert(alarm.clone(), signal);
        }
        Ok(signals)
    }
}

/// What a step that went well has seen.
fn summary(seen: &Seen) -> String {
    let count = |got: &Option<u64>| got.map_or_else(|| "uncounted".to_owned(), |got| got.to_string());
    let requests = seen.requests.iter().map(|(function, got)| format!("{function} {}", count(got)));
    format!("requests: {}; {} alarms clear", requests.collect::<Vec<_>>().join(", "), seen.alarms.len())
}
