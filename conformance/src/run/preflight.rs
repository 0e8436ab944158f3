//! The first look at a target with the user's own credentials: is there anything to judge?

use std::collections::BTreeMap;
use std::time::Duration;

use appsync_protocol::dialect::{Dialect, decode};
use appsync_protocol::handshake::{Carrier, build};
use appsync_protocol::json::parse_json;
use appsync_protocol::message::{Message, error_entries};
use appsync_protocol::transcript::Redactor;
use appsync_protocol::wire::{Headers, OwnedFrame, Request};
use tokio::time::timeout;

use super::{Endpoint, now_unix_s};
use crate::link::{Dialer, Heard, LinkError, Opened, Socket};
use crate::profile::{Fact, Standing};
use crate::scenario::{Need, cut};
use crate::survey::dialogue::{Answer, Dialogue, HEARD_MAX};
use crate::survey::probe::{INTROSPECTION, SCHEMAS, has_field};

/// Connects once. What the schema lacks, or why there is nothing to judge.
///
/// No TCP or TLS, no HTTP answer, an answer other than 101, or `connection_error` for the credentials: no
/// statement about the target. 101 and then silence or garbage is judged, as is a 101 that proves nothing (Events).
pub(super) async fn reach(
    dialer: &Dialer,
    endpoint: &Endpoint,
    seed: u64,
    step_timeout: Duration,
) -> Result<Found, String> {
    let opened = match dialer.open(&endpoint.realtime, &upgrade(endpoint)).await {
        Ok(opened) => opened,
        // An answer that breaks a rule of the register (EVT-HANDSHAKE-019): every scenario will say so.
        Err(LinkError::BadAccept { .. }) if endpoint.dialect == Dialect::Events => return Ok(Found::default()),
        Err(error) => return Err(error.to_string()),
    };
    let Opened { response, socket } = opened;
    let Some(mut socket) = socket else {
        let body = cut(&secrets(endpoint).text(&response.body.text()), 120);
        let at = endpoint.realtime.authority();
        return Err(format!(
            "expected 101 from {at}{}; got status {}{}",
            endpoint.realtime.path,
            response.status,
            if body.is_empty() { String::new() } else { format!(": {body}") }
        ));
    };
    if let Some(refusal) = first_refusal(&mut socket, endpoint, step_timeout).await {
        return Err(format!("the target refuses the credentials: {refusal}"));
    }
    rehearse(&mut socket, dialer, endpoint, seed, step_timeout).await?;
    let detected = match endpoint.dialect {
        Dialect::Graphql => schema(dialer, endpoint).await,
        Dialect::Events => return Ok(Found::default()),
    };
    Ok(Found { lacking: lacking(endpoint, &detected), detected })
}

/// What the first look has found.
#[derive(Default)]
pub(super) struct Found {
    /// What scenarios cannot have.
    pub(super) lacking: Vec<Need>,
    /// What the schema shows.
    pub(super) detected: BTreeMap<Fact, bool>,
}

/// Time in which a process that is dying shows it after it has taken a connection.
const LAST_BREATH: Duration = Duration::from_millis(300);

/// Whether the target takes connections, and does not drop them at once: a process that is just dying may
/// still have taken one.
pub(super) async fn is_alive(dialer: &Dialer, endpoint: &Endpoint, step_timeout: Duration) -> bool {
    let request = upgrade(endpoint);
    let opened = match timeout(step_timeout * 2, dialer.open(&endpoint.realtime, &request)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(LinkError::BadAccept { .. })) => return true,
        Ok(Err(_)) | Err(_) => return false,
    };
    let Some(mut socket) = opened.socket else { return opened.response.status < 500 };
    let _ = socket.send(&OwnedFrame::text(r#"{"type":"connection_init"}"#)).await;
    match timeout(LAST_BREATH, socket.next()).await {
        Ok(OwnedFrame::Lost) => false,
        Ok(
            OwnedFrame::Text { .. }
            | OwnedFrame::Binary(_)
            | OwnedFrame::Ping(_)
            | OwnedFrame::Pong(_)
            | OwnedFrame::Close { .. },
        )
        | Err(_) => true,
    }
}

fn upgrade(endpoint: &Endpoint) -> Request {
    let carrier = match endpoint.dialect {
        Dialect::Graphql => Carrier::Query,
        Dialect::Events => Carrier::Subprotocol,
    };
    let secret = endpoint.main_secret();
    // A host that stands in a URL can be signed.
    let credentials = secret.connect(endpoint.dialect, &endpoint.auth_host, now_unix_s()).unwrap_or_default();
    build(endpoint.dialect, carrier, &credentials, &endpoint.realtime, "c3luY3NwZWMtcHJlZmxpZw==")
}

/// What a refusal may quote and nobody else may read. Looked for before a text is cut: half a secret is not known.
fn secrets(endpoint: &Endpoint) -> Redactor {
    endpoint.keyring.redactor(&endpoint.api_key)
}

/// Asks for the acknowledgement and looks whether a refusal comes instead.
async fn first_refusal(socket: &mut Socket, endpoint: &Endpoint, patience: Duration) -> Option<String> {
    let _ = socket.send(&OwnedFrame::text(r#"{"type":"connection_init"}"#)).await;
    let looking = async {
        let mut heard = Heard::up_to(HEARD_MAX);
        while !heard.is_too_much() {
            let frame = socket.next().await;
            heard.add(&frame);
            match frame {
                OwnedFrame::Text { text, .. } => match decode(endpoint.dialect, &text).map(|decoded| decoded.message) {
                    Ok(Message::Rejected { errors }) => {
                        let first = error_entries(errors).1.into_iter().next().unwrap_or_default();
                        let what = [first.error_type, first.message].into_iter().flatten().collect::<Vec<_>>();
                        return Some(format!(
                            "connection_error {}",
                            cut(&secrets(endpoint).text(&what.join(": ")), 160)
                        ));
                    }
                    Ok(Message::KeepAlive) => {}
                    Ok(_) | Err(_) => return None,
                },
                OwnedFrame::Close { code: Some(code), .. } => return Some(format!("it closes with code {code}")),
                OwnedFrame::Close { code: None, .. } | OwnedFrame::Lost | OwnedFrame::Binary(_) => return None,
                OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {}
            }
        }
        None
    };
    timeout(patience, looking).await.ok().flatten()
}

/// Asks the schema which of the known fields it has; only that it does not answer, where it does not.
async fn schema(dialer: &Dialer, endpoint: &Endpoint) -> BTreeMap<Fact, bool> {
    let headers = Headers::new().with("host", endpoint.http.authority()).with("content-type", "application/json");
    let target = endpoint.http.path.clone();
    let mut request = Request { method: "POST".into(), target, headers, body: INTROSPECTION.into() };
    let _ = endpoint.main_secret().http(&mut request, now_unix_s());
    let answer = dialer.http(&endpoint.http, &request).await.ok();
    let schema = answer.and_then(|a| parse_json(&a.body.text())).and_then(|b| b.pointer("/data/__schema").cloned());
    let Some(schema) = schema else { return BTreeMap::from([(Fact::Introspection, false)]) };
    let has = |(fact, mutation, subscription)| {
        (fact, has_field(&schema, "mutationType", mutation) && has_field(&schema, "subscriptionType", subscription))
    };
    SCHEMAS.map(has).into_iter().chain([(Fact::Introspection, true)]).collect()
}

/// What scenarios cannot have. A target that does not answer introspection is taken to have the channel and message
/// schema, and no other.
fn lacking(endpoint: &Endpoint, detected: &BTreeMap<Fact, bool>) -> Vec<Need> {
    let pairs = [
        (Need::ChannelSchema, Fact::ChannelSchema, true),
        (Need::MessageSchema, Fact::MessageSchema, true),
        (Need::NoteSchema, Fact::NoteSchema, false),
    ];
    let lacks = |(need, fact, otherwise)| {
        let standing = Standing {
            declared: endpoint.declared.get(&fact).copied(),
            detected: detected.get(&fact).or_else(|| endpoint.probed.get(&fact)).copied(),
        };
        (!standing.holds(otherwise)).then_some(need)
    };
    pairs.into_iter().filter_map(lacks).collect()
}

/// Starts the declared subscription and uses its trigger once. A refusal of either says nothing about the target.
async fn rehearse(
    socket: &mut Socket,
    dialer: &Dialer,
    endpoint: &Endpoint,
    seed: u64,
    step_timeout: Duration,
) -> Result<(), String> {
    if endpoint.own.is_none() || endpoint.dialect != Dialect::Graphql {
        return Ok(());
    }
    let prefix = format!("s{:06x}-rehearsal", seed & 0xff_ffff);
    let dialogue = Dialogue::new(dialer, endpoint, &prefix, step_timeout);
    let topic = dialogue.topic("room");
    if let Answer::No(why) = dialogue.subscribe(socket, &topic).await {
        return Err(format!("the declared subscription is refused: {why}; see syncspec doctor"));
    }
    let nonce = dialogue.cast().nonce("event");
    if let Answer::No(why) = dialogue.trigger(&topic, &nonce).await {
        return Err(format!("the declared trigger is refused: {why}; see syncspec doctor"));
    }
    match dialogue.event(socket, &nonce).await {
        Answer::No(why) => Err(format!("the declared subscription does not fit: {why}; see syncspec doctor")),
        // A silence right after a grant is legal, and what else comes is judged.
        Answer::Yes(_) | Answer::End(_) | Answer::Silence => Ok(()),
    }
}
