//! The two HTTP endpoints: GraphQL operations, which have a file of their own, and Events publishes.

use appsync_protocol::encode::ObjectWriter;
use appsync_protocol::envelope::{Raw, member};
use appsync_protocol::moment::Moment;
use appsync_protocol::server::{Identity, Refusal, check_namespace, errors_json, read_publish};
use appsync_protocol::wire::{Headers, Request, Response};

use super::endpoint::{Answer, Endpoint, check_key};
use super::http_graphql;
use crate::fault::DoorCheck as Door;

/// Answers an HTTP request.
pub(super) fn answer(endpoint: &mut Endpoint, at: Moment, request: &Request) -> Answer {
    endpoint.requests += 1;
    let Answer { response, after } = match (request.method.as_str(), request.path()) {
        (_, "/ping") => Response::new(200, "healthy").into(),
        ("OPTIONS", "/graphql" | "/event") => preflight(request).into(),
        ("POST" | "GET", "/graphql") => http_graphql::answer(endpoint, at, request),
        ("POST", "/event") => events(endpoint, request).into(),
        (_, "/event") if !endpoint.edits.makes(Door::HttpMethod) => events(endpoint, request).into(),
        (_, "/graphql" | "/event") => {
            refused(405, &Refusal::new("BadRequestException", "Only POST is supported")).into()
        }
        (_, _) => refused(404, &Refusal::new("NotFoundException", "There is nothing on this path")).into(),
    };
    let response = labelled(response, endpoint.requests);
    Answer { response: endpoint.edits.apply_http(request.path(), response), after }
}

/// Lets the pages of any origin ask what they want to ask (GQL-HTTP-017).
fn preflight(request: &Request) -> Response {
    let asked = request.headers.first("access-control-request-headers");
    let usual = "authorization, content-type, x-api-key, x-amz-date, x-amz-security-token, x-amz-user-agent";
    let mut response = Response::new(200, "");
    response.headers = Headers::new()
        .with("access-control-allow-methods", "GET, POST, OPTIONS")
        .with("access-control-allow-headers", asked.unwrap_or(usual))
        .with("access-control-max-age", "86400");
    response
}

/// What every answer bears: an identifier, and that pages of any origin may read it.
fn labelled(mut response: Response, number: u64) -> Response {
    response.headers.push("x-amzn-requestid", format!("00000000-0000-4000-8000-{number:012x}"));
    response.headers.push("access-control-allow-origin", "*");
    response.headers.push("access-control-expose-headers", "x-amzn-requestid, x-amzn-errortype");
    response
}

fn events(endpoint: &mut Endpoint, request: &Request) -> Response {
    if let Err(refusal) = authorize(endpoint, request) {
        return refused(401, &refusal);
    }
    let text = request.body.text();
    let parts = serde_json::from_str::<&Raw>(&text)
        .ok()
        .and_then(|body| Some((member(body, "channel")?, member(body, "events")?)));
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

pub(super) fn authorize(endpoint: &Endpoint, request: &Request) -> Result<Identity, Refusal> {
    let anyone = Identity::default();
    match request.headers.first("x-api-key") {
        None if endpoint.edits.makes(Door::HttpKeyPresent) => {
            Err(Refusal::new("UnauthorizedException", "Valid authorization header not provided."))
        }
        None => Ok(anyone),
        Some(_) if !endpoint.edits.makes(Door::HttpKey) => Ok(anyone),
        key => check_key(&endpoint.config, key).map(|()| anyone),
    }
}

pub(super) fn refused(status: u16, refusal: &Refusal) -> Response {
    let body = format!(r#"{{"errors":{}}}"#, errors_json(std::slice::from_ref(refusal)));
    let mut response = json(status, body);
    if let Some(error_type) = &refusal.error_type {
        response.headers.push("x-amzn-errortype", error_type.as_str());
    }
    response
}

pub(super) fn json(status: u16, body: String) -> Response {
    let mut response = Response::new(status, body);
    response.headers = Headers::new().with("content-type", "application/json; charset=utf-8");
    response
}
