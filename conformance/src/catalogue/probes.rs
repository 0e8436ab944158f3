//! Open questions that no source answers: they are asked, and the answer is recorded.
//!
//! A probe is a scenario of the area `probe`. Whatever the target does, its verdict is *info*: there is no rule that it
//! could break. The name of a probe is that of its question, such as `GQL-P-01`, or of the ambiguity that it measures.

use appsync_protocol::dialect::Dialect;

use crate::scenario::{Cast, Scenario, Step};

/// A question that no source answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Stable public identifier, such as `GQL-P-01`.
    pub id: &'static str,
    /// What is asked.
    pub question: &'static str,
}

const fn probe(id: &'static str, question: &'static str) -> Probe {
    Probe { id, question }
}

/// Every question, by dialect and number.
pub const PROBES: &[Probe] = &[
    probe("GQL-P-01", "What becomes of text that is no message, and of binary frames?"),
    probe("GQL-P-02", "What answers a second connection_init?"),
    probe("GQL-P-03", "What becomes of a connection on which nothing is ever sent?"),
    probe("GQL-P-04", "What becomes of a start on a connection without connection_init?"),
    probe("GQL-P-05", "May the id of a subscription that is over be used again?"),
    probe("GQL-P-06", "What becomes of a start with an unusual id, or without one?"),
    probe("GQL-P-07", "What becomes of a start whose type is spelled differently, or is missing?"),
    probe("GQL-P-08", "Which credentials count when several carriers conflict?"),
    probe("GQL-P-09", "Does the query need a payload of {}?"),
    probe("GQL-P-10", "In which order and spelling may the subprotocol token stand?"),
    probe("GQL-P-11", "Does an alias of the root field name the key in data?"),
    probe("GQL-P-12", "Are fragments, directives and __typename taken in a subscription?"),
    probe("GQL-P-13", "Are several root fields and several operations taken, and operations without a name?"),
    probe("GQL-P-14", "What answers a stop before the start_ack, and a second one?"),
    probe("GQL-P-15", "What becomes of pings, of control frames that are too long or not masked, and of extensions?"),
    probe("GQL-P-16", "How long may a message of a client be?"),
    probe("GQL-P-17", "What becomes of unknown members in extensions, and of another host in a start alone?"),
    probe("GQL-P-18", "Does complete come before an event that was under way?"),
    probe("GQL-P-19", "How does a connection end that was refused?"),
    probe("GQL-P-20", "How may the name of the subprotocol be spelled in its list?"),
    probe("EVT-P-01", "What becomes of text that is no message, and of binary frames?"),
    probe("EVT-P-02", "What answers a second connection_init?"),
    probe("EVT-P-03", "What becomes of a connection on which nothing is ever sent?"),
    probe("EVT-P-04", "What becomes of an operation with an unusual id, or without one?"),
    probe("EVT-P-05", "Which credentials count when the token and the header fields conflict?"),
    probe("EVT-P-06", "In which order and spelling may the subprotocol token stand?"),
    probe("EVT-P-07", "What answers an unsubscribe before the subscribe_success, and a second one?"),
    probe("EVT-P-08", "May the id of a subscription that is over be used again?"),
];

/// Ambiguities that no scenario measures, each with the reason.
pub const UNMEASURED: &[(&str, &str)] = &[
    ("GQL-A-09", "a number, not a reading: `syncspec probe --limits` tells it"),
    ("GQL-A-10", "the URL is what the run is given, or derives; see `--realtime`"),
    ("GQL-A-16", "which token is sent is for whoever runs the suite to say"),
    ("GQL-A-17", "a number, not a reading: whatever it is, it is judged against the timeout that was told"),
    ("GQL-A-19", "would take a credential that expires while a connection is open"),
    ("GQL-A-20", "would take a mutation that invalidates five times; what one does is judged"),
    ("GQL-A-22", "about samples on paper"),
    ("GQL-A-23", "about an example on paper"),
    ("GQL-A-24", "a length of time, not a reading: every scenario warms its subscriptions before it judges them"),
    ("EVT-A-02", "about an example on paper"),
    ("EVT-A-04", "both are right, each on its transport, and judged there"),
    ("EVT-A-15", "about clients"),
    ("EVT-A-17", "about whether there are such messages at all; their form is judged where they come"),
    ("EVT-A-19", "only an authorizer sees it"),
    ("EVT-A-21", "only a handler sees it"),
    ("EVT-A-22", "about how a pattern is written; ids with each of its characters are judged"),
    ("EVT-A-26", "would take hundreds of publishes a second, which is no way to treat a target"),
    ("EVT-A-27", "would take thousands of connections a second, which is no way to treat a target"),
    ("EVT-A-28", "would take a credential that expires while a connection is open"),
    ("EVT-A-32", "only a handler sees both"),
];

/// Which question a scenario asks: `GQL-P-01` for `graphql/probe/p-01-unreadable`; none for any other scenario.
pub fn asked_by(dialect: Dialect, id: &str) -> Option<String> {
    let name = id.split('/').nth(2).filter(|_| id.split('/').nth(1) == Some("probe"))?;
    let mut parts = name.split('-');
    let (kind, number) = (parts.next()?, parts.next()?);
    let prefix = match dialect {
        Dialect::Graphql => "GQL",
        Dialect::Events => "EVT",
    };
    Some(format!("{prefix}-{}-{number}", kind.to_uppercase()))
}

/// The ambiguities and questions that the alternatives of a scenario read, in the order of its steps.
pub fn readings(scenario: &Scenario) -> Vec<(&'static str, &'static str)> {
    (scenario.steps)(&Cast::example(scenario.dialect)).iter().flat_map(readings_of).collect()
}

/// The same of one step.
fn readings_of(step: &Step) -> Vec<(&'static str, &'static str)> {
    match step {
        Step::Open { any_of, .. } => any_of.iter().filter_map(|greeting| greeting.reading).collect(),
        Step::Expect { any_of, .. } => any_of.iter().filter_map(|pattern| pattern.reading).collect(),
        Step::Call { any_of, .. } => any_of.iter().filter_map(|answer| answer.reading).collect(),
        Step::Send { .. }
        | Step::Raw { .. }
        | Step::Fire { .. }
        | Step::Warm { .. }
        | Step::Forbid { .. }
        | Step::Quiet { .. }
        | Step::Hangup { .. } => Vec::new(),
    }
}
