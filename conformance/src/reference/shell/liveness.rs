//! Which clients are still there: sockets that stay silent are asked, and dropped if they never answer.
//!
//! A client whose machine went to sleep or lost its network leaves a half-open socket, to which TCP notices nothing
//! while the server has nothing to say. A subscriber that is alive may be silent for hours too, so silence alone proves
//! nothing: it is asked with a ping, which every WebSocket library answers by itself.
//!
//! ```text
//!   heard ──after──> ping 1 ──after──> ping 2 ──after──> ping 3 ──after──> dropped and counted
//!     ^                │                 │                 │
//!     └──── anything the client sends, a pong above all ───┘
//! ```
//!
//! One timer looks at all connections, a few times in each `after`. So nothing is dropped before `4 × after` of silence
//! and nothing stays much longer, and a connection pays with a moment and a count.

use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::moment::Moment;
use appsync_protocol::wire::OwnedFrame;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::Service;
use super::hub::Hub;

/// Pings that may stay unanswered.
const PINGS: u8 = 3;

/// How often the timer looks, in each silence that is asked about.
const LOOKS: u32 = 4;

/// The shortest pause of the timer.
const LOOK_MIN: Duration = Duration::from_millis(1);

/// When a client was heard or asked last, and how often it was asked without an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Liveness {
    since: Moment,
    pings: u8,
}

/// What a silence calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing yet.
    Nothing,
    /// A ping.
    Ping,
    /// The end: no ping was answered.
    Drop,
}

impl Liveness {
    /// A client that was heard now.
    pub(super) const fn at(heard: Moment) -> Self {
        Self { since: heard, pings: 0 }
    }

    /// The client sent something.
    pub(super) const fn hear(&mut self, at: Moment) {
        *self = Self::at(at);
    }

    /// What is to be done now; a ping counts as sent.
    pub(super) fn look(&mut self, at: Moment, after: Duration) -> Due {
        if at.since(self.since) < after {
            return Due::Nothing;
        }
        if self.pings == PINGS {
            return Due::Drop;
        }
        // From now, not from when it was due: a timer that was late must not take the time to answer away.
        *self = Self { since: at, pings: self.pings + 1 };
        Due::Ping
    }
}

/// The frame that asks.
pub(super) const fn ping() -> OwnedFrame {
    OwnedFrame::Ping(Vec::new())
}

/// Asks silent clients, for ever. Zero turns it off.
pub(super) async fn keep_asking<S: Service>(hub: Arc<Hub<S>>, after: Duration) {
    if after.is_zero() {
        return;
    }
    let pause = (after / LOOKS).max(LOOK_MIN);
    let mut looks = interval_at(Instant::now() + pause, pause);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        hub.ask_silent(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Moment {
        Moment::START + Duration::from_secs(seconds)
    }

    #[test]
    fn a_client_that_never_answers_is_asked_three_times_and_dropped() {
        let mut liveness = Liveness::at(Moment::START);

        let seen: Vec<_> = (0..=250)
            .map(|second| (second, liveness.look(at(second), AFTER)))
            .filter(|(_, due)| *due != Due::Nothing)
            .collect();

        assert_eq!(seen[..4], [(60, Due::Ping), (120, Due::Ping), (180, Due::Ping), (240, Due::Drop)]);
    }

    #[test]
    fn a_client_that_answers_is_never_dropped() {
        let mut liveness = Liveness::at(Moment::START);

        for second in 0..24 * 60 * 60 {
            match liveness.look(at(second), AFTER) {
                Due::Nothing => {}
                Due::Ping => liveness.hear(at(second + 30)),
                Due::Drop => panic!("dropped at {second} s"),
            }
        }
    }

    #[test]
    fn a_client_that_speaks_is_not_asked() {
        let mut liveness = Liveness::at(Moment::START);

        for second in (0..10_000).step_by(59) {
            assert_eq!(liveness.look(at(second), AFTER), Due::Nothing);
            liveness.hear(at(second));
        }
    }

    #[test]
    fn a_timer_that_was_late_asks_before_it_drops() {
        let mut liveness = Liveness::at(Moment::START);

        // The process was stopped for a day: the client could not know that it was asked.
        let dues: Vec<_> = (0..5).map(|look| liveness.look(at(86_400 + look), AFTER)).collect();

        assert_eq!(dues, [Due::Ping, Due::Nothing, Due::Nothing, Due::Nothing, Due::Nothing]);
    }
}
