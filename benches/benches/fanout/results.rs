//! What was found, as numbers: medians of rounds, ratios within rounds, and whether they meet the goals.

use appsync_protocol::dialect::Dialect;
use serde::Serialize;
use syncspec_benches::figures::{Goal, Machine, median, spread};

use crate::cases::{Case, Contender, Kind, Run};
use crate::child::Trips;

/// Everything that a run of this program found.
#[derive(Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) cases: Vec<Figures>,
    /// Raw client and engine of `syncspec bench`, by round.
    pub(crate) closed: Vec<(Trips, Trips)>,
    /// The engine with mutations of GraphQL over HTTP, by round.
    pub(crate) closed_in_graphql: Vec<Trips>,
    /// Round trips a second of other load generators, by round.
    pub(crate) loads: Vec<(&'static str, Vec<f64>)>,
    /// What could not be compared with.
    pub(crate) missing: Vec<String>,
}

/// One case, with everybody who was measured in it; the floor comes first.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) kind: &'static str,
    pub(crate) dialect: &'static str,
    pub(crate) subscribers: usize,
    /// Deliveries a second that were asked for.
    pub(crate) asked: Option<f64>,
    pub(crate) servers: Vec<Of>,
    #[serde(skip)]
    case: Case,
}

/// The rounds of one server.
#[derive(Serialize)]
pub(crate) struct Of {
    pub(crate) name: &'static str,
    pub(crate) runs: Vec<Run>,
}

/// What is looked at in a run.
pub(crate) type Look = fn(&Run) -> f64;

impl Figures {
    pub(crate) fn new(case: &Case, contenders: &[Contender]) -> Self {
        Self {
            kind: case.kind.word(),
            dialect: case.dialect.word(),
            subscribers: case.subscribers,
            asked: case.rate().map(|rate| rate * (case.subscribers * case.events()) as f64),
            servers: contenders.iter().map(|contender| Of { name: contender.name(), runs: Vec::new() }).collect(),
            case: *case,
        }
    }

    /// Whether floor and reference delivered everything once and in order.
    pub(crate) fn is_sound(&self) -> bool {
        self.servers.iter().take(2).all(|of| of.runs.iter().all(|run| run.lost == 0 && run.wrong == 0))
    }

    pub(crate) fn median(&self, server: usize, look: Look) -> f64 {
        median(self.servers[server].runs.iter().map(look).collect())
    }

    /// Of the reference endpoint to the floor: lowest, median, highest of the rounds.
    pub(crate) fn ratio(&self, look: Look) -> [f64; 3] {
        let (floor, own) = (&self.servers[0].runs, &self.servers[1].runs);
        spread(floor.iter().zip(own).map(|(floor, own)| look(own) / look(floor)).collect())
    }

    pub(crate) fn text(&self) -> String {
        let shown = |look| {
            let [low, middle, high] = self.ratio(look);
            format!("{middle:.2} ({low:.2} to {high:.2})")
        };
        format!(
            "to the floor: rate {}, p50 {}, p90 {}, p99 {}, cpu {}",
            shown(|run| run.rate),
            shown(|run| run.latency_us[0]),
            shown(|run| run.latency_us[1]),
            shown(|run| run.latency_us[2]),
            shown(|run| run.cpu_us)
        )
    }
}

impl Results {
    pub(crate) const fn new(rounds: usize, seconds: f64, machine: Machine) -> Self {
        Self {
            machine,
            rounds,
            seconds,
            cases: Vec::new(),
            closed: Vec::new(),
            closed_in_graphql: Vec::new(),
            loads: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Whatever was measured of what has a goal.
    pub(crate) fn goals(&self) -> Vec<Goal> {
        let mut goals = Vec::new();
        let mut add = |what, is_at_least, goal, unit: &str, measured| {
            goals.push(Goal { what, is_at_least, goal, unit: unit.into(), measured });
        };
        for figures in &self.cases {
            let (case, name) = (figures.case, figures.case.name());
            match case.kind {
                Kind::Overload => {
                    add(format!("{name}, rate"), true, 0.80, " of the floor", figures.ratio(|run| run.rate))
                }
                // Fewer do not get 20,000 deliveries a second; of many more the floor's own queue is what is measured.
                Kind::Latency if matches!(case.subscribers, 100 | 1_000) => {
                    add(format!("{name}, p50"), false, 1.25, " of the floor", figures.ratio(|run| run.latency_us[0]));
                    add(format!("{name}, p90"), false, 1.30, " of the floor", figures.ratio(|run| run.latency_us[1]));
                }
                Kind::Latency if case.subscribers >= 10_000 => {
                    let each = figures.servers[1].runs.iter().map(|run| run.kb_each).collect();
                    add(format!("{name}, memory of a subscriber"), false, 6.0, " KB", spread(each));
                }
                Kind::Latency | Kind::Ceiling => {}
            }
        }
        if !self.closed.is_empty() {
            let ratio = |look: fn(&Trips) -> f64| {
                spread(self.closed.iter().map(|(raw, bench)| look(bench) / look(raw)).collect())
            };
            let who = |what| format!("syncspec bench, closed loop, {what}");
            add(who("round trips"), true, 0.60, " of the raw client", ratio(|trips| trips.rate));
            add(who("processor time of one"), false, 2.0, " of the raw client", ratio(|trips| trips.cpu_us));
            for (name, rates) in &self.loads {
                let times = self.closed.iter().zip(rates).map(|((_, bench), rate)| bench.rate / rate);
                add(who("round trips"), true, 7.0, &format!(" of {name}"), spread(times.collect()));
            }
        }
        goals
    }

    /// The cases of a kind in a dialect.
    pub(crate) fn of(&self, kind: Kind, dialect: Dialect) -> impl Iterator<Item = &Figures> {
        self.cases.iter().filter(move |figures| figures.case.kind == kind && figures.case.dialect == dialect)
    }
}
