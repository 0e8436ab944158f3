//! What the owner of a client decides once: the dialect, the patience, the names.

use alloc::string::String;
use core::time::Duration;

use super::backoff::BackoffPolicy;
use crate::dialect::Dialect;

/// Everything a client is told before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// Which protocol is spoken.
    pub dialect: Dialect,
    /// How long the client waits for what.
    pub timers: ClientTimers,
    /// When it dials again after a loss.
    pub backoff: BackoffPolicy,
    /// Under which ids it subscribes again.
    pub ids: ResubscribeIds,
}

impl ClientConfig {
    /// The defaults.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            timers: ClientTimers::default(),
            backoff: BackoffPolicy::default(),
            ids: ResubscribeIds::default(),
        }
    }
}

/// How long a client waits. None of these travels on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientTimers {
    /// From `connection_init` to `connection_ack`. 15 s, as the vendor's JavaScript client has it.
    ///
    /// Source: GQL-INIT-009 (5 to 30 s among known clients), EVT-INIT-009.
    pub ack: Duration,
    /// From a subscribe, unsubscribe or publish to its answer. 15 s, as the vendor's JavaScript client has it.
    ///
    /// Source: GQL-SUB-010 (5 to 30 s among known clients), EVT-SUB-026.
    pub answer: Duration,
    /// Longest silence where `connection_ack` names none. 300 s.
    ///
    /// Source: GQL-INIT-010, EVT-KA-009.
    pub silence_fallback: Duration,
    /// From `close` to the end of the connection, answers and closing handshake included. 5 s.
    ///
    /// Source: GQL-CLOSE-010 and EVT-CLOSE-001 ask to let operations finish; the bound is this client's own.
    pub drain: Duration,
}

impl Default for ClientTimers {
    fn default() -> Self {
        Self {
            ack: Duration::from_secs(15),
            answer: Duration::from_secs(15),
            silence_fallback: Duration::from_secs(300),
            drain: Duration::from_secs(5),
        }
    }
}

/// Under which ids subscriptions are asked for again on a new connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ResubscribeIds {
    /// The same ones: ids are unique on one connection only. Source: GQL-SUB-039, GQL-CLOSE-007, EVT-CLOSE-010.
    #[default]
    Same,
    /// `prefix` and a number that counts up from 1. Each change is announced by an event.
    Fresh {
        /// What the ids begin with.
        prefix: String,
    },
}
