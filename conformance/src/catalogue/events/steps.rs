//! Sequences of steps that many scenarios of this dialect begin or end with.

use appsync_protocol::json::{Json, json_text};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::OwnedFrame;

use crate::scenario::{Answer, Cast, Conn, Greeting, Pattern, Publication, Shape, Step, Wait};

/// Connects and waits for the acknowledgement.
pub(super) fn connected(cast: &Cast, conn: Conn) -> Vec<Step> {
    vec![open(cast, conn), say(conn, r#"{"type":"connection_init"}"#), acked(conn)]
}

/// Upgrades with good credentials.
pub(super) fn open(cast: &Cast, conn: Conn) -> Step {
    Step::Open { conn, request: cast.usual_upgrade(), any_of: vec![Greeting::accepted()], rule: R::EvtHandshake001 }
}

/// Sends a text message.
pub(super) fn say(conn: Conn, text: impl Into<String>) -> Step {
    Step::Send { conn, frame: OwnedFrame::text(text) }
}

/// Waits for `connection_ack`.
pub(super) fn acked(conn: Conn) -> Step {
    expect(conn, Pattern::word("connection_ack"), R::EvtInit002)
}

/// Waits for one kind of answer.
pub(super) fn expect(conn: Conn, pattern: Pattern, rule: R) -> Step {
    any_of(conn, vec![pattern], rule)
}

/// Waits for one of several kinds of answer.
pub(super) fn any_of(conn: Conn, any_of: Vec<Pattern>, rule: R) -> Step {
    Step::Expect { conn, any_of, rule, within: Wait::Answer }
}

/// Subscribes and waits for `subscribe_success`.
pub(super) fn subscribed(cast: &Cast, conn: Conn, id: &str, channel: &str) -> Vec<Step> {
    vec![say(conn, cast.subscribe(id, channel)), expect(conn, Pattern::with_id("subscribe_success", id), R::EvtSub007)]
}

/// Publishes to `channel` until the subscription hears the first event.
pub(super) fn warmed(cast: &Cast, conn: Conn, id: &str, channel: &str) -> Step {
    let attempts = (1..=8)
        .map(|n| {
            let nonce = cast.nonce(&format!("warm-{conn}-{id}-{n}"));
            (nonce.clone(), Publication::Http(cast.http_publish(channel, &[json_text(&nonce)])))
        })
        .collect();
    Step::Warm { conn, id: id.into(), attempts, rule: R::EvtData001 }
}

/// Publishes one event with this nonce over HTTP.
pub(super) fn published(cast: &Cast, channel: &str, nonce: &str) -> Step {
    Step::Call {
        request: cast.http_publish(channel, &[json_text(nonce)]),
        any_of: vec![Answer::status(200).has("successful", Shape::Length(1)).has("failed", Shape::Length(0))],
        rule: R::EvtHttp004,
    }
}

/// Waits for the event with this nonce.
pub(super) fn heard(conn: Conn, id: &str, nonce: &str, rule: R) -> Step {
    heard_value(conn, id, json_text(nonce), rule)
}

/// Waits for an event with this value.
pub(super) fn heard_value(conn: Conn, id: &str, value: Json, rule: R) -> Step {
    expect(conn, Pattern::with_id("data", id).has("event", Shape::JsonText(value)), rule)
}

/// Steps in a row.
pub(super) fn all(parts: impl IntoIterator<Item = Vec<Step>>) -> Vec<Step> {
    parts.into_iter().flatten().collect()
}
