//! The two HTTP endpoints: GraphQL operations and Events publishes.

use appsync_protocol::channel::Channel;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::encode::ObjectWriter;
use appsync_protocol::envelope::{Raw, member, string};
use appsync_protocol::moment::Moment;
use appsync_protocol::server::{Identity, Refusal, check_namespace, errors_json, read_publish};
use appsync_protocol::wire::{Headers, Request, Response};

use super::endpoint::Endpoint;
use crate::auth::{Denial, Purpose, credentials_of};
use crate::fault::DoorCheck as Door;

/// Answers an HTTP request.
pub(super) fn answer(endpoint: &mut Endpoint, at: Moment, request: &Request) -> Response {
    let answer = match (request.method.as_str(), request.path()) {
        (_, "/ping") => Response::new(200, "healthy"),
        ("OPTIONS", "/graphql" | "/event") => preflight(),
        ("POST", "/graphql") => graphql(endpoint, at, request),
        ("POST", "/event") => events(endpoint, at, request),
        (_, "/event") if !endpoint.edits.makes(Door::HttpMethod) => events(endpoint, at, request),
        (_, "/graphql" | "/event") => refused(405, &Refusal::new("BadRequestException", "Only POST is supported")),
        (_, _) => refused(404, &Refusal::new("NotFoundException", "There is nothing on this path")),
    };
    endpoint.edits.apply_http(request.path(), answer)
}

fn preflight() -> Response {
    let mut response = Response::new(200, "");
    response.headers = Headers::new()
        .with("access-control-allow-origin", "*")
        .with("access-control-allow-methods", "POST, OPTIONS")
        .with(
            "access-control-allow-headers",
            "authorization, content-type, x-api-key, x-amz-date, x-amz-security-token",
        );
    response
}

fn graphql(endpoint: &mut Endpoint, at: Moment, request: &Request) -> Response {
    let purpose = Purpose::Http { dialect: Dialect::Graphql, request, channel: None };
    if let Err(denial) = authorize(endpoint, at, &purpose, request) {
        let (status, refusal) = denial.over_http();
        return refused(status, &refusal);
    }
    let executed = endpoint.engine.execute(&request.body.0);
    if endpoint.edits.makes(Door::HttpReaches) {
        for event in executed.events {
            endpoint.announce(event.field, event.object);
        }
    }
    if executed.status >= 400 && !endpoint.edits.makes(Door::HttpBody) {
        return json(200, r#"{"data":null}"#.into());
    }
    let is_subscription = request.body.text().contains("\"query\":\"subscription");
    if is_subscription && !endpoint.edits.makes(Door::HttpSubscription) {
        return json(200, r#"{"data":{"subscribe2channel":{"name":"x"}}}"#.into());
    }
    let mut response = json(executed.status, executed.body);
    if let Some(error_type) = executed.error_type {
        response.headers.push("x-amzn-errortype", error_type);
    }
    response
}

fn events(endpoint: &mut Endpoint, at: Moment, request: &Request) -> Response {
    let text = request.body.text();
    let body = serde_json::from_str::<&Raw>(&text).ok();
    let written = body.and_then(|body| string(member(body, "channel")?));
    // EVT-AUTH-017: the namespace has a say in the modes, so the channel is looked at before anything is checked.
    let channel = written.as_deref().and_then(|written| Some((written, Channel::parse(written).ok()?)));
    let named = channel.as_ref().map(|(written, channel)| (*written, channel.namespace()));
    let purpose = Purpose::Http { dialect: Dialect::Events, request, channel: named };
    if let Err(denial) = authorize(endpoint, at, &purpose, request) {
        let (status, refusal) = denial.over_http();
        return refused(status, &refusal);
    }
    let parts = body.and_then(|body| Some((member(body, "channel")?, member(body, "events")?)));
    let Some((channel, events)) = parts else {
        if endpoint.edits.makes(Door::HttpBody) {
            return refused(400, &Refusal::new("BadRequestException", "The body needs channel and events"));
        }
        return json(200, r#"{"failed":[],"successful":[]}"#.into());
    };
    let policy = endpoint.hub.policy();
    let batch = match read_publish(channel, events, policy, "BadRequestException", "Input exceeded 5 event limit") {
        Ok(batch) => batch,
        Err(refusal) => return refused(400, &refusal),
    };
    if let Err(refusal) = check_namespace(batch.namespace(), policy) {
        return refused(401, &refusal);
    }
    let mut body = String::new();
    endpoint.publishes += 1;
    batch.receipt(ObjectWriter::open(&mut body), 0, endpoint.publishes).close();
    let broadcast = batch.into_broadcast();
    if endpoint.edits.makes(Door::HttpReaches) {
        endpoint.hub.broadcast(None, &broadcast);
    }
    if !body.contains(r#""failed":[]"#) && !endpoint.edits.makes(Door::HttpPartial) {
        return refused(400, &Refusal::new("BadRequestException", "Not all events could be published"));
    }
    json(200, body)
}

/// Judges the credentials in the header; a bent endpoint takes whoever comes as nobody.
fn authorize(
    endpoint: &mut Endpoint,
    at: Moment,
    purpose: &Purpose<'_>,
    request: &Request,
) -> Result<Identity, Denial> {
    let presented = credentials_of(&request.headers);
    let carries = presented.get("x-api-key").or(presented.get("authorization")).is_some();
    let check = if carries { Door::HttpKey } else { Door::HttpKeyPresent };
    if !endpoint.edits.makes(check) {
        return Ok(Identity::default());
    }
    endpoint.authorize_http(at, purpose, &presented)
}

fn refused(status: u16, refusal: &Refusal) -> Response {
    let body = format!(r#"{{"errors":{}}}"#, errors_json(std::slice::from_ref(refusal)));
    let mut response = json(status, body);
    if let Some(error_type) = &refusal.error_type {
        response.headers.push("x-amzn-errortype", error_type.as_str());
    }
    response
}

fn json(status: u16, body: String) -> Response {
    let mut response = Response::new(status, body);
    response.headers =
        Headers::new().with("content-type", "application/json; charset=utf-8").with("access-control-allow-origin", "*");
    response
}
