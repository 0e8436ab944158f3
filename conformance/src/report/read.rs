//! Reads reports back: the JSON report and the stream of lines.
//!
//! A report is a file that somebody else may have written. What stands in it is believed only after it has been
//! looked at: the form, the words, and what one part says of another. Whatever is wrong is told with the file,
//! the place (line and column, or the path of the member) and what was expected there. Nothing here panics, and
//! no more than [`BYTES_MAX`] are taken.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::transcript::{self, Transcript};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::json::{CaseRecord, Document, ExitRecord, RunRecord, Summary, TargetRecord};
use super::model::SCHEMA_VERSION;
use super::ndjson::{Finished, Line, Started};
use super::roll_up;
use super::text::printable;
use crate::verdict::Verdict;

/// Most bytes of one report: a whole run against a target that talks much has some ten megabytes.
pub const BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The first second that has no date of four digits.
pub const SECONDS_MAX: u64 = 253_402_300_800;

/// Exit codes that a run can have.
const EXITS: [u8; 9] = [0, 1, 2, 3, 4, 5, 6, 70, 130];

/// Why something is no report that this version reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The file, where it came from one.
    pub path: Option<PathBuf>,
    /// Line and column, counted from 1, where the text itself is wrong.
    pub at: Option<(usize, usize)>,
    /// The member, such as `cases[3].verdict`; empty where there is none.
    pub member: String,
    /// What was expected and what is there.
    pub why: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}:", printable(&path.display().to_string()))?;
        }
        match (self.at, &self.path) {
            (Some((line, column)), Some(_)) => write!(f, "{line}:{column}: ")?,
            (Some((line, column)), None) => write!(f, "line {line} column {column}: ")?,
            (None, Some(_)) => f.write_str(" ")?,
            (None, None) => {}
        }
        if !self.member.is_empty() {
            write!(f, "{}: ", printable(&self.member))?;
        }
        f.write_str(&printable(&self.why))
    }
}

impl std::error::Error for ReadError {}

/// Reads a report from a file: JSON, or one JSON object a line. `-` is standard input.
///
/// # Errors
/// When the file cannot be read, is too long, is no UTF-8, or holds no report of this or an older form.
pub fn from_file(path: &Path) -> Result<Document, ReadError> {
    let text = file_text(path, "a report")?;
    from_text(&text).map_err(|error| ReadError { path: Some(path.into()), ..error })
}

/// Reads a report from bytes: JSON, or one JSON object a line.
///
/// # Errors
/// When they are too many, no UTF-8, or no report of this or an older form.
pub fn from_bytes(bytes: &[u8]) -> Result<Document, ReadError> {
    from_text(text_of(bytes, "a report")?)
}

/// The text of a file that should hold `what`; `-` is standard input.
///
/// # Errors
/// When it cannot be read, is longer than [`BYTES_MAX`], or is no UTF-8.
pub fn file_text(path: &Path, what: &str) -> Result<String, ReadError> {
    let told = |error: ReadError| ReadError { path: Some(path.into()), ..error };
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| told(wrong("", format!("expected {what} that can be read; got {error}"))))?;
    text_of(&bytes, what).map(str::to_owned).map_err(told)
}

fn text_of<'b>(bytes: &'b [u8], what: &str) -> Result<&'b str, ReadError> {
    if bytes.len() as u64 > BYTES_MAX {
        return Err(wrong("", format!("expected {what} of at most {BYTES_MAX} bytes; got more")));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        ReadError { at: Some((line, column)), ..wrong("", "expected UTF-8; got other bytes".into()) }
    })
}

/// Reads a report from a text: JSON, or one JSON object a line.
///
/// # Errors
/// When it is no report of this or an older form.
pub fn from_text(text: &str) -> Result<Document, ReadError> {
    #[derive(Deserialize)]
    struct Event {
        #[serde(rename = "event")]
        _event: serde::de::IgnoredAny,
    }
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    match serde_json::from_str::<Event>(first) {
        Ok(Event { .. }) => from_ndjson(text),
        Err(_) => from_json(text),
    }
}

/// Reads the JSON report.
///
/// # Errors
/// When the text is not a report, or one of a newer form.
pub fn from_json(text: &str) -> Result<Document, ReadError> {
    #[derive(Deserialize)]
    struct Head {
        schema_version: u64,
    }
    let head: Head = parse(text, 1, "a JSON report of syncspec")?;
    check_version(head.schema_version)?;
    let document: Document = parse(text, 1, "a JSON report of syncspec")?;
    check(&document)?;
    Ok(document)
}

/// Reads a stream of lines. One without its last line is a run that did not come to its end, and its report
/// says so.
///
/// # Errors
/// When a line is none of a report, or the first is not the one that begins it.
pub fn from_ndjson(text: &str) -> Result<Document, ReadError> {
    let mut started: Option<Started> = None;
    let mut finished: Option<Finished> = None;
    let mut cases: Vec<CaseRecord> = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let misplaced = |why: &str| ReadError { at: Some((number, 1)), ..wrong("event", why.into()) };
        match parse_line(line, number)? {
            Line::RunStarted(_) if started.is_some() => {
                return Err(misplaced("expected run-started once; got another"));
            }
            Line::RunStarted(start) => started = Some(start),
            Line::Case(_) | Line::RunFinished(_) if started.is_none() => {
                return Err(misplaced("expected run-started on the first line; got another event"));
            }
            Line::Case(_) | Line::RunFinished(_) if finished.is_some() => {
                return Err(misplaced("expected nothing after run-finished; got another event"));
            }
            Line::Case(case) => cases.push(case),
            Line::RunFinished(finish) => finished = Some(finish),
        }
    }
    let Some(started) = started else {
        return Err(wrong("", "expected a line with the event run-started; got none".into()));
    };
    let document = streamed(started, finished, cases);
    check(&document)?;
    Ok(document)
}

fn parse_line(line: &str, number: usize) -> Result<Line, ReadError> {
    #[derive(Deserialize)]
    struct Head {
        schema_version: Option<u64>,
    }
    let head: Head = parse(line, number, "a line of a report of syncspec")?;
    if let Some(version) = head.schema_version {
        check_version(version).map_err(|error| ReadError { at: Some((number, 1)), ..error })?;
    }
    parse(line, number, "a line of a report of syncspec")
}

fn streamed(started: Started, finished: Option<Finished>, cases: Vec<CaseRecord>) -> Document {
    let cut = || Finished {
        summary: Summary::of_cases(&cases),
        run: RunRecord {
            seed: started.seed.clone(),
            started_unix_s: started.started_unix_s,
            took_ms: cases.iter().fold(0, |sum: u64, case| sum.saturating_add(case.duration_ms)),
            interrupted: true,
            connections: 0,
            messages: 0,
        },
        exit: ExitRecord { code: 130, reason: "the stream of this run has no end".into() },
    };
    let Finished { summary, run, exit } = finished.unwrap_or_else(cut);
    Document {
        schema_version: started.schema_version,
        suite: started.suite,
        run,
        target: started.target,
        targets: Vec::new(),
        summary,
        requirements: roll_up::requirements(roll_up::register(), &cases),
        observations: observations(&cases),
        cases,
        baseline: None,
        exit,
    }
}

fn observations(cases: &[CaseRecord]) -> Vec<super::json::ObservationRecord> {
    let all: BTreeSet<_> =
        cases.iter().flat_map(|case| &case.observations).map(|seen| (&seen.name, &seen.value)).collect();
    let record =
        |(name, value): (&String, &String)| super::json::ObservationRecord { name: name.clone(), value: value.clone() };
    all.into_iter().map(record).collect()
}

impl CaseRecord {
    /// The trace as a transcript.
    ///
    /// # Errors
    /// When an entry is none: its index, and why.
    pub fn transcript(&self) -> Result<Transcript, (usize, String)> {
        let mut lines = String::new();
        for entry in &self.trace {
            lines.push_str(&entry.to_string());
            lines.push('\n');
        }
        transcript::read(&lines).map_err(|error| (error.line.saturating_sub(1), error.what.to_string()))
    }
}

// The form

/// A value from JSON text that begins at `first_line` of its file; what is wrong is told with its place.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, first_line: usize, expected: &str) -> Result<T, ReadError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut json);
    let told = |member: String, error: &serde_json::Error| {
        let at = (error.line() > 0).then(|| (error.line() + first_line - 1, error.column()));
        let why = error.to_string();
        // The place stands in front already.
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
        ReadError { path: None, at, member, why: format!("expected {expected}; {why}") }
    };
    let value = parsed.map_err(|error| {
        let member = error.path().to_string();
        told(if member == "." { String::new() } else { member }, error.inner())
    })?;
    json.end().map_err(|error| told(String::new(), &error))?;
    Ok(value)
}

fn check_version(found: u64) -> Result<(), ReadError> {
    match found {
        0 => Err(wrong("schema_version", "expected 1 or more; got 0".into())),
        1.. if found <= u64::from(SCHEMA_VERSION) => Ok(()),
        1.. => {
            let why = format!("expected {SCHEMA_VERSION} or less; got {found}, which a newer syncspec wrote");
            Err(wrong("schema_version", why))
        }
    }
}

// What the form does not say

fn check(document: &Document) -> Result<(), ReadError> {
    check_run(&document.run)?;
    check_target("target", &document.target)?;
    let mut names = BTreeSet::new();
    for (n, target) in document.targets.iter().enumerate() {
        let member = format!("targets[{n}]");
        check_target(&member, target)?;
        if target.name.is_empty() || !names.insert(target.name.as_str()) {
            return Err(wrong(&format!("{member}.name"), format!("expected a name of its own; got {:?}", target.name)));
        }
    }
    let mut seen = BTreeSet::new();
    for (n, case) in document.cases.iter().enumerate() {
        let member = format!("cases[{n}]");
        check_case(&member, case)?;
        let is_named = if names.is_empty() { case.target.is_empty() } else { names.contains(case.target.as_str()) };
        if !is_named {
            let why = format!("expected a name that targets lists; got {:?}", case.target);
            return Err(wrong(&format!("{member}.target"), why));
        }
        if !seen.insert((&case.target, &case.dialect, &case.id)) {
            return Err(wrong(&format!("{member}.id"), format!("expected each case once; got {:?} again", case.id)));
        }
    }
    for (n, rule) in document.requirements.iter().enumerate() {
        if let Some(verdict) = &rule.verdict {
            check_word(&format!("requirements[{n}].verdict"), verdict, &Verdict::ALL.map(Verdict::word))?;
        }
    }
    let counted = Summary::of_cases(&document.cases);
    for verdict in Verdict::ALL {
        let (is, should) = (document.summary.count(verdict), counted.count(verdict));
        if is != should {
            let why = format!("expected {should}, which is what the cases say; got {is}");
            return Err(wrong(&format!("summary.{verdict}"), why));
        }
    }
    if EXITS.contains(&document.exit.code) {
        return Ok(());
    }
    Err(wrong("exit.code", format!("expected an exit code of syncspec; got {}", document.exit.code)))
}

fn check_run(run: &RunRecord) -> Result<(), ReadError> {
    if seed(&run.seed).is_none() {
        return Err(wrong("run.seed", format!("expected a whole number, decimal or 0x...; got {:?}", run.seed)));
    }
    if run.started_unix_s >= SECONDS_MAX {
        let why = format!("expected seconds since 1970, before the year 10000; got {}", run.started_unix_s);
        return Err(wrong("run.started_unix_s", why));
    }
    Ok(())
}

/// A seed as `--seed` takes it.
pub fn seed(text: &str) -> Option<u64> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok())
}

fn check_target(member: &str, target: &TargetRecord) -> Result<(), ReadError> {
    for (name, urls) in [("endpoints", &target.endpoints), ("realtime", &target.realtime)] {
        for dialect in urls.keys() {
            check_word(&format!("{member}.{name}"), dialect, &Dialect::ALL.map(Dialect::word))?;
        }
    }
    Ok(())
}

fn check_case(member: &str, case: &CaseRecord) -> Result<(), ReadError> {
    let of = |name: &str| format!("{member}.{name}");
    if case.id.trim().is_empty() {
        return Err(wrong(&of("id"), "expected the id of a case; got an empty text".into()));
    }
    check_word(&of("dialect"), &case.dialect, &Dialect::ALL.map(Dialect::word))?;
    for (n, finding) in case.findings.iter().enumerate() {
        let of = |name: &str| format!("{member}.findings[{n}].{name}");
        check_word(&of("severity"), &finding.severity, &["fail", "warn", "info"])?;
        if finding.requirement.trim().is_empty() {
            return Err(wrong(&of("requirement"), "expected the id of a requirement; got an empty text".into()));
        }
    }
    if let Some(n) = case.trace.iter().position(|entry| !matches!(entry, Value::Object(_))) {
        return Err(wrong(&format!("{member}.trace[{n}]"), "expected an object; got another value".into()));
    }
    if let Err((n, why)) = case.transcript() {
        return Err(wrong(&format!("{member}.trace[{n}]"), format!("expected an entry of a recording; it {why}")));
    }
    match case.mark {
        Some(mark) if mark >= case.trace.len() => {
            let why = format!("expected an index in the trace of {} entries; got {mark}", case.trace.len());
            Err(wrong(&of("mark"), why))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_word(member: &str, word: &str, known: &[&str]) -> Result<(), ReadError> {
    if known.contains(&word) {
        return Ok(());
    }
    Err(wrong(member, format!("expected one of {}; got {word:?}", known.join(", "))))
}

pub(crate) fn wrong(member: &str, why: String) -> ReadError {
    ReadError { path: None, at: None, member: member.into(), why }
}
