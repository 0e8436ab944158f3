//! Legal ways to say the same: spelling, white space, further members, keep-alives, timing, header fields.

use std::time::Duration;

use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::wire::{Headers, OwnedFrame, Response};
use serde_json::json;

use super::benign::Listed;
use super::costume::Guise;
use super::spelling::{Spelling, each_error, each_list, edited, reword};

const MEMBERS: &str = "RFC 8259 section 4: members have no order, and readers ignore unknown ones";
const SPACE: &str = "RFC 8259 section 2: white space between tokens means nothing";
const ESCAPE: &str = "RFC 8259 section 7: any character may be escaped";
const KA: &str = "GQL-KA-001, EVT-KA-001: a keep-alive may come at any time";
const PING: &str = "RFC 6455 section 5.5: control frames may come at any time";
const FRAGMENTS: &str = "RFC 6455 section 5.4: any message may be fragmented";
const TIME: &str = "no requirement sets a time for an answer";
const WORDING: &str = "GQL-ERR-001, EVT-ERR-001: wording of messages is no rule";
const HEADERS: &str = "RFC 9110 section 5: names of fields have no case, unknown fields are ignored";

/// Guises that mean the same as what the endpoint says by itself.
pub(super) const GUISES: &[Listed<Guise>] = &[
    (
        "unknown-member",
        "Every message has a member more.",
        MEMBERS,
        Guise::Text(|text| {
            edited(text, |members| {
                members.insert("traceId".into(), json!("1-67891233"));
            })
        }),
    ),
    (
        "unknown-member-first",
        "Every message begins with a member more.",
        MEMBERS,
        Guise::Text(|text| {
            edited(text, |members| {
                members.insert("_".into(), json!(0));
            })
        }),
    ),
    (
        "unknown-members-with-depth",
        "Every message has an object and a list more.",
        MEMBERS,
        Guise::Text(|text| {
            edited(text, |members| {
                members.insert("meta".into(), json!({ "type": "data", "id": "other", "list": [[], {}, null] }));
                members.insert("zz".into(), json!([1, "}", { "id": 2 }]));
            })
        }),
    ),
    (
        "unknown-member-in-payload",
        "Every payload has a member more.",
        MEMBERS,
        Guise::Text(|text| {
            edited(text, |members| {
                let acknowledges = members.get("type").is_some_and(|word| word == "connection_ack");
                if let Some(Json::Object(payload)) = members.get_mut("payload").filter(|_| acknowledges) {
                    payload.insert("region".into(), json!("eu-central-1"));
                }
            })
        }),
    ),
    (
        "members-by-name",
        "Members stand in alphabetical order.",
        MEMBERS,
        Guise::Text(|text| Spelling::default().of(text)),
    ),
    (
        "members-reversed",
        "Members stand in reverse order.",
        MEMBERS,
        Guise::Text(|text| Spelling { reversed: true, ..Spelling::default() }.of(text)),
    ),
    (
        "spaces",
        "A space stands between all tokens.",
        SPACE,
        Guise::Text(|text| Spelling { gap: " ", ..Spelling::default() }.of(text)),
    ),
    (
        "line-breaks",
        "A line break stands between all tokens.",
        SPACE,
        Guise::Text(|text| Spelling { gap: "\r\n", ..Spelling::default() }.of(text)),
    ),
    (
        "tabs-reversed",
        "Tabs between tokens, members reversed.",
        SPACE,
        Guise::Text(|text| Spelling { gap: "\t\t", reversed: true, ..Spelling::default() }.of(text)),
    ),
    ("trailing-line-break", "Every message ends with a line break.", SPACE, Guise::Text(|text| format!("{text}\n"))),
    (
        "escaped-letters",
        "Letters of strings are escaped.",
        ESCAPE,
        Guise::Text(|text| Spelling { escapes: Some(|c| c.is_ascii_alphabetic()), ..Spelling::default() }.of(text)),
    ),
    (
        "escaped-everything",
        "Every character is escaped, names of members too.",
        ESCAPE,
        Guise::Text(|text| Spelling { escapes: Some(|_| true), names: true, ..Spelling::default() }.of(text)),
    ),
    (
        "escaped-upper-case",
        "Every character is escaped with digits in upper case.",
        ESCAPE,
        Guise::Text(|text| Spelling { escapes: Some(|_| true), upper: true, ..Spelling::default() }.of(text)),
    ),
    (
        "escaped-beyond-ascii",
        "Characters beyond ASCII are escaped.",
        ESCAPE,
        Guise::Text(|text| Spelling { escapes: Some(|c| !c.is_ascii()), ..Spelling::default() }.of(text)),
    ),
    (
        "escaped-slashes",
        "Slashes are escaped.",
        ESCAPE,
        Guise::Text(|text| Spelling { escapes: Some(|c| c == '/'), ..Spelling::default() }.of(text)),
    ),
    (
        "other-words",
        "Errors are worded differently.",
        WORDING,
        Guise::Text(|text| {
            each_error(text, |error| {
                reword(error, json!("Das ging schief."));
            })
        }),
    ),
    (
        "wordy-errors",
        "Errors have very long messages.",
        WORDING,
        Guise::Text(|text| {
            each_error(text, |error| {
                reword(error, json!("why ".repeat(500)));
            })
        }),
    ),
    (
        "errors-with-more",
        "Errors have further members.",
        MEMBERS,
        Guise::Text(|text| {
            each_error(text, |error| {
                error.insert("traceId".into(), json!("1-67891233"));
                error.insert("hints".into(), json!([{ "line": 1, "column": 1 }]));
            })
        }),
    ),
    (
        "further-error",
        "A second entry stands after each error.",
        "GQL-ERR-001, EVT-ERR-001: errors is a list",
        Guise::Text(|text| {
            each_list(text, |errors| errors.push(json!({ "errorType": "FurtherException", "message": "And more." })))
        }),
    ),
    (
        "keep-alive-before-everything",
        "A keep-alive comes before every message.",
        KA,
        Guise::Frames(|_, _, frame| if is_text(&frame) { vec![ka(), frame] } else { vec![frame] }),
    ),
    (
        "keep-alive-after-everything",
        "A keep-alive comes after every message.",
        KA,
        Guise::Frames(|_, _, frame| if is_text(&frame) { vec![frame, ka()] } else { vec![frame] }),
    ),
    (
        "keep-alive-bursts",
        "Three keep-alives come around every message.",
        KA,
        Guise::Frames(|_, _, frame| if is_text(&frame) { vec![ka(), ka(), frame, ka()] } else { vec![frame] }),
    ),
    (
        "keep-alive-with-more",
        "Keep-alives have a member more.",
        MEMBERS,
        Guise::Text(|text| {
            if text.contains(r#""ka""#) { r#"{"at":"2026-01-01T00:00:00Z","type":"ka"}"#.into() } else { text.into() }
        }),
    ),
    (
        "keep-alives-after-init",
        "Five keep-alives follow the first message.",
        KA,
        Guise::Frames(|_, number, frame| {
            if number == 0 && is_text(&frame) { vec![frame, ka(), ka(), ka(), ka(), ka()] } else { vec![frame] }
        }),
    ),
    (
        "pings",
        "A ping comes before every message.",
        PING,
        Guise::Frames(|_, _, frame| vec![OwnedFrame::Ping(Vec::new()), frame]),
    ),
    (
        "pings-with-payload",
        "Pings with 125 bytes come before every message.",
        PING,
        Guise::Frames(|_, _, frame| vec![OwnedFrame::Ping(vec![0; 125]), frame]),
    ),
    (
        "unsolicited-pongs",
        "A pong that nobody asked for comes before every message.",
        "RFC 6455 section 5.5.3",
        Guise::Frames(|_, _, frame| vec![OwnedFrame::Pong(b"unasked".to_vec()), frame]),
    ),
    (
        "two-fragments",
        "Every message comes in two fragments.",
        FRAGMENTS,
        Guise::Frames(|_, _, frame| fragmented(frame, 2)),
    ),
    (
        "many-fragments",
        "Every message comes in nine fragments.",
        FRAGMENTS,
        Guise::Frames(|_, _, frame| fragmented(frame, 9)),
    ),
    (
        "close-reasons",
        "Close frames say why.",
        "RFC 6455 section 7.1.6: a reason is free text",
        Guise::Frames(|_, _, frame| match frame {
            OwnedFrame::Close { code: Some(code), .. } => {
                vec![OwnedFrame::Close { code: Some(code), reason: "that is all".into() }]
            }
            other @ (OwnedFrame::Close { code: None, .. }
            | OwnedFrame::Text { .. }
            | OwnedFrame::Binary(_)
            | OwnedFrame::Ping(_)
            | OwnedFrame::Pong(_)
            | OwnedFrame::Lost) => vec![other],
        }),
    ),
    ("answers-after-50-ms", "Everything comes 50 ms later.", TIME, Guise::Delay(|_| Duration::from_millis(50))),
    ("answers-after-a-second", "Everything comes a second later.", TIME, Guise::Delay(|_| Duration::from_secs(1))),
    (
        "uneven-answers",
        "Every third message comes 300 ms later.",
        TIME,
        Guise::Delay(|number| Duration::from_millis(if number % 3 == 2 { 300 } else { 0 })),
    ),
    (
        "ever-slower",
        "Each message comes 5 ms later than the one before.",
        TIME,
        Guise::Delay(|number| Duration::from_millis(5 * number.min(100))),
    ),
    ("coalesced-40-ms", "Messages leave together every 40 ms.", TIME, Guise::Coalesce(Duration::from_millis(40))),
    ("coalesced-250-ms", "Messages leave together every 250 ms.", TIME, Guise::Coalesce(Duration::from_millis(250))),
    (
        "out-of-order-across-ids",
        "Messages of different ids overtake each other.",
        "no requirement orders messages of different ids",
        Guise::DelayById(|number| Duration::from_millis(if number % 2 == 0 { 80 } else { 0 })),
    ),
    ("slow-http", "HTTP answers take 400 ms.", TIME, Guise::SlowAnswers(Duration::from_millis(400))),
    ("http-fields-in-upper-case", "Names of header fields are in upper case.", HEADERS, Guise::Answer(upper_fields)),
    ("http-further-fields", "Answers have further header fields.", HEADERS, Guise::Answer(further_fields)),
    (
        "http-members-more",
        "Bodies have a member more.",
        MEMBERS,
        Guise::Answer(|response| {
            rewrite(response, |text| {
                edited(text, |members| {
                    if !members.contains_key("data") {
                        members.insert("traceId".into(), json!("1-67891233"));
                    }
                })
            });
        }),
    ),
    (
        "http-spaced",
        "Bodies have white space and reversed members.",
        SPACE,
        Guise::Answer(|response| {
            rewrite(response, |text| Spelling { gap: "\n  ", reversed: true, ..Spelling::default() }.of(text));
        }),
    ),
    (
        "http-escaped",
        "Strings of bodies are escaped.",
        ESCAPE,
        Guise::Answer(|response| {
            rewrite(response, |text| Spelling { escapes: Some(|_| true), names: true, ..Spelling::default() }.of(text));
        }),
    ),
    (
        "http-other-words",
        "Errors of bodies are worded differently.",
        WORDING,
        Guise::Answer(|response| {
            rewrite(response, |text| {
                each_error(text, |error| {
                    reword(error, json!("Das ging schief."));
                })
            });
        }),
    ),
    (
        "upgrade-fields-in-upper-case",
        "Names of fields of the upgrade are in upper case.",
        HEADERS,
        Guise::Upgrade(upper_fields),
    ),
    (
        "upgrade-further-fields",
        "The answer to the upgrade has further fields.",
        HEADERS,
        Guise::Upgrade(further_fields),
    ),
    (
        "receipts-with-numbers",
        "Receipts have identifiers of digits.",
        "EVT-PUB-010: an identifier is any text",
        Guise::Text(|text| receipts(text, |at| format!("{at:019}"))),
    ),
    (
        "receipts-with-long-identifiers",
        "Receipts have identifiers of 200 characters.",
        "EVT-PUB-010: an identifier is any text",
        Guise::Text(|text| receipts(text, |at| format!("{at}:{}", "aB-_".repeat(50)))),
    ),
    (
        "receipts-with-more",
        "Entries of receipts have a member more.",
        MEMBERS,
        Guise::Text(|text| {
            edited(text, |members| {
                for list in ["successful", "failed"] {
                    if let Some(Json::Array(entries)) = members.get_mut(list) {
                        for entry in entries.iter_mut().filter_map(Json::as_object_mut) {
                            entry.insert("shard".into(), json!(7));
                        }
                    }
                }
            })
        }),
    ),
];

const fn is_text(frame: &OwnedFrame) -> bool {
    matches!(frame, OwnedFrame::Text { .. })
}

fn ka() -> OwnedFrame {
    OwnedFrame::text(r#"{"type":"ka"}"#)
}

fn fragmented(frame: OwnedFrame, fragments: u32) -> Vec<OwnedFrame> {
    match frame {
        OwnedFrame::Text { text, .. } => vec![OwnedFrame::Text { text, fragments }],
        other @ (OwnedFrame::Binary(_)
        | OwnedFrame::Ping(_)
        | OwnedFrame::Pong(_)
        | OwnedFrame::Close { .. }
        | OwnedFrame::Lost) => vec![other],
    }
}

/// The same receipt with other identifiers.
fn receipts(text: &str, identifier: fn(usize) -> String) -> String {
    edited(text, |members| {
        if let Some(Json::Array(entries)) = members.get_mut("successful") {
            for (at, entry) in entries.iter_mut().filter_map(Json::as_object_mut).enumerate() {
                entry.insert("identifier".into(), Json::String(identifier(at)));
            }
        }
    })
}

fn rewrite(response: &mut Response, write: impl FnOnce(&str) -> String) {
    let text = response.body.text().into_owned();
    if parse_json(&text).is_some() {
        response.body = write(&text).into();
    }
}

fn upper_fields(response: &mut Response) {
    let mut headers = Headers::new();
    for (name, value) in response.headers.iter() {
        headers.push(name.to_ascii_uppercase(), value);
    }
    response.headers = headers;
}

fn further_fields(response: &mut Response) {
    for (name, value) in [
        ("server", "somebody/1.0"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("via", "1.1 a proxy"),
        ("x-cache", "Miss"),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        response.headers.push(name, value);
    }
}
