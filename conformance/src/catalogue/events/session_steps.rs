//! What scenarios of the session and of subscriptions are made of, beyond the common sequences.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::json::json_text;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::{Headers, OwnedFrame, Request};

use super::steps::{all, any_of, connected, expect, heard, published, say};
use crate::fault::{Change, Edit, How, HttpChange, HttpEdit, Nth};
use crate::scenario::{Cast, Conn, Greeting, Pattern, Publication, Scenario, Shape, Step, Tier};

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

/// `connection_init`.
pub(super) const INIT: &str = r#"{"type":"connection_init"}"#;

/// The header field in which subprotocols are offered.
const OFFER: &str = "Sec-WebSocket-Protocol";

/// The request with another offer of subprotocols, or none.
pub(super) fn offering(request: Request, offered: Option<&str>) -> Request {
    let mut headers = Headers::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(OFFER)) {
        headers.push(name, value);
    }
    if let Some(offered) = offered {
        headers.push(OFFER, offered);
    }
    Request { headers, ..request }
}

/// Connects with a request of its own, for a rule that would be broken by a refusal.
pub(super) fn admitted(conn: Conn, request: Request, rule: R) -> Vec<Step> {
    vec![
        Step::Open { conn, request, any_of: vec![Greeting::accepted()], rule },
        say(conn, INIT),
        expect(conn, Pattern::word("connection_ack"), rule),
    ]
}

/// Upgrades with a request that is to be refused, in-band or by an HTTP status.
pub(super) fn open_in_vain(conn: Conn, request: Request, rule: R) -> Step {
    Step::Open { conn, request, any_of: vec![Greeting::accepted(), Greeting::refused()], rule }
}

/// Asks for the acknowledgement and waits for a refusal instead.
pub(super) fn turned_away(conn: Conn, rule: R) -> Vec<Step> {
    vec![say(conn, INIT), any_of(conn, vec![Pattern::word("connection_error"), Pattern::closed()], rule)]
}

/// Pings and waits for the pong.
pub(super) fn pinged(conn: Conn, rule: R) -> Vec<Step> {
    let frame = OwnedFrame::Ping(b"still there?".to_vec());
    vec![Step::Send { conn, frame }, expect(conn, Pattern::pong(b"still there?"), rule)]
}

/// Subscribes and waits for `subscribe_success`, for a rule that a refusal would break.
pub(super) fn taken(cast: &Cast, conn: Conn, id: &str, channel: &str, rule: R) -> Vec<Step> {
    vec![say(conn, cast.subscribe(id, channel)), expect(conn, Pattern::with_id("subscribe_success", id), rule)]
}

/// Subscribes and waits for a refusal, for a rule that success would break.
pub(super) fn turned_down(cast: &Cast, conn: Conn, id: &str, channel: &str, rule: R) -> Vec<Step> {
    vec![say(conn, cast.subscribe(id, channel)), any_of(conn, refusals(id), rule)]
}

/// Every way to refuse a `subscribe`; which of them is right is the business of EVT-SUB-008.
pub(crate) fn refusals(id: &str) -> Vec<Pattern> {
    vec![
        Pattern::with_id("subscribe_error", id),
        Pattern::with_id("error", id),
        Pattern::without_id("subscribe_error"),
        Pattern::without_id("error"),
    ]
}

/// The documented refusal of a `subscribe`.
pub(crate) fn refusal(id: &str) -> Pattern {
    Pattern::with_id("subscribe_error", id)
        .has("errors", Shape::Array)
        .has("errors", Shape::Errors)
        .has("errors.0.errorType", Shape::Text)
}

/// Ends a subscription and waits for `unsubscribe_success`.
pub(super) fn ended(conn: Conn, id: &str, rule: R) -> Vec<Step> {
    vec![say(conn, unsubscribe(id)), expect(conn, Pattern::with_id("unsubscribe_success", id), rule)]
}

/// `unsubscribe`
pub(super) fn unsubscribe(id: &str) -> String {
    serde_json::json!({ "type": "unsubscribe", "id": id }).to_string()
}

/// Publishes to `channel` until the subscription hears the first event, for a rule that a lasting silence
/// would break.
pub(super) fn warmed_by(cast: &Cast, conn: Conn, id: &str, channel: &str, rule: R) -> Step {
    let attempts = (1..=8)
        .map(|n| {
            let nonce = cast.nonce(&format!("warm-{conn}-{id}-{n}"));
            (nonce.clone(), Publication::Http(cast.http_publish(channel, &[json_text(&nonce)])))
        })
        .collect();
    Step::Warm { conn, id: id.into(), attempts, rule }
}

/// From here on, an event with this nonce must not reach the subscription.
pub(super) fn forbidden(conn: Conn, id: &str, nonce: &str, rule: R) -> Step {
    Step::Forbid { conn, id: Some(id.into()), nonce: nonce.into(), rule }
}

/// Publishes a marker, waits for it, and listens for what should not come.
pub(super) fn marked(cast: &Cast, conn: Conn, id: &str, channel: &str, rule: R) -> Vec<Step> {
    let marker = cast.nonce("marker");
    vec![published(cast, channel, &marker), heard(conn, id, &marker, rule), Step::Quiet { conn }]
}

/// Time for what was provoked to show: a process may die some moments after the message that kills it.
fn settled(conn: Conn) -> Vec<Step> {
    vec![Step::Quiet { conn }]
}

/// Does something that the peer may not survive while a bystander is connected. The bystander still has
/// to be answered and a new connection to be taken; only then does `aftermath` look at the one concerned.
pub(super) fn beside_a_bystander(cast: &Cast, provocation: Vec<Step>, aftermath: Vec<Step>) -> Vec<Step> {
    let newcomer = admitted(9, cast.usual_upgrade(), R::SynAlive002);
    all([connected(cast, 8), provocation, settled(8), pinged(8, R::SynAlive001), newcomer, aftermath])
}

/// A change of outgoing messages of this dialect.
pub(super) const fn edit(word: &'static str, nth: Nth, change: Change) -> How {
    How::Edit(Edit { dialect: Dialect::Events, word, nth, change })
}

/// A change of HTTP answers of this dialect.
pub(super) const fn edit_http(status: u16, change: HttpChange) -> How {
    How::Http(HttpEdit { dialect: Dialect::Events, status, change })
}
