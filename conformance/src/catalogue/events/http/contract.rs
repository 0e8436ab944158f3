//! What an HTTP publish looks like from outside: its place, its body, header fields, sizes, and a browser's question.

use appsync_protocol::json::json_text;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use appsync_protocol::wire::Request;
use serde_json::json;

use super::super::limits::{LARGE, TOO_LARGE, five, no_sizes};
use super::super::publish_steps::{QUICK, called, edit_http, http_publish_raw};
use crate::fault::{DoorCheck, Fault, How, HttpChange};
use crate::scenario::cast::quoted;
use crate::scenario::{Answer, Cast, Field, Need, Scenario, Shape};

/// The page that a browser would publish from.
const ORIGIN: &str = "https://app.example.com";

/// The answer to a publish of which every event was taken.
fn all_taken(events: usize) -> Answer {
    Answer::status(200).has("successful", Shape::Length(events)).has("failed", Shape::Length(0))
}

/// A publish of one good event.
fn publish_one(cast: &Cast) -> Request {
    cast.http_publish(&cast.channel("room"), &[json!(cast.nonce("event"))])
}

/// An event that is larger than any may be.
fn too_large() -> appsync_protocol::json::Json {
    json_text(&"x".repeat(TOO_LARGE))
}

/// What a browser asks before it lets a page publish.
fn preflight(cast: &Cast) -> Request {
    let mut request = cast.post_with_key("", None);
    request.method = "OPTIONS".into();
    request.headers.push("origin", ORIGIN);
    request.headers.push("access-control-request-method", "POST");
    request.headers.push("access-control-request-headers", "content-type,x-api-key");
    request
}

pub(in super::super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/http/post-to-the-endpoint",
        title: "A POST to the path of the HTTP endpoint publishes.",
        covers: &[R::EvtHttp001],
        steps: |cast| vec![called(publish_one(cast), vec![all_taken(1)], R::EvtHttp001)],
        ..QUICK
    },
    Scenario {
        id: "events/http/body-form",
        title: "The body is any JSON text with channel and events, and other kinds of either are refused.",
        covers: &[R::EvtHttp003],
        steps: |cast| {
            let (channel, event) = (quoted(&cast.channel("room")), quoted(&json!(cast.nonce("event")).to_string()));
            let pretty = format!("{{\r\n\t\"events\" : [ {event} ] ,\n  \"channel\":{channel}\n}}\n");
            let number = format!(r#"{{"channel":7,"events":[{event}]}}"#);
            let refused = || vec![Answer::between(400, 499)];
            vec![
                called(cast.post(&pretty), vec![all_taken(1)], R::EvtHttp003),
                called(cast.post(&number), refused(), R::EvtHttp003),
                called(http_publish_raw(cast, &cast.channel("room"), &event), refused(), R::EvtHttp003),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/header-fields",
        title: "The answer to a publish over HTTP bears x-amzn-RequestId and x-amzn-appsync-TokensConsumed.",
        covers: &[R::EvtHttp018],
        steps: |cast| {
            let answer = Answer::status(200)
                .bears("x-amzn-requestid", Field::Present)
                .bears("x-amzn-appsync-tokensconsumed", Field::Present);
            vec![called(publish_one(cast), vec![answer], R::EvtHttp018)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/preflight",
        title: "A browser that asks whether a page may publish is told so.",
        covers: &[R::EvtHttp024],
        steps: |cast| {
            let allowed = Answer::between(200, 299)
                .bears("access-control-allow-origin", Field::Grants(ORIGIN))
                .bears("access-control-allow-headers", Field::Grants("x-api-key"))
                .bears("access-control-allow-headers", Field::Grants("content-type"));
            vec![called(preflight(cast), vec![allowed], R::EvtHttp024)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/one-of-three-fails",
        title: "The status is 200 also when one event of a publish over HTTP fails.",
        covers: &[R::EvtHttp005],
        needs: &[Need::Limits],
        steps: |cast| {
            let events = [json!(cast.nonce("before")), too_large(), json!(cast.nonce("after"))];
            let request = cast.http_publish(&cast.channel("room"), &events);
            let partly = Answer::status(200).has("successful", Shape::Length(2)).has("failed", Shape::Length(1));
            // That it fails at all is another scenario's business.
            vec![called(request, vec![partly, all_taken(3)], R::EvtHttp005)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/too-large-an-event",
        title: "An event of 300,000 characters over HTTP gives 200 and an entry of failed with EventTooLargeException.",
        covers: &[R::EvtHttp016],
        needs: &[Need::Limits],
        steps: |cast| {
            let entry = Answer::status(200)
                .has("successful", Shape::Length(0))
                .has("failed.0.index", Shape::Is(json!(0)))
                .has("failed.0.identifier", Shape::Text);
            let code = entry.clone().has("failed.0.code", Shape::Is(json!("EventTooLargeException")));
            let answers = vec![
                code.clone().has("failed.0.message", Shape::Text).reads("EVT-A-03", "code is a string"),
                code.has("failed.0.errorMessage", Shape::Text).reads("EVT-A-03", "message has another name"),
                entry.has("failed.0.code", Shape::PositiveInteger).reads("EVT-A-03", "code is a number"),
            ];
            vec![called(cast.http_publish(&cast.channel("room"), &[too_large()]), answers, R::EvtHttp016)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/large-publish",
        title: "A million characters of events over HTTP are taken; a million and a half are refused, whole or one by one.",
        covers: &[R::EvtHttp017],
        needs: &[Need::Limits],
        steps: |cast| {
            let channel = cast.channel("room");
            let refused = vec![
                Answer::between(400, 499),
                Answer::status(200).has("successful", Shape::Length(0)).has("failed", Shape::Length(5)),
            ];
            vec![
                called(cast.http_publish(&channel, &five(LARGE)), vec![all_taken(5)], R::EvtHttp017),
                called(cast.http_publish(&channel, &five(TOO_LARGE)), refused, R::EvtHttp017),
            ]
        },
        ..QUICK
    },
];

pub(in super::super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-http-elsewhere",
        about: "has nothing on the path of the HTTP endpoint",
        breaks: R::EvtHttp001,
        caught_by: "events/http/post-to-the-endpoint",
        how: edit_http(200, HttpChange::Status(404)),
    },
    Fault {
        name: "events-http-strict-body",
        about: "refuses white space in the body of a publish",
        breaks: R::EvtHttp003,
        caught_by: "events/http/body-form",
        how: How::Door(DoorCheck::HttpPrettyBody),
    },
    Fault {
        name: "events-http-other-kinds",
        about: "answers 200 where channel or events is of another kind",
        breaks: R::EvtHttp003,
        caught_by: "events/http/body-form",
        how: edit_http(400, HttpChange::Status(200)),
    },
    Fault {
        name: "events-http-no-request-id",
        about: "sends no x-amzn-RequestId",
        breaks: R::EvtHttp018,
        caught_by: "events/http/header-fields",
        how: edit_http(200, HttpChange::Unlabelled("x-amzn-requestid")),
    },
    Fault {
        name: "events-http-no-tokens",
        about: "sends no x-amzn-appsync-TokensConsumed",
        breaks: R::EvtHttp018,
        caught_by: "events/http/header-fields",
        how: edit_http(200, HttpChange::Unlabelled("x-amzn-appsync-tokensconsumed")),
    },
    Fault {
        name: "events-http-no-preflight",
        about: "does not let browsers ask",
        breaks: R::EvtHttp024,
        caught_by: "events/http/preflight",
        how: edit_http(200, HttpChange::Status(405)),
    },
    Fault {
        name: "events-http-no-origin-allowed",
        about: "answers a browser without allowing its page",
        breaks: R::EvtHttp024,
        caught_by: "events/http/preflight",
        how: edit_http(200, HttpChange::Unlabelled("access-control-allow-origin")),
    },
    Fault {
        name: "events-http-no-header-allowed",
        about: "answers a browser without allowing the key",
        breaks: R::EvtHttp024,
        caught_by: "events/http/preflight",
        how: edit_http(200, HttpChange::Unlabelled("access-control-allow-headers")),
    },
    Fault {
        name: "events-http-all-or-nothing",
        about: "answers 400 when one event fails",
        breaks: R::EvtHttp005,
        caught_by: "events/http/one-of-three-fails",
        how: How::Door(DoorCheck::HttpPartial),
    },
    Fault {
        name: "events-http-any-event-size",
        about: "takes events of any size over HTTP",
        breaks: R::EvtHttp016,
        caught_by: "events/http/too-large-an-event",
        how: How::Skip(Check::EventSize),
    },
    Fault {
        name: "events-http-too-large-without-code",
        about: "does not say over HTTP why an event failed",
        breaks: R::EvtHttp016,
        caught_by: "events/http/too-large-an-event",
        how: edit_http(200, HttpChange::Remove("failed.0.code")),
    },
    Fault {
        name: "events-http-too-large-without-identifier",
        about: "leaves the identifier out of an entry of failed over HTTP",
        breaks: R::EvtHttp016,
        caught_by: "events/http/too-large-an-event",
        how: edit_http(200, HttpChange::Remove("failed.0.identifier")),
    },
    Fault {
        name: "events-http-900-kb",
        about: "takes 900,000 characters of events over HTTP at most",
        breaks: R::EvtHttp017,
        caught_by: "events/http/large-publish",
        how: How::Set(|policy| policy.publish_bytes_max = 900_000),
    },
    Fault {
        name: "events-http-any-size",
        about: "takes publishes of any size over HTTP",
        breaks: R::EvtHttp017,
        caught_by: "events/http/large-publish",
        how: How::Set(no_sizes),
    },
];
