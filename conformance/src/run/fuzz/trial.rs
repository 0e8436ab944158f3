//! The trial of the fuzzer over sockets: saboteurs that it has to find, and what it must not accuse.
//!
//! The endpoint is the built-in one, bent or not, behind a port of its own; what is dialled is as real as any target.

use std::time::{Duration, Instant};

use appsync_protocol::dialect::Dialect;
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::{FuzzOptions, Fuzzed, News, fuzz};
use crate::catalogue::faults;
use crate::embedded::Embedded;
use crate::fault::{Fault, How};
use crate::fuzzing::campaign::counts;
use crate::fuzzing::generate::{Bounds, Dice};
use crate::fuzzing::op::Op;
use crate::link::{DialOptions, Dialer};
use crate::reference::Config;
use crate::run::Endpoint;
use crate::selftest::benign::{Quirk, Variant, variants};
use crate::selftest::sockets::{Bearing, bearings};
use crate::selftest::stage::in_parallel;

/// Limit for one answer of a saboteur: the endpoint is on this machine, and many answers are missing on purpose.
const STEP: Duration = Duration::from_secs(1);

/// Limit for one answer of what must not be accused: it may be slow.
const PATIENT_STEP: Duration = Duration::from_secs(5);

/// Time that making one finding smaller may take. What is measured is the finding.
const SHRINK: Duration = Duration::from_secs(5);

/// What became of one saboteur.
#[derive(Clone)]
pub struct Sought {
    /// The saboteur.
    pub fault: &'static Fault,
    /// The rule by which it was found each time that it was tried, and the operations that showed it.
    pub found: Option<(String, Vec<Op>)>,
    /// How long that took, or how long it was sought.
    pub took: Duration,
    /// Dialogues and operations.
    pub done: (u64, u64),
    /// Why it was not sought to the end.
    pub trouble: Option<String>,
}

/// So many of the saboteurs that count and need no other transport, drawn by this seed.
pub fn sample(count: usize, seed: u64, only: &str) -> Vec<&'static Fault> {
    let mut all: Vec<_> = faults().filter(|fault| counts(fault) && fault.name.contains(only)).collect();
    let mut dice = Dice::new(seed);
    let mut chosen = Vec::new();
    while chosen.len() < count && !all.is_empty() {
        let at = usize::try_from(dice.below(all.len() as u64)).unwrap_or_default();
        chosen.push(all.swap_remove(at));
    }
    chosen
}

/// Fuzzes each saboteur over sockets until it is found or the time is up. `done` is told of each.
pub fn seek_all(
    faults: &[&'static Fault],
    (seed, time, jobs): (u64, Duration, usize),
    done: &(dyn Fn(&Sought) + Sync),
) -> Vec<Sought> {
    in_parallel(faults, jobs, &|| {}, |fault| {
        let sought = seek(fault, seed, time);
        done(&sought);
        sought
    })
}

fn seek(fault: &'static Fault, seed: u64, time: Duration) -> Sought {
    let dialects = fault.dialect().map_or_else(|| Dialect::ALL.to_vec(), |dialect| vec![dialect]);
    let mut sought = Sought { fault, found: None, took: Duration::ZERO, done: (0, 0), trouble: None };
    let each = time / u32::try_from(dialects.len()).unwrap_or(1).max(1);
    for dialect in dialects {
        let started = Instant::now();
        let mut found = None;
        let mut tell = |news: News| {
            if let News::Caught(file) = news
                && file.shown == file.tries
            {
                found.get_or_insert((file.rule, file.operations));
            }
        };
        let how = Course { dialect, seed, time: each, step: STEP, until_first: true };
        match campaign(Config::default(), &[fault.how], how, None, &mut tell) {
            Ok(fuzzed) => {
                sought.done.0 += fuzzed.figures.dialogues;
                sought.done.1 += fuzzed.figures.operations;
                sought.trouble = fuzzed.unreachable.or(fuzzed.ended);
            }
            Err(why) => sought.trouble = Some(why),
        }
        sought.took += started.elapsed().min(each);
        if found.is_some() {
            sought.found = found;
            break;
        }
    }
    sought
}

/// What became of something that must not be accused.
#[derive(Clone, Debug)]
pub struct Spared {
    /// Its name and its dialect.
    pub name: String,
    /// How long it was fuzzed.
    pub took: Duration,
    /// Dialogues and operations.
    pub done: (u64, u64),
    /// What was held against it, solid or not, as lines of text.
    pub accused: Vec<String>,
    /// Why it was not fuzzed to the end.
    pub trouble: Option<String>,
}

/// Something that must not be accused.
enum Innocent {
    Behind(Bearing),
    Variant(Variant),
}

/// Fuzzes what must not be accused, all of it within this time: the endpoint behind every kind of link, and its benign
/// variants of policy and reading. `done` is told of each.
pub fn spare_all(
    (seed, time, jobs): (u64, Duration, usize),
    only: &str,
    done: &(dyn Fn(&Spared) + Sync),
) -> Vec<Spared> {
    let links = bearings().into_iter().map(|(name, bearing)| (name, Innocent::Behind(bearing)));
    let said = variants().into_iter().filter(|variant| !matches!(variant.quirk, Quirk::Guise(_)));
    let said = said.map(|variant| (variant.name.clone(), Innocent::Variant(variant)));
    let mut all = Vec::new();
    for (name, innocent) in links.chain(said) {
        let innocent = std::sync::Arc::new(innocent);
        for dialect in Dialect::ALL {
            let own = match &*innocent {
                Innocent::Behind(_) => true,
                Innocent::Variant(variant) => variant.dialect.is_none_or(|own| own == dialect),
            };
            if own && name.contains(only) {
                all.push((format!("{name} ({dialect})"), innocent.clone(), dialect));
            }
        }
    }
    let each = time / u32::try_from(all.len()).unwrap_or(1).max(1);
    in_parallel(&all, jobs, &|| {}, |(name, innocent, dialect)| {
        let how = Course { dialect: *dialect, seed, time: each, step: PATIENT_STEP, until_first: false };
        let spared = spare(name, innocent, how);
        done(&spared);
        spared
    })
}

fn spare(name: &str, innocent: &Innocent, how: Course) -> Spared {
    let mut config = Config::default();
    let bearing = match innocent {
        Innocent::Behind(bearing) => Some(*bearing),
        Innocent::Variant(variant) => {
            match &variant.quirk {
                Quirk::Profile(profile) => config.profile = profile.clone(),
                Quirk::Policy(set) => set(&mut config.policy),
                Quirk::Guise(_) => {}
            }
            None
        }
    };
    let mut accused = Vec::new();
    let mut tell = |news: News| {
        if let News::Caught(file) = news {
            let ops = serde_json::to_string(&file.operations).unwrap_or_default();
            accused.push(format!("{} {} of {}: {} {ops}", file.rule, file.shown, file.tries, file.detail));
        }
    };
    let started = Instant::now();
    let fuzzed = campaign(config, &[], how, bearing, &mut tell);
    let took = started.elapsed();
    let (done, trouble) = match fuzzed {
        Ok(fuzzed) => ((fuzzed.figures.dialogues, fuzzed.figures.operations), fuzzed.unreachable.or(fuzzed.ended)),
        Err(why) => ((0, 0), Some(why)),
    };
    Spared { name: name.into(), took, done, accused, trouble }
}

/// How one campaign goes.
#[derive(Clone, Copy)]
struct Course {
    dialect: Dialect,
    seed: u64,
    time: Duration,
    step: Duration,
    until_first: bool,
}

/// One campaign against the built-in endpoint.
fn campaign(
    config: Config,
    bent: &[How],
    how: Course,
    bearing: Option<Bearing>,
    tell: &mut dyn FnMut(News),
) -> Result<Fuzzed, String> {
    let embedded = Embedded::bent(config, bent).map_err(|error| error.to_string())?;
    let own = embedded.endpoints().into_iter().find(|endpoint| endpoint.dialect == how.dialect);
    let endpoint = own.ok_or("there is no endpoint of this dialect")?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let (dialer, link) = match bearing {
            Some(bearing) => bearing.before(embedded.address()).await.map(|(dialer, link)| (dialer, Some(link)))?,
            None => (dialer(how.step)?, None),
        };
        let (interrupt, interrupted) = watch::channel(false);
        let fuzzed = fuzz(options(endpoint, how), dialer, interrupted, tell).await;
        drop(interrupt);
        if let Some(link) = link {
            link.abort();
        }
        Ok(fuzzed)
    })
}

fn dialer(step: Duration) -> Result<Dialer, String> {
    let options = DialOptions { connect_timeout: step, answer_timeout: step * 2, ..DialOptions::default() };
    Dialer::new(options).map_err(|error| error.to_string())
}

fn options(endpoint: Endpoint, how: Course) -> FuzzOptions {
    FuzzOptions {
        endpoint,
        embedded: true,
        seed: how.seed,
        time: how.time,
        ops_max: u64::MAX,
        bounds: Bounds { large: true, patient: false, ..Bounds::default() },
        until_first: how.until_first,
        rate: None,
        shrink_time: SHRINK,
        step_timeout: how.step,
        connections_max: 1_000_000,
        messages_max: 10_000_000,
        restart_cmd: None,
        restart_wait: Duration::from_millis(200),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_no_saboteur_twice_and_repeats_itself() {
        let names = |seed| sample(20, seed, "").iter().map(|fault| fault.name).collect::<Vec<_>>();
        let mut once = names(1);
        assert_eq!(once, names(1));
        assert_ne!(once, names(2));

        once.sort_unstable();
        once.dedup();

        assert_eq!(once.len(), 20);
    }
}
