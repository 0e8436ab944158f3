//! A stateful fuzzer: dialogues that nobody wrote, judged by the same referees as the scenarios.
//!
//! ```text
//!   Dice --> Generator --Op--> Driver --frames--> virtual world | sockets --> a server
//!               ^                 |  ^--frames------------------------------------+
//!               |                 +--> Referee: conversation, delivery model
//!            Coverage <--cells----+--> claims: the answers that are due, by the register
//!                                 +--> content: what events have to hold
//!                                        |
//!                                        v
//!                    Found --> confirmed k of n --> shrunk --> bucket --> a file that replays alone
//! ```
//!
//! An operation means something in every state, so any list of operations is a dialogue and shrinks by deletion. What
//! counts is what the register lets fail or warn. An ambiguity, a fact or a trouble on the way is never a finding.

mod ask;
pub mod campaign;
mod carry;
pub mod cells;
pub mod compare;
mod content;
mod courses;
pub mod declared;
mod doors;
pub mod driver;
mod events;
pub mod file;
pub mod generate;
mod graphql;
mod handlers;
mod hear;
mod notes;
pub mod op;
mod proof;
mod resolvers;
pub mod shrink;
mod sieve;
pub mod situations;
pub mod table;
pub mod world;

pub use driver::{Driver, Found, Played, Setting};
pub use op::Op;
