//! Several rule sets: the stricter of them stands.

use super::*;

#[test]
fn the_stricter_of_several_rule_sets_stands_in_every_respect() {
    let one = rules_of(&[("manager", 1), ("qa-lead", 2)], Some("24h"), &[("e2e", false)]);
    let two = rules_of(&[("manager", 2)], Some("90m"), &[("pentest", false), ("e2e", true)]);
    let both = rules_of(&[("manager", 2), ("qa-lead", 2)], Some("24h"), &[("e2e", true), ("pentest", false)]);
    assert_eq!(stricter(&[&one, &two]), both);
    assert_eq!(stricter(&[&GateRules::default(), &one]), one);
    assert_eq!(stricter(&[]), GateRules::default());
}
