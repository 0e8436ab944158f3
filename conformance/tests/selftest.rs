//! The trial of the suite: its lists are right, and its published figures are those of this version.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use appsync_protocol::requirement::{Ambiguity, Requirement};
use syncspec::catalogue::faults;
use syncspec::report::figures::published;
use syncspec::selftest::benign::variants;
use syncspec::selftest::derived::derived;
use syncspec::selftest::null::Null;
use syncspec::selftest::sockets;
use syncspec::selftest::survivors::{REASONS, names};

/// What looks like an id of a requirement or of an ambiguity.
fn ids(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    parts
        .filter(|part| ["GQL-", "EVT-", "SYN-"].iter().any(|start| part.starts_with(start)))
        .map(str::to_owned)
        .collect()
}

fn is_registered(id: &str) -> bool {
    Requirement::parse(id).is_some() || Ambiguity::find(id).next().is_some()
}

#[test]
fn every_benign_variant_cites_what_is_in_the_register_or_a_standard() {
    let mut wrong = Vec::new();
    for variant in variants() {
        let cited = ids(&variant.source);
        wrong.extend(
            cited.iter().filter(|id| !is_registered(id)).map(|id| format!("{}: there is no {id}", variant.name)),
        );
        let elsewhere = ["RFC ", "GraphQL ", "no requirement", "the ambiguities"];
        if cited.is_empty() && !elsewhere.iter().any(|source| variant.source.starts_with(source)) {
            wrong.push(format!("{}: {:?} is no source", variant.name, variant.source));
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_of_variants_and_of_derived_saboteurs_are_unique() {
    let mut seen = BTreeSet::new();
    for name in variants().into_iter().map(|v| v.name).chain(derived().into_iter().map(|d| d.name)) {
        assert!(seen.insert(name.clone()), "{name} twice");
    }
}

#[test]
fn each_reason_to_survive_names_derived_saboteurs_once_and_cites_the_register() {
    let known: BTreeSet<_> = derived().into_iter().map(|derived| derived.name).collect();
    let mut seen = BTreeSet::new();
    for name in names() {
        assert!(known.contains(name), "there is no derived saboteur {name}");
        assert!(seen.insert(name), "{name} has two reasons");
    }
    for class in REASONS {
        assert!(class.why.len() > 40 && !class.names.is_empty(), "{}", class.why);
        for id in class.cites {
            assert!(is_registered(id), "{}: there is no {id}", class.why);
        }
    }
}

#[test]
fn there_are_as_many_saboteurs_and_variants_as_the_published_figures_say() {
    let figures = published().unwrap();

    assert_eq!(figures.killed.all + figures.killed_over_sockets.all, faults().count());
    assert_eq!(figures.killed_over_sockets.all, sockets::saboteurs().len());
    assert_eq!(figures.derived_killed.all + figures.derived_explained, derived().len());
    assert_eq!(figures.derived_explained, names().count());
    assert_eq!(figures.benign_variants, variants().len() + sockets::links(&[]).len());
    assert_eq!(figures.null_peers, Null::ALL.len());
}

#[test]
fn the_published_figures_are_what_the_suite_promises() {
    let figures = published().unwrap();

    assert!(figures.killed.is_at_least(97), "{figures:?}");
    assert!(figures.killed_must.is_at_least(100) && figures.killed_over_sockets.is_at_least(100), "{figures:?}");
    assert!(figures.derived_killed.is_at_least(100), "{figures:?}");
    assert_eq!((figures.false_alarms.of, figures.null_score, figures.flaky, figures.flaky_over_sockets), (0, 0, 0, 0));
    assert!(figures.repetitions >= 20 && figures.socket_repetitions >= 1, "{figures:?}");
}

#[test]
fn the_published_figures_read_well() {
    insta::assert_snapshot!(published().unwrap().table());
}

#[test]
fn the_readme_shows_the_published_figures() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();

    let written = published().unwrap().written_into(&readme).unwrap();
    assert!(written == readme, "run syncspec selftest --write-figures .; it says\n{}", published().unwrap().table());
}
