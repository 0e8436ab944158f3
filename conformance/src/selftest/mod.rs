//! The suite on trial: what it catches, what it wrongly complains of, and whether it says the same twice.
//!
//! ```text
//!   saboteurs (hand-written, derived) --> killed or survived ---+
//!   benign variants ------------------> alarms -----------------+--> Results --> figures, exit code
//!   null peers -----------------------> what they pass ---------+
//!   repetitions in bad weather -------> mixed verdicts ---------+
//! ```
//!
//! The server is always the reference endpoint. All but [`sockets`] runs in virtual time, on every core.

pub mod benign;
pub mod costume;
pub mod derived;
pub mod flakes;
mod guises;
pub mod null;
pub mod results;
pub mod saboteurs;
pub mod sockets;
mod spelling;
pub mod stage;
pub mod survivors;
mod variations;

pub use results::Results;

/// What to try, and how hard.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often the catalogue is played in bad weather, in virtual time.
    pub repetitions: u32,
    /// How often the quick tier is played over sockets; 0 leaves out everything that needs one.
    pub sockets: u32,
    /// Where the seeds of the weather begin.
    pub seed: u64,
    /// Threads.
    pub jobs: usize,
    /// Only these parts; all of them if it is empty.
    pub parts: Vec<Phase>,
    /// Only derived saboteurs and benign variants whose name contains one of these; all of them if it is empty.
    pub only: Vec<String>,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.contains(only))
    }
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
    /// Repetitions in virtual time.
    Flakes,
    /// Saboteurs below the WebSocket layer.
    Below,
    /// Benign variants of what comes over a socket.
    Links,
    /// Repetitions over sockets.
    Sockets,
}

impl Phase {
    /// Every part.
    pub const ALL: [Self; 8] = [
        Self::Saboteurs,
        Self::Derived,
        Self::Benign,
        Self::Null,
        Self::Flakes,
        Self::Below,
        Self::Links,
        Self::Sockets,
    ];

    /// The word of the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Saboteurs => "saboteurs",
            Self::Derived => "derived",
            Self::Benign => "benign",
            Self::Null => "null",
            Self::Flakes => "repetitions",
            Self::Below => "below",
            Self::Links => "links",
            Self::Sockets => "sockets",
        }
    }

    /// What is being tried, for a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Saboteurs => "saboteurs",
            Self::Derived => "derived saboteurs",
            Self::Benign => "benign variants",
            Self::Null => "null peers",
            Self::Flakes => "repetitions",
            Self::Below => "saboteurs below the WebSocket layer",
            Self::Links => "benign variants over sockets",
            Self::Sockets => "repetitions over sockets",
        }
    }
}

/// Tries everything. `begun` is told of each part and how many there are of its kind, `done` of each that is over.
pub fn run(options: &Options, begun: &dyn Fn(Phase, usize), done: &(dyn Fn() + Sync)) -> Results {
    let jobs = options.jobs;
    let mut results = Results::default();
    for phase in Phase::ALL {
        if !options.parts.is_empty() && !options.parts.contains(&phase) {
            continue;
        }
        match phase {
            Phase::Saboteurs => {
                begun(phase, crate::catalogue::faults().count());
                results.saboteurs = saboteurs::try_all(jobs, done);
            }
            Phase::Derived => {
                let mut derived = derived::derived();
                derived.retain(|derived| options.wants(&derived.name));
                begun(phase, derived.len());
                results.derived = derived::try_all(&derived, jobs, done);
            }
            Phase::Benign => {
                let mut variants = benign::variants();
                variants.retain(|variant| options.wants(&variant.name));
                begun(phase, variants.len());
                results.benign = benign::try_all(&variants, jobs, done);
            }
            Phase::Null => {
                begun(phase, null::Null::ALL.len());
                results.nulls = null::try_all(jobs, done);
            }
            Phase::Flakes => {
                begun(phase, usize::try_from(options.repetitions).unwrap_or(usize::MAX));
                results.flakes = flakes::try_all(options.repetitions, options.seed, jobs, done);
            }
            Phase::Below => {
                if options.sockets > 0 {
                    begun(phase, sockets::saboteurs().len());
                    results.below = sockets::try_saboteurs(jobs, done);
                }
            }
            Phase::Links => {
                if options.sockets > 0 {
                    let links = sockets::links(&options.only);
                    begun(phase, links.len());
                    results.links = sockets::try_links(&links, done);
                }
            }
            Phase::Sockets => {
                if options.sockets > 0 {
                    begun(phase, usize::try_from(options.sockets).unwrap_or(usize::MAX));
                    results.sockets = sockets::try_all(options.sockets, options.seed, jobs, done);
                }
            }
        }
    }
    results
}
