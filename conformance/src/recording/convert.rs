//! Recordings of two other forms, made into transcripts.
//!
//! Both are JSON Lines with `t_ms` (milliseconds) and `dir`, and one reader takes both:
//!
//! | `dir` | Members |
//! |---|---|
//! | `open` | `url`, `protocols`, `status`, `subprotocol`; or `path`, `query`, `subprotocols`, `accepted_subprotocol` |
//! | `c2s`, `s2c` | `text`, `fragments`; `binary_b64`; `control` (`ping`, `pong`), or `opcode` with hex in `text` |
//! | `close` | `code`, `reason`, `by`, `sent`; or `server_exit`, `server_error` |
//! | `http-req`, `http-res` | `method`, `url` or `path` and `query`, `headers` (a map or pairs), `status`, `text` |
//!
//! `conn` tells connections apart; without it each `open` begins the next one. What a transcript cannot hold becomes a
//! note: the body of a refusal, text that is no UTF-8, the end of a process. A frame that its recorder has shortened is
//! refused, because nobody could judge what follows. Secrets are taken out here.

use std::collections::BTreeMap;

use appsync_protocol::handshake::base64;
use appsync_protocol::moment::Moment;
use appsync_protocol::transcript::{Entry, Transcript, What};
use appsync_protocol::wire::{Bytes, Headers, OwnedFrame, Request, Response, Side};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::secrets::Secrets;
use crate::report::read::{ReadError, parse, wrong};

/// Close codes that no frame carries (RFC 6455 section 7.1.5): a close frame without a code, and no close frame.
const NO_CODE: u16 = 1005;
const NO_FRAME: u16 = 1006;

/// Reads a recording of either form, without its secrets.
///
/// # Errors
/// At the first line that is no line of either form, runs backwards in time, belongs to no connection, or was shortened.
pub fn convert(text: &str) -> Result<Transcript, ReadError> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let line: Line = parse(line, number, "a line of a recording of another form")?;
        lines.push((number, line));
    }
    if lines.is_empty() {
        return Err(wrong("", "expected a recording; got an empty file".into()));
    }
    let mut converter = Converter { refused: refusals(&lines), ..Converter::default() };
    for (number, line) in lines {
        let told = |error: ReadError| ReadError { at: Some((number, 1)), ..error };
        converter.take(line).map_err(told)?;
    }
    Ok(converter.finish())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Direction {
    Open,
    C2s,
    S2c,
    Close,
    HttpReq,
    HttpRes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    t_ms: u64,
    dir: Direction,
    conn: Option<Value>,
    text: Option<String>,
    binary_b64: Option<String>,
    text_len: Option<u64>,
    #[serde(rename = "text_sha256")]
    _text_sha256: Option<String>,
    text_head: Option<String>,
    text_tail: Option<String>,
    fragments: Option<u32>,
    opcode: Option<String>,
    control: Option<String>,
    url: Option<String>,
    path: Option<String>,
    query: Option<String>,
    #[serde(alias = "subprotocols")]
    protocols: Option<Vec<String>>,
    #[serde(alias = "accepted_subprotocol")]
    subprotocol: Option<String>,
    headers: Option<Value>,
    #[serde(rename = "response_headers")]
    _response_headers: Option<Value>,
    // Decoded from what stands beside it.
    #[serde(rename = "credentials_via")]
    _credentials_via: Option<IgnoredAny>,
    #[serde(rename = "credentials_decoded")]
    _credentials_decoded: Option<IgnoredAny>,
    method: Option<String>,
    status: Option<u16>,
    #[serde(rename = "http")]
    _http: Option<u64>,
    code: Option<u16>,
    reason: Option<String>,
    by: Option<String>,
    sent: Option<bool>,
    server_exit: Option<i64>,
    server_error: Option<String>,
    error: Option<String>,
}

/// Upgrades that were answered by HTTP: the status by connection.
fn refusals(lines: &[(usize, Line)]) -> BTreeMap<String, u16> {
    let answers = lines.iter().filter(|(_, line)| line.dir == Direction::HttpRes);
    answers.filter_map(|(_, line)| Some((line.conn.as_ref()?.to_string(), line.status?))).collect()
}

#[derive(Default)]
struct Converter {
    refused: BTreeMap<String, u16>,
    connections: BTreeMap<String, Connection>,
    opened: u32,
    asked: Option<Request>,
    out: Transcript,
    secrets: Secrets,
    now: u64,
}

struct Connection {
    number: u32,
    /// The client has sent its close frame.
    closing: bool,
}

impl Converter {
    fn take(&mut self, line: Line) -> Result<(), ReadError> {
        if line.t_ms < self.now {
            return Err(wrong(
                "t_ms",
                format!("expected {} or more; got {}, which runs backwards", self.now, line.t_ms),
            ));
        }
        self.now = line.t_ms;
        match line.dir {
            Direction::Open => self.open(&line),
            Direction::C2s => self.frame(Side::Client, &line),
            Direction::S2c => self.frame(Side::Server, &line),
            Direction::Close => self.close(&line),
            Direction::HttpReq => self.ask(&line),
            Direction::HttpRes => self.answer(&line),
        }
    }

    fn open(&mut self, line: &Line) -> Result<(), ReadError> {
        self.opened += 1;
        let number = self.opened;
        let key = key(line);
        let mut request = request(line, "GET")?;
        if let Some(offered) = line.protocols.as_ref().filter(|offered| !offered.is_empty()) {
            request.headers = Headers::new().with("sec-websocket-protocol", offered.join(", "));
        }
        self.secrets.look_at_upgrade(&request.target, line.protocols.as_deref().unwrap_or_default());
        self.secrets.look_at_headers(&headers(line.headers.as_ref())?);
        let refused = self.refused.get(&key).copied();
        match (line.status.or(refused), &line.error) {
            (Some(status), _) => {
                let is_refused = status != 101;
                self.upgraded(number, &request, status, line.subprotocol.as_deref().filter(|_| !is_refused));
                if let Some(body) = line.text.as_ref().filter(|_| is_refused) {
                    self.note(number, format!("the refusal says {body}"));
                }
            }
            (None, Some(error)) => self.note(number, format!("no answer to the upgrade: {error}")),
            // Of one form only refusals tell a status.
            (None, None) => self.upgraded(number, &request, 101, line.subprotocol.as_deref()),
        }
        self.connections.insert(key, Connection { number, closing: false });
        Ok(())
    }

    fn upgraded(&mut self, number: u32, request: &Request, status: u16, selected: Option<&str>) {
        let mut response = Response::new(status, "");
        if let Some(selected) = selected {
            response.headers.push("sec-websocket-protocol", selected);
        }
        self.push(number, What::open(request, &response));
    }

    fn frame(&mut self, from: Side, line: &Line) -> Result<(), ReadError> {
        let number = self.connection(line)?.number;
        if let Some(length) = line.text_len {
            let why = format!("expected the whole frame; got parts of its {length} bytes, and no judge could go on");
            return Err(wrong("text_len", why));
        }
        match (&line.text, &line.binary_b64) {
            (Some(text), None) => {
                let frame = texts_or_control(text, line)?;
                self.push(number, What::Frame { from, frame });
            }
            (None, Some(encoded)) => {
                let bytes = base64::decode(encoded)
                    .map_err(|_| wrong("binary_b64", "expected base64; got another text".into()))?;
                if line.opcode.as_deref() == Some("text") {
                    self.note(
                        number,
                        format!("the {from} sent a text frame of {} bytes that is no UTF-8", bytes.len()),
                    );
                } else {
                    self.push(number, What::Frame { from, frame: OwnedFrame::Binary(bytes) });
                }
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(wrong("text", "expected either text or binary_b64; got both or neither".into()));
            }
        }
        Ok(())
    }

    fn close(&mut self, line: &Line) -> Result<(), ReadError> {
        let connection = self.connection(line)?;
        let (number, closing) = (connection.number, connection.closing);
        if let Some(status) = line.server_exit {
            let why = line.server_error.as_deref().unwrap_or_default();
            self.note(number, format!("the process of the server ended with status {status}: {why}"));
            return Ok(());
        }
        if let Some(error) = &line.error {
            self.note(number, format!("the client failed: {error}"));
        }
        let code = line.code.ok_or_else(|| wrong("code", "expected a close code; got none".into()))?;
        let by = line.by.as_deref().unwrap_or_default();
        // Once the client has sent its close frame, the next one is the answer; a reply ends what the server began.
        let from = match by {
            "client" if closing => Side::Server,
            "client" | "peer-reply" => Side::Client,
            "server" | "abnormal" => Side::Server,
            other => {
                let why = format!("expected client, server, peer-reply or abnormal; got {other:?}");
                return Err(wrong("by", why));
            }
        };
        if line.sent == Some(true)
            && let Some(connection) = self.connections.get_mut(&key(line))
        {
            connection.closing = true;
        }
        let frame = if code == NO_FRAME {
            OwnedFrame::Lost
        } else {
            let reason = line.reason.clone().unwrap_or_default();
            OwnedFrame::Close { code: Some(code).filter(|code| *code != NO_CODE), reason }
        };
        self.push(number, What::Frame { from, frame });
        Ok(())
    }

    fn ask(&mut self, line: &Line) -> Result<(), ReadError> {
        if self.asked.is_some() {
            return Err(wrong("dir", "expected the answer to the request before; got another request".into()));
        }
        let method = line.method.as_deref().unwrap_or("POST");
        let request = Request { headers: headers(line.headers.as_ref())?, ..request(line, method)? };
        self.asked = Some(Request { body: body(line), ..request });
        Ok(())
    }

    fn answer(&mut self, line: &Line) -> Result<(), ReadError> {
        if line.conn.is_some() {
            // The upgrade has told its status already.
            let number = self.connection(line)?.number;
            self.note(number, format!("the refusal says {}", line.text.as_deref().unwrap_or_default()));
            return Ok(());
        }
        let Some(request) = self.asked.take() else {
            return Err(wrong("dir", "expected a request before its answer; got an answer alone".into()));
        };
        match (line.status, &line.error) {
            (Some(status), _) => {
                let response = Response { status, headers: headers(line.headers.as_ref())?, body: body(line) };
                self.push(0, What::Http { request, response });
            }
            (None, error) => {
                let why = error.as_deref().unwrap_or("unknown");
                self.note(0, format!("no answer to {} {}: {why}", request.method, request.path()));
            }
        }
        Ok(())
    }

    fn connection(&self, line: &Line) -> Result<&Connection, ReadError> {
        let unknown = || wrong("conn", format!("expected a connection that was opened; got {}", key(line)));
        self.connections.get(&key(line)).ok_or_else(unknown)
    }

    fn note(&mut self, number: u32, note: String) {
        self.push(number, What::Note(note));
    }

    fn push(&mut self, connection: u32, what: What) {
        self.out.push(Entry { at: Moment::from_millis(self.now), connection, what });
    }

    fn finish(self) -> Transcript {
        let Self { out, mut secrets, .. } = self;
        secrets.look_at_transcript(&out);
        secrets.redactor().transcript(&out)
    }
}

/// The name of a connection; where there are no names, it is the one that was opened last.
fn key(line: &Line) -> String {
    line.conn.as_ref().map(Value::to_string).unwrap_or_default()
}

fn request(line: &Line, method: &str) -> Result<Request, ReadError> {
    let target = match (&line.url, &line.path) {
        (Some(url), _) => {
            let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned()
        }
        (None, Some(path)) => match line.query.as_deref().filter(|query| !query.is_empty()) {
            Some(query) => format!("{path}?{query}"),
            None => path.clone(),
        },
        (None, None) => return Err(wrong("url", "expected url or path; got neither".into())),
    };
    Ok(Request { method: method.into(), target, headers: Headers::new(), body: Bytes::default() })
}

/// Header fields as a map or as pairs.
fn headers(value: Option<&Value>) -> Result<Headers, ReadError> {
    let expected = || wrong("headers", "expected names and values as texts; got other values".into());
    let mut headers = Headers::new();
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Object(members)) => {
            for (name, value) in members {
                headers.push(name.as_str(), value.as_str().ok_or_else(expected)?);
            }
        }
        Some(Value::Array(pairs)) => {
            for pair in pairs {
                let Some([Value::String(name), Value::String(value)]) = pair.as_array().map(Vec::as_slice) else {
                    return Err(expected());
                };
                headers.push(name.as_str(), value.as_str());
            }
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => return Err(expected()),
    }
    Ok(headers)
}

fn texts_or_control(text: &str, line: &Line) -> Result<OwnedFrame, ReadError> {
    match (line.control.as_deref(), line.opcode.as_deref()) {
        (None, None | Some("text")) => {
            Ok(OwnedFrame::Text { text: text.into(), fragments: line.fragments.unwrap_or(1) })
        }
        (Some("ping"), None) => Ok(OwnedFrame::Ping(text.into())),
        (Some("pong"), None) => Ok(OwnedFrame::Pong(text.into())),
        (None, Some("ping")) => Ok(OwnedFrame::Ping(hex(text)?)),
        (None, Some("pong")) => Ok(OwnedFrame::Pong(hex(text)?)),
        (None, Some("binary")) => Ok(OwnedFrame::Binary(hex(text)?)),
        (Some(other), _) | (None, Some(other)) => {
            Err(wrong("opcode", format!("expected text, binary, ping or pong; got {other:?}")))
        }
    }
}

fn hex(text: &str) -> Result<Vec<u8>, ReadError> {
    let digit = |symbol: char| symbol.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Option<Vec<u8>> = text.chars().map(digit).collect();
    let bytes = digits.filter(|digits| digits.len() % 2 == 0).map(|digits| {
        let pairs = digits.chunks_exact(2);
        pairs.map(|pair| pair.iter().fold(0, |byte: u8, digit| byte << 4 | digit)).collect()
    });
    bytes.ok_or_else(|| wrong("text", "expected pairs of hexadecimal digits; got another text".into()))
}

/// A body; one that was shortened says so in its place, since no body is judged.
fn body(line: &Line) -> Bytes {
    match (line.text_len, &line.text) {
        (Some(length), _) => {
            let (head, tail) = (line.text_head.as_deref(), line.text_tail.as_deref());
            format!("{}(shortened, {length} bytes){}", head.unwrap_or_default(), tail.unwrap_or_default()).into()
        }
        (None, text) => text.as_deref().unwrap_or_default().into(),
    }
}
