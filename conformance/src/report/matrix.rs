//! Several servers side by side: by area, and case by case.
//!
//! A cell says its verdict in words. A case that a report does not have is a dash: nothing is known.

use std::collections::{BTreeMap, BTreeSet};

use super::html::{escaped, page, symbol};
use super::json::CaseRecord;
use super::markdown::code;
use super::merge::Named;
use super::text::area_of;
use crate::verdict::Verdict;

/// Cases of one server by dialect and id.
type Cases<'r> = BTreeMap<(&'r str, &'r str), &'r CaseRecord>;

/// What stands in a table: rows by dialect and area, and by dialect and case, a column for each server.
struct Table<'r> {
    columns: Vec<(&'r str, Cases<'r>)>,
    /// Dialect and id of every case, by area.
    cases: Vec<(&'r str, &'r str)>,
}

impl<'r> Table<'r> {
    fn of(reports: &'r [Named]) -> Self {
        let mut cases: Vec<(&str, &str)> = Vec::new();
        let mut seen = BTreeSet::new();
        for case in reports.iter().flat_map(|report| &report.document.cases) {
            if seen.insert((case.dialect.as_str(), case.id.as_str())) {
                cases.push((&case.dialect, &case.id));
            }
        }
        cases.sort_by_key(|(dialect, id)| (*dialect, is_monitored(id), area_of(id), *id));
        let column = |report: &'r Named| {
            let all = report.document.cases.iter();
            (report.name.as_str(), all.map(|case| ((case.dialect.as_str(), case.id.as_str()), case)).collect())
        };
        Self { columns: reports.iter().map(column).collect(), cases }
    }

    /// Dialects and areas in the order of the cases.
    fn areas(&self) -> Vec<(&'r str, &'r str)> {
        let mut areas: Vec<_> = self.cases.iter().map(|(dialect, id)| (*dialect, area_of(id))).collect();
        areas.dedup();
        areas
    }

    /// What one server is worth in one area, in words: `11/12`, and what is bad about the rest.
    fn tally(&self, column: usize, area: (&str, &str)) -> String {
        let Some((_, cases)) = self.columns.get(column) else { return String::new() };
        let own: Vec<_> = cases.iter().filter(|((dialect, id), _)| (*dialect, area_of(id)) == area).collect();
        let count = |verdict| own.iter().filter(|(_, case)| case.verdict == verdict).count();
        let told: Vec<_> = Verdict::ALL
            .into_iter()
            .filter(|verdict| *verdict != Verdict::Pass && count(*verdict) > 0)
            .map(|verdict| format!("{} {verdict}", count(verdict)))
            .collect();
        match (own.is_empty(), told.is_empty()) {
            (true, _) => "-".into(),
            (false, true) => format!("{}/{}", count(Verdict::Pass), own.len()),
            (false, false) => format!("{}/{}, {}", count(Verdict::Pass), own.len(), told.join(", ")),
        }
    }

    fn verdict(&self, column: usize, case: (&str, &str)) -> Option<&'r CaseRecord> {
        self.columns.get(column).and_then(|(_, cases)| cases.get(&case)).copied()
    }
}

fn is_monitored(id: &str) -> bool {
    area_of(id) == "monitor"
}

/// The matrix as Markdown: a table by area, and one of the cases on which not all pass.
pub fn to_markdown(reports: &[Named]) -> String {
    let table = Table::of(reports);
    let names: Vec<_> = table.columns.iter().map(|(name, _)| code(name)).collect();
    let head = |first: &str| format!("| {first} | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    let mut out = head("cases that pass");
    for area in table.areas() {
        let cells: Vec<_> = (0..names.len()).map(|n| table.tally(n, area)).collect();
        out.push_str(&format!("| {} | {} |\n", code(&format!("{}/{}", area.0, area.1)), cells.join(" | ")));
    }
    out.push_str("\nCases that do not pass everywhere:\n\n");
    out.push_str(&head("case"));
    for case in &table.cases {
        let verdicts: Vec<_> = (0..names.len()).map(|n| table.verdict(n, *case).map(|case| case.verdict)).collect();
        if verdicts.iter().any(|verdict| *verdict != Some(Verdict::Pass)) {
            let cells: Vec<_> = verdicts.iter().map(|verdict| cell(*verdict)).collect();
            out.push_str(&format!("| {} | {} |\n", code(case.1), cells.join(" | ")));
        }
    }
    out
}

fn cell(verdict: Option<Verdict>) -> String {
    match verdict {
        None => "-".into(),
        Some(verdict @ (Verdict::Fail | Verdict::Warn)) => format!("**{verdict}**"),
        Some(verdict) => verdict.to_string(),
    }
}

/// The matrix as one page.
pub fn to_html(reports: &[Named]) -> String {
    let table = Table::of(reports);
    let columns = 0..table.columns.len();
    let names: String =
        table.columns.iter().map(|(name, _)| format!("<th scope=\"col\">{}</th>", escaped(name))).collect();
    let mut body = String::from("<header><h1>syncspec: servers side by side</h1></header>\n<main>\n");
    body.push_str(&format!(
        "<h2>By area</h2>\n<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th scope=\"col\">cases that \
         pass</th>{names}</tr></thead><tbody>\n"
    ));
    for area in table.areas() {
        let cells: String = columns.clone().map(|n| format!("<td>{}</td>", escaped(&table.tally(n, area)))).collect();
        let name = escaped(&format!("{}/{}", area.0, area.1));
        body.push_str(&format!("<tr><th scope=\"row\">{name}</th>{cells}</tr>\n"));
    }
    body.push_str(&format!(
        "</tbody></table></div>\n<h2>By case</h2>\n<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th \
         scope=\"col\">case</th>{names}</tr></thead><tbody>\n"
    ));
    for case in &table.cases {
        let cells: String = columns.clone().map(|n| html_cell(table.verdict(n, *case))).collect();
        body.push_str(&format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", escaped(case.1)));
    }
    body.push_str("</tbody></table></div>\n</main>\n");
    page("syncspec: servers side by side", &body)
}

fn html_cell(case: Option<&CaseRecord>) -> String {
    let Some(case) = case else { return "<td>-</td>".into() };
    let (word, class) = (case.verdict.word(), super::html::class(case.verdict));
    let why = if case.reason.is_empty() { String::new() } else { format!(" title=\"{}\"", escaped(&case.reason)) };
    format!("<td class=\"{class}\"{why}><span class=\"mark\">{}</span> {word}</td>", symbol(case.verdict))
}
