//! The same again and again, over networks of changing weather: a scenario whose verdict changes is a defect.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::stage::{all_playable, endpoint, in_parallel, outcome_with};
use crate::reference::Config;
use crate::scenario::{Need, Scenario, Tier};
use crate::sim::Weather;
use crate::verdict::{Verdict, judge};

/// Longest additional delays, in milliseconds, one for each repetition in turn.
const JITTERS: [u64; 5] = [0, 2, 15, 80, 250];

/// A scenario that was not always judged the same.
#[derive(Clone, Debug)]
pub struct Flake {
    /// The scenario.
    pub scenario: &'static str,
    /// Its verdicts, and the first seed that led to each.
    pub verdicts: Vec<(Verdict, u64)>,
}

/// What the repetitions showed.
#[derive(Clone, Debug, Default)]
pub struct Flakes {
    /// How often the catalogue was played.
    pub repetitions: u32,
    /// How many scenarios were played in all.
    pub played: usize,
    /// Scenarios with mixed verdicts, or one other than *pass* (*info* for an open question).
    pub flakes: Vec<Flake>,
}

/// Plays the catalogue `repetitions` times, with seeds that begin at `seed`. Day-long and large scenarios take part
/// in every fiftieth repetition.
pub fn try_all(repetitions: u32, seed: u64, jobs: usize, done: &(dyn Fn() + Sync)) -> Flakes {
    let all = all_playable();
    let turns: Vec<u32> = (0..repetitions).collect();
    let found = in_parallel(&turns, jobs, done, |turn| {
        let own = all.iter().copied().filter(|scenario| turn % 50 == 0 || is_quick(scenario));
        let seed = seed.wrapping_add(u64::from(*turn));
        own.map(|scenario| (scenario.id, seed, verdict(scenario, seed))).collect::<Vec<_>>()
    });
    let played = found.iter().map(Vec::len).sum();
    let asking: BTreeSet<_> = all.iter().filter(|scenario| scenario.is_probe()).map(|scenario| scenario.id).collect();
    let due = |scenario: &str| if asking.contains(scenario) { Verdict::Info } else { Verdict::Pass };
    let mut verdicts: BTreeMap<&'static str, BTreeMap<Verdict, u64>> = BTreeMap::new();
    for (scenario, seed, verdict) in found.into_iter().flatten() {
        verdicts.entry(scenario).or_default().entry(verdict).or_insert(seed);
    }
    let flakes = verdicts
        .into_iter()
        .filter(|(scenario, verdicts)| !verdicts.keys().copied().eq([due(scenario)]))
        .map(|(scenario, verdicts)| Flake { scenario, verdicts: verdicts.into_iter().collect() })
        .collect();
    Flakes { repetitions, played, flakes }
}

fn is_quick(scenario: &Scenario) -> bool {
    scenario.tier < Tier::Long && !scenario.needs.contains(&Need::Limits)
}

/// The verdict over a network of the weather that the seed gives.
pub fn verdict(scenario: &Scenario, seed: u64) -> Verdict {
    let jitter = usize::try_from(seed).ok().and_then(|seed| JITTERS.get(seed % JITTERS.len())).copied();
    let weather = Weather { seed, jitter: Duration::from_millis(jitter.unwrap_or_default()) };
    let mut endpoint = endpoint(Config::default(), &[]);
    judge(scenario, &outcome_with(scenario, &mut endpoint, weather)).0
}
