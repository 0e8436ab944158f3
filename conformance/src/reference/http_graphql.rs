//! GraphQL operations over HTTP: which request becomes which operation, and what its answer bears.
//!
//! A `POST` has a JSON object or, as `application/graphql`, may have the bare document; the same content type is used
//! for JSON too. A `GET` has its parts in the query and does not run mutations. A batch of operations is no request.

use std::borrow::Cow;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::base64::percent_decode;
use appsync_protocol::json::{Json, JsonMap, json_text, parse_json};
use appsync_protocol::moment::Moment;
use appsync_protocol::server::Refusal;
use appsync_protocol::wire::{Request, Response};

use super::endpoint::{Answer, Endpoint};
use super::http::{authorize, json, refused};
use crate::auth::Purpose;
use crate::fault::DoorCheck as Door;

/// Answers a `GET` or a `POST` at the GraphQL endpoint.
pub(super) fn answer(endpoint: &mut Endpoint, at: Moment, request: &Request) -> Answer {
    let purpose = Purpose::Http { dialect: Dialect::Graphql, request, channel: None };
    let who = match authorize(endpoint, &purpose, request) {
        Ok(who) => who,
        Err(denial) => {
            let (status, refusal) = denial.over_http();
            return refused(status, &refusal).into();
        }
    };
    let body = operation(request);
    if request.method == "GET" && endpoint.engine.asks_for_a_mutation(&body) {
        return refused(405, &Refusal::new("BadRequestException", "A mutation needs POST")).into();
    }
    if !endpoint.can_wait() {
        return refused(429, &Refusal::new("TooManyRequestsException", "Too many answers are due")).into();
    }
    let mut executed = endpoint.engine.execute(&body, &who);
    let after = executed.after;
    let (status, error_type) = (executed.status, executed.error_type);
    let text = std::mem::take(&mut executed.body);
    if endpoint.edits.makes(Door::HttpReaches) {
        endpoint.tell_in_time(at, executed);
    }
    let response = response(endpoint, request, status, text, error_type);
    Answer { response, after }
}

fn response(
    endpoint: &Endpoint,
    request: &Request,
    status: u16,
    text: String,
    error_type: Option<&'static str>,
) -> Response {
    if status >= 400 && !endpoint.edits.makes(Door::HttpBody) {
        return json(200, r#"{"data":null}"#.into());
    }
    let is_subscription = || request.body.text().contains("\"query\":\"subscription");
    if !endpoint.edits.makes(Door::HttpSubscription) && is_subscription() {
        return json(200, r#"{"data":{"subscribe2channel":{"name":"x"}}}"#.into());
    }
    let mut response = json(status, text);
    match error_type {
        Some(error_type) => response.headers.push("x-amzn-errortype", error_type),
        None => response.headers.push("x-amzn-appsync-tokensconsumed", "1"),
    }
    response
}

/// The JSON text of the operation that a request asks for; as it came where it is none.
fn operation(request: &Request) -> Cow<'_, [u8]> {
    if request.method == "GET" {
        return Cow::Owned(of_query(request.query().unwrap_or_default()));
    }
    let body = &request.body.0;
    let kind = request.headers.first("content-type").unwrap_or_default();
    let is_document = begins_with(kind.trim(), "application/graphql")
        && !body.is_empty()
        && parse_json(&request.body.text()).is_none();
    if is_document {
        let members = [("query".to_owned(), json_text(&request.body.text()))];
        return Cow::Owned(Json::Object(JsonMap::from_iter(members)).to_string().into_bytes());
    }
    Cow::Borrowed(body)
}

fn begins_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

/// The operation in the query of a `GET`; nothing without `query`.
fn of_query(parameters: &str) -> Vec<u8> {
    let mut members = JsonMap::new();
    for (name, value) in parameters.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = percent_decode(&value.replace('+', " "));
        match name {
            "query" | "operationName" => drop(members.insert(name.into(), json_text(&value))),
            // What is no JSON stays a text, which is refused like any other that is no object.
            "variables" => drop(members.insert(name.into(), parse_json(&value).unwrap_or(Json::String(value)))),
            _ => {}
        }
    }
    if members.contains_key("query") { Json::Object(members).to_string().into_bytes() } else { Vec::new() }
}

#[cfg(test)]
mod tests;
