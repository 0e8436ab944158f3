//! What needs set-up of the API: invalidation, resolvers that do something, an authorizer that can be made to answer.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::{Check, Mode};
use appsync_protocol::wire::Request;
use serde_json::json;

use super::enhanced::one;
use super::steps::{
    QUICK, all, any_of, connected, edit, edit_http, expect, forbidden, open_in_vain, refusal, say, subscribed_to,
    turned_away, warmed_with,
};
use crate::auth::sign::Secret;
use crate::fault::{AuthCheck, Change, Fault, How, HttpChange, Nth};
use crate::scenario::cast::{SUBSCRIBE_TO_CHANNEL, request_body};
use crate::scenario::{Answer, Capability, Cast, Need, Pattern, Scenario, Shape, Step};

const INVALIDATION: &[Need] = &[Need::Capability(Capability::Invalidation)];

/// The mutation of an item on a shelf; the nonce travels in `text`.
fn put(cast: &Cast, shelf: &str, nonce: &str) -> Request {
    let document = "mutation P($s: ID, $t: String) { putItem(shelf: $s, text: $t) { id shelf text } }";
    cast.post(&request_body(document, &json!({ "s": shelf, "t": nonce })))
}

/// Subscribes to a shelf, with an invalidation filter or none, and waits for the first event.
fn shelved(cast: &Cast, id: &str, shelf: &str, guard: &Json) -> Vec<Step> {
    let document = "subscription S($s: ID, $g: AWSJSON) { onShelf(shelf: $s, guard: $g) { id shelf text } }";
    let guard = if guard.is_null() { Json::Null } else { guard.to_string().into() };
    all([
        subscribed_to(cast, 1, id, document, &json!({ "s": shelf, "g": guard })),
        vec![warmed_with(cast, 1, id, R::GqlSub012, |nonce| put(cast, shelf, nonce))],
    ])
}

/// Invalidates a shelf.
fn invalidated(cast: &Cast, shelf: &str) -> Step {
    let document = "mutation E($s: ID) { endShelf(shelf: $s) { id shelf } }";
    Step::Call {
        request: cast.post(&request_body(document, &json!({ "s": shelf }))),
        any_of: vec![Answer::status(200).has("data.endShelf", Shape::Object)],
        rule: R::GqlHttp002,
    }
}

/// The subscription goes on: a marker arrives, and nothing ends it.
fn goes_on(cast: &Cast, id: &str, shelf: &str, rule: R) -> Vec<Step> {
    let marker = cast.nonce("marker");
    let seen = Pattern::with_id("data", id).has("payload.data.onShelf.text", Shape::Is(marker.as_str().into()));
    let sent = Step::Call {
        request: put(cast, shelf, &marker),
        any_of: vec![Answer::status(200).has("data.putItem", Shape::Object)],
        rule: R::GqlHttp002,
    };
    vec![sent, expect(1, seen, rule), Step::Quiet { conn: 1 }]
}

/// Both messages that tell of the end (GQL-A-07).
fn told(id: &str) -> Vec<Pattern> {
    vec![
        Pattern::with_id("complete", id).reads("GQL-A-07", "the end is told by complete"),
        Pattern::with_id("error", id).reads("GQL-A-07", "the end is told by error"),
    ]
}

/// `start` of a channel, authorized by this token.
fn start_by_token(cast: &Cast, id: &str, token: &str) -> Step {
    let variables = json!({ "n": cast.nonce("room") });
    let body = request_body(SUBSCRIBE_TO_CHANNEL, &variables);
    let credentials = cast.operation_by(&Secret::Token(token.into()), &body);
    say(1, cast.start_as(id, SUBSCRIBE_TO_CHANNEL, &variables, &credentials.to_json()))
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/invalidation/ends",
        title: "An invalidation with a payload that fits ends the subscription.",
        covers: &[R::GqlFilter026],
        needs: INVALIDATION,
        steps: |cast| {
            let shelf = cast.nonce("shelf");
            let mut ends = told("first");
            ends.push(Pattern::closed().reads("GQL-A-07", "the end is told by a close alone"));
            all([
                connected(cast, 1),
                shelved(cast, "first", &shelf, &one("shelf", "eq", shelf.as_str())),
                vec![invalidated(cast, &shelf), any_of(1, ends, R::GqlFilter026)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/invalidation/is-told",
        title: "The end of an invalidated subscription is told by a message with its id.",
        covers: &[R::GqlSub035],
        needs: INVALIDATION,
        steps: |cast| {
            let shelf = cast.nonce("shelf");
            all([
                connected(cast, 1),
                shelved(cast, "first", &shelf, &one("shelf", "eq", shelf.as_str())),
                vec![invalidated(cast, &shelf), any_of(1, told("first"), R::GqlSub035)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/invalidation/of-another",
        title: "An invalidation with a payload that does not fit leaves a subscription alone.",
        covers: &[R::GqlFilter027],
        needs: INVALIDATION,
        steps: |cast| {
            let shelf = cast.nonce("shelf");
            all([
                connected(cast, 1),
                shelved(cast, "first", &shelf, &one("shelf", "eq", shelf.as_str())),
                vec![invalidated(cast, &cast.nonce("another"))],
                goes_on(cast, "first", &shelf, R::GqlFilter027),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/invalidation/without-a-filter",
        title: "An invalidation does not end a subscription without an invalidation filter.",
        covers: &[R::GqlFilter028],
        needs: INVALIDATION,
        steps: |cast| {
            let shelf = cast.nonce("shelf");
            all([
                connected(cast, 1),
                shelved(cast, "first", &shelf, &Json::Null),
                vec![invalidated(cast, &shelf)],
                goes_on(cast, "first", &shelf, R::GqlFilter028),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/invalidation/five-times",
        title: "A mutation that invalidates for the sixth time gets an error.",
        covers: &[R::GqlLimit013],
        needs: INVALIDATION,
        steps: |cast| {
            let document = "mutation E($s: ID) { endShelfOften(shelf: $s) { id } }";
            vec![Step::Call {
                request: cast.post(&request_body(document, &json!({ "s": cast.nonce("shelf") }))),
                any_of: vec![Answer::status(200).has("errors", Shape::Errors)],
                rule: R::GqlLimit013,
            }]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/resolvers/subscription",
        title: "What the resolver of a subscription returns is not sent as an event.",
        covers: &[R::GqlSub021],
        needs: &[Need::Capability(Capability::SubscriptionResolver)],
        steps: |cast| {
            let greet = |nonce: &str| {
                let document = "mutation G($t: String) { greet(text: $t) { text } }";
                cast.post(&request_body(document, &json!({ "t": nonce })))
            };
            all([
                connected(cast, 1),
                vec![forbidden(1, "first", &cast.nonce("never"), R::GqlSub021)],
                subscribed_to(cast, 1, "first", "subscription { onGreeted { text } }", &Json::Null),
                vec![warmed_with(cast, 1, "first", R::GqlSub012, greet), Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/resolvers/changed-value",
        title: "Arguments are held against what the mutation returns and not against what it was given.",
        covers: &[R::GqlFilter006],
        needs: &[Need::Capability(Capability::ChangingResolver)],
        steps: |cast| {
            let (shelf, nonce) = (cast.nonce("shelf"), cast.nonce("event"));
            let document = "subscription S($s: ID) { onMoved(shelf: $s) { id shelf text } }";
            let moved = |nonce: &str| {
                let document = "mutation M($s: ID, $t: String) { moveItem(shelf: $s, text: $t) { id shelf text } }";
                cast.post(&request_body(document, &json!({ "s": shelf, "t": nonce })))
            };
            let heard =
                Pattern::with_id("data", "result").has("payload.data.onMoved.text", Shape::Is(nonce.clone().into()));
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "input", document, &json!({ "s": shelf })),
                subscribed_to(cast, 1, "result", document, &json!({ "s": "elsewhere" })),
                vec![
                    forbidden(1, "input", &nonce, R::GqlFilter006),
                    warmed_with(cast, 1, "result", R::GqlFilter006, moved),
                    Step::Call {
                        request: moved(&nonce),
                        any_of: vec![Answer::status(200).has("data.moveItem", Shape::Object)],
                        rule: R::GqlHttp002,
                    },
                    expect(1, heard, R::GqlFilter006),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/resolvers/failing",
        title: "A resolver that fails is answered with 200, null for its field, and its type at the top of the error.",
        covers: &[R::GqlHttp011],
        needs: &[Need::Capability(Capability::FailingResolver)],
        steps: |cast| {
            let document = "mutation B($t: String) { breakItem(text: $t) { id } }";
            let failed = Answer::status(200)
                .has("data.breakItem", Shape::Nothing)
                .has("errors.0.errorType", Shape::Is("Broken".into()))
                .has("errors.0.errorInfo", Shape::Is(json!({ "code": 1 })));
            vec![Step::Call {
                request: cast.post(&request_body(document, &json!({ "t": cast.nonce("item") }))),
                any_of: vec![failed],
                rule: R::GqlHttp011,
            }]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/resolvers/denied-field",
        title: "A field that is denied is answered with 200, null and the type Unauthorized.",
        covers: &[R::GqlHttp012],
        needs: &[Need::Capability(Capability::DeniedQuery), Need::Mode(Mode::Lambda)],
        steps: |cast| {
            let secret = cast.secret(Mode::Lambda).unwrap_or_else(|| Secret::Token(String::new()));
            let denied = Answer::status(200)
                .has("data.dummy", Shape::Nothing)
                .has("errors", Shape::ErrorType(&["Unauthorized", "UnauthorizedException"]));
            vec![Step::Call {
                request: cast.post_by(&secret, &request_body("query { dummy(param: \"x\") }", &Json::Null)),
                any_of: vec![denied],
                rule: R::GqlHttp012,
            }]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/authorizer/is-asked-again",
        title: "A Lambda authorizer is asked for every start, unless an answer of it is kept.",
        covers: &[R::GqlAuth020],
        needs: &[Need::Capability(Capability::AuthorizerCaches), Need::ChannelSchema],
        steps: |cast| {
            let (once, kept) =
                (format!("syncspec-once-{}", cast.prefix), format!("syncspec-once-kept-{}", cast.prefix));
            let granted = |id: &str| expect(1, Pattern::with_id("start_ack", id), R::GqlAuth020);
            all([
                connected(cast, 1),
                vec![
                    start_by_token(cast, "asked", &once),
                    granted("asked"),
                    start_by_token(cast, "again", &once),
                    expect(1, refusal("again"), R::GqlAuth020),
                    start_by_token(cast, "kept", &kept),
                    granted("kept"),
                    start_by_token(cast, "kept-again", &kept),
                    granted("kept-again"),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/authorizer/expired-api-key",
        title: "A connection with an API key that has expired is refused.",
        covers: &[R::GqlAuth024],
        needs: &[Need::Capability(Capability::ExpiredApiKey)],
        steps: |cast| {
            let expired = cast.connect_by(&Secret::ApiKey(EXPIRED_KEY.into()));
            let request = cast.upgrade(cast.usual_carrier(), &expired);
            all([vec![open_in_vain(1, request, R::GqlAuth024)], turned_away(1, R::GqlAuth024)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/unsupplied-variable",
        title: "What an argument means whose variable is declared and not supplied is recorded.",
        covers: &[R::GqlFilter004],
        needs: &[Need::NoteSchema],
        steps: |cast| {
            let board = cast.nonce("board");
            let document = "subscription S($b: ID, $s: Int) { onNote(board: $b, stars: $s) { id board text stars } }";
            let (three, none) = (cast.nonce("three"), cast.nonce("none"));
            let note = |nonce: &str, reading| {
                Pattern::with_id("data", "first")
                    .has("payload.data.onNote.text", Shape::Is(nonce.into()))
                    .reads("GQL-A-13", reading)
            };
            let readings = vec![
                note(&three, "it acts as an argument that is left out"),
                note(&none, "it acts as an argument of null"),
            ];
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", document, &json!({ "b": board })),
                vec![
                    warmed_with(cast, 1, "first", R::GqlSub012, |nonce| {
                        super::steps::add_note(cast, &board, nonce, None)
                    }),
                    super::steps::noted(cast, &board, &three, Some(3)),
                    super::steps::noted(cast, &board, &none, None),
                    any_of(1, readings, R::GqlFilter004),
                ],
            ])
        },
        ..QUICK
    },
];

/// What [`Capability::ExpiredApiKey`] promises.
const EXPIRED_KEY: &str = "da2-syncspecexpiredapikey00000";

/// An invalidation filter that every payload with a shelf satisfies.
fn any_shelf() -> Json {
    one("shelf", "ne", "")
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-invalidation-ignored",
        about: "ends nothing when a mutation invalidates",
        breaks: R::GqlFilter026,
        caught_by: "graphql/invalidation/ends",
        how: How::Invalidation(|filter| *filter = Json::Null),
    },
    Fault {
        name: "graphql-invalidation-not-told",
        about: "ends an invalidated subscription without a word",
        breaks: R::GqlSub035,
        caught_by: "graphql/invalidation/is-told",
        how: edit("complete", Nth::Every, Change::Drop),
    },
    Fault {
        name: "graphql-invalidation-of-all",
        about: "ends subscriptions that the payload does not fit",
        breaks: R::GqlFilter027,
        caught_by: "graphql/invalidation/of-another",
        how: How::Invalidation(|filter| *filter = any_shelf()),
    },
    Fault {
        name: "graphql-invalidation-without-a-filter",
        about: "ends subscriptions that set no invalidation filter",
        breaks: R::GqlFilter028,
        caught_by: "graphql/invalidation/without-a-filter",
        how: How::Invalidation(|filter| {
            if filter.is_null() {
                *filter = any_shelf();
            }
        }),
    },
    Fault {
        name: "graphql-invalidation-without-end",
        about: "does not tell that a mutation invalidates too often",
        breaks: R::GqlLimit013,
        caught_by: "graphql/invalidation/five-times",
        how: edit_http(200, HttpChange::Remove("errors")),
    },
    Fault {
        name: "graphql-subscription-resolver-sent",
        about: "sends what the resolver of a subscription returns as its first event",
        breaks: R::GqlSub021,
        caught_by: "graphql/resolvers/subscription",
        how: edit(
            "start_ack",
            Nth::Every,
            Change::After(r#"{"id":"first","type":"data","payload":{"data":{"onGreeted":{"text":"welcome"}}}}"#),
        ),
    },
    Fault {
        name: "graphql-arguments-of-the-input",
        about: "does not hold arguments against what the mutation returns",
        breaks: R::GqlFilter006,
        caught_by: "graphql/resolvers/changed-value",
        how: How::Skip(Check::ArgumentsMatch),
    },
    Fault {
        name: "graphql-failure-without-type",
        about: "does not tell of which type the failure of a resolver is",
        breaks: R::GqlHttp011,
        caught_by: "graphql/resolvers/failing",
        how: edit_http(200, HttpChange::Remove("errors.0.errorType")),
    },
    Fault {
        name: "graphql-denial-without-type",
        about: "does not tell that a field is denied",
        breaks: R::GqlHttp012,
        caught_by: "graphql/resolvers/denied-field",
        how: edit_http(200, HttpChange::Remove("errors.0.errorType")),
    },
    Fault {
        name: "graphql-authorizer-asked-once",
        about: "keeps every answer of the Lambda authorizer",
        breaks: R::GqlAuth020,
        caught_by: "graphql/authorizer/is-asked-again",
        how: How::Auth(AuthCheck::LambdaAsked),
    },
    Fault {
        name: "graphql-expired-api-key-taken",
        about: "takes API keys that have expired",
        breaks: R::GqlAuth024,
        caught_by: "graphql/authorizer/expired-api-key",
        how: How::Auth(AuthCheck::KeyDate),
    },
    Fault {
        name: "graphql-unsupplied-variable-matches-nothing",
        about: "delivers no second event to a subscription with an unsupplied variable",
        breaks: R::GqlFilter004,
        caught_by: "graphql/filter/unsupplied-variable",
        how: edit("data", Nth::From(2), Change::Drop),
    },
];
