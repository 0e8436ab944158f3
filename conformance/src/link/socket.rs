//! A client's connection once the upgrade has succeeded.
//!
//! ```text
//!             ┌ next, send, send_raw          for one connection at a time
//!   Socket ───┤
//!             └ spawn ── a task ──> one inbox for many connections,
//!                          └─ SocketHandle <── commands
//! ```
//!
//! Pings and close frames are answered below. A [`Socket`] that nobody polls answers nothing; the task always does, as
//! long as the inbox has room. If it has not, the connection is not read, and the peer is held back by TCP.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use appsync_protocol::wire::OwnedFrame;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::LinkError;
use super::framed::{Framed, Progress, SendFailure};
use super::transport::Transport;

/// An open WebSocket connection, the client's side.
pub struct Socket {
    /// `None` after it was dropped on purpose.
    framed: Option<Framed<Transport>>,
    at: String,
    patience: Duration,
}

impl Socket {
    pub(super) const fn new(framed: Framed<Transport>, at: String, patience: Duration) -> Self {
        Self { framed: Some(framed), at, patience }
    }

    /// The next frame. Cancel-safe.
    ///
    /// [`OwnedFrame::Lost`] when there is no more, again and again; [`fault`](Self::fault) tells whether the peer broke
    /// the framing rules. Does not end on its own while the peer is silent.
    pub async fn next(&mut self) -> OwnedFrame {
        let Some(framed) = &mut self.framed else {
            return OwnedFrame::Lost;
        };
        poll_fn(|cx| {
            // Rests of a cancelled send, or of the answer to a ping. A failure shows up in the reading as well.
            if framed.has_unsent() {
                let _ = framed.poll_send(cx);
            }
            framed.poll_next(cx)
        })
        .await
    }

    /// Sends a frame, a text in as many fragments as it says; [`OwnedFrame::Lost`] resets the connection.
    ///
    /// Waits until the transport has taken it, at most as long as an answer may take. Frames are not read meanwhile. If
    /// it is cancelled, the frame leaves with the next call.
    pub async fn send(&mut self, frame: &OwnedFrame) -> Result<(), LinkError> {
        if *frame == OwnedFrame::Lost {
            self.reset();
            return Ok(());
        }
        self.send_with(|framed| framed.queue(frame.clone())).await
    }

    /// Writes bytes as they are: no header, no mask. For what no WebSocket library would send.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.send_with(|framed| framed.queue_raw(bytes.to_vec())).await
    }

    /// How the server broke RFC 6455, if it did. Does not show the message.
    pub fn fault(&self) -> Option<String> {
        self.framed.as_ref().and_then(Framed::fault).map(|fault| fault.text.clone())
    }

    /// Runs the connection in a task of the current runtime, which puts every frame under `id` into `inbox`.
    ///
    /// The task ends after it has delivered one [`OwnedFrame::Lost`], or when the handle is dropped; then it first sends
    /// what was handed over. Frames are sent while others are received.
    pub fn spawn<Id>(self, id: Id, inbox: mpsc::Sender<(Id, OwnedFrame)>) -> SocketHandle
    where
        Id: Clone + Send + 'static,
    {
        let (commands, orders) = mpsc::channel(COMMANDS);
        let fault = Arc::new(OnceLock::new());
        let handle = SocketHandle { commands, fault: Arc::clone(&fault), at: self.at.clone(), patience: self.patience };
        tokio::spawn(async move {
            let mut courier = Courier { socket: self, fault, undelivered: None, send_by: None };
            courier.run(id, orders, inbox).await;
        });
        handle
    }

    fn reset(&mut self) {
        if let Some(framed) = self.framed.take() {
            framed.stream().reset_on_drop();
        }
    }

    async fn send_with(&mut self, queue: impl FnOnce(&mut Framed<Transport>)) -> Result<(), LinkError> {
        let Some(framed) = &mut self.framed else {
            return Err(closed(&self.at));
        };
        queue(framed);
        match timeout(self.patience, framed.send_all()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(SendFailure::Closed)) => Err(closed(&self.at)),
            Ok(Err(SendFailure::TooLarge)) => Err(LinkError::MessageTooLarge { at: self.at.clone() }),
            Ok(Err(SendFailure::Io(error))) => Err(LinkError::from_io(&self.at, SENDING, &error)),
            Err(_) => Err(LinkError::SendTimeout { at: self.at.clone(), after: self.patience }),
        }
    }
}

/// The way to a connection that runs in a task. Dropping it ends the connection.
pub struct SocketHandle {
    commands: mpsc::Sender<Command>,
    fault: Arc<OnceLock<String>>,
    at: String,
    patience: Duration,
}

impl SocketHandle {
    /// Hands a frame over for sending; [`OwnedFrame::Lost`] resets the connection.
    ///
    /// Waits for room in the queue, at most as long as an answer may take. That a frame could not be sent shows as
    /// [`OwnedFrame::Lost`] in the inbox.
    pub async fn send(&self, frame: OwnedFrame) -> Result<(), LinkError> {
        self.order(Command::Send(frame)).await
    }

    /// Hands bytes over that are written as they are.
    pub async fn send_raw(&self, bytes: Vec<u8>) -> Result<(), LinkError> {
        self.order(Command::SendRaw(bytes)).await
    }

    /// Why the connection was lost, if more is known than that. Does not show any message.
    pub fn fault(&self) -> Option<String> {
        self.fault.get().cloned()
    }

    async fn order(&self, command: Command) -> Result<(), LinkError> {
        match timeout(self.patience, self.commands.send(command)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(closed(&self.at)),
            Err(_) => Err(LinkError::SendTimeout { at: self.at.clone(), after: self.patience }),
        }
    }
}

enum Command {
    Send(OwnedFrame),
    SendRaw(Vec<u8>),
}

/// Frames that can wait in front of a connection that is being written.
const COMMANDS: usize = 64;

const SENDING: &str = "sending a frame";

/// The task behind a [`SocketHandle`].
struct Courier {
    socket: Socket,
    fault: Arc<OnceLock<String>>,
    /// Received, but the inbox had no room yet. While there is one, nothing is read.
    undelivered: Option<OwnedFrame>,
    /// When what is being sent must have left.
    send_by: Option<Instant>,
}

impl Courier {
    async fn run<Id: Clone>(
        &mut self,
        id: Id,
        mut orders: mpsc::Receiver<Command>,
        inbox: mpsc::Sender<(Id, OwnedFrame)>,
    ) {
        loop {
            let is_sending = self.send_by.is_some();
            let give_up = self.send_by.unwrap_or_else(Instant::now);
            tokio::select! {
                order = orders.recv(), if !is_sending => match order {
                    Some(command) => self.obey(command),
                    // The handle is gone, and with it whoever would want to know.
                    None => return,
                },
                progress = progress(self.socket.framed.as_mut(), self.undelivered.is_none()) => self.note(progress),
                room = inbox.reserve(), if self.undelivered.is_some() => {
                    let (Ok(room), Some(frame)) = (room, self.undelivered.take()) else {
                        return;
                    };
                    let is_last = frame == OwnedFrame::Lost;
                    room.send((id.clone(), frame));
                    if is_last {
                        return;
                    }
                }
                () = sleep_until(give_up), if is_sending => {
                    let after = self.socket.patience;
                    self.fail(LinkError::SendTimeout { at: self.socket.at.clone(), after }.to_string());
                }
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let Some(framed) = &mut self.socket.framed else {
            return;
        };
        match command {
            Command::Send(OwnedFrame::Lost) => {
                self.socket.reset();
                return;
            }
            Command::Send(frame) => framed.queue(frame),
            Command::SendRaw(bytes) => framed.queue_raw(bytes),
        }
        self.send_by = Some(Instant::now() + self.socket.patience);
    }

    fn note(&mut self, progress: Progress) {
        match progress {
            Progress::Sent => self.send_by = None,
            Progress::Received(frame) => {
                if let Some(fault) = self.socket.fault() {
                    let _ = self.fault.set(fault);
                }
                self.undelivered = Some(frame);
            }
            // What the peer said before it closed is still to be read; the end shows there.
            Progress::Failed(SendFailure::Closed | SendFailure::Io(_)) => self.send_by = None,
            Progress::Failed(SendFailure::TooLarge) => {
                self.fail(LinkError::MessageTooLarge { at: self.socket.at.clone() }.to_string());
            }
        }
    }

    fn fail(&mut self, fault: String) {
        let _ = self.fault.set(fault);
        self.send_by = None;
        self.socket.reset();
    }
}

/// What happens next; only sending if `reads` is false. A connection that was reset has only `Lost` to give.
async fn progress(framed: Option<&mut Framed<Transport>>, reads: bool) -> Progress {
    match framed {
        Some(framed) if reads => framed.progress().await,
        Some(framed) if framed.has_unsent() => match framed.send_all().await {
            Ok(()) => Progress::Sent,
            Err(failure) => Progress::Failed(failure),
        },
        None if reads => Progress::Received(OwnedFrame::Lost),
        Some(_) | None => poll_fn(|_| Poll::<Progress>::Pending).await,
    }
}

fn closed(at: &str) -> LinkError {
    LinkError::Closed { at: at.to_owned(), during: SENDING }
}
