//! Frames that a fragile server does not survive: each is sent beside a bystander.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::OwnedFrame;

use super::steps::{
    CHANNEL, QUICK, all, any_of, bad_start, beside_a_bystander, connected, published, say, subscribed, warmed,
};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Cast, Need, Pattern, Scenario, Shape, Step};

/// Sends something unreadable beside a bystander. The connection then serves a request that is known to be
/// answered, after an error without id or without one, or it is closed.
fn unreadable(cast: &Cast, frames: Vec<Step>) -> Vec<Step> {
    let provocation = all([connected(cast, 1), frames, vec![say(1, bad_start(cast, "probe"))]]);
    let served = || Pattern::with_id("error", "probe").ends();
    let closed = || Pattern::closed().ends();
    let first = vec![served(), Pattern::without_id("error"), closed()];
    let later = vec![served(), Pattern::without_id("error"), closed()];
    beside_a_bystander(cast, provocation, vec![any_of(1, first, R::GqlFrame010), any_of(1, later, R::GqlFrame010)])
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/framing/malformed-json",
        title: "Malformed JSON ends neither the server nor another connection.",
        covers: &[R::GqlFrame010, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| unreadable(cast, vec![say(1, r#"{"type":"start","id":"#)]),
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/malformed-json-spares-subscriptions",
        title: "After malformed JSON a connection that lives on still hears what it has subscribed to.",
        covers: &[R::GqlErr014],
        needs: CHANNEL,
        hazard: true,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let event = Pattern::with_id("data", "first").has(
                "payload.data.subscribe2channel.data",
                Shape::Is(crate::scenario::cast::channel_data(&nonce).into()),
            );
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    say(1, "{"),
                    // The connection may end with it; whether it takes others along is judged elsewhere.
                    Step::Send { conn: 1, frame: OwnedFrame::Ping(b"still there?".to_vec()) },
                    any_of(
                        1,
                        vec![Pattern::pong(b"still there?"), Pattern::without_id("error"), Pattern::closed().ends()],
                        R::GqlErr014,
                    ),
                    published(cast, &room, &nonce),
                    // An error in answer to the text may come first, and the connection may end.
                    any_of(
                        1,
                        vec![event.clone().ends(), Pattern::without_id("error"), Pattern::closed().ends()],
                        R::GqlErr014,
                    ),
                    any_of(1, vec![event, Pattern::closed()], R::GqlErr014),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/no-object",
        title: "JSON that is no object ends neither the server nor another connection.",
        covers: &[R::SynAlive001, R::SynAlive002, R::GqlFrame010],
        hazard: true,
        steps: |cast| unreadable(cast, vec![say(1, "null")]),
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/empty-text",
        title: "A text message of no bytes ends neither the server nor another connection.",
        covers: &[R::SynAlive001, R::SynAlive002, R::GqlFrame010],
        hazard: true,
        steps: |cast| unreadable(cast, vec![say(1, "")]),
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/binary",
        title: "A binary message ends neither the server nor another connection.",
        covers: &[R::SynAlive001, R::SynAlive002, R::GqlFrame010],
        hazard: true,
        steps: |cast| {
            let frame = OwnedFrame::Binary(vec![0xff, 0x00, 0xfe, 0x01]);
            unreadable(cast, vec![Step::Send { conn: 1, frame }])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/huge-message",
        title: "A message of two megabytes ends neither the server nor another connection.",
        covers: &[R::SynAlive001, R::SynAlive002, R::GqlFrame010],
        needs: &[Need::Limits],
        hazard: true,
        steps: |cast| {
            let filler = "x".repeat(2_000_000);
            unreadable(cast, vec![say(1, format!(r#"{{"type":"filler","filler":"{filler}"}}"#))])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/unmasked",
        title: "A frame that a client sends without a mask ends its connection and no other.",
        covers: &[R::GqlFrame011, R::SynAlive001, R::SynAlive002],
        needs: &[Need::Socket],
        hazard: true,
        steps: |cast| {
            let mut bytes = vec![0x81, 26];
            bytes.extend_from_slice(super::steps::INIT.as_bytes());
            let unmasked = Step::Raw { conn: 1, bytes, what: "an unmasked text frame with connection_init" };
            let ended = vec![any_of(1, vec![Pattern::closed()], R::GqlFrame011)];
            beside_a_bystander(cast, all([connected(cast, 1), vec![unmasked]]), ended)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/invalid-utf8",
        title: "A text message that is not UTF-8 ends its connection and no other.",
        covers: &[R::GqlFrame002, R::SynAlive001, R::SynAlive002],
        needs: &[Need::Socket],
        hazard: true,
        steps: |cast| {
            // Masked with zeros: the bytes stand as they are.
            let mut bytes = vec![0x81, 0x80 | 13, 0, 0, 0, 0];
            bytes.extend_from_slice(b"{\"type\":\"\xc3\x28\"}");
            let wrong = Step::Raw { conn: 1, bytes, what: "a text message with an invalid byte" };
            let ended = vec![any_of(1, vec![Pattern::closed()], R::GqlFrame002)];
            beside_a_bystander(cast, all([connected(cast, 1), vec![wrong]]), ended)
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-malformed-json-is-fatal",
        about: "ends its process on malformed JSON",
        breaks: R::SynAlive001,
        caught_by: "graphql/framing/malformed-json",
        how: How::Trap(Trigger::MalformedJson, Reaction::Die),
    },
    Fault {
        name: "graphql-malformed-json-ends-all-connections",
        about: "drops every connection on malformed JSON",
        breaks: R::SynAlive001,
        caught_by: "graphql/framing/malformed-json",
        how: How::Trap(Trigger::MalformedJson, Reaction::LoseAll),
    },
    Fault {
        name: "graphql-malformed-json-ends-subscriptions",
        about: "delivers nothing more to a connection after malformed JSON",
        breaks: R::GqlErr014,
        caught_by: "graphql/framing/malformed-json-spares-subscriptions",
        how: super::steps::edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "graphql-no-object-is-fatal",
        about: "ends its process on JSON that is no object",
        breaks: R::SynAlive001,
        caught_by: "graphql/framing/no-object",
        how: How::Trap(Trigger::NotAnObject, Reaction::Die),
    },
    Fault {
        name: "graphql-empty-text-is-fatal",
        about: "ends its process on a text message of no bytes",
        breaks: R::SynAlive001,
        caught_by: "graphql/framing/empty-text",
        how: How::Trap(Trigger::EmptyText, Reaction::Die),
    },
    Fault {
        name: "graphql-binary-is-fatal",
        about: "ends its process on a binary message",
        breaks: R::SynAlive001,
        caught_by: "graphql/framing/binary",
        how: How::Trap(Trigger::Binary, Reaction::Die),
    },
    Fault {
        name: "graphql-ping-kills-after-invalid-utf8",
        about: "dies of the ping that follows an invalid byte",
        breaks: R::SynAlive002,
        caught_by: "graphql/framing/invalid-utf8",
        how: How::Trap(Trigger::Ping, Reaction::Die),
    },
    Fault {
        name: "graphql-huge-message-ends-all-connections",
        about: "drops every connection on a message of more than a megabyte",
        breaks: R::SynAlive001,
        caught_by: "graphql/framing/huge-message",
        how: How::Trap(Trigger::LongerThan(1_000_000), Reaction::LoseAll),
    },
    Fault {
        name: "graphql-ping-is-fatal",
        about: "ends the process at a ping",
        breaks: R::SynAlive002,
        caught_by: "graphql/framing/unmasked",
        how: How::Trap(Trigger::Ping, Reaction::Die),
    },
];
