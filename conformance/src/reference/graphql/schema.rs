//! The schema served, and which mutation notifies which subscription field.
//!
//! Schemas of the service use its scalars and directives without declaring them, so they are declared
//! here, unless the schema does it itself.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::ast::{self, Definition, OperationType, Value};
use apollo_compiler::collections::{HashMap, IndexMap};
use apollo_compiler::schema::{Component, FieldDefinition, Implementers, Schema};
use apollo_compiler::validation::{DiagnosticList, Valid};

use super::errors::SchemaError;
use super::scalars::AWS_SCALARS;

/// The service's directives: name, arguments, places. `@aws_publish`, which exported schemas declare, has no meaning.
const DIRECTIVES: [(&str, &str, &str); 8] = [
    ("aws_subscribe", "(mutations: [String!])", "FIELD_DEFINITION"),
    ("aws_publish", "(subscriptions: [String])", "FIELD_DEFINITION"),
    ("aws_api_key", "", "OBJECT | FIELD_DEFINITION"),
    ("aws_iam", "", "OBJECT | FIELD_DEFINITION"),
    ("aws_oidc", "", "OBJECT | FIELD_DEFINITION"),
    ("aws_lambda", "", "OBJECT | FIELD_DEFINITION"),
    ("aws_cognito_user_pools", "(cognito_groups: [String!])", "OBJECT | FIELD_DEFINITION"),
    ("aws_auth", "(cognito_groups: [String!])", "FIELD_DEFINITION"),
];

/// A valid schema with its `@aws_subscribe` lists.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) schema: Valid<Schema>,
    /// What introspection wants to know, computed once.
    pub(super) implementers: HashMap<Name, Implementers>,
    /// Subscription fields by the mutation that notifies them.
    pub(super) triggers: BTreeMap<String, Vec<String>>,
}

type Fields = IndexMap<Name, Component<FieldDefinition>>;

impl Api {
    pub(super) fn new(sdl: &str) -> Result<Self, SchemaError> {
        let own = ast::Document::parse(sdl, "schema.graphql").map_err(|failed| invalid(&failed.errors))?;
        let schema = Schema::builder()
            .parse(prelude(&own), "aws.graphql")
            .add_ast(&own)
            .build()
            .and_then(Schema::validate)
            .map_err(|failed| invalid(&failed.errors))?;
        let triggers = triggers(&schema)?;
        let implementers = schema.implementers_map();
        Ok(Self { schema, implementers, triggers })
    }

    /// Names of the fields of the subscription type.
    pub(super) fn subscription_fields(&self) -> impl Iterator<Item = &str> {
        fields(&self.schema, OperationType::Subscription).into_iter().flat_map(|fields| fields.keys().map(Name::as_str))
    }
}

fn prelude(own: &ast::Document) -> String {
    let declares = |name: &str| {
        own.definitions.iter().any(|definition| {
            let kind = matches!(definition, Definition::ScalarTypeDefinition(_) | Definition::DirectiveDefinition(_));
            kind && definition.name().is_some_and(|known| known == name)
        })
    };
    let scalars = AWS_SCALARS.iter().filter(|(name, _)| !declares(name)).map(|(name, _)| format!("scalar {name}\n"));
    let directives = DIRECTIVES
        .iter()
        .filter(|(name, _, _)| !declares(name))
        .map(|(name, arguments, places)| format!("directive @{name}{arguments} on {places}\n"));
    scalars.chain(directives).collect()
}

/// Reads the `@aws_subscribe` lists (GQL-HTTP-015). A listed mutation must exist and return the type of
/// the subscription field; whether either may be null is their own affair.
fn triggers(schema: &Schema) -> Result<BTreeMap<String, Vec<String>>, SchemaError> {
    let mutations = fields(schema, OperationType::Mutation);
    let mut triggers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for field in fields(schema, OperationType::Subscription).into_iter().flat_map(Fields::values) {
        let listed = field
            .directives
            .get("aws_subscribe")
            .and_then(|directive| directive.specified_argument_by_name("mutations"))
            .map_or(&[][..], |list| list.as_list().unwrap_or(std::slice::from_ref(list)));
        for name in listed.iter().filter_map(|name| Value::as_str(name)) {
            let (subscription, mutation) = (field.name.to_string(), name.to_owned());
            let Some(of) = mutations.and_then(|fields| fields.get(name)) else {
                return Err(SchemaError::UnknownMutation { subscription, mutation });
            };
            if of.ty.inner_named_type() != field.ty.inner_named_type() || of.ty.is_list() != field.ty.is_list() {
                return Err(SchemaError::DifferentTypes { subscription, mutation });
            }
            triggers.entry(mutation).or_default().push(subscription);
        }
    }
    Ok(triggers)
}

fn fields(schema: &Schema, kind: OperationType) -> Option<&Fields> {
    Some(&schema.get_object(schema.root_operation(kind)?)?.fields)
}

fn invalid(found: &DiagnosticList) -> SchemaError {
    let faults = found.iter().map(|diagnostic| {
        let place = diagnostic
            .line_column_range()
            .map_or_else(String::new, |range| format!(" at line {} column {}", range.start.line, range.start.column));
        format!("{}{place}", diagnostic.error)
    });
    SchemaError::Invalid(faults.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTES: &str = "type Note { id: ID! } type Query { note: Note } \
        type Mutation { add: Note! drop: Note count: Int } ";

    fn refused(sdl: &str) -> SchemaError {
        Api::new(&format!("{NOTES}{sdl}")).unwrap_err()
    }

    #[test]
    fn a_mutation_triggers_the_fields_that_list_it() {
        let sdl = r#"type Subscription {
            all: Note @aws_subscribe(mutations: ["add", "drop"])
            added: Note @aws_subscribe(mutations: ["add"])
            idle: Note
        }"#;

        let api = Api::new(&format!("{NOTES}{sdl}")).unwrap();

        assert_eq!(api.triggers["add"], ["all", "added"]);
        assert_eq!(api.triggers["drop"], ["all"]);
        assert_eq!(api.triggers.get("count"), None);
        assert_eq!(api.subscription_fields().collect::<Vec<_>>(), ["all", "added", "idle"]);
    }

    #[test]
    fn a_list_with_an_unknown_mutation_is_refused() {
        let error = refused(r#"type Subscription { all: Note @aws_subscribe(mutations: ["nope"]) }"#);

        assert_eq!(error, SchemaError::UnknownMutation { subscription: "all".into(), mutation: "nope".into() });
        assert_eq!(error.to_string(), r#"subscription field "all" lists "nope", which is no mutation of the schema"#);
    }

    #[test]
    fn a_list_with_a_mutation_of_another_type_is_refused() {
        let error = refused(r#"type Subscription { all: Note @aws_subscribe(mutations: ["count"]) }"#);

        assert_eq!(error, SchemaError::DifferentTypes { subscription: "all".into(), mutation: "count".into() });
    }

    #[test]
    fn a_text_that_is_no_schema_is_refused_with_the_place() {
        for sdl in ["type Query {", "type Query { f: Nope }"] {
            let SchemaError::Invalid(what) = Api::new(sdl).unwrap_err() else { panic!("{sdl}") };

            assert!(what.contains(" at line 1 column "), "{what}");
        }
    }

    #[test]
    fn a_schema_may_use_what_the_service_declares() {
        let used: String = AWS_SCALARS.iter().map(|(name, _)| format!("f{name}: {name} @aws_api_key ")).collect();

        assert!(Api::new(&format!("type Query @aws_iam {{ {used} }}")).is_ok());
    }

    #[test]
    fn a_schema_may_declare_what_the_service_declares() {
        let sdl = "scalar AWSJSON directive @aws_iam on OBJECT type Query @aws_iam { f: AWSJSON }";

        assert!(Api::new(sdl).is_ok());
    }

    #[test]
    fn a_schema_needs_neither_mutations_nor_subscriptions() {
        let api = Api::new("type Query { f: Int }").unwrap();

        assert!(api.triggers.is_empty());
        assert_eq!(api.subscription_fields().count(), 0);
    }
}
