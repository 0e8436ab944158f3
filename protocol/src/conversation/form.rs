//! The form of a message that could be read: members that should not be there, values of a wrong kind.
//!
//! Knows nothing of what was said before; the state is [`super::rules`]' business.

use alloc::format;
use alloc::vec::Vec;

use super::Conversation;
use crate::dialect::{Decoded, Dialect, graphql};
use crate::envelope::{Envelope, Raw, elements, is_array, is_null, is_object, member, string, whole_number};
use crate::finding::Finding;
use crate::message::{ErrorsForm, Message, SilenceLimit, error_entries};
use crate::raw::is_text;
use crate::requirement::Requirement as R;
use crate::wire::Side;

/// Appends what is wrong with the form of a message that `from` sent.
pub(super) fn check(conversation: &Conversation, from: Side, decoded: &Decoded<'_>, findings: &mut Vec<Finding>) {
    if decoded.message.speaker() != Some(from) {
        return;
    }
    let mut say = |requirement, detail: alloc::string::String| {
        findings.push(conversation.finding(from, requirement, detail));
    };
    match conversation.dialect {
        Dialect::Graphql => graphql_form(decoded, &mut say),
        Dialect::Events => events_form(decoded, &mut say),
    }
}

type Say<'s> = dyn FnMut(R, alloc::string::String) + 's;

fn graphql_form(decoded: &Decoded<'_>, say: &mut Say<'_>) {
    let envelope = &decoded.envelope;
    match &decoded.message {
        Message::Ack { silence } => {
            ack_timeout(R::GqlInit003, *silence, say);
            absent(R::GqlInit012, "connection_ack", "id", envelope.id, say);
        }
        Message::KeepAlive => {
            absent(R::GqlKa009, "ka", "id", envelope.id, say);
            absent(R::GqlKa009, "ka", "payload", envelope.payload, say);
        }
        Message::Rejected { errors } => rejected_errors(R::GqlErr023, *errors, say),
        Message::Refused { errors, .. } => refused_errors(R::GqlErr001, "error", *errors, say),
        Message::Subscribe { request, .. } => {
            if graphql::request_text(*request).is_none() {
                say(R::GqlSub002, "sent a start whose payload.data is no string".into());
            }
        }
        Message::Granted { .. } => absent(R::GqlSub008, "start_ack", "payload", envelope.payload, say),
        Message::Ended { .. } => absent(R::GqlSub025, "complete", "payload", envelope.payload, say),
        Message::Data { body, .. } => data_payload(*body, say),
        Message::Init
        | Message::BroadcastFailed { .. }
        | Message::Unsubscribe { .. }
        | Message::Publish { .. }
        | Message::Published { .. }
        | Message::Unknown { .. } => {}
    }
}

fn events_form(decoded: &Decoded<'_>, say: &mut Say<'_>) {
    let envelope = &decoded.envelope;
    match &decoded.message {
        Message::Ack { silence } => {
            ack_timeout(R::EvtInit002, *silence, say);
            absent(R::EvtInit003, "connection_ack", "payload", envelope.payload, say);
        }
        Message::KeepAlive => absent(R::EvtKa004, "ka", "id", envelope.id, say),
        Message::Rejected { errors } => rejected_errors(R::EvtInit010, *errors, say),
        Message::Refused { errors, .. } => refused_errors(R::EvtErr001, "the refusal", *errors, say),
        Message::BroadcastFailed { errors, .. } => refused_errors(R::EvtErr001, "broadcast_error", *errors, say),
        Message::Subscribe { id, .. } | Message::Unsubscribe { id } | Message::Publish { id, .. } => {
            if !is_operation_id(id) {
                say(R::EvtSub002, format!("used the id {id:?}, which is not 1 to 128 of A-Z a-z 0-9 _ + -"));
            }
            publish_events(envelope, say);
        }
        Message::Data { body, .. } => event_body(*body, say),
        Message::Published { successful, failed, .. } => published(*successful, *failed, say),
        Message::Init | Message::Granted { .. } | Message::Ended { .. } | Message::Unknown { .. } => {}
    }
}

/// Longest operation id of Events, in characters. Source: EVT-SUB-002, EVT-LIMIT-010.
pub const OPERATION_ID_CHARS_MAX: usize = 128;

/// Whether Events takes it for the id of an operation. Source: EVT-SUB-002.
pub fn is_operation_id(id: &str) -> bool {
    (1..=OPERATION_ID_CHARS_MAX).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-'))
}

fn ack_timeout(rule: R, silence: SilenceLimit, say: &mut Say<'_>) {
    match silence {
        SilenceLimit::Millis(_) => {}
        SilenceLimit::Missing => say(rule, "sent connection_ack without connectionTimeoutMs".into()),
        SilenceLimit::Malformed => {
            say(rule, "sent connection_ack whose connectionTimeoutMs is no positive whole number".into());
        }
    }
}

fn absent(rule: R, word: &str, name: &str, value: Option<Raw<'_>>, say: &mut Say<'_>) {
    if value.is_some() {
        say(rule, format!("sent {word} with a member {name:?}"));
    }
}

fn rejected_errors(rule: R, errors: Option<Raw<'_>>, say: &mut Say<'_>) {
    let (form, entries) = error_entries(errors);
    let told = entries.iter().all(|e| e.error_type.is_some() || e.message.is_some());
    match form {
        ErrorsForm::Absent => say(rule, "sent connection_error without errors".into()),
        ErrorsForm::Malformed => say(rule, "sent connection_error whose errors are no list of objects".into()),
        ErrorsForm::Object | ErrorsForm::Array if entries.is_empty() => {
            say(rule, "sent connection_error with an empty list of errors".into());
        }
        ErrorsForm::Object | ErrorsForm::Array if !told => {
            say(rule, "sent connection_error with an entry that has neither errorType nor message".into());
        }
        ErrorsForm::Object | ErrorsForm::Array => {}
    }
}

/// GQL-A-05: one object in place of the list is seen for limits, so both are fine.
fn refused_errors(rule: R, word: &str, errors: Option<Raw<'_>>, say: &mut Say<'_>) {
    let (form, entries) = error_entries(errors);
    let told = entries.iter().all(|e| e.error_type.is_some() || e.message.is_some());
    match form {
        ErrorsForm::Absent => say(rule, format!("sent {word} without errors")),
        ErrorsForm::Malformed => say(rule, format!("sent {word} whose errors are no list of objects")),
        ErrorsForm::Object | ErrorsForm::Array if entries.is_empty() => {
            say(rule, format!("sent {word} with an empty list of errors"));
        }
        ErrorsForm::Object | ErrorsForm::Array if !told => {
            say(rule, format!("sent {word} with an entry that has neither errorType nor message"));
        }
        ErrorsForm::Object | ErrorsForm::Array => {}
    }
}

/// GQL-SUB-013: an object keyed by the root field, or null beside errors.
fn data_payload(payload: Raw<'_>, say: &mut Say<'_>) {
    let errors = member(payload, "errors");
    match member(payload, "data") {
        Some(data) if is_object(data) => {}
        Some(data) if is_null(data) && errors.is_some() => {}
        None if errors.is_some() => {}
        Some(data) if is_null(data) => {
            say(R::GqlSub013, "sent data whose payload.data is null without errors".into());
        }
        Some(_) => say(R::GqlSub013, "sent data whose payload.data is no object".into()),
        None => say(R::GqlSub012, "sent data without payload.data".into()),
    }
}

/// EVT-DATA-002, softened by EVT-A-01: a string, or an array of just one string.
fn event_body(event: Raw<'_>, say: &mut Say<'_>) {
    let one_string = is_array(event) && matches!(elements(event)[..], [only] if is_text(only));
    if !is_text(event) && !one_string {
        say(R::EvtData002, "sent data whose event is no string".into());
    }
}

fn publish_events(envelope: &Envelope<'_>, say: &mut Say<'_>) {
    let Some(events) = envelope.events else { return };
    let all = elements(events);
    if !(1..=5).contains(&all.len()) || !all.iter().all(|e| is_text(*e)) {
        say(R::EvtPub002, "sent a publish whose events are not one to five strings".into());
    }
}

fn published(successful: Option<Raw<'_>>, failed: Option<Raw<'_>>, say: &mut Say<'_>) {
    let (Some(successful), Some(failed)) = (successful, failed) else {
        say(R::EvtPub007, "sent publish_success without both successful and failed".into());
        return;
    };
    if !is_array(successful) || !is_array(failed) {
        say(R::EvtPub007, "sent publish_success whose successful or failed is no array".into());
        return;
    }
    let mut indexes = Vec::new();
    for entry in elements(successful).into_iter().chain(elements(failed)) {
        let index = member(entry, "index").and_then(whole_number);
        let identifier = member(entry, "identifier").and_then(string);
        match (index, identifier) {
            (Some(index), Some(_)) => indexes.push(index),
            (Some(_) | None, Some(_) | None) => {
                say(R::EvtPub009, "sent publish_success with an entry that lacks identifier or index".into());
                return;
            }
        }
    }
    for entry in elements(failed) {
        // EVT-A-03: code is disputed, so either a string or a number will do; the entry needs one.
        if !["code", "errorCode"].iter().any(|name| member(entry, name).is_some_and(|code| !is_null(code))) {
            say(R::EvtPub010, "sent publish_success with a failed entry that has no code".into());
        }
    }
    indexes.sort_unstable();
    if indexes.iter().enumerate().any(|(expected, index)| *index != expected as u64) {
        say(R::EvtPub008, format!("sent publish_success whose indexes are {indexes:?}"));
    }
}
