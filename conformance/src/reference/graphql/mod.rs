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
//! What its fields do beyond that is declared in [`Settings`]; who may use them is said by directives.
//! GraphQL is parsed and validated by a library; everything the service does in its own way is here:
//! scalars, `@aws_subscribe`, the wording of errors. The same calls in the same order give the same
//! answers: ids are counted.

mod access;
mod complaints;
mod declared;
mod documents;
mod errors;
mod execute;
mod resolvers;
mod scalars;
mod schema;
mod selections;
mod settings;
mod template;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use appsync_protocol::filter::Filter;
use appsync_protocol::json::Json;
use appsync_protocol::moment::Moment;
use appsync_protocol::selection::Selection;
use appsync_protocol::server::{Identity, Mode};

pub use self::errors::{FieldFailure, GraphqlError, Place, RequestError, SchemaError};
pub use self::execute::{Executed, Invalidation, Occurrence};
pub use self::settings::{
    ErrorSettings, InvalidationSettings, ResolverSettings, Settings, SettingsError, SubscriptionSettings,
};

use self::access::Access;
use self::declared::Declared;
use self::documents::{Documents, Request};
use self::resolvers::Store;
use self::schema::Api;
use self::selections::{Group, Scope};
use self::values::{Unsupplied, arguments, variables};

/// The schema served without settings.
const EMBEDDED: &str = include_str!("../schema.graphql");

/// How filters are read wrongly on purpose: what becomes of each before it is parsed; null is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bent {
    /// Enhanced filters.
    pub filter: Option<fn(&mut Json)>,
    /// Invalidation filters.
    pub invalidation: Option<fn(&mut Json)>,
}

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
    /// Which events concern it, in place of the arguments (GQL-FILTER-008).
    pub filter: Option<Filter>,
    /// Which invalidations end it (GQL-FILTER-026).
    pub invalidation: Option<Filter>,
}

/// A schema with what is stored behind it.
#[derive(Debug)]
pub struct Engine {
    api: Arc<Api>,
    declared: Arc<Declared>,
    access: Arc<Access>,
    store: Store,
    failing: BTreeMap<String, FieldFailure>,
    bent: Bent,
    /// Seconds from 1970 to the start.
    started_at: u64,
    now: Moment,
    /// Documents of subscriptions, apart from those over HTTP: a publisher that writes its values into
    /// the text must not make them forgotten.
    subscriptions: Arc<Documents>,
    requests: Arc<Documents>,
}

impl Engine {
    /// Serves the schema `sdl`, which may use the service's scalars and directives without declaring
    /// them. Fails if it is not valid or lists mutations in `@aws_subscribe` that cannot be meant.
    pub fn new(sdl: &str) -> Result<Self, SchemaError> {
        let settings = Settings::default();
        Ok(Self::serving(Api::new(sdl)?, Declared::default(), &settings, Store::default()))
    }

    /// Serves the embedded schema: a channel for any JSON, messages, and notes to filter by.
    pub fn default_schema() -> Result<Self, SchemaError> {
        let settings = Settings::default();
        Ok(Self::serving(Api::new(EMBEDDED)?, Declared::default(), &settings, Store::new(true)))
    }

    /// Serves what is configured. A schema in a file has to be read before: [`Settings::read_schema`].
    ///
    /// # Errors
    /// When the schema is not valid, or something is declared that does not fit it.
    pub fn configured(settings: &Settings) -> Result<Self, SettingsError> {
        let (name, sdl) = match (&settings.schema, &settings.sdl) {
            (Some(name), Some(sdl)) => (format!("schema {name:?}"), sdl.as_str()),
            (Some(_), None) => return Err(SettingsError::new("schema", "the file has not been read")),
            (None, Some(sdl)) => ("sdl".to_owned(), sdl.as_str()),
            (None, None) => ("schema".to_owned(), EMBEDDED),
        };
        let whole = [sdl, settings.extension.unwrap_or_default()].join("\n");
        let api = Api::new(&whole).map_err(|error| SettingsError::new(name, error.to_string()))?;
        let declared = Declared::new(&api.schema, settings)?;
        Ok(Self::serving(api, declared, settings, Store::new(settings.sdl.is_none())))
    }

    fn serving(api: Api, declared: Declared, settings: &Settings, store: Store) -> Self {
        let modes: Vec<Mode> = settings.modes.iter().map(|name| (*name).into()).collect();
        let mut access = Access::new(&api.schema, &modes);
        for (name, _) in settings.resolvers.iter().filter(|(_, resolver)| resolver.deny) {
            if let Some((on, field)) = name.split_once('.') {
                access.deny(on, field);
            }
        }
        Self {
            api: Arc::new(api),
            declared: Arc::new(declared),
            access: Arc::new(access),
            store,
            failing: BTreeMap::new(),
            bent: Bent::default(),
            started_at: settings.started_at,
            now: Moment::START,
            subscriptions: Arc::default(),
            requests: Arc::default(),
        }
    }

    /// The same schema and what is known of documents, with nothing stored and nothing failing.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self {
            api: Arc::clone(&self.api),
            declared: Arc::clone(&self.declared),
            access: Arc::clone(&self.access),
            store: self.store.fresh(),
            failing: BTreeMap::new(),
            bent: Bent::default(),
            started_at: self.started_at,
            now: Moment::START,
            subscriptions: Arc::clone(&self.subscriptions),
            requests: Arc::clone(&self.requests),
        }
    }

    /// Reads filters wrongly from now on.
    pub fn bend(&mut self, bent: Bent) {
        self.bent = bent;
    }

    /// Tells what time it is, for `$now`.
    pub fn set_time(&mut self, now: Moment) {
        self.now = now;
    }

    /// Reads the `payload.data` of a `start` (GQL-SUB-002). Fails if it is no GraphQL request, not a
    /// subscription, does not fit the schema, or selects what `who` may not use (GQL-AUTH-019); nothing is
    /// changed or executed either way (GQL-ERR-008).
    pub fn subscribe(&self, data: &str, who: &Identity) -> Result<Plan, RequestError> {
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
        let mut given = arguments(&self.api.schema, root.field, &variables, Unsupplied::IsNull)
            .map_err(|misfit| RequestError::Variables(vec![GraphqlError::new(misfit.message("Argument"))]))?;
        self.admit(&scope, &root, who)?;
        let name = root.field.name.as_str();
        if let Some(failure) = self.declared.failure(root.on, name) {
            return Err(RequestError::Resolver(failure.clone()));
        }
        let now = declared::since_1970(self.started_at, self.now);
        let (filter, invalidation) = self.declared.filters(name, &mut given, &who.name, now, self.bent)?;
        Ok(Plan {
            field: name.to_owned(),
            key: root.field.response_key().to_string(),
            arguments: given.into_iter().collect(),
            selection: scope.inner(&root),
            required: root.field.ty().is_non_null(),
            filter,
            invalidation,
        })
    }

    /// Refuses a subscription that selects a field that `who` may not use, wherever it stands: what is delivered
    /// later is not looked at again.
    fn admit(&self, scope: &Scope<'_>, root: &Group<'_>, who: &Identity) -> Result<(), RequestError> {
        if self.access.is_open_to(who) {
            return Ok(());
        }
        let mut refused = Vec::new();
        self.collect_refused(scope, root, who, &mut refused);
        if refused.is_empty() { Ok(()) } else { Err(RequestError::Unauthorized(refused)) }
    }

    fn collect_refused(&self, scope: &Scope<'_>, group: &Group<'_>, who: &Identity, refused: &mut Vec<GraphqlError>) {
        let (on, name) = (group.on.as_str(), group.field.name.as_str());
        if !self.access.permits(on, name, who) {
            let FieldFailure { error_type, message, .. } = FieldFailure::unauthorized(on, name);
            refused.push(GraphqlError { error_type, place: scope.place(group), ..GraphqlError::new(message) });
        }
        for inner in scope.below(group) {
            self.collect_refused(scope, &inner, who, refused);
        }
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
