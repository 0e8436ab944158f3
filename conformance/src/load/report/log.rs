//! The log of HdrHistogram: every distribution in a line that its own tools read, and the rest of the run in a comment.
//!
//! ```text
//!   #syncspec bench {"version":…,"counts":…,"flows":…}
//!   Tag=response,START,SECONDS,MAX,HISTFAAA…        the whole run, a line for each distribution of times
//!   Tag=series/3,START,SECONDS,MAX,HISTFAAA…        response times of one stretch of it
//! ```
//!
//! Reading gives back what was written, bit for bit, so what several shards wrote adds up exactly.

use std::fmt;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

use super::super::measure::{Counts, Measured, Metric, Times};
use super::super::record::{Facts, Record};

/// What begins the comment, without the sign of a comment.
const COMMENT: &str = "syncspec bench ";
const SERIES: &str = "series/";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    facts: Facts,
    counts: Counts,
    width_ns: u64,
    /// Operations begun and done, by bucket.
    series: Vec<(u64, u64)>,
}

/// Why a file is no log of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError(String);

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReadError {}

/// Writes a run.
///
/// # Errors
/// If `out` takes no more.
pub fn write(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    let measured = &record.measured;
    let head = Head {
        facts: record.facts.clone(),
        counts: measured.counts.clone(),
        width_ns: measured.width_ns,
        series: measured.series.iter().map(|bucket| (bucket.begun, bucket.done)).collect(),
    };
    let start = Duration::from_nanos(record.facts.started_ns);
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder
        .add_comment(&format!("{COMMENT}{}", serde_json::to_string(&head).map_err(io::Error::other)?))
        .with_start_time(UNIX_EPOCH + start)
        .with_max_value_divisor(1e6);
    let mut log = builder.begin_log_with(out, &mut serializer)?;
    let mut line = |tag: &str, times: &Times, start, length| {
        log.write_histogram(times.histogram(), start, length, Tag::new(tag))
            .map_err(|error| io::Error::other(format!("{error:?}")))
    };
    for metric in Metric::ALL.into_iter().filter(|metric| measured.times(*metric).count() > 0) {
        line(metric.word(), measured.times(metric), start, Duration::from_nanos(record.facts.measured_ns))?;
    }
    for (place, bucket) in measured.series.iter().enumerate().filter(|(_, bucket)| bucket.response.count() > 0) {
        let from = start + Duration::from_nanos(measured.width_ns) * u32::try_from(place).unwrap_or(u32::MAX);
        line(&format!("{SERIES}{place}"), &bucket.response, from, Duration::from_nanos(measured.width_ns))?;
    }
    Ok(())
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// With the line of what is wrong.
pub fn read(text: &str) -> Result<Record, ReadError> {
    let wrong = |what: String| ReadError(what);
    let (number, comment) = text
        .lines()
        .enumerate()
        .find_map(|(number, line)| Some((number + 1, line.strip_prefix('#')?.strip_prefix(COMMENT)?)))
        .ok_or_else(|| wrong("expected a log of syncspec bench --histogram: no comment says that it is one".into()))?;
    let head: Head = serde_json::from_str(comment)
        .map_err(|error| wrong(format!("line {number}: the comment of the run cannot be read: {error}")))?;
    let mut measured = Measured::new(0);
    measured.width_ns = head.width_ns.max(1);
    measured.counts = head.counts;
    for (place, (begun, done)) in head.series.iter().enumerate() {
        let bucket = measured.bucket(place as u64 * head.width_ns);
        (bucket.begun, bucket.done) = (*begun, *done);
    }
    for entry in IntervalLogIterator::new(text.as_bytes()) {
        let LogEntry::Interval(line) = entry.map_err(|error| wrong(format!("a line cannot be read: {error:?}")))?
        else {
            continue;
        };
        let Some(tag) = line.tag() else { continue };
        let times = histogram(line.encoded_histogram())
            .map_err(|error| wrong(format!("the histogram {:?} cannot be read: {error}", tag.as_str())))?;
        if let Some(metric) = Metric::ALL.into_iter().find(|metric| metric.word() == tag.as_str()) {
            *measured.times_mut(metric) = times;
        } else if let Some(place) = tag.as_str().strip_prefix(SERIES).and_then(|place| place.parse::<usize>().ok())
            && let Some(bucket) = measured.series.get_mut(place)
        {
            bucket.response = times;
        }
    }
    Ok(Record { facts: head.facts, measured })
}

fn histogram(encoded: &str) -> Result<Times, String> {
    let bytes = STANDARD.decode(encoded).map_err(|error| error.to_string())?;
    let histogram = Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| format!("{error:?}"))?;
    Ok(Times::from_histogram(histogram))
}

#[cfg(test)]
mod tests {
    use super::super::super::record::tests::record;
    use super::*;

    fn measured() -> Record {
        let mut record = record(0, 2);
        for n in 1..1000_u64 {
            record.measured.note(Metric::Response, n * n * 1000);
            record.measured.note(Metric::Silent, 0);
            record.measured.done(n * 3_000_000, n * 1000);
            record.measured.begun(n * 3_000_000);
        }
        record.measured.counts.deliveries = 999;
        record
    }

    #[test]
    fn what_was_written_to_a_log_reads_back_the_same() {
        let record = measured();
        let mut text = Vec::new();
        write(&record, &mut text).unwrap();

        let back = read(std::str::from_utf8(&text).unwrap()).unwrap();

        assert_eq!(back.facts, record.facts);
        assert_eq!(back.measured, record.measured);
    }

    #[test]
    fn what_is_no_log_of_a_run_is_refused_with_the_reason() {
        let mut text = Vec::new();
        write(&measured(), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let garbled = text.replace("Tag=response,", "Tag=response,x");
        let other = text.replace("\"seed\":", "\"seeds\":");
        let cut = text.replacen("HISTFAAA", "AAAAFAAA", 1);

        for (text, reason) in [
            ("", "expected a log"),
            ("#[StartTime: 1.0 (seconds since epoch)]\n", "expected a log"),
            (other.as_str(), "line 1: the comment of the run cannot be read: unknown field `seeds`"),
            (garbled.as_str(), "cannot be read"),
            (cut.as_str(), "cannot be read"),
        ] {
            let error = read(text).map(drop).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
