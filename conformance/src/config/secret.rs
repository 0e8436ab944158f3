//! Where a secret comes from, and what looks like one.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the environment.
    Env(String),
    /// The first line of a file.
    File(PathBuf),
    /// The first line that a command prints.
    Command(String),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Command(line) => write!(f, "command {line:?}"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "{ env = \"NAME\" }, { file = \"PATH\" } or { command = \"CMD\" }, for no secret stands in this file",
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
        let Some((kind, value)) = map.next_entry::<String, String>()? else {
            return Err(Error::invalid_length(0, &self));
        };
        let source = match kind.as_str() {
            "env" => SecretSource::Env(value),
            "file" => SecretSource::File(value.into()),
            "command" => SecretSource::Command(value),
            _ => return Err(Error::unknown_field(&kind, &["env", "file", "command"])),
        };
        match map.next_key::<String>()? {
            Some(_) => Err(Error::invalid_length(2, &self)),
            None => Ok(source),
        }
    }
}

/// The names in `${env:NAME}` of a text.
pub fn placeholders(text: &str) -> Vec<&str> {
    text.split("${env:").skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}

/// Where the first value stands that looks like a secret. Nothing in what is no TOML.
pub(super) fn first_secret(text: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let mut found = Vec::new();
    look_in_table(table.get_ref(), &mut found);
    found.into_iter().min_by_key(|span: &Range<usize>| span.start)
}

fn look_in_table(table: &DeTable<'_>, found: &mut Vec<Range<usize>>) {
    table.iter().for_each(|(_, value)| look_in_value(value, found));
}

fn look_in_value(value: &Spanned<DeValue<'_>>, found: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => look_in_table(table, found),
        DeValue::Array(items) => items.iter().for_each(|item| look_in_value(item, found)),
        DeValue::String(text) if holds_secret(text) => found.push(value.span()),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// Whether an API key, an AWS access key or a JWT stands in a text.
fn holds_secret(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.split(|c| !is_part(c)).any(is_secret)
}

fn is_secret(word: &str) -> bool {
    let is_key = word.strip_prefix("da2-").is_some_and(|rest| rest.len() >= 20);
    let access = word.strip_prefix("AKIA").or_else(|| word.strip_prefix("ASIA"));
    let is_upper = |rest: &str| rest.len() == 16 && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let is_jwt = word.starts_with("eyJ") && word.len() > 20 && word.matches('.').count() == 2;
    is_key || access.is_some_and(is_upper) || is_jwt
}
