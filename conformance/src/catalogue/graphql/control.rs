//! The control: before anything may be called a pass, the target has shown that it can say no and that
//! an event reaches just the right subscription.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::steps::{
    INIT, QUICK, SUBSCRIBE_TO_MESSAGES, all, any_of, connected, forbidden, heard, heard_message, marked, published,
    say, send_message, stopped, subscribed, subscribed_to, warmed, warmed_with,
};
use crate::fault::{DoorCheck, Fault, How};
use crate::scenario::{Answer, Cast, Greeting, Need, Pattern, Scenario, Shape, Step};

/// Two subscriptions to two topics, and an event for one of them.
fn between_topics(cast: &Cast) -> Vec<Step> {
    let (right, wrong) = (cast.nonce("right"), cast.nonce("wrong"));
    let (nonce, marker) = (cast.nonce("event"), cast.nonce("marker"));
    all([
        connected(cast, 1),
        subscribed(cast, 1, "right", &right),
        subscribed(cast, 1, "wrong", &wrong),
        vec![
            warmed(cast, 1, "right", &right),
            warmed(cast, 1, "wrong", &wrong),
            forbidden(1, "wrong", &nonce, R::GqlSub012),
            published(cast, &right, &nonce),
            heard(cast, 1, "right", (&right, &nonce), R::GqlSub012),
            published(cast, &wrong, &marker),
            heard(cast, 1, "wrong", (&wrong, &marker), R::GqlSub012),
            Step::Quiet { conn: 1 },
        ],
    ])
}

/// Where every subscription hears every event: one that has ended, and one that has not.
fn to_what_is_there(cast: &Cast) -> Vec<Step> {
    let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
    all([
        connected(cast, 1),
        subscribed(cast, 1, "right", &room),
        subscribed(cast, 1, "wrong", &room),
        vec![warmed(cast, 1, "right", &room)],
        stopped(1, "wrong"),
        vec![
            forbidden(1, "wrong", &nonce, R::GqlSub012),
            published(cast, &room, &nonce),
            heard(cast, 1, "right", (&room, &nonce), R::GqlSub012),
        ],
        marked(cast, 1, "right", &room, R::GqlSub012),
    ])
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/control/refuses-a-wrong-key",
        title: "A connection with an unknown API key is refused.",
        covers: &[R::GqlAuth016],
        steps: |cast| {
            vec![
                Step::Open {
                    conn: 1,
                    request: cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials()),
                    any_of: vec![Greeting::accepted(), Greeting::client_error()],
                    rule: R::GqlAuth016,
                },
                say(1, INIT),
                any_of(
                    1,
                    vec![Pattern::word("connection_error"), Pattern::word("error"), Pattern::closed()],
                    R::GqlAuth016,
                ),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/control/delivers-to-the-right-subscription",
        title: "An event reaches the subscription of its field and no subscription of another field.",
        covers: &[R::GqlSub012],
        needs: &[Need::Subscription, Need::Contrast],
        steps: |cast| {
            if let Some(own) = &cast.own {
                return if own.has_topics() { between_topics(cast) } else { to_what_is_there(cast) };
            }
            let (room, nonce, marker) = (cast.nonce("room"), cast.nonce("event"), cast.nonce("marker"));
            // The event would come without its nonce: the other field's selection has no place for it.
            let sent = Step::Call {
                request: send_message(cast, &marker),
                any_of: vec![Answer::status(200).has("data.sendMessage", Shape::Object)],
                rule: R::GqlHttp002,
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "right", &room),
                subscribed_to(cast, 1, "wrong", SUBSCRIBE_TO_MESSAGES, &Json::Null),
                vec![
                    warmed(cast, 1, "right", &room),
                    warmed_with(cast, 1, "wrong", R::GqlSub012, |nonce| send_message(cast, nonce)),
                    forbidden(1, "wrong", &nonce, R::GqlSub012),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "right", (&room, &nonce), R::GqlSub012),
                    sent,
                    heard_message(1, "wrong", &marker, R::GqlSub012),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-any-key-connects",
        about: "takes every key at connect",
        breaks: R::GqlAuth016,
        caught_by: "graphql/control/refuses-a-wrong-key",
        how: How::Door(DoorCheck::ConnectKey),
    },
    Fault {
        name: "graphql-leak-to-another-field",
        about: "tells subscriptions of every field",
        breaks: R::GqlSub012,
        caught_by: "graphql/control/delivers-to-the-right-subscription",
        how: How::Skip(Check::FieldMatch),
    },
];
