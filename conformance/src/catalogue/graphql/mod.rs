//! Scenarios of the GraphQL dialect.

mod control;
mod steps;

use crate::fault::Fault;
use crate::scenario::Scenario;

/// Scenarios by area; the control comes first.
pub static SCENARIOS: &[&[Scenario]] = &[control::SCENARIOS];

/// Saboteurs by area.
pub static FAULTS: &[&[Fault]] = &[control::FAULTS];
