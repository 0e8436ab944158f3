//! Handlers of subscribes.

use appsync_protocol::requirement::Requirement as R;

use super::super::session_steps::{QUICK, edit, refusal};
use super::super::steps::{all, any_of, connected, expect, say};
use super::channel_of;
use crate::fault::{Change, Fault, How, Nth};
use crate::scenario::{Capability, Need, Pattern, Scenario, Shape};

const HANDLED: &[Need] = &[Need::Capability(Capability::SubscribeHandlers)];

pub(in crate::catalogue::events) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/handlers/subscribe-rejected",
        title: "A subscribe that its handler rejects, or on which it fails, is answered with subscribe_error.",
        covers: &[R::EvtSub012],
        needs: HANDLED,
        steps: |cast| {
            let refused = |id: &str| {
                vec![say(1, cast.subscribe(id, &channel_of(cast, id))), expect(1, refusal(id), R::EvtSub012)]
            };
            let unauthorized = |kind, reading| {
                refusal("subscribe-unauthorized").has("errors", Shape::ErrorType(kind)).reads("EVT-A-16", reading)
            };
            let kinds = vec![
                unauthorized(&["Unauthorized"], "Unauthorized"),
                unauthorized(&["UnauthorizedException"], "UnauthorizedException"),
            ];
            let channel = channel_of(cast, "subscribe-unauthorized");
            all([
                connected(cast, 1),
                refused("subscribe-reject"),
                refused("subscribe-fail"),
                vec![say(1, cast.subscribe("subscribe-unauthorized", &channel)), any_of(1, kinds, R::EvtSub012)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/subscribe-authorized-first",
        title: "The handler of a subscribe is not asked where the credentials are refused.",
        covers: &[R::EvtSub011],
        needs: HANDLED,
        steps: |cast| {
            let channel = channel_of(cast, "subscribe-reject");
            let unknown = cast.wrong_credentials().to_json();
            let by_credentials = refusal("wrong").has("errors", Shape::Without("no more seats"));
            all([
                connected(cast, 1),
                vec![
                    say(1, cast.subscribe_as("wrong", &channel, &unknown)),
                    expect(1, by_credentials, R::EvtSub011),
                    say(1, cast.subscribe("good", &channel)),
                    expect(1, refusal("good"), R::EvtSub011),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/subscribe-that-takes-time",
        title: "A subscribe is acknowledged when its handler is done, and whatever comes after it is served.",
        covers: &[R::EvtSub011],
        needs: HANDLED,
        steps: |cast| {
            let slow = channel_of(cast, "subscribe-delay");
            all([
                connected(cast, 1),
                vec![
                    say(1, cast.subscribe("slow", &slow)),
                    say(1, cast.subscribe("quick", &cast.channel("quick"))),
                    expect(1, Pattern::with_id("subscribe_success", "quick"), R::EvtSub011),
                    expect(1, Pattern::with_id("subscribe_success", "slow"), R::EvtSub011),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/subscribe-with-its-wildcard",
        title: "The handler of a subscribe is given the channel with its wildcard.",
        covers: &[R::EvtSub027],
        needs: &[Need::Capability(Capability::HandlerContext)],
        steps: |cast| {
            let channel = format!("{}/*", channel_of(cast, "subscribe-context"));
            let told = refusal("wild").has("errors", Shape::ErrorMessage(channel.as_str().into()));
            // A message is optional (EVT-ERR-002): without one nothing can be seen.
            let untold = refusal("wild").has("errors.0.message", Shape::Nothing);
            let subscribe = say(1, cast.subscribe("wild", &channel));
            all([connected(cast, 1), vec![subscribe, any_of(1, vec![told, untold], R::EvtSub027)]])
        },
        ..QUICK
    },
];

pub(in crate::catalogue::events) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-subscribe-rejected-without-type",
        about: "does not say of which type the rejection of a subscribe is",
        breaks: R::EvtSub012,
        caught_by: "events/handlers/subscribe-rejected",
        how: edit("subscribe_error", Nth::Every, Change::Remove("errors.0.errorType")),
    },
    Fault {
        name: "events-subscribe-handler-not-asked",
        about: "grants subscribes that their handler rejects",
        breaks: R::EvtSub012,
        caught_by: "events/handlers/subscribe-rejected",
        how: How::Unhandled("subscribe-reject"),
    },
    Fault {
        name: "events-subscribe-handler-before-credentials",
        about: "tells what the handler says to those who are not authorized",
        breaks: R::EvtSub011,
        caught_by: "events/handlers/subscribe-authorized-first",
        how: edit("subscribe_error", Nth::Every, Change::Set("errors.0.message", r#""no more seats""#)),
    },
    Fault {
        name: "events-subscribe-handler-never-done",
        about: "does not acknowledge the subscribe whose handler took time",
        breaks: R::EvtSub011,
        caught_by: "events/handlers/subscribe-that-takes-time",
        how: edit("subscribe_success", Nth::Only(2), Change::Drop),
    },
    Fault {
        name: "events-subscribe-handler-without-wildcard",
        about: "gives the handler of a subscribe a channel without its wildcard",
        breaks: R::EvtSub027,
        caught_by: "events/handlers/subscribe-with-its-wildcard",
        how: edit("subscribe_error", Nth::Every, Change::Set("errors.0.message", r#""/subscribe-context/room""#)),
    },
];
