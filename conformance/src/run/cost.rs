//! What a run costs a target, before it starts: from the steps of the scenarios that were chosen.

use super::Options;
use crate::scenario::{Need, Publication, Step};

/// An estimate from above: as if everything that was chosen applied, and every warm-up took two events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Scenarios.
    pub scenarios: usize,
    /// Connections and HTTP requests.
    pub connections: u64,
    /// Messages.
    pub messages: u64,
}

/// Events that a warm-up usually takes at most.
const WARM: usize = 2;

impl Options {
    /// What running this costs.
    pub fn cost(&self) -> Cost {
        let mut cost = Cost::default();
        for scenario in self.selected() {
            let endpoint = self.endpoints.iter().find(|endpoint| endpoint.dialect == scenario.dialect);
            let (Some(endpoint), false) = (endpoint, scenario.needs.contains(&Need::Limits) && !self.limits) else {
                continue;
            };
            cost.scenarios += 1;
            // A hazard is followed by a look whether the target is still alive.
            cost.connections += u64::from(scenario.hazard);
            for step in (scenario.steps)(&endpoint.cast("cost-c000", "c3luY3NwZWMtcHJlZmxpZw==")) {
                cost.add(&step);
            }
        }
        cost
    }
}

impl Cost {
    fn add(&mut self, step: &Step) {
        match step {
            Step::Open { .. } | Step::Call { .. } | Step::Fire { .. } => self.connections += 1,
            Step::Send { .. } | Step::Raw { .. } | Step::Hangup { code: Some(_), .. } => self.messages += 1,
            Step::Warm { attempts, .. } => {
                for (_, publication) in attempts.iter().take(WARM) {
                    match publication {
                        Publication::Http(_) | Publication::Fire(_) => self.connections += 1,
                        Publication::Frame(..) => self.messages += 1,
                    }
                }
            }
            Step::Expect { .. } | Step::Forbid { .. } | Step::Quiet { .. } | Step::Hangup { code: None, .. } => {}
        }
    }
}
