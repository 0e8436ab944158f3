//! A finding as a file: everything that it takes to show it again, and what was said when it showed.
//!
//! ```text
//! line 1    what was found, where, and the operations that show it: a FindingFile without its transcript
//! the rest  what was said, an entry of a recording each, as in the other recordings of syncspec
//! ```
//!
//! The operations are enough: names and nonces of a replay are fresh ones. A file holds no credentials; what was said is
//! scrubbed by whoever knows them.

use std::collections::BTreeSet;
use std::fmt;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::transcript::{Entry, Redactor, Transcript};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::driver::Found;
use super::op::Op;
use crate::report::json::{CaseRecord, TargetRecord};
use crate::verdict::Verdict;

/// What stands in `kind`.
pub const KIND: &str = "syncspec-finding";

/// Version of the operations and of what they mean. A file of another one cannot be played again.
pub const MODEL: u32 = 1;

/// Stands for the URL of the reference endpoint that a run starts itself.
pub const BUILT_IN: &str = "built-in";

/// A finding, in the form of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingFile {
    /// [`KIND`].
    pub kind: String,
    /// Version of the operations.
    pub model: u32,
    /// Version of syncspec that wrote it.
    pub syncspec: String,
    /// `graphql` or `events`.
    pub dialect: String,
    /// The rule that is broken, by its id.
    pub rule: String,
    /// What was expected and what came.
    pub detail: String,
    /// What it is told apart by from other findings of the same rule.
    pub bucket: Bucket,
    /// URL of the HTTP endpoint, or [`BUILT_IN`].
    pub endpoint: String,
    /// URL of the real-time endpoint; empty for the built-in one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub realtime: String,
    /// Channel namespaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// What channels below a namespace begin with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub channel_prefix: String,
    /// What the target had declared of what the dialogue takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Seed of the campaign.
    pub seed: u64,
    /// How often it showed.
    pub shown: u32,
    /// In so many tries on fresh connections.
    pub tries: u32,
    /// Rules that were known to be broken, and passed over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
    /// The dialogue.
    pub operations: Vec<Op>,
    /// What was said, an entry of a recording each. In the file they are lines of their own.
    #[serde(skip)]
    pub transcript: Vec<Value>,
}

/// State, operation and answer in which a finding showed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Where the connection stood.
    pub state: String,
    /// The last operation.
    pub operation: String,
    /// What came.
    pub answer: String,
}

impl From<&Found> for Bucket {
    fn from(found: &Found) -> Self {
        let Found { state, op, answer, .. } = found;
        Self { state: state.clone(), operation: op.clone(), answer: answer.clone() }
    }
}

/// Why a text is no finding that can be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError(String);

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FileError {}

/// Whether a text looks like the file of a finding, be it a good one or not.
pub fn is_finding(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str::<Value>(first).is_ok_and(|value| value.get("kind").and_then(Value::as_str) == Some(KIND))
}

/// Reads the file of a finding.
///
/// # Errors
/// When its first line is no JSON, lacks a member, has one of another kind, or is of another version; when another line
/// is no entry of a recording.
pub fn read(text: &str) -> Result<FindingFile, FileError> {
    let (first, said) = text.split_once('\n').unwrap_or((text, ""));
    let mut reader = serde_json::Deserializer::from_str(first);
    let mut file: FindingFile = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| FileError(format!("line 1: {}: {}", error.path(), error.inner())))?;
    if file.kind != KIND {
        return Err(FileError(format!("line 1: kind: expected {KIND:?}; got {:?}", file.kind)));
    }
    if file.model != MODEL {
        return Err(FileError(format!("line 1: model: expected operations of version {MODEL}; got {}", file.model)));
    }
    // A blank line stands for the first one, so that places are those of the file.
    appsync_protocol::transcript::read(&format!("\n{said}")).map_err(|error| FileError(error.to_string()))?;
    let entries = said.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
    file.transcript = entries.collect::<Result<_, _>>().map_err(|error| FileError(error.to_string()))?;
    Ok(file)
}

impl FindingFile {
    /// Rules that were passed over, those that this version knows.
    pub fn known(&self) -> BTreeSet<Requirement> {
        self.passed_over.iter().filter_map(|id| Requirement::parse(id)).collect()
    }

    /// The dialect, where it names one.
    pub fn dialect(&self) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|dialect| dialect.word() == self.dialect)
    }

    /// Whether it was found at the reference endpoint that a run starts itself.
    pub fn is_built_in(&self) -> bool {
        self.endpoint == BUILT_IN
    }

    /// What was said.
    pub fn said(&self) -> Transcript {
        let lines: String = self.transcript.iter().map(|line| format!("{line}\n")).collect();
        appsync_protocol::transcript::read(&lines).unwrap_or_default()
    }

    /// As a case of a report on its target.
    pub fn as_case(&self) -> (TargetRecord, CaseRecord) {
        let urls =
            |url: &String| [(self.dialect.clone(), url.clone())].into_iter().filter(|(_, url)| url.contains(':'));
        let target = TargetRecord {
            endpoints: urls(&self.endpoint).collect(),
            realtime: urls(&self.realtime).collect(),
            embedded: self.is_built_in(),
            namespaces: self.namespaces.clone(),
            arguments: String::new(),
            name: String::new(),
        };
        let case = CaseRecord {
            id: format!("fuzz/{}", self.rule),
            title: Requirement::parse(&self.rule).map_or("", |rule| rule.row().text).into(),
            dialect: self.dialect.clone(),
            target: String::new(),
            verdict: Verdict::Fail,
            reason: self.detail.clone(),
            requirements: vec![self.rule.clone()],
            findings: Vec::new(),
            evidence: Vec::new(),
            observations: Vec::new(),
            dialogue: String::new(),
            trace: self.transcript.clone(),
            mark: self.transcript.len().checked_sub(1),
            replay: String::new(),
            duration_ms: 0,
            attempts: self.tries,
        };
        (target, case)
    }

    /// As JSON Lines.
    pub fn to_text(&self) -> String {
        let first = serde_json::to_string(self).unwrap_or_default();
        let said = self.transcript.iter().map(Value::to_string);
        std::iter::once(first).chain(said).map(|line| line + "\n").collect()
    }

    /// A name for the file: rule and operation, in characters that every file system takes.
    pub fn name(&self) -> String {
        let text = format!("{}-{}-{}", self.rule, self.bucket.operation, self.bucket.answer).to_ascii_lowercase();
        let plain: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(90).collect();
        let parts: Vec<_> = plain.split('-').filter(|part| !part.is_empty()).collect();
        format!("{}.jsonl", parts.join("-"))
    }
}

/// What was said, scrubbed, as values.
pub fn transcript(record: &[Entry], redactor: &Redactor) -> Vec<Value> {
    let mut transcript = Transcript::new();
    record.iter().for_each(|entry| transcript.push(redactor.entry(entry)));
    transcript.to_json_lines().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::op::Door;

    fn file() -> FindingFile {
        FindingFile {
            kind: KIND.into(),
            model: MODEL,
            syncspec: "0.1.0".into(),
            dialect: "events".into(),
            rule: "EVT-SUB-016".into(),
            detail: "d".into(),
            bucket: Bucket { state: "open".into(), operation: "unsubscribe live".into(), answer: "silence".into() },
            endpoint: "http://127.0.0.1:1/event".into(),
            realtime: "ws://127.0.0.1:1/event/realtime".into(),
            namespaces: vec!["default".into()],
            channel_prefix: String::new(),
            capabilities: Vec::new(),
            seed: 7,
            shown: 3,
            tries: 3,
            passed_over: vec!["EVT-INIT-003".into()],
            operations: vec![Op::Open { door: Door::Usual }],
            transcript: vec![serde_json::json!({ "at": 7, "connection": 1, "note": "n" })],
        }
    }

    #[test]
    fn what_was_written_reads_back_equal() {
        assert_eq!(read(&file().to_text()).unwrap(), file());
        assert!(is_finding(&file().to_text()));
        assert_eq!(file().name(), "evt-sub-016-unsubscribe-live-silence.jsonl");
        assert_eq!(file().dialect(), Some(Dialect::Events));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let of = |from: &str, to: &str| read(&file().to_text().replace(from, to)).unwrap_err().to_string();

        assert!(
            of("\"usual\"", "\"window\"").starts_with("line 1: operations[0]"),
            "{}",
            of("\"usual\"", "\"window\"")
        );
        assert_eq!(of("\"model\":1", "\"model\":9"), "line 1: model: expected operations of version 1; got 9");
        assert!(of("syncspec-finding", "report").starts_with("line 1: kind: "));
        assert!(of("\"at\":7", "\"at\":-7").starts_with("line 2 "), "{}", of("\"at\":7", "\"at\":-7"));
        assert!(read("{").is_err() && !is_finding("{"));
    }
}
