//! What a run found, as data: every report derives from this.

use std::collections::BTreeMap;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::transcript::Transcript;

use crate::player::Observation;
use crate::verdict::{Breach, Verdict};

/// Version of the JSON form. Raised with every change that a reader could trip over.
pub const SCHEMA_VERSION: u32 = 1;

/// One run against one target.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was judged.
    pub target: Target,
    /// Seed of nonces, so that a run can be repeated.
    pub seed: u64,
    /// Start in seconds since 1970, by the machine's clock.
    pub started_unix_s: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Every case, in the order of the catalogue; what the monitor found comes last.
    pub cases: Vec<Case>,
    /// Measured values and readings, merged over all cases.
    pub observations: Vec<Observation>,
    /// Connections opened and messages sent.
    pub connections: u64,
    /// Messages sent by us.
    pub messages: u64,
    /// Whether it was interrupted: the rest was not run.
    pub interrupted: bool,
    /// Exit code and the reason in words.
    pub exit: Exit,
}

/// What was judged, without secrets.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// HTTP endpoint by dialect.
    pub endpoints: BTreeMap<Dialect, String>,
    /// Real-time endpoint by dialect.
    pub realtime: BTreeMap<Dialect, String>,
    /// Whether it is our own reference endpoint, started for this run.
    pub embedded: bool,
    /// Channel namespaces that were used (Events).
    pub namespaces: Vec<String>,
    /// The arguments of the command that name it, without secrets; empty where it was not the command that ran.
    pub arguments: String,
}

/// Exit code and the reason in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// 0, 1, 2, 3, 4, 5, 6, 70 or 130.
    pub code: u8,
    /// One sentence, lower case, without a full stop.
    pub reason: String,
}

/// One case: a scenario, or what the monitor found of one requirement.
#[derive(Clone, Debug)]
pub struct Case {
    /// Identifier of the scenario, or `monitor/<requirement>`.
    pub id: String,
    /// What it tests, in one sentence.
    pub title: String,
    /// Which protocol.
    pub dialect: Dialect,
    /// What is said about the target.
    pub verdict: Verdict,
    /// Why, in one sentence: what was broken, lacked, blocked it or went wrong. Empty for a pass.
    pub reason: String,
    /// Requirements that it judges.
    pub requirements: Vec<Requirement>,
    /// Broken requirements.
    pub breaches: Vec<Breach>,
    /// What satisfied the expectations.
    pub evidence: Vec<String>,
    /// Measured values and readings.
    pub observations: Vec<Observation>,
    /// The dialogue as it went, redacted, with the deciding message marked. Empty where nothing was said.
    pub dialogue: String,
    /// The same as data, redacted: what the drawing was made from.
    pub trace: Transcript,
    /// Index in the trace of the deciding entry.
    pub mark: Option<usize>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// The scenario that shows it again: its own id, or the first in which the monitor found it.
    pub replay: String,
}

impl Run {
    /// How many cases have each verdict, in the order of [`Verdict::ALL`].
    pub fn summary(&self) -> BTreeMap<Verdict, usize> {
        let mut counts: BTreeMap<_, _> = Verdict::ALL.into_iter().map(|verdict| (verdict, 0)).collect();
        for case in &self.cases {
            *counts.entry(case.verdict).or_default() += 1;
        }
        counts
    }
}

impl Case {
    /// A line that runs it again.
    pub fn again(&self, run: &Run) -> String {
        let endpoint = run.target.endpoints.get(&self.dialect).filter(|_| !run.target.embedded);
        let given = Some(&run.target.arguments).filter(|arguments| !arguments.is_empty());
        let target = given.or(endpoint).map(|target| format!(" {target}")).unwrap_or_default();
        format!("syncspec server{target} --filter {} --seed {:#x}", self.replay, run.seed)
    }
}

/// The one of two verdicts that a reader has to know.
pub fn worse(one: Verdict, other: Verdict) -> Verdict {
    const ORDER: [Verdict; 7] = [
        Verdict::Fail,
        Verdict::Warn,
        Verdict::Inconclusive,
        Verdict::Info,
        Verdict::Blocked,
        Verdict::Pass,
        Verdict::NotApplicable,
    ];
    ORDER.into_iter().find(|verdict| *verdict == one || *verdict == other).unwrap_or(one)
}
