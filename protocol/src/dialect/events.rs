//! The Events dialect on the wire: words, places of members, message by message.
//!
//! | meaning | word | members |
//! | --- | --- | --- |
//! | Init, Ack, Rejected | `connection_init`, `connection_ack`, `connection_error` | `connectionTimeoutMs`, `errors` |
//! | KeepAlive | `ka` | |
//! | Subscribe, Granted, Refused | `subscribe`, `subscribe_success`, `subscribe_error` | `id`, `channel`, `authorization`, `errors` |
//! | Data, BroadcastFailed | `data`, `broadcast_error` | `id`, `event`, `errors` |
//! | Unsubscribe, Ended, Refused | `unsubscribe`, `unsubscribe_success`, `unsubscribe_error` | `id`, `errors` |
//! | Publish, Published, Refused | `publish`, `publish_success`, `publish_error` | `id`, `channel`, `events`, `authorization`, `successful`, `failed`, `errors` |
//! | Refused, unattributed | `error` | `id` (rarely), `errors` |

use alloc::string::String;

use super::{needed, needed_id, optional_id, silence_limit};
use crate::encode::ObjectWriter;
use crate::envelope::{DecodeError, Envelope, is_array};
use crate::message::{Message, Operation, SilenceLimit};

/// Reads a message of this dialect; `None` for a word it does not have.
pub(super) fn decode<'a>(word: &str, envelope: &Envelope<'a>) -> Result<Option<Message<'a>>, DecodeError> {
    let errors = envelope.errors;
    let refused = |word, operation| -> Result<Message<'a>, DecodeError> {
        Ok(Message::Refused { id: optional_id(word, envelope)?, operation, errors })
    };
    Ok(Some(match word {
        "connection_init" => Message::Init,
        "connection_ack" => Message::Ack { silence: silence_limit(envelope.timeout) },
        "connection_error" => Message::Rejected { errors },
        "ka" => Message::KeepAlive,
        "subscribe" => Message::Subscribe {
            id: needed_id("subscribe", envelope)?,
            request: needed("subscribe", "channel", envelope.channel)?,
            authorization: envelope.authorization,
        },
        "subscribe_success" => Message::Granted { id: needed_id("subscribe_success", envelope)? },
        "subscribe_error" => refused("subscribe_error", Some(Operation::Subscribe))?,
        "data" => Message::Data { id: needed_id("data", envelope)?, body: needed("data", "event", envelope.event)? },
        "broadcast_error" => Message::BroadcastFailed { id: needed_id("broadcast_error", envelope)?, errors },
        "unsubscribe" => Message::Unsubscribe { id: needed_id("unsubscribe", envelope)? },
        "unsubscribe_success" => Message::Ended { id: needed_id("unsubscribe_success", envelope)? },
        "unsubscribe_error" => refused("unsubscribe_error", Some(Operation::Unsubscribe))?,
        "publish" => publish(envelope)?,
        "publish_success" => Message::Published {
            id: needed_id("publish_success", envelope)?,
            successful: envelope.successful,
            failed: envelope.failed,
        },
        "publish_error" => refused("publish_error", Some(Operation::Publish))?,
        "error" => refused("error", None)?,
        _ => return Ok(None),
    }))
}

fn publish<'a>(envelope: &Envelope<'a>) -> Result<Message<'a>, DecodeError> {
    let events = needed("publish", "events", envelope.events)?;
    if !is_array(events) {
        return Err(DecodeError::WrongType { word: "publish", member: "events", expected: "an array" });
    }
    Ok(Message::Publish {
        id: needed_id("publish", envelope)?,
        channel: needed("publish", "channel", envelope.channel)?,
        events,
        authorization: envelope.authorization,
    })
}

/// The word of a message.
pub(super) fn word<'m>(message: &'m Message<'_>) -> Option<&'m str> {
    Some(match message {
        Message::Init => "connection_init",
        Message::Ack { .. } => "connection_ack",
        Message::Rejected { .. } => "connection_error",
        Message::KeepAlive => "ka",
        Message::Subscribe { .. } => "subscribe",
        Message::Granted { .. } => "subscribe_success",
        Message::Refused { operation: Some(Operation::Subscribe), .. } => "subscribe_error",
        Message::Refused { operation: Some(Operation::Unsubscribe), .. } => "unsubscribe_error",
        Message::Refused { operation: Some(Operation::Publish), .. } => "publish_error",
        Message::Refused { operation: None, .. } => "error",
        Message::Data { .. } => "data",
        Message::BroadcastFailed { .. } => "broadcast_error",
        Message::Unsubscribe { .. } => "unsubscribe",
        Message::Ended { .. } => "unsubscribe_success",
        Message::Publish { .. } => "publish",
        Message::Published { .. } => "publish_success",
        Message::Unknown { word, .. } => word,
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
        Message::Ack { silence: SilenceLimit::Millis(millis) } => writer.number("connectionTimeoutMs", *millis),
        Message::Rejected { errors } | Message::Refused { errors, .. } | Message::BroadcastFailed { errors, .. } => {
            writer.raw("errors", *errors)
        }
        Message::Subscribe { request, authorization, .. } => {
            writer.raw("channel", Some(*request)).raw("authorization", *authorization)
        }
        Message::Data { body, .. } => writer.raw("event", Some(*body)),
        Message::Publish { channel, events, authorization, .. } => {
            writer.raw("channel", Some(*channel)).raw("events", Some(*events)).raw("authorization", *authorization)
        }
        Message::Published { successful, failed, .. } => writer.raw("successful", *successful).raw("failed", *failed),
        Message::Init
        | Message::Ack { silence: SilenceLimit::Missing | SilenceLimit::Malformed }
        | Message::KeepAlive
        | Message::Granted { .. }
        | Message::Unsubscribe { .. }
        | Message::Ended { .. }
        | Message::Unknown { .. } => writer,
    }
    .close();
}
