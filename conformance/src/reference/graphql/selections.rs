//! Selection sets flattened to what the protocol model can cut events with.
//!
//! Fragments are resolved, `@skip` and `@include` decided by the variables of the request, and fields
//! with one response key merged. Everything here works on validated documents: what validation
//! excludes is left out in silence.
//!
//! A field of an interface or union that only some object types have is taken as nullable, because
//! events do not carry the type of their object.

use apollo_compiler::ast::{DirectiveList, Value};
use apollo_compiler::collections::{HashSet, IndexMap};
use apollo_compiler::executable::{Field, Operation, SelectionSet};
use apollo_compiler::executable::{Name, Selection as Selected};
use apollo_compiler::schema::Schema;
use apollo_compiler::{ExecutableDocument, Node};
use appsync_protocol::json::JsonMap;
use appsync_protocol::selection::{self, Selection};

use super::errors::Place;

/// What a selection set is read with.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) schema: &'a Schema,
    pub(super) document: &'a ExecutableDocument,
    pub(super) variables: &'a JsonMap,
}

/// What one field at the root selects.
#[derive(Debug)]
pub(super) struct Shape {
    /// The field as the only one of its operation.
    pub(super) root: Selection,
    /// How its result is cut for subscribers.
    pub(super) by_name: Selection,
    /// Whether the answer has that form already.
    pub(super) names_itself: bool,
}

impl Shape {
    pub(super) fn of(scope: &Scope<'_>, operation: &Operation, group: &Group<'_>) -> Self {
        let root = Selection { on: operation.object_type().to_string(), fields: vec![scope.field(group)] };
        Self { by_name: by_name(&root), names_itself: names_itself(&root), root }
    }
}

/// The fields of one selection set that share a response key.
pub(super) struct Group<'a> {
    /// The first of them: its arguments are those of all.
    pub(super) field: &'a Node<Field>,
    /// The type that it was selected on.
    pub(super) on: &'a Name,
    all: Vec<&'a Node<Field>>,
    /// Whether every object has the field.
    certain: bool,
}

type Groups<'a> = IndexMap<&'a Name, Group<'a>>;

impl<'a> Scope<'a> {
    /// The root fields of `operation` in order.
    pub(super) fn root(&self, operation: &'a Operation) -> impl Iterator<Item = Group<'a>> + use<'a> {
        self.collect([&operation.selection_set]).into_values()
    }

    /// What `group` selects below its field.
    pub(super) fn inner(&self, group: &Group<'a>) -> Selection {
        let on = group.field.ty().inner_named_type();
        Selection { on: on.to_string(), fields: self.below(group).map(|group| self.field(&group)).collect() }
    }

    /// The fields that `group` selects below its field.
    pub(super) fn below(&self, group: &Group<'a>) -> impl Iterator<Item = Group<'a>> + use<'a> {
        self.collect(group.all.iter().map(|field| &field.selection_set)).into_values()
    }

    /// Where the field of `group` stands in the document.
    pub(super) fn place(&self, group: &Group<'a>) -> Option<Place> {
        let start = group.field.location()?.line_column(&self.document.sources)?;
        Some(Place { line: start.line, column: start.column })
    }

    /// `group` as one field of the protocol model.
    pub(super) fn field(&self, group: &Group<'a>) -> selection::Field {
        let field = group.field;
        selection::Field {
            key: field.response_key().to_string(),
            name: field.name.to_string(),
            of: field.ty().inner_named_type().to_string(),
            required: group.certain && field.ty().is_non_null(),
            inner: (!field.selection_set.is_empty()).then(|| self.inner(group)),
        }
    }

    fn collect(&self, sets: impl IntoIterator<Item = &'a SelectionSet>) -> Groups<'a> {
        let mut groups = Groups::default();
        let mut spread = HashSet::default();
        for set in sets {
            self.collect_into(&mut groups, &mut spread, set, &set.ty);
        }
        groups
    }

    fn collect_into(&self, groups: &mut Groups<'a>, spread: &mut HashSet<&'a Name>, set: &'a SelectionSet, on: &Name) {
        for selected in &set.selections {
            if !self.wanted(selected.directives()) {
                continue;
            }
            match selected {
                Selected::Field(field) => {
                    let certain = set.ty == *on || self.schema.is_subtype(&set.ty, on);
                    let group = groups.entry(field.response_key()).or_insert_with(|| Group {
                        field,
                        on: &set.ty,
                        all: Vec::new(),
                        certain: false,
                    });
                    group.all.push(field);
                    group.certain |= certain;
                }
                Selected::InlineFragment(inline) => self.collect_into(groups, spread, &inline.selection_set, on),
                Selected::FragmentSpread(named) => {
                    if let Some(fragment) = self.document.fragments.get(&named.fragment_name)
                        && spread.insert(&named.fragment_name)
                    {
                        self.collect_into(groups, spread, &fragment.selection_set, on);
                    }
                }
            }
        }
    }

    fn wanted(&self, directives: &DirectiveList) -> bool {
        let condition = |name: &str| match directives.get(name)?.specified_argument_by_name("if")?.as_ref() {
            Value::Boolean(truth) => Some(*truth),
            Value::Variable(variable) => self.variables.get(variable.as_str())?.as_bool(),
            Value::Null
            | Value::Enum(_)
            | Value::String(_)
            | Value::Float(_)
            | Value::Int(_)
            | Value::List(_)
            | Value::Object(_) => None,
        };
        !condition("skip").unwrap_or(false) && condition("include").unwrap_or(true)
    }
}

/// Whether what is cut with `selection` is keyed by field name and has nothing else in it.
fn names_itself(selection: &Selection) -> bool {
    selection.fields.iter().all(|field| {
        field.key == field.name && field.name != "__typename" && field.inner.as_ref().is_none_or(names_itself)
    })
}

/// `selection` as an event is cut with it: keyed by field name, aliases of one field merged, nothing
/// required, no `__typename`.
fn by_name(selection: &Selection) -> Selection {
    let mut named = Selection { on: selection.on.clone(), fields: Vec::new() };
    merge_by_name(&mut named, selection);
    named
}

fn merge_by_name(named: &mut Selection, selection: &Selection) {
    for field in selection.fields.iter().filter(|field| field.name != "__typename") {
        let at = named.fields.iter().position(|known| known.name == field.name).unwrap_or_else(|| {
            let inner = field.inner.as_ref().map(|inner| Selection { on: inner.on.clone(), fields: Vec::new() });
            let (key, name, of) = (field.name.clone(), field.name.clone(), field.of.clone());
            named.fields.push(selection::Field { key, name, of, required: false, inner });
            named.fields.len() - 1
        });
        if let (Some(into), Some(from)) = (&mut named.fields[at].inner, &field.inner) {
            merge_by_name(into, from);
        }
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::validation::Valid;
    use appsync_protocol::json::parse_json;

    use super::*;

    const SDL: &str = "interface Thing { id: ID! } \
        type Book implements Thing { id: ID! title: String! next: Book } \
        type Query { thing: Thing book: Book }";

    fn flattened(query: &str, variables: &str) -> Selection {
        let schema = Schema::parse_and_validate(SDL, "test.graphql").unwrap();
        let document: Valid<ExecutableDocument> =
            ExecutableDocument::parse_and_validate(&schema, query, "query.graphql").unwrap();
        let variables = parse_json(variables).unwrap();
        let variables = variables.as_object().unwrap();
        let scope = Scope { schema: &schema, document: &document, variables };
        let operation = document.operations.get(None).unwrap();
        let group = scope.root(operation).next().unwrap();
        scope.inner(&group)
    }

    fn keys(selection: &Selection) -> Vec<&str> {
        selection.fields.iter().map(|field| field.key.as_str()).collect()
    }

    #[test]
    fn a_fragment_is_flattened_where_it_stands() {
        let query = "{ book { ...A ... { title } ...A __typename } } fragment A on Book { id }";

        let selection = flattened(query, "{}");

        assert_eq!(keys(&selection), ["id", "title", "__typename"]);
        assert_eq!(selection.on, "Book");
    }

    #[test]
    fn a_field_selected_twice_has_both_selections() {
        let selection = flattened("{ book { next { id } next { title } } }", "{}");

        assert_eq!(keys(&selection), ["next"]);
        assert_eq!(keys(selection.fields[0].inner.as_ref().unwrap()), ["id", "title"]);
    }

    #[test]
    fn a_condition_is_decided_by_its_variable() {
        let query = "query($yes: Boolean!) { book { id @skip(if: $yes) title @include(if: $yes) } }";

        assert_eq!(keys(&flattened(query, r#"{"yes":true}"#)), ["title"]);
        assert_eq!(keys(&flattened(query, r#"{"yes":false}"#)), ["id"]);
    }

    #[test]
    fn a_condition_on_a_fragment_takes_all_of_it() {
        let selection = flattened("{ book { id ... @include(if: false) { title } } }", "{}");

        assert_eq!(keys(&selection), ["id"]);
    }

    #[test]
    fn a_field_that_not_every_object_has_is_not_required() {
        let selection = flattened("{ thing { id ... on Book { title } } }", "{}");

        assert!(selection.fields[0].required);
        assert!(!selection.fields[1].required);
    }

    #[test]
    fn a_selection_without_alias_and_typename_names_itself() {
        for (query, due) in [
            ("{ book { id next { title } } }", true),
            ("{ book { id next { t: title } } }", false),
            ("{ book { id next { __typename } } }", false),
        ] {
            assert_eq!(names_itself(&flattened(query, "{}")), due, "{query}");
        }
    }

    #[test]
    fn an_event_is_keyed_by_name_with_all_that_the_aliases_selected() {
        let selection = flattened("{ book { __typename a: next { id } b: next { t: title } } }", "{}");

        let named = by_name(&selection);

        assert_eq!(keys(&named), ["next"]);
        assert_eq!(keys(named.fields[0].inner.as_ref().unwrap()), ["id", "title"]);
        assert!(!named.fields[0].inner.as_ref().unwrap().fields[0].required);
    }
}
