//! What an outcome says about the target: level, grade and ambiguities decide, nothing else.

use std::fmt;

use appsync_protocol::requirement::{Requirement, Severity};

use crate::player::{Ending, Outcome};
use crate::scenario::Scenario;

/// What is said about one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Every expectation was met, with evidence.
    Pass,
    /// A MUST with a documented, observed or standard source is broken.
    Fail,
    /// A SHOULD or an implied rule is broken.
    Warn,
    /// A disputed reading, or a rule that nobody is held to.
    Info,
    /// The target lacks what the case needs.
    NotApplicable,
    /// It rests on something that failed.
    Blocked,
    /// There is no saying: trouble on the way or on our side.
    Inconclusive,
}

impl Verdict {
    /// Every verdict, in the order of summaries.
    pub const ALL: [Self; 7] =
        [Self::Pass, Self::Fail, Self::Warn, Self::Info, Self::NotApplicable, Self::Blocked, Self::Inconclusive];

    /// The word used in reports, baselines and filters.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::NotApplicable => "n/a",
            Self::Blocked => "blocked",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One requirement that a case found broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The requirement.
    pub requirement: Requirement,
    /// How much it counts.
    pub severity: Severity,
    /// What was expected.
    pub expected: Vec<String>,
    /// What came.
    pub got: String,
    /// Index of the deciding entry in the record.
    pub entry: Option<usize>,
}

/// The verdict on an outcome, and the breaches that lead to it: the unmet expectation first, then what the
/// monitor found against requirements that the scenario covers.
pub fn judge(scenario: &Scenario, outcome: &Outcome) -> (Verdict, Vec<Breach>) {
    let mut breaches: Vec<Breach> = Vec::new();
    if let Ending::Unmet(unmet) = &outcome.ending {
        breaches.push(Breach {
            requirement: unmet.rule,
            severity: unmet.rule.severity(),
            expected: unmet.expected.clone(),
            got: unmet.got.clone(),
            entry: unmet.entry,
        });
    }
    for finding in &outcome.findings {
        let known = breaches.iter().any(|breach| breach.requirement == finding.requirement);
        if scenario.covers.contains(&finding.requirement) && !known {
            breaches.push(Breach {
                requirement: finding.requirement,
                severity: finding.requirement.severity(),
                expected: vec![finding.requirement.row().text.into()],
                got: format!("the {} {}", finding.by, finding.detail),
                entry: None,
            });
        }
    }
    if scenario.is_probe() {
        // An open question has no wrong answer; what was answered counts, even if the target left on the way.
        breaches.clear();
        let asked = !matches!(outcome.ending, Ending::Trouble(_)) || !outcome.observations.is_empty();
        return (if asked { Verdict::Info } else { Verdict::Inconclusive }, breaches);
    }
    let verdict = match breaches.iter().map(|breach| breach.severity).max() {
        Some(Severity::Fail) => Verdict::Fail,
        Some(Severity::Warn) => Verdict::Warn,
        Some(Severity::Info) => Verdict::Info,
        None => match &outcome.ending {
            Ending::Met if outcome.evidence.is_empty() => Verdict::Inconclusive,
            Ending::Met => Verdict::Pass,
            Ending::Unmet(_) | Ending::Trouble(_) => Verdict::Inconclusive,
        },
    };
    (verdict, breaches)
}
