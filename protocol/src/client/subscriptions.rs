//! Operations on the connection: what was asked under which id, and what its answer means.
//!
//! The stages mirror what [`Conversation`](crate::conversation::Conversation) counts, seen from one side: an answer goes
//! to the start before it goes to the stop, and an id that waits for nothing is left alone (GQL-ERR-021, EVT-ERR-012).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem};

use super::Client;
use super::config::ResubscribeIds;
use super::event::{ClientEvent, CredentialRequest, Ending, Purpose};
use super::snapshot::SubscriptionState;
use crate::dialect::Dialect;
use crate::encode::ObjectWriter;
use crate::envelope::{Raw, RawBuf};
use crate::finding::UsageError;
use crate::handshake::Credentials;
use crate::json::push_json_string;
use crate::message::{ErrorEntry, Message, Operation};
use crate::moment::{Deadline, Moment, Timer};
use crate::wire::Side;

/// One subscription that is not over.
#[derive(Clone)]
pub(super) struct Subscription {
    topic: String,
    /// It has been asked for on an earlier transport.
    carried: bool,
    pub(super) stage: Stage,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Pending,
    AwaitingCredential,
    /// `leaving`: the owner wants it no longer, but its answer has to come first.
    Asked {
        since: Moment,
        leaving: bool,
    },
    Live,
    /// `start_open`: the start was never answered.
    Leaving {
        since: Moment,
        start_open: bool,
    },
}

impl Subscription {
    pub(super) fn new(topic: &str) -> Self {
        Self { topic: topic.into(), carried: false, stage: Stage::Pending }
    }
}

impl Stage {
    pub(super) const fn state(self) -> SubscriptionState {
        match self {
            Self::Pending => SubscriptionState::Pending,
            Self::AwaitingCredential => SubscriptionState::AwaitingCredential,
            Self::Asked { leaving: false, .. } => SubscriptionState::Asked,
            Self::Live => SubscriptionState::Live,
            Self::Asked { leaving: true, .. } | Self::Leaving { .. } => SubscriptionState::Leaving,
        }
    }

    const fn waits_since(self) -> Option<Moment> {
        match self {
            Self::Asked { since, .. } | Self::Leaving { since, .. } => Some(since),
            Self::Pending | Self::AwaitingCredential | Self::Live => None,
        }
    }
}

impl Client {
    /// The connection is there: everything that waited for it is asked for, carried ones under fresh ids if so wished.
    pub(super) fn ask_for_pending(&mut self) {
        let waiting: Vec<String> = self.subscriptions.keys().cloned().collect();
        for id in waiting {
            let id = self.rename(id);
            self.ask_for_subscription(&id);
        }
    }

    pub(super) fn ask_for_subscription(&mut self, id: &str) {
        let Some(subscription) = self.subscriptions.get_mut(id) else { return };
        subscription.stage = Stage::AwaitingCredential;
        let body = match self.config.dialect {
            Dialect::Graphql => subscription.topic.clone(),
            Dialect::Events => channel_object(&subscription.topic),
        };
        self.tell(ClientEvent::Needs(CredentialRequest { purpose: Purpose::Subscribe { id: id.into() }, body }));
    }

    fn rename(&mut self, from: String) -> String {
        let ResubscribeIds::Fresh { prefix } = &self.config.ids else { return from };
        if !self.subscriptions.get(&from).is_some_and(|s| s.carried) {
            return from;
        }
        let to = loop {
            self.renamed += 1;
            let to = format!("{prefix}{}", self.renamed);
            if !self.subscriptions.contains_key(&to) {
                break to;
            }
        };
        if let Some(subscription) = self.subscriptions.remove(&from) {
            self.subscriptions.insert(to.clone(), subscription);
        }
        self.tell(ClientEvent::Renamed { from, to: to.clone() });
        to
    }

    pub(super) fn send_subscribe(&mut self, at: Moment, id: &str, who: &Credentials) -> Result<(), UsageError> {
        let topic = match self.subscriptions.get(id) {
            Some(Subscription { stage: Stage::AwaitingCredential, topic, .. }) => topic.clone(),
            Some(_) | None => return Err(UsageError::UnknownId),
        };
        self.advance(at);
        let (request, authorization) = match self.config.dialect {
            Dialect::Graphql => (start_payload(&topic, who), None),
            Dialect::Events => (json_string(&topic), raw(who.to_json())),
        };
        // What was just serialised is JSON.
        let Some(request) = request else { return Err(UsageError::NotInDialect) };
        let message = Message::Subscribe {
            id: Cow::Borrowed(id),
            request: request.as_raw(),
            authorization: authorization.as_ref().map(RawBuf::as_raw),
        };
        match self.say(&message) {
            Ok(()) => self.enter(id, Stage::Asked { since: self.now, leaving: false }),
            Err(error) => self.end(id, Ending::NotSendable(error)),
        }
        Ok(())
    }

    pub(super) fn admits_stop(&self, id: &str) -> Result<(), UsageError> {
        self.conversation.admits(Side::Client, &Message::Unsubscribe { id: Cow::Borrowed(id) })
    }

    /// The owner wants a subscription no longer.
    pub(super) fn leave(&mut self, id: &str) {
        let Some(subscription) = self.subscriptions.get_mut(id) else { return };
        match &mut subscription.stage {
            Stage::Pending | Stage::AwaitingCredential => self.end(id, Ending::Asked),
            Stage::Asked { leaving, .. } => *leaving = true,
            Stage::Live => self.stop(id, false),
            Stage::Leaving { .. } => {}
        }
    }

    pub(super) fn leave_all(&mut self) {
        let ids: Vec<String> = self.subscriptions.keys().cloned().collect();
        for id in ids {
            self.leave(&id);
        }
    }

    fn stop(&mut self, id: &str, start_open: bool) {
        match self.say(&Message::Unsubscribe { id: Cow::Borrowed(id) }) {
            Ok(()) => self.enter(id, Stage::Leaving { since: self.now, start_open }),
            Err(error) => self.end(id, Ending::NotSendable(error)),
        }
    }

    fn enter(&mut self, id: &str, stage: Stage) {
        if let Some(subscription) = self.subscriptions.get_mut(id) {
            subscription.stage = stage;
        }
    }

    fn end(&mut self, id: &str, ending: Ending) {
        if self.subscriptions.remove(id).is_some() {
            self.tell(ClientEvent::Ended { id: id.into(), ending });
        }
    }

    fn stage(&self, id: &str) -> Option<Stage> {
        self.subscriptions.get(id).map(|subscription| subscription.stage)
    }

    pub(super) fn on_granted(&mut self, id: &str) {
        match self.stage(id) {
            Some(Stage::Asked { leaving: false, .. }) => {
                self.enter(id, Stage::Live);
                self.tell(ClientEvent::Subscribed { id: id.into() });
            }
            Some(Stage::Asked { leaving: true, .. }) => self.stop(id, false),
            Some(Stage::Leaving { since, .. }) => self.enter(id, Stage::Leaving { since, start_open: false }),
            Some(Stage::Pending | Stage::AwaitingCredential | Stage::Live) | None => {}
        }
    }

    pub(super) fn on_refused(&mut self, id: &str, operation: Option<Operation>, errors: Vec<ErrorEntry>) {
        let unclaimed = match operation {
            Some(Operation::Subscribe) => self.refuse_start(id, errors),
            Some(Operation::Unsubscribe) => self.refuse_stop(id, errors),
            Some(Operation::Publish) => self.refuse_publish(id, errors),
            None => self
                .refuse_start(id, errors)
                .and_then(|errors| self.refuse_stop(id, errors))
                .and_then(|errors| self.refuse_publish(id, errors))
                .and_then(|errors| self.end_by_error(id, errors)),
        };
        if let Some(errors) = unclaimed {
            self.tell(ClientEvent::Reported { id: Some(id.into()), errors });
        }
    }

    /// Each of these gives the errors back if they are not for it.
    fn refuse_start(&mut self, id: &str, errors: Vec<ErrorEntry>) -> Option<Vec<ErrorEntry>> {
        match self.stage(id) {
            Some(Stage::Asked { leaving: false, .. }) => {
                self.subscriptions.remove(id);
                self.tell(ClientEvent::Refused { id: id.into(), errors });
            }
            Some(Stage::Asked { leaving: true, .. }) => self.end(id, Ending::Asked),
            Some(Stage::Leaving { since, start_open: true }) => {
                self.enter(id, Stage::Leaving { since, start_open: false });
            }
            Some(Stage::Pending | Stage::AwaitingCredential | Stage::Live | Stage::Leaving { .. }) | None => {
                return Some(errors);
            }
        }
        None
    }

    fn refuse_stop(&mut self, id: &str, errors: Vec<ErrorEntry>) -> Option<Vec<ErrorEntry>> {
        match self.stage(id) {
            Some(Stage::Leaving { .. }) => {
                self.end(id, Ending::Asked);
                None
            }
            Some(Stage::Pending | Stage::AwaitingCredential | Stage::Asked { .. } | Stage::Live) | None => Some(errors),
        }
    }

    /// GQL-ERR-015: an error with a known id is the end of that subscription. Nothing says so for Events.
    fn end_by_error(&mut self, id: &str, errors: Vec<ErrorEntry>) -> Option<Vec<ErrorEntry>> {
        let live = matches!(self.stage(id), Some(Stage::Live));
        match self.config.dialect {
            Dialect::Graphql if live => {
                self.end(id, Ending::ByServer { errors });
                None
            }
            Dialect::Graphql | Dialect::Events => Some(errors),
        }
    }

    pub(super) fn on_data(&mut self, id: &str, body: Raw<'_>) {
        match self.stage(id) {
            // Early data is the server's fault and the conversation's finding; losing it would help nobody.
            Some(Stage::Live | Stage::Asked { leaving: false, .. }) => {
                self.tell(ClientEvent::Data { id: id.into(), body: body.get().into() });
            }
            // GQL-SUB-027, EVT-DATA-014: dropped.
            Some(Stage::Pending | Stage::AwaitingCredential | Stage::Asked { .. } | Stage::Leaving { .. }) | None => {}
        }
    }

    pub(super) fn on_broadcast_failed(&mut self, id: &str, errors: Vec<ErrorEntry>) {
        if self.subscriptions.contains_key(id) {
            self.tell(ClientEvent::BroadcastFailed { id: id.into(), errors });
        }
    }

    pub(super) fn on_ended(&mut self, id: &str) {
        match self.stage(id) {
            Some(Stage::Live) => self.end(id, Ending::ByServer { errors: Vec::new() }),
            Some(Stage::Leaving { .. }) => self.end(id, Ending::Asked),
            // An answer to an earlier life of the id.
            Some(Stage::Pending | Stage::AwaitingCredential | Stage::Asked { .. }) | None => {}
        }
    }

    /// The transport went away: subscriptions are kept for the next one, publishes are not.
    pub(super) fn interrupt(&mut self) {
        let mut events = Vec::new();
        self.subscriptions.retain(|id, subscription| match mem::replace(&mut subscription.stage, Stage::Pending) {
            Stage::Pending | Stage::AwaitingCredential => true,
            Stage::Asked { leaving: false, .. } | Stage::Live => {
                subscription.carried = true;
                events.push(ClientEvent::Interrupted { id: id.clone(), operation: Operation::Subscribe });
                true
            }
            // GQL-CLOSE-001: the end of the connection ended it.
            Stage::Asked { leaving: true, .. } | Stage::Leaving { .. } => {
                events.push(ClientEvent::Ended { id: id.clone(), ending: Ending::Asked });
                false
            }
        });
        for event in events {
            self.tell(event);
        }
    }

    pub(super) fn answer_deadline(&self) -> Option<Deadline> {
        let asked = self.subscriptions.values().filter_map(|s| s.stage.waits_since());
        let since = asked.chain(self.publishes.values().filter_map(|p| p.sent)).min()?;
        Some(Deadline { at: since + self.config.timers.answer, why: Timer::Answer })
    }

    /// GQL-SUB-010, EVT-SUB-026: what was not answered in time is told, and a late grant is asked back.
    pub(super) fn expire_answers(&mut self) {
        let due = |since: Moment| since + self.config.timers.answer <= self.now;
        let late: Vec<(String, Stage)> = self
            .subscriptions
            .iter()
            .filter(|(_, s)| s.stage.waits_since().is_some_and(due))
            .map(|(id, s)| (id.clone(), s.stage))
            .collect();

        for (id, stage) in late {
            match stage {
                Stage::Asked { .. } => {
                    self.tell(ClientEvent::TimedOut { id: id.clone(), operation: Operation::Subscribe });
                    self.stop(&id, true);
                }
                Stage::Leaving { .. } => {
                    self.subscriptions.remove(&id);
                    self.tell(ClientEvent::TimedOut { id, operation: Operation::Unsubscribe });
                }
                Stage::Pending | Stage::AwaitingCredential | Stage::Live => {}
            }
        }
    }
}

/// `payload` of a `start`. Source: GQL-SUB-002, GQL-AUTH-011.
fn start_payload(topic: &str, who: &Credentials) -> Option<RawBuf> {
    let mut extensions = String::new();
    ObjectWriter::open(&mut extensions).text("authorization", &who.to_json()).close();
    let mut payload = String::new();
    ObjectWriter::open(&mut payload).string("data", topic).text("extensions", &extensions).close();
    raw(payload)
}

fn channel_object(channel: &str) -> String {
    let mut object = String::new();
    ObjectWriter::open(&mut object).string("channel", channel).close();
    object
}

pub(super) fn json_string(text: &str) -> Option<RawBuf> {
    let mut quoted = String::new();
    push_json_string(&mut quoted, text);
    raw(quoted)
}

pub(super) fn raw(json: String) -> Option<RawBuf> {
    RawBuf::read(json)
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stage.fmt(f)
    }
}
