//! The GraphQL dialect on the wire: words, places of members, message by message.
//!
//! | meaning | word | members |
//! | --- | --- | --- |
//! | Init, Ack, Rejected | `connection_init`, `connection_ack`, `connection_error` | `payload.connectionTimeoutMs`, `payload.errors` |
//! | KeepAlive | `ka` | |
//! | Subscribe, Granted | `start`, `start_ack` | `id`, `payload` |
//! | Data | `data` | `id`, `payload` |
//! | Unsubscribe, Ended | `stop`, `complete` | `id` |
//! | Refused | `error` | `id` (not always), `payload.errors` |

use alloc::borrow::Cow;
use alloc::string::String;

use super::{needed, needed_id, optional_id, silence_limit};
use crate::encode::ObjectWriter;
use crate::envelope::{DecodeError, Envelope, Raw, is_object, member};
use crate::message::{Message, SilenceLimit};

/// Reads a message of this dialect; `None` for a word it does not have.
pub(super) fn decode<'a>(word: &str, envelope: &Envelope<'a>) -> Result<Option<Message<'a>>, DecodeError> {
    let payload = |name| envelope.payload.and_then(|payload| member(payload, name));
    Ok(Some(match word {
        "connection_init" => Message::Init,
        "connection_ack" => Message::Ack { silence: silence_limit(payload("connectionTimeoutMs")) },
        "connection_error" => Message::Rejected { errors: payload("errors") },
        "ka" => Message::KeepAlive,
        "start" => Message::Subscribe {
            id: needed_id("start", envelope)?,
            request: payload_object("start", envelope)?,
            authorization: None,
        },
        "start_ack" => Message::Granted { id: needed_id("start_ack", envelope)? },
        "data" => Message::Data { id: needed_id("data", envelope)?, body: payload_object("data", envelope)? },
        "stop" => Message::Unsubscribe { id: needed_id("stop", envelope)? },
        "complete" => Message::Ended { id: needed_id("complete", envelope)? },
        "error" => Message::Refused { id: optional_id("error", envelope)?, operation: None, errors: payload("errors") },
        _ => return Ok(None),
    }))
}

fn payload_object<'a>(word: &'static str, envelope: &Envelope<'a>) -> Result<Raw<'a>, DecodeError> {
    let payload = needed(word, "payload", envelope.payload)?;
    if is_object(payload) {
        Ok(payload)
    } else {
        Err(DecodeError::WrongType { word, member: "payload", expected: "an object" })
    }
}

/// The word of a message; `None` for what only Events can say.
pub(super) fn word<'m>(message: &'m Message<'_>) -> Option<&'m str> {
    Some(match message {
        Message::Init => "connection_init",
        Message::Ack { .. } => "connection_ack",
        Message::Rejected { .. } => "connection_error",
        Message::KeepAlive => "ka",
        Message::Subscribe { .. } => "start",
        Message::Granted { .. } => "start_ack",
        Message::Refused { .. } => "error",
        Message::Data { .. } => "data",
        Message::Unsubscribe { .. } => "stop",
        Message::Ended { .. } => "complete",
        Message::Unknown { word, .. } => word,
        Message::BroadcastFailed { .. } | Message::Publish { .. } | Message::Published { .. } => return None,
    })
}

/// Appends the text of a message.
pub(super) fn encode(message: &Message<'_>, out: &mut String) {
    let writer = ObjectWriter::message(out, word(message).unwrap_or_default());
    let writer = match message.id() {
        Some(id) => writer.string("id", id),
        None => writer,
    };
    match message {
        Message::Ack { silence: SilenceLimit::Millis(millis) } => {
            let mut payload = String::new();
            ObjectWriter::open(&mut payload).number("connectionTimeoutMs", *millis).close();
            writer.text("payload", &payload)
        }
        Message::Rejected { errors } | Message::Refused { errors, .. } => {
            let mut payload = String::new();
            ObjectWriter::open(&mut payload).raw("errors", *errors).close();
            writer.text("payload", &payload)
        }
        Message::Subscribe { request, .. } => writer.raw("payload", Some(*request)),
        Message::Data { body, .. } => writer.raw("payload", Some(*body)),
        Message::Init
        | Message::Ack { silence: SilenceLimit::Missing | SilenceLimit::Malformed }
        | Message::KeepAlive
        | Message::Granted { .. }
        | Message::BroadcastFailed { .. }
        | Message::Unsubscribe { .. }
        | Message::Ended { .. }
        | Message::Publish { .. }
        | Message::Published { .. }
        | Message::Unknown { .. } => writer,
    }
    .close();
}

/// The GraphQL request text inside the payload of a `start`. Source: GQL-SUB-002.
///
/// `None` if `payload.data` is absent or no string.
pub fn request_text(payload: Raw<'_>) -> Option<Cow<'_, str>> {
    member(payload, "data").and_then(crate::envelope::string)
}

/// The authorization object inside the payload of a `start`. Source: GQL-AUTH-011.
pub fn authorization(payload: Raw<'_>) -> Option<Raw<'_>> {
    member(member(payload, "extensions")?, "authorization")
}
