//! The rules of approval: for each role, how many different people, who counts, and why the others do not.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        approval::ApprovalEvent,
        manifest::{ApprovalRule, GateRules},
        names::{PersonId, RoleName},
        people::People,
    },
    plan::gate::{
        Facts, Rule,
        assignment::{self, Wanted},
        counting, fails, holders, holds,
        reviews::Reviews,
    },
};

const APPLY_POLICY: &str = "run `cargo xtask doctor --fix`, or write people.toml and run `cargo xtask policy apply`";

/// One rule per role that is asked for, and one more about approvals in other roles, if there are any.
pub(super) fn judge<'a>(facts: &'a Facts<'a>, asked: &'a Asked<'a>, reviews: &'a Reviews<'a, 'a>) -> Vec<Rule> {
    let count = Count::new(facts, asked, reviews);
    let rules = asked.demands.iter().enumerate().map(|(at, demand)| count.rule(at, demand));
    rules.chain(count.other_roles()).collect()
}

/// Who is asked for.
pub(super) struct Asked<'a> {
    demands: Vec<ApprovalRule>,
    /// Why the glass is broken, and which of the demands that takes.
    glass: Option<(&'a str, usize)>,
}

impl<'a> Asked<'a> {
    /// Whoever breaks the glass is asked for beside all others.
    pub(super) fn of(facts: &Facts<'a>, rules: &GateRules) -> Self {
        let mut demands = rules.approvals.clone();
        let glass = facts.break_glass.zip(rules.break_glass.as_ref());
        let glass = glass.map(|(reason, glass)| {
            demands.push(ApprovalRule { role: glass.role.clone(), count: 1 });
            (reason, demands.len() - 1)
        });
        Self { demands, glass }
    }
}

/// A person, or, where one may count in several roles, a person in a role.
type Node = (PersonId, Option<RoleName>);

/// An approval: signed by the person, or a review of theirs that was seen.
struct Given<'a> {
    by: &'a PersonId,
    roles: BTreeSet<&'a RoleName>,
    /// Why it does not count for itself, if it does not.
    fault: Option<String>,
    /// Which one, and what stands beside the name where it counts.
    told: String,
    beside: String,
    reviewed: bool,
}

/// Every approval, judged for itself, and who counts where.
struct Count<'a> {
    facts: &'a Facts<'a>,
    approvals: Vec<Given<'a>>,
    several_roles: bool,
    asked: &'a Asked<'a>,
    reviews: &'a Reviews<'a, 'a>,
    taken: BTreeMap<Node, usize>,
}

impl<'a> Count<'a> {
    fn new(facts: &'a Facts<'a>, asked: &'a Asked<'a>, reviews: &'a Reviews<'a, 'a>) -> Self {
        let demands = &asked.demands;
        // What a person signed goes before what was seen of them.
        let approvals = signed(facts).chain(reviewed(facts, reviews)).collect();
        let several_roles = facts.policy.people.as_ref().is_some_and(|people| people.several_roles);
        let mut count = Self { facts, approvals, several_roles, asked, reviews, taken: BTreeMap::new() };
        let wanted = demands.iter().map(|demand| Wanted {
            count: usize::try_from(demand.count).unwrap_or(usize::MAX),
            candidates: count.candidates(&demand.role),
        });
        count.taken = assignment::assign(&wanted.collect::<Vec<_>>());
        count
    }

    fn node(&self, person: &PersonId, role: &RoleName) -> Node {
        (person.clone(), self.several_roles.then(|| role.clone()))
    }

    /// Everyone with an approval in this role that counts for itself, each once.
    fn candidates(&self, role: &RoleName) -> Vec<Node> {
        let mut seen = BTreeSet::new();
        let sound = self.of_role(role).filter(|given| given.fault.is_none());
        sound.map(|given| self.node(given.by, role)).filter(|node| seen.insert(node.clone())).collect()
    }

    fn of_role(&self, role: &RoleName) -> impl Iterator<Item = &Given<'a>> {
        self.approvals.iter().filter(move |given| given.roles.contains(role))
    }

    fn rule(&self, at: usize, demand: &ApprovalRule) -> Rule {
        let ApprovalRule { role, count } = demand;
        let glass = self.asked.glass.filter(|(_, own)| *own == at).map(|(reason, _)| reason);
        let name = if glass.is_some() { "break-glass" } else { "approval" };
        let Some(people) = &self.facts.policy.people else {
            return fails(name, format!("0 of {count} by {role}; {}", counting::NO_POLICY), APPLY_POLICY);
        };
        let mut counted: Vec<&Given<'_>> = Vec::new();
        let mut others = String::new();
        for given in self.of_role(role) {
            let again = counted.iter().any(|known| known.by == given.by);
            let why = match (&given.fault, self.taken.get(&self.node(given.by, role))) {
                (None, Some(rule)) if *rule == at && !again => {
                    counted.push(given);
                    continue;
                }
                (Some(why), _) => format!("does not count: {why}"),
                (None, Some(rule)) if *rule == at => format!("does not count: they are counted as {role} already"),
                (None, Some(rule)) => format!("does not count: {}", self.elsewhere(*rule)),
                (None, None) => "is not needed".to_owned(),
            };
            others.push_str(&format!("; {} {why}", given.told));
        }
        let mut found = format!("{} of {count} by {role}", counted.len());
        if !counted.is_empty() {
            let told = |given: &&Given<'_>| format!("{}{}", counting::name(self.facts, given.by), given.beside);
            let names = counted.iter().map(told).collect::<Vec<_>>();
            let kind = if people.throwaway { " (throwaway)" } else { "" };
            found.push_str(&format!(": {}{kind}", names.join(", ")));
        }
        found.push_str(&others);
        if let Some(reason) = glass {
            found = format!("\u{201c}{reason}\u{201d}: {found}");
        }
        match usize::try_from(*count).unwrap_or(usize::MAX).saturating_sub(counted.len()) {
            0 => holds(name, found),
            missing => fails(name, found, self.remedy(people, role, missing)),
        }
    }

    /// In which role a person counts, who could have counted in another.
    fn elsewhere(&self, rule: usize) -> String {
        let role = self.asked.demands.get(rule).map(|demand| demand.role.to_string()).unwrap_or_default();
        format!("they are counted as {role} already, and one person counts in one role")
    }

    /// What to type, and who can; where nobody is left, whom to find.
    fn remedy(&self, people: &People, role: &RoleName, missing: usize) -> String {
        let (now, environment) = (self.facts.now, &self.facts.today.environment);
        let able = people.persons.iter().filter(|(id, person)| {
            let key = holders::can_sign(people, person, now) || self.reviews.may_come_from(person);
            let free = !self.taken.contains_key(&self.node(id, role));
            key && free && person.roles.contains(role) && counting::conflict(self.facts, person).is_none()
        });
        let able = able.map(|(_, person)| person.name.as_str()).collect::<Vec<_>>();
        if able.len() < missing {
            let more = missing - able.len();
            return format!(
                "{more} more with the role {role} who neither wrote nor released it must be in people.toml, \
                 each with a key; then run `cargo xtask policy apply`"
            );
        }
        let release = self.facts.manifest.release;
        let who = if missing == 1 { able.join(" or ") } else { format!("{missing} of {}", able.join(", ")) };
        let review = self.reviews.remedy(self.facts).map(|how| format!("; {how}")).unwrap_or_default();
        format!("run `cargo xtask approve --to {environment} --release {release} --as {role}`: {who} can{review}")
    }

    /// Nothing is left out silently: approvals in roles that this gate does not ask for are named.
    fn other_roles(&self) -> Option<Rule> {
        let asked = |role: &RoleName| self.asked.demands.iter().any(|demand| &demand.role == role);
        let others = self.approvals.iter().filter(|given| !given.roles.iter().any(|role| asked(role)));
        let names = others.map(|given| {
            let name = counting::name(self.facts, given.by);
            let roles = given.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" and ");
            let roles = if given.reviewed && roles.is_empty() { "nobody".to_owned() } else { roles };
            format!("{name} as {roles}{}", given.beside)
        });
        let names = names.collect::<Vec<_>>();
        (!names.is_empty()).then(|| holds("approval", format!("not asked for: {}", names.join(", "))))
    }
}

/// What people signed; each approval is for one role.
fn signed<'a>(facts: &'a Facts<'a>) -> impl Iterator<Item = Given<'a>> {
    let all = facts.approvals.iter().enumerate();
    let all = all.filter(|(_, signed)| matches!(signed.entry.event, ApprovalEvent::Approved { .. }));
    all.map(|(at, signed)| {
        let statement = signed.entry.event.statement();
        let name = counting::name(facts, &statement.person);
        Given {
            by: &statement.person,
            roles: [&statement.role].into(),
            fault: counting::approval(facts, at, signed).err(),
            told: format!("the approval by {name} of {}", signed.entry.time),
            beside: String::new(),
            reviewed: false,
        }
    })
}

/// What was seen of people's reviews; each may count for any role that its reviewer holds.
fn reviewed<'a>(facts: &'a Facts<'a>, reviews: &'a Reviews<'a, 'a>) -> impl Iterator<Item = Given<'a>> {
    reviews.sound.iter().map(|review| Given {
        by: review.id,
        roles: review.person.roles.iter().collect(),
        fault: None,
        told: format!("the review by {} in {}", counting::name(facts, review.id), review.told),
        beside: format!(" ({})", review.told),
        reviewed: true,
    })
}
