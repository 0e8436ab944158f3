//! Subscriptions that come and go: subscribed, acknowledged, ended, acknowledged, at a rate.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use appsync_protocol::dialect::decode;
use appsync_protocol::message::Message;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::connect::{Open, connect};
use super::line::End;
use super::time::Alarm;
use super::world::{Phase, Signer, World, add};
use crate::load::measure::Metric;
use crate::load::plan::Pace;
use crate::load::schedule::Schedule;

/// One connection; `place` of `all` in the schedule.
pub(crate) async fn churn(world: Rc<World>, connection: u64, all: u64, gate: Rc<Semaphore>) {
    let Ok(permit) = gate.acquire().await else { return };
    let line = connect(&world, connection).await;
    drop(permit);
    add(&world.gauges().settled, 1);
    let (Some(mut line), Ok(mut alarm)) = (line, Alarm::new(world.shared.clock)) else {
        add(&world.gauges().finished, 1);
        return;
    };
    let started = world.started();
    tokio::pin!(started);
    let start = loop {
        tokio::select! {
            biased;
            start = &mut started => break Ok(start),
            turn = line.turn(|_| {}) => if let Err(end) = turn { break Err(end) },
        }
    };
    let mut wheel = Wheel::new(&world, connection, all);
    let ended = match start {
        Ok(None) => None,
        Ok(Some(start)) => wheel.run(&mut line, &mut alarm, start).await.err(),
        Err(end) => Some(end),
    };
    match ended {
        Some(end) => {
            if !wheel.finished {
                add(&world.gauges().finished, 1);
            }
            world.measured.borrow_mut().counts.disconnects += 1;
            world.shared.complain(&end.to_string());
        }
        None => {
            line.close(1000);
            let _ = timeout(Duration::from_secs(1), line.flush()).await;
        }
    }
    wheel.settle();
}

struct Wheel {
    world: Rc<World>,
    signer: Signer,
    schedule: Schedule,
    next: u64,
    /// Subscriptions by the number in their id.
    turning: BTreeMap<u64, Turning>,
    room: usize,
    finished: bool,
    /// To be ended.
    acknowledged: Vec<u64>,
}

#[derive(Clone, Copy)]
struct Turning {
    intended: u64,
    sent: u64,
    ended: Option<u64>,
}

impl Wheel {
    fn new(world: &Rc<World>, connection: u64, all: u64) -> Self {
        let plan = world.plan();
        let most = usize::try_from(plan.per_connection).unwrap_or(1);
        let room = match plan.pace {
            Pace::Open => most,
            Pace::Closed { window } => usize::try_from(window).unwrap_or(1).min(most),
        };
        Self {
            signer: Signer::new(&world.shared.reach.source),
            schedule: Schedule::of(plan, connection, all),
            next: 0,
            turning: BTreeMap::new(),
            room,
            finished: false,
            acknowledged: Vec::new(),
            world: Rc::clone(world),
        }
    }

    async fn run(&mut self, line: &mut Open, alarm: &mut Alarm, start: u64) -> Result<(), End> {
        let world = Rc::clone(&self.world);
        let closing = world.reached(Phase::Close);
        tokio::pin!(closing);
        loop {
            for number in std::mem::take(&mut self.acknowledged) {
                self.end(line, number);
            }
            let due = self.due(start);
            if due.is_none() && !self.finished {
                self.finished = true;
                add(&world.gauges().finished, 1);
            }
            if let Some(due) = due.filter(|due| self.turning.len() < self.room && *due <= world.now()) {
                self.begin(line, due);
                continue;
            }
            let waits = due.filter(|_| self.turning.len() < self.room);
            tokio::select! {
                biased;
                () = alarm.until(waits.unwrap_or(0)), if waits.is_some() => {}
                turn = line.turn(|bytes| self.hear(bytes)) => turn?,
                () = &mut closing => return Ok(()),
            }
        }
    }

    fn due(&self, start: u64) -> Option<u64> {
        let plan = self.world.plan();
        if *self.world.shared.phase.borrow() >= Phase::Drain || self.world.gauges().exhausted() {
            return None;
        }
        match plan.pace {
            Pace::Closed { .. } => {
                let is_over = u128::from(self.world.now().saturating_sub(start)) >= plan.duration.as_nanos();
                (!is_over).then_some(start)
            }
            Pace::Open => self.schedule.intended(self.next).map(|after| start + after),
        }
    }

    fn begin(&mut self, line: &mut Open, due: u64) {
        let world = Rc::clone(&self.world);
        let number = self.next;
        self.next += 1;
        let topics = &world.shared.reach.topics;
        let channel = topics.channel(world.plan().seed, number % world.plan().channels);
        let who = match self.signer.credentials(&topics.subscribe_body(&channel)) {
            Ok(who) if world.shared.may_send() => who,
            Ok(_) => return,
            Err(why) => return world.shared.complain(&why),
        };
        line.send(&topics.subscribe(&id(number), &channel, &who));
        let sent = world.now();
        let intended = if world.plan().pace == Pace::Open { due } else { sent };
        self.turning.insert(number, Turning { intended, sent, ended: None });
        let mut measured = world.measured.borrow_mut();
        measured.note(Metric::Lag, sent.saturating_sub(intended));
        measured.begun(world.since_start(sent));
        add(&world.gauges().begun, 1);
        add(&world.gauges().open, 1);
    }

    fn end(&mut self, line: &mut Open, number: u64) {
        line.send(&self.world.shared.reach.topics.unsubscribe(&id(number)));
        let _ = self.world.shared.may_send();
        if let Some(turning) = self.turning.get_mut(&number) {
            turning.ended = Some(self.world.now());
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        let dialect = self.world.plan().dialect;
        let decoded = std::str::from_utf8(bytes).ok().and_then(|text| decode(dialect, text).ok());
        let Some(decoded) = decoded else {
            self.world.measured.borrow_mut().counts.unread += 1;
            return;
        };
        let now = self.world.now();
        match &decoded.message {
            Message::Granted { id } => {
                let Some((number, turning)) = self.of(id) else { return };
                let mut measured = self.world.measured.borrow_mut();
                let (response, service) = (now.saturating_sub(turning.intended), now.saturating_sub(turning.sent));
                measured.counts.subscribed += 1;
                measured.note(Metric::Response, response);
                measured.note(Metric::Service, service);
                measured.note(Metric::Subscribe, service);
                measured.done(self.world.since_start(now), response);
                add(&self.world.gauges().subscribed, 1);
                self.acknowledged.push(number);
            }
            Message::Ended { id } => {
                let Some((number, turning)) = self.of(id) else { return };
                let mut measured = self.world.measured.borrow_mut();
                match turning.ended {
                    Some(ended) => {
                        measured.note(Metric::Unsubscribe, now.saturating_sub(ended));
                        measured.counts.cycles += 1;
                    }
                    None => measured.counts.ended += 1,
                }
                drop(measured);
                self.over(number);
            }
            Message::Refused { id: Some(id), .. } => {
                let Some((number, _)) = self.of(id) else { return };
                self.world.measured.borrow_mut().counts.refused += 1;
                self.world.shared.complain("a subscription or its end was refused");
                self.over(number);
            }
            Message::Data { .. } => self.world.measured.borrow_mut().counts.foreign += 1,
            Message::Init
            | Message::Ack { .. }
            | Message::Rejected { .. }
            | Message::KeepAlive
            | Message::Subscribe { .. }
            | Message::Refused { id: None, .. }
            | Message::BroadcastFailed { .. }
            | Message::Unsubscribe { .. }
            | Message::Publish { .. }
            | Message::Published { .. }
            | Message::Unknown { .. } => {}
        }
    }

    fn of(&self, id: &str) -> Option<(u64, Turning)> {
        let number = u64::from_str_radix(id.strip_prefix('c')?, 16).ok()?;
        self.turning.get(&number).map(|turning| (number, *turning))
    }

    fn over(&mut self, number: u64) {
        if self.turning.remove(&number).is_some() {
            self.world.gauges().open.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// What has no answer by now gets none.
    fn settle(&mut self) {
        if self.world.plan().pace == Pace::Open && self.world.start.get().is_some() {
            let due = self.schedule.due(self.world.due_ns());
            self.world.measured.borrow_mut().counts.unbegun += due.saturating_sub(self.next);
        }
        let open: Vec<u64> = self.turning.keys().copied().collect();
        self.world.measured.borrow_mut().counts.unanswered += open.len() as u64;
        for number in open {
            self.over(number);
        }
    }
}

fn id(number: u64) -> String {
    format!("c{number:x}")
}
