//! The suite on trial: what it catches, what it wrongly complains of, and whether it says the same twice.
//!
//! ```text
//!   saboteurs (hand-written, derived) --> killed or survived ---+
//!   benign variants ------------------> alarms -----------------+--> Results --> figures, exit code
//!   null peers -----------------------> what they pass ---------+
//!   repetitions in bad weather -------> mixed verdicts ---------+
//! ```
//!
//! Everything here runs in virtual time, on every core, with the reference endpoint as the server.

pub mod benign;
pub mod costume;
pub mod derived;
pub mod flakes;
mod guises;
pub mod null;
pub mod results;
pub mod saboteurs;
mod spelling;
pub mod stage;
pub mod survivors;

pub use results::Results;

/// What to try, and how hard.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How often the catalogue is played in bad weather.
    pub repetitions: u32,
    /// Where the seeds of the weather begin.
    pub seed: u64,
    /// Threads.
    pub jobs: usize,
}

/// The parts of a trial, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Hand-written saboteurs.
    Saboteurs,
    /// Derived saboteurs.
    Derived,
    /// Benign variants.
    Benign,
    /// Null peers.
    Null,
    /// Repetitions.
    Flakes,
}

impl Phase {
    /// What is being tried, for a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Saboteurs => "saboteurs",
            Self::Derived => "derived saboteurs",
            Self::Benign => "benign variants",
            Self::Null => "null peers",
            Self::Flakes => "repetitions",
        }
    }
}

/// Tries everything. `done` is told of each part that is over, with how many there are of its kind.
pub fn run(options: &Options, done: &(dyn Fn(Phase, usize) + Sync)) -> Results {
    let jobs = options.jobs;
    let saboteurs = crate::catalogue::faults().count();
    let derived = derived::derived().len();
    let benign = benign::variants().len();
    let repetitions = usize::try_from(options.repetitions).unwrap_or(usize::MAX);
    Results {
        saboteurs: saboteurs::try_all(jobs, &|| done(Phase::Saboteurs, saboteurs)),
        derived: derived::try_all(jobs, &|| done(Phase::Derived, derived)),
        benign: benign::try_all(jobs, &|| done(Phase::Benign, benign)),
        nulls: null::try_all(jobs, &|| done(Phase::Null, null::Null::ALL.len())),
        flakes: flakes::try_all(options.repetitions, options.seed, jobs, &|| done(Phase::Flakes, repetitions)),
    }
}
