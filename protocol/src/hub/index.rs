//! Which connections may want to hear something, by the topics of their subscriptions.
//!
//! A publish looks at those few, not at ten thousand that listen elsewhere. It gives candidates, each once and in the
//! order of their ids: never too few, sometimes too many. The invariant: a connection stands under a topic as often as
//! it has subscriptions about it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{ConnectionId, Occurrence};
use crate::channel::Channel;
use crate::json::Json;
use crate::server::{Move, Topic};

/// Connections by topic; lists are sorted and never empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Index(BTreeMap<Topic, Vec<ConnectionId>>);

impl Index {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Follows what became of a subscription of this connection.
    pub(super) fn follow(&mut self, id: ConnectionId, moved: Move) {
        match moved {
            Move::Came { topic, life: _ } => {
                let listeners = self.0.entry(topic).or_default();
                if listeners.is_empty() {
                    // Most topics have one listener, and there may be ten thousand topics.
                    listeners.reserve_exact(1);
                }
                listeners.insert(listeners.partition_point(|other| *other <= id), id);
            }
            Move::Left(topic) => {
                let Some(listeners) = self.0.get_mut(&topic) else { return };
                if let Ok(place) = listeners.binary_search(&id) {
                    listeners.remove(place);
                }
                if listeners.is_empty() {
                    self.0.remove(&topic);
                }
            }
        }
    }

    /// Somebody with a subscription about this: the one that came last.
    pub(super) fn latest(&self, topic: &Topic) -> Option<ConnectionId> {
        self.0.get(topic)?.last().copied()
    }

    /// Who may hear an event on this channel: those who named it, and those who named a prefix of it.
    ///
    /// The channel as its own prefix is among them, for servers that read EVT-CHANNEL-012 otherwise.
    pub(super) fn on_channel(&self, channel: &Channel) -> Vec<ConnectionId> {
        let whole = channel.as_str();
        let ends = whole.match_indices('/').map(|(end, _)| end).skip(1).chain([whole.len()]);
        self.under(ends.map(|end| Topic::below(&whole[..end])).chain([Topic::at(channel)]))
    }

    /// Who may hear a mutation's result.
    pub(super) fn of_occurrence(&self, occurrence: &Occurrence) -> Vec<ConnectionId> {
        let Occurrence { field, object } = occurrence;
        let members = object.as_object().into_iter().flatten();
        let narrowed = members.filter_map(|(name, value): (_, &Json)| Topic::argument(field, name, value));
        self.under(narrowed.chain([Topic::field(field)]))
    }

    fn under(&self, topics: impl Iterator<Item = Topic>) -> Vec<ConnectionId> {
        let mut listeners = Vec::new();
        for found in topics.filter_map(|topic| self.0.get(&topic)) {
            listeners.extend_from_slice(found);
        }
        listeners.sort_unstable();
        listeners.dedup();
        listeners
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Topic {
        Topic::at(&Channel::parse(text).unwrap())
    }

    fn came(topic: Topic) -> Move {
        Move::Came { topic, life: 1 }
    }

    #[test]
    fn a_connection_is_found_once_and_until_its_last_subscription_has_left() {
        let (mut index, channel) = (Index::new(), Channel::parse("/a/b").unwrap());
        let mut found = Vec::new();

        for moved in [
            came(at("/a/b")),
            came(Topic::below("/a")),
            came(at("/a/b")),
            Move::Left(at("/a/b")),
            Move::Left(Topic::below("/a")),
            Move::Left(at("/a/b")),
        ] {
            index.follow(ConnectionId(1), moved);
            found.push(index.on_channel(&channel).len());
        }

        assert_eq!(found, [1, 1, 1, 1, 1, 0]);
        assert_eq!((index.len(), index.0.len()), (0, 0));
    }

    #[test]
    fn listeners_of_several_topics_come_in_the_order_of_their_ids() {
        let mut index = Index::new();
        for (id, topic) in [(3, at("/a/b")), (1, Topic::below("/a")), (2, at("/a/b")), (4, at("/a/c"))] {
            index.follow(ConnectionId(id), came(topic));
        }

        let found = index.on_channel(&Channel::parse("/a/b").unwrap());

        assert_eq!(found, [1, 2, 3].map(ConnectionId));
    }
}
