//! The page of one case: what was required and by whom, what was done and seen, the drawing, the trace, and how
//! to see it again.

use appsync_protocol::requirement::Requirement;
use appsync_protocol::transcript::dialogue::{answer_label, label};
use appsync_protocol::transcript::{Entry, Transcript, What};
use appsync_protocol::wire::{OwnedFrame, Side};

use super::{area, chip, diagram, escaped, seconds};
use crate::report::cause::usual_cause;
use crate::report::json::{CaseRecord, Document, FindingRecord};
use crate::report::text::acts;
use crate::verdict::Verdict;

/// The page of the case with this index.
pub(super) fn article(document: &Document, n: usize, case: &CaseRecord) -> String {
    let word = case.verdict.word();
    let mut out = format!(
        "<article class=\"case\" id=\"case-{n}\" data-verdict=\"{word}\">\n<nav class=\"walk\"><a href=\"#overview\">all \
         cases</a> <a class=\"prev\" href=\"#case-{}\">previous</a> <a class=\"next\" href=\"#case-{}\">next</a></nav>\n<p \
         class=\"area\">{}</p>\n<h2>{} <span class=\"id\">{}</span></h2>\n<p class=\"lead\">{}</p>\n",
        n.saturating_sub(1),
        (n + 1).min(document.cases.len().saturating_sub(1)),
        escaped(&if case.target.is_empty() { area(case) } else { format!("{} / {}", case.target, area(case)) }),
        chip(case.verdict),
        escaped(&case.id),
        escaped(&case.title)
    );
    out.push_str(&story(document, case));
    let trace = case.transcript().unwrap_or_default();
    if !trace.entries().is_empty() {
        out.push_str("<h3>Dialogue</h3>\n");
        out.push_str(&diagram::draw(&trace, case.mark));
        out.push_str(&table(&trace, case));
    } else if !case.dialogue.trim().is_empty() {
        out.push_str(&format!("<h3>Dialogue</h3>\n<pre>{}</pre>\n", lines(&case.dialogue)));
    }
    out.push_str("</article>\n");
    out
}

fn story(document: &Document, case: &CaseRecord) -> String {
    let mut out = String::from("<dl class=\"story\">\n");
    match case.findings.first() {
        None => {
            for id in &case.requirements {
                field(&mut out, "requires", &requirement(document, id));
            }
            plain(&mut out, "reason", &case.reason);
        }
        Some(first) => finding(&mut out, document, case, first),
    }
    for other in case.findings.iter().skip(1) {
        let text = format!("{} ({}, {}): {}", other.requirement, other.level, other.grade, other.got);
        plain(&mut out, "also", &text);
    }
    list(&mut out, "evidence", &case.evidence);
    let seen: Vec<_> = case.observations.iter().map(|seen| format!("{}: {}", seen.name, seen.value)).collect();
    list(&mut out, "observed", &seen);
    if case.attempts > 0 {
        let tries = if case.attempts == 1 { String::new() } else { format!(", tried {} times", case.attempts) };
        plain(&mut out, "took", &format!("{}{tries}", seconds(case.duration_ms)));
        field(&mut out, "run it again", &again(case));
    }
    out.push_str("</dl>\n");
    out
}

fn finding(out: &mut String, document: &Document, case: &CaseRecord, first: &FindingRecord) {
    field(out, "required", &requirement(document, &first.requirement));
    let row = document.requirements.iter().find(|row| row.id == first.requirement);
    let mut sources: Vec<_> = row.map(|row| row.source.clone()).into_iter().collect();
    if let Some(rule) = Requirement::parse(&first.requirement) {
        sources.extend(rule.sources().map(|source| format!("{}: {}", source.key, source.title)));
    }
    list(out, "source", &sources);
    if let Some(rule) = Requirement::parse(&first.requirement) {
        let disputed: Vec<_> =
            rule.disputed_by().map(|a| format!("{}: {} Our treatment: {}", a.id, a.question, a.treatment)).collect();
        list(out, "disputed", &disputed);
    }
    plain(out, "did", &acts(&case.dialogue).join(", "));
    list(out, "expected", &first.expected);
    field(out, "saw", &format!("<strong class=\"saw\">{}</strong>", escaped(&first.got)));
    plain(out, "usual cause", usual_cause(&first.requirement).unwrap_or_default());
}

/// The sentence of a requirement, its id and its standing.
fn requirement(document: &Document, id: &str) -> String {
    match document.requirements.iter().find(|row| row.id == id) {
        None => escaped(id),
        Some(row) => format!(
            "{} <span class=\"standing\">{} - {} - {}</span>",
            escaped(&row.text),
            escaped(&row.level),
            escaped(&row.grade),
            escaped(id)
        ),
    }
}

fn again(case: &CaseRecord) -> String {
    let command = format!("syncspec replay REPORT.json {}", case.id);
    format!("<code>{}</code><br/><code>{} --emit python</code>", escaped(&command), escaped(&command))
}

fn plain(out: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        field(out, name, &escaped(text));
    }
}

fn list(out: &mut String, name: &str, texts: &[String]) {
    let items: Vec<_> =
        texts.iter().filter(|text| !text.is_empty()).map(|text| format!("<li>{}</li>", escaped(text))).collect();
    match texts.iter().filter(|text| !text.is_empty()).collect::<Vec<_>>()[..] {
        [] => {}
        [one] => plain(out, name, one),
        _ => field(out, name, &format!("<ul>{}</ul>", items.join(""))),
    }
}

fn field(out: &mut String, name: &str, markup: &str) {
    out.push_str(&format!("<div><dt>{name}</dt><dd>{markup}</dd></div>\n"));
}

/// Line breaks stay, everything else is text.
fn lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}

// The trace

fn table(trace: &Transcript, case: &CaseRecord) -> String {
    let open = if matches!(case.verdict, Verdict::Fail | Verdict::Warn) { " open=\"open\"" } else { "" };
    let mut out = format!(
        "<details class=\"trace\"{open}><summary>Trace, {} entries</summary>\n<div class=\"scroll\"><table>\n<thead><tr><th \
         scope=\"col\">ms</th><th scope=\"col\">on</th><th scope=\"col\">from</th><th \
         scope=\"col\">what</th></tr></thead><tbody>\n",
        trace.entries().len()
    );
    for (n, entry) in trace.entries().iter().enumerate() {
        let here = case.mark == Some(n);
        let class = if here { " class=\"here\"" } else { "" };
        let told = if here { " <strong>&#9664; here</strong>" } else { "" };
        let micros = entry.at.as_micros();
        out.push_str(&format!(
            "<tr{class}><td class=\"number\">{}.{:03}</td><td>{}</td><td>{}</td><td class=\"said\">{}{told}</td></tr>\n",
            micros / 1000,
            micros % 1000,
            if diagram::is_http(entry) { "HTTP".into() } else { format!("#{}", entry.connection) },
            from(entry),
            escaped(&said(entry))
        ));
    }
    out.push_str("</tbody></table></div></details>\n");
    out
}

fn from(entry: &Entry) -> &'static str {
    match &entry.what {
        What::Open { .. } | What::Http { .. } => "client",
        What::Frame { from: Side::Client, frame: _ } => "client",
        What::Frame { from: Side::Server, frame: _ } => "server",
        What::Note(_) => "note",
    }
}

/// An entry in full, as far as the report has it.
fn said(entry: &Entry) -> String {
    match &entry.what {
        What::Frame { from: _, frame: OwnedFrame::Text { text, fragments } } => {
            if *fragments > 1 {
                format!("{text} ({fragments} fragments)")
            } else {
                text.clone()
            }
        }
        What::Frame { from: _, frame: _ } => label(&entry.what),
        What::Http { request, response } => {
            let asked = format!("{} {} {}", request.method, request.target, request.body.text());
            format!("{}: {} {}", asked.trim_end(), response.status, response.body.text())
        }
        What::Open { .. } => format!("{}: {}", label(&entry.what), answer_label(&entry.what).unwrap_or_default()),
        What::Note(note) => note.clone(),
    }
}
