//! Benign variants: legal peculiarities of a server. None may make any scenario fail or warn.

use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::filter::{GqlA15, GqlA25};
use appsync_protocol::server::{GqlA07, Policy, Readings};

use super::costume::{Costume, Guise};
use super::guises::GUISES;
use super::stage::{Judged, all_playable, endpoint, in_parallel, outcome_with};
use super::variations::VARIATIONS;
use crate::reference::{Config, Profile};
use crate::scenario::Scenario;
use crate::sim::Weather;
use crate::verdict::Verdict;

/// One legal peculiarity.
#[derive(Clone)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it does.
    pub about: String,
    /// What makes it legal: a requirement, an ambiguity or a standard.
    pub source: String,
    /// The dialect it concerns; both if none.
    pub dialect: Option<Dialect>,
    /// How it is played.
    pub quirk: Quirk,
}

/// How a variant is played.
#[derive(Clone)]
pub enum Quirk {
    /// Other readings of what is disputed.
    Profile(Profile),
    /// Other times and readings of the policy.
    Policy(fn(&mut Policy)),
    /// What it says is changed.
    Guise(Guise),
}

/// Something held against a variant.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// The variant.
    pub variant: String,
    /// The scenario.
    pub scenario: String,
    /// What it says.
    pub what: String,
}

/// What came of the variants.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    /// How many variants there are.
    pub variants: usize,
    /// How many scenarios were played.
    pub played: usize,
    /// How many of those passed; an open question passes by being answered.
    pub passed: usize,
    /// What was held against them.
    pub alarms: Vec<Alarm>,
}

/// Every variant.
pub fn variants() -> Vec<Variant> {
    let listed = GUISES
        .iter()
        .chain(VARIATIONS)
        .map(|(name, about, source, guise)| (*name, *about, *source, Quirk::Guise(*guise)));
    let policies = POLICIES.iter().map(|(name, about, source, set)| (*name, *about, *source, Quirk::Policy(*set)));
    let mut all: Vec<Variant> = listed
        .chain(policies)
        .map(|(name, about, source, quirk)| Variant {
            name: name.into(),
            about: about.into(),
            source: source.into(),
            // A source of one dialect says nothing of the other.
            dialect: (source == "EVT-INIT-002").then_some(Dialect::Events),
            quirk,
        })
        .collect();
    all.extend(profiles());
    all.extend(readings());
    all
}

fn profiles() -> Vec<Variant> {
    let variant = |name: String, about: &str, source: &str, profile| Variant {
        name,
        about: about.into(),
        source: source.into(),
        dialect: None,
        quirk: Quirk::Profile(profile),
    };
    let literal = variant(
        "docs-literal".into(),
        "Follows the pages also where the service was seen to do otherwise.",
        "the ambiguities that the profile settles",
        Profile::docs_literal(),
    );
    let eventual = (1..=3).map(|seed| {
        variant(
            format!("live-eventual-{seed}"),
            "Subscriptions need up to 5 s to settle, events come in no order, and answers come late.",
            "EVT-SUB-013, GQL-SUB-022, EVT-A-29, EVT-A-30, GQL-A-24",
            Profile::live_eventual(seed),
        )
    });
    std::iter::once(literal).chain(eventual).collect()
}

/// Every reading of every switch but the first, which the endpoint has anyway.
fn readings() -> Vec<Variant> {
    let mut all = Vec::new();
    for switch in Readings::default().switches() {
        let ambiguity = switch.ambiguity();
        for word in switch.words().into_iter().skip(1) {
            let mut profile = Profile::live();
            if profile.choose(ambiguity, word).is_err() {
                continue;
            }
            let dialect = if ambiguity.starts_with("GQL") { Dialect::Graphql } else { Dialect::Events };
            all.push(Variant {
                name: format!("{ambiguity}-{word}"),
                about: format!("Reads {ambiguity} as {word:?}."),
                source: ambiguity.into(),
                dialect: Some(dialect),
                quirk: Quirk::Profile(profile),
            });
        }
    }
    all
}

/// Plays every scenario against every variant.
pub fn try_all(variants: &[Variant], jobs: usize, done: &(dyn Fn() + Sync)) -> Alarms {
    let found = in_parallel(variants, jobs, done, |variant| {
        let own: Vec<_> = all_playable()
            .into_iter()
            .filter(|scenario| variant.dialect.is_none_or(|dialect| dialect == scenario.dialect))
            .collect();
        let judged: Vec<_> = own.iter().map(|scenario| (*scenario, play(variant, scenario))).collect();
        let due = |scenario: &Scenario| if scenario.is_probe() { Verdict::Info } else { Verdict::Pass };
        let passed = judged.iter().filter(|(scenario, judged)| judged.verdict == due(scenario)).count();
        let alarms = judged.iter().filter_map(|(scenario, judged)| alarm(variant, scenario, judged));
        (own.len(), passed, alarms.collect::<Vec<_>>())
    });
    Alarms {
        variants: variants.len(),
        played: found.iter().map(|(played, ..)| played).sum(),
        passed: found.iter().map(|(_, passed, _)| passed).sum(),
        alarms: found.into_iter().flat_map(|(.., alarms)| alarms).collect(),
    }
}

fn alarm(variant: &Variant, scenario: &Scenario, judged: &Judged) -> Option<Alarm> {
    judged.complains().then(|| Alarm {
        variant: variant.name.clone(),
        scenario: scenario.id.into(),
        what: judged.first(),
    })
}

/// Plays one scenario against a variant.
pub fn play(variant: &Variant, scenario: &Scenario) -> Judged {
    let mut config = Config::default();
    let outcome = match &variant.quirk {
        Quirk::Profile(profile) => {
            config.profile = profile.clone();
            outcome_with(scenario, &mut endpoint(config, &[]), Weather::default())
        }
        Quirk::Policy(set) => {
            set(&mut config.policy);
            outcome_with(scenario, &mut endpoint(config, &[]), Weather::default())
        }
        Quirk::Guise(guise) => {
            outcome_with(scenario, &mut Costume::new(endpoint(config, &[]), *guise), Weather::default())
        }
    };
    Judged::of(scenario, &outcome)
}

/// Name, what it does, what makes it legal, and how it is done.
pub(in crate::selftest) type Listed<T> = (&'static str, &'static str, &'static str, T);

const POLICIES: &[Listed<fn(&mut Policy)>] = &[
    ("keep-alive-30s", "Keep-alives come twice as often.", "GQL-KA-003, EVT-KA-001", |policy| {
        policy.keep_alive = Duration::from_secs(30);
    }),
    ("keep-alive-10s", "Keep-alives come six times as often.", "GQL-KA-003, EVT-KA-001", |policy| {
        policy.keep_alive = Duration::from_secs(10);
    }),
    ("timeout-ten-minutes", "The acknowledgement promises a longer silence.", "EVT-INIT-002", |policy| {
        policy.silence_limit_ms = 600_000;
    }),
    ("timeout-odd", "The timeout of the acknowledgement is no round number.", "EVT-INIT-002", |policy| {
        policy.silence_limit_ms = 299_999;
    }),
    ("invalidated-with-error", "An invalidated subscription ends with an error.", "GQL-A-07", |policy| {
        policy.gql_a_07 = GqlA07::Error;
    }),
    ("invalidated-stays-open", "After an invalidation the connection stays open.", "GQL-A-07", |policy| {
        policy.gql_a_07 = GqlA07::CompleteOnly;
    }),
    ("filters-other-reading-of-15", "Enhanced filters follow the other reading.", "GQL-A-15", |policy| {
        policy.filters.gql_a_15 = GqlA15::EndsExcluded;
    }),
    ("filters-other-reading-of-25", "Enhanced filters follow the other reading.", "GQL-A-25", |policy| {
        policy.filters.gql_a_25 = GqlA25::Observed;
    }),
];
