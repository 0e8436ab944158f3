//! Sans-IO model of AWS AppSync's two real-time WebSocket protocols: GraphQL subscriptions and Events.
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "arbitrary"))]
extern crate std;

pub mod channel;
pub mod client;
pub mod conversation;
pub mod delivery;
pub mod dialect;
pub mod encode;
pub mod envelope;
mod escape;
pub mod filter;
pub mod finding;
pub mod handshake;
pub mod hub;
pub mod json;
pub mod message;
pub mod moment;
pub mod monitor;
mod raw;
pub mod requirement;
pub mod selection;
pub mod server;
pub mod transcript;
pub mod wire;
