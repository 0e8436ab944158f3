//! Lines over time or over percentiles, as SVG that needs nothing else and follows the colours of the page.

use std::fmt::Write as _;

/// One line.
pub(super) struct Series<'s> {
    pub(super) name: &'s str,
    /// Class of the style sheet.
    pub(super) class: &'s str,
    pub(super) points: Vec<(f64, f64)>,
}

/// What a plot is about.
pub(super) struct Plot<'s> {
    pub(super) title: &'s str,
    pub(super) x: Axis<'s>,
    pub(super) y: Axis<'s>,
    pub(super) series: Vec<Series<'s>>,
}

/// One direction.
pub(super) struct Axis<'s> {
    pub(super) label: &'s str,
    /// How a value is written.
    pub(super) shown: fn(f64) -> String,
    /// Marks instead of round numbers.
    pub(super) marks: Vec<(f64, String)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 44.0;

/// The plot; empty if there is no point.
pub(super) fn svg(plot: &Plot<'_>) -> String {
    let points = || plot.series.iter().flat_map(|series| series.points.iter());
    let (Some(left), Some(right), Some(top)) = (
        points().map(|point| point.0).reduce(f64::min),
        points().map(|point| point.0).reduce(f64::max),
        points().map(|point| point.1).reduce(f64::max),
    ) else {
        return String::new();
    };
    let (step, top) = ruler(top);
    let span = if right > left { right - left } else { 1.0 };
    let place = |(x, y): (f64, f64)| {
        (LEFT + (x - left) / span * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM))
    };
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        out,
        r#"<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}"><title>{}</title>"#,
        plot.title, plot.title
    );
    let mut y = 0.0;
    while y <= top * 1.001 {
        let (_, at) = place((left, y));
        let shown = (plot.y.shown)(y);
        let _ = write!(
            out,
            r#"<line class="grid" x1="{LEFT}" x2="{}" y1="{at:.1}" y2="{at:.1}"/><text x="{}" y="{:.1}" text-anchor="end">{shown}</text>"#,
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0,
        );
        y += step;
    }
    for (x, shown) in marks(&plot.x, left, right) {
        let (at, _) = place((x, 0.0));
        let _ = write!(out, r#"<text x="{at:.1}" y="{}" text-anchor="middle">{shown}</text>"#, HEIGHT - BOTTOM + 18.0);
    }
    let _ = write!(
        out,
        r#"<text x="{}" y="{}" text-anchor="middle">{}</text>"#,
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 6.0,
        plot.x.label
    );
    for series in &plot.series {
        let line: Vec<_> =
            series.points.iter().map(|point| place(*point)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(
            out,
            r#"<polyline class="{}" points="{}"><title>{}</title></polyline>"#,
            series.class,
            line.join(" "),
            series.name
        );
    }
    out.push_str("</svg>");
    let keys: Vec<_> = plot
        .series
        .iter()
        .map(|series| format!(r#"<span class="key {}">{}</span>"#, series.class, series.name))
        .collect();
    format!("<figure>{out}<figcaption>{}: {} {}</figcaption></figure>", plot.title, plot.y.label, keys.join(" "))
}

/// The marks that were given, or about six round ones.
fn marks(axis: &Axis<'_>, low: f64, high: f64) -> Vec<(f64, String)> {
    if !axis.marks.is_empty() {
        return axis.marks.iter().filter(|(at, _)| (low..=high).contains(at)).cloned().collect();
    }
    let (step, _) = ruler(high - low);
    let mut marks = Vec::new();
    let mut at = (low / step).ceil() * step;
    while at <= high {
        marks.push((at, (axis.shown)(at)));
        at += step;
    }
    marks
}

/// A round distance that fits about five times, and the end of the last one.
fn ruler(high: f64) -> (f64, f64) {
    if high <= 0.0 {
        return (1.0, 1.0);
    }
    let raw = high / 5.0;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= raw).unwrap_or(raw);
    (step, (high / step).ceil() * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ruler_is_round_and_reaches_the_highest_value() {
        for (high, step, top) in [(5.0, 1.0, 5.0), (7.0, 2.0, 8.0), (1234.0, 500.0, 1500.0), (0.0, 1.0, 1.0)] {
            assert_eq!(ruler(high), (step, top), "{high}");
        }
    }

    #[test]
    fn a_plot_of_nothing_is_nothing_and_every_point_lies_within() {
        let axis = || Axis { label: "x", shown: |x| format!("{x}"), marks: Vec::new() };
        let plot =
            |points| Plot { title: "t", x: axis(), y: axis(), series: vec![Series { name: "n", class: "a", points }] };

        assert_eq!(svg(&plot(Vec::new())), "");
        let drawn = svg(&plot(vec![(0.0, 3.0), (5.0, 9.0), (10.0, 0.0)]));
        let line = drawn.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        for pair in line.split(' ') {
            let (x, y) = pair.split_once(',').unwrap();
            assert!((LEFT..=WIDTH - RIGHT).contains(&x.parse().unwrap()), "{pair}");
            assert!((TOP..=HEIGHT - BOTTOM).contains(&y.parse().unwrap()), "{pair}");
        }
    }
}
