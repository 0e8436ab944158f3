//! The verdicts that a known target is expected to get, each with its reason.
//!
//! ```toml
//! target = "an-emulator"
//!
//! [[case]]                                  # a whole case
//! id = "graphql/init/names-the-timeout"     # or a pattern: monitor/GQL-KA-*
//! verdict = "fail"
//! message = "*connectionTimeout*"           # only if what was found says this
//! reason = "the property is named connectionTimeout"
//! link = "https://example.org/issues/1"
//! expires = 2027-01-31                      # the last day on which the entry holds
//!
//! [[check]]                                 # one finding, in whichever case it shows
//! requirement = "GQL-AUTH-016"              # or a pattern
//! case = "graphql/credentials/*"            # any case where it is left out
//! verdict = "fail"
//! reason = "refusals are a bare close"
//! ```
//!
//! A baseline lets a run fail on what is new. It has to stay exact, so a listed case that does better is *stale*, an id
//! that no longer exists is *unknown*, and an entry beyond its day has *expired*: all are told, and apart from regressions.
//! An entry for one id goes before patterns, and `[[case]]` before `[[check]]`. What is listed by checks is excused when
//! every finding that counts is.

mod comparison;
mod edit;
pub mod pattern;
mod read;
mod write;

pub use comparison::{BaselineRecord, Comparison, Difference, Expired, Matched, Unknown};
pub use edit::{Fresh, UpdateError, Updated, init, update};
pub use read::BaselineError;
pub use write::write;

use std::path::Path;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::{Requirement, Severity};
use chrono::NaiveDate;

use self::pattern::{is_pattern, matches};
use super::explain::suggest;
use super::model::{Case, Run};
use crate::catalogue::scenarios;
use crate::scenario::Tier;
use crate::verdict::{Breach, Verdict};

/// Expected verdicts of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// Name of the target.
    pub target: String,
    /// What is expected of cases, in the order of the file.
    pub entries: Vec<Entry>,
    /// Findings that are expected, in the order of the file.
    pub checks: Vec<CheckEntry>,
    /// The day on which it is compared; without one nothing expires.
    pub today: Option<NaiveDate>,
}

/// What is expected of a case, or of cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Identifier of the case, or a pattern.
    pub id: String,
    /// The dialect, where cases of both have this id.
    pub dialect: Option<Dialect>,
    /// The expected verdict.
    pub verdict: Verdict,
    /// Why, and how long.
    pub terms: Terms,
}

/// A finding that is expected in some cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckEntry {
    /// Identifier of the requirement, or a pattern.
    pub requirement: String,
    /// Identifier of the case, or a pattern; every case where there is none.
    pub case: Option<String>,
    /// The dialect; both where there is none.
    pub dialect: Option<Dialect>,
    /// How much the finding counts.
    pub severity: Severity,
    /// Why, and how long.
    pub terms: Terms,
}

/// What every entry says besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Why; never empty.
    pub reason: String,
    /// A pattern for what was found.
    pub message: Option<String>,
    /// Where more is said of it.
    pub link: Option<String>,
    /// The last day on which the entry holds.
    pub expires: Option<NaiveDate>,
    /// Line of the file, counted from 1.
    pub line: usize,
}

/// The day, in UTC, of a second since 1970; none beyond the calendar.
pub fn day(unix_s: u64) -> Option<NaiveDate> {
    let moment = chrono::DateTime::from_timestamp(i64::try_from(unix_s).ok()?, 0)?;
    Some(moment.date_naive())
}

impl Baseline {
    /// Reads a baseline. `path` is for errors only.
    ///
    /// # Errors
    /// When the text is no TOML, a key is missing, unknown or of a wrong kind, a verdict is no verdict, a
    /// reason is empty, or a case is listed twice.
    pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Self, BaselineError> {
        read::Reader { text, path: path.as_ref() }.baseline()
    }

    /// The same on a day: entries whose last day is before it have expired.
    #[must_use]
    pub fn as_of(self, today: Option<NaiveDate>) -> Self {
        Self { today, ..self }
    }

    /// Compares a run with it. `is_known` tells whether a case of this id exists, run or not.
    pub fn compare(&self, run: &Run, is_known: impl Fn(&str) -> bool) -> Comparison {
        let mut comparison = Comparison::default();
        for case in &run.cases {
            match self.entry_of(case) {
                Some(entry) => comparison.listed(entry, case),
                None if self.excuses(case) => comparison.excused(case),
                None => comparison.unlisted(case),
            }
        }
        for entry in &self.entries {
            if is_pattern(&entry.id) {
                self.compare_pattern(entry, run, &mut comparison);
            } else if !run.cases.iter().any(|case| entry.names(case)) {
                entry.compare_absent(run, &is_known, &mut comparison);
            }
        }
        for check in &self.checks {
            check.compare(run, &mut comparison);
        }
        comparison.expired = self.expired();
        comparison
    }

    /// Entries beyond their last day.
    fn expired(&self) -> Vec<Expired> {
        let cases = self.entries.iter().map(|entry| (&entry.id, &entry.terms));
        let checks = self.checks.iter().map(|check| (&check.requirement, &check.terms));
        let mut all: Vec<_> = cases
            .chain(checks)
            .filter_map(|(id, terms)| {
                let (last, today) = (terms.expires?, self.today?);
                (today > last).then(|| Expired { id: id.clone(), line: terms.line, last, today })
            })
            .collect();
        all.sort_by_key(|expired| expired.line);
        all
    }

    /// The entry that decides about a case: its own one, or the first pattern that fits.
    fn entry_of(&self, case: &Case) -> Option<&Entry> {
        let mut own = self.entries.iter().filter(|entry| entry.names(case));
        own.clone().find(|entry| !is_pattern(&entry.id)).or_else(|| own.next())
    }

    /// Whether every finding of a case that counts is one that is expected.
    fn excuses(&self, case: &Case) -> bool {
        let mut counting = case.breaches.iter().filter(|breach| breach.severity > Severity::Info).peekable();
        let bad = matches!(case.verdict, Verdict::Fail | Verdict::Warn);
        bad && counting.peek().is_some()
            && counting.all(|breach| self.checks.iter().any(|check| check.expects(case, breach)))
    }

    /// A pattern is stale when all cases that it decides about do better, and unknown when it fits no case at all.
    fn compare_pattern(&self, entry: &Entry, run: &Run, comparison: &mut Comparison) {
        let own: Vec<_> = run
            .cases
            .iter()
            .filter(|case| self.entry_of(case).is_some_and(|other| std::ptr::eq(other, entry)))
            .filter(|case| badness(case.verdict).is_some())
            .collect();
        let rules = monitored(&entry.id);
        let exists = !rules.is_empty() || scenarios().any(|scenario| matches(&entry.id, scenario.id));
        if !exists && own.is_empty() {
            comparison.unknown.push(Unknown { id: entry.id.clone(), line: entry.terms.line, near: None });
        } else if own.is_empty() && !is_silent_now(&rules, entry.dialect, run) {
            comparison.open.push(entry.difference(None));
        } else if own.iter().all(|case| badness(case.verdict) < badness(entry.verdict)) {
            let best = own.iter().max_by_key(|case| badness(case.verdict));
            comparison.stale.push(entry.difference(best.copied()));
        }
    }
}

impl Entry {
    fn names(&self, case: &Case) -> bool {
        matches(&self.id, &case.id) && self.dialect.is_none_or(|dialect| dialect == case.dialect)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.id == other.id && (self.dialect.is_none() || other.dialect.is_none() || self.dialect == other.dialect)
    }

    fn difference(&self, case: Option<&Case>) -> Difference {
        let reason = case.map(|case| case.reason.as_str()).filter(|reason| !reason.is_empty());
        Difference {
            id: case.map_or_else(|| self.id.clone(), |case| case.id.clone()),
            listed: Some(self.verdict),
            got: case.map(|case| case.verdict),
            reason: reason.unwrap_or(&self.terms.reason).into(),
        }
    }

    /// Whether what was found in a case is what the entry is about.
    fn says(&self, case: &Case) -> bool {
        let Some(message) = &self.terms.message else { return true };
        matches(message, &case.reason) || case.breaches.iter().any(|breach| matches(message, &told(breach)))
    }

    fn compare_absent(&self, run: &Run, is_known: impl Fn(&str) -> bool, comparison: &mut Comparison) {
        let rules = monitored(&self.id);
        if !is_known(&self.id) && rules.is_empty() {
            let near = suggest(&self.id).into_iter().find(|id| is_known(id));
            comparison.unknown.push(Unknown { id: self.id.clone(), line: self.terms.line, near });
        } else if is_silent_now(&rules, self.dialect, run) {
            comparison.stale.push(self.difference(None));
        } else {
            comparison.open.push(self.difference(None));
        }
    }
}

impl CheckEntry {
    fn concerns(&self, case: &Case) -> bool {
        self.dialect.is_none_or(|dialect| dialect == case.dialect)
            && self.case.as_ref().is_none_or(|pattern| matches(pattern, &case.id))
    }

    fn expects(&self, case: &Case, breach: &Breach) -> bool {
        self.concerns(case)
            && self.severity == breach.severity
            && matches(&self.requirement, breach.requirement.id())
            && self.terms.message.as_ref().is_none_or(|message| matches(message, &told(breach)))
    }

    fn compare(&self, run: &Run, comparison: &mut Comparison) {
        let concerned = || run.cases.iter().filter(|case| self.concerns(case));
        if concerned().any(|case| case.breaches.iter().any(|breach| self.expects(case, breach))) {
            return;
        }
        let is_own = |rule: &Requirement| matches(&self.requirement, rule.id());
        let rules: Vec<_> = Requirement::ALL.iter().copied().filter(is_own).collect();
        if rules.is_empty() {
            let near = suggest(&self.requirement).into_iter().find(|id| Requirement::parse(id).is_some());
            comparison.unknown.push(Unknown { id: self.requirement.clone(), line: self.terms.line, near });
            return;
        }
        let judged = concerned().any(|case| badness(case.verdict).is_some() && case.requirements.iter().any(is_own));
        let difference = Difference {
            id: self.requirement.clone(),
            listed: Some(match self.severity {
                Severity::Fail => Verdict::Fail,
                Severity::Warn => Verdict::Warn,
                Severity::Info => Verdict::Info,
            }),
            got: None,
            reason: self.terms.reason.clone(),
        };
        if judged || (self.case.is_none() && is_silent_now(&rules, self.dialect, run)) {
            comparison.stale.push(difference);
        } else {
            comparison.open.push(difference);
        }
    }
}

/// A finding as a message: the rule, and what came.
fn told(breach: &Breach) -> String {
    format!("{}: {}", breach.requirement, breach.got)
}

/// The rules of which the monitor has a case of this id or pattern.
fn monitored(id: &str) -> Vec<Requirement> {
    match id.strip_prefix("monitor/") {
        Some(rule) if is_pattern(rule) => {
            Requirement::ALL.iter().copied().filter(|known| matches(rule, known.id())).collect()
        }
        Some(rule) => Requirement::parse(rule).into_iter().collect(),
        None if is_pattern(id) => {
            Requirement::ALL.iter().copied().filter(|known| matches(id, &format!("monitor/{known}"))).collect()
        }
        None => Vec::new(),
    }
}

/// Whether the monitor, which has a case only for what it finds, has listened to a whole run and found nothing
/// against these rules.
fn is_silent_now(rules: &[Requirement], dialect: Option<Dialect>, run: &Run) -> bool {
    if rules.is_empty() {
        return false;
    }
    let told = run.cases.iter().any(|case| case.breaches.iter().any(|breach| rules.contains(&breach.requirement)));
    let concerns = |of: Dialect| rules.iter().any(|rule| dialect.or(rule.dialect()).is_none_or(|own| own == of));
    let whole = scenarios()
        .filter(|scenario| concerns(scenario.dialect) && scenario.tier == Tier::Quick)
        .all(|scenario| run.cases.iter().any(|case| case.id == scenario.id));
    !told && whole && !run.interrupted
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
