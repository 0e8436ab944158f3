//! Dialogues in virtual time, against the reference endpoint or whatever stands in its place.

use std::collections::BTreeSet;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;

use super::driver::{Driver, Played, Setting, Source};
use crate::player::Limits;
use crate::reference::Config;
use crate::scenario::Capabilities;
use crate::selftest::stage::cast;
use crate::sim::{Peer, Weather, run_in};

/// What dialogues in virtual time are played with.
pub fn setting(dialect: Dialect, recorded: bool) -> Setting {
    let cast = cast(dialect, &Config::default());
    let capabilities = Capabilities::all();
    let (limits, pause_max) = (Limits::default(), Duration::from_secs(3_600));
    Setting {
        cast,
        limits,
        pause_max,
        recorded,
        judged: true,
        without: Vec::new(),
        passed_over: BTreeSet::new(),
        capabilities,
    }
}

/// Plays one dialogue against a peer.
pub fn play(setting: Setting, source: &mut dyn Source, peer: &mut dyn Peer, weather: Weather) -> Played {
    let mut driver = Driver::new(setting, source);
    run_in(&mut driver, peer, weather);
    driver.played()
}
