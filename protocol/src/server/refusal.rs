//! Why a server says no, in the service's words.

use alloc::string::String;

use crate::encode::ObjectWriter;

/// One entry of an error list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// `errorType`
    pub error_type: Option<String>,
    /// `message`
    pub message: Option<String>,
    /// `errorCode`
    pub code: Option<u64>,
}

impl Refusal {
    /// A type and a message.
    pub fn new(error_type: &str, message: impl Into<String>) -> Self {
        Self { error_type: Some(error_type.into()), message: Some(message.into()), code: None }
    }

    /// A message without a type.
    pub fn message(message: impl Into<String>) -> Self {
        Self { error_type: None, message: Some(message.into()), code: None }
    }

    /// The same with a code.
    #[must_use]
    pub const fn with_code(mut self, code: u64) -> Self {
        self.code = Some(code);
        self
    }

    /// Credentials missing, unknown or not allowed. Source: GQL-AUTH-017, EVT-AUTH-027.
    pub fn unauthorized() -> Self {
        Self::new("UnauthorizedException", "You are not authorized to make this call.")
    }

    /// A namespace that does not exist looks like missing permission. Source: EVT-CHANNEL-008.
    pub fn unknown_namespace() -> Self {
        Self { error_type: Some("UnauthorizedException".into()), message: None, code: None }
    }

    /// JSON text of the entry.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        let mut entry = ObjectWriter::open(&mut out);
        if let Some(error_type) = &self.error_type {
            entry = entry.string("errorType", error_type);
        }
        if let Some(message) = &self.message {
            entry = entry.string("message", message);
        }
        if let Some(code) = self.code {
            entry = entry.number("errorCode", code);
        }
        entry.close();
        out
    }
}

/// JSON text of an error list.
pub fn errors_json(refusals: &[Refusal]) -> String {
    let entries: alloc::vec::Vec<_> = refusals.iter().map(Refusal::to_json).collect();
    alloc::format!("[{}]", entries.join(","))
}
