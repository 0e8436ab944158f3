//! Every scenario against the reference endpoint, in virtual time.

mod common;

use std::collections::BTreeSet;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::{Ambiguity, Severity};
use appsync_protocol::server::Readings;
use syncspec::catalogue::probes::{PROBES, asked_by};
use syncspec::catalogue::scenarios;
use syncspec::fault::{DoorCheck, How};
use syncspec::reference::{Config, Profile};
use syncspec::scenario::{Scenario, render};
use syncspec::verdict::{Verdict, judge};

#[test]
fn every_scenario_passes_on_the_reference_endpoint_with_evidence() {
    let mut wrong = Vec::new();
    for scenario in scenarios().filter(|s| common::playable(s)) {
        let outcome = common::outcome(scenario, &[]);
        let (verdict, breaches) = judge(scenario, &outcome);
        let due = if scenario.is_probe() { Verdict::Info } else { Verdict::Pass };
        if verdict != due || outcome.evidence.is_empty() {
            wrong.push(format!("{}: {verdict} {:?} {breaches:#?}", scenario.id, outcome.ending));
        }
    }

    assert!(wrong.is_empty(), "{} scenarios:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_probe_asks_a_known_question_and_records_the_answer() {
    let known = |id: &str| PROBES.iter().any(|probe| probe.id == id) || Ambiguity::all().any(|own| own.id == id);
    let mut asked = BTreeSet::new();
    for scenario in scenarios().filter(|s| s.is_probe()) {
        let question = asked_by(scenario.dialect, scenario.id).expect("the id names a question");
        assert!(known(&question), "{}: {question}", scenario.id);
        asked.insert(question.clone());
        if common::playable(scenario) {
            let outcome = common::outcome(scenario, &[]);
            assert!(outcome.observations.iter().any(|seen| seen.name == question), "{}", scenario.id);
        }
    }

    let unasked: Vec<_> = PROBES.iter().filter(|probe| !asked.contains(probe.id)).collect();
    assert!(unasked.is_empty(), "{unasked:?}");
}

#[test]
fn no_answer_to_an_open_question_counts_against_a_server() {
    let probe = scenarios().find(|s| s.is_probe()).expect("there are probes");
    let refused = common::outcome(probe, &[How::Door(DoorCheck::ServesRealtime)]);

    let (verdict, breaches) = judge(probe, &refused);

    assert_eq!((verdict, breaches.len()), (Verdict::Info, 0), "{:?}", refused.ending);
    assert!(refused.observations.iter().any(|seen| seen.value.starts_with("something else")));
}

#[test]
fn the_monitor_finds_nothing_against_the_reference_endpoint() {
    let mut wrong = Vec::new();
    for scenario in scenarios().filter(|s| common::playable(s)) {
        let findings = common::outcome(scenario, &[]).findings;
        if !findings.is_empty() {
            let texts: Vec<_> = findings.iter().map(ToString::to_string).collect();
            wrong.push(format!("{}: {}", scenario.id, texts.join("; ")));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the suite holds against an endpoint of this profile, and what its monitor finds.
fn complaints(profile: &Profile, dialect: Option<Dialect>) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut played, mut passed) = (0, 0);
    let concerned = |s: &Scenario| dialect.is_none_or(|dialect| dialect == s.dialect);
    for scenario in scenarios().filter(|s| common::playable(s) && concerned(s)) {
        let outcome = common::outcome_of(scenario, Config { profile: profile.clone(), ..Config::default() }, &[]);
        let (verdict, breaches) = judge(scenario, &outcome);
        played += usize::from(!scenario.is_probe());
        passed += usize::from(verdict == Verdict::Pass);
        if verdict == Verdict::Fail || verdict == Verdict::Warn {
            wrong.push(format!("{}: {verdict} {:?} {breaches:#?}", scenario.id, outcome.ending));
        }
        let grave = outcome
            .findings
            .iter()
            .filter(|finding| matches!(finding.requirement.severity(), Severity::Fail | Severity::Warn));
        wrong.extend(grave.map(|finding| format!("{}: monitor: {finding}", scenario.id)));
    }
    if passed * 20 < played * 19 {
        wrong.push(format!("only {passed} of {played} scenarios pass"));
    }
    wrong
}

#[test]
fn nothing_fails_where_subscriptions_settle_and_answers_come_late() {
    for seed in 1..4 {
        let wrong = complaints(&Profile::live_eventual(seed), None);

        assert!(wrong.is_empty(), "seed {seed}, {}:\n{}", wrong.len(), wrong.join("\n"));
    }
}

#[test]
fn nothing_fails_where_the_pages_are_taken_literally() {
    let wrong = complaints(&Profile::docs_literal(), None);

    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_reading_of_an_ambiguity_fails() {
    let mut wrong = Vec::new();
    for switch in Readings::default().switches() {
        let dialect = if switch.ambiguity().starts_with("GQL") { Dialect::Graphql } else { Dialect::Events };
        for reading in switch.words().into_iter().skip(1) {
            let mut profile = Profile::live();
            profile.choose(switch.ambiguity(), reading).expect("a word of the switch itself");
            let found = complaints(&profile, Some(dialect));
            wrong.extend(found.into_iter().map(|line| format!("{} as {reading}: {line}", switch.ambiguity())));
        }
    }

    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn identifiers_of_scenarios_are_unique_and_name_dialect_and_area() {
    let mut seen = BTreeSet::new();
    for scenario in scenarios() {
        assert!(seen.insert(scenario.id), "{} twice", scenario.id);
        assert_eq!(scenario.id.split('/').count(), 3, "{}", scenario.id);
        assert!(scenario.id.starts_with(scenario.dialect.word()), "{}", scenario.id);
        assert!(!scenario.covers.is_empty(), "{} covers nothing", scenario.id);
        assert!(scenario.title.ends_with('.'), "{}", scenario.title);
    }
}

#[test]
fn a_scenario_covers_requirements_of_its_dialect_that_bind_the_server() {
    for scenario in scenarios() {
        for rule in scenario.covers {
            let own = rule.dialect().is_none_or(|dialect| dialect == scenario.dialect);
            let server = rule.row().party != appsync_protocol::requirement::Party::Client;
            assert!(own && server, "{} covers {rule}", scenario.id);
        }
    }
}

#[test]
fn the_dialogues_read_as_before() {
    let areas: BTreeSet<_> = scenarios().map(|s| (s.dialect, s.area())).collect();
    for (dialect, area) in areas {
        let text: Vec<_> = scenarios().filter(|s| s.dialect == dialect && s.area() == area).map(render).collect();
        insta::assert_snapshot!(format!("{dialect}-{area}"), text.join("\n"));
    }
}
