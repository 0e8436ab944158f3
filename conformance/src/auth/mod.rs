//! Who may do what: the credentials of clients, judged for the reference endpoint and made for a client.
//!
//! ```text
//!                  x-api-key                  -> API key            known, not expired
//!   Credentials -- AWS4-HMAC-SHA256 ...       -> sigv4: IAM         signature, clock, permissions
//!                  a JWT of a known issuer    -> token: OIDC, Cognito  signature, issuer, audience, times
//!                  any other token            -> lambda             a table in place of a function
//! ```
//!
//! The mode follows from what is presented, has to be allowed for the purpose, and is then verified (EVT-AUTH-020,
//! EVT-AUTH-019). Every operation is judged by its own credentials, so one connection may mix modes (GQL-AUTH-012,
//! GQL-AUTH-013, EVT-AUTH-016). Nothing here reads a clock: seconds since 1970 come in with each question. Which fields
//! and channels an identity may touch is for the engine and the channels to say; this says who it is.

mod denial;
pub mod example;
mod keyring;
mod keys;
mod lambda;
mod modes;
mod settings;
pub mod sign;
mod sigv4;
mod token;

#[cfg(test)]
mod tests;

pub use denial::Denial;
pub use keyring::{
    Keyring, is_jwt, mode_of, mode_word, near_keys, unsigned, with_another_signature, with_another_subject,
    with_half_a_signature, without_signature, wrong,
};
pub use keys::{AwsKeys, KeysError, region_of};
pub use modes::{AllowedModes, ModeName, NamespaceModes};
pub use settings::{
    AccessKey, Answer, ApiKey, Deny, IamSettings, LambdaSettings, LambdaToken, Settings, SettingsError, TokenProvider,
};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::server::{Asked, Identity, Mode};
use appsync_protocol::wire::{Headers, Request};
use subtle::ConstantTimeEq;

use crate::fault::AuthCheck;
use lambda::Lambda;
use token::Provider;

/// What credentials are presented for.
#[derive(Clone, Copy)]
pub enum Purpose<'a> {
    /// An upgrade.
    Connect(Dialect),
    /// An operation on an open connection.
    Operation(Asked<'a>),
    /// An HTTP request to the endpoint of a dialect.
    Http {
        /// The dialect.
        dialect: Dialect,
        /// The request as it came, which a signature covers (EVT-AUTH-009).
        request: &'a Request,
        /// Channel and namespace of an Events publish, if its body names one.
        channel: Option<(&'a str, &'a str)>,
    },
}

impl Purpose<'_> {
    /// The dialect that is spoken.
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Connect(dialect) | Self::Http { dialect, .. } => *dialect,
            Self::Operation(Asked::Start { .. }) => Dialect::Graphql,
            Self::Operation(Asked::Subscribe { .. } | Asked::Publish { .. }) => Dialect::Events,
        }
    }
}

/// Judges credentials, and remembers what the Lambda authorizer said.
pub struct Authorizer {
    api_keys: Vec<ApiKey>,
    iam: Option<IamSettings>,
    providers: Vec<Provider>,
    lambda: Option<Lambda>,
    checks: Checks,
}

/// Which checks are made: all of them, unless an endpoint is bent on purpose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checks {
    skipped: u32,
}

impl Checks {
    /// The same without one of them.
    #[must_use]
    pub const fn without(self, check: AuthCheck) -> Self {
        Self { skipped: self.skipped | 1 << check as u32 }
    }

    /// Whether a check is made.
    pub const fn makes(self, check: AuthCheck) -> bool {
        self.skipped & (1 << check as u32) == 0
    }
}

impl Authorizer {
    /// An authorizer that knows what the settings say.
    pub fn new(settings: &Settings) -> Self {
        let cognito = settings.cognito.as_ref().map(|provider| Provider::new(Mode::Cognito, provider));
        let oidc = settings.oidc.as_ref().map(|provider| Provider::new(Mode::Oidc, provider));
        Self {
            api_keys: settings.api_keys.clone(),
            iam: settings.iam.clone(),
            providers: cognito.into_iter().chain(oidc).collect(),
            lambda: settings.lambda.as_ref().map(Lambda::new),
            checks: Checks::default(),
        }
    }

    /// The same, with other checks.
    #[must_use]
    pub const fn with_checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// Says who presents these credentials; `allowed` are the modes that are enabled for the purpose.
    ///
    /// # Errors
    /// Why they are not good for it. Nothing of them is in the error but the header that was signed.
    pub fn judge(
        &mut self,
        now_unix_s: u64,
        purpose: &Purpose<'_>,
        presented: &Credentials,
        allowed: &[Mode],
    ) -> Result<Identity, Denial> {
        let enabled = |mode: Mode| if allowed.contains(&mode) { Ok(()) } else { Err(Denial::NotEnabled) };
        // EVT-AUTH-020: a key is looked at before anything else, and the Lambda authorizer is not asked then.
        let key_first = self.checks.makes(AuthCheck::KeyFirst) || presented.get("authorization").is_none();
        if let Some(key) = presented.get("x-api-key").filter(|_| key_first) {
            return enabled(Mode::ApiKey).and_then(|()| self.judge_api_key(now_unix_s, key));
        }
        let authorization = presented.get("authorization").ok_or(Denial::Missing)?.trim();
        if authorization.starts_with(sigv4::ALGORITHM) {
            enabled(Mode::Iam)?;
            let iam = self.iam.as_ref().ok_or(Denial::Unauthorized)?;
            return sigv4::judge(iam, now_unix_s, purpose, presented, authorization, self.checks);
        }
        let token = match self.checks.makes(AuthCheck::TokenScheme) {
            true => token::without_scheme(authorization),
            false => authorization,
        };
        self.judge_token(now_unix_s, purpose, token, allowed)
    }

    /// How often the Lambda authorizer was asked; answers from its cache do not count.
    pub fn authorizer_calls(&self) -> u64 {
        self.lambda.as_ref().map_or(0, Lambda::calls)
    }

    fn judge_api_key(&self, now_unix_s: u64, key: &str) -> Result<Identity, Denial> {
        let dated = self.checks.makes(AuthCheck::KeyDate);
        // GQL-AUTH-024: a key that has expired is as good as none.
        let (whole, cased) = (self.checks.makes(AuthCheck::KeyWhole), self.checks.makes(AuthCheck::KeyCase));
        let fits = |own: &str| {
            is_same(own, key)
                || (!whole && (own.starts_with(key) || own.ends_with(key)))
                || (!cased && own.eq_ignore_ascii_case(key))
        };
        let known = |own: &&ApiKey| fits(&own.key) && own.expires_unix_s.is_none_or(|end| now_unix_s < end || !dated);
        self.api_keys.iter().find(known).map(|_| Identity::default()).ok_or(Denial::Unauthorized)
    }

    /// The providers are told apart by issuer; what is nobody's is the Lambda authorizer's.
    fn judge_token(
        &mut self,
        now_unix_s: u64,
        purpose: &Purpose<'_>,
        token: &str,
        allowed: &[Mode],
    ) -> Result<Identity, Denial> {
        if token.is_empty() {
            // GQL-AUTH-023: an empty token is not a bad request.
            return Err(Denial::Unauthorized);
        }
        let enabled: Vec<Mode> =
            [Mode::Cognito, Mode::Oidc, Mode::Lambda].into_iter().filter(|mode| allowed.contains(mode)).collect();
        if enabled.is_empty() {
            return Err(Denial::NotEnabled);
        }
        let claims = token::claims(token);
        let issued_by = claims.as_ref().and_then(|claims| token::issuer(claims));
        let provider = self.providers.iter().find(|provider| {
            enabled.contains(&provider.mode()) && issued_by.is_some_and(|issuer| provider.is_issuer(issuer))
        });
        if let Some(provider) = provider {
            return provider.judge(now_unix_s, token, self.checks);
        }
        match &mut self.lambda {
            Some(lambda) if enabled.contains(&Mode::Lambda) => lambda.judge(now_unix_s, purpose, token, self.checks),
            Some(_) | None if claims.is_none() => Err(Denial::TokenUnreadable),
            Some(_) | None => Err(Denial::Unauthorized),
        }
    }
}

impl std::fmt::Debug for Authorizer {
    /// Without anything it knows.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorizer").field("authorizer_calls", &self.authorizer_calls()).finish_non_exhaustive()
    }
}

/// Header fields as an authorization object; values of one name are joined, as in a signature.
///
/// Of a key, a token and a host the first counts.
pub fn credentials_of(headers: &Headers) -> Credentials {
    const FIRST: [&str; 3] = ["x-api-key", "authorization", "host"];
    let mut read = Credentials::new();
    for (name, first) in headers.iter() {
        if read.get(name).is_some() {
            continue;
        }
        if FIRST.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            read = read.with(name, first);
            continue;
        }
        let mut all = headers.all(name);
        let first = all.next().map(sigv4::trimmed).unwrap_or_default();
        read = read.with(name, all.fold(first, |joined, value| joined + "," + &sigv4::trimmed(value)));
    }
    read
}

/// Compares two secrets in a time that does not depend on where they differ.
fn is_same(own: &str, presented: &str) -> bool {
    own.as_bytes().ct_eq(presented.as_bytes()).into()
}
