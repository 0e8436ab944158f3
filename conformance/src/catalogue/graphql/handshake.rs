//! The upgrade: where credentials travel, which subprotocol is selected, what is refused.

use appsync_protocol::handshake::Carrier;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::{Headers, Request};

use super::steps::{QUICK, admitted, all, http_refusal, open_in_vain, turned_away_as_bad};
use crate::fault::{DoorCheck, Fault, How};
use crate::scenario::{Cast, Greeting, Scenario, Step};

/// The request with another offer of subprotocols, or none.
fn offering(request: Request, offered: Option<&str>) -> Request {
    let mut headers = Headers::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(OFFER)) {
        headers.push(name, value);
    }
    if let Some(offered) = offered {
        headers.push(OFFER, offered);
    }
    Request { headers, ..request }
}

const OFFER: &str = "Sec-WebSocket-Protocol";

/// An upgrade whose token stands before the subprotocol.
fn token_first(cast: &Cast) -> Request {
    let request = cast.upgrade(Carrier::Subprotocol, &cast.credentials());
    let mut offered: Vec<_> = request.subprotocols().map(str::to_owned).collect();
    offered.reverse();
    offering(request, Some(&offered.join(", ")))
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/handshake/credentials-in-the-query",
        title: "Credentials in the query string are accepted.",
        covers: &[R::GqlHandshake009, R::GqlHandshake004],
        steps: |cast| admitted(1, cast.upgrade(Carrier::Query, &cast.credentials()), R::GqlHandshake009),
        ..QUICK
    },
    Scenario {
        id: "graphql/handshake/credentials-in-a-subprotocol",
        title: "Credentials in a subprotocol token behind graphql-ws are accepted.",
        covers: &[R::GqlHandshake011],
        steps: |cast| admitted(1, cast.upgrade(Carrier::Subprotocol, &cast.credentials()), R::GqlHandshake011),
        ..QUICK
    },
    Scenario {
        id: "graphql/handshake/credentials-before-the-subprotocol",
        title: "Credentials in a subprotocol token before graphql-ws are accepted.",
        covers: &[R::GqlHandshake011],
        steps: |cast| admitted(1, token_first(cast), R::GqlHandshake011),
        ..QUICK
    },
    Scenario {
        id: "graphql/handshake/credentials-in-header-fields",
        title: "Credentials in the header fields of the upgrade request are accepted.",
        covers: &[R::GqlHandshake013],
        steps: |cast| admitted(1, cast.upgrade(Carrier::Headers, &cast.credentials()), R::GqlHandshake013),
        ..QUICK
    },
    Scenario {
        id: "graphql/handshake/selects-the-subprotocol",
        title: "The answer to an upgrade selects graphql-ws, also when a token was offered before it.",
        covers: &[R::GqlHandshake006],
        steps: |cast| {
            let selected = |conn, request| Step::Open {
                conn,
                request,
                any_of: vec![Greeting::selected("graphql-ws")],
                rule: R::GqlHandshake006,
            };
            vec![selected(1, cast.usual_upgrade()), selected(2, token_first(cast))]
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/handshake/no-subprotocol",
        title: "An upgrade that offers no subprotocol is refused with an error.",
        covers: &[R::GqlHandshake007],
        steps: |cast| {
            let request = offering(cast.usual_upgrade(), None);
            all([vec![open_in_vain(1, request, R::GqlHandshake007)], turned_away_as_bad(1, R::GqlHandshake007)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/handshake/unknown-subprotocol",
        title: "An upgrade that offers only a foreign subprotocol is refused with an error and gets none selected.",
        covers: &[R::GqlHandshake008],
        steps: |cast| {
            let opened = Step::Open {
                conn: 1,
                request: offering(cast.usual_upgrade(), Some("graphql-transport-ws")),
                any_of: vec![Greeting::none_selected(), http_refusal()],
                rule: R::GqlHandshake008,
            };
            all([vec![opened], turned_away_as_bad(1, R::GqlHandshake008)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/handshake/unknown-query-parameter",
        title: "A query parameter that the service does not know leaves the handshake unaffected.",
        covers: &[R::GqlHandshake017],
        steps: |cast| {
            let mut request = cast.usual_upgrade();
            request.target = request.target.replacen("?header=", "?x-tenant=blue&header=", 1);
            admitted(1, request, R::GqlHandshake017)
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-selects-the-token",
        about: "selects the token with the credentials as the subprotocol",
        breaks: R::GqlHandshake006,
        caught_by: "graphql/handshake/selects-the-subprotocol",
        how: How::Door(DoorCheck::SelectsNoToken),
    },
    Fault {
        name: "graphql-token-has-to-come-last",
        about: "reads the token only behind the subprotocol",
        breaks: R::GqlHandshake011,
        caught_by: "graphql/handshake/credentials-before-the-subprotocol",
        how: How::Door(DoorCheck::EitherOrder),
    },
    Fault {
        name: "graphql-selects-what-was-not-offered",
        about: "selects graphql-ws whatever was offered",
        breaks: R::GqlHandshake008,
        caught_by: "graphql/handshake/unknown-subprotocol",
        how: How::Door(DoorCheck::SelectsOffered),
    },
    Fault {
        name: "graphql-strict-query-parameters",
        about: "refuses query parameters that it does not know",
        breaks: R::GqlHandshake017,
        caught_by: "graphql/handshake/unknown-query-parameter",
        how: How::Door(DoorCheck::UnknownParameters),
    },
    Fault {
        name: "graphql-selects-no-subprotocol",
        about: "selects no subprotocol",
        breaks: R::GqlHandshake006,
        caught_by: "graphql/handshake/selects-the-subprotocol",
        how: How::Door(DoorCheck::SelectsSubprotocol),
    },
    Fault {
        name: "graphql-connects-without-subprotocol",
        about: "takes connections that offer no subprotocol",
        breaks: R::GqlHandshake007,
        caught_by: "graphql/handshake/no-subprotocol",
        how: How::Door(DoorCheck::OffersSubprotocol),
    },
    Fault {
        name: "graphql-connects-with-any-subprotocol",
        about: "takes connections that offer only a foreign subprotocol",
        breaks: R::GqlHandshake008,
        caught_by: "graphql/handshake/unknown-subprotocol",
        how: How::Door(DoorCheck::OffersSubprotocol),
    },
    Fault {
        name: "graphql-deaf-to-tokens",
        about: "reads no credentials in subprotocol tokens",
        breaks: R::GqlHandshake011,
        caught_by: "graphql/handshake/credentials-in-a-subprotocol",
        how: How::Door(DoorCheck::CarrierSubprotocol),
    },
    Fault {
        name: "graphql-deaf-to-header-fields",
        about: "reads no credentials in header fields",
        breaks: R::GqlHandshake013,
        caught_by: "graphql/handshake/credentials-in-header-fields",
        how: How::Door(DoorCheck::CarrierHeaders),
    },
    Fault {
        name: "graphql-deaf-to-the-query",
        about: "reads no credentials in the query string",
        breaks: R::GqlHandshake009,
        caught_by: "graphql/handshake/credentials-in-the-query",
        how: How::Door(DoorCheck::CarrierQuery),
    },
];
