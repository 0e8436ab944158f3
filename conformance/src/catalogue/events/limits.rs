//! Quotas that one connection can run into: subscriptions and sizes.

use appsync_protocol::json::{Json, json_text};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::{Check, Policy};
use serde_json::json;

use super::publish_steps::{QUICK, edit, forbidden, publish_one, publish_refusal, receipt, said_and_taken};
use super::session_steps::{taken, turned_down};
use super::steps::{all, any_of, connected, expect, heard, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger, rewrites};
use crate::scenario::{Capability, Need, Pattern, Scenario, Shape, Step, Tier};

/// Subscriptions that one connection holds.
const SUBSCRIPTIONS_MAX: u32 = 200;
/// Characters of an event that is well within 240 KB, however a KB is counted.
pub(super) const LARGE: usize = 200_000;
/// Characters of an event that is well beyond.
pub(super) const TOO_LARGE: usize = 300_000;
/// Publishes that one connection can send in a second.
const PUBLISHES_IN_A_SECOND: u32 = 25;

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/limits/subscriptions",
        title: "A connection holds 200 subscriptions, and the next is refused with MaxSubscriptionsReachedError.",
        covers: &[R::EvtSub010, R::EvtLimit004],
        needs: &[Need::Limits, Need::Capability(Capability::DefaultQuotas)],
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
            let data = Pattern::with_id("data", "first").has("event", Shape::LongText(LARGE));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                // The value itself would fill a report, so that any event of its length will do; none is left over.
                vec![warmed(cast, 1, "first", &channel), Step::Quiet { conn: 1 }],
                vec![
                    say(1, cast.publish("large", &channel, &[large])),
                    expect(1, receipt("large", 1), R::EvtLimit002),
                    expect(1, data, R::EvtLimit002),
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
                .has("failed.0.index", Shape::Is(json!(1)))
                .has("failed.0.identifier", Shape::Text);
            let code = entry.clone().has("failed.0.code", Shape::Is(json!("EventTooLargeException")));
            let answers = vec![
                code.clone().has("failed.0.message", Shape::Text).reads("EVT-A-03", "code is a string"),
                code.has("failed.0.errorMessage", Shape::Text).reads("EVT-A-03", "message has another name"),
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
    Scenario {
        id: "events/limits/large-publish",
        title: "A publish of a million characters is taken, and one of a million and a half is refused, whole or event by event.",
        covers: &[R::EvtLimit003],
        needs: &[Need::Limits],
        steps: |cast| {
            let channel = cast.channel("room");
            let refused = vec![
                publish_refusal("much"),
                Pattern::with_id("publish_success", "much").has("successful", Shape::Length(0)),
                Pattern::word("error"),
                Pattern::closed(),
            ];
            all([
                connected(cast, 1),
                vec![
                    say(1, cast.publish("large", &channel, &five(LARGE))),
                    expect(1, receipt("large", 5), R::EvtLimit003),
                    say(1, cast.publish("much", &channel, &five(TOO_LARGE))),
                    any_of(1, refused, R::EvtLimit003),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/limits/publishes-in-a-second",
        title: "Twenty-five publishes at once are taken on one connection.",
        covers: &[R::EvtLimit005],
        needs: &[Need::Limits],
        steps: |cast| {
            let channel = cast.channel("room");
            let ids: Vec<_> = (1..=PUBLISHES_IN_A_SECOND).map(|n| format!("p{n}")).collect();
            all([
                connected(cast, 1),
                ids.iter().map(|id| say(1, publish_one(cast, id, &channel, &cast.nonce(id)))).collect(),
                ids.iter().map(|id| expect(1, receipt(id, 1), R::EvtLimit005)).collect(),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/limits/longest-channel",
        title: "A channel of five segments with up to fifty characters is taken, and one beyond either limit is refused.",
        covers: &[R::EvtLimit009],
        steps: |cast| {
            let segment = "s".repeat(50);
            let room = cast.channel("room");
            let longest = format!("{room}/{segment}/{segment}/{segment}");
            all([
                connected(cast, 1),
                taken(cast, 1, "longest", &longest, R::EvtLimit009),
                said_and_taken(cast, 1, "published", (&longest, &cast.nonce("event")), R::EvtLimit009),
                turned_down(cast, 1, "six", &format!("{longest}/s"), R::EvtLimit009),
                turned_down(cast, 1, "wide", &format!("{room}/{segment}s"), R::EvtLimit009),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/limits/longest-id",
        title: "An id of 128 characters is taken, for a subscription as for a publish.",
        covers: &[R::EvtLimit010],
        steps: |cast| {
            let channel = cast.channel("room");
            let (subscription, publish) = ("s".repeat(128), "p".repeat(128));
            all([
                connected(cast, 1),
                taken(cast, 1, &subscription, &channel, R::EvtLimit010),
                said_and_taken(cast, 1, &publish, (&channel, &cast.nonce("event")), R::EvtLimit010),
            ])
        },
        ..QUICK
    },
];

/// Five events of this many characters each.
pub(super) fn five(characters: usize) -> Vec<Json> {
    (0..5).map(|_| json_text(&"x".repeat(characters))).collect()
}

/// Lets publishes and events be of any size.
pub(super) const fn no_sizes(policy: &mut Policy) {
    policy.publish_bytes_max = usize::MAX;
    policy.event_bytes_max = usize::MAX;
}

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
        name: "events-too-large-without-message",
        about: "does not say in words why an event failed",
        breaks: R::EvtPub016,
        caught_by: "events/limits/too-large-an-event",
        how: edit("publish_success", Nth::Every, Change::Remove("failed.0.message")),
    },
    Fault {
        name: "events-large-event-cut",
        about: "delivers the first 65,536 characters of an event",
        breaks: R::EvtLimit002,
        caught_by: "events/limits/large-event",
        how: edit("data", Nth::Every, Change::Rewrite(rewrites::cut_at_64_k)),
    },
    Fault {
        name: "events-too-large-fails-the-batch",
        about: "does not deliver what comes after an event that is too large",
        breaks: R::EvtPub016,
        caught_by: "events/limits/too-large-an-event",
        how: edit("data", Nth::Only(3), Change::Drop),
    },
    Fault {
        name: "events-publish-of-900-kb",
        about: "takes publishes of 900,000 characters at most",
        breaks: R::EvtLimit003,
        caught_by: "events/limits/large-publish",
        how: How::Set(|policy| policy.publish_bytes_max = 900_000),
    },
    Fault {
        name: "events-publish-of-any-size",
        about: "takes publishes of any size, with events of any size",
        breaks: R::EvtLimit003,
        caught_by: "events/limits/large-publish",
        how: How::Set(no_sizes),
    },
    Fault {
        name: "events-twenty-publishes-in-a-second",
        about: "takes twenty publishes in a row",
        breaks: R::EvtLimit005,
        caught_by: "events/limits/publishes-in-a-second",
        how: edit("publish_success", Nth::From(21), Change::Rename("publish_error")),
    },
    Fault {
        name: "events-channels-of-any-length",
        about: "takes channels of any length",
        breaks: R::EvtLimit009,
        caught_by: "events/limits/longest-channel",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-shorter-channels",
        about: "refuses to publish to the longest channels",
        breaks: R::EvtLimit009,
        caught_by: "events/limits/longest-channel",
        how: edit("publish_success", Nth::Every, Change::Rename("publish_error")),
    },
    Fault {
        name: "events-shorter-ids",
        about: "refuses subscriptions with the longest ids",
        breaks: R::EvtLimit010,
        caught_by: "events/limits/longest-id",
        how: edit("subscribe_success", Nth::Every, Change::Rename("subscribe_error")),
    },
    Fault {
        name: "events-cuts-ids",
        about: "gives the longest id of a publish back as another",
        breaks: R::EvtLimit010,
        caught_by: "events/limits/longest-id",
        how: edit("publish_success", Nth::Every, Change::MangleId),
    },
];
