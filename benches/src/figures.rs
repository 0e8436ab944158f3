//! Figures that are published: where they were measured, their goals, and their place in the README.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::floor::Failure;

/// Where something was measured.
#[derive(Serialize)]
pub struct Machine {
    /// Seconds since 1970.
    pub at: u64,
    /// What it says of itself.
    pub processor: String,
    /// As many as may be used.
    pub cores: usize,
    /// Release of Linux.
    pub kernel: String,
    /// Load of the last minute before and after.
    pub load: [String; 2],
}

impl Machine {
    /// This one, now.
    pub fn look() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo");
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        Self {
            at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            processor: processor.trim_start_matches([' ', '\t', ':']).into(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().into(),
            load: [load(), String::new()],
        }
    }

    /// Notes the load after everything was measured.
    pub fn finish(&mut self) {
        self.load[1] = load();
    }

    /// When it began, as in RFC 3339.
    pub fn date(&self) -> String {
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(self.at)).to_string()
    }
}

fn load() -> String {
    let all = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    all.split(' ').next().unwrap_or_default().into()
}

/// The middle one; of two the higher.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Lowest, median, highest.
pub fn spread(values: Vec<f64>) -> [f64; 3] {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    [low, median(values), high]
}

/// A goal, and what was measured.
pub struct Goal {
    /// What is measured.
    pub what: String,
    /// Whether more is better.
    pub is_at_least: bool,
    /// The bound.
    pub goal: f64,
    /// What stands behind a number, with the space before it.
    pub unit: String,
    /// Lowest, median and highest round; the median counts.
    pub measured: [f64; 3],
}

impl Goal {
    /// Whether the median keeps to the bound.
    pub fn holds(&self) -> bool {
        if self.is_at_least { self.measured[1] >= self.goal } else { self.measured[1] <= self.goal }
    }

    /// For the terminal.
    pub fn text(&self) -> String {
        let [low, middle, high] = self.measured;
        let Self { what, goal, unit, .. } = self;
        let (bound, word) = (self.bound(), if self.holds() { "holds" } else { "missed" });
        format!("{what}: {middle:.2}{unit} ({low:.2} to {high:.2}), goal {bound} {goal}{unit}: {word}")
    }

    const fn bound(&self) -> &'static str {
        if self.is_at_least { "at least" } else { "at most" }
    }
}

/// Goals for readers, as a table of Markdown.
pub fn table(goals: &[Goal]) -> String {
    let mut out = String::from("| Goal | Bound | Measured (lowest to highest round) | |\n|---|---|---|---|\n");
    for goal in goals {
        let [low, middle, high] = goal.measured;
        let word = if goal.holds() { "holds" } else { "**missed**" };
        let (what, bound, bound_at, unit) = (&goal.what, goal.bound(), goal.goal, &goal.unit);
        // Writing to a string does not fail.
        let _ = writeln!(out, "| {what} | {bound} {bound_at}{unit} | {middle:.2} ({low:.2} to {high:.2}) | {word} |");
    }
    out
}

/// Puts a section between two lines of the README.
///
/// # Errors
/// If the README cannot be read or written, or lacks one of the lines.
pub fn put_into_readme(begin: &str, end: &str, section: &str) -> Result<(), Failure> {
    let readme: PathBuf = root().join("README.md");
    let text = std::fs::read_to_string(&readme)?;
    let between = text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let Some((before, after)) = between else {
        return Err(format!("README.md has no place for the figures: {begin} and {end}").into());
    };
    std::fs::write(readme, format!("{before}{begin}\n{section}{end}{after}"))?;
    Ok(())
}

/// The folder of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides_whether_a_goal_holds() {
        let goal = |is_at_least, goal| {
            let measured = spread(vec![3.0, 1.0, 2.0]);
            Goal { what: "w".into(), is_at_least, goal, unit: " KB".into(), measured }
        };

        let holds = [goal(true, 2.0), goal(true, 2.1), goal(false, 2.0), goal(false, 1.9)].map(|goal| goal.holds());

        assert_eq!(holds, [true, false, true, false]);
        assert_eq!(goal(true, 2.1).text(), "w: 2.00 KB (1.00 to 3.00), goal at least 2.1 KB: missed");
        assert!(table(&[goal(false, 2.0)]).ends_with("\n| w | at most 2 KB | 2.00 (1.00 to 3.00) | holds |\n"));
    }
}
