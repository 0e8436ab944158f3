//! WebSocket frames and JSON text: fragments, control frames, and what is not a message.

pub(super) mod extremes;

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::OwnedFrame;
use serde_json::json;

use super::publish_steps::{
    QUICK, beside_a_bystander, edit, general_error, objected, receipt, said_and_taken, warmed_by,
};
use super::session_steps::{admitted, taken};
use super::steps::{all, connected, expect, heard, say, warmed};
use crate::auth::sign::subscribe_body;
use crate::fault::{Change, DoorCheck, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::cast::{publish_body, quoted};
use crate::scenario::{Cast, Conn, Greeting, Need, Pattern, Scenario, Step};

/// A message that any server knows.
const INIT: &str = r#"{"type":"connection_init"}"#;

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/framing/fragments",
        title: "A message in fragments is put together, also where they part a character.",
        covers: &[R::EvtFrame003],
        steps: |cast| {
            let channel = cast.channel("room");
            let value = json!(format!("{} ÄÖÜ 日本語 😀😀😀😀", cast.nonce("event")));
            let publish = cast.publish("p1", &channel, std::slice::from_ref(&value));
            let fragments = u32::try_from(publish.len()).unwrap_or(100);
            let granted = Pattern::with_id("subscribe_success", "first");
            all([
                connected(cast, 1),
                vec![
                    Step::Send {
                        conn: 1,
                        frame: OwnedFrame::Text { text: cast.subscribe("first", &channel), fragments: 3 },
                    },
                    expect(1, granted, R::EvtFrame003),
                    warmed(cast, 1, "first", &channel),
                    Step::Send { conn: 1, frame: OwnedFrame::Text { text: publish, fragments } },
                    expect(1, receipt("p1", 1), R::EvtFrame003),
                    super::steps::heard_value(1, "first", value, R::EvtFrame003),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/member-order-and-white-space",
        title: "The order of members and white space between them carry no meaning.",
        covers: &[R::EvtFrame008],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let authorization = cast.authorization_of(&subscribe_body(&channel));
            let publishing = cast.authorization_of(&publish_body(&channel, &[json!(nonce)]));
            let (at, event) = (quoted(&channel), quoted(&json!(nonce).to_string()));
            let subscribe = format!(
                " {{\r\n\t\"authorization\" : {authorization} ,\n  \"channel\":{at},\n\"id\" : \"first\", \"type\" : \"subscribe\"\n}}\n"
            );
            let publish = format!(
                "{{ \"events\" : [ {event} ] , \"authorization\" : {publishing}, \"id\":\"p1\", \"channel\":{at},\t\"type\":\"publish\" }} "
            );
            all([
                connected(cast, 1),
                vec![
                    say(1, subscribe),
                    expect(1, Pattern::with_id("subscribe_success", "first"), R::EvtFrame008),
                    warmed(cast, 1, "first", &channel),
                    say(1, publish),
                    expect(1, receipt("p1", 1), R::EvtFrame008),
                    heard(1, "first", &nonce, R::EvtFrame008),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/two-documents",
        title: "Two JSON documents in one message are met with an error or with the end of that connection alone.",
        covers: &[R::EvtFrame012, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            // Granting an operation that nobody asked for would be held against the target once more.
            let both = [INIT, INIT].concat();
            beside_a_bystander(cast, all([connected(cast, 1), vec![say(1, both), objected(1, R::EvtFrame012)]]))
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/binary",
        title: "A binary message is met with an error or with the end of that connection alone.",
        covers: &[R::EvtFrame002, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let sent = |conn, bytes| {
                vec![Step::Send { conn, frame: OwnedFrame::Binary(bytes) }, objected(conn, R::EvtFrame002)]
            };
            let provocation = all([
                connected(cast, 1),
                connected(cast, 2),
                sent(1, vec![0x00, 0xff, 0xfe, 0x7b]),
                sent(2, INIT.into()),
            ]);
            beside_a_bystander(cast, provocation)
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/empty-text",
        title: "An empty text message is met with an error or with the end of that connection alone.",
        covers: &[R::EvtErr008, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| beside_a_bystander(cast, all([connected(cast, 1), vec![say(1, ""), objected(1, R::EvtErr008)]])),
        ..QUICK
    },
    Scenario {
        id: "events/framing/ping-between-fragments",
        title: "A ping between the fragments of a message is answered, and the message is not harmed.",
        covers: &[R::EvtFrame010],
        needs: &[Need::Socket],
        steps: |cast| {
            let (first, second) = (br#"{"type":"nothing_"#, br#"like_this"}"#);
            let frames = [frame(0x01, first), frame(0x89, b"between"), frame(0x80, second)];
            all([
                connected(cast, 1),
                vec![
                    Step::Raw { conn: 1, bytes: frames.concat(), what: "half a message, a ping, the other half" },
                    expect(1, Pattern::pong(b"between"), R::EvtFrame010),
                    expect(1, general_error(), R::EvtFrame010),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/invalid-utf8",
        title: "A text message that is not UTF-8 ends the connection, and only that one.",
        covers: &[R::EvtFrame004, R::SynAlive001, R::SynAlive002],
        needs: &[Need::Socket],
        hazard: true,
        steps: |cast| {
            let bytes = frame(0x81, b"{\"type\":\"\xc3\x28\"}");
            beside_a_bystander(cast, fails(cast, 1, (bytes, "a text message with an invalid byte"), R::EvtFrame004))
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/unmasked",
        title: "A frame without a mask ends the connection, and only that one.",
        covers: &[R::EvtFrame005, R::SynAlive001, R::SynAlive002],
        needs: &[Need::Socket],
        hazard: true,
        steps: |cast| {
            let bytes = b"\x81\x1a{\"type\":\"connection_init\"}".to_vec();
            beside_a_bystander(cast, fails(cast, 1, (bytes, "a text frame without a mask"), R::EvtFrame005))
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/reserved",
        title: "Reserved bits, reserved opcodes and oversized or fragmented pings end the connection, and only that one.",
        covers: &[R::EvtFrame006, R::SynAlive001, R::SynAlive002],
        needs: &[Need::Socket],
        hazard: true,
        steps: |cast| {
            let frames = [
                (frame(0x91, INIT.as_bytes()), "a text frame with the third reserved bit"),
                (frame(0x83, b"reserved"), "a frame with the opcode 3"),
                (frame(0x89, &[b'x'; 126]), "a ping of 126 bytes"),
                (frame(0x09, b"ping"), "a ping that is not the last fragment"),
            ];
            beside_a_bystander(
                cast,
                all((1_u8..).zip(frames).map(|(conn, sent)| fails(cast, conn, sent, R::EvtFrame006))),
            )
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/messages-are-objects",
        title: "What the server says is one JSON object in one text message each.",
        covers: &[R::EvtFrame001],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            all([
                admitted(1, cast.usual_upgrade(), R::EvtFrame001),
                taken(cast, 1, "first", &channel, R::EvtFrame001),
                vec![warmed_by(cast, 1, "first", &channel, R::EvtFrame001)],
                said_and_taken(cast, 1, "p1", (&channel, &nonce), R::EvtFrame001),
                vec![heard(1, "first", &nonce, R::EvtFrame001)],
                vec![say(1, r#"{"type":"nothing_like_this"}"#), expect(1, general_error(), R::EvtFrame001)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/compression",
        title: "A connection is taken with an offer of permessage-deflate and without, and no other extension is selected.",
        covers: &[R::EvtFrame009],
        steps: |cast| {
            let mut offering = cast.usual_upgrade();
            offering.headers.push("sec-websocket-extensions", "permessage-deflate");
            let opened = |conn, request, any_of| Step::Open { conn, request, any_of, rule: R::EvtFrame009 };
            let acked = |conn| vec![say(conn, INIT), expect(conn, Pattern::word("connection_ack"), R::EvtFrame009)];
            let either = vec![Greeting::no_extension(), Greeting::extension("permessage-deflate")];
            all([
                vec![opened(1, cast.usual_upgrade(), vec![Greeting::no_extension()])],
                acked(1),
                vec![opened(2, offering, either)],
                acked(2),
            ])
        },
        ..QUICK
    },
];

/// Writes bytes after which the server has to end the connection.
fn fails(cast: &Cast, conn: Conn, (bytes, what): (Vec<u8>, &'static str), rule: R) -> Vec<Step> {
    all([connected(cast, conn), vec![Step::Raw { conn, bytes, what }, expect(conn, Pattern::closed(), rule)]])
}

/// One masked frame with this first byte: the bits of a client, whatever they say.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut out = vec![first];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..=125) => out.push(0x80 | short),
        Ok(_) | Err(_) => {
            let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
            out.push(0x80 | 126);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-fragments-ignored",
        about: "ignores messages in fragments",
        breaks: R::EvtFrame003,
        caught_by: "events/framing/fragments",
        how: How::Trap(Trigger::Fragmented, Reaction::Ignore),
    },
    Fault {
        name: "events-fragments-close",
        about: "closes the connection on a message in fragments",
        breaks: R::EvtFrame003,
        caught_by: "events/framing/fragments",
        how: How::Trap(Trigger::Fragmented, Reaction::Close(1003)),
    },
    Fault {
        name: "events-type-has-to-be-first",
        about: "ignores messages whose first member is not type",
        breaks: R::EvtFrame008,
        caught_by: "events/framing/member-order-and-white-space",
        how: How::Trap(Trigger::TypeNotFirst, Reaction::Ignore),
    },
    Fault {
        name: "events-two-documents-ignored",
        about: "ignores two documents in one message",
        breaks: R::EvtFrame012,
        caught_by: "events/framing/two-documents",
        how: How::Trap(Trigger::MalformedJson, Reaction::Ignore),
    },
    Fault {
        name: "events-two-documents-acknowledged",
        about: "acknowledges two documents in one message",
        breaks: R::EvtFrame012,
        caught_by: "events/framing/two-documents",
        how: edit("error", Nth::Every, Change::Rename("connection_ack")),
    },
    Fault {
        name: "events-binary-ignored",
        about: "ignores binary messages",
        breaks: R::EvtFrame002,
        caught_by: "events/framing/binary",
        how: How::Trap(Trigger::Binary, Reaction::Ignore),
    },
    Fault {
        name: "events-binary-kills",
        about: "dies of a binary message",
        breaks: R::SynAlive001,
        caught_by: "events/framing/binary",
        how: How::Trap(Trigger::Binary, Reaction::Die),
    },
    Fault {
        name: "events-empty-text-ignored",
        about: "ignores an empty text message",
        breaks: R::EvtErr008,
        caught_by: "events/framing/empty-text",
        how: How::Trap(Trigger::EmptyText, Reaction::Ignore),
    },
    Fault {
        name: "events-empty-text-kills",
        about: "dies of an empty text message",
        breaks: R::SynAlive001,
        caught_by: "events/framing/empty-text",
        how: How::Trap(Trigger::EmptyText, Reaction::Die),
    },
    Fault {
        name: "events-fragments-around-a-ping-lost",
        about: "loses a message in fragments that part around a ping",
        breaks: R::EvtFrame010,
        caught_by: "events/framing/ping-between-fragments",
        how: How::Trap(Trigger::Fragmented, Reaction::Ignore),
    },
    Fault {
        name: "events-ping-kills-after-invalid-utf8",
        about: "dies of the ping that follows an invalid byte",
        breaks: R::SynAlive002,
        caught_by: "events/framing/invalid-utf8",
        how: How::Trap(Trigger::Ping, Reaction::Die),
    },
    Fault {
        name: "events-ping-kills-after-an-unmasked-frame",
        about: "dies of the ping that follows an unmasked frame",
        breaks: R::SynAlive002,
        caught_by: "events/framing/unmasked",
        how: How::Trap(Trigger::Ping, Reaction::Die),
    },
    Fault {
        name: "events-ping-kills-after-reserved-bits",
        about: "dies of the ping that follows reserved bits",
        breaks: R::SynAlive002,
        caught_by: "events/framing/reserved",
        how: How::Trap(Trigger::Ping, Reaction::Die),
    },
    Fault {
        name: "events-data-in-binary",
        about: "sends events in binary messages",
        breaks: R::EvtFrame001,
        caught_by: "events/framing/messages-are-objects",
        how: edit("data", Nth::Every, Change::AsBinary),
    },
    Fault {
        name: "events-half-a-message",
        about: "sends half of a message",
        breaks: R::EvtFrame001,
        caught_by: "events/framing/messages-are-objects",
        how: edit("subscribe_success", Nth::Every, Change::Truncate),
    },
    Fault {
        name: "events-refuses-compression",
        about: "refuses upgrades that offer an extension",
        breaks: R::EvtFrame009,
        caught_by: "events/framing/compression",
        how: How::Door(DoorCheck::ExtensionOffered),
    },
    Fault {
        name: "events-insists-on-compression",
        about: "selects an extension that was not offered",
        breaks: R::EvtFrame009,
        caught_by: "events/framing/compression",
        how: How::Door(DoorCheck::ExtensionUnasked),
    },
];
