//! Which requirements a run says something about: counts by area, and every row.

use std::collections::BTreeMap;

use super::{chip, escaped};
use crate::report::json::{Document, RequirementRecord};
use crate::verdict::Verdict;

/// The rows that bind a server of the dialects of this report, or both.
fn rows(document: &Document) -> impl Iterator<Item = &RequirementRecord> {
    let has = |dialect: &str| document.cases.iter().any(|case| case.dialect == dialect);
    let (graphql, events) = (has("graphql"), has("events"));
    document.requirements.iter().filter(move |row| match row.id.split('-').next() {
        Some("GQL") => graphql || !events,
        Some("EVT") => events || !graphql,
        Some(_) | None => true,
    })
}

/// Both tables.
pub(super) fn tables(document: &Document) -> String {
    let mut out = String::from("<h2 id=\"requirements\">Requirements</h2>\n");
    let mut areas: Vec<(&str, Vec<&RequirementRecord>)> = Vec::new();
    for row in rows(document) {
        let area = row.id.rsplit_once('-').map_or(row.id.as_str(), |(area, _)| area);
        match areas.last_mut() {
            Some((last, rows)) if *last == area => rows.push(row),
            Some(_) | None => areas.push((area, vec![row])),
        }
    }
    out.push_str(
        "<div class=\"scroll\"><table class=\"coverage\"><thead><tr><th scope=\"col\">area</th><th scope=\"col\" \
         class=\"number\">rules</th><th scope=\"col\" class=\"number\">exercised</th><th scope=\"col\">found</th><th \
         scope=\"col\">not seen from outside</th></tr></thead><tbody>\n",
    );
    for (area, rows) in &areas {
        let exercised = rows.iter().filter(|row| !row.exercised_by.is_empty()).count();
        let hidden = rows.iter().filter(|row| row.reach != "outside").count();
        let found: Vec<_> = [Verdict::Fail, Verdict::Warn, Verdict::Info, Verdict::Inconclusive]
            .into_iter()
            .map(|verdict| (verdict, rows.iter().filter(|row| row.verdict.as_deref() == Some(verdict.word())).count()))
            .filter(|(_, count)| *count > 0)
            .map(|(verdict, count)| format!("{count} {}", chip(verdict)))
            .collect();
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{exercised}</td><td>{}</td><td>{}</td></tr>\n",
            escaped(area),
            rows.len(),
            found.join(", "),
            if hidden == 0 { String::new() } else { format!("{hidden} of {}", rows.len()) }
        ));
    }
    out.push_str("</tbody></table></div>\n");
    out.push_str(&every(document));
    out
}

fn every(document: &Document) -> String {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (n, case) in document.cases.iter().enumerate() {
        places.entry(&case.id).or_insert(n);
    }
    let mut out = format!(
        "<details class=\"rules\"><summary>All {} requirements</summary>\n<table class=\"rows\"><thead><tr><th \
         scope=\"col\">requirement</th><th scope=\"col\">verdict</th><th scope=\"col\">exercised by</th></tr></thead><tbody>\n",
        rows(document).count()
    );
    for row in rows(document) {
        let verdict = row.verdict.as_deref().and_then(Verdict::parse).map_or_else(String::new, chip);
        let by: Vec<_> = row
            .exercised_by
            .iter()
            .map(|id| match places.get(id.as_str()) {
                Some(n) => format!("<a href=\"#case-{n}\">{}</a>", escaped(id)),
                None => escaped(id),
            })
            .collect();
        let by = if by.is_empty() { escaped(&excuse(row)) } else { by.join("<br/>") };
        out.push_str(&format!(
            "<tr><td><strong>{}</strong> <span class=\"standing\">{} - {}</span><br/>{}</td><td>{verdict}</td><td>{by}</td></tr>\n",
            escaped(&row.id),
            escaped(&row.level),
            escaped(&row.grade),
            escaped(&row.text)
        ));
    }
    out.push_str("</tbody></table></details>\n");
    out
}

/// Why nothing exercises a requirement.
fn excuse(row: &RequirementRecord) -> String {
    match row.reach.as_str() {
        "client" => "binds clients".into(),
        "needs" => format!("needs {}", row.reach_reason),
        "hidden" => format!("cannot be seen: {}", row.reach_reason),
        _ => "not exercised in this run".into(),
    }
}
