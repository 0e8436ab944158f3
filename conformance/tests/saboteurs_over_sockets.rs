//! What writes below the WebSocket layer: played over a real socket, by the whole runner.

use syncspec::catalogue::scenarios;
use syncspec::scenario::Need;
use syncspec::selftest::saboteurs::Fate;
use syncspec::selftest::sockets::{case, try_saboteurs};
use syncspec::verdict::Verdict;

#[test]
fn every_saboteur_below_the_websocket_layer_is_caught_for_its_reason() {
    let trials = try_saboteurs(2, &|| {});
    let escaped: Vec<_> = trials.iter().filter(|trial| !matches!(trial.fate, Fate::Killed { .. })).collect();

    assert!(!trials.is_empty());
    assert!(
        escaped.is_empty(),
        "{:#?}",
        escaped.iter().map(|trial| (trial.fault.name, &trial.fate)).collect::<Vec<_>>()
    );
}

#[test]
fn every_scenario_below_the_websocket_layer_passes_without_a_saboteur() {
    let mut wrong = Vec::new();
    for scenario in scenarios().filter(|scenario| scenario.needs.contains(&Need::Socket)) {
        // An open question is answered with information.
        let due = if scenario.is_probe() { Verdict::Info } else { Verdict::Pass };
        match case(scenario, &[]) {
            Ok(case) if case.verdict == due && !case.evidence.is_empty() => {}
            Ok(case) => wrong.push(format!("{}: {} {}", scenario.id, case.verdict, case.reason)),
            Err(trouble) => wrong.push(trouble),
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
}
