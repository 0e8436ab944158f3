//! The GraphQL API behind the reference endpoint.
//!
//! It knows a schema, documents, and what is stored; it knows no connection, subscriber or clock. A
//! subscription document becomes a [`Plan`], which the hub matches and cuts events with; a request over
//! HTTP becomes an [`Executed`] answer and the [`Occurrence`]s to be matched:
//!
//! ```text
//!  start ──data──▶ subscribe ──▶ Plan ──────────▶ hub
//!  POST ──body───▶ execute ────▶ Occurrence ────▶ hub
//!                          └───▶ status and body
//! ```
//!
//! GraphQL is parsed and validated by a library; everything the service does in its own way is here:
//! scalars, `@aws_subscribe`, the wording of errors. The same calls in the same order give the same
//! answers: ids are counted.

mod complaints;
mod documents;
mod errors;
mod execute;
mod resolvers;
mod scalars;
mod schema;
mod selections;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use appsync_protocol::json::Json;
use appsync_protocol::selection::Selection;

pub use self::errors::{FieldFailure, GraphqlError, Place, RequestError, SchemaError};
pub use self::execute::{Executed, Occurrence};

use self::documents::{Documents, Request};
use self::resolvers::Store;
use self::schema::Api;
use self::selections::Scope;
use self::values::{Unsupplied, arguments, variables};

/// An accepted subscription: which events concern it, and what of them it sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Field of the subscription type.
    pub field: String,
    /// Response key: the alias, or the name (GQL-SUB-013).
    pub key: String,
    /// The arguments supplied, coerced and fixed (GQL-SUB-040); null if given as null, or by a variable
    /// that was declared and not supplied (GQL-FILTER-003, GQL-FILTER-004).
    pub arguments: BTreeMap<String, Json>,
    /// What is selected below the field (GQL-SUB-014).
    pub selection: Selection,
    /// Whether the schema forbids null for the field.
    pub required: bool,
}

/// A schema with what is stored behind it.
#[derive(Debug)]
pub struct Engine {
    api: Arc<Api>,
    store: Store,
    failing: BTreeMap<String, FieldFailure>,
    /// Documents of subscriptions, apart from those over HTTP: a publisher that writes its values into
    /// the text must not make them forgotten.
    subscriptions: Arc<Documents>,
    requests: Arc<Documents>,
}

impl Engine {
    /// Serves the schema `sdl`, which may use the service's scalars and directives without declaring
    /// them. Fails if it is not valid or lists mutations in `@aws_subscribe` that cannot be meant.
    pub fn new(sdl: &str) -> Result<Self, SchemaError> {
        Ok(Self {
            api: Arc::new(Api::new(sdl)?),
            store: Store::default(),
            failing: BTreeMap::new(),
            subscriptions: Arc::default(),
            requests: Arc::default(),
        })
    }

    /// The same schema and what is known of documents, with nothing stored and nothing failing.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self {
            api: Arc::clone(&self.api),
            store: Store::default(),
            failing: BTreeMap::new(),
            subscriptions: Arc::clone(&self.subscriptions),
            requests: Arc::clone(&self.requests),
        }
    }

    /// Serves the embedded schema: a channel for any JSON, messages, and notes to filter by.
    pub fn default_schema() -> Result<Self, SchemaError> {
        Self::new(include_str!("../schema.graphql"))
    }

    /// Reads the `payload.data` of a `start` (GQL-SUB-002). Fails if it is no GraphQL request, not a
    /// subscription, or does not fit the schema; nothing is changed or executed either way (GQL-ERR-008).
    pub fn subscribe(&self, data: &str) -> Result<Plan, RequestError> {
        let request = Request::read(data)?;
        let name = request.operation_name.as_deref();
        let prepared = self.subscriptions.prepare(&self.api.schema, &request.query)?;
        match prepared.kind(name)? {
            OperationType::Subscription => {}
            // GQL-ERR-007: what the document asks of the schema is not looked at.
            kind @ (OperationType::Query | OperationType::Mutation) => {
                return Err(RequestError::NotASubscription(kind.name()));
            }
        }
        let (document, operation) = prepared.operation(name)?;
        let variables = variables(&self.api.schema, operation, request.variables)?;
        let scope = Scope { schema: &self.api.schema, document, variables: &variables };
        let Some(root) = scope.root(operation).next() else {
            return Err(RequestError::Validation(vec![GraphqlError::new("the subscription selects no field")]));
        };
        let given = arguments(&self.api.schema, root.field, &variables, Unsupplied::IsNull)
            .map_err(|misfit| RequestError::Variables(vec![GraphqlError::new(misfit.message("Argument"))]))?;
        Ok(Plan {
            field: root.field.name.to_string(),
            key: root.field.response_key().to_string(),
            arguments: given.into_iter().collect(),
            selection: scope.inner(&root),
            required: root.field.ty().is_non_null(),
        })
    }

    /// Makes the resolver of the root field `field` fail from now on, or work again (GQL-HTTP-011).
    pub fn fail_field(&mut self, field: &str, failure: Option<FieldFailure>) {
        match failure {
            Some(failure) => self.failing.insert(field.into(), failure),
            None => self.failing.remove(field),
        };
    }

    /// Names of the fields of the subscription type, in the order of the schema.
    pub fn subscription_fields(&self) -> impl Iterator<Item = &str> {
        self.api.subscription_fields()
    }

    /// Subscription fields whose `@aws_subscribe` lists `mutation`.
    pub fn notified_by(&self, mutation: &str) -> &[String] {
        self.api.triggers.get(mutation).map_or(&[], Vec::as_slice)
    }
}
