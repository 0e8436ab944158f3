//! What a run may use, and how fast: the guards of a target that is not one's own to load.
//!
//! A guard that is reached ends the run: nothing more is sent, what has not been judged is inconclusive, and no case
//! fails for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep_until};

use crate::player::Outcome;

/// What the whole run may use and has used.
pub struct Budget {
    connections_max: u64,
    messages_max: u64,
    connections: AtomicU64,
    messages: AtomicU64,
    slowest_delivery_us: AtomicU64,
    reached: watch::Sender<Option<String>>,
    gap: Option<Duration>,
    /// Of all HTTP requests together: each is a connection of its own.
    pub(super) http_pace: Pace,
}

/// Publishes a second on one connection of a target that is not on this machine, unless another number is given.
pub const POLITE_RATE: u32 = 20;

impl Budget {
    /// A budget of which nothing is used. `rate`: publishes a second on one connection, or any number.
    pub fn new(connections_max: u64, messages_max: u64, rate: Option<u32>) -> Self {
        let gap = rate.map(|rate| Duration::from_secs(1) / rate.max(1));
        Self {
            connections_max,
            messages_max,
            connections: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            slowest_delivery_us: AtomicU64::new(0),
            reached: watch::Sender::new(None),
            gap,
            http_pace: Pace::new(gap),
        }
    }

    /// Connections and HTTP requests so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed).min(self.connections_max)
    }

    /// Messages so far.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed).min(self.messages_max)
    }

    /// The guard that is reached, if any is.
    #[cfg(feature = "endpoint")]
    pub(super) fn reached(&self) -> Option<String> {
        self.reached.borrow().clone()
    }

    /// Waits until a guard is reached, and says which.
    pub(super) async fn until_reached(&self) -> String {
        let mut reached = self.reached.subscribe();
        match reached.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            // The sender lives as long as the budget.
            Err(_) => std::future::pending().await,
        }
    }

    /// max(100 ms, 3 times the slowest delivery of the run), at most 5 s.
    pub fn quiet_window(&self) -> Duration {
        let slowest = Duration::from_micros(self.slowest_delivery_us.load(Ordering::Relaxed));
        (slowest * 3).clamp(Duration::from_millis(100), Duration::from_secs(5))
    }

    /// Takes one connection or HTTP request.
    pub(super) fn connects(&self) -> Result<(), String> {
        self.take(&self.connections, self.connections_max, "connections and HTTP requests (--max-connections)")
    }

    /// Takes one message.
    pub(super) fn sends(&self) -> Result<(), String> {
        self.take(&self.messages, self.messages_max, "messages (--max-messages)")
    }

    fn take(&self, used: &AtomicU64, most: u64, what: &str) -> Result<(), String> {
        if used.fetch_add(1, Ordering::Relaxed) < most {
            return Ok(());
        }
        let why = format!("the guard of {most} {what} is reached");
        self.reached.send_if_modified(|reached| reached.is_none().then(|| *reached = Some(why.clone())).is_some());
        Err(why)
    }

    pub(super) fn note_deliveries(&self, outcome: &Outcome) {
        for took in &outcome.deliveries {
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.slowest_delivery_us.fetch_max(micros, Ordering::Relaxed);
        }
    }

    /// A pace for one connection.
    pub(super) fn pace(&self) -> Pace {
        Pace::new(self.gap)
    }
}

/// Hands out turns that are a gap apart.
pub(super) struct Pace {
    gap: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    fn new(gap: Option<Duration>) -> Self {
        Self { gap, next: Mutex::new(None) }
    }

    /// Waits for the next turn. At once where there is no gap to keep.
    pub(super) async fn turn(&self) {
        let Some(gap) = self.gap else { return };
        let at = {
            let mut next = self.next.lock().await;
            let at = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
            *next = Some(at + gap);
            at
        };
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_are_a_gap_apart_and_a_pause_saves_none_up() {
        let budget = Budget::new(1, 1, Some(POLITE_RATE));
        let (pace, start) = (budget.pace(), Instant::now());

        let mut at = Vec::new();
        for _ in 0..3 {
            pace.turn().await;
            at.push(start.elapsed().as_millis());
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..2 {
            pace.turn().await;
            at.push(start.elapsed().as_millis());
        }

        assert_eq!(at, [0, 50, 100, 1100, 1150]);
    }

    #[tokio::test]
    async fn a_guard_that_is_reached_is_told_once_and_nothing_more_is_taken() {
        let budget = Budget::new(1, 5, None);

        assert!(budget.connects().is_ok());
        let refused = budget.connects().unwrap_err();

        assert_eq!(refused, "the guard of 1 connections and HTTP requests (--max-connections) is reached");
        assert_eq!(budget.until_reached().await, refused);
        assert_eq!((budget.connections(), budget.messages()), (1, 0));
    }
}
