//! Why a server says no, in the service's words.

use alloc::string::String;

use super::readings::{ConnectDenial, ConnectError, ErrorTypePlace, LimitErrors, Readings};
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
        self.to_json_with(ErrorTypePlace::Element)
    }

    fn to_json_with(&self, place: ErrorTypePlace) -> String {
        let mut out = String::new();
        let mut entry = ObjectWriter::open(&mut out);
        match (&self.error_type, place) {
            (Some(error_type), ErrorTypePlace::Element) => entry = entry.string("errorType", error_type),
            (Some(error_type), ErrorTypePlace::Extensions) => {
                let mut extensions = String::new();
                ObjectWriter::open(&mut extensions).string("errorType", error_type).close();
                entry = entry.text("extensions", &extensions);
            }
            (None, ErrorTypePlace::Element | ErrorTypePlace::Extensions) => {}
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

    /// GQL-A-03: the refusal of a connection in the words of this reading.
    pub(super) fn as_connect_denial(&self, denial: ConnectDenial) -> Self {
        match (denial, self.error_type.as_deref()) {
            (ConnectDenial::Namespaced, Some(name @ ("UnauthorizedException" | "BadRequestException"))) => {
                let error_type = alloc::format!("com.amazonaws.deepdish.graphql.auth#{name}");
                Self { error_type: Some(error_type), message: self.message.clone(), code: Some(400) }
            }
            (ConnectDenial::Namespaced | ConnectDenial::Plain, _) => self.clone(),
        }
    }

    /// EVT-A-05: the refusal of a connection with what this reading tells.
    pub(super) fn as_connect_error(&self, told: ConnectError) -> Self {
        match told {
            ConnectError::Full => self.clone(),
            ConnectError::WithoutCode => Self { code: None, ..self.clone() },
            ConnectError::TypeAlone => Self { code: None, message: None, error_type: self.error_type.clone() },
        }
    }
}

/// JSON text of `payload.errors` of GraphQL. Source: GQL-A-05, GQL-A-06.
pub(super) fn graphql_errors_json(refusals: &[Refusal], readings: &Readings) -> String {
    let entries: alloc::vec::Vec<_> =
        refusals.iter().map(|refusal| refusal.to_json_with(readings.error_type_place)).collect();
    let is_limit = |refusal: &Refusal| {
        refusal
            .error_type
            .as_deref()
            .is_some_and(|t| ["MaxSubscriptionsReachedError", "LimitExceededError"].contains(&t))
    };
    match (readings.limit_errors, refusals) {
        (LimitErrors::Object, [one]) if is_limit(one) => entries.concat(),
        (LimitErrors::Object | LimitErrors::Array, _) => alloc::format!("[{}]", entries.join(",")),
    }
}

/// JSON text of an error list.
pub fn errors_json(refusals: &[Refusal]) -> String {
    let entries: alloc::vec::Vec<_> = refusals.iter().map(Refusal::to_json).collect();
    alloc::format!("[{}]", entries.join(","))
}
