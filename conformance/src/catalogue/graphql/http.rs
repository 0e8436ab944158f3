//! The HTTP endpoint, as far as subscriptions depend on it.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::Request;
use serde_json::json;

use super::steps::{CHANNEL, QUICK, all, connected, edit_http, expect, published, subscribed, warmed_by};
use crate::fault::{DoorCheck, Fault, How, HttpChange};
use crate::scenario::cast::{PUBLISH_TO_CHANNEL, WRONG_KEY, channel_data, request_body};
use crate::scenario::{Answer, Pattern, Scenario, Shape, Step};

/// A request that every schema can answer.
const TYPE_NAME: &str = r#"{"query":"query { __typename }"}"#;

/// Makes a request and looks at the answer.
fn call(request: Request, answer: Answer, rule: R) -> Step {
    Step::Call { request, any_of: vec![answer], rule }
}

/// A refusal with one of the documented types.
fn refused(status: u16, error_type: &'static [&'static str]) -> Answer {
    Answer::status(status).has("errors", Shape::ErrorType(error_type))
}

const MALFORMED: &[&str] = &["MalformedHttpRequestException"];
const UNAUTHORIZED: &[&str] = &["UnauthorizedException"];

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/http/mutation",
        title: "A mutation over HTTP is answered with status 200 and its result in data.",
        covers: &[R::GqlHttp002],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let result = json!({ "name": room, "data": channel_data(&nonce) });
            let answer =
                Answer::status(200).has("data.publish2channel", Shape::Is(result)).has("errors", Shape::Nothing);
            vec![call(cast.publish_to_channel(&room, &nonce), answer, R::GqlHttp002)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/alias",
        title: "A result over HTTP is keyed by the alias of its field.",
        covers: &[R::GqlHttp002],
        steps: |cast| {
            let answer = Answer::status(200).has("data.kind", Shape::Text).has("data.__typename", Shape::Absent);
            vec![call(cast.post(r#"{"query":"query { kind: __typename }"}"#), answer, R::GqlHttp002)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/operation-name",
        title: "An operationName over HTTP selects one of several operations.",
        covers: &[R::GqlHttp001],
        steps: |cast| {
            let body = json!({
                "query": "query A { a: __typename } query B { b: __typename }", "operationName": "B",
            });
            let answer = Answer::status(200).has("data.b", Shape::Text).has("data.a", Shape::Absent);
            vec![call(cast.post(&body.to_string()), answer, R::GqlHttp001)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/no-key",
        title: "A request over HTTP without credentials is answered with 401 and UnauthorizedException.",
        covers: &[R::GqlHttp003],
        steps: |cast| vec![call(cast.post_with_key(TYPE_NAME, None), refused(401, UNAUTHORIZED), R::GqlHttp003)],
        ..QUICK
    },
    Scenario {
        id: "graphql/http/unknown-key",
        title: "A request over HTTP with an unknown API key is answered with 401 and UnauthorizedException.",
        covers: &[R::GqlHttp004],
        steps: |cast| {
            let request = cast.post_with_key(TYPE_NAME, Some(WRONG_KEY));
            vec![call(request, refused(401, UNAUTHORIZED), R::GqlHttp004)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/refusal-form",
        title: "A refusal over HTTP has an array of errors with errorType and message.",
        covers: &[R::GqlHttp013],
        steps: |cast| {
            let answer = Answer::between(400, 499)
                .has("errors", Shape::Array)
                .has("errors.0.errorType", Shape::Text)
                .has("errors.0.message", Shape::Text);
            vec![call(cast.post_with_key(TYPE_NAME, Some(WRONG_KEY)), answer, R::GqlHttp013)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/empty-body",
        title: "An empty body is answered with 400 and MalformedHttpRequestException.",
        covers: &[R::GqlHttp007],
        steps: |cast| vec![call(cast.post(""), refused(400, MALFORMED), R::GqlHttp007)],
        ..QUICK
    },
    Scenario {
        id: "graphql/http/no-json",
        title: "A body that is no JSON is answered with 400 and MalformedHttpRequestException.",
        covers: &[R::GqlHttp008],
        steps: |cast| vec![call(cast.post("{oops"), refused(400, MALFORMED), R::GqlHttp008)],
        ..QUICK
    },
    Scenario {
        id: "graphql/http/no-query",
        title: "A body without a query is answered with 400 and MalformedHttpRequestException.",
        covers: &[R::GqlHttp008],
        steps: |cast| vec![call(cast.post(r#"{"variables":{}}"#), refused(400, MALFORMED), R::GqlHttp008)],
        ..QUICK
    },
    Scenario {
        id: "graphql/http/syntax",
        title: "A query that does not parse is answered with 400 and MalformedHttpRequestException.",
        covers: &[R::GqlHttp008],
        steps: |cast| vec![call(cast.post(r#"{"query":"query {"}"#), refused(400, MALFORMED), R::GqlHttp008)],
        ..QUICK
    },
    Scenario {
        id: "graphql/http/unknown-field",
        title: "A query that does not validate is answered with 200, errors and no data.",
        covers: &[R::GqlHttp009],
        steps: |cast| {
            let answer = Answer::status(200)
                .has("errors", Shape::Errors)
                .has("errors.0.message", Shape::Text)
                .has("data", Shape::Nothing);
            vec![call(cast.post(r#"{"query":"query { nothingLikeThis }"}"#), answer, R::GqlHttp009)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/missing-variable",
        title: "A mutation that lacks a required variable is answered with 200 and errors.",
        covers: &[R::GqlHttp010],
        needs: CHANNEL,
        steps: |cast| {
            let request = cast.post(&request_body(PUBLISH_TO_CHANNEL, &json!({ "n": cast.nonce("room") })));
            vec![call(request, Answer::status(200).has("errors", Shape::Errors), R::GqlHttp010)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/errors-say-where",
        title: "Errors over HTTP have path and locations.",
        covers: &[R::GqlHttp016],
        steps: |cast| {
            let answer =
                Answer::status(200).has("errors.0.path", Shape::Present).has("errors.0.locations", Shape::Present);
            vec![call(cast.post(r#"{"query":"query { nothingLikeThis }"}"#), answer, R::GqlHttp016)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/subscription",
        title: "A subscription over HTTP is refused or answered without data.",
        covers: &[R::GqlHttp014],
        needs: CHANNEL,
        steps: |cast| {
            let document =
                format!(r#"subscription {{ subscribe2channel(name: "{}") {{ name }} }}"#, cast.nonce("room"));
            let without_data = Answer::status(200).has("data.subscribe2channel", Shape::Nothing);
            let any_of = vec![Answer::between(400, 499), without_data];
            let request = cast.post(&request_body(&document, &Json::Null));
            vec![Step::Call { request, any_of, rule: R::GqlHttp014 }]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/triggers-subscribers",
        title: "A mutation over HTTP triggers its subscribers with what its selection set returned.",
        covers: &[R::GqlHttp015],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let result = json!({ "name": room, "data": channel_data(&nonce) });
            let told = Pattern::with_id("data", "first").has("payload.data.subscribe2channel", Shape::Is(result));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed_by(cast, 1, "first", &room, R::GqlHttp015),
                    published(cast, &room, &nonce),
                    expect(1, told, R::GqlHttp015),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/preflight",
        title: "A preflight request of a browser is answered.",
        covers: &[R::GqlHttp017],
        steps: |cast| {
            let mut request = cast.post_with_key("", None);
            request.method = "OPTIONS".into();
            request.headers.push("origin", "https://app.example.com");
            request.headers.push("access-control-request-method", "POST");
            request.headers.push("access-control-request-headers", "content-type,x-api-key");
            vec![call(request, Answer::between(200, 299), R::GqlHttp017)]
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-http-does-not-reach-subscribers",
        about: "tells no subscriber of a mutation over HTTP",
        breaks: R::GqlHttp015,
        caught_by: "graphql/http/triggers-subscribers",
        how: How::Door(DoorCheck::HttpReaches),
    },
    Fault {
        name: "graphql-http-data-beside-errors",
        about: "answers a query that does not validate with data beside the errors",
        breaks: R::GqlHttp009,
        caught_by: "graphql/http/unknown-field",
        how: edit_http(200, HttpChange::Set("data", r#"{"nothingLikeThis":1}"#)),
    },
    Fault {
        name: "graphql-http-errors-without-message",
        about: "has errors without a message over HTTP",
        breaks: R::GqlHttp009,
        caught_by: "graphql/http/unknown-field",
        how: edit_http(200, HttpChange::Remove("errors.0.message")),
    },
    Fault {
        name: "graphql-http-errors-say-nowhere",
        about: "has errors without locations over HTTP",
        breaks: R::GqlHttp016,
        caught_by: "graphql/http/errors-say-where",
        how: edit_http(200, HttpChange::Remove("errors.0.locations")),
    },
    Fault {
        name: "graphql-http-missing-variable-is-a-client-error",
        about: "answers a missing variable with 400",
        breaks: R::GqlHttp010,
        caught_by: "graphql/http/missing-variable",
        how: edit_http(200, HttpChange::Status(400)),
    },
    Fault {
        name: "graphql-http-syntax-error-is-a-success",
        about: "answers a query that does not parse with 200",
        breaks: R::GqlHttp008,
        caught_by: "graphql/http/syntax",
        how: edit_http(400, HttpChange::Status(200)),
    },
    Fault {
        name: "graphql-http-no-json-of-another-type",
        about: "calls a body that is no JSON a bad request",
        breaks: R::GqlHttp008,
        caught_by: "graphql/http/no-json",
        how: edit_http(400, HttpChange::Set("errors.0.errorType", r#""BadRequestException""#)),
    },
    Fault {
        name: "graphql-http-no-query-is-a-server-error",
        about: "answers a body without a query with 500",
        breaks: R::GqlHttp008,
        caught_by: "graphql/http/no-query",
        how: edit_http(400, HttpChange::Status(500)),
    },
    Fault {
        name: "graphql-http-empty-body-as-a-page",
        about: "answers an empty body with a page of HTML",
        breaks: R::GqlHttp007,
        caught_by: "graphql/http/empty-body",
        how: edit_http(400, HttpChange::Body("<html><body>Bad Request</body></html>")),
    },
    Fault {
        name: "graphql-http-refusal-without-list",
        about: "has a single error in place of the list over HTTP",
        breaks: R::GqlHttp013,
        caught_by: "graphql/http/refusal-form",
        how: edit_http(401, HttpChange::Set("errors", r#"{"errorType":"UnauthorizedException","message":"no"}"#)),
    },
    Fault {
        name: "graphql-http-refusal-without-message",
        about: "has no message in a refusal over HTTP",
        breaks: R::GqlHttp013,
        caught_by: "graphql/http/refusal-form",
        how: edit_http(401, HttpChange::Remove("errors.0.message")),
    },
    Fault {
        name: "graphql-http-unknown-key-is-forbidden",
        about: "answers an unknown key over HTTP with 403",
        breaks: R::GqlHttp004,
        caught_by: "graphql/http/unknown-key",
        how: edit_http(401, HttpChange::Status(403)),
    },
    Fault {
        name: "graphql-http-unknown-key-accepted",
        about: "takes every key over HTTP",
        breaks: R::GqlHttp004,
        caught_by: "graphql/http/unknown-key",
        how: How::Door(DoorCheck::HttpKey),
    },
    Fault {
        name: "graphql-http-no-key-accepted",
        about: "needs no key over HTTP",
        breaks: R::GqlHttp003,
        caught_by: "graphql/http/no-key",
        how: How::Door(DoorCheck::HttpKeyPresent),
    },
    Fault {
        name: "graphql-http-subscription-succeeds",
        about: "answers a subscription over HTTP with data",
        breaks: R::GqlHttp014,
        caught_by: "graphql/http/subscription",
        how: How::Door(DoorCheck::HttpSubscription),
    },
    Fault {
        name: "graphql-http-operation-name-ignored",
        about: "answers the first of several operations over HTTP",
        breaks: R::GqlHttp001,
        caught_by: "graphql/http/operation-name",
        how: edit_http(200, HttpChange::Body(r#"{"data":{"a":"Query"}}"#)),
    },
    Fault {
        name: "graphql-http-alias-ignored",
        about: "keys results over HTTP by the name of the field",
        breaks: R::GqlHttp002,
        caught_by: "graphql/http/alias",
        how: edit_http(200, HttpChange::Body(r#"{"data":{"__typename":"Query"}}"#)),
    },
    Fault {
        name: "graphql-http-result-without-data",
        about: "sends the result over HTTP without data around it",
        breaks: R::GqlHttp002,
        caught_by: "graphql/http/mutation",
        how: edit_http(200, HttpChange::Remove("data")),
    },
    Fault {
        name: "graphql-http-created",
        about: "answers a mutation over HTTP with 201",
        breaks: R::GqlHttp002,
        caught_by: "graphql/http/mutation",
        how: edit_http(200, HttpChange::Status(201)),
    },
    Fault {
        name: "graphql-http-no-preflight",
        about: "does not let browsers ask",
        breaks: R::GqlHttp017,
        caught_by: "graphql/http/preflight",
        how: edit_http(200, HttpChange::Status(405)),
    },
];
