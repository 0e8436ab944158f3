//! Authorization modes: each one in each place and on each carrier, all of them mixed, and credentials that are off.

mod faults;

pub(super) use faults::FAULTS;

use appsync_protocol::handshake::{Carrier, Credentials};
use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Mode;
use serde_json::json;

use super::steps::{
    INIT, QUICK, admitted, all, any_of, connected, expect, heard, open_in_vain, refusal, say, subscribed_by,
    told_by_error, turned_away, warmed_with,
};
use crate::auth::sign::Secret;
use crate::auth::{
    unsigned, with_another_signature, with_another_subject, with_half_a_signature, without_signature, wrong,
};
use crate::catalogue::modes::{
    Off, another, can_travel, connect_signed, hung_up, jwts, meetings, near_tokens, operation_signed, secret,
};
use crate::fault::{Fault, How};
use crate::scenario::cast::{PUBLISH_TO_CHANNEL, SUBSCRIBE_TO_CHANNEL, channel_data, request_body};
use crate::scenario::{Answer, Cast, Conn, Need, Pattern, Scenario, Shape, Step};

/// The channel schema and AWS keys.
const SIGNED: &[Need] = &[Need::ChannelSchema, Need::Mode(Mode::Iam)];
/// The channel schema and a JWT.
const JWT: &[Need] = &[Need::ChannelSchema, Need::Jwt];

/// Connects with these credentials on a carrier.
fn connected_by(cast: &Cast, conn: Conn, carrier: Carrier, secret: &Secret) -> Vec<Step> {
    admitted(conn, cast.upgrade(carrier, &cast.connect_by(secret)), R::GqlAuth013)
}

/// Each carrier with the main credentials: whether a target reads it is no question of modes.
fn carried(cast: &Cast) -> Vec<Step> {
    let carriers = [
        (101, Carrier::Query, R::GqlHandshake009),
        (102, Carrier::Subprotocol, R::GqlHandshake011),
        (103, Carrier::Headers, R::GqlHandshake013),
    ];
    let can = |carrier| can_travel(cast, cast.keyring.main, carrier);
    all(carriers.into_iter().filter(|(_, carrier, _)| can(*carrier)).map(|(conn, carrier, rule)| {
        all([admitted(conn, cast.upgrade(carrier, &cast.credentials()), rule), vec![hung_up(conn)]])
    }))
}

/// `payload.data` of the channel subscription.
fn data(room: &str) -> String {
    request_body(SUBSCRIBE_TO_CHANNEL, &json!({ "n": room }))
}

/// `start` of the channel subscription with these credentials.
fn start_with(cast: &Cast, id: &str, room: &str, credentials: &Credentials) -> Step {
    let variables = json!({ "n": room });
    say(1, cast.start_as(id, SUBSCRIBE_TO_CHANNEL, &variables, &credentials.to_json()))
}

/// The same, on any connection, and the acknowledgement.
fn started_by(cast: &Cast, conn: Conn, room: &str, secret: &Secret) -> Vec<Step> {
    let credentials = cast.operation_by(secret, &data(room));
    let start = cast.start_as("own", SUBSCRIBE_TO_CHANNEL, &json!({ "n": room }), &credentials.to_json());
    vec![say(conn, start), expect(conn, Pattern::with_id("start_ack", "own"), R::GqlAuth013)]
}

/// JSON text of the mutation that `subscribe2channel(name)` hears.
fn mutation(room: &str, nonce: &str) -> String {
    request_body(PUBLISH_TO_CHANNEL, &json!({ "n": room, "d": channel_data(nonce) }))
}

/// Runs the mutation with these credentials.
fn published_by(cast: &Cast, room: &str, nonce: &str, secret: &Secret) -> Step {
    Step::Call {
        request: cast.post_by(secret, &mutation(room, nonce)),
        any_of: vec![Answer::status(200).has("data.publish2channel", Shape::Object)],
        rule: R::GqlHttp002,
    }
}

fn connects(cast: &Cast, mode: Mode) -> Vec<Step> {
    let secret = secret(cast, mode);
    let carriers = Carrier::ALL.into_iter().filter(|carrier| can_travel(cast, mode, *carrier));
    if mode == cast.keyring.main {
        // What is known to travel by the usual carrier.
        return all([connected_by(cast, 1, cast.usual_carrier(), &secret), carried(cast)]);
    }
    let each = (1..).zip(carriers).map(|(conn, carrier)| connected_by(cast, conn, carrier, &secret));
    all([carried(cast), all(each)])
}

fn operates(cast: &Cast, mode: Mode) -> Vec<Step> {
    let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
    let (own, other) = (secret(cast, mode), secret(cast, another(cast, mode)));
    all([
        connected_by(cast, 1, cast.usual_carrier(), &other),
        started_by(cast, 1, &room, &own),
        vec![
            warmed_with(cast, 1, "own", R::GqlAuth013, |nonce| cast.post_by(&own, &mutation(&room, nonce))),
            published_by(cast, &room, &nonce, &own),
            heard(cast, 1, "own", (&room, &nonce), R::GqlSub012),
        ],
    ])
}

fn mixed(cast: &Cast) -> Vec<Step> {
    let each = all((1..).zip(meetings(cast, &Carrier::ALL)).map(|(conn, meeting)| {
        let (room, nonce) = (cast.nonce(&format!("room-{conn}")), cast.nonce(&format!("event-{conn}")));
        all([
            connected_by(cast, conn, meeting.carrier, &secret(cast, meeting.connect)),
            started_by(cast, conn, &room, &secret(cast, meeting.operation)),
            vec![published_by(cast, &room, &nonce, &secret(cast, meeting.http)), hung_up(conn)],
        ])
    }));
    all([carried(cast), each])
}

/// A start, a request over HTTP and a connection with a secret that is not good: all are refused.
fn refused_everywhere(cast: &Cast, conn: Conn, secret: &Secret) -> Vec<Step> {
    let room = cast.nonce("room");
    let start = cast.operation_by(secret, &data(&room));
    let request = cast.upgrade(cast.usual_carrier(), &cast.connect_by(secret));
    let id = format!("bad-{conn}");
    all([
        vec![
            start_with(cast, &id, &room, &start),
            expect(1, refusal(&id), R::GqlAuth018),
            Step::Call {
                request: cast.post_by(secret, r#"{"query":"{ __typename }"}"#),
                any_of: vec![Answer::status(401).has("errors", Shape::ErrorType(&["UnauthorizedException"]))],
                rule: R::GqlHttp004,
            },
            open_in_vain(conn, request, R::GqlAuth016),
        ],
        turned_away(conn, R::GqlAuth016),
    ])
}

/// JWTs that were changed like this are refused.
fn forged(cast: &Cast, changes: &[fn(&str) -> String]) -> Vec<Step> {
    let forged = jwts(cast).into_iter().flat_map(|jwt| changes.iter().map(move |change| Secret::Token(change(&jwt))));
    let refused = (2..).zip(forged).map(|(conn, secret)| refused_everywhere(cast, conn, &secret));
    all([connected(cast, 1), all(refused)])
}

/// A start with a signature that is off is refused, and then a connection.
fn refused_signature(cast: &Cast, offs: &[Off], rule: R) -> Vec<Step> {
    let room = cast.nonce("room");
    let each = (2..).zip(offs).map(|(conn, off)| {
        let id = format!("bad-{conn}");
        let start = start_with(cast, &id, &room, &operation_signed(cast, &data(&room), *off));
        let request = cast.upgrade(cast.usual_carrier(), &connect_signed(cast, *off));
        all([vec![start, expect(1, refusal(&id), rule), open_in_vain(conn, request, rule)], turned_away(conn, rule)])
    });
    all([connected(cast, 1), all(each)])
}

macro_rules! per_mode {
    ($($mode:ident $word:literal $name:literal;)*) => {
        pub(super) static PER_MODE: &[Scenario] = &[$(
            Scenario {
                id: concat!("graphql/modes/", $word, "-connects"),
                title: concat!("A connection is authorized by ", $name, " on each carrier."),
                covers: &[R::GqlAuth013],
                needs: &[Need::Mode(Mode::$mode), Need::SecondMode],
                steps: |cast| connects(cast, Mode::$mode),
                ..QUICK
            },
            Scenario {
                id: concat!("graphql/modes/", $word, "-operates"),
                title: concat!("A start and a mutation are authorized by ", $name, ", whatever opened the connection."),
                covers: &[R::GqlAuth013],
                needs: &[Need::ChannelSchema, Need::Mode(Mode::$mode)],
                steps: |cast| operates(cast, Mode::$mode),
                ..QUICK
            },
        )*];

        pub(super) static PER_MODE_FAULTS: &[Fault] = &[$(
            Fault {
                name: concat!("graphql-", $word, "-connects-nobody"),
                about: concat!("takes no connection that is authorized by ", $name),
                breaks: R::GqlAuth013,
                caught_by: concat!("graphql/modes/", $word, "-connects"),
                how: How::Modes(|modes| modes.graphql.retain(|mode| *mode != Mode::$mode)),
            },
            Fault {
                name: concat!("graphql-", $word, "-starts-nothing"),
                about: concat!("takes no start that is authorized by ", $name),
                breaks: R::GqlAuth013,
                caught_by: concat!("graphql/modes/", $word, "-operates"),
                how: How::Modes(|modes| modes.graphql.retain(|mode| *mode != Mode::$mode)),
            },
        )*];
    };
}

per_mode! {
    ApiKey "api-key" "an API key";
    Iam "iam" "an AWS signature";
    Oidc "oidc" "a JWT of an OpenID Connect provider";
    Cognito "cognito" "a JWT of a Cognito user pool";
    Lambda "lambda" "a token for a Lambda authorizer";
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/modes/mixed",
        title: "Connections, starts and requests over HTTP of different modes go together in every combination.",
        covers: &[R::GqlAuth013],
        needs: &[Need::ChannelSchema, Need::SecondMode],
        steps: mixed,
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/iam-changed-data",
        title: "A start whose payload.data is not what was signed is refused as a bad request, and harms nothing else.",
        covers: &[R::GqlAuth014],
        needs: SIGNED,
        steps: |cast| {
            let (room, other) = (cast.nonce("room"), cast.nonce("room2"));
            let signed = cast.operation_by(&secret(cast, Mode::Iam), &data(&other));
            let refused = refusal("changed").has("payload.errors", Shape::ErrorType(&["BadRequestException"]));
            all([
                connected(cast, 1),
                vec![start_with(cast, "changed", &room, &signed), expect(1, refused, R::GqlAuth014)],
                subscribed_by(cast, 1, "good", &room, R::GqlAuth014),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/iam-few-signed-headers",
        title: "A signature may cover host and date alone.",
        covers: &[R::GqlAuth015],
        needs: SIGNED,
        steps: |cast| {
            let room = cast.nonce("room");
            let start = operation_signed(cast, &data(&room), Off::Minimal);
            let request = cast.upgrade(cast.usual_carrier(), &connect_signed(cast, Off::Minimal));
            all([
                admitted(1, request, R::GqlAuth015),
                vec![
                    start_with(cast, "few", &room, &start),
                    expect(1, Pattern::with_id("start_ack", "few"), R::GqlAuth015),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/iam-old-signature",
        title: "Signatures of the day before are refused.",
        covers: &[R::SynSign001],
        needs: SIGNED,
        steps: |cast| refused_signature(cast, &[Off::Old], R::SynSign001),
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/iam-foreign-scope",
        title: "Signatures for another region or service are refused.",
        covers: &[R::SynSign001],
        needs: SIGNED,
        steps: |cast| refused_signature(cast, &[Off::Region, Off::Service], R::SynSign001),
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/iam-changed-header-field",
        title: "A signature is refused if a header field that it covers was changed afterwards.",
        covers: &[R::GqlAuth015],
        needs: SIGNED,
        steps: |cast| refused_signature(cast, &[Off::Field("content-type", "text/plain")], R::GqlAuth015),
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/iam-wrong-signature-at-connect",
        title: "A connection whose signature has another last digit is refused.",
        covers: &[R::GqlAuth016],
        needs: &[Need::Mode(Mode::Iam)],
        steps: |cast| {
            let request = cast.upgrade(cast.usual_carrier(), &connect_signed(cast, Off::Digit));
            all([vec![open_in_vain(1, request, R::GqlAuth016)], turned_away(1, R::GqlAuth016)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/iam-signature-of-the-connection",
        title: "The signature of a connection does not authorize a start on it.",
        covers: &[R::GqlAuth018],
        needs: SIGNED,
        steps: |cast| {
            let credentials = cast.connect_by(&secret(cast, Mode::Iam));
            all([
                admitted(1, cast.upgrade(cast.usual_carrier(), &credentials), R::GqlAuth013),
                vec![
                    start_with(cast, "reused", &cast.nonce("room"), &credentials),
                    expect(1, refusal("reused"), R::GqlAuth018),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/iam-changed-http-body",
        title: "A request over HTTP whose body is not what was signed is refused.",
        covers: &[R::GqlHttp006],
        needs: &[Need::Mode(Mode::Iam)],
        steps: |cast| {
            let mut request = cast.post_by(&secret(cast, Mode::Iam), r#"{"query":"{ __typename }"}"#);
            request.body = r#"{"query":"{ __typename  }"}"#.into();
            let refused = Answer::between(400, 499).has("errors", Shape::Errors);
            vec![Step::Call { request, any_of: vec![refused], rule: R::GqlHttp006 }]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/jwt-with-scheme",
        title: "A JWT is taken bare and with the prefix Bearer and a space, at the connection and at a start.",
        covers: &[R::GqlAuth021],
        needs: JWT,
        steps: |cast| {
            let spelled = jwts(cast).into_iter().flat_map(|jwt| [format!("Bearer {jwt}"), jwt]);
            all((1..).zip(spelled.map(Secret::Token)).map(|(conn, secret)| {
                let room = cast.nonce(&format!("room-{conn}"));
                let upgrade = cast.upgrade(cast.usual_carrier(), &cast.connect_by(&secret));
                let authorization = cast.operation_by(&secret, &data(&room)).to_json();
                let start = cast.start_as("own", SUBSCRIBE_TO_CHANNEL, &json!({ "n": room }), &authorization);
                let taken = expect(conn, Pattern::with_id("start_ack", "own"), R::GqlAuth021);
                all([admitted(conn, upgrade, R::GqlAuth021), vec![say(conn, start), taken]])
            }))
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/jwt-wrong-signature",
        title: "A JWT with the signature of nobody is refused in every place.",
        covers: &[R::GqlAuth018, R::GqlAuth016, R::GqlHttp004],
        needs: JWT,
        steps: |cast| forged(cast, &[with_another_signature]),
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/jwt-changed-claims",
        title: "A JWT whose claims are not those that were signed is refused in every place.",
        covers: &[R::GqlAuth018, R::GqlAuth016, R::GqlHttp004],
        needs: JWT,
        steps: |cast| forged(cast, &[with_another_subject]),
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/jwt-unsigned",
        title: "A JWT with the algorithm none is refused in every place.",
        covers: &[R::GqlAuth018, R::GqlAuth016, R::GqlHttp004],
        needs: JWT,
        steps: |cast| forged(cast, &[unsigned]),
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/jwt-part-of-a-signature",
        title: "A JWT with half of its signature, or with none, is refused in every place.",
        covers: &[R::GqlAuth018, R::GqlAuth016, R::GqlHttp004],
        needs: JWT,
        steps: |cast| forged(cast, &[with_half_a_signature, without_signature]),
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/lambda-denied",
        title: "A token that the Lambda authorizer does not know is refused in every place.",
        covers: &[R::GqlAuth018, R::GqlAuth016, R::GqlHttp004],
        needs: &[Need::ChannelSchema, Need::Mode(Mode::Lambda)],
        steps: |cast| {
            let unknown = wrong(&secret(cast, Mode::Lambda));
            all([connected(cast, 1), refused_everywhere(cast, 2, &unknown)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/lambda-near-token",
        title: "A token for a Lambda authorizer that is nearly the right one is refused in every place.",
        covers: &[R::GqlAuth018, R::GqlAuth016, R::GqlHttp004],
        needs: &[Need::ChannelSchema, Need::Mode(Mode::Lambda)],
        steps: |cast| {
            let refused = (2..).zip(near_tokens(cast)).map(|(conn, near)| refused_everywhere(cast, conn, &near));
            all([connected(cast, 1), all(refused)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/empty-token",
        title: "An empty token is refused as unauthorized, and not as a bad request.",
        covers: &[R::GqlAuth023],
        needs: &[Need::Token],
        steps: |cast| {
            let credentials = cast.connect_by(&Secret::Token(String::new()));
            let typed =
                Pattern::word("connection_error").has("payload.errors", Shape::ErrorType(&["UnauthorizedException"]));
            let elsewhere = vec![typed, told_by_error().ends(), Pattern::closed().ends()];
            let request = cast.upgrade(cast.usual_carrier(), &credentials);
            vec![open_in_vain(1, request, R::GqlAuth023), say(1, INIT), any_of(1, elsewhere, R::GqlAuth023)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/modes/denied-field",
        title: "A start that a rule of its field denies is refused with the type Unauthorized.",
        covers: &[R::GqlAuth019],
        needs: &[Need::DeniedField],
        steps: |cast| {
            let (mode, document) = cast.denied.clone().unwrap_or_default();
            let credentials = cast.operation_by(&secret(cast, mode), &request_body(&document, &Json::Null));
            let start = cast.start_as("denied", &document, &Json::Null, &credentials.to_json());
            let typed = refusal("denied").has("payload.errors", Shape::ErrorType(&["Unauthorized"]));
            all([connected(cast, 1), vec![say(1, start), expect(1, typed, R::GqlAuth019)]])
        },
        ..QUICK
    },
];
