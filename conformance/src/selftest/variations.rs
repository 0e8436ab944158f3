//! More legal ways to say the same: numbers, lists, error entries, ends of connections, HTTP fields.

use std::time::Duration;

use appsync_protocol::json::{Json, JsonMap, parse_json};
use appsync_protocol::wire::{Headers, OwnedFrame, Response};
use serde_json::json;

use super::benign::Listed;
use super::costume::Guise;
use super::spelling::{Numbers, Spelling, each_error, each_list, edited};

const HELD: &str = "EVT-PUB-027: textual identity is not promised; AWSJSON is read for a resolver and written again";
const NUMBERS: &str = "RFC 8259 section 6: a number is its value, however it is written";
const CLOSES: &str = "GQL-CLOSE-009, EVT-A-08: no code is documented for the ends that a server brings about";
const TIME: &str = "no requirement sets a time for an answer";
const LISTS: &str = "GQL-ERR-001, EVT-ERR-001: errors is a list, and nothing orders its entries";
const ENTRIES: &str = "EVT-PUB-009: an entry names its position, so that the order of entries means nothing";

/// Guises that mean the same as what the endpoint says by itself.
pub(super) const VARIATIONS: &[Listed<Guise>] = &[
    (
        "numbers-with-exponents",
        "Whole numbers are written with an exponent.",
        NUMBERS,
        Guise::Text(|text| Spelling { numbers: Numbers::Exponents, ..Spelling::default() }.of(text)),
    ),
    (
        "numbers-with-fractions",
        "Whole numbers are written with a fraction of zero.",
        NUMBERS,
        Guise::Text(|text| Spelling { numbers: Numbers::Fractions, ..Spelling::default() }.of(text)),
    ),
    (
        "http-numbers-with-fractions",
        "Whole numbers of bodies are written with a fraction of zero.",
        NUMBERS,
        Guise::Answer(|response| {
            rewrite(response, |text| Spelling { numbers: Numbers::Fractions, ..Spelling::default() }.of(text));
        }),
    ),
    (
        "extensions",
        "Payloads of GraphQL events have extensions.",
        "GraphQL October 2021 section 7.1: a response may have extensions",
        Guise::Text(|text| {
            edited(text, |members| {
                if let Some(payload) = members.get_mut("payload").filter(|payload| payload.get("data").is_some()) {
                    payload["extensions"] = json!({ "cost": 1 });
                }
            })
        }),
    ),
    (
        "http-extensions",
        "Results over HTTP have extensions.",
        "GraphQL October 2021 section 7.1: a response may have extensions",
        Guise::Answer(|response| {
            rewrite(response, |text| {
                edited(text, |members| {
                    if members.contains_key("data") {
                        members.insert("extensions".into(), json!({ "cost": 1 }));
                    }
                })
            });
        }),
    ),
    (
        "events-in-another-spelling",
        "The text in event is spaced, its members are reversed and its characters escaped.",
        "EVT-PUB-027: the meaning is kept, the text need not be",
        Guise::Text(|text| {
            edited(text, |members| {
                if let Some(Json::String(event)) = members.get_mut("event") {
                    let spelling =
                        Spelling { gap: " ", reversed: true, escapes: Some(|c| !c.is_ascii()), ..Spelling::default() };
                    *event = spelling.of(event);
                }
            })
        }),
    ),
    (
        "receipts-reversed",
        "Receipts name the last event first.",
        ENTRIES,
        Guise::Text(|text| edited(text, entries_reversed)),
    ),
    (
        "http-receipts-reversed",
        "Receipts over HTTP name the last event first.",
        ENTRIES,
        Guise::Answer(|response| rewrite(response, |text| edited(text, entries_reversed))),
    ),
    (
        "another-error-first",
        "Another entry stands before each error.",
        LISTS,
        Guise::Text(|text| {
            each_list(text, |errors| errors.insert(0, json!({ "errorType": "FirstException", "message": "First." })))
        }),
    ),
    (
        "errors-with-namespaces",
        "Types of errors have a namespace before them.",
        "GQL-ERR-018: clients compare without it",
        Guise::Text(|text| {
            edited(text, |members| {
                let errors = members.get_mut("payload").and_then(|payload| payload.get_mut("errors"));
                for error in errors.and_then(Json::as_array_mut).into_iter().flatten() {
                    if let Some(Json::String(of)) = error.get_mut("errorType") {
                        *of = format!("com.amazonaws.deepdish.transport.framework#{of}");
                    }
                }
            })
        }),
    ),
    (
        "errors-with-codes",
        "Every error has a code.",
        "GQL-ERR-013, EVT-ERR-003: a number, which need not be there",
        Guise::Text(|text| {
            each_error(text, |error| {
                error.entry("errorCode").or_insert_with(|| json!(400));
            })
        }),
    ),
    (
        "errors-with-empty-ids",
        "Errors of no operation have an empty id.",
        "GQL-ERR-005: absent, or an empty string; EVT-A-17: nothing is said of it",
        Guise::Text(|text| {
            edited(text, |members| {
                if members.get("type").is_some_and(|word| word == "error") {
                    members.entry("id").or_insert_with(|| json!(""));
                }
            })
        }),
    ),
    (
        "closes-with-1008",
        "The server closes with 1008.",
        CLOSES,
        Guise::Frames(|_, _, frame| closed(frame, Some(1008))),
    ),
    (
        "closes-with-4401",
        "The server closes with 4401.",
        CLOSES,
        Guise::Frames(|_, _, frame| closed(frame, Some(4401))),
    ),
    (
        "closes-without-code",
        "The server closes without a code.",
        CLOSES,
        Guise::Frames(|_, _, frame| closed(frame, None)),
    ),
    (
        "drops-in-place-of-closing",
        "The server drops the transport in place of closing.",
        CLOSES,
        Guise::Frames(|_, _, frame| match frame {
            OwnedFrame::Close { .. } => vec![OwnedFrame::Lost],
            other @ (OwnedFrame::Text { .. }
            | OwnedFrame::Binary(_)
            | OwnedFrame::Ping(_)
            | OwnedFrame::Pong(_)
            | OwnedFrame::Lost) => vec![other],
        }),
    ),
    (
        "keep-alive-before-the-end",
        "A keep-alive comes right before the server closes.",
        "GQL-KA-001, EVT-KA-001: a keep-alive may come at any time",
        Guise::Frames(|_, _, frame| match frame {
            OwnedFrame::Close { .. } => vec![OwnedFrame::text(r#"{"type":"ka"}"#), frame],
            OwnedFrame::Text { .. }
            | OwnedFrame::Binary(_)
            | OwnedFrame::Ping(_)
            | OwnedFrame::Pong(_)
            | OwnedFrame::Lost => vec![frame],
        }),
    ),
    (
        "answers-after-three-seconds",
        "Everything comes three seconds later.",
        TIME,
        Guise::Delay(|_| Duration::from_secs(3)),
    ),
    ("http-after-four-seconds", "HTTP answers take four seconds.", TIME, Guise::SlowAnswers(Duration::from_secs(4))),
    (
        "uneven-across-ids",
        "Messages of an id come up to a second later than those of another.",
        "no requirement orders messages of different ids",
        Guise::DelayById(|number| Duration::from_millis(number * 337 % 1000)),
    ),
    (
        "http-content-type",
        "The type of bodies names a character set, in upper case.",
        "RFC 9110 section 8.3: types have no case and may have parameters",
        Guise::Answer(|response| with_fields(response, "content-type", "Application/JSON; Charset=UTF-8")),
    ),
    (
        "http-line-breaks-around",
        "Line breaks stand around bodies.",
        "RFC 8259 section 2: white space between tokens means nothing",
        Guise::Answer(|response| rewrite(response, |text| format!("\n{text}\r\n"))),
    ),
    (
        "held-json-written-again",
        "JSON that strings hold is written with white space.",
        HELD,
        Guise::Text(|text| each_held(text, |held| serde_json::to_string_pretty(held).unwrap_or_default())),
    ),
    (
        "held-json-in-other-escapes",
        "JSON that strings hold is written with each letter escaped.",
        HELD,
        Guise::Text(|text| {
            each_held(text, |held| {
                Spelling { escapes: Some(|c| c.is_ascii_alphabetic()), ..Spelling::default() }.of(&held.to_string())
            })
        }),
    ),
    (
        "http-held-json-written-again",
        "JSON that strings of bodies hold is written with white space.",
        HELD,
        Guise::Answer(|response| {
            rewrite(response, |text| each_held(text, |held| serde_json::to_string_pretty(held).unwrap_or_default()));
        }),
    ),
    (
        "refused-connections-told-twice",
        "A refused connection is told so twice before it ends.",
        "GQL-ERR-024, EVT-CLOSE-008: the end is what is due, and not silence until then",
        Guise::Frames(|_, _, frame| match &frame {
            OwnedFrame::Text { text, .. } if text.contains(r#""connection_error""#) => vec![frame.clone(), frame],
            OwnedFrame::Text { .. }
            | OwnedFrame::Binary(_)
            | OwnedFrame::Ping(_)
            | OwnedFrame::Pong(_)
            | OwnedFrame::Close { .. }
            | OwnedFrame::Lost => vec![frame],
        }),
    ),
    (
        "refused-subscriptions-without-words",
        "The entries of a subscribe_error have no message.",
        "EVT-ERR-002: a message is optional",
        Guise::Text(|text| {
            if text.contains(r#""subscribe_error""#) {
                each_error(text, |error| drop(error.remove("message")))
            } else {
                text.into()
            }
        }),
    ),
];

/// Writes the JSON objects and arrays that strings hold in another way; a string that holds none stays.
fn each_held(text: &str, write: fn(&Json) -> String) -> String {
    fn walk(value: &mut Json, write: fn(&Json) -> String) {
        match value {
            Json::String(text) => {
                if let Some(held) = parse_json(text).filter(|held| held.is_object() || held.is_array()) {
                    *text = write(&held);
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| walk(item, write)),
            Json::Object(members) => members.values_mut().for_each(|member| walk(member, write)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    let Some(mut value) = parse_json(text) else { return text.into() };
    walk(&mut value, write);
    value.to_string()
}

fn closed(frame: OwnedFrame, code: Option<u16>) -> Vec<OwnedFrame> {
    vec![match frame {
        OwnedFrame::Close { .. } => OwnedFrame::Close { code, reason: String::new() },
        other @ (OwnedFrame::Text { .. }
        | OwnedFrame::Binary(_)
        | OwnedFrame::Ping(_)
        | OwnedFrame::Pong(_)
        | OwnedFrame::Lost) => other,
    }]
}

fn entries_reversed(members: &mut JsonMap) {
    for list in ["successful", "failed"] {
        if let Some(Json::Array(entries)) = members.get_mut(list) {
            entries.reverse();
        }
    }
}

fn with_fields(response: &mut Response, wanted: &str, value: &str) {
    let mut headers = Headers::new();
    for (name, before) in response.headers.iter() {
        headers.push(name, if name.eq_ignore_ascii_case(wanted) { value } else { before });
    }
    response.headers = headers;
}

fn rewrite(response: &mut Response, write: impl FnOnce(&str) -> String) {
    let text = response.body.text().into_owned();
    if parse_json(&text).is_some() {
        response.body = write(&text).into();
    }
}
