use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

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
        let request = build(dialect, Carrier::Subprotocol, &Credentials::token("example.com", "~~?>?"), &url(), "k");

        let token = "header-eyJob3N0IjoiZXhhbXBsZS5jb20iLCJBdXRob3JpemF0aW9uIjoifn4_Pj8ifQ";
        assert_eq!(request.subprotocols().collect::<Vec<_>>(), [dialect.subprotocol(), token]);
        assert_eq!(request.target, "/graphql/realtime");
    }
}

#[test]
fn every_upgrade_has_the_fields_of_rfc_6455() {
    for carrier in Carrier::ALL {
        let request = build(Dialect::Events, carrier, &Credentials::api_key("other.example", "da2"), &url(), "a2V5");

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
        for offered in [format!("{word}, header-e30"), format!("header-e30, {word}"), format!("{word},header-e30=")] {
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
        ("/graphql?payload=e30%3D", Headers::new().with("Host", "example.com").with("x-amz-date", "20250102T030405Z")),
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

    assert_eq!(error.to_string(), "upgrade carries authorization whose member \"host\" is not a string (EVT-AUTH-035)");
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
        .prop_flat_map(|members| Just(Vec::from_iter(members)).prop_shuffle())
        .prop_map(|members| members.into_iter().fold(Credentials::new(), |read, (name, value)| read.with(name, value)))
}

/// The dialled authority as host, a key or a token, and other fields in any order and case.
fn credentials_fit_for_fields() -> impl Strategy<Value = Credentials> {
    let secret = prop_oneof![Just("x-api-key"), Just("Authorization"), Just("AUTHORIZATION")];
    let others = vec!["accept", "Content-Encoding", "content-type", "x-amz-date", "X-Amz-Security-Token", "x-amz-foo"];
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
