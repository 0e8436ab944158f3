//! What is meant is what is written and read.
//!
//! The invariant: any message that a dialect has a word for is written as one compact JSON object that the JSON library
//! reads, `type` first, without a repeated member; read again it means the same, whatever stands in its texts and bodies.

use appsync_protocol::dialect::{Dialect, decode, encode, word_of};
use appsync_protocol::envelope::{Raw, RawBuf};
use appsync_protocol::json::parse_json;
use appsync_protocol::message::{Message, Operation, SilenceLimit};
use serde_json::Value;

use crate::draw::Draw;
use crate::reach::Point;

static WRITTEN: Point = Point::new("encode/written");
static BODY: Point = Point::new("encode/body");
/// Where the oracle speaks.
pub static POINTS: [&Point; 2] = [&WRITTEN, &BODY];

/// Bodies of a message.
struct Bodies {
    object: RawBuf,
    array: RawBuf,
    any: RawBuf,
}

/// One input.
pub fn run(input: &[u8]) {
    let mut draw = Draw::new(input);
    let object = Value::Object([(draw.text(), draw.value(2)), (draw.text(), draw.value(1))].into_iter().collect());
    let array = Value::Array(vec![draw.value(2), draw.value(1)]);
    let raw = |value: &Value| RawBuf::read(value.to_string()).unwrap_or_else(|| panic!("{value} is no JSON"));
    let bodies = Bodies { object: raw(&object), array: raw(&array), any: raw(&draw.value(2)) };
    let id = draw.text();
    for dialect in Dialect::ALL {
        let message = message(&mut draw, dialect, &id, &bodies);
        let Some(word) = word_of(dialect, &message).map(str::to_owned) else { continue };
        let mut written = String::new();
        encode(dialect, &message, &mut written);
        WRITTEN.reached();
        assert!(written.starts_with("{\"type\":"), "{written}");
        let library = parse_json(&written).unwrap_or_else(|| panic!("no JSON: {written:?}"));
        assert_eq!(library["type"], word, "{written}");
        assert_eq!(library.get("id").and_then(Value::as_str), message.id(), "{written}");
        // RFC 8259 section 7: what is below a space stands as an escape.
        assert!(!written.contains(|c| c < ' '), "{written:?}");
        let again = decode(dialect, &written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
        assert_eq!(again.envelope.duplicates, 0, "{written}");
        same(&message, &again.message, &written);
    }
}

fn message<'a>(draw: &mut Draw<'_>, dialect: Dialect, id: &'a str, bodies: &'a Bodies) -> Message<'a> {
    let graphql = dialect == Dialect::Graphql;
    let errors = draw.once_in(2).then(|| bodies.array.as_raw());
    let request = if graphql { bodies.object.as_raw() } else { bodies.any.as_raw() };
    let authorization = (!graphql && draw.once_in(2)).then(|| bodies.object.as_raw());
    match draw.byte() % 14 {
        0 => Message::Init,
        1 => Message::Ack {
            silence: if draw.once_in(3) { SilenceLimit::Missing } else { SilenceLimit::Millis(draw.long().max(1)) },
        },
        2 => Message::Rejected { errors },
        3 => Message::KeepAlive,
        4 => Message::Subscribe { id: id.into(), request, authorization },
        5 => Message::Granted { id: id.into() },
        6 => {
            let of = [None, Some(Operation::Subscribe), Some(Operation::Unsubscribe), Some(Operation::Publish)];
            let operation = if graphql { None } else { draw.pick(&of) };
            Message::Refused { id: draw.once_in(2).then(|| id.into()), operation, errors }
        }
        7 => Message::Data { id: id.into(), body: request },
        8 => Message::BroadcastFailed { id: id.into(), errors },
        9 => Message::Unsubscribe { id: id.into() },
        10 => Message::Ended { id: id.into() },
        11 => Message::Publish {
            id: id.into(),
            channel: bodies.any.as_raw(),
            events: bodies.array.as_raw(),
            authorization,
        },
        12 => Message::Published { id: id.into(), successful: errors, failed: Some(bodies.array.as_raw()) },
        _ => Message::Unknown { word: "of-the-future".into(), id: Some(id.into()) },
    }
}

fn same(one: &Message<'_>, other: &Message<'_>, written: &str) {
    assert_eq!(std::mem::discriminant(one), std::mem::discriminant(other), "{written}");
    assert_eq!(one.id(), other.id(), "{written}");
    assert_eq!(bodies_of(one), bodies_of(other), "{written}");
    if let (Message::Ack { silence: one }, Message::Ack { silence: other }) = (one, other) {
        assert_eq!(one, other, "{written}");
    }
    if let (Message::Refused { operation: one, .. }, Message::Refused { operation: other, .. }) = (one, other) {
        assert_eq!(one, other, "{written}");
    }
    BODY.reached();
}

fn bodies_of<'m>(message: &'m Message<'_>) -> Vec<Option<&'m str>> {
    let raw = |value: &Option<Raw<'m>>| value.map(Raw::get);
    match message {
        Message::Rejected { errors } | Message::Refused { errors, .. } | Message::BroadcastFailed { errors, .. } => {
            vec![raw(errors)]
        }
        Message::Subscribe { request, authorization, .. } => vec![Some(request.get()), raw(authorization)],
        Message::Data { body, .. } => vec![Some(body.get())],
        Message::Publish { channel, events, authorization, .. } => {
            vec![Some(channel.get()), Some(events.get()), raw(authorization)]
        }
        Message::Published { successful, failed, .. } => vec![raw(successful), raw(failed)],
        Message::Init
        | Message::Ack { .. }
        | Message::KeepAlive
        | Message::Granted { .. }
        | Message::Unsubscribe { .. }
        | Message::Ended { .. }
        | Message::Unknown { .. } => Vec::new(),
    }
}
