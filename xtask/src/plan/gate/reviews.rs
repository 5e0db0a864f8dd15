//! Reviews of workflow runs as approvals: who counts, and why the others do not. Nobody but the deployer signed them, so that
//! they count only where every rule set of the gate says so.

use crate::{
    model::{
        approval::ApprovalEvent,
        manifest::ReviewRule,
        names::PersonId,
        people::{Person, same_text},
        review::{NOT_SIGNED, Review, ReviewState},
        time::Time,
    },
    plan::gate::{Facts, Observed, Rule, Signed, counting, fails, holds},
};

/// Every reviewer's standing review of this environment, judged.
pub(super) struct Reviews<'a, 'r> {
    /// Those that count as far as they stand alone.
    pub(super) sound: Vec<Sound<'a>>,
    /// What is told of those that approve and do not count.
    others: Vec<String>,
    /// What is told of those that keep the release out.
    rejections: Vec<String>,
    /// Whose count, if any do.
    rule: Option<&'r ReviewRule>,
}

/// A review that counts for every role that its reviewer holds.
pub(super) struct Sound<'a> {
    pub(super) id: &'a PersonId,
    pub(super) person: &'a Person,
    /// In which run it was seen, and when.
    pub(super) told: String,
}

impl<'a, 'r> Reviews<'a, 'r> {
    pub(super) fn judge(facts: &Facts<'a>, rule: Option<&'r ReviewRule>) -> Self {
        let mut judged = Self { sound: Vec::new(), others: Vec::new(), rejections: Vec::new(), rule };
        for standing in standing(facts, rule) {
            let Standing { review, observed } = standing;
            let login = review.login.as_deref().unwrap_or("nobody whom GitHub still knows");
            let told = format!("run {} of {}, {NOT_SIGNED}", observed.run.id, observed.at);
            let comment = if review.comment.is_empty() { String::new() } else { format!(": {}", review.comment) };
            match sound(facts, rule, &standing) {
                // Whoever it is: GitHub let them keep the run's job out.
                _ if rule.is_some() && review.state == ReviewState::Rejected => {
                    judged.rejections.push(format!("{login} rejected it in {told}{comment}"));
                }
                Ok((id, person)) => judged.sound.push(Sound { id, person, told }),
                Err(why) => judged.others.push(format!("the review by {login} in {told}, does not count: {why}")),
            }
        }
        judged
    }

    /// Whether somebody could approve by a review.
    pub(super) fn may_come_from(&self, person: &Person) -> bool {
        self.rule.is_some() && person.github.is_some()
    }

    /// How somebody approves by a review, if they can.
    pub(super) fn remedy(&self, facts: &Facts<'_>) -> Option<String> {
        let name = self.rule?.environment(&facts.today.environment);
        let (release, manifest) = (facts.manifest.release, facts.digest.hex());
        Some(format!(
            "or by a review of GitHub's environment `{name}` in a run whose name carries {release} and {manifest}"
        ))
    }

    /// What is told of those that are not counted with the approvals.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let others = (!self.others.is_empty()).then(|| holds("review", self.others.join("; ")));
        let rejected = (!self.rejections.is_empty()).then(|| {
            let remedy = "find out why; whoever rejected may approve in another run, and `cargo xtask reject` keeps it out for good";
            fails("review", self.rejections.join("; "), remedy)
        });
        others.into_iter().chain(rejected).collect()
    }
}

/// A reviewer's newest review, and where it was seen.
struct Standing<'a> {
    review: &'a Review,
    observed: &'a Observed,
}

/// Of each reviewer what was seen last. GitHub gives no order within a run, so that there a rejection stands.
fn standing<'a>(facts: &Facts<'a>, rule: Option<&ReviewRule>) -> Vec<Standing<'a>> {
    let own = &facts.today.environment;
    let name = rule.map_or(own.as_str(), |rule| rule.environment(own));
    let weight = |state| match state {
        ReviewState::Rejected => 2,
        ReviewState::Approved => 1,
        ReviewState::Pending | ReviewState::Unknown => 0,
    };
    let mut standing: Vec<Standing<'a>> = Vec::new();
    for observed in facts.observed {
        let here = observed.reviews.iter().filter(|r| r.environments.iter().any(|there| same_text(there, name)));
        for review in here {
            let login = |other: &Review| match (&other.login, &review.login) {
                (Some(one), Some(other)) => same_text(one, other),
                _ => false,
            };
            match standing.iter_mut().find(|known| login(known.review)) {
                Some(known)
                    if known.observed.number == observed.number
                        && weight(known.review.state) >= weight(review.state) => {}
                Some(known) => *known = Standing { review, observed },
                None => standing.push(Standing { review, observed }),
            }
        }
    }
    standing
}

/// The person whose approval a review is, as far as it stands alone; else why it is none.
fn sound<'a>(
    facts: &Facts<'a>,
    rule: Option<&ReviewRule>,
    standing: &Standing<'_>,
) -> Result<(&'a PersonId, &'a Person), String> {
    let Standing { review, observed } = standing;
    rule.ok_or("the release, the policy and release.toml do not all say that this gate counts reviews")?;
    about(facts, observed)?;
    if review.state != ReviewState::Approved {
        return Err(format!("it is {}", review.state.word()));
    }
    let login = review.login.as_ref().ok_or("it names nobody")?;
    let people = facts.policy.people.as_ref().ok_or(counting::NO_POLICY)?;
    let known = |person: &Person| person.github.as_ref().is_some_and(|own| same_text(own, login));
    let mut known = people.persons.iter().filter(|(_, person)| known(person));
    let (id, person) = match (known.next(), known.next()) {
        (Some(one), None) => one,
        (None, _) => return Err("the policy knows no person with that GitHub login".to_owned()),
        (Some(_), Some(_)) => return Err("the policy knows several people with that GitHub login".to_owned()),
    };
    if observed.at > counting::latest(facts) {
        return Err("it is dated in the future".to_owned());
    }
    // Whoever looks again in the same run sees the same review, which is not given again by that.
    let expires = first_seen(facts, observed, login).after(counting::longest(facts));
    if expires <= facts.now {
        return Err(format!("it expired at {expires}"));
    }
    if let Some(revoked) = taken_back(facts, observed, id, person) {
        return Err(format!("it was revoked by themselves at {revoked}"));
    }
    let own = |dispatched: &String| person.is_actor(dispatched);
    if observed.run.dispatched_by.iter().any(own) {
        return Err("they dispatched the run".to_owned());
    }
    counting::conflict(facts, person).map_or(Ok((id, person)), Err)
}

/// Whether it was seen about what is to be decided.
fn about(facts: &Facts<'_>, observed: &Observed) -> Result<(), String> {
    let release = facts.manifest.release;
    if !observed.as_answered {
        return Err("GitHub's answers that are kept with it do not say so".to_owned());
    }
    if (observed.release, observed.manifest) != (Some(release), Some(facts.digest))
        || observed.environment != facts.today.environment
    {
        return Err("it was seen for another entry".to_owned());
    }
    observed.run.is_about(release, facts.digest).map_err(|why| format!("the name of the run {why}"))
}

/// When a reviewer's approval was first seen in a run.
fn first_seen(facts: &Facts<'_>, observed: &Observed, login: &str) -> Time {
    let own = |review: &Review| {
        review.state == ReviewState::Approved && review.login.as_ref().is_some_and(|own| same_text(own, login))
    };
    let same = facts.observed.iter().filter(|seen| seen.run.id == observed.run.id && seen.reviews.iter().any(own));
    same.map(|seen| seen.at).min().unwrap_or(observed.at)
}

/// When the person took back what they approved, if the review may be older than that: GitHub does not say when it was given.
fn taken_back(facts: &Facts<'_>, observed: &Observed, id: &PersonId, person: &Person) -> Option<Time> {
    let after = |signed: &&Signed| signed.signature_ok && signed.entry.time >= observed.run.created;
    let mut own = facts.approvals.iter().filter(after).filter(|signed| match &signed.entry.event {
        ApprovalEvent::Revoked { statement } => &statement.person == id && person.key(&statement.key).is_some(),
        _ => false,
    });
    own.next().map(|signed| signed.entry.time)
}
