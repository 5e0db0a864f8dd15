//! Ranges in random histories whose clocks are wrong, against reachability computed by hand.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write as _,
};

use xtask::{model::commit::CommitId, ports::git::Git as _};

use crate::support::repo::Repo;

const COMMITS: usize = 200;

/// The same numbers for the same seed, by Knuth's generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// The parents of every commit, by number: up to two among the six before it.
fn parents(dice: &mut Dice) -> Vec<Vec<usize>> {
    let mut one = |commit: usize| {
        let two: BTreeSet<_> = (0..=dice.roll(2)).map(|_| commit - 1 - dice.roll(commit.min(6))).collect();
        two.into_iter().collect()
    };
    (0..COMMITS).map(|commit| if commit == 0 { Vec::new() } else { one(commit) }).collect()
}

/// Makes that history; the ids of its commits.
fn import(repo: &Repo, parents: &[Vec<usize>], dice: &mut Dice) -> Vec<CommitId> {
    let mut stream = String::new();
    for (commit, parents) in parents.iter().enumerate() {
        let time = 1_600_000_000 + dice.roll(1_000_000);
        writeln!(stream, "commit refs/heads/main\nmark :{}\ncommitter A <a@b> {time} +0000\ndata 1\n.", commit + 1)
            .unwrap();
        for (place, parent) in parents.iter().enumerate() {
            writeln!(stream, "{} :{}", if place == 0 { "from" } else { "merge" }, parent + 1).unwrap();
        }
    }
    // Branches move aside and back, which needs --force.
    repo.git_in(repo.root(), &["fast-import", "--quiet", "--force", "--export-marks=.git/marks"], stream.as_bytes());
    let marks = std::fs::read_to_string(repo.root().join(".git/marks")).unwrap();
    let mut ids: Vec<(usize, CommitId)> = marks
        .lines()
        .map(|line| line.trim_start_matches(':').split_once(' ').unwrap())
        .map(|(mark, id)| (mark.parse().unwrap(), id.parse().unwrap()))
        .collect();
    ids.sort();
    ids.into_iter().map(|(_, id)| id).collect()
}

fn reachable(parents: &[Vec<usize>], from: usize) -> HashSet<usize> {
    let mut seen = HashSet::new();
    let mut next = vec![from];
    while let Some(commit) = next.pop() {
        if seen.insert(commit) {
            next.extend(&parents[commit]);
        }
    }
    seen
}

#[test]
fn ranges_do_not_depend_on_clocks() {
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let parents = parents(&mut dice);
        let repo = Repo::new();
        let ids = import(&repo, &parents, &mut dice);
        let git = repo.open();
        for _ in 0..100 {
            let (head, base) = (COMMITS - 1 - dice.roll(5), dice.roll(COMMITS));
            let (from_head, from_base) = (reachable(&parents, head), reachable(&parents, base));
            let expected: HashSet<CommitId> = from_head.difference(&from_base).map(|commit| ids[*commit]).collect();
            let listed = git.commits_since(ids[head], &[ids[base]]).unwrap();
            assert_eq!(
                listed.iter().map(|commit| commit.id).collect::<HashSet<_>>(),
                expected,
                "{seed}: {base}..{head}"
            );
            assert_eq!(listed.len(), expected.len());
            assert_eq!(
                git.descends(ids[head], ids[base]).unwrap(),
                from_head.contains(&base),
                "{seed}: {base}..{head}"
            );
        }
    }
}
