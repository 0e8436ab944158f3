//! One dialogue of a report as a program of its own, which needs no syncspec.
//!
//! The program says what the client said, in its order, and shows what comes beside what came then. It judges
//! nothing. Secrets are not in a report, so the program takes them from the environment: `${key:1}` becomes
//! `SYNCSPEC_API_KEY`, any other `${label:1}` becomes `SYNCSPEC_LABEL`, and the credentials of an upgrade are
//! built anew from the key. Whatever a peer said stands in literals of the language or in comments of one line.

mod python;
mod websocat;

use std::fmt;

use appsync_protocol::transcript::{Entry, What};
use appsync_protocol::wire::{OwnedFrame, Request, Side};

use super::cause::usual_cause;
use super::json::{CaseRecord, Document, TargetRecord};
use super::text::printable;

/// A language of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python 3 with the package `websockets`.
    Python,
    /// POSIX shell with `websocat` and `curl`.
    Websocat,
}

/// Why there is no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmitError {
    /// The report holds nothing that was said in the case.
    NoTrace,
    /// The trace cannot be read: index of the entry, and why.
    Trace(usize, String),
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTrace => f.write_str(
                "expected a case with a trace; this one was not played, or an older syncspec wrote the report",
            ),
            Self::Trace(n, why) => write!(f, "trace[{n}]: expected an entry of a recording; it {}", printable(why)),
        }
    }
}

impl std::error::Error for EmitError {}

/// The program that says the dialogue of this case again.
///
/// # Errors
/// When the report holds no trace of it.
pub fn emit(document: &Document, case: &CaseRecord, language: Language) -> Result<String, EmitError> {
    let target = document.targets.iter().find(|target| target.name == case.target).unwrap_or(&document.target);
    emit_case(target, case, language)
}

/// The program that says the dialogue of this case of this target again.
///
/// # Errors
/// When there is no trace of it.
pub fn emit_case(target: &TargetRecord, case: &CaseRecord, language: Language) -> Result<String, EmitError> {
    let trace = case.transcript().map_err(|(n, why)| EmitError::Trace(n, why))?;
    if trace.entries().is_empty() {
        return Err(EmitError::NoTrace);
    }
    let script = Script { case, target, entries: trace.entries() };
    Ok(match language {
        Language::Python => python::program(&script),
        Language::Websocat => websocat::program(&script),
    })
}

/// What both languages write from.
struct Script<'s> {
    case: &'s CaseRecord,
    target: &'s TargetRecord,
    entries: &'s [Entry],
}

impl Script<'_> {
    fn realtime(&self) -> String {
        base(self.target.realtime.get(&self.case.dialect).map_or("ws://127.0.0.1:8700", String::as_str))
    }

    fn endpoint(&self) -> String {
        base(self.target.endpoints.get(&self.case.dialect).map_or("http://127.0.0.1:8700", String::as_str))
    }

    /// The authority that stands in the authorization objects of the dialogue.
    fn host(&self) -> String {
        let endpoint = self.endpoint();
        endpoint.split_once("://").map_or(endpoint.as_str(), |(_, host)| host).to_owned()
    }

    /// What a reader of the program has to know, a line each.
    fn about(&self) -> Vec<String> {
        let mut lines = vec![format!("{}: {}", self.case.id, self.case.title), String::new()];
        match self.case.findings.first() {
            None => lines.push(format!("verdict   {} {}", self.case.verdict, self.case.reason)),
            Some(first) => {
                lines.push(format!("verdict   {}, for {}", self.case.verdict, first.requirement));
                lines.push(format!("expected  {}", first.expected.join(", or ")));
                lines.push(format!("saw       {}", first.got));
                if let Some(cause) = usual_cause(&first.requirement) {
                    lines.push(format!("often     {cause}"));
                }
            }
        }
        lines.push(String::new());
        lines.push(
            "Credentials were taken out of the report. Those of upgrades are built anew from the key, so a".into(),
        );
        lines.push("case that is about wrong or unusual credentials has to be changed by hand.".into());
        lines.iter().map(|line| printable(line)).collect()
    }
}

/// Scheme and authority of a URL.
fn base(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(start..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| start + at);
    url.get(..end).unwrap_or(url).to_owned()
}

/// What the client does in an entry, and what came.
enum Step<'e> {
    Open { path: &'e str, offered: &'e [String], answer: String },
    Say(&'e OwnedFrame),
    Hear(&'e OwnedFrame),
    Ask { request: &'e Request, status: u16 },
    Remark(&'e str),
}

fn step(entry: &Entry) -> Step<'_> {
    match &entry.what {
        What::Open { target, subprotocols, status, selected } => Step::Open {
            path: target,
            offered: subprotocols,
            answer: format!("{status} {}", selected.as_deref().unwrap_or("without subprotocol")),
        },
        What::Frame { from: Side::Client, frame } => Step::Say(frame),
        What::Frame { from: Side::Server, frame } => Step::Hear(frame),
        What::Http { request, response } => Step::Ask { request, status: response.status },
        What::Note(note) => Step::Remark(note),
    }
}

/// A remark that stays on its line.
fn remark(text: &str) -> String {
    format!("# {}\n", printable(text))
}
