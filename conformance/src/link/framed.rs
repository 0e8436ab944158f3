//! A WebSocket over any byte stream, as [`OwnedFrame`]s; the same for both sides.
//!
//! tungstenite masks, joins fragments, answers pings and close frames, and refuses what breaks RFC 6455. This adds what
//! it leaves open: the queue of what is to be sent, one flush for all of it, bytes written past the framing, the number
//! of fragments, and what a violation means.
//!
//! ```text
//!   queue ──> backlog ──poll_send──> tungstenite ──> outbox ──flush──> stream
//!                             └── wire, raw ───────────^
//!   frame <──poll_next── tungstenite <── tally <── stream            (an answer to a ping goes out at once)
//! ```
//!
//! The invariants: frames leave in the order in which they were queued; a dropped future loses no frame, neither way;
//! after the first [`OwnedFrame::Lost`] there is nothing but [`OwnedFrame::Lost`]. The backlog is not bounded here: who
//! queues asks [`has_unsent`](Framed::has_unsent) first.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use appsync_protocol::wire::OwnedFrame;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::outbox::Outbox;
use super::tally::Tallied;

/// Both sides of a connection, in frames.
pub(crate) struct Framed<S> {
    socket: WebSocketStream<Tallied<Outbox<S>>>,
    backlog: VecDeque<Outgoing>,
    unflushed: bool,
    /// A close frame was sent or received: no frame may follow.
    closing: bool,
    over: bool,
    fault: Option<Fault>,
}

/// How the peer broke the framing rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What it did; never what the message said.
    pub(crate) text: String,
    /// The close code that says so, unless the transport is gone.
    pub(crate) code: Option<u16>,
}

/// Why a frame could not be sent.
#[derive(Debug)]
pub(crate) enum SendFailure {
    /// A close frame was sent or received, or the transport has ended.
    Closed,
    /// The message does not fit the buffer.
    TooLarge,
    /// The transport failed.
    Io(io::Error),
}

/// What happened next on a connection.
pub(crate) enum Progress {
    /// The peer sent this.
    Received(OwnedFrame),
    /// All that was queued has been handed to the transport.
    Sent,
    /// Nothing can be sent any more.
    Failed(SendFailure),
}

enum Outgoing {
    Message(Message),
    /// Whole frames.
    Wire(Vec<u8>),
    /// Anything.
    Raw(Vec<u8>),
}

/// What tungstenite reads at a time, and holds for each connection. Its default is 128 KB, filled with zeros before each
/// read. A server has many connections that send little; reads from the transport are larger (see [`Tallied`]).
const fn read_buffer(role: Role) -> usize {
    match role {
        Role::Client => 4096,
        Role::Server => 256,
    }
}

/// Longest message that can be sent, with another one before it that could not leave.
const MAX_WRITE_BUFFER: usize = 64 * 1024 + 32 * 1024 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> Framed<S> {
    /// Speaks WebSocket over `stream`, of which `part` was read already. Messages longer than `max_message` are refused.
    pub(crate) async fn new(stream: S, part: Vec<u8>, role: Role, max_message: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(read_buffer(role))
            // What it writes is collected behind it.
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER)
            .max_message_size(Some(max_message))
            .max_frame_size(Some(max_message));
        let tallied = Tallied::new(Outbox::new(stream), &part);
        let socket = WebSocketStream::from_partially_read(tallied, part, role, Some(config)).await;
        Self { socket, backlog: VecDeque::new(), unflushed: false, closing: false, over: false, fault: None }
    }

    /// How the peer broke the framing rules, if it did.
    pub(crate) const fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    pub(crate) fn stream(&self) -> &S {
        self.socket.get_ref().stream().stream()
    }

    pub(crate) fn stream_mut(&mut self) -> &mut S {
        self.outbox().stream_mut()
    }

    fn outbox(&mut self) -> &mut Outbox<S> {
        self.socket.get_mut().stream_mut()
    }

    /// Whether something queued has not left yet.
    pub(crate) fn has_unsent(&self) -> bool {
        self.unflushed || !self.backlog.is_empty()
    }

    /// Queues a frame. `Lost` is not one: ending the transport is up to the owner.
    ///
    /// A text in `n` fragments is cut into `n` parts of equal length, in the middle of a character if need be, which
    /// RFC 6455 section 5.6 allows; parts may be empty.
    pub(crate) fn queue(&mut self, frame: OwnedFrame) {
        match frame {
            OwnedFrame::Text { text, fragments: 0 | 1 } => self.queue_message(Message::Text(text.into())),
            OwnedFrame::Text { text, fragments } => self.queue_fragments(&text.into(), fragments),
            OwnedFrame::Binary(bytes) => self.queue_message(Message::Binary(bytes.into())),
            OwnedFrame::Ping(bytes) => self.queue_message(Message::Ping(bytes.into())),
            // As a frame: a pong message would take the place of the answer to a ping that is still due.
            OwnedFrame::Pong(bytes) => self.queue_message(Message::Frame(Frame::pong(bytes))),
            OwnedFrame::Close { code, reason } => {
                let frame = code.map(|code| CloseFrame { code: CloseCode::from(code), reason: reason.into() });
                self.queue_message(Message::Close(frame));
            }
            OwnedFrame::Lost => {}
        }
    }

    /// Queues whole frames that were made elsewhere, as a server writes them.
    pub(crate) fn queue_wire(&mut self, frames: Vec<u8>) {
        if self.backlog.is_empty() && !self.closing && !self.outbox().has_refused() {
            self.outbox().append(frames);
            self.unflushed = true;
            return;
        }
        self.backlog.push_back(Outgoing::Wire(frames));
    }

    /// Queues bytes that are written as they are, below the framing.
    pub(crate) fn queue_raw(&mut self, bytes: Vec<u8>) {
        self.backlog.push_back(Outgoing::Raw(bytes));
    }

    /// Sends what is queued.
    pub(crate) async fn send_all(&mut self) -> Result<(), SendFailure> {
        poll_fn(|cx| self.poll_send(cx)).await
    }

    /// Sends what is queued and receives, whichever is done first. Cancel-safe.
    pub(crate) async fn progress(&mut self) -> Progress {
        poll_fn(|cx| {
            if self.has_unsent()
                && let Poll::Ready(result) = self.poll_send(cx)
            {
                return Poll::Ready(match result {
                    Ok(()) => Progress::Sent,
                    Err(failure) => Progress::Failed(failure),
                });
            }
            self.poll_next(cx).map(Progress::Received)
        })
        .await
    }

    /// The next frame from the peer if it is there already.
    pub(crate) async fn next_now(&mut self) -> Option<OwnedFrame> {
        poll_fn(|cx| match self.poll_next(cx) {
            Poll::Ready(frame) => Poll::Ready(Some(frame)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    /// The next frame from the peer; `Lost` for ever once there is none.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<OwnedFrame> {
        loop {
            if self.over {
                return Poll::Ready(OwnedFrame::Lost);
            }
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(message)) => {
                    if let Some(frame) = self.received(message, cx) {
                        return Poll::Ready(frame);
                    }
                }
                Some(Err(error)) => {
                    self.over = true;
                    self.fault = self.fault.take().or_else(|| self.fault_in(&error));
                }
                None => self.over = true,
            }
        }
    }

    /// Hands everything queued to the transport. After an error the queue is empty.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendFailure>> {
        let result = ready!(self.poll_send_queue(cx));
        self.unflushed = false;
        if result.is_err() {
            self.backlog.clear();
        }
        Poll::Ready(result.map_err(send_failure))
    }

    fn poll_send_queue(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.backlog.pop_front() {
                Some(Outgoing::Message(message)) => {
                    let mut socket = Pin::new(&mut self.socket);
                    let Poll::Ready(is_ready) = socket.as_mut().poll_ready(cx) else {
                        self.backlog.push_front(Outgoing::Message(message));
                        return Poll::Pending;
                    };
                    is_ready?;
                    self.closing |= message.is_close();
                    socket.start_send(message)?;
                    self.unflushed = true;
                }
                Some(Outgoing::Wire(_)) if self.closing => return Poll::Ready(Err(Error::AlreadyClosed)),
                Some(outgoing @ (Outgoing::Wire(_) | Outgoing::Raw(_))) => {
                    // What the library has not given away yet comes first.
                    let Poll::Ready(flushed) = Pin::new(&mut self.socket).poll_flush(cx) else {
                        self.backlog.push_front(outgoing);
                        return Poll::Pending;
                    };
                    flushed?;
                    if let Outgoing::Wire(bytes) | Outgoing::Raw(bytes) = outgoing {
                        self.outbox().append(bytes);
                    }
                    self.unflushed = true;
                }
                None => {
                    // An idle connection holds no memory for what it has sent.
                    if self.backlog.capacity() > 0 {
                        self.backlog = VecDeque::new();
                    }
                    if !self.unflushed {
                        return Poll::Ready(Ok(()));
                    }
                    // The library keeps nothing for itself as long as all that it writes is taken.
                    if self.outbox().has_refused() {
                        match ready!(Pin::new(&mut self.socket).poll_flush(cx)) {
                            Ok(()) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => {}
                            Err(error) => return Poll::Ready(Err(error)),
                        }
                        self.outbox().forget_refusal();
                    }
                    return Pin::new(self.outbox()).poll_flush(cx).map_err(Error::Io);
                }
            }
        }
    }

    fn queue_message(&mut self, message: Message) {
        self.backlog.push_back(Outgoing::Message(message));
    }

    fn queue_fragments(&mut self, text: &Bytes, fragments: u32) {
        let parts = u64::from(fragments);
        let cut = |part: u64| usize::try_from(text.len() as u64 * part / parts).unwrap_or(text.len());
        for part in 0..parts {
            let opcode = OpCode::Data(if part == 0 { Data::Text } else { Data::Continue });
            let payload = text.slice(cut(part)..cut(part + 1));
            self.queue_message(Message::Frame(Frame::message(payload, opcode, part + 1 == parts)));
        }
    }

    fn received(&mut self, message: Message, cx: &mut Context<'_>) -> Option<OwnedFrame> {
        match message {
            Message::Text(text) => {
                let fragments = self.socket.get_mut().tally().next_message();
                Some(OwnedFrame::Text { text: text.as_str().to_owned(), fragments })
            }
            Message::Binary(bytes) => {
                self.socket.get_mut().tally().next_message();
                Some(OwnedFrame::Binary(bytes.into()))
            }
            Message::Ping(bytes) => {
                self.send_answer(cx);
                Some(OwnedFrame::Ping(bytes.into()))
            }
            Message::Pong(bytes) => Some(OwnedFrame::Pong(bytes.into())),
            Message::Close(_) => {
                self.closing = true;
                self.send_answer(cx);
                let (code, reason) = self.socket.get_mut().tally().close();
                if let Some(code) = code.filter(|code| !CloseCode::from(*code).is_allowed()) {
                    let text = format!("peer closed with {code}, which must not be sent (RFC 6455 7.4)");
                    self.fault = Some(Fault { text, code: None });
                }
                Some(OwnedFrame::Close { code, reason })
            }
            // Reading never makes one.
            Message::Frame(_) => None,
        }
    }

    /// Sends tungstenite's answer to a ping or a close frame now if the transport takes it, else with the next call.
    fn send_answer(&mut self, cx: &mut Context<'_>) {
        // A server has closed for the library once its answer is written; the outbox has it still.
        let _ = Pin::new(&mut self.socket).poll_flush(cx);
        self.unflushed |= Pin::new(self.outbox()).poll_flush(cx).is_pending();
    }

    fn fault_in(&mut self, error: &Error) -> Option<Fault> {
        let fault = |code, text: String| Some(Fault { text, code: Some(code) });
        if let Error::Utf8(_) = error {
            // The error quotes the message, the fault must not.
            return fault(1007, "peer sent text that is not UTF-8 (RFC 6455 8.1)".into());
        }
        if let Error::Capacity(limit) = error {
            return fault(1009, format!("peer sent more than can be taken: {}", lower_first(&limit.to_string())));
        }
        let Error::Protocol(violation) = error else {
            return None;
        };
        if *violation != ProtocolError::ResetWithoutClosingHandshake {
            return fault(1002, format!("peer broke RFC 6455: {}", lower_first(&violation.to_string())));
        }
        let is_cut = self.socket.get_mut().tally().is_within_frame();
        is_cut.then(|| Fault { text: "the connection ended within a frame".into(), code: None })
    }
}

fn send_failure(error: Error) -> SendFailure {
    if matches!(error, Error::WriteBufferFull(_)) {
        return SendFailure::TooLarge;
    }
    if let Error::Io(error) = error { SendFailure::Io(error) } else { SendFailure::Closed }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}
