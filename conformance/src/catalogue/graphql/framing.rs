//! Frames and JSON: what has to be understood however it is written.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::OwnedFrame;
use serde_json::json;

use super::steps::{
    ANY, CHANNEL, INIT, QUICK, all, connected, edit, expect, heard, open, pinged, published, say, subscribed, warmed,
    warmed_by,
};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Cast, Pattern, Scenario, Step};

/// Text of a JSON string in which every character but letters and digits is escaped.
fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '/' => out.push_str("\\/"),
            c if c.is_ascii_alphanumeric() => out.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out.push('"');
    out
}

/// `start` with its members in another order than usual.
fn start_backwards(cast: &Cast, id: &str, room: &str) -> String {
    let request = cast.subscription_request(room);
    let authorization = cast.authorization_of(&request);
    let data = Json::from(request);
    format!(
        r#"{{"payload":{{"extensions":{{"authorization":{authorization}}},"data":{data}}},"type":"start","id":"{id}"}}"#
    )
}

/// `start` with members that nobody knows, at each level.
fn start_with_extras(cast: &Cast, id: &str, room: &str) -> String {
    let (document, variables) = cast.subscription(room);
    let data = json!({ "query": document, "variables": variables, "extensions": { "a": 1 } });
    let authorization = cast.authorization_of(&data.to_string());
    let data = Json::from(data.to_string());
    format!(
        r#"{{"type":"start","id":"{id}","trace":{{"a":[1]}},"payload":{{"data":{data},"trace":null,"extensions":{{"authorization":{authorization},"trace":"b"}}}}}}"#
    )
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/framing/ping",
        title: "A ping is answered with a pong that repeats its payload.",
        covers: &[R::GqlFrame006],
        steps: |cast| all([connected(cast, 1), pinged(1, R::GqlFrame006)]),
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/fragmented",
        title: "A message that comes in several fragments is accepted.",
        covers: &[R::GqlFrame008],
        needs: ANY,
        steps: |cast| {
            let text = cast.start_channel("first", &cast.nonce("room"));
            let frame = OwnedFrame::Text { text, fragments: 3 };
            all([
                connected(cast, 1),
                vec![Step::Send { conn: 1, frame }, expect(1, Pattern::with_id("start_ack", "first"), R::GqlFrame008)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/escapes",
        title: "Any JSON escape in payload.data is understood, surrogate pairs and escaped slashes included.",
        covers: &[R::GqlFrame009],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room/ü/\u{1f511}"), cast.nonce("event"));
            let request = cast.subscription_request(&room);
            let (data, authorization) = (escaped(&request), cast.authorization_of(&request));
            let start = format!(
                r#"{{"type":"start","id":"first","payload":{{"data":{data},"extensions":{{"authorization":{authorization}}}}}}}"#
            );
            all([
                connected(cast, 1),
                vec![
                    say(1, start),
                    expect(1, Pattern::with_id("start_ack", "first"), R::GqlFrame009),
                    warmed_by(cast, 1, "first", &room, R::GqlFrame009),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "first", (&room, &nonce), R::GqlFrame009),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/member-order",
        title: "The members of a message may stand in any order.",
        covers: &[R::GqlFrame004],
        needs: ANY,
        steps: |cast| {
            let start = start_backwards(cast, "first", &cast.nonce("room"));
            all([
                connected(cast, 1),
                vec![say(1, start), expect(1, Pattern::with_id("start_ack", "first"), R::GqlFrame004)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/unknown-members",
        title: "Members that the protocol does not know are ignored.",
        covers: &[R::GqlFrame005],
        needs: ANY,
        steps: |cast| {
            let start = start_with_extras(cast, "first", &cast.nonce("room"));
            all([
                connected(cast, 1),
                vec![say(1, start), expect(1, Pattern::with_id("start_ack", "first"), R::GqlFrame005)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/white-space",
        title: "White space around the members of a message is of no importance.",
        covers: &[R::GqlFrame001],
        steps: |cast| {
            let spaced = "\r\n{\n\t\"type\" : \"connection_init\"\n}\n ";
            vec![open(cast, 1), say(1, spaced), expect(1, Pattern::word("connection_ack"), R::GqlFrame001)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/messages-are-json-objects",
        title: "Every message of the server is a JSON object with a type.",
        covers: &[R::GqlFrame001],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                vec![open(cast, 1), say(1, INIT), expect(1, Pattern::word("connection_ack"), R::GqlFrame001)],
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "first", (&room, &nonce), R::GqlFrame001),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/messages-are-text",
        title: "Every message of the server comes in text frames.",
        covers: &[R::GqlFrame002],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "first", (&room, &nonce), R::GqlFrame002),
                ],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-escapes-misread",
        about: "does not answer a message with escaped characters",
        breaks: R::GqlFrame009,
        caught_by: "graphql/framing/escapes",
        how: How::Trap(Trigger::Escapes, Reaction::Ignore),
    },
    Fault {
        name: "graphql-escaped-room-is-another",
        about: "delivers nothing to a subscription that was written with escapes",
        breaks: R::GqlFrame009,
        caught_by: "graphql/framing/escapes",
        how: edit("data", Nth::Every, Change::Drop),
    },
    Fault {
        name: "graphql-fragments-ignored",
        about: "ignores a message in several fragments",
        breaks: R::GqlFrame008,
        caught_by: "graphql/framing/fragmented",
        how: How::Trap(Trigger::Fragmented, Reaction::Ignore),
    },
    Fault {
        name: "graphql-fragments-refused",
        about: "closes the connection on a message in several fragments",
        breaks: R::GqlFrame008,
        caught_by: "graphql/framing/fragmented",
        how: How::Trap(Trigger::Fragmented, Reaction::Close(1003)),
    },
    Fault {
        name: "graphql-type-has-to-come-first",
        about: "ignores a message whose first member is not the type",
        breaks: R::GqlFrame004,
        caught_by: "graphql/framing/member-order",
        how: How::Trap(Trigger::TypeNotFirst, Reaction::Ignore),
    },
    Fault {
        name: "graphql-unknown-members-refused",
        about: "closes the connection on a member that it does not know",
        breaks: R::GqlFrame005,
        caught_by: "graphql/framing/unknown-members",
        how: How::Trap(Trigger::UnknownMember, Reaction::Close(1008)),
    },
    Fault {
        name: "graphql-event-in-a-binary-frame",
        about: "sends events in binary frames",
        breaks: R::GqlFrame002,
        caught_by: "graphql/framing/messages-are-text",
        how: edit("data", Nth::From(2), Change::AsBinary),
    },
    Fault {
        name: "graphql-cuts-messages",
        about: "sends half of an event",
        breaks: R::GqlFrame001,
        caught_by: "graphql/framing/messages-are-json-objects",
        how: edit("data", Nth::From(2), Change::Truncate),
    },
    Fault {
        name: "graphql-type-is-a-number",
        about: "sends an event whose type is a number",
        breaks: R::GqlFrame001,
        caught_by: "graphql/framing/messages-are-json-objects",
        how: edit("data", Nth::From(2), Change::Set("type", "5")),
    },
    Fault {
        name: "graphql-array-of-messages",
        about: "sends a message inside an array",
        breaks: R::GqlFrame001,
        caught_by: "graphql/framing/messages-are-json-objects",
        how: edit("connection_ack", Nth::Every, Change::Before(r#"[{"type":"connection_ack"}]"#)),
    },
    Fault {
        name: "graphql-no-white-space",
        about: "answers nothing to a message with white space in it",
        breaks: R::GqlFrame001,
        caught_by: "graphql/framing/white-space",
        how: How::Trap(Trigger::Word("connection_init"), Reaction::Ignore),
    },
    Fault {
        name: "graphql-ping-closes",
        about: "closes the connection on a ping",
        breaks: R::GqlFrame006,
        caught_by: "graphql/framing/ping",
        how: How::Trap(Trigger::Ping, Reaction::Close(1002)),
    },
    Fault {
        name: "graphql-ping-unanswered",
        about: "does not answer a ping",
        breaks: R::GqlFrame006,
        caught_by: "graphql/framing/ping",
        how: How::Trap(Trigger::Ping, Reaction::Ignore),
    },
];
