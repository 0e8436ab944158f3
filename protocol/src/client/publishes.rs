//! Publishes (Events): asked for with credentials, answered once, never repeated.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem};

use super::Client;
use super::event::{ClientEvent, CredentialRequest, Purpose};
use super::subscriptions::{json_string, raw};
use crate::encode::ObjectWriter;
use crate::envelope::{Raw, RawBuf};
use crate::finding::UsageError;
use crate::handshake::Credentials;
use crate::json::push_json_string;
use crate::message::{ErrorEntry, Message, Operation};
use crate::moment::Moment;
use crate::wire::Side;

/// One publish that waits for its credentials or its answer.
#[derive(Clone)]
pub(super) struct Publish {
    channel: String,
    /// The events as a JSON array.
    events: String,
    /// When it went out; `None` while the owner owes its credentials.
    pub(super) sent: Option<Moment>,
}

impl Client {
    pub(super) fn ask_for_publish(&mut self, id: &str, channel: &str, events: &[&str]) {
        let mut array = String::from("[");
        for (n, event) in events.iter().enumerate() {
            if n > 0 {
                array.push(',');
            }
            push_json_string(&mut array, event);
        }
        array.push(']');
        let mut body = String::new();
        ObjectWriter::open(&mut body).string("channel", channel).text("events", &array).close();
        self.publishes.insert(id.into(), Publish { channel: channel.into(), events: array, sent: None });
        self.tell(ClientEvent::Needs(CredentialRequest { purpose: Purpose::Publish { id: id.into() }, body }));
    }

    pub(super) fn send_publish(&mut self, at: Moment, id: &str, who: &Credentials) -> Result<(), UsageError> {
        let (channel, events) = match self.publishes.get(id) {
            Some(Publish { sent: None, channel, events }) => (json_string(channel), raw(events.clone())),
            Some(Publish { sent: Some(_), .. }) | None => return Err(UsageError::UnknownId),
        };
        // What was just serialised is JSON.
        let (Some(channel), Some(events)) = (channel, events) else { return Err(UsageError::NotInDialect) };
        let authorization = raw(who.to_json());
        let message = Message::Publish {
            id: Cow::Borrowed(id),
            channel: channel.as_raw(),
            events: events.as_raw(),
            authorization: authorization.as_ref().map(RawBuf::as_raw),
        };
        self.conversation.admits(Side::Client, &message)?;
        self.advance(at);
        self.say(&message)?;
        if let Some(publish) = self.publishes.get_mut(id) {
            publish.sent = Some(self.now);
        }
        Ok(())
    }

    /// Gives the errors back if they are not for a publish.
    pub(super) fn refuse_publish(&mut self, id: &str, errors: Vec<ErrorEntry>) -> Option<Vec<ErrorEntry>> {
        match self.publishes.get(id) {
            Some(Publish { sent: Some(_), .. }) => {
                self.publishes.remove(id);
                self.tell(ClientEvent::PublishRefused { id: id.into(), errors });
                None
            }
            Some(Publish { sent: None, .. }) | None => Some(errors),
        }
    }

    pub(super) fn on_published(&mut self, id: &str, successful: Option<Raw<'_>>, failed: Option<Raw<'_>>) {
        if self.publishes.get(id).is_some_and(|publish| publish.sent.is_some()) {
            self.publishes.remove(id);
            let text = |raw: Option<Raw<'_>>| raw.map(|raw| raw.get().into());
            let (successful, failed) = (text(successful), text(failed));
            self.tell(ClientEvent::Published { id: id.into(), successful, failed });
        }
    }

    /// Those without credentials are not worth waiting for.
    pub(super) fn drop_unsent_publishes(&mut self) {
        for id in self.publishes_where(|publish| publish.sent.is_none()) {
            self.publishes.remove(&id);
            self.tell(ClientEvent::Interrupted { id, operation: Operation::Publish });
        }
    }

    /// EVT-CLOSE-006: whether they were carried out nobody knows, so nobody repeats them.
    pub(super) fn interrupt_publishes(&mut self) {
        for (id, _) in mem::take(&mut self.publishes) {
            self.tell(ClientEvent::Interrupted { id, operation: Operation::Publish });
        }
    }

    pub(super) fn expire_publishes(&mut self) {
        let (now, answer) = (self.now, self.config.timers.answer);
        for id in self.publishes_where(|publish| publish.sent.is_some_and(|sent| sent + answer <= now)) {
            self.publishes.remove(&id);
            self.tell(ClientEvent::TimedOut { id, operation: Operation::Publish });
        }
    }

    fn publishes_where(&self, wanted: impl Fn(&Publish) -> bool) -> Vec<String> {
        self.publishes.iter().filter(|(_, publish)| wanted(publish)).map(|(id, _)| id.clone()).collect()
    }
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publish(sent: {:?})", self.sent)
    }
}
