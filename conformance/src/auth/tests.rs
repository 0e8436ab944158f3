//! Each mode with good and bad credentials: alone, and at the reference endpoint.

mod endpoint;
mod keys;
mod lambda;
mod settings;
mod signature;
mod token;

use appsync_protocol::server::Mode;

use super::{AwsKeys, Settings};

/// 2025-01-02T03:04:05Z, the date of the signatures in the tests.
const NOW: u64 = 1_735_787_045;
const EVERY_MODE: [Mode; 5] = [Mode::ApiKey, Mode::Iam, Mode::Oidc, Mode::Cognito, Mode::Lambda];

/// The example key pair of the AWS documentation.
fn example_keys() -> AwsKeys {
    AwsKeys {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: None,
        region: "eu-west-1".into(),
    }
}

fn settings(text: &str) -> Settings {
    let mut settings: Settings = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    settings.prepare(&fixtures()).unwrap_or_else(|error| panic!("{error}"));
    settings
}

fn fixtures() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/auth")
}
