//! The form of the source tree: who may know what, what may stand nowhere, what has to be there.
//!
//! Each check is a function from files to complaints, so that a test at the end can show that each of them
//! does complain. Exceptions stand in lists with a reason each; one that is not needed any more fails too.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files by their path below the root of the workspace, with `/` on every system.
type Files = BTreeMap<String, String>;
/// Paths or beginnings of paths, and why they are listed.
type Listed = &'static [(&'static str, &'static str)];

/// Where the model may name the JSON library.
const JSON_IN_THE_MODEL: Listed = &[
    ("protocol/src/json.rs", "the value type, under a name of our own"),
    ("protocol/src/handshake/credentials/object.rs", "the authorization object"),
];

/// Where the suite may name the runtime.
const SHELLS: Listed = &[
    ("conformance/src/link/", "the client's sockets"),
    ("conformance/src/reference/shell", "the server's sockets"),
    ("conformance/src/run/", "scenarios over sockets"),
    ("conformance/src/selftest/sockets", "the trial over sockets"),
    ("conformance/src/session/", "the client of the model over sockets"),
    ("conformance/src/survey/", "looks at targets over sockets"),
    ("conformance/src/load/drive/", "the load generator's sockets and clocks"),
    ("conformance/src/cli/", "the command starts the runtime"),
];

/// Files of more than [`LINES_WITHOUT_REASON`] lines.
const LONG_FILES: Listed = &[
    ("conformance/src/auth/settings.rs", "what a file says of each mode, and how each part is checked"),
    ("conformance/src/auth/tests/endpoint.rs", "every mode at every place where credentials are presented"),
    ("conformance/src/auth/tests/signature.rs", "vectors, recordings and the signing crate judge one verifier"),
    ("conformance/src/auth/sigv4.rs", "the whole of one algorithm, checked against vectors"),
    (
        "conformance/src/catalogue/events/credentials.rs",
        "scenarios are data: how credentials may be written and be wrong",
    ),
    (
        "conformance/src/catalogue/graphql/credentials.rs",
        "scenarios are data: how credentials may be written and be wrong",
    ),
    (
        "conformance/src/catalogue/events/repeats.rs",
        "scenarios are data: what goes wrong only where there is more than one",
    ),
    ("conformance/src/catalogue/events/probes.rs", "scenarios are data: one for each open question"),
    ("conformance/src/catalogue/graphql/declared.rs", "scenarios are data: all that needs set-up but filters"),
    ("conformance/src/catalogue/graphql/enhanced.rs", "scenarios are data: every operator"),
    ("conformance/src/catalogue/graphql/modes.rs", "scenarios are data: every mode in every place"),
    ("conformance/src/catalogue/graphql/probes.rs", "scenarios are data: one for each open question"),
    ("conformance/tests/fuzzing.rs", "what the fuzzer finds, and each accusation that was false once"),
    ("conformance/tests/tidy.rs", "every rule of the tree, and what is excepted from it with its reason"),
    ("conformance/tests/needs_of_clients.rs", "one test for each need, and a client to state them with"),
    ("conformance/src/catalogue/events/modes.rs", "scenarios are data: every mode in every place"),
    ("conformance/src/fuzzing/carry.rs", "every operation, and what it sends in whatever state"),
    ("conformance/src/fuzzing/driver.rs", "the state of a dialogue and its course, which its two halves share"),
    ("conformance/src/fuzzing/events.rs", "what Events owes for each operation in each spelling"),
    ("conformance/src/fuzzing/graphql.rs", "what GraphQL owes for each operation in each spelling"),
    ("conformance/src/fuzzing/hear.rs", "everything that can come, and which due it meets"),
    ("conformance/src/fuzzing/op.rs", "the whole vocabulary of dialogues, each word with its meaning"),
    ("conformance/src/link/http.rs", "HTTP/1.1 for both sides, most of it limits and their tests"),
    ("conformance/src/link/tests.rs", "each way in which a peer made of bytes can fail"),
    ("conformance/src/load/drive/line.rs", "one framing in both directions, and what holds it against a library"),
    ("conformance/src/load/drive/mod.rs", "the course of a run from its threads to its record"),
    ("conformance/src/player/delivery.rs", "every message that tells the model something, and what it answers"),
    ("conformance/src/player/mod.rs", "the player and every input it takes"),
    ("conformance/src/reference/edits.rs", "every way to bend what an endpoint says, and what it keeps in mind for it"),
    ("conformance/src/reference/endpoint.rs", "every input of the endpoint, and what judges for its hub"),
    ("benches/src/floor/server.rs", "the whole of one server that does the least"),
    ("conformance/src/reference/shell/queue.rs", "one queue: how it fills, and who empties it when"),
    ("conformance/src/reference/shell/connection.rs", "one connection from its first byte to its end"),
    ("conformance/src/reference/shell/tests.rs", "the shell from its first byte to its end"),
    ("conformance/src/cli/subscribe.rs", "one command: its options, its course, what it says"),
    ("conformance/src/report/json.rs", "one record for each part of a report"),
    ("conformance/src/report/text.rs", "the whole shape of what a person reads"),
    ("conformance/src/run/fuzz.rs", "one campaign: what it plays, confirms, makes smaller and keeps"),
    ("conformance/src/run/mod.rs", "the phases of a run in their order"),
    ("conformance/src/scenario/pattern.rs", "three kinds of expectation, each with how it is held and shown"),
    ("conformance/src/selftest/guises.rs", "one list of legal ways to say the same, each with its source"),
    ("conformance/tests/baselines.rs", "each kind of entry, each ending, and what the command makes of them"),
    ("conformance/tests/recordings.rs", "the recordings that are kept, every form, and the command on them"),
    ("conformance/tests/exits.rs", "every exit code, and what leads to it"),
    ("conformance/tests/client.rs", "both commands from outside, and the servers they are tried on"),
    ("conformance/tests/reports.rs", "every report, and the run they are made from"),
    ("fuzz/src/duel.rs", "clients, links, hub and what they owe each other are one world"),
    ("protocol/src/channel.rs", "a grammar and its tests"),
    ("protocol/src/raw.rs", "one walk over the text of JSON, what it finds, and its tests"),
    ("protocol/src/hub.rs", "who hears what, at once or later"),
    ("protocol/src/conversation/tests.rs", "the smallest dialogue for each rule"),
    ("protocol/src/delivery/tests.rs", "every window as a sentence, and the oracle"),
    ("protocol/src/handshake/url.rs", "every spelling of an endpoint, and their tests"),
    ("protocol/src/server/mod.rs", "one connection, and everything that it asks of its host"),
    ("protocol/tests/duel.rs", "clients, links, hub and referees are one world"),
    ("protocol/tests/hub.rs", "scripts, how they are told in short, and what each part of the hub does"),
    ("protocol/tests/listeners.rs", "an index and the naive model that it is held against"),
    ("protocol/tests/rulebook/honest.rs", "honest peers of both dialects and the links between them"),
];

/// Catalogue files whose scenarios send text beyond ASCII.
const TEXT_BEYOND_ASCII: Listed = &[
    ("conformance/src/catalogue/events/channel.rs", "a channel that is refused for its letter"),
    ("conformance/src/catalogue/events/delivery.rs", "events that have to arrive unchanged"),
    ("conformance/src/catalogue/events/framing.rs", "fragments that part a character"),
    ("conformance/src/catalogue/graphql/delivery.rs", "events that have to arrive unchanged"),
    ("conformance/src/catalogue/graphql/framing.rs", "a message in two spellings"),
    ("conformance/src/catalogue/graphql/subscribe.rs", "ids of unusual letters"),
];

/// Documents that belong to the project.
const DOCUMENTS: [&str; 6] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

const LINES_MAX: usize = 800;
const LINES_WITHOUT_REASON: usize = 400;
const CATALOGUE: &str = "conformance/src/catalogue/";

#[test]
fn in_the_model_few_files_know_the_json_library() {
    assert_clean(&json_in_the_model(&sources()));
}

#[test]
fn in_the_suite_only_the_shells_know_the_runtime() {
    assert_clean(&runtime_outside_shells(&sources()));
}

#[test]
fn nothing_is_left_undone_ignored_or_waited_for() {
    assert_clean(&leftovers(&sources()));
}

#[test]
fn long_files_have_a_reason_and_none_is_longer_than_800_lines() {
    assert_clean(&too_long(&sources()));
}

#[test]
fn the_catalogue_is_ascii_but_for_what_scenarios_send() {
    assert_clean(&beyond_ascii(&sources()));
}

#[test]
fn every_module_opens_with_its_theory() {
    assert_clean(&without_theory(&sources()));
}

#[test]
fn there_is_no_unsafe_code_in_the_model_and_the_suite() {
    assert_clean(&unsafe_code(&sources()));
}

#[test]
fn the_documents_of_the_project_are_there() {
    let missing: Vec<_> = DOCUMENTS
        .iter()
        .filter(|name| fs::read_to_string(root().join(name)).unwrap_or_default().trim().is_empty())
        .map(|name| format!("{name} is missing or empty"))
        .collect();

    assert_clean(&missing);
}

#[test]
fn the_module_map_names_every_top_level_module_and_nothing_that_is_not_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();

    assert_clean(&stale_map(&text, &sources()));
}

#[test]
fn the_tests_that_hold_the_invariants_exist() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();

    assert_clean(&unknown_tests(&text, &sources()));
}

#[test]
fn a_reason_for_a_mutant_is_a_reason_and_the_readme_counts_the_caught() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let (ledger, survivors) = (read("fixtures/mutants/ledger.tsv"), read("fixtures/mutants/survivors.tsv"));
    let number = |row: &str, n: usize| row.split('\t').nth(n).unwrap().parse::<usize>().unwrap();
    let sum = |n| ledger.lines().skip(1).map(|row| number(row, n)).sum::<usize>();
    let (caught, missed) = (sum(2) + sum(3), sum(4));
    let explained: Vec<_> = survivors.lines().skip(1).map(|row| row.split_once('\t').unwrap()).collect();

    for (mutant, reason) in &explained {
        assert!(reason.len() > 20, "{mutant}: {reason:?} is no reason");
        assert!(root().join(mutant.split(':').next().unwrap()).is_file(), "{mutant}: there is no such file");
    }
    assert_eq!(explained.len(), missed, "reasons, and survivors");
    assert!(read("README.md").contains(&format!("{caught} of {} mutants", caught + missed)), "{caught}, {missed}");
}

#[test]
fn each_check_complains_of_what_it_looks_for() {
    let todo = concat!("to", "do!()");
    let of = |path: &str, text: &str| Files::from([(path.to_owned(), text.to_owned())]);
    let complains = |found: Vec<String>, of_what: &str| {
        assert!(found.iter().any(|line| line.contains(of_what)), "{of_what}: {found:#?}");
    };
    let json = concat!("serde", "_json::from_str(text)");

    complains(json_in_the_model(&of("protocol/src/hub.rs", json)), "hub.rs:1");
    complains(json_in_the_model(&of("protocol/src/json.rs", "")), "json.rs is listed");
    complains(runtime_outside_shells(&of("conformance/src/sim.rs", "use tokio::time;")), "sim.rs:1");
    complains(runtime_outside_shells(&Files::new()), "link/ is listed");
    complains(leftovers(&of("fuzz/src/lib.rs", &format!("fn f() {{\n    {todo}\n}}"))), "lib.rs:2");
    complains(too_long(&of("benches/src/lib.rs", &"//\n".repeat(801))), "801 lines, the most is");
    complains(too_long(&of("benches/src/lib.rs", &"//\n".repeat(401))), "401 lines without a reason");
    complains(too_long(&of("protocol/src/channel.rs", "//\n")), "channel.rs is listed");
    complains(beyond_ascii(&of("conformance/src/catalogue/events/init.rs", "say(\"\u{e9}\")")), "init.rs:1");
    complains(beyond_ascii(&of("conformance/src/catalogue/events/channel.rs", "// \u{e9}")), "channel.rs:1");
    complains(without_theory(&of("protocol/src/hub.rs", "use core::fmt;\n")), "hub.rs");
    complains(unsafe_code(&of("protocol/src/hub.rs", concat!("un", "safe { f() }"))), "hub.rs:1");
    complains(stale_map("```text\nprotocol/src/\n```", &of("protocol/src/hub.rs", "")), "hub.rs is not in");
    complains(unknown_tests("| it holds | `a_test_of_it` |", &Files::new()), "a_test_of_it");
    complains(unknown_tests("no table", &Files::new()), "names no test");
    complains(stale_map("```text\nprotocol/src/\n  gone.rs  x\n```", &Files::new()), "gone.rs is not there");
}

// Checks

fn json_in_the_model(files: &Files) -> Vec<String> {
    named_outside(files, "protocol/src/", concat!("serde", "_json"), JSON_IN_THE_MODEL)
}

fn runtime_outside_shells(files: &Files) -> Vec<String> {
    named_outside(files, "conformance/src/", "tokio", SHELLS)
}

/// Where code below `folder` names `what` although it is not listed, and what is listed in vain.
fn named_outside(files: &Files, folder: &str, what: &str, listed: Listed) -> Vec<String> {
    let mut needed = BTreeSet::new();
    let mut wrong = Vec::new();
    for (path, number, line) in lines(files).filter(|(path, ..)| path.starts_with(folder)) {
        if !is_comment(line) && line.contains(what) {
            match listed.iter().find(|(start, _)| path.starts_with(start)) {
                Some((start, _)) => drop(needed.insert(*start)),
                None => wrong.push(format!("{path}:{number} names {what}")),
            }
        }
    }
    wrong.extend(in_vain(listed, &needed));
    wrong
}

fn leftovers(files: &Files) -> Vec<String> {
    // In two parts each, so that this file does not find itself.
    let needles = [("to", "do!"), ("unimple", "mented!"), ("#[ig", "nore"), ("thread::", "sleep"), ("FIX", "ME")]
        .map(|(head, tail)| format!("{head}{tail}"));
    lines(files)
        .flat_map(|(path, number, line)| {
            needles
                .iter()
                .filter(|needle| line.contains(*needle))
                .map(move |needle| format!("{path}:{number} {needle}"))
        })
        .collect()
}

fn too_long(files: &Files) -> Vec<String> {
    let mut needed = BTreeSet::new();
    let mut wrong = Vec::new();
    for (path, text) in files {
        let count = text.lines().count();
        let listed = LONG_FILES.iter().find(|(file, _)| file == path);
        match listed {
            _ if count > LINES_MAX => wrong.push(format!("{path}: {count} lines, the most is {LINES_MAX}")),
            _ if count <= LINES_WITHOUT_REASON => continue,
            Some((file, _)) => drop(needed.insert(*file)),
            None => wrong.push(format!("{path}: {count} lines without a reason in LONG_FILES")),
        }
    }
    wrong.extend(in_vain(LONG_FILES, &needed));
    wrong
}

fn beyond_ascii(files: &Files) -> Vec<String> {
    let mut needed = BTreeSet::new();
    let mut wrong = Vec::new();
    for (path, number, line) in lines(files).filter(|(path, _, line)| path.starts_with(CATALOGUE) && !line.is_ascii()) {
        let start = line.trim_start();
        let for_readers = is_comment(line) || ["id:", "title:", "name:", "about:"].iter().any(|f| start.starts_with(f));
        match TEXT_BEYOND_ASCII.iter().find(|(file, _)| *file == path) {
            Some((file, _)) if !for_readers => drop(needed.insert(*file)),
            _ => wrong.push(format!("{path}:{number} is not ASCII")),
        }
    }
    wrong.extend(in_vain(TEXT_BEYOND_ASCII, &needed));
    wrong
}

fn without_theory(files: &Files) -> Vec<String> {
    // The tests of a module stand below the theory of that module.
    let is_tests = |path: &str| path.contains("/src/") && (path.ends_with("/tests.rs") || path.contains("/tests/"));
    files
        .iter()
        .filter(|(path, text)| !is_tests(path) && !text.starts_with("//!"))
        .map(|(path, _)| format!("{path} does not open with //!"))
        .collect()
}

fn unsafe_code(files: &Files) -> Vec<String> {
    let word = concat!("un", "safe");
    lines(files)
        .filter(|(path, ..)| path.starts_with("protocol/src/") || path.starts_with("conformance/src/"))
        .filter(|(_, _, line)| {
            !is_comment(line) && line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
        })
        .map(|(path, number, _)| format!("{path}:{number} is {word}"))
        .collect()
}

/// What the blocks of the module map that begin with `protocol/src/` and `conformance/src/` name too much or not.
fn stale_map(text: &str, files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for folder in ["protocol/src/", "conformance/src/"] {
        let there: BTreeSet<_> = files.keys().filter_map(|path| first_step(path.strip_prefix(folder)?)).collect();
        let block = text.lines().skip_while(|line| *line != folder).skip(1).take_while(|line| *line != "```");
        let named: BTreeSet<_> = block
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        wrong.extend(there.difference(&named).map(|name| format!("{folder}{name} is not in the module map")));
        wrong.extend(named.difference(&there).map(|name| format!("{folder}{name} is not there")));
    }
    wrong
}

/// Tests that the tables of the document name, sentences with underscores in backticks, and that are nowhere.
fn unknown_tests(text: &str, files: &Files) -> Vec<String> {
    let is_test = |word: &str| {
        word.matches('_').count() > 1 && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let named: BTreeSet<_> = rows.flat_map(|line| line.split('`')).filter(|word| is_test(word)).collect();
    if named.is_empty() {
        return vec!["ARCHITECTURE.md names no test".into()];
    }
    named
        .into_iter()
        .filter(|name| !files.values().any(|source| source.contains(&format!("fn {name}("))))
        .map(|name| format!("ARCHITECTURE.md names {name}, which is no test"))
        .collect()
}

/// `hub.rs` of `hub.rs`, `server/` of `server/mod.rs`.
fn first_step(path: &str) -> Option<&str> {
    match path.find('/') {
        Some(end) => path.get(..=end),
        None => Some(path),
    }
}

// The tree

fn in_vain(listed: Listed, needed: &BTreeSet<&str>) -> Vec<String> {
    let unneeded = listed.iter().filter(|(name, _)| !needed.contains(name));
    unneeded.map(|(name, reason)| format!("{name} is listed ({reason}) and need not be")).collect()
}

fn assert_clean(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Path, number and text of every line.
fn lines(files: &Files) -> impl Iterator<Item = (&str, usize, &str)> {
    files.iter().flat_map(|(path, text)| (1..).zip(text.lines()).map(|(number, line)| (path.as_str(), number, line)))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the packages.
fn sources() -> Files {
    let mut files = Files::new();
    for package in ["protocol", "conformance", "fuzz", "benches"] {
        collect(&root().join(package), package, &mut files);
    }
    assert!(files.len() > 100, "only {} files; the tree is not where it was", files.len());
    files
}

fn collect(folder: &Path, name: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() && !name.ends_with("/target") {
            collect(&path, &name, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}
