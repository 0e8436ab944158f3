//! The driver of one logical connection: dials, greets, subscribes, survives losses, leaves politely.
//!
//! Sans-IO: inputs and verbs go in, [`Client::poll_output`] gives out what is to be done, and the owner of the socket
//! does it. It keeps the connection alive across several transports, and knows which operations wait for
//! an answer. What may be said when is not known here: [`Conversation`] is asked before each message and judges both
//! sides afterwards, this client included. Not known either: the clock, random numbers, URLs, carriers, signatures,
//! pings and the closing handshake below frames (the shell answers those). Credentials are asked for by event, each
//! attempt and operation anew (GQL-CLOSE-006), with the exact text to be signed; deadlines run on meanwhile.
//!
//! ```text
//!            connect, subscribe              supply          Connected               ack
//!      Idle ------------------> AwaitingCredential --> Dialling ---------> Greeting ---------> Connected
//!       ^                           ^        ^            |                   |                   |
//!       |                pause over |        | connect,   | ConnectFailed     | (1)               | (1)
//!       |                           |        | subscribe  v                   v                   v
//!       |                           |        |            +------- lost ------+-------------------+
//!       |                           |        |                 |       |
//!       |                           |      Failed <------------+       |
//!       |                           |            final, or no          |
//!       |                           |            attempt left          |
//!       |                        Backoff <-----------------------------+
//!       |     (2)                               otherwise
//!       +----------- Draining <------------------ Greeting, Connected
//!                                    close
//! ```
//!
//! Legend: the names are [`ConnectionState`]s. (1) ack or silence timeout, close frame, end of the transport,
//! `connection_error`. (2) everything answered and the close frame too, end of the transport, drain bound. *final* is
//! `connection_error` with 400, 401, 403 or their types (GQL-ERR-017, EVT-ERR-013), an upgrade refused with those, and a
//! 101 without the subprotocol. `close` in AwaitingCredential, Dialling and Backoff leads to Idle at once. A subscription
//! goes
//!
//! ```text
//!   Pending --> AwaitingCredential --> Asked --> Live --> Leaving --> over
//!      ^                |                |         |         |
//!      +----------------+----------------+---------+         +-------> over
//!                        the connection is lost
//! ```
//!
//! The invariant: after each input or verb, polling comes to [`Output::Idle`], whose deadline is never past; and
//! whatever a server says, this client breaks no rule unless [`Client::send_raw`] or an id it was given does.
//!
//! A [`Output::Dial`] replaces whatever transport there was. The frame [`OwnedFrame::Lost`] tells the shell to end the
//! transport, or a dial under way, once what precedes it is out.

pub mod backoff;
mod config;
mod connection;
mod event;
mod publishes;
mod snapshot;
mod subscriptions;

pub use backoff::BackoffPolicy;
pub use config::{ClientConfig, ClientTimers, ResubscribeIds};
pub use event::{ClientEvent, CredentialRequest, DialFailure, Ending, FailReason, Loss, Purpose};
pub use snapshot::{ConnectionState, Snapshot, SubscriptionState};

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use self::publishes::Publish;
use self::subscriptions::{Stage, Subscription};
use crate::conversation::{self, Conversation};
use crate::dialect::{Dialect, encode};
use crate::finding::{Finding, UsageError};
use crate::handshake::Credentials;
use crate::message::Message;
use crate::moment::{Deadline, Moment};
use crate::wire::{Frame, OwnedFrame, Side};

/// What the shell saw.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The upgrade succeeded, with the subprotocol that was offered.
    Connected(Moment),
    /// The upgrade did not succeed.
    ConnectFailed(Moment, DialFailure),
    /// A frame came, or the transport ended.
    Frame(Moment, Frame<'a>),
    /// The deadline of [`Output::Idle`] has come. Too early or unasked does no harm.
    Timeout(Moment),
}

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Dial and upgrade, with these credentials; answer with [`Input::Connected`] or [`Input::ConnectFailed`].
    Dial {
        /// The authorization object of the upgrade.
        credentials: Credentials,
    },
    /// Send this frame.
    Transmit(OwnedFrame),
    /// Tell the owner.
    Event(ClientEvent),
    /// Always last: nothing is queued. Sleep until the deadline, or for ever.
    Idle(Option<Deadline>),
}

/// One logical connection, both dialects.
#[derive(Clone)]
pub struct Client {
    config: ClientConfig,
    state: ConnectionState,
    /// The current transport, or the last one.
    conversation: Conversation,
    subscriptions: BTreeMap<String, Subscription>,
    publishes: BTreeMap<String, Publish>,
    queue: VecDeque<Output>,
    now: Moment,
    /// Failures in a row: attempts without an acknowledgement, and connections that did not last as long as the longest
    /// pause.
    failures: u32,
    /// When the current connection was acknowledged.
    acknowledged: Option<Moment>,
    /// Fresh ids given out.
    renamed: u64,
}

impl Client {
    /// A client that does nothing yet.
    pub const fn new(config: ClientConfig) -> Self {
        Self {
            conversation: Conversation::new(config.dialect),
            config,
            state: ConnectionState::Idle,
            subscriptions: BTreeMap::new(),
            publishes: BTreeMap::new(),
            queue: VecDeque::new(),
            now: Moment::START,
            failures: 0,
            acknowledged: None,
            renamed: 0,
        }
    }

    /// Starts to connect; in a pause, at once. Nothing happens if a connection is there or under way (GQL-CLOSE-011).
    ///
    /// Fails while draining.
    pub fn connect(&mut self, at: Moment) -> Result<(), UsageError> {
        self.advance(at);
        match self.state {
            ConnectionState::Idle | ConnectionState::Failed { .. } | ConnectionState::Backoff { .. } => {
                self.begin_attempt();
                Ok(())
            }
            ConnectionState::AwaitingCredential
            | ConnectionState::Dialling
            | ConnectionState::Greeting { .. }
            | ConnectionState::Connected { .. } => Ok(()),
            ConnectionState::Draining { .. } => Err(UsageError::NotOpen),
        }
    }

    /// Wants a subscription: now, or as soon as there is a connection, which this asks for if nobody did.
    ///
    /// `topic` is the text of the GraphQL request object, which becomes `payload.data` as it stands (GQL-SUB-002), or
    /// the channel (EVT-SUB-001). Neither it nor the id is checked: the server's judgement may be what is wanted.
    /// Fails if the id is in use, and while draining.
    pub fn subscribe(&mut self, at: Moment, id: &str, topic: &str) -> Result<(), UsageError> {
        if let ConnectionState::Draining { .. } = self.state {
            return Err(UsageError::NotOpen);
        }
        // An id may be taken on the wire though nobody here wants it: an unanswered unsubscribe, say.
        let on_wire = self.conversation.subscription(id).is_some_and(conversation::Subscription::is_taken);
        if self.subscriptions.contains_key(id) || (self.state.is_up() && on_wire) {
            return Err(UsageError::IdInUse);
        }

        self.advance(at);
        self.subscriptions.insert(id.into(), Subscription::new(topic));
        match self.state {
            ConnectionState::Connected { .. } => self.ask_for_subscription(id),
            ConnectionState::Idle | ConnectionState::Failed { .. } => self.begin_attempt(),
            ConnectionState::AwaitingCredential
            | ConnectionState::Dialling
            | ConnectionState::Greeting { .. }
            | ConnectionState::Draining { .. }
            | ConnectionState::Backoff { .. } => {}
        }
        Ok(())
    }

    /// Wants a subscription no longer. One that waits for its grant is ended after it (GQL-SUB-031, EVT-SUB-019).
    ///
    /// Fails if the id names none, or one that is being ended already.
    pub fn unsubscribe(&mut self, at: Moment, id: &str) -> Result<(), UsageError> {
        let subscription = self.subscriptions.get(id).ok_or(UsageError::UnknownId)?;
        match subscription.stage {
            Stage::Asked { leaving: true, .. } | Stage::Leaving { .. } => return Err(UsageError::UnknownId),
            Stage::Live => self.admits_stop(id)?,
            Stage::Pending | Stage::AwaitingCredential | Stage::Asked { leaving: false, .. } => {}
        }
        self.advance(at);
        self.leave(id);
        Ok(())
    }

    /// Publishes events to a channel (Events only). Each event is the text of one JSON value; nothing is checked.
    ///
    /// Fails in the other dialect, without an acknowledged connection, and if a publish of that id waits for its answer.
    /// Source: EVT-PUB-001 to EVT-PUB-003.
    pub fn publish(&mut self, at: Moment, id: &str, channel: &str, events: &[&str]) -> Result<(), UsageError> {
        match self.config.dialect {
            Dialect::Graphql => return Err(UsageError::NotInDialect),
            Dialect::Events if !matches!(self.state, ConnectionState::Connected { .. }) => {
                return Err(UsageError::NotOpen);
            }
            Dialect::Events => {}
        }
        if self.publishes.contains_key(id) {
            return Err(UsageError::IdInUse);
        }
        self.advance(at);
        self.ask_for_publish(id, channel, events);
        Ok(())
    }

    /// Answers [`ClientEvent::Needs`].
    ///
    /// Fails if nothing of that purpose waits for credentials (any more).
    pub fn supply(&mut self, at: Moment, purpose: &Purpose, credentials: &Credentials) -> Result<(), UsageError> {
        match purpose {
            Purpose::Connect => {
                if self.state != ConnectionState::AwaitingCredential {
                    return Err(UsageError::NotOpen);
                }
                self.advance(at);
                self.state = ConnectionState::Dialling;
                self.queue.push_back(Output::Dial { credentials: credentials.clone() });
                Ok(())
            }
            Purpose::Subscribe { id } => self.send_subscribe(at, id, credentials),
            Purpose::Publish { id } => self.send_publish(at, id, credentials),
        }
    }

    /// Leaves: ends every subscription, waits for the answers up to the drain bound, closes with 1000.
    ///
    /// Ends with [`ClientEvent::Closed`], at once if no transport is up. Fails if there is nothing to close.
    /// Source: GQL-CLOSE-003, GQL-CLOSE-010, EVT-CLOSE-001, EVT-CLOSE-002.
    pub fn close(&mut self, at: Moment) -> Result<(), UsageError> {
        match self.state {
            ConnectionState::Idle | ConnectionState::Failed { .. } | ConnectionState::Draining { .. } => {
                return Err(UsageError::NotOpen);
            }
            ConnectionState::AwaitingCredential
            | ConnectionState::Dialling
            | ConnectionState::Greeting { .. }
            | ConnectionState::Connected { .. }
            | ConnectionState::Backoff { .. } => {}
        }
        self.advance(at);
        self.begin_close();
        Ok(())
    }

    /// For hostile use: sends any text as it stands. It is judged like everything else.
    ///
    /// Fails without a transport, and after the close frame.
    pub fn send_raw(&mut self, at: Moment, text: &str) -> Result<(), UsageError> {
        let closing = matches!(self.state, ConnectionState::Draining { closing: true, .. });
        if !self.state.is_up() || closing {
            return Err(UsageError::NotOpen);
        }
        self.advance(at);
        self.transmit(OwnedFrame::text(text));
        Ok(())
    }

    /// Takes what the shell saw. Total: any input in any state; what does not fit is ignored.
    ///
    /// `random` is used only if this input ends in a pause: it places the pause within its bounds. A frame counts before
    /// a deadline of the same moment.
    pub fn handle_input(&mut self, input: Input<'_>, random: u64) {
        match input {
            Input::Connected(at) => {
                self.advance(at);
                self.on_connected();
            }
            Input::ConnectFailed(at, failure) => {
                self.advance(at);
                self.on_connect_failed(failure, random);
            }
            Input::Frame(at, frame) => {
                self.advance(at);
                self.on_frame(frame, random);
            }
            Input::Timeout(at) => self.advance(at),
        }
        self.fire_due(random);
    }

    /// The next thing to do. Poll until [`Output::Idle`] after each input and verb.
    pub fn poll_output(&mut self) -> Output {
        match self.queue.pop_front() {
            Some(output) => output,
            None => Output::Idle(self.deadline()),
        }
    }

    /// When something is due by itself; never before the last moment this client was told of.
    pub fn deadline(&self) -> Option<Deadline> {
        let deadline = Deadline::earlier(self.connection_deadline(), self.answer_deadline())?;
        Some(Deadline { at: deadline.at.max(self.now), ..deadline })
    }

    /// What it looks like now.
    pub fn snapshot(&self) -> Snapshot {
        let subscriptions = self.subscriptions.iter().map(|(id, s)| (id.clone(), s.stage.state())).collect();
        Snapshot { connection: self.state.clone(), subscriptions }
    }

    /// What both sides have said on the current transport, or the last one.
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// Time never goes back.
    fn advance(&mut self, at: Moment) {
        self.now = self.now.max(at);
    }

    fn tell(&mut self, event: ClientEvent) {
        self.queue.push_back(Output::Event(event));
    }

    fn tell_findings(&mut self, findings: Vec<Finding>) {
        self.queue.extend(findings.into_iter().map(|finding| Output::Event(ClientEvent::Finding(finding))));
    }

    /// Sends a message if it may be sent now.
    fn say(&mut self, message: &Message<'_>) -> Result<(), UsageError> {
        self.conversation.admits(Side::Client, message)?;
        let mut text = String::new();
        encode(self.config.dialect, message, &mut text);
        self.transmit(OwnedFrame::text(text));
        Ok(())
    }

    fn transmit(&mut self, frame: OwnedFrame) {
        let findings = self.conversation.observe(self.now, Side::Client, frame.borrow()).findings;
        self.queue.push_back(Output::Transmit(frame));
        self.tell_findings(findings);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("subscriptions", &self.subscriptions)
            .field("publishes", &self.publishes)
            .field("queued", &self.queue.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
