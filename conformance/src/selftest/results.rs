//! What the trial showed, as figures, as text and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::benign::Alarms;
use super::derived::{self, Fate as DerivedFate};
use super::flakes::Flakes;
use super::null::Score;
use super::saboteurs::{Fate, Row, Trial};
use super::survivors;

/// What every part of the trial showed.
#[derive(Clone)]
pub struct Results {
    /// Hand-written saboteurs.
    pub saboteurs: Vec<Trial>,
    /// Derived ones.
    pub derived: Vec<derived::Trial>,
    /// Benign variants.
    pub benign: Alarms,
    /// Null peers.
    pub nulls: Vec<Score>,
    /// Repetitions.
    pub flakes: Flakes,
}

/// A number of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The number.
    pub of: usize,
    /// The whole.
    pub all: usize,
}

impl Share {
    fn count(all: impl Iterator<Item = bool>) -> Self {
        all.fold(Self::default(), |sum, counts| Self { of: sum.of + usize::from(counts), all: sum.all + 1 })
    }

    /// Whether it is at least so many hundredths of the whole.
    pub const fn is_at_least(self, percent: usize) -> bool {
        self.of * 100 >= self.all * percent
    }

    /// In tenths of a percent, rounded down, as people write it.
    pub fn percent(self) -> String {
        let tenths = self.of * 1000 / self.all.max(1);
        format!("{}.{} %", tenths / 10, tenths % 10)
    }
}

/// The quality of the suite in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Hand-written saboteurs that are killed by their scenario for their reason.
    pub killed: Share,
    /// The same, of those that break a MUST.
    pub killed_must: Share,
    /// Kills that fail; the others warn.
    pub killed_at_fail: Share,
    /// Saboteurs that need a socket, and are played by no virtual trial.
    pub over_sockets: usize,
    /// Derived saboteurs that anything catches; those with an explanation are left out of the whole.
    pub derived_killed: Share,
    /// Derived saboteurs that survive with a reason.
    pub derived_explained: usize,
    /// Plays of benign variants with a fail or a warn.
    pub false_alarms: Share,
    /// Benign variants.
    pub benign_variants: usize,
    /// Cases passed by null peers.
    pub null_score: usize,
    /// Null peers.
    pub null_peers: usize,
    /// Scenarios whose verdict changed.
    pub flaky: usize,
    /// Repetitions of the catalogue in bad weather.
    pub repetitions: u32,
    /// Scenarios that were played in them.
    pub repeated_plays: usize,
    /// Virtual time from the start of a scenario to the kill: the median, in milliseconds.
    pub median_kill_ms: u64,
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
            over_sockets: self.saboteurs.len() - played.len(),
            derived_killed,
            derived_explained: explained,
            false_alarms: Share { of: self.benign.alarms.len(), all: self.benign.played },
            benign_variants: self.benign.variants,
            null_score: self.nulls.iter().map(|score| score.passed.len()).sum(),
            null_peers: self.nulls.len(),
            flaky: self.flakes.flakes.len(),
            repetitions: self.flakes.repetitions,
            repeated_plays: self.flakes.played,
            median_kill_ms: u64::try_from(median.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// What is not as it has to be: empty if the suite stands the trial.
    pub fn defects(&self) -> Vec<String> {
        let figures = self.figures();
        let mut defects = Vec::new();
        let killed = figures.killed;
        if !killed.is_at_least(97) {
            defects.push(format!("only {} of the saboteurs are killed, 97 % have to be", killed.percent()));
        }
        defects.extend(self.saboteurs.iter().filter(|trial| trial.breaks_a_must()).filter_map(
            |trial| match &trial.fate {
                Fate::Survived(how) => Some(format!("saboteur {} of a MUST survives: {how}", trial.fault.name)),
                Fate::Killed { .. } | Fate::NeedsSocket => None,
            },
        ));
        defects.extend(self.derived.iter().filter_map(|trial| {
            let name = &trial.derived.name;
            match &trial.fate {
                DerivedFate::Unexplained => Some(format!("derived saboteur {name} survives without a reason")),
                DerivedFate::Killed { by, breaks, .. } if survivors::reason(name).is_some() => {
                    Some(format!("derived saboteur {name} is listed as a survivor, but {by} reports {breaks}"))
                }
                DerivedFate::Killed { .. } | DerivedFate::Explained(_) => None,
            }
        }));
        let known = |name: &str| self.derived.iter().any(|trial| trial.derived.name == name);
        let stale = survivors::REASONS.iter().filter(|(name, _)| !self.derived.is_empty() && !known(name));
        defects.extend(stale.map(|(name, _)| format!("there is no derived saboteur {name} that could survive")));
        defects.extend(
            self.benign
                .alarms
                .iter()
                .map(|alarm| format!("false alarm: {} against {}: {}", alarm.scenario, alarm.variant, alarm.what)),
        );
        for score in self.nulls.iter().filter(|score| !score.passed.is_empty()) {
            defects.push(format!("the null peer {:?} passes {}", score.null, score.passed.join(", ")));
        }
        for flake in &self.flakes.flakes {
            let verdicts: Vec<_> =
                flake.verdicts.iter().map(|(verdict, seed)| format!("{verdict} (seed {seed})")).collect();
            defects.push(format!("{} is judged {}", flake.scenario, verdicts.join(" and ")));
        }
        defects
    }

    /// Survivors with their reasons, hand-written ones first.
    pub fn survivors(&self) -> Vec<(String, String)> {
        let hand = self.saboteurs.iter().filter_map(|trial| match &trial.fate {
            Fate::Survived(how) => Some((trial.fault.name.to_owned(), how.clone())),
            Fate::Killed { .. } | Fate::NeedsSocket => None,
        });
        let derived = self.derived.iter().filter_map(|trial| match &trial.fate {
            DerivedFate::Explained(why) => Some((trial.derived.name.clone(), (*why).to_owned())),
            DerivedFate::Unexplained => Some((trial.derived.name.clone(), "nobody knows why".to_owned())),
            DerivedFate::Killed { .. } => None,
        });
        hand.chain(derived).collect()
    }

    /// Figures, survivors and defects for a person.
    pub fn text(&self) -> String {
        let mut out = self.figures().table();
        let survivors = self.survivors();
        if !survivors.is_empty() {
            let _ = writeln!(out, "\nSurvivors:");
            for (name, why) in survivors {
                let _ = writeln!(out, "  {name}: {why}");
            }
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

    /// Everything for a program.
    pub fn json(&self) -> String {
        let survivors: Vec<_> = self
            .survivors()
            .into_iter()
            .map(|(name, reason)| serde_json::json!({ "name": name, "reason": reason }))
            .collect();
        serde_json::json!({ "figures": self.figures(), "survivors": survivors, "defects": self.defects() }).to_string()
    }
}

impl Figures {
    /// A Markdown table.
    pub fn table(&self) -> String {
        let share = |share: Share| format!("{} of {} ({})", share.of, share.all, share.percent());
        let rows = [
            ("saboteurs killed for their reason", share(self.killed)),
            ("... of those that break a MUST", share(self.killed_must)),
            ("... kills that fail, not warn", share(self.killed_at_fail)),
            ("saboteurs below the WebSocket layer (tried over sockets)", self.over_sockets.to_string()),
            ("derived saboteurs killed", share(self.derived_killed)),
            ("derived saboteurs that survive for a reason", self.derived_explained.to_string()),
            (
                "false alarms",
                format!(
                    "{} in {} plays of {} benign variants",
                    self.false_alarms.of, self.false_alarms.all, self.benign_variants
                ),
            ),
            ("null score", format!("{} cases passed by {} null peers", self.null_score, self.null_peers)),
            (
                "flaky scenarios",
                format!("{} in {} plays of {} repetitions", self.flaky, self.repeated_plays, self.repetitions),
            ),
            ("median virtual time to a kill", format!("{} ms", self.median_kill_ms)),
        ];
        let mut out = String::from("| Figure | Value |\n|---|---|\n");
        for (name, value) in rows {
            let _ = writeln!(out, "| {name} | {value} |");
        }
        out
    }
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
