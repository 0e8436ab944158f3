//! Publishers over HTTP: events and mutations at a steady rate, some with a wrong key, some too large.

use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::delivery::Subject;
use appsync_protocol::handshake::Url;
use appsync_protocol::wire::{Headers, Request, Response};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::child::KEY;
use crate::payload::{Payload, SIZE_REFUSED, size};
use crate::topics::{channel, mutation, on_channel};
use crate::world::{Phase, World, reach};

/// Requests at the same time. Beyond it a turn is left out.
const AT_ONCE: usize = 64;

/// A request, and what it publishes.
struct Publish {
    path: &'static str,
    key: &'static str,
    body: String,
    payloads: Vec<Payload>,
    subject: Subject,
    is_right: bool,
}

/// Publishes `rate` times a second until the load is over and everything is answered.
pub(crate) async fn publish(world: Arc<World>, mut rng: fastrand::Rng, rate: u32, mut phase: watch::Receiver<Phase>) {
    let mut turns = interval(Duration::from_secs(1) / rate.max(1));
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut requests = JoinSet::new();
    loop {
        tokio::select! {
            () = reach(&mut phase, Phase::Drain) => break,
            Some(_) = requests.join_next() => {}
            _ = turns.tick() => {
                if requests.len() >= AT_ONCE {
                    world.count("publish left out, too many unanswered");
                } else {
                    requests.spawn(send(Arc::clone(&world), draw(&world, &mut rng)));
                }
            }
        }
    }
    while requests.join_next().await.is_some() {}
}

fn draw(world: &World, rng: &mut fastrand::Rng) -> Publish {
    let has_key = rng.u8(..50) > 0;
    let key = if has_key { KEY } else { "da2-wrong" };
    if rng.bool() {
        let payload = world.payload(size(rng));
        let drawn = mutation(rng, &payload.text);
        let (body, payloads) = (drawn.body.to_string(), vec![payload]);
        return Publish { path: "/graphql", key, body, payloads, subject: drawn.subject, is_right: has_key };
    }
    let is_large = rng.u8(..50) == 0;
    let payloads: Vec<_> = match rng.u8(..4) {
        _ if is_large => vec![world.payload(SIZE_REFUSED)],
        0 => (0..rng.usize(2..=5)).map(|_| world.payload(rng.usize(10..2_000))).collect(),
        _ => vec![world.payload(size(rng))],
    };
    let channel = channel(rng);
    let events: Vec<String> = payloads.iter().map(|payload| Value::from(payload.text.as_str()).to_string()).collect();
    let body = json!({"channel": channel, "events": events}).to_string();
    let is_right = has_key && !is_large;
    Publish { path: "/event", key, body, payloads, subject: on_channel(&channel), is_right }
}

async fn send(world: Arc<World>, publish: Publish) {
    if !publish.is_right {
        world.count("publish over HTTP with a wrong key or too large");
    }
    world.ledger(|ledger, at| {
        for payload in &publish.payloads {
            ledger.published(at, &payload.nonce, None, publish.subject.clone());
        }
    });
    match post(&world, publish.path, publish.key, publish.body).await {
        Ok(response) => {
            let accepted = is_accepted(&response);
            world.ledger(|ledger, at| {
                for payload in &publish.payloads {
                    ledger.answered(at, &payload.nonce, accepted, accepted == publish.is_right);
                }
            });
        }
        Err(error) => world.complain(format!("POST {} got no answer: {error}", publish.path)),
    }
}

/// One POST over a straight wire.
pub(crate) async fn post(world: &World, path: &str, key: &str, body: String) -> Result<Response, String> {
    let url = Url { path: path.into(), ..world.url.clone() };
    let headers =
        Headers::new().with("host", url.host.as_str()).with("x-api-key", key).with("content-type", "application/json");
    let request = Request { method: "POST".into(), target: path.into(), headers, body: body.into() };
    world.straight.http(&url, &request).await.map_err(|error| error.to_string())
}

/// Both dialects tell of what they refuse in a status or in a list.
fn is_accepted(response: &Response) -> bool {
    let Ok(body) = serde_json::from_str::<Value>(&response.body.text()) else { return false };
    let none = |name: &str| body.get(name).and_then(Value::as_array).is_none_or(Vec::is_empty);
    response.status == 200 && none("errors") && none("failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_accepts_only_if_nothing_is_refused() {
        let accepted = |status, body: &str| is_accepted(&Response::new(status, body));

        assert!(accepted(200, r#"{"data":{"a":1}}"#));
        assert!(accepted(200, r#"{"failed":[],"successful":[{"index":0}]}"#));
        assert!(!accepted(200, r#"{"data":null,"errors":[{}]}"#));
        assert!(!accepted(200, r#"{"failed":[{"index":0}],"successful":[]}"#));
        assert!(!accepted(401, "{}"));
        assert!(!accepted(200, "<html>"));
    }
}
