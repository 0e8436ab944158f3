//! The speed goals. Decoding as a ratio measured side by side in one run: medians of interleaved rounds, in seconds of the
//! processor. The catalogue in virtual time in the same seconds: the quickest round.
//!
//! Prints a line for each measurement, and ends with 1 where decoding costs more than its goal and the noise allow each
//! time that it is measured, or the catalogue three times its goal.
#![allow(clippy::print_stdout, reason = "a command speaks to the terminal")]

use std::hint::black_box;
use std::process::ExitCode;

use appsync_protocol::dialect::{Dialect, decode};
use rustix::time::{ClockId, clock_gettime};
use syncspec_benches::{EVENTS_DATA, GRAPHQL_DATA, Tagged, play_catalogue};

/// Interleaved rounds of each pair; the median counts.
const ROUNDS: usize = 9;
/// Messages a round.
const MESSAGES: u32 = 20_000;
/// Seconds in which every scenario that needs no socket is to be played.
const CATALOGUE_SECONDS: f64 = 0.15;
/// Allowed share beyond the seconds: they are those of a machine, and not a ratio within one run.
const OTHER_MACHINES: f64 = 3.0;
/// Allowed noise of a measurement.
const NOISE: f64 = 1.10;
/// How often a goal that is missed is measured: other work on the machine costs one of a pair more than the other, for a
/// while. Code that is too slow misses it each time.
const TRIES: usize = 5;

fn main() -> ExitCode {
    let mut missed = false;
    for (dialect, text, goal) in [(Dialect::Graphql, GRAPHQL_DATA, 0.30), (Dialect::Events, EVENTS_DATA, 0.36)] {
        let holds = (0..TRIES).any(|_| {
            let ratio = decoding(dialect, text);
            let holds = ratio <= goal * NOISE;
            let bytes = text.len();
            println!("decode/{dialect}: {ratio:.3} of the tagged enum (goal {goal}, {bytes} bytes) {}", word(holds));
            holds
        });
        missed |= !holds;
    }
    let seconds = (0..ROUNDS).map(|_| processor_seconds(play_catalogue)).fold(f64::INFINITY, f64::min);
    missed |= seconds > CATALOGUE_SECONDS * OTHER_MACHINES;
    let holds = seconds <= CATALOGUE_SECONDS;
    println!(
        "catalogue in virtual time: {seconds:.3} s, {} scenarios (goal {CATALOGUE_SECONDS} s) {}",
        play_catalogue(),
        word(holds)
    );
    ExitCode::from(u8::from(missed))
}

/// What decoding a message costs, as a share of what a tagged enum of serde costs.
fn decoding(dialect: Dialect, text: &str) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let ours = time(|| black_box(decode(dialect, black_box(text))).is_ok());
        let theirs = time(|| black_box(serde_json::from_str::<Tagged>(black_box(text))).is_ok());
        ours / theirs
    });
    median(rounds.collect())
}

fn word(holds: bool) -> &'static str {
    if holds { "holds" } else { "missed" }
}

fn time(mut what: impl FnMut() -> bool) -> f64 {
    processor_seconds(|| (0..MESSAGES).filter(|_| what()).count())
}

/// Time that this thread was running. It plays alone and waits for nothing, so on an idle machine that is all the time;
/// nothing is measured beside it that would tell what a busy one adds.
fn processor_seconds(mut what: impl FnMut() -> usize) -> f64 {
    let now = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
    };
    let start = now();
    black_box(what());
    now() - start
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
