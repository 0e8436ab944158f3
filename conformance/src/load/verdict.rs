//! Whether a run says something about the target, and its exit code.
//!
//! Where several codes apply, what makes the others worthless comes first, as everywhere in the suite:
//! 130 > 3 > 1 > 5 > 0.

use super::measure::{Metric, Stat};
use super::record::Record;
use super::threshold::{Judged, Threshold};

/// A lag below this is what timers and schedulers do, in nanoseconds.
const LAG_ALLOWED_NS: f64 = 1e6;

/// Part of the reported p99 that the lag may be.
const LAG_SHARE: f64 = 0.1;

/// A thread that is busier than this has no room for more, in percent.
const BUSY_PERCENT: f64 = 95.0;

/// Why the run is void: the generator was the limit, not the target. `None` if it was not.
pub fn void(record: &Record) -> Option<String> {
    let busiest = record.facts.threads.iter().max_by(|one, other| one.cpu_percent.total_cmp(&other.cpu_percent));
    if let Some(thread) = busiest.filter(|thread| thread.cpu_percent > BUSY_PERCENT) {
        return Some(format!(
            "the {} held a core for {:.0} % of the time (more than {BUSY_PERCENT:.0} %)",
            thread.name, thread.cpu_percent
        ));
    }
    let p99 = |metric| record.measured.times(metric).stat(Stat::Percentile(990));
    let (lag, response) = (p99(Metric::Lag)?, p99(Metric::Response)?);
    (lag > LAG_ALLOWED_NS && lag > response * LAG_SHARE).then(|| {
        format!(
            "operations began late by {} (p99 of lag), more than a tenth of the p99 of response times, {}",
            super::report::time(lag),
            super::report::time(response)
        )
    })
}

/// Exit code and reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// As in the table of the command.
    pub code: u8,
    /// In a sentence.
    pub reason: String,
}

/// The exit code of a run with these thresholds.
pub fn decide(record: &Record, thresholds: &[Threshold]) -> Exit {
    let void = void(record);
    let judged: Vec<_> =
        thresholds.iter().map(|threshold| (threshold, threshold.judge(record, void.is_some()))).collect();
    let exit = |code, reason: String| Exit { code, reason };
    if record.facts.interrupted {
        return exit(130, "interrupted; what was measured until then is shown".into());
    }
    let counts = &record.measured.counts;
    if counts.connected == 0 {
        let why = record.facts.reasons.iter().max_by_key(|(_, count)| **count);
        let why = why.map_or_else(String::new, |(why, _)| format!(": {why}"));
        return exit(3, format!("no statement about the target: none of its connections was acknowledged{why}"));
    }
    let broken: Vec<String> = judged
        .iter()
        .filter_map(|(threshold, judged)| match judged {
            Judged::Broken(got) => Some(format!("{} holds with {}", threshold.text, threshold.shown(*got))),
            Judged::Kept(_) | Judged::Unmeasured | Judged::Void(_) => None,
        })
        .collect();
    if !broken.is_empty() {
        return exit(1, broken.join("; "));
    }
    if let Some(why) = void {
        return exit(5, format!("void, the generator was the limit: {why}"));
    }
    if let Some((threshold, _)) = judged.iter().find(|(_, judged)| *judged == Judged::Unmeasured) {
        return exit(5, format!("inconclusive: nothing was measured for {}", threshold.text));
    }
    if record.measured.times(Metric::Service).count() == 0 {
        return exit(5, "inconclusive: no operation was completed".into());
    }
    exit(
        0,
        match thresholds.len() {
            0 => "measured; no --fail-if was given".into(),
            1 => "measured; the --fail-if does not hold".into(),
            n => format!("measured; none of the {n} --fail-if holds"),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    fn good() -> Record {
        let mut record = record(0, 1);
        record.measured.counts.connected = 1;
        record.measured.note(Metric::Response, 100_000_000);
        record.measured.note(Metric::Service, 100_000_000);
        record
    }

    fn code(record: &Record, thresholds: &[&str]) -> u8 {
        decide(record, &thresholds.iter().map(|text| Threshold::parse(text).unwrap()).collect::<Vec<_>>()).code
    }

    #[test]
    fn of_several_reasons_to_exit_a_bench_takes_the_one_that_makes_the_others_worthless() {
        let mut record = good();
        assert_eq!(code(&record, &["p99>1s"]), 0);
        assert_eq!(code(&record, &["ack.p99>1s"]), 5);
        assert_eq!(code(&record, &["p99>1ms"]), 1);

        record.facts.threads[0].cpu_percent = 99.0;
        assert_eq!(code(&record, &["p99>1ms"]), 5);
        record.measured.counts.lost = 1;
        assert_eq!(code(&record, &["p99>1ms", "lost>0"]), 1);

        record.measured.counts.connected = 0;
        assert_eq!(code(&record, &["lost>0"]), 3);
        record.facts.interrupted = true;
        assert_eq!(code(&record, &["lost>0"]), 130);
    }

    #[test]
    fn a_lag_counts_beside_the_times_that_it_is_part_of() {
        let mut record = good();
        record.measured.note(Metric::Lag, 9_000_000);
        assert_eq!(void(&record), None);

        record.measured.note(Metric::Lag, 12_000_000);
        assert!(void(&record).is_some_and(|why| why.contains("12.0 ms")), "{:?}", void(&record));

        let mut short = record;
        *short.measured.times_mut(Metric::Lag) = good().measured.times(Metric::Lag).clone();
        short.measured.note(Metric::Lag, 900_000);
        assert_eq!(void(&short), None);
    }

    #[test]
    fn a_run_without_any_operation_is_inconclusive() {
        let mut record = record(0, 1);
        record.measured.counts.connected = 1;

        assert_eq!(code(&record, &[]), 5);
    }
}
