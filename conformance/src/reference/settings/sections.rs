//! The sections and profiles that other modules own, one type each.

use serde::Deserialize;

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
pub enum Profile {
    /// The service as it is known.
    Live,
}

impl Profile {
    /// All of them, the default first.
    pub const ALL: &[Self] = &[Self::Live];

    /// Its name on the command line and in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
        }
    }

    /// Makes an endpoint behave so.
    pub const fn apply(self, _config: &mut Config) {
        match self {
            // What the defaults are.
            Self::Live => {}
        }
    }
}
