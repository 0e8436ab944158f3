//! Publishing over HTTP: statuses, bodies, refusals, and that subscribers hear it.

pub(super) mod contract;

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::publish_steps::{
    QUICK, beside_a_bystander, called, edit_http, http_publish_raw, http_refusal, http_unauthorized, nowhere, six,
    warmed_by,
};
use super::steps::{all, connected, heard, published, subscribed};
use crate::fault::{DoorCheck, Fault, How, HttpChange};
use crate::scenario::cast::{WRONG_KEY, publish_body};
use crate::scenario::{Answer, Cast, Scenario, Shape};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/http/answers-with-both-lists",
        title: "A publish over HTTP is answered with 200 and an entry in successful for each event.",
        covers: &[R::EvtHttp004, R::EvtPub009],
        steps: |cast| {
            let events: Vec<_> = six(cast).into_iter().take(3).collect();
            let three = Answer::status(200)
                .has("failed", Shape::Length(0))
                .has("successful", Shape::Length(3))
                .has("successful.0.identifier", Shape::Text)
                .has("successful.2.identifier", Shape::Text);
            let one = Answer::status(200).has("successful.0.index", Shape::Is(json!(0)));
            let channel = cast.channel("room");
            vec![
                called(cast.http_publish(&channel, &events), vec![three], R::EvtHttp004),
                called(cast.http_publish(&channel, &[json!(cast.nonce("one"))]), vec![one], R::EvtPub009),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/reaches-subscribers",
        title: "An event published over HTTP reaches a subscriber on a connection.",
        covers: &[R::EvtHttp021],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![
                    warmed_by(cast, 1, "first", &channel, R::EvtHttp021),
                    published(cast, &channel, &nonce),
                    heard(1, "first", &nonce, R::EvtHttp021),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/channel-without-leading-slash",
        title: "A publish over HTTP takes a channel without a leading slash.",
        covers: &[R::EvtHttp025],
        steps: |cast| {
            let channel = format!("{}/{}", cast.namespace(), cast.nonce("room"));
            let taken = Answer::status(200).has("successful", Shape::Length(1)).has("failed", Shape::Length(0));
            vec![called(cast.http_publish(&channel, &[json!(cast.nonce("event"))]), vec![taken], R::EvtHttp025)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/six-events",
        title: "A publish of six events over HTTP is refused with BadRequestException.",
        covers: &[R::EvtHttp006, R::EvtLimit001],
        steps: |cast| {
            let refused = Answer::between(400, 499).has("errors", Shape::ErrorType(&["BadRequestException"]));
            vec![called(cast.http_publish(&cast.channel("room"), &six(cast)), vec![refused], R::EvtHttp006)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/error-body",
        title: "The body of an HTTP refusal is JSON with a list of errors that have an errorType.",
        covers: &[R::EvtHttp007],
        steps: |cast| {
            let listed = |answer: Answer| {
                let typed = answer.has("errors", Shape::Array).has("errors.0.errorType", Shape::Text);
                typed.has("errors.0.message", Shape::TextOrNothing)
            };
            let event = [json!(cast.nonce("event"))];
            let body = publish_body(&cast.channel("room"), &event);
            vec![
                called(
                    cast.http_publish(&cast.channel("room"), &six(cast)),
                    vec![listed(Answer::between(400, 599)), Answer::status(200)],
                    R::EvtHttp007,
                ),
                called(
                    cast.post_with_key(&body, None),
                    vec![listed(Answer::between(400, 599)), Answer::status(200)],
                    R::EvtHttp007,
                ),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/no-key",
        title: "A publish over HTTP without a key is refused with UnauthorizedException.",
        covers: &[R::EvtHttp008],
        steps: |cast| vec![called(publish_with(cast, None), http_unauthorized(), R::EvtHttp008)],
        ..QUICK
    },
    Scenario {
        id: "events/http/wrong-key",
        title: "A publish over HTTP with an unknown key is refused with UnauthorizedException.",
        covers: &[R::EvtHttp015],
        steps: |cast| vec![called(publish_with(cast, Some(WRONG_KEY)), http_unauthorized(), R::EvtHttp015)],
        ..QUICK
    },
    Scenario {
        id: "events/http/other-methods",
        title: "Methods other than POST fail on the HTTP endpoint.",
        covers: &[R::EvtHttp002],
        steps: |cast| {
            ["GET", "PUT", "DELETE"]
                .into_iter()
                .map(|method| {
                    let body = publish_body(&cast.channel("room"), &[json!(cast.nonce("event"))]);
                    let mut request = cast.post(&body);
                    request.method = method.into();
                    if method == "GET" {
                        request.body = "".into();
                    }
                    called(request, vec![Answer::between(400, 499), Answer::status(501)], R::EvtHttp002)
                })
                .collect()
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/malformed-body",
        title: "A body that is no JSON is answered with a status of the 4xx class, and harms nobody.",
        covers: &[R::EvtHttp022, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let bodies = [r#"{"channel":"#, "nothing like this", ""];
            let calls =
                bodies.into_iter().map(|body| called(cast.post(body), vec![Answer::between(400, 499)], R::EvtHttp022));
            beside_a_bystander(cast, calls.collect())
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/undefined-namespace",
        title: "A publish over HTTP below a namespace that does not exist is refused.",
        covers: &[R::EvtHttp014],
        steps: |cast| {
            let named = Answer::between(400, 499).has("errors", Shape::ErrorType(&["UnauthorizedException"]));
            let refused = vec![
                named.reads("EVT-A-06", "UnauthorizedException"),
                http_refusal().reads("EVT-A-06", "another type"),
            ];
            vec![called(cast.http_publish(&nowhere(cast), &[json!(cast.nonce("lost"))]), refused, R::EvtHttp014)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/event-that-is-no-json",
        title: "An event that is not JSON text is refused over HTTP.",
        covers: &[R::EvtHttp026],
        steps: |cast| {
            let that_event = Answer::status(200)
                .has("successful", Shape::Length(1))
                .has("failed", Shape::Length(1))
                .has("failed.0.index", Shape::Is(json!(1)));
            let refused = vec![
                http_refusal().reads("EVT-A-24", "the request is refused"),
                that_event.reads("EVT-A-24", "that event is refused"),
            ];
            let events = format!(r#"["\"{}\"","{{nothing"]"#, cast.nonce("good"));
            vec![called(http_publish_raw(cast, &cast.channel("room"), &events), refused, R::EvtHttp026)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/events-that-are-no-strings",
        title: "A publish over HTTP is refused if an event is no string.",
        covers: &[R::EvtHttp023],
        steps: |cast| {
            ["[{}]", "[7]", "[null]"]
                .into_iter()
                .map(|events| {
                    let request = http_publish_raw(cast, &cast.channel("room"), events);
                    called(request, vec![Answer::between(400, 499)], R::EvtHttp023)
                })
                .collect()
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/wildcard-channel",
        title: "A publish over HTTP to a channel with a wildcard is refused.",
        covers: &[R::EvtChannel013],
        steps: |cast| {
            let wild = format!("{}/*", cast.channel("room"));
            let request = cast.http_publish(&wild, &[json!(cast.nonce("event"))]);
            vec![called(request, vec![Answer::between(400, 499)], R::EvtChannel013)]
        },
        ..QUICK
    },
];

fn publish_with(cast: &Cast, key: Option<&str>) -> appsync_protocol::wire::Request {
    cast.post_with_key(&publish_body(&cast.channel("room"), &[json!(cast.nonce("event"))]), key)
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-http-failed-missing",
        about: "leaves failed out of an HTTP answer",
        breaks: R::EvtHttp004,
        caught_by: "events/http/answers-with-both-lists",
        how: edit_http(200, HttpChange::Remove("failed")),
    },
    Fault {
        name: "events-http-identifier-missing",
        about: "leaves an identifier out of an HTTP answer",
        breaks: R::EvtHttp004,
        caught_by: "events/http/answers-with-both-lists",
        how: edit_http(200, HttpChange::Remove("successful.2.identifier")),
    },
    Fault {
        name: "events-http-accepted",
        about: "answers an HTTP publish with 202",
        breaks: R::EvtHttp004,
        caught_by: "events/http/answers-with-both-lists",
        how: edit_http(200, HttpChange::Status(202)),
    },
    Fault {
        name: "events-http-index-from-one",
        about: "counts the events of an HTTP publish from one",
        breaks: R::EvtPub009,
        caught_by: "events/http/answers-with-both-lists",
        how: edit_http(200, HttpChange::Set("successful.0.index", "1")),
    },
    Fault {
        name: "events-http-reaches-nobody",
        about: "answers an HTTP publish and tells no subscriber",
        breaks: R::EvtHttp021,
        caught_by: "events/http/reaches-subscribers",
        how: How::Door(DoorCheck::HttpReaches),
    },
    Fault {
        name: "events-http-channel-not-found",
        about: "answers every publish with 404, with a leading slash or without",
        breaks: R::EvtHttp025,
        caught_by: "events/http/channel-without-leading-slash",
        how: edit_http(200, HttpChange::Status(404)),
    },
    Fault {
        name: "events-http-any-number-of-events",
        about: "takes six events over HTTP",
        breaks: R::EvtHttp006,
        caught_by: "events/http/six-events",
        how: How::Set(|policy| policy.events_max = 6),
    },
    Fault {
        name: "events-http-count-refused-as-input-error",
        about: "refuses six events with the error of the connection",
        breaks: R::EvtHttp006,
        caught_by: "events/http/six-events",
        how: edit_http(400, HttpChange::Set("errors.0.errorType", r#""InvalidInputError""#)),
    },
    Fault {
        name: "events-http-one-error",
        about: "has one error object in place of the list",
        breaks: R::EvtHttp007,
        caught_by: "events/http/error-body",
        how: edit_http(400, HttpChange::Set("errors", r#"{"errorType":"BadRequestException"}"#)),
    },
    Fault {
        name: "events-http-plain-refusal",
        about: "refuses a missing key in plain text",
        breaks: R::EvtHttp007,
        caught_by: "events/http/error-body",
        how: edit_http(401, HttpChange::Body("Unauthorized")),
    },
    Fault {
        name: "events-http-no-key-needed",
        about: "publishes over HTTP without a key",
        breaks: R::EvtHttp008,
        caught_by: "events/http/no-key",
        how: How::Door(DoorCheck::HttpKeyPresent),
    },
    Fault {
        name: "events-http-refuses-with-400",
        about: "answers a missing key with 400",
        breaks: R::EvtHttp008,
        caught_by: "events/http/no-key",
        how: edit_http(401, HttpChange::Status(400)),
    },
    Fault {
        name: "events-http-any-key",
        about: "publishes over HTTP with any key",
        breaks: R::EvtHttp015,
        caught_by: "events/http/wrong-key",
        how: How::Door(DoorCheck::HttpKey),
    },
    Fault {
        name: "events-http-wrong-key-is-a-bad-request",
        about: "names a wrong key BadRequestException",
        breaks: R::EvtHttp015,
        caught_by: "events/http/wrong-key",
        how: edit_http(401, HttpChange::Set("errors.0.errorType", r#""BadRequestException""#)),
    },
    Fault {
        name: "events-http-any-method",
        about: "publishes by any method",
        breaks: R::EvtHttp002,
        caught_by: "events/http/other-methods",
        how: How::Door(DoorCheck::HttpMethod),
    },
    Fault {
        name: "events-http-any-body",
        about: "answers 200 to a body that it cannot read",
        breaks: R::EvtHttp022,
        caught_by: "events/http/malformed-body",
        how: How::Door(DoorCheck::HttpBody),
    },
    Fault {
        name: "events-http-fails-on-a-bad-body",
        about: "answers 500 to a body that it cannot read",
        breaks: R::EvtHttp022,
        caught_by: "events/http/malformed-body",
        how: edit_http(400, HttpChange::Status(500)),
    },
    Fault {
        name: "events-http-any-namespace",
        about: "publishes over HTTP below any namespace",
        breaks: R::EvtHttp014,
        caught_by: "events/http/undefined-namespace",
        how: How::Skip(Check::NamespaceExists),
    },
    Fault {
        name: "events-http-any-text-is-an-event",
        about: "takes events over HTTP that are no JSON text",
        breaks: R::EvtHttp026,
        caught_by: "events/http/event-that-is-no-json",
        how: How::Skip(Check::EventsAreJson),
    },
    Fault {
        name: "events-http-objects-are-events",
        about: "takes events over HTTP that are no strings",
        breaks: R::EvtHttp023,
        caught_by: "events/http/events-that-are-no-strings",
        how: How::Skip(Check::EventsAreStrings),
    },
    Fault {
        name: "events-http-publishes-to-wildcards",
        about: "takes an HTTP publish to a channel with a wildcard",
        breaks: R::EvtChannel013,
        caught_by: "events/http/wildcard-channel",
        how: How::Skip(Check::WildcardPublish),
    },
];
