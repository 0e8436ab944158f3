//! Events where handlers and the modes of a namespace decide: what is said and published, and what is due for it.

use std::time::Duration;

use appsync_protocol::handshake::Carrier;
use appsync_protocol::json::{Json, json_text};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Mode;
use appsync_protocol::wire::OwnedFrame;

use super::ask::{Ask, Claim, Entrance, Errand, Hears, Posted, Scene, Welcome};
use super::courses::{course, unauthorized};
use super::events;
use super::op::{Carriage, Proof, Setup};
use super::proof::{Place, Standing, at_connect, is_stale, mode, of_operation, over_http, standing};
use crate::auth::sign::{publish_body, subscribe_body};
use crate::catalogue::events::session_steps::{refusal, refusals};
use crate::catalogue::modes::can_travel;
use crate::scenario::cast::{publish_body as http_body, quoted};
use crate::scenario::{Answer, Capability, Cast, Greeting, Pattern, Shape};

/// What a target has to declare for this.
pub(super) const fn needs(setup: Setup) -> Option<Capability> {
    match setup {
        Setup::Room => None,
        Setup::Transform => Some(Capability::HandlerTransform),
        Setup::DropSome => Some(Capability::HandlerDrop),
        Setup::EventError => Some(Capability::HandlerEventError),
        Setup::Reject => Some(Capability::HandlerReject),
        Setup::Unauthorized => Some(Capability::HandlerUnauthorized),
        Setup::Grow => Some(Capability::HandlerGrow),
        Setup::Delay => Some(Capability::HandlerDelay),
        Setup::Stall => Some(Capability::HandlerStall),
        Setup::Fail => Some(Capability::HandlerFail),
        Setup::LambdaThrows | Setup::LambdaError => Some(Capability::LambdaIntegration),
        Setup::Context | Setup::SubscribeContext => Some(Capability::HandlerContext),
        Setup::SubscribeReject | Setup::SubscribeUnauthorized | Setup::SubscribeFail | Setup::SubscribeDelay => {
            Some(Capability::SubscribeHandlers)
        }
        Setup::PublishIam | Setup::SubscribeIam => Some(Capability::NamespaceModes),
    }
}

const fn namespace(setup: Setup) -> &'static str {
    match setup {
        Setup::Room => "",
        Setup::Transform => "transform",
        Setup::DropSome => "drop",
        Setup::EventError => "event-error",
        Setup::Reject => "reject",
        Setup::Unauthorized => "unauthorized",
        Setup::Grow => "grow",
        Setup::Delay => "delay",
        Setup::Stall => "stall",
        Setup::Fail => "fail",
        Setup::LambdaThrows => "lambda-throws",
        Setup::LambdaError => "lambda-error",
        Setup::Context => "context",
        Setup::SubscribeReject => "subscribe-reject",
        Setup::SubscribeUnauthorized => "subscribe-unauthorized",
        Setup::SubscribeFail => "subscribe-fail",
        Setup::SubscribeDelay => "subscribe-delay",
        Setup::SubscribeContext => "subscribe-context",
        Setup::PublishIam => "publish-iam",
        Setup::SubscribeIam => "subscribe-iam",
    }
}

fn channel(cast: &Cast, setup: Setup, room: u8) -> String {
    if setup == Setup::Room {
        return events::room(cast, room);
    }
    format!("/{}/{}", namespace(setup), cast.nonce(&format!("room-{}", room % 3)))
}

/// Whether what is published in a namespace with the usual credentials reaches subscribers.
const fn reaches(setup: Setup) -> bool {
    match setup {
        Setup::Reject
        | Setup::Unauthorized
        | Setup::Grow
        | Setup::Delay
        | Setup::Stall
        | Setup::Fail
        | Setup::LambdaThrows
        | Setup::LambdaError
        | Setup::PublishIam => false,
        Setup::Room
        | Setup::Transform
        | Setup::DropSome
        | Setup::EventError
        | Setup::Context
        | Setup::SubscribeReject
        | Setup::SubscribeUnauthorized
        | Setup::SubscribeFail
        | Setup::SubscribeDelay
        | Setup::SubscribeContext
        | Setup::SubscribeIam => true,
    }
}

/// An upgrade with these credentials. `None` where they cannot travel so.
pub(super) fn enter(cast: &Cast, proof: Proof, by: Carriage) -> Option<Entrance> {
    let carrier = match by {
        Carriage::Usual | Carriage::Subprotocol | Carriage::Query => Carrier::Subprotocol,
        Carriage::Headers => Carrier::Headers,
    };
    if !can_travel(cast, mode(cast, proof), carrier) {
        return None;
    }
    let request = cast.upgrade(carrier, &at_connect(cast, proof));
    let signed = mode(cast, proof) == Mode::Iam;
    match standing(cast.dialect, Place::Connect, proof)? {
        Standing::Good => {
            let rule = match (carrier, proof) {
                (Carrier::Headers, _) => R::EvtHandshake008,
                (_, Proof::FewHeaders) => R::EvtAuth010,
                (_, _) if signed => R::EvtAuth006,
                (_, _) => R::EvtHandshake007,
            };
            let greetings = vec![Greeting::accepted()];
            Some(Entrance { request, greetings, rule, welcome: Welcome::Acknowledged(rule) })
        }
        Standing::Refused | Standing::Changed => {
            let rule = if is_stale(proof) {
                R::SynSign001
            } else if matches!(proof, Proof::HostUnsigned | Proof::DateUnsigned) {
                R::EvtAuth010
            } else if signed {
                R::EvtAuth006
            } else {
                R::EvtAuth027
            };
            let told = vec![Pattern::word("connection_error"), Pattern::closed()];
            let greetings = vec![Greeting::accepted(), Greeting::refused()];
            Some(Entrance { request, greetings, rule, welcome: Welcome::Refused(vec![Claim::new(told, rule)]) })
        }
    }
}

/// `subscribe`, and what it hears if it is granted. `first`: a token for one time is shown for the first time.
pub(super) fn listen(
    scene: &Scene<'_>,
    id: &str,
    (setup, room): (Setup, u8),
    (proof, first): (Proof, bool),
) -> Option<(Ask, Option<Hears>)> {
    let cast = scene.cast;
    let mut channel = channel(cast, setup, room);
    if setup == Setup::SubscribeContext {
        channel.push_str("/*");
    }
    let standing = standing(cast.dialect, Place::Subscribe, proof)?;
    let standing = if first { standing } else { Standing::Refused };
    let (other, whole) = (
        subscribe_body(&format!("{channel}2")),
        format!(r#"{{"type":"subscribe","id":{},"channel":{}}}"#, quoted(id), quoted(&channel)),
    );
    let credentials = of_operation(cast, proof, &subscribe_body(&channel), (&other, &whole)).to_json();
    let ask = Ask::plain(cast.subscribe_as(id, &channel, &credentials), R::EvtSub022).under(id);
    let claims = match standing {
        Standing::Good => refused_by_setup(cast, id, &channel, setup, proof)?,
        Standing::Changed => {
            let told =
                Pattern::with_id("subscribe_error", id).has("errors", Shape::ErrorType(&["BadRequestException"]));
            vec![Claim::one(told, R::EvtAuth013)]
        }
        Standing::Refused if setup == Setup::SubscribeReject => {
            vec![Claim::one(refusal(id).has("errors", Shape::Without("no more seats")), R::EvtSub011)]
        }
        Standing::Refused => vec![Claim::new(refusals(id), refused_for(proof))],
    };
    if !claims.is_empty() {
        return Some((ask.due(claims), None));
    }
    let rule = match (setup, proof) {
        (Setup::SubscribeDelay, _) => R::EvtSub011,
        (Setup::PublishIam | Setup::SubscribeIam, _) => R::EvtAuth017,
        (_, Proof::FewHeaders) => R::EvtAuth010,
        (_, Proof::KeyAndToken) => R::EvtAuth020,
        (_, Proof::Once | Proof::Kept) => R::EvtAuth029,
        (_, proof) if mode(cast, proof) == Mode::Iam => R::EvtAuth007,
        (_, Proof::Main) => R::EvtSub007,
        (_, _) => R::EvtAuth016,
    };
    let mut ask = ask.due(vec![Claim::one(Pattern::with_id("subscribe_success", id), rule)]);
    ask.aftermath = R::EvtKa002;
    ask.patience = if setup == Setup::SubscribeDelay { Duration::from_secs(1) } else { Duration::ZERO };
    let mute = !reaches(setup);
    Some((ask, Some(Hears { room: channel.clone(), place: channel, mute, ..Hears::default() })))
}

/// The rule that is broken where these are taken.
const fn refused_for(proof: Proof) -> R {
    match proof {
        Proof::OfConnection => R::EvtAuth007,
        Proof::WholeMessage => R::EvtAuth011,
        Proof::UnknownToken
        | Proof::LongerToken
        | Proof::ShorterToken
        | Proof::TurnedToken
        | Proof::HeadlessToken
        | Proof::PrefixedToken => R::EvtAuth027,
        Proof::HostUnsigned | Proof::DateUnsigned => R::EvtAuth010,
        Proof::Failing => R::EvtAuth028,
        Proof::Once | Proof::Kept => R::EvtAuth029,
        Proof::OldSignature | Proof::ForeignRegion | Proof::ForeignService => R::SynSign001,
        Proof::Main
        | Proof::Iam
        | Proof::Oidc
        | Proof::Cognito
        | Proof::Lambda
        | Proof::FewHeaders
        | Proof::Bearer
        | Proof::KeyAndToken
        | Proof::Wrong
        | Proof::WrongDigit
        | Proof::OtherBody
        | Proof::Forged
        | Proof::OtherSubject
        | Proof::Unsigned
        | Proof::EmptyToken
        | Proof::ExpiredKey
        | Proof::LongerKey
        | Proof::ShorterKey
        | Proof::TurnedKey => R::EvtAuth016,
    }
}

/// What is due where good credentials are not enough; nothing where they are. `None` where nobody can say.
fn refused_by_setup(cast: &Cast, id: &str, channel: &str, setup: Setup, proof: Proof) -> Option<Vec<Claim>> {
    let mode = mode(cast, proof);
    Some(match setup {
        // In which words it is rejected is not said anywhere.
        Setup::SubscribeReject | Setup::SubscribeFail => vec![Claim::one(refusal(id), R::EvtSub012)],
        Setup::SubscribeUnauthorized => {
            // EVT-A-16: both types are read.
            let typed = refusal(id).has("errors", Shape::ErrorType(&["Unauthorized", "UnauthorizedException"]));
            vec![Claim::one(typed, R::EvtSub012)]
        }
        Setup::SubscribeContext => {
            let told = refusal(id).has("errors", Shape::ErrorMessage(channel.into()));
            // A message is optional (EVT-ERR-002): without one nothing can be seen.
            vec![Claim::new(vec![told, refusal(id).has("errors.0.message", Shape::Nothing)], R::EvtSub027)]
        }
        Setup::SubscribeIam => match mode {
            Mode::Iam => Vec::new(),
            Mode::ApiKey => {
                let typed = refusal(id).has("errors", Shape::ErrorType(&["UnauthorizedException"]));
                vec![Claim::one(typed, R::EvtAuth019)]
            }
            Mode::Oidc | Mode::Cognito | Mode::Lambda => return None,
        },
        Setup::Room
        | Setup::Transform
        | Setup::DropSome
        | Setup::EventError
        | Setup::Reject
        | Setup::Unauthorized
        | Setup::Grow
        | Setup::Delay
        | Setup::Stall
        | Setup::Fail
        | Setup::LambdaThrows
        | Setup::LambdaError
        | Setup::Context
        | Setup::SubscribeDelay
        | Setup::PublishIam => Vec::new(),
    })
}

/// `publish` over a connection, and what its subscribers are to hear. Not `counts`: a kept answer is shown for another
/// operation than it is kept for.
pub(super) fn tell(
    scene: &Scene<'_>,
    id: &str,
    (setup, room): (Setup, u8),
    (proof, counts): (Proof, bool),
) -> Option<(Ask, Vec<Posted>)> {
    let cast = scene.cast;
    let channel = channel(cast, setup, room);
    let standing = standing(cast.dialect, Place::Publish, proof)?;
    let course = course(scene, (id, &channel), setup, proof)?;
    let texts: Vec<_> = course.events.iter().map(Json::to_string).collect();
    let body = publish_body(&channel, texts.iter().map(String::as_str));
    let credentials = of_operation(cast, proof, &body, (&publish_body(&channel, [r#""signed""#]), "")).to_json();
    let text = cast.publish_as(id, &channel, &course.events, &credentials);
    let mut ask = Ask::plain(text, R::EvtPub025).under(id);
    ask.patience = course.patience;
    let refused = || Pattern::with_id("publish_error", id);
    let typed = |kind| refused().has("errors", Shape::ErrorType(kind));
    let (claims, heard) = match standing {
        // What a handler sees of a request over a connection is another thing.
        Standing::Good if counts => {
            let untold = |heard: Posted| Posted { told: Vec::new(), ..heard };
            (course.told, course.heard.into_iter().map(untold).collect())
        }
        Standing::Good => (vec![Claim::one(refused(), R::EvtAuth029)], Vec::new()),
        Standing::Changed => (vec![Claim::one(typed(&["BadRequestException"]), R::EvtAuth013)], Vec::new()),
        Standing::Refused => (vec![Claim::one(typed(&["UnauthorizedException"]), R::EvtPub018)], Vec::new()),
    };
    Some((ask.due(claims), heard))
}

/// A publish over HTTP, and what its subscribers are to hear.
pub(super) fn post(scene: &Scene<'_>, (setup, room): (Setup, u8), proof: Proof) -> Option<(Errand, Vec<Posted>)> {
    let cast = scene.cast;
    let channel = channel(cast, setup, room);
    let standing = standing(cast.dialect, Place::Http, proof)?;
    let course = course(scene, ("", &channel), setup, proof)?;
    let body = http_body(&channel, &course.events);
    let other = http_body(&channel, &[json_text("signed")]);
    let signed = if standing == Standing::Changed { &other } else { &body };
    let mut request = over_http(cast, proof, &body, signed);
    if setup == Setup::Context {
        for (name, value) in
            [("x-syncspec", "one"), ("x-syncspec-two", "a"), ("x-syncspec-two", "b"), ("cookie", "syncspec=1")]
        {
            request.headers.push(name, value);
        }
    }
    let (claims, heard) = match (standing, proof) {
        (Standing::Good, _) => (course.answers, course.heard),
        (Standing::Changed, _) => (vec![(vec![Answer::between(400, 499)], R::EvtAuth009)], Vec::new()),
        (Standing::Refused, Proof::Failing) => {
            // EVT-A-33: both are read.
            let failed = Answer::status(500).has("errors", Shape::ErrorType(&["AuthorizerFailureException"]));
            let denied = Answer::between(401, 403).has("errors", Shape::Errors);
            (vec![(vec![failed, denied], R::EvtAuth028)], Vec::new())
        }
        (Standing::Refused, Proof::UnknownToken) => (vec![(unauthorized(), R::EvtAuth027)], Vec::new()),
        (Standing::Refused, _) => (vec![(unauthorized(), R::EvtHttp008)], Vec::new()),
    };
    Some((Errand { request, claims }, heard))
}

/// The frame of a data message, to hold what a handler tells against it.
pub(super) fn frame_of(message: &Json) -> OwnedFrame {
    OwnedFrame::text(message.to_string())
}
