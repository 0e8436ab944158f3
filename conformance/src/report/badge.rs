//! A badge: one line as SVG, with words that say what the colour says.

use super::html::escaped;
use super::json::Document;
use crate::verdict::Verdict;

/// Width of a character of the label in the font that badges use, in tenths of a pixel; wide enough for all.
const CHARACTER: usize = 68;

/// The badge of a report: how many of the judged cases pass, and whether any fails.
pub fn to_badge(document: &Document, label: &str) -> String {
    let (text, color) = told(document);
    let width = |text: &str| text.chars().count() * CHARACTER / 10 + 12;
    let (left, right) = (width(label), width(&text));
    let total = left + right;
    let alt = escaped(&format!("{label}: {text}"));
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" aria-label="{alt}">
<title>{alt}</title>
<rect width="{left}" height="20" fill="#444"/>
<rect x="{left}" width="{right}" height="20" fill="{color}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{}" y="14">{}</text>
<text x="{}" y="14">{}</text>
</g>
</svg>
"##,
        left / 2,
        escaped(label),
        left + right / 2,
        escaped(&text)
    )
}

/// What the badge says, and its colour: dark enough for white letters.
fn told(document: &Document) -> (String, &'static str) {
    let count = |verdict| document.summary.count(verdict);
    let (pass, fail, warn) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Warn));
    let judged = pass + fail + warn + count(Verdict::Info);
    let told = |what: &str| format!("{pass}/{judged} pass{what}");
    match (judged, fail, warn) {
        (0, _, _) => ("nothing judged".into(), "#5c5c5c"),
        (_, 0, 0) if document.run.interrupted => (told(", interrupted"), "#5c5c5c"),
        (_, 0, 0) => (told(""), "#22702f"),
        (_, 0, _) => (told(&format!(", {warn} warn")), "#8a5a00"),
        (_, _, _) => (told(&format!(", {fail} fail")), "#b3261e"),
    }
}
