//! The two HTTP endpoints: GraphQL operations and Events publishes.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::server::{Identity, Refusal, errors_json};
use appsync_protocol::wire::{Headers, Request, Response};

use super::endpoint::{Answer, Endpoint};
use super::events::publish;
use crate::auth::{Denial, Purpose, credentials_of};
use crate::fault::DoorCheck as Door;

/// Answers an HTTP request.
pub(super) fn answer(endpoint: &mut Endpoint, request: &Request) -> Answer {
    let mut answer: Answer = match (request.method.as_str(), request.path()) {
        (_, "/ping") => Response::new(200, "healthy").into(),
        ("OPTIONS", "/graphql" | "/event") => preflight().into(),
        ("POST", "/graphql") => graphql(endpoint, request).into(),
        ("POST", "/event") => publish(endpoint, request),
        (_, "/event") if !endpoint.edits.makes(Door::HttpMethod) => publish(endpoint, request),
        (_, "/graphql" | "/event") => {
            refused(405, &Refusal::new("BadRequestException", "Only POST is supported")).into()
        }
        (_, _) => refused(404, &Refusal::new("NotFoundException", "There is nothing on this path")).into(),
    };
    answer.response = endpoint.edits.apply_http(request.path(), answer.response);
    answer
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
    let purpose = Purpose::Http { dialect: Dialect::Graphql, request, channel: None };
    if let Err(denial) = authorize(endpoint, &purpose, request) {
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

/// Judges the credentials in the header; a bent endpoint takes whoever comes as nobody.
pub(super) fn authorize(endpoint: &mut Endpoint, purpose: &Purpose<'_>, request: &Request) -> Result<Identity, Denial> {
    let presented = credentials_of(&request.headers);
    let carries = presented.get("x-api-key").or(presented.get("authorization")).is_some();
    let check = if carries { Door::HttpKey } else { Door::HttpKeyPresent };
    if !endpoint.edits.makes(check) {
        return Ok(Identity::default());
    }
    endpoint.authorize_http(purpose, &presented)
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
    response.headers =
        Headers::new().with("content-type", "application/json; charset=utf-8").with("access-control-allow-origin", "*");
    response
}
