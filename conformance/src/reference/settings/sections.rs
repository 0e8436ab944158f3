//! The sections and profiles that other modules own.

use appsync_protocol::server::Mode;

pub use crate::auth::Settings as Auth;
pub use crate::reference::events::Settings as Events;
pub use crate::reference::graphql::Settings as Graphql;
pub use crate::reference::profile::Profile;

use super::{Settings, SettingsError};
use crate::reference::Config;
use crate::reference::graphql::{Engine, SettingsError as GraphqlError};

/// Gives the endpoint what the profile and the sections say.
///
/// # Errors
/// When what a section says does not fit together, or a file that it names cannot be used.
pub(super) fn configure(
    settings: &Settings,
    profile: Profile,
    api_key: Option<&str>,
    mut config: Config,
) -> Result<Config, SettingsError> {
    // Whom the built-in endpoint of a test run knows is nobody to a server.
    config.modes = crate::auth::AllowedModes::default();
    let mut auth = settings.file().auth.clone();
    if let Some(key) = api_key {
        auth.api_keys = vec![crate::auth::ApiKey::new(key)];
    }
    auth.prepare(settings.folder()).map_err(|error| settings.error_at(error.section(), error.why()))?;
    let providers: Vec<Mode> = Mode::ALL.into_iter().filter(|mode| auth.provides(*mode)).collect();
    let events = settings.file().events.clone().compile(&providers).map_err(|error| {
        let (key, text) = (error.key(), error.to_string());
        let what = text.strip_prefix(&format!("{key}: ")).unwrap_or(&text);
        settings.error_at(key, what)
    })?;
    let mut graphql = settings.file().graphql.clone();
    graphql.read_schema(settings.folder()).map_err(|error| at_graphql(settings, &error))?;
    if let Some(mode) = graphql.modes.iter().map(|name| Mode::from(*name)).find(|mode| !providers.contains(mode)) {
        let what = format!("expected modes that [auth] has a provider for; got {mode:?}");
        return Err(settings.error_at("graphql.modes", what));
    }
    if !graphql.modes.is_empty() {
        config.modes.graphql = graphql.modes.iter().map(|name| Mode::from(*name)).collect();
    }
    Engine::configured(&graphql).map_err(|error| at_graphql(settings, &error))?;
    config.graphql = graphql;
    config.auth = auth;
    config.profile = profile;
    Ok(config.with_events(events))
}

fn at_graphql(settings: &Settings, error: &GraphqlError) -> SettingsError {
    settings.error_at(&format!("graphql.{}", error.at), &error.why)
}
