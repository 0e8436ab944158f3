//! What the settings say of fields, checked against the schema once.
//!
//! Of fields of Query and Mutation everything can be said. A field of another type can only be denied or fail, and a
//! field of Subscription besides that set filters: its own result is not delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use apollo_compiler::ast::OperationType;
use apollo_compiler::schema::{FieldDefinition, Schema};
use appsync_protocol::filter::Filter;
use appsync_protocol::json::{Json, JsonMap, parse_json};
use appsync_protocol::moment::Moment;

use super::Bent;
use super::errors::{FieldFailure, RequestError};
use super::execute::Invalidation;
use super::settings::{ResolverSettings, Settings, SettingsError, SubscriptionSettings};
use super::template::{Given, Template};

/// Longest delay of an answer, of one field and of all of a request: the service gives a request as long.
pub(super) const DELAY_MAX: Duration = Duration::from_secs(30);

/// All that is declared.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// By type and field.
    resolvers: BTreeMap<String, BTreeMap<String, Resolver>>,
    /// By field of the subscription type.
    subscriptions: BTreeMap<String, Filters>,
    /// Whether a field below a root field fails.
    nested_failures: bool,
    /// Mutations that queries answer from.
    kept: BTreeSet<String>,
}

/// What one field does.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) gives: Gives,
    pub(super) delay: Duration,
    pub(super) invalidates: Vec<Invalidates>,
}

/// Where the result of a field comes from.
#[derive(Debug)]
pub(super) enum Gives {
    /// As if nothing were declared.
    Usual,
    /// The arguments, input objects opened.
    Arguments,
    /// One argument.
    Argument(String),
    /// A template, fixed values included.
    Template(Template),
    /// What a mutation returned last.
    Last(String),
    /// An error.
    Failure(FieldFailure),
}

/// Calls of `invalidateSubscriptions` in one request; one more is an error.
const INVALIDATIONS_MAX: usize = 5;

impl Resolver {
    /// Notes what it ends (GQL-FILTER-026).
    pub(super) fn invalidate(&self, given: &Given<'_>, all: &mut Vec<Invalidation>) -> Result<(), FieldFailure> {
        for call in &self.invalidates {
            if all.len() == INVALIDATIONS_MAX {
                let message = format!("invalidateSubscriptions can be called {INVALIDATIONS_MAX} times in a request");
                let error_type = Some("MappingTemplate".into());
                return Err(FieldFailure { error_type, error_info: Json::Null, message });
            }
            let payload = call.payload.fill(given, &mut || Json::Null);
            all.push(Invalidation { field: call.field.clone(), payload });
        }
        Ok(())
    }
}

/// A call of `invalidateSubscriptions`.
#[derive(Debug)]
pub(super) struct Invalidates {
    pub(super) field: String,
    pub(super) payload: Template,
}

/// What a subscription field sets at its start.
#[derive(Debug)]
struct Filters {
    filter: Option<Template>,
    invalidation: Option<Template>,
}

impl Declared {
    /// Checks the settings against the schema.
    pub(super) fn new(schema: &Schema, settings: &Settings) -> Result<Self, SettingsError> {
        let mut declared = Self::default();
        for (name, resolver) in &settings.resolvers {
            let at = format!("resolvers.{name:?}");
            let (on, field) = known_field(schema, name, &at)?;
            let reader = Reader { schema, on, field, at: &at };
            let resolver = reader.resolver(resolver)?;
            let is_root = reader.kind().is_some();
            if let Gives::Last(mutation) = &resolver.gives {
                declared.kept.insert(mutation.clone());
            }
            declared.nested_failures |= !is_root && matches!(resolver.gives, Gives::Failure(_));
            declared.resolvers.entry(on.into()).or_default().insert(field.name.to_string(), resolver);
        }
        for (name, filters) in &settings.subscriptions {
            let at = format!("subscriptions.{name}");
            let root = schema.root_operation(OperationType::Subscription).map_or("Subscription", |name| name.as_str());
            let Ok(field) = schema.type_field(root, name) else {
                return Err(SettingsError::new(at, format!("type {root} has no field {name}")));
            };
            declared.subscriptions.insert(name.clone(), Filters::read(schema, field, filters, &at)?);
        }
        Ok(declared)
    }

    pub(super) fn resolver(&self, on: &str, field: &str) -> Option<&Resolver> {
        self.resolvers.get(on)?.get(field)
    }

    /// The failure declared for a field, if one is.
    pub(super) fn failure(&self, on: &str, field: &str) -> Option<&FieldFailure> {
        match &self.resolver(on, field)?.gives {
            Gives::Failure(failure) => Some(failure),
            Gives::Usual | Gives::Arguments | Gives::Argument(_) | Gives::Template(_) | Gives::Last(_) => None,
        }
    }

    /// Whether a query answers from what `mutation` returned last.
    pub(super) fn answers_from(&self, mutation: &str) -> bool {
        self.kept.contains(mutation)
    }

    /// Whether a field below a root field fails.
    pub(super) const fn has_nested_failures(&self) -> bool {
        self.nested_failures
    }

    /// Sets the filters of a subscription field that starts. What is left of `arguments` filters where no filter
    /// does: those that a filter was to be made of do not.
    pub(super) fn filters(
        &self,
        field: &str,
        arguments: &mut JsonMap,
        name: &str,
        now: Duration,
        bent: Bent,
    ) -> Result<(Option<Filter>, Option<Filter>), RequestError> {
        let Some(filters) = self.subscriptions.get(field) else { return Ok((None, None)) };
        let given = Given { arguments, name, now };
        let set = |template: &Option<Template>, bend| {
            template.as_ref().map_or(Ok(None), |template| set(template, &given, bend))
        };
        let both = (set(&filters.filter, bent.filter)?, set(&filters.invalidation, bent.invalidation)?);
        if both.0.is_none()
            && let Some(template) = &filters.filter
        {
            let mut used = Vec::new();
            template.arguments(&mut used);
            used.into_iter().for_each(|name| drop(arguments.remove(name)));
        }
        Ok(both)
    }
}

/// Fills and parses a filter; null is none.
fn set(template: &Template, given: &Given<'_>, bend: Option<fn(&mut Json)>) -> Result<Option<Filter>, RequestError> {
    let mut filled = match template.fill(given, &mut || Json::Null) {
        // An argument of AWSJSON: what is in the text.
        Json::String(text) => parse_json(&text).unwrap_or(Json::String(text)),
        other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => other,
    };
    if let Some(bend) = bend {
        bend(&mut filled);
    }
    if filled.is_null() {
        return Ok(None);
    }
    Filter::parse(&filled).map(Some).map_err(RequestError::Filter)
}

impl Filters {
    fn read(
        schema: &Schema,
        field: &FieldDefinition,
        settings: &SubscriptionSettings,
        at: &str,
    ) -> Result<Self, SettingsError> {
        let read = |json: &Option<Json>, name: &str| {
            let Some(json) = json else { return Ok(None) };
            let at = format!("{at}.{name}");
            let template = Template::read(json, &at)?;
            template.check_arguments(schema, field, &at)?;
            let mut used = Vec::new();
            template.arguments(&mut used);
            if used.is_empty() {
                // Nothing will change it: what is wrong with it can be said now.
                Filter::parse(json).map_err(|error| SettingsError::new(at, error.to_string()))?;
            }
            Ok(Some(template))
        };
        Ok(Self {
            filter: read(&settings.filter, "filter")?,
            invalidation: read(&settings.invalidation, "invalidation")?,
        })
    }
}

/// The type and the field that `Type.field` names.
fn known_field<'s>(
    schema: &'s Schema,
    name: &'s str,
    at: &str,
) -> Result<(&'s str, &'s FieldDefinition), SettingsError> {
    let Some((on, field)) = name.split_once('.') else {
        return Err(SettingsError::new(at, "expected Type.field"));
    };
    if !schema.types.contains_key(on) {
        return Err(SettingsError::new(at, format!("the schema has no type {on}")));
    }
    match schema.type_field(on, field) {
        Ok(definition) => Ok((on, definition)),
        Err(_) => Err(SettingsError::new(at, format!("type {on} has no field {field}"))),
    }
}

/// Reads the settings of one field.
struct Reader<'a> {
    schema: &'a Schema,
    on: &'a str,
    field: &'a FieldDefinition,
    at: &'a str,
}

impl Reader<'_> {
    /// Which operation the field is a root field of.
    fn kind(&self) -> Option<OperationType> {
        [OperationType::Query, OperationType::Mutation, OperationType::Subscription]
            .into_iter()
            .find(|kind| self.schema.root_operation(*kind).is_some_and(|name| name == self.on))
    }

    fn resolver(&self, settings: &ResolverSettings) -> Result<Resolver, SettingsError> {
        let gives = self.gives(settings)?;
        let only = |what: &str, is_given: bool, whose: &str| {
            if is_given { Err(self.error(what, format!("only fields of {whose} can have this"))) } else { Ok(()) }
        };
        let kind = self.kind();
        let runs = matches!(kind, Some(OperationType::Query | OperationType::Mutation));
        let has_result = settings.result.is_some() || settings.from.is_some();
        only("result", has_result && !runs, "Query and Mutation")?;
        // GQL-SUB-021: what the resolver of a subscription returns is looked at, and delivered to nobody.
        let is_subscribed = kind == Some(OperationType::Subscription);
        only("value", settings.value.is_some() && !runs && !is_subscribed, "Query, Mutation and Subscription")?;
        only("delay-ms", settings.delay_ms > 0 && !runs, "Query and Mutation")?;
        only("invalidates", !settings.invalidates.is_empty() && kind != Some(OperationType::Mutation), "Mutation")?;
        let delay = Duration::from_millis(settings.delay_ms);
        if delay > DELAY_MAX {
            return Err(self
                .error("delay-ms", format!("expected at most {}; got {}", DELAY_MAX.as_millis(), settings.delay_ms)));
        }
        let invalidates = settings.invalidates.iter().enumerate().map(|(n, call)| {
            let at = format!("{}.invalidates[{n}]", self.at);
            let root =
                self.schema.root_operation(OperationType::Subscription).map_or("Subscription", |name| name.as_str());
            if self.schema.type_field(root, &call.field).is_err() {
                return Err(SettingsError::new(
                    format!("{at}.field"),
                    format!("type {root} has no field {}", call.field),
                ));
            }
            let payload = Template::read(&call.payload, &format!("{at}.payload"))?;
            payload.check_arguments(self.schema, self.field, &format!("{at}.payload"))?;
            Ok(Invalidates { field: call.field.clone(), payload })
        });
        Ok(Resolver { gives, delay, invalidates: invalidates.collect::<Result<_, _>>()? })
    }

    fn gives(&self, settings: &ResolverSettings) -> Result<Gives, SettingsError> {
        match (&settings.result, &settings.value, &settings.from, &settings.error) {
            (None, None, None, None) => Ok(Gives::Usual),
            (Some(result), None, None, None) => self.result(result),
            (None, Some(value), None, None) => {
                let at = format!("{}.value", self.at);
                // Fixed: a string that begins with `$` is itself.
                literal(value).fitted(self.schema, self.field, &self.field.ty, &at).map(Gives::Template)
            }
            (None, None, Some(from), None) => self.last(from),
            (None, None, None, Some(error)) => Ok(Gives::Failure(FieldFailure {
                error_type: error.error_type.clone(),
                error_info: error.info.clone().unwrap_or_default(),
                message: error.message.clone(),
            })),
            (_, _, _, _) => {
                Err(SettingsError::new(self.at, "expected at most one of result, value, from and error; got several"))
            }
        }
    }

    fn result(&self, result: &Json) -> Result<Gives, SettingsError> {
        let at = format!("{}.result", self.at);
        match result.as_str() {
            Some("arguments") => Ok(Gives::Arguments),
            Some(name) if !name.starts_with('$') => {
                let argument = Template::Arguments(vec![name.into()]);
                argument.fitted(self.schema, self.field, &self.field.ty, &at)?;
                Ok(Gives::Argument(name.into()))
            }
            Some(_) | None => {
                let template = Template::read(result, &at)?;
                template.fitted(self.schema, self.field, &self.field.ty, &at).map(Gives::Template)
            }
        }
    }

    fn last(&self, from: &str) -> Result<Gives, SettingsError> {
        let wrong = |why: String| Err(self.error("from", why));
        let root = self.schema.root_operation(OperationType::Mutation).map_or("Mutation", |name| name.as_str());
        let Some((on, name)) =
            from.strip_prefix("last:").and_then(|of| of.split_once('.')).filter(|(on, _)| *on == root)
        else {
            return wrong(format!("expected \"last:{root}.field\"; got {from:?}"));
        };
        let Ok(of) = self.schema.type_field(on, name) else {
            return wrong(format!("type {on} has no field {name}"));
        };
        if of.ty.inner_named_type() != self.field.ty.inner_named_type() || of.ty.is_list() != self.field.ty.is_list() {
            return wrong(format!("expected a mutation that returns {}; {name} returns {}", self.field.ty, of.ty));
        }
        if self.kind() != Some(OperationType::Query) {
            return wrong("only fields of Query can have this".into());
        }
        Ok(Gives::Last(name.into()))
    }

    fn error(&self, what: &str, why: String) -> SettingsError {
        SettingsError::new(format!("{}.{what}", self.at), why)
    }
}

/// A template of nothing but `json`.
fn literal(json: &Json) -> Template {
    match json {
        Json::Array(items) => Template::List(items.iter().map(literal).collect()),
        Json::Object(members) => {
            Template::Object(members.iter().map(|(name, value)| (name.clone(), literal(value))).collect())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Template::Literal(json.clone()),
    }
}

/// The time since 1970 at `at`, for an endpoint that started at `started_at`.
pub(super) fn since_1970(started_at: u64, at: Moment) -> Duration {
    Duration::from_secs(started_at).saturating_add(at.since(Moment::START))
}
