//! The reference endpoint as a target.

use std::fmt::Display;
use std::net::SocketAddr;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Url;
use appsync_protocol::server::Mode;

use crate::auth::{self, Keyring};
use crate::fault::How;
use crate::reference::shell::{Options as ShellOptions, Running};
use crate::reference::{Config, Endpoint as Reference, kept_by};
use crate::run::{Endpoint, now_unix_s};
use crate::target::TargetError;

/// The reference endpoint, started for a run. Dropping it ends it.
pub struct Embedded {
    running: Running,
    config: Config,
}

impl Embedded {
    /// Starts it on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub fn start(config: Config) -> Result<Self, TargetError> {
        Self::bent(config, &[])
    }

    /// The same, bent like this.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub fn bent(mut config: Config, bent: &[How]) -> Result<Self, TargetError> {
        // Its clients sign by the clock of the system.
        config.epoch_unix_s = now_unix_s();
        let wrong = |error: &dyn Display| TargetError::Embedded(error.to_string());
        let endpoint = Reference::new(config.clone(), bent).map_err(|error| wrong(&error))?;
        let running =
            Running::start(endpoint, "127.0.0.1:0", ShellOptions::default()).map_err(|error| wrong(&error))?;
        Ok(Self { running, config })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// What its clients have besides the API key: of the example's modes those that it knows.
    fn keyring(&self) -> Keyring {
        let mut keyring = auth::example::keyring();
        keyring.more.retain(|mode, _| self.config.auth.provides(*mode));
        keyring
    }

    /// Its endpoints, one a dialect.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let host = self.running.address().to_string();
        let url = |path: &str| Url { secure: false, host: host.clone(), path: path.into() };
        let endpoint = |dialect, http: &str, realtime: &str| Endpoint {
            dialect,
            http: url(http),
            realtime: url(realtime),
            auth_host: host.clone(),
            api_key: self.config.api_key().to_owned(),
            keyring: self.keyring(),
            denied: self
                .config
                .auth
                .provides(Mode::Lambda)
                .then(|| (Mode::Lambda, auth::example::DENIED_DOCUMENT.into())),
            namespaces: self.config.policy.namespaces.clone(),
            channel_prefix: String::new(),
            own: None,
            declared: std::collections::BTreeMap::new(),
            probed: std::collections::BTreeMap::new(),
            capabilities: kept_by(&self.config),
        };
        vec![
            endpoint(Dialect::Graphql, "/graphql", "/graphql/realtime"),
            endpoint(Dialect::Events, "/event", "/event/realtime"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_output_of_a_configuration_never_shows_the_key() {
        let config = Config::default().with_api_key("da2-secret");

        assert!(!format!("{config:?}").contains("secret"));
    }
}
