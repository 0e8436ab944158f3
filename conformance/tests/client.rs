//! `syncspec subscribe` and `syncspec publish` from outside: what they print, how they end, what a server sees of them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use std::net::TcpListener;
use std::time::{SystemTime, UNIX_EPOCH};

use appsync_protocol::server::Mode;
use peers::command::{Ended, fed, start, start_with, syncspec};
use peers::targets::{KEY, reference};
use peers::{Asked, Caller, Peer, Said, acknowledgement};
use rustix::process::Signal;
use serde_json::{Value, json};
use syncspec::auth::{AllowedModes, Settings};
use syncspec::reference::shell::{Options, Running};
use syncspec::reference::{Config, Endpoint};
use tokio::sync::mpsc;

const NOTES: &str = "subscription { onNote(board: \"b\") { id text } }";
const ADD: &str = "mutation A($text: String) { addNote(board: \"b\", text: $text) { id board text } }";

fn endpoint() -> (Running, String, String) {
    let (running, address) = reference(&[], Options::default());
    (running, format!("http://{address}/event"), format!("http://{address}/graphql"))
}

fn lines(ended: &Ended) -> Vec<&str> {
    ended.out.lines().collect()
}

#[track_caller]
fn ends(ended: &Ended, code: i32, told: &str) {
    assert_eq!(ended.code, Some(code), "{ended}");
    assert!(ended.err.contains(told), "expected {told}\n{ended}");
    assert!(!ended.err.contains(KEY) && !ended.out.contains(KEY), "{ended}");
}

// Receiving and publishing

#[test]
fn events_of_two_channels_are_printed_as_records_with_their_topic() {
    let (_running, events, _) = endpoint();
    let both = ["subscribe", &events, "/default/news", "/default/room/*", "--api-key", KEY, "--json", "--count", "2"];
    let mut subscriber = start(&[both.as_slice(), &["-v"]].concat());
    subscriber.until_told("subscribed: /default/news");
    subscriber.until_told("subscribed: /default/room/*");

    let first = syncspec(&["publish", &events, "/default/news", r#"{ "b": 1.0, "a": "x  y" }"#, "--api-key", KEY]);
    subscriber.until("/default/news");
    let second = syncspec(&["publish", &events, "/default/room/1", "[7]", "--api-key", KEY, "--http"]);
    let ended = subscriber.end();

    ends(&first, 0, "1 of 1 event accepted");
    ends(&second, 0, "1 of 1 event accepted");
    assert!(first.out.starts_with("event 1 accepted as "), "{first}");
    ends(&ended, 0, "2 events in ");
    let records: Vec<Value> = lines(&ended).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&records[0]["topic"], &records[0]["id"]), (&json!("/default/news"), &json!("sub-1")));
    assert_eq!((&records[1]["topic"], &records[1]["event"]), (&json!("/default/room/*"), &json!([7])));
    assert!(ended.out.contains(r#""event":{"b":1.0,"a":"x  y"}"#), "{ended}");
    assert!(humantime::parse_rfc3339(records[0]["at"].as_str().unwrap()).is_ok(), "{ended}");
}

#[test]
fn the_data_of_a_graphql_subscription_is_printed() {
    let (_running, _, graphql) = endpoint();
    let mut subscriber = start(&["subscribe", &graphql, NOTES, "--api-key", KEY, "--count", "1", "-v"]);
    subscriber.until_told("subscribed: ");

    let published = syncspec(&["publish", &graphql, ADD, "--variables", r#"{"text": "hello"}"#, "--api-key", KEY]);
    let ended = subscriber.end();

    assert_eq!(published.code, Some(0), "{published}");
    let data: Value = serde_json::from_str(&published.out).unwrap();
    assert_eq!(data["addNote"]["text"], "hello", "{published}");
    ends(&ended, 0, "1 event in ");
    let heard: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(heard["onNote"]["text"], "hello", "{ended}");
}

#[test]
fn documents_and_variables_may_stand_in_files() {
    let (_running, _, graphql) = endpoint();
    let [document, variables] = ["client-document.graphql", "client-variables.json"].map(peers::command::fresh);
    std::fs::write(&document, ADD).unwrap();
    std::fs::write(&variables, "{\n  \"text\": \"from a file\"\n}\n").unwrap();
    let [document, variables] = [document, variables].map(|path| format!("@{}", path.display()));

    let ended = syncspec(&["publish", &graphql, &document, "--variables", &variables, "--api-key", KEY, "--json"]);

    assert_eq!(ended.code, Some(0), "{ended}");
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(answer["data"]["addNote"]["text"], "from a file", "{ended}");
}

#[test]
fn lines_of_standard_input_are_published_in_their_order() {
    let (_running, events, _) = endpoint();
    for transport in [&[][..], &["--http"]] {
        let mut subscriber = start(&["subscribe", &events, "/default/log", "--api-key", KEY, "--count", "7", "-v"]);
        subscriber.until_told("subscribed: ");

        let arguments = ["publish", &events, "/default/log", "-", "--json", "--api-key", KEY];
        let published = fed(&[arguments.as_slice(), transport].concat(), "1\n2\n\n3\n4\n5\n6\n7\n");
        let heard = subscriber.end();

        ends(&published, 0, "7 of 7 events accepted");
        let records: Vec<Value> = lines(&published).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(records.iter().all(|record| record["accepted"] == true), "{published}");
        assert_eq!(records.last().unwrap()["event"], 8, "the line, blank ones counted: {published}");
        assert_eq!(lines(&heard), ["1", "2", "3", "4", "5", "6", "7"], "{heard}");
    }
}

#[test]
fn plain_text_is_published_as_json_strings_and_printed_as_such() {
    let (_running, events, _) = endpoint();
    let mut subscriber = start(&["subscribe", &events, "/default/log", "--api-key", KEY, "--count", "1", "-v"]);
    subscriber.until_told("subscribed: ");

    let published = syncspec(&["publish", &events, "/default/log", "say \"hi\"", "--text", "--api-key", KEY]);

    ends(&published, 0, "1 of 1 event accepted");
    assert_eq!(subscriber.end().out, r#""say \"hi\"""#);
}

// Refusals

#[test]
fn a_wrong_key_is_told_with_type_and_message_and_not_tried_again() {
    let (running, events, graphql) = endpoint();
    for arguments in
        [["subscribe", &events, "/default/news"], ["subscribe", &graphql, NOTES], ["publish", &events, "/default/news"]]
    {
        let event: &[&str] = if arguments[0] == "publish" { &["1"] } else { &[] };
        let ended = syncspec(&[&arguments, event, &["--api-key", "da2-wrong", "-v"]].concat());

        ends(&ended, 1, "the endpoint refuses the connection: UnauthorizedException: ");
        assert_eq!(ended.err.matches("connecting to").count(), 1, "{ended}");
    }
    let over_http = syncspec(&["publish", &events, "/default/news", "1", "--http", "--api-key", "da2-wrong"]);
    let mutation = syncspec(&["publish", &graphql, ADD, "--api-key", "da2-wrong"]);

    ends(&over_http, 1, "0 of 1 event accepted");
    assert!(over_http.out.starts_with("event 1 refused: UnauthorizedException: "), "{over_http}");
    ends(&mutation, 1, "UnauthorizedException: ");
    drop(running);
}

#[test]
fn a_refused_subscription_ends_the_command_and_names_the_reason() {
    let (_running, events, graphql) = endpoint();
    let unknown = "subscription { noSuchField { id } }";

    let field = syncspec(&["subscribe", &graphql, unknown, "--api-key", KEY, "-v"]);
    let namespace = syncspec(&["subscribe", &events, "/default/a", "/nowhere/a", "--api-key", KEY]);

    ends(&field, 1, &format!("the server refuses {unknown}: "));
    assert!(field.err.contains("noSuchField"), "{field}");
    ends(&namespace, 1, "the server refuses /nowhere/a: UnauthorizedException");
}

#[test]
fn a_refused_publish_and_a_failed_mutation_exit_1() {
    let (_running, events, graphql) = endpoint();

    let publish = syncspec(&["publish", &events, "/nowhere/a", "1", "2", "--api-key", KEY]);
    let mutation = syncspec(&["publish", &graphql, "mutation { noSuchField }", "--api-key", KEY]);

    ends(&publish, 1, "0 of 2 events accepted");
    assert!(lines(&publish).iter().all(|line| line.contains(" refused: UnauthorizedException")), "{publish}");
    ends(&mutation, 1, "noSuchField");
}

#[test]
fn wrong_arguments_exit_2_before_anything_is_dialled() {
    let (events, graphql) = ("http://127.0.0.1:9/event", "http://127.0.0.1:9/graphql");
    for (arguments, reason) in [
        (vec!["publish", events, "/a", "{a:1}", "--api-key", KEY], "EVENT 1 is not JSON"),
        (vec!["publish", events, "/a", "1", "hello", "--api-key", KEY], "'\"hello\"', or --text"),
        (vec!["publish", events, "/a", "--api-key", KEY], "no EVENT"),
        (vec!["publish", events, "/a", "-", "1", "--api-key", KEY], "cannot be mixed"),
        (vec!["publish", graphql, "mutation { a }", "1", "--api-key", KEY], "EVENT is for Events"),
        (vec!["publish", events, "/a", "1", "--variables", "{}", "--api-key", KEY], "--variables is for GraphQL"),
        (vec!["subscribe", graphql, NOTES, "--variables", "[1]", "--api-key", KEY], "expected a JSON object"),
        (vec!["subscribe", graphql, "@no/such/file", "--api-key", KEY], "no/such/file"),
        (vec!["subscribe", graphql, " ", "--api-key", KEY], "the document is empty"),
        (vec!["subscribe", events, "/a"], "no credentials; give --api-key, --token or --iam"),
        (vec!["subscribe", events, "/a", "--api-key", KEY, "--token", "t"], "cannot be used with"),
        (vec!["subscribe", events, "/a", "--api-key", KEY, "--count", "0"], "--count"),
        (vec!["subscribe", events, "--api-key", KEY], "<TOPIC>"),
        (vec!["subscribe", "http://127.0.0.1:9/api", "/a", "--api-key", KEY], "--dialect"),
    ] {
        syncspec(&arguments).refuses(reason);
    }
    let both = [("SYNCSPEC_API_KEY", "k"), ("SYNCSPEC_TOKEN", "t")];
    start_with(&["subscribe", events, "/a"], &both).end().refuses("both SYNCSPEC_API_KEY and SYNCSPEC_TOKEN are set");
}

#[test]
fn a_line_that_is_not_json_ends_the_input_after_what_came_before_it() {
    let (_running, events, _) = endpoint();

    let ended = fed(&["publish", &events, "/default/log", "-", "--api-key", KEY], "1\n2\n{oops}\n4\n");

    ends(&ended, 2, "line 3 is not JSON");
    assert_eq!(lines(&ended).len(), 2, "{ended}");
}

// Not reached, or not in time

#[test]
fn an_unreachable_host_exits_3_with_the_usual_cause() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (events, graphql) = (format!("http://{closed}/event"), format!("http://{closed}/graphql"));
    for arguments in [
        vec!["subscribe", events.as_str(), "/default/a"],
        vec!["subscribe", &graphql, NOTES],
        vec!["publish", &events, "/default/a", "1"],
        vec!["publish", &events, "/default/a", "1", "--http"],
        vec!["publish", &graphql, ADD],
    ] {
        let ended = syncspec(&[arguments.as_slice(), &["--api-key", KEY]].concat());

        ends(&ended, 3, "refused the connection; usually nothing listens there");
    }
}

#[test]
fn a_path_without_a_real_time_endpoint_exits_3_with_the_status() {
    let (_running, events, _) = endpoint();
    let elsewhere = events.replace("/event", "/elsewhere/event");

    let ended = syncspec(&["subscribe", &elsewhere, "/default/a", "--api-key", KEY]);

    ends(&ended, 3, "expected 101 for the upgrade; got status 404");
}

#[test]
fn time_that_is_up_before_the_count_exits_1_and_without_a_count_0() {
    let (_running, events, _) = endpoint();
    let waits = ["subscribe", &events, "/default/a", "--api-key", KEY, "--timeout", "3s"];

    let counting = start(&[waits.as_slice(), &["--count", "1"]].concat());
    let listening = start(&waits);

    ends(&counting.end(), 1, "expected 1 event within 3s; got 0 events");
    ends(&listening.end(), 0, "0 events in ");
}

// Losses and the way out, with servers made of bytes

/// Answers like a server that agrees to everything; `None` when the client is gone. Every message is passed on.
async fn obey(caller: &mut Caller, asked: &Asked, seen: &mpsc::UnboundedSender<Value>) -> Option<Value> {
    loop {
        match caller.said().await? {
            Said::Message { payload, .. } => {
                let message: Value = serde_json::from_slice(&payload).ok()?;
                seen.send(message.clone()).ok()?;
                if let Some(answer) = acknowledgement(asked, &payload) {
                    caller.say(&answer.to_string()).await?;
                }
                if message["type"] == "subscribe" || message["type"] == "start" {
                    return Some(message["id"].clone());
                }
            }
            Said::Close(code) => {
                seen.send(json!({ "close": code })).ok()?;
                caller.write(&peers::frame(0x88, &code)).await?;
                return None;
            }
            Said::Ping(_) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_drop_it_connects_and_subscribes_again_by_itself() {
    for (path, topic) in [("event", "/default/a"), ("graphql", NOTES)] {
        let (seen, mut messages) = mpsc::unbounded_channel();
        let peer = Peer::start(move |mut caller: Caller| {
            let seen = seen.clone();
            async move {
                let asked = caller.asked().await?;
                caller.agree(&asked).await?;
                let id = obey(&mut caller, &asked, &seen).await?;
                if caller.number == 0 {
                    return None;
                }
                let event = json!({ "type": "data", "id": id, "event": "\"again\"", "payload": { "data": "again" } });
                caller.say(&event.to_string()).await?;
                obey(&mut caller, &asked, &seen).await.map(|_| ())
            }
        })
        .await;

        let url = format!("http://{}/{path}", peer.address());
        let ended = tokio::task::spawn_blocking(move || {
            syncspec(&["subscribe", &url, topic, "--api-key", KEY, "--count", "1", "-v"])
        });
        let ended = ended.await.unwrap();

        ends(&ended, 0, "1 event in ");
        assert_eq!(ended.out, r#""again""#, "{ended}");
        assert!(ended.err.contains("lost: transport ended without a close frame; connecting again in"), "{ended}");
        assert!(ended.err.contains(&format!("subscribed again: {topic}")), "{ended}");
        assert!(ended.err.contains("connected again 1 time"), "{ended}");
        let mut asked = 0;
        while let Ok(message) = messages.try_recv() {
            asked += usize::from(message["type"] == "subscribe" || message["type"] == "start");
        }
        assert_eq!(asked, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_ends_the_subscription_closes_with_1000_and_exits_0() {
    for (path, topic, end) in [("event", "/default/a", "unsubscribe"), ("graphql", NOTES, "stop")] {
        let (seen, mut messages) = mpsc::unbounded_channel();
        let peer = Peer::start(move |mut caller: Caller| {
            let seen = seen.clone();
            async move {
                let asked = caller.asked().await?;
                caller.agree(&asked).await?;
                obey(&mut caller, &asked, &seen).await?;
                obey(&mut caller, &asked, &seen).await.map(|_| ())
            }
        })
        .await;
        let url = format!("http://{}/{path}", peer.address());

        let ended = tokio::task::spawn_blocking(move || {
            let mut running = start(&["subscribe", &url, topic, "--api-key", KEY, "-v"]);
            running.until_told("subscribed: ");
            running.signal(Signal::INT);
            running.end()
        });
        let ended = ended.await.unwrap();

        ends(&ended, 0, "0 events in ");
        assert!(ended.err.contains("unsubscribed: "), "{ended}");
        let mut words = Vec::new();
        while let Ok(message) = messages.try_recv() {
            words.push(message);
        }
        let [.., last_but_one, last] = words.as_slice() else { panic!("{words:?}") };
        assert_eq!(last_but_one["type"], end, "{words:?}");
        assert_eq!(last["close"], json!(1000u16.to_be_bytes()), "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_whose_answer_is_lost_is_reported_and_not_repeated() {
    let (seen, mut messages) = mpsc::unbounded_channel();
    let peer = Peer::start(move |mut caller: Caller| {
        let seen = seen.clone();
        async move {
            let asked = caller.asked().await?;
            caller.agree(&asked).await?;
            loop {
                let Said::Message { payload, .. } = caller.said().await? else { return None };
                let message: Value = serde_json::from_slice(&payload).ok()?;
                seen.send(message.clone()).ok()?;
                if message["type"] == "publish" && caller.number == 0 {
                    return None;
                }
                caller.say(&acknowledgement(&asked, &payload)?.to_string()).await?;
            }
        }
    })
    .await;

    let url = format!("http://{}/event", peer.address());
    let events = ["1", "2", "3", "4", "5", "6"];
    let ended = tokio::task::spawn_blocking(move || {
        syncspec(&[&["publish", &url, "/default/a", "--api-key", KEY, "-v"], events.as_slice()].concat())
    });
    let ended = ended.await.unwrap();

    ends(&ended, 1, "1 of 6 events accepted");
    let out = lines(&ended);
    assert!(out[..5].iter().all(|line| line.contains("unknown: the connection was lost before the answer")), "{ended}");
    assert!(out[5].starts_with("event 6 accepted"), "{ended}");
    let mut published = Vec::new();
    while let Ok(message) = messages.try_recv() {
        if message["type"] == "publish" {
            published.push(message["events"].clone());
        }
    }
    assert_eq!(published, [json!(["1", "2", "3", "4", "5"]), json!(["6"])]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_says_shows_no_key_and_commands_no_terminal() {
    let peer = Peer::start(|mut caller: Caller| async move {
        let asked = caller.asked().await?;
        caller.agree(&asked).await?;
        caller.said().await?;
        let error = json!({ "errorType": "UnauthorizedException", "message": format!("\u{1b}]0;x\u{7} {KEY}") });
        caller.say(&json!({ "type": "connection_error", "errors": [error] }).to_string()).await
    })
    .await;

    let url = format!("http://{}/event", peer.address());
    let ended = tokio::task::spawn_blocking(move || syncspec(&["subscribe", &url, "/default/a", "--api-key", KEY]));
    let ended = ended.await.unwrap();

    ends(&ended, 1, "UnauthorizedException");
    assert!(!ended.err.contains('\u{1b}') && !ended.err.contains('\u{7}'), "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_in_place_of_an_acknowledgement_is_a_refusal() {
    let peer = Peer::start(|mut caller: Caller| async move {
        let asked = caller.asked().await?;
        caller.agree(&asked).await?;
        caller.said().await?;
        caller.write(&peers::frame(0x88, &1002u16.to_be_bytes())).await?;
        caller.listen().await
    })
    .await;

    let url = format!("http://{}/graphql", peer.address());
    let ended = tokio::task::spawn_blocking(move || syncspec(&["subscribe", &url, NOTES, "--api-key", KEY]));
    let ended = ended.await.unwrap();

    ends(&ended, 1, "closed by the server with 1002 before connection_ack; some servers refuse credentials");
}

// Credentials

#[test]
fn tokens_and_aws_signatures_are_taken_on_every_carrier() {
    let auth = "[lambda]\ntokens = [{ token = \"custom-token-of-tests\", allow = true }]\n\
                [iam]\nregion = \"eu-west-1\"\n\
                keys = [{ access-key-id = \"AKIAEXAMPLE\", secret-access-key = \"secretsecretsecret\" }]\n";
    let mut settings: Settings = toml::from_str(auth).unwrap();
    settings.prepare(std::path::Path::new(".")).unwrap();
    let config = Config {
        auth: settings,
        modes: AllowedModes::everywhere(&[Mode::Lambda, Mode::Iam]),
        epoch_unix_s: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
        ..Config::default()
    };
    let running = Running::start(Endpoint::new(config, &[]).unwrap(), "127.0.0.1:0", Options::default()).unwrap();
    let (events, graphql) =
        (format!("http://{}/event", running.address()), format!("http://{}/graphql", running.address()));
    let token = [("SYNCSPEC_TOKEN", "custom-token-of-tests")];
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secretsecretsecret"),
        ("AWS_REGION", "eu-west-1"),
    ];

    for (variables, mode) in [(token.as_slice(), &[][..]), (&keys, &["--iam"])] {
        for carrier in ["subprotocol", "headers", "query"] {
            let (url, topic) = if carrier == "query" { (&graphql, NOTES) } else { (&events, "/default/a") };
            let arguments = ["subscribe", url, topic, "--carrier", carrier, "--count", "1", "-v"];
            let mut subscriber = start_with(&[arguments.as_slice(), mode].concat(), variables);
            subscriber.until_told("subscribed: ");

            let publish: &[&str] = match carrier {
                "query" => &["publish", &graphql, ADD],
                "headers" => &["publish", &events, "/default/a", "1", "--http"],
                _ => &["publish", &events, "/default/a", "1"],
            };
            let published = start_with(&[publish, mode].concat(), variables).end();

            assert_eq!(published.code, Some(0), "{published}");
            ends(&subscriber.end(), 0, "1 event in ");
        }
    }
    let wrong = [("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "another"), keys[2]];
    let refused = start_with(&["subscribe", &events, "/default/a", "--iam"], &wrong).end();
    ends(&refused, 1, "the endpoint refuses the connection: ");
}
