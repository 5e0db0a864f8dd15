//! What people are told when something happened to a release, and which entries of the ledger tell it.

use serde::Serialize;

use crate::model::{
    approval::ApprovalEvent,
    entry::{ChainName, Entry},
    environment::EnvironmentEvent,
    names::EnvName,
    time::Time,
    version::Version,
};

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What happened.
    pub occasion: Occasion,
    /// To which release; `None` in a test.
    pub release: Option<Version>,
    /// Where; for a decision the environment that it is about.
    pub environment: Option<EnvName>,
    /// When.
    pub time: Time,
    /// Who did it: an actor, or a person and the role.
    pub who: String,
    /// What is said with it, in one line.
    pub detail: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The release entered the environment: callers get it, and it was verified.
    Entered,
    /// A gate waits for people.
    Waits,
    /// Somebody approved.
    Approved,
    /// Somebody rejected: the release is dead.
    Rejected,
    /// Somebody broke the glass to let it in.
    BrokeGlass,
    /// The release died.
    Died,
    /// The second region has what the first has.
    Synced,
    /// Nothing: somebody tries the notices out.
    Test,
}

impl Notice {
    /// What an entry of an environment's chain tells. A rollback tells of two releases.
    #[must_use]
    pub fn of_environment(entry: &Entry<EnvironmentEvent>) -> Vec<Self> {
        let ChainName::Environment(environment) = &entry.chain else { return Vec::new() };
        let notice = |occasion, release, detail: Option<String>| Self {
            occasion,
            release,
            environment: Some(environment.clone()),
            time: entry.time,
            who: line(&entry.actor),
            detail: detail.map(|text| line(&text)),
        };
        match &entry.event {
            EnvironmentEvent::Verified { .. } => vec![notice(Occasion::Entered, entry.release, None)],
            EnvironmentEvent::RolledBack { from, .. } => {
                let back = format!("it came back in place of {}", from.release);
                let why = format!("rolled back: {}", from.reason);
                vec![
                    notice(Occasion::Died, Some(from.release), Some(why)),
                    notice(Occasion::Entered, entry.release, Some(back)),
                ]
            }
            EnvironmentEvent::BrokeGlass { reason } => {
                vec![notice(Occasion::BrokeGlass, entry.release, Some(reason.clone()))]
            }
            EnvironmentEvent::Died { finding } => vec![notice(Occasion::Died, entry.release, Some(finding.clone()))],
            EnvironmentEvent::Synced { lag_s } => {
                vec![notice(Occasion::Synced, entry.release, Some(format!("{lag_s} s behind")))]
            }
            _ => Vec::new(),
        }
    }

    /// What an entry of an approvals chain tells.
    #[must_use]
    pub fn of_approval(entry: &Entry<ApprovalEvent>) -> Vec<Self> {
        let statement = entry.event.statement();
        let occasion = match &entry.event {
            ApprovalEvent::Approved { .. } => Occasion::Approved,
            ApprovalEvent::Rejected { .. } => Occasion::Rejected,
            ApprovalEvent::Revoked { .. } => return Vec::new(),
        };
        vec![Self {
            occasion,
            release: entry.release,
            environment: Some(statement.environment.clone()),
            time: entry.time,
            who: format!("{} as {}", statement.person, statement.role),
            detail: statement.comment.as_ref().map(|text| line(text)),
        }]
    }
}

/// People's words in one line: what ends a line could begin a mail's header.
fn line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.trim().to_owned()
}
