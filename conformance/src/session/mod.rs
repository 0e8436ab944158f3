//! One logical connection over sockets: the sans-IO client of the model, and what it asks for.
//!
//! ```text
//!   owner ── verbs ──> Session ── inputs ──> protocol::Client
//!     ^                   |  ^                     |
//!     └───── News ────────┘  └── dial, transmit, needs credentials, deadline
//!                            |
//!               link: Dialer, SocketHandle     CredentialSource
//! ```
//!
//! The session dials, carries frames, keeps the deadlines and answers every request for credentials from its source.
//! What is said when, what is asked for again after a loss and how long a pause is, the client of the model knows; the
//! session only brings the random number, from a seeded stream, so that a run can be repeated. It ends no connection on
//! its own and prints nothing.
//!
//! The invariant: [`Session::next`] may be dropped at any await and loses nothing. Frames of an earlier transport
//! never reach the client. Once [`News::Told`] has brought `Closed` or `Failed` nothing more comes until the owner asks
//! for something, so an owner that keeps waiting waits for ever.

mod credentials;
mod draws;

pub use credentials::{CredentialSource, Holder};

use std::collections::VecDeque;
use std::fmt;
use std::future::pending;
use std::sync::Arc;

use appsync_protocol::client::{
    Client, ClientConfig, ClientEvent, CredentialRequest, DialFailure, Input, Output, Purpose,
};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::finding::UsageError;
use appsync_protocol::handshake::{Carrier, Credentials, Url, build};
use appsync_protocol::moment::{Deadline, Moment};
use appsync_protocol::wire::OwnedFrame;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use self::draws::Draws;
use crate::link::{Dialer, LinkError, Opened, SocketHandle};

/// Frames that may wait for the owner. Beyond them the server is held back.
const INBOX: usize = 64;

/// What a session is made of.
pub struct SessionOptions {
    /// Dialect, patience, pauses.
    pub config: ClientConfig,
    /// Opens the sockets.
    pub dialer: Dialer,
    /// The real-time endpoint.
    pub realtime: Url,
    /// How the upgrade carries the credentials.
    pub carrier: Carrier,
    /// Who speaks.
    pub source: Arc<dyn CredentialSource>,
    /// Of pauses and upgrade keys.
    pub seed: u64,
}

/// Something the owner may want to know.
#[derive(Debug)]
pub enum News {
    /// An attempt to connect begins.
    Dialling,
    /// It did not lead to a connection. What the client makes of it comes next, as `Lost`.
    Undialled(Undialled),
    /// The source has no credentials. What was to be authorised waits until it is taken back.
    NoCredentials {
        /// What for.
        purpose: Purpose,
        /// What the source said. Holds no secret.
        why: String,
    },
    /// What the client of the model tells; never `Needs`.
    Told(ClientEvent),
}

/// Why an attempt to connect did not lead to a connection, in full.
pub enum Undialled {
    /// No TCP, TLS or HTTP.
    Link(LinkError),
    /// An HTTP answer other than 101.
    Answered {
        /// Its status.
        status: u16,
        /// Its body as far as it came. May quote the credentials.
        body: String,
    },
    /// 101 that does not agree to a WebSocket.
    NotWebSocket,
    /// 101 without the subprotocol that was offered.
    NoSubprotocol,
    /// The attempt broke down in this process.
    Broken(String),
}

/// A client and its sockets.
pub struct Session {
    client: Client,
    dialect: Dialect,
    dialer: Dialer,
    realtime: Url,
    carrier: Carrier,
    source: Arc<dyn CredentialSource>,
    draws: Draws,
    start: Instant,
    /// Numbers the transports; frames carry the number of theirs.
    transport: u64,
    handle: Option<SocketHandle>,
    dials: JoinSet<Result<Opened, LinkError>>,
    sender: mpsc::Sender<(u64, OwnedFrame)>,
    inbox: mpsc::Receiver<(u64, OwnedFrame)>,
    /// Still to be handed to the transport.
    outgoing: VecDeque<OwnedFrame>,
    /// Comes before anything that the client has to tell.
    news: VecDeque<News>,
}

impl Session {
    /// A session that does nothing yet. Needs a runtime.
    pub fn new(options: SessionOptions) -> Self {
        let SessionOptions { config, dialer, realtime, carrier, source, seed } = options;
        let (sender, inbox) = mpsc::channel(INBOX);
        Self {
            dialect: config.dialect,
            client: Client::new(config),
            dialer,
            realtime,
            carrier,
            source,
            draws: Draws::new(seed),
            start: Instant::now(),
            transport: 0,
            handle: None,
            dials: JoinSet::new(),
            sender,
            inbox,
            outgoing: VecDeque::new(),
            news: VecDeque::new(),
        }
    }

    /// See [`Client::connect`].
    ///
    /// # Errors
    /// While the session is being closed.
    pub fn connect(&mut self) -> Result<(), UsageError> {
        self.client.connect(self.now())
    }

    /// See [`Client::subscribe`]: connects by itself, and asks again on each new connection.
    ///
    /// # Errors
    /// If the id is in use, and while the session is being closed.
    pub fn subscribe(&mut self, id: &str, topic: &str) -> Result<(), UsageError> {
        self.client.subscribe(self.now(), id, topic)
    }

    /// See [`Client::unsubscribe`].
    ///
    /// # Errors
    /// If the id names no subscription.
    pub fn unsubscribe(&mut self, id: &str) -> Result<(), UsageError> {
        self.client.unsubscribe(self.now(), id)
    }

    /// See [`Client::publish`] (Events).
    ///
    /// # Errors
    /// In the other dialect, without an acknowledged connection, and if the id is in use.
    pub fn publish(&mut self, id: &str, channel: &str, events: &[&str]) -> Result<(), UsageError> {
        self.client.publish(self.now(), id, channel, events)
    }

    /// See [`Client::close`]: ends with `Closed`.
    ///
    /// # Errors
    /// If there is nothing to close.
    pub fn close(&mut self) -> Result<(), UsageError> {
        self.client.close(self.now())
    }

    /// How long until a moment of an event, such as the next attempt.
    pub fn until(&self, moment: Moment) -> std::time::Duration {
        moment.since(self.now())
    }

    /// Works until there is news. Cancel-safe.
    pub async fn next(&mut self) -> News {
        loop {
            self.hand_over().await;
            if let Some(news) = self.news.pop_front() {
                return news;
            }
            match self.client.poll_output() {
                Output::Dial { credentials } => {
                    self.dial(&credentials);
                    return News::Dialling;
                }
                Output::Transmit(frame) => self.outgoing.push_back(frame),
                Output::Event(ClientEvent::Needs(request)) => self.authorise(&request),
                Output::Event(event) => return News::Told(event),
                Output::Idle(deadline) => self.wait(deadline).await,
            }
        }
    }

    fn now(&self) -> Moment {
        Moment::from(self.start.elapsed())
    }

    /// A frame leaves the queue only when it has been handed over, so that it survives being cancelled.
    async fn hand_over(&mut self) {
        while let Some(frame) = self.outgoing.front() {
            if *frame == OwnedFrame::Lost {
                // What was handed over before is still sent.
                self.hang_up();
            } else if let Some(handle) = &self.handle {
                // That it could not be sent shows as the end of the connection.
                let _ = handle.send(frame.clone()).await;
            }
            self.outgoing.pop_front();
        }
    }

    fn hang_up(&mut self) {
        self.handle = None;
        self.dials.abort_all();
        self.transport += 1;
    }

    fn dial(&mut self, credentials: &Credentials) {
        self.hang_up();
        let key = self.draws.upgrade_key();
        let request = build(self.dialect, self.carrier, credentials, &self.realtime, &key);
        let (dialer, url) = (self.dialer.clone(), self.realtime.clone());
        self.dials.spawn(async move { dialer.open(&url, &request).await });
    }

    fn authorise(&mut self, request: &CredentialRequest) {
        match self.source.credentials(&request.purpose, &request.body) {
            // Fails if nobody waits for them any more, which is as well.
            Ok(credentials) => drop(self.client.supply(self.now(), &request.purpose, &credentials)),
            Err(why) => self.news.push_back(News::NoCredentials { purpose: request.purpose.clone(), why }),
        }
    }

    /// Waits for whatever comes first, and tells the client.
    async fn wait(&mut self, deadline: Option<Deadline>) {
        let until = deadline.map(|deadline| self.start + deadline.at.since(Moment::START));
        let due = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => pending().await,
            }
        };
        tokio::select! {
            Some((transport, frame)) = self.inbox.recv() => {
                if transport == self.transport {
                    let (now, random) = (self.now(), self.draws.next());
                    self.client.handle_input(Input::Frame(now, frame.borrow()), random);
                }
            }
            Some(dialled) = self.dials.join_next() => self.dialled(dialled),
            () = due => {
                let (now, random) = (self.now(), self.draws.next());
                self.client.handle_input(Input::Timeout(now), random);
            }
        }
    }

    fn dialled(&mut self, dialled: Result<Result<Opened, LinkError>, JoinError>) {
        let undialled = match dialled {
            Ok(Ok(opened)) => match self.accept(opened) {
                Ok(()) => return self.client.handle_input(Input::Connected(self.now()), 0),
                Err(undialled) => undialled,
            },
            Ok(Err(error)) => Undialled::Link(error),
            // Given up on purpose.
            Err(error) if error.is_cancelled() => return,
            Err(error) => Undialled::Broken(error.to_string()),
        };
        let failure = undialled.failure();
        self.news.push_back(News::Undialled(undialled));
        let (now, random) = (self.now(), self.draws.next());
        self.client.handle_input(Input::ConnectFailed(now, failure), random);
    }

    fn accept(&mut self, opened: Opened) -> Result<(), Undialled> {
        let Opened { response, socket } = opened;
        match socket {
            None if response.is_upgrade() => Err(Undialled::NotWebSocket),
            None => Err(Undialled::Answered { status: response.status, body: response.body.text().into_owned() }),
            Some(_) if response.subprotocol() != Some(self.dialect.subprotocol()) => Err(Undialled::NoSubprotocol),
            Some(socket) => {
                self.handle = Some(socket.spawn(self.transport, self.sender.clone()));
                Ok(())
            }
        }
    }
}

impl Undialled {
    const fn failure(&self) -> DialFailure {
        match self {
            Self::Link(_) | Self::NotWebSocket | Self::Broken(_) => DialFailure::Network,
            Self::Answered { status, .. } => DialFailure::Refused { status: *status },
            Self::NoSubprotocol => DialFailure::NoSubprotocol,
        }
    }
}

impl fmt::Display for Undialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(error) => error.fmt(f),
            Self::Answered { status, body } if body.is_empty() => {
                write!(f, "expected 101 for the upgrade; got status {status}")
            }
            Self::Answered { status, body } => write!(f, "expected 101 for the upgrade; got status {status}: {body}"),
            Self::NotWebSocket => f.write_str("expected upgrade: websocket; got 101 without it"),
            Self::NoSubprotocol => f.write_str("expected the offered subprotocol; got 101 without it"),
            Self::Broken(why) => write!(f, "the attempt to connect broke down: {why}"),
        }
    }
}

impl fmt::Debug for Undialled {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(error) => write!(f, "Link({error})"),
            Self::Answered { status, body } => write!(f, "Answered({status}, {} bytes)", body.len()),
            Self::NotWebSocket => f.write_str("NotWebSocket"),
            Self::NoSubprotocol => f.write_str("NoSubprotocol"),
            Self::Broken(why) => write!(f, "Broken({why})"),
        }
    }
}

#[cfg(test)]
mod tests;
