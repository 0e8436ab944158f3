//! The control: before anything may be called a pass, the target has shown that it can say no and that
//! an event reaches just the right subscription.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::steps::{all, connected, expect, heard, published, say, subscribed, warmed};
use crate::fault::{DoorCheck, Fault, How};
use crate::scenario::{Greeting, Need, Pattern, Scenario, Step, Tier};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/control/refuses-a-wrong-key",
        title: "A connection with an unknown API key is refused.",
        dialect: Dialect::Graphql,
        covers: &[R::GqlAuth016],
        needs: &[],
        tier: Tier::Quick,
        hazard: false,
        steps: |cast| {
            vec![
                Step::Open {
                    conn: 1,
                    request: cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials()),
                    any_of: vec![Greeting::accepted(), Greeting::client_error()],
                    rule: R::GqlAuth016,
                },
                say(1, r#"{"type":"connection_init"}"#),
                super::steps::any_of(
                    1,
                    vec![Pattern::word("connection_error"), Pattern::word("error"), Pattern::closed()],
                    R::GqlAuth016,
                ),
            ]
        },
    },
    Scenario {
        id: "graphql/control/delivers-to-the-right-subscription",
        title: "An event reaches the subscription of its field and no subscription of another field.",
        dialect: Dialect::Graphql,
        covers: &[R::GqlSub012],
        needs: &[Need::ChannelSchema, Need::MessageSchema],
        tier: Tier::Quick,
        hazard: false,
        steps: |cast| {
            let (room, nonce, marker) = (cast.nonce("room"), cast.nonce("event"), cast.nonce("marker"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "right", &room),
                vec![
                    say(
                        1,
                        cast.start(
                            "wrong",
                            "subscription { subscribeToMessages { message } }",
                            &serde_json::Value::Null,
                        ),
                    ),
                    expect(1, Pattern::with_id("start_ack", "wrong"), R::GqlSub006),
                    warmed(cast, 1, "right", &room),
                    Step::Forbid { conn: 1, id: Some("wrong".into()), nonce: nonce.clone(), rule: R::GqlSub012 },
                    published(cast, &room, &nonce),
                    heard(1, "right", &room, &nonce, R::GqlSub012),
                    published(cast, &room, &marker),
                    heard(1, "right", &room, &marker, R::GqlSub012),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
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
