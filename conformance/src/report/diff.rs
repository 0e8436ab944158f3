//! What has changed between two reports: what fails now and did not, what does not any more, and what is otherwise.

use std::collections::BTreeMap;
use std::fmt;

use super::json::{CaseRecord, Document};
use super::text::printable;
use crate::verdict::Verdict;

/// The difference of two reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Cases that fail and did not, or were not there.
    pub regressions: Vec<Change>,
    /// Cases that warn and did better.
    pub new_warnings: Vec<Change>,
    /// Cases that failed or warned and do better now.
    pub fixed: Vec<Change>,
    /// Cases that still fail or warn, but break another requirement first or are told otherwise.
    pub otherwise: Vec<Change>,
    /// Cases of which one report says something and the other does not: not run, blocked, not applicable, open.
    pub silent: Vec<Change>,
    /// Cases with another verdict for neither better nor worse.
    pub other: Vec<Change>,
    /// How many cases are as they were.
    pub same: usize,
}

/// A case that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Identifier of the case, with the target in front in a merged report.
    pub id: String,
    /// The dialect.
    pub dialect: String,
    /// What it was; `None` where it was not there.
    pub was: Option<Verdict>,
    /// What it is; `None` where it is not there.
    pub is: Option<Verdict>,
    /// Reason of what it is, and without one of what it was.
    pub reason: String,
}

/// Most changes of one kind that are listed; the counts are of all.
const LISTED_MAX: usize = 50;

type Key<'d> = (&'d str, &'d str, &'d str);

/// Compares two reports, the older first.
pub fn diff(before: &Document, after: &Document) -> Diff {
    let (old, new) = (by_key(before), by_key(after));
    let mut diff = Diff::default();
    for (key, case) in &new {
        diff.put(key, old.get(key).copied(), Some(case));
    }
    for (key, case) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        diff.put(key, Some(case), None);
    }
    diff
}

fn by_key(document: &Document) -> BTreeMap<Key<'_>, &CaseRecord> {
    document.cases.iter().map(|case| ((case.target.as_str(), case.dialect.as_str(), case.id.as_str()), case)).collect()
}

/// How bad a verdict is; `None` where it says nothing about the target.
const fn badness(verdict: Verdict) -> Option<u8> {
    match verdict {
        Verdict::Pass => Some(0),
        Verdict::Info => Some(1),
        Verdict::Warn => Some(2),
        Verdict::Fail => Some(3),
        Verdict::NotApplicable | Verdict::Blocked | Verdict::Inconclusive => None,
    }
}

impl Diff {
    /// Whether something fails that did not, or under `strict` warns that did better.
    pub const fn is_worse(&self, strict: bool) -> bool {
        !self.regressions.is_empty() || (strict && !self.new_warnings.is_empty())
    }

    fn put(&mut self, key: &Key<'_>, was: Option<&CaseRecord>, is: Option<&CaseRecord>) {
        let change = || Change {
            id: if key.0.is_empty() { key.2.into() } else { format!("{}/{}", key.0, key.2) },
            dialect: key.1.into(),
            was: was.map(|case| case.verdict),
            is: is.map(|case| case.verdict),
            reason: [is, was]
                .into_iter()
                .flatten()
                .map(|case| case.reason.clone())
                .find(|r| !r.is_empty())
                .unwrap_or_default(),
        };
        let bad = |case: Option<&CaseRecord>| case.and_then(|case| badness(case.verdict));
        match (bad(was), bad(is)) {
            (old, Some(3)) if old != Some(3) => self.regressions.push(change()),
            (old, Some(2)) if old.is_none_or(|old| old < 2) => self.new_warnings.push(change()),
            (Some(old), Some(new)) if old >= 2 && new < old => self.fixed.push(change()),
            (Some(old), Some(new)) if old == new && old >= 2 && told(was) != told(is) => self.otherwise.push(change()),
            (Some(old), Some(new)) if old == new => self.same += 1,
            (Some(_), Some(_)) => self.other.push(change()),
            (None, None) if was.map(|c| c.verdict) == is.map(|c| c.verdict) => self.same += 1,
            // What the monitor has a case for, it has found; without a case it has found nothing.
            (Some(old), None) if is.is_none() && key.2.starts_with("monitor/") && old >= 2 => self.fixed.push(change()),
            (Some(_) | None, None) | (None, Some(_)) => self.silent.push(change()),
        }
    }
}

/// What a case is blamed for.
fn told(case: Option<&CaseRecord>) -> Vec<&str> {
    case.map(|case| case.findings.iter().map(|finding| finding.requirement.as_str()).collect()).unwrap_or_default()
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        section(f, "new failures", &self.regressions)?;
        section(f, "new warnings (failures with --strict)", &self.new_warnings)?;
        section(f, "fixed", &self.fixed)?;
        section(f, "bad as before, but for another requirement", &self.otherwise)?;
        section(f, "said in one report only", &self.silent)?;
        section(f, "changed, neither better nor worse than a warning", &self.other)?;
        write!(
            f,
            "{} new failures - {} new warnings - {} fixed - {} otherwise bad - {} in one report only - {} changed - {} as before",
            self.regressions.len(),
            self.new_warnings.len(),
            self.fixed.len(),
            self.otherwise.len(),
            self.silent.len(),
            self.other.len(),
            self.same
        )
    }
}

fn section(f: &mut fmt::Formatter<'_>, head: &str, all: &[Change]) -> fmt::Result {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(f, "{head}")?;
    for Change { id, dialect: _, was, is, reason } in all.iter().take(LISTED_MAX) {
        let word = |verdict: &Option<Verdict>| verdict.map_or("not there", Verdict::word);
        writeln!(f, "  {}   {} -> {}", printable(id), word(was), word(is))?;
        if !reason.is_empty() {
            writeln!(f, "      {}", printable(reason))?;
        }
    }
    if all.len() > LISTED_MAX {
        writeln!(f, "  ... {} more", all.len() - LISTED_MAX)?;
    }
    writeln!(f)
}
