//! One connection seen from the server: what it answers, when it speaks unasked, what it delivers.
//!
//! ```text
//!                connection_init              close, lost, end of life
//!   Open ------------------------------> Ready ----------------------------> Gone
//!     |  Events: operations work here too  |                                  ^
//!     +-- credentials refused --> Refused -+--- connection_error, then close -+
//! ```
//!
//! Knows no GraphQL text and no secrets: a [`Host`] reads documents and judges credentials. Knows no
//! other connection: [`crate::hub`] routes events. It speaks through a queue of frames and says when it
//! wants to be woken; whoever drives it owns the clock and the socket.

mod eventual;
mod handler;
mod invalidation;
mod operations;
mod pending;
pub mod policy;
mod publish;
pub mod readings;
pub mod refusal;
mod subscriptions;
mod topic;

pub(crate) use eventual::Draw;
pub use eventual::Eventual;
pub use handler::{Handled, Hook, Outcome, Rejection};
pub use operations::check_namespace;
pub use pending::PENDING_MAX;
pub use policy::{Check, GqlA07, Policy, Skipped};
pub use publish::{Batch, Settled, read_publish};
pub use readings::Readings;
pub use refusal::{Refusal, errors_json};
pub(crate) use topic::{Move, Topic};

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use self::pending::Effect;
use self::readings::{ConnectWord, EarlyOperations, EventForm, RefusalTime, WithoutInit};
use self::refusal::graphql_errors_json;
use crate::channel::{Channel, ChannelPattern};
use crate::dialect::{Dialect, decode};
use crate::encode::ObjectWriter;
use crate::envelope::Raw;
use crate::filter::Filter;
use crate::json::{Json, push_json_string};
use crate::message::Message;
use crate::moment::{Deadline, Moment, Timer};
use crate::selection::Selection;
use crate::wire::{Frame, OwnedFrame};
use subscriptions::Subscriptions;

/// What a server asks of the program around it.
pub trait Host {
    /// Judges the credentials of one operation, and says who asks; `presented` is `None` where it carries none.
    ///
    /// # Errors
    /// The refusal that the client is to see.
    fn authorize(&mut self, asked: Asked<'_>, presented: Option<Raw<'_>>) -> Result<Identity, Refusal>;

    /// Reads the GraphQL request inside a `start`.
    ///
    /// # Errors
    /// The errors that the client is to see: syntax, validation, variables, not a subscription, not for `who`.
    fn plan(&mut self, request: &str, who: &Identity, checks: PlanChecks) -> Result<Plan, Vec<Refusal>>;

    /// Whether rates allow an operation of Events that is authorized (EVT-LIMIT-005, EVT-LIMIT-007).
    ///
    /// # Errors
    /// The refusal that the client is to see. Unless a host says otherwise, rates are not limited.
    fn admits(&mut self, _asked: Asked<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    /// Runs the publish handler of the namespace over the events, JSON texts all of them (EVT-DATA-010).
    ///
    /// An outcome for each event, in order. Unless a host says otherwise, there are no handlers.
    fn publishing(&mut self, _who: &Identity, _channel: &Channel, events: &[&str]) -> Handled<Vec<Outcome>> {
        Handled::at_once(Ok(alloc::vec![Outcome::Unchanged; events.len()]))
    }

    /// Runs the subscribe handler of the namespace (EVT-SUB-011, EVT-SUB-027).
    fn subscribing(&mut self, _who: &Identity, _pattern: &ChannelPattern) -> Handled<()> {
        Handled::at_once(Ok(()))
    }
}

/// What credentials are presented for, with what they may depend on or have to cover.
#[derive(Clone, Copy)]
pub enum Asked<'a> {
    /// `start`
    Start {
        /// Text of `payload.data`, which a signature covers as it is (GQL-AUTH-008).
        data: &'a str,
    },
    /// `subscribe`
    Subscribe {
        /// The channel as it was written (EVT-AUTH-007).
        channel: &'a str,
        /// Its namespace, which decides about modes (EVT-AUTH-017).
        namespace: &'a str,
    },
    /// `publish`
    Publish {
        /// The channel as it was written (EVT-AUTH-008).
        channel: &'a str,
        /// Its namespace, which decides about modes (EVT-AUTH-017).
        namespace: &'a str,
        /// The events, unparsed.
        events: Raw<'a>,
    },
}

/// How a client can prove who it is. Source: GQL-AUTH-002 to GQL-AUTH-006, EVT-AUTH-001 to EVT-AUTH-005.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// An API key.
    #[default]
    ApiKey,
    /// A SigV4 signature.
    Iam,
    /// A JWT of an OpenID Connect provider.
    Oidc,
    /// A JWT of a Cognito user pool.
    Cognito,
    /// A token that a Lambda function judges.
    Lambda,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 5] = [Self::ApiKey, Self::Iam, Self::Oidc, Self::Cognito, Self::Lambda];
}

/// Who asks, once the credentials are good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// How it was proven.
    pub mode: Mode,
    /// Subject of a token or access key id; empty for an API key.
    pub name: String,
    /// Groups of a Cognito token.
    pub groups: Vec<String>,
    /// GraphQL fields that the authorizer denies, as `Type.field` or an ARN that ends in `types/T/fields/f`.
    pub denied_fields: Vec<String>,
}

/// Which of a host's checks of a document apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanChecks {
    /// The document is validated.
    pub document: bool,
    /// Only subscriptions are taken.
    pub subscriptions_only: bool,
}

/// A subscription of the GraphQL dialect, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Field of the Subscription type.
    pub field: String,
    /// Key of the field in the answer.
    pub key: String,
    /// Arguments that were supplied; an explicit null is one of them.
    pub arguments: BTreeMap<String, Json>,
    /// What the subscriber wants to see of the event.
    pub selection: Selection,
    /// Whether the schema forbids null for the field itself.
    pub required: bool,
    /// Decides in place of the arguments, if there is one (GQL-FILTER-008).
    pub filter: Option<Filter>,
    /// Which payloads of invalidations end it; without one none does (GQL-FILTER-026, GQL-FILTER-028).
    pub invalidation: Option<Filter>,
}

/// What a subscription wants to hear.
#[derive(Clone, Debug)]
pub enum Interest {
    /// Results of mutations. Subscribers who asked for the same mostly share one plan.
    Field(Arc<Plan>),
    /// Events on a channel or below a prefix.
    Channel(ChannelPattern),
}

/// Something for the hub to do that one connection cannot do alone.
#[derive(Clone, Debug)]
pub struct Broadcast {
    /// The channel.
    pub channel: Channel,
    /// The events, each a JSON string with its quotes, in order.
    pub events: Vec<Arc<str>>,
    /// How long a handler holds them back.
    pub after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ready,
    Refused,
    Gone,
}

/// A subscription that was granted.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) interest: Interest,
    /// What begins each of its messages.
    pub(crate) head: Arc<str>,
    /// Before this it may miss events.
    pub(crate) settles_at: Moment,
    /// Tells it from others of the same id, before and after it.
    pub(crate) life: u64,
}

/// Who on one connection wants something.
pub(crate) enum Hearing<'s> {
    Nobody,
    /// This subscription only, and nothing else waits to be sent.
    One(&'s Subscription),
    /// Several subscriptions, or something else goes first.
    Apart,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Server {
    dialect: Dialect,
    state: State,
    subscriptions: Subscriptions<Subscription>,
    /// Subscriptions that came and left since the hub asked.
    moves: Vec<Move>,
    out: VecDeque<OwnedFrame>,
    /// What is still to come of operations, by time.
    pending: VecDeque<(Moment, Effect)>,
    /// The latest moment it was told.
    now: Moment,
    keep_alive_due: Option<Moment>,
    ends_at: Moment,
    /// Publishes so far, so that no two events get the same identifier.
    publishes: u64,
    /// Tells this connection's identifiers from those of others.
    mint: u64,
    /// Subscriptions granted so far.
    lives: u64,
    /// Times drawn so far.
    draws: u64,
    /// The deadline that the hub knows of.
    pub(crate) noted: Option<Deadline>,
}

impl Server {
    /// A connection that has been upgraded and whose credentials are good. `mint` tells identifiers of its
    /// events from those of other connections.
    pub fn accept(at: Moment, dialect: Dialect, policy: &Policy, mint: u64) -> Self {
        let mut server = Self::new(at, dialect, policy, mint);
        let needs_init = dialect == Dialect::Events && policy.readings.without_init == WithoutInit::Nothing;
        if policy.makes(Check::KeepAlives) && !needs_init {
            server.keep_alive_due = Some(at + policy.keep_alive);
        }
        if dialect == Dialect::Events && policy.readings.without_init == WithoutInit::Acknowledged {
            server.say_ack(policy);
        }
        server
    }

    /// A connection that has been upgraded only to be refused in-band.
    ///
    /// Source: GQL-HANDSHAKE-022, GQL-ERR-024, EVT-HANDSHAKE-012, EVT-CLOSE-008.
    pub fn refuse(at: Moment, dialect: Dialect, policy: &Policy, refusal: &Refusal) -> Self {
        let readings = &policy.readings;
        let mut server = Self::new(at, dialect, policy, 0);
        server.state = State::Refused;
        let told = match dialect {
            Dialect::Graphql => refusal.as_connect_denial(readings.connect_denial),
            Dialect::Events => refusal.as_connect_error(readings.connect_error),
        };
        let word = match (dialect, readings.connect_word) {
            (Dialect::Graphql, ConnectWord::Error) => "error",
            (Dialect::Graphql, ConnectWord::ConnectionError) | (Dialect::Events, _) => "connection_error",
        };
        let due = at + policy.request_max;
        let text = error_message(dialect, word, None, core::slice::from_ref(&told), readings);
        server.postpone(due, Effect::Say(text));
        if policy.makes(Check::CloseAfterRefusal) {
            server.postpone(due, Effect::Close(readings.refusal_close.code()));
        }
        if dialect == Dialect::Graphql || readings.refusal_time == RefusalTime::AtOnce {
            server.hurry(policy);
        }
        server
    }

    fn new(at: Moment, dialect: Dialect, policy: &Policy, mint: u64) -> Self {
        Self {
            dialect,
            state: State::Open,
            subscriptions: Subscriptions::new(),
            moves: Vec::new(),
            out: VecDeque::new(),
            pending: VecDeque::new(),
            now: at,
            keep_alive_due: None,
            ends_at: at + policy.lifetime,
            publishes: 0,
            mint,
            lives: 0,
            draws: 0,
            noted: None,
        }
    }

    /// Which protocol it speaks.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether nothing more can come of it.
    pub const fn is_gone(&self) -> bool {
        matches!(self.state, State::Gone)
    }

    /// The subscriptions by id.
    pub fn subscriptions(&self) -> impl Iterator<Item = (&str, &Interest)> {
        self.subscriptions.iter().map(|(id, subscription)| (id.as_str(), &subscription.interest))
    }

    pub(crate) fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions.get(id)
    }

    /// What came and left since the last call, in order.
    pub(crate) fn take_moves(&mut self) -> Vec<Move> {
        core::mem::take(&mut self.moves)
    }

    /// The plan of the subscription with this life.
    pub(crate) fn plan(&self, life: u64) -> Option<&Arc<Plan>> {
        self.plans().find(|(own, _)| *own == life).map(|(_, plan)| plan)
    }

    /// A plan that says the same as this one.
    pub(crate) fn equal_plan(&self, plan: &Plan) -> Option<&Arc<Plan>> {
        self.plans().map(|(_, own)| own).find(|own| ***own == *plan)
    }

    fn plans(&self) -> impl Iterator<Item = (u64, &Arc<Plan>)> {
        self.subscriptions.iter().filter_map(|(_, own)| match &own.interest {
            Interest::Field(plan) => Some((own.life, plan)),
            Interest::Channel(_) => None,
        })
    }

    /// Puts a plan that says the same in the place of that of the subscription with this life.
    pub(crate) fn share_plan(&mut self, life: u64, shared: &Arc<Plan>) {
        if let Some(own) = self.subscriptions.iter_mut().find(|own| own.life == life) {
            own.interest = Interest::Field(Arc::clone(shared));
        }
    }

    fn keep(&mut self, id: String, subscription: Subscription) {
        self.drop_one(&id);
        self.moves.push(Move::Came { topic: Topic::of(&subscription.interest), life: subscription.life });
        self.subscriptions.insert(id, subscription);
    }

    /// Whether there was one.
    fn drop_one(&mut self, id: &str) -> bool {
        let left = self.subscriptions.remove(id);
        self.moves.extend(left.iter().map(|left| Move::Left(Topic::of(&left.interest))));
        left.is_some()
    }

    /// Ends every subscription without a word.
    pub(crate) fn drop_all(&mut self) {
        self.moves.extend(self.subscriptions.iter().map(|(_, left)| Move::Left(Topic::of(&left.interest))));
        self.subscriptions.clear();
    }

    /// Takes one frame of the client; what it causes beyond this connection is returned.
    pub fn receive(&mut self, at: Moment, frame: Frame<'_>, policy: &Policy, host: &mut dyn Host) -> Option<Broadcast> {
        self.now = at;
        match (self.state, frame) {
            (State::Gone, _) => None,
            (_, Frame::Close { .. } | Frame::Lost) => {
                if policy.makes(Check::CloseFreesIds) {
                    self.drop_all();
                }
                self.pending.clear();
                self.state = State::Gone;
                None
            }
            (_, Frame::Ping(_) | Frame::Pong(_)) => None,
            (State::Refused, Frame::Text { .. } | Frame::Binary(_)) => {
                // EVT-A-09: a refusal that waited for a message.
                self.hurry(policy);
                None
            }
            (State::Open | State::Ready, Frame::Text { text, .. }) => self.read(at, text, policy, host),
            (State::Open | State::Ready, Frame::Binary(_)) => {
                self.unreadable(policy);
                None
            }
        }
    }

    fn read(&mut self, at: Moment, text: &str, policy: &Policy, host: &mut dyn Host) -> Option<Broadcast> {
        let decoded = decode(self.dialect, text);
        let needs_ready = match self.dialect {
            Dialect::Graphql => policy.readings.early_operations == EarlyOperations::Ignored,
            Dialect::Events => !policy.makes(Check::InitOptional),
        };
        let is_init = decoded.as_ref().is_ok_and(|decoded| matches!(decoded.message, Message::Init));
        if needs_ready && self.state == State::Open && !is_init {
            // GQL-INIT-005: what comes before the acknowledgement is ignored.
            return None;
        }
        let Ok(decoded) = decoded else {
            self.misshapen(text, policy);
            return None;
        };
        match &decoded.message {
            Message::Init => self.on_init(at, policy),
            Message::Subscribe { id, request, authorization } => {
                self.on_subscribe(id, *request, *authorization, policy, host);
            }
            Message::Unsubscribe { id } => self.on_unsubscribe(id, policy),
            Message::Publish { id, channel, events, authorization } => {
                return self.on_publish(id, *channel, *events, *authorization, policy, host);
            }
            Message::Unknown { id, .. } => self.on_unknown(id.as_deref(), policy),
            Message::Ack { .. }
            | Message::Rejected { .. }
            | Message::KeepAlive
            | Message::Granted { .. }
            | Message::Refused { .. }
            | Message::Data { .. }
            | Message::BroadcastFailed { .. }
            | Message::Ended { .. }
            | Message::Published { .. } => self.on_unknown(decoded.message.id(), policy),
        }
        None
    }

    fn on_init(&mut self, at: Moment, policy: &Policy) {
        self.state = State::Ready;
        if !policy.makes(Check::InitAnswered) {
            return;
        }
        self.say_ack(policy);
        if policy.makes(Check::KeepAlives) && self.keep_alive_due.is_none() {
            self.keep_alive_due = Some(at + policy.keep_alive);
        }
        if self.dialect == Dialect::Graphql && policy.makes(Check::FirstKeepAlive) {
            self.say("{\"type\":\"ka\"}");
            if policy.makes(Check::KeepAlives) {
                self.keep_alive_due = Some(at + policy.keep_alive);
            }
        }
    }

    fn say_ack(&mut self, policy: &Policy) {
        let named = policy.makes(Check::AckNamesTimeout);
        let mut text = String::new();
        let ack = ObjectWriter::message(&mut text, "connection_ack");
        match (self.dialect, named) {
            (Dialect::Events, true) => ack.number("connectionTimeoutMs", policy.silence_limit_ms),
            (Dialect::Graphql, true) => {
                let mut payload = String::new();
                ObjectWriter::open(&mut payload).number("connectionTimeoutMs", policy.silence_limit_ms).close();
                ack.text("payload", &payload)
            }
            (Dialect::Graphql | Dialect::Events, false) => ack,
        }
        .close();
        self.say(text);
    }

    /// Sends one event to one subscription. `body` is JSON text: the payload, or the event as a string.
    pub fn deliver(&mut self, id: &str, body: &str, form: EventForm) {
        self.say(data_message(self.dialect, id, body, form));
    }

    /// Who wants something.
    pub(crate) fn hearing(&self, mut wants: impl FnMut(&Interest) -> bool) -> Hearing<'_> {
        let mut hearing = self.subscriptions.iter().filter(|(_, own)| wants(&own.interest));
        match (hearing.next(), hearing.next()) {
            (None, _) => Hearing::Nobody,
            (Some((_, only)), None) if self.out.is_empty() => Hearing::One(only),
            (Some(_), _) => Hearing::Apart,
        }
    }

    /// Sends an event to every subscription for which there is a body; whether there was one.
    pub(crate) fn deliver_each<B: AsRef<str>>(
        &mut self,
        form: EventForm,
        mut body: impl FnMut(&Interest) -> Option<B>,
    ) -> bool {
        let mut is_heard = false;
        for (id, subscription) in self.subscriptions.iter() {
            if let Some(body) = body(&subscription.interest) {
                is_heard = true;
                self.out.push_back(OwnedFrame::text(data_message(self.dialect, id, body.as_ref(), form)));
            }
        }
        is_heard
    }

    /// Lets time pass: keep-alives, and the end of the connection's life.
    pub fn elapse(&mut self, at: Moment, policy: &Policy) {
        self.now = at;
        self.catch_up(policy);
        if matches!(self.state, State::Refused | State::Gone) {
            return;
        }
        if self.ends_at <= at {
            self.close(1000, "");
        } else if self.keep_alive_due.is_some_and(|due| due <= at) {
            // Late is late: one keep-alive now, not one for each period that was slept through.
            self.say("{\"type\":\"ka\"}");
            self.keep_alive_due = Some(at + policy.keep_alive.max(Duration::from_millis(1)));
        }
    }

    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<Deadline> {
        let pending = self.pending.front().map(|(at, _)| Deadline { at: *at, why: Timer::Delivery });
        if matches!(self.state, State::Refused | State::Gone) {
            return pending;
        }
        let ka = self.keep_alive_due.map(|at| Deadline { at, why: Timer::KeepAlive });
        let end = Some(Deadline { at: self.ends_at, why: Timer::Lifetime });
        Deadline::earlier(Deadline::earlier(ka, pending), end)
    }

    /// The next frame to send.
    pub fn poll(&mut self) -> Option<OwnedFrame> {
        self.out.pop_front()
    }

    /// Whether there is no next frame.
    pub(crate) fn has_said_all(&self) -> bool {
        self.out.is_empty()
    }

    /// Queues a frame as it is; for a host that plays a faulty server.
    pub fn push(&mut self, frame: OwnedFrame) {
        self.out.push_back(frame);
    }

    fn say(&mut self, text: impl Into<String>) {
        self.out.push_back(OwnedFrame::text(text));
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.out.push_back(OwnedFrame::Close { code: Some(code), reason: reason.into() });
        self.drop_all();
        self.pending.clear();
        self.state = State::Gone;
    }

    fn say_errors(&mut self, word: &str, id: Option<&str>, refusals: &[Refusal], readings: &Readings) {
        self.say(error_message(self.dialect, word, id, refusals, readings));
    }
}

/// What begins every `data` message of a subscription.
fn data_head(id: &str) -> String {
    let mut text = String::with_capacity(id.len() + 24);
    text.push_str(r#"{"type":"data","id":"#);
    push_json_string(&mut text, id);
    text
}

/// What ends a `data` message, whoever hears it.
pub(crate) fn data_tail(dialect: Dialect, body: &str, form: EventForm) -> String {
    let (name, end) = match (dialect, form) {
        (Dialect::Graphql, _) => (r#","payload":"#, "}"),
        (Dialect::Events, EventForm::String) => (r#","event":"#, "}"),
        (Dialect::Events, EventForm::Array) => (r#","event":["#, "]}"),
    };
    [name, body, end].concat()
}

/// A `data` message.
fn data_message(dialect: Dialect, id: &str, body: &str, form: EventForm) -> String {
    let mut text = data_head(id);
    text.push_str(&data_tail(dialect, body, form));
    text
}

/// The message `word` with an error list in the place where the dialect has it.
fn error_message(dialect: Dialect, word: &str, id: Option<&str>, refusals: &[Refusal], readings: &Readings) -> String {
    let mut text = String::new();
    let mut message = ObjectWriter::message(&mut text, word);
    if let Some(id) = id {
        message = message.string("id", id);
    }
    match dialect {
        Dialect::Events => message.text("errors", &errors_json(refusals)),
        Dialect::Graphql => {
            let mut payload = String::new();
            ObjectWriter::open(&mut payload).text("errors", &graphql_errors_json(refusals, readings)).close();
            message.text("payload", &payload)
        }
    }
    .close();
    text
}
