//! The player with any steps, against any peer.
//!
//! The invariant: a scenario always comes to an end within its limit of virtual time; what it blames on the server is
//! blamed by a rule of its dialect; playing twice gives the same; where the peer says nothing, nothing passes; and on the
//! honest endpoint every scenario as it stands in the catalogue passes, however slow the network is.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::hub::ConnectionId;
use appsync_protocol::json::parse_json;
use appsync_protocol::moment::{Deadline, Moment, Timer};
use appsync_protocol::wire::{Frame, Headers, OwnedFrame, Request, Response, Side};
use syncspec::player::{Ending, Limits, Outcome};
use syncspec::reference::{Answer, Config, Endpoint};
use syncspec::scenario::{Cast, Scenario, Step};
use syncspec::selftest::stage;
use syncspec::sim::{Peer, Upgraded, Weather, play_in};
use syncspec::verdict::{Verdict, judge};

use crate::draw::Draw;
use crate::reach::Point;

static ENDED: Point = Point::new("player/ended");
static MET: Point = Point::new("player/met");
static UNMET: Point = Point::new("player/unmet");
static TROUBLE: Point = Point::new("player/trouble");
static HONEST: Point = Point::new("player/honest");
static FINDING: Point = Point::new("player/finding");
/// Where the oracle speaks.
pub static POINTS: [&Point; 6] = [&ENDED, &MET, &UNMET, &TROUBLE, &HONEST, &FINDING];

static ALL: LazyLock<Vec<&'static Scenario>> = LazyLock::new(stage::all_playable);

thread_local! {
    /// The steps of the scenario that is made up.
    static STEPS: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

fn made_up(_: &Cast) -> Vec<Step> {
    STEPS.with_borrow(Clone::clone)
}

/// One input: which scenarios lend their steps, and what the peer does instead of what it should.
pub fn run(input: &[u8]) {
    let mut draw = Draw::new(input);
    let how = draw.byte();
    let scenario = ALL[draw.below(ALL.len())];
    let weather = Weather { seed: draw.long(), jitter: Duration::from_millis(u64::from(draw.byte() % 8) * 20) };
    if how.is_multiple_of(16) {
        return honest(scenario, weather);
    }
    let config = Config::default();
    let cast = stage::cast(scenario.dialect, &config);
    let mut steps = (scenario.steps)(&cast);
    for _ in 0..draw.below(6) {
        let other = ALL[draw.below(ALL.len())];
        if other.dialect == scenario.dialect {
            let lent = (other.steps)(&cast);
            let (from, at) = (draw.below(lent.len()), draw.below(steps.len() + 1));
            let count = 1 + draw.below(4);
            steps.splice(at..at, lent.into_iter().skip(from).take(count));
        }
    }
    for _ in 0..draw.below(4) {
        if !steps.is_empty() {
            let at = draw.below(steps.len());
            steps.remove(at);
        }
    }
    STEPS.set(steps);
    let whole = Scenario { steps: made_up, ..*scenario };
    let bytes = draw.rest();
    let play = || {
        let mut peer = Liar::new(bytes, scenario.dialect);
        let cast = stage::cast(scenario.dialect, &Config::default());
        play_in(&whole, cast, limits(), &mut peer, weather)
    };
    let outcome = play();
    check(&whole, &outcome);
    assert_eq!(told(&outcome), told(&play()));
}

fn limits() -> Limits {
    Limits { scenario: Duration::from_secs(600), ..stage::limits() }
}

fn honest(scenario: &Scenario, weather: Weather) {
    // A quiet window or a limit of a scenario may be shorter than a slow network; the suite on trial plays in this one.
    let weather = Weather { jitter: weather.jitter.min(Duration::from_millis(20)), ..weather };
    let outcome = stage::outcome_with(scenario, &mut stage::endpoint(Config::default(), &[]), weather);
    let (verdict, breaches) = judge(scenario, &outcome);
    HONEST.reached();
    assert!(
        matches!(verdict, Verdict::Pass | Verdict::Info),
        "{}: {verdict} {breaches:?} {:?}",
        scenario.id,
        outcome.ending
    );
}

fn told(outcome: &Outcome) -> String {
    format!("{:?} {:?} {:?} {}", outcome.ending, outcome.findings, outcome.evidence, outcome.record.len())
}

fn check(scenario: &Scenario, outcome: &Outcome) {
    ENDED.reached();
    let of = if scenario.dialect == Dialect::Graphql { "EVT-" } else { "GQL-" };
    assert!(outcome.took <= limits().scenario + Duration::from_secs(60), "{:?}", outcome.took);
    for finding in outcome.findings.iter().chain(&outcome.losses) {
        FINDING.reached();
        assert!(finding.by == Side::Server && !finding.requirement.to_string().starts_with(of), "{finding}");
    }
    let (verdict, _) = judge(scenario, outcome);
    match &outcome.ending {
        Ending::Met => MET.reached(),
        Ending::Unmet(unmet) => {
            UNMET.reached();
            assert!(unmet.entry.is_none_or(|entry| entry < outcome.record.len()), "{unmet:?}");
            assert!(verdict != Verdict::Pass, "{unmet:?}");
        }
        Ending::Trouble(why) => {
            TROUBLE.reached();
            assert!(!why.is_empty() && verdict != Verdict::Pass, "{why}");
        }
    }
    assert!(verdict != Verdict::Pass || !outcome.evidence.is_empty());
}

/// The honest endpoint, with something else put in the place of some of what it says.
struct Liar<'a> {
    honest: Endpoint,
    dialect: Dialect,
    draw: Draw<'a>,
    late: BTreeMap<Moment, Vec<(ConnectionId, OwnedFrame)>>,
    ready: VecDeque<(ConnectionId, OwnedFrame)>,
    open: Vec<ConnectionId>,
    now: Moment,
}

impl<'a> Liar<'a> {
    fn new(bytes: &'a [u8], dialect: Dialect) -> Self {
        Self {
            honest: stage::endpoint(Config::default(), &[]),
            dialect,
            draw: Draw::new(bytes),
            late: BTreeMap::new(),
            ready: VecDeque::new(),
            open: Vec::new(),
            now: Moment::START,
        }
    }

    fn collect(&mut self) {
        while let Some((to, frame)) = self.honest.poll() {
            if self.draw.is_over() {
                self.ready.push_back((to, frame));
                continue;
            }
            match self.draw.byte() % 12 {
                0 => {}
                1 => self.ready.extend([(to, frame.clone()), (to, frame)]),
                2 => {
                    let at = self.now + Duration::from_millis(u64::from(self.draw.byte()) * 40);
                    self.late.entry(at).or_default().push((to, frame));
                }
                3 => {
                    let invented = self.invented();
                    self.ready.extend([(to, frame), (to, invented)]);
                }
                4 => {
                    let invented = self.invented();
                    self.ready.push_back((to, invented));
                }
                5 => {
                    let other = self.draw.below(self.open.len().max(1));
                    self.ready.push_back((self.open.get(other).copied().unwrap_or(to), frame));
                }
                6 => self.ready.push_back((to, bent(&mut self.draw, frame))),
                _ => self.ready.push_back((to, frame)),
            }
        }
    }

    fn invented(&mut self) -> OwnedFrame {
        let draw = &mut self.draw;
        let words = [
            "connection_ack",
            "connection_error",
            "ka",
            "start_ack",
            "data",
            "complete",
            "error",
            "subscribe_success",
            "subscribe_error",
            "unsubscribe_success",
            "unsubscribe_error",
            "publish_success",
            "publish_error",
            "broadcast_error",
            "start",
            "next",
            "of-the-future",
        ];
        match draw.byte() % 8 {
            0 => OwnedFrame::Close { code: draw.once_in(2).then_some(1000), reason: String::new() },
            1 => OwnedFrame::Lost,
            2 => OwnedFrame::Ping(draw.bytes(4).to_vec()),
            3 => OwnedFrame::Binary(draw.bytes(4).to_vec()),
            4 => OwnedFrame::text(draw.text()),
            _ => {
                let (word, id, value) = (draw.pick(&words), draw.pick(&["1", "a", "s", "ghost"]), draw.value(2));
                let text = serde_json::json!({"type": word, "id": id, "payload": value, "errors": value,
                    "event": value, "connectionTimeoutMs": draw.number(), "successful": value, "failed": value});
                OwnedFrame::text(text.to_string())
            }
        }
    }
}

/// A message with one member changed.
fn bent(draw: &mut Draw<'_>, frame: OwnedFrame) -> OwnedFrame {
    let OwnedFrame::Text { text, .. } = &frame else { return frame };
    let Some(mut message) = parse_json(text) else { return frame };
    let Some(members) = message.as_object_mut().filter(|members| !members.is_empty()) else { return frame };
    let at = draw.below(members.len());
    let Some(name) = members.keys().nth(at).cloned() else { return frame };
    if draw.once_in(3) {
        members.remove(&name);
    } else {
        members.insert(name, draw.value(2));
    }
    OwnedFrame::text(message.to_string())
}

impl Peer for Liar<'_> {
    fn upgrade(&mut self, at: Moment, request: &Request) -> Option<Result<Upgraded, String>> {
        self.now = at;
        let kind = if self.draw.is_over() { 9 } else { self.draw.byte() % 32 };
        match kind {
            0 => return None,
            1 => return Some(Err("connection refused".into())),
            2 => return Some(Ok((Response::new(503, "busy"), None))),
            _ => {}
        }
        let (mut response, connection) = self.honest.upgrade(at, request);
        if kind == 3 {
            response.headers = Headers::new().with("sec-websocket-protocol", self.dialect.subprotocol());
        }
        self.open.extend(connection);
        self.collect();
        Some(Ok((response, connection)))
    }

    fn http(&mut self, at: Moment, request: &Request) -> Option<Result<Answer, String>> {
        self.now = at;
        let answer = self.honest.http(at, request);
        self.collect();
        if self.draw.is_over() {
            return Some(Ok(answer));
        }
        match self.draw.byte() % 16 {
            0 => None,
            1 => Some(Err("connection reset".into())),
            2 => {
                let response = Response::new(self.draw.pick(&[200, 400, 401, 500]), self.draw.json());
                Some(Ok(Answer { response, after: Duration::from_millis(u64::from(self.draw.byte())) }))
            }
            _ => Some(Ok(answer)),
        }
    }

    fn frame(&mut self, at: Moment, from: ConnectionId, frame: Frame<'_>) {
        self.now = at;
        self.honest.frame(at, from, frame);
        self.collect();
    }

    fn transport_answers(&self, connection: ConnectionId, frame: Frame<'_>) -> bool {
        self.honest.transport_answers(connection, frame)
    }

    fn elapse(&mut self, at: Moment) {
        self.now = at;
        while let Some(due) = self.late.first_entry().filter(|due| *due.key() <= at) {
            self.ready.extend(due.remove());
        }
        if self.honest.deadline().is_some_and(|deadline| deadline.at <= at) {
            self.honest.elapse(at);
        }
        self.collect();
    }

    fn deadline(&self) -> Option<Deadline> {
        let late = self.late.keys().next().map(|at| Deadline { at: *at, why: Timer::Delivery });
        Deadline::earlier(late, self.honest.deadline())
    }

    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        self.ready.pop_front()
    }
}
