//! How much later than at once a server does things.
//!
//! Delays are drawn from a seed and the time, and from nothing else: the same course gives the same delays, so that a
//! failure can be played again.

use core::time::Duration;

use crate::moment::Moment;

/// How much later than at once things happen, and from which seed that is drawn.
///
/// Source: EVT-SUB-013, EVT-SUB-019, EVT-DATA-007, EVT-A-29, GQL-A-24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eventual {
    /// Where the draws begin.
    pub seed: u64,
    /// Longest time from an acknowledgement of a subscription to the first event that has to arrive.
    pub settling_max: Duration,
    /// Longest time that an answer or an event of Events is held back.
    pub late_max: Duration,
}

/// One thing that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Draw {
    Answer,
    Settling,
    MissedOrLate,
    Delivery,
}

impl Eventual {
    /// A number for one thing at one time; `salt` tells apart what happens at the same time.
    pub(crate) const fn draw(&self, what: Draw, at: Moment, salt: u64) -> u64 {
        let mut state = self.seed ^ at.as_micros().rotate_left(17) ^ salt.rotate_left(43) ^ (what as u64 + 1) << 59;
        state |= 1;
        let mut round = 0;
        while round < 4 {
            // xorshift64*
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            state = state.wrapping_mul(0x2545_f491_4f6c_dd1d);
            round += 1;
        }
        state >> 16
    }

    /// A time from zero to `most`, both possible; in whole milliseconds.
    pub(crate) fn time(&self, most: Duration, what: Draw, at: Moment, salt: u64) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.draw(what, at, salt) % most.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    const EVENTUAL: Eventual =
        Eventual { seed: 1, settling_max: Duration::from_secs(5), late_max: Duration::from_millis(50) };

    #[test]
    fn a_draw_depends_on_the_seed_the_thing_the_time_and_the_salt() {
        let other = Eventual { seed: 2, ..EVENTUAL };
        let at = Moment::from_millis(7);
        let draws = BTreeSet::from([
            EVENTUAL.draw(Draw::Answer, at, 1),
            other.draw(Draw::Answer, at, 1),
            EVENTUAL.draw(Draw::Delivery, at, 1),
            EVENTUAL.draw(Draw::Answer, Moment::START, 1),
            EVENTUAL.draw(Draw::Answer, at, 2),
        ]);

        assert_eq!(draws.len(), 5);
        assert!(draws.contains(&EVENTUAL.draw(Draw::Answer, at, 1)));
    }

    #[test]
    fn drawn_times_fill_their_range_and_stay_in_it() {
        let times: BTreeSet<_> = (0..2000)
            .map(|salt| EVENTUAL.time(Duration::from_millis(9), Draw::Delivery, Moment::START, salt).as_millis())
            .collect();

        assert_eq!(times, (0..=9).collect());
    }

    #[test]
    fn no_time_at_all_can_be_drawn() {
        assert_eq!(EVENTUAL.time(Duration::ZERO, Draw::Settling, Moment::START, 5), Duration::ZERO);
    }
}
