//! Fan-out and closed loop over loopback, as ratios to the floor of this machine.
//!
//! ```text
//!   this process                              child process, a fresh one for each run
//!   audience: N subscribers, one thread  <──  the floor server, the reference endpoint, or a peer
//!   press: one publisher, one thread     ──>
//! ```
//!
//! Rounds are interleaved, in turning order: floor, reference; reference, floor. A ratio is made within a round, and the
//! median over the rounds counts. What a machine does beside it is part of the figures; it is told by their spread.
//!
//! `cargo bench -p syncspec-benches --bench fanout` measures; with `-- --publish` it also writes the README and the files
//! in `fixtures/benches`. Without cargo's `--bench`, as `cargo test` starts it, it only looks whether everything works.
#![allow(missing_docs, reason = "a command, not an API")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to the terminal")]

mod cases;
mod child;
mod loads;
mod peers;
mod publish;
mod results;

use std::net::SocketAddr;
use std::process::ExitCode;

use appsync_protocol::dialect::Dialect;
use clap::{Parser, Subcommand};
use syncspec_benches::figures::Machine;
use syncspec_benches::floor::Failure;

use cases::{Case, Contender, Kind};
use loads::Load;
use peers::Peer;
use results::{Figures, Results};

/// That of `syncspec`: the endpoint runs in a process of this program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of an event.
const SIZE: usize = 150;

/// Fan-out and closed loop over loopback, as ratios to the floor of this machine.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    role: Option<Role>,
    /// Interleaved rounds of each case.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds of each run.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Numbers of subscribers.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100, 1_000, 10_000])]
    subscribers: Vec<usize>,
    /// What is spoken.
    #[arg(long, value_delimiter = ',', default_values = ["events", "graphql"])]
    dialect: Vec<String>,
    /// Parts of it: latency, overload, ceiling, closed.
    #[arg(long, value_delimiter = ',', default_values = ["latency", "overload", "ceiling", "closed"])]
    only: Vec<String>,
    /// Measure Node ws, Redis, NATS, Mosquitto, k6 and Artillery too, where they are installed.
    #[arg(long)]
    compare: bool,
    /// Write what was measured into README.md and fixtures/benches.
    #[arg(long)]
    publish: bool,
    /// End with 1 where a goal is missed.
    #[arg(long)]
    gate: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What the other processes are.
#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
enum Role {
    #[command(hide = true)]
    Floor,
    #[command(hide = true)]
    Reference,
    #[command(hide = true)]
    RawClient { address: SocketAddr, seconds: f64 },
    #[command(hide = true)]
    BenchClient { dialect: String, address: SocketAddr, seconds: f64 },
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    if !options.bench {
        options.rounds = 1;
        options.seconds = 0.2;
        options.subscribers = vec![1, 10];
    }
    let done = match &options.role {
        Some(role) => child::play(role).map(|()| true),
        None => measure(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("fanout: {failure}");
            ExitCode::from(2)
        }
    }
}

fn measure(options: &Options) -> Result<bool, Failure> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let mut results = Results::new(options.rounds, options.seconds, Machine::look());
    let mut contenders = vec![Contender::Floor, Contender::Reference];
    let mut loads = Vec::new();
    if options.compare {
        contenders.extend(there(&Peer::ALL, Peer::missing, &mut results).into_iter().map(Contender::Peer));
        loads = there(&Load::ALL, Load::missing, &mut results);
    }
    for case in all(options) {
        println!("{}", case.name());
        let figures = rounds(&case, &contenders, options)?;
        println!("  {}", figures.text());
        results.cases.push(figures);
    }
    if options.only.iter().any(|part| part == "closed") {
        closed(&mut results, &loads)?;
    }
    results.machine.finish();
    let goals = results.goals();
    for goal in &goals {
        println!("{}", goal.text());
    }
    if options.publish {
        publish::publish(&results)?;
    }
    let is_sound = results.cases.iter().all(Figures::is_sound);
    if !is_sound {
        eprintln!("fanout: floor or reference lost events, or told them twice or out of order");
    }
    Ok(is_sound && (!options.gate || goals.iter().all(|goal| goal.holds())))
}

/// Those that are installed. What is missing is told.
fn there<T: Copy>(all: &[T], missing: fn(T) -> Option<String>, results: &mut Results) -> Vec<T> {
    let mut found = Vec::new();
    for one in all {
        match missing(*one) {
            Some(why) => {
                println!("not compared with {why}");
                results.missing.push(why);
            }
            None => found.push(*one),
        }
    }
    found
}

fn closed(results: &mut Results, loads: &[Load]) -> Result<(), Failure> {
    println!("closed loop");
    results.loads = loads.iter().map(|load| (load.name(), Vec::new())).collect();
    for round in 0..results.rounds {
        let (raw, bench) = cases::closed(round % 2 == 1, results.seconds)?;
        println!("  raw {:.0}/s {:.2} us, bench {:.0}/s {:.2} us", raw.rate, raw.cpu_us, bench.rate, bench.cpu_us);
        let graphql = cases::closed_in_graphql(results.seconds)?;
        println!("  bench in GraphQL {:.0}/s {:.2} us", graphql.rate, graphql.cpu_us);
        results.closed_in_graphql.push(graphql);
        results.closed.push((raw, bench));
        for (load, (_, rates)) in loads.iter().zip(&mut results.loads) {
            let server = child::Server::start(&["floor"])?;
            let rate = load.trips(server.address, results.seconds)?;
            println!("  {} {rate:.0}/s", load.name());
            rates.push(rate);
        }
    }
    Ok(())
}

/// The cases that were asked for.
fn all(options: &Options) -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| options.only.iter().any(|part| part == kind.word())) {
        for dialect in Dialect::ALL.into_iter().filter(|known| options.dialect.iter().any(|word| word == known.word()))
        {
            // A look takes all kinds, with as few subscribers as it has.
            let counts = options.subscribers.iter().copied().filter(|count| kind.takes(*count) || !options.bench);
            cases.extend(counts.map(|subscribers| Case { dialect, subscribers, kind }));
        }
    }
    cases
}

fn rounds(case: &Case, contenders: &[Contender], options: &Options) -> Result<Figures, Failure> {
    // Peers do not speak GraphQL; one comparison is enough. Of all that a publisher can send some take what they hand out
    // minutes later: nothing is compared then.
    let takes_peers = case.dialect == Dialect::Events && case.kind != Kind::Ceiling;
    let takes = |contender: &&Contender| !matches!(contender, Contender::Peer(_)) || takes_peers;
    let contenders: Vec<_> = contenders.iter().filter(takes).copied().collect();
    let mut figures = Figures::new(case, &contenders);
    for round in 0..options.rounds {
        let mut turn: Vec<usize> = (0..contenders.len()).collect();
        if round % 2 == 1 {
            turn.reverse();
        }
        for place in turn {
            let contender = contenders[place];
            match (case.run(contender, options.seconds), contender) {
                (Ok(run), _) => {
                    println!("  {:<10} {}", contender.name(), run.text());
                    figures.servers[place].runs.push(run);
                }
                // It may be too old for so many; that is its own affair.
                (Err(why), Contender::Peer(_)) => println!("  {:<10} {why}", contender.name()),
                (Err(why), Contender::Floor | Contender::Reference) => {
                    return Err(format!("{}, {}: {why}", case.name(), contender.name()).into());
                }
            }
        }
    }
    Ok(figures)
}
