//! More sequences and short forms, for publishing, for errors and for what may hurt a server.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::Request;
use serde_json::json;

pub(super) use super::session_steps::{QUICK, edit, edit_http, forbidden, pinged, warmed_by};
use super::steps::{any_of, expect, heard, published, say};
use crate::scenario::cast::quoted;
use crate::scenario::{Answer, Cast, Conn, Pattern, Shape, Step};

/// Publishes a marker, waits for it, and listens for what should not come.
pub(super) fn marked(cast: &Cast, conn: Conn, id: &str, channel: &str, rule: R) -> Vec<Step> {
    let marker = cast.nonce(&format!("marker-{conn}-{id}"));
    vec![published(cast, channel, &marker), heard(conn, id, &marker, rule), Step::Quiet { conn }]
}

/// `publish` whose `events` is this JSON text, which need not be a list of strings.
pub(super) fn publish_raw(cast: &Cast, id: &str, channel: &str, events: &str) -> String {
    let channel = quoted(channel);
    let authorization = cast.authorization_of(&format!(r#"{{"channel":{channel},"events":{events}}}"#));
    format!(r#"{{"type":"publish","id":"{id}","channel":{channel},"events":{events},"authorization":{authorization}}}"#)
}

/// An HTTP publish whose `events` is this JSON text.
pub(super) fn http_publish_raw(cast: &Cast, channel: &str, events: &str) -> Request {
    cast.post(&format!(r#"{{"channel":{},"events":{events}}}"#, quoted(channel)))
}

/// `publish` of one event with this nonce.
pub(super) fn publish_one(cast: &Cast, id: &str, channel: &str, nonce: &str) -> String {
    cast.publish(id, channel, &[json!(nonce)])
}

/// The answer to a publish of which every event was taken.
pub(super) fn receipt(id: &str, events: usize) -> Pattern {
    Pattern::with_id("publish_success", id).has("successful", Shape::Length(events)).has("failed", Shape::Length(0))
}

/// Publishes over the connection and waits for the answer.
pub(super) fn said_and_taken(cast: &Cast, conn: Conn, id: &str, (channel, nonce): (&str, &str), rule: R) -> Vec<Step> {
    vec![say(conn, publish_one(cast, id, channel, nonce)), expect(conn, receipt(id, 1), rule)]
}

/// The refusal of a publish.
pub(super) fn publish_refusal(id: &str) -> Pattern {
    Pattern::with_id("publish_error", id).has("errors", Shape::Errors)
}

/// Six events with numbered nonces: one more than a publish may have.
pub(super) fn six(cast: &Cast) -> Vec<appsync_protocol::json::Json> {
    (1..=6).map(|n| json!(cast.nonce(&format!("six-{n}")))).collect()
}

/// A channel below a namespace that no target has.
pub(super) fn nowhere(cast: &Cast) -> String {
    format!("/{}/room", cast.nonce("nowhere"))
}

/// An HTTP refusal: any status of the 4xx class with an error list.
pub(super) fn http_refusal() -> Answer {
    Answer::between(400, 499).has("errors", Shape::Errors)
}

/// An HTTP refusal for missing permission: 401 or 403 (EVT-A-13).
pub(super) fn http_unauthorized() -> Vec<Answer> {
    let named = |status| Answer::status(status).has("errors", Shape::ErrorType(&["UnauthorizedException"]));
    vec![named(401).reads("EVT-A-13", "status 401"), named(403).reads("EVT-A-13", "status 403")]
}

/// Makes an HTTP request and waits for one of these answers.
pub(super) fn called(request: Request, any_of: Vec<Answer>, rule: R) -> Step {
    Step::Call { request, any_of, rule }
}

/// An error that belongs to no operation, whatever it names.
pub(super) fn general_error() -> Pattern {
    Pattern::word("error").has("errors", Shape::Errors)
}

/// Waits for an error or for the end of the connection.
pub(super) fn objected(conn: Conn, rule: R) -> Step {
    any_of(conn, vec![general_error(), Pattern::closed()], rule)
}

/// Does something that the peer may not survive beside a bystander, with nothing to look at afterwards.
pub(super) fn beside_a_bystander(cast: &Cast, provocation: Vec<Step>) -> Vec<Step> {
    super::session_steps::beside_a_bystander(cast, provocation, Vec::new())
}
