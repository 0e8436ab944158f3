//! What a client prints: events and answers on standard output, everything else on standard error.
//!
//! A line on standard output is always one JSON text or a line of our own. What a server says reaches a terminal with
//! everything made visible that the terminal would obey; in JSON as an escape, so that the value stays the same. What
//! goes to standard error has been searched for the credentials first, and cut afterwards.

use std::fmt::Display;
use std::io::Write as _;

use appsync_protocol::json::push_json_string;
use appsync_protocol::message::ErrorEntry;
use appsync_protocol::transcript::Redactor;
use serde::de::IgnoredAny;
use syncspec::report::text::{obeyed, printable};
use syncspec::scenario::cut;

/// Most characters of a notice.
const NOTICE_MAX: usize = 600;

/// Standard output and standard error of a client.
pub(super) struct Voice {
    pub(super) redactor: Redactor,
    pub(super) verbose: bool,
}

impl Voice {
    /// Prints a line. `false` if nobody reads any more.
    pub(super) fn line(&self, line: &str) -> bool {
        let mut out = std::io::stdout();
        writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
    }

    /// Says something on standard error.
    pub(super) fn tell(&self, what: impl Display) {
        let text = printable(&cut(&self.redactor.text(&what.to_string()), NOTICE_MAX));
        let _ = writeln!(std::io::stderr(), "syncspec: {text}");
    }

    /// Says something that is wanted with `--verbose` only.
    pub(super) fn murmur(&self, what: impl Display) {
        if self.verbose {
            self.tell(what);
        }
    }
}

/// Errors of a server in words: `UnauthorizedException: You are not authorized (code 401)`.
pub(super) fn in_words(errors: &[ErrorEntry]) -> String {
    if errors.is_empty() {
        return "the server does not say why".into();
    }
    let words = errors.iter().map(|error| {
        let kind = error.short_type();
        let mut text = match (kind, error.message.as_deref()) {
            (Some(kind), Some(message)) => format!("{kind}: {message}"),
            (Some(one), None) | (None, Some(one)) => one.into(),
            (None, None) => "an error without type and message".into(),
        };
        if let Some(code) = error.code {
            text.push_str(&format!(" (code {code})"));
        }
        text
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Whether a text is JSON.
pub(super) fn is_json(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<IgnoredAny>(text).map(|_| ())
}

/// A JSON text on one line, without white space between tokens; a text that is not JSON as a JSON string.
pub(super) fn json_line(text: &str) -> String {
    if is_json(text).is_err() {
        let mut quoted = String::new();
        push_json_string(&mut quoted, text);
        return compact(&quoted);
    }
    compact(text)
}

fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            _ if in_string && obeyed(c) => {
                let mut units = [0; 2];
                out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            }
            ' ' | '\t' | '\n' | '\r' if !in_string => {}
            _ => out.push(c),
        }
        in_string = if c == '"' && !escaped { !in_string } else { in_string };
        escaped = in_string && c == '\\' && !escaped;
    }
    out
}

/// `1 event`, `2 events`.
pub(super) fn counted(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_between_tokens_and_stays_within_strings() {
        assert_eq!(json_line("{ \"a\" :\n [1.0, \"b  \\\" c\", \"\\\\\" ] }"), r#"{"a":[1.0,"b  \" c","\\"]}"#);
    }

    #[test]
    fn what_a_terminal_would_obey_becomes_an_escape_of_the_same_value() {
        let line = json_line("\"\u{9b}31m \u{202e}x\u{7f}\"");

        assert_eq!(line, r#""\u009b31m \u202ex\u007f""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), "\u{9b}31m \u{202e}x\u{7f}");
    }

    #[test]
    fn a_text_that_is_not_json_becomes_a_json_string() {
        assert_eq!(json_line("a \"b\"\n"), r#""a \"b\"\n""#);
        assert_eq!(json_line("{} {}"), r#""{} {}""#);
    }

    #[test]
    fn errors_are_told_with_type_message_and_code() {
        let full = ErrorEntry {
            error_type: Some("com.amazon#UnauthorizedException".into()),
            message: Some("no".into()),
            code: Some(401),
        };

        assert_eq!(in_words(&[full]), "UnauthorizedException: no (code 401)");
        assert_eq!(in_words(&[]), "the server does not say why");
    }
}
