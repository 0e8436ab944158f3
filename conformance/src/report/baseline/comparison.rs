//! How a run compares with a baseline, as data, as text and as JSON.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::pattern::is_pattern;
use super::{Entry, badness};
use crate::report::model::Case;
use crate::report::text::printable;
use crate::verdict::Verdict;

/// How a run compares with a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Cases that are as listed.
    pub matched: Vec<Matched>,
    /// Failures that are not listed, and cases that do worse or otherwise than listed.
    pub regressions: Vec<Difference>,
    /// Listed cases that do better now.
    pub stale: Vec<Difference>,
    /// Listed ids that name no case and no requirement.
    pub unknown: Vec<Unknown>,
    /// Entries beyond their last day. What they list is still excused.
    pub expired: Vec<Expired>,
    /// Listed cases about which this run says nothing: not run, blocked, not applicable or inconclusive.
    pub open: Vec<Difference>,
    /// Warnings that are not listed: regressions under `--strict` only.
    pub unlisted_warnings: Vec<Difference>,
}

/// A case that is as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Identifier of the case.
    pub id: String,
    /// Its verdict.
    pub verdict: Verdict,
}

/// A case that is not as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Identifier of the case, or of the requirement that an entry is about.
    pub id: String,
    /// What the baseline says; `None` where it says nothing.
    pub listed: Option<Verdict>,
    /// What the run says; `None` where it says nothing.
    pub got: Option<Verdict>,
    /// Reason in the run, and where there is none, in the baseline.
    pub reason: String,
}

/// A listed id that names nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The id.
    pub id: String,
    /// Line of the file, counted from 1.
    pub line: usize,
    /// The id that may have been meant.
    pub near: Option<String>,
}

/// An entry beyond its last day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The id of the entry.
    pub id: String,
    /// Line of the file, counted from 1.
    pub line: usize,
    /// The last day on which it held.
    pub last: NaiveDate,
    /// The day of the comparison.
    pub today: NaiveDate,
}

impl Comparison {
    /// Whether the run is as the baseline says, warnings under `--strict` aside.
    pub const fn is_clean(&self) -> bool {
        self.regressions.is_empty() && self.stale.is_empty() && self.unknown.is_empty() && self.expired.is_empty()
    }

    pub(super) fn listed(&mut self, entry: &Entry, case: &Case) {
        let difference = entry.difference(Some(case));
        if entry.verdict == case.verdict {
            match &entry.terms.message {
                Some(message) if !entry.says(case) => {
                    let reason = format!("expected the message {message:?}; got {}", case.reason);
                    self.regressions.push(Difference { reason, ..difference });
                }
                Some(_) | None => self.matched.push(Matched { id: case.id.clone(), verdict: case.verdict }),
            }
            return;
        }
        match (badness(entry.verdict), badness(case.verdict)) {
            (_, None) => self.open.push(difference),
            (Some(listed), Some(got)) if got > listed => self.regressions.push(difference),
            // Nothing could be said, and now there is something bad to say.
            (None, Some(got)) if got >= 2 => self.regressions.push(difference),
            // Whether a pattern is stale shows in all of its cases together.
            (Some(_) | None, Some(_)) if is_pattern(&entry.id) => {}
            (Some(_) | None, Some(_)) => self.stale.push(difference),
        }
    }

    pub(super) fn excused(&mut self, case: &Case) {
        self.matched.push(Matched { id: case.id.clone(), verdict: case.verdict });
    }

    pub(super) fn unlisted(&mut self, case: &Case) {
        let difference =
            || Difference { id: case.id.clone(), listed: None, got: Some(case.verdict), reason: case.reason.clone() };
        match case.verdict {
            Verdict::Fail => self.regressions.push(difference()),
            Verdict::Warn => self.unlisted_warnings.push(difference()),
            Verdict::Pass | Verdict::Info | Verdict::NotApplicable | Verdict::Blocked | Verdict::Inconclusive => {}
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "baseline {} as listed - {} regressions - {} stale - {} unknown",
            self.matched.len(),
            self.regressions.len(),
            self.stale.len(),
            self.unknown.len()
        )?;
        if !self.expired.is_empty() {
            write!(f, " - {} expired", self.expired.len())?;
        }
        section(f, "regressions: not listed, or worse than listed", &self.regressions)?;
        section(f, "stale: listed, but better now; correct the baseline", &self.stale)?;
        if !self.unknown.is_empty() {
            write!(f, "\n\nunknown: listed, but there is no such case")?;
            for unknown in &self.unknown {
                write!(f, "\n  {} (line {})", printable(&unknown.id), unknown.line)?;
                if let Some(near) = &unknown.near {
                    write!(f, "; did you mean {near}?")?;
                }
            }
        }
        if !self.expired.is_empty() {
            write!(f, "\n\nexpired: the last day is over; mend the target, or give the entry another day")?;
            for Expired { id, line, last, today } in &self.expired {
                write!(f, "\n  {} (line {line})   held until {last}, today is {today}", printable(id))?;
            }
        }
        section(f, "open: listed, but this run says nothing about it", &self.open)?;
        section(f, "warnings that are not listed (failures with --strict)", &self.unlisted_warnings)
    }
}

fn section(f: &mut fmt::Formatter<'_>, head: &str, all: &[Difference]) -> fmt::Result {
    if all.is_empty() {
        return Ok(());
    }
    write!(f, "\n\n{head}")?;
    for Difference { id, listed, got, reason } in all {
        let was = listed.map_or_else(|| "not listed".into(), |verdict| format!("listed {verdict}"));
        let is = match got {
            Some(verdict) => format!("now {verdict}"),
            None if id.contains('/') && !id.starts_with("monitor/") => "not run".into(),
            None => "nothing found".into(),
        };
        write!(f, "\n  {}   {was}, {is}\n      {}", printable(id), printable(reason))?;
    }
    Ok(())
}

/// The comparison as it stands in a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineRecord {
    /// Cases that are as listed.
    pub matched: Vec<String>,
    /// Failures that are not listed, and cases that do worse or otherwise than listed.
    pub regressions: Vec<DifferenceRecord>,
    /// Listed, but better now.
    pub stale: Vec<DifferenceRecord>,
    /// Listed, but there is no such case or requirement.
    pub unknown: Vec<UnknownRecord>,
    /// Entries beyond their last day.
    pub expired: Vec<ExpiredRecord>,
    /// Listed, but the run says nothing about it.
    pub open: Vec<DifferenceRecord>,
    /// Warnings that are not listed.
    pub unlisted_warnings: Vec<DifferenceRecord>,
}

/// A case that is not as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceRecord {
    /// Identifier of the case, or of the requirement that an entry is about.
    pub id: String,
    /// The listed verdict; `null` where none is.
    pub listed: Option<String>,
    /// The verdict of the run; `null` where it has none.
    pub got: Option<String>,
    /// Reason in the run, and where there is none, in the baseline.
    pub reason: String,
}

/// A listed id that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownRecord {
    /// The id.
    pub id: String,
    /// Line of the file, counted from 1.
    pub line: usize,
    /// The id that may have been meant.
    pub near: Option<String>,
}

/// An entry beyond its last day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiredRecord {
    /// The id of the entry.
    pub id: String,
    /// Line of the file, counted from 1.
    pub line: usize,
    /// The last day on which it held, as `YYYY-MM-DD`.
    pub last: String,
}

impl BaselineRecord {
    /// The record of a comparison.
    pub fn of(comparison: &Comparison) -> Self {
        let differences = |all: &[Difference]| all.iter().map(DifferenceRecord::of).collect();
        Self {
            matched: comparison.matched.iter().map(|matched| matched.id.clone()).collect(),
            regressions: differences(&comparison.regressions),
            stale: differences(&comparison.stale),
            unknown: comparison
                .unknown
                .iter()
                .map(|unknown| UnknownRecord { id: unknown.id.clone(), line: unknown.line, near: unknown.near.clone() })
                .collect(),
            expired: comparison
                .expired
                .iter()
                .map(|entry| ExpiredRecord { id: entry.id.clone(), line: entry.line, last: entry.last.to_string() })
                .collect(),
            open: differences(&comparison.open),
            unlisted_warnings: differences(&comparison.unlisted_warnings),
        }
    }
}

impl DifferenceRecord {
    fn of(difference: &Difference) -> Self {
        let word = |verdict: Option<Verdict>| verdict.map(|verdict| verdict.word().to_owned());
        Self {
            id: difference.id.clone(),
            listed: word(difference.listed),
            got: word(difference.got),
            reason: difference.reason.clone(),
        }
    }
}
