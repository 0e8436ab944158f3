//! The inside of JSON strings: runs that stand for themselves, and escapes.
//!
//! Messages are megabytes at worst, and nearly all of that is inside strings. So runs are looked for many bytes at
//! once, and copied as a whole.

use alloc::string::String;

/// How many bytes at the beginning stand for themselves in a string: no quote, backslash or control character.
#[inline]
pub(crate) fn plain(bytes: &[u8]) -> usize {
    /// In JSON text within JSON text most runs are shorter.
    const NEAR: usize = 8;
    let (near, far) = bytes.split_at(bytes.len().min(NEAR));
    match near.iter().position(|byte| ENDS_RUN[usize::from(*byte)]) {
        Some(at) => at,
        None if far.is_empty() => near.len(),
        None => NEAR + plain_far(far),
    }
}

/// The same where the run has gone on for a while.
#[inline(never)]
fn plain_far(bytes: &[u8]) -> usize {
    /// Shorter runs are not worth the start of a loop over blocks.
    const SHORT: usize = 32;
    let head = by_eights(bytes.get(..SHORT).unwrap_or(bytes));
    if head < SHORT {
        return head;
    }
    // A block is looked at as a whole, without a way out, so that the compiler looks at many bytes at once.
    let (blocks, _) = bytes.get(SHORT..).unwrap_or_default().as_chunks::<64>();
    let is_plain = |block: &&[u8; 64]| !block.iter().fold(false, |found, byte| found | ends_run(*byte));
    let at = SHORT + 64 * blocks.iter().take_while(is_plain).count();
    at + by_eights(bytes.get(at..).unwrap_or_default())
}

/// The same, eight bytes at a time.
///
/// The highest bit of a byte of `special` tells that it ends the run. A borrow can set it for bytes behind such a byte
/// too, so only the first one counts.
fn by_eights(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = ONES * 0x80;
    const fn each(byte: u8) -> u64 {
        ONES * byte as u64
    }
    let (eights, rest) = bytes.as_chunks::<8>();
    for (count, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let (quote, backslash) = (word ^ each(b'"'), word ^ each(b'\\'));
        let special = (word.wrapping_sub(each(b' ')) & !word)
            | (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash);
        let special = special & HIGHEST;
        if special != 0 {
            return count * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    eights.len() * 8 + rest.iter().position(|byte| ends_run(*byte)).unwrap_or(rest.len())
}

const fn ends_run(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// The same to be looked up, which is faster for single bytes.
const ENDS_RUN: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        ends[byte] = ends_run(byte as u8);
        byte += 1;
    }
    ends
};

/// What the inside of a string stands for; `None` where an escape stands for no character.
pub(crate) fn unescaped(inner: &str) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        let (run, tail) = rest.split_at(plain(rest.as_bytes()));
        text.push_str(run);
        let Some(escape) = tail.strip_prefix('\\') else { return tail.is_empty().then_some(text) };
        let mut chars = escape.chars();
        let (character, behind) = match chars.next()? {
            'b' => ('\u{8}', chars.as_str()),
            'f' => ('\u{c}', chars.as_str()),
            'n' => ('\n', chars.as_str()),
            'r' => ('\r', chars.as_str()),
            't' => ('\t', chars.as_str()),
            'u' => by_number(chars.as_str())?,
            itself => (itself, chars.as_str()),
        };
        text.push(character);
        rest = behind;
    }
}

/// The character of four digits, or of the pair of surrogates that begins with them, and what is behind it.
fn by_number(digits: &str) -> Option<(char, &str)> {
    let unit = |text| -> Option<(u16, &str)> {
        let (four, behind) = str::split_at_checked(text, 4)?;
        Some((u16::from_str_radix(four, 16).ok()?, behind))
    };
    let (first, behind) = unit(digits)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, behind));
    }
    let (second, behind) = unit(behind.strip_prefix("\\u")?)?;
    Some((char::decode_utf16([first, second]).next()?.ok()?, behind))
}

#[cfg(test)]
mod tests {
    use alloc::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::json::parse_json;
    use crate::raw::{Raw, is_text, string};

    #[test]
    fn a_run_ends_at_the_first_special_byte_wherever_it_stands() {
        for special in [b'"', b'\\', b'\0', b'\n', 0x1f] {
            for at in 0..200 {
                let mut bytes = [b'!'; 200];
                bytes[at] = special;
                assert_eq!(plain(&bytes), at, "{special} at {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_run_found_by_many_bytes_is_one_of_single_bytes(bytes in prop::collection::vec(prop_oneof![1 => any::<u8>(), 40 => b'#'..b'['], 0..240)) {
            let single = bytes.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\');

            prop_assert_eq!(plain(&bytes), single.unwrap_or(bytes.len()));
        }

        #[test]
        fn a_string_is_read_as_the_library_reads_it(inner in r#"([a-zé]{1,9}|\\["\\/bfnrt]|\\ud83d|\\uDE00|\\u0041){0,6}"#) {
            let quoted = alloc::format!("\"{inner}\"");
            let raw = Raw::read(&quoted).unwrap();

            prop_assert_eq!(is_text(raw), string(raw).is_some(), "{}", quoted);
            let library = parse_json(&quoted).and_then(|value| value.as_str().map(String::from));
            prop_assert_eq!(string(raw).map(Cow::into_owned), library, "{}", quoted);
        }
    }
}
