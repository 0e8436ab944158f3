//! The connection: attempts, the greeting, losses, pauses, the way out.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::event::{ClientEvent, CredentialRequest, DialFailure, Ending, FailReason, Loss, Purpose};
use super::snapshot::ConnectionState;
use super::{Client, Output};
use crate::conversation::{Conversation, Heard};
use crate::dialect::Dialect;
use crate::envelope::Raw;
use crate::message::{ErrorEntry, Message, Operation, SilenceLimit, error_entries};
use crate::moment::{Deadline, Moment, Timer};
use crate::wire::{Frame, OwnedFrame};

/// The close code of a client that is done. Source: GQL-CLOSE-003, EVT-CLOSE-002.
const CLOSE_NORMAL: u16 = 1000;

impl Client {
    /// Asks for the credentials of the next upgrade.
    pub(super) fn begin_attempt(&mut self) {
        match self.state {
            ConnectionState::Idle | ConnectionState::Failed { .. } => self.failures = 0,
            ConnectionState::AwaitingCredential
            | ConnectionState::Dialling
            | ConnectionState::Greeting { .. }
            | ConnectionState::Connected { .. }
            | ConnectionState::Draining { .. }
            | ConnectionState::Backoff { .. } => {}
        }
        self.state = ConnectionState::AwaitingCredential;
        self.tell(ClientEvent::Needs(CredentialRequest { purpose: Purpose::Connect, body: "{}".into() }));
    }

    pub(super) fn on_connected(&mut self) {
        if self.state != ConnectionState::Dialling {
            return;
        }
        self.conversation = Conversation::new(self.config.dialect);
        self.state = ConnectionState::Greeting { since: self.now };
        // A fresh conversation admits an init.
        let said = self.say(&Message::Init);
        debug_assert!(said.is_ok());
    }

    pub(super) fn on_connect_failed(&mut self, failure: DialFailure, random: u64) {
        if self.state == ConnectionState::Dialling {
            self.lose(Loss::Dial(failure), random);
        }
    }

    pub(super) fn on_frame(&mut self, frame: Frame<'_>, random: u64) {
        if !self.state.is_up() {
            return;
        }
        let observed = self.conversation.observe(self.now, crate::wire::Side::Server, frame);
        self.tell_findings(observed.findings);
        match observed.heard {
            Heard::Message(decoded) => self.on_message(&decoded.message, random),
            Heard::Closed => self.lose(Loss::Closed { code: close_code(frame) }, random),
            Heard::Lost => self.lose(Loss::Transport, random),
            // GQL-FRAME-003: told as findings, otherwise ignored. Pings are the shell's.
            Heard::Unreadable(_) | Heard::Binary | Heard::Control => {}
        }
        self.close_if_drained();
    }

    fn on_message(&mut self, message: &Message<'_>, random: u64) {
        match message {
            Message::Ack { silence } => self.on_ack(*silence),
            Message::Rejected { errors } => self.lose(Loss::Rejected { errors: entries(*errors) }, random),
            Message::KeepAlive => self.on_keep_alive(),
            Message::Granted { id } => self.on_granted(id),
            Message::Refused { id: None, errors, .. } => self.on_unattributed(entries(*errors), random),
            Message::Refused { id: Some(id), operation, errors } => self.on_refused(id, *operation, entries(*errors)),
            Message::Data { id, body } => self.on_data(id, *body),
            Message::BroadcastFailed { id, errors } => self.on_broadcast_failed(id, entries(*errors)),
            Message::Ended { id } => self.on_ended(id),
            Message::Published { id, successful, failed } => self.on_published(id, *successful, *failed),
            // GQL-ERR-022, EVT-DATA-016: words of later versions, and words that only a client says.
            Message::Init
            | Message::Subscribe { .. }
            | Message::Unsubscribe { .. }
            | Message::Publish { .. }
            | Message::Unknown { .. } => {}
        }
    }

    fn on_ack(&mut self, silence: SilenceLimit) {
        let named = match silence {
            SilenceLimit::Millis(millis) => Some(core::time::Duration::from_millis(millis)),
            SilenceLimit::Missing | SilenceLimit::Malformed => None,
        };
        match &mut self.state {
            ConnectionState::Greeting { .. } => {
                let silence_limit = named.unwrap_or(self.config.timers.silence_fallback);
                self.state = ConnectionState::Connected { silence_limit, heard: self.now };
                self.acknowledged = Some(self.now);
                self.tell(ClientEvent::Connected { silence_limit });
                self.ask_for_pending();
            }
            ConnectionState::Connected { silence_limit, heard } => {
                *silence_limit = named.unwrap_or(*silence_limit);
                *heard = self.now;
            }
            ConnectionState::Idle
            | ConnectionState::AwaitingCredential
            | ConnectionState::Dialling
            | ConnectionState::Draining { .. }
            | ConnectionState::Backoff { .. }
            | ConnectionState::Failed { .. } => {}
        }
    }

    /// GQL-KA-006, EVT-KA-005: only the acknowledgement and keep-alives count as signs of life.
    fn on_keep_alive(&mut self) {
        match &mut self.state {
            ConnectionState::Connected { heard, .. } => *heard = self.now,
            // GQL-KA-012: early ones are fine and mean nothing.
            ConnectionState::Idle
            | ConnectionState::AwaitingCredential
            | ConnectionState::Dialling
            | ConnectionState::Greeting { .. }
            | ConnectionState::Draining { .. }
            | ConnectionState::Backoff { .. }
            | ConnectionState::Failed { .. } => {}
        }
    }

    /// An `error` without id: before the acknowledgement GraphQL refuses the connection by it, too.
    fn on_unattributed(&mut self, errors: Vec<ErrorEntry>, random: u64) {
        let greeting = matches!(self.state, ConnectionState::Greeting { .. });
        match self.config.dialect {
            Dialect::Graphql if greeting => self.lose(Loss::Rejected { errors }, random),
            Dialect::Graphql | Dialect::Events => self.tell(ClientEvent::Reported { id: None, errors }),
        }
    }

    /// The transport, or the attempt to get one, is over and nobody asked for it.
    fn lose(&mut self, loss: Loss, random: u64) {
        if loss.is_ours() {
            self.end_transport();
        }
        self.interrupt();
        self.interrupt_publishes();
        if let ConnectionState::Draining { closing, .. } = self.state {
            self.settle(closing && !loss.is_ours());
            return;
        }
        // A server that acknowledges and drops at once is not dialled at the rate at which it does so.
        if self.acknowledged.take().is_some_and(|since| self.now.since(since) >= self.config.backoff.cap) {
            self.failures = 0;
        }
        let next = match loss.final_reason() {
            Some(reason) => Err(reason),
            None => self.config.backoff.pause(self.failures, random).ok_or(FailReason::AttemptsExhausted),
        };
        match next {
            Ok(pause) => {
                let until = self.now + pause;
                self.failures = self.failures.saturating_add(1);
                self.state = ConnectionState::Backoff { until, attempt: self.failures };
                self.tell(ClientEvent::Lost { loss, retry_at: Some(until) });
            }
            Err(reason) => {
                self.tell(ClientEvent::Lost { loss, retry_at: None });
                self.release(&Ending::ConnectionFailed);
                self.state = ConnectionState::Failed { reason: reason.clone() };
                self.tell(ClientEvent::Failed { reason });
            }
        }
    }

    fn end_transport(&mut self) {
        if !matches!(self.state, ConnectionState::Draining { closing: true, .. }) {
            self.transmit(OwnedFrame::Close { code: Some(CLOSE_NORMAL), reason: String::new() });
        }
        self.transmit(OwnedFrame::Lost);
    }

    pub(super) fn begin_close(&mut self) {
        match self.state {
            ConnectionState::Greeting { .. } | ConnectionState::Connected { .. } => {
                self.state = ConnectionState::Draining { until: self.now + self.config.timers.drain, closing: false };
                self.leave_all();
                self.drop_unsent_publishes();
                self.close_if_drained();
            }
            ConnectionState::Dialling => {
                self.queue.push_back(Output::Transmit(OwnedFrame::Lost));
                self.release(&Ending::Asked);
                self.settle(true);
            }
            ConnectionState::AwaitingCredential | ConnectionState::Backoff { .. } => {
                self.release(&Ending::Asked);
                self.settle(true);
            }
            // Nothing is there to be closed.
            ConnectionState::Idle | ConnectionState::Draining { .. } | ConnectionState::Failed { .. } => {}
        }
    }

    fn close_if_drained(&mut self) {
        let drained = self.subscriptions.is_empty() && self.publishes.is_empty();
        if let ConnectionState::Draining { closing: closing @ false, .. } = &mut self.state
            && drained
        {
            *closing = true;
            self.transmit(OwnedFrame::Close { code: Some(CLOSE_NORMAL), reason: String::new() });
        }
    }

    fn settle(&mut self, clean: bool) {
        self.state = ConnectionState::Idle;
        self.acknowledged = None;
        self.failures = 0;
        self.tell(ClientEvent::Closed { clean });
    }

    /// The drain bound: whatever is still open is given up.
    fn give_up_draining(&mut self) {
        self.end_transport();
        for (id, _) in mem::take(&mut self.subscriptions) {
            self.tell(ClientEvent::TimedOut { id, operation: Operation::Unsubscribe });
        }
        for (id, _) in mem::take(&mut self.publishes) {
            self.tell(ClientEvent::TimedOut { id, operation: Operation::Publish });
        }
        self.settle(false);
    }

    /// Every subscription is over, for a reason that has nothing to do with it.
    fn release(&mut self, ending: &Ending) {
        for (id, _) in mem::take(&mut self.subscriptions) {
            self.tell(ClientEvent::Ended { id, ending: ending.clone() });
        }
    }

    pub(super) fn connection_deadline(&self) -> Option<Deadline> {
        let (at, why) = match self.state {
            ConnectionState::Greeting { since } => (since + self.config.timers.ack, Timer::Ack),
            ConnectionState::Connected { silence_limit, heard } => (heard + silence_limit, Timer::Silence),
            ConnectionState::Draining { until, .. } => (until, Timer::Drain),
            ConnectionState::Backoff { until, .. } => (until, Timer::Backoff),
            ConnectionState::Idle
            | ConnectionState::AwaitingCredential
            | ConnectionState::Dialling
            | ConnectionState::Failed { .. } => return None,
        };
        Some(Deadline { at, why })
    }

    /// Does what is due. Afterwards nothing is, unless a timer is configured to be zero.
    pub(super) fn fire_due(&mut self, random: u64) {
        if self.state.is_up() {
            let findings = self.conversation.elapse(self.now);
            self.tell_findings(findings);
            self.expire_answers();
            self.expire_publishes();
            self.close_if_drained();
        }
        let due = |at: Moment| at <= self.now;
        match self.connection_deadline() {
            Some(Deadline { at, .. }) if !due(at) => {}
            Some(Deadline { why: Timer::Ack, .. }) => self.lose(Loss::AckTimeout, random),
            Some(Deadline { why: Timer::Silence, .. }) => self.lose(Loss::Silence, random),
            Some(Deadline { why: Timer::Drain, .. }) => self.give_up_draining(),
            Some(Deadline { why: Timer::Backoff, .. }) => self.begin_attempt(),
            // Not timers of a connection.
            Some(Deadline { why: Timer::Answer | Timer::KeepAlive | Timer::Lifetime | Timer::Delivery, .. }) | None => {
            }
        }
    }
}

fn entries(errors: Option<Raw<'_>>) -> Vec<ErrorEntry> {
    error_entries(errors).1
}

fn close_code(frame: Frame<'_>) -> Option<u16> {
    match frame {
        Frame::Close { code, .. } => code,
        Frame::Text { .. } | Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) | Frame::Lost => None,
    }
}
