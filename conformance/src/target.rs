//! Which endpoint is judged, from what a person gave on the command line or in the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Endpoint as ParsedUrl, Scheme, Url, UrlError};

use crate::auth::Keyring;
use crate::profile::Fact;
use crate::run::Endpoint;
use crate::scenario::{Capabilities, Own};

#[cfg(feature = "endpoint")]
pub use crate::embedded::Embedded;

/// What a person gave.
#[derive(Clone, Default)]
pub struct Spec {
    /// URL of the HTTP endpoint.
    pub endpoint: Option<String>,
    /// URL of the real-time endpoint, where it is not to be derived.
    pub realtime: Option<String>,
    /// The dialect, where the URL does not tell.
    pub dialect: Option<Dialect>,
    /// API key.
    pub api_key: Option<String>,
    /// Credentials of other modes, and which mode is used where nothing else is asked for.
    pub keyring: Keyring,
    /// A subscription that the main credentials may not start (GraphQL).
    pub denied: Option<String>,
    /// Channel namespaces.
    pub namespaces: Vec<String>,
    /// What channels below a namespace begin with.
    pub channel_prefix: String,
    /// A subscription of its own schema, and what triggers it (GraphQL).
    pub own: Option<Arc<Own>>,
    /// What a probe could see, and is declared or denied.
    pub declared: BTreeMap<Fact, bool>,
    /// What a probe has seen before.
    pub probed: BTreeMap<Fact, bool>,
    /// Set-up that is declared or denied.
    pub capabilities: Capabilities,
}

impl fmt::Debug for Spec {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("endpoint", &self.endpoint)
            .field("realtime", &self.realtime)
            .field("dialect", &self.dialect)
            .field("namespaces", &self.namespaces)
            .finish_non_exhaustive()
    }
}

/// Why there is no target.
#[derive(Debug)]
pub enum TargetError {
    /// A URL cannot be used.
    Url {
        /// Which option.
        option: &'static str,
        /// The text.
        text: String,
        /// What is wrong with it.
        error: UrlError,
    },
    /// The path does not tell the dialect.
    DialectUnknown {
        /// The path.
        path: String,
    },
    /// No credentials were given, or none of the main mode.
    KeyMissing,
    /// The embedded endpoint cannot be started.
    Embedded(String),
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { option, text, error } => write!(f, "{option} {text:?}: {error}"),
            Self::DialectUnknown { path } => write!(
                f,
                "the path {path:?} does not tell the protocol; expected one that ends in /graphql or /event, or --dialect"
            ),
            Self::KeyMissing => {
                f.write_str("no API key; give --api-key or set SYNCSPEC_API_KEY, or give --token or --iam")
            }
            Self::Embedded(why) => write!(f, "the embedded reference endpoint cannot be started: {why}"),
        }
    }
}

impl std::error::Error for TargetError {}

/// Where an endpoint is and what is spoken there.
#[derive(Clone, Debug)]
pub struct Place {
    /// The protocol.
    pub dialect: Dialect,
    /// The HTTP endpoint.
    pub http: Url,
    /// The real-time endpoint.
    pub realtime: Url,
    /// Value of `host` in authorization objects.
    pub auth_host: String,
}

impl Spec {
    /// The endpoint that was named, with the key for it.
    ///
    /// # Errors
    /// As [`Self::place`], and when the key is missing.
    pub fn resolve(&self) -> Result<Endpoint, TargetError> {
        let endpoint = self.without_credentials()?;
        match endpoint.secret(endpoint.keyring.main) {
            Some(_) => Ok(endpoint),
            None => Err(TargetError::KeyMissing),
        }
    }

    /// The endpoint that was named, with what credentials there are, for those who only look.
    ///
    /// # Errors
    /// As [`Self::place`].
    pub fn without_credentials(&self) -> Result<Endpoint, TargetError> {
        let Place { dialect, http, realtime, auth_host } = self.place()?;
        Ok(Endpoint {
            dialect,
            http,
            realtime,
            auth_host,
            api_key: self.api_key.clone().unwrap_or_default(),
            keyring: self.keyring.clone(),
            denied: self.denied.clone().map(|document| (self.keyring.main, document)),
            namespaces: if self.namespaces.is_empty() { vec!["default".into()] } else { self.namespaces.clone() },
            channel_prefix: self.channel_prefix.clone(),
            own: self.own.clone(),
            declared: self.declared.clone(),
            probed: self.probed.clone(),
            capabilities: self.capabilities.clone(),
        })
    }

    /// Where the endpoint is that was named, whoever wants to speak to it.
    ///
    /// # Errors
    /// When no endpoint was named, a URL is unusable or the dialect cannot be told.
    pub fn place(&self) -> Result<Place, TargetError> {
        let text = self.endpoint.clone().unwrap_or_default();
        let wrong = |option, text: &str, error| TargetError::Url { option, text: text.into(), error };
        let parsed = ParsedUrl::parse(&text).map_err(|error| wrong("ENDPOINT", &text, error))?;
        let dialect = self.dialect.map_or_else(|| dialect_of(&parsed.url.path), Ok)?;
        let realtime = match &self.realtime {
            None => parsed.realtime(dialect).map_err(|error| wrong("ENDPOINT", &text, error))?,
            Some(given) => ParsedUrl::parse(given).map_err(|error| wrong("--realtime", given, error))?.url,
        };
        Ok(Place { dialect, auth_host: parsed.auth_host(), http: parsed.url, realtime })
    }
}

fn dialect_of(path: &str) -> Result<Dialect, TargetError> {
    match path.trim_end_matches('/').rsplit('/').next() {
        Some("graphql") => Ok(Dialect::Graphql),
        Some("event") => Ok(Dialect::Events),
        Some(_) | None => Err(TargetError::DialectUnknown { path: path.into() }),
    }
}

/// The URLs of an endpoint, for a person.
pub fn urls(endpoint: &Endpoint) -> String {
    format!("{}  {}", endpoint.http.to_text(Scheme::Http), endpoint.realtime.to_text(Scheme::WebSocket))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(endpoint: &str) -> Spec {
        Spec { endpoint: Some(endpoint.into()), api_key: Some("k".into()), ..Spec::default() }
    }

    #[test]
    fn the_path_tells_the_dialect_and_the_real_time_url() {
        let graphql = spec("http://127.0.0.1:20002/graphql").resolve().unwrap();
        let events =
            spec("https://abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.amazonaws.com/event").resolve().unwrap();

        assert_eq!(graphql.dialect, Dialect::Graphql);
        assert_eq!(urls(&graphql), "http://127.0.0.1:20002/graphql  ws://127.0.0.1:20002/graphql/realtime");
        assert!(events.realtime.host.contains("appsync-realtime-api"));
        assert!(events.auth_host.contains("appsync-api"));
    }

    #[test]
    fn a_path_that_does_not_tell_the_dialect_asks_for_it() {
        let error = spec("http://localhost/api").resolve().unwrap_err();
        assert!(error.to_string().contains("--dialect"), "{error}");

        let told = Spec { dialect: Some(Dialect::Graphql), ..spec("http://localhost/api") };
        assert_eq!(told.resolve().unwrap().dialect, Dialect::Graphql);
    }

    #[test]
    fn debug_output_never_shows_the_key() {
        let spec = Spec { api_key: Some("da2-secret".into()), ..spec("http://localhost/graphql") };

        let shown = format!("{spec:?} {:?}", spec.resolve().unwrap());

        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_missing_key_and_a_bad_url_are_told() {
        let error = Spec { api_key: None, ..spec("http://localhost/graphql") }.resolve().unwrap_err();
        assert!(matches!(error, TargetError::KeyMissing));

        let error = spec("localhost/graphql").resolve().unwrap_err();
        assert!(error.to_string().starts_with("ENDPOINT \"localhost/graphql\""), "{error}");
    }
}
