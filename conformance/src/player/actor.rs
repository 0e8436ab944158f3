//! Whoever speaks as the client: the player of scenarios, or anything else that says what to do and is told what came.
//!
//! The virtual world and the sockets drive an [`Actor`]; neither knows which one it is.

use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{OwnedFrame, Response};

use super::{Output, Player};
use crate::scenario::Conn;

/// A client without I/O: it is polled for what to do, and told what came and what time it is.
pub trait Actor {
    /// The next thing to do. Called until it is [`Output::Idle`] or [`Output::Done`].
    fn poll(&mut self) -> Output;

    /// The answer to an upgrade, or why there is none.
    fn upgraded(&mut self, at: Moment, conn: Conn, answer: Result<Response, String>);

    /// The answer to an upgrade is a 101 that does not prove that it belongs to the key of the request.
    fn unproven(&mut self, at: Moment, conn: Conn, why: String);

    /// The connection ended before there was an answer to the upgrade.
    fn hung_up(&mut self, at: Moment, conn: Conn, why: String) {
        self.upgraded(at, conn, Err(why));
    }

    /// One frame from the peer, the end of the connection included.
    fn frame(&mut self, at: Moment, conn: Conn, frame: OwnedFrame);

    /// The answer to an HTTP request, or why there is none.
    fn answered(&mut self, at: Moment, call: u32, answer: Result<Response, String>);

    /// Time passed.
    fn elapse(&mut self, at: Moment);

    /// Ends it from outside: the driver is in trouble.
    fn abandon(&mut self, at: Moment, why: String);
}

impl Actor for Player<'_> {
    fn poll(&mut self) -> Output {
        Self::poll(self)
    }

    fn upgraded(&mut self, at: Moment, conn: Conn, answer: Result<Response, String>) {
        Self::upgraded(self, at, conn, answer);
    }

    fn unproven(&mut self, at: Moment, conn: Conn, why: String) {
        Self::unproven(self, at, conn, why);
    }

    fn hung_up(&mut self, at: Moment, conn: Conn, why: String) {
        Self::hung_up(self, at, conn, why);
    }

    fn frame(&mut self, at: Moment, conn: Conn, frame: OwnedFrame) {
        Self::frame(self, at, conn, frame);
    }

    fn answered(&mut self, at: Moment, call: u32, answer: Result<Response, String>) {
        Self::answered(self, at, call, answer);
    }

    fn elapse(&mut self, at: Moment) {
        Self::elapse(self, at);
    }

    fn abandon(&mut self, at: Moment, why: String) {
        Self::abandon(self, at, why);
    }
}
