//! How the endpoint is bent: which checks of the door are left out, what happens to outgoing messages
//! and answers, what a client can trigger. With nothing to bend, every call is a look at an empty list.

use std::collections::BTreeMap;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::scan;
use appsync_protocol::hub::ConnectionId;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::wire::{Frame, Headers, OwnedFrame, Response};

use crate::fault::{Change, DoorCheck, Edit, How, HttpChange, HttpEdit, Nth, Reaction, Trigger};
use crate::scenario::cast::WRONG_KEY;
use crate::scenario::pattern::at_path;

/// The ways in which an endpoint is bent.
#[derive(Default)]
pub struct Edits {
    skipped: u64,
    messages: Vec<Edit>,
    answers: Vec<HttpEdit>,
    traps: Vec<(Trigger, Reaction)>,
    mishears: Vec<fn(&str) -> Option<String>>,
    counts: BTreeMap<(ConnectionId, usize), u32>,
    held: BTreeMap<ConnectionId, OwnedFrame>,
    /// Messages that wait for the next of their kind.
    waiting: BTreeMap<(ConnectionId, usize), String>,
    /// What a connection was sent that an edit concerns; the last one comes last.
    sent: BTreeMap<(ConnectionId, usize), Vec<String>>,
    /// How many subscriptions a connection held when it was last sent something that an edit concerns.
    granted: BTreeMap<(ConnectionId, usize), usize>,
}

impl Edits {
    /// Sorts the ways by where they take hold.
    pub fn new(bent: &[How]) -> Self {
        let mut edits = Self::default();
        for how in bent {
            match how {
                How::Door(check) => edits.skipped |= 1 << *check as u8,
                How::Edit(edit) => edits.messages.push(*edit),
                How::Http(edit) => edits.answers.push(*edit),
                How::Trap(trigger, reaction) => edits.traps.push((*trigger, *reaction)),
                How::Mishear(mishear) => edits.mishears.push(*mishear),
                How::Skip(_)
                | How::Auth(_)
                | How::Modes(_)
                | How::Set(_)
                | How::Filter(_)
                | How::Invalidation(_)
                | How::Unhandled(_) => {}
            }
        }
        edits
    }

    /// Whether a check of the door is made.
    pub const fn makes(&self, check: DoorCheck) -> bool {
        self.skipped & (1 << check as u8) == 0
    }

    /// Whether outgoing messages are left alone.
    pub const fn is_idle(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether nothing that it says or hears is bent.
    pub const fn are_none(&self) -> bool {
        self.messages.is_empty() && self.traps.is_empty()
    }

    /// What a client's frame triggers.
    pub fn reaction(&self, dialect: Option<&Dialect>, frame: Frame<'_>) -> Option<Reaction> {
        let dialect = *dialect?;
        self.traps.iter().find(|(trigger, _)| triggers(*trigger, dialect, frame)).map(|(_, reaction)| *reaction)
    }

    /// What a client's text message is taken for, if not for what it is.
    pub fn misheard(&self, text: &str) -> Option<String> {
        self.mishears.iter().find_map(|mishear| mishear(text))
    }

    /// The frames to send in place of one.
    pub fn apply(
        &mut self,
        connection: ConnectionId,
        dialect: Option<Dialect>,
        frame: OwnedFrame,
        subscriptions: &[String],
    ) -> Vec<OwnedFrame> {
        let mut out = vec![frame];
        for (index, edit) in self.messages.clone().iter().enumerate() {
            if dialect != Some(edit.dialect) {
                continue;
            }
            let frames = std::mem::take(&mut out);
            for frame in frames {
                if !is_word(&frame, edit.word) {
                    out.push(frame);
                    continue;
                }
                let counts = self.counts_in(connection, index, edit.nth);
                if let (Change::SwapIds, OwnedFrame::Text { text, .. }) = (edit.change, &frame)
                    && (counts || self.waiting.contains_key(&(connection, index)))
                {
                    out.extend(self.swapped((connection, index), text));
                    continue;
                }
                if !counts || self.is_dropped((connection, index), edit.change, &frame) {
                    out.extend(Some(frame).filter(|_| !counts));
                    continue;
                }
                if let Change::HoldBack = edit.change {
                    self.held.insert(connection, frame);
                    continue;
                }
                let before = self.granted.insert((connection, index), subscriptions.len()).unwrap_or_default();
                if matches!(edit.change, Change::DropAfterGrant) && before > 0 && before < subscriptions.len() {
                    continue;
                }
                out.extend(change(frame, edit.change, subscriptions));
            }
        }
        if !out.is_empty()
            && let Some(held) = self.held.remove(&connection)
        {
            out.push(held);
        }
        out
    }

    /// Both messages with each other's id, if one waits already.
    fn swapped(&mut self, place: (ConnectionId, usize), text: &str) -> Vec<OwnedFrame> {
        let Some(first) = self.waiting.remove(&place) else {
            self.waiting.insert(place, text.to_owned());
            return Vec::new();
        };
        let under_id_of = |text: &str, other: &str| {
            let mut message = parse_json(text).unwrap_or_default();
            let id = parse_json(other).and_then(|other| other.get("id").cloned()).unwrap_or_default();
            set(&mut message, "id", id);
            OwnedFrame::text(message.to_string())
        };
        vec![under_id_of(&first, text), under_id_of(text, &first)]
    }

    /// Whether a message is left out because it was sent before.
    fn is_dropped(&mut self, place: (ConnectionId, usize), change: Change, frame: &OwnedFrame) -> bool {
        let OwnedFrame::Text { text, .. } = frame else { return false };
        if !matches!(change, Change::DropRepeated | Change::DropSeen) {
            return false;
        }
        let sent = self.sent.entry(place).or_default();
        let was_last = sent.last() == Some(text);
        let was_sent = sent.contains(text);
        sent.push(text.clone());
        was_last || (was_sent && matches!(change, Change::DropSeen))
    }

    fn counts_in(&mut self, connection: ConnectionId, index: usize, nth: Nth) -> bool {
        let count = self.counts.entry((connection, index)).or_default();
        *count += 1;
        match nth {
            Nth::Every => true,
            Nth::Only(n) => *count == n,
            Nth::From(n) => *count >= n,
        }
    }

    /// The answer to send in place of one.
    pub fn apply_http(&self, path: &str, mut answer: Response) -> Response {
        for edit in &self.answers {
            let own = match edit.dialect {
                Dialect::Graphql => path.starts_with("/graphql"),
                Dialect::Events => path.starts_with("/event"),
            };
            if own && edit.status == answer.status {
                change_answer(&mut answer, edit.change);
            }
        }
        answer
    }
}

fn triggers(trigger: Trigger, dialect: Dialect, frame: Frame<'_>) -> bool {
    let (text, fragments) = match frame {
        Frame::Text { text, fragments } => (text, fragments),
        Frame::Binary(_) => return trigger == Trigger::Binary,
        Frame::Ping(_) => return trigger == Trigger::Ping,
        Frame::Close { .. } => return trigger == Trigger::Close,
        Frame::Pong(_) | Frame::Lost => return false,
    };
    let json = || parse_json(text);
    let word = || json().and_then(|m| m.get("type").and_then(Json::as_str).map(str::to_owned)).unwrap_or_default();
    match trigger {
        Trigger::MalformedJson => !text.is_empty() && json().is_none(),
        Trigger::NotAnObject => json().is_some_and(|value| !value.is_object()),
        Trigger::EmptyText => text.is_empty(),
        Trigger::Fragmented => fragments > 1,
        Trigger::Word(wanted) => word() == wanted,
        Trigger::UnknownWord => matches!(
            appsync_protocol::dialect::decode(dialect, text).map(|decoded| decoded.message),
            Ok(appsync_protocol::message::Message::Unknown { .. })
        ),
        Trigger::SyntaxError => {
            word() == "start" && document(text).is_some_and(|d| d.matches('{').count() != d.matches('}').count())
        }
        Trigger::NotASubscription => {
            word() == "start" && document(text).is_some_and(|d| !d.trim_start().starts_with("subscription"))
        }
        Trigger::WrongKey => text.contains(WRONG_KEY),
        Trigger::UnknownMember => scan(text).is_ok_and(|envelope| envelope.unknown > 0),
        Trigger::Escapes => text.contains("\\u"),
        Trigger::TypeNotFirst => {
            json().is_some() && !text.trim_start_matches(['{', ' ', '\n', '\t', '\r']).starts_with("\"type\"")
        }
        Trigger::LongerThan(bytes) => text.len() > bytes,
        Trigger::Binary | Trigger::Ping | Trigger::Close => false,
    }
}

/// The GraphQL document inside a `start`.
fn document(text: &str) -> Option<String> {
    let message = parse_json(text)?;
    let request = parse_json(at_path(&message, "payload.data")?.as_str()?)?;
    Some(request.get("query")?.as_str()?.to_owned())
}

fn is_word(frame: &OwnedFrame, word: &str) -> bool {
    match frame {
        OwnedFrame::Text { text, .. } => {
            parse_json(text).is_some_and(|message| message.get("type").and_then(Json::as_str) == Some(word))
        }
        OwnedFrame::Binary(_)
        | OwnedFrame::Ping(_)
        | OwnedFrame::Pong(_)
        | OwnedFrame::Close { .. }
        | OwnedFrame::Lost => false,
    }
}

fn change(frame: OwnedFrame, change: Change, subscriptions: &[String]) -> Vec<OwnedFrame> {
    let OwnedFrame::Text { text, fragments } = frame else { return vec![frame] };
    let whole = |text: String| OwnedFrame::Text { text, fragments };
    let close = |code| OwnedFrame::Close { code: Some(code), reason: String::new() };
    match change {
        Change::Drop | Change::HoldBack => Vec::new(),
        Change::Duplicate => vec![whole(text.clone()), whole(text)],
        Change::DuplicateShared if subscriptions.len() > 1 => vec![whole(text.clone()), whole(text)],
        Change::DuplicateShared
        | Change::DropAfterGrant
        | Change::DropRepeated
        | Change::DropSeen
        | Change::SwapIds => vec![whole(text)],
        Change::AsBinary => vec![OwnedFrame::Binary(text.into_bytes())],
        Change::Truncate => {
            let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
            vec![whole(text[..half].into())]
        }
        Change::CloseInstead(code) => vec![close(code)],
        Change::CloseAfter(code) => vec![whole(text), close(code)],
        Change::LoseInstead => vec![OwnedFrame::Lost],
        Change::Readdressed(id) => {
            let mut again = parse_json(&text).unwrap_or_default();
            set(&mut again, "id", Json::String(id.into()));
            vec![whole(text), whole(again.to_string())]
        }
        Change::Before(other) => vec![whole(other.into()), whole(text)],
        Change::After(other) => vec![whole(text), whole(other.into())],
        Change::Remove(_)
        | Change::Set(..)
        | Change::Alter(_)
        | Change::Rewrite(_)
        | Change::Stringify(_)
        | Change::Rename(_)
        | Change::MangleId
        | Change::MangleUnusualId
        | Change::OtherId => vec![whole(changed_members(&text, change, subscriptions))],
    }
}

fn changed_members(text: &str, change: Change, subscriptions: &[String]) -> String {
    let Some(mut message) = parse_json(text) else { return text.into() };
    let id = message.get("id").and_then(Json::as_str).unwrap_or_default().to_owned();
    match change {
        Change::Remove(path) => remove(&mut message, path),
        Change::Set(path, value) => set(&mut message, path, parse_json(value).unwrap_or_default()),
        Change::Alter(path) => {
            if let Some(value) = at_path(&message, path).map(altered) {
                set(&mut message, path, value);
            }
        }
        Change::Stringify(path) => {
            if let Some(value) = at_path(&message, path).map(ToString::to_string) {
                set(&mut message, path, Json::String(value));
            }
        }
        Change::Rewrite(rewrite) => rewrite_event(&mut message, rewrite),
        Change::Rename(word) => set(&mut message, "type", Json::String(word.into())),
        Change::MangleId => set(&mut message, "id", Json::String(format!("{id}x"))),
        Change::MangleUnusualId if id.chars().any(|c| !c.is_ascii_alphanumeric()) => {
            set(&mut message, "id", Json::String(format!("{id}x")));
        }
        Change::OtherId => {
            if let Some(other) = subscriptions.iter().find(|other| **other != id) {
                set(&mut message, "id", Json::String(other.clone()));
            }
        }
        Change::MangleUnusualId
        | Change::Drop
        | Change::DropAfterGrant
        | Change::DropRepeated
        | Change::DropSeen
        | Change::SwapIds
        | Change::Duplicate
        | Change::DuplicateShared
        | Change::HoldBack
        | Change::AsBinary
        | Change::Truncate
        | Change::CloseInstead(_)
        | Change::CloseAfter(_)
        | Change::LoseInstead
        | Change::Readdressed(_)
        | Change::Before(_)
        | Change::After(_) => {}
    }
    message.to_string()
}

/// Changes what an event says: `payload.data`, or what the text in `event` means.
fn rewrite_event(message: &mut Json, rewrite: fn(&mut Json)) {
    if let Some(data) = reach(message, "payload.data") {
        rewrite(data);
    } else if let Some(mut value) = at_path(message, "event").and_then(Json::as_str).and_then(parse_json) {
        rewrite(&mut value);
        set(message, "event", Json::String(value.to_string()));
    }
}

/// Another value of the same kind.
fn altered(value: &Json) -> Json {
    match value {
        Json::Bool(truth) => Json::Bool(!truth),
        Json::Number(number) => Json::from(number.as_i64().unwrap_or_default().wrapping_add(1)),
        Json::String(text) => Json::String(format!("{text}x")),
        Json::Array(items) => Json::Array(items.iter().take(items.len().saturating_sub(1)).cloned().collect()),
        Json::Null | Json::Object(_) => Json::String("x".into()),
    }
}

fn change_answer(answer: &mut Response, change: HttpChange) {
    match change {
        HttpChange::Status(status) => answer.status = status,
        HttpChange::Unlabelled(gone) => {
            let kept = answer.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(gone));
            answer.headers = kept.fold(Headers::new(), |headers, (name, value)| headers.with(name, value));
        }
        HttpChange::Body(body) => answer.body = body.into(),
        HttpChange::Remove(path) => edit_body(answer, |body| remove(body, path)),
        HttpChange::Alter(path) => edit_body(answer, |body| {
            if let Some(value) = at_path(body, path).map(altered) {
                set(body, path, value);
            }
        }),
        HttpChange::Set(path, value) => {
            edit_body(answer, |body| set(body, path, parse_json(value).unwrap_or_default()))
        }
    }
}

fn edit_body(answer: &mut Response, edit: impl FnOnce(&mut Json)) {
    if let Some(mut body) = parse_json(&answer.body.text()) {
        edit(&mut body);
        answer.body = body.to_string().into();
    }
}

fn remove(value: &mut Json, path: &str) {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    match reach(value, parent) {
        Some(Json::Object(members)) => {
            members.remove(name);
        }
        Some(Json::Array(items)) => {
            if let Some(at) = name.parse::<usize>().ok().filter(|at| *at < items.len()) {
                items.remove(at);
            }
        }
        Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) | None => {}
    }
}

fn set(value: &mut Json, path: &str, to: Json) {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    match reach(value, parent) {
        Some(Json::Object(members)) => {
            members.insert(name.into(), to);
        }
        Some(Json::Array(items)) => {
            if let Some(item) = name.parse::<usize>().ok().and_then(|n| items.get_mut(n)) {
                *item = to;
            }
        }
        Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) | None => {}
    }
}

fn reach<'j>(value: &'j mut Json, path: &str) -> Option<&'j mut Json> {
    if path.is_empty() {
        return Some(value);
    }
    path.split('.').try_fold(value, |value, step| match value {
        Json::Array(items) => step.parse::<usize>().ok().and_then(|n| items.get_mut(n)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => value.get_mut(step),
    })
}
