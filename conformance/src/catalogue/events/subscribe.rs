//! Beginning subscriptions: `subscribe`, its answers, and what is left as it is.

pub(super) mod ids;

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::session_steps::{QUICK, beside_a_bystander, edit, pinged, refusal, refusals, taken, turned_down, warmed_by};
use super::steps::{all, any_of, connected, expect, heard, published, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Cast, Pattern, Scenario, Step};

/// `subscribe` with the good key and an id and a channel of whatever type.
fn subscribe_with(cast: &Cast, id: &Json, channel: &Json) -> Step {
    let authorization = cast.authorization_of(&format!(r#"{{"channel":{channel}}}"#));
    say(1, format!(r#"{{"type":"subscribe","id":{id},"channel":{channel},"authorization":{authorization}}}"#))
}

/// A channel that none is.
fn no_channel(cast: &Cast) -> String {
    format!("{}/a_b", cast.channel("room"))
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/subscribe/acknowledged",
        title: "A subscribe is answered with one subscribe_success of the same id.",
        covers: &[R::EvtSub007],
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &cast.channel("one")),
                subscribed(cast, 1, "second", &cast.channel("two")),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/refusal-form",
        title: "A subscribe that fails is answered by subscribe_error alone, with its id and an array of errors.",
        covers: &[R::EvtSub008, R::EvtErr001, R::EvtErr005, R::EvtSub007],
        steps: |cast| {
            all([
                connected(cast, 1),
                vec![
                    say(1, cast.subscribe("bad", &no_channel(cast))),
                    expect(1, refusal("bad"), R::EvtSub008),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/several-on-one-channel",
        title: "A connection holds several subscriptions to one channel, and each hears every event once.",
        covers: &[R::EvtSub009, R::EvtData004],
        steps: |cast| {
            let (room, nonce) = (cast.channel("room"), cast.nonce("event"));
            let ids = ["a", "b", "c"];
            all([
                connected(cast, 1),
                ids.iter().flat_map(|id| taken(cast, 1, id, &room, R::EvtSub009)).collect(),
                ids.iter().map(|id| warmed_by(cast, 1, id, &room, R::EvtData004)).collect(),
                vec![published(cast, &room, &nonce)],
                ids.iter().map(|id| heard(1, id, &nonce, R::EvtData004)).collect(),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/failure-leaves-the-others",
        title: "After a subscribe that failed, the connection and its other subscriptions remain usable.",
        covers: &[R::EvtSub022],
        steps: |cast| {
            let (room, nonce) = (cast.channel("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![warmed(cast, 1, "first", &room)],
                turned_down(cast, 1, "bad", &no_channel(cast), R::EvtSub008),
                vec![published(cast, &room, &nonce), heard(1, "first", &nonce, R::EvtSub022)],
                taken(cast, 1, "bad", &room, R::EvtSub022),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/channel-of-another-type",
        title: "A subscribe whose channel is no string is answered with an error and harms nobody.",
        covers: &[R::EvtSub023, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let odd = [("number", json!(5)), ("object", json!({})), ("array", json!(["a"])), ("null", Json::Null)];
            let asked = odd.iter().map(|(id, channel)| subscribe_with(cast, &json!(id), channel)).collect();
            let told = odd.iter().map(|(id, _)| any_of(1, refusals(id), R::EvtSub023)).collect();
            let provoked = all([connected(cast, 1), asked]);
            beside_a_bystander(cast, provoked, all([told, pinged(1, R::EvtSub023)]))
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/additional-members",
        title: "Members of a subscribe that the service does not know are ignored.",
        covers: &[R::EvtSub024],
        steps: |cast| {
            let room = cast.channel("room");
            let more = cast.subscribe("first", &room).replacen('{', r#"{"payload":{"a":1},"sticker":"blue","#, 1);
            all([
                connected(cast, 1),
                vec![
                    say(1, more),
                    expect(1, Pattern::with_id("subscribe_success", "first"), R::EvtSub024),
                    warmed_by(cast, 1, "first", &room, R::EvtSub024),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/no-data-before-the-acknowledgement",
        title: "No event arrives ahead of the subscribe_success of its subscription.",
        covers: &[R::EvtSub014],
        steps: |cast| {
            let room = cast.channel("room");
            let early = (1..=3).map(|n| published(cast, &room, &cast.nonce(&format!("early-{n}")))).collect();
            let granted = expect(1, Pattern::with_id("subscribe_success", "first"), R::EvtSub007);
            all([
                connected(cast, 1),
                vec![say(1, cast.subscribe("first", &room))],
                early,
                vec![granted, warmed(cast, 1, "first", &room)],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-data-before-success",
        about: "sends the first event ahead of subscribe_success",
        breaks: R::EvtSub014,
        caught_by: "events/subscribe/no-data-before-the-acknowledgement",
        how: edit("subscribe_success", Nth::Only(1), Change::HoldBack),
    },
    Fault {
        name: "events-one-subscription-for-one-channel",
        about: "delivers an event to one subscription of a connection only",
        breaks: R::EvtData004,
        caught_by: "events/subscribe/several-on-one-channel",
        how: How::Skip(Check::EverySubscription),
    },
    Fault {
        name: "events-delivers-twice",
        about: "sends every event twice",
        breaks: R::EvtData004,
        caught_by: "events/subscribe/several-on-one-channel",
        how: How::Skip(Check::DeliveredOnce),
    },
    Fault {
        name: "events-delivers-under-the-other-id",
        about: "delivers each event under the id of another subscription of the channel",
        breaks: R::EvtData004,
        caught_by: "events/subscribe/several-on-one-channel",
        how: edit("data", Nth::Every, Change::OtherId),
    },
    Fault {
        name: "events-one-subscription-a-connection",
        about: "holds one subscription on a connection",
        breaks: R::EvtSub009,
        caught_by: "events/subscribe/several-on-one-channel",
        how: How::Set(|policy| policy.subscriptions_max = 1),
    },
    Fault {
        name: "events-failed-subscribe-ends-the-connection",
        about: "closes the connection after a subscribe that failed",
        breaks: R::EvtSub022,
        caught_by: "events/subscribe/failure-leaves-the-others",
        how: How::Skip(Check::ErrorKeepsConnection),
    },
    Fault {
        name: "events-failed-subscribe-ends-the-others",
        about: "ends the subscriptions of a connection when another one fails",
        breaks: R::EvtSub022,
        caught_by: "events/subscribe/failure-leaves-the-others",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-id-of-a-failure-is-burnt",
        about: "never answers a subscribe whose id has failed before",
        breaks: R::EvtSub022,
        caught_by: "events/subscribe/failure-leaves-the-others",
        how: edit("subscribe_success", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-refusal-then-success",
        about: "refuses what it then grants",
        breaks: R::EvtSub007,
        caught_by: "events/subscribe/refusal-form",
        how: edit("subscribe_error", Nth::Every, Change::After(r#"{"type":"subscribe_success","id":"bad"}"#)),
    },
    Fault {
        name: "events-refusal-of-one-object",
        about: "gives subscribe_error one object in place of an array of errors",
        breaks: R::EvtSub008,
        caught_by: "events/subscribe/refusal-form",
        how: edit("subscribe_error", Nth::Every, Change::Set("errors", r#"{"errorType":"BadRequestException"}"#)),
    },
    Fault {
        name: "events-subscribe-error-without-id",
        about: "leaves the id out of subscribe_error",
        breaks: R::EvtSub008,
        caught_by: "events/subscribe/refusal-form",
        how: edit("subscribe_error", Nth::Every, Change::Remove("id")),
    },
    Fault {
        name: "events-refuses-by-error",
        about: "says error in place of subscribe_error",
        breaks: R::EvtSub008,
        caught_by: "events/subscribe/refusal-form",
        how: edit("subscribe_error", Nth::Every, Change::Rename("error")),
    },
    Fault {
        name: "events-channel-of-another-type-unanswered",
        about: "leaves a subscribe whose channel is no string without an answer",
        breaks: R::EvtSub023,
        caught_by: "events/subscribe/channel-of-another-type",
        how: How::Skip(Check::RefusalAnswered),
    },
    Fault {
        name: "events-channel-of-another-type-ends-the-connection",
        about: "closes the connection on a subscribe whose channel is no string",
        breaks: R::EvtSub023,
        caught_by: "events/subscribe/channel-of-another-type",
        how: edit("subscribe_error", Nth::Every, Change::CloseInstead(1000)),
    },
    Fault {
        name: "events-strict-subscribe",
        about: "ignores a subscribe with members that it does not know",
        breaks: R::EvtSub024,
        caught_by: "events/subscribe/additional-members",
        how: How::Trap(Trigger::UnknownMember, Reaction::Ignore),
    },
    Fault {
        name: "events-success-for-the-other-id",
        about: "acknowledges the id of another subscription",
        breaks: R::EvtSub007,
        caught_by: "events/subscribe/acknowledged",
        how: edit("subscribe_success", Nth::Only(2), Change::OtherId),
    },
    Fault {
        name: "events-success-twice",
        about: "acknowledges a subscribe twice",
        breaks: R::EvtSub007,
        caught_by: "events/subscribe/acknowledged",
        how: edit("subscribe_success", Nth::Only(2), Change::Duplicate),
    },
    Fault {
        name: "events-second-subscribe-unanswered",
        about: "answers the first subscribe of a connection only",
        breaks: R::EvtSub007,
        caught_by: "events/subscribe/acknowledged",
        how: edit("subscribe_success", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-success-without-id",
        about: "leaves the id out of subscribe_success",
        breaks: R::EvtSub007,
        caught_by: "events/subscribe/acknowledged",
        how: edit("subscribe_success", Nth::Every, Change::Remove("id")),
    },
    Fault {
        name: "events-subscribe-unanswered",
        about: "does not answer a subscribe",
        breaks: R::EvtSub007,
        caught_by: "events/subscribe/acknowledged",
        how: How::Skip(Check::SubscribeAnswered),
    },
];
