//! Credentials of a connection and of its operations: how they may be written, and how bad ones are refused.

use appsync_protocol::handshake::{Carrier, Credentials};
use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::{Check, Mode};
use appsync_protocol::wire::OwnedFrame;
use serde_json::json;

use super::publish_steps::{general_error, publish_refusal};
use super::session_steps::{
    INIT, QUICK, admitted, beside_a_bystander, edit, ended, forbidden, open_in_vain, pinged, refusals, taken,
    turned_away,
};
use super::steps::{all, any_of, connected, expect, heard, published, say, subscribed, warmed};
use crate::auth::sign::subscribe_body;
use crate::catalogue::modes::near_keys;
use crate::fault::{AuthCheck, Change, DoorCheck, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Cast, Greeting, Need, Pattern, Scenario, Shape, Step};

/// `subscribe` with this authorization and the answer that takes it.
fn taken_as(cast: &Cast, id: &str, authorization: &str, rule: R) -> Vec<Step> {
    let channel = cast.channel("room");
    vec![
        say(1, cast.subscribe_as(id, &channel, authorization)),
        expect(1, Pattern::with_id("subscribe_success", id), rule),
    ]
}

/// `subscribe` with this authorization, of whatever type.
fn subscribe_with(cast: &Cast, id: &str, authorization: &Json) -> Step {
    let channel = cast.channel("room");
    let message = json!({ "type": "subscribe", "id": id, "channel": channel, "authorization": authorization });
    say(1, message.to_string())
}

/// Upgrades with an unknown key: told in-band, or by an HTTP status, after which nothing can follow.
fn knocked(cast: &Cast, rule: R) -> Vec<Step> {
    let request = cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials());
    vec![open_in_vain(1, request, rule), say(1, INIT)]
}

/// Credentials in capitals.
fn loud(quiet: &Credentials) -> Credentials {
    quiet.iter().fold(Credentials::new(), |loud, (name, value)| match name {
        "host" => loud.with("Host", value),
        "x-api-key" => loud.with("X-API-Key", value),
        other => loud.with(other.to_ascii_uppercase(), value),
    })
}

/// Good credentials for the `subscribe` of [`taken_as`].
fn subscriber(cast: &Cast) -> Credentials {
    let body = subscribe_body(&cast.channel("room"));
    Credentials::from_json(&cast.authorization_of(&body)).unwrap_or_default()
}

/// Ids for operations with keys that are nearly right.
const NEAR: [&str; 5] = ["longer", "shorter", "other", "headless", "headed"];

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/credentials/in-header-fields",
        title: "Credentials in the header fields of the upgrade request are accepted.",
        covers: &[R::EvtHandshake008],
        steps: |cast| admitted(1, cast.upgrade(Carrier::Headers, &cast.credentials()), R::EvtHandshake008),
        ..QUICK
    },
    Scenario {
        id: "events/credentials/unknown-key-is-told-in-band",
        title: "A connection with an unknown API key is opened and then told of its refusal by a message.",
        covers: &[R::EvtHandshake012],
        steps: |cast| {
            let told = |reading| Pattern::word("connection_error").reads("EVT-A-09", reading);
            let first = vec![told("connection_error comes right after the upgrade").ends(), Pattern::pong(b"first")];
            vec![
                Step::Open {
                    conn: 1,
                    request: cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials()),
                    any_of: vec![Greeting::accepted()],
                    rule: R::EvtHandshake012,
                },
                Step::Send { conn: 1, frame: OwnedFrame::Ping(b"first".to_vec()) },
                any_of(1, first, R::EvtHandshake012),
                say(1, INIT),
                expect(1, told("connection_error answers connection_init"), R::EvtHandshake012),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/near-key",
        title: "A key that lacks a character or has one more at either end, or is in another case, opens no connection.",
        covers: &[R::EvtAuth027],
        needs: &[Need::Mode(Mode::ApiKey)],
        steps: |cast| {
            all((1..).zip(near_keys(cast)).map(|(conn, key)| {
                let request = cast.upgrade(cast.usual_carrier(), &cast.connect_by(&key));
                all([vec![open_in_vain(conn, request, R::EvtAuth027)], turned_away(conn, R::EvtAuth027)])
            }))
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/operations-with-a-near-key",
        title: "A key that lacks a character or has one more at either end, or is in another case, subscribes to nothing.",
        covers: &[R::EvtAuth016],
        needs: &[Need::Mode(Mode::ApiKey)],
        steps: |cast| {
            let each = NEAR.into_iter().zip(near_keys(cast)).map(|(id, key)| {
                let authorization = cast.operation_by(&key, "").to_json();
                let subscribe = cast.subscribe_as(id, &cast.channel("room"), &authorization);
                vec![say(1, subscribe), any_of(1, refusals(id), R::EvtAuth016)]
            });
            all([connected(cast, 1), all(each)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/refused-subscribe-hears-nothing",
        title: "A subscribe that was refused for its key hears nothing of what is published afterwards.",
        covers: &[R::EvtAuth016, R::EvtData001],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let wrong = cast.subscribe_as("wrong", &channel, &cast.wrong_credentials().to_json());
            all([
                connected(cast, 1),
                subscribed(cast, 1, "right", &channel),
                vec![
                    warmed(cast, 1, "right", &channel),
                    say(1, wrong),
                    any_of(1, refusals("wrong"), R::EvtAuth016),
                    forbidden(1, "wrong", &nonce, R::EvtData001),
                    published(cast, &channel, &nonce),
                    heard(1, "right", &nonce, R::EvtData001),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/refusal-form",
        title: "A connection_error has an array of errors with a type each.",
        covers: &[R::EvtInit010],
        steps: |cast| {
            let formed = Pattern::word("connection_error")
                .has("errors", Shape::Array)
                .has("errors", Shape::Errors)
                .has("errors.0.errorType", Shape::Text);
            all([knocked(cast, R::EvtInit010), vec![expect(1, formed, R::EvtInit010)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/additional-members",
        title: "Members of an authorization object that the service does not know are ignored.",
        covers: &[R::EvtAuth034],
        steps: |cast| {
            let more = |credentials: Credentials| match credentials.get("x-amz-date") {
                None => credentials.with("x-amz-date", "20260101T000000Z").with("x-amz-user-agent", "syncspec"),
                Some(_) => credentials.with("x-amz-user-agent", "syncspec"),
            };
            all([
                admitted(1, cast.upgrade(cast.usual_carrier(), &more(cast.credentials())), R::EvtAuth034),
                taken_as(cast, "more", &more(subscriber(cast)).to_json(), R::EvtAuth034),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/member-case",
        title: "Members of an authorization object are recognised in any case.",
        covers: &[R::EvtAuth015],
        steps: |cast| {
            all([
                admitted(1, cast.upgrade(cast.usual_carrier(), &loud(&cast.credentials())), R::EvtAuth015),
                taken_as(cast, "loud", &loud(&subscriber(cast)).to_json(), R::EvtAuth015),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/operation-without-host",
        title: "A subscribe is authorized by an API key without the host beside it.",
        covers: &[R::EvtAuth016],
        steps: |cast| {
            // Where there is no key: a signature covers the host, but a token stands for itself too.
            let leaves_out = |name: &str| name == "host" && cast.keyring.main != Mode::Iam;
            let alone = subscriber(cast)
                .iter()
                .filter(|(name, _)| !leaves_out(name))
                .fold(Credentials::new(), |alone, (name, value)| alone.with(name, value));
            all([connected(cast, 1), taken_as(cast, "bare", &alone.to_json(), R::EvtAuth016)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/operation-with-unknown-key",
        title: "A subscribe with an unknown API key is refused on an accepted connection, and harms nobody.",
        covers: &[R::EvtAuth016, R::EvtSub022, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let wrong = cast.subscribe_as("wrong", &cast.channel("room"), &cast.wrong_credentials().to_json());
            beside_a_bystander(
                cast,
                all([connected(cast, 1), vec![say(1, wrong)]]),
                all([
                    vec![any_of(1, refusals("wrong"), R::EvtAuth016)],
                    pinged(1, R::EvtSub022),
                    taken(cast, 1, "right", &cast.channel("room"), R::EvtSub022),
                ]),
            )
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/operation-without-authorization",
        title: "A subscribe without an authorization of its own is refused, although the connection was authorized.",
        covers: &[R::EvtAuth021],
        steps: |cast| {
            let bare = json!({ "type": "subscribe", "id": "bare", "channel": cast.channel("room") });
            all([connected(cast, 1), vec![say(1, bare.to_string()), any_of(1, refusals("bare"), R::EvtAuth021)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/operation-with-null",
        title: "A subscribe whose authorization is null is refused, although the connection was authorized.",
        covers: &[R::EvtAuth021],
        steps: |cast| {
            all([
                connected(cast, 1),
                vec![subscribe_with(cast, "null", &Json::Null), any_of(1, refusals("null"), R::EvtAuth021)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/operation-with-empty-object",
        title: "A subscribe whose authorization has no members, or just the host, is refused.",
        covers: &[R::EvtAuth021],
        steps: |cast| {
            all([
                connected(cast, 1),
                vec![subscribe_with(cast, "empty", &json!({})), any_of(1, refusals("empty"), R::EvtAuth021)],
                vec![
                    subscribe_with(cast, "host", &json!({ "host": cast.auth_host })),
                    any_of(1, refusals("host"), R::EvtAuth021),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/publish-with-empty-object",
        title: "A publish whose authorization is missing, null, empty or just the host is refused.",
        covers: &[R::EvtAuth021],
        steps: |cast| {
            let channel = cast.channel("room");
            let ask = |id: &str, authorization: Json| {
                let publish = cast.publish_as(id, &channel, &[json!(cast.nonce(id))], &authorization.to_string());
                vec![say(1, publish), any_of(1, vec![publish_refusal(id), general_error()], R::EvtAuth021)]
            };
            let bare = json!({ "type": "publish", "id": "bare", "channel": channel, "events": ["7"] }).to_string();
            all([
                connected(cast, 1),
                ask("empty", json!({})),
                ask("host", json!({ "host": cast.auth_host })),
                ask("null", Json::Null),
                vec![say(1, bare), any_of(1, vec![publish_refusal("bare"), general_error()], R::EvtAuth021)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/operation-with-other-types",
        title: "A subscribe whose authorization is no object, or has members that are no strings, is refused alone.",
        covers: &[R::EvtAuth035, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let odd = [
                ("text", json!("text")),
                ("array", json!(["x-api-key"])),
                ("number", json!({ "x-api-key": 7 })),
                ("object", json!({ "x-api-key": {} })),
            ];
            let asked = odd.iter().map(|(id, authorization)| subscribe_with(cast, id, authorization)).collect();
            let refused = odd.iter().map(|(id, _)| any_of(1, refusals(id), R::EvtAuth035)).collect();
            let again = taken(cast, 1, "right", &cast.channel("room"), R::EvtAuth035);
            beside_a_bystander(cast, all([connected(cast, 1), asked]), all([refused, again]))
        },
        ..QUICK
    },
    Scenario {
        id: "events/credentials/unsubscribe-needs-none",
        title: "Neither connection_init nor unsubscribe needs an authorization.",
        covers: &[R::EvtAuth022],
        steps: |cast| {
            all([
                admitted(1, cast.usual_upgrade(), R::EvtAuth022),
                subscribed(cast, 1, "first", &cast.channel("room")),
                ended(1, "first", R::EvtAuth022),
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-ack-before-refusal",
        about: "acknowledges a connection right before it refuses it",
        breaks: R::EvtAuth027,
        caught_by: "events/control/refuses-a-wrong-key",
        how: edit(
            "connection_error",
            Nth::Every,
            Change::Before(r#"{"type":"connection_ack","connectionTimeoutMs":300000}"#),
        ),
    },
    Fault {
        name: "events-refused-subscribe-hears-all-the-same",
        about: "delivers to a subscription that it has refused",
        breaks: R::EvtData001,
        caught_by: "events/credentials/refused-subscribe-hears-nothing",
        how: edit("data", Nth::From(2), Change::Readdressed("wrong")),
    },
    Fault {
        name: "events-publish-with-empty-authorization",
        about: "takes a publish whose authorization has no members",
        breaks: R::EvtAuth021,
        caught_by: "events/credentials/publish-with-empty-object",
        how: How::Skip(Check::OperationCredentials),
    },
    Fault {
        name: "events-part-of-a-key-is-good",
        about: "takes a key for good whose beginning is right",
        breaks: R::EvtAuth027,
        caught_by: "events/credentials/near-key",
        how: How::Auth(AuthCheck::KeyWhole),
    },
    Fault {
        name: "events-key-in-any-case",
        about: "compares keys without their case",
        breaks: R::EvtAuth016,
        caught_by: "events/credentials/operations-with-a-near-key",
        how: How::Auth(AuthCheck::KeyCase),
    },
    Fault {
        name: "events-empty-authorization-passes",
        about: "takes an authorization object without a key",
        breaks: R::EvtAuth021,
        caught_by: "events/credentials/operation-with-empty-object",
        how: How::Skip(Check::OperationCredentials),
    },
    Fault {
        name: "events-null-authorization-passes",
        about: "lets the connection speak for an operation whose authorization is null",
        breaks: R::EvtAuth021,
        caught_by: "events/credentials/operation-with-null",
        how: How::Skip(Check::OperationCarriesCredentials),
    },
    Fault {
        name: "events-connection-authorizes-operations",
        about: "lets the connection speak for operations without authorization",
        breaks: R::EvtAuth021,
        caught_by: "events/credentials/operation-without-authorization",
        how: How::Skip(Check::OperationCarriesCredentials),
    },
    Fault {
        name: "events-authorization-of-another-type-passes",
        about: "takes an authorization that is no object for none",
        breaks: R::EvtAuth035,
        caught_by: "events/credentials/operation-with-other-types",
        how: How::Skip(Check::OperationCarriesCredentials),
    },
    Fault {
        name: "events-authorization-of-another-type-ends-the-connection",
        about: "closes the connection on an authorization that is no object",
        breaks: R::EvtAuth035,
        caught_by: "events/credentials/operation-with-other-types",
        how: edit("subscribe_error", Nth::Only(1), Change::CloseInstead(1000)),
    },
    Fault {
        name: "events-authorized-once-and-for-all",
        about: "looks at the key of the connection only",
        breaks: R::EvtAuth016,
        caught_by: "events/credentials/operation-with-unknown-key",
        how: How::Skip(Check::OperationCredentials),
    },
    Fault {
        name: "events-unknown-key-ends-the-connection",
        about: "closes the connection after the refusal of an operation",
        breaks: R::EvtSub022,
        caught_by: "events/credentials/operation-with-unknown-key",
        how: How::Skip(Check::ErrorKeepsConnection),
    },
    Fault {
        name: "events-unknown-key-unanswered",
        about: "does not answer an operation with an unknown key",
        breaks: R::EvtAuth016,
        caught_by: "events/credentials/operation-with-unknown-key",
        how: How::Trap(Trigger::WrongKey, Reaction::Ignore),
    },
    Fault {
        name: "events-unknown-key-ends-all-connections",
        about: "drops every connection when an operation carries an unknown key",
        breaks: R::SynAlive001,
        caught_by: "events/credentials/operation-with-unknown-key",
        how: How::Trap(Trigger::WrongKey, Reaction::LoseAll),
    },
    Fault {
        name: "events-operation-wants-a-host",
        about: "refuses an operation whose authorization has no host",
        breaks: R::EvtAuth016,
        caught_by: "events/credentials/operation-without-host",
        how: edit("subscribe_success", Nth::Every, Change::Rename("subscribe_error")),
    },
    Fault {
        name: "events-strict-operation-credentials",
        about: "refuses an operation with members in its authorization that it does not know",
        breaks: R::EvtAuth034,
        caught_by: "events/credentials/additional-members",
        how: edit("subscribe_success", Nth::Every, Change::Rename("subscribe_error")),
    },
    Fault {
        name: "events-strict-connect-credentials",
        about: "refuses an authorization object with members that it does not know",
        breaks: R::EvtAuth034,
        caught_by: "events/credentials/additional-members",
        how: How::Door(DoorCheck::ExtraMembers),
    },
    Fault {
        name: "events-member-case-matters",
        about: "knows the members of an authorization object in lower case only",
        breaks: R::EvtAuth015,
        caught_by: "events/credentials/member-case",
        how: How::Door(DoorCheck::MemberCase),
    },
    Fault {
        name: "events-unsubscribe-wants-authorization",
        about: "closes the connection on an unsubscribe without authorization",
        breaks: R::EvtAuth022,
        caught_by: "events/credentials/unsubscribe-needs-none",
        how: How::Trap(Trigger::Word("unsubscribe"), Reaction::Close(4401)),
    },
    Fault {
        name: "events-refusal-without-type",
        about: "gives the errors of connection_error no type",
        breaks: R::EvtInit010,
        caught_by: "events/credentials/refusal-form",
        how: edit("connection_error", Nth::Every, Change::Remove("errors.0.errorType")),
    },
    Fault {
        name: "events-refusal-without-errors",
        about: "gives connection_error an empty array of errors",
        breaks: R::EvtInit010,
        caught_by: "events/credentials/refusal-form",
        how: edit("connection_error", Nth::Every, Change::Set("errors", "[]")),
    },
    Fault {
        name: "events-refuses-by-status",
        about: "refuses bad credentials by an HTTP status that no browser can read",
        breaks: R::EvtHandshake012,
        caught_by: "events/credentials/unknown-key-is-told-in-band",
        how: How::Door(DoorCheck::RefusesInBand),
    },
    Fault {
        name: "events-refuses-without-a-word",
        about: "closes a refused connection without telling why",
        breaks: R::EvtHandshake012,
        caught_by: "events/credentials/unknown-key-is-told-in-band",
        how: edit("connection_error", Nth::Every, Change::Drop),
    },
    Fault {
        name: "events-deaf-to-header-fields",
        about: "reads no credentials in header fields",
        breaks: R::EvtHandshake008,
        caught_by: "events/credentials/in-header-fields",
        how: How::Door(DoorCheck::CarrierHeaders),
    },
];
