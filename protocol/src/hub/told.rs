//! Events for many at once: what is the same for all is shared, not copied.
//!
//! A frame for one subscriber is its head, with the id that it chose, and a tail that everybody hears. A transport that
//! sends to thousands can put the two together when it sends, in memory that is warm by then. The hub makes these only
//! for whom nothing else waits, so they go before everything that [`super::Hub::poll`] gives.

use alloc::sync::Arc;

use super::ConnectionId;
use crate::dialect::Dialect;
use crate::server::data_tail;
use crate::server::readings::EventForm;

/// Events for one subscription, in order. The text of each message is the head and then its tail.
#[derive(Clone, Debug)]
pub struct Told {
    /// Who hears it.
    pub to: ConnectionId,
    /// What begins each message: type and id.
    pub head: Arc<str>,
    /// What ends each message.
    pub tails: Tails,
}

/// The ends of the messages of one publish.
pub type Tails = Arc<[Arc<str>]>;

/// The ends of messages with these bodies.
pub(super) fn tails<'b>(dialect: Dialect, bodies: impl Iterator<Item = &'b Arc<str>>, form: EventForm) -> Tails {
    bodies.map(|body| Arc::from(data_tail(dialect, body, form))).collect()
}
