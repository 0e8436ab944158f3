//! What a run is to do: all numbers of it, checked before anything is dialled.
//!
//! A plan is for the whole run, however many shards carry it out. A shard takes its part by the number: connection `k`
//! and publisher `k` belong to shard `k mod n`. So the parts are disjoint and complete, and no shard has to know the
//! others.

use std::fmt;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;

use super::payload::Sizes;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Publishers to subscribers: how long an event takes, and whether it comes.
    Fanout,
    /// As many publishes as the target answers.
    Throughput,
    /// Many connections at once, each up to its acknowledgement.
    Connect,
    /// Subscriptions that come and go.
    Churn,
    /// Fan-out for long, at a low rate.
    Soak,
}

impl Mode {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 5] = [Self::Fanout, Self::Throughput, Self::Connect, Self::Churn, Self::Soak];

    /// Its name on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fanout => "fanout",
            Self::Throughput => "throughput",
            Self::Connect => "connect",
            Self::Churn => "churn",
            Self::Soak => "soak",
        }
    }

    /// What one operation is, whose response and service time are measured.
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Fanout | Self::Soak => "publish to delivery",
            Self::Throughput => "publish to its answer",
            Self::Connect => "dial to connection_ack",
            Self::Churn => "subscribe to its acknowledgement",
        }
    }

    /// Whether events are published.
    pub const fn publishes(self) -> bool {
        match self {
            Self::Fanout | Self::Throughput | Self::Soak => true,
            Self::Connect | Self::Churn => false,
        }
    }
}

/// When the next operation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// By a schedule that is fixed in advance.
    Open,
    /// When one of so many under way is answered, for each publisher or connection.
    Closed {
        /// Operations under way at the same time.
        window: u32,
    },
}

/// Which part of a run this process carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u64,
    /// How many there are.
    pub count: u64,
}

impl Shard {
    /// The whole.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// `2/5`: the second of five.
    ///
    /// # Errors
    /// Tells what was expected and what was given.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected I/N with I from 1 to N, such as 2/5; got {text:?}");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        match (index.parse::<u64>(), count.parse::<u64>()) {
            (Ok(index), Ok(count)) if (1..=count).contains(&index) && count <= 10_000 => {
                Ok(Self { index: index - 1, count })
            }
            (Ok(_) | Err(_), Ok(_) | Err(_)) => Err(wrong()),
        }
    }

    /// Those of `0..all` that belong to it.
    pub fn part(self, all: u64) -> impl Iterator<Item = u64> {
        (self.index..all).step_by(usize::try_from(self.count).unwrap_or(usize::MAX))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

/// All numbers of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is measured.
    pub mode: Mode,
    /// What is spoken.
    pub dialect: Dialect,
    /// Subscriptions, or connections in [`Mode::Connect`].
    pub subscribers: u64,
    /// Subscriptions on one connection.
    pub per_connection: u64,
    /// Channels over which subscribers and events are spread.
    pub channels: u64,
    /// Who publishes.
    pub publishers: u64,
    /// Operations a second, of all shards together.
    pub rate: f64,
    /// Open or closed loop.
    pub pace: Pace,
    /// Sizes of events.
    pub sizes: Sizes,
    /// How long is measured.
    pub duration: Duration,
    /// How long the rate rises, as a part of the duration.
    pub ramp: Duration,
    /// Names, sizes and pauses come from it.
    pub seed: u64,
    /// Which part this is.
    pub shard: Shard,
    /// When measuring starts, in nanoseconds since 1970; as soon as all is ready without it.
    pub start_at: Option<u64>,
    /// A delivery that takes longer counts as late.
    pub late_after: Duration,
    /// For one answer.
    pub patience: Duration,
    /// For all connections and subscriptions, and for each of them to hear a first event.
    pub setup: Duration,
    /// How long is waited for what is under way when the time is over.
    pub drain: Duration,
    /// Handshakes at the same time while a run is set up.
    pub at_once: usize,
    /// Threads with subscribers.
    pub threads: usize,
    /// HTTP requests of one publisher at the same time (GraphQL).
    pub lanes: usize,
    /// Messages that may be sent, publishes and subscriptions.
    pub max_messages: u64,
}

/// What cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError(String);

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PlanError {}

/// Most channels and publishers: their numbers have four digits in a mark.
const NUMBERED_MAX: u64 = 0xffff;

/// Subscriptions that one connection may have. Source: GQL-LIMIT-002, EVT-LIMIT-004.
const PER_CONNECTION_MAX: u64 = 200;

impl Plan {
    /// Connections that this shard opens and keeps, publishers included.
    pub fn connections(&self) -> u64 {
        let publishers = match (self.mode.publishes(), self.dialect) {
            (true, Dialect::Events) => self.shard.part(self.publishers).count() as u64,
            (true, Dialect::Graphql) => self.shard.part(self.publishers).count() as u64 * self.lanes as u64,
            (false, Dialect::Events | Dialect::Graphql) => 0,
        };
        self.subscriber_connections().count() as u64 + publishers
    }

    /// The connections of subscribers that belong to this shard, by number.
    pub fn subscriber_connections(&self) -> impl Iterator<Item = u64> {
        self.shard.part(self.subscribers.div_ceil(self.per_connection))
    }

    /// The subscribers on a connection.
    pub fn subscribers_on(&self, connection: u64) -> std::ops::Range<u64> {
        let first = connection * self.per_connection;
        first..(first + self.per_connection).min(self.subscribers)
    }

    /// The channel of a subscriber.
    pub const fn channel_of(&self, subscriber: u64) -> u64 {
        subscriber % self.channels
    }

    /// Whether this shard tries its subscriptions before it measures.
    pub fn probes(&self) -> bool {
        self.mode.publishes() && self.subscribers > 0 && self.shard.part(self.publishers).next().is_some()
    }

    /// Messages that the whole run sends at least, and deliveries that it asks for; nothing is known of a closed loop.
    pub fn forecast(&self) -> Option<(u64, u64)> {
        let operations = match self.pace {
            Pace::Closed { .. } => return None,
            Pace::Open => super::schedule::Schedule::of(self, 0, 1).due(self.duration.as_nanos() as u64),
        };
        Some(match self.mode {
            Mode::Fanout | Mode::Soak | Mode::Throughput => {
                let each = self.subscribers as f64 / self.channels as f64;
                (operations + self.subscribers, (operations as f64 * each) as u64)
            }
            Mode::Connect => (operations.min(self.subscribers), 0),
            Mode::Churn => (operations * 2, 0),
        })
    }

    /// Looks for what cannot be carried out.
    ///
    /// # Errors
    /// The first contradiction, in words.
    pub fn check(&self) -> Result<(), PlanError> {
        let mut wrong = Vec::new();
        let mut need = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        need(self.rate > 0.0 && self.rate <= 10e6, "--rate: expected more than 0 and at most 10,000,000 a second");
        need((1..=NUMBERED_MAX).contains(&self.channels), "--channels: expected 1 to 65,535");
        need(self.publishers <= NUMBERED_MAX, "--publishers: expected at most 65,535");
        need(!self.mode.publishes() || self.publishers > 0, "--publishers: expected at least 1 in this mode");
        need(
            (1..=PER_CONNECTION_MAX).contains(&self.per_connection),
            "--per-connection: expected 1 to 200, the most that AppSync allows on one connection",
        );
        need(
            self.subscribers > 0 || self.mode == Mode::Throughput,
            "--subscribers: expected at least 1; only throughput works without any",
        );
        need(!self.duration.is_zero(), "--duration: expected more than 0");
        need(self.ramp <= self.duration, "--ramp: expected at most --duration");
        need(!matches!(self.pace, Pace::Closed { window: 0 }), "--window: expected at least 1");
        need(
            self.mode != Mode::Connect || self.per_connection == 1,
            "--per-connection: connect opens connections without subscriptions",
        );
        need(
            self.channels <= self.subscribers || self.subscribers == 0 || !self.mode.publishes(),
            "--channels: more channels than --subscribers; events to the others would reach nobody",
        );
        need(self.shard.count == 1 || self.start_at.is_some(), "--shard: needs --start-at, the same for all shards");
        match wrong.into_iter().next() {
            Some(first) => Err(PlanError(first)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn plan(mode: Mode) -> Plan {
        Plan {
            mode,
            dialect: Dialect::Events,
            subscribers: 10,
            per_connection: 1,
            channels: 1,
            publishers: 1,
            rate: 100.0,
            pace: Pace::Open,
            sizes: Sizes::parse("150").unwrap(),
            duration: Duration::from_secs(1),
            ramp: Duration::ZERO,
            seed: 7,
            shard: Shard::WHOLE,
            start_at: None,
            late_after: Duration::from_secs(30),
            patience: Duration::from_secs(10),
            setup: Duration::from_secs(30),
            drain: Duration::from_secs(5),
            at_once: 16,
            threads: 1,
            lanes: 4,
            max_messages: 1_000_000,
        }
    }

    #[test]
    fn the_parts_of_all_shards_are_the_whole_and_disjoint() {
        for count in 1..8 {
            let mut all: Vec<u64> = (0..count).flat_map(|index| Shard { index, count }.part(23)).collect();
            all.sort_unstable();

            assert_eq!(all, (0..23).collect::<Vec<_>>(), "{count} shards");
        }
    }

    #[test]
    fn a_shard_is_read_from_1_and_shown_so() {
        assert_eq!(Shard::parse("2/5").map(|shard| shard.to_string()), Ok("2/5".into()));
        for wrong in ["0/5", "6/5", "1", "a/b", "1/0", "-1/2", "1/10001"] {
            assert!(Shard::parse(wrong).is_err_and(|error| error.contains(wrong)), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_carried_out_is_named_by_its_option() {
        let good = plan(Mode::Fanout);
        let with = |change: fn(&mut Plan)| {
            let mut plan = good.clone();
            change(&mut plan);
            plan.check().map_err(|error| error.to_string())
        };

        assert_eq!(good.check(), Ok(()));
        for (change, option) in [
            ((|plan| plan.rate = 0.0) as fn(&mut Plan), "--rate"),
            (|plan| plan.channels = 11, "--channels"),
            (|plan| plan.per_connection = 201, "--per-connection"),
            (|plan| plan.subscribers = 0, "--subscribers"),
            (|plan| plan.publishers = 0, "--publishers"),
            (|plan| plan.ramp = Duration::from_secs(2), "--ramp"),
            (|plan| plan.pace = Pace::Closed { window: 0 }, "--window"),
            (|plan| plan.shard = Shard { index: 0, count: 2 }, "--shard"),
        ] {
            assert!(with(change).is_err_and(|error| error.starts_with(option)), "{option}");
        }
    }

    #[test]
    fn connections_are_those_of_this_shard_and_subscribers_share_them() {
        let mut plan = plan(Mode::Fanout);
        plan.subscribers = 25;
        plan.per_connection = 10;
        plan.shard = Shard { index: 0, count: 2 };

        assert_eq!(plan.connections(), 2 + 1);
        assert_eq!(plan.subscribers_on(2), 20..25);
    }
}
