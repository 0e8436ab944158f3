//! What two servers made of the same dialogue: the answers to each operation, without what differs anyway.
//!
//! Ids, nonces, texts for people and times are left out. What is left of a message is its word, whether it bears an id,
//! which members it has, and the types and codes of its errors. Answers to one operation have no order and no number.

use std::collections::BTreeSet;

use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::transcript::{Entry, What};
use appsync_protocol::wire::{OwnedFrame, Side};

use super::driver::{OPERATION, PROBES, Source, View};
use super::op::{Op, Pause};

/// Operations one at a time, each with a moment for its answers.
pub struct Apart<'s> {
    source: &'s mut dyn Source,
    rests: bool,
}

impl<'s> Apart<'s> {
    /// Those of another source.
    pub fn new(source: &'s mut dyn Source) -> Self {
        Self { source, rests: false }
    }
}

impl Source for Apart<'_> {
    fn next(&mut self, view: &View) -> Option<Op> {
        self.rests = !self.rests;
        let rest = Op::Wait { pause: Pause::Moment };
        if !self.rests {
            return Some(rest);
        }
        let op = self.source.next(view)?;
        Some(if matches!(op, Op::Together { .. }) { rest } else { op })
    }
}

/// What came of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The operation, by its label.
    pub operation: String,
    /// What the server said until the next one.
    pub answers: BTreeSet<String>,
}

/// The first operation of which two servers made different things.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The operation, by its label.
    pub operation: String,
    /// What the one said and the other did not.
    pub one: Vec<String>,
    /// The other way round.
    pub other: Vec<String>,
}

/// The record of a dialogue, operation by operation.
pub fn steps(record: &[Entry]) -> Vec<Step> {
    let rest = Op::Wait { pause: Pause::Moment }.label();
    let mut steps = vec![Step::default()];
    for entry in record {
        if let What::Note(note) = &entry.what
            && let Some(operation) = note.strip_prefix(OPERATION)
        {
            if operation != rest {
                steps.push(Step { operation: operation.into(), answers: BTreeSet::new() });
            }
            continue;
        }
        if let (Some(step), Some(answer)) = (steps.last_mut(), answer(&entry.what)) {
            step.answers.insert(format!("#{} {answer}", entry.connection));
        }
    }
    steps
}

/// The first difference of two records, and the number of its operation, from 1, rests not counted.
pub fn difference(one: &[Entry], other: &[Entry]) -> Option<(usize, Difference)> {
    let (one, other) = (steps(one), steps(other));
    let at = one.iter().zip(&other).position(|(one, other)| one != other)?;
    let (one, other) = (one.get(at)?, other.get(at)?);
    let without = |these: &Step, those: &Step| these.answers.difference(&those.answers).cloned().collect();
    Some((at, Difference { operation: one.operation.clone(), one: without(one, other), other: without(other, one) }))
}

/// The operations up to the one of this number.
pub fn until(ops: &[Op], number: usize) -> Vec<Op> {
    let mut left = number;
    let mut wanted = ops.iter().take_while(|op| {
        let wanted = left > 0;
        left -= usize::from(wanted && !is_rest(op));
        wanted
    });
    wanted.by_ref().cloned().collect()
}

fn is_rest(op: &Op) -> bool {
    *op == Op::Wait { pause: Pause::Moment }
}

/// What the server said, in its general form; nothing where that is no answer.
fn answer(what: &What) -> Option<String> {
    match what {
        What::Open { status, selected, .. } => {
            Some(format!("upgrade {status} {}", selected.as_deref().unwrap_or("without subprotocol")))
        }
        What::Http { response, .. } => {
            let body = parse_json(&response.body.text());
            Some(format!("HTTP {}{}", response.status, body.as_ref().map(outline).unwrap_or_default()))
        }
        What::Frame { from: Side::Server, frame } => said(frame),
        What::Frame { from: Side::Client, .. } | What::Note(_) => None,
    }
}

fn said(frame: &OwnedFrame) -> Option<String> {
    match frame {
        OwnedFrame::Text { text, .. } => {
            let Some(message) = parse_json(text).filter(Json::is_object) else { return Some("no message".into()) };
            let word = message.get("type").and_then(Json::as_str).unwrap_or("no type");
            let named = message.get("id").and_then(Json::as_str).is_some_and(|id| !id.is_empty());
            let id = if named { " id" } else { "" };
            match word {
                "ka" => None,
                // What an event holds is the business of the delivery model.
                "data" => Some(format!("data{id}")),
                _ => Some(format!("{word}{id}{}", outline(&message))),
            }
        }
        OwnedFrame::Binary(_) => Some("binary".into()),
        OwnedFrame::Pong(payload) if !PROBES.contains(&payload.as_slice()) => Some("pong".into()),
        OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => None,
        OwnedFrame::Close { code, .. } => Some(format!("close {}", code.map_or(0, u16::from))),
        OwnedFrame::Lost => Some("lost".into()),
    }
}

/// Members of a message and of its payload, and what its errors say to programs.
fn outline(message: &Json) -> String {
    let names = |value: &Json| -> Vec<String> {
        let Json::Object(members) = value else { return Vec::new() };
        members.keys().filter(|name| !matches!(name.as_str(), "type" | "id")).cloned().collect()
    };
    let mut out: String = names(message).iter().map(|name| format!(" {name}")).collect();
    if let Some(payload) = message.get("payload") {
        out.push_str(&format!("({})", names(payload).join(" ")));
    }
    let errors = message.get("errors").or_else(|| message.get("payload").and_then(|payload| payload.get("errors")));
    if let Some(Json::Array(errors)) = errors {
        for error in errors {
            let member = |name: &str| error.get(name).map(Json::to_string).unwrap_or_default();
            out.push_str(&format!(" [{} {}]", member("errorType"), member("errorCode")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use appsync_protocol::moment::Moment;

    use super::*;
    use crate::fuzzing::op::Oddity;

    fn entry(connection: u32, what: What) -> Entry {
        Entry { at: Moment::START, connection, what }
    }

    fn server(text: &str) -> What {
        What::Frame { from: Side::Server, frame: OwnedFrame::text(text) }
    }

    fn operation(label: &str) -> What {
        What::Note(format!("{OPERATION}{label}"))
    }

    #[test]
    fn ids_words_for_people_order_and_keep_alives_are_no_difference() {
        let one = [
            entry(0, operation("subscribe plain")),
            entry(1, server(r#"{"type":"error","id":"a","payload":{"errors":[{"errorType":"T","message":"x"}]}}"#)),
            entry(1, server(r#"{"type":"start_ack","id":"b"}"#)),
        ];
        let other = [
            entry(0, operation("subscribe plain")),
            entry(1, server(r#"{"type":"ka"}"#)),
            entry(1, server(r#"{"id":"c","type":"start_ack"}"#)),
            entry(0, operation("wait moment")),
            entry(1, server(r#"{"type":"error","id":"d","payload":{"errors":[{"errorType":"T","message":"y"}]}}"#)),
        ];

        assert_eq!(difference(&one, &other), None);
    }

    #[test]
    fn another_type_of_error_is_a_difference_of_its_operation() {
        let with = |word: &str| {
            let text = format!(r#"{{"type":"error","errors":[{{"errorType":"{word}"}}]}}"#);
            [entry(0, operation("say malformed")), entry(1, server(&text))]
        };

        let (number, difference) = difference(&with("A"), &with("B")).unwrap();
        let said = Op::Say { on: 0, what: Oddity::Malformed };
        let ops = [Op::Wait { pause: Pause::Moment }, said, Op::Close { on: 0 }];

        assert_eq!(until(&ops, number), ops[..2]);

        assert_eq!(difference.operation, "say malformed");
        assert_eq!(difference.one, [r#"#1 error errors ["A" ]"#]);
        assert_eq!(difference.other, [r#"#1 error errors ["B" ]"#]);
    }
}
