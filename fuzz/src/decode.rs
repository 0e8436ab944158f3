//! Any text is a message or says why not, and the JSON library agrees.
//!
//! The invariant: what is an object by the library is one by the reader, with the same members, the last of several with
//! one name, and the same values; a message is accepted exactly if a second, plain reading of its table accepts it; what
//! is read, written and read again has the same meaning.

use std::fmt;

use appsync_protocol::dialect::{Dialect, decode, encode};
use appsync_protocol::envelope::{DecodeError, Envelope, Raw, elements, members, scan, string, whole_number};
use appsync_protocol::json::parse_json;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::reach::Point;

static OBJECT: Point = Point::new("decode/object");
static NO_OBJECT: Point = Point::new("decode/no-object");
static DUPLICATE: Point = Point::new("decode/duplicate");
static VALUE: Point = Point::new("decode/value");
static MARKED: Point = Point::new("decode/marked");
static ACCEPTED: Point = Point::new("decode/accepted");
static REFUSED: Point = Point::new("decode/refused");
/// Where the oracle speaks.
pub static POINTS: [&Point; 7] = [&OBJECT, &NO_OBJECT, &DUPLICATE, &VALUE, &MARKED, &ACCEPTED, &REFUSED];

/// What the library calls the only member of an object that it takes for the value which is written in that member.
const MARK: &str = "$serde_json::private::";

/// Values are compared one by one up to this size; what is longer is compared as text only.
const VALUE_MAX: usize = 4096;

/// One input.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let library = serde_json::from_str::<Members<'_>>(text);
    let known = match (scan(text), library) {
        (Ok(envelope), Ok(library)) => {
            OBJECT.reached();
            let known = known(&envelope);
            same_members(&envelope, &known, &library.0);
            known
        }
        (Err(DecodeError::NotJson { at }), Err(_)) => {
            NO_OBJECT.reached();
            assert!(at <= text.len(), "{text:?}: {at}");
            return;
        }
        (Err(_), Err(_)) => return NO_OBJECT.reached(),
        (ours, library) => panic!("{text:?}: {ours:?}, and the library says {:?}", library.map(|_| ())),
    };
    for dialect in Dialect::ALL {
        let decoded = decode(dialect, text);
        assert_eq!(decoded.as_ref().err(), refusal(dialect, &known).as_ref(), "{dialect} {text:?}");
        let Ok(decoded) = decoded else {
            REFUSED.reached();
            continue;
        };
        ACCEPTED.reached();
        let mut written = String::new();
        encode(dialect, &decoded.message, &mut written);
        let again = decode(dialect, &written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
        assert_eq!(again.message.id(), decoded.message.id());
        assert_eq!(std::mem::discriminant(&again.message), std::mem::discriminant(&decoded.message));
        let mut twice = String::new();
        encode(dialect, &again.message, &mut twice);
        assert_eq!(twice, written);
    }
}

/// The members of an object in order, repeated ones too, as the library reads them.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// The members that a message can have.
type Known<'a> = [(&'static str, Option<Raw<'a>>); 11];

const fn known<'a>(envelope: &Envelope<'a>) -> Known<'a> {
    [
        ("type", envelope.kind),
        ("id", envelope.id),
        ("payload", envelope.payload),
        ("connectionTimeoutMs", envelope.timeout),
        ("channel", envelope.channel),
        ("event", envelope.event),
        ("events", envelope.events),
        ("authorization", envelope.authorization),
        ("errors", envelope.errors),
        ("successful", envelope.successful),
        ("failed", envelope.failed),
    ]
}

fn same_members(envelope: &Envelope<'_>, known: &Known<'_>, library: &[(String, &RawValue)]) {
    let mut named = 0;
    let mut kinds = 0;
    for (name, ours) in *known {
        let mut theirs = library.iter().filter(|(own, _)| own == name).map(|(_, value)| *value);
        named += theirs.clone().count();
        kinds += usize::from(ours.is_some());
        let last = theirs.next_back();
        assert_eq!(ours.map(Raw::get), last.map(RawValue::get), "{name}");
        if let Some(ours) = ours.filter(|ours| ours.get().len() <= VALUE_MAX) {
            same_value(ours);
        }
    }
    assert_eq!(envelope.unknown as usize, library.len() - named);
    assert_eq!(envelope.duplicates as usize, named - kinds);
    if envelope.duplicates > 0 {
        DUPLICATE.reached();
    }
}

/// What the reader makes of a value, against the library.
fn same_value(ours: Raw<'_>) {
    let text = ours.get();
    let theirs = parse_json(text);
    if is_marked(ours) {
        MARKED.reached();
    } else {
        assert_eq!(theirs, serde_json::from_str::<Value>(text).ok(), "{text}");
    }
    // Unpaired surrogates, numbers beyond all measure, and depth: the library reads such values as text only.
    let Some(theirs) = theirs else { return };
    VALUE.reached();
    assert_eq!(string(ours).as_deref(), theirs.as_str(), "{text}");
    if theirs.is_number() && text.len() <= 15 {
        let by_value = theirs.as_f64().filter(|v| *v >= 0.0 && !v.is_sign_negative() && v.fract() == 0.0);
        let by_value = by_value.filter(|v| *v <= 9_007_199_254_740_991.0).map(|v| format!("{v:.0}"));
        assert_eq!(whole_number(ours).map(|n| n.to_string()), by_value, "{text}");
    }
    let items = theirs.as_array().map_or(0, Vec::len);
    assert_eq!(elements(ours).len(), items, "{text}");
    if let Some(object) = theirs.as_object() {
        let all = members(ours);
        let last = |name: &str| all.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.get());
        for (name, value) in object {
            let read = last(name).and_then(parse_json);
            assert_eq!(read.as_ref(), Some(value), "{name} of {text}");
        }
        assert!(all.iter().all(|(name, _)| object.contains_key(&**name)), "{text}");
    }
}

/// Whether a member is called so, one that another with its name replaces too.
fn is_marked(value: Raw<'_>) -> bool {
    let could_be = ["serde_json", "\\u"].iter().any(|part| value.get().contains(part));
    could_be
        && (members(value).iter().any(|(name, value)| name.starts_with(MARK) || is_marked(*value))
            || elements(value).iter().any(|item| is_marked(*item)))
}

/// What a needed member has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    TextOrNull,
    Object,
    Array,
    Any,
}

/// Word, dialect, and what the message needs in the order in which it is looked at.
type Needs = (&'static str, Dialect, &'static [(&'static str, Form)]);

/// The tables of both dialects once more.
const NEEDS: [Needs; 17] = [
    ("start", Dialect::Graphql, &[("id", Form::Text), ("payload", Form::Object)]),
    ("start_ack", Dialect::Graphql, &[("id", Form::Text)]),
    ("data", Dialect::Graphql, &[("id", Form::Text), ("payload", Form::Object)]),
    ("stop", Dialect::Graphql, &[("id", Form::Text)]),
    ("complete", Dialect::Graphql, &[("id", Form::Text)]),
    ("error", Dialect::Graphql, &[("id", Form::TextOrNull)]),
    ("subscribe", Dialect::Events, &[("id", Form::Text), ("channel", Form::Any)]),
    ("subscribe_success", Dialect::Events, &[("id", Form::Text)]),
    ("subscribe_error", Dialect::Events, &[("id", Form::TextOrNull)]),
    ("data", Dialect::Events, &[("id", Form::Text), ("event", Form::Any)]),
    ("broadcast_error", Dialect::Events, &[("id", Form::Text)]),
    ("unsubscribe", Dialect::Events, &[("id", Form::Text)]),
    ("unsubscribe_success", Dialect::Events, &[("id", Form::Text)]),
    ("unsubscribe_error", Dialect::Events, &[("id", Form::TextOrNull)]),
    ("publish", Dialect::Events, &[("events", Form::Array), ("id", Form::Text), ("channel", Form::Any)]),
    ("publish_success", Dialect::Events, &[("id", Form::Text)]),
    ("publish_error", Dialect::Events, &[("id", Form::TextOrNull)]),
];

fn refusal(dialect: Dialect, known: &Known<'_>) -> Option<DecodeError> {
    let of = |member: &str| known.iter().find(|(name, _)| *name == member).and_then(|(_, value)| *value);
    let Some(kind) = of("type") else { return Some(DecodeError::NoType) };
    let Ok(said) = serde_json::from_str::<String>(kind.get()) else { return Some(DecodeError::TypeNotAString) };
    // `error` is a word of both dialects and the same in both.
    let row = NEEDS.iter().find(|(word, of, _)| *word == said && (*of == dialect || said == "error"));
    let (word, _, needs) = row?;
    needs.iter().find_map(|(member, form)| {
        let Some(value) = of(member) else {
            return (*form != Form::TextOrNull).then_some(DecodeError::Missing { word, member });
        };
        let is_text = serde_json::from_str::<String>(value.get()).is_ok();
        let (fits, expected) = match form {
            Form::Text => (is_text, "a string"),
            Form::TextOrNull => (is_text || value.get() == "null", "a string"),
            Form::Object => (value.get().starts_with('{'), "an object"),
            Form::Array => (value.get().starts_with('['), "an array"),
            Form::Any => (true, ""),
        };
        (!fits).then_some(DecodeError::WrongType { word, member, expected })
    })
}
