//! What became of a scenario, before anything is said about the target.

use std::time::Duration;

use appsync_protocol::finding::Finding;
use appsync_protocol::requirement::Requirement;

use super::Entry;

/// What became of a scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// What the listening monitor found against the server.
    pub findings: Vec<Finding>,
    /// Events that subscriptions should have had and nobody waited for: a second try has to show the same.
    pub losses: Vec<Finding>,
    /// What satisfied its expectations.
    pub evidence: Vec<String>,
    /// Readings of disputed questions and measured values.
    pub observations: Vec<Observation>,
    /// Everything that was said, in order.
    pub record: Vec<Entry>,
    /// Measured values: name, and value in milliseconds or, for close codes, the code.
    pub measures: Vec<(&'static str, u64)>,
    /// How long events took from the publish before them.
    pub deliveries: Vec<Duration>,
    /// How long it took.
    pub took: Duration,
}

/// How a scenario ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every expectation was met.
    Met,
    /// One was not.
    Unmet(Unmet),
    /// Something went wrong that is not known to be the target's fault.
    Trouble(String),
}

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The requirement that is broken.
    pub rule: Requirement,
    /// The acceptable alternatives.
    pub expected: Vec<String>,
    /// What came instead.
    pub got: String,
    /// Index of the deciding entry in the record.
    pub entry: Option<usize>,
    /// Nothing came, or the connection ended: a second try has to show the same.
    pub silent: bool,
}

/// A measured value or the reading of a disputed question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// Name of the value, or id of the ambiguity.
    pub name: String,
    /// The value with its unit, or the reading.
    pub value: String,
}
