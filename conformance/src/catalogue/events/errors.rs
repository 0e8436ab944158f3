//! Errors: their form, what they name, and how far one bad message reaches.

pub(super) mod kinds;

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::publish_steps::{QUICK, beside_a_bystander, edit, general_error, marked, objected, six};
use super::steps::{all, any_of, connected, expect, heard, published, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Cast, Pattern, Scenario, Shape, Step};

/// A message of a type that no version of the protocol has.
const UNKNOWN: &str = r#"{"type":"nothing_like_this"}"#;

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/errors/unknown-type",
        title: "A message of an unknown type is answered with an error of the type UnsupportedOperation.",
        covers: &[R::EvtErr006, R::EvtErr007],
        steps: |cast| {
            let named = Pattern::word("error").has("errors", Shape::ErrorType(&["UnsupportedOperation"]));
            all([
                connected(cast, 1),
                vec![
                    say(1, UNKNOWN),
                    expect(1, general_error(), R::EvtErr006),
                    say(1, UNKNOWN),
                    expect(1, named, R::EvtErr007),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/errors/words-of-graphql",
        title: "The types start and stop of the GraphQL protocol are unknown types here.",
        covers: &[R::EvtErr016],
        steps: |cast| {
            let start = r#"{"type":"start","id":"g1","payload":{"data":"{\"query\":\"subscription { a }\"}"}}"#;
            all([
                connected(cast, 1),
                vec![
                    say(1, start),
                    expect(1, general_error(), R::EvtErr016),
                    say(1, r#"{"type":"stop","id":"g1"}"#),
                    expect(1, general_error(), R::EvtErr016),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/errors/missing-type",
        title: "A message without a type, or with one that is no string, is answered like one of an unknown type.",
        covers: &[R::EvtErr010],
        steps: |cast| {
            let answered = |text: &str| vec![say(1, text), expect(1, general_error(), R::EvtErr010)];
            all([
                connected(cast, 1),
                answered("{}"),
                answered(r#"{"channel":"/default/room"}"#),
                answered(r#"{"type":null}"#),
                answered(r#"{"type":7}"#),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/errors/malformed-json",
        title: "Text that is not JSON is met with an error or with the end of that connection alone.",
        covers: &[R::EvtErr008, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            objections(cast, &[r#"{"type":"subscribe","#, "nothing like this", "{'type':'ka'}"], R::EvtErr008)
        },
        ..QUICK
    },
    Scenario {
        id: "events/errors/json-that-is-no-object",
        title: "A JSON value that is no object is met with an error or with the end of that connection alone.",
        covers: &[R::EvtErr009, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| objections(cast, &["[]", "null", "7", r#""connection_init""#, "true"], R::EvtErr009),
        ..QUICK
    },
    Scenario {
        id: "events/errors/entries-have-a-type",
        title: "Every kind of refusal holds a list of errors that have an errorType.",
        covers: &[R::EvtErr001],
        steps: |cast| {
            let listed = |answer: Pattern| answer.has("errors", Shape::Array).has("errors.0.errorType", Shape::Text);
            let refused = |what: String, word, success, id: &str| {
                let refused = [Pattern::with_id(word, id), Pattern::word("error")].map(listed);
                let answers = refused.into_iter().chain([Pattern::with_id(success, id)]).collect();
                vec![say(1, what), any_of(1, answers, R::EvtErr001)]
            };
            all([
                connected(cast, 1),
                refused(bad_subscribe(cast), "subscribe_error", "subscribe_success", "sub"),
                refused(bad_publish(cast), "publish_error", "publish_success", "pub"),
                refused(bad_unsubscribe(), "unsubscribe_error", "unsubscribe_success", "none"),
                vec![say(1, UNKNOWN), expect(1, listed(Pattern::word("error")), R::EvtErr001)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/errors/operations-are-named",
        title: "An error that answers an operation carries its id.",
        covers: &[R::EvtErr005],
        steps: |cast| {
            let named = |what: String, word, success, id: &str| {
                let answers = [word, "error", success].map(|word| Pattern::with_id(word, id)).to_vec();
                vec![say(1, what), any_of(1, answers, R::EvtErr005)]
            };
            all([
                connected(cast, 1),
                named(bad_subscribe(cast), "subscribe_error", "subscribe_success", "sub"),
                named(bad_publish(cast), "publish_error", "publish_success", "pub"),
                named(bad_unsubscribe(), "unsubscribe_error", "unsubscribe_success", "none"),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/errors/the-connection-lives-on",
        title: "Messages in error leave the connection and its subscription as they were.",
        covers: &[R::EvtErr015],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let answered = |what: String| {
                let words = ["subscribe_error", "publish_error", "unsubscribe_error", "error"];
                let mut answers: Vec<_> = words.into_iter().map(Pattern::word).collect();
                answers.extend(["subscribe_success", "publish_success", "unsubscribe_success"].map(Pattern::word));
                vec![say(1, what), any_of(1, answers, R::EvtErr015)]
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &channel),
                vec![warmed(cast, 1, "listener", &channel)],
                answered(UNKNOWN.into()),
                answered(bad_subscribe(cast)),
                answered(bad_publish(cast)),
                answered(bad_unsubscribe()),
                vec![published(cast, &channel, &nonce), heard(1, "listener", &nonce, R::EvtErr015)],
                marked(cast, 1, "listener", &channel, R::EvtErr015),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/errors/every-request-is-answered",
        title: "No request that is due an answer is left without any while the connection answers pings.",
        covers: &[R::SynBound001],
        steps: |cast| {
            let answered = |what: String, words: [&'static str; 3], id: &str| {
                let mut answers = words.map(|word| Pattern::with_id(word, id)).to_vec();
                // Without an id, or by the end of the connection, it is still told.
                answers.extend([Pattern::without_id("error"), Pattern::closed().ends()]);
                vec![say(1, what), any_of(1, answers, R::SynBound001)]
            };
            let subscribe = ["subscribe_success", "subscribe_error", "error"];
            let publish = ["publish_success", "publish_error", "error"];
            let unsubscribe = ["unsubscribe_success", "unsubscribe_error", "error"];
            let channel = cast.channel("room");
            all([
                connected(cast, 1),
                answered(cast.subscribe("good", &channel), subscribe, "good"),
                answered(bad_subscribe(cast), subscribe, "sub"),
                answered(cast.publish("one", &channel, &[json!(cast.nonce("one"))]), publish, "one"),
                answered(bad_publish(cast), publish, "pub"),
                answered(json!({ "type": "unsubscribe", "id": "good" }).to_string(), unsubscribe, "good"),
                answered(bad_unsubscribe(), unsubscribe, "none"),
            ])
        },
        ..QUICK
    },
];

/// Sends each text over a connection of its own; all are open before the first is sent.
fn objections(cast: &Cast, texts: &[&str], rule: R) -> Vec<Step> {
    let conns = || (1_u8..).zip(texts);
    let provocation = all([
        all(conns().map(|(conn, _)| connected(cast, conn))),
        all(conns().map(|(conn, text)| vec![say(conn, *text), objected(conn, rule)])),
    ]);
    beside_a_bystander(cast, provocation)
}

/// A subscribe with an unknown key.
fn bad_subscribe(cast: &Cast) -> String {
    cast.subscribe_as("sub", &cast.channel("closed"), &cast.wrong_credentials().to_json())
}

/// A publish of six events.
fn bad_publish(cast: &Cast) -> String {
    cast.publish("pub", &cast.channel("crowded"), &six(cast))
}

/// An unsubscribe of what is no subscription.
fn bad_unsubscribe() -> String {
    json!({ "type": "unsubscribe", "id": "none" }).to_string()
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-unknown-type-ignored",
        about: "ignores messages of an unknown type",
        breaks: R::EvtErr006,
        caught_by: "events/errors/unknown-type",
        how: How::Skip(Check::UnknownWordAnswered),
    },
    Fault {
        name: "events-unknown-type-closes",
        about: "closes the connection on an unknown type",
        breaks: R::EvtErr006,
        caught_by: "events/errors/unknown-type",
        how: How::Trap(Trigger::UnknownWord, Reaction::Close(1003)),
    },
    Fault {
        name: "events-unknown-type-is-a-bad-request",
        about: "names an unknown type BadRequestException",
        breaks: R::EvtErr007,
        caught_by: "events/errors/unknown-type",
        how: edit("error", Nth::Every, Change::Set("errors.0.errorType", r#""BadRequestException""#)),
    },
    Fault {
        name: "events-takes-a-graphql-start",
        about: "acknowledges the start of the GraphQL protocol",
        breaks: R::EvtErr016,
        caught_by: "events/errors/words-of-graphql",
        how: edit("error", Nth::Only(1), Change::Rename("start_ack")),
    },
    Fault {
        name: "events-ignores-a-graphql-stop",
        about: "ignores the stop of the GraphQL protocol",
        breaks: R::EvtErr016,
        caught_by: "events/errors/words-of-graphql",
        how: How::Trap(Trigger::Word("stop"), Reaction::Ignore),
    },
    Fault {
        name: "events-answers-three-bad-messages",
        about: "stops answering after the third message in error",
        breaks: R::EvtErr010,
        caught_by: "events/errors/missing-type",
        how: edit("error", Nth::From(4), Change::Drop),
    },
    Fault {
        name: "events-malformed-json-ignored",
        about: "ignores text that is not JSON",
        breaks: R::EvtErr008,
        caught_by: "events/errors/malformed-json",
        how: How::Trap(Trigger::MalformedJson, Reaction::Ignore),
    },
    Fault {
        name: "events-malformed-json-loses-all",
        about: "drops every connection on text that is not JSON",
        breaks: R::SynAlive001,
        caught_by: "events/errors/malformed-json",
        how: How::Trap(Trigger::MalformedJson, Reaction::LoseAll),
    },
    Fault {
        name: "events-malformed-json-kills",
        about: "dies of text that is not JSON",
        breaks: R::SynAlive001,
        caught_by: "events/errors/malformed-json",
        how: How::Trap(Trigger::MalformedJson, Reaction::Die),
    },
    Fault {
        name: "events-json-without-object-ignored",
        about: "ignores JSON that is no object",
        breaks: R::EvtErr009,
        caught_by: "events/errors/json-that-is-no-object",
        how: How::Skip(Check::UnreadableAnswered),
    },
    Fault {
        name: "events-json-without-object-kills",
        about: "dies of JSON that is no object",
        breaks: R::SynAlive001,
        caught_by: "events/errors/json-that-is-no-object",
        how: How::Trap(Trigger::NotAnObject, Reaction::Die),
    },
    Fault {
        name: "events-error-without-type",
        about: "leaves the errorType out when it refuses a publish",
        breaks: R::EvtErr001,
        caught_by: "events/errors/entries-have-a-type",
        how: edit("publish_error", Nth::Every, Change::Remove("errors.0.errorType")),
    },
    Fault {
        name: "events-error-list-empty",
        about: "refuses an unsubscribe with an empty list of errors",
        breaks: R::EvtErr001,
        caught_by: "events/errors/entries-have-a-type",
        how: edit("unsubscribe_error", Nth::Every, Change::Set("errors", "[]")),
    },
    Fault {
        name: "events-error-as-text",
        about: "puts a text in place of the list of errors",
        breaks: R::EvtErr001,
        caught_by: "events/errors/entries-have-a-type",
        how: edit("error", Nth::Every, Change::Set("errors", r#""unsupported""#)),
    },
    Fault {
        name: "events-error-without-id",
        about: "leaves the id out when it refuses a publish",
        breaks: R::EvtErr005,
        caught_by: "events/errors/operations-are-named",
        how: edit("publish_error", Nth::Every, Change::Remove("id")),
    },
    Fault {
        name: "events-error-with-another-id",
        about: "mangles the id when it refuses a subscribe",
        breaks: R::EvtErr005,
        caught_by: "events/errors/operations-are-named",
        how: edit("subscribe_error", Nth::Every, Change::MangleId),
    },
    Fault {
        name: "events-error-with-null-id",
        about: "sends null for the id when it refuses an unsubscribe",
        breaks: R::EvtErr005,
        caught_by: "events/errors/operations-are-named",
        how: edit("unsubscribe_error", Nth::Every, Change::Set("id", "null")),
    },
    Fault {
        name: "events-error-closes-afterwards",
        about: "closes the connection after an error",
        breaks: R::EvtErr015,
        caught_by: "events/errors/the-connection-lives-on",
        how: edit("error", Nth::Every, Change::CloseAfter(1002)),
    },
    Fault {
        name: "events-error-ends-delivery",
        about: "delivers nothing after the second event",
        breaks: R::EvtErr015,
        caught_by: "events/errors/the-connection-lives-on",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-refusals-unanswered",
        about: "leaves requests that it refuses without an answer",
        breaks: R::SynBound001,
        caught_by: "events/errors/every-request-is-answered",
        how: How::Skip(Check::RefusalAnswered),
    },
    Fault {
        name: "events-publishes-unanswered",
        about: "leaves publishes without an answer",
        breaks: R::SynBound001,
        caught_by: "events/errors/every-request-is-answered",
        how: edit("publish_success", Nth::Every, Change::Drop),
    },
    Fault {
        name: "events-unsubscribes-unanswered",
        about: "leaves unsubscribes without an answer",
        breaks: R::SynBound001,
        caught_by: "events/errors/every-request-is-answered",
        how: edit("unsubscribe_success", Nth::Every, Change::Drop),
    },
];
