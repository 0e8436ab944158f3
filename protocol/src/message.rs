//! What peers say to each other, by meaning: one vocabulary for both dialects.
//!
//! [`crate::dialect`] maps it to wire words and back. Bodies stay raw. Members that a receiver can do
//! without stay optional even where the sender owes them: judging is the conversation's business.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::envelope::{Raw, elements, is_array, is_object, member, string};
use crate::json::{Json, parse_json};
use crate::wire::Side;

/// A message, by meaning.
#[derive(Clone)]
pub enum Message<'a> {
    /// `connection_init`: the client asks for the acknowledgement.
    Init,
    /// `connection_ack`: the connection can be used.
    Ack {
        /// Longest silence of the server.
        silence: SilenceLimit,
    },
    /// `connection_error`: the connection is refused.
    Rejected {
        /// The errors, unparsed.
        errors: Option<Raw<'a>>,
    },
    /// `ka`: the server is alive.
    KeepAlive,
    /// `start` / `subscribe`.
    Subscribe {
        /// Client-chosen name of the subscription.
        id: Cow<'a, str>,
        /// `payload` (GraphQL) or `channel` (Events), unparsed.
        request: Raw<'a>,
        /// `authorization` (Events); GraphQL carries it inside the request.
        authorization: Option<Raw<'a>>,
    },
    /// `start_ack` / `subscribe_success`.
    Granted {
        /// The subscription.
        id: Cow<'a, str>,
    },
    /// `error`, `subscribe_error`, `unsubscribe_error`, `publish_error`.
    Refused {
        /// The operation's id, where the server names one.
        id: Option<Cow<'a, str>>,
        /// Which operation is refused, where the word says so.
        operation: Option<Operation>,
        /// The errors, unparsed.
        errors: Option<Raw<'a>>,
    },
    /// `data`: one event for one subscription.
    Data {
        /// The subscription.
        id: Cow<'a, str>,
        /// `payload` (GraphQL) or `event` (Events), unparsed.
        body: Raw<'a>,
    },
    /// `broadcast_error`: one event could not be delivered to this subscription.
    BroadcastFailed {
        /// The subscription.
        id: Cow<'a, str>,
        /// The errors, unparsed.
        errors: Option<Raw<'a>>,
    },
    /// `stop` / `unsubscribe`.
    Unsubscribe {
        /// The subscription.
        id: Cow<'a, str>,
    },
    /// `complete` / `unsubscribe_success`.
    Ended {
        /// The subscription.
        id: Cow<'a, str>,
    },
    /// `publish` (Events).
    Publish {
        /// Client-chosen name of the request.
        id: Cow<'a, str>,
        /// `channel`, unparsed.
        channel: Raw<'a>,
        /// `events`, unparsed.
        events: Raw<'a>,
        /// `authorization`.
        authorization: Option<Raw<'a>>,
    },
    /// `publish_success` (Events).
    Published {
        /// The request.
        id: Cow<'a, str>,
        /// Accepted events, unparsed.
        successful: Option<Raw<'a>>,
        /// Refused events, unparsed.
        failed: Option<Raw<'a>>,
    },
    /// A word of neither catalogue. Not an error in itself: peers of later versions may send it.
    Unknown {
        /// The word.
        word: Cow<'a, str>,
        /// `id`, where it is a string.
        id: Option<Cow<'a, str>>,
    },
}

/// An operation that can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// `start` / `subscribe`
    Subscribe,
    /// `stop` / `unsubscribe`
    Unsubscribe,
    /// `publish`
    Publish,
}

/// `connectionTimeoutMs` of the acknowledgement: how long a client waits for the next keep-alive.
///
/// Milliseconds on the wire. Source: GQL-INIT-003, EVT-INIT-002.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceLimit {
    /// The member is absent.
    Missing,
    /// The member is no positive whole number.
    Malformed,
    /// The limit in milliseconds, at least 1.
    Millis(u64),
}

impl Message<'_> {
    /// The side that has any business saying this; `None` for words of neither catalogue.
    pub const fn speaker(&self) -> Option<Side> {
        match self {
            Self::Init | Self::Subscribe { .. } | Self::Unsubscribe { .. } | Self::Publish { .. } => Some(Side::Client),
            Self::Ack { .. }
            | Self::Rejected { .. }
            | Self::KeepAlive
            | Self::Granted { .. }
            | Self::Refused { .. }
            | Self::Data { .. }
            | Self::BroadcastFailed { .. }
            | Self::Ended { .. }
            | Self::Published { .. } => Some(Side::Server),
            Self::Unknown { .. } => None,
        }
    }

    /// The operation or subscription it speaks of.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Init | Self::Ack { .. } | Self::Rejected { .. } | Self::KeepAlive => None,
            Self::Refused { id, .. } | Self::Unknown { id, .. } => id.as_deref(),
            Self::Subscribe { id, .. }
            | Self::Granted { id }
            | Self::Data { id, .. }
            | Self::BroadcastFailed { id, .. }
            | Self::Unsubscribe { id }
            | Self::Ended { id }
            | Self::Publish { id, .. }
            | Self::Published { id, .. } => Some(id),
        }
    }

    /// The errors it carries, unparsed.
    pub const fn errors(&self) -> Option<Raw<'_>> {
        match self {
            Self::Rejected { errors } | Self::Refused { errors, .. } | Self::BroadcastFailed { errors, .. } => *errors,
            Self::Init
            | Self::Ack { .. }
            | Self::KeepAlive
            | Self::Subscribe { .. }
            | Self::Granted { .. }
            | Self::Data { .. }
            | Self::Unsubscribe { .. }
            | Self::Ended { .. }
            | Self::Publish { .. }
            | Self::Published { .. }
            | Self::Unknown { .. } => None,
        }
    }
}

impl fmt::Debug for Message<'_> {
    /// Shows the meaning and the id, never a body: bodies may carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self {
            Self::Init => "Init",
            Self::Ack { .. } => "Ack",
            Self::Rejected { .. } => "Rejected",
            Self::KeepAlive => "KeepAlive",
            Self::Subscribe { .. } => "Subscribe",
            Self::Granted { .. } => "Granted",
            Self::Refused { .. } => "Refused",
            Self::Data { .. } => "Data",
            Self::BroadcastFailed { .. } => "BroadcastFailed",
            Self::Unsubscribe { .. } => "Unsubscribe",
            Self::Ended { .. } => "Ended",
            Self::Publish { .. } => "Publish",
            Self::Published { .. } => "Published",
            Self::Unknown { .. } => "Unknown",
        };
        match self.id() {
            Some(id) => write!(f, "{meaning}({id:?})"),
            None => f.write_str(meaning),
        }
    }
}

/// One entry of an error list, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorEntry {
    /// `errorType`, also where it stands under `extensions` (GQL-A-06).
    pub error_type: Option<String>,
    /// `message`
    pub message: Option<String>,
    /// `errorCode`
    pub code: Option<i64>,
}

impl ErrorEntry {
    /// The type without a namespace that ends in `#` (GQL-ERR-018).
    pub fn short_type(&self) -> Option<&str> {
        let full = self.error_type.as_deref()?;
        Some(full.rsplit_once('#').map_or(full, |(_, short)| short))
    }
}

/// How an error list stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorsForm {
    /// No `errors` at all.
    Absent,
    /// An array; every element an object.
    Array,
    /// One object in place of the array (GQL-A-05).
    Object,
    /// Anything else.
    Malformed,
}

/// Reads an error list that is an array or a single object.
pub fn error_entries(errors: Option<Raw<'_>>) -> (ErrorsForm, Vec<ErrorEntry>) {
    let Some(errors) = errors else {
        return (ErrorsForm::Absent, Vec::new());
    };
    if is_object(errors) {
        return (ErrorsForm::Object, alloc::vec![error_entry(errors)]);
    }
    let all = elements(errors);
    if !is_array(errors) || !all.iter().all(|e| is_object(*e)) {
        return (ErrorsForm::Malformed, Vec::new());
    }
    (ErrorsForm::Array, all.into_iter().map(error_entry).collect())
}

fn error_entry(raw: Raw<'_>) -> ErrorEntry {
    let text = |name| member(raw, name).and_then(string).map(Cow::into_owned);
    let nested = || member(member(raw, "extensions")?, "errorType").and_then(string).map(Cow::into_owned);
    ErrorEntry {
        error_type: text("errorType").or_else(nested),
        message: text("message"),
        code: member(raw, "errorCode").and_then(|code| code.get().parse().ok()),
    }
}

/// The body of a raw value, parsed; `null` if it cannot be (an unpaired surrogate, say).
pub fn body_value(raw: Raw<'_>) -> Json {
    parse_json(raw.get()).unwrap_or_default()
}
