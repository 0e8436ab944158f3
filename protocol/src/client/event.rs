//! What a client tells its owner.
//!
//! Bodies and error texts may hold credentials, so `Debug` shows ids, kinds and sizes only.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::finding::{Finding, UsageError};
use crate::message::{ErrorEntry, Operation};
use crate::moment::Moment;

/// Something that happened.
#[derive(Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// Credentials are needed; [`super::Client::supply`] answers.
    Needs(CredentialRequest),
    /// The server has acknowledged.
    Connected {
        /// Longest silence that is accepted from now on.
        silence_limit: Duration,
    },
    /// The server has granted a subscription.
    Subscribed {
        /// The subscription.
        id: String,
    },
    /// The server has refused a subscription. It is over.
    Refused {
        /// The subscription.
        id: String,
        /// What it said.
        errors: Vec<ErrorEntry>,
    },
    /// One event for a subscription.
    Data {
        /// The subscription.
        id: String,
        /// JSON text of `payload` (GraphQL, `errors` included: GQL-SUB-037) or `event` (Events), as it came.
        body: String,
    },
    /// One event could not be delivered; the subscription goes on. Source: EVT-DATA-013.
    BroadcastFailed {
        /// The subscription.
        id: String,
        /// What the server said.
        errors: Vec<ErrorEntry>,
    },
    /// The server has answered a publish, entry by entry.
    Published {
        /// The request.
        id: String,
        /// JSON text of the accepted entries, as it came.
        successful: Option<String>,
        /// JSON text of the refused entries, as it came.
        failed: Option<String>,
    },
    /// The server has refused a publish as a whole.
    PublishRefused {
        /// The request.
        id: String,
        /// What it said.
        errors: Vec<ErrorEntry>,
    },
    /// A subscription is over.
    Ended {
        /// The subscription.
        id: String,
        /// Why.
        ending: Ending,
    },
    /// The connection went away under an operation: a subscription is asked for again, a publish is not (EVT-CLOSE-006).
    Interrupted {
        /// The operation.
        id: String,
        /// Subscribe or publish.
        operation: Operation,
    },
    /// No answer came in time. An unanswered subscribe is followed by an unsubscribe; the others are forgotten.
    TimedOut {
        /// The operation.
        id: String,
        /// What was not answered.
        operation: Operation,
    },
    /// A subscription goes on under another id.
    Renamed {
        /// Its id until now.
        from: String,
        /// Its id from now on.
        to: String,
    },
    /// An error that ends nothing: without an id, or with one that waits for no answer. Source: GQL-ERR-004.
    Reported {
        /// The id it names.
        id: Option<String>,
        /// What the server said.
        errors: Vec<ErrorEntry>,
    },
    /// The connection, or the attempt to make one, came to an end that nobody asked for.
    Lost {
        /// Why.
        loss: Loss,
        /// When the next attempt begins; `None` if there is none.
        retry_at: Option<Moment>,
    },
    /// There will be no further attempt until the owner asks for one. Every subscription is over.
    Failed {
        /// Why.
        reason: FailReason,
    },
    /// The connection has ended because the owner closed it.
    Closed {
        /// Everything was answered, the closing handshake included, before time ran out.
        clean: bool,
    },
    /// Somebody broke a rule, perhaps this client.
    Finding(Finding),
}

/// What is to be authorised, and the exact text that a signature has to cover.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialRequest {
    /// What for.
    pub purpose: Purpose,
    /// Text to be signed: `{}`, the GraphQL request, or the channel and events as compact JSON.
    ///
    /// Source: GQL-AUTH-007, GQL-AUTH-008, EVT-AUTH-006 to EVT-AUTH-008.
    pub body: String,
}

/// What credentials are for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The upgrade.
    Connect,
    /// A subscription.
    Subscribe {
        /// Its id.
        id: String,
    },
    /// A publish.
    Publish {
        /// Its id.
        id: String,
    },
}

/// Why a subscription is over.
#[derive(Clone, PartialEq, Eq)]
pub enum Ending {
    /// The owner asked for it.
    Asked,
    /// The server ended it, with these errors if it was an error. Source: GQL-ERR-015, GQL-SUB-036.
    ByServer {
        /// What the server said.
        errors: Vec<ErrorEntry>,
    },
    /// There is no connection and no further attempt to make one. Source: GQL-INIT-014.
    ConnectionFailed,
    /// It could not be asked for on this connection.
    NotSendable(UsageError),
}

/// Why a connection, or an attempt to make one, is over.
#[derive(Clone, PartialEq, Eq)]
pub enum Loss {
    /// The upgrade did not succeed.
    Dial(DialFailure),
    /// `connection_error`, or an `error` without id in its place.
    Rejected {
        /// What the server said.
        errors: Vec<ErrorEntry>,
    },
    /// No `connection_ack` in time.
    AckTimeout,
    /// No sign of life in time. Source: GQL-KA-005, EVT-KA-003.
    Silence,
    /// The server sent a close frame. Its code says nothing reliable (GQL-CLOSE-002, EVT-CLOSE-004).
    Closed {
        /// Status code, if there was one.
        code: Option<u16>,
    },
    /// The transport ended without a close frame.
    Transport,
}

/// Why an upgrade did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialFailure {
    /// Name resolution, TCP or TLS, or a dial that took too long.
    Network,
    /// An HTTP answer other than 101.
    Refused {
        /// Its status.
        status: u16,
    },
    /// 101 without the subprotocol that was offered.
    NoSubprotocol,
}

/// Why there is no further attempt.
#[derive(Clone, PartialEq, Eq)]
pub enum FailReason {
    /// The server refused in a way that another attempt cannot change. Source: GQL-ERR-017, EVT-ERR-013.
    Rejected {
        /// What it said.
        errors: Vec<ErrorEntry>,
    },
    /// The upgrade failed in a way that another attempt cannot change.
    Dial(DialFailure),
    /// As many failures in a row as the policy allows.
    AttemptsExhausted,
}

impl Loss {
    /// The reason not to try again; `None` if it is worth another attempt.
    ///
    /// Codes 400, 401 and 403 and the types `BadRequestException` and `UnauthorizedException` are final.
    /// Source: GQL-ERR-017, GQL-ERR-018, EVT-ERR-013.
    pub(super) fn final_reason(&self) -> Option<FailReason> {
        let is_final = |error: &ErrorEntry| {
            matches!(error.code, Some(400 | 401 | 403))
                || matches!(error.short_type(), Some("BadRequestException" | "UnauthorizedException"))
        };
        match self {
            Self::Rejected { errors } if errors.iter().any(is_final) => {
                Some(FailReason::Rejected { errors: errors.clone() })
            }
            Self::Dial(failure @ (DialFailure::Refused { status: 400 | 401 | 403 } | DialFailure::NoSubprotocol)) => {
                Some(FailReason::Dial(*failure))
            }
            Self::Rejected { .. }
            | Self::Dial(DialFailure::Network | DialFailure::Refused { .. })
            | Self::AckTimeout
            | Self::Silence
            | Self::Closed { .. }
            | Self::Transport => None,
        }
    }

    /// Whether it is this client that ends the connection.
    pub(super) const fn is_ours(&self) -> bool {
        match self {
            Self::Rejected { .. } | Self::AckTimeout | Self::Silence => true,
            Self::Dial(_) | Self::Closed { .. } | Self::Transport => false,
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dial(failure) => failure.fmt(f),
            Self::Rejected { errors } => write!(f, "connection_error{}", Kinds(errors)),
            Self::AckTimeout => f.write_str("no connection_ack in time"),
            Self::Silence => f.write_str("no keep-alive in time"),
            Self::Closed { code: Some(code) } => write!(f, "closed by the server with {code}"),
            Self::Closed { code: None } => f.write_str("closed by the server without a code"),
            Self::Transport => f.write_str("transport ended without a close frame"),
        }
    }
}

impl fmt::Display for DialFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network => f.write_str("no connection to the server"),
            Self::Refused { status } => write!(f, "upgrade answered with {status}, 101 expected"),
            Self::NoSubprotocol => f.write_str("upgrade answered without the offered subprotocol"),
        }
    }
}

impl fmt::Display for FailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected { errors } => write!(f, "connection_error{}", Kinds(errors)),
            Self::Dial(failure) => failure.fmt(f),
            Self::AttemptsExhausted => f.write_str("no attempt left"),
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("connect"),
            Self::Subscribe { id } => write!(f, "subscribe {id:?}"),
            Self::Publish { id } => write!(f, "publish {id:?}"),
        }
    }
}

/// Types and codes of errors, never their texts.
struct Kinds<'e>(&'e [ErrorEntry]);

impl fmt::Display for Kinds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in self.0 {
            write!(f, " {}", error.short_type().unwrap_or("(no type)"))?;
            if let Some(code) = error.code {
                write!(f, " {code}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ClientEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Needs(request) => write!(f, "Needs({request:?})"),
            Self::Connected { silence_limit } => write!(f, "Connected({silence_limit:?})"),
            Self::Subscribed { id } => write!(f, "Subscribed({id:?})"),
            Self::Refused { id, errors } => write!(f, "Refused({id:?}{})", Kinds(errors)),
            Self::Data { id, body } => write!(f, "Data({id:?}, {} bytes)", body.len()),
            Self::BroadcastFailed { id, errors } => write!(f, "BroadcastFailed({id:?}{})", Kinds(errors)),
            Self::Published { id, .. } => write!(f, "Published({id:?})"),
            Self::PublishRefused { id, errors } => write!(f, "PublishRefused({id:?}{})", Kinds(errors)),
            Self::Ended { id, ending } => write!(f, "Ended({id:?}, {ending:?})"),
            Self::Interrupted { id, operation } => write!(f, "Interrupted({id:?}, {operation:?})"),
            Self::TimedOut { id, operation } => write!(f, "TimedOut({id:?}, {operation:?})"),
            Self::Renamed { from, to } => write!(f, "Renamed({from:?} to {to:?})"),
            Self::Reported { id, errors } => write!(f, "Reported({id:?}{})", Kinds(errors)),
            Self::Lost { loss, retry_at } => write!(f, "Lost({loss}, retry at {retry_at:?})"),
            Self::Failed { reason } => write!(f, "Failed({reason})"),
            Self::Closed { clean } => write!(f, "Closed(clean: {clean})"),
            Self::Finding(finding) => write!(f, "Finding({finding})"),
        }
    }
}

impl fmt::Debug for CredentialRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} bytes to sign", self.purpose, self.body.len())
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("asked"),
            Self::ByServer { errors } => write!(f, "by the server{}", Kinds(errors)),
            Self::ConnectionFailed => f.write_str("no connection"),
            Self::NotSendable(error) => write!(f, "{error}"),
        }
    }
}

impl fmt::Debug for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for FailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
