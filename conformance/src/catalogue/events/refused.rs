//! Publishing over the connection: what is refused, and that nothing of it is delivered.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::publish_steps::{
    QUICK, edit, forbidden, general_error, marked, nowhere, publish_one, publish_raw, publish_refusal, receipt,
    said_and_taken, six, warmed_by,
};
use super::steps::{all, any_of, connected, expect, heard, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Pattern, Scenario, Shape, Step};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/publish/six-events-are-refused",
        title: "A publish of six events is refused with InvalidInputError, and none of them is delivered.",
        covers: &[R::EvtPub004, R::EvtPub011, R::EvtLimit001],
        steps: |cast| {
            let channel = cast.channel("room");
            let refused =
                Pattern::with_id("publish_error", "six").has("errors", Shape::ErrorType(&["InvalidInputError"]));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &channel),
                vec![warmed(cast, 1, "listener", &channel)],
                (1..=6).map(|n| forbidden(1, "listener", &cast.nonce(&format!("six-{n}")), R::EvtLimit001)).collect(),
                vec![say(1, cast.publish("six", &channel, &six(cast))), expect(1, refused, R::EvtPub004)],
                marked(cast, 1, "listener", &channel, R::EvtPub025),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/no-events",
        title: "A publish without any event is answered, and nothing is delivered.",
        covers: &[R::EvtPub005],
        steps: |cast| {
            let channel = cast.channel("room");
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &channel),
                vec![
                    warmed(cast, 1, "listener", &channel),
                    forbidden(1, "listener", &cast.nonce("nothing"), R::EvtPub005),
                    say(1, cast.publish("none", &channel, &[])),
                    any_of(
                        1,
                        vec![
                            publish_refusal("none").reads("EVT-A-25", "the request is refused"),
                            receipt("none", 0).reads("EVT-A-25", "success without entries"),
                        ],
                        R::EvtPub005,
                    ),
                ],
                marked(cast, 1, "listener", &channel, R::EvtPub025),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/events-that-are-nearly-json",
        title: "Texts that only look like JSON are refused as events.",
        covers: &[R::EvtPub006],
        steps: |cast| {
            let channel = cast.channel("room");
            let texts = [("nan", "NaN"), ("empty", ""), ("quotes", "'x'"), ("names", "{a:1}"), ("comma", "[1,]")];
            let each = texts.map(|(id, text)| {
                let that_event = Pattern::with_id("publish_success", id)
                    .has("successful", Shape::Length(0))
                    .has("failed", Shape::Length(1));
                let answers = vec![
                    publish_refusal(id).reads("EVT-A-24", "the request is refused"),
                    that_event.reads("EVT-A-24", "that event is refused"),
                ];
                let publish = publish_raw(cast, id, &channel, &json!([text]).to_string());
                vec![say(1, publish), any_of(1, answers, R::EvtPub006)]
            });
            all([connected(cast, 1), all(each)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/event-that-is-no-json",
        title: "An event that is not JSON text is refused and not delivered.",
        covers: &[R::EvtPub006],
        steps: |cast| {
            let (channel, good, bad) = (cast.channel("room"), cast.nonce("good"), cast.nonce("bad"));
            let events = format!(r#"["\"{good}\"","{{\"nonce\":\"{bad}"]"#);
            let that_event = Pattern::with_id("publish_success", "two")
                .has("successful", Shape::Length(1))
                .has("failed", Shape::Length(1))
                .has("failed.0.index", Shape::Is(json!(1)));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &channel),
                vec![
                    warmed(cast, 1, "listener", &channel),
                    forbidden(1, "listener", &bad, R::EvtPub006),
                    say(1, publish_raw(cast, "two", &channel, &events)),
                    any_of(
                        1,
                        vec![
                            publish_refusal("two").reads("EVT-A-24", "the request is refused"),
                            that_event.reads("EVT-A-24", "that event is refused"),
                        ],
                        R::EvtPub006,
                    ),
                ],
                marked(cast, 1, "listener", &channel, R::EvtPub025),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/events-that-are-no-strings",
        title: "A publish is refused if an element of events is no string.",
        covers: &[R::EvtPub026],
        steps: |cast| {
            let channel = cast.channel("room");
            let refused = |id: &str, events: &str| {
                vec![
                    say(1, publish_raw(cast, id, &channel, events)),
                    any_of(1, vec![publish_refusal(id), general_error()], R::EvtPub026),
                ]
            };
            let object = format!(r#"[{{"nonce":"{}"}}]"#, cast.nonce("object"));
            all([
                connected(cast, 1),
                refused("object", &object),
                refused("number", "[7]"),
                said_and_taken(cast, 1, "good", (&channel, &cast.nonce("good")), R::EvtPub025),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/wrong-key",
        title: "A publish with an unknown key is refused, not delivered, and leaves the connection usable.",
        covers: &[R::EvtPub018, R::EvtPub025],
        steps: |cast| {
            let (channel, stolen) = (cast.channel("room"), cast.nonce("stolen"));
            let authorization = cast.wrong_credentials().to_json();
            let publish = cast.publish_as("bad", &channel, &[json!(stolen)], &authorization);
            let refused =
                Pattern::with_id("publish_error", "bad").has("errors", Shape::ErrorType(&["UnauthorizedException"]));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &channel),
                vec![
                    warmed(cast, 1, "listener", &channel),
                    forbidden(1, "listener", &stolen, R::EvtPub018),
                    say(1, publish),
                    expect(1, refused, R::EvtPub018),
                ],
                said_and_taken(cast, 1, "good", (&channel, &cast.nonce("good")), R::EvtPub025),
                vec![heard(1, "listener", &cast.nonce("good"), R::EvtPub025), Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/undefined-namespace",
        title: "A publish below a namespace that does not exist is refused.",
        covers: &[R::EvtPub017],
        steps: |cast| {
            let publish = publish_one(cast, "lost", &nowhere(cast), &cast.nonce("lost"));
            let named =
                Pattern::with_id("publish_error", "lost").has("errors", Shape::ErrorType(&["UnauthorizedException"]));
            let refused = vec![
                named.reads("EVT-A-06", "UnauthorizedException"),
                publish_refusal("lost").reads("EVT-A-06", "another type"),
            ];
            all([connected(cast, 1), vec![say(1, publish), any_of(1, refused, R::EvtPub017)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/wildcard-channel",
        title: "A publish to a channel with a wildcard is refused and reaches nobody.",
        covers: &[R::EvtChannel013],
        steps: |cast| {
            let (above, nonce) = (cast.channel("room"), cast.nonce("event"));
            let (wild, below) = (format!("{above}/*"), format!("{above}/corner"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &below),
                vec![
                    warmed(cast, 1, "listener", &below),
                    forbidden(1, "listener", &nonce, R::EvtChannel013),
                    say(1, publish_one(cast, "wild", &wild, &nonce)),
                    expect(1, publish_refusal("wild"), R::EvtChannel013),
                ],
                marked(cast, 1, "listener", &below, R::EvtPub025),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/refusals-leave-the-connection",
        title: "After publishes that were refused the connection publishes and delivers as before.",
        covers: &[R::EvtPub025],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let lost = publish_one(cast, "lost", &nowhere(cast), &cast.nonce("lost"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &channel),
                vec![
                    warmed_by(cast, 1, "listener", &channel, R::EvtPub025),
                    say(1, cast.publish("six", &channel, &six(cast))),
                    any_of(1, vec![publish_refusal("six"), Pattern::with_id("publish_success", "six")], R::EvtPub025),
                    say(1, lost),
                    any_of(1, vec![publish_refusal("lost"), Pattern::with_id("publish_success", "lost")], R::EvtPub025),
                ],
                said_and_taken(cast, 1, "good", (&channel, &nonce), R::EvtPub025),
                vec![heard(1, "listener", &nonce, R::EvtPub025)],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-six-events",
        about: "takes six events in a publish",
        breaks: R::EvtPub004,
        caught_by: "events/publish/six-events-are-refused",
        how: How::Set(|policy| policy.events_max = 6),
    },
    Fault {
        name: "events-any-number-of-events",
        about: "does not count the events of a publish",
        breaks: R::EvtPub004,
        caught_by: "events/publish/six-events-are-refused",
        how: How::Skip(Check::EventCount),
    },
    Fault {
        name: "events-count-refused-as-bad-request",
        about: "refuses six events with the error of the HTTP endpoint",
        breaks: R::EvtPub004,
        caught_by: "events/publish/six-events-are-refused",
        how: edit("publish_error", Nth::Every, Change::Set("errors.0.errorType", r#""BadRequestException""#)),
    },
    Fault {
        name: "events-refused-and-delivered",
        about: "delivers something of a publish that it refuses",
        breaks: R::EvtLimit001,
        caught_by: "events/publish/six-events-are-refused",
        how: edit("publish_error", Nth::Every, Change::Before(r#"{"type":"data","id":"listener","event":"\"cut\""}"#)),
    },
    Fault {
        name: "events-empty-publish-unanswered",
        about: "is silent on a publish without events",
        breaks: R::EvtPub005,
        caught_by: "events/publish/no-events",
        how: How::Skip(Check::RefusalAnswered),
    },
    Fault {
        name: "events-any-text-is-an-event",
        about: "delivers events that are no JSON text",
        breaks: R::EvtPub006,
        caught_by: "events/publish/event-that-is-no-json",
        how: How::Skip(Check::EventsAreJson),
    },
    Fault {
        name: "events-nearly-json-is-an-event",
        about: "takes texts for events that only look like JSON",
        breaks: R::EvtPub006,
        caught_by: "events/publish/events-that-are-nearly-json",
        how: How::Skip(Check::EventsAreJson),
    },
    Fault {
        name: "events-objects-are-events",
        about: "takes events that are no strings",
        breaks: R::EvtPub026,
        caught_by: "events/publish/events-that-are-no-strings",
        how: How::Skip(Check::EventsAreStrings),
    },
    Fault {
        name: "events-publish-key-unchecked",
        about: "does not look at the credentials of a publish",
        breaks: R::EvtPub018,
        caught_by: "events/publish/wrong-key",
        how: How::Skip(Check::OperationCredentials),
    },
    Fault {
        name: "events-wrong-key-ignored",
        about: "is silent on a publish with a wrong key",
        breaks: R::EvtPub018,
        caught_by: "events/publish/wrong-key",
        how: How::Trap(Trigger::WrongKey, Reaction::Ignore),
    },
    Fault {
        name: "events-wrong-key-closes-afterwards",
        about: "closes the connection after it has refused a publish",
        breaks: R::EvtPub025,
        caught_by: "events/publish/wrong-key",
        how: edit("publish_error", Nth::Every, Change::CloseAfter(1008)),
    },
    Fault {
        name: "events-publishes-below-any-namespace",
        about: "publishes below any namespace",
        breaks: R::EvtPub017,
        caught_by: "events/publish/undefined-namespace",
        how: How::Skip(Check::NamespaceExists),
    },
    Fault {
        name: "events-publishes-to-wildcards",
        about: "takes a publish to a channel with a wildcard",
        breaks: R::EvtChannel013,
        caught_by: "events/publish/wildcard-channel",
        how: How::Skip(Check::WildcardPublish),
    },
    Fault {
        name: "events-refusal-loses-the-connection",
        about: "drops the connection after a refusal",
        breaks: R::EvtPub025,
        caught_by: "events/publish/refusals-leave-the-connection",
        how: How::Skip(Check::ErrorKeepsConnection),
    },
];
