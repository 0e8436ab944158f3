//! What was found, for readers: a table in the README between its markers, plots and raw results in `fixtures/benches`.

use std::fmt::Write as _;
use std::path::Path;

use appsync_protocol::dialect::Dialect;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use syncspec_benches::figures::{self, median};
use syncspec_benches::floor::Failure;

use crate::SIZE;
use crate::cases::{CALM, Kind};
use crate::child::Trips;
use crate::results::{Figures, Look, Results};

const BEGIN: &str =
    "<!-- figures of fanout: begin; written by cargo bench -p syncspec-benches --bench fanout -- --publish -->";
const END: &str = "<!-- figures of fanout: end -->";

/// Writes everything.
pub(crate) fn publish(results: &Results) -> Result<(), Failure> {
    let folder = figures::root().join("fixtures/benches");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("fanout.json"), serde_json::to_string_pretty(results)? + "\n")?;
    latency_plot(results, &folder.join("fanout-latency.svg"))?;
    rate_plot(results, &folder.join("fanout-rate.svg"))?;
    figures::put_into_readme(BEGIN, END, &markdown(results))
}

/// The section of the README.
fn markdown(results: &Results) -> String {
    let mut out = format!("\n{}\n\n", conditions(results));
    out.push_str(&figures::table(&results.goals()));
    latencies(results, &mut out);
    rates(results, &mut out);
    closed(results, &mut out);
    out.push_str("\n![Median latency by number of subscribers](fixtures/benches/fanout-latency.svg)\n");
    out.push_str("![Deliveries a second](fixtures/benches/fanout-rate.svg)\n\n");
    out
}

// Writing to a string does not fail.

fn latencies(results: &Results, out: &mut String) {
    let asked = format!("Latency at {CALM:.0} deliveries a second, at most 1,000 publishes");
    let _ = writeln!(out, "\n{asked}; in microseconds, medians:\n");
    out.push_str("| | server | p50 | p90 | p99 | max | deliveries/s | KB each |\n|---|---|---|---|---|---|---|---|\n");
    for figures in Dialect::ALL.into_iter().flat_map(|dialect| results.of(Kind::Latency, dialect)) {
        for (place, server) in rows(figures) {
            let at = |look: Look| number(figures.median(place, look));
            let [p50, p90] = [at(|run| run.latency_us[0]), at(|run| run.latency_us[1])];
            let [p99, max] = [at(|run| run.latency_us[2]), at(|run| run.latency_us[3])];
            let (rate, kb) = (at(|run| run.rate), figures.median(place, |run| run.kb_each));
            let (dialect, count) = (figures.dialect, figures.subscribers);
            let _ = writeln!(
                out,
                "| {dialect}, 1 to {count} | {server} | {p50} | {p90} | {p99} | {max} | {rate} | {kb:.1} |"
            );
        }
    }
}

fn rates(results: &Results, out: &mut String) {
    out.push_str("\nRates, the publisher held back by who takes less; medians:\n\n");
    out.push_str(
        "| | server | asked for | deliveries/s | to the floor | us of CPU each |\n|---|---|---|---|---|---|\n",
    );
    for kind in [Kind::Overload, Kind::Ceiling] {
        for figures in Dialect::ALL.into_iter().flat_map(|dialect| results.of(kind, dialect)) {
            let asked = figures.asked.map_or_else(|| "all it takes".into(), number);
            for (place, server) in rows(figures) {
                let floor = &figures.servers[0].runs;
                let ratios = floor.iter().zip(&figures.servers[place].runs).map(|(floor, own)| own.rate / floor.rate);
                let _ = writeln!(
                    out,
                    "| {}, 1 to {} | {server} | {asked} | {} | {:.2} | {:.2} |",
                    figures.dialect,
                    figures.subscribers,
                    number(figures.median(place, |run| run.rate)),
                    median(ratios.collect()),
                    figures.median(place, |run| run.cpu_us)
                );
            }
        }
    }
}

fn closed(results: &Results, out: &mut String) {
    if results.closed.is_empty() {
        return;
    }
    let of = |look: fn(&(Trips, Trips)) -> f64| median(results.closed.iter().map(look).collect());
    let _ = writeln!(
        out,
        "\nClosed loop against the floor server: the raw client makes {} round trips a second at {:.2} us of its \
         processor time each, `syncspec bench` {} at {:.2} us.",
        number(of(|pair| pair.0.rate)),
        of(|pair| pair.0.cpu_us),
        number(of(|pair| pair.1.rate)),
        of(|pair| pair.1.cpu_us)
    );
    let of = |look: fn(&Trips) -> f64| median(results.closed_in_graphql.iter().map(look).collect());
    let _ = writeln!(
        out,
        "In GraphQL, where a round trip is a mutation over HTTP, `syncspec bench` makes {} at {:.2} us.",
        number(of(|trips| trips.rate)),
        of(|trips| trips.cpu_us)
    );
    for (name, rates) in &results.loads {
        let _ = writeln!(out, "{name} makes {} with its script.", number(median(rates.clone())));
    }
}

/// Servers that were measured at all, with their places.
fn rows(figures: &Figures) -> impl Iterator<Item = (usize, &'static str)> {
    figures.servers.iter().enumerate().filter(|(_, of)| !of.runs.is_empty()).map(|(place, of)| (place, of.name))
}

fn conditions(results: &Results) -> String {
    let machine = &results.machine;
    let mut text = format!(
        "{}, {} cores, Linux {}; server and client share them. Load of the last minute {} before and {} after. \
         {} interleaved rounds of {} s, events of {SIZE} bytes; {}.",
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.load[0],
        machine.load[1],
        results.rounds,
        results.seconds,
        machine.date()
    );
    for why in &results.missing {
        let _ = write!(text, " Not compared with {why}.");
    }
    text
}

/// With commas.
fn number(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

const COLOURS: [RGBColor; 6] = [
    RGBColor(0x55, 0x55, 0x55),
    RGBColor(0x0b, 0x6e, 0xb5),
    RGBColor(0xc0, 0x5a, 0x00),
    RGBColor(0x2c, 0x8a, 0x3d),
    RGBColor(0x8a, 0x2c, 0x84),
    RGBColor(0xa0, 0x8a, 0x00),
];

/// Lines by name, each a row of points.
type Lines = Vec<(String, Vec<(f64, f64)>)>;

fn latency_plot(results: &Results, path: &Path) -> Result<(), Failure> {
    let mut lines: Lines = Vec::new();
    for figures in Dialect::ALL.into_iter().flat_map(|dialect| results.of(Kind::Latency, dialect)) {
        for (place, server) in rows(figures) {
            let name = format!("{server}, {}", figures.dialect);
            let point = (figures.subscribers as f64, figures.median(place, |run| run.latency_us[0]));
            match lines.iter_mut().find(|(known, _)| *known == name) {
                Some((_, points)) => points.push(point),
                None => lines.push((name, vec![point])),
            }
        }
    }
    let points = || lines.iter().flat_map(|(_, points)| points.iter());
    let top = points().map(|point| point.1).fold(100.0, f64::max) * 2.0;
    let right = points().map(|point| point.0).fold(10.0, f64::max);
    let low = points().map(|point| point.1).fold(top, f64::min) / 2.0;
    draw(
        path,
        "Median latency in us at 20,000 deliveries a second",
        (1.0..right).log_scale(),
        (low..top).log_scale(),
        "subscribers",
        &lines,
    )
}

fn rate_plot(results: &Results, path: &Path) -> Result<(), Failure> {
    let mut lines: Lines = Vec::new();
    for figures in Dialect::ALL.into_iter().flat_map(|dialect| results.of(Kind::Ceiling, dialect)) {
        for (place, server) in rows(figures) {
            let name = format!("{server}, {}", figures.dialect);
            let point = (figures.subscribers as f64, figures.median(place, |run| run.rate) / 1e6);
            match lines.iter_mut().find(|(known, _)| *known == name) {
                Some((_, points)) => points.push(point),
                None => lines.push((name, vec![point])),
            }
        }
    }
    let top = lines.iter().flat_map(|(_, points)| points.iter()).map(|point| point.1).fold(1.0, f64::max) * 1.1;
    draw(
        path,
        "Million deliveries a second, as many as are taken",
        (50.0..2_000.0).log_scale(),
        0.0..top,
        "subscribers",
        &lines,
    )
}

fn draw<X, Y>(path: &Path, title: &str, x: X, y: Y, label: &str, lines: &Lines) -> Result<(), Failure>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (760, 360)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(64)
            .build_cartesian_2d(x, y)?;
        chart.configure_mesh().x_desc(label).light_line_style(RGBColor(0xee, 0xee, 0xee)).draw()?;
        for (place, (name, points)) in lines.iter().enumerate() {
            let colour = COLOURS[place % COLOURS.len()];
            let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3);
            chart
                .draw_series(line)?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(RGBColor(0xcc, 0xcc, 0xcc))
            .draw()?;
        area.present()?;
    }
    std::fs::write(path, text)?;
    Ok(())
}
