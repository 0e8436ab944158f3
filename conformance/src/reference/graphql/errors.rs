//! Why a GraphQL request, a field or a schema is refused, and in which words.
//!
//! A refusal is known here by what is wrong; its `errorType` and text are those of the service where
//! they were seen, but no peer may depend on the texts (GQL-ERR-025). Statuses are the business of
//! HTTP: see [`super::Executed`].

use std::fmt;

use appsync_protocol::filter::FilterError;
use appsync_protocol::json::{Json, JsonMap, json_array, json_text};

/// Why a request is refused as a whole, before any field of it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestError {
    /// The text is not one JSON object (GQL-ERR-006, GQL-HTTP-008).
    NotJson,
    /// The object has no usable `query`: absent, not a string, or beside an `operationName` that is
    /// not a string (GQL-ERR-006, GQL-HTTP-008).
    NoQuery,
    /// `query` is not a GraphQL document (GQL-HTTP-008).
    Syntax(GraphqlError),
    /// The document does not fit the schema (GQL-ERR-011, GQL-HTTP-009).
    Validation(Vec<GraphqlError>),
    /// Several operations and no `operationName`.
    MissingOperationName,
    /// `operationName` names no operation of the document.
    UnknownOperation(String),
    /// A `query` or `mutation` where only a subscription may stand (GQL-SUB-034, GQL-ERR-007, GQL-ERR-008).
    NotASubscription(&'static str),
    /// Values of variables are missing or of the wrong type (GQL-ERR-012, GQL-HTTP-010).
    Variables(Vec<GraphqlError>),
    /// A subscription selects more than one field at its root.
    SeveralRootFields(GraphqlError),
    /// Fields that the one who asks may not use (GQL-AUTH-019).
    Unauthorized(Vec<GraphqlError>),
    /// The resolver of the subscription field fails at its start.
    Resolver(FieldFailure),
    /// The resolver of the subscription field sets something that is no filter (GQL-FILTER-015 to GQL-FILTER-022).
    Filter(FilterError),
}

impl RequestError {
    /// The `errorType` over the real-time channel; validation failures have none.
    pub fn error_type(&self) -> Option<&str> {
        match self {
            Self::NotJson | Self::NoQuery | Self::NotASubscription(_) => Some("UnsupportedOperation"),
            Self::MissingOperationName | Self::UnknownOperation(_) => Some("BadRequestException"),
            Self::Unauthorized(_) => Some(UNAUTHORIZED),
            Self::Resolver(failure) => failure.error_type.as_deref(),
            Self::Syntax(_)
            | Self::Validation(_)
            | Self::Variables(_)
            | Self::SeveralRootFields(_)
            | Self::Filter(_) => None,
        }
    }

    /// The elements of `payload.errors`, at least one (GQL-ERR-001).
    pub fn errors(&self) -> Vec<GraphqlError> {
        let error_type = self.error_type().map(ToOwned::to_owned);
        let one = |message: String| vec![GraphqlError { error_type, ..GraphqlError::new(message) }];
        match self {
            Self::NotJson | Self::NoQuery => one("unknown not supported through the realtime channel".into()),
            Self::NotASubscription(kind) => one(format!("{kind} not supported through the realtime channel")),
            Self::MissingOperationName => one("Missing operation name.".into()),
            Self::UnknownOperation(name) => one(format!("Unknown operation named '{name}'.")),
            Self::Resolver(failure) => one(failure.message.clone()),
            Self::Filter(error) => vec![GraphqlError { code: Some(400), ..GraphqlError::new(error.to_string()) }],
            Self::Validation(errors) | Self::Variables(errors) | Self::Unauthorized(errors) => errors.clone(),
            Self::Syntax(error) | Self::SeveralRootFields(error) => vec![error.clone()],
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors().iter().enumerate() {
            let separator = if index == 0 { "graphql request refused: " } else { "; " };
            write!(f, "{separator}{}", error.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for RequestError {}

/// One element of an `errors` array that is about the request, not about a field's result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphqlError {
    /// `errorType`; absent for validation failures.
    pub error_type: Option<String>,
    /// `errorCode`, which the service gives to few errors.
    pub code: Option<u64>,
    /// Text in the service's wording.
    pub message: String,
    /// Where in the document, if that is known (GQL-HTTP-016).
    pub place: Option<Place>,
}

/// A place in a GraphQL document; lines and columns start at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

impl GraphqlError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { error_type: None, code: None, message: message.into(), place: None }
    }

    /// The element as the service writes it: `path` null, `locations` null or one place.
    pub fn to_json(&self) -> Json {
        let mut element = JsonMap::new();
        element.insert("path".into(), Json::Null);
        element.insert("locations".into(), locations(self.place));
        if let Some(error_type) = &self.error_type {
            element.insert("errorType".into(), json_text(error_type));
        }
        element.insert("message".into(), json_text(&self.message));
        Json::Object(element)
    }
}

/// The `errorType` of a denied field.
const UNAUTHORIZED: &str = "Unauthorized";

/// How a resolver fails (GQL-HTTP-011).
#[derive(Clone, Debug, PartialEq)]
pub struct FieldFailure {
    /// `errorType`, for example `MappingTemplate`.
    pub error_type: Option<String>,
    /// `errorInfo`; null if the resolver sets none.
    pub error_info: Json,
    /// Text.
    pub message: String,
}

impl FieldFailure {
    /// A field that the one who asks may not use (GQL-HTTP-012).
    pub(super) fn unauthorized(on: &str, field: &str) -> Self {
        let message = format!("Not Authorized to access {field} on type {on}");
        Self { error_type: Some(UNAUTHORIZED.into()), error_info: Json::Null, message }
    }

    /// The element of `errors` for a failure at `path`.
    pub(super) fn to_json(&self, path: Vec<Json>, place: Option<Place>) -> Json {
        let mut element = JsonMap::new();
        element.insert("path".into(), json_array(path));
        element.insert("data".into(), Json::Null);
        element.insert("errorType".into(), self.error_type.as_deref().map_or(Json::Null, json_text));
        element.insert("errorInfo".into(), self.error_info.clone());
        element.insert("locations".into(), locations(place));
        element.insert("message".into(), json_text(&self.message));
        Json::Object(element)
    }
}

fn locations(place: Option<Place>) -> Json {
    let Some(Place { line, column }) = place else {
        return Json::Null;
    };
    let mut location = JsonMap::new();
    location.insert("line".into(), Json::from(line));
    location.insert("column".into(), Json::from(column));
    location.insert("sourceName".into(), Json::Null);
    json_array(vec![Json::Object(location)])
}

/// Why a schema cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaError {
    /// Not GraphQL SDL, or not a valid schema; what is wrong, each with its place.
    Invalid(String),
    /// `@aws_subscribe` lists a mutation that the schema does not have.
    UnknownMutation {
        /// Field of the subscription type.
        subscription: String,
        /// Name in the list.
        mutation: String,
    },
    /// A subscription field and a mutation it lists return different types.
    DifferentTypes {
        /// Field of the subscription type.
        subscription: String,
        /// Name in the list.
        mutation: String,
    },
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) => write!(f, "schema is not valid: {what}"),
            Self::UnknownMutation { subscription, mutation } => {
                write!(
                    f,
                    "subscription field \"{subscription}\" lists \"{mutation}\", which is no mutation of the schema"
                )
            }
            Self::DifferentTypes { subscription, mutation } => {
                write!(
                    f,
                    "subscription field \"{subscription}\" and its mutation \"{mutation}\" return different types"
                )
            }
        }
    }
}

impl std::error::Error for SchemaError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_over_the_channel_is_an_unsupported_operation() {
        let refusal = RequestError::NotASubscription("query");

        let errors = refusal.errors();

        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].error_type.as_deref(), Some("UnsupportedOperation"));
        assert_eq!(errors[0].message, "query not supported through the realtime channel");
    }

    #[test]
    fn a_text_without_query_is_an_unknown_operation() {
        for refusal in [RequestError::NotJson, RequestError::NoQuery] {
            let errors = refusal.errors();

            assert_eq!(errors[0].error_type.as_deref(), Some("UnsupportedOperation"));
            assert_eq!(errors[0].message, "unknown not supported through the realtime channel");
        }
    }

    #[test]
    fn a_field_failure_has_its_type_at_the_top() {
        let failure =
            FieldFailure { error_type: Some("MappingTemplate".into()), error_info: Json::Null, message: "no".into() };

        let element = failure.to_json(vec![json_text("addNote")], Some(Place { line: 1, column: 12 }));

        assert_eq!(element["errorType"], json_text("MappingTemplate"));
        assert_eq!(element["locations"][0]["column"], Json::from(12));
        assert!(element["locations"][0]["sourceName"].is_null());
        assert!(element["data"].is_null() && element.get("data").is_some());
    }

    #[test]
    fn a_refusal_reads_as_one_line() {
        let refusal = RequestError::Variables(vec![GraphqlError::new("one"), GraphqlError::new("two")]);

        assert_eq!(refusal.to_string(), "graphql request refused: one; two");
    }
}
