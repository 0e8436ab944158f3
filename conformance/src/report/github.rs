//! Workflow commands of GitHub Actions, which become annotations of the run.
//!
//! The runner obeys every line that begins with `::`, so no text may begin a line of its own or leave its
//! property: line breaks, per cent signs, and in properties colons and commas are escaped as the runner undoes it.

use super::cause::usual_cause;
use super::json::{CaseRecord, Document};
use super::text::printable;
use crate::verdict::Verdict;

/// The report as workflow commands, one a line: failures first, then warnings, then what is open, and the count.
pub fn to_github(document: &Document) -> String {
    let mut out = String::new();
    for (verdict, command) in [(Verdict::Fail, "error"), (Verdict::Warn, "warning"), (Verdict::Inconclusive, "warning")]
    {
        for case in document.cases.iter().filter(|case| case.verdict == verdict) {
            line(&mut out, command, &title(case), &message(case));
        }
    }
    let counts = &document.summary;
    let told = Verdict::ALL.map(|verdict| format!("{} {verdict}", counts.count(verdict)));
    let text = format!("{}; exit {}: {}", told.join(", "), document.exit.code, document.exit.reason);
    line(&mut out, "notice", "syncspec", &text);
    out
}

fn title(case: &CaseRecord) -> String {
    let target = if case.target.is_empty() { String::new() } else { format!(" ({})", case.target) };
    format!("{} {}{target}", case.verdict.word().to_uppercase(), case.id)
}

fn message(case: &CaseRecord) -> String {
    let Some(first) = case.findings.first() else { return case.reason.clone() };
    let mut text = format!(
        "{} ({}, {}): expected {}; got {}",
        first.requirement,
        first.level,
        first.grade,
        first.expected.join(", or "),
        first.got
    );
    if let Some(cause) = usual_cause(&first.requirement) {
        text.push_str(&format!("\nusual cause: {cause}"));
    }
    text
}

fn line(out: &mut String, command: &str, title: &str, text: &str) {
    let text: Vec<_> = text.lines().map(printable).collect();
    out.push_str(&format!("::{command} title={}::{}\n", property(&printable(title)), data(&text.join("\n"))));
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
