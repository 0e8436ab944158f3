//! The JSON form of a run: everything that [`model`](super::model) holds, under stable names.
//!
//! [`SCHEMA_VERSION`] is raised with every change that a reader could trip over; new members are no such
//! change, so readers have to skip what they do not know. Seeds are texts (`0x5eed1ab`, as `--seed` takes
//! them): not every reader of JSON has 64-bit integers.

use std::collections::BTreeMap;

use appsync_protocol::requirement::{Reach, Requirement};
use appsync_protocol::transcript::Transcript;
use serde::{Deserialize, Serialize};

use super::baseline::BaselineRecord;
use super::figures::{self, Figures};
use super::model::{Case, Exit, Run, SCHEMA_VERSION, Target};
pub use super::read::from_json;
use super::roll_up;
use crate::verdict::Verdict;

/// A whole report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Version of this form.
    pub schema_version: u32,
    /// Who wrote it.
    pub suite: SuiteRecord,
    /// When, how long, with which seed.
    pub run: RunRecord,
    /// What was judged; in a merged report the first of [`Self::targets`].
    pub target: TargetRecord,
    /// In a merged report what was judged, each under a name; empty in the report of one run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetRecord>,
    /// A count for each verdict.
    pub summary: Summary,
    /// Every case, in the order of the catalogue.
    pub cases: Vec<CaseRecord>,
    /// Every requirement of the register, exercised or not.
    pub requirements: Vec<RequirementRecord>,
    /// Measured values and readings, merged over all cases.
    pub observations: Vec<ObservationRecord>,
    /// How the run compares with a baseline, where it was held against one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineRecord>,
    /// Exit code and reason.
    pub exit: ExitRecord,
}

/// Name and version of the suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteRecord {
    /// `syncspec`.
    pub name: String,
    /// Version of the package.
    pub version: String,
    /// What its trial showed; not in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
}

/// Facts about the run as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Seed as `--seed` takes it.
    pub seed: String,
    /// Start in seconds since 1970.
    pub started_unix_s: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whether the rest was not run.
    pub interrupted: bool,
    /// Connections opened.
    pub connections: u64,
    /// Messages sent.
    pub messages: u64,
}

/// What was judged; URLs by dialect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRecord {
    /// HTTP endpoints.
    pub endpoints: BTreeMap<String, String>,
    /// Real-time endpoints.
    pub realtime: BTreeMap<String, String>,
    /// Whether it is the built-in reference endpoint.
    pub embedded: bool,
    /// Channel namespaces that were used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// The arguments of the command that named it, without secrets.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arguments: String,
    /// Name by which cases of a merged report name their target; empty in the report of one run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// How many cases have each verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the verdicts are explained there")]
pub struct Summary {
    pub pass: usize,
    pub fail: usize,
    pub warn: usize,
    pub info: usize,
    #[serde(rename = "n/a")]
    pub not_applicable: usize,
    pub blocked: usize,
    pub inconclusive: usize,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// Identifier of the scenario, or `monitor/<requirement>`.
    pub id: String,
    /// What it tests.
    pub title: String,
    /// `graphql` or `events`.
    pub dialect: String,
    /// In a merged report the name of the target; empty in the report of one run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// The verdict, by its word.
    #[serde(with = "word")]
    pub verdict: Verdict,
    /// Why; empty for a pass.
    pub reason: String,
    /// Requirements that it judges.
    pub requirements: Vec<String>,
    /// Requirements that it found broken, the deciding one first.
    pub findings: Vec<FindingRecord>,
    /// What satisfied its expectations.
    pub evidence: Vec<String>,
    /// Measured values and readings.
    pub observations: Vec<ObservationRecord>,
    /// The dialogue as it went, redacted.
    pub dialogue: String,
    /// The same as data: objects as in a line of a recording, with `at` in microseconds and `connection`.
    #[serde(default)]
    pub trace: Vec<serde_json::Value>,
    /// Index in `trace` of the deciding entry; `null` where nothing is marked.
    #[serde(default)]
    pub mark: Option<usize>,
    /// The scenario that shows it again; for what the monitor found, the first in which it did.
    #[serde(default)]
    pub replay: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How often it was tried.
    pub attempts: u32,
}

/// One requirement that a case found broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// The requirement.
    pub requirement: String,
    /// `fail`, `warn` or `info`.
    pub severity: String,
    /// `MUST`, `SHOULD`, `MAY` or `fact`.
    pub level: String,
    /// `documented`, `observed`, `standard` or `implied`.
    pub grade: String,
    /// The acceptable alternatives.
    pub expected: Vec<String>,
    /// What came instead.
    pub got: String,
}

/// One row of the register, with what this run says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementRecord {
    /// Stable identifier.
    pub id: String,
    /// `MUST`, `SHOULD`, `MAY` or `fact`.
    pub level: String,
    /// `documented`, `observed`, `standard` or `implied`.
    pub grade: String,
    /// Who is bound.
    pub party: String,
    /// The rule in one sentence.
    pub text: String,
    /// Who says so.
    pub source: String,
    /// `outside`, `client`, `needs` or `hidden`: what it takes to see whether a server keeps it.
    pub reach: String,
    /// What it needs, or why it is hidden; empty otherwise.
    pub reach_reason: String,
    /// The worst verdict of the cases that judge it; `null` where there is none.
    pub verdict: Option<String>,
    /// Cases of this run that were played and judge it.
    pub exercised_by: Vec<String>,
}

/// A measured value or the reading of a disputed question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservationRecord {
    /// Name of the value, or id of the ambiguity.
    pub name: String,
    /// The value with its unit, or the reading.
    pub value: String,
}

/// Exit code and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// The code.
    pub code: u8,
    /// The reason in words.
    pub reason: String,
}

/// The report as indented JSON, with a line break at its end.
pub fn to_json(run: &Run) -> String {
    pretty(&Document::of(run))
}

/// A record as indented JSON, with a line break at its end.
pub fn to_text(document: &Document) -> String {
    pretty(document)
}

/// Indented JSON text. Records hold texts, numbers and lists under string keys: there is nothing in them
/// that JSON could not say.
pub fn pretty(value: &impl Serialize) -> String {
    match serde_json::to_string_pretty(value) {
        Ok(text) => text + "\n",
        Err(error) => unreachable!("records are JSON: {error}"),
    }
}

impl Document {
    /// The record of a run.
    pub fn of(run: &Run) -> Self {
        let cases: Vec<_> = run.cases.iter().map(CaseRecord::of).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            suite: SuiteRecord::this(),
            run: RunRecord::of(run),
            target: TargetRecord::of(&run.target),
            targets: Vec::new(),
            summary: Summary::of(run),
            requirements: roll_up::requirements(roll_up::register(), &cases),
            cases,
            observations: observations(&run.observations),
            baseline: None,
            exit: ExitRecord::of(&run.exit),
        }
    }

    /// The verdict on a case; where both dialects have a case of this id, the first.
    pub fn verdict(&self, case: &str) -> Option<Verdict> {
        self.cases.iter().find(|record| record.id == case).map(|record| record.verdict)
    }
}

impl SuiteRecord {
    /// This very suite.
    pub fn this() -> Self {
        Self {
            name: "syncspec".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            figures: figures::published().cloned(),
        }
    }
}

impl RunRecord {
    pub(super) fn of(run: &Run) -> Self {
        Self {
            seed: seed_text(run.seed),
            started_unix_s: run.started_unix_s,
            took_ms: run.took_ms,
            interrupted: run.interrupted,
            connections: run.connections,
            messages: run.messages,
        }
    }
}

pub(super) fn seed_text(seed: u64) -> String {
    format!("{seed:#x}")
}

impl TargetRecord {
    pub(super) fn of(target: &Target) -> Self {
        let by_word = |urls: &BTreeMap<appsync_protocol::dialect::Dialect, String>| {
            urls.iter().map(|(dialect, url)| (dialect.word().to_owned(), url.clone())).collect()
        };
        Self {
            endpoints: by_word(&target.endpoints),
            realtime: by_word(&target.realtime),
            embedded: target.embedded,
            namespaces: target.namespaces.clone(),
            arguments: target.arguments.clone(),
            name: String::new(),
        }
    }
}

impl Summary {
    pub(super) fn of(run: &Run) -> Self {
        Self::counted(&run.summary())
    }

    /// A count for each verdict of these cases.
    pub(super) fn of_cases(cases: &[CaseRecord]) -> Self {
        let mut counts = BTreeMap::new();
        for case in cases {
            *counts.entry(case.verdict).or_default() += 1;
        }
        Self::counted(&counts)
    }

    /// The count of one verdict.
    pub const fn count(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Warn => self.warn,
            Verdict::Info => self.info,
            Verdict::NotApplicable => self.not_applicable,
            Verdict::Blocked => self.blocked,
            Verdict::Inconclusive => self.inconclusive,
        }
    }

    fn counted(counts: &BTreeMap<Verdict, usize>) -> Self {
        let count = |verdict| counts.get(&verdict).copied().unwrap_or_default();
        Self {
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            warn: count(Verdict::Warn),
            info: count(Verdict::Info),
            not_applicable: count(Verdict::NotApplicable),
            blocked: count(Verdict::Blocked),
            inconclusive: count(Verdict::Inconclusive),
        }
    }
}

impl CaseRecord {
    /// The record of a case.
    pub fn of(case: &Case) -> Self {
        let finding = |breach: &crate::verdict::Breach| FindingRecord {
            requirement: breach.requirement.id().into(),
            severity: breach.severity.word().into(),
            level: breach.requirement.row().level.word().into(),
            grade: breach.requirement.row().grade.word().into(),
            expected: breach.expected.clone(),
            got: breach.got.clone(),
        };
        Self {
            id: case.id.clone(),
            title: case.title.clone(),
            dialect: case.dialect.word().into(),
            target: String::new(),
            verdict: case.verdict,
            reason: case.reason.clone(),
            requirements: case.requirements.iter().map(|rule| rule.id().into()).collect(),
            findings: case.breaches.iter().map(finding).collect(),
            evidence: case.evidence.clone(),
            observations: observations(&case.observations),
            dialogue: case.dialogue.clone(),
            trace: trace(&case.trace),
            mark: case.mark,
            replay: case.replay.clone(),
            duration_ms: case.took_ms,
            attempts: case.attempts,
        }
    }
}

impl RequirementRecord {
    /// A row of the register of which nothing is said yet.
    pub(super) fn of(rule: Requirement) -> Self {
        let row = rule.row();
        let (reach, reach_reason) = reach(row.reach);
        Self {
            id: row.id.into(),
            level: row.level.word().into(),
            grade: row.grade.word().into(),
            party: row.party.word().into(),
            text: row.text.into(),
            source: row.source.into(),
            reach: reach.into(),
            reach_reason: reach_reason.into(),
            verdict: None,
            exercised_by: Vec::new(),
        }
    }
}

impl ExitRecord {
    pub(super) fn of(exit: &Exit) -> Self {
        Self { code: exit.code, reason: exit.reason.clone() }
    }
}

/// The word of a reach, and what it needs or why it is hidden.
pub(super) const fn reach(reach: Reach) -> (&'static str, &'static str) {
    match reach {
        Reach::Outside => ("outside", ""),
        Reach::NotYetJudged => ("client", ""),
        Reach::Needs(what) => ("needs", what),
        Reach::Hidden(why) => ("hidden", why),
    }
}

/// The entries of a trace as objects. Each was written as one by the transcript.
fn trace(trace: &Transcript) -> Vec<serde_json::Value> {
    trace.to_json_lines().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn observations(all: &[crate::player::Observation]) -> Vec<ObservationRecord> {
    all.iter().map(|o| ObservationRecord { name: o.name.clone(), value: o.value.clone() }).collect()
}

/// A verdict as its word.
mod word {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::verdict::Verdict;

    pub(super) fn serialize<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(verdict.word())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
        let word = String::deserialize(deserializer)?;
        Verdict::parse(&word).ok_or_else(|| D::Error::custom(format_args!("expected a verdict; got {word:?}")))
    }
}
