//! A run as JSON: everything that the text says, in nanoseconds and numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::measure::{Counts, Metric, Stat, Times};
use super::super::record::{Clock, Record, Thread};
use super::super::threshold::{Judged, Threshold};
use super::super::verdict::{self, Exit};

/// The form of the document; it changes with what readers have to know.
const FORM: u32 = 1;

#[derive(Serialize)]
struct Document<'r> {
    form: u32,
    version: &'r str,
    mode: &'r str,
    operation: &'r str,
    dialect: &'r str,
    endpoint: &'r str,
    seed: u64,
    plan: &'r BTreeMap<String, String>,
    shard: [u64; 2],
    started: String,
    measured_ns: u64,
    interrupted: bool,
    counts: &'r Counts,
    times: BTreeMap<&'static str, TimesJson>,
    series: SeriesJson,
    reasons: &'r BTreeMap<String, u64>,
    generator: Generator<'r>,
    thresholds: Vec<ThresholdJson<'r>>,
    exit: ExitJson<'r>,
}

#[derive(Serialize)]
struct TimesJson {
    about: &'static str,
    count: u64,
    ns: BTreeMap<&'static str, f64>,
}

#[derive(Serialize)]
struct SeriesJson {
    width_ns: u64,
    begun: Vec<u64>,
    done: Vec<u64>,
    response_p50_ns: Vec<Option<f64>>,
    response_p99_ns: Vec<Option<f64>>,
}

#[derive(Serialize)]
struct Generator<'r> {
    void: Option<String>,
    threads: &'r [Thread],
    clocks: &'r [Clock],
    notes: &'r [String],
}

#[derive(Serialize)]
struct ThresholdJson<'r> {
    fails_if: &'r str,
    judged: &'static str,
    got: Option<f64>,
}

#[derive(Serialize)]
struct ExitJson<'r> {
    code: u8,
    reason: &'r str,
}

/// One JSON document, with line breaks.
pub fn json(record: &Record, thresholds: &[Threshold], exit: &Exit) -> String {
    let facts = &record.facts;
    let void = verdict::void(record);
    let started = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(facts.started_ns);
    let document = Document {
        form: FORM,
        version: &facts.version,
        mode: &facts.mode,
        operation: &facts.operation,
        dialect: &facts.dialect,
        endpoint: &facts.endpoint,
        seed: facts.seed,
        plan: &facts.plan,
        shard: [facts.shard.0 + 1, facts.shard.1],
        started: humantime::format_rfc3339_nanos(started).to_string(),
        measured_ns: facts.measured_ns,
        interrupted: facts.interrupted,
        counts: &record.measured.counts,
        times: Metric::ALL
            .into_iter()
            .filter_map(|metric| times(metric, record.measured.times(metric)).map(|times| (metric.word(), times)))
            .collect(),
        series: series(record),
        reasons: &facts.reasons,
        thresholds: thresholds.iter().map(|threshold| judged(threshold, record, void.is_some())).collect(),
        generator: Generator { void, threads: &facts.threads, clocks: &facts.clocks, notes: &facts.notes },
        exit: ExitJson { code: exit.code, reason: &exit.reason },
    };
    // Nothing in it can fail to be written.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn times(metric: Metric, times: &Times) -> Option<TimesJson> {
    let ns: BTreeMap<_, _> =
        Stat::NAMED.iter().filter_map(|(name, stat)| times.stat(*stat).map(|value| (*name, value))).collect();
    (!ns.is_empty()).then(|| TimesJson { about: metric.about(), count: times.count(), ns })
}

fn series(record: &Record) -> SeriesJson {
    let buckets = &record.measured.series;
    let percentile = |per_mille| buckets.iter().map(|b| b.response.stat(Stat::Percentile(per_mille))).collect();
    SeriesJson {
        width_ns: record.measured.width_ns,
        begun: buckets.iter().map(|bucket| bucket.begun).collect(),
        done: buckets.iter().map(|bucket| bucket.done).collect(),
        response_p50_ns: percentile(500),
        response_p99_ns: percentile(990),
    }
}

fn judged<'r>(threshold: &'r Threshold, record: &Record, void: bool) -> ThresholdJson<'r> {
    let (judged, got) = match threshold.judge(record, void) {
        Judged::Kept(got) => ("kept", Some(got)),
        Judged::Broken(got) => ("broken", Some(got)),
        Judged::Unmeasured => ("unmeasured", None),
        Judged::Void(got) => ("void", Some(got)),
    };
    ThresholdJson { fails_if: &threshold.text, judged, got }
}
