//! Peers that do nothing, or the same to everybody. They have to pass nothing: that there is no error is no evidence.

use std::collections::{BTreeMap, VecDeque};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::hub::ConnectionId;
use appsync_protocol::json::{Json, parse_json, push_json_string};
use appsync_protocol::moment::{Deadline, Moment};
use appsync_protocol::wire::{Frame, Headers, OwnedFrame, Request, Response};

use super::stage::{all_playable, in_parallel, outcome_with};
use crate::reference::Answer;
use crate::scenario::Scenario;
use crate::sim::{Peer, Upgraded, Weather};
use crate::verdict::{Verdict, judge};

/// A peer that understands nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Null {
    /// Takes connections and says nothing.
    Silent,
    /// Takes no connection.
    Gone,
    /// Closes every connection before it answers.
    ClosesAtOnce,
    /// Agrees to the upgrade and says nothing any more.
    UpgradesOnly,
    /// Agrees to the upgrade and closes.
    UpgradesAndCloses,
    /// Sends back what it gets.
    Echoes,
    /// Acknowledges everything, whoever asks.
    AcknowledgesEverything,
    /// Answers everything with the last message that anybody sent before.
    ReplaysTheLast,
    /// Answers everything with bytes that mean nothing.
    Babbles,
}

impl Null {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Silent,
        Self::Gone,
        Self::ClosesAtOnce,
        Self::UpgradesOnly,
        Self::UpgradesAndCloses,
        Self::Echoes,
        Self::AcknowledgesEverything,
        Self::ReplaysTheLast,
        Self::Babbles,
    ];
}

/// What a null peer got.
#[derive(Clone, Debug)]
pub struct Score {
    /// The peer.
    pub null: Null,
    /// Cases that it passes. Without its controls none counts, as in every run.
    pub passed: Vec<&'static str>,
    /// Cases that would pass if the controls did not block them.
    pub passed_without_controls: usize,
}

/// Plays every scenario against every null peer.
pub fn try_all(jobs: usize, done: &(dyn Fn() + Sync)) -> Vec<Score> {
    in_parallel(&Null::ALL, jobs, done, |null| score(*null))
}

fn score(null: Null) -> Score {
    let passes = |scenario: &&'static Scenario| {
        let mut peer = Peers::new(null);
        judge(scenario, &outcome_with(scenario, &mut peer, Weather::default())).0 == Verdict::Pass
    };
    let (controls, rest): (Vec<_>, Vec<_>) = all_playable().into_iter().partition(|scenario| scenario.is_control());
    let mut passed = Vec::new();
    let mut blocked = 0;
    for dialect in Dialect::ALL {
        let own = |scenario: &&&'static Scenario| scenario.dialect == dialect;
        let holds = controls.iter().filter(own).all(passes);
        let found = rest.iter().copied().filter(|scenario| scenario.dialect == dialect).filter(passes);
        if holds {
            passed.extend(found.map(|scenario| scenario.id));
        } else {
            blocked += found.count();
        }
    }
    Score { null, passed_without_controls: blocked + passed.len(), passed }
}

/// A null peer in virtual time.
struct Peers {
    null: Null,
    connections: u64,
    dialects: BTreeMap<ConnectionId, Dialect>,
    queue: VecDeque<(ConnectionId, OwnedFrame)>,
    last: String,
}

impl Peers {
    const fn new(null: Null) -> Self {
        Self { null, connections: 0, dialects: BTreeMap::new(), queue: VecDeque::new(), last: String::new() }
    }

    fn agree(&mut self, request: &Request) -> Upgraded {
        self.connections += 1;
        let id = ConnectionId(self.connections);
        let dialect = if request.path().starts_with("/event") { Dialect::Events } else { Dialect::Graphql };
        self.dialects.insert(id, dialect);
        let mut response = Response::new(101, "");
        let offered = request.subprotocols().find(|offered| !offered.starts_with("header-"));
        response.headers = offered.map_or_else(Headers::new, |o| Headers::new().with("sec-websocket-protocol", o));
        if self.null == Null::UpgradesAndCloses {
            self.queue.push_back((id, OwnedFrame::Close { code: None, reason: String::new() }));
        }
        (response, Some(id))
    }

    fn answer_text(&mut self, from: ConnectionId, text: &str) {
        let answer = match self.null {
            Null::Echoes => Some(text.to_owned()),
            Null::AcknowledgesEverything => {
                acknowledgement(self.dialects.get(&from).copied().unwrap_or(Dialect::Graphql), text)
            }
            Null::ReplaysTheLast => Some(std::mem::replace(&mut self.last, text.to_owned())),
            Null::Babbles => Some("\u{1}{{{\u{7f}".to_owned()),
            Null::Silent | Null::Gone | Null::ClosesAtOnce | Null::UpgradesOnly | Null::UpgradesAndCloses => None,
        };
        self.queue.extend(answer.map(|text| (from, OwnedFrame::text(text))));
    }
}

/// What every message gets that looks like a request.
fn acknowledgement(dialect: Dialect, text: &str) -> Option<String> {
    let message = parse_json(text)?;
    let mut id = String::new();
    push_json_string(&mut id, message.get("id").and_then(Json::as_str).unwrap_or_default());
    Some(match (dialect, message.get("type").and_then(Json::as_str)?) {
        (Dialect::Graphql, "connection_init") => {
            r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#.into()
        }
        (Dialect::Events, "connection_init") => r#"{"type":"connection_ack","connectionTimeoutMs":300000}"#.into(),
        (_, "start") => format!(r#"{{"type":"start_ack","id":{id}}}"#),
        (_, "stop") => format!(r#"{{"type":"complete","id":{id}}}"#),
        (_, "publish") => format!(
            r#"{{"type":"publish_success","id":{id},"successful":[{{"identifier":"1","index":0}}],"failed":[]}}"#
        ),
        (_, word) => format!(r#"{{"type":"{word}_success","id":{id}}}"#),
    })
}

impl Peer for Peers {
    fn upgrade(&mut self, _: Moment, request: &Request) -> Option<Result<Upgraded, String>> {
        match self.null {
            Null::Silent => None,
            Null::Gone => Some(Err("connection refused".into())),
            Null::ClosesAtOnce => Some(Err("the connection was closed".into())),
            Null::UpgradesOnly
            | Null::UpgradesAndCloses
            | Null::Echoes
            | Null::AcknowledgesEverything
            | Null::ReplaysTheLast
            | Null::Babbles => Some(Ok(self.agree(request))),
        }
    }

    fn http(&mut self, _: Moment, request: &Request) -> Option<Result<Answer, String>> {
        let body = match self.null {
            Null::Silent => return None,
            Null::Gone | Null::ClosesAtOnce => return Some(Err("connection refused".into())),
            Null::UpgradesOnly | Null::UpgradesAndCloses => String::new(),
            Null::Echoes | Null::ReplaysTheLast => request.body.text().into_owned(),
            Null::AcknowledgesEverything if request.path().starts_with("/event") => {
                r#"{"successful":[{"identifier":"1","index":0}],"failed":[]}"#.into()
            }
            Null::AcknowledgesEverything => r#"{"data":{}}"#.into(),
            Null::Babbles => "\u{1}{{{".into(),
        };
        Some(Ok(Response::new(200, body).into()))
    }

    fn frame(&mut self, _: Moment, from: ConnectionId, frame: Frame<'_>) {
        match frame {
            Frame::Text { text, .. } => self.answer_text(from, text),
            Frame::Binary(bytes) if self.null == Null::Echoes => {
                self.queue.push_back((from, OwnedFrame::Binary(bytes.into())));
            }
            Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) | Frame::Close { .. } | Frame::Lost => {}
        }
    }

    fn transport_answers(&self, _: ConnectionId, _: Frame<'_>) -> bool {
        self.null != Null::UpgradesOnly
    }

    fn elapse(&mut self, _: Moment) {}

    fn deadline(&self) -> Option<Deadline> {
        None
    }

    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        self.queue.pop_front()
    }
}
