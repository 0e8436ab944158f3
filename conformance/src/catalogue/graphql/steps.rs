//! Sequences of steps that many scenarios of this dialect begin or end with.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::OwnedFrame;

use crate::scenario::{Answer, Cast, Conn, Greeting, Pattern, Publication, Shape, Step, Wait};

/// Connects and waits for the acknowledgement.
pub(super) fn connected(cast: &Cast, conn: Conn) -> Vec<Step> {
    vec![open(cast, conn), say(conn, r#"{"type":"connection_init"}"#), acked(conn)]
}

/// Upgrades with good credentials.
pub(super) fn open(cast: &Cast, conn: Conn) -> Step {
    Step::Open { conn, request: cast.usual_upgrade(), any_of: vec![Greeting::accepted()], rule: R::GqlHandshake004 }
}

/// Sends a text message.
pub(super) fn say(conn: Conn, text: impl Into<String>) -> Step {
    Step::Send { conn, frame: OwnedFrame::text(text) }
}

/// Waits for `connection_ack`.
pub(super) fn acked(conn: Conn) -> Step {
    expect(conn, Pattern::word("connection_ack"), R::GqlInit002)
}

/// Waits for one kind of answer.
pub(super) fn expect(conn: Conn, pattern: Pattern, rule: R) -> Step {
    any_of(conn, vec![pattern], rule)
}

/// Waits for one of several kinds of answer.
pub(super) fn any_of(conn: Conn, any_of: Vec<Pattern>, rule: R) -> Step {
    Step::Expect { conn, any_of, rule, within: Wait::Answer }
}

/// Subscribes to `subscribe2channel(name)` and waits for `start_ack`.
pub(super) fn subscribed(cast: &Cast, conn: Conn, id: &str, name: &str) -> Vec<Step> {
    vec![say(conn, cast.start_channel(id, name)), expect(conn, Pattern::with_id("start_ack", id), R::GqlSub006)]
}

/// Publishes to `name` until the subscription hears the first event.
pub(super) fn warmed(cast: &Cast, conn: Conn, id: &str, name: &str) -> Step {
    let attempts = (1..=8)
        .map(|n| {
            let nonce = cast.nonce(&format!("warm-{conn}-{id}-{n}"));
            (nonce.clone(), Publication::Http(cast.publish_to_channel(name, &nonce)))
        })
        .collect();
    Step::Warm { conn, id: id.into(), attempts, rule: R::GqlSub012 }
}

/// Publishes one event with this nonce to `name`.
pub(super) fn published(cast: &Cast, name: &str, nonce: &str) -> Step {
    Step::Call {
        request: cast.publish_to_channel(name, nonce),
        any_of: vec![Answer::status(200).has("data.publish2channel", Shape::Object)],
        rule: R::GqlHttp002,
    }
}

/// Waits for the event with this nonce.
pub(super) fn heard(conn: Conn, id: &str, name: &str, nonce: &str, rule: R) -> Step {
    let data = serde_json::json!({ "name": name, "data": crate::scenario::cast::channel_data(nonce) });
    expect(conn, Pattern::with_id("data", id).has("payload.data.subscribe2channel", Shape::Is(data)), rule)
}

/// Steps in a row.
pub(super) fn all(parts: impl IntoIterator<Item = Vec<Step>>) -> Vec<Step> {
    parts.into_iter().flatten().collect()
}
