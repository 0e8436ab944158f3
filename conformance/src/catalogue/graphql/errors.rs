//! Refused documents and operations: which error answers them, and what survives it.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::steps::{
    ANY, CHANNEL, QUICK, all, bad_start, beside_a_bystander, connected, edit, expect, forbidden, marked, published,
    refusal, say, subscribed, warmed,
};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::cast::{PUBLISH_TO_CHANNEL, SUBSCRIBE_TO_CHANNEL, channel_data};
use crate::scenario::{Cast, Pattern, Scenario, Shape, Step};

/// Starts a document that no server can accept, and waits for the error with its id.
fn refused(cast: &Cast, id: &str, document: &str, rule: R) -> Vec<Step> {
    vec![say(1, cast.start(id, document, &Json::Null)), expect(1, refusal(id), rule)]
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/errors/unknown-field",
        title: "A start whose document names an unknown field is answered with an error.",
        covers: &[R::GqlErr011],
        steps: |cast| {
            all([connected(cast, 1), vec![say(1, bad_start(cast, "bad")), expect(1, refusal("bad"), R::GqlErr011)]])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/arguments-that-do-not-fit",
        title: "A missing, an unknown and a mistyped argument are each answered with an error.",
        covers: &[R::GqlErr011],
        needs: CHANNEL,
        steps: |cast| {
            let missing = "subscription { subscribe2channel { name } }";
            let unknown = r#"subscription { subscribe2channel(name: "a", nothing: 1) { name } }"#;
            let mistyped = "subscription { subscribe2channel(name: 5) { name } }";
            all([
                connected(cast, 1),
                refused(cast, "missing", missing, R::GqlErr011),
                refused(cast, "unknown", unknown, R::GqlErr011),
                refused(cast, "mistyped", mistyped, R::GqlErr011),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/missing-variable",
        title: "A start that leaves out a required variable is answered with an error.",
        covers: &[R::GqlErr012],
        needs: CHANNEL,
        steps: |cast| all([connected(cast, 1), refused(cast, "bare", SUBSCRIBE_TO_CHANNEL, R::GqlErr012)]),
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/null-variable",
        title: "A start that gives null for a required variable is answered with an error.",
        covers: &[R::GqlErr012],
        needs: CHANNEL,
        steps: |cast| {
            let start = cast.start("null", SUBSCRIBE_TO_CHANNEL, &json!({ "n": null }));
            all([connected(cast, 1), vec![say(1, start), expect(1, refusal("null"), R::GqlErr012)]])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/syntax",
        title: "A start whose document does not parse is answered with an error and ends nothing.",
        covers: &[R::GqlErr011, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let start = cast.start("broken", "subscription {", &Json::Null);
            let provocation = all([connected(cast, 1), vec![say(1, start)]]);
            beside_a_bystander(cast, provocation, vec![expect(1, refusal("broken"), R::GqlErr011)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/query",
        title: "A start that holds a query is refused as an unsupported operation.",
        covers: &[R::GqlErr007, R::GqlSub034, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let start = cast.start("query", "query { __typename }", &Json::Null);
            let typed = Pattern::word("error").has("payload.errors", Shape::ErrorType(&["UnsupportedOperation"]));
            let provocation = all([connected(cast, 1), vec![say(1, start)]]);
            beside_a_bystander(cast, provocation, vec![expect(1, typed, R::GqlErr007)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/no-operation-but-a-subscription",
        title: "A start that holds a query is not acknowledged.",
        covers: &[R::GqlSub034, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let start = cast.start("query", "query { __typename }", &Json::Null);
            let provocation = all([connected(cast, 1), vec![say(1, start)]]);
            beside_a_bystander(cast, provocation, vec![expect(1, Pattern::word("error"), R::GqlSub034)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/mutation",
        title: "A start that holds a mutation is refused, and the mutation is not executed.",
        covers: &[R::GqlErr008, R::SynAlive001, R::SynAlive002],
        needs: CHANNEL,
        hazard: true,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let variables = json!({ "n": room, "d": channel_data(&nonce) });
            let start = cast.start("mutation", PUBLISH_TO_CHANNEL, &variables);
            let provocation = all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![warmed(cast, 1, "first", &room), forbidden(1, "first", &nonce, R::GqlErr008), say(1, start)],
            ]);
            let refused = vec![expect(1, Pattern::word("error"), R::GqlErr008)];
            beside_a_bystander(cast, provocation, all([refused, marked(cast, 1, "first", &room, R::GqlErr008)]))
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/errors/spare-the-connection",
        title: "An error of one operation leaves the connection and its other subscriptions working.",
        covers: &[R::GqlErr014],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    say(1, bad_start(cast, "bad")),
                    expect(1, Pattern::word("error"), R::GqlErr014),
                    published(cast, &room, &nonce),
                    super::steps::heard(cast, 1, "first", (&room, &nonce), R::GqlErr014),
                ],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-error-ends-the-connection",
        about: "closes the connection after an error",
        breaks: R::GqlErr014,
        caught_by: "graphql/errors/spare-the-connection",
        how: How::Skip(Check::ErrorKeepsConnection),
    },
    Fault {
        name: "graphql-error-deafens-the-others",
        about: "delivers nothing after an error",
        breaks: R::GqlErr014,
        caught_by: "graphql/errors/spare-the-connection",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "graphql-documents-unchecked",
        about: "acknowledges documents that do not fit the schema",
        breaks: R::GqlErr011,
        caught_by: "graphql/errors/unknown-field",
        how: How::Skip(Check::DocumentChecked),
    },
    Fault {
        name: "graphql-third-error-is-an-ack",
        about: "acknowledges the third document that it should refuse",
        breaks: R::GqlErr011,
        caught_by: "graphql/errors/arguments-that-do-not-fit",
        how: edit("error", Nth::Only(3), Change::Rename("start_ack")),
    },
    Fault {
        name: "graphql-second-error-unsaid",
        about: "does not answer the second document that it refuses",
        breaks: R::GqlErr011,
        caught_by: "graphql/errors/arguments-that-do-not-fit",
        how: edit("error", Nth::Only(2), Change::Drop),
    },
    Fault {
        name: "graphql-variables-unchecked",
        about: "acknowledges a start that lacks a required variable",
        breaks: R::GqlErr012,
        caught_by: "graphql/errors/missing-variable",
        how: How::Skip(Check::DocumentChecked),
    },
    Fault {
        name: "graphql-null-variable-completes",
        about: "ends a start with a null variable by complete in place of an error",
        breaks: R::GqlErr012,
        caught_by: "graphql/errors/null-variable",
        how: edit("error", Nth::Every, Change::Rename("complete")),
    },
    Fault {
        name: "graphql-query-is-acknowledged",
        about: "acknowledges queries",
        breaks: R::GqlSub034,
        caught_by: "graphql/errors/no-operation-but-a-subscription",
        how: How::Skip(Check::SubscriptionsOnly),
    },
    Fault {
        name: "graphql-query-of-another-error-type",
        about: "calls a query a bad request",
        breaks: R::GqlErr007,
        caught_by: "graphql/errors/query",
        how: edit("error", Nth::Every, Change::Set("payload.errors.0.errorType", r#""BadRequestException""#)),
    },
    Fault {
        name: "graphql-query-unanswered",
        about: "does not answer a query",
        breaks: R::GqlErr007,
        caught_by: "graphql/errors/query",
        how: How::Trap(Trigger::NotASubscription, Reaction::Ignore),
    },
    Fault {
        name: "graphql-mutation-is-acknowledged",
        about: "acknowledges mutations",
        breaks: R::GqlErr008,
        caught_by: "graphql/errors/mutation",
        how: How::Skip(Check::SubscriptionsOnly),
    },
    Fault {
        name: "graphql-mutation-ends-the-connection",
        about: "drops the connection on a mutation",
        breaks: R::GqlErr008,
        caught_by: "graphql/errors/mutation",
        how: How::Trap(Trigger::NotASubscription, Reaction::Lose),
    },
    Fault {
        name: "graphql-query-is-fatal",
        about: "ends its process on a query",
        breaks: R::SynAlive001,
        caught_by: "graphql/errors/query",
        how: How::Trap(Trigger::NotASubscription, Reaction::Die),
    },
    Fault {
        name: "graphql-syntax-error-ends-all-connections",
        about: "drops every connection on a document that does not parse",
        breaks: R::SynAlive001,
        caught_by: "graphql/errors/syntax",
        how: How::Trap(Trigger::SyntaxError, Reaction::LoseAll),
    },
    Fault {
        name: "graphql-syntax-error-unanswered",
        about: "does not answer a document that does not parse",
        breaks: R::GqlErr011,
        caught_by: "graphql/errors/syntax",
        how: How::Trap(Trigger::SyntaxError, Reaction::Ignore),
    },
    Fault {
        name: "graphql-refusals-unsaid",
        about: "refuses without a word",
        breaks: R::GqlErr011,
        caught_by: "graphql/errors/unknown-field",
        how: How::Skip(Check::RefusalAnswered),
    },
];
