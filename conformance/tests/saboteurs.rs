//! Every saboteur is caught by its scenario, for its reason.

use std::collections::BTreeSet;

use syncspec::catalogue::{faults, scenarios};
use syncspec::selftest::saboteurs::{Fate, try_all};

/// Threads of a test.
const JOBS: usize = 2;

#[test]
fn every_saboteur_is_caught_by_its_scenario_for_its_reason() {
    let escaped: Vec<_> = try_all(JOBS, &|| {})
        .into_iter()
        .filter_map(|trial| match trial.fate {
            Fate::Survived(how) => Some(format!("{}: {how}", trial.fault.name)),
            Fate::Killed { .. } | Fate::NeedsSocket => None,
        })
        .collect();

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
