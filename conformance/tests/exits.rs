//! The command from outside: every exit code, its reason in the last line, and no secret anywhere.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use std::fs;
use std::net::TcpListener;

use appsync_protocol::requirement::Requirement;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use peers::command::{fresh, start, start_with, syncspec};
use peers::targets::{KEY, baseline, get, read_json, reference, tls};
use peers::{Caller, Peer, Said};
use rustix::process::Signal;
use serde_json::{Value, json};
use syncspec::catalogue::{faults, scenarios};
use syncspec::reference::shell::Options;
use syncspec::report::explain::explain;

const CONTROL: &str = "graphql/control/refuses-a-wrong-key";

/// A silence is shorter than by default.
const SOON: &str = "--step-timeout=1s";

// 0: everything selected passes

#[test]
fn a_run_without_a_failure_exits_0() {
    let ended = syncspec(&["server", "--filter", "control"]);

    ended.exits(0, "no failure in 4 cases");
    assert!(ended.out.contains("judging the built-in reference endpoint"), "{ended}");
}

#[test]
fn a_failure_that_the_baseline_lists_exits_0() {
    let (reference, _) = reference(&["events-any-key-connects"], Options::default());
    let baseline = baseline("listed.toml", "events/control/refuses-a-wrong-key", "fail");

    let url = format!("http://{}/event", reference.address());
    let ended = syncspec(&["server", &url, "--api-key", KEY, "-k", "control", "--baseline", &baseline, SOON]);

    ended.exits(0, "no failure in 1 case but 1 as the baseline says");
}

// 1: a failure

#[test]
fn a_failure_exits_1() {
    for fault in ["events-any-key-connects", "events-leak-to-another-channel"] {
        let (reference, _) = reference(&[fault], Options::default());

        let url = format!("http://{}/event", reference.address());
        let ended = syncspec(&["server", &url, "--api-key", KEY, "--filter", "control", SOON]);

        ended.exits(1, "1 failure");
        assert!(ended.out.contains("FAIL events/control/"), "{ended}");
    }
}

#[test]
fn a_case_that_is_not_listed_and_fails_exits_1() {
    let (reference, _) = reference(&["events-any-key-connects"], Options::default());
    let baseline = baseline("other.toml", "events/control/delivers-to-the-right-subscription", "fail");

    let url = format!("http://{}/event", reference.address());
    let ended = syncspec(&["server", &url, "--api-key", KEY, "-k", "control", "--baseline", &baseline, SOON]);

    ended.exits(1, "1 regression");
}

// 2: wrong arguments or files

#[test]
fn arguments_that_make_no_sense_exit_2_before_anything_is_run() {
    let url = "http://127.0.0.1:9/graphql";
    for (arguments, reason) in [
        (vec!["127.0.0.1/graphql"], "ENDPOINT \"127.0.0.1/graphql\""),
        (vec!["ftp://127.0.0.1/graphql", "--api-key", "k"], "ENDPOINT"),
        (vec!["http://127.0.0.1:9/elsewhere", "--api-key", "k"], "--dialect"),
        (vec![url], "no API key; give --api-key or set SYNCSPEC_API_KEY, or give --token or --iam"),
        (vec![url, "--api-key", "k", "--connect-to", "localhost"], "--connect-to \"localhost\": expected HOST:PORT"),
        (vec![url, "--api-key", "k", "--realtime", "nowhere"], "--realtime \"nowhere\""),
        (vec![url, "--api-key", "k", "--ca", "no/such/file.pem"], "--ca no/such/file.pem"),
        (vec![url, "--api-key", "k", "--ka", "1s"], "--ka is for the built-in endpoint"),
        (vec!["--report", "report.json"], "expected FORMAT=PATH"),
        (vec!["--report", "json=no/such/directory/report.json"], "--report \"json=no/such/directory/report.json\""),
        (vec!["--baseline", "no/such/baseline.toml"], "--baseline no/such/baseline.toml"),
        (vec!["--write-baseline", "no/such/directory/b.toml"], "--write-baseline no/such/directory/b.toml"),
        (vec!["--step-timeout", "soon"], "--step-timeout"),
        (vec!["--no-such-option"], "--no-such-option"),
        (
            vec!["-k", "control,zzz-nothing-like-this"],
            "\"zzz-nothing-like-this\": no scenario has this in its id; `syncspec",
        ),
        (vec!["-k", "unsubscribe/acknowleged"], "near to it are events/unsubscribe/acknowledged"),
        (vec!["-k", "=control"], "near to it are "),
    ] {
        syncspec(&[&["server"], arguments.as_slice()].concat()).refuses(reason);
    }
}

#[test]
fn a_report_of_an_unknown_format_exits_2_and_leaves_no_file() {
    let path = fresh("report.xml");

    syncspec(&["server", "--report", &format!("xml={}", path.display())])
        .refuses("expected ndjson or one of json, junit");

    assert!(!path.exists());
}

#[test]
fn a_bad_baseline_exits_2_with_the_line() {
    let path = fresh("bad.toml");
    fs::write(&path, "target = \"reference\"\n\n[[case]]\nid = \"x\"\nverdict = \"green\"\nreason = \"y\"\n").unwrap();

    syncspec(&["server", "--baseline", path.to_str().unwrap()]).refuses("bad.toml:5: verdict: expected one of pass");
}

#[test]
fn a_report_that_cannot_be_written_exits_2() {
    // Can be opened, but takes nothing.
    for report in ["json=/dev/full", "junit=/dev/full", "ndjson=/dev/full"] {
        let ended = syncspec(&["server", "--filter", CONTROL, "--report", report]);

        ended.exits(2, "");
    }
}

#[test]
fn a_json_report_tells_the_exit_code_of_a_run_whose_other_report_cannot_be_written() {
    for other in ["--report=junit=/dev/full", "--report=ndjson=/dev/full", "--report=json=/dev/full"] {
        let path = fresh("told.json");
        let json = format!("--report=json={}", path.display());

        syncspec(&["server", "--filter", CONTROL, &json, other]).exits(2, "");

        assert_eq!(read_json(&path)["exit"]["code"], 2, "{other}");
    }
}

#[test]
fn a_baseline_that_is_to_be_written_over_stays_until_the_run_is_over() {
    let path = fresh("kept.toml");
    fs::write(&path, "kept").unwrap();

    syncspec(&["server", "--write-baseline", path.to_str().unwrap(), "--baseline", "no/such/file"]).refuses("no/such");

    assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
}

// 3: no statement about the target

#[test]
fn a_target_that_cannot_be_judged_exits_3_with_the_usual_cause() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (plain, address) = reference(&[], Options::default());
    let (secure, secured) = reference(&[], Options { tls: Some(tls()), ..Options::default() });
    let cases = [
        (format!("http://{closed}/graphql"), KEY, "refused the connection; usually nothing listens there"),
        (format!("http://{address}/graphql"), "da2-another", "the target refuses the credentials: connection_error"),
        (format!("http://{address}/event"), "da2-another", "the target refuses the credentials: connection_error"),
        (format!("http://{address}/nothing/graphql"), KEY, "/nothing/graphql/realtime; got status 404"),
        (format!("https://{address}/graphql"), KEY, "does not speak TLS"),
        (format!("http://{secured}/graphql"), KEY, "expected 101"),
        (format!("https://{secured}/graphql"), KEY, "TLS with"),
    ];

    for (url, key, reason) in cases {
        let ended = syncspec(&["server", &url, "--api-key", key]);

        ended.exits(3, reason);
        assert!(!ended.out.contains(key), "{ended}");
    }
    drop((plain, secure));
}

#[test]
fn a_certificate_that_is_not_to_be_checked_is_not() {
    let (reference, address) = reference(&[], Options { tls: Some(tls()), ..Options::default() });

    let url = format!("https://{address}/event");
    let ended = syncspec(&["server", &url, "--api-key", KEY, "--insecure", "--filter", "events/control"]);

    ended.exits(0, "no failure in 2 cases");
    drop(reference);
}

// 4: nothing selected, or too little

#[test]
fn a_filter_that_leaves_nothing_of_the_tier_exits_4_and_names_the_tier() {
    let ended = syncspec(&["server", "--filter", "end-after-a-day"]);

    ended.exits(4, "no case was executed");
    assert!(ended.out.contains("left out 1: --tier long"), "{ended}");
}

#[test]
fn fewer_cases_than_asked_for_exit_4() {
    syncspec(&["server", "--filter", CONTROL, "--min-cases", "900"]).exits(4, "fewer than --min-cases 900");
}

// 5: no verdict where one was required

#[test]
fn a_used_up_budget_exits_5() {
    syncspec(&["server", "--filter", "control", "--max-connections", "0"]).exits(5, "inconclusive");
    syncspec(&["server", "--filter", "control", "--max-messages", "1"]).exits(5, "inconclusive");
}

#[test]
fn a_run_whose_time_is_up_exits_5_and_names_what_was_not_run() {
    let ended = syncspec(&["server", "--tier", "standard", "--filter", "keepalive/goes-on", "--run-timeout", "1s"]);

    ended.exits(5, "inconclusive");
    assert!(ended.out.contains("the time for the run (1 s) was up"), "{ended}");
}

// 6: the baseline is stale

#[test]
fn a_baseline_that_lists_what_passes_exits_6() {
    let baseline = baseline("stale.toml", CONTROL, "fail");

    syncspec(&["server", "--filter", "control", "--baseline", &baseline]).exits(6, "1 entry better now");
}

#[test]
fn a_baseline_with_an_unknown_case_exits_2_and_suggests_the_near_one() {
    let baseline = baseline("unknown.toml", "graphql/control/refuses-a-wrong-kee", "fail");

    let ended = syncspec(&["server", "--filter", "control", "--baseline", &baseline]);

    ended.exits(2, "the baseline names what does not exist: 1 entry");
    assert!(ended.out.contains(&format!("did you mean {CONTROL}?")), "{ended}");
}

// 70: a defect of the suite

#[test]
fn a_panic_exits_70_and_names_the_case_in_every_phase() {
    let hazard = scenarios().find(|scenario| scenario.hazard).unwrap().id;
    for case in [CONTROL, "events/subscribe/acknowledged", hazard] {
        let path = fresh("panic.json");

        let report = format!("json={}", path.display());
        let ended = syncspec(&["server", "--filter", case, "--panic-in", case, "--report", &report]);

        ended.exits(70, &format!("{case} panicked; this is a defect of syncspec"));
        assert_eq!(read_json(&path)["exit"]["code"], 70);
    }
}

// 130: interrupted

#[test]
fn an_interrupted_run_exits_130_and_its_reports_hold_what_there_was() {
    let [json_path, ndjson_path, junit_path] = ["interrupted.json", "interrupted.ndjson", "interrupted.xml"].map(fresh);
    let (json_report, ndjson_report, junit_report) = (
        format!("json={}", json_path.display()),
        format!("ndjson={}", ndjson_path.display()),
        format!("junit={}", junit_path.display()),
    );
    let waits = ["server", "--dialect", "graphql", "--tier", "standard", "--filter", "keepalive/goes-on", "--verbose"];
    let reports = ["--report", &json_report, "--report", &ndjson_report, "--report", &junit_report];
    let mut running = start(&[waits.as_slice(), reports.as_slice()].concat());
    running.until("graphql/control/delivers-to-the-right-subscription");

    running.signal(Signal::INT);
    let ended = running.end();

    ended.exits(130, "interrupted; the reports hold what there was");
    let (document, text) = (read_json(&json_path), fs::read_to_string(&ndjson_path).unwrap());
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&document["run"]["interrupted"], &document["exit"]["code"]), (&json!(true), &json!(130)));
    assert_eq!(document["cases"].as_array().unwrap().len(), 2, "{document}");
    assert_eq!(lines.first().unwrap()["event"], "run-started");
    assert_eq!(lines.iter().filter(|line| line["event"] == "case").count(), 2, "{text}");
    assert_eq!(lines.last().unwrap()["exit"]["code"], 130, "{text}");
    assert!(fs::read_to_string(&junit_path).unwrap().contains("</testsuites>"));
}

#[test]
fn a_run_that_waits_for_a_silent_target_can_be_interrupted() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/graphql", silent.local_addr().unwrap());
    let running = start(&["server", &url, "--api-key", KEY, "--step-timeout", "60s"]);
    let (_tcp, _) = silent.accept().unwrap();

    running.signal(Signal::INT);

    running.end().exits(130, "interrupted");
}

// Secrets

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_key_shows_nowhere_when_a_run_fails() {
    let (fails, bent) = reference(&["events-leak-to-another-channel"], Options::default());
    let (late, bent_late) = reference(&["graphql-start-key-is-not-looked-at"], Options::default());
    let gossip = Peer::start(|mut caller: Caller| async move {
        let asked = caller.asked().await?;
        if asked.key.is_none() {
            return caller.answer(&format!(r#"{{"data":null,"errors":[{{"message":"{KEY}"}}]}}"#)).await;
        }
        caller.agree(&asked).await?;
        while let Said::Message { .. } = caller.said().await? {
            // What is cut after 300 or after 2,000 characters is cut within a key.
            let text = format!("{KEY}{}{KEY}{}{KEY}", "x".repeat(228), "x".repeat(1670));
            caller.say(&json!({ "type": "subscribe_error", "errors": [{ "message": text }] }).to_string()).await?;
        }
        None
    })
    .await;
    let refuses = Peer::start(|mut caller: Caller| async move {
        let (_, padding) = (caller.asked().await?, "y".repeat(110));
        caller.write(format!("HTTP/1.1 403 No\r\ncontent-length: 140\r\n\r\n{padding}{KEY}").as_bytes()).await
    })
    .await;
    let early = Peer::start(|mut caller: Caller| async move {
        caller.asked().await?;
        caller.write(format!("HTTP/1.1 403 No\r\ncontent-length: 30\r\n\r\n{KEY}").as_bytes()).await
    })
    .await;

    for (url, filter, code) in [
        (format!("http://{bent}/event"), "control", 1),
        (format!("http://{bent_late}/graphql"), "credentials", 1),
        (format!("http://{}/event", gossip.address()), "control", 1),
        (format!("http://{}/graphql", gossip.address()), "control", 1),
        (format!("http://{}/event", refuses.address()), "control", 3),
        (format!("http://{}/event", early.address()), "control", 3),
    ] {
        let paths = ["secret.json", "secret.ndjson", "secret.xml", "secret.toml"].map(fresh);
        let [json, ndjson, junit, _] = ["json", "ndjson", "junit", ""];
        let reports: Vec<_> = [json, ndjson, junit]
            .into_iter()
            .zip(&paths)
            .map(|(format, path)| format!("--report={format}={}", path.display()))
            .chain([format!("--write-baseline={}", paths[3].display())])
            .collect();
        let mut arguments = vec!["server", &url, "--verbose", "--filter", filter];
        arguments.extend(reports.iter().map(String::as_str));

        let ended = start_with(&arguments, &[("SYNCSPEC_API_KEY", KEY)]).end();

        ended.exits(code, "");
        assert_no_secret(&ended.out);
        assert_no_secret(&ended.err);
        for path in paths {
            assert_no_secret(&fs::read_to_string(path).unwrap());
        }
    }
    drop((fails, late));
}

/// Neither the key, nor half of it, nor anything in base64 that holds it.
#[track_caller]
fn assert_no_secret(text: &str) {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    assert!(!text.contains(&KEY[..KEY.len() / 2]), "{text}");
    for run in text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/-_".contains(c)).filter(|run| run.len() > 16) {
        for (from, alphabet) in (0..4).flat_map(|from| [(from, &alphabet::STANDARD), (from, &alphabet::URL_SAFE)]) {
            let run = &run[from..run.len() - (run.len() - from) % 4];
            let plain = GeneralPurpose::new(alphabet, config).decode(run).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&plain).contains(&KEY[..KEY.len() / 2]), "{run} in\n{text}");
        }
    }
}

// The other commands

#[test]
fn list_shows_scenarios_saboteurs_and_all_489_requirements() {
    let json = |arguments: &[&str]| -> Value { serde_json::from_str(&syncspec(arguments).out).unwrap() };

    let requirements = json(&["list", "--requirements", "--json"]);
    let (listed, saboteurs) = (json(&["list", "--json"]), json(&["list", "--faults", "--json"]));

    let ids = requirements["requirements"].as_array().unwrap().iter().filter_map(|row| row["id"].as_str());
    assert_eq!(ids.filter(|id| !id.starts_with("SYN-")).count(), 489);
    assert_eq!(listed["scenarios"].as_array().unwrap().len(), scenarios().count());
    assert_eq!(saboteurs["faults"].as_array().unwrap().len(), faults().count());
    assert_eq!(syncspec(&["list"]).code, Some(0));
}

#[test]
fn every_requirement_can_be_explained() {
    for rule in Requirement::ALL {
        let text = explain(rule.id()).unwrap_or_default();
        assert!(text.starts_with(rule.id()) && text.contains(rule.row().level.word()), "{rule}: {text}");
    }
    for id in ["GQL-SUB-026", "EVT-AUTH-027", "SYN-ALIVE-001"] {
        let ended = syncspec(&["explain", id]);
        assert_eq!((ended.code, ended.out.starts_with(id)), (Some(0), true), "{ended}");
    }
}

#[test]
fn a_name_that_is_none_is_refused_with_near_ones() {
    syncspec(&["explain", "GQL-SUB-0266"]).refuses("did you mean GQL-SUB-026");
    syncspec(&["explain", "nonsense-of-all-kinds"]).refuses("names no requirement");
    syncspec(&["serve", "--fault", "no-such-fault"]).refuses("no saboteur of this name");
}

#[test]
fn serve_says_when_it_is_ready_answers_and_stops_when_told_to() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut running = start(&["serve", "--listen", "127.0.0.1:0"]);
        let ready = running.until("READY http://");
        let address = ready.trim_start_matches("READY http://").trim_end_matches("/graphql").to_owned();

        let answer = get(&address, "/ping");
        running.signal(signal);
        let ended = running.end();

        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("healthy"), "{answer}");
        assert_eq!(ended.code, Some(0), "{ended}");
        assert_eq!(ended.out.lines().last(), Some("stopped after 0 connections and 1 HTTP requests"));
    }
}
