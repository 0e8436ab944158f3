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

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Connections by topic; lists are sorted and never empty.
    topics: BTreeMap<Topic, Vec<ConnectionId>>,
    /// Topics that an argument narrows.
    narrowed: usize,
}

impl Index {
    pub(super) const fn new() -> Self {
        Self { topics: BTreeMap::new(), narrowed: 0 }
    }

    /// Follows what became of a subscription of this connection.
    pub(super) fn follow(&mut self, id: ConnectionId, moved: Move) {
        match moved {
            Move::Came { topic, life: _ } => {
                let is_narrowed = topic.is_narrowed();
                let listeners = self.topics.entry(topic).or_default();
                if listeners.is_empty() {
                    // Most topics have one listener, and there may be ten thousand topics.
                    listeners.reserve_exact(1);
                    self.narrowed += usize::from(is_narrowed);
                }
                listeners.insert(listeners.partition_point(|other| *other <= id), id);
            }
            Move::Left(topic) => {
                let Some(listeners) = self.topics.get_mut(&topic) else { return };
                if let Ok(place) = listeners.binary_search(&id) {
                    listeners.remove(place);
                }
                if listeners.is_empty() {
                    self.topics.remove(&topic);
                    self.narrowed -= usize::from(topic.is_narrowed());
                }
            }
        }
    }

    /// Somebody with a subscription about this: the one that came last.
    pub(super) fn latest(&self, topic: &Topic) -> Option<ConnectionId> {
        self.topics.get(topic)?.last().copied()
    }

    /// Who may hear an event on this channel: those who named it, and those who named a prefix of it.
    ///
    /// The channel as its own prefix is among them, for servers that read EVT-CHANNEL-012 otherwise.
    pub(super) fn on_channel(&self, channel: &Channel) -> Vec<ConnectionId> {
        let whole = channel.as_str();
        let ends = whole.match_indices('/').map(|(end, _)| end).skip(1).chain([whole.len()]);
        let topics: Vec<_> = ends.map(|end| Topic::below(&whole[..end])).chain([Topic::at(channel)]).collect();
        self.under(&topics)
    }

    /// What a mutation's result is about, as far as somebody listens.
    pub(super) fn topics_of(&self, occurrence: &Occurrence) -> Vec<Topic> {
        let Occurrence { field, object } = occurrence;
        let members = object.as_object().filter(|_| self.narrowed > 0).into_iter().flatten();
        let narrowed = members.filter_map(|(name, value): (_, &Json)| Topic::argument(field, name, value));
        narrowed.chain([Topic::field(field)]).filter(|topic| self.topics.contains_key(topic)).collect()
    }

    /// Who has a subscription about one of these.
    pub(super) fn under(&self, topics: &[Topic]) -> Vec<ConnectionId> {
        let mut listeners = Vec::new();
        for found in topics.iter().filter_map(|topic| self.topics.get(topic)) {
            listeners.extend_from_slice(found);
        }
        listeners.sort_unstable();
        listeners.dedup();
        listeners
    }

    /// Subscriptions about one of these.
    pub(super) fn subscriptions(&self, topics: &[Topic]) -> usize {
        topics.iter().filter_map(|topic| self.topics.get(topic)).map(Vec::len).sum()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.topics.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::json::json_text;

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
        assert_eq!((index.len(), index.topics.len()), (0, 0));
    }

    #[test]
    fn a_result_is_about_what_somebody_listens_to_and_no_more() {
        let (narrowed, plain) = (Topic::argument("onNote", "board", &json_text("b1")).unwrap(), Topic::field("onNote"));
        let occurrence = Occurrence {
            field: "onNote".into(),
            object: Json::Object(
                [("board", "b1"), ("text", "x")].map(|(k, v)| (k.into(), json_text(v))).into_iter().collect(),
            ),
        };
        let (mut index, id) = (Index::new(), ConnectionId(1));
        let mut found = Vec::new();

        for moved in [
            came(plain.clone()),
            came(narrowed.clone()),
            came(narrowed.clone()),
            Move::Left(narrowed.clone()),
            Move::Left(plain.clone()),
            Move::Left(narrowed.clone()),
        ] {
            index.follow(id, moved);
            found.push((index.topics_of(&occurrence), index.narrowed));
        }

        let both = vec![narrowed.clone(), plain.clone()];
        let expected =
            [(vec![plain], 0), (both.clone(), 1), (both.clone(), 1), (both, 1), (vec![narrowed], 1), (Vec::new(), 0)];
        assert_eq!(found, expected);
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
