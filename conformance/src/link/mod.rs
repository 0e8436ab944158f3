//! The client's side of a socket: dial, upgrade, exchange frames; or one HTTP exchange.
//!
//! ```text
//! Dialer ── tcp ── tls? ──┬── http()  one request, one answer, the connection is closed
//!                         └── open()  the upgrade, written and read here
//!                                       ├── refused: the answer, as far as it came
//!                                       └── 101: Socket ── tungstenite ── tally ── tls? ── tcp
//! ```
//!
//! This is a shell: it turns bytes into the plain data of [`appsync_protocol::wire`] and back, and judges nothing that a
//! requirement speaks of. A 101 without the offered subprotocol opens a socket like any other; whether that is a
//! finding is for the model to say. What no model can work with ends here as a [`LinkError`] or, once frames flow, as
//! [`OwnedFrame::Lost`](appsync_protocol::wire::OwnedFrame::Lost) with a [`fault`](Socket::fault).
//!
//! The invariant: whatever the peer does, each call ends in bounded time with bounded memory. A head is at most
//! [`HEAD_LIMIT`] bytes, the body of an answer [`BODY_LIMIT`], of a refused upgrade [`REFUSAL_LIMIT`], a message
//! [`MESSAGE_LIMIT`]; whoever reads frames slower than they come holds back the peer, not the memory.
//!
//! Texts of errors and faults never hold header values or bodies: credentials stand there.

mod dial;
mod error;
#[cfg_attr(not(feature = "endpoint"), allow(dead_code, reason = "the half of the server has no user"))]
pub(crate) mod framed;
mod heard;
#[cfg_attr(not(feature = "endpoint"), allow(dead_code, reason = "the half of the server has no user"))]
pub(crate) mod http;
mod outbox;
pub mod pieces;
mod socket;
#[cfg_attr(not(feature = "endpoint"), allow(dead_code, reason = "the half of the server has no user"))]
mod tally;
mod tls;
mod transport;

pub use dial::{DialOptions, Dialer, Opened};
pub use error::LinkError;
pub use socket::{Socket, SocketHandle};
pub use tls::BadCa;

pub(crate) use heard::Heard;
pub(crate) use transport::Transport;

/// Longest head of an HTTP answer, in bytes.
pub const HEAD_LIMIT: usize = 64 * 1024;

/// Longest body of an HTTP answer, in bytes. A longer one is an error.
pub const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// How much of the body of a refused upgrade is kept, in bytes. The rest is not read.
pub const REFUSAL_LIMIT: usize = 64 * 1024;

/// Longest WebSocket message from the server, in bytes. A longer one ends the connection.
pub const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests;
