//! `syncspec.toml`: the targets that somebody judges, and how.
//!
//! ```text
//!   syncspec.toml ──parse──> File ──named──> Target ──own──> the declared subscription
//!                                              └── credentials: where each comes from, never what it is
//! ```
//!
//! Nothing is half taken: whatever is wrong is an error with file, line, column, key and what was expected. The file
//! holds no secret: credentials are named by environment variable, file or command, and a value that looks like one
//! is refused wherever it stands, without being quoted. Paths in the file are relative to the file. This module reads
//! the file and nothing else; who asks for the credentials is `cli`.

mod file;
mod own;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use appsync_protocol::dialect::Dialect;
use toml::Spanned;

use crate::scenario::Own;
use crate::settings::{Place, SettingsError, Source, unreadable};
pub use file::{Credentials, Guards, TargetTable};
pub use secret::{SecretSource, placeholders};

use file::File;

/// The name of the file in the working directory.
pub const FILE_NAME: &str = "syncspec.toml";

/// The targets of a file.
pub struct Targets {
    file: File,
    source: Source,
}

/// One target of a file, looked at.
#[derive(Debug)]
pub struct Target {
    /// Its name in the file.
    pub name: String,
    /// What the file says of it.
    pub table: TargetTable,
    /// The protocol, where the file tells.
    pub dialect: Option<Dialect>,
    /// The declared subscription and its trigger (GraphQL).
    pub own: Option<Own>,
    /// Capabilities that it declares to have, or not to have.
    pub capabilities: BTreeMap<String, bool>,
    folder: PathBuf,
}

impl Target {
    /// A path of the file, which is relative to the file.
    pub fn beside(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

impl Targets {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, has an unknown key, a value of the wrong kind, or a secret.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        Self::parse(text, path)
    }

    /// Reads the text of a file. `path` is for errors, and what paths in the text are relative to.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: impl Into<String>, path: impl Into<PathBuf>) -> Result<Self, SettingsError> {
        let source = Source { path: path.into(), text: text.into() };
        // Before anything else: an error of another kind could quote it.
        if let Some(span) = secret::first_secret(&source.text) {
            let what = "a secret does not stand in this file; name where it comes from instead, such as \
                        { env = \"SYNCSPEC_API_KEY\" }, { file = \"key.txt\" } or { command = \"pass show key\" }";
            return Err(SettingsError { place: source.place(span), what: what.into() });
        }
        match toml::from_str(&source.text) {
            Ok(file) => Ok(Self { file, source }),
            Err(error) => Err(source.error(&error)),
        }
    }

    /// Names of the targets, in the order of the alphabet.
    pub fn names(&self) -> Vec<&str> {
        self.file.targets.keys().map(String::as_str).collect()
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// The target of this name; without one the default of the file, or its only one.
    ///
    /// # Errors
    /// When there is none, or it makes no sense.
    pub fn target(&self, name: Option<&str>) -> Result<Target, SettingsError> {
        let whole = |what: String| SettingsError { place: Place::File(self.source.path.clone()), what };
        let names = self.names();
        let name = match (name, &self.file.default, names.as_slice()) {
            (_, _, []) => return Err(whole("expected a section [targets.NAME]; got none".into())),
            (Some(name), _, _) => {
                if !names.contains(&name) {
                    let what = format!("no target {name:?}; expected one of {}", names.join(", "));
                    return Err(SettingsError { place: Place::Option("--target"), what });
                }
                name
            }
            (None, Some(name), _) => {
                if !names.contains(&name.get_ref().as_str()) {
                    let what = format!("no target {:?}; expected one of {}", name.get_ref(), names.join(", "));
                    return Err(self.wrong(name, what));
                }
                name.get_ref()
            }
            (None, None, [only]) => only,
            (None, None, several) => {
                let several = several.join(", ");
                return Err(whole(format!("several targets ({several}); choose one with --target, or with default =")));
            }
        };
        self.looked_at(name)
    }

    /// The target with this endpoint, as it is written.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn target_at(&self, endpoint: &str) -> Option<Result<Target, SettingsError>> {
        let is_it = |table: &TargetTable| table.endpoint.get_ref() == endpoint;
        let (name, _) = self.file.targets.iter().find(|(_, table)| is_it(table))?;
        Some(self.looked_at(name))
    }

    fn looked_at(&self, name: &str) -> Result<Target, SettingsError> {
        let Some(table) = self.file.targets.get(name) else {
            unreachable!("the name was looked up");
        };
        let dialect = table.dialect.as_ref().map(|word| self.dialect(word)).transpose()?;
        self.check_urls(table)?;
        self.check_channels(table)?;
        self.check_guards(&table.guards)?;
        let own = own::read(self, table)?;
        let capabilities = table.capabilities.iter().map(|(name, has)| (name.get_ref().clone(), *has)).collect();
        let folder = self.source.path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Target { name: name.into(), table: table.clone(), dialect, own, capabilities, folder })
    }

    fn dialect(&self, word: &Spanned<String>) -> Result<Dialect, SettingsError> {
        let known = Dialect::ALL.into_iter().find(|dialect| dialect.word() == word.get_ref());
        known.ok_or_else(|| self.wrong(word, format!("expected graphql or events; got {:?}", word.get_ref())))
    }

    fn check_urls(&self, table: &TargetTable) -> Result<(), SettingsError> {
        for url in std::iter::once(&table.endpoint).chain(&table.realtime) {
            appsync_protocol::handshake::Endpoint::parse(url.get_ref())
                .map_err(|error| self.wrong(url, format!("{:?}: {error}", url.get_ref())))?;
        }
        match table.connect_to.iter().find(|address| !address.get_ref().contains(':')) {
            Some(wrong) => Err(self.wrong(wrong, format!("expected HOST:PORT; got {:?}", wrong.get_ref()))),
            None if table.connect_to.len() > 2 => {
                Err(self.wrong(&table.connect_to[2], "expected at most two addresses, for HTTP and for real time"))
            }
            None => Ok(()),
        }
    }

    fn check_channels(&self, table: &TargetTable) -> Result<(), SettingsError> {
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if let Some(wrong) = table.namespaces.iter().find(|name| name.get_ref().is_empty() || !is_plain(name.get_ref()))
        {
            return Err(self.wrong(wrong, "expected the name of a namespace: letters, digits and hyphens, no slash"));
        }
        match &table.channel_prefix {
            Some(prefix) if prefix.get_ref().len() > CHANNEL_PREFIX_MAX || !is_plain(prefix.get_ref()) => {
                let most = format!("expected at most {CHANNEL_PREFIX_MAX} letters, digits and hyphens");
                Err(self.wrong(prefix, most))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_guards(&self, guards: &Guards) -> Result<(), SettingsError> {
        let per_second = guards.publishes_per_second.as_ref();
        let counts = [&guards.max_connections, &guards.max_messages, &guards.max_minutes];
        let zero = counts.into_iter().flatten().find(|count| *count.get_ref() == 0);
        match (zero, per_second) {
            (Some(zero), _) => Err(self.wrong(zero, "expected more than 0")),
            (None, Some(rate)) if *rate.get_ref() == 0 => Err(self.wrong(rate, "expected more than 0")),
            (None, Some(_) | None) => Ok(()),
        }
    }

    /// An error about a value.
    pub fn wrong<T>(&self, value: &Spanned<T>, what: impl Into<String>) -> SettingsError {
        SettingsError { place: self.source.place(value.span()), what: what.into() }
    }

    /// An error about a key below a target.
    pub fn wrong_at(&self, key: &str, what: impl Into<String>) -> SettingsError {
        SettingsError { place: self.source.place_of(key), what: what.into() }
    }
}

/// Longest channel prefix: with it the longest segment of a scenario still has 50 characters.
pub const CHANNEL_PREFIX_MAX: usize = 16;
