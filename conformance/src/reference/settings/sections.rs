//! The sections and profiles that other modules own.

use appsync_protocol::server::Mode;
use serde::Deserialize;

pub use crate::auth::Settings as Auth;
pub use crate::reference::events::Settings as Events;
pub use crate::reference::profile::Profile;

use super::{Settings, SettingsError};
use crate::reference::Config;

/// `[graphql]`: the schema is the built-in one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Graphql {}

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
    let Graphql {} = &settings.file().graphql;
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
    config.auth = auth;
    config.profile = profile;
    Ok(config.with_events(events))
}
