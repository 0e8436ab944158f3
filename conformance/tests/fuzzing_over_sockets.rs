//! The fuzzer over sockets: what it finds, confirms and makes smaller, and what its file says later.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Url;
use syncspec::catalogue::faults;
use syncspec::fuzzing::Op;
use syncspec::fuzzing::file::{self, FindingFile};
use syncspec::fuzzing::generate::Bounds;
use syncspec::link::{DialOptions, Dialer};
use syncspec::reference::shell::{Options as ShellOptions, Running};
use syncspec::reference::{Config, Endpoint as Reference};
use syncspec::run::Endpoint;
use syncspec::run::fuzz::diff::{Compared, compare};
use syncspec::run::fuzz::{Again, FuzzOptions, Fuzzed, SHRINK_TIME, fuzz, replay};

const KEY: &str = "da2-fuzzedfuzzedfuzzedfuzzed";

fn start(saboteur: Option<&str>) -> Running {
    let bent: Vec<_> = faults().filter(|fault| Some(fault.name) == saboteur).map(|fault| fault.how).collect();
    assert_eq!(bent.len(), usize::from(saboteur.is_some()));
    let endpoint = Reference::new(Config::default().with_api_key(KEY), &bent).unwrap();
    Running::start(endpoint, "127.0.0.1:0", ShellOptions::default()).unwrap()
}

fn options(running: &Running) -> FuzzOptions {
    let host = running.address().to_string();
    let url = |path: &str| Url { secure: false, host: host.clone(), path: path.into() };
    let endpoint = Endpoint {
        dialect: Dialect::Events,
        http: url("/event"),
        realtime: url("/event/realtime"),
        auth_host: host.clone(),
        api_key: KEY.into(),
        keyring: Default::default(),
        denied: None,
        namespaces: vec!["default".into()],
        channel_prefix: String::new(),
        own: None,
        declared: Default::default(),
        probed: Default::default(),
        capabilities: Default::default(),
    };
    FuzzOptions {
        endpoint,
        embedded: false,
        seed: 1,
        // A bound for a machine that does much else: what ends a campaign is the number of its operations.
        time: Duration::from_secs(180),
        ops_max: 400,
        bounds: Bounds { large: false, patient: false, ..Bounds::default() },
        until_first: true,
        rate: None,
        shrink_time: SHRINK_TIME,
        step_timeout: Duration::from_millis(500),
        connections_max: 100_000,
        messages_max: 1_000_000,
        restart_cmd: None,
        restart_wait: Duration::from_millis(300),
    }
}

fn dialer() -> Dialer {
    Dialer::new(DialOptions {
        connect_to: Vec::new(),
        ca: None,
        insecure: false,
        connect_timeout: Duration::from_secs(5),
        answer_timeout: Duration::from_secs(5),
    })
    .unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn fuzzed(running: &Running) -> Fuzzed {
    let (_keep, interrupt) = tokio::sync::watch::channel(false);
    runtime().block_on(fuzz(options(running), dialer(), interrupt, &mut |_| {}))
}

fn syncspec(arguments: &[&str]) -> (Option<i32>, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_syncspec"))
        .args(arguments)
        .env("SYNCSPEC_API_KEY", KEY)
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap();
    (run.status.code(), String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr))
}

/// A directory of this test, without anything in it.
fn empty_dir(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("syncspec-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn again(running: &Running, file: &FindingFile) -> Result<Again, String> {
    runtime().block_on(replay(options(running), dialer(), file))
}

#[test]
fn a_saboteur_is_found_and_its_file_says_later_whether_it_is_mended() {
    let running = start(Some("events-index-as-text"));

    let done = fuzzed(&running);

    let (found, _) = done.caught.first().expect("something is found");
    assert_eq!((found.rule.as_str(), found.shown, found.tries), ("EVT-PUB-009", 3, 3));
    assert!(found.operations.len() <= 6, "{:?}", found.operations);
    assert!(!found.transcript.is_empty() && !found.to_text().contains(KEY));
    assert_eq!(done.exit(), 1);
    let read = file::read(&found.to_text()).unwrap();
    assert_eq!(again(&running, &read), Ok(Again::Fails { shown: 3, tries: 3 }));
    assert_eq!(again(&start(None), &read), Ok(Again::Fixed));
    drop(running);
}

#[test]
fn the_reference_endpoint_is_not_accused() {
    let done = fuzzed(&start(None));

    assert_eq!(done.caught, []);
    assert!(done.figures.operations >= 400 && done.figures.cells > 50, "{:?}", done.figures);
    assert_eq!(done.exit(), 0);
}

#[test]
fn a_server_that_dies_is_a_finding_and_ends_a_campaign_that_cannot_bring_it_back() {
    let done = fuzzed(&start(Some("events-malformed-json-kills")));

    let (found, _) = done.caught.first().expect("something is found");
    assert_eq!(found.rule, "SYN-ALIVE-002", "{}", found.detail);
    assert!(!found.transcript.is_empty(), "the last messages are kept");
    assert_eq!(done.caught.len(), 1, "its death is told once: {:?}", done.caught);
    assert_eq!(done.ended.as_deref(), Some("the target did not come back"));
}

#[test]
fn a_target_that_is_not_there_gets_no_statement() {
    let running = start(None);
    let options = options(&running);
    drop(running);
    let (_keep, interrupt) = tokio::sync::watch::channel(false);

    let done = runtime().block_on(fuzz(options, dialer(), interrupt, &mut |_| {}));

    assert!(done.unreachable.is_some());
    assert_eq!(done.exit(), 3);
}

#[test]
fn every_kept_finding_is_explained_and_fixed_on_the_reference_endpoint() {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/findings"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let sane = start(None);
    let mut files = 0;
    for (server, path) in [("amplify-appsync-simulator", "/graphql"), ("ministack", "/event")] {
        for file in std::fs::read_dir(root.join(server)).unwrap().map(|file| file.unwrap().path()) {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let finding = file::read(&std::fs::read_to_string(&file).unwrap()).unwrap();
            let row = readme.lines().find(|line| line.contains(&format!("`{server}/{name}`")));
            assert!(row.is_some_and(|row| row.contains(&finding.rule)), "{name} is not explained");
            assert_eq!((finding.shown, finding.tries), (3, 3), "{name}");

            let url = format!("http://{}{path}", sane.address());
            let (code, said) = syncspec(&["replay", file.to_str().unwrap(), "--endpoint", &url]);

            assert!(code == Some(0) && said.starts_with("fixed: "), "{name}: {code:?} {said}");
            files += 1;
        }
    }
    assert!(files >= 8, "{files}");
}

#[test]
fn the_command_replays_a_finding_from_its_file_alone() {
    let dir = empty_dir("findings");
    let running = start(Some("events-index-as-text"));
    let url = format!("http://{}/event", running.address());
    let shown = dir.display().to_string();

    let (code, said) = syncspec(&["fuzz", &url, "--until-first", "--seed", "1", "--findings", &shown]);

    assert_eq!(code, Some(1), "{said}");
    let files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|file| file.unwrap().path()).collect();
    let [path] = files.as_slice() else { panic!("{files:?}") };
    let path = path.to_str().unwrap();
    let (code, said) = syncspec(&["replay", path]);
    assert!(code == Some(1) && said.starts_with("still failing: EVT-PUB-009, 3 of 3 times"), "{code:?} {said}");
    let sane = start(None);
    let (code, said) = syncspec(&["replay", path, "--endpoint", &format!("http://{}/event", sane.address())]);
    assert!(code == Some(0) && said.starts_with("fixed: EVT-PUB-009"), "{code:?} {said}");
    drop(running);
    let (code, said) = syncspec(&["replay", path]);
    assert!(code == Some(3) && said.starts_with("cannot run: "), "{code:?} {said}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_finding_is_written_as_operations_as_a_dialogue_and_as_a_script() {
    let dir = empty_dir("emitted");
    let path = dir.join("finding.jsonl");
    let (found, _) = fuzzed(&start(Some("events-index-as-text"))).caught.remove(0);
    std::fs::write(&path, found.to_text()).unwrap();
    let emitted = |form: &str| {
        let (code, said) = syncspec(&["replay", path.to_str().unwrap(), "--emit", form]);
        assert_eq!(code, Some(0), "{form}: {said}");
        said
    };

    let operations: Vec<Op> = serde_json::from_str(&emitted("operations")).unwrap();
    let (dialogue, script) = (emitted("dialogue"), emitted("python"));

    assert_eq!(operations, found.operations);
    assert!(dialogue.starts_with("EVT-PUB-009 3 times of 3: ") && dialogue.contains("publish_success"), "{dialogue}");
    assert!(script.contains("EVT-PUB-009") && script.contains("websockets"), "{script}");
    std::fs::remove_dir_all(&dir).unwrap();
}

fn compared(one: &Running, other: &Running) -> Compared {
    let (_keep, interrupt) = tokio::sync::watch::channel(false);
    let other = (options(other).endpoint, dialer());
    runtime().block_on(compare(options(one), dialer(), other, interrupt)).unwrap()
}

#[test]
fn two_servers_that_do_the_same_have_no_difference() {
    let done = compared(&start(None), &start(None));

    assert_eq!((done.differences, done.ended), (vec![], None));
    assert!(done.dialogues > 3, "{}", done.dialogues);
}

#[test]
fn what_only_one_of_two_servers_answers_is_a_difference() {
    let done = compared(&start(None), &start(Some("events-unsubscribe-unanswered")));

    let unanswered = done.differences.iter().find(|differing| differing.operation.starts_with("unsubscribe "));
    let Some(differing) = unanswered else { panic!("{:?}", done.differences) };
    assert!(differing.one.iter().any(|answer| answer.contains(" unsubscribe_")), "{:?}", differing.one);
    assert_eq!(differing.other, [] as [String; 0]);
    assert!(matches!(differing.operations.last(), Some(Op::Unsubscribe { .. })), "{:?}", differing.operations);
}

/// The file of targets says where, with what key, and how much.
#[test]
fn the_target_of_a_file_is_fuzzed_within_its_guards() {
    let dir = empty_dir("fuzz-target");
    let running = start(None);
    let path = dir.join("targets.toml");
    let (url, key) = (format!("http://{}/event", running.address()), dir.join("key"));
    std::fs::write(&key, KEY).unwrap();
    let table = format!(
        "[targets.mine]\nendpoint = {url:?}\n\n[targets.mine.credentials]\napi-key = {{ file = \"key\" }}\n\n\
         [targets.mine.guards]\nmax-messages = 30\n"
    );
    std::fs::write(&path, table).unwrap();

    let (code, said) = syncspec(&["fuzz", "--config", path.to_str().unwrap(), "--target", "mine", "--seed", "1"]);

    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the guard of 30 messages") && !said.contains(KEY), "{said}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn what_is_not_on_this_machine_is_fuzzed_on_request_only() {
    let (code, said) = syncspec(&["fuzz", "http://192.0.2.1/event", "--api-key", "da2-x"]);

    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--i-own-this-endpoint") && !said.contains("da2-x"), "{said}");
}

#[test]
fn a_file_that_is_no_finding_is_refused_with_the_place() {
    let path = std::env::temp_dir().join(format!("syncspec-finding-{}.jsonl", std::process::id()));
    std::fs::write(&path, r#"{"kind":"syncspec-finding","model":1}"#).unwrap();

    let (code, said) = syncspec(&["replay", path.to_str().unwrap()]);

    std::fs::remove_file(&path).unwrap();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("missing field"), "{said}");
}
