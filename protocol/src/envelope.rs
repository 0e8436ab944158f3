//! One pass over the JSON object of a message: the only deserialiser on the hot path.
//!
//! Every known member stays a raw slice of the text, so that absent, `null` and a wrong type remain
//! three different things, and bodies are never parsed here. Duplicate and unknown members are
//! counted: serde's derived structs would take arrays for objects, and an internally tagged enum can
//! hold no raw members at all. Of several members with one name the last one counts, as in most parsers.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Text of one JSON value, unparsed.
pub type Raw = RawValue;

/// The members of a message, unparsed.
#[derive(Clone, Copy, Default)]
pub struct Envelope<'a> {
    /// `type`
    pub kind: Option<&'a Raw>,
    /// `id`
    pub id: Option<&'a Raw>,
    /// `payload` (GraphQL)
    pub payload: Option<&'a Raw>,
    /// `connectionTimeoutMs` (Events)
    pub timeout: Option<&'a Raw>,
    /// `channel` (Events)
    pub channel: Option<&'a Raw>,
    /// `event` (Events)
    pub event: Option<&'a Raw>,
    /// `events` (Events)
    pub events: Option<&'a Raw>,
    /// `authorization` (Events)
    pub authorization: Option<&'a Raw>,
    /// `errors` (Events)
    pub errors: Option<&'a Raw>,
    /// `successful` (Events)
    pub successful: Option<&'a Raw>,
    /// `failed` (Events)
    pub failed: Option<&'a Raw>,
    /// Members whose name had occurred before.
    pub duplicates: u32,
    /// Members of no known name.
    pub unknown: u32,
}

/// Why a text is not a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Not one JSON value. `at` is the byte offset where reading stopped.
    NotJson {
        /// Byte offset, at most the length of the text.
        at: usize,
    },
    /// A JSON value, but no object.
    NotAnObject,
    /// The object has no `type`.
    NoType,
    /// `type` is not a string.
    TypeNotAString,
    /// A member that the message needs is missing.
    Missing {
        /// Wire word of the message.
        word: &'static str,
        /// Name of the member.
        member: &'static str,
    },
    /// A member has another type than the message needs.
    WrongType {
        /// Wire word of the message.
        word: &'static str,
        /// Name of the member.
        member: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { at } => write!(f, "expected one JSON object; it ends or breaks at byte {at}"),
            Self::NotAnObject => f.write_str("expected a JSON object; got another JSON value"),
            Self::NoType => f.write_str("expected a member \"type\"; there is none"),
            Self::TypeNotAString => f.write_str("expected a string in \"type\"; got another JSON type"),
            Self::Missing { word, member } => write!(f, "{word} lacks \"{member}\""),
            Self::WrongType { word, member, expected } => {
                write!(f, "expected {expected} in \"{member}\" of {word}; got another JSON type")
            }
        }
    }
}

impl core::error::Error for DecodeError {}

/// Scans the object in `text`. Total: every text gives an envelope or says why not.
pub fn scan(text: &str) -> Result<Envelope<'_>, DecodeError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let scanned = reader.deserialize_map(Scan).and_then(|envelope| reader.end().map(|()| envelope));
    scanned.map_err(|error| match error.classify() {
        serde_json::error::Category::Data => object_or_not(text),
        serde_json::error::Category::Io | serde_json::error::Category::Syntax | serde_json::error::Category::Eof => {
            DecodeError::NotJson { at: offset(text, error.line(), error.column()) }
        }
    })
}

/// A value that is no object is still only "no object" if it is JSON at all.
fn object_or_not(text: &str) -> DecodeError {
    match serde_json::from_str::<&Raw>(text) {
        Ok(_) => DecodeError::NotAnObject,
        Err(error) => DecodeError::NotJson { at: offset(text, error.line(), error.column()) },
    }
}

/// Byte offset of a line and column that count from one.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column).min(text.len())
}

/// The text of a JSON string: borrowed unless it holds an escape. `None` if `raw` is no string, or one
/// that stands for no text (an unpaired surrogate).
pub fn string(raw: &Raw) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A whole number of zero or more, as JSON writes it without fraction or exponent.
pub fn whole_number(raw: &Raw) -> Option<u64> {
    raw.get().parse().ok()
}

/// Whether the value is `null`.
pub fn is_null(raw: &Raw) -> bool {
    raw.get() == "null"
}

/// Whether the value is an object.
pub fn is_object(raw: &Raw) -> bool {
    raw.get().starts_with('{')
}

/// Whether the value is an array.
pub fn is_array(raw: &Raw) -> bool {
    raw.get().starts_with('[')
}

/// The value of one member of an object, unparsed.
pub fn member<'a>(raw: &'a Raw, name: &str) -> Option<&'a Raw> {
    struct One<'n>(&'n str);
    impl<'de> Visitor<'de> for One<'_> {
        type Value = Option<&'de Raw>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut found = None;
            while let Some(is_it) = map.next_key_seed(NameIs(self.0))? {
                let value = map.next_value::<&Raw>()?;
                if is_it {
                    found = Some(value);
                }
            }
            Ok(found)
        }
    }
    serde_json::Deserializer::from_str(raw.get()).deserialize_map(One(name)).ok().flatten()
}

/// The elements of an array, unparsed; empty if it is none.
pub fn elements(raw: &Raw) -> alloc::vec::Vec<&Raw> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// The members of an object in order, values unparsed; empty if it is none.
pub fn members(raw: &Raw) -> alloc::vec::Vec<(Cow<'_, str>, &Raw)> {
    struct All;
    impl<'de> Visitor<'de> for All {
        type Value = alloc::vec::Vec<(Cow<'de, str>, &'de Raw)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut all = Self::Value::new();
            while let Some((name, value)) = map.next_entry::<&Raw, &Raw>()? {
                let name = string(name).ok_or_else(|| M::Error::custom("unreadable name"))?;
                all.push((name, value));
            }
            Ok(all)
        }
    }
    serde_json::Deserializer::from_str(raw.get()).deserialize_map(All).unwrap_or_default()
}

struct Scan;

impl<'de> Visitor<'de> for Scan {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut envelope = Envelope::default();
        while let Some(name) = map.next_key_seed(NameOf)? {
            let value = map.next_value::<&'de Raw>()?;
            envelope.put(name, value);
        }
        Ok(envelope)
    }
}

impl<'a> Envelope<'a> {
    fn put(&mut self, name: Name, value: &'a Raw) {
        let place = match name {
            Name::Kind => &mut self.kind,
            Name::Id => &mut self.id,
            Name::Payload => &mut self.payload,
            Name::Timeout => &mut self.timeout,
            Name::Channel => &mut self.channel,
            Name::Event => &mut self.event,
            Name::Events => &mut self.events,
            Name::Authorization => &mut self.authorization,
            Name::Errors => &mut self.errors,
            Name::Successful => &mut self.successful,
            Name::Failed => &mut self.failed,
            Name::Unknown => {
                self.unknown += 1;
                return;
            }
        };
        if place.replace(value).is_some() {
            self.duplicates += 1;
        }
    }
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("type", &self.kind.map(Raw::get))
            .field("duplicates", &self.duplicates)
            .field("unknown", &self.unknown)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
enum Name {
    Kind,
    Id,
    Payload,
    Timeout,
    Channel,
    Event,
    Events,
    Authorization,
    Errors,
    Successful,
    Failed,
    Unknown,
}

struct NameOf;

impl<'de> serde::de::DeserializeSeed<'de> for NameOf {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Name, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for NameOf {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(match name {
            "type" => Name::Kind,
            "id" => Name::Id,
            "payload" => Name::Payload,
            "connectionTimeoutMs" => Name::Timeout,
            "channel" => Name::Channel,
            "event" => Name::Event,
            "events" => Name::Events,
            "authorization" => Name::Authorization,
            "errors" => Name::Errors,
            "successful" => Name::Successful,
            "failed" => Name::Failed,
            _ => Name::Unknown,
        })
    }
}

struct NameIs<'n>(&'n str);

impl<'de> serde::de::DeserializeSeed<'de> for NameIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for NameIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stay_raw_and_absent_differs_from_null() {
        let envelope = scan(r#" { "type" : "data", "id": null, "payload": {"data": [1, 2 ]} } "#).unwrap();

        assert_eq!(envelope.kind.map(Raw::get), Some("\"data\""));
        assert!(envelope.id.is_some_and(is_null));
        assert_eq!(envelope.payload.map(Raw::get), Some(r#"{"data": [1, 2 ]}"#));
        assert!(envelope.event.is_none());
    }

    #[test]
    fn duplicate_and_unknown_members_are_counted_and_the_last_duplicate_counts() {
        let envelope = scan(r#"{"type":"ka","extra":1,"id":"a","id":"b","more":{}}"#).unwrap();

        assert_eq!((envelope.duplicates, envelope.unknown), (1, 2));
        assert_eq!(envelope.id.map(Raw::get), Some("\"b\""));
    }

    #[test]
    fn a_member_name_may_be_escaped() {
        let envelope = scan(r#"{"\u0074ype":"ka"}"#).unwrap();

        assert_eq!(envelope.kind.map(Raw::get), Some("\"ka\""));
    }

    #[test]
    fn an_array_is_not_taken_for_an_object() {
        for text in [r#"["data","a",{}]"#, "null", "5", "\"connection_init\"", "true"] {
            assert_eq!(scan(text).unwrap_err(), DecodeError::NotAnObject, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_says_where_it_breaks() {
        assert_eq!(scan("{\"type\":\"ka\"").unwrap_err(), DecodeError::NotJson { at: 12 });
        assert_eq!(scan("").unwrap_err(), DecodeError::NotJson { at: 0 });
        assert!(matches!(scan("{}{}").unwrap_err(), DecodeError::NotJson { .. }), "two documents");
        assert!(matches!(scan("[1,").unwrap_err(), DecodeError::NotJson { .. }));
        assert!(matches!(scan("{\"a\":\n  x}").unwrap_err(), DecodeError::NotJson { at: 7..=9 }));
    }

    #[test]
    fn deep_nesting_is_refused_or_kept_raw_but_never_overflows() {
        let deep = alloc::format!("{{\"type\":\"data\",\"payload\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));

        let scanned = scan(&deep);

        assert!(scanned.is_ok() || matches!(scanned, Err(DecodeError::NotJson { .. })));
    }

    #[test]
    fn a_string_is_borrowed_unless_it_is_escaped() {
        let plain = scan(r#"{"id":"sub-1"}"#).unwrap().id.unwrap();
        let escaped = scan(r#"{"id":"sub\u002d1"}"#).unwrap().id.unwrap();
        let lonely = scan(r#"{"id":"\ud800"}"#).unwrap().id.unwrap();

        assert!(matches!(string(plain), Some(Cow::Borrowed("sub-1"))));
        assert_eq!(string(escaped).as_deref(), Some("sub-1"));
        assert_eq!(string(lonely), None);
    }

    #[test]
    fn a_member_of_a_raw_object_is_found_unparsed() {
        let payload = scan(r#"{"payload":{"a":[1 ],"b":{"c":2}}}"#).unwrap().payload.unwrap();

        assert_eq!(member(payload, "a").map(Raw::get), Some("[1 ]"));
        assert_eq!(member(payload, "x").map(Raw::get), None);
        assert_eq!(members(payload).len(), 2);
    }
}
