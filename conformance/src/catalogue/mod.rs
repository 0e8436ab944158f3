//! The scenarios and their saboteurs, by dialect and area: data, nothing else.

pub mod events;
pub mod graphql;
pub(crate) mod modes;
pub mod probes;

use crate::fault::Fault;
use crate::scenario::Scenario;

/// Every scenario, controls first, by dialect and area.
pub fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    graphql::SCENARIOS.iter().chain(events::SCENARIOS).flat_map(|area| area.iter())
}

/// Every saboteur.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    graphql::FAULTS.iter().chain(events::FAULTS).flat_map(|area| area.iter())
}
