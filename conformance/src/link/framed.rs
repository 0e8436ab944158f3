//! A WebSocket over any byte stream, as [`OwnedFrame`]s; the same for both sides.
//!
//! tungstenite masks, joins fragments, answers pings and close frames, and refuses what breaks RFC 6455. This adds what
//! it leaves open: the queue of what is to be sent, one flush for all of it, bytes written past the framing, the number
//! of fragments, and what a violation means.
//!
//! ```text
//!   queue ──> backlog ──poll_send──> tungstenite's buffer ──flush──> stream
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

use super::tally::Tallied;

/// Both sides of a connection, in frames.
pub(crate) struct Framed<S> {
    socket: WebSocketStream<Tallied<S>>,
    backlog: VecDeque<Outgoing>,
    unflushed: bool,
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
    Raw(Bytes),
}

/// What tungstenite reads at a time, and holds for each connection. Its default is 128 KB, filled with zeros before each
/// read. A server has many connections that send little; reads from the transport are larger (see [`Tallied`]).
const fn read_buffer(role: Role) -> usize {
    match role {
        Role::Client => 4096,
        Role::Server => 256,
    }
}

/// A batch is written when it is this long, or complete.
const WRITE_BUFFER: usize = 64 * 1024;

/// Longest message that can be sent, with a full batch before it.
const MAX_WRITE_BUFFER: usize = WRITE_BUFFER + 32 * 1024 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> Framed<S> {
    /// Speaks WebSocket over `stream`, of which `part` was read already. Messages longer than `max_message` are refused.
    pub(crate) async fn new(stream: S, part: Vec<u8>, role: Role, max_message: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(read_buffer(role))
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(MAX_WRITE_BUFFER)
            .max_message_size(Some(max_message))
            .max_frame_size(Some(max_message));
        let tallied = Tallied::new(stream, &part);
        let socket = WebSocketStream::from_partially_read(tallied, part, role, Some(config)).await;
        Self { socket, backlog: VecDeque::new(), unflushed: false, over: false, fault: None }
    }

    /// How the peer broke the framing rules, if it did.
    pub(crate) const fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    pub(crate) fn stream(&self) -> &S {
        self.socket.get_ref().stream()
    }

    pub(crate) fn stream_mut(&mut self) -> &mut S {
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

    /// Queues bytes that are written as they are, below the framing.
    pub(crate) fn queue_raw(&mut self, bytes: Vec<u8>) {
        self.backlog.push_back(Outgoing::Raw(bytes.into()));
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
                    socket.start_send(message)?;
                    self.unflushed = true;
                }
                Some(Outgoing::Raw(mut bytes)) => {
                    let written = self.poll_write_raw(cx, &mut bytes);
                    if !bytes.is_empty() {
                        self.backlog.push_front(Outgoing::Raw(bytes));
                    }
                    ready!(written)?;
                    self.unflushed = true;
                }
                None => {
                    // An idle connection holds no memory for what it has sent.
                    self.backlog = VecDeque::new();
                    return if self.unflushed {
                        Pin::new(&mut self.socket).poll_flush(cx)
                    } else {
                        Poll::Ready(Ok(()))
                    };
                }
            }
        }
    }

    fn poll_write_raw(&mut self, cx: &mut Context<'_>, bytes: &mut Bytes) -> Poll<Result<(), Error>> {
        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        while !bytes.is_empty() {
            let written = ready!(Pin::new(self.socket.get_mut()).poll_write(cx, bytes))?;
            if written == 0 {
                return Poll::Ready(Err(Error::ConnectionClosed));
            }
            *bytes = bytes.slice(written..);
        }
        Poll::Ready(Ok(()))
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
        self.unflushed |= Pin::new(&mut self.socket).poll_flush(cx).is_pending();
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
