//! The reader of messages against the JSON library: what one accepts the other accepts, with the same members.
//!
//! The oracle is `serde_json` with raw values, which keeps numbers of any size and any depth, as the reader does.
#![allow(clippy::unwrap_used, reason = "tests")]

use core::fmt;

use appsync_protocol::envelope::{DecodeError, Raw, elements, member, members, scan, string};
use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members that an envelope has a place for.
const KNOWN: [&str; 11] = [
    "type",
    "id",
    "payload",
    "connectionTimeoutMs",
    "channel",
    "event",
    "events",
    "authorization",
    "errors",
    "successful",
    "failed",
];

/// Messages that are mutated byte by byte: every kind of token, white space, escapes, letters beyond ASCII.
const SAMPLES: [&str; 6] = [
    r#"{"id":"0b9c","type":"data","payload":{"data":{"subscribe2channel":{"name":"robots","data":"{\"x\":31}"}}}}"#,
    r#" { "type" : "publish" , "id" : "1" , "channel" : "/a/*" , "events" : [ "{}" , "\"\u00e9\"" ] } "#,
    r#"{"type":"connection_ack","connectionTimeoutMs":300000,"a":-0.5e+10,"b":[0,1E-2,true,false,null,{},[]]}"#,
    "{\"\\u0074ype\":\"ka\",\"type\":\"ka\",\n\t\"more\":\"\u{e9}\u{1f916}\\ud83e\\udd16\\b\\/\",\"id\":null}\r\n",
    r#"{"errors":[{"errorType":"X","errorCode":400}],"successful":[],"failed":[[[{"a":{"b":[[]]}}]]]}"#,
    r#"[{"type":"ka"},"connection_init",-1.5,null]"#,
];

/// Characters that mean something to JSON somewhere, and the edges of what it takes.
const MEANT: &str = "{}[]:,\"\\/+-.0159aAbeEfFgnrtux \t\n\r\u{0}\u{b}\u{1f}\u{7f}\u{a0}";

/// What a reader makes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reading {
    Members { known: Vec<Option<String>>, duplicates: u32, unknown: u32 },
    NotAnObject,
    NotJson,
}

/// The members of an object in order, by the JSON library.
struct InOrder<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for InOrder<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = InOrder<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(InOrder(all))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

fn theirs(text: &str) -> Reading {
    if let Ok(InOrder(all)) = serde_json::from_str::<InOrder<'_>>(text) {
        let of = |name: &'static str| all.iter().filter(move |(n, _)| n == name);
        let known = KNOWN.iter().map(|name| of(name).next_back().map(|(_, value)| value.get().to_owned())).collect();
        let duplicates = KNOWN.iter().map(|name| of(name).count().saturating_sub(1)).sum::<usize>();
        let unknown = all.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())).count();
        let count = |number| u32::try_from(number).unwrap();
        return Reading::Members { known, duplicates: count(duplicates), unknown: count(unknown) };
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) if !value.get().starts_with('{') => Reading::NotAnObject,
        // An object of which a name stands for no text cannot be read either.
        Ok(_) | Err(_) => Reading::NotJson,
    }
}

fn ours(text: &str) -> Reading {
    match scan(text) {
        Ok(e) => {
            let places = [
                e.kind,
                e.id,
                e.payload,
                e.timeout,
                e.channel,
                e.event,
                e.events,
                e.authorization,
                e.errors,
                e.successful,
                e.failed,
            ];
            let known = places.iter().map(|place| place.map(|raw| raw.get().to_owned())).collect();
            Reading::Members { known, duplicates: e.duplicates, unknown: e.unknown }
        }
        Err(DecodeError::NotAnObject) => Reading::NotAnObject,
        Err(DecodeError::NotJson { at }) => {
            stops_where_the_text_cannot_go_on(text, at);
            Reading::NotJson
        }
        Err(other) => panic!("{text:?}: {other}"),
    }
}

/// What stands before the offset is at most cut short.
fn stops_where_the_text_cannot_go_on(text: &str, at: usize) {
    let before = text.get(..at).unwrap_or_else(|| panic!("{at} is no offset in {text:?}"));
    if let Err(DecodeError::NotJson { at: earlier }) = scan(before) {
        assert_eq!(earlier, at, "{before:?}");
    }
}

/// The values inside, however deep, by both.
fn same_inside(text: &str) {
    let (raw, value) = (Raw::read(text).unwrap(), serde_json::from_str::<&RawValue>(text).unwrap());
    assert_eq!(raw.get(), value.get());
    assert_eq!(string(raw).map(String::from), serde_json::from_str::<String>(value.get()).ok(), "{text:?}");

    let theirs: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
    let ours = elements(raw);
    assert_eq!(texts(&ours), theirs.iter().map(|value| value.get()).collect::<Vec<_>>());
    ours.iter().for_each(|element| same_inside(element.get()));

    let theirs = serde_json::from_str::<InOrder<'_>>(value.get()).map_or_else(|_| Vec::new(), |InOrder(all)| all);
    let ours = members(raw);
    assert_eq!(ours.len(), theirs.len(), "{text:?}");
    for ((name, value), (their_name, their_value)) in ours.iter().zip(&theirs) {
        assert_eq!((name.as_ref(), value.get()), (their_name.as_str(), their_value.get()));
        let last = theirs.iter().rfind(|(n, _)| n == their_name).map(|(_, value)| value.get());
        assert_eq!(member(raw, name).map(Raw::get), last);
        same_inside(value.get());
    }
}

fn texts<'a>(raws: &[Raw<'a>]) -> Vec<&'a str> {
    raws.iter().map(|raw| raw.get()).collect()
}

/// Every beginning of `text`, and every text that one of [`MEANT`] more, less or else makes of it.
fn neighbours(text: &str) -> impl Iterator<Item = String> {
    let cuts = text.char_indices().map(|(at, _)| text[..at].to_owned());
    let edits = text.char_indices().flat_map(move |(at, old)| {
        let (before, behind) = (&text[..at], &text[at + old.len_utf8()..]);
        let inserted = MEANT.chars().map(move |new| format!("{before}{new}{old}{behind}"));
        let replaced = MEANT.chars().map(move |new| format!("{before}{new}{behind}"));
        inserted.chain(replaced).chain([format!("{before}{behind}")])
    });
    let appended = MEANT.chars().map(move |new| format!("{text}{new}"));
    cuts.chain(edits).chain(appended)
}

#[test]
fn a_message_with_one_character_wrong_is_read_as_the_library_reads_it() {
    let (mut read, mut refused, mut no_object) = (0, 0, 0);
    for text in SAMPLES.into_iter().flat_map(neighbours) {
        let reading = ours(&text);
        assert_eq!(reading, theirs(&text), "{text:?}");
        *match reading {
            Reading::Members { .. } => &mut read,
            Reading::NotAnObject => &mut no_object,
            Reading::NotJson => &mut refused,
        } += 1;
    }

    // Otherwise the mutations would show one side only.
    assert!(read > 5_000 && refused > 5_000 && no_object > 500, "{read} {refused} {no_object}");
}

#[test]
fn a_bracket_closes_what_was_opened_last_at_any_depth() {
    for depth in [1, 2, 63, 64, 65, 127, 128, 129, 300] {
        // Objects and arrays in an order that has no period of 64.
        let objects: Vec<bool> = (0..depth).map(|level| level * level % 7 < 3).collect();
        let open: String = objects.iter().map(|object| if *object { "{\"a\":" } else { "[" }).collect();
        let close: String = objects.iter().rev().map(|object| if *object { '}' } else { ']' }).collect();
        let nested = |close: &str| format!("{{\"payload\":{open}0{close}}}");

        let whole = nested(&close);
        assert_eq!(ours(&whole), theirs(&whole), "{depth}");
        assert!(matches!(ours(&whole), Reading::Members { .. }), "{depth}");
        for at in 0..depth {
            let wrong = if &close[at..=at] == "}" { "]" } else { "}" };
            let text = nested(&format!("{}{wrong}{}", &close[..at], &close[at + 1..]));
            assert_eq!(ours(&text), Reading::NotJson, "bracket {at} of {depth}");
        }
    }
}

#[test]
fn a_name_that_stands_for_no_text_is_refused_and_a_value_is_kept() {
    assert_eq!(ours(r#"{"type":"ka","\ud800":1}"#), Reading::NotJson);
    assert!(matches!(ours(r#"{"type":"ka","id":"\ud800","payload":{"\udc00":1}}"#), Reading::Members { .. }));
    assert!(members(Raw::read(r#"{"a":1,"\udc00":1}"#).unwrap()).is_empty());
}

#[test]
fn a_raw_value_does_not_print_its_text() {
    assert_eq!(format!("{:?}", Raw::read(" \"secret\" ").unwrap()), "Raw(8 bytes)");
}

fn blank() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \t\r\n]{1,3}"]
}

/// A string with its quotes.
fn any_quoted() -> impl Strategy<Value = String> {
    let plain = "[a-z /\u{7f}\u{e9}\u{20ac}\u{1f916}]{0,12}";
    let escaped = prop_oneof![
        r#"\\["\\/bfnrt]"#,
        "\\\\u[0-9a-fA-F]{4}",
        Just("\\ud83e\\uDD16".to_owned()),
        Just("\\ud800".to_owned()),
    ];
    proptest::collection::vec(prop_oneof![3 => plain, 1 => escaped], 0..4)
        .prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => proptest::sample::select(&KNOWN[..]).prop_map(|name| format!("\"{name}\"")),
        1 => Just(r#""\u0069d""#.to_owned()),
        2 => any_quoted(),
    ]
}

fn any_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any_quoted(),
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?",
        proptest::sample::select(&["true", "false", "null"][..]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        let items = proptest::collection::vec(padded(inner.clone()), 0..4);
        prop_oneof![items.prop_map(|items| format!("[{}]", listed(&items))), object_of(inner.boxed())]
    })
}

fn object_of(value: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let member = (padded(any_name()), padded(value)).prop_map(|(name, value)| format!("{name}:{value}"));
    proptest::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", listed(&members)))
}

/// With white space around it.
fn padded(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (blank(), value, blank()).prop_map(|(before, value, behind)| format!("{before}{value}{behind}"))
}

fn listed(items: &[String]) -> String {
    items.join(",")
}

/// Tokens and pieces of them in any order: much nearer to JSON than arbitrary letters.
fn any_soup() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(
        &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\\u",
            "\\ud800",
            "0",
            "12",
            "-",
            ".",
            "e",
            "E+",
            "true",
            "nul",
            " ",
            "\n",
            "\u{b}",
            "\u{0}",
            "\u{a0}",
            "\u{feff}",
            "\u{e9}",
            "\"id\"",
            "\"type\":",
            "\"a\":1",
            "{}",
            "[]",
        ][..],
    );
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn an_object_in_any_spelling_is_read_as_the_library_reads_it(text in padded(object_of(any_value().boxed()))) {
        prop_assert_eq!(ours(&text), theirs(&text));
        same_inside(&text);
    }

    #[test]
    fn an_object_with_one_character_wrong_is_read_as_the_library_reads_it(
        text in object_of(any_value().boxed()),
        at in any::<proptest::sample::Index>(),
        new in proptest::option::of(any::<char>()),
        keep in any::<bool>(),
    ) {
        let mut letters: Vec<char> = text.chars().collect();
        let at = at.index(letters.len());
        letters.splice(at..at + usize::from(!keep), new);
        let text: String = letters.into_iter().collect();

        prop_assert_eq!(ours(&text), theirs(&text));
    }

    #[test]
    fn a_text_of_any_kind_is_read_as_the_library_reads_it(
        text in prop_oneof![any::<String>(), any_soup(), any_soup().prop_map(|soup| format!("{{\"id\":{soup}}}"))],
    ) {
        prop_assert_eq!(ours(&text), theirs(&text));
    }
}
