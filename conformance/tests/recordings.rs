//! Recordings: those that are kept with their expected findings, how others are read, and `syncspec check`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::transcript::{Transcript, What, read};
use appsync_protocol::wire::{OwnedFrame, Side};
use peers::command::{Ended, fed, fresh, syncspec};
use proptest::prelude::*;
use syncspec::recording::convert::convert;
use syncspec::recording::expected::Expected;
use syncspec::recording::judge::judge;
use syncspec::recording::{from_file, from_text, to_text};

/// Clients of others that are known to keep the rules.
const CLIENTS: [&str; 2] = ["aws-amplify", "gql"];

const OPEN: &str = r#"{"at":0,"connection":1,"open":{"target":"/graphql/realtime","subprotocols":["graphql-ws"],"status":101,"selected":"graphql-ws"}}"#;
const INIT: &str = r#"{"at":1,"connection":1,"from":"client","text":"{\"type\":\"connection_init\"}"}"#;
const ACK: &str = r#"{"at":2,"connection":1,"from":"server","text":"{\"type\":\"connection_ack\",\"payload\":{\"connectionTimeoutMs\":3000}}"}"#;
const DATA: &str =
    r#"{"at":3,"connection":1,"from":"server","text":"{\"type\":\"data\",\"id\":\"a\",\"payload\":{\"data\":{}}}"}"#;

// The recordings that are kept

#[test]
fn every_recording_shows_what_is_expected_of_it() {
    for folder in folders() {
        let path = folder.join("expected.toml");
        let expected = Expected::parse(&fs::read_to_string(&path).unwrap(), &path).unwrap();
        let mut names = BTreeSet::new();
        let mut wrong = Vec::new();
        for recording in recordings(&folder) {
            let name = recording.file_stem().unwrap().to_str().unwrap().to_owned();
            let judgement = judge(&from_file(&recording).unwrap().transcript, None).unwrap();
            let found = expected.compare(&name, &judgement);
            wrong.extend(found.surprises.iter().chain(&found.gone).map(ToString::to_string));
            names.insert(name);
        }

        assert!(!names.is_empty(), "{} holds no recording", folder.display());
        assert!(wrong.is_empty(), "{}:\n{}", folder.display(), wrong.join("\n"));
        let unknown: Vec<_> = expected.recordings().into_iter().filter(|name| !names.contains(*name)).collect();
        assert!(unknown.is_empty(), "{} names what is not there: {unknown:?}", path.display());
    }
}

#[test]
fn what_aws_amplify_and_gql_said_breaks_no_rule() {
    for client in CLIENTS {
        let mut frames = 0;
        for path in recordings(&root().join(client)) {
            let recording = from_file(&path).unwrap();
            let judgement = judge(&recording.transcript, None).unwrap();
            let of_client: Vec<_> = judgement.checks.iter().filter(|check| check.by == Side::Client).collect();

            assert!(of_client.is_empty(), "{}: {of_client:?}", path.display());
            assert!(judgement.headless.is_empty() && recording.transcript.dropped() == 0, "{}", path.display());
            frames += judgement.frames;
        }
        assert!(frames > 100, "{client}: {frames} frames were judged");
    }
}

#[test]
fn a_recording_reads_back_as_it_is_kept_and_holds_no_secret() {
    for path in folders().iter().flat_map(|folder| recordings(folder)) {
        let text = fs::read_to_string(&path).unwrap();
        let (transcript, _) = from_text(&text).unwrap();

        assert!(text == to_text(&transcript), "{}: not as syncspec writes it", path.display());
        let mut shown = text;
        for entry in transcript.entries() {
            if let What::Frame { frame: OwnedFrame::Binary(bytes), .. } = &entry.what {
                shown.push_str(&String::from_utf8_lossy(bytes));
            }
        }
        // The keys, the key id and the heads of tokens that the recorders used.
        for secret in ["da2-", "AKID", "eyJhbGci", "6004ea"] {
            assert!(!shown.contains(secret), "{} holds {secret}", path.display());
        }
        let signatures = shown.split("Signature=").skip(1);
        // A signature has 64 digits; some recorders sent a few zeros instead.
        let is_none = |rest: &str| rest.chars().take_while(char::is_ascii_hexdigit).count() < 6;
        signatures.for_each(|rest| assert!(is_none(rest), "{}: {:.20}", path.display(), rest));
    }
}

// Other forms

#[test]
fn a_recording_with_urls_is_converted() {
    let text = [
        r#"{"t_ms":1,"dir":"open","url":"ws://h:1/graphql/realtime?header=eyJ4LWFwaS1rZXkiOiJzZWNyZXQta2V5In0=","protocols":["graphql-ws"],"status":101,"subprotocol":"graphql-ws"}"#,
        r#"{"t_ms":2,"dir":"c2s","text":"{\"type\":\"connection_init\"}","fragments":3}"#,
        r#"{"t_ms":2,"dir":"c2s","control":"ping","text":"abc"}"#,
        r#"{"t_ms":3,"dir":"c2s","binary_b64":"/w==","opcode":"text"}"#,
        r#"{"t_ms":3,"dir":"c2s","binary_b64":"AAE="}"#,
        r#"{"t_ms":3,"dir":"http-req","method":"POST","url":"http://h:1/graphql","headers":{"x-api-key":"secret-key"},"text":"{}"}"#,
        r#"{"t_ms":4,"dir":"http-res","status":200,"headers":{},"text":"said secret-key"}"#,
        r#"{"t_ms":5,"dir":"close","code":1000,"reason":"bye","by":"client","sent":true}"#,
        r#"{"t_ms":6,"dir":"close","code":1000,"reason":"bye","by":"client"}"#,
        r#"{"t_ms":7,"dir":"open","url":"ws://h:1/x","status":400,"text":"Bad Request"}"#,
        r#"{"t_ms":7,"dir":"http-req","method":"POST","url":"http://h:1/graphql","text":"{}"}"#,
        r#"{"t_ms":8,"dir":"http-res","status":null,"error":"refused"}"#,
    ];

    let shown = to_text(&convert(&text.join("\n")).unwrap());

    let lines = [
        r#"{"recording":1}"#,
        r#"{"at":1000,"connection":1,"open":{"target":"/graphql/realtime?header=${credentials}","subprotocols":["graphql-ws"],"status":101,"selected":"graphql-ws"}}"#,
        r#"{"at":2000,"connection":1,"from":"client","text":"{\"type\":\"connection_init\"}","fragments":3}"#,
        r#"{"at":2000,"connection":1,"from":"client","ping":"YWJj"}"#,
        r#"{"at":3000,"connection":1,"note":"the client sent a text frame of 1 bytes that is no UTF-8"}"#,
        r#"{"at":3000,"connection":1,"from":"client","binary":"AAE="}"#,
        r#"{"at":4000,"connection":0,"http":{"request":{"method":"POST","target":"/graphql","headers":[["x-api-key","${key:1}"]],"body":"{}"},"response":{"status":200,"headers":[],"body":"said ${key:1}"}}}"#,
        r#"{"at":5000,"connection":1,"from":"client","close":{"code":1000,"reason":"bye"}}"#,
        r#"{"at":6000,"connection":1,"from":"server","close":{"code":1000,"reason":"bye"}}"#,
        r#"{"at":7000,"connection":2,"open":{"target":"/x","subprotocols":[],"status":400}}"#,
        r#"{"at":7000,"connection":2,"note":"the refusal says Bad Request"}"#,
        r#"{"at":8000,"connection":0,"note":"no answer to POST /graphql: refused"}"#,
    ];
    assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
    assert_eq!(from_text(&shown).unwrap().0, read(&shown.lines().skip(1).collect::<Vec<_>>().join("\n")).unwrap());
}

#[test]
fn a_recording_with_paths_is_converted() {
    let text = [
        r#"{"t_ms":1,"conn":1,"dir":"open","path":"/event/realtime","query":"","headers":[["Host","h:1"]],"subprotocols":["aws-appsync-event-ws","header-e30"],"credentials_via":"subprotocol","credentials_decoded":{},"accepted_subprotocol":"aws-appsync-event-ws"}"#,
        r#"{"t_ms":2,"conn":1,"dir":"c2s","opcode":"ping","text":"72f4"}"#,
        r#"{"t_ms":3,"conn":1,"dir":"close","by":"server","code":1006,"reason":"(TCP reset)"}"#,
        r#"{"t_ms":4,"conn":1,"dir":"close","by":"peer-reply","code":1006,"reason":""}"#,
        r#"{"t_ms":5,"conn":2,"dir":"open","path":"/event/realtime","query":"a=b","headers":[],"subprotocols":["x"],"accepted_subprotocol":"x"}"#,
        r#"{"t_ms":6,"conn":2,"dir":"http-res","status":401,"text":"no"}"#,
        r#"{"t_ms":7,"http":1,"dir":"http-req","method":"POST","path":"/event","query":"","headers":[["x-api-key","secret-key"]],"text":"{}"}"#,
        r#"{"t_ms":8,"http":1,"dir":"http-res","status":200,"text":"{}"}"#,
        r#"{"t_ms":9,"conn":1,"dir":"close","by":"client","code":1005,"reason":""}"#,
    ];

    let shown = to_text(&convert(&text.join("\n")).unwrap());

    let lines = [
        r#"{"recording":1}"#,
        r#"{"at":1000,"connection":1,"open":{"target":"/event/realtime","subprotocols":["aws-appsync-event-ws","header-${credentials}"],"status":101,"selected":"aws-appsync-event-ws"}}"#,
        r#"{"at":2000,"connection":1,"from":"client","ping":"cvQ="}"#,
        r#"{"at":3000,"connection":1,"from":"server","lost":true}"#,
        r#"{"at":4000,"connection":1,"from":"client","lost":true}"#,
        r#"{"at":5000,"connection":2,"open":{"target":"/event/realtime?a=b","subprotocols":["x"],"status":401}}"#,
        r#"{"at":6000,"connection":2,"note":"the refusal says no"}"#,
        r#"{"at":8000,"connection":0,"http":{"request":{"method":"POST","target":"/event","headers":[["x-api-key","${key:1}"]],"body":"{}"},"response":{"status":200,"headers":[],"body":"{}"}}}"#,
        r#"{"at":9000,"connection":1,"from":"client","close":{"reason":""}}"#,
    ];
    assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn what_cannot_be_converted_is_told_with_its_line() {
    let open = r#"{"t_ms":5,"dir":"open","url":"ws://h/graphql"}"#;
    for (line, expected) in [
        ("{", "expected a line of a recording of another form; EOF"),
        ("[]", "expected a line of a recording of another form"),
        (r#"{"t_ms":6,"dir":"up"}"#, "dir: expected a line of a recording of another form; unknown variant"),
        (r#"{"t_ms":6,"dir":"c2s","txt":"x"}"#, "unknown field"),
        (
            r#"{"t_ms":4,"dir":"c2s","text":"x"}"#,
            "line 2 column 1: t_ms: expected 5 or more; got 4, which runs backwards",
        ),
        (r#"{"t_ms":6,"dir":"c2s"}"#, "text: expected either text or binary_b64; got both or neither"),
        (
            r#"{"t_ms":6,"dir":"s2c","text_len":9,"text_head":"x"}"#,
            "text_len: expected the whole frame; got parts of its 9 bytes",
        ),
        (r#"{"t_ms":6,"dir":"s2c","binary_b64":"!"}"#, "binary_b64: expected base64"),
        (r#"{"t_ms":6,"dir":"c2s","opcode":"ping","text":"7"}"#, "text: expected pairs of hexadecimal digits"),
        (
            r#"{"t_ms":6,"dir":"c2s","opcode":"rsv","text":"7"}"#,
            "opcode: expected text, binary, ping or pong; got \"rsv\"",
        ),
        (r#"{"t_ms":6,"dir":"s2c","conn":"z","text":"x"}"#, "conn: expected a connection that was opened; got \"z\""),
        (
            r#"{"t_ms":6,"dir":"close","by":"nobody","code":1000}"#,
            "by: expected client, server, peer-reply or abnormal",
        ),
        (r#"{"t_ms":6,"dir":"close","by":"client"}"#, "code: expected a close code; got none"),
        (r#"{"t_ms":6,"dir":"http-res","status":200}"#, "dir: expected a request before its answer"),
        (
            r#"{"t_ms":6,"dir":"http-req","url":"http://h/","headers":[["a"]]}"#,
            "headers: expected names and values as texts",
        ),
        (r#"{"t_ms":6,"dir":"open"}"#, "url: expected url or path; got neither"),
    ] {
        let told = convert(&format!("{open}\n{line}")).unwrap_err().to_string();
        assert!(told.contains(expected) && told.contains("line 2"), "{line}: {told}");
    }
    assert!(convert("\n").unwrap_err().to_string().contains("got an empty file"));
}

// Reading

#[test]
fn what_is_no_recording_is_told_with_its_place() {
    for (text, expected) in [
        ("".into(), "expected a recording; got an empty file"),
        (
            format!("{{\"recording\":9}}\n{OPEN}"),
            "line 1 column 1: recording: expected 1 or less; got 9, which a newer",
        ),
        ("{\"recording\":\"x\"}".into(), "recording: expected a version from 1 to 1; got another value"),
        (format!("{{\"recording\":1}}\n\n{OPEN}\n{}", &INIT[..40]), "line 4 column 1: the line is no JSON object"),
        (format!("{ACK}\n{INIT}"), "line 2 column 1: the line runs backwards in time"),
        (
            r#"{"t_ms":1,"dir":"open"}"#.into(),
            "line 1 column 1: expected a recording of syncspec; got one of another form",
        ),
        (r#"{"schema_version":1}"#.into(), "expected a recording; got a report, which is judged already"),
        ("nonsense".into(), "line 1 column 1: the line is no JSON object"),
        (r#"{"log":{}}"#.into(), "expected a HAR file; missing field"),
        (r#"{"log":{"version":"2.0","entries":[]}}"#.into(), "log.version: expected version 1.x; got \"2.0\""),
        (r#"{"log":{"version":"1.2","entries":[]}}"#.into(), "log.entries: expected an entry with _webSocketMessages"),
        (har("yesterday", ""), "log.entries[0].startedDateTime: expected a moment"),
        (
            har(DAY, r#"{"type":"receive","time":-1,"opcode":1,"data":""}"#),
            "_webSocketMessages[0].time: expected seconds",
        ),
        (
            har(DAY, r#"{"type":"says","time":1,"opcode":1,"data":""}"#),
            "_webSocketMessages[0].type: expected send or receive",
        ),
        (
            har(DAY, r#"{"type":"send","time":1,"opcode":3,"data":""}"#),
            "_webSocketMessages[0].opcode: expected 1, 2, 8, 9 or 10",
        ),
        (har(DAY, r#"{"type":"send","time":1,"opcode":2,"data":"!"}"#), "_webSocketMessages[0].data: expected base64"),
        (
            har(DAY, r#"{"type":"send","time":2,"opcode":1,"data":""},{"type":"send","time":1,"opcode":1,"data":""}"#),
            "_webSocketMessages[1].time: expected no earlier time",
        ),
        (format!(r#"{{"log":{}}}"#, "[".repeat(5000)), "the line is no JSON object"),
    ] {
        let told = from_text(&text).unwrap_err().to_string();
        assert!(told.contains(expected), "{text:.80}: {told}");
    }
    assert!(
        from_file(Path::new("/no/such/file"))
            .unwrap_err()
            .to_string()
            .starts_with("/no/such/file: expected a recording")
    );
    let path = fresh("latin.jsonl");
    fs::write(&path, b"{}\n\xff").unwrap();
    assert!(from_file(&path).unwrap_err().to_string().contains("latin.jsonl:2:1: expected UTF-8"));
}

#[test]
fn a_har_file_is_judged_by_its_messages() {
    let said = |kind: &str, time: f64, text: &str| {
        serde_json::json!({"type": kind, "time": time, "opcode": 1, "data": text}).to_string()
    };
    let messages = [
        said("send", 1_700_000_000.5, r#"{"type":"connection_init"}"#),
        said("receive", 1_700_000_000.6, r#"{"type":"data","id":"a","payload":{"data":{}}}"#),
        r#"{"type":"receive","time":1700000000.7,"opcode":8,"data":"1000 bye"}"#.into(),
    ];

    let (transcript, _) = from_text(&har("2023-11-14T23:13:20.400+01:00", &messages.join(","))).unwrap();
    let judgement = judge(&transcript, None).unwrap();

    assert_eq!(transcript.entries()[1].at.as_micros(), 100_000);
    assert_eq!(transcript.entries()[0].at.as_micros(), 0);
    assert_eq!(judgement.connections.get(&Dialect::Graphql), Some(&1));
    assert_eq!(found(&transcript, None), [("GQL-SUB-012", Side::Server, 1)]);
}

#[test]
fn a_report_as_har_reads_back() {
    let json = fresh("har.json");
    let path = fresh("report.har");
    let (json, har) = (json.to_str().unwrap(), path.to_str().unwrap());
    let ran = syncspec(&[
        "server",
        "--quiet",
        "--filter=/control/",
        &format!("--report=json={json}"),
        &format!("--report=har={har}"),
    ]);
    assert_eq!(ran.code, Some(0), "{ran}");

    let ended = syncspec(&["check", har]);

    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.out.contains("graphql: ") && ended.out.contains("events: "), "{ended}");
}

// Judging

#[test]
fn a_connection_is_judged_from_its_opening_and_in_its_own_dialect() {
    let lines = |all: &[&str]| read(&all.join("\n")).unwrap();
    let later = r#"{"at":5000000,"connection":2,"note":"x"}"#;

    assert_eq!(found(&lines(&[OPEN, INIT, DATA]), None), [("GQL-SUB-012", Side::Server, 1)]);
    assert_eq!(found(&lines(&[OPEN, INIT, DATA]), Some(Dialect::Events)), [("EVT-DATA-001", Side::Server, 1)]);
    // The recorder came late: what had been said is not known.
    let late = lines(&[INIT, DATA]);
    assert_eq!((found(&late, None), judge(&late, None).unwrap().headless), (Vec::new(), vec![1]));
    // A silence that lasts until the recording ends counts too, but not one of less than the limit and the slack.
    assert_eq!(found(&lines(&[OPEN, INIT, ACK, later]), None), [("GQL-KA-001", Side::Server, 1)]);
    assert_eq!(found(&lines(&[OPEN, INIT, ACK, &later.replace("5000000", "3900000")]), None), []);
    // After a message that was shortened nobody is blamed.
    let cut = DATA.replace(r#"\"payload\":{\"data\":{}}}"#, "... (4096 bytes)");
    let cut = lines(&[OPEN, INIT, &cut, DATA]);
    assert_eq!((found(&cut, None), judge(&cut, None).unwrap().shortened), (Vec::new(), vec![1]));
    // The same number again is another connection, and all of one rule is one finding.
    let again = OPEN.replace("\"at\":0", "\"at\":3");
    assert_eq!(found(&lines(&[OPEN, INIT, DATA, &again, DATA]), None), [("GQL-SUB-012", Side::Server, 2)]);
    let unknown = OPEN.replace("/graphql/realtime", "/x").replace("graphql-ws", "mqtt");
    let told = judge(&lines(&[&unknown, INIT]), None).unwrap_err().to_string();
    assert!(told.contains("tells the dialect of connection 1; got neither, say it with --dialect"), "{told}");
    // What was selected tells more than the path.
    let selected = OPEN.replace("graphql-ws", "aws-appsync-event-ws");
    assert_eq!(found(&lines(&[&selected, INIT, DATA]), None), [("EVT-DATA-001", Side::Server, 1)]);
}

#[test]
fn expected_findings_are_exact_and_a_wrong_file_is_told_with_its_place() {
    let transcript = read(&[OPEN, INIT, DATA].join("\n")).unwrap();
    let judgement = judge(&transcript, None).unwrap();
    let entry = |rule: &str, by: &str, reason: &str, count: &str| {
        format!(
            "[[finding]]\nrequirement = \"{rule}\"\nby = \"{by}\"\nreason = \"{reason}\"\nrecordings = {{ a = {count} }}\n"
        )
    };
    let compare = |text: &str| {
        let found = Expected::parse(text, Path::new("e.toml")).unwrap().compare("a", &judgement);
        (found.surprises.len(), found.gone.len())
    };
    let refused = |text: &str| Expected::parse(text, Path::new("e.toml")).unwrap_err().to_string();

    assert_eq!(compare(&entry("GQL-SUB-012", "server", "r", "1")), (0, 0));
    assert_eq!(compare(&entry("GQL-SUB-012", "server", "r", "2")), (1, 0));
    assert_eq!(compare(&entry("GQL-SUB-012", "client", "r", "1")), (1, 1));
    assert_eq!(compare(""), (1, 0));
    assert!(
        refused(&entry("GQL-SUB-999", "server", "r", "1")).contains("e.toml:1:1: requirement: expected a requirement")
    );
    assert!(refused(&entry("GQL-SUB-012", "both", "r", "1")).contains("by: expected client or server; got \"both\""));
    assert!(refused(&entry("GQL-SUB-012", "server", " ", "1")).contains("reason: expected a text that says why"));
    assert!(refused(&entry("GQL-SUB-012", "server", "r", "0")).contains("recordings: expected 1 or more; got 0"));
    let twice = entry("GQL-SUB-012", "server", "r", "1").repeat(2);
    assert!(refused(&twice).contains("e.toml:6:1: recordings: expected each recording once"), "{}", refused(&twice));
    assert!(
        refused("[[finding]]\nby = 1").contains("e.toml:2:6: expected findings in TOML"),
        "{}",
        refused("[[finding]]\nby = 1")
    );
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in any::<String>()) {
        let _ = from_text(&text);
        let _ = convert(&text);
        let _ = Expected::parse(&text, Path::new("e.toml"));
    }

    #[test]
    fn no_damage_makes_a_reader_panic(at in any::<prop::sample::Index>(), with in any::<char>(), cut in any::<bool>()) {
        let texts = [
            [OPEN, INIT, ACK, DATA].join("\n"),
            har(DAY, r#"{"type":"send","time":1,"opcode":1,"data":"{}"}"#),
            r#"{"t_ms":1,"dir":"open","conn":"a","url":"ws://h/graphql?header=e30","headers":{"a":"b"},"status":101}"#.into(),
        ];
        for text in texts {
            let at = at.index(text.len());
            let tail = if cut { "" } else { text.get(at + 1..).unwrap_or_default() };
            let damaged = format!("{}{with}{tail}", text.get(..at).unwrap_or_default());
            let read = from_text(&damaged).map(|(transcript, _)| transcript).or_else(|_| convert(&damaged));
            if let Ok(transcript) = read {
                let _ = judge(&transcript, None);
            }
        }
    }
}

// The command

#[test]
fn check_exits_by_what_was_found() {
    let good = stored("good.jsonl", &[OPEN, INIT, ACK]);
    let bad = stored("bad.jsonl", &[OPEN, INIT, DATA]);
    let cut = stored("cut.jsonl", &[OPEN, &INIT[..30]]);
    let empty = stored("empty.jsonl", &[OPEN]);
    let expected = fresh("expected.toml");
    let entry =
        "[[finding]]\nrequirement = \"GQL-SUB-012\"\nby = \"server\"\nreason = \"r\"\nrecordings = { bad = 1 }\n";
    fs::write(&expected, entry).unwrap();
    let expected = expected.to_str().unwrap();

    ends(&["check", &good], 0, "no failure in 1 recording");
    ends(&["check", &good, &bad], 1, "1 rule broken");
    ends(&["check", &bad, "--side", "client"], 0, "no failure");
    ends(&["check", &empty], 4, "no message was judged");
    let unread = ends(&["check", &good, &cut], 2, "1 file could not be read");
    assert!(unread.out.contains("not read: ") && unread.out.contains("cut.jsonl:2:1: the line is no JSON"), "{unread}");
    assert!(unread.out.contains("good.jsonl   graphql: 1 connection, 2 frames"), "{unread}");
    ends(&["check", &bad, "--expect", expected], 0, "everything as expected");
    let surprised = ends(&["check", &bad, &good, "--dialect", "events", "--expect", expected], 1, "not as expected");
    assert!(
        surprised.out.contains("not expected: bad: EVT-DATA-001 by the server: expected 0 times; got 1"),
        "{surprised}"
    );
    let gone = fresh("other.toml");
    fs::write(&gone, entry.replace("bad", "good")).unwrap();
    ends(&["check", &good, "--expect", gone.to_str().unwrap()], 6, "1 finding expected and not there any more");
    syncspec(&["check", &good, "--expect", "/no/such.toml"])
        .refuses("/no/such.toml: expected a file of expected findings");
    assert_eq!(syncspec(&["check"]).code, Some(2));
}

#[test]
fn check_says_where_and_what_as_text_and_as_json() {
    let bad = stored("told.jsonl", &["{\"recording\":1}", OPEN, INIT, DATA]);

    let text = ends(&["check", &bad], 1, "1 rule broken");
    let json = syncspec(&["check", &bad, "--json"]);

    assert!(text.out.contains("fail  GQL-SUB-012        server     1x  line 4, connection 1, 0.000s"), "{text}");
    assert!(text.out.contains("summary  1 recording - 1 fail - 0 warn - 0 info"), "{text}");
    let table: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let finding = &table["recordings"][0]["findings"][0];
    assert_eq!((json.code, table["exit"]["code"].as_u64()), (Some(1), Some(1)));
    assert_eq!((finding["requirement"].as_str(), finding["place"].as_str()), (Some("GQL-SUB-012"), Some("line 4")));
    assert_eq!((finding["by"].as_str(), finding["count"].as_u64()), (Some("server"), Some(1)));
}

#[test]
fn a_hostile_recording_commands_no_terminal_and_shows_no_key() {
    let start = r#"{\"type\":\"data\",\"id\":\"\\u001b]0;x\\u0007 secret-key\",\"payload\":{\"data\":{\"x-api-key\":\"secret-key\"}}}"#;
    let said = DATA.replace(r#"{\"type\":\"data\",\"id\":\"a\",\"payload\":{\"data\":{}}}"#, start);

    let ended = fed(&["check", "-"], &[OPEN, INIT, &said].join("\n"));

    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(
        ended.out.contains("${key:1}") && !ended.out.contains("secret-key") && !ended.out.contains('\u{1b}'),
        "{ended}"
    );
}

#[test]
fn a_recording_of_another_form_is_converted_and_then_checked() {
    let foreign = stored(
        "foreign.jsonl",
        &[
            r#"{"t_ms":1,"dir":"open","url":"ws://h/graphql/realtime","protocols":["graphql-ws"],"status":101,"subprotocol":"graphql-ws"}"#,
            r#"{"t_ms":2,"dir":"c2s","text":"{\"type\":\"connection_init\"}"}"#,
        ],
    );
    let converted = fresh("converted.jsonl");
    let converted = converted.to_str().unwrap();

    let refused = syncspec(&["check", &foreign]);
    let ended = syncspec(&["convert-recording", &foreign, "-o", converted]);

    assert!(refused.code == Some(2) && refused.out.contains("see syncspec convert-recording"), "{refused}");
    assert_eq!(ended.code, Some(0), "{ended}");
    ends(&["check", converted], 0, "no failure");
    syncspec(&["convert-recording", converted]).refuses("converted.jsonl:1:");
    syncspec(&["convert-recording", "/no/such"]).refuses("/no/such: expected a recording");
}

fn ends(arguments: &[&str], code: i32, reason: &str) -> Ended {
    let ended = syncspec(arguments);
    assert_eq!(ended.code, Some(code), "{arguments:?}\n{ended}");
    assert!(ended.out.contains(&format!("exit {code}: ")) && ended.out.contains(reason), "{arguments:?}\n{ended}");
    ended
}

/// Rule, side and count of everything that is found.
fn found(transcript: &Transcript, dialect: Option<Dialect>) -> Vec<(&'static str, Side, u64)> {
    let judgement = judge(transcript, dialect).unwrap();
    judgement.checks.iter().map(|check| (check.requirement.id(), check.by, check.count)).collect()
}

const DAY: &str = "2023-11-14T22:13:20.000Z";

/// A HAR file with one connection.
fn har(started: &str, messages: &str) -> String {
    format!(
        r#"{{"log":{{"version":"1.2","entries":[{{"startedDateTime":"{started}","request":{{"url":"wss://h/graphql","headers":[]}},"response":{{"status":101,"headers":[{{"name":"Sec-WebSocket-Protocol","value":"graphql-ws"}}]}},"_webSocketMessages":[{messages}]}}]}}}}"#
    )
}

fn stored(name: &str, lines: &[&str]) -> String {
    let path = fresh(name);
    fs::write(&path, lines.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded")
}

fn folders() -> Vec<PathBuf> {
    let all: Vec<_> = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_dir()).collect();
    assert_eq!(all.len(), 5, "{all:?}");
    all
}

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = all.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    all.sort();
    all
}
