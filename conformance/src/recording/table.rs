//! What was found in recordings, as a table for people and as JSON, and the exit code that follows.
//!
//! Codes are those of the suite: 2 a file could not be read, 1 a rule that counts is broken or a surprise against what
//! was expected, 6 what was expected is gone, 4 nothing was judged, 0 else; in this order.

use std::fmt;

use appsync_protocol::requirement::Severity;
use appsync_protocol::wire::Side;
use serde::Serialize;

use super::Recording;
use super::expected::{Difference, Differences};
use super::judge::{Check, Judgement};
use crate::report::json::{ExitRecord, SuiteRecord, pretty};
use crate::report::text::printable;

/// Version of the JSON form. Raised with every change that a reader could trip over.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Table {
    /// Recordings that were judged.
    pub rows: Vec<Row>,
    /// Files that were not, with the reason and the place.
    pub unread: Vec<String>,
    /// Whether a warning counts as a failure.
    pub strict: bool,
    /// Whether findings were held against expected ones.
    pub with_expected: bool,
    /// The side whose breaches decide; `None` where both do.
    pub side: Option<Side>,
}

/// One recording.
#[derive(Debug)]
pub struct Row {
    /// What was read.
    pub recording: Recording,
    /// What was found in it.
    pub judgement: Judgement,
    /// How that differs from what was expected, where something was.
    pub differences: Differences,
}

impl Table {
    /// The exit code and its reason.
    pub fn exit(&self) -> ExitRecord {
        let count = |severity| self.checks().filter(|check| check.severity == severity).count();
        let frames: usize = self.rows.iter().map(|row| row.judgement.frames).sum();
        let surprises = self.rows.iter().map(|row| self.of_side(&row.differences.surprises).count()).sum::<usize>();
        let gone = self.rows.iter().map(|row| self.of_side(&row.differences.gone).count()).sum::<usize>();
        let warnings = if self.strict { count(Severity::Warn) } else { 0 };
        let (code, reason) = if !self.unread.is_empty() {
            (2, format!("{} could not be read", counted(self.unread.len(), "file")))
        } else if self.with_expected && surprises > 0 {
            (1, format!("{} not as expected", counted(surprises, "finding")))
        } else if self.with_expected && gone > 0 {
            (6, format!("{} expected and not there any more", counted(gone, "finding")))
        } else if !self.with_expected && count(Severity::Fail) + warnings > 0 {
            (1, format!("{} broken", counted(count(Severity::Fail) + warnings, "rule")))
        } else if frames == 0 {
            (4, "no message was judged".into())
        } else if self.with_expected {
            (0, format!("everything as expected in {}", counted(self.rows.len(), "recording")))
        } else {
            (0, format!("no failure in {}", counted(self.rows.len(), "recording")))
        };
        ExitRecord { code, reason }
    }

    /// The table as indented JSON.
    pub fn to_json(&self) -> String {
        pretty(&TableRecord {
            schema_version: SCHEMA_VERSION,
            suite: SuiteRecord::this(),
            recordings: self.rows.iter().map(RowRecord::of).collect(),
            unread: self.unread.iter().map(|why| printable(why)).collect(),
            summary: SummaryRecord {
                fail: self.count(Severity::Fail),
                warn: self.count(Severity::Warn),
                info: self.count(Severity::Info),
            },
            exit: self.exit(),
        })
    }

    fn count(&self, severity: Severity) -> usize {
        self.checks().filter(|check| check.severity == severity).count()
    }

    /// Checks of the side that decides.
    fn checks(&self) -> impl Iterator<Item = &Check> {
        let all = self.rows.iter().flat_map(|row| &row.judgement.checks);
        all.filter(|check| self.side.is_none_or(|side| side == check.by))
    }

    fn of_side<'d>(&'d self, all: &'d [Difference]) -> impl Iterator<Item = &'d Difference> {
        all.iter().filter(|difference| self.side.is_none_or(|side| side == difference.by))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let Row { recording, judgement, differences } = row;
            let dialects: Vec<_> = judgement
                .connections
                .iter()
                .map(|(dialect, count)| format!("{dialect}: {}", counted(*count, "connection")))
                .collect();
            let judged = if dialects.is_empty() { "no connection".into() } else { dialects.join(", ") };
            let path = printable(&recording.path.display().to_string());
            writeln!(f, "{path}   {judged}, {}", counted(judgement.frames, "frame"))?;
            for number in &judgement.headless {
                writeln!(f, "  connection {number} is not judged: its beginning was not recorded")?;
            }
            for number in &judgement.shortened {
                writeln!(f, "  connection {number} is judged up to a message that its recorder has shortened")?;
            }
            if recording.transcript.dropped() > 0 {
                writeln!(
                    f,
                    "  {} at the end are missing",
                    counted_u64(recording.transcript.dropped(), "entry", "entries")
                )?;
            }
            for check in &judgement.checks {
                let Check { requirement, by, severity, count, connection, at, entry, detail } = check;
                let place = recording.place(*entry);
                writeln!(
                    f,
                    "  {:<5} {:<18} {:<7} {count:>4}x  {place}, connection {connection}, {at}",
                    severity.word(),
                    requirement.id(),
                    by.word()
                )?;
                writeln!(f, "        {}", printable(detail))?;
            }
            for surprise in self.of_side(&differences.surprises) {
                writeln!(f, "  not expected: {}", printable(&surprise.to_string()))?;
            }
            for gone in self.of_side(&differences.gone) {
                writeln!(f, "  gone: {}", printable(&gone.to_string()))?;
            }
        }
        for why in &self.unread {
            writeln!(f, "not read: {}", printable(why))?;
        }
        let [fail, warn, info] = [Severity::Fail, Severity::Warn, Severity::Info].map(|severity| self.count(severity));
        writeln!(f, "\nsummary  {} - {fail} fail - {warn} warn - {info} info", counted(self.rows.len(), "recording"))?;
        let ExitRecord { code, reason } = self.exit();
        write!(f, "exit {code}: {reason}")
    }
}

#[derive(Serialize)]
struct TableRecord {
    schema_version: u32,
    suite: SuiteRecord,
    recordings: Vec<RowRecord>,
    unread: Vec<String>,
    summary: SummaryRecord,
    exit: ExitRecord,
}

#[derive(Serialize)]
struct SummaryRecord {
    fail: usize,
    warn: usize,
    info: usize,
}

#[derive(Serialize)]
struct RowRecord {
    path: String,
    dialects: Vec<String>,
    connections: usize,
    frames: usize,
    /// Connections that were not judged, because their beginning was not recorded.
    headless: Vec<u32>,
    /// Connections that were judged up to a message which was shortened.
    shortened: Vec<u32>,
    /// Entries at the end that its recorder had no place for.
    dropped: u64,
    findings: Vec<CheckRecord>,
    surprises: Vec<String>,
    gone: Vec<String>,
}

#[derive(Serialize)]
struct CheckRecord {
    requirement: String,
    severity: String,
    level: String,
    grade: String,
    by: String,
    count: u64,
    connection: u32,
    at_us: u64,
    place: String,
    detail: String,
}

impl RowRecord {
    fn of(row: &Row) -> Self {
        let Row { recording, judgement, differences } = row;
        let texts = |all: &[Difference]| all.iter().map(Difference::to_string).collect();
        Self {
            path: recording.path.display().to_string(),
            dialects: judgement.connections.keys().map(|dialect| dialect.word().to_owned()).collect(),
            connections: judgement.connections.values().sum(),
            frames: judgement.frames,
            headless: judgement.headless.clone(),
            shortened: judgement.shortened.clone(),
            dropped: recording.transcript.dropped(),
            findings: judgement.checks.iter().map(|check| CheckRecord::of(check, recording)).collect(),
            surprises: texts(&differences.surprises),
            gone: texts(&differences.gone),
        }
    }
}

impl CheckRecord {
    fn of(check: &Check, recording: &Recording) -> Self {
        let row = check.requirement.row();
        Self {
            requirement: row.id.into(),
            severity: check.severity.word().into(),
            level: row.level.word().into(),
            grade: row.grade.word().into(),
            by: check.by.word().into(),
            count: check.count,
            connection: check.connection,
            at_us: check.at.as_micros(),
            place: recording.place(check.entry),
            detail: check.detail.clone(),
        }
    }
}

fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

fn counted_u64(n: u64, one: &str, more: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {more}") }
}
