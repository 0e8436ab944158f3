//! What faulty servers do to the values of events on their way.

use appsync_protocol::json::{Json, JsonMap, parse_json};

/// A name, and what it does. Each works on every value inside an event.
pub type Rewrite = (&'static str, fn(&mut Json));

/// Those that can be seen in any event: text, null and whole numbers.
pub const OF_TEXT: &[Rewrite] = &[
    ("composed", composed),
    ("trimmed", |event| texts(event, |text| text.trim().into())),
    ("ascii-only", |event| texts(event, |text| text.replace(|c: char| !c.is_ascii(), "?"))),
    ("two-byte-characters", |event| texts(event, |text| text.replace(|c: char| c > '\u{ffff}', "\u{fffd}"))),
    ("unix-line-breaks", |event| texts(event, |text| text.replace("\r\n", "\n"))),
    ("escaped-for-html", |event| texts(event, |text| text.replace('&', "&amp;").replace('<', "&lt;"))),
    ("percent-decoded", |event| texts(event, |text| text.replace("%20", " ").replace('+', " "))),
    ("without-byte-order-mark", |event| texts(event, |text| text.replace('\u{feff}', ""))),
    ("without-quotes", |event| texts(event, |text| text.replace('"', ""))),
    ("backslashes-doubled", |event| texts(event, |text| text.replace('\\', "\\\\"))),
    ("cut-at-1000", |event| texts(event, |text| text.chars().take(1000).collect())),
    ("cut-at-4096", |event| texts(event, |text| text.chars().take(4096).collect())),
    ("upper-case", |event| texts(event, str::to_uppercase)),
    ("null-is-left-out", null_is_left_out),
    ("null-is-empty-text", |event| each(event, &|value| replace(value, Json::Null, Json::String(String::new())))),
    ("zero-is-null", zero_is_null),
    ("numbers-are-text", |event| each(event, &numbers_are_text)),
    ("numbers-are-absolute", |event| each(event, &|value| number(value, f64::abs))),
    ("numbers-of-16-bits", |event| each(event, &|value| number(value, |n| n.clamp(-32_768.0, 32_767.0)))),
];

/// Those that take values of every kind to be seen.
pub const OF_VALUES: &[Rewrite] = &[
    ("integers-rounded", |event| each(event, &integers_rounded)),
    ("numbers-cut-to-integers", fractions_cut),
    ("numbers-of-single-precision", |event| each(event, &|value| number(value, single))),
    ("numbers-up-to-a-billion", |event| each(event, &|value| number(value, |n| n.min(1e9)))),
    ("empty-text-is-null", empty_text_is_null),
    ("lists-sorted", lists_sorted),
    ("lists-made-unique", lists_made_unique),
    ("lists-backwards", lists_backwards),
    ("nulls-left-out-of-lists", nulls_left_out_of_lists),
    ("text-null-is-null", text_null_is_null),
    ("empty-lists-are-null", empty_lists_are_null),
    ("empty-objects-are-lists", |event| each(event, &empty_objects_are_lists)),
    ("single-entries-unwrapped", |event| each(event, &single_entries_unwrapped)),
    ("truths-are-numbers", |event| each(event, &truths_are_numbers)),
    ("false-is-null", false_is_null),
    ("text-of-json-is-read", text_of_json_is_read),
    ("names-in-lower-case", |event| each(event, &|value| names(value, |name| Some(name.to_lowercase())))),
    ("empty-names-left-out", |event| each(event, &|value| names(value, |n| Some(n.into()).filter(|_| !n.is_empty())))),
    ("without-control-characters", |event| texts(event, |text| text.replace(char::is_control, ""))),
    ("null-is-an-object", |event| each(event, &|value| replace(value, Json::Null, Json::Object(JsonMap::new())))),
];

/// Composes letters and their accents.
pub fn composed(event: &mut Json) {
    texts(event, |text| text.replace("e\u{301}", "\u{e9}"));
}

/// Sends null in place of empty lists.
pub fn empty_lists_are_null(event: &mut Json) {
    each(event, &|value| replace(value, Json::Array(Vec::new()), Json::Null));
}

/// Sends null in place of empty texts.
pub fn empty_text_is_null(event: &mut Json) {
    each(event, &|value| replace(value, Json::String(String::new()), Json::Null));
}

/// Sends null in place of the text null.
pub fn text_null_is_null(event: &mut Json) {
    each(event, &|value| replace(value, Json::String("null".into()), Json::Null));
}

/// Sorts the elements of lists.
pub fn lists_sorted(event: &mut Json) {
    lists(event, |items| items.sort_by_key(ToString::to_string));
}

/// Turns lists around.
pub fn lists_backwards(event: &mut Json) {
    lists(event, |items| items.reverse());
}

/// Leaves out elements of lists that were there before.
pub fn lists_made_unique(event: &mut Json) {
    lists(event, |items| {
        let mut seen = Vec::new();
        items.retain(|item| {
            let text = item.to_string();
            let is_new = !seen.contains(&text);
            seen.push(text);
            is_new
        });
    });
}

/// Leaves nulls out of lists.
pub fn nulls_left_out_of_lists(event: &mut Json) {
    lists(event, |items| items.retain(|item| !item.is_null()));
}

/// Sends in place of a text what it reads like.
pub fn text_of_json_is_read(event: &mut Json) {
    each(event, &|value| {
        if let Json::String(text) = value
            && let Some(inner) = parse_json(text.trim_start_matches('0'))
        {
            *value = inner;
        }
    });
}

/// Sends null in place of false.
pub fn false_is_null(event: &mut Json) {
    each(event, &|value| replace(value, Json::Bool(false), Json::Null));
}

/// Cuts the fractions of numbers.
pub fn fractions_cut(event: &mut Json) {
    each(event, &|value| number(value, f64::trunc));
}

/// Leaves out members that are null.
pub fn null_is_left_out(event: &mut Json) {
    each(event, &|value| {
        if let Json::Object(members) = value {
            *members = std::mem::take(members).into_iter().filter(|(_, member)| !member.is_null()).collect();
        }
    });
}

/// Sends null in place of zero.
pub fn zero_is_null(event: &mut Json) {
    each(event, &|value| replace(value, Json::from(0), Json::Null));
}

/// Cuts text after 65,536 characters.
pub fn cut_at_64_k(event: &mut Json) {
    texts(event, |text| text.chars().take(65_536).collect());
}

/// The value and everything inside it, from inside out.
fn each(value: &mut Json, change: &dyn Fn(&mut Json)) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        Json::Object(members) => members.values_mut().for_each(|member| each(member, change)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    change(value);
}

fn texts(event: &mut Json, change: impl Fn(&str) -> String) {
    each(event, &|value| {
        if let Json::String(text) = value {
            *text = change(text);
        }
    });
}

fn lists(event: &mut Json, change: impl Fn(&mut Vec<Json>)) {
    each(event, &|value| {
        if let Json::Array(items) = value {
            change(items);
        }
    });
}

fn replace(value: &mut Json, from: Json, to: Json) {
    if *value == from {
        *value = to;
    }
}

fn number(value: &mut Json, change: impl Fn(f64) -> f64) {
    if let Some(number) = value.as_f64() {
        let changed = change(number);
        // What stays the same stays exact.
        if changed.to_bits() != number.to_bits() {
            *value = Json::from(changed);
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "that is the fault")]
fn single(number: f64) -> f64 {
    f64::from(number as f32)
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "that is the fault")]
fn integers_rounded(value: &mut Json) {
    if let Some(whole) = value.as_i64() {
        *value = Json::from(whole as f64 as i64);
    }
}

fn numbers_are_text(value: &mut Json) {
    if value.is_number() {
        *value = Json::String(value.to_string());
    }
}

fn truths_are_numbers(value: &mut Json) {
    if let Json::Bool(truth) = value {
        *value = Json::from(u8::from(*truth));
    }
}

fn empty_objects_are_lists(value: &mut Json) {
    replace(value, Json::Object(JsonMap::new()), Json::Array(Vec::new()));
}

fn single_entries_unwrapped(value: &mut Json) {
    if let Json::Array(items) = value
        && items.len() == 1
    {
        *value = items.remove(0);
    }
}

fn names(value: &mut Json, change: impl Fn(&str) -> Option<String>) {
    if let Json::Object(members) = value {
        let changed = std::mem::take(members).into_iter();
        *members = changed.filter_map(|(name, member)| change(&name).map(|name| (name, member))).collect();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_rewrite_changes_something_and_none_changes_plain_text() {
        let sample = r#"{"text":"  e\u0301 \ud83d\udd11 \r\n <&> %20+ \ufeff\" \\ \u0001 ","A":[],"":0,"o":{},
            "no":false,            "none":null,"n":-99999.125,"e":"","one":["7"],"more":["b","a","b",null],"text null":"null","big":9007199254740993,"huge":1e300}"#;
        for (name, rewrite) in OF_TEXT.iter().chain(OF_VALUES) {
            let mut event = parse_json(sample).unwrap();
            event["long"] = Json::String("x".repeat(5000));
            let before = event.clone();
            rewrite(&mut event);
            assert_ne!(event, before, "{name}");
        }
        for (name, rewrite) in OF_VALUES {
            let mut event = Json::String("plain".into());
            rewrite(&mut event);
            assert_eq!(event, Json::String("plain".into()), "{name}");
        }
    }
}
