//! Quotas that one connection can run into: subscriptions and sizes.

use appsync_protocol::json::json_text;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::publish_steps::{QUICK, edit, forbidden, receipt, said_and_taken};
use super::steps::{all, any_of, connected, expect, heard, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Need, Pattern, Scenario, Shape, Step, Tier};

/// Subscriptions that one connection holds.
const SUBSCRIPTIONS_MAX: u32 = 200;
/// Characters of an event that is well within 240 KB, however a KB is counted.
const LARGE: usize = 200_000;
/// Characters of an event that is well beyond.
const TOO_LARGE: usize = 300_000;

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/limits/subscriptions",
        title: "A connection holds 200 subscriptions, and the next is refused with MaxSubscriptionsReachedError.",
        covers: &[R::EvtSub010, R::EvtLimit004],
        needs: &[Need::Limits],
        tier: Tier::Standard,
        steps: |cast| {
            let channel = cast.channel("room");
            let granted = (1..=SUBSCRIPTIONS_MAX).map(|n| {
                let id = format!("s{n}");
                let success = Pattern::with_id("subscribe_success", &id);
                vec![say(1, cast.subscribe(&id, &channel)), expect(1, success, R::EvtLimit004)]
            });
            let refused = Pattern::with_id("subscribe_error", "more")
                .has("errors", Shape::ErrorType(&["MaxSubscriptionsReachedError"]));
            all([
                connected(cast, 1),
                all(granted),
                vec![say(1, cast.subscribe("more", &channel)), expect(1, refused, R::EvtSub010)],
                vec![
                    say(1, json!({ "type": "unsubscribe", "id": "s1" }).to_string()),
                    expect(1, Pattern::with_id("unsubscribe_success", "s1"), R::EvtSub016),
                    say(1, cast.subscribe("freed", &channel)),
                    expect(1, Pattern::with_id("subscribe_success", "freed"), R::EvtLimit004),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/limits/large-event",
        title: "An event of 200,000 characters is taken and delivered.",
        covers: &[R::EvtLimit002],
        needs: &[Need::Limits],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("large"));
            let large = json_text(&format!("{nonce} {}", "x".repeat(LARGE)));
            // EVT-A-01 is another scenario's business.
            let data = |shape| Pattern::with_id("data", "first").has("event", shape);
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                // The value itself would fill a report, so that any event will do; none is left over.
                vec![warmed(cast, 1, "first", &channel), Step::Quiet { conn: 1 }],
                vec![
                    say(1, cast.publish("large", &channel, &[large])),
                    expect(1, receipt("large", 1), R::EvtLimit002),
                    any_of(1, vec![data(Shape::Text), data(Shape::Array)], R::EvtLimit002),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/limits/too-large-an-event",
        title: "An event of 300,000 characters fails with EventTooLargeException, and the others of the batch go on.",
        covers: &[R::EvtPub016, R::EvtPub010],
        needs: &[Need::Limits],
        steps: |cast| {
            let channel = cast.channel("room");
            let (before, large, after) = (cast.nonce("before"), cast.nonce("large"), cast.nonce("after"));
            let too_large = json_text(&format!("{large} {}", "x".repeat(TOO_LARGE)));
            let entry = Pattern::with_id("publish_success", "three")
                .has("successful", Shape::Length(2))
                .has("failed", Shape::Length(1))
                .has("failed.0.index", Shape::Is(json!(1)));
            let named = entry.clone().has("failed.0.code", Shape::Is(json!("EventTooLargeException")));
            let answers = vec![
                named.reads("EVT-A-03", "code is a string"),
                entry.has("failed.0.code", Shape::PositiveInteger).reads("EVT-A-03", "code is a number"),
            ];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![
                    warmed(cast, 1, "first", &channel),
                    forbidden(1, "first", &large, R::EvtPub016),
                    say(1, cast.publish("three", &channel, &[json_text(&before), too_large, json_text(&after)])),
                    any_of(1, answers, R::EvtPub016),
                    heard(1, "first", &before, R::EvtPub016),
                    heard(1, "first", &after, R::EvtPub016),
                ],
                said_and_taken(cast, 1, "good", (&channel, &cast.nonce("good")), R::EvtPub025),
                vec![heard(1, "first", &cast.nonce("good"), R::EvtPub025), Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-199-subscriptions",
        about: "holds at most 199 subscriptions on a connection",
        breaks: R::EvtLimit004,
        caught_by: "events/limits/subscriptions",
        how: How::Set(|policy| policy.subscriptions_max = 199),
    },
    Fault {
        name: "events-201-subscriptions",
        about: "holds 201 subscriptions on a connection",
        breaks: R::EvtSub010,
        caught_by: "events/limits/subscriptions",
        how: How::Set(|policy| policy.subscriptions_max = 201),
    },
    Fault {
        name: "events-any-number-of-subscriptions",
        about: "does not count subscriptions",
        breaks: R::EvtSub010,
        caught_by: "events/limits/subscriptions",
        how: How::Skip(Check::SubscriptionLimit),
    },
    Fault {
        name: "events-subscription-limit-renamed",
        about: "names the limit of subscriptions LimitExceededError",
        breaks: R::EvtSub010,
        caught_by: "events/limits/subscriptions",
        how: edit("subscribe_error", Nth::Every, Change::Set("errors.0.errorType", r#""LimitExceededError""#)),
    },
    Fault {
        name: "events-128-kb",
        about: "takes events of 128 KB at most",
        breaks: R::EvtLimit002,
        caught_by: "events/limits/large-event",
        how: How::Set(|policy| policy.event_bytes_max = 128 * 1024),
    },
    Fault {
        name: "events-large-messages-ignored",
        about: "ignores messages longer than 128 KB",
        breaks: R::EvtLimit002,
        caught_by: "events/limits/large-event",
        how: How::Trap(Trigger::LongerThan(128 * 1024), Reaction::Ignore),
    },
    Fault {
        name: "events-large-event-not-delivered",
        about: "takes a large event and does not deliver it",
        breaks: R::EvtLimit002,
        caught_by: "events/limits/large-event",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-any-size",
        about: "takes events of any size",
        breaks: R::EvtPub016,
        caught_by: "events/limits/too-large-an-event",
        how: How::Skip(Check::EventSize),
    },
    Fault {
        name: "events-too-large-at-another-index",
        about: "names another event than the one that is too large",
        breaks: R::EvtPub016,
        caught_by: "events/limits/too-large-an-event",
        how: edit("publish_success", Nth::Only(1), Change::Set("failed.0.index", "0")),
    },
    Fault {
        name: "events-too-large-without-code",
        about: "does not say why an event failed",
        breaks: R::EvtPub010,
        caught_by: "events/limits/too-large-an-event",
        how: edit("publish_success", Nth::Every, Change::Remove("failed.0.code")),
    },
    Fault {
        name: "events-too-large-fails-the-batch",
        about: "does not deliver what comes after an event that is too large",
        breaks: R::EvtPub016,
        caught_by: "events/limits/too-large-an-event",
        how: edit("data", Nth::Only(3), Change::Drop),
    },
];
