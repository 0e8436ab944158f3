//! Scenarios of the Events dialect.

pub(super) mod alike;
mod channel;
mod close;
mod control;
mod credentials;
mod declared;
mod delivery;
mod errors;
mod framing;
mod handshake;
mod http;
mod init;
mod keepalive;
mod limits;
mod modes;
mod probes;
mod publish;
mod publish_steps;
mod refused;
mod repeats;
pub(crate) mod session_steps;
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
    channel::SCENARIOS,
    channel::wildcard::SCENARIOS,
    subscribe::SCENARIOS,
    subscribe::ids::SCENARIOS,
    unsubscribe::SCENARIOS,
    delivery::SCENARIOS,
    publish::SCENARIOS,
    refused::SCENARIOS,
    http::SCENARIOS,
    http::contract::SCENARIOS,
    declared::SCENARIOS,
    declared::SUBSCRIBE,
    declared::AUTHORIZER,
    errors::SCENARIOS,
    errors::kinds::SCENARIOS,
    limits::SCENARIOS,
    close::SCENARIOS,
    framing::SCENARIOS,
    framing::extremes::SCENARIOS,
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
    channel::FAULTS,
    channel::wildcard::FAULTS,
    subscribe::FAULTS,
    subscribe::ids::FAULTS,
    unsubscribe::FAULTS,
    delivery::FAULTS,
    publish::FAULTS,
    refused::FAULTS,
    http::FAULTS,
    http::contract::FAULTS,
    declared::FAULTS,
    declared::SUBSCRIBE_FAULTS,
    declared::AUTHORIZER_FAULTS,
    errors::FAULTS,
    errors::kinds::FAULTS,
    limits::FAULTS,
    close::FAULTS,
    framing::FAULTS,
    framing::extremes::FAULTS,
    repeats::FAULTS,
    alike::FAULTS,
];
