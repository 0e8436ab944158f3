//! Which modes are enabled for what.

use std::collections::BTreeMap;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::server::{Asked, Mode};
use serde::Deserialize;

use super::Purpose;

/// A [`Mode`] as a configuration file writes it: `api-key`, `iam`, `oidc`, `cognito`, `lambda`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModeName {
    /// `api-key`
    ApiKey,
    /// `iam`
    Iam,
    /// `oidc`
    Oidc,
    /// `cognito`
    Cognito,
    /// `lambda`
    Lambda,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::ApiKey => Self::ApiKey,
            ModeName::Iam => Self::Iam,
            ModeName::Oidc => Self::Oidc,
            ModeName::Cognito => Self::Cognito,
            ModeName::Lambda => Self::Lambda,
        }
    }
}

/// The modes that are enabled for each purpose; API keys everywhere unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedModes {
    /// The whole GraphQL API.
    pub graphql: Vec<Mode>,
    /// Connections of Events; namespaces have no say in them (EVT-AUTH-017).
    pub events_connect: Vec<Mode>,
    /// Publishes, over either transport.
    pub events_publish: Vec<Mode>,
    /// Subscriptions.
    pub events_subscribe: Vec<Mode>,
    /// What namespaces put in the place of the two lists above (EVT-AUTH-017).
    pub namespaces: BTreeMap<String, NamespaceModes>,
}

/// The lists of one namespace; `None` leaves the list of the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceModes {
    /// Publishes.
    pub publish: Option<Vec<Mode>>,
    /// Subscriptions.
    pub subscribe: Option<Vec<Mode>>,
}

impl Default for AllowedModes {
    fn default() -> Self {
        Self::everywhere(&[Mode::ApiKey])
    }
}

impl AllowedModes {
    /// The same modes for everything.
    pub fn everywhere(modes: &[Mode]) -> Self {
        Self {
            graphql: modes.to_vec(),
            events_connect: modes.to_vec(),
            events_publish: modes.to_vec(),
            events_subscribe: modes.to_vec(),
            namespaces: BTreeMap::new(),
        }
    }

    /// The modes that are enabled for this.
    pub fn for_purpose(&self, purpose: &Purpose<'_>) -> &[Mode] {
        let namespace = |name: &str| self.namespaces.get(name);
        match purpose {
            Purpose::Connect(Dialect::Graphql)
            | Purpose::Operation(Asked::Start { .. })
            | Purpose::Http { dialect: Dialect::Graphql, .. } => &self.graphql,
            Purpose::Connect(Dialect::Events) => &self.events_connect,
            Purpose::Operation(Asked::Subscribe { namespace: name, .. }) => {
                namespace(name).and_then(|own| own.subscribe.as_deref()).unwrap_or(&self.events_subscribe)
            }
            Purpose::Operation(Asked::Publish { namespace: name, .. })
            | Purpose::Http { dialect: Dialect::Events, channel: Some((_, name)), .. } => {
                namespace(name).and_then(|own| own.publish.as_deref()).unwrap_or(&self.events_publish)
            }
            Purpose::Http { dialect: Dialect::Events, channel: None, .. } => &self.events_publish,
        }
    }
}
