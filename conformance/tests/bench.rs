//! `syncspec bench` from outside: what it refuses, what it starts, what it writes, and how shards add up.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use peers::command::{Ended, fresh, start, start_with, syncspec};
use peers::targets::KEY;
use rustix::process::Signal;
use serde_json::Value;
use syncspec::fault::{Change, Edit, How, Nth};
use syncspec::reference::shell::{Options, Running};
use syncspec::reference::{Config, Endpoint};

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}\n{ended}"))
}

/// A void run exits with 5, and only that.
#[track_caller]
fn assert_measured(ended: &Ended, report: &Value) {
    let expected = if report["generator"]["void"].is_null() { 0 } else { 5 };
    assert_eq!(ended.code, Some(expected), "{ended}");
    assert_eq!(report["exit"]["code"], expected);
}

#[test]
fn without_an_endpoint_one_is_started_as_a_process_and_that_is_said() {
    for dialect in ["events", "graphql"] {
        let ended = syncspec(&[
            "bench",
            "--dialect",
            dialect,
            "--duration",
            "1s",
            "--subscribers",
            "5",
            "--rate",
            "50",
            "--json",
            "--fail-if",
            "lost>0",
            "--drain",
            "30s",
        ]);

        let report = json(&ended);
        assert_measured(&ended, &report);
        assert!(ended.err.contains("started syncspec serve as a process of its own: http://127.0.0.1:"), "{ended}");
        assert_eq!(report["counts"]["published"], 50, "{ended}");
        assert_eq!(report["counts"]["deliveries"], 250, "{ended}");
        assert_eq!(report["dialect"], dialect);
        assert_eq!(report["thresholds"][0]["judged"], "kept");
    }
}

#[test]
fn reports_are_written_in_every_form() {
    let (page, text, log) = (fresh("bench.html"), fresh("bench.txt"), fresh("bench.hlog"));
    let of = |form: &str, path: &std::path::Path| format!("{form}={}", path.display());
    let ended = syncspec(&[
        "bench",
        "--mode",
        "churn",
        "--duration",
        "1s",
        "--subscribers",
        "4",
        "--quiet",
        "--report",
        &of("html", &page),
        "--report",
        &of("text", &text),
        "--report",
        "json=-",
        "--histogram",
        log.to_str().unwrap(),
    ]);

    assert_measured(&ended, &json(&ended));
    assert_eq!(ended.err, "");
    assert!(fs::read_to_string(&page).unwrap().contains("<svg"));
    assert!(fs::read_to_string(&text).unwrap().lines().last().unwrap().starts_with("exit "));
    assert!(fs::read_to_string(&log).unwrap().contains("Tag=response,"));
}

#[test]
fn what_is_not_on_this_machine_is_not_loaded_without_a_word_from_its_owner_nor_beyond_the_limits() {
    // An address for documentation; it is not dialled.
    let url = "http://192.0.2.1/event";
    let refused = |more: &[&str], why| {
        start_with(&[&["bench", url], more].concat(), &[("SYNCSPEC_API_KEY", KEY)]).end().refuses(why)
    };

    refused(&[], "give --i-own-this-endpoint");
    refused(&["--i-own-this-endpoint", "--subscribers", "1000"], "more than the 1,000 of --max-connections");
    refused(&["--i-own-this-endpoint", "--rate", "1000000"], "more than the 100,000 of --max-messages");
    refused(&["--i-own-this-endpoint", "--duration", "11m"], "longer than the 10 minutes of --max-minutes");
}

#[test]
fn wrong_arguments_of_a_bench_are_refused_with_their_place() {
    for (arguments, why) in [
        (&["bench", "--fail-if", "p99>>5ms"][..], "character 5: expected a number"),
        (&["bench", "--fail-if", "p98>5ms"], "character 1: expected a stat (p50,"),
        (&["bench", "--payload", "1m"], "expected bytes from"),
        (&["bench", "--report", "pdf=x"], "expected html=PATH"),
        (&["bench", "http://127.0.0.1:1/event", "--api-key", "k", "--channels", "200"], "--channels: more channels"),
        (&["bench", "http://127.0.0.1:1/event", "--shard", "1/2"], "--start-at"),
        (&["bench", "merge", "no-such.hlog"], "no-such.hlog: No such file"),
        (&["bench", "merge", "Cargo.toml"], "Cargo.toml: expected a log of syncspec bench"),
    ] {
        syncspec(arguments).refuses(why);
    }
}

#[test]
fn an_interrupt_gives_what_was_measured_until_then() {
    let mut running = start(&["bench", "--duration", "1h", "--subscribers", "3"]);
    running.until_told("measuring");
    running.signal(Signal::INT);

    running.end().exits(130, "what was measured until then is shown");
}

#[test]
fn what_no_shard_can_see_is_counted_once_all_are_merged() {
    // Each subscriber loses one event, after all probes.
    let drop = How::Edit(Edit {
        dialect: appsync_protocol::dialect::Dialect::Events,
        word: "data",
        nth: Nth::Only(80),
        change: Change::Drop,
    });
    let endpoint = Endpoint::new(Config::default().with_api_key(KEY), &[drop]).unwrap();
    let endpoint = Running::start(endpoint, "127.0.0.1:0", Options::default()).unwrap();
    let url = format!("http://{}/event", endpoint.address());

    let files: Vec<String> = (1..=3).map(|i| fresh(&format!("shard-{i}.hlog")).to_str().unwrap().to_owned()).collect();
    // A busy machine gets another try with more time to be ready.
    let ended = [6, 30, 120]
        .into_iter()
        .map(|ahead| shards(&url, &files, ahead))
        .find(|all| all.iter().all(|ended| ended.code != Some(5) || !ended.err.contains("--start-at passed")));
    let ended = ended.expect("the shards are ready in time");

    for ended in &ended {
        let report = json(ended);
        assert_eq!(report["counts"]["subscribed"], 10, "{ended}");
        assert_eq!(report["plan"]["subscribers"], "30");
    }
    let merged = syncspec(
        &[
            &["bench", "merge", "--json", "--fail-if", "lost>0"][..],
            &files.iter().map(String::as_str).collect::<Vec<_>>(),
        ]
        .concat(),
    );
    let report = json(&merged);
    assert_eq!(merged.code, Some(1), "{merged}");
    assert_eq!(report["counts"]["lost"], 30, "{merged}");
    assert_eq!(report["counts"]["published"], 120);
    assert_eq!(report["counts"]["deliveries"], 120 * 30 - 30);
    assert_eq!(report["times"]["response"]["count"], 120 * 30 - 30);
    let of_shards: u64 = ended.iter().map(|ended| json(ended)["times"]["response"]["count"].as_u64().unwrap()).sum();
    assert_eq!(report["times"]["response"]["count"], of_shards);

    syncspec(&["bench", "merge", &files[0], &files[2]]).refuses("shard 2 is not among the files");
}

/// Three processes, each a third of the run, which starts so many seconds from now.
fn shards(url: &str, files: &[String], ahead: u64) -> Vec<Ended> {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(ahead);
    let at = at.as_secs().to_string();
    let running: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            let shard = format!("{}/3", index + 1);
            let arguments = [
                "bench",
                url,
                "--shard",
                &shard,
                "--start-at",
                &at,
                "--seed",
                "5",
                "--histogram",
                file,
                "--subscribers",
                "30",
                "--publishers",
                "3",
                "--rate",
                "120",
                "--duration",
                "1s",
                "--drain",
                "3s",
                "--json",
                "--threads",
                "1",
            ];
            start_with(&arguments, &[("SYNCSPEC_API_KEY", KEY)])
        })
        .collect();
    running.into_iter().map(peers::command::Running::end).collect()
}
