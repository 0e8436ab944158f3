//! What a run found, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::child::{Heap, Look};
use crate::ledger::Counts;

/// Bytes that may live beyond those after the warm-up: buffers that have grown once, names of the last operations.
const LIVE_MAX: u64 = 256 * 1024;
/// Resident memory may be this many halves of the most bytes that ever lived, beyond what it was at the start: an
/// allocator keeps what it needed then, and what lies between is lost to it.
const RESIDENT_HALVES: u64 = 3;
/// And this much more, for stacks and pages that are touched once.
const RESIDENT_MORE_KB: u64 = 4 * 1024;

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

/// Resident memory that can be accounted for; `None` where bytes are not counted.
fn resident_bound_kb(start: Look, end: Look) -> Option<u64> {
    Some(start.resident_kb + end.heap?.peak / 1024 * RESIDENT_HALVES / 2 + RESIDENT_MORE_KB)
}

/// What has leaked, in words.
pub(crate) fn leaks(start: Look, warm: Look, end: Look) -> Vec<String> {
    let mut leaks = Vec::new();
    if let (Some(Heap { live: before, .. }), Some(Heap { live, .. })) = (warm.heap, end.heap)
        && live > before + LIVE_MAX
    {
        leaks.push(format!(
            "memory: {live} bytes live when all have left; at most {LIVE_MAX} more than {before} expected"
        ));
    }
    if let Some(bound) = resident_bound_kb(start, end).filter(|bound| end.resident_kb > *bound) {
        leaks.push(format!("memory: {} KB resident when all have left; at most {bound} KB expected", end.resident_kb));
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
                "end": self.end.resident_kb, "bound": resident_bound_kb(self.start, self.end),
            },
            "live_bytes": {
                "start": live(self.start), "warm": live(self.warm), "end": live(self.end),
                "peak": self.end.heap.map(|heap| heap.peak), "growth_max": LIVE_MAX,
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
        match (start.heap, warm.heap, end.heap) {
            (Some(start), Some(warm), Some(Heap { live, peak })) => {
                write!(
                    f,
                    "  bytes that live {} at the start, {} after the warm-up, {peak} at most",
                    start.live, warm.live
                )?;
                writeln!(f, ", {live} at the end (bound {})", warm.live + LIVE_MAX)?;
            }
            (..) => writeln!(f, "  bytes that live not counted by this command: leaks of memory are not seen")?,
        }
        let (warm_kb, end_kb) = (warm.resident_kb, end.resident_kb);
        write!(f, "  resident       {} KB at the start, {warm_kb} KB after the warm-up", start.resident_kb)?;
        write!(f, ", {} KB at most, {end_kb} KB at the end", self.peak_kb)?;
        writeln!(
            f,
            "{}",
            resident_bound_kb(*start, *end).map_or_else(String::new, |bound| format!(" (bound {bound} KB)"))
        )?;
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

fn live(look: Look) -> Option<u64> {
    look.heap.map(|heap| heap.live)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAP: Heap = Heap { live: 5_000_000, peak: 20_480_000 };
    const START: Look = Look { resident_kb: 10_000, files: 12, open: 0, slow: 0, heap: Some(HEAP) };
    /// What the most bytes that lived account for.
    const RESIDENT: u64 = 10_000 + 30_000 + RESIDENT_MORE_KB;

    #[test]
    fn what_comes_back_has_not_leaked() {
        let live = Some(Heap { live: HEAP.live + LIVE_MAX, ..HEAP });

        for end in [
            Look { resident_kb: RESIDENT, ..START },
            Look { files: 11, ..START },
            Look { heap: live, ..START },
            Look { heap: None, resident_kb: u64::MAX, ..START },
        ] {
            assert_eq!(leaks(START, START, end), Vec::<String>::new());
        }
    }

    #[test]
    fn memory_files_and_connections_leak_each_on_their_own() {
        let live = Some(Heap { live: HEAP.live + LIVE_MAX + 1, ..HEAP });

        for (end, words) in [
            (Look { heap: live, ..START }, "memory: 5262145 bytes live"),
            (Look { resident_kb: RESIDENT + 1, ..START }, "memory: 44097 KB resident"),
            (Look { files: 13, ..START }, "files"),
            (Look { open: 1, ..START }, "connections"),
        ] {
            let leaks = leaks(START, START, end);

            assert_eq!(leaks.len(), 1);
            assert!(leaks[0].starts_with(words), "{}", leaks[0]);
        }
    }
}
