//! The bodies of the fuzz targets: functions that panic when an invariant is broken.
//!
//! Each target is a module here that opens with its invariant, and three lines under `fuzz_targets/`. `tests/replay.rs`
//! runs the stored corpora through the same functions on a stable compiler, and holds what their oracles reached against
//! floors, so that neither can rot.

#[cfg(feature = "suite")]
pub mod baseline;
pub mod channel;
#[cfg(feature = "suite")]
pub mod chunking;
pub mod conversation;
pub mod credentials;
pub mod decode;
pub mod draw;
pub mod duel;
pub mod encode;
pub mod filter;
pub mod handshake;
pub mod hub;
pub mod mutate;
#[cfg(feature = "suite")]
pub mod player;
pub mod reach;
#[cfg(feature = "suite")]
pub mod recording;
#[cfg(feature = "suite")]
pub mod report;
#[cfg(feature = "suite")]
pub mod scalars;
#[cfg(feature = "suite")]
pub mod settings;
#[cfg(feature = "suite")]
pub mod sigv4;
#[cfg(feature = "suite")]
pub mod start;
#[cfg(feature = "suite")]
pub mod writers;

use reach::Point;

/// One target: its name, its body, and where its oracle speaks.
pub type Target = (&'static str, fn(&[u8]), &'static [&'static Point]);

/// Targets of the model.
pub static MODEL: [Target; 9] = [
    ("decode", decode::run, &decode::POINTS),
    ("encode", encode::run, &encode::POINTS),
    ("handshake", handshake::run, &handshake::POINTS),
    ("credentials", credentials::run, &credentials::POINTS),
    ("channel", channel::run, &channel::POINTS),
    ("filter", filter::run, &filter::POINTS),
    ("conversation", conversation::run, &conversation::POINTS),
    ("duel", duel::run, &duel::POINTS),
    ("hub", hub::run, &hub::POINTS),
];

/// Targets of the suite.
#[cfg(feature = "suite")]
pub static SUITE: [Target; 10] = [
    ("sigv4", sigv4::run, &sigv4::POINTS),
    ("scalars", scalars::run, &scalars::POINTS),
    ("start", start::run, &start::POINTS),
    ("player", player::run, &player::POINTS),
    ("chunking", chunking::run, &chunking::POINTS),
    ("recording", recording::run, &recording::POINTS),
    ("report", report::run, &report::POINTS),
    ("baseline", baseline::run, &baseline::POINTS),
    ("settings", settings::run, &settings::POINTS),
    ("writers", writers::run, &writers::POINTS),
];
