//! The bodies of the fuzz targets: functions that panic when an invariant is broken.
//!
//! Each target is a module here that opens with its invariant, and three lines under `fuzz_targets/`. `tests/replay.rs`
//! runs the stored corpora through the same functions on a stable compiler, and holds what their oracles reached against
//! floors, so that neither can rot.

pub mod baseline;
pub mod channel;
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
pub mod player;
pub mod reach;
pub mod recording;
pub mod report;
pub mod scalars;
pub mod settings;
pub mod sigv4;
pub mod start;
pub mod writers;

use reach::Point;

/// One target: its name, its body, and where its oracle speaks.
pub type Target = (&'static str, fn(&[u8]), &'static [&'static Point]);

/// Every target, in the order of the layers they try.
pub static TARGETS: [Target; 19] = [
    ("decode", decode::run, &decode::POINTS),
    ("encode", encode::run, &encode::POINTS),
    ("handshake", handshake::run, &handshake::POINTS),
    ("credentials", credentials::run, &credentials::POINTS),
    ("sigv4", sigv4::run, &sigv4::POINTS),
    ("channel", channel::run, &channel::POINTS),
    ("filter", filter::run, &filter::POINTS),
    ("scalars", scalars::run, &scalars::POINTS),
    ("start", start::run, &start::POINTS),
    ("conversation", conversation::run, &conversation::POINTS),
    ("duel", duel::run, &duel::POINTS),
    ("hub", hub::run, &hub::POINTS),
    ("player", player::run, &player::POINTS),
    ("chunking", chunking::run, &chunking::POINTS),
    ("recording", recording::run, &recording::POINTS),
    ("report", report::run, &report::POINTS),
    ("baseline", baseline::run, &baseline::POINTS),
    ("settings", settings::run, &settings::POINTS),
    ("writers", writers::run, &writers::POINTS),
];
