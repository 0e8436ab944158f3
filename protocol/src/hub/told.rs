//! Events for many at once: what is the same for all is shared, not copied.
//!
//! A frame for one subscriber is its head, with the id that it chose, and a tail that everybody hears. A transport that
//! sends to thousands can put the two together when it sends, in memory that is warm by then. The hub makes these only
//! for whom nothing else waits, so they go before everything that [`super::Hub::poll`] gives. Who hears what is about a
//! subject is found out once, and stays known until a subscription comes or goes: the next event for the same thousands
//! costs the hub nothing for each of them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::ConnectionId;
use crate::dialect::Dialect;
use crate::server::readings::EventForm;
use crate::server::{Plan, Topic, data_tail};

/// Events for everybody in an audience, in order. The text of each message is the listener's head and then its tail.
#[derive(Clone, Debug)]
pub struct Told {
    /// Who hears it.
    pub to: Audience,
    /// What ends each message.
    pub tails: Tails,
}

/// Who hears the same, each connection once, in the order of their ids. It is the same one again as long as nobody comes
/// or goes.
pub type Audience = Arc<[Listener]>;

/// One subscription that hears it.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its connection, which has no other subscription that hears it.
    pub connection: ConnectionId,
    /// What begins each message: type and id.
    pub head: Arc<str>,
}

/// The ends of the messages of one publish.
pub type Tails = Arc<[Arc<str>]>;

/// The ends of messages with these bodies.
pub(super) fn tails<B: AsRef<str>>(dialect: Dialect, bodies: impl Iterator<Item = B>, form: EventForm) -> Tails {
    bodies.map(|body| Arc::from(data_tail(dialect, body.as_ref(), form))).collect()
}

/// Those who see the same of a mutation's result, whatever it is, and the plan of one of them.
pub(super) type Circle = (Arc<Plan>, Audience);

/// Who hears what is about a channel, or about what a mutation's result is about. The invariant: what is known here, a
/// look at every subscription would find too, so that everything is forgotten when one comes or goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Audiences {
    on_channel: BTreeMap<String, Audience>,
    about: BTreeMap<Vec<Topic>, Vec<Circle>>,
}

/// Channels, and topics, that are known; with one more all are forgotten.
const KNOWN_MAX: usize = 64;

impl Audiences {
    pub(super) const fn new() -> Self {
        Self { on_channel: BTreeMap::new(), about: BTreeMap::new() }
    }

    pub(super) fn forget(&mut self) {
        self.on_channel.clear();
        self.about.clear();
    }

    pub(super) fn on_channel(&self, channel: &str) -> Option<&Audience> {
        self.on_channel.get(channel)
    }

    pub(super) fn about(&self, topics: &[Topic]) -> Option<&[Circle]> {
        self.about.get(topics).map(Vec::as_slice)
    }

    pub(super) fn keep_on_channel(&mut self, channel: &str, audience: Audience) {
        keep(&mut self.on_channel, channel.into(), audience);
    }

    pub(super) fn keep_about(&mut self, topics: Vec<Topic>, circles: Vec<Circle>) {
        keep(&mut self.about, topics, circles);
    }
}

fn keep<S: Ord, T>(known: &mut BTreeMap<S, T>, subject: S, audience: T) {
    if known.len() >= KNOWN_MAX {
        known.clear();
    }
    known.insert(subject, audience);
}
