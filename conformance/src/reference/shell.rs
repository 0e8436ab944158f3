//! The server's side of a socket: one port, any number of connections, one sans-IO [`Service`] behind them.
//!
//! ```text
//!                accept                       ┌ http: one request, one answer, close
//!   TcpListener ───────> task per connection ─┤
//!                          tls?  head         └ upgrade: 101, then frames
//!                                                  │ frame()           ▲ queue, bounded
//!                                                  ▼                   │
//!                                            Hub: Mutex<Service>, poll() after every call
//!                                                  ▲ elapse()
//!                                            timer task, sleeps until deadline()
//! ```
//!
//! The service has the rules; this has the clock, the bytes, and the limits. It refuses what is no valid HTTP or no
//! valid upgrade, answers pings and close frames, and ends connections that break RFC 6455. The lock is held for calls
//! into the service only, never over an `await`.
//!
//! The invariants:
//!
//! * The service sees moments that never decrease.
//! * Every connection that it accepted ends for it exactly once, with [`Frame::Close`] or [`Frame::Lost`], also if it
//!   asked for the end itself. Between that request and the end it is told nothing about the connection.
//! * **A consumer that is too slow is disconnected.** Each connection has a queue of [`Options::queue`] frames besides
//!   what TCP takes. When it is full, the connection is dropped without a close frame, which could not get through, and
//!   counted in [`Summary::slow_consumers`]. Frames are never skipped. With [`WhenFull::HoldBack`] publishers wait first.
//! * The queue is written in batches with one flush each.
//! * A client that is gone is noticed: silent ones are pinged, and dropped if they never answer; see `liveness.rs`.
//! * **Beyond [`Options::max_connections`] nobody is served.** A few of those who come get a 503; if many come at once,
//!   the rest is dropped without an answer. Both are counted in [`Summary::refused`].
//!
//! Frames from the service: `Close` starts the closing handshake, which has two seconds; `Lost` drops TCP after what was
//! queued before; `Pong` is dropped, because the answer to a ping has left already.

mod connection;
pub mod frames;
mod hub;
mod liveness;
mod queue;
mod running;
pub mod tls;
mod watched;
mod wire;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::hub::{ConnectionId, Told};
use appsync_protocol::moment::{Deadline, Moment};
use appsync_protocol::wire::{Frame, OwnedFrame, Request, Response};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::{Answer, Endpoint};
use connection::Connection;
use hub::Hub;

pub use running::Running;
pub use watched::{LOG_TARGET, Watched};

/// What stands behind the port: rules without a clock and without a socket.
pub trait Service: Send + 'static {
    /// Answers a valid upgrade request: 101 with the id under which the connection is known from now on, or a refusal
    /// without one. `connection`, `upgrade` and, where it is absent, `sec-websocket-accept` are
    /// added to a 101.
    fn upgrade(&mut self, at: Moment, request: &Request) -> (Response, Option<ConnectionId>);

    /// Answers any other request, at once or later. `content-length` and `connection` are added.
    fn http(&mut self, at: Moment, request: &Request) -> Answer;

    /// Takes what the client sent, the end of the connection included.
    fn frame(&mut self, at: Moment, connection: ConnectionId, frame: Frame<'_>);

    /// Takes the time, at or after the deadline.
    fn elapse(&mut self, at: Moment);

    /// Asks it to give what many hear by [`told`](Self::told), if it can.
    fn share(&mut self) {}

    /// Gives what many hear, in order. Called after every other call, before [`poll`](Self::poll).
    fn told(&mut self, _to: &mut dyn FnMut(Told)) {}

    /// The next frame to send. Called until there is none, after every other call.
    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)>;

    /// When it wants to be told the time.
    fn deadline(&self) -> Option<Deadline>;

    /// Takes what happened at the port beside it; there is nothing to be done about it.
    fn notice(&mut self, _at: Moment, _notice: Notice) {}
}

/// What happens at a port without the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The queue of this connection was full: it is dropped, which is told as [`Frame::Lost`] next.
    SlowConsumer(ConnectionId),
    /// A request that is no valid HTTP, or no valid upgrade, was answered with this status.
    Refused(u16),
}

impl Service for Endpoint {
    fn upgrade(&mut self, at: Moment, request: &Request) -> (Response, Option<ConnectionId>) {
        Self::upgrade(self, at, request)
    }

    fn http(&mut self, at: Moment, request: &Request) -> Answer {
        Self::http(self, at, request)
    }

    fn frame(&mut self, at: Moment, connection: ConnectionId, frame: Frame<'_>) {
        Self::frame(self, at, connection, frame);
    }

    fn elapse(&mut self, at: Moment) {
        Self::elapse(self, at);
    }

    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        Self::poll(self)
    }

    fn share(&mut self) {
        Self::share(self);
    }

    fn told(&mut self, to: &mut dyn FnMut(Told)) {
        Self::told(self, to);
    }

    fn deadline(&self) -> Option<Deadline> {
        Self::deadline(self)
    }
}

/// What the rules do not say.
#[derive(Clone)]
pub struct Options {
    /// Speaks TLS only. A plain request gets one readable line.
    pub tls: Option<Arc<ServerConfig>>,
    /// Frames that can wait for one connection.
    pub queue: usize,
    /// What happens when more come.
    pub when_full: WhenFull,
    /// Longest message from a client, in bytes. A longer one ends the connection with 1009.
    pub max_message: usize,
    /// Connections at the same time, HTTP requests included.
    pub max_connections: usize,
    /// Silence of a client after which it is pinged. After three pings without an answer it is dropped. Zero: never.
    pub ping_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tls: None,
            queue: 1024,
            when_full: WhenFull::Disconnect,
            max_message: 12 * 1024 * 1024,
            max_connections: 20_000,
            ping_after: Duration::from_secs(60),
        }
    }
}

/// What happens when a subscriber takes less than is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// It is disconnected, as soon as its queue is full.
    #[default]
    Disconnect,
    /// Whoever publishes is held back while a queue is more than half full: what it sends is not read, the answer to its
    /// request waits. That lasts until the subscriber takes more or is dropped as silent. A queue that becomes full
    /// nevertheless, because many publish at once, ends its connection.
    HoldBack,
}

/// What happened while the port was open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Accepted TCP connections.
    pub connections: u64,
    /// Upgrades that succeeded.
    pub upgrades: u64,
    /// HTTP requests that the service answered.
    pub requests: u64,
    /// Connections dropped because their queue was full.
    pub slow_consumers: u64,
    /// Connections dropped because they answered no ping.
    pub silent: u64,
    /// Connections refused because there were too many.
    pub refused: u64,
    /// Connections that did not end in time after the stop.
    pub aborted: u64,
    /// Connections that ended by a panic, which is an error in the service or here.
    pub panicked: u64,
}

/// Serves connections until `stop` completes; then closes them with 1001, which takes a second at most.
///
/// Errors of single connections end those; errors of `accept` (no file descriptors left, for one) are waited out. If
/// this future is dropped, all connections are dropped with it.
pub async fn serve<S: Service>(
    listener: TcpListener,
    service: S,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Summary {
    let hub = Arc::new(Hub::new(service, &options));
    let acceptor = options.tls.map(TlsAcceptor::from);
    let (stopping, stopped) = watch::channel(false);
    let mut timer = JoinSet::new();
    timer.spawn(Arc::clone(&hub).keep_time());
    timer.spawn(liveness::keep_asking(Arc::clone(&hub), options.ping_after));
    let mut tasks = JoinSet::new();
    let mut refusals = JoinSet::new();
    let mut summary = Summary::default();

    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(ended) = tasks.join_next() => summary.note(&ended),
            Some(ended) = refusals.join_next() => summary.note(&ended),
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    summary.connections += 1;
                    let is_refused = tasks.len() >= options.max_connections;
                    summary.refused += u64::from(is_refused);
                    let connection = Connection {
                        hub: Arc::clone(&hub),
                        stopped: stopped.clone(),
                        max_message: options.max_message,
                        is_refused,
                    };
                    if !is_refused {
                        tasks.spawn(connection.run(tcp, acceptor.clone()));
                    } else if refusals.len() < REFUSALS_MAX {
                        refusals.spawn(connection.run(tcp, acceptor.clone()));
                    }
                }
                Err(error) => wait_out(&error).await,
            },
        }
    }

    drop(listener);
    hub.close_all();
    stopping.send_replace(true);
    let deadline = Instant::now() + STOP_LIMIT;
    while let Ok(Some(ended)) = timeout_at(deadline, tasks.join_next()).await {
        summary.note(&ended);
    }
    summary.aborted = tasks.len() as u64;
    tasks.shutdown().await;
    hub.count_into(&mut summary);
    summary
}

/// Refusals that are told at the same time.
const REFUSALS_MAX: usize = 64;

/// How long connections have to end after the stop.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// The pause after a failed `accept` that would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Summary {
    fn note(&mut self, ended: &Result<(), JoinError>) {
        self.panicked += u64::from(ended.as_ref().is_err_and(JoinError::is_panic));
    }
}

async fn wait_out(error: &io::Error) {
    let is_of_one_client = matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset);
    if !is_of_one_client {
        sleep(ACCEPT_PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
