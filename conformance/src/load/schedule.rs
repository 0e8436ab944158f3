//! When the n-th operation is due: a function of the plan alone.
//!
//! The rate rises in a straight line from 0 during the ramp, and stays. The operations of several publishers interleave:
//! operation `k` of publisher `p` of `n` is operation `k * n + p` of the whole. All times are nanoseconds from the
//! start.

use super::plan::Plan;

/// The intended moments of one publisher, or of all.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    rate: f64,
    ramp_s: f64,
    first: u64,
    step: u64,
    end_ns: u64,
}

impl Schedule {
    /// That of publisher `first` of `step`.
    pub fn of(plan: &Plan, first: u64, step: u64) -> Self {
        Self {
            rate: plan.rate,
            ramp_s: plan.ramp.as_secs_f64(),
            first,
            step: step.max(1),
            end_ns: u64::try_from(plan.duration.as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// When operation `k` is due; `None` if that is not within the duration.
    pub fn intended(&self, k: u64) -> Option<u64> {
        let number = (k.checked_mul(self.step)?.checked_add(self.first)?) as f64;
        let in_ramp = self.rate * self.ramp_s / 2.0;
        let seconds = if number < in_ramp {
            (2.0 * number * self.ramp_s / self.rate).sqrt()
        } else {
            self.ramp_s + (number - in_ramp) / self.rate
        };
        let at = (seconds * 1e9).round() as u64;
        (at < self.end_ns).then_some(at)
    }

    /// How many operations are due before `at`.
    pub fn due(&self, at: u64) -> u64 {
        let (mut low, mut high) = (0, 1 << 50);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.intended(middle).is_some_and(|intended| intended < at) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::plan::Mode;
    use super::super::plan::tests::plan;
    use super::*;

    #[test]
    fn without_a_ramp_operations_are_evenly_apart_and_end_with_the_duration() {
        let schedule = Schedule::of(&plan(Mode::Fanout), 0, 1);

        assert_eq!(schedule.intended(0), Some(0));
        assert_eq!(schedule.intended(99), Some(990_000_000));
        assert_eq!(schedule.intended(100), None);
        assert_eq!(schedule.due(u64::MAX), 100);
    }

    #[test]
    fn publishers_take_turns_and_together_do_what_one_would() {
        let plan = plan(Mode::Fanout);
        let one = Schedule::of(&plan, 0, 1);
        let three: Vec<_> = (0..3).map(|p| Schedule::of(&plan, p, 3)).collect();

        let mut all: Vec<_> = three.iter().flat_map(|s| (0..40).filter_map(|k| s.intended(k))).collect();
        all.sort_unstable();

        assert_eq!(all, (0..100).filter_map(|k| one.intended(k)).collect::<Vec<_>>());
    }

    #[test]
    fn in_a_ramp_half_as_many_operations_are_due_and_the_rate_is_reached_without_a_jump() {
        let mut plan = plan(Mode::Fanout);
        plan.duration = Duration::from_secs(4);
        plan.ramp = Duration::from_secs(2);
        let schedule = Schedule::of(&plan, 0, 1);

        assert_eq!(schedule.due(2_000_000_000), 100);
        assert_eq!(schedule.due(u64::MAX), 300);
        let gaps: Vec<_> =
            (0..299).map(|k| schedule.intended(k + 1).unwrap() - schedule.intended(k).unwrap()).collect();
        assert!(gaps.windows(2).all(|pair| pair[1] <= pair[0] + 2), "the gaps get shorter");
        assert!((9_999_998..=10_000_002).contains(&gaps[298]), "{}", gaps[298]);
    }
}
