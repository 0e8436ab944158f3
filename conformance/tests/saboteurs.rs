//! Every saboteur is caught by its scenario, for its reason; the matrix is a snapshot.

mod common;

use std::collections::BTreeSet;

use syncspec::catalogue::{faults, scenarios};
use syncspec::fault::Fault;
use syncspec::scenario::Scenario;
use syncspec::verdict::{Verdict, judge};

fn designated(fault: &Fault) -> &'static Scenario {
    scenarios()
        .find(|s| s.id == fault.caught_by)
        .unwrap_or_else(|| panic!("{}: no scenario {}", fault.name, fault.caught_by))
}

#[test]
fn every_saboteur_is_caught_by_its_scenario_for_its_reason() {
    let mut escaped = Vec::new();
    for fault in faults() {
        let scenario = designated(fault);
        if !common::playable(scenario) {
            continue;
        }
        let outcome = common::outcome(scenario, &[fault.how]);
        let (verdict, breaches) = judge(scenario, &outcome);
        let severity = fault.breaks.severity();
        if !breaches.iter().any(|b| b.requirement == fault.breaks && b.severity == severity) {
            let found: Vec<_> = breaches.iter().map(|b| b.requirement.id()).collect();
            let all: Vec<_> = outcome.findings.iter().map(ToString::to_string).collect();
            escaped.push(format!(
                "{}: {} reports {verdict} {found:?} instead of {}; {:?}; {all:?}",
                fault.name, scenario.id, fault.breaks, outcome.ending
            ));
        }
    }

    assert!(escaped.is_empty(), "{} escaped:\n{}", escaped.len(), escaped.join("\n"));
}

#[test]
fn every_scenario_has_a_saboteur() {
    let caught: BTreeSet<_> = faults().map(|fault| fault.caught_by).collect();
    let without: Vec<_> = scenarios().map(|s| s.id).filter(|id| !caught.contains(id)).collect();

    assert!(without.is_empty(), "{without:#?}");
}

#[test]
fn names_of_saboteurs_are_unique() {
    let mut seen = BTreeSet::new();
    for fault in faults() {
        assert!(seen.insert(fault.name), "{} twice", fault.name);
    }
}

#[test]
fn the_matrix_of_saboteurs_and_scenarios_is_as_before() {
    let mut lines = Vec::new();
    for fault in faults() {
        let dialect = fault.dialect();
        let caught: Vec<_> = scenarios()
            .filter(|s| dialect.is_none_or(|d| d == s.dialect) && common::playable(s))
            .filter(|s| {
                let (verdict, _) = judge(s, &common::outcome(s, &[fault.how]));
                matches!(verdict, Verdict::Fail | Verdict::Warn)
            })
            .map(|s| s.id.split_once('/').map_or(s.id, |(_, rest)| rest))
            .collect();
        lines.push(format!("{} [{}]\n    {}", fault.name, fault.breaks, caught.join("\n    ")));
    }
    insta::assert_snapshot!(lines.join("\n"));
}
