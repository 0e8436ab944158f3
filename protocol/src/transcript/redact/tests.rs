use alloc::string::ToString;

use proptest::prelude::*;

use super::*;
use crate::dialect::Dialect;
use crate::handshake::base64::{encode_standard, encode_url, percent_encode};
use crate::handshake::{Carrier, Credentials, Endpoint, build};
use crate::json::push_json_string;
use crate::moment::Moment;
use crate::transcript::draw;
use crate::wire::Side;

fn escaped(text: &str) -> String {
    let mut quoted = String::new();
    push_json_string(&mut quoted, text);
    quoted[1..quoted.len() - 1].to_string()
}

/// Every UTF-16 unit as an escape, as the most careful of writers does it.
fn all_escaped(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn with_all_slashes_escaped(text: &str) -> String {
    escaped(text).replace('/', "\\/")
}

fn in_lower_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |out, part| format!("{out}%{}{}", part[..2].to_ascii_lowercase(), &part[2..]))
}

/// Each way in which a text travels.
fn spellings(text: &str) -> Vec<String> {
    let json = format!(r#"{{"host":"h","x":"{}"}}"#, escaped(text));
    let bare = [
        text.to_string(),
        escaped(text),
        escaped(&escaped(text)),
        escaped(&escaped(&escaped(text))),
        with_all_slashes_escaped(text),
        all_escaped(text),
        escaped(&all_escaped(text)),
        percent_encode(text),
        in_lower_hex(&percent_encode(text)),
        percent_encode(&escaped(text)),
    ];
    let packed = [
        encode_standard(json.as_bytes()),
        encode_url(json.as_bytes()),
        percent_encode(&encode_standard(json.as_bytes())),
        encode_standard(json.as_bytes()).replace('/', "\\/"),
        encode_standard(text.as_bytes()),
        encode_url(format!("a{text}z").as_bytes()),
        encode_url(format!("ab{text}").as_bytes()),
    ];
    bare.into_iter().chain(packed).collect()
}

/// What of a base64 text does not depend on what stands around the secret, for each alignment.
fn cores(secret: &str) -> Vec<String> {
    (0..3)
        .map(|before| {
            let packed = encode_url(&[&[0; 2][..before], secret.as_bytes()].concat());
            let bits = before * 8;
            let (start, end) = (bits.div_ceil(6), (bits + secret.len() * 8) / 6);
            packed[start..end].to_string()
        })
        .collect()
}

fn holds(text: &str, secret: &str) -> bool {
    let plain = [secret.to_string(), escaped(secret), escaped(&escaped(secret)), percent_encode(secret)];
    let url_safe = text.replace("%2B", "-").replace("%2F", "_").replace("\\/", "_").replace('+', "-").replace('/', "_");
    plain.iter().any(|spelling| text.contains(spelling.as_str()))
        || cores(secret).iter().any(|core| url_safe.contains(core.as_str()))
}

proptest! {
    #[test]
    fn a_secret_appears_in_none_of_its_spellings(
        secret in "[ -~é\u{1F600}\n]{8,40}", before in "([a-zA-Z0-9/_=&?\\\\ ]|%20|%2B|%3d){0,6}", after in "[\"&,} =]?",
    ) {
        let redactor = Redactor::new(&[("key", &secret)]);
        for spelling in spellings(&secret) {
            let text = redactor.text(&format!("{before}{spelling}{after}"));

            prop_assert!(!holds(&text, &secret), "{spelling} gave {text}");
            prop_assert!(text.contains("${key:1}") || text.contains(CREDENTIALS), "{spelling} gave {text}");
        }
    }

    #[test]
    fn an_upgrade_by_any_carrier_gives_nothing_away(key in "[!-~]{10,30}", carrier in prop::sample::select(&Carrier::ALL[..])) {
        let url = Endpoint::parse("wss://example.com/graphql").unwrap().url;
        let request = build(Dialect::Graphql, carrier, &Credentials::api_key("example.com", &key), &url, "k");
        let redactor = Redactor::new(&[("key", &key)]);
        let http = What::Http { request: request.clone(), response: Response::new(400, format!("bad key {key}")) };
        let mut transcript = Transcript::new();
        for what in [What::open(&request, &Response::new(101, "")), http] {
            transcript.push(redactor.entry(&Entry { at: Moment::START, connection: 1, what }));
        }

        let (lines, drawn) = (transcript.to_json_lines(), draw(&transcript, None));

        prop_assert!(!holds(&lines, &key) && !holds(&drawn, &key), "{lines}{drawn}");
    }

    #[test]
    fn a_text_without_secrets_stays_as_it_is(text in ".{0,80}", bytes: Vec<u8>) {
        let redactor = Redactor::new(&[("key", "da2-no-such-secret-anywhere")]);

        prop_assert_eq!(redactor.text(&text), text);
        prop_assert_eq!(redactor.bytes(&bytes), bytes);
    }

    #[test]
    fn any_bytes_and_secrets_are_taken(text in "[\\\\%u\"/nD8a0-9=+é]{0,60}", secrets in prop::collection::vec("[\\\\%u\"/nD8a0-9é]{0,4}", 0..3)) {
        let labelled: Vec<_> = secrets.iter().map(|secret| ("s", secret.as_str())).collect();
        let _ = Redactor::new(&labelled).text(&text);
    }
}

#[test]
fn placeholders_bear_label_and_number() {
    let mut redactor = Redactor::new(&[("key", "first-key"), ("key", "second-key"), ("token", "bearer")]);

    assert_eq!(redactor.text("second-key bearer first-key"), "${key:2} ${token:1} ${key:1}");
    assert_eq!(redactor.add("sig:start", "abcdef"), "${sig:start:1}");
    assert_eq!(redactor.add("other", "first-key"), "${key:1}", "known already");
}

#[test]
fn a_secret_within_another_does_not_spoil_it() {
    let redactor = Redactor::new(&[("short", "secret"), ("long", "my-secret-key")]);

    assert_eq!(redactor.text("my-secret-key secret"), "${long:1} ${short:1}");
}

#[test]
fn a_message_stays_json() {
    let redactor = Redactor::new(&[("token", "a\"b\\c")]);
    let data = format!(r#"{{"q":"{}"}}"#, escaped("a\"b\\c"));

    let text = redactor.text(&format!(r#"{{"data":"{}","x":"{}"}}"#, escaped(&data), escaped("a\"b\\c")));

    assert_eq!(text, r#"{"data":"{\"q\":\"${token:1}\"}","x":"${token:1}"}"#);
}

#[test]
fn a_token_is_replaced_whole_and_keeps_its_prefix() {
    let redactor = Redactor::new(&[("key", "da2-secret")]);
    let token = encode_url(br#"{"x-api-key":"da2-secret"}"#);

    assert_eq!(redactor.text(&format!("graphql-ws, header-{token}")), "graphql-ws, header-${credentials}");
    assert_eq!(redactor.text(&format!("?header={token}==&payload=e30=")), "?header=${credentials}&payload=e30=");
}

#[test]
fn credentials_in_an_upgrade_go_without_being_known() {
    assert_eq!(
        without_query_credentials("/a?x=1&HEADER=abc&%70ayload=e30=&y"),
        "/a?x=1&HEADER=${credentials}&%70ayload=${credentials}&y"
    );
    assert_eq!(without_query_credentials("/a"), "/a");
    assert_eq!(without_token("header-???"), "header-${credentials}");
    assert_eq!(without_token("graphql-ws"), "graphql-ws");
}

#[test]
fn every_part_of_an_entry_is_scrubbed() {
    let redactor = Redactor::new(&[("key", "da2-secret")]);
    let from = Side::Client;
    let bytes = || b"da2-secret".to_vec();
    let request = Request {
        method: "GET".into(),
        target: "/a?k=da2-secret".into(),
        headers: Headers::new().with("x-api-key", "da2-secret").with("Sec-WebSocket-Protocol", "a,header-zzz"),
        body: Bytes(bytes()),
    };
    let whats = [
        What::Frame { from, frame: OwnedFrame::text("da2-secret") },
        What::Frame { from, frame: OwnedFrame::Binary(bytes()) },
        What::Frame { from, frame: OwnedFrame::Ping(bytes()) },
        What::Frame { from, frame: OwnedFrame::Pong(bytes()) },
        What::Frame { from, frame: OwnedFrame::Close { code: None, reason: "da2-secret".into() } },
        What::Note("da2-secret".into()),
        What::Http { request, response: Response::new(200, "da2-secret") },
    ];
    let mut transcript = Transcript::new();
    for what in whats {
        transcript.push(Entry { at: Moment::START, connection: 1, what });
    }

    let lines = redactor.transcript(&transcript).to_json_lines();

    assert!(!holds(&lines, "da2-secret"), "{lines}");
    assert!(lines.contains("a, header-${credentials}") && !lines.contains("zzz"), "{lines}");
}

#[test]
fn a_text_that_is_made_to_be_slow_is_not() {
    let redactor = Redactor::new(&[("key", "da2-secret"), ("other", "%/\"n")]);
    for piece in ["da2-secret", "%2B", "\\", "\\/", "%5C", "A", "\\u005c"] {
        redactor.text(&piece.repeat(10_000));
    }
}

#[test]
fn debug_output_shows_placeholders_only() {
    assert_eq!(format!("{:?}", Redactor::new(&[("key", "secret")])), r#"["${key:1}"]"#);
}
