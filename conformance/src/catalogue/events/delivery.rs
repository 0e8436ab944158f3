//! Events: that they arrive, for whom, and what is in them.

use appsync_protocol::json::{Json, json_text};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::publish_steps::{QUICK, edit, forbidden, marked, publish_one, receipt, warmed_by};
use super::steps::{all, any_of, connected, expect, heard, heard_value, published, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Answer, Need, Pattern, Scenario, Shape, Step};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/delivery/data-form",
        title: "An event reaches the subscription as JSON text in the member event.",
        covers: &[R::EvtData002, R::EvtData001],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let value = json!({ "nonce": nonce, "n": 1 });
            let data = |shape: Shape| {
                Pattern::with_id("data", "first").has("event", Shape::JsonText(value.clone())).has("event", shape)
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![
                    warmed(cast, 1, "first", &channel),
                    Step::Call {
                        request: cast.http_publish(&channel, std::slice::from_ref(&value)),
                        any_of: vec![Answer::status(200)],
                        rule: R::EvtHttp004,
                    },
                    any_of(
                        1,
                        vec![
                            data(Shape::Text).reads("EVT-A-01", "a string"),
                            data(Shape::Array).reads("EVT-A-01", "an array of one string"),
                        ],
                        R::EvtData002,
                    ),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/one-message-for-each-event",
        title: "Each of the five events of a batch comes in a message of its own.",
        covers: &[R::EvtData003],
        steps: |cast| {
            let channel = cast.channel("room");
            let nonces: Vec<_> = (1..=5).map(|n| cast.nonce(&format!("event-{n}"))).collect();
            let events: Vec<_> = nonces.iter().map(|nonce| json_text(nonce)).collect();
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![
                    warmed(cast, 1, "first", &channel),
                    Step::Call {
                        request: cast.http_publish(&channel, &events),
                        any_of: vec![Answer::status(200).has("successful", Shape::Length(5))],
                        rule: R::EvtHttp004,
                    },
                ],
                nonces.iter().map(|nonce| heard(1, "first", nonce, R::EvtData003)).collect(),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/every-matching-subscription-once",
        title: "Two subscriptions to a channel and one by wildcard each get the event once, under their own ids.",
        covers: &[R::EvtData004],
        steps: |cast| {
            let (above, nonce) = (cast.channel("room"), cast.nonce("event"));
            let channel = format!("{above}/corner");
            let ids = ["exact", "again", "wild"];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "exact", &channel),
                subscribed(cast, 1, "again", &channel),
                subscribed(cast, 1, "wild", &format!("{above}/*")),
                ids.iter().map(|id| warmed_by(cast, 1, id, &channel, R::EvtData004)).collect(),
                vec![published(cast, &channel, &nonce)],
                ids.iter().map(|id| heard(1, id, &nonce, R::EvtData004)).collect(),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/publisher-hears-itself",
        title: "A publisher gets its own event on the subscription that it holds.",
        covers: &[R::EvtData005],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![
                    warmed(cast, 1, "first", &channel),
                    say(1, publish_one(cast, "own", &channel, &nonce)),
                    heard(1, "first", &nonce, R::EvtData005),
                    expect(1, receipt("own", 1), R::EvtPub007),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/another-namespace-does-not-hear",
        title: "An event stays away from a channel of the same name below another namespace.",
        covers: &[R::EvtData006],
        needs: &[Need::SecondNamespace],
        steps: |cast| {
            let (here, nonce) = (cast.channel("room"), cast.nonce("event"));
            let there = format!("/{}/{}", cast.namespaces.get(1).map_or("other", String::as_str), cast.nonce("room"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "here", &here),
                subscribed(cast, 1, "there", &there),
                vec![
                    warmed(cast, 1, "here", &here),
                    warmed(cast, 1, "there", &there),
                    forbidden(1, "there", &nonce, R::EvtData006),
                    published(cast, &here, &nonce),
                    heard(1, "here", &nonce, R::EvtData001),
                ],
                marked(cast, 1, "there", &there, R::EvtData001),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/payloads-keep-their-meaning",
        title: "An event of any JSON type arrives with the meaning it was published with.",
        covers: &[R::EvtPub027, R::EvtPub003],
        steps: |cast| {
            let channel = cast.channel("room");
            let events = payloads(&cast.nonce("event"));
            let each = events.iter().enumerate().map(|(n, value)| {
                let id = format!("p{n}");
                vec![
                    say(1, cast.publish(&id, &channel, std::slice::from_ref(value))),
                    expect(1, receipt(&id, 1), R::EvtPub003),
                    heard_value(1, "first", value.clone(), R::EvtPub027),
                ]
            });
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![warmed(cast, 1, "first", &channel)],
                all(each),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/nothing-is-kept",
        title: "An event published while the subscriber was away is not delivered when it comes back.",
        covers: &[R::EvtData008],
        steps: |cast| {
            let (channel, missed) = (cast.channel("room"), cast.nonce("missed"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![
                    warmed(cast, 1, "first", &channel),
                    Step::Hangup { conn: 1, code: None },
                    published(cast, &channel, &missed),
                ],
                connected(cast, 2),
                vec![Step::Quiet { conn: 2 }, forbidden(2, "first", &missed, R::EvtData008)],
                subscribed(cast, 2, "first", &channel),
                vec![warmed(cast, 2, "first", &channel)],
                marked(cast, 2, "first", &channel, R::EvtData001),
            ])
        },
        ..QUICK
    },
];

/// One value of each JSON type, and what tends to suffer on the way.
fn payloads(nonce: &str) -> Vec<Json> {
    vec![
        json!(7),
        json!(9_007_199_254_740_993_i64),
        json!(-0.125),
        json!(true),
        Json::Null,
        json!(""),
        json!([]),
        json!({}),
        json!({ "nonce": nonce, "nested": { "list": [1, [2, { "deep": null }]], "empty": {}, "none": [] } }),
        json!([nonce, "grüße, 日本, 😀, \u{2028}"]),
        json!(format!("{nonce} \"quoted\" back\\slash \n \t \u{1} / \u{7f}")),
    ]
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-event-as-object",
        about: "sends the event itself where its JSON text belongs",
        breaks: R::EvtData002,
        caught_by: "events/delivery/data-form",
        how: edit("data", Nth::From(2), Change::Set("event", r#"{"nonce":1}"#)),
    },
    Fault {
        name: "events-event-as-number",
        about: "sends a number in event",
        breaks: R::EvtData002,
        caught_by: "events/delivery/data-form",
        how: edit("data", Nth::From(2), Change::Set("event", "7")),
    },
    Fault {
        name: "events-data-with-another-id",
        about: "names no subscription of the client in data",
        breaks: R::EvtData001,
        caught_by: "events/delivery/data-form",
        how: edit("data", Nth::Every, Change::MangleId),
    },
    Fault {
        name: "events-second-of-a-batch-lost",
        about: "delivers all events of a batch but the second",
        breaks: R::EvtData003,
        caught_by: "events/delivery/one-message-for-each-event",
        how: edit("data", Nth::Only(3), Change::Drop),
    },
    Fault {
        name: "events-last-of-a-batch-garbled",
        about: "fills the message of the last event of a batch with something else",
        breaks: R::EvtData003,
        caught_by: "events/delivery/one-message-for-each-event",
        how: edit("data", Nth::Only(6), Change::Set("event", r#""[1,2,3,4,5]""#)),
    },
    Fault {
        name: "events-one-subscription-of-a-connection",
        about: "tells only the first matching subscription of a connection",
        breaks: R::EvtData004,
        caught_by: "events/delivery/every-matching-subscription-once",
        how: How::Skip(Check::EverySubscription),
    },
    Fault {
        name: "events-delivered-twice",
        about: "sends every event twice",
        breaks: R::EvtData004,
        caught_by: "events/delivery/every-matching-subscription-once",
        how: How::Skip(Check::DeliveredOnce),
    },
    Fault {
        name: "events-data-to-another-subscription",
        about: "puts the id of another subscription of the connection into data",
        breaks: R::EvtData004,
        caught_by: "events/delivery/every-matching-subscription-once",
        how: edit("data", Nth::Every, Change::OtherId),
    },
    Fault {
        name: "events-publisher-hears-nothing",
        about: "tells everybody but the publisher",
        breaks: R::EvtData005,
        caught_by: "events/delivery/publisher-hears-itself",
        how: How::Skip(Check::EchoToPublisher),
    },
    Fault {
        name: "events-third-event-strays",
        about: "sends the third event of a connection to another subscription",
        breaks: R::EvtData006,
        caught_by: "events/delivery/another-namespace-does-not-hear",
        how: edit("data", Nth::Only(3), Change::OtherId),
    },
    Fault {
        name: "events-number-becomes-text",
        about: "turns an event that is a number into a string",
        breaks: R::EvtPub027,
        caught_by: "events/delivery/payloads-keep-their-meaning",
        how: edit("data", Nth::Only(2), Change::Stringify("event")),
    },
    Fault {
        name: "events-null-becomes-an-object",
        about: "delivers an empty object in place of null",
        breaks: R::EvtPub027,
        caught_by: "events/delivery/payloads-keep-their-meaning",
        how: edit("data", Nth::Only(6), Change::Set("event", r#""{}""#)),
    },
    Fault {
        name: "events-escapes-ignored",
        about: "ignores a publish with an escaped control character",
        breaks: R::EvtPub003,
        caught_by: "events/delivery/payloads-keep-their-meaning",
        how: How::Trap(Trigger::Escapes, Reaction::Ignore),
    },
    Fault {
        name: "events-replays-to-newcomers",
        about: "sends an earlier event right after the grant",
        breaks: R::EvtData008,
        caught_by: "events/delivery/nothing-is-kept",
        how: edit(
            "subscribe_success",
            Nth::Every,
            Change::After(r#"{"type":"data","id":"first","event":"\"from before\""}"#),
        ),
    },
];
