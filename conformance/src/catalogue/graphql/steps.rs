//! What many scenarios of this dialect are made of: their common form, and sequences of steps.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::{OwnedFrame, Request};
use serde_json::json;

use crate::fault::{Change, Edit, How, HttpChange, HttpEdit, Nth};
use crate::scenario::cast::{channel_data, request_body};
use crate::scenario::{Answer, Cast, Conn, Greeting, Need, Pattern, Publication, Scenario, Shape, Step, Tier, Wait};

/// What most scenarios have in common; the rest is theirs.
pub(super) const QUICK: Scenario = Scenario {
    id: "",
    title: "",
    dialect: Dialect::Graphql,
    covers: &[],
    needs: &[],
    tier: Tier::Quick,
    hazard: false,
    steps: |_| Vec::new(),
};

/// The channel schema.
pub(super) const CHANNEL: &[Need] = &[Need::ChannelSchema];
/// Any subscription, and what triggers it.
pub(super) const ANY: &[Need] = &[Need::Subscription];
/// Any subscription with an argument that tells events apart.
pub(super) const TOPIC: &[Need] = &[Need::Topic];
/// Any subscription, hundreds of times.
pub(super) const MANY: &[Need] = &[Need::Subscription, Need::Limits];
/// The channel schema, and leave to create hundreds of subscriptions or to send megabytes.
pub(super) const LARGE: &[Need] = &[Need::ChannelSchema, Need::Limits];
/// The note schema.
pub(super) const NOTES: &[Need] = &[Need::NoteSchema];

/// The subscription to messages, which has no arguments.
pub(super) const SUBSCRIBE_TO_MESSAGES: &str = "subscription { subscribeToMessages { message } }";
/// A subscription to a field that no schema has.
pub(super) const SUBSCRIBE_TO_NOTHING: &str = "subscription { nothingLikeThis { message } }";

/// `connection_init`.
pub(super) const INIT: &str = r#"{"type":"connection_init"}"#;

/// Connects and waits for the acknowledgement.
pub(super) fn connected(cast: &Cast, conn: Conn) -> Vec<Step> {
    vec![open(cast, conn), say(conn, INIT), acked(conn)]
}

/// Connects with a request of its own, for a rule that would be broken by a refusal.
pub(super) fn admitted(conn: Conn, request: Request, rule: R) -> Vec<Step> {
    vec![
        Step::Open { conn, request, any_of: vec![Greeting::accepted()], rule },
        say(conn, INIT),
        expect(conn, Pattern::word("connection_ack"), rule),
    ]
}

/// Upgrades with good credentials.
pub(super) fn open(cast: &Cast, conn: Conn) -> Step {
    Step::Open { conn, request: cast.usual_upgrade(), any_of: vec![Greeting::accepted()], rule: R::GqlHandshake004 }
}

/// Upgrades with a request that is to be refused, in-band or by an HTTP status.
pub(super) fn open_in_vain(conn: Conn, request: Request, rule: R) -> Step {
    Step::Open { conn, request, any_of: vec![Greeting::accepted(), http_refusal()], rule }
}

/// A refusal before there is a WebSocket connection.
pub(super) fn http_refusal() -> Greeting {
    Greeting::client_error().reads("GQL-A-21", "refused by an HTTP status")
}

/// Asks for the acknowledgement and waits for a refusal instead.
pub(super) fn turned_away(conn: Conn, rule: R) -> Vec<Step> {
    vec![say(conn, INIT), any_of(conn, vec![Pattern::word("connection_error"), told_by_error()], rule)]
}

/// The same, where the code of a bad request is known.
pub(super) fn turned_away_as_bad(conn: Conn, rule: R) -> Vec<Step> {
    let told = Pattern::word("connection_error").has("payload.errors", Shape::ErrorCode(&[400]));
    vec![say(conn, INIT), any_of(conn, vec![told, told_by_error()], rule)]
}

/// The other message that tells of a refused connection.
pub(super) fn told_by_error() -> Pattern {
    Pattern::word("error").reads("GQL-A-04", "refused by error")
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

/// Pings and waits for the pong.
pub(super) fn pinged(conn: Conn, rule: R) -> Vec<Step> {
    let frame = OwnedFrame::Ping(b"still there?".to_vec());
    vec![Step::Send { conn, frame }, expect(conn, Pattern::pong(b"still there?"), rule)]
}

/// Subscribes to `subscribe2channel(name)` and waits for `start_ack`.
pub(super) fn subscribed(cast: &Cast, conn: Conn, id: &str, name: &str) -> Vec<Step> {
    subscribed_by(cast, conn, id, name, R::GqlSub006)
}

/// The same, for a rule that a refusal would break.
pub(super) fn subscribed_by(cast: &Cast, conn: Conn, id: &str, name: &str, rule: R) -> Vec<Step> {
    vec![say(conn, cast.start_channel(id, name)), expect(conn, Pattern::with_id("start_ack", id), rule)]
}

/// Subscribes with a document and waits for `start_ack`.
pub(super) fn subscribed_to(cast: &Cast, conn: Conn, id: &str, document: &str, variables: &Json) -> Vec<Step> {
    let start = cast.start(id, document, variables);
    vec![say(conn, start), expect(conn, Pattern::with_id("start_ack", id), R::GqlSub006)]
}

/// Ends a subscription and waits for `complete`.
pub(super) fn stopped(conn: Conn, id: &str) -> Vec<Step> {
    vec![say(conn, stop(id)), expect(conn, Pattern::with_id("complete", id), R::GqlSub024)]
}

/// `stop`
pub(super) fn stop(id: &str) -> String {
    json!({ "type": "stop", "id": id }).to_string()
}

/// `start` with this text as its `payload.data`, which may be no string.
pub(super) fn start_with_data(cast: &Cast, id: &str, data: &Json) -> String {
    let authorization = cast.authorization_of(data.as_str().unwrap_or_default());
    format!(
        r#"{{"id":"{id}","type":"start","payload":{{"data":{data},"extensions":{{"authorization":{authorization}}}}}}}"#
    )
}

/// `start` of a subscription that no schema has: whoever reads it answers with an error.
pub(super) fn bad_start(cast: &Cast, id: &str) -> String {
    cast.start(id, SUBSCRIBE_TO_NOTHING, &Json::Null)
}

/// The error for one operation.
pub(super) fn refusal(id: &str) -> Pattern {
    Pattern::with_id("error", id).has("payload.errors", Shape::Errors)
}

/// Publishes to `name` until the subscription hears the first event.
pub(super) fn warmed(cast: &Cast, conn: Conn, id: &str, name: &str) -> Step {
    warmed_by(cast, conn, id, name, R::GqlSub012)
}

/// The same, for a rule that a lasting silence would break.
pub(super) fn warmed_by(cast: &Cast, conn: Conn, id: &str, name: &str, rule: R) -> Step {
    warmed_as(cast, conn, id, rule, |nonce| cast.publication(name, nonce))
}

/// Publishes by these requests until the subscription hears the first event.
pub(super) fn warmed_with(cast: &Cast, conn: Conn, id: &str, rule: R, request: impl Fn(&str) -> Request) -> Step {
    warmed_as(cast, conn, id, rule, |nonce| Publication::Http(request(nonce)))
}

fn warmed_as(cast: &Cast, conn: Conn, id: &str, rule: R, publication: impl Fn(&str) -> Publication) -> Step {
    let attempts = (1..=8)
        .map(|n| {
            let nonce = cast.nonce(&format!("warm-{conn}-{id}-{n}"));
            (nonce.clone(), publication(&nonce))
        })
        .collect();
    Step::Warm { conn, id: id.into(), attempts, rule }
}

/// Publishes one event with this nonce to `name`.
pub(super) fn published(cast: &Cast, name: &str, nonce: &str) -> Step {
    let member = if cast.own.is_some() { "data" } else { "data.publish2channel" };
    match cast.publication(name, nonce) {
        Publication::Http(request) => {
            let any_of = vec![Answer::status(200).has(member, Shape::Object)];
            Step::Call { request, any_of, rule: R::GqlHttp002 }
        }
        Publication::Fire(firing) => Step::Fire { firing, rule: R::GqlHttp002 },
        Publication::Frame(conn, frame) => Step::Send { conn, frame },
    }
}

/// Runs a mutation that is to succeed.
pub(super) fn mutated(cast: &Cast, document: &str, variables: &Json) -> Step {
    Step::Call {
        request: cast.post(&request_body(document, variables)),
        any_of: vec![Answer::status(200).has("data", Shape::Object)],
        rule: R::GqlHttp002,
    }
}

/// From here on, an event with this nonce must not reach the subscription.
pub(super) fn forbidden(conn: Conn, id: &str, nonce: &str, rule: R) -> Step {
    Step::Forbid { conn, id: Some(id.into()), nonce: nonce.into(), rule }
}

/// Waits for the event with this nonce.
pub(super) fn heard(cast: &Cast, conn: Conn, id: &str, (name, nonce): (&str, &str), rule: R) -> Step {
    let event = Pattern::with_id("data", id);
    let event = match &cast.own {
        Some(own) => event.has(format!("payload.data.{}", own.data), Shape::Holding(nonce.into())),
        None => {
            let data = json!({ "name": name, "data": channel_data(nonce) });
            event.has("payload.data.subscribe2channel", Shape::Is(data))
        }
    };
    expect(conn, event, rule)
}

/// Publishes a marker, waits for it, and listens for what should not come.
pub(super) fn marked(cast: &Cast, conn: Conn, id: &str, name: &str, rule: R) -> Vec<Step> {
    let marker = cast.nonce("marker");
    vec![published(cast, name, &marker), heard(cast, conn, id, (name, &marker), rule), Step::Quiet { conn }]
}

/// The same, with a message as the marker.
pub(super) fn marked_by_message(cast: &Cast, conn: Conn, id: &str, rule: R) -> Vec<Step> {
    let marker = cast.nonce("marker");
    let sent = Step::Call {
        request: send_message(cast, &marker),
        any_of: vec![Answer::status(200).has("data.sendMessage", Shape::Object)],
        rule: R::GqlHttp002,
    };
    vec![sent, heard_message(conn, id, &marker, rule), Step::Quiet { conn }]
}

/// The mutation that `subscribeToMessages` hears.
pub(super) fn send_message(cast: &Cast, nonce: &str) -> Request {
    let document = "mutation M($m: String) { sendMessage(msg: $m) { message } }";
    cast.post(&request_body(document, &json!({ "m": nonce })))
}

/// Waits for the message with this nonce.
pub(super) fn heard_message(conn: Conn, id: &str, nonce: &str, rule: R) -> Step {
    let data = json!({ "message": nonce });
    expect(conn, Pattern::with_id("data", id).has("payload.data.subscribeToMessages", Shape::Is(data)), rule)
}

/// The mutation that `onNote` hears; the nonce travels in `text`.
pub(super) fn add_note(cast: &Cast, board: &str, nonce: &str, stars: Option<i64>) -> Request {
    let document = "mutation M($b: ID!, $t: String, $s: Int) { addNote(board: $b, text: $t, stars: $s) \
        { id board text stars } }";
    cast.post(&request_body(document, &json!({ "b": board, "t": nonce, "s": stars })))
}

/// Adds a note.
pub(super) fn noted(cast: &Cast, board: &str, nonce: &str, stars: Option<i64>) -> Step {
    Step::Call {
        request: add_note(cast, board, nonce, stars),
        any_of: vec![Answer::status(200).has("data.addNote", Shape::Object)],
        rule: R::GqlHttp002,
    }
}

/// Waits for the note with this nonce.
pub(super) fn heard_note(conn: Conn, id: &str, (board, nonce): (&str, &str), stars: &Json, rule: R) -> Step {
    let pattern = Pattern::with_id("data", id)
        .has("payload.data.onNote.board", Shape::Is(board.into()))
        .has("payload.data.onNote.text", Shape::Is(nonce.into()))
        .has("payload.data.onNote.stars", Shape::Is(stars.clone()));
    expect(conn, pattern, rule)
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

/// Steps in a row.
pub(super) fn all(parts: impl IntoIterator<Item = Vec<Step>>) -> Vec<Step> {
    parts.into_iter().flatten().collect()
}

/// A change of outgoing messages of this dialect.
pub(super) const fn edit(word: &'static str, nth: Nth, change: Change) -> How {
    How::Edit(Edit { dialect: Dialect::Graphql, word, nth, change })
}

/// A change of HTTP answers of this dialect.
pub(super) const fn edit_http(status: u16, change: HttpChange) -> How {
    How::Http(HttpEdit { dialect: Dialect::Graphql, status, change })
}
