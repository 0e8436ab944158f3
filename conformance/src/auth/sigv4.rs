//! AWS Signature Version 4, verified.
//!
//! The server writes down the request that the client says it signed and signs it too. Which header names go in is
//! for the client to say (GQL-AUTH-015, EVT-AUTH-010); `host` and the date have to be among them. Which request it is
//! follows from the purpose:
//!
//! | Purpose            | Request                                                       | Source |
//! |--------------------|---------------------------------------------------------------|--------|
//! | GraphQL connect    | `POST /graphql/connect`, body `{}`                            | GQL-AUTH-007 |
//! | `start`            | `POST /graphql`, body `payload.data` as it is                 | GQL-AUTH-008 |
//! | Events connect     | `POST /event`, body `{}`                                      | EVT-AUTH-006 |
//! | `subscribe`        | `POST /event`, body `{"channel":...}`                         | EVT-AUTH-007 |
//! | `publish`          | `POST /event`, body `{"channel":...,"events":[...]}`          | EVT-AUTH-008 |
//! | HTTP               | the request itself                                            | EVT-AUTH-009 |
//!
//! Bodies of Events are built anew from the parsed message, in the plainest spelling of each string (EVT-AUTH-012). A
//! client that signs the spelling it sends is content too: the text as written, without white space between values,
//! and `\/` in the channel, count as well.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::{Raw, elements, string};
use appsync_protocol::handshake::Credentials;
use appsync_protocol::handshake::base64::{percent_decode, percent_encode};
use appsync_protocol::server::{Asked, Identity, Mode};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::settings::{AccessKey, Deny, IamSettings};
use super::sign::{DOCUMENTED, publish_body, subscribe_body};
use super::{Checks, Denial, Purpose, is_same};
use crate::fault::AuthCheck;

/// Name of the algorithm, with which the header value begins.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Name of the service in the scope of a key (GQL-AUTH-009).
pub(super) const SERVICE: &str = "appsync";

/// The path that a connect signature covers, whatever was dialled.
pub(super) const fn connect_path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Graphql => "/graphql/connect",
        Dialect::Events => "/event",
    }
}

/// The path that the signature of an operation covers.
pub(super) const fn operation_path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Graphql => "/graphql",
        Dialect::Events => "/event",
    }
}

/// Says whose signature it is.
pub(super) fn judge(
    settings: &IamSettings,
    now_unix_s: u64,
    purpose: &Purpose<'_>,
    presented: &Credentials,
    authorization: &str,
    checks: Checks,
) -> Result<Identity, Denial> {
    let claim = Claim::read(authorization, checks)?;
    let date = claim.date(presented)?;
    if checks.makes(AuthCheck::SignatureScope) {
        claim.check_scope(settings, date)?;
    }
    let key = known_key(settings, claim.access_key_id, presented)?;
    if checks.makes(AuthCheck::SignatureDate) {
        check_clock(settings, now_unix_s, date)?;
    }
    if !checks.makes(AuthCheck::SignedHeadersOfClient) && !claim.signs("content-type") {
        return Err(Denial::SignatureIncomplete("'content-type' in 'SignedHeaders'"));
    }
    let request = Signed::of(purpose);
    let looked_up = if checks.makes(AuthCheck::SignedValues) { presented.clone() } else { as_documented(presented) };
    let signing_key = signing_key(&key.secret_access_key, claim.scope);
    let is_good = |body: &[u8]| {
        let canonical = request.canonical(&claim, &looked_up, body, Values::All);
        let to_sign = string_to_sign(date, claim.scope, &canonical);
        is_content_of(&claim, presented, body) && is_signature(&signing_key, &to_sign, claim.signature)
    };
    let looked_at = match purpose {
        Purpose::Connect(_) => AuthCheck::SignatureAtConnect,
        Purpose::Operation(_) => AuthCheck::SignatureOfOperation,
        Purpose::Http { .. } => AuthCheck::SignatureOverHttp,
    };
    if checks.makes(looked_at) && !request.bodies.iter().any(|body| is_good(body)) {
        return Err(request.mismatch(&claim, presented, date));
    }
    if key.deny.iter().any(|deny| is_denied(deny, purpose)) {
        return Err(Denial::Unauthorized);
    }
    let denied_fields = key.deny.iter().filter_map(|deny| match deny {
        Deny::Field(field) => Some(field.clone()),
        Deny::Connect | Deny::Subscribe(_) | Deny::Publish(_) | Deny::Graphql => None,
    });
    Ok(Identity {
        mode: Mode::Iam,
        name: key.access_key_id.clone(),
        groups: Vec::new(),
        denied_fields: denied_fields.collect(),
    })
}

/// The value of an `Authorization` field, taken apart.
struct Claim<'a> {
    access_key_id: &'a str,
    /// `date/region/service/aws4_request`
    scope: &'a str,
    /// Names, in lower case and in the order given.
    signed_headers: &'a str,
    /// Hexadecimal digits.
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn read(authorization: &'a str, checks: Checks) -> Result<Self, Denial> {
        let parameters = authorization.strip_prefix(ALGORITHM).unwrap_or_default();
        let parameter = |name: &str| {
            let mut pairs = parameters.split(',').filter_map(|pair| pair.trim().split_once('='));
            pairs.find(|(own, _)| *own == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        let credential = parameter("Credential").ok_or(Denial::SignatureIncomplete("the 'Credential' parameter"))?;
        let signed_headers =
            parameter("SignedHeaders").ok_or(Denial::SignatureIncomplete("the 'SignedHeaders' parameter"))?;
        let signature = parameter("Signature").ok_or(Denial::SignatureIncomplete("the 'Signature' parameter"))?;
        let (access_key_id, scope) =
            credential.split_once('/').ok_or(Denial::SignatureIncomplete("a scope in 'Credential'"))?;
        let claim = Self { access_key_id, scope, signed_headers, signature };
        // EVT-AUTH-010: without these two a signature could be moved to another API and another day.
        let lacks = |name: &str, check: AuthCheck| !claim.signs(name) && checks.makes(check);
        if lacks("host", AuthCheck::HostSigned) || lacks("x-amz-date", AuthCheck::DateSigned) {
            return Err(Denial::SignatureIncomplete("'host' and 'x-amz-date' in 'SignedHeaders'"));
        }
        Ok(claim)
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.signed_headers.split(';')
    }

    fn signs(&self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }

    fn date<'p>(&self, presented: &'p Credentials) -> Result<&'p str, Denial> {
        let date = presented.get("x-amz-date").map(str::trim);
        date.filter(|date| unix_seconds(date).is_some())
            .ok_or(Denial::SignatureIncomplete("an 'x-amz-date' of the form YYYYMMDDThhmmssZ"))
    }

    fn check_scope(&self, settings: &IamSettings, date: &str) -> Result<(), Denial> {
        let expected = format!("{}/{}/{SERVICE}/aws4_request", &date[..8], settings.region);
        if self.scope == expected {
            return Ok(());
        }
        let why = format!("Credential should be scoped to {expected}; got {}", self.scope);
        Err(Denial::SignatureOutOfPlace(why))
    }
}

/// With the values that the documentation gives for the fields that it names, whatever is presented in them.
fn as_documented(presented: &Credentials) -> Credentials {
    presented.iter().fold(Credentials::new(), |all, (name, value)| {
        let documented = DOCUMENTED.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        all.with(name, documented.map_or(value, |(_, value)| value))
    })
}

fn known_key<'s>(
    settings: &'s IamSettings,
    access_key_id: &str,
    presented: &Credentials,
) -> Result<&'s AccessKey, Denial> {
    // Some clients send an empty token where they have none.
    let token = presented.get("x-amz-security-token").unwrap_or_default();
    let fits = |key: &&AccessKey| {
        key.access_key_id == access_key_id && is_same(key.session_token.as_deref().unwrap_or_default(), token)
    };
    settings.keys.iter().find(fits).ok_or(Denial::Unauthorized)
}

fn check_clock(settings: &IamSettings, now_unix_s: u64, date: &str) -> Result<(), Denial> {
    let signed_at = unix_seconds(date).unwrap_or_default();
    let skew = settings.max_clock_skew_s;
    let why = if signed_at.saturating_add(skew) < now_unix_s {
        "Signature expired"
    } else if now_unix_s.saturating_add(skew) < signed_at {
        "Signature not yet current"
    } else {
        return Ok(());
    };
    let apart = signed_at.abs_diff(now_unix_s);
    Err(Denial::SignatureOutOfPlace(format!("{why}: {date} is {apart} s from now, more than {skew} s")))
}

/// Seconds since 1970 of `YYYYMMDDThhmmssZ` (GQL-AUTH-010, EVT-AUTH-014).
pub(super) fn unix_seconds(date: &str) -> Option<u64> {
    let digits = date.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    if date.len() != 16 || !digits {
        return None;
    }
    let part = |from: usize| &date[from..from + 2];
    let written = format!("{}-{}-{}T{}:{}:{}Z", &date[..4], part(4), part(6), part(9), part(11), part(13));
    let date = humantime::parse_rfc3339(&written).ok()?;
    date.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// Whether a policy says no to this. Which fields a document asks for is for the engine to see.
fn is_denied(deny: &Deny, purpose: &Purpose<'_>) -> bool {
    let concerns = |denied: &Option<String>, name: &str| denied.as_ref().is_none_or(|own| own == name);
    match purpose {
        Purpose::Connect(_) => *deny == Deny::Connect,
        Purpose::Operation(Asked::Start { .. }) | Purpose::Http { dialect: Dialect::Graphql, .. } => {
            *deny == Deny::Graphql
        }
        Purpose::Operation(Asked::Subscribe { namespace, .. }) => {
            matches!(deny, Deny::Subscribe(denied) if concerns(denied, namespace))
        }
        Purpose::Operation(Asked::Publish { namespace, .. })
        | Purpose::Http { dialect: Dialect::Events, channel: Some((_, namespace)), .. } => {
            matches!(deny, Deny::Publish(denied) if concerns(denied, namespace))
        }
        Purpose::Http { dialect: Dialect::Events, channel: None, .. } => *deny == Deny::Publish(None),
    }
}

/// The request that a signature has to cover; several bodies where there are several spellings.
pub(super) struct Signed<'a> {
    method: &'a str,
    target: &'a str,
    bodies: Vec<Cow<'a, [u8]>>,
}

/// Which values a canonical request shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    All,
    /// For the eyes of a person.
    NoSecrets,
}

/// Header fields whose values are secrets.
const SECRET_FIELDS: [&str; 4] = ["x-amz-security-token", "x-api-key", "authorization", "cookie"];

impl<'a> Signed<'a> {
    fn of(purpose: &Purpose<'a>) -> Self {
        let post = |target: &'a str, bodies: Vec<Cow<'a, [u8]>>| Signed { method: "POST", target, bodies };
        let dialect = purpose.dialect();
        match *purpose {
            Purpose::Connect(_) => post(connect_path(dialect), vec![Cow::Borrowed(b"{}")]),
            Purpose::Operation(Asked::Start { data }) => {
                post(operation_path(dialect), vec![Cow::Borrowed(data.as_bytes())])
            }
            Purpose::Operation(Asked::Subscribe { channel, .. }) => {
                let plain = subscribe_body(channel);
                post(operation_path(dialect), spellings(channel, plain.into_bytes(), None))
            }
            Purpose::Operation(Asked::Publish { channel, events, .. }) => {
                let all: Vec<_> = elements(events).into_iter().filter_map(string).collect();
                let plain = publish_body(channel, all.iter().map(|event| &**event));
                post(operation_path(dialect), spellings(channel, plain.into_bytes(), Some(events)))
            }
            Purpose::Http { request, .. } => Signed {
                method: &request.method,
                target: &request.target,
                bodies: vec![Cow::Borrowed(&request.body.0)],
            },
        }
    }

    /// The canonical request of <https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>.
    fn canonical(&self, claim: &Claim<'_>, presented: &Credentials, body: &[u8], values: Values) -> String {
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        let mut text = format!("{}\n{}\n{}\n", self.method, canonical_path(path), canonical_query(query));
        for name in claim.names() {
            let value = match presented.get(name) {
                Some(value) if values == Values::All || !SECRET_FIELDS.contains(&name) => trimmed(value),
                Some(_) => "...".into(),
                None => String::new(),
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}:{value}");
        }
        let _ = write!(text, "\n{}\n{}", claim.signed_headers, hex(&Sha256::digest(body)));
        text
    }

    fn mismatch(&self, claim: &Claim<'_>, presented: &Credentials, date: &str) -> Denial {
        let body = self.bodies.first().map(|body| &**body).unwrap_or_default();
        let canonical = self.canonical(claim, presented, body, Values::All);
        let to_sign = string_to_sign(date, claim.scope, &canonical);
        Denial::SignatureMismatch { canonical: self.canonical(claim, presented, body, Values::NoSecrets), to_sign }
    }
}

/// The body as built anew, and as the client may have written it; without repetition.
fn spellings<'a>(channel: &str, plain: Vec<u8>, events: Option<Raw<'_>>) -> Vec<Cow<'a, [u8]>> {
    let mut all = vec![plain];
    let plain_channel = subscribe_body(channel);
    let escaped_channel = plain_channel.replace('/', "\\/");
    for object in [plain_channel, escaped_channel] {
        let written = match events {
            Some(events) => {
                format!("{},\"events\":{}}}", object.trim_end_matches('}'), without_space(events.get()))
            }
            None => object,
        };
        if !all.contains(&written.as_bytes().to_vec()) {
            all.push(written.into_bytes());
        }
    }
    all.into_iter().map(Cow::Owned).collect()
}

/// JSON without white space between its values; strings stay as they are written.
fn without_space(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let kept = json.chars().filter(|&c| {
        let keeps = in_string || !matches!(c, ' ' | '\t' | '\r' | '\n');
        match c {
            '"' if !is_escaped => in_string = !in_string,
            _ => {}
        }
        is_escaped = in_string && c == '\\' && !is_escaped;
        keeps
    });
    kept.collect()
}

/// A signed hash of the body has to be the hash of this body.
fn is_content_of(claim: &Claim<'_>, presented: &Credentials, body: &[u8]) -> bool {
    const NAME: &str = "x-amz-content-sha256";
    !claim.signs(NAME) || presented.get(NAME).is_some_and(|hash| hash.trim() == hex(&Sha256::digest(body)))
}

/// Without dot segments and empty segments, and percent-encoded once more than it travels.
fn canonical_path(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(percent_encode(other)),
        }
    }
    let is_folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end)) && !segments.is_empty();
    format!("/{}{}", segments.join("/"), if is_folder { "/" } else { "" })
}

/// Parameters in the order of their encoded names and values.
fn canonical_query(query: &str) -> String {
    let read = |text: &str| percent_encode(&percent_decode(&text.replace('+', " ")));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (read(name), read(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Without spaces at the ends, and with one where there are several.
pub(super) fn trimmed(value: &str) -> String {
    let mut trimmed = String::with_capacity(value.len());
    for word in value.split(' ').filter(|word| !word.is_empty()) {
        if !trimmed.is_empty() {
            trimmed.push(' ');
        }
        trimmed.push_str(word);
    }
    trimmed
}

fn string_to_sign(date: &str, scope: &str, canonical: &str) -> String {
    format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)))
}

/// The key for one day, region and service.
fn signing_key(secret: &str, scope: &str) -> Vec<u8> {
    scope
        .split('/')
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| mac(&key, part).finalize().into_bytes().to_vec())
}

/// Compares in a time that does not depend on where the two differ.
fn is_signature(key: &[u8], to_sign: &str, presented: &str) -> bool {
    unhex(presented).is_some_and(|bytes| mac(key, to_sign).verify_slice(&bytes).is_ok())
}

fn mac(key: &[u8], text: &str) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.chain_update(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes of lower-case hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| if let [high, low] = pair { Some(digit(*high)? << 4 | digit(*low)?) } else { None }).collect()
}
