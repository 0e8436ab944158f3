//! How long a client waits before it dials again: a jittered exponential, computed and not drawn.
//!
//! The ceiling doubles with each failure in a row, up to a cap. Of it the upper half is jitter: pauses still grow, and
//! clients that lost the same server do not come back in step. The random number is an argument.

use core::time::Duration;

/// When to dial again after a failure.
///
/// Source: GQL-ERR-016, EVT-CLOSE-005, which ask for a jittered exponential and give no figures. The defaults are
/// those of the vendor's Swift client that GQL-ERR-016 quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffPolicy {
    /// Longest pause after the first failure. 25 ms.
    pub base: Duration,
    /// Longest pause of all, and how long a connection has to last for the pauses to start over. 6,400 ms.
    pub cap: Duration,
    /// Failures in a row after which nobody dials again; `Some(0)` never dials twice, `None` never stops. 8.
    pub attempts_max: Option<u32>,
}

impl Default for BackoffPolicy {
    fn default() -> Self {
        Self { base: Duration::from_millis(25), cap: Duration::from_millis(6_400), attempts_max: Some(8) }
    }
}

impl BackoffPolicy {
    /// The pause before the next attempt; `None` if there is to be none.
    ///
    /// `failures` counts those in a row before this one. The pause lies between half the ceiling and the ceiling.
    pub fn pause(&self, failures: u32, random: u64) -> Option<Duration> {
        match self.attempts_max {
            Some(max) if failures >= max => None,
            Some(_) | None => Some(backoff(self.base, self.cap, failures, random)),
        }
    }
}

/// A pause between half of `min(cap, base * 2^failures)` and the whole of it; `random` says where.
pub fn backoff(base: Duration, cap: Duration, failures: u32, random: u64) -> Duration {
    let factor = 1u32.checked_shl(failures).unwrap_or(u32::MAX);
    let ceiling = u64::try_from(base.saturating_mul(factor).min(cap).as_micros()).unwrap_or(u64::MAX);
    let certain = ceiling / 2;
    let jitter = match (ceiling - certain).checked_add(1) {
        Some(width) => random % width,
        None => random,
    };
    Duration::from_micros(certain + jitter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap() {
        let policy = BackoffPolicy::default();
        let longest = |failures| {
            (0..64)
                .filter_map(|n| policy.pause(failures, n * 104_729))
                .max()
                .map(|pause| pause.as_millis().div_ceil(10))
        };

        assert_eq!([longest(0), longest(1), longest(2)], [Some(3), Some(5), Some(10)]);
        assert_eq!(backoff(policy.base, policy.cap, 40, 0), policy.cap / 2);
    }

    #[test]
    fn attempts_end_where_the_policy_says_so() {
        let policy = BackoffPolicy { attempts_max: Some(2), ..BackoffPolicy::default() };

        assert!(policy.pause(1, 7).is_some());
        assert_eq!(policy.pause(2, 7), None);
        assert_eq!(BackoffPolicy { attempts_max: Some(0), ..policy }.pause(0, 7), None);
        assert!(BackoffPolicy { attempts_max: None, ..policy }.pause(u32::MAX, 7).is_some());
    }

    proptest! {
        #[test]
        fn a_pause_is_never_longer_than_the_cap_nor_shorter_than_half_its_ceiling(
            base in 0u64..10_000_000, cap: u64, failures: u32, random: u64,
        ) {
            let (base, cap) = (Duration::from_micros(base), Duration::from_micros(cap));
            let pause = backoff(base, cap, failures, random);

            prop_assert!(pause <= cap);
            prop_assert!(pause >= base.min(cap) / 2 || base.is_zero());
        }
    }
}
