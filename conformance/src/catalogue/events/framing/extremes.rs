//! Messages that are well formed and more than a server has to bear: many levels, many characters.

use appsync_protocol::requirement::Requirement as R;
use serde_json::json;

use super::super::limits::{LARGE, five};
use super::super::publish_steps::{QUICK, beside_a_bystander, general_error, pinged, publish_refusal, receipt};
use super::super::steps::{all, any_of, connected, expect, say};
use crate::fault::{Fault, How, Reaction, Trigger};
use crate::scenario::{Need, Pattern, Scenario, Shape, Step};

/// How deep a value is that no reader of JSON should have to follow down.
const LEVELS: usize = 10_000;
/// Characters of an event that makes its message larger than any publish may be.
const HUGE: usize = 2_000_000;

pub(in super::super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/framing/repeated-members-and-deep-nesting",
        title: "JSON with repeated members or ten thousand levels harms nobody else.",
        covers: &[R::EvtFrame011, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let repeated = r#"{"type":"nothing_once","type":"nothing_twice","id":"a","id":"b"}"#;
            let (opened, closed) = ("[".repeat(LEVELS), "]".repeat(LEVELS));
            let nested = format!(r#"{{"type":"nothing_nested","id":"deep","nothing":{opened}{closed}}}"#);
            let provocation = all([
                connected(cast, 1),
                connected(cast, 2),
                connected(cast, 7),
                vec![say(1, repeated), Step::Quiet { conn: 1 }],
                pinged(7, R::EvtFrame011),
                vec![say(2, nested), Step::Quiet { conn: 2 }],
                pinged(7, R::EvtFrame011),
            ]);
            beside_a_bystander(cast, provocation)
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/huge-message",
        title: "A message of a megabyte is taken, and one of two is refused without harm to others.",
        covers: &[R::EvtFrame007, R::SynAlive001, R::SynAlive002],
        needs: &[Need::Limits],
        hazard: true,
        steps: |cast| {
            let channel = cast.channel("room");
            let huge = [json!("x".repeat(HUGE))];
            let refused = vec![
                publish_refusal("huge"),
                Pattern::with_id("publish_success", "huge").has("successful", Shape::Length(0)),
                general_error(),
                Pattern::closed(),
            ];
            let provocation = all([
                connected(cast, 1),
                vec![
                    say(1, cast.publish("large", &channel, &five(LARGE))),
                    expect(1, receipt("large", 5), R::EvtFrame007),
                    say(1, cast.publish("huge", &channel, &huge)),
                    any_of(1, refused, R::EvtFrame007),
                ],
            ]);
            beside_a_bystander(cast, provocation)
        },
        ..QUICK
    },
];

pub(in super::super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-repeated-members-are-fatal",
        about: "ends its process on repeated members",
        breaks: R::EvtFrame011,
        caught_by: "events/framing/repeated-members-and-deep-nesting",
        how: How::Trap(Trigger::Word("nothing_twice"), Reaction::Die),
    },
    Fault {
        name: "events-deep-nesting-is-fatal",
        about: "ends its process on a value of many levels",
        breaks: R::EvtFrame011,
        caught_by: "events/framing/repeated-members-and-deep-nesting",
        how: How::Trap(Trigger::LongerThan(LEVELS), Reaction::Die),
    },
    Fault {
        name: "events-large-messages-unanswered",
        about: "leaves messages of more than 900,000 characters without an answer",
        breaks: R::EvtFrame007,
        caught_by: "events/framing/huge-message",
        how: How::Trap(Trigger::LongerThan(900_000), Reaction::Ignore),
    },
    Fault {
        name: "events-huge-messages-unanswered",
        about: "leaves messages of more than 1,600,000 characters without an answer",
        breaks: R::EvtFrame007,
        caught_by: "events/framing/huge-message",
        how: How::Trap(Trigger::LongerThan(1_600_000), Reaction::Ignore),
    },
    Fault {
        name: "events-huge-messages-are-fatal",
        about: "ends its process on a message of more than 1,600,000 characters",
        breaks: R::SynAlive001,
        caught_by: "events/framing/huge-message",
        how: How::Trap(Trigger::LongerThan(1_600_000), Reaction::Die),
    },
];
