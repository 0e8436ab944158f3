//! Every writer of reports, with hostile text in every place that a target can fill.
//!
//! The invariant: no control character and nothing that turns the direction of text gets through to people; the text, the JUnit
//! file, the page and the summary keep their structure: no element, attribute, fence or line begins with what a target
//! said; XML and JSON stay well-formed; and a script never leaves its quotes.
//!
//! Hostile texts hold the canary `zqx` behind what would make it markup.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;
use syncspec::report::emit::{Language, emit};
use syncspec::report::format::{Format, render};
use syncspec::report::json::Document;
use syncspec::report::read::from_text;
use syncspec::report::text::obeyed;

use crate::draw::Draw;
use crate::reach::Point;

static DOCUMENT: Point = Point::new("writers/document");
static TEXT: Point = Point::new("writers/text");
static JUNIT: Point = Point::new("writers/junit");
static HTML: Point = Point::new("writers/html");
static MARKDOWN: Point = Point::new("writers/markdown");
static GITHUB: Point = Point::new("writers/github");
static LIBRARY: Point = Point::new("writers/json");
static SCRIPT: Point = Point::new("writers/script");
/// Where the oracle speaks.
pub static POINTS: [&Point; 8] = [&DOCUMENT, &TEXT, &JUNIT, &HTML, &MARKDOWN, &GITHUB, &LIBRARY, &SCRIPT];

const TEMPLATE: &str = include_str!("run.json");

/// What would be obeyed where it is not made harmless.
const HOSTILE: [&str; 25] = [
    "<zqx onload=1>",
    "</td><zqx>",
    "</script><zqx>",
    "</pre></details><zqx>",
    "\"><zqx>",
    "'><zqx x='",
    "]]><zqx>",
    "--><zqx>",
    "&lt;zqx&gt;",
    "&#60;zqx",
    "\u{1b}[31mzqx",
    "\u{9b}31mzqx",
    "\u{0}zqx",
    "\u{202e}zqx",
    "\u{2066}zqx",
    "\nzqx",
    "\r\n::error::zqx",
    "\n```\n<zqx>",
    "``` <zqx>",
    "`<zqx>`",
    "\n# zqx",
    "![zqx](http://z)",
    "a|b|<zqx>|",
    "\\\"; zqx(); \"",
    "\" zqx=\"1",
];

/// Members that a target fills. What names a case, a rule or a verdict is ours.
const FILLED: [&str; 9] = ["reason", "got", "expected", "evidence", "value", "dialogue", "text", "graphql", "events"];

/// One input.
pub fn run(input: &[u8]) {
    let mut draw = Draw::new(input);
    let mut value: Value = serde_json::from_str(TEMPLATE).unwrap_or_default();
    fill(&mut draw, &mut value, "");
    let Ok(document) = from_text(&value.to_string()) else { return };
    DOCUMENT.reached();
    for format in Format::ALL {
        let written = render(&document, format).unwrap_or_else(|error| panic!("{format:?}: {error}"));
        match format {
            Format::Text => text(&written),
            Format::Junit => junit(&written),
            Format::Html => html(&written),
            Format::Markdown => markdown(&written),
            Format::Github => github(&written),
            Format::Json | Format::Sarif | Format::Har => {
                LIBRARY.reached();
                assert!(serde_json::from_str::<Value>(&written).is_ok(), "{format:?}: {written}");
                assert!(!written.contains(|c| c < ' ' && c != '\n'), "{format:?}: {written:?}");
            }
        }
    }
    scripts(&document);
}

/// Puts hostile texts into some of the places.
fn fill(draw: &mut Draw<'_>, value: &mut Value, name: &str) {
    match value {
        Value::String(text) if FILLED.contains(&name) && !draw.once_in(3) => {
            let mut hostile: String = (0..1 + draw.below(3)).map(|_| draw.pick(&HOSTILE)).collect();
            if draw.once_in(4) {
                hostile.push_str(&draw.text());
            }
            *text = if draw.once_in(2) { format!("{text}{hostile}") } else { hostile };
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(draw, item, name)),
        Value::Object(members) => members.iter_mut().for_each(|(name, member)| fill(draw, member, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_harmless(written: &str) -> bool {
    !written.chars().any(|c| obeyed(c) && c != '\n')
}

fn text(written: &str) {
    TEXT.reached();
    assert!(is_harmless(written), "{written:?}");
    assert!(!written.lines().any(|line| line.starts_with("zqx")), "{written}");
}

fn junit(written: &str) {
    JUNIT.reached();
    assert!(is_harmless(written), "{written:?}");
    let mut reader = Reader::from_str(written);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {written}")) {
            Event::Start(tag) | Event::Empty(tag) => {
                assert!(!tag.name().as_ref().starts_with(b"zqx"), "{written}");
                for attribute in tag.attributes() {
                    let attribute = attribute.unwrap_or_else(|error| panic!("{error}: {written}"));
                    assert!(!attribute.key.as_ref().starts_with(b"zqx"), "{written}");
                }
            }
            Event::Eof => break,
            Event::End(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

fn html(written: &str) {
    HTML.reached();
    assert!(is_harmless(written), "{written:?}");
    assert!(!written.contains("<zqx") && !written.contains("-->"), "{written}");
    // Behind a quotation mark a text would be an attribute, and there is none of that name.
    assert!(!written.contains("zqx=\""), "{written}");
    for (at, _) in written.match_indices('<') {
        let next = written[at + 1..].chars().next().unwrap_or_default();
        assert!(next.is_ascii_alphabetic() || "/!".contains(next) || next == ' ' || next == '=', "{}", &written[at..]);
    }
}

/// Outside of code, nothing that a target said; the fences are those of the writer.
fn markdown(written: &str) {
    MARKDOWN.reached();
    assert!(is_harmless(written), "{written:?}");
    let mut fence: Option<usize> = None;
    for line in written.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks >= open && line.trim_start_matches('`').trim().is_empty() => fence = None,
            Some(_) => {}
            None if ticks >= 3 => fence = Some(ticks),
            None => assert!(!outside_code(line).contains("zqx"), "{line:?} in {written}"),
        }
    }
    assert_eq!(fence, None, "{written}");
}

/// A line without its code spans, as CommonMark reads them: a run of back-ticks ends at the next run of that length.
fn outside_code(line: &str) -> String {
    let (mut rest, mut outside) = (line, String::new());
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        let opened = &rest[start..];
        let ticks = opened.len() - opened.trim_start_matches('`').len();
        let body = &opened[ticks..];
        let mut at = 0;
        let end = loop {
            let Some(next) = body[at..].find('`').map(|next| next + at) else { break None };
            let run = body[next..].len() - body[next..].trim_start_matches('`').len();
            if run == ticks {
                break Some(next + run);
            }
            at = next + run;
        };
        match end {
            Some(end) => rest = &body[end..],
            None => {
                outside.push_str(&opened[..ticks]);
                rest = body;
            }
        }
    }
    outside + rest
}

fn github(written: &str) {
    GITHUB.reached();
    assert!(is_harmless(written), "{written:?}");
    for line in written.lines() {
        let ours = ["::error ", "::warning ", "::notice ", "::group::", "::endgroup::", "::error::", "::warning::"];
        assert!(!line.starts_with("::") || ours.iter().any(|own| line.starts_with(own)), "{line}");
        assert!(!line.starts_with("::error::zqx") && !line.trim_start().starts_with("zqx"), "{line}");
    }
}

fn scripts(document: &Document) {
    for case in &document.cases {
        for language in [Language::Python, Language::Websocat] {
            let Ok(script) = emit(document, case, language) else { continue };
            SCRIPT.reached();
            assert!(is_harmless(&script), "{script:?}");
            assert!(!script.lines().any(|line| line.trim_start().starts_with("zqx")), "{script}");
        }
    }
}
