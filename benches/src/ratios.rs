//! The speed goals of decoding and of frames: ratios of what is measured side by side in one run, in seconds of the
//! processor, medians of interleaved rounds; and allocations, which `allocations` counts. The catalogue in virtual time
//! in the same seconds: the quickest round.
//!
//! Prints a line for each measurement, and ends with 1 where something costs more than its goal and the noise allow each
//! time that it is measured, or the catalogue three times its goal. With `--publish` everything is measured once and
//! written into the README.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to the terminal")]

use std::borrow::Cow;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use appsync_protocol::dialect::{Dialect, decode};
use clap::Parser;
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use syncspec::reference::shell::frames::{Run, Shared, Template};
use syncspec_benches::figures::{self, Goal, Machine, spread};
use syncspec_benches::floor::Failure;
use syncspec_benches::{EVENTS_DATA, GRAPHQL_DATA, Tagged, data_of, play_catalogue};

/// Ratios to what a user would write first and to what no program can do without.
#[derive(Parser)]
struct Options {
    /// Write what was measured into README.md.
    #[arg(long)]
    publish: bool,
}

/// Interleaved rounds of each pair; the median counts.
const ROUNDS: usize = 15;
/// Bytes that a side of a pair handles in a round.
const BYTES: usize = 3_000_000;
/// Seconds in which every scenario that needs no socket is to be played.
const CATALOGUE_SECONDS: f64 = 0.15;
/// Allowed share beyond the seconds: they are those of a machine, and not a ratio within one run.
const OTHER_MACHINES: f64 = 3.0;
/// Allowed noise of a measurement, as a share of the goal, where parsers are compared.
const NOISE: f64 = 1.2;
/// The same where a copy in memory is the measure: what it costs is up to the processor more than what is done beside it.
const NOISE_OF_COPIES: f64 = 1.5;
/// How often a goal that is missed is measured: other work on the machine costs one of a pair more than the other, for a
/// while. Code that is too slow misses it each time.
const TRIES: usize = 5;

const BEGIN: &str = "<!-- figures of ratios: begin; written by target/release/ratios --publish -->";
const END: &str = "<!-- figures of ratios: end -->";

fn main() -> ExitCode {
    match measure(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("ratios: {failure}");
            ExitCode::from(2)
        }
    }
}

fn measure(options: &Options) -> Result<bool, Failure> {
    let mut machine = Machine::look();
    let (mut holds, mut goals) = (true, Vec::new());
    for pair in pairs() {
        let tries = if options.publish { 1 } else { TRIES };
        holds &= (0..tries).any(|_| {
            let goal = pair.measure();
            println!("{}", goal.text());
            let holds = goal.measured[1] <= goal.goal * pair.noise;
            goals.push(goal);
            holds
        });
    }
    for goal in allocations()? {
        println!("{}", goal.text());
        holds &= goal.holds();
        goals.push(goal);
    }
    holds &= catalogue();
    machine.finish();
    if options.publish {
        let Machine { processor, cores, kernel, load: [before, after], .. } = &machine;
        let section = format!(
            "\n{processor}, {cores} cores, Linux {kernel}. Load of the last minute {before} before and {after} after. \
             {ROUNDS} interleaved rounds of {} MB each; {}.\n\n{}\n",
            BYTES / 1_000_000,
            machine.date(),
            figures::table(&goals)
        );
        figures::put_into_readme(BEGIN, END, &section)?;
    }
    Ok(holds)
}

/// Two ways to do the same, and how much more the first may cost.
struct Pair {
    what: String,
    to: &'static str,
    goal: f64,
    /// What is allowed beyond the goal, as a share of it.
    noise: f64,
    /// The ratio, by round.
    rounds: Box<dyn Fn() -> Vec<f64>>,
}

impl Pair {
    fn measure(&self) -> Goal {
        Goal {
            what: self.what.clone(),
            is_at_least: false,
            goal: self.goal,
            unit: format!(" of {}", self.to),
            measured: spread((self.rounds)()),
        }
    }
}

fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (dialect, text, goal) in [(Dialect::Graphql, GRAPHQL_DATA, 0.30), (Dialect::Events, EVENTS_DATA, 0.36)] {
        pairs.push(decoding(dialect, text.into(), "the tagged enum", goal, |text| {
            serde_json::from_str::<Tagged>(text).is_ok()
        }));
    }
    for dialect in Dialect::ALL {
        for (size, goal) in [(150, 0.33), (1_000, 0.48)] {
            let text = data_of(dialect, size);
            pairs.push(decoding(dialect, text.clone(), "`Value`", goal, |text| {
                serde_json::from_str::<Value>(text).is_ok()
            }));
            pairs.push(decoding(dialect, text, "serde_json's raw values", 1.05, |text| {
                serde_json::from_str::<Envelope<'_>>(text).is_ok()
            }));
        }
    }
    for size in [150, 1_000] {
        for (heads, lengths) in [("heads of one length", [36, 36]), ("heads of two lengths", [36, 35])] {
            pairs.push(Pair {
                what: format!("frame for one more subscriber, {heads}, {size} bytes"),
                to: "a copy in memory",
                goal: 2.0,
                noise: NOISE_OF_COPIES,
                rounds: Box::new(move || framing(size, lengths)),
            });
        }
    }
    pairs
}

/// The members of a message as serde_json gives them without building values.
#[derive(Deserialize)]
#[allow(dead_code, reason = "read, and never looked at")]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<&'a str>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
}

fn decoding(dialect: Dialect, text: String, to: &'static str, goal: f64, theirs: fn(&str) -> bool) -> Pair {
    let what = format!("decode {dialect}, {} bytes", text.len());
    let rounds = Box::new(move || {
        let ours = |text: &str| decode(dialect, text).is_ok();
        interleaved(text.len(), || ours(black_box(&text)), || theirs(black_box(&text)))
    });
    Pair { what, to, goal, noise: NOISE, rounds }
}

/// Frames for subscribers who chose ids of these lengths in turn, and the bytes of such a frame copied.
fn framing(size: usize, lengths: [usize; 2]) -> Vec<f64> {
    let text = data_of(Dialect::Events, size);
    let (head, tail) = text.split_once(r#","event""#).unwrap_or_default();
    let mut run = Run::default();
    run.add(Arc::from([Arc::from(format!(r#","event"{tail}"#))]));
    let run = Arc::new(run);
    let shared = lengths.map(|length| Shared::of(&Arc::from(format!("{}\"", &head[..head.len() + length - 37])), &run));
    let (mut template, mut turn) = (Template::default(), 0);
    let frame = template.fill(&shared[0]).to_vec();
    let mut copy = Vec::with_capacity(2 * frame.len());
    interleaved(
        frame.len(),
        || {
            turn ^= 1;
            black_box(template.fill(black_box(&shared[turn]))).len() > 100
        },
        || {
            copy.clear();
            copy.extend_from_slice(black_box(&frame));
            black_box(&copy).len() > 100
        },
    )
}

/// What the first costs as a share of the second, by round. Both say whether they did what they are there for.
fn interleaved(bytes: usize, mut ours: impl FnMut() -> bool, mut theirs: impl FnMut() -> bool) -> Vec<f64> {
    let times = BYTES / bytes;
    let round = |_| time(times, &mut ours) / time(times, &mut theirs);
    (0..ROUNDS).map(round).collect()
}

fn time(times: usize, mut what: impl FnMut() -> bool) -> f64 {
    processor_seconds(|| {
        let done = (0..times).filter(|_| what()).count();
        assert_eq!(done, times, "what is measured was not done each time");
        done
    })
}

/// What `allocations`, which is built beside this program, counts.
fn allocations() -> Result<Vec<Goal>, Failure> {
    let program = std::env::current_exe()?.with_file_name("allocations");
    let said = Command::new(&program).output().map_err(|why| {
        let how = "cargo build --release -p syncspec-benches --bins builds both";
        format!("expected the program `allocations` beside this one ({how}); got {}: {why}", program.display())
    })?;
    if !said.status.success() {
        return Err(format!("{} ended with {}", program.display(), said.status).into());
    }
    let counted: Vec<(String, u64, u64)> = serde_json::from_slice(&said.stdout)?;
    let goal = |(what, count, most): (String, u64, u64)| Goal {
        what,
        is_at_least: false,
        goal: most as f64,
        unit: String::new(),
        measured: [count as f64; 3],
    };
    Ok(counted.into_iter().map(goal).collect())
}

fn catalogue() -> bool {
    let seconds = (0..ROUNDS).map(|_| processor_seconds(play_catalogue)).fold(f64::INFINITY, f64::min);
    println!(
        "catalogue in virtual time: {seconds:.3} s, {} scenarios (goal {CATALOGUE_SECONDS} s) {}",
        play_catalogue(),
        if seconds <= CATALOGUE_SECONDS { "holds" } else { "missed" }
    );
    seconds <= CATALOGUE_SECONDS * OTHER_MACHINES
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
