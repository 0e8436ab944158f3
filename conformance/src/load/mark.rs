//! What an event carries: who published it when, and as the how-manieth.
//!
//! ```text
//!   {"m":"sb-9f3a01c2e00050001000000012a<intended><sent><pad>","x":"0000…"}
//!         |  run     |kind|channel|publisher|number     hexadecimal, of fixed length
//! ```
//!
//! The mark has no character that JSON escapes, so it stands in a frame as it is, however often a server puts texts into
//! texts. It is searched for in the text of a frame; what surrounds it is the dialect's business. The padding is counted
//! again, so that a body that was cut or changed is noticed.

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Counted, or sent to see whether a subscription hears anything yet.
    pub kind: Kind,
    /// Channel by number.
    pub channel: u64,
    /// Publisher by number.
    pub publisher: u64,
    /// Number within the flow of this publisher on this channel.
    pub number: u64,
    /// Intended moment, in nanoseconds since 1970; of a probe, when the one before it was sent.
    pub intended: u64,
    /// When it was sent, in nanoseconds since 1970.
    pub sent: u64,
    /// Characters of padding.
    pub pad: usize,
}

/// What an event is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is counted.
    Event,
    /// It looks whether a subscription hears anything yet.
    Probe,
}

/// What a text says about this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A mark, and the rest of the event as it was sent.
    Whole(Mark),
    /// A mark, and something else is wrong with the event.
    Damaged(Mark),
    /// No mark of this run.
    Foreign,
}

const FIELDS: usize = 1 + 4 + 4 + 10 + 16 + 16 + 6;
const FRAME: &str = r#"{"m":"","x":""}"#;

/// Characters of a mark.
pub const LENGTH: usize = 3 + 8 + FIELDS;

/// The shortest event.
pub const SHORTEST: usize = LENGTH + FRAME.len();

/// Marks of one run.
#[derive(Clone, Debug)]
pub struct Marks {
    start: String,
}

impl Marks {
    /// Those of the run with this seed.
    pub fn new(seed: u64) -> Self {
        Self { start: format!("sb-{}", nonce(seed)) }
    }

    /// The event, exactly `size` bytes long, or as short as it can be.
    pub fn event(&self, mark: &Mark, size: usize) -> String {
        let pad = size.saturating_sub(SHORTEST);
        let mut out = String::with_capacity(SHORTEST + pad);
        out.push_str(r#"{"m":""#);
        self.write(&Mark { pad, ..*mark }, &mut out);
        out.push_str(r#"","x":""#);
        push_zeros(pad, &mut out);
        out.push_str(r#""}"#);
        out
    }

    /// Appends the mark alone.
    pub fn write(&self, mark: &Mark, out: &mut String) {
        let kind = match mark.kind {
            Kind::Event => 'e',
            Kind::Probe => 'f',
        };
        out.push_str(&self.start);
        out.push(kind);
        let Mark { kind: _, channel, publisher, number, intended, sent, pad } = *mark;
        let fields = [(channel, 4), (publisher, 4), (number, 10), (intended, 16), (sent, 16), (pad as u64, 6)];
        let (mut text, mut at) = ([b'0'; FIELDS - 1], 0);
        for (value, digits) in fields {
            write_hex(value, &mut text[at..at + digits]);
            at += digits;
        }
        out.push_str(std::str::from_utf8(&text).unwrap_or_default());
    }

    /// What is in a text, wherever it stands.
    pub fn find(&self, text: &str) -> Found {
        let Some(at) = text.find(&self.start) else { return Found::Foreign };
        let Some(mark) = self.read(&text.as_bytes()[at..]) else { return Found::Foreign };
        if is_padded(&text.as_bytes()[at + LENGTH..], mark.pad) { Found::Whole(mark) } else { Found::Damaged(mark) }
    }

    /// The mark at the beginning of these bytes.
    pub fn read(&self, bytes: &[u8]) -> Option<Mark> {
        let fields = bytes.strip_prefix(self.start.as_bytes())?.get(..FIELDS)?;
        let kind = match fields[0] {
            b'e' => Kind::Event,
            b'f' => Kind::Probe,
            _ => return None,
        };
        let mut rest = &fields[1..];
        let mut take = |digits: usize| {
            let (number, after) = rest.split_at(digits);
            rest = after;
            number.iter().try_fold(0, |sum: u64, digit| Some(sum << 4 | hex(*digit)?))
        };
        Some(Mark {
            kind,
            channel: take(4)?,
            publisher: take(4)?,
            number: take(10)?,
            intended: take(16)?,
            sent: take(16)?,
            pad: usize::try_from(take(6)?).ok()?,
        })
    }
}

/// Writes a number in as many hexadecimal digits as there is room for. It is done for every event, by hand because
/// formatting is slow.
fn write_hex(value: u64, digits: &mut [u8]) {
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(value >> (4 * place) & 15) as usize];
    }
}

/// Appends so many zeros, not one by one.
fn push_zeros(mut count: usize, out: &mut String) {
    const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
    while count > 0 {
        let some = count.min(ZEROS.len());
        out.push_str(&ZEROS[..some]);
        count -= some;
    }
}

/// The name of a run in channels and marks.
pub fn nonce(seed: u64) -> String {
    format!("{:08x}", super::payload::scrambled(seed) >> 32)
}

/// Between mark and padding stand quotes, `x`, and what quotes become in texts within texts.
fn is_padded(after: &[u8], pad: usize) -> bool {
    let start = after.iter().position(|byte| !matches!(byte, b'"' | b'\\' | b',' | b':' | b'x' | b' '));
    let Some(start) = start else { return false };
    let zeros = after[start..].iter().take_while(|byte| **byte == b'0').count();
    zeros == pad && matches!(after.get(start + zeros), Some(b'"' | b'\\' | b'}'))
}

const fn hex(digit: u8) -> Option<u64> {
    match digit {
        b'0'..=b'9' => Some((digit - b'0') as u64),
        b'a'..=b'f' => Some((digit - b'a') as u64 + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark =
        Mark { kind: Kind::Event, channel: 3, publisher: 65_535, number: 1 << 39, intended: u64::MAX, sent: 9, pad: 0 };

    #[test]
    fn an_event_has_the_length_asked_for_and_its_mark_is_found_however_deep_it_is_quoted() {
        let marks = Marks::new(7);
        for size in [SHORTEST, SHORTEST + 1, 150, 5000] {
            let mut text = marks.event(&MARK, size);
            assert_eq!(text.len(), size);
            for _ in 0..3 {
                assert_eq!(marks.find(&text), Found::Whole(Mark { pad: size - SHORTEST, ..MARK }), "{text}");
                text = serde_json::to_string(&text).unwrap();
            }
        }
    }

    #[test]
    fn an_event_that_was_cut_or_changed_is_damaged_and_one_of_another_run_is_foreign() {
        let marks = Marks::new(7);
        let event = marks.event(&MARK, 200);

        for wrong in [event.replace("00\"}", "\"}"), event.replace("00\"}", "0x\"}"), event[..150].to_owned()] {
            assert!(matches!(marks.find(&wrong), Found::Damaged(_)), "{wrong}");
        }
        for other in [Marks::new(8).event(&MARK, 200), "null".into(), event[..40].to_owned()] {
            assert_eq!(marks.find(&other), Found::Foreign, "{other}");
        }
    }
}
