//! The reference endpoint in another guise: what it says is worded, spaced, timed and answered differently, and
//! means the same.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::hub::ConnectionId;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::moment::{Deadline, Moment, Timer};
use appsync_protocol::wire::{Frame, OwnedFrame, Request, Response};

use crate::reference::{Answer, Endpoint};
use crate::sim::{Peer, Upgraded};

/// What is done to what the endpoint says.
#[derive(Clone, Copy)]
pub enum Guise {
    /// Each text message is written like this.
    Text(fn(&str) -> String),
    /// Each frame becomes these; with the dialect and the number of frames on the connection before.
    Frames(fn(Dialect, u64, OwnedFrame) -> Vec<OwnedFrame>),
    /// Each frame leaves so much later, by its number on the connection. The order stays.
    Delay(fn(u64) -> Duration),
    /// The same, and the order stays among messages of one id only.
    DelayById(fn(u64) -> Duration),
    /// Frames leave together at the next multiple of this time.
    Coalesce(Duration),
    /// HTTP answers are changed.
    Answer(fn(&mut Response)),
    /// Answers to upgrades are changed.
    Upgrade(fn(&mut Response)),
    /// HTTP answers take so much longer.
    SlowAnswers(Duration),
}

/// An endpoint in a guise.
pub struct Costume {
    endpoint: Endpoint,
    guise: Guise,
    now: Moment,
    counts: BTreeMap<ConnectionId, u64>,
    closed: BTreeMap<ConnectionId, bool>,
    /// Frames by when they leave and by their number.
    held: BTreeMap<(Moment, u64), (ConnectionId, OwnedFrame)>,
    /// When the last frame of a lane leaves.
    lanes: BTreeMap<(ConnectionId, String), Moment>,
    frames: u64,
    out: VecDeque<(ConnectionId, OwnedFrame)>,
}

impl Costume {
    /// Dresses an endpoint.
    pub const fn new(endpoint: Endpoint, guise: Guise) -> Self {
        Self {
            endpoint,
            guise,
            now: Moment::START,
            counts: BTreeMap::new(),
            closed: BTreeMap::new(),
            held: BTreeMap::new(),
            lanes: BTreeMap::new(),
            frames: 0,
            out: VecDeque::new(),
        }
    }

    fn pump(&mut self, at: Moment) {
        self.now = self.now.max(at);
        while let Some((id, frame)) = Endpoint::poll(&mut self.endpoint) {
            let count = self.counts.entry(id).or_default();
            let number = *count;
            *count += 1;
            self.dress(id, number, frame);
        }
        while let Some(due) = self.held.first_entry().filter(|due| due.key().0 <= self.now) {
            let sent = due.remove();
            self.out.push_back(sent);
        }
    }

    fn dress(&mut self, id: ConnectionId, number: u64, frame: OwnedFrame) {
        let ends = matches!(frame, OwnedFrame::Close { .. } | OwnedFrame::Lost);
        match self.guise {
            Guise::Text(write) => {
                let frame = match frame {
                    OwnedFrame::Text { text, fragments } => OwnedFrame::Text { text: write(&text), fragments },
                    other @ (OwnedFrame::Binary(_)
                    | OwnedFrame::Ping(_)
                    | OwnedFrame::Pong(_)
                    | OwnedFrame::Close { .. }
                    | OwnedFrame::Lost) => other,
                };
                self.out.push_back((id, frame));
            }
            Guise::Frames(write) => {
                let dialect = self.endpoint.dialect(id);
                if self.closed.insert(id, ends).unwrap_or_default() || dialect.is_none() && !ends {
                    self.out.push_back((id, frame));
                    return;
                }
                let frames = write(dialect.unwrap_or(Dialect::Graphql), number, frame);
                self.out.extend(frames.into_iter().map(|frame| (id, frame)));
            }
            Guise::Delay(time) => self.hold(id, String::new(), self.now + time(number), frame),
            Guise::DelayById(_) if ends => {
                let own = self.lanes.iter().filter(|((of, _), _)| *of == id);
                let last = own.map(|(_, at)| *at).max().unwrap_or(self.now).max(self.now);
                self.hold(id, String::new(), last, frame);
            }
            Guise::DelayById(time) => self.hold(id, id_of(&frame), self.now + time(number), frame),
            Guise::Coalesce(period) => {
                let period = u64::try_from(period.as_micros()).unwrap_or(u64::MAX).max(1);
                let due = Moment::from_micros(self.now.as_micros().div_ceil(period).saturating_mul(period));
                self.hold(id, String::new(), due, frame);
            }
            Guise::Answer(_) | Guise::Upgrade(_) | Guise::SlowAnswers(_) => self.out.push_back((id, frame)),
        }
    }

    fn hold(&mut self, id: ConnectionId, lane: String, due: Moment, frame: OwnedFrame) {
        let last = self.lanes.entry((id, lane)).or_default();
        *last = due.max(*last);
        self.frames += 1;
        self.held.insert((*last, self.frames), (id, frame));
    }
}

fn id_of(frame: &OwnedFrame) -> String {
    match frame {
        OwnedFrame::Text { text, .. } => parse_json(text)
            .and_then(|message| message.get("id").and_then(Json::as_str).map(str::to_owned))
            .unwrap_or_default(),
        OwnedFrame::Binary(_)
        | OwnedFrame::Ping(_)
        | OwnedFrame::Pong(_)
        | OwnedFrame::Close { .. }
        | OwnedFrame::Lost => String::new(),
    }
}

impl Peer for Costume {
    fn upgrade(&mut self, at: Moment, request: &Request) -> Option<Result<Upgraded, String>> {
        let (mut response, id) = Endpoint::upgrade(&mut self.endpoint, at, request);
        if let Guise::Upgrade(change) = self.guise {
            change(&mut response);
        }
        self.pump(at);
        Some(Ok((response, id)))
    }

    fn http(&mut self, at: Moment, request: &Request) -> Option<Result<Answer, String>> {
        let mut answer = Endpoint::http(&mut self.endpoint, at, request);
        match self.guise {
            Guise::Answer(change) => change(&mut answer.response),
            Guise::SlowAnswers(time) => answer.after += time,
            Guise::Text(_)
            | Guise::Frames(_)
            | Guise::Delay(_)
            | Guise::DelayById(_)
            | Guise::Coalesce(_)
            | Guise::Upgrade(_) => {}
        }
        self.pump(at);
        Some(Ok(answer))
    }

    fn frame(&mut self, at: Moment, from: ConnectionId, frame: Frame<'_>) {
        Endpoint::frame(&mut self.endpoint, at, from, frame);
        self.pump(at);
    }

    fn transport_answers(&self, connection: ConnectionId, frame: Frame<'_>) -> bool {
        Endpoint::transport_answers(&self.endpoint, connection, frame)
    }

    fn elapse(&mut self, at: Moment) {
        Endpoint::elapse(&mut self.endpoint, at);
        self.pump(at);
    }

    fn deadline(&self) -> Option<Deadline> {
        let held = self.held.keys().next().map(|(at, _)| Deadline { at: *at, why: Timer::Delivery });
        Deadline::earlier(Endpoint::deadline(&self.endpoint), held)
    }

    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        self.out.pop_front()
    }
}
