//! Delivery: for every published nonce, who must, who may and who must not receive it.
//!
//! One observer tells what happened in the order in which *it* saw it; that order counts, the moments
//! serve patience and reports only. Both ends of a subscription and both ends of a publish are spans,
//! because a request takes effect somewhere between its sending and its answer:
//!
//! ```text
//!             asked      granted     settled          leaving       ended
//! subscription  |--- may ---|--- may ---|---- must -----|---- may ----| must not
//! publish                                 |-------|
//!                                    published  answered
//! ```
//!
//! A *must* is a publish that begins after `settled`, is accepted and is answered before `leaving`. It
//! *must not* arrive where it does not match, where it was refused, where it was answered before the
//! subscription was asked for, and nothing may arrive after `ended`. Everything between is *may*: the
//! two crossed, or it fell into the silent window after the grant (GQL-SUB-022, EVT-SUB-013). Since
//! frames of one connection keep their order, what arrives before `ended` is never late.
//!
//! Deliberately unknown: sockets, bodies, who speaks for whom. No order of events is ever judged
//! (GQL-SUB-019, EVT-DATA-007). Memory is bounded by [`EVENTS_REMEMBERED_MAX`] and
//! [`ENDED_REMEMBERED_MAX`]; what is forgotten is let go, never reported as a fault.

mod judgement;
mod matching;

pub use judgement::{Kind, Misdelivery};

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::channel::{Channel, ChannelPattern};
use crate::json::Json;
use crate::moment::Moment;

/// Events remembered; beyond it the oldest is forgotten with everything still owed, and a late arrival
/// of it counts as [`Kind::Unknown`].
pub const EVENTS_REMEMBERED_MAX: usize = 16_384;

/// Ended subscriptions remembered; beyond it the one that ended first is forgotten, and an arrival on
/// it counts as one on a subscription that nobody asked for. Those that have not ended never are.
pub const ENDED_REMEMBERED_MAX: usize = 16_384;

/// Names one life of one subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionKey {
    /// The connection, in the observer's own counting.
    pub connection: u32,
    /// The id on that connection.
    pub id: String,
    /// Which use of the id on that connection; a greater number is a later one.
    pub generation: u32,
}

impl fmt::Display for SubscriptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, id, generation } = self;
        write!(f, "{id:?} (connection {connection}, generation {generation})")
    }
}

/// What a subscription asked to hear.
#[derive(Clone, Debug, PartialEq)]
pub enum Interest {
    /// Events on a channel or below a prefix (Events).
    Channel(ChannelPattern),
    /// Results of the mutations behind one field (GraphQL).
    Field {
        /// Field of the Subscription type.
        field: String,
        /// Arguments that were supplied; an explicit null is one of them.
        arguments: BTreeMap<String, Json>,
    },
}

/// What a nonce was published on.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A channel (Events).
    Channel(Channel),
    /// A mutation's result for the subscribers of one field (GraphQL).
    Field {
        /// Field of the Subscription type.
        field: String,
        /// The result keyed by field name, with just what the mutation selected.
        object: Json,
    },
}

/// What a subscription is due of an event, as far as is known now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It has to arrive, once.
    Must,
    /// It may arrive, once.
    May,
    /// It must not arrive any more, or not at all.
    MustNot,
}

/// Counts what the observer told; greater is later.
type Step = u64;
/// Names a subscription in the small: what events remember of it.
type Place = u64;

#[derive(Clone, Debug)]
struct Subscription {
    key: SubscriptionKey,
    interest: Interest,
    asked: Step,
    granted: bool,
    settled: Option<Step>,
    /// First sign that it will end: the unsubscribe, or the end itself.
    left: Option<(Step, Moment)>,
    ended: bool,
}

#[derive(Clone, Debug)]
struct Answer {
    step: Step,
    at: Moment,
    accepted: bool,
}

#[derive(Clone, Debug)]
struct Event {
    nonce: String,
    /// Connection of the publisher, where the event came over one.
    by: Option<u32>,
    subjects: Vec<Subject>,
    published: Step,
    answer: Option<Answer>,
    /// Where it has arrived, and whether that was reported.
    arrived: BTreeMap<Place, bool>,
    /// Where it still has to arrive.
    owed: BTreeSet<Place>,
}

/// Everything published, subscribed and delivered, as far as it matters for what may come next.
#[derive(Clone, Debug, Default)]
pub struct DeliveryModel {
    now: Moment,
    step: Step,
    places: BTreeMap<SubscriptionKey, Place>,
    subscriptions: BTreeMap<Place, Subscription>,
    ended: VecDeque<Place>,
    events: BTreeMap<String, Event>,
    /// Nonces in the order of publishing.
    order: VecDeque<String>,
    /// Nonces that may still be owed, in the order of their answers.
    unpaid: VecDeque<String>,
    strangers: u64,
}

impl DeliveryModel {
    /// Nothing published, nobody subscribed.
    pub fn new() -> Self {
        Self::default()
    }

    /// The client sends its subscribe. A key is used once: asking again changes nothing.
    pub fn asked(&mut self, at: Moment, key: SubscriptionKey, interest: Interest) {
        let asked = self.tell(at);
        if self.places.contains_key(&key) {
            return;
        }
        self.places.insert(key.clone(), asked);
        let subscription =
            Subscription { key, interest, asked, granted: false, settled: None, left: None, ended: false };
        self.subscriptions.insert(asked, subscription);
    }

    /// The server has acknowledged it. Events may still be lost (GQL-SUB-022, EVT-SUB-013).
    pub fn granted(&mut self, at: Moment, key: &SubscriptionKey) {
        self.tell(at);
        if let Some(subscription) = self.subscription_mut(key) {
            subscription.granted = true;
        }
    }

    /// A first event has arrived, or the server is known to be ready: from here on loss counts.
    pub fn settled(&mut self, at: Moment, key: &SubscriptionKey) {
        let step = self.tell(at);
        if let Some(subscription) = self.subscription_mut(key) {
            subscription.settled.get_or_insert(step);
        }
    }

    /// The client sends its unsubscribe.
    pub fn leaving(&mut self, at: Moment, key: &SubscriptionKey) {
        let step = self.tell(at);
        let now = self.now;
        if let Some(subscription) = self.subscription_mut(key) {
            subscription.left.get_or_insert((step, now));
        }
    }

    /// The server has confirmed the end or refused the subscribe, or the connection is over.
    pub fn ended(&mut self, at: Moment, key: &SubscriptionKey) {
        self.leaving(at, key);
        let Some(place) = self.places.get(key).copied() else { return };
        let Some(subscription) = self.subscriptions.get_mut(&place) else { return };
        if !core::mem::replace(&mut subscription.ended, true) {
            self.ended.push_back(place);
            self.forget_ended();
        }
    }

    /// A publish is about to be sent, over the connection `by` if it is one of the observer's.
    ///
    /// A nonce is used once. Telling it again before its answer adds a subject: a mutation may be
    /// listened to by several fields. After its answer it changes nothing.
    pub fn published(&mut self, at: Moment, nonce: &str, by: Option<u32>, subject: Subject) {
        let published = self.tell(at);
        if let Some(event) = self.events.get_mut(nonce) {
            if event.answer.is_none() {
                event.subjects.push(subject);
            }
            return;
        }
        let event = Event {
            nonce: nonce.into(),
            by,
            subjects: alloc::vec![subject],
            published,
            answer: None,
            arrived: BTreeMap::new(),
            owed: BTreeSet::new(),
        };
        self.events.insert(nonce.into(), event);
        self.order.push_back(nonce.into());
        if self.order.len() > EVENTS_REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.events.remove(&oldest);
        }
    }

    /// The publisher has its answer; only the first one counts.
    ///
    /// Whoever received a refused event before the refusal was known comes back now (GQL-SUB-018,
    /// EVT-PUB-011).
    pub fn publish_answered(&mut self, at: Moment, nonce: &str, accepted: bool) -> Vec<Misdelivery> {
        let step = self.tell(at);
        let now = self.now;
        let Some(event) = self.events.get_mut(nonce).filter(|event| event.answer.is_none()) else { return Vec::new() };
        event.answer = Some(Answer { step, at: now, accepted });
        if accepted {
            let due = self.subscriptions.iter().filter(|(place, subscription)| {
                !event.arrived.contains_key(place) && judgement::duty(subscription, event) == Duty::Must
            });
            event.owed = due.map(|(place, _)| *place).collect();
            if !event.owed.is_empty() {
                self.unpaid.push_back(nonce.into());
            }
            return Vec::new();
        }
        let welcome: Vec<Place> = event.arrived.iter().filter(|(_, reported)| !**reported).map(|(p, _)| *p).collect();
        event.arrived.values_mut().for_each(|reported| *reported = true);
        let event = &*event;
        let told = welcome.iter().filter_map(|place| self.subscriptions.get(place));
        told.map(|subscription| judgement::refused(subscription, event, now)).collect()
    }

    /// An event has arrived on a subscription. Says what is wrong with that, if anything is.
    ///
    /// Strangers are reported once for all: the first says that somebody else uses the endpoint, the
    /// others are counted by [`DeliveryModel::strangers`].
    pub fn delivered(&mut self, at: Moment, key: &SubscriptionKey, nonce: &str) -> Option<Misdelivery> {
        self.tell(at);
        let now = self.now;
        let known = self.places.get(key).and_then(|place| Some((*place, self.subscriptions.get(place)?)));
        let Some(event) = self.events.get_mut(nonce) else {
            let neighbour = known.map(|(_, s)| s).or_else(|| neighbour(&self.places, &self.subscriptions, key));
            self.strangers += 1;
            return (self.strangers == 1).then(|| judgement::stranger(neighbour, key, nonce, now));
        };
        let Some((place, subscription)) = known else { return Some(judgement::unasked(event, key, now)) };
        event.owed.remove(&place);
        let again = event.arrived.contains_key(&place);
        let wrong = judgement::arrival(subscription, event, again, now);
        *event.arrived.entry(place).or_default() |= wrong.is_some();
        wrong
    }

    /// Events that had to arrive within `patience` of their answer and did not; each is reported once.
    ///
    /// A subscription that was left within that time is let go: the event may have been under way.
    pub fn overdue(&mut self, now: Moment, patience: Duration) -> Vec<Misdelivery> {
        self.tell(now);
        let mut missing = Vec::new();
        while let Some(nonce) = self.unpaid.front() {
            if let Some(event) = self.events.get_mut(nonce)
                && let Some(answer) = &event.answer
            {
                let due = answer.at + patience;
                if due > self.now {
                    break;
                }
                let owed = core::mem::take(&mut event.owed);
                let stayed = |s: &&Subscription| s.left.is_none_or(|(_, left)| left >= due);
                let waited = owed.iter().filter_map(|place| self.subscriptions.get(place)).filter(stayed);
                let beside = |s: &Subscription| {
                    let mut places = event.arrived.keys().filter_map(|place| self.subscriptions.get(place));
                    places.any(|other| other.key.connection == s.key.connection)
                };
                missing.extend(waited.map(|s| judgement::missing(s, event, beside(s), self.now, patience)));
            }
            self.unpaid.pop_front();
        }
        missing
    }

    /// What a subscription is due of an event, whether or not it has arrived already.
    ///
    /// Nothing, if either is unknown. A *must* becomes *must not* when the subscription has ended:
    /// what has not arrived by then cannot any more.
    pub fn duty(&self, key: &SubscriptionKey, nonce: &str) -> Duty {
        let subscription = self.places.get(key).and_then(|place| self.subscriptions.get(place));
        match (subscription, self.events.get(nonce)) {
            (Some(subscription), Some(_)) if subscription.ended => Duty::MustNot,
            (Some(subscription), Some(event)) => judgement::duty(subscription, event),
            (None, _) | (_, None) => Duty::MustNot,
        }
    }

    /// The life that a frame with this id belongs to: the last one granted, or else the last asked for.
    ///
    /// Late data belongs to the previous life until the new one is granted.
    pub fn addressee(&self, connection: u32, id: &str) -> Option<&SubscriptionKey> {
        let key = |generation| SubscriptionKey { connection, id: id.to_string(), generation };
        let lives = || self.places.range(key(0)..=key(u32::MAX)).rev().filter_map(|(_, p)| self.subscriptions.get(p));
        lives().find(|life| life.granted).or_else(|| lives().next()).map(|life| &life.key)
    }

    /// Arrivals of nonces that nobody published, or that were forgotten.
    pub const fn strangers(&self) -> u64 {
        self.strangers
    }

    /// Takes note of the time, which never goes back, and counts what is told.
    fn tell(&mut self, at: Moment) -> Step {
        self.now = self.now.max(at);
        self.step += 1;
        self.step
    }

    fn subscription_mut(&mut self, key: &SubscriptionKey) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(self.places.get(key)?)
    }

    fn forget_ended(&mut self) {
        if self.ended.len() > ENDED_REMEMBERED_MAX
            && let Some(subscription) = self.ended.pop_front().and_then(|place| self.subscriptions.remove(&place))
        {
            self.places.remove(&subscription.key);
        }
    }
}

/// Any subscription on the connection of `key`, to know its dialect.
fn neighbour<'s>(
    places: &BTreeMap<SubscriptionKey, Place>,
    subscriptions: &'s BTreeMap<Place, Subscription>,
    key: &SubscriptionKey,
) -> Option<&'s Subscription> {
    let first = SubscriptionKey { connection: key.connection, id: String::new(), generation: 0 };
    let (found, place) = places.range(first..).next()?;
    (found.connection == key.connection).then(|| subscriptions.get(place)).flatten()
}

#[cfg(test)]
mod tests;
