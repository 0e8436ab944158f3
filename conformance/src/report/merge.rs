//! Several reports as one: shards and repetitions of one target, or several targets side by side.
//!
//! Reports of the same name are of the same target. Where the same case stands in several of them, what is bad is
//! kept: a failure is not outvoted by a pass, and what was played says more than what was not.

use std::collections::BTreeMap;

use super::json::{CaseRecord, Document, ExitRecord, RequirementRecord, RunRecord, Summary, TargetRecord};
use super::markdown::target_label;
use super::model::SCHEMA_VERSION;
use super::roll_up;
use crate::verdict::Verdict;

/// What an exit code is worth, the strongest first: that of a merged report is the strongest of its parts.
const EXITS: [u8; 9] = [130, 70, 2, 3, 1, 6, 5, 4, 0];

/// A report under the name of its target.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The report.
    pub document: Document,
}

/// Each target of a report under its name: the one of a run, or those of a merged report.
pub fn split(document: &Document, name: Option<&str>) -> Vec<Named> {
    if document.targets.is_empty() {
        let name = name.map_or_else(|| target_label(&document.target), str::to_owned);
        return vec![Named { name, document: document.clone() }];
    }
    let part = |target: &TargetRecord| {
        let cases: Vec<_> = document.cases.iter().filter(|case| case.target == target.name).cloned().collect();
        let cases: Vec<_> = cases.into_iter().map(|case| CaseRecord { target: String::new(), ..case }).collect();
        let document = Document {
            target: TargetRecord { name: String::new(), ..target.clone() },
            targets: Vec::new(),
            summary: Summary::of_cases(&cases),
            requirements: roll_up::requirements(document.requirements.clone(), &cases),
            cases,
            ..document.clone()
        };
        Named { name: target.name.clone(), document }
    };
    document.targets.iter().map(part).collect()
}

/// Reports as one; `None` of none. Of the reports of one target the result is like that of one run.
pub fn merge(parts: &[Named]) -> Option<Document> {
    let first = parts.first()?;
    let mut targets: Vec<TargetRecord> = Vec::new();
    for part in parts {
        match targets.iter_mut().find(|target| target.name == part.name) {
            None => targets.push(TargetRecord { name: part.name.clone(), ..part.document.target.clone() }),
            Some(known) => widen(known, &part.document.target),
        }
    }
    let several = targets.len() > 1;
    let cases = cases(parts, several);
    let target = targets.first().cloned().unwrap_or_else(|| first.document.target.clone());
    Some(Document {
        schema_version: SCHEMA_VERSION,
        suite: first.document.suite.clone(),
        run: run(parts, &first.document.run),
        target: if several { target } else { TargetRecord { name: String::new(), ..target } },
        targets: if several { targets } else { Vec::new() },
        summary: Summary::of_cases(&cases),
        requirements: roll_up::requirements(rows(parts), &cases),
        observations: observations(parts),
        cases,
        baseline: None,
        exit: exit(parts),
    })
}

fn widen(known: &mut TargetRecord, other: &TargetRecord) {
    for (dialect, url) in &other.endpoints {
        known.endpoints.entry(dialect.clone()).or_insert_with(|| url.clone());
    }
    for (dialect, url) in &other.realtime {
        known.realtime.entry(dialect.clone()).or_insert_with(|| url.clone());
    }
    known
        .namespaces
        .extend(other.namespaces.iter().filter(|name| !known.namespaces.contains(name)).cloned().collect::<Vec<_>>());
}

fn cases(parts: &[Named], several: bool) -> Vec<CaseRecord> {
    let mut places: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let mut cases: Vec<CaseRecord> = Vec::new();
    for part in parts {
        for case in &part.document.cases {
            let case = CaseRecord { target: if several { part.name.clone() } else { String::new() }, ..case.clone() };
            let key = (case.target.clone(), case.dialect.clone(), case.id.clone());
            match places.get(&key).and_then(|at| cases.get_mut(*at)) {
                None => {
                    places.insert(key, cases.len());
                    cases.push(case);
                }
                Some(known) => {
                    let attempts = known.attempts.saturating_add(case.attempts);
                    if weight(case.verdict) < weight(known.verdict) {
                        *known = case;
                    }
                    known.attempts = attempts;
                }
            }
        }
    }
    cases
}

/// What is kept where two reports disagree: the smaller.
const fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Warn => 1,
        Verdict::Inconclusive => 2,
        Verdict::Info => 3,
        Verdict::Pass => 4,
        Verdict::Blocked => 5,
        Verdict::NotApplicable => 6,
    }
}

fn run(parts: &[Named], first: &RunRecord) -> RunRecord {
    let all = || parts.iter().map(|part| &part.document.run);
    let sum = |of: fn(&RunRecord) -> u64| all().fold(0, |sum: u64, run| sum.saturating_add(of(run)));
    RunRecord {
        seed: first.seed.clone(),
        started_unix_s: all().map(|run| run.started_unix_s).min().unwrap_or_default(),
        took_ms: sum(|run| run.took_ms),
        interrupted: all().any(|run| run.interrupted),
        connections: sum(|run| run.connections),
        messages: sum(|run| run.messages),
    }
}

/// The rows of all parts, each once.
fn rows(parts: &[Named]) -> Vec<RequirementRecord> {
    let mut rows: Vec<RequirementRecord> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for row in parts.iter().flat_map(|part| &part.document.requirements) {
        if known.insert(row.id.as_str()) {
            rows.push(row.clone());
        }
    }
    rows
}

fn observations(parts: &[Named]) -> Vec<super::json::ObservationRecord> {
    let mut all: Vec<super::json::ObservationRecord> = Vec::new();
    for seen in parts.iter().flat_map(|part| &part.document.observations) {
        if !all.contains(seen) {
            all.push(seen.clone());
        }
    }
    all
}

fn exit(parts: &[Named]) -> ExitRecord {
    let rank = |part: &&Named| EXITS.iter().position(|code| *code == part.document.exit.code).unwrap_or(EXITS.len());
    match parts.iter().min_by_key(rank) {
        None => ExitRecord { code: 4, reason: "no case was executed".into() },
        Some(part) if parts.len() == 1 => part.document.exit.clone(),
        Some(part) => ExitRecord {
            code: part.document.exit.code,
            reason: format!("{} reports, of which {}: {}", parts.len(), part.name, part.document.exit.reason),
        },
    }
}
