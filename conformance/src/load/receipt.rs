//! What of a sequence arrived: as ranges, so that a million events in order cost as much as one.

use std::collections::BTreeMap;

/// The numbers that came: all below `next` but the gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    next: u64,
    /// First number and the one after the last, ascending.
    gaps: Vec<(u64, u64)>,
}

/// What a number that came was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// None that is higher came before it.
    InOrder,
    /// A higher one came before it.
    Reordered,
    /// It came before.
    Duplicate,
}

impl Receipt {
    /// Takes a number.
    pub fn note(&mut self, number: u64) -> Arrival {
        if number >= self.next {
            if number > self.next {
                self.gaps.push((self.next, number));
            }
            self.next = number.saturating_add(1);
            return Arrival::InOrder;
        }
        // Most often it is one of the last.
        let Some(at) = self.gaps.iter().rposition(|(first, _)| *first <= number) else { return Arrival::Duplicate };
        let (first, end) = self.gaps[at];
        if number >= end {
            return Arrival::Duplicate;
        }
        match (first == number, end == number + 1) {
            (true, true) => drop(self.gaps.remove(at)),
            (true, false) => self.gaps[at].0 = number + 1,
            (false, true) => self.gaps[at].1 = number,
            (false, false) => {
                self.gaps[at].1 = number;
                self.gaps.insert(at + 1, (number + 1, end));
            }
        }
        Arrival::Reordered
    }

    /// How many different numbers came.
    pub fn count(&self) -> u64 {
        self.next - self.gaps.iter().map(|(first, end)| end - first).sum::<u64>()
    }

    /// The ranges that came, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        let starts = std::iter::once(0).chain(self.gaps.iter().map(|(_, end)| *end));
        let ends = self.gaps.iter().map(|(first, _)| *first).chain(std::iter::once(self.next));
        starts.zip(ends).filter(|(first, end)| first < end)
    }
}

/// How often each number of a sequence came, counted over many receipts: the changes from one number to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<u64, i64>);

impl Coverage {
    /// Adds one receipt.
    pub fn add(&mut self, receipt: &Receipt) {
        for (first, end) in receipt.ranges() {
            self.change(first, 1);
            self.change(end, -1);
        }
    }

    /// Adds what others counted.
    pub fn merge(&mut self, other: &Self) {
        for (number, change) in &other.0 {
            self.change(*number, *change);
        }
    }

    /// `(first, end, count)`, ascending and without zeros.
    pub fn ranges(&self) -> Vec<(u64, u64, u64)> {
        let mut ranges = Vec::new();
        let (mut since, mut count) = (0, 0_i64);
        for (number, change) in &self.0 {
            if count > 0 {
                ranges.push((since, *number, count.unsigned_abs()));
            }
            since = *number;
            count += change;
        }
        ranges
    }

    /// The same from its ranges.
    pub fn from_ranges(ranges: &[(u64, u64, u64)]) -> Self {
        let mut coverage = Self::default();
        for (first, end, count) in ranges {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            coverage.change(*first, count);
            coverage.change(*end, -count);
        }
        coverage
    }

    /// How many deliveries are missing: each number that was accepted is owed to each of `subscribers`.
    pub fn lost(&self, accepted: &Self, subscribers: u64) -> u64 {
        let came = self.ranges();
        let mut lost = 0;
        for (first, end, _) in accepted.ranges() {
            lost += (end - first) * subscribers;
            for (low, high, count) in &came {
                let both = (*high).min(end).saturating_sub((*low).max(first));
                lost -= both * (*count).min(subscribers);
            }
        }
        lost
    }

    fn change(&mut self, number: u64, by: i64) {
        let entry = self.0.entry(number).or_default();
        *entry += by;
        if *entry == 0 {
            self.0.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_receipt_says_what_a_set_would_say(numbers in proptest::collection::vec(0_u64..40, 0..80)) {
            let (mut receipt, mut set) = (Receipt::default(), BTreeSet::new());
            for number in numbers {
                let highest = set.last().copied();
                let expected = match set.insert(number) {
                    false => Arrival::Duplicate,
                    true if highest.is_some_and(|highest| highest > number) => Arrival::Reordered,
                    true => Arrival::InOrder,
                };
                prop_assert_eq!(receipt.note(number), expected);
            }
            prop_assert_eq!(receipt.count(), set.len() as u64);
            let all: Vec<u64> = receipt.ranges().flat_map(|(first, end)| first..end).collect();
            prop_assert_eq!(all, set.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn what_is_lost_is_counted_as_by_hand(
            receipts in proptest::collection::vec(proptest::collection::vec(0_u64..20, 0..25), 1..5),
            accepted in proptest::collection::vec(0_u64..20, 0..25),
        ) {
            let noted = |numbers: &Vec<u64>| {
                let mut receipt = Receipt::default();
                for number in numbers {
                    receipt.note(*number);
                }
                receipt
            };
            let (mut all, mut came) = (Coverage::default(), Coverage::default());
            all.add(&noted(&accepted));
            // In two parts, as two shards would.
            let (one, other) = receipts.split_at(receipts.len() / 2);
            for part in [one, other] {
                let mut coverage = Coverage::default();
                for receipt in part {
                    coverage.add(&noted(receipt));
                }
                came.merge(&Coverage::from_ranges(&coverage.ranges()));
            }
            let accepted: BTreeSet<_> = accepted.into_iter().collect();
            let by_hand: usize =
                receipts.iter().map(|receipt| accepted.iter().filter(|n| !receipt.contains(n)).count()).sum();

            prop_assert_eq!(came.lost(&all, receipts.len() as u64), by_hand as u64);
        }
    }
}
