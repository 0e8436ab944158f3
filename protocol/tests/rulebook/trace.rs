//! A whole trace, and what can be counted over a prefix of it: what waits, what is live, what is loose.
//!
//! Nothing is carried along: each answer is computed anew from all that was said before an index. From
//! the system under test only the decoder is used.
//!
//! What an answer answers (ruling 21 of the design): an unattributed refusal takes the first of an
//! unanswered start, an unanswered stop, an unanswered publish, a live GraphQL subscription and a
//! loose client message. What a speaker says is believed afterwards, right or wrong: a grant makes
//! live, an end makes not live.

use core::time::Duration;

use appsync_protocol::dialect::{Dialect, decode, graphql};
use appsync_protocol::envelope::DecodeError;
use appsync_protocol::message::{Message, Operation};
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::wire::{
    OwnedFrame,
    Side::{self, Client},
};

/// What one observer saw, in order; a time before its predecessor's counts as the predecessor's.
pub(crate) type Frames = [(Moment, Side, OwnedFrame)];

/// A trace with every text read once.
pub(crate) struct Trace<'t> {
    pub(crate) dialect: Dialect,
    pub(crate) slack: Duration,
    pub(crate) said: Vec<Said<'t>>,
    /// Index of the first close, or of the loss of the transport.
    end: usize,
}

pub(crate) struct Said<'t> {
    pub(crate) at: Moment,
    pub(crate) by: Side,
    pub(crate) what: What<'t>,
}

pub(crate) enum What<'t> {
    Message(Message<'t>),
    NoMessage(DecodeError),
    Binary,
    Control,
    End,
}

impl<'t> Trace<'t> {
    /// Reads every text of a trace.
    pub(crate) fn new(dialect: Dialect, slack: Duration, frames: &'t Frames) -> Self {
        let said = frames.iter().enumerate().map(|(i, (_, by, frame))| Said {
            at: frames[..=i].iter().map(|(at, ..)| *at).max().unwrap_or_default(),
            by: *by,
            what: match frame {
                OwnedFrame::Text { text, .. } => match decode(dialect, text) {
                    Ok(decoded) => What::Message(decoded.message),
                    Err(fault) => What::NoMessage(fault),
                },
                OwnedFrame::Binary(_) => What::Binary,
                OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => What::Control,
                OwnedFrame::Close { .. } | OwnedFrame::Lost => What::End,
            },
        });
        let said: Vec<_> = said.collect();
        let end = said.iter().position(|said| matches!(said.what, What::End)).unwrap_or(said.len());
        Self { dialect, slack, said, end }
    }

    pub(crate) fn pick(&self, graphql: Requirement, events: Requirement) -> Requirement {
        match self.dialect {
            Dialect::Graphql => graphql,
            Dialect::Events => events,
        }
    }

    /// Whether somebody has closed, or the transport has ended, before `i`: the state binds nobody any more.
    pub(crate) fn is_over(&self, i: usize) -> bool {
        i > self.end
    }

    pub(crate) fn is_wrong_side(&self, i: usize) -> bool {
        matches!(&self.said[i].what, What::Message(message) if message.speaker() == Some(self.said[i].by.other()))
    }

    /// The message at `i` if it is its speaker's to say and the connection is not over.
    pub(crate) fn spoken(&self, i: usize) -> Option<&Message<'t>> {
        match &self.said[i].what {
            What::Message(message) if !self.is_wrong_side(i) && !self.is_over(i) => Some(message),
            What::Message(_) | What::NoMessage(_) | What::Binary | What::Control | What::End => None,
        }
    }

    pub(crate) fn is(&self, i: usize, kind: Kind) -> bool {
        self.spoken(i).is_some_and(kind)
    }

    /// The id at `i` if a message of this kind stands there.
    pub(crate) fn named(&self, i: usize, kind: Kind) -> Option<&str> {
        self.spoken(i).filter(|message| kind(message)).and_then(Message::id)
    }

    pub(crate) fn any_before(&self, i: usize, kind: Kind) -> bool {
        (0..i).any(|j| self.is(j, kind))
    }

    pub(crate) fn last_before(&self, i: usize, kind: Kind, id: &str) -> Option<usize> {
        (0..i).rev().find(|j| self.named(*j, kind) == Some(id))
    }

    /// How many asks before `i` wait for their answer: the largest surplus of asks in any stretch that
    /// ends at `i`, since an answer that nobody waited for answers no later ask.
    pub(crate) fn pending(&self, i: usize, ask: impl Fn(usize) -> bool, answer: impl Fn(usize) -> bool) -> i64 {
        let stretch = |from: usize| (from..i).map(|j| i64::from(ask(j)) - i64::from(answer(j))).collect::<Vec<_>>();
        let surplus = stretch(0).into_iter().rev().scan(0, |sum, step| {
            *sum += step;
            Some(*sum)
        });
        surplus.max().unwrap_or(0).max(0)
    }

    /// Starts of `id` that wait for their answer: any refusal that may concern a start takes one.
    pub(crate) fn starts(&self, id: &str, i: usize) -> i64 {
        let is = |j, kind| self.named(j, kind) == Some(id);
        self.pending(i, |j| is(j, SUBSCRIBE), |j| is(j, GRANT) || is(j, START_REFUSED) || is(j, UNATTRIBUTED))
    }

    /// Stops of `id` that wait for their answer: an end, or a refusal that no start waited for.
    pub(crate) fn stops(&self, id: &str, i: usize) -> i64 {
        let is = |j, kind| self.named(j, kind) == Some(id);
        let spared = |j| is(j, UNATTRIBUTED) && self.starts(id, j) == 0;
        self.pending(i, |j| is(j, STOP), |j| is(j, END) || is(j, STOP_REFUSED) || spared(j))
    }

    /// Publishes of `id` that wait for their answer.
    pub(crate) fn publishes(&self, id: &str, i: usize) -> i64 {
        let is = |j, kind| self.named(j, kind) == Some(id);
        let spared = |j| is(j, UNATTRIBUTED) && self.starts(id, j) == 0 && self.stops(id, j) == 0;
        self.pending(i, |j| is(j, PUBLISH), |j| is(j, PUBLISHED) || is(j, PUBLISH_REFUSED) || spared(j))
    }

    /// Whether `id` has been granted and not been ended since.
    pub(crate) fn live(&self, id: &str, i: usize) -> bool {
        let Some(grant) = self.last_before(i, GRANT, id) else { return false };
        !(grant + 1..i).any(|j| self.named(j, END) == Some(id) || self.is_own_error(j, id))
    }

    /// Whether `id` has been granted at any time before.
    pub(crate) fn granted(&self, id: &str, i: usize) -> bool {
        self.last_before(i, GRANT, id).is_some()
    }

    /// Whether the client's last word on `id` was to start it.
    pub(crate) fn wanted(&self, id: &str, i: usize) -> bool {
        self.last_before(i, SUBSCRIBE, id) > self.last_before(i, STOP, id)
    }

    /// What the subscribe at `i` asks for, apart from how it is authorized.
    pub(crate) fn request(&self, i: usize) -> Option<String> {
        match (self.spoken(i), self.dialect) {
            (Some(Message::Subscribe { request, .. }), Dialect::Graphql) => {
                Some(graphql::request_text(request).unwrap_or_default().into())
            }
            (Some(Message::Subscribe { request, .. }), Dialect::Events) => Some(request.get().into()),
            (Some(_) | None, Dialect::Graphql | Dialect::Events) => None,
        }
    }

    pub(crate) fn refuses_start(&self, i: usize, id: &str) -> bool {
        (self.is(i, START_REFUSED) || self.is(i, UNATTRIBUTED)) && self.starts(id, i) > 0
    }

    pub(crate) fn refuses_stop(&self, i: usize, id: &str) -> bool {
        (self.is(i, STOP_REFUSED) || self.is(i, UNATTRIBUTED)) && self.stops(id, i) > 0
    }

    pub(crate) fn refuses_publish(&self, i: usize, id: &str) -> bool {
        (self.is(i, PUBLISH_REFUSED) || self.is(i, UNATTRIBUTED)) && self.publishes(id, i) > 0
    }

    /// GQL-SUB-035: an error that answers neither a start nor a stop of `id` is the server's own end of it.
    pub(crate) fn is_own_error(&self, i: usize, id: &str) -> bool {
        self.dialect == Dialect::Graphql
            && self.named(i, UNATTRIBUTED) == Some(id)
            && self.starts(id, i) == 0
            && self.stops(id, i) == 0
    }

    pub(crate) fn ends_by_error(&self, i: usize, id: &str) -> bool {
        self.is_own_error(i, id) && self.live(id, i)
    }

    /// Client messages before `i` that only an unattributed refusal can answer, and none has.
    pub(crate) fn loose(&self, i: usize) -> i64 {
        let nobody_else = |j: usize, id: &str| {
            self.starts(id, j) == 0
                && self.stops(id, j) == 0
                && self.publishes(id, j) == 0
                && !self.ends_by_error(j, id)
        };
        let answers = |j: usize| match self.named(j, UNATTRIBUTED) {
            Some(id) => nobody_else(j, id),
            None => self.is(j, REFUSED) && self.named(j, REFUSED).is_none(),
        };
        self.pending(i, |j| self.is_loose(j), answers)
    }

    pub(crate) fn is_loose(&self, i: usize) -> bool {
        let said = &self.said[i];
        let unreadable = matches!(said.what, What::NoMessage(_) | What::Binary);
        said.by == Client && (unreadable || self.is_wrong_side(i) || self.is(i, UNKNOWN))
    }
}

/// A kind of message.
pub(crate) type Kind = fn(&Message<'_>) -> bool;

pub(crate) const INIT: Kind = |m| matches!(m, Message::Init);
pub(crate) const ACK: Kind = |m| matches!(m, Message::Ack { .. });
pub(crate) const REJECTED: Kind = |m| matches!(m, Message::Rejected { .. });
pub(crate) const KEEP_ALIVE: Kind = |m| matches!(m, Message::KeepAlive);
pub(crate) const SUBSCRIBE: Kind = |m| matches!(m, Message::Subscribe { .. });
pub(crate) const GRANT: Kind = |m| matches!(m, Message::Granted { .. });
pub(crate) const REFUSED: Kind = |m| matches!(m, Message::Refused { .. });
pub(crate) const UNATTRIBUTED: Kind = |m| matches!(m, Message::Refused { operation: None, .. });
pub(crate) const START_REFUSED: Kind = |m| matches!(m, Message::Refused { operation: Some(Operation::Subscribe), .. });
pub(crate) const STOP_REFUSED: Kind = |m| matches!(m, Message::Refused { operation: Some(Operation::Unsubscribe), .. });
pub(crate) const PUBLISH_REFUSED: Kind = |m| matches!(m, Message::Refused { operation: Some(Operation::Publish), .. });
pub(crate) const DATA: Kind = |m| matches!(m, Message::Data { .. });
pub(crate) const BROADCAST_FAILED: Kind = |m| matches!(m, Message::BroadcastFailed { .. });
pub(crate) const STOP: Kind = |m| matches!(m, Message::Unsubscribe { .. });
pub(crate) const END: Kind = |m| matches!(m, Message::Ended { .. });
pub(crate) const PUBLISH: Kind = |m| matches!(m, Message::Publish { .. });
pub(crate) const PUBLISHED: Kind = |m| matches!(m, Message::Published { .. });
pub(crate) const UNKNOWN: Kind = |m| matches!(m, Message::Unknown { .. });
