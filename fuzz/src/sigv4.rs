//! Signatures: the crate that makes them, and the verifier that is written here.
//!
//! The invariant: what the crate signs, the verifier takes, for any method, path, query, header fields and body over
//! HTTP, and for any body of an operation; with one byte of what is covered changed, it refuses; no bytes in the
//! place of a signature make it panic.

use std::sync::LazyLock;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::RawBuf;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::server::{Asked, Mode};
use appsync_protocol::wire::{Bytes, Headers, Request};
use syncspec::auth::sign::{publish_body, sign_connect, sign_http, sign_operation, subscribe_body};
use syncspec::auth::{AccessKey, Authorizer, AwsKeys, IamSettings, Purpose, Settings, credentials_of};

use crate::draw::Draw;
use crate::reach::Point;

static HTTP: Point = Point::new("sigv4/http");
static OPERATION: Point = Point::new("sigv4/operation");
static BENT: Point = Point::new("sigv4/bent");
static GARBLED: Point = Point::new("sigv4/garbled");
/// Where the oracle speaks.
pub static POINTS: [&Point; 4] = [&HTTP, &OPERATION, &BENT, &GARBLED];

const NOW: u64 = 1_735_786_800;
const HOST: &str = "abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.amazonaws.com";

static KEYS: LazyLock<AwsKeys> = LazyLock::new(|| AwsKeys {
    access_key_id: "AKIDEXAMPLE".into(),
    secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
    session_token: None,
    region: "eu-west-1".into(),
});
static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Settings {
    iam: Some(IamSettings {
        region: KEYS.region.clone(),
        keys: vec![AccessKey {
            access_key_id: KEYS.access_key_id.clone(),
            secret_access_key: KEYS.secret_access_key.clone(),
            session_token: None,
            deny: Vec::new(),
        }],
        max_clock_skew_s: 300,
    }),
    ..Settings::with_api_key("da2-x")
});

fn is_good(purpose: &Purpose<'_>, credentials: &Credentials) -> bool {
    Authorizer::new(&SETTINGS).judge(NOW, purpose, credentials, &[Mode::Iam]).is_ok()
}

/// One input.
pub fn run(input: &[u8]) {
    let mut draw = Draw::new(input);
    match draw.byte() % 4 {
        0 | 1 => http(&mut draw),
        2 => operation(&mut draw),
        _ => garbled(&mut draw),
    }
}

fn http(draw: &mut Draw<'_>) {
    let mut headers = Headers::new().with("host", HOST);
    for _ in 0..draw.below(4) {
        let name = draw.pick(&["accept", "x-a", "X-B", "content-type", "x-amz-meta", "user-agent", "x-a"]);
        let value: String = draw.text().chars().filter(|c| (' '..='~').contains(c)).collect();
        headers.push(name, value);
    }
    let segment = |draw: &mut Draw<'_>| {
        let odd = ["", ".", "..", "a", "b%20c", "~", "%2F", "a=b", "x,y", "'", "(", "*", "%c3%a9", ":", "@", "$"];
        draw.pick(&odd)
    };
    let mut target = String::new();
    for _ in 0..1 + draw.below(4) {
        target.push('/');
        target.push_str(segment(draw));
    }
    for at in 0..draw.below(4) {
        target.push(if at == 0 { '?' } else { '&' });
        let odd =
            ["a", "a=", "a=b", "b=%20", "b=a%2Bb", "c=~", "C=1", "a=%7e", "=", "d=1=2", "e=/", "", "%C3%A9=x", "f=+"];
        target.push_str(draw.pick(&odd));
    }
    let method = draw.pick(&["POST", "GET", "PUT"]).to_owned();
    let dialect = draw.pick(&Dialect::ALL);
    let mut request = Request { method, target, headers, body: Bytes(draw.bytes(64).to_vec()) };
    if sign_http(&KEYS, &mut request, NOW).is_err() {
        return;
    }
    let judged = |request: &Request| {
        let credentials = credentials_of(&request.headers);
        is_good(&Purpose::Http { dialect, request, channel: None }, &credentials)
    };
    HTTP.reached();
    assert!(judged(&request), "{} {} {:?}", request.method, request.target, request.headers.iter().collect::<Vec<_>>());
    let mut bent = request.clone();
    match draw.byte() % 3 {
        0 => bent.body.0.push(b' '),
        1 => bent.target.push_str(if bent.target.contains('?') { "&zz=1" } else { "?zz=1" }),
        _ => bent.method.push('X'),
    }
    BENT.reached();
    assert!(!judged(&bent), "{} {}", bent.method, bent.target);
}

fn operation(draw: &mut Draw<'_>) {
    let (dialect, texts) = (draw.pick(&Dialect::ALL), [draw.text(), draw.text(), draw.text()]);
    let [body, channel, event] = &texts;
    let signed = |dialect, body: &str| sign_operation(&KEYS, dialect, HOST, body, NOW);
    let events = RawBuf::read(serde_json::json!([event]).to_string());
    let events = events.unwrap_or_else(|| panic!("{event:?} is no JSON"));
    let asked = Asked::Publish { channel, namespace: "default", events: events.as_raw() };
    for (purpose, credentials) in [
        (Purpose::Connect(dialect), sign_connect(&KEYS, dialect, HOST, NOW)),
        (Purpose::Operation(Asked::Start { data: body }), signed(Dialect::Graphql, body)),
        (
            Purpose::Operation(Asked::Subscribe { channel, namespace: "default" }),
            signed(Dialect::Events, &subscribe_body(channel)),
        ),
        (Purpose::Operation(asked), signed(Dialect::Events, &publish_body(channel, [event.as_str()]))),
    ] {
        let credentials = credentials.unwrap_or_else(|error| panic!("{error}"));
        OPERATION.reached();
        assert!(is_good(&purpose, &credentials), "{texts:?}");
    }
    let longer = format!("{body}.");
    let credentials = signed(Dialect::Graphql, body).unwrap_or_else(|error| panic!("{error}"));
    BENT.reached();
    assert!(!is_good(&Purpose::Operation(Asked::Start { data: &longer }), &credentials), "{texts:?}");
}

/// A good signature of which one member is something else.
fn garbled(draw: &mut Draw<'_>) {
    let credentials = sign_connect(&KEYS, Dialect::Events, HOST, NOW).unwrap_or_else(|error| panic!("{error}"));
    let at = draw.below(credentials.iter().count());
    let (cut, put) = (draw.below(300), draw.text());
    let bent = credentials.iter().enumerate().fold(Credentials::new(), |bent, (number, (name, value))| {
        if number != at {
            return bent.with(name, value);
        }
        let cut = (0..=cut.min(value.len())).rev().find(|at| value.is_char_boundary(*at)).unwrap_or_default();
        bent.with(name, format!("{}{put}{}", &value[..cut], &value[(cut + put.len()).min(value.len())..]))
    });
    GARBLED.reached();
    let is_changed = bent
        .iter()
        .zip(credentials.iter())
        .any(|((_, one), (_, other))| one.split_whitespace().ne(other.split_whitespace()));
    let is_taken = is_good(&Purpose::Connect(Dialect::Events), &bent);
    let authorization = |of: &Credentials| of.get("authorization").unwrap_or_default().to_owned();
    let is_only_spelling = authorization(&bent) != authorization(&credentials);
    assert!(!is_taken || !is_changed || is_only_spelling, "{at}");
}
