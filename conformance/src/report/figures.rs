//! How good the suite itself is, in numbers: what `syncspec selftest` measured when this version was made.
//!
//! The numbers stand in `figures.json`, which `syncspec selftest --write-figures` writes and a step of CI compares
//! with what it measures. Every JSON, HTML and Markdown report says them.

use std::fmt::Write as _;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The file, as it was when this was built.
const FILE: &str = include_str!("figures.json");

/// Between these lines of a text stands the table of figures.
const MARKS: (&str, &str) = ("<!-- figures of syncspec selftest -->", "<!-- end of figures -->");

/// A number of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The number.
    pub of: usize,
    /// The whole.
    pub all: usize,
}

impl Share {
    /// How many of them are true.
    pub fn count(all: impl Iterator<Item = bool>) -> Self {
        all.fold(Self::default(), |sum, counts| Self { of: sum.of + usize::from(counts), all: sum.all + 1 })
    }

    /// Whether it is at least so many hundredths of the whole.
    pub const fn is_at_least(self, percent: usize) -> bool {
        self.of.saturating_mul(100) >= self.all.saturating_mul(percent)
    }

    /// In tenths of a percent, rounded down, as people write it.
    pub fn percent(self) -> String {
        if self.all == 0 {
            return "none were tried".into();
        }
        let tenths = self.of.saturating_mul(1000) / self.all;
        format!("{}.{} %", tenths / 10, tenths % 10)
    }

    fn words(self) -> String {
        format!("{} of {} ({})", self.of, self.all, self.percent())
    }
}

/// The quality of the suite in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Hand-written saboteurs that are killed by their scenario for their reason.
    pub killed: Share,
    /// The same, of those that break a MUST.
    pub killed_must: Share,
    /// Kills that fail; the others warn.
    pub killed_at_fail: Share,
    /// Saboteurs that need a socket, and how many of them are killed over one.
    pub killed_over_sockets: Share,
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
    /// Cases whose verdict changed over sockets.
    pub flaky_over_sockets: usize,
    /// Runs over sockets, with delay and jitter in between.
    pub socket_repetitions: u32,
    /// Virtual time from the start of a scenario to the kill: the median, in milliseconds.
    pub median_kill_ms: u64,
}

/// What was measured when this version was made. That the file reads is tested.
pub fn published() -> Option<&'static Figures> {
    static READ: LazyLock<Option<Figures>> = LazyLock::new(|| serde_json::from_str(FILE).ok());
    READ.as_ref()
}

impl Figures {
    /// The text of the file.
    pub fn file(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// A text whose table of figures is this one.
    ///
    /// # Errors
    /// Where the text has no place for it.
    pub fn written_into(&self, text: &str) -> Result<String, String> {
        let missing = |mark: &str| format!("there is no line {mark:?}");
        let (before, rest) = text.split_once(MARKS.0).ok_or_else(|| missing(MARKS.0))?;
        let (_, after) = rest.split_once(MARKS.1).ok_or_else(|| missing(MARKS.1))?;
        Ok(format!("{before}{}\n\n{}\n{}{after}", MARKS.0, self.table(), MARKS.1))
    }

    /// One sentence for a report.
    pub fn sentence(&self) -> String {
        format!(
            "{} of {} faulty servers caught for their reason and {} of {} that were derived mechanically; {} false \
             alarms in {} plays of {} legal variants; {} cases passed by {} peers that do nothing; {} of {} plays \
             judged differently when repeated",
            self.killed.of.saturating_add(self.killed_over_sockets.of),
            self.killed.all.saturating_add(self.killed_over_sockets.all),
            self.derived_killed.of,
            self.derived_killed.all,
            self.false_alarms.of,
            self.false_alarms.all,
            self.benign_variants,
            self.null_score,
            self.null_peers,
            self.flaky.saturating_add(self.flaky_over_sockets),
            self.repeated_plays
        )
    }

    /// A Markdown table.
    pub fn table(&self) -> String {
        let alarms = self.false_alarms;
        let rows = [
            ("saboteurs killed by their scenario for their reason", self.killed.words()),
            ("... of those that break a MUST", self.killed_must.words()),
            ("... kills that fail, not warn", self.killed_at_fail.words()),
            ("saboteurs below the WebSocket layer killed, over sockets", self.killed_over_sockets.words()),
            ("derived saboteurs killed", self.derived_killed.words()),
            ("derived saboteurs that survive for a written reason", self.derived_explained.to_string()),
            (
                "false alarms",
                format!("{} in {} plays of {} benign variants", alarms.of, alarms.all, self.benign_variants),
            ),
            ("null score", format!("{} cases passed by {} null peers", self.null_score, self.null_peers)),
            (
                "flaky scenarios in virtual time",
                format!("{} in {} plays of {} repetitions", self.flaky, self.repeated_plays, self.repetitions),
            ),
            (
                "flaky cases over sockets",
                format!("{} in {} repetitions", self.flaky_over_sockets, self.socket_repetitions),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_published_figures_can_be_read_and_written_again() {
        assert_eq!(published().unwrap().file(), FILE);
    }

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let text = format!("above\n{}\nold\n{}\nbelow\n", MARKS.0, MARKS.1);
        let once = Figures::default().written_into(&text).unwrap();

        assert!(once.starts_with("above\n") && once.ends_with("\nbelow\n") && !once.contains("old"), "{once}");
        assert_eq!(Figures::default().written_into(&once).unwrap(), once);
    }

    #[test]
    fn figures_of_a_strange_report_are_told_too() {
        let most = Share { of: usize::MAX, all: usize::MAX };
        let strange = Figures { killed: most, killed_over_sockets: most, flaky: usize::MAX, ..Figures::default() };

        assert!(strange.sentence().contains("faulty servers"), "{}", strange.sentence());
        assert!(strange.table().contains("saboteurs"), "{}", strange.table());
        assert!(most.is_at_least(100) && !Share { of: 96, all: 100 }.is_at_least(97));
    }

    #[test]
    fn a_text_without_a_place_for_figures_is_refused() {
        assert!(Figures::default().written_into("nothing").unwrap_err().contains("there is no line"));
    }
}
