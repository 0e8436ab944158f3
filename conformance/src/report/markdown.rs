//! A summary in Markdown, for pull requests and job pages.
//!
//! What a target said stands in code spans and fenced blocks only, and their fences are longer than any run of
//! back-ticks inside: there it can be neither a link, nor a mention, nor markup.

use std::collections::BTreeMap;

use super::cause::usual_cause;
use super::json::{CaseRecord, Document, TargetRecord};
use super::text::{area_of, printable};
use crate::verdict::Verdict;

/// How many cases are shown with their dialogue; a summary has to fit on a page of a code host.
const SHOWN_MAX: usize = 30;

/// The report as Markdown.
pub fn to_markdown(document: &Document) -> String {
    let mut out = format!("# syncspec: {}\n\n", headline(document));
    out.push_str(&format!("exit {}: {}\n\n", document.exit.code, code(&document.exit.reason)));
    for target in targets(document) {
        out.push_str(&format!("- target {}\n", code(&target_label(target))));
    }
    out.push_str(&format!(
        "- seed {}, {} connections, {} messages, {} ms\n\n",
        code(&document.run.seed),
        document.run.connections,
        document.run.messages,
        document.run.took_ms
    ));
    out.push_str(&areas(document));
    let bad: Vec<_> = [Verdict::Fail, Verdict::Warn, Verdict::Inconclusive]
        .into_iter()
        .flat_map(|verdict| document.cases.iter().filter(move |case| case.verdict == verdict))
        .collect();
    for case in bad.iter().take(SHOWN_MAX) {
        out.push_str(&section(case));
    }
    if bad.len() > SHOWN_MAX {
        out.push_str(&format!("\n{} more are in the JSON report.\n", bad.len() - SHOWN_MAX));
    }
    if let Some(figures) = &document.suite.figures {
        out.push_str(&format!("\nThe suite on trial: {}.\n", figures.sentence()));
    }
    out
}

/// The counts in words, those that are not zero: `239 pass, 1 fail`.
pub fn headline(document: &Document) -> String {
    let told = Verdict::ALL.into_iter().filter(|verdict| document.summary.count(*verdict) > 0);
    let told: Vec<_> = told.map(|verdict| format!("{} {verdict}", document.summary.count(verdict))).collect();
    if told.is_empty() { "no cases".into() } else { told.join(", ") }
}

/// What was judged: the targets of a merged report, or the one.
pub fn targets(document: &Document) -> Vec<&TargetRecord> {
    if document.targets.is_empty() { vec![&document.target] } else { document.targets.iter().collect() }
}

/// A target as people call it: its name, its URLs, or what it is.
pub fn target_label(target: &TargetRecord) -> String {
    let urls: Vec<_> = target.endpoints.values().map(String::as_str).collect();
    match (target.name.is_empty(), target.embedded) {
        (false, _) => target.name.clone(),
        (true, true) => "built-in reference endpoint".into(),
        (true, false) if urls.is_empty() => "unknown".into(),
        (true, false) => urls.join(", "),
    }
}

/// The text as a code span that nothing in it can leave, fit for a cell of a table.
pub fn code(text: &str) -> String {
    let text = printable(text).replace('|', "\\|");
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn areas(document: &Document) -> String {
    let mut rows: BTreeMap<(&str, &str), BTreeMap<Verdict, usize>> = BTreeMap::new();
    for case in &document.cases {
        *rows.entry((&case.dialect, area_of(&case.id))).or_default().entry(case.verdict).or_default() += 1;
    }
    let mut out = format!("| dialect | area | {} |\n", Verdict::ALL.map(Verdict::word).join(" | "));
    out.push_str(&format!("|---|---|{}\n", "--:|".repeat(Verdict::ALL.len())));
    for ((dialect, area), counts) in rows {
        let cells = Verdict::ALL.map(|verdict| counts.get(&verdict).map_or_else(String::new, usize::to_string));
        out.push_str(&format!("| {} | {} | {} |\n", code(dialect), code(area), cells.join(" | ")));
    }
    out
}

fn section(case: &CaseRecord) -> String {
    let target = if case.target.is_empty() { String::new() } else { format!(" ({})", code(&case.target)) };
    let mut out = format!("\n### {} {}{target}\n\n", case.verdict.word().to_uppercase(), code(&case.id));
    out.push_str(&format!("{}\n\n", code(&case.title)));
    match case.findings.first() {
        None => out.push_str(&format!("- reason: {}\n", code(&case.reason))),
        Some(first) => {
            let standing = format!("{}, {}", first.level, first.grade);
            out.push_str(&format!("- required by {} ({standing})\n", code(&first.requirement)));
            for (n, expected) in first.expected.iter().enumerate() {
                out.push_str(&format!("- {} {}\n", if n == 0 { "expected" } else { "or" }, code(expected)));
            }
            out.push_str(&format!("- got {}\n", code(&first.got)));
            if let Some(cause) = usual_cause(&first.requirement) {
                out.push_str(&format!("- usual cause: {cause}\n"));
            }
        }
    }
    out.push_str(&format!("- again: {}\n", code(&format!("syncspec replay REPORT.json {}", case.id))));
    if !case.dialogue.trim().is_empty() {
        let lines: Vec<_> = case.dialogue.lines().map(printable).collect();
        let text = lines.join("\n");
        let fence = "`".repeat((longest_run(&text) + 1).max(3));
        out.push_str(&format!("\n{fence}text\n{text}\n{fence}\n"));
    }
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
