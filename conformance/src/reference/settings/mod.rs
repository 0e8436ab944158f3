//! The configuration file of `syncspec serve`, and what the command line changes of it.
//!
//! ```text
//!   serve.toml ──parse──> ServeFile ──┐
//!                                     ├──prepare──> Prepared: what to listen on, whom to be, how to serve
//!   command line ──────> Overrides ───┘
//! ```
//!
//! The file has a section for each part of the endpoint; a missing key means what it means without a file. An option
//! replaces the key of its name, lists included. Nothing is half taken: whatever is wrong is an error that names file,
//! line, column and key, or the option, and nothing is served. Paths in the file are relative to the file.

mod file;
mod sections;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::Config;
use super::shell::Options as ShellOptions;
use super::shell::tls::{self, Part, Secure, is_host_name};
use crate::catalogue::faults;
use crate::fault::Fault;
use crate::settings::{self, Source};

pub use crate::settings::{Place, SettingsError};
pub use file::{Connections, ServeFile, Tls};
pub use sections::{Auth, Events, Graphql, Profile};

/// A commented file with every key at its default: `syncspec serve --print-config`.
pub const TEMPLATE: &str = include_str!("serve.toml");

/// What the command line says; what is not given is `None` or empty.
#[derive(Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<String>,
    /// `--profile`
    pub profile: Option<String>,
    /// `--ka`
    pub ka: Option<Duration>,
    /// `--timeout-ms`
    pub timeout_ms: Option<u64>,
    /// `--api-key`
    pub api_key: Option<String>,
    /// `--fault`
    pub faults: Vec<String>,
    /// `--tls self-signed`
    pub self_signed: bool,
    /// `--tls-name`
    pub tls_names: Vec<String>,
    /// `--tls-ca-out`
    pub tls_ca_out: Option<PathBuf>,
    /// `--tls-cert` and `--tls-key`
    pub tls_files: Option<(PathBuf, PathBuf)>,
}

/// Everything that is needed to serve.
pub struct Prepared {
    /// `HOST:PORT`.
    pub listen: String,
    /// Where [`listen`](Self::listen) comes from, for errors of the system.
    pub listen_place: Place,
    /// Whom the endpoint is.
    pub config: Config,
    /// Its saboteurs.
    pub faults: Vec<&'static Fault>,
    /// How the port is served, TLS included.
    pub shell: ShellOptions,
    /// The authority, if one was made.
    pub ca: Option<Ca>,
}

/// The certificate of the authority that was made.
pub struct Ca {
    /// PEM.
    pub pem: String,
    /// Where it has to be written; `None` leaves it to the caller.
    pub out: Option<PathBuf>,
}

/// The settings of a file, or the defaults, with what is needed to say where one is wrong.
#[derive(Default)]
pub struct Settings {
    file: ServeFile,
    source: Source,
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, has an unknown key or a value of the wrong kind.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = fs::read_to_string(path).map_err(|error| settings::unreadable(path, &error))?;
        Self::parse(text, path)
    }

    /// Reads the text of a file. `path` is for errors, and what paths in the text are relative to.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: impl Into<String>, path: impl Into<PathBuf>) -> Result<Self, SettingsError> {
        let source = Source { path: path.into(), text: text.into() };
        match toml::from_str(&source.text) {
            Ok(file) => Ok(Self { file, source }),
            Err(error) => Err(source.error(&error)),
        }
    }

    /// An error about a key below a section, for those who look at what a section says: its place is found in the file.
    pub fn error_at(&self, key: &str, what: impl std::fmt::Display) -> SettingsError {
        let place = self.source.place_of(key);
        match place {
            Place::File(_) => wrong(place, format!("{key}: {what}")),
            Place::Key { .. } | Place::Option(_) => wrong(place, what),
        }
    }

    /// What paths in the file are relative to.
    pub fn folder(&self) -> &Path {
        self.source.path.parent().unwrap_or(Path::new(""))
    }

    /// What the file says.
    pub const fn file(&self) -> &ServeFile {
        &self.file
    }

    /// Joins file and command line, and looks at every value.
    ///
    /// # Errors
    /// When a value makes no sense: names that are not known, files that are not there or unusable.
    pub fn prepare(&self, options: Overrides) -> Result<Prepared, SettingsError> {
        let (listen, listen_place) = self.listen(&options)?;
        if options.api_key.as_deref() == Some("") {
            return Err(wrong(Place::Option("--api-key"), "expected a key; got an empty text"));
        }
        let key = options.api_key.as_deref();
        let mut config = sections::configure(self, self.profile(&options)?, key, Config::default())?;
        let ka = self.or(options.ka, "--ka", &self.file.ka);
        config.policy.keep_alive = more_than_none(ka, Duration::ZERO, "0s")?;
        let timeout_ms = self.or(options.timeout_ms, "--timeout-ms", &self.file.timeout_ms);
        config.policy.silence_limit_ms = more_than_none(timeout_ms, 0, "0")?;
        config.hosts.extend(listen.rsplit_once(':').map(|(host, _)| host.to_ascii_lowercase()));
        for host in &self.file.hosts {
            config.hosts.push(host_name(host.get_ref(), || self.source.place(host.span()))?);
        }
        let mut prepared =
            Prepared { listen, listen_place, config, faults: self.faults(&options)?, shell: self.shell()?, ca: None };
        self.secure(options, &mut prepared)?;
        Ok(prepared)
    }

    /// The value of the option, or else of the key, with its place.
    fn or<T: Clone>(&self, option: Option<T>, name: &'static str, key: &Spanned<T>) -> (T, Place) {
        match option {
            Some(value) => (value, Place::Option(name)),
            // The key stands in no file.
            None if key.span().is_empty() => (key.get_ref().clone(), Place::Option(name)),
            None => (key.get_ref().clone(), self.source.place(key.span())),
        }
    }

    /// The values of the option, or else of the key, with their places.
    fn list_or(&self, options: &[String], name: &'static str, keys: &[Spanned<String>]) -> Vec<(String, Place)> {
        if options.is_empty() {
            keys.iter().map(|key| self.or(None, name, key)).collect()
        } else {
            options.iter().map(|value| (value.clone(), Place::Option(name))).collect()
        }
    }

    fn listen(&self, options: &Overrides) -> Result<(String, Place), SettingsError> {
        let (listen, place) = self.or(options.listen.clone(), "--listen", &self.file.listen);
        match listen.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok((listen, place)),
            Some(_) | None => Err(wrong(
                place,
                format!("expected HOST:PORT, such as 127.0.0.1:8700 (port 0 for a free one); got {listen:?}"),
            )),
        }
    }

    fn profile(&self, options: &Overrides) -> Result<Profile, SettingsError> {
        let (name, place) = self.or(options.profile.clone(), "--profile", &self.file.profile);
        let mut profile = Profile::named(&name)
            .map_err(|_| wrong(place, format!("no profile {name:?}; expected one of {}", Profile::NAMES.join(", "))))?;
        for (ambiguity, reading) in &self.file.switches {
            profile
                .choose(ambiguity, reading.get_ref())
                .map_err(|error| wrong(self.source.place(reading.span()), error))?;
        }
        Ok(profile)
    }

    fn faults(&self, options: &Overrides) -> Result<Vec<&'static Fault>, SettingsError> {
        let names = self.list_or(&options.faults, "--fault", &self.file.faults);
        let known = |(name, place): (String, Place)| {
            let fault = faults().find(|fault| fault.name == name);
            fault.ok_or_else(|| wrong(place, format!("no saboteur of this name: {name:?}; see syncspec list --faults")))
        };
        names.into_iter().map(known).collect()
    }

    fn shell(&self) -> Result<ShellOptions, SettingsError> {
        let Connections { max, queue, when_full, max_message_bytes, ping_after } = &self.file.connections;
        let at_least_1 = |key: &Spanned<usize>| more_than_none(self.or(None, "", key), 0, "0");
        Ok(ShellOptions {
            tls: None,
            queue: at_least_1(queue)?,
            when_full: *when_full,
            max_message: at_least_1(max_message_bytes)?,
            max_connections: at_least_1(max)?,
            ping_after: *ping_after.get_ref(),
        })
    }

    // TLS

    fn secure(&self, options: Overrides, prepared: &mut Prepared) -> Result<(), SettingsError> {
        if let Some((cert, key)) = &options.tls_files {
            let place = |part| match part {
                Part::Certificate => Place::Option("--tls-cert"),
                Part::Key => Place::Option("--tls-key"),
            };
            prepared.shell.tls = Some(from_files(cert, key, place)?);
            return no_names_for_files(&options);
        }
        let none = Tls::default();
        let section = self.file.tls.as_ref();
        let tls = section.map_or(&none, Spanned::get_ref);
        let place_of = |key: &Spanned<PathBuf>| self.source.place(key.span());
        match (options.self_signed || tls.self_signed, &tls.cert, &tls.key) {
            (true, None, None) => self.sign(tls, options, prepared),
            // The option replaces what the file says of certificates.
            (true, ..) if options.self_signed => self.sign(tls, options, prepared),
            (true, Some(other), _) | (true, None, Some(other)) => {
                Err(wrong(place_of(other), "expected either self-signed = true, or cert and key; got both"))
            }
            (false, Some(cert), Some(key)) => {
                let place = |part| match part {
                    Part::Certificate => place_of(cert),
                    Part::Key => place_of(key),
                };
                prepared.shell.tls =
                    Some(from_files(&self.beside(cert.get_ref()), &self.beside(key.get_ref()), place)?);
                no_names_for_files(&options)
            }
            (false, Some(cert), None) => Err(wrong(place_of(cert), "a certificate needs its key; give tls.key too")),
            (false, None, Some(key)) => Err(wrong(place_of(key), "a key needs its certificate; give tls.cert too")),
            (false, None, None) => match section {
                Some(section) => Err(wrong(
                    self.source.place(section.span()),
                    "expected self-signed = true, or cert and key; got neither",
                )),
                None => no_names_for_files(&options),
            },
        }
    }

    fn sign(&self, tls: &Tls, options: Overrides, prepared: &mut Prepared) -> Result<(), SettingsError> {
        for (name, place) in self.list_or(&options.tls_names, "--tls-name", &tls.names) {
            prepared.config.hosts.push(host_name(&name, || place)?);
        }
        let names: Vec<_> = prepared.config.hosts.iter().filter(|name| is_host_name(name)).cloned().collect();
        let made = tls::self_signed(&names).map_err(|error| wrong(Place::Option("--tls self-signed"), error))?;
        prepared.shell.tls = Some(made.config);
        let out = options.tls_ca_out.or_else(|| tls.ca_out.as_ref().map(|path| self.beside(path)));
        prepared.ca = Some(Ca { pem: made.ca, out });
        Ok(())
    }

    /// A path of the file, which is relative to the file.
    fn beside(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder().join(path)
    }
}

/// What a made certificate needs is of no use without one.
fn no_names_for_files(options: &Overrides) -> Result<(), SettingsError> {
    let name = match (options.tls_names.is_empty(), &options.tls_ca_out) {
        (true, None) => return Ok(()),
        (false, _) => "--tls-name",
        (true, Some(_)) => "--tls-ca-out",
    };
    Err(wrong(Place::Option(name), "expected together with --tls self-signed"))
}

fn from_files(cert: &Path, key: &Path, place: impl Fn(Part) -> Place) -> Result<Secure, SettingsError> {
    tls::from_files(cert, key).map_err(|error| wrong(place(error.part), error))
}

fn wrong(place: Place, what: impl std::fmt::Display) -> SettingsError {
    SettingsError { place, what: what.to_string() }
}

fn more_than_none<T: PartialOrd>((value, place): (T, Place), none: T, word: &str) -> Result<T, SettingsError> {
    if value > none { Ok(value) } else { Err(wrong(place, format!("expected more than {word}"))) }
}

/// The name as the endpoint compares it: in lower case, an IPv6 address in brackets.
fn host_name(text: &str, place: impl FnOnce() -> Place) -> Result<String, SettingsError> {
    if !is_host_name(text) {
        let what = format!("expected a host name or an address, without scheme, port and wildcard; got {text:?}");
        return Err(wrong(place(), what));
    }
    let name = text.to_ascii_lowercase();
    Ok(if name.contains(':') && !name.starts_with('[') { format!("[{name}]") } else { name })
}
