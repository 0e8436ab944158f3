//! An endpoint that people can watch: each call goes through to it, and what it did is written down, logged, and shown
//! on a page.
//!
//! ```text
//!   shell ── upgrade, http, frame, elapse ──> Watched ──> Endpoint
//!         <───────────── poll ───────────────    │  <──
//!                                                ├──> journal ──> page
//!                                                └──> log (tracing)
//! ```
//!
//! An operation is one entry: what a client asks for waits in `pending` until the endpoint has said all that it says to
//! it, so that the entry tells the answer and how many events were delivered. What comes later, or unasked, is an entry
//! of its own. If there is neither a page nor a log nothing is read twice and nothing is kept.

use std::collections::BTreeMap;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::hub::{ConnectionId, Told};
use appsync_protocol::moment::{Deadline, Moment};
use appsync_protocol::wire::{Frame, OwnedFrame, Request, Response};
use tracing::Level;

use super::{Answer as HttpAnswer, Notice, Service};
use crate::reference::Endpoint;
use crate::reference::journal::{Answer, Entry, Journal, answer_in};
use crate::reference::page::{Counts, Live, Page, View};
use crate::report::text::printable;

/// The target under which operations are logged.
pub const LOG_TARGET: &str = "syncspec::endpoint";

/// Outcome of an upgrade, unless a refusal follows in-band.
const ACCEPTED: &str = "accepted";
/// Outcome of what the endpoint says nothing to, or not yet.
const SILENCE: &str = "no answer";

/// An endpoint with a journal, a log and perhaps a page.
pub struct Watched {
    endpoint: Endpoint,
    page: Option<Page>,
    journal: Journal,
    connections: BTreeMap<ConnectionId, Live>,
    counts: Counts,
    /// What was asked for last; the endpoint may still be answering.
    pending: Option<Entry>,
    /// Events said since the last entry that no operation can be blamed for.
    delivered: u64,
    now: Moment,
}

impl Watched {
    /// Watches `endpoint`; without a page only the log is fed.
    pub fn new(endpoint: Endpoint, page: Option<Page>) -> Self {
        let keeps_bodies =
            page.as_ref().is_some_and(Page::shows_bodies) || tracing::enabled!(target: LOG_TARGET, Level::DEBUG);
        Self {
            endpoint,
            page,
            journal: Journal::new(keeps_bodies),
            connections: BTreeMap::new(),
            counts: Counts::default(),
            pending: None,
            delivered: 0,
            now: Moment::START,
        }
    }

    fn is_watched(&self) -> bool {
        self.page.is_some() || tracing::enabled!(target: LOG_TARGET, Level::INFO)
    }

    fn write(&mut self, entry: Entry) {
        log(&entry);
        self.journal.add(entry);
    }

    /// Writes down what is over: the operation that was pending, or events that came by themselves.
    fn settle(&mut self) {
        let delivered = std::mem::take(&mut self.delivered);
        if let Some(mut entry) = self.pending.take() {
            entry.delivered = delivered;
            if entry.outcome.is_empty() {
                entry.outcome = SILENCE.into();
            }
            self.write(entry);
        } else if delivered > 0 {
            self.write(Entry { at: self.now, what: "deliver".into(), delivered, ..Entry::default() });
        }
    }

    fn said(&mut self, id: ConnectionId, frame: &OwnedFrame) {
        self.counts.sent += 1;
        let Some(live) = self.connections.get_mut(&id) else { return };
        live.sent += 1;
        let dialect = live.dialect;
        match frame {
            OwnedFrame::Text { text, .. } if is_of_kind(text, "data") => {
                self.delivered += 1;
                self.counts.delivered += 1;
            }
            OwnedFrame::Text { text, .. } if is_of_kind(text, "ka") => {}
            OwnedFrame::Text { text, .. } => {
                if let Some(answer) = answer_in(dialect, text) {
                    self.answered(id, dialect, answer);
                }
            }
            OwnedFrame::Close { code, .. } => {
                let outcome = code.map_or_else(|| "by the endpoint".into(), |code| format!("by the endpoint, {code}"));
                self.unasked(id, dialect, Entry { what: "close".into(), outcome, ..Entry::default() });
            }
            OwnedFrame::Lost => {
                let outcome = "dropped by the endpoint".into();
                self.unasked(id, dialect, Entry { what: "close".into(), outcome, ..Entry::default() });
            }
            OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {}
        }
    }

    /// The answer belongs to the pending operation of its connection, unless it names another id.
    fn answered(&mut self, id: ConnectionId, dialect: Dialect, answer: Answer) {
        let is_for = |entry: &&mut Entry| {
            entry.connection == Some(id)
                && (entry.outcome.is_empty() || entry.outcome == ACCEPTED)
                && (answer.id.is_empty() || answer.id == entry.id)
        };
        if let Some(entry) = self.pending.as_mut().filter(is_for) {
            entry.outcome = answer.outcome;
            entry.is_warning = answer.is_refusal;
            return;
        }
        let Answer { outcome, id: answered, is_refusal } = answer;
        let what = "answer".into();
        self.unasked(id, dialect, Entry { what, id: answered, outcome, is_warning: is_refusal, ..Entry::default() });
    }

    fn unasked(&mut self, id: ConnectionId, dialect: Dialect, entry: Entry) {
        self.write(Entry { at: self.now, connection: Some(id), dialect: Some(dialect), ..entry });
    }

    fn ended(&mut self, id: ConnectionId, outcome: String) {
        if let Some(live) = self.connections.remove(&id) {
            self.unasked(id, live.dialect, Entry { what: "closed".into(), outcome, ..Entry::default() });
        }
    }

    fn asked(&mut self, id: ConnectionId, frame: Frame<'_>) {
        let keeps_bodies = self.journal.keeps_bodies();
        self.counts.received += 1;
        let Some(live) = self.connections.get_mut(&id) else { return };
        live.received += 1;
        let entry = match frame {
            Frame::Text { text, .. } => Entry::of_message(live.dialect, text, keeps_bodies),
            Frame::Binary(bytes) => Entry { what: "binary message".into(), bytes: bytes.len(), ..Entry::default() },
            Frame::Ping(_) | Frame::Pong(_) => return,
            Frame::Close { code, .. } => {
                let code = code.map_or_else(|| "without a code".into(), |code| code.to_string());
                return self.ended(id, format!("by the client, {code}"));
            }
            Frame::Lost => return self.ended(id, "connection lost".into()),
        };
        let dialect = Some(live.dialect);
        self.pending = Some(Entry { at: self.now, connection: Some(id), dialect, ..entry });
    }

    fn page_answer(&self, request: &Request) -> Option<Response> {
        let view = View {
            at: self.now,
            counts: &self.counts,
            connections: &self.connections,
            hub: self.endpoint.hub(),
            journal: &self.journal,
        };
        self.page.as_ref()?.answer(request, &view)
    }
}

impl Service for Watched {
    fn upgrade(&mut self, at: Moment, request: &Request) -> (Response, Option<ConnectionId>) {
        let (response, id) = self.endpoint.upgrade(at, request);
        if !self.is_watched() {
            return (response, id);
        }
        self.now = at;
        let dialect = id.and_then(|id| self.endpoint.dialect(id));
        if let (Some(id), Some(dialect)) = (id, dialect) {
            self.counts.connections += 1;
            self.connections.insert(id, Live { dialect, since: at, received: 0, sent: 0 });
        }
        let is_warning = id.is_none();
        let outcome = if is_warning { format!("refused with {}", response.status) } else { ACCEPTED.into() };
        let what = format!("connect {}", request.path());
        self.pending = Some(Entry { at, connection: id, dialect, what, outcome, is_warning, ..Entry::default() });
        (response, id)
    }

    fn http(&mut self, at: Moment, request: &Request) -> HttpAnswer {
        if !self.is_watched() {
            return self.endpoint.http(at, request);
        }
        self.now = at;
        if let Some(answer) = self.page_answer(request) {
            return answer.into();
        }
        let answer = self.endpoint.http(at, request);
        let response = &answer.response;
        let entry = Entry::of_request(request, self.journal.keeps_bodies());
        let error = response.headers.first("x-amzn-errortype").map(|error| format!(" {error}")).unwrap_or_default();
        self.counts.requests += 1;
        let (outcome, is_warning) = (format!("{}{error}", response.status), response.status >= 400);
        self.pending = Some(Entry { at, outcome, is_warning, ..entry });
        answer
    }

    fn frame(&mut self, at: Moment, connection: ConnectionId, frame: Frame<'_>) {
        if self.is_watched() {
            self.now = at;
            self.asked(connection, frame);
        }
        self.endpoint.frame(at, connection, frame);
    }

    fn elapse(&mut self, at: Moment) {
        self.now = at;
        self.endpoint.elapse(at);
    }

    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        let next = self.endpoint.poll();
        if self.is_watched() {
            match &next {
                Some((id, frame)) => self.said(*id, frame),
                None => self.settle(),
            }
        }
        next
    }

    fn share(&mut self) {
        self.endpoint.share();
    }

    fn told(&mut self, to: &mut dyn FnMut(Told)) {
        if !self.is_watched() {
            return self.endpoint.told(to);
        }
        let Self { endpoint, connections, counts, delivered, .. } = self;
        endpoint.told(|told| {
            let events = told.tails.len() as u64;
            let messages = events * told.to.len() as u64;
            counts.sent += messages;
            counts.delivered += messages;
            *delivered += messages;
            for listener in told.to.iter() {
                if let Some(live) = connections.get_mut(&listener.connection) {
                    live.sent += events;
                }
            }
            to(told);
        });
    }

    fn deadline(&self) -> Option<Deadline> {
        self.endpoint.deadline()
    }

    fn notice(&mut self, at: Moment, notice: Notice) {
        let entry = match notice {
            Notice::SlowConsumer(id) => {
                self.counts.slow_consumers += 1;
                let dialect = self.connections.get(&id).map(|live| live.dialect);
                let outcome = "too slow: its queue is full".into();
                Entry { connection: Some(id), dialect, what: "dropped".into(), outcome, ..Entry::default() }
            }
            Notice::Refused(status) => {
                Entry { what: "request".into(), outcome: format!("{status} before it was read"), ..Entry::default() }
            }
        };
        self.write(Entry { at, is_warning: true, ..entry });
    }
}

/// Whether the endpoint says this word, in the spelling in which it writes messages.
fn is_of_kind(text: &str, word: &str) -> bool {
    let rest = text.strip_prefix(r#"{"type":""#).and_then(|rest| rest.strip_prefix(word));
    rest.is_some_and(|rest| rest.starts_with('"'))
}

/// One line. A slow consumer is a warning; a refusal is what a client did, and is told as such.
fn log(entry: &Entry) {
    let connection = entry.connection.map(|id| id.0);
    let dialect = entry.dialect.map(Dialect::word);
    let shown = |text: &str| (!text.is_empty()).then(|| printable(text));
    let (name, id, outcome) = (shown(&entry.name), shown(&entry.id), shown(&entry.outcome));
    let delivered = (entry.delivered > 0).then_some(entry.delivered);
    let bytes = (entry.bytes > 0).then_some(entry.bytes);
    let what = printable(&entry.what);
    let body = entry.body.as_deref().and_then(shown).filter(|_| tracing::enabled!(target: LOG_TARGET, Level::DEBUG));
    if entry.is_warning && entry.what == "dropped" {
        tracing::warn!(target: LOG_TARGET, connection, dialect, outcome, "{what}");
    } else {
        tracing::info!(target: LOG_TARGET, connection, dialect, name, id, bytes, outcome, delivered, body, "{what}");
    }
}

#[cfg(test)]
mod tests;
