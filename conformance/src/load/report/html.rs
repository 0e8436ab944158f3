//! A run as one page with plots, without anything from elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::super::measure::{Metric, Stat};
use super::super::record::Record;
use super::super::threshold::Threshold;
use super::super::verdict::Exit;
use super::plot::{Axis, Plot, Series, svg};
use super::{text, time, whole};

const STYLE: &str = include_str!("bench.css");

/// Percentiles that are marked; the axis is that of the part above.
const MARKS: [(f64, &str); 6] =
    [(0.0, "0"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %")];

/// The whole page.
pub fn html(record: &Record, thresholds: &[Threshold], exit: &Exit) -> String {
    let facts = &record.facts;
    let title = format!("syncspec bench {} of {}", facts.mode, facts.endpoint);
    let verdict = if exit.code == 0 { "good" } else { "bad" };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{style}'\"><title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>\
         <p class=\"{verdict}\">exit {}: {}</p>{}{}{}<h2>In full</h2><pre>{}</pre></body></html>\n",
        exit.code,
        escaped(&exit.reason),
        percentiles(record),
        response(record),
        done(record),
        escaped(&text(record, thresholds, exit)),
        title = escaped(&title),
        style = STANDARD.encode(Sha256::digest(STYLE)),
    )
}

fn percentiles(record: &Record) -> String {
    // Each step to the right leaves out half of what is above.
    let across = |part: f64| -(1.0 - part).log10();
    let line = |metric: Metric, class| {
        let times = record.measured.times(metric);
        let parts = (0..=40).map(|step| 1.0 - 10_f64.powf(-f64::from(step) / 10.0));
        // Beyond the last single value there is nothing to see.
        let known = parts.filter(|part| (1.0 - part) * times.count() as f64 >= 1.0);
        let at = |part: f64| times.histogram().value_at_quantile(part) as f64;
        Series { name: metric.word(), class, points: known.map(|part| (across(part), at(part))).collect() }
    };
    svg(&Plot {
        title: "Times by percentile",
        x: Axis {
            label: "part of the operations",
            shown: |_| String::new(),
            marks: MARKS.iter().map(|(part, name)| (across(*part), (*name).to_owned())).collect(),
        },
        y: Axis { label: "time", shown: time, marks: Vec::new() },
        series: vec![line(Metric::Response, "a"), line(Metric::Service, "b")],
    })
}

fn response(record: &Record) -> String {
    let line = |name, class, stat| Series {
        name,
        class,
        points: over_time(record).filter_map(|(at, bucket)| Some((at, bucket.response.stat(stat)?))).collect(),
    };
    svg(&Plot {
        title: "Response time over time",
        x: Axis { label: "seconds from the start", shown: number, marks: Vec::new() },
        y: Axis { label: "time", shown: time, marks: Vec::new() },
        series: vec![
            line("p50", "a", Stat::Percentile(500)),
            line("p99", "b", Stat::Percentile(990)),
            line("max", "c", Stat::Max),
        ],
    })
}

fn done(record: &Record) -> String {
    let seconds = record.measured.width_ns as f64 / 1e9;
    let rate = |name, class, count: fn(&super::super::measure::Bucket) -> u64| Series {
        name,
        class,
        points: over_time(record).map(|(at, bucket)| (at, count(bucket) as f64 / seconds)).collect(),
    };
    svg(&Plot {
        title: "Begun and done over time",
        x: Axis { label: "seconds from the start", shown: number, marks: Vec::new() },
        y: Axis { label: "a second", shown: number, marks: Vec::new() },
        series: vec![rate("begun", "a", |bucket| bucket.begun), rate("done", "b", |bucket| bucket.done)],
    })
}

fn over_time(record: &Record) -> impl Iterator<Item = (f64, &super::super::measure::Bucket)> {
    let width = record.measured.width_ns as f64 / 1e9;
    record.measured.series.iter().enumerate().map(move |(place, bucket)| (place as f64 * width, bucket))
}

fn number(value: f64) -> String {
    if value < 10.0 && value.fract() != 0.0 { format!("{value:.1}") } else { whole(value as u64) }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::super::super::record::tests::record;
    use super::*;

    #[test]
    fn the_page_of_a_run_has_its_plots_and_is_well_formed_whatever_a_target_said() {
        let mut record = record(0, 1);
        for n in 1..2000_u64 {
            record.measured.note(Metric::Response, n * 1000);
            record.measured.note(Metric::Service, n * 900);
            record.measured.begun(n * 1_000_000);
            record.measured.done(n * 1_000_000, n * 1000);
        }
        record.facts.reasons.insert("</pre><script>alert('1')</script>&".into(), 1);

        let page = html(&record, &[], &Exit { code: 1, reason: "a > b".into() });

        assert_eq!(page.matches("<svg").count(), 3);
        assert!(!page.contains("<script"), "{page}");
        let body = page.split("</head>").nth(1).unwrap().replace("</html>", "");
        let mut reader = quick_xml::Reader::from_str(&body);
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(_) => {}
                Err(error) => panic!("{error} at {}", reader.error_position()),
            }
        }
    }
}
