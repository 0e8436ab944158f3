//! Where to dial, and what an upgrade says.
//!
//! The invariant: a text is an endpoint exactly if a regular expression says so; what is read is written and read again
//! as itself; the URL to dial follows the table of the documentation; an upgrade of any header fields and any query is
//! read without a panic, and the credentials found are those that another base64 and JSON reader finds at that place.
//!
//! The first line of an input is an endpoint and the target of an upgrade, the others are header fields.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::sync::LazyLock;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Endpoint, Scheme, parse, query_value, select};
use appsync_protocol::wire::{Bytes, Headers, Request};
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use regex::Regex;

use crate::reach::Point;

static ENDPOINT: Point = Point::new("handshake/endpoint");
static NO_ENDPOINT: Point = Point::new("handshake/no-endpoint");
static DIALLED: Point = Point::new("handshake/dialled");
static TOKEN: Point = Point::new("handshake/token");
static QUERY: Point = Point::new("handshake/query");
static FIELDS: Point = Point::new("handshake/fields");
/// Where the oracle speaks.
pub static POINTS: [&Point; 6] = [&ENDPOINT, &NO_ENDPOINT, &DIALLED, &TOKEN, &QUERY, &FIELDS];

static URL: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r"^(?:([Hh][Tt][Tt][Pp]|[Ww][Ss])([Ss]?))://([A-Za-z0-9._-]+|\[[^\]]*\])(?::([0-9]+))?((?:/[!-~]*)?)$")
});
static PROVISIONED: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"^([a-z0-9]{26})\.appsync-(api|realtime-api)\.([a-z0-9]{2}(?:-[a-z0-9]+)+-[0-9])\.(amazonaws\.com(?:\.cn)?)$",
    )
});

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| panic!("{error}"))
}

/// One input.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    endpoint(first);
    let mut headers = Headers::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        headers.push(name, value.trim());
    }
    let request = Request { method: "GET".into(), target: first.into(), headers, body: Bytes::default() };
    for dialect in Dialect::ALL {
        upgrade(dialect, &request);
    }
}

fn endpoint(text: &str) {
    let expected = URL.captures(text).filter(|parts| {
        let part = |at: usize| parts.get(at).map_or("", |part| part.as_str());
        let address = part(3).strip_prefix('[').map(|rest| rest.trim_end_matches(']'));
        let port = part(4).trim_start_matches('0');
        address.is_none_or(|address| address.parse::<Ipv6Addr>().is_ok())
            && !part(5).contains(['?', '#'])
            && (part(4).is_empty() || (1..=5).contains(&port.len()) && port.parse::<u32>().is_ok_and(|p| p < 65536))
    });
    let read = Endpoint::parse(text);
    assert_eq!(read.is_ok(), expected.is_some(), "{text:?}: {read:?}");
    let Ok(read) = read else { return NO_ENDPOINT.reached() };
    ENDPOINT.reached();
    let written = read.url.to_text(read.scheme);
    let again = Endpoint::parse(&written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
    assert_eq!(again, read);
    assert_ne!(read.url.port(), 0);
    for dialect in Dialect::ALL {
        let dialled = read.realtime(dialect).map(|url| url.to_text(Scheme::WebSocket));
        assert_eq!(dialled.ok(), dials(dialect, &read), "{dialect} {text}");
        DIALLED.reached();
    }
}

/// The table of the documentation.
fn dials(dialect: Dialect, endpoint: &Endpoint) -> Option<String> {
    let scheme = if endpoint.url.secure { "wss" } else { "ws" };
    let (host, path) = (&endpoint.url.host, &endpoint.url.path);
    if endpoint.scheme == Scheme::WebSocket {
        return Some(format!("{scheme}://{host}{path}"));
    }
    let path = path.trim_end_matches('/');
    let provisioned = PROVISIONED.captures(host);
    let is_realtime = provisioned.as_ref().is_some_and(|parts| &parts[2] == "realtime-api");
    if path.is_empty() || path.ends_with("/realtime") || is_realtime {
        return None;
    }
    Some(match (provisioned, dialect) {
        (Some(parts), Dialect::Graphql) => {
            format!("{scheme}://{}.appsync-realtime-api.{}.{}{path}", &parts[1], &parts[3], &parts[4])
        }
        (Some(parts), Dialect::Events) => {
            format!("{scheme}://{}.appsync-realtime-api.{}.{}{path}/realtime", &parts[1], &parts[3], &parts[4])
        }
        (None, _) => format!("{scheme}://{host}{path}/realtime"),
    })
}

fn upgrade(dialect: Dialect, request: &Request) {
    let offered: Vec<&str> = request.subprotocols().collect();
    assert_eq!(select(request, dialect).is_some(), offered.contains(&dialect.subprotocol()));
    let presented = parse(dialect, request);
    let token = offered.iter().find_map(|offered| offered.strip_prefix("header-"));
    let query = query_value(request, "header").filter(|_| dialect == Dialect::Graphql);
    let expected = match (token, query) {
        (Some(token), _) => {
            TOKEN.reached();
            Some((Carrier::Subprotocol, unpacked(token)))
        }
        (None, Some(header)) => {
            QUERY.reached();
            let has_payload = query_value(request, "payload").is_some();
            Some((Carrier::Query, unpacked(&header).filter(|_| has_payload)))
        }
        (None, None) => None,
    };
    match expected {
        Some((carrier, Some(members))) => {
            let presented = presented.unwrap_or_else(|error| panic!("{request:?}: {error}"));
            assert_eq!(presented.carrier, carrier);
            let found: BTreeMap<_, _> =
                presented.credentials.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            assert!(found == members, "{:?}", presented.credentials);
        }
        Some((_, None)) => assert!(presented.is_err(), "{presented:?}"),
        None => {
            FIELDS.reached();
            let has = |name: &str| request.headers.first(name);
            let proves = has("x-api-key").or(has("authorization"));
            assert_eq!(presented.is_ok(), proves.is_some());
            if let Ok(presented) = presented {
                assert_eq!(presented.carrier, Carrier::Headers);
                for name in ["x-api-key", "authorization", "host", "x-amz-date"] {
                    assert_eq!(presented.credentials.get(name), has(name), "{name}");
                }
            }
        }
    }
}

/// What another reader makes of packed credentials: an object of strings.
fn unpacked(text: &str) -> Option<BTreeMap<String, String>> {
    const TOLERANT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let one_alphabet = text.replace('-', "+").replace('_', "/");
    // Padding is whole or absent; the library takes a part of it too.
    let bare = one_alphabet.trim_end_matches('=');
    let padding = one_alphabet.len() - bare.len();
    if padding != 0 && padding != (4 - bare.len() % 4) % 4 {
        return None;
    }
    serde_json::from_slice(&Engine::decode(&TOLERANT, bare).ok()?).ok()
}
