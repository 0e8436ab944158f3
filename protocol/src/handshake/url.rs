//! Which URL a client dials, derived from the HTTP endpoint it was given.
//!
//! | HTTP endpoint                            | GraphQL dials                        | Events dials                         |
//! |------------------------------------------|--------------------------------------|--------------------------------------|
//! | provisioned, `{id}.appsync-api.{region}` | `{id}.appsync-realtime-api.{region}`, same path | that host, path + `/realtime` |
//! | anything else (custom domain, emulator)  | same host, path + `/realtime`        | same host, path + `/realtime`        |
//! | given as `ws:` or `wss:`                 | as it stands                         | as it stands                         |
//!
//! Provisioned is a host of the form `{26 letters or digits}.appsync-api.{region}.amazonaws.com`, with `.cn` in the China
//! partition, on the default port. Emulators that arrange their paths otherwise are given as `ws:` URLs.
//!
//! The invariant: the authorization host follows the HTTP endpoint and never becomes the real-time host (GQL-AUTH-001,
//! EVT-HANDSHAKE-009). Not known here: name resolution, TLS, redirects, queries. A [`Url`] that was parsed is in one
//! spelling (lower-case host, no default port), so that two of them compare as text.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::Ipv6Addr;

use crate::dialect::Dialect;

/// The real-time URL for an endpoint given as text: derived from an HTTP URL, taken as it stands from a WebSocket URL.
///
/// Source: GQL-HANDSHAKE-001 to GQL-HANDSHAKE-003, EVT-HANDSHAKE-001, EVT-HANDSHAKE-014 to EVT-HANDSHAKE-016.
pub fn realtime_url(dialect: Dialect, endpoint: &str) -> Result<Url, UrlError> {
    Endpoint::parse(endpoint)?.realtime(dialect)
}

/// An endpoint as a user gives it: the HTTP one, or the real-time one itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// What is spoken there.
    pub scheme: Scheme,
    /// Where it is.
    pub url: Url,
}

impl Endpoint {
    /// Reads an absolute `http`, `https`, `ws` or `wss` URL.
    ///
    /// Fails on user information, a query or a fragment, and on characters that a host or a path cannot have. An absent
    /// path reads as `/`.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::SchemeMissing)?;
        let (scheme, secure) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Scheme::Http, false),
            "https" => (Scheme::Http, true),
            "ws" => (Scheme::WebSocket, false),
            "wss" => (Scheme::WebSocket, true),
            _ => return Err(UrlError::SchemeUnknown),
        };

        let host_at = text.len() - rest.len();
        let path_at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_at);
        let host = parse_authority(authority, host_at, secure)?;
        let path = parse_path(path, host_at + path_at)?;
        Ok(Self { scheme, url: Url { secure, host, path } })
    }

    /// The URL to dial for real-time messages.
    ///
    /// Fails if an HTTP endpoint has no path to derive from, or is the real-time endpoint already.
    pub fn realtime(&self, dialect: Dialect) -> Result<Url, UrlError> {
        match self.scheme {
            Scheme::Http => derive(dialect, &self.url),
            Scheme::WebSocket => Ok(self.url.clone()),
        }
    }

    /// The value of `host` in authorization objects: the authority of the HTTP endpoint, never the real-time host.
    ///
    /// If only the real-time URL of a provisioned API is known, its HTTP host follows from it.
    /// Source: GQL-AUTH-001, EVT-HANDSHAKE-009.
    pub fn auth_host(&self) -> String {
        match self.scheme {
            Scheme::Http => self.url.host.clone(),
            Scheme::WebSocket => {
                with_label(&self.url.host, REALTIME_LABEL, HTTP_LABEL).unwrap_or_else(|| self.url.host.clone())
            }
        }
    }
}

/// What is spoken at a URL. Whether it is encrypted is said by [`Url::secure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `http` or `https`.
    Http,
    /// `ws` or `wss`.
    WebSocket,
}

impl Scheme {
    /// The scheme as it stands before `://`.
    pub const fn word(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Http, false) => "http",
            (Self::Http, true) => "https",
            (Self::WebSocket, false) => "ws",
            (Self::WebSocket, true) => "wss",
        }
    }
}

/// A place to connect to.
///
/// [`Endpoint::parse`] makes these in one spelling. One that is made by hand is not checked; nothing here panics on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    /// Whether TLS is spoken.
    pub secure: bool,
    /// `host` or `host:port`; an IPv6 address stands in brackets.
    pub host: String,
    /// Absolute path.
    pub path: String,
}

impl Url {
    /// `host` or `host:port`, as the `Host` header wants it.
    pub fn authority(&self) -> &str {
        &self.host
    }

    /// The host without the port. An IPv6 address keeps its brackets.
    pub fn host_name(&self) -> &str {
        split_port(&self.host).0
    }

    /// The port: the one given, else 443 with TLS and 80 without.
    pub fn port(&self) -> u16 {
        split_port(&self.host).1.and_then(|port| port.parse().ok()).unwrap_or(default_port(self.secure))
    }

    /// The URL as text: `wss://api.example.com/graphql/realtime`.
    pub fn to_text(&self, scheme: Scheme) -> String {
        format!("{}://{}{}", scheme.word(self.secure), self.host, self.path)
    }
}

/// Why a text is not an endpoint, or no real-time URL follows from it.
///
/// Never holds text of the URL beyond a single character: a password may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// There is no `://`.
    SchemeMissing,
    /// What stands before `://` is not `http`, `https`, `ws` or `wss`.
    SchemeUnknown,
    /// A user name or password stands before the host.
    UserInfo,
    /// There is no host.
    HostMissing,
    /// The host has a character that it cannot have, or is no IPv6 address in spite of its bracket.
    BadHost {
        /// Byte offset in the text.
        at: usize,
        /// The character there.
        character: char,
    },
    /// The port is not a number from 1 to 65535.
    BadPort {
        /// Byte offset of the port in the text.
        at: usize,
    },
    /// The path has a character that must be percent-encoded.
    BadPath {
        /// Byte offset in the text.
        at: usize,
        /// The character there.
        character: char,
    },
    /// There is a query or a fragment, which an endpoint does not have.
    QueryOrFragment {
        /// Byte offset of the `?` or `#`.
        at: usize,
    },
    /// The HTTP endpoint has no path to derive the real-time path from.
    PathMissing {
        /// The dialect, which says what path to expect.
        dialect: Dialect,
    },
    /// An `http` or `https` URL names the real-time endpoint.
    AlreadyRealtime,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SchemeMissing => f.write_str("endpoint is not an absolute URL; expected https://host/path"),
            Self::SchemeUnknown => f.write_str("endpoint has an unknown scheme; expected http, https, ws or wss"),
            Self::UserInfo => f.write_str("endpoint has user information before the host; expected https://host/path"),
            Self::HostMissing => f.write_str("endpoint has no host; expected https://host/path"),
            Self::BadHost { at, character } => write!(f, "endpoint has {character:?} in its host at offset {at}"),
            Self::BadPort { at } => write!(f, "endpoint has a bad port at offset {at}; expected 1 to 65535"),
            Self::BadPath { at, character } => {
                write!(f, "endpoint has {character:?} in its path at offset {at}; expected it percent-encoded")
            }
            Self::QueryOrFragment { at } => {
                write!(f, "endpoint has a query or a fragment at offset {at}; expected none")
            }
            Self::PathMissing { dialect } => {
                let (path, source) = http_path(*dialect);
                write!(f, "endpoint has no path; expected one that ends in {path} ({source})")
            }
            Self::AlreadyRealtime => f.write_str(
                "endpoint is the real-time one; expected the HTTP one, or ws:// or wss:// to dial it as it stands",
            ),
        }
    }
}

impl core::error::Error for UrlError {}

const HTTP_LABEL: &str = "appsync-api";
const REALTIME_LABEL: &str = "appsync-realtime-api";
const REALTIME_PATH: &str = "/realtime";

fn derive(dialect: Dialect, http: &Url) -> Result<Url, UrlError> {
    let path = http.path.trim_end_matches('/');
    if path.is_empty() {
        return Err(UrlError::PathMissing { dialect });
    }
    if path.ends_with(REALTIME_PATH) || with_label(&http.host, REALTIME_LABEL, HTTP_LABEL).is_some() {
        return Err(UrlError::AlreadyRealtime);
    }

    let provisioned = with_label(&http.host, HTTP_LABEL, REALTIME_LABEL);
    // GQL-HANDSHAKE-001: on the default domain only the host changes. Everywhere else the path says it.
    let below = match (dialect, &provisioned) {
        (Dialect::Graphql, Some(_)) => "",
        (Dialect::Graphql, None) | (Dialect::Events, _) => REALTIME_PATH,
    };
    let host = provisioned.unwrap_or_else(|| http.host.clone());
    Ok(Url { secure: http.secure, host, path: format!("{path}{below}") })
}

/// The same host with another second label, if it is provisioned by AWS under the first of them.
fn with_label(host: &str, from: &str, to: &str) -> Option<String> {
    let (id, rest) = host.split_once('.')?;
    let (label, rest) = rest.split_once('.')?;
    let (region, suffix) = rest.split_once('.')?;
    let provisioned = id.len() == 26
        && id.bytes().all(|b| b.is_ascii_alphanumeric())
        && label == from
        && is_region(region)
        && matches!(suffix, "amazonaws.com" | "amazonaws.com.cn");
    provisioned.then(|| format!("{id}.{to}.{region}.{suffix}"))
}

/// Two letters, one or more words, one digit: `eu-west-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let Some((first, rest)) = text.split_once('-') else { return false };
    let Some((words, digit)) = rest.rsplit_once('-') else { return false };
    first.len() == 2
        && is_word(first)
        && words.split('-').all(is_word)
        && digit.len() == 1
        && digit.bytes().all(|b| b.is_ascii_digit())
}

fn parse_authority(authority: &str, at: usize, secure: bool) -> Result<String, UrlError> {
    if authority.contains('@') {
        return Err(UrlError::UserInfo);
    }
    let (name, port) = split_port(authority);
    if name.is_empty() {
        return Err(UrlError::HostMissing);
    }
    check_host_name(name, at)?;

    let name = name.to_ascii_lowercase();
    match port.map(|port| parse_port(port).ok_or(UrlError::BadPort { at: at + name.len() + 1 })).transpose()? {
        Some(port) if port != default_port(secure) => Ok(format!("{name}:{port}")),
        Some(_) | None => Ok(name),
    }
}

fn check_host_name(name: &str, at: usize) -> Result<(), UrlError> {
    if let Some(inside) = name.strip_prefix('[') {
        let address = inside.strip_suffix(']').and_then(|inside| inside.parse::<Ipv6Addr>().ok());
        return address.map(drop).ok_or(UrlError::BadHost { at, character: '[' });
    }
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    match name.char_indices().find(|(_, c)| !belongs(*c)) {
        Some((offset, character)) => Err(UrlError::BadHost { at: at + offset, character }),
        None => Ok(()),
    }
}

fn parse_path(path: &str, at: usize) -> Result<String, UrlError> {
    match path.char_indices().find(|(_, c)| !c.is_ascii_graphic() || matches!(c, '?' | '#')) {
        Some((offset, '?' | '#')) => Err(UrlError::QueryOrFragment { at: at + offset }),
        Some((offset, character)) => Err(UrlError::BadPath { at: at + offset, character }),
        None if path.is_empty() => Ok("/".to_owned()),
        None => Ok(path.to_owned()),
    }
}

/// Host and port of `host[:port]`; the colons within brackets belong to the host.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let brackets_end = authority.rfind(']').unwrap_or(0);
    match authority.char_indices().find(|&(at, c)| c == ':' && at >= brackets_end) {
        Some((at, _)) => {
            let (name, port) = authority.split_at(at);
            (name, port.strip_prefix(':'))
        }
        None => (authority, None),
    }
}

fn parse_port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|&port| is_number && port != 0)
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

const fn http_path(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::Graphql => ("/graphql", "GQL-HANDSHAKE-002"),
        Dialect::Events => ("/event", "EVT-HANDSHAKE-001"),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    const ID: &str = "abcdefghijklmnopqrstuvwxyz";

    #[test]
    fn on_the_default_domain_graphql_changes_the_host_and_keeps_the_path() {
        let dialled = dial(Dialect::Graphql, &format!("https://{ID}.appsync-api.us-gov-west-1.amazonaws.com/graphql"));

        assert_eq!(dialled, format!("wss://{ID}.appsync-realtime-api.us-gov-west-1.amazonaws.com/graphql"));
    }

    #[test]
    fn on_the_default_domain_events_changes_the_host_and_appends_realtime() {
        let dialled = dial(Dialect::Events, &format!("https://{ID}.appsync-api.eu-west-1.amazonaws.com/event"));

        assert_eq!(dialled, format!("wss://{ID}.appsync-realtime-api.eu-west-1.amazonaws.com/event/realtime"));
    }

    #[test]
    fn the_china_partition_is_derived_like_the_default_domain() {
        let http = format!("https://{ID}.appsync-api.cn-north-1.amazonaws.com.cn");
        let realtime = format!("wss://{ID}.appsync-realtime-api.cn-north-1.amazonaws.com.cn");

        assert_eq!(dial(Dialect::Graphql, &format!("{http}/graphql")), format!("{realtime}/graphql"));
        assert_eq!(dial(Dialect::Events, &format!("{http}/event")), format!("{realtime}/event/realtime"));
    }

    #[test]
    fn a_custom_domain_keeps_its_host_and_appends_realtime() {
        assert_eq!(dial(Dialect::Graphql, "https://api.example.com/graphql"), "wss://api.example.com/graphql/realtime");
        assert_eq!(dial(Dialect::Events, "https://api.example.com/event/"), "wss://api.example.com/event/realtime");
    }

    #[test]
    fn an_emulator_on_plain_http_is_dialled_without_tls_on_its_port() {
        assert_eq!(dial(Dialect::Graphql, "http://localhost:4000/graphql"), "ws://localhost:4000/graphql/realtime");
        assert_eq!(dial(Dialect::Events, "HTTP://[::1]:4566/x/event"), "ws://[::1]:4566/x/event/realtime");
    }

    #[test]
    fn a_websocket_url_is_dialled_as_it_stands() {
        for dialect in Dialect::ALL {
            assert_eq!(dial(dialect, "ws://127.0.0.1:9/any"), "ws://127.0.0.1:9/any");
            assert_eq!(dial(dialect, "wss://example.com"), "wss://example.com/");
        }
    }

    #[test]
    fn a_host_that_only_resembles_the_provisioned_form_is_a_custom_domain() {
        for host in [
            "abcdefghijklmnopqrstuvwxy.appsync-api.eu-west-1.amazonaws.com",
            "abcdefghijklmnopqrstuvwxy-.appsync-api.eu-west-1.amazonaws.com",
            "abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west.amazonaws.com",
            "abcdefghijklmnopqrstuvwxyz.appsync-api.eu--1.amazonaws.com",
            "abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-x.amazonaws.com",
            "abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-10.amazonaws.com",
            "abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.amazonaws.com.example.org",
            "abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.vpce.amazonaws.com",
            "abcdefghijklmnopqrstuvwxyz.appsync-api.localhost.localstack.cloud:4566",
            "x.abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.amazonaws.com",
        ] {
            let dialled = dial(Dialect::Graphql, &format!("https://{host}/graphql"));

            assert_eq!(dialled, format!("wss://{host}/graphql/realtime"));
        }
    }

    #[test]
    fn the_authorization_host_is_never_the_real_time_host() {
        let http = format!("{ID}.appsync-api.eu-west-1.amazonaws.com");
        let realtime = format!("{ID}.appsync-realtime-api.eu-west-1.amazonaws.com");
        for (endpoint, expected) in [
            (format!("https://{http}/graphql"), http.as_str()),
            (format!("wss://{realtime}/graphql"), http.as_str()),
            ("https://API.example.com:8443/graphql".into(), "api.example.com:8443"),
            ("ws://localhost:4000/x".into(), "localhost:4000"),
        ] {
            assert_eq!(Endpoint::parse(&endpoint).unwrap().auth_host(), expected);
        }
    }

    #[test]
    fn a_default_port_is_not_spelled_out() {
        assert_eq!(dial(Dialect::Events, "https://example.com:0443/event"), "wss://example.com/event/realtime");
        assert_eq!(dial(Dialect::Events, "http://example.com:443/event"), "ws://example.com:443/event/realtime");
    }

    #[test]
    fn a_url_knows_its_host_name_and_port() {
        for (text, host_name, port) in [
            ("https://example.com/a", "example.com", 443),
            ("ws://example.com", "example.com", 80),
            ("wss://example.com:65535/a", "example.com", 65535),
            ("ws://[2001:DB8::1]:81/", "[2001:db8::1]", 81),
            ("wss://[::1]", "[::1]", 443),
        ] {
            let url = Endpoint::parse(text).unwrap().url;

            assert_eq!((url.host_name(), url.port()), (host_name, port), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_endpoint_is_refused_by_name_and_place() {
        for (text, error) in [
            ("", UrlError::SchemeMissing),
            ("example.com/graphql", UrlError::SchemeMissing),
            ("ftp://example.com", UrlError::SchemeUnknown),
            ("https://user:secret@example.com/", UrlError::UserInfo),
            ("https://", UrlError::HostMissing),
            ("https:///graphql", UrlError::HostMissing),
            ("https://:80/", UrlError::HostMissing),
            ("https://a b/", UrlError::BadHost { at: 9, character: ' ' }),
            ("https://bücher.example/", UrlError::BadHost { at: 9, character: 'ü' }),
            ("https://[::1/", UrlError::BadHost { at: 8, character: '[' }),
            ("https://[localhost]/", UrlError::BadHost { at: 8, character: '[' }),
            ("https://[::1]x/", UrlError::BadHost { at: 8, character: '[' }),
            ("https://example.com:/", UrlError::BadPort { at: 20 }),
            ("https://example.com:0/", UrlError::BadPort { at: 20 }),
            ("https://example.com:+80/", UrlError::BadPort { at: 20 }),
            ("https://example.com:65536/", UrlError::BadPort { at: 20 }),
            ("https://example.com:80:80/", UrlError::BadPort { at: 20 }),
            ("https://example.com/a b", UrlError::BadPath { at: 21, character: ' ' }),
            ("https://example.com/a\r\nHost:", UrlError::BadPath { at: 21, character: '\r' }),
            ("https://example.com/a?b", UrlError::QueryOrFragment { at: 21 }),
            ("https://example.com#b", UrlError::QueryOrFragment { at: 19 }),
        ] {
            let refused = Endpoint::parse(text).unwrap_err();

            assert_eq!(refused, error, "{text}");
            assert!(!refused.to_string().contains("secret"));
        }
    }

    #[test]
    fn no_real_time_url_follows_from_an_endpoint_without_a_path() {
        let error = realtime_url(Dialect::Events, "https://example.com").unwrap_err();

        assert_eq!(error, UrlError::PathMissing { dialect: Dialect::Events });
        assert_eq!(error.to_string(), "endpoint has no path; expected one that ends in /event (EVT-HANDSHAKE-001)");
    }

    #[test]
    fn a_real_time_endpoint_is_not_derived_from_a_second_time() {
        for text in [
            "https://example.com/graphql/realtime".into(),
            format!("https://{ID}.appsync-realtime-api.eu-west-1.amazonaws.com/graphql"),
        ] {
            assert_eq!(realtime_url(Dialect::Graphql, &text), Err(UrlError::AlreadyRealtime));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}(://)?.{0,20}[:\\[\\]]?.{0,6}") {
            if let Ok(endpoint) = Endpoint::parse(&text) {
                let printed = endpoint.url.to_text(endpoint.scheme);
                prop_assert_eq!(Endpoint::parse(&printed), Ok(endpoint));
            }
        }

        #[test]
        fn a_printed_url_reads_back_as_itself(
            scheme in prop_oneof![Just("http"), Just("https"), Just("ws"), Just("wss")],
            host in prop_oneof!["[A-Za-z0-9._-]{1,12}", Just("[::1]".into()), Just("[2001:DB8::7]".into())],
            port in proptest::option::of(1u16..),
            path in "(/[!-\"$->@-~]{0,9})?",
        ) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let endpoint = Endpoint::parse(&format!("{scheme}://{host}{port}{path}")).unwrap();

            let printed = endpoint.url.to_text(endpoint.scheme);

            prop_assert_eq!(endpoint.url.host_name(), host.to_ascii_lowercase());
            prop_assert_eq!(Endpoint::parse(&printed), Ok(endpoint));
        }

        #[test]
        fn a_url_made_by_hand_never_panics(secure: bool, host: String, path: String) {
            let url = Url { secure, host, path };
            let _ = (url.host_name(), url.port(), url.to_text(Scheme::Http));
            for dialect in Dialect::ALL {
                let _ = Endpoint { scheme: Scheme::Http, url: url.clone() }.realtime(dialect);
            }
        }
    }

    fn dial(dialect: Dialect, endpoint: &str) -> String {
        realtime_url(dialect, endpoint).unwrap().to_text(Scheme::WebSocket)
    }
}
