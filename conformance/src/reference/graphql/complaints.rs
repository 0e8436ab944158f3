//! What validation finds, in the service's words.
//!
//! The parser library finds the faults and says them in its own way; clients of the service know them
//! as `Validation error of type FieldUndefined: …`. The table below is the whole translation. What it
//! does not list is reported as `InvalidSyntax` with the library's text.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::{self, Definition, Selection, Value};
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::schema::Schema;
use apollo_compiler::validation::{DiagnosticList, Valid};
use appsync_protocol::json::JsonMap;

use super::errors::{GraphqlError, Place, RequestError};
use super::values::{coerce, literal};

/// The library's name of a fault, the service's name, and the service's words; `{0}` and so on stand
/// for the names that the library's text quotes, `{f}` for the field it happened on. Without words the
/// library's text is taken.
const TRANSLATION: [(&str, &str, &str); 38] = [
    ("UndefinedField", "FieldUndefined", "Field '{1}' in type '{0}' is undefined"),
    ("UndefinedArgument", "UnknownArgument", "Unknown field argument {0}"),
    ("RequiredArgument", "MissingFieldArgument", "Missing field argument {0}"),
    ("RequiredField", "WrongType", ""),
    ("UnsupportedValueType", "WrongType", ""),
    ("IntCoercionError", "WrongType", ""),
    ("FloatCoercionError", "WrongType", ""),
    ("UndefinedEnumValue", "WrongType", ""),
    ("UndefinedInputValue", "WrongType", ""),
    ("DisallowedVariableUsage", "VariableTypeMismatch", "Variable type '{1}' doesn't match expected type '{3}'"),
    ("MissingSubselection", "SubSelectionRequired", "Sub selection required for field {f}"),
    ("SubselectionOnScalarType", "SubSelectionNotAllowed", "Sub selection not allowed on leaf type {0} of field {f}"),
    ("SubselectionOnEnumType", "SubSelectionNotAllowed", "Sub selection not allowed on leaf type {0} of field {f}"),
    ("UndefinedDefinition", "UnknownType", "Unknown type {0}"),
    ("UndefinedTypeInNamedFragmentTypeCondition", "UnknownType", "Unknown type {0}"),
    ("UndefinedTypeInInlineFragmentTypeCondition", "UnknownType", "Unknown type {0}"),
    ("UndefinedDirective", "UnknownDirective", "Unknown directive {0}"),
    ("UnsupportedLocation", "MisplacedDirective", ""),
    ("UndefinedVariable", "UndefinedVariable", "Undefined variable {0}"),
    ("UnusedVariable", "UnusedVariable", "Unused variable {0}"),
    ("VariableInputType", "NonInputTypeOnVariable", ""),
    ("UndefinedFragment", "UndefinedFragment", "Undefined fragment {0}"),
    ("UnusedFragment", "UnusedFragment", "Unused fragment {0}"),
    ("RecursiveFragmentDefinition", "FragmentCycle", "Fragment cycles not allowed"),
    ("InvalidFragmentSpread", "InvalidFragmentType", ""),
    ("InvalidFragmentTarget", "FragmentTypeConditionInvalid", ""),
    ("UniqueVariable", "DuplicateVariableName", "There can be only one variable named '{0}'"),
    ("UniqueArgument", "DuplicateArgumentNames", "There can be only one argument named '{0}'"),
    ("UniqueDirective", "DuplicateDirectiveName", ""),
    ("ConflictingFieldName", "FieldsConflict", ""),
    ("ConflictingFieldType", "FieldsConflict", ""),
    ("ConflictingFieldArgument", "FieldsConflict", ""),
    ("OperationNameCollision", "DuplicateOperationName", "There can be only one operation named '{0}'"),
    ("FragmentNameCollision", "DuplicateFragmentName", "There can be only one fragment named '{0}'"),
    ("AmbiguousAnonymousOperation", "LoneAnonymousOperationViolation", "Anonymous operation with other operations."),
    ("SubscriptionUsesMultipleFields", SEVERAL_ROOT_FIELDS, "Subscription operation must have exactly one root field"),
    ("SubscriptionUsesIntrospection", "SubscriptionIntrospectionRootField", ""),
    ("UndefinedRootOperation", "OperationNotSupported", "Schema is not configured for {0} operations"),
];

const SEVERAL_ROOT_FIELDS: &str = "SubscriptionMultipleRootFields";

/// Longest part of a refused value that is repeated, in characters.
const QUOTED: usize = 80;

/// What complaints about one document refer to.
pub(super) struct Complaints<'a> {
    pub(super) schema: &'a Schema,
    pub(super) syntax: &'a ast::Document,
}

impl Complaints<'_> {
    /// The refusal for what validation found.
    pub(super) fn refusal(&self, found: &DiagnosticList) -> RequestError {
        let mut complaints = Vec::new();
        for diagnostic in found.iter() {
            let text = diagnostic.error.to_string().replace('`', "'");
            let fault = diagnostic.error.unstable_error_name().unwrap_or_default();
            let (kind, words) = TRANSLATION
                .iter()
                .find(|(name, _, _)| *name == fault)
                .map_or(("InvalidSyntax", ""), |(_, kind, words)| (*kind, *words));
            let span = apollo_compiler::diagnostic::ToCliReport::location(diagnostic.error);
            let complaint = self.complaint(kind, &self.fill(words, &text, span), span, diagnostic.sources);
            if kind == SEVERAL_ROOT_FIELDS {
                return RequestError::SeveralRootFields(complaint);
            }
            complaints.push(complaint);
        }
        RequestError::Validation(complaints)
    }

    /// Refuses literals that the service's scalars do not admit, which validation does not know.
    pub(super) fn check_literals(&self, document: &Valid<ExecutableDocument>) -> Result<(), RequestError> {
        let mut complaints = Vec::new();
        let mut check = |kind: &str, name: &str, ty: &ast::Type, value: &apollo_compiler::Node<Value>| {
            // Values of variables are checked when there are some.
            if mentions_variable(value) {
                return;
            }
            let known = literal(value, &JsonMap::new()).unwrap_or_default();
            if coerce(self.schema, name, ty, known).is_err() {
                let shown: String = value.to_string().chars().take(QUOTED).collect();
                let words = format!("argument '{name}' with value '{shown}' is not a valid '{ty}'");
                complaints.push(self.complaint(kind, &words, value.location(), &document.sources));
            }
        };
        for operation in document.operations.iter() {
            for variable in &operation.variables {
                if let Some(default) = &variable.default_value {
                    check("BadValueForDefaultArg", &variable.name, &variable.ty, default);
                }
            }
            for field in operation.all_fields(document) {
                for argument in &field.arguments {
                    if let Some(of) = field.definition.argument_by_name(&argument.name) {
                        check("WrongType", &argument.name, &of.ty, &argument.value);
                    }
                }
            }
        }
        if complaints.is_empty() { Ok(()) } else { Err(RequestError::Validation(complaints)) }
    }

    fn fill(&self, words: &str, text: &str, span: Option<SourceSpan>) -> String {
        if words.is_empty() {
            return text.into();
        }
        let mut filled = words.to_owned();
        for (index, name) in text.split('\'').skip(1).step_by(2).enumerate() {
            filled = filled.replace(&format!("{{{index}}}"), last_name(name));
        }
        filled.replace("{f}", self.path(span).last().copied().unwrap_or_default())
    }

    fn complaint(&self, kind: &str, words: &str, span: Option<SourceSpan>, sources: &SourceMap) -> GraphqlError {
        let path = self.path(span).join("/");
        let at = if path.is_empty() { String::new() } else { format!(" @ '{path}'") };
        let place = span
            .and_then(|span| span.line_column(sources))
            .map(|start| Place { line: start.line, column: start.column });
        GraphqlError { place, ..GraphqlError::new(format!("Validation error of type {kind}: {words}{at}")) }
    }

    /// Names of the fields around `span`, outermost first; inside a fragment its name comes first.
    fn path(&self, span: Option<SourceSpan>) -> Vec<&str> {
        let Some(at) = span.map(|span| span.offset()) else {
            return Vec::new();
        };
        let mut path = Vec::new();
        for definition in &self.syntax.definitions {
            if let Some(operation) = definition.as_operation_definition() {
                descend(&operation.selection_set, at, &mut path);
            } else if let Definition::FragmentDefinition(fragment) = definition
                && holds(fragment.location(), at)
            {
                path.push(fragment.name.as_str());
                descend(&fragment.selection_set, at, &mut path);
            }
        }
        path
    }
}

fn descend<'a>(selections: &'a [Selection], at: usize, path: &mut Vec<&'a str>) {
    for selection in selections.iter().filter(|selection| holds(selection.location(), at)) {
        match selection {
            Selection::Field(field) => {
                path.push(field.name.as_str());
                descend(&field.selection_set, at, path);
            }
            Selection::InlineFragment(inline) => descend(&inline.selection_set, at, path),
            // The fragment is elsewhere.
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn holds(span: Option<SourceSpan>, at: usize) -> bool {
    span.is_some_and(|span| (span.offset()..span.end_offset()).contains(&at))
}

/// The argument in a coordinate like `Query.note(id:)`; of another name the name without its sigil.
fn last_name(name: &str) -> &str {
    name.split_once('(').map_or(name, |(_, argument)| argument.trim_end_matches(":)")).trim_start_matches(['$', '@'])
}

fn mentions_variable(value: &Value) -> bool {
    match value {
        Value::Variable(_) => true,
        Value::List(items) => items.iter().any(|item| mentions_variable(item)),
        Value::Object(members) => members.iter().any(|(_, value)| mentions_variable(value)),
        Value::Null | Value::Enum(_) | Value::String(_) | Value::Float(_) | Value::Int(_) | Value::Boolean(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use appsync_protocol::server::Identity;

    use super::super::{Engine, RequestError};

    /// Messages of the refusal of `query`, without their common beginning.
    fn complaints(query: &str) -> Vec<String> {
        let body = appsync_protocol::json::json_text(query).to_string();
        let refusal = Engine::default_schema()
            .unwrap()
            .subscribe(&format!("{{\"query\":{body}}}"), &Identity::default())
            .unwrap_err();
        assert_eq!(refusal.error_type(), None);
        refusal
            .errors()
            .into_iter()
            .map(|error| error.message.strip_prefix("Validation error of type ").unwrap().to_owned())
            .collect()
    }

    #[test]
    fn an_undefined_field_is_named_with_its_type_and_path_and_nothing_else() {
        let found = complaints("subscription($b: ID) { onNote(board: $b) { nope } }");

        assert_eq!(found, ["FieldUndefined: Field 'nope' in type 'Note' is undefined @ 'onNote/nope'"]);
    }

    #[test]
    fn an_undefined_root_field_does_not_make_its_variable_unused() {
        let found = complaints("subscription($b: ID) { onNope(board: $b) { id } }");

        assert_eq!(found, ["FieldUndefined: Field 'onNope' in type 'Subscription' is undefined @ 'onNope'"]);
    }

    #[test]
    fn a_fault_inside_a_fragment_is_placed_below_its_name() {
        let found = complaints("subscription { onNote { ...F } } fragment F on Note { nope }");

        assert_eq!(found, ["FieldUndefined: Field 'nope' in type 'Note' is undefined @ 'F/nope'"]);
    }

    #[test]
    fn an_unknown_argument_is_named() {
        let found = complaints("subscription { onNote(filter: 1) { id } }");

        assert_eq!(found, ["UnknownArgument: Unknown field argument filter @ 'onNote'"]);
    }

    #[test]
    fn a_missing_argument_is_named() {
        let found = complaints("subscription { subscribe2channel { name } }");

        assert_eq!(found, ["MissingFieldArgument: Missing field argument name @ 'subscribe2channel'"]);
    }

    #[test]
    fn a_literal_of_the_wrong_type_is_refused() {
        let found = complaints("subscription { onNote(stars: \"five\") { id } }");

        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("WrongType: ") && found[0].ends_with(" @ 'onNote'"), "{found:?}");
    }

    #[test]
    fn a_variable_of_the_wrong_type_is_refused_with_both_types() {
        let found = complaints("subscription($n: String) { subscribe2channel(name: $n) { name } }");

        let words = "Variable type 'String' doesn't match expected type 'String!'";
        assert_eq!(found, [format!("VariableTypeMismatch: {words} @ 'subscribe2channel'")]);
    }

    #[test]
    fn a_selection_is_required_on_objects_and_refused_on_scalars() {
        assert_eq!(
            complaints("subscription { onNote }"),
            ["SubSelectionRequired: Sub selection required for field onNote @ 'onNote'"]
        );
        assert_eq!(
            complaints("subscription { onNote { id { x } } }"),
            ["SubSelectionNotAllowed: Sub selection not allowed on leaf type ID of field id @ 'onNote/id'"]
        );
    }

    #[test]
    fn what_is_not_defined_or_not_used_is_named() {
        for (query, expected) in [
            ("subscription { onNote(board: $b) { id } }", "UndefinedVariable: Undefined variable b @ 'onNote'"),
            ("subscription($b: ID) { onNote { id } }", "UnusedVariable: Unused variable b"),
            ("subscription { onNote { ...F } }", "UndefinedFragment: Undefined fragment F @ 'onNote'"),
            ("subscription { onNote { id @nope } }", "UnknownDirective: Unknown directive nope @ 'onNote/id'"),
            ("subscription { onNote { ... on Nope { id } } }", "UnknownType: Unknown type Nope @ 'onNote'"),
            (
                "subscription { onNote { ...F } } fragment F on Note { ...F }",
                "FragmentCycle: Fragment cycles not allowed @ 'F'",
            ),
        ] {
            assert_eq!(complaints(query), [expected], "{query}");
        }
    }

    #[test]
    fn a_fault_without_words_of_its_own_keeps_those_of_the_library() {
        let found = complaints("subscription { onNote { a: id a: board } }");

        assert_eq!(found, ["FieldsConflict: cannot select different fields into the same alias 'a' @ 'onNote/board'"]);
    }

    #[test]
    fn a_second_root_field_is_refused_as_such() {
        let data = r#"{"query":"subscription { onNote { id } subscribeToMessages { message } }"}"#;

        let refusal = Engine::default_schema().unwrap().subscribe(data, &Identity::default()).unwrap_err();

        let RequestError::SeveralRootFields(error) = refusal else { panic!("{refusal:?}") };
        assert!(error.message.starts_with("Validation error of type SubscriptionMultipleRootFields: "));
        assert_eq!(error.place.map(|place| (place.line, place.column)), Some((1, 1)));
    }

    #[test]
    fn a_root_field_of_introspection_is_refused() {
        let found = complaints("subscription { __typename }");

        assert!(found[0].starts_with("SubscriptionIntrospectionRootField: "), "{found:?}");
    }
}
