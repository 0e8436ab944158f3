//! What the file can say, and what it means where it says nothing: plain data, not yet looked at.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use toml::Spanned;

use super::sections::{Auth, Events, Graphql, Profile};
use crate::reference::Config;
use crate::reference::shell::{Options as ShellOptions, WhenFull};

/// What the file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServeFile {
    /// `HOST:PORT`.
    pub listen: Spanned<String>,
    /// Name of a [`Profile`].
    pub profile: Spanned<String>,
    /// Readings that differ from the profile, by the id of the ambiguity that they settle.
    pub switches: BTreeMap<String, Spanned<String>>,
    /// Further own host names.
    pub hosts: Vec<Spanned<String>>,
    /// Names of saboteurs.
    pub faults: Vec<Spanned<String>>,
    /// Time between keep-alives.
    #[serde(deserialize_with = "duration")]
    pub ka: Spanned<Duration>,
    /// `connectionTimeoutMs` of the acknowledgement.
    pub timeout_ms: Spanned<u64>,
    /// Limits of the port.
    pub connections: Connections,
    /// TLS, if the section is there.
    pub tls: Option<Spanned<Tls>>,
    /// Who may do what.
    pub auth: Auth,
    /// The GraphQL API.
    pub graphql: Graphql,
    /// The Events API.
    pub events: Events,
}

/// `[connections]`: limits of the port. They are of this server and not of the service that it stands for.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Connections {
    /// Connections at the same time; one more gets 503.
    pub max: Spanned<usize>,
    /// Frames that wait for one client; one more drops it.
    pub queue: Spanned<usize>,
    /// What happens when more come than a client takes.
    pub when_full: WhenFull,
    /// Longest message of a client in bytes; a longer one closes with 1009.
    pub max_message_bytes: Spanned<usize>,
    /// Silence after which a client is pinged. Zero: never.
    #[serde(deserialize_with = "duration")]
    pub ping_after: Spanned<Duration>,
}

/// `[tls]`: either self-signed, or a certificate and its key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// Makes an authority and a certificate.
    pub self_signed: bool,
    /// Further names in the made certificate, which become own host names too.
    pub names: Vec<Spanned<String>>,
    /// Where the certificate of the made authority is written.
    pub ca_out: Option<PathBuf>,
    /// PEM file with the certificate.
    pub cert: Option<Spanned<PathBuf>>,
    /// PEM file with the key.
    pub key: Option<Spanned<PathBuf>>,
}

impl Default for ServeFile {
    fn default() -> Self {
        let config = Config::default();
        Self {
            listen: here("127.0.0.1:8700".into()),
            profile: here(Profile::NAMES[0].into()),
            hosts: Vec::new(),
            faults: Vec::new(),
            ka: here(config.policy.keep_alive),
            timeout_ms: here(config.policy.silence_limit_ms),
            connections: Connections::default(),
            tls: None,
            switches: BTreeMap::new(),
            auth: Auth::default(),
            graphql: Graphql::default(),
            events: Events::default(),
        }
    }
}

impl Default for Connections {
    fn default() -> Self {
        let options = ShellOptions::default();
        Self {
            max: here(options.max_connections),
            queue: here(options.queue),
            when_full: options.when_full,
            max_message_bytes: here(options.max_message),
            ping_after: here(options.ping_after),
        }
    }
}

/// A value that stands in no file.
fn here<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

/// Reads a time such as `"60s"`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<Duration>, D::Error> {
    let text = Spanned::<Time>::deserialize(deserializer)?;
    Ok(Spanned::new(text.span(), text.into_inner().0))
}

struct Time(Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time with its unit, such as \"60s\", \"250ms\" or \"1m 30s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
        humantime::parse_duration(text).map(Time).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}
