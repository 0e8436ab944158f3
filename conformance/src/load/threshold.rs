//! What decides the exit code: `p99>50ms`, `lost>0`, `publish_rate<1000/s`.
//!
//! ```text
//!   threshold = figure operator value
//!   figure    = time "." stat | stat | count | rate | "cpu"      a bare stat is one of response times
//!   operator  = ">" | ">=" | "<" | "<=" | "==" | "!="
//!   value     = number [unit]      us, ms, s for times; /s for rates; % for cpu; none for counts
//! ```
//!
//! A threshold names what must *not* be: the run fails if it holds. One on times of which there are none is open.

use std::fmt;

use super::measure::{Counts, Metric, Stat};
use super::record::Record;

/// One condition under which a run fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As it was written.
    pub text: String,
    figure: Figure,
    operator: Operator,
    /// In nanoseconds, counts, operations a second or percent.
    value: f64,
}

/// A number that a run gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Of a distribution of times.
    Time(Metric, Stat),
    /// Of the counts, by name.
    Count(&'static str),
    /// Something a second.
    Rate(Rate),
    /// Processor time of the busiest thread of the generator, in percent of a core.
    Cpu,
}

/// What is counted a second of the measured time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Accepted publishes.
    Publish,
    /// Deliveries.
    Delivery,
    /// Operations of the mode that were completed.
    Operation,
}

impl Rate {
    /// All, with their names and what they mean.
    pub const NAMED: [(&'static str, Self, &'static str); 3] = [
        ("publish_rate", Self::Publish, "accepted publishes a second"),
        ("delivery_rate", Self::Delivery, "deliveries a second"),
        ("operation_rate", Self::Operation, "completed operations of the mode a second"),
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
    Unequal,
}

/// The longest first, so that none is the beginning of another.
const OPERATORS: [(&str, Operator); 6] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    (">", Operator::Above),
    ("<", Operator::Below),
];

/// Where a threshold cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThresholdError {
    text: String,
    /// In characters, from 1.
    at: usize,
    expected: String,
}

impl fmt::Display for ThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let got: String = self.text.chars().skip(self.at - 1).take(24).collect();
        let got = if got.is_empty() { "the end".into() } else { format!("{got:?}") };
        write!(f, "{:?}, character {}: expected {}; got {got}", self.text, self.at, self.expected)
    }
}

impl std::error::Error for ThresholdError {}

/// What became of a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Judged {
    /// The condition does not hold, as it should.
    Kept(f64),
    /// The condition holds.
    Broken(f64),
    /// Nothing was measured that it speaks of.
    Unmeasured,
    /// The condition holds, but the generator was the limit, so it says nothing about the target.
    Void(f64),
}

impl Threshold {
    /// Reads one.
    ///
    /// # Errors
    /// With the place and what was expected there.
    pub fn parse(text: &str) -> Result<Self, ThresholdError> {
        let wrong = |rest: &str, expected: String| ThresholdError {
            text: text.into(),
            at: text[..text.len() - rest.len()].chars().count() + 1,
            expected,
        };
        let start = text.trim_start();
        let end = start.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(start.len());
        let (name, rest) = start.split_at(end);
        let figure = Figure::parse(name).ok_or_else(|| wrong(start, names()))?;
        let rest = rest.trim_start();
        let (word, operator) = *OPERATORS
            .iter()
            .find(|(word, _)| rest.starts_with(word))
            .ok_or_else(|| wrong(rest, "one of > >= < <= == !=".into()))?;
        let rest = rest[word.len()..].trim_start();
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        let value: f64 = number.parse().map_err(|_| wrong(rest, "a number".into()))?;
        let (factor, units) = figure.unit(unit.trim());
        let value = value * factor.ok_or_else(|| wrong(unit.trim_start(), format!("{units} after the number")))?;
        Ok(Self { text: text.into(), figure, operator, value })
    }

    /// Compares it with a run. `void` if the generator was the limit.
    pub fn judge(&self, record: &Record, void: bool) -> Judged {
        let Some(got) = self.figure.of(record) else { return Judged::Unmeasured };
        let holds = match self.operator {
            Operator::Above => got > self.value,
            Operator::AtLeast => got >= self.value,
            Operator::Below => got < self.value,
            Operator::AtMost => got <= self.value,
            Operator::Equal => (got - self.value).abs() < f64::EPSILON,
            Operator::Unequal => (got - self.value).abs() >= f64::EPSILON,
        };
        match (holds, void && self.figure.depends_on_generator()) {
            (false, _) => Judged::Kept(got),
            (true, true) => Judged::Void(got),
            (true, false) => Judged::Broken(got),
        }
    }

    /// A value of its figure, for people.
    pub fn shown(&self, value: f64) -> String {
        match self.figure {
            Figure::Time(_, _) => super::report::time(value),
            Figure::Count(_) => super::report::whole(value as u64),
            Figure::Rate(_) => format!("{}/s", super::report::whole(value as u64)),
            Figure::Cpu => format!("{value:.0} %"),
        }
    }
}

impl Figure {
    fn parse(name: &str) -> Option<Self> {
        let stat = |name: &str| Stat::NAMED.iter().find(|(word, _)| *word == name).map(|(_, stat)| *stat);
        if let Some(stat) = stat(name) {
            return Some(Self::Time(Metric::Response, stat));
        }
        if let Some((metric, rest)) = name.split_once('.') {
            let metric = Metric::ALL.into_iter().find(|known| known.word() == metric)?;
            return stat(rest).map(|stat| Self::Time(metric, stat));
        }
        if name == "cpu" {
            return Some(Self::Cpu);
        }
        let rate = Rate::NAMED.iter().find(|(word, _, _)| *word == name).map(|(_, rate, _)| Self::Rate(*rate));
        rate.or_else(|| Counts::NAMED.iter().find(|(word, _)| *word == name).map(|(word, _)| Self::Count(word)))
    }

    /// What a unit stands for, and which there are.
    fn unit(self, unit: &str) -> (Option<f64>, &'static str) {
        let factor = |known: &[(&str, f64)]| known.iter().find(|(word, _)| *word == unit).map(|(_, factor)| *factor);
        match self {
            Self::Time(_, _) => (factor(&[("us", 1e3), ("ms", 1e6), ("s", 1e9)]), "us, ms or s"),
            Self::Count(_) => (factor(&[("", 1.0)]), "nothing"),
            Self::Rate(_) => (factor(&[("", 1.0), ("/s", 1.0)]), "nothing or /s"),
            Self::Cpu => (factor(&[("", 1.0), ("%", 1.0)]), "nothing or %"),
        }
    }

    /// The value in a run.
    pub fn of(self, record: &Record) -> Option<f64> {
        let seconds = record.facts.measured_ns as f64 / 1e9;
        match self {
            Self::Time(metric, stat) => record.measured.times(metric).stat(stat),
            Self::Count(name) => record.measured.counts.get(name).map(|count| count as f64),
            Self::Rate(_) if seconds <= 0.0 => None,
            Self::Rate(Rate::Publish) => Some(record.measured.counts.published as f64 / seconds),
            Self::Rate(Rate::Delivery) => Some(record.measured.counts.deliveries as f64 / seconds),
            Self::Rate(Rate::Operation) => Some(record.measured.times(Metric::Service).count() as f64 / seconds),
            Self::Cpu => record.facts.threads.iter().map(|thread| thread.cpu_percent).reduce(f64::max),
        }
    }

    /// Whether a generator that cannot keep up changes it, rather than the target.
    const fn depends_on_generator(self) -> bool {
        match self {
            Self::Time(_, _) | Self::Rate(_) => true,
            Self::Count(name) => matches!(name.as_bytes(), b"late" | b"unanswered"),
            Self::Cpu => false,
        }
    }
}

/// All figures, for the help and for errors.
pub fn names() -> String {
    let list = |words: Vec<&str>| words.join(", ");
    format!(
        "a stat ({}), a stat of a time ({}, as in ack.p99), a count ({}), a rate ({}) or cpu",
        list(Stat::NAMED.iter().map(|(word, _)| *word).collect()),
        list(Metric::ALL.iter().map(|metric| metric.word()).collect()),
        list(Counts::NAMED.iter().map(|(word, _)| *word).collect()),
        list(Rate::NAMED.iter().map(|(word, _, _)| *word).collect()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    #[test]
    fn thresholds_are_judged_by_figure_operator_and_unit() {
        let mut record = record(0, 1);
        record.measured.counts.lost = 2;
        record.measured.counts.published = 100;
        for ms in 1..=100 {
            record.measured.note(Metric::Response, ms * 1_000_000);
        }
        let broken = |text| match Threshold::parse(text).unwrap().judge(&record, false) {
            Judged::Broken(_) => true,
            Judged::Kept(_) => false,
            other @ (Judged::Unmeasured | Judged::Void(_)) => panic!("{text}: {other:?}"),
        };

        for held in
            ["p50>49ms", "p99 >= 98ms", "response.max>0.09s", "lost>0", "lost==2", "publish_rate<51/s", "cpu>9%"]
        {
            assert!(broken(held), "{held}");
        }
        for kept in ["p50>51ms", "p99<90000us", "lost>2", "lost!=2", "publish_rate<50", "cpu>=11", "duplicate>0"] {
            assert!(!broken(kept), "{kept}");
        }
        assert_eq!(Threshold::parse("ack.p99>1s").unwrap().judge(&record, false), Judged::Unmeasured);
    }

    #[test]
    fn a_void_run_breaks_no_threshold_of_time_but_one_of_losses() {
        let mut record = record(0, 1);
        record.measured.counts.lost = 2;
        record.measured.note(Metric::Response, 1_000_000_000);

        assert!(matches!(Threshold::parse("p99>1ms").unwrap().judge(&record, true), Judged::Void(_)));
        assert!(matches!(Threshold::parse("lost>1").unwrap().judge(&record, true), Judged::Broken(_)));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        for (text, place) in [
            ("p98>5ms", "character 1: expected a stat (p50, "),
            ("p99", "character 4: expected one of > >="),
            ("p99 = 5ms", "character 5: expected one of > >="),
            ("p99>>5ms", "character 5: expected a number; got \">5ms\""),
            ("p99>5", "character 6: expected us, ms or s after the number; got the end"),
            ("p99>5 parsecs", "character 7: expected us, ms or s after the number; got \"parsecs\""),
            ("lost>0%", "character 7: expected nothing after the number; got \"%\""),
            ("ack.p98>1s", "character 1"),
            ("", "character 1"),
            ("p99>1.2.3ms", "character 5: expected a number"),
            ("\u{e9}>1", "character 1"),
        ] {
            let error = Threshold::parse(text).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
