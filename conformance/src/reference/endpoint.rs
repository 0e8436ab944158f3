//! One endpoint: connections, HTTP requests and time come in, frames and answers go out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::Raw;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::hub::{ConnectionId, Hub, Occurrence};
use appsync_protocol::moment::{Deadline, Moment};
use appsync_protocol::selection::Selection;
use appsync_protocol::server::{Asked, Host, Identity, Plan, PlanChecks, Policy, Refusal};
use appsync_protocol::wire::{Frame, OwnedFrame, Request, Response};

use super::edits::Edits;
use super::graphql::{Engine, RequestError, SchemaError};
use crate::fault::{How, Reaction};

/// What an endpoint is called, which key it knows, what it checks.
#[derive(Clone)]
pub struct Config {
    /// The API key it knows.
    pub api_key: String,
    /// Its own host names, without port; in lower case.
    pub hosts: Vec<String>,
    /// Limits and checks.
    pub policy: Policy,
}

impl std::fmt::Debug for Config {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("hosts", &self.hosts).field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_key: "da2-syncspecreferenceendpoint1".into(),
            hosts: vec!["127.0.0.1".into(), "localhost".into(), "[::1]".into(), "api.example.com".into()],
            policy: Policy::default(),
        }
    }
}

/// The reference endpoint.
pub struct Endpoint {
    pub(super) config: Config,
    pub(super) hub: Hub,
    pub(super) engine: Engine,
    pub(super) edits: Edits,
    /// Publishes over HTTP so far, so that no two events get the same identifier.
    pub(super) publishes: u64,
    dialects: BTreeMap<ConnectionId, Dialect>,
    queue: VecDeque<(ConnectionId, OwnedFrame)>,
    stalled: BTreeSet<ConnectionId>,
    dead: bool,
}

impl Endpoint {
    /// An endpoint with the default schema.
    ///
    /// # Errors
    /// When the default schema itself is wrong, which the tests of the schema rule out.
    pub fn new(config: Config, bent: &[How]) -> Result<Self, SchemaError> {
        Ok(Self::with_engine(config, bent, Engine::default_schema()?))
    }

    /// An endpoint with a schema of its own.
    pub fn with_engine(mut config: Config, bent: &[How], engine: Engine) -> Self {
        for how in bent {
            match how {
                How::Skip(check) => config.policy = config.policy.without(*check),
                How::Set(change) => change(&mut config.policy),
                How::Door(_) | How::Edit(_) | How::Http(_) | How::Trap(..) => {}
            }
        }
        Self {
            hub: Hub::new(config.policy.clone()),
            config,
            engine,
            edits: Edits::new(bent),
            publishes: 0,
            dialects: BTreeMap::new(),
            queue: VecDeque::new(),
            stalled: BTreeSet::new(),
            dead: false,
        }
    }

    /// Whether the process still runs; a dead one takes no connections.
    pub const fn is_alive(&self) -> bool {
        !self.dead
    }

    /// Its connections, for those who watch.
    pub const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// What a connection speaks, until its end was told.
    pub fn dialect(&self, id: ConnectionId) -> Option<Dialect> {
        self.dialects.get(&id).copied()
    }

    /// Whether its transport answers a ping or a close frame on this connection.
    pub fn transport_answers(&self, connection: ConnectionId, frame: Frame<'_>) -> bool {
        !self.stalled.contains(&connection) && self.edits.reaction(self.dialects.get(&connection), frame).is_none()
    }

    /// Answers an upgrade; a connection exists if the answer is 101.
    pub fn upgrade(&mut self, at: Moment, request: &Request) -> (Response, Option<ConnectionId>) {
        if self.dead {
            // Behind a socket the port stays open; a target that is gone must not look like one that answers.
            return (Response::new(503, ""), None);
        }
        let admission = super::door::admit(&self.config, &self.edits, request);
        let Some((dialect, admitted)) = admission.connection else {
            return (admission.response, None);
        };
        let id = self.hub.accept(at, dialect, admitted);
        self.dialects.insert(id, dialect);
        self.drain();
        (admission.response, Some(id))
    }

    /// Takes one frame of a client, the end of its connection included.
    pub fn frame(&mut self, at: Moment, from: ConnectionId, frame: Frame<'_>) {
        if self.dead || (self.stalled.contains(&from) && frame != Frame::Lost) {
            return;
        }
        if let Some(reaction) = self.edits.reaction(self.dialects.get(&from), frame) {
            return self.react(at, from, reaction);
        }
        let mut judge = Judge { engine: &self.engine, config: &self.config };
        self.hub.receive(at, from, frame, &mut judge);
        if matches!(frame, Frame::Close { .. } | Frame::Lost) {
            self.dialects.remove(&from);
        }
        self.drain();
    }

    /// Answers an HTTP request.
    pub fn http(&mut self, _at: Moment, request: &Request) -> Response {
        let answer = super::http::answer(self, request);
        self.drain();
        answer
    }

    /// Lets time pass.
    pub fn elapse(&mut self, at: Moment) {
        if !self.dead {
            self.hub.elapse(at);
            self.drain();
        }
    }

    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<Deadline> {
        if self.dead { None } else { self.hub.deadline() }
    }

    /// The next frame to send, and where. Drain it after every other call.
    pub fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        self.queue.pop_front()
    }

    pub(super) fn announce(&mut self, field: String, object: appsync_protocol::json::Json) {
        self.hub.announce(&Occurrence { field, object });
    }

    fn drain(&mut self) {
        while let Some((id, frame)) = self.hub.poll() {
            if self.stalled.contains(&id) {
                continue;
            }
            if self.edits.is_idle() {
                self.queue.push_back((id, frame));
                continue;
            }
            let others: Vec<String> = self
                .hub
                .connection_mut(id)
                .map(|server| server.subscriptions().map(|(id, _)| id.to_owned()).collect())
                .unwrap_or_default();
            let dialect = self.dialects.get(&id).copied();
            for frame in self.edits.apply(id, dialect, frame, &others) {
                self.queue.push_back((id, frame));
            }
        }
    }

    fn react(&mut self, at: Moment, from: ConnectionId, reaction: Reaction) {
        match reaction {
            Reaction::Ignore => {}
            Reaction::Close(code) => {
                self.queue.push_back((from, OwnedFrame::Close { code: Some(code), reason: String::new() }));
                self.lose(at, from);
            }
            Reaction::Lose => {
                self.queue.push_back((from, OwnedFrame::Lost));
                self.lose(at, from);
            }
            Reaction::LoseAll | Reaction::Die => {
                self.dead = reaction == Reaction::Die;
                for id in self.dialects.keys().copied().collect::<Vec<_>>() {
                    self.queue.push_back((id, OwnedFrame::Lost));
                    self.lose(at, id);
                }
            }
            Reaction::Stall => {
                self.stalled.insert(from);
            }
        }
    }

    fn lose(&mut self, at: Moment, id: ConnectionId) {
        let mut judge = Judge { engine: &self.engine, config: &self.config };
        self.hub.receive(at, id, Frame::Lost, &mut judge);
        self.dialects.remove(&id);
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("connections", &self.hub.connections()).finish_non_exhaustive()
    }
}

/// Reads documents and judges credentials for the hub.
struct Judge<'e> {
    engine: &'e Engine,
    config: &'e Config,
}

impl Host for Judge<'_> {
    fn authorize(&mut self, _: Asked<'_>, presented: Option<&Raw>) -> Result<Identity, Refusal> {
        let Some(presented) = presented else { return Err(Refusal::unauthorized()) };
        let credentials = Credentials::from_json(presented.get())
            .map_err(|error| Refusal::new("BadRequestException", error.to_string()))?;
        check_key(self.config, credentials.get("x-api-key")).map(|()| Identity::default())
    }

    fn plan(&mut self, request: &str, _who: &Identity, checks: PlanChecks) -> Result<Plan, Vec<Refusal>> {
        match self.engine.subscribe(request) {
            Ok(plan) => Ok(Plan {
                field: plan.field,
                key: plan.key,
                arguments: plan.arguments,
                selection: plan.selection,
                required: plan.required,
            }),
            Err(RequestError::NotASubscription(_)) if !checks.subscriptions_only => Ok(deaf_plan()),
            Err(error @ RequestError::NotASubscription(_)) => Err(refusals(&error)),
            Err(_) if !checks.document => Ok(deaf_plan()),
            Err(error) => Err(refusals(&error)),
        }
    }
}

/// Compares a key with the one that is known.
pub(super) fn check_key(config: &Config, key: Option<&str>) -> Result<(), Refusal> {
    if key == Some(config.api_key.as_str()) { Ok(()) } else { Err(Refusal::unauthorized()) }
}

fn refusals(error: &RequestError) -> Vec<Refusal> {
    error
        .errors()
        .into_iter()
        .map(|error| Refusal { error_type: error.error_type.map(Into::into), message: Some(error.message), code: None })
        .collect()
}

/// What a server that checks nothing makes of a document it does not understand.
fn deaf_plan() -> Plan {
    Plan {
        field: String::new(),
        key: String::new(),
        arguments: BTreeMap::new(),
        selection: Selection::default(),
        required: false,
    }
}
