//! The `approvals/<version>/<env>/` chains: who decided what. An entry is itself the signed statement: the person's own
//! key signs its canonical bytes, in the namespace of the environment. Whether a statement counts is `plan::gate`'s.

use serde::{Deserialize, Serialize};

use crate::model::{
    digest::Digest,
    entry::{About, Entry, Event},
    names::{EnvName, PersonId, RoleName},
    notice::Notice,
    time::Time,
};

/// What a person decides. The release, its identity and the time are the entry's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ApprovalEvent {
    /// The release may enter.
    Approved {
        /// By whom, for where.
        statement: Statement,
    },
    /// The release must not enter: it dies.
    Rejected {
        /// By whom, for where.
        statement: Statement,
    },
    /// Everything that this person approved here before is taken back.
    Revoked {
        /// By whom, for where.
        statement: Statement,
    },
}

impl ApprovalEvent {
    /// What was stated.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        match self {
            Self::Approved { statement } | Self::Rejected { statement } | Self::Revoked { statement } => statement,
        }
    }
}

/// A statement by a person in a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The environment that the release would enter.
    pub environment: EnvName,
    /// Who.
    pub person: PersonId,
    /// In which role.
    pub role: RoleName,
    /// From then on it does not count.
    pub expires: Time,
    /// What they want to say.
    pub comment: Option<String>,
    /// The fingerprint of the key that signs, `SHA256:` and base64.
    pub key: String,
}

/// The decisions that stand, whether or not they count.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalsState {
    /// In the order in which they were made; the same one made again stands once, with its newest time.
    pub decisions: Vec<Standing>,
}

/// One decision that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Which.
    pub decision: Decision,
    /// By whom, for where.
    pub statement: Statement,
    /// About which bytes.
    pub manifest: Option<Digest>,
    /// When.
    pub time: Time,
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The release may enter.
    Approved,
    /// The release must not enter.
    Rejected,
}

impl Event for ApprovalEvent {
    type State = ApprovalsState;

    fn advance(&self, before: &ApprovalsState, about: &About) -> ApprovalsState {
        let mut decisions = before.decisions.clone();
        let own = |standing: &Standing| standing.statement.person == self.statement().person;
        let mut stand = |decision| {
            let statement = self.statement().clone();
            let again = |old: &Standing| own(old) && old.statement.role == statement.role && old.decision == decision;
            decisions.retain(|old| !again(old));
            decisions.push(Standing { decision, statement, manifest: about.manifest, time: about.time });
        };
        match self {
            Self::Approved { .. } => stand(Decision::Approved),
            Self::Rejected { .. } => stand(Decision::Rejected),
            // Dead stays dead: a rejection cannot be taken back.
            Self::Revoked { .. } => decisions.retain(|old| !own(old) || old.decision == Decision::Rejected),
        }
        ApprovalsState { decisions }
    }

    fn may_follow(&self, _before: &ApprovalsState, _about: &About) -> bool {
        true
    }

    fn notices(entry: &Entry<Self>) -> Vec<Notice> {
        Notice::of_approval(entry)
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Revoked { .. } => "revoked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(person: &str, role: &str) -> Statement {
        Statement {
            environment: "prod".parse().unwrap(),
            person: person.parse().unwrap(),
            role: role.parse().unwrap(),
            expires: "2026-02-01T12:00:00Z".parse().unwrap(),
            comment: None,
            key: "SHA256:x".to_owned(),
        }
    }

    fn play(events: &[ApprovalEvent]) -> Vec<(String, Decision)> {
        let about = About {
            release: Some("v1.0.0".parse().unwrap()),
            manifest: None,
            time: "2026-01-23T12:00:00Z".parse().unwrap(),
            actor: "alice".to_owned(),
        };
        let state = events.iter().fold(ApprovalsState::default(), |state, event| event.advance(&state, &about));
        state.decisions.iter().map(|s| (format!("{} {}", s.statement.person, s.statement.role), s.decision)).collect()
    }

    #[test]
    fn a_revocation_takes_back_approvals_and_never_a_rejection() {
        let approved = |person, role| ApprovalEvent::Approved { statement: statement(person, role) };
        let revoked = |person, role| ApprovalEvent::Revoked { statement: statement(person, role) };
        let rejected = |person, role| ApprovalEvent::Rejected { statement: statement(person, role) };
        let two = [approved("pia", "manager"), approved("max", "manager"), approved("pia", "manager")];
        let stands = |text: &str, decision| (text.to_owned(), decision);
        assert_eq!(play(&two), [stands("max manager", Decision::Approved), stands("pia manager", Decision::Approved)]);
        assert_eq!(play(&[approved("pia", "manager"), revoked("pia", "product-owner")]), []);
        assert_eq!(
            play(&[rejected("pia", "manager"), revoked("pia", "manager"), revoked("max", "manager")]),
            [stands("pia manager", Decision::Rejected)]
        );
        assert_eq!(
            play(&[rejected("pia", "manager"), approved("pia", "manager")]),
            [stands("pia manager", Decision::Rejected), stands("pia manager", Decision::Approved)]
        );
    }
}
