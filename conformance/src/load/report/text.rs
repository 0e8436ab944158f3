//! A run as people read it in a terminal.

use std::fmt::Write as _;

use super::super::measure::{Counts, Metric, Stat};
use super::super::record::Record;
use super::super::threshold::{Figure, Judged, Rate, Threshold};
use super::super::verdict::{self, Exit};

/// Counts of what went wrong; they are shown also where they are 0, because that is what a run is for.
const FAULTS: [&str; 6] = ["lost", "duplicate", "reordered", "late", "misrouted", "damaged"];

/// Columns of the table of times.
const COLUMNS: [(&str, Stat); 6] = [
    ("p50", Stat::Percentile(500)),
    ("p90", Stat::Percentile(900)),
    ("p99", Stat::Percentile(990)),
    ("p99.9", Stat::Percentile(999)),
    ("max", Stat::Max),
    ("mean", Stat::Mean),
];

/// Everything that a person wants to know first.
pub fn text(record: &Record, thresholds: &[Threshold], exit: &Exit) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_head(record, &mut out);
    write_times(record, &mut out);
    write_counts(record, &mut out);
    write_generator(record, &mut out);
    write_thresholds(record, thresholds, &mut out);
    line(&mut out, "");
    line(&mut out, &format!("exit {}: {}", exit.code, exit.reason));
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn write_head(record: &Record, out: &mut String) -> std::fmt::Result {
    let facts = &record.facts;
    writeln!(out, "{} of {} ({}), seed {}", facts.mode, facts.endpoint, facts.dialect, facts.seed)?;
    let plan: Vec<_> = facts.plan.iter().map(|(name, value)| format!("{name} {value}")).collect();
    writeln!(out, "{}", plan.join("; "))?;
    if facts.shard.1 > 1 {
        writeln!(out, "shard {} of {}: losses show once all shards are merged", facts.shard.0 + 1, facts.shard.1)?;
    }
    let rate = |rate| Figure::Rate(rate).of(record).unwrap_or(0.0) as u64;
    writeln!(
        out,
        "measured {} from {}; {} publishes/s accepted, {} deliveries/s",
        time(facts.measured_ns as f64),
        humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + std::time::Duration::from_nanos(facts.started_ns)),
        whole(rate(Rate::Publish)),
        whole(rate(Rate::Delivery)),
    )
}

fn write_times(record: &Record, out: &mut String) {
    let facts = &record.facts;
    line(out, "");
    line(out, &format!("Times; one operation is {}", facts.operation));
    let head: String = COLUMNS.iter().map(|(name, _)| format!("{name:>11}")).collect();
    line(out, &format!("  {:<12}{:>11}{head}", "", "count"));
    for metric in Metric::ALL {
        let times = record.measured.times(metric);
        if times.count() == 0 {
            continue;
        }
        let figures: String = COLUMNS
            .iter()
            .map(|(_, stat)| format!("{:>11}", times.stat(*stat).map_or_else(String::new, time)))
            .collect();
        line(out, &format!("  {:<12}{:>11}{figures}", metric.word(), whole(times.count())));
    }
    for metric in Metric::ALL.into_iter().filter(|metric| record.measured.times(*metric).count() > 0) {
        line(out, &format!("  {}: {}", metric.word(), metric.about()));
    }
    if facts.closed_loop {
        line(out, "  closed loop: nothing was intended before it was sent, so response and service time are the same,");
        line(out, "  and a target that stalls is asked less often just then");
    }
}

fn write_counts(record: &Record, out: &mut String) {
    line(out, "");
    line(out, "Counts");
    let counts = &record.measured.counts;
    let shown = |name: &str| counts.get(name).filter(|count| *count > 0 || is_looked_for(name, record));
    for (name, about) in Counts::NAMED {
        if let Some(count) = shown(name) {
            line(out, &format!("  {name:<14}{:>11}  {about}", whole(count)));
        }
    }
    if !record.facts.reasons.is_empty() {
        line(out, "");
        line(out, "What went wrong");
        for (reason, count) in &record.facts.reasons {
            line(out, &format!("  {:>11}  {}", whole(*count), crate::report::text::printable(reason)));
        }
    }
}

/// A zero says something only where there could have been more.
fn is_looked_for(name: &str, record: &Record) -> bool {
    FAULTS.contains(&name) && record.measured.counts.subscribed > 0 && record.facts.mode != "churn"
}

fn write_generator(record: &Record, out: &mut String) {
    let facts = &record.facts;
    line(out, "");
    line(out, "Generator");
    for thread in &facts.threads {
        line(out, &format!("  {:<32}{:>5.0} % of a core", thread.name, thread.cpu_percent));
    }
    match verdict::void(record) {
        Some(why) => line(out, &format!("  VOID: the generator was the limit: {why}")),
        None => line(out, "  it was not the limit"),
    }
    for clock in &facts.clocks {
        line(
            out,
            &format!(
                "  shard {}: the clock of the target is {} {} (within {}; round trip {})",
                clock.shard + 1,
                time(clock.ahead_ns.unsigned_abs() as f64),
                if clock.ahead_ns < 0 { "behind" } else { "ahead" },
                time(clock.uncertainty_ns as f64),
                time(clock.round_trip_ns as f64)
            ),
        );
    }
    for note in &facts.notes {
        line(out, &format!("  note: {note}"));
    }
}

fn write_thresholds(record: &Record, thresholds: &[Threshold], out: &mut String) {
    if thresholds.is_empty() {
        return;
    }
    let void = verdict::void(record).is_some();
    line(out, "");
    line(out, "Fails if");
    for threshold in thresholds {
        let (word, got) = match threshold.judge(record, void) {
            Judged::Kept(got) => ("no", threshold.shown(got)),
            Judged::Broken(got) => ("YES", threshold.shown(got)),
            Judged::Unmeasured => ("open", "nothing was measured".into()),
            Judged::Void(got) => ("void", threshold.shown(got)),
        };
        line(out, &format!("  {:<28} {word:<5} {got}", threshold.text));
    }
}

/// Nanoseconds with three digits and a unit.
pub fn time(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns < 1e3 => return format!("{ns:.0} ns"),
        ns if ns < 1e6 => (ns / 1e3, "us"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    match value {
        value if value < 10.0 => format!("{value:.2} {unit}"),
        value if value < 100.0 => format!("{value:.1} {unit}"),
        value => format!("{value:.0} {unit}"),
    }
}

/// A whole number with commas.
pub fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::record::tests::record;
    use super::*;

    #[test]
    fn times_have_three_digits_and_numbers_commas() {
        let times = [0.0, 999.0, 1_000.0, 12_345.0, 999_400.0, 1_500_000.0, 61_000_000_000.0].map(time);

        assert_eq!(times, ["0 ns", "999 ns", "1.00 us", "12.3 us", "999 us", "1.50 ms", "61.0 s"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(whole), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn what_a_target_said_commands_no_terminal() {
        let mut record = record(0, 1);
        record.facts.reasons.insert("a\u{1b}[31m".into(), 1);

        let shown = text(&record, &[], &Exit { code: 0, reason: "r".into() });

        assert!(!shown.contains('\u{1b}'), "{shown}");
    }

    #[test]
    fn a_run_reads_like_this() {
        let mut record = record(0, 1);
        record.measured.counts =
            Counts { connected: 3, subscribed: 2, deliveries: 20, published: 10, ..Counts::default() };
        record.measured.counts.lost = 1;
        for ms in 1..=100 {
            record.measured.note(Metric::Response, ms * 1_000_000);
            record.measured.note(Metric::Service, ms * 100_000);
        }
        let thresholds = ["p99>50ms", "lost>5", "ack.max>1s"].map(|text| Threshold::parse(text).unwrap());
        let exit = verdict::decide(&record, &thresholds);

        insta::assert_snapshot!(text(&record, &thresholds, &exit));
    }
}
