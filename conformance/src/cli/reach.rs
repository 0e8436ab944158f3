//! What the commands have in common that speak to an endpoint: where it is, and who speaks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Url};
use appsync_protocol::transcript::Redactor;
use clap::{Args, ValueEnum};
use syncspec::auth::sign::Secret;
use syncspec::auth::{AwsKeys, region_of};
use syncspec::link::{DialOptions, Dialer};
use syncspec::session::{CredentialSource, Holder};
use syncspec::target::{Place, Spec};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DialectChoice {
    /// By the path of ENDPOINT.
    Auto,
    Graphql,
    Events,
}

#[derive(Args, Clone)]
pub(super) struct TargetOptions {
    /// URL of the real-time endpoint, instead of the derived one.
    #[arg(long, value_name = "URL", env = "SYNCSPEC_REALTIME", help_heading = "Target")]
    pub(super) realtime: Option<String>,
    /// Dial HOST:PORT, but keep the host of the URLs (emulators route by host name). Given twice, the first
    /// is for the HTTP host and the second for the real-time host.
    #[arg(long, value_name = "HOST:PORT", help_heading = "Target")]
    pub(super) connect_to: Vec<String>,
    /// The protocol that the endpoint speaks.
    #[arg(long, value_enum, default_value = "auto", help_heading = "Target")]
    pub(super) dialect: DialectChoice,
    /// Trust the certificates of this PEM file besides the built-in roots.
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    pub(super) ca: Option<PathBuf>,
    /// Accept any certificate.
    #[arg(long, help_heading = "Target")]
    pub(super) insecure: bool,
    /// Limit for name resolution, TCP and TLS.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration, help_heading = "Target")]
    pub(super) connect_timeout: Duration,
}

impl TargetOptions {
    /// The protocol, where it is not to be told by the path.
    pub(super) const fn dialect(&self) -> Option<Dialect> {
        match self.dialect {
            DialectChoice::Auto => None,
            DialectChoice::Graphql => Some(Dialect::Graphql),
            DialectChoice::Events => Some(Dialect::Events),
        }
    }

    /// Where this endpoint is.
    pub(super) fn place(&self, endpoint: &str) -> Result<Place, String> {
        let spec = Spec {
            endpoint: Some(endpoint.into()),
            realtime: self.realtime.clone(),
            dialect: self.dialect(),
            ..Spec::default()
        };
        spec.place().map_err(|error| error.to_string())
    }

    /// What opens connections to it; `hosts` are its HTTP and its real-time URL.
    pub(super) fn dialer(&self, hosts: Option<(&Url, &Url)>, answer_timeout: Duration) -> Result<Dialer, String> {
        let ca = match &self.ca {
            None => None,
            Some(path) => Some(std::fs::read(path).map_err(|error| format!("--ca {}: {error}", path.display()))?),
        };
        Dialer::new(DialOptions {
            connect_to: self.connect_to(hosts)?,
            ca,
            insecure: self.insecure,
            connect_timeout: self.connect_timeout,
            answer_timeout,
        })
        .map_err(|error| format!("--ca: {error}"))
    }

    /// The first address is for the HTTP host and for both where it is the only one.
    fn connect_to(&self, hosts: Option<(&Url, &Url)>) -> Result<Vec<(String, String)>, String> {
        if let Some(wrong) = self.connect_to.iter().find(|address| !address.contains(':')) {
            return Err(format!("--connect-to {wrong:?}: expected HOST:PORT"));
        }
        match (self.connect_to.as_slice(), hosts) {
            ([], _) | (_, None) => Ok(Vec::new()),
            ([one], Some(_)) => Ok(vec![(String::new(), one.clone())]),
            ([first, second], Some((http, realtime))) => {
                Ok(vec![(http.authority().into(), first.clone()), (realtime.authority().into(), second.clone())])
            }
            (_, Some(_)) => Err("--connect-to is given at most twice".into()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CarrierChoice {
    /// A token of Sec-WebSocket-Protocol; the default for Events.
    Subprotocol,
    /// The query of the URL; the default for GraphQL, not read by Events endpoints.
    Query,
    /// Header fields of the upgrade.
    Headers,
}

/// One mode is chosen: by an option, else by a variable of the environment.
#[derive(Args, Clone)]
pub(super) struct CredentialOptions {
    /// API key. Safer in SYNCSPEC_API_KEY: arguments show in process lists.
    #[arg(long, value_name = "KEY", conflicts_with_all = ["token", "iam"], help_heading = "Credentials")]
    pub(super) api_key: Option<String>,
    /// JWT (Cognito, OIDC) or token of a Lambda authorizer. Safer in SYNCSPEC_TOKEN.
    #[arg(long, value_name = "TOKEN", conflicts_with = "iam", help_heading = "Credentials")]
    pub(super) token: Option<String>,
    /// Sign with AWS keys: those of AWS_ACCESS_KEY_ID and so on, else those of a profile in ~/.aws.
    #[arg(long, help_heading = "Credentials")]
    pub(super) iam: bool,
    /// The profile whose keys sign.
    #[arg(long, value_name = "NAME", requires = "iam", help_heading = "Credentials")]
    pub(super) profile: Option<String>,
    /// Region of the API, where neither its host nor the environment tells.
    #[arg(long, value_name = "REGION", requires = "iam", help_heading = "Credentials")]
    pub(super) region: Option<String>,
    /// How the upgrade carries the credentials.
    #[arg(long, value_enum, help_heading = "Credentials")]
    pub(super) carrier: Option<CarrierChoice>,
}

/// Who speaks, and what must not be printed.
pub(super) struct Speaker {
    pub(super) source: Arc<dyn CredentialSource>,
    pub(super) redactor: Redactor,
}

impl CredentialOptions {
    /// The credentials for this endpoint.
    pub(super) fn speaker(&self, place: &Place) -> Result<Speaker, String> {
        let secret = self.secret(&place.auth_host)?;
        let mut redactor = Redactor::default();
        match &secret {
            Secret::ApiKey(key) => drop(redactor.add("key", key)),
            Secret::Token(token) => drop(redactor.add("token", token)),
            Secret::Iam(keys) => {
                redactor.add("secret access key", &keys.secret_access_key);
                if let Some(token) = &keys.session_token {
                    redactor.add("session token", token);
                }
            }
        }
        let source = Arc::new(Holder { secret, dialect: place.dialect, host: place.auth_host.clone() });
        Ok(Speaker { source, redactor })
    }

    fn secret(&self, host: &str) -> Result<Secret, String> {
        if self.iam {
            let region = self.region.clone().or_else(|| region_of(host).map(Into::into));
            let keys = AwsKeys::from_environment(self.profile.as_deref(), region.as_deref());
            return keys.map(Secret::Iam).map_err(|error| format!("--iam: {error}"));
        }
        match (self.api_key.clone(), self.token.clone()) {
            (Some(key), _) => return Ok(Secret::ApiKey(key)),
            (None, Some(token)) => return Ok(Secret::Token(token)),
            (None, None) => {}
        }
        match (variable("SYNCSPEC_API_KEY"), variable("SYNCSPEC_TOKEN")) {
            (Some(_), Some(_)) => Err("both SYNCSPEC_API_KEY and SYNCSPEC_TOKEN are set; unset one, or give \
                                       --api-key, --token or --iam"
                .into()),
            (Some(key), None) => Ok(Secret::ApiKey(key)),
            (None, Some(token)) => Ok(Secret::Token(token)),
            (None, None) => Err("no credentials; give --api-key, --token or --iam, or set SYNCSPEC_API_KEY or \
                                 SYNCSPEC_TOKEN"
                .into()),
        }
    }

    /// How the upgrade carries them: as asked for, else as clients of the dialect do.
    pub(super) fn carrier(&self, dialect: Dialect) -> Carrier {
        match (self.carrier, dialect) {
            (Some(CarrierChoice::Subprotocol), _) | (None, Dialect::Events) => Carrier::Subprotocol,
            (Some(CarrierChoice::Query), _) | (None, Dialect::Graphql) => Carrier::Query,
            (Some(CarrierChoice::Headers), _) => Carrier::Headers,
        }
    }
}

/// A variable of the environment that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
