//! SARIF 2.1.0: what code scanners write and code hosts show.
//!
//! A rule for each requirement that a result names, a result for each requirement that a case found broken, and
//! one for each case that could not be judged. Cases are no files; their place is their id below a base that says
//! so, and the logical location. Levels stand only where the kind is `fail`, as the standard demands.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cause::usual_cause;
use super::json::{CaseRecord, Document, FindingRecord, pretty};
use super::text::{area_of, printable};
use crate::verdict::Verdict;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Base of the places: cases of the suite, which are no files.
const CASES: &str = "SYNCSPEC_CASES";

/// The report as SARIF.
pub fn to_sarif(document: &Document) -> String {
    let mut results = Vec::new();
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for case in &document.cases {
        for finding in &case.findings {
            rules.entry(&finding.requirement).or_insert_with(|| rule(document, &finding.requirement));
            results.push(found(case, finding));
        }
        if case.findings.is_empty() && matches!(case.verdict, Verdict::Inconclusive | Verdict::Blocked) {
            results.push(open(case));
        }
    }
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": printable(&document.suite.name),
                "semanticVersion": printable(&document.suite.version),
                "rules": rules.into_values().collect::<Vec<_>>(),
            } },
            "invocations": [invocation(document)],
            "originalUriBaseIds": { CASES: { "description": { "text": "Cases of syncspec, which are no files." } } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(document: &Document, id: &str) -> Value {
    let row = document.requirements.iter().find(|row| row.id == id);
    let text = row.map_or("a requirement that this version does not know", |row| row.text.as_str());
    let source = row.map_or("", |row| row.source.as_str());
    let mut help = format!("Source: {}.", printable(source));
    if let Some(cause) = usual_cause(id) {
        help.push_str(&format!(" Usual cause: {cause}."));
    }
    json!({
        "id": printable(id),
        "shortDescription": { "text": printable(text) },
        "help": { "text": help },
        "properties": {
            "level": row.map_or("", |row| row.level.as_str()),
            "grade": row.map_or("", |row| row.grade.as_str()),
        },
    })
}

fn found(case: &CaseRecord, finding: &FindingRecord) -> Value {
    let text = format!("{}: expected {}; got {}", case.id, finding.expected.join(", or "), finding.got);
    let mut result = result(case, &finding.requirement, &text);
    let (kind, level) = match finding.severity.as_str() {
        "fail" => ("fail", "error"),
        "warn" => ("fail", "warning"),
        _ => ("informational", "none"),
    };
    if let Some(members) = result.as_object_mut() {
        members.insert("ruleId".into(), json!(printable(&finding.requirement)));
        members.insert("kind".into(), json!(kind));
        members.insert("level".into(), json!(level));
    }
    result
}

fn open(case: &CaseRecord) -> Value {
    let mut result = result(case, "", &format!("{} is {}: {}", case.id, case.verdict, case.reason));
    if let Some(members) = result.as_object_mut() {
        members.insert("kind".into(), json!("open"));
        members.insert("level".into(), json!("none"));
    }
    result
}

fn result(case: &CaseRecord, rule: &str, text: &str) -> Value {
    let name = if case.target.is_empty() { case.id.clone() } else { format!("{}/{}", case.target, case.id) };
    json!({
        "message": { "text": printable(text) },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": percent_encoded(&name), "uriBaseId": CASES } },
            "logicalLocations": [{
                "name": printable(area_of(&case.id)),
                "fullyQualifiedName": printable(&name),
                "kind": "member",
            }],
        }],
        "partialFingerprints": { "syncspecCase/v1": printable(&format!("{name}#{rule}")) },
        "properties": {
            "dialect": case.dialect,
            "verdict": case.verdict.word(),
            "evidence": case.evidence.iter().map(|line| printable(line)).collect::<Vec<_>>(),
        },
    })
}

fn invocation(document: &Document) -> Value {
    let started = document.run.started_unix_s;
    let ended = started.saturating_add(document.run.took_ms / 1000);
    json!({
        "executionSuccessful": document.exit.code != 70 && document.exit.code != 2,
        "exitCode": document.exit.code,
        "exitCodeDescription": printable(&document.exit.reason),
        "startTimeUtc": super::har::date(started, 0),
        "endTimeUtc": super::har::date(ended, 0),
    })
}

/// Everything but unreserved characters and the slash in percent-encoding: a relative reference of one meaning.
fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
