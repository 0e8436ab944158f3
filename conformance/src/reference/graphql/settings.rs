//! The section `[graphql]` of a configuration file, as it is written.
//!
//! ```toml
//! [graphql]
//! schema = "notes.graphql"              # relative to the file; or sdl = """…"""; or neither: the embedded schema
//! modes = ["api-key", "iam"]            # the first is the API's default mode; none: no mode is the default
//!
//! [graphql.resolvers."Mutation.addNote"]
//! result = { id = "$id", board = "$arguments.board", due = "$now" }   # or "arguments", or an argument's name
//! delay-ms = 50
//! invalidates = [{ field = "onNote", payload = { board = "$arguments.board" } }]
//!
//! [graphql.resolvers."Query.lastNote"]
//! from = "last:Mutation.addNote"
//!
//! [graphql.resolvers."Mutation.fail"]
//! error = { message = "no", type = "MappingTemplate", info = { hint = 1 } }
//!
//! [graphql.resolvers."Note.secret"]
//! deny = true
//!
//! [graphql.subscriptions.onNote]
//! filter = "$arguments.filter"          # or a filter with "$arguments.x" in it
//! invalidation = { board = { eq = "$arguments.board" } }
//! ```
//!
//! It is only read here. Whether it fits the schema is found out where an [`super::Engine`] is made of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use appsync_protocol::json::Json;
use serde::Deserialize;

use crate::auth::ModeName;

/// The GraphQL API: schema, modes, and what its fields do.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// File with the schema; see [`Settings::read_schema`].
    pub schema: Option<String>,
    /// The schema itself.
    pub sdl: Option<String>,
    /// Modes of authorization, the API's default first. A field without directives is for the default mode, and for
    /// every mode if the list is empty.
    pub modes: Vec<ModeName>,
    /// What fields do, by `Type.field`.
    pub resolvers: BTreeMap<String, ResolverSettings>,
    /// What subscription fields do at their start, by field.
    pub subscriptions: BTreeMap<String, SubscriptionSettings>,
    /// Seconds from 1970 to [`appsync_protocol::moment::Moment::START`], for `$now`.
    #[serde(skip)]
    pub started_at: u64,
    /// What is added to the embedded schema.
    #[serde(skip)]
    pub extension: Option<&'static str>,
}

/// How one field is resolved. At most one of `result`, `value`, `error`, `from` is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResolverSettings {
    /// `"arguments"`, the name of an argument, or a template.
    pub result: Option<Json>,
    /// A fixed value.
    pub value: Option<Json>,
    /// The error it fails with.
    pub error: Option<ErrorSettings>,
    /// `"last:Mutation.field"`: what that mutation returned last.
    pub from: Option<String>,
    /// How much later the answer comes, in milliseconds.
    pub delay_ms: u64,
    /// The field is denied to everybody.
    pub deny: bool,
    /// Subscriptions that it ends.
    pub invalidates: Vec<InvalidationSettings>,
}

/// An error of a resolver. Source: GQL-HTTP-011.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorSettings {
    /// `message`
    pub message: String,
    /// `errorType`
    #[serde(rename = "type")]
    pub error_type: Option<String>,
    /// `errorInfo`
    pub info: Option<Json>,
}

/// One call of `invalidateSubscriptions`. Source: GQL-FILTER-026.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InvalidationSettings {
    /// Field of the Subscription type.
    pub field: String,
    /// A template of the payload that invalidation filters are matched with.
    pub payload: Json,
}

/// What a subscription field sets at its start. Source: GQL-FILTER-008, GQL-FILTER-026.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SubscriptionSettings {
    /// A template of the enhanced filter.
    pub filter: Option<Json>,
    /// A template of the invalidation filter.
    pub invalidation: Option<Json>,
}

/// 2026-01-01T00:00:00Z, so that without a clock every run sees the same times.
const SOME_DAY: u64 = 1_767_225_600;

impl Default for Settings {
    fn default() -> Self {
        Self {
            schema: None,
            sdl: None,
            modes: Vec::new(),
            resolvers: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            started_at: SOME_DAY,
            extension: None,
        }
    }
}

impl Settings {
    /// Reads the file that `schema` names, relative to `directory`, into `sdl`. Does nothing without one.
    ///
    /// # Errors
    /// When the file cannot be read, or when there is an `sdl` besides.
    pub fn read_schema(&mut self, directory: &Path) -> Result<(), SettingsError> {
        let Some(name) = &self.schema else { return Ok(()) };
        if self.sdl.is_some() {
            return Err(SettingsError::new("schema", "expected schema or sdl; got both"));
        }
        let path = directory.join(name);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| SettingsError::new("schema", format!("{}: {error}", path.display())))?;
        self.sdl = Some(text);
        Ok(())
    }
}

/// What of the settings does not fit, where it stands, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// Place below `graphql`, for example `resolvers."Mutation.addNote".value.stars`.
    pub at: String,
    /// What is wrong.
    pub why: String,
}

impl SettingsError {
    pub(super) fn new(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: at.into(), why: why.into() }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "graphql.{}: {}", self.at, self.why)
    }
}

impl std::error::Error for SettingsError {}
