//! What is to leave on a connection, between the WebSocket library and the transport.
//!
//! ```text
//!   tungstenite ── whole frames ──┐
//!                                 ├──> out ── one write for all of it ──> transport
//!   frames made elsewhere ────────┘
//! ```
//!
//! The library writes into memory, so its frames and those that were made elsewhere never get into each other, however
//! little the transport takes at a time: an answer to a ping waits until the frame that is half written has left. The
//! invariant: bytes leave in the order in which they came, and nothing of them is kept once they have left.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A transport with a buffer of its own for what is written. Reading goes through.
pub(crate) struct Outbox<S> {
    stream: S,
    out: Vec<u8>,
    /// How much of it has left.
    written: usize,
    /// The library was made to wait, and may keep something for itself.
    refused: bool,
}

/// Bytes that may wait before the library has to. Whoever pings and does not read is not answered any more then.
const ROOM: usize = 64 * 1024;

impl<S> Outbox<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self { stream, out: Vec::new(), written: 0, refused: false }
    }

    pub(crate) const fn stream(&self) -> &S {
        &self.stream
    }

    pub(crate) const fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Whether the library may keep something for itself.
    pub(crate) const fn has_refused(&self) -> bool {
        self.refused
    }

    /// The library has given all that it had.
    pub(crate) const fn forget_refusal(&mut self) {
        self.refused = false;
    }

    /// Queues bytes. They leave with the next flush.
    pub(crate) fn append(&mut self, bytes: Vec<u8>) {
        if self.out.is_empty() {
            self.out = bytes;
        } else {
            self.out.extend_from_slice(&bytes);
        }
    }
}

impl<S: AsyncWrite + Unpin> Outbox<S> {
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out[self.written..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        (self.out, self.written) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Outbox<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Outbox<S> {
    /// All or nothing.
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.out.len() - this.written >= ROOM {
            this.refused = true;
            ready!(this.poll_drain(cx))?;
        }
        this.out.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncReadExt as _, duplex};

    use super::*;

    fn context() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    #[test]
    fn bytes_leave_in_order_however_little_is_taken_and_nothing_is_kept() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (near, mut far) = duplex(3);
            let mut outbox = Outbox::new(near);
            outbox.append(b"made elsewhere".to_vec());
            assert!(matches!(Pin::new(&mut outbox).poll_flush(&mut context()), Poll::Pending));
            assert!(matches!(Pin::new(&mut outbox).poll_write(&mut context(), b", library"), Poll::Ready(Ok(9))));
            outbox.append(b", again".to_vec());

            let mut came = Vec::new();
            while Pin::new(&mut outbox).poll_flush(&mut context()).is_pending() {
                let mut some = [0; 2];
                far.read_exact(&mut some).await.unwrap();
                came.extend_from_slice(&some);
            }
            let kept = outbox.out.capacity();
            drop(outbox);
            far.read_to_end(&mut came).await.unwrap();

            assert_eq!((came.as_slice(), kept), (b"made elsewhere, library, again".as_slice(), 0));
        });
    }

    #[test]
    fn whoever_does_not_read_is_not_written_to_without_bound() {
        let (near, _far) = duplex(1);
        let mut outbox = Outbox::new(near);
        let mut taken = 0;

        while Pin::new(&mut outbox).poll_write(&mut context(), &[0; 1000]).is_ready() {
            taken += 1000;
        }

        assert!((ROOM..ROOM + 2000).contains(&taken), "{taken}");
    }
}
