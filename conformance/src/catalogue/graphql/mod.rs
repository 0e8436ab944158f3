//! Scenarios of the GraphQL dialect.

mod alike;
mod close;
mod control;
mod credentials;
mod declared;
mod delivery;
pub(crate) mod enhanced;
mod errors;
mod filter;
mod framing;
mod handshake;
mod hazards;
mod http;
mod init;
mod keepalive;
mod limits;
mod messages;
mod modes;
mod probes;
mod repeats;
mod steps;
mod subscribe;
mod unsubscribe;

use crate::fault::Fault;
use crate::scenario::Scenario;

/// Scenarios by area; the control comes first.
pub static SCENARIOS: &[&[Scenario]] = &[
    control::SCENARIOS,
    handshake::SCENARIOS,
    credentials::SCENARIOS,
    modes::PER_MODE,
    modes::SCENARIOS,
    init::SCENARIOS,
    keepalive::SCENARIOS,
    subscribe::SCENARIOS,
    delivery::SCENARIOS,
    filter::SCENARIOS,
    enhanced::SCENARIOS,
    enhanced::LIMITS,
    declared::SCENARIOS,
    unsubscribe::SCENARIOS,
    errors::SCENARIOS,
    messages::SCENARIOS,
    limits::SCENARIOS,
    close::SCENARIOS,
    framing::SCENARIOS,
    hazards::SCENARIOS,
    http::SCENARIOS,
    repeats::SCENARIOS,
    alike::SCENARIOS,
    probes::SCENARIOS,
];

/// Saboteurs by area.
pub static FAULTS: &[&[Fault]] = &[
    control::FAULTS,
    handshake::FAULTS,
    credentials::FAULTS,
    modes::PER_MODE_FAULTS,
    modes::FAULTS,
    init::FAULTS,
    keepalive::FAULTS,
    subscribe::FAULTS,
    delivery::FAULTS,
    filter::FAULTS,
    enhanced::FAULTS,
    declared::FAULTS,
    unsubscribe::FAULTS,
    errors::FAULTS,
    messages::FAULTS,
    limits::FAULTS,
    close::FAULTS,
    framing::FAULTS,
    hazards::FAULTS,
    http::FAULTS,
    repeats::FAULTS,
    alike::FAULTS,
];
