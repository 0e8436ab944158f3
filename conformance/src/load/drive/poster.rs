//! Publishers of GraphQL: mutations over HTTP, several at a time.
//!
//! Each publisher has lanes. A free lane takes the next operation of the schedule, waits for its moment, and sends. While
//! all lanes wait for answers, operations become overdue; they are taken late, and that counts.

use std::cell::RefCell;
use std::rc::Rc;

use appsync_protocol::wire::{Headers, Request};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::flow::{FIRST_ROUND, Fate, Flow, LAST_ROUND, Next, Underway};
use super::time::Alarm;
use super::world::{Phase, World, add};
use crate::link::http::{Intake, has_word, response_length, write_request};
use crate::link::{BODY_LIMIT, HEAD_LIMIT, Transport};
use crate::load::plan::Pace;

/// One publisher, from its beginning to the end of the run.
pub(crate) async fn post(world: Rc<World>, publisher: u64, probes: bool) {
    let flow = Rc::new(RefCell::new(Flow::new(&world, publisher)));
    let is_there = reaches(&world).await;
    add(&world.gauges().settled, 1);
    if !is_there {
        add(&world.gauges().finished, 1);
        return;
    }
    world.reached(Phase::Probe).await;
    if probes {
        probe(&world, &flow).await;
    }
    if let Some(start) = world.started().await {
        let lanes = match world.plan().pace {
            Pace::Open => world.plan().lanes,
            Pace::Closed { window } => usize::try_from(window).unwrap_or(1).min(world.plan().lanes),
        };
        let mut running = JoinSet::new();
        for _ in 0..lanes {
            running.spawn_local(lane(Rc::clone(&world), Rc::clone(&flow), start));
        }
        tokio::select! {
            () = async { while running.join_next().await.is_some() {} } => {}
            () = world.reached(Phase::Close) => {}
        }
        // Dropping a lane settles what it has under way.
        running.shutdown().await;
    }
    add(&world.gauges().finished, 1);
    flow.borrow_mut().deposit();
}

/// Whether the HTTP endpoint takes connections; counts it.
async fn reaches(world: &World) -> bool {
    let reach = &world.shared.reach;
    match reach.dialer.stream(&reach.http).await {
        Ok(_) => {
            world.measured.borrow_mut().counts.connected += 1;
            add(&world.gauges().connected, 1);
            true
        }
        Err(error) => {
            world.measured.borrow_mut().counts.failed += 1;
            add(&world.gauges().failed, 1);
            world.shared.complain(&error.to_string());
            false
        }
    }
}

async fn probe(world: &Rc<World>, flow: &Rc<RefCell<Flow>>) {
    let Ok(mut alarm) = Alarm::new(world.shared.clock) else { return };
    let started = world.started();
    tokio::pin!(started);
    let (mut before, mut distance, mut due) = (0, FIRST_ROUND, 0);
    let mut wire = None;
    for round in 0.. {
        let probing = async {
            alarm.until(due).await;
            let now = world.now();
            for channel in 0..world.plan().channels {
                let event = flow.borrow().probe(channel, round, before);
                if let Some(event) = event {
                    send(world, flow, &mut wire, event).await;
                }
            }
            now
        };
        let now = tokio::select! {
            biased;
            _ = &mut started => return,
            now = probing => now,
        };
        (before, due, distance) = (now, now + distance, (distance * 2).min(LAST_ROUND));
    }
}

async fn lane(world: Rc<World>, flow: Rc<RefCell<Flow>>, start: u64) {
    let Ok(mut alarm) = Alarm::new(world.shared.clock) else { return };
    let mut wire = None;
    alarm.until(start).await;
    loop {
        let next = flow.borrow().next(start, world.now());
        let Next::At(due) = next else { return };
        // Taken before it is waited for, so that the next lane waits for the next one.
        let Some(reserved) = flow.borrow_mut().reserve() else { return };
        alarm.until(due).await;
        let event = flow.borrow_mut().begin(reserved, due, world.now());
        let Some(event) = event else { return };
        send(&world, &flow, &mut wire, event).await;
    }
}

/// Says that nothing came of an event if it is dropped before something did.
struct Pending<'f> {
    flow: &'f Rc<RefCell<Flow>>,
    event: Underway,
    fate: Fate,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.flow.borrow_mut().settle(&self.event, self.fate);
    }
}

async fn send(world: &Rc<World>, flow: &Rc<RefCell<Flow>>, wire: &mut Option<Intake<Transport>>, event: Underway) {
    let text = flow.borrow().text(&event);
    let mut pending = Pending { flow, event, fate: Fate::Unanswered };
    match timeout(world.plan().patience, exchange(world, wire, &pending.event, &text)).await {
        Ok(Ok(())) => pending.fate = Fate::Accepted,
        Ok(Err(Failed::Refused(why))) => {
            pending.fate = Fate::Refused;
            world.shared.complain(&why);
        }
        Ok(Err(Failed::Unanswered(why))) => {
            *wire = None;
            world.shared.complain(&why);
        }
        Err(_) => {
            *wire = None;
            world.shared.complain("a publish was not answered in time");
        }
    }
}

enum Failed {
    Refused(String),
    Unanswered(String),
}

async fn exchange(
    world: &World,
    wire: &mut Option<Intake<Transport>>,
    event: &Underway,
    text: &str,
) -> Result<(), Failed> {
    let reach = &world.shared.reach;
    let channel = reach.topics.channel(world.plan().seed, event.channel);
    let body = reach.topics.publish_body(&channel, text);
    let headers = Headers::new()
        .with("host", reach.http.authority())
        .with("content-type", "application/json")
        .with("accept", "application/json")
        .with("connection", "keep-alive")
        .with("content-length", body.len().to_string());
    let mut request = Request { method: "POST".into(), target: reach.http.path.clone(), headers, body: body.into() };
    reach.source.authorise(&mut request).map_err(Failed::Refused)?;
    let bytes = write_request(&request).map_err(Failed::Refused)?;

    let unanswered = |what: &str| Failed::Unanswered(format!("a publish: {what}"));
    let mut open = match wire.take() {
        Some(open) => open,
        None => {
            let stream = reach.dialer.stream(&reach.http).await.map_err(|error| unanswered(&error.to_string()))?;
            Intake::new(stream)
        }
    };
    open.reader().write_all(&bytes).await.map_err(|_| unanswered("the connection was lost"))?;
    open.reader().flush().await.map_err(|_| unanswered("the connection was lost"))?;
    let response = open.response(HEAD_LIMIT).await.map_err(|_| unanswered("expected an HTTP answer"))?;
    let length = response_length("POST", &response).map_err(|_| unanswered("expected a body with a length"))?;
    let mut body = Vec::new();
    open.body(length, BODY_LIMIT, &mut body).await.map_err(|_| unanswered("the answer was cut"))?;
    if !has_word(&response.headers, "connection", "close") {
        *wire = Some(open);
    }
    match (response.status, is_success(&body)) {
        (200, true) => Ok(()),
        (200, false) => Err(Failed::Refused("a publish was answered with errors or without data".into())),
        (status, _) => Err(Failed::Refused(format!("a publish was answered with status {status}"))),
    }
}

/// Whether a GraphQL answer has data and no errors.
fn is_success(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        data: Option<IgnoredAny>,
        #[serde(default)]
        errors: Option<Vec<IgnoredAny>>,
    }
    serde_json::from_slice::<Answer>(body)
        .is_ok_and(|answer| answer.data.is_some() && answer.errors.is_none_or(|errors| errors.is_empty()))
}
