//! What the catalogue exercises of the register: no rule is forgotten in silence, and no excuse outlives its cause.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::{Ambiguity, Party, Reach, Requirement as R, Severity};
use syncspec::catalogue::probes::{PROBES, UNMEASURED, readings};
use syncspec::catalogue::{faults, scenarios};
use syncspec::scenario::{Capability, Cast, Need, Scenario, Step};

/// Rules that a scenario could judge and none does yet, each with the reason. An entry that is covered now, or
/// that could not be judged anyway, fails the test: it has to go.
const NOT_YET: &[(R, &str)] = &[
    (R::GqlSub040, "nothing that a client can send would change the values of a running subscription"),
    (R::EvtData011, "its own note says that an additional member is not held against a server"),
];

/// Whether the suite owes the rule a scenario: it binds servers, shows from outside, and its breach counts.
fn is_owed(rule: R) -> bool {
    let row = rule.row();
    row.party != Party::Client && row.reach == Reach::Outside && rule.severity() > Severity::Info
}

fn covered() -> BTreeSet<R> {
    scenarios().filter(|scenario| !scenario.is_probe()).flat_map(|scenario| scenario.covers.iter().copied()).collect()
}

fn steps(scenario: &Scenario) -> Vec<Step> {
    (scenario.steps)(&Cast::example(scenario.dialect))
}

/// The rule that is broken if the step does not go as it should.
fn rule_of(step: &Step) -> Option<R> {
    match step {
        Step::Open { rule, .. }
        | Step::Expect { rule, .. }
        | Step::Call { rule, .. }
        | Step::Warm { rule, .. }
        | Step::Forbid { rule, .. } => Some(*rule),
        Step::Send { .. } | Step::Raw { .. } | Step::Fire { .. } | Step::Quiet { .. } | Step::Hangup { .. } => None,
    }
}

#[test]
fn every_rule_that_counts_against_a_server_is_covered_or_excused() {
    let covered = covered();
    let excused: BTreeSet<_> = NOT_YET.iter().map(|(rule, _)| *rule).collect();

    let forgotten: Vec<_> = R::ALL
        .iter()
        .filter(|rule| is_owed(**rule) && !covered.contains(rule) && !excused.contains(rule))
        .map(|rule| format!("{rule} ({}, {}): {}", rule.row().level, rule.severity(), rule.row().text))
        .collect();

    assert!(forgotten.is_empty(), "{} rules without a scenario:\n{}", forgotten.len(), forgotten.join("\n"));
}

#[test]
fn an_excuse_names_a_rule_that_is_owed_and_not_covered_once_and_with_a_reason() {
    let covered = covered();
    let mut seen = BTreeSet::new();

    for (rule, reason) in NOT_YET {
        assert!(seen.insert(*rule), "{rule} is excused twice");
        assert!(!covered.contains(rule), "{rule} is covered now; take it out of NOT_YET");
        assert!(is_owed(*rule), "{rule} is owed no scenario; take it out of NOT_YET");
        assert!(reason.len() > 20, "{rule}: {reason:?} is no reason");
    }
}

#[test]
fn every_capability_is_needed_by_a_scenario() {
    let needed: BTreeSet<_> = scenarios().flat_map(|scenario| scenario.needs).copied().collect();
    let idle: Vec<_> =
        Capability::ALL.iter().filter(|capability| !needed.contains(&Need::Capability(**capability))).collect();

    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn every_ambiguity_that_a_scenario_names_is_in_the_register_and_of_its_dialect() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        let prefix = match scenario.dialect {
            Dialect::Graphql => "GQL-A-",
            Dialect::Events => "EVT-A-",
        };
        for (id, _) in readings(scenario) {
            let is_asked = scenario.is_probe() && PROBES.iter().any(|probe| probe.id == id);
            if !is_asked && (!id.starts_with(prefix) || !Ambiguity::all().any(|ambiguity| ambiguity.id == id)) {
                wrong.push(format!("{}: {id}", scenario.id));
            }
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_ambiguity_is_measured_by_a_scenario_or_says_why_not() {
    let measured: BTreeSet<_> = scenarios().flat_map(readings).map(|(id, _)| id).collect();
    let excused: BTreeSet<_> = UNMEASURED.iter().map(|(id, _)| *id).collect();

    let forgotten: Vec<_> = Ambiguity::all()
        .map(|ambiguity| ambiguity.id)
        .filter(|id| measured.contains(id) == excused.contains(id))
        .collect();
    let unknown: Vec<_> = excused.iter().filter(|id| !Ambiguity::all().any(|ambiguity| ambiguity.id == **id)).collect();

    assert_eq!(excused.len(), UNMEASURED.len(), "one is excused twice");
    assert!(unknown.is_empty(), "there is no such ambiguity: {unknown:?}");
    assert!(forgotten.is_empty(), "neither measured nor excused, or both: {forgotten:?}");
}

#[test]
fn the_scenario_that_has_to_catch_a_saboteur_judges_the_rule_it_breaks() {
    let mut wrong = Vec::new();
    for fault in faults() {
        let judges = scenarios().find(|scenario| scenario.id == fault.caught_by).is_some_and(|scenario| {
            scenario.covers.contains(&fault.breaks)
                || steps(scenario).iter().any(|step| rule_of(step) == Some(fault.breaks))
        });
        if !judges {
            wrong.push(format!("{}: {} does not judge {}", fault.name, fault.caught_by, fault.breaks));
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Rules of one area that bind servers.
#[derive(Default)]
struct Tally {
    exercised: usize,
    owed: usize,
    total: usize,
}

#[test]
fn as_much_is_exercised_as_before() {
    let covered = covered();
    let mut areas: BTreeMap<(Option<Dialect>, &str), Tally> = BTreeMap::new();
    for rule in R::ALL.iter().copied().filter(|rule| rule.row().party != Party::Client) {
        let tally = areas.entry((rule.dialect(), rule.area())).or_default();
        tally.total += 1;
        tally.exercised += usize::from(covered.contains(&rule));
        tally.owed += usize::from(is_owed(rule) && !covered.contains(&rule));
    }

    let mut table = String::from("rules that bind servers: exercised/total (of the rest, owed a scenario)\n");
    for dialect in [Some(Dialect::Graphql), Some(Dialect::Events), None] {
        let own = areas.iter().filter(|((of, _), _)| *of == dialect);
        let sum = own.clone().fold(Tally::default(), |sum, (_, tally)| Tally {
            exercised: sum.exercised + tally.exercised,
            owed: sum.owed + tally.owed,
            total: sum.total + tally.total,
        });
        let name = dialect.map_or("suite", Dialect::word);
        writeln!(table, "\n{name:<12}{}/{} ({})", sum.exercised, sum.total, sum.owed).unwrap();
        for ((_, area), tally) in own {
            writeln!(table, "  {area:<10}{}/{} ({})", tally.exercised, tally.total, tally.owed).unwrap();
        }
    }
    insta::assert_snapshot!("coverage", table);
}
