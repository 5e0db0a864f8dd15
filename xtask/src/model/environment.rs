//! The chain of an environment: what happened there, step by step, and the state that its head carries.

mod known;
mod moves;
mod state;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::{
    known::Known,
    moves::{AliasMove, Deployed, Rollback},
    state::{Claim, EnvironmentState, FailedCheck, Live, Phase},
};
use crate::model::{
    canary::{BegunStep, Canary, CanaryRules},
    entry::{About, Entry, Event},
    names::FunctionName,
    notice::Notice,
    review::Observation,
    smoke::CheckResult,
    time::Time,
};

/// What happens in an environment. A promotion is `claimed`, `staged`, `shifting`, `shifted`, `verified`, with one `weighted`
/// for each step of a canary; one that is found bad goes from wherever it stands to `failed` and `died`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EnvironmentEvent {
    /// The environment is held for a promotion: the intent to stage.
    Claimed {
        /// The machine whose lock tells whether the owner still lives.
        machine: String,
        /// After this, whoever comes may take over.
        expires: Time,
        /// Whose claim was taken over, if one was.
        took_over: Option<String>,
        /// Set if the release comes back in place of a newer one.
        rollback: Option<Rollback>,
    },
    /// Reviews of the workflow run in which the promotion runs, as its deployer saw them.
    Observed {
        /// What was seen.
        observation: Observation,
    },
    /// A person breaks the glass: a freeze and the soak time hold this promotion up no longer.
    BrokeGlass {
        /// Why.
        reason: String,
    },
    /// Every function has a published version that carries the box's bytes.
    Staged {
        /// Those versions.
        functions: BTreeMap<FunctionName, Deployed>,
    },
    /// The versions answered well; the aliases are about to move. The intent of the shift.
    Shifting {
        /// What moves.
        moves: Vec<AliasMove>,
        /// What the versions answered before they had traffic.
        smoke: Vec<CheckResult>,
        /// The steps on the way; all at once if there are none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canary: Option<CanaryRules>,
        /// What the gate was judged by; a rollback asks none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known: Option<Known>,
    },
    /// Every alias that moves gives the new version this share of the calls: a step of the canary began.
    Weighted {
        /// Which step: 1, 2, 3, …
        step: u32,
        /// The share in percent.
        weight: u8,
        /// The claim now holds until then: a step lasts longer than other things do.
        expires: Time,
    },
    /// All aliases moved.
    Shifted,
    /// The release answers well through live: the promotion is closed.
    Verified {
        /// What live answered.
        smoke: Vec<CheckResult>,
    },
    /// An earlier release is back and answers well through live; the one rolled back from is dead. Closes a rollback.
    RolledBack {
        /// Which release was live, and why it is not any more.
        from: Rollback,
        /// What live answered.
        smoke: Vec<CheckResult>,
    },
    /// Somebody verified what is live once more. Only what changes its standing is recorded.
    Reverified {
        /// What was wrong; `None` if all is well again.
        finding: Option<String>,
    },
    /// The second region has what is live in the first: the release is Globally Synced.
    Synced {
        /// How long after the environment before, in seconds.
        lag_s: u64,
    },
    /// The release is found bad; aliases are about to go back. The intent of the way back.
    Failed {
        /// Where and why, in one line.
        finding: String,
        /// What the checks answered, if checks found it.
        smoke: Vec<CheckResult>,
        /// The end of the function's own log, if it says more.
        log: Option<String>,
        /// What moves back.
        moves: Vec<AliasMove>,
    },
    /// The canary could not prove the release; aliases are about to go back. The intent of the way back.
    Withdrawn {
        /// Why, in one line.
        reason: String,
        /// What moves back.
        moves: Vec<AliasMove>,
    },
    /// The release is dead, the aliases are where they were: the promotion is closed.
    Died {
        /// Where and why, in one line.
        finding: String,
    },
    /// A promotion was given up before anything moved, or after everything moved back; its release is not dead.
    Abandoned {
        /// Why.
        reason: String,
    },
}

impl Event for EnvironmentEvent {
    type State = EnvironmentState;

    fn advance(&self, before: &EnvironmentState, about: &About) -> EnvironmentState {
        let mut after = before.clone();
        match self {
            Self::Claimed { machine, expires, rollback, took_over } => {
                after.fence += 1;
                // A claim that is taken over for the same release goes on where it stands: moves that began must end.
                if before.holder.as_ref().map(|claim| claim.release) != about.release {
                    after.phase = Phase::Claimed;
                    after.staged.clear();
                    after.moves.clear();
                    after.rollback = rollback.clone();
                    (after.finding, after.withdrawn, after.canary) = (None, None, None);
                    after.break_glass = None;
                }
                if let (Some(release), Some(manifest)) = (about.release, about.manifest) {
                    after.highest = after.highest.max(Some(release));
                    after.holder = Some(Claim {
                        owner: about.actor.clone(),
                        machine: machine.clone(),
                        since: about.time,
                        expires: *expires,
                        release,
                        manifest,
                        took_over: took_over.clone(),
                    });
                }
            }
            // What was seen is judged by the gate, and moves nothing.
            Self::Observed { .. } => {}
            Self::BrokeGlass { reason } => after.break_glass = Some(reason.clone()),
            Self::Staged { functions } => {
                after.phase = Phase::Staged;
                after.staged = functions.clone();
            }
            Self::Shifting { moves, canary, .. } => {
                after.phase = Phase::Shifting;
                after.moves = moves.clone();
                after.canary = canary.clone().map(|rules| Canary { rules, step: None });
            }
            Self::Weighted { step, expires, .. } => {
                if let Some(canary) = &mut after.canary {
                    canary.step = Some(BegunStep { number: *step, since: about.time });
                }
                if let Some(claim) = &mut after.holder {
                    claim.expires = *expires;
                }
            }
            Self::Shifted => {
                after.phase = Phase::Shifted;
                after.canary = None;
                if let (Some(release), Some(manifest)) = (about.release, about.manifest) {
                    let functions = after.staged.clone();
                    let live = Live {
                        release,
                        manifest,
                        since: about.time,
                        verified: false,
                        synced: None,
                        functions,
                        break_glass: after.break_glass.clone(),
                        failed: None,
                    };
                    after.fallback = after.live.replace(live);
                }
            }
            Self::Verified { .. } => {
                close(&mut after);
                after.pin = None;
                let fallback = after.fallback.take();
                if let Some(live) = &mut after.live {
                    live.verified = true;
                    // A release that is staged again over itself does not push out the one before it.
                    if let Some(old) = fallback.filter(|old| old.release != live.release) {
                        after.previous = Some(old);
                    }
                }
            }
            Self::RolledBack { .. } => {
                close(&mut after);
                // What was live is dead, so there is nothing known to be good behind the release that came back.
                (after.fallback, after.previous) = (None, None);
                after.pin = about.release;
                if let Some(live) = &mut after.live {
                    live.verified = true;
                }
            }
            Self::Reverified { finding } => {
                if let Some(live) = &mut after.live {
                    live.failed = finding.clone().map(|finding| FailedCheck { at: about.time, finding });
                }
            }
            Self::Synced { .. } => {
                if let Some(live) = &mut after.live {
                    live.synced = Some(about.time);
                }
            }
            Self::Failed { moves, finding, .. } => {
                after.phase = Phase::Failing;
                after.finding = Some(finding.clone());
                after.moves = moves.clone();
                after.canary = None;
            }
            Self::Withdrawn { reason, moves } => {
                after.phase = Phase::Failing;
                after.withdrawn = Some(reason.clone());
                after.moves = moves.clone();
                after.canary = None;
            }
            Self::Died { .. } => {
                close(&mut after);
                fall_back(&mut after);
            }
            Self::Abandoned { .. } => {
                close(&mut after);
                fall_back(&mut after);
            }
        }
        after
    }

    fn may_follow(&self, before: &EnvironmentState, about: &About) -> bool {
        let holder = before.holder.as_ref().map(|claim| claim.release);
        let phases: &[Phase] = match self {
            Self::Claimed { .. } => return about.release.is_some(),
            Self::Reverified { .. } => {
                let live = before.live.as_ref().filter(|live| live.verified);
                return before.holder.is_none() && live.is_some_and(|live| Some(live.release) == about.release);
            }
            Self::Synced { .. } => return before.live.as_ref().map(|live| live.release) == about.release,
            Self::Observed { observation } => match (about.release, about.manifest) {
                (Some(release), Some(manifest))
                    if observation.is_as_answered() && observation.run.is_about(release, manifest).is_ok() =>
                {
                    &[Phase::Claimed]
                }
                _ => &[],
            },
            Self::BrokeGlass { .. } if before.break_glass.is_some() => &[],
            Self::BrokeGlass { .. } | Self::Staged { .. } => &[Phase::Claimed],
            Self::Shifting { .. } => &[Phase::Staged],
            Self::Weighted { .. } | Self::Shifted => &[Phase::Shifting],
            Self::Verified { .. } | Self::RolledBack { .. } => &[Phase::Shifted],
            Self::Failed { .. } | Self::Withdrawn { .. } => {
                &[Phase::Claimed, Phase::Staged, Phase::Shifting, Phase::Shifted]
            }
            Self::Died { .. } => &[Phase::Failing],
            Self::Abandoned { .. } => &[Phase::Claimed, Phase::Staged, Phase::Shifting, Phase::Shifted, Phase::Failing],
        };
        holder.is_some() && holder == about.release && phases.contains(&before.phase)
    }

    fn notices(entry: &Entry<Self>) -> Vec<Notice> {
        Notice::of_environment(entry)
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Claimed { .. } => "claimed",
            Self::Observed { .. } => "observed",
            Self::BrokeGlass { .. } => "broke_glass",
            Self::Staged { .. } => "staged",
            Self::Shifting { .. } => "shifting",
            Self::Weighted { .. } => "weighted",
            Self::Shifted => "shifted",
            Self::Verified { .. } => "verified",
            Self::RolledBack { .. } => "rolled_back",
            Self::Reverified { .. } => "reverified",
            Self::Synced { .. } => "synced",
            Self::Failed { .. } => "failed",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Died { .. } => "died",
            Self::Abandoned { .. } => "abandoned",
        }
    }
}

impl FailedCheck {
    /// What an entry says about its release after it was verified, first or once more: that it failed, or that it did not;
    /// `None` if it says nothing of that.
    #[must_use]
    pub fn of(entry: &Entry<EnvironmentEvent>) -> Option<Option<Self>> {
        match &entry.event {
            EnvironmentEvent::Verified { .. } | EnvironmentEvent::RolledBack { .. } => Some(None),
            EnvironmentEvent::Reverified { finding } => {
                Some(finding.clone().map(|finding| Self { at: entry.time, finding }))
            }
            _ => None,
        }
    }
}

fn close(state: &mut EnvironmentState) {
    state.holder = None;
    state.rollback = None;
    (state.finding, state.withdrawn, state.canary) = (None, None, None);
    state.break_glass = None;
    state.phase = Phase::Closed;
    state.staged.clear();
    state.moves.clear();
}

/// A live release that was never verified gives way to what was live before it; a verified one stays.
fn fall_back(state: &mut EnvironmentState) {
    let fallback = state.fallback.take();
    if state.live.as_ref().is_some_and(|live| !live.verified) {
        state.live = fallback;
    }
}

#[cfg(test)]
mod tests;
