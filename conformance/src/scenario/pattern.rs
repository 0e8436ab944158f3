//! What an expectation accepts, and how a message is held against it.

use std::borrow::Cow;
use std::fmt;

use appsync_protocol::envelope::Raw;
use appsync_protocol::json::{Json, parse_json, same_meaning};
use appsync_protocol::message::{ErrorEntry, ErrorsForm};
use appsync_protocol::wire::{Headers, OwnedFrame, Response};

/// An acceptable message, with what it says about a disputed question.
#[derive(Clone)]
pub struct Pattern {
    /// What has to be there.
    pub what: What,
    /// Ambiguity and the reading that this message shows, for the report.
    pub reading: Option<(&'static str, &'static str)>,
    /// What follows.
    pub then: Then,
}

/// Whether a scenario goes on after an alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The next step follows.
    GoOn,
    /// The scenario is over and its expectation met: the rest does not apply to this reading.
    End,
}

/// What has to be there.
#[derive(Clone)]
pub enum What {
    /// A message.
    Message {
        /// Its wire word.
        word: &'static str,
        /// Its id.
        id: IdIs,
        /// Members by dotted path, and what each has to be.
        members: Vec<(Cow<'static, str>, Shape)>,
    },
    /// A pong with this payload.
    Pong(Vec<u8>),
    /// A close frame, or the end of the transport.
    Closed,
    /// A close frame; dropping the transport does not do.
    CloseFrame,
    /// A close frame with this code.
    CloseCode(u16),
}

/// What an id has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdIs {
    /// This text.
    Is(String),
    /// Not there, null or empty.
    Absent,
    /// Anything, or nothing, but not this text.
    IsNot(String),
    /// Anything, or nothing.
    Any,
}

/// What a value has to be.
#[derive(Clone, Debug)]
pub enum Shape {
    /// This value, by meaning. Strings that hold JSON objects are compared by what they hold: AWSJSON is read for a
    /// resolver and written again for the answer.
    Is(Json),
    /// One of these values.
    OneOf(Vec<Json>),
    /// A string that holds the JSON text of this value; an array of just one such string will do (EVT-A-01).
    JsonText(Json),
    /// A string in which this stands.
    Holding(String),
    /// Any string.
    Text,
    /// A whole number above zero.
    PositiveInteger,
    /// A whole number that is this or more.
    AtLeast(u64),
    /// An object.
    Object,
    /// An array.
    Array,
    /// An array of this many elements.
    Length(usize),
    /// An array of entries whose `index` is each number below this one once, in any order.
    Indices(usize),
    /// A string of at least this many characters, or an array of one such.
    LongText(usize),
    /// `null`, or not there.
    Nothing,
    /// Not there.
    Absent,
    /// Anything that is there.
    Present,
    /// A string, `null`, or not there.
    TextOrNothing,
    /// A number, `null`, or not there.
    NumberOrNothing,
    /// An error list (or one object in its place) with at least one entry.
    Errors,
    /// Something whose JSON text does not have this part.
    Without(&'static str),
    /// A string that holds the JSON text of an object with these members by dotted path; an array of just one such
    /// string will do (EVT-A-01).
    Members(Vec<(&'static str, Self)>),
    /// An error list of which one entry has one of these types, after any namespace.
    ErrorType(&'static [&'static str]),
    /// An error list of which one entry has this in its message.
    ErrorMessage(String),
    /// An error list of which one entry has one of these codes or none has any.
    ErrorCode(&'static [i64]),
}

/// An acceptable answer to an upgrade.
#[derive(Clone)]
pub struct Greeting {
    /// What has to be there.
    pub what: Greeted,
    /// Ambiguity and reading.
    pub reading: Option<(&'static str, &'static str)>,
    /// What follows.
    pub then: Then,
}

/// What an answer to an upgrade has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeted {
    /// 101 with this subprotocol selected.
    Selected(&'static str),
    /// 101 with none selected.
    NoneSelected,
    /// 101, whatever is selected.
    Accepted,
    /// 101 without any extension.
    NoExtension,
    /// 101 with this extension and no other.
    Extension(&'static str),
    /// A status from 400 to 499.
    ClientError,
    /// Any answer but 101.
    Refused,
}

/// An acceptable answer to an HTTP request.
#[derive(Clone)]
pub struct Answer {
    /// Acceptable status codes, as inclusive ranges.
    pub status: Vec<(u16, u16)>,
    /// Members of the JSON body by dotted path.
    pub members: Vec<(&'static str, Shape)>,
    /// Header fields by name, and what each has to be.
    pub fields: Vec<(&'static str, Field)>,
    /// Ambiguity and reading.
    pub reading: Option<(&'static str, &'static str)>,
    /// What follows.
    pub then: Then,
}

/// What a header field has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// There, and not empty.
    Present,
    /// A list of words with this one, or `*`, which stands for every word.
    Grants(&'static str),
}

impl Field {
    fn fits(self, headers: &Headers, name: &str) -> bool {
        match self {
            Self::Present => headers.first(name).is_some_and(|value| !value.trim().is_empty()),
            Self::Grants(word) => headers
                .all(name)
                .flat_map(|value| value.split(','))
                .map(str::trim)
                .any(|found| found == "*" || found.eq_ignore_ascii_case(word)),
        }
    }
}

impl Pattern {
    /// A message without an id.
    pub const fn word(word: &'static str) -> Self {
        Self::of(What::Message { word, id: IdIs::Any, members: Vec::new() })
    }

    /// A message with this id.
    pub fn with_id(word: &'static str, id: &str) -> Self {
        Self::of(What::Message { word, id: IdIs::Is(id.into()), members: Vec::new() })
    }

    /// A message whose id is absent.
    pub const fn without_id(word: &'static str) -> Self {
        Self::of(What::Message { word, id: IdIs::Absent, members: Vec::new() })
    }

    /// A message that does not bear this id.
    pub fn with_another_id(word: &'static str, than: &str) -> Self {
        Self::of(What::Message { word, id: IdIs::IsNot(than.into()), members: Vec::new() })
    }

    /// A pong.
    pub fn pong(payload: &[u8]) -> Self {
        Self::of(What::Pong(payload.to_vec()))
    }

    /// The end of the connection, in whatever way.
    pub const fn closed() -> Self {
        Self::of(What::Closed)
    }

    /// The end of the connection with a close frame.
    pub const fn close_frame() -> Self {
        Self::of(What::CloseFrame)
    }

    /// The end of the connection with a close frame that bears this code.
    pub const fn close_code(code: u16) -> Self {
        Self::of(What::CloseCode(code))
    }

    const fn of(what: What) -> Self {
        Self { what, reading: None, then: Then::GoOn }
    }

    /// The same, with a member that has to fit.
    #[must_use]
    pub fn has(mut self, path: impl Into<Cow<'static, str>>, shape: Shape) -> Self {
        match &mut self.what {
            What::Message { members, .. } => members.push((path.into(), shape)),
            What::Pong(_) | What::Closed | What::CloseFrame | What::CloseCode(_) => {}
        }
        self
    }

    /// The same, as a reading of a disputed question.
    #[must_use]
    pub const fn reads(mut self, ambiguity: &'static str, reading: &'static str) -> Self {
        self.reading = Some((ambiguity, reading));
        self
    }

    /// The same, after which the scenario is over.
    #[must_use]
    pub const fn ends(mut self) -> Self {
        self.then = Then::End;
        self
    }

    /// Whether a frame is this. `message` is the frame's text as JSON, where it is an object.
    pub fn fits(&self, frame: &OwnedFrame, message: Option<&Json>) -> bool {
        match (&self.what, frame) {
            (What::Pong(payload), OwnedFrame::Pong(got)) => payload == got,
            (What::Closed, OwnedFrame::Close { .. } | OwnedFrame::Lost)
            | (What::CloseFrame, OwnedFrame::Close { .. }) => true,
            (What::CloseCode(wanted), OwnedFrame::Close { code, .. }) => *code == Some(*wanted),
            (What::Message { word, id, members }, OwnedFrame::Text { .. }) => message.is_some_and(|message| {
                message.get("type").and_then(Json::as_str) == Some(word)
                    && id.fits(message.get("id"))
                    && members.iter().all(|(path, shape)| shape.fits(at_path(message, path)))
            }),
            (What::Pong(_) | What::Closed | What::CloseFrame | What::CloseCode(_) | What::Message { .. }, _) => false,
        }
    }
}

impl IdIs {
    fn fits(&self, id: Option<&Json>) -> bool {
        match self {
            Self::Is(text) => id.and_then(Json::as_str) == Some(text),
            Self::Absent => id.is_none_or(|id| id.is_null() || id.as_str() == Some("")),
            Self::IsNot(text) => id.and_then(Json::as_str) != Some(text),
            Self::Any => true,
        }
    }
}

impl Shape {
    /// Whether a value, or its absence, is this.
    pub fn fits(&self, value: Option<&Json>) -> bool {
        match self {
            Self::Absent => value.is_none(),
            Self::Nothing => value.is_none_or(Json::is_null),
            Self::Present => value.is_some(),
            Self::Is(wanted) => value.is_some_and(|value| is_same(wanted, value)),
            Self::OneOf(wanted) => value.is_some_and(|value| wanted.iter().any(|w| is_same(w, value))),
            Self::JsonText(wanted) => value.is_some_and(|value| holds(value, wanted)),
            Self::Holding(part) => value.and_then(Json::as_str).is_some_and(|text| text.contains(part.as_str())),
            Self::Text => value.is_some_and(Json::is_string),
            Self::PositiveInteger => value.and_then(whole_number).is_some_and(|n| n > 0),
            Self::AtLeast(least) => value.and_then(whole_number).is_some_and(|n| n >= *least),
            Self::Object => value.is_some_and(Json::is_object),
            Self::Array => value.is_some_and(Json::is_array),
            Self::Length(length) => value.and_then(Json::as_array).is_some_and(|a| a.len() == *length),
            Self::Indices(length) => value.and_then(Json::as_array).is_some_and(|entries| indexes(entries, *length)),
            Self::LongText(least) => value.and_then(only_text).is_some_and(|text| text.chars().count() >= *least),
            Self::TextOrNothing => value.is_none_or(|value| value.is_string() || value.is_null()),
            Self::NumberOrNothing => value.is_none_or(|value| value.is_number() || value.is_null()),
            Self::Errors => !entries(value).is_empty(),
            Self::Without(part) => value.is_some_and(|value| !value.to_string().contains(part)),
            Self::Members(members) => value
                .and_then(held)
                .is_some_and(|held| members.iter().all(|(path, shape)| shape.fits(at_path(&held, path)))),
            Self::ErrorType(types) => entries(value).iter().any(|e| e.short_type().is_some_and(|t| types.contains(&t))),
            Self::ErrorMessage(words) => entries(value)
                .iter()
                .any(|e| e.message.as_ref().is_some_and(|message| message.contains(words.as_str()))),
            Self::ErrorCode(codes) => {
                let all = entries(value);
                let told: Vec<_> = all.iter().filter_map(|e| e.code).collect();
                !all.is_empty() && (told.is_empty() || told.iter().any(|c| codes.contains(c)))
            }
        }
    }
}

fn indexes(entries: &[Json], length: usize) -> bool {
    let mut told: Vec<_> = entries.iter().filter_map(|entry| entry.get("index").and_then(whole_number)).collect();
    told.sort_unstable();
    told.len() == entries.len() && told.into_iter().eq((0..length).filter_map(|n| u64::try_from(n).ok()))
}

/// A whole number that is not negative, however it is written: `3e2` and `300.0` are 300 too.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and far below 2^53")]
fn whole_number(value: &Json) -> Option<u64> {
    let whole = |number: f64| (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(whole))
}

/// Whether two values are the same by meaning, the objects included that their strings hold.
pub(crate) fn is_same(wanted: &Json, value: &Json) -> bool {
    match (wanted, value) {
        (Json::String(wanted), Json::String(value)) if wanted != value && wanted.starts_with('{') => parse_json(wanted)
            .zip(parse_json(value))
            .is_some_and(|(wanted, value)| value.is_object() && same_meaning(&wanted, &value)),
        (Json::Array(wanted), Json::Array(value)) => {
            wanted.len() == value.len() && wanted.iter().zip(value).all(|(wanted, value)| is_same(wanted, value))
        }
        (Json::Object(wanted), Json::Object(value)) => {
            wanted.len() == value.len()
                && wanted.iter().all(|(name, member)| value.get(name).is_some_and(|value| is_same(member, value)))
        }
        (wanted, value) => same_meaning(wanted, value),
    }
}

fn holds(value: &Json, wanted: &Json) -> bool {
    held(value).is_some_and(|held| same_meaning(&held, wanted))
}

/// The value whose JSON text a string holds, or the only string of an array.
fn held(value: &Json) -> Option<Json> {
    only_text(value).and_then(parse_json)
}

/// The string, or the only one of an array (EVT-A-01).
fn only_text(value: &Json) -> Option<&str> {
    match value {
        Json::String(text) => Some(text.as_str()),
        Json::Array(items) => match items.as_slice() {
            [Json::String(text)] => Some(text.as_str()),
            _ => None,
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => None,
    }
}

fn entries(value: Option<&Json>) -> Vec<ErrorEntry> {
    let Some(value) = value else { return Vec::new() };
    let text = value.to_string();
    let Ok(raw) = Raw::read(&text) else { return Vec::new() };
    match appsync_protocol::message::error_entries(Some(raw)) {
        (ErrorsForm::Array | ErrorsForm::Object, entries) => entries,
        (ErrorsForm::Absent | ErrorsForm::Malformed, _) => Vec::new(),
    }
}

/// The value at a dotted path; numbers index arrays.
pub fn at_path<'j>(value: &'j Json, path: &str) -> Option<&'j Json> {
    path.split('.').try_fold(value, |value, step| match value {
        Json::Array(items) => step.parse::<usize>().ok().and_then(|n| items.get(n)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => value.get(step),
    })
}

impl Greeting {
    /// 101 with the subprotocol selected.
    pub const fn selected(subprotocol: &'static str) -> Self {
        Self { what: Greeted::Selected(subprotocol), reading: None, then: Then::GoOn }
    }

    /// 101, whatever is selected.
    pub const fn accepted() -> Self {
        Self { what: Greeted::Accepted, reading: None, then: Then::GoOn }
    }

    /// 101 without any extension.
    pub const fn no_extension() -> Self {
        Self { what: Greeted::NoExtension, reading: None, then: Then::GoOn }
    }

    /// 101 with this extension, which the suite does not speak: nothing can follow.
    pub const fn extension(name: &'static str) -> Self {
        Self { what: Greeted::Extension(name), reading: None, then: Then::End }
    }

    /// 101 with no subprotocol selected.
    pub const fn none_selected() -> Self {
        Self { what: Greeted::NoneSelected, reading: None, then: Then::GoOn }
    }

    /// Any answer but 101; nothing can follow.
    pub const fn refused() -> Self {
        Self { what: Greeted::Refused, reading: None, then: Then::End }
    }

    /// A status from 400 to 499; nothing can follow.
    pub const fn client_error() -> Self {
        Self { what: Greeted::ClientError, reading: None, then: Then::End }
    }

    /// The same, as a reading of a disputed question.
    #[must_use]
    pub const fn reads(mut self, ambiguity: &'static str, reading: &'static str) -> Self {
        self.reading = Some((ambiguity, reading));
        self
    }

    /// The same, after which the scenario is over.
    #[must_use]
    pub const fn ends(mut self) -> Self {
        self.then = Then::End;
        self
    }

    /// Whether an answer is this.
    pub fn fits(&self, response: &Response) -> bool {
        match self.what {
            Greeted::Selected(wanted) => response.is_upgrade() && response.subprotocol() == Some(wanted),
            Greeted::NoneSelected => response.is_upgrade() && response.subprotocol().is_none(),
            Greeted::Accepted => response.is_upgrade(),
            Greeted::NoExtension => response.is_upgrade() && extensions(response).next().is_none(),
            Greeted::Extension(wanted) => response.is_upgrade() && extensions(response).eq([wanted]),
            Greeted::ClientError => (400..500).contains(&response.status),
            Greeted::Refused => !response.is_upgrade(),
        }
    }
}

/// Names of the extensions that an answer selects, without their parameters.
fn extensions(response: &Response) -> impl Iterator<Item = &str> {
    response
        .headers
        .all("sec-websocket-extensions")
        .flat_map(|value| value.split(','))
        .filter_map(|extension| extension.split(';').next())
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

impl Answer {
    /// An answer with this status.
    pub fn status(code: u16) -> Self {
        Self::between(code, code)
    }

    /// An answer with a status in this inclusive range.
    pub fn between(first: u16, last: u16) -> Self {
        Self { status: vec![(first, last)], members: Vec::new(), fields: Vec::new(), reading: None, then: Then::GoOn }
    }

    /// The same, with a member of the JSON body that has to fit.
    #[must_use]
    pub fn has(mut self, path: &'static str, shape: Shape) -> Self {
        self.members.push((path, shape));
        self
    }

    /// The same, with a header field that has to fit.
    #[must_use]
    pub fn bears(mut self, name: &'static str, field: Field) -> Self {
        self.fields.push((name, field));
        self
    }

    /// The same, as a reading of a disputed question.
    #[must_use]
    pub const fn reads(mut self, ambiguity: &'static str, reading: &'static str) -> Self {
        self.reading = Some((ambiguity, reading));
        self
    }

    /// Whether an answer is this.
    pub fn fits(&self, response: &Response) -> bool {
        let status = self.status.iter().any(|(first, last)| (*first..=*last).contains(&response.status));
        let fields = self.fields.iter().all(|(name, field)| field.fits(&response.headers, name));
        if !status || !fields || self.members.is_empty() {
            return status && fields;
        }
        let Some(body) = parse_json(&response.body.text()) else { return false };
        self.members.iter().all(|(path, shape)| shape.fits(at_path(&body, path)))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => write!(f, "{value}"),
            Self::OneOf(values) => {
                let all: Vec<_> = values.iter().map(ToString::to_string).collect();
                f.write_str(&all.join(" or "))
            }
            Self::JsonText(value) => write!(f, "the text of {value}"),
            Self::Holding(part) => write!(f, "a string with {part}"),
            Self::Text => f.write_str("a string"),
            Self::PositiveInteger => f.write_str("a whole number above 0"),
            Self::AtLeast(least) => write!(f, "a whole number of {least} or more"),
            Self::Object => f.write_str("an object"),
            Self::Array => f.write_str("an array"),
            Self::Length(n) => write!(f, "an array of {n}"),
            Self::Nothing => f.write_str("null or nothing"),
            Self::Absent => f.write_str("nothing"),
            Self::Present => f.write_str("anything"),
            Self::TextOrNothing => f.write_str("a string or nothing"),
            Self::NumberOrNothing => f.write_str("a number or nothing"),
            Self::Errors => f.write_str("errors"),
            Self::Indices(length) => write!(f, "an entry for each index below {length}"),
            Self::LongText(least) => write!(f, "a string of {least} characters or more"),
            Self::Without(part) => write!(f, "something without {part:?}"),
            Self::Members(members) => {
                f.write_str("the text of")?;
                members.iter().try_for_each(|(path, shape)| write!(f, " {path}={shape}"))
            }
            Self::ErrorType(types) => write!(f, "errors of type {}", types.join(" or ")),
            Self::ErrorMessage(words) => write!(f, "errors with the message {words:?}"),
            Self::ErrorCode(codes) => write!(f, "errors with code {codes:?} or none"),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Pong(_) => f.write_str("pong")?,
            What::Closed => f.write_str("the end of the connection")?,
            What::CloseFrame => f.write_str("a close frame")?,
            What::CloseCode(code) => write!(f, "a close frame with code {code}")?,
            What::Message { word, id, members } => {
                f.write_str(word)?;
                match id {
                    IdIs::Is(id) => write!(f, " id={id:?}")?,
                    IdIs::Absent => f.write_str(" without id")?,
                    IdIs::IsNot(id) => write!(f, " with another id than {id:?}")?,
                    IdIs::Any => {}
                }
                for (path, shape) in members {
                    write!(f, " {path}={shape}")?;
                }
            }
        }
        reading(f, self.reading)
    }
}

impl fmt::Display for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            Greeted::Selected(subprotocol) => write!(f, "101 {subprotocol}")?,
            Greeted::NoneSelected => f.write_str("101 without subprotocol")?,
            Greeted::Accepted => f.write_str("101")?,
            Greeted::NoExtension => f.write_str("101 without extension")?,
            Greeted::Extension(name) => write!(f, "101 with the extension {name}")?,
            Greeted::ClientError => f.write_str("4xx")?,
            Greeted::Refused => f.write_str("any status but 101")?,
        }
        reading(f, self.reading)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges: Vec<_> = self
            .status
            .iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect();
        f.write_str(&ranges.join(" or "))?;
        for (name, field) in &self.fields {
            match field {
                Field::Present => write!(f, " with the header {name}")?,
                Field::Grants(word) => write!(f, " with {word} in the header {name}")?,
            }
        }
        for (path, shape) in &self.members {
            write!(f, " {path}={shape}")?;
        }
        reading(f, self.reading)
    }
}

fn reading(f: &mut fmt::Formatter<'_>, reading: Option<(&str, &str)>) -> fmt::Result {
    match reading {
        Some((ambiguity, text)) => write!(f, " ({ambiguity}: {text})"),
        None => Ok(()),
    }
}
