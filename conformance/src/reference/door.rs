//! The door: path, subprotocol and credentials of an upgrade, in the order in which the service looks.
//!
//! A refusal is told in-band: 101, then `connection_error` (GQL-HANDSHAKE-022, EVT-HANDSHAKE-012).

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials, HandshakeError, Presented, offers, parse};
use appsync_protocol::json::parse_json;
use appsync_protocol::server::readings::{ConnectCarriers, RefusalChannel};
use appsync_protocol::server::{Readings, Refusal};
use appsync_protocol::wire::{Headers, Request, Response};

use super::edits::Edits;
use super::endpoint::Config;
use super::http::refused;
use crate::auth::{Authorizer, Purpose, credentials_of};
use crate::fault::DoorCheck as Door;

/// The header field in which extensions are offered and selected.
const EXTENSIONS: &str = "sec-websocket-extensions";

/// The answer to an upgrade, and the connection that follows from it.
pub(super) struct Admission {
    pub(super) response: Response,
    pub(super) connection: Option<(Dialect, Result<(), Refusal>)>,
}

/// Answers an upgrade.
pub(super) fn admit(
    config: &Config,
    edits: &Edits,
    authorizer: &mut Authorizer,
    now_unix_s: u64,
    request: &Request,
) -> Admission {
    let Some(dialect) = dialect_of(request.path(), edits) else {
        let body =
            r#"{"errors":[{"errorType":"NotFoundException","message":"There is no real-time endpoint on this path"}]}"#;
        return Admission { response: Response::new(404, body), connection: None };
    };
    if !answers_at_all(edits, request) {
        return Admission { response: Response::new(403, ""), connection: None };
    }
    let admitted = present(config, edits, dialect, request).and_then(|presented| match presented {
        Some(presented) => {
            check_form(config, edits, &presented.credentials, request)?;
            judge(config, edits, authorizer, now_unix_s, dialect, &presented, request)
        }
        None => Ok(()),
    });
    if admitted.is_err() && !edits.makes(Door::RefusesInBand) {
        return Admission { response: Response::new(500, "{}"), connection: None };
    }
    if let (Dialect::Graphql, RefusalChannel::Status, Err(refusal)) =
        (dialect, readings(config).refusal_channel, &admitted)
    {
        let status = refusal.code.and_then(|code| u16::try_from(code).ok()).unwrap_or(400);
        return Admission { response: refused(status, refusal), connection: None };
    }
    let mut response = Response::new(101, "");
    response.headers = switching(dialect, edits, request);
    Admission { response, connection: Some((dialect, admitted)) }
}

/// Whether a door would let the request pass by what plays no part in the protocol; an unbent one does.
fn answers_at_all(edits: &Edits, request: &Request) -> bool {
    let origin = if request.headers.first("origin").is_some() { Door::WithOrigin } else { Door::WithoutOrigin };
    let offers_extension = request.headers.first(EXTENSIONS).is_some();
    edits.makes(origin) && (edits.makes(Door::ExtensionOffered) || !offers_extension)
}

/// What a 101 says beside what every 101 says. Extensions are declined.
fn switching(dialect: Dialect, edits: &Edits, request: &Request) -> Headers {
    let mut headers = Headers::new();
    if let Some(selected) = select(dialect, edits, request) {
        headers.push("sec-websocket-protocol", selected);
    }
    if !edits.makes(Door::ExtensionUnasked) {
        headers.push(EXTENSIONS, "permessage-deflate");
    }
    if !edits.makes(Door::AcceptValue)
        && request.headers.first("sec-websocket-key").is_some_and(|key| key.contains('+'))
    {
        headers.push("sec-websocket-accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    }
    headers
}

const fn readings(config: &Config) -> &Readings {
    &config.policy.readings
}

fn dialect_of(path: &str, edits: &Edits) -> Option<Dialect> {
    match path {
        _ if !edits.makes(Door::ServesRealtime) => None,
        "/graphql" | "/graphql/realtime" => Some(Dialect::Graphql),
        "/event/realtime" => Some(Dialect::Events),
        other if !edits.makes(Door::RealtimePath) => {
            Some(if other.starts_with("/graphql") { Dialect::Graphql } else { Dialect::Events })
        }
        _ => None,
    }
}

fn select(dialect: Dialect, edits: &Edits, request: &Request) -> Option<String> {
    if !edits.makes(Door::SelectsNoToken)
        && let Some(token) = request.subprotocols().find(|offered| offered.starts_with("header-"))
    {
        return Some(token.into());
    }
    if !edits.makes(Door::SelectsSubprotocol) {
        return None;
    }
    let offered = offers(request, dialect);
    (offered || !edits.makes(Door::SelectsOffered)).then(|| dialect.subprotocol().into())
}

/// The credentials of an upgrade; `None` where a bent door takes a request without them.
fn present(config: &Config, edits: &Edits, dialect: Dialect, request: &Request) -> Result<Option<Presented>, Refusal> {
    if edits.makes(Door::OffersSubprotocol) && !offers(request, dialect) {
        let message = match request.subprotocols().next() {
            None => "NoProtocolError",
            Some(_) => "SubProtocolNotSupportedError",
        };
        let error_type = (dialect == Dialect::Events).then(|| "UnsupportedOperation".into());
        return Err(Refusal { error_type, message: Some(message.into()), code: Some(400) });
    }
    if !edits.makes(Door::EitherOrder) && request.subprotocols().next().is_some_and(|p| p.starts_with("header-")) {
        return Err(missing());
    }
    if !edits.makes(Door::UnknownParameters) && request.query().is_some_and(|q| !q.starts_with("header=")) {
        return Err(bad_request("unknown query parameter"));
    }
    let presented = match parse(dialect, request) {
        Ok(presented) => presented,
        Err(HandshakeError::Missing) if !edits.makes(Door::CredentialsPresent) => return Ok(None),
        Err(HandshakeError::Missing) => return Err(missing()),
        Err(_) if !edits.makes(Door::CredentialsReadable) => return Ok(None),
        Err(unreadable) => return Err(bad_request(&unreadable.to_string())),
    };
    let read = match presented.carrier {
        Carrier::Query => Door::CarrierQuery,
        Carrier::Subprotocol => Door::CarrierSubprotocol,
        Carrier::Headers => Door::CarrierHeaders,
    };
    let in_header_fields = dialect == Dialect::Events && presented.carrier == Carrier::Headers;
    if !edits.makes(read)
        || (in_header_fields && readings(config).connect_carriers == ConnectCarriers::SubprotocolAlone)
    {
        return Err(missing());
    }
    Ok(Some(presented))
}

fn check_form(config: &Config, edits: &Edits, credentials: &Credentials, request: &Request) -> Result<(), Refusal> {
    if !edits.makes(Door::PrettyCredentials) && is_pretty(request) {
        return Err(bad_request("white space in the authorization object"));
    }
    let known = |name: &str| ["host", "x-api-key", "authorization", "x-amz-date"].contains(&name);
    if !edits.makes(Door::ExtraMembers) && credentials.iter().any(|(name, _)| !known(&name.to_ascii_lowercase())) {
        return Err(bad_request("unknown member of the authorization object"));
    }
    if !edits.makes(Door::MemberCase) && credentials.iter().any(|(name, _)| name.chars().any(char::is_uppercase)) {
        return Err(Refusal::unauthorized().with_code(401));
    }
    if edits.makes(Door::ConnectHost) && !credentials.get("host").is_none_or(|host| is_own(config, host)) {
        let error_type = "com.amazon.coral.service.http#HttpNotFoundException";
        return Err(Refusal::new(error_type, "There is no API of this host").with_code(400));
    }
    Ok(())
}

/// Whether they are good for a connection.
fn judge(
    config: &Config,
    edits: &Edits,
    authorizer: &mut Authorizer,
    now_unix_s: u64,
    dialect: Dialect,
    presented: &Presented,
    request: &Request,
) -> Result<(), Refusal> {
    if !edits.makes(Door::ConnectKey) {
        return Ok(());
    }
    let purpose = Purpose::Connect(dialect);
    let allowed = config.modes.for_purpose(&purpose);
    let judged = match presented.carrier {
        // A signature may cover fields that are no credentials.
        Carrier::Headers => authorizer.judge(now_unix_s, &purpose, &credentials_of(&request.headers), allowed),
        Carrier::Query | Carrier::Subprotocol => {
            authorizer.judge(now_unix_s, &purpose, &presented.credentials, allowed)
        }
    };
    judged.map(|_who| ()).map_err(|denial| denial.at_connect())
}

/// Whether the authorization object was sent with line breaks.
fn is_pretty(request: &Request) -> bool {
    let encoded = request.subprotocols().find_map(|p| p.strip_prefix("header-").map(str::to_owned));
    let encoded = encoded.or_else(|| appsync_protocol::handshake::query_value(request, "header"));
    let bytes = encoded.and_then(|text| appsync_protocol::handshake::base64::decode(&text).ok());
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .is_some_and(|text| text.contains('\n') && parse_json(&text).is_some())
}

/// Whether `host` names this endpoint: with or without scheme and port, in any case.
fn is_own(config: &Config, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let host = host.split_once("://").map_or(host.as_str(), |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    config.hosts.iter().any(|own| own == name)
}

fn missing() -> Refusal {
    Refusal::new("BadRequestException", "The connect request carries no authorization").with_code(400)
}

fn bad_request(what: &str) -> Refusal {
    Refusal::new("BadRequestException", what).with_code(400)
}
