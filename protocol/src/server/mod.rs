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

mod operations;
pub mod policy;
pub mod refusal;
mod subscriptions;

pub use operations::{Batch, check_namespace, read_publish};
pub use policy::{Check, Policy, Skipped};
pub use refusal::{Refusal, errors_json};

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::channel::{Channel, ChannelPattern};
use crate::dialect::{Dialect, decode};
use crate::encode::ObjectWriter;
use crate::envelope::Raw;
use crate::json::Json;
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
    fn authorize(&mut self, asked: Asked<'_>, presented: Option<&Raw>) -> Result<Identity, Refusal>;

    /// Reads the GraphQL request inside a `start`.
    ///
    /// # Errors
    /// The errors that the client is to see: syntax, validation, variables, not a subscription, not for `who`.
    fn plan(&mut self, request: &str, who: &Identity, checks: PlanChecks) -> Result<Plan, Vec<Refusal>>;
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
        events: &'a Raw,
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
}

/// What a subscription wants to hear.
#[derive(Clone, Debug)]
pub enum Interest {
    /// Results of mutations.
    Field(Plan),
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ready,
    Refused,
    Gone,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Server {
    dialect: Dialect,
    state: State,
    subscriptions: Subscriptions,
    out: VecDeque<OwnedFrame>,
    keep_alive_due: Option<Moment>,
    ends_at: Moment,
    /// Publishes so far, so that no two events get the same identifier.
    publishes: u64,
    /// Tells this connection's identifiers from those of others.
    mint: u64,
}

impl Server {
    /// A connection that has been upgraded and whose credentials are good. `mint` tells identifiers of its
    /// events from those of other connections.
    pub fn accept(at: Moment, dialect: Dialect, policy: &Policy, mint: u64) -> Self {
        Self {
            dialect,
            state: State::Open,
            subscriptions: Subscriptions::new(),
            out: VecDeque::new(),
            keep_alive_due: policy.makes(Check::KeepAlives).then(|| at + policy.keep_alive),
            ends_at: at + policy.lifetime,
            publishes: 0,
            mint,
        }
    }

    /// A connection that has been upgraded only to be refused in-band.
    ///
    /// Source: GQL-HANDSHAKE-022, GQL-ERR-024, EVT-HANDSHAKE-012, EVT-CLOSE-008.
    pub fn refuse(at: Moment, dialect: Dialect, policy: &Policy, refusal: &Refusal) -> Self {
        let mut server = Self::accept(at, dialect, policy, 0);
        server.keep_alive_due = None;
        server.state = State::Refused;
        let errors = errors_json(core::slice::from_ref(refusal));
        server.say_errors("connection_error", None, &errors);
        if policy.makes(Check::CloseAfterRefusal) {
            server.close(1000, "");
        }
        server
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
        self.subscriptions.iter().map(|(id, interest)| (id.as_str(), interest))
    }

    /// Takes one frame of the client; what it causes beyond this connection is returned.
    pub fn receive(&mut self, at: Moment, frame: Frame<'_>, policy: &Policy, host: &mut dyn Host) -> Option<Broadcast> {
        match (self.state, frame) {
            (State::Gone, _) => None,
            (_, Frame::Close { .. } | Frame::Lost) => {
                if policy.makes(Check::CloseFreesIds) {
                    self.subscriptions.clear();
                }
                self.state = State::Gone;
                None
            }
            (_, Frame::Ping(_) | Frame::Pong(_)) | (State::Refused, Frame::Text { .. } | Frame::Binary(_)) => None,
            (State::Open | State::Ready, Frame::Text { text, .. }) => self.read(at, text, policy, host),
            (State::Open | State::Ready, Frame::Binary(_)) => {
                self.unreadable(policy);
                None
            }
        }
    }

    fn read(&mut self, at: Moment, text: &str, policy: &Policy, host: &mut dyn Host) -> Option<Broadcast> {
        let decoded = decode(self.dialect, text);
        let needs_ready = self.dialect == Dialect::Graphql || !policy.makes(Check::InitOptional);
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
                self.on_subscribe(id, request, *authorization, policy, host);
            }
            Message::Unsubscribe { id } => self.on_unsubscribe(id, policy),
            Message::Publish { id, channel, events, authorization } => {
                return self.on_publish(id, channel, events, *authorization, policy, host);
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
        if self.dialect == Dialect::Graphql && policy.makes(Check::FirstKeepAlive) {
            self.say("{\"type\":\"ka\"}");
            if policy.makes(Check::KeepAlives) {
                self.keep_alive_due = Some(at + policy.keep_alive);
            }
        }
    }

    /// Sends one event to one subscription. `body` is JSON text: the payload, or the event as a string.
    pub fn deliver(&mut self, id: &str, body: &str) {
        let mut text = String::with_capacity(body.len() + id.len() + 40);
        let message = ObjectWriter::message(&mut text, "data").string("id", id);
        match self.dialect {
            Dialect::Graphql => message.text("payload", body),
            Dialect::Events => message.text("event", body),
        }
        .close();
        self.say(text);
    }

    /// Lets time pass: keep-alives, and the end of the connection's life.
    pub fn elapse(&mut self, at: Moment, policy: &Policy) {
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
        if matches!(self.state, State::Refused | State::Gone) {
            return None;
        }
        let ka = self.keep_alive_due.map(|at| Deadline { at, why: Timer::KeepAlive });
        Deadline::earlier(ka, Some(Deadline { at: self.ends_at, why: Timer::Lifetime }))
    }

    /// The next frame to send.
    pub fn poll(&mut self) -> Option<OwnedFrame> {
        self.out.pop_front()
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
        self.subscriptions.clear();
        self.state = State::Gone;
    }

    /// Says `word` with an error list in the place where the dialect has it.
    fn say_errors(&mut self, word: &str, id: Option<&str>, errors: &str) {
        let mut text = String::new();
        let mut message = ObjectWriter::message(&mut text, word);
        if let Some(id) = id {
            message = message.string("id", id);
        }
        match self.dialect {
            Dialect::Events => message.text("errors", errors),
            Dialect::Graphql => {
                let mut payload = String::new();
                ObjectWriter::open(&mut payload).text("errors", errors).close();
                message.text("payload", &payload)
            }
        }
        .close();
        self.say(text);
    }
}
