//! The virtual world: a player and the reference endpoint joined by a wire, in time that jumps.
//!
//! It wakes each side only when that side asked for it or something arrives: a driver that polled would
//! hide a forgotten deadline. The transport answers pings and close frames, as a WebSocket library does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use appsync_protocol::hub::ConnectionId;
use appsync_protocol::moment::{Deadline, Moment};
use appsync_protocol::wire::{Frame, OwnedFrame, Request, Response};

use crate::player::{Action, Actor, Limits, Outcome, Output, Player};
use crate::reference::{Answer, Endpoint};
use crate::scenario::{Cast, Conn, Scenario};

/// Time a message takes from one side to the other.
pub const LATENCY: Duration = Duration::from_millis(1);

/// A server in virtual time: everything comes in with its moment, and what it says is drained after each call.
pub trait Peer {
    /// Answers an upgrade. `None` for no answer at all.
    fn upgrade(&mut self, at: Moment, request: &Request) -> Option<Result<Upgraded, String>>;

    /// Answers an HTTP request. `None` for no answer at all.
    fn http(&mut self, at: Moment, request: &Request) -> Option<Result<Answer, String>>;

    /// Takes one frame of a client, the end of its connection included.
    fn frame(&mut self, at: Moment, from: ConnectionId, frame: Frame<'_>);

    /// Whether its transport answers a ping or a close frame on this connection.
    fn transport_answers(&self, connection: ConnectionId, frame: Frame<'_>) -> bool;

    /// Lets time pass.
    fn elapse(&mut self, at: Moment);

    /// When it wants to be woken.
    fn deadline(&self) -> Option<Deadline>;

    /// The next frame to send, and where.
    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)>;
}

/// The answer to an upgrade, and the connection if it is 101.
pub type Upgraded = (Response, Option<ConnectionId>);

const REFUSED: &str = "connection refused";

impl Peer for Endpoint {
    fn upgrade(&mut self, at: Moment, request: &Request) -> Option<Result<Upgraded, String>> {
        Some(if self.is_alive() { Ok(Self::upgrade(self, at, request)) } else { Err(REFUSED.into()) })
    }

    fn http(&mut self, at: Moment, request: &Request) -> Option<Result<Answer, String>> {
        Some(if self.is_alive() { Ok(Self::http(self, at, request)) } else { Err(REFUSED.into()) })
    }

    fn frame(&mut self, at: Moment, from: ConnectionId, frame: Frame<'_>) {
        Self::frame(self, at, from, frame);
    }

    fn transport_answers(&self, connection: ConnectionId, frame: Frame<'_>) -> bool {
        Self::transport_answers(self, connection, frame)
    }

    fn elapse(&mut self, at: Moment) {
        Self::elapse(self, at);
    }

    fn deadline(&self) -> Option<Deadline> {
        Self::deadline(self)
    }

    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        Self::poll(self)
    }
}

/// How long messages are under way beyond [`LATENCY`]: drawn from a seed for each of them. What travels one way on
/// one connection keeps its order, as on TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Where the draws begin.
    pub seed: u64,
    /// Longest additional time.
    pub jitter: Duration,
}

impl Weather {
    /// The additional time of message number `count`.
    pub(crate) fn delay(self, count: u64) -> Duration {
        let most = u64::try_from(self.jitter.as_micros()).unwrap_or(u64::MAX);
        // SplitMix64.
        let mut draw = self.seed.wrapping_add(count.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        draw = (draw ^ draw >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        draw = (draw ^ draw >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_micros((draw ^ draw >> 31) % most.saturating_add(1).max(1))
    }
}

/// Plays a scenario against an endpoint; both have the world to themselves.
pub fn play(scenario: &Scenario, cast: Cast, limits: Limits, endpoint: &mut Endpoint) -> Outcome {
    play_in(scenario, cast, limits, endpoint, Weather::default())
}

/// Plays a scenario against any peer, over a network of this weather.
pub fn play_in(scenario: &Scenario, cast: Cast, limits: Limits, peer: &mut dyn Peer, weather: Weather) -> Outcome {
    let mut player = Player::new(scenario, cast, limits, Moment::START);
    run_in(&mut player, peer, weather);
    match player.outcome() {
        Some(outcome) => outcome,
        None => unreachable!("a player that is done has an outcome"),
    }
}

/// Lets any client speak to any peer until it is done, over a network of this weather.
pub fn run_in(client: &mut dyn Actor, peer: &mut dyn Peer, weather: Weather) {
    World::new(client, peer, weather).run();
}

struct World<'w> {
    player: &'w mut dyn Actor,
    endpoint: &'w mut dyn Peer,
    weather: Weather,
    sent: u64,
    /// When the last message of each way of each connection arrives.
    lanes: BTreeMap<(Conn, bool), Moment>,
    now: Moment,
    wire: BTreeMap<Moment, VecDeque<Parcel>>,
    server_ids: BTreeMap<Conn, ConnectionId>,
    conns: BTreeMap<ConnectionId, Conn>,
}

/// Something under way.
enum Parcel {
    Upgrade(Conn, Request),
    Call(u32, Request),
    ToServer(Conn, OwnedFrame),
    Upgraded(Conn, Result<Response, String>),
    Answered(u32, Result<Response, String>),
    ToClient(Conn, OwnedFrame),
}

impl Parcel {
    /// What keeps its order: a way of a connection. HTTP requests have a connection each.
    const fn lane(&self) -> Option<(Conn, bool)> {
        match self {
            Self::Upgrade(conn, _) | Self::ToServer(conn, _) => Some((*conn, true)),
            Self::Upgraded(conn, _) | Self::ToClient(conn, _) => Some((*conn, false)),
            Self::Call(..) | Self::Answered(..) => None,
        }
    }
}

impl<'w> World<'w> {
    fn new(player: &'w mut dyn Actor, endpoint: &'w mut dyn Peer, weather: Weather) -> Self {
        Self {
            player,
            endpoint,
            weather,
            sent: 0,
            lanes: BTreeMap::new(),
            now: Moment::START,
            wire: BTreeMap::new(),
            server_ids: BTreeMap::new(),
            conns: BTreeMap::new(),
        }
    }

    fn run(mut self) {
        loop {
            match self.player.poll() {
                Output::Do(action) => self.act(action),
                Output::Idle(deadline) => self.jump(deadline.map(|d| d.at)),
                Output::Done => break,
            }
        }
        let now = self.now;
        for id in self.conns.into_keys() {
            self.endpoint.frame(now, id, Frame::Lost);
        }
        while self.endpoint.poll().is_some() {}
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open(conn, request) => self.send(Parcel::Upgrade(conn, request)),
            Action::Transmit(conn, frame) => self.send(Parcel::ToServer(conn, frame)),
            Action::Call(call, request) => self.send(Parcel::Call(call, request)),
            Action::Fire(..) => self.player.abandon(self.now, "a declared trigger needs a socket".into()),
            Action::Raw(..) => {
                self.player.abandon(self.now, "bytes below the WebSocket layer need a socket".into());
            }
        }
    }

    fn send(&mut self, parcel: Parcel) {
        self.send_after(Duration::ZERO, parcel);
    }

    fn send_after(&mut self, pause: Duration, parcel: Parcel) {
        let mut due = self.now + pause + LATENCY;
        if !self.weather.jitter.is_zero() {
            due = due + self.weather.delay(self.sent);
            self.sent += 1;
            if let Some(lane) = parcel.lane() {
                let last = self.lanes.entry(lane).or_default();
                due = due.max(*last);
                *last = due;
            }
        }
        self.wire.entry(due).or_default().push_back(parcel);
    }

    /// Goes to the next moment at which anything happens, and lets it happen.
    fn jump(&mut self, player_due: Option<Moment>) {
        let wire_due = self.wire.keys().next().copied();
        let endpoint_due = self.endpoint.deadline().map(|d| d.at);
        let Some(next) = [wire_due, endpoint_due, player_due].into_iter().flatten().min() else {
            return self.player.abandon(self.now, "nothing will ever happen again".into());
        };
        self.now = self.now.max(next);
        if endpoint_due.is_some_and(|due| due <= self.now) {
            self.endpoint.elapse(self.now);
            self.collect();
        }
        if let Some(parcels) = wire_due.filter(|due| *due <= self.now).and_then(|due| self.wire.remove(&due)) {
            for parcel in parcels {
                self.arrive(parcel);
            }
        }
        if player_due.is_some_and(|due| due <= self.now) {
            self.player.elapse(self.now);
        }
    }

    fn arrive(&mut self, parcel: Parcel) {
        let now = self.now;
        match parcel {
            Parcel::Upgrade(conn, request) => {
                let Some(answer) = self.endpoint.upgrade(now, &request) else { return };
                let answer = answer.map(|(response, id)| {
                    if let Some(id) = id {
                        self.server_ids.insert(conn, id);
                        self.conns.insert(id, conn);
                    }
                    response
                });
                self.send(Parcel::Upgraded(conn, answer));
                self.collect();
            }
            Parcel::Call(call, request) => {
                let Some(answer) = self.endpoint.http(now, &request) else { return };
                self.collect();
                match answer {
                    Ok(answer) => self.send_after(answer.after, Parcel::Answered(call, Ok(answer.response))),
                    Err(trouble) => self.send(Parcel::Answered(call, Err(trouble))),
                }
            }
            Parcel::ToServer(conn, frame) => self.arrive_at_server(conn, &frame),
            Parcel::Upgraded(conn, answer) => self.player.upgraded(now, conn, answer),
            Parcel::Answered(call, answer) => self.player.answered(now, call, answer),
            Parcel::ToClient(conn, frame) => self.player.frame(now, conn, frame),
        }
    }

    fn arrive_at_server(&mut self, conn: Conn, frame: &OwnedFrame) {
        let Some(id) = self.server_ids.get(&conn).copied() else { return };
        if self.endpoint.transport_answers(id, frame.borrow()) {
            match frame {
                OwnedFrame::Ping(payload) => self.send(Parcel::ToClient(conn, OwnedFrame::Pong(payload.clone()))),
                OwnedFrame::Close { .. } => self.send(Parcel::ToClient(conn, frame.clone())),
                OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Pong(_) | OwnedFrame::Lost => {}
            }
        }
        self.endpoint.frame(self.now, id, frame.borrow());
        self.collect();
    }

    /// Puts what the endpoint says on the wire.
    fn collect(&mut self) {
        while let Some((id, frame)) = self.endpoint.poll() {
            if let Some(conn) = self.conns.get(&id).copied() {
                self.send(Parcel::ToClient(conn, frame));
            }
        }
    }
}
