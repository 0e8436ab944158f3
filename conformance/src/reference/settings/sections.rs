//! The sections and profiles that other modules own, one type each.

use serde::Deserialize;

use super::{Settings, SettingsError};
use crate::reference::Config;

/// `[auth]`: the API key comes from the command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Auth {}

/// `[graphql]`: the schema is the built-in one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Graphql {}

/// `[events]`: the namespaces are the built-in ones.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Events {}

/// A way to settle the questions on which the sources pull apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    name: &'static str,
}

impl Profile {
    /// Their names, the default first.
    pub const NAMES: [&'static str; 1] = ["live"];

    /// The profile of this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|known| *known == name).map(|name| Self { name })
    }

    /// What it is called.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// Gives the endpoint what the profile and the sections say.
///
/// # Errors
/// When what a section says does not fit together, which none can yet.
pub(super) fn configure(settings: &Settings, profile: Profile, _config: &mut Config) -> Result<(), SettingsError> {
    let (Auth {}, Graphql {}, Events {}) = (&settings.file().auth, &settings.file().graphql, &settings.file().events);
    debug_assert!(profile.name() == "live", "the defaults are live");
    Ok(())
}
