//! Upgrades: those that have to be accepted, those that have to be refused, and how that is told.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::base64::{encode_standard, encode_url, percent_encode};
use appsync_protocol::handshake::{Carrier, Credentials};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::{Headers, Request};

use super::ask::{Claim, Entrance, Welcome};
use super::op::Door;
use crate::scenario::{Cast, Greeting, Pattern, Shape};

const OFFER: &str = "Sec-WebSocket-Protocol";

/// The upgrade of this kind.
pub(super) fn entrance(cast: &Cast, door: Door) -> Entrance {
    match cast.dialect {
        Dialect::Graphql => graphql(cast, door),
        Dialect::Events => events(cast, door),
    }
}

fn admitted(request: Request, rule: R) -> Entrance {
    Entrance { request, greetings: vec![Greeting::accepted()], rule, welcome: Welcome::Acknowledged(rule) }
}

fn selecting(request: Request, word: &'static str, rule: R, welcome: R) -> Entrance {
    Entrance { request, greetings: vec![Greeting::selected(word)], rule, welcome: Welcome::Acknowledged(welcome) }
}

fn graphql(cast: &Cast, door: Door) -> Entrance {
    let usual = cast.usual_upgrade();
    let key = cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials());
    match door {
        Door::Usual => selecting(usual, "graphql-ws", R::GqlHandshake006, R::GqlInit002),
        Door::Subprotocol => admitted(cast.upgrade(Carrier::Subprotocol, &cast.credentials()), R::GqlHandshake011),
        Door::TokenFirst => selecting(token_first(cast), "graphql-ws", R::GqlHandshake006, R::GqlHandshake011),
        Door::Headers => admitted(cast.upgrade(Carrier::Headers, &cast.credentials()), R::GqlHandshake013),
        Door::Query => admitted(cast.upgrade(Carrier::Query, &cast.credentials()), R::GqlHandshake009),
        Door::UnknownParameter => {
            let mut request = usual;
            request.target = request.target.replacen("?header=", "?x-tenant=blue&header=", 1);
            admitted(request, R::GqlHandshake017)
        }
        Door::Pretty => {
            let text = cast.authorization().replace('{', "{\n  ").replace("\",\"", "\",\n  \"").replace('}', "\n}\n");
            admitted(with_object(cast, &text), R::GqlHandshake018)
        }
        Door::RawBase64 => {
            let text = cast.credentials().with("x-amz-user-agent", "syncspec~~~").to_json();
            admitted(with_header(cast, &encode_standard(text.as_bytes())), R::GqlHandshake019)
        }
        Door::ExtraMember => {
            let text = cast.credentials().with("x-amz-user-agent", "syncspec").to_json();
            admitted(with_object(cast, &text), R::GqlAuth026)
        }
        Door::MemberCase => admitted(with_object(cast, &loud(&cast.credentials()).to_json()), R::GqlAuth025),
        Door::Origin | Door::Extension | Door::PlusKey | Door::PathBelow | Door::HttpPath => {
            admitted(usual, R::GqlHandshake009)
        }
        Door::WrongKey => refused_graphql(key, R::GqlAuth016, wrong_key_told()),
        Door::Anonymous => {
            let request = Request { target: cast.realtime.path.clone(), ..usual };
            refused_graphql(request, R::GqlHandshake020, bad_told(R::GqlHandshake020))
        }
        Door::NotBase64 => {
            refused_graphql(with_header(cast, "%21%21%21"), R::GqlHandshake021, bad_told(R::GqlHandshake021))
        }
        Door::NotJson | Door::NotObject => {
            refused_graphql(with_object(cast, "host=api"), R::GqlHandshake021, bad_told(R::GqlHandshake021))
        }
        Door::ForeignHost => {
            let elsewhere = Cast { auth_host: "nobody.example.net".into(), ..cast.clone() };
            let request = with_object(cast, &elsewhere.credentials().to_json());
            refused_graphql(request, R::GqlAuth022, vec![Claim::new(told(), R::GqlAuth022)])
        }
        Door::NoSubprotocol => refused_graphql(offering(usual, None), R::GqlHandshake007, bad_told(R::GqlHandshake007)),
        Door::ForeignSubprotocol | Door::ForeignOnly => Entrance {
            request: offering(usual, Some("graphql-transport-ws")),
            greetings: vec![Greeting::none_selected(), Greeting::client_error()],
            rule: R::GqlHandshake008,
            welcome: Welcome::Refused(bad_told(R::GqlHandshake008)),
        },
    }
}

fn refused_graphql(request: Request, rule: R, claims: Vec<Claim>) -> Entrance {
    let greetings = vec![Greeting::accepted(), Greeting::client_error()];
    Entrance { request, greetings, rule, welcome: Welcome::Refused(claims) }
}

/// The two messages that tell of a refused connection (GQL-A-04).
fn told() -> Vec<Pattern> {
    vec![Pattern::word("connection_error"), Pattern::word("error")]
}

fn bad_told(rule: R) -> Vec<Claim> {
    let typed = Pattern::word("connection_error").has("payload.errors", Shape::ErrorCode(&[400]));
    vec![Claim::new(vec![typed, Pattern::word("error")], rule)]
}

fn wrong_key_told() -> Vec<Claim> {
    let formed =
        Pattern::word("connection_error").has("payload.errors", Shape::Array).has("payload.errors", Shape::Errors);
    let typed = Pattern::word("connection_error")
        .has("payload.errors", Shape::ErrorType(&["UnauthorizedException"]))
        .has("payload.errors", Shape::ErrorCode(&[400, 401]));
    vec![
        Claim::new(told(), R::GqlAuth016),
        Claim::new(vec![typed, Pattern::word("error")], R::GqlAuth017),
        Claim::new(vec![formed, Pattern::word("error")], R::GqlErr023),
    ]
}

const WORD: &str = "aws-appsync-event-ws";

fn events(cast: &Cast, door: Door) -> Entrance {
    let usual = cast.usual_upgrade();
    let token = format!("header-{}", encode_url(cast.authorization().as_bytes()));
    let unreadable = |token: &str| {
        let request = offering(cast.usual_upgrade(), Some(&format!("{WORD}, header-{token}")));
        let told = vec![Pattern::word("connection_error"), Pattern::closed()];
        refused_events(request, R::EvtHandshake011, vec![Claim::new(told, R::EvtHandshake011)])
    };
    match door {
        Door::Usual => selecting(usual, WORD, R::EvtHandshake004, R::EvtInit002),
        Door::Subprotocol | Door::Query | Door::Pretty | Door::RawBase64 | Door::ForeignHost => {
            selecting(usual, WORD, R::EvtHandshake004, R::EvtHandshake007)
        }
        Door::TokenFirst => {
            selecting(offering(usual, Some(&format!("{token}, {WORD}"))), WORD, R::EvtHandshake004, R::EvtHandshake007)
        }
        Door::Headers => admitted(cast.upgrade(Carrier::Headers, &cast.credentials()), R::EvtHandshake008),
        Door::UnknownParameter => {
            let header = percent_encode(&encode_standard(cast.authorization().as_bytes()));
            let target = format!("{}?x-tenant=blue&header={header}&payload=e30%3D", cast.realtime.path);
            admitted(Request { target, ..usual }, R::EvtHandshake013)
        }
        Door::ExtraMember => {
            let more = cast.credentials().with("x-amz-user-agent", "syncspec");
            admitted(cast.upgrade(cast.usual_carrier(), &more), R::EvtAuth034)
        }
        Door::MemberCase => admitted(cast.upgrade(cast.usual_carrier(), &loud(&cast.credentials())), R::EvtAuth015),
        Door::Origin => admitted(with_field(usual, "origin", "https://app.example.com"), R::EvtHandshake021),
        Door::Extension => Entrance {
            request: with_field(usual, "sec-websocket-extensions", "permessage-deflate"),
            greetings: vec![Greeting::no_extension(), Greeting::extension("permessage-deflate")],
            rule: R::EvtFrame009,
            welcome: Welcome::Acknowledged(R::EvtFrame009),
        },
        Door::PlusKey => {
            let key = Cast { upgrade_key: "+/+/+/+/+/+/+/+/+/+/+w==".into(), ..cast.clone() };
            admitted(key.usual_upgrade(), R::EvtHandshake019)
        }
        Door::WrongKey => Entrance {
            request: cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials()),
            greetings: vec![Greeting::accepted()],
            rule: R::EvtHandshake012,
            welcome: Welcome::Refused(wrong_key_told_events()),
        },
        Door::Anonymous | Door::NotBase64 => unreadable("!!!"),
        Door::NotJson => unreadable(&encode_url(b"not json")),
        Door::NotObject => unreadable(&encode_url(b"[]")),
        Door::NoSubprotocol => foreign(offering(cast.upgrade(Carrier::Headers, &cast.credentials()), None)),
        Door::ForeignSubprotocol => foreign(offering(usual, Some(&format!("graphql-ws, {token}")))),
        Door::ForeignOnly => Entrance {
            request: offering(usual, Some("graphql-ws")),
            greetings: vec![Greeting::none_selected(), Greeting::selected("graphql-ws"), Greeting::refused()],
            rule: R::EvtHandshake020,
            welcome: Welcome::Nothing,
        },
        Door::PathBelow | Door::HttpPath => {
            let below = format!("{}/below", cast.realtime.path);
            let target = if door == Door::PathBelow { below } else { cast.http_path.clone() };
            Entrance {
                request: Request { target, ..usual },
                greetings: vec![Greeting::refused()],
                rule: R::EvtHandshake002,
                welcome: Welcome::Nothing,
            }
        }
    }
}

fn refused_events(request: Request, rule: R, claims: Vec<Claim>) -> Entrance {
    let greetings = vec![Greeting::accepted(), Greeting::refused()];
    Entrance { request, greetings, rule, welcome: Welcome::Refused(claims) }
}

fn foreign(request: Request) -> Entrance {
    let told = Claim::one(Pattern::word("connection_error"), R::EvtHandshake010);
    refused_events(request, R::EvtHandshake010, vec![told])
}

fn wrong_key_told_events() -> Vec<Claim> {
    let told = || Pattern::word("connection_error");
    let formed = told().has("errors", Shape::Array).has("errors", Shape::Errors).has("errors.0.errorType", Shape::Text);
    vec![
        Claim::one(told(), R::EvtHandshake012),
        Claim::one(formed, R::EvtInit010),
        Claim::one(told().has("errors.0.message", Shape::TextOrNothing), R::EvtErr002),
        Claim::one(told().has("errors.0.errorCode", Shape::NumberOrNothing), R::EvtErr003),
    ]
}

fn with_header(cast: &Cast, header: &str) -> Request {
    let target = format!("{}?header={header}&payload=e30%3D", cast.realtime.path);
    Request { target, ..cast.usual_upgrade() }
}

fn with_object(cast: &Cast, text: &str) -> Request {
    with_header(cast, &percent_encode(&encode_standard(text.as_bytes())))
}

fn with_field(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push(name, value);
    request
}

fn token_first(cast: &Cast) -> Request {
    let request = cast.upgrade(Carrier::Subprotocol, &cast.credentials());
    let mut offered: Vec<_> = request.subprotocols().map(str::to_owned).collect();
    offered.reverse();
    offering(request, Some(&offered.join(", ")))
}

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

/// The same members in another case.
pub(super) fn loud(quiet: &Credentials) -> Credentials {
    quiet.iter().fold(Credentials::new(), |loud, (name, value)| match name {
        "host" => loud.with("Host", value),
        "x-api-key" => loud.with("X-API-Key", value),
        other => loud.with(other.to_ascii_uppercase(), value),
    })
}
