//! The whole report as one HTML file: a table that can be filtered, a page for each case, the coverage of the
//! requirements.
//!
//! The file needs nothing else: no network, no fonts, no pictures. What a peer said is text and nothing but text:
//! everything goes through [`escaped`], and a policy in the head forbids whatever is not the one script and the
//! one style sheet, by their hashes. Without the script everything is there, one below the other; so it is on
//! paper. The markup is well-formed XML too, so that a test can read it back with a strict reader.

mod case;
mod coverage;
mod diagram;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::json::{CaseRecord, Document};
use super::markdown::{headline, target_label, targets};
use super::text::{area_of, printable};
use crate::verdict::Verdict;

/// The only style sheet of a page.
const STYLE: &str = include_str!("style.css");

/// The only script of a page. Neither `<` nor `&` stands in it.
const SCRIPT: &str = include_str!("script.js");

/// The report as HTML.
pub fn to_html(document: &Document) -> String {
    let mut body = String::new();
    body.push_str(&head(document));
    body.push_str("<main>\n<section id=\"overview\">\n");
    body.push_str(&facts(document));
    body.push_str(&filters(document));
    body.push_str(&table(document));
    body.push_str(&coverage::tables(document));
    body.push_str(&observations(document));
    body.push_str("</section>\n");
    for (n, record) in document.cases.iter().enumerate() {
        body.push_str(&case::article(document, n, record));
    }
    body.push_str("</main>\n");
    page(&format!("syncspec: {}", headline(document)), &body)
}

/// A whole page around its body, which has to be markup already.
pub fn page(title: &str, body: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    let title = escaped(title);
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"/>
<meta name="referrer" content="no-referrer"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
{body}<script>{SCRIPT}</script>
</body>
</html>
"#
    )
}

/// The text as text: what a browser or an XML reader would obey is escaped, and so is what would redraw a line.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            other => out.push(other),
        }
    }
    out
}

/// What stands before the word of a verdict, for those who skim.
pub const fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "\u{2713}",
        Verdict::Fail => "\u{2717}",
        Verdict::Warn => "!",
        Verdict::Info => "i",
        Verdict::NotApplicable => "\u{2013}",
        Verdict::Blocked => "\u{2298}",
        Verdict::Inconclusive => "?",
    }
}

/// The class of a verdict in the style sheet.
pub const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "v-pass",
        Verdict::Fail => "v-fail",
        Verdict::Warn => "v-warn",
        Verdict::Info => "v-info",
        Verdict::NotApplicable => "v-none",
        Verdict::Blocked => "v-blocked",
        Verdict::Inconclusive => "v-open",
    }
}

/// Symbol and word of a verdict.
fn chip(verdict: Verdict) -> String {
    let (class, mark, word) = (class(verdict), symbol(verdict), verdict.word());
    format!("<span class=\"verdict {class}\"><span class=\"mark\">{mark}</span> {word}</span>")
}

fn head(document: &Document) -> String {
    let bad = if document.exit.code == 0 { "good" } else { "bad" };
    format!(
        "<header>\n<p class=\"suite\">{} {}</p>\n<h1>{}</h1>\n<p class=\"exit {bad}\">exit {}: {}</p>\n</header>\n",
        escaped(&document.suite.name),
        escaped(&document.suite.version),
        escaped(&headline(document)),
        document.exit.code,
        escaped(&document.exit.reason)
    )
}

fn facts(document: &Document) -> String {
    let mut out = String::from("<dl class=\"facts\">\n");
    let mut fact = |name: &str, text: &str| {
        out.push_str(&format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escaped(text)));
    };
    for target in targets(document) {
        let urls: Vec<_> = target.realtime.values().map(String::as_str).collect();
        let of = if target.name.is_empty() { String::new() } else { format!(" of {}", target.name) };
        fact("target", &target_label(target));
        fact(&escaped(&format!("real-time{of}")), &urls.join(", "));
    }
    fact("seed", &document.run.seed);
    fact("started", &super::har::date(document.run.started_unix_s, 0));
    fact("took", &seconds(document.run.took_ms));
    fact("connections", &document.run.connections.to_string());
    fact("messages", &document.run.messages.to_string());
    if let Some(figures) = &document.suite.figures {
        fact("the suite on trial", &figures.sentence());
    }
    if document.run.interrupted {
        fact("interrupted", "the rest was not run");
    }
    out.push_str("</dl>\n");
    out
}

fn filters(document: &Document) -> String {
    let mut out = String::from(
        "<div class=\"filters\" role=\"search\">\n<label class=\"text\">Search <input type=\"search\" id=\"text\" \
         placeholder=\"id, title, requirement, reason\"/></label>\n<fieldset><legend>Verdicts</legend>\n",
    );
    for verdict in Verdict::ALL.into_iter().filter(|verdict| document.summary.count(*verdict) > 0) {
        let (word, count) = (verdict.word(), document.summary.count(verdict));
        out.push_str(&format!(
            "<label><input type=\"checkbox\" class=\"pick\" value=\"{word}\" checked=\"checked\"/> {} {count}</label>\n",
            chip(verdict)
        ));
    }
    out.push_str("<button type=\"button\" id=\"bad\">problems only</button>\n");
    out.push_str("<button type=\"button\" id=\"all\">all</button>\n</fieldset>\n");
    let dialects: Vec<&str> = document.cases.iter().map(|case| case.dialect.as_str()).collect();
    out.push_str(&select("dialect", "Dialect", dialects));
    if !document.targets.is_empty() {
        let names: Vec<&str> = document.targets.iter().map(|target| target.name.as_str()).collect();
        out.push_str(&select("target", "Target", names));
    }
    out.push_str("<p id=\"count\" aria-live=\"polite\"></p>\n</div>\n");
    out
}

fn select(id: &str, label: &str, mut values: Vec<&str>) -> String {
    values.sort_unstable();
    values.dedup();
    let options: String = values.iter().map(|value| format!("<option>{}</option>", escaped(value))).collect();
    format!("<label>{label} <select id=\"{id}\"><option value=\"\">all</option>{options}</select></label>\n")
}

fn table(document: &Document) -> String {
    let several = !document.targets.is_empty();
    let target = if several { "<th scope=\"col\">target</th>" } else { "" };
    let mut out = format!(
        "<table id=\"cases\">\n<thead><tr><th scope=\"col\">verdict</th>{target}<th scope=\"col\">case</th><th \
         scope=\"col\" class=\"wide\">requirements</th><th scope=\"col\" class=\"number wide\">time</th></tr></thead>\n<tbody>\n"
    );
    let mut cases: Vec<_> = document.cases.iter().enumerate().collect();
    // What is wrong comes first; else the order is that of the catalogue.
    cases.sort_by_key(|(_, case)| urgency(case.verdict));
    for (n, case) in cases {
        out.push_str(&row(n, case, several));
    }
    out.push_str("</tbody>\n</table>\n<p id=\"none\" hidden=\"hidden\">No case matches.</p>\n");
    out
}

const fn urgency(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Warn => 1,
        Verdict::Inconclusive => 2,
        Verdict::Pass | Verdict::Info | Verdict::NotApplicable | Verdict::Blocked => 3,
    }
}

fn row(n: usize, case: &CaseRecord, several: bool) -> String {
    let target = if several { format!("<td>{}</td>", escaped(&case.target)) } else { String::new() };
    let why = if case.reason.is_empty() {
        String::new()
    } else {
        format!("<p class=\"why\">{}</p>", escaped(&shortened(&case.reason)))
    };
    format!(
        "<tr data-verdict=\"{}\" data-dialect=\"{}\" data-target=\"{}\" data-case=\"case-{n}\">\n<td>{}</td>{target}\n<td><a \
         href=\"#case-{n}\">{}</a><p class=\"title\">{}</p>{why}</td>\n<td class=\"wide rules\">{}</td><td class=\"number \
         wide\">{}</td></tr>\n",
        case.verdict,
        escaped(&case.dialect),
        escaped(&case.target),
        chip(case.verdict),
        escaped(&case.id),
        escaped(&case.title),
        escaped(&case.requirements.join(" ")),
        seconds(case.duration_ms)
    )
}

fn observations(document: &Document) -> String {
    if document.observations.is_empty() {
        return String::new();
    }
    let mut out = String::from("<h2 id=\"observations\">Observations</h2>\n<dl class=\"observations\">\n");
    for seen in &document.observations {
        out.push_str(&format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(&seen.name), escaped(&seen.value)));
    }
    out.push_str("</dl>\n");
    out
}

/// The beginning of a text that has its place elsewhere in full.
fn shortened(text: &str) -> String {
    crate::scenario::cut(text, 220)
}

fn seconds(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}

/// The name of the area of a case, for headings.
fn area(case: &CaseRecord) -> String {
    format!("{} / {}", case.dialect, area_of(&case.id))
}
