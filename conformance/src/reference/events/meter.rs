//! How often things happen, for rates that are limited.
//!
//! A window of a second starts with the first request in it. What is beyond the rate is refused, which the service may
//! do as well as delay or drop it (EVT-LIMIT-017, EVT-PUB-024); the words are those of its clients (EVT-A-26).

use std::collections::BTreeMap;
use std::time::Duration;

use appsync_protocol::envelope::elements;
use appsync_protocol::hub::ConnectionId;
use appsync_protocol::moment::Moment;
use appsync_protocol::server::{Asked, Refusal};

use super::Rates;

/// Counts requests of one API.
#[derive(Debug, Default)]
pub struct Meter {
    requests: Window,
    events: Window,
    publishes: BTreeMap<ConnectionId, Window>,
}

/// A second, and how much happened in it.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    start: Moment,
    count: u64,
}

const SECOND: Duration = Duration::from_secs(1);

/// Connections that are counted before those of earlier seconds are forgotten.
const CONNECTIONS_KEPT: usize = 1024;

impl Meter {
    /// Counts a request, unless it is beyond a rate. `from` is its connection, if it has one.
    ///
    /// # Errors
    /// The refusal that the client is to see.
    pub fn admit(
        &mut self,
        rates: &Rates,
        at: Moment,
        from: Option<ConnectionId>,
        asked: Asked<'_>,
    ) -> Result<(), Refusal> {
        let (is_publish, events) = match asked {
            Asked::Start { .. } => return Ok(()),
            Asked::Subscribe { .. } => (false, 0),
            Asked::Publish { events, .. } => (true, elements(events).len() as u64),
        };
        self.requests.admit(at, 1, rates.requests, "requests")?;
        self.events.admit(at, events, rates.events, "events")?;
        let (Some(from), true, Some(_)) = (from, is_publish, rates.publishes_per_connection) else { return Ok(()) };
        if self.publishes.len() >= CONNECTIONS_KEPT {
            self.publishes.retain(|_, window| at.since(window.start) < SECOND);
        }
        self.publishes.entry(from).or_default().admit(at, 1, rates.publishes_per_connection, "publishes")
    }
}

impl Window {
    fn admit(&mut self, at: Moment, more: u64, most: Option<u32>, what: &str) -> Result<(), Refusal> {
        let Some(most) = most else { return Ok(()) };
        if at.since(self.start) >= SECOND {
            *self = Self { start: at, count: 0 };
        }
        if self.count + more > u64::from(most) {
            let message = format!("Rate of {most} {what} per second exceeded");
            return Err(Refusal::new("LimitExceededError", message));
        }
        self.count += more;
        Ok(())
    }
}
