//! Errors as messages: their form, their id, and the messages that are wrong in themselves.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::steps::{
    ANY, QUICK, all, any_of, bad_start, connected, edit, expect, pinged, refusal, say, start_with_data, subscribed,
    subscribed_by,
};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::cast::SUBSCRIBE_TO_CHANNEL;
use crate::scenario::{Pattern, Scenario, Shape};

/// A message of a type that the protocol does not have.
const UNKNOWN_WORD: &str = r#"{"type":"connection_terminate","id":"odd"}"#;

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/errors/form",
        title: "An error has payload.errors, whose elements have a message.",
        covers: &[R::GqlErr001],
        steps: |cast| {
            let listed =
                Pattern::word("error").has("payload.errors", Shape::Array).has("payload.errors.0.message", Shape::Text);
            let single = Pattern::word("error").has("payload.errors.message", Shape::Text);
            let forms =
                vec![listed.reads("GQL-A-05", "errors is an array"), single.reads("GQL-A-05", "errors is an object")];
            all([connected(cast, 1), vec![say(1, bad_start(cast, "bad")), any_of(1, forms, R::GqlErr001)]])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/name-the-operation",
        title: "An error that concerns one of several operations carries its id.",
        covers: &[R::GqlErr002],
        needs: ANY,
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "good", &cast.nonce("room")),
                vec![say(1, bad_start(cast, "bad")), expect(1, Pattern::with_id("error", "bad"), R::GqlErr002)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/unknown-word",
        title: "A message of unknown type is answered with an UnsupportedOperation error that has no id.",
        covers: &[R::GqlErr005],
        steps: |cast| {
            let typed = Pattern::without_id("error").has("payload.errors", Shape::ErrorType(&["UnsupportedOperation"]));
            all([connected(cast, 1), vec![say(1, UNKNOWN_WORD), expect(1, typed, R::GqlErr005)]])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/unknown-word-spares-the-connection",
        title: "A message of unknown type leaves the connection usable.",
        covers: &[R::GqlErr005],
        needs: ANY,
        steps: |cast| {
            // An answer with the id is the business of another scenario.
            let answered = vec![Pattern::word("error")];
            all([
                connected(cast, 1),
                vec![say(1, UNKNOWN_WORD), any_of(1, answered, R::GqlErr005)],
                pinged(1, R::GqlErr005),
                subscribed_by(cast, 1, "first", &cast.nonce("room"), R::GqlErr005),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/data-is-no-text",
        title: "A start whose payload.data is an object is answered with an UnsupportedOperation error.",
        covers: &[R::GqlErr006],
        steps: |cast| {
            let data = json!({ "query": SUBSCRIBE_TO_CHANNEL, "variables": { "n": cast.nonce("room") } });
            let typed = Pattern::word("error").has("payload.errors", Shape::ErrorType(&["UnsupportedOperation"]));
            all([connected(cast, 1), vec![say(1, start_with_data(cast, "odd", &data)), expect(1, typed, R::GqlErr006)]])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/duplicate-id",
        title: "A start with the id of a live subscription is answered with an error, and the connection survives.",
        covers: &[R::GqlErr009],
        needs: ANY,
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "same", &cast.nonce("one")),
                vec![
                    say(1, cast.start_channel("same", &cast.nonce("two"))),
                    // Whether the error bears the id is another question.
                    any_of(1, vec![Pattern::with_id("error", "same"), Pattern::without_id("error")], R::GqlErr009),
                ],
                subscribed_by(cast, 1, "other", &cast.nonce("two"), R::GqlErr009),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/duplicate-id-type",
        title: "The error for the id of a live subscription is a DuplicatedOperationError with that id.",
        covers: &[R::GqlErr010],
        needs: ANY,
        steps: |cast| {
            let typed = refusal("same").has("payload.errors", Shape::ErrorType(&["DuplicatedOperationError"]));
            let elsewhere = vec![typed, Pattern::with_id("start_ack", "same").ends()];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "same", &cast.nonce("one")),
                vec![say(1, cast.start_channel("same", &cast.nonce("two"))), any_of(1, elsewhere, R::GqlErr010)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/refused-id-is-free",
        title: "An id whose start was refused can be used for a start that is accepted.",
        covers: &[R::GqlErr014],
        needs: ANY,
        steps: |cast| {
            all([
                connected(cast, 1),
                vec![say(1, bad_start(cast, "same")), expect(1, refusal("same"), R::GqlErr011)],
                subscribed_by(cast, 1, "same", &cast.nonce("room"), R::GqlErr014),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/text-that-is-no-request",
        title: "A start whose payload.data is not the JSON of a request is answered with an error.",
        covers: &[R::GqlErr011],
        steps: |cast| {
            let start = start_with_data(cast, "text", &Json::from("subscription"));
            all([connected(cast, 1), vec![say(1, start), expect(1, Pattern::word("error"), R::GqlErr011)]])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-error-under-the-other-id",
        about: "sends an error under the id of a live subscription",
        breaks: R::GqlErr002,
        caught_by: "graphql/errors/name-the-operation",
        how: edit("error", Nth::Every, Change::OtherId),
    },
    Fault {
        name: "graphql-error-with-empty-id",
        about: "has an empty id in errors",
        breaks: R::GqlErr002,
        caught_by: "graphql/errors/name-the-operation",
        how: edit("error", Nth::Every, Change::Set("id", r#""""#)),
    },
    Fault {
        name: "graphql-error-without-id",
        about: "has no id in errors",
        breaks: R::GqlErr002,
        caught_by: "graphql/errors/name-the-operation",
        how: edit("error", Nth::Every, Change::Remove("id")),
    },
    Fault {
        name: "graphql-error-without-message",
        about: "has errors with a type and no message",
        breaks: R::GqlErr001,
        caught_by: "graphql/errors/form",
        how: edit("error", Nth::Every, Change::Set("payload.errors", r#"[{"errorType":"ValidationError"}]"#)),
    },
    Fault {
        name: "graphql-error-with-texts",
        about: "has texts in place of errors",
        breaks: R::GqlErr001,
        caught_by: "graphql/errors/form",
        how: edit("error", Nth::Every, Change::Set("payload.errors", r#"["no"]"#)),
    },
    Fault {
        name: "graphql-error-with-empty-list",
        about: "sends an empty list of errors",
        breaks: R::GqlErr001,
        caught_by: "graphql/errors/form",
        how: edit("error", Nth::Every, Change::Set("payload.errors", "[]")),
    },
    Fault {
        name: "graphql-error-list-as-payload",
        about: "sends the list of errors as the payload itself",
        breaks: R::GqlErr001,
        caught_by: "graphql/errors/form",
        how: edit("error", Nth::Every, Change::Set("payload", r#"[{"message":"no"}]"#)),
    },
    Fault {
        name: "graphql-unknown-word-echoes-the-id",
        about: "answers a message of unknown type with its id",
        breaks: R::GqlErr005,
        caught_by: "graphql/errors/unknown-word",
        how: edit("error", Nth::Every, Change::Set("id", r#""odd""#)),
    },
    Fault {
        name: "graphql-unknown-word-without-type",
        about: "answers a message of unknown type with an error without errorType",
        breaks: R::GqlErr005,
        caught_by: "graphql/errors/unknown-word",
        how: edit("error", Nth::Every, Change::Set("payload.errors", r#"[{"message":"Invalid message"}]"#)),
    },
    Fault {
        name: "graphql-unknown-word-unanswered",
        about: "does not answer a message of unknown type",
        breaks: R::GqlErr005,
        caught_by: "graphql/errors/unknown-word",
        how: How::Skip(Check::UnknownWordAnswered),
    },
    Fault {
        name: "graphql-unknown-word-answered-and-closed",
        about: "answers a message of unknown type and closes the connection",
        breaks: R::GqlErr005,
        caught_by: "graphql/errors/unknown-word-spares-the-connection",
        how: edit("error", Nth::Every, Change::CloseAfter(4400)),
    },
    Fault {
        name: "graphql-unknown-word-closes",
        about: "closes the connection on a message of unknown type",
        breaks: R::GqlErr005,
        caught_by: "graphql/errors/unknown-word-spares-the-connection",
        how: How::Trap(Trigger::UnknownWord, Reaction::Close(4400)),
    },
    Fault {
        name: "graphql-data-object-untyped-error",
        about: "answers a payload.data that is no string with an error without errorType",
        breaks: R::GqlErr006,
        caught_by: "graphql/errors/data-is-no-text",
        how: edit("error", Nth::Every, Change::Set("payload.errors", r#"[{"message":"Invalid message"}]"#)),
    },
    Fault {
        name: "graphql-duplicate-id-accepted",
        about: "replaces a subscription whose id is used again",
        breaks: R::GqlErr009,
        caught_by: "graphql/errors/duplicate-id",
        how: How::Skip(Check::DuplicateId),
    },
    Fault {
        name: "graphql-duplicate-id-ends-the-connection",
        about: "closes the connection after the error for a duplicate id",
        breaks: R::GqlErr009,
        caught_by: "graphql/errors/duplicate-id",
        how: edit("error", Nth::Every, Change::CloseAfter(4409)),
    },
    Fault {
        name: "graphql-duplicate-id-untyped-error",
        about: "answers a duplicate id with an error without errorType",
        breaks: R::GqlErr010,
        caught_by: "graphql/errors/duplicate-id-type",
        how: edit("error", Nth::Every, Change::Remove("payload.errors.0.errorType")),
    },
    Fault {
        name: "graphql-refused-id-burnt",
        about: "refuses the next start of an id that it has refused",
        breaks: R::GqlErr014,
        caught_by: "graphql/errors/refused-id-is-free",
        how: edit("start_ack", Nth::Only(1), Change::Rename("error")),
    },
    Fault {
        name: "graphql-no-request-is-acknowledged",
        about: "acknowledges a payload.data that is no request",
        breaks: R::GqlErr011,
        caught_by: "graphql/errors/text-that-is-no-request",
        how: How::Skip(Check::DocumentChecked),
    },
];
