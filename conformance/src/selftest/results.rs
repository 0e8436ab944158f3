//! What the trial showed, as figures, as text and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::benign::Alarms;
use super::derived::{self, Fate as DerivedFate};
use super::flakes::Flakes;
use super::null::Score;
use super::saboteurs::{Fate, Row, Trial};
use super::sockets::Sockets;
use super::survivors;
pub use crate::report::figures::{Figures, Share};
use crate::verdict::Verdict;

/// What every part of the trial showed.
#[derive(Clone, Default)]
pub struct Results {
    /// Hand-written saboteurs, those below the WebSocket layer apart.
    pub saboteurs: Vec<Trial>,
    /// Those below the WebSocket layer, over sockets.
    pub below: Vec<Trial>,
    /// Derived ones.
    pub derived: Vec<derived::Trial>,
    /// Benign variants.
    pub benign: Alarms,
    /// Benign variants over sockets.
    pub links: Alarms,
    /// Null peers.
    pub nulls: Vec<Score>,
    /// Repetitions in virtual time.
    pub flakes: Flakes,
    /// Repetitions over sockets.
    pub sockets: Sockets,
}

impl Results {
    /// The figures.
    pub fn figures(&self) -> Figures {
        let is_killed = |trial: &&Trial| matches!(trial.fate, Fate::Killed { .. });
        let played: Vec<&Trial> = self.saboteurs.iter().filter(|trial| trial.fate != Fate::NeedsSocket).collect();
        let must = played.iter().filter(|trial| trial.breaks_a_must());
        let explained = self.derived.iter().filter(|trial| matches!(trial.fate, DerivedFate::Explained(_))).count();
        let derived_killed = Share::count(
            self.derived
                .iter()
                .filter(|trial| !matches!(trial.fate, DerivedFate::Explained(_)))
                .map(|trial| matches!(trial.fate, DerivedFate::Killed { .. })),
        );
        let mut times: Vec<Duration> = played
            .iter()
            .filter_map(|trial| match trial.fate {
                Fate::Killed { after } => Some(after),
                Fate::Survived(_) | Fate::NeedsSocket => None,
            })
            .collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        Figures {
            killed: Share::count(played.iter().map(is_killed)),
            killed_must: Share::count(must.map(is_killed)),
            killed_at_fail: Share::count(played.iter().filter(|trial| is_killed(trial)).map(|trial| trial.at_fail())),
            killed_over_sockets: Share::count(self.below.iter().map(|trial| is_killed(&trial))),
            derived_killed,
            derived_explained: explained,
            false_alarms: Share {
                of: self.benign.alarms.len() + self.links.alarms.len(),
                all: self.benign.played + self.links.played,
            },
            benign_variants: self.benign.variants + self.links.variants,
            null_score: self.nulls.iter().map(|score| score.passed.len()).sum(),
            null_peers: self.nulls.len(),
            flaky: self.flakes.flakes.len(),
            repetitions: self.flakes.repetitions,
            repeated_plays: self.flakes.played,
            flaky_over_sockets: self.sockets.flakes.len(),
            socket_repetitions: self.sockets.repetitions,
            median_kill_ms: millis(median),
        }
    }

    /// What is not as it has to be: empty if the suite stands the trial.
    pub fn defects(&self) -> Vec<String> {
        let killed = self.figures().killed;
        let too_few = format!("only {} of the saboteurs are killed, 97 % have to be", killed.percent());
        let mut defects: Vec<_> = (!killed.is_at_least(97)).then_some(too_few).into_iter().collect();
        defects.extend(self.escaped());
        defects.extend(self.unexplained());
        if !self.derived.is_empty() {
            defects.extend(stale_reasons());
        }
        let alarms = self.benign.alarms.iter().chain(&self.links.alarms);
        defects.extend(
            alarms.map(|alarm| format!("false alarm: {} against {}: {}", alarm.scenario, alarm.variant, alarm.what)),
        );
        for score in self.nulls.iter().filter(|score| !score.passed.is_empty()) {
            defects.push(format!("the null peer {:?} passes {}", score.null, score.passed.join(", ")));
        }
        defects.extend(self.mixed());
        defects
    }

    /// Saboteurs of a MUST, and those below the WebSocket layer, that survive.
    fn escaped(&self) -> Vec<String> {
        let grave = self.saboteurs.iter().filter(|trial| trial.breaks_a_must()).chain(&self.below);
        grave
            .filter_map(|trial| match &trial.fate {
                Fate::Survived(how) => Some(format!("saboteur {} survives: {how}", trial.fault.name)),
                Fate::Killed { .. } | Fate::NeedsSocket => None,
            })
            .collect()
    }

    /// Derived saboteurs that survive without a reason, and reasons whose saboteur is killed after all.
    fn unexplained(&self) -> Vec<String> {
        let defect = |trial: &derived::Trial| {
            let name = &trial.derived.name;
            match &trial.fate {
                DerivedFate::Unexplained => Some(format!("derived saboteur {name} survives without a reason")),
                DerivedFate::Killed { by, breaks, .. } if survivors::reason(name).is_some() => {
                    Some(format!("derived saboteur {name} is listed as a survivor, but {by} reports {breaks}"))
                }
                DerivedFate::Killed { .. } | DerivedFate::Explained(_) => None,
            }
        };
        self.derived.iter().filter_map(defect).collect()
    }

    /// What was not always judged the same.
    fn mixed(&self) -> Vec<String> {
        let line = |case: &str, verdicts: Vec<String>| format!("{case} is judged {}", verdicts.join(" and "));
        let seen = |(verdict, seed): (&Verdict, &u64)| format!("{verdict} (seed {seed})");
        let flakes = self.flakes.flakes.iter();
        let virtual_ones =
            flakes.map(|flake| line(flake.scenario, flake.verdicts.iter().map(|(v, s)| seen((v, s))).collect()));
        let sockets = self.sockets.flakes.iter();
        let over_sockets = sockets
            .map(|flake| line(&format!("over sockets {}", flake.case), flake.verdicts.iter().map(seen).collect()));
        let troubles =
            self.sockets.troubles.iter().map(|trouble| format!("over sockets nothing was judged: {trouble}"));
        virtual_ones.chain(over_sockets).chain(troubles).collect()
    }

    /// Survivors with their reasons, hand-written ones first, equal reasons together.
    pub fn survivors(&self) -> Vec<(String, String)> {
        let hand = self.saboteurs.iter().chain(&self.below).filter_map(|trial| match &trial.fate {
            Fate::Survived(how) => Some((trial.fault.name.to_owned(), how.clone())),
            Fate::Killed { .. } | Fate::NeedsSocket => None,
        });
        let derived = self.derived.iter().filter_map(|trial| match &trial.fate {
            DerivedFate::Explained(why) => Some((trial.derived.name.clone(), (*why).to_owned())),
            DerivedFate::Unexplained => Some((trial.derived.name.clone(), "nobody knows why".to_owned())),
            DerivedFate::Killed { .. } => None,
        });
        let mut derived: Vec<_> = derived.collect();
        derived.sort_by(|one, other| one.1.cmp(&other.1));
        hand.chain(derived).collect()
    }

    /// Figures, survivors and defects for a person.
    pub fn text(&self) -> String {
        let mut out = self.figures().table();
        let survivors = self.survivors();
        let mut last = "";
        for (name, why) in &survivors {
            if why != last {
                let _ = writeln!(out, "\nSurvive because: {why}");
            }
            last = why;
            let _ = writeln!(out, "  {name}");
        }
        let defects = self.defects();
        if !defects.is_empty() {
            let _ = writeln!(out, "\nDefects:");
            for defect in defects {
                let _ = writeln!(out, "  {defect}");
            }
        }
        out
    }

    /// Everything for a program: figures, the fate of each saboteur, survivors with reasons, defects.
    pub fn json(&self) -> String {
        let hand = self.saboteurs.iter().chain(&self.below).map(|trial| {
            let fault = trial.fault;
            let fate = match &trial.fate {
                Fate::Killed { after } => json!({ "killed_after_ms": millis(*after) }),
                Fate::Survived(how) => json!({ "survived": how }),
                Fate::NeedsSocket => json!({ "not_tried": "it needs a socket" }),
            };
            json!({ "name": fault.name, "breaks": fault.breaks.id(), "designated": fault.caught_by, "fate": fate })
        });
        let derived = self.derived.iter().map(|trial| {
            let fate = match &trial.fate {
                DerivedFate::Killed { by, breaks, after } => {
                    json!({ "killed_by": by, "breaks": breaks.id(), "killed_after_ms": millis(*after) })
                }
                DerivedFate::Explained(why) => json!({ "explained": why }),
                DerivedFate::Unexplained => json!({ "survived": "nobody knows why" }),
            };
            json!({ "name": trial.derived.name, "fate": fate })
        });
        let survivors = self.survivors().into_iter();
        json!({
            "figures": self.figures(),
            "saboteurs": hand.collect::<Vec<_>>(),
            "derived": derived.collect::<Vec<_>>(),
            "survivors": survivors.map(|(name, why)| json!({ "name": name, "reason": why })).collect::<Vec<_>>(),
            "defects": self.defects(),
        })
        .to_string()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Reasons of no derived saboteur, and those that are given twice.
fn stale_reasons() -> Vec<String> {
    let known: BTreeSet<String> = derived::derived().into_iter().map(|derived| derived.name).collect();
    let mut seen = BTreeSet::new();
    let defect = |name: &'static str| match (known.contains(name), seen.insert(name)) {
        (false, _) => Some(format!("there is no derived saboteur {name} that could survive")),
        (true, false) => Some(format!("the survival of {name} has two reasons")),
        (true, true) => None,
    };
    survivors::names().filter_map(defect).collect()
}

/// The kill matrix as CSV: a row for each saboteur, with the scenarios that catch it.
pub fn matrix_csv(rows: &[Row]) -> String {
    let mut out = String::from("saboteur,requirement,designated,caught_by_count,caught_by\n");
    for Row { fault, caught_by } in rows {
        let _ = writeln!(
            out,
            "{},{},{},{},{}",
            fault.name,
            fault.breaks,
            fault.caught_by,
            caught_by.len(),
            caught_by.join(" ")
        );
    }
    out
}
