//! A whole trace, and what can be counted over a prefix of it: what waits, what is live, what is loose.
//!
//! Nothing is carried along: each answer is computed anew from all that was said before an index. From
//! the system under test only the decoder is used.
//!
//! What an answer answers: an unattributed refusal answers the one thing that is there to be answered, and
//! where there are several it is counted as the answer to none ([`Reading`]). What a speaker says is
//! believed afterwards, right or wrong: a grant makes live, an end makes not live.

use core::time::Duration;

use appsync_protocol::dialect::{Dialect, decode, graphql};
use appsync_protocol::envelope::{DecodeError, string};
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
    /// What each of them answers, if it is an unattributed refusal with an id.
    readings: Vec<Option<Reading>>,
}

/// What an unattributed refusal with an id answers, by all that was said before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Nothing,
    Start,
    /// A stop, or nothing: GQL-SUB-035 lets a GraphQL server end a live subscription unasked.
    End,
    Publish,
    Loose,
    /// One of several of these.
    Several,
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
        let mut trace = Self { dialect, slack, said, end, readings: Vec::new() };
        for i in 0..frames.len() {
            let attributed = trace.refuses_what_could_not_be_read(i).then_some(Reading::Loose);
            let reading = trace.named(i, UNATTRIBUTED).map(|id| trace.read(i, id));
            trace.readings.push(reading.or(attributed));
        }
        trace
    }

    fn read(&self, i: usize, id: &str) -> Reading {
        let there = [
            (self.starts(id, i) > 0, Reading::Start),
            (self.stops(id, i) > 0 || self.may_end_unasked(id, i), Reading::End),
            (self.publishes(id, i) > 0, Reading::Publish),
            (self.loose(i) > 0, Reading::Loose),
        ];
        let mut there = there.into_iter().filter(|(is_there, _)| *is_there).map(|(_, reading)| reading);
        match (there.next(), there.next()) {
            (None, _) => Reading::Nothing,
            (Some(only), None) => only,
            (Some(_), Some(_)) => Reading::Several,
        }
    }

    /// Whether a refusal that names its operation stands at `i`, and there is no such operation, but something that
    /// nobody could read and that may have been it.
    fn refuses_what_could_not_be_read(&self, i: usize) -> bool {
        self.refuses_nothing(i) && self.loose(i) > 0
    }

    /// Whether a refusal that names its operation stands at `i`, and no such operation waits.
    fn refuses_nothing(&self, i: usize) -> bool {
        let is = |kind, waiting: fn(&Self, &str, usize) -> i64| {
            self.named(i, kind).is_some_and(|id| waiting(self, id, i) == 0)
        };
        is(START_REFUSED, Self::starts) || is(STOP_REFUSED, Self::stops) || is(PUBLISH_REFUSED, Self::publishes)
    }

    /// Whether a refusal that names its operation stands at `i` and answers nothing at all.
    pub(crate) fn refuses_in_vain(&self, i: usize) -> bool {
        self.refuses_nothing(i) && self.readings[i] != Some(Reading::Loose)
    }

    /// Whether an unattributed refusal of `id` stands at `i`, and is read so.
    pub(crate) fn reads(&self, i: usize, id: &str, reading: Reading) -> bool {
        self.named(i, UNATTRIBUTED) == Some(id) && self.readings[i] == Some(reading)
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

    /// Whether a `connection_error` has come that no ack has taken back.
    pub(crate) fn is_rejected(&self, i: usize) -> bool {
        let last = |kind| (0..i).rev().find(|j| self.is(*j, kind));
        last(REJECTED) > last(ACK)
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

    /// Starts of `id` that may wait for their answer.
    pub(crate) fn starts(&self, id: &str, i: usize) -> i64 {
        let is = |j, kind| self.named(j, kind) == Some(id);
        let answers = |j| is(j, GRANT) || is(j, START_REFUSED) || self.reads(j, id, Reading::Start);
        self.pending(i, |j| is(j, SUBSCRIBE), answers)
    }

    /// Stops of `id` that may wait for their answer: an end that may come unasked may have crossed them.
    pub(crate) fn stops(&self, id: &str, i: usize) -> i64 {
        let is = |j, kind| self.named(j, kind) == Some(id);
        let ends = |j| (is(j, END) || self.reads(j, id, Reading::End)) && !self.may_end_unasked(id, j);
        self.pending(i, |j| is(j, STOP), |j| is(j, STOP_REFUSED) || ends(j))
    }

    /// Publishes of `id` that may wait for their answer.
    pub(crate) fn publishes(&self, id: &str, i: usize) -> i64 {
        let is = |j, kind| self.named(j, kind) == Some(id);
        let answers = |j| is(j, PUBLISHED) || is(j, PUBLISH_REFUSED) || self.reads(j, id, Reading::Publish);
        self.pending(i, |j| is(j, PUBLISH), answers)
    }

    /// Whether `id` has been granted and not certainly been ended since.
    pub(crate) fn live(&self, id: &str, i: usize) -> bool {
        let Some(grant) = self.last_before(i, GRANT, id) else { return false };
        let ends = |j| self.named(j, END) == Some(id);
        let ends_by_error = |j| self.dialect == Dialect::Graphql && self.reads(j, id, Reading::End);
        !(grant + 1..i).any(|j| ends(j) || ends_by_error(j))
    }

    /// Whether it cannot be told if `id` has been ended since its last grant.
    pub(crate) fn in_doubt(&self, id: &str, i: usize) -> bool {
        let since = self.last_before(i, GRANT, id).unwrap_or(0);
        (since..i).any(|j| self.reads(j, id, Reading::Several))
    }

    /// GQL-SUB-035: a GraphQL server may end a live subscription by itself.
    pub(crate) fn may_end_unasked(&self, id: &str, i: usize) -> bool {
        self.dialect == Dialect::Graphql && self.live(id, i)
    }

    /// Whether a grant of `id` has come that answered no start, or one that the client had let go, or that stood
    /// behind an end which the client may take for the answer to a later stop.
    pub(crate) fn may_stop_again(&self, id: &str, i: usize) -> bool {
        let concerns_no_stop = |j| self.starts(id, j) == 0 || !self.wanted(id, j) || self.unused_ends(id, j) > 0;
        (0..i).any(|j| self.named(j, GRANT) == Some(id) && concerns_no_stop(j))
    }

    /// Ends and refusals of `id` that its client may have heard, beyond those that it needed to ask for something else.
    pub(crate) fn unused_ends(&self, id: &str, i: usize) -> i64 {
        let is = |j, kind| self.named(j, kind) == Some(id);
        let end = |j| is(j, END) || is(j, START_REFUSED) || is(j, UNATTRIBUTED);
        self.pending(i, end, |j| is(j, SUBSCRIBE) && self.asks_for_another(j, id))
    }

    /// Whether the subscribe at `i` asks for something else than the last one of `id`, which is still wanted.
    pub(crate) fn asks_for_another(&self, i: usize, id: &str) -> bool {
        let last = self.last_before(i, SUBSCRIBE, id).filter(|_| self.wanted(id, i));
        last.is_some_and(|last| self.request(last) != self.request(i))
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
                Some(graphql::request_text(*request).unwrap_or_default().into())
            }
            (Some(Message::Subscribe { request, .. }), Dialect::Events) => {
                Some(string(*request).map_or_else(|| request.get().into(), Into::into))
            }
            (Some(_) | None, Dialect::Graphql | Dialect::Events) => None,
        }
    }

    /// Client messages before `i` that have no id of their own and that no refusal has answered.
    pub(crate) fn loose(&self, i: usize) -> i64 {
        let without_id = |j| self.is(j, REFUSED) && self.named(j, REFUSED).is_none();
        self.pending(i, |j| self.is_loose(j), |j| without_id(j) || self.readings[j] == Some(Reading::Loose))
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
