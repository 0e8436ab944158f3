//! Writes JSON objects member by member into a caller's buffer: the only serialiser of messages.
//!
//! The order of members is fixed, so that transcripts compare as text. Raw members are copied as they
//! are: a body serialised once serves every subscriber.

use alloc::string::String;

use crate::envelope::Raw;
use crate::json::push_json_string;

/// An object under construction.
pub struct ObjectWriter<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> ObjectWriter<'o> {
    /// Opens an object at the end of `out`.
    pub fn open(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    /// Opens a message: an object whose first member is its `type`.
    pub fn message(out: &'o mut String, word: &str) -> Self {
        Self::open(out).string("type", word)
    }

    /// A string member.
    #[must_use]
    pub fn string(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        push_json_string(self.out, value);
        self
    }

    /// A member whose value is JSON text already.
    #[must_use]
    pub fn text(mut self, name: &str, json: &str) -> Self {
        self.name(name);
        self.out.push_str(json);
        self
    }

    /// A raw member, left out where there is none.
    #[must_use]
    pub fn raw(self, name: &str, value: Option<Raw<'_>>) -> Self {
        match value {
            Some(value) => self.text(name, value.get()),
            None => self,
        }
    }

    /// A whole number.
    #[must_use]
    pub fn number(self, name: &str, value: u64) -> Self {
        let mut digits = String::new();
        push_number(&mut digits, value);
        self.text(name, &digits)
    }

    /// Closes the object.
    pub fn close(self) {
        self.out.push('}');
    }

    fn name(&mut self, name: &str) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        push_json_string(self.out, name);
        self.out.push(':');
    }
}

fn push_number(out: &mut String, value: u64) {
    if value >= 10 {
        push_number(out, value / 10);
    }
    out.push(char::from(b'0' + u8::try_from(value % 10).unwrap_or_default()));
}
