//! Whom the built-in endpoint knows besides its API key: one for each mode, for tests. None of this is a secret.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use appsync_protocol::server::Mode;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::sign::Secret;
use super::{AccessKey, Answer, IamSettings, LambdaSettings, LambdaToken};
use super::{AwsKeys, Keyring, Settings, TokenProvider};

const REGION: &str = "us-east-1";
const ACCESS_KEY_ID: &str = "AKIASYNCSPECEXAMPLE0";
const SECRET_ACCESS_KEY: &str = "syncspec/reference/endpoint/secret+key000";
const OIDC_ISSUER: &str = "https://id.syncspec.example";
const COGNITO_ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_syncspec0";
const JWT_SECRET: &str = "the secret of the issuers of the syncspec reference endpoint";
const LAMBDA_TOKEN: &str = "syncspec-reference-lambda-token";

/// A field that the Lambda authorizer denies to the bearer of its token (GQL-AUTH-019).
pub const DENIED_FIELD: &str = "Subscription.subscribeToMessages";
/// A subscription to it.
pub const DENIED_DOCUMENT: &str = "subscription { subscribeToMessages { message } }";

/// The last second of 2099: tokens outlive every test, in virtual time too.
const END_UNIX_S: u64 = 4_102_444_799;

/// What the endpoint is told.
pub fn settings() -> Settings {
    let provider = |issuer: &str| TokenProvider {
        issuer: issuer.into(),
        audience: None,
        jwks: None,
        jwks_file: None,
        secret: Some(JWT_SECRET.into()),
        groups_claim: None,
    };
    Settings {
        iam: Some(IamSettings {
            region: REGION.into(),
            keys: vec![AccessKey {
                access_key_id: ACCESS_KEY_ID.into(),
                secret_access_key: SECRET_ACCESS_KEY.into(),
                session_token: None,
                deny: Vec::new(),
            }],
            max_clock_skew_s: 300,
        }),
        oidc: Some(provider(OIDC_ISSUER)),
        cognito: Some(provider(COGNITO_ISSUER)),
        lambda: Some(LambdaSettings {
            tokens: vec![LambdaToken {
                token: LAMBDA_TOKEN.into(),
                allow: Answer::Allow,
                denied_fields: vec![DENIED_FIELD.into(), "Query.dummy".into()],
                ttl_s: None,
                identity: "ann".into(),
            }],
            ttl_s: 0,
            token_pattern: None,
        }),
        ..Settings::default()
    }
}

/// What its clients have.
pub fn keyring() -> Keyring {
    /// The same for every scenario that is played, and signing takes time.
    static MADE: LazyLock<Keyring> = LazyLock::new(signed);
    MADE.clone()
}

fn signed() -> Keyring {
    let keys = AwsKeys {
        access_key_id: ACCESS_KEY_ID.into(),
        secret_access_key: SECRET_ACCESS_KEY.into(),
        session_token: None,
        region: REGION.into(),
    };
    let more = [
        (Mode::Iam, Secret::Iam(keys)),
        (Mode::Oidc, Secret::Token(jwt(OIDC_ISSUER))),
        (Mode::Cognito, Secret::Token(jwt(COGNITO_ISSUER))),
        (Mode::Lambda, Secret::Token(LAMBDA_TOKEN.into())),
    ];
    Keyring { main: Mode::ApiKey, more: BTreeMap::from(more), ..Keyring::default() }
}

fn jwt(issuer: &str) -> String {
    let claims: Value = json!({ "iss": issuer, "sub": "ann", "exp": END_UNIX_S });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(JWT_SECRET.as_bytes()))
        .expect("HMAC signs with a secret of any length")
}
