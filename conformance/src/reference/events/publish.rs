//! A publish over HTTP: the same steps as over WebSocket, told by statuses.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::encode::ObjectWriter;
use appsync_protocol::envelope::{Raw, members, string};
use appsync_protocol::server::{Asked, Hook, Host, Refusal, check_namespace, read_publish};
use appsync_protocol::wire::Request;

use crate::auth::Purpose;
use crate::fault::DoorCheck as Door;
use crate::reference::endpoint::{Answer, Endpoint};
use crate::reference::http::{authorize, json, refused};

/// Answers `POST /event`. Source: EVT-HTTP-003 to EVT-HTTP-026, in the order of the lifecycle of a publish.
pub(in crate::reference) fn publish(endpoint: &mut Endpoint, request: &Request) -> Answer {
    endpoint.publishes += 1;
    let number = endpoint.publishes;
    let mut answer = decide(endpoint, request, number);
    // EVT-HTTP-018
    let headers = &mut answer.response.headers;
    headers.push("x-amzn-appsync-tokensconsumed", "1");
    answer
}

fn decide(endpoint: &mut Endpoint, request: &Request, number: u64) -> Answer {
    let text = request.body.text();
    if text.contains('\n') && !endpoint.edits.makes(Door::HttpPrettyBody) {
        return refused(400, &Refusal::new("BadRequestException", "White space in the body")).into();
    }
    let parts = Raw::read(&text).ok().and_then(|body| {
        let members = members(body);
        let last = |name| members.iter().rev().find(|(its_name, _)| its_name.as_ref() == name).map(|(_, value)| *value);
        Some((last("channel")?, last("events")?))
    });
    let Some((channel, events)) = parts else {
        if endpoint.edits.makes(Door::HttpBody) {
            let refusal = Refusal::new("BadRequestException", "The body needs channel and events");
            return refused(400, &refusal).into();
        }
        return json(200, r#"{"failed":[],"successful":[]}"#.into()).into();
    };
    let policy = endpoint.hub.policy().clone();
    let batch = match read_publish(channel, events, &policy, "BadRequestException", "Input exceeded 5 event limit") {
        Ok(batch) => batch,
        Err(refusal) => return refused(400, &refusal).into(),
    };
    let written = string(channel).unwrap_or_default();
    let asked = Asked::Publish { channel: &written, namespace: batch.namespace(), events };
    let purpose = Purpose::Http { dialect: Dialect::Events, request, channel: Some((&written, batch.namespace())) };
    let who = match authorize(endpoint, &purpose, request) {
        Ok(who) => who,
        Err(denial) => {
            let (status, refusal) = denial.over_http();
            let status = if status == 401 { policy.readings.http_denial.status() } else { status };
            return refused(status, &refusal).into();
        }
    };
    let admitted = check_namespace(batch.namespace(), &policy).and_then(|()| endpoint.judge(None).admits(asked));
    if let Err(refusal) = admitted {
        return refused(status_of(endpoint, &refusal), &refusal).into();
    }
    let handled = batch.handle(&who, &policy, &mut endpoint.judge(None).of(request));
    let settled = match handled.result {
        Ok(settled) => settled,
        Err(rejection) => {
            let refusal = rejection.refusal(Hook::Publish, &policy.readings);
            return Answer { response: refused(rejection.status(), &refusal), after: handled.after };
        }
    };
    let mut body = String::new();
    settled.receipt(ObjectWriter::open(&mut body), 0, number).close();
    let is_partial = settled.has_failures();
    if endpoint.edits.makes(Door::HttpReaches) {
        endpoint.hub.broadcast(None, settled.into_broadcast(handled.after));
    }
    if is_partial && !endpoint.edits.makes(Door::HttpPartial) {
        return refused(400, &Refusal::new("BadRequestException", "Not all events could be published")).into();
    }
    Answer { response: json(200, body), after: handled.after }
}

/// The status of a refusal before the handler. Source: EVT-HTTP-008, EVT-HTTP-014, EVT-HTTP-022, EVT-A-13.
fn status_of(endpoint: &Endpoint, refusal: &Refusal) -> u16 {
    match refusal.error_type.as_deref() {
        Some("UnauthorizedException") => endpoint.hub.policy().readings.http_denial.status(),
        Some("LimitExceededError") => 429,
        Some("ResourceNotFound") => 404,
        Some("AuthorizerFailureException") => 500,
        Some(_) | None => 400,
    }
}
