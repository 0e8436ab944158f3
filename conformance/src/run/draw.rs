//! The dialogue of a case, for a failure and for reports: as data and drawn, both without secrets.

use std::collections::BTreeMap;

use appsync_protocol::transcript::{Entry as Line, Redactor, Transcript, What, draw};
use appsync_protocol::wire::{OwnedFrame, Request};

use crate::player::{Entry, Event};
use crate::scenario::{Conn, cut_hidden};

/// Most entries of one drawing; around the marked one where there are more.
const ENTRIES_MAX: usize = 120;

/// Longest text of one message in a drawing, in characters.
const TEXT_MAX: usize = 2_000;

/// What a report shows of a record.
#[derive(Clone)]
pub(super) struct Drawn {
    /// The drawing; the deciding line is marked.
    pub(super) dialogue: String,
    /// What was drawn.
    pub(super) trace: Transcript,
    /// Index in the trace of the deciding entry.
    pub(super) mark: Option<usize>,
}

impl Drawn {
    /// Where there is nothing to show.
    pub(super) const fn nothing() -> Self {
        Self { dialogue: String::new(), trace: Transcript::new(), mark: None }
    }
}

/// Draws a record; the entry with this index is marked.
pub(super) fn dialogue(record: &[Entry], mark: Option<usize>, redactor: &Redactor) -> Drawn {
    let (lines, places) = lines(record, redactor);
    let mark = mark.and_then(|mark| places.get(mark).copied());
    let from = mark.map_or(0, |mark| mark.saturating_sub(ENTRIES_MAX / 2));
    let mut transcript = Transcript::new();
    for line in lines.iter().skip(from).take(ENTRIES_MAX) {
        transcript.push(redactor.entry(line));
    }
    let mark = mark.map(|mark| mark - from);
    let mut out = draw(&transcript, mark);
    if from > 0 {
        out.insert_str(0, &format!("  ({from} entries before)\n"));
    }
    let after = lines.len().saturating_sub(from + ENTRIES_MAX);
    if after > 0 {
        out.push_str(&format!("  ({after} entries more)\n"));
    }
    Drawn { dialogue: out, trace: transcript, mark }
}

/// The record as lines of a transcript, and for each entry of the record the line it stands in: a request and
/// its answer are one line.
fn lines(record: &[Entry], redactor: &Redactor) -> (Vec<Line>, Vec<usize>) {
    let mut lines: Vec<Line> = Vec::new();
    let mut places = Vec::new();
    let mut upgrades: BTreeMap<Conn, Request> = BTreeMap::new();
    let mut calls: BTreeMap<u32, Request> = BTreeMap::new();
    for entry in record {
        let what = match &entry.event {
            Event::Upgrade { request } => {
                upgrades.insert(entry.conn, request.clone());
                None
            }
            Event::Upgraded { response } => upgrades.remove(&entry.conn).map(|request| What::open(&request, response)),
            Event::Failed { what } => Some(What::Note(what.clone())),
            Event::Bytes { what } => Some(What::Note(format!("client writes bytes: {what}"))),
            Event::Frame { from, frame } => Some(What::Frame { from: *from, frame: shortened(frame, redactor) }),
            Event::Call { call, request } => {
                calls.insert(*call, Request { body: brief(&request.body.text(), redactor).into(), ..request.clone() });
                None
            }
            Event::Answer { call, response } => {
                let mut response = response.clone();
                response.body = brief(&response.body.text(), redactor).into();
                calls.remove(call).map(|request| What::Http { request, response })
            }
        };
        if let Some(what) = what {
            lines.push(Line { at: entry.at, connection: u32::from(entry.conn), what });
        }
        places.push(lines.len().saturating_sub(1));
    }
    (lines, places)
}

fn shortened(frame: &OwnedFrame, redactor: &Redactor) -> OwnedFrame {
    match frame {
        OwnedFrame::Text { text, fragments } if text.len() > TEXT_MAX => {
            OwnedFrame::Text { text: brief(text, redactor), fragments: *fragments }
        }
        other @ (OwnedFrame::Text { .. }
        | OwnedFrame::Binary(_)
        | OwnedFrame::Ping(_)
        | OwnedFrame::Pong(_)
        | OwnedFrame::Close { .. }
        | OwnedFrame::Lost) => other.clone(),
    }
}

/// The text without secrets, cut to [`TEXT_MAX`] characters.
fn brief(text: &str, redactor: &Redactor) -> String {
    cut_hidden(text, TEXT_MAX, redactor)
}
