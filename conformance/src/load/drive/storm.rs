//! Connections at a rate, each up to its acknowledgement, held until the end of the run.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connect::connect;
use super::time::Alarm;
use super::world::{Phase, World, add};
use crate::load::measure::Metric;
use crate::load::plan::Pace;
use crate::load::schedule::Schedule;

/// Opens the connections of one thread, which are those numbers. In a closed loop `window` of them are on their way.
pub(crate) async fn storm(world: Rc<World>, connections: Vec<u64>) {
    let (Some(start), Ok(mut alarm)) = (world.started().await, Alarm::new(world.shared.clock)) else { return };
    let schedule = Schedule::of(world.plan(), 0, 1);
    let pace = world.plan().pace;
    let gate = Rc::new(Semaphore::new(match pace {
        Pace::Open => Semaphore::MAX_PERMITS,
        Pace::Closed { window } => usize::try_from(window).unwrap_or(1),
    }));
    let mut running = JoinSet::new();
    let draining = world.reached(Phase::Drain);
    tokio::pin!(draining);
    let mut connections = connections.into_iter().peekable();
    while let Some(number) = connections.peek().copied() {
        let due = match pace {
            Pace::Closed { .. } => start,
            Pace::Open => match schedule.intended(number) {
                Some(after) => start + after,
                None => break,
            },
        };
        let permit = tokio::select! {
            biased;
            () = &mut draining => break,
            permit = async {
                alarm.until(due).await;
                gate.acquire().await.map(tokio::sync::SemaphorePermit::forget)
            } => permit,
        };
        if permit.is_err() || !world.shared.may_send() {
            break;
        }
        connections.next();
        running.spawn_local(one(Rc::clone(&world), number, due, Rc::clone(&gate)));
    }
    if pace == Pace::Open {
        let late = connections.filter(|number| schedule.intended(*number).is_some_and(|after| after < world.due_ns()));
        let late = late.count() as u64;
        world.measured.borrow_mut().counts.unbegun += late;
    }
    add(&world.gauges().finished, 1);
    while running.join_next().await.is_some() {}
}

async fn one(world: Rc<World>, number: u64, due: u64, gate: Rc<Semaphore>) {
    let sent = world.now();
    let intended = if world.plan().pace == Pace::Open { due } else { sent };
    {
        let mut measured = world.measured.borrow_mut();
        measured.note(Metric::Lag, sent.saturating_sub(intended));
        measured.begun(world.since_start(sent));
    }
    add(&world.gauges().begun, 1);
    add(&world.gauges().open, 1);
    let line = connect(&world, number).await;
    world.gauges().open.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    gate.add_permits(1);
    let Some(mut line) = line else { return };
    let now = world.now();
    let response = now.saturating_sub(intended);
    {
        let mut measured = world.measured.borrow_mut();
        measured.note(Metric::Response, response);
        measured.note(Metric::Service, now.saturating_sub(sent));
        measured.done(world.since_start(now), response);
    }
    let closing = world.reached(Phase::Close);
    tokio::pin!(closing);
    let ended = loop {
        tokio::select! {
            biased;
            turn = line.turn(|_| {}) => if let Err(end) = turn { break Some(end) },
            () = &mut closing => break None,
        }
    };
    match ended {
        Some(end) => {
            world.measured.borrow_mut().counts.disconnects += 1;
            world.shared.complain(&end.to_string());
        }
        None => {
            line.close(1000);
            let _ = timeout(Duration::from_secs(1), line.flush()).await;
        }
    }
}
