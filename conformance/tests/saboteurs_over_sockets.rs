//! Saboteurs whose scenario writes below the WebSocket layer: caught over a real socket, by the whole runner.

#![allow(clippy::unwrap_used, reason = "tests")]
mod peers;

use peers::judging::{KEY, judge, options};
use syncspec::catalogue::{faults, scenarios};
use syncspec::fault::Fault;
use syncspec::reference::shell::{Options as ShellOptions, Running};
use syncspec::reference::{Config, Endpoint};
use syncspec::report::Case;
use syncspec::scenario::{Need, Scenario};
use syncspec::verdict::Verdict;

/// What the runner says of one scenario against an endpoint that is bent like this.
fn case(scenario: &Scenario, bent: &[syncspec::fault::How]) -> Case {
    let config = Config::default().with_api_key(KEY);
    let endpoint = Endpoint::new(config, bent).expect("the default schema is valid");
    let running = Running::start(endpoint, "127.0.0.1:0", ShellOptions::default()).expect("a free port");
    let mut options = options(scenario.dialect, running.address());
    options.filters = vec![scenario.id.into()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let judged = runtime.block_on(judge(options));
    let run = judged.finished.run;
    run.cases.into_iter().find(|case| case.id == scenario.id).expect("the scenario was run")
}

fn over_sockets() -> impl Iterator<Item = (&'static Fault, &'static Scenario)> {
    faults().filter_map(|fault| {
        let scenario = scenarios().find(|scenario| scenario.id == fault.caught_by)?;
        scenario.needs.contains(&Need::Socket).then_some((fault, scenario))
    })
}

#[test]
fn every_saboteur_below_the_websocket_layer_is_caught_for_its_reason() {
    let mut escaped = Vec::new();
    for (fault, scenario) in over_sockets() {
        let case = case(scenario, &[fault.how]);
        if !case.breaches.iter().any(|breach| breach.requirement == fault.breaks) {
            escaped.push(format!("{}: {} {}", fault.name, case.verdict, case.reason));
        }
    }

    assert!(escaped.is_empty(), "{escaped:#?}");
}

#[test]
fn every_scenario_below_the_websocket_layer_passes_without_a_saboteur() {
    let mut wrong = Vec::new();
    for scenario in scenarios().filter(|scenario| scenario.needs.contains(&Need::Socket)) {
        let case = case(scenario, &[]);
        if case.verdict != Verdict::Pass || case.evidence.is_empty() {
            wrong.push(format!("{}: {} {}", scenario.id, case.verdict, case.reason));
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
}
