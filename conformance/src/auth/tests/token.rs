//! Tokens of providers: signature, claims, and which of several providers is asked.

use std::sync::LazyLock;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Credentials, base64};
use appsync_protocol::server::{Identity, Mode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{NOW, fixtures, settings};
use crate::auth::{Authorizer, Denial, Purpose};

const SETTINGS: &str = "[oidc]\nissuer = \"https://id.example.com\"\naudience = \"app\"\nsecret = \"shared\"\n\
                        groups-claim = \"roles\"\n\
                        [cognito]\nissuer = \"https://pool.example.com/p1\"\nclient-id = \"client-1\"\n\
                        jwks-file = \"jwks.json\"\n";

static RSA: LazyLock<EncodingKey> = LazyLock::new(|| EncodingKey::from_rsa_der(&der("rsa.pem")));
static EC: LazyLock<EncodingKey> = LazyLock::new(|| EncodingKey::from_ec_der(&der("ec.pem")));

#[test]
fn a_token_of_each_algorithm_says_who_it_is() {
    let tokens = [
        (Algorithm::HS256, oidc(), Mode::Oidc, &["admin"][..]),
        (Algorithm::RS256, cognito(), Mode::Cognito, &["Writers", "Readers"]),
        (Algorithm::ES256, cognito(), Mode::Cognito, &["Writers", "Readers"]),
    ];
    for (algorithm, claims, mode, groups) in tokens {
        let groups = groups.iter().map(ToString::to_string).collect();
        let expected = Identity { mode, name: "ann".into(), groups, denied_fields: Vec::new() };

        assert_eq!(judge(&signed(algorithm, &claims)), Ok(expected), "{algorithm:?}");
    }
}

#[test]
fn the_bearer_scheme_may_stand_before_the_token() {
    // GQL-AUTH-021, EVT-AUTH-003
    let token = signed(Algorithm::HS256, &oidc());

    for spelt in [format!("Bearer {token}"), format!("bearer  {token} "), format!(" {token}")] {
        assert!(judge(&spelt).is_ok());
    }
}

#[test]
fn an_empty_token_is_unauthorized_and_no_bad_request() {
    // GQL-AUTH-023
    for empty in ["", " ", "Bearer", "Bearer "] {
        assert_eq!(judge(empty), Err(Denial::Unauthorized), "{empty:?}");
    }
}

#[test]
fn a_text_that_is_no_jwt_cannot_be_parsed() {
    let good = signed(Algorithm::HS256, &oidc());
    let (front, _) = good.rsplit_once('.').unwrap();
    let none = format!("{}.{}.", base64::encode_url(br#"{"alg":"none","typ":"JWT"}"#), good.split('.').nth(1).unwrap());

    for broken in ["token", "a.b.c", front, &format!("{good}.x"), &format!("x{good}"), &none] {
        assert_eq!(judge(broken), Err(Denial::TokenUnreadable), "{broken}");
    }
}

#[test]
fn a_signature_of_somebody_else_is_refused() {
    let by = |key: &EncodingKey, header: &Header, claims: &Value| judge(&encode(header, claims, key).unwrap());
    let named = |algorithm, kid: &str| Header { kid: Some(kid.into()), ..Header::new(algorithm) };
    let public_key = std::fs::read(fixtures().join("jwks.json")).unwrap();

    for (what, judged) in [
        ("secret", by(&EncodingKey::from_secret(b"guessed"), &Header::new(Algorithm::HS256), &oidc())),
        ("provider", by(&RSA, &Header::new(Algorithm::RS256), &oidc())),
        (
            "public key as secret",
            by(&EncodingKey::from_secret(&public_key), &named(Algorithm::HS256, "rsa-1"), &cognito()),
        ),
        ("kid", by(&RSA, &named(Algorithm::RS256, "rsa-2"), &cognito())),
        ("algorithm", by(&EncodingKey::from_secret(b"shared"), &Header::new(Algorithm::HS512), &oidc())),
    ] {
        assert_eq!(judged, Err(Denial::Unauthorized), "{what}");
    }
    assert!(by(&RSA, &named(Algorithm::RS256, "rsa-1"), &cognito()).is_ok());
}

#[test]
fn a_token_with_another_byte_in_any_part_is_refused() {
    let good = signed(Algorithm::ES256, &cognito());

    for at in (0..good.len()).step_by(5) {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(judge(&String::from_utf8(changed).unwrap()).is_err(), "{at}");
    }
}

#[test]
fn a_token_is_good_from_nbf_until_exp() {
    let token = signed(Algorithm::HS256, &with(oidc(), json!({ "nbf": NOW - 10, "exp": NOW as f64 + 10.5 })));

    for (now, expected) in [
        (NOW - 11, Some(Denial::Unauthorized)),
        (NOW - 10, None),
        (NOW + 10, None),
        (NOW + 11, Some(Denial::TokenExpired)),
    ] {
        assert_eq!(judge_at(now, &token).err(), expected, "{now}");
    }
}

#[test]
fn claims_that_do_not_fit_are_refused() {
    for (what, more) in [
        ("issuer", json!({ "iss": "https://id.example.com.evil" })),
        ("no issuer", json!({ "iss": null })),
        ("audience", json!({ "aud": "other" })),
        ("no audience", json!({ "aud": null })),
        ("no end", json!({ "exp": null })),
        ("an end in words", json!({ "exp": "2030-01-01" })),
        ("a start in words", json!({ "nbf": "2020-01-01" })),
    ] {
        let judged = judge(&signed(Algorithm::HS256, &with(oidc(), more)));

        assert_eq!(judged, Err(Denial::Unauthorized), "{what}");
    }
}

#[test]
fn the_audience_may_be_in_a_list_or_in_the_claims_of_access_tokens() {
    for more in [
        json!({ "aud": ["x", "app"] }),
        json!({ "aud": null, "client_id": "app" }),
        json!({ "aud": "x", "azp": "app" }),
    ] {
        assert!(judge(&signed(Algorithm::HS256, &with(oidc(), more.clone()))).is_ok(), "{more}");
    }
}

#[test]
fn the_issuer_decides_which_provider_is_asked_and_the_rest_is_for_lambda() {
    let token = signed(Algorithm::HS256, &oidc());
    let foreign = signed(Algorithm::HS256, &with(oidc(), json!({ "iss": "https://elsewhere" })));
    let lambda = format!(
        "{SETTINGS}[lambda]\ntokens = [{{ token = {token:?} }}, {{ token = {foreign:?} }}, {{ token = \"opaque\" }}]"
    );
    let mode = |token: &str, allowed: &[Mode]| {
        let mut authorizer = Authorizer::new(&settings(&lambda));
        let presented = Credentials::token("h", token);
        authorizer.judge(NOW, &Purpose::Connect(Dialect::Events), &presented, allowed).map(|who| who.mode)
    };

    assert_eq!(mode(&token, &[Mode::Lambda, Mode::Oidc]), Ok(Mode::Oidc));
    assert_eq!(mode(&token, &[Mode::Lambda, Mode::Cognito]), Ok(Mode::Lambda));
    assert_eq!(mode(&foreign, &[Mode::Lambda, Mode::Oidc]), Ok(Mode::Lambda));
    assert_eq!(mode(&foreign, &[Mode::Oidc]), Err(Denial::Unauthorized));
    assert_eq!(mode("opaque", &[Mode::Cognito, Mode::Lambda]), Ok(Mode::Lambda));
    assert_eq!(mode("opaque", &[Mode::Cognito]), Err(Denial::TokenUnreadable));
    assert_eq!(mode(&token, &[Mode::ApiKey, Mode::Iam]), Err(Denial::NotEnabled));
}

fn judge(authorization: &str) -> Result<Identity, Denial> {
    judge_at(NOW, authorization)
}

fn judge_at(now: u64, authorization: &str) -> Result<Identity, Denial> {
    let presented = Credentials::token("h", authorization);
    let allowed = [Mode::Oidc, Mode::Cognito];
    Authorizer::new(&settings(SETTINGS)).judge(now, &Purpose::Connect(Dialect::Graphql), &presented, &allowed)
}

fn signed(algorithm: Algorithm, claims: &Value) -> String {
    let secret = EncodingKey::from_secret(b"shared");
    let keys: [(Algorithm, &EncodingKey); 3] =
        [(Algorithm::RS256, &RSA), (Algorithm::ES256, &EC), (Algorithm::HS256, &secret)];
    let (_, key) = keys.into_iter().find(|(own, _)| *own == algorithm).unwrap();
    encode(&Header::new(algorithm), claims, key).unwrap()
}

fn oidc() -> Value {
    json!({ "iss": "https://id.example.com/", "sub": "ann", "aud": "app", "exp": NOW + 60, "roles": ["admin"] })
}

fn cognito() -> Value {
    json!({
        "iss": "https://pool.example.com/p1", "sub": "ann", "client_id": "client-1", "token_use": "access",
        "exp": NOW + 60, "cognito:groups": ["Writers", "Readers"],
    })
}

/// The claims with others; null takes one away.
fn with(mut claims: Value, more: Value) -> Value {
    let all = claims.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    claims
}

fn der(name: &str) -> Vec<u8> {
    let pem = std::fs::read_to_string(fixtures().join(name)).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::decode(&body).unwrap()
}
