//! A run made again from its records, for the forms that are made from runs.
//!
//! Records name requirements by text. Of one that this version does not know there is no row and so no run: that
//! is told, with the place.

use std::collections::BTreeMap;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::{Requirement, Severity};

use super::json::{CaseRecord, Document, FindingRecord, ObservationRecord};
use super::model::{Case, Exit, Run, Target};
use super::read::{ReadError, seed, wrong};
use crate::player::Observation;
use crate::verdict::Breach;

/// The run that a report was made from.
///
/// # Errors
/// When it names a requirement or a word that this version does not know.
pub fn run(document: &Document) -> Result<Run, ReadError> {
    let mut cases = Vec::new();
    for (n, record) in document.cases.iter().enumerate() {
        cases.push(case(&format!("cases[{n}]"), record)?);
    }
    Ok(Run {
        target: Target {
            endpoints: by_dialect(&document.target.endpoints)?,
            realtime: by_dialect(&document.target.realtime)?,
            embedded: document.target.embedded,
            namespaces: document.target.namespaces.clone(),
            arguments: document.target.arguments.clone(),
        },
        seed: seed(&document.run.seed).unwrap_or_default(),
        started_unix_s: document.run.started_unix_s,
        took_ms: document.run.took_ms,
        cases,
        observations: observations(&document.observations),
        connections: document.run.connections,
        messages: document.run.messages,
        interrupted: document.run.interrupted,
        exit: Exit { code: document.exit.code, reason: document.exit.reason.clone() },
    })
}

fn case(member: &str, record: &CaseRecord) -> Result<Case, ReadError> {
    let mut requirements = Vec::new();
    for (n, id) in record.requirements.iter().enumerate() {
        requirements.push(requirement(&format!("{member}.requirements[{n}]"), id)?);
    }
    let mut breaches = Vec::new();
    for (n, finding) in record.findings.iter().enumerate() {
        breaches.push(breach(&format!("{member}.findings[{n}]"), finding, record.mark.filter(|_| n == 0))?);
    }
    let trace = record
        .transcript()
        .map_err(|(n, why)| wrong(&format!("{member}.trace[{n}]"), format!("expected an entry; it {why}")))?;
    Ok(Case {
        id: record.id.clone(),
        title: record.title.clone(),
        dialect: dialect(&format!("{member}.dialect"), &record.dialect)?,
        verdict: record.verdict,
        reason: record.reason.clone(),
        requirements,
        breaches,
        evidence: record.evidence.clone(),
        observations: observations(&record.observations),
        dialogue: record.dialogue.clone(),
        trace,
        mark: record.mark,
        took_ms: record.duration_ms,
        attempts: record.attempts,
        replay: if record.replay.is_empty() { record.id.clone() } else { record.replay.clone() },
    })
}

fn breach(member: &str, finding: &FindingRecord, entry: Option<usize>) -> Result<Breach, ReadError> {
    let severities = [Severity::Info, Severity::Warn, Severity::Fail];
    let severity = severities.into_iter().find(|severity| severity.word() == finding.severity);
    Ok(Breach {
        requirement: requirement(&format!("{member}.requirement"), &finding.requirement)?,
        severity: severity.ok_or_else(|| {
            wrong(&format!("{member}.severity"), format!("expected fail, warn or info; got {:?}", finding.severity))
        })?,
        expected: finding.expected.clone(),
        got: finding.got.clone(),
        entry,
    })
}

fn requirement(member: &str, id: &str) -> Result<Requirement, ReadError> {
    Requirement::parse(id)
        .ok_or_else(|| wrong(member, format!("expected a requirement that this version knows; got {id:?}")))
}

fn by_dialect(urls: &BTreeMap<String, String>) -> Result<BTreeMap<Dialect, String>, ReadError> {
    urls.iter().map(|(word, url)| Ok((dialect("target", word)?, url.clone()))).collect()
}

/// The dialect of a word.
///
/// # Errors
/// When it is the word of none.
pub fn dialect(member: &str, word: &str) -> Result<Dialect, ReadError> {
    let found = Dialect::ALL.into_iter().find(|dialect| dialect.word() == word);
    found.ok_or_else(|| wrong(member, format!("expected graphql or events; got {word:?}")))
}

fn observations(records: &[ObservationRecord]) -> Vec<Observation> {
    records.iter().map(|seen| Observation { name: seen.name.clone(), value: seen.value.clone() }).collect()
}
