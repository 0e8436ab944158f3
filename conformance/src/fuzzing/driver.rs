//! Carries operations out and says what the server owes: a client without I/O, like the player.
//!
//! It interprets each operation in the state of that moment, sends what comes of it, and notes what is due. Three judges
//! listen: the conversation and the delivery model (the [`Referee`]), the claims on the answers (`ask.rs`), and
//! what events have to hold (`content.rs`). It stops at the first thing that counts. What only information or an
//! ambiguity stands behind is no finding.
//!
//! ```text
//!   source --Op--> carry --> frames and requests, dues
//!                               |
//!   frames, answers, time --> hear --> findings | a due is met | a subscription lives, hears, ends
//!                               |
//!   no operation is left --> rest: losses show --> ping everybody --> a newcomer --> done
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::finding::Finding;
use appsync_protocol::json::Json;
use appsync_protocol::moment::{Deadline, Moment, Timer};
use appsync_protocol::requirement::{Requirement, Severity};
use appsync_protocol::transcript::{Entry, What};
use appsync_protocol::wire::{OwnedFrame, Request, Response, Side};

use super::ask::{Ask, Claim, Errand, Hears, IdState, Posted, Scene, Welcome};
use super::cells::Cell;
use super::declared::{Offer, Spent};
use super::op::{Door, Op, Proof, Topic};
use super::situations::Situation;
use crate::player::{Action, Actor, Limits, Output, Referee};
use crate::scenario::{Answer, Capabilities, Cast, Conn, Greeting};

/// Connections of one dialogue.
pub(super) const CONNECTIONS_MAX: usize = 24;

/// Payload of the ping that tells a silent server from a dead connection.
pub(super) const PROBE: &[u8] = b"syncspec-alive?";

/// Payload of the pings that end a dialogue.
const LAST: &[u8] = b"syncspec-last";

/// Payloads of the pings that no operation asked for.
pub(super) const PROBES: [&[u8]; 2] = [PROBE, LAST];

/// What a remark of the record begins with that names the next operation.
pub const OPERATION: &str = "operation: ";

/// Where operations come from.
pub trait Source {
    /// The next one, in view of what there is to act on. `None` ends the dialogue.
    fn next(&mut self, view: &View) -> Option<Op>;
}

/// What there is to act on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Connections that are open, in the order in which operations count them.
    pub lines: Vec<LineView>,
    /// Operations carried out so far.
    pub carried: usize,
    /// What comes next is sent at once, without waiting for answers.
    pub together: bool,
    /// What the target has beyond the protocol.
    pub offer: Offer,
}

/// One connection, as far as it matters for what may come next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineView {
    /// `connection_init` was sent.
    pub inited: bool,
    /// It is acknowledged.
    pub acked: bool,
    /// Live subscriptions.
    pub live: usize,
    /// Of those, the ones that have heard an event.
    pub settled: usize,
    /// Ids that were used and are not any more.
    pub used: usize,
    /// Something was sent on it after which nothing is certain.
    pub muddled: bool,
    /// Of the live subscriptions, those with an enhanced filter.
    pub sifted: usize,
}

/// Something that counts against the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rule.
    pub requirement: Requirement,
    /// What was expected and what came.
    pub detail: String,
    /// Where the connection stood.
    pub state: String,
    /// The operation that was carried out last.
    pub op: String,
    /// The answer that showed it: its word, a status, or silence.
    pub answer: String,
    /// When it showed.
    pub at: Moment,
}

/// How a dialogue ended.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// The first thing that counts against the server, if anything does.
    pub found: Option<Found>,
    /// Trouble that is not known to be the server's fault.
    pub trouble: Option<String>,
    /// Operations in their order, and whether each had anything to act on.
    pub ops: Vec<(Op, bool)>,
    /// Cells that were covered.
    pub cells: BTreeSet<Cell>,
    /// Situations that were reached.
    pub situations: BTreeSet<Situation>,
    /// Everything that was said, with secrets; empty unless it was asked for.
    pub record: Vec<Entry>,
    /// How long it took.
    pub took: Duration,
}

/// What a dialogue is played with.
#[derive(Clone)]
pub struct Setting {
    /// Names, keys and nonces.
    pub cast: Cast,
    /// How long to wait for what.
    pub limits: Limits,
    /// The longest that an operation may wait on purpose.
    pub pause_max: Duration,
    /// Whether everything that is said is kept.
    pub recorded: bool,
    /// Whether what counts against the server ends the dialogue. Otherwise it is passed over.
    pub judged: bool,
    /// Topics that the target lacks the schema for; a room stands in for them.
    pub without: Vec<Topic>,
    /// Rules that are known to be broken: what the conversation or the delivery model finds of them, or what an answer
    /// lacks that is one, ends nothing, so that a dialogue gets beyond it.
    pub passed_over: BTreeSet<Requirement>,
    /// What the target declares.
    pub capabilities: Capabilities,
}

/// Carries out one dialogue.
pub struct Driver<'s> {
    pub(super) setting: Setting,
    source: &'s mut dyn Source,
    pub(super) referee: Referee,
    pub(super) lines: BTreeMap<Conn, Line>,
    /// What is due for each upgrade that is under way.
    pub(super) greetings: BTreeMap<Conn, (Vec<Greeting>, Requirement, Request)>,
    pub(super) dues: Vec<Due>,
    pub(super) calls: BTreeMap<u32, Calling>,
    pub(super) posted: Vec<Posted>,
    pub(super) owed: Vec<Owed>,
    pub(super) out: VecDeque<Action>,
    pub(super) now: Moment,
    pub(super) until: Option<Moment>,
    pub(super) together: u8,
    pub(super) warm: Option<Warm>,
    pub(super) fill: Option<Conn>,
    pub(super) serial: u32,
    /// Who said something last.
    pub(super) speaker: Option<Conn>,
    /// Something was sent that a server may not survive, or a connection was lost.
    pub(super) hazard: bool,
    pub(super) offer: Offer,
    /// Tokens for one time that were shown.
    pub(super) spent: BTreeMap<Proof, Spent>,
    /// Shelves that were invalidated.
    pub(super) ended_shelves: BTreeSet<String>,
    began_unix_s: u64,
    stage: Stage,
    label: String,
    result: Played,
}

/// What is done when no operation is left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Playing,
    Resting,
    Pinging,
    Knocking,
    Greeting,
    Over,
}

/// One connection.
pub(super) struct Line {
    pub(super) phase: LinePhase,
    pub(super) welcome: Welcome,
    pub(super) inited: bool,
    pub(super) acked: bool,
    /// It was told that it is refused.
    pub(super) refused: bool,
    /// The server may end it at any time, and an error may answer anything.
    pub(super) muddled: bool,
    /// Something was sent for which an error without an id may come, or not.
    pub(super) loose: bool,
    pub(super) aftermath: Requirement,
    pub(super) subs: Vec<Sub>,
    pub(super) ids: BTreeMap<String, IdState>,
    pub(super) publishes: BTreeSet<String>,
    pub(super) opened: Moment,
    /// When the server was last alive of its own accord, for the situations.
    pub(super) beat: Moment,
}

impl Line {
    /// The rule that says how the server is to receive it, while it has not: one that ends before that was not
    /// received so, whatever is done elsewhere.
    pub(super) fn unwelcome(&self) -> Option<Requirement> {
        match &self.welcome {
            Welcome::Acknowledged(rule) => Some(*rule),
            Welcome::Refused(claims) => claims.first().map(|claim| claim.rule),
            Welcome::Nothing => None,
        }
        .filter(|_| !self.inited)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinePhase {
    Opening { until: Moment },
    Open,
    Closing,
    Over,
}

/// One subscription.
pub(super) struct Sub {
    pub(super) id: String,
    pub(super) hears: Hears,
    pub(super) phase: SubPhase,
    pub(super) settled: bool,
    /// Its id had ended before.
    pub(super) again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubPhase {
    Asked,
    Live,
    Leaving,
}

/// An answer that has to come.
pub(super) struct Due {
    pub(super) conn: Conn,
    pub(super) id: Option<String>,
    pub(super) claims: Vec<Claim>,
    pub(super) until: Moment,
    pub(super) probing: bool,
    pub(super) wants: Wants,
    pub(super) aftermath: Requirement,
    /// It is for what is no message: the answer names nothing.
    pub(super) illegible: bool,
    /// An answer that names nothing came, and may have been this one.
    pub(super) excused: bool,
}

/// What kind of answer is due.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// An answer to an operation.
    Answer,
    /// `ka`, a pong, an event, or the end: no other message decides it.
    Itself,
    /// A pong: it is not a ping that tells whether the connection lives.
    Pong,
}

/// An HTTP request without an answer.
pub(super) struct Calling {
    pub(super) request: Request,
    pub(super) claims: Vec<(Vec<Answer>, Requirement)>,
    pub(super) until: Moment,
}

/// An event without a nonce that a subscription has to hear.
pub(super) struct Owed {
    pub(super) conn: Conn,
    pub(super) id: String,
    pub(super) value: Json,
    /// Not before the publish was accepted.
    pub(super) until: Option<Moment>,
    /// The publish that it is of: connection and id, or 0 and the number of the HTTP request.
    pub(super) of: (Conn, String),
    /// The rule that its absence breaks.
    pub(super) rule: Requirement,
}

/// A subscription that is being warmed.
pub(super) struct Warm {
    pub(super) conn: Conn,
    pub(super) id: String,
    pub(super) hears: Hears,
    pub(super) told: BTreeSet<String>,
    pub(super) pause: Duration,
    pub(super) until: Moment,
    pub(super) probing: bool,
}

impl<'s> Driver<'s> {
    /// A client at its first operation.
    pub fn new(setting: Setting, source: &'s mut dyn Source) -> Self {
        let referee = Referee::new(setting.cast.dialect, &setting.cast.prefix, setting.limits);
        let began_unix_s = setting.cast.now_unix_s;
        let mut driver = Self {
            setting,
            source,
            referee,
            lines: BTreeMap::new(),
            greetings: BTreeMap::new(),
            dues: Vec::new(),
            calls: BTreeMap::new(),
            posted: Vec::new(),
            owed: Vec::new(),
            out: VecDeque::new(),
            now: Moment::START,
            until: None,
            together: 0,
            warm: None,
            fill: None,
            serial: 0,
            speaker: None,
            hazard: false,
            offer: Offer::default(),
            spent: BTreeMap::new(),
            ended_shelves: BTreeSet::new(),
            began_unix_s,
            stage: Stage::Playing,
            label: "nothing".into(),
            result: Played::default(),
        };
        driver.offer = driver.offered();
        driver
    }

    /// Signatures are made by the clock of the dialogue.
    pub(super) fn set_clock(&mut self) {
        self.setting.cast.now_unix_s = self.began_unix_s + self.now.as_micros() / 1_000_000;
    }

    /// What became of it.
    pub fn played(mut self) -> Played {
        self.result.took = self.now.since(Moment::START);
        self.result
    }

    pub(super) const fn dialect(&self) -> Dialect {
        self.setting.cast.dialect
    }

    pub(super) fn by_dialect(&self, graphql: Requirement, events: Requirement) -> Requirement {
        match self.dialect() {
            Dialect::Graphql => graphql,
            Dialect::Events => events,
        }
    }

    fn advance(&mut self) {
        while self.stage != Stage::Over && self.out.is_empty() && !self.is_busy() {
            if let Some(conn) = self.fill {
                self.fill_on(conn);
                continue;
            }
            match self.stage {
                Stage::Playing => self.play_on(),
                Stage::Resting => {
                    let conns: Vec<_> = self.open_lines();
                    for conn in conns {
                        self.ping(conn, LAST);
                    }
                    self.stage = Stage::Pinging;
                }
                Stage::Pinging => {
                    self.stage = if self.hazard { Stage::Knocking } else { Stage::Over };
                    if self.hazard && self.lines.len() < CONNECTIONS_MAX + 2 {
                        self.open(Door::Usual);
                        self.label = "newcomer".into();
                    }
                }
                Stage::Knocking => {
                    self.stage = Stage::Greeting;
                    if let Some(conn) = self.lines.keys().next_back().copied() {
                        self.init(conn, super::op::Form::Plain);
                    }
                }
                Stage::Greeting => self.stage = Stage::Over,
                Stage::Over => {}
            }
        }
    }

    fn play_on(&mut self) {
        let Some(op) = self.source.next(&self.view()) else {
            self.stage = Stage::Resting;
            self.together = 0;
            if self.lines.values().any(|line| line.subs.iter().any(|sub| sub.settled)) {
                self.until = Some(self.now + self.setting.limits.step + Duration::from_millis(200));
            }
            return;
        };
        self.together = self.together.saturating_sub(1);
        self.label = op.label();
        self.note(0, || What::Note(format!("{OPERATION}{}", op.label())));
        let carried = self.carry(&op);
        self.result.ops.push((op, carried));
    }

    /// Whether something is awaited before the next operation.
    fn is_busy(&self) -> bool {
        let opening = self.lines.values().any(|line| matches!(line.phase, LinePhase::Opening { .. }));
        if opening || self.until.is_some() || self.warm.is_some() {
            return true;
        }
        self.together == 0 && (!self.dues.is_empty() || !self.calls.is_empty() || self.is_owed())
    }

    fn is_owed(&self) -> bool {
        self.owed.iter().any(|owed| owed.until.is_some())
    }

    /// What there is to act on.
    pub(super) fn view(&self) -> View {
        let open = self.lines.values().filter(|line| line.phase == LinePhase::Open);
        let lines = open.map(|line| {
            let live = line.subs.iter().filter(|sub| sub.phase == SubPhase::Live);
            LineView {
                inited: line.inited,
                acked: line.acked,
                live: live.clone().count(),
                settled: live.clone().filter(|sub| sub.settled).count(),
                sifted: live.filter(|sub| sub.hears.filter.is_some()).count(),
                used: line.ids.len().saturating_sub(line.subs.len()),
                muddled: line.muddled || line.refused,
            }
        });
        View {
            lines: lines.collect(),
            carried: self.result.ops.len(),
            together: self.together > 0,
            offer: self.offer.clone(),
        }
    }

    pub(super) fn open_lines(&self) -> Vec<Conn> {
        self.lines.iter().filter(|(_, line)| line.phase == LinePhase::Open).map(|(conn, _)| *conn).collect()
    }

    pub(super) fn scene(&self, conn: Conn) -> Scene<'_> {
        let line = self.lines.get(&conn);
        let under_way = |line: &Line| line.subs.iter().filter(|sub| sub.phase != SubPhase::Live).count();
        let unclear = |line: &Line| line.ids.values().filter(|state| **state == IdState::Unclear).count();
        Scene {
            cast: &self.setting.cast,
            acked: line.is_some_and(|line| line.acked),
            live: line.map_or(0, |line| line.subs.iter().filter(|sub| sub.phase == SubPhase::Live).count()),
            unclear: line.map_or(0, |line| under_way(line) + unclear(line)),
            serial: self.serial,
        }
    }

    pub(super) fn step(&self) -> Moment {
        self.now + self.setting.limits.step
    }

    pub(super) fn transmit(&mut self, conn: Conn, frame: OwnedFrame) {
        self.note(u32::from(conn), || What::Frame { from: Side::Client, frame: frame.clone() });
        let findings = self.referee.said(self.now, conn, &frame);
        self.speaker = Some(conn);
        self.blame_all(findings, "nothing");
        self.out.push_back(Action::Transmit(conn, frame));
    }

    /// Sends what was asked and notes what is due.
    pub(super) fn ask(&mut self, conn: Conn, mut ask: Ask) {
        let until = self.step() + ask.patience;
        if self.is_entangled(conn, &ask) {
            ask.claims.clear();
        }
        if ask.muddles {
            // What comes afterwards is not looked into, so that nothing can be missed either.
            self.owed.retain(|owed| owed.conn != conn);
        }
        if let Some(line) = self.lines.get_mut(&conn) {
            line.loose |= ask.claims.is_empty();
            line.muddled |= ask.muddles;
            self.hazard |= ask.muddles;
            if ask.claims.is_empty() {
                line.aftermath = ask.aftermath;
            }
        }
        let due = (!ask.claims.is_empty()).then_some(Due {
            conn,
            id: ask.id,
            claims: ask.claims,
            until,
            probing: false,
            wants: Wants::Answer,
            aftermath: ask.aftermath,
            illegible: ask.muddles,
            excused: false,
        });
        self.dues.extend(due);
        self.transmit(conn, ask.frame);
    }

    /// Whether nobody can say what will answer this: something under the same id is under way, or this or what is under
    /// way cannot be read. Answers may come late and in any order (EVT-A-29, GQL-A-24), so what is due for the other is
    /// not known any more either.
    fn is_entangled(&mut self, conn: Conn, ask: &Ask) -> bool {
        let (mut same, mut waiting) = (false, false);
        for due in self.dues.iter().filter(|due| due.conn == conn && due.wants == Wants::Answer) {
            same |= ask.id.is_some() && due.id == ask.id;
            waiting = true;
        }
        let before = self.dues.len();
        let unknown = |due: &Due| due.illegible || (due.id.is_some() && due.id == ask.id);
        self.dues.retain(|due| due.conn != conn || due.wants != Wants::Answer || !unknown(due));
        if let Some(line) = self.lines.get_mut(&conn).filter(|_| self.dues.len() < before) {
            line.loose = true;
            if same {
                line.ids.extend(ask.id.iter().map(|id| (id.clone(), IdState::Unclear)));
            }
        }
        same || (ask.muddles && waiting)
    }

    pub(super) fn due(&mut self, conn: Conn, claim: Claim, wants: Wants, within: Duration) {
        let aftermath = self.lines.get(&conn).map_or(claim.rule, |line| line.aftermath);
        let until = self.now + within;
        let (probing, illegible, excused) = (false, false, false);
        self.dues.push(Due {
            conn,
            id: None,
            claims: vec![claim],
            until,
            probing,
            wants,
            aftermath,
            illegible,
            excused,
        });
    }

    pub(super) fn call(&mut self, errand: Errand, owes: Vec<Owed>) {
        let number = self.serial * 16 + u32::try_from(self.calls.len()).unwrap_or_default() + 1;
        let Errand { request, claims } = errand;
        let until = self.step() + self.setting.limits.step;
        self.referee.called(self.now, number, &request);
        // The event may overtake the answer.
        self.owed.extend(owes.into_iter().map(|owed| Owed { of: (0, number.to_string()), ..owed }));
        self.calls.insert(number, Calling { request: request.clone(), claims, until });
        self.out.push_back(Action::Call(number, request));
    }

    pub(super) fn note(&mut self, connection: u32, what: impl FnOnce() -> What) {
        if self.setting.recorded {
            self.result.record.push(Entry { at: self.now, connection, what: what() });
        }
    }

    pub(super) fn reach(&mut self, situation: Situation) {
        self.result.situations.insert(situation);
    }

    /// Counts what the conversation and the delivery model found.
    pub(super) fn blame_all(&mut self, findings: Vec<Finding>, answer: &str) {
        for finding in findings {
            if !self.setting.passed_over.contains(&finding.requirement) {
                self.blame(finding.requirement, finding.detail, answer);
            }
        }
    }

    /// Counts one thing against the server, if it counts at all, and ends the dialogue.
    pub(super) fn blame(&mut self, requirement: Requirement, detail: impl Into<String>, answer: &str) {
        if !self.setting.judged || requirement.severity() == Severity::Info || self.stage == Stage::Over {
            return;
        }
        let state = self.state_of(self.speaker);
        let (op, at) = (self.label.clone(), self.now);
        self.result.found = Some(Found { requirement, detail: detail.into(), state, op, answer: answer.into(), at });
        self.end();
    }

    pub(super) fn trouble(&mut self, why: impl Into<String>) {
        if self.stage != Stage::Over {
            self.result.trouble = Some(why.into());
            self.end();
        }
    }

    fn end(&mut self) {
        self.stage = Stage::Over;
        self.out.clear();
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Where a connection stands, in a word: part of a cell and of a bucket.
    pub(super) fn state_of(&self, conn: Option<Conn>) -> String {
        let Some(line) = conn.and_then(|conn| self.lines.get(&conn)) else { return "none".into() };
        let phase = match (line.phase, line.acked, line.inited) {
            (LinePhase::Opening { .. }, ..) => "opening",
            (LinePhase::Closing | LinePhase::Over, ..) => "over",
            (LinePhase::Open, true, _) => "open",
            (LinePhase::Open, false, true) => "greeting",
            (LinePhase::Open, false, false) => "fresh",
        };
        let live = line.subs.iter().filter(|sub| sub.phase == SubPhase::Live).count();
        let subs = match live {
            0 => "",
            1 => " +1",
            2..=99 => " +n",
            _ => " full",
        };
        let muddled = if line.muddled { " muddled" } else { "" };
        format!("{phase}{subs}{muddled}")
    }

    /// Notes that this answer came in this state to the last operation.
    pub(super) fn cover(&mut self, conn: Option<Conn>, answer: &str) {
        let state = self.state_of(conn);
        self.result.cells.insert(Cell { state, op: self.label.clone(), answer: answer.into() });
    }

    fn deadline(&self) -> Option<Deadline> {
        let dues = self.dues.iter().map(|due| due.until);
        let calls = self.calls.values().map(|calling| calling.until);
        let owed = self.owed.iter().filter_map(|owed| owed.until);
        let opening = self.lines.values().filter_map(|line| match line.phase {
            LinePhase::Opening { until } => Some(until),
            LinePhase::Open | LinePhase::Closing | LinePhase::Over => None,
        });
        let warm = self.warm.as_ref().map(|warm| warm.until);
        let own = dues.chain(calls).chain(owed).chain(opening).chain(warm).chain(self.until).min();
        let own = own.map(|at| Deadline { at, why: Timer::Answer });
        Deadline::earlier(own, self.referee.deadline())
    }
}

impl Actor for Driver<'_> {
    fn poll(&mut self) -> Output {
        self.advance();
        match self.out.pop_front() {
            Some(action) => Output::Do(action),
            None if self.is_over() => Output::Done,
            None => Output::Idle(self.deadline()),
        }
    }

    fn upgraded(&mut self, at: Moment, conn: Conn, answer: Result<Response, String>) {
        self.now = self.now.max(at);
        self.on_upgraded(conn, answer);
    }

    fn unproven(&mut self, at: Moment, conn: Conn, why: String) {
        self.now = self.now.max(at);
        match self.dialect() {
            Dialect::Events => self.blame(Requirement::EvtHandshake019, why, "101"),
            Dialect::Graphql => self.on_upgraded(conn, Err(why)),
        }
    }

    fn frame(&mut self, at: Moment, conn: Conn, frame: OwnedFrame) {
        self.now = self.now.max(at);
        if !self.is_over() {
            self.on_frame(conn, &frame);
        }
    }

    fn answered(&mut self, at: Moment, call: u32, answer: Result<Response, String>) {
        self.now = self.now.max(at);
        if !self.is_over() {
            self.on_answered(call, answer);
        }
    }

    fn elapse(&mut self, at: Moment) {
        self.now = self.now.max(at);
        let findings = self.referee.elapse(self.now);
        self.blame_all(findings, "silence");
        if !self.is_over() {
            self.on_time();
        }
    }

    fn abandon(&mut self, at: Moment, why: String) {
        self.now = self.now.max(at);
        self.trouble(why);
    }
}
