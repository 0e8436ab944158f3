//! Connections that subscribe and listen, and count what they hear.

use std::rc::Rc;
use std::sync::atomic::Ordering;

use appsync_protocol::dialect::{Dialect, decode};
use appsync_protocol::envelope::{Raw, elements, is_array, string};
use appsync_protocol::message::{Message, error_entries};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::connect::{Open, connect};
use super::line::End;
use super::world::{Phase, Signer, World, add};
use crate::load::mark::{Found, Kind, LENGTH, Mark, SHORTEST};
use crate::load::measure::Metric;
use crate::load::plan::Mode;
use crate::load::receipt::{Arrival, Receipt};

/// One connection with its subscriptions, from its beginning to the end of the run.
pub(crate) async fn subscribe(world: Rc<World>, connection: u64, gate: Rc<Semaphore>) {
    let Ok(permit) = gate.acquire().await else { return };
    if *world.shared.phase.borrow() > Phase::Probe {
        // The set-up took too long.
        world.shared.complain("not connected before the set-up was over");
        world.measured.borrow_mut().counts.failed += 1;
        return;
    }
    let settled = |_| add(&world.gauges().settled, 1);
    let Some(mut line) = connect(&world, connection).await else { return settled(()) };
    let mut ears = Ears::new(&world, connection);
    let granted = ears.ask(&mut line).await;
    drop(permit);
    settled(());
    let end = match granted {
        Ok(()) => ears.listen(&mut line).await,
        Err(end) => Some(end),
    };
    if let Some(end) = end {
        world.measured.borrow_mut().counts.disconnects += 1;
        world.shared.complain(&end.to_string());
    }
    ears.deposit();
    if end.is_none() {
        line.close(1000);
        let _ = timeout(std::time::Duration::from_secs(1), line.flush()).await;
    }
}

/// What is in the body of an event. An event of Events has to be the text that was published, in an array or not
/// (EVT-A-05); what a GraphQL target puts around a text is its own affair.
fn read_body(world: &World, body: Raw<'_>) -> Found {
    let found = world.shared.marks.find(body.get());
    match (world.plan().dialect, found) {
        (Dialect::Events, Found::Whole(mark)) => {
            let texts = if is_array(body) { elements(body) } else { vec![body] };
            let sent = world.shared.marks.event(&mark, SHORTEST + mark.pad);
            let is_there = texts.into_iter().any(|text| string(text).is_some_and(|text| text == sent));
            if is_there { found } else { Found::Damaged(mark) }
        }
        (Dialect::Graphql, _) | (Dialect::Events, Found::Damaged(_) | Found::Foreign) => found,
    }
}

/// Everything that one connection hears.
struct Ears {
    world: Rc<World>,
    subscriptions: Vec<Subscription>,
    /// Subscriptions without an answer.
    waiting: usize,
    template: Option<Template>,
}

struct Subscription {
    id: String,
    channel: u64,
    state: State,
    has_heard: bool,
    /// By publisher.
    flows: Vec<Receipt>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Asked { at: u64 },
    Live { since: u64 },
    Over,
}

/// The last event that was read in full: one that differs from it in its mark only needs no reading.
struct Template {
    subscription: usize,
    pad: usize,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Ears {
    fn new(world: &Rc<World>, connection: u64) -> Self {
        let plan = world.plan();
        let subscriptions = plan.subscribers_on(connection).map(|subscriber| Subscription {
            id: format!("s{subscriber:x}"),
            channel: plan.channel_of(subscriber),
            state: State::Over,
            has_heard: false,
            flows: vec![Receipt::default(); usize::try_from(plan.publishers).unwrap_or(0)],
        });
        Self { subscriptions: subscriptions.collect(), world: Rc::clone(world), waiting: 0, template: None }
    }

    /// Asks for all subscriptions, and waits for the answers.
    async fn ask(&mut self, line: &mut Open) -> Result<(), End> {
        let world = Rc::clone(&self.world);
        let reach = &world.shared.reach;
        let signer = Signer::new(&reach.source);
        for subscription in &mut self.subscriptions {
            let channel = reach.topics.channel(world.plan().seed, subscription.channel);
            match signer.credentials(&reach.topics.subscribe_body(&channel)) {
                Ok(who) if world.shared.may_send() => {
                    line.send(&reach.topics.subscribe(&subscription.id, &channel, &who));
                    subscription.state = State::Asked { at: world.now() };
                    self.waiting += 1;
                }
                Ok(_) => {}
                Err(why) => world.shared.complain(&why),
            }
        }
        let answers = async {
            while self.waiting > 0 {
                self.turn(line).await?;
            }
            Ok(())
        };
        match timeout(world.plan().patience, answers).await {
            Ok(answered) => answered,
            Err(_) => {
                world.measured.borrow_mut().counts.unanswered += self.waiting as u64;
                world.shared.complain("a subscription was not answered in time");
                Ok(())
            }
        }
    }

    /// Until the run or the connection is over; how it ended if it was the connection.
    async fn listen(&mut self, line: &mut Open) -> Option<End> {
        let world = Rc::clone(&self.world);
        let closing = world.reached(Phase::Close);
        tokio::pin!(closing);
        loop {
            tokio::select! {
                biased;
                turn = self.turn(line) => if let Err(end) = turn { return Some(end) },
                () = &mut closing => return None,
            }
        }
    }

    async fn turn(&mut self, line: &mut Open) -> Result<(), End> {
        let mut now = None;
        let clock = self.world.shared.clock;
        // What one read brought came at one moment.
        line.turn(|bytes| self.hear(*now.get_or_insert_with(|| clock.now()), bytes)).await
    }

    fn hear(&mut self, now: u64, bytes: &[u8]) {
        if let Some((subscription, mark)) = self.like_the_last(bytes) {
            return self.deliver(now, subscription, Found::Whole(mark));
        }
        let world = Rc::clone(&self.world);
        let decoded = std::str::from_utf8(bytes).ok().and_then(|text| decode(world.plan().dialect, text).ok());
        let Some(decoded) = decoded else {
            world.measured.borrow_mut().counts.unread += 1;
            return;
        };
        match decoded.message {
            Message::Data { id, body } => match self.place(&id) {
                Some(subscription) => {
                    let found = read_body(&world, body);
                    self.remember(subscription, bytes, found);
                    self.deliver(now, subscription, found);
                }
                None => {
                    add(&world.gauges().messages_in, 1);
                    world.measured.borrow_mut().counts.misrouted += 1;
                }
            },
            Message::Granted { id } => self.granted(now, &id),
            Message::Refused { id, errors, .. } => {
                let kind = error_entries(errors).1.first().and_then(|entry| entry.short_type().map(ToOwned::to_owned));
                let at = id.and_then(|id| self.place(&id));
                self.refused(at, kind.as_deref().unwrap_or("an error without a type"));
            }
            Message::Ended { id } => {
                if let Some(at) = self.place(&id) {
                    self.subscriptions[at].state = State::Over;
                    world.measured.borrow_mut().counts.ended += 1;
                }
            }
            Message::BroadcastFailed { .. } => world.measured.borrow_mut().counts.undeliverable += 1,
            Message::KeepAlive | Message::Ack { .. } | Message::Unknown { .. } => {}
            Message::Rejected { .. }
            | Message::Published { .. }
            | Message::Init
            | Message::Subscribe { .. }
            | Message::Unsubscribe { .. }
            | Message::Publish { .. } => world.measured.borrow_mut().counts.unread += 1,
        }
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.subscriptions.iter().position(|subscription| subscription.id == id)
    }

    fn granted(&mut self, now: u64, id: &str) {
        let Some(at) = self.place(id) else { return };
        let subscription = &mut self.subscriptions[at];
        let State::Asked { at } = subscription.state else { return };
        subscription.state = State::Live { since: now };
        self.waiting -= 1;
        let mut measured = self.world.measured.borrow_mut();
        measured.counts.subscribed += 1;
        measured.note(Metric::Subscribe, now.saturating_sub(at));
        add(&self.world.gauges().subscribed, 1);
        let channel = usize::try_from(subscription.channel).unwrap_or(0);
        if let Some(count) = self.world.shared.subscribers.get(channel) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn refused(&mut self, at: Option<usize>, kind: &str) {
        let mut measured = self.world.measured.borrow_mut();
        match at.map(|at| (at, self.subscriptions[at].state)) {
            Some((at, State::Asked { .. })) => {
                measured.counts.refused += 1;
                self.subscriptions[at].state = State::Over;
                self.waiting -= 1;
            }
            Some((at, State::Live { .. })) => {
                measured.counts.ended += 1;
                self.subscriptions[at].state = State::Over;
            }
            Some((_, State::Over)) | None => {}
        }
        self.world.shared.complain(&format!("a subscription was refused or ended: {kind}"));
    }

    fn deliver(&mut self, now: u64, subscription: usize, found: Found) {
        add(&self.world.gauges().messages_in, 1);
        let mut measured = self.world.measured.borrow_mut();
        let subscription = &mut self.subscriptions[subscription];
        let mark = match found {
            Found::Foreign => {
                measured.counts.foreign += 1;
                return;
            }
            Found::Whole(mark) | Found::Damaged(mark) if mark.channel != subscription.channel => {
                measured.counts.misrouted += 1;
                return;
            }
            Found::Damaged(mark) => {
                measured.counts.damaged += 1;
                mark
            }
            Found::Whole(mark) => mark,
        };
        if mark.kind == Kind::Probe {
            if !std::mem::replace(&mut subscription.has_heard, true) {
                add(&self.world.gauges().heard, 1);
                let since = if let State::Live { since } = subscription.state { since } else { mark.sent };
                // The probe before this one was not heard, although it was sent so long after the acknowledgement.
                measured.note(Metric::Silent, mark.intended.saturating_sub(since));
            }
            return;
        }
        let publisher = usize::try_from(mark.publisher).unwrap_or(usize::MAX);
        let Some(receipt) = subscription.flows.get_mut(publisher) else {
            measured.counts.foreign += 1;
            return;
        };
        match receipt.note(mark.number) {
            Arrival::Duplicate => {
                measured.counts.duplicate += 1;
                return;
            }
            Arrival::Reordered => measured.counts.reordered += 1,
            Arrival::InOrder => {}
        }
        add(&self.world.gauges().delivered, 1);
        measured.counts.deliveries += 1;
        let (response, service) = (now.saturating_sub(mark.intended), now.saturating_sub(mark.sent));
        if u128::from(service) > self.world.plan().late_after.as_nanos() {
            measured.counts.late += 1;
        }
        match self.world.plan().mode {
            Mode::Throughput => measured.note(Metric::Delivery, service),
            Mode::Fanout | Mode::Soak | Mode::Connect | Mode::Churn => {
                measured.note(Metric::Response, response);
                measured.note(Metric::Service, service);
                measured.done(self.world.since_start(now), response);
            }
        }
    }

    fn like_the_last(&self, bytes: &[u8]) -> Option<(usize, Mark)> {
        let template = self.template.as_ref()?;
        let rest = bytes.strip_prefix(template.before.as_slice())?;
        let (mark, after) = rest.split_at_checked(LENGTH)?;
        if after != template.after {
            return None;
        }
        let mark = self.world.shared.marks.read(mark).filter(|mark| mark.pad == template.pad)?;
        Some((template.subscription, mark))
    }

    fn remember(&mut self, subscription: usize, bytes: &[u8], found: Found) {
        let Found::Whole(mark) = found else { return };
        let mut text = String::new();
        self.world.shared.marks.write(&mark, &mut text);
        let at = bytes.windows(LENGTH).position(|window| window == text.as_bytes());
        self.template = at.map(|at| Template {
            subscription,
            pad: mark.pad,
            before: bytes[..at].to_vec(),
            after: bytes[at + LENGTH..].to_vec(),
        });
    }

    /// Hands over what came, and who heard nothing.
    fn deposit(&mut self) {
        let mut came = self.world.came.borrow_mut();
        let mut deaf = 0;
        for subscription in &mut self.subscriptions {
            for (publisher, receipt) in subscription.flows.iter().enumerate() {
                came.entry((subscription.channel, publisher as u64)).or_default().add(receipt);
            }
            let was_live = matches!(subscription.state, State::Live { .. });
            deaf += u64::from(was_live && !subscription.has_heard);
        }
        if self.world.plan().probes() {
            self.world.measured.borrow_mut().counts.deaf += deaf;
        }
    }
}
