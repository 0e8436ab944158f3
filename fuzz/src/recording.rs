//! Readers of recordings: transcripts, JSON Lines, HAR.
//!
//! The invariant: any text is a recording or says why not, in one line without anything that a terminal obeys; what is read
//! is written and read again as itself; and whatever was recorded is judged, without a panic, twice the same.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::transcript::{draw, read};
use syncspec::recording::convert::convert;
use syncspec::recording::har::{from_har, is_har};
use syncspec::recording::judge::judge;
use syncspec::recording::{from_text, secrets, to_text};
use syncspec::report::text::obeyed;

use crate::reach::Point;

static READ: Point = Point::new("recording/read");
static REFUSED: Point = Point::new("recording/refused");
static HAR: Point = Point::new("recording/har");
static CONVERTED: Point = Point::new("recording/converted");
static JUDGED: Point = Point::new("recording/judged");
/// Where the oracle speaks.
pub static POINTS: [&Point; 5] = [&READ, &REFUSED, &HAR, &CONVERTED, &JUDGED];

/// One input.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(converted) = convert(text) {
        CONVERTED.reached();
        let written = to_text(&converted);
        from_text(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    }
    if is_har(text) && from_har(text).is_ok() {
        HAR.reached();
    }
    if let Err(error) = read(text) {
        assert!(!error.to_string().contains(obeyed), "{error:?}");
    }
    let transcript = match from_text(text) {
        Ok((transcript, lines)) => {
            assert!(lines.is_empty() || lines.len() == transcript.entries().len());
            transcript
        }
        Err(error) => {
            REFUSED.reached();
            assert!(!error.to_string().contains(obeyed), "{error:?}");
            return;
        }
    };
    READ.reached();
    let written = to_text(&transcript);
    let (again, _) = from_text(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(to_text(&again), written);
    assert_eq!(again.entries().len(), transcript.entries().len());
    let redacted = secrets::Secrets::of(&transcript).redactor().transcript(&transcript);
    assert_eq!(redacted.entries().len(), transcript.entries().len());
    let _ = draw(&redacted, None);
    for dialect in [None, Some(Dialect::Graphql), Some(Dialect::Events)] {
        if let Ok(judgement) = judge(&transcript, dialect) {
            JUDGED.reached();
            let twice = judge(&again, dialect).map(|twice| twice.checks.len());
            assert_eq!(twice.ok(), Some(judgement.checks.len()));
            for check in &judgement.checks {
                assert!(check.count > 0 && check.entry < transcript.entries().len(), "{check:?}");
            }
        }
    }
}
