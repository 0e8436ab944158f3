//! Opening the session: what answers `connection_init`, and what works without it.

use appsync_protocol::json::json_text;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::session_steps::{INIT, QUICK, edit, pinged, refusals, unsubscribe};
use super::steps::{acked, all, any_of, connected, expect, heard, open, published, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Pattern, Scenario, Shape, Step};

/// An operation on a connection without `connection_init`: carried out, or refused and the end of it.
fn carried_out(done: &'static str, refused: &'static str, id: &str) -> Step {
    let told = |pattern: Pattern| pattern.reads("EVT-A-07", "an operation without connection_init is refused").ends();
    let readings = vec![
        Pattern::with_id(done, id).reads("EVT-A-07", "an operation without connection_init is carried out"),
        told(Pattern::with_id(refused, id)),
        told(Pattern::with_id("error", id)),
        told(Pattern::without_id("error")),
    ];
    any_of(1, readings, R::EvtInit004)
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/init/names-the-timeout",
        title: "The acknowledgement says in connectionTimeoutMs how many milliseconds to wait for a keep-alive.",
        covers: &[R::EvtInit002],
        steps: |cast| {
            let named = Pattern::word("connection_ack").has("connectionTimeoutMs", Shape::PositiveInteger);
            vec![open(cast, 1), say(1, INIT), expect(1, named, R::EvtInit002)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/init/members-at-the-top",
        title: "The members of the acknowledgement stand at its top level.",
        covers: &[R::EvtInit003],
        steps: |cast| {
            let flat = Pattern::word("connection_ack")
                .has("connectionTimeoutMs", Shape::Present)
                .has("payload", Shape::Absent);
            vec![open(cast, 1), say(1, INIT), expect(1, flat, R::EvtInit003)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/init/never-sent",
        title: "Operations are answered although connection_init was never sent.",
        covers: &[R::EvtInit004],
        steps: |cast| {
            let room = cast.channel("room");
            vec![
                open(cast, 1),
                say(1, cast.subscribe("first", &room)),
                carried_out("subscribe_success", "subscribe_error", "first"),
                say(1, cast.publish("second", &room, &[json_text(&cast.nonce("event"))])),
                carried_out("publish_success", "publish_error", "second"),
                say(1, unsubscribe("first")),
                carried_out("unsubscribe_success", "unsubscribe_error", "first"),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/init/no-unasked-acknowledgement",
        title: "A connection that never sent connection_init gets no connection_ack.",
        covers: &[R::EvtInit005],
        steps: |cast| {
            let mut answers = vec![Pattern::with_id("subscribe_success", "first")];
            answers.extend(refusals("first"));
            all([
                vec![
                    open(cast, 1),
                    say(1, cast.subscribe("first", &cast.channel("room"))),
                    any_of(1, answers, R::EvtInit004),
                    Step::Quiet { conn: 1 },
                ],
                pinged(1, R::EvtKa008),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/init/second-init",
        title: "A second connection_init leaves the subscriptions of the connection alone.",
        covers: &[R::EvtInit006],
        steps: |cast| {
            let (room, nonce) = (cast.channel("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![warmed(cast, 1, "first", &room), say(1, INIT)],
                pinged(1, R::EvtInit006),
                vec![published(cast, &room, &nonce), heard(1, "first", &nonce, R::EvtInit006)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/init/without-a-pause",
        title: "A subscribe that follows connection_init without a pause is answered, as connection_init is.",
        covers: &[R::EvtInit008],
        steps: |cast| {
            vec![
                open(cast, 1),
                say(1, INIT),
                say(1, cast.subscribe("first", &cast.channel("room"))),
                expect(1, Pattern::word("connection_ack"), R::EvtInit008),
                expect(1, Pattern::with_id("subscribe_success", "first"), R::EvtInit008),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/init/additional-members",
        title: "Members of connection_init that the service does not know do not prevent the acknowledgement.",
        covers: &[R::EvtInit012],
        steps: |cast| {
            let more = r#"{"type":"connection_init","payload":{"client":"syncspec"},"sticker":"blue"}"#;
            all([
                vec![open(cast, 1), say(1, more), expect(1, Pattern::word("connection_ack"), R::EvtInit012)],
                pinged(1, R::EvtInit012),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/init/acknowledged-each-time",
        title: "Several connections are acknowledged independently of each other.",
        covers: &[R::EvtInit002],
        steps: |cast| {
            vec![open(cast, 1), open(cast, 2), say(2, INIT), acked(2), say(1, INIT), acked(1), Step::Quiet { conn: 2 }]
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-ack-timeout-as-text",
        about: "names the timeout as a string",
        breaks: R::EvtInit002,
        caught_by: "events/init/names-the-timeout",
        how: edit("connection_ack", Nth::Every, Change::Stringify("connectionTimeoutMs")),
    },
    Fault {
        name: "events-ack-timeout-zero",
        about: "names a timeout of zero",
        breaks: R::EvtInit002,
        caught_by: "events/init/names-the-timeout",
        how: edit("connection_ack", Nth::Every, Change::Set("connectionTimeoutMs", "0")),
    },
    Fault {
        name: "events-ack-timeout-negative",
        about: "names a timeout below zero",
        breaks: R::EvtInit002,
        caught_by: "events/init/names-the-timeout",
        how: edit("connection_ack", Nth::Every, Change::Set("connectionTimeoutMs", "-1")),
    },
    Fault {
        name: "events-ack-timeout-twice",
        about: "names the timeout in a payload as well, as the GraphQL dialect does",
        breaks: R::EvtInit003,
        caught_by: "events/init/members-at-the-top",
        how: edit("connection_ack", Nth::Every, Change::Set("payload", r#"{"connectionTimeoutMs":300000}"#)),
    },
    Fault {
        name: "events-ack-timeout-in-a-payload",
        about: "names the timeout in a payload alone",
        breaks: R::EvtInit003,
        caught_by: "events/init/members-at-the-top",
        how: edit(
            "connection_ack",
            Nth::Every,
            Change::Before(r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#),
        ),
    },
    Fault {
        name: "events-ack-without-timeout",
        about: "names no timeout",
        breaks: R::EvtInit002,
        caught_by: "events/init/names-the-timeout",
        how: How::Skip(Check::AckNamesTimeout),
    },
    Fault {
        name: "events-second-init-ends-subscriptions",
        about: "forgets the subscriptions of a connection on a second connection_init",
        breaks: R::EvtInit006,
        caught_by: "events/init/second-init",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-second-init-ends-the-connection",
        about: "closes the connection on a second connection_init",
        breaks: R::EvtInit006,
        caught_by: "events/init/second-init",
        how: edit("connection_ack", Nth::Only(2), Change::CloseInstead(4429)),
    },
    Fault {
        name: "events-drops-what-follows-init",
        about: "loses a subscribe that follows connection_init without a pause",
        breaks: R::EvtInit008,
        caught_by: "events/init/without-a-pause",
        how: How::Trap(Trigger::Word("subscribe"), Reaction::Ignore),
    },
    Fault {
        name: "events-strict-init",
        about: "closes the connection on members of connection_init that it does not know",
        breaks: R::EvtInit012,
        caught_by: "events/init/additional-members",
        how: How::Trap(Trigger::UnknownMember, Reaction::Close(1003)),
    },
    Fault {
        name: "events-deaf-to-unusual-inits",
        about: "does not answer a connection_init with members that it does not know",
        breaks: R::EvtInit012,
        caught_by: "events/init/additional-members",
        how: How::Trap(Trigger::UnknownMember, Reaction::Ignore),
    },
    Fault {
        name: "events-init-required",
        about: "ignores operations until connection_init has come",
        breaks: R::EvtInit004,
        caught_by: "events/init/never-sent",
        how: How::Skip(Check::InitOptional),
    },
    Fault {
        name: "events-init-required-to-unsubscribe",
        about: "answers no unsubscribe on a connection that never sent connection_init",
        breaks: R::EvtInit004,
        caught_by: "events/init/never-sent",
        how: How::Skip(Check::UnsubscribeAnswered),
    },
    Fault {
        name: "events-acks-unasked",
        about: "acknowledges a connection that never asked for it, when it subscribes",
        breaks: R::EvtInit005,
        caught_by: "events/init/no-unasked-acknowledgement",
        how: edit(
            "subscribe_success",
            Nth::Only(1),
            Change::Before(r#"{"type":"connection_ack","connectionTimeoutMs":300000}"#),
        ),
    },
    Fault {
        name: "events-ack-by-another-word",
        about: "says connection_ok in place of connection_ack",
        breaks: R::EvtInit002,
        caught_by: "events/init/acknowledged-each-time",
        how: edit("connection_ack", Nth::Every, Change::Rename("connection_ok")),
    },
    Fault {
        name: "events-no-ack",
        about: "does not answer connection_init",
        breaks: R::EvtInit002,
        caught_by: "events/init/names-the-timeout",
        how: How::Skip(Check::InitAnswered),
    },
];
