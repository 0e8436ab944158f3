//! The role-neutral rule book: watches both sides of one connection and says who broke what.
//!
//! It does not know which side, if any, is ours, so it cannot be kinder to ourselves than to the
//! peer. It never fails and never stops: a frame that breaks a rule gives [`Finding`]s, and the state
//! becomes what the speaker evidently believes, so that one wrong frame costs one finding and not a
//! cascade.
//!
//! One sentence carries it, the crossing rule: *each side is bound at once by its own past, and by the
//! other side's past only once it has acknowledged it.* A server may send `data` after the client's
//! `stop`, because the two may have crossed; it may not after its own `complete`.
//!
//! The second one: *nobody is blamed in doubt.* Where an answer may belong to several asks, each of them
//! may still be waiting ([`Subscription`] says how that is counted), and where an observer between the two
//! cannot know what a side has heard, it counts as what is best for that side.
//!
//! ```text
//!            init (client)            ack (server)            close (either)
//!   Fresh ----------------> Greeting ---------------> Open ------------------> Closing --> Closed
//!     |                         | connection_error                               ^            ^
//!     |                         v                                                |   lost     |
//!     |                      Refused --------------------------------------------+------------+
//!     +--- Events only: subscribe and publish are fine without init (EVT-INIT-004)
//! ```
//!
//! How long *we* are willing to wait for an answer is not known here; the only limit that belongs to
//! the wire is the silence that `connection_ack` allows.

mod form;
mod rules;
mod subscription;

pub use form::{OPERATION_ID_CHARS_MAX, is_operation_id};
pub use subscription::{Standing, Subscription};

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::dialect::{Decoded, Dialect, decode};
use crate::envelope::DecodeError;
use crate::finding::{Finding, UsageError};
use crate::message::{Message, SilenceLimit};
use crate::moment::{Deadline, Moment, Timer};
use crate::requirement::Requirement;
use crate::wire::{Frame, Side};

/// Ids remembered on one connection, ended ones included, so that late data can be called late.
/// Beyond it ended ids are forgotten, oldest name first; live ones never are.
pub const IDS_REMEMBERED_MAX: usize = 4096;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Upgraded; nobody has asked for the acknowledgement.
    Fresh,
    /// The client has sent `connection_init`.
    Greeting {
        /// When it did.
        since: Moment,
    },
    /// The server has acknowledged.
    Open {
        /// Longest silence the server may keep; `None` where the acknowledgement names none.
        silence_limit: Option<Duration>,
        /// Last sign of life: the acknowledgement or a keep-alive.
        heard: Moment,
    },
    /// The server has sent `connection_error`.
    Refused,
    /// One side has sent a close frame.
    Closing {
        /// The side that did so first.
        by: Side,
    },
    /// Nothing more can come.
    Closed,
}

/// What a frame turned out to be.
#[derive(Debug)]
pub enum Heard<'a> {
    /// A message.
    Message(Decoded<'a>),
    /// Text that is no message.
    Unreadable(DecodeError),
    /// A binary message, which neither dialect has.
    Binary,
    /// A ping or pong.
    Control,
    /// A close frame.
    Closed,
    /// The end of the transport.
    Lost,
}

/// What a frame was, and what is wrong with it.
#[derive(Debug)]
pub struct Observed<'a> {
    /// The meaning.
    pub heard: Heard<'a>,
    /// Rules it broke, usually none.
    pub findings: Vec<Finding>,
}

/// Everything both sides have said on one connection, as far as it matters for what may come next.
#[derive(Clone)]
pub struct Conversation {
    dialect: Dialect,
    phase: Phase,
    now: Moment,
    slack: Duration,
    /// `connection_init`s that wait for their acknowledgement.
    inits: u32,
    /// Client messages that any error may answer: unknown words, unreadable texts.
    loose: u32,
    rejected: bool,
    subscriptions: BTreeMap<String, Subscription>,
    publishes: BTreeMap<String, u32>,
    /// Ids have been forgotten: that one is not remembered proves nothing any more.
    forgotten: bool,
}

impl Conversation {
    /// A connection that has just been upgraded.
    pub const fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            phase: Phase::Fresh,
            now: Moment::START,
            slack: Duration::ZERO,
            inits: 0,
            loose: 0,
            rejected: false,
            subscriptions: BTreeMap::new(),
            publishes: BTreeMap::new(),
            forgotten: false,
        }
    }

    /// The same, for an observer whose clock or path is not exact: limits on silence get this on top.
    #[must_use]
    pub const fn with_slack(mut self, slack: Duration) -> Self {
        self.slack = slack;
        self
    }

    /// Which protocol is spoken.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Where the connection stands.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The subscriptions by id, ended ones included as long as they are remembered.
    pub fn subscriptions(&self) -> impl Iterator<Item = (&str, &Subscription)> {
        self.subscriptions.iter().map(|(id, subscription)| (id.as_str(), subscription))
    }

    /// One subscription.
    pub fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions.get(id)
    }

    /// Takes one frame. Total: any frame, from either side, in any phase.
    ///
    /// Time never goes back: a frame that claims an earlier moment counts as coming now.
    pub fn observe<'f>(&mut self, at: Moment, from: Side, frame: Frame<'f>) -> Observed<'f> {
        let mut findings = self.elapse(at);
        let heard = match frame {
            Frame::Text { text, .. } => self.read(from, text, &mut findings),
            Frame::Binary(bytes) => {
                self.note_binary(from, &mut findings);
                // It is no message, but its speaker evidently means one, and the answer is not to be blamed.
                let meant = core::str::from_utf8(bytes).ok().and_then(|text| decode(self.dialect, text).ok());
                if let Some(decoded) = meant {
                    let _ = self.apply(at, from, &decoded.message);
                }
                Heard::Binary
            }
            Frame::Ping(_) | Frame::Pong(_) => Heard::Control,
            Frame::Close { .. } => {
                self.phase = match self.phase {
                    Phase::Closing { by } if by != from => Phase::Closed,
                    Phase::Closed => Phase::Closed,
                    Phase::Fresh
                    | Phase::Greeting { .. }
                    | Phase::Open { .. }
                    | Phase::Refused
                    | Phase::Closing { .. } => Phase::Closing { by: from },
                };
                Heard::Closed
            }
            Frame::Lost => {
                self.phase = Phase::Closed;
                Heard::Lost
            }
        };
        Observed { heard, findings }
    }

    fn read<'f>(&mut self, from: Side, text: &'f str, findings: &mut Vec<Finding>) -> Heard<'f> {
        match decode(self.dialect, text) {
            Ok(decoded) => {
                form::check(self, from, &decoded, findings);
                findings.extend(self.apply(self.now, from, &decoded.message));
                Heard::Message(decoded)
            }
            Err(fault) => {
                self.note_unreadable(from, &fault, findings);
                Heard::Unreadable(fault)
            }
        }
    }

    /// The transition itself: what a message by this side means here, and what is wrong with it.
    pub fn apply(&mut self, at: Moment, from: Side, message: &Message<'_>) -> Vec<Finding> {
        let mut findings = self.elapse(at);
        if message.speaker().is_some_and(|speaker| speaker != from) {
            self.note_wrong_speaker(from, message, &mut findings);
            return findings;
        }
        if matches!(self.phase, Phase::Closing { .. } | Phase::Closed) {
            return findings;
        }
        match message {
            Message::Init => self.on_init(),
            Message::Ack { silence } => self.on_ack(*silence, &mut findings),
            Message::Rejected { .. } => self.on_rejected(),
            Message::KeepAlive => self.on_keep_alive(),
            Message::Subscribe { id, request, .. } => self.on_subscribe(id, *request, &mut findings),
            Message::Granted { id } => self.on_granted(id, &mut findings),
            Message::Refused { id, operation, .. } => self.on_refused(id.as_deref(), *operation, &mut findings),
            Message::Data { id, .. } => self.on_data(id, &mut findings),
            Message::BroadcastFailed { id, .. } => self.on_broadcast_failed(id, &mut findings),
            Message::Unsubscribe { id } => self.on_unsubscribe(id, &mut findings),
            Message::Ended { id } => self.on_ended(id, &mut findings),
            Message::Publish { id, .. } => self.on_publish(id),
            Message::Published { id, .. } => self.on_published(id, &mut findings),
            Message::Unknown { .. } => self.on_unknown(from, message, &mut findings),
        }
        findings
    }

    /// Time passed and nobody spoke.
    pub fn elapse(&mut self, at: Moment) -> Vec<Finding> {
        self.now = self.now.max(at);
        let now = self.now;
        let slack = self.slack;
        let Phase::Open { silence_limit: Some(limit), heard } = &mut self.phase else {
            return Vec::new();
        };
        if now < *heard + *limit + slack {
            return Vec::new();
        }
        let detail = alloc::format!(
            "kept silent for {} ms, {} ms allowed by connection_ack",
            now.since(*heard).as_millis(),
            limit.as_millis()
        );
        *heard = now;
        alloc::vec![self.finding(
            Side::Server,
            match self.dialect {
                Dialect::Graphql => Requirement::GqlKa001,
                Dialect::Events => Requirement::EvtKa001,
            },
            detail,
        )]
    }

    /// When silence itself becomes a finding.
    pub fn deadline(&self) -> Option<Deadline> {
        match self.phase {
            Phase::Open { silence_limit: Some(limit), heard } => {
                Some(Deadline { at: heard + limit + self.slack, why: Timer::Silence })
            }
            Phase::Fresh
            | Phase::Greeting { .. }
            | Phase::Open { silence_limit: None, .. }
            | Phase::Refused
            | Phase::Closing { .. }
            | Phase::Closed => None,
        }
    }

    /// Asks without doing: may `from` say this now?
    pub fn admits(&self, from: Side, message: &Message<'_>) -> Result<(), UsageError> {
        if message.speaker().is_some_and(|speaker| speaker != from) {
            return Err(UsageError::NotThisSide);
        }
        if crate::dialect::word_of(self.dialect, message).is_none() {
            return Err(UsageError::NotInDialect);
        }
        let ready = match self.phase {
            Phase::Open { .. } => true,
            Phase::Fresh => self.dialect == Dialect::Events || from == Side::Server || matches!(message, Message::Init),
            Phase::Greeting { .. } => from == Side::Server,
            Phase::Refused | Phase::Closing { .. } | Phase::Closed => false,
        };
        if !ready {
            return Err(UsageError::NotOpen);
        }
        let Some(id) = message.id() else { return Ok(()) };
        let known = self.subscriptions.get(id);
        match message {
            Message::Subscribe { .. } if known.is_some_and(Subscription::is_taken) => Err(UsageError::IdInUse),
            Message::Unsubscribe { .. } if !known.is_some_and(Subscription::is_wanted) => Err(UsageError::UnknownId),
            Message::Granted { .. } if !known.is_some_and(Subscription::awaits_answer) => Err(UsageError::UnknownId),
            Message::Data { .. } if !known.is_some_and(Subscription::is_live) => Err(UsageError::UnknownId),
            Message::Init
            | Message::Ack { .. }
            | Message::Rejected { .. }
            | Message::KeepAlive
            | Message::Subscribe { .. }
            | Message::Granted { .. }
            | Message::Refused { .. }
            | Message::Data { .. }
            | Message::BroadcastFailed { .. }
            | Message::Unsubscribe { .. }
            | Message::Ended { .. }
            | Message::Publish { .. }
            | Message::Published { .. }
            | Message::Unknown { .. } => Ok(()),
        }
    }

    fn finding(&self, by: Side, requirement: Requirement, detail: impl Into<String>) -> Finding {
        Finding { requirement, by, at: self.now, detail: detail.into() }
    }

    fn by_dialect(&self, graphql: Requirement, events: Requirement) -> Requirement {
        match self.dialect {
            Dialect::Graphql => graphql,
            Dialect::Events => events,
        }
    }

    fn open(&mut self, silence: SilenceLimit) {
        let silence_limit = match silence {
            SilenceLimit::Millis(millis) => Some(Duration::from_millis(millis)),
            SilenceLimit::Missing | SilenceLimit::Malformed => None,
        };
        self.phase = Phase::Open { silence_limit, heard: self.now };
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("dialect", &self.dialect)
            .field("phase", &self.phase)
            .field("now", &self.now)
            .field("subscriptions", &self.subscriptions)
            .field("publishes", &self.publishes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
