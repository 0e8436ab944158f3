//! Conformance scenarios for AWS AppSync's real-time protocols, the player that runs them, and the
//! reference endpoint they are tried on.
//!
//! Without the feature `endpoint` there is no reference endpoint, no virtual time, and no GraphQL compiler to build.

pub mod auth;
pub mod catalogue;
pub mod config;
#[cfg(feature = "endpoint")]
mod embedded;
pub mod fault;
#[cfg(feature = "endpoint")]
pub mod fuzzing;
pub mod link;
pub mod load;
pub mod player;
pub mod profile;
pub mod recording;
#[cfg(feature = "endpoint")]
pub mod reference;
pub mod report;
pub mod run;
pub mod scenario;
#[cfg(feature = "endpoint")]
pub mod selftest;
pub mod session;
pub mod settings;
#[cfg(feature = "endpoint")]
pub mod sim;
pub mod survey;
pub mod target;
pub mod verdict;
