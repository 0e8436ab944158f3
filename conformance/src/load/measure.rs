//! What is measured: times as histograms, events as counts, both also over time.
//!
//! Times are in nanoseconds, with three significant digits at any length. Histograms and counts of several threads or
//! shards add up to exactly what one would have measured.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// A distribution of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// From the intended moment of an operation.
    Response,
    /// From the moment of sending.
    Service,
    /// From a publish to its answer.
    Ack,
    /// From a publish to its delivery, in throughput.
    Delivery,
    /// From dialling to `connection_ack`.
    Connect,
    /// From a subscription to its acknowledgement.
    Subscribe,
    /// From the end of a subscription to its acknowledgement.
    Unsubscribe,
    /// How long at least an acknowledged subscription heard nothing.
    Silent,
    /// How much later than intended this process sent.
    Lag,
}

impl Metric {
    /// All, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Response,
        Self::Service,
        Self::Ack,
        Self::Delivery,
        Self::Connect,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Silent,
        Self::Lag,
    ];

    /// Its name in thresholds and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Service => "service",
            Self::Ack => "ack",
            Self::Delivery => "delivery",
            Self::Connect => "connect",
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Silent => "silent",
            Self::Lag => "lag",
        }
    }

    /// What it is, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Response => "from the moment the schedule intended, so waiting for a late generator or target counts",
            Self::Service => "from the moment of sending, so only what the target and the way took",
            Self::Ack => "from a publish to its answer",
            Self::Delivery => "from sending a publish to its delivery",
            Self::Connect => "from dialling to connection_ack, credentials and upgrade included",
            Self::Subscribe => "from asking for a subscription to its acknowledgement",
            Self::Unsubscribe => "from ending a subscription to the acknowledgement of that",
            Self::Silent => "how long at least a subscription heard nothing after its acknowledgement",
            Self::Lag => "how much later than intended the generator itself sent",
        }
    }
}

/// A histogram of nanoseconds.
#[derive(Clone, Debug)]
pub struct Times(Histogram<u64>);

impl PartialEq for Times {
    /// Whether both recorded the same; how much room they have for more does not matter.
    fn eq(&self, other: &Self) -> bool {
        let recorded = |times: &Self| -> Vec<(u64, u64)> {
            times.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect()
        };
        self.0.sigfig() == other.0.sigfig() && recorded(self) == recorded(other)
    }
}

impl Times {
    fn of_digits(digits: u8) -> Self {
        let mut histogram = Histogram::new(digits).expect("one to five digits are always taken");
        histogram.auto(true);
        Self(histogram)
    }

    /// Those of the crate.
    pub fn from_histogram(mut histogram: Histogram<u64>) -> Self {
        histogram.auto(true);
        Self(histogram)
    }

    /// For the crate.
    pub const fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }

    /// Takes a time in nanoseconds.
    pub fn note(&mut self, ns: u64) {
        // It grows up to a day, so there is nothing that cannot be recorded.
        let _ = self.0.record(ns.min(DAY));
    }

    /// Adds all of another.
    pub fn add(&mut self, other: &Self) {
        // It grows by itself, so there is nothing that cannot be added.
        let _ = self.0.add(&other.0);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// A statistic in nanoseconds; `None` of nothing.
    pub fn stat(&self, stat: Stat) -> Option<f64> {
        if self.0.is_empty() {
            return None;
        }
        Some(match stat {
            Stat::Min => self.0.min() as f64,
            Stat::Mean => self.0.mean(),
            Stat::Percentile(per_mille) => self.0.value_at_quantile(f64::from(per_mille) / 1000.0) as f64,
            Stat::Max => self.0.max() as f64,
        })
    }
}

/// One figure of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stat {
    /// The least.
    Min,
    /// The arithmetic mean.
    Mean,
    /// So many of a thousand are at most this.
    Percentile(u16),
    /// The most.
    Max,
}

impl Stat {
    /// All that have a name.
    pub const NAMED: [(&'static str, Self); 9] = [
        ("p50", Self::Percentile(500)),
        ("p75", Self::Percentile(750)),
        ("p90", Self::Percentile(900)),
        ("p95", Self::Percentile(950)),
        ("p99", Self::Percentile(990)),
        ("p99.9", Self::Percentile(999)),
        ("max", Self::Max),
        ("mean", Self::Mean),
        ("min", Self::Min),
    ];
}

macro_rules! counts {
    ($($name:ident: $about:literal,)*) => {
        /// What is counted.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Counts {
            $(#[doc = $about] pub $name: u64,)*
        }

        impl Counts {
            /// Names and what they mean, in the order of reports.
            pub const NAMED: &'static [(&'static str, &'static str)] = &[$((stringify!($name), $about),)*];

            /// By name.
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($name) => Some(self.$name),)*
                    _ => None,
                }
            }

            /// Adds all of another.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counts! {
    connected: "connections up to connection_ack, and of publishers over HTTP",
    failed: "connections that were not acknowledged",
    disconnects: "connections that the target ended",
    subscribed: "subscriptions acknowledged",
    refused: "subscriptions, their ends and publishes that the target refused",
    unanswered: "subscriptions, their ends and publishes without an answer in time",
    ended: "subscriptions that the target ended",
    published: "publishes that the target accepted",
    deliveries: "events delivered, each counted once for each subscriber",
    lost: "accepted events that an acknowledged subscriber did not get",
    duplicate: "events delivered again",
    reordered: "events delivered after a later one of the same publisher",
    late: "events delivered later than --late-after",
    misrouted: "events delivered to a subscription of another channel or of no known id",
    foreign: "events that this run did not publish",
    damaged: "events delivered with another body",
    undeliverable: "events of which the target itself said that it could not deliver them",
    deaf: "acknowledged subscriptions that heard no probe in time",
    unread: "messages that no client can read",
    unbegun: "operations that were due and had not begun when the run was over",
    cycles: "subscriptions made and ended (churn)",
    probes: "publishes before the measurement, to see that subscriptions hear",
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Operations begun: publishes, connections or subscriptions.
    pub begun: u64,
    /// Operations or deliveries completed.
    pub done: u64,
    /// Response times of what was completed.
    pub response: Times,
}

/// Everything measured by one thread, or by all.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What happened how often.
    pub counts: Counts,
    times: Vec<Times>,
    /// From the start, each as long as [`Measured::width_ns`].
    pub series: Vec<Bucket>,
    /// Length of a bucket.
    pub width_ns: u64,
}

/// Most buckets of a series.
const BUCKETS: u64 = 240;

/// Longer times count as this, in nanoseconds.
const DAY: u64 = 86_400_000_000_000;

/// Digits of the histograms of a series.
const SERIES_DIGITS: u8 = 2;

impl Measured {
    /// Nothing yet, of a run that is to last so long.
    pub fn new(duration_ns: u64) -> Self {
        let second = 1_000_000_000;
        let width_ns = duration_ns.div_ceil(BUCKETS).div_ceil(second).max(1) * second;
        Self {
            counts: Counts::default(),
            times: Metric::ALL.iter().map(|_| Times::of_digits(3)).collect(),
            series: Vec::new(),
            width_ns,
        }
    }

    /// The times of a metric.
    pub fn times(&self, metric: Metric) -> &Times {
        &self.times[metric as usize]
    }

    /// The times of a metric, to add to.
    pub fn times_mut(&mut self, metric: Metric) -> &mut Times {
        &mut self.times[metric as usize]
    }

    /// Takes a time.
    pub fn note(&mut self, metric: Metric, ns: u64) {
        self.times[metric as usize].note(ns);
    }

    /// Counts an operation begun so long after the start.
    pub fn begun(&mut self, after_ns: u64) {
        self.bucket(after_ns).begun += 1;
    }

    /// Counts an operation completed so long after the start.
    pub fn done(&mut self, after_ns: u64, response_ns: u64) {
        let bucket = self.bucket(after_ns);
        bucket.done += 1;
        bucket.response.note(response_ns);
    }

    /// The bucket of a moment. What comes after the end counts for the last one.
    pub fn bucket(&mut self, after_ns: u64) -> &mut Bucket {
        let at = usize::try_from((after_ns / self.width_ns).min(BUCKETS * 2)).unwrap_or(0);
        while self.series.len() <= at {
            self.series.push(Bucket { begun: 0, done: 0, response: Times::of_digits(SERIES_DIGITS) });
        }
        &mut self.series[at]
    }

    /// Adds all of another of the same run.
    pub fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        for (own, others) in self.times.iter_mut().zip(&other.times) {
            own.add(others);
        }
        for (place, others) in other.series.iter().enumerate() {
            let own = self.bucket(place as u64 * other.width_ns);
            own.begun += others.begun;
            own.done += others.done;
            own.response.add(&others.response);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_measured_adds_up_to_what_one_would_have_measured() {
        let (mut one, mut other, mut both) =
            (Measured::new(5_000_000_000), Measured::new(5_000_000_000), Measured::new(5_000_000_000));
        for n in 0..2000_u64 {
            let part = if n % 3 == 0 { &mut one } else { &mut other };
            for measured in [part, &mut both] {
                measured.note(Metric::Response, n * n * 1000);
                measured.done(n * 2_500_000, n * n * 1000);
                measured.counts.deliveries += 1;
            }
        }
        one.add(&other);

        assert_eq!(one, both);
        assert_eq!(one.series.len(), 5);
    }

    #[test]
    fn a_time_of_any_length_is_kept_to_a_thousandth() {
        for ns in [0, 1, 999, 12_345_678, 59_123_456_789, DAY, u64::MAX] {
            let mut measured = Measured::new(1);
            measured.note(Metric::Service, 1);
            measured.note(Metric::Service, ns);

            let (max, kept) = (measured.times(Metric::Service).stat(Stat::Max).unwrap(), ns.clamp(1, DAY) as f64);
            assert!((max - kept).abs() <= kept / 1000.0, "{max} of {kept}");
        }
    }

    #[test]
    fn a_long_run_has_wider_buckets_and_not_more_of_them() {
        let mut measured = Measured::new(24 * 3600 * 1_000_000_000);
        measured.done(24 * 3600 * 1_000_000_000 - 1, 1);

        assert_eq!((measured.width_ns, measured.series.len()), (360_000_000_000, 240));
    }

    #[test]
    fn every_count_has_a_name_that_finds_it_and_adds_up() {
        let mut counts = Counts { lost: 2, ..Counts::default() };
        counts.add(&Counts { lost: 3, probes: 1, ..Counts::default() });

        assert_eq!((counts.get("lost"), counts.get("probes"), counts.get("no-such")), (Some(5), Some(1), None));
        assert!(Counts::NAMED.iter().all(|(name, about)| counts.get(name).is_some() && !about.is_empty()));
    }
}
