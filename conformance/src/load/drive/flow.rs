//! The events of one publisher: which comes next, what it carries, what became of it. The same over either transport.
//!
//! Publisher `p` puts its `k`-th event on channel `(p + k) mod channels`, where it is number `k / channels` of its flow.

use std::rc::Rc;

use super::world::{Phase, World, add};
use crate::load::mark::{Kind, Mark};
use crate::load::measure::Metric;
use crate::load::plan::{Mode, Pace};
use crate::load::receipt::{Coverage, Receipt};
use crate::load::schedule::Schedule;

/// One publisher.
pub(crate) struct Flow {
    world: Rc<World>,
    publisher: u64,
    schedule: Schedule,
    /// Number of the next event.
    next: u64,
    /// By channel.
    accepted: Vec<Receipt>,
}

/// One event under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Underway {
    pub(crate) channel: u64,
    number: u64,
    pub(crate) intended: u64,
    sent: u64,
    size: usize,
    is_probe: bool,
}

/// The number of an event that nobody else takes.
pub(crate) struct Reserved(u64);

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Accepted,
    Refused,
    Unanswered,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// At this moment, or at once if it is past.
    At(u64),
    /// Nothing any more.
    Never,
}

impl Flow {
    pub(crate) fn new(world: &Rc<World>, publisher: u64) -> Self {
        let plan = world.plan();
        Self {
            publisher,
            schedule: Schedule::of(plan, publisher, plan.publishers),
            next: 0,
            accepted: vec![Receipt::default(); usize::try_from(plan.channels).unwrap_or(0)],
            world: Rc::clone(world),
        }
    }

    /// When the next event is due in a run that started then. Reading the clock is a good part of what an event costs:
    /// whoever asks does it once.
    pub(crate) fn next(&self, start: u64, now: u64) -> Next {
        let plan = self.world.plan();
        let over = |at: u64| u128::from(at.saturating_sub(start)) >= plan.duration.as_nanos();
        if *self.world.shared.phase.borrow() >= Phase::Drain || self.world.gauges().exhausted() {
            return Next::Never;
        }
        match plan.pace {
            Pace::Closed { .. } if over(now) => Next::Never,
            Pace::Closed { .. } => Next::At(start),
            Pace::Open => match self.schedule.intended(self.next) {
                Some(after) => Next::At(start + after),
                None => Next::Never,
            },
        }
    }

    /// Takes the next event, which goes out now; `None` if no more messages may be sent.
    pub(crate) fn take(&mut self, intended: u64, now: u64) -> Option<Underway> {
        let reserved = self.reserve()?;
        self.begin(reserved, intended, now)
    }

    /// Takes the number of the next event, which goes out when it is due.
    pub(crate) fn reserve(&mut self) -> Option<Reserved> {
        let k = self.next;
        self.next += 1;
        self.world.shared.may_send().then_some(Reserved(k))
    }

    /// The event of a number goes out now; `None` if the run is over.
    pub(crate) fn begin(&self, Reserved(k): Reserved, intended: u64, sent: u64) -> Option<Underway> {
        if *self.world.shared.phase.borrow() >= Phase::Drain {
            return None;
        }
        let plan = self.world.plan();
        let channel = (self.publisher + k) % plan.channels;
        let intended = match plan.pace {
            Pace::Open => intended,
            Pace::Closed { .. } => sent,
        };
        let size = plan.sizes.draw(plan.seed, self.publisher, k);
        let mut measured = self.world.measured.borrow_mut();
        measured.note(Metric::Lag, sent.saturating_sub(intended));
        measured.begun(self.world.since_start(sent));
        add(&self.world.gauges().begun, 1);
        add(&self.world.gauges().open, 1);
        Some(Underway { channel, number: k / plan.channels, intended, sent, size, is_probe: false })
    }

    /// A probe on a channel; `before` is when the one before it was sent.
    pub(crate) fn probe(&self, channel: u64, round: u64, before: u64) -> Option<Underway> {
        if !self.world.shared.may_send() {
            return None;
        }
        self.world.measured.borrow_mut().counts.probes += 1;
        add(&self.world.gauges().open, 1);
        let sent = self.world.now();
        Some(Underway { channel, number: round, intended: before, sent, size: 0, is_probe: true })
    }

    /// The text of an event.
    pub(crate) fn text(&self, event: &Underway) -> String {
        let kind = if event.is_probe { Kind::Probe } else { Kind::Event };
        let Underway { channel, number, intended, sent, size, .. } = *event;
        let mark = Mark { kind, channel, publisher: self.publisher, number, intended, sent, pad: 0 };
        self.world.shared.marks.event(&mark, size)
    }

    /// Takes what became of an event.
    pub(crate) fn settle(&mut self, event: &Underway, fate: Fate) {
        self.world.gauges().open.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        let now = self.world.now();
        let mut measured = self.world.measured.borrow_mut();
        match fate {
            Fate::Accepted if event.is_probe => {}
            Fate::Accepted => {
                let (service, response) = (now.saturating_sub(event.sent), now.saturating_sub(event.intended));
                match self.world.plan().mode {
                    Mode::Throughput => {
                        measured.note(Metric::Service, service);
                        measured.note(Metric::Response, response);
                        measured.done(self.world.since_start(now), response);
                    }
                    Mode::Fanout | Mode::Soak | Mode::Connect | Mode::Churn => measured.note(Metric::Ack, service),
                }
                measured.counts.published += 1;
                let channel = usize::try_from(event.channel).unwrap_or(0);
                self.accepted[channel].note(event.number);
                add(&self.world.gauges().published, 1);
                add(&self.world.gauges().owed, super::world::read(&self.world.shared.subscribers[channel]));
            }
            Fate::Refused => measured.counts.refused += 1,
            Fate::Unanswered => measured.counts.unanswered += 1,
        }
    }

    /// Hands over what was accepted, and counts what was due and never begun.
    pub(crate) fn deposit(&mut self) {
        if self.world.plan().pace == Pace::Open && self.world.start.get().is_some() {
            let due = self.schedule.due(self.world.due_ns());
            self.world.measured.borrow_mut().counts.unbegun += due.saturating_sub(self.next);
        }
        let mut accepted = self.world.accepted.borrow_mut();
        for (channel, receipt) in self.accepted.iter().enumerate() {
            let mut coverage = Coverage::default();
            coverage.add(receipt);
            accepted.entry((channel as u64, self.publisher)).or_default().merge(&coverage);
        }
    }
}

/// Rounds of probes come at growing distances, from this in nanoseconds.
pub(crate) const FIRST_ROUND: u64 = 50_000_000;
/// Up to this.
pub(crate) const LAST_ROUND: u64 = 1_000_000_000;
