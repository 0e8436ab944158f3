//! The forms that are made from the records: what a peer said breaks none of them, and people can read them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod records;

use std::collections::BTreeSet;

use appsync_protocol::dialect::Dialect;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use quick_xml::events::Event;
use serde_json::Value;
use syncspec::report::emit::{Language, emit};
use syncspec::report::format::{Format, render};
use syncspec::report::json::Document;
use syncspec::report::merge::Named;
use syncspec::report::{badge, matrix};

// Texts for people, as they are

#[test]
fn the_markdown_summary_reads_well() {
    insta::assert_snapshot!(render(&records::document(), Format::Markdown).unwrap());
}

#[test]
fn the_annotations_read_well() {
    insta::assert_snapshot!(render(&records::document(), Format::Github).unwrap());
}

#[test]
fn the_matrix_reads_well() {
    let better = {
        let mut run = records::run();
        run.cases.retain(|case| case.dialect == Dialect::Graphql);
        run.cases[0].verdict = syncspec::verdict::Verdict::Pass;
        Document::of(&run)
    };
    let columns = [named("one", records::document()), named("other", better)];

    insta::assert_snapshot!(matrix::to_markdown(&columns));
}

#[test]
fn a_script_says_what_the_client_said_and_shows_what_came() {
    let document = records::document();

    insta::assert_snapshot!(emit(&document, &document.cases[0], Language::Python).unwrap());
    insta::assert_snapshot!(emit(&document, &document.cases[0], Language::Websocat).unwrap());
}

// Forms

#[test]
fn the_sarif_report_has_a_rule_for_each_result_and_levels_for_failures_only() {
    let sarif: Value = serde_json::from_str(&render(&records::document(), Format::Sarif).unwrap()).unwrap();

    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules: BTreeSet<_> = ids(&run["tool"]["driver"]["rules"], "id");
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 5, "two findings of the failure, one of the monitor, blocked and inconclusive");
    for result in results {
        let (kind, level) = (result["kind"].as_str().unwrap(), result["level"].as_str().unwrap());
        assert_eq!(kind == "fail", level != "none", "{result}");
        assert!(result["ruleId"].is_null() || rules.contains(result["ruleId"].as_str().unwrap()), "{result}");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty(), "{result}");
    }
    assert_eq!(run["invocations"][0]["exitCode"], 1);
    assert_eq!(run["invocations"][0]["startTimeUtc"], "2023-11-14T22:13:20.000Z");
}

#[test]
fn the_har_holds_every_connection_with_its_messages_and_every_request() {
    let har: Value = serde_json::from_str(&render(&records::document(), Format::Har).unwrap()).unwrap();

    let log = &har["log"];
    assert_eq!(log["version"], "1.2");
    let entries = log["entries"].as_array().unwrap();
    let pages = ids(&log["pages"], "id");
    for entry in entries {
        for member in ["startedDateTime", "time", "request", "response", "cache", "timings"] {
            assert!(!entry[member].is_null(), "{member}: {entry}");
        }
        for member in ["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"] {
            assert!(!entry["request"][member].is_null(), "{member}: {entry}");
        }
        for member in ["status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL"] {
            assert!(!entry["response"][member].is_null(), "{member}: {entry}");
        }
        assert!(pages.contains(entry["pageref"].as_str().unwrap()), "{entry}");
    }
    let sockets: Vec<_> = entries.iter().filter(|entry| entry["_resourceType"] == "websocket").collect();
    assert_eq!((entries.len(), sockets.len()), (4, 2));
    assert_eq!(sockets[0]["request"]["url"], "ws://127.0.0.1:20002/graphql/realtime?header=${credentials}");
    let messages = sockets[0]["_webSocketMessages"].as_array().unwrap();
    let kinds: Vec<_> = messages.iter().map(|m| (m["type"].as_str().unwrap(), m["opcode"].as_u64().unwrap())).collect();
    assert_eq!(kinds, [("send", 1), ("receive", 1), ("send", 1), ("send", 2), ("send", 9), ("receive", 10)]);
    assert_eq!(messages[1]["time"].as_f64().unwrap(), 1_700_000_000.02);
}

#[test]
fn the_page_names_every_case_requirement_and_command() {
    let html = render(&records::document(), Format::Html).unwrap();

    for text in [
        "id=\"case-0\"",
        "<span class=\"mark\">\u{2717}</span> fail",
        "The connection_ack tells the client how long to wait",
        "usual cause",
        "syncspec replay REPORT.json graphql/init/names-the-timeout",
        "&#9664; here",
        "<svg",
        "GQL-FILTER-001",
    ] {
        assert!(html.contains(text), "{text}");
    }
    // Nothing is loaded from anywhere.
    for text in ["src=", "url(", "@import", "href=\"http", "style=\""] {
        assert!(!html.contains(text), "{text}");
    }
}

#[test]
fn the_policy_of_the_page_allows_its_own_script_and_style_and_nothing_else() {
    use sha2::{Digest as _, Sha256};
    let html = render(&records::document(), Format::Html).unwrap();
    let inner = |name: &str| {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        assert_eq!(html.matches(&open).count(), 1, "{name}");
        html.split_once(&open).unwrap().1.split_once(&close).unwrap().0
    };

    for (name, directive) in [("script", "script-src"), ("style", "style-src")] {
        let hash = STANDARD.encode(Sha256::digest(inner(name).as_bytes()));
        assert!(html.contains(&format!("{directive} 'sha256-{hash}';")), "{name}");
    }
    assert!(html.contains("default-src 'none';") && !html.contains("unsafe-inline"));
}

#[test]
fn a_badge_says_in_words_what_its_colour_says() {
    let mut document = records::document();
    assert!(badge::to_badge(&document, "syncspec").contains("syncspec: 1/5 pass, 1 fail"));
    document.summary.fail = 0;
    assert!(badge::to_badge(&document, "syncspec").contains("1/4 pass, 2 warn"));
    document.summary.warn = 0;
    assert!(badge::to_badge(&document, "syncspec").contains("1/2 pass<"));
}

// Hostile texts

#[test]
fn texts_that_somebody_might_try_break_no_form() {
    for text in records::HOSTILE {
        assert_unbroken(&[text.to_owned()]);
    }
    assert_unbroken(&records::HOSTILE.map(str::to_owned));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_text_of_a_peer_breaks_a_form(texts in records::hostile()) {
        assert_unbroken(&texts);
    }
}

/// Every form can be read back, and has the shape that it has with plain texts.
#[track_caller]
fn assert_unbroken(texts: &[String]) {
    let document = Document::of(&records::run_of(texts));
    let plain = records::document();
    let columns = [named(&texts[0], document.clone()), named("plain", plain.clone())];
    let plain_columns = [named("x", plain.clone()), named("plain", plain.clone())];
    let page = |document| render(document, Format::Html).unwrap();
    assert_eq!(elements(&page(&document)), elements(&page(&plain)), "{texts:?}");
    assert_eq!(elements(&matrix::to_html(&columns)), elements(&matrix::to_html(&plain_columns)), "{texts:?}");
    assert_eq!(elements(&badge::to_badge(&document, &texts[0])), elements(&badge::to_badge(&plain, "x")));
    elements(&render(&document, Format::Junit).unwrap());
    for format in [Format::Sarif, Format::Har, Format::Json] {
        let value: Value = serde_json::from_str(&render(&document, format).unwrap()).unwrap();
        assert!(value.is_object());
    }
    let count = |text: &str| text.lines().count();
    for format in [Format::Github, Format::Markdown, Format::Text] {
        let text = render(&document, format).unwrap();
        assert!(
            !text.chars().any(|c| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c)),
            "{text:?}"
        );
    }
    let commands = render(&document, Format::Github).unwrap();
    assert_eq!(count(&commands), count(&render(&plain, Format::Github).unwrap()), "{commands}");
    assert!(commands.lines().all(is_command), "{commands}");
    assert_code_only(&render(&document, Format::Markdown).unwrap(), texts);
}

/// The elements of a document in their order, by a strict reader; nothing that a text brings may add one. Lists and
/// rows that are there for texts only are left out, as are marks that cut a text.
#[track_caller]
fn elements(markup: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(markup);
    reader.config_mut().check_end_names = true;
    let mut found = Vec::new();
    let mut depth = 0_i32;
    loop {
        let (start, nests) = match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(start)) => (start.into_owned(), true),
            Ok(Event::Empty(start)) => (start.into_owned(), false),
            Ok(Event::End(_)) => {
                depth -= 1;
                continue;
            }
            Ok(Event::Text(text)) => {
                let text = text.decode().unwrap();
                assert!(quick_xml::escape::unescape(&text).is_ok(), "{text}");
                assert!(!text.contains('<'), "{text}");
                continue;
            }
            Ok(_) => continue,
            Err(error) => panic!("{error} at {}\n{}", reader.error_position(), around(markup, reader.error_position())),
        };
        depth += i32::from(nests);
        let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
        let attributes: Vec<_> = start.attributes().map(|attribute| attribute.unwrap()).collect();
        let known = |name: &[u8]| !name.starts_with(b"on") && name != b"style" && name != b"src";
        assert!(attributes.iter().all(|attribute| known(attribute.key.as_ref())), "{start:?}");
        let for_texts = ["title", "ul", "li", "p", "div", "dt", "dd", "option"];
        if !for_texts.contains(&name.as_str()) {
            found.push(name);
        }
    }
    assert_eq!(depth, 0);
    found
}

fn around(text: &str, at: u64) -> &str {
    let at = usize::try_from(at).unwrap_or_default();
    let from = (at.saturating_sub(200)..at).find(|n| text.is_char_boundary(*n)).unwrap_or_default();
    let to = (at..text.len()).find(|n| text.is_char_boundary(*n)).unwrap_or(text.len());
    &text[from..to]
}

fn is_command(line: &str) -> bool {
    let rest =
        ["::error title=", "::warning title=", "::notice title="].iter().find_map(|head| line.strip_prefix(head));
    let Some((title, _)) = rest.and_then(|rest| rest.split_once("::")) else { return false };
    !title.contains([':', ','])
}

/// Outside of code spans and fences, a summary holds no line of a hostile text.
#[track_caller]
fn assert_code_only(markdown: &str, texts: &[String]) {
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && line.ends_with("text") => fence = Some(ticks),
            None => {
                let outside = outside_of_spans(line);
                assert!(!outside.contains(['<', '[', '@', '`']), "{outside}\n{line}\n{texts:?}");
            }
        }
    }
    assert_eq!(fence, None, "{markdown}");
}

/// What stands outside of code spans.
fn outside_of_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let run = rest.len() - rest.trim_start_matches('`').len();
        let close = closing(&rest[run..], run);
        match close {
            None => return out + rest,
            Some(end) => rest = &rest[run + end + run..],
        }
    }
    out + rest
}

/// Where the run of exactly this many back-ticks begins that closes a span.
fn closing(text: &str, run: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let length = text[start..].len() - text[start..].trim_start_matches('`').len();
        if length == run {
            return Some(start);
        }
        at = start + length;
    }
    None
}

// Helpers

fn named(name: &str, document: Document) -> Named {
    Named { name: name.into(), document }
}

fn ids<'v>(values: &'v Value, member: &str) -> BTreeSet<&'v str> {
    values.as_array().unwrap().iter().map(|value| value[member].as_str().unwrap()).collect()
}
