//! The bodies of the fuzz targets: functions that panic when an invariant is broken.
//!
//! A target under `fuzz_targets/` is one line around a function here, and `tests/replay.rs` runs the stored
//! corpora through the same functions under plain `cargo test`, so that neither can rot.

use std::collections::BTreeMap;

use appsync_protocol::conversation::Conversation;
use appsync_protocol::dialect::{Dialect, decode as decode_message, encode};
use appsync_protocol::envelope::scan;
use appsync_protocol::handshake::{Carrier, Credentials, Endpoint, build, parse};
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{Frame, Side};
use serde_json::value::RawValue;
use syncspec::report::emit::{Language, emit};
use syncspec::report::format::{Format, render};
use syncspec::report::json::to_text;
use syncspec::report::read::{from_bytes, from_text};

/// Any text is a message or says why not; what is read, written and read again has the same meaning; and
/// what is an object by the JSON library is one by the reader, and nothing else.
pub fn decode(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let object = serde_json::from_str::<BTreeMap<String, &RawValue>>(text).is_ok();
    assert_eq!(scan(text).is_ok(), object, "{text:?}");
    for dialect in Dialect::ALL {
        let decoded = decode_message(dialect, text);
        let Ok(decoded) = decoded else { continue };
        let mut written = String::new();
        encode(dialect, &decoded.message, &mut written);
        let again = decode_message(dialect, &written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
        assert_eq!(format!("{:?}", again.message), format!("{:?}", decoded.message));
        let mut twice = String::new();
        encode(dialect, &again.message, &mut twice);
        assert_eq!(twice, written);
    }
}

/// Credentials that are built into an upgrade come out of it again, whatever the carrier; a URL that is read
/// is written and read again as itself.
pub fn handshake(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(endpoint) = Endpoint::parse(text) {
        let written = endpoint.url.to_text(endpoint.scheme);
        let again = Endpoint::parse(&written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
        assert_eq!(again.url, endpoint.url);
        for dialect in Dialect::ALL {
            let _ = endpoint.realtime(dialect);
        }
    }
    let Ok(credentials) = Credentials::from_json(text) else { return };
    let url = appsync_protocol::handshake::Url { secure: true, host: "h".into(), path: "/graphql".into() };
    for (dialect, carrier) in [
        (Dialect::Graphql, Carrier::Query),
        (Dialect::Graphql, Carrier::Subprotocol),
        (Dialect::Events, Carrier::Subprotocol),
    ] {
        let request = build(dialect, carrier, &credentials, &url, "a2V5");
        let presented = parse(dialect, &request).unwrap_or_else(|error| panic!("{dialect} {carrier}: {error}"));
        assert_eq!(presented.credentials.to_json(), credentials.to_json());
    }
}

/// Any frames from either side: no panic, time never goes back, no deadline in the past once time has passed,
/// and every finding is against the side that spoke or kept silent.
///
/// Lines of the input are frames: the first byte picks side, kind and gap, the rest is the text.
pub fn conversation(input: &[u8]) {
    let Some((head, rest)) = input.split_first() else { return };
    let dialect = if head & 1 == 0 { Dialect::Graphql } else { Dialect::Events };
    let mut conversation = Conversation::new(dialect);
    let mut now = Moment::START;
    for line in rest.split(|byte| *byte == b'\n') {
        let Some((how, body)) = line.split_first() else { continue };
        let side = if how & 1 == 0 { Side::Client } else { Side::Server };
        now = now + std::time::Duration::from_millis(u64::from(how >> 4) * 30_000);
        let text = String::from_utf8_lossy(body);
        let frame = match (how >> 1) & 7 {
            5 => Frame::Binary(body),
            6 => Frame::Close { code: None, reason: "" },
            7 => Frame::Ping(body),
            _ => Frame::text(&text),
        };
        let observed = conversation.observe(now, side, frame);
        for finding in &observed.findings {
            assert!(finding.at <= now && !finding.detail.is_empty(), "{finding}");
        }
        conversation.elapse(now);
        assert!(conversation.deadline().is_none_or(|deadline| deadline.at > now), "a deadline in the past");
    }
}

/// Any bytes are a report or say why not; what is read, written and read again is the same; and every form of it can
/// be written, unless it names what this version does not know.
pub fn report(input: &[u8]) {
    let document = match from_bytes(input) {
        Ok(document) => document,
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            return;
        }
    };
    assert_eq!(from_text(&to_text(&document)).as_ref(), Ok(&document));
    for format in Format::ALL {
        let _ = render(&document, format);
    }
    for case in &document.cases {
        for language in [Language::Python, Language::Websocat] {
            let _ = emit(&document, case, language);
        }
    }
}
