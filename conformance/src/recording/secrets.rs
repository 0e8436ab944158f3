//! Finds the secrets of a recording that nobody has named: by where credentials stand.
//!
//! Members and header fields named `x-api-key`, `authorization` and `x-amz-security-token` hold them, in messages, in
//! bodies, and in what the upgrade carries. Each becomes a typed placeholder wherever it shows again: `${key:1}`,
//! `${token:1}`, `${session:1}`; of a signature the hash (`${sig:1}`) and the key id (`${access-key:1}`). A value of
//! fewer than [`SECRET_BYTES_MIN`] bytes is no secret, and would be found by chance.

use appsync_protocol::handshake::base64;
use appsync_protocol::json::parse_json;
use appsync_protocol::transcript::{Redactor, Transcript, What};
use appsync_protocol::wire::{Headers, OwnedFrame};
use serde_json::Value;

/// The shortest value that is taken for a secret, in bytes.
pub const SECRET_BYTES_MIN: usize = 6;

/// How deep texts within texts are looked into: a message, its `payload.data`, and what is in that.
const TEXTS_DEEP: usize = 3;

/// Secrets that were found, under their labels.
#[derive(Default)]
pub struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    /// Those of a transcript.
    pub fn of(transcript: &Transcript) -> Self {
        let mut secrets = Self::default();
        secrets.look_at_transcript(transcript);
        secrets
    }

    /// Looks at everything that was recorded.
    pub fn look_at_transcript(&mut self, transcript: &Transcript) {
        for entry in transcript.entries() {
            match &entry.what {
                What::Frame { frame: OwnedFrame::Text { text, fragments: _ }, .. } => self.look_into(text),
                What::Frame { frame: OwnedFrame::Binary(bytes), .. } => {
                    self.look_into(&String::from_utf8_lossy(bytes));
                }
                What::Frame {
                    frame: OwnedFrame::Ping(_) | OwnedFrame::Pong(_) | OwnedFrame::Close { .. } | OwnedFrame::Lost,
                    ..
                }
                | What::Note(_) => {}
                What::Open { target, subprotocols, .. } => self.look_at_upgrade(target, subprotocols),
                What::Http { request, response } => {
                    self.look_at_upgrade(&request.target, &[]);
                    self.look_at_headers(&request.headers);
                    self.look_at_headers(&response.headers);
                    self.look_into(&request.body.text());
                    self.look_into(&response.body.text());
                }
            }
        }
    }

    /// Looks at header fields.
    pub fn look_at_headers(&mut self, headers: &Headers) {
        headers.iter().for_each(|(name, value)| self.look_at(name, value));
    }

    /// Looks into the two places where an upgrade carries credentials.
    pub fn look_at_upgrade(&mut self, target: &str, subprotocols: &[String]) {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let values = query.split('&').filter_map(|pair| pair.strip_prefix("header="));
        let tokens = subprotocols.iter().filter_map(|offered| offered.strip_prefix("header-"));
        for carried in values.map(base64::percent_decode).chain(tokens.map(Into::into)) {
            if let Some(text) = base64::decode(&carried).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
                self.look_into(&text);
            }
        }
    }

    /// Looks into a text that may be JSON, however deep.
    pub fn look_into(&mut self, text: &str) {
        self.look_deeper(text, TEXTS_DEEP);
    }

    /// What takes them out.
    pub fn redactor(&self) -> Redactor {
        let pairs: Vec<_> = self.0.iter().map(|(label, value)| (*label, value.as_str())).collect();
        Redactor::new(&pairs)
    }

    fn look_deeper(&mut self, text: &str, deep: usize) {
        if !text.trim_start().starts_with(['{', '[']) {
            return;
        }
        if let (Some(deeper), Some(value)) = (deep.checked_sub(1), parse_json(text)) {
            self.walk(&value, deeper);
        }
    }

    fn walk(&mut self, value: &Value, deep: usize) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) => {
                            self.look_at(name, text);
                            self.look_deeper(text, deep);
                        }
                        Value::Object(_) | Value::Array(_) => self.walk(value, deep),
                        Value::Null | Value::Bool(_) | Value::Number(_) => {}
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, deep)),
            Value::String(text) => self.look_deeper(text, deep),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn look_at(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("x-api-key") {
            self.add("key", value);
        } else if name.eq_ignore_ascii_case("x-amz-security-token") {
            self.add("session", value);
        } else if name.eq_ignore_ascii_case("authorization") {
            match value.strip_prefix("AWS4-HMAC-SHA256 ") {
                None => self.add("token", value.strip_prefix("Bearer ").unwrap_or(value)),
                Some(parts) => {
                    for part in parts.split(',').map(str::trim) {
                        if let Some(signature) = part.strip_prefix("Signature=") {
                            self.add("sig", signature);
                        }
                        if let Some(scope) = part.strip_prefix("Credential=") {
                            self.add("access-key", scope.split('/').next().unwrap_or_default());
                        }
                    }
                }
            }
        }
    }

    fn add(&mut self, label: &'static str, value: &str) {
        let is_placeholder = value.starts_with("${");
        if value.len() >= SECRET_BYTES_MIN && !is_placeholder && !self.0.iter().any(|(_, known)| known == value) {
            self.0.push((label, value.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_beside_a_member_of_any_name() {
        for name in ["plain", "$serde_json::private::RawValue"] {
            let mut secrets = Secrets::default();

            secrets.look_into(&format!(r#"{{"{name}":"[1]","authorization":{{"x-api-key":"da2-secret-key"}}}}"#));

            assert_eq!(secrets.redactor().text("of da2-secret-key"), "of ${key:1}", "{name}");
        }
    }
}
