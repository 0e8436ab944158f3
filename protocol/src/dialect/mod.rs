//! The two dialects: one vocabulary by meaning, two sets of wire words.
//!
//! What differs is written out in [`graphql`] and [`events`]; what is shared asks `match dialect`
//! in the open. There is no trait: a third dialect would make these matches fail to compile, which
//! is the extension mechanism.

pub mod events;
pub mod graphql;

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use crate::envelope::{DecodeError, Envelope, Raw, fill, string, whole_number};
use crate::message::{Message, SilenceLimit};

/// Which of the two protocols a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// GraphQL subscriptions, subprotocol `graphql-ws` as AppSync speaks it.
    Graphql,
    /// AppSync Events, subprotocol `aws-appsync-event-ws`.
    Events,
}

impl Dialect {
    /// Both, in the order of reports.
    pub const ALL: [Self; 2] = [Self::Graphql, Self::Events];

    /// `graphql` or `events`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Graphql => "graphql",
            Self::Events => "events",
        }
    }

    /// The subprotocol a client has to offer. Source: GQL-HANDSHAKE-005, EVT-HANDSHAKE-003.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Graphql => "graphql-ws",
            Self::Events => "aws-appsync-event-ws",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A message with what its envelope shows beside the meaning.
#[derive(Clone, Debug)]
pub struct Decoded<'a> {
    /// The meaning.
    pub message: Message<'a>,
    /// The members it came in.
    pub envelope: Envelope<'a>,
}

/// Reads one message. Total: every text is a message or a [`DecodeError`].
pub fn decode(dialect: Dialect, text: &str) -> Result<Decoded<'_>, DecodeError> {
    let mut envelope = Envelope::default();
    fill(&mut envelope, text)?;
    let word = string(envelope.kind.ok_or(DecodeError::NoType)?).ok_or(DecodeError::TypeNotAString)?;
    let known = match dialect {
        Dialect::Graphql => graphql::decode(&word, &envelope)?,
        Dialect::Events => events::decode(&word, &envelope)?,
    };
    let message = known.unwrap_or_else(|| Message::Unknown { word, id: envelope.id.and_then(string) });
    Ok(Decoded { message, envelope })
}

/// Appends the text of a message to `out`: `type` first, then `id`, no white space.
///
/// A message that a dialect has no word for is written as an object with an empty `type`.
pub fn encode(dialect: Dialect, message: &Message<'_>, out: &mut String) {
    match dialect {
        Dialect::Graphql => graphql::encode(message, out),
        Dialect::Events => events::encode(message, out),
    }
}

/// The wire word of a message; `None` where the dialect has none.
pub fn word_of<'m>(dialect: Dialect, message: &'m Message<'_>) -> Option<&'m str> {
    match dialect {
        Dialect::Graphql => graphql::word(message),
        Dialect::Events => events::word(message),
    }
}

/// The `id` that a message needs.
fn needed_id<'a>(word: &'static str, envelope: &Envelope<'a>) -> Result<Cow<'a, str>, DecodeError> {
    let raw = needed(word, "id", envelope.id)?;
    string(raw).ok_or(DecodeError::WrongType { word, member: "id", expected: "a string" })
}

/// An `id` that may be left out or null, but is a string where it stands.
fn optional_id<'a>(word: &'static str, envelope: &Envelope<'a>) -> Result<Option<Cow<'a, str>>, DecodeError> {
    match envelope.id {
        None => Ok(None),
        Some(raw) if crate::envelope::is_null(raw) => Ok(None),
        Some(raw) => match string(raw) {
            Some(id) => Ok(Some(id)),
            None => Err(DecodeError::WrongType { word, member: "id", expected: "a string" }),
        },
    }
}

fn needed<'a>(word: &'static str, member: &'static str, raw: Option<Raw<'a>>) -> Result<Raw<'a>, DecodeError> {
    raw.ok_or(DecodeError::Missing { word, member })
}

fn silence_limit(raw: Option<Raw<'_>>) -> SilenceLimit {
    match raw.map(whole_number) {
        None => SilenceLimit::Missing,
        Some(None | Some(0)) => SilenceLimit::Malformed,
        Some(Some(millis)) => SilenceLimit::Millis(millis),
    }
}

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test panics with whatever else it got")]
mod tests;
