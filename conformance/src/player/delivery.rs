//! What one scenario tells the delivery model, and what the model's answers mean for the peer.
//!
//! Every subscribe, publish, answer and event of the scenario is told to one [`DeliveryModel`], so that a
//! leak, a repetition or a loss is found wherever it happens, not just where a step forbids it. The model is
//! told only what is certain. Never judged by it are
//!
//! - a connection over which the scenario has sent what is no message,
//! - a GraphQL operation of any but the simplest form, or of a field that is not of the suite's schemas,
//! - an id that was asked for again before its first life was over, or whose refusal or end may be about a stop of it
//!   from before,
//! - a nonce that was published twice, or that names a channel or an argument too,
//! - a publish of more than 32 KiB, which a service may drop for its size.
//!
//! For these the older and coarser rule stands: the same body on the same id twice, unless its nonce was published
//! twice, and events of another scenario where only this one's are wanted. What a step forbids by name comes before all of it.
//!
//! A loss needs more than a missing event: the step limit has to be over, the connection of the subscription has
//! to have spoken after that, nothing may have come that could have been the event, and, as with every silence, a
//! second try has to show the same.

mod publishes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use appsync_protocol::channel::ChannelPattern;
use appsync_protocol::conversation::Heard;
use appsync_protocol::delivery::{DeliveryModel, Interest, Kind, Misdelivery, SubscriptionKey};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::finding::Finding;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::message::{Message, Operation as Refusable};
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::wire::Side;

use super::inbox::{HeardEvent, nonces};
use super::operation::Operation;
use crate::scenario::Conn;
use publishes::{FIELDS, LARGE};

/// Everything asked for, published and delivered in one scenario.
pub(super) struct Deliveries {
    dialect: Dialect,
    prefix: String,
    model: DeliveryModel,
    forbidden: Vec<Forbidden>,
    lives: BTreeMap<(Conn, String), Life>,
    /// Publishes without an answer: the nonce of each event, where it was told.
    pending: BTreeMap<Asked, Vec<Option<String>>>,
    events: BTreeMap<String, Told>,
    /// Nonces in channels and arguments.
    places: BTreeSet<String>,
    /// Connections that are not judged by the model.
    mute: BTreeSet<Conn>,
    /// The model is told of no events.
    is_blind: bool,
    /// Losses that a sign of life of their connection would confirm.
    suspects: Vec<Misdelivery>,
}

/// What a step forbids.
pub(super) struct Forbidden {
    pub(super) conn: Conn,
    pub(super) id: Option<String>,
    pub(super) nonce: String,
    pub(super) rule: Requirement,
}

/// The publish that an answer belongs to.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Call(u32),
    Frame(Conn, String),
}

/// The last life of an id.
struct Life {
    generation: u32,
    asked: Moment,
    phase: Phase,
    /// Something came that cannot be told apart, and that may have been an event: none counts as lost.
    blurred: bool,
    /// The id was stopped while nothing was granted under it: a refusal or an end may be the answer to that.
    stray: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Pending,
    Granted,
    Ended,
    /// The model is not told of it any more.
    Opaque,
}

/// An event that the model was told of.
struct Told {
    answered: Option<Moment>,
    /// It cannot be told apart, so nothing is said of it.
    tainted: bool,
    /// It was published more than once, so it may come more than once.
    repeated: bool,
    /// What has to stand in the answer.
    object: Json,
}

/// What is wrong with an event.
pub(super) enum Wrong {
    /// A step forbids it: the rule, what was expected and what came.
    Forbidden { rule: Requirement, expected: String, got: String },
    /// It is a finding.
    Found(Finding),
}

impl Life {
    /// That of an id which nothing was asked for under.
    const fn none(at: Moment) -> Self {
        Self { generation: 0, asked: at, phase: Phase::Ended, blurred: false, stray: false }
    }
}

impl Deliveries {
    pub(super) fn new(dialect: Dialect, prefix: &str) -> Self {
        Self {
            dialect,
            prefix: prefix.into(),
            model: DeliveryModel::new(),
            forbidden: Vec::new(),
            lives: BTreeMap::new(),
            pending: BTreeMap::new(),
            events: BTreeMap::new(),
            places: BTreeSet::new(),
            mute: BTreeSet::new(),
            is_blind: false,
            suspects: Vec::new(),
        }
    }

    /// From here on no event is told to the model.
    pub(super) fn tell_no_events(&mut self) {
        self.is_blind = true;
    }

    pub(super) fn forbid(&mut self, forbidden: Forbidden) {
        self.forbidden.push(forbidden);
    }

    pub(super) fn forbids_anything(&self) -> bool {
        !self.forbidden.is_empty()
    }

    /// Whether anything could still go wrong that nobody has waited for.
    pub(super) fn has_any(&self) -> bool {
        !self.forbidden.is_empty() || self.lives.values().any(|life| life.phase != Phase::Opaque)
    }

    /// From here on nothing about this connection is told to the model.
    fn mute(&mut self, conn: Conn) {
        self.mute.insert(conn);
    }

    /// The scenario says something.
    pub(super) fn said(&mut self, at: Moment, conn: Conn, heard: &Heard<'_>) {
        let decoded = match heard {
            Heard::Message(decoded) => decoded,
            // What is under way now may still come.
            Heard::Closed | Heard::Lost | Heard::Unreadable(_) | Heard::Binary => return self.mute(conn),
            Heard::Control => return,
        };
        match &decoded.message {
            Message::Subscribe { id, request, .. } => self.asked(at, conn, id, request.get()),
            Message::Unsubscribe { id } => {
                if let Some(key) = self.key(conn, id) {
                    self.model.leaving(at, &key);
                }
                let life = self.lives.entry((conn, id.to_string())).or_insert(Life::none(at));
                life.stray |= life.phase != Phase::Granted;
            }
            Message::Publish { id, channel, events, .. } if !self.mute.contains(&conn) => {
                let by = Some(u32::from(conn));
                let told = match (parse_json(channel.get()), events.get()) {
                    (Some(channel), events) if events.len() <= LARGE => {
                        self.published_on(at, by, &channel, &parse_json(events).unwrap_or_default())
                    }
                    (Some(_) | None, _) => Vec::new(),
                };
                if let Some(before) = self.pending.insert(Asked::Frame(conn, id.to_string()), told) {
                    // Two answers for one id: there is no saying which belongs to which.
                    self.taint(&before);
                    if let Some(told) = self.pending.remove(&Asked::Frame(conn, id.to_string())) {
                        self.taint(&told);
                    }
                }
            }
            Message::Publish { .. }
            | Message::Init
            | Message::Ack { .. }
            | Message::Rejected { .. }
            | Message::KeepAlive
            | Message::Granted { .. }
            | Message::Refused { .. }
            | Message::Data { .. }
            | Message::BroadcastFailed { .. }
            | Message::Ended { .. }
            | Message::Published { .. }
            | Message::Unknown { .. } => {}
        }
    }

    /// The peer says something other than an event. Gives events that it had sent and refuses now.
    pub(super) fn heard(&mut self, at: Moment, conn: Conn, heard: &Heard<'_>) -> Vec<Finding> {
        let message = match heard {
            Heard::Message(decoded) => &decoded.message,
            Heard::Closed | Heard::Lost => {
                self.mute(conn);
                return Vec::new();
            }
            Heard::Unreadable(_) | Heard::Binary => {
                self.blur(conn);
                return Vec::new();
            }
            Heard::Control => return Vec::new(),
        };
        match message {
            Message::Granted { id } => self.granted(at, conn, id),
            Message::Ended { id } if self.may_be_of_a_stop(conn, id) => self.forget(at, conn, id),
            Message::Ended { id } => self.ended(at, conn, id),
            Message::Refused { id: Some(id), operation, .. } => return self.refused(at, conn, id, *operation),
            Message::Published { id, successful, failed } => {
                let Some(told) = self.pending.remove(&Asked::Frame(conn, id.to_string())) else { return Vec::new() };
                let successful = successful.and_then(|list| parse_json(list.get()));
                let failed = failed.and_then(|list| parse_json(list.get()));
                return self.settle_events(at, &told, successful.as_ref(), failed.as_ref());
            }
            Message::Refused { id: None, .. }
            | Message::Init
            | Message::Ack { .. }
            | Message::Rejected { .. }
            | Message::KeepAlive
            | Message::Subscribe { .. }
            | Message::Data { .. }
            | Message::BroadcastFailed { .. }
            | Message::Unsubscribe { .. }
            | Message::Publish { .. }
            | Message::Unknown { .. } => {}
        }
        Vec::new()
    }

    /// An event of a warm-up has arrived: from here on loss counts.
    pub(super) fn settled(&mut self, at: Moment, conn: Conn, id: &str) {
        if let Some(key) = self.key(conn, id) {
            self.model.settled(at, &key);
        }
    }

    /// No event counts as lost any more on this connection: what came on it may have been the one.
    fn blur(&mut self, conn: Conn) {
        let lives = self.lives.iter_mut().filter(|((own, _), _)| *own == conn);
        lives.for_each(|(_, life)| life.blurred = true);
    }

    /// Holds an event against what is forbidden, against the model, and where that knows nothing against what
    /// has come before. `blamed`: the frame has been found to break a rule already.
    pub(super) fn arrived(
        &mut self,
        at: Moment,
        conn: Conn,
        event: &HeardEvent,
        blamed: bool,
        calm: Duration,
    ) -> Option<Wrong> {
        let judged = self.judged(at, conn, event, calm);
        if let Some(broken) = self.broken(conn, event) {
            let Forbidden { rule, nonce, .. } = broken;
            let what = if event.anonymous { "without any nonce".into() } else { format!("with {nonce}") };
            let expected = format!("nothing with {nonce} for {:?}", event.id);
            return Some(Wrong::Forbidden { rule: *rule, expected, got: format!("data id={:?} {what}", event.id) });
        }
        if blamed {
            self.blur(conn);
        }
        if let Some(wrong) = judged {
            return wrong.filter(|_| !blamed).map(|wrong| Wrong::Found(finding(wrong)));
        }
        let repeated = event.nonces.iter().any(|nonce| self.events.get(nonce).is_some_and(|told| told.repeated));
        let (graphql, events, detail) = if event.again && !repeated {
            (Requirement::GqlSub017, Requirement::EvtData004, format!("sent the same event to {:?} twice", event.id))
        } else if event.foreign {
            let detail = format!("sent an event of another scenario to {:?}", event.id);
            (Requirement::GqlFilter002, Requirement::EvtData006, detail)
        } else {
            return None;
        };
        let requirement = match self.dialect {
            Dialect::Graphql => graphql,
            Dialect::Events => events,
        };
        Some(Wrong::Found(Finding { requirement, by: Side::Server, at, detail }))
    }

    /// A connection has spoken: losses of which it was the last doubt.
    pub(super) fn spoke(&mut self, at: Moment, conn: Conn, patience: Duration) -> Vec<Finding> {
        let (lives, muted) = (&self.lives, self.mute.contains(&conn));
        let sharp = |wrong: &Misdelivery| {
            let place = u8::try_from(wrong.key.connection).ok().map(|conn| (conn, wrong.key.id.clone()));
            let life = place.and_then(|place| lives.get(&place));
            life.is_some_and(|l| {
                !muted && !l.blurred && l.phase == Phase::Granted && l.generation == wrong.key.generation
            })
        };
        let missing = self.model.overdue(at, patience);
        let told = |nonce: &str| self.events.get(nonce).is_some_and(|told| !told.tainted);
        self.suspects.extend(missing.into_iter().filter(|wrong| told(&wrong.nonce)));
        let (mut found, mut left) = (Vec::new(), Vec::new());
        for wrong in std::mem::take(&mut self.suspects) {
            match wrong.key.connection == u32::from(conn) {
                true if sharp(&wrong) => found.push(finding(wrong)),
                true => {}
                false => left.push(wrong),
            }
        }
        self.suspects = left;
        found
    }

    /// What the model says: nothing of what it does not know, and inside that what is wrong.
    fn judged(&mut self, at: Moment, conn: Conn, event: &HeardEvent, calm: Duration) -> Option<Option<Misdelivery>> {
        if event.anonymous
            && let Some(life) = self.lives.get_mut(&(conn, event.id.clone()))
        {
            life.blurred = true;
        }
        let mut known = event.nonces.iter().filter(|nonce| self.events.contains_key(*nonce));
        let nonce = known.next().filter(|_| known.next().is_none())?.clone();
        let told = self.events.get(&nonce).filter(|told| !told.tainted && !self.places.contains(&nonce))?;
        let answered = told.answered;
        self.key(conn, &event.id)?;
        let key = self.model.addressee(u32::from(conn), &event.id)?.clone();
        self.suspects.retain(|suspect| suspect.key != key || suspect.nonce != nonce);
        let wrong = self.model.delivered(at, &key, &nonce).filter(|wrong| match wrong.kind {
            Kind::Forbidden | Kind::Duplicate => true,
            Kind::Missing | Kind::Unknown => false,
        });
        let asked = self.lives.get(&(conn, event.id.clone())).map(|life| life.asked);
        // A service may hand out what it has taken some moments later: to be of the past, an event has to have
        // been answered a good while before the subscription was asked for.
        let long_ago = answered.zip(asked).is_some_and(|(answered, asked)| answered + calm <= asked);
        let of_the_past = [Requirement::GqlSub020, Requirement::EvtData008];
        Some(wrong.filter(|wrong| long_ago || !of_the_past.contains(&wrong.requirement)))
    }

    /// An event that carries no nonce at all, where one is forbidden by name, was cut until it could not be told
    /// any more: nobody in this run publishes such a thing.
    fn broken(&self, conn: Conn, event: &HeardEvent) -> Option<&Forbidden> {
        self.forbidden.iter().find(|f| match &f.id {
            _ if f.conn != conn => false,
            Some(id) => *id == event.id && (event.anonymous || event.nonces.contains(&f.nonce)),
            None => event.nonces.contains(&f.nonce),
        })
    }

    fn asked(&mut self, at: Moment, conn: Conn, id: &str, request: &str) {
        self.places.extend(nonces(request, &self.prefix));
        let interest = if self.mute.contains(&conn) { None } else { self.interest(request) };
        let life = self.lives.entry((conn, id.to_owned())).or_insert(Life::none(at));
        match (life.phase, interest) {
            (Phase::Ended, Some(interest)) => {
                let generation = life.generation + 1;
                *life = Life { generation, asked: at, phase: Phase::Pending, blurred: false, stray: life.stray };
                let key = SubscriptionKey { connection: u32::from(conn), id: id.into(), generation };
                self.model.asked(at, key, interest);
            }
            // Which of two lives an answer or an event belongs to is the conversation's business.
            (Phase::Ended | Phase::Pending | Phase::Granted | Phase::Opaque, _) => self.forget(at, conn, id),
        }
    }

    fn interest(&self, request: &str) -> Option<Interest> {
        match self.dialect {
            Dialect::Events => {
                let channel = parse_json(request)?;
                ChannelPattern::parse(channel.as_str()?).ok().map(Interest::Channel)
            }
            Dialect::Graphql => {
                let payload = parse_json(request)?;
                let Operation { subscribes, field, arguments, .. } =
                    Operation::read(payload.get("data").and_then(Json::as_str)?)?;
                let known = FIELDS.iter().find(|known| subscribes && known.subscription == field)?;
                let matched = arguments.keys().all(|name| known.matched.contains(&name.as_str()));
                matched.then_some(Interest::Field { field, arguments })
            }
        }
    }

    fn granted(&mut self, at: Moment, conn: Conn, id: &str) {
        let Some(key) = self.key(conn, id) else { return };
        self.model.granted(at, &key);
        if let Some(life) = self.lives.get_mut(&(conn, id.to_owned())) {
            life.phase = Phase::Granted;
        }
    }

    fn ended(&mut self, at: Moment, conn: Conn, id: &str) {
        let Some(key) = self.key(conn, id) else { return };
        self.model.ended(at, &key);
        if let Some(life) = self.lives.get_mut(&(conn, id.to_owned())) {
            life.phase = Phase::Ended;
        }
    }

    /// Whether an answer under this id may be that of a stop from before it was asked for.
    fn may_be_of_a_stop(&self, conn: Conn, id: &str) -> bool {
        self.lives.get(&(conn, id.to_owned())).is_some_and(|life| life.stray && life.phase == Phase::Pending)
    }

    fn refused(&mut self, at: Moment, conn: Conn, id: &str, operation: Option<Refusable>) -> Vec<Finding> {
        let phase = self.lives.get(&(conn, id.to_owned())).map(|life| life.phase);
        let publish = Asked::Frame(conn, id.into());
        match (operation, phase) {
            (Some(Refusable::Publish) | None, _) if self.pending.contains_key(&publish) => {
                let told = self.pending.remove(&publish).unwrap_or_default();
                return self.settle_all(at, &told, false);
            }
            // GQL-ERR-005, EVT-A-17: an empty id of an error may stand for none.
            (None, _) if id.is_empty() || self.may_be_of_a_stop(conn, id) => self.forget(at, conn, id),
            (Some(Refusable::Subscribe) | None, Some(Phase::Pending)) => self.ended(at, conn, id),
            // Whether the subscription has survived is not said.
            (Some(Refusable::Subscribe) | None, Some(Phase::Granted)) => self.forget(at, conn, id),
            (Some(Refusable::Subscribe) | None, Some(Phase::Ended | Phase::Opaque) | None)
            | (Some(Refusable::Unsubscribe | Refusable::Publish), _) => {}
        }
        Vec::new()
    }

    /// Says nothing more of a subscription.
    fn forget(&mut self, at: Moment, conn: Conn, id: &str) {
        self.ended(at, conn, id);
        if let Some(life) = self.lives.get_mut(&(conn, id.to_owned())) {
            life.phase = Phase::Opaque;
        }
    }

    /// The last life of an id, where the model knows it.
    fn key(&self, conn: Conn, id: &str) -> Option<SubscriptionKey> {
        let life = self.lives.get(&(conn, id.to_owned())).filter(|life| life.phase != Phase::Opaque)?;
        let generation = life.generation;
        (!self.mute.contains(&conn)).then(|| SubscriptionKey { connection: u32::from(conn), id: id.into(), generation })
    }
}

fn finding(wrong: Misdelivery) -> Finding {
    Finding { requirement: wrong.requirement, by: Side::Server, at: wrong.at, detail: wrong.detail }
}
