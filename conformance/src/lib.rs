//! Conformance scenarios for AWS AppSync's real-time protocols, the player that runs them, and the
//! reference endpoint they are tried on.

pub mod auth;
pub mod catalogue;
pub mod fault;
pub mod link;
pub mod player;
pub mod reference;
pub mod report;
pub mod run;
pub mod scenario;
pub mod session;
pub mod sim;
pub mod target;
pub mod verdict;
