//! Text that travels inside other text: base64 and percent-encoding.
//!
//! Credentials travel as base64 of JSON text, in the URL-safe alphabet without padding where they are a subprotocol token
//! and in the standard alphabet with padding where they are a query value (and percent-encoded on top of that).
//!
//! Encoding is strict, decoding tolerant where clients are known to differ: [`decode`] reads both alphabets, padded or
//! not, and [`percent_decode`] keeps `+` as `+`. What no client sends is refused: white space, padding that is not the
//! right amount, a length that no bytes encode to. The invariant: `decode` undoes both encoders.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Standard base64 (RFC 4648 section 4) with padding, as the query carrier wants it before percent-encoding.
///
/// Source: GQL-HANDSHAKE-009.
pub fn encode_standard(bytes: &[u8]) -> String {
    let mut text = encode(bytes, STANDARD);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// URL-safe base64 (RFC 4648 section 5) without padding, as a subprotocol token wants it.
///
/// Source: GQL-HANDSHAKE-012, EVT-HANDSHAKE-006.
pub fn encode_url(bytes: &[u8]) -> String {
    encode(bytes, URL_SAFE)
}

/// The bytes that a base64 text stands for.
///
/// Reads both alphabets, even mixed. Padding may be absent; if it is there it must be the right amount. Unused low bits of
/// the last symbol may be anything and are dropped, as most decoders do. Fails on any other character, white space
/// included, and on a length that no bytes encode to (one symbol left over).
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    let symbols = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(symbols.len() / 4 * 3 + 2);
    let (mut held, mut held_bits) = (0u32, 0u32);
    for (at, symbol) in symbols.bytes().enumerate() {
        held = held << 6 | u32::from(value_of(symbol).ok_or(Base64Error { at })?);
        held_bits += 6;
        if held_bits >= 8 {
            held_bits -= 8;
            bytes.push((held >> held_bits & 0xFF) as u8);
            held &= (1 << held_bits) - 1;
        }
    }

    let padding = text.len() - symbols.len();
    let right_amount = (4 - symbols.len() % 4) % 4;
    if symbols.len() % 4 == 1 {
        return Err(Base64Error { at: symbols.len() - 1 });
    }
    if padding != 0 && padding != right_amount {
        return Err(Base64Error { at: symbols.len() });
    }
    Ok(bytes)
}

/// Text that is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base64Error {
    /// Byte offset of the first thing that is wrong: a foreign character, a lone last symbol, or the padding.
    pub at: usize,
}

impl fmt::Display for Base64Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text is not base64 at offset {}", self.at)
    }
}

impl core::error::Error for Base64Error {}

/// Percent-encodes a query value: everything but the unreserved characters of RFC 3986 (letters, digits, `-._~`).
///
/// Source: GQL-HANDSHAKE-009, the form that a client should send.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(hex_digit(byte >> 4));
            encoded.push(hex_digit(byte & 15));
        }
    }
    encoded
}

/// Undoes [`percent_encode`], and leaves alone what was never encoded.
///
/// `+` stays `+`: some clients put raw base64 into the URL. A `%` without two hexadecimal digits stays as it is, and
/// bytes that are not UTF-8 become U+FFFD; neither is base64, so the next step refuses both.
/// Source: GQL-HANDSHAKE-019, GQL-HANDSHAKE-021.
pub fn percent_decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, after @ ..] => hex_value(*high).zip(hex_value(*low)).map(|pair| (pair, after)),
            _ => None,
        };
        match escaped {
            Some(((high, low), after)) => {
                decoded.push(high << 4 | low);
                rest = after;
            }
            None => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    match String::from_utf8(decoded) {
        Ok(decoded) => decoded,
        Err(unreadable) => String::from_utf8_lossy(unreadable.as_bytes()).into_owned(),
    }
}

/// The two characters in which the alphabets differ, for the values 62 and 63.
type LastTwo = [char; 2];

const STANDARD: LastTwo = ['+', '/'];
const URL_SAFE: LastTwo = ['-', '_'];

fn encode(bytes: &[u8], last_two: LastTwo) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let [first, second, third] = [0, 1, 2].map(|place| chunk.get(place).copied().unwrap_or(0));
        let group = u32::from_be_bytes([0, first, second, third]);
        for place in 0..=chunk.len() {
            text.push(symbol_of((group >> (18 - 6 * place) & 63) as u8, last_two));
        }
    }
    text
}

fn symbol_of(value: u8, [value_62, value_63]: LastTwo) -> char {
    match value {
        0..=25 => char::from(b'A' + value),
        26..=51 => char::from(b'a' + (value - 26)),
        52..=61 => char::from(b'0' + (value - 52)),
        62 => value_62,
        _ => value_63,
    }
}

fn value_of(symbol: u8) -> Option<u8> {
    match symbol {
        b'A'..=b'Z' => Some(symbol - b'A'),
        b'a'..=b'z' => Some(symbol - b'a' + 26),
        b'0'..=b'9' => Some(symbol - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase()
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// JSON text, standard, URL-safe.
    const VECTORS: [(&str, &str, &str); 4] = [
        (
            r#"{"host":"abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.amazonaws.com","x-api-key":"da2-exampleexampleexampleexam"}"#,
            "eyJob3N0IjoiYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXouYXBwc3luYy1hcGkuZXUtd2VzdC0xLmFtYXpvbmF3cy5jb20iLCJ4LWFwaS1rZXkiOiJkYTItZXhhbXBsZWV4YW1wbGVleGFtcGxlZXhhbSJ9",
            "eyJob3N0IjoiYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXouYXBwc3luYy1hcGkuZXUtd2VzdC0xLmFtYXpvbmF3cy5jb20iLCJ4LWFwaS1rZXkiOiJkYTItZXhhbXBsZWV4YW1wbGVleGFtcGxlZXhhbSJ9",
        ),
        (
            r#"{"host":"example.com","Authorization":"~~?>?"}"#,
            "eyJob3N0IjoiZXhhbXBsZS5jb20iLCJBdXRob3JpemF0aW9uIjoifn4/Pj8ifQ==",
            "eyJob3N0IjoiZXhhbXBsZS5jb20iLCJBdXRob3JpemF0aW9uIjoifn4_Pj8ifQ",
        ),
        (
            r#"{"host":"example.com","Authorization":"a~?~?~>"}"#,
            "eyJob3N0IjoiZXhhbXBsZS5jb20iLCJBdXRob3JpemF0aW9uIjoiYX4/fj9+PiJ9",
            "eyJob3N0IjoiZXhhbXBsZS5jb20iLCJBdXRob3JpemF0aW9uIjoiYX4_fj9-PiJ9",
        ),
        ("{}", "e30=", "e30"),
    ];

    #[test]
    fn the_known_vectors_encode_and_decode_in_both_alphabets() {
        for (json, standard, url_safe) in VECTORS {
            assert_eq!(encode_standard(json.as_bytes()), standard);
            assert_eq!(encode_url(json.as_bytes()), url_safe);
            assert_eq!(decode(standard).unwrap(), json.as_bytes());
            assert_eq!(decode(url_safe).unwrap(), json.as_bytes());
        }
    }

    #[test]
    fn each_length_of_the_last_group_is_padded_to_four() {
        let encoded = [&b""[..], b"f", b"fo", b"foo", b"foob", b"fooba", b"foobar"].map(encode_standard);

        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }

    #[test]
    fn the_last_symbols_of_each_alphabet_are_its_own() {
        assert_eq!(encode_standard(&[0xFB, 0xFF]), "+/8=");
        assert_eq!(encode_url(&[0xFB, 0xFF]), "-_8");
    }

    #[test]
    fn a_foreign_character_is_reported_at_its_place() {
        for (text, at) in [("%%%", 0), ("e3 0", 2), ("e30\n", 3), ("e=30", 1), ("e30é", 3), ("=e30", 0)] {
            assert_eq!(decode(text), Err(Base64Error { at }), "{text:?}");
        }
    }

    #[test]
    fn a_length_that_no_bytes_encode_to_is_refused_at_the_lone_symbol() {
        assert_eq!(decode("e"), Err(Base64Error { at: 0 }));
        assert_eq!(decode("Zm9vY"), Err(Base64Error { at: 4 }));
        assert_eq!(decode("Zm9vY==="), Err(Base64Error { at: 4 }));
    }

    #[test]
    fn the_wrong_amount_of_padding_is_refused() {
        for (text, at) in [("=", 0), ("====", 0), ("Zg=", 2), ("Zg===", 2), ("Zm8==", 3), ("Zm9v=", 4), ("Zm9v====", 4)]
        {
            assert_eq!(decode(text), Err(Base64Error { at }), "{text:?}");
        }
    }

    #[test]
    fn unused_bits_of_the_last_symbol_are_dropped() {
        assert_eq!(decode("Zh==").unwrap(), b"f");
        assert_eq!(decode("Zm9").unwrap(), b"fo");
    }

    #[test]
    fn a_query_value_keeps_its_plus_and_loses_its_escapes() {
        assert_eq!(percent_encode("a+/=~ é"), "a%2B%2F%3D~%20%C3%A9");
        assert_eq!(percent_decode("a+%2B%2f%3D=~"), "a++/==~");
    }

    #[test]
    fn a_broken_escape_stays_as_it_is() {
        for text in ["%%%", "%", "%4", "%zz", "100%"] {
            assert_eq!(percent_decode(text), text);
        }
        assert_eq!(percent_decode("%%41"), "%A");
        assert_eq!(percent_decode("%ff"), "\u{FFFD}");
    }

    proptest! {
        #[test]
        fn decoding_undoes_both_encodings(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode_standard(&bytes)), Ok(bytes.clone()));
            prop_assert_eq!(decode(&encode_url(&bytes)), Ok(bytes));
        }

        #[test]
        fn a_token_is_url_safe_and_its_standard_twin_differs_only_in_alphabet_and_padding(bytes: Vec<u8>) {
            let token = encode_url(&bytes);
            let standard = encode_standard(&bytes);

            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(token.replace('-', "+").replace('_', "/"), standard.trim_end_matches('='));
        }

        #[test]
        fn whatever_decodes_encodes_to_the_same_length(text in "[A-Za-z0-9+/_=-]{0,40}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode_url(&bytes).len(), text.trim_end_matches('=').len());
            }
        }

        #[test]
        fn percent_decoding_undoes_percent_encoding(text: String) {
            let encoded = percent_encode(&text);

            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            prop_assert_eq!(percent_decode(&encoded), text);
        }

        #[test]
        fn any_text_can_be_decoded_or_refused(text: String) {
            let _ = decode(&text);
            let _ = percent_decode(&text);
        }
    }
}
