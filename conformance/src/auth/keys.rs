//! AWS keys of a client, and where people keep them.
//!
//! The search order is that of the AWS command line: a profile that is named wins, then the keys of the
//! environment, then the profile of `AWS_PROFILE` or `default`. Profiles that need a call to somebody (roles, single
//! sign-on, processes) are refused with a word on what to do instead. [`AwsKeys::find`] reads nothing by itself, so
//! that it can be tried on made-up environments; [`AwsKeys::from_environment`] gives it the real one.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use configparser::ini::{Ini, IniDefault};

/// What signs a request: a key pair, the token of temporary credentials, and the region of the API.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKeys {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token of temporary credentials.
    pub session_token: Option<String>,
    /// Region of the API, such as `eu-west-1` (GQL-AUTH-009).
    pub region: String,
}

impl fmt::Debug for AwsKeys {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKeys").field("region", &self.region).finish_non_exhaustive()
    }
}

impl AwsKeys {
    /// Reads the keys of this process: environment variables and the files `~/.aws/credentials` and `~/.aws/config`.
    ///
    /// `profile` and `region` win over what is found.
    ///
    /// # Errors
    /// When there are no keys, half of them, no region, or a profile that cannot be used.
    pub fn from_environment(profile: Option<&str>, region: Option<&str>) -> Result<Self, KeysError> {
        Self::find(profile, region, |name| std::env::var(name).ok(), |path| std::fs::read_to_string(path))
    }

    /// The same, with an environment and files that come from outside.
    ///
    /// # Errors
    /// As [`AwsKeys::from_environment`].
    pub fn find(
        profile: Option<&str>,
        region: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
        read: impl Fn(&Path) -> io::Result<String>,
    ) -> Result<Self, KeysError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let from_variables = match (profile, variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(_), _, _) | (None, None, None) => None,
            (None, Some(id), Some(secret)) => Some((id, secret, variable("AWS_SESSION_TOKEN"))),
            (None, Some(_), None) => return Err(KeysError::Half { missing: "AWS_SECRET_ACCESS_KEY" }),
            (None, None, Some(_)) => return Err(KeysError::Half { missing: "AWS_ACCESS_KEY_ID" }),
        };
        let asked = profile.map(str::to_owned).or_else(|| variable("AWS_PROFILE"));
        let files = Files::locate(&variable);
        let name = asked.clone().unwrap_or_else(|| "default".into());
        let stored = match files.profile(&name, read) {
            Ok(stored) => stored,
            // Keys of the environment need no file; only the region could have come from it.
            Err(_) if from_variables.is_some() => Profile::default(),
            Err(error) => return Err(error),
        };
        let region = region
            .map(str::to_owned)
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .or_else(|| stored.value("region"));
        let (access_key_id, secret_access_key, session_token) = match from_variables {
            Some(found) => found,
            None => stored.keys(&name, asked.is_some(), &files)?,
        };
        let region = region.ok_or(KeysError::NoRegion { profile: name })?;
        Ok(Self { access_key_id, secret_access_key, session_token, region })
    }
}

/// The region in the host name of an API: `eu-west-1` of `x.appsync-api.eu-west-1.amazonaws.com`.
///
/// `None` for custom domains, whose region has to be told (GQL-AUTH-009).
pub fn region_of(host: &str) -> Option<&str> {
    let mut labels = host.split(':').next()?.split('.').skip(1);
    let service = labels.next()?;
    let region = labels.next()?;
    (matches!(service, "appsync-api" | "appsync-realtime-api") && labels.next() == Some("amazonaws")).then_some(region)
}

/// Where the files are.
struct Files {
    credentials: Option<PathBuf>,
    config: Option<PathBuf>,
}

impl Files {
    fn locate(variable: &impl Fn(&str) -> Option<String>) -> Self {
        let home = variable("HOME").map(PathBuf::from);
        let under_home = |name: &str| home.as_ref().map(|home| home.join(".aws").join(name));
        Self {
            credentials: variable("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from).or(under_home("credentials")),
            config: variable("AWS_CONFIG_FILE").map(PathBuf::from).or(under_home("config")),
        }
    }

    /// What the two files say of a profile. A file that is not there says nothing.
    fn profile(&self, name: &str, read: impl Fn(&Path) -> io::Result<String>) -> Result<Profile, KeysError> {
        let section = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let of = |path: &Option<PathBuf>, section: &str| -> Result<Option<Section>, KeysError> {
            let Some(path) = path else { return Ok(None) };
            let text = match read(path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(KeysError::Unreadable { path: path.clone(), why: error.to_string() }),
            };
            let mut ini = Ini::new_from_defaults(dialect());
            let sections = ini.read(text).map_err(|_| KeysError::Unreadable {
                path: path.clone(),
                // The parser quotes the line, and the line may hold a key.
                why: "it is not an INI file of sections and key = value lines".into(),
            })?;
            Ok(sections.get(section).cloned())
        };
        Ok(Profile { credentials: of(&self.credentials, name)?, config: of(&self.config, &section)? })
    }
}

/// Keys and values of a section.
type Section = std::collections::HashMap<String, Option<String>>;

/// As the AWS tools write them: nothing is cut from a value, and names of profiles keep their case.
fn dialect() -> IniDefault {
    let mut dialect = Ini::new_cs().defaults();
    dialect.inline_comment_symbols = Some(Vec::new());
    dialect.delimiters = vec!['='];
    dialect.default_section = "\u{0}".into();
    dialect
}

/// What the files say of one profile; the credentials file is asked first.
#[derive(Default)]
struct Profile {
    credentials: Option<Section>,
    config: Option<Section>,
}

impl Profile {
    fn value(&self, key: &str) -> Option<String> {
        let sections = [&self.credentials, &self.config];
        let mut found = sections.into_iter().flatten().filter_map(|section| section.get(key)?.clone());
        found.find(|value| !value.is_empty())
    }

    fn keys(&self, name: &str, asked: bool, files: &Files) -> Result<(String, String, Option<String>), KeysError> {
        match (self.value("aws_access_key_id"), self.value("aws_secret_access_key")) {
            (Some(id), Some(secret)) => Ok((id, secret, self.value("aws_session_token"))),
            (Some(_), None) => Err(KeysError::HalfProfile { profile: name.into(), missing: "aws_secret_access_key" }),
            (None, Some(_)) => Err(KeysError::HalfProfile { profile: name.into(), missing: "aws_access_key_id" }),
            (None, None) => {
                let remote =
                    ["role_arn", "sso_session", "sso_start_url", "credential_process", "web_identity_token_file"];
                if let Some(key) = remote.into_iter().find(|key| self.value(key).is_some()) {
                    return Err(KeysError::Remote { profile: name.into(), key });
                }
                let looked = [&files.credentials, &files.config].into_iter().flatten().cloned().collect();
                Err(KeysError::Nothing { profile: asked.then(|| name.into()), looked })
            }
        }
    }
}

/// Why there are no keys to sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysError {
    /// One of the two variables is set.
    Half {
        /// The other one.
        missing: &'static str,
    },
    /// A profile has one key of the pair.
    HalfProfile {
        /// Name of the profile.
        profile: String,
        /// The other key.
        missing: &'static str,
    },
    /// Neither variables nor a profile.
    Nothing {
        /// The profile, if one was named.
        profile: Option<String>,
        /// The files that were looked into.
        looked: Vec<PathBuf>,
    },
    /// The keys of a profile are to be fetched from somewhere.
    Remote {
        /// Name of the profile.
        profile: String,
        /// What says so.
        key: &'static str,
    },
    /// A file is there and cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Keys, but no region.
    NoRegion {
        /// The profile that has none either.
        profile: String,
    },
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Half { missing } => write!(f, "half a key pair in the environment: {missing} is not set"),
            Self::HalfProfile { profile, missing } => write!(f, "profile {profile:?} has no {missing}"),
            Self::Nothing { profile, looked } => {
                match profile {
                    Some(profile) => write!(f, "no keys in profile {profile:?}")?,
                    None => f.write_str(
                        "no AWS keys: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor a default profile",
                    )?,
                }
                let looked: Vec<_> = looked.iter().map(|path| path.display().to_string()).collect();
                if looked.is_empty() { Ok(()) } else { write!(f, "; looked into {}", looked.join(" and ")) }
            }
            Self::Remote { profile, key } => write!(
                f,
                "profile {profile:?} has {key}, so its keys have to be fetched; fetch them with \
                 `aws configure export-credentials --profile {profile} --format env` and set the variables"
            ),
            Self::Unreadable { path, why } => write!(f, "{}: {why}", path.display()),
            Self::NoRegion { profile } => {
                write!(f, "no region to sign for: set AWS_REGION, or region in profile {profile:?} (GQL-AUTH-009)")
            }
        }
    }
}

impl std::error::Error for KeysError {}
