//! The speed goals as ratios measured side by side in one run: medians of interleaved rounds.
//!
//! Prints a line for each goal, and ends with 1 where decoding costs more than its goal and the noise allow.
#![allow(clippy::print_stdout, reason = "a command speaks to the terminal")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use appsync_protocol::dialect::{Dialect, decode};
use syncspec_benches::{EVENTS_DATA, GRAPHQL_DATA, Tagged, play_catalogue};

/// Interleaved rounds of each pair; the median counts.
const ROUNDS: usize = 9;
/// Messages a round.
const MESSAGES: u32 = 20_000;
/// Allowed noise of a codec ratio.
const NOISE: f64 = 1.10;

fn main() -> ExitCode {
    let mut missed = false;
    for (dialect, text, goal) in [(Dialect::Graphql, GRAPHQL_DATA, 0.30), (Dialect::Events, EVENTS_DATA, 0.36)] {
        let ratio = median(
            (0..ROUNDS)
                .map(|_| {
                    let ours = time(|| black_box(decode(dialect, black_box(text))).is_ok());
                    let theirs = time(|| black_box(serde_json::from_str::<Tagged>(black_box(text))).is_ok());
                    ours.as_secs_f64() / theirs.as_secs_f64()
                })
                .collect(),
        );
        let holds = ratio <= goal * NOISE;
        missed |= !holds;
        println!("decode/{dialect}: {ratio:.3} of the tagged enum (goal {goal}, {} bytes) {}", text.len(), word(holds));
    }
    let seconds = median((0..3).map(|_| timed(play_catalogue).as_secs_f64()).collect());
    println!("catalogue in virtual time: {seconds:.3} s, {} scenarios (goal 0.15 s; reported)", play_catalogue());
    ExitCode::from(u8::from(missed))
}

fn word(holds: bool) -> &'static str {
    if holds { "holds" } else { "missed" }
}

fn time(mut what: impl FnMut() -> bool) -> Duration {
    timed(|| (0..MESSAGES).filter(|_| what()).count())
}

fn timed(mut what: impl FnMut() -> usize) -> Duration {
    let start = Instant::now();
    black_box(what());
    start.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
