//! The sequence diagram of a trace as a drawing: client on the left, server on the right, time downwards.
//!
//! Inline SVG without styles, scripts or ids of its own: classes of the page say how it looks, so it is drawn in
//! the colours of the page, on paper in black. Labels are cut to the width; the whole text stands in the trace.

use std::collections::BTreeSet;

use appsync_protocol::transcript::dialogue::{answer_label, label};
use appsync_protocol::transcript::{Entry, Transcript, What};
use appsync_protocol::wire::{OwnedFrame, Side};

use super::escaped;

/// Places of the two life lines, and the width of the drawing.
const CLIENT: usize = 96;
const SERVER: usize = 700;
const WIDTH: usize = 780;

/// Height of a row, and of what stands above the first.
const ROW: usize = 30;
const TOP: usize = 34;

/// Most characters of a label that fit between the life lines.
const LABEL_MAX: usize = 78;

/// One row of the drawing.
struct Row {
    entry: usize,
    time: Option<String>,
    text: String,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// What the client sends.
    Right,
    /// What the server sends.
    Left,
    /// The answer to an upgrade or a request.
    Answer,
    /// The end of the transport, seen from this side.
    Lost,
    /// A remark.
    Note,
}

/// The drawing; the row of the entry with index `mark` says so.
pub(super) fn draw(trace: &Transcript, mark: Option<usize>) -> String {
    let sockets = trace.entries().iter().filter(|entry| !is_http(entry)).map(|entry| entry.connection);
    let several = sockets.collect::<BTreeSet<_>>().len() > 1;
    let rows: Vec<_> = trace.entries().iter().enumerate().flat_map(|(n, entry)| rows(n, entry, several)).collect();
    let height = TOP + rows.len() * ROW + 12;
    let mut out = format!(
        "<div class=\"scroll\"><svg class=\"diagram\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-label=\"sequence diagram; the trace below says the same in words\">\n<text class=\"party\" \
         x=\"{CLIENT}\" y=\"16\">client</text><text class=\"party\" x=\"{SERVER}\" y=\"16\">server</text>\n<path class=\"life\" \
         d=\"M{CLIENT} 24V{height}M{SERVER} 24V{height}\"/>\n"
    );
    let last = |n: usize| rows.get(n + 1).is_none_or(|next| next.entry != rows[n].entry);
    for (n, row) in rows.iter().enumerate() {
        out.push_str(&drawn(row, TOP + n * ROW, mark == Some(row.entry), last(n)));
    }
    out.push_str("</svg></div>\n");
    out
}

/// Requests stand beside the connections and have no number.
pub(super) const fn is_http(entry: &Entry) -> bool {
    match &entry.what {
        What::Http { .. } => true,
        What::Open { .. } | What::Frame { .. } | What::Note(_) => false,
    }
}

fn rows(n: usize, entry: &Entry, several: bool) -> Vec<Row> {
    let shape = match &entry.what {
        What::Open { .. } | What::Http { .. } => Shape::Right,
        What::Frame { frame: OwnedFrame::Lost, from: _ } => Shape::Lost,
        What::Frame { from: Side::Client, frame: _ } => Shape::Right,
        What::Frame { from: Side::Server, frame: _ } => Shape::Left,
        What::Note(_) => Shape::Note,
    };
    let name = if several && !is_http(entry) { format!("#{} ", entry.connection) } else { String::new() };
    let time = Some(format!("{} ms", entry.at.as_millis()));
    let mut rows = vec![Row { entry: n, time, text: format!("{name}{}", label(&entry.what)), shape }];
    if let Some(answer) = answer_label(&entry.what) {
        rows.push(Row { entry: n, time: None, text: format!("{name}{answer}"), shape: Shape::Answer });
    }
    rows
}

fn drawn(row: &Row, top: usize, marked: bool, last: bool) -> String {
    let base = top + ROW - 8;
    let mut out = String::new();
    let class = if marked { " here" } else { "" };
    out.push_str(&format!("<g class=\"row{class}\">"));
    if marked {
        out.push_str(&format!("<rect x=\"2\" y=\"{top}\" width=\"{}\" height=\"{ROW}\"/>", WIDTH - 4));
    }
    if let Some(time) = &row.time {
        out.push_str(&format!("<text class=\"time\" x=\"{}\" y=\"{base}\">{}</text>", CLIENT - 12, escaped(time)));
    }
    out.push_str(&arrow(row.shape, base));
    let middle = CLIENT.midpoint(SERVER);
    let text = if row.text.chars().count() > LABEL_MAX {
        let cut: String = row.text.chars().take(LABEL_MAX - 1).collect();
        format!("<title>{}</title>{}\u{2026}", escaped(&row.text), escaped(&cut))
    } else {
        escaped(&row.text)
    };
    out.push_str(&format!("<text class=\"said\" x=\"{middle}\" y=\"{}\">{text}</text>", base - 6));
    if marked && last {
        out.push_str(&format!("<text class=\"where\" x=\"{}\" y=\"{}\">&#9664; here</text>", SERVER + 10, base + 1));
    }
    out.push_str("</g>\n");
    out
}

fn arrow(shape: Shape, y: usize) -> String {
    let (from, to) = (CLIENT + 2, SERVER - 2);
    match shape {
        Shape::Right => {
            format!("<path class=\"line\" d=\"M{from} {y}H{to}\"/><path class=\"tip\" d=\"M{to} {y}l-9 -4v8z\"/>")
        }
        Shape::Left => {
            format!("<path class=\"line\" d=\"M{to} {y}H{from}\"/><path class=\"tip\" d=\"M{from} {y}l9 -4v8z\"/>")
        }
        Shape::Answer => {
            format!("<path class=\"line back\" d=\"M{to} {y}H{from}\"/><path class=\"tip\" d=\"M{from} {y}l9 -4v8z\"/>")
        }
        Shape::Lost => {
            let (middle, above, below) = (CLIENT.midpoint(SERVER), y - 4, y + 4);
            let (left, right) = (middle - 4, middle + 4);
            format!(
                "<path class=\"line back\" d=\"M{from} {y}H{to}\"/><path class=\"line\" d=\"M{left} {above}L{right} \
                 {below}M{left} {below}L{right} {above}\"/>"
            )
        }
        Shape::Note => String::new(),
    }
}
