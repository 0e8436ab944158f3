//! What each message does to the state, and which rule it breaks there: one short handler a message.

use alloc::format;
use alloc::vec::Vec;

use super::subscription::mark;
use super::{Conversation, IDS_REMEMBERED_MAX, Phase, Subscription};
use crate::dialect::{Dialect, graphql, word_of};
use crate::envelope::{DecodeError, Raw};
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
        if self.rejected {
            let rule = self.by_dialect(R::GqlAuth016, R::EvtAuth027);
            findings.push(self.finding(Server, rule, "sent connection_ack after its own connection_error"));
        }
        if self.inits == 0 {
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

    pub(super) fn on_subscribe(&mut self, id: &str, request: &Raw, findings: &mut Vec<Finding>) {
        if let Phase::Greeting { .. } = self.phase {
            let rule = self.by_dialect(R::GqlInit006, R::EvtInit007);
            findings.push(self.finding(Client, rule, format!("subscribed {id:?} before connection_ack")));
        }
        let request = mark(&match self.dialect {
            Dialect::Graphql => graphql::request_text(request).unwrap_or_default(),
            Dialect::Events => request.get().into(),
        });
        let before = self.subscriptions.get(id).copied().unwrap_or_default();
        // The same unanswered request once more is impatience, not a second subscription.
        if before.wanted && before.is_taken() && before.request != request {
            let rule = self.by_dialect(R::GqlSub003, R::EvtSub003);
            findings.push(self.finding(Client, rule, format!("used the id {id:?} for a second subscription")));
        }
        let entry = self.remember(id);
        entry.starts += 1;
        entry.wanted = true;
        entry.request = request;
    }

    pub(super) fn on_granted(&mut self, id: &str, findings: &mut Vec<Finding>) {
        let before = self.subscriptions.get(id).copied().unwrap_or_default();
        if before.starts == 0 {
            let rule = self.by_dialect(R::GqlSub006, R::EvtSub007);
            findings.push(self.finding(Server, rule, format!("granted {id:?}, which waits for no answer")));
        } else if before.live && before.stops == 0 {
            let rule = self.by_dialect(R::GqlErr009, R::EvtSub004);
            findings.push(self.finding(Server, rule, format!("granted {id:?} again while it was live")));
        }
        let entry = self.remember(id);
        entry.starts = entry.starts.saturating_sub(1);
        if !entry.live {
            entry.generation += 1;
        }
        entry.live = true;
    }

    pub(super) fn on_refused(&mut self, id: Option<&str>, operation: Option<Operation>, findings: &mut Vec<Finding>) {
        let Some(id) = id else {
            self.loose = self.loose.saturating_sub(1);
            return;
        };
        let answered = match operation {
            Some(Operation::Subscribe) => self.refuse_start(id),
            Some(Operation::Unsubscribe) => self.refuse_stop(id),
            Some(Operation::Publish) => self.answer_publish(id),
            None => {
                self.refuse_start(id)
                    || self.refuse_stop(id)
                    || self.answer_publish(id)
                    || self.end_by_error(id)
                    || self.answer_loose()
            }
        };
        if !answered {
            let rule = self.by_dialect(R::GqlErr002, R::EvtErr005);
            findings.push(self.finding(Server, rule, format!("refused {id:?}, which waits for no answer")));
        }
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

    /// GQL-SUB-035: the server may end a live subscription with an error that bears its id.
    fn end_by_error(&mut self, id: &str) -> bool {
        match (self.dialect, self.subscriptions.get_mut(id)) {
            (Dialect::Graphql, Some(entry)) if entry.live => {
                entry.live = false;
                true
            }
            (Dialect::Graphql | Dialect::Events, Some(_) | None) => false,
        }
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
        if !self.subscriptions.contains_key(id) {
            let detail = format!("sent broadcast_error for {id:?}, which nobody subscribed");
            findings.push(self.finding(Server, R::EvtData012, detail));
        }
    }

    pub(super) fn on_unsubscribe(&mut self, id: &str, findings: &mut Vec<Finding>) {
        // What the server did meanwhile may have crossed; the client is bound by its own words only.
        let wanted = self.subscriptions.get(id).is_some_and(|entry| entry.wanted);
        if !wanted && self.dialect == Dialect::Graphql {
            let detail = format!("stopped {id:?}, which is not its live subscription");
            findings.push(self.finding(Client, R::GqlSub023, detail));
        }
        let entry = self.remember(id);
        entry.stops += 1;
        entry.wanted = false;
    }

    pub(super) fn on_ended(&mut self, id: &str, findings: &mut Vec<Finding>) {
        let before = self.subscriptions.get(id).copied().unwrap_or_default();
        let answers = before.stops > 0;
        // GQL-SUB-035: a GraphQL server may end a live subscription unasked; nothing says so for Events.
        let unasked_is_fine = self.dialect == Dialect::Graphql && before.live;
        if !answers && !unasked_is_fine {
            let rule = self.by_dialect(R::GqlSub024, R::EvtSub016);
            findings.push(self.finding(Server, rule, format!("ended {id:?}, which nobody asked it to end")));
        }
        let entry = self.remember(id);
        entry.stops = entry.stops.saturating_sub(1);
        entry.live = false;
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
        findings.push(self.finding(from, rule, format!("sent what is no message: {fault}")));
    }

    pub(super) fn note_binary(&mut self, from: Side, findings: &mut Vec<Finding>) {
        if from == Client {
            self.loose += 1;
        }
        let rule = self.by_dialect(R::GqlFrame002, R::EvtFrame001);
        findings.push(self.finding(from, rule, "sent a binary message"));
    }

    pub(super) fn note_wrong_speaker(&mut self, from: Side, message: &Message<'_>, findings: &mut Vec<Finding>) {
        let word = word_of(self.dialect, message).unwrap_or_default();
        match (from, self.dialect) {
            (Client, Dialect::Graphql) => {
                self.loose += 1;
                findings.push(self.finding(Client, R::GqlFrame012, format!("sent {word:?}, which only a server says")));
            }
            (Client, Dialect::Events) => self.loose += 1,
            (Server, Dialect::Graphql | Dialect::Events) => {
                let rule = self.by_dialect(R::GqlFrame001, R::EvtFrame001);
                findings.push(self.finding(Server, rule, format!("sent {word:?}, which only a client says")));
            }
        }
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
        }
    }
}

/// The rule that a text which is no message breaks: the one about the message where it has a word.
fn unreadable_rule(dialect: Dialect, from: Side, fault: &DecodeError) -> R {
    let word = match fault {
        DecodeError::NotJson { .. } | DecodeError::NotAnObject | DecodeError::NoType | DecodeError::TypeNotAString => {
            return match dialect {
                Dialect::Graphql => R::GqlFrame001,
                Dialect::Events => R::EvtFrame001,
            };
        }
        DecodeError::Missing { word, .. } | DecodeError::WrongType { word, .. } => *word,
    };
    match (dialect, from, word) {
        (Dialect::Graphql, Client, "stop") => R::GqlSub023,
        (Dialect::Graphql, Client, _) => R::GqlSub001,
        (Dialect::Graphql, Server, "start_ack") => R::GqlSub006,
        (Dialect::Graphql, Server, "complete") => R::GqlSub024,
        (Dialect::Graphql, Server, "error") => R::GqlErr002,
        (Dialect::Graphql, Server, _) => R::GqlSub012,
        (Dialect::Events, Client, "publish") => R::EvtPub001,
        (Dialect::Events, Client, "unsubscribe") => R::EvtSub015,
        (Dialect::Events, Client, _) => R::EvtSub001,
        (Dialect::Events, Server, "subscribe_success") => R::EvtSub007,
        (Dialect::Events, Server, "unsubscribe_success") => R::EvtSub016,
        (Dialect::Events, Server, "publish_success") => R::EvtPub007,
        (Dialect::Events, Server, "data") => R::EvtData001,
        (Dialect::Events, Server, _) => R::EvtErr005,
    }
}
