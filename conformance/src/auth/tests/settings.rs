//! Section `[auth]`: what it may say, and what is said of it when it is wrong.

use appsync_protocol::handshake::Credentials;
use appsync_protocol::server::{Asked, Mode};

use super::{EVERY_MODE, NOW, fixtures, settings};
use crate::auth::{Authorizer, Denial, ModeName, Purpose, Settings};

#[test]
fn the_example_of_the_documentation_is_read() {
    #[derive(serde::Deserialize)]
    struct File {
        auth: Settings,
    }
    let lines = include_str!("../settings.rs").lines().map_while(|line| line.strip_prefix("//!"));
    let example: Vec<_> =
        lines.skip_while(|line| *line != " ```toml").skip(1).take_while(|line| *line != " ```").collect();

    let mut file: File = toml::from_str(&example.join("\n")).unwrap();
    file.auth.prepare(&fixtures()).unwrap();

    assert!(EVERY_MODE.iter().all(|mode| file.auth.provides(*mode)));
    assert_eq!(file.auth.api_keys[1].expires_unix_s, Some(1_798_675_200));
    assert_eq!(file.auth.iam.unwrap().keys[2].deny.len(), 3);
}

#[test]
fn without_a_section_one_key_is_known() {
    let settings = settings("");

    assert_eq!(settings.first_api_key(), Settings::default().first_api_key());
    assert_eq!(EVERY_MODE.map(|mode| settings.provides(mode)), [true, false, false, false, false]);
}

#[test]
fn each_section_provides_its_mode() {
    let all = settings(
        "api-keys = []\niam = { region = \"r\", keys = [] }\noidc = { issuer = \"a\", secret = \"s\" }\n\
         cognito = { issuer = \"b\", jwks-file = \"jwks.json\", client-id = \"c\" }\nlambda = { tokens = [] }",
    );

    assert_eq!(EVERY_MODE.map(|mode| all.provides(mode)), [false, true, true, true, true]);
}

#[test]
fn an_api_key_is_good_until_it_expires() {
    // GQL-AUTH-024
    let settings =
        settings("api-keys = [{ key = \"da2-a\", expires = \"2025-01-02T03:04:05Z\" }, { key = \"da2-b\" }]");
    let judge = |now, key| {
        let purpose = Purpose::Operation(Asked::Start { data: "{}" });
        Authorizer::new(&settings).judge(now, &purpose, &Credentials::api_key("h", key), &[Mode::ApiKey])
    };

    assert!(judge(NOW - 1, "da2-a").is_ok());
    assert_eq!(judge(NOW, "da2-a"), Err(Denial::Unauthorized));
    assert!(judge(NOW, "da2-b").is_ok());
    for wrong in ["", "da2-", "da2-bb", "DA2-B"] {
        assert_eq!(judge(NOW, wrong), Err(Denial::Unauthorized), "{wrong}");
    }
}

#[test]
fn a_value_that_is_wrong_is_named() {
    let iam = |deny: &str| {
        format!(
            "[iam]\nregion = \"r\"\nkeys = [{{ access-key-id = \"a\", secret-access-key = \"b\", deny = [{deny:?}] }}]"
        )
    };
    let lambda = |more: &str| format!("[lambda]\n{more}\ntokens = []");
    for (text, words) in [
        ("api-keys = [{ key = \"k\", expires = \"soon\" }]".to_owned(), "expected a date like 2026-12-31T00:00:00Z"),
        ("api-keys = [{ key = \"k\", expires = \"1969-12-31T00:00:00Z\" }]".into(), "1969"),
        ("keys = []".into(), "unknown field `keys`"),
        (iam("subscribe:/ns/a"), "nothing below it (EVT-AUTH-031)"),
        (iam("publish:"), "expected publish:/namespace"),
        (iam("unsubscribe"), "expected connect, graphql"),
        (iam("connect:/ns"), "expected connect, graphql"),
        (lambda("token-pattern = \"(\""), "token-pattern"),
        (
            "[lambda]\ntokens = [{ token = \"t\", allow = \"maybe\" }]".into(),
            "expected true, false, \"fail\" or \"once\"",
        ),
        ("[lambda]\ntokens = [{ token = \"t\", allow = 1 }]".into(), "expected true, false, \"fail\" or \"once\""),
        ("[oidc]\nissuer = \"i\"\njwks = \"{\"".into(), "jwks is not a JSON Web Key Set"),
        ("[oidc]\nissuer = \"i\"\njwks = 1".into(), "expected a JSON Web Key Set in jwks"),
    ] {
        let error = toml::from_str::<Settings>(&text).unwrap_err().to_string();

        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn providers_need_keys_of_one_kind_and_issuers_of_their_own() {
    for (text, words) in [
        ("[oidc]\nissuer = \"i\"", "[auth.oidc] one of jwks, jwks-file and secret is needed"),
        ("[cognito]\nissuer = \"i\"\nsecret = \"s\"\njwks-file = \"jwks.json\"", "[auth.cognito] keys and a secret"),
        ("[oidc]\nissuer = \"i\"\njwks = { keys = [] }", "[auth.oidc] no key of the key set"),
        ("[oidc]\nissuer = \"i\"\njwks = { keys = [] }\njwks-file = \"jwks.json\"", "there can be only one"),
        ("[oidc]\nissuer = \"i\"\njwks-file = \"nowhere.json\"", "nowhere.json: "),
        ("[oidc]\nissuer = \"i\"\njwks-file = \"ec.pem\"", "ec.pem: not a JSON Web Key Set"),
        (
            "[oidc]\nissuer = \"i\"\nsecret = \"s\"\n[cognito]\nissuer = \"i\"\nsecret = \"s\"",
            "[auth.cognito] issuer \"i\" is that of [auth.oidc] too",
        ),
    ] {
        let mut settings: Settings = toml::from_str(text).unwrap();

        let error = settings.prepare(&fixtures()).unwrap_err().to_string();

        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn debug_output_holds_no_secret() {
    let settings = settings(
        "api-keys = [{ key = \"hidden\" }]\noidc = { issuer = \"a\", secret = \"hidden\" }\n\
         lambda = { tokens = [{ token = \"hidden\", identity = \"hidden\" }] }\n\
         iam = { region = \"r\", keys = [{ access-key-id = \"hidden\", secret-access-key = \"hidden\", \
         session-token = \"hidden\" }] }",
    );

    let shown = format!("{settings:?} {:?}", Authorizer::new(&settings));

    assert!(!shown.contains("hidden"), "{shown}");
}

#[test]
fn modes_are_written_in_kebab_case() {
    #[derive(serde::Deserialize)]
    struct Lists {
        modes: Vec<ModeName>,
    }

    let lists: Lists = toml::from_str("modes = [\"api-key\", \"iam\", \"oidc\", \"cognito\", \"lambda\"]").unwrap();

    assert_eq!(lists.modes.into_iter().map(Mode::from).collect::<Vec<_>>(), EVERY_MODE);
    assert!(toml::from_str::<Lists>("modes = [\"API_KEY\"]").is_err());
}
