//! A GraphQL API whose schema the suite does not know: it is judged with the subscription that its owner declares.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use std::collections::BTreeMap;
use std::fs;

use peers::command::{Ended, fresh, start_with};
use serde_json::Value;
use syncspec::catalogue::{faults, scenarios};
use syncspec::reference::Endpoint;
use syncspec::reference::settings::{Overrides, Settings};
use syncspec::reference::shell::{Options, Running};
use syncspec::scenario::Need;

const KEY: &str = "da2-keyoftheshopfortests000001";

/// Orders of a shop: nothing that the built-in scenarios know.
const SHOP: &str = r#"
[graphql]
sdl = """
type Order { shop: ID! note: String }
type Query { lastOrder: Order }
type Mutation { placeOrder(shop: ID!, note: String): Order }
type Subscription { onOrder(shop: ID): Order @aws_subscribe(mutations: ["placeOrder"]) }
"""
[graphql.resolvers."Mutation.placeOrder"]
result = { shop = "$arguments.shop", note = "$arguments.note" }
[graphql.resolvers."Query.lastOrder"]
from = "last:Mutation.placeOrder"
"#;

/// The shop with these saboteurs.
fn shop(bent: &[&str]) -> (Running, String) {
    let settings = Settings::parse(SHOP, "shop.toml").unwrap();
    let prepared = settings.prepare(Overrides { api_key: Some(KEY.into()), ..Overrides::default() }).unwrap();
    let how: Vec<_> = bent.iter().map(|name| faults().find(|fault| fault.name == *name).unwrap().how).collect();
    let running = Running::start(Endpoint::new(prepared.config, &how).unwrap(), "127.0.0.1:0", Options::default());
    let running = running.unwrap();
    let endpoint = format!("http://{}/graphql", running.address());
    (running, endpoint)
}

/// A file with one target, at this endpoint.
fn file(name: &str, endpoint: &str, rest: &str) -> String {
    let path = fresh(name);
    let head = "[targets.shop.credentials]\napi-key = { env = \"SHOP_KEY\" }\n";
    fs::write(&path, format!("[targets.shop]\nendpoint = \"{endpoint}\"\n{head}{rest}")).unwrap();
    path.to_str().unwrap().to_owned()
}

const WITH_TOPIC: &str = r#"
[targets.shop.subscription]
document = "subscription S($shop: ID!) { onOrder(shop: $shop) { shop note } }"
topic = "shop"
data = "onOrder.note"
[targets.shop.trigger]
mutation = "mutation M($shop: ID!, $note: String) { placeOrder(shop: $shop, note: $note) { shop note } }"
nonce = "note"
topic = "shop"
"#;

const WITHOUT_TOPIC: &str = r#"
[targets.shop.subscription]
document = "subscription { onOrder { shop note } }"
data = "onOrder.note"
[targets.shop.trigger]
mutation = "mutation M($shop: ID!, $note: String) { placeOrder(shop: $shop, note: $note) { shop note } }"
variables = { shop = "berlin" }
nonce = "note"
"#;

fn judge(config: &str, more: &[&str]) -> (Ended, BTreeMap<String, String>) {
    let report = format!("{config}.json");
    let written = format!("json={report}");
    let arguments = ["server", "--config", config, "--report", &written, "--step-timeout", "2s", "--jobs", "8"];
    let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
    let ended = start_with(&arguments, &[("SHOP_KEY", KEY)]).end();
    let text = fs::read_to_string(&report).unwrap_or_default();
    let report: Value = serde_json::from_str(&text).unwrap_or_default();
    let cases = report["cases"].as_array().cloned().unwrap_or_default();
    let text = |case: &Value, name: &str| case[name].as_str().unwrap_or_default().to_owned();
    let verdicts = cases.iter().map(|case| (text(case, "id"), text(case, "verdict"))).collect();
    (ended, verdicts)
}

/// What needs no more than a subscription, and can be played over and over.
fn any() -> impl Iterator<Item = &'static str> {
    let wanted = |s: &syncspec::scenario::Scenario| {
        s.takes_declared() && !s.needs.contains(&Need::Limits) && s.tier == syncspec::scenario::Tier::Quick
    };
    scenarios().filter(move |s| wanted(s)).map(|s| s.id)
}

#[test]
fn an_api_with_a_schema_of_its_own_passes_with_what_it_declares() {
    for (name, rest, without) in
        [("topic.toml", WITH_TOPIC, None), ("plain.toml", WITHOUT_TOPIC, Some("filter/argument"))]
    {
        let (_shop, endpoint) = shop(&[]);

        let (ended, verdicts) = judge(&file(name, &endpoint, rest), &[]);

        assert_eq!(ended.code, Some(0), "{ended}");
        for id in any() {
            let expected = if without.is_some_and(|area| id.ends_with(area)) { "n/a" } else { "pass" };
            let verdict = verdicts.get(id).map(String::as_str).unwrap_or_default();
            let info = ["graphql/init/early-start"].contains(&id) && verdict == "info";
            assert!(verdict == expected || info, "{id}: {verdict}\n{ended}");
        }
        assert_eq!(verdicts.get("graphql/delivery/only-what-was-selected").map(String::as_str), Some("n/a"));
    }
}

#[test]
fn a_deviation_shows_through_a_declared_subscription() {
    for (fault, caught) in [
        ("graphql-data-after-complete", "graphql/unsubscribe/nothing-after-complete"),
        ("graphql-stop-ends-all", "graphql/unsubscribe/spares-the-others"),
        ("graphql-replays-to-a-new-subscription", "graphql/close/no-replay"),
    ] {
        let (_shop, endpoint) = shop(&[fault]);

        let (ended, verdicts) = judge(&file(&format!("{fault}.toml"), &endpoint, WITH_TOPIC), &["-k", caught]);

        // Where the control sees it already, the rest is blocked by it.
        let control = verdicts.get("graphql/control/delivers-to-the-right-subscription").map(String::as_str);
        let seen = verdicts.get(caught).map(String::as_str) == Some("fail") || control == Some("fail");
        assert!(seen && ended.code == Some(1), "{fault}: {ended}");
    }
}

#[test]
fn the_control_holds_a_declared_subscription_to_account() {
    let (_shop, endpoint) = shop(&["graphql-any-key-connects"]);

    let (ended, verdicts) = judge(&file("any-key.toml", &endpoint, WITH_TOPIC), &["-k", "unsubscribe/completed"]);

    assert_eq!(ended.code, Some(1), "{ended}");
    assert_eq!(verdicts.get("graphql/unsubscribe/completed").map(String::as_str), Some("blocked"), "{ended}");
}

#[test]
fn without_a_declaration_nothing_is_said_and_the_reason_names_the_file() {
    let (_shop, endpoint) = shop(&[]);

    let (ended, verdicts) = judge(&file("bare.toml", &endpoint, ""), &["-k", "unsubscribe/completed"]);

    assert_eq!(verdicts.get("graphql/unsubscribe/completed").map(String::as_str), Some("n/a"), "{ended}");
    assert!(ended.out.contains("no subscription is declared (syncspec.toml)"), "{ended}");
}

#[test]
fn a_declaration_that_the_target_refuses_is_no_statement_about_it() {
    let (_shop, endpoint) = shop(&[]);
    for (name, from, to, reason) in [
        ("sub.toml", "onOrder(shop: $shop)", "onOder(shop: $shop)", "the declared subscription is refused"),
        ("trigger.toml", "placeOrder(shop: $shop,", "placeOder(shop: $shop,", "the declared trigger is refused"),
        ("data.toml", "onOrder.note", "onOrder.shop", "an event came without the nonce at payload.data.onOrder.shop"),
    ] {
        let (ended, _) = judge(&file(name, &endpoint, &WITH_TOPIC.replace(from, to)), &["-k", "unsubscribe/completed"]);

        ended.exits(3, reason);
    }
}

#[test]
fn a_command_and_a_request_can_be_the_trigger() {
    let (_shop, endpoint) = shop(&[]);
    let body = r#"{\"query\":\"mutation M($n: String) { placeOrder(shop: \\\"berlin\\\", note: $n) { shop note } }\",\"variables\":{\"n\":\"${nonce}\"}}"#;
    let subscription = WITHOUT_TOPIC.split("[targets.shop.trigger]").next().unwrap();
    let http = format!(
        "{subscription}[targets.shop.trigger]\nhttp = {{ url = \"{endpoint}\", headers = {{ content-type = \
         \"application/json\", x-api-key = \"${{env:SHOP_KEY}}\" }}, body = \"{body}\" }}\n"
    );

    let (ended, verdicts) = judge(&file("http.toml", &endpoint, &http), &["-k", "delivery/each-subscription-once"]);

    assert_eq!(verdicts.get("graphql/delivery/each-subscription-once").map(String::as_str), Some("pass"), "{ended}");
    assert!(!ended.out.contains(KEY), "{ended}");
    let command = format!("{subscription}[targets.shop.trigger]\ncommand = \"echo sold out >&2; exit 7\"\n");
    let (ended, _) = judge(&file("command.toml", &endpoint, &command), &["-k", "delivery/each-subscription-once"]);
    ended.exits(3, "sold out");
}

#[test]
fn what_is_declared_and_not_detected_is_told_and_never_silent() {
    let (_shop, endpoint) = shop(&[]);
    let declared = format!("[targets.shop.capabilities]\nchannel-schema = true\nintrospection = true\n{WITH_TOPIC}");

    let (ended, verdicts) = judge(&file("conflict.toml", &endpoint, &declared), &["-k", "unsubscribe/completed"]);

    assert_eq!(verdicts.get("target/channel-schema").map(String::as_str), Some("warn"), "{ended}");
    assert!(!verdicts.contains_key("target/introspection"), "{ended}");
    assert_eq!(ended.code, Some(0), "{ended}");
    let (ended, _) = judge(&file("strict.toml", &endpoint, &declared), &["-k", "unsubscribe/completed", "--strict"]);
    assert_eq!(ended.code, Some(1), "{ended}");
}

#[test]
fn a_guard_of_the_file_ends_the_run_as_inconclusive() {
    let (_shop, endpoint) = shop(&[]);
    let guarded = format!("[targets.shop.guards]\nmax-connections = 12\n{WITH_TOPIC}");

    let (ended, verdicts) = judge(&file("guarded.toml", &endpoint, &guarded), &["-k", "graphql/unsubscribe"]);

    ended.exits(5, "inconclusive");
    assert!(!verdicts.values().any(|verdict| verdict == "fail"), "{ended}");
    assert!(
        ended.out.contains("the guard of 12 connections and HTTP requests (--max-connections) is reached"),
        "{ended}"
    );
}
