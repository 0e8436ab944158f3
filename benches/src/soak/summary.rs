//! What a run found, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::child::Look;
use crate::ledger::Counts;

/// Resident memory may grow by this factor over what it was after the warm-up.
const GROWTH_MAX: f64 = 1.3;
/// Or by this much, where that is more.
const GROWTH_MAX_KB: u64 = 8 * 1024;

/// Everything that is to be said at the end.
pub(crate) struct Summary {
    /// Draws everything.
    pub(crate) seed: u64,
    /// Of the main part.
    pub(crate) time: Duration,
    /// Honest clients.
    pub(crate) connections: u32,
    /// Totals, the warm-up included.
    pub(crate) counts: Counts,
    /// Faults by name.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Before anything.
    pub(crate) start: Look,
    /// After the warm-up, when everybody had left.
    pub(crate) warm: Look,
    /// Greatest resident memory that was seen.
    pub(crate) peak_kb: u64,
    /// After everything, when everybody had left.
    pub(crate) end: Look,
    /// The last line of the endpoint.
    pub(crate) farewell: String,
    /// The first complaints.
    pub(crate) complaints: Vec<String>,
}

/// Resident memory up to which nothing has leaked.
pub(crate) fn bound_kb(warm_kb: u64) -> u64 {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "KB")]
    let grown = (warm_kb as f64 * GROWTH_MAX) as u64;
    grown.max(warm_kb + GROWTH_MAX_KB)
}

/// What has leaked, in words.
pub(crate) fn leaks(start: Look, warm: Look, end: Look) -> Vec<String> {
    let mut leaks = Vec::new();
    let bound = bound_kb(warm.resident_kb);
    if end.resident_kb > bound {
        leaks.push(format!("memory: {} KB when all have left; at most {bound} KB expected", end.resident_kb));
    }
    if end.files > start.files {
        leaks.push(format!("files: {} open when all have left; {} expected", end.files, start.files));
    }
    if end.open > 0 {
        leaks.push(format!("connections: {} live when all have left; none expected", end.open));
    }
    leaks
}

impl Summary {
    /// Whether nothing was lost, misdelivered or leaked.
    pub(crate) const fn holds(&self) -> bool {
        self.counts.wrong() == 0
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> Value {
        let counts = &self.counts;
        json!({
            "holds": self.holds(),
            "seed": self.seed,
            "time_s": self.time.as_secs(),
            "connections": self.connections,
            "subscriptions": {"asked": counts.asked, "granted": counts.granted},
            "events": {
                "published": counts.published, "accepted": counts.accepted, "refused": counts.refused,
                "delivered": counts.delivered, "delivered_bytes": counts.bytes,
            },
            "wrong": {
                "missing": counts.missing, "forbidden": counts.forbidden, "duplicate": counts.duplicate,
                "unknown": counts.unknown, "damaged": counts.damaged, "other": counts.other,
            },
            "faults": self.faults,
            "slow_consumers": self.end.slow,
            "resident_kb": {
                "start": self.start.resident_kb, "warm": self.warm.resident_kb, "peak": self.peak_kb,
                "end": self.end.resident_kb, "bound": bound_kb(self.warm.resident_kb),
            },
            "files": {"start": self.start.files, "end": self.end.files},
            "live_connections": self.end.open,
            "farewell": self.farewell,
            "complaints": self.complaints,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counts, start, warm, end, .. } = self;
        let word = if self.holds() { "holds" } else { "does not hold" };
        let time = humantime::format_duration(self.time);
        writeln!(f, "soak {word}: {time}, {} clients, seed {}", self.connections, self.seed)?;
        writeln!(f, "  subscriptions  {} asked for, {} granted", counts.asked, counts.granted)?;
        let (published, accepted, refused) = (counts.published, counts.accepted, counts.refused);
        writeln!(f, "  events         {published} published, {accepted} accepted, {refused} refused")?;
        writeln!(f, "  arrivals       {}, {} MB", counts.delivered, counts.bytes / 1_000_000)?;
        write!(f, "  wrong          {} missing, {} forbidden", counts.missing, counts.forbidden)?;
        write!(f, ", {} duplicate, {} unknown", counts.duplicate, counts.unknown)?;
        writeln!(f, ", {} damaged, {} other", counts.damaged, counts.other)?;
        let (warm_kb, end_kb, bound) = (warm.resident_kb, end.resident_kb, bound_kb(warm.resident_kb));
        write!(f, "  memory         {} KB at the start, {warm_kb} KB after the warm-up", start.resident_kb)?;
        writeln!(f, ", {} KB at most, {end_kb} KB at the end (bound {bound} KB)", self.peak_kb)?;
        writeln!(f, "  files          {} at the start, {} at the end", start.files, end.files)?;
        writeln!(f, "  live           {} connections at the end", end.open)?;
        writeln!(f, "  endpoint       {}", self.farewell)?;
        for (fault, count) in &self.faults {
            writeln!(f, "  {count:>6} x {fault}")?;
        }
        if !self.holds() {
            writeln!(f, "the first complaints of {}:", counts.wrong())?;
        }
        self.complaints.iter().try_for_each(|complaint| writeln!(f, "  {complaint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Look = Look { resident_kb: 10_000, files: 12, open: 0, slow: 0 };
    const WARM: Look = Look { resident_kb: 50_000, ..START };

    #[test]
    fn memory_may_grow_by_a_third_or_by_eight_megabytes() {
        assert_eq!(bound_kb(10_000), 18_192);
        assert_eq!(bound_kb(100_000), 130_000);
    }

    #[test]
    fn what_comes_back_has_not_leaked() {
        assert_eq!(leaks(START, WARM, Look { resident_kb: 65_000, ..START }), Vec::<String>::new());
        assert_eq!(leaks(START, WARM, Look { files: 11, ..START }), Vec::<String>::new());
    }

    #[test]
    fn memory_files_and_connections_leak_each_on_their_own() {
        for (end, word) in [
            (Look { resident_kb: 65_001, ..START }, "memory"),
            (Look { files: 13, ..START }, "files"),
            (Look { open: 1, ..START }, "connections"),
        ] {
            let leaks = leaks(START, WARM, end);

            assert_eq!(leaks.len(), 1);
            assert!(leaks[0].starts_with(word), "{}", leaks[0]);
        }
    }
}
