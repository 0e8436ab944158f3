//! HAR 1.2 with the messages of WebSocket connections in `_webSocketMessages`, as browsers write and read them.
//!
//! A page for each case, an entry for each upgrade and each HTTP exchange. The trace tells time from the beginning
//! of its case and not when that was, so every case begins with the run. Pings, pongs and closes stand among the
//! messages with their opcodes; payloads that are no text are base64. Random heads of upgrades are not recorded.

use appsync_protocol::handshake::base64::encode_standard;
use appsync_protocol::transcript::{Entry, What};
use appsync_protocol::wire::{Bytes, Headers, OwnedFrame, Request, Response, Side};
use serde_json::{Value, json};

use super::json::{CaseRecord, Document, TargetRecord, pretty};
use super::read::SECONDS_MAX;
use super::text::printable;

/// The report as HAR.
pub fn to_har(document: &Document) -> String {
    let mut pages = Vec::new();
    let mut entries = Vec::new();
    for (n, case) in document.cases.iter().enumerate().filter(|(_, case)| !case.trace.is_empty()) {
        let page = format!("case-{n}");
        let target = document.targets.iter().find(|target| target.name == case.target).unwrap_or(&document.target);
        pages.push(json!({
            "startedDateTime": date(document.run.started_unix_s, 0),
            "id": page,
            "title": printable(&format!("{} {} {}", case.verdict, case.id, case.target)).trim_end(),
            "pageTimings": {},
            "comment": printable(&case.reason),
        }));
        Writer { document, case, target, page }.entries(&mut entries);
    }
    pretty(&json!({ "log": {
        "version": "1.2",
        "creator": { "name": printable(&document.suite.name), "version": printable(&document.suite.version) },
        "comment": "times within a page are those of the case; every page begins with the run",
        "pages": pages,
        "entries": entries,
    } }))
}

/// A moment after a second since 1970, in the form of RFC 3339. What has no date is the last one that has.
pub fn date(unix_s: u64, micros: u64) -> String {
    let seconds = unix_s.saturating_add(micros / 1_000_000).min(SECONDS_MAX - 1);
    let moment = std::time::Duration::from_secs(seconds) + std::time::Duration::from_micros(micros % 1_000_000);
    humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + moment).to_string()
}

struct Writer<'d> {
    document: &'d Document,
    case: &'d CaseRecord,
    target: &'d TargetRecord,
    page: String,
}

impl Writer<'_> {
    fn entries(&self, out: &mut Vec<Value>) {
        let Ok(trace) = self.case.transcript() else { return };
        for (n, entry) in trace.entries().iter().enumerate() {
            match &entry.what {
                What::Open { target, subprotocols, status, selected } => {
                    let later = trace.entries().get(n + 1..).unwrap_or_default();
                    let messages: Vec<_> = later
                        .iter()
                        .take_while(|next| !(next.connection == entry.connection && is_open(&next.what)))
                        .filter(|next| next.connection == entry.connection)
                        .filter_map(|next| self.message(next))
                        .collect();
                    out.push(self.upgrade(entry, target, subprotocols, (*status, selected.as_deref()), &messages));
                }
                What::Http { request, response } => out.push(self.exchange(entry, request, response)),
                What::Frame { .. } | What::Note(_) => {}
            }
        }
    }

    fn upgrade(
        &self,
        entry: &Entry,
        path: &str,
        offered: &[String],
        (status, selected): (u16, Option<&str>),
        messages: &[Value],
    ) -> Value {
        let base = self.target.realtime.get(&self.case.dialect).map_or("ws://unknown", String::as_str);
        let mut headers = Headers::new().with("upgrade", "websocket");
        if !offered.is_empty() {
            headers.push("sec-websocket-protocol", offered.join(", "));
        }
        let request = Request { method: "GET".into(), target: path.into(), headers, body: Bytes::default() };
        let mut response = Response::new(status, "");
        if let Some(selected) = selected {
            response.headers.push("sec-websocket-protocol", selected);
        }
        let mut value = self.exchange_at(entry, base, &request, &response);
        if let Some(members) = value.as_object_mut() {
            members.insert("_resourceType".into(), json!("websocket"));
            members.insert("_webSocketMessages".into(), json!(messages));
        }
        value
    }

    fn exchange(&self, entry: &Entry, request: &Request, response: &Response) -> Value {
        let base = self.target.endpoints.get(&self.case.dialect).map_or("http://unknown", String::as_str);
        self.exchange_at(entry, base, request, response)
    }

    fn exchange_at(&self, entry: &Entry, base: &str, request: &Request, response: &Response) -> Value {
        let query: Vec<_> = request.query().into_iter().flat_map(|query| query.split('&')).map(pair).collect();
        let mut asked = json!({
            "method": printable(&request.method),
            "url": url(base, &request.target),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(&request.headers),
            "queryString": query,
            "headersSize": -1,
            "bodySize": request.body.0.len(),
        });
        if !request.body.0.is_empty()
            && let Some(members) = asked.as_object_mut()
        {
            let kind = request.headers.first("content-type").unwrap_or("application/octet-stream");
            members.insert("postData".into(), json!({ "mimeType": printable(kind), "text": request.body.text() }));
        }
        json!({
            "pageref": self.page,
            "startedDateTime": date(self.document.run.started_unix_s, entry.at.as_micros()),
            "time": 0,
            "request": asked,
            "response": {
                "status": response.status,
                "statusText": "",
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": headers(&response.headers),
                "content": content(response),
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": response.body.0.len(),
            },
            "cache": {},
            "timings": { "send": 0, "wait": 0, "receive": 0 },
            "connection": entry.connection.to_string(),
        })
    }

    fn message(&self, entry: &Entry) -> Option<Value> {
        let What::Frame { from, frame } = &entry.what else { return None };
        let (opcode, data) = match frame {
            OwnedFrame::Text { text, fragments: _ } => (1, text.clone()),
            OwnedFrame::Binary(bytes) => (2, encode_standard(bytes)),
            OwnedFrame::Close { code, reason } => {
                (8, format!("{} {reason}", code.map_or_else(String::new, |code| code.to_string())).trim().to_owned())
            }
            OwnedFrame::Ping(bytes) => (9, encode_standard(bytes)),
            OwnedFrame::Pong(bytes) => (10, encode_standard(bytes)),
            OwnedFrame::Lost => return None,
        };
        let kind = match from {
            Side::Client => "send",
            Side::Server => "receive",
        };
        #[allow(clippy::cast_precision_loss, reason = "a date in microseconds has 51 bits")]
        let time = self.document.run.started_unix_s as f64 + entry.at.as_micros() as f64 / 1e6;
        Some(json!({ "type": kind, "time": time, "opcode": opcode, "data": data }))
    }
}

const fn is_open(what: &What) -> bool {
    match what {
        What::Open { .. } => true,
        What::Frame { .. } | What::Http { .. } | What::Note(_) => false,
    }
}

/// Scheme and authority of the base with another path.
fn url(base: &str, target: &str) -> String {
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base.get(authority..).and_then(|rest| rest.find('/')).map_or(base.len(), |at| authority + at);
    printable(&format!("{}{target}", base.get(..end).unwrap_or(base)))
}

fn pair(text: &str) -> Value {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    json!({ "name": printable(name), "value": printable(value) })
}

fn headers(all: &Headers) -> Vec<Value> {
    all.iter().map(|(name, value)| json!({ "name": printable(name), "value": printable(value) })).collect()
}

fn content(response: &Response) -> Value {
    let kind = printable(response.headers.first("content-type").unwrap_or("application/octet-stream"));
    let size = response.body.0.len();
    match std::str::from_utf8(&response.body.0) {
        Ok(text) => json!({ "size": size, "mimeType": kind, "text": text }),
        Err(_) => {
            json!({ "size": size, "mimeType": kind, "text": encode_standard(&response.body.0), "encoding": "base64" })
        }
    }
}
