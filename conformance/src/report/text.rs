//! A run for a person at a terminal: the fixed shape of a failure, and the summary.
//!
//! Colours only repeat what the words say. Lines of prose are wrapped with a hanging indent; drawn
//! dialogues are left as they are.

use std::collections::{BTreeMap, BTreeSet};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::{Party, Reach, Requirement};

use super::cause::usual_cause;
use super::model::{Case, Run};
use crate::verdict::{Breach, Verdict};

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are written.
    pub color: bool,
    /// Columns at which prose is wrapped; 0 wraps nothing.
    pub width: usize,
}

impl Default for Style {
    /// No colours, 100 columns.
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// How many of the slowest cases the summary names.
const SLOWEST: usize = 5;

/// One case in the fixed shape: what was required, by whom, what we did, what we saw, where it parted and
/// how to see it again. Ends with a line break.
pub fn failure(case: &Case, run: &Run, style: &Style) -> String {
    let mut sheet = Sheet::new(style.width);
    let word = case.verdict.word().to_uppercase();
    let head = paint(style, color_of(case.verdict), &word);
    match case.breaches.first() {
        Some(first) => {
            sheet.line(&format!("{head} {}   {}", printable(&case.id), standing(first.requirement)));
            requirement_fields(&mut sheet, first.requirement);
            sheet.field("did", &did(case));
            if first.expected != [first.requirement.row().text] {
                sheet.list("expected", &alternatives(&first.expected));
            }
            sheet.field("saw", &saw(case, first));
            if let Some(cause) = usual_cause(first.requirement.id()) {
                sheet.field("often", cause);
            }
            for other in case.breaches.iter().skip(1) {
                let (rule, got) = (other.requirement, printable(&other.got));
                sheet.field("also", &format!("{rule} ({}): {got}", standing_words(rule)));
            }
        }
        None => {
            sheet.line(&format!("{head} {}", printable(&case.id)));
            sheet.field("did", &did(case));
            sheet.field("reason", &printable(&case.reason));
        }
    }
    for line in case.dialogue.lines() {
        sheet.line(&format!("  {}", mark(style, &printable(line))));
    }
    sheet.whole("again", &printable(&case.again(run)));
    sheet.whole("details", &format!("syncspec explain {}", printable(&case.id)));
    sheet.out
}

/// The whole run in a table by area and a few lines. Ends without a line break.
pub fn summary(run: &Run, style: &Style) -> String {
    let mut out = table(run, style);
    out.push('\n');
    for verdict in [Verdict::NotApplicable, Verdict::Blocked] {
        by_reason(&mut out, run, verdict, style);
    }
    inconclusive(&mut out, run, style);
    slowest(&mut out, run);
    out.push_str(&counts_line(run, style));
    out.push_str(&format!("         {}\n", coverage_line(run)));
    out.push_str(&format!(
        "         seed {:#x}, {}, {}{}\n",
        run.seed,
        counted(run.connections, "connection"),
        counted(run.messages, "message"),
        if run.interrupted { ", interrupted: the rest was not run" } else { "" }
    ));
    let color = if run.exit.code == 0 { GREEN } else { RED };
    let exit = paint(style, color, &format!("exit {}:", run.exit.code));
    out.push_str(&format!("{exit} {}", printable(&run.exit.reason)));
    out
}

/// The text with everything that a terminal or a parser would obey made visible: control characters, line
/// ends included, and characters that turn the direction of text.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if obeyed(c) => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
    out
}

/// Characters that do something instead of being something, and the two that XML cannot hold.
pub fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

// The shape of a failure

/// `MUST - documented - GQL-INIT-003`.
fn standing(rule: Requirement) -> String {
    format!("{} - {rule}", standing_words(rule))
}

pub(super) fn standing_words(rule: Requirement) -> String {
    format!("{} - {}", rule.row().level, rule.row().grade)
}

/// What a requirement says, who says so, and what is disputed about it.
fn requirement_fields(sheet: &mut Sheet, rule: Requirement) {
    sheet.field("required", rule.row().text);
    source_fields(sheet, rule);
    for ambiguity in rule.disputed_by() {
        sheet.field("disputed", &format!("{}: {}", ambiguity.id, ambiguity.question));
        sheet.more(&format!("our treatment: {}", ambiguity.treatment));
    }
}

/// The source of a row, with what its short names stand for.
pub(super) fn source_fields(sheet: &mut Sheet, rule: Requirement) {
    sheet.field("source", rule.row().source);
    for source in rule.sources() {
        sheet.more(&format!("{}: {}", source.key, source.title));
    }
}

fn alternatives(expected: &[String]) -> Vec<String> {
    let or = |n: usize| if n == 0 { "" } else { "or " };
    expected.iter().enumerate().map(|(n, one)| format!("{}{}", or(n), printable(one))).collect()
}

/// What came; of the monitor's findings, which are merged, also how often and where first.
fn saw(case: &Case, breach: &Breach) -> String {
    let told = case.reason.strip_prefix(breach.requirement.id()).and_then(|rest| rest.strip_prefix(": "));
    printable(told.filter(|_| is_monitored(case)).unwrap_or(&breach.got))
}

fn is_monitored(case: &Case) -> bool {
    area_of(&case.id) == "monitor"
}

/// What we did until it was decided, in few words.
fn did(case: &Case) -> String {
    let acts = acts(&case.dialogue);
    if acts.is_empty() {
        return if is_monitored(case) {
            "listened to every connection of the run".into()
        } else {
            printable(&case.title)
        };
    }
    acts.join(", ")
}

/// Our side of a drawn dialogue up to the line that decides, in few words.
pub(super) fn acts(dialogue: &str) -> Vec<String> {
    let mut acts: Vec<(String, usize)> = Vec::new();
    for line in dialogue.lines() {
        let (line, decides) = match line.trim_end().strip_suffix("<-- here") {
            Some(line) => (line.trim_end(), true),
            None => (line, false),
        };
        if let Some(act) = line.split_once('|').and_then(|(_, said)| act(said)) {
            match acts.last_mut() {
                Some((last, times)) if *last == act => *times += 1,
                Some(_) | None => acts.push((act, 1)),
            }
        }
        if decides {
            break;
        }
    }
    let texts = acts.into_iter().map(|(act, times)| if times == 1 { act } else { format!("{act} ({times} times)") });
    let mut texts: Vec<_> = texts.collect();
    if texts.len() > 9 {
        let left_out = texts.len() - 8;
        texts.splice(4..4 + left_out, [format!("... {left_out} more ...")]);
    }
    texts
}

/// One thing that we did, from what is drawn right of the left bar: the word of a message with its id, the
/// method and path of a request. `None` for what the server did.
fn act(said: &str) -> Option<String> {
    if let Some(bytes) = said.strip_prefix("   * client writes ") {
        return Some(format!("write {}", printable(bytes)));
    }
    let label = said.strip_prefix("-- ")?;
    let label = label.strip_suffix(">|").map_or(label, |label| label.trim_end_matches('-').trim_end());
    let mut words = label.split(' ');
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Some(match first {
        "open" => "open a connection".into(),
        "text" | "binary" | "ping" | "pong" | "close" | "transport" => crate::scenario::cut(&printable(label), 40),
        "GET" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "HEAD" | "PATCH" => {
            format!("{first} {}", printable(second.split(['?', ':']).next().unwrap_or_default()))
        }
        // The body follows, in braces or as members with their names.
        _ if second.starts_with('{') || second.contains('=') || second.is_empty() => printable(first),
        _ => printable(&format!("{first} {second}")),
    })
}

fn mark(style: &Style, line: &str) -> String {
    match line.strip_suffix("<-- here") {
        Some(before) => format!("{before}{}", paint(style, RED, "<-- here")),
        None => line.into(),
    }
}

// The summary

fn table(run: &Run, style: &Style) -> String {
    let mut out = String::new();
    for dialect in Dialect::ALL {
        let mut areas: Vec<(&str, BTreeMap<Verdict, usize>)> = Vec::new();
        for case in run.cases.iter().filter(|case| case.dialect == dialect) {
            let area = area_of(&case.id);
            let at = areas.iter().position(|(name, _)| *name == area).unwrap_or_else(|| {
                areas.push((area, BTreeMap::new()));
                areas.len() - 1
            });
            if let Some((_, counts)) = areas.get_mut(at) {
                *counts.entry(case.verdict).or_default() += 1;
            }
        }
        if !areas.is_empty() {
            out.push_str(&format!("{dialect}\n"));
        }
        for (area, counts) in areas {
            out.push_str(&format!("  {:<14} {}\n", printable(area), area_line(&counts, style)));
        }
    }
    out
}

/// `subscribe` of `graphql/subscribe/ack`, `monitor` of `monitor/GQL-KA-002`.
pub(super) fn area_of(id: &str) -> &str {
    match id.split_once('/') {
        Some(("monitor", _)) => "monitor",
        Some((_, rest)) => rest.split('/').next().unwrap_or_default(),
        None => id,
    }
}

fn area_line(counts: &BTreeMap<Verdict, usize>, style: &Style) -> String {
    let total: usize = counts.values().sum();
    let passed = counts.get(&Verdict::Pass).copied().unwrap_or_default();
    // Rounded down: only an area that passed whole shows a full bar.
    let full = (passed * 10).checked_div(total).unwrap_or_default();
    let bar = format!("{}{}", "#".repeat(full), ".".repeat(10 - full));
    let others: Vec<_> = Verdict::ALL
        .into_iter()
        .filter(|verdict| *verdict != Verdict::Pass)
        .filter_map(|verdict| Some((verdict, counts.get(&verdict).copied().filter(|n| *n > 0)?)))
        .map(|(verdict, n)| paint(style, color_of(verdict), &format!("{n} {verdict}")))
        .collect();
    let tally = format!("{passed}/{total}");
    let line = format!("{bar} {tally:>7}   {}", others.join(", "));
    line.trim_end().to_owned()
}

fn by_reason(out: &mut String, run: &Run, verdict: Verdict, style: &Style) {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for case in run.cases.iter().filter(|case| case.verdict == verdict) {
        *reasons.entry(printable(&case.reason)).or_default() += 1;
    }
    if reasons.is_empty() {
        return;
    }
    out.push_str(&format!("{}\n", paint(style, color_of(verdict), verdict.word())));
    for (reason, count) in reasons {
        out.push_str(&format!("  {count:>4}  {reason}\n"));
    }
    out.push('\n');
}

fn inconclusive(out: &mut String, run: &Run, style: &Style) {
    let cases: Vec<_> = run.cases.iter().filter(|case| case.verdict == Verdict::Inconclusive).collect();
    if cases.is_empty() {
        return;
    }
    let word = Verdict::Inconclusive;
    out.push_str(&format!("{}\n", paint(style, color_of(word), word.word())));
    for case in cases {
        out.push_str(&format!("  {}: {}\n", printable(&case.id), printable(&case.reason)));
    }
    out.push('\n');
}

fn slowest(out: &mut String, run: &Run) {
    let mut cases: Vec<_> = run.cases.iter().filter(|case| case.took_ms > 0).collect();
    cases.sort_by_key(|case| std::cmp::Reverse(case.took_ms));
    cases.truncate(SLOWEST);
    if cases.is_empty() {
        return;
    }
    out.push_str("slowest\n");
    for case in cases {
        out.push_str(&format!("  {:>9}  {}\n", seconds(case.took_ms), printable(&case.id)));
    }
    out.push('\n');
}

fn counts_line(run: &Run, style: &Style) -> String {
    let counts = run.summary();
    let parts: Vec<_> = Verdict::ALL
        .into_iter()
        .map(|verdict| {
            let n = counts.get(&verdict).copied().unwrap_or_default();
            let text = format!("{n} {verdict}");
            if n == 0 { text } else { paint(style, color_of(verdict), &text) }
        })
        .collect();
    format!("summary  {}   {}\n", parts.join(" - "), seconds(run.took_ms))
}

/// How many of the rows that bind a server of these protocols were judged, and why not the others.
fn coverage_line(run: &Run) -> String {
    let dialects: BTreeSet<_> =
        run.cases.iter().map(|case| case.dialect).chain(run.target.endpoints.keys().copied()).collect();
    let judged = judged(run);
    let rows: Vec<_> = Requirement::ALL
        .iter()
        .filter(|rule| rule.dialect().is_none_or(|dialect| dialects.contains(&dialect)))
        .collect();
    let count = |keep: &dyn Fn(&Requirement) -> bool| rows.iter().filter(|rule| keep(rule)).count();
    let done = count(&|rule| judged.contains(rule));
    let visible = count(&|rule| judged.contains(rule) || rule.row().reach == Reach::Outside);
    let needing = count(&|rule| !judged.contains(rule) && matches!(rule.row().reach, Reach::Needs(_)));
    let hidden = count(&|rule| !judged.contains(rule) && matches!(rule.row().reach, Reach::Hidden(_)));
    let clients = count(&|rule| rule.row().party == Party::Client);
    format!(
        "requirements: {done} of {visible} exercised; not counted: {needing} need a special target,\n         \
         {hidden} cannot be seen from outside, {clients} bind clients"
    )
}

/// Requirements on which some case has said something.
fn judged(run: &Run) -> BTreeSet<Requirement> {
    run.cases
        .iter()
        .filter(|case| match case.verdict {
            Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Info => true,
            Verdict::NotApplicable | Verdict::Blocked | Verdict::Inconclusive => false,
        })
        .flat_map(|case| case.requirements.iter().copied())
        .collect()
}

fn seconds(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}

fn counted(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

// Layout

/// Column at which the text of a labelled line begins.
const TEXT_COLUMN: usize = 13;

/// Labelled lines with a hanging indent.
pub(super) struct Sheet {
    pub(super) out: String,
    width: usize,
}

impl Sheet {
    pub(super) const fn new(width: usize) -> Self {
        Self { out: String::new(), width }
    }

    /// A line as it is.
    pub(super) fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// A label and its text, wrapped.
    pub(super) fn field(&mut self, label: &str, text: &str) {
        let room = if self.width == 0 { usize::MAX } else { self.width.saturating_sub(TEXT_COLUMN).max(30) };
        let mut label = label;
        for line in wrap(text, room) {
            self.line(&format!("  {label:<w$}{line}", w = TEXT_COLUMN - 2));
            label = "";
        }
    }

    /// More text under the same label.
    pub(super) fn more(&mut self, text: &str) {
        self.field("", text);
    }

    /// A label and its text on one line, to be copied.
    pub(super) fn whole(&mut self, label: &str, text: &str) {
        self.line(&format!("  {label:<w$}{text}", w = TEXT_COLUMN - 2));
    }

    /// A label and several texts below each other.
    pub(super) fn list(&mut self, label: &str, texts: &[String]) {
        let mut label = label;
        for text in texts {
            self.field(label, text);
            label = "";
        }
    }

    /// Prose without a label.
    pub(super) fn prose(&mut self, text: &str) {
        let room = if self.width == 0 { usize::MAX } else { self.width.saturating_sub(2).max(30) };
        for line in wrap(text, room) {
            self.line(&format!("  {line}"));
        }
    }
}

/// Breaks at spaces, and keeps every other space: what was seen has to read as it was.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_inclusive(' ') {
        let own = word.trim_end_matches(' ').chars().count();
        if length > 0 && length + own > room {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        line.push_str(word);
        length += word.chars().count();
    }
    lines.push(line);
    lines
}

const RED: &str = "31;1";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BLUE: &str = "34";
const GREY: &str = "90";

const fn color_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => GREEN,
        Verdict::Fail => RED,
        Verdict::Warn | Verdict::Inconclusive => YELLOW,
        Verdict::Info => BLUE,
        Verdict::NotApplicable | Verdict::Blocked => GREY,
    }
}

fn paint(style: &Style, color: &str, text: &str) -> String {
    if style.color { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.into() }
}
