//! What the tests of the catalogue share: one scenario in virtual time.

use std::sync::LazyLock;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use syncspec::fault::How;
use syncspec::player::{Limits, Outcome};
use syncspec::reference::graphql::Engine;
use syncspec::reference::{Config, Endpoint};
use syncspec::scenario::{Cast, Need, Scenario};
use syncspec::sim::play;

/// The schema, read once.
static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::configured(&Config::default().graphql).expect("the default schema is valid"));

/// Limits under which everything can be judged in virtual time.
pub(crate) fn limits() -> Limits {
    Limits { scenario: Duration::from_secs(2 * 24 * 60 * 60), keep_alive: None, ..Limits::default() }
}

/// A cast whose names fit the default endpoint.
pub(crate) fn cast(dialect: Dialect, config: &Config) -> Cast {
    Cast { prefix: "r1-c001".into(), api_key: config.api_key().to_owned(), ..Cast::example(dialect) }
}

/// Plays a scenario on an endpoint that is bent like this.
pub(crate) fn outcome(scenario: &Scenario, bent: &[How]) -> Outcome {
    outcome_of(scenario, Config::default(), bent)
}

/// Plays a scenario on an endpoint of this configuration that is bent like this.
pub(crate) fn outcome_of(scenario: &Scenario, config: Config, bent: &[How]) -> Outcome {
    let cast = cast(scenario.dialect, &config);
    let mut endpoint = Endpoint::with_engine(config, bent, ENGINE.fresh());
    play(scenario, cast, limits(), &mut endpoint)
}

/// Whether the virtual world has what the scenario needs.
pub(crate) fn playable(scenario: &Scenario) -> bool {
    !scenario.needs.contains(&Need::Socket)
}
