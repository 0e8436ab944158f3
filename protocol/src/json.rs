//! JSON values, for the few places that look inside a body.
//!
//! Messages are scanned by [`crate::envelope`] without building values; this is for what the hub
//! compares and cuts, and for tests of one body against another.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::escape::plain;

/// A JSON value.
pub type Json = serde_json::Value;
/// Members of a JSON object; the last of several with one name wins.
pub type JsonMap = serde_json::Map<String, Json>;

/// Reads one JSON value; `None` if the text is not exactly one.
///
/// Whatever its members are called: some features of the JSON library, which any crate of a build may turn on, take an
/// object whose first member is `$serde_json::private::RawValue` for the value that is written in that member.
pub fn parse_json(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok().map(|Plain(value)| value)
}

/// A value as it is written.
struct Plain(Json);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(Plain(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Json::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut all = JsonMap::new();
        while let Some((name, Plain(value))) = members.next_entry()? {
            all.insert(name, value);
        }
        Ok(Json::Object(all))
    }
}

/// A JSON string.
pub fn json_text(text: &str) -> Json {
    Json::String(text.into())
}

/// A JSON array.
pub const fn json_array(items: Vec<Json>) -> Json {
    Json::Array(items)
}

/// The text of a value, without white space; the same as its `Display`, in a fraction of the time.
pub fn json_to_text(value: &Json) -> String {
    // Values have text for keys and finite numbers: nothing in them cannot be written.
    serde_json::to_string(value).unwrap_or_default()
}

/// Appends `text` to `out` as a JSON string with its quotes, spelled as the JSON library spells it.
pub fn push_json_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    loop {
        // What ends a run is ASCII, so it is parted between characters.
        let (run, tail) = rest.split_at(plain(rest.as_bytes()));
        out.push_str(run);
        let mut chars = tail.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some(other) => push_control(out, other),
            None => break,
        }
        rest = chars.as_str();
    }
    out.push('"');
}

fn push_control(out: &mut String, c: char) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let code = c as usize;
    out.push_str("\\u00");
    out.push(char::from(HEX[(code >> 4) & 15]));
    out.push(char::from(HEX[code & 15]));
}

/// Whether two values are the same by meaning: numbers by value (`1` is `1.0`), objects without order.
pub fn same_meaning(one: &Json, other: &Json) -> bool {
    match (one, other) {
        // Whole numbers are compared to the last digit, which a double may not have.
        (Json::Number(a), Json::Number(b)) if !a.is_f64() && !b.is_f64() => a == b,
        (Json::Number(a), Json::Number(b)) => a.as_f64().is_some() && a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_meaning(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same_meaning(v, w)))
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_string_reads_back_as_itself() {
        let texts = [
            "",
            "plain",
            "\"\\\n\r\t\u{0}\u{8}\u{b}\u{c}\u{1f}",
            "\u{2028}\u{7f}\u{10ffff}",
            "long enough, then \" and on",
        ];
        for text in texts {
            let mut out = String::new();
            push_json_string(&mut out, text);
            assert_eq!(parse_json(&out), Some(json_text(text)), "{out}");
            assert_eq!(out, alloc::string::ToString::to_string(&json_text(text)));
        }
    }

    #[test]
    fn a_member_is_a_member_whatever_the_library_calls_its_own() {
        for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
            for value in ["\"7\"", "\"{oops\"", "true"] {
                let text = alloc::format!("{{\"{name}\":{value},\"more\":[{{\"{name}\":{value}}}]}}");

                let read = parse_json(&text).unwrap();

                assert_eq!(json_to_text(&read), text);
            }
        }
    }

    #[test]
    fn numbers_and_objects_compare_by_meaning() {
        let same = |a: &str, b: &str| same_meaning(&parse_json(a).unwrap(), &parse_json(b).unwrap());

        assert!(same("1", "1.0"));
        assert!(same(r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#));
        assert!(!same("1", "\"1\""));
        assert!(!same("9007199254740993", "9007199254740992"));
        assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":2}"#));
    }
}
