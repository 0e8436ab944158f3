//! HAR files (HTTP Archive 1.x) with WebSocket messages, as browsers and `syncspec report convert --to har` write them.
//!
//! Each entry with `_webSocketMessages` is a connection: the upgrade, then its messages by opcode (1 text, 2 binary,
//! 8 close as `CODE REASON`, 9 ping, 10 pong; payloads that are no text are base64). Browsers leave out control frames,
//! and a HAR file never tells how a connection ended. Other entries are not read. Times become relative to the first.

use appsync_protocol::handshake::base64;
use appsync_protocol::json::parse_json;
use appsync_protocol::moment::Moment;
use appsync_protocol::transcript::{Entry, Transcript, What};
use appsync_protocol::wire::{Bytes, Headers, OwnedFrame, Request, Response, Side};
use chrono::DateTime;
use serde::Deserialize;

use crate::report::read::{ReadError, parse, wrong};

/// The last second that has a date of four digits, and what counts as a time.
const MICROS_MAX: f64 = 253_402_300_800e6;

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    version: String,
    entries: Vec<HarEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HarEntry {
    started_date_time: String,
    request: HarRequest,
    response: HarResponse,
    #[serde(rename = "_webSocketMessages")]
    messages: Option<Vec<HarMessage>>,
}

#[derive(Deserialize)]
struct HarRequest {
    url: String,
    #[serde(default)]
    headers: Vec<HarHeader>,
}

#[derive(Deserialize)]
struct HarResponse {
    status: u16,
    #[serde(default)]
    headers: Vec<HarHeader>,
}

#[derive(Deserialize)]
struct HarHeader {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct HarMessage {
    #[serde(rename = "type")]
    kind: String,
    /// Seconds since 1970.
    time: f64,
    opcode: u8,
    data: String,
}

/// Whether a text is one JSON object with a `log`.
pub fn is_har(text: &str) -> bool {
    parse_json(text).is_some_and(|value| value.get("log").is_some())
}

/// Reads the connections of a HAR file.
///
/// # Errors
/// With the place, when it is no HAR of version 1, when a time or a message cannot be read, and when no entry has
/// WebSocket messages.
pub fn from_har(text: &str) -> Result<Transcript, ReadError> {
    let har: Har = parse(text, 1, "a HAR file")?;
    if har.log.version != "1" && !har.log.version.starts_with("1.") {
        return Err(wrong("log.version", format!("expected version 1.x; got {:?}", har.log.version)));
    }
    let mut parts: Vec<Vec<(i64, u32, What)>> = Vec::new();
    for (n, entry) in har.log.entries.iter().enumerate() {
        if let Some(messages) = &entry.messages {
            let number = u32::try_from(parts.len() + 1).unwrap_or(u32::MAX);
            parts.push(connection(&format!("log.entries[{n}]"), number, entry, messages)?);
        }
    }
    if parts.is_empty() {
        let why = "expected an entry with _webSocketMessages; got none, so there is nothing to judge";
        return Err(wrong("log.entries", why.into()));
    }
    let start = parts.iter().flatten().map(|(at, ..)| *at).min().unwrap_or_default();
    Ok(Transcript::merged(parts.into_iter().map(|part| {
        let mut transcript = Transcript::new();
        for (at, connection, what) in part {
            let at = Moment::from_micros(u64::try_from(at - start).unwrap_or_default());
            transcript.push(Entry { at, connection, what });
        }
        transcript
    })))
}

/// One connection: moments in microseconds since 1970, in order.
fn connection(
    member: &str,
    number: u32,
    entry: &HarEntry,
    messages: &[HarMessage],
) -> Result<Vec<(i64, u32, What)>, ReadError> {
    let started = DateTime::parse_from_rfc3339(&entry.started_date_time).map_err(|_| {
        let why = format!("expected a moment in the form of RFC 3339; got {:?}", entry.started_date_time);
        wrong(&format!("{member}.startedDateTime"), why)
    })?;
    let mut moments = Vec::new();
    for (n, message) in messages.iter().enumerate() {
        let of = |name: &str| format!("{member}._webSocketMessages[{n}].{name}");
        let micros = message.time * 1e6;
        if !(0.0..MICROS_MAX).contains(&micros) {
            return Err(wrong(&of("time"), format!("expected seconds since 1970; got {}", message.time)));
        }
        #[allow(clippy::cast_possible_truncation, reason = "a date in microseconds has 51 bits")]
        let micros = micros as i64;
        if moments.last().is_some_and(|last| *last > micros) {
            return Err(wrong(&of("time"), "expected no earlier time than that of the message before".into()));
        }
        moments.push(micros);
    }
    // The clock of the upgrade is coarser than that of the messages.
    let opened = moments.first().map_or(started.timestamp_micros(), |first| started.timestamp_micros().min(*first));
    let mut all = vec![(opened, number, upgrade(entry))];
    for ((n, message), at) in messages.iter().enumerate().zip(moments) {
        all.push((at, number, what(&format!("{member}._webSocketMessages[{n}]"), message)?));
    }
    Ok(all)
}

fn upgrade(entry: &HarEntry) -> What {
    let headers = |all: &[HarHeader]| {
        all.iter().fold(Headers::new(), |headers, header| headers.with(header.name.as_str(), header.value.as_str()))
    };
    let url = entry.request.url.split_once("://").map_or(entry.request.url.as_str(), |(_, rest)| rest);
    let target = url.find('/').and_then(|at| url.get(at..)).unwrap_or("/");
    let request = Request {
        method: "GET".into(),
        target: target.into(),
        headers: headers(&entry.request.headers),
        body: Bytes::default(),
    };
    let mut response = Response::new(entry.response.status, "");
    response.headers = headers(&entry.response.headers);
    What::open(&request, &response)
}

fn what(member: &str, message: &HarMessage) -> Result<What, ReadError> {
    let from = match message.kind.as_str() {
        "send" => Side::Client,
        "receive" => Side::Server,
        other => return Err(wrong(&format!("{member}.type"), format!("expected send or receive; got {other:?}"))),
    };
    let bytes = || {
        let told = |_| wrong(&format!("{member}.data"), "expected base64; got another text".into());
        base64::decode(&message.data).map_err(told)
    };
    let frame = match message.opcode {
        1 => OwnedFrame::text(message.data.as_str()),
        2 => OwnedFrame::Binary(bytes()?),
        8 => close(&message.data),
        9 => OwnedFrame::Ping(bytes()?),
        10 => OwnedFrame::Pong(bytes()?),
        other => return Err(wrong(&format!("{member}.opcode"), format!("expected 1, 2, 8, 9 or 10; got {other}"))),
    };
    Ok(What::Frame { from, frame })
}

fn close(data: &str) -> OwnedFrame {
    let (code, reason) = data.split_once(' ').unwrap_or((data, ""));
    match code.parse() {
        Ok(code) => OwnedFrame::Close { code: Some(code), reason: reason.into() },
        Err(_) => OwnedFrame::Close { code: None, reason: data.into() },
    }
}
