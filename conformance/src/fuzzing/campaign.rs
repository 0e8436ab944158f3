//! Campaigns in virtual time: many dialogues against one server until something counts or the budget is used up.
//!
//! Here the fuzzer is on trial itself: every saboteur of the suite is hunted, and what must not be accused is played
//! just as long. The time that a campaign has used comes in from outside.

use std::collections::BTreeSet;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Severity;
use appsync_protocol::server::Policy;
use appsync_protocol::transcript::{Transcript, draw};

use super::cells::Coverage;
use super::driver::{Found, Played};
use super::generate::{Bounds, Dice, Generator, Script};
use super::op::Op;
use super::shrink::{Shrunk, TRIES_MAX, shrink};
use super::situations::Situation;
use super::world::{play, setting};
use crate::catalogue::{faults, scenarios};
use crate::fault::{Fault, How};
use crate::reference::Config;
use crate::selftest::benign::{Quirk, Variant, variants};
use crate::selftest::costume::Costume;
use crate::selftest::stage::{endpoint, in_parallel, playable};
use crate::sim::{Peer, Weather};

/// What a campaign may use.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Time of the processor, by the clock that is given.
    pub cpu: Duration,
    /// Virtual time, that of all dialogues together.
    pub simulated: Duration,
    /// Dialogues.
    pub dialogues: u32,
    /// Operations.
    pub operations: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(20),
            simulated: Duration::from_secs(3_600),
            dialogues: u32::MAX,
            operations: u64::MAX,
        }
    }
}

/// What came of a campaign.
#[derive(Clone, Debug, Default)]
pub struct Hunt {
    /// The first thing that counts, with the dialogue that showed it.
    pub found: Option<(Found, Vec<Op>, Vec<bool>)>,
    /// Dialogues that were played.
    pub dialogues: u32,
    /// Operations that were carried out.
    pub operations: u64,
    /// Virtual time.
    pub simulated: Duration,
    /// Time by the clock.
    pub cpu: Duration,
    /// What was covered.
    pub coverage: Coverage,
    /// Situations that were reached.
    pub situations: BTreeSet<Situation>,
    /// Dialogues that ended in trouble, and why the last one did.
    pub troubles: (u32, Option<String>),
}

impl Hunt {
    /// Situations that were not reached: a campaign that found nothing and did not get there is void.
    pub fn missing(&self) -> Vec<Situation> {
        Situation::ALL.into_iter().filter(|situation| !self.situations.contains(situation)).collect()
    }

    fn add(&mut self, played: Played) {
        self.dialogues += 1;
        self.operations += played.ops.iter().filter(|(_, carried)| *carried).count() as u64;
        self.simulated += played.took;
        self.coverage.add(&played.cells);
        self.situations.extend(&played.situations);
        if let Some(why) = played.trouble {
            self.troubles = (self.troubles.0 + 1, Some(why));
        }
        if let Some(found) = played.found {
            let (ops, carried) = played.ops.into_iter().unzip();
            self.found = Some((found, ops, carried));
        }
    }
}

/// Seed and number of one dialogue of a campaign.
const fn seed_of(seed: u64, number: u32) -> u64 {
    Dice::new(seed ^ (number as u64).wrapping_mul(0xd6e8_feb8_6659_fd93)).next()
}

/// Plays dialogues against peers that `peer` makes, each its own, until something counts or the budget is used up.
pub fn hunt(
    dialect: Dialect,
    seed: u64,
    budget: Budget,
    clock: &dyn Fn() -> Duration,
    peer: &mut dyn FnMut(u32) -> Box<dyn Peer>,
) -> Hunt {
    let start = clock();
    let mut hunt = Hunt::default();
    let within = |hunt: &Hunt| {
        hunt.dialogues < budget.dialogues && hunt.simulated < budget.simulated && hunt.operations < budget.operations
    };
    while hunt.found.is_none() && within(&hunt) {
        hunt.cpu = clock().saturating_sub(start);
        if hunt.cpu >= budget.cpu {
            break;
        }
        let number = hunt.dialogues;
        let coverage = std::mem::take(&mut hunt.coverage);
        let mut source = Generator::new(dialect, seed_of(seed, number), Bounds::default(), &coverage);
        let played = play(setting(dialect, false), &mut source, &mut *peer(number), Weather::default());
        hunt.coverage = coverage;
        hunt.add(played);
    }
    hunt.cpu = clock().saturating_sub(start);
    hunt
}

/// The configuration of a dialogue: in every other one keep-alives come as late as they may.
pub fn config(number: u32) -> Config {
    let mut config = Config::default();
    if number % 2 == 1 {
        LATE(&mut config.policy);
    }
    config
}

const LATE: fn(&mut Policy) = |policy| policy.keep_alive = Duration::from_secs(295);

/// Hunts the reference endpoint, bent like this.
pub fn hunt_bent(dialect: Dialect, bent: &[How], seed: u64, budget: Budget, clock: &dyn Fn() -> Duration) -> Hunt {
    hunt(dialect, seed, budget, clock, &mut |number| Box::new(endpoint(config(number), bent)))
}

/// Makes the dialogue of a finding smaller, against the same server in virtual time.
pub fn shrink_bent(dialect: Dialect, bent: &[How], (found, ops, carried): &(Found, Vec<Op>, Vec<bool>)) -> Shrunk {
    let shows = |late: bool, candidate: &[Op]| {
        let mut source = Script::new(candidate);
        let config = config(if late { 3 } else { 0 });
        let played = play(setting(dialect, false), &mut source, &mut endpoint(config, bent), Weather::default());
        played.found.is_some_and(|again| again.requirement == found.requirement)
    };
    let late = !shows(false, ops);
    shrink(ops, carried, TRIES_MAX, &mut |candidate| shows(late, candidate))
}

/// A saboteur and what the fuzzer made of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// The rule it breaks.
    pub breaks: &'static str,
    /// Its scenario needs a socket, or nothing but information stands behind its rule.
    pub hidden: bool,
    /// What was found.
    pub hunt: Hunt,
    /// The dialogue made smaller.
    pub shrunk: Option<Shrunk>,
}

impl Row {
    /// Whether the finding is of the very rule that is broken.
    pub fn is_exact(&self) -> bool {
        self.hunt.found.as_ref().is_some_and(|(found, ..)| found.requirement.id() == self.breaks)
    }
}

/// Hunts every saboteur of this share, on `jobs` threads; `done` is told of each.
pub fn hunt_all(
    (share, shares): (usize, usize),
    (seed, budget, jobs): (u64, Budget, usize),
    filter: &str,
    clock: &(dyn Fn() -> Duration + Sync),
    done: &(dyn Fn(&Row) + Sync),
) -> Vec<Row> {
    let own = |(at, fault): &(usize, &'static Fault)| at % shares.max(1) == share && fault.name.contains(filter);
    let faults: Vec<_> = faults().enumerate().filter(own).map(|(_, fault)| fault).collect();
    in_parallel(&faults, jobs, &|| {}, |fault| {
        let row = row(fault, seed, budget, clock);
        done(&row);
        row
    })
}

/// Whether a saboteur breaks a rule that counts, and above the WebSocket layer.
pub fn counts(fault: &Fault) -> bool {
    let scenario = scenarios().find(|scenario| scenario.id == fault.caught_by);
    fault.breaks.severity() > Severity::Info && scenario.is_none_or(playable)
}

fn row(fault: &'static Fault, seed: u64, budget: Budget, clock: &dyn Fn() -> Duration) -> Row {
    let hidden = !counts(fault);
    let dialects = fault.dialect().map_or_else(|| Dialect::ALL.to_vec(), |dialect| vec![dialect]);
    let mut row = Row { name: fault.name, breaks: fault.breaks.id(), hidden, hunt: Hunt::default(), shrunk: None };
    if hidden {
        return row;
    }
    for dialect in dialects {
        row.hunt = hunt_bent(dialect, &[fault.how], seed, budget, clock);
        if let Some(found) = &row.hunt.found {
            row.shrunk = Some(shrink_bent(dialect, &[fault.how], found));
            break;
        }
    }
    row
}

/// Hunts what must not be accused: the endpoint as it is, and every benign variant. Says each line that is worth saying;
/// gives what it comes to.
pub fn hunt_benign(
    (share, shares): (usize, usize),
    (seed, budget, jobs): (u64, Budget, usize),
    filter: &str,
    clock: &(dyn Fn() -> Duration + Sync),
    tell: &(dyn Fn(String) + Sync),
) -> Acquitted {
    let mut all: Vec<Option<Variant>> = vec![None];
    all.extend(variants().into_iter().map(Some));
    let name = |variant: &Option<Variant>| variant.as_ref().map_or("reference", |v| v.name.as_str()).to_owned();
    let own = |(at, variant): &(usize, Option<Variant>)| at % shares.max(1) == share && name(variant).contains(filter);
    let all: Vec<_> = all.into_iter().enumerate().filter(own).map(|(_, variant)| variant).collect();
    let accused = in_parallel(&all, jobs, &|| {}, |variant| {
        let own = |dialect: &Dialect| variant.as_ref().and_then(|v| v.dialect).is_none_or(|own| own == *dialect);
        let mut done = Acquitted::default();
        for dialect in Dialect::ALL.into_iter().filter(own) {
            let hunt = hunt(dialect, seed, budget, clock, &mut |number| peer_of(variant.as_ref(), number));
            let name = format!("{} ({dialect})", name(variant));
            done = done.and(&Acquitted::of(&hunt));
            tell(alarm(dialect, variant.as_ref(), &name, &hunt).unwrap_or_else(|| fine(&name, &hunt)));
        }
        done
    });
    accused.iter().fold(Acquitted::default(), |all, one| all.and(one))
}

/// What hunting those comes to that must not be accused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Acquitted {
    /// How many were accused.
    pub accused: usize,
    /// Time by the clock.
    pub cpu: Duration,
    /// Virtual time.
    pub simulated: Duration,
    /// Dialogues.
    pub dialogues: u64,
}

impl Acquitted {
    fn of(hunt: &Hunt) -> Self {
        let accused = usize::from(hunt.found.is_some());
        Self { accused, cpu: hunt.cpu, simulated: hunt.simulated, dialogues: hunt.dialogues.into() }
    }

    fn and(self, other: &Self) -> Self {
        Self {
            accused: self.accused + other.accused,
            cpu: self.cpu + other.cpu,
            simulated: self.simulated + other.simulated,
            dialogues: self.dialogues + other.dialogues,
        }
    }
}

/// Fuzzes the reference endpoint in virtual time until so many operations are carried out in each dialect. Gives the
/// campaigns; one that found something has ended there.
pub fn simulate(operations: u64, seed: u64, clock: &(dyn Fn() -> Duration + Sync)) -> Vec<(Dialect, Hunt)> {
    let budget = Budget { cpu: Duration::MAX, simulated: Duration::MAX, operations, ..Budget::default() };
    in_parallel(&Dialect::ALL, Dialect::ALL.len(), &|| {}, |dialect| {
        (*dialect, hunt_bent(*dialect, &[], seed, budget, clock))
    })
}

/// What was held against whoever must not be accused, with the operations made fewer and what was said.
fn alarm(dialect: Dialect, variant: Option<&Variant>, name: &str, hunt: &Hunt) -> Option<String> {
    let (found, ops, carried) = hunt.found.as_ref()?;
    let again = |candidate: &[Op]| {
        let mut peer = peer_of(variant, hunt.dialogues - 1);
        play(setting(dialect, true), &mut Script::new(candidate), &mut *peer, Weather::default())
    };
    let same = |played: &Played| played.found.as_ref().is_some_and(|again| again.requirement == found.requirement);
    let shrunk = shrink(ops, carried, TRIES_MAX, &mut |candidate| same(&again(candidate)));
    let ops = serde_json::to_string(&shrunk.ops).unwrap_or_default();
    let mut said = Transcript::new();
    again(&shrunk.ops).record.into_iter().for_each(|entry| said.push(entry));
    let Found { requirement, detail, state, op, .. } = found;
    let (rule, said) = (requirement.id(), draw(&said, None));
    Some(format!("ACCUSED {name}: {rule} {detail} [{state} | {op}] {ops}\n{said}"))
}

fn fine(name: &str, hunt: &Hunt) -> String {
    let missing: Vec<_> = hunt.missing().into_iter().map(Situation::word).collect();
    let missing = if missing.is_empty() { String::new() } else { format!("; not reached: {}", missing.join(", ")) };
    let trouble = hunt.troubles.1.as_deref().unwrap_or("none");
    format!(
        "fine {name}: {} dialogues, {} operations, {} cells, {} s simulated, trouble {} ({trouble}){missing}",
        hunt.dialogues,
        hunt.operations,
        hunt.coverage.len(),
        hunt.simulated.as_secs(),
        hunt.troubles.0
    )
}

fn peer_of(variant: Option<&Variant>, number: u32) -> Box<dyn Peer> {
    let mut config = config(number);
    match variant.map(|variant| &variant.quirk) {
        None => Box::new(endpoint(config, &[])),
        Some(Quirk::Profile(profile)) => {
            config.profile = profile.clone();
            Box::new(endpoint(config, &[]))
        }
        Some(Quirk::Policy(set)) => {
            set(&mut config.policy);
            Box::new(endpoint(config, &[]))
        }
        Some(Quirk::Guise(guise)) => Box::new(Costume::new(endpoint(config, &[]), *guise)),
    }
}
