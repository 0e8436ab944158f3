//! How long events are: fixed, uniform, or one of a list, drawn by number so that a run can be repeated.

use std::fmt;

use super::mark::SHORTEST;

/// The distribution of lengths, in bytes of the event as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// Always this.
    Fixed(usize),
    /// Each length from the first to the second, equally often.
    Uniform(usize, usize),
    /// Each of these equally often; one that is listed twice comes twice as often.
    List(Vec<usize>),
}

/// Longest event. Source: GQL-LIMIT-005, EVT-LIMIT-002.
const LONGEST: usize = 240 * 1024;

impl Sizes {
    /// `150`, `1k`, `100-4k` or `150,1k,16k`.
    ///
    /// # Errors
    /// Tells what was expected and what was given.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((low, high)) = text.split_once('-') {
            let (low, high) = (size(low)?, size(high)?);
            return match low <= high {
                true => Ok(Self::Uniform(low, high)),
                false => Err(format!("expected LOW-HIGH with LOW at most HIGH; got {text:?}")),
            };
        }
        let mut all = text.split(',').map(size).collect::<Result<Vec<_>, _>>()?;
        Ok(if all.len() == 1 { Self::Fixed(all.remove(0)) } else { Self::List(all) })
    }

    /// The length of event `number` of a flow.
    pub fn draw(&self, seed: u64, flow: u64, number: u64) -> usize {
        let random = || scrambled(seed ^ scrambled(flow ^ scrambled(number)));
        match self {
            Self::Fixed(size) => *size,
            Self::Uniform(low, high) => low + usize::try_from(random() % (high - low + 1) as u64).unwrap_or(0),
            Self::List(all) => all[usize::try_from(random() % all.len() as u64).unwrap_or(0)],
        }
    }
}

/// SplitMix64: equal inputs give equal outputs, near ones give far ones.
pub(crate) const fn scrambled(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn size(text: &str) -> Result<usize, String> {
    let (digits, factor) = text.strip_suffix('k').map_or((text, 1), |digits| (digits, 1024));
    let size = digits.parse::<usize>().ok().and_then(|n| n.checked_mul(factor));
    size.filter(|size| (SHORTEST..=LONGEST).contains(size)).ok_or_else(|| {
        format!("expected bytes from {SHORTEST} (what an event carries) to 240k, such as 150, 1k, 100-4k or 150,1k; got {text:?}")
    })
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Uniform(low, high) => write!(f, "{low}-{high}"),
            Self::List(all) => f.write_str(&all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read_and_shown() {
        for (text, shown) in [("150", "150"), ("1k", "1024"), ("100-4k", "100-4096"), ("150,1k,150", "150,1024,150")] {
            assert_eq!(Sizes::parse(text).unwrap().to_string(), shown);
        }
        for wrong in ["", "10", "1m", "4k-1k", "150,", "500k", "-", "150-"] {
            assert!(Sizes::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn draws_stay_within_their_bounds_reach_both_and_repeat() {
        let uniform = Sizes::Uniform(100, 103);
        let drawn: Vec<_> = (0..400).map(|n| uniform.draw(1, 2, n)).collect();
        let list = Sizes::List(vec![100, 200]);

        assert_eq!(drawn, (0..400).map(|n| uniform.draw(1, 2, n)).collect::<Vec<_>>());
        assert!((100..=103).all(|size| drawn.iter().filter(|d| **d == size).count() > 50), "{drawn:?}");
        assert!(drawn.iter().all(|size| (100..=103).contains(size)));
        assert!((0..100).map(|n| list.draw(1, 2, n)).any(|size| size == 200));
    }
}
