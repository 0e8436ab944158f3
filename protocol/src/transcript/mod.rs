//! What happened on one or several connections, as a recording: entries in the order of time.
//!
//! A transcript is evidence. It is written as JSON Lines and read back ([`json`]), drawn for people ([`dialogue`]), and
//! scrubbed of secrets before either ([`redact`]). It keeps what came first: beyond its bounds it counts what it drops.
//! Nothing here knows what a frame means; a recording of two peers that speak nonsense is as good as any other.
//!
//! The invariant: what [`Transcript::to_json_lines`] wrote, [`read`] reads back as an equal transcript.
//!
//! ```text
//!   Request + Response --What::open--> Entry --Redactor::entry--> Transcript --to_json_lines--> text --read--+
//!   Frame ------------------------------^                             ^  |                                   |
//!                                                                     |  +--draw--> columns for people       |
//!                                                                     +--------------------------------------+
//! ```

pub mod dialogue;
pub mod json;
pub mod redact;

pub use dialogue::draw;
pub use json::{TranscriptError, TranscriptFault, read};
pub use redact::Redactor;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::moment::Moment;
use crate::wire::{Headers, OwnedFrame, Request, Response, Side};

/// Entries that one transcript keeps. Own bound: a day of keep-alives many times over.
pub const TRANSCRIPT_ENTRIES_MAX: usize = 100_000;

/// Bytes of text and bodies that one transcript keeps. Own bound: 64 MiB.
pub const TRANSCRIPT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// On which connection, by a number that the recorder gave it.
    pub connection: u32,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Eq)]
pub enum What {
    /// An upgrade and its answer.
    Open {
        /// Path and query, without credentials.
        target: String,
        /// Subprotocols offered, without credentials.
        subprotocols: Vec<String>,
        /// Status of the answer.
        status: u16,
        /// The subprotocol it selected.
        selected: Option<String>,
    },
    /// A frame, or the end of the transport.
    Frame {
        /// Who sent it.
        from: Side,
        /// What it was.
        frame: OwnedFrame,
    },
    /// An HTTP exchange beside the connections.
    Http {
        /// What was asked.
        request: Request,
        /// What was answered.
        response: Response,
    },
    /// A remark of the recorder.
    Note(String),
}

impl What {
    /// An upgrade as it is recorded: of the heads only what is neither secret nor random.
    ///
    /// The query values `header` and `payload` and what follows `header-` in a subprotocol become `${credentials}`,
    /// whatever they are.
    pub fn open(request: &Request, response: &Response) -> Self {
        Self::Open {
            target: redact::without_query_credentials(&request.target),
            subprotocols: request.subprotocols().map(redact::without_token).collect(),
            status: response.status,
            selected: response.subprotocol().map(redact::without_token),
        }
    }

    /// Bytes of text and bodies in it.
    fn weight(&self) -> usize {
        let headers = |headers: &Headers| headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        match self {
            Self::Open { target, subprotocols, selected, .. } => {
                let offered: usize = subprotocols.iter().map(String::len).sum();
                target.len() + offered + selected.as_ref().map_or(0, String::len)
            }
            Self::Frame { frame, .. } => match frame {
                OwnedFrame::Text { text, .. } => text.len(),
                OwnedFrame::Binary(bytes) | OwnedFrame::Ping(bytes) | OwnedFrame::Pong(bytes) => bytes.len(),
                OwnedFrame::Close { reason, .. } => reason.len(),
                OwnedFrame::Lost => 0,
            },
            Self::Http { request, response } => {
                request.method.len()
                    + request.target.len()
                    + headers(&request.headers)
                    + request.body.0.len()
                    + headers(&response.headers)
                    + response.body.0.len()
            }
            Self::Note(note) => note.len(),
        }
    }
}

/// Entries in the order of time.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    entries: Vec<Entry>,
    bytes: usize,
    dropped: u64,
}

impl Transcript {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), bytes: 0, dropped: 0 }
    }

    /// Appends an entry, or counts it as dropped if a bound is reached. Time never goes back: an entry that claims an
    /// earlier moment is recorded as happening now.
    pub fn push(&mut self, mut entry: Entry) {
        let weight = entry.what.weight();
        let full = self.entries.len() >= TRANSCRIPT_ENTRIES_MAX || self.bytes + weight > TRANSCRIPT_BYTES_MAX;
        // Once something is missing, what comes later would be misread as following what was kept.
        if full || self.dropped > 0 {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        if let Some(last) = self.entries.last() {
            entry.at = entry.at.max(last.at);
        }
        self.bytes += weight;
        self.entries.push(entry);
    }

    /// What was recorded.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Entries that found no place.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Several recordings on one clock as one, in the order of time; at equal moments in the order given.
    #[must_use]
    pub fn merged(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut entries = Vec::new();
        let mut dropped = 0u64;
        for part in parts {
            dropped = dropped.saturating_add(part.dropped);
            entries.extend(part.entries);
        }
        entries.sort_by_key(|entry| entry.at);

        let mut whole = Self::new();
        for entry in entries {
            whole.push(entry);
        }
        whole.dropped = whole.dropped.saturating_add(dropped);
        whole
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transcript({} entries, {} bytes, {} dropped)", self.entries.len(), self.bytes, self.dropped)
    }
}

impl fmt::Debug for What {
    /// Sizes and states, never a text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { status, .. } => write!(f, "Open({status})"),
            Self::Frame { from, frame } => write!(f, "Frame({from}, {frame:?})"),
            Self::Http { request, response } => {
                write!(f, "Http({}, {:?}: {}, {:?})", request.method, request.body, response.status, response.body)
            }
            Self::Note(note) => write!(f, "Note({} bytes)", note.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn note(at: u64, text: &str) -> Entry {
        Entry { at: Moment::from_millis(at), connection: 1, what: What::Note(text.into()) }
    }

    #[test]
    fn what_finds_no_place_is_counted() {
        let mut transcript = Transcript::new();
        for _ in 0..TRANSCRIPT_ENTRIES_MAX + 2 {
            transcript.push(note(0, ""));
        }

        assert_eq!((transcript.entries().len(), transcript.dropped()), (TRANSCRIPT_ENTRIES_MAX, 2));
    }

    #[test]
    fn after_a_gap_nothing_more_is_kept() {
        let mut transcript = Transcript::new();
        transcript.push(note(0, "first"));
        transcript.push(note(1, &"x".repeat(TRANSCRIPT_BYTES_MAX)));
        transcript.push(note(2, "later"));

        assert_eq!((transcript.entries().len(), transcript.dropped()), (1, 2));
    }

    #[test]
    fn time_never_goes_back() {
        let mut transcript = Transcript::new();
        transcript.push(note(5, ""));
        transcript.push(note(3, ""));

        assert_eq!(transcript.entries()[1].at, Moment::from_millis(5));
    }

    #[test]
    fn recordings_on_one_clock_merge_by_time() {
        let part = |entries: &[(u64, &str)]| {
            let mut transcript = Transcript::new();
            entries.iter().for_each(|(at, text)| transcript.push(note(*at, text)));
            transcript
        };

        let whole = Transcript::merged([part(&[(1, "a"), (3, "c")]), part(&[(1, "b"), (2, "d")])]);

        let order: Vec<_> = whole.entries().iter().map(|entry| entry.what.clone()).collect();
        assert_eq!(order, ["a", "b", "d", "c"].map(|text| What::Note(text.into())));
    }

    #[test]
    fn an_upgrade_is_recorded_without_its_credentials() {
        let request = Request {
            method: "GET".into(),
            target: "/graphql?header=eyJ4Ijoic2VjcmV0In0%3D&payload=e30=&x=1".into(),
            headers: Headers::new().with("Sec-WebSocket-Protocol", "graphql-ws, header-eyJ4Ijoic2VjcmV0In0"),
            body: crate::wire::Bytes::default(),
        };

        let what = What::open(&request, &Response::new(401, ""));

        assert_eq!(
            what,
            What::Open {
                target: "/graphql?header=${credentials}&payload=${credentials}&x=1".into(),
                subprotocols: ["graphql-ws", "header-${credentials}"].map(String::from).into(),
                status: 401,
                selected: None,
            }
        );
    }

    #[test]
    fn debug_output_shows_no_text() {
        let shown = format!("{:?}", note(0, "secret"));

        assert!(!shown.contains("secret"), "{shown}");
    }
}
