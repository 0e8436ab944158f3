//! Routing between connections: who hears what.
//!
//! Holds the connections and nothing else; time and randomness come in, frames go out through
//! [`Hub::poll`]. A body is made once for each event and selection and copied into each subscriber's
//! frame.

mod concern;
mod deadlines;
mod index;
mod told;
mod views;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::channel::Channel;
use crate::dialect::Dialect;
use crate::json::Json;
use crate::moment::{Deadline, Moment, Timer};
use crate::server::{
    Broadcast, Check, Draw, Hearing, Host, Interest, Move, Plan, Policy, Refusal, Server, Subscription, Topic,
};
use crate::wire::{Frame, OwnedFrame};
use concern::is_about;
use deadlines::Deadlines;
use index::Index;
use told::Audiences;
pub use told::{Audience, Listener, Tails, Told};
use views::{Views, cut};

/// Names one connection of a hub; never used again within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// A mutation's result as far as subscribers of one field are concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// Field of the Subscription type that is told.
    pub field: String,
    /// The result keyed by field name, with just what the mutation selected.
    pub object: Json,
}

/// All connections of one endpoint.
#[derive(Clone, Debug)]
pub struct Hub {
    policy: Policy,
    connections: BTreeMap<ConnectionId, Server>,
    /// Who may want to hear what; follows the subscriptions of all connections.
    index: Index,
    /// Connections that may have something to send. One that is here may also have a new deadline.
    ready: VecDeque<ConnectionId>,
    deadlines: Deadlines,
    next: u64,
    /// What goes out later, by time and then in the order in which it came.
    held: BTreeMap<(Moment, u64), Held>,
    holds: u64,
    /// Events that are shared, for whom nothing else waits.
    told: Vec<Told>,
    shares: bool,
    audiences: Audiences,
    /// The latest moment it was told.
    now: Moment,
}

/// Something that goes out later.
#[derive(Clone, Debug)]
enum Held {
    Broadcast(Option<ConnectionId>, Broadcast),
    Delivery { to: ConnectionId, subscription: String, life: u64, body: Arc<str> },
}

/// What may be held back at once; more goes out at once.
const HELD_MAX: usize = 65_536;

impl Hub {
    /// No connections yet.
    pub const fn new(policy: Policy) -> Self {
        Self {
            policy,
            connections: BTreeMap::new(),
            index: Index::new(),
            ready: VecDeque::new(),
            deadlines: Deadlines::new(),
            next: 1,
            held: BTreeMap::new(),
            holds: 0,
            told: Vec::new(),
            shares: false,
            audiences: Audiences::new(),
            now: Moment::START,
        }
    }

    /// From now on events are shared where they can be: whoever drains it takes [`Hub::take_told`] first.
    pub const fn share(&mut self) {
        self.shares = true;
    }

    /// Gives what is shared, each for those who hear the same. Nothing, unless [`Hub::share`] was called.
    pub fn take_told(&mut self, mut to: impl FnMut(Told)) {
        self.told.drain(..).for_each(&mut to);
    }

    /// What it checks and allows.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes a connection whose upgrade was answered with 101; refused ones are told in-band.
    pub fn accept(&mut self, at: Moment, dialect: Dialect, admitted: Result<(), Refusal>) -> ConnectionId {
        self.now = at;
        let id = ConnectionId(self.next);
        self.next += 1;
        let server = match admitted {
            Ok(()) => Server::accept(at, dialect, &self.policy, id.0),
            Err(refusal) => Server::refuse(at, dialect, &self.policy, &refusal),
        };
        self.connections.insert(id, server);
        self.touched(id);
        id
    }

    /// Takes one frame of a client. Frames of unknown connections are ignored: their connection is over.
    ///
    /// Answering a close frame is the transport's business (EVT-CLOSE-007, GQL-CLOSE-008); what was not
    /// drained before the end of a connection is dropped with it.
    pub fn receive(&mut self, at: Moment, from: ConnectionId, frame: Frame<'_>, host: &mut dyn Host) {
        self.now = at;
        let ends = matches!(frame, Frame::Close { .. } | Frame::Lost);
        let Some(server) = self.connections.get_mut(&from) else { return };
        let broadcast = server.receive(at, frame, &self.policy, host);
        self.touched(from);
        if let Some(broadcast) = broadcast {
            self.broadcast(Some(from), broadcast);
        }
        if ends && self.policy.makes(Check::CloseFreesIds) {
            self.forget(from);
        }
    }

    /// Tells it the time before something comes in by another way than a connection.
    pub const fn advance(&mut self, at: Moment) {
        self.now = at;
    }

    /// The latest moment it was told.
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// Sends the events of one publish to every matching subscription, once the handler lets them go.
    ///
    /// Source: EVT-DATA-003 (one message an event), EVT-DATA-004 (one a subscription).
    pub fn broadcast(&mut self, publisher: Option<ConnectionId>, broadcast: Broadcast) {
        if broadcast.after.is_zero() || self.held.len() >= HELD_MAX {
            return self.send_out(publisher, &broadcast);
        }
        let due = self.now + broadcast.after;
        self.hold(due, Held::Broadcast(publisher, broadcast));
    }

    fn send_out(&mut self, publisher: Option<ConnectionId>, broadcast: &Broadcast) {
        if self.treats_all_alike() {
            self.send_at_once(publisher, broadcast);
        } else {
            self.send_unevenly(publisher, broadcast);
        }
    }

    /// What nearly every server does: nobody is left out, late or told twice.
    fn treats_all_alike(&self) -> bool {
        self.policy.makes(Check::EverySubscription)
            && self.policy.makes(Check::DeliveredOnce)
            && self.policy.eventual.is_none()
    }

    fn send_at_once(&mut self, publisher: Option<ConnectionId>, broadcast: &Broadcast) {
        let (form, echoes) = (self.policy.readings.event_form, self.policy.makes(Check::EchoToPublisher));
        let tails = || told::tails(Dialect::Events, broadcast.events.iter(), form);
        let channel = broadcast.channel.as_str();
        if let Some(to) = self.audiences.on_channel(channel).filter(|known| self.waits_for_none_of(known)) {
            return self.told.push(Told { to: Arc::clone(to), tails: tails() });
        }
        let policy = &self.policy;
        let (mut listeners, mut is_whole) = (Vec::new(), echoes && self.looks_up_channels());
        for id in self.listeners_on(&broadcast.channel) {
            let Some(server) = self.connections.get_mut(&id) else { continue };
            if server.dialect() != Dialect::Events || (publisher == Some(id) && !echoes) {
                continue;
            }
            match server.hearing(|interest| is_about(interest, broadcast, policy)) {
                Hearing::Nobody => continue,
                Hearing::One(subscription) if self.shares => {
                    listeners.push(Listener { connection: id, head: Arc::clone(&subscription.head) });
                    continue;
                }
                Hearing::One(_) | Hearing::Apart => is_whole = false,
            }
            for event in &broadcast.events {
                if server.deliver_each(form, |interest| is_about(interest, broadcast, policy).then_some(event)) {
                    self.ready.push_back(id);
                }
            }
        }
        if listeners.is_empty() {
            return;
        }
        let to = Audience::from(listeners);
        if is_whole {
            self.audiences.keep_on_channel(channel, Arc::clone(&to));
        }
        self.told.push(Told { to, tails: tails() });
    }

    /// Whether nothing else may wait to be sent to anybody in an audience.
    fn waits_for_none_of(&self, audience: &Audience) -> bool {
        /// With more a look at everybody is as fast.
        const LOOKED_AT: usize = 8;
        let is_in = |id: &ConnectionId| audience.binary_search_by_key(id, |listener| listener.connection).is_ok();
        self.ready.len() <= LOOKED_AT && !self.ready.iter().any(is_in)
    }

    fn send_unevenly(&mut self, publisher: Option<ConnectionId>, broadcast: &Broadcast) {
        let mut late = Vec::new();
        let policy = &self.policy;
        let (form, echoes) = (policy.readings.event_form, policy.makes(Check::EchoToPublisher));
        for id in self.listeners_on(&broadcast.channel) {
            let Some(server) = self.connections.get_mut(&id) else { continue };
            if server.dialect() != Dialect::Events || (publisher == Some(id) && !echoes) {
                continue;
            }
            let told = recipients(server, policy, |interest| is_about(interest, broadcast, policy));
            for event in &broadcast.events {
                for subscription in &told {
                    let salt = self.holds + late.len() as u64;
                    match fate(server, subscription, policy, self.now, salt) {
                        Fate::AtOnce => server.deliver(subscription, event, form),
                        Fate::Late(due, life) => late.push((
                            due,
                            Held::Delivery { to: id, subscription: subscription.clone(), life, body: event.clone() },
                        )),
                        Fate::Missed => {}
                    }
                }
            }
            if !told.is_empty() {
                self.ready.push_back(id);
            }
        }
        for (due, held) in late {
            self.hold(due, held);
        }
    }

    fn hold(&mut self, due: Moment, held: Held) {
        self.holds += 1;
        self.held.insert((due, self.holds), held);
    }

    /// Lets go what is due.
    fn release(&mut self) {
        while let Some(entry) = self.held.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                Held::Broadcast(publisher, broadcast) => self.send_out(publisher, &broadcast),
                Held::Delivery { to, subscription, life, body } => {
                    // EVT-SUB-018: whoever unsubscribed meanwhile hears nothing.
                    let Some(server) = self.connections.get_mut(&to) else { continue };
                    if server.subscription(&subscription).is_some_and(|own| own.life == life) {
                        server.deliver(&subscription, &body, self.policy.readings.event_form);
                        self.ready.push_back(to);
                    }
                }
            }
        }
    }

    /// Sends a mutation's result to every matching subscription, cut to what each selected.
    ///
    /// Source: GQL-SUB-012, GQL-SUB-014 to -017, GQL-FILTER-001 to -005; larger events are dropped
    /// without a word (GQL-LIMIT-006).
    pub fn announce(&mut self, occurrence: &Occurrence) {
        if self.treats_all_alike() {
            self.announce_at_once(occurrence);
        } else {
            self.announce_unevenly(occurrence);
        }
    }

    fn announce_at_once(&mut self, occurrence: &Occurrence) {
        let topics = self.looks_up_fields().then(|| self.index.topics_of(occurrence));
        if topics.as_ref().is_some_and(|topics| self.announce_again(topics, occurrence)) {
            return;
        }
        let policy = &self.policy;
        let mut views = Views::of(occurrence, policy);
        let mut circles: Vec<(Arc<str>, Arc<Plan>, Vec<Listener>)> = Vec::new();
        let listeners = self.listeners_of(topics.as_deref());
        // Of two subscriptions of one connection that one hears this says nothing of the other.
        let once = |topics: &Vec<Topic>| self.index.subscriptions(topics) == listeners.len();
        let mut is_whole = topics.as_ref().is_some_and(once);
        for id in listeners {
            let Some(server) = self.connections.get_mut(&id) else { continue };
            match server.hearing(|interest| views.concerns(interest)) {
                Hearing::One(Subscription { interest: interest @ Interest::Field(plan), head, .. }) if self.shares => {
                    is_whole &= Topic::says_all_of(plan);
                    let listener = Listener { connection: id, head: Arc::clone(head) };
                    match (views.body(interest), circles.last_mut()) {
                        (None, _) => is_whole = false,
                        (Some(body), Some((known, _, circle))) if Arc::ptr_eq(known, &body) => circle.push(listener),
                        (Some(body), Some(_) | None) => circles.push((body, Arc::clone(plan), alloc::vec![listener])),
                    }
                }
                Hearing::Nobody => is_whole = false,
                Hearing::One(_) | Hearing::Apart => {
                    is_whole = false;
                    if server.deliver_each(policy.readings.event_form, |interest| views.body(interest)) {
                        self.ready.push_back(id);
                    }
                }
            }
        }
        let mut known = Vec::new();
        for (body, plan, listeners) in circles {
            let to = Audience::from(listeners);
            let tails = told::tails(Dialect::Graphql, core::iter::once(&body), policy.readings.event_form);
            known.push((plan, Arc::clone(&to)));
            self.told.push(Told { to, tails });
        }
        if let Some(topics) = topics.filter(|_| is_whole && !known.is_empty()) {
            self.audiences.keep_about(topics, known);
        }
    }

    /// Tells those who heard the last result about these topics, if they hear every one; whether they do.
    fn announce_again(&mut self, topics: &[Topic], occurrence: &Occurrence) -> bool {
        let policy = &self.policy;
        let known = self.audiences.about(topics);
        let Some(circles) = known.filter(|circles| circles.iter().all(|(_, to)| self.waits_for_none_of(to))) else {
            return false;
        };
        let form = policy.readings.event_form;
        let told = circles.iter().filter_map(|(plan, to)| {
            let body = cut(plan, occurrence, policy)?;
            Some(Told { to: Arc::clone(to), tails: told::tails(Dialect::Graphql, core::iter::once(body), form) })
        });
        self.told.extend(told);
        true
    }

    fn announce_unevenly(&mut self, occurrence: &Occurrence) {
        let mut late = Vec::new();
        let policy = &self.policy;
        let mut views = Views::of(occurrence, policy);
        let topics = self.looks_up_fields().then(|| self.index.topics_of(occurrence));
        for id in self.listeners_of(topics.as_deref()) {
            let Some(server) = self.connections.get_mut(&id) else { continue };
            for subscription in recipients(server, policy, |interest| views.concerns(interest)) {
                let Some(body) = server.subscription(&subscription).and_then(|own| views.body(&own.interest)) else {
                    continue;
                };
                let salt = self.holds + late.len() as u64;
                match fate(server, &subscription, policy, self.now, salt) {
                    Fate::AtOnce => {
                        server.deliver(&subscription, &body, policy.readings.event_form);
                        self.ready.push_back(id);
                    }
                    Fate::Late(due, life) => {
                        late.push((due, Held::Delivery { to: id, subscription, life, body }));
                    }
                    Fate::Missed => {}
                }
            }
        }
        for (due, held) in late {
            self.hold(due, held);
        }
    }

    /// Ends every subscription to `field` whose invalidation filter `payload` satisfies.
    ///
    /// Source: GQL-FILTER-026 to GQL-FILTER-028.
    pub fn invalidate(&mut self, field: &str, payload: &Json) {
        self.audiences.forget();
        for (id, server) in &mut self.connections {
            let hit = |interest: &Interest| match interest {
                Interest::Field(plan) if plan.field == field => {
                    plan.invalidation.as_ref().is_some_and(|filter| filter.matches(payload, self.policy.filters))
                }
                Interest::Field(_) | Interest::Channel(_) => false,
            };
            let ended: Vec<String> =
                server.subscriptions().filter(|(_, interest)| hit(interest)).map(|(id, _)| id.into()).collect();
            if !ended.is_empty() {
                server.invalidate(&ended, &self.policy);
                follow(&mut self.index, *id, server);
                self.ready.push_back(*id);
            }
        }
    }

    /// Lets time pass on every connection.
    pub fn elapse(&mut self, at: Moment) {
        self.now = at;
        for id in self.deadlines.due(at) {
            if let Some(server) = self.connections.get_mut(&id) {
                server.elapse(at, &self.policy);
            }
            self.touched(id);
        }
        self.release();
    }

    /// When the first connection wants to be woken, or something held back is due.
    pub fn deadline(&self) -> Option<Deadline> {
        let held = self.held.first_key_value().map(|((at, _), _)| Deadline { at: *at, why: Timer::Delivery });
        Deadline::earlier(held, self.deadlines.first())
    }

    /// The next frame to send, and where. Drain it after every other call.
    pub fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        while let Some(id) = self.ready.front().copied() {
            let Some(server) = self.connections.get_mut(&id) else {
                self.ready.pop_front();
                self.deadlines.note(id, None);
                continue;
            };
            let frame = server.poll();
            if server.has_said_all() {
                self.ready.pop_front();
                let deadline = server.deadline();
                if server.noted != deadline {
                    server.noted = deadline;
                    self.deadlines.note(id, deadline);
                }
                if server.is_gone() && self.policy.makes(Check::CloseFreesIds) {
                    self.forget(id);
                }
            }
            if let Some(frame) = frame {
                return Some((id, frame));
            }
        }
        None
    }

    /// Number of connections.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// One connection.
    pub fn server(&self, id: ConnectionId) -> Option<&Server> {
        self.connections.get(&id)
    }

    fn touched(&mut self, id: ConnectionId) {
        self.ready.push_back(id);
        let moves = self.connections.get_mut(&id).map(Server::take_moves).unwrap_or_default();
        for moved in moves {
            self.audiences.forget();
            if let Move::Came { topic, life } = &moved {
                self.share_plan(id, topic, *life);
            }
            self.index.follow(id, moved);
        }
        self.note_deadline(id);
    }

    /// Keeps equal plans once, as far as neighbours have them: whether an event concerns one of many is then a look at
    /// whether it concerned the one before.
    fn share_plan(&mut self, id: ConnectionId, topic: &Topic, life: u64) {
        let shared = self.connections.get(&id).and_then(|server| server.plan(life)).and_then(|plan| {
            let neighbour = self.connections.get(&self.index.latest(topic)?)?;
            neighbour.equal_plan(plan).map(Arc::clone)
        });
        if let (Some(shared), Some(server)) = (shared, self.connections.get_mut(&id)) {
            server.share_plan(life, &shared);
        }
    }

    fn note_deadline(&mut self, id: ConnectionId) {
        let deadline = self.connections.get_mut(&id).and_then(|server| {
            server.noted = server.deadline();
            server.noted
        });
        self.deadlines.note(id, deadline);
    }

    fn forget(&mut self, id: ConnectionId) {
        if let Some(mut server) = self.connections.remove(&id) {
            server.drop_all();
            self.audiences.forget();
            follow(&mut self.index, id, &mut server);
        }
        self.deadlines.note(id, None);
    }

    /// Those who may hear an event on this channel, in the order of their ids.
    fn listeners_on(&self, channel: &Channel) -> Vec<ConnectionId> {
        if self.looks_up_channels() {
            return self.index.on_channel(channel);
        }
        self.connections.keys().copied().collect()
    }

    /// Whoever compares channels loosely has to look at all.
    fn looks_up_channels(&self) -> bool {
        let strict =
            [Check::ChannelMatch, Check::ChannelCase, Check::ChannelEnd, Check::WildcardSegment, Check::NamespaceEnd];
        strict.iter().all(|check| self.policy.makes(*check))
    }

    /// Those who may hear what is about these topics, or about anything, in the order of their ids.
    fn listeners_of(&self, topics: Option<&[Topic]>) -> Vec<ConnectionId> {
        match topics {
            Some(topics) => self.index.under(topics),
            None => self.connections.keys().copied().collect(),
        }
    }

    /// Whoever compares fields or arguments loosely has to look at all.
    fn looks_up_fields(&self) -> bool {
        let strict = [
            Check::FieldMatch,
            Check::ArgumentsMatch,
            Check::EveryArgument,
            Check::ArgumentEnd,
            Check::ArgumentOfNothing,
        ];
        strict.iter().all(|check| self.policy.makes(*check))
    }
}

fn follow(index: &mut Index, id: ConnectionId, server: &mut Server) {
    for moved in server.take_moves() {
        index.follow(id, moved);
    }
}

/// When an event reaches a subscription.
enum Fate {
    AtOnce,
    /// At this moment, if the subscription still has this life.
    Late(Moment, u64),
    /// Never: the subscription has not settled.
    Missed,
}

/// Source: EVT-SUB-013, EVT-DATA-007, GQL-A-24.
fn fate(server: &Server, subscription: &str, policy: &Policy, now: Moment, salt: u64) -> Fate {
    let (Some(eventual), Some(own)) = (&policy.eventual, server.subscription(subscription)) else {
        return Fate::AtOnce;
    };
    let hears_at = match server.dialect() {
        Dialect::Graphql => now,
        Dialect::Events => now + eventual.time(eventual.late_max, Draw::Delivery, now, salt),
    };
    if now < own.settles_at && eventual.draw(Draw::MissedOrLate, now, salt) % 2 == 0 {
        return Fate::Missed;
    }
    let due = hears_at.max(own.settles_at);
    if due == now { Fate::AtOnce } else { Fate::Late(due, own.life) }
}

fn recipients(server: &Server, policy: &Policy, mut wants: impl FnMut(&Interest) -> bool) -> Vec<String> {
    let mut told: Vec<String> =
        server.subscriptions().filter(|(_, interest)| wants(interest)).map(|(id, _)| id.into()).collect();
    if !policy.makes(Check::EverySubscription) {
        told.truncate(1);
    }
    if !policy.makes(Check::DeliveredOnce) {
        told = told.into_iter().flat_map(|id| [id.clone(), id]).collect();
    }
    told
}
