//! Files that are right, and files that are wrong.

use std::path::Path;

use super::*;
use crate::scenario::own::Trigger;

const SHOP: &str = r#"
[targets.shop]
endpoint = "http://127.0.0.1:9/graphql"

[targets.shop.credentials]
api-key = { env = "SHOP_KEY" }
tokens = [{ file = "token.jwt" }, { command = "fetch" }]

[targets.shop.guards]
max-minutes = 3
publishes-per-second = 5

[targets.shop.capabilities]
channel-schema = false

[targets.shop.subscription]
document = "subscription S($shop: ID!) { onOrder(shop: $shop) { shop note } }"
topic = "shop"
data = "onOrder.note"

[targets.shop.trigger]
mutation = "mutation M($i: In!) { placeOrder(input: $i) { shop note } }"
variables = { i = { kind = "test" } }
nonce = "i.note"
topic = "i.shop"
"#;

fn target(text: &str) -> Result<Target, SettingsError> {
    Targets::parse(text, "conf/syncspec.toml")?.target(None)
}

#[track_caller]
fn refused(text: &str) -> String {
    match target(text) {
        Ok(_) => panic!("taken: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_the_file_says_is_what_the_target_is() {
    let shop = target(SHOP).unwrap();

    let own = shop.own.as_ref().unwrap();
    assert_eq!((shop.name.as_str(), own.data.as_str(), own.topic.as_deref()), ("shop", "onOrder.note", Some("shop")));
    assert!(
        own.trigger.mutation("berlin", "n-1").unwrap().contains(r#""i":{"kind":"test","note":"n-1","shop":"berlin"}"#)
    );
    assert_eq!(shop.capabilities.get("channel-schema"), Some(&false));
    assert_eq!(shop.table.credentials.api_key.as_ref().unwrap().get_ref(), &SecretSource::Env("SHOP_KEY".into()));
    assert_eq!(shop.beside(Path::new("token.jwt")), Path::new("conf/token.jwt"));
}

#[test]
fn one_of_several_targets_is_chosen_by_name_or_by_the_default() {
    let two = "[targets.a]\nendpoint = \"http://a/graphql\"\n[targets.b]\nendpoint = \"http://b/event\"\n";
    let file = |head: &str| Targets::parse(format!("{head}{two}"), "s.toml").unwrap();

    assert_eq!(file("").target(Some("b")).unwrap().name, "b");
    assert_eq!(file("default = \"b\"\n").target(None).unwrap().name, "b");
    assert_eq!(file("").target_at("http://b/event").unwrap().unwrap().name, "b");
    assert!(file("").target_at("http://c/event").is_none());
    let told = file("").target(None).unwrap_err().to_string();
    assert_eq!(told, "s.toml: several targets (a, b); choose one with --target, or with default =");
    let told = file("").target(Some("c")).unwrap_err().to_string();
    assert_eq!(told, "--target: no target \"c\"; expected one of a, b");
    let told = file("default = \"c\"\n").target(None).unwrap_err().to_string();
    assert_eq!(told, "s.toml:1:11: default: no target \"c\"; expected one of a, b");
}

#[test]
fn a_trigger_can_be_an_http_request_with_a_query_or_a_command() {
    let subscription = "[targets.a]\nendpoint = \"http://a/graphql\"\n\
                        [targets.a.subscription]\ndocument = \"subscription { s { n } }\"\ndata = \"s.n\"\n[targets.a.trigger]\n";
    let http = format!(
        "{subscription}http = {{ url = \"http://b:1/t?n=${{nonce}}\", headers = {{ Authorization = \"${{env:T}}\" }} }}\n"
    );
    let Trigger::Http { url, method, .. } = target(&http).unwrap().own.unwrap().trigger else { panic!("no request") };
    assert_eq!((url.path.as_str(), method.as_str()), ("/t?n=${nonce}", "POST"));

    let command = format!("{subscription}command = \"./publish\"\n");
    assert!(target(&command).unwrap().own.unwrap().trigger == Trigger::Command("./publish".into()));
}

#[test]
fn a_secret_in_the_file_is_refused_at_its_place_and_not_quoted() {
    let key = format!("da2-{}", "a1b2c3d4e5f6g7h8i9j0k1l2m3");
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln";
    let head = "[targets.a]\nendpoint = \"http://a/graphql\"\n";
    for (text, at) in [
        (format!("{head}[targets.a.credentials]\napi-key = \"{key}\"\n"), ":4:11: targets.a.credentials.api-key: "),
        (
            format!("{head}[targets.a.credentials]\napi-key = \"hunter2hunter2\"\n"),
            ":4:11: targets.a.credentials.api-key: ",
        ),
        (format!("{head}[targets.a.credentials]\ntokens = [\"{jwt}\"]\n"), ":4:11: targets.a.credentials.tokens: "),
        (
            format!("{head}[targets.a.credentials]\ndenied = \"AKIAIOSFODNN7EXAMPLE\"\n"),
            ":4:10: targets.a.credentials.denied: ",
        ),
        (format!("{head}realtime = 7\nnonsense = \"Bearer {jwt}\"\n"), ":4:12: targets.a.nonsense: "),
    ] {
        let told = refused(&text);

        assert!(told.starts_with(&format!("conf/syncspec.toml{at}")), "{told}");
        assert!(told.contains("{ env = ") && told.contains("no") && told.contains("secret"), "{told}");
        assert!(![key.as_str(), jwt, "AKIA", "hunter2"].iter().any(|secret| told.contains(secret)), "{told}");
    }
}

#[test]
fn a_wrong_file_names_line_column_key_and_what_was_expected() {
    let head = "[targets.a]\nendpoint = \"http://a/graphql\"\n";
    let own = |rest: &str| {
        format!(
            "{head}[targets.a.subscription]\ndocument = \"subscription {{ s {{ n }} }}\"\ndata = \"s.n\"\n[targets.a.trigger]\n{rest}"
        )
    };
    for (text, error) in [
        ("targets = 5\n".to_owned(), ":1:11: targets: expected "),
        ("[targets.a]\n".into(), ":1:1: targets.a: the key endpoint is missing"),
        ("[targets.a]\nendpoint = 5\n".into(), ":2:12: targets.a.endpoint: expected a string; got integer 5"),
        ("[targets.a]\nendpoint = \"a/graphql\"\n".into(), ":2:12: targets.a.endpoint: \"a/graphql\": "),
        (format!("{head}endpiont = \"x\"\n"), ":3:1: targets.a.endpiont: unknown key; expected one of endpoint, "),
        (format!("{head}dialect = \"rest\"\n"), ":3:11: targets.a.dialect: expected graphql or events; got \"rest\""),
        (format!("{head}connect-to = [\"here\"]\n"), ":3:15: targets.a.connect-to: expected HOST:PORT; got \"here\""),
        (format!("{head}namespaces = [\"a/b\"]\n"), ":3:15: targets.a.namespaces: expected the name of a namespace"),
        (
            format!("{head}channel-prefix = \"12345678901234567\"\n"),
            ":3:18: targets.a.channel-prefix: expected at most 16 ",
        ),
        (
            format!("{head}[targets.a.guards]\nmax-minutes = 0\n"),
            ":4:15: targets.a.guards.max-minutes: expected more than 0",
        ),
        (
            format!("{head}[targets.a.guards]\npublishes-per-second = 0\n"),
            ":4:24: targets.a.guards.publishes-per-second: expected more",
        ),
        (
            format!("{head}[targets.a.capabilities]\nx = \"yes\"\n"),
            ":4:5: targets.a.capabilities.x: expected a boolean",
        ),
        (
            format!("{head}[targets.a.trigger]\ncommand = \"x\"\n"),
            ":3:1: targets.a.trigger: expected a section subscription",
        ),
        (own(""), ":6:1: targets.a.trigger: expected one of mutation, http and command"),
        (own("mutation = \"mutation { m }\"\n"), ":7:12: targets.a.trigger.mutation: expected nonce beside it"),
        (own("mutation = \"m\"\nnonce = \"a..b\"\n"), ":8:9: targets.a.trigger.nonce: expected a path of names"),
        (
            own("mutation = \"m\"\nnonce = \"a\"\ntopic = \"b\"\n"),
            ":9:9: targets.a.trigger.topic: expected a topic of the sub",
        ),
        (own("command = \" \"\n"), ":7:11: targets.a.trigger.command: expected a command"),
        (own("http = { url = \"http://b/\" }\n"), ":7:8: targets.a.trigger.http: expected ${nonce} in its url"),
        (
            own("http = { url = \"http://b/${nonce}\", headers = { X-Api-Key = \"plain\" } }\n"),
            ":7:61: targets.a.trigger.http.",
        ),
        ("default = \"a\"\n".into(), ": expected a section [targets.NAME]; got none"),
        ("[targets.a\n".into(), ":1:"),
    ] {
        let told = refused(&text);

        let expected = format!("conf/syncspec.toml{error}");
        assert!(told.starts_with(&expected), "expected {expected}\n     got {told}");
        assert!(!told.contains('\n'), "{told}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Targets::read(Path::new("no/such.toml")).map(|_| ()).unwrap_err();

    assert!(error.to_string().starts_with("no/such.toml: No such file"), "{error}");
}
