//! A target that says the key wherever it can, in every spelling: no form of a report has it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use appsync_protocol::dialect::Dialect;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use peers::judging::{KEY, judge, options};
use peers::{Asked, Caller, Peer, Said, acknowledgement, frame};
use syncspec::catalogue::scenarios;
use syncspec::reference::shell::{Options as ShellOptions, Running};
use syncspec::reference::{Config, Endpoint};
use syncspec::report::emit::{Language, emit};
use syncspec::report::format::{Format, render};
use syncspec::report::json::Document;
use syncspec::report::merge::{Named, merge};
use syncspec::report::{baseline, matrix, ndjson};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_a_target_says_in_any_spelling_is_in_no_form() {
    let reference = Running::start(
        Endpoint::new(Config::default().with_api_key(KEY), &[]).unwrap(),
        "127.0.0.1:0",
        ShellOptions::default(),
    )
    .unwrap();
    let to = reference.address();
    for dialect in Dialect::ALL {
        let peer = Peer::start(move |mut caller| async move {
            let asked = caller.asked().await?;
            match asked.scenario() {
                Some(id) if !id.contains("/control/") => gossip(caller, asked).await,
                Some(_) | None if asked.key.is_some() => caller.forward(&asked, to).await,
                Some(_) | None => tattle(caller, asked, to).await,
            }
        })
        .await;
        let mut wanted = options(dialect, peer.address());
        wanted.filters =
            ["/init/", "/subscribe/", "/http/", "/errors/", "/close/", "/publish/"].map(String::from).into();

        let judged = judge(wanted).await;

        let mut run = judged.finished.run;
        run.exit = judged.exit;
        let played = run.cases.iter().filter(|case| !case.trace.entries().is_empty()).count();
        assert!(played > 10, "{dialect}: {played} dialogues");
        let json = render(&Document::of(&run), Format::Json).unwrap();
        assert!(json.contains("${key:1}") && json.contains("${credentials}"), "{dialect}: what was said is missing");
        assert_clean(&run);
    }
    drop(reference);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_the_answer_that_ends_a_run_is_in_no_form() {
    let length = said().len();
    for answer in [
        format!("HTTP/1.1 403 {KEY}\r\nx-echo: {KEY}\r\ncontent-length: {length}\r\n\r\n{}", said()),
        format!("HTTP/1.1 {KEY}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n"),
        format!("HTTP/1.1 101 Switching\r\nupgrade: {KEY}\r\n\r\n"),
        format!("HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nsec-websocket-accept: {KEY}\r\n\r\n"),
        format!(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/{}\r\ncontent-length: 0\r\n\r\n",
            STANDARD.encode(KEY)
        ),
        format!("{KEY}\r\n"),
    ] {
        let bytes = answer.clone();
        let peer = Peer::start(move |mut caller| {
            let bytes = bytes.clone();
            async move {
                caller.asked().await?;
                caller.write(bytes.as_bytes()).await
            }
        })
        .await;

        let judged = judge(options(Dialect::Events, peer.address())).await;

        // A 101 is judged, a wrong one too (EVT-HANDSHAKE-019); all else is no statement.
        let expected = if answer.contains("sec-websocket-accept") { 1 } else { 3 };
        assert_eq!(judged.exit.code, expected, "{answer:?}");
        let mut run = judged.finished.run;
        run.exit = judged.exit;
        assert_clean(&run);
    }
}

#[test]
fn the_search_finds_each_spelling_in_what_is_said() {
    for secret in spellings() {
        let url_safe = secret.contains(['-', '_']) && !secret.starts_with("da2-");
        assert!(plain(&said()).contains(&plain(&secret)) || url_safe, "{secret}");
    }
}

#[track_caller]
fn assert_clean(run: &syncspec::report::Run) {
    for (name, text) in every_form(run) {
        for secret in spellings() {
            assert_eq!(plain(&text).find(&plain(&secret)), None, "{name} holds {secret}");
        }
    }
}

fn every_form(run: &syncspec::report::Run) -> Vec<(String, String)> {
    let document = Document::of(run);
    let mut texts: Vec<_> =
        Format::ALL.map(|format| (format!("{format:?}"), render(&document, format).unwrap())).into();
    let mut writer = ndjson::Writer::new(Vec::new());
    writer.started(run, run.cases.len()).unwrap();
    run.cases.iter().for_each(|case| writer.case(case).unwrap());
    writer.finished(run).unwrap();
    texts.push(("ndjson".into(), String::from_utf8(writer.into_inner()).unwrap()));
    texts.push(("baseline".into(), baseline::write(run)));
    let columns = [named("one", document.clone()), named("other", document.clone())];
    texts.push(("matrix".into(), matrix::to_markdown(&columns) + &matrix::to_html(&columns)));
    texts.push(("merged".into(), syncspec::report::json::to_text(&merge(&columns).unwrap())));
    for case in document.cases.iter().filter(|case| !case.trace.is_empty()) {
        texts.push((format!("python of {}", case.id), emit(&document, case, Language::Python).unwrap()));
        texts.push((format!("websocat of {}", case.id), emit(&document, case, Language::Websocat).unwrap()));
    }
    texts
}

/// The key as it may travel: as it is, in JSON escapes, percent-encoded, and within base64 at each alignment.
fn spellings() -> Vec<String> {
    let escaped: String = KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let percent: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut all = vec![KEY.to_owned(), escaped, percent];
    for before in ["", "x", "xy"] {
        let hidden = format!("{before}{KEY}");
        // The last group depends on what follows, the first on what is in front.
        all.extend(
            [STANDARD.encode(&hidden), URL_SAFE_NO_PAD.encode(&hidden)].map(|text| text[4..text.len() - 4].into()),
        );
    }
    all
}

/// Without the escapes that a form puts in front of back-slashes, and in one case.
fn plain(text: &str) -> String {
    text.replace('\\', "").to_lowercase()
}

/// The same texts as a target would say them, whole.
fn said() -> String {
    let escaped: String = KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let percent: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hidden = ["", "x", "xy"].map(|before| STANDARD.encode(format!("{before}{KEY}"))).join(" ");
    format!("{KEY} {escaped} {percent} {hidden}")
}

/// Agrees, answers in a plausible way, and says the key in every payload and in the end.
async fn gossip(mut caller: Caller, asked: Asked) -> Option<()> {
    caller.agree(&asked).await?;
    loop {
        match caller.said().await? {
            Said::Message { payload, .. } => {
                let mut answer = acknowledgement(&asked, &payload).unwrap_or(serde_json::json!({ "type": "error" }));
                let text = answer.to_string();
                let with = text.trim_end_matches('}');
                answer["errors"] = serde_json::json!([{ "errorType": KEY, "message": KEY }]);
                // Both as a member that nobody knows and in the text of an error.
                caller.say(&format!("{with},\"more\":\"{}\"}}", said())).await?;
                caller.say(&answer.to_string()).await?;
                let reason = [&1011_u16.to_be_bytes()[..], format!("sorry, {KEY}").as_bytes()].concat();
                caller.write(&frame(0x8a, KEY.as_bytes())).await?;
                caller.write(&frame(0x82, KEY.as_bytes())).await?;
                if caller.number.is_multiple_of(2) {
                    return caller.write(&frame(0x88, &reason)).await;
                }
                return caller.write(format!("no frame {KEY}").as_bytes()).await;
            }
            Said::Ping(payload) => caller.write(&frame(0x8a, &payload)).await?,
            Said::Close(payload) => return caller.write(&frame(0x88, &payload)).await,
        }
    }
}

/// Answers HTTP requests with the key in head and body, and every third in a way that cannot be read. What the
/// controls ask goes to a good endpoint.
async fn tattle(mut caller: Caller, asked: Asked, to: std::net::SocketAddr) -> Option<()> {
    let raw = String::from_utf8_lossy(&asked.raw).into_owned();
    let mut controls = scenarios().enumerate().filter(|(_, scenario)| scenario.is_control());
    if raw.contains("__schema") || controls.any(|(n, _)| raw.contains(&format!("-c{n:03}"))) {
        return caller.forward(&asked, to).await;
    }
    let body = format!("{{\"errors\":[{{\"message\":\"{}\"}}]}}", said());
    let head = format!("x-echo: {KEY}\r\nx-hidden: {}\r\ncontent-type: {KEY}/json", STANDARD.encode(KEY));
    if caller.number.is_multiple_of(3) {
        return caller.write(format!("HTTP/1.1 {KEY}\r\n{head}\r\n\r\n{body}").as_bytes()).await;
    }
    let answer = format!("HTTP/1.1 418 {KEY}\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    caller.write(answer.as_bytes()).await
}

fn named(name: &str, document: Document) -> Named {
    Named { name: name.into(), document }
}
