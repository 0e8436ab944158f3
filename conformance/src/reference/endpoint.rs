//! One endpoint: connections, HTTP requests and time come in, frames and answers go out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use appsync_protocol::channel::{Channel, ChannelPattern};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::Raw;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::hub::{ConnectionId, Hub, Occurrence, Told};
use appsync_protocol::moment::{Deadline, Moment, Timer};
use appsync_protocol::selection::Selection;
use appsync_protocol::server::{Asked, Handled, Host, Identity, Mode, Outcome, Plan, PlanChecks, Policy, Refusal};
use appsync_protocol::wire::{Frame, Headers, OwnedFrame, Request, Response};

use super::edits::Edits;
use super::events::{Context, Events, Meter};
use super::graphql::{Bent, Engine, Executed, RequestError, Settings, SettingsError};
use super::profile::Profile;
use super::trial;
use crate::auth::{self, AllowedModes, Authorizer, Denial, Purpose};
use crate::fault::{DoorCheck, How, Reaction};

/// What an endpoint is called, whom it knows, what it checks.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whom it knows.
    pub auth: auth::Settings,
    /// Which modes are enabled for what.
    pub modes: AllowedModes,
    /// Seconds since 1970 at [`Moment::START`]; signatures, tokens and keys have dates.
    pub epoch_unix_s: u64,
    /// Its own host names, without port; in lower case.
    pub hosts: Vec<String>,
    /// Limits and checks. Its namespaces and readings are those of the two fields below.
    pub policy: Policy,
    /// The Events API.
    pub events: Events,
    /// Which readings it follows.
    pub profile: Profile,
    /// The GraphQL API.
    pub graphql: Settings,
}

/// An answer over HTTP, and when it is to be given.
#[derive(Clone)]
pub struct Answer {
    /// The answer.
    pub response: Response,
    /// Time from the request to the answer.
    pub after: Duration,
}

impl From<Response> for Answer {
    /// An answer that takes no time.
    fn from(response: Response) -> Self {
        Self { response, after: Duration::ZERO }
    }
}

impl Default for Config {
    fn default() -> Self {
        let whole = Self {
            auth: trial::auth(),
            modes: AllowedModes::everywhere(&Mode::ALL),
            // So that nothing in virtual time depends on the day.
            epoch_unix_s: crate::scenario::cast::EXAMPLE_UNIX_S,
            hosts: vec!["127.0.0.1".into(), "localhost".into(), "[::1]".into(), "api.example.com".into()],
            policy: Policy::default(),
            events: Events::default(),
            profile: Profile::default(),
            graphql: trial::graphql(),
        };
        whole.with_events(trial::events())
    }
}

impl Config {
    /// The same with another Events API, and the modes that it enables.
    #[must_use]
    pub fn with_events(mut self, events: Events) -> Self {
        events.allow_in(&mut self.modes);
        self.events = events;
        self
    }

    /// The same with one API key that it knows, and nobody else.
    #[must_use]
    pub fn with_api_key(mut self, key: impl Into<String>) -> Self {
        self.modes = AllowedModes::default();
        self.auth = auth::Settings::with_api_key(key);
        self
    }

    /// The first API key that it knows; empty if there is none.
    pub fn api_key(&self) -> &str {
        self.auth.first_api_key()
    }

    /// Seconds since 1970.
    pub(super) const fn unix_s(&self, at: Moment) -> u64 {
        self.epoch_unix_s.saturating_add(at.as_micros() / 1_000_000)
    }
}

/// Answers that can be due later; with more a request is refused (GraphQL).
const LATER_MAX: usize = 1024;

/// The reference endpoint.
pub struct Endpoint {
    pub(super) config: Config,
    authorizer: Authorizer,
    pub(super) hub: Hub,
    pub(super) engine: Engine,
    pub(super) edits: Edits,
    /// Publishes over HTTP so far, so that no two events get the same identifier.
    pub(super) publishes: u64,
    meter: Meter,
    /// Requests over HTTP so far, for their identifiers.
    pub(super) requests: u64,
    /// What mutations lead to whose answer is given later, by when that is.
    later: BTreeMap<(Moment, u64), Executed>,
    dialects: BTreeMap<ConnectionId, Dialect>,
    queue: VecDeque<(ConnectionId, OwnedFrame)>,
    stalled: BTreeSet<ConnectionId>,
    dead: bool,
}

impl Endpoint {
    /// An endpoint with the GraphQL API of the configuration.
    ///
    /// # Errors
    /// When the schema is wrong or something is declared that does not fit it, which the tests rule out for the
    /// default.
    pub fn new(mut config: Config, bent: &[How]) -> Result<Self, SettingsError> {
        config.graphql.started_at = config.epoch_unix_s;
        let engine = Engine::configured(&config.graphql)?;
        Ok(Self::with_engine(config, bent, engine))
    }

    /// An endpoint with a GraphQL API that was made before.
    pub fn with_engine(mut config: Config, bent: &[How], mut engine: Engine) -> Self {
        config.policy.namespaces = config.events.names().map(str::to_owned).collect();
        config.profile.apply(&mut config.policy);
        let mut checks = auth::Checks::default();
        let mut bent_filters = Bent::default();
        for how in bent {
            match how {
                How::Skip(check) => config.policy = config.policy.without(*check),
                How::Set(change) => change(&mut config.policy),
                How::Auth(check) => checks = checks.without(*check),
                How::Modes(change) => change(&mut config.modes),
                How::Filter(bend) => bent_filters.filter = Some(*bend),
                How::Invalidation(bend) => bent_filters.invalidation = Some(*bend),
                How::Unhandled(namespace) => config.events.forget_handlers(namespace),
                How::Door(_) | How::Edit(_) | How::Http(_) | How::Trap(..) | How::Mishear(_) => {}
            }
        }
        engine.bend(bent_filters);
        Self {
            hub: Hub::new(config.policy.clone()),
            authorizer: Authorizer::new(&config.auth).with_checks(checks),
            config,
            engine,
            edits: Edits::new(bent),
            publishes: 0,
            meter: Meter::default(),
            requests: 0,
            later: BTreeMap::new(),
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
        let now_unix_s = self.config.unix_s(at);
        let admission = super::door::admit(&self.config, &self.edits, &mut self.authorizer, now_unix_s, request);
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
        let misheard = match frame {
            Frame::Text { text, fragments } => self.edits.misheard(text).map(|text| (text, fragments)),
            Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) | Frame::Close { .. } | Frame::Lost => None,
        };
        let frame = misheard.as_ref().map_or(frame, |(text, fragments)| Frame::Text { text, fragments: *fragments });
        self.engine.set_time(at);
        let mut judge = Judge {
            engine: &self.engine,
            config: &self.config,
            authorizer: &mut self.authorizer,
            meter: &mut self.meter,
            at,
            from: Some(from),
            headers: None,
        };
        self.hub.receive(at, from, frame, &mut judge);
        if matches!(frame, Frame::Close { .. } | Frame::Lost) {
            self.dialects.remove(&from);
        }
        self.drain();
    }

    /// Answers an HTTP request.
    pub fn http(&mut self, at: Moment, request: &Request) -> Answer {
        self.hub.advance(at);
        self.engine.set_time(at);
        let answer = super::http::answer(self, at, request);
        self.drain();
        answer
    }

    /// Lets time pass.
    pub fn elapse(&mut self, at: Moment) {
        if !self.dead {
            self.hub.elapse(at);
            while let Some(due) = self.later.first_entry().filter(|due| due.key().0 <= at) {
                let executed = due.remove();
                self.tell(executed);
            }
            self.drain();
        }
    }

    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<Deadline> {
        if self.dead {
            return None;
        }
        let later = self.later.keys().next().map(|(at, _)| Deadline { at: *at, why: Timer::Delivery });
        Deadline::earlier(self.hub.deadline(), later)
    }

    /// Gives events that many hear through [`told`](Self::told) from now on, unless it is bent in what it says or hears.
    pub const fn share(&mut self) {
        if self.edits.are_none() {
            self.hub.share();
        }
    }

    /// Events that many hear. Drain it before [`poll`](Self::poll).
    pub fn told(&mut self, to: impl FnMut(Told)) {
        self.hub.take_told(to);
    }

    /// The next frame to send, and where. Drain it after every other call.
    pub fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        self.queue.pop_front()
    }

    /// What judges operations now; `from` is the connection that they come from, if they do.
    pub(super) const fn judge(&mut self, from: Option<ConnectionId>) -> Judge<'_> {
        let at = self.hub.now();
        let (authorizer, meter) = (&mut self.authorizer, &mut self.meter);
        Judge { engine: &self.engine, config: &self.config, authorizer, meter, at, from, headers: None }
    }

    /// How often the Lambda authorizer was asked (GQL-AUTH-020, EVT-AUTH-029).
    pub fn authorizer_calls(&self) -> u64 {
        self.authorizer.authorizer_calls()
    }

    /// Judges the credentials of an HTTP request.
    pub(super) fn authorize_http(
        &mut self,
        purpose: &Purpose<'_>,
        presented: &Credentials,
    ) -> Result<Identity, Denial> {
        let allowed = self.config.modes.for_purpose(purpose);
        self.authorizer.judge(self.config.unix_s(self.hub.now()), purpose, presented, allowed)
    }

    /// Whether more answers can be given later.
    pub(super) fn can_wait(&self) -> bool {
        self.later.len() < LATER_MAX
    }

    /// Tells subscribers what a request led to, when its answer is given.
    pub(super) fn tell_in_time(&mut self, at: Moment, executed: Executed) {
        if executed.after.is_zero() {
            self.tell(executed);
        } else if !executed.events.is_empty() || !executed.invalidations.is_empty() {
            self.later.insert((at + executed.after, self.requests), executed);
        }
    }

    fn tell(&mut self, executed: Executed) {
        let every = self.edits.makes(DoorCheck::HttpEveryMutation);
        for event in executed.events.into_iter().take(if every { usize::MAX } else { 1 }) {
            self.hub.announce(&Occurrence { field: event.field, object: event.object });
        }
        for call in executed.invalidations {
            self.hub.invalidate(&call.field, &call.payload);
        }
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
                .server(id)
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
        let mut judge = Judge {
            engine: &self.engine,
            config: &self.config,
            authorizer: &mut self.authorizer,
            meter: &mut self.meter,
            at,
            from: Some(id),
            headers: None,
        };
        self.hub.receive(at, id, Frame::Lost, &mut judge);
        self.dialects.remove(&id);
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("connections", &self.hub.connections()).finish_non_exhaustive()
    }
}

/// Reads documents, judges credentials and runs handlers for the hub.
pub(super) struct Judge<'e> {
    engine: &'e Engine,
    config: &'e Config,
    authorizer: &'e mut Authorizer,
    meter: &'e mut Meter,
    at: Moment,
    from: Option<ConnectionId>,
    /// Header fields of the HTTP request that it comes from, if it does.
    headers: Option<&'e Headers>,
}

impl<'e> Judge<'e> {
    /// The same for a request over HTTP.
    pub(super) const fn of(mut self, request: &'e Request) -> Self {
        self.headers = Some(&request.headers);
        self
    }
}

impl Host for Judge<'_> {
    fn authorize(&mut self, asked: Asked<'_>, presented: Option<Raw<'_>>) -> Result<Identity, Refusal> {
        let Some(presented) = presented else { return Err(Refusal::unauthorized()) };
        let credentials = Credentials::from_json(presented.get())
            .map_err(|error| Refusal::new("BadRequestException", error.to_string()))?;
        let purpose = Purpose::Operation(asked);
        let allowed = self.config.modes.for_purpose(&purpose);
        self.authorizer
            .judge(self.config.unix_s(self.at), &purpose, &credentials, allowed)
            .map_err(|denial| denial.of_operation())
    }

    fn plan(&mut self, request: &str, who: &Identity, checks: PlanChecks) -> Result<Plan, Vec<Refusal>> {
        match self.engine.subscribe(request, who) {
            Ok(plan) => Ok(Plan {
                field: plan.field,
                key: plan.key,
                arguments: plan.arguments,
                selection: plan.selection,
                required: plan.required,
                filter: plan.filter,
                invalidation: plan.invalidation,
            }),
            Err(RequestError::NotASubscription(_)) if !checks.subscriptions_only => Ok(deaf_plan()),
            Err(error @ RequestError::NotASubscription(_)) => Err(refusals(&error)),
            Err(_) if !checks.document => Ok(deaf_plan()),
            Err(error) => Err(refusals(&error)),
        }
    }

    fn admits(&mut self, asked: Asked<'_>) -> Result<(), Refusal> {
        match self.config.events.rates() {
            Some(rates) => self.meter.admit(rates, self.at, self.from, asked),
            None => Ok(()),
        }
    }

    fn publishing(&mut self, who: &Identity, channel: &Channel, events: &[&str]) -> Handled<Vec<Outcome>> {
        self.config.events.publishing(channel, events, &Context { who, headers: self.headers })
    }

    fn subscribing(&mut self, _who: &Identity, pattern: &ChannelPattern) -> Handled<()> {
        self.config.events.subscribing(pattern)
    }
}

fn refusals(error: &RequestError) -> Vec<Refusal> {
    error
        .errors()
        .into_iter()
        .map(|error| Refusal { error_type: error.error_type, message: Some(error.message), code: error.code })
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
        filter: None,
        invalidation: None,
    }
}
