//! Structured values out of the bytes of the fuzzer.
//!
//! An input that has run out of bytes gives the first choice of each kind, so every input means something and shrinks by
//! deletion.

use arbitrary::Unstructured;
use serde_json::{Map, Value, json};

/// Bytes as choices.
pub struct Draw<'a>(Unstructured<'a>);

/// Pieces of text that readers and writers stumble over.
const PIECES: [&str; 32] = [
    "a",
    "",
    "0",
    "1",
    " ",
    "\"",
    "\\",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{1b}[31m",
    "\u{9b}2J",
    "\u{7f}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "\u{ffff}",
    "\u{1f600}",
    "é",
    "<b>",
    "</script>",
    "]]>",
    "-->",
    "&amp;",
    "'",
    "`",
    "|",
    "/",
    "*",
    "${x}",
    "::error::",
];

impl<'a> Draw<'a> {
    /// Draws from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// Whether nothing is left to draw from.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that are left.
    pub fn rest(self) -> &'a [u8] {
        self.0.take_rest()
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// A number below `count`, which is not 0.
    pub fn below(&mut self, count: usize) -> usize {
        let byte = usize::from(self.byte());
        if count <= 256 { byte % count } else { (byte << 8 | usize::from(self.byte())) % count }
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// Four bytes.
    pub fn number(&mut self) -> u32 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// Eight bytes.
    pub fn long(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// Yes, once in `of`.
    pub fn once_in(&mut self, of: u8) -> bool {
        self.byte() % of == of - 1
    }

    /// Some bytes, at most `most`.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let count = self.below(most + 1).min(self.0.len());
        self.0.bytes(count).unwrap_or_default()
    }

    /// A text: a piece, several, or bytes of the input.
    pub fn text(&mut self) -> String {
        match self.byte() % 4 {
            0 => self.pick(&["a", "b", "x-api-key", "host", "id", "1", "true", "null"]).to_owned(),
            1 => self.pick(&PIECES).to_owned(),
            2 => (0..self.below(6)).map(|_| self.pick(&PIECES)).collect(),
            _ => String::from_utf8_lossy(self.bytes(24)).into_owned(),
        }
    }

    /// A JSON value.
    pub fn value(&mut self, depth: usize) -> Value {
        match self.byte() % if depth == 0 { 7 } else { 9 } {
            0 => Value::Null,
            1 => Value::Bool(self.byte() & 1 == 1),
            2 => json!(self.byte()),
            3 => json!(self.long().cast_signed()),
            4 => json!(f64::from(self.number().cast_signed()) / 8.0),
            5 => json!(self.pick(&[u64::MAX, i64::MAX as u64, 1 << 53, (1 << 53) + 1])),
            6 => json!(self.text()),
            7 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object((0..self.below(4)).map(|_| (self.text(), self.value(depth - 1))).collect::<Map<_, _>>()),
        }
    }

    /// The text of a JSON value, in the plainest spelling.
    pub fn json(&mut self) -> String {
        self.value(3).to_string()
    }
}
