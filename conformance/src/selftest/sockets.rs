//! The trial over real sockets: the whole runner against the embedded endpoint, with delay and jitter in between.
//!
//! The same run over links that bring everything in another legal form shows that the form does not count.
//! Virtual time shows what is decided; this shows that nothing depends on how fast a machine or a network is. What
//! cannot be played in virtual time, because it goes below the WebSocket layer, is tried here too.

mod manners;
mod relay;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use manners::{MANNERS, Manner};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::benign::{Alarm, Alarms, Listed};
use super::saboteurs::{Fate, Trial};
use super::stage::in_parallel;
use crate::catalogue::{faults, scenarios};
use crate::embedded::Embedded;
use crate::fault::{Fault, How};
use crate::link::{DialOptions, Dialer};
use crate::reference::Config;
use crate::report::Case;
use crate::run::{Finished, Options, run};
use crate::scenario::{Need, Scenario, Tier};
use crate::sim::Weather;
use crate::verdict::Verdict;

/// Longest additional delays of each way, in milliseconds, one for each repetition in turn.
const JITTERS: [u64; 4] = [10, 0, 2, 40];

/// Limit of one answer: far above what delay and jitter make.
const STEP: Duration = Duration::from_secs(5);

/// Limit of one scenario.
const CASE: Duration = Duration::from_secs(60);

/// Limit of one repetition.
const RUN: Duration = Duration::from_secs(180);

/// A case that was not always judged the same.
#[derive(Clone, Debug)]
pub struct Flake {
    /// The case.
    pub case: String,
    /// Its verdicts, and the first seed that led to each.
    pub verdicts: BTreeMap<Verdict, u64>,
}

/// What the repetitions showed.
#[derive(Clone, Debug, Default)]
pub struct Sockets {
    /// How often the quick tier was played.
    pub repetitions: u32,
    /// Cases with mixed verdicts, or one that is neither *pass* nor *info* nor *n/a*.
    pub flakes: Vec<Flake>,
    /// Repetitions that could not be carried out, and why.
    pub troubles: Vec<String>,
}

/// Plays the quick tier `repetitions` times over sockets, with seeds that begin at `seed`, `jobs` of them at once.
pub fn try_all(repetitions: u32, seed: u64, jobs: usize, done: &(dyn Fn() + Sync)) -> Sockets {
    let turns: Vec<u64> = (0..u64::from(repetitions)).map(|turn| seed.wrapping_add(turn)).collect();
    let found = in_parallel(&turns, jobs, done, |seed| repetition(*seed).map(|cases| (*seed, cases)));
    let mut verdicts: BTreeMap<String, BTreeMap<Verdict, u64>> = BTreeMap::new();
    let mut troubles = Vec::new();
    for repetition in found {
        match repetition {
            Ok((seed, cases)) => {
                for case in cases {
                    verdicts.entry(case.id).or_default().entry(case.verdict).or_insert(seed);
                }
            }
            Err(trouble) => troubles.push(trouble),
        }
    }
    let flakes = verdicts
        .into_iter()
        .filter(|(_, verdicts)| !is_steady(verdicts))
        .map(|(case, verdicts)| Flake { case, verdicts })
        .collect();
    Sockets { repetitions, flakes, troubles }
}

/// Whether nothing is held against the endpoint; *info* is the answer to an open question.
const fn counts_for_nothing(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Info | Verdict::NotApplicable)
}

fn is_steady(verdicts: &BTreeMap<Verdict, u64>) -> bool {
    verdicts.len() == 1 && verdicts.keys().all(|verdict| counts_for_nothing(*verdict))
}

// Benign variants

/// Benign variants of what comes over a socket, those whose name contains one of these texts or all.
pub fn links(only: &[String]) -> Vec<Link> {
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| name.contains(only));
    MANNERS.iter().filter(|manner| wanted(manner.0)).map(|manner| Link(*manner)).collect()
}

/// One benign variant over sockets.
#[derive(Clone, Copy)]
pub struct Link(Listed<Manner>);

/// Plays the quick tier against each of them, all at once: most of the time is waiting.
pub fn try_links(links: &[Link], done: &(dyn Fn() + Sync)) -> Alarms {
    let found = in_parallel(links, links.len(), done, |link| {
        let (name, _, _, manner) = link.0;
        let finished = judge(&[], Weather::default(), manner, |_| {});
        let alarm = |case: &Case| Alarm {
            variant: name.into(),
            scenario: case.id.clone(),
            what: format!("{}: {}", case.verdict, case.reason),
        };
        match finished {
            Ok(Finished { run, stop: None }) => {
                let bad = run.cases.iter().filter(|case| !counts_for_nothing(case.verdict));
                (run.cases.len(), bad.map(alarm).collect())
            }
            Ok(Finished { stop: Some(stop), .. }) => (0, vec![nothing(name, &format!("{stop:?}"))]),
            Err(trouble) => (0, vec![nothing(name, &trouble)]),
        }
    });
    Alarms {
        variants: links.len(),
        played: found.iter().map(|(played, _)| played).sum(),
        passed: found.iter().map(|(played, alarms)| played.saturating_sub(alarms.len())).sum(),
        alarms: found.into_iter().flat_map(|(_, alarms)| alarms).collect(),
    }
}

fn nothing(variant: &str, why: &str) -> Alarm {
    Alarm { variant: variant.into(), scenario: "nothing".into(), what: why.into() }
}

fn repetition(seed: u64) -> Result<Vec<Case>, String> {
    let jitter = usize::try_from(seed).ok().and_then(|seed| JITTERS.get(seed % JITTERS.len())).copied();
    let weather = Weather { seed, jitter: Duration::from_millis(jitter.unwrap_or_default()) };
    let finished = judge(&[], weather, Manner::Plain, |options| options.seed = seed)?;
    match finished.stop {
        None => Ok(finished.run.cases),
        Some(stop) => Err(format!("seed {seed}: {stop:?}")),
    }
}

/// A link to an endpoint: how long it delays, and in what form it brings what is said.
#[derive(Clone, Copy)]
pub(crate) struct Bearing(Weather, Manner);

impl Bearing {
    /// Stands in front of an endpoint: the dialer for it, and what ends it.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub(crate) async fn before(self, to: SocketAddr) -> Result<(Dialer, AbortHandle), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let link = listener.local_addr().map_err(|error| error.to_string())?;
        let relay = tokio::spawn(relay::relay(listener, to, self.0, self.1));
        Ok((dialer(link)?, relay.abort_handle()))
    }
}

/// Links that may be in front of any endpoint, by name: with other delays, and of each legal form.
pub(crate) fn bearings() -> Vec<(String, Bearing)> {
    let late = JITTERS.iter().map(|ms| {
        let weather = Weather { seed: *ms, jitter: Duration::from_millis(*ms) };
        (format!("reference, {ms} ms of jitter"), Bearing(weather, Manner::Plain))
    });
    let forms = MANNERS.iter().map(|(name, _, _, manner)| ((*name).to_owned(), Bearing(Weather::default(), *manner)));
    late.chain(forms).collect()
}

/// The runner against the embedded endpoint, bent like this, behind a link of this weather.
fn judge(
    bent: &[How],
    weather: Weather,
    manner: Manner,
    choose: impl FnOnce(&mut Options),
) -> Result<Finished, String> {
    let embedded = Embedded::bent(Config::default(), bent).map_err(|error| error.to_string())?;
    let mut options = options(&embedded);
    choose(&mut options);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let link = listener.local_addr().map_err(|error| error.to_string())?;
        let relay = tokio::spawn(relay::relay(listener, embedded.address(), weather, manner));
        let (progress, _news) = mpsc::unbounded_channel();
        let (_interrupt, interrupted) = watch::channel(false);
        let finished = run(options, dialer(link)?, progress, interrupted).await;
        relay.abort();
        Ok(finished)
    })
}

fn options(embedded: &Embedded) -> Options {
    Options {
        endpoints: embedded.endpoints(),
        embedded: true,
        // What a saboteur ends stays ended.
        comes_back: false,
        filters: Vec::new(),
        tier: Tier::Quick,
        limits: false,
        jobs: 16,
        seed: 0,
        step_timeout: STEP,
        case_timeout: CASE,
        run_timeout: RUN,
        max_connections: 50_000,
        max_messages: 500_000,
        rate: None,
        restart_cmd: None,
        restart_wait: Duration::from_secs(1),
        panic_in: None,
    }
}

/// Dials the link, whatever the URL says.
fn dialer(link: SocketAddr) -> Result<Dialer, String> {
    Dialer::new(DialOptions {
        connect_to: vec![(String::new(), link.to_string())],
        connect_timeout: STEP,
        answer_timeout: STEP * 2,
        ..DialOptions::default()
    })
    .map_err(|error| error.to_string())
}

// Saboteurs below the WebSocket layer

/// Saboteurs whose scenario writes below the WebSocket layer.
pub fn saboteurs() -> Vec<(&'static Fault, &'static Scenario)> {
    faults()
        .filter_map(|fault| {
            let scenario = scenarios().find(|scenario| scenario.id == fault.caught_by)?;
            scenario.needs.contains(&Need::Socket).then_some((fault, scenario))
        })
        .collect()
}

/// Plays each of them over a socket against its scenario, and that scenario without it.
pub fn try_saboteurs(jobs: usize, done: &(dyn Fn() + Sync)) -> Vec<Trial> {
    in_parallel(&saboteurs(), jobs, done, |(fault, scenario)| Trial { fault, fate: fate(fault, scenario) })
}

fn fate(fault: &Fault, scenario: &Scenario) -> Fate {
    match case(scenario, &[]) {
        Ok(case) if case.verdict == Verdict::Pass => {}
        Ok(case) => return Fate::Survived(format!("without it {} is judged {}", case.id, case.verdict)),
        Err(trouble) => return Fate::Survived(trouble),
    }
    match case(scenario, &[fault.how]) {
        Ok(case) if case.breaches.iter().any(|breach| breach.requirement == fault.breaks) => {
            Fate::Killed { after: Duration::from_millis(case.took_ms) }
        }
        Ok(case) => Fate::Survived(format!("{}: {} {}", case.id, case.verdict, case.reason)),
        Err(trouble) => Fate::Survived(trouble),
    }
}

/// What the runner says of one scenario over sockets against the endpoint, bent like this.
///
/// # Errors
/// When the endpoint cannot be started or the scenario was not run.
pub fn case(scenario: &Scenario, bent: &[How]) -> Result<Case, String> {
    let finished = judge(bent, Weather::default(), Manner::Plain, |options| {
        options.filters = vec![format!("={}", scenario.id)];
        options.endpoints.retain(|endpoint| endpoint.dialect == scenario.dialect);
        options.step_timeout = Duration::from_secs(1);
    })?;
    let cases = finished.run.cases.into_iter().find(|case| case.id == scenario.id);
    cases.ok_or_else(|| format!("{} was not run", scenario.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_is_judged_twice_the_same_is_steady_and_any_other_is_not() {
        let of = |verdicts: &[Verdict]| verdicts.iter().map(|verdict| (*verdict, 0)).collect();

        assert!(is_steady(&of(&[Verdict::Pass])));
        assert!(is_steady(&of(&[Verdict::NotApplicable])));
        assert!(is_steady(&of(&[Verdict::Info])));
        assert!(!is_steady(&of(&[Verdict::Warn])));
        assert!(!is_steady(&of(&[Verdict::Pass, Verdict::Inconclusive])));
        assert!(!is_steady(&of(&[Verdict::Fail])));
    }
}
