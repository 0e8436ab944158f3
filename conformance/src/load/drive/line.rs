//! A WebSocket connection of the load generator: frames without a library, a read at a time.
//!
//! ```text
//!   send ──> out, masked ──> one write for all that is queued
//!   turn <── whole messages <── what one read brought (a buffer of the thread; what is left over is kept)
//! ```
//!
//! A library hands out one message at a time and copies it; here a message is a slice of what was read. Only what a
//! client needs is here: text messages, fragments, pings, the closing handshake. Everything a server must not send ends
//! the connection. Tests hold it against tungstenite in both directions.
//!
//! The masks come from a fixed stream of numbers. RFC 6455 wants them unpredictable so that a script in a browser cannot
//! write bytes of its choice through a proxy; nobody else chooses what is sent here.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::link::MESSAGE_LIMIT;
use crate::load::payload::scrambled;

/// Most bytes that are read at a time.
const READ: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// One connection after its upgrade.
pub(crate) struct Line<S> {
    stream: S,
    /// Read, but not whole yet.
    partial: Vec<u8>,
    /// Fragments of a message that is not whole yet.
    fragments: Option<Vec<u8>>,
    out: Vec<u8>,
    masks: u64,
    end: Option<End>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The server closed it, with this code.
    Closed(Option<u16>),
    /// TCP or TLS ended.
    Lost,
    /// The server broke RFC 6455.
    Broken(&'static str),
}

impl End {
    /// What the server did against RFC 6455, if it did.
    pub(crate) const fn broken(self) -> Option<&'static str> {
        match self {
            Self::Broken(what) => Some(what),
            Self::Closed(_) | Self::Lost => None,
        }
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed(Some(code)) => write!(f, "the server closed the connection with {code}"),
            Self::Closed(None) => f.write_str("the server closed the connection without a code"),
            Self::Lost => f.write_str("the connection was lost without a close frame"),
            Self::Broken(what) => write!(f, "the server broke RFC 6455: {what}"),
        }
    }
}

/// Bytes that may wait for a server that pings and does not read.
const UNREAD_MAX: usize = 1024 * 1024;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// One frame in front of a buffer.
struct FrameHead {
    is_final: bool,
    opcode: u8,
    /// Where the payload is.
    start: usize,
    end: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// Speaks over `stream`, of which `read` was read already.
    pub(crate) fn new(stream: S, read: Vec<u8>, seed: u64) -> Self {
        Self { stream, partial: read, fragments: None, out: Vec::new(), masks: scrambled(seed), end: None }
    }

    /// Queues a text message. It leaves with the next turn or flush.
    pub(crate) fn send(&mut self, text: &str) {
        self.frame(TEXT, text.as_bytes());
    }

    /// Queues a close frame.
    pub(crate) fn close(&mut self, code: u16) {
        self.frame(CLOSE, &code.to_be_bytes());
    }

    /// Writes what is queued. That it could not be written shows in the next turn.
    pub(crate) async fn flush(&mut self) {
        poll_fn(|cx| self.poll_flush(cx)).await;
    }

    /// Writes what is queued and reads; ends when messages came, which `on` has got by then. Cancel-safe.
    pub(crate) async fn turn(&mut self, mut on: impl FnMut(&[u8])) -> Result<(), End> {
        poll_fn(|cx| self.poll_turn(cx, &mut on)).await
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>, on: &mut impl FnMut(&[u8])) -> Poll<Result<(), End>> {
        if !self.partial.is_empty() && self.end.is_none() {
            let partial = std::mem::take(&mut self.partial);
            let (used, messages) = self.take(&partial, on);
            self.partial = partial[used..].to_vec();
            if messages > 0 {
                let _ = self.poll_flush(cx);
                return Poll::Ready(Ok(()));
            }
        }
        loop {
            let _ = self.poll_flush(cx);
            if let Some(end) = self.end {
                return Poll::Ready(Err(end));
            }
            let messages = match self.poll_read(cx, on) {
                Poll::Ready(messages) => messages,
                Poll::Pending => return Poll::Pending,
            };
            if messages > 0 {
                // Answers to pings leave with it.
                let _ = self.poll_flush(cx);
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// One read, and how many messages it made whole.
    fn poll_read(&mut self, cx: &mut Context<'_>, on: &mut impl FnMut(&[u8])) -> Poll<usize> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            match Pin::new(&mut self.stream).poll_read(cx, &mut read) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {}
                Poll::Ready(Ok(()) | Err(_)) => {
                    self.end.get_or_insert(End::Lost);
                    return Poll::Ready(0);
                }
            }
            let messages = if self.partial.is_empty() {
                let (used, messages) = self.take(read.filled(), on);
                self.partial.extend_from_slice(&read.filled()[used..]);
                messages
            } else {
                let mut partial = std::mem::take(&mut self.partial);
                partial.extend_from_slice(read.filled());
                let (used, messages) = self.take(&partial, on);
                partial.drain(..used);
                if !partial.is_empty() {
                    self.partial = partial;
                }
                messages
            };
            Poll::Ready(messages)
        })
    }

    /// Takes whole frames; tells how many bytes they were and how many messages.
    fn take(&mut self, bytes: &[u8], on: &mut impl FnMut(&[u8])) -> (usize, usize) {
        let (mut used, mut messages) = (0, 0);
        while self.end.is_none() {
            let rest = &bytes[used..];
            match frame_head(rest) {
                Ok(None) => break,
                Ok(Some(head)) => {
                    messages += self.receive(&head, &rest[head.start..head.end], on);
                    used += head.end;
                }
                Err(broken) => {
                    self.end = Some(End::Broken(broken));
                    self.close(1002);
                }
            }
        }
        (used, messages)
    }

    fn receive(&mut self, head: &FrameHead, payload: &[u8], on: &mut impl FnMut(&[u8])) -> usize {
        match (head.opcode, &mut self.fragments) {
            // A server that does not read what it asked for gets no more of it.
            (PING, _) if self.out.len() > UNREAD_MAX => {}
            (PING, _) => self.frame(PONG, payload),
            (PONG, _) => {}
            (CLOSE, _) => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                self.close(1000);
                self.end = Some(End::Closed(code));
            }
            (TEXT, None) if head.is_final => {
                on(payload);
                return 1;
            }
            (TEXT, fragments @ None) => *fragments = Some(payload.to_vec()),
            (CONTINUATION, Some(fragments)) if fragments.len() + payload.len() <= MESSAGE_LIMIT => {
                fragments.extend_from_slice(payload);
                if head.is_final {
                    on(&self.fragments.take().unwrap_or_default());
                    return 1;
                }
            }
            (CONTINUATION, Some(_)) => self.end = Some(End::Broken("a message is longer than 16 MiB")),
            (CONTINUATION, None) => self.end = Some(End::Broken("a continuation without a beginning")),
            (TEXT, Some(_)) => self.end = Some(End::Broken("a message within the fragments of another")),
            _ => self.end = Some(End::Broken("a message that is no text")),
        }
        0
    }

    /// After a failure nothing waits any more: what the server said before is still to be read, and the end shows there.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut written = 0;
        while written < self.out.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.out[written..]) {
                Poll::Ready(Ok(0) | Err(_)) => written = self.out.len(),
                Poll::Ready(Ok(count)) => written += count,
                Poll::Pending => {
                    self.out.drain(..written);
                    return Poll::Pending;
                }
            }
        }
        if written > 0 {
            self.out.clear();
            return Pin::new(&mut self.stream).poll_flush(cx).map(drop);
        }
        Poll::Ready(())
    }

    fn frame(&mut self, opcode: u8, payload: &[u8]) {
        self.masks = self.masks.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mask = (scrambled(self.masks) as u32).to_le_bytes();
        write_frame(opcode, mask, payload, &mut self.out);
    }
}

fn write_frame(opcode: u8, mask: [u8; 4], payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match payload.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    let start = out.len();
    out.extend_from_slice(payload);
    let wide = u64::from_le_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let (chunks, rest) = out[start..].as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_le_bytes(*chunk) ^ wide).to_le_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// The frame at the beginning, if it is whole.
fn frame_head(bytes: &[u8]) -> Result<Option<FrameHead>, &'static str> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err("a reserved bit is set");
    }
    if second & 0x80 != 0 {
        return Err("a frame of a server is masked");
    }
    let (is_final, opcode) = (first & 0x80 != 0, first & 0x0f);
    let (len, start) = match (second & 0x7f, rest) {
        (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 4),
        (127, [a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 10),
        (126 | 127, _) => return Ok(None),
        (short, _) => (u64::from(short), 2),
    };
    if opcode >= CLOSE && (len > 125 || !is_final) {
        return Err("a control frame is long or fragmented");
    }
    if !matches!(opcode, CONTINUATION | TEXT | 2 | CLOSE | PING | PONG) {
        return Err("an unknown opcode");
    }
    let len = usize::try_from(len).ok().filter(|len| *len <= MESSAGE_LIMIT).ok_or("a frame is longer than 16 MiB")?;
    let end = start + len;
    Ok((bytes.len() >= end).then_some(FrameHead { is_final, opcode, start, end }))
}

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test panics with whatever else it got")]
mod tests {
    use appsync_protocol::wire::OwnedFrame;
    use futures_util::future::poll_fn;
    use tokio::io::AsyncWriteExt as _;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;
    use crate::link::framed::Framed;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn texts() -> Vec<String> {
        [0, 1, 7, 8, 9, 125, 126, 127, 4000, 0xffff, 0x1_0000, 200_000]
            .map(|length| "\u{fc}x0\"".chars().cycle().take(length).collect::<String>())
            .into()
    }

    #[test]
    fn a_library_reads_what_a_line_writes_and_a_line_reads_what_a_library_writes() {
        for pipe in [10, 1000, 1_000_000] {
            runtime().block_on(async {
                let (near, far) = tokio::io::duplex(pipe);
                let mut line = Line::new(near, Vec::new(), 1);
                let echo = tokio::spawn(async move {
                    let mut server = Framed::new(far, Vec::new(), Role::Server, MESSAGE_LIMIT).await;
                    let mut fragments = 0;
                    loop {
                        match poll_fn(|cx| server.poll_next(cx)).await {
                            OwnedFrame::Text { text, fragments: 1 } => {
                                fragments += 1;
                                server.queue(OwnedFrame::Ping(vec![1; fragments as usize]));
                                server.queue(OwnedFrame::Text { text, fragments });
                                server.send_all().await.unwrap();
                            }
                            OwnedFrame::Pong(_) => {}
                            OwnedFrame::Close { code, .. } => return code,
                            other => panic!("{other:?}"),
                        }
                    }
                });
                for text in texts() {
                    line.send(&text);
                    let mut got = Vec::new();
                    while got.is_empty() {
                        line.turn(|bytes| got.push(String::from_utf8(bytes.to_vec()).unwrap())).await.unwrap();
                    }
                    assert!(got == [text.clone()], "{} bytes through {pipe}", text.len());
                }
                line.close(1000);
                line.flush().await;
                assert_eq!(echo.await.unwrap(), Some(1000));
            });
        }
    }

    /// What comes of these bytes, in pieces of any size, and then the end of the stream.
    fn read(bytes: &[u8]) -> (Vec<String>, End) {
        let mut all = Vec::new();
        for size in [1, 3, bytes.len()] {
            let got = runtime().block_on(async {
                let (near, mut far) = tokio::io::duplex(size);
                let bytes = bytes.to_vec();
                tokio::spawn(async move {
                    let _ = far.write_all(&bytes).await;
                });
                let mut line = Line::new(near, Vec::new(), 1);
                let mut got = Vec::new();
                loop {
                    let turn = line.turn(|bytes| got.push(String::from_utf8_lossy(bytes).into_owned())).await;
                    if let Err(end) = turn {
                        return (got, end);
                    }
                }
            });
            all.push(got);
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
        all.remove(0)
    }

    #[test]
    fn what_a_server_must_not_send_ends_the_connection_after_what_came_before() {
        let after = |bytes: &[u8]| read(&[&[0x81, 1, b'a'], bytes].concat());
        let a = vec!["a".to_owned()];

        assert_eq!(after(&[]), (a.clone(), End::Lost));
        assert_eq!(after(&[0x88, 2, 3, 0xe9]), (a.clone(), End::Closed(Some(1001))));
        assert_eq!(after(&[0x88, 0]), (a.clone(), End::Closed(None)));
        for broken in [
            &[0xc1, 0][..],
            &[0x81, 0x80, 0, 0, 0, 0],
            &[0x80, 0],
            &[0x01, 0, 0x81, 0],
            &[0x82, 0],
            &[0x83, 0],
            &[0x09, 0],
            &[0x89, 126, 0, 126],
            &[0x81, 127, 0, 0, 0, 0, 0xff, 0, 0, 0],
        ] {
            let (got, end) = after(broken);
            assert!(got == a && matches!(end, End::Broken(_)), "{broken:?}: {end}");
        }
    }
}
