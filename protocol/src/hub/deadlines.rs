//! When each connection wants to be woken, in order of time.
//!
//! Ten thousand connections that only wait for their next keep-alive cost nothing while others speak: the first
//! deadline is at hand, and one that moves costs a search. The invariant: the two maps say the same.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::ConnectionId;
use crate::moment::{Deadline, Moment};

/// The deadlines of all connections that have one.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    in_order: BTreeSet<(Deadline, ConnectionId)>,
    of: BTreeMap<ConnectionId, Deadline>,
}

impl Deadlines {
    pub(super) const fn new() -> Self {
        Self { in_order: BTreeSet::new(), of: BTreeMap::new() }
    }

    /// Notes when a connection wants to be woken; `None` if it does not, or is no more.
    pub(super) fn note(&mut self, id: ConnectionId, deadline: Option<Deadline>) {
        let before = self.of.get(&id).copied();
        if before == deadline {
            return;
        }
        if let Some(before) = before {
            self.in_order.remove(&(before, id));
        }
        match deadline {
            Some(deadline) => {
                self.of.insert(id, deadline);
                self.in_order.insert((deadline, id));
            }
            None => drop(self.of.remove(&id)),
        }
    }

    pub(super) fn first(&self) -> Option<Deadline> {
        self.in_order.first().map(|(deadline, _)| *deadline)
    }

    /// The connections whose deadline is at or before `at`, in the order of their ids.
    pub(super) fn due(&self, at: Moment) -> Vec<ConnectionId> {
        let mut due: Vec<_> =
            self.in_order.iter().take_while(|(deadline, _)| deadline.at <= at).map(|(_, id)| *id).collect();
        due.sort_unstable();
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Timer;

    #[test]
    fn the_first_deadline_is_known_however_they_move() {
        let (one, two) = (ConnectionId(1), ConnectionId(2));
        let at = |millis| Some(Deadline { at: Moment::from_millis(millis), why: Timer::KeepAlive });
        let mut deadlines = Deadlines::new();
        let mut firsts = Vec::new();

        for (id, deadline) in [(one, at(10)), (two, at(5)), (two, at(20)), (one, None), (two, None)] {
            deadlines.note(id, deadline);
            firsts.push(deadlines.first());
        }

        assert_eq!(firsts, [at(10), at(5), at(10), at(20), None]);
    }

    #[test]
    fn those_that_are_due_come_in_the_order_of_their_ids() {
        let mut deadlines = Deadlines::new();
        for (id, millis) in [(3, 1), (1, 2), (2, 3), (4, 4)] {
            let deadline = Deadline { at: Moment::from_millis(millis), why: Timer::Lifetime };
            deadlines.note(ConnectionId(id), Some(deadline));
        }

        assert_eq!(deadlines.due(Moment::from_millis(3)), [1, 2, 3].map(ConnectionId));
    }
}
