//! Credentials of a connection and of a start: how they may be written, and how bad ones are refused.

use appsync_protocol::handshake::Credentials;
use appsync_protocol::handshake::base64::{encode_standard, percent_encode};
use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::{Check, Mode};
use appsync_protocol::wire::Request;

use super::steps::{
    ANY, INIT, QUICK, admitted, all, any_of, beside_a_bystander, connected, edit, expect, forbidden, heard,
    open_in_vain, published, refusal, say, subscribed, subscribed_by, told_by_error, turned_away, turned_away_as_bad,
    warmed,
};
use crate::catalogue::modes::near_keys;
use crate::fault::{AuthCheck, Change, DoorCheck, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Cast, Need, Pattern, Scenario, Shape, Step};

/// An upgrade whose `header` parameter is just this text.
fn with_header(cast: &Cast, header: &str) -> Request {
    let target = format!("{}?header={header}&payload=e30%3D", cast.realtime.path);
    Request { target, ..cast.usual_upgrade() }
}

/// An upgrade with this text as its authorization object.
fn with_object(cast: &Cast, text: &str) -> Request {
    with_header(cast, &percent_encode(&encode_standard(text.as_bytes())))
}

/// An upgrade with credentials that no target accepts.
fn with_wrong_key(cast: &Cast) -> Request {
    cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials())
}

/// `start` of a subscription with the wrong key.
fn start_with_wrong_key(cast: &Cast, id: &str) -> String {
    let (document, variables) = cast.subscription(&cast.nonce("room"));
    cast.start_as(id, &document, &variables, &cast.wrong_credentials().to_json())
}

/// Ids for operations with keys that are nearly right.
const NEAR: [&str; 5] = ["longer", "shorter", "other", "headless", "headed"];

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/credentials/pretty-printed",
        title: "An authorization object that spans several lines is accepted.",
        covers: &[R::GqlHandshake018],
        steps: |cast| {
            let text = cast.authorization().replace('{', "{\n  ").replace("\",\"", "\",\n  \"").replace('}', "\n}\n");
            admitted(1, with_object(cast, &text), R::GqlHandshake018)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/raw-base64",
        title: "Base64 in the query string is understood without percent-encoding, plus signs included.",
        covers: &[R::GqlHandshake019],
        steps: |cast| {
            // Three tildes in a row give a plus sign wherever they stand.
            let text = cast.credentials().with("x-amz-user-agent", "syncspec~~~").to_json();
            admitted(1, with_header(cast, &encode_standard(text.as_bytes())), R::GqlHandshake019)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/additional-member",
        title: "A member of the authorization object that the service does not know is ignored.",
        covers: &[R::GqlAuth026],
        steps: |cast| {
            let text = cast.credentials().with("x-amz-user-agent", "syncspec").to_json();
            admitted(1, with_object(cast, &text), R::GqlAuth026)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/member-case",
        title: "Members of the authorization object are recognised in any case.",
        covers: &[R::GqlAuth025],
        steps: |cast| {
            let loud = cast.credentials().iter().fold(Credentials::new(), |loud, (name, value)| match name {
                "host" => loud.with("Host", value),
                "x-api-key" => loud.with("X-API-Key", value),
                other => loud.with(other.to_ascii_uppercase(), value),
            });
            admitted(1, with_object(cast, &loud.to_json()), R::GqlAuth025)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/none",
        title: "An upgrade without credentials is refused with an error.",
        covers: &[R::GqlHandshake020],
        steps: |cast| {
            let request = Request { target: cast.realtime.path.clone(), ..cast.usual_upgrade() };
            all([vec![open_in_vain(1, request, R::GqlHandshake020)], turned_away_as_bad(1, R::GqlHandshake020)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/no-base64",
        title: "An upgrade whose header parameter is no base64 is refused with an error.",
        covers: &[R::GqlHandshake021],
        steps: |cast| {
            let opened = open_in_vain(1, with_header(cast, "%21%21%21"), R::GqlHandshake021);
            all([vec![opened], turned_away_as_bad(1, R::GqlHandshake021)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/no-json",
        title: "An upgrade whose header parameter is no JSON is refused with an error.",
        covers: &[R::GqlHandshake021],
        steps: |cast| {
            let opened = open_in_vain(1, with_object(cast, "host=api"), R::GqlHandshake021);
            all([vec![opened], turned_away_as_bad(1, R::GqlHandshake021)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/foreign-host",
        title: "An upgrade whose authorization object names the host of no API is refused with an error.",
        covers: &[R::GqlAuth022],
        steps: |cast| {
            let elsewhere = Cast { auth_host: "nobody.example.net".into(), ..cast.clone() };
            let credentials = elsewhere.credentials();
            let opened = open_in_vain(1, with_object(cast, &credentials.to_json()), R::GqlAuth022);
            all([vec![opened], turned_away(1, R::GqlAuth022)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/unknown-key",
        title: "A connection with an unknown API key is told so and never acknowledged.",
        covers: &[R::GqlAuth016],
        steps: |cast| all([vec![open_in_vain(1, with_wrong_key(cast), R::GqlAuth016)], turned_away(1, R::GqlAuth016)]),
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/near-key",
        title: "A key that lacks a character or has one more at either end, or is in another case, opens no connection.",
        covers: &[R::GqlAuth016],
        needs: &[Need::Mode(Mode::ApiKey)],
        steps: |cast| {
            all((1..).zip(near_keys(cast)).map(|(conn, key)| {
                let request = cast.upgrade(cast.usual_carrier(), &cast.connect_by(&key));
                all([vec![open_in_vain(conn, request, R::GqlAuth016)], turned_away(conn, R::GqlAuth016)])
            }))
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/start-with-a-near-key",
        title: "A key that lacks a character or has one more at either end, or is in another case, starts no subscription.",
        covers: &[R::GqlAuth012],
        needs: &[Need::Subscription, Need::Mode(Mode::ApiKey)],
        steps: |cast| {
            let each = NEAR.into_iter().zip(near_keys(cast)).map(|(id, key)| {
                let (document, variables) = cast.subscription(&cast.nonce("room"));
                let authorization = cast.operation_by(&key, "").to_json();
                let start = cast.start_as(id, &document, &variables, &authorization);
                vec![say(1, start), expect(1, refusal(id), R::GqlAuth012)]
            });
            all([connected(cast, 1), all(each)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/unauthorized-type",
        title: "The refusal of an unknown API key is of type UnauthorizedException.",
        covers: &[R::GqlAuth017],
        steps: |cast| {
            let typed = Pattern::word("connection_error")
                .has("payload.errors", Shape::ErrorType(&["UnauthorizedException"]))
                .has("payload.errors", Shape::ErrorCode(&[400, 401]));
            let elsewhere = vec![typed, told_by_error().ends(), Pattern::closed().ends()];
            vec![
                open_in_vain(1, with_wrong_key(cast), R::GqlAuth016),
                say(1, INIT),
                any_of(1, elsewhere, R::GqlAuth017),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/refusal-form",
        title: "A connection_error has an array of errors with a message or a type each.",
        covers: &[R::GqlErr023],
        steps: |cast| {
            let formed = Pattern::word("connection_error")
                .has("payload.errors", Shape::Array)
                .has("payload.errors", Shape::Errors);
            let elsewhere = vec![formed, told_by_error().ends(), Pattern::closed().ends()];
            vec![open_in_vain(1, with_wrong_key(cast), R::GqlAuth016), say(1, INIT), any_of(1, elsewhere, R::GqlErr023)]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/start-is-authorized-by-itself",
        title: "A start with an unknown API key is not accepted, although the connection was.",
        covers: &[R::GqlAuth012, R::SynAlive001, R::SynAlive002],
        needs: ANY,
        hazard: true,
        steps: |cast| {
            let provocation = all([connected(cast, 1), vec![say(1, start_with_wrong_key(cast, "wrong"))]]);
            beside_a_bystander(cast, provocation, vec![expect(1, Pattern::word("error"), R::GqlAuth012)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/start-with-unknown-key",
        title: "A start with an unknown API key gets an error with its id, and the connection stays open.",
        covers: &[R::GqlAuth018, R::SynAlive001, R::SynAlive002],
        needs: ANY,
        hazard: true,
        steps: |cast| {
            let provocation = all([connected(cast, 1), vec![say(1, start_with_wrong_key(cast, "wrong"))]]);
            let refused = vec![expect(1, refusal("wrong"), R::GqlAuth018)];
            let room = cast.nonce("room");
            beside_a_bystander(cast, provocation, all([refused, subscribed_by(cast, 1, "right", &room, R::GqlAuth018)]))
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/refused-start-hears-nothing",
        title: "A start that was refused for its key hears nothing of what is published afterwards.",
        covers: &[R::GqlAuth018, R::GqlSub012],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let (document, variables) = cast.subscription(&room);
            let wrong = cast.start_as("wrong", &document, &variables, &cast.wrong_credentials().to_json());
            all([
                connected(cast, 1),
                subscribed(cast, 1, "right", &room),
                vec![
                    warmed(cast, 1, "right", &room),
                    say(1, wrong),
                    expect(1, refusal("wrong"), R::GqlAuth018),
                    forbidden(1, "wrong", &nonce, R::GqlSub012),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "right", (&room, &nonce), R::GqlSub012),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/credentials/start-without-authorization",
        title: "A start without credentials of its own gets an error with its id.",
        covers: &[R::GqlAuth018],
        needs: ANY,
        steps: |cast| {
            let data = Json::from(cast.subscription_request(&cast.nonce("room")));
            let start = format!(r#"{{"id":"bare","type":"start","payload":{{"data":{data}}}}}"#);
            all([connected(cast, 1), vec![say(1, start), expect(1, refusal("bare"), R::GqlAuth018)]])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-ack-after-refusal",
        about: "acknowledges a connection right after it has refused it",
        breaks: R::GqlAuth016,
        caught_by: "graphql/credentials/unknown-key",
        how: edit(
            "connection_error",
            Nth::Every,
            Change::After(r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#),
        ),
    },
    Fault {
        name: "graphql-ack-before-refusal",
        about: "acknowledges a connection right before it refuses it",
        breaks: R::GqlAuth016,
        caught_by: "graphql/control/refuses-a-wrong-key",
        how: edit(
            "connection_error",
            Nth::Every,
            Change::Before(r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#),
        ),
    },
    Fault {
        name: "graphql-part-of-a-key-is-good",
        about: "takes a key for good whose beginning is right",
        breaks: R::GqlAuth016,
        caught_by: "graphql/credentials/near-key",
        how: How::Auth(AuthCheck::KeyWhole),
    },
    Fault {
        name: "graphql-key-in-any-case",
        about: "compares keys without their case",
        breaks: R::GqlAuth012,
        caught_by: "graphql/credentials/start-with-a-near-key",
        how: How::Auth(AuthCheck::KeyCase),
    },
    Fault {
        name: "graphql-refused-start-hears-all-the-same",
        about: "delivers to a subscription that it has refused",
        breaks: R::GqlSub012,
        caught_by: "graphql/credentials/refused-start-hears-nothing",
        how: edit("data", Nth::From(2), Change::Readdressed("wrong")),
    },
    Fault {
        name: "graphql-start-rides-on-the-connection",
        about: "takes starts without authorization on an authorized connection",
        breaks: R::GqlAuth018,
        caught_by: "graphql/credentials/start-without-authorization",
        how: How::Skip(Check::OperationCarriesCredentials),
    },
    Fault {
        name: "graphql-start-key-is-not-looked-at",
        about: "takes whatever key a start carries",
        breaks: R::GqlAuth012,
        caught_by: "graphql/credentials/start-is-authorized-by-itself",
        how: How::Skip(Check::OperationCredentials),
    },
    Fault {
        name: "graphql-unauthorized-start-anonymous-error",
        about: "leaves the id out of the error for an unauthorized start",
        breaks: R::GqlAuth018,
        caught_by: "graphql/credentials/start-without-authorization",
        how: edit("error", Nth::Every, Change::Remove("id")),
    },
    Fault {
        name: "graphql-unauthorized-start-ends-the-connection",
        about: "answers a start with a wrong key and then closes the connection",
        breaks: R::GqlAuth018,
        caught_by: "graphql/credentials/start-with-unknown-key",
        how: edit("error", Nth::Only(1), Change::CloseAfter(1008)),
    },
    Fault {
        name: "graphql-pretty-credentials-refused",
        about: "refuses authorization objects with line breaks",
        breaks: R::GqlHandshake018,
        caught_by: "graphql/credentials/pretty-printed",
        how: How::Door(DoorCheck::PrettyCredentials),
    },
    Fault {
        name: "graphql-credentials-members-exact",
        about: "refuses authorization objects with members that it does not know",
        breaks: R::GqlAuth026,
        caught_by: "graphql/credentials/additional-member",
        how: How::Door(DoorCheck::ExtraMembers),
    },
    Fault {
        name: "graphql-credentials-lower-case-only",
        about: "compares members of the authorization object with their case",
        breaks: R::GqlAuth025,
        caught_by: "graphql/credentials/member-case",
        how: How::Door(DoorCheck::MemberCase),
    },
    Fault {
        name: "graphql-raw-query-refused",
        about: "cannot read the query string of a client that does not percent-encode",
        breaks: R::GqlHandshake019,
        caught_by: "graphql/credentials/raw-base64",
        how: How::Door(DoorCheck::CarrierQuery),
    },
    Fault {
        name: "graphql-any-host-connects",
        about: "does not look at the host of the authorization object",
        breaks: R::GqlAuth022,
        caught_by: "graphql/credentials/foreign-host",
        how: How::Door(DoorCheck::ConnectHost),
    },
    Fault {
        name: "graphql-no-base64-connects",
        about: "takes a header parameter that is no base64 for good credentials",
        breaks: R::GqlHandshake021,
        caught_by: "graphql/credentials/no-base64",
        how: How::Door(DoorCheck::CredentialsReadable),
    },
    Fault {
        name: "graphql-no-json-connects",
        about: "takes a header parameter that is no JSON for good credentials",
        breaks: R::GqlHandshake021,
        caught_by: "graphql/credentials/no-json",
        how: How::Door(DoorCheck::CredentialsReadable),
    },
    Fault {
        name: "graphql-anonymous-connects",
        about: "takes connections without credentials",
        breaks: R::GqlHandshake020,
        caught_by: "graphql/credentials/none",
        how: How::Door(DoorCheck::CredentialsPresent),
    },
    Fault {
        name: "graphql-refusal-is-a-server-error",
        about: "answers upgrades with bad credentials with status 500",
        breaks: R::GqlAuth016,
        caught_by: "graphql/credentials/unknown-key",
        how: How::Door(DoorCheck::RefusesInBand),
    },
    Fault {
        name: "graphql-refusal-without-a-word",
        about: "drops the connection in place of a connection_error",
        breaks: R::GqlAuth016,
        caught_by: "graphql/credentials/unknown-key",
        how: edit("connection_error", Nth::Every, Change::LoseInstead),
    },
    Fault {
        name: "graphql-refusal-of-another-type",
        about: "calls an unknown key a bad request",
        breaks: R::GqlAuth017,
        caught_by: "graphql/credentials/unauthorized-type",
        how: edit(
            "connection_error",
            Nth::Every,
            Change::Set("payload.errors.0.errorType", r#""BadRequestException""#),
        ),
    },
    Fault {
        name: "graphql-refusal-with-one-object",
        about: "has a single object in place of the errors of connection_error",
        breaks: R::GqlErr023,
        caught_by: "graphql/credentials/refusal-form",
        how: edit("connection_error", Nth::Every, Change::Set("payload.errors", r#"{"message":"no"}"#)),
    },
    Fault {
        name: "graphql-refusal-with-texts",
        about: "has texts in place of the errors of connection_error",
        breaks: R::GqlErr023,
        caught_by: "graphql/credentials/refusal-form",
        how: edit("connection_error", Nth::Every, Change::Set("payload.errors", r#"["no"]"#)),
    },
    Fault {
        name: "graphql-refusal-without-errors",
        about: "sends a bare connection_error",
        breaks: R::GqlErr023,
        caught_by: "graphql/credentials/refusal-form",
        how: edit("connection_error", Nth::Every, Change::Remove("payload")),
    },
    Fault {
        name: "graphql-wrong-key-is-fatal",
        about: "ends its process when a start carries an unknown key",
        breaks: R::SynAlive001,
        caught_by: "graphql/credentials/start-with-unknown-key",
        how: How::Trap(Trigger::WrongKey, Reaction::Die),
    },
];
