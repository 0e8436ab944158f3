//! Saboteurs written by hand: each against the scenario that has to catch it, for its reason.

use std::collections::BTreeMap;
use std::time::Duration;

use appsync_protocol::requirement::{Level, Severity};

use super::stage::{Judged, in_parallel, outcome, playable};
use crate::catalogue::{faults, scenarios};
use crate::fault::Fault;
use crate::reference::Config;
use crate::scenario::{Need, Scenario, Tier};
use crate::verdict::{Verdict, judge};

/// What became of a saboteur.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The designated scenario reports the named requirement at its own severity, and passes without the saboteur.
    Killed {
        /// Virtual time until the scenario was over.
        after: Duration,
    },
    /// It does not; what it reports instead.
    Survived(String),
    /// Its scenario writes below the WebSocket layer, so that it has to be played over a socket.
    NeedsSocket,
}

/// One saboteur and its fate.
#[derive(Clone)]
pub struct Trial {
    /// The saboteur.
    pub fault: &'static Fault,
    /// What became of it.
    pub fate: Fate,
}

impl Trial {
    /// Whether it breaks a MUST.
    pub fn breaks_a_must(&self) -> bool {
        self.fault.breaks.row().level == Level::Must
    }

    /// Whether the scenario that caught it failed.
    pub fn at_fail(&self) -> bool {
        matches!(self.fate, Fate::Killed { .. }) && self.fault.breaks.severity() == Severity::Fail
    }
}

/// Plays every saboteur against its designated scenario, and that scenario without it.
pub fn try_all(jobs: usize, done: &(dyn Fn() + Sync)) -> Vec<Trial> {
    let all: Vec<&'static Scenario> = scenarios().filter(|scenario| playable(scenario)).collect();
    let sane = in_parallel(&all, jobs, &|| {}, |scenario| {
        judge(scenario, &outcome(scenario, Config::default(), &[])).0 == Verdict::Pass
    });
    let sane: BTreeMap<&str, bool> = all.iter().map(|scenario| scenario.id).zip(sane).collect();
    let faults: Vec<&'static Fault> = faults().collect();
    // What needs a socket is not played, but listed: nothing is left out in silence.
    in_parallel(&faults, jobs, done, |fault| Trial { fault, fate: fate(fault, &sane) })
}

fn fate(fault: &'static Fault, sane: &BTreeMap<&str, bool>) -> Fate {
    let Some(scenario) = scenarios().find(|scenario| scenario.id == fault.caught_by) else {
        return Fate::Survived(format!("there is no scenario {}", fault.caught_by));
    };
    if !playable(scenario) {
        return Fate::NeedsSocket;
    }
    if sane.get(scenario.id) != Some(&true) {
        return Fate::Survived(format!("{} does not pass without it", scenario.id));
    }
    let outcome = outcome(scenario, Config::default(), &[fault.how]);
    let (verdict, breaches) = judge(scenario, &outcome);
    let severity = fault.breaks.severity();
    if breaches.iter().any(|breach| breach.requirement == fault.breaks && breach.severity == severity) {
        return Fate::Killed { after: outcome.took };
    }
    let found: Vec<_> = breaches.iter().map(|breach| breach.requirement.id()).collect();
    Fate::Survived(format!(
        "{} reports {verdict} {found:?} instead of {}; {:?}",
        scenario.id, fault.breaks, outcome.ending
    ))
}

/// A saboteur and every scenario that fails or warns of it.
#[derive(Clone)]
pub struct Row {
    /// The saboteur.
    pub fault: &'static Fault,
    /// Identifiers of the scenarios, in the order of the catalogue.
    pub caught_by: Vec<&'static str>,
}

/// The kill matrix. Day-long and large scenarios are left out: they take most of the time and tell saboteurs
/// apart no better.
pub fn matrix(jobs: usize, done: &(dyn Fn() + Sync)) -> Vec<Row> {
    let columns: Vec<&'static Scenario> =
        scenarios().filter(|s| playable(s) && s.tier < Tier::Long && !s.needs.contains(&Need::Limits)).collect();
    let faults: Vec<&'static Fault> = faults().collect();
    in_parallel(&faults, jobs, done, |fault| {
        let dialect = fault.dialect();
        let catches = |scenario: &&&'static Scenario| {
            let outcome = outcome(scenario, Config::default(), &[fault.how]);
            matches!(judge(scenario, &outcome).0, Verdict::Fail | Verdict::Warn)
        };
        let own = columns.iter().filter(|scenario| dialect.is_none_or(|dialect| dialect == scenario.dialect));
        Row { fault, caught_by: own.filter(catches).map(|scenario| scenario.id).collect() }
    })
}

impl Row {
    /// The saboteur, how many scenarios catch it, and the first dozen of them.
    pub fn line(&self) -> String {
        let short = |id: &'static str| id.split_once('/').map_or(id, |(_, rest)| rest);
        let shown: Vec<_> = self.caught_by.iter().copied().take(12).map(short).collect();
        let more = self.caught_by.len().saturating_sub(12);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (fault, count) = (self.fault, self.caught_by.len());
        format!("{} [{}] {count}: {}{more}", fault.name, fault.breaks, shown.join(", "))
    }
}

/// The first thing that any of the scenarios holds against an endpoint, and after which virtual time.
pub fn first_complaint(
    own: &[&'static Scenario],
    mut play: impl FnMut(&'static Scenario) -> Judged,
) -> Option<(&'static Scenario, Judged)> {
    own.iter().copied().map(|scenario| (scenario, play(scenario))).find(|(_, judged)| judged.complains())
}
