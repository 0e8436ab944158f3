//! The authorization object: its members, and its JSON.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::ser::{Serialize, Serializer};

use crate::raw::{Raw, is_object, is_string, readable_members, string};

/// The authorization object: names and values in the order sent.
///
/// Names compare without regard to case (GQL-AUTH-025, EVT-AUTH-015). Serialises as a JSON object, values included.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials(Vec<(String, String)>);

impl Credentials {
    /// No members: `{}`.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// API key mode. Source: GQL-AUTH-002, EVT-AUTH-001.
    pub fn api_key(host: impl Into<String>, key: impl Into<String>) -> Self {
        Self::new().with("host", host).with("x-api-key", key)
    }

    /// Cognito, OIDC and Lambda modes. Source: GQL-AUTH-003 to GQL-AUTH-005, EVT-AUTH-003, EVT-AUTH-004.
    pub fn token(host: impl Into<String>, token: impl Into<String>) -> Self {
        Self::new().with("host", host).with("Authorization", token)
    }

    /// The same with one more member at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The first member of that name, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are no members.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compact JSON, members in order.
    pub fn to_json(&self) -> String {
        // Strings always serialise; there is nothing here that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a JSON object of strings, compact or not. Members nobody knows are kept.
    ///
    /// Of several members with exactly the same name the last value counts, as in most JSON readers.
    /// Source: GQL-HANDSHAKE-018, GQL-AUTH-026, EVT-AUTH-034, EVT-AUTH-035.
    pub fn from_json(text: &str) -> Result<Self, CredentialsError> {
        let whole = Raw::read(text).map_err(|_| CredentialsError::NotJson)?;
        if !is_object(whole) {
            return Err(CredentialsError::NotAnObject);
        }
        // A name or a string that does not decode has an escape that stands for no character.
        let members = readable_members(whole).ok_or(CredentialsError::NotJson)?;

        let mut credentials = Self::new();
        for (name, value) in members {
            let name = name.into_owned();
            if !is_string(value) {
                return Err(CredentialsError::MemberNotAString { name });
            }
            let value = string(value).ok_or(CredentialsError::NotJson)?.into_owned();
            match credentials.0.iter_mut().find(|(n, _)| *n == name) {
                Some((_, earlier)) => *earlier = value,
                None => credentials.0.push((name, value)),
            }
        }
        Ok(credentials)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl Serialize for Credentials {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Why a text is not an authorization object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialsError {
    /// It is not JSON.
    NotJson,
    /// It is JSON, but not an object.
    NotAnObject,
    /// A member is not a string.
    MemberNotAString {
        /// Name of the first such member.
        name: String,
    },
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("authorization is not JSON"),
            Self::NotAnObject => f.write_str("authorization is not a JSON object"),
            Self::MemberNotAString { name } => write!(f, "authorization has member {name:?} that is not a string"),
        }
    }
}

impl core::error::Error for CredentialsError {}
