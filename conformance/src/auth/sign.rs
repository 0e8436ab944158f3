//! Credentials of a client, for every mode.
//!
//! API keys and tokens are what they are; a signature covers a request that is never sent: `POST` to the path of the
//! dialect with the body that the operation stands for. The signing itself is the `aws-sigv4` crate's. The time comes
//! in, in seconds since 1970.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::encode::ObjectWriter;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::json::push_json_string;
use appsync_protocol::wire::Request;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use super::AwsKeys;
use super::sigv4::SERVICE;

/// What a client proves itself with.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// An API key.
    ApiKey(String),
    /// A JWT of a user pool or a provider, or a token for a Lambda authorizer.
    Token(String),
    /// AWS keys.
    Iam(AwsKeys),
}

impl fmt::Debug for Secret {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(_) => f.write_str("ApiKey"),
            Self::Token(_) => f.write_str("Token"),
            Self::Iam(keys) => keys.fmt(f),
        }
    }
}

impl Secret {
    /// Credentials of the upgrade; `host` is the authority of the HTTP endpoint (GQL-AUTH-001).
    ///
    /// # Errors
    /// When `host` cannot stand in a header field.
    pub fn connect(&self, dialect: Dialect, host: &str, now_unix_s: u64) -> Result<Credentials, SignError> {
        match self {
            Self::ApiKey(key) => Ok(Credentials::api_key(host, key)),
            Self::Token(token) => Ok(Credentials::token(host, token)),
            Self::Iam(keys) => sign_connect(keys, dialect, host, now_unix_s),
        }
    }

    /// Credentials of one operation; `body` as in [`sign_operation`].
    ///
    /// # Errors
    /// When `host` cannot stand in a header field.
    pub fn operation(
        &self,
        dialect: Dialect,
        host: &str,
        body: &str,
        now_unix_s: u64,
    ) -> Result<Credentials, SignError> {
        match self {
            Self::ApiKey(key) => Ok(Credentials::api_key(host, key)),
            Self::Token(token) => Ok(Credentials::token(host, token)),
            Self::Iam(keys) => sign_operation(keys, dialect, host, body, now_unix_s),
        }
    }

    /// Puts credentials into the header of an HTTP request.
    ///
    /// # Errors
    /// When the request has no `host` or cannot be signed.
    pub fn http(&self, request: &mut Request, now_unix_s: u64) -> Result<(), SignError> {
        match self {
            Self::ApiKey(key) => request.headers.push("x-api-key", key),
            Self::Token(token) => request.headers.push("authorization", token),
            Self::Iam(keys) => sign_http(keys, request, now_unix_s)?,
        }
        Ok(())
    }
}

/// What a signature is made over besides path and body; tests of servers choose other than [`Form::DOCUMENTED`].
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// Name of the service in the scope.
    pub service: &'a str,
    /// Header fields that are signed besides host, date and token.
    pub fields: &'a [(&'a str, &'a str)],
    /// Name of a header field that is presented and not signed.
    pub left_out: Option<&'static str>,
}

impl Form<'static> {
    /// What the documentation signs. Source: GQL-AUTH-006, GQL-AUTH-009.
    pub const DOCUMENTED: Self = Self { service: SERVICE, fields: &DOCUMENTED, left_out: None };
    /// As little as may be signed. Source: GQL-AUTH-015, EVT-AUTH-010.
    pub const MINIMAL: Self = Self { service: SERVICE, fields: &[], left_out: None };
}

/// Signed credentials of an upgrade, in the documented form.
///
/// # Errors
/// When `host` cannot stand in a header field.
pub fn sign_connect(keys: &AwsKeys, dialect: Dialect, host: &str, now_unix_s: u64) -> Result<Credentials, SignError> {
    sign_connect_as(keys, dialect, host, now_unix_s, Form::DOCUMENTED)
}

/// Signed credentials of an operation, in the documented form; `body` as in [`sign_operation_as`].
///
/// # Errors
/// When `host` cannot stand in a header field.
pub fn sign_operation(
    keys: &AwsKeys,
    dialect: Dialect,
    host: &str,
    body: &str,
    now_unix_s: u64,
) -> Result<Credentials, SignError> {
    sign_operation_as(keys, dialect, host, body, now_unix_s, Form::DOCUMENTED)
}

/// Signed credentials of an upgrade. Source: GQL-AUTH-006, GQL-AUTH-007, EVT-AUTH-005, EVT-AUTH-006.
///
/// # Errors
/// When `host` cannot stand in a header field.
pub fn sign_connect_as(
    keys: &AwsKeys,
    dialect: Dialect,
    host: &str,
    now_unix_s: u64,
    form: Form<'_>,
) -> Result<Credentials, SignError> {
    sign_object(keys, super::sigv4::connect_path(dialect), host, "{}", now_unix_s, form)
}

/// Signed credentials of a `start`, `subscribe` or `publish`.
///
/// `body` is `payload.data` of a `start` as it is sent (GQL-AUTH-008), or what [`subscribe_body`] or [`publish_body`]
/// gives (EVT-AUTH-007, EVT-AUTH-008).
///
/// # Errors
/// When `host` cannot stand in a header field.
pub fn sign_operation_as(
    keys: &AwsKeys,
    dialect: Dialect,
    host: &str,
    body: &str,
    now_unix_s: u64,
    form: Form<'_>,
) -> Result<Credentials, SignError> {
    sign_object(keys, super::sigv4::operation_path(dialect), host, body, now_unix_s, form)
}

/// Signs an HTTP request with the header it has, and adds the fields of the signature. Source: EVT-AUTH-009.
///
/// # Errors
/// When the request has no `host` field, or a header value with control characters.
pub fn sign_http(keys: &AwsKeys, request: &mut Request, now_unix_s: u64) -> Result<(), SignError> {
    let host = request.headers.first("host").ok_or(SignError("the request has no host field".into()))?;
    let uri = format!("https://{host}{}", request.target);
    let target = (request.method.as_str(), uri.as_str());
    let fields = signature(keys, target, request.headers.iter(), &request.body.0, now_unix_s, Form::MINIMAL)?;
    for (name, value) in fields {
        request.headers.push(name, value);
    }
    Ok(())
}

/// The text that the signature of a `subscribe` covers. Source: EVT-AUTH-007.
pub fn subscribe_body(channel: &str) -> String {
    let mut body = String::new();
    ObjectWriter::open(&mut body).string("channel", channel).close();
    body
}

/// The text that the signature of a `publish` covers; events are texts of JSON. Source: EVT-AUTH-008.
pub fn publish_body<'a>(channel: &str, events: impl IntoIterator<Item = &'a str>) -> String {
    let mut list = String::from("[");
    for event in events {
        if list.len() > 1 {
            list.push(',');
        }
        push_json_string(&mut list, event);
    }
    list.push(']');
    let mut body = String::new();
    ObjectWriter::open(&mut body).string("channel", channel).text("events", &list).close();
    body
}

/// Why something cannot be signed. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignError(String);

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request cannot be signed: {}", self.0)
    }
}

impl std::error::Error for SignError {}

/// The header that the documentation signs, besides host, date and token.
pub(super) const DOCUMENTED: [(&str, &str); 3] = [
    ("accept", "application/json, text/javascript"),
    ("content-encoding", "amz-1.0"),
    ("content-type", "application/json; charset=UTF-8"),
];

fn sign_object(
    keys: &AwsKeys,
    path: &str,
    host: &str,
    body: &str,
    now_unix_s: u64,
    form: Form<'_>,
) -> Result<Credentials, SignError> {
    let fields = form.fields.iter().copied().chain([("host", host)]);
    let uri = format!("https://{host}{path}");
    let signed = signature(keys, ("POST", &uri), fields.clone(), body.as_bytes(), now_unix_s, form)?;
    let credentials = fields.fold(Credentials::new(), |object, (name, value)| object.with(name, value));
    Ok(signed.into_iter().fold(credentials, |object, (name, value)| {
        // GQL-AUTH-006 writes the names of these two so.
        let name = match name.as_str() {
            "authorization" => "Authorization",
            "x-amz-security-token" => "X-Amz-Security-Token",
            other => other,
        };
        object.with(name, value)
    }))
}

/// The fields that a signature adds to a request; those of the form are among `fields` already.
fn signature<'a>(
    keys: &'a AwsKeys,
    (method, uri): (&'a str, &'a str),
    fields: impl Iterator<Item = (&'a str, &'a str)>,
    body: &'a [u8],
    now_unix_s: u64,
    form: Form<'_>,
) -> Result<Vec<(String, String)>, SignError> {
    let mut settings = SigningSettings::default();
    settings.excluded_headers.get_or_insert_default().extend(form.left_out.map(Cow::Borrowed));
    let identity = aws_credential_types::Credentials::new(
        &keys.access_key_id,
        &keys.secret_access_key,
        keys.session_token.clone(),
        None,
        "syncspec",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&keys.region)
        .name(form.service)
        .time(time_of(now_unix_s))
        .settings(settings)
        .build()
        .map_err(|error| SignError(error.to_string()))?
        .into();
    let request =
        SignableRequest::new(method, uri, fields, SignableBody::Bytes(body)).map_err(|error| because(&error))?;
    let (instructions, _) = sign(request, &params).map_err(|error| because(&error))?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn because(error: &dyn std::error::Error) -> SignError {
    SignError(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

fn time_of(unix_s: u64) -> SystemTime {
    // A date beyond the range of the type is as wrong as the epoch, and it fails at the verifier.
    UNIX_EPOCH.checked_add(Duration::from_secs(unix_s)).unwrap_or(UNIX_EPOCH)
}
