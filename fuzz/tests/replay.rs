//! Every stored input through the target it was found with, and what the oracles reached by that.

#![cfg(feature = "suite")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test; what was reached shows where one fails")]

use std::path::Path;

use syncspec_fuzz::reach::{Point, below};
use syncspec_fuzz::{MODEL, SUITE, Target};

/// What the stored corpora have to reach. A corpus that is lost, or a target that returns early, is below.
const FLOORS: &[(&str, &[(&str, u64)])] = &[
    (
        "decode",
        &[
            ("decode/object", 41),
            ("decode/no-object", 5),
            ("decode/duplicate", 1),
            ("decode/value", 99),
            ("decode/accepted", 72),
            ("decode/refused", 10),
        ],
    ),
    ("encode", &[("encode/written", 57), ("encode/body", 57)]),
    (
        "handshake",
        &[
            ("handshake/endpoint", 5),
            ("handshake/no-endpoint", 29),
            ("handshake/dialled", 10),
            ("handshake/token", 26),
            ("handshake/query", 9),
            ("handshake/fields", 34),
        ],
    ),
    ("credentials", &[("credentials/read", 4), ("credentials/refused", 6), ("credentials/carried", 49)]),
    (
        "channel",
        &[
            ("channel/channel", 8),
            ("channel/no-channel", 8),
            ("channel/wildcard", 3),
            ("channel/matched", 13),
            ("channel/missed", 26),
        ],
    ),
    ("filter", &[("filter/refused", 5), ("filter/taken", 62), ("filter/held", 13), ("filter/failed", 47)]),
    (
        "conversation",
        &[
            ("conversation/message", 423),
            ("conversation/finding", 116),
            ("conversation/clean-message", 345),
            ("conversation/open", 363),
            ("conversation/silence", 36),
            ("conversation/kept-alive", 73),
        ],
    ),
    ("duel", &[("duel/connected", 55), ("duel/heard", 44), ("duel/cut", 5), ("duel/healed", 34), ("duel/closed", 91)]),
    ("hub", &[("hub/arrived", 59), ("hub/nobody", 226), ("hub/answered", 214), ("hub/ended", 18)]),
    ("sigv4", &[("sigv4/http", 16), ("sigv4/operation", 26), ("sigv4/bent", 22), ("sigv4/garbled", 8)]),
    ("scalars", &[("scalars/admitted", 13), ("scalars/refused", 15)]),
    ("start", &[("start/planned", 9), ("start/refused", 16), ("start/granted", 9), ("start/executed", 25)]),
    (
        "player",
        &[
            ("player/ended", 27),
            ("player/met", 7),
            ("player/unmet", 13),
            ("player/trouble", 7),
            ("player/honest", 33),
            ("player/finding", 4),
        ],
    ),
    (
        "chunking",
        &[
            ("chunking/cut", 32),
            ("chunking/whole-message", 26),
            ("chunking/fragmented", 10),
            ("chunking/both-framings", 21),
            ("chunking/fault", 7),
        ],
    ),
    (
        "recording",
        &[
            ("recording/read", 72),
            ("recording/refused", 3),
            ("recording/har", 1),
            ("recording/converted", 1),
            ("recording/judged", 216),
        ],
    ),
    ("report", &[("report/read", 2), ("report/refused", 2), ("report/rendered", 20), ("report/script", 24)]),
    (
        "baseline",
        &[
            ("baseline/read", 2),
            ("baseline/refused", 3),
            ("baseline/compared", 2),
            ("baseline/updated", 3),
            ("baseline/not-updated", 2),
        ],
    ),
    (
        "settings",
        &[
            ("settings/serve", 4),
            ("settings/prepared", 1),
            ("settings/targets", 3),
            ("settings/target", 2),
            ("settings/refused", 17),
        ],
    ),
    (
        "writers",
        &[
            ("writers/document", 30),
            ("writers/text", 30),
            ("writers/junit", 30),
            ("writers/html", 30),
            ("writers/markdown", 30),
            ("writers/github", 30),
            ("writers/json", 91),
            ("writers/script", 244),
        ],
    ),
];

fn targets() -> impl Iterator<Item = &'static Target> {
    MODEL.iter().chain(&SUITE)
}

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/corpora").join(name)
}

fn replay((name, target, points): &Target) {
    let folder = folder(name);
    let mut inputs: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    inputs.sort();
    for path in &inputs {
        target(&std::fs::read(path).unwrap());
    }
    for point in *points {
        println!("{} {}", point.name(), point.count());
    }
    let floors = FLOORS.iter().find(|(own, _)| own == name).map_or(&[][..], |(_, floors)| floors);
    let short = below(points, floors);
    assert!(short.is_empty(), "{name}, {} inputs:\n{}", inputs.len(), short.join("\n"));
}

macro_rules! replays {
    ($($test:ident $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                replay(targets().find(|(name, ..)| *name == $name).unwrap());
            }
        )*

        #[test]
        fn every_target_is_replayed() {
            let mut replayed = vec![$($name),*];
            let mut all: Vec<_> = targets().map(|(name, ..)| *name).collect();
            (replayed.sort_unstable(), all.sort_unstable());
            assert_eq!(replayed, all);
        }
    };
}

replays! {
    the_corpus_of_decode_replays "decode",
    the_corpus_of_encode_replays "encode",
    the_corpus_of_handshake_replays "handshake",
    the_corpus_of_credentials_replays "credentials",
    the_corpus_of_sigv4_replays "sigv4",
    the_corpus_of_channel_replays "channel",
    the_corpus_of_filter_replays "filter",
    the_corpus_of_scalars_replays "scalars",
    the_corpus_of_start_replays "start",
    the_corpus_of_conversation_replays "conversation",
    the_corpus_of_duel_replays "duel",
    the_corpus_of_hub_replays "hub",
    the_corpus_of_player_replays "player",
    the_corpus_of_chunking_replays "chunking",
    the_corpus_of_recording_replays "recording",
    the_corpus_of_report_replays "report",
    the_corpus_of_baseline_replays "baseline",
    the_corpus_of_settings_replays "settings",
    the_corpus_of_writers_replays "writers",
}

#[test]
fn a_corpus_that_reaches_too_little_is_told_point_by_point() {
    static HIT: Point = Point::new("t/hit");
    static MISSED: Point = Point::new("t/missed");
    HIT.reached();

    assert_eq!(below(&[&HIT], &[("t/hit", 1)]), Vec::<String>::new());
    assert_eq!(below(&[&HIT], &[("t/hit", 2)]).len(), 1);
    assert_eq!(below(&[&MISSED], &[("t/missed", 0)]).len(), 1, "a floor of 0 holds nothing");
    assert_eq!(below(&[&MISSED], &[]).len(), 1);
    assert_eq!(below(&[], &[("t/gone", 1)]).len(), 1);
}

#[test]
fn each_target_has_its_lines_its_binary_and_a_corpus_that_is_not_too_large() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let mut bytes = 0;
    for (name, ..) in targets() {
        let lines = std::fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(lines.contains(&format!("syncspec_fuzz::{name}::run(input)")), "{name}: {lines}");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let sizes: Vec<_> =
            std::fs::read_dir(folder(name)).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).collect();
        assert!(sizes.len() <= 200, "{name} has {} inputs; minimise it", sizes.len());
        bytes += sizes.iter().sum::<u64>();
    }
    assert!(bytes <= 2 * 1024 * 1024, "{bytes} bytes in fixtures/corpora");
}
