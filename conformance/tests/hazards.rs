//! Hazards of a target that comes back: tried together, and each alone as soon as one of them harms it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use appsync_protocol::dialect::Dialect;
use peers::judging::{Judged, KEY, judge, options};
use syncspec::catalogue::faults;
use syncspec::reference::shell::{Options as ShellOptions, Running};
use syncspec::reference::{Config, Endpoint};
use syncspec::run::Options;
use syncspec::verdict::Verdict;

/// Harms whoever is connected while malformed JSON comes.
const HARMFUL: &str = "graphql-malformed-json-ends-all-connections";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn harm_is_charged_to_the_hazard_that_does_it_and_to_no_other_beside_it() {
    let judged = judge_hazards(&[HARMFUL], true).await;

    assert_eq!(judged.with(Verdict::Fail), ["graphql/framing/malformed-json"], "{}", judged.lines());
    assert_eq!(judged.with(Verdict::Inconclusive), [""; 0], "{}", judged.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazards_get_the_same_verdicts_together_as_alone() {
    let (together, alone) = (judge_hazards(&[], true).await, judge_hazards(&[], false).await);

    assert!(together.with(Verdict::Pass).len() > 3, "{}", together.lines());
    assert_eq!(together.with(Verdict::Pass), alone.with(Verdict::Pass));
    assert_eq!(together.finished.run.cases.len(), alone.finished.run.cases.len());
}

/// Judges the reference endpoint, which these saboteurs bend, by the hazards of framing.
async fn judge_hazards(names: &[&str], comes_back: bool) -> Judged {
    let bends: Vec<_> = faults().filter(|fault| names.contains(&fault.name)).map(|fault| fault.how).collect();
    assert_eq!(bends.len(), names.len());
    let config = Config::default().with_api_key(KEY);
    let endpoint = Endpoint::new(config, &bends).unwrap();
    let running = Running::start(endpoint, "127.0.0.1:0", ShellOptions::default()).unwrap();
    judge(Options {
        filters: vec!["graphql/framing/".into()],
        comes_back,
        ..options(Dialect::Graphql, running.address())
    })
    .await
}
