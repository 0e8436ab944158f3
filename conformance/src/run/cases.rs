//! Turns outcomes into cases, and merges what the monitor found into cases of its own.

use std::collections::BTreeMap;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::finding::Finding;
use appsync_protocol::requirement::{Requirement, Severity};
use appsync_protocol::transcript::{Redactor, Transcript};

use super::Options;
use super::draw::{self, Drawn};
use crate::player::{Ending, Observation, Outcome, presented};
use crate::report::Case;
use crate::scenario::Scenario;
use crate::verdict::{Breach, Verdict, judge};

/// Cases so far, and findings that belong to no scenario.
pub(super) struct Ledger {
    cases: Vec<Case>,
    found: BTreeMap<(Dialect, Requirement), Found>,
    redactor: Redactor,
    measures: BTreeMap<&'static str, Vec<u64>>,
    keys: Vec<String>,
}

/// Shortest beginning of a key that is taken out at a cut.
const PART_OF_KEY_MIN: usize = 4;

/// What the monitor found of one requirement.
struct Found {
    count: usize,
    first: Finding,
    scenario: &'static str,
    drawn: Drawn,
}

impl Ledger {
    pub(super) fn new(options: &Options) -> Self {
        let texts: Vec<_> = options.endpoints.iter().flat_map(|e| e.keyring.texts(&e.api_key)).collect();
        let secrets: Vec<_> = texts.iter().map(|(label, text)| (*label, text.as_str())).collect();
        let keys = texts.iter().map(|(_, text)| text.clone()).collect();
        Self {
            cases: Vec::new(),
            found: BTreeMap::new(),
            redactor: Redactor::new(&secrets),
            keys,
            measures: BTreeMap::new(),
        }
    }

    /// A case that was not played.
    pub(super) fn unplayed(&self, scenario: &Scenario, verdict: Verdict, why: &str) -> Case {
        Case {
            id: scenario.id.into(),
            title: scenario.title.into(),
            dialect: scenario.dialect,
            verdict,
            reason: why.into(),
            requirements: scenario.covers.to_vec(),
            breaches: Vec::new(),
            evidence: Vec::new(),
            observations: Vec::new(),
            dialogue: String::new(),
            trace: Transcript::new(),
            mark: None,
            took_ms: 0,
            attempts: 0,
            replay: scenario.id.into(),
        }
    }

    /// The case that follows from an outcome.
    pub(super) fn settle(&mut self, scenario: &'static Scenario, mut outcome: Outcome, attempts: u32) -> Case {
        // Nor is a loss seen just once.
        let losses = std::mem::take(&mut outcome.losses);
        outcome.findings.extend(losses.into_iter().filter(|_| attempts > 1));
        // What was signed for this scenario, or made wrong on purpose, is nobody's business either.
        for text in presented(&outcome.record) {
            self.redactor.add("authorization", &text);
        }
        let (verdict, mut breaches) = judge(scenario, &outcome);
        // A silence seen just once is no failure.
        let seen_once = attempts < 2 && matches!(&outcome.ending, Ending::Unmet(unmet) if unmet.silent);
        let verdict = if seen_once { Verdict::Inconclusive } else { verdict };
        for breach in &mut breaches {
            breach.got = self.clean(&breach.got);
        }
        let mark = breaches.first().and_then(|breach| breach.entry);
        let drawn = draw::dialogue(&outcome.record, mark, &self.redactor);
        self.note_findings(scenario, &outcome, &drawn);
        for (name, value) in &outcome.measures {
            self.measures.entry(name).or_default().push(*value);
        }
        let reason = match verdict {
            Verdict::Info if scenario.is_probe() => readings(&outcome.observations),
            Verdict::Pass
            | Verdict::Fail
            | Verdict::Warn
            | Verdict::Info
            | Verdict::NotApplicable
            | Verdict::Blocked
            | Verdict::Inconclusive => reason(verdict, &breaches, &outcome.ending, seen_once),
        };
        Case {
            verdict,
            reason: self.clean(&reason),
            breaches,
            evidence: outcome.evidence.iter().map(|e| self.redactor.text(e)).collect(),
            observations: outcome
                .observations
                .into_iter()
                .map(|seen| Observation { value: self.redactor.text(&seen.value), ..seen })
                .collect(),
            dialogue: drawn.dialogue,
            trace: drawn.trace,
            mark: drawn.mark,
            took_ms: u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
            attempts,
            ..self.unplayed(scenario, verdict, "")
        }
    }

    /// The text without secrets. It was cut when nobody thought of them, so a part of one may stand at the cut.
    fn clean(&self, text: &str) -> String {
        let text = self.redactor.text(text);
        let Some((head, tail)) = text.rfind("... (").map(|at| text.split_at(at)) else { return text };
        let parts =
            self.keys.iter().flat_map(|key| (PART_OF_KEY_MIN..key.len()).rev().filter_map(|len| key.get(..len)));
        match parts.into_iter().find_map(|part| head.strip_suffix(part)) {
            Some(before) => format!("{before}${{key}}{tail}"),
            None => text,
        }
    }

    fn note_findings(&mut self, scenario: &'static Scenario, outcome: &Outcome, drawn: &Drawn) {
        for finding in &outcome.findings {
            if scenario.covers.contains(&finding.requirement) {
                continue;
            }
            self.note_finding(scenario, finding, drawn);
        }
    }

    fn note_finding(&mut self, scenario: &'static Scenario, finding: &Finding, drawn: &Drawn) {
        let key = (scenario.dialect, finding.requirement);
        let found = self.found.entry(key).or_insert_with(|| Found {
            count: 0,
            first: finding.clone(),
            scenario: scenario.id,
            drawn: drawn.clone(),
        });
        found.count += 1;
    }

    /// What came wrongly after a case was told; it becomes a case of the monitor, covered or not.
    pub(super) fn note_late(&mut self, scenario: &'static Scenario, findings: &[Finding]) {
        for finding in findings {
            self.note_finding(scenario, finding, &Drawn::nothing());
        }
    }

    /// Whether there is a case of this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.cases.iter().any(|case| case.id == id)
    }

    pub(super) fn put(&mut self, case: Case) {
        self.cases.push(case);
    }

    /// One case for each requirement that the monitor found broken and no scenario has reported.
    pub(super) fn monitor_cases(&self) -> Vec<Case> {
        let told = |requirement: Requirement| {
            self.cases.iter().any(|case| case.breaches.iter().any(|breach| breach.requirement == requirement))
        };
        self.found
            .iter()
            .filter(|((_, requirement), _)| !told(*requirement))
            .map(|((dialect, requirement), found)| self.monitor_case(*dialect, *requirement, found))
            .collect()
    }

    fn monitor_case(&self, dialect: Dialect, requirement: Requirement, found: &Found) -> Case {
        let severity = requirement.severity();
        let verdict = match severity {
            Severity::Fail => Verdict::Fail,
            Severity::Warn => Verdict::Warn,
            Severity::Info => Verdict::Info,
        };
        let got = self.clean(&format!("the {} {}", found.first.by, found.first.detail));
        Case {
            id: format!("monitor/{requirement}"),
            title: requirement.row().text.into(),
            dialect,
            verdict,
            reason: format!("{requirement}: {got}; seen {} times, first in {}", found.count, found.scenario),
            requirements: vec![requirement],
            breaches: vec![Breach {
                requirement,
                severity,
                expected: vec![requirement.row().text.into()],
                got,
                entry: None,
            }],
            evidence: Vec::new(),
            observations: Vec::new(),
            dialogue: found.drawn.dialogue.clone(),
            trace: found.drawn.trace.clone(),
            mark: found.drawn.mark,
            took_ms: 0,
            attempts: 1,
            replay: found.scenario.into(),
        }
    }

    /// Cases in the order of the catalogue, and the observations of all of them.
    pub(super) fn into_parts(mut self, numbers: &BTreeMap<&'static str, usize>) -> (Vec<Case>, Vec<Observation>) {
        self.cases.sort_by_key(|case| numbers.get(case.id.as_str()).copied().unwrap_or(usize::MAX));
        let mut observations: Vec<_> = self.cases.iter().flat_map(|case| case.observations.clone()).collect();
        observations.extend(self.measures.into_iter().map(|(name, values)| merged(name, values)));
        observations.sort();
        observations.dedup();
        (self.cases, observations)
    }
}

/// Many measures of one name as one observation: the spread of times, the set of codes.
fn merged(name: &str, mut values: Vec<u64>) -> Observation {
    values.sort_unstable();
    let count = values.len();
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    let value = if name == "close-code" {
        let mut codes = values.clone();
        codes.dedup();
        let told = |code: &u64| format!("{code} ({} times)", values.iter().filter(|v| *v == code).count());
        codes.iter().map(told).collect::<Vec<_>>().join(", ")
    } else {
        let (least, middle, most) = (at(0), at(count / 2), at(count.saturating_sub(1)));
        format!("{least} to {most} ms, median {middle} ms, {count} measured")
    };
    Observation { name: name.into(), value }
}

/// What a probe has measured.
fn readings(observations: &[Observation]) -> String {
    let all: Vec<_> = observations.iter().map(|seen| format!("{}: {}", seen.name, seen.value)).collect();
    all.join("; ")
}

fn reason(verdict: Verdict, breaches: &[Breach], ending: &Ending, seen_once: bool) -> String {
    if seen_once {
        return "nothing came, and a second try was not possible".into();
    }
    match (verdict, breaches.first(), ending) {
        (Verdict::Pass, _, _) => String::new(),
        (_, Some(breach), _) => {
            format!("{}: expected {}; got {}", breach.requirement, breach.expected.join(", or "), breach.got)
        }
        (_, None, Ending::Trouble(why)) => why.clone(),
        (_, None, Ending::Met) => "it passed without evidence".into(),
        (_, None, Ending::Unmet(unmet)) => unmet.got.clone(),
    }
}
