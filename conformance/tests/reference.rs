//! Every scenario against the reference endpoint, in virtual time.

use std::collections::BTreeSet;

use appsync_protocol::requirement::Ambiguity;
use appsync_protocol::server::Readings;
use syncspec::catalogue::probes::{PROBES, asked_by};
use syncspec::catalogue::scenarios;
use syncspec::fault::{DoorCheck, How};
use syncspec::player::Ending;
use syncspec::reference::Config;
use syncspec::scenario::render;
use syncspec::selftest::benign::{Variant, try_all, variants};
use syncspec::selftest::stage::{outcome, playable};
use syncspec::verdict::{Verdict, judge};

#[test]
fn every_scenario_passes_on_the_reference_endpoint_with_evidence() {
    let mut wrong = Vec::new();
    for scenario in scenarios().filter(|s| playable(s)) {
        let outcome = outcome(scenario, Config::default(), &[]);
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
        if playable(scenario) {
            let outcome = outcome(scenario, Config::default(), &[]);
            assert!(outcome.observations.iter().any(|seen| seen.name == question), "{}", scenario.id);
        }
    }

    let unasked: Vec<_> = PROBES.iter().filter(|probe| !asked.contains(probe.id)).collect();
    assert!(unasked.is_empty(), "{unasked:?}");
}

#[test]
fn a_target_that_leaves_amid_a_question_has_answered_it_as_far_as_it_went() {
    let probe = scenarios().find(|s| s.is_probe() && s.hazard).expect("there are probes that may end a target");
    let mut left = outcome(probe, Config::default(), &[]);
    left.ending = Ending::Trouble("connection refused".into());
    let answered = judge(probe, &left).0;
    left.observations.clear();

    assert_eq!((answered, judge(probe, &left).0), (Verdict::Info, Verdict::Inconclusive));
}

#[test]
fn no_answer_to_an_open_question_counts_against_a_server() {
    let probe = scenarios().find(|s| s.is_probe()).expect("there are probes");
    let refused = outcome(probe, Config::default(), &[How::Door(DoorCheck::ServesRealtime)]);

    let (verdict, breaches) = judge(probe, &refused);

    assert_eq!((verdict, breaches.len()), (Verdict::Info, 0), "{:?}", refused.ending);
    assert!(refused.observations.iter().any(|seen| seen.value.starts_with("something else")));
}

#[test]
fn the_monitor_finds_nothing_against_the_reference_endpoint() {
    let mut wrong = Vec::new();
    for scenario in scenarios().filter(|s| playable(s)) {
        let findings = outcome(scenario, Config::default(), &[]).findings;
        if !findings.is_empty() {
            let texts: Vec<_> = findings.iter().map(ToString::to_string).collect();
            wrong.push(format!("{}: {}", scenario.id, texts.join("; ")));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the suite holds against benign variants of these names, and how many of their scenarios pass.
fn complaints(wanted: impl Fn(&Variant) -> bool) -> Vec<String> {
    let variants: Vec<_> = variants().into_iter().filter(wanted).collect();
    assert!(!variants.is_empty(), "there is no such variant");
    let alarms = try_all(&variants, 2, &|| {});
    let lines = alarms.alarms.iter();
    let mut wrong: Vec<_> =
        lines.map(|alarm| format!("{}: {}: {}", alarm.variant, alarm.scenario, alarm.what)).collect();
    if alarms.passed * 20 < alarms.played * 19 {
        wrong.push(format!("only {} of {} plays pass", alarms.passed, alarms.played));
    }
    wrong
}

#[test]
fn nothing_fails_where_subscriptions_settle_and_answers_come_late() {
    let wrong = complaints(|variant| variant.name.starts_with("live-eventual"));

    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn nothing_fails_where_the_pages_are_taken_literally() {
    let wrong = complaints(|variant| variant.name == "docs-literal");

    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_reading_of_an_ambiguity_fails() {
    let switches: BTreeSet<_> = Readings::default().switches().iter().map(|switch| switch.ambiguity()).collect();
    let wrong =
        complaints(|variant| switches.contains(variant.source.as_str()) && variant.name.starts_with(&variant.source));

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
