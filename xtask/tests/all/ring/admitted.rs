//! What lets a release in beside signed approvals: the reviews that are seen and the glass that is broken. Both are recorded
//! under the claim, and no sample may leave these steps out.

use xtask::model::{entry::ChainName, environment::EnvironmentEvent};

use super::{
    How, report, trial,
    work::{Stage, Work, alone},
};
use crate::support::invariants::records;

/// The steps and their kinds, in order: were they not taken, these two would play what other promotions play.
#[test]
fn it_is_recorded_right_after_the_claim() {
    for (work, admitted) in [(Work::Reviewed, "observed"), (Work::Glass, "broke_glass")] {
        let kinds = alone(|| async {
            let stage = Stage::new(work);
            work.run(&stage.context()).await.unwrap();
            let chain = ChainName::Environment("uat".parse().unwrap());
            let records = records::<EnvironmentEvent>(&stage.context(), &chain).await.unwrap();
            let of_it = records.iter().filter(|record| record.entry.release == Some("v1.1.0".parse().unwrap()));
            of_it.map(|record| xtask::model::entry::Event::kind(&record.entry.event).to_owned()).collect::<Vec<_>>()
        });
        assert_eq!(kinds, ["claimed", admitted, "staged", "shifting", "shifted", "verified"], "{work:?}");
    }
}

/// Each call of these steps, in each way that it can go wrong.
#[test]
fn its_steps_go_wrong_in_every_way() {
    let hows =
        [How::KilledAfter, How::AnswerLost, How::Twice, How::Refused, How::Lie, How::Truncated, How::Late, How::Early];
    let (mut tried, mut broken) = (0, Vec::new());
    for work in [Work::Reviewed, Work::Glass] {
        let fate = &work.undisturbed().fate;
        // The second entry that is written there.
        let writes = fate.calls_of("create environments/uat/");
        let from = fate.calls_of("reviews").first().copied().unwrap_or(writes[1] - 1);
        let until = *fate.calls_of("note environments/uat").iter().find(|at| **at > writes[1]).unwrap();
        for at in from..=until {
            for how in hows {
                match alone(|| async { trial(work, &[(at, how)]).await }) {
                    Ok(came) => tried += usize::from(came),
                    Err(why) => broken.push(why),
                }
            }
        }
    }
    report("what lets in", tried, 20, &broken);
}
