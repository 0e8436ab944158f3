//! Authorization modes: each one in each place and on each carrier, all of them mixed, and credentials that are off.

mod faults;

pub(super) use faults::FAULTS;

use appsync_protocol::handshake::{Carrier, Credentials};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Mode;
use serde_json::json;

use super::publish_steps::{called, http_unauthorized, publish_refusal, receipt};
use super::session_steps::{QUICK, admitted, open_in_vain, refusal, refusals, taken, turned_away};
use super::steps::{all, any_of, connected, expect, heard, say};
use crate::auth::sign::{Secret, publish_body, subscribe_body};
use crate::auth::{
    unsigned, with_another_signature, with_another_subject, with_half_a_signature, without_signature, wrong,
};
use crate::catalogue::modes::{
    Off, another, can_travel, connect_signed, hung_up, jwts, meetings, near_tokens, operation_signed, secret,
};
use crate::fault::{Fault, How};
use crate::scenario::cast::{publish_body as http_body, quoted};
use crate::scenario::{Answer, Cast, Conn, Need, Pattern, Publication, Scenario, Shape, Step};

/// The carriers that an endpoint reads.
const CARRIERS: [Carrier; 2] = [Carrier::Subprotocol, Carrier::Headers];
/// AWS keys.
const SIGNED: &[Need] = &[Need::Mode(Mode::Iam)];

/// What is broken where good credentials of a mode are refused.
struct Rules {
    connect: R,
    subscribe: R,
    publish: R,
    http: R,
}

const fn rules(mode: Mode) -> Rules {
    match mode {
        Mode::Iam => {
            Rules { connect: R::EvtAuth006, subscribe: R::EvtAuth007, publish: R::EvtAuth008, http: R::EvtAuth009 }
        }
        Mode::ApiKey | Mode::Oidc | Mode::Cognito | Mode::Lambda => {
            Rules { connect: R::EvtHandshake007, subscribe: R::EvtAuth016, publish: R::EvtAuth016, http: R::EvtHttp004 }
        }
    }
}

/// Connects with the credentials of a mode on a carrier.
fn connected_by(cast: &Cast, conn: Conn, carrier: Carrier, mode: Mode) -> Vec<Step> {
    let rule = match carrier {
        Carrier::Headers => R::EvtHandshake008,
        Carrier::Subprotocol | Carrier::Query => rules(mode).connect,
    };
    admitted(conn, cast.upgrade(carrier, &cast.connect_by(&secret(cast, mode))), rule)
}

/// `subscribe` with these credentials.
fn subscribe_with(cast: &Cast, conn: Conn, id: &str, channel: &str, credentials: &Credentials) -> Step {
    say(conn, cast.subscribe_as(id, channel, &credentials.to_json()))
}

/// Subscribes with the credentials of a mode.
fn subscribed_by(cast: &Cast, conn: Conn, channel: &str, mode: Mode) -> Vec<Step> {
    let credentials = cast.operation_by(&secret(cast, mode), &subscribe_body(channel));
    vec![
        subscribe_with(cast, conn, "own", channel, &credentials),
        expect(conn, Pattern::with_id("subscribe_success", "own"), rules(mode).subscribe),
    ]
}

/// JSON text of an event with this nonce.
fn event(nonce: &str) -> String {
    json!(nonce).to_string()
}

/// Publishes over the connection with the credentials of a mode.
fn said_by(cast: &Cast, conn: Conn, channel: &str, nonce: &str, mode: Mode) -> Vec<Step> {
    let body = publish_body(channel, [event(nonce).as_str()]);
    let authorization = cast.operation_by(&secret(cast, mode), &body).to_json();
    vec![
        say(conn, cast.publish_as("said", channel, &[json!(nonce)], &authorization)),
        expect(conn, receipt("said", 1), rules(mode).publish),
    ]
}

/// Publishes over HTTP with the credentials of a mode.
fn posted_by(cast: &Cast, channel: &str, nonce: &str, mode: Mode) -> Step {
    let taken = Answer::status(200).has("successful", Shape::Length(1)).has("failed", Shape::Length(0));
    let request = cast.post_by(&secret(cast, mode), &http_body(channel, &[json!(nonce)]));
    called(request, vec![taken], rules(mode).http)
}

fn connects(cast: &Cast, mode: Mode) -> Vec<Step> {
    let carriers = CARRIERS.into_iter().filter(|carrier| can_travel(cast, mode, *carrier));
    all((1..).zip(carriers).map(|(conn, carrier)| connected_by(cast, conn, carrier, mode)))
}

fn operates(cast: &Cast, mode: Mode) -> Vec<Step> {
    let (channel, said, posted) = (cast.channel("room"), cast.nonce("said"), cast.nonce("posted"));
    let own = secret(cast, mode);
    let attempts = (1..=8).map(|n| {
        let nonce = cast.nonce(&format!("warm-{n}"));
        let request = cast.post_by(&own, &http_body(&channel, &[json!(nonce)]));
        (nonce, Publication::Http(request))
    });
    let warm = Step::Warm { conn: 1, id: "own".into(), attempts: attempts.collect(), rule: R::EvtData001 };
    all([
        connected_by(cast, 1, Carrier::Subprotocol, another(cast, mode)),
        subscribed_by(cast, 1, &channel, mode),
        vec![warm],
        said_by(cast, 1, &channel, &said, mode),
        vec![heard(1, "own", &said, R::EvtData001), posted_by(cast, &channel, &posted, mode)],
        vec![heard(1, "own", &posted, R::EvtHttp021)],
    ])
}

fn mixed(cast: &Cast) -> Vec<Step> {
    all((1..).zip(meetings(cast, &CARRIERS)).map(|(conn, meeting)| {
        let channel = cast.channel(&format!("room-{conn}"));
        let (said, posted) = (cast.nonce(&format!("said-{conn}")), cast.nonce(&format!("posted-{conn}")));
        all([
            connected_by(cast, conn, meeting.carrier, meeting.connect),
            subscribed_by(cast, conn, &channel, meeting.operation),
            said_by(cast, conn, &channel, &said, meeting.http),
            vec![posted_by(cast, &channel, &posted, meeting.http), hung_up(conn)],
        ])
    }))
}

/// A subscribe, a publish over HTTP and a connection with a secret that is not good: all are refused.
fn refused_everywhere(cast: &Cast, conn: Conn, secret: &Secret, operation: R, http: R) -> Vec<Step> {
    let (channel, id) = (cast.channel("room"), format!("bad-{conn}"));
    let credentials = cast.operation_by(secret, &subscribe_body(&channel));
    let request = cast.post_by(secret, &http_body(&channel, &[json!(cast.nonce("event"))]));
    let upgrade = cast.upgrade(cast.usual_carrier(), &cast.connect_by(secret));
    all([
        vec![
            subscribe_with(cast, 1, &id, &channel, &credentials),
            any_of(1, refusals(&id), operation),
            called(request, http_unauthorized(), http),
            open_in_vain(conn, upgrade, R::EvtAuth027),
        ],
        turned_away(conn, R::EvtAuth027),
    ])
}

/// JWTs that were changed like this are refused.
fn forged(cast: &Cast, changes: &[fn(&str) -> String]) -> Vec<Step> {
    let forged = jwts(cast).into_iter().flat_map(|jwt| changes.iter().map(move |change| Secret::Token(change(&jwt))));
    let refused =
        (2..).zip(forged).map(|(conn, secret)| refused_everywhere(cast, conn, &secret, R::EvtAuth016, R::EvtHttp008));
    all([connected(cast, 1), all(refused)])
}

/// A subscribe with a signature that is off is refused, and then a connection.
fn refused_signature(cast: &Cast, offs: &[Off], rule: R) -> Vec<Step> {
    let channel = cast.channel("room");
    let each = (2..).zip(offs).map(|(conn, off)| {
        let id = format!("bad-{conn}");
        let credentials = operation_signed(cast, &subscribe_body(&channel), *off);
        let request = cast.upgrade(cast.usual_carrier(), &connect_signed(cast, *off));
        all([
            vec![
                subscribe_with(cast, 1, &id, &channel, &credentials),
                any_of(1, refusals(&id), rule),
                open_in_vain(conn, request, rule),
            ],
            turned_away(conn, rule),
        ])
    });
    all([connected(cast, 1), all(each)])
}

/// A publish with one signature, in a spelling that its body does not have.
fn publish_respelled(cast: &Cast, channel: &str, nonce: &str) -> String {
    let body = publish_body(channel, [event(nonce).as_str()]);
    let authorization = cast.operation_by(&secret(cast, Mode::Iam), &body).to_json();
    let (channel, event) = (quoted(channel).replace('/', "\\/"), quoted(&event(nonce)));
    format!(
        "{{ \"events\" : [ {event} ],\n\"channel\" : {channel}, \"id\":\"respelled\",\
         \"authorization\": {authorization} , \"type\":\"publish\" }}"
    )
}

macro_rules! per_mode {
    ($($mode:ident $word:literal $name:literal $connect:ident $subscribe:ident [$($operates:ident)*];)*) => {
        pub(super) static PER_MODE: &[Scenario] = &[$(
            Scenario {
                id: concat!("events/modes/", $word, "-connects"),
                title: concat!("A connection is authorized by ", $name, " on each carrier."),
                covers: &[R::$connect, R::EvtHandshake008],
                needs: &[Need::Mode(Mode::$mode), Need::SecondMode],
                steps: |cast| connects(cast, Mode::$mode),
                ..QUICK
            },
            Scenario {
                id: concat!("events/modes/", $word, "-operates"),
                title: concat!("Operations of every kind are authorized by ", $name, ", whatever opened the connection."),
                covers: &[$(R::$operates),*],
                needs: &[Need::Mode(Mode::$mode)],
                steps: |cast| operates(cast, Mode::$mode),
                ..QUICK
            },
        )*];

        pub(super) static PER_MODE_FAULTS: &[Fault] = &[$(
            Fault {
                name: concat!("events-", $word, "-connects-nobody"),
                about: concat!("takes no connection that is authorized by ", $name),
                breaks: R::$connect,
                caught_by: concat!("events/modes/", $word, "-connects"),
                how: How::Modes(|modes| modes.events_connect.retain(|mode| *mode != Mode::$mode)),
            },
            Fault {
                name: concat!("events-", $word, "-subscribes-to-nothing"),
                about: concat!("takes no subscribe that is authorized by ", $name),
                breaks: R::$subscribe,
                caught_by: concat!("events/modes/", $word, "-operates"),
                how: How::Modes(|modes| modes.events_subscribe.retain(|mode| *mode != Mode::$mode)),
            },
        )*];
    };
}

per_mode! {
    ApiKey "api-key" "an API key" EvtHandshake007 EvtAuth016 [EvtAuth016 EvtHttp004];
    Iam "iam" "an AWS signature" EvtAuth006 EvtAuth007 [EvtAuth007 EvtAuth008 EvtAuth009];
    Oidc "oidc" "a JWT of an OpenID Connect provider" EvtHandshake007 EvtAuth016 [EvtAuth016 EvtHttp004];
    Cognito "cognito" "a JWT of a Cognito user pool" EvtHandshake007 EvtAuth016 [EvtAuth016 EvtHttp004];
    Lambda "lambda" "a token for a Lambda authorizer" EvtHandshake007 EvtAuth016 [EvtAuth016 EvtHttp004];
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/modes/mixed",
        title: "Connections, subscribes and publishes of different modes go together in every combination.",
        covers: &[R::EvtAuth016],
        needs: &[Need::SecondMode],
        steps: mixed,
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-changed-body",
        title: "An operation that is not what was signed is refused alone, as a bad request.",
        covers: &[R::EvtAuth013],
        needs: SIGNED,
        steps: |cast| {
            let (channel, other) = (cast.channel("room"), cast.channel("room2"));
            let keys = secret(cast, Mode::Iam);
            let bad_request = Shape::ErrorType(&["BadRequestException"]);
            let subscribe = cast.operation_by(&keys, &subscribe_body(&other));
            let publish = cast.operation_by(&keys, &publish_body(&channel, [r#""signed""#])).to_json();
            all([
                connected(cast, 1),
                vec![
                    subscribe_with(cast, 1, "changed", &channel, &subscribe),
                    expect(1, refusal("changed").has("errors", bad_request.clone()), R::EvtAuth013),
                    say(1, cast.publish_as("sent", &channel, &[json!(cast.nonce("sent"))], &publish)),
                    expect(1, publish_refusal("sent").has("errors", bad_request), R::EvtAuth013),
                ],
                taken(cast, 1, "good", &channel, R::EvtAuth013),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-id-in-signed-body",
        title: "A signature over a body with type and id does not authorize a subscribe.",
        covers: &[R::EvtAuth011],
        needs: SIGNED,
        steps: |cast| {
            let channel = cast.channel("room");
            let body = format!(r#"{{"type":"subscribe","id":"whole","channel":{}}}"#, quoted(&channel));
            let credentials = cast.operation_by(&secret(cast, Mode::Iam), &body);
            all([
                connected(cast, 1),
                vec![
                    subscribe_with(cast, 1, "whole", &channel, &credentials),
                    any_of(1, refusals("whole"), R::EvtAuth011),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-few-signed-headers",
        title: "A signature may cover host and date alone.",
        covers: &[R::EvtAuth010],
        needs: SIGNED,
        steps: |cast| {
            let channel = cast.channel("room");
            let credentials = operation_signed(cast, &subscribe_body(&channel), Off::Minimal);
            let request = cast.upgrade(cast.usual_carrier(), &connect_signed(cast, Off::Minimal));
            all([
                admitted(1, request, R::EvtAuth010),
                vec![
                    subscribe_with(cast, 1, "few", &channel, &credentials),
                    expect(1, Pattern::with_id("subscribe_success", "few"), R::EvtAuth010),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-spelling",
        title: "Order of members, white space and escaped slashes of a message do not matter to its signature.",
        covers: &[R::EvtAuth012],
        needs: SIGNED,
        steps: |cast| {
            let publish = publish_respelled(cast, &cast.channel("room"), &cast.nonce("event"));
            all([connected(cast, 1), vec![say(1, publish), expect(1, receipt("respelled", 1), R::EvtAuth012)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-old-signature",
        title: "Signatures of the day before are refused.",
        covers: &[R::SynSign001],
        needs: SIGNED,
        steps: |cast| refused_signature(cast, &[Off::Old], R::SynSign001),
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-foreign-scope",
        title: "Signatures for another region or service are refused.",
        covers: &[R::SynSign001],
        needs: SIGNED,
        steps: |cast| refused_signature(cast, &[Off::Region, Off::Service], R::SynSign001),
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-unsigned-host-or-date",
        title: "A signature that does not cover the host, or the date, is refused.",
        covers: &[R::EvtAuth010],
        needs: SIGNED,
        steps: |cast| {
            let offs = [Off::LeavesOut("host"), Off::LeavesOut("x-amz-date")];
            refused_signature(cast, &offs, R::EvtAuth010)
        },
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-changed-header-field",
        title: "A signature is refused if a header field that it covers was changed afterwards.",
        covers: &[R::EvtAuth010],
        needs: SIGNED,
        steps: |cast| refused_signature(cast, &[Off::Field("content-type", "text/plain")], R::EvtAuth010),
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-wrong-signature-at-connect",
        title: "A connection whose signature has another last digit is refused.",
        covers: &[R::EvtAuth006],
        needs: SIGNED,
        steps: |cast| {
            let request = cast.upgrade(cast.usual_carrier(), &connect_signed(cast, Off::Digit));
            all([vec![open_in_vain(1, request, R::EvtAuth006)], turned_away(1, R::EvtAuth006)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-signature-of-the-connection",
        title: "The signature of a connection does not authorize a subscribe on it.",
        covers: &[R::EvtAuth007],
        needs: SIGNED,
        steps: |cast| {
            let credentials = cast.connect_by(&secret(cast, Mode::Iam));
            all([
                admitted(1, cast.upgrade(cast.usual_carrier(), &credentials), R::EvtAuth006),
                vec![
                    subscribe_with(cast, 1, "reused", &cast.channel("room"), &credentials),
                    any_of(1, refusals("reused"), R::EvtAuth007),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/modes/iam-changed-http-body",
        title: "A publish over HTTP that is not what was signed is refused.",
        covers: &[R::EvtAuth009],
        needs: SIGNED,
        steps: |cast| {
            let channel = cast.channel("room");
            let mut request = cast.post_by(&secret(cast, Mode::Iam), &http_body(&channel, &[json!("signed")]));
            request.body = http_body(&channel, &[json!(cast.nonce("sent"))]).as_str().into();
            vec![called(request, vec![Answer::between(400, 499)], R::EvtAuth009)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/modes/jwt-wrong-signature",
        title: "A JWT with the signature of nobody is refused in every place.",
        covers: &[R::EvtAuth016, R::EvtHttp008, R::EvtAuth027],
        needs: &[Need::Jwt],
        steps: |cast| forged(cast, &[with_another_signature]),
        ..QUICK
    },
    Scenario {
        id: "events/modes/jwt-changed-claims",
        title: "A JWT whose claims are not those that were signed is refused in every place.",
        covers: &[R::EvtAuth016, R::EvtHttp008, R::EvtAuth027],
        needs: &[Need::Jwt],
        steps: |cast| forged(cast, &[with_another_subject]),
        ..QUICK
    },
    Scenario {
        id: "events/modes/jwt-unsigned",
        title: "A JWT with the algorithm none is refused in every place.",
        covers: &[R::EvtAuth016, R::EvtHttp008, R::EvtAuth027],
        needs: &[Need::Jwt],
        steps: |cast| forged(cast, &[unsigned]),
        ..QUICK
    },
    Scenario {
        id: "events/modes/jwt-part-of-a-signature",
        title: "A JWT with half of its signature, or with none, is refused in every place.",
        covers: &[R::EvtAuth016, R::EvtHttp008, R::EvtAuth027],
        needs: &[Need::Jwt],
        steps: |cast| forged(cast, &[with_half_a_signature, without_signature]),
        ..QUICK
    },
    Scenario {
        id: "events/modes/lambda-denied",
        title: "A token that the Lambda authorizer does not know is refused in every place.",
        covers: &[R::EvtAuth027],
        needs: &[Need::Mode(Mode::Lambda)],
        steps: |cast| {
            let unknown = wrong(&secret(cast, Mode::Lambda));
            all([connected(cast, 1), refused_everywhere(cast, 2, &unknown, R::EvtAuth027, R::EvtAuth027)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/modes/lambda-near-token",
        title: "A token for a Lambda authorizer that is nearly the right one is refused in every place.",
        covers: &[R::EvtAuth027],
        needs: &[Need::Mode(Mode::Lambda)],
        steps: |cast| {
            let each = (2..).zip(near_tokens(cast));
            let refused = each.map(|(conn, near)| refused_everywhere(cast, conn, &near, R::EvtAuth027, R::EvtAuth027));
            all([connected(cast, 1), all(refused)])
        },
        ..QUICK
    },
];
