//! Who counts for which rule, where one person may count only once: the assignment that satisfies the most, so that
//! one approval more can never make a gate refuse.

use std::collections::{BTreeMap, BTreeSet};

/// One rule: how many are wanted, and who could count.
#[derive(Debug, Clone)]
pub(super) struct Wanted<N> {
    pub(super) count: usize,
    pub(super) candidates: Vec<N>,
}

/// The rule in which each counts, by its place: a largest assignment, found by augmenting paths (Kuhn's algorithm).
/// Earlier candidates come first.
pub(super) fn assign<N: Ord + Clone>(wanted: &[Wanted<N>]) -> BTreeMap<N, usize> {
    let mut taken = BTreeMap::new();
    for (rule, want) in wanted.iter().enumerate() {
        for _ in 0..want.count.min(want.candidates.len()) {
            if !place(wanted, rule, &mut taken, &mut BTreeSet::new()) {
                break;
            }
        }
    }
    taken
}

/// Finds one more who counts in this rule; whoever counts elsewhere is freed if someone else can stand in there.
fn place<N: Ord + Clone>(
    wanted: &[Wanted<N>],
    rule: usize,
    taken: &mut BTreeMap<N, usize>,
    seen: &mut BTreeSet<N>,
) -> bool {
    let candidates = wanted.get(rule).map(|want| want.candidates.as_slice()).unwrap_or_default();
    for candidate in candidates {
        let current = taken.get(candidate).copied();
        if current == Some(rule) || !seen.insert(candidate.clone()) {
            continue;
        }
        if current.is_none_or(|other| place(wanted, other, taken, seen)) {
            taken.insert(candidate.clone(), rule);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tries every assignment.
    fn most(wanted: &[Wanted<u8>], person: u8, free: &mut Vec<usize>) -> usize {
        if person == 5 {
            return 0;
        }
        let mut best = most(wanted, person + 1, free);
        for rule in 0..wanted.len() {
            if free[rule] > 0 && wanted[rule].candidates.contains(&person) {
                free[rule] -= 1;
                best = best.max(1 + most(wanted, person + 1, free));
                free[rule] += 1;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn nothing_satisfies_more(rules in prop::collection::vec((0_usize..3, prop::collection::btree_set(0_u8..5, 0..5)), 0..4)) {
            let wanted: Vec<Wanted<u8>> =
                rules.into_iter().map(|(count, who)| Wanted { count, candidates: who.into_iter().collect() }).collect();
            let taken = assign(&wanted);
            for (rule, want) in wanted.iter().enumerate() {
                let mine: Vec<_> = taken.iter().filter(|(_, of)| **of == rule).map(|(person, _)| *person).collect();
                prop_assert!(mine.len() <= want.count && mine.iter().all(|person| want.candidates.contains(person)));
            }
            let mut free: Vec<_> = wanted.iter().map(|want| want.count).collect();
            prop_assert_eq!(taken.len(), most(&wanted, 0, &mut free));
        }
    }
}
