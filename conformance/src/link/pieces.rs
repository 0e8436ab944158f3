//! What comes of bytes that arrive in pieces, without a socket: for fuzzing and for tests.
//!
//! Both framings of the suite are here, that of the link and that of the load generator. Each piece is what one read of
//! the transport brings; after the last one the transport has ended. What the framing answers goes nowhere.

use std::collections::VecDeque;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use appsync_protocol::wire::OwnedFrame;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::framed::Framed;
use crate::load::drive::line::Line;

/// What a connection brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought<T> {
    /// What came, in order, without the end of the transport.
    pub all: Vec<T>,
    /// How the peer broke the framing rules, if it did.
    pub fault: Option<String>,
}

/// The frames that `pieces` bring to one side; messages longer than `max_message` are refused.
pub fn frames(pieces: Vec<Vec<u8>>, by_server: bool, max_message: usize) -> Brought<OwnedFrame> {
    let role = if by_server { Role::Client } else { Role::Server };
    let mut framed = at_once(Framed::new(Pieces(pieces.into()), Vec::new(), role, max_message));
    let mut all = Vec::new();
    loop {
        let frame = at_once(std::future::poll_fn(|cx| framed.poll_next(cx)));
        if frame == OwnedFrame::Lost {
            break;
        }
        all.push(frame);
    }
    Brought { all, fault: framed.fault().map(|fault| fault.text.clone()) }
}

/// The messages that `pieces` of a server bring to the load generator.
pub fn messages(pieces: Vec<Vec<u8>>) -> Brought<Vec<u8>> {
    let mut line = Line::new(Pieces(pieces.into()), Vec::new(), 1);
    let mut all = Vec::new();
    let end = loop {
        if let Err(end) = at_once(line.turn(|message| all.push(message.to_vec()))) {
            break end;
        }
    };
    Brought { all, fault: end.broken().map(str::to_owned) }
}

/// Nothing here ever waits: the transport always has an answer.
fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// A transport that brings a piece with each read and takes everything.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while let Some(mut piece) = self.0.pop_front() {
            if piece.is_empty() {
                continue;
            }
            let rest = piece.split_off(piece.len().min(into.remaining()));
            into.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
            break;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_framings_read_a_message_that_comes_byte_by_byte() {
        let bytes = [0x01, 1, b'a', 0x89, 0, 0x80, 1, b'b'];
        let pieces = || bytes.iter().map(|byte| vec![*byte]).collect::<Vec<_>>();

        let told = frames(pieces(), true, 100);

        assert_eq!(told.all, [OwnedFrame::Ping(Vec::new()), OwnedFrame::Text { text: "ab".into(), fragments: 2 }]);
        assert_eq!(messages(pieces()), Brought { all: vec![b"ab".to_vec()], fault: None });
    }

    #[test]
    fn what_breaks_the_framing_is_told() {
        assert!(frames(vec![vec![0x81, 0x80, 0, 0, 0, 0]], true, 100).fault.is_some());
        assert!(messages(vec![vec![0xc1, 0]]).fault.is_some());
    }
}
