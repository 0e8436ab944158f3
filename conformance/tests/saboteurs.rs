//! Every saboteur is caught by its scenario, for its reason; the matrix is a snapshot.

mod common;

use std::collections::BTreeSet;

use syncspec::catalogue::{faults, scenarios};
use syncspec::fault::Fault;
use syncspec::scenario::{Need, Scenario, Tier};
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
    let without: Vec<_> =
        scenarios().filter(|s| !s.is_probe()).map(|s| s.id).filter(|id| !caught.contains(id)).collect();

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
    // Day-long and large scenarios take most of the time and tell saboteurs apart no better.
    let rows: Vec<_> = scenarios()
        .filter(|s| common::playable(s) && s.tier < Tier::Long && !s.needs.contains(&Need::Limits))
        .collect();
    let all: Vec<_> = faults().collect();
    let halves = all.chunks(all.len().div_ceil(2));
    let lines: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = halves
            .map(|half| scope.spawn(|| half.iter().map(|fault| line(fault, &rows)).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    insta::assert_snapshot!(lines.join("\n"));
}

/// A saboteur, how many scenarios catch it, and its own first.
fn line(fault: &Fault, rows: &[&Scenario]) -> String {
    let dialect = fault.dialect();
    let caught: Vec<_> = rows
        .iter()
        .filter(|s| dialect.is_none_or(|d| d == s.dialect))
        .filter(|s| matches!(judge(s, &common::outcome(s, &[fault.how])).0, Verdict::Fail | Verdict::Warn))
        .map(|s| s.id.split_once('/').map_or(s.id, |(_, rest)| rest))
        .collect();
    let shown = caught.iter().take(12).copied().collect::<Vec<_>>().join(", ");
    let more = caught.len().saturating_sub(12);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{} [{}] {}: {shown}{more}", fault.name, fault.breaks, caught.len())
}
