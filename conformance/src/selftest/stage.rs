//! One scenario in virtual time, and many of them on every core.

use std::sync::LazyLock;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::{Requirement, Severity};

use crate::catalogue::scenarios;
use crate::fault::How;
use crate::player::{Limits, Outcome};
use crate::reference::graphql::Engine;
use crate::reference::{Config, Endpoint};
use crate::scenario::{Cast, Need, Scenario};
use crate::sim::{Peer, Weather, play_in};
use crate::verdict::{Verdict, judge};

/// The schema, read once. That it is valid is tested.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| match Engine::configured(&Config::default().graphql) {
    Ok(engine) => engine,
    Err(error) => unreachable!("the default schema is valid: {error}"),
});

/// Limits under which everything can be judged in virtual time.
pub fn limits() -> Limits {
    Limits { scenario: Duration::from_secs(2 * 24 * 60 * 60), keep_alive: None, ..Limits::default() }
}

/// A cast whose names fit the default endpoint.
pub fn cast(dialect: Dialect, config: &Config) -> Cast {
    Cast { prefix: "r1-c001".into(), api_key: config.api_key().to_owned(), ..Cast::example(dialect) }
}

/// An endpoint of this configuration that is bent like this.
pub fn endpoint(config: Config, bent: &[How]) -> Endpoint {
    Endpoint::with_engine(config, bent, ENGINE.fresh())
}

/// Plays a scenario on the endpoint of a configuration, bent like this.
pub fn outcome(scenario: &Scenario, config: Config, bent: &[How]) -> Outcome {
    outcome_with(scenario, &mut endpoint(config, bent), Weather::default())
}

/// Plays a scenario against a peer that knows the key of the default configuration.
pub fn outcome_with(scenario: &Scenario, peer: &mut dyn Peer, weather: Weather) -> Outcome {
    play_in(scenario, cast(scenario.dialect, &Config::default()), limits(), peer, weather)
}

/// Whether the virtual world has what the scenario needs.
pub fn playable(scenario: &Scenario) -> bool {
    !scenario.needs.contains(&Need::Socket)
}

/// Every scenario that can be played in virtual time.
pub fn all_playable() -> Vec<&'static Scenario> {
    scenarios().filter(|scenario| playable(scenario)).collect()
}

/// What counts against a server: the verdict of a scenario, grave findings of its monitor, lost events.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict of the scenario.
    pub verdict: Verdict,
    /// Requirements broken, with what is said of each.
    pub broken: Vec<(Requirement, String)>,
    /// Virtual time that it took.
    pub took: Duration,
}

impl Judged {
    /// What an outcome says about the server, the monitor's part included.
    pub fn of(scenario: &Scenario, outcome: &Outcome) -> Self {
        let (verdict, breaches) = judge(scenario, outcome);
        let mut broken: Vec<_> = breaches
            .into_iter()
            .filter(|breach| breach.severity > Severity::Info)
            .map(|breach| (breach.requirement, format!("{} instead of {}", breach.got, breach.expected.join(" or "))))
            .collect();
        for finding in outcome.findings.iter().chain(&outcome.losses) {
            if finding.requirement.severity() > Severity::Info {
                broken.push((finding.requirement, format!("monitor: {finding}")));
            }
        }
        Self { verdict, broken, took: outcome.took }
    }

    /// Whether anything fails or warns.
    pub const fn complains(&self) -> bool {
        !self.broken.is_empty()
    }

    /// The first thing that is said, with the rule.
    pub fn first(&self) -> String {
        self.broken.first().map_or_else(String::new, |(rule, what)| format!("{rule}: {what}"))
    }
}

/// Does the same with each item on `jobs` threads; what comes out keeps the order. `done` is told after each.
pub fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    done: &(dyn Fn() + Sync),
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = work(item);
                    if let Ok(mut results) = results.lock() {
                        results.push((at, result));
                    }
                    done();
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
