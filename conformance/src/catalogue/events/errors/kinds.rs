//! What kind of value the members of an error are.

use appsync_protocol::handshake::Carrier;
use appsync_protocol::requirement::Requirement as R;

use super::super::publish_steps::{QUICK, edit};
use super::super::session_steps::{INIT, open_in_vain};
use super::super::steps::{all, any_of, connected, expect, say};
use super::{UNKNOWN, bad_publish, bad_subscribe, bad_unsubscribe};
use crate::fault::{Change, Fault, Nth};
use crate::scenario::{Cast, Pattern, Scenario, Shape, Step};

pub(in super::super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/errors/message-is-text",
        title: "Where an error has a message, it is a string, in every kind of refusal.",
        covers: &[R::EvtErr002],
        steps: |cast| refused_with(cast, "errors.0.message", &Shape::TextOrNothing, R::EvtErr002),
        ..QUICK
    },
    Scenario {
        id: "events/errors/code-is-a-number",
        title: "Where an error has an errorCode, it is a number, in every kind of refusal.",
        covers: &[R::EvtErr003],
        steps: |cast| refused_with(cast, "errors.0.errorCode", &Shape::NumberOrNothing, R::EvtErr003),
        ..QUICK
    },
];

/// Provokes every kind of refusal and looks at one member of its first error. What is not refused is another
/// scenario's business.
fn refused_with(cast: &Cast, member: &'static str, shape: &Shape, rule: R) -> Vec<Step> {
    let shaped = |answer: Pattern| answer.has(member, shape.clone());
    let refused = |what: String, word, success, id: &str| {
        let refusals = [Pattern::with_id(word, id), Pattern::word("error")].map(shaped);
        vec![say(1, what), any_of(1, refusals.into_iter().chain([Pattern::with_id(success, id)]).collect(), rule)]
    };
    let stranger = cast.upgrade(Carrier::Subprotocol, &cast.wrong_credentials());
    let told = vec![shaped(Pattern::word("connection_error")), Pattern::word("connection_ack"), Pattern::closed()];
    all([
        connected(cast, 1),
        refused(bad_subscribe(cast), "subscribe_error", "subscribe_success", "sub"),
        refused(bad_publish(cast), "publish_error", "publish_success", "pub"),
        refused(bad_unsubscribe(), "unsubscribe_error", "unsubscribe_success", "none"),
        vec![say(1, UNKNOWN), expect(1, shaped(Pattern::word("error")), rule)],
        vec![open_in_vain(2, stranger, rule), say(2, INIT), any_of(2, told, rule)],
    ])
}

pub(in super::super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-message-is-a-number",
        about: "gives an error a number for a message",
        breaks: R::EvtErr002,
        caught_by: "events/errors/message-is-text",
        how: edit("publish_error", Nth::Every, Change::Set("errors.0.message", "7")),
    },
    Fault {
        name: "events-message-is-an-object",
        about: "gives the error of a refused connection an object for a message",
        breaks: R::EvtErr002,
        caught_by: "events/errors/message-is-text",
        how: edit("connection_error", Nth::Every, Change::Set("errors.0.message", r#"{"en":"no"}"#)),
    },
    Fault {
        name: "events-code-is-text",
        about: "gives an error a string for an errorCode",
        breaks: R::EvtErr003,
        caught_by: "events/errors/code-is-a-number",
        how: edit("subscribe_error", Nth::Every, Change::Set("errors.0.errorCode", r#""401""#)),
    },
    Fault {
        name: "events-code-of-a-refused-connection-is-text",
        about: "gives the error of a refused connection a string for an errorCode",
        breaks: R::EvtErr003,
        caught_by: "events/errors/code-is-a-number",
        how: edit("connection_error", Nth::Every, Change::Set("errors.0.errorCode", r#""401""#)),
    },
];
