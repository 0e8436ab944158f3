//! Takes secrets out of recordings and puts typed placeholders in their place: `${key:1}`.
//!
//! A secret is a text the recorder knows: a key, a token, a signature. It is found in whatever spelling it travels:
//!
//! | Spelling | Where | Becomes |
//! |---|---|---|
//! | as it is | header fields, raw texts | `${label:n}` |
//! | JSON-escaped, also twice or with `\uXXXX` | messages, and `payload.data` within them | `${label:n}` |
//! | percent-encoded, also of JSON | URLs | `${label:n}` |
//! | base64 of a text that holds it, either alphabet, also percent-encoded | `header-` tokens, query values, bodies | the whole run becomes `${credentials}` |
//!
//! The first three are one matcher that reads a secret character by character and takes any spelling of each, mixed ones
//! too. Base64 has four alignments; a run is decoded in all of them, so a token is found wherever it begins. In upgrades
//! and request targets credentials go without being known: the query values `header` and `payload` and what follows
//! `header-`. Two limits: a secret of fewer than [`HIDDEN_BYTES_MIN`] bytes is not looked for in base64, where it
//! would be found by chance everywhere; and a secret that was cut in two is two texts nobody knows. The cost is linear in
//! the text, whatever a peer sends.
//!
//! The invariant: no text that a [`Redactor`] gives back holds one of its secrets in one of these spellings.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Entry, Transcript, What};
use crate::handshake::base64::percent_decode;
use crate::wire::{Bytes, Headers, OwnedFrame, Request, Response};

mod spelling;

use spelling::{Run, begins_encoding, spelled};

/// Shortest secret that is looked for in base64, in bytes.
pub const HIDDEN_BYTES_MIN: usize = 4;

/// Stands for a whole authorization object.
pub const CREDENTIALS: &str = "${credentials}";

const TOKEN_PREFIX: &str = "header-";

/// The secrets of a recording and their placeholders.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret within another one does not spoil it.
    secrets: Vec<Secret>,
    /// Indexes of those that begin with this byte: a run knows hundreds of signatures.
    starts: BTreeMap<u8, Vec<usize>>,
    counts: BTreeMap<String, u32>,
}

#[derive(Clone)]
struct Secret {
    chars: Vec<char>,
    bytes: usize,
    placeholder: String,
}

impl Redactor {
    /// A redactor of labelled secrets. The second `key` becomes `${key:2}`; empty ones are left out.
    pub fn new(secrets: &[(&str, &str)]) -> Self {
        let mut redactor = Self::default();
        for (label, value) in secrets {
            redactor.add(label, value);
        }
        redactor
    }

    /// One more secret; gives its placeholder. One that is known already keeps the placeholder it has.
    pub fn add(&mut self, label: &str, value: &str) -> String {
        let chars: Vec<char> = value.chars().collect();
        if let Some(known) = self.secrets.iter().find(|secret| secret.chars == chars) {
            return known.placeholder.clone();
        }
        let count = self.counts.entry(label.into()).or_default();
        *count += 1;
        let placeholder = format!("${{{label}:{count}}}");
        if !chars.is_empty() {
            let place = self.secrets.partition_point(|secret| secret.bytes >= value.len());
            self.secrets.insert(place, Secret { chars, bytes: value.len(), placeholder: placeholder.clone() });
            self.index();
        }
        placeholder
    }

    fn index(&mut self) {
        self.starts.clear();
        for (index, secret) in self.secrets.iter().enumerate() {
            let mut utf8 = [0; 4];
            let first = secret.chars.first().map(|c| c.encode_utf8(&mut utf8).as_bytes()[0]);
            self.starts.entry(first.unwrap_or_default()).or_default().push(index);
        }
    }

    /// The text without secrets.
    pub fn text(&self, text: &str) -> String {
        match String::from_utf8(self.bytes(text.as_bytes())) {
            Ok(text) => text,
            Err(broken) => String::from_utf8_lossy(broken.as_bytes()).into_owned(),
        }
    }

    /// The bytes without secrets.
    pub fn bytes(&self, input: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(input.len());
        if self.secrets.is_empty() {
            out.extend_from_slice(input);
            return out;
        }
        let (mut at, mut run_end) = (0, 0);
        while let Some(byte) = input.get(at) {
            if at >= run_end
                && let Some(run) = Run::at(input, at)
            {
                run_end = run.end;
                if self.hides(&run) {
                    if run.symbols.starts_with(TOKEN_PREFIX.as_bytes()) {
                        out.extend_from_slice(TOKEN_PREFIX.as_bytes());
                    }
                    out.extend_from_slice(CREDENTIALS.as_bytes());
                    at = run.end_with_padding;
                    continue;
                }
            }
            match self.secret_at(input, at) {
                Some((secret, end)) => {
                    out.extend_from_slice(secret.placeholder.as_bytes());
                    at = end;
                }
                None => {
                    out.push(*byte);
                    at += 1;
                }
            }
        }
        out
    }

    /// The entry without secrets, and without credentials where they stand by the rules of the upgrade.
    pub fn entry(&self, entry: &Entry) -> Entry {
        let what = match &entry.what {
            What::Open { target, subprotocols, status, selected } => What::Open {
                target: self.text(&without_query_credentials(target)),
                subprotocols: subprotocols.iter().map(|offered| self.text(&without_token(offered))).collect(),
                status: *status,
                selected: selected.as_ref().map(|selected| self.text(&without_token(selected))),
            },
            What::Frame { from, frame } => What::Frame { from: *from, frame: self.frame(frame) },
            What::Http { request, response } => What::Http {
                request: Request {
                    method: self.text(&request.method),
                    target: self.text(&without_query_credentials(&request.target)),
                    headers: self.headers(&request.headers),
                    body: Bytes(self.bytes(&request.body.0)),
                },
                response: Response {
                    status: response.status,
                    headers: self.headers(&response.headers),
                    body: Bytes(self.bytes(&response.body.0)),
                },
            },
            What::Note(note) => What::Note(self.text(note)),
        };
        Entry { at: entry.at, connection: entry.connection, what }
    }

    /// The transcript without secrets. The number of dropped entries stays.
    #[must_use]
    pub fn transcript(&self, transcript: &Transcript) -> Transcript {
        let mut redacted = Transcript::new();
        for entry in transcript.entries() {
            redacted.push(self.entry(entry));
        }
        redacted.dropped = redacted.dropped.saturating_add(transcript.dropped());
        redacted
    }

    fn frame(&self, frame: &OwnedFrame) -> OwnedFrame {
        match frame {
            OwnedFrame::Text { text, fragments } => OwnedFrame::Text { text: self.text(text), fragments: *fragments },
            OwnedFrame::Binary(bytes) => OwnedFrame::Binary(self.bytes(bytes)),
            OwnedFrame::Ping(bytes) => OwnedFrame::Ping(self.bytes(bytes)),
            OwnedFrame::Pong(bytes) => OwnedFrame::Pong(self.bytes(bytes)),
            OwnedFrame::Close { code, reason } => OwnedFrame::Close { code: *code, reason: self.text(reason) },
            OwnedFrame::Lost => OwnedFrame::Lost,
        }
    }

    fn headers(&self, headers: &Headers) -> Headers {
        headers.iter().fold(Headers::new(), |redacted, (name, value)| {
            let value = if name.eq_ignore_ascii_case("sec-websocket-protocol") {
                value.split(',').map(|offered| without_token(offered.trim())).collect::<Vec<_>>().join(", ")
            } else {
                value.to_owned()
            };
            redacted.with(self.text(name), self.text(&value))
        })
    }

    /// The longest secret of which some spelling begins here, and where it ends.
    fn secret_at<'s>(&'s self, input: &[u8], at: usize) -> Option<(&'s Secret, usize)> {
        let first = *input.get(at)?;
        let spelled_here = |secret: &'s Secret| Some((secret, spelled(input, at, &secret.chars)?));
        if begins_encoding(first) {
            return self.secrets.iter().find_map(spelled_here);
        }
        self.starts.get(&first)?.iter().filter_map(|index| self.secrets.get(*index)).find_map(spelled_here)
    }

    /// Whether a run of base64 symbols stands for something that holds a secret.
    fn hides(&self, run: &Run) -> bool {
        // Four symbols carry three bytes.
        let mut sizes = self.secrets.iter().rev().map(|secret| secret.bytes);
        let Some(shortest) = sizes.find(|bytes| *bytes >= HIDDEN_BYTES_MIN) else { return false };
        if run.symbols.len() * 3 / 4 < shortest {
            return false;
        }
        (0..4).any(|alignment| {
            let decoded = run.decoded(alignment);
            // Of those that are spelled here the longest is found, so that a short one hides no other.
            (0..decoded.len())
                .any(|at| self.secret_at(&decoded, at).is_some_and(|(secret, _)| secret.bytes >= HIDDEN_BYTES_MIN))
        })
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.secrets.iter().map(|secret| &secret.placeholder)).finish()
    }
}

/// A request target whose query values `header` and `payload` are placeholders, whatever they were.
pub(super) fn without_query_credentials(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_credential_parameter(name) => format!("{name}={CREDENTIALS}"),
        Some(_) | None => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

fn is_credential_parameter(name: &str) -> bool {
    let name = percent_decode(name);
    name.eq_ignore_ascii_case("header") || name.eq_ignore_ascii_case("payload")
}

/// A subprotocol whose token, if it is one, is a placeholder.
pub(super) fn without_token(offered: &str) -> String {
    match offered.get(..TOKEN_PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(TOKEN_PREFIX) => format!("{prefix}{CREDENTIALS}"),
        Some(_) | None => offered.to_owned(),
    }
}

#[cfg(test)]
mod tests;
