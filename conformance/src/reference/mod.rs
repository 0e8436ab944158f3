//! The reference endpoint: both dialects and their HTTP endpoints, as plain data in and out.
//!
//! What it does not model, and why a user of the suite cannot notice: there is no cloud control plane
//! (one API exists, with the keys of the configuration), nothing is stored beyond what a subscription
//! can hear of it, and only API keys are known. Time comes in with each call, so
//! the same endpoint runs in virtual time and behind a socket.

mod door;
pub mod edits;
pub mod endpoint;
pub mod events;
pub mod graphql;
mod http;
mod http_graphql;
pub mod journal;
pub mod page;
pub mod profile;
pub mod settings;
pub mod shell;
mod trial;

pub use appsync_protocol::hub::ConnectionId;
pub use endpoint::{Answer, Config, Endpoint};
pub use profile::Profile;
pub use trial::kept_by;
