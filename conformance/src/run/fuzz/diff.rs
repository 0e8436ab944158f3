//! The same dialogues to two servers. Nobody is judged: what counts is that they differ, each time.

use std::collections::BTreeMap;
use std::time::Instant;

use appsync_protocol::transcript::Entry;
use serde::Serialize;
use tokio::sync::watch;

use super::{CONFIRMATIONS, Campaign, FuzzOptions};
use crate::fuzzing::compare::{Apart, Difference, difference, until};
use crate::fuzzing::generate::{Dice, Generator, Script};
use crate::fuzzing::op::Op;
use crate::link::Dialer;
use crate::run::Endpoint;

/// Differences that are told apart.
const DIFFERENCES_MAX: usize = 200;

/// A difference that showed twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// The operation after which they differ.
    pub operation: String,
    /// What the one said and the other did not.
    pub one: Vec<String>,
    /// The other way round.
    pub other: Vec<String>,
    /// How often it was met.
    pub met: u64,
    /// The first dialogue that showed it, up to the operation.
    pub operations: Vec<Op>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Dialogues that were played to both.
    pub dialogues: u64,
    /// Those of which the difference did not show the second time.
    pub unsteady: u64,
    /// Each difference once.
    pub differences: Vec<Differing>,
    /// Why it ended before its time.
    pub ended: Option<String>,
    /// Somebody asked it to end.
    pub interrupted: bool,
}

/// Plays the same dialogues to two servers of one dialect until the time or the operations are used up.
///
/// # Errors
/// When nothing can be said of one of them.
pub async fn compare(
    options: FuzzOptions,
    dialer: Dialer,
    (endpoint, other_dialer): (Endpoint, Dialer),
    mut interrupt: watch::Receiver<bool>,
) -> Result<Compared, String> {
    let other = FuzzOptions { endpoint, embedded: false, ..options.clone() };
    let at = |endpoint: &Endpoint, why: String| format!("{}: {why}", endpoint.http.authority());
    let mut one = Campaign::new(options.clone(), dialer).await.map_err(|why| at(&options.endpoint, why))?;
    let mut other = Campaign::new(other.clone(), other_dialer).await.map_err(|why| at(&other.endpoint, why))?;
    let mut lacking = one.without.clone();
    lacking.extend(&other.without);
    for campaign in [&mut one, &mut other] {
        campaign.judged = false;
        campaign.without.clone_from(&lacking);
    }
    let mut done = Compared::default();
    tokio::select! {
        () = run(&mut one, &mut other, &mut done) => {}
        _ = interrupt.wait_for(|asked| *asked) => done.interrupted = true,
    }
    Ok(done)
}

async fn run(one: &mut Campaign, other: &mut Campaign, done: &mut Compared) {
    let started = Instant::now();
    let mut known: BTreeMap<Difference, usize> = BTreeMap::new();
    let mut operations = 0_u64;
    while started.elapsed() < one.options.time && operations < one.options.ops_max {
        if let Some(why) = one.budget.reached().or_else(|| other.budget.reached()) {
            done.ended = Some(why);
            return;
        }
        let seed = Dice::new(one.options.seed ^ done.dialogues.wrapping_mul(0xd6e8_feb8_6659_fd93)).next();
        let coverage = std::mem::take(&mut one.coverage);
        let mut generator = Generator::new(one.options.endpoint.dialect, seed, one.options.bounds, &coverage);
        let first = one.play(&mut Apart::new(&mut generator), true).await;
        one.coverage = coverage;
        one.coverage.add(&first.cells);
        let ops: Vec<Op> = first.ops.iter().map(|(op, _)| op.clone()).collect();
        let second = other.play(&mut Script::new(&ops), true).await;
        done.dialogues += 1;
        operations += ops.len() as u64;
        one.done.figures.operations = operations;
        if let Some((number, found)) = difference(&first.record, &second.record) {
            if is_steady(one, other, &ops, &found).await {
                tell(done, &mut known, found, until(&ops, number));
            } else {
                done.unsteady += 1;
            }
            for campaign in [&mut *one, &mut *other] {
                if !campaign.is_alive().await && !campaign.bring_back().await {
                    let at = campaign.options.endpoint.http.authority().to_owned();
                    done.ended = Some(format!("{at} did not come back"));
                    return;
                }
            }
        }
        if one.options.until_first && !known.is_empty() {
            return;
        }
        if known.len() >= DIFFERENCES_MAX {
            done.ended = Some(format!("there are more than {DIFFERENCES_MAX} differences"));
            return;
        }
        one.slow_down().await;
    }
}

/// Whether two servers differ so each time.
async fn is_steady(one: &mut Campaign, other: &mut Campaign, ops: &[Op], found: &Difference) -> bool {
    for _ in 0..CONFIRMATIONS - 1 {
        let again = [record(one, ops).await, record(other, ops).await];
        if difference(&again[0], &again[1]).is_none_or(|(_, again)| again != *found) {
            return false;
        }
    }
    true
}

async fn record(campaign: &mut Campaign, ops: &[Op]) -> Vec<Entry> {
    campaign.play(&mut Script::new(ops), true).await.record
}

fn tell(done: &mut Compared, known: &mut BTreeMap<Difference, usize>, found: Difference, operations: Vec<Op>) {
    if let Some(differing) = known.get(&found).and_then(|at| done.differences.get_mut(*at)) {
        differing.met += 1;
        return;
    }
    known.insert(found.clone(), done.differences.len());
    let Difference { operation, one, other } = found;
    done.differences.push(Differing { operation, one, other, met: 1, operations });
}
