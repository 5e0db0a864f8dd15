//! The rules of approval: for each role, how many different people, who counts, and why the others do not.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        approval::ApprovalEvent,
        manifest::ApprovalRule,
        names::{PersonId, RoleName},
        people::People,
    },
    plan::gate::{
        Facts, Rule, Signed,
        assignment::{self, Wanted},
        counting, fails, holders, holds,
    },
};

const APPLY_POLICY: &str = "run `cargo xtask doctor --fix`, or write people.toml and run `cargo xtask policy apply`";

/// One rule per role that is asked for, and one more about approvals in other roles, if there are any.
pub(super) fn judge(facts: &Facts<'_>, demands: &[ApprovalRule]) -> Vec<Rule> {
    let count = Count::new(facts, demands);
    let rules = demands.iter().enumerate().map(|(at, demand)| count.rule(at, demand));
    rules.chain(count.other_roles()).collect()
}

/// A person, or, where one may count in several roles, a person in a role.
type Node = (PersonId, Option<RoleName>);

/// Every approval, judged for itself, and who counts where.
struct Count<'a> {
    facts: &'a Facts<'a>,
    approvals: Vec<(&'a Signed, Result<&'a PersonId, String>)>,
    several_roles: bool,
    demands: &'a [ApprovalRule],
    taken: BTreeMap<Node, usize>,
}

impl<'a> Count<'a> {
    fn new(facts: &'a Facts<'a>, demands: &'a [ApprovalRule]) -> Self {
        let all = facts.approvals.iter().enumerate();
        let all = all.filter(|(_, signed)| matches!(signed.entry.event, ApprovalEvent::Approved { .. }));
        let approvals = all.map(|(at, signed)| (signed, counting::approval(facts, at, signed))).collect();
        let several_roles = facts.policy.people.as_ref().is_some_and(|people| people.several_roles);
        let mut count = Self { facts, approvals, several_roles, demands, taken: BTreeMap::new() };
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
        let sound = self.of_role(role).filter_map(|(_, judged)| judged.as_ref().ok());
        sound.map(|person| self.node(person, role)).filter(|node| seen.insert(node.clone())).collect()
    }

    fn of_role(&self, role: &RoleName) -> impl Iterator<Item = &(&'a Signed, Result<&'a PersonId, String>)> {
        self.approvals.iter().filter(move |(signed, _)| &signed.entry.event.statement().role == role)
    }

    fn rule(&self, at: usize, demand: &ApprovalRule) -> Rule {
        let ApprovalRule { role, count } = demand;
        let Some(people) = &self.facts.policy.people else {
            return fails("approval", format!("0 of {count} by {role}; {}", counting::NO_POLICY), APPLY_POLICY);
        };
        let mut counted: Vec<&PersonId> = Vec::new();
        let mut others = String::new();
        for (signed, judged) in self.of_role(role) {
            let person = &signed.entry.event.statement().person;
            let why = match (judged, self.taken.get(&self.node(person, role))) {
                (Ok(_), Some(rule)) if *rule == at && !counted.contains(&person) => {
                    counted.push(person);
                    continue;
                }
                (Err(why), _) => format!("does not count: {why}"),
                (Ok(_), Some(rule)) if *rule == at => format!("does not count: they are counted as {role} already"),
                (Ok(_), Some(rule)) => format!("does not count: {}", self.elsewhere(*rule)),
                (Ok(_), None) => "is not needed".to_owned(),
            };
            let name = counting::name(self.facts, person);
            others.push_str(&format!("; the approval by {name} of {} {why}", signed.entry.time));
        }
        let mut found = format!("{} of {count} by {role}", counted.len());
        if !counted.is_empty() {
            let names = counted.iter().map(|person| counting::name(self.facts, person)).collect::<Vec<_>>();
            let kind = if people.throwaway { " (throwaway)" } else { "" };
            found.push_str(&format!(": {}{kind}", names.join(", ")));
        }
        found.push_str(&others);
        match usize::try_from(*count).unwrap_or(usize::MAX).saturating_sub(counted.len()) {
            0 => holds("approval", found),
            missing => fails("approval", found, self.remedy(people, role, missing)),
        }
    }

    /// In which role a person counts, who could have counted in another.
    fn elsewhere(&self, rule: usize) -> String {
        let role = self.demands.get(rule).map(|demand| demand.role.to_string()).unwrap_or_default();
        format!("they are counted as {role} already, and one person counts in one role")
    }

    /// What to type, and who can; where nobody is left, whom to find.
    fn remedy(&self, people: &People, role: &RoleName, missing: usize) -> String {
        let (now, environment) = (self.facts.now, &self.facts.today.environment);
        let able = people.persons.iter().filter(|(id, person)| {
            let key = holders::can_sign(people, person, now);
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
        format!("run `cargo xtask approve --to {environment} --release {release} --as {role}`: {who} can")
    }

    /// Nothing is left out silently: approvals in roles that this gate does not ask for are named.
    fn other_roles(&self) -> Option<Rule> {
        let statements = self.approvals.iter().map(|(signed, _)| signed.entry.event.statement());
        let others = statements.filter(|statement| self.demands.iter().all(|demand| demand.role != statement.role));
        let names = others.map(|s| format!("{} as {}", counting::name(self.facts, &s.person), s.role));
        let names = names.collect::<Vec<_>>();
        (!names.is_empty()).then(|| holds("approval", format!("not asked for: {}", names.join(", "))))
    }
}
