//! The virtual world: a player and the reference endpoint joined by a wire, in time that jumps.
//!
//! It wakes each side only when that side asked for it or something arrives: a driver that polled would
//! hide a forgotten deadline. The transport answers pings and close frames, as a WebSocket library does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use appsync_protocol::hub::ConnectionId;
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{Frame, OwnedFrame, Request, Response};

use crate::player::{Action, Limits, Outcome, Output, Player};
use crate::reference::Endpoint;
use crate::scenario::{Cast, Conn, Scenario};

/// Time a message takes from one side to the other.
pub const LATENCY: Duration = Duration::from_millis(1);

/// Plays a scenario against an endpoint; both have the world to themselves.
pub fn play(scenario: &Scenario, cast: Cast, limits: Limits, endpoint: &mut Endpoint) -> Outcome {
    World::new(scenario, cast, limits, endpoint).run()
}

struct World<'w> {
    player: Player<'w>,
    endpoint: &'w mut Endpoint,
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

impl<'w> World<'w> {
    fn new(scenario: &'w Scenario, cast: Cast, limits: Limits, endpoint: &'w mut Endpoint) -> Self {
        Self {
            player: Player::new(scenario, cast, limits, Moment::START),
            endpoint,
            now: Moment::START,
            wire: BTreeMap::new(),
            server_ids: BTreeMap::new(),
            conns: BTreeMap::new(),
        }
    }

    fn run(mut self) -> Outcome {
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
        match self.player.outcome() {
            Some(outcome) => outcome,
            None => unreachable!("a player that is done has an outcome"),
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open(conn, request) => self.send(Parcel::Upgrade(conn, request)),
            Action::Transmit(conn, frame) => self.send(Parcel::ToServer(conn, frame)),
            Action::Call(call, request) => self.send(Parcel::Call(call, request)),
            Action::Raw(..) => self.player.abandon(self.now, "bytes below the WebSocket layer need a socket"),
        }
    }

    fn send(&mut self, parcel: Parcel) {
        self.send_after(Duration::ZERO, parcel);
    }

    fn send_after(&mut self, pause: Duration, parcel: Parcel) {
        self.wire.entry(self.now + pause + LATENCY).or_default().push_back(parcel);
    }

    /// Goes to the next moment at which anything happens, and lets it happen.
    fn jump(&mut self, player_due: Option<Moment>) {
        let wire_due = self.wire.keys().next().copied();
        let endpoint_due = self.endpoint.deadline().map(|d| d.at);
        let Some(next) = [wire_due, endpoint_due, player_due].into_iter().flatten().min() else {
            return self.player.abandon(self.now, "nothing will ever happen again");
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
            Parcel::Upgrade(conn, _) if !self.endpoint.is_alive() => {
                self.send(Parcel::Upgraded(conn, Err("connection refused".into())));
            }
            Parcel::Upgrade(conn, request) => {
                let (response, id) = self.endpoint.upgrade(now, &request);
                self.send(Parcel::Upgraded(conn, Ok(response)));
                if let Some(id) = id {
                    self.server_ids.insert(conn, id);
                    self.conns.insert(id, conn);
                }
                self.collect();
            }
            Parcel::Call(call, _) if !self.endpoint.is_alive() => {
                self.send(Parcel::Answered(call, Err("connection refused".into())));
            }
            Parcel::Call(call, request) => {
                let answer = self.endpoint.http(now, &request);
                self.collect();
                self.send_after(answer.after, Parcel::Answered(call, Ok(answer.response)));
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
