//! The set-up of the endpoint that the suite is tried on: everything that a target can declare, and no more.
//!
//! `syncspec serve` has none of it unless its settings say so. The set-up is data, in `trial.toml` and
//! `trial.graphql`; [`kept_by`] says which capabilities a configuration really has, so that one which was changed on
//! the command line is asked for nothing that it lost.

use std::sync::LazyLock;

use appsync_protocol::server::Mode;
use serde::Deserialize;

use super::Config;
use super::events::{self, Events};
use super::graphql;
use crate::auth::{self, ApiKey, LambdaToken};
use crate::scenario::{Capabilities, Capability};

const TEXT: &str = include_str!("trial.toml");
/// Added to the default schema.
const SCHEMA: &str = include_str!("trial.graphql");

/// The set-up as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial {
    graphql: graphql::Settings,
    events: events::Settings,
    auth: Known,
}

/// Whom it knows besides those of [`auth::example`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Known {
    api_keys: Vec<ApiKey>,
    lambda_tokens: Vec<LambdaToken>,
}

/// The set-up, read once.
static READ: LazyLock<(graphql::Settings, Events, auth::Settings)> = LazyLock::new(|| match read() {
    Ok(read) => read,
    Err(error) => unreachable!("the set-up is in order, which a test holds: {error}"),
});

fn read() -> Result<(graphql::Settings, Events, auth::Settings), String> {
    let Trial { graphql, events, auth: known } = toml::from_str(TEXT).map_err(|error| error.to_string())?;
    let mut auth = auth::example::settings();
    auth.api_keys.extend(known.api_keys);
    if let Some(lambda) = &mut auth.lambda {
        lambda.tokens.extend(known.lambda_tokens);
    }
    let events = events.compile(&Mode::ALL).map_err(|error| error.to_string())?;
    Ok((graphql::Settings { extension: Some(SCHEMA), ..graphql }, events, auth))
}

/// The GraphQL API.
pub(super) fn graphql() -> graphql::Settings {
    READ.0.clone()
}

/// The Events API.
pub(super) fn events() -> Events {
    READ.1.clone()
}

/// Whom it knows.
pub(super) fn auth() -> auth::Settings {
    READ.2.clone()
}

/// What of the capabilities an endpoint of this configuration has.
pub fn kept_by(config: &Config) -> Capabilities {
    let has_schema = config.graphql.extension.is_some();
    let has_namespaces = |names: &[&str]| names.iter().all(|name| config.events.names().any(|own| own == *name));
    let knows = |mode: Mode| config.auth.provides(mode);
    let kept = |capability: &Capability| match capability {
        Capability::EnhancedFilters
        | Capability::Invalidation
        | Capability::SubscriptionResolver
        | Capability::ChangingResolver
        | Capability::FailingResolver => has_schema,
        Capability::DeniedQuery => knows(Mode::Lambda),
        Capability::HandlerTransform => has_namespaces(&["transform"]),
        Capability::HandlerDrop => has_namespaces(&["drop"]),
        Capability::HandlerEventError => has_namespaces(&["event-error"]),
        Capability::HandlerReject => has_namespaces(&["reject"]),
        Capability::HandlerUnauthorized => has_namespaces(&["unauthorized"]),
        Capability::HandlerGrow => has_namespaces(&["grow"]),
        Capability::HandlerDelay => has_namespaces(&["delay"]),
        Capability::HandlerStall => has_namespaces(&["stall"]),
        Capability::HandlerFail => has_namespaces(&["fail"]),
        Capability::LambdaIntegration => has_namespaces(&["lambda-error", "lambda-throws"]),
        Capability::SubscribeHandlers => {
            has_namespaces(&["subscribe-reject", "subscribe-unauthorized", "subscribe-fail", "subscribe-delay"])
        }
        Capability::HandlerContext => has_namespaces(&["context", "subscribe-context"]),
        Capability::NamespaceModes => knows(Mode::Iam) && has_namespaces(&["publish-iam", "subscribe-iam"]),
        Capability::AuthorizerFails | Capability::AuthorizerCaches => {
            config.auth.lambda.as_ref().is_some_and(|lambda| lambda.tokens.len() > 1)
        }
        // The policy of every endpoint: 200.
        Capability::DefaultQuotas => true,
        Capability::ExpiredApiKey => config.auth.api_keys.iter().any(|key| key.expires_unix_s.is_some()),
    };
    Capability::ALL
        .iter()
        .filter(|capability| kept(capability))
        .fold(Capabilities::default(), |all, capability| all.declare(*capability))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::graphql::Engine;

    #[test]
    fn the_set_up_is_in_order_and_keeps_every_promise() {
        let config = Config::default();

        assert_eq!(read().err(), None);
        assert!(Engine::configured(&config.graphql).is_ok());
        assert_eq!(kept_by(&config), Capabilities::all());
    }

    #[test]
    fn a_configuration_that_lost_its_tokens_does_not_promise_them() {
        let kept = kept_by(&Config::default().with_api_key("da2-another"));

        assert!(!kept.has(Capability::AuthorizerFails) && !kept.has(Capability::ExpiredApiKey));
        assert!(kept.has(Capability::HandlerDrop));
    }
}
