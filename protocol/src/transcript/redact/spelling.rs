//! The spellings of a text: as it is, JSON-escaped once or twice, percent-encoded; and runs of base64.

use alloc::vec;
use alloc::vec::Vec;

/// Most backslashes of one escape: a backslash itself, three levels of JSON text deep.
const BACKSLASHES_MAX: usize = 8;

/// Where `chars` ends if some spelling of it begins at `at`. Of several ends the last.
pub(super) fn spelled(input: &[u8], at: usize, chars: &[char]) -> Option<usize> {
    let (mut end, mut rest) = (at, chars);
    // As long as nothing is encoded there is one way to go on, and nearly every place is ruled out by its first byte.
    while let [c, behind @ ..] = rest {
        let mut utf8 = [0; 4];
        let literal = c.encode_utf8(&mut utf8).as_bytes();
        let input = input.get(end..)?;
        if begins_encoding(*input.first()?) {
            break;
        }
        if input.starts_with(literal) {
            end += literal.len();
            rest = behind;
        } else if literal.len() > 1 && input.first() == literal.first() {
            // The other bytes of the character may be encoded.
            break;
        } else {
            return None;
        }
    }
    let mut ends = vec![end];
    for c in rest {
        let mut next = Vec::new();
        for end in ends {
            push_literal(input, end, *c, &mut next);
            push_escaped(input, end, *c, &mut next);
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            return None;
        }
        ends = next;
    }
    ends.last().copied().filter(|end| *end > at)
}

/// Whether this may stand for another byte, with those behind it.
pub(super) const fn begins_encoding(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\')
}

/// Its UTF-8 bytes, each as it is or percent-encoded.
fn push_literal(input: &[u8], at: usize, c: char, ends: &mut Vec<usize>) {
    let mut utf8 = [0; 4];
    let mut places = vec![at];
    for byte in c.encode_utf8(&mut utf8).bytes() {
        let units = places.iter().flat_map(|place| units(input, *place));
        places = units.filter(|(unit, _)| *unit == byte).map(|(_, next)| next).collect();
    }
    ends.extend(places);
}

/// Backslashes and a letter, or backslashes, `u` and the code.
fn push_escaped(input: &[u8], at: usize, c: char, ends: &mut Vec<usize>) {
    for after in after_backslashes(input, at) {
        if c == '\\' {
            ends.push(after);
        }
        for (unit, next) in units(input, after) {
            if short_escape(unit) == Some(c) {
                ends.push(next);
            }
            if unit != b'u' {
                continue;
            }
            let Some((code, next)) = hex4(input, next) else { continue };
            if char::from_u32(code) == Some(c) {
                ends.push(next);
            } else if (0xD800..0xDC00).contains(&code) {
                push_low_surrogate(input, next, code, c, ends);
            }
        }
    }
}

fn push_low_surrogate(input: &[u8], at: usize, high: u32, c: char, ends: &mut Vec<usize>) {
    for after in after_backslashes(input, at) {
        for (_, next) in units(input, after).filter(|(unit, _)| *unit == b'u') {
            let Some((low, next)) = hex4(input, next) else { continue };
            if (0xDC00..0xE000).contains(&low)
                && char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)) == Some(c)
            {
                ends.push(next);
            }
        }
    }
}

/// The places after one, two, ... backslashes.
fn after_backslashes(input: &[u8], at: usize) -> Vec<usize> {
    let mut places = Vec::new();
    let mut place = at;
    for _ in 0..BACKSLASHES_MAX {
        match units(input, place).find(|(unit, _)| *unit == b'\\') {
            Some((_, next)) => place = next,
            None => break,
        }
        places.push(place);
    }
    places
}

/// The byte at a place, and the one it stands for if it begins a percent-encoding.
fn units(input: &[u8], at: usize) -> impl Iterator<Item = (u8, usize)> {
    let literal = input.get(at).map(|byte| (*byte, at + 1));
    let encoded = match input.get(at..) {
        Some([b'%', high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| ((high << 4 | low) as u8, at + 3)),
        Some(_) | None => None,
    };
    literal.into_iter().chain(encoded)
}

fn short_escape(letter: u8) -> Option<char> {
    Some(match letter {
        b'"' => '"',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

fn hex4(input: &[u8], at: usize) -> Option<(u32, usize)> {
    let digits = input.get(at..at + 4)?;
    let code = digits.iter().try_fold(0, |code, digit| Some(code << 4 | hex(*digit)?))?;
    Some((code, at + 4))
}

fn hex(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(16)
}

/// A longest run of base64 symbols of either alphabet, some of them perhaps percent-encoded or (`\/`) JSON-escaped.
pub(super) struct Run {
    /// The symbols, without any encoding around them.
    pub(super) symbols: Vec<u8>,
    /// Where they end.
    pub(super) end: usize,
    /// Where the padding ends that follows them.
    pub(super) end_with_padding: usize,
}

impl Run {
    /// The run that begins here; `None` if there is no symbol.
    pub(super) fn at(input: &[u8], at: usize) -> Option<Self> {
        let mut symbols = Vec::new();
        let mut end = at;
        while let Some((symbol, next)) = symbol_at(input, end) {
            symbols.push(symbol);
            end = next;
        }
        if symbols.is_empty() {
            return None;
        }
        let mut end_with_padding = end;
        while let Some((_, next)) = units(input, end_with_padding).find(|(unit, _)| *unit == b'=') {
            end_with_padding = next;
        }
        Some(Self { symbols, end, end_with_padding })
    }

    /// What the run stands for if its first `skipped` symbols belong to something else.
    pub(super) fn decoded(&self, skipped: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.symbols.len() / 4 * 3 + 2);
        let (mut held, mut held_bits) = (0u32, 0u32);
        for symbol in self.symbols.iter().skip(skipped) {
            held = (held << 6 | value_of(*symbol)) & 0xFFFF;
            held_bits += 6;
            if held_bits >= 8 {
                held_bits -= 8;
                bytes.push((held >> held_bits & 0xFF) as u8);
            }
        }
        bytes
    }
}

/// Of the symbols only `+` and `/` are ever percent-encoded.
fn symbol_at(input: &[u8], at: usize) -> Option<(u8, usize)> {
    if let Some([b'\\', b'/', ..]) = input.get(at..) {
        return Some((b'/', at + 2));
    }
    let is_symbol = |unit: u8, next: usize| {
        (next == at + 1 && (unit.is_ascii_alphanumeric() || b"-_".contains(&unit))) || b"+/".contains(&unit)
    };
    units(input, at).find(|(unit, next)| is_symbol(*unit, *next))
}

const fn value_of(symbol: u8) -> u32 {
    (match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    }) as u32
}
