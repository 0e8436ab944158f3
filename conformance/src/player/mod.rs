//! Runs one scenario: steps in, actions out, time and answers in, an outcome at the end. Sans-IO.
//!
//! The same player runs in virtual time and over sockets; whoever drives it opens connections, sends what
//! it says and tells it what comes. It waits for nothing without a limit, and trouble that is not the
//! peer's never becomes a failure: it ends as [`Ending::Trouble`].
//!
//! ```text
//!   advance: step after step until one has to wait --> Idle(deadline)
//!   handle:  upgraded | frame | answered | time  --> decides the waiting step, then advance
//! ```

mod actor;
mod delivery;
mod inbox;
mod listener;
mod operation;
mod outcome;
mod record;
mod referee;
mod wait;
mod watch;

pub use actor::Actor;
pub use listener::Listener;
pub use outcome::{Ending, Observation, Outcome, Unmet};
pub use record::{Entry, Event, presented};
pub use referee::{Hearing, Referee};

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use appsync_protocol::conversation::{Conversation, Heard};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::finding::Finding;
use appsync_protocol::moment::{Deadline, Moment, Timer};
use appsync_protocol::requirement::Requirement;
use appsync_protocol::transcript::Redactor;
use appsync_protocol::wire::{OwnedFrame, Request, Response, Side};

use crate::catalogue::probes::asked_by;
use crate::scenario::{BYSTANDER, Cast, Conn, Firing, Need, Publication, Scenario, Step, Then, cut, cut_hidden};
use delivery::{Deliveries, Forbidden, Wrong};
use inbox::Inbox;
use wait::Waiting;
use watch::Watch;

/// How long the player waits for what.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For one answer.
    pub step: Duration,
    /// For the whole scenario.
    pub scenario: Duration,
    /// For the next keep-alive; `None` waits as long as the target advertises.
    pub keep_alive: Option<Duration>,
    /// Quiet window after a marker: max(100 ms, 3 times the slowest delivery of the run).
    pub quiet: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            step: Duration::from_secs(5),
            scenario: Duration::from_secs(60),
            keep_alive: Some(Duration::from_secs(70)),
            quiet: Duration::from_millis(100),
        }
    }
}

/// What the driver has to do.
#[derive(Debug)]
pub enum Action {
    /// Connect and upgrade; tell the answer with [`Player::upgraded`].
    Open(Conn, Request),
    /// Send a frame.
    Transmit(Conn, OwnedFrame),
    /// Write bytes below the WebSocket layer.
    Raw(Conn, Vec<u8>),
    /// Make an HTTP request; tell the answer with [`Player::answered`].
    Call(u32, Request),
    /// Use the declared trigger; tell with [`Player::answered`], a command that succeeds by status 200.
    Fire(u32, Firing),
}

/// What comes out of the player.
#[derive(Debug)]
pub enum Output {
    /// Something to do.
    Do(Action),
    /// Nothing to do until the deadline, or until something comes.
    Idle(Option<Deadline>),
    /// The scenario is over.
    Done,
}

/// Runs one scenario.
pub struct Player<'s> {
    scenario: &'s Scenario,
    cast: Cast,
    steps: VecDeque<Step>,
    limits: Limits,
    started: Moment,
    now: Moment,
    lines: BTreeMap<Conn, Line>,
    deliveries: Deliveries,
    waiting: Waiting,
    calls: u32,
    out: VecDeque<Action>,
    record: Vec<Entry>,
    evidence: Vec<String>,
    observations: Vec<Observation>,
    findings: Vec<Finding>,
    losses: Vec<Finding>,
    measures: Vec<(&'static str, u64)>,
    latencies: Vec<Duration>,
    published: Option<Moment>,
    /// Trouble that the bystander's answer will tell from a dead target.
    doubt: Option<String>,
    ending: Option<Ending>,
}

/// One connection of the scenario.
pub(crate) struct Line {
    conversation: Conversation,
    inbox: Inbox,
    over: bool,
    watch: Watch,
    /// The scenario has sent what is no message. A server may have made something of it, so an answer that
    /// nothing legible asked for is no finding any more.
    murky: bool,
}

/// Rules about answers that nothing asked for.
const UNASKED: [Requirement; 10] = [
    Requirement::GqlInit013,
    Requirement::EvtInit005,
    Requirement::GqlSub006,
    Requirement::GqlSub024,
    Requirement::GqlErr002,
    Requirement::EvtSub007,
    Requirement::EvtSub016,
    Requirement::EvtErr005,
    Requirement::EvtPub007,
    Requirement::EvtData001,
];

impl<'s> Player<'s> {
    /// A player at the first step.
    pub fn new(scenario: &'s Scenario, cast: Cast, limits: Limits, at: Moment) -> Self {
        let steps = (scenario.steps)(&cast).into();
        let mut deliveries = Deliveries::new(scenario.dialect, &cast.prefix);
        // What handlers and filters make of an event cannot be told from the request.
        if scenario.needs.iter().any(|need| matches!(need, Need::Capability(_))) {
            deliveries.tell_no_events();
        }
        Self {
            scenario,
            cast,
            deliveries,
            steps,
            limits,
            started: at,
            now: at,
            lines: BTreeMap::new(),
            waiting: Waiting::Nothing,
            calls: 0,
            out: VecDeque::new(),
            record: Vec::new(),
            evidence: Vec::new(),
            observations: Vec::new(),
            findings: Vec::new(),
            losses: Vec::new(),
            measures: Vec::new(),
            latencies: Vec::new(),
            published: None,
            doubt: None,
            ending: None,
        }
    }

    /// The next thing to do. Call until it is [`Output::Idle`] or [`Output::Done`].
    pub fn poll(&mut self) -> Output {
        self.advance();
        match self.out.pop_front() {
            Some(action) => Output::Do(action),
            None if self.ending.is_some() => Output::Done,
            None => Output::Idle(self.deadline()),
        }
    }

    /// The answer to an upgrade, or why there is none.
    pub fn upgraded(&mut self, at: Moment, conn: Conn, answer: Result<Response, String>) {
        self.now = self.now.max(at);
        let Waiting::Upgrade { conn: waiting, any_of, rule, .. } = &self.waiting else { return };
        if *waiting != conn {
            return;
        }
        let (any_of, rule) = (any_of.clone(), *rule);
        self.waiting = Waiting::Nothing;
        let response = match answer {
            Ok(response) => response,
            Err(trouble) => {
                self.note(conn, Event::Failed { what: trouble.clone() });
                if self.scenario.hazard && conn != BYSTANDER && self.lines.contains_key(&BYSTANDER) {
                    return self.ask_the_bystander(trouble);
                }
                return self.end(Ending::Trouble(trouble));
            }
        };
        self.note(conn, Event::Upgraded { response: response.clone() });
        if response.is_upgrade() {
            let conversation = Conversation::new(self.scenario.dialect).with_slack(Duration::from_secs(5));
            self.lines.insert(
                conn,
                Line {
                    conversation,
                    inbox: Inbox::new(self.cast.own.is_some()),
                    over: false,
                    watch: Watch::default(),
                    murky: false,
                },
            );
        }
        match any_of.iter().find(|greeting| greeting.fits(&response)) {
            Some(greeting) => {
                self.read(greeting.reading);
                self.evidence.push(format!("#{conn} {greeting}"));
                self.then(greeting.then);
            }
            None => {
                let expected = any_of.iter().map(ToString::to_string).collect();
                let selected = response.subprotocol().unwrap_or("no subprotocol");
                let got = format!("status {} with {selected}", response.status);
                self.unmet(rule, expected, got);
            }
        }
    }

    /// The connection ended before there was an answer to the upgrade.
    pub fn hung_up(&mut self, at: Moment, conn: Conn, why: String) {
        match &self.waiting {
            Waiting::Upgrade { conn: waiting, any_of, rule, .. } if *waiting == conn && !self.scenario.hazard => {
                let (expected, rule) = (any_of.iter().map(ToString::to_string).collect(), *rule);
                self.now = self.now.max(at);
                self.note(conn, Event::Failed { what: why.clone() });
                self.end(Ending::Unmet(Unmet { rule, expected, got: why, entry: None, silent: true }));
            }
            Waiting::Nothing
            | Waiting::Upgrade { .. }
            | Waiting::Message { .. }
            | Waiting::Call { .. }
            | Waiting::Warm { .. }
            | Waiting::Quiet { .. } => self.upgraded(at, conn, Err(why)),
        }
    }

    /// The answer to an upgrade is a 101 that does not prove that it belongs to the key of the request.
    pub fn unproven(&mut self, at: Moment, conn: Conn, why: String) {
        match (self.scenario.dialect, &self.waiting) {
            (Dialect::Events, Waiting::Upgrade { conn: waiting, .. }) if *waiting == conn => {
                self.now = self.now.max(at);
                self.note(conn, Event::Failed { what: why.clone() });
                self.unmet(Requirement::EvtHandshake019, vec!["101 with the accept value of the key".into()], why);
            }
            (Dialect::Graphql | Dialect::Events, _) => self.upgraded(at, conn, Err(why)),
        }
    }

    /// One frame from the peer, the end of the connection included.
    pub fn frame(&mut self, at: Moment, conn: Conn, frame: OwnedFrame) {
        self.now = self.now.max(at);
        if self.ending.is_some() {
            return;
        }
        let entry = self.record.len();
        self.note(conn, Event::Frame { from: Side::Server, frame: frame.clone() });
        let Some(line) = self.lines.get_mut(&conn) else { return };
        let seen = line.conversation.observe(self.now, Side::Server, frame.borrow());
        let (murky, blamed) = (line.murky, !seen.findings.is_empty());
        self.measures.extend(line.watch.hear(self.now, &seen.heard, &frame));
        self.findings.extend(seen.findings.into_iter().filter(|f| !(murky && UNASKED.contains(&f.requirement))));
        self.findings.extend(self.deliveries.heard(self.now, conn, &seen.heard));
        line.over |= matches!(frame, OwnedFrame::Close { .. } | OwnedFrame::Lost);
        if let Some(event) = line.inbox.take(&self.cast.prefix, entry, frame) {
            self.judge_delivery(conn, &event, blamed);
        }
        self.losses.extend(self.deliveries.spoke(self.now, conn, self.limits.step));
        self.decide();
    }

    /// The answer to an HTTP request, or why there is none.
    pub fn answered(&mut self, at: Moment, call: u32, answer: Result<Response, String>) {
        self.now = self.now.max(at);
        if let Ok(response) = &answer {
            self.findings.extend(self.deliveries.answered(self.now, call, response));
            self.note(0, Event::Answer { call, response: response.clone() });
        }
        let Waiting::Call { call: waiting, any_of, rule, .. } = &self.waiting else { return };
        if *waiting != call {
            return;
        }
        let (any_of, rule) = (any_of.clone(), *rule);
        self.waiting = Waiting::Nothing;
        let response = match answer {
            Ok(response) => response,
            Err(trouble) => return self.end(Ending::Trouble(trouble)),
        };
        if any_of.is_empty() && !(200..300).contains(&response.status) {
            // The declared trigger is the user's, and not a part of what is judged.
            return self.end(Ending::Trouble(format!("the declared trigger answers with status {}", response.status)));
        }
        match any_of.iter().find(|answer| answer.fits(&response)) {
            None if any_of.is_empty() => self.evidence.push("the declared trigger was used".into()),
            Some(answer) => {
                self.read(answer.reading);
                self.evidence.push(format!("HTTP {}", cut(&answer.to_string(), 100)));
                self.then(answer.then);
            }
            None => {
                let expected = any_of.iter().map(ToString::to_string).collect();
                let names = any_of.iter().flat_map(|answer| &answer.fields).map(|(name, _)| *name);
                let fields: String = names
                    .map(|name| format!(" {name}={:?}", response.headers.first(name).unwrap_or_default()))
                    .collect();
                let body = cut_hidden(&response.body.text(), 200, &self.secrets());
                let got = format!("status {}{fields} {body}", response.status);
                self.unmet(rule, expected, got);
            }
        }
    }

    /// Time passed.
    pub fn elapse(&mut self, at: Moment) {
        self.now = self.now.max(at);
        for line in self.lines.values_mut().filter(|line| !line.over) {
            self.findings.extend(line.conversation.elapse(self.now));
        }
        if self.ending.is_none() {
            self.time_is_up();
        }
    }

    /// What became of it. `None` while it runs.
    pub fn outcome(self) -> Option<Outcome> {
        self.finish().map(|(outcome, _)| outcome)
    }

    /// What became of it, and who can go on listening on its connections. `None` while it runs.
    pub fn finish(self) -> Option<(Outcome, Listener)> {
        let listener = Listener::new(self.deliveries, self.lines, self.cast.prefix, self.limits.quiet);
        // What an open question provokes is held against nobody.
        let counts = !self.scenario.is_probe();
        let outcome = Outcome {
            ending: self.ending?,
            findings: if counts { self.findings } else { Vec::new() },
            losses: if counts { self.losses } else { Vec::new() },
            evidence: self.evidence,
            observations: self.observations,
            measures: self.measures,
            record: self.record,
            deliveries: self.latencies,
            took: self.now.since(self.started),
        };
        Some((outcome, listener))
    }

    /// Ends it from outside: the run is over or the driver is in trouble.
    pub fn abandon(&mut self, at: Moment, why: impl Into<String>) {
        self.now = self.now.max(at);
        self.end(Ending::Trouble(why.into()));
    }

    fn advance(&mut self) {
        while self.ending.is_none() && matches!(self.waiting, Waiting::Nothing) {
            match self.steps.pop_front() {
                Some(step) => self.start(step),
                None => self.end(Ending::Met),
            }
        }
    }

    fn start(&mut self, step: Step) {
        let until = self.now + self.limits.step;
        match step {
            Step::Open { conn, request, any_of, rule } => {
                self.note(conn, Event::Upgrade { request: request.clone() });
                self.out.push_back(Action::Open(conn, request));
                self.waiting = Waiting::Upgrade { conn, any_of, rule, until: until + self.limits.step };
            }
            Step::Send { conn, frame } => self.send(conn, frame),
            Step::Raw { conn, bytes, what } => {
                self.note(conn, Event::Bytes { what });
                self.out.push_back(Action::Raw(conn, bytes));
            }
            Step::Expect { conn, any_of, rule, within } => self.expect(conn, any_of, rule, within),
            Step::Call { request, any_of, rule } => {
                let call = self.call(request);
                self.waiting = Waiting::Call { call, any_of, rule, until: until + self.limits.step };
            }
            Step::Fire { firing, rule } => {
                let call = self.fire(firing);
                self.waiting = Waiting::Call { call, any_of: Vec::new(), rule, until: until + self.limits.step };
            }
            Step::Warm { conn, id, attempts, rule } => self.warm(conn, id, attempts.into(), rule),
            Step::Forbid { conn, id, nonce, rule } => {
                self.deliveries.forbid(Forbidden { conn, id, nonce, rule });
            }
            Step::Quiet { .. } => self.waiting = Waiting::Quiet { until: self.now + self.limits.quiet },
            Step::Hangup { conn, code: Some(code) } => {
                self.send(conn, OwnedFrame::Close { code: Some(code), reason: String::new() });
            }
            Step::Hangup { conn, code: None } => {
                if let Some(line) = self.lines.get_mut(&conn) {
                    line.over = true;
                }
                self.send(conn, OwnedFrame::Lost);
            }
        }
    }

    pub(crate) fn publish(&mut self, publication: Publication) {
        match publication {
            Publication::Http(request) => {
                self.call(request);
            }
            Publication::Frame(conn, frame) => self.send(conn, frame),
            Publication::Fire(firing) => {
                self.fire(firing);
            }
        }
    }

    fn fire(&mut self, firing: Firing) -> u32 {
        self.calls += 1;
        self.published = Some(self.now);
        self.note(0, Event::Bytes { what: "the declared trigger" });
        self.out.push_back(Action::Fire(self.calls, firing));
        self.calls
    }

    fn call(&mut self, request: Request) -> u32 {
        self.calls += 1;
        self.published = Some(self.now);
        self.deliveries.called(self.now, self.calls, &request);
        self.note(0, Event::Call { call: self.calls, request: request.clone() });
        self.out.push_back(Action::Call(self.calls, request));
        self.calls
    }

    pub(crate) fn send(&mut self, conn: Conn, frame: OwnedFrame) {
        self.note(conn, Event::Frame { from: Side::Client, frame: frame.clone() });
        if let Some(line) = self.lines.get_mut(&conn) {
            // What the scenario does wrong on purpose is no finding against the peer.
            let seen = line.conversation.observe(self.now, Side::Client, frame.borrow());
            self.findings.extend(seen.findings.into_iter().filter(|f| f.by == Side::Server));
            line.murky |= match &seen.heard {
                Heard::Unreadable(_) | Heard::Binary => true,
                Heard::Message(_) | Heard::Control | Heard::Closed | Heard::Lost => false,
            };
            self.deliveries.said(self.now, conn, &seen.heard);
            line.watch.say(self.now, &frame);
            line.inbox.sent(&self.cast.prefix, &frame, &seen.heard);
        }
        self.published = Some(self.now);
        self.out.push_back(Action::Transmit(conn, frame));
    }

    fn judge_delivery(&mut self, conn: Conn, event: &inbox::HeardEvent, blamed: bool) {
        // What others publish says nothing of how long the last thing took that was sent here.
        let is_own = event.nonces.iter().any(|nonce| nonce.starts_with(&self.cast.prefix));
        if let Some(published) = self.published.filter(|_| is_own) {
            self.latencies.push(self.now.since(published));
        }
        match self.deliveries.arrived(self.now, conn, event, blamed, self.limits.quiet) {
            Some(Wrong::Forbidden { rule, expected, got }) => self.unmet(rule, vec![expected], got),
            Some(Wrong::Found(finding)) => self.findings.push(finding),
            None => {}
        }
    }

    /// What must not stand in anything that is shown. Needed by failures only.
    fn secrets(&self) -> Redactor {
        let mut redactor = self.cast.keyring.redactor(&self.cast.api_key);
        for text in presented(&self.record) {
            redactor.add("authorization", &text);
        }
        redactor
    }

    fn read(&mut self, reading: Option<(&'static str, &'static str)>) {
        if let Some((ambiguity, text)) = reading {
            self.observations.push(Observation { name: ambiguity.into(), value: text.into() });
        }
    }

    fn then(&mut self, then: Then) {
        match then {
            Then::GoOn => {}
            Then::End => self.end(Ending::Met),
        }
    }

    fn unmet(&mut self, rule: Requirement, expected: Vec<String>, got: String) {
        let entry = self.record.len().checked_sub(1);
        self.end(Ending::Unmet(Unmet { rule, expected, got, entry, silent: false }));
    }

    fn end(&mut self, ending: Ending) {
        if let (Ending::Unmet(unmet), Some(question)) = (&ending, asked_by(self.scenario.dialect, self.scenario.id)) {
            // An answer that nobody thought of is a reading too.
            self.observations.push(Observation { name: question, value: format!("something else: {}", unmet.got) });
        }
        if self.ending.is_none() {
            self.ending = Some(ending);
            self.waiting = Waiting::Nothing;
        }
    }

    fn note(&mut self, conn: Conn, event: Event) {
        self.record.push(Entry { at: self.now, conn, event });
    }

    fn deadline(&self) -> Option<Deadline> {
        let end = Deadline { at: self.started + self.limits.scenario, why: Timer::Lifetime };
        let own = self.waiting.until().map(|at| Deadline { at, why: Timer::Answer });
        let silence = self.lines.values().filter(|l| !l.over).filter_map(|l| l.conversation.deadline()).min();
        Deadline::earlier(Deadline::earlier(Some(end), own), silence)
    }
}
