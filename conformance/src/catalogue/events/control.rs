//! The control: before anything may be called a pass, the target has shown that it can say no and that
//! an event reaches just the right subscription.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::steps::{all, connected, heard, published, say, subscribed, warmed};
use crate::fault::{DoorCheck, Fault, How};
use crate::scenario::{Greeting, Pattern, Scenario, Step, Tier};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/control/refuses-a-wrong-key",
        title: "A connection with an unknown API key is refused.",
        dialect: Dialect::Events,
        covers: &[R::EvtAuth027],
        needs: &[],
        tier: Tier::Quick,
        hazard: false,
        steps: |cast| {
            vec![
                Step::Open {
                    conn: 1,
                    request: cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials()),
                    any_of: vec![Greeting::accepted(), Greeting::client_error()],
                    rule: R::EvtAuth027,
                },
                say(1, r#"{"type":"connection_init"}"#),
                super::steps::any_of(1, vec![Pattern::word("connection_error"), Pattern::closed()], R::EvtAuth027),
            ]
        },
    },
    Scenario {
        id: "events/control/delivers-to-the-right-subscription",
        title: "An event reaches the subscription of its channel and no subscription of another channel.",
        dialect: Dialect::Events,
        covers: &[R::EvtData006, R::EvtData001],
        needs: &[],
        tier: Tier::Quick,
        hazard: false,
        steps: |cast| {
            let (right, wrong) = (cast.channel("right"), cast.channel("wrong"));
            let (nonce, marker) = (cast.nonce("event"), cast.nonce("marker"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "right", &right),
                subscribed(cast, 1, "wrong", &wrong),
                vec![
                    warmed(cast, 1, "right", &right),
                    Step::Forbid { conn: 1, id: Some("wrong".into()), nonce: nonce.clone(), rule: R::EvtData006 },
                    published(cast, &right, &nonce),
                    heard(1, "right", &nonce, R::EvtData001),
                    published(cast, &right, &marker),
                    heard(1, "right", &marker, R::EvtData001),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-any-key-connects",
        about: "takes every key at connect",
        breaks: R::EvtAuth027,
        caught_by: "events/control/refuses-a-wrong-key",
        how: How::Door(DoorCheck::ConnectKey),
    },
    Fault {
        name: "events-leak-to-another-channel",
        about: "tells every subscription of the namespace",
        breaks: R::EvtData006,
        caught_by: "events/control/delivers-to-the-right-subscription",
        how: How::Skip(Check::ChannelMatch),
    },
];
