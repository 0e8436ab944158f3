//! Every stored input through the target it was found with.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

fn replay(name: &str, target: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/corpora").join(name);
    let mut inputs: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    inputs.sort();
    for path in &inputs {
        target(&std::fs::read(path).unwrap());
    }
    inputs.len()
}

#[test]
fn the_corpus_of_decode_replays() {
    assert!(replay("decode", syncspec_fuzz::decode) >= 20);
}

#[test]
fn the_corpus_of_handshake_replays() {
    assert!(replay("handshake", syncspec_fuzz::handshake) >= 8);
}

#[test]
fn the_corpus_of_conversation_replays() {
    assert!(replay("conversation", syncspec_fuzz::conversation) >= 6);
}

#[test]
fn the_corpus_of_report_replays() {
    assert!(replay("report", syncspec_fuzz::report) >= 6);
}
