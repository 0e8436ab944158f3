//! The GraphQL endpoint as an HTTP client sees it, and what subscribers hear when.

use std::time::Duration;

use appsync_protocol::hub::ConnectionId;
use appsync_protocol::wire::{Frame, Headers, OwnedFrame};

use super::super::Config;
use super::super::graphql::Settings;
use super::*;

fn endpoint(settings: &str) -> Endpoint {
    let graphql: Settings = toml::from_str(settings).unwrap();
    Endpoint::new(Config { graphql, ..Config::default() }, &[]).unwrap()
}

fn asked(method: &str, target: &str, kind: &str, body: &str) -> Request {
    let headers = Headers::new().with("x-api-key", Config::default().api_key()).with("content-type", kind);
    Request { method: method.into(), target: target.into(), headers, body: body.into() }
}

fn post(body: &str) -> Request {
    asked("POST", "/graphql", "application/json", body)
}

fn answered(request: &Request) -> Response {
    endpoint("").http(Moment::START, request).response
}

/// A ready connection with the subscription `s`.
fn subscribe(endpoint: &mut Endpoint, query: &str) -> ConnectionId {
    let key = format!(r#"{{"host":"localhost","x-api-key":"{}"}}"#, Config::default().api_key());
    let encoded = appsync_protocol::handshake::base64::encode_url(key.as_bytes());
    let headers = Headers::new().with("sec-websocket-protocol", format!("graphql-ws, header-{encoded}"));
    let request =
        Request { method: "GET".into(), target: "/graphql/realtime".into(), headers, body: Default::default() };
    let (_, id) = endpoint.upgrade(Moment::START, &request);
    let id = id.unwrap();
    let data = json_text(&Json::Object(JsonMap::from_iter([("query".to_owned(), json_text(query))])).to_string());
    let start =
        format!(r#"{{"id":"s","type":"start","payload":{{"data":{data},"extensions":{{"authorization":{key}}}}}}}"#);
    for text in [r#"{"type":"connection_init"}"#, &start] {
        endpoint.frame(Moment::START, id, Frame::Text { text, fragments: 1 });
    }
    id
}

/// The words that the endpoint says next.
fn said(endpoint: &mut Endpoint) -> Vec<String> {
    std::iter::from_fn(|| endpoint.poll())
        .map(|(_, frame)| match frame {
            OwnedFrame::Text { text, .. } => parse_json(&text).unwrap()["type"].as_str().unwrap().to_owned(),
            OwnedFrame::Close { .. } => "(close)".into(),
            OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) | OwnedFrame::Lost => "(other)".into(),
        })
        .collect()
}

#[test]
fn a_get_with_a_query_is_answered() {
    let target =
        "/graphql?query=query%20Q($p:String)%7Bdummy(param:+$p)%7D&variables=%7B%22p%22:%22x+y%22%7D&operationName=Q";

    let answer = answered(&asked("GET", target, "", ""));

    assert_eq!((answer.status, &*answer.body.text()), (200, r#"{"data":{"dummy":"x y"}}"#));
}

#[test]
fn a_get_without_a_query_or_with_a_mutation_is_refused() {
    let mutation = "/graphql?query=mutation%7BsendMessage(msg:%22x%22)%7Bmessage%7D%7D";

    assert_eq!(answered(&asked("GET", "/graphql", "", "")).status, 400);
    assert_eq!(answered(&asked("GET", mutation, "", "")).status, 405);
}

#[test]
fn a_body_of_the_graphql_type_may_be_a_document_or_json() {
    for body in ["{ dummy }", r#"{"query":"{ dummy }"}"#] {
        let answer = answered(&asked("POST", "/graphql", "application/graphql; charset=utf-8", body));
        assert_eq!((answer.status, &*answer.body.text()), (200, r#"{"data":{"dummy":null}}"#), "{body}");
    }
    assert_eq!(answered(&asked("POST", "/graphql", "application/graphql", "")).status, 400);
    assert_eq!(answered(&post("{ dummy }")).status, 400);
}

#[test]
fn a_batch_is_no_request() {
    let answer = answered(&post(r#"[{"query":"{ dummy }"},{"query":"{ dummy }"}]"#));

    assert_eq!(answer.status, 400);
    assert_eq!(answer.headers.first("x-amzn-errortype"), Some("MalformedHttpRequestException"));
}

#[test]
fn every_answer_can_be_read_by_pages_of_any_origin_and_has_an_identifier_of_its_own() {
    let mut endpoint = endpoint("");
    let unauthorized = Request { headers: Headers::new(), ..post("{}") };
    let requests = [
        post(r#"{"query":"{ dummy }"}"#),
        post(""),
        unauthorized,
        asked("PUT", "/graphql", "", ""),
        asked("GET", "/nowhere", "", ""),
        asked("GET", "/ping", "", ""),
        asked("OPTIONS", "/graphql", "", ""),
    ];

    let answers = requests.map(|request| endpoint.http(Moment::START, &request).response);

    assert_eq!(answers.each_ref().map(|answer| answer.status), [200, 400, 401, 405, 404, 200, 200]);
    let mut identifiers = std::collections::BTreeSet::new();
    for answer in &answers {
        let origins: Vec<_> =
            answer.headers.iter().filter(|(name, _)| *name == "access-control-allow-origin").collect();
        assert_eq!(origins.len(), 1);
        assert!(identifiers.insert(answer.headers.first("x-amzn-requestid").unwrap()));
    }
}

#[test]
fn a_preflight_allows_the_headers_that_are_asked_for() {
    let mut request = asked("OPTIONS", "/graphql", "", "");
    request.headers = Headers::new().with("access-control-request-headers", "x-api-key, x-own");

    let answer = answered(&request);

    assert_eq!(answer.headers.first("access-control-allow-headers"), Some("x-api-key, x-own"));
    assert!(answer.headers.first("access-control-allow-methods").unwrap().contains("POST"));
}

#[test]
fn the_query_with_which_an_ide_begins_is_answered_in_full() {
    let kind = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }";
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }} \
        subscriptionType {{ name kind }} types {{ ...FullType }} directives {{ name description isRepeatable locations \
        args(includeDeprecated: true) {{ ...InputValue }} }} }} }} \
        fragment FullType on __Type {{ kind name description specifiedByURL fields(includeDeprecated: true) {{ name \
        description args(includeDeprecated: true) {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated \
        deprecationReason }} inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }} \
        enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }} possibleTypes {{ \
        ...TypeRef }} }} fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue \
        isDeprecated deprecationReason }} fragment TypeRef on __Type {{ {kind} }}"
    );
    let body = Json::Object(JsonMap::from_iter([("query".to_owned(), json_text(&query))])).to_string();

    let answer = parse_json(&answered(&post(&body)).body.text()).unwrap();

    assert_eq!(answer.get("errors"), None);
    let names: Vec<_> =
        answer["data"]["__schema"]["types"].as_array().unwrap().iter().filter_map(|of| of["name"].as_str()).collect();
    assert!(["Note", "Subscription", "AWSJSON"].iter().all(|name| names.contains(name)), "{names:?}");
}

#[test]
fn subscribers_hear_of_a_mutation_when_its_answer_is_given() {
    let mut endpoint = endpoint("resolvers.\"Mutation.sendMessage\".delay-ms = 500");
    subscribe(&mut endpoint, "subscription { subscribeToMessages { message } }");
    assert_eq!(said(&mut endpoint), ["connection_ack", "ka", "start_ack"]);
    let start = Moment::from_millis(1000);

    let answer = endpoint.http(start, &post(r#"{"query":"mutation { sendMessage(msg: \"x\") { message } }"}"#));

    assert_eq!(answer.after, Duration::from_millis(500));
    let due = endpoint.deadline().unwrap().at;
    assert_eq!(due, start + answer.after);
    endpoint.elapse(Moment::from_millis(1499));
    assert!(said(&mut endpoint).is_empty());
    endpoint.elapse(due);
    assert_eq!(said(&mut endpoint), ["data"]);
}

#[test]
fn answers_that_are_due_later_are_bounded() {
    let mut endpoint = endpoint("resolvers.\"Mutation.sendMessage\".delay-ms = 500");
    let mutation = post(r#"{"query":"mutation { sendMessage(msg: \"x\") { message } }"}"#);

    let status = std::iter::repeat_with(|| endpoint.http(Moment::START, &mutation).response.status)
        .take(2000)
        .find(|status| *status != 200);

    assert_eq!(status, Some(429));
    endpoint.elapse(Moment::from_millis(500));
    assert_eq!(endpoint.http(Moment::from_millis(501), &mutation).response.status, 200);
}

#[test]
fn an_invalidation_ends_the_subscription_that_its_payload_matches() {
    let settings = r#"
        [resolvers."Mutation.sendMessage"]
        invalidates = [{ field = "onNote", payload = { board = "$arguments.msg" } }]
        [subscriptions.onNote]
        invalidation = { board = { eq = "$arguments.board" } }
    "#;
    let mut endpoint = endpoint(settings);
    subscribe(&mut endpoint, r#"subscription { onNote(board: "b1") { id } }"#);
    subscribe(&mut endpoint, r#"subscription { onNote(board: "b2") { id } }"#);
    said(&mut endpoint);

    endpoint.http(Moment::START, &post(r#"{"query":"mutation { sendMessage(msg: \"b1\") { message } }"}"#));

    assert_eq!(said(&mut endpoint), ["complete", "(close)"]);
}
