//! Other spellings of the same JSON, and additions that a reader has to ignore.

use appsync_protocol::json::{Json, parse_json};

/// How whole numbers are written.
#[derive(Clone, Copy, Default)]
pub(super) enum Numbers {
    /// `300000`
    #[default]
    Plain,
    /// `3E5`
    Exponents,
    /// `300000.0`
    Fractions,
}

impl Numbers {
    fn of(self, number: &serde_json::Number) -> String {
        let plain = number.to_string();
        if !number.is_i64() {
            return plain;
        }
        match self {
            Self::Plain => plain,
            Self::Fractions => format!("{plain}.0"),
            Self::Exponents => {
                let short = plain.trim_end_matches('0');
                let zeros = plain.len() - short.len();
                if short.is_empty() { format!("{plain}e0") } else { format!("{short}E{zeros}") }
            }
        }
    }
}

/// How JSON is written.
#[derive(Clone, Copy, Default)]
pub(super) struct Spelling {
    /// Members from last to first.
    pub(super) reversed: bool,
    /// What stands between tokens.
    pub(super) gap: &'static str,
    /// Which characters of strings are escaped.
    pub(super) escapes: Option<fn(char) -> bool>,
    /// Whether names of members are escaped too.
    pub(super) names: bool,
    /// Digits of escapes in upper case.
    pub(super) upper: bool,
    /// Whole numbers.
    pub(super) numbers: Numbers,
}

impl Spelling {
    /// The same message in this spelling; what is no JSON stays.
    pub(super) fn of(self, text: &str) -> String {
        let Some(value) = parse_json(text) else { return text.into() };
        let mut out = String::from(self.gap);
        self.write(&mut out, &value);
        out + self.gap
    }

    fn write(self, out: &mut String, value: &Json) {
        match value {
            Json::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if self.reversed {
                    members.reverse();
                }
                self.list(out, ['{', '}'], members.into_iter(), |out, (name, value)| {
                    self.text(out, name, self.names);
                    out.push_str(self.gap);
                    out.push(':');
                    out.push_str(self.gap);
                    self.write(out, value);
                });
            }
            Json::Array(items) => self.list(out, ['[', ']'], items.iter(), |out, item| self.write(out, item)),
            Json::String(text) => self.text(out, text, true),
            Json::Number(number) => out.push_str(&self.numbers.of(number)),
            Json::Null | Json::Bool(_) => out.push_str(&value.to_string()),
        }
    }

    fn list<T>(
        self,
        out: &mut String,
        ends: [char; 2],
        items: impl Iterator<Item = T>,
        write: impl Fn(&mut String, T),
    ) {
        out.push(ends[0]);
        for (at, item) in items.enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(self.gap);
            write(out, item);
            out.push_str(self.gap);
        }
        out.push(ends[1]);
    }

    fn text(self, out: &mut String, text: &str, escaped: bool) {
        let Some(escapes) = self.escapes.filter(|_| escaped) else {
            out.push_str(&Json::String(text.into()).to_string());
            return;
        };
        out.push('"');
        for c in text.chars() {
            if escapes(c) || c < ' ' || c == '"' || c == '\\' {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&if self.upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
                }
            } else {
                out.push(c);
            }
        }
        out.push('"');
    }
}

/// The message with its value changed; what is no JSON object stays.
pub(super) fn edited(text: &str, edit: impl FnOnce(&mut serde_json::Map<String, Json>)) -> String {
    match parse_json(text) {
        Some(Json::Object(mut members)) => {
            edit(&mut members);
            Json::Object(members).to_string()
        }
        _ => text.into(),
    }
}

/// Other words for an error of the service. Those that a handler gives by `util.error` are its owner's (EVT-PUB-019).
pub(super) fn reword(error: &mut serde_json::Map<String, Json>, words: Json) {
    let is_of_a_handler = error.get("errorType").is_some_and(|kind| kind == "CustomErrorException");
    if error.contains_key("message") && !is_of_a_handler {
        error.insert("message".into(), words);
    }
}

/// Each entry of every list of errors in the message changed.
pub(super) fn each_error(text: &str, edit: fn(&mut serde_json::Map<String, Json>)) -> String {
    each_list(text, |errors| errors.iter_mut().filter_map(Json::as_object_mut).for_each(edit))
}

/// Every list of errors of the message changed.
pub(super) fn each_list(text: &str, edit: impl Fn(&mut Vec<Json>)) -> String {
    edited(text, |members| {
        if let Some(Json::Array(errors)) = members.get_mut("errors") {
            edit(errors);
        }
        if let Some(Json::Array(errors)) = members.get_mut("payload").and_then(|payload| payload.get_mut("errors")) {
            edit(errors);
        }
    })
}
