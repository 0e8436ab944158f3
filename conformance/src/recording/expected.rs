//! What is expected to be found in recordings, each with its reason: a file that stands next to them.
//!
//! ```toml
//! [[finding]]
//! requirement = "GQL-INIT-003"
//! by = "server"
//! reason = "the acknowledgement names connectionTimeout"
//! [finding.recordings]                # how often, by the name of the file without its extension
//! handshake-ok = 1
//! ```
//!
//! What is found and not listed is a *surprise*, what is listed and not found is *gone*. A finding that is listed for a
//! recording which was not judged says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use appsync_protocol::requirement::Requirement;
use appsync_protocol::wire::Side;
use serde::Deserialize;

use super::judge::Judgement;
use crate::report::read::{ReadError, wrong};

/// Expected findings of a folder of recordings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// How often a rule is broken by a side in a recording.
    counts: BTreeMap<(String, Requirement, Side), u64>,
}

/// The form of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingsFile {
    #[serde(default)]
    finding: Vec<toml::Spanned<FindingEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingEntry {
    requirement: String,
    by: String,
    reason: String,
    recordings: BTreeMap<String, u64>,
}

/// How a recording differs from what was expected of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Found, and not listed or listed with another count.
    pub surprises: Vec<Difference>,
    /// Listed and not found.
    pub gone: Vec<Difference>,
}

/// One rule that is broken more or less often than was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The recording.
    pub recording: String,
    /// The rule.
    pub requirement: Requirement,
    /// Who broke it.
    pub by: Side,
    /// How often was expected.
    pub listed: u64,
    /// How often it was found.
    pub found: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recording, requirement, by, listed, found } = self;
        write!(f, "{recording}: {requirement} by the {by}: expected {listed} times; got {found}")
    }
}

impl Expected {
    /// Reads a file of expected findings. `path` is for errors only.
    ///
    /// # Errors
    /// With the place, when the text is no TOML, a key is missing, unknown or of a wrong kind, a rule does not exist, a
    /// reason is empty, or a finding is listed twice.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ReadError> {
        let told = |at: usize, error: ReadError| {
            let before = text.get(..at).unwrap_or_default();
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            ReadError { path: Some(path.into()), at: Some((before.matches('\n').count() + 1, column)), ..error }
        };
        let file: FindingsFile = toml::from_str(text).map_err(|error| {
            let why = format!("expected findings in TOML; {}", error.message().trim());
            told(error.span().map_or(0, |span| span.start), wrong("", why))
        })?;
        let mut expected = Self::default();
        for finding in file.finding {
            let at = finding.span().start;
            expected.list(finding.into_inner()).map_err(|error| told(at, error))?;
        }
        Ok(expected)
    }

    fn list(&mut self, finding: FindingEntry) -> Result<(), ReadError> {
        let FindingEntry { requirement, by, reason, recordings } = finding;
        let rule = Requirement::parse(&requirement)
            .ok_or_else(|| wrong("requirement", format!("expected a requirement; got {requirement:?}")))?;
        let side = [Side::Client, Side::Server].into_iter().find(|side| side.word() == by);
        let side = side.ok_or_else(|| wrong("by", format!("expected client or server; got {by:?}")))?;
        if reason.trim().is_empty() {
            return Err(wrong("reason", "expected a text that says why; got an empty text".into()));
        }
        for (recording, count) in recordings {
            if count == 0 {
                return Err(wrong("recordings", format!("expected 1 or more; got 0 for {recording:?}")));
            }
            if self.counts.insert((recording.clone(), rule, side), count).is_some() {
                let why = format!("expected each recording once for a rule and a side; got {recording:?} again");
                return Err(wrong("recordings", why));
            }
        }
        Ok(())
    }

    /// Recordings that are named.
    pub fn recordings(&self) -> BTreeSet<&str> {
        self.counts.keys().map(|(recording, ..)| recording.as_str()).collect()
    }

    /// Compares what was found in one recording.
    pub fn compare(&self, recording: &str, found: &Judgement) -> Differences {
        let mut differences = Differences::default();
        let listed = |rule, side| self.counts.get(&(recording.to_owned(), rule, side)).copied().unwrap_or_default();
        for check in &found.checks {
            let listed = listed(check.requirement, check.by);
            if listed != check.count {
                differences.surprises.push(Difference {
                    recording: recording.into(),
                    requirement: check.requirement,
                    by: check.by,
                    listed,
                    found: check.count,
                });
            }
        }
        for ((name, rule, side), count) in &self.counts {
            let is_found = found.checks.iter().any(|check| check.requirement == *rule && check.by == *side);
            if name == recording && !is_found {
                let (requirement, by) = (*rule, *side);
                let gone = Difference { recording: name.clone(), requirement, by, listed: *count, found: 0 };
                differences.gone.push(gone);
            }
        }
        differences
    }
}
