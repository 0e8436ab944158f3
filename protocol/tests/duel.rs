//! Honest and clumsy clients against the hub, with two referees: a [`Conversation`] on each connection
//! and one [`DeliveryModel`] over all of them.
//!
//! ```text
//! client --> link (FIFO, random delay) --> hub --> link (FIFO, random delay) --> client
//!    \________________________ referees watch here ________________________________/
//! ```
//!
//! Against the service as it is known they must find nothing, whatever the clients do and however the
//! frames cross. With one check of the policy left out they must find something: a referee that is
//! never angry is no referee. Everything is a function of the list of moves; there is no clock.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use appsync_protocol::channel::{Channel, ChannelPattern};
use appsync_protocol::conversation::{Conversation, Heard, Phase};
use appsync_protocol::delivery::{DeliveryModel, Interest, Subject, SubscriptionKey};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::{Raw, elements, member, string, whole_number};
use appsync_protocol::hub::{ConnectionId, Hub, Occurrence};
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::message::{Message, Operation};
use appsync_protocol::moment::Moment;
use appsync_protocol::selection::{Field, Selection};
use appsync_protocol::server::{Asked, Check, Host, Identity, Plan, PlanChecks, Policy, Refusal};
use appsync_protocol::wire::{Frame, OwnedFrame, Side};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Longer than any two links of the duel take together.
const PATIENCE: Duration = Duration::from_secs(10);

/// What clients subscribe to. Fields are `field name=value`; the last one of each kind is refused.
const PATTERNS: [&str; 6] = ["/default/a", "/default/b", "/default/*", "/default/a/*", "/other/*", "/nowhere/a"];
const DOCUMENTS: [&str; 6] =
    ["onNote", "onNote author=1", "onNote author=null", "onNote author=1 tag=2", "onOther", "no"];
/// What is published; the last channel is refused.
const CHANNELS: [&str; 7] =
    ["/default/a", "/default/b", "/default/A", "/default/a/x", "/default/a/x/y", "/other/a", "/nowhere/a"];
const OBJECTS: [&str; 6] = [
    r#"onNote {"author":1}"#,
    r#"onNote {"author":null,"tag":2}"#,
    r#"onNote {"author":1,"tag":2}"#,
    r#"onNote {"tag":2}"#,
    r#"onNote {"author":2,"tag":2}"#,
    r#"onOther {"author":1}"#,
];
const IDS: [&str; 3] = ["a", "b", "c"];

/// One thing that a client does. Indexes are taken modulo what there is.
#[derive(Clone, Debug)]
enum Move {
    Connect { graphql: bool, admitted: bool },
    Init { client: usize },
    Subscribe { client: usize, id: usize, wanted: usize },
    Unsubscribe { client: usize, id: usize },
    Publish { client: usize, channel: usize, events: usize },
    Mutate { object: usize },
    Blunder { client: usize, text: usize },
    Close { client: usize, politely: bool },
    Wait { seconds: u64 },
}

/// Texts that no client should send; none names an id that subscriptions use.
const BLUNDERS: [&str; 7] = [
    r#"{"type":"nope"}"#,
    r#"{"type":"ka"}"#,
    r#"{"type":"stop","id":"ghost"}"#,
    r#"{"type":"unsubscribe","id":"ghost"}"#,
    r#"{"type":"start","id":"early","payload":{"data":5}}"#,
    "{",
    "[]",
];

/// Credentials are always good; `field name=value` is a document, one that starts with `on` a valid one.
struct OpenHost;

impl Host for OpenHost {
    fn authorize(&mut self, _: Asked<'_>, _: Option<Raw<'_>>) -> Result<Identity, Refusal> {
        Ok(Identity::default())
    }

    fn plan(&mut self, request: &str, _: &Identity, _: PlanChecks) -> Result<Plan, Vec<Refusal>> {
        let Some(Interest::Field { field, arguments }) = interest(Dialect::Graphql, request) else {
            return Err(vec![Refusal::message("FieldUndefined")]);
        };
        let nonce =
            Field { key: "nonce".into(), name: "nonce".into(), of: "String".into(), required: true, inner: None };
        let selection = Selection { on: "Note".into(), fields: vec![nonce] };
        Ok(Plan { key: field.clone(), field, arguments, selection, required: false, filter: None, invalidation: None })
    }
}

/// `None` for what the server has to refuse.
fn interest(dialect: Dialect, wanted: &str) -> Option<Interest> {
    match dialect {
        Dialect::Events => Some(Interest::Channel(ChannelPattern::parse(wanted).unwrap())),
        Dialect::Graphql => {
            let mut words = wanted.split(' ');
            let field = words.next().filter(|field| field.starts_with("on"))?.into();
            let argument = |word: &str| {
                let (name, value) = word.split_once('=').unwrap();
                (name.to_string(), parse_json(value).unwrap())
            };
            Some(Interest::Field { field, arguments: words.map(argument).collect() })
        }
    }
}

/// Something on its way.
enum Parcel {
    ToServer(usize, OwnedFrame),
    ToClient(usize, OwnedFrame),
    Mutation(String, Occurrence),
    Mutated(String),
}

/// What one client knows of one id.
#[derive(Default)]
struct Life {
    generations: u32,
    /// What waits for its answer, oldest first, as the hub answers: generations, and stops as `None`.
    asked: VecDeque<Option<SubscriptionKey>>,
    /// Granted and not ended.
    live: VecDeque<SubscriptionKey>,
}

impl Life {
    /// What is not over, asked for or granted.
    fn wanted(&self) -> impl Iterator<Item = &SubscriptionKey> {
        self.asked.iter().flatten().chain(&self.live)
    }

    fn is_stopping(&self) -> bool {
        self.asked.contains(&None)
    }

    /// The oldest that waits, of the starts or of the stops if the answer says which.
    fn answered(&mut self, of: Option<Operation>) -> Option<SubscriptionKey> {
        let at = self.asked.iter().position(|ask| match of {
            Some(Operation::Subscribe) => ask.is_some(),
            Some(Operation::Unsubscribe) => ask.is_none(),
            Some(Operation::Publish) => false,
            None => true,
        });
        self.asked.remove(at?)?
    }
}

struct Client {
    connection: ConnectionId,
    dialect: Dialect,
    talk: Conversation,
    over: bool,
    /// When the last frame in each direction arrives: links keep their order.
    up: Moment,
    down: Moment,
    lives: BTreeMap<&'static str, Life>,
    /// Nonces of publishes that wait for their answer, by id.
    publishes: BTreeMap<String, Vec<String>>,
}

/// The hub, the clients, the links and the referees.
struct Arena {
    now: Moment,
    hub: Hub,
    clients: Vec<Client>,
    sky: BTreeMap<(Moment, u64), Parcel>,
    parcels: u64,
    nonces: u64,
    chance: u64,
    deliveries: DeliveryModel,
    complaints: Vec<String>,
}

/// What the referees say of a game.
fn complaints(policy: Policy, seed: u64, moves: &[(u64, Move)]) -> Vec<String> {
    let mut arena = Arena {
        now: Moment::START,
        hub: Hub::new(policy),
        clients: Vec::new(),
        sky: BTreeMap::new(),
        parcels: 0,
        nonces: 0,
        chance: seed | 1,
        deliveries: DeliveryModel::new(),
        complaints: Vec::new(),
    };
    for graphql in [true, false, false] {
        arena.make(&Move::Connect { graphql, admitted: true });
    }
    for (pause, made) in moves {
        arena.pass(Duration::from_millis(*pause));
        arena.make(made);
    }
    arena.pass(PATIENCE);
    arena.pass(PATIENCE);
    arena.complaints
}

impl Arena {
    fn make(&mut self, made: &Move) {
        let count = self.clients.len();
        match *made {
            Move::Connect { graphql, admitted } if count < 6 => {
                self.connect(if graphql { Dialect::Graphql } else { Dialect::Events }, admitted);
            }
            Move::Connect { .. } => {}
            Move::Init { client } => self.say(client % count, r#"{"type":"connection_init"}"#),
            Move::Subscribe { client, id, wanted } => self.subscribe(client % count, IDS[id % 3], wanted % 6),
            Move::Unsubscribe { client, id } => self.unsubscribe(client % count, IDS[id % 3]),
            Move::Publish { client, channel, events } => self.publish(client % count, CHANNELS[channel % 7], events),
            Move::Mutate { object } => self.mutate(OBJECTS[object % 6]),
            Move::Blunder { client, text } => match BLUNDERS.get(text % (BLUNDERS.len() + 2)) {
                Some(text) => self.say(client % count, text),
                None if text % 2 == 0 => self.send(client % count, Frame::Binary(b"x")),
                None => self.send(client % count, Frame::Ping(b"x")),
            },
            Move::Close { client, politely: true } => {
                self.send(client % count, Frame::Close { code: Some(1000), reason: "" });
                self.hang_up(client % count);
            }
            Move::Close { client, politely: false } => {
                self.send(client % count, Frame::Lost);
                self.hang_up(client % count);
            }
            Move::Wait { seconds } => self.pass(Duration::from_secs(seconds)),
        }
    }

    fn connect(&mut self, dialect: Dialect, admitted: bool) {
        let admitted = if admitted { Ok(()) } else { Err(Refusal::unauthorized()) };
        let connection = self.hub.accept(self.now, dialect, admitted);
        self.clients.push(Client {
            connection,
            dialect,
            talk: Conversation::new(dialect),
            over: false,
            up: self.now,
            down: self.now,
            lives: BTreeMap::new(),
            publishes: BTreeMap::new(),
        });
        self.say(self.clients.len() - 1, r#"{"type":"connection_init"}"#);
        self.post();
    }

    fn subscribe(&mut self, client: usize, id: &'static str, wanted: usize) {
        let Client { dialect, over, ref talk, ref mut lives, .. } = self.clients[client];
        let life = lives.entry(id).or_default();
        // GQL-INIT-005: a start before the acknowledgement is ignored, so nobody can tell which start an
        // answer belongs to.
        let unclear = dialect == Dialect::Graphql && !matches!(talk.phase(), Phase::Open { .. });
        if over || unclear {
            return;
        }
        life.generations += 1;
        let key =
            SubscriptionKey { connection: client.try_into().unwrap(), id: id.into(), generation: life.generations };
        life.asked.push_back(Some(key.clone()));
        let (wanted, text) = match dialect {
            Dialect::Graphql => (DOCUMENTS[wanted], "start"),
            Dialect::Events => (PATTERNS[wanted], "subscribe"),
        };
        let refused = Interest::Field { field: wanted.into(), arguments: BTreeMap::new() };
        self.deliveries.asked(self.now, key, interest(dialect, wanted).unwrap_or(refused));
        let request = match dialect {
            Dialect::Graphql => format!(r#""payload":{{"data":"{wanted}","extensions":{{"authorization":{{}}}}}}"#),
            Dialect::Events => format!(r#""channel":"{wanted}","authorization":{{}}"#),
        };
        self.say(client, &format!(r#"{{"type":"{text}","id":"{id}",{request}}}"#));
    }

    fn unsubscribe(&mut self, client: usize, id: &'static str) {
        let Client { dialect, over, ref mut lives, .. } = self.clients[client];
        let life = lives.entry(id).or_default();
        let in_vain = life.wanted().next().is_none();
        if over || (dialect == Dialect::Graphql && (in_vain || life.is_stopping())) {
            return;
        }
        life.wanted().for_each(|key| self.deliveries.leaving(self.now, key));
        life.asked.push_back(None);
        let word = match dialect {
            Dialect::Graphql => "stop",
            Dialect::Events => "unsubscribe",
        };
        self.say(client, &format!(r#"{{"type":"{word}","id":"{id}"}}"#));
    }

    fn publish(&mut self, client: usize, channel: &str, events: usize) {
        let Client { dialect: Dialect::Events, over: false, .. } = self.clients[client] else { return };
        let nonces: Vec<_> = (0..events).map(|_| self.nonce()).collect();
        for nonce in &nonces {
            let subject = Subject::Channel(Channel::parse(channel).unwrap());
            self.deliveries.published(self.now, nonce, u32::try_from(client).ok(), subject);
        }
        let id = format!("p{}", self.nonces);
        let bodies: Vec<_> = nonces.iter().map(|nonce| Json::from(format!("\"{nonce}\"")).to_string()).collect();
        let bodies = bodies.join(",");
        self.clients[client].publishes.insert(id.clone(), nonces);
        let rest = format!(r#""channel":"{channel}","events":[{bodies}],"authorization":{{}}"#);
        self.say(client, &format!(r#"{{"type":"publish","id":"{id}",{rest}}}"#));
    }

    fn mutate(&mut self, told: &str) {
        let nonce = self.nonce();
        let (field, object) = told.split_once(' ').unwrap();
        let mut object = parse_json(object).unwrap();
        object["nonce"] = Json::from(nonce.as_str());
        let subject = Subject::Field { field: field.into(), object: object.clone() };
        self.deliveries.published(self.now, &nonce, None, subject);
        let at = self.now + self.delay();
        self.launch(at, Parcel::Mutation(nonce, Occurrence { field: field.into(), object }));
    }

    fn nonce(&mut self) -> String {
        self.nonces += 1;
        format!("n{}", self.nonces)
    }

    fn say(&mut self, client: usize, text: &str) {
        self.send(client, Frame::text(text));
    }

    fn send(&mut self, client: usize, frame: Frame<'_>) {
        if self.clients[client].over {
            return;
        }
        self.watch(client, Side::Client, frame);
        let at = (self.now + self.delay()).max(self.clients[client].up);
        self.clients[client].up = at;
        self.launch(at, Parcel::ToServer(client, frame.to_owned()));
    }

    /// The end as the client sees it: nothing it reads from here on counts.
    fn hang_up(&mut self, client: usize) {
        self.clients[client].over = true;
        for life in self.clients[client].lives.values() {
            life.wanted().for_each(|key| self.deliveries.ended(self.now, key));
        }
    }

    /// Shows a frame to the referee of its connection.
    fn watch<'f>(&mut self, client: usize, from: Side, frame: Frame<'f>) -> Heard<'f> {
        let seen = self.clients[client].talk.observe(self.now, from, frame);
        let against = seen.findings.into_iter().filter(|finding| finding.by == Side::Server);
        self.complaints.extend(against.map(|finding| finding.to_string()));
        seen.heard
    }

    fn launch(&mut self, at: Moment, parcel: Parcel) {
        self.parcels += 1;
        self.sky.insert((at, self.parcels), parcel);
    }

    /// Up to two seconds, mostly a few milliseconds: xorshift.
    fn delay(&mut self) -> Duration {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        Duration::from_millis(if self.chance.is_multiple_of(4) { self.chance % 2000 } else { self.chance % 20 })
    }

    /// Lets everything happen that is due within `span`.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let parcel = self.sky.keys().next().map(|(at, _)| *at);
            let timer = self.hub.deadline().map(|deadline| deadline.at);
            match (parcel, timer) {
                (_, Some(timer)) if timer <= end && parcel.is_none_or(|parcel| timer <= parcel) => {
                    self.now = self.now.max(timer);
                    self.hub.elapse(self.now);
                    self.post();
                }
                (Some(parcel), _) if parcel <= end => {
                    self.now = self.now.max(parcel);
                    let (_, parcel) = self.sky.pop_first().unwrap();
                    self.land(parcel);
                    self.post();
                }
                (Some(_) | None, _) => break,
            }
        }
        self.now = end;
        for client in self.clients.iter_mut().filter(|client| !client.over) {
            self.complaints.extend(client.talk.elapse(end).iter().map(ToString::to_string));
        }
        self.complaints.extend(self.deliveries.overdue(end, PATIENCE).iter().map(ToString::to_string));
    }

    fn land(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::ToServer(client, frame) => {
                let connection = self.clients[client].connection;
                self.hub.receive(self.now, connection, frame.borrow(), &mut OpenHost);
            }
            Parcel::ToClient(client, frame) => self.read(client, &frame),
            Parcel::Mutation(nonce, occurrence) => {
                self.hub.announce(&occurrence);
                let at = self.now + self.delay();
                self.launch(at, Parcel::Mutated(nonce));
            }
            Parcel::Mutated(nonce) => self.answered(&nonce, true),
        }
    }

    /// Puts what the hub has to say on the links.
    fn post(&mut self) {
        while let Some((to, frame)) = self.hub.poll() {
            let client = self.clients.iter().position(|client| client.connection == to).unwrap();
            let at = (self.now + self.delay()).max(self.clients[client].down);
            self.clients[client].down = at;
            self.launch(at, Parcel::ToClient(client, frame));
        }
    }

    fn read(&mut self, client: usize, frame: &OwnedFrame) {
        if self.clients[client].over {
            return;
        }
        match self.watch(client, Side::Server, frame.borrow()) {
            Heard::Message(decoded) => self.heed(client, &decoded.message),
            Heard::Closed | Heard::Lost => self.hang_up(client),
            Heard::Unreadable(_) | Heard::Binary | Heard::Control => {}
        }
    }

    /// Does what an honest client does with a message.
    fn heed(&mut self, client: usize, message: &Message<'_>) {
        match message {
            Message::Granted { id } => self.granted(client, id),
            Message::Refused { id: Some(id), operation, .. } => self.refused(client, id, *operation),
            Message::Ended { id } => {
                let Some(life) = self.clients[client].lives.get_mut(&**id) else { return };
                life.answered(Some(Operation::Unsubscribe));
                life.live.drain(..).for_each(|key| self.deliveries.ended(self.now, &key));
            }
            Message::Data { id, body } => self.received(client, id, *body),
            Message::Published { id, successful, failed } => {
                let sent = self.clients[client].publishes.remove(&**id).unwrap_or_default();
                for (entries, accepted) in [(successful, true), (failed, false)] {
                    let indexes = entries.iter().flat_map(|raw| elements(*raw)).filter_map(|e| member(e, "index"));
                    for index in indexes.filter_map(whole_number) {
                        self.answered(&sent[usize::try_from(index).unwrap()], accepted);
                    }
                }
            }
            Message::Rejected { .. } => self.hang_up(client),
            Message::Refused { id: None, .. }
            | Message::Init
            | Message::Ack { .. }
            | Message::KeepAlive
            | Message::Subscribe { .. }
            | Message::BroadcastFailed { .. }
            | Message::Unsubscribe { .. }
            | Message::Publish { .. }
            | Message::Unknown { .. } => {}
        }
    }

    fn granted(&mut self, client: usize, id: &str) {
        let Some(life) = self.clients[client].lives.get_mut(id) else { return };
        let Some(key) = life.answered(Some(Operation::Subscribe)) else { return };
        self.deliveries.granted(self.now, &key);
        // The hub registers before it acknowledges: there is no silent window.
        self.deliveries.settled(self.now, &key);
        life.live.push_back(key);
    }

    fn refused(&mut self, client: usize, id: &str, operation: Option<Operation>) {
        if operation == Some(Operation::Publish) {
            let refused = self.clients[client].publishes.remove(id).unwrap_or_default();
            return refused.iter().for_each(|nonce| self.answered(nonce, false));
        }
        let Some(life) = self.clients[client].lives.get_mut(id) else { return };
        if let Some(key) = life.answered(operation) {
            self.deliveries.ended(self.now, &key);
        }
    }

    fn received(&mut self, client: usize, id: &str, body: Raw<'_>) {
        let nonce = nonce_in(self.clients[client].dialect, body);
        let connection = client.try_into().unwrap();
        let known = self.deliveries.addressee(connection, id).cloned();
        let key = known.unwrap_or(SubscriptionKey { connection, id: id.into(), generation: 0 });
        let wrong = self.deliveries.delivered(self.now, &key, &nonce);
        self.complaints.extend(wrong.map(|wrong| wrong.to_string()));
    }

    fn answered(&mut self, nonce: &str, accepted: bool) {
        let wrong = self.deliveries.publish_answered(self.now, nonce, accepted);
        self.complaints.extend(wrong.iter().map(ToString::to_string));
    }
}

fn nonce_in(dialect: Dialect, body: Raw<'_>) -> String {
    match dialect {
        Dialect::Events => string(body).unwrap().trim_matches('"').into(),
        Dialect::Graphql => {
            let body = parse_json(body.get()).unwrap();
            let told = body["data"].as_object().unwrap().values().next().unwrap().clone();
            told["nonce"].as_str().unwrap().into()
        }
    }
}

fn moves() -> impl Strategy<Value = Vec<(u64, Move)>> {
    let (client, id, any_of_six) = (0..6_usize, 0..3_usize, 0..6_usize);
    let subscribe = (client.clone(), id.clone(), any_of_six.clone());
    let publish = (client.clone(), 0..7_usize, 1..=6_usize);
    let made = prop_oneof![
        1 => (any::<bool>(), prop::bool::weighted(0.8))
            .prop_map(|(graphql, admitted)| Move::Connect { graphql, admitted }),
        1 => client.clone().prop_map(|client| Move::Init { client }),
        8 => subscribe.prop_map(|(client, id, wanted)| Move::Subscribe { client, id, wanted }),
        3 => (client.clone(), id).prop_map(|(client, id)| Move::Unsubscribe { client, id }),
        8 => publish.prop_map(|(client, channel, events)| Move::Publish { client, channel, events }),
        8 => any_of_six.prop_map(|object| Move::Mutate { object }),
        2 => (client.clone(), 0..9_usize).prop_map(|(client, text)| Move::Blunder { client, text }),
        1 => (client, any::<bool>()).prop_map(|(client, politely)| Move::Close { client, politely }),
        2 => (1..400_u64).prop_map(|seconds| Move::Wait { seconds }),
    ];
    prop::collection::vec((prop_oneof![0..5_u64, 0..3000_u64], made), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_referees_find_nothing_against_the_service_as_it_is_known(seed in any::<u64>(), moves in moves()) {
        let complaints = complaints(Policy::default(), seed, &moves);

        prop_assert!(complaints.is_empty(), "{:#?}", complaints);
    }
}

/// Checks whose absence shows in the state of a conversation or in who hears what. What leaves a client
/// without an answer is not among them: how long somebody waits is no business of the referees.
const SABOTAGES: [Check; 17] = [
    Check::AckNamesTimeout,
    Check::KeepAlives,
    Check::DuplicateId,
    Check::SubscribeAnswered,
    Check::UnsubscribeEnds,
    Check::UnsubscribeSparesOthers,
    Check::ArgumentsMatch,
    Check::NullArgument,
    Check::EveryArgument,
    Check::FieldMatch,
    Check::ChannelMatch,
    Check::ChannelCase,
    Check::WildcardDepth,
    Check::WildcardSparesPrefix,
    Check::EchoToPublisher,
    Check::EverySubscription,
    Check::DeliveredOnce,
];

/// Games of one campaign; every sabotage has to show in one of them.
const GAMES: u64 = 100;

#[test]
fn each_sabotage_is_found_within_one_campaign() {
    for check in SABOTAGES {
        let mut runner = TestRunner::deterministic();
        let mut games = (0..GAMES).map(|game| (game, moves().new_tree(&mut runner).unwrap().current()));

        let found = games.any(|(game, moves)| !complaints(Policy::default().without(check), game, &moves).is_empty());

        assert!(found, "nobody notices that {check:?} is not made");
    }
}
