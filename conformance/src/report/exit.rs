//! The exit code of a run: one pure function from what is known.
//!
//! Where several codes apply, what makes the others worthless comes first:
//! 130 > 70 > 2 > 3 > 1 > 6 > 5 > 4 > 0.

use super::baseline::Comparison;
use super::model::Exit;
use crate::verdict::Verdict;

/// Everything that the exit code depends on.
#[derive(Clone, Debug, Default)]
pub struct ExitFacts<'c> {
    /// Somebody interrupted the run.
    pub interrupted: bool,
    /// A defect of the suite, in words.
    pub harness_error: Option<String>,
    /// What is wrong with the arguments or files.
    pub usage: Option<String>,
    /// Why no statement about the target is possible.
    pub unreachable: Option<String>,
    /// Cases with the verdict *fail*.
    pub failures: usize,
    /// Cases with the verdict *warn*.
    pub warnings: usize,
    /// Whether warnings count as failures.
    pub strict: bool,
    /// How the run compares with the baseline, where there is one.
    pub baseline: Option<&'c Comparison>,
    /// Cases with the verdict *inconclusive*.
    pub inconclusive: usize,
    /// Cases that were played.
    pub executed: usize,
    /// Fewer played cases than this are an error. Zero played cases always are.
    pub min_cases: usize,
}

/// The exit code and its reason.
pub fn decide(facts: &ExitFacts<'_>) -> Exit {
    let found = interrupted(facts)
        .or_else(|| facts.harness_error.as_ref().map(|what| (70, what.clone())))
        .or_else(|| facts.usage.as_ref().map(|what| (2, what.clone())))
        .or_else(|| unknown_entries(facts).map(|what| (2, what)))
        .or_else(|| facts.unreachable.as_ref().map(|what| (3, format!("no statement about the target: {what}"))))
        .or_else(|| unexpected_failures(facts).map(|what| (1, what)))
        .or_else(|| stale_baseline(facts).map(|what| (6, what)))
        .or_else(|| inconclusive(facts).map(|what| (5, what)))
        .or_else(|| too_few(facts).map(|what| (4, what)));
    let (code, reason) = found.unwrap_or_else(|| (0, success(facts)));
    Exit { code, reason }
}

fn interrupted(facts: &ExitFacts<'_>) -> Option<(u8, String)> {
    facts.interrupted.then(|| (130, "interrupted; the reports hold what there was".into()))
}

fn unexpected_failures(facts: &ExitFacts<'_>) -> Option<String> {
    let (failures, warnings) = match facts.baseline {
        None => (facts.failures, facts.warnings),
        Some(comparison) => (comparison.regressions.len(), comparison.unlisted_warnings.len()),
    };
    let warnings = if facts.strict { warnings } else { 0 };
    let kind = if facts.baseline.is_some() { "regression" } else { "failure" };
    match (failures, warnings) {
        (0, 0) => None,
        (_, 0) => Some(counted(failures, kind)),
        (0, _) => Some(format!("{} under --strict", counted(warnings, "warning"))),
        (_, _) => Some(format!("{}, and {} under --strict", counted(failures, kind), counted(warnings, "warning"))),
    }
}

fn unknown_entries(facts: &ExitFacts<'_>) -> Option<String> {
    let unknown = facts.baseline?.unknown.len();
    (unknown > 0).then(|| format!("the baseline names what does not exist: {}", entries(unknown)))
}

fn stale_baseline(facts: &ExitFacts<'_>) -> Option<String> {
    let comparison = facts.baseline?;
    match (comparison.stale.len(), comparison.expired.len()) {
        (0, 0) => None,
        (stale, 0) => Some(format!("the baseline is stale: {} better now", entries(stale))),
        (0, expired) => Some(format!("the baseline has expired: {} beyond the last day", entries(expired))),
        (stale, expired) => Some(format!(
            "the baseline is stale: {} better now, and {} beyond the last day",
            entries(stale),
            entries(expired)
        )),
    }
}

fn entries(n: usize) -> String {
    if n == 1 { "1 entry".into() } else { format!("{n} entries") }
}

fn inconclusive(facts: &ExitFacts<'_>) -> Option<String> {
    let listed = facts.baseline.map_or(0, |comparison| {
        comparison.matched.iter().filter(|listed| listed.verdict == Verdict::Inconclusive).count()
    });
    let open = facts.inconclusive.saturating_sub(listed);
    (open > 0).then(|| format!("{} inconclusive: no verdict where one was required", counted(open, "case")))
}

fn too_few(facts: &ExitFacts<'_>) -> Option<String> {
    if facts.executed == 0 {
        return Some("no case was executed".into());
    }
    let short = facts.executed < facts.min_cases;
    short.then(|| format!("{} executed, fewer than --min-cases {}", counted(facts.executed, "case"), facts.min_cases))
}

fn success(facts: &ExitFacts<'_>) -> String {
    let accepted = facts.baseline.map_or(0, |comparison| comparison.matched.len());
    let warned = if facts.warnings > 0 && facts.baseline.is_none() {
        format!(", with {}", counted(facts.warnings, "warning"))
    } else {
        String::new()
    };
    match accepted {
        0 => format!("no failure in {}{warned}", counted(facts.executed, "case")),
        _ => format!("no failure in {} but {accepted} as the baseline says", counted(facts.executed, "case")),
    }
}

fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
