//! The members of a message: one pass over its JSON object.
//!
//! Every known member stays a raw slice of the text, so that absent, `null` and a wrong type remain
//! three different things, and bodies are never parsed here. Duplicate and unknown members are
//! counted: serde's derived structs would take arrays for objects, and an internally tagged enum can
//! hold no raw members at all. Of several members with one name the last one counts, as in most parsers.

use core::fmt;

use crate::raw::Walk;
pub use crate::raw::{Raw, RawBuf, elements, is_array, is_null, is_object, member, members, string, whole_number};

/// The members of a message, unparsed.
#[derive(Clone, Copy, Default)]
pub struct Envelope<'a> {
    /// `type`
    pub kind: Option<Raw<'a>>,
    /// `id`
    pub id: Option<Raw<'a>>,
    /// `payload` (GraphQL)
    pub payload: Option<Raw<'a>>,
    /// `connectionTimeoutMs` (Events)
    pub timeout: Option<Raw<'a>>,
    /// `channel` (Events)
    pub channel: Option<Raw<'a>>,
    /// `event` (Events)
    pub event: Option<Raw<'a>>,
    /// `events` (Events)
    pub events: Option<Raw<'a>>,
    /// `authorization` (Events)
    pub authorization: Option<Raw<'a>>,
    /// `errors` (Events)
    pub errors: Option<Raw<'a>>,
    /// `successful` (Events)
    pub successful: Option<Raw<'a>>,
    /// `failed` (Events)
    pub failed: Option<Raw<'a>>,
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
    let mut envelope = Envelope::default();
    fill(&mut envelope, text)?;
    Ok(envelope)
}

/// The same where the members are to stand: an envelope is long, and to move it is a good part of what a short message
/// costs.
#[inline]
pub(crate) fn fill<'a>(envelope: &mut Envelope<'a>, text: &'a str) -> Result<(), DecodeError> {
    let mut walk = Walk::new(text);
    if walk.begin() != Some(b'{') {
        // A value that is no object is still only "no object" if it is JSON at all.
        return Err(Raw::read(text).map_or_else(|at| DecodeError::NotJson { at }, |_| DecodeError::NotAnObject));
    }
    let walked = walk.object(|name, value| envelope.put(&name, value));
    match walked.filter(|()| walk.at_end()) {
        Some(()) => Ok(()),
        None => Err(DecodeError::NotJson { at: walk.at() }),
    }
}

impl<'a> Envelope<'a> {
    fn put(&mut self, name: &str, value: Raw<'a>) {
        let place = match name {
            "type" => &mut self.kind,
            "id" => &mut self.id,
            "payload" => &mut self.payload,
            "connectionTimeoutMs" => &mut self.timeout,
            "channel" => &mut self.channel,
            "event" => &mut self.event,
            "events" => &mut self.events,
            "authorization" => &mut self.authorization,
            "errors" => &mut self.errors,
            "successful" => &mut self.successful,
            "failed" => &mut self.failed,
            _ => {
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

#[cfg(test)]
mod tests {
    use alloc::borrow::Cow;

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
    fn deep_nesting_is_kept_raw_and_never_overflows() {
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        let deep = |close: &str| alloc::format!("{{\"type\":\"data\",\"payload\":{open}{close}}}");

        assert!(scan(&deep(&close)).unwrap().payload.is_some_and(is_array));
        assert!(matches!(scan(&deep("")), Err(DecodeError::NotJson { at: 100_025 })));
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
