//! Modes of namespaces, and what a Lambda authorizer is asked.

use appsync_protocol::handshake::Credentials;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Mode;
use serde_json::json;

use super::super::publish_steps::{called, publish_refusal, receipt};
use super::super::session_steps::{QUICK, refusal, refusals};
use super::super::steps::{all, any_of, connected, expect, say};
use super::channel_of;
use crate::auth::sign::{Secret, publish_body, subscribe_body};
use crate::catalogue::modes::secret;
use crate::fault::{AuthCheck, Fault, How};
use crate::scenario::{Answer, Capability, Cast, Need, Pattern, Scenario, Shape, Step};

const OWN_MODES: &[Need] =
    &[Need::Capability(Capability::NamespaceModes), Need::Mode(Mode::ApiKey), Need::Mode(Mode::Iam)];

/// Subscribes with these credentials.
fn subscribe_by(cast: &Cast, id: &str, channel: &str, secret: &Secret) -> Step {
    let credentials = cast.operation_by(secret, &subscribe_body(channel));
    say(1, cast.subscribe_as(id, channel, &credentials.to_json()))
}

/// Publishes one event with these credentials.
fn publish_by(cast: &Cast, id: &str, channel: &str, secret: &Secret) -> Step {
    let nonce = cast.nonce(id);
    let body = publish_body(channel, [json!(nonce).to_string().as_str()]);
    let credentials = cast.operation_by(secret, &body);
    say(1, cast.publish_as(id, channel, &[json!(nonce)], &credentials.to_json()))
}

fn granted(id: &str, rule: R) -> Step {
    expect(1, Pattern::with_id("subscribe_success", id), rule)
}

fn token(text: String) -> Secret {
    Secret::Token(text)
}

pub(in crate::catalogue::events) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/namespace-modes/in-place-of-the-default",
        title: "The modes of a namespace stand in place of those of the API, for the operation that they are named for.",
        covers: &[R::EvtAuth017],
        needs: OWN_MODES,
        steps: |cast| {
            let (publish, subscribe) = (channel_of(cast, "publish-iam"), channel_of(cast, "subscribe-iam"));
            let (key, keys) = (secret(cast, Mode::ApiKey), secret(cast, Mode::Iam));
            all([
                connected(cast, 1),
                vec![
                    subscribe_by(cast, "by-key", &publish, &key),
                    granted("by-key", R::EvtAuth017),
                    publish_by(cast, "by-keys", &publish, &keys),
                    expect(1, receipt("by-keys", 1), R::EvtAuth017),
                    subscribe_by(cast, "signed", &subscribe, &keys),
                    granted("signed", R::EvtAuth017),
                    publish_by(cast, "by-key-too", &subscribe, &key),
                    expect(1, receipt("by-key-too", 1), R::EvtAuth017),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/namespace-modes/not-enabled",
        title: "A mode that the API knows and a namespace does not enable is refused with UnauthorizedException.",
        covers: &[R::EvtAuth019],
        needs: OWN_MODES,
        steps: |cast| {
            let (publish, subscribe) = (channel_of(cast, "publish-iam"), channel_of(cast, "subscribe-iam"));
            let key = secret(cast, Mode::ApiKey);
            let kind = || Shape::ErrorType(&["UnauthorizedException"]);
            let posted =
                cast.post_by(&key, &crate::scenario::cast::publish_body(&publish, &[json!(cast.nonce("posted"))]));
            all([
                connected(cast, 1),
                vec![
                    subscribe_by(cast, "denied", &subscribe, &key),
                    expect(1, refusal("denied").has("errors", kind()), R::EvtAuth019),
                    publish_by(cast, "not-sent", &publish, &key),
                    expect(1, publish_refusal("not-sent").has("errors", kind()), R::EvtAuth019),
                    called(posted, vec![Answer::between(401, 403).has("errors", kind())], R::EvtAuth019),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/authorizer/key-beside-a-token",
        title: "A request with an API key is judged by the key, whatever token stands beside it.",
        covers: &[R::EvtAuth020],
        needs: &[Need::Mode(Mode::ApiKey), Need::Mode(Mode::Lambda)],
        steps: |cast| {
            let channel = cast.channel("room");
            let with_bad_token =
                |credentials: Credentials| credentials.with("Authorization", "nobody-knows-this-token");
            let key = secret(cast, Mode::ApiKey);
            let both = with_bad_token(cast.operation_by(&key, &subscribe_body(&channel))).to_json();
            let alone = cast.operation_by(&secret(cast, Mode::Lambda), &subscribe_body(&channel)).to_json();
            all([
                connected(cast, 1),
                vec![
                    say(1, cast.subscribe_as("both", &channel, &both)),
                    granted("both", R::EvtAuth020),
                    say(1, cast.subscribe_as("token", &channel, &alone)),
                    granted("token", R::EvtAuth020),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/authorizer/fails",
        title: "An operation is refused when the Lambda authorizer fails on its token.",
        covers: &[R::EvtAuth028, R::EvtHttp013],
        needs: &[Need::Capability(Capability::AuthorizerFails)],
        steps: |cast| {
            let (channel, failing) = (cast.channel("room"), token("syncspec-authorizer-fails".into()));
            let body = crate::scenario::cast::publish_body(&channel, &[json!(cast.nonce("posted"))]);
            let answers = vec![
                Answer::status(500)
                    .has("errors", Shape::ErrorType(&["AuthorizerFailureException"]))
                    .reads("EVT-A-33", "500 and AuthorizerFailureException"),
                Answer::between(401, 403).has("errors", Shape::Errors).reads("EVT-A-33", "refused like a denial"),
            ];
            all([
                connected(cast, 1),
                vec![
                    subscribe_by(cast, "failing", &channel, &failing),
                    any_of(1, refusals("failing"), R::EvtAuth028),
                    called(cast.post_by(&failing, &body), answers, R::EvtAuth028),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/authorizer/asked-again",
        title: "An answer of the Lambda authorizer that is not to be kept counts once.",
        covers: &[R::EvtAuth029, R::EvtAuth026],
        needs: &[Need::Capability(Capability::AuthorizerCaches)],
        steps: |cast| {
            let (channel, once) = (cast.channel("room"), token(format!("syncspec-once-{}", cast.prefix)));
            all([
                connected(cast, 1),
                vec![
                    subscribe_by(cast, "first", &channel, &once),
                    granted("first", R::EvtAuth029),
                    subscribe_by(cast, "second", &channel, &once),
                    any_of(1, refusals("second"), R::EvtAuth029),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/authorizer/kept-answer",
        title: "An answer of the Lambda authorizer that is kept counts again for its channel, and for no other.",
        covers: &[R::EvtAuth029, R::EvtAuth026],
        needs: &[Need::Capability(Capability::AuthorizerCaches)],
        steps: |cast| {
            let (channel, other) = (cast.channel("room"), cast.channel("elsewhere"));
            let kept = token(format!("syncspec-once-kept-{}", cast.prefix));
            all([
                connected(cast, 1),
                vec![
                    subscribe_by(cast, "first", &channel, &kept),
                    granted("first", R::EvtAuth029),
                    subscribe_by(cast, "again", &channel, &kept),
                    granted("again", R::EvtAuth029),
                    subscribe_by(cast, "elsewhere", &other, &kept),
                    any_of(1, refusals("elsewhere"), R::EvtAuth029),
                    publish_by(cast, "sent", &channel, &kept),
                    expect(1, publish_refusal("sent"), R::EvtAuth029),
                ],
            ])
        },
        ..QUICK
    },
];

const fn fault(name: &'static str, about: &'static str, breaks: R, caught_by: &'static str, how: How) -> Fault {
    Fault { name, about, breaks, caught_by, how }
}

pub(in crate::catalogue::events) static FAULTS: &[Fault] = &[
    fault(
        "events-namespace-modes-for-everything",
        "lets the modes for publishing in a namespace decide on subscribes too",
        R::EvtAuth017,
        "events/namespace-modes/in-place-of-the-default",
        How::Modes(|modes| {
            for own in modes.namespaces.values_mut() {
                own.subscribe = own.subscribe.clone().or_else(|| own.publish.clone());
            }
        }),
    ),
    fault(
        "events-namespace-modes-ignored",
        "looks at the modes of the API only",
        R::EvtAuth019,
        "events/namespace-modes/not-enabled",
        How::Modes(|modes| modes.namespaces.clear()),
    ),
    fault(
        "events-token-before-key",
        "looks at the token of a request that has an API key too",
        R::EvtAuth020,
        "events/authorizer/key-beside-a-token",
        How::Auth(AuthCheck::KeyFirst),
    ),
    fault(
        "events-failing-authorizer-lets-in",
        "lets everybody in when the Lambda authorizer fails",
        R::EvtAuth028,
        "events/authorizer/fails",
        How::Auth(AuthCheck::LambdaFailure),
    ),
    fault(
        "events-authorizer-asked-once",
        "keeps every answer of the Lambda authorizer",
        R::EvtAuth029,
        "events/authorizer/asked-again",
        How::Auth(AuthCheck::LambdaAsked),
    ),
    fault(
        "events-authorizer-asked-always",
        "keeps no answer of the Lambda authorizer",
        R::EvtAuth029,
        "events/authorizer/kept-answer",
        How::Auth(AuthCheck::LambdaKept),
    ),
    fault(
        "events-kept-answer-for-every-channel",
        "lets a kept answer of the Lambda authorizer count for every channel",
        R::EvtAuth029,
        "events/authorizer/kept-answer",
        How::Auth(AuthCheck::LambdaKeptApart),
    ),
];
