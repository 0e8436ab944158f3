//! What an API knows about its users, as section `[auth]` of a configuration file.
//!
//! Reading the section checks each value; [`Settings::prepare`] reads the files that it names and checks what
//! concerns several values. Everything that holds a secret has a `Debug` without it.
//!
//! ```toml
//! [auth]
//! api-keys = [{ key = "da2-one" }, { key = "da2-two", expires = "2026-12-31T00:00:00Z" }]
//!
//! [auth.iam]
//! region = "eu-west-1"
//! max-clock-skew-s = 300
//! keys = [
//!   { access-key-id = "AKIDEXAMPLE", secret-access-key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
//!   { access-key-id = "ASIATEMP", secret-access-key = "secret", session-token = "token" },
//!   { access-key-id = "AKIDLESS", secret-access-key = "less", deny = ["connect", "publish:/ns", "Mutation.addNote"] },
//! ]
//!
//! [auth.cognito]
//! issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool"
//! client-id = "client"            # aud or client_id; any if not given
//! jwks-file = "jwks.json"         # or jwks = "..." or secret = "..."
//!
//! [auth.oidc]
//! issuer = "https://id.example.com"
//! audience = "app"
//! secret = "shared secret of HS256"
//! groups-claim = "roles"
//!
//! [auth.lambda]
//! ttl-s = 0
//! token-pattern = "^custom-"
//! tokens = [
//!   { token = "custom-good", identity = "ann", denied-fields = ["Mutation.addNote"], ttl-s = 60 },
//!   { token = "custom-bad", allow = false },
//!   { token = "custom-broken", allow = "fail" },
//! ]
//! ```

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use appsync_protocol::server::Mode;
use jsonwebtoken::jwk::JwkSet;
use regex_lite::Regex;
use serde::Deserialize as Derive;
use serde::de::{Deserialize, Deserializer, Error as _};

use super::token::usable_keys;

/// Section `[auth]`: who is known, for each mode.
#[derive(Clone, Debug, Derive)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// API keys; one that the documentation names unless told otherwise.
    pub api_keys: Vec<ApiKey>,
    /// IAM.
    pub iam: Option<IamSettings>,
    /// An OpenID Connect provider.
    pub oidc: Option<TokenProvider>,
    /// A Cognito user pool.
    pub cognito: Option<TokenProvider>,
    /// A Lambda authorizer.
    pub lambda: Option<LambdaSettings>,
}

/// The key that an endpoint without settings knows.
const DEFAULT_KEY: &str = "da2-syncspecreferenceendpoint1";

impl Default for Settings {
    fn default() -> Self {
        Self::with_api_key(DEFAULT_KEY)
    }
}

impl Settings {
    /// Settings that know one API key and nothing else.
    pub fn with_api_key(key: impl Into<String>) -> Self {
        Self { api_keys: vec![ApiKey::new(key)], iam: None, oidc: None, cognito: None, lambda: None }
    }

    /// The first API key; empty if there is none.
    pub fn first_api_key(&self) -> &str {
        self.api_keys.first().map_or("", |own| own.key.as_str())
    }

    /// Whether there is anything that credentials of this mode could be judged by (EVT-AUTH-018).
    pub fn provides(&self, mode: Mode) -> bool {
        match mode {
            Mode::ApiKey => !self.api_keys.is_empty(),
            Mode::Iam => self.iam.is_some(),
            Mode::Oidc => self.oidc.is_some(),
            Mode::Cognito => self.cognito.is_some(),
            Mode::Lambda => self.lambda.is_some(),
        }
    }

    /// Reads the key files of the providers, relative to `base`, and checks what is left to check.
    ///
    /// # Errors
    /// When a file cannot be read or has no key that can be used, when a provider has no keys or keys of two kinds,
    /// or when two providers have one issuer and so could not be told apart.
    pub fn prepare(&mut self, base: &Path) -> Result<(), SettingsError> {
        for (section, provider) in [("auth.oidc", &mut self.oidc), ("auth.cognito", &mut self.cognito)] {
            if let Some(provider) = provider {
                provider.prepare(base).map_err(|why| SettingsError { section, why })?;
            }
        }
        match (&self.oidc, &self.cognito) {
            (Some(oidc), Some(cognito)) if oidc.issuer == cognito.issuer => {
                let why =
                    format!("issuer {:?} is that of [auth.oidc] too: tokens could not be told apart", oidc.issuer);
                Err(SettingsError { section: "auth.cognito", why })
            }
            (_, _) => Ok(()),
        }
    }
}

/// One API key.
#[derive(Clone, Derive)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The key.
    pub key: String,
    /// When it ends, in seconds since 1970; written as `expires = "2026-12-31T00:00:00Z"` (GQL-AUTH-024).
    #[serde(default, rename = "expires", deserialize_with = "date")]
    pub expires_unix_s: Option<u64>,
}

impl ApiKey {
    /// A key that does not expire.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), expires_unix_s: None }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("expires_unix_s", &self.expires_unix_s).finish_non_exhaustive()
    }
}

/// Section `[auth.iam]`.
#[derive(Clone, Debug, Derive)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamSettings {
    /// Region of the API, which signatures have to name (GQL-AUTH-009).
    pub region: String,
    /// Key pairs that are known.
    pub keys: Vec<AccessKey>,
    /// How far the date of a signature may be from now, in seconds either way; 300.
    #[serde(default = "five_minutes")]
    pub max_clock_skew_s: u64,
}

const fn five_minutes() -> u64 {
    300
}

/// One pair of AWS keys, and what it must not do.
#[derive(Clone, Derive)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccessKey {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token, if the keys are temporary; it then has to be presented.
    #[serde(default)]
    pub session_token: Option<String>,
    /// What is denied; everything else is allowed.
    #[serde(default)]
    pub deny: Vec<Deny>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("deny", &self.deny).finish_non_exhaustive()
    }
}

/// Something that an IAM policy denies. Source: EVT-AUTH-030, EVT-AUTH-031.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deny {
    /// `connect`
    Connect,
    /// `subscribe`, or `subscribe:/namespace` for one namespace.
    Subscribe(Option<String>),
    /// `publish`, or `publish:/namespace` for one namespace.
    Publish(Option<String>),
    /// `graphql`: every GraphQL operation.
    Graphql,
    /// `Type.field` of the schema.
    Field(String),
}

impl<'de> Deserialize<'de> for Deny {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (word, namespace) = match text.split_once(':') {
            Some((word, namespace)) => (word, Some(namespace.trim_start_matches('/').to_owned())),
            None => (text.as_str(), None),
        };
        match (word, namespace) {
            ("connect", None) => Ok(Self::Connect),
            ("graphql", None) => Ok(Self::Graphql),
            // EVT-AUTH-031: IAM knows nothing below the namespace.
            ("subscribe" | "publish", Some(name)) if name.is_empty() || name.contains('/') => Err(D::Error::custom(
                format!("expected {word}:/namespace in deny, nothing below it (EVT-AUTH-031); got {text:?}"),
            )),
            ("subscribe", namespace) => Ok(Self::Subscribe(namespace)),
            ("publish", namespace) => Ok(Self::Publish(namespace)),
            (field, None) if field.split('.').filter(|part| !part.is_empty()).count() == 2 => {
                Ok(Self::Field(field.to_owned()))
            }
            (_, _) => Err(D::Error::custom(format!(
                "expected connect, graphql, subscribe[:/namespace], publish[:/namespace] or Type.field in deny; \
                 got {text:?}"
            ))),
        }
    }
}

/// Sections `[auth.oidc]` and `[auth.cognito]`: an issuer of JWTs and the keys it signs with.
///
/// One of `jwks`, `jwks-file` and `secret` has to be there.
#[derive(Clone, Derive)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenProvider {
    /// `iss` of its tokens.
    pub issuer: String,
    /// What `aud`, `azp` or `client_id` of a token has to be; anything unless told. Also written `client-id`.
    #[serde(default, alias = "client-id")]
    pub audience: Option<String>,
    /// Its public keys: a JSON Web Key Set, as a table or as the text of one.
    #[serde(default, deserialize_with = "key_set")]
    pub jwks: Option<JwkSet>,
    /// A file with such a set.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// Secret of HS256.
    #[serde(default)]
    pub secret: Option<String>,
    /// The claim that lists groups; `cognito:groups` for Cognito, none for OIDC unless told.
    #[serde(default)]
    pub groups_claim: Option<String>,
}

impl TokenProvider {
    fn prepare(&mut self, base: &Path) -> Result<(), String> {
        if let Some(path) = self.jwks_file.take() {
            if self.jwks.is_some() {
                return Err("jwks and jwks-file: there can be only one".into());
            }
            let path = base.join(path);
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let set = serde_json::from_str(&text)
                .map_err(|error| format!("{}: not a JSON Web Key Set: {error}", path.display()))?;
            self.jwks = Some(set);
        }
        match (&self.jwks, &self.secret) {
            (Some(_), Some(_)) => Err("keys and a secret: there can be only one".into()),
            (None, None) => Err("one of jwks, jwks-file and secret is needed to check signatures".into()),
            (Some(set), None) if usable_keys(set).is_empty() => {
                Err("no key of the key set can check RS256, ES256 or their like".into())
            }
            (Some(_), None) | (None, Some(_)) => Ok(()),
        }
    }
}

impl fmt::Debug for TokenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenProvider")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// Section `[auth.lambda]`: a table in place of the function.
#[derive(Clone, Debug, Derive)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LambdaSettings {
    /// Tokens that are known; others are denied.
    pub tokens: Vec<LambdaToken>,
    /// Seconds for which an answer is cached; 0, never (GQL-AUTH-020, EVT-AUTH-029).
    #[serde(default)]
    pub ttl_s: u64,
    /// Regular expression that a token has to match before the authorizer is asked.
    #[serde(default, deserialize_with = "pattern")]
    pub token_pattern: Option<Regex>,
}

/// What the authorizer says of one token.
#[derive(Clone, Derive)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LambdaToken {
    /// The token, without `Bearer `.
    pub token: String,
    /// The answer; `true`.
    #[serde(default)]
    pub allow: Answer,
    /// GraphQL fields that it denies, as `Type.field` or an ARN that ends in `types/T/fields/f`.
    #[serde(default)]
    pub denied_fields: Vec<String>,
    /// Seconds for which this answer is cached, in place of the time of the authorizer (EVT-AUTH-029).
    #[serde(default)]
    pub ttl_s: Option<u64>,
    /// Who the bearer is.
    #[serde(default)]
    pub identity: String,
}

impl fmt::Debug for LambdaToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LambdaToken").field("allow", &self.allow).field("ttl_s", &self.ttl_s).finish_non_exhaustive()
    }
}

/// What an authorizer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// `true`
    #[default]
    Allow,
    /// `false`
    Deny,
    /// `"fail"`: it throws.
    Fail,
    /// `"once"`: `true` when it is asked for the first time, `false` after that. A token that ends with `*` then stands
    /// for every one that begins so.
    Once,
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Derive)]
        #[serde(untagged, expecting = "expected true, false, \"fail\" or \"once\" in allow")]
        enum Written {
            Flag(bool),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Flag(true) => Ok(Self::Allow),
            Written::Flag(false) => Ok(Self::Deny),
            Written::Word(word) if word == "fail" => Ok(Self::Fail),
            Written::Word(word) if word == "once" => Ok(Self::Once),
            Written::Word(word) => {
                Err(D::Error::custom(format!("expected true, false, \"fail\" or \"once\" in allow; got {word:?}")))
            }
        }
    }
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    section: &'static str,
    why: String,
}

impl SettingsError {
    /// Key of the section, such as `auth.oidc`.
    pub const fn section(&self) -> &'static str {
        self.section
    }

    /// What is wrong with it.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.section, self.why)
    }
}

impl std::error::Error for SettingsError {}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong =
        |why: String| D::Error::custom(format!("expected a date like 2026-12-31T00:00:00Z; got {text:?}: {why}"));
    let date = humantime::parse_rfc3339_weak(&text).map_err(|error| wrong(error.to_string()))?;
    let since = date.duration_since(UNIX_EPOCH).map_err(|_| wrong("it is before 1970".into()))?;
    Ok(Some(since.as_secs()))
}

fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Regex>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Regex::new(&text).map(Some).map_err(|error| D::Error::custom(format!("token-pattern {text:?}: {error}")))
}

fn key_set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<JwkSet>, D::Error> {
    #[derive(Derive)]
    #[serde(untagged, expecting = "expected a JSON Web Key Set in jwks, as a table or as its text")]
    enum Written {
        Text(String),
        Set(JwkSet),
    }
    match Written::deserialize(deserializer)? {
        Written::Set(set) => Ok(Some(set)),
        Written::Text(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| D::Error::custom(format!("jwks is not a JSON Web Key Set: {error}"))),
    }
}
