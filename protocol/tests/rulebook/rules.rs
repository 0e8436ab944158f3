//! The requirements of state as predicates over a whole trace: quadratic, stateless, obvious.
//!
//! Nothing is carried along. What is pending, live or loose at an index is counted anew from all that
//! was said before it, and each rule is a sentence about one index. From the system under test only
//! the decoder is used.
//!
//! What an answer answers (ruling 21 of the design): an unattributed refusal takes the first of an
//! unanswered start, an unanswered stop, an unanswered publish, a live GraphQL subscription and a
//! loose client message. What a speaker says is believed afterwards, right or wrong: a grant makes
//! live, an end makes not live.

use core::time::Duration;

use appsync_protocol::dialect::{Dialect, decode, graphql};
use appsync_protocol::envelope::DecodeError;
use appsync_protocol::message::{Message, Operation, SilenceLimit};
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::{
    OwnedFrame,
    Side::{self, Client, Server},
};

/// What one observer saw, in order; a time before its predecessor's counts as the predecessor's.
pub(crate) type Frames = [(Moment, Side, OwnedFrame)];

/// Requirement, culprit and the index of the frame at which it showed.
pub(crate) type Breach = (R, Side, usize);

/// A trace with every text read once.
pub(crate) struct Trace<'t> {
    dialect: Dialect,
    slack: Duration,
    said: Vec<Said<'t>>,
    /// Index of the first close, or of the loss of the transport.
    end: usize,
}

struct Said<'t> {
    at: Moment,
    by: Side,
    what: What<'t>,
}

enum What<'t> {
    Message(Message<'t>),
    NoMessage(DecodeError),
    Binary,
    Control,
    End,
}

/// One requirement, or its twin of the other dialect, at one index.
type Rule = fn(&Trace<'_>, usize) -> Option<R>;

/// Every rule that the speaker of a frame can break.
const RULES: &[Rule] = &[
    no_ack_after_a_rejection,
    every_ack_has_its_init,
    no_subscribe_between_init_and_ack,
    one_id_names_one_subscription,
    every_grant_has_its_start,
    no_grant_of_a_live_id,
    every_refusal_refuses_something,
    no_data_after_the_end,
    no_data_before_the_grant,
    no_data_that_nobody_subscribed,
    no_broadcast_error_that_nobody_subscribed,
    every_stop_has_its_start,
    every_end_was_asked_for,
    every_publish_answer_has_its_publish,
    no_word_of_another_protocol,
    no_word_of_the_other_side,
    every_text_is_a_message,
    no_binary_message,
];

/// GQL-AUTH-016, EVT-AUTH-027: a `connection_error` is followed by no `connection_ack`.
fn no_ack_after_a_rejection(t: &Trace<'_>, i: usize) -> Option<R> {
    (t.is(i, ACK) && t.any_before(i, REJECTED)).then(|| t.pick(R::GqlAuth016, R::EvtAuth027))
}

/// GQL-INIT-013, EVT-INIT-005: each `connection_ack` answers a `connection_init` of its own.
fn every_ack_has_its_init(t: &Trace<'_>, i: usize) -> Option<R> {
    (t.is(i, ACK) && t.pending(i, |j| t.is(j, INIT), |j| t.is(j, ACK)) == 0)
        .then(|| t.pick(R::GqlInit013, R::EvtInit005))
}

/// GQL-INIT-006, EVT-INIT-007: after `connection_init` no subscribe until the server has answered it.
fn no_subscribe_between_init_and_ack(t: &Trace<'_>, i: usize) -> Option<R> {
    let unanswered = t.any_before(i, INIT) && !t.any_before(i, ACK) && !t.any_before(i, REJECTED);
    (t.is(i, SUBSCRIBE) && unanswered).then(|| t.pick(R::GqlInit006, R::EvtInit007))
}

/// GQL-SUB-003, EVT-SUB-003: no other request under an id that the client itself has not let go; the same one again is impatience.
fn one_id_names_one_subscription(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, SUBSCRIBE)?;
    let another = t.request(i) != t.request(t.last_before(i, SUBSCRIBE, id)?);
    (another && t.wanted(id, i) && (t.starts(id, i) > 0 || t.live(id, i))).then(|| t.pick(R::GqlSub003, R::EvtSub003))
}

/// GQL-SUB-006, EVT-SUB-007: each grant answers a start of its id.
fn every_grant_has_its_start(t: &Trace<'_>, i: usize) -> Option<R> {
    (t.starts(t.named(i, GRANT)?, i) == 0).then(|| t.pick(R::GqlSub006, R::EvtSub007))
}

/// GQL-ERR-009, EVT-SUB-004: a start of a live id that nobody wants to end is not granted.
fn no_grant_of_a_live_id(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, GRANT)?;
    (t.starts(id, i) > 0 && t.live(id, i) && t.stops(id, i) == 0).then(|| t.pick(R::GqlErr009, R::EvtSub004))
}

/// GQL-ERR-002, EVT-ERR-005: a refusal with an id refuses an operation of this id, or a message that had none.
fn every_refusal_refuses_something(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, REFUSED)?;
    let answers = t.refuses_start(i, id)
        || t.refuses_stop(i, id)
        || t.refuses_publish(i, id)
        || t.ends_by_error(i, id)
        || (t.is(i, UNATTRIBUTED) && t.loose(i) > 0);
    (!answers).then(|| t.pick(R::GqlErr002, R::EvtErr005))
}

/// GQL-SUB-026, EVT-SUB-018: between the end of an id and its next grant there is no data for it.
fn no_data_after_the_end(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, DATA)?;
    (t.granted(id, i) && !t.live(id, i)).then(|| t.pick(R::GqlSub026, R::EvtSub018))
}

/// GQL-SUB-009, EVT-SUB-014: there is no data for a start that waits for its first answer.
fn no_data_before_the_grant(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, DATA)?;
    (!t.granted(id, i) && t.starts(id, i) > 0).then(|| t.pick(R::GqlSub009, R::EvtSub014))
}

/// GQL-SUB-012, EVT-DATA-001: there is no data for an id that was never granted and waits for nothing.
fn no_data_that_nobody_subscribed(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, DATA)?;
    (!t.granted(id, i) && t.starts(id, i) == 0).then(|| t.pick(R::GqlSub012, R::EvtData001))
}

/// EVT-DATA-012: a `broadcast_error` names an id that somebody has used for a subscription.
fn no_broadcast_error_that_nobody_subscribed(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, BROADCAST_FAILED)?;
    let heard_of = [SUBSCRIBE, GRANT, STOP, END].into_iter().any(|kind| t.last_before(i, kind, id).is_some());
    (!heard_of).then_some(R::EvtData012)
}

/// GQL-SUB-023: a stop follows a start of its id, with no other stop of it between.
fn every_stop_has_its_start(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, STOP)?;
    (t.dialect == Dialect::Graphql && !t.wanted(id, i)).then_some(R::GqlSub023)
}

/// GQL-SUB-024, EVT-SUB-016: an end answers a stop; only in GraphQL may a live one end unasked (GQL-SUB-035).
fn every_end_was_asked_for(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, END)?;
    let unasked_is_fine = t.dialect == Dialect::Graphql && t.live(id, i);
    (t.stops(id, i) == 0 && !unasked_is_fine).then(|| t.pick(R::GqlSub024, R::EvtSub016))
}

/// EVT-PUB-007: each `publish_success` answers a publish of its id.
fn every_publish_answer_has_its_publish(t: &Trace<'_>, i: usize) -> Option<R> {
    (t.publishes(t.named(i, PUBLISHED)?, i) == 0).then_some(R::EvtPub007)
}

/// GQL-FRAME-012: a GraphQL client says no word that the protocol does not have.
fn no_word_of_another_protocol(t: &Trace<'_>, i: usize) -> Option<R> {
    (t.dialect == Dialect::Graphql && t.said[i].by == Client && t.is(i, UNKNOWN)).then_some(R::GqlFrame012)
}

/// GQL-FRAME-012, GQL-FRAME-001, EVT-FRAME-001: nobody says what only the other side can say.
fn no_word_of_the_other_side(t: &Trace<'_>, i: usize) -> Option<R> {
    match (t.is_wrong_side(i), t.said[i].by, t.dialect) {
        (true, Client, Dialect::Graphql) => Some(R::GqlFrame012),
        (true, Server, Dialect::Graphql) => Some(R::GqlFrame001),
        (true, Server, Dialect::Events) => Some(R::EvtFrame001),
        // Events binds the server only: what a client says wrongly is unknown to it (EVT-ERR-016).
        (true, Client, Dialect::Events) | (false, Client | Server, Dialect::Graphql | Dialect::Events) => None,
    }
}

/// GQL-FRAME-001, EVT-FRAME-001: a text is a message; one with a known word breaks the rule of that word.
fn every_text_is_a_message(t: &Trace<'_>, i: usize) -> Option<R> {
    let What::NoMessage(fault) = &t.said[i].what else { return None };
    let (DecodeError::Missing { word, .. } | DecodeError::WrongType { word, .. }) = fault else {
        return Some(t.pick(R::GqlFrame001, R::EvtFrame001));
    };
    let table = [
        (Client, "start", R::GqlSub001),
        (Client, "stop", R::GqlSub023),
        (Server, "start_ack", R::GqlSub006),
        (Server, "data", t.pick(R::GqlSub012, R::EvtData001)),
        (Server, "complete", R::GqlSub024),
        (Server, "error", t.pick(R::GqlErr002, R::EvtErr005)),
        (Server, "subscribe_error", R::EvtErr005),
        (Server, "unsubscribe_error", R::EvtErr005),
        (Server, "publish_error", R::EvtErr005),
        (Server, "broadcast_error", R::EvtErr005),
        (Client, "subscribe", R::EvtSub001),
        (Client, "unsubscribe", R::EvtSub015),
        (Client, "publish", R::EvtPub001),
        (Server, "subscribe_success", R::EvtSub007),
        (Server, "unsubscribe_success", R::EvtSub016),
        (Server, "publish_success", R::EvtPub007),
    ];
    table.into_iter().find(|(by, known, _)| (*by, *known) == (t.said[i].by, *word)).map(|(_, _, rule)| rule)
}

/// GQL-FRAME-002, EVT-FRAME-001: no message is binary.
fn no_binary_message(t: &Trace<'_>, i: usize) -> Option<R> {
    matches!(t.said[i].what, What::Binary).then(|| t.pick(R::GqlFrame002, R::EvtFrame001))
}

impl<'t> Trace<'t> {
    /// Reads every text of a trace.
    pub(crate) fn new(dialect: Dialect, slack: Duration, frames: &'t Frames) -> Self {
        let said = frames.iter().enumerate().map(|(i, (_, by, frame))| Said {
            at: frames[..=i].iter().map(|(at, ..)| *at).max().unwrap(),
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

    /// Everything that is wrong with the trace.
    pub(crate) fn breaches(&self) -> Vec<Breach> {
        let mut all = Vec::new();
        for i in 0..self.said.len() {
            if self.silence_shows(i) {
                all.push((self.pick(R::GqlKa001, R::EvtKa001), Server, i));
            }
            all.extend(RULES.iter().filter_map(|rule| rule(self, i)).map(|rule| (rule, self.said[i].by, i)));
        }
        all
    }

    /// GQL-KA-001, EVT-KA-001: while open, an ack or `ka` comes within the limit that the ack named.
    ///
    /// A silence shows at the first frame beyond its limit, and the next one is counted from there.
    fn silence_shows(&self, i: usize) -> bool {
        let Some(limit) = self.limit_in_force(i) else { return false };
        let Some(sign) = (0..i).rev().find(|j| self.is(*j, ACK) || self.is(*j, KEEP_ALIVE)) else { return false };
        let shows_after = |from: usize| {
            (from + 1..=i).find(|j| self.said[*j].at >= self.said[from].at + limit + self.slack).filter(|j| *j > from)
        };
        core::iter::successors(Some(sign), |from| shows_after(*from)).skip(1).any(|shown| shown == i)
    }

    /// The limit named last since the last `connection_error`, if an ack has come since and nobody has closed.
    fn limit_in_force(&self, i: usize) -> Option<Duration> {
        let rejected = (0..i).rev().find(|j| self.is(*j, REJECTED)).map_or(0, |j| j + 1);
        let named = (rejected..i).rev().find_map(|j| match self.spoken(j) {
            Some(Message::Ack { silence: SilenceLimit::Millis(millis) }) => Some(Duration::from_millis(*millis)),
            Some(_) | None => None,
        });
        named.filter(|_| !self.is_over(i))
    }

    fn pick(&self, graphql: R, events: R) -> R {
        match self.dialect {
            Dialect::Graphql => graphql,
            Dialect::Events => events,
        }
    }

    /// Whether somebody has closed, or the transport has ended, before `i`: the state binds nobody any more.
    fn is_over(&self, i: usize) -> bool {
        i > self.end
    }

    fn is_wrong_side(&self, i: usize) -> bool {
        matches!(&self.said[i].what, What::Message(message) if message.speaker() == Some(self.said[i].by.other()))
    }

    /// The message at `i` if it is its speaker's to say and the connection is not over.
    fn spoken(&self, i: usize) -> Option<&Message<'t>> {
        match &self.said[i].what {
            What::Message(message) if !self.is_wrong_side(i) && !self.is_over(i) => Some(message),
            What::Message(_) | What::NoMessage(_) | What::Binary | What::Control | What::End => None,
        }
    }

    fn is(&self, i: usize, kind: Kind) -> bool {
        self.spoken(i).is_some_and(kind)
    }

    /// The id at `i` if a message of this kind stands there.
    pub(crate) fn named(&self, i: usize, kind: Kind) -> Option<&str> {
        self.spoken(i).filter(|message| kind(message)).and_then(Message::id)
    }

    fn any_before(&self, i: usize, kind: Kind) -> bool {
        (0..i).any(|j| self.is(j, kind))
    }

    fn last_before(&self, i: usize, kind: Kind, id: &str) -> Option<usize> {
        (0..i).rev().find(|j| self.named(*j, kind) == Some(id))
    }

    /// How many asks before `i` wait for their answer: the largest surplus of asks in any stretch that
    /// ends at `i`, since an answer that nobody waited for answers no later ask.
    fn pending(&self, i: usize, ask: impl Fn(usize) -> bool, answer: impl Fn(usize) -> bool) -> i64 {
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
    fn publishes(&self, id: &str, i: usize) -> i64 {
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
    fn granted(&self, id: &str, i: usize) -> bool {
        self.last_before(i, GRANT, id).is_some()
    }

    /// Whether the client's last word on `id` was to start it.
    fn wanted(&self, id: &str, i: usize) -> bool {
        self.last_before(i, SUBSCRIBE, id) > self.last_before(i, STOP, id)
    }

    /// What the subscribe at `i` asks for, apart from how it is authorized.
    fn request(&self, i: usize) -> Option<String> {
        match (self.spoken(i), self.dialect) {
            (Some(Message::Subscribe { request, .. }), Dialect::Graphql) => {
                Some(graphql::request_text(request).unwrap_or_default().into())
            }
            (Some(Message::Subscribe { request, .. }), Dialect::Events) => Some(request.get().into()),
            (Some(_) | None, Dialect::Graphql | Dialect::Events) => None,
        }
    }

    fn refuses_start(&self, i: usize, id: &str) -> bool {
        (self.is(i, START_REFUSED) || self.is(i, UNATTRIBUTED)) && self.starts(id, i) > 0
    }

    fn refuses_stop(&self, i: usize, id: &str) -> bool {
        (self.is(i, STOP_REFUSED) || self.is(i, UNATTRIBUTED)) && self.stops(id, i) > 0
    }

    fn refuses_publish(&self, i: usize, id: &str) -> bool {
        (self.is(i, PUBLISH_REFUSED) || self.is(i, UNATTRIBUTED)) && self.publishes(id, i) > 0
    }

    /// GQL-SUB-035: an error that answers neither a start nor a stop of `id` is the server's own end of it.
    fn is_own_error(&self, i: usize, id: &str) -> bool {
        self.dialect == Dialect::Graphql
            && self.named(i, UNATTRIBUTED) == Some(id)
            && self.starts(id, i) == 0
            && self.stops(id, i) == 0
    }

    fn ends_by_error(&self, i: usize, id: &str) -> bool {
        self.is_own_error(i, id) && self.live(id, i)
    }

    /// Client messages before `i` that only an unattributed refusal can answer, and none has.
    fn loose(&self, i: usize) -> i64 {
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

    fn is_loose(&self, i: usize) -> bool {
        let said = &self.said[i];
        let unreadable = matches!(said.what, What::NoMessage(_) | What::Binary);
        said.by == Client && (unreadable || self.is_wrong_side(i) || self.is(i, UNKNOWN))
    }

    /// Whether data at `i` meets a stop that the server has not answered.
    pub(crate) fn data_crosses_a_stop(&self, i: usize) -> bool {
        self.named(i, DATA).is_some_and(|id| self.live(id, i) && self.stops(id, i) > 0)
    }

    /// Whether the data at `i` comes after the end of its id.
    pub(crate) fn data_is_late(&self, i: usize) -> bool {
        no_data_after_the_end(self, i).is_some()
    }

    /// Whether the subscribe at `i` repeats one that has not been answered.
    pub(crate) fn same_start_again(&self, i: usize) -> bool {
        let Some(id) = self.named(i, SUBSCRIBE) else { return false };
        let before = self.last_before(i, SUBSCRIBE, id);
        self.starts(id, i) > 0 && self.wanted(id, i) && before.is_some_and(|j| self.request(j) == self.request(i))
    }

    /// Whether the refusal at `i` refuses a second start of an id that is live.
    pub(crate) fn refuses_a_duplicate(&self, i: usize) -> bool {
        self.named(i, REFUSED).is_some_and(|id| self.refuses_start(i, id) && self.live(id, i))
    }

    /// Whether the grant at `i` answers nothing.
    pub(crate) fn grants_unasked(&self, i: usize) -> bool {
        every_grant_has_its_start(self, i).is_some()
    }

    /// Whether the subscribe at `i` names an id whose last life was granted unasked.
    pub(crate) fn subscribes_what_was_granted_unasked(&self, i: usize) -> bool {
        let grant = self.named(i, SUBSCRIBE).and_then(|id| self.last_before(i, GRANT, id));
        grant.is_some_and(|j| self.grants_unasked(j))
    }

    /// Whether the end or error at `i` takes a live subscription that nobody asked to end.
    pub(crate) fn ends_unasked(&self, i: usize) -> bool {
        let ends = |id| self.live(id, i) && self.stops(id, i) == 0;
        self.named(i, END).is_some_and(ends) || self.named(i, REFUSED).is_some_and(|id| self.ends_by_error(i, id))
    }
}

/// A kind of message.
pub(crate) type Kind = fn(&Message<'_>) -> bool;

const INIT: Kind = |m| matches!(m, Message::Init);
const ACK: Kind = |m| matches!(m, Message::Ack { .. });
const REJECTED: Kind = |m| matches!(m, Message::Rejected { .. });
const KEEP_ALIVE: Kind = |m| matches!(m, Message::KeepAlive);
const SUBSCRIBE: Kind = |m| matches!(m, Message::Subscribe { .. });
const GRANT: Kind = |m| matches!(m, Message::Granted { .. });
const REFUSED: Kind = |m| matches!(m, Message::Refused { .. });
const UNATTRIBUTED: Kind = |m| matches!(m, Message::Refused { operation: None, .. });
const START_REFUSED: Kind = |m| matches!(m, Message::Refused { operation: Some(Operation::Subscribe), .. });
const STOP_REFUSED: Kind = |m| matches!(m, Message::Refused { operation: Some(Operation::Unsubscribe), .. });
const PUBLISH_REFUSED: Kind = |m| matches!(m, Message::Refused { operation: Some(Operation::Publish), .. });
const DATA: Kind = |m| matches!(m, Message::Data { .. });
const BROADCAST_FAILED: Kind = |m| matches!(m, Message::BroadcastFailed { .. });
const STOP: Kind = |m| matches!(m, Message::Unsubscribe { .. });
const END: Kind = |m| matches!(m, Message::Ended { .. });
const PUBLISH: Kind = |m| matches!(m, Message::Publish { .. });
const PUBLISHED: Kind = |m| matches!(m, Message::Published { .. });
const UNKNOWN: Kind = |m| matches!(m, Message::Unknown { .. });
