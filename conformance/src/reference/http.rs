//! The two HTTP endpoints: GraphQL operations and Events publishes.

use appsync_protocol::encode::ObjectWriter;
use appsync_protocol::envelope::{Raw, member};
use appsync_protocol::server::{Refusal, check_namespace, errors_json, read_publish};
use appsync_protocol::wire::{Headers, Request, Response};

use super::endpoint::{Endpoint, check_key};
use crate::fault::DoorCheck as Door;

/// Answers an HTTP request.
pub(super) fn answer(endpoint: &mut Endpoint, request: &Request) -> Response {
    let answer = match (request.method.as_str(), request.path()) {
        (_, "/ping") => Response::new(200, "healthy"),
        ("OPTIONS", "/graphql" | "/event") => preflight(),
        ("POST", "/graphql") => graphql(endpoint, request),
        ("POST", "/event") => events(endpoint, request),
        (_, "/event") if !endpoint.edits.makes(Door::HttpMethod) => events(endpoint, request),
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

fn graphql(endpoint: &mut Endpoint, request: &Request) -> Response {
    if let Err(refusal) = authorize(endpoint, request) {
        return refused(401, &refusal);
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

fn events(endpoint: &mut Endpoint, request: &Request) -> Response {
    if let Err(refusal) = authorize(endpoint, request) {
        return refused(401, &refusal);
    }
    let text = request.body.text();
    let parts = Raw::read(&text).ok().and_then(|body| Some((member(body, "channel")?, member(body, "events")?)));
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

fn authorize(endpoint: &Endpoint, request: &Request) -> Result<(), Refusal> {
    match request.headers.first("x-api-key") {
        None if endpoint.edits.makes(Door::HttpKeyPresent) => {
            Err(Refusal::new("UnauthorizedException", "Valid authorization header not provided."))
        }
        None => Ok(()),
        Some(_) if !endpoint.edits.makes(Door::HttpKey) => Ok(()),
        key => check_key(&endpoint.config, key),
    }
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
