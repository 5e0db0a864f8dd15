//! Nothing loosens a gate: one rule more or one approval less never lets in what was refused.

use proptest::{prelude::*, strategy::ValueTree as _};

use super::*;

const PEOPLE: [&str; 6] = ["quinn", "rita", "pia", "max", "bea", "zoe"];
const ROLES: [&str; 3] = ["qa-lead", "product-owner", "manager"];

/// An approval, and what is wrong with it, if anything.
fn add(world: &mut World, (who, role, fault): (usize, usize, u8)) {
    world.approve(PEOPLE[who], ROLES[role]);
    let now = world.now;
    let Some(signed) = world.approvals.last_mut() else { return };
    match fault {
        0 => signed.signature_ok = false,
        1 => signed.entry.manifest = None,
        2 => statement(signed).expires = now,
        3 => signed.entry.time = time("2026-03-26T12:00:00Z"),
        _ => {}
    }
}

fn any_world() -> impl Strategy<Value = World> {
    let approvals = prop::collection::vec((0..PEOPLE.len(), 0..ROLES.len(), 0_u8..30), 0..14);
    let counts = prop::collection::vec(prop::sample::select(vec![0_u32, 0, 1, 1, 2]), ROLES.len());
    let switches =
        (any::<bool>(), prop::option::weighted(0.1, 0..PEOPLE.len()), prop::option::weighted(0.1, 0..PEOPLE.len()));
    (approvals, counts, switches).prop_map(|(approvals, counts, (several, author, revoker))| {
        let mut world = prod();
        world.approvals.clear();
        world.people().several_roles = several;
        // People who can stand in for each other, so that it matters who counts where.
        for id in ["quinn", "pia", "bea"] {
            world.person(id).roles = ROLES.iter().map(|role| role.parse().unwrap()).collect();
        }
        let wanted: Vec<_> = ROLES.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
        world.manifest.path[3].gate = rules_of(&wanted, None, &[]);
        world.today.gate = GateRules::default();
        let half = approvals.len() / 2;
        approvals[..half].iter().for_each(|approval| add(&mut world, *approval));
        if let Some(revoker) = revoker {
            world.revoke(PEOPLE[revoker], "manager");
        }
        approvals[half..].iter().for_each(|approval| add(&mut world, *approval));
        if let Some(author) = author {
            world.wrote(&format!("{}@example.com", PEOPLE[author]), false);
        }
        world
    })
}

fn tighten(world: &mut World, how: u8, role: usize) {
    match how {
        0 => world.today.gate.approvals.push(ApprovalRule { role: ROLES[role].parse().unwrap(), count: 1 }),
        1 => drop(world.policy.gates.insert("prod".parse().unwrap(), rules_of(&[(ROLES[role], 2)], None, &[]))),
        2 => world.today.gate.soak = Some("480h".parse().unwrap()),
        3 => world.today.gate.evidence = rules_of(&[], None, &[("e2e", true)]).evidence,
        4 => world.freeze("UTC", "Wed 00:00", "Thu 00:00"),
        5 => world.people().several_roles = false,
        6 => world.people().valid_days = 1,
        7 => world.reject(PEOPLE[role], "manager"),
        _ => world.revoke(PEOPLE[role], "qa-lead"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn one_approval_less_lets_nothing_in(mut world in any_world(), which in any::<prop::sample::Index>()) {
        let before = world.judge().holds();
        let approved = |signed: &Signed| matches!(signed.entry.event, ApprovalEvent::Approved { .. });
        let places: Vec<usize> = (0..world.approvals.len()).filter(|at| approved(&world.approvals[*at])).collect();
        if !places.is_empty() {
            world.approvals.remove(places[which.index(places.len())]);
        }
        prop_assert!(before || !world.judge().holds(), "{}", world.judge().refusals());
    }

    #[test]
    fn one_rule_more_lets_nothing_in(mut world in any_world(), how in 0_u8..9, role in 0..ROLES.len()) {
        let before = world.judge().holds();
        tighten(&mut world, how, role);
        prop_assert!(before || !world.judge().holds());
    }

    #[test]
    fn what_holds_has_enough_different_people_with_good_approvals(world in any_world()) {
        let gate = world.judge();
        let demands = rules(&world.manifest, &world.today, &world.policy).approvals;
        let good = |signed: &&Signed| signed.signature_ok && signed.entry.manifest.is_some();
        let people: BTreeSet<_> = world.approvals.iter().filter(good).map(|s| &s.entry.event.statement().person).collect();
        let needed: u32 = demands.iter().map(|demand| demand.count).sum();
        let several = world.policy.people.as_ref().unwrap().several_roles;
        prop_assert!(!gate.holds() || several || people.len() >= needed as usize);
    }
}

/// The worlds above are no use if they all refuse, or all hold.
#[test]
fn the_random_worlds_are_of_both_kinds() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let held = (0..500).filter(|_| any_world().new_tree(&mut runner).unwrap().current().judge().holds()).count();
    assert!((50..450).contains(&held), "{held} of 500 hold");
}
