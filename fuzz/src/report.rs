//! The reader of reports.
//!
//! The invariant: any bytes are a report or say why not, in one line without control characters; what is read, written and
//! read again is the same; and every form of it and every script of its cases can be written, unless it names what this
//! version does not know.

use syncspec::report::emit::{Language, emit};
use syncspec::report::format::{Format, render};
use syncspec::report::json::to_text;
use syncspec::report::read::{from_bytes, from_text};

use crate::reach::Point;

static READ: Point = Point::new("report/read");
static REFUSED: Point = Point::new("report/refused");
static RENDERED: Point = Point::new("report/rendered");
static SCRIPT: Point = Point::new("report/script");
/// Where the oracle speaks.
pub static POINTS: [&Point; 4] = [&READ, &REFUSED, &RENDERED, &SCRIPT];

/// One input.
pub fn run(input: &[u8]) {
    let document = match from_bytes(input) {
        Ok(document) => document,
        Err(error) => {
            REFUSED.reached();
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            return;
        }
    };
    READ.reached();
    assert_eq!(from_text(&to_text(&document)).as_ref(), Ok(&document));
    for format in Format::ALL {
        if render(&document, format).is_ok() {
            RENDERED.reached();
        }
    }
    for case in &document.cases {
        for language in [Language::Python, Language::Websocat] {
            if emit(&document, case, language).is_ok() {
                SCRIPT.reached();
            }
        }
    }
}
