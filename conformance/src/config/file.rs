//! What the file can say: plain data, not yet looked at.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value as Json;
use toml::Spanned;

use super::secret::SecretSource;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    /// Which target is meant where none is named.
    pub default: Option<Spanned<String>>,
    /// The targets by name.
    pub targets: BTreeMap<String, TargetTable>,
}

/// `[targets.NAME]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetTable {
    /// URL of the HTTP endpoint.
    pub endpoint: Spanned<String>,
    /// URL of the real-time endpoint, where it is not to be derived.
    pub realtime: Option<Spanned<String>>,
    /// Where to dial instead, at most two `HOST:PORT`.
    #[serde(default)]
    pub connect_to: Vec<Spanned<String>>,
    /// `graphql` or `events`, where the path does not tell.
    pub dialect: Option<Spanned<String>>,
    /// Channel namespaces (Events).
    #[serde(default)]
    pub namespaces: Vec<Spanned<String>>,
    /// What channels below a namespace begin with (Events).
    pub channel_prefix: Option<Spanned<String>>,
    /// PEM file with further trusted certificates.
    pub ca: Option<Spanned<PathBuf>>,
    /// Accepts any certificate.
    #[serde(default)]
    pub insecure: bool,
    /// What a probe has written: detected capabilities.
    pub profile: Option<Spanned<PathBuf>>,
    /// Expected verdicts.
    pub baseline: Option<Spanned<PathBuf>>,
    /// Who speaks.
    #[serde(default)]
    pub credentials: Credentials,
    /// What a run may use.
    #[serde(default)]
    pub guards: Guards,
    /// What the target is declared to have, or not to have.
    #[serde(default)]
    pub capabilities: BTreeMap<Spanned<String>, bool>,
    /// A subscription of its own schema (GraphQL).
    pub subscription: Option<Spanned<Subscription>>,
    /// What triggers it.
    pub trigger: Option<Spanned<TriggerTable>>,
}

/// `[targets.NAME.credentials]`: where each comes from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Credentials {
    /// API key.
    pub api_key: Option<Spanned<SecretSource>>,
    /// JWTs and opaque tokens, one for each mode.
    pub tokens: Vec<Spanned<SecretSource>>,
    /// Signs with AWS keys of the environment or of a profile.
    pub iam: bool,
    /// The profile in `~/.aws`.
    pub aws_profile: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The mode that scenarios use unless they are about another one.
    pub mode: Option<Spanned<String>>,
    /// A subscription that the main credentials may not start (GraphQL).
    pub denied: Option<String>,
}

/// `[targets.NAME.guards]`: what a run may use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Guards {
    /// Most connections and HTTP requests.
    pub max_connections: Option<Spanned<u64>>,
    /// Most messages.
    pub max_messages: Option<Spanned<u64>>,
    /// Longest run in minutes.
    pub max_minutes: Option<Spanned<u64>>,
    /// Most publishes a second on one connection.
    pub publishes_per_second: Option<Spanned<u32>>,
}

/// `[targets.NAME.subscription]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subscription {
    /// The document.
    pub document: Spanned<String>,
    /// Its variables.
    #[serde(default)]
    pub variables: Json,
    /// Path of the variable that holds the topic.
    pub topic: Option<Spanned<String>>,
    /// Path below `payload.data` of the value that holds the nonce.
    pub data: Spanned<String>,
}

/// `[targets.NAME.trigger]`: one of three.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TriggerTable {
    /// A mutation at the endpoint.
    pub mutation: Option<Spanned<String>>,
    /// Its variables.
    #[serde(default)]
    pub variables: Json,
    /// Path of the variable that takes the nonce.
    pub nonce: Option<Spanned<String>>,
    /// Path of the variable that takes the topic.
    pub topic: Option<Spanned<String>>,
    /// An HTTP request.
    pub http: Option<Spanned<HttpTable>>,
    /// A command.
    pub command: Option<Spanned<String>>,
}

/// `http = { ... }` of a trigger.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpTable {
    /// The method.
    #[serde(default = "post")]
    pub method: String,
    /// Where it goes.
    pub url: Spanned<String>,
    /// Header fields.
    #[serde(default)]
    pub headers: BTreeMap<String, Spanned<String>>,
    /// The body.
    pub body: Option<Spanned<String>>,
}

fn post() -> String {
    "POST".into()
}
