//! The names, keys and nonces that a scenario plays with, and the short forms its steps are written in.
//!
//! Every payload, channel and argument holds a nonce of the run, the scenario and the step, so that what
//! arrives can be told apart from everything else that travels at the same time.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials, Url, build};
use appsync_protocol::json::{Json, push_json_string};
use appsync_protocol::wire::{Headers, Request};

/// Everything a scenario needs to know of the target and of its own run.
#[derive(Clone)]
pub struct Cast {
    /// Which protocol.
    pub dialect: Dialect,
    /// Prefix of every nonce of this scenario in this run: letters, digits and hyphens.
    pub prefix: String,
    /// A key that the target knows.
    pub api_key: String,
    /// Host of the HTTP endpoint, which stands in every authorization object.
    pub auth_host: String,
    /// Path of the HTTP endpoint.
    pub http_path: String,
    /// Where upgrades go.
    pub realtime: Url,
    /// Channel namespaces of the target; never empty.
    pub namespaces: Vec<String>,
    /// `Sec-WebSocket-Key` of upgrades: 16 bytes in base64.
    pub upgrade_key: String,
}

/// A key that no target knows: of the form of a real one.
pub const WRONG_KEY: &str = "da2-wrongwrongwrongwrongwrongw";

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
            auth_host: "api.example.com".into(),
            http_path: http_path.into(),
            realtime: Url { secure: true, host: "api.example.com".into(), path: path.into() },
            namespaces: vec!["default".into(), "other".into()],
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

    /// Good credentials.
    pub fn credentials(&self) -> Credentials {
        Credentials::api_key(&self.auth_host, &self.api_key)
    }

    /// Credentials that no target accepts.
    pub fn wrong_credentials(&self) -> Credentials {
        Credentials::api_key(&self.auth_host, WRONG_KEY)
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

    /// A `POST` of JSON to the HTTP endpoint with the good key.
    pub fn post(&self, body: &str) -> Request {
        self.post_with_key(body, Some(&self.api_key))
    }

    /// A `POST` of JSON to the HTTP endpoint with this key, or none.
    pub fn post_with_key(&self, body: &str, key: Option<&str>) -> Request {
        let mut headers = Headers::new().with("host", &self.auth_host).with("content-type", "application/json");
        if let Some(key) = key {
            headers.push("x-api-key", key);
        }
        Request { method: "POST".into(), target: self.http_path.clone(), headers, body: body.into() }
    }

    /// JSON text of an authorization object with the good key.
    pub fn authorization(&self) -> String {
        self.credentials().to_json()
    }

    // GraphQL

    /// `start` for a document with variables.
    pub fn start(&self, id: &str, document: &str, variables: &Json) -> String {
        self.start_as(id, document, variables, &self.authorization())
    }

    /// `start` with another authorization object.
    pub fn start_as(&self, id: &str, document: &str, variables: &Json, authorization: &str) -> String {
        let data = request_body(document, variables);
        format!(
            r#"{{"id":{},"type":"start","payload":{{"data":{},"extensions":{{"authorization":{authorization}}}}}}}"#,
            quoted(id),
            quoted(&data)
        )
    }

    /// `start` of `subscribe2channel(name)`.
    pub fn start_channel(&self, id: &str, name: &str) -> String {
        self.start(id, SUBSCRIBE_TO_CHANNEL, &serde_json::json!({ "n": name }))
    }

    /// The mutation that `subscribe2channel(name)` hears; the nonce travels in `data`.
    pub fn publish_to_channel(&self, name: &str, nonce: &str) -> Request {
        let variables = serde_json::json!({ "n": name, "d": channel_data(nonce) });
        self.post(&request_body(PUBLISH_TO_CHANNEL, &variables))
    }

    // Events

    /// A channel below the first namespace, with a nonce of its own.
    pub fn channel(&self, label: &str) -> String {
        format!("/{}/{}", self.namespace(), self.nonce(label))
    }

    /// The first namespace.
    pub fn namespace(&self) -> &str {
        self.namespaces.first().map_or("default", String::as_str)
    }

    /// `subscribe` with the good key.
    pub fn subscribe(&self, id: &str, channel: &str) -> String {
        self.subscribe_as(id, channel, &self.authorization())
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
        self.publish_as(id, channel, events, &self.authorization())
    }

    /// `publish` with another authorization object.
    pub fn publish_as(&self, id: &str, channel: &str, events: &[Json], authorization: &str) -> String {
        format!(
            r#"{{"type":"publish","id":{},"channel":{},"events":{},"authorization":{authorization}}}"#,
            quoted(id),
            quoted(channel),
            event_list(events)
        )
    }

    /// An HTTP publish of events given as JSON values.
    pub fn http_publish(&self, channel: &str, events: &[Json]) -> Request {
        self.post(&publish_body(channel, events))
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
    format!(r#"{{"channel":{},"events":{}}}"#, quoted(channel), event_list(events))
}

fn event_list(events: &[Json]) -> String {
    let all: Vec<_> = events.iter().map(|event| quoted(&event.to_string())).collect();
    format!("[{}]", all.join(","))
}

/// A text as a JSON string with its quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::new();
    push_json_string(&mut out, text);
    out
}
