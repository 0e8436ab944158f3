//! Who connects, and how the upgrade says so.
//!
//! The authorization object is a flat JSON object of strings. It travels with the upgrade on one of three carriers:
//!
//! | Carrier       | Where                                        | GraphQL | Events                         |
//! |---------------|----------------------------------------------|---------|--------------------------------|
//! | `Query`       | `?header=<base64>&payload=e30%3D`            | read    | not read (EVT-HANDSHAKE-013)   |
//! | `Subprotocol` | `Sec-WebSocket-Protocol: <word>, header-<base64url>` | read | read                      |
//! | `Headers`     | fields of the upgrade itself                 | read    | read (EVT-HANDSHAKE-008)       |
//!
//! With several carriers at once the token counts before the query and the query before the fields. The sources are
//! silent on that (GQL-P-08), so nobody is judged by it. A carrier that is present but unreadable is an error: the next one
//! is not tried.
//!
//! The invariant: `parse(dialect, &build(dialect, carrier, &credentials, ...))` gives back the credentials and the
//! carrier, with the two exceptions that [`Carrier::Headers`] names. Not known here: which members a mode needs and
//! whether they are true. Values are secrets, so `Debug` shows names only.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::ser::{Serialize, Serializer};

use crate::dialect::Dialect;
use crate::handshake::base64;
use crate::handshake::url::Url;
use crate::raw::{Raw, is_object, is_string, readable_members, string};
use crate::wire::{Bytes, Headers, Request};

/// The carriers of connect credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// Query parameters `header` and `payload`, standard base64. GraphQL only; an Events endpoint ignores them.
    ///
    /// Source: GQL-HANDSHAKE-009, GQL-HANDSHAKE-010, EVT-HANDSHAKE-013.
    Query,
    /// Subprotocol token `header-` + base64url without padding, offered after the dialect's own word.
    ///
    /// Source: GQL-HANDSHAKE-011, GQL-HANDSHAKE-012, GQL-HANDSHAKE-026, EVT-HANDSHAKE-005, EVT-HANDSHAKE-006.
    Subprotocol,
    /// Ordinary header fields of the upgrade.
    ///
    /// Two things can get lost. Fields other than credentials and the inputs of a signature do not travel, because they
    /// would mean something else to HTTP. And `host` is the `Host` field of the request, which has to name the dialled
    /// authority (emulators and proxies route by it): an authorization host that differs is not sent, so the server
    /// sees the dialled one in its place.
    ///
    /// Source: GQL-HANDSHAKE-013, EVT-HANDSHAKE-008.
    Headers,
}

impl Carrier {
    /// All, in the order in which [`parse`] looks for them.
    pub const ALL: [Self; 3] = [Self::Subprotocol, Self::Query, Self::Headers];

    /// `query`, `subprotocol` or `headers`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Subprotocol => "subprotocol",
            Self::Headers => "headers",
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The whole upgrade request that a correct client sends to `url`.
///
/// `key` is the value of `Sec-WebSocket-Key`; it is random, so it comes from outside. The values of the credentials are
/// not checked: a line break in one is for the shell to refuse when it writes the header. [`Carrier::Query`] is built for
/// Events too, as some third-party clients do.
/// Source: GQL-HANDSHAKE-005, EVT-HANDSHAKE-003, EVT-HANDSHAKE-019.
pub fn build(dialect: Dialect, carrier: Carrier, credentials: &Credentials, url: &Url, key: &str) -> Request {
    let word = dialect.subprotocol();
    let (target, offered) = match carrier {
        Carrier::Query => (with_query(&url.path, credentials), word.into()),
        Carrier::Subprotocol => {
            let token = base64::encode_url(credentials.to_json().as_bytes());
            (url.path.clone(), format!("{word}, {TOKEN_PREFIX}{token}"))
        }
        Carrier::Headers => (url.path.clone(), word.into()),
    };

    let mut headers = Headers::new()
        .with("Host", url.authority())
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade")
        .with("Sec-WebSocket-Version", "13")
        .with("Sec-WebSocket-Key", key)
        .with("Sec-WebSocket-Protocol", offered);
    match carrier {
        Carrier::Query | Carrier::Subprotocol => {}
        Carrier::Headers => credentials
            .iter()
            .filter(|(name, _)| travels_as_field(name) && !name.eq_ignore_ascii_case("host"))
            .for_each(|(name, value)| headers.push(name, value)),
    }
    Request { method: "GET".into(), target, headers, body: Bytes::default() }
}

/// What an upgrade request presents, read as tolerantly as a server should.
///
/// The first `header-` token counts, then the first query parameter `header`, then header fields; of the query carrier
/// `payload` has to be there, whatever it says (GQL-P-09). Header fields count as credentials if `x-api-key` or
/// `authorization` is among them, since every request has a `host`.
/// Source: GQL-HANDSHAKE-009 to GQL-HANDSHAKE-021, EVT-HANDSHAKE-005 to EVT-HANDSHAKE-013.
pub fn parse(dialect: Dialect, request: &Request) -> Result<Presented, HandshakeError> {
    if let Some(token) = request.subprotocols().find_map(|offered| offered.strip_prefix(TOKEN_PREFIX)) {
        return Ok(Presented { credentials: unpack(token)?, carrier: Carrier::Subprotocol });
    }

    let in_query = match dialect {
        Dialect::Graphql => query_value(request, "header"),
        Dialect::Events => None,
    };
    if let Some(header) = in_query {
        query_value(request, "payload").ok_or(HandshakeError::PayloadMissing)?;
        return Ok(Presented { credentials: unpack(&header)?, carrier: Carrier::Query });
    }

    let fields = request.headers.iter().filter(|(name, _)| travels_as_field(name));
    let credentials = fields.fold(Credentials::new(), |read, (name, value)| read.with(name, value));
    if credentials.get("x-api-key").or(credentials.get("authorization")).is_none() {
        return Err(HandshakeError::Missing);
    }
    Ok(Presented { credentials, carrier: Carrier::Headers })
}

/// The first query parameter of that name, percent-decoded, with `+` kept as `+` (GQL-HANDSHAKE-019).
///
/// A parameter without `=` has the empty value.
pub fn query_value(request: &Request, name: &str) -> Option<String> {
    let mut parameters = request.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    parameters.find(|(n, _)| *n == name).map(|(_, value)| base64::percent_decode(value))
}

/// What [`parse`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The authorization object.
    pub credentials: Credentials,
    /// Where it was.
    pub carrier: Carrier,
}

/// The authorization object: names and values in the order sent.
///
/// Names compare without regard to case (GQL-AUTH-025, EVT-AUTH-015). Serialises as a JSON object, values included.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials(Vec<(String, String)>);

impl Credentials {
    /// No members: `{}`.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// API key mode. Source: GQL-AUTH-002, EVT-AUTH-001.
    pub fn api_key(host: impl Into<String>, key: impl Into<String>) -> Self {
        Self::new().with("host", host).with("x-api-key", key)
    }

    /// Cognito, OIDC and Lambda modes. Source: GQL-AUTH-003 to GQL-AUTH-005, EVT-AUTH-003, EVT-AUTH-004.
    pub fn token(host: impl Into<String>, token: impl Into<String>) -> Self {
        Self::new().with("host", host).with("Authorization", token)
    }

    /// The same with one more member at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The first member of that name, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are no members.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compact JSON, members in order.
    pub fn to_json(&self) -> String {
        // Strings always serialise; there is nothing here that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a JSON object of strings, compact or not. Members nobody knows are kept.
    ///
    /// Of several members with exactly the same name the last value counts, as in most JSON readers.
    /// Source: GQL-HANDSHAKE-018, GQL-AUTH-026, EVT-AUTH-034, EVT-AUTH-035.
    pub fn from_json(text: &str) -> Result<Self, CredentialsError> {
        let whole = Raw::read(text).map_err(|_| CredentialsError::NotJson)?;
        if !is_object(whole) {
            return Err(CredentialsError::NotAnObject);
        }
        // A name or a string that does not decode has an escape that stands for no character.
        let members = readable_members(whole).ok_or(CredentialsError::NotJson)?;

        let mut credentials = Self::new();
        for (name, value) in members {
            let name = name.into_owned();
            if !is_string(value) {
                return Err(CredentialsError::MemberNotAString { name });
            }
            let value = string(value).ok_or(CredentialsError::NotJson)?.into_owned();
            match credentials.0.iter_mut().find(|(n, _)| *n == name) {
                Some((_, earlier)) => *earlier = value,
                None => credentials.0.push((name, value)),
            }
        }
        Ok(credentials)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl Serialize for Credentials {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Why a text is not an authorization object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialsError {
    /// It is not JSON.
    NotJson,
    /// It is JSON, but not an object.
    NotAnObject,
    /// A member is not a string.
    MemberNotAString {
        /// Name of the first such member.
        name: String,
    },
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("authorization is not JSON"),
            Self::NotAnObject => f.write_str("authorization is not a JSON object"),
            Self::MemberNotAString { name } => write!(f, "authorization has member {name:?} that is not a string"),
        }
    }
}

impl core::error::Error for CredentialsError {}

/// Why an upgrade request presents nothing that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeError {
    /// No carrier at all. Source: GQL-HANDSHAKE-020.
    Missing,
    /// The query has `header` but not `payload`. Source: GQL-HANDSHAKE-010.
    PayloadMissing,
    /// The token or query value is not base64. Source: GQL-HANDSHAKE-021, EVT-HANDSHAKE-011.
    NotBase64 {
        /// Byte offset in the token without `header-`, or in the query value after percent-decoding.
        at: usize,
    },
    /// The base64 stands for bytes that are not UTF-8. Source: EVT-HANDSHAKE-011.
    NotUtf8,
    /// The text is not JSON. Source: GQL-HANDSHAKE-021, EVT-HANDSHAKE-011.
    NotJson,
    /// The JSON is not an object. Source: EVT-HANDSHAKE-011.
    NotAnObject,
    /// A member of the object is not a string. Source: EVT-AUTH-035.
    MemberNotAString {
        /// Name of the first such member.
        name: String,
    },
}

impl From<CredentialsError> for HandshakeError {
    fn from(error: CredentialsError) -> Self {
        match error {
            CredentialsError::NotJson => Self::NotJson,
            CredentialsError::NotAnObject => Self::NotAnObject,
            CredentialsError::MemberNotAString { name } => Self::MemberNotAString { name },
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("upgrade carries no authorization (GQL-HANDSHAKE-020, EVT-HANDSHAKE-005)"),
            Self::PayloadMissing => {
                f.write_str("upgrade has query parameter header without payload (GQL-HANDSHAKE-010)")
            }
            Self::NotBase64 { at } => write!(
                f,
                "upgrade carries authorization that is not base64 at offset {at} (GQL-HANDSHAKE-021, EVT-HANDSHAKE-011)"
            ),
            Self::NotUtf8 => f.write_str("upgrade carries authorization that is not UTF-8 (EVT-HANDSHAKE-011)"),
            Self::NotJson => {
                f.write_str("upgrade carries authorization that is not JSON (GQL-HANDSHAKE-021, EVT-HANDSHAKE-011)")
            }
            Self::NotAnObject => {
                f.write_str("upgrade carries authorization that is not a JSON object (EVT-HANDSHAKE-011)")
            }
            Self::MemberNotAString { name } => {
                write!(f, "upgrade carries authorization whose member {name:?} is not a string (EVT-AUTH-035)")
            }
        }
    }
}

impl core::error::Error for HandshakeError {}

/// What a subprotocol token with credentials starts with.
const TOKEN_PREFIX: &str = "header-";

/// Fields of an upgrade that belong to the authorization object: the credentials, and what a signature covers
/// (GQL-AUTH-006, GQL-AUTH-015, EVT-AUTH-010).
fn travels_as_field(name: &str) -> bool {
    const WHOLE: [&str; 6] = ["host", "x-api-key", "authorization", "accept", "content-encoding", "content-type"];
    const PREFIX: &[u8] = b"x-amz-";

    let begins = name.as_bytes().get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    begins || WHOLE.iter().any(|whole| name.eq_ignore_ascii_case(whole))
}

fn with_query(path: &str, credentials: &Credentials) -> String {
    let header = base64::percent_encode(&base64::encode_standard(credentials.to_json().as_bytes()));
    let payload = base64::percent_encode(&base64::encode_standard(b"{}"));
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}header={header}&payload={payload}")
}

fn unpack(text: &str) -> Result<Credentials, HandshakeError> {
    let bytes = base64::decode(text).map_err(|error| HandshakeError::NotBase64 { at: error.at })?;
    let json = String::from_utf8(bytes).map_err(|_| HandshakeError::NotUtf8)?;
    Ok(Credentials::from_json(&json)?)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::handshake::url::realtime_url;

    const PLUS_AND_SLASH: &str = "eyJob3N0IjoiZXhhbXBsZS5jb20iLCJBdXRob3JpemF0aW9uIjoiYX4/fj9+PiJ9";
    const PADDED: &str = "eyJob3N0IjoiZXhhbXBsZS5jb20iLCJBdXRob3JpemF0aW9uIjoifn4/Pj8ifQ==";

    #[test]
    fn the_query_carrier_is_percent_encoded_standard_base64_with_an_empty_payload() {
        let request = build(Dialect::Graphql, Carrier::Query, &Credentials::token("example.com", "~~?>?"), &url(), "k");

        assert_eq!(
            request.target,
            "/graphql/realtime?header=eyJob3N0IjoiZXhhbXBsZS5jb20iLCJBdXRob3JpemF0aW9uIjoifn4%2FPj8ifQ%3D%3D\
             &payload=e30%3D"
        );
        assert_eq!(request.headers.first("sec-websocket-protocol"), Some("graphql-ws"));
        assert_eq!(query_value(&request, "payload").as_deref(), Some("e30="));
    }

    #[test]
    fn a_query_that_the_path_has_already_is_continued() {
        let dialled = Url { path: "/realtime?stage=1".into(), ..url() };

        let request = build(Dialect::Graphql, Carrier::Query, &Credentials::new(), &dialled, "k");

        assert_eq!(request.target, "/realtime?stage=1&header=e30%3D&payload=e30%3D");
    }

    #[test]
    fn the_token_carrier_is_url_safe_and_stands_after_the_dialects_word() {
        for dialect in Dialect::ALL {
            let request =
                build(dialect, Carrier::Subprotocol, &Credentials::token("example.com", "~~?>?"), &url(), "k");

            let token = "header-eyJob3N0IjoiZXhhbXBsZS5jb20iLCJBdXRob3JpemF0aW9uIjoifn4_Pj8ifQ";
            assert_eq!(request.subprotocols().collect::<Vec<_>>(), [dialect.subprotocol(), token]);
            assert_eq!(request.target, "/graphql/realtime");
        }
    }

    #[test]
    fn every_upgrade_has_the_fields_of_rfc_6455() {
        for carrier in Carrier::ALL {
            let request =
                build(Dialect::Events, carrier, &Credentials::api_key("other.example", "da2"), &url(), "a2V5");

            assert_eq!((request.method.as_str(), request.body.0.len()), ("GET", 0));
            for (name, value) in [
                ("host", "example.com:8080"),
                ("upgrade", "websocket"),
                ("connection", "Upgrade"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "a2V5"),
            ] {
                assert_eq!(request.headers.all(name).collect::<Vec<_>>(), [value], "{name}");
            }
        }
    }

    #[test]
    fn header_fields_name_the_dialled_authority_and_carry_no_field_that_means_something_to_http() {
        let credentials = Credentials::api_key("auth.example", "da2").with("Content-Length", "9").with("x-foo", "1");

        let request = build(Dialect::Graphql, Carrier::Headers, &credentials, &url(), "k");
        let presented = parse(Dialect::Graphql, &request).unwrap().credentials;

        assert_eq!(presented.to_json(), r#"{"Host":"example.com:8080","x-api-key":"da2"}"#);
        assert_eq!(request.headers.first("content-length"), None);
    }

    #[test]
    fn a_raw_plus_in_the_query_is_a_plus() {
        let request = get(&format!("/graphql?header={PLUS_AND_SLASH}&payload=e30="), Headers::new());

        let presented = parse(Dialect::Graphql, &request).unwrap();

        assert_eq!(presented.carrier, Carrier::Query);
        assert_eq!(presented.credentials, Credentials::token("example.com", "a~?~?~>"));
    }

    #[test]
    fn raw_padding_and_unknown_parameters_are_tolerated_in_the_query() {
        let request = get(&format!("/graphql?foo&payload=e30=&header={PADDED}&x-foo=1"), Headers::new());

        assert_eq!(parse(Dialect::Graphql, &request).unwrap().credentials, Credentials::token("example.com", "~~?>?"));
    }

    #[test]
    fn pretty_printed_json_is_read_on_every_encoded_carrier() {
        let json = "{\r\n  \"host\" : \"example.com\",\n\t\"x-api-key\": \"da2\"\n}\n";
        let token = format!("graphql-ws, header-{}", base64::encode_url(json.as_bytes()));
        let query = base64::percent_encode(&base64::encode_standard(json.as_bytes()));

        for request in [
            get("/graphql", Headers::new().with("Sec-WebSocket-Protocol", token)),
            get(&format!("/graphql?header={query}&payload=e30%3D"), Headers::new()),
        ] {
            let presented = parse(Dialect::Graphql, &request).unwrap();
            assert_eq!(presented.credentials, Credentials::api_key("example.com", "da2"));
        }
    }

    #[test]
    fn the_token_is_found_on_either_side_of_the_dialects_word() {
        for dialect in Dialect::ALL {
            let word = dialect.subprotocol();
            for offered in [format!("{word}, header-e30"), format!("header-e30, {word}"), format!("{word},header-e30=")]
            {
                let request = get("/", Headers::new().with("sec-websocket-protocol", offered));

                let presented = Presented { credentials: Credentials::new(), carrier: Carrier::Subprotocol };
                assert_eq!(parse(dialect, &request), Ok(presented));
            }
        }
    }

    #[test]
    fn with_several_carriers_the_token_counts_then_the_query_then_the_fields() {
        let packed = |key: &str| base64::encode_url(Credentials::api_key("h", key).to_json().as_bytes());
        let fields = Headers::new().with("x-api-key", "from fields");
        let query = format!("/graphql?header={}&payload=e30", packed("from query"));
        let offered = format!("graphql-ws, header-{}", packed("from token"));
        let all = get(&query, fields.clone().with("Sec-WebSocket-Protocol", offered));
        let two = get(&query, fields.clone());
        let one = get("/graphql", fields);

        let read = [all, two, one].map(|request| {
            let presented = parse(Dialect::Graphql, &request).unwrap();
            (presented.carrier, presented.credentials.get("X-API-KEY").unwrap().to_string())
        });

        assert_eq!(
            read,
            [
                (Carrier::Subprotocol, "from token".into()),
                (Carrier::Query, "from query".into()),
                (Carrier::Headers, "from fields".into())
            ]
        );
    }

    #[test]
    fn an_unreadable_token_is_not_made_up_for_by_another_carrier() {
        let headers = Headers::new().with("Sec-WebSocket-Protocol", "graphql-ws, header-%").with("x-api-key", "da2");

        assert_eq!(parse(Dialect::Graphql, &get("/", headers)), Err(HandshakeError::NotBase64 { at: 0 }));
    }

    #[test]
    fn events_does_not_read_the_query() {
        let request = build(Dialect::Events, Carrier::Query, &Credentials::api_key("h", "da2"), &url(), "k");

        assert_eq!(parse(Dialect::Events, &request), Err(HandshakeError::Missing));
        assert!(parse(Dialect::Graphql, &request).is_ok());
    }

    #[test]
    fn a_request_without_credentials_has_no_carrier() {
        for (target, headers) in [
            ("/graphql", Headers::new()),
            (
                "/graphql?payload=e30%3D",
                Headers::new().with("Host", "example.com").with("x-amz-date", "20250102T030405Z"),
            ),
            ("/graphql?headers=e30%3D&payload=e30%3D", Headers::new().with("Accept", "*/*")),
        ] {
            assert_eq!(parse(Dialect::Graphql, &get(target, headers)), Err(HandshakeError::Missing), "{target}");
        }
    }

    #[test]
    fn a_query_without_payload_is_incomplete() {
        let request = get("/graphql?header=e30%3D", Headers::new());

        assert_eq!(parse(Dialect::Graphql, &request), Err(HandshakeError::PayloadMissing));
    }

    #[test]
    fn each_layer_of_the_packing_has_its_own_error() {
        let member = |name: &str| HandshakeError::MemberNotAString { name: name.into() };
        for (packed, error) in [
            ("%%%".into(), HandshakeError::NotBase64 { at: 0 }),
            ("e30é".into(), HandshakeError::NotBase64 { at: 3 }),
            (base64::encode_url(&[b'{', 0xFF]), HandshakeError::NotUtf8),
            (base64::encode_url(b""), HandshakeError::NotJson),
            (base64::encode_url(b"x"), HandshakeError::NotJson),
            (base64::encode_url(b"{} {}"), HandshakeError::NotJson),
            (base64::encode_url(br#"{"a":"\ud800"}"#), HandshakeError::NotJson),
            (base64::encode_url(br#"{"\ud800":"a"}"#), HandshakeError::NotJson),
            (base64::encode_url(br#" ["host","a"]"#), HandshakeError::NotAnObject),
            (base64::encode_url(b"null"), HandshakeError::NotAnObject),
            (base64::encode_url(br#"{"host":"h","n":1e999,"m":null}"#), member("n")),
            (base64::encode_url(br#"{"o":{"a":"b"}}"#), member("o")),
        ] {
            let headers = Headers::new().with("Sec-WebSocket-Protocol", format!("header-{packed}"));

            assert_eq!(parse(Dialect::Events, &get("/", headers)), Err(error), "{packed}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        let closed = format!("{deep}{}}}", "]".repeat(100_000));

        assert_eq!(Credentials::from_json(&deep), Err(CredentialsError::NotJson));
        assert_eq!(Credentials::from_json(&closed), Err(CredentialsError::MemberNotAString { name: "a".into() }));
    }

    #[test]
    fn members_keep_their_order_and_the_last_of_a_name_counts() {
        let credentials = Credentials::from_json(r#"{"z":"1","a":"2","Z":"3","z":"4"}"#).unwrap();

        assert_eq!(credentials.to_json(), r#"{"z":"4","a":"2","Z":"3"}"#);
        assert_eq!((credentials.get("Z"), credentials.get("b")), (Some("4"), None));
    }

    #[test]
    fn debug_output_shows_names_and_never_values() {
        let presented =
            Presented { credentials: Credentials::api_key("example.com", "da2-secret"), carrier: Carrier::Headers };

        let shown = format!("{presented:?}");

        assert!(shown.contains("x-api-key") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn errors_name_the_rule() {
        let error = HandshakeError::MemberNotAString { name: "host".into() };

        assert_eq!(
            error.to_string(),
            "upgrade carries authorization whose member \"host\" is not a string (EVT-AUTH-035)"
        );
    }

    proptest! {
        #[test]
        fn parsing_gives_back_what_was_built(
            dialect in prop_oneof![Just(Dialect::Graphql), Just(Dialect::Events)],
            carrier in prop_oneof![Just(Carrier::Query), Just(Carrier::Subprotocol)],
            credentials in any_credentials(),
        ) {
            let request = build(dialect, carrier, &credentials, &url(), "k");

            let expected = match (dialect, carrier) {
                (Dialect::Events, Carrier::Query) => Err(HandshakeError::Missing),
                _ => Ok(Presented { credentials, carrier }),
            };
            prop_assert_eq!(parse(dialect, &request), expected);
        }

        #[test]
        fn parsing_gives_back_what_was_built_as_header_fields(
            dialect in prop_oneof![Just(Dialect::Graphql), Just(Dialect::Events)],
            credentials in credentials_fit_for_fields(),
        ) {
            let request = build(dialect, Carrier::Headers, &credentials, &url(), "k");

            prop_assert_eq!(parse(dialect, &request), Ok(Presented { credentials, carrier: Carrier::Headers }));
        }

        #[test]
        fn json_gives_back_what_was_printed(credentials in any_credentials()) {
            prop_assert_eq!(Credentials::from_json(&credentials.to_json()), Ok(credentials));
        }

        #[test]
        fn any_request_is_read_or_refused(
            target: String,
            header in "[ -~é]{0,24}",
            offered in "[ -~é]{0,24}",
            name in "(x-amz-|host|authorization|é)?.{0,4}",
        ) {
            let headers = Headers::new().with("Sec-WebSocket-Protocol", format!("header-{offered}")).with(name, "v");
            for dialect in Dialect::ALL {
                let _ = parse(dialect, &get(&target, headers.clone()));
                let _ = parse(dialect, &get(&format!("/?header={header}&payload"), Headers::new()));
                let _ = Credentials::from_json(&target);
            }
        }
    }

    fn any_credentials() -> impl Strategy<Value = Credentials> {
        proptest::collection::btree_map(any::<String>(), any::<String>(), 0..6)
            .prop_map(|members| Credentials(members.into_iter().collect()))
            .prop_flat_map(|credentials| Just(credentials.0).prop_shuffle().prop_map(Credentials))
    }

    /// The dialled authority as host, a key or a token, and other fields in any order and case.
    fn credentials_fit_for_fields() -> impl Strategy<Value = Credentials> {
        let secret = prop_oneof![Just("x-api-key"), Just("Authorization"), Just("AUTHORIZATION")];
        let others =
            vec!["accept", "Content-Encoding", "content-type", "x-amz-date", "X-Amz-Security-Token", "x-amz-foo"];
        let others = proptest::sample::subsequence(others, 0..=6);
        (secret, others, "[ -~]{0,20}")
            .prop_flat_map(|(secret, mut names, value)| {
                names.push(secret);
                (Just(names).prop_shuffle(), Just(value))
            })
            .prop_map(|(names, value)| {
                let host = Credentials::new().with("Host", url().authority());
                names.into_iter().fold(host, |credentials, name| credentials.with(name, value.as_str()))
            })
    }

    fn url() -> Url {
        realtime_url(Dialect::Graphql, "http://example.com:8080/graphql").unwrap()
    }

    fn get(target: &str, headers: Headers) -> Request {
        Request { method: "GET".into(), target: target.into(), headers, body: Bytes::default() }
    }
}
