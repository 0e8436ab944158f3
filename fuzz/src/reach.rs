//! How often an oracle was really reached.
//!
//! A target that returns early on every input finds nothing and looks healthy. So each place where a target compares
//! something with an independent answer counts, and the replay of the stored corpora holds the counts against floors.

use std::sync::atomic::{AtomicU64, Ordering};

/// One place where an oracle speaks.
#[derive(Debug)]
pub struct Point {
    name: &'static str,
    count: AtomicU64,
}

impl Point {
    /// A point that was not reached yet. The name is `target/what-was-compared`.
    pub const fn new(name: &'static str) -> Self {
        Self { name, count: AtomicU64::new(0) }
    }

    /// Counts.
    pub fn reached(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How often it was reached in this process.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// The points that were reached less often than their floors say, and points without a floor. A floor is at least 1.
pub fn below(points: &[&Point], floors: &[(&str, u64)]) -> Vec<String> {
    let short = |point: &&Point| match floors.iter().find(|(name, _)| *name == point.name()) {
        Some((name, floor)) if point.count() < *floor || *floor == 0 => {
            Some(format!("{name} was reached {} times; expected at least {}", point.count(), (*floor).max(1)))
        }
        Some(_) => None,
        None => Some(format!("{} has no floor; it was reached {} times", point.name(), point.count())),
    };
    let unknown = floors.iter().filter(|(name, _)| points.iter().all(|point| point.name() != *name));
    points
        .iter()
        .filter_map(short)
        .chain(unknown.map(|(name, _)| format!("{name} is no point of the target")))
        .collect()
}
