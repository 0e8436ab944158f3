//! Opening the session: what answers `connection_init`, and what follows a refusal.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::steps::{
    ANY, INIT, QUICK, all, any_of, connected, edit, expect, open, open_in_vain, pinged, say, told_by_error,
};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Pattern, Scenario, Shape, Step};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/init/acknowledged",
        title: "A connection_init without payload is answered with connection_ack.",
        covers: &[R::GqlInit002, R::GqlInit007],
        steps: |cast| connected(cast, 1),
        ..QUICK
    },
    Scenario {
        id: "graphql/init/names-the-timeout",
        title: "The acknowledgement says in connectionTimeoutMs how many milliseconds to wait for a keep-alive.",
        covers: &[R::GqlInit003],
        steps: |cast| {
            let named = Pattern::word("connection_ack").has("payload.connectionTimeoutMs", Shape::PositiveInteger);
            vec![open(cast, 1), say(1, INIT), expect(1, named, R::GqlInit003)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/init/timeout-of-five-minutes",
        title: "The timeout that the acknowledgement names is five minutes, or so many milliseconds as make sense.",
        covers: &[R::GqlInit004],
        steps: |cast| {
            let value = |shape| Pattern::word("connection_ack").has("payload.connectionTimeoutMs", shape);
            // Another value is no more than remarkable, but one that must have been meant as seconds is wrong.
            let accepted = vec![value(Shape::Is(300_000.into())), value(Shape::Absent), value(Shape::AtLeast(1_000))];
            vec![open(cast, 1), say(1, INIT), any_of(1, accepted, R::GqlInit004)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/init/acknowledgement-has-no-id",
        title: "The acknowledgement of a connection has no id.",
        covers: &[R::GqlInit012],
        steps: |cast| {
            vec![open(cast, 1), say(1, INIT), expect(1, Pattern::without_id("connection_ack"), R::GqlInit012)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/init/acknowledged-once",
        title: "One connection_init gets one acknowledgement.",
        covers: &[R::GqlInit013],
        steps: |cast| all([connected(cast, 1), vec![Step::Quiet { conn: 1 }], pinged(1, R::GqlFrame006)]),
        ..QUICK
    },
    Scenario {
        id: "graphql/init/early-start",
        title: "A start before the acknowledgement does no harm to the session.",
        covers: &[R::GqlInit005],
        needs: ANY,
        steps: |cast| {
            let start = cast.start_channel("early", &cast.nonce("room"));
            let readings = vec![
                Pattern::with_id("start_ack", "early").reads("GQL-A-02", "a start before connection_ack is forgotten"),
                Pattern::with_id("error", "early").reads("GQL-A-02", "a start before connection_ack is processed"),
            ];
            vec![
                open(cast, 1),
                say(1, start.clone()),
                say(1, INIT),
                expect(1, Pattern::word("connection_ack"), R::GqlInit005),
                say(1, start),
                any_of(1, readings, R::GqlInit005),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/init/refusal-closes",
        title: "A connection that is refused is told so by a message and then closed.",
        covers: &[R::GqlInit008, R::GqlErr024],
        steps: |cast| {
            let request = cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials());
            vec![
                open_in_vain(1, request, R::GqlInit008),
                say(1, INIT),
                any_of(1, vec![Pattern::word("connection_error"), told_by_error()], R::GqlInit008),
                expect(1, Pattern::closed(), R::GqlErr024),
            ]
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-ack-timeout-as-text",
        about: "names the timeout as a string",
        breaks: R::GqlInit003,
        caught_by: "graphql/init/names-the-timeout",
        how: edit("connection_ack", Nth::Every, Change::Stringify("payload.connectionTimeoutMs")),
    },
    Fault {
        name: "graphql-ack-timeout-under-another-name",
        about: "calls the timeout connectionTimeout",
        breaks: R::GqlInit003,
        caught_by: "graphql/init/names-the-timeout",
        how: edit("connection_ack", Nth::Every, Change::Set("payload", r#"{"connectionTimeout":300000}"#)),
    },
    Fault {
        name: "graphql-ack-timeout-at-the-top",
        about: "names the timeout beside the payload, as the Events dialect does",
        breaks: R::GqlInit003,
        caught_by: "graphql/init/names-the-timeout",
        how: edit(
            "connection_ack",
            Nth::Every,
            Change::Before(r#"{"type":"connection_ack","connectionTimeoutMs":300000}"#),
        ),
    },
    Fault {
        name: "graphql-ack-timeout-negative",
        about: "names a timeout below zero",
        breaks: R::GqlInit003,
        caught_by: "graphql/init/names-the-timeout",
        how: edit("connection_ack", Nth::Every, Change::Set("payload.connectionTimeoutMs", "-1")),
    },
    Fault {
        name: "graphql-ack-timeout-zero",
        about: "names a timeout of zero",
        breaks: R::GqlInit003,
        caught_by: "graphql/init/names-the-timeout",
        how: edit("connection_ack", Nth::Every, Change::Set("payload.connectionTimeoutMs", "0")),
    },
    Fault {
        name: "graphql-ack-timeout-in-seconds",
        about: "names the timeout in seconds",
        breaks: R::GqlInit004,
        caught_by: "graphql/init/timeout-of-five-minutes",
        how: How::Set(|policy| policy.silence_limit_ms = 300),
    },
    Fault {
        name: "graphql-ack-without-timeout",
        about: "names no timeout",
        breaks: R::GqlInit003,
        caught_by: "graphql/init/names-the-timeout",
        how: How::Skip(Check::AckNamesTimeout),
    },
    Fault {
        name: "graphql-ack-with-id",
        about: "acknowledges a connection under an id",
        breaks: R::GqlInit012,
        caught_by: "graphql/init/acknowledgement-has-no-id",
        how: edit("connection_ack", Nth::Every, Change::Set("id", r#""1""#)),
    },
    Fault {
        name: "graphql-ack-twice",
        about: "acknowledges a connection twice",
        breaks: R::GqlInit013,
        caught_by: "graphql/init/acknowledged-once",
        how: edit("connection_ack", Nth::Every, Change::Duplicate),
    },
    Fault {
        name: "graphql-early-start-ends-the-connection",
        about: "closes the connection on a start before the acknowledgement",
        breaks: R::GqlInit005,
        caught_by: "graphql/init/early-start",
        how: How::Trap(Trigger::Word("start"), Reaction::Close(4401)),
    },
    Fault {
        name: "graphql-refused-connection-stays",
        about: "leaves a refused connection open",
        breaks: R::GqlErr024,
        caught_by: "graphql/init/refusal-closes",
        how: How::Skip(Check::CloseAfterRefusal),
    },
    Fault {
        name: "graphql-refused-connection-just-closed",
        about: "closes a refused connection without a message",
        breaks: R::GqlInit008,
        caught_by: "graphql/init/refusal-closes",
        how: edit("connection_error", Nth::Every, Change::Drop),
    },
    Fault {
        name: "graphql-ack-by-another-word",
        about: "says connection_ok in place of connection_ack",
        breaks: R::GqlInit002,
        caught_by: "graphql/init/acknowledged",
        how: edit("connection_ack", Nth::Every, Change::Rename("connection_ok")),
    },
    Fault {
        name: "graphql-no-ack",
        about: "does not answer connection_init",
        breaks: R::GqlInit002,
        caught_by: "graphql/init/acknowledged",
        how: How::Skip(Check::InitAnswered),
    },
];
