//! The first look at a target with the user's own credentials: is there anything to judge?

use std::time::Duration;

use appsync_protocol::dialect::{Dialect, decode};
use appsync_protocol::handshake::{Carrier, build};
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::message::{Message, error_entries};
use appsync_protocol::transcript::Redactor;
use appsync_protocol::wire::{Headers, OwnedFrame, Request};
use tokio::time::timeout;

use super::{Endpoint, now_unix_s};
use crate::link::{Dialer, LinkError, Opened, Socket};
use crate::scenario::{Need, cut};

/// Connects once. What the schema lacks, or why there is nothing to judge.
///
/// No TCP or TLS, no HTTP answer, an answer other than 101, or `connection_error` for the credentials: no
/// statement about the target. 101 and then silence or garbage is judged, as is a 101 that proves nothing (Events).
pub(super) async fn reach(dialer: &Dialer, endpoint: &Endpoint, step_timeout: Duration) -> Result<Vec<Need>, String> {
    let opened = match dialer.open(&endpoint.realtime, &upgrade(endpoint)).await {
        Ok(opened) => opened,
        // An answer that breaks a rule of the register (EVT-HANDSHAKE-019): every scenario will say so.
        Err(LinkError::BadAccept { .. }) if endpoint.dialect == Dialect::Events => return Ok(Vec::new()),
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
    Ok(match endpoint.dialect {
        Dialect::Graphql => schema_lacks(dialer, endpoint).await,
        Dialect::Events => Vec::new(),
    })
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
    let Some(mut socket) = opened.socket else { return true };
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
        loop {
            match socket.next().await {
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
    };
    timeout(patience, looking).await.ok().flatten()
}

/// Asks the schema which of the known fields it has. A target that does not answer introspection is taken
/// to have the channel and message schema, and no other.
async fn schema_lacks(dialer: &Dialer, endpoint: &Endpoint) -> Vec<Need> {
    let body = r#"{"query":"{ __schema { mutationType { fields { name } } subscriptionType { fields { name } } } }"}"#;
    let headers = Headers::new().with("host", endpoint.http.authority()).with("content-type", "application/json");
    let mut request = Request { method: "POST".into(), target: endpoint.http.path.clone(), headers, body: body.into() };
    let _ = endpoint.main_secret().http(&mut request, now_unix_s());
    let answer = dialer.http(&endpoint.http, &request).await.ok();
    let schema = answer.and_then(|a| parse_json(&a.body.text())).and_then(|b| b.pointer("/data/__schema").cloned());
    let Some(schema) = schema else { return vec![Need::NoteSchema] };
    let has = |kind: &str, name: &str| {
        let fields = schema.pointer(&format!("/{kind}/fields")).and_then(Json::as_array);
        fields.is_some_and(|all| all.iter().any(|f| f.get("name").and_then(Json::as_str) == Some(name)))
    };
    let pairs = [
        (Need::ChannelSchema, "publish2channel", "subscribe2channel"),
        (Need::MessageSchema, "sendMessage", "subscribeToMessages"),
        (Need::NoteSchema, "addNote", "onNote"),
    ];
    pairs
        .into_iter()
        .filter(|(_, mutation, subscription)| !has("mutationType", mutation) || !has("subscriptionType", subscription))
        .map(|(need, _, _)| need)
        .collect()
}
