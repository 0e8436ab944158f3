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
            ("decode/object", 42),
            ("decode/no-object", 47),
            ("decode/duplicate", 1),
            ("decode/value", 99),
            ("decode/marked", 1),
            ("decode/accepted", 72),
            ("decode/refused", 12),
        ],
    ),
    ("encode", &[("encode/written", 168), ("encode/body", 168)]),
    (
        "handshake",
        &[
            ("handshake/endpoint", 10),
            ("handshake/no-endpoint", 79),
            ("handshake/dialled", 20),
            ("handshake/token", 26),
            ("handshake/query", 13),
            ("handshake/fields", 140),
        ],
    ),
    ("credentials", &[("credentials/read", 8), ("credentials/refused", 59), ("credentials/carried", 90)]),
    (
        "channel",
        &[
            ("channel/channel", 219),
            ("channel/no-channel", 291),
            ("channel/wildcard", 77),
            ("channel/matched", 305),
            ("channel/missed", 833),
        ],
    ),
    ("filter", &[("filter/refused", 20), ("filter/taken", 95), ("filter/held", 19), ("filter/failed", 70)]),
    (
        "conversation",
        &[
            ("conversation/message", 429),
            ("conversation/finding", 150),
            ("conversation/clean-message", 348),
            ("conversation/open", 364),
            ("conversation/silence", 36),
            ("conversation/kept-alive", 90),
        ],
    ),
    (
        "duel",
        &[("duel/connected", 179), ("duel/heard", 174), ("duel/cut", 23), ("duel/healed", 118), ("duel/closed", 270)],
    ),
    ("hub", &[("hub/arrived", 59), ("hub/nobody", 226), ("hub/answered", 214), ("hub/ended", 18)]),
    ("sigv4", &[("sigv4/http", 38), ("sigv4/operation", 98), ("sigv4/bent", 63), ("sigv4/garbled", 27)]),
    ("scalars", &[("scalars/admitted", 15), ("scalars/refused", 46)]),
    ("start", &[("start/planned", 9), ("start/refused", 80), ("start/granted", 9), ("start/executed", 89)]),
    (
        "player",
        &[
            ("player/ended", 46),
            ("player/met", 11),
            ("player/unmet", 25),
            ("player/trouble", 9),
            ("player/honest", 43),
            ("player/finding", 19),
        ],
    ),
    (
        "chunking",
        &[
            ("chunking/cut", 142),
            ("chunking/whole-message", 115),
            ("chunking/fragmented", 52),
            ("chunking/both-framings", 108),
            ("chunking/fault", 31),
        ],
    ),
    (
        "recording",
        &[
            ("recording/read", 72),
            ("recording/refused", 18),
            ("recording/har", 1),
            ("recording/converted", 1),
            ("recording/judged", 216),
        ],
    ),
    ("report", &[("report/read", 3), ("report/refused", 87), ("report/rendered", 24), ("report/script", 28)]),
    (
        "baseline",
        &[
            ("baseline/read", 3),
            ("baseline/refused", 86),
            ("baseline/compared", 3),
            ("baseline/updated", 3),
            ("baseline/not-updated", 2),
        ],
    ),
    (
        "settings",
        &[
            ("settings/serve", 5),
            ("settings/prepared", 1),
            ("settings/targets", 6),
            ("settings/target", 3),
            ("settings/refused", 173),
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
    ($(fn $test:ident() of $name:literal,)*) => {
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
    fn the_corpus_of_decode_replays() of "decode",
    fn the_corpus_of_encode_replays() of "encode",
    fn the_corpus_of_handshake_replays() of "handshake",
    fn the_corpus_of_credentials_replays() of "credentials",
    fn the_corpus_of_sigv4_replays() of "sigv4",
    fn the_corpus_of_channel_replays() of "channel",
    fn the_corpus_of_filter_replays() of "filter",
    fn the_corpus_of_scalars_replays() of "scalars",
    fn the_corpus_of_start_replays() of "start",
    fn the_corpus_of_conversation_replays() of "conversation",
    fn the_corpus_of_duel_replays() of "duel",
    fn the_corpus_of_hub_replays() of "hub",
    fn the_corpus_of_player_replays() of "player",
    fn the_corpus_of_chunking_replays() of "chunking",
    fn the_corpus_of_recording_replays() of "recording",
    fn the_corpus_of_report_replays() of "report",
    fn the_corpus_of_baseline_replays() of "baseline",
    fn the_corpus_of_settings_replays() of "settings",
    fn the_corpus_of_writers_replays() of "writers",
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
