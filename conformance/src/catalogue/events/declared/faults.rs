//! Saboteurs of handlers.

use appsync_protocol::requirement::Requirement as R;

use super::super::session_steps::{edit, edit_http};
use crate::fault::{Change, Fault, How, HttpChange, Nth};

const fn fault(name: &'static str, about: &'static str, breaks: R, caught_by: &'static str, how: How) -> Fault {
    Fault { name, about, breaks, caught_by, how }
}

pub(in crate::catalogue::events) static FAULTS: &[Fault] = &[
    fault(
        "events-handler-result-ignored",
        "delivers the payload that was published instead of what onPublish returned",
        R::EvtData010,
        "events/handlers/changed-payload",
        How::Unhandled("transform"),
    ),
    fault(
        "events-dropped-events-told",
        "does not list in successful what onPublish dropped",
        R::EvtPub022,
        "events/handlers/dropped-events",
        edit("publish_success", Nth::Every, Change::Alter("successful")),
    ),
    fault(
        "events-dropped-events-delivered",
        "delivers what onPublish dropped",
        R::EvtPub022,
        "events/handlers/dropped-events",
        How::Unhandled("drop"),
    ),
    fault(
        "events-event-error-without-text",
        "does not tell the text of an error on one event",
        R::EvtPub021,
        "events/handlers/event-with-an-error",
        edit("publish_success", Nth::Every, Change::Remove("failed.0.message")),
    ),
    fault(
        "events-event-error-ignored",
        "delivers an event on which onPublish sets an error",
        R::EvtPub021,
        "events/handlers/event-with-an-error",
        How::Unhandled("event-error"),
    ),
    fault(
        "events-rejection-without-text",
        "does not tell the text with which a handler rejects a publish",
        R::EvtPub019,
        "events/handlers/util-error",
        edit("publish_error", Nth::Every, Change::Remove("errors.0.message")),
    ),
    fault(
        "events-rejection-is-a-bad-request",
        "answers a publish over HTTP that its handler rejects with the status 400",
        R::EvtHttp009,
        "events/handlers/util-error",
        edit_http(403, HttpChange::Status(400)),
    ),
    fault(
        "events-denial-of-a-handler-is-an-error",
        "tells a publish that its handler does not authorize by another type",
        R::EvtPub020,
        "events/handlers/util-unauthorized",
        edit("publish_error", Nth::Every, Change::Set("errors.0.errorType", r#""CustomErrorException""#)),
    ),
    fault(
        "events-denial-of-a-handler-is-a-bad-request",
        "answers a publish over HTTP that its handler does not authorize with the status 400",
        R::EvtHttp010,
        "events/handlers/util-unauthorized",
        edit_http(401, HttpChange::Status(400)),
    ),
    fault(
        "events-grown-event-delivered",
        "delivers events that a handler made longer than 240 KB",
        R::EvtLimit015,
        "events/handlers/grown-payload",
        How::Set(|policy| policy.event_bytes_max *= 2),
    ),
    fault(
        "events-handler-makes-the-connection-forget",
        "does not answer what comes while a handler works",
        R::EvtPub023,
        "events/handlers/that-takes-time",
        edit("subscribe_success", Nth::Only(1), Change::Drop),
    ),
    fault(
        "events-handler-without-end",
        "lets a handler work for longer than 30 seconds",
        R::EvtLimit014,
        "events/handlers/thirty-seconds",
        How::Set(|policy| policy.request_max *= 2),
    ),
    fault(
        "events-failure-told",
        "tells the publisher what went wrong inside a handler",
        R::EvtErr014,
        "events/handlers/failure-inside",
        edit("publish_error", Nth::Every, Change::Set("errors.0.message", r#""connection to db-7 lost""#)),
    ),
    fault(
        "events-failure-is-a-server-error",
        "answers the failure of a function with the status 500",
        R::EvtHttp012,
        "events/handlers/lambda-that-throws",
        edit_http(502, HttpChange::Status(500)),
    ),
    fault(
        "events-function-error-redirects",
        "answers the error of a function with the status 302",
        R::EvtHttp011,
        "events/handlers/lambda-with-an-error",
        edit_http(403, HttpChange::Status(302)),
    ),
    fault(
        "events-context-not-given-channel",
        "runs no handler, which would have told of the channel",
        R::EvtChannel023,
        "events/handlers/context-of-the-channel",
        How::Unhandled("context"),
    ),
    fault(
        "events-context-with-identity",
        "gives a handler an identity for an API key",
        R::EvtAuth033,
        "events/handlers/context-without-identity",
        edit(
            "data",
            Nth::From(2),
            Change::Set("event", r#""{\"nonce\":\"r1-c001-event\",\"context\":{\"identity\":{}}}""#),
        ),
    ),
    fault(
        "events-context-without-headers",
        "gives a handler no header fields",
        R::EvtHttp019,
        "events/handlers/context-of-the-request",
        How::Unhandled("context"),
    ),
    fault(
        "events-context-without-domain",
        "gives a handler a request without a domain",
        R::EvtHttp020,
        "events/handlers/context-of-the-domain",
        How::Unhandled("context"),
    ),
];
