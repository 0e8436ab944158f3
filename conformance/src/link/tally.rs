//! What the WebSocket library does not tell: in how many frames a message came, and what a close frame really said.
//!
//! tungstenite joins the fragments of a message and replaces a close code that must not be sent. [`Tallied`] stands
//! between it and the transport and reads along: the headers of frames, and the payload of close frames. It changes and
//! delays nothing. It trusts tungstenite to refuse what breaks the framing rules; after such a frame its counts mean
//! nothing and nobody asks for them.
//!
//! The invariant: as long as the framing is sound, the n-th data message that tungstenite returns has the n-th count.
//! tungstenite is a few kilobytes behind at most, which bounds the counts in store.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream of which the incoming WebSocket frames are tallied.
///
/// Reads [`AHEAD`] bytes of the transport at a time where less is asked for, so that the buffer of an idle connection
/// can be small without a long message taking many reads. What was read and not asked for yet is kept only until then.
pub(crate) struct Tallied<S> {
    stream: S,
    tally: Tally,
    ahead: Ahead,
}

/// Bytes that were read and not asked for yet.
#[derive(Default)]
struct Ahead {
    bytes: Box<[u8]>,
    taken: usize,
}

/// Most bytes that are read at a time.
const AHEAD: usize = 8 * 1024;

impl<S> Tallied<S> {
    /// Tallies what comes after `part`, which was read already and is tallied too.
    pub(crate) fn new(stream: S, part: &[u8]) -> Self {
        let mut tally = Tally::default();
        tally.read(part);
        Self { stream, tally, ahead: Ahead::default() }
    }

    pub(crate) const fn stream(&self) -> &S {
        &self.stream
    }

    pub(crate) const fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    pub(crate) const fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tallied<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = if this.ahead.gives(buf) {
            Poll::Ready(Ok(()))
        } else if buf.remaining() >= AHEAD {
            Pin::new(&mut this.stream).poll_read(cx, buf)
        } else {
            let mut bytes = [MaybeUninit::uninit(); AHEAD];
            let mut all = ReadBuf::uninit(&mut bytes);
            let result = Pin::new(&mut this.stream).poll_read(cx, &mut all);
            this.ahead.keep(all.filled(), buf);
            result
        };
        this.tally.read(&buf.filled()[before..]);
        result
    }
}

impl Ahead {
    /// Hands out what was kept; `false` if nothing was.
    fn gives(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let left = &self.bytes[self.taken..];
        if left.is_empty() {
            return false;
        }
        let given = left.len().min(buf.remaining());
        buf.put_slice(&left[..given]);
        self.taken += given;
        if self.taken == self.bytes.len() {
            *self = Self::default();
        }
        true
    }

    /// Hands out what was asked for and keeps the rest.
    fn keep(&mut self, bytes: &[u8], buf: &mut ReadBuf<'_>) {
        let (given, rest) = bytes.split_at(bytes.len().min(buf.remaining()));
        buf.put_slice(given);
        if !rest.is_empty() {
            *self = Self { bytes: rest.into(), taken: 0 };
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tallied<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The counts, and where in a frame the reading stands.
#[derive(Default)]
pub(crate) struct Tally {
    header: [u8; LONGEST_HEADER],
    /// Bytes of the header so far; 0 between frames and within a payload.
    header_len: usize,
    /// Bytes of the payload still to come.
    payload_left: u64,
    /// Data frames of the message that is not complete yet.
    fragments: u32,
    complete: VecDeque<u32>,
    close: Option<ClosePayload>,
    in_close: bool,
}

struct ClosePayload {
    bytes: Vec<u8>,
    mask: [u8; 4],
}

const LONGEST_HEADER: usize = 14;
const LONGEST_CONTROL_PAYLOAD: usize = 125;
const OPCODE_CLOSE: u8 = 8;

impl Tally {
    /// In how many frames the next data message came.
    pub(crate) fn next_message(&mut self) -> u32 {
        self.complete.pop_front().unwrap_or(1)
    }

    /// Code and reason of the close frame, as sent.
    pub(crate) fn close(&self) -> (Option<u16>, String) {
        match self.close.as_ref().map(|close| close.bytes.as_slice()) {
            Some([high, low, reason @ ..]) => {
                (Some(u16::from_be_bytes([*high, *low])), String::from_utf8_lossy(reason).into_owned())
            }
            Some(_) | None => (None, String::new()),
        }
    }

    /// Whether the bytes so far end within a frame.
    pub(crate) const fn is_within_frame(&self) -> bool {
        self.header_len > 0 || self.payload_left > 0
    }

    fn read(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.payload_left > 0 {
                bytes = self.read_payload(bytes);
            } else {
                self.read_header(*first);
                bytes = rest;
            }
        }
    }

    fn read_payload<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let len = usize::try_from(self.payload_left).unwrap_or(usize::MAX).min(bytes.len());
        let (payload, rest) = bytes.split_at(len);
        self.payload_left -= len as u64;

        if self.in_close
            && let Some(close) = &mut self.close
        {
            for byte in payload.iter().take(LONGEST_CONTROL_PAYLOAD - close.bytes.len()) {
                let masked_by = close.mask[close.bytes.len() % 4];
                close.bytes.push(byte ^ masked_by);
            }
        }
        rest
    }

    fn read_header(&mut self, byte: u8) {
        self.header[self.header_len] = byte;
        self.header_len += 1;
        if self.header_len < self.header_needed() {
            return;
        }

        let (first, len_end) = (self.header[0], 2 + self.extended_length());
        self.payload_left = match self.extended_length() {
            0 => u64::from(self.header[1] & 0x7f),
            _ => self.header[2..len_end].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        let mut mask = [0; 4];
        if self.is_masked() {
            mask.copy_from_slice(&self.header[len_end..len_end + 4]);
        }
        self.header_len = 0;
        self.count(first, mask);
    }

    fn count(&mut self, first: u8, mask: [u8; 4]) {
        let (is_final, opcode) = (first & 0x80 != 0, first & 0x0f);
        self.in_close = opcode == OPCODE_CLOSE;
        if self.in_close {
            // Only the first close frame counts; what follows it is not read by anybody.
            self.in_close = self.close.is_none();
            self.close.get_or_insert(ClosePayload { bytes: Vec::new(), mask });
        } else if opcode < OPCODE_CLOSE {
            self.fragments = self.fragments.saturating_add(1);
            if is_final {
                self.complete.push_back(self.fragments);
                self.fragments = 0;
            }
        }
    }

    const fn is_masked(&self) -> bool {
        self.header[1] & 0x80 != 0
    }

    const fn extended_length(&self) -> usize {
        match self.header[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        }
    }

    const fn header_needed(&self) -> usize {
        if self.header_len < 2 {
            return 2;
        }
        2 + self.extended_length() + if self.is_masked() { 4 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_counted_past_control_frames_and_in_pieces_of_any_size() {
        let mut bytes = vec![0x01, 1, b'a', 0x89, 0, 0x00, 0, 0x80, 126, 0, 130];
        bytes.extend([b'b'; 130]);
        bytes.extend([0x82, 0x81, 1, 2, 3, 4, 0xff]);

        for size in [1, 2, 3, 7, bytes.len()] {
            let mut tally = Tally::default();
            for piece in bytes.chunks(size) {
                tally.read(piece);
            }

            assert_eq!((tally.next_message(), tally.next_message()), (3, 1), "pieces of {size}");
            assert!(!tally.is_within_frame());
        }
    }

    #[test]
    fn a_close_frame_is_read_as_sent() {
        let mut tally = Tally::default();

        tally.read(&[0x88, 0x84, 1, 1, 1, 1, 0x03 ^ 1, 0xed ^ 1, b'h' ^ 1, b'i' ^ 1]);

        assert_eq!(tally.close(), (Some(1005), "hi".into()));
    }

    #[test]
    fn what_was_read_ahead_comes_in_order_and_is_kept_only_until_it_is_asked_for() {
        let mut sent = vec![0x82, 126, 0x4e, 0x20];
        sent.extend((0..20_000_u32).map(|n| (n % 251) as u8));
        let mut tallied = Tallied::new(sent.as_slice(), &[]);
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut came = Vec::new();

        loop {
            let mut bytes = [0; 300];
            let mut buf = ReadBuf::new(&mut bytes);
            assert!(matches!(Pin::new(&mut tallied).poll_read(&mut context, &mut buf), Poll::Ready(Ok(()))));
            if buf.filled().is_empty() {
                break;
            }
            came.extend_from_slice(buf.filled());
        }

        assert!(came == sent && tallied.ahead.bytes.is_empty());
        assert_eq!((tallied.tally().next_message(), tallied.tally().is_within_frame()), (1, false));
    }

    #[test]
    fn an_end_within_a_frame_is_seen() {
        let mut tally = Tally::default();

        tally.read(&[0x81, 5, b'h']);

        assert!(tally.is_within_frame());
    }
}
