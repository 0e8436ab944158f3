//! Coverage: which answer came to which operation in which state.

use std::collections::{BTreeMap, BTreeSet};

/// An answer to an operation in a state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Where the connection stood.
    pub state: String,
    /// The operation.
    pub op: String,
    /// What came.
    pub answer: String,
}

/// The cells that a campaign has covered, and how often each operation was answered.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    cells: BTreeSet<Cell>,
    visits: BTreeMap<String, u32>,
}

impl Coverage {
    /// Adds what one dialogue covered; says how many cells are new.
    pub fn add(&mut self, cells: &BTreeSet<Cell>) -> usize {
        let before = self.cells.len();
        for cell in cells {
            *self.visits.entry(cell.op.clone()).or_default() += 1;
            self.cells.insert(cell.clone());
        }
        self.cells.len() - before
    }

    /// How many cells are covered.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// How often this operation was answered, in whatever state.
    pub fn visits(&self, op: &str) -> u32 {
        self.visits.get(op).copied().unwrap_or_default()
    }

    /// The cells.
    pub const fn cells(&self) -> &BTreeSet<Cell> {
        &self.cells
    }
}
