//! The authorization object.
//!
//! The invariant: a text is an authorization object exactly if the JSON library reads an object of strings from it, with
//! the same members, the last of several with one name (every one a string); what is built into an upgrade comes out of it again, by each
//! carrier that holds all of it; and nothing but names shows where it is printed for people.

use std::collections::BTreeMap;

use crate::draw::Draw;
use crate::reach::Point;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials, Url, build, parse};

static READ: Point = Point::new("credentials/read");
static REFUSED: Point = Point::new("credentials/refused");
static CARRIED: Point = Point::new("credentials/carried");
/// Where the oracle speaks.
pub static POINTS: [&Point; 3] = [&READ, &REFUSED, &CARRIED];

/// One input: the text of an object, or bytes to draw the members from.
pub fn run(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else { return };
    if *how != b'#' {
        let Ok(text) = std::str::from_utf8(input) else { return };
        return from_text(text);
    }
    let mut draw = Draw::new(rest);
    let mut credentials = Credentials::new();
    while !draw.is_over() {
        let name = draw.text();
        // A name that stands twice is read once.
        if credentials.iter().all(|(own, _)| own != name) {
            credentials = credentials.with(name, draw.text());
        }
    }
    carried(&credentials);
}

fn from_text(text: &str) {
    let library = serde_json::from_str::<BTreeMap<String, String>>(text).ok();
    let read = Credentials::from_json(text);
    assert_eq!(read.is_ok(), library.is_some(), "{text:?}: {read:?}");
    let (Ok(read), Some(library)) = (read, library) else { return REFUSED.reached() };
    READ.reached();
    assert_eq!(read.iter().count(), library.len(), "{text}");
    for (name, value) in read.iter() {
        assert_eq!(library[name], value, "{name} of {text}");
    }
    let names: Vec<&str> = read.iter().map(|(name, _)| name).collect();
    assert_eq!(format!("{read:?}"), format!("{names:?}"));
    carried(&read);
}

fn carried(credentials: &Credentials) {
    let url = Url { secure: true, host: "h".into(), path: "/graphql".into() };
    for (dialect, carrier) in [
        (Dialect::Graphql, Carrier::Query),
        (Dialect::Graphql, Carrier::Subprotocol),
        (Dialect::Events, Carrier::Subprotocol),
    ] {
        let request = build(dialect, carrier, credentials, &url, "a2V5");
        let presented = parse(dialect, &request).unwrap_or_else(|error| panic!("{dialect} {carrier}: {error}"));
        CARRIED.reached();
        assert_eq!(presented.carrier, carrier);
        assert!(presented.credentials == *credentials, "{:?}, {credentials:?}", presented.credentials);
        assert!(request.target.is_ascii() && !request.target.contains([' ', '\r', '\n']), "{}", request.target);
    }
}
