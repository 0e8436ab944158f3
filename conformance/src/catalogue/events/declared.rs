//! What needs set-up of the API: handlers of every kind, modes of namespaces, an authorizer that can be made to answer.

mod authorizer;
mod faults;
mod subscribe;

pub(super) use authorizer::{FAULTS as AUTHORIZER_FAULTS, SCENARIOS as AUTHORIZER};
pub(super) use faults::FAULTS;
pub(super) use subscribe::{FAULTS as SUBSCRIBE_FAULTS, SCENARIOS as SUBSCRIBE};

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use serde_json::json;

use super::publish_steps::{called, http_unauthorized, publish_refusal};
use super::session_steps::{QUICK, forbidden};
use super::steps::{all, connected, expect, heard_value, say, subscribed};
use crate::scenario::{Answer, Capability, Cast, Need, Pattern, Publication, Scenario, Shape, Step, Tier, Wait};

/// A channel of a namespace that has set-up.
pub(super) fn channel_of(cast: &Cast, namespace: &str) -> String {
    format!("/{namespace}/{}", cast.nonce("room"))
}

/// Publishes events of a form until the first arrives.
fn warmed_with(cast: &Cast, channel: &str, event: impl Fn(&str) -> Json) -> Step {
    let attempts = (1..=8).map(|n| {
        let nonce = cast.nonce(&format!("warm-{n}"));
        (nonce.clone(), Publication::Http(cast.http_publish(channel, &[event(&nonce)])))
    });
    Step::Warm { conn: 1, id: "own".into(), attempts: attempts.collect(), rule: R::EvtData001 }
}

fn listening(cast: &Cast, channel: &str) -> Vec<Step> {
    all([
        connected(cast, 1),
        subscribed(cast, 1, "own", channel),
        vec![warmed_with(cast, channel, |nonce| json!(nonce))],
    ])
}

/// The answer to a publish with so many events in each list.
fn lists(successful: usize, failed: usize) -> Pattern {
    Pattern::with_id("publish_success", "batch")
        .has("successful", Shape::Length(successful))
        .has("failed", Shape::Length(failed))
}

/// A publish over the connection and one over HTTP that are refused, and reach nobody.
fn refused_whole(cast: &Cast, channel: &str, told: Pattern, answers: Vec<Answer>, rules: (R, R)) -> Vec<Step> {
    let (said, posted) = (cast.nonce("said"), cast.nonce("posted"));
    all([
        connected(cast, 1),
        subscribed(cast, 1, "own", channel),
        vec![
            forbidden(1, "own", &said, rules.0),
            forbidden(1, "own", &posted, rules.1),
            say(1, cast.publish("batch", channel, &[json!(said)])),
            expect(1, told, rules.0),
            called(cast.http_publish(channel, &[json!(posted)]), answers, rules.1),
            Step::Quiet { conn: 1 },
        ],
    ])
}

/// The two of a failed dependency (EVT-HTTP-012), without what went wrong inside.
fn broken() -> (Pattern, Vec<Answer>) {
    let kind = || Shape::ErrorType(&["DependencyFailedException"]);
    (publish_refusal("batch").has("errors", kind()), vec![Answer::status(502).has("errors", kind())])
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/handlers/changed-payload",
        title: "Subscribers get the payload that onPublish returned.",
        covers: &[R::EvtData010],
        needs: &[Need::Capability(Capability::HandlerTransform)],
        steps: |cast| {
            let channel = channel_of(cast, "transform");
            let nonce = cast.nonce("event");
            let changed = json!({ "nonce": nonce, "changed": true });
            all([
                listening(cast, &channel),
                vec![
                    say(1, cast.publish("batch", &channel, &[json!({ "nonce": nonce })])),
                    expect(1, lists(1, 0), R::EvtPub007),
                    heard_value(1, "own", changed, R::EvtData010),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/dropped-events",
        title: "Events that onPublish drops are told to the publisher as successful, and to nobody else.",
        covers: &[R::EvtPub022],
        needs: &[Need::Capability(Capability::HandlerDrop)],
        steps: |cast| {
            let channel = channel_of(cast, "drop");
            let (kept, dropped) = (cast.nonce("kept"), cast.nonce("dropped"));
            let events = [json!({ "nonce": dropped, "drop": true }), json!({ "nonce": kept })];
            all([
                listening(cast, &channel),
                vec![
                    forbidden(1, "own", &dropped, R::EvtPub022),
                    say(1, cast.publish("batch", &channel, &events)),
                    expect(1, lists(2, 0), R::EvtPub022),
                    heard_value(1, "own", json!({ "nonce": kept }), R::EvtPub022),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/event-with-an-error",
        title: "An event on which onPublish sets an error is listed in failed with its text, and the others go on.",
        covers: &[R::EvtPub021],
        needs: &[Need::Capability(Capability::HandlerEventError)],
        steps: |cast| {
            let channel = channel_of(cast, "event-error");
            let (good, bad) = (cast.nonce("good"), cast.nonce("bad"));
            let events = [json!({ "nonce": bad, "fail": true }), json!({ "nonce": good })];
            let told = lists(1, 1)
                .has("failed.0.index", Shape::Is(json!(0)))
                .has("failed.0.code", Shape::Is("CustomError".into()))
                .has("failed.0.message", Shape::Is("not this one".into()))
                .has("successful.0.index", Shape::Is(json!(1)));
            all([
                listening(cast, &channel),
                vec![
                    forbidden(1, "own", &bad, R::EvtPub021),
                    say(1, cast.publish("batch", &channel, &events)),
                    expect(1, told, R::EvtPub021),
                    heard_value(1, "own", json!({ "nonce": good }), R::EvtPub021),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/util-error",
        title: "A publish that its handler rejects gets the text of the handler and reaches nobody.",
        covers: &[R::EvtPub019, R::EvtHttp009],
        needs: &[Need::Capability(Capability::HandlerReject)],
        steps: |cast| {
            let text = || Shape::ErrorMessage("not today".into());
            let told = publish_refusal("batch").has("errors", text());
            let answer = Answer::status(403).has("errors", text());
            let channel = channel_of(cast, "reject");
            refused_whole(cast, &channel, told, vec![answer], (R::EvtPub019, R::EvtHttp009))
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/util-unauthorized",
        title: "A publish that its handler does not authorize is refused as unauthorized and reaches nobody.",
        covers: &[R::EvtPub020, R::EvtHttp010],
        needs: &[Need::Capability(Capability::HandlerUnauthorized)],
        steps: |cast| {
            let told = publish_refusal("batch").has("errors", Shape::ErrorType(&["UnauthorizedException"]));
            let channel = channel_of(cast, "unauthorized");
            refused_whole(cast, &channel, told, http_unauthorized(), (R::EvtPub020, R::EvtHttp010))
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/grown-payload",
        title: "An event that its handler makes longer than 240 KB is delivered to nobody.",
        covers: &[R::EvtLimit015],
        needs: &[Need::Capability(Capability::HandlerGrow)],
        steps: |cast| {
            let channel = channel_of(cast, "grow");
            let nonce = cast.nonce("event");
            let told = vec![
                lists(0, 1).reads("EVT-A-12", "a grown event is listed in failed"),
                lists(1, 0).reads("EVT-A-12", "a grown event is listed in successful"),
                publish_refusal("batch").reads("EVT-A-12", "a publish that grows is refused"),
            ];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "own", &channel),
                vec![
                    forbidden(1, "own", &nonce, R::EvtLimit015),
                    say(1, cast.publish("batch", &channel, &[json!({ "nonce": nonce })])),
                    super::steps::any_of(1, told, R::EvtLimit015),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/that-takes-time",
        title: "While a handler works on a publish, the connection serves what comes after it.",
        covers: &[R::EvtPub023],
        needs: &[Need::Capability(Capability::HandlerDelay)],
        steps: |cast| {
            let (slow, quick) = (channel_of(cast, "delay"), cast.channel("quick"));
            let nonce = cast.nonce("slow");
            all([
                connected(cast, 1),
                vec![
                    say(1, cast.publish("batch", &slow, &[json!(nonce)])),
                    say(1, cast.subscribe("quick", &quick)),
                    expect(1, Pattern::with_id("subscribe_success", "quick"), R::EvtPub023),
                    Step::Expect { conn: 1, any_of: vec![lists(1, 0)], rule: R::EvtPub023, within: Wait::Seconds(10) },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/thirty-seconds",
        title: "A publish whose handler takes longer than 30 seconds is given up.",
        covers: &[R::EvtLimit014],
        needs: &[Need::Capability(Capability::HandlerStall)],
        tier: Tier::Standard,
        steps: |cast| {
            let channel = channel_of(cast, "stall");
            let nonce = cast.nonce("event");
            all([
                connected(cast, 1),
                subscribed(cast, 1, "own", &channel),
                vec![
                    forbidden(1, "own", &nonce, R::EvtLimit014),
                    say(1, cast.publish("batch", &channel, &[json!(nonce)])),
                    Step::Expect {
                        conn: 1,
                        any_of: vec![publish_refusal("batch")],
                        rule: R::EvtLimit014,
                        within: Wait::Seconds(40),
                    },
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/failure-inside",
        title: "The failure of a handler shows the publisher nothing of what went wrong inside.",
        covers: &[R::EvtErr014],
        needs: &[Need::Capability(Capability::HandlerFail)],
        steps: |cast| {
            let inside = || Shape::Without("db-7");
            let told = publish_refusal("batch").has("errors", inside());
            let answer = Answer::between(400, 599).has("errors", inside());
            let channel = channel_of(cast, "fail");
            refused_whole(cast, &channel, told, vec![answer], (R::EvtErr014, R::EvtErr014))
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/lambda-that-throws",
        title: "A direct Lambda integration that throws leads to 502 and DependencyFailedException.",
        covers: &[R::EvtHttp012],
        needs: &[Need::Capability(Capability::LambdaIntegration)],
        steps: |cast| {
            let (told, answers) = broken();
            let channel = channel_of(cast, "lambda-throws");
            refused_whole(cast, &channel, told, answers, (R::EvtHttp012, R::EvtHttp012))
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/lambda-with-an-error",
        title: "What the publisher sees of the error of a direct Lambda integration is recorded.",
        covers: &[R::EvtHttp011],
        needs: &[Need::Capability(Capability::LambdaIntegration)],
        steps: |cast| {
            let channel = channel_of(cast, "lambda-error");
            let answers = vec![
                Answer::status(403)
                    .has("errors", Shape::ErrorMessage("not by this function".into()))
                    .reads("EVT-A-14", "403 with the text of the function"),
                Answer::between(400, 599).reads("EVT-A-14", "refused without the text of the function"),
                Answer::status(200).reads("EVT-A-14", "the error is not told"),
            ];
            vec![called(cast.http_publish(&channel, &[json!(cast.nonce("event"))]), answers, R::EvtHttp011)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/context-of-the-channel",
        title: "A handler finds the channel with a leading slash, and split up in segments.",
        covers: &[R::EvtChannel023],
        needs: &[Need::Capability(Capability::HandlerContext)],
        steps: |cast| {
            let channel = channel_of(cast, "context");
            let segments: Vec<_> = channel.split('/').skip(1).map(|part| json!(part)).collect();
            let seen = |context: &'static str, shape| (context, shape);
            told_of(
                cast,
                &channel,
                vec![
                    seen("context.info.channel.path", Shape::Is(channel.as_str().into())),
                    seen("context.info.channel.segments", Shape::Is(Json::Array(segments))),
                ],
                R::EvtChannel023,
            )
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/context-without-identity",
        title: "For a request with an API key a handler sees no identity.",
        covers: &[R::EvtAuth033],
        needs: &[Need::Capability(Capability::HandlerContext), Need::Mode(appsync_protocol::server::Mode::ApiKey)],
        steps: |cast| {
            let channel = channel_of(cast, "context");
            told_of(cast, &channel, vec![("context.identity", Shape::Nothing)], R::EvtAuth033)
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/context-of-the-request",
        title: "A handler sees the header fields of a request, several values as a list, and never a cookie.",
        covers: &[R::EvtHttp019],
        needs: &[Need::Capability(Capability::HandlerContext)],
        steps: |cast| {
            let channel = channel_of(cast, "context");
            let fields = vec![
                ("context.request.headers.x-syncspec", Shape::Is("one".into())),
                ("context.request.headers.x-syncspec-two", Shape::Is(json!(["a", "b"]))),
                ("context.request.headers.cookie", Shape::Absent),
            ];
            told_of(cast, &channel, fields, R::EvtHttp019)
        },
        ..QUICK
    },
    Scenario {
        id: "events/handlers/context-of-the-domain",
        title: "A handler finds the custom domain of a request, and null where there is none.",
        covers: &[R::EvtHttp020],
        needs: &[Need::Capability(Capability::HandlerContext)],
        steps: |cast| {
            let channel = channel_of(cast, "context");
            let host = cast.auth_host.split(':').next().unwrap_or_default().to_owned();
            let domain = Shape::OneOf(vec![Json::Null, host.into()]);
            told_of(cast, &channel, vec![("context.request.domainName", domain)], R::EvtHttp020)
        },
        ..QUICK
    },
];

/// Publishes over HTTP, and looks at what the handler tells of its context.
fn told_of(cast: &Cast, channel: &str, members: Vec<(&'static str, Shape)>, rule: R) -> Vec<Step> {
    let nonce = cast.nonce("event");
    let mut request = cast.http_publish(channel, &[json!({ "nonce": nonce })]);
    for (name, value) in
        [("x-syncspec", "one"), ("x-syncspec-two", "a"), ("x-syncspec-two", "b"), ("cookie", "syncspec=1")]
    {
        request.headers.push(name, value);
    }
    let seen = Pattern::with_id("data", "own").has("event", Shape::Members(members));
    all([
        connected(cast, 1),
        subscribed(cast, 1, "own", channel),
        vec![
            warmed_with(cast, channel, |nonce| json!(nonce)),
            called(request, vec![Answer::status(200).has("successful", Shape::Length(1))], R::EvtHttp004),
            expect(1, seen, rule),
        ],
    ])
}
