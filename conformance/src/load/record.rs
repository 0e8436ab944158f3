//! What a run, or one shard of it, has to tell.
//!
//! Everything in it adds up: [`merge`] of all shards is what one process would have told, had it been able to. Lost
//! events can only be counted over all of them, so a record holds which events were accepted and how often each came.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::measure::Measured;
use super::plan::Pace;
use super::plan::Plan;
use super::receipt::Coverage;

/// Of all shards, or of one.
#[derive(Clone, Debug)]
pub struct Record {
    /// What can be written as JSON.
    pub facts: Facts,
    /// Counts and histograms.
    pub measured: Measured,
}

/// A run without its histograms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Version of syncspec.
    pub version: String,
    /// As [`super::Mode::word`].
    pub mode: String,
    /// What one operation is.
    pub operation: String,
    /// `graphql` or `events`.
    pub dialect: String,
    /// The HTTP endpoint.
    pub endpoint: String,
    /// Seed of the run.
    pub seed: u64,
    /// The numbers of the plan that shards have to share, in words.
    pub plan: BTreeMap<String, String>,
    /// Which of how many, from 0.
    pub shard: (u64, u64),
    /// When the measurement began, in nanoseconds since 1970.
    pub started_ns: u64,
    /// How long it was.
    pub measured_ns: u64,
    /// Whether somebody stopped it.
    pub interrupted: bool,
    /// Whether the loop was closed.
    pub closed_loop: bool,
    /// Acknowledged subscribers by channel.
    pub subscribers: BTreeMap<u64, u64>,
    /// What was accepted and what came.
    pub flows: Vec<Flow>,
    /// What went wrong, and how often.
    pub reasons: BTreeMap<String, u64>,
    /// Processor time of the generator.
    pub threads: Vec<Thread>,
    /// The clock of the target against ours, where it was measured.
    pub clocks: Vec<Clock>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// The events of one publisher on one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Channel by number.
    pub channel: u64,
    /// Publisher by number.
    pub publisher: u64,
    /// Numbers that the target accepted: first, the one after the last, 1.
    pub accepted: Vec<(u64, u64, u64)>,
    /// How often each number came: first, the one after the last, subscribers.
    pub came: Vec<(u64, u64, u64)>,
}

/// One thread of the generator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thread {
    /// What it did, with its shard.
    pub name: String,
    /// Part of the measured time for which it held a core, in percent.
    pub cpu_percent: f64,
}

/// How far the clock of the target is ahead of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Which shard measured it, from 0.
    pub shard: u64,
    /// Middle of what is possible, in nanoseconds; negative if it is behind.
    pub ahead_ns: i64,
    /// Up to this far from the middle.
    pub uncertainty_ns: u64,
    /// Shortest round trip.
    pub round_trip_ns: u64,
}

/// Why records do not belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeError(String);

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MergeError {}

/// What shards have to share, in words.
pub(crate) fn shared(plan: &Plan) -> BTreeMap<String, String> {
    let pace = match plan.pace {
        Pace::Open => format!("open, {}/s", plan.rate),
        Pace::Closed { window } => format!("closed, window {window}"),
    };
    let time = |time: std::time::Duration| humantime::format_duration(time).to_string();
    [
        ("subscribers", plan.subscribers.to_string()),
        ("per connection", plan.per_connection.to_string()),
        ("channels", plan.channels.to_string()),
        ("publishers", plan.publishers.to_string()),
        ("loop", pace),
        ("payload", plan.sizes.to_string()),
        ("duration", time(plan.duration)),
        ("ramp", time(plan.ramp)),
        ("late after", time(plan.late_after)),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value))
    .collect()
}

/// Counts the lost events from what was accepted and what came.
pub(crate) fn count_lost(record: &mut Record) {
    let facts = &record.facts;
    let lost = facts.flows.iter().map(|flow| {
        let owed = facts.subscribers.get(&flow.channel).copied().unwrap_or(0);
        Coverage::from_ranges(&flow.came).lost(&Coverage::from_ranges(&flow.accepted), owed)
    });
    record.measured.counts.lost = lost.sum();
}

/// Adds the records of all shards of a run.
///
/// # Errors
/// If they are not of one run, or not all of it.
pub fn merge(records: Vec<(String, Record)>) -> Result<Record, MergeError> {
    let mut records = records.into_iter();
    let (first_name, mut all) =
        records.next().ok_or_else(|| MergeError("expected the files of the shards; got none".into()))?;
    let mut files = BTreeMap::from([(all.facts.shard.0, first_name.clone())]);
    for (name, record) in records {
        same_run(&first_name, &all.facts, &name, &record.facts)?;
        if let Some(other) = files.insert(record.facts.shard.0, name.clone()) {
            return Err(MergeError(format!("{name}: is shard {}, as {other} is", record.facts.shard.0 + 1)));
        }
        all.measured.add(&record.measured);
        all.facts.add(record.facts);
    }
    let count = all.facts.shard.1;
    let missing: Vec<String> =
        (0..count).filter(|index| !files.contains_key(index)).map(|index| (index + 1).to_string()).collect();
    if !missing.is_empty() {
        return Err(MergeError(format!(
            "expected all {count} shards, because an event that one lost may have come to another; shard {} is not among the files",
            missing.join(", ")
        )));
    }
    all.facts.shard = (0, 1);
    count_lost(&mut all);
    Ok(all)
}

fn same_run(first: &str, one: &Facts, name: &str, other: &Facts) -> Result<(), MergeError> {
    let pairs = [
        ("the version of syncspec", one.version.clone(), other.version.clone()),
        ("the mode", one.mode.clone(), other.mode.clone()),
        ("the dialect", one.dialect.clone(), other.dialect.clone()),
        ("the endpoint", one.endpoint.clone(), other.endpoint.clone()),
        ("the seed", one.seed.to_string(), other.seed.to_string()),
        ("the number of shards", one.shard.1.to_string(), other.shard.1.to_string()),
        ("the start", one.started_ns.to_string(), other.started_ns.to_string()),
    ];
    let plans = one.plan.iter().map(|(key, value)| {
        (key.as_str(), value.clone(), other.plan.get(key).cloned().unwrap_or_else(|| "nothing".into()))
    });
    match pairs.into_iter().chain(plans).find(|(_, one, other)| one != other) {
        Some((what, expected, got)) => Err(MergeError(format!(
            "{name}: is not of the same run as {first}: expected {expected} for {what}; got {got}"
        ))),
        None => Ok(()),
    }
}

impl Facts {
    fn add(&mut self, other: Self) {
        self.measured_ns = self.measured_ns.max(other.measured_ns);
        self.interrupted |= other.interrupted;
        for (channel, count) in other.subscribers {
            *self.subscribers.entry(channel).or_default() += count;
        }
        for flow in other.flows {
            match self.flows.iter_mut().find(|own| (own.channel, own.publisher) == (flow.channel, flow.publisher)) {
                Some(own) => own.add(&flow),
                None => self.flows.push(flow),
            }
        }
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.threads.extend(other.threads);
        self.clocks.extend(other.clocks);
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }
}

impl Flow {
    fn add(&mut self, other: &Self) {
        for (own, others) in [(&mut self.accepted, &other.accepted), (&mut self.came, &other.came)] {
            let mut sum = Coverage::from_ranges(own);
            sum.merge(&Coverage::from_ranges(others));
            *own = sum.ranges();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::measure::Metric;
    use super::super::plan::Mode;
    use super::super::plan::tests::plan;
    use super::*;

    pub(crate) fn record(index: u64, count: u64) -> Record {
        let plan = plan(Mode::Fanout);
        Record {
            facts: Facts {
                version: "1".into(),
                mode: "fanout".into(),
                operation: Mode::Fanout.operation().into(),
                dialect: "events".into(),
                endpoint: "http://127.0.0.1:1/event".into(),
                seed: 7,
                plan: shared(&plan),
                shard: (index, count),
                started_ns: 1_000,
                measured_ns: 2_000_000_000,
                interrupted: false,
                closed_loop: false,
                subscribers: BTreeMap::from([(0, 2)]),
                flows: vec![Flow { channel: 0, publisher: 0, accepted: Vec::new(), came: vec![(0, 10, 2)] }],
                reasons: BTreeMap::new(),
                threads: vec![Thread { name: format!("receiver of shard {}", index + 1), cpu_percent: 10.0 }],
                clocks: Vec::new(),
                notes: vec!["a note".into()],
            },
            measured: Measured::new(1_000_000_000),
        }
    }

    #[test]
    fn an_event_that_came_to_one_shard_and_not_to_the_other_is_lost_once_they_are_merged() {
        let (mut one, mut other) = (record(0, 2), record(1, 2));
        // The first has the publisher, whose last event was refused; the second did not get three for one subscriber.
        one.facts.flows[0].accepted = vec![(0, 9, 1)];
        other.facts.flows[0].came = vec![(0, 4, 2), (4, 7, 1), (7, 10, 2)];
        one.measured.note(Metric::Response, 5);
        other.measured.note(Metric::Response, 7);

        let all = merge(vec![("a".into(), one), ("b".into(), other)]).unwrap();

        assert_eq!(all.measured.counts.lost, 3);
        assert_eq!((all.facts.subscribers[&0], all.measured.times(Metric::Response).count()), (4, 2));
        assert_eq!((all.facts.threads.len(), all.facts.notes.len()), (2, 1));
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused_by_name() {
        let named = |records: Vec<Record>| {
            merge(records.into_iter().zip(["a", "b"]).map(|(record, name)| (name.into(), record)).collect())
                .map_err(|error| error.to_string())
                .map(drop)
        };
        let mut other_seed = record(1, 2);
        other_seed.facts.seed = 8;
        let mut other_rate = record(1, 2);
        other_rate.facts.plan.insert("loop".into(), "open, 7/s".into());

        assert!(
            named(vec![record(0, 2), other_seed]).is_err_and(|e| e.starts_with("b: ") && e.contains("seed; got 8"))
        );
        assert!(named(vec![record(0, 2), other_rate]).is_err_and(|e| e.contains("for loop; got open, 7/s")));
        assert!(named(vec![record(0, 2), record(0, 2)]).is_err_and(|e| e == "b: is shard 1, as a is"));
        assert!(named(vec![record(0, 3), record(2, 3)]).is_err_and(|e| e.contains("shard 2 is not among")));
        assert_eq!(named(vec![record(0, 2), record(1, 2)]), Ok(()));
    }
}
