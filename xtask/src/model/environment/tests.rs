//! What each event changes.

use super::*;
use crate::model::digest::Digest;

fn about(release: &str) -> About {
    About {
        release: Some(release.parse().unwrap()),
        manifest: Some(Digest::of(release.as_bytes())),
        time: "2026-01-23T12:00:00Z".parse().unwrap(),
        actor: "alice".to_owned(),
    }
}

fn play(state: &EnvironmentState, release: &str, events: &[EnvironmentEvent]) -> EnvironmentState {
    events.iter().fold(state.clone(), |state, event| event.advance(&state, &about(release)))
}

fn claimed() -> EnvironmentEvent {
    let expires = "2026-01-23T13:00:00Z".parse().unwrap();
    EnvironmentEvent::Claimed { machine: "laptop".to_owned(), expires, took_over: None, rollback: None }
}

fn up_to_shifted() -> Vec<EnvironmentEvent> {
    vec![
        claimed(),
        EnvironmentEvent::Staged { functions: BTreeMap::new() },
        EnvironmentEvent::Shifting { moves: vec![], smoke: vec![], canary: None, known: None },
        EnvironmentEvent::Shifted,
    ]
}

fn verified(state: &EnvironmentState, release: &str) -> EnvironmentState {
    let state = play(state, release, &up_to_shifted());
    play(&state, release, &[EnvironmentEvent::Verified { smoke: vec![] }])
}

#[test]
fn a_death_after_the_shift_brings_back_what_was_live() {
    let died = EnvironmentEvent::Died { finding: "wrong answer".to_owned() };
    let first = verified(&EnvironmentState::default(), "v1.0.0");
    let second = verified(&first, "v1.1.0");
    let shifted = play(&second, "v1.2.0", &up_to_shifted());
    assert_eq!(shifted.live.as_ref().unwrap().release, "v1.2.0".parse().unwrap());
    let back = play(&shifted, "v1.2.0", std::slice::from_ref(&died));
    assert_eq!((back.live, back.previous), (second.live.clone(), second.previous.clone()));
    // Before the shift nothing changes for callers; a first deployment leaves nothing behind.
    let early = play(&second, "v1.2.0", &[claimed(), died.clone()]);
    assert_eq!((early.live, early.previous), (second.live, second.previous));
    let none = play(&play(&EnvironmentState::default(), "v1.0.0", &up_to_shifted()), "v1.0.0", &[died]);
    assert_eq!(none.live, None);
}

#[test]
fn the_same_release_again_does_not_push_out_the_one_before() {
    let second = verified(&verified(&EnvironmentState::default(), "v1.0.0"), "v1.1.0");
    let again = verified(&second, "v1.1.0");
    assert_eq!(again.previous.unwrap().release, "v1.0.0".parse().unwrap());
    assert_eq!(again.fence, 3);
}

#[test]
fn a_canary_is_in_the_state_until_it_is_over() {
    let first = verified(&EnvironmentState::default(), "v1.0.0");
    let rules: CanaryRules = serde_json::from_str(r#"{ "steps": [{ "weight": 10, "bake": "5m" }] }"#).unwrap();
    let staged = play(&first, "v1.1.0", &up_to_shifted()[..2]);
    let shifting =
        EnvironmentEvent::Shifting { moves: vec![], smoke: vec![], canary: Some(rules.clone()), known: None };
    let begun = play(&staged, "v1.1.0", &[shifting]);
    assert_eq!(begun.canary, Some(Canary { rules, step: None }));
    let expires = "2026-01-23T15:00:00Z".parse().unwrap();
    let weighted = EnvironmentEvent::Weighted { step: 1, weight: 10, expires };
    let baking = play(&begun, "v1.1.0", &[weighted]);
    let step = BegunStep { number: 1, since: about("v1.1.0").time };
    assert_eq!(baking.canary.as_ref().unwrap().step, Some(step));
    assert_eq!(baking.holder.as_ref().unwrap().expires, expires, "the claim outlives the step");
    assert_eq!(baking.live, first.live, "what is live is what gets the rest of the calls");
    let withdrawn = EnvironmentEvent::Withdrawn { reason: "too few requests".to_owned(), moves: vec![] };
    let back = play(&baking, "v1.1.0", &[withdrawn]);
    assert_eq!((back.phase, &back.canary), (Phase::Failing, &None));
    let closed = play(&back, "v1.1.0", &[EnvironmentEvent::Abandoned { reason: "too few requests".to_owned() }]);
    assert_eq!((closed.live, closed.withdrawn, closed.holder), (first.live, None, None));
    assert_eq!(play(&baking, "v1.1.0", &[EnvironmentEvent::Shifted]).canary, None);
}
