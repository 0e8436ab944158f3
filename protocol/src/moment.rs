//! Time as the model sees it: a number that comes in from outside.
//!
//! Nothing here reads a clock. A shell turns its own clock into [`Moment`]s with one line, a recording
//! brings them along, and the virtual world makes them up.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// Microseconds since the start of the trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The start of the trace.
    pub const START: Self = Self(0);

    /// The moment `micros` microseconds after the start.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The moment `millis` milliseconds after the start.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the start.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the start.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1000
    }

    /// How long after `earlier` this is; zero if it is not later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    /// Saturates: a moment beyond the end of time is the end of time.
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl From<Duration> for Moment {
    fn from(since_start: Duration) -> Self {
        Self::START + since_start
    }
}

impl fmt::Display for Moment {
    /// Seconds with three decimals: `0.412s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1_000_000, self.0 / 1000 % 1000)
    }
}

/// The next instant at which silence itself means something, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// When it is due.
    pub at: Moment,
    /// What it means if nothing happens until then.
    pub why: Timer,
}

impl Deadline {
    /// The earlier of two deadlines that may not exist.
    pub fn earlier(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

/// Why somebody wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The wait for `connection_ack` is over.
    Ack,
    /// The wait for the answer to a subscribe, unsubscribe or publish is over.
    Answer,
    /// A keep-alive is due to be sent.
    KeepAlive,
    /// The longest silence that `connection_ack` allows is over.
    Silence,
    /// The pause before the next attempt to connect is over.
    Backoff,
    /// The connection has reached its longest permitted life.
    Lifetime,
    /// The time given to finish before closing is over.
    Drain,
    /// A message held back is due.
    Delivery,
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ack => "wait for connection_ack",
            Self::Answer => "wait for an answer",
            Self::KeepAlive => "keep-alive due",
            Self::Silence => "longest silence",
            Self::Backoff => "pause before reconnecting",
            Self::Lifetime => "end of the connection's life",
            Self::Drain => "drain before closing",
            Self::Delivery => "delivery due",
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_moment_prints_as_seconds_with_milliseconds() {
        assert_eq!(Moment::from_micros(412_900).to_string(), "0.412s");
        assert_eq!(Moment::from_millis(61_007).to_string(), "61.007s");
    }

    #[test]
    fn time_does_not_overflow() {
        let end = Moment::from_micros(u64::MAX);

        assert_eq!(end + Duration::from_secs(1), end);
        assert_eq!(Moment::START - end, Duration::ZERO);
    }

    #[test]
    fn the_earlier_deadline_wins_and_a_missing_one_never_does() {
        let soon = Deadline { at: Moment::from_millis(1), why: Timer::Ack };
        let late = Deadline { at: Moment::from_millis(2), why: Timer::Silence };

        assert_eq!(Deadline::earlier(Some(late), Some(soon)), Some(soon));
        assert_eq!(Deadline::earlier(None, Some(late)), Some(late));
        assert_eq!(Deadline::earlier(None, None), None);
    }
}
