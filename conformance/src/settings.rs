//! What is wrong with a settings file, and where: file, line, column and key, or the option.
//!
//! Shared by every file that people write: that of `serve` and that of targets.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::report::text::printable;

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// Where.
    pub place: Place,
    /// What was expected and what stands there, as one line.
    pub what: String,
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An option of the command line.
    Option(&'static str),
    /// A file as a whole.
    File(PathBuf),
    /// A key of a file.
    Key {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column in characters, counted from 1.
        column: usize,
        /// The key with its sections, such as `tls.cert`; empty where the text is no TOML.
        key: String,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Key { path, line, column, key } if key.is_empty() => write!(f, "{}:{line}:{column}", path.display()),
            Self::Key { path, line, column, key } => write!(f, "{}:{line}:{column}: {key}", path.display()),
        }
    }
}

impl std::error::Error for SettingsError {}

/// The text of a file, for places within it. The built-in defaults have neither.
#[derive(Clone, Default)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// The place of a byte of the text, and of the key that stands there or that has its value there.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Place::Key {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            key: DeTable::parse(&self.text).map_or_else(|_| String::new(), |table| key_at(table.get_ref(), &span)),
        }
    }

    /// The place of a dotted key, such as `graphql.resolvers."Mutation.add".delay`, or of what is around it in the file.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        let span = DeTable::parse(&self.text).ok().and_then(|table| find(table.get_ref(), key));
        match span.map(|span| self.place(span)) {
            Some(Place::Key { path, line, column, .. }) => Place::Key { path, line, column, key: key.into() },
            Some(Place::Option(_) | Place::File(_)) | None => Place::File(self.path.clone()),
        }
    }

    /// What `toml` or serde says, in our words.
    pub(crate) fn error(&self, error: &toml::de::Error) -> SettingsError {
        let place = match error.span() {
            Some(span) => self.place(span),
            None => Place::File(self.path.clone()),
        };
        let is_secret = matches!(&place, Place::Key { key, .. } if is_secret(key));
        SettingsError { place, what: printable(&in_our_words(error.message().trim(), is_secret)) }
    }
}

/// The file could not be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> SettingsError {
    SettingsError { place: Place::File(path.into()), what: error.to_string() }
}

/// Keys whose values are never quoted.
fn is_secret(key: &str) -> bool {
    key.starts_with("auth") || key.split('.').any(|part| matches!(part, "credentials" | "headers"))
}

// The key at a place

fn key_at(table: &DeTable<'_>, at: &Range<usize>) -> String {
    let mut narrowest = (usize::MAX, String::new());
    look_in_table(table, "", at, &mut narrowest);
    narrowest.1
}

/// A section that has a header holds keys beyond its own span, so every branch is looked into.
fn look_in_table(table: &DeTable<'_>, prefix: &str, at: &Range<usize>, narrowest: &mut (usize, String)) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        for span in [key.span(), value.span()] {
            if span.start <= at.start && at.end <= span.end && span.len() <= narrowest.0 {
                *narrowest = (span.len(), path.clone());
            }
        }
        look_in_value(value, &path, at, narrowest);
    }
}

fn look_in_value(value: &Spanned<DeValue<'_>>, path: &str, at: &Range<usize>, narrowest: &mut (usize, String)) {
    match value.get_ref() {
        DeValue::Table(table) => look_in_table(table, path, at, narrowest),
        DeValue::Array(items) => items.iter().for_each(|item| look_in_value(item, path, at, narrowest)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// Where the key stands, or the part of it that is there.
fn find(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    let rest_after = |name: &str| {
        let quoted = format!("{name:?}");
        let rest = key.strip_prefix(name).or_else(|| key.strip_prefix(quoted.as_str()))?;
        if rest.is_empty() { Some("") } else { rest.strip_prefix('.') }
    };
    table.iter().find_map(|(name, value)| {
        let rest = rest_after(name.get_ref())?;
        let deeper = match value.get_ref() {
            DeValue::Table(inner) => find(inner, rest),
            DeValue::Array(_)
            | DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        deeper.or_else(|| Some(name.span()))
    })
}

// Words

/// `expected Y; got X` for serde's `invalid type: X, expected Y`, without names of Rust types.
fn in_our_words(message: &str, is_secret: bool) -> String {
    for start in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some((got, expected)) = message.strip_prefix(start).and_then(|rest| rest.split_once(", expected ")) {
            let got = if is_secret && got.starts_with("string") { "a string" } else { got };
            return format!("expected {}; got {}", kind(expected), got.replace('`', ""));
        }
    }
    for (start, what) in [("unknown field ", "unknown key"), ("unknown variant ", "unknown word")] {
        if let Some(rest) = message.strip_prefix(start) {
            let expected = rest.split_once(", ").map_or(rest, |(_, expected)| expected);
            return format!(
                "{what}; {}",
                expected.replace('`', "").replace("there are no fields", "none is known here")
            );
        }
    }
    match message.strip_prefix("missing field ") {
        Some(name) => format!("the key {} is missing", name.replace('`', "")),
        None => message.to_owned(),
    }
}

fn kind(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a sequence" => "a list",
        "a map" => "a section",
        "path string" => "a path",
        other if other.starts_with("struct ") => "a section",
        other => other,
    }
}
