//! The rule book: each requirement of state as a sentence about one index of a whole trace.
//!
//! Quadratic, stateless, obvious; how the words in it (live, waits, wanted) are counted stands in
//! [`super::trace`]. Rules about the form of one message are not in it.

use core::iter::successors;
use core::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::DecodeError;
use appsync_protocol::message::{Message, SilenceLimit};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::Side::{self, Client, Server};

use super::trace::{
    ACK, BROADCAST_FAILED, DATA, END, GRANT, INIT, KEEP_ALIVE, PUBLISHED, REFUSED, REJECTED, Reading, START_REFUSED,
    STOP, SUBSCRIBE, Trace, UNATTRIBUTED, UNKNOWN, What,
};

/// Requirement, culprit and the index of the frame at which it showed.
pub(crate) type Breach = (R, Side, usize);

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

/// Everything that is wrong with a trace.
pub(crate) fn breaches(t: &Trace<'_>) -> Vec<Breach> {
    let mut all = Vec::new();
    for (i, said) in t.said.iter().enumerate() {
        if silence_shows(t, i) {
            all.push((t.pick(R::GqlKa001, R::EvtKa001), Server, i));
        }
        all.extend(RULES.iter().filter_map(|rule| rule(t, i)).map(|rule| (rule, said.by, i)));
    }
    all
}

/// GQL-AUTH-016, EVT-AUTH-027: the next thing after a `connection_error` is no `connection_ack`.
fn no_ack_after_a_rejection(t: &Trace<'_>, i: usize) -> Option<R> {
    (t.is(i, ACK) && t.is_rejected(i)).then(|| t.pick(R::GqlAuth016, R::EvtAuth027))
}

/// GQL-INIT-013, EVT-INIT-005: each `connection_ack` answers a `connection_init` of its own, if it is not wrong anyway.
fn every_ack_has_its_init(t: &Trace<'_>, i: usize) -> Option<R> {
    (t.is(i, ACK) && !t.is_rejected(i) && t.pending(i, |j| t.is(j, INIT), |j| t.is(j, ACK)) == 0)
        .then(|| t.pick(R::GqlInit013, R::EvtInit005))
}

/// GQL-INIT-006, EVT-INIT-007: after `connection_init` no subscribe until the server has answered it.
fn no_subscribe_between_init_and_ack(t: &Trace<'_>, i: usize) -> Option<R> {
    let unanswered = t.any_before(i, INIT) && !t.any_before(i, ACK) && !t.any_before(i, REJECTED);
    (t.is(i, SUBSCRIBE) && unanswered).then(|| t.pick(R::GqlInit006, R::EvtInit007))
}

/// GQL-SUB-003, EVT-SUB-003: no other request under an id that the client has not let go, and of whose end it cannot
/// have heard; the same one again is impatience.
fn one_id_names_one_subscription(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, SUBSCRIBE)?;
    (t.asks_for_another(i, id) && t.unused_ends(id, i) == 0).then(|| t.pick(R::GqlSub003, R::EvtSub003))
}

/// GQL-SUB-006, EVT-SUB-007: each grant answers a start of its id.
pub(crate) fn every_grant_has_its_start(t: &Trace<'_>, i: usize) -> Option<R> {
    (t.starts(t.named(i, GRANT)?, i) == 0).then(|| t.pick(R::GqlSub006, R::EvtSub007))
}

/// GQL-ERR-009, EVT-SUB-004: a start of an id that is live for certain and that nobody wants to end is not granted.
fn no_grant_of_a_live_id(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, GRANT)?;
    let live = t.live(id, i) && !t.in_doubt(id, i);
    (t.starts(id, i) > 0 && live && t.stops(id, i) == 0).then(|| t.pick(R::GqlErr009, R::EvtSub004))
}

/// GQL-ERR-002, EVT-ERR-005: a refusal with an id refuses an operation of this id, or a message that nobody could read.
fn every_refusal_refuses_something(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, REFUSED)?;
    let answers_nothing = t.refuses_in_vain(i) || t.reads(i, id, Reading::Nothing);
    answers_nothing.then(|| t.pick(R::GqlErr002, R::EvtErr005))
}

/// GQL-SUB-026, EVT-SUB-018: between the end of an id and its next grant there is no data for it.
pub(crate) fn no_data_after_the_end(t: &Trace<'_>, i: usize) -> Option<R> {
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

/// EVT-DATA-012: a `broadcast_error` names an id that somebody has used, maybe for a subscription.
fn no_broadcast_error_that_nobody_subscribed(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, BROADCAST_FAILED)?;
    let kinds = [SUBSCRIBE, GRANT, STOP, END, START_REFUSED, UNATTRIBUTED];
    let heard_of = kinds.into_iter().any(|kind| t.last_before(i, kind, id).is_some());
    (!heard_of).then_some(R::EvtData012)
}

/// GQL-SUB-023: a stop follows a start of its id, with no other stop of it between, or a grant that the last one did not concern.
fn every_stop_has_its_start(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, STOP)?;
    (t.dialect == Dialect::Graphql && !t.wanted(id, i) && !t.may_stop_again(id, i)).then_some(R::GqlSub023)
}

/// GQL-SUB-024, EVT-SUB-016: an end answers a stop; only in GraphQL may a live one end unasked (GQL-SUB-035).
fn every_end_was_asked_for(t: &Trace<'_>, i: usize) -> Option<R> {
    let id = t.named(i, END)?;
    (t.stops(id, i) == 0 && !t.may_end_unasked(id, i)).then(|| t.pick(R::GqlSub024, R::EvtSub016))
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
    t.is_wrong_side(i).then(|| not_for_this_side(t, i)).flatten()
}

/// Events binds the server only: what a client says wrongly is unknown to it (EVT-ERR-016).
fn not_for_this_side(t: &Trace<'_>, i: usize) -> Option<R> {
    match (t.said[i].by, t.dialect) {
        (Client, Dialect::Graphql) => Some(R::GqlFrame012),
        (Client, Dialect::Events) => None,
        (Server, Dialect::Graphql) => Some(R::GqlFrame001),
        (Server, Dialect::Events) => Some(R::EvtFrame001),
    }
}

/// GQL-FRAME-001, EVT-FRAME-001: a text is a message; one with a word of its speaker breaks the rule of that word.
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
    match table.into_iter().find(|(_, known, _)| known == word) {
        Some((by, _, rule)) if by == t.said[i].by => Some(rule),
        Some(_) | None => not_for_this_side(t, i),
    }
}

/// GQL-FRAME-002, EVT-FRAME-001: no message is binary.
fn no_binary_message(t: &Trace<'_>, i: usize) -> Option<R> {
    matches!(t.said[i].what, What::Binary).then(|| t.pick(R::GqlFrame002, R::EvtFrame001))
}

/// GQL-KA-001, EVT-KA-001: while open, an ack or `ka` comes within the limit that the ack named.
///
/// A silence shows at the first frame beyond its limit, and the next one is counted from there.
fn silence_shows(t: &Trace<'_>, i: usize) -> bool {
    let Some(limit) = limit_in_force(t, i) else { return false };
    let Some(sign) = (0..i).rev().find(|j| t.is(*j, ACK) || t.is(*j, KEEP_ALIVE)) else { return false };
    let shows_after = |from: &usize| {
        let due = t.said[*from].at + limit + t.slack;
        (from + 1..=i).find(|j| t.said[*j].at >= due)
    };
    successors(Some(sign), shows_after).skip(1).any(|shown| shown == i)
}

/// The limit named last since the last `connection_error`, as long as nobody has closed.
fn limit_in_force(t: &Trace<'_>, i: usize) -> Option<Duration> {
    let since = (0..i).rev().find(|j| t.is(*j, REJECTED)).unwrap_or(0);
    let named = (since..i).rev().find_map(|j| match t.spoken(j) {
        Some(Message::Ack { silence: SilenceLimit::Millis(millis) }) => Some(Duration::from_millis(*millis)),
        Some(_) | None => None,
    });
    named.filter(|_| !t.is_over(i))
}
