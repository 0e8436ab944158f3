//! What an endpoint has done of late, for people: one entry for each operation, in a ring that is never longer than
//! [`LENGTH`].
//!
//! An entry says who (number of the connection), what (the word of the protocol), about what (channel or field, id,
//! size) and how it ended. It never holds credentials: nothing of an `authorization` or an `extensions` member, of a
//! header or of a query is ever read into it, and of an error only its type, since a message may quote what a client
//! sent. Bodies are read only if they are asked for, and shortened. Everything that a client named itself is shortened
//! and may be hostile: who shows it escapes it.

use std::collections::VecDeque;

use appsync_protocol::dialect::{Dialect, decode, graphql, word_of};
use appsync_protocol::envelope::{Raw, elements, member, string};
use appsync_protocol::hub::ConnectionId;
use appsync_protocol::message::{Message, error_entries};
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::Request;

/// Entries that are kept.
pub const LENGTH: usize = 200;

/// Most characters of a name.
const NAME_MAX: usize = 120;
/// Most characters of a body.
const BODY_MAX: usize = 300;

/// One operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1, without gaps.
    pub number: u64,
    /// When it began.
    pub at: Moment,
    /// On which connection; `None` for HTTP and for the endpoint itself.
    pub connection: Option<ConnectionId>,
    /// What it speaks.
    pub dialect: Option<Dialect>,
    /// Word of the message, `connect`, `close`, or method and path of a request.
    pub what: String,
    /// Channel or field; empty where there is none.
    pub name: String,
    /// Id that the client chose; empty where there is none.
    pub id: String,
    /// Bytes of the message or body.
    pub bytes: usize,
    /// How it ended: the word of the answer, a status, the type of an error.
    pub outcome: String,
    /// Events that subscribers got from it.
    pub delivered: u64,
    /// Its body, shortened, if bodies are kept.
    pub body: Option<String>,
    /// Whether somebody should look at it.
    pub is_warning: bool,
}

/// The last entries.
#[derive(Debug, Default)]
pub struct Journal {
    entries: VecDeque<Entry>,
    last: u64,
    keeps_bodies: bool,
}

impl Journal {
    /// An empty one.
    pub fn new(keeps_bodies: bool) -> Self {
        Self { entries: VecDeque::new(), last: 0, keeps_bodies }
    }

    /// Whether entries have bodies.
    pub const fn keeps_bodies(&self) -> bool {
        self.keeps_bodies
    }

    /// Number of the last entry; 0 before the first one.
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// Adds an entry, numbers it, and forgets the oldest one if there are too many.
    pub fn add(&mut self, mut entry: Entry) {
        self.last += 1;
        entry.number = self.last;
        if !self.keeps_bodies {
            entry.body = None;
        }
        if self.entries.len() == LENGTH {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The entries after this number that are still there, oldest first.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.number > number)
    }
}

impl Entry {
    /// What a client asks for with a message.
    pub fn of_message(dialect: Dialect, text: &str, keeps_bodies: bool) -> Self {
        let entry = Self { dialect: Some(dialect), bytes: text.len(), ..Self::default() };
        let Ok(decoded) = decode(dialect, text) else {
            return Self { what: "unreadable message".into(), ..entry };
        };
        let message = decoded.message;
        let what = word_of(dialect, &message).map_or_else(|| "unknown message".into(), str::to_owned);
        let entry = Self { what, id: name(message.id().unwrap_or_default()), ..entry };
        match message {
            Message::Subscribe { request, .. } => match dialect {
                Dialect::Events => Self { name: text_of(request), ..entry },
                Dialect::Graphql => {
                    let body = graphql::request_text(request).unwrap_or_default();
                    Self { name: name(field_of_request(&body)), body: keeps_bodies.then(|| body_text(&body)), ..entry }
                }
            },
            Message::Publish { channel, events, .. } => {
                let body = keeps_bodies.then(|| body_text(events.get()));
                Self { name: text_of(channel), body, ..entry }
            }
            Message::Unknown { word, .. } => Self { what: format!("unknown message {}", name(&word)), ..entry },
            Message::Init
            | Message::Ack { .. }
            | Message::Rejected { .. }
            | Message::KeepAlive
            | Message::Granted { .. }
            | Message::Refused { .. }
            | Message::Data { .. }
            | Message::BroadcastFailed { .. }
            | Message::Unsubscribe { .. }
            | Message::Ended { .. }
            | Message::Published { .. } => entry,
        }
    }

    /// What an HTTP request asks for.
    pub fn of_request(request: &Request, keeps_bodies: bool) -> Self {
        let text = request.body.text();
        let dialect = match request.path() {
            "/graphql" => Some(Dialect::Graphql),
            "/event" => Some(Dialect::Events),
            _ => None,
        };
        let body = if dialect == Some(Dialect::Events) { Raw::read(&text).ok() } else { None };
        let named = match dialect {
            Some(Dialect::Graphql) => name(field_of_request(&text)),
            Some(Dialect::Events) => body.and_then(|body| member(body, "channel")).map(text_of).unwrap_or_default(),
            None => String::new(),
        };
        let shown = match dialect {
            Some(Dialect::Graphql) => Some(text.as_ref()),
            Some(Dialect::Events) => body.and_then(|body| member(body, "events")).map(|events| events.get()),
            None => None,
        };
        Self {
            dialect,
            what: format!("{} {}", name(&request.method), name(request.path())),
            name: named,
            bytes: request.body.0.len(),
            body: shown.filter(|_| keeps_bodies).map(body_text),
            ..Self::default()
        }
    }
}

/// A message of the server, as far as it answers something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The word, with the type of the first error if there is one.
    pub outcome: String,
    /// The id that it answers; empty if it names none.
    pub id: String,
    /// Whether it is a refusal.
    pub is_refusal: bool,
}

/// What the server says; `None` for events and keep-alives, which answer nothing.
pub fn answer_in(dialect: Dialect, text: &str) -> Option<Answer> {
    let Ok(decoded) = decode(dialect, text) else {
        return Some(Answer { outcome: "unreadable message".into(), id: String::new(), is_refusal: false });
    };
    let message = decoded.message;
    let (errors, is_refusal) = match &message {
        Message::KeepAlive | Message::Data { .. } => return None,
        Message::Rejected { errors } | Message::Refused { errors, .. } | Message::BroadcastFailed { errors, .. } => {
            (*errors, true)
        }
        Message::Published { failed, .. } => (None, failed.is_some_and(|failed| !elements(failed).is_empty())),
        Message::Init
        | Message::Ack { .. }
        | Message::Subscribe { .. }
        | Message::Granted { .. }
        | Message::Unsubscribe { .. }
        | Message::Ended { .. }
        | Message::Publish { .. }
        | Message::Unknown { .. } => (None, false),
    };
    let word = word_of(dialect, &message).unwrap_or("unknown message");
    let error = errors.and_then(first_error_type);
    let outcome = match error {
        Some(error) => format!("{word} {}", name(&error)),
        None => word.to_owned(),
    };
    Some(Answer { outcome, id: name(message.id().unwrap_or_default()), is_refusal })
}

fn first_error_type(errors: Raw<'_>) -> Option<String> {
    error_entries(Some(errors)).1.into_iter().next().and_then(|error| error.short_type().map(str::to_owned))
}

/// The first field that a GraphQL request selects: `{"query":"mutation M { a: send(x: 1) { y } }"}` gives `send`.
///
/// For people only: what executes documents reads them properly. Empty where it finds none.
fn field_of_request(request: &str) -> &str {
    let Some((_, document)) = request.split_once("\"query\"") else { return "" };
    let Some((head, selected)) = document.split_once('{') else { return "" };
    // The text of the document is JSON still: a variable may have an object as its default, which stands in brackets.
    let selected = if head.matches('(').count() > head.matches(')').count() {
        selected.split_once(')').and_then(|(_, rest)| rest.split_once('{')).map_or("", |(_, rest)| rest)
    } else {
        selected
    };
    let (first, rest) = leading_name(selected);
    match rest.trim_start().strip_prefix(':') {
        Some(after_alias) => leading_name(after_alias).0,
        None => first,
    }
}

/// A name at the start, past white space in both spellings, and what follows.
fn leading_name(mut text: &str) -> (&str, &str) {
    loop {
        let trimmed = text.trim_start();
        let Some(rest) = ["\\n", "\\r", "\\t"].iter().find_map(|escape| trimmed.strip_prefix(escape)) else {
            let end = trimmed.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(trimmed.len());
            return trimmed.split_at(end);
        };
        text = rest;
    }
}

fn text_of(raw: Raw<'_>) -> String {
    string(raw).map(|text| name(&text)).unwrap_or_default()
}

fn name(text: &str) -> String {
    shortened(text, NAME_MAX)
}

fn body_text(text: &str) -> String {
    shortened(text, BODY_MAX)
}

/// The first characters, with a mark where some are left out.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use appsync_protocol::wire::Headers;

    use super::*;

    #[test]
    fn the_ring_keeps_the_last_entries_and_their_numbers() {
        let mut journal = Journal::new(false);
        for _ in 0..LENGTH + 5 {
            journal.add(Entry::default());
        }

        let numbers: Vec<_> = journal.since(LENGTH as u64 + 3).map(|entry| entry.number).collect();

        assert_eq!(numbers, [LENGTH as u64 + 4, LENGTH as u64 + 5]);
        assert_eq!((journal.since(0).count(), journal.last()), (LENGTH, LENGTH as u64 + 5));
    }

    #[test]
    fn an_entry_names_channel_and_id_and_no_credentials() {
        let subscribe =
            r#"{"type":"subscribe","id":"s1","channel":"/default/a","authorization":{"x-api-key":"da2-secret"}}"#;
        let data = r#""{\"query\":\"subscription {\\n x: onNote(board: 1) { id } }\"}""#;
        let start = format!(
            r#"{{"type":"start","id":"s2","payload":{{"data":{data},"extensions":{{"authorization":{{"x-api-key":"da2-secret"}}}}}}}}"#
        );

        let entries =
            [Entry::of_message(Dialect::Events, subscribe, true), Entry::of_message(Dialect::Graphql, &start, true)];

        let shown = entries.each_ref().map(|entry| (entry.what.as_str(), entry.name.as_str(), entry.id.as_str()));
        assert_eq!(shown, [("subscribe", "/default/a", "s1"), ("start", "onNote", "s2")]);
        assert!(!format!("{entries:?}").contains("secret"));
    }

    #[test]
    fn a_request_is_shown_without_its_query_and_headers() {
        let request = Request {
            method: "POST".into(),
            target: "/event?header=c2VjcmV0".into(),
            headers: Headers::new().with("x-api-key", "c2VjcmV0"),
            body: r#"{"channel":"/default/a","events":["{\"n\":1}"]}"#.into(),
        };

        let (bare, whole) = (Entry::of_request(&request, false), Entry::of_request(&request, true));

        assert_eq!((bare.what.as_str(), bare.name.as_str(), bare.body), ("POST /event", "/default/a", None));
        assert_eq!(whole.body.as_deref(), Some(r#"["{\"n\":1}"]"#));
        assert!(!format!("{:?}", Entry::of_request(&request, true)).contains("c2VjcmV0"));
    }

    #[test]
    fn the_field_of_a_document_is_found_past_variables_and_an_alias() {
        for (document, field) in [
            ("{ note(id: 1) { id } }", "note"),
            ("mutation M($a: In = {b: 1}) { a: addNote(board: $a) { id } }", "addNote"),
            ("query {\\n  getChannel { name }\\n}", "getChannel"),
            ("nonsense", ""),
            ("{", ""),
        ] {
            let request = format!("{{\"query\":\"{document}\"}}");

            assert_eq!(field_of_request(&request), field, "{document}");
        }
    }

    #[test]
    fn an_answer_names_the_type_of_its_error_and_not_the_message() {
        let refusal = r#"{"type":"subscribe_error","id":"s1","errors":[{"errorType":"UnauthorizedException","message":"eyJ.secret"}]}"#;

        let answer = answer_in(Dialect::Events, refusal).unwrap();

        assert_eq!(answer.outcome, "subscribe_error UnauthorizedException");
        assert!(answer.is_refusal && answer.id == "s1");
        assert_eq!(answer_in(Dialect::Events, r#"{"type":"ka"}"#), None);
    }

    #[test]
    fn what_a_client_names_is_shortened_at_a_character() {
        let channel = "\u{e9}".repeat(500);
        let text = format!(r#"{{"type":"publish","id":"p","channel":"{channel}","events":["{channel}"]}}"#);

        let entry = Entry::of_message(Dialect::Events, &text, true);

        assert_eq!((entry.name.chars().count(), entry.bytes), (NAME_MAX + 1, text.len()));
        assert_eq!(entry.body.unwrap().chars().count(), BODY_MAX + 1);
    }
}
