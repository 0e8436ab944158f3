//! The commands that look at a target without judging it: `doctor`, `probe` and `init`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use peers::command::{Ended, fresh, start_with, syncspec};
use peers::targets::{KEY, reference, tls};
use peers::{Asked, Caller, Peer, Said, acknowledgement};
use serde_json::Value;
use syncspec::auth::example;
use syncspec::config::Targets;
use syncspec::profile::{Fact, Profile};
use syncspec::reference::shell::Options;
use syncspec::survey::doctor::RUNGS;

const SOON: &str = "--step-timeout=700ms";

/// Runs doctor against this endpoint with this key.
fn doctor(endpoint: &str, more: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["doctor", endpoint, SOON].into_iter().chain(more.iter().copied()).collect();
    start_with(&arguments, &[("SYNCSPEC_API_KEY", KEY)]).end()
}

/// Checks that just this rung broke, after those before it, with a cure that contains this text.
#[track_caller]
fn breaks(ended: &Ended, rung: &str, seen: &str, cure: &str) {
    assert_eq!(ended.code, Some(3), "{ended}");
    let told: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended}"));
    let rungs = told["rungs"].as_array().unwrap();
    let names: Vec<_> = rungs.iter().map(|rung| rung["name"].as_str().unwrap()).collect();
    let until = RUNGS.iter().position(|name| *name == rung).unwrap();
    assert_eq!(names, RUNGS[..=until], "{ended}");
    let last = rungs.last().unwrap();
    assert_eq!((last["state"].as_str(), told["broken"].as_str()), (Some("broken"), Some(rung)), "{ended}");
    let broken_before = rungs[..until].iter().any(|rung| rung["state"] == "broken");
    assert!(!broken_before, "{ended}");
    assert!(last["seen"].as_str().unwrap().contains(seen), "expected {seen}\n{ended}");
    assert!(last["cure"].as_str().unwrap().contains(cure), "expected {cure}\n{ended}");
    assert!(!ended.out.contains(KEY), "{ended}");
}

// Every rung holds

#[test]
fn every_rung_of_the_reference_endpoint_holds_in_both_dialects() {
    let (_reference, address) = reference(&[], Options::default());

    for path in ["graphql", "event"] {
        let ended = doctor(&format!("http://{address}/{path}"), &[]);

        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(ended.out.ends_with("exit 0: every rung holds; syncspec server can judge this target"), "{ended}");
    }
}

// Each rung broken

#[test]
fn a_name_without_an_address_breaks_the_first_rung() {
    breaks(&doctor("http://no-such-host.invalid/graphql", &["--json"]), "name", "", "typing error in the host");
}

#[test]
fn a_port_on_which_nothing_listens_breaks_tcp() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    breaks(&doctor(&format!("http://{free}/graphql"), &["--json"]), "tcp", "refused", "is the server running");
}

#[test]
fn a_certificate_that_nobody_trusts_breaks_tls() {
    let (_reference, address) = reference(&[], Options { tls: Some(tls()), ..Options::default() });

    breaks(&doctor(&format!("https://{address}/graphql"), &["--json"]), "tls", "", "--ca FILE");
}

#[test]
fn tls_to_a_plain_port_breaks_tls_with_the_cure_for_it() {
    let (_reference, address) = reference(&[], Options::default());

    breaks(&doctor(&format!("https://{address}/graphql"), &["--json"]), "tls", "does not speak TLS", "as http:");
}

/// Runs doctor against a peer that serves every connection like this.
async fn doctor_of<F>(serve: impl Fn(Caller) -> F + Send + 'static, more: &'static [&'static str]) -> Ended
where
    F: Future<Output = Option<()>> + Send + 'static,
{
    let peer = Peer::start(serve).await;
    let endpoint = format!("http://{}/graphql", peer.address());
    let ended = tokio::task::spawn_blocking(move || doctor(&endpoint, more)).await.unwrap();
    drop(peer);
    ended
}

/// Answers HTTP requests with this head, and hands upgrades on.
async fn upgrade(caller: &mut Caller, http: &str) -> Option<Asked> {
    let asked = caller.asked().await?;
    if asked.key.is_some() {
        return Some(asked);
    }
    caller.write(http.as_bytes()).await?;
    None
}

const PLAIN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_without_an_endpoint_breaks_the_upgrade() {
    let serve = |mut caller: Caller| async move {
        upgrade(&mut caller, PLAIN).await?;
        caller.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone").await
    };

    breaks(&doctor_of(serve, &["--json"]).await, "upgrade", "got 404 gone", "no real-time endpoint at this path");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_protocol_breaks_the_subprotocol() {
    let serve = |mut caller: Caller| async move {
        let asked = upgrade(&mut caller, PLAIN).await?;
        let other = Asked { protocol: Some("graphql-transport-ws"), ..asked };
        caller.agree(&other).await?;
        caller.listen().await
    };

    breaks(&doctor_of(serve, &["--json"]).await, "subprotocol", "graphql-transport-ws", "--dialect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_key_breaks_the_credentials_and_is_not_shown() {
    let serve = |mut caller: Caller| async move {
        let asked = upgrade(&mut caller, PLAIN).await?;
        caller.agree(&asked).await?;
        caller.said().await?;
        let refusal = format!(
            r#"{{"type":"connection_error","payload":{{"errors":[{{"errorType":"No","message":"not {KEY}"}}]}}}}"#
        );
        caller.say(&refusal).await
    };

    breaks(&doctor_of(serve, &["--json"]).await, "credentials", "refused: No: not ", "is the key of this API");
}

#[test]
fn no_credentials_at_all_break_the_credentials() {
    let (_reference, address) = reference(&[], Options::default());

    let ended = syncspec(&["doctor", &format!("http://{address}/graphql"), "--json"]);

    breaks(&ended, "credentials", "none were given", "SYNCSPEC_API_KEY");
}

/// Agrees to everything, but tells another time.
async fn out_of_time(mut caller: Caller) -> Option<()> {
    let http =
        "HTTP/1.1 200 OK\r\ndate: Sat, 01 Jan 2022 00:00:00 GMT\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let asked = upgrade(&mut caller, http).await?;
    caller.agree(&asked).await?;
    agreeable(&mut caller, &asked).await
}

/// Acknowledges whatever is said.
async fn agreeable(caller: &mut Caller, asked: &Asked) -> Option<()> {
    loop {
        if let Said::Message { payload, .. } = caller.said().await? {
            let answer = acknowledgement(asked, &payload)?;
            caller.say(&answer.to_string()).await?;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_apart_break_the_clock_where_tokens_depend_on_it() {
    let Some(syncspec::auth::sign::Secret::Token(token)) =
        example::keyring().secret(appsync_protocol::server::Mode::Oidc, "")
    else {
        panic!("no token")
    };
    let peer = Peer::start(out_of_time).await;
    let endpoint = format!("http://{}/graphql", peer.address());
    let by_token = tokio::task::spawn_blocking(move || {
        let arguments = ["doctor", &endpoint, SOON, "--json", "--mode", "oidc"];
        start_with(&arguments, &[("SYNCSPEC_TOKEN", &token)]).end()
    });

    breaks(&by_token.await.unwrap(), "clock", "s ahead", "set the clock");
    drop(peer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_start_breaks_the_subscription() {
    let serve = |mut caller: Caller| async move {
        let asked = upgrade(&mut caller, PLAIN).await?;
        caller.agree(&asked).await?;
        caller.said().await?;
        caller.say(r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#).await?;
        caller.said().await?;
        let refusal =
            r#"{"type":"error","id":"syncspec","payload":{"errors":[{"errorType":"Unknown","message":"no field"}]}}"#;
        caller.say(refusal).await?;
        caller.listen().await
    };

    breaks(&doctor_of(serve, &["--json"]).await, "subscription", "Unknown: no field", "syncspec.toml");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_mutation_breaks_the_trigger() {
    let serve = |mut caller: Caller| async move {
        let http = "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";
        let asked = upgrade(&mut caller, http).await?;
        caller.agree(&asked).await?;
        agreeable(&mut caller, &asked).await
    };

    breaks(&doctor_of(serve, &["--json"]).await, "trigger", "status 403 no", "may these credentials publish");
}

#[test]
fn doctor_without_an_endpoint_says_how_to_name_one() {
    syncspec(&["doctor", "--config", "no-such-file.toml"]).refuses("no-such-file.toml: No such file");
}

// Probe

#[test]
fn a_probe_sees_what_the_reference_endpoint_is() {
    let (_reference, address) = reference(&[], Options::default());
    let endpoint = format!("http://{address}/graphql");

    let ended = start_with(&["probe", &endpoint, "--toml", SOON], &[("SYNCSPEC_API_KEY", KEY)]).end();

    let profile = Profile::from_toml(&ended.out).unwrap_or_else(|why| panic!("{why}\n{ended}"));
    for fact in [
        Fact::DialectGraphql,
        Fact::DialectEvents,
        Fact::SubprotocolEcho,
        Fact::CarrierQuery,
        Fact::CarrierSubprotocol,
        Fact::CarrierHeaders,
        Fact::ModeApiKey,
        Fact::Introspection,
        Fact::ChannelSchema,
        Fact::NoteSchema,
    ] {
        assert_eq!(profile.detected(fact), Some(true), "{fact}\n{ended}");
    }
    assert_eq!(profile.detected(Fact::ModeIam), None, "{ended}");
    assert_eq!(profile.timers.get("connectionTimeoutMs"), Some(&300_000), "{ended}");
    assert!(profile.subscriptions.contains(&"onNote".to_owned()) && profile.limits.is_empty(), "{ended}");
    assert!(!ended.out.contains(KEY), "{ended}");
}

#[test]
fn a_probe_of_an_endpoint_that_lets_everybody_in_does_not_claim_carriers() {
    let (_reference, address) = reference(&["graphql-any-key-connects"], Options::default());
    let endpoint = format!("http://{address}/graphql");

    let ended = start_with(&["probe", &endpoint, "--toml", SOON], &[("SYNCSPEC_API_KEY", KEY)]).end();

    let profile = Profile::from_toml(&ended.out).unwrap_or_else(|why| panic!("{why}\n{ended}"));
    assert_eq!(profile.detected(Fact::CarrierQuery), None, "{ended}");
}

#[test]
fn a_probe_finds_limits_when_it_is_asked_to() {
    let (_reference, address) = reference(&[], Options::default());
    let endpoint = format!("http://{address}/event");

    let arguments = ["probe", &endpoint, "--json", "--limits", "--namespace", "default", "--namespace", "nowhere"];
    let ended = start_with(&arguments, &[("SYNCSPEC_API_KEY", KEY)]).end();

    let told: Value = serde_json::from_str(&ended.out).unwrap_or_else(|why| panic!("{why}\n{ended}"));
    assert_eq!(told["limits"]["events-per-publish"]["taken"], 5, "{ended}");
    assert_eq!(told["limits"]["events-per-publish"]["refused"], 6, "{ended}");
    assert_eq!(
        (&told["namespaces"]["default"], &told["namespaces"]["nowhere"]),
        (&true.into(), &false.into()),
        "{ended}"
    );
}

#[test]
fn a_probe_of_limits_needs_a_word_where_the_endpoint_is_elsewhere() {
    let ended = syncspec(&["probe", "https://example.invalid/graphql", "--limits", "--api-key", "k"]);

    ended.refuses("--i-own-this-endpoint");
}

#[test]
fn a_probe_of_nothing_exits_3() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let ended = syncspec(&["probe", &format!("http://{free}/graphql")]);

    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{ended}");
    assert!(ended.err.contains("refused the connection"), "{ended}");
}

// Init

#[test]
fn what_init_writes_is_taken_by_doctor_and_by_server() {
    for path in ["graphql", "event"] {
        let (_reference, address) = reference(&[], Options::default());
        let endpoint = format!("http://{address}/{path}");
        let file = fresh(&format!("init-{path}.toml"));
        let file = file.to_str().unwrap();
        let run = |arguments: &[&str]| start_with(arguments, &[("SYNCSPEC_API_KEY", KEY)]).end();

        let written = run(&["init", &endpoint, "--yes", "--output", file]);

        assert_eq!(written.code, Some(0), "{written}");
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains("[targets.main]") && text.contains("# ") && !text.contains(KEY), "{text}");
        assert_eq!(run(&["doctor", "--config", file]).code, Some(0));
        run(&["server", "--config", file, "-k", "control"]).exits(0, "no failure");
    }
}

#[test]
fn init_without_anything_says_what_it_assumed() {
    let file = fresh("assumed.toml");

    let written = syncspec(&["init", "--output", file.to_str().unwrap()]);

    assert_eq!(written.code, Some(0), "{written}");
    for assumed in
        ["assumed endpoint: http://127.0.0.1:8700/graphql", "assumed credentials: an API key in SYNCSPEC_API_KEY"]
    {
        assert!(written.out.contains(assumed), "{assumed}\n{written}");
    }
    Targets::read(Path::new(&file)).unwrap().target(None).unwrap();
}

#[test]
fn init_overwrites_only_when_it_is_forced_to() {
    let file = fresh("there.toml");
    fs::write(&file, "mine").unwrap();
    let path = file.to_str().unwrap();

    syncspec(&["init", "http://127.0.0.1:9/graphql", "--yes", "--output", path]).refuses("--force overwrites it");

    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    let forced = syncspec(&["init", "http://127.0.0.1:9/graphql", "--yes", "--force", "--output", path]);
    assert_eq!(forced.code, Some(0), "{forced}");
}

// Completions and manual

#[test]
fn completions_and_manual_name_every_command() {
    for (arguments, expected) in [
        (&["completions", "bash"][..], ["doctor", "probe", "baseline"]),
        (&["completions", "zsh"], ["doctor", "probe", "baseline"]),
        (&["man"], ["doctor", "probe", "SYNOPSIS"]),
    ] {
        let ended = syncspec(arguments);

        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(expected.iter().all(|word| ended.out.contains(word)), "{arguments:?}");
    }
    let folder = fresh("man");
    assert_eq!(syncspec(&["man", "--dir", folder.to_str().unwrap()]).code, Some(0));
    assert!(folder.join("syncspec-doctor.1").exists());
}
