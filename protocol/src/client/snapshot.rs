//! What a client looks like from outside at one moment, for panels and logs.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::event::FailReason;
use crate::moment::Moment;

/// The states of a client, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The connection.
    pub connection: ConnectionState,
    /// The subscriptions that are not over, by id.
    pub subscriptions: Vec<(String, SubscriptionState)>,
}

/// Where a client stands. The diagram in [`super`] shows the ways between these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// Nothing is connected and nobody asked for it.
    Idle,
    /// The owner owes the credentials for the upgrade.
    AwaitingCredential,
    /// The shell is dialling. It bounds the time itself.
    Dialling,
    /// `connection_init` is out.
    Greeting {
        /// Since when.
        since: Moment,
    },
    /// The server has acknowledged.
    Connected {
        /// Longest silence that is accepted.
        silence_limit: Duration,
        /// Last sign of life: the acknowledgement or a keep-alive.
        heard: Moment,
    },
    /// The owner has asked for the end; answers are waited for.
    Draining {
        /// When waiting ends.
        until: Moment,
        /// The close frame is out.
        closing: bool,
    },
    /// Between two attempts.
    Backoff {
        /// When the next one begins.
        until: Moment,
        /// Failures in a row so far, at least 1.
        attempt: u32,
    },
    /// No further attempt until the owner asks for one.
    Failed {
        /// Why.
        reason: FailReason,
    },
}

impl ConnectionState {
    /// Whether frames can come and go.
    pub const fn is_up(&self) -> bool {
        match self {
            Self::Greeting { .. } | Self::Connected { .. } | Self::Draining { .. } => true,
            Self::Idle | Self::AwaitingCredential | Self::Dialling | Self::Backoff { .. } | Self::Failed { .. } => {
                false
            }
        }
    }
}

/// Where a subscription stands that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// It waits for the connection.
    Pending,
    /// The owner owes its credentials.
    AwaitingCredential,
    /// It has been asked for.
    Asked,
    /// It has been granted.
    Live,
    /// The owner has asked for its end.
    Leaving,
}

impl fmt::Display for Snapshot {
    /// One line for the connection and one for each subscription.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.connection)?;
        for (id, state) in &self.subscriptions {
            write!(f, "\n{id:?} {state}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("idle"),
            Self::AwaitingCredential => f.write_str("waiting for credentials"),
            Self::Dialling => f.write_str("dialling"),
            Self::Greeting { since } => write!(f, "waiting for connection_ack since {since}"),
            Self::Connected { silence_limit, heard } => {
                write!(f, "connected, heard at {heard}, silence limit {} ms", silence_limit.as_millis())
            }
            Self::Draining { until, closing: false } => write!(f, "draining until {until}"),
            Self::Draining { until, closing: true } => write!(f, "closing until {until}"),
            Self::Backoff { until, attempt } => write!(f, "pausing until {until} after {attempt} failed"),
            Self::Failed { reason } => write!(f, "failed: {reason}"),
        }
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "waiting for the connection",
            Self::AwaitingCredential => "waiting for credentials",
            Self::Asked => "asked",
            Self::Live => "live",
            Self::Leaving => "leaving",
        })
    }
}
