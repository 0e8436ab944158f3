//! JSON values that stay text, and the walk that finds where they end.
//!
//! The walk checks the grammar of RFC 8259 and builds nothing: it is the only reader on the hot path. It goes over
//! bytes once, without recursion, so that no text can exhaust the stack. What an escape stands for is asked only of
//! strings that somebody reads: an unpaired surrogate in a body is no reason to refuse the message around it.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::escape::{plain, unescaped};

/// Text of one JSON value, unparsed and without white space around it. Its grammar has been checked.
#[derive(Clone, Copy)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// The value in `text`, which may have white space around it. Where it is not one JSON value, the byte offset
    /// at which reading stopped, at most the length of the text.
    pub fn read(text: &'a str) -> Result<Self, usize> {
        let mut walk = Walk::new(text);
        let value = walk.begin().and_then(|_| walk.value()).filter(|_| walk.at_end());
        value.ok_or(walk.at)
    }

    /// The text.
    pub const fn get(self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for Raw<'_> {
    /// Shows the length, never the text: bodies may carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

/// A [`Raw`] that owns its text.
#[derive(Clone)]
pub struct RawBuf(String);

impl RawBuf {
    /// The value in `text`; `None` if it is not exactly one JSON value without white space around it.
    pub fn read(text: String) -> Option<Self> {
        Raw::read(&text).is_ok_and(|raw| raw.get().len() == text.len()).then_some(Self(text))
    }

    /// The value.
    pub fn as_raw(&self) -> Raw<'_> {
        Raw(&self.0)
    }
}

impl fmt::Debug for RawBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_raw().fmt(f)
    }
}

/// A place in a text. Moves on over what has its form; where a step gives `None`, it stands where the form broke.
pub(crate) struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The byte offset.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Skips white space; what begins there.
    pub(crate) fn begin(&mut self) -> Option<u8> {
        self.blanks();
        self.peek()
    }

    /// Whether only white space is left.
    pub(crate) fn at_end(&mut self) -> bool {
        self.blanks();
        self.peek().is_none()
    }

    /// An object: `each` gets names and values in order.
    pub(crate) fn object(&mut self, mut each: impl FnMut(Cow<'a, str>, Raw<'a>)) -> Option<()> {
        self.take(b'{')?;
        self.blanks();
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.name()?;
            let value = self.value()?;
            each(name, value);
            self.blanks();
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
            self.blanks();
        }
    }

    /// An array: `each` gets the elements in order.
    pub(crate) fn array(&mut self, mut each: impl FnMut(Raw<'a>)) -> Option<()> {
        self.take(b'[')?;
        self.blanks();
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            each(self.value()?);
            self.blanks();
            if self.take(b',').is_none() {
                return self.take(b']');
            }
            self.blanks();
        }
    }

    /// A value of any kind, however deep.
    pub(crate) fn value(&mut self) -> Option<Raw<'a>> {
        let start = self.at;
        let mut open = Nesting::default();
        'value: loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' => {
                    self.at += 1;
                    self.blanks();
                    if self.take(b'}').is_none() {
                        open.push(true);
                        self.skip_name()?;
                        continue 'value;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.blanks();
                    if self.take(b']').is_none() {
                        open.push(false);
                        continue 'value;
                    }
                }
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            // Behind a value: what is around it goes on or ends.
            while let Some(in_object) = open.innermost() {
                self.blanks();
                if self.take(b',').is_some() {
                    self.blanks();
                    if in_object {
                        self.skip_name()?;
                    }
                    continue 'value;
                }
                self.take(if in_object { b'}' } else { b']' })?;
                open.pop();
            }
            return self.text.get(start..self.at).map(Raw);
        }
    }

    /// A name that is read, and the colon behind it.
    fn name(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at;
        let escaped = self.string()?;
        let quoted = self.text.get(start..self.at)?;
        let name = if escaped { string(Raw(quoted)) } else { quoted.get(1..quoted.len() - 1).map(Cow::Borrowed) };
        if name.is_none() {
            self.at = start;
            return None;
        }
        self.colon()?;
        name
    }

    /// A name that nobody asks for, and the colon behind it.
    fn skip_name(&mut self) -> Option<()> {
        self.string()?;
        self.colon()
    }

    fn colon(&mut self) -> Option<()> {
        self.blanks();
        self.take(b':')?;
        self.blanks();
        Some(())
    }

    /// A string with its quotes; whether it holds an escape.
    fn string(&mut self) -> Option<bool> {
        self.take(b'"')?;
        let bytes = self.text.as_bytes();
        let (mut at, mut escaped) = (self.at, false);
        loop {
            at += plain(bytes.get(at..).unwrap_or_default());
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Some(escaped);
                }
                Some(b'\\') => match bytes.get(at + 1) {
                    Some(short) if SHORT_ESCAPES[usize::from(*short)] => {
                        at += 2;
                        escaped = true;
                    }
                    Some(b'u') => {
                        self.at = at + 2;
                        self.hexadecimal()?;
                        at = self.at;
                        escaped = true;
                    }
                    Some(_) | None => {
                        self.at = bytes.len().min(at + 1);
                        return None;
                    }
                },
                Some(_) | None => {
                    self.at = at;
                    return None;
                }
            }
        }
    }

    /// The four digits of an escape.
    fn hexadecimal(&mut self) -> Option<()> {
        for _ in 0..4 {
            self.peek().filter(u8::is_ascii_hexdigit)?;
            self.at += 1;
        }
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if self.take(b'e').or_else(|| self.take(b'E')).is_some() {
            let _ = self.take(b'+').or_else(|| self.take(b'-'));
            self.digits()?;
        }
        Some(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        self.peek().filter(u8::is_ascii_digit)?;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        word.iter().try_for_each(|byte| self.take(*byte))
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.peek().filter(|next| *next == byte)?;
        self.at += 1;
        Some(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// What may stand behind a backslash alone, to be looked up: asked for one by one it is a jump through a table.
const SHORT_ESCAPES: [bool; 256] = {
    let mut short = [false; 256];
    let mut at = 0;
    while at < 8 {
        short[br#""\/bfnrt"#[at] as usize] = true;
        at += 1;
    }
    short
};

/// The objects and arrays that are open: a bit for each, so that the depth of any usual message costs no memory.
#[derive(Default)]
struct Nesting {
    depth: usize,
    /// The innermost up to 64; the lowest bit is the innermost, 1 for an object.
    near: u64,
    /// Those around them, 64 in each.
    far: Vec<u64>,
}

impl Nesting {
    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.far.push(self.near);
        }
        self.near = self.near << 1 | u64::from(object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.near >>= 1;
        if self.depth.is_multiple_of(64) {
            self.near = self.far.pop().unwrap_or_default();
        }
    }

    /// Whether the innermost is an object; `None` where nothing is open.
    const fn innermost(&self) -> Option<bool> {
        if self.depth == 0 { None } else { Some(self.near & 1 == 1) }
    }
}

/// The text of a JSON string: borrowed unless it holds an escape. `None` if `raw` is no string, or one
/// that stands for no text (an unpaired surrogate).
pub fn string(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.as_bytes().contains(&b'\\') { unescaped(inner).map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// Above this not every whole number is one that all readers of JSON agree on.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;

/// A whole number of zero or more. JSON knows numbers by their value: `3e5` and `300000.0` are 300000 too.
///
/// Source: RFC 8259 section 6.
pub fn whole_number(raw: Raw<'_>) -> Option<u64> {
    raw.get().parse().ok().or_else(|| in_another_spelling(raw.get()))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "compared back"
)]
fn in_another_spelling(text: &str) -> Option<u64> {
    let value: f64 = text.parse().ok().filter(|value| (0.0..=EXACT_MAX).contains(value))?;
    let whole = value as u64;
    (whole as f64 >= value && text.starts_with(|c: char| c.is_ascii_digit())).then_some(whole)
}

/// Whether the value is `null`.
pub fn is_null(raw: Raw<'_>) -> bool {
    raw.get() == "null"
}

/// Whether the value is a string.
pub(crate) fn is_string(raw: Raw<'_>) -> bool {
    raw.get().starts_with('"')
}

/// Whether the value is a string that stands for a text: one without an unpaired surrogate.
pub(crate) fn is_text(raw: Raw<'_>) -> bool {
    is_string(raw) && (!raw.get().contains("\\u") || string(raw).is_some())
}

/// Whether the value is an object.
pub fn is_object(raw: Raw<'_>) -> bool {
    raw.get().starts_with('{')
}

/// Whether the value is an array.
pub fn is_array(raw: Raw<'_>) -> bool {
    raw.get().starts_with('[')
}

/// The value of one member of an object, unparsed; the last of several. `None` also where a name of the object
/// stands for no text.
pub fn member<'a>(raw: Raw<'a>, name: &str) -> Option<Raw<'a>> {
    let mut found = None;
    Walk::new(raw.get()).object(|its_name, value| {
        if its_name == name {
            found = Some(value);
        }
    })?;
    found
}

/// The elements of an array, unparsed; empty if it is none.
pub fn elements(raw: Raw<'_>) -> Vec<Raw<'_>> {
    let mut all = Vec::new();
    let walked = Walk::new(raw.get()).array(|element| all.push(element));
    walked.map(|()| all).unwrap_or_default()
}

/// The members of an object in order, values unparsed; empty if it is none, or if a name stands for no text.
pub fn members(raw: Raw<'_>) -> Vec<(Cow<'_, str>, Raw<'_>)> {
    readable_members(raw).unwrap_or_default()
}

/// The members of an object in order, values unparsed; `None` if it is none, or if a name stands for no text.
pub(crate) fn readable_members(raw: Raw<'_>) -> Option<Vec<(Cow<'_, str>, Raw<'_>)>> {
    let mut all = Vec::new();
    Walk::new(raw.get()).object(|name, value| all.push((name, value)))?;
    Some(all)
}
