//! What has come on one connection and waits for a step that wants it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use appsync_protocol::conversation::Heard as Understood;
use appsync_protocol::envelope::string;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::wire::OwnedFrame;

use crate::scenario::{IdIs, Pattern, What};

/// Messages that wait, and the ids that the scenario has used.
#[derive(Default)]
pub(super) struct Inbox {
    /// Others than this run may publish what the subscriptions hear.
    strangers: bool,
    waiting: VecDeque<Heard>,
    ids: BTreeSet<String>,
    /// Ids of subscriptions that only this scenario's own events concern: their request names a nonce of it.
    own: BTreeSet<String>,
    events: BTreeMap<(String, String), u32>,
    /// So many of the waiting messages are known to decide nothing for the present expectation.
    passed: usize,
}

/// One message.
pub(super) struct Heard {
    pub(super) entry: usize,
    pub(super) frame: OwnedFrame,
    pub(super) message: Option<Json>,
    nonces: BTreeSet<String>,
    /// It carries a nonce of the run, but none of this scenario: it decides nothing here.
    foreign: bool,
}

/// An event for a subscription.
pub(super) struct HeardEvent {
    pub(super) id: String,
    pub(super) nonces: BTreeSet<String>,
    /// The same event had come to the same subscription before.
    pub(super) again: bool,
    /// It carries a nonce of the run, but none of this scenario, whose events alone concern the subscription.
    pub(super) foreign: bool,
    /// It carries no nonce of the run at all: whoever published it cannot be told.
    pub(super) anonymous: bool,
}

/// What the waiting messages mean for an expectation.
pub(super) enum Found {
    /// This alternative occurred.
    Fits(usize, Heard),
    /// A message decides it, and fits none.
    Misfit(Heard),
    /// Nothing decides it yet.
    Nothing,
}

/// Words that a server of either dialect may say.
const WORDS: [&str; 17] = [
    "connection_ack",
    "connection_error",
    "ka",
    "start_ack",
    "data",
    "complete",
    "error",
    "subscribe_success",
    "subscribe_error",
    "unsubscribe_success",
    "unsubscribe_error",
    "publish_success",
    "publish_error",
    "broadcast_error",
    "start",
    "subscribe",
    "connection_init",
];

impl Inbox {
    pub(super) fn new(strangers: bool) -> Self {
        Self { strangers, ..Self::default() }
    }

    /// Notes the ids that the scenario uses. `heard`: the frame as it was understood; only what was not is read
    /// again here, for it may be megabytes.
    pub(super) fn sent(&mut self, prefix: &str, frame: &OwnedFrame, heard: &Understood<'_>) {
        let OwnedFrame::Text { text, .. } = frame else { return };
        let id = match heard {
            Understood::Message(decoded) => decoded.envelope.id.and_then(string).map(Cow::into_owned),
            Understood::Unreadable(_)
            | Understood::Binary
            | Understood::Control
            | Understood::Closed
            | Understood::Lost => {
                parse_json(text).and_then(|message| message.get("id").and_then(Json::as_str).map(str::to_owned))
            }
        };
        let Some(id) = id else { return };
        // What belonged to nothing may belong to something now.
        self.passed = 0;
        if text.contains(prefix) {
            self.own.insert(id.clone());
        }
        self.ids.insert(id);
    }

    /// Takes a frame of the peer; says if it is an event.
    pub(super) fn take(&mut self, prefix: &str, entry: usize, frame: OwnedFrame) -> Option<HeardEvent> {
        let (message, nonces, run) = match &frame {
            OwnedFrame::Text { text, .. } => {
                let message = parse_json(text).filter(Json::is_object);
                // A server may escape any character, so nonces are looked for in the usual spelling.
                let plain = message.as_ref().filter(|_| text.contains("\\u")).map(unfolded);
                let plain = plain.as_deref().unwrap_or(text);
                let (nonces, run) = (nonces(plain, prefix), plain.contains(run_of(prefix)));
                (message, nonces, run)
            }
            OwnedFrame::Binary(_)
            | OwnedFrame::Ping(_)
            | OwnedFrame::Pong(_)
            | OwnedFrame::Close { .. }
            | OwnedFrame::Lost => (None, BTreeSet::new(), false),
        };
        let event = message.as_ref().filter(|m| m.get("type").and_then(Json::as_str) == Some("data")).map(|m| {
            let id = m.get("id").and_then(Json::as_str).unwrap_or_default().to_owned();
            let body = m.get("payload").or_else(|| m.get("event")).map(ToString::to_string).unwrap_or_default();
            let count = self.events.entry((id.clone(), body)).or_default();
            *count += 1;
            HeardEvent {
                again: *count > 1 && !nonces.is_empty(),
                foreign: run && nonces.is_empty() && self.own.contains(&id),
                anonymous: !run && nonces.is_empty() && !self.strangers,
                id,
                nonces: nonces.clone(),
            }
        });
        let foreign = nonces.is_empty() && (run || self.strangers);
        self.waiting.push_back(Heard { entry, frame, message, nonces, foreign });
        event
    }

    /// From here on another expectation is held against what waits.
    pub(super) fn turn_to_another(&mut self) {
        self.passed = 0;
    }

    /// Forgets what waits: nothing is expected any more.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.passed = 0;
    }

    /// Looks for the message that decides an expectation, and takes it out. Messages that have not decided it
    /// before are not looked at again.
    pub(super) fn find(&mut self, prefix: &str, any_of: &[Pattern]) -> Found {
        while let Some(heard) = self.waiting.get(self.passed) {
            let fits = any_of.iter().position(|pattern| pattern.fits(&heard.frame, heard.message.as_ref()));
            let decides = fits.is_some() || self.decides(prefix, heard, any_of);
            let Some(heard) = (if decides { self.waiting.remove(self.passed) } else { None }) else {
                self.passed += 1;
                continue;
            };
            return match fits {
                Some(alternative) => Found::Fits(alternative, heard),
                None => Found::Misfit(heard),
            };
        }
        Found::Nothing
    }

    /// An event of this subscription with one of these nonces, taken out with all others of them.
    pub(super) fn find_event(&mut self, id: &str, wanted: &BTreeSet<String>) -> bool {
        let is_it = |heard: &Heard| {
            heard.message.as_ref().is_some_and(|m| {
                m.get("type").and_then(Json::as_str) == Some("data") && m.get("id").and_then(Json::as_str) == Some(id)
            }) && !heard.nonces.is_disjoint(wanted)
        };
        let before = self.waiting.len();
        self.passed = 0;
        self.waiting.retain(|heard| !is_it(heard));
        self.waiting.len() < before
    }

    /// A message that fits no alternative decides all the same, unless it may come at any time or belongs
    /// to something else that the scenario has asked for.
    fn decides(&self, prefix: &str, heard: &Heard, any_of: &[Pattern]) -> bool {
        let Some(message) = &heard.message else {
            return match heard.frame {
                OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => false,
                OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Close { .. } | OwnedFrame::Lost => true,
            };
        };
        let word = message.get("type").and_then(Json::as_str).unwrap_or_default();
        let id = message.get("id").and_then(Json::as_str).unwrap_or_default();
        let wants =
            |wanted: &str| any_of.iter().any(|p| matches!(&p.what, What::Message { word, .. } if *word == wanted));
        let about = |p: &Pattern| match &p.what {
            What::Message { id: IdIs::Is(wanted), .. } => wanted == id,
            What::Message { id: IdIs::Absent | IdIs::IsNot(_) | IdIs::Any, .. }
            | What::Pong(_)
            | What::Closed
            | What::CloseFrame
            | What::CloseCode(_) => false,
        };
        let only_ends = any_of.iter().all(|p| match &p.what {
            What::Closed | What::CloseFrame | What::CloseCode(_) => true,
            What::Message { .. } | What::Pong(_) => false,
        });
        match word {
            "ka" => wants(word),
            // Where a refusal of the connection is due, an acknowledgement is none.
            "connection_ack" => wants(word) || wants("connection_error"),
            // It may be said again before the end that it announces.
            "connection_error" if only_ends => false,
            "data" => {
                // An event with a nonce that no alternative knows belongs to a later step.
                let known: BTreeSet<String> =
                    any_of.iter().filter(|p| about(p)).flat_map(|p| nonces(&p.to_string(), prefix)).collect();
                wants("data") && !heard.foreign && any_of.iter().any(about) && heard.nonces.is_subset(&known)
            }
            word if !WORDS.contains(&word) && !word.is_empty() => wants(word),
            _ => any_of.iter().any(about) || !self.ids.contains(id),
        }
    }
}

/// A message in the usual spelling, followed by whatever JSON its strings hold.
fn unfolded(message: &Json) -> String {
    let mut out = message.to_string();
    let mut rest = vec![message.clone()];
    while let Some(value) = rest.pop() {
        match value {
            Json::String(text) => {
                if let Some(held) = Some(text).filter(|text| text.contains("\\u")).as_deref().and_then(parse_json) {
                    out.push('\n');
                    out.push_str(&held.to_string());
                    rest.push(held);
                }
            }
            Json::Array(items) => rest.extend(items),
            Json::Object(members) => rest.extend(members.into_iter().map(|(_, member)| member)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    out
}

/// The nonces of the scenario that stand in a text.
pub(super) fn nonces(text: &str, prefix: &str) -> BTreeSet<String> {
    text.match_indices(prefix)
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
            rest[..end].to_owned()
        })
        .collect()
}

/// The part of a prefix that all scenarios of a run share; the whole prefix where it has no parts.
fn run_of(prefix: &str) -> &str {
    prefix.rsplit_once('-').map_or(prefix, |(run, _)| run)
}
