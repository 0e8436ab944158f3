//! The client against the server, over links that delay and break.
//!
//! ```text
//! Client --> link (keeps order, delays, is cut) --> Hub --> link --> Client
//!                                     \__ a conversation watches here, and the client's own at the other end
//! ```
//!
//! The invariant: neither finds anything against the other but silence, wherever one watches; time never goes back and no
//! deadline is past; polling comes to an end; once the links work again every client that still wants to be connected is,
//! with every subscription that it wants live, and hears what is published; and a client that is closed comes to rest.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use appsync_protocol::client::{
    BackoffPolicy, Client, ClientConfig, ClientEvent, ConnectionState, DialFailure, Input, Output, Purpose,
    ResubscribeIds, SubscriptionState,
};
use appsync_protocol::conversation::Conversation;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::Raw;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::hub::{ConnectionId, Hub, Occurrence};
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::selection::{Field, Selection};
use appsync_protocol::server::{Asked, Host, Identity, Plan, PlanChecks, Policy, Refusal};
use appsync_protocol::wire::{Frame, OwnedFrame, Side};
use serde_json::json;

use crate::draw::Draw;
use crate::reach::Point;

static CONNECTED: Point = Point::new("duel/connected");
static HEARD: Point = Point::new("duel/heard");
static CUT: Point = Point::new("duel/cut");
static HEALED: Point = Point::new("duel/healed");
static CLOSED: Point = Point::new("duel/closed");
/// Where the oracle speaks.
pub static POINTS: [&Point; 5] = [&CONNECTED, &HEARD, &CUT, &HEALED, &CLOSED];

const OF_SILENCE: [Requirement; 2] = [Requirement::GqlKa001, Requirement::EvtKa001];

struct Party {
    client: Client,
    dialect: Dialect,
    connection: Option<ConnectionId>,
    /// What the server's side of the link shows.
    watch: Conversation,
    /// Counts the attempts: what was sent on an earlier transport never arrives.
    transport: u32,
    up: Moment,
    down: Moment,
    needs: VecDeque<Purpose>,
    heard: Vec<(String, String)>,
    /// The owner has closed it, or it has given up.
    over: bool,
}

enum Parcel {
    Dialled(usize, u32, bool),
    ToServer(usize, u32, OwnedFrame),
    ToClient(usize, u32, OwnedFrame),
}

struct World<'a> {
    draw: Draw<'a>,
    hub: Hub,
    now: Moment,
    parties: Vec<Party>,
    sky: BTreeMap<(Moment, u64), Parcel>,
    parcels: u64,
    /// From now on nothing breaks and everything is fast.
    healed: bool,
}

/// One input: what happens, one thing after the other.
pub fn run(input: &[u8]) {
    let mut draw = Draw::new(input);
    let fresh_ids = draw.byte();
    let policy = Policy { keep_alive: Duration::from_secs(20), ..Policy::default() };
    let parties = [Dialect::Graphql, Dialect::Events, Dialect::Events].map(|dialect| Party::new(dialect, fresh_ids));
    let mut world = World {
        draw,
        hub: Hub::new(policy),
        now: Moment::START,
        parties: parties.into(),
        sky: BTreeMap::new(),
        parcels: 0,
        healed: false,
    };
    for _ in 0..48 {
        if world.draw.is_over() {
            break;
        }
        world.step();
    }
    world.heal();
}

impl Party {
    fn new(dialect: Dialect, fresh_ids: u8) -> Self {
        let ids = if fresh_ids & 1 == 1 { ResubscribeIds::Fresh { prefix: "f".into() } } else { ResubscribeIds::Same };
        let backoff = BackoffPolicy { attempts_max: None, ..BackoffPolicy::default() };
        let client = Client::new(ClientConfig { ids, backoff, ..ClientConfig::new(dialect) });
        Self {
            client,
            dialect,
            connection: None,
            watch: Conversation::new(dialect),
            transport: 0,
            up: Moment::START,
            down: Moment::START,
            needs: VecDeque::new(),
            heard: Vec::new(),
            over: false,
        }
    }

    fn topic(&self) -> &'static str {
        match self.dialect {
            Dialect::Graphql => "onNote",
            Dialect::Events => "/default/a",
        }
    }
}

impl World<'_> {
    fn step(&mut self) {
        let (at, now) = (self.draw.below(self.parties.len()), self.now);
        let id = self.draw.pick(&["a", "b", "c"]);
        let (kind, pause) = (self.draw.byte() % 10, self.draw.byte());
        match kind {
            0 => {
                let _ = self.parties[at].client.connect(now);
            }
            1 | 2 => {
                let topic = self.parties[at].topic();
                let _ = self.parties[at].client.subscribe(now, id, topic);
            }
            3 => {
                let _ = self.parties[at].client.unsubscribe(now, id);
            }
            4 => {
                let _ = self.parties[at].client.publish(now, id, "/default/a", &["0"]);
            }
            5 => self.publish("1"),
            6 => self.cut(at),
            7 => {
                let _ = self.parties[at].client.close(now);
            }
            8 => self.pass(Duration::from_millis(u64::from(pause))),
            _ => self.pass(Duration::from_secs(u64::from(pause))),
        }
        self.settle(at);
    }

    /// An event for everybody.
    fn publish(&mut self, nonce: &str) {
        let object = json!({"n": nonce});
        self.hub.announce(&Occurrence { field: "onNote".into(), object });
        let channel = appsync_protocol::channel::Channel::parse("/default/a");
        let channel = channel.unwrap_or_else(|error| panic!("{error}"));
        let events = vec![json!(nonce).to_string().into()];
        self.hub.broadcast(None, appsync_protocol::server::Broadcast { channel, events, after: Duration::ZERO });
        self.post();
    }

    /// The transport breaks: both sides lose what is under way.
    fn cut(&mut self, at: usize) {
        if self.healed || self.parties[at].connection.is_none() {
            return;
        }
        CUT.reached();
        let transport = self.parties[at].transport;
        self.sky.retain(|_, parcel| match parcel {
            Parcel::ToServer(party, of, _) | Parcel::ToClient(party, of, _) => (*party, *of) != (at, transport),
            Parcel::Dialled(..) => true,
        });
        self.send(at, Side::Server, OwnedFrame::Lost);
        self.send(at, Side::Client, OwnedFrame::Lost);
    }

    fn delay(&mut self) -> Duration {
        if self.healed {
            return Duration::from_millis(1);
        }
        let byte = u64::from(self.draw.byte());
        Duration::from_millis(if byte.is_multiple_of(8) { byte * 20 } else { byte % 16 })
    }

    fn launch(&mut self, at: Moment, parcel: Parcel) {
        self.parcels += 1;
        self.sky.insert((at, self.parcels), parcel);
    }

    /// Puts a frame on the link; links keep their order.
    fn send(&mut self, at: usize, from: Side, frame: OwnedFrame) {
        let due = self.now + self.delay();
        let party = &mut self.parties[at];
        let last = if from == Side::Client { &mut party.up } else { &mut party.down };
        *last = (*last).max(due);
        let (due, transport) = (*last, party.transport);
        self.launch(
            due,
            match from {
                Side::Client => Parcel::ToServer(at, transport, frame),
                Side::Server => Parcel::ToClient(at, transport, frame),
            },
        );
    }

    /// Puts what the hub has to say on the links.
    fn post(&mut self) {
        while let Some((to, frame)) = self.hub.poll() {
            let Some(at) = self.parties.iter().position(|party| party.connection == Some(to)) else { continue };
            let findings = self.parties[at].watch.observe(self.now, Side::Server, frame.borrow()).findings;
            assert!(findings.is_empty(), "{findings:?}");
            self.send(at, Side::Server, frame);
        }
    }

    /// Polls a client until it is idle.
    fn settle(&mut self, at: usize) {
        for _ in 0..1000 {
            match self.parties[at].client.poll_output() {
                Output::Dial { .. } => {
                    self.hang_up(at);
                    self.parties[at].transport += 1;
                    let succeeds = self.healed || !self.draw.once_in(5);
                    let (due, transport) = (self.now + self.delay(), self.parties[at].transport);
                    self.launch(due, Parcel::Dialled(at, transport, succeeds));
                }
                Output::Transmit(OwnedFrame::Lost) => {
                    self.hang_up(at);
                    self.parties[at].transport += 1;
                }
                Output::Transmit(frame) => self.send(at, Side::Client, frame),
                Output::Event(event) => self.told(at, event),
                Output::Idle(deadline) => {
                    assert!(deadline.is_none_or(|deadline| deadline.at >= self.now), "{deadline:?} at {}", self.now);
                    match self.parties[at].needs.pop_front() {
                        Some(purpose) => {
                            let credentials = Credentials::api_key("h", "k");
                            let _ = self.parties[at].client.supply(self.now, &purpose, &credentials);
                        }
                        None => return,
                    }
                }
            }
        }
        panic!("polling never came to an end");
    }

    fn told(&mut self, at: usize, event: ClientEvent) {
        let party = &mut self.parties[at];
        match event {
            ClientEvent::Needs(request) => party.needs.push_back(request.purpose),
            ClientEvent::Connected { .. } => CONNECTED.reached(),
            ClientEvent::Data { id, body } => {
                HEARD.reached();
                party.heard.push((id, body));
            }
            ClientEvent::Finding(finding) => {
                assert!(OF_SILENCE.contains(&finding.requirement), "{finding}");
            }
            ClientEvent::Failed { .. } | ClientEvent::Closed { .. } => party.over = true,
            ClientEvent::Subscribed { .. }
            | ClientEvent::Refused { .. }
            | ClientEvent::BroadcastFailed { .. }
            | ClientEvent::Published { .. }
            | ClientEvent::PublishRefused { .. }
            | ClientEvent::Ended { .. }
            | ClientEvent::Interrupted { .. }
            | ClientEvent::TimedOut { .. }
            | ClientEvent::Renamed { .. }
            | ClientEvent::Reported { .. }
            | ClientEvent::Lost { .. } => {}
        }
    }

    /// The client has dropped its transport; the server learns of it.
    fn hang_up(&mut self, at: usize) {
        if let Some(connection) = self.parties[at].connection.take() {
            self.hub.receive(self.now, connection, Frame::Lost, &mut OpenHost);
            self.post();
        }
    }

    /// Lets everything happen that is due within `span`.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        for _ in 0..100_000 {
            let parcel = self.sky.keys().next().map(|(at, _)| *at);
            let hub = self.hub.deadline().map(|deadline| deadline.at);
            let timers = self.parties.iter().filter_map(|party| party.client.deadline().map(|deadline| deadline.at));
            let Some(next) = timers.chain(parcel).chain(hub).min().filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            if hub.is_some_and(|hub| hub <= self.now) {
                self.hub.elapse(self.now);
                self.post();
            } else if parcel.is_some_and(|parcel| parcel <= self.now) {
                if let Some((_, parcel)) = self.sky.pop_first() {
                    self.land(parcel);
                }
            } else {
                for at in 0..self.parties.len() {
                    let random = u64::from(self.draw.byte());
                    self.parties[at].client.handle_input(Input::Timeout(self.now), random);
                    self.settle(at);
                }
            }
        }
        panic!("time stands still at {}", self.now);
    }

    fn land(&mut self, parcel: Parcel) {
        let random = u64::from(self.draw.byte());
        match parcel {
            Parcel::Dialled(at, transport, succeeds) if self.parties[at].transport == transport => {
                let party = &mut self.parties[at];
                let input = if succeeds {
                    party.connection = Some(self.hub.accept(self.now, party.dialect, Ok(())));
                    party.watch = Conversation::new(party.dialect);
                    (party.up, party.down) = (self.now, self.now);
                    Input::Connected(self.now)
                } else {
                    Input::ConnectFailed(self.now, DialFailure::Network)
                };
                party.client.handle_input(input, random);
                self.post();
                self.settle(at);
            }
            Parcel::ToServer(at, transport, frame) if self.parties[at].transport == transport => {
                let Some(connection) = self.parties[at].connection else { return };
                let findings = self.parties[at].watch.observe(self.now, Side::Client, frame.borrow()).findings;
                assert!(findings.is_empty(), "{findings:?}");
                self.hub.receive(self.now, connection, frame.borrow(), &mut OpenHost);
                if frame == OwnedFrame::Lost {
                    // What the client says until it knows never arrives.
                    self.parties[at].connection = None;
                } else if let OwnedFrame::Close { .. } = frame {
                    // The transport answers a close frame.
                    self.send(at, Side::Server, frame);
                }
                self.post();
            }
            Parcel::ToClient(at, transport, frame) if self.parties[at].transport == transport => {
                if frame == OwnedFrame::Lost {
                    self.hang_up(at);
                    self.parties[at].transport += 1;
                }
                self.parties[at].client.handle_input(Input::Frame(self.now, frame.borrow()), random);
                self.settle(at);
            }
            Parcel::Dialled(..) | Parcel::ToServer(..) | Parcel::ToClient(..) => {}
        }
    }

    /// Liveness: from here on the links work.
    fn heal(&mut self) {
        self.healed = true;
        self.pass(Duration::from_secs(900));
        for party in &mut self.parties {
            party.heard.clear();
        }
        self.publish("heal");
        self.pass(Duration::from_secs(5));
        for party in &self.parties {
            let snapshot = party.client.snapshot();
            let wants = !snapshot.subscriptions.is_empty();
            let is_up = matches!(snapshot.connection, ConnectionState::Connected { .. });
            assert!(is_up || !wants, "{snapshot}");
            for (id, state) in &snapshot.subscriptions {
                assert_eq!(*state, SubscriptionState::Live, "{snapshot}");
                HEALED.reached();
                let times = party.heard.iter().filter(|(to, body)| to == id && body.contains("heal")).count();
                assert_eq!(times, 1, "{id}: {:?}", party.heard);
            }
        }
        for at in 0..self.parties.len() {
            let _ = self.parties[at].client.close(self.now);
            self.settle(at);
        }
        self.pass(Duration::from_secs(120));
        for party in &self.parties {
            let snapshot = party.client.snapshot();
            CLOSED.reached();
            let rests = matches!(snapshot.connection, ConnectionState::Idle | ConnectionState::Failed { .. });
            assert!(rests && party.client.deadline().is_none(), "{snapshot}");
        }
    }
}

/// Credentials are always good; every document is the same subscription.
struct OpenHost;

impl Host for OpenHost {
    fn authorize(&mut self, _: Asked<'_>, _: Option<Raw<'_>>) -> Result<Identity, Refusal> {
        Ok(Identity::default())
    }

    fn plan(&mut self, request: &str, _: &Identity, _: PlanChecks) -> Result<Plan, Vec<Refusal>> {
        let nonce = Field { key: "n".into(), name: "n".into(), of: "String".into(), required: false, inner: None };
        Ok(Plan {
            key: request.into(),
            field: request.into(),
            arguments: BTreeMap::new(),
            selection: Selection { on: "Note".into(), fields: vec![nonce] },
            required: false,
            filter: None,
            invalidation: None,
        })
    }
}
