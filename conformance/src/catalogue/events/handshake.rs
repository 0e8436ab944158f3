//! The upgrade: its path, which subprotocols are offered and selected, tokens that cannot be read.

use appsync_protocol::handshake::Carrier;
use appsync_protocol::handshake::base64::{encode_standard, encode_url, percent_encode};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::Request;

use super::session_steps::{INIT, QUICK, admitted, offering, open_in_vain, turned_away};
use super::steps::{all, expect, open, say};
use crate::fault::{DoorCheck, Fault, How};
use crate::scenario::{Cast, Greeting, Need, Pattern, Scenario, Step, Then};

const WORD: &str = "aws-appsync-event-ws";

/// The subprotocol value that carries the good credentials.
fn token(cast: &Cast) -> String {
    format!("header-{}", encode_url(cast.authorization().as_bytes()))
}

/// An upgrade whose token stands before the subprotocol.
fn token_first(cast: &Cast) -> Request {
    offering(cast.usual_upgrade(), Some(&format!("{}, {WORD}", token(cast))))
}

/// Upgrades with a token that stands for no authorization object, and is turned away.
fn unreadable(cast: &Cast, token: &str) -> Vec<Step> {
    let request = offering(cast.usual_upgrade(), Some(&format!("{WORD}, header-{token}")));
    all([vec![open_in_vain(1, request, R::EvtHandshake011)], turned_away(1, R::EvtHandshake011)])
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/handshake/selects-the-subprotocol",
        title: "The answer to an upgrade selects aws-appsync-event-ws, also when a token was offered before it.",
        covers: &[R::EvtHandshake004],
        steps: |cast| {
            let selected = |conn, request| Step::Open {
                conn,
                request,
                any_of: vec![Greeting::selected(WORD)],
                rule: R::EvtHandshake004,
            };
            vec![selected(1, cast.usual_upgrade()), selected(2, token_first(cast))]
        },
        ..QUICK
    },
    Scenario {
        id: "events/handshake/selects-what-was-offered",
        title: "An upgrade that offers only a foreign subprotocol gets no other one selected.",
        covers: &[R::EvtHandshake020],
        steps: |cast| {
            vec![Step::Open {
                conn: 1,
                request: offering(cast.usual_upgrade(), Some("graphql-ws")),
                any_of: vec![Greeting::none_selected(), Greeting::selected("graphql-ws"), Greeting::refused()],
                rule: R::EvtHandshake020,
            }]
        },
        ..QUICK
    },
    Scenario {
        id: "events/handshake/credentials-before-the-subprotocol",
        title: "Credentials in a subprotocol token before aws-appsync-event-ws are accepted.",
        covers: &[R::EvtHandshake007],
        steps: |cast| admitted(1, token_first(cast), R::EvtHandshake007),
        ..QUICK
    },
    Scenario {
        id: "events/handshake/credentials-behind-the-subprotocol",
        title: "Credentials in a subprotocol token behind aws-appsync-event-ws are accepted.",
        covers: &[R::EvtHandshake007],
        steps: |cast| admitted(1, cast.upgrade(Carrier::Subprotocol, &cast.credentials()), R::EvtHandshake007),
        ..QUICK
    },
    Scenario {
        id: "events/handshake/unknown-query-parameter",
        title: "Query parameters that the service does not know leave the handshake unaffected.",
        covers: &[R::EvtHandshake013],
        steps: |cast| {
            let with_query = |query: &str| {
                let target = format!("{}?{query}", cast.realtime.path);
                Request { target, ..cast.usual_upgrade() }
            };
            let header = percent_encode(&encode_standard(cast.authorization().as_bytes()));
            all([
                admitted(1, with_query("x-tenant=blue"), R::EvtHandshake013),
                admitted(2, with_query(&format!("header={header}&payload=e30%3D")), R::EvtHandshake013),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handshake/no-subprotocol",
        title: "An upgrade that offers no subprotocol is refused.",
        covers: &[R::EvtHandshake010],
        steps: |cast| {
            let request = offering(cast.upgrade(Carrier::Headers, &cast.credentials()), None);
            vec![
                open_in_vain(1, request, R::EvtHandshake010),
                say(1, INIT),
                expect(1, Pattern::word("connection_error"), R::EvtHandshake010),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/handshake/foreign-subprotocol",
        title: "An upgrade that offers a foreign subprotocol beside good credentials is refused.",
        covers: &[R::EvtHandshake010],
        steps: |cast| {
            let request = offering(cast.usual_upgrade(), Some(&format!("graphql-ws, {}", token(cast))));
            vec![
                open_in_vain(1, request, R::EvtHandshake010),
                say(1, INIT),
                expect(1, Pattern::word("connection_error"), R::EvtHandshake010),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/handshake/token-is-no-base64",
        title: "An upgrade whose token is no base64 is refused.",
        covers: &[R::EvtHandshake011],
        steps: |cast| unreadable(cast, "!!!"),
        ..QUICK
    },
    Scenario {
        id: "events/handshake/token-is-no-text",
        title: "An upgrade whose token holds bytes that are no UTF-8 is refused.",
        covers: &[R::EvtHandshake011],
        steps: |cast| unreadable(cast, &encode_url(b"{\"host\":\"\xff\xfe\"}")),
        ..QUICK
    },
    Scenario {
        id: "events/handshake/token-is-no-json",
        title: "An upgrade whose token holds text that is no JSON is refused.",
        covers: &[R::EvtHandshake011],
        steps: |cast| unreadable(cast, &encode_url(b"not json")),
        ..QUICK
    },
    Scenario {
        id: "events/handshake/token-is-no-object",
        title: "An upgrade whose token holds JSON other than an object is refused.",
        covers: &[R::EvtHandshake011],
        steps: |cast| unreadable(cast, &encode_url(b"[]")),
        ..QUICK
    },
    Scenario {
        id: "events/handshake/neighbouring-path",
        title: "An upgrade of a path beside or below the one of the real-time endpoint is not answered with 101.",
        covers: &[R::EvtHandshake002],
        steps: |cast| {
            let refused = |conn, target: &str| Step::Open {
                conn,
                request: Request { target: target.into(), ..cast.usual_upgrade() },
                any_of: vec![Greeting { then: Then::GoOn, ..Greeting::refused() }],
                rule: R::EvtHandshake002,
            };
            vec![refused(1, &format!("{}/below", cast.realtime.path)), refused(2, &cast.http_path)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/handshake/realtime-path",
        title: "An upgrade with good credentials on the path of the real-time endpoint is answered with 101.",
        covers: &[R::EvtHandshake001],
        steps: |cast| vec![open(cast, 1)],
        ..QUICK
    },
    Scenario {
        id: "events/handshake/accept-value",
        title: "The accept value of the answer to an upgrade belongs to the key of the request, whatever its characters.",
        covers: &[R::EvtHandshake019],
        needs: &[Need::Socket],
        steps: |cast| {
            let with_key = |key: &str| Cast { upgrade_key: key.into(), ..cast.clone() }.usual_upgrade();
            all([
                admitted(1, with_key("AAAAAAAAAAAAAAAAAAAAAA=="), R::EvtHandshake019),
                admitted(2, with_key("+/+/+/+/+/+/+/+/+/+/+w=="), R::EvtHandshake019),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/handshake/origin",
        title: "An upgrade is accepted without an Origin, and with that of any page.",
        covers: &[R::EvtHandshake021],
        steps: |cast| {
            let mut from_a_page = cast.usual_upgrade();
            from_a_page.headers.push("origin", "https://app.example.com");
            all([admitted(1, cast.usual_upgrade(), R::EvtHandshake021), admitted(2, from_a_page, R::EvtHandshake021)])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-selects-the-token",
        about: "selects the token with the credentials as the subprotocol",
        breaks: R::EvtHandshake004,
        caught_by: "events/handshake/selects-the-subprotocol",
        how: How::Door(DoorCheck::SelectsNoToken),
    },
    Fault {
        name: "events-token-has-to-come-last",
        about: "reads the token only behind the subprotocol",
        breaks: R::EvtHandshake007,
        caught_by: "events/handshake/credentials-before-the-subprotocol",
        how: How::Door(DoorCheck::EitherOrder),
    },
    Fault {
        name: "events-selects-what-was-not-offered",
        about: "selects aws-appsync-event-ws whatever was offered",
        breaks: R::EvtHandshake020,
        caught_by: "events/handshake/selects-what-was-offered",
        how: How::Door(DoorCheck::SelectsOffered),
    },
    Fault {
        name: "events-token-of-bad-bytes-connects",
        about: "takes a token whose bytes are no UTF-8",
        breaks: R::EvtHandshake011,
        caught_by: "events/handshake/token-is-no-text",
        how: How::Door(DoorCheck::CredentialsReadable),
    },
    Fault {
        name: "events-token-of-an-array-connects",
        about: "takes a token that holds an array",
        breaks: R::EvtHandshake011,
        caught_by: "events/handshake/token-is-no-object",
        how: How::Door(DoorCheck::CredentialsReadable),
    },
    Fault {
        name: "events-token-of-plain-text-connects",
        about: "takes a token that holds no JSON",
        breaks: R::EvtHandshake011,
        caught_by: "events/handshake/token-is-no-json",
        how: How::Door(DoorCheck::CredentialsReadable),
    },
    Fault {
        name: "events-token-of-garbage-connects",
        about: "takes a token that is no base64",
        breaks: R::EvtHandshake011,
        caught_by: "events/handshake/token-is-no-base64",
        how: How::Door(DoorCheck::CredentialsReadable),
    },
    Fault {
        name: "events-connects-with-any-subprotocol",
        about: "takes connections that offer only a foreign subprotocol",
        breaks: R::EvtHandshake010,
        caught_by: "events/handshake/foreign-subprotocol",
        how: How::Door(DoorCheck::OffersSubprotocol),
    },
    Fault {
        name: "events-connects-without-subprotocol",
        about: "takes connections that offer no subprotocol",
        breaks: R::EvtHandshake010,
        caught_by: "events/handshake/no-subprotocol",
        how: How::Door(DoorCheck::OffersSubprotocol),
    },
    Fault {
        name: "events-connects-on-any-path",
        about: "takes connections on paths below and beside its own",
        breaks: R::EvtHandshake002,
        caught_by: "events/handshake/neighbouring-path",
        how: How::Door(DoorCheck::RealtimePath),
    },
    Fault {
        name: "events-strict-query-parameters",
        about: "refuses query parameters that it does not know",
        breaks: R::EvtHandshake013,
        caught_by: "events/handshake/unknown-query-parameter",
        how: How::Door(DoorCheck::UnknownParameters),
    },
    Fault {
        name: "events-selects-no-subprotocol",
        about: "selects no subprotocol",
        breaks: R::EvtHandshake004,
        caught_by: "events/handshake/selects-the-subprotocol",
        how: How::Door(DoorCheck::SelectsSubprotocol),
    },
    Fault {
        name: "events-deaf-to-tokens",
        about: "reads no credentials in subprotocol tokens",
        breaks: R::EvtHandshake007,
        caught_by: "events/handshake/credentials-behind-the-subprotocol",
        how: How::Door(DoorCheck::CarrierSubprotocol),
    },
    Fault {
        name: "events-no-realtime-endpoint",
        about: "has nothing on the path of the real-time endpoint",
        breaks: R::EvtHandshake001,
        caught_by: "events/handshake/realtime-path",
        how: How::Door(DoorCheck::ServesRealtime),
    },
    Fault {
        name: "events-plus-in-the-key-misread",
        about: "answers an upgrade whose key has a plus with the accept value of another key",
        breaks: R::EvtHandshake019,
        caught_by: "events/handshake/accept-value",
        how: How::Door(DoorCheck::AcceptValue),
    },
    Fault {
        name: "events-wants-an-origin",
        about: "refuses upgrades without an Origin",
        breaks: R::EvtHandshake021,
        caught_by: "events/handshake/origin",
        how: How::Door(DoorCheck::WithoutOrigin),
    },
    Fault {
        name: "events-refuses-pages",
        about: "refuses upgrades with an Origin",
        breaks: R::EvtHandshake021,
        caught_by: "events/handshake/origin",
        how: How::Door(DoorCheck::WithOrigin),
    },
];
