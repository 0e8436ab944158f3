//! Signatures: published vectors, what real clients sent, and the signing crate as the other opinion.

use std::sync::LazyLock;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::Raw;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::server::{Asked, Identity, Mode};
use appsync_protocol::wire::{Headers, Request};
use proptest::prelude::*;
use serde_json::Value;

use super::{NOW, example_keys, fixtures, settings};
use crate::auth::sign::{publish_body, sign_connect, sign_http, sign_operation, subscribe_body};
use crate::auth::{Authorizer, AwsKeys, Denial, Purpose, Settings, credentials_of};

const HOST: &str = "abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.amazonaws.com";
const START: &str = "{\"query\":\"subscription OnNote($board: ID) { onNote(board: $board) { id board text } }\",\
                     \"variables\":{\"board\":\"b1\"}}";

#[test]
fn signing_gives_the_published_vectors() {
    let temporary = AwsKeys { session_token: Some("FAKESESSIONTOKEN".into()), ..example_keys() };
    let connect = sign_connect(&example_keys(), Dialect::Graphql, HOST, NOW).unwrap();
    let with_token = sign_connect(&temporary, Dialect::Graphql, HOST, NOW).unwrap();
    let start = sign_operation(&example_keys(), Dialect::Graphql, HOST, START, NOW).unwrap();

    for (credentials, signature) in [
        (&connect, "49a855827d79789b10596deb2a0255aef9140fe9e450d3d88059bfff7d0600ec"),
        (&with_token, "61447cff038aa0391492a1ee9b0264ff1bf70c5bec5bf009a7f6e9f43c413acd"),
        (&start, "270c52dbea7d9412c04ebf3e07ef2274ba7b080169934220572f0da740a2e34b"),
    ] {
        let authorization = credentials.get("authorization").unwrap();
        assert!(authorization.ends_with(&format!("Signature={signature}")), "{authorization}");
    }
    assert_eq!(with_token.get("x-amz-security-token"), Some("FAKESESSIONTOKEN"));
    assert_eq!(start.get("x-amz-date"), Some("20250102T030405Z"));
}

#[test]
fn what_was_signed_is_verified_with_each_purpose() {
    for (purpose, credentials) in each_purpose(&example_keys()) {
        let who = judge(&purpose, &credentials);

        let expected = Identity { mode: Mode::Iam, name: "AKIDEXAMPLE".into(), ..Identity::default() };
        assert_eq!(who, Ok(expected));
    }
}

#[test]
fn a_signature_is_good_for_its_own_purpose_only() {
    let all = each_purpose(&example_keys());
    for (signed, (_, credentials)) in all.iter().enumerate() {
        for (asked, (purpose, _)) in all.iter().enumerate().filter(|(asked, _)| *asked != signed) {
            let denial = judge(purpose, credentials).unwrap_err();

            assert!(matches!(denial, Denial::SignatureMismatch { .. }), "{signed} for {asked}: {denial:?}");
        }
    }
}

#[test]
fn what_aws_amplify_and_gql_sent_is_verified() {
    for recorded in recorded() {
        assert!(recorded.judge(recorded.sent_at, "us-east-1").is_ok(), "{}", recorded.name);
    }
}

#[test]
fn what_aws_amplify_and_gql_sent_is_refused_with_one_byte_changed() {
    for recorded in recorded() {
        for (name, value) in recorded.credentials.iter() {
            let signed = recorded.credentials.get("authorization").unwrap().contains(&name.to_ascii_lowercase());
            if !signed && !name.eq_ignore_ascii_case("authorization") {
                continue;
            }
            for at in (0..value.len()).step_by(7) {
                let mut changed = value.as_bytes().to_vec();
                changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
                let changed = String::from_utf8(changed).unwrap();
                let credentials = recorded.credentials.iter().fold(Credentials::new(), |object, (own, value)| {
                    object.with(own, if own == name { changed.as_str() } else { value })
                });

                let bent = Recorded { credentials, ..recorded.clone() };
                assert!(bent.judge(recorded.sent_at, "us-east-1").is_err(), "{}: {name} at {at}", recorded.name);
            }
        }
        if let Some(body) = &recorded.data {
            let bent = Recorded { data: Some(body.replace("room-1", "room-2")), ..recorded.clone() };
            assert!(bent.judge(recorded.sent_at, "us-east-1").is_err(), "{}: data", recorded.name);
        }
        if recorded.channel.is_some() {
            let bent = Recorded { channel: Some("/default/rooms".into()), ..recorded.clone() };
            assert!(bent.judge(recorded.sent_at, "us-east-1").is_err(), "{}: channel", recorded.name);
        }
        if recorded.events.is_some() {
            let bent = Recorded { events: Some(r#"["{\"n\":9}"]"#.into()), ..recorded.clone() };
            assert!(bent.judge(recorded.sent_at, "us-east-1").is_err(), "{}: events", recorded.name);
        }
    }
}

#[test]
fn what_was_recorded_is_refused_in_another_region() {
    for recorded in recorded() {
        let denial = recorded.judge(recorded.sent_at, "eu-west-1").unwrap_err();

        assert!(matches!(denial, Denial::SignatureOutOfPlace(_)), "{}: {denial:?}", recorded.name);
    }
}

#[test]
fn a_date_is_good_for_five_minutes_either_way() {
    let credentials = sign_connect(&example_keys(), Dialect::Events, HOST, NOW).unwrap();
    let judge_at = |now| authorizer().judge(now, &Purpose::Connect(Dialect::Events), &credentials, &[Mode::Iam]);

    for now in [NOW - 300, NOW, NOW + 300] {
        assert!(judge_at(now).is_ok(), "{now}");
    }
    for (now, why) in [(NOW - 301, "not yet current"), (NOW + 301, "expired")] {
        match judge_at(now) {
            Err(Denial::SignatureOutOfPlace(text)) => assert!(text.contains(why), "{text}"),
            other => panic!("{now}: {other:?}"),
        }
    }
}

#[test]
fn another_pair_of_keys_does_not_sign_for_the_first() {
    let swapped = AwsKeys { secret_access_key: "secret of the second pair".into(), ..example_keys() };
    let unknown = AwsKeys { access_key_id: "AKIDNOBODY".into(), ..example_keys() };
    let purpose = Purpose::Connect(Dialect::Graphql);

    let by_swapped = judge(&purpose, &sign_connect(&swapped, Dialect::Graphql, HOST, NOW).unwrap());
    let by_unknown = judge(&purpose, &sign_connect(&unknown, Dialect::Graphql, HOST, NOW).unwrap());

    assert!(matches!(by_swapped, Err(Denial::SignatureMismatch { .. })), "{by_swapped:?}");
    assert_eq!(by_unknown, Err(Denial::Unauthorized));
}

#[test]
fn temporary_keys_need_their_session_token_and_others_must_not_have_one() {
    let with = |token: Option<&str>, id: &str| {
        let keys = AwsKeys { session_token: token.map(Into::into), access_key_id: id.into(), ..example_keys() };
        judge(&Purpose::Connect(Dialect::Graphql), &sign_connect(&keys, Dialect::Graphql, HOST, NOW).unwrap())
    };

    assert!(with(Some("token of the third pair"), "AKIDTEMPORARY").is_ok());
    assert_eq!(with(None, "AKIDTEMPORARY"), Err(Denial::Unauthorized));
    assert_eq!(with(Some("another token"), "AKIDTEMPORARY"), Err(Denial::Unauthorized));
    assert_eq!(with(Some("another token"), "AKIDEXAMPLE"), Err(Denial::Unauthorized));
}

#[test]
fn an_empty_session_token_is_none() {
    let credentials =
        sign_connect(&example_keys(), Dialect::Graphql, HOST, NOW).unwrap().with("X-Amz-Security-Token", "");

    assert!(judge(&Purpose::Connect(Dialect::Graphql), &credentials).is_ok());
}

#[test]
fn the_signed_headers_are_for_the_client_to_choose_but_host_and_date_are_not() {
    // GQL-AUTH-015, EVT-AUTH-010
    let purpose = Purpose::Operation(Asked::Start { data: START });
    let signed_with = |fields: &[(&str, &str)]| {
        let mut request = post("/graphql", START.as_bytes(), fields);
        sign_http(&example_keys(), &mut request, NOW).unwrap();
        credentials_of(&request.headers)
    };
    let minimal = signed_with(&[]);
    let extended = signed_with(&[("accept", "*/*"), ("x-amz-user-agent", "aws-amplify/6  api/1")]);

    assert!(minimal.get("authorization").unwrap().contains("SignedHeaders=host;x-amz-date,"));
    assert!(judge(&purpose, &minimal).is_ok());
    assert!(judge(&purpose, &extended).is_ok());
    for names in ["host", "x-amz-date", "accept"] {
        let cut = minimal.get("authorization").unwrap().replace("=host;x-amz-date,", &format!("={names},"));
        let date = minimal.get("x-amz-date").unwrap();
        let credentials = Credentials::new().with("authorization", cut).with("host", HOST).with("x-amz-date", date);
        assert!(matches!(judge(&purpose, &credentials), Err(Denial::SignatureIncomplete(_))), "{names}");
    }
}

#[test]
fn a_value_that_lacks_a_part_is_told_which() {
    let date = "20250102T030405Z";
    let scope = "AKIDEXAMPLE/20250102/eu-west-1/appsync/aws4_request";
    let headers = "SignedHeaders=host;x-amz-date";
    for (authorization, date, lacks) in [
        ("AWS4-HMAC-SHA256".to_owned(), date, "Credential"),
        (format!("AWS4-HMAC-SHA256 Credential={scope}"), date, "SignedHeaders"),
        (format!("AWS4-HMAC-SHA256 Credential={scope}, {headers}"), date, "Signature"),
        (format!("AWS4-HMAC-SHA256 Credential={scope}, {headers}, Signature="), date, "Signature"),
        (format!("AWS4-HMAC-SHA256 Credential=AKID, {headers}, Signature=00"), date, "scope"),
        (format!("AWS4-HMAC-SHA256 Credential={scope}, {headers}, Signature=00"), "", "x-amz-date"),
        (format!("AWS4-HMAC-SHA256 Credential={scope}, {headers}, Signature=00"), "2025-01-02T03:04Z", "x-amz-date"),
        (format!("AWS4-HMAC-SHA256 Credential={scope}, {headers}, Signature=00"), "20259902T030405Z", "x-amz-date"),
        (format!("AWS4-HMAC-SHA256 Credential={scope}, {headers}, Signature=00"), "20250102Té030405", "x-amz-date"),
    ] {
        let credentials = Credentials::token(HOST, authorization).with("x-amz-date", date);

        match judge(&Purpose::Connect(Dialect::Graphql), &credentials) {
            Err(Denial::SignatureIncomplete(what)) => assert!(what.contains(lacks), "{what}: {lacks}"),
            other => panic!("{lacks}: {other:?}"),
        }
    }
}

#[test]
fn a_signature_that_is_no_hexadecimal_number_is_a_wrong_one() {
    let good = sign_connect(&example_keys(), Dialect::Graphql, HOST, NOW).unwrap();
    let (front, signature) = good.get("authorization").unwrap().rsplit_once('=').unwrap();
    for wrong in ["zz", "0", &signature[..62], &signature.to_uppercase(), &format!("{signature}00")] {
        let credentials = good.iter().fold(Credentials::new(), |object, (name, value)| match name {
            "Authorization" => object.with(name, format!("{front}={wrong}")),
            _ => object.with(name, value),
        });

        let denial = judge(&Purpose::Connect(Dialect::Graphql), &credentials).unwrap_err();
        assert!(matches!(denial, Denial::SignatureMismatch { .. }), "{denial:?}");
    }
}

#[test]
fn bodies_of_events_are_compared_in_their_plain_spelling_and_as_written() {
    // EVT-AUTH-012: three spellings of one publish. The signature covers the plain one or the written one.
    let plain = publish_body("/default/a", ["{\"t\":\"a/b<é>\"}"]);
    let written = r#"{"channel":"/default/a","events":["{\"t\":\"a\/b\u003cé\u003e\"}"]}"#;
    let escaped = written.replace("/default/a", "\\/default\\/a");
    let other = r#"{"channel":"/default/a","events":["{\"t\":\"a/b(é)\"}"]}"#;
    let events = Raw::read(r#"[ "{\"t\":\"a\/b\u003cé\u003e\"}" ]"#).unwrap();
    let purpose = Purpose::Operation(Asked::Publish { channel: "/default/a", namespace: "default", events });
    let signed = |body: &str| sign_operation(&example_keys(), Dialect::Events, HOST, body, NOW).unwrap();

    for body in [&plain, written, &escaped] {
        assert!(judge(&purpose, &signed(body)).is_ok(), "{body}");
    }
    // EVT-AUTH-008, EVT-AUTH-011: another order of keys, other members, other events.
    let swapped = r#"{"events":["{\"t\":\"a/b<é>\"}"],"channel":"/default/a"}"#;
    let with_id = format!("{},\"id\":\"1\"}}", plain.trim_end_matches('}'));
    for body in [swapped, &with_id, other] {
        assert!(judge(&purpose, &signed(body)).is_err(), "{body}");
    }
}

#[test]
fn a_signed_hash_of_the_body_has_to_be_that_of_the_body() {
    let hash = |body: &str| {
        use sha2::Digest as _;
        sha2::Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let signed = |hash: &str| {
        let mut request = post("/event", br#"{"channel":"/default/a"}"#, &[("x-amz-content-sha256", hash)]);
        sign_http(&example_keys(), &mut request, NOW).unwrap();
        credentials_of(&request.headers)
    };
    let purpose = Purpose::Operation(Asked::Subscribe { channel: "/default/a", namespace: "default" });

    assert!(judge(&purpose, &signed(&hash(&subscribe_body("/default/a")))).is_ok());
    assert!(judge(&purpose, &signed(&hash("{}"))).is_err());
    assert!(judge(&purpose, &signed("UNSIGNED-PAYLOAD")).is_err());
}

#[test]
fn a_mismatch_shows_what_should_have_been_signed_without_secrets() {
    let keys = AwsKeys {
        session_token: Some("token of the third pair".into()),
        access_key_id: "AKIDTEMPORARY".into(),
        ..example_keys()
    };
    let credentials = sign_operation(&keys, Dialect::Graphql, HOST, "{}", NOW).unwrap();

    let denial = judge(&Purpose::Operation(Asked::Start { data: START }), &credentials).unwrap_err();
    let refusal = denial.of_operation();
    let message = refusal.message.unwrap();

    assert_eq!(refusal.error_type.as_deref(), Some("BadRequestException"));
    assert!(message.starts_with("The request signature we calculated does not match"), "{message}");
    assert!(message.contains("POST\n/graphql\n\naccept:application/json, text/javascript\n"), "{message}");
    assert!(message.contains("x-amz-security-token:...\n") && !message.contains("third pair"), "{message}");
    assert!(!format!("{denial:?}").contains("third pair"));
}

#[test]
fn a_policy_denies_what_it_names_and_nothing_else() {
    let purposes = |keys: &AwsKeys| -> Vec<bool> {
        each_purpose(keys).iter().map(|(purpose, credentials)| judge(purpose, credentials).is_ok()).collect()
    };
    let denying = |id: &str| AwsKeys { access_key_id: id.into(), ..example_keys() };

    // GraphQL connect, start, Events connect, subscribe, publish, HTTP of each.
    assert_eq!(purposes(&denying("AKIDNOCONNECT")), [false, true, false, true, true, true, true]);
    assert_eq!(purposes(&denying("AKIDNOGRAPHQL")), [true, false, true, true, true, false, true]);
    assert_eq!(purposes(&denying("AKIDNODEFAULT")), [true, true, true, false, false, true, false]);
    assert_eq!(purposes(&denying("AKIDNOOTHER")), [true, true, true, true, true, true, true]);
    let start = Purpose::Operation(Asked::Start { data: START });
    let by_other = denying("AKIDNOOTHER");
    let credentials = sign_operation(&by_other, Dialect::Graphql, HOST, START, NOW).unwrap();
    assert_eq!(judge(&start, &credentials).unwrap().denied_fields, ["Mutation.addNote"]);
}

proptest! {
    #[test]
    fn the_signing_crate_and_the_verifier_agree_on_any_request(
        path in "(/(|[.]{1,2}|[a-zA-Z0-9._~-]{1,4}|%[0-9A-F]{2}|[a-z:@!$&'()*+,;=]{1,3})){1,5}",
        query in "([?]([a-zA-Z0-9._~+-]{0,4}(=([a-z/?:@+]|%2[0-9A-F]|%C3%A9){0,3})?&?){0,4})?",
        names in proptest::collection::vec("x-[a-c]{1,2}|accept|content-type|x-amz-meta-[a-c]", 0..5),
        values in proptest::collection::vec("[ -~]{0,12}", 5),
        body: Vec<u8>,
        temporary: bool,
        method in "GET|POST|PUT",
    ) {
        let fields: Vec<_> =
            names.iter().zip(&values).map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut request = post(&format!("{path}{query}"), &body, &fields);
        request.method = method;
        let keys = if temporary {
            let session_token = Some("token of the third pair".into());
            AwsKeys { session_token, access_key_id: "AKIDTEMPORARY".into(), ..example_keys() }
        } else {
            example_keys()
        };
        sign_http(&keys, &mut request, NOW).unwrap();
        let judged = |request: &Request| {
            let purpose = Purpose::Http { dialect: Dialect::Graphql, request, channel: None };
            judge(&purpose, &credentials_of(&request.headers))
        };

        prop_assert!(judged(&request).is_ok(), "{}: {:?}", request.target, judged(&request));
        request.body.0.push(b' ');
        prop_assert!(judged(&request).is_err());
    }

    #[test]
    fn no_header_value_upsets_the_verifier(authorization: String, date: String, tail in "[ -~]{0,40}") {
        let claim = format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250102/eu-west-1/appsync/aws4_request{tail}");
        for value in [authorization, claim] {
            let credentials = Credentials::token(HOST, value).with("x-amz-date", date.as_str());
            prop_assert!(judge(&Purpose::Connect(Dialect::Graphql), &credentials).is_err());
        }
    }
}

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let pair = |id: &str, more: &str| {
        let secret = &example_keys().secret_access_key;
        format!("[[iam.keys]]\naccess-key-id = {id:?}\nsecret-access-key = {secret:?}\n{more}\n")
    };
    let text = [
        "api-keys = []\n[iam]\nregion = \"eu-west-1\"\n".to_owned(),
        pair("AKIDEXAMPLE", ""),
        pair("AKIDTEMPORARY", "session-token = \"token of the third pair\""),
        pair("AKIDNOCONNECT", "deny = [\"connect\"]"),
        pair("AKIDNOGRAPHQL", "deny = [\"graphql\"]"),
        pair("AKIDNODEFAULT", "deny = [\"subscribe:/default\", \"publish\"]"),
        pair("AKIDNOOTHER", "deny = [\"subscribe:/other\", \"publish:other\", \"Mutation.addNote\"]"),
    ];
    settings(&text.concat())
});

fn authorizer() -> Authorizer {
    Authorizer::new(&SETTINGS)
}

fn judge(purpose: &Purpose<'_>, credentials: &Credentials) -> Result<Identity, Denial> {
    authorizer().judge(NOW, purpose, credentials, &[Mode::Iam])
}

fn post(target: &str, body: &[u8], fields: &[(&str, &str)]) -> Request {
    let headers = fields.iter().fold(Headers::new().with("Host", HOST), |headers, (n, v)| headers.with(*n, *v));
    Request { method: "POST".into(), target: target.into(), headers, body: body.to_vec().into() }
}

/// Every purpose, with credentials that are signed for it.
fn each_purpose(keys: &AwsKeys) -> Vec<(Purpose<'static>, Credentials)> {
    let events = Raw::read(r#"["1"]"#).unwrap();
    let of_http = |target: &str, body: &str| {
        let mut request = post(target, body.as_bytes(), &[]);
        sign_http(keys, &mut request, NOW).unwrap();
        let credentials = credentials_of(&request.headers);
        (&*Box::leak(Box::new(request)), credentials)
    };
    let (graphql, graphql_credentials) = of_http("/graphql", r#"{"query":"{dummy}"}"#);
    let (publish, publish_credentials) = of_http("/event", r#"{"channel":"default/a","events":["2"]}"#);
    let operation = |dialect, body: &str| sign_operation(keys, dialect, HOST, body, NOW).unwrap();
    let connect = |dialect| (Purpose::Connect(dialect), sign_connect(keys, dialect, HOST, NOW).unwrap());
    let (channel, namespace) = ("/default/a", "default");
    vec![
        connect(Dialect::Graphql),
        (Purpose::Operation(Asked::Start { data: START }), operation(Dialect::Graphql, START)),
        connect(Dialect::Events),
        (
            Purpose::Operation(Asked::Subscribe { channel, namespace }),
            operation(Dialect::Events, &subscribe_body(channel)),
        ),
        (
            Purpose::Operation(Asked::Publish { channel, namespace, events }),
            operation(Dialect::Events, &publish_body(channel, ["1"])),
        ),
        (Purpose::Http { dialect: Dialect::Graphql, request: graphql, channel: None }, graphql_credentials),
        (
            Purpose::Http { dialect: Dialect::Events, request: publish, channel: Some(("default/a", namespace)) },
            publish_credentials,
        ),
    ]
}

/// One line of `signatures.json`.
#[derive(Clone)]
struct Recorded {
    name: String,
    dialect: Dialect,
    data: Option<String>,
    channel: Option<String>,
    events: Option<String>,
    credentials: Credentials,
    sent_at: u64,
}

impl Recorded {
    fn judge(&self, now: u64, region: &str) -> Result<Identity, Denial> {
        let keys = example_keys();
        let text = format!(
            "api-keys = []\n[iam]\nregion = {region:?}\nkeys = [{{ access-key-id = {:?}, secret-access-key = {:?} }}]",
            keys.access_key_id, keys.secret_access_key
        );
        let events = self.events.as_deref().map(|text| Raw::read(text).unwrap());
        let purpose = match (&self.data, &self.channel, events) {
            (Some(data), _, _) => Purpose::Operation(Asked::Start { data }),
            (None, None, _) => Purpose::Connect(self.dialect),
            (None, Some(channel), None) => Purpose::Operation(Asked::Subscribe { channel, namespace: "default" }),
            (None, Some(channel), Some(events)) => {
                Purpose::Operation(Asked::Publish { channel, namespace: "default", events })
            }
        };
        Authorizer::new(&settings(&text)).judge(now, &purpose, &self.credentials, &[Mode::Iam])
    }
}

fn recorded() -> Vec<Recorded> {
    let text = std::fs::read_to_string(fixtures().join("signatures.json")).unwrap();
    let lines: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(lines.len(), 8);
    let read = |line: &Value| {
        let member = |name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
        let credentials = Credentials::from_json(&line["authorization"].to_string()).unwrap();
        Recorded {
            name: format!("{} {}", member("client").unwrap(), member("purpose").unwrap()),
            dialect: if line["dialect"] == "graphql" { Dialect::Graphql } else { Dialect::Events },
            data: member("data"),
            channel: member("channel"),
            events: line.get("events").map(Value::to_string),
            sent_at: crate::auth::sigv4::unix_seconds(credentials.get("x-amz-date").unwrap()).unwrap(),
            credentials,
        }
    };
    lines.iter().map(read).collect()
}
