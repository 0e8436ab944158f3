//! Profiles of the reference endpoint over sockets: whatever the sources leave open, nothing fails and nothing warns.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use peers::judging::{Judged, judge, options};
use syncspec::catalogue::scenarios;
use syncspec::reference::{Config, Profile};
use syncspec::run::Options;
use syncspec::scenario::{Need, Tier};
use syncspec::target::Embedded;
use syncspec::verdict::Verdict;

/// What a server may not survive is played alone, which takes its time; in virtual time every profile is judged by it.
fn harmless() -> Vec<String> {
    let quick = scenarios().filter(|s| s.tier == Tier::Quick && !s.hazard && !s.needs.contains(&Need::Limits));
    quick.map(|scenario| format!("={}", scenario.id)).collect()
}

/// Judges an endpoint of this profile, in the quick tier.
async fn judged(profile: Profile) -> Judged {
    let embedded = Embedded::start(Config { profile, ..Config::default() }).unwrap();
    let endpoints = embedded.endpoints();
    let usual = options(Dialect::Graphql, "127.0.0.1:1".parse().unwrap());
    let options = Options {
        endpoints,
        embedded: true,
        comes_back: true,
        filters: harmless(),
        step_timeout: Duration::from_secs(10),
        case_timeout: Duration::from_secs(60),
        run_timeout: Duration::from_secs(110),
        jobs: 32,
        ..usual
    };
    judge(options).await
}

fn expect_no_complaint(judged: &Judged) {
    let lines = judged.lines();
    for verdict in [Verdict::Fail, Verdict::Warn, Verdict::Inconclusive, Verdict::Blocked] {
        assert_eq!(judged.with(verdict), Vec::<&str>::new(), "{verdict}: {lines}");
    }
    let (cases, passed) = (judged.finished.run.cases.len(), judged.with(Verdict::Pass).len());
    assert!(passed * 20 > cases * 17, "only {passed} of {cases} pass: {lines}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_held_against_an_endpoint_that_settles_late() {
    expect_no_complaint(&judged(Profile::live_eventual(1)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_held_against_an_endpoint_that_takes_the_pages_literally() {
    expect_no_complaint(&judged(Profile::docs_literal()).await);
}
