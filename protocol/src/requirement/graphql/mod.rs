//! Requirements and ambiguities of the GraphQL dialect, one file an area.

#[macro_use]
mod handshake;
#[macro_use]
mod auth;
#[macro_use]
mod init;
#[macro_use]
mod ka;
#[macro_use]
mod sub;
#[macro_use]
mod err;
#[macro_use]
mod limit;
#[macro_use]
mod filter;
#[macro_use]
mod close;
#[macro_use]
mod frame;
#[macro_use]
mod http;
mod ambiguities;
mod sources;

pub(super) use ambiguities::AMBIGUITIES;
pub(super) use sources::SOURCES;
