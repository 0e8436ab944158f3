//! Fuzzing over sockets: dialogue after dialogue against one endpoint, for as long as it may take.
//!
//! A finding is played again on fresh connections. One that shows each time is made smaller and kept; one that does not
//! is kept as flaky, with the figures. A server that takes no connections any more is a finding, with the last
//! dialogue; the campaign goes on when it is back.

pub mod diff;
pub mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use appsync_protocol::handshake::Scheme;
use appsync_protocol::requirement::{Requirement, Severity};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::drive::{Wire, converse, upgrade_key};
use super::restart::Keeper;
use super::{Budget, Endpoint, preflight};
use crate::fuzzing::cells::Coverage;
use crate::fuzzing::declared::{capability, lacking};
use crate::fuzzing::driver::{Driver, Found, Played, Setting, Source};
use crate::fuzzing::file::{self, BUILT_IN, Bucket, FindingFile, KIND, MODEL};
use crate::fuzzing::generate::{Bounds, Dice, Generator, Script};
use crate::fuzzing::op::{Op, Topic};
use crate::fuzzing::shrink::shrink;
use crate::link::Dialer;
use crate::player::Limits;
use crate::scenario::{Capabilities, Capability, Need};

/// How often a finding is played again before it is believed.
pub const CONFIRMATIONS: u32 = 3;

/// Candidates that one finding may cost over a network.
const SHRINK_TRIES: u32 = 120;

/// Time that making one finding smaller may take, unless something else is said.
pub const SHRINK_TIME: Duration = Duration::from_secs(60);

/// Limit of one dialogue.
const DIALOGUE: Duration = Duration::from_secs(120);

/// Findings of one rule, after which others of it are only counted.
const FORMS_MAX: usize = 4;

/// Findings of one rule, after which what the conversation finds of it ends no dialogue any more.
const PASSED_OVER_AFTER: usize = 2;

/// How often a rule is found to be broken in forms that are known, before the same.
const MET_MAX: u64 = 4;

/// Findings that one campaign tells apart.
const BUCKETS_MAX: usize = 200;

/// What to fuzz, and how hard.
#[derive(Clone)]
pub struct FuzzOptions {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// It is the built-in one, which is where it is for this run only.
    pub embedded: bool,
    /// Seed of the dialogues.
    pub seed: u64,
    /// How long to go on.
    pub time: Duration,
    /// Most operations.
    pub ops_max: u64,
    /// What a dialogue may hold.
    pub bounds: Bounds,
    /// Whether to end with the first finding that shows each time.
    pub until_first: bool,
    /// Operations in a second, at most.
    pub rate: Option<u32>,
    /// Time that making one finding smaller may take.
    pub shrink_time: Duration,
    /// Limit for one answer.
    pub step_timeout: Duration,
    /// Most connections and HTTP requests.
    pub connections_max: u64,
    /// Most messages.
    pub messages_max: u64,
    /// Command that brings the target back.
    pub restart_cmd: Option<String>,
    /// How long to wait for it.
    pub restart_wait: Duration,
}

/// What happens on the way.
#[derive(Clone, Debug)]
pub enum News {
    /// How far it is.
    Progress(Figures),
    /// Something that counts.
    Caught(Box<FindingFile>),
    /// Something a person would want to know.
    Note(String),
}

/// How much was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Dialogues.
    pub dialogues: u64,
    /// Operations that were carried out.
    pub operations: u64,
    /// Cells that were covered.
    pub cells: usize,
    /// Findings in all.
    pub findings: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Fuzzed {
    /// How much was done.
    pub figures: Figures,
    /// What was found, one of each kind, with how often it was met.
    pub caught: Vec<(FindingFile, u64)>,
    /// Why nothing can be said of the target.
    pub unreachable: Option<String>,
    /// Why it ended before its time.
    pub ended: Option<String>,
    /// Somebody asked it to end.
    pub interrupted: bool,
}

impl Fuzzed {
    /// The exit code, as of the suite: 130, 3, 1, 5, 4, 0 in this order.
    pub fn exit(&self) -> u8 {
        let solid = |file: &FindingFile| file.shown == file.tries;
        let fails =
            |file: &FindingFile| Requirement::parse(&file.rule).is_some_and(|rule| rule.severity() == Severity::Fail);
        if self.interrupted {
            130
        } else if self.unreachable.is_some() {
            3
        } else if self.caught.iter().any(|(file, _)| solid(file) && fails(file)) {
            1
        } else if self.caught.iter().any(|(file, _)| !solid(file)) {
            5
        } else if self.figures.dialogues == 0 {
            4
        } else {
            0
        }
    }
}

/// Fuzzes an endpoint until the time is up, the operations are used up, or there is nothing more to be had.
pub async fn fuzz(
    options: FuzzOptions,
    dialer: Dialer,
    mut interrupt: watch::Receiver<bool>,
    tell: &mut dyn FnMut(News),
) -> Fuzzed {
    let mut campaign = match Campaign::new(options, dialer).await {
        Ok(campaign) => campaign,
        Err(why) => return Fuzzed { unreachable: Some(why), ..Fuzzed::default() },
    };
    tokio::select! {
        () = campaign.run(tell) => {}
        _ = interrupt.wait_for(|asked| *asked) => campaign.done.interrupted = true,
    }
    campaign.keeper.stop().await;
    campaign.done.figures.cells = campaign.coverage.len();
    campaign.done
}

/// What a file says when it is played again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It never showed.
    Fixed,
    /// It showed this often.
    Fails {
        /// Times it showed.
        shown: u32,
        /// Times it was played.
        tries: u32,
    },
}

/// Plays the dialogue of a finding again.
///
/// # Errors
/// When it cannot be played: the target is not there, or trouble came in between.
pub async fn replay(options: FuzzOptions, dialer: Dialer, file: &FindingFile) -> Result<Again, String> {
    let rule = Requirement::parse(&file.rule).ok_or_else(|| format!("{:?} names no rule", file.rule))?;
    let mut campaign = Campaign::of_file(options, dialer, file).await?;
    let mut shown = 0;
    for _ in 0..CONFIRMATIONS {
        let (shows, played, back) = campaign.shows(rule, &file.operations).await;
        if let (None, Some(trouble)) = (&shows, played.trouble) {
            return Err(trouble);
        }
        shown += u32::from(shows.is_some());
        if shows.is_some() && !back {
            return Ok(Again::Fails { shown, tries: shown });
        }
    }
    Ok(if shown == 0 { Again::Fixed } else { Again::Fails { shown, tries: CONFIRMATIONS } })
}

/// Makes the dialogue of a finding smaller.
///
/// # Errors
/// When it does not show any more, or cannot be played.
pub async fn shrink_file(options: FuzzOptions, dialer: Dialer, file: &FindingFile) -> Result<FindingFile, String> {
    let rule = Requirement::parse(&file.rule).ok_or_else(|| format!("{:?} names no rule", file.rule))?;
    let mut campaign = Campaign::of_file(options, dialer, file).await?;
    let (shows, played, _) = campaign.shows(rule, &file.operations).await;
    if shows.is_none() {
        return Err(played.trouble.unwrap_or_else(|| format!("{rule} is not broken any more")));
    }
    let ops = campaign.smaller(rule, played.ops).await;
    let mut smaller = file.clone();
    let (shows, played, _) = campaign.shows(rule, &ops).await;
    campaign.keeper.stop().await;
    if let Some(found) = shows {
        let redactor = campaign.options.endpoint.keyring.redactor(&campaign.options.endpoint.api_key);
        smaller.transcript = file::transcript(&played.record, &redactor);
        smaller.detail = redactor.text(&found.detail);
        smaller.bucket = Bucket::from(&found);
        smaller.operations = ops;
    }
    Ok(smaller)
}

struct Campaign {
    options: FuzzOptions,
    dialer: Dialer,
    budget: Budget,
    keeper: Keeper,
    coverage: Coverage,
    without: Vec<Topic>,
    judged: bool,
    passed_over: BTreeSet<Requirement>,
    started: Instant,
    buckets: BTreeMap<(String, Bucket), usize>,
    done: Fuzzed,
    played: u64,
}

impl Campaign {
    /// Looks whether there is anything to fuzz.
    async fn new(options: FuzzOptions, dialer: Dialer) -> Result<Self, String> {
        let found = preflight::reach(&dialer, &options.endpoint, options.seed, options.step_timeout).await?;
        let lacks = found.lacking;
        if lacks.contains(&Need::ChannelSchema) {
            return Err(Need::ChannelSchema.lacks().into());
        }
        let mut without = Vec::new();
        if lacks.contains(&Need::MessageSchema) {
            without.push(Topic::Below);
        }
        if lacks.contains(&Need::NoteSchema) {
            without.extend([Topic::Deep, Topic::Longest, Topic::Wild]);
        }
        Ok(Self {
            budget: Budget::new(options.connections_max, options.messages_max, None),
            keeper: Keeper::new(options.restart_cmd.clone(), options.restart_wait),
            coverage: Coverage::default(),
            without,
            judged: true,
            passed_over: BTreeSet::new(),
            started: Instant::now(),
            buckets: BTreeMap::new(),
            done: Fuzzed::default(),
            played: 0,
            options,
            dialer,
        })
    }

    /// One that plays a finding again: the target is taken to have what it had then.
    async fn of_file(mut options: FuzzOptions, dialer: Dialer, file: &FindingFile) -> Result<Self, String> {
        let had = file.capabilities.iter().filter_map(|name| Capability::named(name));
        let own = options.endpoint.capabilities;
        options.endpoint.capabilities = had.fold(own, Capabilities::declare);
        let cast = options.endpoint.cast("f", "");
        if let Some(why) = lacking(&cast, &options.endpoint.capabilities, &file.operations) {
            return Err(why);
        }
        let mut campaign = Self::new(options, dialer).await?;
        campaign.passed_over = file.known();
        Ok(campaign)
    }

    async fn run(&mut self, tell: &mut dyn FnMut(News)) {
        let mut told = Instant::now();
        while self.started.elapsed() < self.options.time && self.done.figures.operations < self.options.ops_max {
            let number = self.done.figures.dialogues;
            let seed = Dice::new(self.options.seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93)).next();
            let coverage = std::mem::take(&mut self.coverage);
            let mut source = Generator::new(self.options.endpoint.dialect, seed, self.options.bounds, &coverage);
            // Of a target that dies there are no other last messages.
            let played = self.play(&mut source, true).await;
            self.coverage = coverage;
            self.coverage.add(&played.cells);
            let carried = played.ops.iter().filter(|(_, carried)| *carried).count() as u64;
            self.done.figures.dialogues += 1;
            self.done.figures.operations += carried;
            self.done.figures.cells = self.coverage.len();
            let go_on = self.judge(played, tell).await;
            if !go_on {
                return;
            }
            if told.elapsed() >= Duration::from_secs(1) {
                told = Instant::now();
                tell(News::Progress(self.done.figures));
            }
            self.slow_down().await;
        }
    }

    /// Waits until the rate is kept.
    async fn slow_down(&self) {
        let Some(rate) = self.options.rate.filter(|rate| *rate > 0) else { return };
        let due = Duration::from_secs_f64(self.done.figures.operations as f64 / f64::from(rate));
        let left = self.options.time.saturating_sub(self.started.elapsed());
        sleep(due.saturating_sub(self.started.elapsed()).min(left)).await;
    }

    /// Whether the campaign goes on.
    async fn judge(&mut self, played: Played, tell: &mut dyn FnMut(News)) -> bool {
        if let Some(why) = self.budget.reached() {
            self.done.ended = Some(why);
            return false;
        }
        if played.found.is_none() && played.trouble.is_none() {
            return true;
        }
        if !self.is_alive().await {
            let gone = gone(&played);
            if !self.return_of_the_target(tell).await {
                self.keep(&gone, played.ops, (1, 1), played.record, tell);
                return false;
            }
            if self.is_news(&gone) && self.confirm(gone, &played, tell).await {
                return self.goes_on();
            }
        }
        if let Some(found) = played.found.clone().filter(|found| self.is_news(found)) {
            self.confirm(found, &played, tell).await;
        }
        self.goes_on()
    }

    /// Whether it was not found before. What was is counted.
    fn is_news(&mut self, found: &Found) -> bool {
        let known = self.buckets.get(&bucket_of(found)).copied().or_else(|| self.worn(found));
        if let Some((_, met)) = known.and_then(|known| self.done.caught.get_mut(known)) {
            *met += 1;
            let own = self.done.caught.iter().filter(|(file, _)| file.rule == found.requirement.id());
            if own.map(|(_, met)| met).sum::<u64>() >= MET_MAX {
                self.passed_over.insert(found.requirement);
            }
        }
        known.is_none()
    }

    fn goes_on(&self) -> bool {
        let solid = self.done.caught.last().is_some_and(|(file, _)| file.shown == file.tries);
        !(self.options.until_first && solid) && self.buckets.len() < BUCKETS_MAX
    }

    /// The last finding of this rule, where it was found in so many forms that one more says nothing new. There is no
    /// end to what a server may die of.
    fn worn(&self, found: &Found) -> Option<usize> {
        let rule = found.requirement;
        let own = self.done.caught.iter().enumerate().filter(|(_, (file, _))| file.rule == rule.id());
        let places: Vec<usize> = own.map(|(place, _)| place).collect();
        let is_worn = places.len() >= FORMS_MAX && !matches!(rule, Requirement::SynAlive001 | Requirement::SynAlive002);
        places.last().copied().filter(|_| is_worn)
    }

    /// Plays a finding again, makes it smaller if it is solid, and keeps it. Whether it ever showed again.
    async fn confirm(&mut self, found: Found, played: &Played, tell: &mut dyn FnMut(News)) -> bool {
        let rule = found.requirement;
        let ops: Vec<Op> = played.ops.iter().map(|(op, _)| op.clone()).collect();
        let (mut shown, mut record) = (0, Vec::new());
        for _ in 0..CONFIRMATIONS {
            let (shows, again, back) = self.shows(rule, &ops).await;
            if shows.is_some() {
                shown += 1;
                record = again.record;
            }
            if !back {
                break;
            }
        }
        if shown == 0 && rule == Requirement::SynAlive002 {
            return false;
        }
        if shown < CONFIRMATIONS {
            self.keep(&found, played.ops.clone(), (shown, CONFIRMATIONS), record, tell);
            return shown > 0;
        }
        let smaller = self.smaller(rule, played.ops.clone()).await;
        let (shows, again, _) = self.shows(rule, &smaller).await;
        match shows {
            Some(again_found) => {
                self.buckets.insert(bucket_of(&found), self.done.caught.len());
                let ops = smaller.into_iter().map(|op| (op, true)).collect();
                self.keep(&again_found, ops, (shown, CONFIRMATIONS), again.record, tell);
            }
            None => {
                let ops = ops.into_iter().map(|op| (op, true)).collect();
                self.keep(&found, ops, (shown, CONFIRMATIONS), record, tell);
            }
        }
        true
    }

    /// Plays operations, and brings the target back where it is gone then: whether they show that this rule is broken,
    /// what was played, and whether there is a target.
    async fn shows(&mut self, rule: Requirement, ops: &[Op]) -> (Option<Found>, Played, bool) {
        let played = self.play(&mut Script::new(ops), true).await;
        let alive = self.is_alive().await;
        let dead = (!alive && rule == Requirement::SynAlive002).then(|| gone(&played));
        let shows = played.found.clone().filter(|found| found.requirement == rule).or(dead);
        (shows, played, alive || self.bring_back().await)
    }

    /// The dialogue made smaller, within its tries and its time.
    async fn smaller(&mut self, rule: Requirement, ops: Vec<(Op, bool)>) -> Vec<Op> {
        let (ops, carried): (Vec<_>, Vec<_>) = ops.into_iter().unzip();
        let end = Instant::now() + self.options.shrink_time;
        // The shrinker asks; the answers that are not known yet are found out between two of its runs.
        let mut known: BTreeMap<String, bool> = BTreeMap::new();
        loop {
            let mut wanted = None;
            let shrunk = shrink(&ops, &carried, SHRINK_TRIES, &mut |candidate| {
                let trace = serde_json::to_string(candidate).unwrap_or_default();
                let answer = known.get(&trace).copied();
                if answer.is_none() && wanted.is_none() {
                    wanted = Some((trace, candidate.to_vec()));
                }
                answer.unwrap_or(false)
            });
            let Some((trace, candidate)) = wanted else { return shrunk.ops };
            let spent = known.len() >= SHRINK_TRIES as usize || Instant::now() >= end;
            // Twice: what depends on chance is small soon, and useless.
            let mut shows = !spent;
            for _ in 0..2 {
                shows = shows && self.shows(rule, &candidate).await.0.is_some();
            }
            known.insert(trace, shows);
            if spent {
                // What is known has to do: everything else counts as not showing.
                let mut settled = |candidate: &[Op]| {
                    known.get(&serde_json::to_string(candidate).unwrap_or_default()).copied().unwrap_or(false)
                };
                return shrink(&ops, &carried, SHRINK_TRIES, &mut settled).ops;
            }
        }
    }

    fn keep(
        &mut self,
        found: &Found,
        ops: Vec<(Op, bool)>,
        (shown, tries): (u32, u32),
        record: Vec<appsync_protocol::transcript::Entry>,
        tell: &mut dyn FnMut(News),
    ) {
        let endpoint = &self.options.endpoint;
        let redactor = endpoint.keyring.redactor(&endpoint.api_key);
        let transcript: Vec<Value> = file::transcript(&record, &redactor);
        let (scheme, realtime) = (Scheme::Http, Scheme::WebSocket);
        let built_in = self.options.embedded;
        let file = FindingFile {
            kind: KIND.into(),
            model: MODEL,
            syncspec: env!("CARGO_PKG_VERSION").into(),
            dialect: endpoint.dialect.word().into(),
            rule: found.requirement.id().into(),
            detail: redactor.text(&found.detail),
            bucket: Bucket::from(found),
            endpoint: if built_in { BUILT_IN.into() } else { endpoint.http.to_text(scheme) },
            realtime: if built_in { String::new() } else { endpoint.realtime.to_text(realtime) },
            namespaces: endpoint.namespaces.clone(),
            channel_prefix: endpoint.channel_prefix.clone(),
            capabilities: ops
                .iter()
                .filter_map(|(op, _)| capability(endpoint.dialect, op))
                .map(|capability| capability.name().to_owned())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            seed: self.options.seed,
            shown,
            tries,
            passed_over: self.passed_over.iter().map(|rule| rule.id().to_owned()).collect(),
            operations: ops.into_iter().filter(|(_, carried)| *carried).map(|(op, _)| op).collect(),
            transcript,
        };
        let key = bucket_of(found);
        if self.buckets.contains_key(&key) && self.buckets.get(&key) != Some(&self.done.caught.len()) {
            return;
        }
        self.buckets.insert(key, self.done.caught.len());
        self.done.figures.findings += 1;
        tell(News::Caught(Box::new(file.clone())));
        self.done.caught.push((file, 1));
        let rule = found.requirement;
        if self.done.caught.iter().filter(|(file, _)| file.rule == rule.id()).count() >= PASSED_OVER_AFTER {
            self.passed_over.insert(rule);
        }
    }

    async fn return_of_the_target(&mut self, tell: &mut dyn FnMut(News)) -> bool {
        tell(News::Note("the target is gone".into()));
        let back = self.bring_back().await;
        if back {
            tell(News::Note("the target is back".into()));
        } else {
            self.done.ended = Some("the target did not come back".into());
        }
        back
    }

    async fn is_alive(&self) -> bool {
        preflight::is_alive(&self.dialer, &self.options.endpoint, self.options.step_timeout).await
    }

    async fn bring_back(&mut self) -> bool {
        let (dialer, endpoint, step) = (&self.dialer, &self.options.endpoint, self.options.step_timeout);
        self.keeper.bring_back(async || preflight::is_alive(dialer, endpoint, step).await).await
    }

    async fn play(&mut self, source: &mut dyn Source, recorded: bool) -> Played {
        self.played += 1;
        let options = &self.options;
        let number = usize::try_from(self.played).unwrap_or_default();
        let prefix = format!("f{:08x}-d{:05}", options.seed & 0xffff_ffff, self.played);
        let setting = Setting {
            cast: options.endpoint.cast(&prefix, &upgrade_key(options.seed, number)),
            limits: Limits { step: options.step_timeout, quiet: Duration::from_millis(300), ..Limits::default() },
            pause_max: if options.bounds.patient { Duration::from_secs(70) } else { Duration::from_millis(200) },
            recorded,
            judged: self.judged,
            without: self.without.clone(),
            passed_over: self.passed_over.clone(),
            capabilities: options.endpoint.capabilities.clone(),
        };
        let mut driver = Driver::new(setting, source);
        let wire = Wire {
            dialer: &self.dialer,
            endpoint: &options.endpoint,
            budget: &self.budget,
            step: options.step_timeout,
        };
        let over = timeout(DIALOGUE, converse(wire, DIALOGUE, &mut driver)).await;
        if over.is_err() {
            use crate::player::Actor as _;
            driver.abandon(appsync_protocol::moment::Moment::START + DIALOGUE, "the dialogue took too long".into());
        }
        driver.played()
    }
}

/// A target that takes no connections after a dialogue (SYN-ALIVE-002), whatever that dialogue showed of its end.
fn gone(played: &Played) -> Found {
    let said = played.found.as_ref().map(|found| format!("{}: {}", found.requirement, found.detail));
    let why = said.or_else(|| played.trouble.clone()).unwrap_or_else(|| "nothing was wrong before".into());
    let last = played.ops.iter().rev().find(|(_, carried)| *carried);
    Found {
        requirement: Requirement::SynAlive002,
        detail: format!("the target takes no connections any more; the last that was seen of it: {why}"),
        state: "none".into(),
        op: last.map_or_else(|| "nothing".into(), |(op, _)| op.label()),
        answer: "nothing".into(),
        at: appsync_protocol::moment::Moment::START + played.took,
    }
}

fn bucket_of(found: &Found) -> (String, Bucket) {
    (found.requirement.id().into(), Bucket::from(found))
}
