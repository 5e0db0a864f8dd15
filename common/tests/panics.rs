//! What a process says of a panic. The hook is the whole process's, so this test has a process of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it did not expect")]

use std::panic::catch_unwind;
use std::sync::{Arc, Mutex};

use common::middleware::tell_panics;
use common::testing::{ALICE, Recorder};

#[test]
fn a_panic_is_told_by_its_place_and_not_by_its_words() {
    let recorder = Recorder::default();
    tell_panics(Arc::new(Mutex::new(recorder.clone())));
    let ended = catch_unwind(|| panic!("of {ALICE}"));
    drop(std::panic::take_hook());
    assert!(ended.is_err());
    let line: serde_json::Value = serde_json::from_str(&recorder.text()).unwrap();
    assert_eq!((line["level"].as_str(), line["message"].as_str()), (Some("ERROR"), Some("panic")));
    assert!(line["place"].as_str().unwrap().starts_with("common/tests/panics.rs:"), "{line}");
    assert!(!recorder.text().contains(ALICE), "{line}");
}
