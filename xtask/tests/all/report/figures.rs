//! The four figures, counted by hand for a story that is small enough.

use xtask::plan::board::{Board, Mark, Standing};

use crate::report::tale;

const HOUR: u64 = 60 * 60;

#[test]
fn of_twelve_releases() {
    let tale = tale::of(12);
    let board = tale.board();
    let figures = &board.figures;
    assert_eq!(figures.environment.as_ref().unwrap().as_str(), "prod");
    // Of twelve the fourth died in qa, the sixth was rejected, the eighth stayed in uat, the tenth was rolled back after
    // it was verified, and the twelfth waits.
    assert_eq!((figures.deployments, figures.began, figures.failed), (8, 8, 1));
    // Two commits each; those of the three that others passed over came with the next one.
    assert_eq!(figures.changes, (22, 0));
    // A release's own commits were made one and two hours before it began, and prod follows two hours later.
    let first = board.releases.last().unwrap().lead_time_s.unwrap();
    assert!((3 * HOUR..5 * HOUR).contains(&first), "{first}");
    assert!((3 * HOUR..10 * HOUR).contains(&figures.lead_time_s.unwrap()));
    // The rollback's claim, two steps of 30 seconds each for staging and shifting, ten minutes.
    assert_eq!(figures.restore_s, Some(10 * 60 + 4 * 30));
    let (good, bad) = figures.weeks.iter().fold((0, 0), |(good, bad), week| (good + week.good, bad + week.bad));
    assert_eq!((figures.weeks.len(), good, bad), (26, 7, 1));
}

#[test]
fn what_is_older_than_the_window_counts_no_more() {
    let tale = tale::of(12);
    let later = tale.now.after(std::time::Duration::from_secs(91 * 24 * HOUR));
    let figures = Board::of(&tale.facts, later).figures;
    assert_eq!((figures.deployments, figures.began, figures.failed), (0, 0, 0));
    assert_eq!((figures.lead_time_s, figures.restore_s, figures.changes), (None, None, (0, 0)));
}

#[test]
fn commits_that_git_does_not_know_are_told_of() {
    let mut tale = tale::of(12);
    tale.facts.committed.clear();
    let figures = tale.board().figures;
    assert_eq!((figures.lead_time_s, figures.changes), (None, (0, 22)));
}

#[test]
fn every_release_stands_somewhere() {
    let board = tale::of(12).board();
    let marks =
        |release: usize| -> Vec<Mark> { board.releases[11 - release].journey.iter().map(|cell| cell.mark).collect() };
    let standing = |release: usize| board.releases[11 - release].standing;
    use Mark::{Dead, Live, NotYet, Rejected, Synced, Verified, Waits};
    assert_eq!((marks(0), standing(0)), (vec![Verified; 5], Standing::Replaced));
    assert_eq!((marks(3), standing(3)), (vec![Verified, Dead, NotYet, NotYet, NotYet], Standing::Dead));
    assert_eq!((marks(5), standing(5)), (vec![Verified, Dead, Rejected, NotYet, NotYet], Standing::Dead));
    assert_eq!((marks(7), standing(7)), (vec![Verified, Verified, Verified, NotYet, NotYet], Standing::Replaced));
    assert_eq!((marks(8), standing(8)), (vec![Verified; 5], Standing::Replaced));
    assert_eq!((marks(9), standing(9)), (vec![Verified, Verified, Verified, Dead, NotYet], Standing::Dead));
    assert_eq!((marks(10), standing(10)), (vec![Verified, Verified, Live, Live, Synced], Standing::Live));
    assert_eq!((marks(11), standing(11)), (vec![Live, Live, Waits, NotYet, NotYet], Standing::OnItsWay));
    let graves: Vec<String> = board.graveyard.iter().map(|grave| grave.release.to_string()).collect();
    assert_eq!(graves, ["v1.0.9", "v1.0.5", "v1.0.3"]);
}
