//! A signature of AWS over one `publish`: made by a client, verified by the endpoint; the floor is its SHA-256 once over
//! the text.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::Raw;
use appsync_protocol::server::{Asked, Mode};
use criterion::{Criterion, criterion_group, criterion_main};
use sha2::{Digest, Sha256};
use syncspec::auth::sign::{publish_body, sign_operation};
use syncspec::auth::{AccessKey, Authorizer, AwsKeys, IamSettings, Purpose, Settings};

const HOST: &str = "example.appsync-api.eu-west-1.amazonaws.com";
const NOW: u64 = 1_700_000_000;
const CHANNEL: &str = "/default/robots";

fn signing(c: &mut Criterion) {
    let keys = AwsKeys {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: None,
        region: "eu-west-1".into(),
    };
    let known = AccessKey {
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: keys.secret_access_key.clone(),
        session_token: None,
        deny: Vec::new(),
    };
    let iam = IamSettings { region: keys.region.clone(), keys: vec![known], max_clock_skew_s: 300 };
    let settings = Settings { api_keys: Vec::new(), iam: Some(iam), oidc: None, cognito: None, lambda: None };
    let mut authorizer = Authorizer::new(&settings);
    let body = publish_body(CHANNEL, [r#"{"x":31,"y":7}"#]);
    let events = r#"["{\"x\":31,\"y\":7}"]"#;
    let (Ok(signed), Ok(events)) = (sign_operation(&keys, Dialect::Events, HOST, &body, NOW), Raw::read(events)) else {
        return;
    };
    let purpose = Purpose::Operation(Asked::Publish { channel: CHANNEL, namespace: "default", events });
    assert!(authorizer.judge(NOW, &purpose, &signed, &[Mode::Iam]).is_ok(), "what is measured is a good signature");

    c.bench_function("sigv4/hash", |b| b.iter(|| Sha256::digest(black_box(body.as_bytes()))));
    c.bench_function("sigv4/sign", |b| {
        b.iter(|| sign_operation(&keys, Dialect::Events, HOST, black_box(&body), NOW).is_ok());
    });
    c.bench_function("sigv4/verify", |b| {
        b.iter(|| authorizer.judge(NOW, black_box(&purpose), &signed, &[Mode::Iam]).is_ok());
    });
}

criterion_group!(benches, signing);
criterion_main!(benches);
