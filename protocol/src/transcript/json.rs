//! Transcripts as JSON Lines: one object a line, members in a fixed order, so that recordings compare as text.
//!
//! | Entry | Members after `at` (microseconds) and `connection` |
//! |---|---|
//! | open | `open`: `target`, `subprotocols`, `status`, `selected` (if any) |
//! | text | `from`, `text`, `fragments` (if not 1) |
//! | other frames | `from`, one of `binary`, `ping`, `pong` (base64), `close` (`code` if any, `reason`), `lost` (`true`) |
//! | http | `http`: `request` (`method`, `target`, `headers`, body), `response` (`status`, `headers`, body) |
//! | note | `note` |
//! | last line | `dropped` alone: entries that found no place, if any |
//!
//! A body is `body` as text, or `body_base64` if it is no UTF-8. The reader is strict in what it needs and ignores
//! members it does not know and blank lines.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Entry, Transcript, What};
use crate::encode::ObjectWriter;
use crate::envelope::{Raw, elements, is_array, is_object, members, string, whole_number};
use crate::handshake::base64;
use crate::json::push_json_string;
use crate::moment::Moment;
use crate::wire::{Bytes, Headers, OwnedFrame, Request, Response, Side};

/// Why a text is not a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TranscriptError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: TranscriptFault,
}

/// What is wrong with a line of a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranscriptFault {
    /// Not one JSON object.
    NotAnObject,
    /// A member that the entry needs is missing.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member is not what it should be.
    Malformed {
        /// Its name.
        member: &'static str,
    },
    /// None of the members that say what happened.
    NoKind,
    /// It claims an earlier moment than the line before.
    TimeRunsBackwards,
}

impl fmt::Display for TranscriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the recording {}", self.line, self.what)
    }
}

impl fmt::Display for TranscriptFault {
    /// What is wrong, as it continues after the line it is wrong with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("is no JSON object"),
            Self::Missing { member } => write!(f, "lacks {member:?}"),
            Self::Malformed { member } => write!(f, "has a {member:?} that cannot be read"),
            Self::NoKind => f.write_str("does not say what happened"),
            Self::TimeRunsBackwards => f.write_str("runs backwards in time"),
        }
    }
}

impl core::error::Error for TranscriptError {}

impl Transcript {
    /// The transcript as JSON Lines. Nothing is shortened and nothing is scrubbed here.
    pub fn to_json_lines(&self) -> String {
        let mut out = String::new();
        for entry in self.entries() {
            write_entry(entry, &mut out);
            out.push('\n');
        }
        if self.dropped > 0 {
            ObjectWriter::open(&mut out).number("dropped", self.dropped).close();
            out.push('\n');
        }
        out
    }
}

/// Reads JSON Lines.
///
/// Fails at the first line that is no entry or that runs backwards in time; the model clamps time, a recording must not.
pub fn read(text: &str) -> Result<Transcript, TranscriptError> {
    let mut transcript = Transcript::new();
    let mut dropped = 0u64;
    for (n, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let error = |what| TranscriptError { line: n + 1, what };
        match read_line(line).map_err(error)? {
            Line::Entry(entry) => {
                if transcript.entries().last().is_some_and(|last| last.at > entry.at) {
                    return Err(error(TranscriptFault::TimeRunsBackwards));
                }
                transcript.push(*entry);
            }
            Line::Dropped(count) => dropped = dropped.saturating_add(count),
        }
    }
    transcript.dropped = transcript.dropped.saturating_add(dropped);
    Ok(transcript)
}

fn write_entry(entry: &Entry, out: &mut String) {
    let writer =
        ObjectWriter::open(out).number("at", entry.at.as_micros()).number("connection", u64::from(entry.connection));
    match &entry.what {
        What::Open { target, subprotocols, status, selected } => {
            let mut open = String::new();
            let offered = array(subprotocols.iter(), |out, name| push_json_string(out, name));
            let head = ObjectWriter::open(&mut open)
                .string("target", target)
                .text("subprotocols", &offered)
                .number("status", u64::from(*status));
            match selected {
                Some(selected) => head.string("selected", selected).close(),
                None => head.close(),
            }
            writer.text("open", &open)
        }
        What::Frame { from, frame } => write_frame(writer.string("from", from.word()), frame),
        What::Http { request, response } => {
            let mut asked = String::new();
            let head =
                ObjectWriter::open(&mut asked).string("method", &request.method).string("target", &request.target);
            write_body(head.text("headers", &headers_array(&request.headers)), &request.body).close();
            let mut answered = String::new();
            let head = ObjectWriter::open(&mut answered).number("status", u64::from(response.status));
            write_body(head.text("headers", &headers_array(&response.headers)), &response.body).close();
            let mut http = String::new();
            ObjectWriter::open(&mut http).text("request", &asked).text("response", &answered).close();
            writer.text("http", &http)
        }
        What::Note(note) => writer.string("note", note),
    }
    .close();
}

fn write_frame<'o>(writer: ObjectWriter<'o>, frame: &OwnedFrame) -> ObjectWriter<'o> {
    match frame {
        OwnedFrame::Text { text, fragments: 1 } => writer.string("text", text),
        OwnedFrame::Text { text, fragments } => writer.string("text", text).number("fragments", u64::from(*fragments)),
        OwnedFrame::Binary(bytes) => writer.string("binary", &base64::encode_standard(bytes)),
        OwnedFrame::Ping(bytes) => writer.string("ping", &base64::encode_standard(bytes)),
        OwnedFrame::Pong(bytes) => writer.string("pong", &base64::encode_standard(bytes)),
        OwnedFrame::Close { code, reason } => {
            let mut close = String::new();
            let object = ObjectWriter::open(&mut close);
            match code {
                Some(code) => object.number("code", u64::from(*code)),
                None => object,
            }
            .string("reason", reason)
            .close();
            writer.text("close", &close)
        }
        OwnedFrame::Lost => writer.text("lost", "true"),
    }
}

fn write_body<'o>(writer: ObjectWriter<'o>, body: &Bytes) -> ObjectWriter<'o> {
    match core::str::from_utf8(&body.0) {
        Ok(text) => writer.string("body", text),
        Err(_) => writer.string("body_base64", &base64::encode_standard(&body.0)),
    }
}

fn headers_array(headers: &Headers) -> String {
    array(headers.iter(), |out, (name, value)| {
        let pair = array([name, value].into_iter(), push_json_string);
        out.push_str(&pair);
    })
}

fn array<T>(items: impl Iterator<Item = T>, push: impl Fn(&mut String, T)) -> String {
    let mut out = String::from("[");
    for (n, item) in items.enumerate() {
        if n > 0 {
            out.push(',');
        }
        push(&mut out, item);
    }
    out.push(']');
    out
}

enum Line {
    Entry(Box<Entry>),
    Dropped(u64),
}

fn read_line(line: &str) -> Result<Line, TranscriptFault> {
    let raw = Raw::read(line).map_err(|_| TranscriptFault::NotAnObject)?;
    let object = Object::of(raw).ok_or(TranscriptFault::NotAnObject)?;
    if object.find("dropped").is_some() {
        return Ok(Line::Dropped(object.number("dropped")?));
    }
    Ok(Line::Entry(Box::new(Entry {
        at: Moment::from_micros(object.number("at")?),
        connection: object.small("connection")?,
        what: read_what(&object)?,
    })))
}

fn read_what(object: &Object<'_>) -> Result<What, TranscriptFault> {
    if object.find("from").is_some() {
        return Ok(What::Frame { from: read_side(&object.text("from")?)?, frame: read_frame(object)? });
    }
    if object.find("open").is_some() {
        let open = object.object("open")?;
        let offered = open.array("subprotocols")?.into_iter().map(|name| string(name).map(Cow::into_owned));
        return Ok(What::Open {
            target: open.text("target")?.into_owned(),
            subprotocols: offered
                .collect::<Option<Vec<String>>>()
                .ok_or(TranscriptFault::Malformed { member: "subprotocols" })?,
            status: open.small("status")?,
            selected: open.optional_text("selected")?.map(Cow::into_owned),
        });
    }
    if object.find("http").is_some() {
        let http = object.object("http")?;
        let (asked, answered) = (http.object("request")?, http.object("response")?);
        let request = Request {
            method: asked.text("method")?.into_owned(),
            target: asked.text("target")?.into_owned(),
            headers: read_headers(&asked)?,
            body: read_body(&asked)?,
        };
        let response = Response {
            status: answered.small("status")?,
            headers: read_headers(&answered)?,
            body: read_body(&answered)?,
        };
        return Ok(What::Http { request, response });
    }
    if object.find("note").is_some() {
        return Ok(What::Note(object.text("note")?.into_owned()));
    }
    Err(TranscriptFault::NoKind)
}

fn read_side(word: &str) -> Result<Side, TranscriptFault> {
    match word {
        "client" => Ok(Side::Client),
        "server" => Ok(Side::Server),
        _ => Err(TranscriptFault::Malformed { member: "from" }),
    }
}

fn read_frame(object: &Object<'_>) -> Result<OwnedFrame, TranscriptFault> {
    if let Some(text) = object.optional_text("text")? {
        let fragments = if object.find("fragments").is_some() { object.small("fragments")? } else { 1 };
        return Ok(OwnedFrame::Text { text: text.into_owned(), fragments });
    }
    if object.find("binary").is_some() {
        return Ok(OwnedFrame::Binary(object.bytes("binary")?));
    }
    if object.find("ping").is_some() {
        return Ok(OwnedFrame::Ping(object.bytes("ping")?));
    }
    if object.find("pong").is_some() {
        return Ok(OwnedFrame::Pong(object.bytes("pong")?));
    }
    if object.find("close").is_some() {
        let close = object.object("close")?;
        let code = if close.find("code").is_some() { Some(close.small("code")?) } else { None };
        return Ok(OwnedFrame::Close { code, reason: close.text("reason")?.into_owned() });
    }
    match object.find("lost").map(Raw::get) {
        Some("true") => Ok(OwnedFrame::Lost),
        Some(_) => Err(TranscriptFault::Malformed { member: "lost" }),
        None => Err(TranscriptFault::NoKind),
    }
}

fn read_headers(object: &Object<'_>) -> Result<Headers, TranscriptFault> {
    let malformed = TranscriptFault::Malformed { member: "headers" };
    let mut headers = Headers::new();
    for pair in object.array("headers")? {
        match elements(pair)[..] {
            [name, value] => headers.push(string(name).ok_or(malformed)?, string(value).ok_or(malformed)?),
            _ => return Err(malformed),
        }
    }
    Ok(headers)
}

fn read_body(object: &Object<'_>) -> Result<Bytes, TranscriptFault> {
    match object.optional_text("body")? {
        Some(text) => Ok(Bytes::from(&*text)),
        None if object.find("body_base64").is_some() => Ok(Bytes(object.bytes("body_base64")?)),
        None => Err(TranscriptFault::Missing { member: "body" }),
    }
}

/// The members of one object, by name.
struct Object<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'a> Object<'a> {
    fn of(raw: Raw<'a>) -> Option<Self> {
        is_object(raw).then(|| Self(members(raw)))
    }

    fn find(&self, name: &str) -> Option<Raw<'a>> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| *value)
    }

    fn needed(&self, member: &'static str) -> Result<Raw<'a>, TranscriptFault> {
        self.find(member).ok_or(TranscriptFault::Missing { member })
    }

    fn text(&self, member: &'static str) -> Result<Cow<'a, str>, TranscriptFault> {
        string(self.needed(member)?).ok_or(TranscriptFault::Malformed { member })
    }

    fn optional_text(&self, member: &'static str) -> Result<Option<Cow<'a, str>>, TranscriptFault> {
        if self.find(member).is_none() { Ok(None) } else { self.text(member).map(Some) }
    }

    fn number(&self, member: &'static str) -> Result<u64, TranscriptFault> {
        whole_number(self.needed(member)?).ok_or(TranscriptFault::Malformed { member })
    }

    fn small<N: TryFrom<u64>>(&self, member: &'static str) -> Result<N, TranscriptFault> {
        N::try_from(self.number(member)?).map_err(|_| TranscriptFault::Malformed { member })
    }

    fn bytes(&self, member: &'static str) -> Result<Vec<u8>, TranscriptFault> {
        base64::decode(&self.text(member)?).map_err(|_| TranscriptFault::Malformed { member })
    }

    fn array(&self, member: &'static str) -> Result<Vec<Raw<'a>>, TranscriptFault> {
        let raw = self.needed(member)?;
        if is_array(raw) { Ok(elements(raw)) } else { Err(TranscriptFault::Malformed { member }) }
    }

    fn object(&self, member: &'static str) -> Result<Self, TranscriptFault> {
        Self::of(self.needed(member)?).ok_or(TranscriptFault::Malformed { member })
    }
}

#[cfg(test)]
mod tests;
