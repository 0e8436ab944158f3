//! Runs the catalogue against a target over sockets, and says what it found.
//!
//! ```text
//!   preflight --> controls --> harmless scenarios, concurrently --> hazards, one at a time --> Run
//!      |             |                                                |
//!   exit 3        the rest is blocked                        the target is brought back or the rest is blocked
//! ```
//!
//! Where a target can be brought back, its hazards are first tried several at a time: if it survives all of them with
//! every expectation met, that is what there is to say. Otherwise nobody knows which of them it was, and nothing of
//! this try counts: each is played alone.
//!
//! Every wait is bounded: connect, step, scenario and run limits, one inside the other. Trouble of ours or of
//! the network is *inconclusive*, never *fail*, and never ends the run.

mod budget;
mod cases;
mod conflicts;
mod cost;
mod draw;
mod drive;
pub(crate) mod fire;
#[cfg(feature = "endpoint")]
pub mod fuzz;
mod linger;
mod preflight;
mod restart;

pub use budget::{Budget, POLITE_RATE};
pub use conflicts::PREFIX as CONFLICT_PREFIX;
pub use cost::Cost;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Scheme, Url};
use appsync_protocol::server::Mode;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::auth::Keyring;
use crate::auth::sign::Secret;
use crate::catalogue::scenarios;
use crate::link::Dialer;
use crate::player::{Ending, Limits, Outcome};
use crate::profile::Fact;
use crate::report::baseline::Comparison;
use crate::report::exit::ExitFacts;
use crate::report::{Case, Run, Target};
use crate::scenario::{Capabilities, Cast, Need, Own, Scenario, Tier};
use crate::verdict::Verdict;
use cases::Ledger;
use drive::{Driver, Lingering};
use linger::Lingerers;
use restart::Keeper;

/// What makes the built-in scenarios fit a GraphQL API.
pub(crate) const SCHEMA_HINT: &str = "the API lacks the schema of the built-in scenarios, or these credentials may not \
     subscribe to it: declare a subscription of its own and a trigger in syncspec.toml (syncspec init writes one)";

/// One endpoint to judge.
#[derive(Clone)]
pub struct Endpoint {
    /// Which protocol it speaks.
    pub dialect: Dialect,
    /// URL of the HTTP endpoint.
    pub http: Url,
    /// URL of the real-time endpoint.
    pub realtime: Url,
    /// Host that stands in authorization objects.
    pub auth_host: String,
    /// API key; empty if there is none.
    pub api_key: String,
    /// Credentials of other modes, and which mode is used where nothing else is asked for.
    pub keyring: Keyring,
    /// A mode, and a subscription that its credentials may not start (GraphQL).
    pub denied: Option<(Mode, String)>,
    /// Channel namespaces; never empty.
    pub namespaces: Vec<String>,
    /// What channels below a namespace begin with.
    pub channel_prefix: String,
    /// A subscription of its own schema, and what triggers it (GraphQL).
    pub own: Option<Arc<Own>>,
    /// What a probe could see, and is declared or denied.
    pub declared: BTreeMap<Fact, bool>,
    /// What a probe has seen of it before.
    pub probed: BTreeMap<Fact, bool>,
    /// Set-up that is declared.
    pub capabilities: Capabilities,
}

impl Endpoint {
    /// The credentials for this mode, if there are any.
    pub fn secret(&self, mode: Mode) -> Option<Secret> {
        self.keyring.secret(mode, &self.api_key)
    }

    /// Names and credentials for one dialogue with it.
    pub(crate) fn cast(&self, prefix: &str, upgrade_key: &str) -> Cast {
        Cast {
            dialect: self.dialect,
            prefix: prefix.into(),
            api_key: self.api_key.clone(),
            keyring: self.keyring.clone(),
            now_unix_s: now_unix_s(),
            denied: self.denied.clone(),
            auth_host: self.auth_host.clone(),
            http_path: self.http.path.clone(),
            realtime: self.realtime.clone(),
            namespaces: self.namespaces.clone(),
            channel_prefix: self.channel_prefix.clone(),
            own: self.own.clone(),
            upgrade_key: upgrade_key.into(),
        }
    }

    /// The credentials that are used where nothing else is asked for.
    pub(crate) fn main_secret(&self) -> Secret {
        self.secret(self.keyring.main).unwrap_or_else(|| Secret::ApiKey(self.api_key.clone()))
    }
}

/// Seconds since 1970.
pub(crate) fn now_unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl std::fmt::Debug for Endpoint {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("dialect", &self.dialect)
            .field("http", &self.http)
            .field("realtime", &self.realtime)
            .finish_non_exhaustive()
    }
}

/// What to run and how.
#[derive(Clone)]
pub struct Options {
    /// What to judge, at most one endpoint a dialect.
    pub endpoints: Vec<Endpoint>,
    /// Whether it is our own reference endpoint.
    pub embedded: bool,
    /// Whether it takes connections again after whatever a hazard did to it: then hazards are tried together first.
    pub comes_back: bool,
    /// Substrings of identifiers, or `=` and a whole one; empty means every scenario.
    pub filters: Vec<String>,
    /// Scenarios up to this tier.
    pub tier: Tier,
    /// Whether scenarios may create hundreds of subscriptions or send megabytes.
    pub limits: bool,
    /// Scenarios at the same time.
    pub jobs: usize,
    /// Seed of nonces.
    pub seed: u64,
    /// Limit of one step.
    pub step_timeout: Duration,
    /// Limit of one scenario.
    pub case_timeout: Duration,
    /// Limit of the whole run.
    pub run_timeout: Duration,
    /// Most connections to open.
    pub max_connections: u64,
    /// Most messages to send.
    pub max_messages: u64,
    /// Most publishes a second on one connection; none is no limit.
    pub rate: Option<u32>,
    /// Command that brings the target back and prints a `READY` line.
    pub restart_cmd: Option<String>,
    /// How long to wait for the target to come back.
    pub restart_wait: Duration,
    /// Names a case in which to panic: tests that a defect of the suite is told apart.
    pub panic_in: Option<String>,
}

/// What happens while it runs.
#[derive(Clone, Debug)]
pub enum Progress {
    /// So many cases will be run.
    Planned(usize),
    /// Something a person would want to know.
    Note(String),
    /// One case is over.
    Case(Box<Case>),
}

/// Why nothing was judged, or what went wrong with the suite itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The target cannot be reached or refuses the credentials: no statement.
    Unreachable(String),
    /// A defect of the suite.
    Harness(String),
}

/// A finished run, the exit code aside.
pub struct Finished {
    /// What was found.
    pub run: Run,
    /// Why it is not whole, where it is not.
    pub stop: Option<Stop>,
}

impl Finished {
    /// What the exit code depends on, as far as the run and its baseline tell.
    pub fn facts<'c>(&self, baseline: Option<&'c Comparison>) -> ExitFacts<'c> {
        let count = |verdict| self.run.cases.iter().filter(|case| case.verdict == verdict).count();
        // What is blocked has no verdict either, unless it rests on something that the baseline lists.
        let accepted = |case: &Case| {
            baseline.is_some_and(|b| b.matched.iter().any(|m| m.id == case.id || case.reason.contains(&m.id)))
        };
        let blocked = self.run.cases.iter().filter(|case| case.verdict == Verdict::Blocked && !accepted(case)).count();
        let (unreachable, harness_error) = match &self.stop {
            Some(Stop::Unreachable(why)) => (Some(why.clone()), None),
            Some(Stop::Harness(why)) => (None, Some(why.clone())),
            None => (None, None),
        };
        ExitFacts {
            interrupted: self.run.interrupted,
            harness_error,
            unreachable,
            failures: count(Verdict::Fail),
            warnings: count(Verdict::Warn),
            baseline,
            inconclusive: count(Verdict::Inconclusive) + blocked,
            executed: self.run.cases.iter().filter(|case| case.attempts > 0).count(),
            min_cases: 1,
            ..ExitFacts::default()
        }
    }
}

/// Runs everything. Ends early, with what there is, when `interrupt` turns true.
pub async fn run(
    options: Options,
    dialer: Dialer,
    progress: mpsc::UnboundedSender<Progress>,
    interrupt: watch::Receiver<bool>,
) -> Finished {
    let started = Instant::now();
    let run_timeout = options.run_timeout;
    let mut runner = Runner::new(options, dialer, progress);
    let budget = Arc::clone(&runner.budget);
    let stop = {
        let mut interrupt = interrupt.clone();
        tokio::select! {
            stop = runner.everything() => stop,
            () = tokio::time::sleep(run_timeout) => {
                runner.cut_short(&format!("the time for the run ({} s) was up", run_timeout.as_secs_f64()));
                None
            }
            why = budget.until_reached() => {
                runner.cut_short(&why);
                None
            }
            Ok(_) = interrupt.wait_for(|interrupted| *interrupted) => None,
        }
    };
    let interrupted = *interrupt.borrow();
    runner.keeper.stop().await;
    Finished { run: runner.finish(started, interrupted), stop }
}

struct Runner {
    options: Options,
    dialer: Dialer,
    progress: mpsc::UnboundedSender<Progress>,
    budget: Arc<Budget>,
    ledger: Ledger,
    keeper: Keeper,
    /// Controls that hold, until all of their dialect do.
    held: Vec<Case>,
    lacking: BTreeMap<Dialect, Vec<Need>>,
    /// Where declaration and detection part; cases of their own at the end.
    conflicts: Vec<Case>,
    numbers: BTreeMap<&'static str, usize>,
}

impl Runner {
    fn new(options: Options, dialer: Dialer, progress: mpsc::UnboundedSender<Progress>) -> Self {
        Self {
            budget: Arc::new(Budget::new(options.max_connections, options.max_messages, options.rate)),
            keeper: Keeper::new(options.restart_cmd.clone(), options.restart_wait),
            ledger: Ledger::new(&options),
            held: Vec::new(),
            numbers: scenarios().enumerate().map(|(n, s)| (s.id, n)).collect(),
            lacking: BTreeMap::new(),
            conflicts: Vec::new(),
            options,
            dialer,
            progress,
        }
    }

    async fn everything(&mut self) -> Option<Stop> {
        for endpoint in self.options.endpoints.clone() {
            let (seed, step) = (self.options.seed, self.options.step_timeout);
            let mut reached = preflight::reach(&self.dialer, &endpoint, seed, step).await;
            if reached.is_err() && self.options.restart_cmd.is_some() && self.revive(endpoint.dialect).await {
                reached = preflight::reach(&self.dialer, &endpoint, seed, step).await;
            }
            match reached {
                Ok(found) => {
                    self.conflicts.extend(conflicts::find(&endpoint, &found.detected));
                    self.lacking.insert(endpoint.dialect, found.lacking);
                }
                Err(why) => return Some(Stop::Unreachable(why)),
            }
        }
        let selected = self.selected();
        let _ = self.progress.send(Progress::Planned(selected.len()));
        let (mut harmless, mut hazards, mut stop) = (Vec::new(), Vec::new(), None);
        for dialect in Dialect::ALL {
            let own: Vec<_> = selected.iter().copied().filter(|s| s.dialect == dialect).collect();
            match self.able(dialect, &own).await {
                Ok(able) => {
                    let (dangerous, others): (Vec<&Scenario>, Vec<&Scenario>) =
                        able.into_iter().partition(|s| s.hazard);
                    harmless.extend(others);
                    hazards.push(dangerous);
                }
                Err(defect) => stop = stop.or(Some(defect)),
            }
        }
        // What waits for seconds stands in the second half of the catalogue: it begins first, and the rest goes on
        // beside it. What only waits takes nobody's place, and hazards come last: what they end may not come back.
        let (mut quick, waiting): (Vec<&Scenario>, Vec<&Scenario>) =
            harmless.into_iter().partition(|s: &&Scenario| s.tier == Tier::Quick);
        quick.reverse();
        for together in [&quick, &waiting] {
            stop = stop.or(self.together(together).await);
        }
        for dangerous in hazards {
            stop = stop.or(match self.survives(&dangerous).await {
                Ok(true) => None,
                Ok(false) => self.one_at_a_time(&dangerous).await,
                Err(defect) => Some(defect),
            });
        }
        stop
    }

    /// Scenarios that the filters and the tier leave, with the control of each dialect that has any.
    fn selected(&self) -> Vec<&'static Scenario> {
        self.options.selected()
    }

    /// Plays the controls of a dialect, and gives the scenarios that can be played after them.
    async fn able(&mut self, dialect: Dialect, selected: &[&'static Scenario]) -> Result<Vec<&'static Scenario>, Stop> {
        let (controls, rest): (Vec<&Scenario>, Vec<&Scenario>) = selected.iter().copied().partition(|s| s.is_control());
        let (able, unable): (Vec<&Scenario>, Vec<&Scenario>) = rest.into_iter().partition(|s| self.lacks(s).is_none());
        for scenario in unable {
            let why = self.lacks(scenario).unwrap_or_default();
            self.put(self.ledger.unplayed(scenario, Verdict::NotApplicable, why));
        }
        match self.controls(&controls).await? {
            None => Ok(able),
            Some(why) => {
                self.say(format!("{dialect}: nothing else can be said: {why}"));
                self.block(&able, &why);
                Ok(Vec::new())
            }
        }
    }

    /// Plays the controls. None of them counts as passed unless all hold; gives what the rest is blocked by.
    async fn controls(&mut self, controls: &[&'static Scenario]) -> Result<Option<String>, Stop> {
        for (done, control) in controls.iter().copied().enumerate() {
            let (case, why) = match self.lacks(control) {
                Some(lack) => {
                    let case = self.ledger.unplayed(control, Verdict::NotApplicable, lack);
                    (case, format!("blocked by {}: {lack}", control.id))
                }
                None => {
                    let (outcome, attempts) = self.tries(control).await?;
                    let case = self.ledger.settle(control, outcome, attempts);
                    (case, format!("blocked by {}", control.id))
                }
            };
            if case.verdict == Verdict::Pass {
                self.held.push(case);
                continue;
            }
            self.put(case);
            self.withhold(&why);
            self.block(controls.get(done + 1..).unwrap_or_default(), &why);
            return Ok(Some(why));
        }
        for case in std::mem::take(&mut self.held) {
            self.put(case);
        }
        Ok(None)
    }

    /// A control that holds says nothing where another does not, or was not played.
    fn withhold(&mut self, why: &str) {
        for case in std::mem::take(&mut self.held) {
            self.put(Case { verdict: Verdict::Blocked, reason: why.into(), ..case });
        }
    }

    fn lacks(&self, scenario: &Scenario) -> Option<&'static str> {
        let lacking = self.lacking.get(&scenario.dialect);
        let has_not = |need| lacking.is_some_and(|lacking| lacking.contains(&need));
        let own = self.endpoint(scenario.dialect).and_then(|endpoint| endpoint.own.as_ref());
        let lacks = |need: &Need| match need {
            Need::Limits => !self.options.limits,
            Need::SecondNamespace => self.endpoint(scenario.dialect).is_none_or(|e| e.namespaces.len() < 2),
            Need::ChannelSchema | Need::MessageSchema | Need::NoteSchema => has_not(*need),
            Need::Subscription => own.is_none() && has_not(Need::ChannelSchema),
            Need::Topic => own.map_or_else(|| has_not(Need::ChannelSchema), |own| !own.has_topics()),
            Need::Contrast => own.is_none() && has_not(Need::MessageSchema),
            Need::DeniedField => self.endpoint(scenario.dialect).is_none_or(|e| e.denied.is_none()),
            Need::Mode(_) | Need::SecondMode | Need::Jwt | Need::Token => {
                let endpoint = self.endpoint(scenario.dialect);
                need.is_without_credentials(|mode| endpoint.is_some_and(|e| e.secret(mode).is_some()))
            }
            Need::Capability(capability) => {
                self.endpoint(scenario.dialect).is_none_or(|e| !e.capabilities.has(*capability))
            }
            Need::Socket => false,
        };
        scenario.needs.iter().find(|need| lacks(need)).map(|need| need.lacks())
    }

    /// Harmless scenarios, several at a time; whatever was silent, lost or in trouble once more, alone.
    async fn together(&mut self, scenarios: &[&'static Scenario]) -> Option<Stop> {
        let mut lingerers = Lingerers::default();
        let mut doubtful = Vec::new();
        let mut under_way = self.start(scenarios);
        while let Some(ended) = under_way.next().await {
            let (scenario, outcome, lingering) = match ended {
                Ok(played) => played,
                Err(defect) => return Some(defect),
            };
            if let Some(lingering) = lingering {
                lingerers.keep(lingering).await;
            }
            if needs_second_try(&outcome) {
                doubtful.push((scenario, outcome));
            } else {
                self.settle(scenario, outcome, 1);
            }
        }
        match lingerers.finish().await {
            Ok(all) => all.iter().for_each(|late| self.ledger.note_late(late.scenario, &late.findings)),
            Err(_) => return Some(Stop::Harness("a listener panicked; this is a defect of syncspec".into())),
        }
        doubtful.sort_by_key(|(scenario, _)| self.numbers.get(scenario.id).copied());
        for (scenario, first) in doubtful {
            if !self.revive(scenario.dialect).await {
                self.settle(scenario, first, 1);
                continue;
            }
            match self.play(scenario, 'b').await {
                Ok(second) => self.settle(scenario, second, 2),
                Err(stop) => return Some(stop),
            };
        }
        None
    }

    /// Begins to play scenarios, as many at a time as there are places.
    fn start(&self, scenarios: &[&'static Scenario]) -> UnderWay {
        let places = Arc::new(Semaphore::new(self.options.jobs.max(1)));
        let mut under_way = UnderWay::default();
        for scenario in scenarios.iter().copied() {
            let driver = self.driver(scenario, 'a');
            let places = Arc::clone(&places);
            let handle = under_way.tasks.spawn(async move {
                let _place = places.acquire_owned().await;
                let (outcome, lingering) = driver.play(scenario).await;
                (scenario, outcome, lingering)
            });
            under_way.names.insert(handle.id(), scenario.id);
        }
        under_way
    }

    /// Hazards, several at a time, where the target comes back if it dies. Counts only if nothing is left to ask.
    async fn survives(&mut self, hazards: &[&'static Scenario]) -> Result<bool, Stop> {
        let (Some(first), true) = (hazards.first(), self.options.comes_back) else { return Ok(hazards.is_empty()) };
        let mut outcomes = Vec::new();
        let mut under_way = self.start(hazards);
        while let Some(ended) = under_way.next().await {
            let (scenario, outcome, _) = ended?;
            outcomes.push((scenario, outcome));
        }
        let clean = |outcome: &Outcome| {
            outcome.ending == Ending::Met && outcome.findings.is_empty() && outcome.losses.is_empty()
        };
        if !outcomes.iter().all(|(_, outcome)| clean(outcome)) || !self.revive(first.dialect).await {
            return Ok(false);
        }
        for (scenario, outcome) in outcomes {
            self.settle(scenario, outcome, 1);
        }
        Ok(true)
    }

    /// Hazards: each alone, and the target alive before the next.
    async fn one_at_a_time(&mut self, hazards: &[&'static Scenario]) -> Option<Stop> {
        for (done, scenario) in hazards.iter().copied().enumerate() {
            if let Err(stop) = self.alone(scenario).await {
                return Some(stop);
            }
            if !self.revive(scenario.dialect).await {
                let rest: Vec<_> = hazards.iter().skip(done + 1).copied().collect();
                self.block(&rest, &format!("the target did not come back after {}", scenario.id));
                return None;
            }
        }
        None
    }

    /// Plays one scenario alone, twice where the first try is doubtful.
    async fn alone(&mut self, scenario: &'static Scenario) -> Result<Verdict, Stop> {
        let (outcome, attempts) = self.tries(scenario).await?;
        Ok(self.settle(scenario, outcome, attempts))
    }

    async fn tries(&mut self, scenario: &'static Scenario) -> Result<(Outcome, u32), Stop> {
        let first = self.play(scenario, 'a').await?;
        if !needs_second_try(&first) || !self.revive(scenario.dialect).await {
            return Ok((first, 1));
        }
        Ok((self.play(scenario, 'b').await?, 2))
    }

    async fn play(&self, scenario: &'static Scenario, attempt: char) -> Result<Outcome, Stop> {
        let driver = self.driver(scenario, attempt);
        let task = tokio::spawn(async move {
            let (outcome, lingering) = driver.play(scenario).await;
            if let Some(lingering) = lingering {
                lingering.close().await;
            }
            outcome
        });
        task.await.map_err(|_| Stop::Harness(format!("{} panicked; this is a defect of syncspec", scenario.id)))
    }

    /// Whether the target takes connections, brought back if need be.
    async fn revive(&mut self, dialect: Dialect) -> bool {
        let Some(endpoint) = self.endpoint(dialect).cloned() else { return false };
        if preflight::is_alive(&self.dialer, &endpoint, self.options.step_timeout).await {
            return true;
        }
        self.say(format!("{dialect}: the target takes no connections any more; waiting for it to come back"));
        let (dialer, options) = (self.dialer.clone(), self.options.clone());
        self.keeper.bring_back(async || preflight::is_alive(&dialer, &endpoint, options.step_timeout).await).await
    }

    fn driver(&self, scenario: &Scenario, attempt: char) -> Driver {
        let limits = Limits {
            step: self.options.step_timeout,
            scenario: self.options.case_timeout,
            keep_alive: (self.options.tier < Tier::Long).then(|| Duration::from_secs(70)),
            quiet: self.budget.quiet_window(),
        };
        let number = self.numbers.get(scenario.id).copied().unwrap_or_default();
        Driver {
            dialer: self.dialer.clone(),
            endpoint: self.endpoint(scenario.dialect).cloned(),
            limits,
            budget: Arc::clone(&self.budget),
            prefix: format!("s{:06x}-c{number:03}{attempt}", self.options.seed & 0xff_ffff),
            upgrade_key: drive::upgrade_key(self.options.seed, number),
            panics: self.options.panic_in.as_deref() == Some(scenario.id),
        }
    }

    fn endpoint(&self, dialect: Dialect) -> Option<&Endpoint> {
        self.options.endpoints.iter().find(|endpoint| endpoint.dialect == dialect)
    }

    fn settle(&mut self, scenario: &'static Scenario, outcome: Outcome, attempts: u32) -> Verdict {
        let case = self.ledger.settle(scenario, outcome, attempts);
        let verdict = case.verdict;
        self.put(case);
        verdict
    }

    fn block(&mut self, scenarios: &[&'static Scenario], why: &str) {
        for scenario in scenarios {
            self.put(self.ledger.unplayed(scenario, Verdict::Blocked, why));
        }
    }

    /// The run ends before it is over: whatever is open stays open, and says so.
    fn cut_short(&mut self, why: &str) {
        self.say(format!("{why}; the rest was not run"));
        self.withhold(why);
        for scenario in self.selected() {
            if !self.ledger.has(scenario.id) {
                self.put(self.ledger.unplayed(scenario, Verdict::Inconclusive, why));
            }
        }
    }

    fn put(&mut self, case: Case) {
        let _ = self.progress.send(Progress::Case(Box::new(case.clone())));
        self.ledger.put(case);
    }

    fn say(&self, note: String) {
        let _ = self.progress.send(Progress::Note(note));
    }

    fn finish(mut self, started: Instant, interrupted: bool) -> Run {
        self.withhold("blocked: the run ended before the other control");
        for case in std::mem::take(&mut self.conflicts) {
            self.put(case);
        }
        for case in self.ledger.monitor_cases() {
            self.put(case);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let took = started.elapsed();
        let (cases, observations) = self.ledger.into_parts(&self.numbers);
        Run {
            seed: self.options.seed,
            started_unix_s: now.saturating_sub(took).as_secs(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            cases,
            observations,
            connections: self.budget.connections(),
            messages: self.budget.messages(),
            interrupted,
            ..self.options.blank_run()
        }
    }
}

/// A scenario that is over, and its connections where there is anything left to listen for on them.
type Played = (&'static Scenario, Outcome, Option<Lingering>);

/// Scenarios that are played at the same time.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<Played>,
    names: BTreeMap<tokio::task::Id, &'static str>,
}

impl UnderWay {
    /// The next that is over; a panic is a defect of the suite.
    async fn next(&mut self) -> Option<Result<Played, Stop>> {
        Some(self.tasks.join_next().await?.map_err(|error| {
            let name = self.names.get(&error.id()).copied().unwrap_or("a case");
            Stop::Harness(format!("{name} panicked; this is a defect of syncspec"))
        }))
    }
}

impl Options {
    /// Scenarios that the filters and the tier leave, with the control of each dialect that has any.
    pub(crate) fn selected(&self) -> Vec<&'static Scenario> {
        let wanted = |s: &Scenario| s.tier <= self.tier && self.is_asked_for(s);
        let dialects: Vec<_> = scenarios().filter(|s| wanted(s)).map(|s| s.dialect).collect();
        scenarios().filter(|s| wanted(s) || (s.is_control() && dialects.contains(&s.dialect))).collect()
    }

    /// Scenarios that the filters leave and the tier does not.
    pub fn beyond_the_tier(&self) -> Vec<&'static Scenario> {
        scenarios().filter(|s| s.tier > self.tier && self.is_asked_for(s)).collect()
    }

    fn is_asked_for(&self, scenario: &Scenario) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.dialect == scenario.dialect)
            && (self.filters.is_empty() || self.filters.iter().any(|filter| is_named(scenario, filter)))
    }

    /// A run of this target in which nothing has happened yet.
    pub fn blank_run(&self) -> Run {
        let mut target = Target { embedded: self.embedded, ..Target::default() };
        for endpoint in &self.endpoints {
            target.endpoints.insert(endpoint.dialect, endpoint.http.to_text(Scheme::Http));
            target.realtime.insert(endpoint.dialect, endpoint.realtime.to_text(Scheme::WebSocket));
            if endpoint.dialect == Dialect::Events {
                target.namespaces.clone_from(&endpoint.namespaces);
            }
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Run {
            target,
            seed: self.seed,
            started_unix_s: now.as_secs(),
            took_ms: 0,
            cases: Vec::new(),
            observations: Vec::new(),
            connections: 0,
            messages: 0,
            interrupted: false,
            exit: crate::report::Exit::default(),
        }
    }
}

/// Whether a filter leaves a scenario: it is a part of the id, or after `=` the whole of it.
pub fn is_named(scenario: &Scenario, filter: &str) -> bool {
    filter.strip_prefix('=').map_or_else(|| scenario.id.contains(filter), |whole| scenario.id == whole)
}

/// Decision of a silence, of a lost connection and of trouble on the way takes a second try.
fn needs_second_try(outcome: &Outcome) -> bool {
    let doubtful = match &outcome.ending {
        Ending::Met => false,
        Ending::Unmet(unmet) => unmet.silent,
        Ending::Trouble(_) => true,
    };
    doubtful || !outcome.losses.is_empty()
}
