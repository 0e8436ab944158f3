//! Properties of the model over the dialogues of the fuzzer: what both sides said, changed in a way that must not matter.

use std::collections::BTreeMap;

use appsync_protocol::conversation::{Conversation, Standing};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::transcript::{Entry, What};
use appsync_protocol::wire::{OwnedFrame, Side};
use proptest::prelude::*;
use syncspec::fuzzing::cells::Coverage;
use syncspec::fuzzing::generate::{Bounds, Generator};
use syncspec::fuzzing::world::{play, setting};
use syncspec::reference::Config;
use syncspec::selftest::stage::endpoint;
use syncspec::sim::Weather;

/// A frame of one connection.
type Said = (Moment, Side, OwnedFrame);

/// What was said on each connection of the dialogue of a seed.
fn said(dialect: Dialect, seed: u64) -> BTreeMap<u32, Vec<Said>> {
    let coverage = Coverage::default();
    let bounds = Bounds { large: false, ..Bounds::default() };
    let mut source = Generator::new(dialect, seed, bounds, &coverage);
    let mut peer = endpoint(Config::default(), &[]);
    let played = play(setting(dialect, true), &mut source, &mut peer, Weather::default());
    let mut lines: BTreeMap<u32, Vec<Said>> = BTreeMap::new();
    for Entry { at, connection, what } in played.record {
        if let What::Frame { from, frame } = what {
            lines.entry(connection).or_default().push((at, from, frame));
        }
    }
    lines
}

/// Rules that were broken, and what is left of each subscription.
type Seen = (Vec<(Requirement, Side)>, BTreeMap<String, Standing>);

fn observe(dialect: Dialect, line: &[Said]) -> (Conversation, Seen) {
    let mut conversation = Conversation::new(dialect);
    let mut broken = Vec::new();
    for (at, from, frame) in line {
        let observed = conversation.observe(*at, *from, frame.borrow());
        broken.extend(observed.findings.into_iter().map(|finding| (finding.requirement, finding.by)));
    }
    let standing = conversation.subscriptions().map(|(id, subscription)| (id.to_owned(), subscription.standing()));
    let standing = standing.collect();
    (conversation, (broken, standing))
}

fn id_of(frame: &OwnedFrame) -> Option<String> {
    let OwnedFrame::Text { text, .. } = frame else { return None };
    parse_json(text)?.get("id").and_then(Json::as_str).map(str::to_owned)
}

/// The same with every id that is an operation's replaced by another of the same kind.
fn renamed(line: &[Said]) -> Vec<Said> {
    let rename = |frame: &OwnedFrame| match (frame, id_of(frame)) {
        (OwnedFrame::Text { text, fragments }, Some(id)) if is_plain(&id) => {
            let Some(Json::Object(mut message)) = parse_json(text) else { return frame.clone() };
            message.insert("id".into(), format!("z{id}").into());
            OwnedFrame::Text { text: Json::Object(message).to_string(), fragments: *fragments }
        }
        _ => frame.clone(),
    };
    line.iter().map(|(at, from, frame)| (*at, *from, rename(frame))).collect()
}

fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.len() < 100 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a line holds nothing but messages that can be read: of others nobody can say which id they are about.
fn is_legible(dialect: Dialect, line: &[Said]) -> bool {
    line.iter().all(|(_, _, frame)| match frame {
        OwnedFrame::Text { text, .. } => appsync_protocol::dialect::decode(dialect, text).is_ok(),
        OwnedFrame::Binary(_) => false,
        OwnedFrame::Ping(_) | OwnedFrame::Pong(_) | OwnedFrame::Close { .. } | OwnedFrame::Lost => true,
    })
}

fn dialects() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_dialogue_accuses_the_reference_endpoint(dialect in dialects(), seed: u64) {
        let coverage = Coverage::default();
        let bounds = Bounds { large: false, ..Bounds::default() };
        let mut source = Generator::new(dialect, seed, bounds, &coverage);
        let mut peer = endpoint(Config::default(), &[]);

        let played = play(setting(dialect, false), &mut source, &mut peer, Weather::default());

        prop_assert_eq!(played.found, None);
        prop_assert_eq!(played.trouble, None);
    }

    #[test]
    fn keep_alives_in_between_change_nothing_but_the_deadline(dialect in dialects(), seed: u64, every in 1_usize..4) {
        for line in said(dialect, seed).values() {
            let (before, seen) = observe(dialect, line);
            let mut more = Vec::new();
            for (at, said) in line.iter().enumerate() {
                more.push(said.clone());
                if at % every == 0 {
                    more.push((said.0, Side::Server, OwnedFrame::text(r#"{"type":"ka"}"#)));
                }
            }

            let (after, seen_after) = observe(dialect, &more);

            prop_assert_eq!(seen, seen_after);
            prop_assert!(after.deadline().map(|d| d.at) >= before.deadline().map(|d| d.at));
        }
    }

    #[test]
    fn renaming_ids_changes_nothing_but_the_names(dialect in dialects(), seed: u64) {
        for line in said(dialect, seed).values() {
            let (broken, standing) = observe(dialect, line).1;

            let (broken_after, standing_after) = observe(dialect, &renamed(line)).1;

            let name = |id: String| if is_plain(&id) { format!("z{id}") } else { id };
            let renamed: BTreeMap<_, _> = standing.into_iter().map(|(id, standing)| (name(id), standing)).collect();
            prop_assert_eq!((broken, renamed), (broken_after, standing_after));
        }
    }

    #[test]
    fn the_trace_of_each_id_is_valid_on_its_own(dialect in dialects(), seed: u64) {
        for line in said(dialect, seed).values().filter(|line| is_legible(dialect, line)) {
            let whole = observe(dialect, line).1;
            for (id, standing) in &whole.1 {
                let own = |said: &&Said| id_of(&said.2).is_none_or(|other| other == *id);
                let alone: Vec<_> = line.iter().filter(own).cloned().collect();

                let (broken, left) = observe(dialect, &alone).1;

                prop_assert!(broken.iter().all(|finding| whole.0.contains(finding)), "{broken:?}");
                prop_assert_eq!(left.get(id), Some(standing));
            }
        }
    }

    #[test]
    fn what_concerns_different_ids_commutes(dialect in dialects(), seed: u64) {
        for line in said(dialect, seed).values().filter(|line| is_legible(dialect, line)) {
            let standing = observe(dialect, line).1.1;
            let mut swapped = line.clone();
            for at in 1..swapped.len() {
                let ids = (id_of(&swapped[at - 1].2), id_of(&swapped[at].2));
                let same_side = swapped[at - 1].1 == swapped[at].1;
                if let (Some(one), Some(other)) = ids
                    && one != other
                    && same_side
                {
                    let (earlier, later) = (swapped[at - 1].0, swapped[at].0);
                    swapped.swap(at - 1, at);
                    (swapped[at - 1].0, swapped[at].0) = (earlier, later);
                }
            }

            prop_assert_eq!(observe(dialect, &swapped).1.1, standing);
        }
    }
}
