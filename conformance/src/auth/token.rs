//! JSON Web Tokens of OpenID Connect providers and Cognito user pools.
//!
//! The signature is checked by the `jsonwebtoken` crate against keys of the provider that fit the algorithm of the
//! token, so neither `none` nor a public key taken for a secret gets through. The claims are checked here, since the
//! crate would ask the clock.

use appsync_protocol::handshake::base64;
use appsync_protocol::server::{Identity, Mode};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::{Checks, Denial, TokenProvider};
use crate::fault::AuthCheck;

/// Members of the middle part of a token.
pub(super) type Claims = Map<String, Value>;

/// A provider whose keys have been read.
pub(super) struct Provider {
    mode: Mode,
    issuer: String,
    audience: Option<String>,
    groups_claim: Option<String>,
    keys: Vec<NamedKey>,
}

/// Algorithms of providers; HS256 for those that share a secret.
const TAKEN: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384, Algorithm::HS256];

/// Characters of the shortest signature, which is that of HS256.
const SIGNATURE_MIN: usize = 43;

/// A key and its `kid`.
pub(super) type NamedKey = (Option<String>, DecodingKey);

impl Provider {
    pub(super) fn new(mode: Mode, settings: &TokenProvider) -> Self {
        let mut keys = settings.jwks.as_ref().map(usable_keys).unwrap_or_default();
        keys.extend(settings.secret.iter().map(|secret| (None, DecodingKey::from_secret(secret.as_bytes()))));
        let by_default = (mode == Mode::Cognito).then(|| "cognito:groups".to_owned());
        Self {
            mode,
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            groups_claim: settings.groups_claim.clone().or(by_default),
            keys,
        }
    }

    pub(super) const fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether `iss` is that of this provider, with or without a slash at the end.
    pub(super) fn is_issuer(&self, issuer: &str) -> bool {
        self.issuer.trim_end_matches('/') == issuer.trim_end_matches('/')
    }

    pub(super) fn judge(&self, now_unix_s: u64, token: &str, checks: Checks) -> Result<Identity, Denial> {
        let claims = match unverified(token, checks) {
            Some(claims) => claims,
            None => self.verified(token).or_else(|denial| self.half_verified(token, checks).ok_or(denial))?,
        };
        if !text(&claims, "iss").is_some_and(|issuer| self.is_issuer(issuer)) || !self.is_audience(&claims) {
            return Err(Denial::Unauthorized);
        }
        // RFC 7519, 4.1.4 and 4.1.5: not on or after `exp`, not before `nbf`. OpenID Connect requires `exp`.
        let now = now_unix_s as f64;
        match seconds(&claims, "exp") {
            Some(end) if now < end => {}
            Some(_) => return Err(Denial::TokenExpired),
            None => return Err(Denial::Unauthorized),
        }
        if claims.contains_key("nbf") && !seconds(&claims, "nbf").is_some_and(|start| start <= now) {
            return Err(Denial::Unauthorized);
        }
        Ok(Identity {
            mode: self.mode,
            name: text(&claims, "sub").unwrap_or_default().to_owned(),
            groups: self.groups(&claims),
            denied_fields: Vec::new(),
        })
    }

    /// The claims, if one of the keys has signed them.
    fn verified(&self, token: &str) -> Result<Claims, Denial> {
        // An algorithm that nobody knows, `none` among them, does not even make a header.
        let header = decode_header(token).map_err(|_| Denial::TokenUnreadable)?;
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let fits = |(kid, key): &&NamedKey| {
            let is_named = header.kid.is_none() || kid.is_none() || *kid == header.kid;
            is_named && TAKEN.contains(&header.alg) && key.family() == header.alg.family()
        };
        let mut claims = self.keys.iter().filter(fits).filter_map(|(_, key)| decode(token, key, &validation).ok());
        claims.next().map(|data| data.claims).ok_or(Denial::Unauthorized)
    }

    /// The claims, if a bent endpoint finds the beginning of a good signature enough.
    fn half_verified(&self, token: &str, checks: Checks) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let is_whole = checks.makes(AuthCheck::TokenSignatureEnd);
        // What is cut cannot be checked with a public key, so whatever is shorter than the shortest signature will do.
        (!is_whole && !signed.is_empty() && signature.len() < SIGNATURE_MIN).then(|| claims(token))?
    }

    /// Access tokens of Cognito name the client in `client_id`, some providers in `azp`.
    fn is_audience(&self, claims: &Claims) -> bool {
        let Some(audience) = self.audience.as_deref() else { return true };
        ["aud", "azp", "client_id"].into_iter().filter_map(|name| claims.get(name)).any(|claim| match claim {
            Value::Array(all) => all.iter().any(|one| one.as_str() == Some(audience)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                claim.as_str() == Some(audience)
            }
        })
    }

    fn groups(&self, claims: &Claims) -> Vec<String> {
        let listed = self.groups_claim.as_ref().and_then(|name| claims.get(name)).and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(|group| group.as_str().map(str::to_owned)).collect()
    }
}

/// The claims of a token whose signature a bent endpoint does not look at.
fn unverified(token: &str, checks: Checks) -> Option<Claims> {
    let header = token.split('.').next().and_then(|header| base64::decode(header).ok()).unwrap_or_default();
    let is_unsigned = String::from_utf8_lossy(&header).contains(r#""alg":"none""#);
    let check = if is_unsigned { AuthCheck::TokenAlgorithm } else { AuthCheck::TokenSignature };
    if checks.makes(check) { None } else { claims(token) }
}

/// The token without the scheme that may stand before it (GQL-AUTH-021, EVT-AUTH-003).
pub(super) fn without_scheme(authorization: &str) -> &str {
    match authorization.split_at_checked("bearer".len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && token.starts_with([' ', '\t']) => {
            token.trim()
        }
        Some((scheme, "")) if scheme.eq_ignore_ascii_case("bearer") => "",
        Some(_) | None => authorization,
    }
}

/// What a JWT claims, unchecked; `None` if the token is none.
pub(super) fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let object = |part: &str| serde_json::from_slice::<Claims>(&base64::decode(part).ok()?).ok();
    object(header)?;
    parts.next().is_none().then(|| object(claims))?
}

/// `iss` of unchecked claims, which says whose keys they are to be checked with.
pub(super) fn issuer(claims: &Claims) -> Option<&str> {
    text(claims, "iss")
}

/// The keys of a set that can check a signature.
pub(super) fn usable_keys(set: &JwkSet) -> Vec<NamedKey> {
    let keys = set.keys.iter().filter(|key| key.is_supported());
    keys.filter_map(|key| Some((key.common.key_id.clone(), DecodingKey::from_jwk(key).ok()?))).collect()
}

fn text<'c>(claims: &'c Claims, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

/// A `NumericDate`, which may have a fraction.
fn seconds(claims: &Claims, name: &str) -> Option<f64> {
    claims.get(name).and_then(Value::as_f64)
}
