//! What each message does to the state, and which rule it breaks there: one short handler a message.

use alloc::format;
use alloc::vec::Vec;

use super::subscription::mark;
use super::{Conversation, IDS_REMEMBERED_MAX, Phase, Subscription};
use crate::dialect::{Dialect, graphql, word_of};
use crate::envelope::{DecodeError, Raw, string};
use crate::finding::Finding;
use crate::message::{Message, Operation, SilenceLimit};
use crate::requirement::Requirement as R;
use crate::wire::Side::{self, Client, Server};

impl Conversation {
    pub(super) fn on_init(&mut self) {
        self.inits += 1;
        match self.phase {
            Phase::Fresh => self.phase = Phase::Greeting { since: self.now },
            Phase::Greeting { .. } | Phase::Open { .. } | Phase::Refused | Phase::Closing { .. } | Phase::Closed => {}
        }
    }

    pub(super) fn on_ack(&mut self, silence: SilenceLimit, findings: &mut Vec<Finding>) {
        // It evidently thinks better of its rejection; later acks are not blamed for this one.
        if core::mem::take(&mut self.rejected) {
            let rule = self.by_dialect(R::GqlAuth016, R::EvtAuth027);
            findings.push(self.finding(Server, rule, "sent connection_ack after its own connection_error"));
        } else if self.inits == 0 {
            let rule = self.by_dialect(R::GqlInit013, R::EvtInit005);
            findings.push(self.finding(Server, rule, "sent connection_ack without a connection_init to answer"));
        }
        self.inits = self.inits.saturating_sub(1);
        match self.phase {
            Phase::Open { silence_limit, .. } => {
                // A second ack may leave the limit out; the first one then stands.
                self.open(silence);
                if let (Phase::Open { silence_limit: now @ None, .. }, Some(before)) = (&mut self.phase, silence_limit)
                {
                    *now = Some(before);
                }
            }
            Phase::Fresh | Phase::Greeting { .. } | Phase::Refused => self.open(silence),
            Phase::Closing { .. } | Phase::Closed => {}
        }
    }

    pub(super) fn on_rejected(&mut self) {
        self.rejected = true;
        self.phase = Phase::Refused;
    }

    pub(super) fn on_keep_alive(&mut self) {
        let now = self.now;
        match &mut self.phase {
            Phase::Open { heard, .. } => *heard = now,
            Phase::Fresh | Phase::Greeting { .. } | Phase::Refused | Phase::Closing { .. } | Phase::Closed => {}
        }
    }

    pub(super) fn on_subscribe(&mut self, id: &str, request: Raw<'_>, findings: &mut Vec<Finding>) {
        if let Phase::Greeting { .. } = self.phase {
            let rule = self.by_dialect(R::GqlInit006, R::EvtInit007);
            findings.push(self.finding(Client, rule, format!("subscribed {id:?} before connection_ack")));
        }
        let request = mark(&match self.dialect {
            Dialect::Graphql => graphql::request_text(request).unwrap_or_default(),
            Dialect::Events => string(request).unwrap_or_else(|| request.get().into()),
        });
        let before = self.subscriptions.get(id).copied().unwrap_or_default();
        // The same request once more is impatience, not a second subscription.
        let another = before.wanted && before.request != request;
        if another && before.ends == 0 {
            let rule = self.by_dialect(R::GqlSub003, R::EvtSub003);
            findings.push(self.finding(Client, rule, format!("used the id {id:?} for a second subscription")));
        }
        let entry = self.remember(id);
        entry.starts += 1;
        entry.wanted = true;
        entry.request = request;
        entry.ends = entry.ends.saturating_sub(u32::from(another));
    }

    pub(super) fn on_granted(&mut self, id: &str, findings: &mut Vec<Finding>) {
        let before = self.subscriptions.get(id).copied().unwrap_or_default();
        if before.starts == 0 {
            let rule = self.by_dialect(R::GqlSub006, R::EvtSub007);
            findings.push(self.finding(Server, rule, format!("granted {id:?}, which waits for no answer")));
        } else if before.live && before.stops == 0 && !before.doubtful {
            let rule = self.by_dialect(R::GqlErr009, R::EvtSub004);
            findings.push(self.finding(Server, rule, format!("granted {id:?} again while it was live")));
        }
        let entry = self.remember(id);
        entry.may_stop_again |= entry.starts == 0 || !entry.wanted || entry.ends > 0;
        entry.starts = entry.starts.saturating_sub(1);
        if !entry.live {
            entry.generation += 1;
        }
        entry.live = true;
        entry.doubtful = false;
    }

    pub(super) fn on_refused(&mut self, id: Option<&str>, operation: Option<Operation>, findings: &mut Vec<Finding>) {
        // GQL-ERR-005: an empty id is none, unless somebody uses it: then it may be either.
        let is_none = |id: &&str| operation.is_none() && id.is_empty() && !self.subscriptions.contains_key(*id);
        let Some(id) = id.filter(|id| !is_none(id)) else {
            self.loose = self.loose.saturating_sub(1);
            return;
        };
        // What nobody could read may have been the operation that is refused.
        let answered = match operation {
            Some(Operation::Subscribe) => self.refuse_start(id) || self.answer_loose(),
            Some(Operation::Unsubscribe) => self.refuse_stop(id) || self.answer_loose(),
            Some(Operation::Publish) => self.answer_publish(id) || self.answer_loose(),
            None if id.is_empty() => {
                self.loose = self.loose.saturating_sub(1);
                self.remember(id).doubtful = true;
                true
            }
            None => self.refuse_something(id),
        };
        if !answered && !self.may_be_forgotten(id) {
            let rule = self.by_dialect(R::GqlErr002, R::EvtErr005);
            findings.push(self.finding(Server, rule, format!("refused {id:?}, which waits for no answer")));
        }
        let may_be_heard_as_an_end = matches!(operation, Some(Operation::Subscribe) | None);
        if may_be_heard_as_an_end && !self.may_be_forgotten(id) {
            self.remember(id).ends += 1;
            self.forget();
        }
    }

    /// A refusal that names an id and nothing else. It takes what it answers only where that is certain.
    fn refuse_something(&mut self, id: &str) -> bool {
        let entry = self.subscriptions.get(id).copied().unwrap_or_default();
        let ends = entry.stops > 0 || self.may_end_unasked(&entry);
        match [entry.starts > 0, ends, self.publishes.contains_key(id), self.loose > 0] {
            [false, false, false, false] => false,
            [true, false, false, false] => self.refuse_start(id),
            [false, true, false, false] => match self.dialect {
                Dialect::Graphql => {
                    self.end(id);
                    true
                }
                Dialect::Events => self.refuse_stop(id),
            },
            [false, false, true, false] => self.answer_publish(id),
            [false, false, false, true] => self.answer_loose(),
            [_, _, _, _] => {
                self.remember(id).doubtful = true;
                true
            }
        }
    }

    /// GQL-SUB-035: a GraphQL server may end a live subscription unasked; nothing says so for Events.
    fn may_end_unasked(&self, entry: &Subscription) -> bool {
        self.dialect == Dialect::Graphql && entry.live
    }

    /// The server has ended it: unasked, as far as anybody can tell, where it may do so.
    fn end(&mut self, id: &str) {
        let before = self.subscriptions.get(id).copied().unwrap_or_default();
        // It may have crossed the stop, whose answer is then yet to come (GQL-A-08).
        let answers_no_stop = self.may_end_unasked(&before);
        let entry = self.remember(id);
        entry.stops = entry.stops.saturating_sub(u32::from(!answers_no_stop));
        entry.live = false;
    }

    /// A refusal consumes the oldest unanswered `start`; a live subscription survives a refused duplicate.
    fn refuse_start(&mut self, id: &str) -> bool {
        match self.subscriptions.get_mut(id) {
            Some(entry) if entry.starts > 0 => {
                entry.starts -= 1;
                true
            }
            Some(_) | None => false,
        }
    }

    fn refuse_stop(&mut self, id: &str) -> bool {
        match self.subscriptions.get_mut(id) {
            Some(entry) if entry.stops > 0 => {
                entry.stops -= 1;
                true
            }
            Some(_) | None => false,
        }
    }

    fn answer_publish(&mut self, id: &str) -> bool {
        let Some(waiting) = self.publishes.get_mut(id) else { return false };
        *waiting -= 1;
        if *waiting == 0 {
            self.publishes.remove(id);
        }
        true
    }

    fn answer_loose(&mut self) -> bool {
        let any = self.loose > 0;
        self.loose = self.loose.saturating_sub(1);
        any
    }

    pub(super) fn on_data(&mut self, id: &str, findings: &mut Vec<Finding>) {
        let (rule, detail) = match self.subscriptions.get(id) {
            Some(entry) if entry.live => return,
            Some(entry) if entry.generation > 0 => (
                self.by_dialect(R::GqlSub026, R::EvtSub018),
                format!("sent data for {id:?} after it had ended that subscription"),
            ),
            Some(entry) if entry.starts > 0 => (
                self.by_dialect(R::GqlSub009, R::EvtSub014),
                format!("sent data for {id:?} before it had granted that subscription"),
            ),
            Some(_) => {
                (self.by_dialect(R::GqlSub012, R::EvtData001), format!("sent data for {id:?}, which it had refused"))
            }
            None => {
                (self.by_dialect(R::GqlSub012, R::EvtData001), format!("sent data for {id:?}, which nobody subscribed"))
            }
        };
        findings.push(self.finding(Server, rule, detail));
    }

    pub(super) fn on_broadcast_failed(&mut self, id: &str, findings: &mut Vec<Finding>) {
        if !self.subscriptions.contains_key(id) && !self.forgotten {
            let detail = format!("sent broadcast_error for {id:?}, which nobody subscribed");
            findings.push(self.finding(Server, R::EvtData012, detail));
        }
    }

    pub(super) fn on_unsubscribe(&mut self, id: &str, findings: &mut Vec<Finding>) {
        // What the server did meanwhile may have crossed; the client is bound by its own words only.
        let named = self.subscriptions.get(id).is_some_and(|entry| entry.wanted || entry.may_stop_again);
        if !named && self.dialect == Dialect::Graphql && !self.may_be_forgotten(id) {
            let detail = format!("stopped {id:?}, which is not its live subscription");
            findings.push(self.finding(Client, R::GqlSub023, detail));
        }
        let entry = self.remember(id);
        entry.stops += 1;
        entry.wanted = false;
    }

    pub(super) fn on_ended(&mut self, id: &str, findings: &mut Vec<Finding>) {
        if self.may_be_forgotten(id) {
            return;
        }
        let before = self.subscriptions.get(id).copied().unwrap_or_default();
        if before.stops == 0 && !self.may_end_unasked(&before) {
            let rule = self.by_dialect(R::GqlSub024, R::EvtSub016);
            findings.push(self.finding(Server, rule, format!("ended {id:?}, which nobody asked it to end")));
        }
        self.end(id);
        self.remember(id).ends += 1;
        self.forget();
    }

    pub(super) fn on_publish(&mut self, id: &str) {
        *self.publishes.entry(id.into()).or_default() += 1;
    }

    pub(super) fn on_published(&mut self, id: &str, findings: &mut Vec<Finding>) {
        if !self.answer_publish(id) {
            let detail = format!("answered the publish {id:?}, which waits for no answer");
            findings.push(self.finding(Server, R::EvtPub007, detail));
        }
    }

    pub(super) fn on_unknown(&mut self, from: Side, message: &Message<'_>, findings: &mut Vec<Finding>) {
        match (from, self.dialect) {
            (Client, Dialect::Graphql) => {
                self.loose += 1;
                let word = word_of(self.dialect, message).unwrap_or_default();
                findings.push(self.finding(Client, R::GqlFrame012, format!("sent {word:?}, a word of no message")));
            }
            (Client, Dialect::Events) => self.loose += 1,
            // A server may know words of a later version (GQL-ERR-022, EVT-DATA-016 bind the client).
            (Server, Dialect::Graphql | Dialect::Events) => {}
        }
    }

    pub(super) fn note_unreadable(&mut self, from: Side, fault: &DecodeError, findings: &mut Vec<Finding>) {
        if from == Client {
            self.loose += 1;
        }
        let rule = unreadable_rule(self.dialect, from, fault);
        findings.extend(rule.map(|rule| self.finding(from, rule, format!("sent what is no message: {fault}"))));
    }

    pub(super) fn note_binary(&mut self, from: Side, findings: &mut Vec<Finding>) {
        if from == Client {
            self.loose += 1;
        }
        let rule = self.by_dialect(R::GqlFrame002, R::EvtFrame001);
        findings.push(self.finding(from, rule, "sent a binary message"));
    }

    pub(super) fn note_wrong_speaker(&mut self, from: Side, message: &Message<'_>, findings: &mut Vec<Finding>) {
        if from == Client {
            self.loose += 1;
        }
        let word = word_of(self.dialect, message).unwrap_or_default();
        let whose = match from {
            Client => "a server",
            Server => "a client",
        };
        let rule = wrong_speaker_rule(self.dialect, from);
        findings.extend(rule.map(|rule| self.finding(from, rule, format!("sent {word:?}, which only {whose} says"))));
    }

    fn remember(&mut self, id: &str) -> &mut Subscription {
        if !self.subscriptions.contains_key(id) {
            self.forget();
        }
        self.subscriptions.entry(id.into()).or_default()
    }

    /// Keeps the memory of ended ids within its bound.
    fn forget(&mut self) {
        while self.subscriptions.len() > IDS_REMEMBERED_MAX {
            let Some(over) = self.subscriptions.iter().find(|(_, s)| s.is_over()).map(|(id, _)| id.clone()) else {
                return;
            };
            self.subscriptions.remove(&over);
            self.forgotten = true;
        }
    }

    /// Nothing is known of the id, which proves nothing any more: its answers may still be on their way.
    fn may_be_forgotten(&self, id: &str) -> bool {
        self.forgotten && !self.subscriptions.contains_key(id)
    }
}

/// The rule that a text which is no message breaks: the one about the message where it has a word of this side.
///
/// A word of the other side is what it is in a message that can be read; see [`Conversation::note_wrong_speaker`].
fn unreadable_rule(dialect: Dialect, from: Side, fault: &DecodeError) -> Option<R> {
    let word = match fault {
        DecodeError::NotJson { .. } | DecodeError::NotAnObject | DecodeError::NoType | DecodeError::TypeNotAString => {
            return match dialect {
                Dialect::Graphql => Some(R::GqlFrame001),
                Dialect::Events => Some(R::EvtFrame001),
            };
        }
        DecodeError::Missing { word, .. } | DecodeError::WrongType { word, .. } => *word,
    };
    let (speaker, rule) = match (dialect, word) {
        (Dialect::Graphql, "start") => (Client, R::GqlSub001),
        (Dialect::Graphql, "stop") => (Client, R::GqlSub023),
        (Dialect::Graphql, "start_ack") => (Server, R::GqlSub006),
        (Dialect::Graphql, "complete") => (Server, R::GqlSub024),
        (Dialect::Graphql, "error") => (Server, R::GqlErr002),
        (Dialect::Graphql, _) => (Server, R::GqlSub012),
        (Dialect::Events, "subscribe") => (Client, R::EvtSub001),
        (Dialect::Events, "unsubscribe") => (Client, R::EvtSub015),
        (Dialect::Events, "publish") => (Client, R::EvtPub001),
        (Dialect::Events, "subscribe_success") => (Server, R::EvtSub007),
        (Dialect::Events, "unsubscribe_success") => (Server, R::EvtSub016),
        (Dialect::Events, "publish_success") => (Server, R::EvtPub007),
        (Dialect::Events, "data") => (Server, R::EvtData001),
        (Dialect::Events, _) => (Server, R::EvtErr005),
    };
    if speaker == from { Some(rule) } else { wrong_speaker_rule(dialect, from) }
}

/// The rule against saying what only the other side says; none binds an Events client (EVT-ERR-016).
const fn wrong_speaker_rule(dialect: Dialect, from: Side) -> Option<R> {
    match (dialect, from) {
        (Dialect::Graphql, Client) => Some(R::GqlFrame012),
        (Dialect::Graphql, Server) => Some(R::GqlFrame001),
        (Dialect::Events, Client) => None,
        (Dialect::Events, Server) => Some(R::EvtFrame001),
    }
}
