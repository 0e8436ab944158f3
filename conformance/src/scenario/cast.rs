//! The names, keys and nonces that a scenario plays with, and the short forms its steps are written in.
//!
//! Every payload, channel and argument holds a nonce of the run, the scenario and the step, so that what
//! arrives can be told apart from everything else that travels at the same time.

use std::sync::Arc;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials, Url, build};
use appsync_protocol::json::{Json, push_json_string};
use appsync_protocol::server::Mode;
use appsync_protocol::wire::{Bytes, Headers, Request};

use crate::auth::sign::{self, Secret};
use crate::auth::{Keyring, example, wrong};
use crate::scenario::Publication;
use crate::scenario::own::Own;

/// Everything a scenario needs to know of the target and of its own run.
#[derive(Clone)]
pub struct Cast {
    /// Which protocol.
    pub dialect: Dialect,
    /// Prefix of every nonce of this scenario in this run: letters, digits and hyphens.
    pub prefix: String,
    /// A key that the target knows; empty if there is none.
    pub api_key: String,
    /// What else it knows, by mode, and which mode is used where nothing else is asked for.
    pub keyring: Keyring,
    /// Seconds since 1970, for signatures.
    pub now_unix_s: u64,
    /// What may not be done: a mode, and a subscription that its credentials may not start.
    pub denied: Option<(Mode, String)>,
    /// Host of the HTTP endpoint, which stands in every authorization object.
    pub auth_host: String,
    /// Path of the HTTP endpoint.
    pub http_path: String,
    /// Where upgrades go.
    pub realtime: Url,
    /// Channel namespaces of the target; never empty.
    pub namespaces: Vec<String>,
    /// What channels below a namespace begin with; letters, digits and hyphens.
    pub channel_prefix: String,
    /// The subscription that is used where any will do, instead of the channel schema.
    pub own: Option<Arc<Own>>,
    /// `Sec-WebSocket-Key` of upgrades: 16 bytes in base64.
    pub upgrade_key: String,
}

/// A key that no target knows: of the form of a real one.
pub const WRONG_KEY: &str = "da2-wrongwrongwrongwrongwrongw";

/// When everything happens that happens in virtual time: 2026-01-01.
pub const EXAMPLE_UNIX_S: u64 = 1_767_225_600;

/// Longest label of a nonce that is kept as it is, in characters.
const LABEL_MAX: usize = 30;

impl Cast {
    /// A cast for snapshots: fixed names, and a placeholder in place of the key.
    pub fn example(dialect: Dialect) -> Self {
        let (http_path, path) = match dialect {
            Dialect::Graphql => ("/graphql", "/graphql/realtime"),
            Dialect::Events => ("/event", "/event/realtime"),
        };
        Self {
            dialect,
            prefix: "n".into(),
            api_key: "${key:1}".into(),
            keyring: example::keyring(),
            now_unix_s: EXAMPLE_UNIX_S,
            denied: Some((Mode::Lambda, example::DENIED_DOCUMENT.into())),
            auth_host: "api.example.com".into(),
            http_path: http_path.into(),
            realtime: Url { secure: true, host: "api.example.com".into(), path: path.into() },
            namespaces: vec!["default".into(), "other".into()],
            channel_prefix: String::new(),
            own: None,
            upgrade_key: "c3luY3NwZWMtZXhhbXBsZQ==".into(),
        }
    }

    /// A nonce: the run's and the scenario's prefix with a label of the step. Letters, digits and hyphens, and
    /// short enough for a channel segment, whatever the label.
    pub fn nonce(&self, label: &str) -> String {
        let plain: String = label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        if plain == label && label.len() <= LABEL_MAX {
            return format!("{}-{label}", self.prefix);
        }
        let mark = label.bytes().fold(0x811c_9dc5_u32, |mark, byte| (mark ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let head: String = plain.chars().take(LABEL_MAX - 9).collect();
        format!("{}-{head}-{mark:08x}", self.prefix)
    }

    /// The credentials for this mode, if there are any.
    pub fn secret(&self, mode: Mode) -> Option<Secret> {
        self.keyring.secret(mode, &self.api_key)
    }

    /// The modes for which there are credentials.
    pub fn modes(&self) -> Vec<Mode> {
        Mode::ALL.into_iter().filter(|mode| self.secret(*mode).is_some()).collect()
    }

    /// The main secret. Without any it is an API key that is empty, and preflight has told that.
    fn main(&self) -> Secret {
        self.secret(self.keyring.main).unwrap_or_else(|| Secret::ApiKey(self.api_key.clone()))
    }

    /// Good credentials for a connection.
    pub fn credentials(&self) -> Credentials {
        self.connect_by(&self.main())
    }

    /// Credentials for a connection. Only a host that no URL has could not be signed.
    pub fn connect_by(&self, secret: &Secret) -> Credentials {
        secret.connect(self.dialect, &self.auth_host, self.now_unix_s).unwrap_or_default()
    }

    /// Credentials for an operation with this body.
    pub fn operation_by(&self, secret: &Secret, body: &str) -> Credentials {
        secret.operation(self.dialect, &self.auth_host, body, self.now_unix_s).unwrap_or_default()
    }

    /// Credentials that no target accepts, for anything.
    pub fn wrong_credentials(&self) -> Credentials {
        self.connect_by(&wrong(&self.main()))
    }

    /// The carrier that servers of the dialect know best.
    pub const fn usual_carrier(&self) -> Carrier {
        match self.dialect {
            Dialect::Graphql => Carrier::Query,
            Dialect::Events => Carrier::Subprotocol,
        }
    }

    /// An upgrade request with these credentials.
    pub fn upgrade(&self, carrier: Carrier, credentials: &Credentials) -> Request {
        build(self.dialect, carrier, credentials, &self.realtime, &self.upgrade_key)
    }

    /// An upgrade request as a plain client would send it.
    pub fn usual_upgrade(&self) -> Request {
        self.upgrade(self.usual_carrier(), &self.credentials())
    }

    /// A `POST` of JSON to the HTTP endpoint with good credentials.
    pub fn post(&self, body: &str) -> Request {
        self.post_by(&self.main(), body)
    }

    /// A `POST` of JSON to the HTTP endpoint with these credentials.
    pub fn post_by(&self, secret: &Secret, body: &str) -> Request {
        self.signed(secret, body.into())
    }

    fn signed(&self, secret: &Secret, body: Bytes) -> Request {
        let mut request = self.unsigned(body);
        // It has a host, so it can be signed.
        let _ = secret.http(&mut request, self.now_unix_s);
        request
    }

    /// A `POST` of JSON to the HTTP endpoint with this key, or none.
    pub fn post_with_key(&self, body: &str, key: Option<&str>) -> Request {
        let mut request = self.unsigned(body.into());
        if let Some(key) = key {
            request.headers.push("x-api-key", key);
        }
        request
    }

    fn unsigned(&self, body: Bytes) -> Request {
        let headers = Headers::new().with("host", &self.auth_host).with("content-type", "application/json");
        Request { method: "POST".into(), target: self.http_path.clone(), headers, body }
    }

    /// JSON text of a good authorization object for a connection.
    pub fn authorization(&self) -> String {
        self.credentials().to_json()
    }

    /// JSON text of a good authorization object for an operation; `body` is what a signature covers.
    pub fn authorization_of(&self, body: &str) -> String {
        self.operation_by(&self.main(), body).to_json()
    }

    // GraphQL

    /// `start` for a document with variables.
    pub fn start(&self, id: &str, document: &str, variables: &Json) -> String {
        let data = request_body(document, variables);
        let authorization = self.authorization_of(&data);
        start_text(id, &data, &authorization)
    }

    /// `start` with another authorization object.
    pub fn start_as(&self, id: &str, document: &str, variables: &Json, authorization: &str) -> String {
        start_text(id, &request_body(document, variables), authorization)
    }

    /// `start` of a subscription to this topic: `subscribe2channel(name)`, or the declared one.
    pub fn start_channel(&self, id: &str, name: &str) -> String {
        let (document, variables) = self.subscription(name);
        self.start(id, &document, &variables)
    }

    /// Document and variables of a subscription to this topic.
    pub fn subscription(&self, name: &str) -> (String, Json) {
        match &self.own {
            Some(own) => (own.document.clone(), own.variables_for(name)),
            None => (SUBSCRIBE_TO_CHANNEL.into(), serde_json::json!({ "n": name })),
        }
    }

    /// JSON text of the request of a subscription to this topic.
    pub fn subscription_request(&self, name: &str) -> String {
        let (document, variables) = self.subscription(name);
        request_body(&document, &variables)
    }

    /// How an event with this nonce is published to this topic.
    pub fn publication(&self, name: &str, nonce: &str) -> Publication {
        let Some(own) = &self.own else { return Publication::Http(self.publish_to_channel(name, nonce)) };
        match (own.trigger.mutation(name, nonce), own.trigger.firing(name, nonce)) {
            (_, Some(firing)) => Publication::Fire(firing),
            (body, None) => Publication::Http(self.post(&body.unwrap_or_default())),
        }
    }

    /// The mutation that `subscribe2channel(name)` hears; the nonce travels in `data`.
    pub fn publish_to_channel(&self, name: &str, nonce: &str) -> Request {
        let variables = serde_json::json!({ "n": name, "d": channel_data(nonce) });
        self.post(&request_body(PUBLISH_TO_CHANNEL, &variables))
    }

    // Events

    /// A channel below the first namespace, with a nonce of its own.
    pub fn channel(&self, label: &str) -> String {
        format!("/{}/{}{}", self.namespace(), self.channel_prefix, self.nonce(label))
    }

    /// The first namespace.
    pub fn namespace(&self) -> &str {
        self.namespaces.first().map_or("default", String::as_str)
    }

    /// `subscribe` with good credentials.
    pub fn subscribe(&self, id: &str, channel: &str) -> String {
        self.subscribe_as(id, channel, &self.authorization_of(&sign::subscribe_body(channel)))
    }

    /// `subscribe` with another authorization object.
    pub fn subscribe_as(&self, id: &str, channel: &str, authorization: &str) -> String {
        format!(
            r#"{{"type":"subscribe","id":{},"channel":{},"authorization":{authorization}}}"#,
            quoted(id),
            quoted(channel)
        )
    }

    /// `publish` of events given as JSON values.
    pub fn publish(&self, id: &str, channel: &str, events: &[Json]) -> String {
        let main = self.main();
        // Only a signature covers the body, and a body may be megabytes.
        let body = match &main {
            Secret::Iam(_) => publish_body(channel, events),
            Secret::ApiKey(_) | Secret::Token(_) => String::new(),
        };
        self.publish_as(id, channel, events, &self.operation_by(&main, &body).to_json())
    }

    /// `publish` with another authorization object.
    pub fn publish_as(&self, id: &str, channel: &str, events: &[Json], authorization: &str) -> String {
        let mut text = String::with_capacity(id.len() + channel.len() + room(events) + authorization.len() + 80);
        text.push_str(r#"{"type":"publish","id":"#);
        push_json_string(&mut text, id);
        text.push_str(r#","channel":"#);
        push_json_string(&mut text, channel);
        text.push_str(r#","events":"#);
        push_events(&mut text, events);
        text.push_str(r#","authorization":"#);
        text.push_str(authorization);
        text.push('}');
        text
    }

    /// An HTTP publish of events given as JSON values.
    pub fn http_publish(&self, channel: &str, events: &[Json]) -> Request {
        self.signed(&self.main(), publish_body(channel, events).into())
    }
}

/// The subscription of the channel schema.
pub const SUBSCRIBE_TO_CHANNEL: &str = "subscription S($n: String!) { subscribe2channel(name: $n) { name data } }";
/// The mutation of the channel schema, with everything selected.
pub const PUBLISH_TO_CHANNEL: &str =
    "mutation M($n: String!, $d: AWSJSON!) { publish2channel(name: $n, data: $d) { name data } }";

/// JSON text of a GraphQL request.
pub fn request_body(document: &str, variables: &Json) -> String {
    if variables.is_null() {
        format!(r#"{{"query":{}}}"#, quoted(document))
    } else {
        format!(r#"{{"query":{},"variables":{variables}}}"#, quoted(document))
    }
}

/// The value of `data` that carries a nonce: AWSJSON, so a string of JSON text.
pub fn channel_data(nonce: &str) -> String {
    format!(r#"{{"nonce":"{nonce}"}}"#)
}

/// JSON text of an HTTP publish.
pub fn publish_body(channel: &str, events: &[Json]) -> String {
    let mut text = String::with_capacity(channel.len() + room(events) + 40);
    text.push_str(r#"{"channel":"#);
    push_json_string(&mut text, channel);
    text.push_str(r#","events":"#);
    push_events(&mut text, events);
    text.push('}');
    text
}

fn start_text(id: &str, data: &str, authorization: &str) -> String {
    let (id, data) = (quoted(id), quoted(data));
    format!(
        r#"{{"id":{id},"type":"start","payload":{{"data":{data},"extensions":{{"authorization":{authorization}}}}}}}"#
    )
}

/// About as many bytes as the text of these events takes: they may be megabytes, which are not copied again and again.
fn room(events: &[Json]) -> usize {
    events.iter().map(|event| event.as_str().map_or(64, str::len) + 16).sum()
}

/// Appends a list of strings that hold the JSON text of each event.
fn push_events(out: &mut String, events: &[Json]) {
    out.push('[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match event {
            // The same text as below, written faster.
            Json::String(text) => push_json_string(out, &quoted(text)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                push_json_string(out, &event.to_string());
            }
        }
    }
    out.push(']');
}

/// A text as a JSON string with its quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::new();
    push_json_string(&mut out, text);
    out
}
