//! More sequences and short forms, for publishing, for errors and for what may hurt a server.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::{OwnedFrame, Request};
use serde_json::json;

use super::steps::{all, any_of, connected, expect, heard, published, say, warmed};
use crate::fault::{Change, Edit, How, HttpChange, HttpEdit, Nth};
use crate::scenario::cast::quoted;
use crate::scenario::{Answer, Cast, Conn, Greeting, Pattern, Scenario, Shape, Step, Tier};

/// What most scenarios have in common; the rest is theirs.
pub(super) const QUICK: Scenario = Scenario {
    id: "",
    title: "",
    dialect: Dialect::Events,
    covers: &[],
    needs: &[],
    tier: Tier::Quick,
    hazard: false,
    steps: |_| Vec::new(),
};

/// Publishes to `channel` until the subscription hears the first event, for a rule of its own.
pub(super) fn warmed_by(cast: &Cast, conn: Conn, id: &str, channel: &str, rule: R) -> Step {
    let mut step = warmed(cast, conn, id, channel);
    if let Step::Warm { rule: broken, .. } = &mut step {
        *broken = rule;
    }
    step
}

/// From here on, an event with this nonce must not reach the subscription.
pub(super) fn forbidden(conn: Conn, id: &str, nonce: &str, rule: R) -> Step {
    Step::Forbid { conn, id: Some(id.into()), nonce: nonce.into(), rule }
}

/// Publishes a marker, waits for it, and listens for what should not come.
pub(super) fn marked(cast: &Cast, conn: Conn, id: &str, channel: &str, rule: R) -> Vec<Step> {
    let marker = cast.nonce(&format!("marker-{conn}-{id}"));
    vec![published(cast, channel, &marker), heard(conn, id, &marker, rule), Step::Quiet { conn }]
}

/// `publish` whose `events` is this JSON text, which need not be a list of strings.
pub(super) fn publish_raw(cast: &Cast, id: &str, channel: &str, events: &str) -> String {
    let (channel, authorization) = (quoted(channel), cast.authorization());
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

/// Pings and waits for the pong.
pub(super) fn pinged(conn: Conn, rule: R) -> Vec<Step> {
    let frame = OwnedFrame::Ping(b"still there?".to_vec());
    vec![Step::Send { conn, frame }, expect(conn, Pattern::pong(b"still there?"), rule)]
}

/// Time for what was provoked to show: a process may die some moments after the message that kills it.
fn settled(conn: Conn) -> Vec<Step> {
    vec![Step::Quiet { conn }]
}

/// Does something that the peer may not survive while a bystander is connected: the bystander still has
/// to be answered, and a new connection to be taken.
pub(super) fn beside_a_bystander(cast: &Cast, provocation: Vec<Step>) -> Vec<Step> {
    let rule = R::SynAlive002;
    let newcomer = vec![
        Step::Open { conn: 9, request: cast.usual_upgrade(), any_of: vec![Greeting::accepted()], rule },
        say(9, r#"{"type":"connection_init"}"#),
        expect(9, Pattern::word("connection_ack"), rule),
    ];
    all([connected(cast, 8), provocation, settled(8), pinged(8, R::SynAlive001), newcomer])
}

/// A change of outgoing messages of this dialect.
pub(super) const fn edit(word: &'static str, nth: Nth, change: Change) -> How {
    How::Edit(Edit { dialect: Dialect::Events, word, nth, change })
}

/// A change of HTTP answers of this dialect.
pub(super) const fn edit_http(status: u16, change: HttpChange) -> How {
    How::Http(HttpEdit { dialect: Dialect::Events, status, change })
}
