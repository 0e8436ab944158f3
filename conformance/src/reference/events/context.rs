//! The context that a handler is given, as far as a handler can tell of it.
//!
//! Over WebSocket there are no headers to be seen: which ones a handler would be given is not documented.

use std::collections::BTreeMap;

use appsync_protocol::channel::{Channel, ChannelPattern};
use appsync_protocol::json::Json;
use appsync_protocol::server::{Identity, Mode};
use appsync_protocol::wire::Headers;
use serde_json::json;

/// What a handler is told besides the events.
pub struct Context<'a> {
    /// Who asks.
    pub who: &'a Identity,
    /// The header fields of the request over HTTP.
    pub headers: Option<&'a Headers>,
}

impl Context<'_> {
    /// What `onPublish` sees. Source: EVT-AUTH-033, EVT-CHANNEL-023, EVT-HTTP-019, EVT-HTTP-020.
    pub(super) fn of_publish(&self, channel: &Channel) -> Json {
        let segments: Vec<&str> = channel.segments().collect();
        let identity = match self.who.mode {
            Mode::ApiKey => Json::Null,
            Mode::Iam | Mode::Oidc | Mode::Cognito | Mode::Lambda => json!({ "name": self.who.name }),
        };
        json!({
            "identity": identity,
            "info": {
                "channel": { "path": format!("/{}", segments.join("/")), "segments": segments },
                "channelNamespace": { "name": channel.namespace() },
                "operation": "PUBLISH",
            },
            "request": { "headers": self.headers.map(seen).unwrap_or_default(), "domainName": null },
        })
    }
}

/// The channel as it was subscribed to. Source: EVT-SUB-027.
pub(super) fn path_of(pattern: &ChannelPattern) -> String {
    format!("/{}", pattern.to_string().trim_start_matches('/'))
}

/// Header fields by name in lower case: one value as a text, several as a list, and no `cookie`.
fn seen(headers: &Headers) -> BTreeMap<String, Json> {
    let mut seen: BTreeMap<String, Json> = BTreeMap::new();
    for (name, _) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("cookie")) {
        let all: Vec<&str> = headers.all(name).collect();
        let value = match all.as_slice() {
            [one] => json!(one),
            _ => json!(all),
        };
        seen.insert(name.to_ascii_lowercase(), value);
    }
    seen
}
