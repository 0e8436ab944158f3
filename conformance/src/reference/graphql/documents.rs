//! Requests, and the documents in them: parsed and checked once, then known by their text.
//!
//! Most subscribers of one client send the same document with other variables. What is kept of a
//! document is either ready to run or already refused, so that the second time costs one look-up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::ast::{self, Definition, OperationType};
use apollo_compiler::executable::Operation;
use apollo_compiler::schema::Schema;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node};
use appsync_protocol::json::{Json, JsonMap, parse_json};

use super::complaints::Complaints;
use super::errors::{GraphqlError, RequestError};
use super::selections::Shape;

/// Documents kept; with one more all are forgotten.
const KEPT: usize = 256;
/// Longest document that is kept, in bytes: a text with a large payload in it does not come twice.
const KEPT_LENGTH: usize = 16 * 1024;

/// Longest document that is read, in tokens: validation of some is slower than their length.
const TOKENS: usize = 15_000;

/// A GraphQL request (GQL-SUB-002, GQL-SUB-032, GQL-SUB-033, GQL-HTTP-001).
#[derive(Debug)]
pub(super) struct Request {
    pub(super) query: String,
    pub(super) variables: JsonMap,
    pub(super) operation_name: Option<String>,
}

impl Request {
    /// Reads a request from its JSON text.
    pub(super) fn read(text: &str) -> Result<Self, RequestError> {
        let Some(Json::Object(mut members)) = parse_json(text) else {
            return Err(RequestError::NotJson);
        };
        let Some(Json::String(query)) = members.remove("query") else {
            return Err(RequestError::NoQuery);
        };
        let variables = match members.remove("variables").unwrap_or_default() {
            Json::Null => JsonMap::new(),
            Json::Object(variables) => variables,
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                return Err(RequestError::Variables(vec![GraphqlError::new("Variables must be an object.")]));
            }
        };
        let operation_name = match members.remove("operationName").unwrap_or_default() {
            Json::Null => None,
            Json::String(name) => Some(name).filter(|name| !name.is_empty()),
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => return Err(RequestError::NoQuery),
        };
        Ok(Self { query, variables, operation_name })
    }
}

/// Name of the operation, and response key.
type RootField = (Option<String>, String);

/// A document that parses: its operations, and whether they fit the schema.
#[derive(Debug)]
pub(super) struct Prepared {
    operations: Vec<(Option<String>, OperationType)>,
    checked: Result<Valid<ExecutableDocument>, RequestError>,
    /// What fields at the root select. Empty where variables decide about that.
    shapes: Mutex<BTreeMap<RootField, Arc<Shape>>>,
    /// Whether conditions decide what is selected.
    has_conditions: bool,
}

impl Prepared {
    fn read(schema: &Valid<Schema>, text: &str) -> Result<Self, RequestError> {
        let mut parser = ast::Document::parser().token_limit(TOKENS);
        let syntax = parser.parse_ast(text, "query.graphql").map_err(|failed| {
            let first = failed.errors.iter().next().map_or_else(String::new, |diagnostic| {
                let place = diagnostic.line_column_range().map_or_else(String::new, |range| {
                    format!(" at line {} column {}", range.start.line, range.start.column)
                });
                let what = diagnostic.error.to_string();
                format!("{}{place}", what.strip_prefix("syntax error: ").unwrap_or(&what))
            });
            RequestError::Syntax(GraphqlError::new(format!("Invalid Syntax : {first}")))
        })?;
        let operations: Vec<_> = syntax
            .definitions
            .iter()
            .filter_map(Definition::as_operation_definition)
            .map(|operation| (operation.name.as_ref().map(ToString::to_string), operation.operation_type))
            .collect();
        if operations.is_empty() {
            return Err(RequestError::Syntax(GraphqlError::new("Invalid Syntax : the document has no operation")));
        }
        let complaints = Complaints { schema, syntax: &syntax };
        // Fields the schema does not have are missing from the document that validation would see, and
        // what is missing would be complained about again.
        let checked = syntax
            .to_executable(schema)
            .map_err(|failed| failed.errors)
            .and_then(|document| document.validate(schema).map_err(|failed| failed.errors))
            .map_err(|found| complaints.refusal(&found))
            .and_then(|document| complaints.check_literals(&document).map(|()| document));
        let has_conditions = text.contains("@skip") || text.contains("@include");
        Ok(Self { operations, checked, shapes: Mutex::default(), has_conditions })
    }

    /// What the field at the root with this response key selects, made now or before.
    pub(super) fn shape(&self, operation: Option<&str>, key: &str, make: impl FnOnce() -> Shape) -> Arc<Shape> {
        if self.has_conditions {
            return Arc::new(make());
        }
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (operation.map(str::to_owned), key.to_owned());
        Arc::clone(shapes.entry(name).or_insert_with(|| Arc::new(make())))
    }

    /// The kind of the operation that a request names, whether or not the document fits the schema.
    pub(super) fn kind(&self, name: Option<&str>) -> Result<OperationType, RequestError> {
        match (name, self.operations.as_slice()) {
            (Some(name), operations) => operations
                .iter()
                .find(|(known, _)| known.as_deref() == Some(name))
                .map(|(_, kind)| *kind)
                .ok_or_else(|| RequestError::UnknownOperation(name.into())),
            (None, [(_, kind)]) => Ok(*kind),
            (None, _) => Err(RequestError::MissingOperationName),
        }
    }

    /// The operation that a request names, ready to run.
    pub(super) fn operation(
        &self,
        name: Option<&str>,
    ) -> Result<(&Valid<ExecutableDocument>, &Node<Operation>), RequestError> {
        let document = self.checked.as_ref().map_err(Clone::clone)?;
        match document.operations.get(name) {
            Ok(operation) => Ok((document, operation)),
            Err(_) => {
                Err(name.map_or(RequestError::MissingOperationName, |n| RequestError::UnknownOperation(n.into())))
            }
        }
    }
}

/// The documents known by their text.
#[derive(Debug, Default)]
pub(super) struct Documents {
    known: Mutex<BTreeMap<String, Arc<Prepared>>>,
}

impl Documents {
    /// The document of `text`, checked now or before. Fails only if it does not parse.
    pub(super) fn prepare(&self, schema: &Valid<Schema>, text: &str) -> Result<Arc<Prepared>, RequestError> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(Arc::clone(known));
        }
        let prepared = Arc::new(Prepared::read(schema, text)?);
        if text.len() <= KEPT_LENGTH {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= KEPT {
                known.clear();
            }
            known.insert(text.into(), Arc::clone(&prepared));
        }
        Ok(prepared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Valid<Schema> {
        Schema::parse_and_validate("type Query { f(x: Int): Int }", "test.graphql").unwrap()
    }

    fn kept(documents: &Documents) -> usize {
        documents.known.lock().unwrap().len()
    }

    #[test]
    fn a_text_that_is_no_json_object_is_refused() {
        for text in ["", "{", "[]", "\"query\"", "null"] {
            assert_eq!(Request::read(text).unwrap_err(), RequestError::NotJson, "{text}");
        }
    }

    #[test]
    fn a_request_without_usable_query_is_refused() {
        for text in ["{}", r#"{"query":null}"#, r#"{"query":["{f}"]}"#, r#"{"query":"{f}","operationName":7}"#] {
            assert_eq!(Request::read(text).unwrap_err(), RequestError::NoQuery, "{text}");
        }
    }

    #[test]
    fn a_request_with_variables_in_a_list_is_refused() {
        let refusal = Request::read(r#"{"query":"{f}","variables":[1]}"#).unwrap_err();

        assert_eq!(refusal, RequestError::Variables(vec![GraphqlError::new("Variables must be an object.")]));
    }

    #[test]
    fn a_request_may_leave_out_all_but_the_query() {
        let request = Request::read(r#"{"query":"{f}","variables":null,"operationName":""}"#).unwrap();

        assert_eq!(request.operation_name, None);
        assert!(request.variables.is_empty());
    }

    #[test]
    fn a_syntax_error_names_its_place() {
        for (text, place) in [("query {", "line 1"), ("", "line 1"), ("{ f }\n}", "line 2")] {
            let refusal = Documents::default().prepare(&schema(), text).unwrap_err();

            let RequestError::Syntax(error) = refusal else { panic!("{text}: {refusal:?}") };
            assert!(error.message.starts_with("Invalid Syntax : ") && error.message.contains(place), "{error:?}");
        }
    }

    #[test]
    fn a_document_of_too_many_tokens_is_not_read() {
        let refusal = Documents::default().prepare(&schema(), &format!("{{ {} }}", "f ".repeat(TOKENS))).unwrap_err();

        assert!(matches!(refusal, RequestError::Syntax(_)), "{refusal:?}");
    }

    #[test]
    fn a_document_without_operation_does_not_parse() {
        let refusal = Documents::default().prepare(&schema(), "fragment A on Query { f }").unwrap_err();

        assert!(matches!(refusal, RequestError::Syntax(_)), "{refusal:?}");
    }

    #[test]
    fn a_document_with_several_operations_needs_a_name() {
        let prepared = Documents::default().prepare(&schema(), "query A { f } query B { g: f }").unwrap();

        assert_eq!(prepared.kind(None), Err(RequestError::MissingOperationName));
        assert_eq!(prepared.operation(None).unwrap_err(), RequestError::MissingOperationName);
        assert_eq!(prepared.kind(Some("C")), Err(RequestError::UnknownOperation("C".into())));
        assert_eq!(prepared.operation(Some("C")).unwrap_err(), RequestError::UnknownOperation("C".into()));
        assert_eq!(prepared.kind(Some("B")), Ok(OperationType::Query));
        assert!(prepared.operation(Some("B")).is_ok());
    }

    #[test]
    fn a_known_document_is_not_checked_again() {
        let documents = Documents::default();

        let first = documents.prepare(&schema(), "{ f }").unwrap();
        let second = documents.prepare(&schema(), "{ f }").unwrap();

        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn the_documents_kept_are_bounded() {
        let documents = Documents::default();

        for x in 0..=KEPT {
            documents.prepare(&schema(), &format!("{{ f(x: {x}) }}")).unwrap();
        }

        assert_eq!(kept(&documents), 1);
    }

    #[test]
    fn a_long_document_is_not_kept() {
        let documents = Documents::default();

        documents.prepare(&schema(), &format!("{{ f }} # {}", "x".repeat(KEPT_LENGTH))).unwrap();

        assert_eq!(kept(&documents), 0);
    }
}
