//! The section `[events]` of the configuration, and whether it is in order.
//!
//! ```toml
//! [events]
//! connect-modes = ["api-key"]
//! publish-modes = ["api-key"]
//! subscribe-modes = ["api-key", "oidc"]
//!
//! [events.rates]                 # without it nothing is limited
//! publishes-per-connection = 25
//!
//! [[events.namespaces]]
//! name = "orders"
//! subscribe-modes = ["oidc"]     # in the place of the list of the API
//! on-publish = [{ drop = { member = "kind", equals = "noise" } }, { transform = "uppercase" }]
//! on-subscribe = { reject = "closed today" }
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use appsync_protocol::channel::{Channel, ChannelError};
use appsync_protocol::server::Mode;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::handlers::{Handler, SubscribeHandler};
use super::{Events, Namespace};
use crate::auth::ModeName;

/// What a file says about the Events API. The default is two namespaces, `default` and `other`, with API keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Modes that may connect.
    connect_modes: Vec<ModeName>,
    /// Modes that may publish, where a namespace does not say otherwise.
    publish_modes: Vec<ModeName>,
    /// Modes that may subscribe, where a namespace does not say otherwise.
    subscribe_modes: Vec<ModeName>,
    /// The namespaces, in the place of the default ones.
    pub namespaces: Vec<NamespaceSettings>,
    /// Rates that are limited; without it none is.
    pub rates: Option<Rates>,
}

/// What a file says about one namespace.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NamespaceSettings {
    /// First segment of its channels.
    pub name: String,
    /// In the place of the list of the API.
    publish_modes: Option<Vec<ModeName>>,
    /// In the place of the list of the API.
    subscribe_modes: Option<Vec<ModeName>>,
    /// What happens to events, one handler after the other.
    #[serde(default, deserialize_with = "one_or_many")]
    pub on_publish: Vec<Handler>,
    /// What happens to subscribes, one handler after the other.
    #[serde(default, deserialize_with = "one_or_many")]
    pub on_subscribe: Vec<SubscribeHandler>,
}

/// Rates that are limited, each in a second; what is left out is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rates {
    /// Publish requests on one connection; the service allows 25 (EVT-LIMIT-005).
    pub publishes_per_connection: Option<u32>,
    /// Publish and subscribe requests of the whole API; the service allows 2000 (EVT-LIMIT-018).
    pub requests: Option<u32>,
    /// Events that are published in the whole API; the service allows 10000 (EVT-LIMIT-007).
    pub events: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        let keys = || vec![ModeName::ApiKey];
        Self {
            connect_modes: keys(),
            publish_modes: keys(),
            subscribe_modes: keys(),
            namespaces: ["default", "other"].map(NamespaceSettings::named).into(),
            rates: None,
        }
    }
}

impl NamespaceSettings {
    /// A namespace with nothing of its own.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            publish_modes: None,
            subscribe_modes: None,
            on_publish: Vec::new(),
            on_subscribe: Vec::new(),
        }
    }
}

/// Why settings are not in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// A list of modes has no mode, so that nobody could ever do what it is for.
    NoMode {
        /// Key of the list.
        list: String,
    },
    /// A list names a mode for which the API has no provider (EVT-AUTH-018).
    NotProvided {
        /// Key of the list.
        list: String,
        /// The mode.
        mode: Mode,
    },
    /// There are no namespaces, or more than 50 (EVT-LIMIT-012).
    NamespaceCount(usize),
    /// Two namespaces have one name (EVT-CHANNEL-025).
    Twice(String),
    /// A name is no segment of a channel (EVT-CHANNEL-025).
    Name {
        /// The name.
        name: String,
        /// What is wrong with it, if it is no channel at all.
        because: Option<ChannelError>,
    },
    /// A handler asks for something that cannot be.
    Handler {
        /// Its namespace.
        namespace: String,
        /// What it asks for.
        what: String,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMode { list } => write!(f, "{list}: expected at least one mode; got an empty list"),
            Self::NotProvided { list, mode } => {
                write!(f, "{list}: expected modes that [auth] has a provider for; got {mode:?} (EVT-AUTH-018)")
            }
            Self::NamespaceCount(count) => {
                write!(f, "events.namespaces: expected 1 to {NAMESPACES_MAX} namespaces; got {count} (EVT-LIMIT-012)")
            }
            Self::Twice(name) => {
                write!(f, "events.namespaces: expected every name once; got {name:?} twice (EVT-CHANNEL-025)")
            }
            Self::Name { name, because } => {
                write!(f, "events.namespaces: expected the name to be one segment of a channel; got {name:?}")?;
                match because {
                    Some(because) => write!(f, ": {because}"),
                    None => f.write_str(" (EVT-CHANNEL-025)"),
                }
            }
            Self::Handler { namespace, what } => write!(f, "events.namespaces: handlers of {namespace:?}: {what}"),
        }
    }
}

impl SettingsError {
    /// Key that the error is about, as far as it has a place of its own in a file.
    pub fn key(&self) -> &str {
        match self {
            Self::NoMode { list } | Self::NotProvided { list, .. } if list.starts_with("events.") => list,
            Self::NoMode { .. }
            | Self::NotProvided { .. }
            | Self::NamespaceCount(_)
            | Self::Twice(_)
            | Self::Name { .. }
            | Self::Handler { .. } => "events.namespaces",
        }
    }
}

impl std::error::Error for SettingsError {}

/// Source: EVT-LIMIT-012.
const NAMESPACES_MAX: usize = 50;

impl Settings {
    /// Checks the settings for an API that has these providers.
    ///
    /// # Errors
    /// The first thing that is not in order.
    pub fn compile(self, providers: &[Mode]) -> Result<Events, SettingsError> {
        if self.namespaces.is_empty() || self.namespaces.len() > NAMESPACES_MAX {
            return Err(SettingsError::NamespaceCount(self.namespaces.len()));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.namespaces.iter().find(|own| !seen.insert(own.name.as_str())) {
            return Err(SettingsError::Twice(twice.name.clone()));
        }
        let modes = |names: Vec<ModeName>, list: &str| check_modes(names, list, providers);
        Ok(Events {
            connect: modes(self.connect_modes, "events.connect-modes")?,
            publish: modes(self.publish_modes, "events.publish-modes")?,
            subscribe: modes(self.subscribe_modes, "events.subscribe-modes")?,
            namespaces: self.namespaces.into_iter().map(|own| own.compile(providers)).collect::<Result<_, _>>()?,
            rates: self.rates,
        })
    }
}

impl NamespaceSettings {
    fn compile(self, providers: &[Mode]) -> Result<Namespace, SettingsError> {
        let channel = Channel::parse(&self.name)
            .map_err(|because| SettingsError::Name { name: self.name.clone(), because: Some(because) })?;
        if channel.namespace() != self.name {
            return Err(SettingsError::Name { name: self.name, because: None });
        }
        for handler in &self.on_publish {
            handler.check().map_err(|what| SettingsError::Handler { namespace: self.name.clone(), what })?;
        }
        let modes = |names: Option<Vec<ModeName>>, list: &str| {
            let list = format!("{list} of namespace {:?}", self.name);
            names.map(|names| check_modes(names, &list, providers)).transpose()
        };
        Ok(Namespace {
            publish: modes(self.publish_modes, "publish-modes")?,
            subscribe: modes(self.subscribe_modes, "subscribe-modes")?,
            name: self.name,
            on_publish: self.on_publish,
            on_subscribe: self.on_subscribe,
        })
    }
}

fn check_modes(names: Vec<ModeName>, list: &str, providers: &[Mode]) -> Result<Vec<Mode>, SettingsError> {
    if names.is_empty() {
        return Err(SettingsError::NoMode { list: list.into() });
    }
    let modes: Vec<Mode> = names.into_iter().map(Mode::from).collect();
    match modes.iter().find(|mode| !providers.contains(mode)) {
        Some(mode) => Err(SettingsError::NotProvided { list: list.into(), mode: *mode }),
        None => Ok(modes),
    }
}

/// Reads one handler, or a list of them.
fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct OneOrMany<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a handler, or a list of handlers")
        }

        fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Self::Value, E> {
            T::deserialize(StrDeserializer::new(word)).map(|one| vec![one])
        }

        fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one]).map_err(M::Error::custom)
        }

        fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
            let mut all = Vec::new();
            while let Some(one) = seq.next_element()? {
                all.push(one);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(OneOrMany(PhantomData))
}
