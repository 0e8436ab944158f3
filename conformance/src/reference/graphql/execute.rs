//! Operations over HTTP: what they answer, and what their mutations notify.
//!
//! Root fields run one after the other, in the order of the document. Nothing is kept of a request but
//! what its resolvers store. What went wrong before a field ran has an HTTP status of 200 or 400 as the
//! service has it; what goes wrong in a field is always 200.

use std::sync::Arc;
use std::time::Duration;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::OperationType;
use apollo_compiler::executable::Operation;
use apollo_compiler::introspection;
use apollo_compiler::response::serde_json_bytes;
use apollo_compiler::validation::Valid;
use appsync_protocol::json::{Json, JsonMap, json_array, json_text, json_to_text};
use appsync_protocol::server::Identity;

use super::Engine;
use super::access::Access;
use super::declared::{DELAY_MAX, Declared, since_1970};
use super::documents::Request;
use super::errors::{FieldFailure, GraphqlError, RequestError};
use super::resolvers::Call;
use super::schema::Api;
use super::selections::{Group, Scope, Shape};
use super::template::Given;
use super::values::{Unsupplied, arguments, variables};

/// What a request over HTTP led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Executed {
    /// HTTP status: 200 or 400.
    pub status: u16,
    /// JSON text of the answer (GQL-HTTP-002, GQL-HTTP-013).
    pub body: String,
    /// `errorType` of a 400, which the service repeats in a header.
    pub error_type: Option<&'static str>,
    /// What to tell subscribers, in order.
    pub events: Vec<Occurrence>,
    /// What ends subscriptions, in order, after the events.
    pub invalidations: Vec<Invalidation>,
    /// How much later the answer is given, and the subscribers are told.
    pub after: Duration,
}

/// A call of `invalidateSubscriptions` (GQL-FILTER-026).
#[derive(Clone, Debug, PartialEq)]
pub struct Invalidation {
    /// Field of the subscription type.
    pub field: String,
    /// What invalidation filters are matched with.
    pub payload: Json,
}

/// A mutation as one subscription field sees it (GQL-HTTP-015, GQL-FILTER-006).
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// Field of the subscription type that lists the mutation.
    pub field: String,
    /// The mutation's result, keyed by field name, with what its selection set selected and nothing else.
    pub object: Json,
}

const MALFORMED: &str = "MalformedHttpRequestException";
const BAD_REQUEST: &str = "BadRequestException";

impl Engine {
    /// Executes the body of a `POST` to the GraphQL endpoint (GQL-HTTP-001, GQL-HTTP-007 to
    /// GQL-HTTP-010, GQL-HTTP-014) for `who`. Does not fail: a refusal is an answer.
    pub fn execute(&mut self, body: &[u8], who: &Identity) -> Executed {
        if body.is_empty() {
            return Executed::refused(MALFORMED, "Request body is empty.");
        }
        match self.run(body, who) {
            Ok(outcome) => outcome.answer(),
            Err(refusal) => Executed::of(&refusal),
        }
    }

    /// Whether the body asks for a mutation, which a `GET` must not (GraphQL over HTTP).
    pub fn asks_for_a_mutation(&self, body: &[u8]) -> bool {
        let kind = std::str::from_utf8(body).ok().and_then(|text| {
            let request = Request::read(text).ok()?;
            let prepared = self.requests.prepare(&self.api.schema, &request.query).ok()?;
            prepared.kind(request.operation_name.as_deref()).ok()
        });
        kind == Some(OperationType::Mutation)
    }

    fn run(&mut self, body: &[u8], who: &Identity) -> Result<Outcome, RequestError> {
        let text = std::str::from_utf8(body).map_err(|_| RequestError::NotJson)?;
        let request = Request::read(text)?;
        let name_of_operation = request.operation_name.as_deref();
        let api = Arc::clone(&self.api);
        let prepared = self.requests.prepare(&api.schema, &request.query)?;
        let kind = prepared.kind(name_of_operation)?;
        if kind == OperationType::Subscription {
            return Ok(Outcome::Subscription);
        }
        let (document, operation) = prepared.operation(name_of_operation)?;
        let variables = variables(&api.schema, operation, request.variables)?;
        let (mut introspected, errors) = introspect(&api, document, operation, &variables)?;
        let scope = Scope { schema: &api.schema, document, variables: &variables };
        let (declared, access) = (Arc::clone(&self.declared), Arc::clone(&self.access));
        let gate = Gate { declared: &declared, access: &access, who };
        let mut results = Results { errors, ..Results::default() };
        for group in scope.root(operation) {
            let key = group.field.response_key().as_str();
            match group.field.name.as_str() {
                "__typename" => results.insert(key, json_text(operation.object_type())),
                "__schema" | "__type" => results.insert(key, introspected.remove(key).unwrap_or_default()),
                name => {
                    let resolved = self.resolve(&scope, kind, &group, gate, &mut results);
                    let notified = match kind {
                        OperationType::Mutation => api.triggers.get(name).map_or(&[][..], Vec::as_slice),
                        OperationType::Query | OperationType::Subscription => &[],
                    };
                    let shape = prepared.shape(name_of_operation, key, || Shape::of(&scope, operation, &group));
                    results.complete(&scope, &shape, &group, gate, resolved, notified);
                }
            }
        }
        Ok(Outcome::Results(results))
    }

    /// Runs the resolver of one root field, if `who` may use it.
    fn resolve(
        &mut self,
        scope: &Scope<'_>,
        kind: OperationType,
        group: &Group<'_>,
        gate: Gate<'_>,
        results: &mut Results,
    ) -> Result<Json, FieldFailure> {
        let (on, name) = (group.on.as_str(), group.field.name.as_str());
        if !gate.access.permits(on, name, gate.who) {
            return Err(FieldFailure::unauthorized(on, name));
        }
        if let Some(failure) = self.failing.get(name) {
            return Err(failure.clone());
        }
        let arguments = arguments(scope.schema, group.field, scope.variables, Unsupplied::IsAbsent)
            .map_err(|misfit| FieldFailure::of_request(misfit.message("Argument")))?;
        let resolver = gate.declared.resolver(on, name);
        results.after += resolver.map_or(Duration::ZERO, |resolver| resolver.delay);
        let now = since_1970(self.started_at, self.now).saturating_add(results.after);
        let call = Call { schema: scope.schema, kind, field: &group.field.definition };
        let result = match resolver {
            None => self.store.resolve(call, arguments),
            Some(resolver) => {
                let given = Given { arguments: &arguments, name: &gate.who.name, now };
                let result = self.store.run(call, &resolver.gives, &given)?;
                resolver.invalidate(&given, &mut results.invalidations)?;
                result
            }
        };
        if gate.declared.answers_from(name) && kind == OperationType::Mutation {
            self.store.keep(name, &result);
        }
        Ok(result)
    }
}

/// What may stand between a result and the one who asks for it.
#[derive(Clone, Copy)]
struct Gate<'g> {
    declared: &'g Declared,
    access: &'g Access,
    who: &'g Identity,
}

impl Gate<'_> {
    fn is_open(&self) -> bool {
        self.access.is_open_to(self.who) && !self.declared.has_nested_failures()
    }

    fn failure(&self, on: &str, field: &str) -> Option<FieldFailure> {
        if self.access.permits(on, field, self.who) {
            self.declared.failure(on, field).cloned()
        } else {
            Some(FieldFailure::unauthorized(on, field))
        }
    }

    /// Takes out of `value`, which stands at `path`, what fails or is denied of what `group` selects below it
    /// (GQL-HTTP-012).
    fn take_out(&self, scope: &Scope<'_>, group: &Group<'_>, value: &mut Json, path: &[Json], errors: &mut Vec<Json>) {
        if let Some(items) = value.as_array_mut() {
            for (index, item) in items.iter_mut().enumerate() {
                self.take_out(scope, group, item, &[path, &[Json::from(index)]].concat(), errors);
            }
            return;
        }
        let Some(object) = value.as_object_mut() else { return };
        for inner in scope.below(group) {
            let name = inner.field.name.as_str();
            let path = [path, &[json_text(inner.field.response_key())]].concat();
            if let Some(failure) = self.failure(inner.on, name) {
                errors.push(failure.to_json(path, scope.place(&inner)));
                object.insert(name.into(), Json::Null);
            } else if let Some(value) = object.get_mut(name) {
                self.take_out(scope, &inner, value, &path, errors);
            }
        }
    }
}

enum Outcome {
    Subscription,
    Results(Results),
}

impl Outcome {
    fn answer(self) -> Executed {
        match self {
            // GQL-HTTP-014: the oldest transport is the one that the service still knows by name.
            Self::Subscription => Executed::refused(BAD_REQUEST, "Subscriptions over MQTT is not supported."),
            Self::Results(results) => Executed {
                status: 200,
                body: answer(results.data.map_or(Json::Null, Json::Object), results.errors),
                error_type: None,
                events: results.events,
                invalidations: results.invalidations,
                after: results.after.min(DELAY_MAX),
            },
        }
    }
}

/// What the fields of one operation have given so far.
struct Results {
    /// By response key; `None` once a null stood where none may.
    data: Option<JsonMap>,
    errors: Vec<Json>,
    events: Vec<Occurrence>,
    invalidations: Vec<Invalidation>,
    after: Duration,
}

impl Default for Results {
    fn default() -> Self {
        Self {
            data: Some(JsonMap::new()),
            errors: Vec::new(),
            events: Vec::new(),
            invalidations: Vec::new(),
            after: Duration::ZERO,
        }
    }
}

impl Results {
    fn insert(&mut self, key: &str, value: Json) {
        if let Some(data) = &mut self.data {
            data.insert(key.into(), value);
        }
    }

    /// Cuts what a resolver gave to what was selected, and notes whom it concerns. A field that failed
    /// or is null concerns nobody (GQL-SUB-018).
    fn complete(
        &mut self,
        scope: &Scope<'_>,
        shape: &Shape,
        group: &Group<'_>,
        gate: Gate<'_>,
        resolved: Result<Json, FieldFailure>,
        notified: &[String],
    ) {
        let (key, name) = (group.field.response_key().as_str(), group.field.name.as_str());
        let mut taken = Vec::new();
        let value = match resolved {
            Ok(mut value) => {
                if !gate.is_open() {
                    gate.take_out(scope, group, &mut value, &[json_text(key)], &mut taken);
                }
                value
            }
            Err(failure) => {
                self.errors.push(failure.to_json(vec![json_text(key)], scope.place(group)));
                if shape.root.fields.iter().any(|field| field.required) {
                    self.data = None;
                } else {
                    self.insert(key, Json::Null);
                }
                return;
            }
        };
        let whole = Json::Object(JsonMap::from_iter([(name.to_owned(), value)]));
        let mut seen = shape.root.project_after(taken, &whole, &[]);
        for error in seen.errors.iter_mut().filter_map(Json::as_object_mut) {
            error.entry("locations").or_insert(Json::Null);
        }
        let is_whole = seen.errors.is_empty();
        self.errors.append(&mut seen.errors);
        let Some(value) = seen.value.as_object_mut().and_then(|object| object.remove(key)) else {
            self.data = None;
            return;
        };
        if !value.is_null() && !notified.is_empty() {
            let object = if is_whole && shape.names_itself {
                value.clone()
            } else {
                shape.by_name.project(&whole, &[]).value.get(name).cloned().unwrap_or_default()
            };
            let told = |(field, object): (&String, Json)| Occurrence { field: field.clone(), object };
            self.events.extend(notified.iter().zip(vec![object; notified.len()]).map(told));
        }
        self.insert(key, value);
    }
}

impl Executed {
    /// A 400 with one error (GQL-HTTP-013).
    fn refused(error_type: &'static str, message: &str) -> Self {
        let element = [("errorType", error_type), ("message", message)].map(|(k, v)| (k.to_owned(), json_text(v)));
        let errors = json_array(vec![Json::Object(JsonMap::from_iter(element))]);
        let body = Json::Object(JsonMap::from_iter([("errors".to_owned(), errors)]));
        Self { status: 400, error_type: Some(error_type), ..Self::answering(body.to_string()) }
    }

    /// A 200 that nobody is told of.
    const fn answering(body: String) -> Self {
        let after = Duration::ZERO;
        Self { status: 200, body, error_type: None, events: Vec::new(), invalidations: Vec::new(), after }
    }

    fn of(refusal: &RequestError) -> Self {
        match refusal {
            RequestError::NotJson | RequestError::NoQuery | RequestError::Syntax(_) => {
                Self::refused(MALFORMED, "Unable to parse GraphQL query.")
            }
            RequestError::MissingOperationName
            | RequestError::UnknownOperation(_)
            | RequestError::NotASubscription(_) => {
                let message = refusal.errors().into_iter().next().unwrap_or_default().message;
                Self::refused(BAD_REQUEST, &message)
            }
            RequestError::Validation(_)
            | RequestError::Variables(_)
            | RequestError::SeveralRootFields(_)
            | RequestError::Unauthorized(_)
            | RequestError::Resolver(_)
            | RequestError::Filter(_) => {
                let errors = refusal.errors().iter().map(GraphqlError::to_json).collect();
                Self::answering(answer(Json::Null, errors))
            }
        }
    }
}

impl FieldFailure {
    fn of_request(message: String) -> Self {
        Self { error_type: None, error_info: Json::Null, message }
    }
}

fn answer(data: Json, errors: Vec<Json>) -> String {
    let mut answer = JsonMap::from_iter([("data".to_owned(), data)]);
    answer.extend((!errors.is_empty()).then(|| ("errors".to_owned(), json_array(errors))));
    json_to_text(&Json::Object(answer))
}

/// Answers `__schema` and `__type` at the root, by response key; other fields are left out.
fn introspect(
    api: &Api,
    document: &Valid<ExecutableDocument>,
    operation: &Operation,
    variables: &JsonMap,
) -> Result<(JsonMap, Vec<Json>), RequestError> {
    if !operation.root_fields(document).any(|field| matches!(field.name.as_str(), "__schema" | "__type")) {
        return Ok((JsonMap::new(), Vec::new()));
    }
    let refused = |error: apollo_compiler::request::RequestError| {
        RequestError::Validation(vec![GraphqlError::new(error.message().to_string())])
    };
    introspection::check_max_depth(document, operation).map_err(refused)?;
    let given: serde_json_bytes::Value = Json::Object(variables.clone()).into();
    // Coerced by this module's own rules, which are stricter.
    let given = Valid::assume_valid(given.as_object().cloned().unwrap_or_default());
    let response =
        introspection::partial_execute(&api.schema, &api.implementers, document, operation, &given).map_err(refused)?;
    let data = match serde_json::to_value(&response.data) {
        Ok(Json::Object(data)) => data,
        Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) | Err(_) => JsonMap::new(),
    };
    let errors = response.errors.iter().map(|error| GraphqlError::new(error.message.clone()).to_json()).collect();
    Ok((data, errors))
}
