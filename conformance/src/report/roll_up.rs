//! What the cases of a report say together about each requirement.
//!
//! A case that found one of its requirements broken says nothing bad about the others: for those it passed.

use std::collections::BTreeMap;

use appsync_protocol::requirement::Requirement;

use super::json::{CaseRecord, RequirementRecord};
use super::model::worse;
use crate::verdict::Verdict;

/// Every requirement of this version, of which nothing is said yet.
pub fn register() -> Vec<RequirementRecord> {
    Requirement::ALL.iter().map(|rule| RequirementRecord::of(*rule)).collect()
}

/// The same rows with what these cases say: the worst verdict, and the cases that were played.
pub fn requirements(rows: Vec<RequirementRecord>, cases: &[CaseRecord]) -> Vec<RequirementRecord> {
    let mut said: BTreeMap<&str, (Verdict, Vec<String>)> = BTreeMap::new();
    for case in cases {
        for rule in &case.requirements {
            let own = verdict_on(case, rule);
            let entry = said.entry(rule).or_insert_with(|| (own, Vec::new()));
            entry.0 = worse(entry.0, own);
            if was_played(case.verdict) && !entry.1.contains(&case.id) {
                entry.1.push(case.id.clone());
            }
        }
    }
    let told = |row: RequirementRecord| match said.get(row.id.as_str()) {
        None => RequirementRecord { verdict: None, exercised_by: Vec::new(), ..row },
        Some((verdict, by)) => {
            RequirementRecord { verdict: Some(verdict.word().into()), exercised_by: by.clone(), ..row }
        }
    };
    rows.into_iter().map(told).collect()
}

/// What one case says about one of its requirements.
pub fn verdict_on(case: &CaseRecord, rule: &str) -> Verdict {
    let broken = case.findings.iter().any(|finding| finding.requirement == rule);
    if broken || case.findings.is_empty() { case.verdict } else { Verdict::Pass }
}

const fn was_played(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Info | Verdict::Inconclusive => true,
        Verdict::NotApplicable | Verdict::Blocked => false,
    }
}
