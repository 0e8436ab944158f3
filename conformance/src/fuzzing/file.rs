//! A finding as a file: everything that it takes to show it again, and what was said when it showed.
//!
//! The operations are enough: names and nonces of a replay are fresh ones. A file holds no credentials; what was said is
//! scrubbed by whoever knows them.

use std::fmt;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::transcript::{Entry, Redactor, Transcript};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::driver::Found;
use super::op::Op;

/// What stands in `kind`.
pub const KIND: &str = "syncspec-finding";

/// Version of the operations and of what they mean. A file of another one cannot be played again.
pub const MODEL: u32 = 1;

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
    /// URL of the HTTP endpoint.
    pub endpoint: String,
    /// Seed of the campaign.
    pub seed: u64,
    /// How often it showed.
    pub shown: u32,
    /// In so many tries on fresh connections.
    pub tries: u32,
    /// The dialogue.
    pub operations: Vec<Op>,
    /// What was said, a line of a transcript each.
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
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("kind").and_then(Value::as_str) == Some(KIND))
}

/// Reads the file of a finding.
///
/// # Errors
/// When it is no JSON, lacks a member, has one of another kind, or is of another version.
pub fn read(text: &str) -> Result<FindingFile, FileError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let file: FindingFile = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| FileError(format!("{}: {}", error.path(), error.inner())))?;
    if file.kind != KIND {
        return Err(FileError(format!("kind: expected {KIND:?}; got {:?}", file.kind)));
    }
    if file.model != MODEL {
        return Err(FileError(format!("model: expected operations of version {MODEL}; got {}", file.model)));
    }
    Ok(file)
}

impl FindingFile {
    /// The dialect, where it names one.
    pub fn dialect(&self) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|dialect| dialect.word() == self.dialect)
    }

    /// As text, indented.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// A name for the file: rule and operation, in characters that every file system takes.
    pub fn name(&self) -> String {
        let text = format!("{}-{}-{}", self.rule, self.bucket.operation, self.bucket.answer).to_ascii_lowercase();
        let plain: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(90).collect();
        let parts: Vec<_> = plain.split('-').filter(|part| !part.is_empty()).collect();
        format!("{}.json", parts.join("-"))
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
            seed: 7,
            shown: 3,
            tries: 3,
            operations: vec![Op::Open { door: Door::Usual }],
            transcript: Vec::new(),
        }
    }

    #[test]
    fn what_was_written_reads_back_equal() {
        assert_eq!(read(&file().to_text()).unwrap(), file());
        assert!(is_finding(&file().to_text()));
        assert_eq!(file().name(), "evt-sub-016-unsubscribe-live-silence.json");
        assert_eq!(file().dialect(), Some(Dialect::Events));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let of = |from: &str, to: &str| read(&file().to_text().replace(from, to)).unwrap_err().to_string();

        assert!(of("\"usual\"", "\"window\"").starts_with("operations[0]"), "{}", of("\"usual\"", "\"window\""));
        assert_eq!(of("\"model\": 1", "\"model\": 9"), "model: expected operations of version 1; got 9");
        assert!(of("syncspec-finding", "report").starts_with("kind: "));
        assert!(read("{").is_err() && !is_finding("{"));
    }
}
