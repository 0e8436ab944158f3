//! Recordings that lie in files: read, converted, judged, held against what is expected of them.
//!
//! A recording is a [`Transcript`] as JSON Lines, in a file with one line in front: `{"recording":1}`, the version of the
//! form. It may be absent. The model judges what was recorded, connection by connection, and no target is contacted.
//! HAR files of a browser or of `syncspec report convert` are read too. Other forms are converted first ([`convert`]).
//!
//! ```text
//!   JSON Lines ---+
//!   HAR ----------+--> Recording --judge--> checks --+--> text, JSON, exit code
//!   other forms --+                                  |
//!    (convert)                     expected findings-+
//! ```
//!
//! The invariant: whatever stands in a file, it is judged or refused with its place, and no secret of it is told.

pub mod convert;
pub mod expected;
pub mod har;
pub mod judge;
pub mod secrets;
pub mod table;

use std::path::{Path, PathBuf};

use appsync_protocol::json::parse_json;
use appsync_protocol::transcript::{Transcript, read};
use serde_json::Value;

use crate::report::read::{ReadError, file_text, wrong};

/// Version of the form of a recording.
pub const RECORDING_VERSION: u64 = 1;

/// What one file holds.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The file.
    pub path: PathBuf,
    /// What was said, without secrets.
    pub transcript: Transcript,
    /// The line of each entry, counted from 1; empty where the form has no lines.
    pub lines: Vec<usize>,
}

impl Recording {
    /// Where an entry stands: its line, or its number where the form has no lines.
    pub fn place(&self, entry: usize) -> String {
        match self.lines.get(entry) {
            Some(line) => format!("line {line}"),
            None => format!("entry {}", entry + 1),
        }
    }
}

/// Reads a recording or a HAR file; `-` is standard input. Secrets are taken out.
///
/// # Errors
/// When the file cannot be read or is too long, and with the place when it is cut off, of a newer form, or no recording.
pub fn from_file(path: &Path) -> Result<Recording, ReadError> {
    let told = |error: ReadError| ReadError { path: Some(path.into()), ..error };
    let text = file_text(path, "a recording")?;
    let (transcript, lines) = from_text(&text).map_err(told)?;
    let transcript = secrets::Secrets::of(&transcript).redactor().transcript(&transcript);
    Ok(Recording { path: path.into(), transcript, lines })
}

/// A transcript as the text of a recording.
pub fn to_text(transcript: &Transcript) -> String {
    format!("{{\"recording\":{RECORDING_VERSION}}}\n{}", transcript.to_json_lines())
}

/// Reads a recording or a HAR file, and says in which line each entry stands.
///
/// # Errors
/// As [`from_file`].
pub fn from_text(text: &str) -> Result<(Transcript, Vec<usize>), ReadError> {
    let first = filled(text).next();
    let Some((number, line)) = first else {
        return Err(wrong("", "expected a recording; got an empty file".into()));
    };
    let object = parse_json(line);
    let has = |name: &str| object.as_ref().is_some_and(|object| object.get(name).is_some());
    if has("recording") {
        check_version(object.as_ref().and_then(|object| object.get("recording")), number)?;
        return json_lines(text, number);
    }
    if has("at") || has("dropped") {
        return json_lines(text, 0);
    }
    if has("t_ms") && has("dir") {
        let why = "expected a recording of syncspec; got one of another form, see syncspec convert-recording";
        return Err(at_line(number, why.into()));
    }
    if has("schema_version") || has("event") {
        return Err(at_line(number, "expected a recording; got a report, which is judged already".into()));
    }
    if har::is_har(text) {
        return har::from_har(text).map(|transcript| (transcript, Vec::new()));
    }
    // What the reader says of the first line is what is wrong with it.
    json_lines(text, 0)
}

/// Reads the lines after the one that tells the version, 0 where none does.
fn json_lines(text: &str, version_line: usize) -> Result<(Transcript, Vec<usize>), ReadError> {
    let rest: String =
        text.lines().enumerate().flat_map(|(n, line)| [if n + 1 == version_line { "" } else { line }, "\n"]).collect();
    let transcript = read(&rest).map_err(|error| at_line(error.line, format!("the line {}", error.what)))?;
    let lines = filled(&rest).map(|(number, _)| number).take(transcript.entries().len()).collect();
    Ok((transcript, lines))
}

fn check_version(version: Option<&Value>, line: usize) -> Result<(), ReadError> {
    let told = |why: String| ReadError { member: "recording".into(), ..at_line(line, why) };
    match version.and_then(Value::as_u64) {
        Some(1..=RECORDING_VERSION) => Ok(()),
        Some(0) | None => Err(told(format!("expected a version from 1 to {RECORDING_VERSION}; got another value"))),
        Some(newer) => {
            Err(told(format!("expected {RECORDING_VERSION} or less; got {newer}, which a newer syncspec wrote")))
        }
    }
}

/// The lines that are not blank, with their numbers.
fn filled(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty())
}

fn at_line(line: usize, why: String) -> ReadError {
    ReadError { at: Some((line, 1)), ..wrong("", why) }
}
