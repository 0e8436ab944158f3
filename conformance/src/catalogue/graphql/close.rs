//! The end of a connection, and what a new one does not inherit.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;

use super::steps::{
    ANY, INIT, QUICK, SUBSCRIBE_TO_MESSAGES, all, connected, edit, expect, heard, marked_by_message, published, say,
    send_message, subscribed, subscribed_by, subscribed_to, warmed, warmed_by, warmed_with,
};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Greeting, Need, Pattern, Scenario, Step};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/close/answered",
        title: "A close frame is answered with a close frame.",
        covers: &[R::GqlClose008],
        steps: |cast| {
            all([
                connected(cast, 1),
                vec![Step::Hangup { conn: 1, code: Some(1000) }, expect(1, Pattern::close_frame(), R::GqlClose008)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/close/ids-are-free-again",
        title: "Ids that were used on an earlier connection are accepted on a new one and hear its events.",
        covers: &[R::GqlClose007],
        needs: ANY,
        steps: |cast| {
            let room = cast.nonce("room");
            let again = Step::Open {
                conn: 2,
                request: cast.usual_upgrade(),
                any_of: vec![Greeting::accepted()],
                rule: R::GqlClose007,
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "same", &room),
                vec![
                    Step::Hangup { conn: 1, code: None },
                    again,
                    say(2, INIT),
                    expect(2, Pattern::word("connection_ack"), R::GqlClose007),
                ],
                subscribed_by(cast, 2, "same", &room, R::GqlClose007),
                vec![warmed_by(cast, 2, "same", &room, R::GqlClose007)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/close/ends-every-subscription",
        title: "A new connection has none of the subscriptions of the one before it.",
        covers: &[R::GqlClose001],
        needs: &[Need::ChannelSchema, Need::MessageSchema],
        steps: |cast| {
            let (old, nonce) = (cast.nonce("old"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &old),
                vec![warmed(cast, 1, "first", &old), Step::Hangup { conn: 1, code: Some(1000) }],
                connected(cast, 2),
                subscribed_to(cast, 2, "second", SUBSCRIBE_TO_MESSAGES, &Json::Null),
                vec![
                    warmed_with(cast, 2, "second", R::GqlClose001, |nonce| send_message(cast, nonce)),
                    Step::Forbid { conn: 2, id: None, nonce: nonce.clone(), rule: R::GqlClose001 },
                    published(cast, &old, &nonce),
                ],
                marked_by_message(cast, 2, "second", R::GqlClose001),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/close/no-replay",
        title: "What happened while a client was away is not delivered to it later.",
        covers: &[R::GqlSub020],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("missed"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    Step::Hangup { conn: 1, code: None },
                    published(cast, &room, &nonce),
                ],
                connected(cast, 2),
                // An event may be under way for a while: it is for nobody once that is over.
                vec![Step::Forbid { conn: 2, id: None, nonce, rule: R::GqlSub020 }, Step::Quiet { conn: 2 }],
                subscribed(cast, 2, "first", &room),
                vec![warmed(cast, 2, "first", &room)],
                super::steps::marked(cast, 2, "first", &room, R::GqlSub020),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/close/spares-other-connections",
        title: "The end of one connection leaves the subscriptions of another one working.",
        covers: &[R::SynAlive001],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                connected(cast, 2),
                subscribed(cast, 1, "same", &room),
                subscribed(cast, 2, "same", &room),
                vec![
                    warmed(cast, 2, "same", &room),
                    Step::Hangup { conn: 1, code: Some(1000) },
                    published(cast, &room, &nonce),
                    heard(cast, 2, "same", (&room, &nonce), R::SynAlive001),
                ],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-replays-to-a-new-subscription",
        about: "sends an old event to a new subscription",
        breaks: R::GqlSub020,
        caught_by: "graphql/close/no-replay",
        how: edit(
            "start_ack",
            Nth::Every,
            Change::After(
                r#"{"type":"data","id":"first","payload":{"data":{"subscribe2channel":{"name":"a","data":"{}"}}}}"#,
            ),
        ),
    },
    Fault {
        name: "graphql-close-drops-the-transport",
        about: "drops the transport in place of answering a close frame",
        breaks: R::GqlClose008,
        caught_by: "graphql/close/answered",
        how: How::Trap(Trigger::Close, Reaction::Lose),
    },
    Fault {
        name: "graphql-close-unanswered",
        about: "does not answer a close frame",
        breaks: R::GqlClose008,
        caught_by: "graphql/close/answered",
        how: How::Trap(Trigger::Close, Reaction::Ignore),
    },
    Fault {
        name: "graphql-close-ends-all-connections",
        about: "drops every connection when one client closes",
        breaks: R::SynAlive001,
        caught_by: "graphql/close/spares-other-connections",
        how: How::Trap(Trigger::Close, Reaction::LoseAll),
    },
    Fault {
        name: "graphql-subscription-outlives-its-connection",
        about: "delivers events of an old subscription to a new connection",
        breaks: R::GqlClose001,
        caught_by: "graphql/close/ends-every-subscription",
        how: How::Skip(appsync_protocol::server::Check::FieldMatch),
    },
    Fault {
        name: "graphql-new-connection-is-deaf",
        about: "delivers nothing to an id that another connection has used",
        breaks: R::GqlClose007,
        caught_by: "graphql/close/ids-are-free-again",
        how: edit("data", Nth::Every, Change::Drop),
    },
];
