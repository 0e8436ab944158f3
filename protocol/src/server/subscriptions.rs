//! The subscriptions of one connection, by id.
//!
//! Most connections have one, and a server may have ten thousand of them: a map of the standard library would hold
//! memory for eleven entries from the first one on. This holds a sorted list with little room to spare.

use alloc::string::String;
use alloc::vec::Vec;

/// What there is to know of each subscription, by the id that the client chose, in the order of ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriptions<T>(Vec<(String, T)>);

impl<T> Subscriptions<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn contains_key(&self, id: &str) -> bool {
        self.place(id).is_ok()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.0.iter().map(|(id, what)| (id, what))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|(_, what)| what)
    }

    /// Adds one, in the place of another of this id.
    pub(super) fn insert(&mut self, id: String, what: T) {
        match self.place(&id) {
            Ok(there) => self.0[there].1 = what,
            Err(place) => {
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(1 + self.0.len() / 2);
                }
                self.0.insert(place, (id, what));
            }
        }
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<T> {
        self.place(id).ok().map(|place| self.0.remove(place).1)
    }

    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.place(id).ok().map(|place| &self.0[place].1)
    }

    pub(super) fn clear(&mut self) {
        self.0 = Vec::new();
    }

    fn place(&self, id: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelPattern;
    use crate::server::Interest;

    #[test]
    fn it_behaves_as_a_sorted_map_does() {
        let mut subscriptions = Subscriptions::new();
        for id in ["b", "c", "a", "b"] {
            subscriptions.insert(id.into(), interest(id));
        }
        subscriptions.remove("c");
        subscriptions.remove("x");

        let ids: Vec<_> = subscriptions.iter().map(|(id, _)| id.as_str()).collect();

        assert_eq!((ids, subscriptions.len()), (alloc::vec!["a", "b"], 2));
        assert!(subscriptions.contains_key("b") && !subscriptions.contains_key("c"));
    }

    #[test]
    fn one_subscription_takes_the_room_of_one() {
        let mut subscriptions = Subscriptions::new();

        subscriptions.insert("a".into(), interest("a"));

        assert_eq!(subscriptions.0.capacity(), 1);
    }

    fn interest(segment: &str) -> Interest {
        Interest::Channel(ChannelPattern::parse(segment).unwrap())
    }
}
