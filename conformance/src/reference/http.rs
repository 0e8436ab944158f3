//! The two HTTP endpoints: GraphQL operations, which have a file of their own, and Events publishes.

use appsync_protocol::moment::Moment;
use appsync_protocol::server::{Identity, Refusal, errors_json};
use appsync_protocol::wire::{Headers, Request, Response};

use super::endpoint::{Answer, Endpoint};
use super::events::publish;
use super::http_graphql;
use crate::auth::{Denial, Purpose, credentials_of};
use crate::fault::DoorCheck as Door;

/// Answers an HTTP request.
pub(super) fn answer(endpoint: &mut Endpoint, at: Moment, request: &Request) -> Answer {
    endpoint.requests += 1;
    let Answer { response, after } = match (request.method.as_str(), request.path()) {
        (_, "/ping") => Response::new(200, "healthy").into(),
        ("OPTIONS", "/graphql" | "/event") => preflight(request).into(),
        ("POST" | "GET", "/graphql") => http_graphql::answer(endpoint, at, request),
        ("POST", "/event") => publish(endpoint, request),
        (_, "/event") if !endpoint.edits.makes(Door::HttpMethod) => publish(endpoint, request),
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
    response.headers = Headers::new().with("content-type", "application/json; charset=utf-8");
    response
}
