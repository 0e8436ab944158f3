//! A transcript as people read it: client on the left, server on the right, one line an entry.
//!
//! ```text
//!         0 ms   |-- open graphql-ws /graphql: 101 graphql-ws
//!        23 ms   |-- connection_init ------------->|
//!        45 ms   |<-- connection_ack {"connectionTimeoutMs":300000}
//!        46 ms   |<-- ka --------------------------|
//!        50 ms   |-- start a {"data":"{}"} ------->|
//!       121 ms   |<-- data a {"data":{"f":1}} -----|      <-- here
//! ```
//!
//! A line that has no room for its arrow does without. Long bodies are cut, control characters and those that change
//! the direction of writing are escaped: what a peer sends cannot redraw the terminal. Where there are several
//! connections, each line bears the number of its own. Nothing here judges, and nothing here is read back.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write as _;

use super::{Entry, Transcript, What};
use crate::envelope::{Raw, is_object, members, string};
use crate::wire::{Bytes, OwnedFrame, Side};

/// Longest text that is taken apart into word, id and body, in bytes. A longer one is shown by its beginning.
pub const DRAWN_BYTES_MAX: usize = 16_000;

/// Longest body that is shown whole, in characters.
pub const BODY_CHARS_MAX: usize = 100;

/// Characters between the two bars.
const LANE: usize = 33;

/// Longest word or id that is shown whole, in characters.
const NAME_CHARS_MAX: usize = 60;

/// Draws a transcript; the line of the entry with index `mark` ends with `<-- here`.
pub fn draw(transcript: &Transcript, mark: Option<usize>) -> String {
    let connections: BTreeSet<u32> = transcript.entries().iter().map(|entry| entry.connection).collect();
    let widest = connections.last().map_or(0, |last| last.to_string().len());
    let mut out = String::new();
    for (index, entry) in transcript.entries().iter().enumerate() {
        let label = if connections.len() > 1 { format!("#{:<widest$} ", entry.connection) } else { String::new() };
        let here = if mark == Some(index) { "      <-- here" } else { "" };
        // Writing into a string does not fail.
        let _ = writeln!(out, "{:>9} ms   {label}{}{here}", entry.at.as_millis(), lane(entry));
    }
    if transcript.dropped() > 0 {
        let _ = writeln!(out, "{:>12}   ... {} more were not recorded", "", transcript.dropped());
    }
    out
}

/// What one entry is called in a drawing, without its arrow: word, id and body, cut and escaped like there.
pub fn label(what: &What) -> String {
    match what {
        What::Open { target, subprotocols, status: _, selected: _ } => {
            let offered = if subprotocols.is_empty() { "no subprotocol".into() } else { subprotocols.join(", ") };
            format!("open {} {}", cut(&offered), cut(target))
        }
        What::Frame { from: _, frame } => frame_label(frame),
        What::Http { request, response: _ } => {
            with_body(format!("{} {}", name(&request.method), cut(&request.target)), &request.body)
        }
        What::Note(note) => cut(note).into_owned(),
    }
}

/// What an answer within an entry is called: the status and what comes with it. `None` where there is none.
pub fn answer_label(what: &What) -> Option<String> {
    match what {
        What::Open { target: _, subprotocols: _, status, selected } => {
            Some(format!("{status} {}", cut(selected.as_deref().unwrap_or("without subprotocol"))))
        }
        What::Http { request: _, response } => Some(with_body(response.status.to_string(), &response.body)),
        What::Frame { .. } | What::Note(_) => None,
    }
}

fn lane(entry: &Entry) -> String {
    match &entry.what {
        What::Open { .. } | What::Http { .. } => {
            let answered = answer_label(&entry.what).unwrap_or_default();
            arrow(Side::Client, &format!("{}: {answered}", label(&entry.what)))
        }
        What::Frame { from, frame } => arrow(*from, &frame_label(frame)),
        What::Note(note) => format!("|   * {}", cut(note)),
    }
}

/// The label within the arrow, or bare if there is no room for one.
fn arrow(from: Side, label: &str) -> String {
    let (start, end) = match from {
        Side::Client => ("-- ", ">"),
        Side::Server => ("<-- ", "-"),
    };
    let used = start.len() + label.chars().count() + 1 + end.len();
    if used >= LANE {
        return format!("|{start}{label}");
    }
    format!("|{start}{label} {}{end}|", "-".repeat(LANE - used))
}

fn frame_label(frame: &OwnedFrame) -> String {
    match frame {
        OwnedFrame::Text { text, fragments: 1 } => text_label(text),
        OwnedFrame::Text { text, fragments } => format!("{} ({fragments} fragments)", text_label(text)),
        OwnedFrame::Binary(bytes) => format!("binary ({} bytes)", bytes.len()),
        OwnedFrame::Ping(bytes) => format!("ping ({} bytes)", bytes.len()),
        OwnedFrame::Pong(bytes) => format!("pong ({} bytes)", bytes.len()),
        OwnedFrame::Close { code, reason } => {
            let code = code.map_or_else(|| "without code".into(), |code| code.to_string());
            let reason = if reason.is_empty() { String::new() } else { format!(" {}", cut(reason)) };
            format!("close {code}{reason}")
        }
        OwnedFrame::Lost => "transport ended".into(),
    }
}

/// Word, id and body of a message; anything else by its beginning.
fn text_label(text: &str) -> String {
    let message = if text.len() <= DRAWN_BYTES_MAX { message_label(text) } else { None };
    message.unwrap_or_else(|| format!("text {}", cut(text)))
}

fn message_label(text: &str) -> Option<String> {
    let raw = Raw::read(text).ok().filter(|raw| is_object(*raw))?;
    let all = members(raw);
    let find = |wanted: &str| all.iter().find(|(n, _)| n == wanted).and_then(|(_, value)| string(*value));
    let mut label = name(&find("type")?).into_owned();
    let id = find("id");
    if let Some(id) = &id {
        label.push(' ');
        label.push_str(&name(id));
    }
    let rest = all.iter().filter(|(n, _)| n != "type" && !(n == "id" && id.is_some()));
    let mut body = String::new();
    for (member, value) in rest {
        if !body.is_empty() {
            body.push(' ');
        }
        if member != "payload" {
            body.push_str(member);
            body.push('=');
        }
        body.push_str(value.get());
    }
    if !body.is_empty() {
        label.push(' ');
        label.push_str(&cut(&body));
    }
    Some(label)
}

fn with_body(mut head: String, body: &Bytes) -> String {
    if !body.0.is_empty() {
        head.push(' ');
        head.push_str(&cut(&body.text()));
    }
    head
}

fn name(text: &str) -> Cow<'_, str> {
    shorten(text, NAME_CHARS_MAX)
}

fn cut(text: &str) -> Cow<'_, str> {
    shorten(text, BODY_CHARS_MAX)
}

/// Escaped, and cut after `chars_max` characters with a mark and the whole length.
fn shorten(text: &str, chars_max: usize) -> Cow<'_, str> {
    let end = text.char_indices().nth(chars_max).map(|(at, _)| at);
    let shown = end.and_then(|end| text.get(..end)).unwrap_or(text);
    if end.is_none() && !shown.contains(redraws) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(shown.len() + 16);
    for c in shown.chars() {
        if redraws(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    if end.is_some() {
        out.push_str("... (");
        out.push_str(&text.len().to_string());
        out.push_str(" bytes)");
    }
    Cow::Owned(out)
}

/// Characters that a terminal acts upon or that hide or reorder others.
fn redraws(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::moment::Moment;
    use crate::wire::{Headers, Request, Response};

    fn drawn(whats: &[(u64, u32, What)], mark: Option<usize>) -> String {
        let mut transcript = Transcript::new();
        for (at, connection, what) in whats {
            transcript.push(Entry { at: Moment::from_millis(*at), connection: *connection, what: what.clone() });
        }
        draw(&transcript, mark)
    }

    fn says(from: Side, text: &str) -> What {
        What::Frame { from, frame: OwnedFrame::text(text) }
    }

    fn open() -> What {
        What::Open {
            target: "/graphql".into(),
            subprotocols: ["graphql-ws".into()].into(),
            status: 101,
            selected: Some("graphql-ws".into()),
        }
    }

    #[test]
    fn a_dialogue_is_drawn_in_two_columns() {
        let (client, server) = (Side::Client, Side::Server);
        let whats = [
            (0, 1, open()),
            (23, 1, says(client, r#"{"type":"connection_init"}"#)),
            (45, 1, says(server, r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":"300000"}}"#)),
            (46, 1, says(server, r#"{"type":"ka"}"#)),
            (50, 1, says(client, r#"{"type":"subscribe","id":"a","channel":"/a"}"#)),
            (121, 1, says(server, r#"{"id":"a","type":"data","event":"1"}"#)),
            (130, 1, What::Note("publisher stops".into())),
            (1000, 1, What::Frame { from: server, frame: OwnedFrame::Close { code: Some(1000), reason: "".into() } }),
            (1000, 1, What::Frame { from: client, frame: OwnedFrame::Lost }),
        ];

        assert_eq!(
            drawn(&whats, Some(2)),
            r#"        0 ms   |-- open graphql-ws /graphql: 101 graphql-ws
       23 ms   |-- connection_init ------------->|
       45 ms   |<-- connection_ack {"connectionTimeoutMs":"300000"}      <-- here
       46 ms   |<-- ka --------------------------|
       50 ms   |-- subscribe a channel="/a" ---->|
      121 ms   |<-- data a event="1" ------------|
      130 ms   |   * publisher stops
     1000 ms   |<-- close 1000 ------------------|
     1000 ms   |-- transport ended ------------->|
"#
        );
    }

    #[test]
    fn several_connections_are_numbered() {
        let ka = || says(Side::Server, r#"{"type":"ka"}"#);

        assert_eq!(
            drawn(&[(0, 1, ka()), (1, 12, ka())], None),
            "        0 ms   #1  |<-- ka --------------------------|\n        1 ms   #12 |<-- ka --------------------------|\n"
        );
    }

    #[test]
    fn a_long_body_is_cut_and_its_length_told() {
        let text = format!(r#"{{"type":"data","id":"a","payload":"{}"}}"#, "x".repeat(200));
        let huge = format!(r#"{{"type":"data","id":"a","payload":"{}"}}"#, "é".repeat(DRAWN_BYTES_MAX));

        let drawn = drawn(&[(0, 1, says(Side::Server, &text)), (0, 1, says(Side::Server, &huge))], None);

        assert!(drawn.contains(&format!(r#"data a "{}... (202 bytes)"#, "x".repeat(99))), "{drawn}");
        assert!(drawn.contains(r#"|<-- text {"type":"data""#) && drawn.contains("... (32037 bytes)"), "{drawn}");
    }

    #[test]
    fn what_is_no_message_is_shown_as_text_with_its_control_characters_escaped() {
        let drawn = drawn(&[(0, 1, says(Side::Client, "\u{1b}[2J\n\u{202e}"))], None);

        assert_eq!(drawn, "        0 ms   |-- text \\u{1b}[2J\\n\\u{202e} ---->|\n");
    }

    #[test]
    fn an_http_exchange_is_one_line() {
        let request = Request {
            method: "POST".into(),
            target: "/event".into(),
            headers: Headers::new().with("x-api-key", "secret"),
            body: "{}".into(),
        };

        let drawn = drawn(&[(0, 1, What::Http { request, response: Response::new(200, "ok") })], None);

        assert_eq!(drawn, "        0 ms   |-- POST /event {}: 200 ok ------>|\n");
    }

    #[test]
    fn what_was_dropped_is_told() {
        let mut transcript = Transcript::new();
        transcript.dropped = 7;

        assert_eq!(draw(&transcript, None), "               ... 7 more were not recorded\n");
    }

    proptest! {
        #[test]
        fn any_entry_is_one_printable_line_of_bounded_width(text: String, id: String, client: bool) {
            let from = if client { Side::Client } else { Side::Server };
            let message = format!(r#"{{"type":{text:?},"id":{id:?},"payload":{text:?}}}"#);

            let drawn = drawn(&[(0, 1, says(from, &text)), (0, 1, says(from, &message)), (0, 1, open())], Some(0));

            prop_assert_eq!(drawn.lines().count(), 3);
            prop_assert!(drawn.lines().all(|line| !line.contains(redraws) && line.chars().count() < 2_400));
        }
    }
}
